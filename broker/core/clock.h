/* The broker's clock: the wall clock, while it agrees with the boot clock.
 *
 * Recorded time follows the wall clock. A step of it of more than DK_CLOCK_STEP_US against the boot
 * clock (which no one sets) stops admission with DK_ECLOCK until the two agree again or an operator
 * accepts the step. After a smaller step back, or an accepted one, time goes on by 1 us an event
 * until the wall clock has caught up.
 *
 * At start nothing is known but that time has gone on since the log's last recorded time: a wall
 * clock more than a step behind it is a step, and once it is ahead of it, as when a machine without
 * a clock of its own has asked the network, it is believed as it would have been at start. */
#ifndef DK_CORE_CLOCK_H
#define DK_CORE_CLOCK_H

#include "proto/base/err.h"
#include <stdbool.h>
#include <stdint.h>

struct dk_clock {
    int64_t offset_us; /* wall - boot when they last agreed */
    int64_t last_us;   /* the last recorded time given out */
    bool at_least;     /* the offset is the least that can be, they have not agreed since start */
};

void dk_clock_init(struct dk_clock *clock, int64_t wall_us, int64_t boot_us,
                   int64_t log_last_recorded_us);

/* The next recorded time, >= the last and later by at least 1 us when the wall clock stands
 * behind. 0 or DK_ECLOCK (says by how much it stepped). */
int dk_clock_next(struct dk_clock *clock, int64_t wall_us, int64_t boot_us, int64_t *recorded_us,
                  struct dk_err *err);

/* How far the wall clock is off, 0 within the bound; and taking it as it is. */
int64_t dk_clock_step_us(const struct dk_clock *clock, int64_t wall_us, int64_t boot_us);
void dk_clock_accept(struct dk_clock *clock, int64_t wall_us, int64_t boot_us);

/* The time now for those who only look: as `next` would give it; while the wall clock is off, what
 * it would show had it not stepped. */
int64_t dk_clock_now_us(const struct dk_clock *clock, int64_t wall_us, int64_t boot_us);

#endif
