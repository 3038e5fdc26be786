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
        {"2026-03-29 02:30", "2026-03-29T01:00:00Z"}, /* does not exist: the first that does */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dk_err err = {0};
        int64_t us = 0;
        ASSERT_OK(dk_moment_parse(berlin, NOW, cases[i].text, &us, &err), &err);
        ASSERT_EQ(us, test_at(cases[i].instant));
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
        cmocka_unit_test(test_moment_refuses_the_rest),
        cmocka_unit_test(test_moment_is_shown_in_the_zone),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
