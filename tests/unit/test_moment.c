#include "replay/history/moment.h"
#include "tests/lib/assert.h"
#include "tests/lib/definitions.h"

#define NOW test_at("2026-02-03T12:00:00Z")

static struct dk_zone *berlin;

static int set_up(void **state)
{
    (void)state;
    return dk_zone_load(&berlin, "Europe/Berlin", NULL);
}

static int tear_down(void **state)
{
    (void)state;
    dk_zone_free(&berlin);
    return 0;
}

static void test_moment_reads_what_people_type(void **state)
{
    static const struct {
        const char *text;
        const char *instant;
    } cases[] = {
        {"now", "2026-02-03T12:00:00Z"},
        {"-2h", "2026-02-03T10:00:00Z"},
        {"+1d30m", "2026-02-04T12:30:00Z"},
        {"2026-02-03T04:05:06Z", "2026-02-03T04:05:06Z"},
        {"2026-02-03T04:05:06+02:00", "2026-02-03T02:05:06Z"},
        {"2026-02-03 04:05", "2026-02-03T03:05:00Z"}, /* winter: an hour ahead */
        {"2026-07-03", "2026-07-02T22:00:00Z"},       /* summer: two */
        {"2026-03-29 01:59:59", "2026-03-29T00:59:59Z"},
        {"2026-03-29 03:00", "2026-03-29T01:00:00Z"},
        {"2026-10-25 01:59:59", "2026-10-24T23:59:59Z"},
        {"2026-10-25T02:30+02:00", "2026-10-25T00:30:00Z"},
        {"2026-10-25T02:30+01:00", "2026-10-25T01:30:00Z"},
        {"2026-10-25 03:00", "2026-10-25T02:00:00Z"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dk_err err = {0};
        int64_t us = 0;
        ASSERT_OK(dk_moment_parse(berlin, NOW, cases[i].text, &us, &err), &err);
        ASSERT_EQ(us, test_at(cases[i].instant));
    }
}

/* A support desk answers for minutes: which of two instants was meant is not guessed. */
static void test_moment_refuses_what_clocks_skip_or_show_twice(void **state)
{
    static const struct {
        const char *zone, *text, *says;
    } cases[] = {
        {"Europe/Berlin", "2026-03-29 02:00",
         "from 2026-03-29T01:59:59+01:00 to 2026-03-29T03:00:00+02:00: say an instant"},
        {"Europe/Berlin", "2026-03-29T02:59:59.5", "does not exist in Europe/Berlin"},
        {"Europe/Berlin", "2026-10-25 02:00",
         "say 2026-10-25T02:00:00+02:00 or 2026-10-25T02:00:00+01:00"},
        {"Europe/Berlin", "2026-10-25 02:59:59", "comes twice in Europe/Berlin"},
        {"Australia/Lord_Howe", "2026-10-04 02:15",
         "from 2026-10-04T01:59:59+10:30 to 2026-10-04T02:30:00+11:00"},
        {"Australia/Lord_Howe", "2026-04-05 01:45",
         "say 2026-04-05T01:45:00+11:00 or 2026-04-05T01:45:00+10:30"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dk_zone *zone;
        struct dk_err err = {0};
        int64_t us = 0;
        ASSERT_OK(dk_zone_load(&zone, cases[i].zone, &err), &err);
        ASSERT_CODE(dk_moment_parse(zone, NOW, cases[i].text, &us, &err), DK_ETIME);
        ASSERT_CONTAINS(err.message, cases[i].says);
        dk_zone_free(&zone);
    }
}

/* Where the clocks go on at midnight, the day begins at one. */
static void test_moment_of_a_day_is_its_first_instant(void **state)
{
    static const struct {
        const char *zone, *text, *instant;
    } cases[] = {
        {"America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"}, /* 00:00 to 01:00 */
        {"America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"},    /* 01:00 back to 00:00 */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dk_zone *zone;
        struct dk_err err = {0};
        int64_t us = 0;
        ASSERT_OK(dk_zone_load(&zone, cases[i].zone, &err), &err);
        ASSERT_OK(dk_moment_parse(zone, NOW, cases[i].text, &us, &err), &err);
        ASSERT_EQ(us, test_at(cases[i].instant));
        dk_zone_free(&zone);
    }
}

static void test_moment_refuses_the_rest(void **state)
{
    static const struct {
        const char *text;
        int code;
    } bad[] = {
        {"", DK_EINVAL},       {"soon", DK_EINVAL},      {"-", DK_EINVAL},
        {"+", DK_EINVAL},      {"-2", DK_EINVAL},        {"-2w", DK_EINVAL},
        {"12:00", DK_EINVAL},  {"2026-02-30", DK_ETIME}, {"2026-02-03T25:00Z", DK_ETIME},
        {"-60000d", DK_ETIME}, {"+80000d", DK_ETIME},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct dk_err err = {0};
        int64_t us = 0;
        ASSERT_CODE(dk_moment_parse(berlin, NOW, bad[i].text, &us, &err), bad[i].code);
    }
}

static void test_moment_is_shown_in_the_zone(void **state)
{
    char text[DK_TIME_TEXT_BYTES];
    (void)state;
    ASSERT_STR(dk_moment_show(berlin, test_at("2026-02-03T23:30:00Z"), text),
               "2026-02-04 00:30:00");
    ASSERT_STR(dk_moment_show(berlin, 0, text), "never");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moment_reads_what_people_type),
        cmocka_unit_test(test_moment_refuses_what_clocks_skip_or_show_twice),
        cmocka_unit_test(test_moment_of_a_day_is_its_first_instant),
        cmocka_unit_test(test_moment_refuses_the_rest),
        cmocka_unit_test(test_moment_is_shown_in_the_zone),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
