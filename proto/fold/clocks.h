/* The second fold of a ticket: its clocks (DOMAIN "SLA clocks").
 *
 * A pure function of the ticket's transitions in their order (transition.h) and the reference
 * data, so that an event which comes in late gives the same clocks as if it had come in time.
 *
 *   metric            runs from                          is met by                pauses
 *   first reply       creation, or the first customer's  first human reply        solved
 *                     message when opened by notes
 *   next reply        the oldest unanswered customer's   next human reply         solved
 *                     message after the first reply
 *   update            each human reply                   next human reply, or     pending
 *                                                        solved
 *   requester wait    creation                           solved                   pending (customer)
 *   agent work        creation                           solved                   pending
 *   resolution        creation                           solved                   as its policy says
 *   group ownership   routing to a group, reopening      another group, solved    never
 *   supplier          handing over                       return                   never
 *
 * First and next reply pause while the ticket is solved: nothing is owed then. When it is closed
 * they are cancelled, and a merge cancels all clocks of its source (S10). Requester wait, agent
 * work and resolution resume when the ticket is reopened (S9); first reply never restarts. A
 * metric for which nothing is promised has no clock; one that gets a promise later begins then, and
 * has used up what earlier clocks had between the same beginning and end, or, when its policy is
 * retroactive, all that it has run since that beginning, promised or not (S6).
 *
 *   running --> met | breached, at due (S2) | cancelled        paused <--> running
 *   met --> running, paused: reopened                          breached: for ever (S6), though it
 *                                                              counts on until it is fulfilled
 *
 * Policies are those in force when the ticket was opened, or adopted, and those published to open
 * tickets since (S7). Which of them matches is asked again whenever a value changes that they may
 * look at (S6), at an adoption, and at each publication to open tickets from its instant on.
 * Calendars change as they do (S1), but for versions that are for new tickets only (S7). */
#ifndef DK_FOLD_CLOCKS_H
#define DK_FOLD_CLOCKS_H

#include "docket.pb-c.h"
#include "proto/fold/traits.h"
#include "proto/fold/transition.h"
#include "proto/refs/refs.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DK_CLOCK_METRICS  (DOCKET__METRIC__METRIC_SUPPLIER + 1) /* by Docket__Metric; 0 is none */
#define DK_CLOCK_WARNINGS 16 /* of one clock; further ones are not looked at */

/* When so many percent of the target are used up, or so much of it is left, in business time (S12).
 * A clock warns of each once; of a paused clock, what is not reached has no due. */
struct dk_clock_warning {
    int64_t due_us;    /* INT64_MAX: not as things stand */
    int64_t before_us; /* how much is left; 0: a level */
    uint32_t level;    /* percent; 0: before_us */
};

struct dk_clock {
    Docket__Metric metric;
    uint32_t instance; /* 1, 2, ... of the metric on this ticket, in order of beginning */
    Docket__Verdict verdict;
    Docket__BreachCause breach_cause;
    Docket__CancelCause cancel_cause;
    Docket__Priority priority; /* of the ticket, while it was not breached */
    int64_t started_us;
    int64_t due_us;      /* INT64_MAX while paused; of a breach, for ever, when it happened */
    int64_t last_due_us; /* the same, but while paused what it was before */
    int64_t ended_us;    /* fulfilled or cancelled; 0 = not, or not any more */
    int64_t first_met_us,
        last_met_us;  /* S9: of every fulfilment the first and the last; 0 = none */
    uint32_t resumed; /* times that it went on after it was fulfilled */
    int64_t target_us;
    int64_t elapsed_us;         /* business time (S1), paused time left out */
    int64_t elapsed_before_us;  /* of it, when the clock last began to run or its goal changed */
    int64_t wall_us;            /* the same in wall-clock time */
    int64_t overrun_us;         /* of a breach: business time that has run since (S13) */
    uint64_t policy;            /* S5: what its goal rests on, as of goal_us; 0 = none */
    uint64_t calendar;          /* 0: every instant counts */
    uint64_t company, contract; /* of a UC clock the contract is the supplier's */
    uint32_t site;              /* of the group */
    uint32_t policy_version, calendar_version;
    uint32_t goal;   /* number in the policy, from 0 */
    int64_t goal_us; /* from when on this goal holds */
    uint64_t cause;  /* position of what last changed it */
    uint32_t warning_count;
    /* In the order in which they come; those not less than the target are left out. */
    struct dk_clock_warning warning[DK_CLOCK_WARNINGS];
};

enum dk_segment_why {
    DK_SEGMENT_RUNS,
    DK_SEGMENT_CUSTOMER, /* paused: pending for the customer */
    DK_SEGMENT_SUPPLIER,
    DK_SEGMENT_INTERNAL,
    DK_SEGMENT_UNKNOWN, /* pending, not known for whom (imported) */
    DK_SEGMENT_SOLVED,
};

