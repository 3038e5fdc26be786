#include "nodes/notification/message.h"
#include "nodes/notification/payload.h"
#include "nodes/notification/template.h"
#include "proto/base/utf8.h"
#include "proto/event/body.h"
#include "proto/fold/ticket.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------------- parts of a value */

/* Appends text, cut to what a value may have; "-" for none. */
static void put(struct dk_buf *out, const char *text, size_t bytes)
{
    bytes = dk_utf8_prefix(text, bytes < DK_TEMPLATE_MAX_BYTES ? bytes : DK_TEMPLATE_MAX_BYTES);
    (void)dk_buf_append(out, bytes > 0 ? text : "-", bytes > 0 ? bytes : 1);
}

static void put_string(struct dk_buf *out, const char *text)
{
    put(out, text, strlen(text));
}

static void put_text(struct dk_buf *out, const Docket__Text *text)
{
    size_t bytes;
    const char *plain = dk_text_plain(text, &bytes);
    put(out, plain, bytes);
}

static void put_name(struct dk_buf *out, const struct dk_refs *refs, uint64_t subject)
{
    char name[DK_NAME_BYTES];
    put_string(out, subject != 0 ? dk_refs_name(refs, subject, name) : "-");
}

static void put_enum(struct dk_buf *out, const ProtobufCEnumDescriptor *descriptor, int number)
{
    char word[DK_WORD_BYTES];
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(descriptor, number);
    put_string(out, value != NULL && number != 0 ? dk_enum_word(value, word) : "-");
}

static void put_instant(struct dk_buf *out, const struct dk_zone *zone, int64_t at_us)
{
    char text[DK_TIME_TEXT_BYTES];
    put_string(out, dk_time_format(at_us, dk_zone_offset_s(zone, at_us), text));
}

/* ---------------------------------------------------------------- what the event tells */

/* What a person wrote in it. */
static const Docket__Text *written(const ProtobufCMessage *body)
{
    static const char *const names[] = {"text",    "message", "reason",
                                        "comment", "remarks", "question"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const Docket__Text *text = dk_body_field(body, names[i], PROTOBUF_C_TYPE_MESSAGE);
        if (text != NULL) {
            return text;
        }
    }
    return NULL;
}

static void put_metric(struct dk_buf *out, const struct dk_message *message)
{
    const Docket__ClockRef *clock = dk_body_field(message->body, "clock", PROTOBUF_C_TYPE_MESSAGE);
    put_enum(out, &docket__metric__descriptor, clock != NULL ? (int)clock->metric : 0);
}

static void put_due(struct dk_buf *out, const struct dk_message *message)
{
    const int64_t *due_us = dk_body_field(message->body, "due_us", PROTOBUF_C_TYPE_SFIXED64);
    if (due_us != NULL) {
        put_instant(out, message->zone, *due_us);
    } else {
        put_string(out, "-");
    }
}

static void put_late_by(struct dk_buf *out, const struct dk_message *message)
{
    char text[DK_TIME_TEXT_BYTES];
    const uint64_t *late_us = dk_body_field(message->body, "late_by_us", PROTOBUF_C_TYPE_UINT64);
    put_string(out, late_us != NULL ? dk_duration_format((int64_t)*late_us, text) : "-");
}

static void put_level(struct dk_buf *out, const struct dk_message *message)
{
    const uint32_t *level = dk_body_field(message->body, "level", PROTOBUF_C_TYPE_UINT32);
    (void)(level != NULL ? dk_buf_printf(out, "%u", *level) : dk_buf_printf(out, "-"));
}

static void put_event(struct dk_buf *out, const struct dk_message *message)
{
    const struct dk_kind_info *info = dk_kind_info(message->cause->kind);
    put_string(out, info != NULL ? info->word : "-");
}

/* People by name, nodes by role. */
static void put_actor(struct dk_buf *out, const struct dk_message *message)
{
    uint64_t actor = message->cause->actor;
    switch (dk_id_class(actor)) {
    case DK_ACTOR_AGENT:
        put_name(out, message->world->refs, dk_id_make(DK_SUBJECT_AGENT, actor));
        break;
    case DK_ACTOR_CUSTOMER:
        put_name(out, message->world->refs, dk_id_make(DK_SUBJECT_CUSTOMER, actor));
        break;
    case DK_ACTOR_SUPPLIER:
        put_name(out, message->world->refs, dk_id_make(DK_SUBJECT_SUPPLIER, actor));
        break;
    case DK_ACTOR_NODE: put_string(out, dk_role_word((unsigned)(actor & DK_ID_MASK))); break;
    default: put_string(out, dk_actor_class_word(dk_id_class(actor))); break;
    }
}

/* ---------------------------------------------------------------- fields */

static void put_life_field(const struct dk_message *message, enum dk_template_field field,
                           struct dk_buf *out)
{
    const struct dk_refs *refs = message->world->refs;
    const struct dk_ticket *life =
        dk_table_get(message->world->tickets, message->notice->ticket, NULL);
    switch (field) {
    case DK_TEMPLATE_STATUS: put_string(out, dk_status_word(life->status, life->pending)); break;
    case DK_TEMPLATE_PRIORITY: put_string(out, dk_priority_word(life->priority)); break;
    case DK_TEMPLATE_TYPE: put_enum(out, &docket__ticket_type__descriptor, life->type); break;
    case DK_TEMPLATE_CHANNEL: put_enum(out, &docket__channel__descriptor, life->channel); break;
    case DK_TEMPLATE_PRODUCT: put_name(out, refs, life->product); break;
    case DK_TEMPLATE_LINE: (void)dk_buf_printf(out, "%u", life->line); break;
    case DK_TEMPLATE_GROUP: put_name(out, refs, life->group); break;
    case DK_TEMPLATE_OWNER: put_name(out, refs, life->owner); break;
    case DK_TEMPLATE_CUSTOMER: put_name(out, refs, life->customer); break;
    default:
        put_name(out, refs,
                 dk_traits_company(&message->ticket->traits, refs, message->cause->occurred_us));
        break;
    }
}

