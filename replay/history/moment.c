#include "replay/history/moment.h"
#include "proto/base/limits.h"
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
        return rc;
    }
    *us = text[0] == '-' ? now_us - by_us : now_us + by_us;
    return *us >= DK_TIME_MIN_US && *us <= DK_TIME_MAX_US
               ? 0
               : dk_err_set(err, DK_ETIME, "\"%s\" is too far away", text);
}

int dk_moment_parse(const struct dk_zone *zone, int64_t now_us, const char *text, int64_t *us,
                    struct dk_err *err)
{
    int has_offset = 0;
    struct dk_civil civil;
    if (strcmp(text, "now") == 0) {
        *us = now_us;
        return 0;
    }
    if (text[0] == '-' || text[0] == '+') {
        return parse_relative(now_us, text, us, err);
    }
    int rc = dk_time_parse(text, us, &has_offset, err);
    if (rc == 0 && !has_offset) {
        dk_civil_of_us(*us, &civil);
        *us = dk_zone_to_us(zone, &civil, DK_FOLD_FIRST);
    }
    return rc;
}
