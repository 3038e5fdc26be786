/* IANA time zones, read from the system's tzdata (RFC 8536 TZif, version 2 and later, footer rule
 * included). Immutable once loaded; no process-wide state (no TZ, no tzset). */
#ifndef DK_CALENDAR_ZONE_H
#define DK_CALENDAR_ZONE_H

#include "proto/base/err.h"
#include "proto/base/time.h"
#include <stdint.h>

struct dk_zone;

/* Loads "Europe/Berlin" from $TZDIR or /usr/share/zoneinfo. "UTC" needs no file. A name with "..",
 * a leading "/" or unknown characters is refused. 0; DK_ENOTFOUND (says the name); DK_ECORRUPT
 * (any breach of RFC 8536, or leap seconds); DK_EIO; DK_ENOMEM; then `*zone` is NULL. Known are
 * the instants of limits.h, to 2200. Heap; free with dk_zone_free. */
int dk_zone_load(struct dk_zone **zone, const char *name, struct dk_err *err);
void dk_zone_free(struct dk_zone **zone);
const char *dk_zone_name(const struct dk_zone *zone);

/* Seconds east of UTC in force at an instant. O(log transitions). */
int dk_zone_offset_s(const struct dk_zone *zone, int64_t at_us);

/* Where a civil time falls on the UTC line. DOMAIN T2: in a gap (the civil time does not exist)
 * the instant is the first valid one, which is the transition; in a fold (it exists twice)
 * `DK_FOLD_FIRST` takes the earlier offset, `DK_FOLD_SECOND` the later. */
enum dk_fold { DK_FOLD_FIRST, DK_FOLD_SECOND };
int64_t dk_zone_to_us(const struct dk_zone *zone, const struct dk_civil *civil, enum dk_fold fold);

/* The civil time in the zone at an instant, and the offset then (may be NULL). */
void dk_zone_to_civil(const struct dk_zone *zone, int64_t at_us, struct dk_civil *civil,
                      int *offset_s);

#endif
