#include "tests/lib/assert.h"
#include "tests/unit/clocks_fixture.h"

/* Monday to Friday in Berlin; its clocks go forward on Sunday 2026-03-29. */
static void test_refs_working_days(void **state)
{
    static const struct {
        const char *from;
        uint32_t days;
        const char *to;
    } cases[] = {
        {"2026-03-02T10:00:00Z", 0, "2026-03-02T10:00:00Z"},
        {"2026-03-02T10:00:00Z", 1, "2026-03-03T10:00:00Z"},
        {"2026-03-06T19:30:00Z", 1, "2026-03-09T19:30:00Z"}, /* a Friday, after hours */
        {"2026-03-07T10:00:00Z", 1, "2026-03-09T10:00:00Z"}, /* a Saturday */
        {"2026-03-05T23:30:00Z", 1, "2026-03-08T23:30:00Z"}, /* Friday 00:30 there */
        {"2026-03-27T10:00:00Z", 1, "2026-03-30T09:00:00Z"}, /* 11:00 and 11:00 there */
        {"2026-03-02T10:00:00Z", 10, "2026-03-16T10:00:00Z"},
    };
    struct story *s = *state;
    uint64_t office = has_calendar(s, "office", "Europe/Berlin", 9, 17, LONG_AGO);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ASSERT_EQ(dk_refs_working_days_us(s->refs, office, test_at(cases[i].from), cases[i].days),
                  test_at(cases[i].to));
}

static void test_refs_working_days_without_a_calendar(void **state)
{
    struct story *s = *state;
    ASSERT_EQ(dk_refs_working_days_us(s->refs, 0, at("10:00"), 3), at("10:00") + 3 * DK_DAY_US);
}

/* Beyond the years that a calendar is compiled for nothing works; the search ends. */
static void test_refs_working_days_never(void **state)
{
    struct story *s = *state;
    uint64_t office = has_calendar(s, "office", "UTC", 9, 17, LONG_AGO);
    ASSERT_EQ(dk_refs_working_days_us(s->refs, office, test_at("2099-12-30T10:00:00Z"), 5),
              INT64_MAX);
    ASSERT_EQ(dk_refs_working_days_us(s->refs, office, at("10:00"), UINT32_MAX), INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_refs_working_days, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refs_working_days_without_a_calendar, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refs_working_days_never, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
