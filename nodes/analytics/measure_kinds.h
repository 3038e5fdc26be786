/* How a ticket's samples are told, and the kinds of measures that have files of their own; of this
 * folder only. */
#ifndef DK_ANALYTICS_MEASURE_KINDS_H
#define DK_ANALYTICS_MEASURE_KINDS_H

#include "nodes/analytics/measures.h"

/* A sample at a step, and at its instant. */
void dk_measure_say(const struct dk_measuring *measuring, const struct dk_case *walked,
                    enum dk_measure measure, const struct dk_step *step, int64_t value,
                    enum dk_sample_note note);

/* The same of what stretches came to. */
void dk_measure_sum(const struct dk_measuring *measuring, const struct dk_case *walked,
                    enum dk_measure measure, const struct dk_step *step,
                    const struct dk_stretch_sum *sum);

/* Adds [from, to) by the promise that a measure's time is counted by. */
void dk_measure_add(struct dk_stretch_sum *sum, const struct dk_measuring *measuring,
                    const struct dk_case *walked, enum dk_measure measure, int64_t from_us,
                    int64_t to_us);

/* next-reply, update */
void dk_measure_replies(const struct dk_measuring *measuring, const struct dk_case *walked,
                        enum dk_measure measure);
/* requester-wait, agent-work, net-resolution */
void dk_measure_status(const struct dk_measuring *measuring, const struct dk_case *walked,
                       enum dk_measure measure);
void dk_measure_ownership(const struct dk_measuring *measuring, const struct dk_case *walked);
void dk_measure_holds(const struct dk_measuring *measuring, const struct dk_case *walked);

static inline bool dk_is_live(unsigned status)
{
    return status >= DOCKET__STATUS__STATUS_NEW && status <= DOCKET__STATUS__STATUS_PENDING;
}
static inline bool dk_is_ended(unsigned status)
{
    return status == DOCKET__STATUS__STATUS_SOLVED || status == DOCKET__STATUS__STATUS_CLOSED;
}

#endif
