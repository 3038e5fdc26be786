#include "proto/calendar/calendar.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* W as intervals [from, to) in order, and the business time before each. `first` gives, for every
 * UTC day of the range, the first interval that ends after the day's begin: a look-up starts there
 * and has at most a day's worth of intervals to pass. */
struct dk_calendar {
    bool always;
    int64_t begin_us, end_us;
    size_t count;
    int64_t *from_us, *to_us;
    int64_t *before_us; /* count + 1 */
    uint32_t *first;    /* a day each, and one more */
};

static int check_plan(const struct dk_day_plan *plan, const char *what, struct dk_err *err)
{
    int32_t free_from_s = 0;
    if (plan->count < 0 || plan->count > DK_CALENDAR_DAY_INTERVALS) {
        return dk_err_set(err, DK_EINVAL, "%s: a day has at most %d intervals", what,
                          DK_CALENDAR_DAY_INTERVALS);
    }
    for (int i = 0; i < plan->count; i++) {
        const struct dk_day_interval *v = &plan->interval[i];
        if (v->from_s < 0 || v->from_s >= 86400 || v->to_s <= v->from_s ||
            v->to_s > v->from_s + 86400) {
            return dk_err_set(err, DK_EINVAL,
                              "%s: an interval begins on its day and lasts from 1 "
                              "second to 24 hours",
                              what);
        }
        if (v->from_s < free_from_s) {
            return dk_err_set(err, DK_EINVAL, "%s: the intervals overlap or are out of order",
                              what);
        }
        free_from_s = v->to_s;
    }
    return 0;
}

static int check_def(const struct dk_calendar_def *def, struct dk_err *err)
{
    static const char *const weekdays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                           "Friday", "Saturday", "Sunday"};
    int rc = 0;
    for (int i = 0; rc == 0 && i < 7; i++) {
        rc = check_plan(&def->weekday[i], weekdays[i], err);
    }
    if (rc == 0 && def->exception_count > DK_CALENDAR_MAX_EXCEPTIONS) {
        rc = dk_err_set(err, DK_ETOOBIG, "a calendar has at most %d exceptions",
                        DK_CALENDAR_MAX_EXCEPTIONS);
    }
    for (size_t i = 0; rc == 0 && i < def->exception_count; i++) {
        rc = check_plan(&def->exception[i].plan, "an exception", err);
        if (rc == 0 && i > 0 && def->exception[i].day <= def->exception[i - 1].day) {
            rc = dk_err_set(err, DK_EINVAL, "the exceptions are out of order, or one day has two");
        }
    }
    return rc;
}

/* A local day's edge as an instant. */
static int64_t edge_us(const struct dk_zone *zone, int64_t day, int32_t at_s, enum dk_fold fold)
{
    struct dk_civil civil = {0};
    dk_date_of_days(day + at_s / 86400, &civil.year, &civil.month, &civil.day);
    civil.hour = at_s % 86400 / 3600;
    civil.minute = at_s % 3600 / 60;
    civil.second = at_s % 60;
    return dk_zone_to_us(zone, &civil, fold);
}

/* Adds [from, to), cut to the range; joins what touches or overlaps the one before. */
static void add_interval(struct dk_calendar *c, int64_t from_us, int64_t to_us)
{
    from_us = from_us < c->begin_us ? c->begin_us : from_us;
    to_us = to_us > c->end_us ? c->end_us : to_us;
    if (from_us >= to_us) {
        return; /* swallowed by a gap, or outside */
    }
    if (c->count > 0 && from_us <= c->to_us[c->count - 1]) {
        int64_t *last_us = &c->to_us[c->count - 1];
        *last_us = to_us > *last_us ? to_us : *last_us;
        return;
    }
    c->from_us[c->count] = from_us;
    c->to_us[c->count++] = to_us;
}

