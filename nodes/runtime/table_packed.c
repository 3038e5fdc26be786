#include "nodes/runtime/table_internal.h"
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX_BYTES ((size_t)1 << 30)

static uint64_t cold_slot(uint32_t segment, size_t row)
{
    return (uint64_t)segment << (SLOT_ROW_BITS + 1) | (uint64_t)row << 1 | 1;
}

static uint32_t segment_of(uint64_t slot)
{
    return (uint32_t)(slot >> (SLOT_ROW_BITS + 1));
}

static size_t row_of(uint64_t slot)
{
    return (size_t)(slot >> 1) & (DK_PACK_ROWS_MAX - 1);
}

static struct hot *hot_of(uint64_t slot)
{
    return (struct hot *)(uintptr_t)slot;
}

static void *made(size_t bytes)
{
    void *room = calloc(1, bytes);
    DK_ASSERT(room != NULL);
    return room;
}

static struct dk_buf *new_room(void)
{
    struct dk_buf *room = made(sizeof *room);
    dk_buf_init(room, VALUE_MAX_BYTES);
    return room;
}

void table_packed_new(struct dk_table *table, struct dk_pack_layout layout)
{
    table->packed = made(sizeof *table->packed);
    table->packed->round = 1;
    table->room = new_room();
    table->walked = new_room();
    dk_segments_init(&table->packed->segments, layout);
}

void table_packed_free(struct dk_table *table)
{
    struct packed *packed = table->packed;
    if (packed == NULL) {
        return;
    }
    for (size_t i = 0; i < packed->hot_count; i++) {
        free(packed->hot[i]);
    }
    for (size_t i = 0; i < packed->warm_capacity; i++) {
        dk_buf_close(&packed->warm[i]);
    }
    dk_buf_close(table->room);
    dk_buf_close(table->walked);
    dk_segments_close(&packed->segments);
    free(table->room);
    free(table->walked);
    free(packed->hot);
    free(packed->warm);
    free(packed);
}

/* ---------------------------------------------------------------- reading */

static const struct dk_pack *pack_of(const struct packed *packed, uint64_t slot)
{
    return &packed->segments.segment[segment_of(slot)].pack;
}

static size_t cold_bytes(const struct packed *packed, uint64_t slot)
{
    struct dk_pack_layout layout = packed->segments.layout;
    size_t items = dk_pack_row_items(pack_of(packed, slot), row_of(slot));
    return (layout.head_words + items * layout.item_words) * sizeof(uint64_t);
}

const void *table_packed_value(const struct packed *packed, uint64_t slot, size_t *bytes,
                               struct dk_buf *room)
{
    if (!slot_is_cold(slot)) {
        *bytes = hot_of(slot)->bytes;
        return hot_of(slot)->word;
    }
    *bytes = cold_bytes(packed, slot);
    dk_buf_clear(room);
    uint64_t *word = (uint64_t *)(void *)dk_buf_extend(room, *bytes);
    DK_ASSERT(word != NULL);
    dk_pack_read_row(pack_of(packed, slot), row_of(slot), word);
    return word;
}

struct dk_buf *table_packed_warm(struct packed *packed)
{
    if (packed->warm_count == packed->warm_capacity) {
        size_t capacity = packed->warm_capacity == 0 ? 4 : packed->warm_capacity * 2;
        packed->warm = realloc(packed->warm, capacity * sizeof *packed->warm);
        DK_ASSERT(packed->warm != NULL);
        for (; packed->warm_capacity < capacity; packed->warm_capacity++) {
            dk_buf_init(&packed->warm[packed->warm_capacity], VALUE_MAX_BYTES);
        }
    }
    return &packed->warm[packed->warm_count++];
}

const struct dk_segments *dk_table_segments(const struct dk_table *table)
{
    return table->packed != NULL ? &table->packed->segments : NULL;
}

size_t dk_table_hot_count(const struct dk_table *table)
{
    return table->packed->hot_count;
}

const void *dk_table_hot(const struct dk_table *table, size_t number, uint64_t *key, size_t *bytes)
{
    const struct hot *hot = table->packed->hot[number];
    *key = hot->key;
    *bytes = hot->bytes;
    return hot->word;
}

