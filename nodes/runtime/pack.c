#include "nodes/runtime/pack_format.h"
#include "proto/base/crc32c.h"
#include <inttypes.h>
#include <stdlib.h>

static struct pack_column column_of(const struct dk_pack *pack, unsigned number)
{
    struct pack_column column;
    memcpy(&column, pack->bytes + sizeof(struct pack_header) + number * sizeof column,
           sizeof column);
    return column;
}

static struct pack_column head_of(const struct dk_pack *pack, unsigned word)
{
    return column_of(pack, pack_head_column(pack->layout, word));
}

static struct pack_column item_of(const struct dk_pack *pack, unsigned word)
{
    return column_of(pack, pack_item_column(pack->layout, word));
}

/* ---------------------------------------------------------------- checking */

static const char *wrong_codes(const struct dk_pack *pack, const struct pack_codes *codes,
                               size_t count)
{
    if ((codes->bits > PACK_BITS_MAX && codes->bits != 64) ||
        (codes->has_special != 0 && codes->bits == 0)) {
        return "bits";
    }
    size_t bytes = pack_codes_bytes(codes->bits, count) + PACK_END_BYTES;
    return codes->at > pack->size || bytes > pack->size - codes->at ? "codes outside" : NULL;
}

static const char *wrong_dictionary(const struct dk_pack *pack, const struct pack_column *column,
                                    size_t count)
{
    size_t bytes = column->entries * sizeof(uint64_t);
    if (column->entries > PACK_DICTIONARY_MAX || column->dictionary_at > pack->size ||
        bytes > pack->size - column->dictionary_at) {
        return "dictionary outside";
    }
    for (size_t i = 0; i < count; i++) {
        if (pack_code(pack->bytes + column->codes.at, column->codes.bits, i) >= column->entries) {
            return "word of no dictionary";
        }
    }
    return NULL;
}

static bool all_have_items(const struct dk_pack *pack)
{
    for (size_t i = 0; i < pack->rows; i++) {
        if (dk_pack_row_items(pack, i) == 0) {
            return false;
        }
    }
    return true;
}

static const char *wrong_times(const struct dk_pack *pack, const struct pack_column *column)
{
    for (size_t i = 0; i < pack->rows; i++) {
        uint64_t code = pack_code(pack->bytes + column->codes.at, column->codes.bits, i);
        if (code != pack_mask(column->codes.bits) && code >= dk_pack_row_items(pack, i)) {
            return "time of no item";
        }
    }
    return NULL;
}

/* Keys and begins are read first: the rest rests on them. */
static const char *wrong_begins(const struct dk_pack *pack)
{
    const struct pack_column column = column_of(pack, 1);
    uint64_t last = 0;
    for (size_t i = 0; i < pack->rows; i++) {
        uint64_t begin = pack_word(&column.codes,
                                   pack_code(pack->bytes + column.codes.at, column.codes.bits, i));
        if (begin < last || begin > pack->items || begin - last > DK_PACK_ROW_ITEMS_MAX ||
            (i == 0 && begin != 0)) {
            return "begins of rows";
        }
        last = begin;
    }
    return pack->items - last > DK_PACK_ROW_ITEMS_MAX ? "begins of rows" : NULL;
}

static const char *wrong_column(const struct dk_pack *pack, unsigned number, bool have_items)
{
    const struct pack_column column = column_of(pack, number);
    unsigned heads = pack_head_column(pack->layout, 0), items = pack_item_column(pack->layout, 0);
    bool head = number >= heads && number < items;
    size_t count = number < items ? pack->rows : pack->items, others = 0;
    if (column.coding == PACK_STEP) {
        if (number < items || !have_items || wrong_codes(pack, &column.first, pack->rows) != NULL) {
            return "steps";
        }
        others = pack->rows;
    }
    const char *wrong = wrong_codes(pack, &column.codes, count - others);
    if (wrong != NULL) {
        return wrong;
    }
    if (number < heads) {
        return column.coding != PACK_OFFSET ? "keys" : NULL;
    }
    switch (column.coding) {
    case PACK_CONSTANT: return column.codes.bits != 0 ? "constant" : NULL;
    case PACK_OFFSET:
    case PACK_STEP: return NULL;
    case PACK_DICTIONARY: return wrong_dictionary(pack, &column, count);
    case PACK_SINCE:
        return !head || (column.other == PACK_OTHER_ITEM ? !have_items
                                                         : column.other >= number - heads)
                   ? "since"
                   : NULL;
    case PACK_TIME_OF: return !head ? "times" : wrong_times(pack, &column);
    default: return "coding";
    }
}

