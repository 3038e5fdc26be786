/* The thread behind the log: seals and look-ups are written by it, never in the commit path.
 *
 * It gives way to appends that come fast, up to a lag of a million, and catches up when they end.
 * It runs at the same priority as all others: they may have to wait for a lock that it holds. How
 * far each projection lags is in the broker's statistics. */
#ifndef DK_NET_BEHIND_H
#define DK_NET_BEHIND_H

#include "broker/log/log.h"
#include "broker/log/lookups.h"
#include <stdint.h>

struct dk_behind;

int dk_behind_start(struct dk_behind **behind, struct dk_log *log, struct dk_err *err);
/* Seals what is left to seal, then ends. */
void dk_behind_stop(struct dk_behind **behind);

/* From any thread: there is more to do. */
void dk_behind_wake(struct dk_behind *behind);

/* For reading from any thread, while this lives. */
struct dk_lookups *dk_behind_lookups(struct dk_behind *behind);

/* Positions reached, from any thread. */
uint64_t dk_behind_sealed(const struct dk_behind *behind);
uint64_t dk_behind_indexed(const struct dk_behind *behind);

#endif
