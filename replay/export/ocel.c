/* OCEL 2.0, its JSON form: the types; then each event as it comes, with the objects that it names;
 * then those objects, gathered by their numbers. */
#include "replay/export/ocel.h"
#include "proto/base/time.h"
#include "proto/event/fields.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define VALUE_MAX_BYTES ((size_t)8 << 20)
#define SEEN_MAX        (UINT64_C(1) << 32)
#define SEEN_BITS       6 /* of a number, that count within one word of the set */
#define SEEN_MASK       ((UINT64_C(1) << SEEN_BITS) - 1)

/* ------------------------------------------------------------------------------------ objects */

bool dk_ocel_knows(const struct dk_ocel *ocel, uint64_t subject)
{
    const uint64_t *word = dk_map_get(&ocel->seen, subject >> SEEN_BITS);
    return word != NULL && (*word >> (subject & SEEN_MASK) & 1) != 0;
}

/* An object is gathered once it is named. */
static int see(struct dk_ocel *ocel, uint64_t subject)
{
    if (dk_ocel_knows(ocel, subject)) {
        return 0;
    }
    uint64_t *word = dk_map_put(&ocel->seen, subject >> SEEN_BITS, NULL);
    if (word == NULL) {
        return dk_err_set(ocel->with->err, DK_ENOMEM, "no memory for objects");
    }
    *word |= UINT64_C(1) << (subject & SEEN_MASK);
    return dk_traces_add(ocel->objects, subject, NULL, 0, ocel->with->err);
}

/* ------------------------------------------------------------------------------------ writing */

void dk_ocel_put(struct dk_ocel *ocel, const char *word)
{
    (void)dk_sink_word(ocel->with->sink, word); /* the sink keeps its first error */
}

void dk_ocel_next(struct dk_ocel *ocel)
{
    dk_ocel_put(ocel, ocel->first ? "" : ",");
    ocel->first = false;
}

void dk_ocel_put_text(struct dk_ocel *ocel, const void *text, size_t bytes)
{
    json_t *string = json_stringn(text, bytes);
    char *dumped = string != NULL ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
    dk_ocel_put(ocel, dumped != NULL ? dumped : "\"\"");
    free(dumped);
    json_decref(string);
}

void dk_ocel_relate(struct dk_ocel *ocel, uint64_t object, const char *qualifier)
{
    char id[DK_ID_TEXT_BYTES];
    dk_ocel_next(ocel);
    dk_ocel_put(ocel, "{\"objectId\":\"");
    dk_ocel_put(ocel, dk_id_format(object, id));
    dk_ocel_put(ocel, "\",\"qualifier\":\"");
    dk_ocel_put(ocel, qualifier);
    dk_ocel_put(ocel, "\"}");
}

/* --------------------------------------------------------------------------------- attributes */

/* The type of a field's values; NULL: it is no attribute, but an object or a list. */
static const char *type_of(const ProtobufCFieldDescriptor *field, enum dk_rule rule)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED || dk_rule_is_id(rule)) {
        return NULL;
    }
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return field->descriptor == &docket__text__descriptor ? "string" : NULL;
    case PROTOBUF_C_TYPE_BOOL: return "boolean";
    case PROTOBUF_C_TYPE_DOUBLE: return "float";
    case PROTOBUF_C_TYPE_SFIXED64: return rule == DK_RULE_DURATION ? "integer" : "time";
    case PROTOBUF_C_TYPE_FIXED64: return rule == DK_RULE_HASH ? "string" : "integer";
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_UINT64: return "integer";
    default: return "string";
    }
}

/* {"name":"NAME", and an instant is not in microseconds, so its name goes without them. */
static void put_name(struct dk_ocel *ocel, const ProtobufCFieldDescriptor *field, const char *type)
{
    size_t bytes = strlen(field->name) - (strcmp(type, "time") == 0 ? strlen("_us") : 0);
    dk_ocel_next(ocel);
    dk_ocel_put(ocel, "{\"name\":\"");
    (void)dk_sink_put(ocel->with->sink, field->name, bytes);
    dk_ocel_put(ocel, "\"");
}

