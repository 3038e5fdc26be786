/* The steps of a commit: a batch is handed to the store, then synced; then it is durable.
 *
 * A step that fails is never taken again. After a failed sync nobody knows what of the batch is on
 * the disk, and a second sync would succeed over what the system has given up (PITFALLS, LMDB). So
 * whoever drives ends the process, and a restart finds what there is: the daemon's commit thread
 * and the simulator's broker. */
#ifndef DK_CORE_WRITE_H
#define DK_CORE_WRITE_H

#include "broker/log/store.h"
#include <stdbool.h>

enum dk_write_next { DK_WRITE_APPEND, DK_WRITE_SYNC, DK_WRITE_DURABLE, DK_WRITE_FAILED };

/* Set store and batch, both borrowed; the rest is 0. */
struct dk_write {
    struct dk_store *store;
    const struct dk_batch *batch;
    enum dk_write_next next;
};

/* Takes the next step, unless it is durable or has failed. 0, or the store's error: then nothing of
 * the batch may be acknowledged, and the process must end. */
int dk_write_step(struct dk_write *write, struct dk_err *err);

#endif
