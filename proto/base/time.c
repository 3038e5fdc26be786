#include "proto/base/time.h"
#include "proto/base/limits.h"
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define YEAR_MIN 1900
#define YEAR_MAX 2200

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Days and dates by the civil calendar's 400-year cycle, counted from 1 March (Howard Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms"). */
int64_t dk_days_of_date(int year, int month, int day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = floor_div(y, 400);
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void dk_date_of_days(int64_t days, int *year, int *month, int *day)
{
    int64_t z = days + 719468;
    int64_t era = floor_div(z, 146097);
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t m = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

int dk_weekday_of_days(int64_t days)
{
    int64_t weekday = (days + 3) % 7; /* 1970-01-01 was a Thursday */
    return (int)(weekday < 0 ? weekday + 7 : weekday);
}

int64_t dk_civil_to_us(const struct dk_civil *civil)
{
    return dk_days_of_date(civil->year, civil->month, civil->day) * DK_DAY_US +
           civil->hour * DK_HOUR_US + civil->minute * DK_MINUTE_US + civil->second * DK_SECOND_US +
           civil->us;
}

void dk_civil_of_us(int64_t us, struct dk_civil *civil)
{
    int64_t days = floor_div(us, DK_DAY_US);
    int64_t rest = us % DK_DAY_US;
    rest += rest < 0 ? DK_DAY_US : 0;
    dk_date_of_days(days, &civil->year, &civil->month, &civil->day);
    civil->hour = (int)(rest / DK_HOUR_US);
    civil->minute = (int)(rest / DK_MINUTE_US % 60);
    civil->second = (int)(rest / DK_SECOND_US % 60);
    civil->us = (int)(rest % DK_SECOND_US);
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

int dk_civil_check(const struct dk_civil *civil, struct dk_err *err)
{
    if (civil->year < YEAR_MIN || civil->year > YEAR_MAX) {
        return dk_err_set(err, DK_ETIME, "the year %d is outside %d..%d", civil->year, YEAR_MIN,
                          YEAR_MAX);
    }
    if (civil->month < 1 || civil->month > 12) {
        return dk_err_set(err, DK_ETIME, "there is no month %d", civil->month);
    }
    if (civil->day < 1 || civil->day > days_in_month(civil->year, civil->month)) {
        return dk_err_set(err, DK_ETIME, "%04d-%02d has no day %d", civil->year, civil->month,
                          civil->day);
    }
    if (civil->hour < 0 || civil->hour > 23 || civil->minute < 0 || civil->minute > 59 ||
        civil->second < 0 || civil->second > 59 || civil->us < 0 || civil->us > 999999) {
        return dk_err_set(err, DK_ETIME, "%02d:%02d:%02d is no time of day", civil->hour,
                          civil->minute, civil->second);
    }
    return 0;
}

/* Writes `digits` digits and returns where they end: a tenth of what snprintf costs, and every line
 * of JSON holds some instants. */
static char *put_digits(char *at, int value, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + digits;
}

/* The same after a sign that parts it from what goes before. */
static char *put_part(char *at, char sign, int value, int digits)
{
    *at = sign;
    return put_digits(at + 1, value, digits);
}

char *dk_time_format(int64_t us, int offset_s, char text[DK_TIME_TEXT_BYTES])
{
    struct dk_civil civil;
    dk_civil_of_us(us + offset_s * DK_SECOND_US, &civil);
    if (civil.year < 0 || civil.year > 9999) {
        (void)snprintf(text, DK_TIME_TEXT_BYTES, "%" PRId64 "us", us); /* no instant, but honest */
        return text;
    }
    char *at = put_digits(text, civil.year, 4);
    at = put_part(at, '-', civil.month, 2);
    at = put_part(at, '-', civil.day, 2);
    at = put_part(at, 'T', civil.hour, 2);
    at = put_part(at, ':', civil.minute, 2);
    at = put_part(at, ':', civil.second, 2);
    if (civil.us % 1000 != 0) {
        at = put_part(at, '.', civil.us, 6);
    } else if (civil.us != 0) {
        at = put_part(at, '.', civil.us / 1000, 3);
    }
    if (offset_s == 0) {
        *at++ = 'Z';
    } else {
        int minutes = (offset_s < 0 ? -offset_s : offset_s) / 60;
        at = put_part(at, offset_s < 0 ? '-' : '+', minutes / 60, 2);
        at = put_part(at, ':', minutes % 60, 2);
    }
    *at = '\0';
    return text;
}

/* Exactly `digits` digits at *at; moves on. */
static bool take_digits(const char **at, int digits, int *value)
{
    *value = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (**at < '0' || **at > '9') {
            return false;
        }
        *value = *value * 10 + (**at - '0');
    }
    return true;
}

static bool take_char(const char **at, char c)
{
    if (**at != c) {
        return false;
    }
    (*at)++;
    return true;
}

/* ".5", ",123456": up to six digits; more are cut. */
static bool take_fraction(const char **at, int *us)
{
    int digits = 0;
    *us = 0;
    if (**at != '.' && **at != ',') {
        return true;
    }
    for ((*at)++; **at >= '0' && **at <= '9'; (*at)++, digits++) {
        if (digits < 6) {
            *us = *us * 10 + (**at - '0');
        }
    }
    for (int i = digits; i < 6; i++) {
        *us *= 10;
    }
    return digits > 0;
}

static bool take_offset(const char **at, int *offset_s, int *has_offset)
{
    int hours, minutes = 0;
    *offset_s = 0;
    *has_offset = 0;
    if (**at == '\0') {
        return true;
    }
    *has_offset = 1;
    if (take_char(at, 'Z')) {
        return **at == '\0';
    }
    int sign = **at == '-' ? -1 : 1;
    if (!take_char(at, '-') && !take_char(at, '+')) {
        return false;
    }
    if (!take_digits(at, 2, &hours)) {
        return false;
    }
    (void)take_char(at, ':');
    if (**at != '\0' && !take_digits(at, 2, &minutes)) {
        return false;
    }
    *offset_s = sign * (hours * 3600 + minutes * 60);
    return **at == '\0' && hours <= 18 && minutes <= 59;
}

static bool take_time_of_day(const char **at, struct dk_civil *civil)
{
    if (!take_digits(at, 2, &civil->hour) || !take_char(at, ':') ||
        !take_digits(at, 2, &civil->minute)) {
        return false;
    }
    if (!take_char(at, ':')) {
        return true;
    }
    return take_digits(at, 2, &civil->second) && take_fraction(at, &civil->us);
}

int dk_time_parse(const char *text, int64_t *us, int *has_offset, struct dk_err *err)
{
    struct dk_civil civil = {0};
    const char *at = text;
    int offset_s = 0, given = 0;
    bool ok = take_digits(&at, 4, &civil.year) && take_char(&at, '-') &&
              take_digits(&at, 2, &civil.month) && take_char(&at, '-') &&
              take_digits(&at, 2, &civil.day);
    if (ok && (*at == 'T' || *at == ' ')) {
        at++;
        ok = take_time_of_day(&at, &civil);
        ok = ok && take_offset(&at, &offset_s, &given);
    }
    if (!ok || *at != '\0') {
        return dk_err_set(err, DK_EINVAL,
                          "\"%s\" is no time%s%s%s: write it as 2026-02-03T04:05:06Z, "
                          "2026-02-03 04:05 or 2026-02-03",
                          text, *at != '\0' ? " (at \"" : ", it ends too early", at,
                          *at != '\0' ? "\")" : "");
    }
    int rc = dk_civil_check(&civil, err);
    if (rc != 0) {
        (void)dk_err_wrap(err, "\"%s\"", text);
        return rc;
    }
    int64_t instant = dk_civil_to_us(&civil) - offset_s * DK_SECOND_US;
    if (instant < DK_TIME_MIN_US || instant > DK_TIME_MAX_US) {
        return dk_err_set(err, DK_ETIME, "\"%s\" is outside %d..%d", text, YEAR_MIN, YEAR_MAX);
    }
    if (has_offset != NULL) {
        *has_offset = given;
    }
    *us = instant;
    return 0;
}

char *dk_duration_format(int64_t us, char text[DK_TIME_TEXT_BYTES])
{
    const char *sign = us < 0 ? "-" : "";
    uint64_t all = us < 0 ? -(uint64_t)us : (uint64_t)us; /* INT64_MIN has no positive twin */
    uint64_t s = all / DK_SECOND_US;
    if (all < DK_SECOND_US && all >= 1000) {
        (void)snprintf(text, DK_TIME_TEXT_BYTES, "%s%" PRIu64 "ms", sign, all / 1000);
    } else if (all < DK_SECOND_US && all > 0) {
        (void)snprintf(text, DK_TIME_TEXT_BYTES, "%s%" PRIu64 "us", sign, all);
    } else if (s < 60) {
        uint64_t tenths = all % DK_SECOND_US / 100000;
        (void)snprintf(text, DK_TIME_TEXT_BYTES,
                       tenths != 0 ? "%s%" PRIu64 ".%" PRIu64 "s" : "%s%" PRIu64 "s", sign, s,
                       tenths);
    } else if (s < 3600) {
        (void)snprintf(text, DK_TIME_TEXT_BYTES, "%s%" PRIu64 "m %02" PRIu64 "s", sign, s / 60,
                       s % 60);
    } else if (s < 86400) {
        (void)snprintf(text, DK_TIME_TEXT_BYTES, "%s%" PRIu64 "h %02" PRIu64 "m", sign, s / 3600,
                       s / 60 % 60);
    } else {
        (void)snprintf(text, DK_TIME_TEXT_BYTES, "%s%" PRIu64 "d %" PRIu64 "h", sign, s / 86400,
                       s / 3600 % 24);
    }
    return text;
}

int dk_duration_parse(const char *text, int64_t *us, struct dk_err *err)
{
    static const struct {
        const char *unit;
        int64_t us;
    } units[] = {{"ms", 1000},        {"us", 1},         {"s", DK_SECOND_US},
                 {"m", DK_MINUTE_US}, {"h", DK_HOUR_US}, {"d", DK_DAY_US}};
    const char *at = text;
    int64_t total = 0;
    while (*at != '\0') {
        int64_t number = 0, unit_us = 0;
        const char *digits = at;
        for (; *at >= '0' && *at <= '9' && number < 1000000000; at++) {
            number = number * 10 + (*at - '0');
        }
        for (size_t i = 0; at != digits && i < sizeof units / sizeof units[0]; i++) {
            size_t n = strlen(units[i].unit);
            if (strncmp(at, units[i].unit, n) == 0) {
                unit_us = units[i].us;
                at += n;
                break;
            }
        }
        if (unit_us == 0) {
            at = digits;
            break;
        }
        if (number > (DK_TIME_MAX_US - total) / unit_us) {
            return dk_err_set(err, DK_EINVAL, "\"%s\" is longer than two centuries", text);
        }
        total += number * unit_us;
        at += *at == ' ' && at[1] != '\0'; /* between two parts only */
    }
    if (text[0] == '\0' || *at != '\0') {
        return dk_err_set(err, DK_EINVAL,
                          "\"%s\" is no duration: write it as 90s, 15m, 4h, 2d or "
                          "1h30m",
                          text);
    }
    *us = total;
    return 0;
}

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;
    DK_ASSERT(clock_gettime(clock, &now) == 0);
    return (int64_t)now.tv_sec * DK_SECOND_US + now.tv_nsec / 1000;
}

int64_t dk_clock_wall_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t dk_clock_boot_us(void)
{
    return read_clock(CLOCK_BOOTTIME);
}
