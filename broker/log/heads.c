#include "broker/log/heads.h"

#include "broker/log/files.h"
#include "broker/log/manifest.h"
#include "broker/log/overlay.h"
#include "broker/log/segment.h"
#include "proto/base/map.h"
#include "proto/base/say.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct dk_heads {
    struct dk_heads_stamp stamp;
    char dir[PATH_MAX];
    struct dk_map segments; /* index + 1 -> struct dk_segment */
    struct dk_overlay changed;
    uint64_t position;
    uint8_t *annex;
    size_t annex_bytes;
    bool disk_is_void; /* what stands in the folder is not what is mapped: nothing is */

    /* Of the checkpoint under way: between freeze and finish. dk_heads_write, perhaps in another
     * thread, reads `frozen` and `segments`, which stay as they are meanwhile, and sets the lists
     * and `write_code`. */
    bool under_way;
    int write_code;
    struct dk_overlay frozen;
    uint64_t next_position;
    uint8_t *next_annex;
    size_t next_annex_bytes;
    struct dk_manifest_segment *listed; /* the new manifest's segments */
    size_t listed_count;
    struct dk_manifest_segment *rewritten;
    size_t rewritten_count;
};

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

/* Maps a segment in place of the one that was mapped. */
static int map_segment(struct dk_heads *heads, const struct dk_manifest_segment *listed,
                       struct dk_err *err)
{
    struct dk_segment segment;
    int rc = dk_segment_map(&segment, heads->dir, listed->index, listed->pages, err);
    if (rc != 0)
        return rc;
    struct dk_segment *place = dk_map_put(&heads->segments, (uint64_t)listed->index + 1, NULL);
    if (place == NULL) {
        dk_segment_unmap(&segment);
        return dk_err_set(err, DK_ENOMEM, "no memory to list the segments of %s", heads->dir);
    }
    dk_segment_unmap(place);
    *place = segment;
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

static bool in_memory(const struct dk_heads *heads)
{
    return heads->dir[0] == '\0';
}

static void drop_checkpoint(struct dk_heads *heads)
{
    free(heads->next_annex);
    free(heads->listed);
    free(heads->rewritten);
    heads->next_annex = NULL;
    heads->listed = NULL;
    heads->rewritten = NULL;
    heads->under_way = false;
}

void dk_heads_close(struct dk_heads **out)
{
    struct dk_heads *heads = *out;
    if (heads == NULL)
        return;
    drop_checkpoint(heads);
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
    const uint8_t *entry = dk_segment_entry(segment, &heads->stamp, (uint32_t)index,
                                            (uint32_t)(number % DK_SEGMENT_ENTRIES), &damaged);
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

/* ---------------------------------------------------------------- checkpoint */

int dk_heads_freeze(struct dk_heads *heads, uint64_t position, const void *annex,
                    size_t annex_bytes, struct dk_err *err)
{
    if (heads->under_way)
        return dk_err_set(err, DK_EBUSY, "a checkpoint of the heads is under way");
    uint8_t *copy = malloc(annex_bytes + 1);
    if (copy == NULL)
        return dk_err_set(err, DK_ENOMEM, "no memory for the annex of %s", heads->dir);
    if (annex_bytes > 0)
        memcpy(copy, annex, annex_bytes);
    heads->next_annex = copy;
    heads->next_annex_bytes = annex_bytes;
    heads->next_position = position;

    heads->frozen = heads->changed;
    dk_overlay_init(&heads->changed, heads->stamp.entry_bytes);
    heads->under_way = true;
    heads->write_code = DK_EIO; /* until written */
    return 0;
}

static int by_number(const void *a, const void *b)
{
    const struct dk_segment_change *left = a, *right = b;
    return (left->number > right->number) - (left->number < right->number);
}

/* The frozen entries in order of their numbers. NULL without memory. */
static struct dk_segment_change *sorted_changes(const struct dk_heads *heads)
{
    const struct dk_overlay *frozen = &heads->frozen;
    struct dk_segment_change *changes = malloc((frozen->used + (size_t)1) * sizeof *changes);
    if (changes == NULL)
        return NULL;
    size_t cursor = 0, count = 0;
    struct dk_segment_change change;
    while (dk_overlay_next(frozen, &cursor, &change.number, &change.entry))
        changes[count++] = change;
    DK_ASSERT(count == frozen->used);
    qsort(changes, count, sizeof *changes, by_number);
    return changes;
}

static int write_segments(struct dk_heads *heads, const struct dk_segment_change *changes,
                          size_t count, struct dk_err *err)
{
    for (size_t begin = 0, end; begin < count; begin = end) {
        uint64_t index = changes[begin].number / DK_SEGMENT_ENTRIES;
        for (end = begin; end < count && changes[end].number / DK_SEGMENT_ENTRIES == index;)
            end++;
        struct dk_manifest_segment *rewritten = &heads->rewritten[heads->rewritten_count];
        rewritten->index = (uint32_t)index;
        int rc = dk_segment_write(heads->dir, &heads->stamp, rewritten->index,
                                  dk_map_get(&heads->segments, index + 1), &changes[begin],
                                  end - begin, &rewritten->pages, err);
        if (rc != 0)
            return rc;
        heads->rewritten_count++;
    }
    return 0;
}

static int by_index(const void *a, const void *b)
{
    const struct dk_manifest_segment *left = a, *right = b;
    return (left->index > right->index) - (left->index < right->index);
}

/* The rewritten segments (in order already), and those mapped that were not rewritten. */
static void list_segments(struct dk_heads *heads)
{
    size_t cursor = 0;
    uint64_t key;
    void *place;
    heads->listed_count = heads->rewritten_count;
    memcpy(heads->listed, heads->rewritten, heads->rewritten_count * sizeof *heads->listed);
    while (dk_map_next(&heads->segments, &cursor, &key, &place)) {
        struct dk_manifest_segment entry = {(uint32_t)(key - 1),
                                            ((const struct dk_segment *)place)->pages};
        if (bsearch(&entry, heads->rewritten, heads->rewritten_count, sizeof entry, by_index) ==
            NULL)
            heads->listed[heads->listed_count++] = entry;
    }
}

static int write_all(struct dk_heads *heads, struct dk_err *err)
{
    struct dk_segment_change *changes = sorted_changes(heads);
    size_t count = heads->frozen.used;
    size_t most = heads->segments.count + count + 1;
    heads->rewritten_count = 0;
    heads->rewritten = malloc((count + 1) * sizeof *heads->rewritten);
    heads->listed = malloc(most * sizeof *heads->listed);
    int rc = 0;
    if (changes == NULL || heads->rewritten == NULL || heads->listed == NULL)
        rc = dk_err_set(err, DK_ENOMEM, "no memory to checkpoint %zu heads", count);
    if (rc == 0 && heads->disk_is_void)
        rc = dk_manifest_remove(heads->dir, err);
    if (rc == 0)
        rc = write_segments(heads, changes, count, err);
    free(changes);
    if (rc != 0)
        return rc;

    list_segments(heads);
    struct dk_manifest manifest = {heads->stamp,      heads->next_position,
                                   heads->listed,     heads->listed_count,
                                   heads->next_annex, heads->next_annex_bytes};
    return dk_manifest_write(heads->dir, &manifest, err);
}

int dk_heads_write(struct dk_heads *heads, struct dk_err *err)
{
    DK_ASSERT(heads->under_way);
    heads->write_code = in_memory(heads) ? 0 : write_all(heads, err);
    return heads->write_code == 0 ? 0 : dk_err_wrap(err, "cannot checkpoint %s", heads->dir);
}

/* Frozen entries that were not changed again go back among the changed. */
static int put_back(struct dk_heads *heads, struct dk_err *err)
{
    size_t cursor = 0;
    uint64_t number;
    const uint8_t *entry;
    while (dk_overlay_next(&heads->frozen, &cursor, &number, &entry)) {
        if (dk_overlay_get(&heads->changed, number) == NULL &&
            dk_overlay_add(&heads->changed, number, entry) == NULL)
            return dk_err_set(err, DK_ENOMEM, "no memory to take back a failed checkpoint");
    }
    return 0;
}

int dk_heads_finish(struct dk_heads *heads, struct dk_err *err)
{
    DK_ASSERT(heads->under_way);
    int rc = heads->write_code;
    if (rc != 0)
        dk_err_set(err, rc, "the checkpoint of %s failed", heads->dir);
    for (size_t i = 0; rc == 0 && i < heads->rewritten_count; i++)
        rc = map_segment(heads, &heads->rewritten[i], err);
    if (rc == 0 && in_memory(heads))
        rc = put_back(heads, err);
    if (rc != 0) {
        int back = put_back(heads, err);
        if (back != 0)
            return back; /* nothing is lost: the frozen entries are still read */
        dk_overlay_close(&heads->frozen);
        drop_checkpoint(heads);
        return rc;
    }
    dk_overlay_close(&heads->frozen);
    free(heads->annex);
    heads->annex = heads->next_annex;
    heads->annex_bytes = heads->next_annex_bytes;
    heads->next_annex = NULL;
    heads->position = heads->next_position;
    heads->disk_is_void = false;
    drop_checkpoint(heads);
    return 0;
}
