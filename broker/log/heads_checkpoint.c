/* Checkpoints of heads: freeze, write, finish, tidy. */
#include "broker/log/files.h"
#include "broker/log/heads_internal.h"
#include "broker/log/manifest.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANNEX_MAX_BYTES (UINT64_C(8) << 30) /* of heads in memory */

static void drop_written(struct dk_heads *heads)
{
    struct dk_heads_written *written = &heads->written;
    for (size_t i = 0; i < written->count; i++)
        dk_segment_unmap(&written->segment[i]);
    free(written->segment);
    dk_buf_close(&written->annex);
    *written = (struct dk_heads_written){0};
}

void dk_heads_drop_checkpoint(struct dk_heads *heads)
{
    if (!heads->under_way)
        return;
    drop_written(heads);
    heads->next_annex.release(heads->next_annex.arg);
    heads->under_way = false;
}

void dk_heads_tidy(struct dk_heads *heads)
{
    for (size_t i = 0; i < heads->old_count; i++)
        dk_segment_unmap(&heads->old_segment[i]);
    free(heads->old_segment);
    heads->old_segment = NULL;
    heads->old_count = 0;
    dk_overlay_close(&heads->old_overlay);
}

int dk_heads_freeze(struct dk_heads *heads, uint64_t position, const struct dk_heads_annex *annex,
                    struct dk_err *err)
{
    if (heads->under_way) {
        annex->release(annex->arg);
        return dk_err_set(err, DK_EBUSY, "a checkpoint of the heads is under way");
    }
    dk_heads_tidy(heads);
    heads->next_position = position;
    heads->next_annex = *annex;
    heads->under_way = true;
    if (!dk_heads_in_memory(heads)) {
        heads->frozen = heads->changed;
        dk_overlay_init(&heads->changed, heads->stamp.entry_bytes);
    }
    return 0;
}

/* ---------------------------------------------------------------- segments */

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

static int write_segment(struct dk_heads *heads, const struct dk_segment_change *changes,
                         size_t count, struct dk_err *err)
{
    uint64_t index = changes[0].number / DK_SEGMENT_ENTRIES;
    struct dk_segment_id id = {.index = (uint32_t)index, .generation = heads->generation};
    int rc = dk_segment_write(heads->dir, &heads->stamp, &id,
                              dk_map_get(&heads->segments, index + 1), changes, count, err);
    rc = rc != 0
             ? rc
             : dk_segment_map(&heads->written.segment[heads->written.count], heads->dir, &id, err);
    heads->written.count += rc == 0;
    return rc;
}

static size_t count_segments(const struct dk_segment_change *changes, size_t count)
{
    size_t segments = 0;
    for (size_t i = 0; i < count; i++)
        segments += i == 0 || changes[i].number / DK_SEGMENT_ENTRIES !=
                                  changes[i - 1].number / DK_SEGMENT_ENTRIES;
    return segments;
}

static int write_segments(struct dk_heads *heads, const struct dk_segment_change *changes,
                          size_t count, struct dk_err *err)
{
    heads->written.segment =
        calloc(count_segments(changes, count) + 1, sizeof *heads->written.segment);
    int rc = heads->written.segment != NULL
                 ? 0
                 : dk_err_set(err, DK_ENOMEM, "no memory to list what is written");
    for (size_t begin = 0, end; rc == 0 && begin < count; begin = end) {
        uint64_t index = changes[begin].number / DK_SEGMENT_ENTRIES;
        for (end = begin; end < count && changes[end].number / DK_SEGMENT_ENTRIES == index;)
            end++;
        rc = write_segment(heads, &changes[begin], end - begin, err);
    }
    return rc;
}

/* ---------------------------------------------------------------- which files count */

static int by_index(const void *a, const void *b)
{
    const struct dk_segment_id *left = a, *right = b;
    return (left->index > right->index) - (left->index < right->index);
}

/* The files that belong together: those mapped and, once all are written, the new ones in the
 * place of theirs. By index; the caller frees. NULL without memory. */
static struct dk_segment_id *list_files(const struct dk_heads *heads, size_t new_count,
                                        size_t *count)
{
    struct dk_segment_id *list = malloc((heads->segments.count + new_count + 1) * sizeof *list);
    size_t cursor = 0;
    uint64_t key;
    void *place;
    *count = 0;
    if (list == NULL)
        return NULL;
    for (; *count < new_count; (*count)++)
        list[*count] = heads->written.segment[*count].id;
    while (dk_map_next(&heads->segments, &cursor, &key, &place)) {
        const struct dk_segment_id *id = &((const struct dk_segment *)place)->id;
        if (bsearch(id, list, new_count, sizeof *id, by_index) == NULL)
            list[(*count)++] = *id;
    }
    qsort(list, *count, sizeof *list, by_index);
    return list;
}

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), end_length = strlen(end);
    return length >= end_length && strcmp(name + length - end_length, end) == 0;
}

static bool is_listed(const char *name, const struct dk_segment_id *list, size_t count)
{
    char listed[DK_SEGMENT_NAME_BYTES];
    struct dk_segment_id id = {.index = (uint32_t)strtoul(name, NULL, 16)};
    const struct dk_segment_id *found = bsearch(&id, list, count, sizeof id, by_index);
    if (found == NULL)
        return false;
    dk_segment_name(listed, found);
    return strcmp(name, listed) == 0;
}

