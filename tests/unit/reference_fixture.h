/* A small organization in force, and what a text would change of it: for the tests of reference. */
#ifndef DK_TESTS_REFERENCE_FIXTURE_H
#define DK_TESTS_REFERENCE_FIXTURE_H

#include "replay/reference/reference.h"

#include "proto/event/body.h"
#include "tests/lib/definitions.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOW_US test_at("2026-11-24T12:00:00Z")

/* A small organization that is in force before each test. */
static const char base_yaml[] =
    "sites: {berlin: {number: 1, zone: Europe/Berlin}}\n"
    "calendars:\n"
    "  office: {zone: Europe/Berlin, hours: {mon-fri: \"09:00-17:00\"}}\n"
    "  evening: {zone: Europe/Berlin, hours: {mon-fri: \"17:00-21:00\"}}\n"
    "groups:\n"
    "  desk: {line: 1, calendar: office, site: berlin}\n"
    "  experts: {line: 3, calendar: office}\n"
    "agents:\n"
    "  mara: {first_name: Mara, surname: Lindqvist, groups: [desk], capacity: 8}\n"
    "  elena: {first_name: Elena, surname: Petrova, groups: [experts]}\n"
    "products:\n"
    "  network:\n"
    "    routes: {1: desk}\n"
    "    products: {vpn: }\n"
    "shifts: {day: {calendar: office, agents: [mara]}}\n"
    "policies:\n"
    "  sla:\n"
    "    gold: {when: {tier: gold}, goals: {resolution: 4h}}\n"
    "    default: {goals: {resolution: {high: 8h, any: 16h}}, calendar: office}\n"
    "suppliers: {carrier: {calendar: office}}\n"
    "templates: {late: {texts: {default: {body: \"{{ticket}} is late\"}}}}\n";

struct fixture {
    struct dk_refs *refs;
    uint64_t position;
};

static inline struct dk_reference *load(const char *yaml)
{
    struct dk_reference *set;
    assert_int_equal(dk_reference_new(&set, NULL), 0);
    assert_int_equal(dk_reference_add_text(set, "t.yaml", yaml, strlen(yaml), NULL), 0);
    return set;
}

static inline void assert_clean(const struct dk_reference *set, int code)
{
    if (code != 0)
        dk_reference_print_problems(set, stderr);
    assert_int_equal(code, 0);
}

/* Appends the changes as a broker would. */
static inline void append(struct fixture *fixture, const struct dk_reference *set)
{
    struct dk_buf buf;
    struct dk_err err;
    dk_buf_init(&buf, DK_RECORD_MAX_BYTES);
    for (size_t i = 0; i < dk_reference_change_count(set); i++) {
        const struct dk_reference_change *change = dk_reference_change(set, i);
        const struct dk_refs_version *last = dk_refs_last(fixture->refs, change->subject);
        dk_buf_clear(&buf);
        assert_int_equal(dk_reference_record(set, i, dk_id_make(DK_ACTOR_OPERATOR, 1), &buf, &err),
                         0);
        assert_int_equal(dk_event_canonical(buf.data, buf.size, &err), 0);
        assert_int_equal(dk_body_check(change->body, change->kind, &err), 0);
        dk_stamp_position(buf.data, ++fixture->position);
        dk_stamp_recorded_us(buf.data, (uint64_t)NOW_US);
        dk_stamp_subject_version(buf.data, last != NULL ? last->version + 1 : 1);
        assert_int_equal(dk_refs_apply(fixture->refs, buf.data, buf.size, &err), 0);
    }
    dk_buf_close(&buf);
}

static inline void apply(struct fixture *fixture, const char *yaml)
{
    struct dk_reference *set = load(yaml);
    assert_clean(set, dk_reference_compare(set, fixture->refs, NOW_US, NULL));
    append(fixture, set);
    dk_reference_free(&set);
}

/* What a text would change, as it is printed for people. */
static inline char *difference(const struct fixture *fixture, const char *yaml)
{
    struct dk_reference *set = load(yaml);
    char *text = NULL;
    size_t bytes;
    assert_clean(set, dk_reference_compare(set, fixture->refs, NOW_US, NULL));
    FILE *out = open_memstream(&text, &bytes);
    dk_reference_print(set, out);
    fclose(out);
    dk_reference_free(&set);
    return text;
}

static inline void assert_difference(const struct fixture *fixture, const char *yaml,
                                     const char *expected)
{
    char *text = difference(fixture, yaml);
    assert_string_equal(text, expected);
    free(text);
}

static inline int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_int_equal(dk_refs_new(&fixture->refs, NULL), 0);
    apply(fixture, base_yaml);
    *state = fixture;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *fixture = *state;
    dk_refs_free(&fixture->refs);
    free(fixture);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
