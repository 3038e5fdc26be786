/* Objects of OCEL: what is one, of which types, with which attributes and relations. */
#include "proto/event/fields.h"
#include "replay/export/ocel.h"

static const unsigned classes[] = {DK_SUBJECT_TICKET,  DK_SUBJECT_CUSTOMER, DK_SUBJECT_AGENT,
                                   DK_SUBJECT_GROUP,   DK_SUBJECT_PRODUCT,  DK_SUBJECT_COMPANY,
                                   DK_SUBJECT_SUPPLIER};

/* Fields of Opened, Classified and StatusChanged that say what a ticket is from then on. */
static const char *const ticket_fields[] = {"reference", "channel",  "type",   "priority", "impact",
                                            "urgency",   "language", "status", "pending",  NULL};

bool dk_ocel_is_object(uint64_t subject)
{
    bool is = false;
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        is |= dk_id_class(subject) == classes[i];
    }
    return is;
}

bool dk_ocel_changes_ticket(uint32_t kind)
{
    return kind == DK_KIND_OPENED || kind == DK_KIND_CLASSIFIED || kind == DK_KIND_STATUS_CHANGED;
}

static void put_type(struct dk_ocel *ocel, unsigned class)
{
    dk_ocel_put(ocel, "\n{\"name\":\"");
    dk_ocel_put(ocel, dk_subject_class_word(class));
    dk_ocel_put(ocel, "\",\"attributes\":[");
    ocel->first = true;
    for (size_t i = 0; class == DK_SUBJECT_TICKET && ticket_fields[i] != NULL; i++) {
        bool number =
            strcmp(ticket_fields[i], "impact") == 0 || strcmp(ticket_fields[i], "urgency") == 0;
        dk_ocel_next(ocel);
        dk_ocel_put(ocel, "{\"name\":\"");
        dk_ocel_put(ocel, ticket_fields[i]);
        dk_ocel_put(ocel, number ? "\",\"type\":\"integer\"}" : "\",\"type\":\"string\"}");
    }
    dk_ocel_put(ocel,
                class == DK_SUBJECT_TICKET ? "]}" : "{\"name\":\"name\",\"type\":\"string\"}]}");
}

void dk_ocel_put_object_types(struct dk_ocel *ocel)
{
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        dk_ocel_put(ocel, i > 0 ? "," : "");
        put_type(ocel, classes[i]);
    }
}

/* What an event says of the ticket, from its instant on. */
static int put_change(struct dk_ocel *ocel, const struct dk_case_row *row)
{
    struct dk_slice record = row->value[0];
    uint32_t kind = dk_event_load_kind(record.data);
    int64_t at_us = (int64_t)dk_event_load_occurred_us(record.data);
    dk_arena_reset(ocel->with->arena);
    const ProtobufCMessage *body =
        dk_body_unpack(ocel->with->arena, record.data, record.size, ocel->with->err);
    int rc = body != NULL ? 0 : ocel->with->err->code;
    for (size_t i = 0; rc == 0 && ticket_fields[i] != NULL; i++) {
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(body->descriptor, ticket_fields[i]);
        rc = field != NULL ? dk_ocel_attribute(ocel, kind, body, field, at_us) : 0;
    }
    return rc;
}

static void put_label(struct dk_ocel *ocel, uint64_t subject)
{
    const char *name = dk_names_of(ocel->with->names, subject);
    dk_ocel_put(ocel, "{\"name\":\"name\",\"time\":\"1970-01-01T00:00:00Z\",\"value\":");
    dk_ocel_put_text(ocel, name, strlen(name));
    dk_ocel_put(ocel, "}");
}

/* Which object the definition names in which of its fields: to those that the export has. */
static void relate_definition(struct dk_ocel *ocel, uint64_t subject)
{
    static const char *const fields[] = {"company", "group", "parent", NULL};
    const struct dk_refs_version *last = dk_refs_last(ocel->with->names->refs, subject);
    for (size_t i = 0; last != NULL && fields[i] != NULL; i++) {
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(last->body->descriptor, fields[i]);
        if (field == NULL || field->type != PROTOBUF_C_TYPE_FIXED64) {
            continue;
        }
        struct dk_values values = dk_field_values(last->body, field);
        for (size_t k = 0; k < values.count; k++) {
            uint64_t id = *(const uint64_t *)(const void *)(values.at + k * values.stride);
            if (dk_ocel_is_object(id) && dk_ocel_knows(ocel, id)) {
                dk_ocel_relate(ocel, id, fields[i]);
            }
        }
    }
}

/* Whom and what a ticket was opened for: its last Opened, of which there is one. */
static int relate_opened(struct dk_ocel *ocel, const struct dk_case_row *first)
{
    while (first != NULL && (first->value[0].size == 0 ||
                             dk_event_load_kind(first->value[0].data) != DK_KIND_OPENED)) {
        first = first->next;
    }
    if (first == NULL) {
        return 0;
    }
    dk_arena_reset(ocel->with->arena);
    const Docket__Opened *opened = (const void *)dk_body_unpack(
        ocel->with->arena, first->value[0].data, first->value[0].size, ocel->with->err);
    if (opened == NULL) {
        return ocel->with->err->code;
    }
    const struct {
        uint64_t id;
        const char *qualifier;
    } related[] = {{opened->customer, "customer"},
                   {opened->company, "company"},
                   {opened->product, "product"},
                   {opened->repeat_of, "repeat_of"}};
    for (size_t i = 0; i < sizeof related / sizeof related[0]; i++) {
        if (dk_ocel_is_object(related[i].id)) {
            dk_ocel_relate(ocel, related[i].id, related[i].qualifier);
        }
    }
    return 0;
}

int dk_ocel_put_object(void *arg, uint64_t subject, const struct dk_case_row *first)
{
    struct dk_ocel *ocel = arg;
    bool ticket = dk_id_class(subject) == DK_SUBJECT_TICKET;
    char id[DK_ID_TEXT_BYTES];
    int rc = ocel->with->on_check(ocel->with->arg);
    dk_ocel_put(ocel, ocel->first_event ? "\n{\"id\":\"" : ",\n{\"id\":\"");
    ocel->first_event = false;
    dk_ocel_put(ocel, dk_id_format(subject, id));
    dk_ocel_put(ocel, "\",\"type\":\"");
    dk_ocel_put(ocel, dk_subject_class_word(dk_id_class(subject)));
    dk_ocel_put(ocel, "\",\"attributes\":[");
    ocel->first = true;
    for (const struct dk_case_row *row = first; rc == 0 && row != NULL; row = row->next) {
        rc = row->value[0].size > 0 ? put_change(ocel, row) : 0;
    }
    if (!ticket) {
        put_label(ocel, subject);
    }
    dk_ocel_put(ocel, "],\"relationships\":[");
    ocel->first = true;
    if (ticket) {
        rc = rc != 0 ? rc : relate_opened(ocel, first);
    } else {
        relate_definition(ocel, subject);
    }
    dk_ocel_put(ocel, "]}");
    return rc;
}
