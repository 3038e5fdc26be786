#include "replay/import/time_format.h"

#include "proto/base/limits.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TEXT_BYTES 64

/* What has been read so far. */
struct reading {
    const char *at;
    const char *end;
    struct dk_civil civil;
    int64_t epoch_s;
    int offset_s;
    bool has_epoch;
    bool has_offset;
    bool has_half;
    bool afternoon;
};

static bool take_number(struct reading *r, int max_digits, int *value)
{
    const char *from = r->at;
    *value = 0;
    while (r->at < r->end && r->at - from < max_digits && *r->at >= '0' && *r->at <= '9') {
        *value = *value * 10 + (*r->at++ - '0');
    }
    return r->at > from;
}

static bool take_char(struct reading *r, char c)
{
    if (r->at == r->end || *r->at != c) {
        return false;
    }
    r->at++;
    return true;
}

static bool take_fraction(struct reading *r)
{
    const char *from = r->at;
    int unit_us = 100000;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++, unit_us /= 10) {
        r->civil.us += (*r->at - '0') * unit_us;
    }
    return r->at > from;
}

static bool take_month(struct reading *r)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; i < 12 && r->end - r->at >= 3; i++) {
        if (strncasecmp(r->at, months + 3 * i, 3) == 0) {
            r->civil.month = i + 1;
            r->at += 3;
            return true;
        }
    }
    return false;
}

static bool take_half(struct reading *r)
{
    if (r->end - r->at < 2 || (r->at[1] | 0x20) != 'm') {
        return false;
    }
    char half = (char)(*r->at | 0x20);
    r->has_half = true;
    r->afternoon = half == 'p';
    r->at += 2;
    return half == 'a' || half == 'p';
}

static bool take_offset(struct reading *r)
{
    int hours = 0, minutes = 0;
    r->has_offset = true;
    if (take_char(r, 'Z')) {
        return true;
    }
    int sign = take_char(r, '-') ? -1 : 1;
    if (sign == 1 && !take_char(r, '+')) {
        return false;
    }
    if (!take_number(r, 2, &hours)) {
        return false;
    }
    (void)take_char(r, ':');
    (void)take_number(r, 2, &minutes);
    r->offset_s = sign * (hours * 3600 + minutes * 60);
    return hours <= 18 && minutes <= 59;
}

static bool take_epoch(struct reading *r)
{
    bool negative = take_char(r, '-');
    const char *from = r->at;
    while (r->at < r->end && r->at - from < 12 && *r->at >= '0' && *r->at <= '9') {
        r->epoch_s = r->epoch_s * 10 + (*r->at++ - '0');
    }
    r->epoch_s = negative ? -r->epoch_s : r->epoch_s;
    r->has_epoch = true;
    return r->at > from;
}

static bool take_blanks(struct reading *r)
{
    const char *from = r->at;
    while (r->at < r->end && *r->at == ' ') {
        r->at++;
    }
    return r->at > from;
}

static bool take_part(struct reading *r, char part)
{
    switch (part) {
    case 'Y': return take_number(r, 4, &r->civil.year);
    case 'm': return take_number(r, 2, &r->civil.month);
    case 'd': return take_number(r, 2, &r->civil.day);
    case 'H': return take_number(r, 2, &r->civil.hour);
    case 'M': return take_number(r, 2, &r->civil.minute);
    case 'S': return take_number(r, 2, &r->civil.second);
    case 'f': return take_fraction(r);
    case 'b': return take_month(r);
    case 'p': return take_half(r);
    case 'z': return take_offset(r);
    case 's': return take_epoch(r);
    case '%': return take_char(r, '%');
    default: return false;
    }
}

static bool take_all(struct reading *r, const char *pattern)
{
    for (const char *p = pattern; *p != '\0'; p++) {
        bool taken = *p == '%' ? take_part(r, *++p) : *p == ' ' ? take_blanks(r) : take_char(r, *p);
        if (!taken) {
            return false;
        }
    }
    return r->at == r->end;
}

int dk_time_format_check(const char *pattern, struct dk_err *err)
{
    bool year = false, month = false, day = false, epoch = false;
    if (strcmp(pattern, "iso") == 0) {
        return 0;
    }
    for (const char *p = pattern; *p != '\0'; p++) {
        if (*p != '%') {
            continue;
        }
        p++;
        if (*p == '\0' || strchr("YmdHMSfbpzs%", *p) == NULL) {
            return dk_err_set(err, DK_EINVAL,
                              "\"%s\": after %% stands one of Y m d H M S f b p z s", pattern);
        }
        year |= *p == 'Y';
        month |= *p == 'm' || *p == 'b';
        day |= *p == 'd';
        epoch |= *p == 's';
    }
    return epoch || (year && month && day)
               ? 0
               : dk_err_set(err, DK_EINVAL, "\"%s\" lacks year, month or day", pattern);
}

static int read_iso(const struct dk_time_format *format, const char *text, int64_t *us,
                    struct dk_err *err)
{
    int has_offset = 0;
    int rc = dk_time_parse(text, us, &has_offset, err);
    if (rc == 0 && !has_offset) {
        struct dk_civil civil;
        dk_civil_of_us(*us, &civil);
        *us = dk_zone_to_us(format->zone, &civil, DK_FOLD_FIRST);
    }
    return rc;
}

static int to_instant(const struct dk_time_format *format, struct reading *r, int64_t *us,
                      struct dk_err *err)
{
    if (r->has_epoch) {
        *us = r->epoch_s * DK_SECOND_US;
        return 0;
    }
    if (r->has_half) {
        r->civil.hour = r->civil.hour % 12 + (r->afternoon ? 12 : 0);
    }
    int rc = dk_civil_check(&r->civil, err);
    if (rc == 0) {
        *us = r->has_offset ? dk_civil_to_us(&r->civil) - r->offset_s * DK_SECOND_US
                            : dk_zone_to_us(format->zone, &r->civil, DK_FOLD_FIRST);
    }
    return rc;
}

int dk_time_format_read(const struct dk_time_format *format, struct dk_slice text, int64_t *us,
                        struct dk_err *err)
{
    char copy[TEXT_BYTES];
    if (text.size >= sizeof copy) {
        return dk_err_set(err, DK_EINVAL, "%zu bytes are no time", text.size);
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    if (strcmp(format->pattern, "iso") == 0) {
        return read_iso(format, copy, us, err);
    }
    struct reading r = {.at = copy, .end = copy + text.size};
    if (!take_all(&r, format->pattern)) {
        return dk_err_set(err, DK_EINVAL, "\"%s\" is not written as %s", copy, format->pattern);
    }
    int rc = to_instant(format, &r, us, err);
    if (rc != 0) {
        return dk_err_wrap(err, "\"%s\"", copy);
    }
    return *us >= DK_TIME_MIN_US && *us <= DK_TIME_MAX_US
               ? 0
               : dk_err_set(err, DK_ETIME, "\"%s\" is not between the years 1900 and 2200", copy);
}
