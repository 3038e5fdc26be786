#include "proto/base/utf8.h"

#include <stdint.h>
#include <string.h>

#define ONES  UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* Eight bytes at a time, as most text is ASCII: bytes at the front without a high bit or a NUL. */
static size_t ascii_prefix(const uint8_t *at, size_t bytes)
{
    size_t done = 0;
    for (uint64_t word; done + sizeof word <= bytes; done += sizeof word) {
        memcpy(&word, at + done, sizeof word);
        if (((word | (word - ONES)) & HIGHS) != 0)
            break;
    }
    while (done < bytes && at[done] - 1u < 0x7f)
        done++;
    return done;
}

/* The length of the character at `at` that is not ASCII, or 0. The first byte says how many
 * follow; the range of the second rules out overlong forms, surrogates and what is too large. */
static size_t wide_character(const uint8_t *at, size_t bytes)
{
    static const struct {
        uint8_t first_min, first_max, second_min, second_max;
        size_t bytes;
    } forms[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    size_t i = 0;
    while (i < sizeof forms / sizeof forms[0] && at[0] > forms[i].first_max)
        i++;
    if (i == sizeof forms / sizeof forms[0] || at[0] < forms[i].first_min ||
        bytes < forms[i].bytes || at[1] < forms[i].second_min || at[1] > forms[i].second_max)
        return 0;
    for (size_t k = 2; k < forms[i].bytes; k++) {
        if ((at[k] & 0xc0) != 0x80)
            return 0;
    }
    return forms[i].bytes;
}

size_t dk_utf8_prefix(const void *data, size_t bytes)
{
    const uint8_t *text = data;
    size_t at = 0;
    while (at < bytes) {
        at += ascii_prefix(text + at, bytes - at);
        size_t wide = at < bytes ? wide_character(text + at, bytes - at) : 0;
        if (wide == 0)
            break;
        at += wide;
    }
    return at;
}
