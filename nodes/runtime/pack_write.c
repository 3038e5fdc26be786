#include "nodes/runtime/pack_format.h"
#include "proto/base/buf.h"
#include "proto/base/crc32c.h"
#include <stdlib.h>

#define SEGMENT_MAX_BYTES ((size_t)1 << 30)
#define SLOTS             (2 * PACK_DICTIONARY_MAX)
#define WORTH_A_LOOK_BITS 6 /* below, no other word of the head is tried */

/* Different words of a column, in the order in which they came. */
struct dictionary {
    uint64_t word[PACK_DICTIONARY_MAX];
    uint16_t slot[SLOTS]; /* 1 + number; 0: free */
    size_t count;
};

struct packing {
    struct dk_pack_layout layout;
    const struct dk_pack_row *row;
    size_t rows, items;
    uint32_t *begin; /* of each row's items, and the end */
    bool all_have_items;
    struct dk_buf out;
    struct dictionary *dictionary;
    uint64_t *value, *tried; /* a column; what it is coded from */
    uint64_t *time;          /* word 0 of all items */
};

/* ---------------------------------------------------------------- what fits */

bool dk_pack_fits(struct dk_pack_layout layout, size_t bytes)
{
    size_t head = layout.head_words * sizeof(uint64_t);
    size_t item = layout.item_words * sizeof(uint64_t);
    if (layout.head_words == 0 || bytes < head) {
        return false;
    }
    return item == 0 ? bytes == head
                     : (bytes - head) % item == 0 && (bytes - head) / item <= DK_PACK_ROW_ITEMS_MAX;
}

static size_t items_of(struct dk_pack_layout layout, const struct dk_pack_row *row)
{
    return layout.item_words == 0
               ? 0
               : (row->bytes / sizeof(uint64_t) - layout.head_words) / layout.item_words;
}

size_t dk_pack_plan(struct dk_pack_layout layout, const struct dk_pack_row *row, size_t count)
{
    size_t rows = 0, items = 0;
    while (rows < count && rows < DK_PACK_ROWS_MAX && items < DK_PACK_ITEMS_MAX) {
        items += items_of(layout, &row[rows++]);
    }
    return rows;
}

/* ---------------------------------------------------------------- codes */

static unsigned bits_of(uint64_t number)
{
    return number == 0 ? 0 : 64 - (unsigned)__builtin_clzll(number);
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The codes of `value` where `raw` is not `special` (NULL: nothing is). */
static struct pack_codes codes_without(const uint64_t *value, const uint64_t *raw, size_t count,
                                       const uint64_t *special)
{
    struct pack_codes codes = {
        .scale = 1, .has_special = special != NULL, .special = special != NULL ? *special : 0};
    int64_t min = INT64_MAX, max = INT64_MIN;
    uint64_t scale = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t number = (int64_t)value[i];
        if (special == NULL || raw[i] != *special) {
            min = number < min ? number : min;
            max = number > max ? number : max;
        }
    }
    if (min > max) { /* all are special */
        codes.bits = 1;
        return codes;
    }
    for (size_t i = 0; i < count && scale != 1; i++) {
        if (special == NULL || raw[i] != *special) {
            scale = common_divisor(value[i] - (uint64_t)min, scale);
        }
    }
    codes.base = (uint64_t)min;
    codes.scale = scale == 0 ? 1 : scale;
    uint64_t most = ((uint64_t)max - (uint64_t)min) / codes.scale;
    unsigned bits = most == UINT64_MAX ? 64 : bits_of(most + (special != NULL));
    codes.bits = (uint8_t)bits;
    if (bits > PACK_BITS_MAX) {
        codes = (struct pack_codes){.scale = 1, .bits = 64};
    }
    return codes;
}

static bool has(const uint64_t *raw, size_t count, uint64_t word)
{
    for (size_t i = 0; i < count; i++) {
        if (raw[i] == word) {
            return true;
        }
    }
    return false;
}

/* The fewest bits: with a code for "never" or for 0, or without. With 64 bits words stand as they
 * are in `value`. */
static struct pack_codes plan_codes(const uint64_t *value, const uint64_t *raw, size_t count)
{
    static const uint64_t specials[] = {PACK_NEVER, 0};
    struct pack_codes best = codes_without(value, raw, count, NULL);
    for (size_t s = 0; s < 2 && best.bits > 1; s++) {
        if (has(raw, count, specials[s])) {
            struct pack_codes codes = codes_without(value, raw, count, &specials[s]);
            best = codes.bits < best.bits ? codes : best;
        }
    }
    return best;
}

