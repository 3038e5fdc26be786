#include "proto/base/time.h"

#include "proto/base/limits.h"
#include "tests/lib/assert.h"
#include <stdlib.h>
#include <time.h>

#define FIRST_DAY (DK_TIME_MIN_US / DK_DAY_US) /* 1900-01-01 */
#define END_DAY   (DK_TIME_MAX_US / DK_DAY_US) /* 2200-01-01 */

/* Every day of 1900..2200, against the C library. */
static void test_dates_of_three_centuries_go_both_ways(void **state)
{
    (void)state;
    for (int64_t day = FIRST_DAY; day <= END_DAY; day++) {
        int year, month, mday;
        struct tm tm;
        time_t seconds = day * 86400;
        ASSERT_TRUE(gmtime_r(&seconds, &tm) != NULL);
        dk_date_of_days(day, &year, &month, &mday);
        ASSERT_EQ(year, tm.tm_year + 1900);
        ASSERT_EQ(month, tm.tm_mon + 1);
        ASSERT_EQ(mday, tm.tm_mday);
        ASSERT_EQ(dk_days_of_date(year, month, mday), day);
        ASSERT_EQ(dk_weekday_of_days(day), (tm.tm_wday + 6) % 7);
    }
}

static void test_civil_times_go_both_ways(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (int i = 0; i < 200000; i++) {
        struct dk_civil civil;
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        int64_t us =
            DK_TIME_MIN_US + (int64_t)((random >> 1) % (uint64_t)(DK_TIME_MAX_US - DK_TIME_MIN_US));
        dk_civil_of_us(us, &civil);
        ASSERT_CODE(dk_civil_check(&civil, NULL), 0);
        ASSERT_EQ(dk_civil_to_us(&civil), us);
    }
}

/* The whole of int64_t can be split without overflow: an instant may come from damaged bytes. */
static void test_civil_of_the_extremes(void **state)
{
    (void)state;
    struct dk_civil civil;
    dk_civil_of_us(INT64_MIN, &civil);
    ASSERT_EQ(civil.year, -290308);
    ASSERT_EQ(civil.us, 224192);
    dk_civil_of_us(INT64_MAX, &civil);
    ASSERT_EQ(civil.year, 294247);
    ASSERT_EQ(civil.us, 775807);
    dk_civil_of_us(-1, &civil);
    ASSERT_EQ(civil.year, 1969);
    ASSERT_EQ(civil.second, 59);
    ASSERT_EQ(civil.us, 999999);
}

static void test_civil_check_knows_every_range(void **state)
{
    (void)state;
    static const struct {
        struct dk_civil civil;
        int code;
    } rows[] = {
        {{2026, 2, 3, 4, 5, 6, 7}, 0},
        {{1900, 1, 1, 0, 0, 0, 0}, 0},
        {{2200, 12, 31, 23, 59, 59, 999999}, 0},
        {{2024, 2, 29, 0, 0, 0, 0}, 0},
        {{2000, 2, 29, 0, 0, 0, 0}, 0},
        {{1899, 12, 31, 0, 0, 0, 0}, DK_ETIME},
        {{2201, 1, 1, 0, 0, 0, 0}, DK_ETIME},
        {{2026, 0, 1, 0, 0, 0, 0}, DK_ETIME},
        {{2026, 13, 1, 0, 0, 0, 0}, DK_ETIME},
        {{2026, 1, 0, 0, 0, 0, 0}, DK_ETIME},
        {{2026, 4, 31, 0, 0, 0, 0}, DK_ETIME},
        {{2026, 2, 29, 0, 0, 0, 0}, DK_ETIME},
        {{2100, 2, 29, 0, 0, 0, 0}, DK_ETIME},
        {{2026, 1, 1, 24, 0, 0, 0}, DK_ETIME},
        {{2026, 1, 1, -1, 0, 0, 0}, DK_ETIME},
        {{2026, 1, 1, 0, 60, 0, 0}, DK_ETIME},
        {{2016, 12, 31, 23, 59, 60, 0}, DK_ETIME}, /* a leap second */
        {{2026, 1, 1, 0, 0, 0, 1000000}, DK_ETIME},
        {{2026, 1, 1, 0, 0, 0, -1}, DK_ETIME},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ASSERT_CODE(dk_civil_check(&rows[i].civil, NULL), rows[i].code);
    }
}

