/* Days of feeds (DOMAIN T4), and feeds that are broken, hostile, or both. */
#include "replay/reference/icalendar.h"

#include "proto/base/buf.h"
#include "proto/base/time.h"
#include "tests/lib/assert.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FEED_BYTES ((size_t)6 << 20)

/* A feed in a file of its own. */
static void write_feed(char path[64], const void *text, size_t bytes)
{
    (void)snprintf(path, 64, "/tmp/dk-feed-XXXXXX");
    int fd = mkstemp(path);
    ASSERT_TRUE(fd >= 0 && write(fd, text, bytes) == (ssize_t)bytes);
    (void)close(fd);
}

/* The days of 2026 and 2027, as "12-25 Christmas; ..."; with the year but for 2026, "~" before
 * those that are not whole. Or the refusal, without the path. */
static const char *days_of(const void *text, size_t bytes, char *out, size_t room)
{
    char path[64];
    struct dk_icalendar_day *day;
    size_t count, used = 0;
    struct dk_err err = {0};
    write_feed(path, text, bytes);
    int rc = dk_icalendar_days(path, (int32_t)dk_days_of_date(2026, 1, 1),
                               (int32_t)dk_days_of_date(2028, 1, 1), &day, &count, &err);
    out[0] = '\0';
    if (rc != 0) {
        ASSERT_TRUE(day == NULL);
        (void)snprintf(out, room, "%s", strstr(err.message, path) + strlen(path));
    }
    for (size_t i = 0; i < count && used < room; i++) {
        int year, month, date;
        char years[8] = "";
        dk_date_of_days(day[i].day, &year, &month, &date);
        if (year != 2026) {
            (void)snprintf(years, sizeof years, "%04d-", year % 10000);
        }
        used += (size_t)snprintf(out + used, room - used, "%s%s%s%02d-%02d %s", i > 0 ? "; " : "",
                                 day[i].whole ? "" : "~", years, month, date, day[i].name);
    }
    free(day);
    (void)unlink(path);
    return out;
}

#define BEGIN "BEGIN:VCALENDAR\nVERSION:2.0\n"
#define END   "END:VCALENDAR\n"
#define ENTRY(lines)                                                                               \
    "BEGIN:VEVENT\n" lines "\n"                                                                    \
    "END:VEVENT\n"
#define DAY(date) "DTSTART;VALUE=DATE:" date "\n"

