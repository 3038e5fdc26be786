#include "proto/event/body.h"

#include "proto/base/time.h"
#include "proto/base/utf8.h"
#include "proto/event/fields.h"
#include <math.h>
#include <stdio.h>

#define SHA256_BYTES   32
#define UUID_BYTES     16
#define PATH_MAX_DEPTH 4 /* agent_defined . definition . origin, and one to spare */

/* Where the check stands, for refusals: the names of the fields from the kind's down. */
struct walk {
    struct dk_err *err;
    bool imported;
    const char *path[PATH_MAX_DEPTH];
    unsigned depth;
};

static int refuse(const struct walk *walk, const ProtobufCFieldDescriptor *field, int code,
                  const char *why)
{
    char path[DK_ERR_FIELD_BYTES] = "";
    size_t used = 0;
    for (unsigned i = 0; i < walk->depth && used < sizeof path; i++)
        used += (size_t)snprintf(path + used, sizeof path - used, "%s.", walk->path[i]);
    if (used < sizeof path)
        snprintf(path + used, sizeof path - used, "%s", field->name);
    return dk_err_field(walk->err, code, path, "%s %s", path, why);
}

static int check_text(const struct walk *walk, const ProtobufCFieldDescriptor *field,
                      const ProtobufCBinaryData *text, size_t max_bytes)
{
    if (text->len > max_bytes)
        return refuse(walk, field, DK_ETOOBIG,
                      max_bytes == DK_KEY_MAX_BYTES ? "is longer than a key may be"
                                                    : "is longer than a text may be");
    if (!dk_utf8_is_text(text->data, text->len))
        return refuse(walk, field, DK_EINVAL, "is not UTF-8 without NUL");
    return 0;
}

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool dk_language_is_tag(const void *text, size_t bytes)
{
    const uint8_t *at = text, *end = at + bytes;
    size_t part = 0, parts = 0;
    for (; at < end; at++) {
        bool digit = *at >= '0' && *at <= '9';
        if (*at == '-' ? part < (parts == 0 ? 2 : 1) : !is_letter(*at) && (!digit || parts == 0))
            return false;
        part = *at == '-' ? 0 : part + 1;
        parts += *at == '-';
        if (part > (parts == 0 ? 3 : 8))
            return false;
    }
    return part >= (parts == 0 ? 2 : 1);
}

static int check_language(const struct walk *walk, const ProtobufCFieldDescriptor *field,
                          const ProtobufCBinaryData *language)
{
    int code = check_text(walk, field, language, DK_KEY_MAX_BYTES);
    if (code == 0 && !dk_language_is_tag(language->data, language->len))
        code = refuse(walk, field, DK_EINVAL, "is no language's tag, as de or pt-BR");
    return code;
}

static int check_bytes(const struct walk *walk, const ProtobufCFieldDescriptor *field,
                       const ProtobufCBinaryData *bytes, enum dk_rule rule)
{
    switch (rule) {
    case DK_RULE_BINARY: return 0;
    case DK_RULE_SHA256:
        return bytes->len == SHA256_BYTES ? 0 : refuse(walk, field, DK_EINVAL, "is not 32 bytes");
    case DK_RULE_UUID:
        return bytes->len == UUID_BYTES ? 0 : refuse(walk, field, DK_EINVAL, "is not 16 bytes");
    case DK_RULE_KEY:
        if (bytes->len == 0)
            return refuse(walk, field, DK_EINVAL, "is empty");
        return check_text(walk, field, bytes, DK_KEY_MAX_BYTES);
    case DK_RULE_LANGUAGE: return check_language(walk, field, bytes);
    case DK_RULE_LANGUAGE_OR_EMPTY: return bytes->len == 0 ? 0 : check_language(walk, field, bytes);
    default: return check_text(walk, field, bytes, DK_TEXT_MAX_BYTES);
    }
}

