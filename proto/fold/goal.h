/* Which promise holds for a ticket: the first policy that matches, and its goal (DOMAIN S4).
 *
 * All policies of one type (SLA, OLA, UC) are an ordered list; the first whose conditions all hold
 * is the ticket's, whether it has a goal for the metric or not. Its goal for the metric and the
 * ticket's priority counts, else the one for any priority, else there is no promise. */
#ifndef DK_FOLD_GOAL_H
#define DK_FOLD_GOAL_H

#include "docket.pb-c.h"
#include "proto/fold/traits.h"
#include "proto/refs/refs.h"
#include <stdint.h>

struct dk_goal {
    const struct dk_refs_version *policy; /* borrowed from the refs; NULL: nothing is promised */
    uint32_t number;                      /* of the goal in the policy, from 0 */
    int64_t target_us;
    uint64_t calendar; /* 0: every instant counts */
};

/* The goal for `metric` by the policies in force at `rules_us`, for a ticket with these traits at
 * `at_us` (when catalogue, customers and companies are read). */
struct dk_goal dk_goal_of(struct dk_refs *refs, Docket__Metric metric, int64_t rules_us,
                          const struct dk_traits *traits, int64_t at_us);

/* The body of a goal's policy. */
static inline const Docket__PolicyDefined *dk_goal_policy(const struct dk_goal *goal)
{
    return goal->policy != NULL ? (const void *)goal->policy->body : NULL;
}

#endif
