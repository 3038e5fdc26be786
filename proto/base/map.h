/* A hash map from a non-zero 64-bit key to a fixed-size value, open addressing, no deletion cost
 * surprises: removal leaves no tombstones (backward shift). Iteration order is unspecified. */
#ifndef DK_BASE_MAP_H
#define DK_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dk_map {
    uint64_t *keys; /* 0 = free slot */
    uint8_t *values;
    size_t value_size;
    size_t count;
    size_t capacity; /* a power of two, or 0 */
    size_t max_count;
};

/* `max_count` entries at the most; memory is taken as it fills. */
void dk_map_init(struct dk_map *map, size_t value_size, size_t max_count);
void dk_map_close(struct dk_map *map);
void dk_map_clear(struct dk_map *map);

/* The value of `key`, or NULL. Good until the next put or remove. */
void *dk_map_get(const struct dk_map *map, uint64_t key);

/* The value of `key`, created zeroed if absent (`*created`, which may be NULL, says so); NULL when
 * `max_count` or memory is reached. */
void *dk_map_put(struct dk_map *map, uint64_t key, bool *created);
bool dk_map_remove(struct dk_map *map, uint64_t key);

/* Calls for slots from `*cursor` (start at 0) on; returns false at the end. */
bool dk_map_next(const struct dk_map *map, size_t *cursor, uint64_t *key, void **value);

#endif
