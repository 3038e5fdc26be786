/* One ticket's clocks, judged by two sets of promises, and which clock of one is which of the other.
 *
 * Two clocks are the same when they are of one metric and began at one instant: at the same
 * message, routing or opening. Of a metric that a ticket has but once (first reply, requester wait,
 * agent work, resolution) they are the same, too, when one promise came later than the other. */
#ifndef DK_REPLAY_WHATIF_JUDGE_H
#define DK_REPLAY_WHATIF_JUDGE_H

#include "proto/fold/clocks.h"

struct dk_judged {
    const struct dk_clock *before, *after; /* NULL: nothing was promised */
};

struct dk_judgement {
    struct dk_clocks before, after;
    struct dk_judged *pair; /* in the order of `before`, then those of `after` alone */
    size_t count, capacity;
    bool *taken; /* of `after` */
    size_t taken_capacity;
};

void dk_judgement_init(struct dk_judgement *judgement);
void dk_judgement_close(struct dk_judgement *judgement);

/* Computes both (dk_clocks_compute). What it gives is good until the next. */
void dk_judgement_make(struct dk_judgement *judgement, const struct dk_transition *transition,
                       size_t count, struct dk_refs *before, struct dk_refs *after,
                       int64_t until_us);

/* What became of a clock. A clock that was met and runs again has no verdict. */
enum dk_outcome {
    DK_OUTCOME_NONE, /* no promise */
    DK_OUTCOME_MET,
    DK_OUTCOME_BREACHED,
    DK_OUTCOME_CANCELLED,
    DK_OUTCOME_OPEN,
    DK_OUTCOME_COUNT
};
enum dk_outcome dk_outcome_of(const struct dk_clock *clock);
const char *dk_outcome_word(enum dk_outcome outcome);

/* When it was met, cancelled, or breached (S2: at its due). INT64_MAX: not yet, or no clock. */
int64_t dk_outcome_us(const struct dk_clock *clock);

/* Whether anything that a report could tell differs: the outcome, when, or business time. */
bool dk_judged_differs(const struct dk_judged *pair);

#endif
