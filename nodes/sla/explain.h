/* The clocks of a ticket as JSON, with all that makes them what they are: the live node answers
 * "clocks" with it, and a replay says the same of the events that it has read.
 *
 *   {"ticket", "at", "live", "clocks": [{
 *      "metric", "instance", "verdict", "cause", "started", "due", "ended", "first_met",
 * "last_met", "elapsed_us", "wall_us", "target_us", "policy", "policy_version", "goal", ...: S5
 *      "segments": [{"from", "to", "why", "illegitimate", "event", "calendar", "calendar_version",
 *                    "elapsed_us", "wall_us", "so_far_us"}],       S1, S11; pauses have no elapsed
 *      "sum":      {"elapsed_us", "wall_us", "paused_us"},           of the segments
 *      "dues":     [{"at", "why", "event", "mode", "policy", "policy_version", "goal",
 *                    "target_us", "used_us", "left_us", "due"}],     S2, S6: the last one holds
 *      "warnings": [{"level" or "before_us", "due", "reached"}]}]}   S12 */
#ifndef DK_SLA_EXPLAIN_H
#define DK_SLA_EXPLAIN_H

#include "proto/fold/clocks.h"
#include <jansson.h>

struct dk_explained {
    uint64_t ticket;
    const struct dk_transition *transition; /* in their order */
    size_t count;
    struct dk_refs *refs;
    int64_t at_us;         /* what occurred later is not looked at */
    Docket__Metric metric; /* none: all */
};

/* Computes the clocks into `clocks` and tells of them. Owned by the caller. */
json_t *dk_explain(struct dk_clocks *clocks, const struct dk_explained *asked);

/* "first-reply", "resolution", ...: a metric by its word. 0, or DK_EINVAL with field "metric". */
int dk_explain_metric(const char *word, Docket__Metric *metric, struct dk_err *err);

/* An entity as people write it, by its key; null for none. Owned by the caller. */
json_t *dk_explain_key(const struct dk_refs *refs, uint64_t subject);

#endif
