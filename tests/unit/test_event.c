#include "proto/event/event.h"

#include "docket.pb-c.h"
#include "tests/lib/bodies.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define RECORD_ROOM 1024

/* A record and its size, small enough to be changed byte by byte. */
struct record {
    uint8_t bytes[RECORD_ROOM];
    size_t size;
};

/* An envelope of random values, as protobuf-c writes it: no byte of it comes from event.h. */
static Docket__Event random_event(struct test_random *random)
{
    Docket__Event event = DOCKET__EVENT__INIT;
    event.format = DK_EVENT_FORMAT;
    event.crc32c = (uint32_t)test_random_next(random);
    event.position = test_random_next(random);
    event.recorded_us = (int64_t)test_random_next(random);
    event.occurred_us = (int64_t)test_random_next(random);
    event.subject = test_random_next(random);
    event.subject_version = (uint32_t)test_random_next(random);
    event.previous = test_random_next(random);
    event.flags = (uint32_t)test_random_next(random);
    event.actor = test_random_next(random);
    event.group = test_random_next(random);
    event.producer = test_random_next(random);
    event.producer_number = test_random_next(random);
    return event;
}

static struct record record_of(const Docket__Event *event)
{
    struct record record = {0};
    assert_true(docket__event__get_packed_size(event) <= RECORD_ROOM);
    record.size = docket__event__pack(event, record.bytes);
    return record;
}

/* A note: with a decision, an origin, a text, as asked. */
static struct record note_of(Docket__Decision *decision, Docket__Origin *origin, const char *words)
{
    struct test_random random = {1};
    Docket__Event event = random_event(&random);
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;
    Docket__Text text = DOCKET__TEXT__INIT;
    text.has_plain = 1;
    text.plain = (ProtobufCBinaryData){strlen(words), (uint8_t *)words};
    note.decision = decision;
    note.origin = origin;
    note.text = &text;
    event.kind = DK_KIND_NOTE_ADDED;
    event.body_case = DOCKET__EVENT__BODY_NOTE_ADDED;
    event.note_added = &note;
    return record_of(&event);
}

