#include "broker/core/clock.h"

#include "proto/base/time.h"
#include "tests/lib/assert.h"

#define WALL INT64_C(1770000000000000)
#define BOOT (100 * DK_SECOND_US)

static void test_clock_follows_the_wall(void **state)
{
    (void)state;
    struct dk_clock clock;
    struct dk_err err;
    int64_t us;
    dk_clock_init(&clock, WALL, BOOT, 0);
    ASSERT_OK(dk_clock_next(&clock, WALL, BOOT, &us, &err), &err);
    ASSERT_EQ(us, WALL);
    ASSERT_OK(dk_clock_next(&clock, WALL, BOOT, &us, &err), &err);
    ASSERT_EQ(us, WALL);
    ASSERT_OK(dk_clock_next(&clock, WALL + 7, BOOT + 7, &us, &err), &err);
    ASSERT_EQ(us, WALL + 7);
    ASSERT_EQ(dk_clock_now_us(&clock, WALL + 9, BOOT + 9), WALL + 9);
}

static void test_clock_goes_on_by_a_microsecond_after_a_small_step_back(void **state)
{
    (void)state;
    struct dk_clock clock;
    struct dk_err err;
    int64_t us;
    dk_clock_init(&clock, WALL, BOOT, 0);
    ASSERT_OK(dk_clock_next(&clock, WALL, BOOT, &us, &err), &err);
    int64_t behind = WALL - 4 * DK_SECOND_US;
    ASSERT_OK(dk_clock_next(&clock, behind, BOOT, &us, &err), &err);
    ASSERT_EQ(us, WALL + 1);
    ASSERT_OK(dk_clock_next(&clock, behind, BOOT, &us, &err), &err);
    ASSERT_EQ(us, WALL + 2);
    ASSERT_EQ(dk_clock_now_us(&clock, behind, BOOT), WALL + 2);
    ASSERT_OK(dk_clock_next(&clock, WALL + DK_SECOND_US, BOOT + 5 * DK_SECOND_US, &us, &err), &err);
    ASSERT_EQ(us, WALL + DK_SECOND_US);
}

static void step_stops(int64_t step_us)
{
    struct dk_clock clock;
    struct dk_err err;
    int64_t us = 0;
    dk_clock_init(&clock, WALL, BOOT, 0);
    ASSERT_OK(dk_clock_next(&clock, WALL, BOOT, &us, &err), &err);

    ASSERT_CODE(dk_clock_next(&clock, WALL + step_us, BOOT, &us, &err), DK_ECLOCK);
    ASSERT_CONTAINS(err.message, "stepped by");
    ASSERT_EQ(dk_clock_step_us(&clock, WALL + step_us, BOOT), step_us);
    ASSERT_EQ(us, WALL);
    ASSERT_EQ(dk_clock_now_us(&clock, WALL + step_us + 50, BOOT + 50), WALL + 50);

    ASSERT_OK(dk_clock_next(&clock, WALL + 60, BOOT + 60, &us, &err), &err); /* it agrees again */
    ASSERT_EQ(us, WALL + 60);

    dk_clock_accept(&clock, WALL + step_us + 70, BOOT + 70);
    ASSERT_OK(dk_clock_next(&clock, WALL + step_us + 70, BOOT + 70, &us, &err), &err);
    ASSERT_EQ(us, step_us > 0 ? WALL + step_us + 70 : WALL + 61);
}

static void test_clock_step_stops_until_it_agrees_or_is_accepted(void **state)
{
    (void)state;
    step_stops(5 * DK_SECOND_US + 1);
    step_stops(-5 * DK_SECOND_US - 1);
    step_stops(DK_DAY_US);
    step_stops(-DK_DAY_US);
}

static void test_clock_behind_the_log_at_start_is_a_step(void **state)
{
    (void)state;
    struct dk_clock clock;
    struct dk_err err;
    int64_t us;
    dk_clock_init(&clock, WALL, BOOT, WALL + DK_HOUR_US);
    ASSERT_CODE(dk_clock_next(&clock, WALL, BOOT, &us, &err), DK_ECLOCK);
    ASSERT_EQ(dk_clock_step_us(&clock, WALL, BOOT), -DK_HOUR_US);

    dk_clock_init(&clock, WALL, BOOT, WALL + DK_SECOND_US);
    ASSERT_OK(dk_clock_next(&clock, WALL, BOOT, &us, &err), &err);
    ASSERT_EQ(us, WALL + DK_SECOND_US + 1);

    dk_clock_init(&clock, WALL, BOOT, WALL - DK_DAY_US); /* the broker was down */
    ASSERT_OK(dk_clock_next(&clock, WALL, BOOT, &us, &err), &err);
    ASSERT_EQ(us, WALL);
}

/* A machine that starts at an old time and asks the network later: a restart of the broker would
 * believe the new time, so the broker that runs must, too. */
static void test_clock_behind_the_log_at_start_is_believed_once_it_is_ahead(void **state)
{
    (void)state;
    struct dk_clock clock;
    struct dk_err err;
    int64_t us;
    int64_t last = WALL + DK_DAY_US;
    dk_clock_init(&clock, WALL, BOOT, last);
    ASSERT_CODE(dk_clock_next(&clock, WALL, BOOT, &us, &err), DK_ECLOCK);
    int64_t set_right = last + 3 * DK_HOUR_US;
    ASSERT_EQ(dk_clock_step_us(&clock, set_right, BOOT + 1), 0);
    ASSERT_OK(dk_clock_next(&clock, set_right, BOOT + 1, &us, &err), &err);
    ASSERT_EQ(us, set_right);

    /* From then on it is bound to the boot clock. */
    ASSERT_CODE(dk_clock_next(&clock, set_right + DK_HOUR_US, BOOT + 2, &us, &err), DK_ECLOCK);
    ASSERT_CODE(dk_clock_next(&clock, set_right - DK_HOUR_US, BOOT + 2, &us, &err), DK_ECLOCK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_follows_the_wall),
        cmocka_unit_test(test_clock_goes_on_by_a_microsecond_after_a_small_step_back),
        cmocka_unit_test(test_clock_step_stops_until_it_agrees_or_is_accepted),
        cmocka_unit_test(test_clock_behind_the_log_at_start_is_a_step),
        cmocka_unit_test(test_clock_behind_the_log_at_start_is_believed_once_it_is_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
