/* The thread behind the log: seals, look-ups and heads are written by it, never in the commit path.
 *
 * Each projection has its own position; how far they lag is in the broker's statistics. */
#ifndef DK_NET_BEHIND_H
#define DK_NET_BEHIND_H

#include "broker/log/heads.h"
#include "broker/log/log.h"
#include "broker/log/lookups.h"
#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

struct dk_behind;

/* `on_heads_written` runs on the loop when a dk_heads_write that was asked for has ended. */
int dk_behind_start(struct dk_behind **behind, struct ev_loop *loop, struct dk_log *log,
                    struct dk_heads *heads, void (*on_heads_written)(void *arg), void *arg,
                    struct dk_err *err);
/* Seals what is left to seal, then ends. */
void dk_behind_stop(struct dk_behind **behind);

/* From the loop: there is more to do; and: write the frozen heads, whose position is durable. */
void dk_behind_wake(struct dk_behind *behind);
void dk_behind_write_heads(struct dk_behind *behind);

/* For reading from any thread, while this lives. */
struct dk_lookups *dk_behind_lookups(struct dk_behind *behind);

/* Positions reached, from any thread. */
uint64_t dk_behind_sealed(const struct dk_behind *behind);
uint64_t dk_behind_indexed(const struct dk_behind *behind);

#endif
