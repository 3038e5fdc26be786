#include "proto/event/body.h"

#include "tests/lib/bodies.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* An encoder and an arena, as a program that handles events has them. */
struct fixture {
    struct dk_arena made; /* bodies that tests make */
    struct dk_arena read; /* what comes out of an unpack */
    struct dk_buf buf;
    struct test_random random;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    assert_int_equal(dk_arena_init(&fixture->made, DK_UNPACK_MAX_BYTES), 0);
    assert_int_equal(dk_arena_init(&fixture->read, DK_UNPACK_MAX_BYTES), 0);
    dk_buf_init(&fixture->buf, DK_RECORD_MAX_BYTES);
    fixture->random.state = 7;
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    dk_arena_close(&fixture->made);
    dk_arena_close(&fixture->read);
    dk_buf_close(&fixture->buf);
    free(fixture);
    return 0;
}

static void begin(struct fixture *fixture)
{
    dk_arena_reset(&fixture->made);
    dk_arena_reset(&fixture->read);
    dk_buf_clear(&fixture->buf);
}

static void encode(struct fixture *fixture, uint32_t kind, const ProtobufCMessage *body)
{
    struct dk_envelope envelope = {.subject = dk_ticket_make(7, 1042)};
    dk_buf_clear(&fixture->buf);
    assert_int_equal(dk_event_encode(&fixture->buf, &envelope, kind, body, NULL), 0);
    assert_int_equal(dk_event_canonical(fixture->buf.data, fixture->buf.size, NULL), 0);
    assert_int_equal(envelope.kind, kind);
}

static const ProtobufCMessage *unpack(struct fixture *fixture, struct dk_err *err)
{
    return dk_body_unpack(&fixture->read, fixture->buf.data, fixture->buf.size, err);
}

static void check_round_trip(uint32_t kind, void *arg)
{
    struct fixture *fixture = arg;
    for (int round = 0; round < 50; round++) {
        struct dk_err err = {0};
        size_t body_bytes;
        begin(fixture);
        encode(fixture, kind, test_body(&fixture->made, kind, &fixture->random, round == 0));
        const ProtobufCMessage *body = unpack(fixture, &err);
        if (body == NULL || dk_body_check(body, kind, &err) != 0)
            fail_msg("%s: %s", dk_kind_info(kind)->word, err.message);
        const uint8_t *bytes = dk_event_body(fixture->buf.data, fixture->buf.size, &body_bytes);
        uint8_t *again = dk_arena_alloc(&fixture->made, body_bytes + 1);
        assert_int_equal(protobuf_c_message_get_packed_size(body), body_bytes);
        protobuf_c_message_pack(body, again);
        assert_memory_equal(again, bytes, body_bytes);
    }
}

static void test_body_of_every_kind_comes_back_and_passes(void **state)
{
    test_each_kind(check_round_trip, *state);
}

/* What dk_event_decision and dk_event_origin rely on. */
static void check_front(uint32_t kind, void *arg)
{
    (void)arg;
    const ProtobufCFieldDescriptor *fields = dk_body_descriptor(kind)->fields;
    if (kind > DK_KIND_TICKET_LAST)
        return;
    assert_ptr_equal(fields[0].descriptor, &docket__decision__descriptor);
    assert_ptr_equal(fields[1].descriptor, &docket__origin__descriptor);
    assert_int_equal(fields[0].id, 1);
    assert_int_equal(fields[1].id, 2);
    assert_int_equal(fields[0].offset, sizeof(ProtobufCMessage));
    assert_int_equal(fields[1].offset, sizeof(ProtobufCMessage) + sizeof(void *));
}

static void test_body_of_every_ticket_kind_begins_with_decision_and_origin(void **state)
{
    test_each_kind(check_front, *state);
}

/* A place in a body: the path of field names that a refusal must name, and the body itself. */
struct place {
    const ProtobufCMessage *body;
    uint32_t kind;
    char path[128];
};