/* ---------------------------------------------------------------- changing */

static struct hot *add_hot(struct packed *packed, uint64_t key, uint64_t *slot, size_t bytes)
{
    struct hot *hot = made(sizeof *hot + bytes);
    DK_ASSERT(bytes > 0 && bytes <= UINT32_MAX);
    if (packed->hot_count == packed->hot_capacity) {
        packed->hot_capacity = packed->hot_capacity == 0 ? 64 : packed->hot_capacity * 2;
        packed->hot = realloc(packed->hot, packed->hot_capacity * sizeof(struct hot *));
        DK_ASSERT(packed->hot != NULL);
    }
    hot->key = key;
    hot->place = packed->hot_count;
    hot->bytes = hot->capacity = (uint32_t)bytes;
    packed->hot[packed->hot_count++] = hot;
    *slot = (uint64_t)(uintptr_t)hot;
    return hot;
}

static void drop_hot(struct packed *packed, struct hot *hot)
{
    struct hot *last = packed->hot[--packed->hot_count];
    packed->hot[hot->place] = last;
    last->place = hot->place;
    free(hot);
}

static struct hot *resize_hot(struct packed *packed, struct hot *hot, uint64_t *slot, size_t bytes)
{
    if (bytes > hot->capacity) {
        size_t capacity = bytes + bytes / 2;
        hot = realloc(hot, sizeof *hot + capacity);
        DK_ASSERT(hot != NULL && capacity <= UINT32_MAX);
        hot->capacity = (uint32_t)capacity;
        packed->hot[hot->place] = hot;
        *slot = (uint64_t)(uintptr_t)hot;
    }
    if (bytes > hot->bytes) {
        memset((uint8_t *)hot->word + hot->bytes, 0, bytes - hot->bytes);
    }
    hot->bytes = (uint32_t)bytes;
    return hot;
}

/* The rest of a segment goes back to the heap: as quiet as it was. */
static void give_up(struct dk_table *table, uint32_t number)
{
    struct packed *packed = table->packed;
    const struct dk_segment *segment = &packed->segments.segment[number];
    for (size_t row = 0; row < segment->pack.rows; row++) {
        if (!dk_segment_lives(segment, row)) {
            continue;
        }
        uint64_t key = dk_pack_key(&segment->pack, row), cold = cold_slot(number, row);
        uint64_t *slot = dk_map_get(&table->entries, key);
        struct hot *hot = add_hot(packed, key, slot, cold_bytes(packed, cold));
        dk_pack_read_row(&segment->pack, row, hot->word);
        table_mark_dirty(table, key, slot);
    }
    dk_segments_give_up(&packed->segments, number);
}

static void kill(struct dk_table *table, uint64_t slot, uint64_t hash)
{
    struct dk_segments *segments = &table->packed->segments;
    uint32_t number = segment_of(slot);
    dk_segments_kill(segments, number, row_of(slot), hash);
    if (segments->segment[number].live * 2 < segments->segment[number].pack.rows) {
        give_up(table, number);
    }
}

void *table_packed_edit(struct dk_table *table, uint64_t key, uint64_t *slot, size_t bytes)
{
    struct packed *packed = table->packed;
    uint64_t was = *slot;
    struct hot *hot;
    DK_ASSERT(bytes > 0);
    packed->warm_count = 0;
    if (was == 0) {
        hot = add_hot(packed, key, slot, bytes);
    } else if (!slot_is_cold(was)) {
        hot = resize_hot(packed, hot_of(was), slot, bytes);
    } else {
        hot = add_hot(packed, key, slot, cold_bytes(packed, was));
        dk_pack_read_row(pack_of(packed, was), row_of(was), hot->word);
        uint64_t hash = table_hash_value(table, key, hot->word, hot->bytes);
        hot = resize_hot(packed, hot, slot, bytes);
        kill(table, was, hash);
    }
    hot->round = packed->round;
    return hot->word;
}

void *table_packed_put(struct packed *packed, uint64_t key, uint64_t *slot, size_t bytes)
{
    return add_hot(packed, key, slot, bytes)->word;
}

