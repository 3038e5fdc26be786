#include "broker/core/subjects.h"

#include "proto/base/id.h"
#include "tests/lib/assert.h"

static struct dk_subject_head head(uint64_t id, uint64_t position, uint32_t version)
{
    return (struct dk_subject_head){
        .subject = dk_id_make(DK_SUBJECT_AGENT, id),
        .last_position = position,
        .version = version,
    };
}

static void test_subjects_keep_heads(void **state)
{
    (void)state;
    struct dk_subjects subjects;
    dk_subjects_init(&subjects);
    ASSERT_EQ(dk_subjects_get(&subjects, head(1, 0, 0).subject).version, 0);
    for (uint32_t i = 1; i <= 5000; i++) {
        ASSERT_EQ(dk_subjects_set(&subjects, head(i, i, 1)), 0);
    }
    ASSERT_EQ(dk_subjects_set(&subjects, head(17, 6000, 2)), 0);
    for (uint32_t i = 1; i <= 5000; i++) {
        struct dk_subject_head got = dk_subjects_get(&subjects, head(i, 0, 0).subject);
        ASSERT_EQ(got.last_position, i == 17 ? 6000 : i);
        ASSERT_EQ(got.version, i == 17 ? 2 : 1);
    }
    ASSERT_TRUE(dk_subjects_bytes(&subjects) >= 5000 * sizeof(struct dk_subject_head));
    dk_subjects_close(&subjects);
}

static void test_subjects_newest_is_taken_out_again(void **state)
{
    (void)state;
    struct dk_subjects subjects;
    dk_subjects_init(&subjects);
    ASSERT_EQ(dk_subjects_set(&subjects, head(1, 1, 1)), 0);
    ASSERT_EQ(dk_subjects_set(&subjects, head(2, 2, 1)), 0);
    ASSERT_EQ(dk_subjects_set(&subjects, head(2, 0, 0)), 0);
    ASSERT_EQ(dk_subjects_get(&subjects, head(2, 0, 0).subject).version, 0);
    ASSERT_EQ(dk_shelf_count(&subjects.heads), 1);
    ASSERT_EQ(dk_subjects_set(&subjects, head(2, 9, 1)), 0);
    ASSERT_EQ(dk_subjects_get(&subjects, head(2, 0, 0).subject).last_position, 9);
    dk_subjects_close(&subjects);
}

static void test_subjects_are_saved_in_order_of_first_sight(void **state)
{
    (void)state;
    struct dk_subjects subjects, other;
    struct dk_buf saved, again;
    struct dk_err err;
    size_t used;
    dk_subjects_init(&subjects);
    dk_subjects_init(&other);
    dk_buf_init(&saved, 1 << 20);
    dk_buf_init(&again, 1 << 20);
    for (uint32_t i = 300; i > 0; i--) {
        ASSERT_EQ(dk_subjects_set(&subjects, head(i, i, i)), 0);
    }
    ASSERT_EQ(dk_shelf_save(&subjects.heads, &saved), 0);
    ASSERT_OK(dk_subjects_load(&other, saved.data, saved.size, &used, &err), &err);
    ASSERT_EQ(used, saved.size);
    ASSERT_EQ(dk_shelf_save(&other.heads, &again), 0);
    ASSERT_EQ(again.size, saved.size);
    assert_memory_equal(again.data, saved.data, saved.size);

    dk_subjects_close(&other);
    dk_subjects_init(&other);
    for (size_t cut = 0; cut < saved.size; cut += 13) {
        ASSERT_CODE(dk_subjects_load(&other, saved.data, cut, &used, &err), DK_ECORRUPT);
    }
    dk_buf_close(&saved);
    dk_buf_close(&again);
    dk_subjects_close(&subjects);
    dk_subjects_close(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subjects_keep_heads),
        cmocka_unit_test(test_subjects_newest_is_taken_out_again),
        cmocka_unit_test(test_subjects_are_saved_in_order_of_first_sight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
