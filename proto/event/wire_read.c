#include "proto/event/varint.h"
#include "proto/event/wire.h"
#include <protobuf-c/protobuf-c.h>

/* What docket.proto begins a Request and a Reply with, byte for byte. */
#define TAG_ID       0x09
#define ID_END       9
#define TAG_PROTOCOL 0x15
#define PROTOCOL_END 14
#define TAG_RECORDS  0x2a
#define TAG_LISTED   0x12 /* of a ListedAppend's Append */

/* Field numbers of docket.proto. */
#define LIST_APPEND             1
#define APPEND_EVENT            1
#define APPEND_EXPECTED_VERSION 2
#define APPEND_ATOMIC           3
#define FEED_FIRST              1
#define FEED_EVENT              2
#define FEED_NOW_US             3
#define RECORDS_EVENT           1
#define RECORDS_HEAD            2
#define RECORDS_NEXT            3
#define LARGEST_NUMBER          3

struct field {
    uint32_t number;
    unsigned type;         /* PROTOBUF_C_WIRE_TYPE_... */
    uint64_t value;        /* of a number */
    struct dk_slice bytes; /* of what has a length */
};

/* Reads the field at `*at`, which moves on: 1; 0 at the end; DK_EINVAL. */
static int next_field(const uint8_t **at, const uint8_t *end, struct field *field)
{
    uint64_t key;
    uint64_t length;
    if (*at == end)
        return 0;
    if (!dk_varint_get(at, end, DK_VARINT32_MAX_BYTES, &key) || key > UINT32_MAX || key >> 3 == 0)
        return DK_EINVAL;
    field->number = (uint32_t)key >> 3;
    field->type = (unsigned)key & 7;
    switch (field->type) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        return dk_varint_get(at, end, DK_VARINT64_MAX_BYTES, &field->value) ? 1 : DK_EINVAL;
    case PROTOBUF_C_WIRE_TYPE_64BIT: length = sizeof(uint64_t); break;
    case PROTOBUF_C_WIRE_TYPE_32BIT: length = sizeof(uint32_t); break;
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        if (!dk_varint_get(at, end, DK_VARINT32_MAX_BYTES, &length))
            return DK_EINVAL;
        break;
    default: return DK_EINVAL;
    }
    if (length > (size_t)(end - *at))
        return DK_EINVAL;
    field->bytes = (struct dk_slice){*at, (size_t)length};
    if (field->type == PROTOBUF_C_WIRE_TYPE_64BIT)
        field->value = dk_fixed64_get(*at);
    else if (field->type == PROTOBUF_C_WIRE_TYPE_32BIT)
        field->value = dk_fixed32_get(*at);
    *at += length;
    return 1;
}

/* What a tag of one byte and a length announce, if it ends the frame. */
static int read_last(const uint8_t *at, const uint8_t *end, struct dk_slice *body,
                     struct dk_err *err)
{
    uint64_t length;
    if (!dk_varint_get(&at, end, DK_VARINT32_MAX_BYTES, &length) || length != (size_t)(end - at))
        return dk_err_set(err, DK_EINVAL, "the message's length does not end the frame");
    *body = (struct dk_slice){at, (size_t)length};
    return 0;
}

static int check_frame_size(size_t bytes, struct dk_err *err)
{
    if (bytes > DK_FRAME_MAX_BYTES)
        return dk_err_set(err, DK_ETOOBIG, "a frame of %zu bytes; at most %d are read", bytes,
                          DK_FRAME_MAX_BYTES);
    return 0;
}

int dk_request_read(const uint8_t *frame, size_t bytes, struct dk_request *request,
                    struct dk_err *err)
{
    *request = (struct dk_request){0};
    if (bytes < ID_END || frame[0] != TAG_ID)
        return dk_err_field(err, DK_EINVAL, "id", "a request begins with its id");
    request->id = dk_fixed64_get(frame + 1);
    int code = check_frame_size(bytes, err);
    if (code != 0)
        return code;
    if (bytes < PROTOCOL_END || frame[ID_END] != TAG_PROTOCOL)
        return dk_err_field(err, DK_EINVAL, "protocol", "the protocol's version follows the id");
    request->protocol = dk_fixed32_get(frame + ID_END + 1);
    if (request->protocol != DK_PROTOCOL)
        return dk_err_field(err, DK_EVERSION, "protocol", "protocol %u is not known, only %d",
                            request->protocol, DK_PROTOCOL);
    const uint8_t *at = frame + PROTOCOL_END;
    const uint8_t *end = frame + bytes;
    uint32_t op = at == end ? 0 : (uint32_t)*at >> 3;
    if (op < DK_OP_HELLO || op > DK_OP_APPEND_LIST ||
        *at != dk_wire_key(op, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED))
        return dk_err_field(err, DK_EINVAL, "op", "the request holds no operation known here");
    request->op = (enum dk_op)op;
    return read_last(at + 1, end, &request->body, err);
}

