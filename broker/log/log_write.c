/* The writer's side of log.h: batches become blocks, transactions become durable. */
#include "broker/log/lmdb.h"
#include "broker/log/log_internal.h"

/* After a failed write or sync nothing later may succeed: LMDB 0.9 would let it, over pages that
 * never reached the disk. */
static int fail(struct dk_log *log, int rc, const char *what, struct dk_err *err)
{
    log->failed = true;
    if (log->staged != NULL)
        mdb_txn_abort(log->staged);
    log->staged = NULL;
    return dk_lmdb_err(err, rc, "cannot %s the log at %s", what, log->dir);
}

static int failed_before(struct dk_log *log, struct dk_err *err)
{
    return dk_err_set(err, DK_EIO, "a write to the log at %s failed before", log->dir);
}

static int begin(struct dk_log *log)
{
    if (log->staged != NULL)
        return 0;
    int rc = mdb_txn_begin(log->env, NULL, 0, &log->staged);
    if (rc == 0)
        rc = mdb_cursor_open(log->staged, log->events, &log->staged_cursor);
    return rc;
}

static int append(void *self, const struct dk_batch *batch, struct dk_err *err)
{
    struct dk_log *log = self;
    if (log->failed)
        return failed_before(log, err);
    DK_ASSERT(log->mode == DK_LOG_WRITE);
    DK_ASSERT(batch->count >= 1 && batch->first == log->staged_last + 1);

    int rc = begin(log);
    for (size_t start = 0; rc == 0 && start < batch->count;) {
        size_t count = dk_block_plan(batch, start);
        size_t bytes = batch->offset[start + count] - batch->offset[start];
        uint64_t position = batch->first + start;
        MDB_val key = {sizeof position, &position};
        MDB_val block = {dk_block_bytes(count, bytes), NULL};
        rc = mdb_cursor_put(log->staged_cursor, &key, &block, MDB_APPEND | MDB_RESERVE);
        if (rc == 0)
            dk_block_write(block.mv_data, batch, start, count);
        start += count;
    }
    if (rc != 0)
        return fail(log, rc, "append to", err);
    log->staged_last += batch->count;
    return 0;
}

static int sync_staged(void *self, struct dk_err *err)
{
    struct dk_log *log = self;
    if (log->failed)
        return failed_before(log, err);
    if (log->staged == NULL)
        return 0;
    MDB_txn *txn = log->staged;
    log->staged = NULL; /* freed by the commit, even a failed one */
    int rc = mdb_txn_commit(txn);
    if (rc != 0)
        return fail(log, rc, "sync", err);
    atomic_store(&log->durable, log->staged_last);
    return 0;
}

static int read_back(void *self, uint64_t from, size_t max_bytes, struct dk_records *out,
                     struct dk_err *err)
{
    struct dk_log *log = self;
    if (log->store_reader == NULL) {
        int rc = dk_log_reader_new(&log->store_reader, log, err);
        if (rc != 0)
            return rc;
    }
    return dk_log_read(log->store_reader, from, max_bytes, out, err);
}

static uint64_t durable_last(void *self)
{
    struct dk_log *log = self;
    return atomic_load(&log->durable);
}

int dk_log_commit(struct dk_log *log, const struct dk_batch *batch, struct dk_err *err)
{
    int rc = append(log, batch, err);
    return rc != 0 ? rc : sync_staged(log, err);
}

struct dk_store *dk_log_store(struct dk_log *log)
{
    log->store = (struct dk_store){log, append, sync_staged, read_back, durable_last};
    return &log->store;
}
