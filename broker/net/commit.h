/* The commit thread: owns every write transaction of the log.
 *
 * One batch at a time: the loop hands it over, the thread writes and syncs it, and wakes the loop.
 * Meanwhile the next batch gathers: that is the whole of group commit, and no timer delays a lone
 * event. A failed write or sync ends the process: nothing of it was acknowledged, and LMDB would
 * let a later commit succeed over the hole. */
#ifndef DK_NET_COMMIT_H
#define DK_NET_COMMIT_H

#include "broker/log/store.h"
#include <ev.h>
#include <stdbool.h>

struct dk_committer;

/* `on_durable` runs on the loop after each batch. */
int dk_committer_start(struct dk_committer **committer, struct ev_loop *loop,
                       struct dk_store *store, void (*on_durable)(void *arg), void *arg,
                       struct dk_err *err);
/* Waits for the batch under way. */
void dk_committer_stop(struct dk_committer **committer);

bool dk_committer_busy(const struct dk_committer *committer);
/* A batch is durable, and on_durable is about to run: what holds the loop up should end. */
bool dk_committer_waits(const struct dk_committer *committer);
/* Only when not busy; the batch stays as it is until on_durable. */
void dk_committer_write(struct dk_committer *committer, const struct dk_batch *batch);

#endif