/* An id of 0 says "none" wherever a subject is named. */
static int check_id(const struct walk *walk, const ProtobufCFieldDescriptor *field, uint64_t id,
                    enum dk_rule rule)
{
    unsigned cls = dk_id_class(id);
    if (id == 0 || !dk_rule_is_id(rule))
        return 0;
    if (rule == DK_RULE_SUBJECT)
        return cls != 0 && cls < DK_SUBJECT_CLASS_COUNT
                   ? 0
                   : refuse(walk, field, DK_EINVAL, "is not the id of a subject");
    return cls == (unsigned)rule ? 0 : refuse(walk, field, DK_EINVAL, "is the id of another class");
}

static int check_enum(const struct walk *walk, const ProtobufCFieldDescriptor *field, int value,
                      enum dk_rule rule)
{
    if (value == 0 && field->label == PROTOBUF_C_LABEL_REQUIRED && rule != DK_RULE_MAY_BE_NONE)
        return refuse(walk, field, DK_EINVAL, "is required, none is not allowed");
    if (protobuf_c_enum_descriptor_get_value(field->descriptor, value) == NULL)
        return refuse(walk, field, DK_EINVAL, "has a value that is not defined");
    return 0;
}

static int check_time(const struct walk *walk, const ProtobufCFieldDescriptor *field, int64_t us)
{
    if (us < DK_TIME_MIN_US || us > DK_TIME_MAX_US)
        return refuse(walk, field, DK_ETIME, "is not between the years 1900 and 2200");
    return 0;
}

static int check_day(const struct walk *walk, const ProtobufCFieldDescriptor *field, int32_t day)
{
    if (day < DK_TIME_MIN_US / DK_DAY_US || day > DK_TIME_MAX_US / DK_DAY_US)
        return refuse(walk, field, DK_ETIME, "is not between the years 1900 and 2200");
    return 0;
}

static int check_message(struct walk *walk, const char *name, const ProtobufCMessage *message,
                         const uint8_t *rules);

/* What people write says something; a source may have nothing. */
static int check_written(const struct walk *walk, const ProtobufCFieldDescriptor *field,
                         const Docket__Text *text)
{
    if (walk->imported || dk_text_says(text))
        return 0;
    return refuse(walk, field, DK_EINVAL, "is empty");
}

static int check_part(struct walk *walk, const ProtobufCFieldDescriptor *field,
                      const ProtobufCMessage *part)
{
    if (part->descriptor == &docket__text__descriptor) {
        const Docket__Text *text = (const Docket__Text *)part;
        if (text->has_plain == (text->sealed != NULL))
            return refuse(walk, field, DK_EINVAL, "must be one of plain and sealed");
        if (text->has_plain && part->n_unknown_fields == 0)
            return check_text(walk, field, &text->plain, DK_TEXT_MAX_BYTES);
    }
    return check_message(walk, field->name, part, dk_rules_of_part(part->descriptor));
}

static int check_value(struct walk *walk, const ProtobufCFieldDescriptor *field, const void *value,
                       enum dk_rule rule)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return check_part(walk, field, *(const ProtobufCMessage *const *)value);
    case PROTOBUF_C_TYPE_BYTES: return check_bytes(walk, field, value, rule);
    case PROTOBUF_C_TYPE_FIXED64: return check_id(walk, field, *(const uint64_t *)value, rule);
    case PROTOBUF_C_TYPE_ENUM: return check_enum(walk, field, *(const int *)value, rule);
    case PROTOBUF_C_TYPE_SFIXED64: return check_time(walk, field, *(const int64_t *)value);
    case PROTOBUF_C_TYPE_SINT32: return check_day(walk, field, *(const int32_t *)value);
    case PROTOBUF_C_TYPE_UINT64:
        if (rule == DK_RULE_DURATION && *(const uint64_t *)value > (uint64_t)DK_TIME_MAX_US)
            return refuse(walk, field, DK_ETIME, "is longer than two centuries");
        return 0;
    case PROTOBUF_C_TYPE_DOUBLE:
        if (!isfinite(*(const double *)value))
            return refuse(walk, field, DK_EINVAL, "is not a finite number");
        return 0;
    default: return 0;
    }
}

