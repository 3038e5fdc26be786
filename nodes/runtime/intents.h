/* Events that a role's state says are owed, as encoded records ready to append. */
#ifndef DK_RUNTIME_INTENTS_H
#define DK_RUNTIME_INTENTS_H

#include "docket.pb-c.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/event/wire.h"
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DK_INTENTS_MAX                                                                             \
    256 /* from one `consider`; the item is considered again when these are in                     \
         */

struct dk_intents {
    unsigned role;
    uint32_t rule_version;
    uint64_t basis; /* the position folded */
    size_t count;
    struct dk_buf bytes;
    size_t offset[DK_INTENTS_MAX + 1];
};

void dk_intents_init(struct dk_intents *intents, unsigned role, uint32_t rule_version);
void dk_intents_close(struct dk_intents *intents);
void dk_intents_clear(struct dk_intents *intents, uint64_t basis);

/* Adds one event on `ticket`: `body` is the kind's struct (its `decision` is set here: basis,
 * cause, rule version); `cause` is the position that this answers. Copied. false when full: what is
 * left is owed still and comes with the next consideration. */
bool dk_intents_add(struct dk_intents *intents, uint64_t ticket, uint32_t kind,
                    ProtobufCMessage *body, uint64_t cause);
/* One of them, as encoded; borrowed until the next add or clear. */
struct dk_slice dk_intents_event(const struct dk_intents *intents, size_t i);

#endif
