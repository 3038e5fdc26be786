/* A POSIX TZ rule, as the footer of a TZif file has it ("CET-1CEST,M3.5.0,M10.5.0/3", RFC 8536
 * section 3.3): what holds after the last transition that the file lists. */
#ifndef DK_CALENDAR_TZ_RULE_H
#define DK_CALENDAR_TZ_RULE_H

#include <stdbool.h>
#include <stdint.h>

struct dk_tz_day {
    enum { DK_TZ_JULIAN, DK_TZ_ZERO_BASED, DK_TZ_MONTH } form;
    int day;        /* Jn: 1..365 without 29 February; n: 0..365; Mm.w.d: weekday, 0 = Sunday */
    int month;      /* 1..12 */
    int week;       /* 1..5, 5 = the last */
    int32_t time_s; /* local, -167 h .. 167 h */
};

struct dk_tz_rule {
    bool has_dst;
    int32_t std_offset_s; /* seconds east */
    int32_t dst_offset_s;
    struct dk_tz_day dst_from, dst_to;
};

/* 0 or DK_EINVAL. */
int dk_tz_rule_parse(struct dk_tz_rule *rule, const char *text);

/* When, in a year, daylight saving begins (`to_dst`) or ends: seconds since 1970 UTC. */
int64_t dk_tz_rule_instant_s(const struct dk_tz_rule *rule, int year, bool to_dst);

#endif
