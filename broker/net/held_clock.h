/* A clock that stands still until somebody moves it: for rehearsals and tests, in which days pass
 * in seconds and every timer fires at its very instant.
 *
 * The file holds 8 bytes, the instant as a little-endian int64 of microseconds since 1970, and is
 * mapped; whoever moves the clock writes there. Nodes take their time from the broker, so that they
 * follow. */
#ifndef DK_NET_HELD_CLOCK_H
#define DK_NET_HELD_CLOCK_H

#include "broker/core/core.h"
#include "proto/base/err.h"

struct dk_held_clock;

/* DK_ENOTFOUND, DK_EIO; DK_EINVAL for a file of another size or an instant that is none. */
int dk_held_clock_open(struct dk_held_clock **clock, const char *path, struct dk_err *err);
void dk_held_clock_close(struct dk_held_clock **clock);

/* NULL: the machine's own clocks. */
struct dk_now dk_held_clock_now(const struct dk_held_clock *clock);

#endif