static void expect_refusal(const struct place *place, int code)
{
    struct dk_err err = {0};
    int got = dk_body_check(place->body, place->kind, &err);
    if (got != code || strcmp(err.field, place->path) != 0)
        fail_msg("%s: %s of '%s' instead of %s", place->path, dk_code_name(got), err.field,
                 dk_code_name(code));
    assert_int_equal(dk_body_check(place->body, place->kind, NULL), code);
}

static void expect_refused_bytes(const struct place *place, ProtobufCBinaryData *value,
                                 const char *name)
{
    static uint8_t bytes[DK_TEXT_MAX_BYTES + 1] = {0xc0}; /* no UTF-8 begins so */
    const ProtobufCBinaryData kept = *value;
    *value = (ProtobufCBinaryData){33, bytes};
    if (test_size_of_field(name) != 0) {
        expect_refusal(place, DK_EINVAL);
    } else if (strcmp(name, "state") != 0) {
        expect_refusal(place, DK_EINVAL);
        value->len = sizeof bytes;
        expect_refusal(place, DK_ETOOBIG);
    }
    *value = kept;
}

/* Spoils one value in each way that its type and name allow, and puts it back. */
static void expect_refused_value(const struct place *place, const ProtobufCFieldDescriptor *field,
                                 uint8_t *at)
{
    uint64_t kept;
    memcpy(&kept, at, test_value_bytes(field) < sizeof kept ? 4 : sizeof kept);
    switch (field->type) {
    case PROTOBUF_C_TYPE_FIXED64:
        *(uint64_t *)at = dk_id_make(255, 1);
        if (test_class_of_field(field->name) != 0)
            expect_refusal(place, DK_EINVAL);
        *(uint64_t *)at = 0;
        assert_int_equal(dk_body_check(place->body, place->kind, NULL), 0);
        *(uint64_t *)at = kept;
        break;
    case PROTOBUF_C_TYPE_SFIXED64:
        *(int64_t *)at = DK_TIME_MAX_US + 1;
        expect_refusal(place, DK_ETIME);
        *(int64_t *)at = DK_TIME_MIN_US - 1;
        expect_refusal(place, DK_ETIME);
        *(uint64_t *)at = kept;
        break;
    case PROTOBUF_C_TYPE_UINT64:
        *(uint64_t *)at = UINT64_MAX;
        if (strstr(field->name, "_us") != NULL)
            expect_refusal(place, DK_ETIME);
        *(uint64_t *)at = kept;
        break;
    case PROTOBUF_C_TYPE_SINT32:
        *(int32_t *)at = INT32_MAX;
        expect_refusal(place, DK_ETIME);
        memcpy(at, &kept, 4);
        break;
    case PROTOBUF_C_TYPE_ENUM:
        *(int *)at = 99;
        expect_refusal(place, DK_EINVAL);
        memcpy(at, &kept, 4);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        *(double *)at = INFINITY;
        expect_refusal(place, DK_EINVAL);
        memcpy(at, &kept, sizeof kept);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        expect_refused_bytes(place, (ProtobufCBinaryData *)at, field->name);
        break;
    default: break;
    }
}

static void expect_refused_text(const struct place *place, Docket__Text *text)
{
    expect_refused_bytes(place, &text->plain, "plain");
    text->has_plain = 0;
    expect_refusal(place, DK_EINVAL);
    text->has_plain = 1;
}

/* Every value of a message whose fields are all set, and of the messages in it. */
static void expect_refused_fields(const struct place *place, const ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        uint8_t *at = (uint8_t *)message + field->offset;
        struct place inner = *place;
        if (field->label == PROTOBUF_C_LABEL_REPEATED) /* the second of two */
            at = *(uint8_t **)at + test_value_bytes(field);
        if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->type != PROTOBUF_C_TYPE_MESSAGE &&
            !*(const protobuf_c_boolean *)((const uint8_t *)message + field->quantifier_offset))
            continue;
        int path = snprintf(inner.path, sizeof inner.path, "%s.%s", place->path, field->name);
        assert_in_range(path, 1, sizeof inner.path - 1);
        if (field->type != PROTOBUF_C_TYPE_MESSAGE)
            expect_refused_value(&inner, field, at);
        else if (*(ProtobufCMessage **)at == NULL)
            continue;
        else if (field->descriptor == &docket__text__descriptor)
            expect_refused_text(&inner, *(Docket__Text **)at);
        else
            expect_refused_fields(&inner, *(ProtobufCMessage **)at);
    }
}

