#include "nodes/notification/delivery/delivery.h"
#include "nodes/notification/delivery/lanes.h"

#include "tests/lib/assert.h"

#define NOW    INT64_C(1000000000)
#define SECOND INT64_C(1000000)

/* Receivers, and the first notice of each: notice 1007 is the eighth of receiver 10. */
#define RECEIVER(notice) ((notice) / 100)

static const struct dk_outcome refused = {DK_TRY_AGAIN, false, 0, "connection refused"};

static int set_up(void **state)
{
    *state = dk_lanes_new();
    return 0;
}

static int tear_down(void **state)
{
    dk_lanes_free((struct dk_lanes **)state);
    assert_null(*state);
    return 0;
}

static void add(struct dk_lanes *lanes, uint64_t first, uint64_t count)
{
    for (uint64_t notice = first; notice < first + count; notice++) {
        dk_lanes_add(lanes, notice, RECEIVER(notice), NOW);
    }
}

static uint64_t next(struct dk_lanes *lanes, int64_t now_us)
{
    uint64_t notice = 0;
    return dk_lanes_next(lanes, now_us, &notice) ? notice : 0;
}

static size_t take_all(struct dk_lanes *lanes, int64_t now_us, uint64_t *taken)
{
    size_t count = 0;
    while ((taken[count] = next(lanes, now_us)) != 0) {
        count++;
    }
    return count;
}

static void fail_at(struct dk_lanes *lanes, uint64_t notice, int64_t now_us)
{
    dk_lanes_failed(lanes, notice, &refused, now_us, UINT32_MAX);
}

static void test_lanes_a_notice_goes_once(void **state)
{
    struct dk_lanes *lanes = *state;
    ASSERT_EQ(next(lanes, NOW), 0);
    ASSERT_EQ(dk_lanes_due_us(lanes), INT64_MAX);
    add(lanes, 1000, 1);
    add(lanes, 1000, 1);
    ASSERT_EQ(dk_lanes_due_us(lanes), INT64_MIN);
    ASSERT_EQ(next(lanes, NOW), 1000);
    ASSERT_EQ(next(lanes, NOW), 0);
    dk_lanes_answered(lanes, 1000, NOW);
    ASSERT_EQ(next(lanes, NOW), 0);
    dk_lanes_done(lanes, 1000, NOW);
    ASSERT_EQ(next(lanes, NOW + 3600 * SECOND), 0);
    ASSERT_EQ(dk_lanes_due_us(lanes), INT64_MAX);
}

static void test_lanes_in_flight_is_bounded_until_the_log_knows(void **state)
{
    struct dk_lanes *lanes = *state;
    uint64_t taken[64];
    for (uint64_t receiver = 10; receiver < 20; receiver++) {
        add(lanes, receiver * 100, 20);
    }
    ASSERT_EQ(take_all(lanes, NOW, taken), DK_LANES_IN_FLIGHT);
    ASSERT_EQ(dk_lanes_due_us(lanes), INT64_MAX);
    dk_lanes_answered(lanes, taken[0], NOW); /* answered, and not folded: a kill would repeat it */
    ASSERT_EQ(next(lanes, NOW), 0);
    dk_lanes_done(lanes, taken[0], NOW);
    ASSERT_TRUE(next(lanes, NOW) != 0);
    ASSERT_EQ(next(lanes, NOW), 0);
}

static void test_lanes_one_receiver_does_not_take_all_places(void **state)
{
    struct dk_lanes *lanes = *state;
    uint64_t taken[64];
    add(lanes, 1000, 90);
    ASSERT_EQ(take_all(lanes, NOW, taken), DK_LANE_IN_FLIGHT);
    add(lanes, 2000, 3);
    ASSERT_EQ(take_all(lanes, NOW, taken), 3);
    for (size_t i = 0; i < 3; i++) {
        ASSERT_EQ(RECEIVER(taken[i]), 20);
    }
}

static void test_lanes_receivers_take_turns_in_order(void **state)
{
    struct dk_lanes *lanes = *state;
    static const uint64_t expected[] = {1000, 2000, 3000, 1001, 2001, 3001, 1002};
    add(lanes, 1000, 3);
    add(lanes, 2000, 2);
    add(lanes, 3000, 2);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        ASSERT_EQ(next(lanes, NOW), expected[i]);
    }
}

