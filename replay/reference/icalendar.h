/* Days out of an iCalendar feed (RFC 5545), as candidates for a calendar's holidays.
 *
 * A feed is somebody else's: it may hold days on which people work, so nothing of it counts before
 * a person has said yes to the very day (DOMAIN T4). Recurrences (RRULE, RDATE, EXDATE) are counted
 * out; an instance that was moved or renamed (RECURRENCE-ID) stands for the one it replaces; of the
 * versions of an entry the one with the highest SEQUENCE counts; what is cancelled is left out.
 * Days are those of the entry's own zone. Read by libical. An entry that does not say when it is,
 * or recurs within a day, refuses the feed: what it means nobody can say. */
#ifndef DK_REPLAY_REFERENCE_ICALENDAR_H
#define DK_REPLAY_REFERENCE_ICALENDAR_H

#include "proto/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DK_ICALENDAR_MAX_BYTES ((size_t)4 << 20)
#define DK_ICALENDAR_MAX_DAYS  20000
#define DK_ICALENDAR_NAME      128

struct dk_icalendar_day {
    int32_t day;                  /* days since 1970-01-01 */
    bool whole;                   /* false: hours of it only, which make no holiday */
    char name[DK_ICALENDAR_NAME]; /* its SUMMARY, on one line, cut between characters */
};

/* The days of [from, to), by day, then name; of several entries of a day and name one. The caller
 * frees `*days`. 0; DK_ENOTFOUND, DK_EIO; DK_ETOOBIG; DK_EINVAL when it is no iCalendar, or an
 * entry cannot be understood: names it. */
int dk_icalendar_days(const char *path, int32_t from_day, int32_t to_day,
                      struct dk_icalendar_day **days, size_t *count, struct dk_err *err);

#endif
