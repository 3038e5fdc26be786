/* Who gets what waits in a pool (R2-R4, R6, R7), as one consideration of it decides. */
#ifndef DK_ROUTING_DECIDE_H
#define DK_ROUTING_DECIDE_H

#include "nodes/routing/eligible.h"

/* Considers a pool. With `stop` it ends where it would give that ticket to somebody, or say that it
 * waits: `*stopped` says so, and what the consideration gave before stands in the pool. */
void dk_routing_consider_pool(struct dk_routing *self, struct dk_pool *pool, int64_t now_us,
                              struct dk_intents *intents, int64_t *again_us, uint64_t stop,
                              bool *stopped);

/* The choice for what a ticket that waits asks, when nothing else has been given to anybody. */
void dk_routing_choose_alone(struct dk_routing *self, const struct dk_ask *ask,
                             struct dk_choice *choice);

/* Adds a Queued; `step`: the relaxation it states, or none. false when the intents are full. */
bool dk_routing_add_queued(struct dk_intents *intents, uint64_t ticket, const struct dk_ask *ask,
                           unsigned step, uint64_t cause, const struct dk_choice *choice);

#endif