static void test_lanes_pauses_double_up_to_the_cap(void **state)
{
    struct dk_lanes *lanes = *state;
    struct dk_attempts attempts;
    int64_t now_us = NOW, pause_us = 0;
    add(lanes, 1000, 1);
    for (uint32_t i = 1; i <= 40; i++) {
        ASSERT_EQ(next(lanes, now_us), 1000);
        fail_at(lanes, 1000, now_us);
        dk_lanes_attempts(lanes, 1000, &attempts);
        ASSERT_EQ(attempts.count, i);
        ASSERT_STR(attempts.error, "connection refused");
        int64_t longer_us = attempts.next_us - now_us;
        int64_t whole_us = i < 12 ? DK_PAUSE_MIN_US << (i - 1) : DK_NOTICE_PAUSE_MAX_US;
        whole_us = whole_us < DK_NOTICE_PAUSE_MAX_US ? whole_us : DK_NOTICE_PAUSE_MAX_US;
        ASSERT_TRUE(longer_us >= whole_us / 2 && longer_us <= whole_us);
        ASSERT_TRUE(longer_us >= pause_us / 2);
        pause_us = longer_us;
        ASSERT_EQ(dk_lanes_due_us(lanes), attempts.next_us);
        ASSERT_EQ(next(lanes, attempts.next_us - 1), 0);
        now_us = attempts.next_us;
    }
}

static void test_lanes_a_receiver_may_ask_for_a_pause(void **state)
{
    struct dk_lanes *lanes = *state;
    struct dk_outcome busy = {DK_TRY_AGAIN, false, 30 * SECOND, "HTTP 429"};
    struct dk_attempts attempts;
    add(lanes, 1000, 2);
    ASSERT_EQ(next(lanes, NOW), 1000);
    dk_lanes_failed(lanes, 1000, &busy, NOW, 0);
    dk_lanes_attempts(lanes, 1000, &attempts);
    ASSERT_EQ(attempts.next_us, NOW + 30 * SECOND);
    ASSERT_EQ(next(lanes, NOW + 29 * SECOND), 0); /* nor is another of the same receiver tried */
    ASSERT_EQ(next(lanes, NOW + 30 * SECOND), 1001);
    busy.after_us = INT64_C(10) * 86400 * SECOND;
    dk_lanes_failed(lanes, 1001, &busy, NOW, 0);
    dk_lanes_attempts(lanes, 1001, &attempts);
    ASSERT_EQ(attempts.next_us, NOW + DK_ASKED_PAUSE_MAX_US);
}

/* A receiver that is down for an hour loses nothing: however short the pauses come out, no notice
 * has been given up by then. */
static void test_lanes_an_hour_is_outlasted(void **state)
{
    struct dk_lanes *lanes = *state;
    struct dk_attempts attempts;
    int64_t now_us = NOW;
    add(lanes, 1000, 1);
    while (now_us < NOW + 3600 * SECOND) {
        ASSERT_EQ(next(lanes, now_us), 1000);
        dk_lanes_failed(lanes, 1000, &refused, now_us, 0);
        now_us = dk_lanes_due_us(lanes);
    }
    dk_lanes_attempts(lanes, 1000, &attempts);
    ASSERT_TRUE(attempts.count < DK_DELIVERY_ATTEMPTS);
}

/* A greylist keeps one mail waiting, and nobody else's. */
static void test_lanes_a_refusal_of_one_notice_is_no_trouble_of_the_receiver(void **state)
{
    struct dk_lanes *lanes = *state;
    struct dk_outcome greylisted = {DK_TRY_AGAIN, true, 0, "451"};
    struct dk_attempts attempts;
    add(lanes, 1000, 10);
    ASSERT_EQ(next(lanes, NOW), 1000);
    dk_lanes_failed(lanes, 1000, &greylisted, NOW, 0);
    for (uint64_t notice = 1001; notice < 1001 + DK_LANE_IN_FLIGHT; notice++) {
        ASSERT_EQ(next(lanes, NOW), notice);
    }
    dk_lanes_attempts(lanes, 1000, &attempts);
    ASSERT_EQ(attempts.count, 1);
    ASSERT_TRUE(attempts.next_us > NOW);
}

