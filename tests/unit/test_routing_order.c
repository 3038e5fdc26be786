#include "nodes/routing/queue.h"
#include "tests/lib/assert.h"
#include "tests/lib/random.h"

/* A queue against an array that is searched from its front. */

static struct dk_queue_key key_of(struct test_random *random, uint64_t ticket)
{
    return (struct dk_queue_key){.due_us = (int64_t)test_random_below(random, 4),
                                 .since_us = (int64_t)test_random_below(random, 8),
                                 .ticket = ticket,
                                 .priority = 1 + test_random_below(random, 3)};
}

static void check(const struct dk_queue *queue, const struct dk_queue_key *held, size_t count)
{
    ASSERT_EQ(queue->count, count);
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t k = 0; k < count; k++)
            found |= dk_queue_same(&queue->entry[i], &held[k]);
        ASSERT_TRUE(found);
        ASSERT_TRUE(i == 0 || dk_queue_before(&queue->entry[i - 1], &queue->entry[i]));
    }
}

static void test_queue_keeps_its_order_from_both_ends(void **state)
{
    static struct dk_queue_key held[512];
    struct dk_queue queue = {0};
    struct test_random random = {1};
    size_t count = 0;
    (void)state;
    for (uint64_t turn = 1; turn <= 20000; turn++) {
        bool grows = count == 0 || (count < 500 && test_random_below(&random, 100) <
                                                       (turn / 1000 % 2 == 0 ? 60 : 40));
        if (grows) {
            held[count] = key_of(&random, turn);
            dk_queue_insert(&queue, &held[count++]);
        } else if (test_random_below(&random, 2) == 0) { /* as most are taken: the first */
            struct dk_queue_key first = queue.entry[0];
            size_t at = 0;
            while (!dk_queue_same(&held[at], &first))
                at++;
            held[at] = held[--count];
            dk_queue_remove(&queue, &first);
        } else {
            size_t at = test_random_below(&random, count);
            dk_queue_remove(&queue, &held[at]);
            held[at] = held[--count];
        }
        if (turn % 50 == 0)
            check(&queue, held, count);
    }
    check(&queue, held, count);
    dk_queue_release(&queue);
    ASSERT_EQ(queue.count, 0);
}

/* Its places are used again: what comes in at the end and goes at the front needs no more. */
static void test_queue_does_not_grow_by_being_used(void **state)
{
    struct dk_queue queue = {0};
    (void)state;
    for (uint64_t ticket = 1; ticket <= 100000; ticket++) {
        struct dk_queue_key key = {.ticket = ticket, .priority = 1};
        dk_queue_insert(&queue, &key);
        if (ticket > 100) {
            key.ticket = ticket - 100;
            dk_queue_remove(&queue, &key);
        }
    }
    ASSERT_EQ(queue.count, 100);
    ASSERT_EQ(queue.entry[0].ticket, 99901);
    ASSERT_TRUE(queue.capacity <= 512);
    dk_queue_release(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue_keeps_its_order_from_both_ends),
        cmocka_unit_test(test_queue_does_not_grow_by_being_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
