/* What became of each clock that the log says is breached: kept up to date event by event, so that
 * a report of credits (S13) costs what it lists.
 *
 *   runs --> priced | unpriced, when it ends       any --> revoked, when the fold says otherwise
 *
 * A row is a function of its ticket's transitions, of what the log says of its clocks, and of the
 * reference data up to the clock's end; it is made anew whenever one of them changes. Rows stand in
 * a table of the role; the lists by end are derived. */
#ifndef DK_SLA_BREACHES_H
#define DK_SLA_BREACHES_H

#include "nodes/runtime/table.h"
#include "proto/base/id.h"
#include "proto/refs/refs.h"

struct dk_sla;

enum dk_breach_state {
    DK_BREACH_RUNS = 1, /* not fulfilled: it has no overrun that could be priced */
    DK_BREACH_PRICED,
    DK_BREACH_UNPRICED, /* no contract, or none of its penalties is for such a clock */
    DK_BREACH_REVOKED,  /* not breached any more, which the log will say */
};

/* Table 5: ticket -> an array of these, in the order in which the log first named the clocks. */
struct dk_breach {
    int64_t due_us;
    int64_t ended_us; /* 0: not yet */
    int64_t overrun_us;
    uint64_t contract;
    uint32_t instance;
    uint8_t metric;   /* Docket__Metric */
    uint8_t priority; /* Docket__Priority, when it broke */
    uint8_t state;    /* enum dk_breach_state */
    uint8_t reserved;
};
_Static_assert(sizeof(struct dk_breach) == 40, "flat, without padding");

struct dk_breach_end {
    int64_t ended_us;
    uint64_t ticket;
    uint32_t metric, instance;
};

/* By end; at one instant by ticket, metric, instance. Clocks mostly end in this order, so that
 * putting one in moves few. */
struct dk_breach_list {
    struct dk_breach_end *end;
    size_t count, capacity;
};

struct dk_breaches {
    struct dk_table *rows;
    struct dk_breach_list priced, unpriced;
    size_t running;    /* rows that run */
    size_t unsettled;  /* revoked rows of clocks that have not ended: any definition may matter */
    int64_t newest_us; /* no row has ended, or if it runs was due, later */
};

void dk_breaches_close(struct dk_breaches *breaches);

/* Derives the lists from the rows. */
void dk_breaches_rebuild(struct dk_breaches *breaches);

/* The ticket's clocks, or what the log says of them, may have changed. */
void dk_breaches_update(struct dk_sla *self, uint64_t ticket);

/* A definition came in, in force from an instant on: what ended before rests on none of it. */
void dk_breaches_defined(struct dk_sla *self, int64_t effective_us);

/* How many of a list ended before an instant: where those begin that did not. */
size_t dk_breach_list_before(const struct dk_breach_list *list, int64_t at_us);

/* The row of an entry of a list. Borrowed from the table. */
const struct dk_breach *dk_breach_of(const struct dk_breaches *breaches,
                                     const struct dk_breach_end *end);

/* Which penalty prices an ended breach, and by which version of its contract; NULL: none does. */
const Docket__Penalty *dk_breach_penalty(const struct dk_refs *refs, const struct dk_breach *breach,
                                         const struct dk_refs_version **terms);

#endif
