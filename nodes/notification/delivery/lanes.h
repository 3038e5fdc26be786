/* Whose turn it is: the pending notices, in one lane a receiver. To the lanes a digest is one
 * notice, whose id is the digest's.
 *
 * Pure: time and chance are handed in. A receiver that is down, slow or answers garbage blocks
 * nobody:
 *   - lanes take turns; one lane has at most DK_LANE_IN_FLIGHT notices in flight;
 *   - after a failure the lane is in trouble: it waits, longer each time, and then tries one
 * notice, another one each time, until one is taken; all lanes in trouble together have at most
 *     DK_LANES_TROUBLED of the DK_LANES_IN_FLIGHT places;
 *   - a notice that failed waits too, longer each time, behind the others of its lane; it waits
 *     alone when the receiver refused it but is well (greylisting).
 * Pauses double from DK_PAUSE_MIN_US up to a cap, and half of each is left to chance. */
#ifndef DK_DELIVERY_LANES_H
#define DK_DELIVERY_LANES_H

#include "nodes/notification/delivery/outcome.h"
#include <stdbool.h>
#include <stdint.h>

#define DK_LANES_IN_FLIGHT     32 /* what a kill can repeat, at most */
#define DK_LANE_IN_FLIGHT      8
#define DK_LANES_TROUBLED      16
#define DK_PAUSE_MIN_US        INT64_C(250000)
#define DK_LANE_PAUSE_MAX_US   (INT64_C(60) * 1000000)
#define DK_NOTICE_PAUSE_MAX_US (INT64_C(300) * 1000000)
#define DK_ASKED_PAUSE_MAX_US  (INT64_C(3600) * 1000000) /* what a receiver may ask for */

struct dk_lanes;

struct dk_lanes *dk_lanes_new(void);
void dk_lanes_free(struct dk_lanes **lanes);

/* A notice (not 0) to be delivered now; one that is known already is passed over. */
void dk_lanes_add(struct dk_lanes *lanes, uint64_t notice, uint64_t receiver, int64_t now_us);

/* The notice to try next: it is in flight from now on. false: none may be tried now. */
bool dk_lanes_next(struct dk_lanes *lanes, int64_t now_us, uint64_t *notice);
/* When dk_lanes_next may have one: INT64_MIN: now; INT64_MAX: not before something happens. */
int64_t dk_lanes_due_us(struct dk_lanes *lanes);

/* The attempt failed: it is tried again later. `chance` is any number. */
void dk_lanes_failed(struct dk_lanes *lanes, uint64_t notice, const struct dk_outcome *outcome,
                     int64_t now_us, uint32_t chance);
/* It is not to be tried now, and was not: it is held, in nobody's way, until it is released. */
void dk_lanes_hold(struct dk_lanes *lanes, uint64_t notice, int64_t now_us);
/* What is not held, or not known, is passed over. */
void dk_lanes_release(struct dk_lanes *lanes, uint64_t notice, int64_t now_us);
/* The receiver has answered, and is well: its lane has room again, while the notice keeps its place
 * among all in flight until it is done. */
void dk_lanes_answered(struct dk_lanes *lanes, uint64_t notice, int64_t now_us);
/* The log knows what became of it (or it is known to nobody any more): forgotten. */
void dk_lanes_done(struct dk_lanes *lanes, uint64_t notice, int64_t now_us);

/* What was tried; all zero for a notice that is not known. */
void dk_lanes_attempts(const struct dk_lanes *lanes, uint64_t notice, struct dk_attempts *attempts);

#endif