static void test_time_format_writes_what_is_needed(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        int offset_s;
        const char *text;
    } rows[] = {
        {0, 0, "1970-01-01T00:00:00Z"},
        {INT64_C(1770091506) * DK_SECOND_US, 0, "2026-02-03T04:05:06Z"},
        {INT64_C(1770091506789) * 1000, 0, "2026-02-03T04:05:06.789Z"},
        {INT64_C(1770091506789012), 0, "2026-02-03T04:05:06.789012Z"},
        {INT64_C(1770091506000012), 0, "2026-02-03T04:05:06.000012Z"},
        {INT64_C(1770091506) * DK_SECOND_US, 3600, "2026-02-03T05:05:06+01:00"},
        {INT64_C(1770091506) * DK_SECOND_US, -(4 * 3600 + 30 * 60), "2026-02-02T23:35:06-04:30"},
        {-1, 0, "1969-12-31T23:59:59.999999Z"},
        {DK_TIME_MIN_US, 0, "1900-01-01T00:00:00Z"},
        {DK_TIME_MAX_US, 0, "2200-01-01T00:00:00Z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[DK_TIME_TEXT_BYTES];
        int64_t us;
        int has_offset;
        struct dk_err err;
        ASSERT_STR(dk_time_format(rows[i].us, rows[i].offset_s, text), rows[i].text);
        ASSERT_OK(dk_time_parse(text, &us, &has_offset, &err), &err);
        ASSERT_EQ(us, rows[i].us);
        ASSERT_TRUE(has_offset);
    }
}

static void test_time_parse_reads_iso_8601(void **state)
{
    (void)state;
    const int64_t day = INT64_C(1770076800) * DK_SECOND_US; /* 2026-02-03 */
    const struct {
        const char *text;
        int64_t us;
        int has_offset;
    } rows[] = {
        {"2026-02-03", day, 0},
        {"2026-02-03T04:05", day + 4 * DK_HOUR_US + 5 * DK_MINUTE_US, 0},
        {"2026-02-03 04:05:06", day + 4 * DK_HOUR_US + 5 * DK_MINUTE_US + 6 * DK_SECOND_US, 0},
        {"2026-02-03T00:00Z", day, 1},
        {"2026-02-03T00:00+01:00", day - DK_HOUR_US, 1},
        {"2026-02-03T00:00:00-0530", day + 5 * DK_HOUR_US + 30 * DK_MINUTE_US, 1},
        {"2026-02-03T00:00:00+02", day - 2 * DK_HOUR_US, 1},
        {"2026-02-03T00:00:00.5Z", day + 500000, 1},
        {"2026-02-03T00:00:00,25", day + 250000, 0},
        {"2026-02-03T00:00:00.123456789Z", day + 123456, 1}, /* cut, not rounded */
        {"2026-02-03T00:00:00.000001Z", day + 1, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t us;
        int has_offset = -1;
        struct dk_err err;
        ASSERT_OK(dk_time_parse(rows[i].text, &us, &has_offset, &err), &err);
        ASSERT_EQ(us, rows[i].us);
        ASSERT_EQ(has_offset, rows[i].has_offset);
        ASSERT_OK(dk_time_parse(rows[i].text, &us, NULL, &err), &err);
    }
}

static void test_time_parse_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
    } rows[] = {
        {"", DK_EINVAL},
        {"yesterday", DK_EINVAL},
        {"2026", DK_EINVAL},
        {"2026-2-3", DK_EINVAL},
        {"26-02-03", DK_EINVAL},
        {"2026-02-03T", DK_EINVAL},
        {"2026-02-03T04", DK_EINVAL},
        {"2026-02-03T04:", DK_EINVAL},
        {"2026-02-03T04:05:", DK_EINVAL},
        {"2026-02-03T04:05:06.", DK_EINVAL},
        {"2026-02-03T04:05:06z", DK_EINVAL},
        {"2026-02-03T04:05:06ZZ", DK_EINVAL},
        {"2026-02-03T04:05:06+1", DK_EINVAL},
        {"2026-02-03T04:05:06+01:0", DK_EINVAL},
        {"2026-02-03T04:05:06+19:00", DK_EINVAL},
        {"2026-02-03T04:05:06+01:60", DK_EINVAL},
        {"2026-02-03Z", DK_EINVAL},
        {" 2026-02-03", DK_EINVAL},
        {"2026-02-03 ", DK_EINVAL},
        {"2026-13-01", DK_ETIME},
        {"2026-02-30", DK_ETIME},
        {"2026-02-03T24:00", DK_ETIME},
        {"2026-02-03T23:59:60Z", DK_ETIME},
        {"1899-12-31", DK_ETIME},
        {"2200-01-01T00:00:00.000001Z", DK_ETIME},
        {"1900-01-01T00:00+00:01", DK_ETIME},
        {"9999-01-01", DK_ETIME},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t us = 42;
        int has_offset = 42;
        struct dk_err err = {0};
        ASSERT_CODE(dk_time_parse(rows[i].text, &us, &has_offset, &err), rows[i].code);
        ASSERT_CODE(err.code, rows[i].code);
        ASSERT_CONTAINS(err.message, rows[i].text);
        ASSERT_EQ(us, 42);
        ASSERT_EQ(has_offset, 42);
        /* The code does not depend on whether somebody wants the message. */
        ASSERT_CODE(dk_time_parse(rows[i].text, &us, NULL, NULL), rows[i].code);
    }
}