static void put_field(void *arg, enum dk_template_field field, struct dk_buf *out)
{
    const struct dk_message *message = arg;
    const struct dk_refs *refs = message->world->refs;
    char text[DK_ID_TEXT_BYTES];
    switch (field) {
    case DK_TEMPLATE_TICKET: put_string(out, dk_id_format(message->notice->ticket, text)); break;
    case DK_TEMPLATE_SUBJECT:
        put_text(out, message->opened != NULL ? message->opened->subject : NULL);
        break;
    case DK_TEMPLATE_SUPPLIER: put_name(out, refs, message->ticket->traits.supplier); break;
    case DK_TEMPLATE_RECIPIENT: put_name(out, refs, message->notice->recipient); break;
    case DK_TEMPLATE_EVENT: put_event(out, message); break;
    case DK_TEMPLATE_OCCURRED: put_instant(out, message->zone, message->cause->occurred_us); break;
    case DK_TEMPLATE_ACTOR: put_actor(out, message); break;
    case DK_TEMPLATE_TEXT: put_text(out, written(message->body)); break;
    case DK_TEMPLATE_METRIC: put_metric(out, message); break;
    case DK_TEMPLATE_DUE: put_due(out, message); break;
    case DK_TEMPLATE_LATE_BY: put_late_by(out, message); break;
    case DK_TEMPLATE_LEVEL: put_level(out, message); break;
    default: put_life_field(message, field, out); break;
    }
}

/* ---------------------------------------------------------------- JSON */

static json_t *bytes_json(const uint8_t *data, size_t bytes)
{
    return bytes > 0 ? json_stringn((const char *)data, bytes) : json_string("");
}

/* What a buffer holds, as a string; the buffer is closed. */
static json_t *taken(struct dk_buf *out)
{
    json_t *made = bytes_json(out->data, out->size);
    dk_buf_close(out);
    return made;
}

static void put_escaped(void *arg, enum dk_template_field field, struct dk_buf *out)
{
    const struct dk_message *message = arg;
    struct dk_buf value;
    dk_buf_init(&value, DK_TEMPLATE_BUFFER_BYTES);
    put_field(arg, field, &value);
    dk_payload_escape(message->payload, value.data, value.size, out);
    dk_buf_close(&value);
}

static json_t *rendered(const struct dk_message *message, const ProtobufCBinaryData *text)
{
    struct dk_template_values values = {(void *)(uintptr_t)message, put_escaped};
    struct dk_buf out;
    dk_buf_init(&out, DK_TEMPLATE_BUFFER_BYTES);
    dk_template_render(text, &values, &out);
    return taken(&out);
}

static json_t *field_json(const struct dk_message *message, enum dk_template_field field)
{
    struct dk_buf out;
    dk_buf_init(&out, DK_TEMPLATE_BUFFER_BYTES);
    put_field((void *)(uintptr_t)message, field, &out);
    return taken(&out);
}

static json_t *name_json(const struct dk_message *message, uint64_t subject)
{
    struct dk_buf out;
    if (subject == 0) {
        return json_null();
    }
    dk_buf_init(&out, DK_TEMPLATE_BUFFER_BYTES);
    put_name(&out, message->world->refs, subject);
    return taken(&out);
}

static json_t *message_object(const struct dk_message *message, const Docket__TemplateText *text)
{
    const struct dk_notice *notice = message->notice;
    char hex[17], subject[DK_ID_TEXT_BYTES], at[DK_TIME_TEXT_BYTES];
    (void)snprintf(hex, sizeof hex, "%016" PRIx64, message->id);
    json_t *made = json_object();
    json_object_set_new(made, "notice", json_string(hex));
    json_object_set_new(made, "ticket", field_json(message, DK_TEMPLATE_TICKET));
    json_object_set_new(made, "event", field_json(message, DK_TEMPLATE_EVENT));
    json_object_set_new(made, "position", json_integer((json_int_t)notice->cause));
    json_object_set_new(made, "occurred",
                        json_string(dk_time_format(message->cause->occurred_us, 0, at)));
    json_object_set_new(made, "rule", name_json(message, notice->rule));
    json_object_set_new(made, "recipient",
                        notice->recipient != 0
                            ? json_string(dk_id_format(notice->recipient, subject))
                            : json_null());
    json_object_set_new(made, "recipient_name", name_json(message, notice->recipient));
    json_object_set_new(made, "language", bytes_json(text->language.data, text->language.len));
    json_object_set_new(made, "title",
                        text->has_title ? rendered(message, &text->title)
                                        : field_json(message, DK_TEMPLATE_TICKET));
    json_object_set_new(made, "text", rendered(message, &text->body));
    return made;
}

int dk_message_make(const struct dk_message *message, json_t **made, struct dk_err *err)
{
    const struct dk_notice *notice = message->notice;
    const Docket__TemplateDefined *template =
        dk_refs_template(message->world->refs, notice->template,
                         notice->texts_us != 0 ? notice->texts_us : message->cause->occurred_us);
    const Docket__TemplateText *text =
        template == NULL ? NULL
                         : dk_template_text(template, notice->language,
                                            strnlen(notice->language, sizeof notice->language));
    if (text == NULL) {
        char name[DK_NAME_BYTES];
        return dk_err_set(err, DK_ENOTFOUND, "no text of template \"%s\" was in force",
                          dk_refs_name(message->world->refs, notice->template, name));
    }
    *made = message_object(message, text);
    return 0;
}
