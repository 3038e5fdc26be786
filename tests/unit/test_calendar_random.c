/* DOMAIN T2 and T3 as a property: random calendars against a count minute by minute, over three
 * weeks around a change of clocks, with civil times from the C library. */
#include "proto/calendar/calendar.h"

#include "tests/lib/assert.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t instant(const char *text)
{
    int64_t us;
    struct dk_err err;
    ASSERT_OK(dk_time_parse(text, &us, NULL, &err), &err);
    return us;
}

static struct dk_calendar *compile(const struct dk_calendar_def *def)
{
    struct dk_calendar *calendar;
    struct dk_err err;
    ASSERT_OK(dk_calendar_new(&calendar, def, &err), &err);
    return calendar;
}

#define MINUTES (21 * 24 * 60)

static const struct {
    const char *zone;
    const char *from; /* UTC */
} windows[] = {
    {"Europe/Berlin", "2026-03-19"},       {"Europe/Berlin", "2026-10-15"},
    {"America/New_York", "2026-02-26"},    {"America/New_York", "2026-10-22"},
    {"Australia/Sydney", "2026-03-26"},    {"Australia/Adelaide", "2026-09-24"},
    {"Australia/Lord_Howe", "2026-03-26"}, {"Australia/Lord_Howe", "2026-09-24"},
    {"America/Sao_Paulo", "2018-10-25"},   {"America/Phoenix", "2026-03-01"},
    {"Asia/Kolkata", "2026-03-19"},        {"Europe/Dublin", "2090-10-19"},
};

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static int64_t random_below(uint64_t *seed, int64_t bound)
{
    return (int64_t)(next_random(seed) % (uint64_t)bound);
}

/* Up to four intervals on minutes, the last perhaps over midnight. */
static struct dk_day_plan random_plan(uint64_t *seed)
{
    struct dk_day_plan plan = {0};
    int32_t at_s = 0;
    int wanted = (int)random_below(seed, 5);
    while (plan.count < wanted) {
        int32_t from_s = at_s + 60 * (int32_t)random_below(seed, 500);
        if (from_s >= 86400)
            break;
        int32_t to_s = from_s + 60 * (1 + (int32_t)random_below(seed, 600));
        plan.interval[plan.count++] = (struct dk_day_interval){from_s, to_s};
        at_s = to_s;
    }
    return plan;
}

struct oracle {
    int64_t from_us;
    int64_t local_s[MINUTES]; /* what the zone's clocks show at each minute, as if UTC */
    bool open[MINUTES];
    int64_t before[MINUTES + 1]; /* open minutes before each */
};

static void read_clocks(struct oracle *oracle, const char *zone, const char *from)
{
    oracle->from_us = instant(from);
    setenv("TZ", zone, 1);
    tzset();
    for (int i = 0; i < MINUTES; i++) {
        struct tm tm;
        time_t at_s = (time_t)(oracle->from_us / DK_SECOND_US) + i * 60;
        assert_non_null(localtime_r(&at_s, &tm));
        oracle->local_s[i] = at_s + tm.tm_gmtoff;
    }
    unsetenv("TZ");
    tzset();
}

/* T2, by looking at every minute's clock: opened from the first that shows the opening or later,
 * until the last that shows the closing or earlier; the closing itself is outside. */
static void mark(struct oracle *oracle, int64_t opening_s, int64_t closing_s)
{
    int opens = 0, closes = MINUTES - 1;
    while (opens < MINUTES && oracle->local_s[opens] < opening_s)
        opens++;
    while (closes >= 0 && oracle->local_s[closes] > closing_s)
        closes--;
    closes += closes >= 0 && oracle->local_s[closes] < closing_s;
    for (int i = opens; i < closes; i++)
        oracle->open[i] = true;
}

static void count_minutes(struct oracle *oracle, const struct dk_calendar_def *def)
{
    int64_t first = oracle->from_us / DK_DAY_US - 3;
    memset(oracle->open, 0, sizeof oracle->open);
    for (int64_t day = first; day < first + MINUTES / 1440 + 6; day++) {
        const struct dk_day_plan *plan = &def->weekday[dk_weekday_of_days(day)];
        for (size_t i = 0; i < def->exception_count; i++)
            if (def->exception[i].day == day)
                plan = &def->exception[i].plan;
        for (int i = 0; i < plan->count; i++)
            mark(oracle, day * 86400 + plan->interval[i].from_s,
                 day * 86400 + plan->interval[i].to_s);
    }
    oracle->before[0] = 0;
    for (int i = 0; i < MINUTES; i++)
        oracle->before[i + 1] = oracle->before[i] + oracle->open[i];
}

