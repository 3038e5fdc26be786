/* DOMAIN T2 and T3 as a property: random calendars, with edges on any second, against a count of
 * every second over five years, with civil times from the C library. */
#include "proto/calendar/calendar.h"

#include "tests/lib/assert.h"
#include "tests/lib/random.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAYS        (5 * 365 + 2)
#define SECONDS     (DAYS * INT64_C(86400))
#define QUARTER_S   900 /* no zone's clocks change within one */
#define WORDS       (SECONDS / 64)
#define CHANGE_S    (3 * 3600) /* more than clocks ever change by */
#define CLOCK(h, m) (((h)*60 + (m)) * 60)
#define LOOK_UPS    20000
#define STRIDE_S    61
#define DAY_S       INT64_C(86400)

static const struct {
    const char *zone;
    const char *from; /* UTC */
} windows[] = {
    {"Europe/Berlin", "2024-01-01"},       {"America/New_York", "2024-01-01"},
    {"Australia/Adelaide", "2024-01-01"},  /* the south, at a half hour */
    {"Australia/Lord_Howe", "2024-01-01"}, /* clocks change by half an hour */
    {"America/Sao_Paulo", "2014-07-01"},   /* they change at midnight, and then no more */
    {"Asia/Kolkata", "2024-01-01"},        /* a half hour, and no change */
    {"America/Phoenix", "2024-01-01"},     {"Africa/Casablanca", "2022-01-01"},
    {"Europe/Dublin", "2088-01-01"}, /* winter is what deviates there; by rule, not by table */
};

struct oracle {
    int64_t from_s;
    int32_t offset_s[SECONDS / QUARTER_S]; /* of each quarter of an hour */
    uint64_t open[WORDS];                  /* a bit a second */
    uint32_t before[WORDS + 1];            /* open seconds before each word */
};

static void read_clocks(struct oracle *oracle, const char *zone, const char *from)
{
    int64_t from_us;
    struct dk_err err;
    ASSERT_OK(dk_time_parse(from, &from_us, NULL, &err), &err);
    oracle->from_s = from_us / DK_SECOND_US;
    setenv("TZ", zone, 1);
    tzset();
    for (int64_t i = 0; i < SECONDS / QUARTER_S; i++) {
        struct tm tm;
        time_t at_s = (time_t)(oracle->from_s + i * QUARTER_S);
        assert_non_null(localtime_r(&at_s, &tm));
        oracle->offset_s[i] = (int32_t)tm.tm_gmtoff;
    }
    unsetenv("TZ");
    tzset();
}

static int64_t within(int64_t i, int64_t last)
{
    return i < 0 ? 0 : i > last ? last : i;
}

/* What the zone's clocks show at a second of the window, as if it were UTC. */
static int64_t shown_s(const struct oracle *oracle, int64_t i)
{
    return oracle->from_s + i + oracle->offset_s[i / QUARTER_S];
}

/* The second at about which the clocks show `local_s`, less what they may change by. */
static int64_t begin_looking(const struct oracle *oracle, int64_t local_s)
{
    int64_t i = local_s - oracle->from_s;
    return within(i - oracle->offset_s[within(i, SECONDS - 1) / QUARTER_S] - CHANGE_S, SECONDS);
}

/* T2, by looking at every second's clock: open from the first that shows the opening or later,
 * until the last that shows the closing or earlier; the closing itself is outside. */
static void mark(struct oracle *oracle, int64_t opening_s, int64_t closing_s)
{
    int64_t opens = begin_looking(oracle, opening_s), closes = begin_looking(oracle, closing_s);
    int64_t last = within(closes + 2 * CHANGE_S, SECONDS - 1);
    while (opens < SECONDS && shown_s(oracle, opens) < opening_s)
        opens++;
    for (closes = last; closes >= 0 && shown_s(oracle, closes) > closing_s;)
        closes--;
    closes += closes >= 0 && shown_s(oracle, closes) < closing_s;
    for (int64_t i = opens; i < closes; i++)
        oracle->open[i / 64] |= UINT64_C(1) << (i % 64);
}

static void count_seconds(struct oracle *oracle, const struct dk_calendar_def *def)
{
    int64_t first = oracle->from_s / DAY_S - 3;
    size_t next = 0;
    memset(oracle->open, 0, sizeof oracle->open);
    for (int64_t day = first; day < first + DAYS + 6; day++) {
        const struct dk_day_plan *plan = &def->weekday[dk_weekday_of_days(day)];
        while (next < def->exception_count && def->exception[next].day < day)
            next++;
        if (next < def->exception_count && def->exception[next].day == day)
            plan = &def->exception[next].plan;
        for (int i = 0; i < plan->count; i++)
            mark(oracle, day * DAY_S + plan->interval[i].from_s,
                 day * DAY_S + plan->interval[i].to_s);
    }
    for (size_t i = 0; i < WORDS; i++)
        oracle->before[i + 1] = oracle->before[i] + (unsigned)__builtin_popcountll(oracle->open[i]);
}

static bool is_open(const struct oracle *oracle, int64_t i)
{
    return (oracle->open[i / 64] >> (i % 64) & 1) != 0;
}

/* Open time from the window's begin to an instant of it. */
static int64_t counted_us(const struct oracle *oracle, int64_t after_us)
{
    int64_t i = after_us / DK_SECOND_US;
    uint64_t earlier = (UINT64_C(1) << (i % 64)) - 1;
    int64_t whole =
        (int64_t)oracle->before[i / 64] + __builtin_popcountll(oracle->open[i / 64] & earlier);
    return whole * DK_SECOND_US + (is_open(oracle, i) ? after_us % DK_SECOND_US : 0);
}

