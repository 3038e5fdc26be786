/* The manifest of heads: which segments belong together, and up to which position of which log.
 *
 *   DIR/manifest: header, then {index, pages, generation} of each segment, then the annex;
 *                 one crc over all
 *
 * It is replaced by rename, after the files that it lists; until then the one before and its files
 * are as they were. */
#ifndef DK_LOG_MANIFEST_H
#define DK_LOG_MANIFEST_H

#include "broker/log/segment.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dk_manifest {
    struct dk_heads_stamp stamp;
    uint64_t position;
    const struct dk_segment_id *segments;
    size_t segment_count;
    const uint8_t *annex;
    size_t annex_bytes;
};

/* The annex is what `write_annex` (which gives 0 or an error code) adds to a buffer, and not what
 * stands in `manifest`. Durable on return 0, with every rename in `dir` before it. `*placed` says
 * that it stands in its place, after an error perhaps only until a power cut. */
int dk_manifest_write(const char *dir, const struct dk_manifest *manifest,
                      int (*write_annex)(void *arg, struct dk_buf *out), void *arg, bool *placed,
                      struct dk_err *err);

/* Reads and checks the manifest; its pointers are into `*memory`, which the caller frees. Returns
 * 0 and `*why` = NULL; or 0 and a sentence in `*why` when there is none that is whole and of this
 * stamp; or DK_EIO, DK_EACCES, DK_ENOMEM. */
int dk_manifest_read(const char *dir, const struct dk_heads_stamp *stamp,
                     struct dk_manifest *manifest, void **memory, const char **why,
                     struct dk_err *err);

/* Removes it, durably: what is in `dir` is nothing from then on. */
int dk_manifest_remove(const char *dir, struct dk_err *err);

#endif