/* Open time from the window's begin to an instant of it. */
static int64_t counted_us(const struct oracle *oracle, int64_t after_us)
{
    int64_t minute = after_us / DK_MINUTE_US;
    return oracle->before[minute] * DK_MINUTE_US +
           (oracle->open[minute] ? after_us % DK_MINUTE_US : 0);
}

static void check_minutes(const struct oracle *oracle, const struct dk_calendar *calendar)
{
    int64_t edge_us = INT64_MAX; /* of the window; unknown after its last */
    for (int i = MINUTES - 1; i >= 0; i--) {
        int64_t at_us = oracle->from_us + i * DK_MINUTE_US;
        if (i + 1 < MINUTES && oracle->open[i] != oracle->open[i + 1])
            edge_us = at_us + DK_MINUTE_US;
        ASSERT_EQ(dk_calendar_open(calendar, at_us), oracle->open[i]);
        if (edge_us != INT64_MAX)
            ASSERT_EQ(dk_calendar_next_edge_us(calendar, at_us + 1), edge_us);
    }
}

static void check_spans(const struct oracle *oracle, const struct dk_calendar *calendar,
                        uint64_t *seed)
{
    int64_t window_us = MINUTES * DK_MINUTE_US;
    for (int i = 0; i < 200; i++) {
        int64_t a_us = random_below(seed, window_us), b_us = random_below(seed, window_us);
        int64_t biz_us = counted_us(oracle, b_us) - counted_us(oracle, a_us);
        ASSERT_EQ(dk_calendar_biz_us(calendar, oracle->from_us + a_us, oracle->from_us + b_us),
                  biz_us);

        int64_t left_us = counted_us(oracle, window_us - 1) - counted_us(oracle, a_us);
        if (left_us <= 0)
            continue;
        int64_t target_us = 1 + random_below(seed, left_us);
        if (i % 2 == 0) /* exactly at a minute's end, where closing times lie */
            target_us +=
                DK_MINUTE_US - 1 - (counted_us(oracle, a_us) + target_us - 1) % DK_MINUTE_US;
        if (target_us > left_us)
            continue;
        int64_t minute = a_us / DK_MINUTE_US, used_us = counted_us(oracle, a_us) + target_us;
        while (oracle->before[minute + 1] * DK_MINUTE_US < used_us)
            minute++;
        int64_t due_us = minute * DK_MINUTE_US + used_us - oracle->before[minute] * DK_MINUTE_US;
        ASSERT_EQ(dk_calendar_due_us(calendar, oracle->from_us + a_us, target_us),
                  oracle->from_us + due_us);
    }
}

static void test_calendar_agrees_with_a_count_by_minutes(void **state)
{
    (void)state;
    static struct oracle oracle;
    for (size_t w = 0; w < sizeof windows / sizeof windows[0]; w++) {
        read_clocks(&oracle, windows[w].zone, windows[w].from);
        for (uint64_t n = 1; n <= 4; n++) {
            uint64_t seed = n * 0x9e3779b97f4a7c15u + w;
            struct dk_calendar_exception days[3];
            struct dk_calendar_def def = {windows[w].zone, {{0}}, days, 3};
            for (int i = 0; i < 7; i++)
                def.weekday[i] = random_plan(&seed);
            def.weekday[6] = (struct dk_day_plan){
                1, {{22 * 3600, 30 * 3600}}}; /* into and over the nights of change */
            for (int i = 0; i < 3; i++)
                days[i] = (struct dk_calendar_exception){
                    (int32_t)(oracle.from_us / DK_DAY_US) + 9 + i, random_plan(&seed)};
            struct dk_calendar *calendar = compile(&def);
            count_minutes(&oracle, &def);
            check_minutes(&oracle, calendar);
            check_spans(&oracle, calendar, &seed);
            dk_calendar_free(&calendar);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calendar_agrees_with_a_count_by_minutes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
