#include "proto/event/varint.h"
#include "proto/event/wire.h"
#include <protobuf-c/protobuf-c.h>
#include <string.h>

/* Sizes of whole fields; every number used here is below 16, so a tag is one byte. */
#define FIXED32_FIELD_BYTES 5
#define FIXED64_FIELD_BYTES 9
#define BOOL_FIELD_BYTES    2

/* An `_end` fills in a length that its `_begin` leaves room for: a varint of constant size, longer
 * than need be, which every protobuf reader accepts. */
#define OPEN_LENGTH_BYTES 4

static size_t bytes_field_size(size_t bytes)
{
    return 1 + dk_varint_size(bytes) + bytes;
}

static uint8_t *put_key(uint8_t *at, uint32_t number, unsigned type)
{
    *at = (uint8_t)dk_wire_key(number, type);
    return at + 1;
}

static uint8_t *put_fixed32(uint8_t *at, uint32_t number, uint32_t value)
{
    return dk_fixed32_put(put_key(at, number, PROTOBUF_C_WIRE_TYPE_32BIT), value);
}

static uint8_t *put_fixed64(uint8_t *at, uint32_t number, uint64_t value)
{
    return dk_fixed64_put(put_key(at, number, PROTOBUF_C_WIRE_TYPE_64BIT), value);
}

static uint8_t *put_varint(uint8_t *at, uint32_t number, uint64_t value)
{
    return dk_varint_put(put_key(at, number, PROTOBUF_C_WIRE_TYPE_VARINT), value);
}

/* The tag and length of what the caller writes next. */
static uint8_t *put_length(uint8_t *at, uint32_t number, size_t bytes)
{
    return dk_varint_put(put_key(at, number, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED), bytes);
}

static uint8_t *put_bytes(uint8_t *at, uint32_t number, const void *data, size_t bytes)
{
    at = put_length(at, number, bytes);
    if (bytes > 0)
        memcpy(at, data, bytes);
    return at + bytes;
}

/* Fills in the length at `mark`: what stands behind it. */
static int close_length(struct dk_buf *out, size_t mark)
{
    size_t length = out->size - mark - OPEN_LENGTH_BYTES;
    if (length >> (7 * OPEN_LENGTH_BYTES) != 0)
        return DK_ETOOBIG;
    for (size_t i = 0; i < OPEN_LENGTH_BYTES; i++) {
        unsigned more = i + 1 < OPEN_LENGTH_BYTES ? 0x80 : 0;
        out->data[mark + i] = (uint8_t)((length >> (7 * i) & 0x7f) | more);
    }
    return 0;
}

static size_t slices_size(const struct dk_slice *slices, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += bytes_field_size(slices[i].size);
    return size;
}

static uint8_t *put_slices(uint8_t *at, uint32_t number, const struct dk_slice *slices,
                           size_t count)
{
    for (size_t i = 0; i < count; i++)
        at = put_bytes(at, number, slices[i].data, slices[i].size);
    return at;
}

/* What one Append holds. */
struct append {
    const struct dk_slice *event;
    const uint32_t *expected_version; /* or NULL */
    size_t count;
    int atomic;
};

static size_t versions_size(const struct append *append)
{
    size_t size = 0;
    for (size_t i = 0; append->expected_version != NULL && i < append->count; i++)
        size += dk_varint_size(append->expected_version[i]);
    return size;
}

static size_t append_size(const struct append *append)
{
    size_t versions = versions_size(append);
    return slices_size(append->event, append->count) +
           (versions > 0 ? bytes_field_size(versions) : 0) +
           (append->atomic ? BOOL_FIELD_BYTES : 0);
}

static uint8_t *put_append(uint8_t *at, const struct append *append)
{
    size_t versions = versions_size(append);
    at = put_slices(at, 1, append->event, append->count);
    if (versions > 0)
        at = put_length(at, 2, versions);
    for (size_t i = 0; versions > 0 && i < append->count; i++)
        at = dk_varint_put(at, append->expected_version[i]);
    return append->atomic ? put_varint(at, 3, 1) : at;
}

