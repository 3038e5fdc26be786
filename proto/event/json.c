#include "proto/base/id.h"
#include "proto/base/time.h"
#include "proto/base/utf8.h"
#include "proto/event/body.h"
#include "proto/event/fields.h"
#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

/* Writes on until the buffer is full, and then nothing more; asked once, at the end. */
struct json {
    struct dk_buf *out;
    bool full;
};

static void put(struct json *json, const void *bytes, size_t count)
{
    uint8_t *at = json->full ? NULL : dk_buf_extend(json->out, count);
    json->full = at == NULL;
    if (at != NULL && count > 0)
        memcpy(at, bytes, count);
}

static inline void put_word(struct json *json, const char *word)
{
    put(json, word, strlen(word));
}

static void put_unsigned(struct json *json, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    put(json, digits + at, sizeof digits - at);
}

static void put_signed(struct json *json, int64_t value)
{
    if (value < 0)
        put_word(json, "-");
    put_unsigned(json, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

static void put_double(struct json *json, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.17g", value);
    put_word(json, isfinite(value) ? text : "null");
}

static const char hex_digits[] = "0123456789abcdef";

static void put_hex(struct json *json, const uint8_t *bytes, size_t count)
{
    put_word(json, "\"");
    for (size_t i = 0; i < count; i++) {
        const char pair[2] = {hex_digits[bytes[i] >> 4], hex_digits[bytes[i] & 0xf]};
        put(json, pair, sizeof pair);
    }
    put_word(json, "\"");
}

static void put_hash(struct json *json, uint64_t value)
{
    char text[18] = "\"0123456789abcdef\"";
    for (size_t i = 0; i < 16; i++)
        text[1 + i] = hex_digits[value >> (60 - 4 * i) & 0xf];
    put(json, text, sizeof text);
}

static void put_escape(struct json *json, uint8_t c)
{
    char text[8];
    switch (c) {
    case '"': put_word(json, "\\\""); break;
    case '\\': put_word(json, "\\\\"); break;
    case '\n': put_word(json, "\\n"); break;
    case '\r': put_word(json, "\\r"); break;
    case '\t': put_word(json, "\\t"); break;
    default: snprintf(text, sizeof text, "\\u%04x", c); put_word(json, text);
    }
}

/* A string when the bytes are text, else their hex. */
static void put_bytes(struct json *json, const uint8_t *bytes, size_t count)
{
    if (!dk_utf8_is_text(bytes, count)) {
        put_hex(json, bytes, count);
        return;
    }
    put_word(json, "\"");
    size_t plain = 0; /* where what needs no escape begins */
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] >= 0x20 && bytes[i] != '"' && bytes[i] != '\\')
            continue;
        put(json, bytes + plain, i - plain);
        put_escape(json, bytes[i]);
        plain = i + 1;
    }
    if (plain < count)
        put(json, bytes + plain, count - plain);
    put_word(json, "\"");
}

/* A string of letters, digits and the like: nothing to be looked at. */
static void put_plain(struct json *json, const char *text)
{
    size_t bytes = strlen(text);
    uint8_t *at = json->full ? NULL : dk_buf_extend(json->out, bytes + 2);
    json->full = at == NULL;
    if (at != NULL) {
        at[0] = '"';
        memcpy(at + 1, text, bytes);
        at[bytes + 1] = '"';
    }
}

/* Exactly 0 is how the schema says that no instant is known. What no calendar has (a record need
 * not have passed dk_body_check) is left in microseconds since 1970. */
static void put_time(struct json *json, int64_t us)
{
    char text[DK_TIME_TEXT_BYTES];
    if (us == 0)
        put_word(json, "null");
    else if (us < DK_TIME_MIN_US || us > DK_TIME_MAX_US)
        put_signed(json, us);
    else
        put_plain(json, dk_time_format(us, 0, text));
}

static void put_day(struct json *json, int32_t days)
{
    char text[DK_TIME_TEXT_BYTES];
    int year, month, day;
    dk_date_of_days(days, &year, &month, &day);
    snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, day);
    put_plain(json, text);
}

static void put_id(struct json *json, uint64_t id)
{
    char text[DK_ID_TEXT_BYTES];
    if (id == 0)
        put_word(json, "null");
    else
        put_plain(json, dk_id_format(id, text));
}

static void put_actor(struct json *json, uint64_t actor)
{
    char text[DK_ID_TEXT_BYTES];
    if (actor == 0)
        put_word(json, "null");
    else
        put_plain(json, dk_actor_format(actor, text));
}

