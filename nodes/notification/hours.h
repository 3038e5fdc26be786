/* Quiet hours (N2): when a recipient may be disturbed, and who is there at all (N3). */
#ifndef DK_NOTIFICATION_HOURS_H
#define DK_NOTIFICATION_HOURS_H

#include "proto/refs/refs.h"

/* The first instant from `at` on that lies in the recipient's hours: an agent's own, else those of
 * the first group of the agent's that has some; a group's own; else the settings'. Without any, and
 * when they never come again, `at` itself. Reference data is that of `at`. */
int64_t dk_hours_from_us(struct dk_refs *refs, uint64_t recipient, int64_t at_us);

/* Whether an agent's shifts say absent: there are some, and none of them, on call or not, is on.
 * Who stands in no shift is not absent by them, and nobody but agents ever is. */
bool dk_hours_off_shift(struct dk_refs *refs, uint64_t recipient, int64_t at_us);

#endif
