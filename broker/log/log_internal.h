/* What log.c, log_write.c, log_read.c and log_admin.c share of one open log. Nothing else includes
 * this. */
#ifndef DK_LOG_LOG_INTERNAL_H
#define DK_LOG_LOG_INTERNAL_H

#include "broker/log/block.h"
#include "broker/log/log.h"
#include <limits.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>

struct dk_log {
    MDB_env *env;
    MDB_dbi events;
    enum dk_log_mode mode;
    struct dk_log_identity identity;
    char dir[PATH_MAX];
    size_t page_bytes;
    int writer_lock; /* holds the flock; -1 when open for reading */

    /* The writer's. Readers in this process see no further than `durable`: LMDB shows a commit
     * to them an instant before its meta page is on disk. */
    MDB_txn *staged;
    MDB_cursor *staged_cursor;
    uint64_t staged_last;
    _Atomic uint64_t durable;
    bool failed;
    struct dk_store store;
    struct dk_log_reader *store_reader;

    /* For dk_log_last of a log that another process may write. */
    pthread_mutex_t last_lock;
    struct dk_log_reader *last_reader;
};

struct dk_log_reader {
    struct dk_log *log;
    MDB_txn *txn; /* reset between calls; NULL before the first */
    MDB_cursor *cursor;
};

/* Opens the reader's transaction and cursor; end it with dk_log_reader_end. */
int dk_log_reader_begin(struct dk_log_reader *reader, struct dk_err *err);
void dk_log_reader_end(struct dk_log_reader *reader);

/* The last position as the file has it. */
int dk_log_read_last(struct dk_log *log, uint64_t *position, struct dk_err *err);

#endif