static int add_event(struct dk_append *append, const struct field *field, struct dk_err *err)
{
    if (field->type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
        return dk_err_field(err, DK_EINVAL, "event", "an event must be bytes");
    if (append->count == DK_REQUEST_MAX_EVENTS)
        return dk_err_field(err, DK_ETOOBIG, "event", "a request holds at most %d events",
                            DK_REQUEST_MAX_EVENTS);
    append->event[append->count++] = field->bytes;
    return 0;
}

static int add_version(struct dk_append *append, size_t *count, uint64_t version,
                       struct dk_err *err)
{
    if (version > UINT32_MAX)
        return dk_err_field(err, DK_EINVAL, "expected_version", "a version has 32 bits");
    if (*count == DK_REQUEST_MAX_EVENTS)
        return dk_err_field(err, DK_ETOOBIG, "expected_version", "more versions than events");
    append->expected_version[(*count)++] = (uint32_t)version;
    return 0;
}

/* Packed (all in one field) or not (a field each), as protobuf asks of every reader. */
static int add_versions(struct dk_append *append, size_t *count, const struct field *field,
                        struct dk_err *err)
{
    if (field->type == PROTOBUF_C_WIRE_TYPE_VARINT)
        return add_version(append, count, field->value, err);
    if (field->type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
        return dk_err_field(err, DK_EINVAL, "expected_version", "a version must be a varint");
    const uint8_t *at = field->bytes.data;
    const uint8_t *end = at + field->bytes.size;
    while (at < end) {
        uint64_t version;
        if (!dk_varint_get(&at, end, DK_VARINT64_MAX_BYTES, &version))
            return dk_err_field(err, DK_EINVAL, "expected_version", "a varint is malformed");
        int code = add_version(append, count, version, err);
        if (code != 0)
            return code;
    }
    return 0;
}

static int add_field(struct dk_append *append, size_t *versions, const struct field *field,
                     struct dk_err *err)
{
    switch (field->number) {
    case APPEND_EVENT: return add_event(append, field, err);
    case APPEND_EXPECTED_VERSION: return add_versions(append, versions, field, err);
    case APPEND_ATOMIC:
        append->atomic = field->value != 0;
        return field->type == PROTOBUF_C_WIRE_TYPE_VARINT
                   ? 0
                   : dk_err_field(err, DK_EINVAL, "atomic", "atomic must be a varint");
    default: return 0;
    }
}

int dk_append_read(struct dk_slice body, struct dk_append *append, struct dk_err *err)
{
    const uint8_t *at = body.data;
    const uint8_t *end = body.size > 0 ? at + body.size : at;
    size_t versions = 0;
    struct field field = {0};
    int found;
    append->count = 0;
    append->atomic = 0;
    if (body.size > DK_REQUEST_MAX_BYTES)
        return dk_err_set(err, DK_ETOOBIG, "an append of %zu bytes; at most %d are read", body.size,
                          DK_REQUEST_MAX_BYTES);
    while ((found = next_field(&at, end, &field)) == 1) {
        int code = add_field(append, &versions, &field, err);
        if (code != 0)
            return code;
    }
    if (found != 0)
        return dk_err_set(err, DK_EINVAL, "the append is malformed");
    if (append->count == 0)
        return dk_err_field(err, DK_EINVAL, "event", "the append holds no event");
    if (versions != 0 && versions != append->count)
        return dk_err_field(err, DK_EINVAL, "expected_version", "%zu versions for %zu events",
                            versions, append->count);
    if (versions == 0)
        memset(append->expected_version, 0, append->count * sizeof append->expected_version[0]);
    return 0;
}

/* One ListedAppend: its request's id, then the Append that ends it. */
static int read_listed(const struct field *field, struct dk_request *append, struct dk_err *err)
{
    const uint8_t *at = field->bytes.data; /* NULL unless the type is right */
    if (field->number != LIST_APPEND || field->type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED ||
        field->bytes.size <= ID_END || at[0] != TAG_ID || at[ID_END] != TAG_LISTED)
        return dk_err_field(err, DK_EINVAL, "append_list",
                            "a listed append is its request's id and the append");
    append->id = dk_fixed64_get(at + 1);
    return read_last(at + ID_END + 1, at + field->bytes.size, &append->body, err);
}

static int walk_list(const struct dk_request *list,
                     void (*on_append)(void *arg, const struct dk_request *append), void *arg,
                     struct dk_err *err)
{
    const uint8_t *at = list->body.data;
    const uint8_t *end = at + list->body.size;
    struct dk_request append = {.protocol = list->protocol, .op = DK_OP_APPEND};
    struct field field = {0};
    size_t count = 0;
    int found;
    while ((found = next_field(&at, end, &field)) == 1) {
        int code = read_listed(&field, &append, err);
        if (code != 0)
            return code;
        if (++count > DK_REQUEST_MAX_EVENTS)
            return dk_err_field(err, DK_ETOOBIG, "append_list", "a list holds at most %d appends",
                                DK_REQUEST_MAX_EVENTS);
        if (on_append != NULL)
            on_append(arg, &append);
    }
    return found == 0 ? 0 : dk_err_set(err, DK_EINVAL, "the list is malformed");
}

int dk_append_list_read(const struct dk_request *list,
                        void (*on_append)(void *arg, const struct dk_request *append), void *arg,
                        struct dk_err *err)
{
    int code = walk_list(list, NULL, NULL, err);
    return code != 0 ? code : walk_list(list, on_append, arg, err);
}

/* A message of records and fixed64 scalars: where each scalar goes, by field number. */
struct shape {
    uint32_t event;
    uint64_t *scalar[LARGEST_NUMBER + 1];
};

/* Goes over all fields: fills the scalars, and hands the records on if `on_record` is given. */
static int walk(struct dk_slice message, const struct shape *shape,
                int (*on_record)(void *arg, const uint8_t *record, size_t record_bytes), void *arg,
                struct dk_err *err)
{
    const uint8_t *at = message.data;
    const uint8_t *end = message.data + message.size;
    struct field field = {0};
    unsigned seen = 0;
    int found;
    while ((found = next_field(&at, end, &field)) == 1) {
        bool is_event = field.number == shape->event;
        uint64_t *scalar = field.number <= LARGEST_NUMBER ? shape->scalar[field.number] : NULL;
        if ((is_event && field.type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) ||
            (scalar != NULL && field.type != PROTOBUF_C_WIRE_TYPE_64BIT))
            return dk_err_set(err, DK_EINVAL, "field %u has another type", field.number);
        if (scalar != NULL) {
            *scalar = field.value;
            seen |= 1u << field.number;
        }
        int code =
            is_event && on_record != NULL ? on_record(arg, field.bytes.data, field.bytes.size) : 0;
        if (code != 0)
            return code;
    }
    if (found != 0)
        return dk_err_set(err, DK_EINVAL, "the message is malformed");
    for (unsigned i = 0; i <= LARGEST_NUMBER; i++) {
        if (shape->scalar[i] != NULL && (seen & 1u << i) == 0)
            return dk_err_set(err, DK_EINVAL, "the message lacks its field %u", i);
    }
    return 0;
}

/* Twice over the message: nobody gets a record of one that turns out to be malformed. */
static int check_and_walk(struct dk_slice message, const struct shape *shape,
                          int (*on_record)(void *arg, const uint8_t *record, size_t record_bytes),
                          void *arg, struct dk_err *err)
{
    int code = walk(message, shape, NULL, NULL, err);
    return code != 0 ? code : walk(message, shape, on_record, arg, err);
}

int dk_feed_read(const uint8_t *frame, size_t bytes, struct dk_records_head *head,
                 int (*on_record)(void *arg, const uint8_t *record, size_t record_bytes), void *arg,
                 struct dk_err *err)
{
    const struct shape shape = {
        .event = FEED_EVENT,
        .scalar = {[FEED_FIRST] = &head->first, [FEED_NOW_US] = (uint64_t *)&head->now_us},
    };
    *head = (struct dk_records_head){0};
    int code = check_frame_size(bytes, err);
    if (code != 0)
        return code;
    return check_and_walk((struct dk_slice){frame, bytes}, &shape, on_record, arg, err);
}

int dk_records_read(const uint8_t *frame, size_t bytes, struct dk_records_head *head,
                    int (*on_record)(void *arg, const uint8_t *record, size_t record_bytes),
                    void *arg, struct dk_err *err)
{
    const struct shape shape = {
        .event = RECORDS_EVENT,
        .scalar = {[RECORDS_HEAD] = &head->head, [RECORDS_NEXT] = &head->next},
    };
    struct dk_slice records;
    *head = (struct dk_records_head){0};
    int code = check_frame_size(bytes, err);
    if (code != 0)
        return code;
    if (bytes < ID_END || frame[0] != TAG_ID)
        return dk_err_field(err, DK_EINVAL, "id", "a reply begins with its request's id");
    head->request_id = dk_fixed64_get(frame + 1);
    if (bytes == ID_END || frame[ID_END] != TAG_RECORDS)
        return dk_err_set(err, DK_EINVAL, "the reply holds no records");
    code = read_last(frame + ID_END + 1, frame + bytes, &records, err);
    return code != 0 ? code : check_and_walk(records, &shape, on_record, arg, err);
}