static void check_refusals(uint32_t kind, void *arg)
{
    struct fixture *fixture = arg;
    struct place place = {.kind = kind};
    begin(fixture);
    place.body = test_body(&fixture->made, kind, &fixture->random, true);
    snprintf(place.path, sizeof place.path, "%s", dk_kind_info(kind)->field);
    assert_int_equal(dk_body_check(place.body, kind, NULL), 0);
    expect_refused_fields(&place, place.body);
    assert_int_equal(dk_body_check(place.body, kind, NULL), 0);
}

static void test_body_check_refuses_every_field_by_name(void **state)
{
    test_each_kind(check_refusals, *state);
}

static void test_body_check_asks_for_what_a_field_means(void **state)
{
    (void)state;
    struct dk_err err = {0};
    Docket__Assigned assigned = DOCKET__ASSIGNED__INIT;
    assigned.agent = dk_id_make(DK_SUBJECT_GROUP, 5);
    assert_int_equal(dk_body_check(&assigned.base, DK_KIND_ASSIGNED, &err), DK_EINVAL);
    assert_string_equal(err.field, "assigned.agent");
    assigned.agent = 0;
    assert_int_equal(dk_body_check(&assigned.base, DK_KIND_ASSIGNED, &err), 0);

    Docket__MessagePublic message = DOCKET__MESSAGE_PUBLIC__INIT;
    assert_int_equal(dk_body_check(&message.base, DK_KIND_MESSAGE_PUBLIC, &err), DK_EINVAL);
    assert_string_equal(err.field, "message_public.direction");

    Docket__Opened opened = DOCKET__OPENED__INIT;
    opened.has_priority = 1; /* none, but not required */
    opened.has_reference = 1;
    opened.subject = &(Docket__Text)DOCKET__TEXT__INIT;
    opened.subject->has_plain = 1;
    opened.subject->plain = (ProtobufCBinaryData){1, (uint8_t *)"x"};
    assert_int_equal(dk_body_check(&opened.base, DK_KIND_OPENED, &err), DK_EINVAL);
    assert_string_equal(err.field, "opened.reference");

    Docket__FieldSet set = DOCKET__FIELD_SET__INIT;
    assert_int_equal(dk_body_check(&set.base, DK_KIND_FIELD_SET, &err), 0);
    set.has_number = set.has_date_us = 1;
    assert_int_equal(dk_body_check(&set.base, DK_KIND_FIELD_SET, &err), DK_EINVAL);
    assert_string_equal(err.field, "field_set");
}

static void expect_written(struct fixture *fixture, uint32_t kind, const char *field)
{
    Docket__Origin origin = DOCKET__ORIGIN__INIT;
    Docket__Text text = DOCKET__TEXT__INIT;
    Docket__Sealed sealed = DOCKET__SEALED__INIT;
    struct dk_err err = {0};
    begin(fixture);
    const ProtobufCMessage *body = test_body(&fixture->made, kind, &fixture->random, true);
    Docket__Adopted *front = (Docket__Adopted *)body; /* with which every body begins */
    Docket__Text **written = test_written(body, kind);
    for (int imported = 0; imported < 2; imported++) {
        const char *const nothing[] = {NULL, "", " \t\n"};
        front->origin = imported ? &origin : NULL;
        for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
            text.has_plain = 1;
            text.plain.len = nothing[i] != NULL ? strlen(nothing[i]) : 0;
            text.plain.data = (uint8_t *)nothing[i];
            *written = nothing[i] != NULL ? &text : NULL;
            assert_int_equal(dk_body_check(body, kind, &err), imported ? 0 : DK_EINVAL);
            assert_string_equal(err.field, imported ? "" : field);
            err = (struct dk_err){0};
        }
    }
    front->origin = NULL;
    text = (Docket__Text){.base = text.base, .sealed = &sealed};
    *written = &text;
    assert_int_equal(dk_body_check(body, kind, &err), 0);
}

