#include "proto/calendar/calendar.h"

#include "tests/lib/assert.h"
#include <string.h>

#define HM(hour, minute) ((hour)*3600 + (minute)*60)
#define NINE_TO_FIVE                                                                               \
    {                                                                                              \
        1,                                                                                         \
        {                                                                                          \
            {                                                                                      \
                HM(9, 0), HM(17, 0)                                                                \
            }                                                                                      \
        }                                                                                          \
    }
#define WITH_LUNCH                                                                                 \
    {                                                                                              \
        2,                                                                                         \
        {                                                                                          \
            {HM(8, 0), HM(12, 0)},                                                                 \
            {                                                                                      \
                HM(13, 0), HM(17, 0)                                                               \
            }                                                                                      \
        }                                                                                          \
    }
#define NIGHT                                                                                      \
    {                                                                                              \
        1,                                                                                         \
        {                                                                                          \
            {                                                                                      \
                HM(22, 0), HM(30, 0)                                                               \
            }                                                                                      \
        }                                                                                          \
    }
#define ROUND_THE_CLOCK                                                                            \
    {                                                                                              \
        1,                                                                                         \
        {                                                                                          \
            {                                                                                      \
                0, HM(24, 0)                                                                       \
            }                                                                                      \
        }                                                                                          \
    }
#define FREE                                                                                       \
    {                                                                                              \
        0                                                                                          \
    }
#define FIVE_DAYS(plan)                                                                            \
    {                                                                                              \
        plan, plan, plan, plan, plan, FREE, FREE                                                   \
    }
#define SEVEN_DAYS(plan)                                                                           \
    {                                                                                              \
        plan, plan, plan, plan, plan, plan, plan                                                   \
    }

static const struct dk_calendar_def office_berlin = {"Europe/Berlin", FIVE_DAYS(NINE_TO_FIVE), NULL,
                                                     0};
static const struct dk_calendar_def lunch_berlin = {"Europe/Berlin", FIVE_DAYS(WITH_LUNCH), NULL,
                                                    0};
static const struct dk_calendar_def night_berlin = {"Europe/Berlin", SEVEN_DAYS(NIGHT), NULL, 0};
static const struct dk_calendar_def always_berlin = {"Europe/Berlin", SEVEN_DAYS(ROUND_THE_CLOCK),
                                                     NULL, 0};
static const struct dk_calendar_def always_apia = {"Pacific/Apia", SEVEN_DAYS(ROUND_THE_CLOCK),
                                                   NULL, 0};
static const struct dk_calendar_def office_utc = {"UTC", FIVE_DAYS(NINE_TO_FIVE), NULL, 0};

static int64_t instant(const char *text)
{
    int64_t us;
    struct dk_err err;
    ASSERT_OK(dk_time_parse(text, &us, NULL, &err), &err);
    return us;
}

static int32_t day_of(const char *date)
{
    return (int32_t)(instant(date) / DK_DAY_US);
}

static struct dk_calendar *compile(const struct dk_calendar_def *def)
{
    struct dk_calendar *calendar;
    struct dk_err err;
    ASSERT_OK(dk_calendar_new(&calendar, def, &err), &err);
    return calendar;
}

#define EXPECT_AT(actual_us, expected)                                                             \
    do {                                                                                           \
        char text_[DK_TIME_TEXT_BYTES];                                                            \
        ASSERT_STR(dk_time_format(actual_us, 0, text_), expected);                                 \
    } while (0)

