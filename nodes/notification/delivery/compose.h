/* What is handed to a transport: notices as one message, made from log, tickets and reference data
 * at the moment it goes out. */
#ifndef DK_DELIVERY_COMPOSE_H
#define DK_DELIVERY_COMPOSE_H

#include "nodes/notification/notification.h"
#include "nodes/notification/payload.h"
#include "nodes/runtime/source.h"
#include "proto/calendar/zone.h"
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct dk_compose;

struct dk_composed {
    Docket__Transport transport;
    const Docket__Text *address; /* NULL: none; borrowed until the next one is composed */
    Docket__Payload payload;     /* of a webhook */
    ProtobufCBinaryData chat;
    json_t *object; /* payload.h; the receiver's own */
};

/* Reads the log as `source` says, by a connection of its own; instants are written in `zone`. */
int dk_compose_new(struct dk_compose **compose, void *zmq, const struct dk_config *config,
                   enum dk_source_kind source, struct dk_err *err);
void dk_compose_free(struct dk_compose **compose);

/* Composes pending notices of one receiver and rule: of the id `id`, a digest when there are
 * several. 0; DK_EIO, DK_ETIMEOUT, DK_EBUSY (may pass); others: it cannot be said at all. */
int dk_compose_make(struct dk_compose *compose, const struct dk_world *world, const void *role,
                    uint64_t id, const uint64_t *notice, size_t count, struct dk_composed *composed,
                    struct dk_err *err);

#endif
