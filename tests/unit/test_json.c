#include "proto/event/body.h"

#include "proto/base/time.h"
#include "tests/lib/bodies.h"
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct fixture {
    struct dk_arena arena;
    struct dk_buf record;
    struct dk_buf out;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    assert_int_equal(dk_arena_init(&fixture->arena, DK_UNPACK_MAX_BYTES), 0);
    dk_buf_init(&fixture->record, DK_RECORD_MAX_BYTES);
    dk_buf_init(&fixture->out, 1 << 20);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    dk_arena_close(&fixture->arena);
    dk_buf_close(&fixture->record);
    dk_buf_close(&fixture->out);
    free(fixture);
    return 0;
}

static void encode(struct fixture *fixture, uint32_t kind, const ProtobufCMessage *body)
{
    struct dk_envelope envelope = {0};
    dk_buf_clear(&fixture->record);
    dk_buf_clear(&fixture->out);
    assert_int_equal(dk_event_encode(&fixture->record, &envelope, kind, body, NULL), 0);
}

static int print(struct fixture *fixture, struct dk_err *err)
{
    return dk_event_json(&fixture->out, &fixture->arena, fixture->record.data, fixture->record.size,
                         err);
}

/* The "body" of the record's line, as text. */
static const char *body_text(struct fixture *fixture)
{
    struct dk_err err;
    assert_int_equal(print(fixture, &err), 0);
    const char *line = dk_buf_string(&fixture->out);
    const char *body = strstr(line, "\"body\":");
    assert_non_null(body);
    return body;
}

static void test_json_of_an_assignment(void **state)
{
    struct fixture *fixture = *state;
    struct dk_envelope envelope = {
        .position = 120,
        .recorded_us = 1770091506 * DK_SECOND_US,
        .occurred_us = 1770091506 * DK_SECOND_US + 789000,
        .subject = dk_ticket_make(7, 1042),
        .subject_version = 3,
        .previous = 99,
        .flags = DOCKET__EVENT_FLAG__FLAG_IMPORTED | DOCKET__EVENT_FLAG__FLAG_ONE_SHOT,
        .actor = dk_id_make(DK_ACTOR_NODE, DK_ROLE_ROUTING),
        .producer = 0xabc,
        .producer_number = 17,
    };
    Docket__Decision decision = DOCKET__DECISION__INIT;
    Docket__Assigned assigned = DOCKET__ASSIGNED__INIT;
    Docket__Exclusion off_shift = DOCKET__EXCLUSION__INIT;
    Docket__Exclusion *excluded[] = {&off_shift, &off_shift};
    decision.basis = 119;
    decision.cause = 99;
    decision.rule_version = 2;
    off_shift.reason = DOCKET__EXCLUSION_REASON__EXCLUDED_OFF_SHIFT;
    off_shift.count = 4;
    assigned.decision = &decision;
    assigned.agent = dk_id_make(DK_SUBJECT_AGENT, 0x2a);
    assigned.n_excluded = 2;
    assigned.excluded = excluded;
    assigned.has_judged_us = 1;
    assigned.judged_us = 1770091506 * DK_SECOND_US;
    dk_buf_clear(&fixture->record);
    dk_buf_clear(&fixture->out);
    assert_int_equal(
        dk_event_encode(&fixture->record, &envelope, DK_KIND_ASSIGNED, &assigned.base, NULL), 0);
    assert_int_equal(print(fixture, NULL), 0);
    char agent[DK_ID_TEXT_BYTES], expected[1024];
    snprintf(expected, sizeof expected,
             "{\"format\":1,\"crc32c\":0,\"position\":120,\"recorded\":\"2026-02-03T04:05:06Z\","
             "\"occurred\":\"2026-02-03T04:05:06.789Z\",\"subject\":\"7-1042\","
             "\"subject_version\":3,\"previous\":99,\"kind\":\"assigned\","
             "\"flags\":[\"imported\",\"one-shot\"],\"actor\":\"node/routing\",\"group\":null,"
             "\"producer\":\"0000000000000abc\",\"producer_number\":\"0000000000000011\",\"body\":{"
             "\"decision\":"
             "{\"basis\":119,\"cause\":99,\"rule_version\":2},\"agent\":\"%s\",\"excluded\":"
             "[{\"reason\":\"off-shift\",\"count\":4},{\"reason\":\"off-shift\",\"count\":4}],"
             "\"judged\":\"2026-02-03T04:05:06Z\"}}",
             dk_id_format(assigned.agent, agent));
    assert_string_equal(dk_buf_string(&fixture->out), expected);
}

