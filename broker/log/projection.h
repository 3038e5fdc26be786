/* A projection: an LMDB environment beside the log that holds what is computed from the log.
 *
 *   DIR/NAME/   one database of its owner's, and "meta": "uuid" of the log, "position" up to which
 *               the log was taken in
 *
 * The position is written in the transaction of what belongs to it, so a kill at any instant leaves
 * the projection whole, only behind. One that is damaged, or ahead of its log, is made anew.
 *
 * After a commit that failed nobody knows which pages are on disk, and LMDB would let the next one
 * succeed over them. So the projection is given up: its files are removed, it is read as it stood,
 * and the next advance makes it anew from position 1. */
#ifndef DK_LOG_PROJECTION_H
#define DK_LOG_PROJECTION_H

#include "broker/log/log.h"
#include <limits.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdbool.h>

struct dk_projection {
    MDB_env *env; /* NULL while it cannot be made anew */
    MDB_dbi data;
    MDB_dbi meta;
    uint64_t position;    /* up to which the content is whole; as stored, but within an advance */
    uint64_t next;        /* the position to take in next */
    bool given_up;        /* a commit failed */
    pthread_rwlock_t use; /* of env: held to read by its readers, to write while it is made anew */
    const char *name;
    unsigned flags;
    uint8_t log_uuid[16];
    struct dk_records records;
    char dir[PATH_MAX];
};

/* Opens DIR/NAME with the owner's database `name` (`flags`: MDB_INTEGERKEY, ...). Writing creates
 * what is missing and makes anew what is damaged; reading gives DK_ENOTFOUND or DK_ECORRUPT. A
 * folder of another log is DK_EDIVERGED. One open a process. To be closed after an error, too; `name`
 * lives as long. */
int dk_projection_open(struct dk_projection *projection, const char *dir, const char *name,
                       unsigned flags, struct dk_log *log, enum dk_log_mode mode,
                       struct dk_err *err);
void dk_projection_close(struct dk_projection *projection);

/* Removes all content: the next advance begins at position 1. */
int dk_projection_clear(struct dk_projection *projection, struct dk_err *err);

/* A transaction to read in, from any thread; end it soon. 0 or an LMDB code. */
int dk_projection_begin(struct dk_projection *projection, MDB_txn **txn);
void dk_projection_end(struct dk_projection *projection, MDB_txn *txn);

/* As stored; from any thread. */
int dk_projection_position(struct dk_projection *projection, uint64_t *position,
                           struct dk_err *err);

/* Takes in at most `max_records` from projection->next on, in one transaction, durable on return;
 * `*more` says that this bound was met before the log's end. `take` gets each record: it writes to
 * projection->data, sets projection->position when the content is whole up to there, and returns 0
 * or an LMDB code. On an error all is as stored, `next` too: the owner forgets what it holds of
 * records since; after a commit that failed the next call begins at position 1. */
int dk_projection_advance(struct dk_projection *projection, struct dk_log_reader *reader,
                          uint64_t max_records, bool *more,
                          int (*take)(void *owner, MDB_txn *txn, uint64_t position,
                                      const uint8_t *record, size_t bytes),
                          void *owner, struct dk_err *err);

#endif