void table_packed_remove(struct dk_table *table, uint64_t key, const uint64_t *slot)
{
    uint64_t was = *slot;
    size_t bytes;
    table->packed->warm_count = 0;
    if (!slot_is_cold(was)) {
        drop_hot(table->packed, hot_of(was));
        return;
    }
    const void *value = table_packed_value(table->packed, was, &bytes, table->room);
    kill(table, was, table_hash_value(table, key, value, bytes));
}

/* ---------------------------------------------------------------- rounds */

static int by_key(const void *a, const void *b)
{
    const struct dk_pack_row *x = a, *y = b;
    return x->key < y->key ? -1 : x->key > y->key;
}

/* Packs rows of entries that are hot, and in the sum. */
static void pack(struct dk_table *table, const struct dk_pack_row *row, size_t count)
{
    struct packed *packed = table->packed;
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += table_hash_value(table, row[i].key, row[i].value, row[i].bytes);
    }
    uint32_t number = dk_segments_add(&packed->segments, row, count, sum);
    for (size_t i = 0; i < count; i++) {
        uint64_t *slot = dk_map_get(&table->entries, row[i].key);
        drop_hot(packed, hot_of(*slot));
        *slot = cold_slot(number, i);
        if (table->on_disk) {
            table_mark_dirty(table, row[i].key, slot);
        }
    }
}

void dk_table_chill_now(struct dk_table *table)
{
    struct packed *packed = table->packed;
    if (packed == NULL) {
        return;
    }
    struct dk_pack_layout layout = packed->segments.layout;
    struct dk_pack_row *row = made((packed->hot_count + 1) * sizeof *row);
    size_t count = 0;
    (void)dk_table_hash(table); /* so that no entry that goes cold is out of the sum */
    packed->warm_count = 0;
    for (size_t i = 0; i < packed->hot_count; i++) {
        const struct hot *hot = packed->hot[i];
        if (hot->round != packed->round && dk_pack_fits(layout, hot->bytes)) {
            row[count++] = (struct dk_pack_row){hot->key, hot->word, hot->bytes};
        }
    }
    qsort(row, count, sizeof *row, by_key);
    for (size_t at = 0, n; at < count; at += n) {
        n = dk_pack_plan(layout, &row[at], count - at);
        pack(table, &row[at], n);
    }
    free(row);
    packed->kept = packed->hot_count;
    packed->round++;
}

void dk_table_chill(struct dk_table *table)
{
    struct packed *packed = table->packed;
    if (packed != NULL) {
        size_t half = packed->kept / 2;
        packed->warm_count = 0;
        if (packed->hot_count >= packed->kept + (half > DK_TABLE_ROUND ? half : DK_TABLE_ROUND)) {
            dk_table_chill_now(table);
        }
    }
}

/* ---------------------------------------------------------------- restoring */

int dk_table_restore_segment(struct dk_table *table, uint32_t number, const void *bytes,
                             size_t size, const struct dk_segment_marks *marks, struct dk_err *err)
{
    if (table->packed == NULL) {
        return dk_err_set(err, DK_ECORRUPT, "a segment of a table that is not packed");
    }
    struct dk_segments *segments = &table->packed->segments;
    int rc = dk_segments_restore(segments, number, bytes, size, marks, err);
    if (rc != 0) {
        return rc;
    }
    const struct dk_segment *segment = &segments->segment[number];
    for (size_t row = 0; row < segment->pack.rows; row++) {
        uint64_t key = dk_pack_key(&segment->pack, row);
        bool created;
        if (!dk_segment_lives(segment, row)) {
            continue;
        }
        uint64_t *slot = dk_map_put(&table->entries, key, &created);
        if (slot == NULL || !created) {
            return dk_err_set(err, DK_ECORRUPT, "segment %u holds a key that is there", number);
        }
        *slot = cold_slot(number, row);
    }
    table->on_disk = true;
    table->sum += segment->sum;
    return 0;
}

void dk_table_restored(struct dk_table *table)
{
    if (table->packed != NULL) {
        dk_segments_restored(&table->packed->segments);
    }
}
