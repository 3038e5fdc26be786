#include "proto/event/body.h"

#include "proto/event/varint.h"
#include <stdbool.h>

const ProtobufCMessageDescriptor *dk_body_descriptor(uint32_t kind)
{
    static const ProtobufCMessageDescriptor *const descriptors[] = {
#define X(number, NAME, body, word, cls, roles) [number] = &docket__##body##__descriptor,
        DK_KINDS(X)
#undef X
    };
    return kind < sizeof descriptors / sizeof descriptors[0] ? descriptors[kind] : NULL;
}

/* How every body of a ticket kind begins (tested for each). */
struct ticket_body {
    ProtobufCMessage base;
    const Docket__Decision *decision;
    const Docket__Origin *origin;
};
/* Whether the readers of event.h, which look at a body's first bytes only, see what the unpack
 * saw. Else (a decision that stands twice, or not in front) one record would say two things. */
static bool decision_agrees(const Docket__Decision *unpacked, const uint8_t *record,
                            size_t record_bytes)
{
    struct dk_decision read;
    int found = dk_event_decision(record, record_bytes, &read);
    if (unpacked == NULL || found != 1)
        return unpacked == NULL && found == 0;
    return unpacked->basis == read.basis && unpacked->cause == read.cause &&
           unpacked->rule_version == read.rule_version;
}

static bool origin_agrees(const Docket__Origin *unpacked, const uint8_t *record,
                          size_t record_bytes)
{
    struct dk_origin read;
    int found = dk_event_origin(record, record_bytes, &read);
    if (unpacked == NULL || found != 1)
        return unpacked == NULL && found == 0;
    if (unpacked->source != read.source || unpacked->ordinal != read.ordinal ||
        unpacked->digest != read.digest || unpacked->has_case_key != (read.case_key != NULL))
        return false;
    return read.case_key == NULL ||
           (unpacked->case_key.len == read.case_key_bytes &&
            memcmp(unpacked->case_key.data, read.case_key, read.case_key_bytes) == 0);
}

static int check_front(const ProtobufCMessage *body, const uint8_t *record, size_t record_bytes,
                       struct dk_err *err)
{
    const struct ticket_body *ticket = (const struct ticket_body *)body;
    if (!decision_agrees(ticket->decision, record, record_bytes))
        return dk_err_field(err, DK_EINVAL, "decision",
                            "a decision must be the body's first field and stand there once");
    if (!origin_agrees(ticket->origin, record, record_bytes))
        return dk_err_field(err, DK_EINVAL, "origin",
                            "an origin must follow the decision and stand there once");
    return 0;
}

/* An arena that remembers whether it was used up, as protobuf-c does not tell why it gave up. */
struct noting {
    struct dk_arena *arena;
    bool exhausted;
};

static void *noting_alloc(void *data, size_t bytes)
{
    struct noting *noting = data;
    void *memory = dk_arena_alloc(noting->arena, bytes);
    noting->exhausted |= memory == NULL;
    return memory;
}

static void noting_free(void *data, void *memory)
{
    (void)data;
    (void)memory;
}

const ProtobufCMessage *dk_body_unpack(struct dk_arena *arena, const uint8_t *record,
                                       size_t record_bytes, struct dk_err *err)
{
    uint32_t kind = dk_event_load_kind(record);
    const ProtobufCMessageDescriptor *descriptor = dk_body_descriptor(kind);
    if (descriptor == NULL) {
        dk_err_field(err, DK_EVERSION, "kind", "kind %u is not known here", kind);
        return NULL;
    }
    size_t body_bytes;
    const uint8_t *bytes = dk_event_body(record, record_bytes, &body_bytes);
    struct noting noting = {.arena = arena};
    ProtobufCAllocator allocator = {noting_alloc, noting_free, &noting};
    const ProtobufCMessage *body =
        protobuf_c_message_unpack(descriptor, &allocator, body_bytes, bytes);
    if (body == NULL && noting.exhausted) {
        dk_err_field(err, DK_ENOMEM, "body", "the body does not fit %zu bytes when unpacked",
                     arena->capacity);
        return NULL;
    }
    if (body == NULL) {
        dk_err_field(err, DK_EINVAL, "body",
                     "the body is malformed or lacks a required field of %s",
                     descriptor->short_name);
        return NULL;
    }
    if (kind <= DK_KIND_TICKET_LAST && check_front(body, record, record_bytes, err) != 0)
        return NULL;
    return body;
}

int dk_event_encode(struct dk_buf *out, struct dk_envelope *envelope, uint32_t kind,
                    const ProtobufCMessage *body, struct dk_err *err)
{
    DK_ASSERT(body->descriptor == dk_body_descriptor(kind));
    size_t body_bytes = protobuf_c_message_get_packed_size(body);
    uint32_t key = dk_wire_key(kind, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED);
    size_t head_bytes = DK_ENVELOPE_BYTES + dk_varint_size(key) + dk_varint_size(body_bytes);
    if (body_bytes > DK_RECORD_MAX_BYTES - head_bytes)
        return dk_err_field(err, DK_ETOOBIG, "event", "a record of %zu bytes; at most %d fit",
                            head_bytes + body_bytes, DK_RECORD_MAX_BYTES);
    uint8_t *at = dk_buf_extend(out, head_bytes + body_bytes);
    if (at == NULL)
        return dk_err_set(err, DK_ETOOBIG, "no room for a record of %zu bytes",
                          head_bytes + body_bytes);
    envelope->format = DK_EVENT_FORMAT;
    envelope->kind = kind;
    dk_event_store(at, envelope);
    at = dk_varint_put(at + DK_ENVELOPE_BYTES, key);
    at = dk_varint_put(at, body_bytes);
    protobuf_c_message_pack(body, at);
    return 0;
}

const void *dk_body_field(const ProtobufCMessage *body, const char *name, ProtobufCType type)
{
    const ProtobufCFieldDescriptor *field =
        body == NULL ? NULL
                     : protobuf_c_message_descriptor_get_field_by_name(body->descriptor, name);
    if (field == NULL || field->type != type || field->label == PROTOBUF_C_LABEL_REPEATED) {
        return NULL;
    }
    const uint8_t *value = (const uint8_t *)body + field->offset;
    if (type == PROTOBUF_C_TYPE_MESSAGE) {
        return *(const void *const *)(const void *)value;
    }
    const protobuf_c_boolean *has =
        (const void *)((const uint8_t *)body + field->quantifier_offset);
    return field->label == PROTOBUF_C_LABEL_REQUIRED || *has ? value : NULL;
}

const char *dk_text_plain(const Docket__Text *text, size_t *bytes)
{
    static const char sealed[] = "[sealed]";
    if (text != NULL && text->sealed != NULL) {
        *bytes = sizeof sealed - 1;
        return sealed;
    }
    if (text == NULL || !text->has_plain || text->plain.len == 0) {
        *bytes = 0;
        return "";
    }
    *bytes = text->plain.len;
    return (const char *)text->plain.data;
}

bool dk_text_says(const Docket__Text *text)
{
    bool says = text != NULL && text->sealed != NULL;
    for (size_t i = 0; !says && text != NULL && i < text->plain.len; i++) {
        says = text->plain.data[i] > ' ';
    }
    return says;
}

const char *dk_bytes_string(struct dk_arena *arena, const ProtobufCBinaryData *bytes)
{
    return dk_arena_strndup(arena, bytes->data, bytes->len);
}