/* DOMAIN T2 and T4: how much of [a, b) is working time. 2026-02-02 is a Monday. */
static const struct {
    const char *rule;
    const struct dk_calendar_def *def;
    const char *a, *b;
    int64_t minutes;
} counts[] = {
    {"T3 a day", &office_utc, "2026-02-02T00:00:00Z", "2026-02-03T00:00:00Z", 480},
    {"T3 half-open: closing does not count", &office_utc, "2026-02-02T17:00:00Z",
     "2026-02-03T09:00:00Z", 0},
    {"T3 a week", &office_utc, "2026-02-02T00:00:00Z", "2026-02-09T00:00:00Z", 5 * 480},
    {"T3 backwards", &office_utc, "2026-02-03T10:00:00Z", "2026-02-02T16:00:00Z", -120},
    {"T3 a weekend", &office_utc, "2026-02-07T00:00:00Z", "2026-02-08T23:59:00Z", 0},
    {"T4 lunch", &lunch_berlin, "2026-02-02T10:30:00Z", "2026-02-02T12:30:00Z", 60},
    {"T4 within lunch", &lunch_berlin, "2026-02-02T11:10:00Z", "2026-02-02T11:50:00Z", 0},
    {"T4 over midnight", &night_berlin, "2026-02-02T20:00:00Z", "2026-02-03T06:00:00Z", 480},
    {"T4 over midnight, spring", &night_berlin, "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z",
     420},
    {"T4 over midnight, autumn", &night_berlin, "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z",
     540},
    {"T4 24x7, spring", &always_berlin, "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z", 1440},
    {"T4 24x7, autumn", &always_berlin, "2026-10-25T00:00:00Z", "2026-10-26T00:00:00Z", 1440},
    {"T4 24x7, a day that never was", &always_apia, "2011-12-29T00:00:00Z", "2012-01-02T00:00:00Z",
     4 * 1440},
    {"T2 the zone's winter", &office_berlin, "2026-02-02T08:00:00Z", "2026-02-02T09:00:00Z", 60},
    {"T2 the zone's summer", &office_berlin, "2026-07-06T07:00:00Z", "2026-07-06T09:00:00Z", 120},
};

static void test_T3_T4_working_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct dk_calendar *calendar = compile(counts[i].def);
        int64_t us = dk_calendar_biz_us(calendar, instant(counts[i].a), instant(counts[i].b));
        if (us != counts[i].minutes * DK_MINUTE_US)
            fail_msg("%s: %lld us, expected %lld min", counts[i].rule, (long long)us,
                     (long long)counts[i].minutes);
        dk_calendar_free(&calendar);
    }
}

/* DOMAIN T3: when a target is used up. */
static const struct {
    const char *rule;
    const struct dk_calendar_def *def;
    const char *a;
    int64_t minutes;
    const char *due;
} dues[] = {
    {"T3 within a day", &office_utc, "2026-02-02T10:00:00Z", 60, "2026-02-02T11:00:00Z"},
    {"T3 used up at closing time", &office_utc, "2026-02-02T16:00:00Z", 60, "2026-02-02T17:00:00Z"},
    {"T3 from opening to closing", &office_utc, "2026-02-02T09:00:00Z", 480,
     "2026-02-02T17:00:00Z"},
    {"T3 a minute more is next morning", &office_utc, "2026-02-02T16:00:00Z", 61,
     "2026-02-03T09:01:00Z"},
    {"T3 24 h on an 8 h day", &office_utc, "2026-02-02T09:00:00Z", 24 * 60, "2026-02-04T17:00:00Z"},
    {"T3 24 h from a Thursday noon", &office_utc, "2026-02-05T12:00:00Z", 24 * 60,
     "2026-02-10T12:00:00Z"},
    {"T3 from a weekend", &office_utc, "2026-02-07T12:00:00Z", 30, "2026-02-09T09:30:00Z"},
    {"T3 from closing time on", &office_utc, "2026-02-02T17:00:00Z", 1, "2026-02-03T09:01:00Z"},
    {"T3 nothing is due at once, even closed", &office_utc, "2026-02-07T12:00:00Z", 0,
     "2026-02-07T12:00:00Z"},
    {"T3 less than nothing too", &office_utc, "2026-02-07T12:00:00Z", -5, "2026-02-07T12:00:00Z"},
    {"T3 two thousand hours", &office_utc, "2026-02-02T09:00:00Z", 2000 * 60,
     "2027-01-15T17:00:00Z"},
    {"T4 over lunch", &lunch_berlin, "2026-02-02T10:30:00Z", 60, "2026-02-02T12:30:00Z"},
    {"T4 used up as lunch begins", &lunch_berlin, "2026-02-02T10:30:00Z", 30,
     "2026-02-02T11:00:00Z"},
    {"T4 night of spring", &night_berlin, "2026-03-28T21:00:00Z", 420, "2026-03-29T04:00:00Z"},
    {"T4 night of autumn", &night_berlin, "2026-10-24T20:00:00Z", 540, "2026-10-25T05:00:00Z"},
    {"T4 24x7", &always_berlin, "2026-03-28T12:00:00Z", 2880, "2026-03-30T12:00:00Z"},
};