static void test_json_names_who_acted(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        unsigned cls;
        uint64_t id;
        const char *text;
    } actors[] = {
        {0, 0, "\"actor\":null,"},
        {DK_ACTOR_NODE, DK_ROLE_SLA, "\"actor\":\"node/sla\","},
        {DK_ACTOR_AGENT, 0x2a, "\"actor\":\"agent/0000000000002a\","},
        {DK_ACTOR_IMPORTER, 1, "\"actor\":\"importer/00000000000001\","},
    };
    Docket__Adopted adopted = DOCKET__ADOPTED__INIT;
    for (size_t i = 0; i < sizeof actors / sizeof actors[0]; i++) {
        encode(fixture, DK_KIND_ADOPTED, &adopted.base);
        dk_stamp_actor(fixture->record.data, dk_id_make(actors[i].cls, actors[i].id));
        assert_int_equal(print(fixture, NULL), 0);
        assert_non_null(strstr(dk_buf_string(&fixture->out), actors[i].text));
    }
}

static void test_json_escapes_text_and_shows_other_bytes_as_hex(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        const char *bytes;
        size_t count;
        const char *json;
    } texts[] = {
        {"", 0, "\"\""},
        {"a \"b\" \\ /", 9, "\"a \\\"b\\\" \\\\ /\""},
        {"\n\r\t\x01\x1f\x7f", 6, "\"\\n\\r\\t\\u0001\\u001f\x7f\""},
        {"Grüße 😀", 12, "\"Grüße 😀\""},
        {"a\0b", 3, "\"610062\""},
        {"\xff\xfe", 2, "\"fffe\""},
        {"\xed\xa0\x80", 3, "\"eda080\""},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;
        Docket__Text text = DOCKET__TEXT__INIT;
        char expected[100];
        note.text = &text;
        text.has_plain = 1;
        text.plain = (ProtobufCBinaryData){texts[i].count, (uint8_t *)texts[i].bytes};
        encode(fixture, DK_KIND_NOTE_ADDED, &note.base);
        snprintf(expected, sizeof expected, "\"body\":{\"text\":%s}}", texts[i].json);
        assert_string_equal(body_text(fixture), expected);
    }
}

static void test_json_writes_each_type_of_value(void **state)
{
    struct fixture *fixture = *state;
    Docket__FieldSet set = DOCKET__FIELD_SET__INIT;
    set.has_number = 1;
    set.number = -2.5;
    encode(fixture, DK_KIND_FIELD_SET, &set.base);
    assert_string_equal(body_text(fixture), "\"body\":{\"field\":null,\"number\":-2.5}}");

    Docket__StatusChanged status = DOCKET__STATUS_CHANGED__INIT;
    status.status = DOCKET__STATUS__STATUS_PENDING;
    status.has_pending = 1;
    status.pending = (Docket__Pending)77;
    status.has_final_us = 1;
    encode(fixture, DK_KIND_STATUS_CHANGED, &status.base);
    assert_string_equal(body_text(fixture),
                        "\"body\":{\"status\":\"pending\",\"pending\":77,\"final\":null}}");

    Docket__ShiftDefined shift = DOCKET__SHIFT_DEFINED__INIT;
    Docket__Definition definition = DOCKET__DEFINITION__INIT;
    definition.key = (ProtobufCBinaryData){1, (uint8_t *)"n"};
    shift.definition = &definition;
    shift.has_on_call = shift.on_call = 1;
    shift.has_from_day = 1;
    shift.from_day = -1;
    encode(fixture, DK_KIND_SHIFT_DEFINED, &shift.base);
    assert_string_equal(body_text(fixture), "\"body\":{\"definition\":{\"key\":\"n\"},"
                                            "\"calendar\":null,\"on_call\":true,"
                                            "\"from_day\":\"1969-12-31\"}}");

    Docket__ClockStepAccepted step = DOCKET__CLOCK_STEP_ACCEPTED__INIT;
    step.step_us = -7;
    encode(fixture, DK_KIND_CLOCK_STEP_ACCEPTED, &step.base);
    assert_string_equal(body_text(fixture), "\"body\":{\"step_us\":-7}}");
}

