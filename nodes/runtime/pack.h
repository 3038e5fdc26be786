/* Rows of flat values packed column by column: how state that is quiet stands in memory and on disk
 * in a fifth of its bytes, and how a scan reads only the columns that it asks for.
 *
 * A value is a head of H words and then any number of items of R words each, a word being 8 bytes
 * (dk_ticket: a head; dk_facts: a head and its steps). Each word's place is a column, coded by what
 * takes the fewest bytes in this segment:
 *
 *   CONSTANT    one word
 *   OFFSET      base + scale * code; the highest code may stand for one word far away (a time
 *               "never", a position 0), scale is what all differences have in common (whole seconds)
 *   DICTIONARY  the number of one of up to 4,096 words
 *   STEP        of items: the row's first as OFFSET, each other as OFFSET from the one before it
 *   SINCE       of heads: as OFFSET from another word of the head before it, or from the first item's
 *               word 0 (a time soon after the opening)
 *   TIME_OF     of heads: the number of the row's first item whose word 0 is the same, or never
 *
 * Codes are packed in 0..57 bits each, or 64. Every coding is exact, and every row can be read alone.
 *
 *   | crc32c | header | column, column, ... | words and codes of the columns | 8 bytes of 0 |
 *
 * little-endian; columns: key, begin of a row's items (only with R > 0), head words, item words; each
 * tells its least and its greatest word (signed), so that a scan passes over segments. */
#ifndef DK_RUNTIME_PACK_H
#define DK_RUNTIME_PACK_H

#include "proto/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DK_PACK_ROWS_MAX      1024  /* with DK_PACK_ITEMS_MAX: unpacked it fits a core's cache */
#define DK_PACK_ITEMS_MAX     16384 /* a segment ends with the row that reaches it */
#define DK_PACK_ROW_ITEMS_MAX 65535
#define DK_PACK_WORDS_MAX     32 /* H, and R */

struct dk_pack_layout {
    uint8_t head_words; /* 0: values are not packed */
    uint8_t item_words; /* 0: heads only */
};

/* Whether a value of this size is one of the layout, and may be packed. */
bool dk_pack_fits(struct dk_pack_layout layout, size_t bytes);

/* One row to be packed; the value is aligned to 8 bytes. */
struct dk_pack_row {
    uint64_t key; /* not 0 */
    const uint64_t *value;
    size_t bytes;
};

/* How many of these rows (>= 1) one segment takes. */
size_t dk_pack_plan(struct dk_pack_layout layout, const struct dk_pack_row *row, size_t count);

/* Packs rows that fit, as many as plan says; rows in the order of keys that were made one after the
 * other pack best. `*bytes` is the caller's to free; `*size` of them. */
void dk_pack_write(struct dk_pack_layout layout, const struct dk_pack_row *row, size_t count,
                   uint8_t **bytes, size_t *size);

/* A segment that has been checked; borrows its bytes. */
struct dk_pack {
    const uint8_t *bytes;
    size_t size;
    struct dk_pack_layout layout;
    size_t rows, items;
};

/* Checks all that reading rests on: nothing below reads outside of bytes that passed. DK_ECORRUPT:
 * CRC, or a structure that no writer makes. */
int dk_pack_open(struct dk_pack *pack, struct dk_pack_layout layout, const uint8_t *bytes,
                 size_t size, struct dk_err *err);

uint64_t dk_pack_key(const struct dk_pack *pack, size_t row);
size_t dk_pack_row_items(const struct dk_pack *pack, size_t row);
/* One row's value into `word`, which has room for head_words + items * item_words. */
void dk_pack_read_row(const struct dk_pack *pack, size_t row, uint64_t *word);

/* Columns: bit n = word n. */
struct dk_pack_wanted {
    uint32_t head, item;
};
#define DK_PACK_ALL ((struct dk_pack_wanted){UINT32_MAX, UINT32_MAX})

/* All rows of a segment, read at once; room for one reader, kept from segment to segment. */
struct dk_pack_rows {
    uint64_t *key;   /* of each row */
    uint32_t *begin; /* place of each row's value in `word`, and the end */
    uint64_t *word;  /* values as they were; what is not wanted is undefined */
    uint32_t *place; /* of each item in `word` */
    uint64_t *code;
    size_t row_capacity, word_capacity, item_capacity;
};
void dk_pack_rows_close(struct dk_pack_rows *rows);
void dk_pack_read(const struct dk_pack *pack, struct dk_pack_wanted wanted,
                  struct dk_pack_rows *rows);

/* The least and the greatest of a column, as signed numbers; of no items: INT64_MAX, INT64_MIN. */
struct dk_pack_range {
    int64_t min, max;
};
struct dk_pack_range dk_pack_head_range(const struct dk_pack *pack, unsigned word);
struct dk_pack_range dk_pack_item_range(const struct dk_pack *pack, unsigned word);

#endif