static void test_T3_T4_due(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof dues / sizeof dues[0]; i++) {
        struct dk_calendar *calendar = compile(dues[i].def);
        char text[DK_TIME_TEXT_BYTES];
        dk_time_format(
            dk_calendar_due_us(calendar, instant(dues[i].a), dues[i].minutes * DK_MINUTE_US), 0,
            text);
        if (strcmp(text, dues[i].due) != 0)
            fail_msg("%s: %s, expected %s", dues[i].rule, text, dues[i].due);
        dk_calendar_free(&calendar);
    }
}

/* DOMAIN T2: the working time of one local day whose edges lie in a gap or fold. */
static const struct {
    const char *rule, *zone, *date;
    int32_t from_s, to_s;
    const char *opens, *closes; /* NULL: nothing is left of it */
} edges[] = {
    {"gap, opening", "Europe/Berlin", "2026-03-29", HM(2, 30), HM(4, 0), "2026-03-29T01:00:00Z",
     "2026-03-29T02:00:00Z"},
    {"gap, closing", "Europe/Berlin", "2026-03-29", HM(1, 0), HM(2, 30), "2026-03-29T00:00:00Z",
     "2026-03-29T01:00:00Z"},
    {"gap, both", "Europe/Berlin", "2026-03-29", HM(2, 10), HM(2, 50), NULL, NULL},
    {"fold, opening", "Europe/Berlin", "2026-10-25", HM(2, 30), HM(4, 0), "2026-10-25T00:30:00Z",
     "2026-10-25T03:00:00Z"},
    {"fold, closing", "Europe/Berlin", "2026-10-25", HM(1, 0), HM(2, 30), "2026-10-24T23:00:00Z",
     "2026-10-25T01:30:00Z"},
    {"fold, both", "Europe/Berlin", "2026-10-25", HM(2, 10), HM(2, 20), "2026-10-25T00:10:00Z",
     "2026-10-25T01:20:00Z"},
    {"half an hour's fold", "Australia/Lord_Howe", "2026-04-05", HM(1, 40), HM(3, 0),
     "2026-04-04T14:40:00Z", "2026-04-04T16:30:00Z"},
    {"half an hour's gap", "Australia/Lord_Howe", "2026-10-04", HM(1, 0), HM(2, 20),
     "2026-10-03T14:30:00Z", "2026-10-03T15:30:00Z"},
    {"gap at midnight", "America/Sao_Paulo", "2018-11-04", 0, HM(2, 0), "2018-11-04T03:00:00Z",
     "2018-11-04T04:00:00Z"},
    {"fold after midnight", "America/New_York", "2026-10-31", HM(22, 0), HM(25, 30),
     "2026-11-01T02:00:00Z", "2026-11-01T06:30:00Z"},
    {"no change of clocks", "America/Phoenix", "2026-03-08", HM(2, 10), HM(2, 50),
     "2026-03-08T09:10:00Z", "2026-03-08T09:50:00Z"},
    {"a day that never was", "Pacific/Apia", "2011-12-30", HM(9, 0), HM(17, 0), NULL, NULL},
};

