#include "proto/fold/worktime.h"

static const struct dk_calendar *calendar_at(struct dk_refs *refs, uint64_t calendar, int64_t at_us,
                                             uint32_t *version)
{
    const struct dk_calendar *found = dk_refs_calendar(refs, calendar, at_us, version);

    return found != NULL ? found : dk_calendar_always();
}

uint32_t dk_worktime_version(struct dk_refs *refs, uint64_t calendar, int64_t at_us)
{
    uint32_t version = 0;

    (void)calendar_at(refs, calendar, at_us, &version);
    return version;
}

/* Both instants by one version. */
static int64_t worked_us(const struct dk_calendar *calendar, int64_t a_us, int64_t b_us)
{
    int64_t us = dk_calendar_biz_us(calendar, a_us, b_us);

    return us != INT64_MIN ? us : 0;
}

int64_t dk_worktime_us(struct dk_refs *refs, uint64_t calendar, int64_t a_us, int64_t b_us)
{
    int64_t sum_us = 0;

    while (a_us < b_us) {
        int64_t change_us = dk_refs_next_version_us(refs, calendar, a_us);
        int64_t to_us = change_us < b_us ? change_us : b_us;
        sum_us += worked_us(calendar_at(refs, calendar, a_us, NULL), a_us, to_us);
        a_us = to_us;
    }
    return sum_us;
}

int64_t dk_worktime_due_us(struct dk_refs *refs, uint64_t calendar, int64_t a_us, int64_t d_us)
{
    for (;;) {
        const struct dk_calendar *now = calendar_at(refs, calendar, a_us, NULL);
        int64_t change_us = dk_refs_next_version_us(refs, calendar, a_us);
        int64_t due_us = dk_calendar_due_us(now, a_us, d_us);
        if (due_us <= change_us)
            return due_us;
        d_us -= worked_us(now, a_us, change_us);
        a_us = change_us;
    }
}