static void test_body_check_wants_people_to_say_something(void **state)
{
    expect_written(*state, DK_KIND_OPENED, "opened.subject");
    expect_written(*state, DK_KIND_MESSAGE_PUBLIC, "message_public.text");
    expect_written(*state, DK_KIND_NOTE_ADDED, "note_added.text");
}

/* Of a kind whose fields may all be left out a person says something, too; a source need not. */
static void expect_said(ProtobufCMessage *body, uint32_t kind, const char *field)
{
    Docket__Origin origin = DOCKET__ORIGIN__INIT;
    Docket__Adopted *front = (Docket__Adopted *)body;
    struct dk_err err = {0};
    assert_int_equal(dk_body_check(body, kind, &err), DK_EINVAL);
    assert_string_equal(err.field, field);
    front->origin = &origin;
    assert_int_equal(dk_body_check(body, kind, &err), 0);
    front->origin = NULL;
}

static void test_body_check_wants_people_to_change_something(void **state)
{
    Docket__Classified classified = DOCKET__CLASSIFIED__INIT;
    Docket__FollowersChanged followers = DOCKET__FOLLOWERS_CHANGED__INIT;
    Docket__TimeLogged logged = DOCKET__TIME_LOGGED__INIT;
    ProtobufCBinaryData tag = {3, (uint8_t *)"vip"};
    uint64_t anna = dk_id_make(DK_SUBJECT_AGENT, 1);
    (void)state;
    expect_said(&classified.base, DK_KIND_CLASSIFIED, "classified");
    expect_said(&followers.base, DK_KIND_FOLLOWERS_CHANGED, "followers_changed");
    expect_said(&logged.base, DK_KIND_TIME_LOGGED, "time_logged.seconds");
    classified.n_tag_removed = 1;
    classified.tag_removed = &tag;
    assert_int_equal(dk_body_check(&classified.base, DK_KIND_CLASSIFIED, NULL), 0);
    classified.n_tag_removed = 0;
    classified.has_product = 1; /* none: it is about no product any more */
    assert_int_equal(dk_body_check(&classified.base, DK_KIND_CLASSIFIED, NULL), 0);
    followers.n_removed = 1;
    followers.removed = &anna;
    assert_int_equal(dk_body_check(&followers.base, DK_KIND_FOLLOWERS_CHANGED, NULL), 0);
    logged.seconds = 1;
    assert_int_equal(dk_body_check(&logged.base, DK_KIND_TIME_LOGGED, NULL), 0);
}

