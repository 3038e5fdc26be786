/* S12: when clocks warn, at levels and at fixed offsets, in business time; and what clocks tell of
 * themselves: segments, and what made them due when they are (S1, S2, S6). */
#include "tests/lib/assert.h"
#include "tests/unit/clocks_fixture.h"

static void add_offset(Docket__PolicyDefined *policy, int64_t before_us)
{
    if (policy->n_warn_before_us == 0)
        policy->warn_before_us = test_memory(8 * sizeof *policy->warn_before_us);
    policy->warn_before_us[policy->n_warn_before_us++] = (uint64_t)before_us;
}

/* When the offset's warning is due; 0: there is none. */
static int64_t offset_due_us(const struct dk_clock *clock, int64_t before_us)
{
    for (uint32_t i = 0; i < clock->warning_count; i++)
        if (clock->warning[i].before_us == before_us)
            return clock->warning[i].due_us;
    return 0;
}

static void test_S12_offsets_count_business_time(void **state)
{
    static const struct {
        const char *opened;
        int64_t target_us, before_us;
        const char *due; /* NULL: no warning */
    } cases[] = {
        {"13:00", 4 * DK_HOUR_US, DK_HOUR_US / 2, "16:30"},
        {"13:00", 4 * DK_HOUR_US, 2 * DK_HOUR_US, "15:00"},
        {"16:00", 4 * DK_HOUR_US, 2 * DK_HOUR_US, "2026-03-03T10:00:00Z"},
        {"13:00", 6 * DK_HOUR_US, 2 * DK_HOUR_US, "17:00"}, /* as T3: not the next morning */
        {"2026-03-06T16:00:00Z", 4 * DK_HOUR_US, 2 * DK_HOUR_US, "2026-03-09T10:00:00Z"},
        {"18:00", 4 * DK_HOUR_US, 4 * DK_HOUR_US - 1, "2026-03-03T09:00:00.000001Z"},
        {"13:00", 2 * DK_HOUR_US, 2 * DK_HOUR_US, NULL}, /* never is so much left */
        {"13:00", DK_HOUR_US, 2 * DK_HOUR_US, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story s;
        story_begin(&s);
        uint64_t office = has_calendar(&s, "office", "UTC", 9, 17, LONG_AGO);
        Docket__PolicyDefined *policy = promised(RESOLUTION, cases[i].target_us, office);
        add_offset(policy, cases[i].before_us);
        has_policy(&s, policy, LONG_AGO);
        opened(&s, at(cases[i].opened), NORMAL);
        const struct dk_clock *clock = clock_until(&s, LATER, RESOLUTION, 1);
        ASSERT_EQ(offset_due_us(clock, cases[i].before_us),
                  cases[i].due != NULL ? at(cases[i].due) : 0);
        story_end(&s);
    }
}

/* Levels and offsets stand in the order in which they come; what is wanted twice is one. */
static void test_S12_order(void **state)
{
    static const struct {
        uint32_t level;
        int64_t before_us;
        const char *due;
    } expected[] = {
        {50, 0, "12:00"}, {0, DK_HOUR_US, "13:00"}, {90, 0, "13:36"}, {0, DK_MINUTE_US, "13:59"}};
    struct story *s = *state;
    Docket__PolicyDefined *policy = promised(RESOLUTION, 4 * DK_HOUR_US, 0);
    add_offset(policy, DK_MINUTE_US);
    add_warning(policy, 90);
    add_offset(policy, DK_HOUR_US);
    add_warning(policy, 50);
    add_warning(policy, 50);
    add_offset(policy, DK_HOUR_US);
    has_policy(s, policy, LONG_AGO);
    opened(s, at("10:00"), NORMAL);
    const struct dk_clock *clock = clock_until(s, at("10:00"), RESOLUTION, 1);
    ASSERT_EQ(clock->warning_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        ASSERT_EQ(clock->warning[i].level, expected[i].level);
        ASSERT_EQ(clock->warning[i].before_us, expected[i].before_us);
        ASSERT_EQ(clock->warning[i].due_us, at(expected[i].due));
    }
}

/* A paused clock does not warn: what was not reached comes later by the pause. */
static void test_S12_paused_clocks_do_not_warn(void **state)
{
    struct story *s = *state;
    Docket__PolicyDefined *policy = promised(RESOLUTION, 4 * DK_HOUR_US, 0);
    add_offset(policy, DK_HOUR_US);
    add_warning(policy, 25);
    add_pause(policy, CUSTOMER);
    has_policy(s, policy, LONG_AGO);
    opened(s, at("10:00"), NORMAL);
    pending(s, at("12:00"), CUSTOMER);
    const struct dk_clock *clock = clock_until(s, at("20:00"), RESOLUTION, 1);
    ASSERT_EQ(clock->warning[0].due_us, at("11:00")); /* reached, and it stays so */
    ASSERT_EQ(offset_due_us(clock, DK_HOUR_US), INT64_MAX);
    customer_writes(s, at("20:00"));
    clock = clock_until(s, at("20:00"), RESOLUTION, 1);
    ASSERT_EQ(clock->warning[0].due_us, at("11:00"));
    ASSERT_EQ(offset_due_us(clock, DK_HOUR_US), at("21:00"));
}

/* S6: 3 h from 10:00, half an hour before the end; at 11:00 another target. */
static void test_S12_after_a_change_of_goal(void **state)
{
    static const struct {
        int64_t target_us;
        Docket__ChangeMode mode;
        const char *changed, *due;
    } cases[] = {
        {2 * DK_HOUR_US, DOCKET__CHANGE_MODE__CHANGE_CARRY, "11:00", "11:30"},
        {5 * DK_HOUR_US, DOCKET__CHANGE_MODE__CHANGE_CARRY, "11:00", "14:30"},
        {2 * DK_HOUR_US, DOCKET__CHANGE_MODE__CHANGE_RESET, "11:00", "12:30"},
        /* Nearer than that at once: due at the change. */
        {2 * DK_HOUR_US, DOCKET__CHANGE_MODE__CHANGE_CARRY, "11:45", "11:45"},
        /* What was reached is not reached again. */
        {9 * DK_HOUR_US, DOCKET__CHANGE_MODE__CHANGE_CARRY, "12:45", "12:30"},
        {9 * DK_HOUR_US, DOCKET__CHANGE_MODE__CHANGE_RESET, "12:45", "12:30"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story s;
        Docket__PolicyDefined *policy = promised(RESOLUTION, 3 * DK_HOUR_US, 0);
        story_begin(&s);
        add_goal(policy, RESOLUTION, HIGH, cases[i].target_us);
        add_offset(policy, DK_HOUR_US / 2);
        policy->has_on_change = 1;
        policy->on_change = cases[i].mode;
        has_policy(&s, policy, LONG_AGO);
        opened(&s, at("10:00"), NORMAL);
        reprioritized(&s, at(cases[i].changed), HIGH);
        const struct dk_clock *clock = clock_until(&s, at(cases[i].changed), RESOLUTION, 1);
        ASSERT_EQ(offset_due_us(clock, DK_HOUR_US / 2), at(cases[i].due));
        story_end(&s);
    }
}

/* S9: after a reopening it comes when so much is left again, unless it came before. */
static void test_S12_after_a_reopening(void **state)
{
    struct story *s = *state;
    Docket__PolicyDefined *policy = promised(RESOLUTION, 4 * DK_HOUR_US, 0);
    add_offset(policy, 3 * DK_HOUR_US);
    add_offset(policy, DK_HOUR_US);
    has_policy(s, policy, LONG_AGO);
    opened(s, at("08:00"), NORMAL);
    solved(s, at("10:00"));
    ASSERT_EQ(offset_due_us(clock_until(s, at("14:00"), RESOLUTION, 1), DK_HOUR_US), INT64_MAX);
    reopened(s, at("14:00"));
    const struct dk_clock *clock = clock_until(s, at("14:00"), RESOLUTION, 1);
    ASSERT_EQ(offset_due_us(clock, 3 * DK_HOUR_US), at("09:00"));
    ASSERT_EQ(offset_due_us(clock, DK_HOUR_US), at("15:00"));
}

/* Segments follow each other, say which event began them, and add up; dues say what each rests on:
 * 3 h by the office's hours, a pause, raised to 2 h, a reopening. */
static void test_S1_what_made_it_due(void **state)
{
    static const struct {
        enum dk_foreseen_why why;
        const char *at, *due;
        int64_t target_us, used_us;
        uint64_t cause;
    } expected[] = {
        {DK_FORESEEN_STARTED, "10:00", "13:00", 3 * DK_HOUR_US, 0, 3},
        {DK_FORESEEN_RESUMED, "12:00", "14:00", 3 * DK_HOUR_US, DK_HOUR_US, 5},
        {DK_FORESEEN_GOAL, "12:30", "13:00", 2 * DK_HOUR_US, 90 * DK_MINUTE_US, 6},
        {DK_FORESEEN_REOPENED, "2026-03-03T09:00:00Z", "2026-03-03T09:15:00Z", 2 * DK_HOUR_US,
         105 * DK_MINUTE_US, 8},
    };
    static const struct {
        enum dk_segment_why why;
        bool illegitimate;
        uint64_t cause;
    } segments[] = {
        {DK_SEGMENT_RUNS, false, 3},   {DK_SEGMENT_CUSTOMER, true, 4}, /* asked nothing */
        {DK_SEGMENT_RUNS, false, 5},   {DK_SEGMENT_RUNS, false, 5},    /* under the new goal */
        {DK_SEGMENT_SOLVED, false, 7}, {DK_SEGMENT_RUNS, false, 8}};
    struct story *s = *state;
    int64_t sum_us = 0;
    uint64_t office = has_calendar(s, "office", "UTC", 9, 17, LONG_AGO);
    Docket__PolicyDefined *policy = promised(RESOLUTION, 3 * DK_HOUR_US, office);
    add_goal(policy, RESOLUTION, HIGH, 2 * DK_HOUR_US);
    add_pause(policy, CUSTOMER);
    has_policy(s, policy, LONG_AGO);
    opened(s, at("10:00"), NORMAL);          /* event 3 */
    pending(s, at("11:00"), CUSTOMER);       /* 4 */
    customer_writes(s, at("12:00"));         /* 5 */
    reprioritized(s, at("12:30"), HIGH);     /* 6 */
    solved(s, at("12:45"));                  /* 7 */
    reopened(s, at("2026-03-03T09:00:00Z")); /* 8 */
    const struct dk_clock *clock = clock_until(s, at("2026-03-03T09:10:00Z"), RESOLUTION, 1);
    ASSERT_EQ(s->clocks.foreseen_count, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct dk_clock_foreseen *due = &s->clocks.foreseen[i];
        ASSERT_EQ(due->why, expected[i].why);
        ASSERT_EQ(due->at_us, at(expected[i].at));
        ASSERT_EQ(due->due_us, at(expected[i].due));
        ASSERT_EQ(due->target_us, expected[i].target_us);
        ASSERT_EQ(due->used_us, expected[i].used_us);
        ASSERT_EQ(due->cause, expected[i].cause);
    }
    ASSERT_EQ(clock->due_us, at("2026-03-03T09:15:00Z"));
    ASSERT_EQ(s->clocks.segment_count, 6);
    for (size_t i = 0; i < 6; i++) {
        const struct dk_clock_segment *segment = &s->clocks.segment[i];
        ASSERT_EQ(segment->why, segments[i].why);
        ASSERT_EQ(segment->illegitimate, segments[i].illegitimate);
        ASSERT_EQ(segment->cause, segments[i].cause);
        ASSERT_EQ(segment->from_us, i == 0 ? at("10:00") : s->clocks.segment[i - 1].to_us);
        sum_us += segment->elapsed_us;
    }
    ASSERT_EQ(sum_us, clock->elapsed_us);
    ASSERT_EQ(clock->elapsed_us, 115 * DK_MINUTE_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_S12_offsets_count_business_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S12_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S12_paused_clocks_do_not_warn, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S12_after_a_change_of_goal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S12_after_a_reopening, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S1_what_made_it_due, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