static void put_codes(struct packing *p, struct pack_codes *codes, const uint64_t *value,
                      const uint64_t *raw, size_t count)
{
    size_t bytes = pack_codes_bytes(codes->bits, count), begin = p->out.size;
    uint8_t *out = dk_buf_extend(&p->out, bytes + sizeof(uint64_t)); /* room for whole stores */
    DK_ASSERT(out != NULL);
    memset(out, 0, bytes + sizeof(uint64_t));
    codes->at = (uint32_t)begin;
    for (size_t i = 0; i < count && codes->bits > 0; i++) {
        bool special = codes->has_special && raw[i] == codes->special;
        uint64_t code = special ? pack_mask(codes->bits) : (value[i] - codes->base) / codes->scale;
        size_t bit = codes->bits * i;
        uint8_t *at = out + (bit >> 3);
        uint64_t word = pack_load(at) | code << (bit & 7);
        memcpy(at, &word, sizeof word);
    }
    p->out.size = begin + bytes;
}

/* ---------------------------------------------------------------- dictionaries */

/* The number of a word, which is added; PACK_DICTIONARY_MAX: there is no room. */
static size_t number_of(struct dictionary *dictionary, uint64_t word)
{
    size_t slot = (size_t)(word * UINT64_C(0x9e3779b97f4a7c15) >> 32) % SLOTS;
    while (dictionary->slot[slot] != 0) {
        size_t number = dictionary->slot[slot] - 1u;
        if (dictionary->word[number] == word) {
            return number;
        }
        slot = (slot + 1) % SLOTS;
    }
    if (dictionary->count < PACK_DICTIONARY_MAX) {
        dictionary->word[dictionary->count] = word;
        dictionary->slot[slot] = (uint16_t)++dictionary->count;
        return dictionary->count - 1;
    }
    return PACK_DICTIONARY_MAX;
}

/* false: there are too many. */
static bool fill_dictionary(struct dictionary *dictionary, const uint64_t *value, size_t count)
{
    bool room = true;
    memset(dictionary->slot, 0, sizeof dictionary->slot);
    dictionary->count = 0;
    for (size_t i = 0; i < count && room; i++) {
        room = number_of(dictionary, value[i]) < PACK_DICTIONARY_MAX;
    }
    return room;
}

static void put_dictionary(struct packing *p, struct pack_column *column, size_t count)
{
    struct dictionary *dictionary = p->dictionary;
    column->entries = (uint16_t)dictionary->count;
    column->dictionary_at = (uint32_t)p->out.size;
    DK_ASSERT(dk_buf_append(&p->out, dictionary->word, dictionary->count * sizeof(uint64_t)) == 0);
    for (size_t i = 0; i < count; i++) {
        p->tried[i] = number_of(dictionary, p->value[i]);
    }
    column->codes =
        (struct pack_codes){.scale = 1, .bits = (uint8_t)bits_of(dictionary->count - 1)};
    put_codes(p, &column->codes, p->tried, p->tried, count);
}

/* ---------------------------------------------------------------- one column */

static void take_range(struct pack_column *column, const uint64_t *value, size_t count)
{
    column->min = INT64_MAX;
    column->max = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        int64_t number = (int64_t)value[i];
        column->min = number < column->min ? number : column->min;
        column->max = number > column->max ? number : column->max;
    }
}

/* What serves heads and items alike: the best of CONSTANT, OFFSET and DICTIONARY. Gives its bits. */
static size_t plan_plain(struct packing *p, struct pack_column *column, size_t count)
{
    column->codes = plan_codes(p->value, p->value, count);
    if (column->min >= column->max) {
        column->coding = PACK_CONSTANT;
        column->codes = (struct pack_codes){.base = count > 0 ? p->value[0] : 0, .scale = 1};
        return 0;
    }
    size_t best = column->codes.bits * count;
    column->coding = PACK_OFFSET;
    if (fill_dictionary(p->dictionary, p->value, count)) {
        size_t entries = p->dictionary->count;
        size_t bits = entries * 64 + bits_of(entries - 1) * count;
        if (bits < best) {
            column->coding = PACK_DICTIONARY;
            best = bits;
        }
    }
    return best;
}

