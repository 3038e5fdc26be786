/* Who may append what, and in which form: what admission asks before it looks at the state. */
#include "tests/unit/admit_world.h"

/* -------------------------------------------------------------------------------------- who */

static void test_admit_kind_is_for_certain_roles(void **state)
{
    struct world *w = *state;
    struct dk_envelope envelope = on(FIXTURE_TICKET(1), FIXTURE_ROUTING);
    refused(w, note(w, DK_ROLE_ROUTING, envelope), DK_EACCES, "kind");
    ASSERT_CONTAINS(w->err.message, "role routing may not append 'note'");
    envelope.actor = FIXTURE_AGENT;
    refused(w, note(w, DK_ROLE_READER, envelope), DK_EACCES, "kind");
    refused(w, judge(w, DK_ROLE_AGENT, on_group("x"), DK_KIND_GROUP_DEFINED, fixture_group("x")),
            DK_EACCES, "kind");
    ASSERT_TRUE(dk_admit_role(DK_ROLE_AGENT) && dk_admit_role(DK_ROLE_NOTIFICATION));
    ASSERT_TRUE(!dk_admit_role(DK_ROLE_READER) && !dk_admit_role(DK_ROLE_ANALYTICS));
}

static void define_supplier(struct world *w, const char *key)
{
    Docket__SupplierDefined supplier = DOCKET__SUPPLIER_DEFINED__INIT;
    supplier.definition = test_definition(key);
    accepted(w, judge(w, DK_ROLE_OPERATOR, on(test_id(DK_SUBJECT_SUPPLIER, key), FIXTURE_OPERATOR),
                      DK_KIND_SUPPLIER_DEFINED, &supplier));
}

static void test_admit_actor_fits_the_key(void **state)
{
    struct world *w = *state;
    static const struct {
        unsigned role, cls;
        bool allowed;
    } rows[] = {
        {DK_ROLE_AGENT, DK_ACTOR_AGENT, true},      {DK_ROLE_AGENT, DK_ACTOR_CUSTOMER, true},
        {DK_ROLE_AGENT, DK_ACTOR_SUPPLIER, true},   {DK_ROLE_AGENT, DK_ACTOR_OPERATOR, false},
        {DK_ROLE_AGENT, DK_ACTOR_NODE, false},      {DK_ROLE_AGENT, DK_ACTOR_IMPORTER, false},
        {DK_ROLE_AGENT, DK_ACTOR_BROKER, false},    {DK_ROLE_AGENT, 0, false},
        {DK_ROLE_OPERATOR, DK_ACTOR_AGENT, true},   {DK_ROLE_OPERATOR, DK_ACTOR_CUSTOMER, true},
        {DK_ROLE_OPERATOR, DK_ACTOR_NODE, false},   {DK_ROLE_OPERATOR, DK_ACTOR_IMPORTER, false},
        {DK_ROLE_OPERATOR, DK_ACTOR_OPERATOR, true}};
    define_supplier(w, FIXTURE_AGENT_KEY);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int rc =
            attach(w, rows[i].role, on(FIXTURE_TICKET(1), acting(rows[i].cls, FIXTURE_AGENT_KEY)));
        if (rows[i].allowed) {
            accepted(w, rc);
        } else {
            refused(w, rc, DK_EACCES, "actor");
        }
    }
    w->peer.actor = FIXTURE_AGENT;
    accepted(w, note(w, DK_ROLE_AGENT, on(FIXTURE_TICKET(1), FIXTURE_AGENT)));
    refused(w, note(w, DK_ROLE_AGENT, on(FIXTURE_TICKET(1), dk_id_make(DK_ACTOR_AGENT, 99))),
            DK_EACCES, "actor");
    w->peer.actor = 0;
    /* A node is its role, and no other. */
    refused(w,
            judge(w, DK_ROLE_ROUTING, on(FIXTURE_TICKET(1), dk_id_make(DK_ACTOR_NODE, DK_ROLE_SLA)),
                  DK_KIND_ROUTED, fixture_routed(1, "desk")),
            DK_EACCES, "actor");
}