static void test_icalendar_days_are_those_that_the_feed_means(void **state)
{
    static const struct {
        const char *entries;
        const char *days;
    } table[] = {
        /* recurrences: without end, until, so many, but for */
        {ENTRY("UID:1\n" DAY("20200101") "RRULE:FREQ=YEARLY\nSUMMARY:N"), "01-01 N; 2027-01-01 N"},
        {ENTRY("UID:1\n" DAY("20200101") "RRULE:FREQ=YEARLY;UNTIL=20261231\nSUMMARY:N"), "01-01 N"},
        {ENTRY("UID:1\n" DAY("20200101") "RRULE:FREQ=YEARLY;COUNT=7\nSUMMARY:N"), "01-01 N"},
        {ENTRY(
             "UID:1\n" DAY("20200101") "RRULE:FREQ=YEARLY\nEXDATE;VALUE=DATE:20260101\nSUMMARY:N"),
         "2027-01-01 N"},
        {ENTRY("UID:1\n" DAY("20260501") "RDATE;VALUE=DATE:20270501\nSUMMARY:N"),
         "05-01 N; 2027-05-01 N"},
        {ENTRY("UID:1\n" DAY("20240229") "RRULE:FREQ=YEARLY\nSUMMARY:leap"), ""},
        {ENTRY("UID:1\n" DAY("19000101") "RRULE:FREQ=YEARLY\nSUMMARY:N"), "01-01 N; 2027-01-01 N"},
        {ENTRY("UID:1\n" DAY("16180101") "RRULE:FREQ=YEARLY\nSUMMARY:N"), "01-01 N; 2027-01-01 N"},
        /* several days */
        {ENTRY("UID:1\n" DAY("20260501") "DTEND;VALUE=DATE:20260503\nSUMMARY:N"),
         "05-01 N; 05-02 N"},
        {ENTRY("UID:1\n" DAY("20260501") "DURATION:P2D\nSUMMARY:N"), "05-01 N; 05-02 N"},
        {ENTRY("UID:1\n" DAY("20251231") "DTEND;VALUE=DATE:20260102\nSUMMARY:N"), "01-01 N"},
        {ENTRY("UID:1\n" DAY("20260501") "DTEND;VALUE=DATE:20200101\nSUMMARY:N"), "05-01 N"},
        /* hours: of the day on which they are where they are */
        {ENTRY("UID:1\nDTSTART;TZID=Europe/Berlin:20260501T003000\nDURATION:PT1H\nSUMMARY:N"),
         "~05-01 N"},
        {ENTRY("UID:1\nDTSTART;TZID=America/New_York:20260501T200000\nDURATION:PT2H\nSUMMARY:N"),
         "~05-01 N"},
        {ENTRY("UID:1\nDTSTART;TZID=Europe/Berlin:20250501T003000\nRRULE:FREQ=YEARLY\nSUMMARY:N"),
         "~05-01 N; ~2027-05-01 N"},
        {ENTRY("UID:1\nDTSTART:20260501T220000Z\nDTEND:20260502T000000Z\nSUMMARY:N"), "~05-01 N"},
        {ENTRY("UID:1\nDTSTART;TZID=../../etc/passwd:20260501T220000\nSUMMARY:N"), "~05-01 N"},
        /* cancelled, moved, renamed, superseded */
        {ENTRY("UID:1\nSTATUS:CANCELLED\n" DAY("20260501") "SUMMARY:N"), ""},
        {ENTRY("UID:1\n" DAY("20200501") "RRULE:FREQ=YEARLY\nSUMMARY:N")
             ENTRY("UID:1\nSTATUS:CANCELLED\nRECURRENCE-ID;VALUE=DATE:20260501\n" DAY(
                 "20260501") "SUMMARY:N"),
         "2027-05-01 N"},
        {ENTRY("UID:1\nRECURRENCE-ID;VALUE=DATE:20260501\n" DAY("20260504") "SUMMARY:moved")
             ENTRY("UID:1\n" DAY("20200501") "RRULE:FREQ=YEARLY\nSUMMARY:N"),
         "05-04 moved; 2027-05-01 N"},
        {ENTRY("UID:1\nSEQUENCE:1\n" DAY("20260501") "SUMMARY:old")
             ENTRY("UID:1\nSEQUENCE:2\n" DAY("20260502") "SUMMARY:new"),
         "05-02 new"},
        {ENTRY("UID:1\nSEQUENCE:2\nSTATUS:CANCELLED\n" DAY("20260501") "SUMMARY:N")
             ENTRY("UID:1\nSEQUENCE:1\n" DAY("20260501") "SUMMARY:N"),
         ""},
        {ENTRY("UID:1\n" DAY("20260501") "SUMMARY:a") ENTRY("UID:1\n" DAY("20260502") "SUMMARY:b"),
         "05-01 a; 05-02 b"},
        {ENTRY(DAY("20260501") "SUMMARY:a") ENTRY("SEQUENCE:3\n" DAY("20260502") "SUMMARY:b"),
         "05-01 a; 05-02 b"},
        /* lines */
        {ENTRY("UID:1\n" DAY("20260501") "SUMMARY:fol\n ded"), "05-01 folded"},
        {ENTRY("UID:1\n" DAY("20260501") "SUMMARY:T\xc3\r\n \xbcr"), "05-01 T\xc3\xbcr"},
        {ENTRY("UID:1\n" DAY("20260501") "SUMMARY:a\x07\x7f"
                                         "b\\nc"),
         "05-01 a  b c"},
        {ENTRY("UID:1\n" DAY("20260501") "LOCATION:\nwhat is this\nSUMMARY:N"), "05-01 N"},
        {ENTRY("UID:1\n" DAY("20260501")), "05-01 (without a name)"},
        {ENTRY("UID:1\n" DAY("20260501") "SUMMARY:a")
             END BEGIN ENTRY("UID:2\n" DAY("20260502") "SUMMARY:b"),
         "05-01 a; 05-02 b"},
        /* what cannot be read is named */
        {ENTRY("UID:1\nSUMMARY:N"), ": the entry \"N\" has no DTSTART that can be read"},
        {ENTRY("UID:1\n" DAY("20261399") "SUMMARY:N"),
         ": the entry \"N\" has no DTSTART that can be read"},
        {ENTRY("UID:1\n" DAY("20260231") "SUMMARY:N"),
         ": the entry \"N\" has no DTSTART that can be read"},
        {ENTRY("UID:1\n" DAY("20260501") "DTEND:soon\nSUMMARY:N"),
         ": the entry \"N\" has no DTEND that can be read"},
        {ENTRY("UID:1\n" DAY("20260501") "RRULE:FREQ=SOMETIMES\nSUMMARY:N"),
         ": the entry \"N\" has no RRULE that can be read"},
        {ENTRY("UID:1\n" DAY("20260501") "EXDATE;VALUE=DATE:never\nSUMMARY:N"),
         ": the entry \"N\" has no EXDATE that can be read"},
        /* what would be counted out for ever */
        {ENTRY("UID:1\nDTSTART:19000101T000000Z\nRRULE:FREQ=SECONDLY\nSUMMARY:N"),
         ": the entry \"N\" recurs within a day, as no holiday does"},
        {ENTRY("UID:1\n" DAY("20260501") "RRULE:FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30\nSUMMARY:N"),
         ": the entry \"N\" recurs within a day, as no holiday does"},
        {ENTRY("UID:1\n" DAY("20200101") "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\nSUMMARY:N"),
         ""},
        {ENTRY("UID:1\n" DAY("20100101") "DTEND;VALUE=DATE:20300101\nRRULE:FREQ=DAILY\nSUMMARY:N"),
         " has more than 20000 days in that time"},
    };
    char text[4096], out[1024];
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        (void)snprintf(text, sizeof text, BEGIN "%s" END, table[i].entries);
        ASSERT_STR(days_of(text, strlen(text), out, sizeof out), table[i].days);
    }
}

