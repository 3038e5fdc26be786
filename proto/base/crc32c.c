#include "proto/base/crc32c.h"
#include <string.h>

#ifdef __SSE4_2__
#include <nmmintrin.h>

uint32_t dk_crc32c(uint32_t crc, const void *data, size_t bytes)
{
    const uint8_t *at = data;
    uint64_t state = ~crc;
    for (; bytes >= 8; bytes -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        state = _mm_crc32_u64(state, word);
    }
    uint32_t rest = (uint32_t)state;
    for (; bytes > 0; bytes--, at++) {
        rest = _mm_crc32_u8(rest, *at);
    }
    return ~rest;
}

#else

/* What four bits leave behind when they are divided by the polynomial 0x82f63b78 (Castagnoli,
 * reflected): small enough to be read, and to stay in one cache line. */
static const uint32_t remainder_of[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t dk_crc32c(uint32_t crc, const void *data, size_t bytes)
{
    const uint8_t *at = data;
    uint32_t state = ~crc;
    for (size_t i = 0; i < bytes; i++) {
        state ^= at[i];
        state = (state >> 4) ^ remainder_of[state & 15];
        state = (state >> 4) ^ remainder_of[state & 15];
    }
    return ~state;
}

#endif