int dk_ocel_attribute(struct dk_ocel *ocel, uint32_t kind, const ProtobufCMessage *body,
                      const ProtobufCFieldDescriptor *field, int64_t at_us)
{
    enum dk_rule rule = dk_rule_of(dk_rules_of_kind(kind), field);
    struct dk_values values = dk_field_values(body, field);
    const char *type = type_of(field, rule);
    char text[DK_TIME_TEXT_BYTES];
    if (type == NULL || values.count == 0) {
        return 0;
    }
    dk_buf_clear(&ocel->value);
    int rc = dk_value_json(&ocel->value, field, values.at, (int)rule, ocel->with->err);
    bool is_null = ocel->value.size == strlen("null") && ocel->value.data[0] == 'n';
    if (rc != 0 || is_null) {
        return rc;
    }
    put_name(ocel, field, type);
    if (at_us != INT64_MIN) {
        dk_ocel_put(ocel, ",\"time\":\"");
        dk_ocel_put(ocel, dk_time_format(at_us, 0, text));
        dk_ocel_put(ocel, "\"");
    }
    dk_ocel_put(ocel, ",\"value\":");
    (void)dk_sink_put(ocel->with->sink, ocel->value.data, ocel->value.size);
    dk_ocel_put(ocel, "}");
    return 0;
}

static void put_event_type(struct dk_ocel *ocel, uint32_t kind, bool first)
{
    const ProtobufCMessageDescriptor *body = dk_body_descriptor(kind);
    const uint8_t *rules = dk_rules_of_kind(kind);
    dk_ocel_put(ocel, first ? "\n{\"name\":\"" : ",\n{\"name\":\"");
    dk_ocel_put(ocel, dk_kind_info(kind)->word);
    dk_ocel_put(ocel, "\",\"attributes\":[{\"name\":\"actor\",\"type\":\"string\"}");
    ocel->first = false;
    for (unsigned i = 0; i < body->n_fields; i++) {
        const char *type = type_of(&body->fields[i], dk_rule_of(rules, &body->fields[i]));
        if (type != NULL) {
            put_name(ocel, &body->fields[i], type);
            dk_ocel_put(ocel, ",\"type\":\"");
            dk_ocel_put(ocel, type);
            dk_ocel_put(ocel, "\"}");
        }
    }
    dk_ocel_put(ocel, "]}");
}

static int begin_ocel(struct dk_exporting *exporting, void **state)
{
    struct dk_ocel *ocel = calloc(1, sizeof *ocel);
    DK_ASSERT(ocel != NULL);
    *state = ocel;
    ocel->with = exporting;
    ocel->first_event = true;
    dk_map_init(&ocel->seen, sizeof(uint64_t), SEEN_MAX);
    dk_buf_init(&ocel->value, VALUE_MAX_BYTES);
    ocel->objects = dk_traces_new();
    dk_ocel_put(ocel, "{\"objectTypes\":[");
    dk_ocel_put_object_types(ocel);
    dk_ocel_put(ocel, "],\n\"eventTypes\":[");
    for (uint32_t kind = DK_KIND_MIN; kind <= DK_KIND_TICKET_LAST; kind++) {
        put_event_type(ocel, kind, kind == DK_KIND_MIN);
    }
    dk_ocel_put(ocel, "],\n\"events\":[");
    return exporting->sink->rc;
}

/* ------------------------------------------------------------------------------------- events */

static int relate(struct dk_ocel *ocel, uint64_t subject, const char *qualifier)
{
    if (!dk_ocel_is_object(subject)) {
        return 0;
    }
    dk_ocel_relate(ocel, subject, qualifier);
    return see(ocel, subject);
}

/* The ids that stand directly in the body, by the names of their fields. */
static int relate_body(struct dk_ocel *ocel, uint32_t kind, const ProtobufCMessage *body)
{
    const uint8_t *rules = dk_rules_of_kind(kind);
    int rc = 0;
    for (unsigned i = 0; i < body->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &body->descriptor->fields[i];
        struct dk_values values = dk_field_values(body, field);
        bool ids =
            field->type == PROTOBUF_C_TYPE_FIXED64 && dk_rule_is_id(dk_rule_of(rules, field));
        for (size_t k = 0; rc == 0 && ids && k < values.count; k++) {
            rc = relate(ocel, *(const uint64_t *)(const void *)(values.at + k * values.stride),
                        field->name);
        }
    }
    return rc;
}

