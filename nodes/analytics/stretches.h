/* How long something took: a stretch of a ticket's time, on the wall or in business time.
 *
 * Business time is counted by the calendar that the report names, for all tickets, else by the one
 * of the promise that was in force for the ticket (S1: each part by what held then, a calendar by
 * its version then, which is as-now the one of now). Where no promise tells a calendar, or a named
 * one was not defined yet, nothing is known, and nothing is guessed. */
#ifndef DK_ANALYTICS_STRETCHES_H
#define DK_ANALYTICS_STRETCHES_H

#include "nodes/analytics/facts.h"
#include "proto/refs/refs.h"
#include <stdbool.h>

struct dk_time_rule {
    struct dk_refs *refs;
    bool business;
    uint64_t calendar; /* of all tickets; 0: of each one's promise */
    bool as_now;
    int64_t now_us; /* recorded time of the last event */
};

/* What several stretches add up to. */
struct dk_stretch_sum {
    int64_t us;
    bool unknown;
};

/* Adds [from, to), less when `to` is before `from`; `metric` is the Docket__Metric whose promise
 * counts. */
void dk_stretch_add(struct dk_stretch_sum *sum, const struct dk_time_rule *rule,
                    const struct dk_facts *facts, size_t steps, unsigned metric, int64_t from_us,
                    int64_t to_us);

/* A ticket's status from an instant on. Changes take effect in the log's order, none before the one
 * it follows, as backlogs have it. */
struct dk_status_walk {
    const struct dk_facts *facts;
    size_t steps, next;         /* `next`: of the steps, not looked at yet */
    const struct dk_step *step; /* that brought the status about */
    int64_t from_us, to_us;     /* INT64_MAX: it has it still */
    unsigned status, pending;
    bool unknown; /* it was solved then, nobody knows when */
};
void dk_status_walk_begin(struct dk_status_walk *walk, const struct dk_facts *facts, size_t steps);
/* The next status, pending for somebody else counts as one; false: there was no further. */
bool dk_status_walk_next(struct dk_status_walk *walk);

#endif
