/* What if: the same history judged by other promises, and what differs (issue: "what-if").
 *
 *   log, files --promises--> two sets of reference data
 *   log --gather--> each ticket's transitions --judge--> its clocks by both --tally--> report
 *
 * Each clock is computed by the fold that the sla node has (proto/fold/clocks.h), from what people
 * did: what the nodes said then is not asked. What nodes decided (a routing, an automatic solve)
 * stays as it was. All tickets are judged, historical ones too, of which nothing was ever owed.
 *
 * A clock counts at the instant of its outcome (breached: its due; met, cancelled: its end) as it
 * was, else as it would have been: both sides count the same clocks, and without a difference the
 * shares are those of `docket kpi`. Values that reports are grouped and filtered by are the
 * ticket's last ones; its line and its owner are not known here.
 *
 *   {"report": "what-if", "position", "definitions", "definition_version", "fold_version",
 *    "judged_at", "from", "to", "zone", "by": [...],
 *    "tickets": {"judged", "differ", "newly_met", "newly_breached"},
 *    "lines": [{"metric", "by": {...}, "before": {"met", "breached", "cancelled", "open",
 *      "attainment"}, "after": {...}, "newly_met", "newly_breached", "differ"}],
 *    "credits": [{"month", "contract", "company" or "supplier", "currency",
 *      "before_minor", "after_minor", "difference_minor"}],
 *    "newly": [{"ticket", "metric", "before": {"instance", "outcome", "due", "ended"} or null,
 *      "after": ...}], "newly_left_out"}
 *
 * newly_met: met, and was not; newly_breached: breached, and was not; differ: any other outcome,
 * due, end or business time. Attainment is in percent, null without a verdict. Credits are priced
 * as nodes/sla/credits.h does, in the month in which each side's clock ended.
 *
 * The same position, definitions and arguments give the same bytes. */
#ifndef DK_REPLAY_WHATIF_WHATIF_H
#define DK_REPLAY_WHATIF_WHATIF_H

#include "nodes/analytics/kpi.h"
#include "replay/whatif/gather.h"
#include "replay/whatif/promises.h"
#include <jansson.h>

#define DK_WHATIF_DEFINITIONS 1 /* what the report's words mean; a change asks for a new one */

struct dk_whatif {
    const struct dk_promises *promises;
    const struct dk_kpi_query *query; /* its by, filter, from, to and zone */
    struct dk_log_reader *reader;
    size_t limit;                                     /* of the list "newly" */
    size_t room;                                      /* of dk_gather; 0: DK_GATHER_ROOM */
    int (*on_progress)(void *arg, uint64_t position); /* as dk_scan's; may be NULL */
    void *arg;
};

/* 0, with the report, which the caller owns; DK_EINVAL, field "by" or a filter's, for a dimension
 * that is not known here; DK_ETOOBIG (too many lines); what on_progress returned; as dk_gather. */
int dk_whatif_run(const struct dk_whatif *whatif, json_t **report, struct dk_err *err);

#endif
