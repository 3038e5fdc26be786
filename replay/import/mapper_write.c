#include "docket.pb-c.h"
#include "proto/base/limits.h"
#include "replay/history/person.h"
#include "replay/import/mapper_internal.h"
#include <stdio.h>
#include <string.h>

/* One row being written. */
struct writing {
    struct dk_mapper *mapper;
    const struct dk_case *one;
    const struct dk_reading *reading;
    struct dk_drafts *drafts;
    struct dk_err *err;
    Docket__Origin origin;
    Docket__Origin of_source; /* of definitions: which row meets an entity first may change */
    uint64_t importer;
    uint64_t actor; /* of the row's events; 0 until the first one asks */
    int rc;         /* the first error; nothing is written after it */
};

static ProtobufCBinaryData bytes_of(struct dk_slice text)
{
    return (ProtobufCBinaryData){text.size, (uint8_t *)(uintptr_t)text.data};
}

static struct dk_slice value_of(const struct writing *w, int slot)
{
    return dk_row_value(w->reading->row, slot);
}

/* A Text in the row's own words, or NULL when it says nothing. */
static Docket__Text *text_of(struct dk_slice words, Docket__Text *text)
{
    docket__text__init(text);
    text->has_plain = 1;
    text->plain = bytes_of(words);
    return words.size > 0 ? text : NULL;
}

static void write_event(struct writing *w, uint64_t subject, uint64_t actor, int64_t occurred_us,
                        uint32_t kind, const ProtobufCMessage *body)
{
    struct dk_envelope envelope = {.occurred_us = occurred_us, .subject = subject, .actor = actor};
    if (w->rc == 0) {
        w->rc = dk_drafts_add(w->drafts, w->reading->row, &envelope, kind, body, w->err);
    }
}

/* --------------------------------------------------------------------------- reference entities */

/* Defines the subject in front of the event that names it, unless it is known. `definition` is that
 * of the body, filled here. */
static void define(struct writing *w, uint64_t subject, struct dk_slice key, uint32_t kind,
                   const ProtobufCMessage *body, Docket__Definition *definition)
{
    bool is_new = false;
    DK_ASSERT(dk_map_put(&w->mapper->known, subject, &is_new) != NULL);
    if (is_new) {
        definition->key = bytes_of(key);
        definition->has_effective_us = 1;
        definition->effective_us = DK_TIME_MIN_US; /* nothing tells from when: since ever */
        definition->origin = &w->of_source;
        write_event(w, subject, w->importer, 0, kind, body);
    }
}

/* An entity that is known by its key alone; 0 where the row names none. */
static uint64_t meet(struct writing *w, unsigned subject_class, struct dk_slice key, uint32_t kind,
                     const ProtobufCMessage *body, Docket__Definition *definition)
{
    if (key.size == 0) {
        return 0;
    }
    uint64_t subject = dk_id_of_key(subject_class, (const char *)key.data, key.size, NULL);
    define(w, subject, key, kind, body, definition);
    return subject;
}

static uint64_t meet_agent(struct writing *w, struct dk_slice key)
{
    Docket__Definition definition = DOCKET__DEFINITION__INIT;
    Docket__AgentDefined body = DOCKET__AGENT_DEFINED__INIT;
    body.definition = &definition;
    return meet(w, DK_SUBJECT_AGENT, key, DK_KIND_AGENT_DEFINED, &body.base, &definition);
}

static uint64_t meet_group(struct writing *w, struct dk_slice key)
{
    Docket__Definition definition = DOCKET__DEFINITION__INIT;
    Docket__GroupDefined body = DOCKET__GROUP_DEFINED__INIT;
    body.definition = &definition;
    return meet(w, DK_SUBJECT_GROUP, key, DK_KIND_GROUP_DEFINED, &body.base, &definition);
}

static uint64_t meet_field(struct writing *w, const struct dk_attribute *attribute)
{
    Docket__Definition definition = DOCKET__DEFINITION__INIT;
    Docket__FieldDefined body = DOCKET__FIELD_DEFINED__INIT;
    body.definition = &definition;
    struct dk_slice key = dk_mapping_text(w->mapper->mapping->column[attribute->slot]);
    body.type = (Docket__FieldType)attribute->type;
    return meet(w, DK_SUBJECT_FIELD, key, DK_KIND_FIELD_DEFINED, &body.base, &definition);
}

/* A person: known by a salted digest; name or address stands in a Text. */
static uint64_t meet_customer(struct writing *w, struct dk_slice name)
{
    struct dk_person person;
    if (name.size == 0) {
        return 0;
    }
    dk_person_meet(&person, name.data, name.size, w->mapper->salt);
    define(w, person.subject, dk_mapping_text(person.key), DK_KIND_CUSTOMER_DEFINED,
           &person.body.base, &person.definition);
    return person.subject;
}