static void test_admit_occurred_is_stated_by_some_and_in_range(void **state)
{
    struct world *w = *state;
    struct dk_envelope envelope = on(FIXTURE_TICKET(1), FIXTURE_ROUTING);
    envelope.occurred_us = FIXTURE_NOW - 1;
    refused(w, judge(w, DK_ROLE_ROUTING, envelope, DK_KIND_ROUTED, fixture_routed(1, "desk")),
            DK_EACCES, "occurred_us");
    envelope = on(FIXTURE_TICKET(1), FIXTURE_CUSTOMER);
    envelope.occurred_us = FIXTURE_NOW + DK_FUTURE_MAX_US + 1;
    refused(w, attach(w, DK_ROLE_AGENT, envelope), DK_ETIME, "occurred_us");
    envelope.occurred_us = DK_TIME_MIN_US - 1;
    refused(w, attach(w, DK_ROLE_AGENT, envelope), DK_ETIME, "occurred_us");
    envelope.occurred_us = FIXTURE_NOW - DK_DAY_US;
    accepted(w, attach(w, DK_ROLE_AGENT, envelope));
    ASSERT_EQ(dk_event_load_flags(w->record.data), DOCKET__EVENT_FLAG__FLAG_BACKDATED);
    ASSERT_EQ(dk_event_load_occurred_us(w->record.data), FIXTURE_NOW - DK_DAY_US);
    envelope.occurred_us = FIXTURE_NOW + DK_FUTURE_MAX_US;
    accepted(w, attach(w, DK_ROLE_AGENT, envelope));
}

/* ------------------------------------------------------------------------------------- form */

static void test_admit_stamped_fields_are_left_0(void **state)
{
    struct world *w = *state;
#define STATED(member, value, name)                                                                \
    do {                                                                                           \
        struct dk_envelope stated = on(FIXTURE_TICKET(1), FIXTURE_AGENT);                          \
        stated.member = (value);                                                                   \
        refused(w, note(w, DK_ROLE_AGENT, stated), DK_EINVAL, name);                               \
    } while (0)
    STATED(crc32c, 1, "crc32c");
    STATED(position, 1, "position");
    STATED(recorded_us, 1, "recorded_us");
    STATED(subject_version, 1, "subject_version");
    STATED(previous, 1, "previous");
    STATED(group, 1, "group");
    STATED(flags, DOCKET__EVENT_FLAG__FLAG_IMPORTED, "flags");
    STATED(flags, DOCKET__EVENT_FLAG__FLAG_MORE, "flags");
#undef STATED
}

static void test_admit_bodies_are_unpacked_and_checked(void **state)
{
    struct world *w = *state;
    Docket__NoteAdded note_body = DOCKET__NOTE_ADDED__INIT;
    note_body.text = test_text("bad \xff bytes");
    struct dk_envelope envelope = on(FIXTURE_TICKET(1), FIXTURE_AGENT);
    refused(w, judge(w, DK_ROLE_AGENT, envelope, DK_KIND_NOTE_ADDED, &note_body), DK_EINVAL,
            "note_added.text");
    size_t bytes;
    accepted(w, note(w, DK_ROLE_AGENT, envelope));
    uint8_t *body = (uint8_t *)(uintptr_t)dk_event_body(w->record.data, w->record.size, &bytes);
    body[0] = 0xff; /* no tag */
    dk_event_store(w->record.data, &(struct dk_envelope){.format = 1,
                                                         .kind = DK_KIND_NOTE_ADDED,
                                                         .subject = envelope.subject,
                                                         .actor = envelope.actor});
    int rc = dk_admit_event(&w->state, &w->admission, w->record.data, w->record.size, 0, 0, false,
                            &w->err);
    ASSERT_CODE(rc, DK_EINVAL);

    /* A kind of a newer docket: the broker admits only what it knows. */
    uint8_t record[DK_ENVELOPE_BYTES + 3] = {0};
    envelope.format = 1;
    envelope.kind = 1000;
    dk_event_store(record, &envelope);
    memset(&w->err, 0, sizeof w->err);
    rc = dk_admit_event(&w->state, &w->admission, record, sizeof record, 0, 0, false, &w->err);
    refused(w, rc, DK_EVERSION, "kind");
}

static void test_admit_nodes_name_their_decision_and_people_do_not(void **state)
{
    struct world *w = *state;
    struct dk_envelope by_node = on(FIXTURE_TICKET(1), FIXTURE_ROUTING);
    struct dk_envelope by_agent = on(FIXTURE_TICKET(1), FIXTURE_AGENT);
    refused(w,
            judge(w, DK_ROLE_ROUTING, by_node, DK_KIND_ROUTED, fixture_routed(UINT64_MAX, "desk")),
            DK_EINVAL, "decision");
    refused(w, judge(w, DK_ROLE_AGENT, by_agent, DK_KIND_ROUTED, fixture_routed(1, "desk")),
            DK_EINVAL, "decision");
    refused(w, judge(w, DK_ROLE_ROUTING, by_node, DK_KIND_ROUTED, fixture_routed(4, "desk")),
            DK_EINVAL, "decision");
    ASSERT_CONTAINS(w->err.message, "beyond the log's end 3");
    accepted(w, judge(w, DK_ROLE_ROUTING, by_node, DK_KIND_ROUTED, fixture_routed(3, "desk")));
    ASSERT_EQ(dk_event_load_group(w->record.data), test_id(DK_SUBJECT_GROUP, "desk"));
}