static const char *wrong(const struct dk_pack *pack)
{
    unsigned columns = pack_columns(pack->layout), heads = pack_head_column(pack->layout, 0);
    const char *found = NULL;
    for (unsigned i = 0; found == NULL && i < heads; i++) {
        found = wrong_column(pack, i, false);
    }
    for (size_t i = 0; found == NULL && i < pack->rows; i++) {
        found = dk_pack_key(pack, i) == 0 ? "keys" : NULL;
    }
    if (found == NULL && pack->layout.item_words > 0) {
        found = wrong_begins(pack);
    }
    bool have_items = found == NULL && pack->layout.item_words > 0 && all_have_items(pack);
    for (unsigned i = heads; found == NULL && i < columns; i++) {
        found = wrong_column(pack, i, have_items);
    }
    return found;
}

int dk_pack_open(struct dk_pack *pack, struct dk_pack_layout layout, const uint8_t *bytes,
                 size_t size, struct dk_err *err)
{
    struct pack_header header;
    size_t least = sizeof header + pack_columns(layout) * sizeof(struct pack_column);
    if (size < least + PACK_END_BYTES || layout.head_words == 0) {
        return dk_err_set(err, DK_ECORRUPT, "a packed segment of %zu bytes", size);
    }
    memcpy(&header, bytes, sizeof header);
    if (header.size != size ||
        header.crc32c != dk_crc32c(0, bytes + sizeof header.crc32c, size - sizeof header.crc32c)) {
        return dk_err_set(err, DK_ECORRUPT, "a packed segment is not what its CRC says");
    }
    if (header.format != PACK_FORMAT || header.head_words != layout.head_words ||
        header.item_words != layout.item_words || header.rows == 0 ||
        header.rows > DK_PACK_ROWS_MAX ||
        header.items >= DK_PACK_ITEMS_MAX + DK_PACK_ROW_ITEMS_MAX ||
        (layout.item_words == 0 && header.items != 0)) {
        return dk_err_set(err, DK_ECORRUPT, "a packed segment of another form");
    }
    *pack = (struct dk_pack){bytes, size, layout, header.rows, header.items};
    const char *found = wrong(pack);
    return found == NULL ? 0 : dk_err_set(err, DK_ECORRUPT, "a packed segment's %s", found);
}

/* ---------------------------------------------------------------- one row */

static uint64_t plain_word(const struct dk_pack *pack, const struct pack_column *column, size_t i)
{
    uint64_t code = pack_code(pack->bytes + column->codes.at, column->codes.bits, i);
    return column->coding == PACK_DICTIONARY
               ? pack_load(pack->bytes + column->dictionary_at + code * sizeof(uint64_t))
               : pack_word(&column->codes, code);
}

uint64_t dk_pack_key(const struct dk_pack *pack, size_t row)
{
    const struct pack_column column = column_of(pack, 0);
    return plain_word(pack, &column, row);
}

/* Where a row's items begin; of the row after the last: their count. */
static size_t begin_of(const struct dk_pack *pack, size_t row)
{
    if (row == pack->rows) {
        return pack->items;
    }
    const struct pack_column column = column_of(pack, 1);
    return (size_t)plain_word(pack, &column, row);
}

size_t dk_pack_row_items(const struct dk_pack *pack, size_t row)
{
    return pack->layout.item_words == 0 ? 0 : begin_of(pack, row + 1) - begin_of(pack, row);
}

static void read_row_items(const struct dk_pack *pack, size_t row, size_t items, uint64_t *word)
{
    size_t begin = begin_of(pack, row), step = pack->layout.item_words;
    for (unsigned w = 0; w < step; w++) {
        const struct pack_column column = item_of(pack, w);
        uint64_t *out = word + w;
        if (column.coding != PACK_STEP) {
            for (size_t i = 0; i < items; i++, out += step) {
                *out = plain_word(pack, &column, begin + i);
            }
            continue;
        }
        uint64_t last = pack_word(&column.first,
                                  pack_code(pack->bytes + column.first.at, column.first.bits, row));
        *out = last;
        for (size_t i = 1; i < items; i++) {
            uint64_t code =
                pack_code(pack->bytes + column.codes.at, column.codes.bits, begin - row + i - 1);
            last += pack_word(&column.codes, code);
            out += step;
            *out = last;
        }
    }
}

/* A word of a head whose items, and words before it, have been read. */
static uint64_t head_word(const struct dk_pack *pack, const struct pack_column *column, size_t row,
                          const uint64_t *head, const uint64_t *item)
{
    uint64_t code = pack_code(pack->bytes + column->codes.at, column->codes.bits, row);
    bool special = column->codes.has_special && code == pack_mask(column->codes.bits);
    switch (column->coding) {
    case PACK_SINCE:
        return special ? column->codes.special
                       : column->codes.base + column->codes.scale * code +
                             (column->other == PACK_OTHER_ITEM ? item[0] : head[column->other]);
    case PACK_TIME_OF:
        return code == pack_mask(column->codes.bits) ? PACK_NEVER
                                                     : item[code * pack->layout.item_words];
    default: return plain_word(pack, column, row);
    }
}

