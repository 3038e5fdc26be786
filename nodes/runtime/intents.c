#include "nodes/runtime/intents.h"
#include "proto/base/id.h"
#include "proto/event/body.h"
#include "proto/event/event.h"

#define BYTES_MAX (DK_REQUEST_MAX_BYTES / 2)

/* Every body of a ticket kind begins like this: the decision is its first field. */
struct decided {
    ProtobufCMessage base;
    Docket__Decision *decision;
};

void dk_intents_init(struct dk_intents *intents, unsigned role, uint32_t rule_version)
{
    intents->role = role;
    intents->rule_version = rule_version;
    intents->basis = 0;
    intents->count = 0;
    dk_buf_init(&intents->bytes, BYTES_MAX);
}

void dk_intents_close(struct dk_intents *intents)
{
    dk_buf_close(&intents->bytes);
}

void dk_intents_clear(struct dk_intents *intents, uint64_t basis)
{
    intents->basis = basis;
    intents->count = 0;
    dk_buf_clear(&intents->bytes);
}

bool dk_intents_add(struct dk_intents *intents, uint64_t ticket, uint32_t kind,
                    ProtobufCMessage *body, uint64_t cause)
{
    Docket__Decision decision = DOCKET__DECISION__INIT;
    struct dk_envelope envelope = {.format = DK_EVENT_FORMAT,
                                   .subject = ticket,
                                   .actor = dk_id_make(DK_ACTOR_NODE, intents->role)};
    size_t begin = intents->bytes.size;
    if (intents->count == DK_INTENTS_MAX) {
        return false;
    }
    decision.basis = intents->basis;
    decision.cause = cause;
    decision.rule_version = intents->rule_version;
    ((struct decided *)(void *)body)->decision = &decision;
    int rc = dk_event_encode(&intents->bytes, &envelope, kind, body, NULL);
    ((struct decided *)(void *)body)->decision = NULL;
    if (rc != 0) {
        intents->bytes.size = begin;
        return false;
    }
    intents->offset[intents->count] = begin;
    intents->offset[++intents->count] = intents->bytes.size;
    return true;
}

struct dk_slice dk_intents_event(const struct dk_intents *intents, size_t i)
{
    return (struct dk_slice){intents->bytes.data + intents->offset[i],
                             intents->offset[i + 1] - intents->offset[i]};
}
