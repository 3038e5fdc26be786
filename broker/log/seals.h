/* Seals: the Merkle root of every full 1,024 records, kept beside the log and written behind it.
 *
 *   DIR/seals/   a projection (projection.h): rebuilt when missing or damaged
 *     seals   index of the 1,024 (0, 1, ...) -> 32-byte subtree root
 *
 * `advance` reads what was committed since and seals it; `verify` compares. One thread advances;
 * the others' calls are safe beside it. */
#ifndef DK_LOG_SEALS_H
#define DK_LOG_SEALS_H

#include "broker/log/log.h"
#include "broker/log/merkle.h"

struct dk_seals;

/* Opens or creates. A folder of another log (uuid) is DK_EDIVERGED; damaged: removed and made anew
 * when `mode` is write. */
int dk_seals_open(struct dk_seals **seals, const char *dir, struct dk_log *log,
                  enum dk_log_mode mode, struct dk_err *err);
void dk_seals_close(struct dk_seals **seals);

/* The last position under a stored root: a multiple of 1,024. */
int dk_seals_position(struct dk_seals *seals, uint64_t *position, struct dk_err *err);

/* Takes in at most `max_records` more (in one transaction, durable on return); `*more` says that
 * this bound was met before the log's end. */
int dk_seals_advance(struct dk_seals *seals, struct dk_log_reader *reader, uint64_t max_records,
                     bool *more, struct dk_err *err);

/* The stored root of the i-th 1,024, or DK_ENOTFOUND. */
int dk_seals_get(struct dk_seals *seals, uint64_t i, struct dk_hash *root, struct dk_err *err);

/* The tree head over the first `size` records: stored roots, then the tail's leaves. DK_ENOTFOUND
 * when the log is shorter. */
int dk_seals_tree_head(struct dk_seals *seals, struct dk_log_reader *reader, uint64_t size,
                       struct dk_hash *head, struct dk_err *err);

#endif
