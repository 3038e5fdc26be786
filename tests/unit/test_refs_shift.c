/* Who works when: calendars as of an instant, and the shifts that follow them. */
#include "tests/unit/refs_fixture.h"

static void define_calendar(struct dk_refs *refs, uint64_t position, int64_t recorded_us,
                            const char *key, const char *zone, uint32_t from_h, uint32_t to_h)
{
    test_define(refs, position, recorded_us, DK_KIND_CALENDAR_DEFINED,
                test_hours(key, zone, 7, from_h, to_h));
}

static void test_refs_calendars_compile_once_a_version(void **state)
{
    struct dk_refs *refs = *state;
    uint64_t office = test_id(DK_SUBJECT_CALENDAR, "office");
    uint64_t nowhere = test_id(DK_SUBJECT_CALENDAR, "nowhere");
    int64_t changed_us = T("2026-03-01T00:00:00Z");
    define_calendar(refs, 1, T("2026-01-01"), "office", "Europe/Berlin", 9, 17);
    define_calendar(refs, 2, changed_us, "office", "Europe/Berlin", 8, 12);
    define_calendar(refs, 3, changed_us, "nowhere", "Mars/Olympus", 8, 12);

    uint32_t version = 0;
    const struct dk_calendar *first = dk_refs_calendar(refs, office, changed_us - 1, &version);
    assert_non_null(first);
    assert_int_equal(version, 1);
    assert_ptr_equal(dk_refs_calendar(refs, office, T("2026-02-02"), NULL), first);
    assert_int_equal(dk_calendar_biz_us(first, T("2026-02-02"), T("2026-02-03")), 8 * DK_HOUR_US);
    const struct dk_calendar *second = dk_refs_calendar(refs, office, changed_us, &version);
    assert_int_equal(version, 2);
    assert_int_equal(dk_calendar_biz_us(second, T("2026-02-02"), T("2026-02-03")), 4 * DK_HOUR_US);
    assert_null(dk_refs_calendar(refs, nowhere, changed_us, &version));
    assert_null(dk_refs_calendar(refs, nowhere, changed_us, &version));
    assert_null(dk_refs_calendar(refs, 0, changed_us, NULL));
    assert_null(dk_refs_calendar(refs, office, T("2025-12-31"), NULL));
}

static void define_shift(struct dk_refs *refs, uint64_t position, const char *key,
                         const char *calendar, const char *agent, const char *from, const char *to,
                         bool on_call)
{
    uint64_t agents[] = {test_id(DK_SUBJECT_AGENT, agent)};
    Docket__ShiftDefined body = DOCKET__SHIFT_DEFINED__INIT;
    body.definition = test_definition(key);
    body.calendar = test_id(DK_SUBJECT_CALENDAR, calendar);
    body.agent = agents;
    body.n_agent = 1;
    body.has_on_call = on_call;
    body.on_call = on_call;
    body.has_from_day = from != NULL;
    body.from_day = from != NULL ? (int32_t)(T(from) / DK_DAY_US) : 0;
    body.has_to_day = to != NULL;
    body.to_day = to != NULL ? (int32_t)(T(to) / DK_DAY_US) : 0;
    test_define(refs, position, T("2026-01-01"), DK_KIND_SHIFT_DEFINED, &body);
}

static void test_refs_shift_follows_its_calendar(void **state)
{
    struct dk_refs *refs = *state;
    uint64_t mara = test_id(DK_SUBJECT_AGENT, "mara");
    define_calendar(refs, 1, T("2026-01-01"), "office", "UTC", 9, 17);
    define_calendar(refs, 2, T("2026-01-01"), "evening", "UTC", 17, 21);
    define_shift(refs, 3, "day", "office", "mara", NULL, NULL, false);
    define_shift(refs, 4, "call", "evening", "mara", NULL, NULL, true);

    assert_false(dk_refs_on_shift(refs, mara, T("2026-02-02T08:59:59Z"), false));
    assert_true(dk_refs_on_shift(refs, mara, T("2026-02-02T09:00:00Z"), false));
    assert_false(dk_refs_on_shift(refs, mara, T("2026-02-02T17:00:00Z"), false));
    assert_false(dk_refs_on_shift(refs, mara, T("2026-02-02T16:59:59Z"), true));
    assert_true(dk_refs_on_shift(refs, mara, T("2026-02-02T17:00:00Z"), true));
    assert_int_equal(dk_refs_next_shift_edge_us(refs, mara, T("2026-02-02T10:00:00Z")),
                     T("2026-02-02T17:00:00Z"));
    assert_int_equal(dk_refs_next_shift_edge_us(refs, mara, T("2026-02-02T18:00:00Z")),
                     T("2026-02-02T21:00:00Z"));
    uint64_t nobody = test_id(DK_SUBJECT_AGENT, "nobody");
    assert_false(dk_refs_on_shift(refs, nobody, T("2026-02-02T10:00:00Z"), false));
    assert_int_equal(dk_refs_next_shift_edge_us(refs, nobody, T("2026-02-02")), INT64_MAX);
    assert_false(dk_refs_on_shift(refs, mara, T("2025-12-30T10:00:00Z"), false));
    assert_int_equal(dk_refs_next_shift_edge_us(refs, mara, T("2025-12-30T10:00:00Z")),
                     T("2026-01-01"));
}