static void test_json_shows_a_sealed_text_as_sealed(void **state)
{
    struct fixture *fixture = *state;
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;
    Docket__Text text = DOCKET__TEXT__INIT;
    Docket__Sealed sealed = DOCKET__SEALED__INIT;
    note.text = &text;
    text.sealed = &sealed;
    encode(fixture, DK_KIND_NOTE_ADDED, &note.base);
    assert_string_equal(body_text(fixture), "\"body\":{\"text\":\"[sealed]\"}}");
}

static void test_json_of_an_unknown_kind_has_no_body(void **state)
{
    struct fixture *fixture = *state;
    Docket__Adopted adopted = DOCKET__ADOPTED__INIT;
    encode(fixture, DK_KIND_ADOPTED, &adopted.base);
    dk_stamp_kind(fixture->record.data, 1000);
    assert_string_equal(body_text(fixture), "\"body\":null}");
    assert_non_null(strstr((const char *)fixture->out.data, "\"kind\":1000,"));
}

/* An independent parser reads every kind's line, and finds as many members as the body has. */
static void check_parses(uint32_t kind, void *arg)
{
    struct fixture *fixture = arg;
    struct test_random random = {kind};
    struct dk_arena made;
    assert_int_equal(dk_arena_init(&made, DK_UNPACK_MAX_BYTES), 0);
    for (int round = 0; round < 20; round++) {
        json_error_t why;
        dk_arena_reset(&made);
        dk_arena_reset(&fixture->arena);
        const ProtobufCMessage *body = test_body(&made, kind, &random, true);
        encode(fixture, kind, body);
        assert_int_equal(print(fixture, NULL), 0);
        json_t *line = json_loadb((const char *)fixture->out.data, fixture->out.size,
                                  JSON_DECODE_INT_AS_REAL, &why);
        if (line == NULL)
            fail_msg("%s: %s: %s", dk_kind_info(kind)->word, why.text,
                     dk_buf_string(&fixture->out));
        size_t members = json_object_size(json_object_get(line, "body"));
        if (kind == DK_KIND_FIELD_SET)
            members += 4; /* one value of five */
        assert_int_equal(members, body->descriptor->n_fields);
        json_decref(line);
    }
    dk_arena_close(&made);
}

static void test_json_of_every_kind_parses(void **state)
{
    test_each_kind(check_parses, *state);
}

static void test_json_that_does_not_fit_leaves_the_buffer_alone(void **state)
{
    struct fixture *fixture = *state;
    struct test_random random = {3};
    encode(fixture, DK_KIND_OPENED, test_body(&fixture->arena, DK_KIND_OPENED, &random, true));
    assert_int_equal(print(fixture, NULL), 0);
    for (size_t max = 2; max < 2 + fixture->out.size; max++) {
        struct dk_buf small;
        struct dk_err err = {0};
        dk_buf_init(&small, max);
        dk_buf_append(&small, "ab", 2);
        assert_int_equal(dk_event_json(&small, &fixture->arena, fixture->record.data,
                                       fixture->record.size, &err),
                         DK_ETOOBIG);
        assert_int_equal(small.size, 2);
        dk_buf_close(&small);
        dk_arena_reset(&fixture->arena);
    }
}

static void test_json_of_a_malformed_body_is_refused(void **state)
{
    struct fixture *fixture = *state;
    Docket__Adopted adopted = DOCKET__ADOPTED__INIT;
    encode(fixture, DK_KIND_ADOPTED, &adopted.base);
    fixture->record.data[fixture->record.size - 1] = 1; /* one byte of body: half a tag */
    dk_buf_append(&fixture->record, "\xff", 1);
    assert_int_equal(print(fixture, NULL), DK_EINVAL);
    assert_int_equal(fixture->out.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_of_an_assignment),
        cmocka_unit_test(test_json_names_who_acted),
        cmocka_unit_test(test_json_escapes_text_and_shows_other_bytes_as_hex),
        cmocka_unit_test(test_json_writes_each_type_of_value),
        cmocka_unit_test(test_json_shows_a_sealed_text_as_sealed),
        cmocka_unit_test(test_json_of_an_unknown_kind_has_no_body),
        cmocka_unit_test(test_json_of_every_kind_parses),
        cmocka_unit_test(test_json_that_does_not_fit_leaves_the_buffer_alone),
        cmocka_unit_test(test_json_of_a_malformed_body_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
