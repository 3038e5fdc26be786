#include "nodes/runtime/agenda.h"

#include "tests/lib/assert.h"
#include "tests/lib/bodies.h"
#include <malloc.h>

static int set_up(void **state)
{
    *state = dk_agenda_new();
    return 0;
}

static int tear_down(void **state)
{
    dk_agenda_free((struct dk_agenda **)state);
    return *state != NULL;
}

/* The next item, 0 for none. */
static uint64_t next(struct dk_agenda *agenda, int64_t now_us)
{
    uint64_t item = 0;
    return dk_agenda_next(agenda, now_us, &item) ? item : 0;
}

static void test_agenda_gives_touched_items_first_come_first_served_and_once(void **state)
{
    struct dk_agenda *agenda = *state;
    ASSERT_EQ(dk_agenda_due_us(agenda), INT64_MAX);
    for (uint64_t i = 1; i <= 200; i++) {
        dk_agenda_touch(agenda, i);
        dk_agenda_touch(agenda, 1 + i / 2);
    }
    ASSERT_EQ(dk_agenda_due_us(agenda), INT64_MIN);
    for (uint64_t i = 1; i <= 200; i++)
        ASSERT_EQ(next(agenda, INT64_MIN), i);
    ASSERT_EQ(next(agenda, INT64_MAX), 0);
    dk_agenda_touch(agenda, 7); /* again, once it was taken */
    ASSERT_EQ(next(agenda, INT64_MIN), 7);
}

static void test_agenda_gives_items_when_they_are_due(void **state)
{
    struct dk_agenda *agenda = *state;
    dk_agenda_schedule(agenda, 3, 300);
    dk_agenda_schedule(agenda, 1, 100);
    dk_agenda_schedule(agenda, 2, 200);
    ASSERT_EQ(dk_agenda_due_us(agenda), 100);
    ASSERT_EQ(next(agenda, 99), 0);
    ASSERT_EQ(next(agenda, 250), 1);
    ASSERT_EQ(next(agenda, 250), 2);
    ASSERT_EQ(next(agenda, 250), 0);
    ASSERT_EQ(dk_agenda_due_us(agenda), 300);
    ASSERT_EQ(next(agenda, 300), 3);
    ASSERT_EQ(next(agenda, INT64_MAX), 0);
}

static void test_agenda_keeps_the_last_instant_put_down(void **state)
{
    struct dk_agenda *agenda = *state;
    dk_agenda_schedule(agenda, 1, 100);
    dk_agenda_schedule(agenda, 1, 500); /* later */
    dk_agenda_schedule(agenda, 2, 400);
    dk_agenda_schedule(agenda, 2, 50); /* earlier */
    dk_agenda_schedule(agenda, 3, 10);
    dk_agenda_schedule(agenda, 3, INT64_MAX); /* not any more */
    ASSERT_EQ(dk_agenda_due_us(agenda), 50);
    ASSERT_EQ(next(agenda, 450), 2);
    ASSERT_EQ(next(agenda, 450), 0);
    dk_agenda_schedule(agenda, 1, INT64_MAX);
    dk_agenda_schedule(agenda, 1, 500); /* the same instant, put down twice */
    ASSERT_EQ(next(agenda, 500), 1);
    ASSERT_EQ(next(agenda, 500), 0);
}

static void test_agenda_touched_item_stays_scheduled(void **state)
{
    struct dk_agenda *agenda = *state;
    dk_agenda_schedule(agenda, 1, 100);
    dk_agenda_touch(agenda, 1);
    ASSERT_EQ(next(agenda, 0), 1);
    ASSERT_EQ(next(agenda, 0), 0);
    ASSERT_EQ(next(agenda, 100), 1);
}

static void test_agenda_takes_touched_and_due_by_turns(void **state)
{
    struct dk_agenda *agenda = *state;
    for (uint64_t i = 1; i <= 3; i++) {
        dk_agenda_touch(agenda, 10 + i);
        dk_agenda_schedule(agenda, 20 + i, (int64_t)i);
    }
    const uint64_t expected[] = {11, 21, 12, 22, 13, 23, 0};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        ASSERT_EQ(next(agenda, 3), expected[i]);
}

/* Replaced instants do not pile up until they come: each was of days ahead, in a node that runs for
 * months. */
static void test_agenda_memory_is_bounded_by_what_is_scheduled(void **state)
{
    struct dk_agenda *agenda = *state;
    struct mallinfo2 before = mallinfo2();
    const int64_t far_us = INT64_C(1) << 50;
    for (int64_t i = 0; i < 1000000; i++) {
        dk_agenda_schedule(agenda, 1 + (uint64_t)i % 10, far_us + i);
        dk_agenda_schedule(agenda, 20, far_us);
        dk_agenda_schedule(agenda, 20, INT64_MAX); /* and not any more */
    }
    struct mallinfo2 after = mallinfo2();
    size_t grown = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
    ASSERT_TRUE(grown < 65536);
    ASSERT_EQ(dk_agenda_due_us(agenda), far_us + 999990);
    for (int64_t i = 0; i < 10; i++)
        ASSERT_EQ(next(agenda, INT64_MAX - 1), 1 + (uint64_t)i);
    ASSERT_EQ(next(agenda, INT64_MAX - 1), 0);
}

/* Against the naive agenda: an instant an item. */
static void test_agenda_equals_a_list(void **state)
{
    struct dk_agenda *agenda = *state;
    struct test_random random = {42};
    int64_t at[65], now = 0;
    for (size_t i = 0; i < 65; i++)
        at[i] = INT64_MAX;
    for (int step = 0; step < 50000; step++) {
        uint64_t item = 1 + test_random_below(&random, 64), got;
        if (test_random_below(&random, 3) > 0) {
            at[item] = test_random_below(&random, 10) == 0
                           ? INT64_MAX
                           : now + (int64_t)test_random_below(&random, 50);
            dk_agenda_schedule(agenda, item, at[item]);
            continue;
        }
        now += (int64_t)test_random_below(&random, 5);
        int64_t earliest = INT64_MAX;
        for (size_t i = 1; i < 65; i++)
            earliest = at[i] < earliest ? at[i] : earliest;
        ASSERT_EQ(dk_agenda_due_us(agenda), earliest);
        got = next(agenda, now);
        ASSERT_EQ(got != 0, earliest <= now);
        if (got != 0) {
            ASSERT_EQ(at[got], earliest);
            at[got] = INT64_MAX;
        }
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_agenda_gives_touched_items_first_come_first_served_and_once),
        CASE(test_agenda_gives_items_when_they_are_due),
        CASE(test_agenda_keeps_the_last_instant_put_down),
        CASE(test_agenda_touched_item_stays_scheduled),
        CASE(test_agenda_takes_touched_and_due_by_turns),
        CASE(test_agenda_memory_is_bounded_by_what_is_scheduled),
        CASE(test_agenda_equals_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
