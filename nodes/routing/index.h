/* A group's agents by what they can take, as sets of bits: so that a choice costs a few words a
 * question instead of a question an agent.
 *
 *   member & on shift & available & sees & tier & language & skills & room   = eligible
 *   what each step takes away is the count of its reason
 *
 * And the agents who have room, in the order of R4. Gives what dk_choose gives, agent by agent. */
#ifndef DK_ROUTING_INDEX_H
#define DK_ROUTING_INDEX_H

#include "nodes/routing/pool.h"

/* Made anew from a group's agents, who have been read; none is ranked yet. */
void dk_index_make(struct dk_routing_group *group);
void dk_index_free(struct dk_index *index);

/* The agent leaves the index before, and enters it after, load, shift or presence change. */
void dk_index_leave(const struct dk_seat *seat, const struct dk_pool_agent *agent);
void dk_index_enter(const struct dk_seat *seat, const struct dk_pool_agent *agent);

/* Whether any agent of the group is at work and has room. */
bool dk_index_has_room(const struct dk_routing_group *group);

/* The choice for what is asked. */
void dk_index_choose(struct dk_routing *self, struct dk_routing_group *group,
                     const struct dk_ask *ask, struct dk_choice *choice);

/* Whether what is asked would reach an agent of the group whom `before` does not (R5): who is away,
 * full, or has declined is reached, as that passes. */
bool dk_index_adds(struct dk_routing *self, struct dk_routing_group *group,
                   const struct dk_ask *ask, const struct dk_ask *before);

#endif