static void put_plain(struct packing *p, struct pack_column *column, size_t count)
{
    if (column->coding == PACK_DICTIONARY) {
        put_dictionary(p, column, count);
    } else {
        put_codes(p, &column->codes, p->value, p->value, count);
    }
}

/* ---------------------------------------------------------------- heads */

static void differ(struct packing *p, unsigned other)
{
    for (size_t i = 0; i < p->rows; i++) {
        uint64_t from = other == PACK_OTHER_ITEM ? p->row[i].value[p->layout.head_words]
                                                 : p->row[i].value[other];
        p->tried[i] = p->value[i] - from;
    }
}

/* Numbers of items in `tried`; their most, or UINT64_MAX when a word is no item's time. */
static uint64_t find_items(struct packing *p)
{
    uint64_t most = 0;
    for (size_t i = 0; i < p->rows; i++) {
        size_t items = p->begin[i + 1] - p->begin[i], found = 0;
        if (p->value[i] == PACK_NEVER) {
            continue;
        }
        while (found < items && p->time[p->begin[i] + found] != p->value[i]) {
            found++;
        }
        if (found == items) {
            return UINT64_MAX;
        }
        p->tried[i] = found;
        most = found > most ? found : most;
    }
    return most;
}

static void put_head(struct packing *p, struct pack_column *column, unsigned word)
{
    for (size_t i = 0; i < p->rows; i++) {
        p->value[i] = p->row[i].value[word];
    }
    take_range(column, p->value, p->rows);
    size_t best = plan_plain(p, column, p->rows);
    for (unsigned other = 0; other <= word; other++) {
        bool item = other == word;
        if (best <= WORTH_A_LOOK_BITS * p->rows || (item && !p->all_have_items)) {
            break;
        }
        differ(p, item ? PACK_OTHER_ITEM : other);
        struct pack_codes codes = plan_codes(p->tried, p->value, p->rows);
        if (codes.bits < 64 && codes.bits * p->rows < best) {
            best = codes.bits * p->rows;
            column->coding = PACK_SINCE;
            column->other = (uint8_t)(item ? PACK_OTHER_ITEM : other);
            column->codes = codes;
        }
    }
    uint64_t most = best > p->rows && p->items > 0 ? find_items(p) : UINT64_MAX;
    if (most != UINT64_MAX && bits_of(most + 1) * p->rows < best) {
        column->coding = PACK_TIME_OF;
        column->codes = (struct pack_codes){.scale = 1,
                                            .has_special = 1,
                                            .special = PACK_NEVER,
                                            .bits = (uint8_t)bits_of(most + 1)};
        put_codes(p, &column->codes, p->tried, p->value, p->rows);
    } else if (column->coding == PACK_SINCE) {
        differ(p, column->other);
        put_codes(p, &column->codes, p->tried, p->value, p->rows);
    } else {
        put_plain(p, column, p->rows);
    }
}

/* ---------------------------------------------------------------- items */

/* The firsts of all rows at the begin of `tried`, then each other's step from the one before. */
static void step(struct packing *p)
{
    size_t rest = p->rows;
    for (size_t i = 0; i < p->rows; i++) {
        p->tried[i] = p->value[p->begin[i]];
        for (size_t k = p->begin[i] + 1; k < p->begin[i + 1]; k++) {
            p->tried[rest++] = p->value[k] - p->value[k - 1];
        }
    }
}

static void put_item(struct packing *p, struct pack_column *column, unsigned word)
{
    size_t at = 0, rest = p->items - p->rows;
    for (size_t i = 0; i < p->rows; i++) {
        const uint64_t *item = p->row[i].value + p->layout.head_words + word;
        for (size_t k = p->begin[i]; k < p->begin[i + 1]; k++, item += p->layout.item_words) {
            p->value[at++] = *item;
        }
    }
    take_range(column, p->value, p->items);
    size_t best = plan_plain(p, column, p->items);
    if (best > p->items && p->all_have_items) {
        step(p);
        struct pack_codes first = plan_codes(p->tried, p->tried, p->rows);
        struct pack_codes codes = plan_codes(p->tried + p->rows, p->tried + p->rows, rest);
        if (first.bits * p->rows + codes.bits * rest < best) {
            column->coding = PACK_STEP;
            column->first = first;
            column->codes = codes;
            put_codes(p, &column->first, p->tried, p->tried, p->rows);
            put_codes(p, &column->codes, p->tried + p->rows, p->tried + p->rows, rest);
            return;
        }
    }
    put_plain(p, column, p->items);
}

