/* The routing role: which group, and which agent (DOMAIN R1-R8).
 *
 *   ticket without a group      --> Routed: the catalogue's route to line 1 (R1)
 *   functional escalation       --> Routed: the catalogue's route to the line asked for
 *   ticket waiting in a group   --> Assigned, or Offered when the settings give offers a time, in
 *                                   the queue's order (R3), to the best eligible agent (R2, R4);
 *                                   Queued, once, when nobody is eligible
 *   ... queue_timeout later     --> Queued: the next step of R5, and Routed where it leads to
 *   offer that ran out          --> OfferDeclined; without that agent for decline_pause (R6)
 *   owner off shift, asked for  --> HandoverDeclared: a substitute (R7)
 *   owner's next shift begins   --> HandoverDeclared: the return of any temporary handover
 *   customer who came before    --> RepeatNoted
 *
 * Who gets what is decided by pool: the groups that share agents. Its queues move when a ticket
 * comes in, an agent has room again, a shift begins, presence changes or a decline runs out. All
 * else is the ticket's own. Everything is decided from the fold at one position and one instant,
 * and stands in the event: the same fold and instant give the same choice, which explain.h shows.
 *
 * An agent's load is the sum of the weights of the new and open tickets that the agent owns, of
 * those on offer to the agent, and of those that come back to the agent; a pending ticket weighs
 * nothing until it opens again. An agent of whom no presence was ever told is available. */
#ifndef DK_ROUTING_ROUTING_H
#define DK_ROUTING_ROUTING_H

#include "nodes/runtime/role.h"

/* Queries: "queue" group=KEY (its tickets in order), "agents" (all who ever had
 * load or presence, by id: load; presence, null = never told). */
extern const struct dk_role_ops dk_routing_role;

#define DK_ROUTING_DEFAULT_CAPACITY 10 /* of an agent whose definition states none */

#endif
