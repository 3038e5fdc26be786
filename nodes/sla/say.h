/* Clock events, made of what is computed; of nodes/sla only. */
#ifndef DK_SLA_SAY_H
#define DK_SLA_SAY_H

#include "nodes/sla/state.h"

struct dk_saying {
    struct dk_intents *intents;
    const struct dk_refs *refs;
    uint64_t ticket;
    int64_t now_us;
    uint64_t newest; /* position of the last of the ticket's events that move clocks */
    const struct dk_traits *traits; /* the ticket's, after all of them */
};

/* Adds the event of a clock kind and applies it to `said`, as the fold will. `verdict` is the
 * clock's as of now, `warning` what is said by a ClockWarned. false: the intents are full. */
bool dk_say_clock(struct dk_saying *saying, uint32_t kind, struct dk_said *said,
                  const struct dk_clock *clock, Docket__Verdict verdict,
                  const struct dk_clock_warning *warning);

/* A clock that is no more: corrected to cancelled. */
bool dk_say_gone(struct dk_saying *saying, struct dk_said *said);

bool dk_say_reminder(struct dk_saying *saying, uint64_t reminder, int64_t due_us);
/* AutoSolved or AutoClosed. */
bool dk_say_by_itself(struct dk_saying *saying, uint32_t kind, int64_t due_us, uint64_t cause);

#endif