static void test_lanes_a_dead_receiver_is_probed_by_one_and_by_another_each_time(void **state)
{
    struct dk_lanes *lanes = *state;
    uint64_t taken[64];
    int64_t now_us = NOW;
    add(lanes, 1000, 90);
    ASSERT_EQ(take_all(lanes, now_us, taken), DK_LANE_IN_FLIGHT);
    for (size_t i = 0; i < DK_LANE_IN_FLIGHT; i++) {
        fail_at(lanes, taken[i], now_us + 1); /* together: one failure */
    }
    ASSERT_TRUE(dk_lanes_due_us(lanes) <= now_us + 1 + DK_PAUSE_MIN_US);
    for (uint64_t probe = 1008; probe < 1020; probe++) {
        now_us = dk_lanes_due_us(lanes);
        ASSERT_EQ(next(lanes, now_us), probe);
        ASSERT_EQ(next(lanes, now_us), 0);
        fail_at(lanes, probe, now_us);
    }
    ASSERT_TRUE(dk_lanes_due_us(lanes) <= now_us + DK_LANE_PAUSE_MAX_US);
    now_us = dk_lanes_due_us(lanes);
    ASSERT_EQ(next(lanes, now_us), 1020);
    dk_lanes_answered(lanes, 1020, now_us); /* it is back: all that wait may go */
    ASSERT_EQ(take_all(lanes, now_us, taken), DK_LANE_IN_FLIGHT);
}

static void test_lanes_one_bad_notice_does_not_stop_its_receiver(void **state)
{
    struct dk_lanes *lanes = *state;
    int64_t now_us = NOW;
    size_t taken = 0;
    add(lanes, 1000, 50); /* 1000 is always refused, the others are taken */
    for (int i = 0; i < 1000 && taken < 49; i++) {
        uint64_t notice;
        while ((notice = next(lanes, now_us)) != 0) {
            if (notice == 1000) {
                fail_at(lanes, notice, now_us);
            } else {
                dk_lanes_answered(lanes, notice, now_us);
                dk_lanes_done(lanes, notice, now_us);
                taken++;
            }
        }
        now_us = dk_lanes_due_us(lanes);
    }
    ASSERT_EQ(taken, 49);
    ASSERT_TRUE(now_us < NOW + 2 * SECOND);
}

/* Hundreds of receivers that never answer leave places for those who do. */
static void test_lanes_receivers_in_trouble_leave_room_for_the_others(void **state)
{
    struct dk_lanes *lanes = *state;
    uint64_t taken[64];
    int64_t now_us = NOW;
    for (uint64_t receiver = 100; receiver < 400; receiver++) {
        add(lanes, receiver * 100, 2);
    }
    for (int round = 0; round < 10; round++) {
        size_t count = take_all(lanes, now_us, taken);
        for (size_t i = 0; i < count; i++) {
            fail_at(lanes, taken[i], now_us);
        }
    }
    now_us += 3600 * SECOND;
    size_t count = 0, sound = 0;
    while (count < 64 && (taken[count] = next(lanes, now_us)) != 0) {
        count++;
    }
    ASSERT_TRUE(count >= DK_LANES_TROUBLED);
    add(lanes, 1000, 8);
    for (size_t i = 0; i < count; i++) {
        struct dk_attempts attempts;
        dk_lanes_attempts(lanes, taken[i], &attempts);
        sound += attempts.count == 0;
    }
    ASSERT_TRUE(count - sound <= DK_LANES_TROUBLED);
    for (size_t i = 0; i < sound; i++) { /* those never tried before fail too */
        fail_at(lanes, taken[i], now_us + 1);
    }
    ASSERT_EQ(next(lanes, now_us + 1), 1000);
    ASSERT_EQ(next(lanes, now_us + 1), 1001);
}

/* Held back, a notice takes no place and no turn, and its failures are not forgotten. */
static void test_lanes_what_is_held_waits_until_it_is_released(void **state)
{
    struct dk_lanes *lanes = *state;
    struct dk_attempts attempts;
    add(lanes, 1000, 1);
    ASSERT_EQ(next(lanes, NOW), 1000);
    fail_at(lanes, 1000, NOW);
    int64_t now_us = NOW + SECOND;
    ASSERT_EQ(next(lanes, now_us), 1000);
    dk_lanes_hold(lanes, 1000, now_us);
    dk_lanes_attempts(lanes, 1000, &attempts);
    ASSERT_EQ(attempts.count, 1);
    ASSERT_EQ(dk_lanes_due_us(lanes), INT64_MAX);
    ASSERT_EQ(next(lanes, now_us + 7200 * SECOND), 0); /* whatever the boot clock says */
    add(lanes, 1001, 1);                               /* others of the receiver go */
    ASSERT_EQ(next(lanes, now_us), 1001);
    dk_lanes_answered(lanes, 1001, now_us);
    dk_lanes_done(lanes, 1001, now_us);
    dk_lanes_release(lanes, 1000, now_us);
    dk_lanes_release(lanes, 1000, now_us);
    dk_lanes_release(lanes, 9999, now_us);
    ASSERT_EQ(next(lanes, now_us), 1000);
    ASSERT_EQ(next(lanes, now_us), 0);
    dk_lanes_hold(lanes, 1000, now_us);
    dk_lanes_done(lanes, 1000, now_us); /* dropped meanwhile */
    dk_lanes_release(lanes, 1000, now_us);
    ASSERT_EQ(next(lanes, now_us), 0);
    add(lanes, 2000, 50);
    uint64_t taken[64];
    ASSERT_EQ(take_all(lanes, now_us, taken), DK_LANE_IN_FLIGHT);
}

