#include "replay/history/moment.h"
#include "proto/base/limits.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

char *dk_moment_show(const struct dk_zone *zone, int64_t us, char text[DK_TIME_TEXT_BYTES])
{
    struct dk_civil civil;
    if (us == 0) {
        (void)snprintf(text, DK_TIME_TEXT_BYTES, "never");
        return text;
    }
    dk_zone_to_civil(zone, us, &civil, NULL);
    (void)snprintf(text, DK_TIME_TEXT_BYTES, "%04d-%02d-%02d %02d:%02d:%02d", civil.year,
                   civil.month, civil.day, civil.hour, civil.minute, civil.second);
    return text;
}

static int parse_relative(int64_t now_us, const char *text, int64_t *us, struct dk_err *err)
{
    int64_t by_us = 0;
    int rc = dk_duration_parse(text + 1, &by_us, err);
    if (rc != 0) {
        (void)dk_err_wrap(err, "\"%s\"", text);
        return rc;
    }
    *us = text[0] == '-' ? now_us - by_us : now_us + by_us;
    return *us >= DK_TIME_MIN_US && *us <= DK_TIME_MAX_US
               ? 0
               : dk_err_set(err, DK_ETIME, "\"%s\" is too far away", text);
}

/* "2026-10-25T02:30:00+02:00" */
static char *with_offset(const struct dk_zone *zone, int64_t us, char text[DK_TIME_TEXT_BYTES])
{
    return dk_time_format(us, dk_zone_offset_s(zone, us), text);
}

/* The one instant at which clocks of the zone show what was typed. A day alone begins at its first
 * instant (DOMAIN T2); a time of day that is shown twice, or never, is nobody's to choose. */
static int place(const struct dk_zone *zone, const char *text, int64_t *us, struct dk_err *err)
{
    bool day_alone = strpbrk(text, "T ") == NULL;
    char one[DK_TIME_TEXT_BYTES], other[DK_TIME_TEXT_BYTES];
    struct dk_civil typed, shown;
    dk_civil_of_us(*us, &typed);
    int64_t first_us = dk_zone_to_us(zone, &typed, DK_FOLD_FIRST);
    int64_t second_us = dk_zone_to_us(zone, &typed, DK_FOLD_SECOND);
    dk_zone_to_civil(zone, first_us, &shown, NULL);
    if (!day_alone && dk_civil_to_us(&shown) != *us) {
        return dk_err_set(err, DK_ETIME,
                          "\"%s\" does not exist in %s, where clocks went on from %s to %s: say "
                          "an instant with its offset",
                          text, dk_zone_name(zone), with_offset(zone, first_us - DK_SECOND_US, one),
                          with_offset(zone, first_us, other));
    }
    if (!day_alone && first_us != second_us) {
        return dk_err_set(err, DK_ETIME, "\"%s\" comes twice in %s: say %s or %s", text,
                          dk_zone_name(zone), with_offset(zone, first_us, one),
                          with_offset(zone, second_us, other));
    }
    *us = first_us;
    return 0;
}

int dk_moment_parse(const struct dk_zone *zone, int64_t now_us, const char *text, int64_t *us,
                    struct dk_err *err)
{
    int has_offset = 0;
    if (strcmp(text, "now") == 0) {
        *us = now_us;
        return 0;
    }
    if (text[0] == '-' || text[0] == '+') {
        return parse_relative(now_us, text, us, err);
    }
    int rc = dk_time_parse(text, us, &has_offset, err);
    return rc == 0 && !has_offset ? place(zone, text, us, err) : rc;
}
