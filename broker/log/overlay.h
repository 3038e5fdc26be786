/* The overlay of heads: entries changed since the files were written, in memory that never moves.
 */
#ifndef DK_LOG_OVERLAY_H
#define DK_LOG_OVERLAY_H

#include "proto/base/map.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dk_overlay {
    struct dk_map slots; /* number + 1 -> uint32_t slot */
    uint8_t **chunks;
    size_t chunk_count;
    size_t entry_bytes;
    uint32_t used; /* slots */
};

void dk_overlay_init(struct dk_overlay *overlay, size_t entry_bytes);
void dk_overlay_close(struct dk_overlay *overlay);

/* The entry of a number, or NULL. Stays where it is until the overlay is closed. */
uint8_t *dk_overlay_get(const struct dk_overlay *overlay, uint64_t number);

/* A new entry of a number that has none, a copy of `from` (NULL: zeroed); NULL without memory. */
uint8_t *dk_overlay_add(struct dk_overlay *overlay, uint64_t number, const uint8_t *from);

/* Calls for entries from `*cursor` (start at 0) on, in no order; false at the end. */
bool dk_overlay_next(const struct dk_overlay *overlay, size_t *cursor, uint64_t *number,
                     const uint8_t **entry);

#endif
