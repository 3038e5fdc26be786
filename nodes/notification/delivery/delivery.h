/* Delivery: takes pending notices from the notification role's outbox, hands them to their
 * transport, and appends what became of them.
 *
 *   outbox --> lanes: whose turn --> message --> file | webhook --> outcome
 *      ^                                                              |
 *      +--- leaves it: folded <--- NotificationSent | Failed <---------+
 *
 * At least once: NotificationSent is appended after the receiver's answer only, and a notice holds
 * its place among the DK_LANES_IN_FLIGHT in flight until that is folded; so a kill at any
 * instruction loses none, and repeats what was in flight at most. Attempts and pauses are in memory
 * only. A notice is given up (final NotificationFailed: the dead list) when its receiver refuses it
 * (4xx), when it cannot be sent at all, or after DK_DELIVERY_ATTEMPTS failures, some three hours.
 *
 * Not part of the role, and of docket-node only: nothing that replays or simulates links this. */
#ifndef DK_DELIVERY_DELIVERY_H
#define DK_DELIVERY_DELIVERY_H

#include "nodes/runtime/node.h"
#include "proto/base/err.h"

#define DK_DELIVERY_ATTEMPTS 50

struct dk_delivery;

/* `node` runs dk_notification_role; it, loop and config are borrowed and outlive the delivery.
 * Reads the log as `source` says, by a connection of its own. */
int dk_delivery_new(struct dk_delivery **delivery, struct ev_loop *loop, void *zmq,
                    const struct dk_config *config, struct dk_node *node,
                    enum dk_source_kind source, struct dk_err *err);
void dk_delivery_free(struct dk_delivery **delivery);

#endif
