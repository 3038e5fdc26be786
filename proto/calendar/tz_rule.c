#include "proto/calendar/tz_rule.h"
#include "proto/base/time.h"

#define HOUR_S       3600
#define DAY_S        86400
#define OFFSET_HOURS 24
#define TIME_HOURS   167

struct text {
    const char *at;
    const char *end;
};

static bool take_char(struct text *text, char c)
{
    if (text->at == text->end || *text->at != c)
        return false;
    text->at++;
    return true;
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Abbreviations are of no use here, but where they end is: three letters or more, or anything of
 * letters, digits and signs between < and >. */
static bool take_name(struct text *text)
{
    bool quoted = take_char(text, '<');
    const char *begin = text->at;
    while (text->at < text->end &&
           (is_letter(*text->at) ||
            (quoted && (is_digit(*text->at) || *text->at == '+' || *text->at == '-'))))
        text->at++;
    return text->at - begin >= 3 && (!quoted || take_char(text, '>'));
}

static bool take_number(struct text *text, int min, int max, int *value)
{
    const char *begin = text->at;
    *value = 0;
    while (text->at < text->end && is_digit(*text->at) && *value <= max)
        *value = *value * 10 + (*text->at++ - '0');
    return text->at > begin && *value >= min && *value <= max;
}

/* [+-]hh[:mm[:ss]] */
static bool take_seconds(struct text *text, int hours_max, int32_t *seconds)
{
    int hours, minutes = 0, rest = 0;
    int sign = take_char(text, '-') ? -1 : 1;
    if (sign > 0)
        (void)take_char(text, '+');
    bool ok = take_number(text, 0, hours_max, &hours);
    if (ok && take_char(text, ':')) {
        ok = take_number(text, 0, 59, &minutes);
        ok = ok && (!take_char(text, ':') || take_number(text, 0, 59, &rest));
    }
    *seconds = sign * (hours * HOUR_S + minutes * 60 + rest);
    return ok;
}

static bool take_date(struct text *text, struct dk_tz_date *date)
{
    bool ok;
    if (take_char(text, 'M')) {
        date->form = DK_TZ_MONTH;
        ok = take_number(text, 1, 12, &date->month) && take_char(text, '.') &&
             take_number(text, 1, 5, &date->week) && take_char(text, '.') &&
             take_number(text, 0, 6, &date->day);
    } else if (take_char(text, 'J')) {
        date->form = DK_TZ_JULIAN;
        ok = take_number(text, 1, 365, &date->day);
    } else {
        date->form = DK_TZ_ZERO_BASED;
        ok = take_number(text, 0, 365, &date->day);
    }
    date->time_s = 2 * HOUR_S;
    return ok && (!take_char(text, '/') || take_seconds(text, TIME_HOURS, &date->time_s));
}

/* POSIX counts offsets west of UTC, docket east. */
static bool take_offset(struct text *text, int32_t *offset_s)
{
    int32_t west_s;
    bool ok = take_seconds(text, OFFSET_HOURS, &west_s);
    *offset_s = -west_s;
    return ok;
}

static bool take_rule(struct text *text, struct dk_tz_rule *rule)
{
    if (!take_name(text) || !take_offset(text, &rule->standard_s))
        return false;
    rule->has_summer = text->at < text->end;
    if (!rule->has_summer)
        return true;
    if (!take_name(text))
        return false;
    rule->summer_s = rule->standard_s + HOUR_S;
    if (text->at < text->end && *text->at != ',' && !take_offset(text, &rule->summer_s))
        return false;
    return take_char(text, ',') && take_date(text, &rule->summer_begins) && take_char(text, ',') &&
           take_date(text, &rule->summer_ends);
}

int dk_tz_rule_parse(struct dk_tz_rule *rule, const char *text, size_t bytes, struct dk_err *err)
{
    struct text rest = {text, text + bytes};
    *rule = (struct dk_tz_rule){0};
    if (!take_rule(&rest, rule) || rest.at != rest.end)
        return dk_err_set(err, DK_ECORRUPT, "the rule \"%.*s\" is none of POSIX's", (int)bytes,
                          text);
    return 0;
}

static int64_t day_of(const struct dk_tz_date *date, int year)
{
    int64_t new_year = dk_days_of_date(year, 1, 1);
    if (date->form == DK_TZ_ZERO_BASED)
        return new_year + date->day;
    if (date->form == DK_TZ_JULIAN) {
        bool after_february = date->day > 31 + 28;
        int64_t march = dk_days_of_date(year, 3, 1);
        return after_february ? march + date->day - (31 + 28 + 1) : new_year + date->day - 1;
    }
    int64_t first = dk_days_of_date(year, date->month, 1);
    int64_t next_month = date->month == 12 ? dk_days_of_date(year + 1, 1, 1)
                                           : dk_days_of_date(year, date->month + 1, 1);
    int wanted = (date->day + 6) % 7; /* dk_weekday_of_days begins with Monday */
    int64_t day = first + (wanted - dk_weekday_of_days(first) + 7) % 7 + 7 * (date->week - 1);
    return day < next_month ? day : day - 7;
}

void dk_tz_rule_year(const struct dk_tz_rule *rule, int year, struct dk_tz_change change[2])
{
    DK_ASSERT(rule->has_summer);
    struct dk_tz_change begin = {day_of(&rule->summer_begins, year) * DAY_S +
                                     rule->summer_begins.time_s - rule->standard_s,
                                 rule->summer_s};
    struct dk_tz_change end = {day_of(&rule->summer_ends, year) * DAY_S + rule->summer_ends.time_s -
                                   rule->summer_s,
                               rule->standard_s};
    bool begins_first = begin.at_s <= end.at_s;
    change[0] = begins_first ? begin : end;
    change[1] = begins_first ? end : begin;
}
