#include "broker/log/overlay.h"

#include "broker/log/heads.h"
#include <stdlib.h>
#include <string.h>

#define CHUNK_ENTRIES 1024

void dk_overlay_init(struct dk_overlay *overlay, size_t entry_bytes)
{
    memset(overlay, 0, sizeof *overlay);
    overlay->entry_bytes = entry_bytes;
    dk_map_init(&overlay->slots, sizeof(uint32_t), DK_HEADS_OVERLAY_MAX);
}

void dk_overlay_close(struct dk_overlay *overlay)
{
    for (size_t i = 0; i < overlay->chunk_count; i++)
        free(overlay->chunks[i]);
    free(overlay->chunks);
    dk_map_close(&overlay->slots);
    dk_overlay_init(overlay, overlay->entry_bytes);
}

static uint8_t *slot_entry(const struct dk_overlay *overlay, uint32_t slot)
{
    return overlay->chunks[slot / CHUNK_ENTRIES] + slot % CHUNK_ENTRIES * overlay->entry_bytes;
}

uint8_t *dk_overlay_get(const struct dk_overlay *overlay, uint64_t number)
{
    const uint32_t *slot = dk_map_get(&overlay->slots, number + 1);
    return slot == NULL ? NULL : slot_entry(overlay, *slot);
}

static bool has_room(struct dk_overlay *overlay)
{
    if (overlay->used < overlay->chunk_count * CHUNK_ENTRIES)
        return true;
    uint8_t **chunks = realloc(overlay->chunks, (overlay->chunk_count + 1) * sizeof *chunks);
    if (chunks == NULL)
        return false;
    overlay->chunks = chunks;
    chunks[overlay->chunk_count] = malloc(CHUNK_ENTRIES * overlay->entry_bytes);
    if (chunks[overlay->chunk_count] == NULL)
        return false;
    overlay->chunk_count++;
    return true;
}

uint8_t *dk_overlay_add(struct dk_overlay *overlay, uint64_t number, const uint8_t *from)
{
    if (!has_room(overlay))
        return NULL;
    uint32_t *slot = dk_map_put(&overlay->slots, number + 1, NULL);
    if (slot == NULL)
        return NULL;
    *slot = overlay->used++;
    uint8_t *entry = slot_entry(overlay, *slot);
    if (from == NULL)
        memset(entry, 0, overlay->entry_bytes);
    else
        memcpy(entry, from, overlay->entry_bytes);
    return entry;
}

bool dk_overlay_next(const struct dk_overlay *overlay, size_t *cursor, uint64_t *number,
                     const uint8_t **entry)
{
    uint64_t key;
    void *slot;
    if (!dk_map_next(&overlay->slots, cursor, &key, &slot))
        return false;
    *number = key - 1;
    *entry = slot_entry(overlay, *(const uint32_t *)slot);
    return true;
}
