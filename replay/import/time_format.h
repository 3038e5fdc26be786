/* Instants as a source writes them: a pattern, and the zone it means where it names none. */
#ifndef DK_IMPORT_TIME_FORMAT_H
#define DK_IMPORT_TIME_FORMAT_H

#include "proto/calendar/zone.h"
#include "proto/event/wire.h"
#include <stdint.h>

/* `pattern` is "iso" (ISO 8601, as proto/base/time.h reads it) or, as strptime(3) has them:
 *   %Y year   %m month   %d day   %H hour   %M minute   %S second: digits, leading zeros as may be
 *   %f fraction of a second   %b English month, three letters   %p AM or PM   %z Z, +HH:MM or +HHMM
 *   %s seconds since 1970     %% a percent sign               a blank: one or more
 * Every other character stands for itself. */
struct dk_time_format {
    const char *pattern;        /* borrowed */
    const struct dk_zone *zone; /* borrowed */
};

/* Whether the pattern holds only what is known, and a date (or %s). 0 or DK_EINVAL. */
int dk_time_format_check(const char *pattern, struct dk_err *err);

/* 0; DK_EINVAL when the text does not fit the pattern; DK_ETIME outside 1900..2200. In an hour that
 * exists twice the first is taken; one that does not exist is the instant of the change (T2). */
int dk_time_format_read(const struct dk_time_format *format, struct dk_slice text, int64_t *us,
                        struct dk_err *err);

#endif