char *dk_enum_word(const ProtobufCEnumValue *value, char word[DK_WORD_BYTES])
{
    const char *rest = strchr(value->name, '_');
    size_t count = 0;
    for (rest = rest == NULL ? value->name : rest + 1; *rest != '\0' && count < DK_WORD_BYTES - 1;
         rest++)
        word[count++] = *rest == '_' ? '-' : (char)tolower((unsigned char)*rest);
    word[count] = '\0';
    return word;
}

static void put_enum_value(struct json *json, const ProtobufCEnumValue *value)
{
    char word[DK_WORD_BYTES];
    put_plain(json, dk_enum_word(value, word));
}

static void put_enum(struct json *json, const ProtobufCEnumDescriptor *descriptor, int value)
{
    const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(descriptor, value);
    if (known == NULL)
        put_signed(json, value);
    else
        put_enum_value(json, known);
}

/* Opens a member; a comma goes before all but the first of an object. */
static void put_name(struct json *json, const char *name, size_t name_bytes)
{
    bool comma = !json->full && json->out->data[json->out->size - 1] != '{';
    uint8_t *at = json->full ? NULL : dk_buf_extend(json->out, name_bytes + 3 + comma);
    json->full = at == NULL;
    if (at == NULL)
        return;
    *at = ',';
    at += comma;
    *at++ = '"';
    memcpy(at, name, name_bytes);
    at[name_bytes] = '"';
    at[name_bytes + 1] = ':';
}

static bool is_instant(const ProtobufCFieldDescriptor *field, enum dk_rule rule)
{
    return field->type == PROTOBUF_C_TYPE_SFIXED64 && rule != DK_RULE_DURATION;
}

/* An instant is not written in microseconds, so its name goes without them: due_us is "due". */
static void put_field_name(struct json *json, const ProtobufCFieldDescriptor *field,
                           enum dk_rule rule)
{
    put_name(json, field->name,
             strlen(field->name) - (is_instant(field, rule) ? strlen("_us") : 0));
}

static void put_fixed64(struct json *json, uint64_t value, enum dk_rule rule)
{
    if (dk_rule_is_id(rule))
        put_id(json, value);
    else if (rule == DK_RULE_HASH)
        put_hash(json, value);
    else
        put_unsigned(json, value);
}

static void put_binary(struct json *json, const ProtobufCBinaryData *bytes, enum dk_rule rule)
{
    if (rule == DK_RULE_SHA256 || rule == DK_RULE_UUID || rule == DK_RULE_BINARY)
        put_hex(json, bytes->data, bytes->len);
    else
        put_bytes(json, bytes->data, bytes->len);
}

static void put_message(struct json *json, const ProtobufCMessage *message, const uint8_t *rules);

static void put_part(struct json *json, const ProtobufCMessage *part)
{
    if (part->descriptor != &docket__text__descriptor) {
        put_message(json, part, dk_rules_of_part(part->descriptor));
        return;
    }
    size_t count;
    const char *text = dk_text_plain((const Docket__Text *)part, &count);
    put_bytes(json, (const uint8_t *)text, count);
}

static void put_value(struct json *json, const ProtobufCFieldDescriptor *field, const void *value,
                      enum dk_rule rule)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE: put_part(json, *(const ProtobufCMessage *const *)value); break;
    case PROTOBUF_C_TYPE_BYTES: put_binary(json, value, rule); break;
    case PROTOBUF_C_TYPE_FIXED64: put_fixed64(json, *(const uint64_t *)value, rule); break;
    case PROTOBUF_C_TYPE_UINT64: put_unsigned(json, *(const uint64_t *)value); break;
    case PROTOBUF_C_TYPE_SFIXED64:
        if (is_instant(field, rule))
            put_time(json, *(const int64_t *)value);
        else
            put_signed(json, *(const int64_t *)value);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32: put_unsigned(json, *(const uint32_t *)value); break;
    case PROTOBUF_C_TYPE_SINT32: put_day(json, *(const int32_t *)value); break;
    case PROTOBUF_C_TYPE_ENUM: put_enum(json, field->descriptor, *(const int *)value); break;
    case PROTOBUF_C_TYPE_BOOL:
        put_word(json, *(const protobuf_c_boolean *)value ? "true" : "false");
        break;
    case PROTOBUF_C_TYPE_DOUBLE: put_double(json, *(const double *)value); break;
    default: DK_ASSERT(false && "a type that no body has");
    }
}

