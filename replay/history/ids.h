/* The entities that an event names: so that their names can be looked up. */
#ifndef DK_REPLAY_HISTORY_IDS_H
#define DK_REPLAY_HISTORY_IDS_H

#include "proto/event/body.h"
#include "proto/event/event.h"

/* Calls `on_id` for the actor's subject, the group, and each id in the body but 0; the same id may
 * come again. Stops at the first non-zero and hands it on. `body` may be NULL. */
int dk_event_each_id(const struct dk_envelope *event, const ProtobufCMessage *body,
                     int (*on_id)(void *arg, uint64_t id), void *arg);

#endif
