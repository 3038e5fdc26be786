/* The bytes of a packed segment: what pack.c reads and pack_write.c writes, and nobody else. */
#ifndef DK_RUNTIME_PACK_FORMAT_H
#define DK_RUNTIME_PACK_FORMAT_H

#include "nodes/runtime/pack.h"
#include <string.h>

#define PACK_FORMAT         1
#define PACK_DICTIONARY_MAX 4096
#define PACK_BITS_MAX       57 /* what one load of 8 bytes holds at any bit; more are 64 */
#define PACK_END_BYTES      8  /* that the last load may reach */
#define PACK_NEVER          ((uint64_t)INT64_MAX)
#define PACK_OTHER_ITEM     255 /* SINCE the first item's word 0 */
#define PACK_COLUMNS_MAX    (2 + 2 * DK_PACK_WORDS_MAX)

enum pack_coding {
    PACK_CONSTANT,
    PACK_OFFSET,
    PACK_DICTIONARY,
    PACK_STEP,
    PACK_SINCE,
    PACK_TIME_OF,
    PACK_CODINGS
};

/* Codes in equal bits: base + scale * code, or `special` for the highest one. */
struct pack_codes {
    uint64_t base, scale, special;
    uint32_t at; /* from the begin of the segment */
    uint8_t bits;
    uint8_t has_special;
    uint16_t zero;
};

struct pack_column {
    uint8_t coding;
    uint8_t other;          /* SINCE: a word of the head, or PACK_OTHER_ITEM */
    uint16_t entries;       /* DICTIONARY */
    uint32_t dictionary_at; /* its words */
    int64_t min, max;
    struct pack_codes codes; /* of STEP: all but the firsts */
    struct pack_codes first;
};
_Static_assert(sizeof(struct pack_column) == 88, "no padding");

struct pack_header {
    uint32_t crc32c; /* of all that follows */
    uint32_t size;
    uint32_t items;
    uint16_t rows;
    uint8_t head_words, item_words;
    uint32_t format;
    uint32_t zero;
};
_Static_assert(sizeof(struct pack_header) == 24, "no padding");

/* The number of a column; pack_columns: how many there are. */
static inline unsigned pack_head_column(struct dk_pack_layout layout, unsigned word)
{
    return (layout.item_words > 0 ? 2 : 1) + word;
}

static inline unsigned pack_item_column(struct dk_pack_layout layout, unsigned word)
{
    return pack_head_column(layout, layout.head_words) + word;
}

static inline unsigned pack_columns(struct dk_pack_layout layout)
{
    return pack_item_column(layout, layout.item_words);
}

static inline size_t pack_codes_bytes(unsigned bits, size_t count)
{
    return (bits * count + 7) / 8;
}

static inline uint64_t pack_mask(unsigned bits)
{
    return bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

static inline uint64_t pack_load(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Code `i` of those in `bits` each from `at` on. */
static inline uint64_t pack_code(const uint8_t *at, unsigned bits, size_t i)
{
    size_t bit = bits * i;
    return pack_load(at + (bit >> 3)) >> (bit & 7) & pack_mask(bits);
}

static inline uint64_t pack_word(const struct pack_codes *codes, uint64_t code)
{
    return codes->has_special && code == pack_mask(codes->bits) ? codes->special
                                                                : codes->base + codes->scale * code;
}

#endif