static void lay_out(struct dk_calendar *c, const struct dk_calendar_def *def,
                    const struct dk_zone *zone)
{
    size_t next = 0;
    /* A day more on either side: local days reach into the range's first and last UTC day. */
    for (int64_t day = c->begin_us / DK_DAY_US - 2; day <= c->end_us / DK_DAY_US + 1; day++) {
        while (next < def->exception_count && def->exception[next].day < day) {
            next++;
        }
        bool excepted = next < def->exception_count && def->exception[next].day == day;
        const struct dk_day_plan *plan =
            excepted ? &def->exception[next].plan : &def->weekday[dk_weekday_of_days(day)];
        for (int i = 0; i < plan->count; i++) {
            add_interval(c, edge_us(zone, day, plan->interval[i].from_s, DK_FOLD_FIRST),
                         edge_us(zone, day, plan->interval[i].to_s, DK_FOLD_SECOND));
        }
    }
}

static void sum_up(struct dk_calendar *c)
{
    size_t i = 0, days = (size_t)((c->end_us - c->begin_us) / DK_DAY_US);
    c->before_us[0] = 0;
    for (size_t k = 0; k < c->count; k++) {
        c->before_us[k + 1] = c->before_us[k] + (c->to_us[k] - c->from_us[k]);
    }
    for (size_t day = 0; day <= days; day++) {
        int64_t begin_us = c->begin_us + (int64_t)day * DK_DAY_US;
        while (i < c->count && c->to_us[i] <= begin_us) {
            i++;
        }
        c->first[day] = (uint32_t)i;
    }
}

static size_t intervals_at_most(const struct dk_calendar_def *def, size_t days)
{
    size_t most = 1;
    for (int i = 0; i < 7; i++) {
        size_t n = (size_t)def->weekday[i].count;
        most = n > most ? n : most;
    }
    return most * (days + 4) + def->exception_count * DK_CALENDAR_DAY_INTERVALS;
}

/* Gives back what was reserved and not needed. */
static void trim(struct dk_calendar *c)
{
    size_t n = c->count > 0 ? c->count : 1;
    int64_t *from_us = realloc(c->from_us, n * sizeof *from_us);
    int64_t *to_us = realloc(c->to_us, n * sizeof *to_us);
    c->from_us = from_us != NULL ? from_us : c->from_us;
    c->to_us = to_us != NULL ? to_us : c->to_us;
}

static int compile(struct dk_calendar *c, const struct dk_calendar_def *def,
                   const struct dk_zone *zone, struct dk_err *err)
{
    c->begin_us = dk_days_of_date(DK_CALENDAR_FROM_YEAR, 1, 1) * DK_DAY_US;
    c->end_us = dk_days_of_date(DK_CALENDAR_TO_YEAR, 1, 1) * DK_DAY_US;
    size_t days = (size_t)((c->end_us - c->begin_us) / DK_DAY_US);
    size_t most = intervals_at_most(def, days);
    c->from_us = calloc(most, sizeof *c->from_us);
    c->to_us = calloc(most, sizeof *c->to_us);
    c->first = calloc(days + 1, sizeof *c->first);
    if (c->from_us == NULL || c->to_us == NULL || c->first == NULL) {
        return dk_err_set(err, DK_ENOMEM, "no memory for a calendar");
    }
    lay_out(c, def, zone);
    if (c->count == 0) {
        return dk_err_set(err, DK_EINVAL, "the calendar has no working time at all");
    }
    trim(c);
    c->before_us = calloc(c->count + 1, sizeof *c->before_us);
    if (c->before_us == NULL) {
        return dk_err_set(err, DK_ENOMEM, "no memory for a calendar");
    }
    sum_up(c);
    return 0;
}

int dk_calendar_new(struct dk_calendar **calendar, const struct dk_calendar_def *def,
                    struct dk_err *err)
{
    struct dk_zone *zone = NULL;
    int rc = check_def(def, err);
    rc = rc != 0 ? rc : dk_zone_load(&zone, def->zone, err);
    if (rc != 0) {
        return rc;
    }
    struct dk_calendar *c = calloc(1, sizeof *c);
    rc = c == NULL ? dk_err_set(err, DK_ENOMEM, "no memory for a calendar")
                   : compile(c, def, zone, err);
    dk_zone_free(&zone);
    *calendar = c;
    if (rc != 0) {
        dk_calendar_free(calendar);
    }
    return rc;
}