int dk_append_write(struct dk_buf *out, uint64_t id, const struct dk_slice *event,
                    const uint32_t *expected_version, size_t count, int atomic)
{
    const struct append append = {event, expected_version, count, atomic};
    size_t size = append_size(&append);
    size_t frame = FIXED64_FIELD_BYTES + FIXED32_FIELD_BYTES + bytes_field_size(size);
    uint8_t *at = dk_buf_extend(out, frame);
    if (at == NULL)
        return DK_ETOOBIG;
    const uint8_t *end = at + frame;
    at = put_fixed64(at, 1, id);
    at = put_fixed32(at, 2, DK_PROTOCOL);
    at = put_length(at, DK_OP_APPEND, size);
    at = put_append(at, &append);
    DK_ASSERT(at == end);
    return 0;
}

size_t dk_append_list_begin(struct dk_buf *out, uint64_t id)
{
    uint8_t *at =
        dk_buf_extend(out, FIXED64_FIELD_BYTES + FIXED32_FIELD_BYTES + 1 + OPEN_LENGTH_BYTES);
    if (at == NULL)
        return SIZE_MAX;
    at = put_fixed64(at, 1, id);
    at = put_fixed32(at, 2, DK_PROTOCOL);
    put_key(at, DK_OP_APPEND_LIST, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED);
    return out->size - OPEN_LENGTH_BYTES;
}

int dk_append_list_add(struct dk_buf *out, uint64_t id, const struct dk_slice *event,
                       const uint32_t *expected_version, size_t count, int atomic)
{
    const struct append append = {event, expected_version, count, atomic};
    size_t size = append_size(&append);
    size_t listed = FIXED64_FIELD_BYTES + bytes_field_size(size);
    uint8_t *at = dk_buf_extend(out, bytes_field_size(listed));
    if (at == NULL)
        return DK_ETOOBIG;
    at = put_length(at, 1, listed);
    const uint8_t *end = at + listed;
    at = put_fixed64(at, 1, id);
    at = put_length(at, 2, size);
    at = put_append(at, &append);
    DK_ASSERT(at == end);
    return 0;
}

int dk_append_list_add_encoded(struct dk_buf *out, uint64_t id, struct dk_slice append)
{
    size_t listed = FIXED64_FIELD_BYTES + bytes_field_size(append.size);
    uint8_t *at = dk_buf_extend(out, bytes_field_size(listed));
    if (at == NULL)
        return DK_ETOOBIG;
    at = put_length(at, 1, listed);
    at = put_fixed64(at, 1, id);
    (void)put_bytes(at, 2, append.data, append.size);
    return 0;
}

int dk_append_list_end(struct dk_buf *out, size_t mark)
{
    return close_length(out, mark);
}

int dk_feed_write(struct dk_buf *out, uint64_t first, const struct dk_slice *records, size_t count,
                  int64_t now_us)
{
    size_t frame = 2 * FIXED64_FIELD_BYTES + slices_size(records, count);
    uint8_t *at = dk_buf_extend(out, frame);
    if (at == NULL)
        return DK_ETOOBIG;
    const uint8_t *end = at + frame;
    at = put_fixed64(at, 1, first);
    at = put_slices(at, 2, records, count);
    at = put_fixed64(at, 3, (uint64_t)now_us);
    DK_ASSERT(at == end);
    return 0;
}

int dk_records_write(struct dk_buf *out, uint64_t request_id, const struct dk_slice *records,
                     size_t count, uint64_t head, uint64_t next)
{
    size_t message = slices_size(records, count) + 2 * FIXED64_FIELD_BYTES;
    size_t frame = FIXED64_FIELD_BYTES + bytes_field_size(message);
    uint8_t *at = dk_buf_extend(out, frame);
    if (at == NULL)
        return DK_ETOOBIG;
    const uint8_t *end = at + frame;
    at = put_fixed64(at, 1, request_id);
    at = put_length(at, 5, message);
    at = put_slices(at, 1, records, count);
    at = put_fixed64(at, 2, head);
    at = put_fixed64(at, 3, next);
    DK_ASSERT(at == end);
    return 0;
}

