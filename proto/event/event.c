#include "proto/event/event.h"

#include "docket.pb-c.h"
#include "proto/base/crc32c.h"
#include "proto/event/varint.h"
#include <stdbool.h>

#define BODY_TAG_BYTES 2 /* kinds from 16 to 2047 */
#define BODY_MIN_BYTES (BODY_TAG_BYTES + 1)
#define FORMAT_TAG     0x0d

/* Field numbers and wire types of docket.proto, as the bytes they are on the wire. */
#define TAG_DECISION       0x0a
#define TAG_DECISION_BASIS 0x09
#define TAG_DECISION_CAUSE 0x11
#define TAG_DECISION_RULE  0x1d
#define DECISION_BYTES     23
#define TAG_ORIGIN         0x12
#define TAG_ORIGIN_SOURCE  0x09
#define TAG_ORIGIN_ORDINAL 0x15
#define TAG_ORIGIN_DIGEST  0x19
#define TAG_ORIGIN_CASE    0x22
#define ORIGIN_FIXED_BYTES 23

/* The drawing of event.h as a packed struct and the fields' order in docket.proto, against the
 * table's offsets and tags. */
struct layout {
#define X(field, bits, tag, offset)                                                                \
    uint8_t tag_of_##field;                                                                        \
    uint##bits##_t field;
    DK_ENVELOPE(X)
#undef X
} __attribute__((packed));

enum field_number {
    FIELD_NONE,
#define X(field, bits, tag, offset) FIELD_##field,
    DK_ENVELOPE(X)
#undef X
};

