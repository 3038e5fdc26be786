#include "nodes/runtime/table_internal.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX (UINT64_C(1) << 32)

int dk_table_new(struct dk_table **table, unsigned number, size_t value_bytes, struct dk_err *err)
{
    struct dk_table *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return dk_err_set(err, DK_ENOMEM, "no memory for a table");
    }
    size_t held_bytes = value_bytes != 0 ? value_bytes : sizeof(struct own_size);
    t->number = number;
    t->value_bytes = value_bytes;
    t->marks_at = (held_bytes + 7) / 8 * 8;
    t->turn = 1;
    dk_map_init(&t->entries, t->marks_at + sizeof(struct marks), ENTRIES_MAX);
    *table = t;
    return 0;
}

void dk_table_free(struct dk_table **table)
{
    struct dk_table *t = *table;
    uint64_t key;
    void *value;
    size_t cursor = 0;
    if (t == NULL) {
        return;
    }
    while (t->packed == NULL && t->value_bytes == 0 &&
           dk_map_next(&t->entries, &cursor, &key, &value)) {
        free(((struct own_size *)value)->data);
    }
    table_packed_free(t);
    dk_map_close(&t->entries);
    free(t->dirty.key);
    free(t->stale.key);
    free(t);
    *table = NULL;
}

size_t dk_table_count(const struct dk_table *table)
{
    return table->entries.count;
}

void dk_table_pack(struct dk_table *table, struct dk_pack_layout layout)
{
    DK_ASSERT(table->entries.count == 0 && table->packed == NULL);
    dk_map_close(&table->entries);
    table->marks_at = sizeof(uint64_t);
    dk_map_init(&table->entries, table->marks_at + sizeof(struct marks), ENTRIES_MAX);
    table_packed_new(table, layout);
}

/* Of what is cold: in `room`. */
static const void *value_of(const struct dk_table *table, const void *entry, size_t *bytes,
                            struct dk_buf *room)
{
    const struct own_size *own = entry;
    if (table->packed != NULL) {
        return table_packed_value(table->packed, *(const uint64_t *)entry, bytes, room);
    }
    if (table->value_bytes != 0) {
        *bytes = table->value_bytes;
        return entry;
    }
    *bytes = own->bytes;
    return own->data;
}

const void *dk_table_get(const struct dk_table *table, uint64_t key, size_t *bytes)
{
    const void *entry = dk_map_get(&table->entries, key);
    size_t size = 0;
    const void *value = NULL;
    if (entry != NULL) {
        bool cold = table->packed != NULL && slot_is_cold(*(const uint64_t *)entry);
        value = value_of(table, entry, &size, cold ? table_packed_warm(table->packed) : NULL);
    }
    if (bytes != NULL) {
        *bytes = size;
    }
    return value;
}

const void *dk_table_read(const struct dk_table *table, uint64_t key, size_t *bytes,
                          struct dk_buf *room)
{
    const void *entry = dk_map_get(&table->entries, key);
    *bytes = 0;
    return entry == NULL ? NULL : value_of(table, entry, bytes, room);
}

const void *dk_table_saved(const struct dk_table *table, uint64_t key, size_t *bytes)
{
    const void *entry = dk_map_get(&table->entries, key);
    if (entry == NULL || (table->packed != NULL && slot_is_cold(*(const uint64_t *)entry))) {
        return NULL;
    }
    return value_of(table, entry, bytes, NULL);
}

uint64_t table_hash_value(const struct dk_table *table, uint64_t key, const void *value,
                          size_t bytes)
{
    uint8_t hash_key[crypto_shorthash_KEYBYTES] = {0};
    uint64_t hash, number = table->number;
    memcpy(hash_key, &key, sizeof key);
    memcpy(hash_key + sizeof key, &number, sizeof number);
    (void)crypto_shorthash((uint8_t *)&hash, value, bytes, hash_key);
    return hash;
}

static uint64_t hash_entry(const struct dk_table *table, uint64_t key, const void *entry)
{
    size_t bytes;
    const void *value = value_of(table, entry, &bytes, table->room);
    return table_hash_value(table, key, value, bytes);
}

static struct marks *marks_of(const struct dk_table *table, void *entry)
{
    return (struct marks *)(void *)((uint8_t *)entry + table->marks_at);
}

static void note(struct keys *keys, uint64_t key)
{
    if (keys->count == keys->capacity) {
        keys->capacity = keys->capacity == 0 ? 64 : keys->capacity * 2;
        keys->key = realloc(keys->key, keys->capacity * sizeof *keys->key);
        DK_ASSERT(keys->key != NULL);
    }
    keys->key[keys->count++] = key;
}