/* Removes the files of checkpoints that were cut off, that failed, or that others replaced: a disk
 * may be full of them. One that cannot be removed now can be the next time. */
static void remove_unlisted(struct dk_heads *heads, size_t new_count)
{
    char path[PATH_MAX];
    size_t count;
    struct dk_segment_id *list = list_files(heads, new_count, &count);
    DIR *folder = list != NULL ? opendir(heads->dir) : NULL;
    for (struct dirent *file; folder != NULL && (file = readdir(folder)) != NULL;) {
        bool ours = ends_with(file->d_name, ".seg") || ends_with(file->d_name, ".tmp");
        if (ours && !is_listed(file->d_name, list, count) &&
            dk_path(path, heads->dir, file->d_name, NULL) == 0)
            unlink(path);
    }
    if (folder != NULL)
        closedir(folder);
    free(list);
}

/* ---------------------------------------------------------------- write, finish */

static int write_manifest(struct dk_heads *heads, bool *placed, struct dk_err *err)
{
    struct dk_manifest manifest = {.stamp = heads->stamp, .position = heads->next_position};
    struct dk_segment_id *list = list_files(heads, heads->written.count, &manifest.segment_count);
    if (list == NULL)
        return dk_err_set(err, DK_ENOMEM, "no memory to list the segments");
    manifest.segments = list;
    int rc = dk_manifest_write(heads->dir, &manifest, heads->next_annex.write,
                               heads->next_annex.arg, placed, err);
    free(list);
    return rc;
}

static int write_all(struct dk_heads *heads, bool *placed, struct dk_err *err)
{
    struct dk_segment_change *changes = sorted_changes(heads);
    int rc = 0;
    if (changes == NULL)
        rc = dk_err_set(err, DK_ENOMEM, "no memory to sort %u heads", heads->frozen.used);
    if (rc == 0 && heads->disk_is_void)
        rc = dk_manifest_remove(heads->dir, err);
    heads->generation++;
    rc = rc != 0 ? rc : write_segments(heads, changes, heads->frozen.used, err);
    rc = rc != 0 ? rc : write_manifest(heads, placed, err);
    free(changes);
    return rc;
}

/* Where the sync after the manifest's rename failed, a power cut may bring the one before back: the
 * files of both are kept then, until a later write succeeds. */
static int write_files(struct dk_heads *heads, struct dk_err *err)
{
    bool placed = false;
    if (!heads->disk_is_clean)
        remove_unlisted(heads, 0);
    heads->disk_is_clean = true;
    int rc = write_all(heads, &placed, err);
    heads->disk_in_doubt = rc != 0 && (placed || heads->disk_in_doubt);
    if (!heads->disk_in_doubt)
        remove_unlisted(heads, rc == 0 ? heads->written.count : 0);
    return rc;
}

static int keep_annex(struct dk_heads *heads)
{
    dk_buf_init(&heads->written.annex, ANNEX_MAX_BYTES);
    return heads->next_annex.write(heads->next_annex.arg, &heads->written.annex);
}

int dk_heads_write(struct dk_heads *heads, struct dk_err *err)
{
    DK_ASSERT(heads->under_way);
    drop_written(heads);
    int rc;
    if (!dk_heads_in_memory(heads))
        rc = write_files(heads, err);
    else if ((rc = keep_annex(heads)) != 0)
        rc = dk_err_set(err, rc, "no memory for the annex");
    heads->written.whole = rc == 0;
    return rc == 0 ? 0 : dk_err_wrap(err, "cannot checkpoint %s", heads->dir);
}

/* Each new segment takes the place of the old one, which takes its own until it is tidied. */
static void swap_segments(struct dk_heads *heads)
{
    struct dk_heads_written *written = &heads->written;
    for (size_t i = 0; i < written->count; i++) {
        struct dk_segment *place =
            dk_map_put(&heads->segments, (uint64_t)written->segment[i].id.index + 1, NULL);
        DK_ASSERT(place != NULL);
        struct dk_segment old = *place;
        *place = written->segment[i];
        written->segment[i] = old;
    }
}

static void finish_in_memory(struct dk_heads *heads)
{
    struct dk_buf *annex = &heads->written.annex;
    dk_heads_forget_annex(heads);
    heads->annex = annex->data;
    heads->annex_bytes = annex->size;
    *annex = (struct dk_buf){0};
}

void dk_heads_finish(struct dk_heads *heads)
{
    DK_ASSERT(heads->under_way && heads->written.whole);
    if (dk_heads_in_memory(heads))
        finish_in_memory(heads);
    swap_segments(heads);
    heads->old_segment = heads->written.segment;
    heads->old_count = heads->written.count;
    heads->written.segment = NULL;
    heads->written.count = 0;
    heads->old_overlay = heads->frozen;
    dk_overlay_init(&heads->frozen, heads->stamp.entry_bytes);
    heads->position = heads->next_position;
    heads->disk_is_void = false;
    dk_heads_drop_checkpoint(heads);
}