static void test_T2_edges_leave_gaps_and_folds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        struct dk_calendar_exception day = {day_of(edges[i].date),
                                            {1, {{edges[i].from_s, edges[i].to_s}}}};
        struct dk_calendar_def def = {edges[i].zone, SEVEN_DAYS(FREE), &day, 1};
        struct dk_calendar *calendar = NULL;
        if (edges[i].opens == NULL) {
            ASSERT_CODE(dk_calendar_new(&calendar, &def, NULL), DK_EINVAL);
            continue;
        }
        calendar = compile(&def);
        int64_t opens_us = dk_calendar_next_edge_us(calendar, instant("2000-01-01"));
        int64_t closes_us = dk_calendar_next_edge_us(calendar, opens_us);
        char opens[DK_TIME_TEXT_BYTES], closes[DK_TIME_TEXT_BYTES];
        dk_time_format(opens_us, 0, opens);
        dk_time_format(closes_us, 0, closes);
        if (strcmp(opens, edges[i].opens) != 0 || strcmp(closes, edges[i].closes) != 0)
            fail_msg("%s: %s to %s", edges[i].rule, opens, closes);
        ASSERT_EQ(dk_calendar_next_edge_us(calendar, closes_us), INT64_MAX);
        dk_calendar_free(&calendar);
    }
}

/* T2: an exception takes the place of its day; a night shift belongs to the day it begins on. */
static void test_T2_exceptions_replace_their_day(void **state)
{
    (void)state;
    struct dk_calendar_exception days[] = {
        {day_of("2026-12-24"), {1, {{HM(9, 0), HM(12, 0)}}}}, /* a Thursday */
        {day_of("2026-12-25"), FREE},
        {day_of("2026-12-26"), NINE_TO_FIVE}, /* a Saturday made up for */
    };
    struct dk_calendar_def def = office_utc;
    def.exception = days;
    def.exception_count = 3;
    struct dk_calendar *calendar = compile(&def);
    EXPECT_AT(dk_calendar_due_us(calendar, instant("2026-12-24T11:00:00Z"), 2 * DK_HOUR_US),
              "2026-12-26T10:00:00Z");
    ASSERT_EQ(dk_calendar_biz_us(calendar, instant("2026-12-21"), instant("2026-12-28")),
              (24 + 3 + 8) * DK_HOUR_US);
    dk_calendar_free(&calendar);

    struct dk_calendar_exception holiday = {day_of("2026-02-03"), FREE};
    def = night_berlin;
    def.exception = &holiday;
    def.exception_count = 1;
    calendar = compile(&def);
    ASSERT_TRUE(dk_calendar_open(calendar, instant("2026-02-03T04:59:59Z")));
    ASSERT_TRUE(!dk_calendar_open(calendar, instant("2026-02-03T23:00:00Z")));
    EXPECT_AT(dk_calendar_next_edge_us(calendar, instant("2026-02-03T05:00:00Z")),
              "2026-02-04T21:00:00Z");
    dk_calendar_free(&calendar);
}

static void test_calendar_joins_what_touches_or_overlaps(void **state)
{
    (void)state;
    struct dk_calendar_def def = {
        "UTC",
        {{2, {{HM(8, 0), HM(12, 0)}, {HM(12, 0), HM(26, 0)}}}, {1, {{HM(1, 0), HM(3, 0)}}}},
        NULL,
        0};
    struct dk_calendar *calendar = compile(&def);
    EXPECT_AT(dk_calendar_next_edge_us(calendar, instant("2026-02-02")), "2026-02-02T08:00:00Z");
    EXPECT_AT(dk_calendar_next_edge_us(calendar, instant("2026-02-02T08:00:00Z")),
              "2026-02-03T03:00:00Z");
    ASSERT_EQ(dk_calendar_biz_us(calendar, instant("2026-02-02"), instant("2026-02-09")),
              19 * DK_HOUR_US);
    dk_calendar_free(&calendar);
}

