/* Which promise holds for a ticket: the first policy that matches, and its goal (DOMAIN S4).
 *
 * All policies of one type (SLA, OLA, UC) are an ordered list; the first whose conditions all hold
 * is the ticket's, whether it has a goal for the metric or not. Its goal for the metric and the
 * ticket's priority counts, else the one for any priority, else there is no promise. A product's
 * subtree counts, a tier is the company's, "de" takes in "de-AT", any of several tags will do. */
#ifndef DK_FOLD_GOAL_H
#define DK_FOLD_GOAL_H

#include "docket.pb-c.h"
#include "proto/refs/refs.h"
#include <stdint.h>

#define DK_FACTS_TAGS                                                                              \
    32 /* of a ticket, that conditions can be about; further ones are not kept                     \
        */

/* What conditions look at: a ticket's values at one instant. Ids are whole, 0 = none. */
struct dk_clock_facts {
    uint64_t customer;
    uint64_t company; /* as stated; 0: the customer's */
    uint64_t product;
    uint64_t group;
    uint64_t supplier;
    uint64_t language;           /* dk_transition_language, 0 = not told */
    uint64_t tag[DK_FACTS_TAGS]; /* dk_transition_word */
    uint32_t tag_count;
    uint8_t priority; /* Docket__Priority */
    uint8_t type;
    uint8_t channel;
};

struct dk_goal {
    const struct dk_refs_version *policy; /* borrowed from the refs; NULL: nothing is promised */
    uint32_t number;                      /* of the goal in the policy, from 0 */
    int64_t target_us;
    uint64_t calendar; /* 0: every instant counts */
};

/* The goal for `metric` by the policies in force at `rules_us`, for a ticket with these facts at
 * `at_us` (when catalogue, customers and companies are read). */
struct dk_goal dk_goal_of(struct dk_refs *refs, Docket__Metric metric, int64_t rules_us,
                          const struct dk_clock_facts *facts, int64_t at_us);

/* The body of a goal's policy. */
static inline const Docket__PolicyDefined *dk_goal_policy(const struct dk_goal *goal)
{
    return goal->policy != NULL ? (const void *)goal->policy->body : NULL;
}

#endif
