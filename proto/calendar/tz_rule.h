/* The rule by which a zone goes on after the last transition its file lists: the POSIX TZ string
 * of a TZif footer, with the hours that version 3 allows (RFC 8536 3.3 and 3.3.1):
 *
 *     CET-1CEST,M3.5.0,M10.5.0/3
 *
 * "An hour east of UTC; an hour more from the last Sunday of March, 02:00, until the last Sunday
 * of October, 03:00, each by the clock in force before." */
#ifndef DK_CALENDAR_TZ_RULE_H
#define DK_CALENDAR_TZ_RULE_H

#include "proto/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No zone was or can be written further from UTC than this, either way (RFC 8536 3.2 asks for
 * -25 h < offset < 26 h). */
#define DK_TZ_OFFSET_MAX_S (26 * 3600)

enum dk_tz_form {
    DK_TZ_MONTH,     /* Mm.w.d: weekday d of month m, for the w-th time; 5 is the last */
    DK_TZ_JULIAN,    /* Jn: day 1..365, 29 February is never counted */
    DK_TZ_ZERO_BASED /* n: day 0..365, 29 February is counted */
};

struct dk_tz_date {
    enum dk_tz_form form;
    int month;      /* 1..12 */
    int week;       /* 1..5 */
    int day;        /* of the week, 0 = Sunday, or of the year */
    int32_t time_s; /* after that day's local midnight, -167 h .. 167 h */
};

struct dk_tz_rule {
    int32_t standard_s; /* seconds east of UTC */
    bool has_summer;
    int32_t summer_s;
    struct dk_tz_date summer_begins; /* by standard time */
    struct dk_tz_date summer_ends;   /* by summer time */
};

struct dk_tz_change {
    int64_t at_s; /* seconds since 1970-01-01T00:00:00Z */
    int32_t offset_s;
};

/* Reads exactly `bytes` characters. 0 or DK_ECORRUPT. */
int dk_tz_rule_parse(struct dk_tz_rule *rule, const char *text, size_t bytes, struct dk_err *err);

/* The two changes of a year, in the order of time. Only of a rule that has a summer. */
void dk_tz_rule_year(const struct dk_tz_rule *rule, int year, struct dk_tz_change change[2]);

#endif
