/* A projection: an LMDB environment beside the log that holds what is computed from the log.
 *
 *   DIR/NAME/   one database of its owner's, and "meta": "uuid" of the log, "position" up to which
 *               the log was taken in
 *
 * The position is written in the transaction of what belongs to it, so a kill at any instant leaves
 * the projection whole, only behind. One that is damaged, or ahead of its log, is made anew. */
#ifndef DK_LOG_PROJECTION_H
#define DK_LOG_PROJECTION_H

#include "broker/log/log.h"
#include <limits.h>
#include <lmdb.h>

struct dk_projection {
    MDB_env *env;
    MDB_dbi data;
    MDB_dbi meta;
    char dir[PATH_MAX];
};

/* Opens DIR/NAME with the owner's database `name` (`flags`: MDB_INTEGERKEY, ...). Writing creates
 * what is missing and makes anew what is damaged; reading gives DK_ENOTFOUND or DK_ECORRUPT. A
 * folder of another log is DK_EDIVERGED. One open a process. */
int dk_projection_open(struct dk_projection *projection, const char *dir, const char *name,
                       unsigned flags, struct dk_log *log, enum dk_log_mode mode,
                       struct dk_err *err);
void dk_projection_close(struct dk_projection *projection);

/* Removes all content: the next advance begins at position 1. */
int dk_projection_clear(struct dk_projection *projection, struct dk_err *err);

int dk_projection_position(struct dk_projection *projection, uint64_t *position,
                           struct dk_err *err);
/* An LMDB return code. */
int dk_projection_put_position(struct dk_projection *projection, MDB_txn *txn, uint64_t position);

#endif
