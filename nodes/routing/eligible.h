/* Who may take a ticket, and who takes it best (R2, R4). */
#ifndef DK_ROUTING_ELIGIBLE_H
#define DK_ROUTING_ELIGIBLE_H

#include "nodes/routing/state.h"

#define DK_CANDIDATES_SAID 8 /* the choice and the next seven stand in the event */

/* An agent at the instant of a decision, with what this consideration has given it already. */
struct dk_agent_now {
    uint64_t id;
    const Docket__AgentDefined *body;
    int64_t idle_since_us;
    uint32_t load, capacity;
    uint16_t channel_load[DK_CHANNELS];
    bool on_shift, available;
};

/* Reads an agent at an instant; false when it is not defined then. `*again_us` is lowered to the
 * next instant at which its definition, shift or presence changes. */
bool dk_agent_at(struct dk_routing *self, uint64_t id, int64_t now_us, struct dk_agent_now *agent,
                 int64_t *again_us);

/* Whether the agent works in a group then. */
bool dk_agent_is_in(const struct dk_agent_now *agent, uint64_t group);

struct dk_choice {
    size_t count; /* eligible agents, best first; the first is the choice */
    struct dk_agent_now *best[DK_CANDIDATES_SAID];
    uint32_t excluded[8]; /* by enum ExclusionReason */
};

/* Judges every agent for one ticket. `weight` is what the ticket takes. */
void dk_choose(const struct dk_routing *self, uint64_t ticket, uint32_t weight, int64_t now_us,
               struct dk_agent_now *const *agents, size_t agent_count, struct dk_choice *choice);

/* Spare share of capacity, in thousandths. */
uint32_t dk_spare_permille(const struct dk_agent_now *agent);

#endif