void dk_pack_read_row(const struct dk_pack *pack, size_t row, uint64_t *word)
{
    uint64_t *item = word + pack->layout.head_words;
    size_t items = dk_pack_row_items(pack, row);
    if (items > 0) {
        read_row_items(pack, row, items, item);
    }
    for (unsigned w = 0; w < pack->layout.head_words; w++) {
        const struct pack_column column = head_of(pack, w);
        word[w] = head_word(pack, &column, row, word, item);
    }
}

/* ---------------------------------------------------------------- all rows */

void dk_pack_rows_close(struct dk_pack_rows *rows)
{
    free(rows->key);
    free(rows->begin);
    free(rows->word);
    free(rows->place);
    free(rows->code);
    *rows = (struct dk_pack_rows){0};
}

static void *fit(void *array, size_t count, size_t element_bytes)
{
    free(array);
    array = calloc(count, element_bytes);
    DK_ASSERT(array != NULL);
    return array;
}

static void make_room(const struct dk_pack *pack, struct dk_pack_rows *rows)
{
    size_t words = pack->rows * pack->layout.head_words + pack->items * pack->layout.item_words;
    if (pack->rows > rows->row_capacity) {
        rows->row_capacity = DK_PACK_ROWS_MAX;
        rows->key = fit(rows->key, rows->row_capacity, sizeof *rows->key);
        rows->begin = fit(rows->begin, rows->row_capacity + 1, sizeof *rows->begin);
    }
    if (words > rows->word_capacity) {
        rows->word_capacity = words + words / 4;
        rows->word = fit(rows->word, rows->word_capacity, sizeof *rows->word);
    }
    size_t codes = pack->items > pack->rows ? pack->items : pack->rows;
    if (codes > rows->item_capacity) {
        rows->item_capacity = codes + codes / 4;
        rows->place = fit(rows->place, rows->item_capacity, sizeof *rows->place);
        rows->code = fit(rows->code, rows->item_capacity, sizeof *rows->code);
    }
}

/* Codes first..count-1, from a bit that need not be the begin of a byte. */
static void unpack(const struct dk_pack *pack, const struct pack_codes *codes, size_t count,
                   uint64_t *out)
{
    const uint8_t *at = pack->bytes + codes->at;
    const unsigned bits = codes->bits;
    const uint64_t mask = pack_mask(bits);
    size_t i = 0, bit = 0;
    for (; i + 4 <= count; i += 4, bit += 4 * bits) {
        size_t b = bit + bits, c = b + bits, d = c + bits;
        out[i] = pack_load(at + (bit >> 3)) >> (bit & 7) & mask;
        out[i + 1] = pack_load(at + (b >> 3)) >> (b & 7) & mask;
        out[i + 2] = pack_load(at + (c >> 3)) >> (c & 7) & mask;
        out[i + 3] = pack_load(at + (d >> 3)) >> (d & 7) & mask;
    }
    for (; i < count; i++, bit += bits) {
        out[i] = pack_load(at + (bit >> 3)) >> (bit & 7) & mask;
    }
}

/* The same, as words. */
static void unpack_words(const struct dk_pack *pack, const struct pack_codes *codes, size_t count,
                         uint64_t *out)
{
    unpack(pack, codes, count, out);
    if (codes->has_special) {
        for (size_t i = 0; i < count; i++) {
            out[i] = pack_word(codes, out[i]);
        }
    } else {
        for (size_t i = 0; i < count; i++) {
            out[i] = codes->base + codes->scale * out[i];
        }
    }
}

static void unpack_plain(const struct dk_pack *pack, const struct pack_column *column, size_t count,
                         uint64_t *out)
{
    if (column->coding != PACK_DICTIONARY) {
        unpack_words(pack, &column->codes, count, out);
        return;
    }
    const uint8_t *words = pack->bytes + column->dictionary_at;
    unpack(pack, &column->codes, count, out);
    for (size_t i = 0; i < count; i++) {
        out[i] = pack_load(words + out[i] * sizeof(uint64_t));
    }
}