/* The catalogue's node that the row's levels name, each one below the one before: its key is their
 * path. */
static uint64_t meet_product(struct writing *w)
{
    const struct dk_mapping *mapping = w->mapper->mapping;
    char path[DK_KEY_MAX_BYTES + 1];
    size_t bytes = 0;
    uint64_t parent = 0;
    for (size_t i = 0; i < mapping->level_count; i++) {
        struct dk_slice level = value_of(w, mapping->level[i]);
        if (level.size == 0) {
            break;
        }
        bytes += (size_t)snprintf(path + bytes, sizeof path - bytes, "%s%.*s", i > 0 ? " / " : "",
                                  (int)level.size, (const char *)level.data);
        DK_ASSERT(bytes < sizeof path);
        Docket__Definition definition = DOCKET__DEFINITION__INIT;
        Docket__ProductDefined body = DOCKET__PRODUCT_DEFINED__INIT;
        definition.has_name = 1;
        definition.name = bytes_of(level);
        body.definition = &definition;
        body.has_parent = parent != 0;
        body.parent = parent;
        parent = meet(w, DK_SUBJECT_PRODUCT, (struct dk_slice){(const uint8_t *)path, bytes},
                      DK_KIND_PRODUCT_DEFINED, &body.base, &definition);
    }
    return parent;
}

static uint64_t as_actor(unsigned actor_class, uint64_t subject, uint64_t otherwise)
{
    return subject != 0 ? dk_id_make(actor_class, subject) : otherwise;
}

/* ------------------------------------------------------------------------------- ticket events */

/* What the source says itself: nobody does anything by it. */
static void write_kept(struct writing *w)
{
    struct dk_slice kept = value_of(w, dk_mapping_kept(w->mapper->mapping));
    if (kept.size == 0) {
        return;
    }
    dk_arena_reset(&w->mapper->arena);
    Docket__SourceRow *body =
        docket__source_row__unpack(&w->mapper->arena.allocator, kept.size, kept.data);
    DK_ASSERT(body != NULL); /* as the reader packed it */
    body->origin = &w->origin;
    write_event(w, 0, w->importer, w->reading->at_us, DK_KIND_SOURCE_ROW, &body->base);
}

/* Who acts in the row; the importer where it tells nobody. */
static uint64_t find_actor(struct writing *w)
{
    const struct dk_activity *activity = w->reading->activity;
    if (activity != NULL && activity->customer != DK_NO_SLOT) {
        uint64_t customer = meet_customer(w, value_of(w, activity->customer));
        return as_actor(DK_ACTOR_CUSTOMER, customer, w->importer);
    }
    int slot = activity != NULL && activity->agent != DK_NO_SLOT ? activity->agent
                                                                 : w->mapper->mapping->changed_by;
    return as_actor(DK_ACTOR_AGENT, meet_agent(w, value_of(w, slot)), w->importer);
}

static void write_ticket(struct writing *w, uint32_t kind, const ProtobufCMessage *body)
{
    if (w->actor == 0) {
        w->actor = find_actor(w);
    }
    write_event(w, 0, w->actor, w->reading->at_us, kind, body);
}

/* Sets what the row says of product and worded columns in an Opened or a Classified, whose fields
 * are called as the mapping's keys are. True when it says anything. */
static bool state_class(struct writing *w, ProtobufCMessage *body, uint64_t *product,
                        protobuf_c_boolean *has_product)
{
    bool stated = w->reading->product;
    *has_product = stated;
    *product = stated ? meet_product(w) : 0;
    for (int i = 0; i < DK_WORDED_STATUS; i++) {
        const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(
            body->descriptor, dk_worded_key((enum dk_worded)i));
        if (w->reading->worded[i] && field != NULL) {
            *(int *)((char *)body + field->offset) = w->reading->value[i];
            *(protobuf_c_boolean *)((char *)body + field->quantifier_offset) = 1;
            stated = true;
        }
    }
    return stated;
}

static void write_opened(struct writing *w)
{
    const struct dk_mapping *mapping = w->mapper->mapping;
    Docket__Origin origin = w->origin;
    Docket__Opened body = DOCKET__OPENED__INIT;
    origin.has_case_key = 1;
    origin.case_key = bytes_of(w->one->key);
    body.origin = &origin;
    body.has_reference = 1;
    body.reference = bytes_of(w->one->key);
    body.customer = w->mapper->customer;
    body.has_customer = body.customer != 0;
    (void)state_class(w, &body.base, &body.product, &body.has_product);
    body.has_status = 1;
    body.status = DOCKET__STATUS__STATUS_NEW;

    const struct dk_activity *activity = w->reading->activity;
    bool by_customer = activity != NULL && activity->customer != DK_NO_SLOT;
    uint64_t agent = meet_agent(w, value_of(w, mapping->opened_by));
    uint64_t actor = as_actor(DK_ACTOR_AGENT, agent, by_customer ? find_actor(w) : w->importer);
    write_event(w, 0, actor, w->reading->opened_us, DK_KIND_OPENED, &body.base);
}

