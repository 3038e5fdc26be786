/* Figures that are of no single ticket (DOMAIN "KPI"): how much agents have to do, what is thinly
 * staffed, and the integral index. Of a live node and of a replay, as the queries
 *
 *   load      by=agent|group from=TIME to=TIME
 *             on_shift_s: of the shifts in force then but on-call ones, whatever presence says
 *             busy_s:     of that, with at least one ticket in new or open as its owner
 *             utilization: busy of on shift, percent
 *             load:       tickets in hand (new or open, owner), mean over the time on shift
 *             logged_s:   working time logged on the owner's tickets
 *             Of a group: its agents' sums, the mean and the greatest load of those who were on
 *             shift, and imbalance = greatest / mean.
 *   coverage  at=TIME at-least=2
 *             each product, line with a route, and shift (not on call, its dates hold) for which
 *             fewer agents of the route's group are listed who see the product and have the skills
 *             that it requires
 *   index     by=agent|group from=TIME to=TIME days=90 a=0.5 b=0.5 c=0.25
 *             sum over ticket types of weight x count x quality, per scheduled hour (on_shift_s):
 *             weight   median agent work, in hours, of the type's tickets that ended in the `days`
 *                      before `to`; types of which none did, and tickets without a type's weight,
 *                      are left out and counted ("unweighted")
 *             count    tickets that ended in [from, to), of who had them then
 *             quality  1 - a*reopened - b*breached + c*(csat - mean): of these tickets the share
 *                      that was ever reopened; broken SLA promises at breaches in [from, to), a
 *                      ticket; and the share of ratings of 4 and 5, in [from, to), less that of all
 *                      (0 where nobody rated)
 *
 * `to` is the log's last recorded time unless given, `from` 28 days before. Values are as-was: of
 * who had a ticket then. Agents and groups are those in force at `to` or `at`, by id; who has
 * neither work nor a shift is left out. */
#ifndef DK_ANALYTICS_STAFF_H
#define DK_ANALYTICS_STAFF_H

#include "nodes/analytics/listing.h"
#include "proto/calendar/zone.h"

struct dk_staff_query {
    int64_t from_us, to_us, at_us;
    bool by_group;
    uint64_t at_least, days;
    double reopened, breached, csat; /* a, b, c */
    struct dk_zone *zone;
};

/* Answers one of the queries above. 0; DK_ENOTFOUND (no such query or zone); DK_EINVAL with the
 * argument's key as its field; DK_ETOOBIG. */
int dk_staff_answer(const struct dk_analytics *analytics, const char *name,
                    const char *const *argument, size_t argument_count, struct dk_buf *json,
                    struct dk_err *err);
bool dk_staff_has(const char *name);

/* The parts, of this folder only: each appends the report's rows. */
void dk_staff_load(struct dk_listing *rows, const struct dk_staff_query *query);
void dk_staff_coverage(struct dk_listing *rows, const struct dk_staff_query *query);
void dk_staff_index(struct dk_listing *rows, const struct dk_staff_query *query);

/* The agent's times on shift in [from, to), in order, appended to a list that grows. */
struct dk_span {
    uint64_t agent;
    int64_t from_us, to_us;
};
struct dk_spans {
    struct dk_span *span;
    size_t count, capacity;
};
void dk_spans_add(struct dk_spans *spans, uint64_t agent, int64_t from_us, int64_t to_us);
void dk_spans_shifts(struct dk_spans *spans, struct dk_refs *refs, uint64_t agent, int64_t from_us,
                     int64_t to_us);

/* Whether an agent is in a group. */
bool dk_staff_member(const Docket__AgentDefined *agent, uint64_t group);

#endif
