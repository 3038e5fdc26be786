#include "replay/history/ids.h"
#include "proto/event/fields.h"

static int each_id(const ProtobufCMessage *message, const uint8_t *rules,
                   int (*on_id)(void *arg, uint64_t id), void *arg);

static int each_of_field(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                         enum dk_rule rule, int (*on_id)(void *arg, uint64_t id), void *arg)
{
    struct dk_values values = dk_field_values(message, field);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < values.count; i++) {
        const void *at = values.at + i * values.stride;
        if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
            const ProtobufCMessage *part = *(const ProtobufCMessage *const *)at;
            rc = each_id(part, dk_rules_of_part(part->descriptor), on_id, arg);
        } else if (field->type == PROTOBUF_C_TYPE_FIXED64 && dk_rule_is_id(rule) &&
                   *(const uint64_t *)at != 0) {
            rc = on_id(arg, *(const uint64_t *)at);
        }
    }
    return rc;
}

/* As deep as the schema, which has no recursive message. */
static int each_id(const ProtobufCMessage *message, const uint8_t *rules,
                   int (*on_id)(void *arg, uint64_t id), void *arg)
{
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        rc = each_of_field(message, field, dk_rule_of(rules, field), on_id, arg);
    }
    return rc;
}

int dk_event_each_id(const struct dk_envelope *event, const ProtobufCMessage *body,
                     int (*on_id)(void *arg, uint64_t id), void *arg)
{
    uint64_t actor = dk_subject_of_actor(event->actor);
    int rc = actor != 0 ? on_id(arg, actor) : 0;
    rc = rc == 0 && event->group != 0 ? on_id(arg, event->group) : rc;
    return rc == 0 && body != NULL ? each_id(body, dk_rules_of_kind(event->kind), on_id, arg) : rc;
}
