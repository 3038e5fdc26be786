/* The thread behind the log: seals and look-ups are written by it, never in the commit path.
 *
 * It runs when nothing else wants the processor, and not more often than pays: under load it lags,
 * and catches up when the load ends. How far each projection lags is in the broker's statistics. */
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