static void test_icalendar_what_is_no_feed_is_refused(void **state)
{
    static const struct {
        const char *text;
        size_t bytes;
        const char *says;
    } table[] = {
        {"", 0, " is no iCalendar file (BEGIN:VCALENDAR ...)"},
        {"hello\n", 6, " is no iCalendar file (BEGIN:VCALENDAR ...)"},
        {BEGIN END, sizeof BEGIN END - 1, " holds no VEVENT: is it an iCalendar file?"},
        {BEGIN "SUMMARY:\xfc\n" END, sizeof BEGIN "SUMMARY:x\n" END - 1, " is not in UTF-8"},
        {BEGIN "SUMMARY:\0\n" END, sizeof BEGIN "SUMMARY:x\n" END - 1, " is not in UTF-8"},
    };
    char out[1024];
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        ASSERT_STR(days_of(table[i].text, table[i].bytes, out, sizeof out), table[i].says);
    }
}

/* So many entries as fit, each with others to be compared with; nested without end; one line. */
static void test_icalendar_large_feeds_are_bounded(void **state)
{
    struct dk_buf text;
    char out[256];
    (void)state;
    dk_buf_init(&text, FEED_BYTES);
    (void)dk_buf_append(&text, BEGIN, sizeof BEGIN - 1);
    for (int i = 0; i < 50000; i++) {
        (void)dk_buf_printf(&text, ENTRY("UID:%d\n" DAY("20200501") "RRULE:FREQ=YEARLY"), i);
    }
    (void)dk_buf_append(&text, END, sizeof END - 1);
    ASSERT_STR(days_of(text.data, text.size, out, sizeof out),
               " has more than 20000 days in that time");
    dk_buf_clear(&text);
    for (int i = 0; i < 100000; i++) {
        (void)dk_buf_printf(&text, "BEGIN:VEVENT\n");
    }
    ASSERT_STR(days_of(text.data, text.size, out, sizeof out),
               " is no iCalendar file (BEGIN:VCALENDAR ...)");
    dk_buf_clear(&text);
    (void)dk_buf_printf(&text, BEGIN "BEGIN:VEVENT\n" DAY("20260501") "SUMMARY:");
    while (text.size < DK_ICALENDAR_MAX_BYTES - 100) {
        (void)dk_buf_append(&text, "xxxxxxxxxx", 10);
    }
    (void)dk_buf_printf(&text, "\nEND:VEVENT\n" END);
    ASSERT_EQ(strlen(days_of(text.data, text.size, out, sizeof out)),
              strlen("05-01 ") + DK_ICALENDAR_NAME - 1);
    (void)dk_buf_printf(&text, "%100s", "");
    ASSERT_STR(days_of(text.data, text.size, out, sizeof out), " is larger than 4194304 bytes");
    dk_buf_close(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_icalendar_days_are_those_that_the_feed_means),
        cmocka_unit_test(test_icalendar_what_is_no_feed_is_refused),
        cmocka_unit_test(test_icalendar_large_feeds_are_bounded),
    };
    return cmocka_run_group_tests_name("icalendar", tests, NULL, NULL);
}