/* As deep as the schema, which has no recursive message. */
static void put_message(struct json *json, const ProtobufCMessage *message, const uint8_t *rules)
{
    put_word(json, "{");
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        enum dk_rule rule = dk_rule_of(rules, field);
        struct dk_values values = dk_field_values(message, field);
        bool list = field->label == PROTOBUF_C_LABEL_REPEATED;
        if (values.count == 0)
            continue;
        put_field_name(json, field, rule);
        for (size_t k = 0; k < values.count; k++) {
            if (list)
                put_word(json, k == 0 ? "[" : ",");
            put_value(json, field, values.at + k * values.stride, rule);
        }
        if (list)
            put_word(json, "]");
    }
    put_word(json, "}");
}

static void put_body(struct json *json, uint32_t kind, const ProtobufCMessage *body)
{
    if (body == NULL)
        put_word(json, "null");
    else
        put_message(json, body, dk_rules_of_kind(kind));
}

static void put_flags(struct json *json, uint32_t flags)
{
    const ProtobufCEnumDescriptor *descriptor = &docket__event_flag__descriptor;
    bool first = true;
    put_word(json, "[");
    for (unsigned i = 0; i < descriptor->n_values; i++) {
        if ((flags & (uint32_t)descriptor->values[i].value) == 0)
            continue;
        if (!first)
            put_word(json, ",");
        put_enum_value(json, &descriptor->values[i]);
        first = false;
    }
    put_word(json, "]");
}

static void put_kind(struct json *json, uint32_t kind)
{
    const struct dk_kind_info *info = dk_kind_info(kind);
    if (info == NULL)
        put_unsigned(json, kind);
    else
        put_plain(json, info->word);
}

/* It counts, but for a one-shot client's, which is half of a random request id. */
static void put_number(struct json *json, const uint8_t *record)
{
    uint64_t number = dk_event_load_producer_number(record);
    if ((dk_event_load_flags(record) & DOCKET__EVENT_FLAG__FLAG_ONE_SHOT) != 0)
        put_hash(json, number);
    else
        put_unsigned(json, number);
}

static void put_envelope(struct json *json, const uint8_t *record)
{
#define PUT(name, type, value)                                                                     \
    put_name(json, name, strlen(name));                                                            \
    put_##type(json, value)
    PUT("format", unsigned, dk_event_load_format(record));
    PUT("crc32c", unsigned, dk_event_load_crc32c(record));
    PUT("position", unsigned, dk_event_load_position(record));
    PUT("recorded", time, (int64_t)dk_event_load_recorded_us(record));
    PUT("occurred", time, (int64_t)dk_event_load_occurred_us(record));
    PUT("subject", id, dk_event_load_subject(record));
    PUT("subject_version", unsigned, dk_event_load_subject_version(record));
    PUT("previous", unsigned, dk_event_load_previous(record));
    PUT("kind", kind, dk_event_load_kind(record));
    PUT("flags", flags, dk_event_load_flags(record));
    PUT("actor", actor, dk_event_load_actor(record));
    PUT("group", id, dk_event_load_group(record));
    PUT("producer", hash, dk_event_load_producer(record));
    PUT("producer_number", number, record);
#undef PUT
}

/* Takes what was written back when it did not fit. */
static int end(const struct json *json, size_t before, struct dk_err *err)
{
    if (!json->full)
        return 0;
    json->out->size = before;
    return dk_err_set(err, DK_ETOOBIG, "the event's JSON does not fit");
}

int dk_event_json(struct dk_buf *out, struct dk_arena *arena, const uint8_t *record,
                  size_t record_bytes, struct dk_err *err)
{
    uint32_t kind = dk_event_load_kind(record);
    const ProtobufCMessage *body = NULL;
    struct dk_err why;
    if (err == NULL)
        err = &why;
    if (dk_body_descriptor(kind) != NULL) {
        body = dk_body_unpack(arena, record, record_bytes, err);
        if (body == NULL)
            return err->code;
    }
    struct json json = {.out = out};
    size_t before = out->size;
    put_word(&json, "{");
    put_envelope(&json, record);
    put_name(&json, "body", strlen("body"));
    put_body(&json, kind, body);
    put_word(&json, "}");
    return end(&json, before, err);
}

int dk_body_json(struct dk_buf *out, uint32_t kind, const ProtobufCMessage *body,
                 struct dk_err *err)
{
    struct json json = {.out = out};
    size_t before = out->size;
    put_body(&json, kind, body);
    return end(&json, before, err);
}

int dk_value_json(struct dk_buf *out, const ProtobufCFieldDescriptor *field, const void *value,
                  int rule, struct dk_err *err)
{
    struct json json = {.out = out};
    size_t before = out->size;
    put_value(&json, field, value, (enum dk_rule)rule);
    return end(&json, before, err);
}