static void test_duration_format_is_for_people(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        const char *text;
    } rows[] = {
        {0, "0s"},
        {7, "7us"},
        {450 * 1000, "450ms"},
        {374282, "374ms"},
        {DK_SECOND_US, "1s"},
        {12 * DK_SECOND_US + 345678, "12.3s"},
        {59 * DK_SECOND_US + 999999, "59.9s"},
        {DK_MINUTE_US, "1m 00s"},
        {61 * DK_SECOND_US, "1m 01s"},
        {2 * DK_HOUR_US + 5 * DK_MINUTE_US + 59 * DK_SECOND_US, "2h 05m"},
        {DK_DAY_US, "1d 0h"},
        {3 * DK_DAY_US + 4 * DK_HOUR_US, "3d 4h"},
        {-90 * DK_SECOND_US, "-1m 30s"},
        {INT64_MIN, "-106751991d 4h"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[DK_TIME_TEXT_BYTES];
        ASSERT_STR(dk_duration_format(rows[i].us, text), rows[i].text);
    }
}

static void test_duration_parse_reads_units_and_sums(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } rows[] = {
        {"0s", 0},
        {"90s", 90 * DK_SECOND_US},
        {"15m", 15 * DK_MINUTE_US},
        {"4h", 4 * DK_HOUR_US},
        {"2d", 2 * DK_DAY_US},
        {"500ms", 500 * 1000},
        {"7us", 7},
        {"1h30m", 90 * DK_MINUTE_US},
        {"1h 30m", 90 * DK_MINUTE_US},
        {"1d2h3m4s5ms", DK_DAY_US + 2 * DK_HOUR_US + 3 * DK_MINUTE_US + 4 * DK_SECOND_US + 5000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t us = -1;
        struct dk_err err;
        ASSERT_OK(dk_duration_parse(rows[i].text, &us, &err), &err);
        ASSERT_EQ(us, rows[i].us);
    }
}

static void test_duration_parse_refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "5",
        "h",
        "1.5h",
        "-5m",
        "+5m",
        "5x",
        "5 m",
        " 5m",
        "5m ",
        "1h  5m",
        "5mm",
        "5m4",
        "4H",
        "99999999d",
        "99999999999999999999s",
        "84000d84000d",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t us = 42;
        struct dk_err err = {0};
        ASSERT_CODE(dk_duration_parse(bad[i], &us, &err), DK_EINVAL);
        ASSERT_CONTAINS(err.message, bad[i]);
        ASSERT_EQ(us, 42);
    }
}

static void test_clocks_go_forward(void **state)
{
    (void)state;
    int64_t boot = dk_clock_boot_us();
    ASSERT_TRUE(boot > 0 && dk_clock_boot_us() >= boot);
    ASSERT_TRUE(llabs(dk_clock_wall_us() - (int64_t)time(NULL) * DK_SECOND_US) < DK_MINUTE_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates_of_three_centuries_go_both_ways),
        cmocka_unit_test(test_civil_times_go_both_ways),
        cmocka_unit_test(test_civil_of_the_extremes),
        cmocka_unit_test(test_civil_check_knows_every_range),
        cmocka_unit_test(test_time_format_writes_what_is_needed),
        cmocka_unit_test(test_time_parse_reads_iso_8601),
        cmocka_unit_test(test_time_parse_refuses),
        cmocka_unit_test(test_duration_format_is_for_people),
        cmocka_unit_test(test_duration_parse_reads_units_and_sums),
        cmocka_unit_test(test_duration_parse_refuses),
        cmocka_unit_test(test_clocks_go_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