static void test_event_loads_what_protobuf_c_packs(void **state)
{
    (void)state;
    struct test_random random = {2};
    for (int round = 0; round < 1000; round++) {
        Docket__Event event = random_event(&random);
        Docket__Adopted adopted = DOCKET__ADOPTED__INIT;
        event.kind = DK_KIND_ADOPTED;
        event.body_case = DOCKET__EVENT__BODY_ADOPTED;
        event.adopted = &adopted;
        struct record record = record_of(&event);
        struct dk_envelope envelope;
        assert_int_equal(dk_event_canonical(record.bytes, record.size, NULL), 0);
        dk_event_load(record.bytes, &envelope);
#define X(field, bits, tag, offset)                                                                \
    assert_true(envelope.field == event.field);                                                    \
    assert_true(dk_event_load_##field(record.bytes) == (uint##bits##_t)event.field);
        DK_ENVELOPE(X)
#undef X
        uint8_t stored[DK_ENVELOPE_BYTES];
        dk_event_store(stored, &envelope);
        assert_memory_equal(stored, record.bytes, DK_ENVELOPE_BYTES);
    }
}

static void test_event_stamps_are_seen_by_protobuf_c(void **state)
{
    (void)state;
    struct test_random random = {3};
    struct record record = note_of(NULL, NULL, "stamped");
#define X(field, bits, tag, offset)                                                                \
    uint##bits##_t field = (uint##bits##_t)test_random_next(&random);                              \
    dk_stamp_##field(record.bytes, field);
    DK_ENVELOPE(X)
#undef X
    Docket__Event *event = docket__event__unpack(NULL, record.size, record.bytes);
    assert_non_null(event);
#define X(field, bits, tag, offset) assert_true((uint##bits##_t)event->field == field);
    DK_ENVELOPE(X)
#undef X
    docket__event__free_unpacked(event, NULL);
}

/* Lengths around each step of the length's varint. */
static void test_event_body_is_found_at_every_length(void **state)
{
    (void)state;
    const size_t lengths[] = {0, 1, 127, 128, 16383, 16384, 100000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        Docket__TransferredOut out = DOCKET__TRANSFERRED_OUT__INIT;
        struct dk_buf buf;
        struct dk_envelope envelope = {.position = 1};
        size_t body_bytes;
        uint8_t *state_bytes = calloc(1, lengths[i] + 1);
        out.state = (ProtobufCBinaryData){lengths[i], state_bytes};
        dk_buf_init(&buf, DK_RECORD_MAX_BYTES);
        assert_int_equal(dk_event_encode(&buf, &envelope, DK_KIND_TRANSFERRED_OUT, &out.base, NULL),
                         0);
        assert_int_equal(dk_event_canonical(buf.data, buf.size, NULL), 0);
        const uint8_t *body = dk_event_body(buf.data, buf.size, &body_bytes);
        assert_int_equal(body_bytes, docket__transferred_out__get_packed_size(&out));
        assert_ptr_equal(body + body_bytes, buf.data + buf.size);
        dk_buf_close(&buf);
        free(state_bytes);
    }
}

/* What is done to a good record, and what must be said of it. */
struct refusal {
    const char *what;
    void (*spoil)(struct record *record);
    int code;
    const char *field;
};

#define BODY DK_ENVELOPE_BYTES /* where the body's tag stands, two bytes, and then its length */

static void insert(struct record *record, size_t at, const void *bytes, size_t count)
{
    memmove(record->bytes + at + count, record->bytes + at, record->size - at);
    memcpy(record->bytes + at, bytes, count);
    record->size += count;
}

static void append_position(struct record *record)
{
    insert(record, record->size, "\x19\1\2\3\4\5\6\7\x8", 9);
}
static void insert_position(struct record *record)
{
    insert(record, BODY, "\x19\1\2\3\4\5\6\7\x8", 9);
}
static void append_second_body(struct record *record)
{
    insert(record, record->size, "\x8a\x04\x00", 3); /* adopted, empty */
}
static void append_same_body(struct record *record)
{
    insert(record, record->size, "\xca\x01\x00", 3); /* the note's own number */
}
static void append_unknown_field(struct record *record)
{
    insert(record, record->size, "\xc0\x3e\x01", 3); /* field 1000 */
}
static void append_byte(struct record *record)
{
    insert(record, record->size, "", 1);
}
static void cut_byte(struct record *record)
{
    record->size--;
}
static void lengthen_varint(struct record *record)
{
    uint8_t length = record->bytes[BODY + 2];
    record->bytes[BODY + 2] = length | 0x80;
    insert(record, BODY + 3, "", 1);
}
static void length_over_the_end(struct record *record)
{
    record->bytes[BODY + 2]++;
}
static void length_before_the_end(struct record *record)
{
    record->bytes[BODY + 2]--;
}
static void length_that_never_ends(struct record *record)
{
    memset(record->bytes + BODY + 2, 0xff, record->size - BODY - 2);
}
static void kind_of_another_body(struct record *record)
{
    dk_stamp_kind(record->bytes, DK_KIND_RATED);
}
static void kind_too_small(struct record *record)
{
    dk_stamp_kind(record->bytes, 15);
    memcpy(record->bytes + BODY, "\x7a", 1); /* field 15 */
    memmove(record->bytes + BODY + 1, record->bytes + BODY + 2, record->size - BODY - 2);
    record->size--;
}
static void kind_too_large(struct record *record)
{
    dk_stamp_kind(record->bytes, DK_KIND_MAX + 1);
    insert(record, BODY, "\x82", 1);
    memcpy(record->bytes + BODY, "\x82\x80\x01", 3);
}
static void body_as_varint(struct record *record)
{
    record->bytes[BODY] ^= 2;
}
static void format_of_tomorrow(struct record *record)
{
    dk_stamp_format(record->bytes, 2);
    record->bytes[DK_AT_crc32c - 1] = 0;
}

static void test_event_refuses_what_is_not_canonical(void **state)
{
    (void)state;
    const struct refusal refusals[] = {
        {"a second position at the end", append_position, DK_ECANON, "body"},
        {"a second position before the body", insert_position, DK_ECANON, "body"},
        {"two bodies", append_second_body, DK_ECANON, "body"},
        {"one body in two pieces", append_same_body, DK_ECANON, "body"},
        {"an unknown field behind", append_unknown_field, DK_ECANON, "body"},
        {"a byte too many", append_byte, DK_ECANON, "body"},
        {"a byte too few", cut_byte, DK_ECANON, "body"},
        {"a length longer than need be", lengthen_varint, DK_ECANON, "body"},
        {"a length over the end", length_over_the_end, DK_ECANON, "body"},
        {"a length before the end", length_before_the_end, DK_ECANON, "body"},
        {"a length that never ends", length_that_never_ends, DK_ECANON, "body"},
        {"a kind that is not the body's", kind_of_another_body, DK_ECANON, "body"},
        {"a kind below 16", kind_too_small, DK_ECANON, "kind"},
        {"a kind above 2047", kind_too_large, DK_ECANON, "kind"},
        {"a body that is a varint", body_as_varint, DK_ECANON, "body"},
        {"a format not known", format_of_tomorrow, DK_EVERSION, "format"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct record record = note_of(NULL, NULL, "as it should be");
        struct dk_err err = {0};
        assert_int_equal(dk_event_canonical(record.bytes, record.size, NULL), 0);
        refusals[i].spoil(&record);
        if (dk_event_canonical(record.bytes, record.size, &err) != refusals[i].code ||
            strcmp(err.field, refusals[i].field) != 0 || err.message[0] == '\0')
            fail_msg("%s: %s of field '%s': %s", refusals[i].what, dk_code_name(err.code),
                     err.field, err.message);
    }
}

static void test_event_refuses_each_wrong_tag(void **state)
{
    (void)state;
    const struct {
        size_t at;
        const char *name;
    } tags[] = {
#define X(field, bits, tag, offset) {(offset)-1, #field},
        DK_ENVELOPE(X)
#undef X
    };
    assert_int_equal(sizeof tags / sizeof tags[0], 14);
    for (size_t i = 0; i < 14; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct record record = note_of(NULL, NULL, "tagged");
            struct dk_err err = {0};
            record.bytes[tags[i].at] ^= (uint8_t)(1u << bit);
            assert_int_equal(dk_event_canonical(record.bytes, record.size, &err), DK_ECANON);
            assert_string_equal(err.field, tags[i].name);
        }
    }
}

static void test_event_refuses_every_truncation(void **state)
{
    (void)state;
    struct record record = note_of(NULL, NULL, "cut off somewhere");
    for (size_t size = 0; size < record.size; size++) {
        struct dk_err err = {0};
        uint8_t *cut = malloc(size); /* exactly so large, for the address sanitizer */
        memcpy(cut, record.bytes, size);
        assert_int_equal(dk_event_canonical(cut, size, &err), DK_ECANON);
        assert_string_not_equal(err.field, "");
        free(cut);
    }
}

static void test_event_refuses_what_is_too_large(void **state)
{
    (void)state;
    uint8_t *large = calloc(1, DK_RECORD_MAX_BYTES + 1);
    struct dk_err err = {0};
    assert_int_equal(dk_event_canonical(large, DK_RECORD_MAX_BYTES + 1, &err), DK_ETOOBIG);
    assert_string_equal(err.field, "event");
    free(large);
}

static void test_event_passes_a_kind_of_tomorrow(void **state)
{
    (void)state;
    struct record record = note_of(NULL, NULL, "");
    dk_stamp_kind(record.bytes, 1000);
    memcpy(record.bytes + BODY, "\xc2\x3e", 2);
    assert_int_equal(dk_event_canonical(record.bytes, record.size, NULL), 0);
}

static void test_event_verify_finds_every_flipped_bit(void **state)
{
    (void)state;
    struct record record = note_of(NULL, NULL, "every bit counts");
    dk_stamp_crc32c(record.bytes, dk_event_crc(record.bytes, record.size));
    assert_int_equal(dk_event_verify(record.bytes, record.size, NULL), 0);
    for (size_t bit = 0; bit < record.size * 8; bit++) {
        record.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(dk_event_verify(record.bytes, record.size, NULL), 0);
        record.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    struct dk_err err = {0};
    record.bytes[record.size - 1] ^= 1;
    assert_int_equal(dk_event_verify(record.bytes, record.size, &err), DK_ECORRUPT);
    assert_string_equal(err.field, "crc32c");
}

static void test_event_crc_does_not_depend_on_itself(void **state)
{
    (void)state;
    struct record record = note_of(NULL, NULL, "self");
    uint32_t crc = dk_event_crc(record.bytes, record.size);
    dk_stamp_crc32c(record.bytes, ~crc);
    assert_int_equal(dk_event_crc(record.bytes, record.size), crc);
}

static Docket__Decision random_decision(struct test_random *random)
{
    Docket__Decision decision = DOCKET__DECISION__INIT;
    decision.basis = test_random_next(random);
    decision.cause = test_random_next(random);
    decision.rule_version = (uint32_t)test_random_next(random);
    return decision;
}

static Docket__Origin random_origin(struct test_random *random)
{
    static uint8_t key[200];
    Docket__Origin origin = DOCKET__ORIGIN__INIT;
    origin.source = test_random_next(random);
    origin.ordinal = (uint32_t)test_random_next(random);
    origin.digest = test_random_next(random);
    origin.has_case_key = (int)test_random_below(random, 2);
    origin.case_key = (ProtobufCBinaryData){test_random_below(random, sizeof key), key};
    return origin;
}

static void test_event_reads_decision_and_origin_as_packed(void **state)
{
    (void)state;
    struct test_random random = {4};
    for (int round = 0; round < 1000; round++) {
        Docket__Decision decision = random_decision(&random);
        Docket__Origin origin = random_origin(&random);
        bool decided = test_random_below(&random, 2) == 1;
        bool imported = test_random_below(&random, 2) == 1;
        struct record record =
            note_of(decided ? &decision : NULL, imported ? &origin : NULL, "read by hand");
        struct dk_decision got = {0};
        struct dk_origin from = {0};
        assert_int_equal(dk_event_decision(record.bytes, record.size, &got), decided);
        assert_int_equal(dk_event_origin(record.bytes, record.size, &from), imported);
        if (decided)
            assert_true(got.basis == decision.basis && got.cause == decision.cause &&
                        got.rule_version == decision.rule_version);
        if (!imported)
            continue;
        assert_true(from.source == origin.source && from.ordinal == origin.ordinal &&
                    from.digest == origin.digest);
        assert_int_equal(from.case_key != NULL, origin.has_case_key);
        assert_int_equal(from.case_key_bytes, origin.has_case_key ? origin.case_key.len : 0);
    }
}

/* Any byte of the tags and lengths changed: refused, or not seen as a decision at all. */
static void test_event_refuses_a_malformed_decision_or_origin(void **state)
{
    (void)state;
    struct test_random random = {5};
    Docket__Decision decision = random_decision(&random);
    Docket__Origin origin = random_origin(&random);
    origin.has_case_key = 1;
    origin.case_key.len = 3;
    const size_t decision_marks[] = {1, 2, 11, 20};
    const size_t origin_marks[] = {26, 27, 36, 41, 50, 51};
    const struct record good = note_of(&decision, &origin, "");
    struct dk_decision got;
    struct dk_origin from;
    for (size_t i = 0; i < sizeof decision_marks / sizeof decision_marks[0]; i++) {
        struct record record = good;
        record.bytes[BODY + 3 + decision_marks[i]] ^= 0x04;
        assert_int_equal(dk_event_decision(record.bytes, record.size, &got), DK_EINVAL);
        assert_int_equal(dk_event_origin(record.bytes, record.size, &from), DK_EINVAL);
    }
    for (size_t i = 0; i < sizeof origin_marks / sizeof origin_marks[0]; i++) {
        struct record record = good;
        record.bytes[BODY + 3 + origin_marks[i]] ^= 0x04;
        assert_int_equal(dk_event_decision(record.bytes, record.size, &got), 1);
        assert_int_equal(dk_event_origin(record.bytes, record.size, &from), DK_EINVAL);
    }
    /* Cut within either, with the body's length to match. */
    for (uint8_t length = 1; length < 54; length++) {
        struct record record = good;
        record.size = BODY + 3 + length;
        record.bytes[BODY + 2] = length;
        assert_int_equal(dk_event_decision(record.bytes, record.size, &got),
                         length < 25 ? DK_EINVAL : 1);
        assert_int_equal(dk_event_origin(record.bytes, record.size, &from),
                         length == 25 ? 0 : DK_EINVAL);
    }
}

static void test_event_has_no_decision_outside_ticket_kinds(void **state)
{
    (void)state;
    struct test_random random = {6};
    Docket__Event event = random_event(&random);
    Docket__SiteDefined site = DOCKET__SITE_DEFINED__INIT;
    Docket__Definition definition = DOCKET__DEFINITION__INIT;
    uint8_t key[21] = "twenty-one-bytes-key!"; /* the body begins as a decision would */
    struct dk_decision decision;
    struct dk_origin origin;
    definition.key = (ProtobufCBinaryData){sizeof key, key};
    site.definition = &definition;
    event.kind = DK_KIND_SITE_DEFINED;
    event.body_case = DOCKET__EVENT__BODY_SITE_DEFINED;
    event.site_defined = &site;
    struct record record = record_of(&event);
    assert_int_equal(dk_event_canonical(record.bytes, record.size, NULL), 0);
    assert_int_equal(dk_event_decision(record.bytes, record.size, &decision), 0);
    assert_int_equal(dk_event_origin(record.bytes, record.size, &origin), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event_loads_what_protobuf_c_packs),
        cmocka_unit_test(test_event_stamps_are_seen_by_protobuf_c),
        cmocka_unit_test(test_event_body_is_found_at_every_length),
        cmocka_unit_test(test_event_refuses_what_is_not_canonical),
        cmocka_unit_test(test_event_refuses_each_wrong_tag),
        cmocka_unit_test(test_event_refuses_every_truncation),
        cmocka_unit_test(test_event_refuses_what_is_too_large),
        cmocka_unit_test(test_event_passes_a_kind_of_tomorrow),
        cmocka_unit_test(test_event_verify_finds_every_flipped_bit),
        cmocka_unit_test(test_event_crc_does_not_depend_on_itself),
        cmocka_unit_test(test_event_reads_decision_and_origin_as_packed),
        cmocka_unit_test(test_event_refuses_a_malformed_decision_or_origin),
        cmocka_unit_test(test_event_has_no_decision_outside_ticket_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
