/* Who may take a ticket, and who takes it best (R2, R4). */
#ifndef DK_ROUTING_ELIGIBLE_H
#define DK_ROUTING_ELIGIBLE_H

#include "nodes/routing/state.h"
#include "proto/fold/definition.h"

#define DK_CANDIDATES_SAID 8 /* the choice and the next seven stand in the event */
#define DK_REASONS         9 /* enum ExclusionReason */

/* An agent at the instant of a decision, with what this consideration has given it already. */
struct dk_agent_now {
    uint64_t id;
    const Docket__AgentDefined *body; /* NULL: not defined then */
    int64_t idle_since_us;
    uint32_t load, capacity;
    uint32_t spare_permille; /* spare share of capacity */
    uint16_t channel_load[DK_CHANNELS];
    bool on_shift, on_call, available;
};

/* Reads an agent at an instant: definition and shifts; then load and presence, which events change.
 * `*again_us` is lowered to the next instant at which what was read changes by itself. */
void dk_agent_read(struct dk_routing *self, uint64_t id, int64_t now_us, struct dk_agent_now *agent,
                   int64_t *again_us);
void dk_agent_read_load(const struct dk_routing *self, int64_t now_us, struct dk_agent_now *agent,
                        int64_t *again_us);

/* After a change of load. */
void dk_agent_count_spare(struct dk_agent_now *agent);

/* Whether the agent works in a group then. */
bool dk_agent_is_in(const struct dk_agent_now *agent, uint64_t group);

/* The tier that an agent's definition states; 1 when it states none. */
unsigned dk_agent_tier(const Docket__AgentDefined *body);

/* Whether the agent speaks a language: "de" takes in "de-AT" and "DE". Who states no languages
 * speaks none that a ticket could ask for. */
bool dk_agent_speaks(const Docket__AgentDefined *body, const char *language, size_t bytes);

bool dk_agent_has_skill(const Docket__AgentDefined *body, const void *skill, size_t bytes);

/* Whether there is room for so much more of a channel. Nobody who is full takes anything, whatever
 * it weighs. */
bool dk_agent_has_room(const struct dk_agent_now *agent, unsigned channel, uint32_t weight);

/* What a ticket asks of the agent who takes it. */
struct dk_ask {
    const struct dk_routing_ticket *row;
    int64_t now_us;
    uint64_t group, product, speaker;
    uint64_t owner; /* whose substitute is looked for (R7), or 0 */
    const char *language;
    const Docket__ProductDefined *defined; /* the product then, or NULL */
    unsigned channel, mode, tier;
    uint32_t weight;
    const struct dk_routing_decline *decline;
    size_t decline_count;
};

/* What settings in force at an instant say of asks; borrowed from the refs. */
struct dk_terms {
    struct dk_settings settings;
    const Docket__SettingsDefined *body; /* NULL: none */
};
void dk_terms_at(const struct dk_routing *self, int64_t now_us, struct dk_terms *terms);

/* Borrows from the tables until their next edit. */
void dk_ask_of(const struct dk_routing *self, uint64_t ticket, const struct dk_terms *terms,
               int64_t now_us, struct dk_ask *ask);

/* Whether an agent has declined what is asked, not long ago. */
bool dk_ask_is_declined(const struct dk_ask *ask, uint64_t agent);

/* Why an agent is passed over; none: eligible. */
Docket__ExclusionReason dk_judge(const struct dk_routing *self, const struct dk_agent_now *agent,
                                 const struct dk_ask *ask);

/* Whether the agent works in the ask's group, is at work, and may take it by definition: room,
 * presence and declines are passed over. */
bool dk_agent_is_reached(const struct dk_routing *self, const struct dk_agent_now *agent,
                         const struct dk_ask *ask);

struct dk_choice {
    size_t count;                                        /* eligible agents */
    const struct dk_agent_now *best[DK_CANDIDATES_SAID]; /* of them, the first is the choice */
    uint32_t excluded[DK_REASONS];
};

/* R4: spare share, then idle longest, then id. */
bool dk_agent_before(const struct dk_agent_now *a, const struct dk_agent_now *b);

/* The choice by judging each of the group's agents; index.h gives the same faster. */
struct dk_pool;
void dk_choose(const struct dk_routing *self, const struct dk_pool *pool, const struct dk_ask *ask,
               struct dk_choice *choice);

#endif