/* The decision stands after the note's text: protobuf finds it, a reader of the front does not. */
static void test_admit_hidden_decision_is_refused(void **state)
{
    struct world *w = *state;
    uint8_t record[512];
    struct dk_envelope envelope = on(FIXTURE_TICKET(1), FIXTURE_AGENT);
    Docket__NoteAdded text = DOCKET__NOTE_ADDED__INIT;
    Docket__NoteAdded decided = DOCKET__NOTE_ADDED__INIT;
    Docket__Decision decision = DOCKET__DECISION__INIT;
    text.text = test_text("x");
    decided.decision = &decision;
    size_t first = docket__note_added__get_packed_size(&text);
    size_t second = docket__note_added__get_packed_size(&decided);
    envelope.format = 1;
    envelope.kind = DK_KIND_NOTE_ADDED;
    dk_event_store(record, &envelope);
    uint8_t *at = record + DK_ENVELOPE_BYTES;
    *at++ = (uint8_t)(DK_KIND_NOTE_ADDED << 3 | 0x82);
    *at++ = (DK_KIND_NOTE_ADDED << 3 | 2) >> 7;
    *at++ = (uint8_t)(first + second);
    docket__note_added__pack(&text, at);
    docket__note_added__pack(&decided, at + first);
    size_t bytes = (size_t)(at - record) + first + second;
    ASSERT_OK(dk_event_canonical(record, bytes, &w->err), &w->err);
    w->peer.role = DK_ROLE_AGENT;
    int rc = dk_admit_event(&w->state, &w->admission, record, bytes, 0, 0, false, &w->err);
    refused(w, rc, DK_EINVAL, "decision");
}

static void test_admit_importers_name_origins_and_others_do_not(void **state)
{
    struct world *w = *state;
    struct dk_envelope envelope = on(FIXTURE_TICKET(1), FIXTURE_AGENT);
    refused(w, judge(w, DK_ROLE_IMPORTER, envelope, DK_KIND_NOTE_ADDED, imported_note(false)),
            DK_EINVAL, "origin");
    refused(w, judge(w, DK_ROLE_AGENT, envelope, DK_KIND_NOTE_ADDED, imported_note(true)),
            DK_EINVAL, "origin");
    accepted(w, judge(w, DK_ROLE_IMPORTER, envelope, DK_KIND_NOTE_ADDED, imported_note(true)));
    ASSERT_EQ(dk_event_load_flags(w->record.data), DOCKET__EVENT_FLAG__FLAG_IMPORTED);
}

static void test_admit_historical_tickets_are_flagged(void **state)
{
    struct world *w = *state;
    Docket__Opened opened = DOCKET__OPENED__INIT;
    Docket__Origin origin = DOCKET__ORIGIN__INIT;
    origin.source = test_id(DK_SUBJECT_SOURCE, "old desk");
    opened.origin = &origin;
    struct dk_envelope envelope = on(FIXTURE_UNNAMED(0), dk_id_make(DK_ACTOR_IMPORTER, 1));
    envelope.occurred_us = FIXTURE_NOW - DK_DAY_US;
    accepted(w, judge(w, DK_ROLE_IMPORTER, envelope, DK_KIND_OPENED, &opened));
    ASSERT_EQ(dk_event_load_flags(w->record.data), DOCKET__EVENT_FLAG__FLAG_IMPORTED |
                                                       DOCKET__EVENT_FLAG__FLAG_BACKDATED |
                                                       DOCKET__EVENT_FLAG__FLAG_HISTORICAL);
    accepted(w, note(w, DK_ROLE_AGENT, on(FIXTURE_TICKET(2), FIXTURE_AGENT)));
    ASSERT_EQ(dk_event_load_flags(w->record.data), DOCKET__EVENT_FLAG__FLAG_HISTORICAL);
}

/* ---------------------------------------------------------------------------------- subject */

