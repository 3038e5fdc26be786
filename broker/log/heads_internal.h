/* What heads.c and heads_checkpoint.c share. Nothing else includes this. */
#ifndef DK_LOG_HEADS_INTERNAL_H
#define DK_LOG_HEADS_INTERNAL_H

#include "broker/log/heads.h"
#include "broker/log/overlay.h"
#include "broker/log/segment.h"
#include "proto/base/map.h"
#include <limits.h>
#include <stdbool.h>

/* What of a checkpoint is made by dk_heads_write, perhaps in another thread. */
struct dk_heads_written {
    bool whole;                 /* on disk, and `segment` mapped */
    struct dk_segment *segment; /* the new files, by index */
    size_t count;
    struct dk_buf annex; /* of heads in memory */
};

struct dk_heads {
    struct dk_heads_stamp stamp;
    char dir[PATH_MAX];     /* "": in memory only */
    struct dk_map segments; /* index + 1 -> struct dk_segment: those of the manifest */
    struct dk_overlay changed;
    uint64_t position;
    uint8_t *annex;
    size_t annex_bytes;
    uint64_t generation; /* the last that was given to a checkpoint */
    bool disk_is_void;   /* the manifest in the folder is not what is mapped: nothing is */
    bool disk_is_clean;  /* of files that no manifest lists */
    bool disk_in_doubt;  /* which manifest stands there after a power cut */

    /* Of the checkpoint under way, between freeze and finish. dk_heads_write reads `frozen` and
     * `segments`, which stay as they are meanwhile. */
    bool under_way;
    struct dk_overlay frozen;
    uint64_t next_position;
    struct dk_heads_annex next_annex;
    struct dk_heads_written written;

    /* What the last checkpoint replaced: for dk_heads_tidy. */
    struct dk_overlay old_overlay;
    struct dk_segment *old_segment;
    size_t old_count;
};

static inline bool dk_heads_in_memory(const struct dk_heads *heads)
{
    return heads->dir[0] == '\0';
}

/* Ends the checkpoint under way, if there is one. */
void dk_heads_drop_checkpoint(struct dk_heads *heads);

#endif