static void write_classified(struct writing *w)
{
    Docket__Classified body = DOCKET__CLASSIFIED__INIT;
    body.origin = &w->origin;
    if (state_class(w, &body.base, &body.product, &body.has_product)) {
        write_ticket(w, DK_KIND_CLASSIFIED, &body.base);
    }
}

static void write_requester(struct writing *w)
{
    Docket__RequesterChanged body = DOCKET__REQUESTER_CHANGED__INIT;
    body.origin = &w->origin;
    body.customer = w->mapper->customer;
    write_ticket(w, DK_KIND_REQUESTER_CHANGED, &body.base);
}

static void write_routed(struct writing *w, struct dk_slice group)
{
    Docket__Routed body = DOCKET__ROUTED__INIT;
    body.origin = &w->origin;
    body.group = meet_group(w, group);
    write_ticket(w, DK_KIND_ROUTED, &body.base);
}

static void write_assigned(struct writing *w, struct dk_slice agent)
{
    Docket__Assigned body = DOCKET__ASSIGNED__INIT;
    body.origin = &w->origin;
    body.agent = meet_agent(w, agent);
    write_ticket(w, DK_KIND_ASSIGNED, &body.base);
}

static void write_status(struct writing *w)
{
    const struct dk_reading *reading = w->reading;
    const struct dk_final *final = dk_mapper_final(w->mapper->mapping, reading->status_value);
    Docket__StatusChanged body = DOCKET__STATUS_CHANGED__INIT;
    Docket__Text code;
    body.origin = &w->origin;
    body.status = (Docket__Status)reading->status_value;
    body.has_pending = reading->pending != DOCKET__PENDING__PENDING_NONE;
    body.pending = (Docket__Pending)reading->pending;
    if (final != NULL) {
        body.has_final_us = final->at != DK_NO_SLOT;
        body.final_us = reading->final_us;
        body.by = meet_agent(w, value_of(w, final->by));
        body.has_by = body.by != 0;
        body.code = text_of(value_of(w, final->code), &code);
    }
    write_ticket(w, DK_KIND_STATUS_CHANGED, &body.base);
    w->mapper->status = reading->status_value;
    w->mapper->pending = reading->pending;
}

static void write_field(struct writing *w, size_t i)
{
    const struct dk_attribute *attribute = &w->mapper->mapping->attribute[i];
    struct dk_slice value = value_of(w, attribute->slot);
    const char *name = w->mapper->mapping->column[attribute->slot];
    Docket__FieldSet body = DOCKET__FIELD_SET__INIT;
    Docket__Text text;
    bool given = value.size > 0;
    body.origin = &w->origin;
    body.field = meet_field(w, attribute);
    body.has_name = 1;
    body.name = bytes_of((struct dk_slice){(const uint8_t *)name, strlen(name)});
    switch (attribute->type) {
    case DOCKET__FIELD_TYPE__FIELD_NUMBER:
        body.has_number = given;
        body.number = w->reading->number[i];
        break;
    case DOCKET__FIELD_TYPE__FIELD_DATE:
        body.has_date_us = given;
        body.date_us = w->reading->date_us[i];
        break;
    case DOCKET__FIELD_TYPE__FIELD_CHOICE:
        body.has_choice = given;
        body.choice = bytes_of(value);
        break;
    default: body.text = text_of(value, &text);
    }
    write_ticket(w, DK_KIND_FIELD_SET, &body.base);
}

/* ----------------------------------------------------------------------------------- activities */

static void write_message(struct writing *w, const struct dk_activity *activity)
{
    Docket__MessagePublic body = DOCKET__MESSAGE_PUBLIC__INIT;
    Docket__Text text;
    body.origin = &w->origin;
    body.direction = activity->act == DK_ACT_INBOUND ? DOCKET__DIRECTION__DIRECTION_INBOUND
                                                     : DOCKET__DIRECTION__DIRECTION_OUTBOUND;
    body.text = text_of(value_of(w, activity->text), &text);
    body.message_id = bytes_of(value_of(w, activity->id));
    body.has_message_id = body.message_id.len > 0;
    body.has_automatic = activity->act == DK_ACT_AUTOMATIC;
    body.automatic = body.has_automatic;
    write_ticket(w, DK_KIND_MESSAGE_PUBLIC, &body.base);
}