static void test_body_check_knows_a_language_by_its_form(void **state)
{
    static const struct {
        const char *text;
        bool is_tag;
    } rows[] = {
        {"de", true},          {"gsw", true},           {"pt-BR", true},      {"zh-Hant-TW", true},
        {"sl-rozaj", true},    {"de-1996", true},       {"es-419", true},     {"x", false},
        {"", false},           {"de_DE", false},        {"german", false},    {"de-", false},
        {"-de", false},        {"de--AT", false},       {"d3", false},        {"de-AT ", false},
        {"de-abcdefgh", true}, {"de-abcdefghi", false}, {"d\xc3\xa9", false}, {"any text", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (dk_language_is_tag(rows[i].text, strlen(rows[i].text)) != rows[i].is_tag)
            fail_msg("'%s'", rows[i].text);
    }
    struct dk_err err = {0};
    Docket__Classified classified = DOCKET__CLASSIFIED__INIT;
    classified.has_language = 1;
    classified.language = (ProtobufCBinaryData){7, (uint8_t *)"English"};
    assert_int_equal(dk_body_check(&classified.base, DK_KIND_CLASSIFIED, &err), DK_EINVAL);
    assert_string_equal(err.field, "classified.language");
}

static void test_body_check_asks_for_one_of_plain_and_sealed(void **state)
{
    (void)state;
    struct dk_err err = {0};
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;
    Docket__Text text = DOCKET__TEXT__INIT;
    Docket__Sealed sealed = DOCKET__SEALED__INIT;
    note.text = &text;
    assert_int_equal(dk_body_check(&note.base, DK_KIND_NOTE_ADDED, &err), DK_EINVAL);
    text.sealed = &sealed;
    assert_int_equal(dk_body_check(&note.base, DK_KIND_NOTE_ADDED, &err), 0);
    text.has_plain = 1;
    assert_int_equal(dk_body_check(&note.base, DK_KIND_NOTE_ADDED, &err), DK_EINVAL);
    assert_string_equal(err.field, "note_added.text");
}

/* Puts a body of these bytes into the fixture's record, which stays canonical. */
static void encode_raw(struct fixture *fixture, uint32_t kind, const void *bytes, size_t count)
{
    struct dk_envelope envelope = {.format = DK_EVENT_FORMAT, .kind = kind};
    uint8_t head[3] = {(uint8_t)(kind << 3 | 0x82), (uint8_t)(kind >> 4), (uint8_t)count};
    assert_true(count < 128);
    begin(fixture);
    dk_event_store(dk_buf_extend(&fixture->buf, DK_ENVELOPE_BYTES), &envelope);
    dk_buf_append(&fixture->buf, head, sizeof head);
    dk_buf_append(&fixture->buf, bytes, count);
    assert_int_equal(dk_event_canonical(fixture->buf.data, fixture->buf.size, NULL), 0);
}

static void test_body_check_refuses_fields_of_tomorrow(void **state)
{
    struct fixture *fixture = *state;
    struct dk_err err = {0};
    encode_raw(fixture, DK_KIND_NOTE_ADDED, "\xf0\x06\x01", 3); /* field 110 */
    const ProtobufCMessage *note = unpack(fixture, NULL);
    assert_non_null(note);
    assert_int_equal(dk_body_check(note, DK_KIND_NOTE_ADDED, &err), DK_EVERSION);
    assert_string_equal(err.field, "note_added");
    encode_raw(fixture, DK_KIND_NOTE_ADDED, "\x1a\x06\x0a\x01x\xf0\x06\x01", 8); /* in its text */
    note = unpack(fixture, NULL);
    assert_non_null(note);
    assert_int_equal(dk_body_check(note, DK_KIND_NOTE_ADDED, &err), DK_EVERSION);
}

static void test_body_unpack_says_why_not(void **state)
{
    struct fixture *fixture = *state;
    struct dk_err err = {0};
    encode_raw(fixture, 1000, "", 0);
    assert_null(unpack(fixture, &err));
    assert_int_equal(err.code, DK_EVERSION);
    encode_raw(fixture, DK_KIND_ASSIGNED, "", 0); /* lacks its agent */
    assert_null(unpack(fixture, &err));
    assert_int_equal(err.code, DK_EINVAL);
    encode_raw(fixture, DK_KIND_NOTE_ADDED, "\x1a\x09no", 4); /* a text longer than the body */
    assert_null(unpack(fixture, &err));
    assert_int_equal(err.code, DK_EINVAL);
}

/* 100 KB of empty candidates would take megabytes: the arena says no, whatever its size. */
static void test_body_unpack_stays_within_its_arena(void **state)
{
    struct fixture *fixture = *state;
    struct dk_arena small;
    struct dk_err err = {0};
    Docket__Opened opened = DOCKET__OPENED__INIT;
    static ProtobufCBinaryData tags[50000];
    opened.n_tag = 50000;
    opened.tag = tags;
    begin(fixture);
    encode(fixture, DK_KIND_OPENED, &opened.base);
    for (size_t bytes = 64; bytes < DK_UNPACK_MAX_BYTES / 2; bytes *= 2) {
        assert_int_equal(dk_arena_init(&small, bytes), 0);
        assert_null(dk_body_unpack(&small, fixture->buf.data, fixture->buf.size, &err));
        assert_int_equal(err.code, DK_ENOMEM);
        dk_arena_close(&small);
    }
}

/* Regression: protobuf-c takes a field that stands twice or out of order; a reader of the first
 * bytes would then see another decision than one who unpacks. */
static void test_body_unpack_refuses_a_decision_that_readers_see_differently(void **state)
{
    struct fixture *fixture = *state;
    struct dk_err err = {0};
    uint8_t body[64];
    Docket__Decision decision = DOCKET__DECISION__INIT;
    Docket__Origin origin = DOCKET__ORIGIN__INIT;
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;

    decision.basis = 1;
    note.decision = &decision;
    size_t once = docket__note_added__pack(&note, body);
    encode_raw(fixture, DK_KIND_NOTE_ADDED, body, once);
    assert_non_null(unpack(fixture, &err));

    decision.basis = 2;
    docket__note_added__pack(&note, body + once);
    encode_raw(fixture, DK_KIND_NOTE_ADDED, body, 2 * once);
    assert_null(unpack(fixture, &err));
    assert_int_equal(err.code, DK_EINVAL);
    assert_string_equal(err.field, "decision");

    note = (Docket__NoteAdded)DOCKET__NOTE_ADDED__INIT;
    note.origin = &origin;
    size_t size = docket__note_added__pack(&note, body);
    note.origin = NULL;
    note.decision = &decision;
    size += docket__note_added__pack(&note, body + size);
    encode_raw(fixture, DK_KIND_NOTE_ADDED, body, size);
    assert_null(unpack(fixture, &err));
    assert_string_equal(err.field, "decision");
}

static void test_body_encode_refuses_what_is_too_large(void **state)
{
    struct fixture *fixture = *state;
    struct dk_envelope envelope = {0};
    static uint8_t bytes[DK_RECORD_MAX_BYTES];
    Docket__TransferredOut out = DOCKET__TRANSFERRED_OUT__INIT;
    begin(fixture);
    out.state = (ProtobufCBinaryData){sizeof bytes, bytes};
    struct dk_err err = {0};
    assert_int_equal(
        dk_event_encode(&fixture->buf, &envelope, DK_KIND_TRANSFERRED_OUT, &out.base, &err),
        DK_ETOOBIG);
    assert_int_equal(err.code, DK_ETOOBIG);
    assert_int_equal(fixture->buf.size, 0);
}

static void test_body_text_is_plain_or_sealed(void **state)
{
    struct fixture *fixture = *state;
    Docket__Text text = DOCKET__TEXT__INIT;
    Docket__Sealed sealed = DOCKET__SEALED__INIT;
    size_t bytes = 1;
    assert_string_equal(dk_text_plain(NULL, &bytes), "");
    assert_int_equal(bytes, 0);
    assert_string_equal(dk_text_plain(&text, &bytes), "");
    text.has_plain = 1;
    text.plain = (ProtobufCBinaryData){2, (uint8_t *)"hi, and more"};
    assert_memory_equal(dk_text_plain(&text, &bytes), "hi", 2);
    assert_int_equal(bytes, 2);
    assert_string_equal(dk_bytes_string(&fixture->made, &text.plain), "hi");
    text.has_plain = 0;
    text.sealed = &sealed;
    assert_string_equal(dk_text_plain(&text, &bytes), "[sealed]");
    assert_int_equal(bytes, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_body_of_every_kind_comes_back_and_passes),
        cmocka_unit_test(test_body_of_every_ticket_kind_begins_with_decision_and_origin),
        cmocka_unit_test(test_body_check_refuses_every_field_by_name),
        cmocka_unit_test(test_body_check_asks_for_what_a_field_means),
        cmocka_unit_test(test_body_check_knows_a_language_by_its_form),
        cmocka_unit_test(test_body_check_wants_people_to_change_something),
        cmocka_unit_test_setup_teardown(test_body_check_wants_people_to_say_something, setup,
                                        teardown),
        cmocka_unit_test(test_body_check_asks_for_one_of_plain_and_sealed),
        cmocka_unit_test(test_body_check_refuses_fields_of_tomorrow),
        cmocka_unit_test(test_body_unpack_says_why_not),
        cmocka_unit_test(test_body_unpack_stays_within_its_arena),
        cmocka_unit_test(test_body_unpack_refuses_a_decision_that_readers_see_differently),
        cmocka_unit_test(test_body_encode_refuses_what_is_too_large),
        cmocka_unit_test(test_body_text_is_plain_or_sealed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
