#include "proto/fold/worktime.h"

static const struct dk_calendar *calendar_at(const struct dk_worktime *time, int64_t at_us,
                                             uint32_t *version)
{
    const struct dk_calendar *found =
        dk_refs_calendar_held(time->refs, time->calendar, time->rules_us, at_us, version);

    return found != NULL ? found : dk_calendar_always();
}

uint32_t dk_worktime_version(const struct dk_worktime *time, int64_t at_us)
{
    uint32_t version = 0;

    (void)calendar_at(time, at_us, &version);
    return version;
}

int64_t dk_worktime_next_us(const struct dk_worktime *time, int64_t at_us)
{
    return dk_refs_next_held_us(time->refs, time->calendar, time->rules_us, at_us);
}

/* Both instants by one version. */
static int64_t worked_us(const struct dk_calendar *calendar, int64_t a_us, int64_t b_us)
{
    int64_t us = dk_calendar_biz_us(calendar, a_us, b_us);

    return us != INT64_MIN ? us : 0;
}

int64_t dk_worktime_us(const struct dk_worktime *time, int64_t a_us, int64_t b_us)
{
    int64_t sum_us = 0;

    while (a_us < b_us) {
        int64_t change_us = dk_worktime_next_us(time, a_us);
        int64_t to_us = change_us < b_us ? change_us : b_us;
        sum_us += worked_us(calendar_at(time, a_us, NULL), a_us, to_us);
        a_us = to_us;
    }
    return sum_us;
}

int64_t dk_worktime_due_us(const struct dk_worktime *time, int64_t a_us, int64_t d_us)
{
    for (;;) {
        const struct dk_calendar *now = calendar_at(time, a_us, NULL);
        int64_t change_us = dk_worktime_next_us(time, a_us);
        int64_t due_us = dk_calendar_due_us(now, a_us, d_us);
        if (due_us <= change_us)
            return due_us;
        d_us -= worked_us(now, a_us, change_us);
        a_us = change_us;
    }
}