/* The first instant by which so much is counted. */
static int64_t reached_us(const struct oracle *oracle, int64_t wanted_us)
{
    int64_t low = 0, high = SECONDS - 1; /* the second in which it is reached */
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (counted_us(oracle, (middle + 1) * DK_SECOND_US) >= wanted_us)
            high = middle;
        else
            low = middle + 1;
    }
    return low * DK_SECOND_US + wanted_us - counted_us(oracle, low * DK_SECOND_US);
}

/* All through the window; and at each edge, which the calendar must see to the second. */
static void check_stretches(const struct oracle *oracle, const struct dk_calendar *calendar)
{
    int64_t from_us = oracle->from_s * DK_SECOND_US;
    for (int64_t i = 0; i < SECONDS; i += STRIDE_S) {
        int64_t at_us = from_us + i * DK_SECOND_US;
        ASSERT_EQ(dk_calendar_biz_us(calendar, from_us, at_us),
                  counted_us(oracle, i * DK_SECOND_US));
        ASSERT_EQ(dk_calendar_open(calendar, at_us), is_open(oracle, i));
    }
    int64_t edge_us = dk_calendar_next_edge_us(calendar, from_us);
    for (int64_t i = 1; i < SECONDS; i++) {
        if ((i % 64 == 0 && (oracle->open[i / 64] == 0 || oracle->open[i / 64] == UINT64_MAX) &&
             is_open(oracle, i) == is_open(oracle, i - 1)))
            i += 63; /* nothing changes within this word, nor at its begin */
        else if (is_open(oracle, i) != is_open(oracle, i - 1)) {
            ASSERT_EQ(edge_us, from_us + i * DK_SECOND_US);
            edge_us = dk_calendar_next_edge_us(calendar, edge_us);
        }
    }
}

static void check_look_ups(const struct oracle *oracle, const struct dk_calendar *calendar,
                           struct test_random *random)
{
    int64_t from_us = oracle->from_s * DK_SECOND_US, window_us = (SECONDS - 1) * DK_SECOND_US;
    for (int i = 0; i < LOOK_UPS; i++) {
        int64_t a_us = (int64_t)test_random_below(random, (uint64_t)window_us);
        int64_t b_us = (int64_t)test_random_below(random, (uint64_t)window_us);
        int64_t before_us = counted_us(oracle, a_us);
        ASSERT_EQ(dk_calendar_biz_us(calendar, from_us + a_us, from_us + b_us),
                  counted_us(oracle, b_us) - before_us);
        int64_t left_us = counted_us(oracle, window_us) - before_us;
        if (left_us <= 0)
            continue;
        int64_t target_us = 1 + (int64_t)test_random_below(random, (uint64_t)left_us);
        if (i % 2 == 0) /* on a whole second, where closing times lie */
            target_us += (DK_SECOND_US - (before_us + target_us) % DK_SECOND_US) % DK_SECOND_US;
        if (target_us <= left_us)
            ASSERT_EQ(dk_calendar_due_us(calendar, from_us + a_us, target_us),
                      from_us + reached_us(oracle, before_us + target_us));
    }
}

/* Up to four intervals, the last perhaps over midnight. */
static struct dk_day_plan random_plan(struct test_random *random)
{
    struct dk_day_plan plan = {0};
    int32_t at_s = 0;
    int wanted = (int)test_random_below(random, 5);
    while (plan.count < wanted) {
        int32_t from_s = at_s + (int32_t)test_random_below(random, 30000);
        if (from_s >= DAY_S)
            break;
        int32_t to_s = from_s + 1 + (int32_t)test_random_below(random, 36000);
        plan.interval[plan.count++] = (struct dk_day_interval){from_s, to_s};
        at_s = to_s;
    }
    return plan;
}

static void test_calendar_agrees_with_a_count_of_seconds(void **state)
{
    (void)state;
    struct oracle *oracle = calloc(1, sizeof *oracle);
    assert_non_null(oracle);
    for (size_t w = 0; w < sizeof windows / sizeof windows[0]; w++) {
        struct test_random random = {w + 1};
        struct dk_calendar_exception days[DAYS / 50];
        struct dk_calendar_def def = {windows[w].zone, {{0}}, days, sizeof days / sizeof days[0]};
        struct dk_calendar *calendar;
        struct dk_err err;
        read_clocks(oracle, windows[w].zone, windows[w].from);
        for (int i = 0; i < 7; i++)
            def.weekday[i] = random_plan(&random);
        /* Clocks change in these nights: edges at either side of it, and within. */
        def.weekday[5] = (struct dk_day_plan){3,
                                              {{CLOCK(9, 0), CLOCK(12, 0)},
                                               {CLOCK(22, 30), CLOCK(23, 20)},
                                               {CLOCK(23, 40), CLOCK(24, 10)}}};
        def.weekday[6] = (struct dk_day_plan){4,
                                              {{CLOCK(0, 20), CLOCK(1, 40)},
                                               {CLOCK(1, 50), CLOCK(2, 20)},
                                               {CLOCK(2, 40), CLOCK(3, 30)},
                                               {CLOCK(22, 0), CLOCK(30, 0)}}};
        for (size_t i = 0; i < def.exception_count; i++)
            days[i] =
                (struct dk_calendar_exception){(int32_t)(oracle->from_s / DAY_S + (int64_t)i * 50 +
                                                         (int64_t)test_random_below(&random, 50)),
                                               random_plan(&random)};
        ASSERT_OK(dk_calendar_new(&calendar, &def, &err), &err);
        count_seconds(oracle, &def);
        check_stretches(oracle, calendar);
        check_look_ups(oracle, calendar, &random);
        dk_calendar_free(&calendar);
    }
    free(oracle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calendar_agrees_with_a_count_of_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
