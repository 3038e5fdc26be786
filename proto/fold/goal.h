/* Which promise holds for a ticket: the first policy that matches, and its goal (DOMAIN S4).
 *
 * All policies of one type (SLA, OLA, UC) are an ordered list; the first whose conditions all hold
 * is the ticket's, whether it has a goal for the metric or not. Its goal for the metric and the
 * ticket's priority counts, else the one for any priority, else there is no promise. A ticket goes
 * by the policies of its opening, and by what was published to open tickets since (S7). */
#ifndef DK_FOLD_GOAL_H
#define DK_FOLD_GOAL_H

#include "docket.pb-c.h"
#include "proto/fold/traits.h"
#include "proto/refs/refs.h"
#include <stdbool.h>
#include <stdint.h>

struct dk_goal {
    const struct dk_refs_version *policy; /* borrowed from the refs; NULL: nothing is promised */
    uint32_t number;                      /* of the goal in the policy, from 0 */
    int64_t target_us;
    uint64_t calendar; /* 0: every instant counts */

    /* What else it rests on (S5), 0 = none: */
    uint64_t company;
    uint64_t contract; /* the company's, or of UC goals the supplier's */
    uint32_t site;     /* of the group */
    Docket__Priority priority;
};

/* The policy of a type at `at_us` (when catalogue, customers and companies are read, too) for a
 * ticket with these traits that goes by the rules of `rules_us`; NULL: none matches. Borrowed from
 * the refs. */
const struct dk_refs_version *dk_goal_match(struct dk_refs *refs, Docket__PolicyType type,
                                            int64_t rules_us, const struct dk_traits *traits,
                                            int64_t at_us);

/* Its goal for `metric`. */
struct dk_goal dk_goal_of(struct dk_refs *refs, Docket__Metric metric, int64_t rules_us,
                          const struct dk_traits *traits, int64_t at_us);

/* Whether resolution pauses by this policy while a ticket is pending. A pause of which nobody told
 * whom it is for is taken for the usual one, for the customer. */
bool dk_goal_pauses(const Docket__PolicyDefined *policy, Docket__Pending pending);

/* The body of a goal's policy. */
static inline const Docket__PolicyDefined *dk_goal_policy(const struct dk_goal *goal)
{
    return goal->policy != NULL ? (const void *)goal->policy->body : NULL;
}

#endif