void dk_calendar_free(struct dk_calendar **calendar)
{
    struct dk_calendar *c = *calendar;
    if (c != NULL) {
        free(c->from_us);
        free(c->to_us);
        free(c->before_us);
        free(c->first);
        free(c);
        *calendar = NULL;
    }
}

const struct dk_calendar *dk_calendar_always(void)
{
    static const struct dk_calendar always = {.always = true};
    return &always;
}

static bool inside(const struct dk_calendar *c, int64_t at_us)
{
    return at_us >= c->begin_us && at_us < c->end_us;
}

/* The first interval that ends after an instant of the range; count when there is none. */
static size_t interval_at(const struct dk_calendar *c, int64_t at_us)
{
    size_t i = c->first[(at_us - c->begin_us) / DK_DAY_US];
    while (i < c->count && c->to_us[i] <= at_us) {
        i++;
    }
    return i;
}

/* |[begin of the range, at) & W|, for an instant in or before interval i. */
static int64_t worked_us(const struct dk_calendar *c, size_t i, int64_t at_us)
{
    bool within = i < c->count && at_us > c->from_us[i];
    return c->before_us[i] + (within ? at_us - c->from_us[i] : 0);
}

int64_t dk_calendar_biz_us(const struct dk_calendar *calendar, int64_t a_us, int64_t b_us)
{
    if (calendar->always) {
        return b_us - a_us;
    }
    if (!inside(calendar, a_us) || !inside(calendar, b_us)) {
        return INT64_MIN;
    }
    return worked_us(calendar, interval_at(calendar, b_us), b_us) -
           worked_us(calendar, interval_at(calendar, a_us), a_us);
}

/* The first interval from i on, by whose end `target_us` is worked: steps double, then halve. */
static size_t interval_reaching(const struct dk_calendar *c, size_t i, int64_t target_us)
{
    size_t step = 1, low = i, high = i;
    while (high < c->count && c->before_us[high + 1] < target_us) {
        low = high + 1;
        high = c->count - high > step ? high + step : c->count;
        step *= 2;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->before_us[middle + 1] < target_us) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

int64_t dk_calendar_due_us(const struct dk_calendar *calendar, int64_t a_us, int64_t d_us)
{
    if (d_us <= 0) {
        return a_us;
    }
    if (calendar->always) {
        return a_us > INT64_MAX - d_us ? INT64_MAX : a_us + d_us;
    }
    if (!inside(calendar, a_us)) {
        return INT64_MAX;
    }
    size_t i = interval_at(calendar, a_us);
    int64_t worked = worked_us(calendar, i, a_us);
    if (worked > INT64_MAX - d_us) {
        return INT64_MAX;
    }
    i = interval_reaching(calendar, i, worked + d_us);
    return i == calendar->count ? INT64_MAX
                                : calendar->from_us[i] + (worked + d_us - calendar->before_us[i]);
}

int dk_calendar_open(const struct dk_calendar *calendar, int64_t at_us)
{
    if (calendar->always) {
        return 1;
    }
    if (!inside(calendar, at_us)) {
        return 0;
    }
    size_t i = interval_at(calendar, at_us);
    return i < calendar->count && at_us >= calendar->from_us[i];
}

int64_t dk_calendar_next_edge_us(const struct dk_calendar *calendar, int64_t at_us)
{
    if (calendar->always || !inside(calendar, at_us)) {
        return INT64_MAX;
    }
    size_t i = interval_at(calendar, at_us);
    if (i == calendar->count) {
        return INT64_MAX;
    }
    return at_us < calendar->from_us[i] ? calendar->from_us[i] : calendar->to_us[i];
}