/* A stretch of a clock under one goal and calendar version; a clock's segments follow each other
 * without a gap, from its beginning to its end, or to the instant asked for. */
struct dk_clock_segment {
    int64_t from_us, to_us;
    int64_t elapsed_us; /* business time; 0 of a pause */
    uint64_t calendar;
    uint64_t cause; /* position of what made it run, or pause */
    uint32_t calendar_version;
    uint32_t clock; /* index of the clock */
    enum dk_segment_why why;
    bool illegitimate; /* S11: a pause for the customer who had written last or was asked nothing */
};

enum dk_foreseen_why {
    DK_FORESEEN_STARTED,
    DK_FORESEEN_RESUMED,  /* after a pause */
    DK_FORESEEN_REOPENED, /* S9 */
    DK_FORESEEN_GOAL,     /* another one (S6, S7) */
    DK_FORESEEN_ADOPTED,  /* by the calendar of the adoption (T1, S7) */
    DK_FORESEEN_MERGED,   /* an older message came with a merge (S10) */
};

/* Why a clock is due when it is: at `at`, target - used was left, which the calendar has used up at
 * `due`. A clock's last one holds. */
struct dk_clock_foreseen {
    int64_t at_us;
    int64_t target_us;
    int64_t used_us; /* of the target, as the mode of a change left it */
    int64_t due_us;  /* while paused: if it went on at once */
    uint64_t cause;  /* position */
    uint64_t policy;
    uint32_t policy_version, goal;
    uint32_t clock; /* index of the clock */
    enum dk_foreseen_why why;
    Docket__ChangeMode mode; /* of DK_FORESEEN_GOAL */
};

/* Filled by dk_clocks_compute, over and over; memory is kept from one to the next. */
/* What a metric that counts, and of which nothing is promised, did: a later promise may count it
 * (S6, retroactive). Segments have it from the promise on. */
struct dk_clock_unpromised {
    int64_t from_us, to_us;
    Docket__Metric metric;
    enum dk_segment_why
        why; /* of a pause that policies name: for whom, whether they name it or not */
};

/* S11: a pause for the customer that is not known to be by right, as the ticket's life has it,
 * whether a clock ran or not. */
enum dk_pause_why {
    DK_PAUSE_BY_RIGHT,
    DK_PAUSE_WROTE_LAST, /* illegitimate: the customer */
    DK_PAUSE_NOT_ASKED,  /* illegitimate: was asked nothing before it */
    DK_PAUSE_UNKNOWN,    /* imported replies, of which it is not told whether they asked */
};

struct dk_clock_pause {
    int64_t from_us, to_us; /* 0: it lasts */
    uint64_t position;      /* of who paused */
    uint64_t ended_by;      /* what ended it; 0: it lasts */
    uint64_t message;       /* WROTE_LAST: what came from the customer last */
    uint64_t group;         /* the ticket's, as it began */
    enum dk_pause_why why;
};

struct dk_clocks {
    struct dk_clock *clock; /* in order of beginning; at one instant by metric */
    size_t count, capacity;
    struct dk_clock_segment *segment; /* in order of closing */
    size_t segment_count, segment_capacity;
    struct dk_clock_foreseen *foreseen; /* in order of time */
    size_t foreseen_count, foreseen_capacity;
    struct dk_clock_unpromised *unpromised; /* scratch */
    size_t unpromised_count, unpromised_capacity;
    struct dk_clock_pause *pause; /* in order of time; none is by right */
    size_t pause_count, pause_capacity;
    struct dk_traits traits; /* the ticket's, after all; and its status, since when */
    Docket__Status status;
    Docket__Pending pending;
    int64_t since_us;
    int64_t rules_us;     /* whose policies and calendars hold for it (S7) */
    int64_t live_from_us; /* INT64_MIN: since opened. T1: nothing before it is owed; historical
                             tickets INT64_MAX, adopted ones their adoption */
};

void dk_clocks_init(struct dk_clocks *clocks);
void dk_clocks_close(struct dk_clocks *clocks);

/* All clocks of a ticket, judged as of `until_us`: what is due by then and not fulfilled is
 * breached. Transitions later than that are taken in too (a desk's clock may run ahead). Without
 * an Opened among the transitions there are none. */
void dk_clocks_compute(struct dk_clocks *clocks, const struct dk_transition *transition,
                       size_t count, struct dk_refs *refs, int64_t until_us);

/* "customer", "solved", ...; "running" of DK_SEGMENT_RUNS. */
const char *dk_segment_word(enum dk_segment_why why);
/* "started", "resumed", "reopened", "goal", "adopted", "merged". */
const char *dk_foreseen_word(enum dk_foreseen_why why);

#endif
