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

#define POLYNOMIAL 0x82f63b78u /* Castagnoli, reflected */

uint32_t dk_crc32c(uint32_t crc, const void *data, size_t bytes)
{
    const uint8_t *at = data;
    uint32_t state = ~crc;
    for (size_t i = 0; i < bytes; i++) {
        state ^= at[i];
        for (int bit = 0; bit < 8; bit++) {
            state = (state >> 1) ^ ((state & 1) != 0 ? POLYNOMIAL : 0);
        }
    }
    return ~state;
}

#endif
