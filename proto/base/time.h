/* Instants are microseconds since 1970-01-01T00:00:00Z, signed; durations are microseconds too. */
#ifndef DK_BASE_TIME_H
#define DK_BASE_TIME_H

#include "proto/base/err.h"
#include <stdint.h>

#define DK_SECOND_US INT64_C(1000000)
#define DK_MINUTE_US (60 * DK_SECOND_US)
#define DK_HOUR_US   (60 * DK_MINUTE_US)
#define DK_DAY_US    (24 * DK_HOUR_US)

/* A date and a time of day somewhere; which zone is the holder's business. */
struct dk_civil {
    int year;   /* 1900..2200 */
    int month;  /* 1..12 */
    int day;    /* 1..31 */
    int hour;   /* 0..23 */
    int minute; /* 0..59 */
    int second; /* 0..60 never: a leap second does not exist here */
    int us;     /* 0..999999 */
};

/* Days since 1970-01-01 of a proleptic Gregorian date, and back. */
int64_t dk_days_of_date(int year, int month, int day);
void dk_date_of_days(int64_t days, int *year, int *month, int *day);

/* 0 = Monday .. 6 = Sunday (ISO 8601). */
int dk_weekday_of_days(int64_t days);

/* The civil time read as UTC, and back. */
int64_t dk_civil_to_us(const struct dk_civil *civil);
void dk_civil_of_us(int64_t us, struct dk_civil *civil);

/* Whether all fields are in range and the day exists in its month. */
int dk_civil_check(const struct dk_civil *civil, struct dk_err *err);

/* "2026-02-03T04:05:06.789012Z"; the fraction is left out when 0, and cut to milliseconds when
 * those say it all. `offset_s` (seconds east) is written as +HH:MM when not 0. Returns `text`. */
#define DK_TIME_TEXT_BYTES 40
char *dk_time_format(int64_t us, int offset_s, char text[DK_TIME_TEXT_BYTES]);

/* Reads ISO 8601: date, or date 'T'|' ' time [fraction] [Z|+HH:MM]. `*has_offset` (may be NULL)
 * tells whether an offset was given; without one the instant is as if in UTC and the caller
 * applies its zone. 0, DK_EINVAL (what is wrong and where) or DK_ETIME. */
int dk_time_parse(const char *text, int64_t *us, int *has_offset, struct dk_err *err);

/* "3d 4h", "2h 05m", "12.3s", "450ms", "80us", "0s": for people, the rest cut off; negative with a
 * minus. */
char *dk_duration_format(int64_t us, char text[DK_TIME_TEXT_BYTES]);

/* Reads "90s", "15m", "4h", "2d", "1h30m", "500ms"; d = 24 h. 0 or DK_EINVAL. */
int dk_duration_parse(const char *text, int64_t *us, struct dk_err *err);

/* The system's clocks: wall, and the boot clock that no step moves. */
int64_t dk_clock_wall_us(void);
int64_t dk_clock_boot_us(void);

#endif
