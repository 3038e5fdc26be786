#include "proto/base/time.h"
#include "proto/refs/refs_internal.h"

#define DAYS_MAX 10000
/* A calendar that works one day a week, with holidays between, has the last of them by then. */
#define DATES_MAX(days) (8 * (int64_t)(days) + 366)

/* Whether there is working time on a local date. */
static bool works_on(const struct dk_refs_compiled *compiled, int64_t day)
{
    struct dk_civil midnight;
    dk_civil_of_us(day * DK_DAY_US, &midnight);
    int64_t from_us = dk_zone_to_us(compiled->zone, &midnight, DK_FOLD_FIRST);
    dk_civil_of_us((day + 1) * DK_DAY_US, &midnight);
    int64_t to_us = dk_zone_to_us(compiled->zone, &midnight, DK_FOLD_FIRST);
    return dk_calendar_biz_us(compiled->calendar, from_us, to_us) > 0;
}

int64_t dk_refs_working_days_us(struct dk_refs *refs, uint64_t calendar, int64_t from_us,
                                uint32_t days)
{
    struct dk_refs_compiled compiled;
    if (days > DAYS_MAX)
        return INT64_MAX;
    if (dk_refs_compiled(refs, calendar, from_us, &compiled) == NULL)
        return from_us + days * DK_DAY_US;
    struct dk_civil civil;
    dk_zone_to_civil(compiled.zone, from_us, &civil, NULL);
    int64_t day = dk_days_of_date(civil.year, civil.month, civil.day);
    int64_t last = day + DATES_MAX(days);
    while (days > 0) {
        if (++day > last)
            return INT64_MAX;
        days -= works_on(&compiled, day) ? 1 : 0;
    }
    dk_date_of_days(day, &civil.year, &civil.month, &civil.day);
    return dk_zone_to_us(compiled.zone, &civil, DK_FOLD_FIRST);
}