static int check_field(struct walk *walk, const ProtobufCMessage *message,
                       const ProtobufCFieldDescriptor *field, enum dk_rule rule)
{
    struct dk_values values = dk_field_values(message, field);
    int code = 0;
    for (size_t k = 0; k < values.count && code == 0; k++)
        code = check_value(walk, field, values.at + k * values.stride, rule);
    if (code == 0 && rule == DK_RULE_WRITTEN)
        code = check_written(walk, field, *(Docket__Text *const *)(const void *)values.at);
    return code;
}

/* One level of a body. It comes back to itself through check_part, as deep as the schema is, which
 * has no recursive message: what was received cannot make it deeper. */
static int check_message(struct walk *walk, const char *name, const ProtobufCMessage *message,
                         const uint8_t *rules)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    DK_ASSERT(walk->depth < PATH_MAX_DEPTH);
    walk->path[walk->depth++] = name;
    if (message->n_unknown_fields > 0)
        return dk_err_field(walk->err, DK_EVERSION, name,
                            "%s has a field %u that is not known here", name,
                            message->unknown_fields[0].tag);
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        int code = check_field(walk, message, field, dk_rule_of(rules, field));
        if (code != 0)
            return code;
    }
    walk->depth--;
    return 0;
}

/* "exactly one of these; none clears the field" (docket.proto). */
static int check_field_set(const Docket__FieldSet *set, struct dk_err *err)
{
    int values = (set->text != NULL) + (set->has_number != 0) + (set->has_date_us != 0) +
                 (set->has_choice != 0) + (set->has_reference != 0);
    if (values > 1)
        return dk_err_field(err, DK_EINVAL, "field_set", "field_set has %d values instead of one",
                            values);
    return 0;
}

/* What a person has to say in a kind whose fields may all be left out. */
static int check_says(const ProtobufCMessage *body, uint32_t kind, struct dk_err *err)
{
    const void *of = body;
    const Docket__Classified *classified = of;
    const Docket__FollowersChanged *followers = of;
    if (kind == DK_KIND_CLASSIFIED && !classified->has_product && !classified->has_type &&
        !classified->has_priority && !classified->has_impact && !classified->has_urgency &&
        !classified->has_language && classified->n_tag_added + classified->n_tag_removed == 0)
        return dk_err_field(err, DK_EINVAL, "classified", "classified says nothing of the ticket");
    if (kind == DK_KIND_FOLLOWERS_CHANGED && followers->n_added + followers->n_removed == 0)
        return dk_err_field(err, DK_EINVAL, "followers_changed", "followers_changed names nobody");
    if (kind == DK_KIND_TIME_LOGGED && ((const Docket__TimeLogged *)of)->seconds == 0)
        return dk_err_field(err, DK_EINVAL, "time_logged.seconds",
                            "time_logged.seconds is 0: no time was spent");
    return 0;
}

int dk_body_check(const ProtobufCMessage *body, uint32_t kind, struct dk_err *err)
{
    const struct dk_kind_info *info = dk_kind_info(kind);
    DK_ASSERT(info != NULL && body->descriptor == dk_body_descriptor(kind));
    /* Every ticket body begins with a decision and an origin, as Adopted does, which has no more.
     */
    const Docket__Adopted *front = (const Docket__Adopted *)(const void *)body;
    bool imported = kind <= DK_KIND_TICKET_LAST && front->origin != NULL;
    struct walk walk = {.err = err, .imported = imported};
    int code = check_message(&walk, info->field, body, dk_rules_of_kind(kind));
    if (code == 0 && kind == DK_KIND_FIELD_SET)
        code = check_field_set((const Docket__FieldSet *)body, err);
    if (code == 0 && !imported)
        code = check_says(body, kind, err);
    return code;
}