static void test_admit_tickets_are_of_this_site_and_named_by_the_broker(void **state)
{
    struct world *w = *state;
    refused(w, note(w, DK_ROLE_AGENT, on(FIXTURE_TICKET(2), FIXTURE_AGENT)), DK_ENOTFOUND,
            "subject");
    refused(w, note(w, DK_ROLE_AGENT, on(FIXTURE_TICKET(0), FIXTURE_AGENT)), DK_ENOTFOUND,
            "subject");
    refused(w, note(w, DK_ROLE_AGENT, on(dk_ticket_make(8, 1), FIXTURE_AGENT)), DK_ENOTFOUND,
            "subject");
    ASSERT_CONTAINS(w->err.message, "site 8");
    refused(w, note(w, DK_ROLE_AGENT, on(test_id(DK_SUBJECT_GROUP, "desk"), FIXTURE_AGENT)),
            DK_EINVAL, "subject");
    refused(w,
            judge(w, DK_ROLE_AGENT, on(FIXTURE_TICKET(2), FIXTURE_AGENT), DK_KIND_OPENED,
                  fixture_opened()),
            DK_EINVAL, "subject");
    w->admission.opened_count = 0;
    refused(w,
            judge(w, DK_ROLE_AGENT, on(FIXTURE_UNNAMED(1), FIXTURE_AGENT), DK_KIND_OPENED,
                  fixture_opened()),
            DK_EINVAL, "subject");
    refused(w, note(w, DK_ROLE_AGENT, on(FIXTURE_UNNAMED(0), FIXTURE_AGENT)), DK_ENOTFOUND,
            "subject");
    accepted(w, judge(w, DK_ROLE_AGENT, on(FIXTURE_UNNAMED(1), FIXTURE_AGENT), DK_KIND_OPENED,
                      fixture_opened()));
    ASSERT_EQ(dk_event_load_subject(w->record.data), FIXTURE_TICKET(2));
    ASSERT_EQ(dk_event_load_subject_version(w->record.data), 1);
    accepted(w, note(w, DK_ROLE_AGENT, on(FIXTURE_UNNAMED(1), FIXTURE_AGENT)));
    ASSERT_EQ(dk_event_load_subject(w->record.data), FIXTURE_TICKET(2));
    ASSERT_EQ(dk_event_load_subject_version(w->record.data), 2);
    ASSERT_EQ(dk_event_load_previous(w->record.data), 4);
    refused(w, note(w, DK_ROLE_AGENT, on(FIXTURE_UNNAMED(2), FIXTURE_AGENT)), DK_ENOTFOUND,
            "subject");
}

static void test_admit_definitions_are_named_by_their_key(void **state)
{
    struct world *w = *state;
    refused(
        w,
        judge(w, DK_ROLE_OPERATOR, on_group("other"), DK_KIND_GROUP_DEFINED, fixture_group("desk")),
        DK_EINVAL, "subject");
    accepted(w, judge(w, DK_ROLE_OPERATOR, on_group("desk"), DK_KIND_GROUP_DEFINED,
                      fixture_group("desk")));
    ASSERT_EQ(dk_event_load_subject_version(w->record.data), 2);
    ASSERT_EQ(dk_event_load_previous(w->record.data), 3);

    /* Customers are hashed with the log's salt. */
    Docket__CustomerDefined customer = DOCKET__CUSTOMER_DEFINED__INIT;
    customer.definition = test_definition("digest");
    refused(w,
            judge(w, DK_ROLE_AGENT, on(test_id(DK_SUBJECT_CUSTOMER, "digest"), FIXTURE_AGENT),
                  DK_KIND_CUSTOMER_DEFINED, &customer),
            DK_EINVAL, "subject");
    uint64_t salted = dk_id_of_key(DK_SUBJECT_CUSTOMER, "digest", 6, w->identity.salt);
    accepted(
        w, judge(w, DK_ROLE_AGENT, on(salted, FIXTURE_AGENT), DK_KIND_CUSTOMER_DEFINED, &customer));
}

/* Two keys with one id cannot be found; a definition under another key is put there by hand. */
static void test_admit_id_of_another_key_is_refused(void **state)
{
    struct world *w = *state;
    struct dk_envelope envelope = on_group("collides");
    envelope.position = 99;
    struct dk_buf forged;
    dk_buf_init(&forged, 4096);
    ASSERT_EQ(
        dk_event_encode(&forged, &envelope, DK_KIND_GROUP_DEFINED, fixture_group("first"), &w->err),
        0);
    dk_stamp_format(forged.data, 1);
    ASSERT_OK(dk_refs_apply(w->state.refs, forged.data, forged.size, &w->err), &w->err);
    dk_buf_close(&forged);
    refused(w,
            judge(w, DK_ROLE_OPERATOR, on_group("collides"), DK_KIND_GROUP_DEFINED,
                  fixture_group("collides")),
            DK_EEXISTS, "subject");
    ASSERT_CONTAINS(w->err.message, "'first'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_admit_kind_is_for_certain_roles),
        CASE(test_admit_actor_fits_the_key),
        CASE(test_admit_occurred_is_stated_by_some_and_in_range),
        CASE(test_admit_stamped_fields_are_left_0),
        CASE(test_admit_bodies_are_unpacked_and_checked),
        CASE(test_admit_nodes_name_their_decision_and_people_do_not),
        CASE(test_admit_hidden_decision_is_refused),
        CASE(test_admit_importers_name_origins_and_others_do_not),
        CASE(test_admit_historical_tickets_are_flagged),
        CASE(test_admit_tickets_are_of_this_site_and_named_by_the_broker),
        CASE(test_admit_definitions_are_named_by_their_key),
        CASE(test_admit_id_of_another_key_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
