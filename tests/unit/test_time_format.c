#include "replay/import/time_format.h"

#include "tests/lib/assert.h"

static struct dk_slice slice_of(const char *text)
{
    return (struct dk_slice){(const uint8_t *)text, strlen(text)};
}

/* What `text` is by the pattern, in UTC; or the code's name. */
static const char *read_as(const char *pattern, const char *zone_name, const char *text,
                           char out[DK_TIME_TEXT_BYTES])
{
    struct dk_zone *zone = NULL;
    struct dk_err err;
    int64_t us = 0;
    ASSERT_OK(dk_zone_load(&zone, zone_name, &err), &err);
    struct dk_time_format format = {pattern, zone};
    int rc = dk_time_format_read(&format, slice_of(text), &us, &err);
    dk_zone_free(&zone);
    return rc != 0 ? dk_code_name(rc) : dk_time_format(us, 0, out);
}

static void test_time_format_reads_what_the_pattern_says(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *zone, *text, *is;
    } rows[] = {
        {"iso", "UTC", "2022-01-02 11:12:51+00:00", "2022-01-02T11:12:51Z"},
        {"iso", "UTC", "2022-01-02", "2022-01-02T00:00:00Z"},
        {"iso", "Europe/Berlin", "2022-07-02T11:00", "2022-07-02T09:00:00Z"},
        {"iso", "Europe/Berlin", "2022-07-02T11:00Z", "2022-07-02T11:00:00Z"},
        {"iso", "UTC", "2/1/2022", "DK_EINVAL"},
        {"%d/%m/%Y %H:%M", "UTC", "29/2/2016 01:16", "2016-02-29T01:16:00Z"},
        {"%d/%m/%Y %H:%M", "UTC", "5/3/2016 12:00", "2016-03-05T12:00:00Z"},
        {"%d/%m/%Y %H:%M", "America/Sao_Paulo", "29/2/2016 01:16", "2016-02-29T04:16:00Z"},
        {"%d/%m/%Y %H:%M", "UTC", "30/2/2016 01:16", "DK_ETIME"},
        {"%d/%m/%Y %H:%M", "UTC", "29/2/2016", "DK_EINVAL"},
        {"%d/%m/%Y %H:%M", "UTC", "29/2/2016 01:16 x", "DK_EINVAL"},
        {"%d/%m/%Y %H:%M", "UTC", "", "DK_EINVAL"},
        {"%Y-%m-%d %H:%M:%S.%f", "UTC", "2026-01-02 03:04:05.25", "2026-01-02T03:04:05.250Z"},
        {"%Y-%m-%dT%H:%M:%S%z", "UTC", "2026-01-02T03:04:05+0230", "2026-01-02T00:34:05Z"},
        {"%Y-%m-%dT%H:%M:%S%z", "UTC", "2026-01-02T03:04:05-02:30", "2026-01-02T05:34:05Z"},
        {"%Y-%m-%dT%H:%M:%S%z", "UTC", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"},
        {"%Y-%m-%dT%H:%M:%S%z", "UTC", "2026-01-02T03:04:05", "DK_EINVAL"},
        {"%d %b %Y %H:%M %p", "UTC", "2 mar 2026 12:30 am", "2026-03-02T00:30:00Z"},
        {"%d %b %Y %H:%M %p", "UTC", "2 MAR 2026   1:30 PM", "2026-03-02T13:30:00Z"},
        {"%d %b %Y %H:%M %p", "UTC", "2 mrz 2026 1:30 PM", "DK_EINVAL"},
        {"%s", "UTC", "1456708560", "2016-02-29T01:16:00Z"},
        {"%s", "UTC", "-1", "1969-12-31T23:59:59Z"},
        {"%s", "UTC", "999999999999", "DK_ETIME"},
        {"%Y%m%d", "UTC", "20260102", "2026-01-02T00:00:00Z"},
        {"%Y%m%d 100%%", "UTC", "20260102 100%", "2026-01-02T00:00:00Z"},
        {"%Y%m%d", "UTC", "18990102", "DK_ETIME"},
        /* An hour that does not exist, and one that exists twice (T2). */
        {"iso", "Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:00:00Z"},
        {"iso", "Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30:00Z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[DK_TIME_TEXT_BYTES];
        const char *is = read_as(rows[i].pattern, rows[i].zone, rows[i].text, out);
        if (strcmp(is, rows[i].is) != 0) {
            fail_msg("\"%s\" by %s in %s is %s, not %s", rows[i].text, rows[i].pattern,
                     rows[i].zone, is, rows[i].is);
        }
    }
}

static void test_time_format_bounds_the_text(void **state)
{
    (void)state;
    char text[200], out[DK_TIME_TEXT_BYTES];
    memset(text, '1', sizeof text);
    text[sizeof text - 1] = '\0';
    ASSERT_STR(read_as("%s", "UTC", text, out), "DK_EINVAL");
}

static void test_time_format_refuses_patterns_it_does_not_know(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *why;
    } rows[] = {{"%Y-%m-%d %Q", "after % stands one of"},
                {"%Y-%m-%d %", "after % stands one of"},
                {"%Y-%m", "lacks year, month or day"},
                {"%H:%M", "lacks year, month or day"},
                {"", "lacks year, month or day"}};
    struct dk_err err;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ASSERT_CODE(dk_time_format_check(rows[i].pattern, &err), DK_EINVAL);
        ASSERT_CONTAINS(err.message, rows[i].why);
    }
    ASSERT_OK(dk_time_format_check("iso", &err), &err);
    ASSERT_OK(dk_time_format_check("%s", &err), &err);
    ASSERT_OK(dk_time_format_check("%d %b %Y", &err), &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_format_reads_what_the_pattern_says),
        cmocka_unit_test(test_time_format_bounds_the_text),
        cmocka_unit_test(test_time_format_refuses_patterns_it_does_not_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