static void write_note(struct writing *w, const struct dk_activity *activity)
{
    Docket__NoteAdded body = DOCKET__NOTE_ADDED__INIT;
    Docket__Text text;
    body.origin = &w->origin;
    body.text = text_of(value_of(w, activity->text), &text);
    write_ticket(w, DK_KIND_NOTE_ADDED, &body.base);
}

static void write_act(struct writing *w, const struct dk_activity *activity)
{
    switch (activity->act) {
    case DK_ACT_ASSIGNED: write_assigned(w, value_of(w, activity->to)); break;
    case DK_ACT_ROUTED: write_routed(w, value_of(w, activity->to)); break;
    case DK_ACT_NOTE: write_note(w, activity); break;
    case DK_ACT_INBOUND:
    case DK_ACT_OUTBOUND:
    case DK_ACT_AUTOMATIC: write_message(w, activity); break;
    case DK_ACT_NOTHING:
    case DK_ACT_STATUS: break;
    }
}

/* -------------------------------------------------------------------------------------- a row */

/* The column with who asks, in a row that tells it: the mapping's, or, while nobody is known, that
 * of who writes to us. */
static int requester_slot(const struct writing *w)
{
    const struct dk_activity *activity = w->reading->activity;
    if (w->reading->customer) {
        return w->mapper->mapping->customer;
    }
    bool asks = activity != NULL && activity->act == DK_ACT_INBOUND && w->mapper->customer == 0;
    return asks ? activity->customer : DK_NO_SLOT;
}

/* True when the row names somebody else than before, or the first one, as who asks. */
static bool move_requester(struct writing *w)
{
    struct dk_slice requester = value_of(w, requester_slot(w));
    if (requester.size == 0) {
        return false;
    }
    w->mapper->requester = requester;
    w->mapper->customer = meet_customer(w, requester);
    return true;
}

static void write_row(struct writing *w)
{
    const struct dk_reading *reading = w->reading;
    const struct dk_mapping *mapping = w->mapper->mapping;
    bool first = !w->mapper->opened;
    bool requester = move_requester(w);
    if (first) {
        write_opened(w);
    }
    write_kept(w);
    if (!first) {
        if (requester) {
            write_requester(w);
        }
        write_classified(w);
    }
    if (reading->group || (first && mapping->group != DK_NO_SLOT)) {
        write_routed(w, value_of(w, mapping->group));
    }
    if (reading->assignee) {
        write_assigned(w, value_of(w, mapping->assignee));
    }
    if (reading->activity != NULL) {
        write_act(w, reading->activity);
    }
    if (reading->status) {
        write_status(w);
    }
    for (size_t i = 0; i < mapping->attribute_count; i++) {
        if ((reading->attributes >> i & 1) != 0) {
            write_field(w, i);
        }
    }
}

/* The columns' values are what the next row is compared with. Groups, assignees and attributes that
 * are not known any more are a change; of all others the last known value stays. */
static void move_on(struct dk_mapper *mapper, const struct dk_reading *reading)
{
    const struct dk_mapping *mapping = mapper->mapping;
    for (size_t i = 0; i < mapping->column_count; i++) {
        struct dk_slice value = reading->row->value[i];
        if (value.size > 0 || (int)i == mapping->group || (int)i == mapping->assignee) {
            mapper->current[i] = value;
        }
    }
    for (size_t i = 0; i < mapping->attribute_count; i++) {
        int slot = mapping->attribute[i].slot;
        mapper->current[slot] = reading->row->value[slot];
    }
    for (size_t i = 0; reading->product && i < mapping->level_count; i++) {
        mapper->current[mapping->level[i]] = reading->row->value[mapping->level[i]];
    }
    mapper->opened = true;
}

int dk_mapper_write(struct dk_mapper *mapper, const struct dk_case *one,
                    const struct dk_reading *reading, struct dk_drafts *drafts, struct dk_err *err)
{
    struct writing w = {
        .mapper = mapper,
        .one = one,
        .reading = reading,
        .drafts = drafts,
        .err = err,
        .importer = dk_id_make(DK_ACTOR_IMPORTER, mapper->mapping->source_id),
    };
    docket__origin__init(&w.of_source);
    w.of_source.source = mapper->mapping->source_id;
    w.origin = w.of_source;
    w.origin.ordinal = reading->row->ordinal;
    w.origin.digest = reading->row->digest;
    write_row(&w);
    if (w.rc == 0) {
        move_on(mapper, reading);
    }
    return w.rc;
}
