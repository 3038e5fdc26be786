/* What became of each clock that the log says is breached, so that a report of credits (S13) costs
 * what it lists.
 *
 *   runs --> priced | unpriced, when it ends       any --> revoked, when the fold says otherwise
 *
 * A row is a function of its ticket's transitions, of what the log says of its clocks, and of the
 * reference data up to the clock's end. All of it is derived: whatever changes one of these makes a
 * ticket stale, and its rows are made anew when it is considered, or at the latest before they are
 * asked for. */
#ifndef DK_SLA_BREACHES_H
#define DK_SLA_BREACHES_H

#include "proto/base/id.h"
#include "proto/base/map.h"
#include "proto/refs/refs.h"

struct dk_sla;

enum dk_breach_state {
    DK_BREACH_RUNS = 1, /* not fulfilled: it has no overrun that could be priced */
    DK_BREACH_PRICED,
    DK_BREACH_UNPRICED, /* no contract, or none of its penalties is for such a clock */
    DK_BREACH_REVOKED,  /* not breached any more, which the log will say */
};

/* In the order in which the log first named the clocks. */
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

struct dk_breach_rows {
    struct dk_breach *row;
    size_t count;
};

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
    struct dk_map rows;  /* ticket -> struct dk_breach_rows, of breached ones */
    struct dk_map stale; /* tickets */
    struct dk_breach_list priced, unpriced;
    size_t running; /* rows that run */
};

void dk_breaches_init(struct dk_breaches *breaches);
void dk_breaches_close(struct dk_breaches *breaches);

/* The ticket's clocks, what the log says of them, or what they rest on may have changed. Nothing
 * when none was breached. */
void dk_breaches_stale(struct dk_sla *self, uint64_t ticket);

/* Makes a stale ticket's rows anew, of self->clocks: the ticket's, as of the last event or later.
 */
void dk_breaches_update(struct dk_sla *self, uint64_t ticket);

/* The same of all that are stale: the lists are right then. */
void dk_breaches_refresh(struct dk_sla *self);

/* How many of a list ended before an instant: where those begin that did not. */
size_t dk_breach_list_before(const struct dk_breach_list *list, int64_t at_us);

/* The row of an entry of a list. Borrowed until the next update. */
const struct dk_breach *dk_breach_of(const struct dk_breaches *breaches,
                                     const struct dk_breach_end *end);

/* Which penalty prices an ended breach, and by which version of its contract; NULL: none does. */
const Docket__Penalty *dk_breach_penalty(const struct dk_refs *refs, const struct dk_breach *breach,
                                         const struct dk_refs_version **terms);

#endif
