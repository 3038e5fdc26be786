/* What an agent sees (R8). */
#ifndef DK_ROUTING_VISIBLE_H
#define DK_ROUTING_VISIBLE_H

#include "proto/refs/refs.h"

/* Whether the group is among those of an agent's definition. */
bool dk_works_in(const Docket__AgentDefined *agent, uint64_t group);

/* Whether the products that an agent's definition names, if any, have this one among them or
 * below. */
bool dk_sees_product(const struct dk_refs *refs, const Docket__AgentDefined *agent,
                     uint64_t product, int64_t at_us);

/* Whether an agent sees a ticket of a product in a group's queue: by the products of the
 * definition; without any, when the group is the agent's or a route of the product leads to one
 * that is. */
bool dk_sees_ticket(const struct dk_refs *refs, const Docket__AgentDefined *agent, uint64_t product,
                    uint64_t group, int64_t at_us);

#endif