/* A night belongs to the date on which it begins, so the dates cut no night in two. */
static void test_refs_shift_over_midnight_keeps_its_dates(void **state)
{
    struct dk_refs *refs = *state;
    uint64_t nils = test_id(DK_SUBJECT_AGENT, "nils");
    define_calendar(refs, 1, T("2026-01-01"), "night", "Europe/Berlin", 22, 30);
    define_shift(refs, 2, "nights", "night", "nils", "2026-02-02", "2026-02-04", false);

    assert_false(dk_refs_on_shift(refs, nils, T("2026-02-02T00:30:00Z"), false)); /* night of 1st */
    assert_true(dk_refs_on_shift(refs, nils, T("2026-02-02T21:00:00Z"), false));
    assert_true(dk_refs_on_shift(refs, nils, T("2026-02-03T02:00:00Z"), false));
    assert_true(dk_refs_on_shift(refs, nils, T("2026-02-04T04:59:59Z"), false)); /* night of 3rd */
    assert_false(dk_refs_on_shift(refs, nils, T("2026-02-04T05:00:00Z"), false));
    assert_false(dk_refs_on_shift(refs, nils, T("2026-02-04T22:00:00Z"), false));
    assert_int_equal(dk_refs_next_shift_edge_us(refs, nils, T("2026-02-04T00:00:00Z")),
                     T("2026-02-04T05:00:00Z"));
    assert_int_equal(dk_refs_next_shift_edge_us(refs, nils, T("2026-02-04T05:00:00Z")), INT64_MAX);
}

/* A calendar without a pause has no edge at midnight; the dates give it one. */
static void test_refs_shift_around_the_clock_begins_at_its_date(void **state)
{
    struct dk_refs *refs = *state;
    uint64_t nils = test_id(DK_SUBJECT_AGENT, "nils");
    define_calendar(refs, 1, T("2026-01-01"), "always", "UTC", 0, 24);
    define_shift(refs, 2, "week", "always", "nils", "2026-02-02", "2026-02-09", true);
    assert_false(dk_refs_on_shift(refs, nils, T("2026-02-01T23:59:59Z"), true));
    assert_true(dk_refs_on_shift(refs, nils, T("2026-02-02T00:00:00Z"), true));
    assert_true(dk_refs_on_shift(refs, nils, T("2026-02-08T23:59:59Z"), true));
    assert_false(dk_refs_on_shift(refs, nils, T("2026-02-09T00:00:00Z"), true));
    assert_int_equal(dk_refs_next_shift_edge_us(refs, nils, T("2026-02-01T12:00:00Z")),
                     T("2026-02-02T00:00:00Z"));
}

static void test_refs_shift_that_drops_an_agent_ends_for_it(void **state)
{
    struct dk_refs *refs = *state;
    uint64_t mara = test_id(DK_SUBJECT_AGENT, "mara");
    define_calendar(refs, 1, T("2026-01-01"), "office", "UTC", 9, 17);
    define_shift(refs, 2, "day", "office", "mara", NULL, NULL, false);
    assert_true(dk_refs_on_shift(refs, mara, T("2026-02-02T10:00:00Z"), false));
    define_shift(refs, 3, "day", "office", "nils", NULL, NULL, false);
    assert_false(dk_refs_on_shift(refs, mara, T("2026-02-02T10:00:00Z"), false));
    assert_true(dk_refs_on_shift(refs, test_id(DK_SUBJECT_AGENT, "nils"), T("2026-02-02T10:00:00Z"),
                                 false));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_refs_calendars_compile_once_a_version),
        TEST(test_refs_shift_follows_its_calendar),
        TEST(test_refs_shift_over_midnight_keeps_its_dates),
        TEST(test_refs_shift_around_the_clock_begins_at_its_date),
        TEST(test_refs_shift_that_drops_an_agent_ends_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
