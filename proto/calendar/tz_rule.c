#include "proto/calendar/tz_rule.h"
#include "proto/base/err.h"
#include "proto/base/time.h"
#include <string.h>

/* "CET", "<+0330>": at least three characters. */
static bool skip_name(const char **at)
{
    const char *begin = *at;
    if (**at == '<') {
        const char *end = strchr(*at, '>');
        *at = end != NULL ? end + 1 : *at;
        return end != NULL;
    }
    while ((**at >= 'A' && **at <= 'Z') || (**at >= 'a' && **at <= 'z')) {
        (*at)++;
    }
    return *at - begin >= 3;
}

static bool take_number(const char **at, int max, int *value)
{
    const char *begin = *at;
    *value = 0;
    while (**at >= '0' && **at <= '9' && *value <= max) {
        *value = *value * 10 + (*(*at)++ - '0');
    }
    return *at != begin && *value <= max;
}

/* [+-]hh[:mm[:ss]] */
static bool take_time(const char **at, int32_t *seconds)
{
    int sign = 1, hours, minutes = 0, rest = 0;
    if (**at == '+' || **at == '-') {
        sign = *(*at)++ == '-' ? -1 : 1;
    }
    if (!take_number(at, 167, &hours)) {
        return false;
    }
    if (**at == ':') {
        (*at)++;
        if (!take_number(at, 59, &minutes)) {
            return false;
        }
    }
    if (**at == ':') {
        (*at)++;
        if (!take_number(at, 59, &rest)) {
            return false;
        }
    }
    *seconds = sign * (hours * 3600 + minutes * 60 + rest);
    return true;
}

static bool take_day(const char **at, struct dk_tz_day *day)
{
    bool ok;
    if (*(*at)++ != ',') {
        return false;
    }
    day->time_s = 2 * 3600;
    if (**at == 'M') {
        (*at)++;
        day->form = DK_TZ_MONTH;
        ok = take_number(at, 12, &day->month) && *(*at)++ == '.' &&
             take_number(at, 5, &day->week) && *(*at)++ == '.' && take_number(at, 6, &day->day) &&
             day->month >= 1 && day->week >= 1;
    } else if (**at == 'J') {
        (*at)++;
        day->form = DK_TZ_JULIAN;
        ok = take_number(at, 365, &day->day) && day->day >= 1;
    } else {
        day->form = DK_TZ_ZERO_BASED;
        ok = take_number(at, 365, &day->day);
    }
    if (ok && **at == '/') {
        (*at)++;
        ok = take_time(at, &day->time_s);
    }
    return ok;
}

int dk_tz_rule_parse(struct dk_tz_rule *rule, const char *text)
{
    const char *at = text;
    int32_t west;
    *rule = (struct dk_tz_rule){0};
    if (!skip_name(&at) || !take_time(&at, &west)) {
        return DK_EINVAL;
    }
    rule->std_offset_s = -west; /* POSIX counts to the west */
    if (*at == '\0') {
        return 0;
    }
    if (!skip_name(&at)) {
        return DK_EINVAL;
    }
    rule->has_dst = true;
    rule->dst_offset_s = rule->std_offset_s + 3600;
    if (*at != ',') {
        if (!take_time(&at, &west)) {
            return DK_EINVAL;
        }
        rule->dst_offset_s = -west;
    }
    return take_day(&at, &rule->dst_from) && take_day(&at, &rule->dst_to) && *at == '\0'
               ? 0
               : DK_EINVAL;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t days_of(const struct dk_tz_day *day, int year)
{
    int64_t first = dk_days_of_date(year, 1, 1);
    if (day->form == DK_TZ_ZERO_BASED) {
        return first + day->day;
    }
    if (day->form == DK_TZ_JULIAN) {
        return first + day->day - 1 + (is_leap(year) && day->day >= 60);
    }
    int64_t month_first = dk_days_of_date(year, day->month, 1);
    int64_t next_month = day->month == 12 ? dk_days_of_date(year + 1, 1, 1)
                                          : dk_days_of_date(year, day->month + 1, 1);
    int wanted = (day->day + 6) % 7; /* Monday = 0 */
    int64_t at =
        month_first + (wanted - dk_weekday_of_days(month_first) + 7) % 7 + 7 * (day->week - 1);
    return at >= next_month ? at - 7 : at;
}

int64_t dk_tz_rule_instant_s(const struct dk_tz_rule *rule, int year, bool to_dst)
{
    const struct dk_tz_day *day = to_dst ? &rule->dst_from : &rule->dst_to;
    /* The rule's time of day is by the offset that is in force before the change. */
    int32_t offset = to_dst ? rule->std_offset_s : rule->dst_offset_s;
    return days_of(day, year) * 86400 + day->time_s - offset;
}