_Static_assert(sizeof(struct layout) == DK_ENVELOPE_BYTES, "the envelope's size");
#define X(field, bits, tag, offset)                                                                \
    _Static_assert(offsetof(struct layout, field) == (offset), "the offset of " #field);           \
    _Static_assert((FIELD_##field << 3 | ((bits) == 64 ? 1 : 5)) == (tag), "the tag of " #field);  \
    _Static_assert(sizeof(((struct dk_envelope *)0)->field) == (bits) / 8, "the size of " #field);
DK_ENVELOPE(X)
#undef X

#define X(number, NAME, field, word, cls, roles)                                                   \
    _Static_assert((number) == (int)DOCKET__EVENT__BODY_##NAME, "the number of " #NAME);
DK_KINDS(X)
#undef X

void dk_event_load(const uint8_t *record, struct dk_envelope *envelope)
{
#define X(field, bits, tag, offset)                                                                \
    memcpy(&envelope->field, record + (offset), sizeof envelope->field);
    DK_ENVELOPE(X)
#undef X
}

void dk_event_store(uint8_t *record, const struct dk_envelope *envelope)
{
#define X(field, bits, tag, offset)                                                                \
    record[(offset)-1] = (tag);                                                                    \
    memcpy(record + (offset), &envelope->field, sizeof envelope->field);
    DK_ENVELOPE(X)
#undef X
}

const uint8_t *dk_event_body(const uint8_t *record, size_t record_bytes, size_t *body_bytes)
{
    const uint8_t *at = record + DK_ENVELOPE_BYTES + BODY_TAG_BYTES;
    const uint8_t *end = record + record_bytes;
    uint64_t length = 0;
    bool whole = dk_varint_get(&at, end, DK_VARINT32_MAX_BYTES, &length);
    DK_ASSERT(whole && length == (size_t)(end - at));
    *body_bytes = (size_t)length;
    return at;
}

uint32_t dk_event_crc(const uint8_t *record, size_t record_bytes)
{
    static const uint8_t zero[sizeof(uint32_t)];
    const size_t after = DK_AT_crc32c + sizeof zero;
    uint32_t crc = dk_crc32c(0, record, DK_AT_crc32c);
    crc = dk_crc32c(crc, zero, sizeof zero);
    return dk_crc32c(crc, record + after, record_bytes - after);
}

/* Finds the first field of the envelope that is cut off or has another tag than its own. */
static int refuse_envelope(const uint8_t *record, size_t record_bytes, struct dk_err *err)
{
    static const struct {
        const char *name;
        size_t at, end;
        uint8_t tag;
    } fields[] = {
#define X(field, bits, tag, offset) {#field, (offset)-1, (offset) + (bits) / 8, tag},
        DK_ENVELOPE(X)
#undef X
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (record_bytes < fields[i].end)
            return dk_err_field(err, DK_ECANON, fields[i].name,
                                "the record ends after %zu bytes, before the end of %s",
                                record_bytes, fields[i].name);
        if (record[fields[i].at] != fields[i].tag)
            return dk_err_field(err, DK_ECANON, fields[i].name,
                                "byte %zu is 0x%02x, not the tag 0x%02x of %s", fields[i].at,
                                record[fields[i].at], fields[i].tag, fields[i].name);
    }
    return dk_err_field(err, DK_ECANON, "body", "the record ends after its envelope");
}

/* Asked before all else, as another format may well have another envelope. */
static bool is_of_another_format(const uint8_t *record, size_t record_bytes)
{
    return record_bytes >= DK_AT_format + sizeof(uint32_t) && record[0] == FORMAT_TAG &&
           dk_event_load_format(record) != DK_EVENT_FORMAT;
}

static bool tags_stand(const uint8_t *record)
{
    int wrong = 0;
#define X(field, bits, tag, offset) wrong |= record[(offset)-1] ^ (tag);
    DK_ENVELOPE(X)
#undef X
    return wrong == 0;
}

/* One body, of the kind's number, to the record's end. */
static int check_body(const uint8_t *record, size_t record_bytes, struct dk_err *err)
{
    const uint8_t *tag = record + DK_ENVELOPE_BYTES;
    const uint8_t *end = record + record_bytes;
    uint32_t kind = dk_event_load_kind(record);
    if (kind < DK_KIND_MIN || kind > DK_KIND_MAX)
        return dk_err_field(err, DK_ECANON, "kind", "kind %u is not in %d..%d", kind, DK_KIND_MIN,
                            DK_KIND_MAX);
    uint32_t key = dk_wire_key(kind, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED);
    if (tag[0] != (uint8_t)(key | 0x80) || tag[1] != key >> 7)
        return dk_err_field(err, DK_ECANON, "body",
                            "the envelope is not followed by the body of kind %u", kind);
    const uint8_t *length_at = tag + BODY_TAG_BYTES;
    const uint8_t *at = length_at;
    uint64_t length;
    if (!dk_varint_get(&at, end, DK_VARINT32_MAX_BYTES, &length) ||
        dk_varint_size(length) != (size_t)(at - length_at))
        return dk_err_field(err, DK_ECANON, "body", "the body's length is not a minimal varint");
    if (length != (size_t)(end - at))
        return dk_err_field(err, DK_ECANON, "body",
                            "the body says it has %llu bytes, the record has %zu left",
                            (unsigned long long)length, (size_t)(end - at));
    return 0;
}

int dk_event_canonical(const uint8_t *record, size_t record_bytes, struct dk_err *err)
{
    if (record_bytes > DK_RECORD_MAX_BYTES)
        return dk_err_field(err, DK_ETOOBIG, "event", "a record of %zu bytes; at most %d fit",
                            record_bytes, DK_RECORD_MAX_BYTES);
    if (is_of_another_format(record, record_bytes))
        return dk_err_field(err, DK_EVERSION, "format", "event format %u is not known, only %d",
                            dk_event_load_format(record), DK_EVENT_FORMAT);
    if (record_bytes < DK_ENVELOPE_BYTES + BODY_MIN_BYTES || !tags_stand(record))
        return refuse_envelope(record, record_bytes, err);
    return check_body(record, record_bytes, err);
}

int dk_event_verify(const uint8_t *record, size_t record_bytes, struct dk_err *err)
{
    int code = dk_event_canonical(record, record_bytes, err);
    if (code != 0)
        return code;
    uint32_t crc = dk_event_crc(record, record_bytes);
    uint32_t stamped = dk_event_load_crc32c(record);
    if (crc != stamped)
        return dk_err_field(err, DK_ECORRUPT, "crc32c", "crc is 0x%08x, the record says 0x%08x",
                            crc, stamped);
    return 0;
}

/* What is left to read of a body. */
struct rest {
    const uint8_t *at;
    size_t bytes;
};

static bool begins_with(const struct rest *rest, uint8_t tag)
{
    return rest->bytes > 0 && rest->at[0] == tag;
}

static void skip(struct rest *rest, size_t bytes)
{
    rest->at += bytes;
    rest->bytes -= bytes;
}

/* 1 and past it, 0 when there is none, DK_EINVAL. */
static int read_decision(struct rest *rest, struct dk_decision *decision)
{
    if (!begins_with(rest, TAG_DECISION))
        return 0;
    if (rest->bytes < 2 + DECISION_BYTES || rest->at[1] != DECISION_BYTES)
        return DK_EINVAL;
    const uint8_t *at = rest->at + 2;
    if (at[0] != TAG_DECISION_BASIS || at[9] != TAG_DECISION_CAUSE || at[18] != TAG_DECISION_RULE)
        return DK_EINVAL;
    decision->basis = dk_fixed64_get(at + 1);
    decision->cause = dk_fixed64_get(at + 10);
    decision->rule_version = dk_fixed32_get(at + 19);
    skip(rest, 2 + DECISION_BYTES);
    return 1;
}

/* The same. */
static int read_origin(struct rest *rest, struct dk_origin *origin)
{
    if (!begins_with(rest, TAG_ORIGIN))
        return 0;
    const uint8_t *at = rest->at + 1;
    const uint8_t *end = rest->at + rest->bytes;
    uint64_t length;
    if (!dk_varint_get(&at, end, DK_VARINT32_MAX_BYTES, &length) || length > (size_t)(end - at) ||
        length < ORIGIN_FIXED_BYTES)
        return DK_EINVAL;
    end = at + length;
    if (at[0] != TAG_ORIGIN_SOURCE || at[9] != TAG_ORIGIN_ORDINAL || at[14] != TAG_ORIGIN_DIGEST)
        return DK_EINVAL;
    *origin = (struct dk_origin){.source = dk_fixed64_get(at + 1),
                                 .ordinal = dk_fixed32_get(at + 10),
                                 .digest = dk_fixed64_get(at + 15)};
    at += ORIGIN_FIXED_BYTES;
    if (at == end)
        return 1;
    if (*at++ != TAG_ORIGIN_CASE || !dk_varint_get(&at, end, DK_VARINT32_MAX_BYTES, &length) ||
        length != (size_t)(end - at))
        return DK_EINVAL;
    origin->case_key = at;
    origin->case_key_bytes = (size_t)length;
    return 1;
}

int dk_event_decision(const uint8_t *record, size_t record_bytes, struct dk_decision *decision)
{
    if (dk_event_load_kind(record) > DK_KIND_TICKET_LAST)
        return 0;
    struct rest rest;
    rest.at = dk_event_body(record, record_bytes, &rest.bytes);
    return read_decision(&rest, decision);
}

int dk_event_origin(const uint8_t *record, size_t record_bytes, struct dk_origin *origin)
{
    if (dk_event_load_kind(record) > DK_KIND_TICKET_LAST)
        return 0;
    struct rest rest;
    rest.at = dk_event_body(record, record_bytes, &rest.bytes);
    struct dk_decision decision;
    if (read_decision(&rest, &decision) < 0)
        return DK_EINVAL;
    return read_origin(&rest, origin);
}
