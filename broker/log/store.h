/* What the broker's core asks of storage: LMDB in the daemon, a tearing disk in the simulator. */
#ifndef DK_LOG_STORE_H
#define DK_LOG_STORE_H

#include "broker/log/batch.h"
#include "proto/base/err.h"

struct dk_store {
    void *self;

    /* Hands a batch over for writing; its first position is last + 1. Nothing is durable yet. Any
     * error is fatal to the process: it is never retried. */
    int (*append)(void *self, const struct dk_batch *batch, struct dk_err *err);

    /* On return 0 everything appended is on disk and stays there. Any error is fatal. */
    int (*sync)(void *self, struct dk_err *err);

    /* Copies records from `from` on, at most `max_bytes` (but at least one record when there is
     * one). A position beyond the last gives count 0. 0, DK_ECORRUPT, DK_EIO, DK_ENOMEM. */
    int (*read)(void *self, uint64_t from, size_t max_bytes, struct dk_records *out,
                struct dk_err *err);

    /* The last position that is durable, 0 for an empty log. */
    uint64_t (*last)(void *self);
};

#endif
