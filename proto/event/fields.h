/* An unpacked body's fields, generically: their values, and what each is bound to hold.
 *
 * The schema says that a field is a fixed64; that it names an agent is said here, once, for the
 * check of a body's form and for its JSON. A field without a rule is what its type says: a number,
 * a text, an instant, a day. */
#ifndef DK_EVENT_FIELDS_H
#define DK_EVENT_FIELDS_H

#include "docket.pb-c.h"
#include "proto/base/err.h"
#include "proto/base/id.h"
#include <stddef.h>
#include <stdint.h>

/* One byte a field: a class of subject (proto/base/id.h), or one of these. */
enum dk_rule {
    DK_RULE_NONE = 0,
#define X(number, NAME, word) DK_RULE_##NAME = DK_SUBJECT_##NAME,
    DK_SUBJECT_CLASSES(X)
#undef X
        DK_RULE_SUBJECT = 32, /* a subject of any class */
    DK_RULE_HASH,             /* a fixed64 that counts nothing: shown in hex */
    DK_RULE_KEY,              /* 1..DK_KEY_MAX_BYTES of text */
    DK_RULE_LANGUAGE,         /* dk_language_is_tag */
    DK_RULE_LANGUAGE_OR_EMPTY,
    DK_RULE_WRITTEN,     /* a Text that is there and says something, but for imports */
    DK_RULE_UUID,        /* 16 bytes */
    DK_RULE_SHA256,      /* 32 bytes */
    DK_RULE_BINARY,      /* any bytes */
    DK_RULE_DURATION,    /* a uint64's or sfixed64's microseconds are no instant */
    DK_RULE_MAY_BE_NONE, /* a required enum whose 0 has a meaning */
};

/* The rules of a kind's body, and of a message that is part of a body: one for each int of its
 * struct. */
#define DK_RULE_SLOTS 64
const uint8_t *dk_rules_of_kind(uint32_t kind);
const uint8_t *dk_rules_of_part(const ProtobufCMessageDescriptor *part);

static inline enum dk_rule dk_rule_of(const uint8_t *rules, const ProtobufCFieldDescriptor *field)
{
    DK_ASSERT(field->offset / sizeof(int) < DK_RULE_SLOTS);
    return (enum dk_rule)rules[field->offset / sizeof(int)];
}

/* Whether a field's value is the id of a subject under this rule. */
static inline int dk_rule_is_id(enum dk_rule rule)
{
    return rule != DK_RULE_NONE && rule <= DK_RULE_SUBJECT;
}

/* A field's values: `count` of them (0 = absent), `stride` bytes apart. Inline, as a body's check
 * asks for each field of each event. */
struct dk_values {
    const uint8_t *at;
    size_t count;
    size_t stride;
};

static inline size_t dk_value_bytes(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_BYTES: return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_MESSAGE: return sizeof(ProtobufCMessage *);
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_DOUBLE: return sizeof(uint64_t);
    default: return sizeof(uint32_t);
    }
}

static inline struct dk_values dk_field_values(const ProtobufCMessage *message,
                                               const ProtobufCFieldDescriptor *field)
{
    const void *quantifier = (const uint8_t *)message + field->quantifier_offset;
    const void *member = (const uint8_t *)message + field->offset;
    struct dk_values values = {.at = member, .count = 1};
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        values.count = *(const size_t *)quantifier;
        values.at = *(const uint8_t *const *)member;
        values.stride = dk_value_bytes(field->type);
    } else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        values.count = *(const ProtobufCMessage *const *)member != NULL;
    } else if (field->label == PROTOBUF_C_LABEL_OPTIONAL) {
        values.count = *(const protobuf_c_boolean *)quantifier != 0;
    }
    return values;
}

#endif
