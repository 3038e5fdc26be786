/* The manifest of heads: which segments belong together, and up to which position of which log.
 *
 *   DIR/manifest: header, then {index, pages} of each segment, then the annex; one crc over all
 *
 * It is replaced by rename, after the segments it lists. */
#ifndef DK_LOG_MANIFEST_H
#define DK_LOG_MANIFEST_H

#include "broker/log/segment.h"
#include "proto/base/err.h"
#include <stddef.h>
#include <stdint.h>

struct dk_manifest_segment {
    uint32_t index;
    uint32_t pages;
};

struct dk_manifest {
    struct dk_heads_stamp stamp;
    uint64_t position;
    const struct dk_manifest_segment *segments;
    size_t segment_count;
    const uint8_t *annex;
    size_t annex_bytes;
};

/* Durable on return 0, with every rename in `dir` before it. */
int dk_manifest_write(const char *dir, const struct dk_manifest *manifest, struct dk_err *err);

/* Reads and checks the manifest; its pointers are into `*memory`, which the caller frees. Returns
 * 0 and `*why` = NULL; or 0 and a sentence in `*why` when there is none that is whole and of this
 * stamp; or DK_EIO, DK_EACCES, DK_ENOMEM. */
int dk_manifest_read(const char *dir, const struct dk_heads_stamp *stamp,
                     struct dk_manifest *manifest, void **memory, const char **why,
                     struct dk_err *err);

/* Removes it, durably: what is in `dir` is nothing from then on. */
int dk_manifest_remove(const char *dir, struct dk_err *err);

#endif