static void test_lanes_done_is_possible_at_any_moment(void **state)
{
    struct dk_lanes *lanes = *state;
    uint64_t taken[64];
    add(lanes, 1000, 20);
    dk_lanes_done(lanes, 1003, NOW); /* waiting */
    dk_lanes_done(lanes, 9999, NOW); /* never known */
    ASSERT_EQ(take_all(lanes, NOW, taken), DK_LANE_IN_FLIGHT);
    dk_lanes_done(lanes, taken[0], NOW); /* asked, not answered */
    ASSERT_EQ(take_all(lanes, NOW, &taken[8]), 1);
    for (uint64_t notice = 1000; notice < 1020; notice++) {
        dk_lanes_done(lanes, notice, NOW);
    }
    add(lanes, 2000, 50);
    ASSERT_EQ(take_all(lanes, NOW, taken), DK_LANE_IN_FLIGHT);
    for (size_t i = 0; i < DK_LANE_IN_FLIGHT; i++) {
        ASSERT_EQ(RECEIVER(taken[i]), 20);
    }
}

/* Receivers that fail at random: in the end each notice has been taken, once. */
static void test_lanes_random_failures_lose_nothing(void **state)
{
    struct dk_lanes *lanes = *state;
    uint8_t delivered[5][100] = {{0}};
    uint64_t seed = 42, notice, flying[64];
    size_t left = 500, count = 0;
    int64_t now_us = NOW;
    for (uint64_t receiver = 0; receiver < 5; receiver++) {
        add(lanes, 1000 + receiver * 100, 100);
    }
    while (left > 0) {
        while ((notice = next(lanes, now_us)) != 0) {
            flying[count++] = notice;
            ASSERT_TRUE(count <= DK_LANES_IN_FLIGHT);
        }
        if (count == 0) {
            ASSERT_TRUE(dk_lanes_due_us(lanes) > now_us && dk_lanes_due_us(lanes) != INT64_MAX);
            now_us = dk_lanes_due_us(lanes);
            continue;
        }
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        size_t which = (size_t)(seed >> 33) % count;
        notice = flying[which];
        flying[which] = flying[--count];
        now_us += (int64_t)(seed >> 50);
        if (seed >> 62 != 0) {
            fail_at(lanes, notice, now_us);
            continue;
        }
        dk_lanes_answered(lanes, notice, now_us);
        dk_lanes_done(lanes, notice, now_us);
        ASSERT_EQ(delivered[RECEIVER(notice) - 10][notice % 100]++, 0);
        left--;
    }
    ASSERT_EQ(next(lanes, now_us + 3600 * SECOND), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_lanes_##name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_notice_goes_once),
        TEST(in_flight_is_bounded_until_the_log_knows),
        TEST(one_receiver_does_not_take_all_places),
        TEST(receivers_take_turns_in_order),
        TEST(pauses_double_up_to_the_cap),
        TEST(a_receiver_may_ask_for_a_pause),
        TEST(an_hour_is_outlasted),
        TEST(a_refusal_of_one_notice_is_no_trouble_of_the_receiver),
        TEST(a_dead_receiver_is_probed_by_one_and_by_another_each_time),
        TEST(one_bad_notice_does_not_stop_its_receiver),
        TEST(receivers_in_trouble_leave_room_for_the_others),
        TEST(what_is_held_waits_until_it_is_released),
        TEST(done_is_possible_at_any_moment),
        TEST(random_failures_lose_nothing),
    };
    return cmocka_run_group_tests_name("lanes", tests, NULL, NULL);
}
