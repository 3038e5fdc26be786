#include "nodes/runtime/flight.h"

#include "tests/lib/assert.h"

static int set_up(void **state)
{
    *state = dk_flight_new();
    return 0;
}

static int tear_down(void **state)
{
    dk_flight_free((struct dk_flight **)state);
    return *state != NULL;
}

/* The pause after a refusal of a fresh request for `item`. */
static int64_t refuse(struct dk_flight *flight, uint64_t request, uint64_t item, bool some_accepted)
{
    uint64_t landed = 0;
    int64_t pause_us = -1;
    dk_flight_sent(flight, request, item, 2, 0);
    ASSERT_TRUE(dk_flight_refused(flight, request, some_accepted, &landed, &pause_us));
    ASSERT_EQ(landed, item);
    ASSERT_TRUE(!dk_flight_has(flight, item));
    return pause_us;
}

static void test_flight_lands_what_was_accepted_when_it_is_folded(void **state)
{
    struct dk_flight *flight = *state;
    uint64_t item = 0;
    dk_flight_sent(flight, 100, 7, 3, 0);
    dk_flight_sent(flight, 101, 8, 1, 0);
    ASSERT_TRUE(dk_flight_has(flight, 7) && dk_flight_has(flight, 8) && !dk_flight_has(flight, 9));
    ASSERT_EQ(dk_flight_events(flight), 4);
    ASSERT_TRUE(!dk_flight_landed(flight, INT64_MAX, &item)); /* not answered */

    ASSERT_TRUE(dk_flight_accepted(flight, 100, 52));
    ASSERT_TRUE(!dk_flight_landed(flight, 51, &item));
    ASSERT_TRUE(dk_flight_has(flight, 7));
    ASSERT_TRUE(dk_flight_landed(flight, 52, &item));
    ASSERT_EQ(item, 7);
    ASSERT_TRUE(!dk_flight_has(flight, 7));
    ASSERT_EQ(dk_flight_events(flight), 1);
    ASSERT_TRUE(!dk_flight_landed(flight, 52, &item));
    dk_flight_sent(flight, 102, 7, 1, 0); /* it may fly again */
}

/* Answers come in the order of commits, whatever the order of requests. */
static void test_flight_lands_in_the_order_of_positions(void **state)
{
    struct dk_flight *flight = *state;
    uint64_t item, landed = 0;
    for (uint64_t i = 0; i < 4096; i++)
        dk_flight_sent(flight, 1 + i, 10000 + i * 2731 % 4096, 1, 0);
    for (uint64_t i = 0; i < 4096; i++)
        ASSERT_TRUE(dk_flight_accepted(flight, 1 + i, 1 + i * 2731 % 4096));
    for (uint64_t position = 1; position <= 4096; position++) {
        while (dk_flight_landed(flight, position, &item)) {
            ASSERT_EQ(item, 10000 + position - 1);
            landed++;
        }
        ASSERT_EQ(landed, position);
    }
    ASSERT_EQ(dk_flight_events(flight), 0);
}

/* A broker with a full disk refuses everything; a node may owe something of more items than fit in
 * flight, and comes to each. */
static void test_flight_counts_refusals_of_as_many_items_as_there_are(void **state)
{
    struct dk_flight *flight = *state;
    const uint64_t items = (UINT64_C(1) << 20) + 10;
    for (uint64_t i = 1; i <= items; i++)
        ASSERT_EQ(refuse(flight, i, i, false), DK_FLIGHT_PAUSE_MIN_US);
    ASSERT_EQ(refuse(flight, items + 1, 1, false), 2 * DK_FLIGHT_PAUSE_MIN_US);
}