static void test_T2_half_open(void **state)
{
    (void)state;
    struct dk_calendar *calendar = compile(&office_utc);
    int64_t opening_us = instant("2026-02-02T09:00:00Z"), closing_us = opening_us + 8 * DK_HOUR_US;
    ASSERT_EQ(dk_calendar_open(calendar, opening_us - 1), 0);
    ASSERT_EQ(dk_calendar_open(calendar, opening_us), 1);
    ASSERT_EQ(dk_calendar_open(calendar, closing_us - 1), 1);
    ASSERT_EQ(dk_calendar_open(calendar, closing_us), 0);
    ASSERT_EQ(dk_calendar_next_edge_us(calendar, opening_us - 1), opening_us);
    ASSERT_EQ(dk_calendar_next_edge_us(calendar, opening_us), closing_us);
    ASSERT_EQ(dk_calendar_next_edge_us(calendar, closing_us - 1), closing_us);
    ASSERT_EQ(dk_calendar_next_edge_us(calendar, closing_us), opening_us + DK_DAY_US);
    ASSERT_EQ(dk_calendar_biz_us(calendar, opening_us - 1, opening_us + 1), 1);
    ASSERT_EQ(dk_calendar_due_us(calendar, closing_us - 1, 2), opening_us + DK_DAY_US + 1);
    dk_calendar_free(&calendar);
    ASSERT_TRUE(calendar == NULL);
    dk_calendar_free(&calendar);
}

/* Outside 1990..2100 nothing is guessed; the range's ends are no edges. */
static void expect_nothing_outside(const struct dk_calendar *calendar)
{
    int64_t begin_us = instant("1990-01-01"), end_us = instant("2100-01-01");
    ASSERT_EQ(dk_calendar_biz_us(calendar, begin_us - 1, begin_us), INT64_MIN);
    ASSERT_EQ(dk_calendar_biz_us(calendar, begin_us, end_us + 1), INT64_MIN);
    ASSERT_EQ(dk_calendar_biz_us(calendar, INT64_MIN, INT64_MAX), INT64_MIN);
    ASSERT_EQ(dk_calendar_due_us(calendar, begin_us - 1, 1), INT64_MAX);
    ASSERT_EQ(dk_calendar_due_us(calendar, INT64_MAX, 1), INT64_MAX);
    ASSERT_EQ(dk_calendar_due_us(calendar, begin_us, 111 * 366 * DK_DAY_US), INT64_MAX);
    ASSERT_EQ(dk_calendar_due_us(calendar, end_us - 1, INT64_MAX), INT64_MAX);
    ASSERT_EQ(dk_calendar_open(calendar, begin_us - 1), 0);
    ASSERT_EQ(dk_calendar_open(calendar, end_us), 0);
    ASSERT_EQ(dk_calendar_next_edge_us(calendar, begin_us - 1), INT64_MAX);
    ASSERT_EQ(dk_calendar_next_edge_us(calendar, end_us - 1), INT64_MAX);
}

static void test_calendar_guesses_nothing_outside_its_range(void **state)
{
    (void)state;
    const struct dk_calendar_def *const defs[] = {&office_berlin, &night_berlin, &always_berlin};
    for (size_t i = 0; i < sizeof defs / sizeof defs[0]; i++) {
        struct dk_calendar *calendar = compile(defs[i]);
        expect_nothing_outside(calendar);
        dk_calendar_free(&calendar);
    }
    expect_nothing_outside(dk_calendar_always());
}