static int relate_all(struct dk_ocel *ocel, const uint8_t *record, const ProtobufCMessage *body)
{
    uint64_t actor = dk_subject_of_actor(dk_event_load_actor(record));
    ocel->first = true;
    int rc = relate(ocel, dk_event_load_subject(record), "ticket");
    rc = rc != 0 ? rc : relate(ocel, actor, "actor");
    rc = rc != 0 ? rc : relate(ocel, dk_event_load_group(record), "owning group");
    return rc != 0 ? rc : relate_body(ocel, dk_event_load_kind(record), body);
}

static int put_attributes(struct dk_ocel *ocel, const uint8_t *record, const ProtobufCMessage *body)
{
    uint32_t kind = dk_event_load_kind(record);
    const char *actor = dk_names_actor(ocel->with->names, dk_event_load_actor(record));
    int rc = 0;
    dk_ocel_put(ocel, "{\"name\":\"actor\",\"value\":");
    dk_ocel_put_text(ocel, actor, strlen(actor));
    dk_ocel_put(ocel, "}");
    ocel->first = false;
    for (unsigned i = 0; rc == 0 && i < body->descriptor->n_fields; i++) {
        rc = dk_ocel_attribute(ocel, kind, body, &body->descriptor->fields[i], INT64_MIN);
    }
    return rc;
}

static int put_ocel(void *state, const uint8_t *record, size_t record_bytes)
{
    struct dk_ocel *ocel = state;
    uint32_t kind = dk_event_load_kind(record);
    char head[160], time[DK_TIME_TEXT_BYTES];
    if (dk_kind_info(kind) == NULL) {
        return 0; /* of a newer docket: it has no type here */
    }
    dk_arena_reset(ocel->with->arena);
    const ProtobufCMessage *body =
        dk_body_unpack(ocel->with->arena, record, record_bytes, ocel->with->err);
    if (body == NULL) {
        return ocel->with->err->code;
    }
    (void)snprintf(head, sizeof head,
                   "%s\n{\"id\":\"%" PRIu64 "\",\"type\":\"%s\",\"time\":\"%s\",\"attributes\":[",
                   ocel->first_event ? "" : ",", dk_event_load_position(record),
                   dk_kind_info(kind)->word,
                   dk_time_format((int64_t)dk_event_load_occurred_us(record), 0, time));
    ocel->first_event = false;
    dk_ocel_put(ocel, head);
    int rc = put_attributes(ocel, record, body);
    dk_ocel_put(ocel, "],\"relationships\":[");
    rc = rc != 0 ? rc : relate_all(ocel, record, body);
    dk_ocel_put(ocel, "]}");
    return rc == 0 && dk_ocel_changes_ticket(kind)
               ? dk_traces_add(ocel->objects, dk_event_load_subject(record), record, record_bytes,
                               ocel->with->err)
               : rc;
}

static int end_ocel(void *state)
{
    struct dk_ocel *ocel = state;
    dk_ocel_put(ocel, "],\n\"objects\":[");
    ocel->first_event = true;
    int rc = dk_traces_each(ocel->objects, dk_ocel_put_object, ocel, ocel->with->err);
    dk_ocel_put(ocel, "]}\n");
    return rc != 0 ? rc : ocel->with->sink->rc;
}

static void free_ocel(void **state)
{
    struct dk_ocel *ocel = *state;
    if (ocel != NULL) {
        dk_map_close(&ocel->seen);
        dk_buf_close(&ocel->value);
        dk_traces_free(&ocel->objects);
        free(ocel);
        *state = NULL;
    }
}

const struct dk_format dk_format_ocel = {
    .word = "ocel",
    .about = "OCEL 2.0 as JSON: tickets and those around them as objects, related to events",
    .of_tickets = true,
    .begin = begin_ocel,
    .event = put_ocel,
    .end = end_ocel,
    .free = free_ocel,
};
