#include "nodes/notification/delivery/digests.h"
#include "nodes/notification/payload.h"

#include "tests/lib/assert.h"

#define NOW INT64_C(1000000)

static int set_up(void **state)
{
    *state = dk_digests_new();
    return 0;
}

static int tear_down(void **state)
{
    struct dk_digests *digests = *state;
    dk_digests_free(&digests);
    return 0;
}

static void add(struct dk_digests *digests, uint64_t id, uint64_t receiver, uint64_t rule,
                int64_t until_us)
{
    struct dk_notice notice = {.receiver = receiver, .rule = rule, .digest_until_us = until_us};
    dk_digests_add(digests, id, &notice, 100 + receiver);
}

/* The digest that is next, which must be of so many; 0: none. */
static uint64_t next(struct dk_digests *digests, int64_t now_us, size_t count, uint64_t lane)
{
    uint64_t digest, its_lane;
    size_t its_count;
    if (!dk_digests_next(digests, now_us, &digest, &its_lane)) {
        return 0;
    }
    const uint64_t *notice = dk_digests_notices(digests, digest, &its_count);
    ASSERT_EQ(its_count, count);
    ASSERT_EQ(its_lane, lane);
    for (size_t i = 0; i < its_count; i++) {
        ASSERT_TRUE(dk_digests_of(digests, notice[i]) == digest);
    }
    return digest;
}

static void test_digests_gather_by_receiver_rule_and_window(void **state)
{
    struct dk_digests *digests = *state;
    ASSERT_EQ(dk_digests_due_us(digests), INT64_MAX);
    add(digests, 1, 7, 1, NOW + 10);
    add(digests, 2, 7, 1, NOW + 10);
    add(digests, 3, 8, 1, NOW + 11); /* another receiver */
    add(digests, 4, 7, 2, NOW + 20); /* another rule */
    add(digests, 5, 7, 1, NOW + 30); /* another window */
    ASSERT_EQ(dk_digests_due_us(digests), NOW + 10);
    ASSERT_EQ(next(digests, NOW + 9, 0, 0), 0);
    uint64_t first = next(digests, NOW + 10, 2, 107);
    ASSERT_EQ(next(digests, NOW + 10, 0, 0), 0);
    uint64_t second = next(digests, NOW + 11, 1, 108);
    ASSERT_TRUE(first != 0 && second != 0 && first != second);
    ASSERT_TRUE(next(digests, NOW + 20, 1, 107) != 0);
    ASSERT_TRUE(next(digests, NOW + 30, 1, 107) != 0);
    ASSERT_EQ(dk_digests_due_us(digests), INT64_MAX);
}

/* After a restart the same notices are the same digest, whose key a receiver knows. They are told
 * in the order in which they came, whatever their numbers are. */
static void test_digests_are_named_by_their_notices(void **state)
{
    struct dk_digests *digests = *state, *again = dk_digests_new();
    add(digests, 2, 7, 1, NOW);
    add(digests, 1, 7, 1, NOW);
    add(again, 2, 7, 1, NOW);
    add(again, 1, 7, 1, NOW);
    uint64_t digest = next(digests, NOW, 2, 107);
    ASSERT_TRUE(digest != 0 && next(again, NOW, 2, 107) == digest);
    dk_digests_free(&again);
    size_t count;
    const uint64_t *notice = dk_digests_notices(digests, digest, &count);
    ASSERT_TRUE(notice[0] == 2 && notice[1] == 1);
    add(digests, 3, 7, 1, NOW); /* requested late: on its own */
    ASSERT_TRUE(next(digests, NOW, 1, 107) != digest);
    dk_digests_done(digests, digest);
    dk_digests_done(digests, digest);
    ASSERT_TRUE(dk_digests_notices(digests, digest, &count) == NULL);
    ASSERT_EQ(dk_digests_of(digests, 1), 0);
    ASSERT_TRUE(dk_digests_of(digests, 3) != 0);
}

static void test_digests_are_bounded_and_lose_nothing(void **state)
{
    struct dk_digests *digests = *state;
    for (uint64_t id = 1; id <= 2 * DK_PAYLOAD_DIGEST_MAX + 1; id++) {
        add(digests, id, 7, 1, NOW);
    }
    ASSERT_TRUE(next(digests, NOW, DK_PAYLOAD_DIGEST_MAX, 107) != 0);
    ASSERT_TRUE(next(digests, NOW, DK_PAYLOAD_DIGEST_MAX, 107) != 0);
    ASSERT_TRUE(next(digests, NOW, 1, 107) != 0);
    ASSERT_EQ(next(digests, NOW, 0, 0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_digests_##name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gather_by_receiver_rule_and_window),
        TEST(are_named_by_their_notices),
        TEST(are_bounded_and_lose_nothing),
    };
    return cmocka_run_group_tests_name("digests", tests, NULL, NULL);
}