/* ---------------------------------------------------------------- the segment */

static void *room(size_t count, size_t element_bytes)
{
    void *array = calloc(count > 0 ? count : 1, element_bytes);
    DK_ASSERT(array != NULL);
    return array;
}

static void begin(struct packing *p)
{
    p->begin = room(p->rows + 1, sizeof *p->begin);
    p->all_have_items = p->layout.item_words > 0;
    for (size_t i = 0; i < p->rows; i++) {
        DK_ASSERT(p->row[i].key != 0 && dk_pack_fits(p->layout, p->row[i].bytes));
        size_t items = items_of(p->layout, &p->row[i]);
        p->all_have_items = p->all_have_items && items > 0;
        p->begin[i + 1] = p->begin[i] + (uint32_t)items;
    }
    p->items = p->begin[p->rows];
    size_t most = p->items > p->rows ? p->items : p->rows;
    p->value = room(most, sizeof *p->value);
    p->tried = room(most, sizeof *p->tried);
    p->time = room(p->items, sizeof *p->time);
    p->dictionary = room(1, sizeof *p->dictionary);
    for (size_t i = 0, at = 0; i < p->rows; i++) {
        const uint64_t *item = p->row[i].value + p->layout.head_words;
        for (size_t k = p->begin[i]; k < p->begin[i + 1]; k++, item += p->layout.item_words) {
            p->time[at++] = *item;
        }
    }
    dk_buf_init(&p->out, SEGMENT_MAX_BYTES);
}

/* Keys and begins are always OFFSET: they are read first. */
static void put_offsets(struct packing *p, struct pack_column *column)
{
    take_range(column, p->value, p->rows);
    column->coding = PACK_OFFSET;
    column->codes = plan_codes(p->value, p->value, p->rows);
    put_codes(p, &column->codes, p->value, p->value, p->rows);
}

static void put_keys(struct packing *p, struct pack_column *column)
{
    for (size_t i = 0; i < p->rows; i++) {
        p->value[i] = p->row[i].key;
    }
    put_offsets(p, &column[0]);
    for (size_t i = 0; p->layout.item_words > 0 && i < p->rows; i++) {
        p->value[i] = p->begin[i];
    }
    if (p->layout.item_words > 0) {
        put_offsets(p, &column[1]);
    }
}

void dk_pack_write(struct dk_pack_layout layout, const struct dk_pack_row *row, size_t count,
                   uint8_t **bytes, size_t *size)
{
    struct packing p = {.layout = layout, .row = row, .rows = count};
    struct pack_column column[PACK_COLUMNS_MAX] = {0};
    unsigned columns = pack_columns(layout);
    static const uint8_t end[PACK_END_BYTES] = {0};
    DK_ASSERT(count > 0 && count <= DK_PACK_ROWS_MAX && layout.head_words <= DK_PACK_WORDS_MAX &&
              layout.item_words <= DK_PACK_WORDS_MAX);
    begin(&p);
    DK_ASSERT(dk_buf_extend(&p.out, sizeof(struct pack_header) + columns * sizeof *column) != NULL);
    put_keys(&p, column);
    for (unsigned word = 0; word < layout.head_words; word++) {
        put_head(&p, &column[pack_head_column(layout, word)], word);
    }
    for (unsigned word = 0; word < layout.item_words; word++) {
        put_item(&p, &column[pack_item_column(layout, word)], word);
    }
    DK_ASSERT(dk_buf_append(&p.out, end, sizeof end) == 0);
    struct pack_header header = {.size = (uint32_t)p.out.size,
                                 .items = (uint32_t)p.items,
                                 .rows = (uint16_t)count,
                                 .head_words = layout.head_words,
                                 .item_words = layout.item_words,
                                 .format = PACK_FORMAT};
    memcpy(p.out.data, &header, sizeof header);
    memcpy(p.out.data + sizeof header, column, columns * sizeof *column);
    header.crc32c =
        dk_crc32c(0, p.out.data + sizeof header.crc32c, p.out.size - sizeof header.crc32c);
    memcpy(p.out.data, &header, sizeof header);
    *size = p.out.size;
    *bytes = room(*size, 1);
    memcpy(*bytes, p.out.data, *size);
    dk_buf_close(&p.out);
    free(p.begin);
    free(p.value);
    free(p.tried);
    free(p.time);
    free(p.dictionary);
}
