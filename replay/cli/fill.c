/* From the text of an argument to a field of a body: one way for each type that bodies have. */
#include "proto/base/time.h"
#include "proto/event/fields.h"
#include "replay/cli/action.h"
#include "replay/cli/desk.h"
#include "replay/history/moment.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One field that is being filled. */
struct filling {
    struct dk_action *action;
    const ProtobufCFieldDescriptor *field;
    enum dk_rule rule;
    void *at;         /* where the value goes */
    const char *text; /* what was typed */
};

static ProtobufCBinaryData copy_bytes(struct dk_action *action, const char *text)
{
    size_t bytes = strlen(text);
    char *copy = dk_arena_strndup(&action->arena, text, bytes);
    DK_ASSERT(copy != NULL);
    return (ProtobufCBinaryData){bytes, (uint8_t *)copy};
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

static int fill_hex(struct filling *f, struct dk_err *err)
{
    size_t digits = strlen(f->text);
    uint8_t *bytes = dk_arena_alloc(&f->action->arena, digits / 2 + 1);
    DK_ASSERT(bytes != NULL);
    for (size_t i = 0; i < digits; i++) {
        int digit = hex_digit(f->text[i]);
        if (digit < 0) {
            return dk_cli_usage(err, "\"%s\" is no hexadecimal number", f->text);
        }
        bytes[i / 2] = (uint8_t)(bytes[i / 2] << 4 | digit);
    }
    *(ProtobufCBinaryData *)f->at = (ProtobufCBinaryData){digits / 2, bytes};
    return digits % 2 == 0 ? 0 : dk_cli_usage(err, "\"%s\" is half a byte short", f->text);
}

static int fill_number(struct filling *f, uint64_t max, int base, uint64_t *number,
                       struct dk_err *err)
{
    char *end = NULL;
    errno = 0;
    *number = f->text[0] != '-' && f->text[0] != '+' ? strtoull(f->text, &end, base) : 0;
    return end != NULL && end != f->text && *end == '\0' && errno == 0 && *number <= max
               ? 0
               : dk_cli_usage(err, "\"%s\" is no number from 0 to %llu", f->text,
                              (unsigned long long)max);
}

static int fill_duration(struct filling *f, uint64_t unit_us, uint64_t *count, struct dk_err *err)
{
    int64_t us = 0;
    if (dk_duration_parse(f->text, &us, err) != 0) {
        return DK_EXIT_USAGE;
    }
    *count = (uint64_t)us / unit_us;
    return 0;
}

/* "CLASS/KEY", or a key alone, which is an agent's; a ticket's key is its name. */
static int fill_subject(struct filling *f, uint64_t *id, struct dk_err *err)
{
    const char *slash = strchr(f->text, '/');
    char word[32] = "agent";
    if (slash != NULL) {
        (void)snprintf(word, sizeof word, "%.*s", (int)(slash - f->text), f->text);
    }
    unsigned cls = dk_subject_class_of(word);
    if (cls == 0) {
        return dk_cli_usage(err, "\"%s\" is nothing that can be named", word);
    }
    if (cls == DK_SUBJECT_TICKET) {
        return dk_desk_ticket(f->action->cli, slash + 1, id, err);
    }
    return dk_action_entity(f->action, cls, slash != NULL ? slash + 1 : f->text, id, err);
}

static int fill_fixed64(struct filling *f, struct dk_err *err)
{
    uint64_t *id = f->at;
    switch (f->rule) {
    case DK_RULE_TICKET: return dk_desk_ticket(f->action->cli, f->text, id, err);
    case DK_RULE_SUBJECT: return fill_subject(f, id, err);
    case DK_RULE_HASH: return fill_number(f, UINT64_MAX, 16, id, err);
    case DK_RULE_NONE: return fill_number(f, UINT64_MAX, 10, id, err);
    default: return dk_action_entity(f->action, f->rule, f->text, id, err);
    }
}

static int fill_enum(struct filling *f, struct dk_err *err)
{
    const ProtobufCEnumDescriptor *words = f->field->descriptor;
    char list[256], word[DK_WORD_BYTES];
    size_t used = 0;
    list[0] = '\0';
    for (unsigned i = 0; i < words->n_values; i++) {
        if (words->values[i].value == 0) {
            continue; /* none, which is said by leaving it out */
        }
        if (strcmp(dk_enum_word(&words->values[i], word), f->text) == 0) {
            *(int *)f->at = words->values[i].value;
            return 0;
        }
        used +=
            (size_t)snprintf(list + used, sizeof list - used, "%s%s", used > 0 ? ", " : "", word);
        used = used < sizeof list ? used : sizeof list - 1;
    }
    return dk_cli_usage(err, "%s is one of %s, and not \"%s\"", f->field->name, list, f->text);
}

static int fill_bool(struct filling *f, struct dk_err *err)
{
    bool yes = strcmp(f->text, "yes") == 0;
    *(protobuf_c_boolean *)f->at = yes;
    return yes || strcmp(f->text, "no") == 0
               ? 0
               : dk_cli_usage(err, "say yes or no, and not \"%s\"", f->text);
}

static int fill_double(struct filling *f, struct dk_err *err)
{
    char *end = NULL;
    *(double *)f->at = strtod(f->text, &end);
    return end != f->text && *end == '\0' ? 0 : dk_cli_usage(err, "\"%s\" is no number", f->text);
}

static int fill_instant(struct filling *f, struct dk_err *err)
{
    if (dk_moment_parse(f->action->cli->zone, dk_desk_now_us(f->action->cli), f->text, f->at,
                        err) != 0) {
        return DK_EXIT_USAGE;
    }
    return *(int64_t *)f->at != 0
               ? 0
               : dk_cli_usage(err, "%s: the instant 0 stands for none", f->field->name);
}

static int fill_text(struct filling *f)
{
    Docket__Text *text = dk_arena_alloc(&f->action->arena, sizeof *text);
    DK_ASSERT(text != NULL && f->field->descriptor == &docket__text__descriptor);
    docket__text__init(text);
    text->has_plain = 1;
    text->plain = copy_bytes(f->action, f->text);
    *(Docket__Text **)f->at = text;
    return 0;
}

static int fill_uint32(struct filling *f, struct dk_err *err)
{
    uint64_t number = 0;
    int rc = strcmp(f->field->name, "seconds") == 0
                 ? fill_duration(f, (uint64_t)DK_SECOND_US, &number, err)
                 : fill_number(f, UINT32_MAX, 10, &number, err);
    *(uint32_t *)f->at = (uint32_t)number;
    return rc;
}

static int fill(struct filling *f, struct dk_err *err)
{
    switch (f->field->type) {
    case PROTOBUF_C_TYPE_MESSAGE: return fill_text(f);
    case PROTOBUF_C_TYPE_FIXED64: return fill_fixed64(f, err);
    case PROTOBUF_C_TYPE_ENUM: return fill_enum(f, err);
    case PROTOBUF_C_TYPE_BOOL: return fill_bool(f, err);
    case PROTOBUF_C_TYPE_DOUBLE: return fill_double(f, err);
    case PROTOBUF_C_TYPE_SFIXED64: return fill_instant(f, err);
    case PROTOBUF_C_TYPE_UINT32: return fill_uint32(f, err);
    case PROTOBUF_C_TYPE_UINT64:
        return f->rule == DK_RULE_DURATION ? fill_duration(f, 1, f->at, err)
                                           : fill_number(f, UINT64_MAX, 10, f->at, err);
    case PROTOBUF_C_TYPE_BYTES:
        if (f->rule == DK_RULE_SHA256) {
            return fill_hex(f, err);
        }
        *(ProtobufCBinaryData *)f->at = copy_bytes(f->action, f->text);
        return 0;
    default: DK_ASSERT(false && "a type that no action's body has"); return DK_EINVAL;
    }
}

/* Makes room for one value of the field, and marks it as present. */
static void *place(struct dk_action *action, ProtobufCMessage *body,
                   const ProtobufCFieldDescriptor *field)
{
    void *quantifier = (uint8_t *)body + field->quantifier_offset;
    void *member = (uint8_t *)body + field->offset;
    if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->type != PROTOBUF_C_TYPE_MESSAGE) {
        *(protobuf_c_boolean *)quantifier = 1;
    }
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        return member;
    }
    size_t *count = quantifier;
    size_t bytes = dk_value_bytes(field->type);
    uint8_t *values = dk_arena_alloc(&action->arena, (*count + 1) * bytes);
    DK_ASSERT(values != NULL);
    if (*count > 0) {
        memcpy(values, *(void **)member, *count * bytes);
    }
    *(void **)member = values;
    return values + (*count)++ * bytes;
}

int dk_action_fill(struct dk_action *action, struct dk_action_event *event, const char *field,
                   const char *text, struct dk_err *err)
{
    const ProtobufCFieldDescriptor *descriptor =
        protobuf_c_message_descriptor_get_field_by_name(event->body->descriptor, field);
    DK_ASSERT(descriptor != NULL);
    struct filling filling = {
        .action = action,
        .field = descriptor,
        .rule = dk_rule_of(dk_rules_of_kind(event->kind), descriptor),
        .at = place(action, event->body, descriptor),
        .text = text,
    };
    return fill(&filling, err);
}
