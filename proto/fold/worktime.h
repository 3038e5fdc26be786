/* Business time by a calendar that changes: S1's sum over the versions in force at each instant,
 * for a ticket: a version that is published to new tickets only is not its (S7).
 *
 * A calendar that is 0, or not defined (yet, or any more) at an instant, counts every instant.
 * Outside of the years that calendars are compiled for nothing counts. */
#ifndef DK_FOLD_WORKTIME_H
#define DK_FOLD_WORKTIME_H

#include "proto/refs/refs.h"
#include <stdint.h>

struct dk_worktime {
    struct dk_refs *refs;
    uint64_t calendar;
    int64_t rules_us; /* whose versions the ticket goes by (dk_refs_held) */
};

/* The version that holds at an instant, 0 where every instant counts; and the first instant after
 * it from which another one does, or INT64_MAX. */
uint32_t dk_worktime_version(const struct dk_worktime *time, int64_t at_us);
int64_t dk_worktime_next_us(const struct dk_worktime *time, int64_t at_us);

/* How much of [a, b) is working time; 0 when b <= a. */
int64_t dk_worktime_us(const struct dk_worktime *time, int64_t a_us, int64_t b_us);

/* The first t >= a with dk_worktime_us(a, t) >= d; a itself when d <= 0. INT64_MAX: never. */
int64_t dk_worktime_due_us(const struct dk_worktime *time, int64_t a_us, int64_t d_us);

#endif
