#include "broker/log/heads.h"

#include "broker/log/files.h"
#include "broker/log/heads_internal.h"
#include "broker/log/manifest.h"
#include "proto/base/say.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---------------------------------------------------------------- open, close */

static void drop_segments(struct dk_heads *heads)
{
    size_t cursor = 0;
    uint64_t key;
    void *segment;
    while (dk_map_next(&heads->segments, &cursor, &key, &segment))
        dk_segment_unmap(segment);
    dk_map_clear(&heads->segments);
}

static int map_segment(struct dk_heads *heads, const struct dk_segment_id *id, struct dk_err *err)
{
    struct dk_segment segment;
    int rc = dk_segment_map(&segment, heads->dir, id, err);
    if (rc != 0)
        return rc;
    struct dk_segment *place = dk_map_put(&heads->segments, (uint64_t)id->index + 1, NULL);
    if (place == NULL) {
        dk_segment_unmap(&segment);
        return dk_err_set(err, DK_ENOMEM, "no memory to list the segments of %s", heads->dir);
    }
    *place = segment;
    if (id->generation > heads->generation)
        heads->generation = id->generation;
    return 0;
}

static int take_annex(struct dk_heads *heads, const uint8_t *annex, size_t bytes)
{
    heads->annex = malloc(bytes + 1);
    if (heads->annex == NULL)
        return DK_ENOMEM;
    memcpy(heads->annex, annex, bytes);
    heads->annex_bytes = bytes;
    return 0;
}

static int load(struct dk_heads *heads, const struct dk_manifest *manifest, const char **why,
                struct dk_err *err)
{
    for (size_t i = 0; i < manifest->segment_count; i++) {
        int rc = map_segment(heads, &manifest->segments[i], err);
        if (rc == DK_ENOTFOUND || rc == DK_ECORRUPT) {
            drop_segments(heads);
            *why = "a segment that the manifest lists is missing or cut short";
            return 0;
        }
        if (rc != 0)
            return rc;
    }
    if (take_annex(heads, manifest->annex, manifest->annex_bytes) != 0)
        return dk_err_set(err, DK_ENOMEM, "no memory for the annex of %s", heads->dir);
    heads->position = manifest->position;
    return 0;
}

int dk_heads_open(struct dk_heads **out, const char *dir, const uint8_t log_uuid[16],
                  size_t entry_bytes, uint32_t fold_version, const char **why, struct dk_err *err)
{
    DK_ASSERT(entry_bytes >= 8 && entry_bytes % 8 == 0 && entry_bytes <= DK_HEADS_ENTRY_MAX_BYTES);
    *out = NULL;
    struct dk_heads *heads = calloc(1, sizeof *heads);
    if (heads == NULL)
        return dk_err_set(err, DK_ENOMEM, "no memory for heads");
    heads->stamp =
        (struct dk_heads_stamp){.entry_bytes = (uint32_t)entry_bytes, .fold_version = fold_version};
    memcpy(heads->stamp.uuid, log_uuid, sizeof heads->stamp.uuid);
    dk_map_init(&heads->segments, sizeof(struct dk_segment), (size_t)1 << 24);
    dk_overlay_init(&heads->changed, heads->stamp.entry_bytes);
    dk_overlay_init(&heads->frozen, heads->stamp.entry_bytes);
    dk_overlay_init(&heads->old_overlay, heads->stamp.entry_bytes);
    if (dir == NULL) {
        if (why != NULL)
            *why = NULL;
        *out = heads;
        return 0;
    }

    struct dk_manifest manifest;
    void *memory = NULL;
    const char *reason = NULL;
    int rc = dk_path(heads->dir, dir, "heads", err);
    if (rc == 0)
        rc = dk_dir_make(heads->dir, 02750, err);
    if (rc == 0)
        rc = dk_manifest_read(heads->dir, &heads->stamp, &manifest, &memory, &reason, err);
    if (rc == 0 && reason == NULL)
        rc = load(heads, &manifest, &reason, err);
    free(memory);
    if (rc != 0) {
        dk_heads_close(&heads);
        return dk_err_wrap(err, "cannot open the heads of %s", dir);
    }
    heads->disk_is_void = reason != NULL;
    if (why != NULL)
        *why = reason;
    *out = heads;
    return 0;
}

void dk_heads_close(struct dk_heads **out)
{
    struct dk_heads *heads = *out;
    if (heads == NULL)
        return;
    dk_heads_drop_checkpoint(heads);
    dk_heads_tidy(heads);
    drop_segments(heads);
    dk_map_close(&heads->segments);
    dk_overlay_close(&heads->changed);
    dk_overlay_close(&heads->frozen);
    free(heads->annex);
    free(heads);
    *out = NULL;
}

uint64_t dk_heads_position(const struct dk_heads *heads)
{
    return heads->position;
}

const uint8_t *dk_heads_annex(const struct dk_heads *heads, size_t *bytes)
{
    *bytes = heads->annex_bytes;
    return heads->annex;
}

void dk_heads_forget_annex(struct dk_heads *heads)
{
    free(heads->annex);
    heads->annex = NULL;
    heads->annex_bytes = 0;
}

uint64_t dk_heads_changed(const struct dk_heads *heads)
{
    return heads->changed.used;
}

uint64_t dk_heads_room(const struct dk_heads *heads)
{
    uint64_t used = (uint64_t)heads->changed.used + heads->frozen.used;
    return used < DK_HEADS_OVERLAY_MAX ? DK_HEADS_OVERLAY_MAX - used : 0;
}

/* ---------------------------------------------------------------- get, edit */

static void end_over_damage(const struct dk_heads *heads, uint64_t number)
    __attribute__((noreturn));

static void end_over_damage(const struct dk_heads *heads, uint64_t number)
{
    dk_manifest_remove(heads->dir, NULL);
    dk_say(DK_ERROR, "heads-damaged",
           "dir=%s ticket_number=%llu note=\"the next start rebuilds them from the log\"",
           heads->dir, (unsigned long long)number);
    _exit(EXIT_FAILURE);
}

static const uint8_t *mapped(const struct dk_heads *heads, uint64_t number)
{
    uint64_t index = number / DK_SEGMENT_ENTRIES;
    struct dk_segment *segment = dk_map_get(&heads->segments, index + 1);
    if (segment == NULL)
        return NULL;
    bool damaged;
    const uint8_t *entry =
        dk_segment_entry(segment, &heads->stamp, (uint32_t)(number % DK_SEGMENT_ENTRIES), &damaged);
    if (damaged)
        end_over_damage(heads, number);
    return entry;
}

/* The entry in force, among the not-existing ones too. */
static const uint8_t *current(const struct dk_heads *heads, uint64_t number)
{
    const uint8_t *entry = dk_overlay_get(&heads->changed, number);
    if (entry == NULL)
        entry = dk_overlay_get(&heads->frozen, number);
    return entry != NULL ? entry : mapped(heads, number);
}

const void *dk_heads_get(const struct dk_heads *heads, uint64_t number)
{
    const uint8_t *entry = current(heads, number);
    uint64_t position;
    if (entry == NULL)
        return NULL;
    memcpy(&position, entry, sizeof position);
    return position == 0 ? NULL : entry;
}

void *dk_heads_edit(struct dk_heads *heads, uint64_t number)
{
    uint8_t *entry = dk_overlay_get(&heads->changed, number);
    if (entry != NULL)
        return entry;
    if (dk_heads_room(heads) == 0)
        return NULL;
    return dk_overlay_add(&heads->changed, number, current(heads, number));
}
