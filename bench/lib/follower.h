/* A follower that catches up from zero, again and again: the heaviest reader a broker has. */
#ifndef DK_BENCH_FOLLOWER_H
#define DK_BENCH_FOLLOWER_H

#include "proto/base/err.h"
#include "proto/peer/config.h"
#include <stdint.h>

struct dk_follower;

/* Starts a thread that fetches all the log with the follower's key. */
int dk_follower_start(struct dk_follower **follower, const struct dk_config *config,
                      struct dk_err *err);
/* Ends it; `records` is how many it got. */
int dk_follower_stop(struct dk_follower **follower, uint64_t *records, struct dk_err *err);

#endif
