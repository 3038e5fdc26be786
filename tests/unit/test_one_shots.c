#include "broker/core/one_shots.h"

#include "proto/base/limits.h"
#include "tests/lib/assert.h"

#define NOW INT64_C(1770000000000000)

static struct dk_one_shots *made(size_t max_count)
{
    struct dk_one_shots *one_shots;
    struct dk_err err;
    ASSERT_OK(dk_one_shots_new(&one_shots, max_count, &err), &err);
    return one_shots;
}

static int add(struct dk_one_shots *one_shots, uint64_t high, uint64_t low, uint64_t position,
               int64_t recorded_us, uint32_t digest)
{
    struct dk_one_shot event = {.high = high,
                                .low = low,
                                .position = position,
                                .recorded_us = recorded_us,
                                .digest = digest};
    return dk_one_shots_add(one_shots, &event);
}

static void test_one_shots_are_found_with_first_position_and_count(void **state)
{
    (void)state;
    struct dk_one_shots *one_shots = made(100);
    ASSERT_TRUE(dk_one_shots_find(one_shots, 1, 2) == NULL);
    ASSERT_EQ(add(one_shots, 1, 2, 10, NOW, 77), 0);
    ASSERT_EQ(add(one_shots, 1, 2, 11, NOW, 78), 0);
    ASSERT_EQ(add(one_shots, 2, 1, 12, NOW, 79), 0);
    const struct dk_one_shot *found = dk_one_shots_find(one_shots, 1, 2);
    ASSERT_TRUE(found != NULL);
    ASSERT_EQ(found->position, 10);
    ASSERT_EQ(found->count, 2);
    ASSERT_EQ(found->digest, dk_one_shot_digest(dk_one_shot_digest(0, 77), 78));
    ASSERT_EQ(dk_one_shots_find(one_shots, 2, 1)->position, 12);
    dk_one_shots_free(&one_shots);
}

static void test_one_shots_know_what_they_opened(void **state)
{
    (void)state;
    struct dk_one_shots *one_shots = made(100);
    struct dk_one_shot event = {.high = 1, .low = 2, .position = 10, .recorded_us = NOW};
    ASSERT_EQ(dk_one_shots_add(one_shots, &event), 0);
    ASSERT_EQ(dk_one_shots_find(one_shots, 1, 2)->opened_count, 0);
    for (event.position = 11, event.opened = 70; event.position <= 12; event.position++) {
        ASSERT_EQ(dk_one_shots_add(one_shots, &event), 0);
        event.opened++;
    }
    const struct dk_one_shot *found = dk_one_shots_find(one_shots, 1, 2);
    ASSERT_EQ(found->count, 3);
    ASSERT_EQ(found->opened, 70);
    ASSERT_EQ(found->opened_count, 2);
    dk_one_shots_free(&one_shots);
}

static void test_one_shots_are_forgotten_after_a_day(void **state)
{
    (void)state;
    struct dk_one_shots *one_shots = made(1000);
    for (uint64_t i = 1; i <= 500; i++) {
        ASSERT_EQ(add(one_shots, i, i, i, NOW + (int64_t)i, 0), 0);
    }
    int64_t later = NOW + 100 + DK_ONE_SHOT_MEMORY_US;
    ASSERT_EQ(add(one_shots, 999, 999, 501, later, 0), 0);
    ASSERT_TRUE(dk_one_shots_find(one_shots, 99, 99) == NULL);
    ASSERT_TRUE(dk_one_shots_find(one_shots, 100, 100) != NULL);
    ASSERT_TRUE(dk_one_shots_find(one_shots, 999, 999) != NULL);
    dk_one_shots_free(&one_shots);
}

static void test_one_shots_bound_makes_room_only_with_time(void **state)
{
    (void)state;
    struct dk_one_shots *one_shots = made(3);
    for (uint64_t i = 1; i <= 3; i++) {
        ASSERT_TRUE(dk_one_shots_room(one_shots, NOW));
        ASSERT_EQ(add(one_shots, i, i, i, NOW, 0), 0);
    }
    ASSERT_TRUE(!dk_one_shots_room(one_shots, NOW));
    ASSERT_CODE(add(one_shots, 4, 4, 4, NOW, 0), DK_EBUSY);
    int64_t later = NOW + DK_ONE_SHOT_MEMORY_US + 1;
    ASSERT_TRUE(dk_one_shots_room(one_shots, later));
    ASSERT_TRUE(dk_one_shots_find(one_shots, 1, 1) != NULL); /* looking forgets nothing */
    ASSERT_EQ(add(one_shots, 4, 4, 4, later, 0), 0);
    ASSERT_TRUE(dk_one_shots_find(one_shots, 1, 1) == NULL);
    dk_one_shots_free(&one_shots);
}

static int save(const struct dk_one_shots *one_shots, struct dk_buf *out)
{
    struct dk_shelf view;
    ASSERT_EQ(dk_one_shots_freeze(one_shots, &view), 0);
    int rc = dk_shelf_save(&view, out);
    dk_shelf_close(&view);
    return rc;
}

static void test_one_shots_come_back_from_a_save(void **state)
{
    (void)state;
    struct dk_one_shots *one_shots = made(1000);
    struct dk_one_shots *other = made(1000);
    struct dk_buf saved, again;
    struct dk_err err;
    size_t used;
    dk_buf_init(&saved, 1 << 20);
    dk_buf_init(&again, 1 << 20);
    for (uint64_t i = 1; i <= 700; i++) {
        int64_t at = NOW + (int64_t)i * (DK_ONE_SHOT_MEMORY_US / 300);
        ASSERT_EQ(add(one_shots, i / 2, 5, i, at, (uint32_t)i), 0);
    }
    ASSERT_EQ(save(one_shots, &saved), 0);
    ASSERT_OK(dk_one_shots_load(other, saved.data, saved.size, &used, &err), &err);
    ASSERT_EQ(used, saved.size);
    ASSERT_EQ(save(other, &again), 0);
    ASSERT_EQ(again.size, saved.size);
    assert_memory_equal(again.data, saved.data, saved.size);
    ASSERT_TRUE(dk_one_shots_find(other, 349, 5) != NULL);
    ASSERT_CODE(dk_one_shots_load(other, saved.data, saved.size - 1, &used, &err), DK_ECORRUPT);
    dk_buf_close(&saved);
    dk_buf_close(&again);
    dk_one_shots_free(&one_shots);
    dk_one_shots_free(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_shots_are_found_with_first_position_and_count),
        cmocka_unit_test(test_one_shots_know_what_they_opened),
        cmocka_unit_test(test_one_shots_are_forgotten_after_a_day),
        cmocka_unit_test(test_one_shots_bound_makes_room_only_with_time),
        cmocka_unit_test(test_one_shots_come_back_from_a_save),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