static void read_places(const struct dk_pack *pack, struct dk_pack_rows *rows)
{
    const struct pack_column keys = column_of(pack, 0);
    uint32_t heads = pack->layout.head_words, step = pack->layout.item_words;
    unpack_plain(pack, &keys, pack->rows, rows->key);
    if (step == 0) {
        for (uint32_t i = 0; i <= pack->rows; i++) {
            rows->begin[i] = i * heads;
        }
        return;
    }
    const struct pack_column begins = column_of(pack, 1);
    unpack_plain(pack, &begins, pack->rows, rows->code);
    for (uint32_t i = 0; i < pack->rows; i++) {
        rows->begin[i] = i * heads + (uint32_t)rows->code[i] * step;
    }
    rows->begin[pack->rows] = (uint32_t)pack->rows * heads + (uint32_t)pack->items * step;
    uint32_t *place = rows->place;
    for (size_t i = 0; i < pack->rows; i++) {
        for (uint32_t at = rows->begin[i] + heads; at < rows->begin[i + 1]; at += step) {
            *place++ = at;
        }
    }
}

static void read_steps(const struct dk_pack *pack, const struct pack_column *column,
                       struct dk_pack_rows *rows, unsigned w)
{
    uint64_t first[DK_PACK_ROWS_MAX];
    const uint64_t *code = rows->code;
    size_t heads = pack->layout.head_words, step = pack->layout.item_words;
    unpack_words(pack, &column->first, pack->rows, first);
    unpack_words(pack, &column->codes, pack->items - pack->rows, rows->code);
    for (size_t i = 0; i < pack->rows; i++) {
        uint64_t last = first[i];
        size_t at = rows->begin[i] + heads, end = rows->begin[i + 1];
        rows->word[at + w] = last;
        for (at += step; at < end; at += step) {
            last += *code++;
            rows->word[at + w] = last;
        }
    }
}

static void read_item(const struct dk_pack *pack, struct dk_pack_rows *rows, unsigned w)
{
    const struct pack_column column = item_of(pack, w);
    uint64_t *word = rows->word + w;
    const uint32_t *place = rows->place;
    if (column.coding == PACK_STEP) {
        read_steps(pack, &column, rows, w);
    } else if (column.coding == PACK_CONSTANT) {
        for (size_t i = 0; i < pack->items; i++) {
            word[place[i]] = column.codes.base;
        }
    } else {
        unpack_plain(pack, &column, pack->items, rows->code);
        for (size_t i = 0; i < pack->items; i++) {
            word[place[i]] = rows->code[i];
        }
    }
}

static void read_head(const struct dk_pack *pack, struct dk_pack_rows *rows, unsigned w)
{
    const struct pack_column column = head_of(pack, w);
    bool own = column.coding != PACK_SINCE && column.coding != PACK_TIME_OF;
    if (own) {
        unpack_plain(pack, &column, pack->rows, rows->code);
    }
    for (size_t i = 0; i < pack->rows; i++) {
        uint64_t *head = rows->word + rows->begin[i];
        head[w] =
            own ? rows->code[i] : head_word(pack, &column, i, head, head + pack->layout.head_words);
    }
}

/* What is to be read for what is wanted: a word that another one is told from, too. */
static struct dk_pack_wanted needed(const struct dk_pack *pack, struct dk_pack_wanted wanted)
{
    for (unsigned w = pack->layout.head_words; w-- > 0;) {
        const struct pack_column column = head_of(pack, w);
        if ((wanted.head >> w & 1) == 0) {
            continue;
        }
        if (column.coding == PACK_SINCE && column.other != PACK_OTHER_ITEM) {
            wanted.head |= UINT32_C(1) << column.other;
        } else if (column.coding == PACK_SINCE || column.coding == PACK_TIME_OF) {
            wanted.item |= 1;
        }
    }
    return wanted;
}

void dk_pack_read(const struct dk_pack *pack, struct dk_pack_wanted wanted,
                  struct dk_pack_rows *rows)
{
    struct dk_pack_wanted need = needed(pack, wanted);
    make_room(pack, rows);
    read_places(pack, rows);
    for (unsigned w = 0; pack->items > 0 && w < pack->layout.item_words; w++) {
        if ((need.item >> w & 1) != 0) {
            read_item(pack, rows, w);
        }
    }
    for (unsigned w = 0; w < pack->layout.head_words; w++) {
        if ((need.head >> w & 1) != 0) {
            read_head(pack, rows, w);
        }
    }
}

struct dk_pack_range dk_pack_head_range(const struct dk_pack *pack, unsigned word)
{
    const struct pack_column column = head_of(pack, word);
    return (struct dk_pack_range){column.min, column.max};
}

struct dk_pack_range dk_pack_item_range(const struct dk_pack *pack, unsigned word)
{
    const struct pack_column column = item_of(pack, word);
    return (struct dk_pack_range){column.min, column.max};
}
