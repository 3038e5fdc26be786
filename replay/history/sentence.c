#include "replay/history/sentence.h"
#include "proto/event/body.h"
#include "proto/event/fields.h"
#include "replay/history/moment.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define INLINE_TEXT_BYTES 100

struct writer {
    struct dk_buf *line;
    struct dk_buf *quote; /* or NULL */
    const struct dk_words *words;
};

/* One value of a field. */
struct value {
    const ProtobufCFieldDescriptor *field;
    enum dk_rule rule;
    const void *at;
};

const char *dk_words_actor(const struct dk_words *words, uint64_t actor, char text[DK_NAME_BYTES])
{
    uint64_t subject = dk_subject_of_actor(actor);
    if (subject != 0) {
        return dk_refs_name(words->refs, subject, text);
    }
    bool node = dk_id_class(actor) == DK_ACTOR_NODE;
    (void)snprintf(text, DK_NAME_BYTES, "%s",
                   node ? dk_role_word((unsigned)(actor & DK_ID_MASK))
                        : dk_actor_class_word(dk_id_class(actor)));
    return text;
}

/* A buffer that is full is noticed once, by the caller, at the end. */
static void put(struct dk_buf *out, const char *text, size_t bytes)
{
    (void)dk_buf_append(out, text, bytes);
}

/* ------------------------------------------------------------------------------- values */

static bool is_empty_text(const Docket__Text *text)
{
    size_t bytes;
    (void)dk_text_plain(text, &bytes);
    return bytes == 0;
}

static bool is_empty(const struct value *value)
{
    switch (value->field->type) {
    case PROTOBUF_C_TYPE_BYTES: return ((const ProtobufCBinaryData *)value->at)->len == 0;
    case PROTOBUF_C_TYPE_MESSAGE: {
        const ProtobufCMessage *part = *(const ProtobufCMessage *const *)value->at;
        return part->descriptor == &docket__text__descriptor &&
               is_empty_text((const Docket__Text *)(const void *)part);
    }
    case PROTOBUF_C_TYPE_DOUBLE: return false;
    case PROTOBUF_C_TYPE_BOOL: return *(const protobuf_c_boolean *)value->at == 0;
    default: {
        static const uint8_t zero[sizeof(uint64_t)];
        return memcmp(value->at, zero, dk_value_bytes(value->field->type)) == 0;
    }
    }
}

static void put_text(struct writer *w, const Docket__Text *text)
{
    size_t bytes;
    const char *plain = dk_text_plain(text, &bytes);
    if (w->quote != NULL && (bytes > INLINE_TEXT_BYTES || memchr(plain, '\n', bytes) != NULL)) {
        put(w->quote, plain, bytes);
        put(w->quote, "\n", 1);
        put(w->line, "as follows", strlen("as follows"));
        return;
    }
    put(w->line, "\"", 1);
    put(w->line, plain, bytes);
    put(w->line, "\"", 1);
}

static void put_hex(struct writer *w, const ProtobufCBinaryData *bytes)
{
    for (size_t i = 0; i < bytes->len; i++) {
        (void)dk_buf_printf(w->line, "%02x", bytes->data[i]);
    }
}

static void put_enum(struct writer *w, const ProtobufCEnumDescriptor *descriptor, int number)
{
    char word[DK_WORD_BYTES];
    const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(descriptor, number);
    (void)dk_buf_printf(w->line, "%s", known != NULL ? dk_enum_word(known, word) : "?");
}

static void put_fixed64(struct writer *w, uint64_t number, enum dk_rule rule)
{
    char name[DK_NAME_BYTES];
    if (dk_rule_is_id(rule)) {
        (void)dk_buf_printf(w->line, "%s", dk_refs_name(w->words->refs, number, name));
    } else {
        (void)dk_buf_printf(w->line, rule == DK_RULE_HASH ? "%016" PRIx64 : "%" PRIu64, number);
    }
}

static void put_duration(struct writer *w, int64_t us)
{
    char text[DK_TIME_TEXT_BYTES];
    (void)dk_buf_printf(w->line, "%s", dk_duration_format(us, text));
}

static void put_template(struct writer *w, const char *template, const ProtobufCMessage *message,
                         const uint8_t *rules);

