/* The broker: one libev thread that owns all sockets, around the core.
 *
 *   ROUTER --> core (judges) --> commit thread --> answers, announce, feed
 *      |                                |
 *      +--> reads (fetch, look up)      +--> behind (seals, look-ups, heads)
 */
#ifndef DK_NET_BROKER_H
#define DK_NET_BROKER_H

#include "broker/net/held_clock.h"
#include "proto/base/err.h"
#include "proto/peer/config.h"
#include <ev.h>

struct dk_broker;

/* Opens the log, recovers, and listens. Everything that can be wrong is said here. `clock` (may be
 * NULL) is borrowed: the broker lives by it, and tells of its time every DK_HELD_BEAT_S. */
#define DK_HELD_BEAT_S 0.005
int dk_broker_new(struct dk_broker **broker, struct ev_loop *loop, const struct dk_config *config,
                  const struct dk_held_clock *clock, struct dk_err *err);

/* Waits for the commit under way, writes what is behind, closes. */
void dk_broker_free(struct dk_broker **broker);

#endif
