#include "broker/core/named.h"

#include "docket.pb-c.h"
#include "proto/base/id.h"
#include "proto/event/kinds.h"
#include "proto/event/varint.h"

#define NAMED(KIND, Type, kind, member, number)                                                    \
    [DK_KIND_##KIND] = {#kind "." #member, offsetof(Docket__##Type, member), (number)}

static const struct dk_named fields[DK_KIND_TICKET_LAST + 1] = {
    NAMED(MERGED_INTO, MergedInto, merged_into, target, 3),
    NAMED(MERGED_FROM, MergedFrom, merged_from, source_ticket, 3),
    NAMED(LINKED_TO, LinkedTo, linked_to, target, 3),
    NAMED(LINKED_FROM, LinkedFrom, linked_from, source_ticket, 3),
    NAMED(OPENED, Opened, opened, repeat_of, 0),
    NAMED(REPEAT_NOTED, RepeatNoted, repeat_noted, repeat_of, 0),
    NAMED(FIELD_SET, FieldSet, field_set, reference, 0),
};

const struct dk_named *dk_named_of(uint32_t kind)
{
    return kind <= DK_KIND_TICKET_LAST && fields[kind].field != NULL ? &fields[kind] : NULL;
}

bool dk_names_opened(uint64_t subject)
{
    return dk_id_class(subject) == DK_SUBJECT_TICKET && dk_ticket_site(subject) == DK_SITE_UNNAMED;
}

/* Passes over one value; false when it does not fit. */
static bool pass(const uint8_t **at, const uint8_t *end, uint64_t type)
{
    uint64_t bytes = 0;
    switch (type) {
    case PROTOBUF_C_WIRE_TYPE_VARINT: return dk_varint_get(at, end, DK_VARINT64_MAX_BYTES, &bytes);
    case PROTOBUF_C_WIRE_TYPE_64BIT: bytes = 8; break;
    case PROTOBUF_C_WIRE_TYPE_32BIT: bytes = 4; break;
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        if (!dk_varint_get(at, end, DK_VARINT64_MAX_BYTES, &bytes)) {
            return false;
        }
        break;
    default: return false;
    }
    if (bytes > (size_t)(end - *at)) {
        return false;
    }
    *at += bytes;
    return true;
}

bool dk_named_next(const uint8_t *body, size_t bytes, uint32_t number, size_t *at, size_t *value)
{
    const uint8_t *cursor = body + *at, *end = body + bytes;
    uint64_t key;
    while (cursor < end && dk_varint_get(&cursor, end, DK_VARINT32_MAX_BYTES, &key)) {
        *value = (size_t)(cursor - body);
        if (!pass(&cursor, end, key & 7)) {
            return false;
        }
        if (key == dk_wire_key(number, PROTOBUF_C_WIRE_TYPE_64BIT)) {
            *at = (size_t)(cursor - body);
            return true;
        }
    }
    return false;
}
