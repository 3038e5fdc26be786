/* Instants as people type and read them, in the zone they chose. */
#ifndef DK_REPLAY_HISTORY_MOMENT_H
#define DK_REPLAY_HISTORY_MOMENT_H

#include "proto/calendar/zone.h"

/* "2026-02-03 10:04:11" in the zone; "never" for 0. Returns `text`. */
char *dk_moment_show(const struct dk_zone *zone, int64_t us, char text[DK_TIME_TEXT_BYTES]);

/* Reads "now", "-2h" and "+30m" (from `now_us`), or ISO 8601 (time.h), which is meant in the zone
 * when it states no offset. A time of day that the zone's clocks skip, or show twice, is refused,
 * with the instants between which they jump, or that both have it; a day alone is its first
 * instant. 0, DK_EINVAL, DK_ETIME; then `*us` means nothing. */
int dk_moment_parse(const struct dk_zone *zone, int64_t now_us, const char *text, int64_t *us,
                    struct dk_err *err);

#endif