static void test_T4_round_the_clock(void **state)
{
    (void)state;
    struct dk_calendar *compiled = compile(&always_apia);
    const struct dk_calendar *const calendars[] = {dk_calendar_always(), compiled};
    int64_t begin_us = instant("1990-01-01"), a_us = instant("2026-02-02T03:04:05.678Z");
    for (int i = 0; i < 2; i++) {
        ASSERT_EQ(dk_calendar_biz_us(calendars[i], a_us, a_us + 12345), 12345);
        ASSERT_EQ(dk_calendar_biz_us(calendars[i], a_us, begin_us), begin_us - a_us);
        ASSERT_EQ(dk_calendar_due_us(calendars[i], a_us, 1234567), a_us + 1234567);
        ASSERT_EQ(dk_calendar_open(calendars[i], a_us), 1);
        ASSERT_EQ(dk_calendar_next_edge_us(calendars[i], a_us), INT64_MAX);
    }
    dk_calendar_free(&compiled);
}

static void expect_refused(const struct dk_calendar_def *def, int code, const char *message)
{
    struct dk_calendar *calendar = NULL;
    struct dk_err err;
    ASSERT_CODE(dk_calendar_new(&calendar, def, &err), code);
    ASSERT_CONTAINS(err.message, message);
    ASSERT_TRUE(calendar == NULL);
}

static void test_calendar_refuses_plans(void **state)
{
    (void)state;
    static const struct dk_day_plan plans[] = {
        {-1, {{0}}},
        {DK_CALENDAR_DAY_INTERVALS + 1, {{0}}},
        {1, {{-1, HM(8, 0)}}},
        {1, {{HM(24, 0), HM(25, 0)}}},
        {1, {{HM(9, 0), HM(9, 0)}}},
        {1, {{HM(9, 0), HM(8, 0)}}},
        {1, {{HM(9, 0), HM(33, 0) + 1}}},
        {1, {{HM(9, 0), INT32_MAX}}},
        {2, {{HM(9, 0), HM(12, 0)}, {HM(11, 0), HM(13, 0)}}},
        {2, {{HM(13, 0), HM(17, 0)}, {HM(8, 0), HM(12, 0)}}},
    };
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        struct dk_calendar_def def = office_utc;
        def.weekday[3] = plans[i];
        expect_refused(&def, DK_EINVAL, "Thursday");
        struct dk_calendar_exception day = {day_of("2026-12-24"), plans[i]};
        def = office_utc;
        def.exception = &day;
        def.exception_count = 1;
        expect_refused(&def, DK_EINVAL, "2026-12-24");
    }
}

static void test_T4_refuses_definitions(void **state)
{
    (void)state;
    struct dk_calendar_def def = {"UTC", SEVEN_DAYS(FREE), NULL, 0};
    expect_refused(&def, DK_EINVAL, "no working time"); /* T4 */

    struct dk_calendar_exception days[] = {{day_of("2026-12-25"), NINE_TO_FIVE},
                                           {day_of("2026-12-24"), FREE}};
    def = office_utc;
    def.exception = days;
    def.exception_count = 2;
    expect_refused(&def, DK_EINVAL, "2026-12-24");
    days[1].day = days[0].day;
    expect_refused(&def, DK_EINVAL, "2026-12-25");

    def.exception_count = DK_CALENDAR_MAX_EXCEPTIONS + 1;
    expect_refused(&def, DK_EINVAL, "exceptions");

    def = office_utc;
    def.zone = "Mars/Olympus";
    expect_refused(&def, DK_ENOTFOUND, "Mars/Olympus");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_T3_T4_working_time),
        cmocka_unit_test(test_T3_T4_due),
        cmocka_unit_test(test_T2_edges_leave_gaps_and_folds),
        cmocka_unit_test(test_T2_exceptions_replace_their_day),
        cmocka_unit_test(test_calendar_joins_what_touches_or_overlaps),
        cmocka_unit_test(test_T2_half_open),
        cmocka_unit_test(test_calendar_guesses_nothing_outside_its_range),
        cmocka_unit_test(test_T4_round_the_clock),
        cmocka_unit_test(test_calendar_refuses_plans),
        cmocka_unit_test(test_T4_refuses_definitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
