/* One clock: how long it has run, when it is due, what has become of it; of proto/fold only.
 *
 * Instants come in order. Before anything is done at an instant, dk_run_pass is called for it: a
 * clock that was due before is breached then. */
#ifndef DK_FOLD_CLOCK_RUN_H
#define DK_FOLD_CLOCK_RUN_H

#include "proto/fold/clocks.h"
#include "proto/fold/goal.h"

/* A metric on its ticket: whether it counts now, and in which clock. */
struct dk_run {
    Docket__Metric metric;
    bool on;                 /* it has begun and is not fulfilled or cancelled */
    bool promised;           /* it has a clock, which is the one below */
    bool closed;             /* fulfilled, and it may go on in the same clock (S9) */
    size_t clock;            /* index in clocks */
    size_t first;            /* of those that follow each other as its promise comes and goes */
    size_t first_unpromised; /* the same of the stretches between them */
    int64_t begun_us;        /* when the first of either began */
    uint32_t instances;      /* clocks so far */
    struct dk_goal goal;     /* of the clock */
    int64_t used_us;    /* of the target (S6): elapsed since the first of these, unless a change of
                            policy said otherwise */
    int64_t allowed_us; /* of a breach: what was used when it came; the rest is overrun */
    int64_t from_us;    /* the open segment, or stretch without a promise; and the position of what
                            began it */
    uint64_t cause;
    enum dk_segment_why why;
    bool illegitimate;
};

/* What all clocks of a ticket share while they are computed. */
struct dk_runs {
    struct dk_clocks *clocks;
    struct dk_refs *refs;
    int64_t rules_us;                    /* S7: whose policies and calendars hold for the ticket */
    struct dk_run run[DK_CLOCK_METRICS]; /* by metric */
};

/* Room for one more element, doubling from 8. */
void *dk_run_grow(void *array, size_t count, size_t *capacity, size_t element_bytes);

/* A new clock of the metric from `at_us` on, if something is promised. */
void dk_run_begin(struct dk_runs *runs, struct dk_run *run, const struct dk_goal *goal,
                  int64_t at_us, uint64_t cause);

/* Breached, if it was due before `at_us`; with `at_too`, also if it is due then. */
void dk_run_pass(struct dk_runs *runs, struct dk_run *run, int64_t at_us, bool at_too);

/* Runs on, or pauses, from `at_us` on, promised or not. */
void dk_run_turn(struct dk_runs *runs, struct dk_run *run, enum dk_segment_why why,
                 bool illegitimate, int64_t at_us, uint64_t cause);

void dk_run_fulfil(struct dk_runs *runs, struct dk_run *run, int64_t at_us, uint64_t cause);
void dk_run_cancel(struct dk_runs *runs, struct dk_run *run, Docket__CancelCause why, int64_t at_us,
                   uint64_t cause);
/* S9: a fulfilled one goes on, promised or not. */
void dk_run_resume(struct dk_runs *runs, struct dk_run *run, int64_t at_us, uint64_t cause);

/* S6: another goal holds from `at_us` on; begins or cancels where there was or is none. */
void dk_run_regoal(struct dk_runs *runs, struct dk_run *run, const struct dk_goal *goal,
                   int64_t at_us, uint64_t cause);

/* S7: all clocks go by the rules of `rules_us` from then on. */
void dk_run_rules(struct dk_runs *runs, int64_t rules_us, uint64_t cause);

/* S10: it has run since `since_us` already, without a pause; promised or not. */
void dk_run_backdate(struct dk_runs *runs, struct dk_run *run, int64_t since_us, uint64_t cause);

/* Counts up to `at_us`, for whoever looks at it then. */
void dk_run_look(struct dk_runs *runs, struct dk_run *run, int64_t at_us);

#endif