static void test_flight_pause_doubles_with_refusals_in_a_row(void **state)
{
    struct dk_flight *flight = *state;
    uint64_t item;
    int64_t expected_us = DK_FLIGHT_PAUSE_MIN_US;
    for (uint64_t i = 0; i < 40; i++) {
        ASSERT_EQ(refuse(flight, 1 + i, 5, false), expected_us);
        expected_us =
            2 * expected_us < DK_FLIGHT_PAUSE_MAX_US ? 2 * expected_us : DK_FLIGHT_PAUSE_MAX_US;
    }
    ASSERT_EQ(refuse(flight, 90, 6, false), DK_FLIGHT_PAUSE_MIN_US); /* an item of its own */

    ASSERT_EQ(refuse(flight, 91, 5, true), DK_FLIGHT_PAUSE_MIN_US); /* it got on */
    ASSERT_EQ(refuse(flight, 92, 5, false), 2 * DK_FLIGHT_PAUSE_MIN_US);
    dk_flight_settled(flight, 5);
    ASSERT_EQ(refuse(flight, 93, 5, false), DK_FLIGHT_PAUSE_MIN_US);
    dk_flight_sent(flight, 94, 5, 1, 0);
    ASSERT_TRUE(dk_flight_accepted(flight, 94, 10));
    ASSERT_TRUE(dk_flight_landed(flight, 10, &item));
    ASSERT_EQ(refuse(flight, 95, 5, false), DK_FLIGHT_PAUSE_MIN_US);
}

static void test_flight_does_not_know_other_requests(void **state)
{
    struct dk_flight *flight = *state;
    uint64_t item = 77;
    int64_t pause_us;
    dk_flight_sent(flight, 1, 5, 1, 0);
    ASSERT_TRUE(dk_flight_knows(flight, 1) && !dk_flight_knows(flight, 2));
    ASSERT_TRUE(!dk_flight_accepted(flight, 2, 10));
    ASSERT_TRUE(!dk_flight_refused(flight, 2, false, &item, &pause_us));
    ASSERT_TRUE(dk_flight_has(flight, 5));
    ASSERT_EQ(dk_flight_events(flight), 1);
}

static void test_flight_age_is_of_the_oldest_without_an_answer(void **state)
{
    struct dk_flight *flight = *state;
    ASSERT_EQ(dk_flight_oldest_us(flight, 1000), 0);
    dk_flight_sent(flight, 1, 5, 1, 1000);
    dk_flight_sent(flight, 2, 6, 1, 3000);
    ASSERT_EQ(dk_flight_oldest_us(flight, 4000), 3000);
    ASSERT_TRUE(dk_flight_accepted(flight, 1, 10)); /* waits for the fold, not for an answer */
    ASSERT_EQ(dk_flight_oldest_us(flight, 4000), 1000);
    ASSERT_TRUE(dk_flight_accepted(flight, 2, 11));
    ASSERT_EQ(dk_flight_oldest_us(flight, 4000), 0);
}

static void test_flight_drop_hands_each_item_out_once(void **state)
{
    struct dk_flight *flight = *state;
    uint64_t item, sum = 0;
    for (uint64_t i = 1; i <= 100; i++)
        dk_flight_sent(flight, 1000 + i, i, 2, 0);
    ASSERT_TRUE(dk_flight_accepted(flight, 1050, 9));
    while (dk_flight_drop(flight, &item))
        sum += item;
    ASSERT_EQ(sum, 5050);
    ASSERT_EQ(dk_flight_events(flight), 0);
    ASSERT_TRUE(!dk_flight_has(flight, 50));
    ASSERT_TRUE(!dk_flight_accepted(flight, 1051, 9)); /* late answers find nothing */
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_flight_lands_what_was_accepted_when_it_is_folded),
        CASE(test_flight_lands_in_the_order_of_positions),
        CASE(test_flight_counts_refusals_of_as_many_items_as_there_are),
        CASE(test_flight_pause_doubles_with_refusals_in_a_row),
        CASE(test_flight_does_not_know_other_requests),
        CASE(test_flight_age_is_of_the_oldest_without_an_answer),
        CASE(test_flight_drop_hands_each_item_out_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