int dk_announce_write(struct dk_buf *out, uint64_t head, int64_t now_us, const uint8_t log_uuid[16])
{
    uint8_t *at = dk_buf_extend(out, 2 * FIXED64_FIELD_BYTES + bytes_field_size(16));
    if (at == NULL)
        return DK_ETOOBIG;
    at = put_fixed64(at, 1, head);
    at = put_fixed64(at, 2, (uint64_t)now_us);
    put_bytes(at, 3, log_uuid, 16);
    return 0;
}

size_t dk_appended_begin(struct dk_buf *out)
{
    uint8_t *at = dk_buf_extend(out, FIXED64_FIELD_BYTES + 1 + OPEN_LENGTH_BYTES);
    if (at == NULL)
        return SIZE_MAX;
    at = put_fixed64(at, 1, 0);
    put_key(at, 4, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED);
    return out->size - OPEN_LENGTH_BYTES;
}

int dk_appended_end(struct dk_buf *out, size_t mark)
{
    return close_length(out, mark);
}

/* protobuf's sint32: small negative numbers stay short. */
static uint32_t zigzag(int32_t value)
{
    return (uint32_t)value << 1 ^ (value < 0 ? UINT32_MAX : 0);
}

static const char *sentence_of(const struct dk_err *err)
{
    return err->message[0] != '\0' ? err->message : dk_code_sentence(err->code);
}

static size_t refusal_size(const struct dk_refusal *refusal)
{
    const struct dk_err *err = &refusal->err;
    return FIXED32_FIELD_BYTES + 1 + dk_varint_size(zigzag(err->code)) +
           bytes_field_size(strlen(dk_code_name(err->code))) +
           bytes_field_size(strlen(sentence_of(err))) +
           (err->field[0] != '\0' ? bytes_field_size(strlen(err->field)) : 0);
}

static uint8_t *put_refusal(uint8_t *at, const struct dk_refusal *refusal)
{
    const struct dk_err *err = &refusal->err;
    const char *name = dk_code_name(err->code);
    at = put_length(at, 4, refusal_size(refusal));
    at = put_fixed32(at, 1, refusal->index);
    at = put_varint(at, 2, zigzag(err->code));
    at = put_bytes(at, 3, name, strlen(name));
    at = put_bytes(at, 4, sentence_of(err), strlen(sentence_of(err)));
    if (err->field[0] != '\0')
        at = put_bytes(at, 5, err->field, strlen(err->field));
    return at;
}

int dk_appended_add(struct dk_buf *out, const struct dk_appended *appended)
{
    size_t size = 2 * FIXED64_FIELD_BYTES + FIXED32_FIELD_BYTES +
                  appended->opened_count * FIXED64_FIELD_BYTES;
    for (size_t i = 0; i < appended->refused_count; i++)
        size += bytes_field_size(refusal_size(&appended->refused[i]));
    uint8_t *at = dk_buf_extend(out, bytes_field_size(size));
    if (at == NULL)
        return DK_ETOOBIG;
    at = put_length(at, 1, size);
    const uint8_t *end = at + size;
    at = put_fixed64(at, 1, appended->request);
    at = put_fixed64(at, 2, appended->position);
    at = put_fixed32(at, 3, appended->accepted);
    for (size_t i = 0; i < appended->refused_count; i++)
        at = put_refusal(at, &appended->refused[i]);
    for (size_t i = 0; i < appended->opened_count; i++)
        at = put_fixed64(at, 5, appended->opened[i]);
    DK_ASSERT(at == end);
    return 0;
}
