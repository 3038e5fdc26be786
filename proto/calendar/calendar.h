/* Working calendars: business time between two instants, and when so much of it will have passed.
 *
 * DOMAIN T2-T4. A calendar is a zone, working intervals for each weekday, and dated exceptions
 * that replace a day's intervals (none = a holiday). It is compiled once into half-open UTC
 * intervals W with a prefix sum of their lengths, so that
 *
 *     biz(a, b) = |[a, b) & W|                       O(log n)
 *     due(a, d) = the first t >= a with biz(a, t) >= d   O(log n)
 *
 * An interval may run over midnight (22:00-06:00 belongs to the day on which it begins). The civil
 * edges map to UTC by the zone: in a gap an edge moves to the first valid instant; in a fold an
 * opening takes the first offset, a closing the second. Intervals that touch or overlap after that
 * are one. Outside the compiled range nothing is guessed: each function says what it returns. */
#ifndef DK_CALENDAR_CALENDAR_H
#define DK_CALENDAR_CALENDAR_H

#include "proto/base/err.h"
#include "proto/calendar/zone.h"
#include <stddef.h>
#include <stdint.h>

#define DK_CALENDAR_DAY_INTERVALS  8
#define DK_CALENDAR_MAX_EXCEPTIONS 4096
#define DK_CALENDAR_FROM_YEAR      1990 /* compiled range: this year's 1 January, UTC, ... */
#define DK_CALENDAR_TO_YEAR        2100 /* ... to this one's */

struct dk_day_interval {
    int32_t from_s; /* seconds after local midnight, 0 <= from_s < 86400 */
    int32_t to_s;   /* from_s < to_s <= from_s + 86400: over midnight when > 86400 */
};

struct dk_day_plan {
    int count;
    struct dk_day_interval interval[DK_CALENDAR_DAY_INTERVALS]; /* ordered, not overlapping */
};

struct dk_calendar_exception {
    int32_t day; /* days since 1970-01-01 of the local date */
    struct dk_day_plan plan;
};

struct dk_calendar_def {
    const char *zone;                              /* IANA name; borrowed */
    struct dk_day_plan weekday[7];                 /* 0 = Monday */
    const struct dk_calendar_exception *exception; /* ordered by day, no day twice; borrowed */
    size_t exception_count;
};

struct dk_calendar;

/* Compiles; keeps nothing of `def`. 0; DK_ENOTFOUND for the zone; DK_EINVAL for a plan out of
 * order or range, or a calendar with no working time at all (says which); DK_ENOMEM; DK_ECORRUPT
 * or DK_EIO from dk_zone_load. Then `*calendar` is NULL. */
int dk_calendar_new(struct dk_calendar **calendar, const struct dk_calendar_def *def,
                    struct dk_err *err);
void dk_calendar_free(struct dk_calendar **calendar);

/* |[a, b) & W| in microseconds; negative of the same when b < a. Both inside the compiled range,
 * else INT64_MIN. */
int64_t dk_calendar_biz_us(const struct dk_calendar *calendar, int64_t a_us, int64_t b_us);

/* The first t >= a with biz(a, t) >= d; a itself when d <= 0. A target used up exactly at closing
 * time is due at closing time (DOMAIN T3). INT64_MAX when the range ends before. */
int64_t dk_calendar_due_us(const struct dk_calendar *calendar, int64_t a_us, int64_t d_us);

/* Whether `at` lies in W (0 outside the compiled range); and the next instant > `at` where that
 * changes (INT64_MAX: never in the range, whose own ends are no edges). */
int dk_calendar_open(const struct dk_calendar *calendar, int64_t at_us);
int64_t dk_calendar_next_edge_us(const struct dk_calendar *calendar, int64_t at_us);

/* "24x7" for calendars that need no zone: every instant of the range works. Lives for ever. */
const struct dk_calendar *dk_calendar_always(void);

#endif