static void put_value(struct writer *w, const struct value *value)
{
    const void *at = value->at;
    char text[DK_TIME_TEXT_BYTES];
    switch (value->field->type) {
    case PROTOBUF_C_TYPE_FIXED64: put_fixed64(w, *(const uint64_t *)at, value->rule); break;
    case PROTOBUF_C_TYPE_ENUM: put_enum(w, value->field->descriptor, *(const int *)at); break;
    case PROTOBUF_C_TYPE_DOUBLE: (void)dk_buf_printf(w->line, "%g", *(const double *)at); break;
    case PROTOBUF_C_TYPE_SFIXED64:
        (void)dk_buf_printf(w->line, "%s",
                            dk_moment_show(w->words->zone, *(const int64_t *)at, text));
        break;
    case PROTOBUF_C_TYPE_UINT64:
        if (value->rule == DK_RULE_DURATION) {
            put_duration(w, (int64_t) * (const uint64_t *)at);
        } else {
            (void)dk_buf_printf(w->line, "%" PRIu64, *(const uint64_t *)at);
        }
        break;
    case PROTOBUF_C_TYPE_UINT32:
        if (strcmp(value->field->name, "seconds") == 0) {
            put_duration(w, *(const uint32_t *)at * DK_SECOND_US);
        } else {
            (void)dk_buf_printf(w->line, "%u", *(const uint32_t *)at);
        }
        break;
    case PROTOBUF_C_TYPE_BYTES:
        if (value->rule == DK_RULE_SHA256) {
            put_hex(w, at);
        } else {
            put(w->line, (const char *)((const ProtobufCBinaryData *)at)->data,
                ((const ProtobufCBinaryData *)at)->len);
        }
        break;
    case PROTOBUF_C_TYPE_MESSAGE: {
        const ProtobufCMessage *part = *(const ProtobufCMessage *const *)at;
        const char *template = dk_sentence_of_part(part->descriptor);
        if (part->descriptor == &docket__text__descriptor) {
            put_text(w, (const Docket__Text *)(const void *)part);
        } else if (template != NULL) {
            put_template(w, template, part, dk_rules_of_part(part->descriptor));
        }
        break;
    }
    default: break; /* a bool is said by {name?word} only */
    }
}

/* ---------------------------------------------------------------------------- templates */

/* One {...} of a template. */
struct slot {
    char name[48];
    const char *word; /* after '?', or NULL */
    size_t word_bytes;
    bool negated;
};

/* Reads the slot that begins at `at` ('{'); returns what comes after its '}'. */
static const char *read_slot(const char *at, struct slot *slot)
{
    const char *end = strchr(at, '}');
    DK_ASSERT(end != NULL);
    slot->negated = at[1] == '!';
    const char *name = at + (slot->negated ? 2 : 1);
    const char *question = memchr(name, '?', (size_t)(end - name));
    const char *name_end = question != NULL ? question : end;
    slot->word = question != NULL ? question + 1 : NULL;
    slot->word_bytes = question != NULL ? (size_t)(end - question - 1) : 0;
    (void)snprintf(slot->name, sizeof slot->name, "%.*s", (int)(name_end - name), name);
    return end + 1;
}

static bool is_duration(const struct value *value)
{
    return value->rule == DK_RULE_DURATION || strcmp(value->field->name, "seconds") == 0;
}

/* Fills one slot; false when the field has no value ({!name}: has one). A duration of nothing is
 * one that can be left out, or "0s" where nothing can be. */
static bool put_slot(struct writer *w, const struct slot *slot, const ProtobufCMessage *message,
                     const uint8_t *rules, bool optional)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(message->descriptor, slot->name);
    DK_ASSERT(field != NULL);
    struct dk_values values = dk_field_values(message, field);
    struct value value = {.field = field, .rule = dk_rule_of(rules, field), .at = values.at};
    bool there = values.count > 0 && (!is_empty(&value) || (!optional && is_duration(&value)));
    if (slot->negated || slot->word != NULL) {
        put(w->line, slot->word, there && slot->word != NULL ? slot->word_bytes : 0);
        return there != slot->negated;
    }
    for (size_t i = 0; there && i < values.count; i++) {
        put(w->line, ", ", i == 0 ? 0 : 2);
        value.at = values.at + i * values.stride;
        put_value(w, &value);
    }
    return there;
}

/* As deep as parts stand in parts, which is two. */
static void put_template(struct writer *w, const char *template, const ProtobufCMessage *message,
                         const uint8_t *rules)
{
    size_t mark = 0;
    bool inside = false, dropped = false;
    for (const char *at = template; *at != '\0';) {
        size_t plain = strcspn(at, "[]{");
        put(w->line, at, plain);
        at += plain;
        if (*at == '{') {
            struct slot slot;
            at = read_slot(at, &slot);
            dropped = !put_slot(w, &slot, message, rules, inside) || dropped;
        } else if (*at == '[') {
            mark = w->line->size;
            inside = true;
            dropped = false;
            at++;
        } else if (*at == ']') {
            w->line->size = inside && dropped ? mark : w->line->size;
            inside = false;
            at++;
        }
    }
}

int dk_sentence(struct dk_buf *line, struct dk_buf *quote, const struct dk_words *words,
                uint32_t kind, const ProtobufCMessage *body)
{
    struct writer w = {.line = line, .quote = quote, .words = words};
    const char *template = body != NULL ? dk_sentence_of_kind(kind) : NULL;
    const struct dk_kind_info *info = dk_kind_info(kind);
    if (template != NULL) {
        put_template(&w, template, body, dk_rules_of_kind(kind));
        return line->size < line->max ? 0 : DK_ETOOBIG;
    }
    return info != NULL ? dk_buf_printf(line, "%s", info->word)
                        : dk_buf_printf(line, "an event of kind %u", kind);
}