/* One that was filled once, and holds few now, begins small again. */
static void empty(struct keys *keys)
{
    if (keys->count < keys->capacity / 16) {
        free(keys->key);
        *keys = (struct keys){0};
    }
    keys->count = 0;
}

void table_mark_dirty(struct dk_table *table, uint64_t key, void *entry)
{
    struct marks *marks = marks_of(table, entry);
    if (marks->dirty != table->turn) {
        marks->dirty = table->turn;
        note(&table->dirty, key);
    }
}

/* Before an entry changes: its old value, if it had one, leaves the sum, once. */
static void mark(struct dk_table *table, uint64_t key, void *entry, bool created)
{
    struct marks *marks = marks_of(table, entry);
    table_mark_dirty(table, key, entry);
    if (marks->stale == 0) {
        marks->stale = 1;
        note(&table->stale, key);
        table->sum -= created ? 0 : hash_entry(table, key, entry);
    }
}

static void resize(struct own_size *own, size_t bytes)
{
    if (bytes > own->capacity) {
        size_t capacity = own->capacity == 0 ? bytes : own->capacity;
        while (capacity < bytes) {
            capacity += capacity / 2 + 16;
        }
        own->data = realloc(own->data, capacity);
        DK_ASSERT(own->data != NULL && capacity <= UINT32_MAX);
        own->capacity = (uint32_t)capacity;
    }
    if (bytes > own->bytes) {
        memset(own->data + own->bytes, 0, bytes - own->bytes);
    }
    own->bytes = (uint32_t)bytes;
}

void *dk_table_edit(struct dk_table *table, uint64_t key, size_t bytes)
{
    bool created = false;
    void *entry = dk_map_put(&table->entries, key, &created);
    DK_ASSERT(entry != NULL);
    mark(table, key, entry, created);
    if (table->packed != NULL) {
        return table_packed_edit(table, key, entry,
                                 table->value_bytes != 0 ? table->value_bytes : bytes);
    }
    if (table->value_bytes != 0) {
        return entry;
    }
    DK_ASSERT(bytes > 0);
    resize(entry, bytes);
    return ((struct own_size *)entry)->data;
}

bool dk_table_restore(struct dk_table *table, uint64_t key, const void *value, size_t bytes)
{
    bool created = false;
    if (key == 0 || bytes == 0 || (table->value_bytes != 0 && table->value_bytes != bytes)) {
        return false;
    }
    void *entry = dk_map_put(&table->entries, key, &created);
    DK_ASSERT(entry != NULL);
    if (!created) {
        return false;
    }
    void *data = entry;
    if (table->packed != NULL) {
        data = table_packed_put(table->packed, key, entry, bytes);
    } else if (table->value_bytes == 0) {
        resize(entry, bytes);
        data = ((struct own_size *)entry)->data;
    }
    memcpy(data, value, bytes);
    table->on_disk = true;
    table->sum += hash_entry(table, key, entry);
    return true;
}

void dk_table_remove(struct dk_table *table, uint64_t key)
{
    void *entry = dk_map_get(&table->entries, key);
    if (entry == NULL) {
        return;
    }
    mark(table, key, entry, false);
    if (table->packed != NULL) {
        table_packed_remove(table, key, entry);
    } else if (table->value_bytes == 0) {
        free(((struct own_size *)entry)->data);
    }
    (void)dk_map_remove(&table->entries, key);
}

bool dk_table_next(const struct dk_table *table, size_t *cursor, uint64_t *key, const void **value,
                   size_t *bytes)
{
    void *entry;
    if (!dk_map_next(&table->entries, cursor, key, &entry)) {
        return false;
    }
    *value = value_of(table, entry, bytes, table->walked);
    return true;
}

uint64_t dk_table_hash(struct dk_table *table)
{
    for (size_t i = 0; i < table->stale.count; i++) {
        uint64_t key = table->stale.key[i];
        void *entry = dk_map_get(&table->entries, key);
        if (entry != NULL && marks_of(table, entry)->stale != 0) { /* else removed, or counted */
            marks_of(table, entry)->stale = 0;
            table->sum += hash_entry(table, key, entry);
        }
    }
    empty(&table->stale);
    return table->sum;
}

bool dk_table_next_dirty(const struct dk_table *table, size_t *cursor, uint64_t *key)
{
    if (*cursor >= table->dirty.count) {
        return false;
    }
    *key = table->dirty.key[(*cursor)++];
    return true;
}

size_t dk_table_dirty_count(const struct dk_table *table)
{
    return table->dirty.count;
}

void dk_table_saving(struct dk_table *table)
{
    table->on_disk = true;
}

void dk_table_clean(struct dk_table *table)
{
    empty(&table->dirty);
    table->turn++;
    if (table->packed != NULL) {
        dk_segments_clean(&table->packed->segments);
    }
}
