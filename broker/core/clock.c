#include "broker/core/clock.h"

#include "proto/base/limits.h"
#include "proto/base/time.h"

void dk_clock_init(struct dk_clock *clock, int64_t wall_us, int64_t boot_us,
                   int64_t log_last_recorded_us)
{
    clock->at_least = wall_us < log_last_recorded_us - DK_CLOCK_STEP_US;
    clock->offset_us = (clock->at_least ? log_last_recorded_us : wall_us) - boot_us;
    clock->last_us = log_last_recorded_us;
}

int64_t dk_clock_step_us(const struct dk_clock *clock, int64_t wall_us, int64_t boot_us)
{
    int64_t step_us = wall_us - boot_us - clock->offset_us;
    bool ahead = step_us > DK_CLOCK_STEP_US && !clock->at_least;
    return ahead || step_us < -DK_CLOCK_STEP_US ? step_us : 0;
}

void dk_clock_accept(struct dk_clock *clock, int64_t wall_us, int64_t boot_us)
{
    clock->offset_us = wall_us - boot_us;
    clock->at_least = false;
}

int dk_clock_next(struct dk_clock *clock, int64_t wall_us, int64_t boot_us, int64_t *recorded_us,
                  struct dk_err *err)
{
    int64_t step_us = dk_clock_step_us(clock, wall_us, boot_us);
    if (step_us != 0) {
        char text[DK_TIME_TEXT_BYTES];
        return dk_err_set(err, DK_ECLOCK,
                          "the broker's clock stepped by %s: it must be set right, or an operator "
                          "must accept the step",
                          dk_duration_format(step_us, text));
    }
    /* Small corrections, as time daemons make them, must not add up to a step. */
    dk_clock_accept(clock, wall_us, boot_us);
    clock->last_us = wall_us >= clock->last_us ? wall_us : clock->last_us + 1;
    *recorded_us = clock->last_us;
    return 0;
}

int64_t dk_clock_now_us(const struct dk_clock *clock, int64_t wall_us, int64_t boot_us)
{
    bool stepped = dk_clock_step_us(clock, wall_us, boot_us) != 0;
    int64_t now_us = stepped ? boot_us + clock->offset_us : wall_us;
    return now_us > clock->last_us ? now_us : clock->last_us;
}
