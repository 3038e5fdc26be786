#include "proto/base/map.h"
#include "proto/base/err.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FIRST_CAPACITY  16
#define HUGE_PAGE_BYTES ((size_t)2 << 20)
#define HUGE_FROM_BYTES (4 * HUGE_PAGE_BYTES)

/* The finalizer of MurmurHash3: every bit of the key moves every bit of the slot. */
static uint64_t mix(uint64_t key)
{
    key ^= key >> 33;
    key *= UINT64_C(0xff51afd7ed558ccd);
    key ^= key >> 33;
    key *= UINT64_C(0xc4ceb9fe1a85ec53);
    return key ^ (key >> 33);
}

static size_t slot_of(const struct dk_map *map, uint64_t key)
{
    return (size_t)mix(key) & (map->capacity - 1);
}

static uint8_t *value_at(const struct dk_map *map, size_t slot)
{
    return map->values + slot * map->value_size;
}

void dk_map_init(struct dk_map *map, size_t value_size, size_t max_count)
{
    DK_ASSERT(value_size > 0);
    *map = (struct dk_map){.value_size = value_size, .max_count = max_count};
}

void dk_map_close(struct dk_map *map)
{
    free(map->keys);
    free(map->values);
    dk_map_init(map, map->value_size, map->max_count);
}

void dk_map_clear(struct dk_map *map)
{
    if (map->capacity > 0) {
        memset(map->keys, 0, map->capacity * sizeof *map->keys);
    }
    map->count = 0;
}

/* The slot that holds `key`, or the free one where it would go. */
static size_t find(const struct dk_map *map, uint64_t key)
{
    size_t slot = slot_of(map, key);
    while (map->keys[slot] != 0 && map->keys[slot] != key) {
        slot = (slot + 1) & (map->capacity - 1);
    }
    return slot;
}

void *dk_map_get(const struct dk_map *map, uint64_t key)
{
    DK_ASSERT(key != 0);
    if (map->count == 0) {
        return NULL;
    }
    size_t slot = find(map, key);
    return map->keys[slot] == key ? value_at(map, slot) : NULL;
}

/* Slots are looked at in no order: a large array is asked for in large pages, of which the
 * processor remembers all. Where the kernel gives none, small ones do. NULL: no memory. */
static void *new_array(size_t bytes, bool zeroed)
{
    if (bytes < HUGE_FROM_BYTES) {
        return zeroed ? calloc(1, bytes) : malloc(bytes);
    }
    void *array = aligned_alloc(HUGE_PAGE_BYTES,
                                (bytes + HUGE_PAGE_BYTES - 1) / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES);
    if (array != NULL) {
        (void)madvise(array, bytes, MADV_HUGEPAGE);
    }
    return array != NULL && zeroed ? memset(array, 0, bytes) : array;
}

static int grow(struct dk_map *map)
{
    struct dk_map larger = *map;
    larger.capacity = map->capacity == 0 ? FIRST_CAPACITY : map->capacity * 2;
    larger.keys = new_array(larger.capacity * sizeof *larger.keys, true);
    larger.values = new_array(larger.capacity * larger.value_size, false);
    if (larger.keys == NULL || larger.values == NULL) {
        free(larger.keys);
        free(larger.values);
        return DK_ENOMEM;
    }
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->keys[i] != 0) {
            size_t slot = find(&larger, map->keys[i]);
            larger.keys[slot] = map->keys[i];
            memcpy(value_at(&larger, slot), value_at(map, i), map->value_size);
        }
    }
    free(map->keys);
    free(map->values);
    *map = larger;
    return 0;
}

void *dk_map_put(struct dk_map *map, uint64_t key, bool *created)
{
    DK_ASSERT(key != 0);
    size_t slot = map->capacity > 0 ? find(map, key) : 0;
    if (created != NULL) {
        *created = false;
    }
    if (map->capacity > 0 && map->keys[slot] == key) {
        return value_at(map, slot);
    }
    if (map->count >= map->max_count) {
        return NULL;
    }
    if ((map->count + 1) * 4 > map->capacity * 3) { /* at most so full: probes stay short */
        if (grow(map) != 0) {
            return NULL;
        }
        slot = find(map, key);
    }
    map->keys[slot] = key;
    map->count++;
    if (created != NULL) {
        *created = true;
    }
    return memset(value_at(map, slot), 0, map->value_size);
}

bool dk_map_remove(struct dk_map *map, uint64_t key)
{
    DK_ASSERT(key != 0);
    size_t mask = map->capacity - 1;
    size_t hole = map->count > 0 ? find(map, key) : 0;
    if (map->count == 0 || map->keys[hole] != key) {
        return false;
    }
    /* Every later entry of the run that may not stand behind a hole moves back into it. */
    for (size_t next = (hole + 1) & mask; map->keys[next] != 0; next = (next + 1) & mask) {
        size_t home = slot_of(map, map->keys[next]);
        if (((next - home) & mask) >= ((next - hole) & mask)) {
            map->keys[hole] = map->keys[next];
            memcpy(value_at(map, hole), value_at(map, next), map->value_size);
            hole = next;
        }
    }
    map->keys[hole] = 0;
    map->count--;
    return true;
}

bool dk_map_next(const struct dk_map *map, size_t *cursor, uint64_t *key, void **value)
{
    while (*cursor < map->capacity) {
        size_t slot = (*cursor)++;
        if (map->keys[slot] != 0) {
            *key = map->keys[slot];
            *value = value_at(map, slot);
            return true;
        }
    }
    return false;
}
