#include "nodes/runtime/table.h"

#include "tests/lib/assert.h"
#include "tests/lib/bodies.h"
#include <stdlib.h>

static struct dk_table *made(unsigned number, size_t value_bytes)
{
    struct dk_table *table;
    struct dk_err err;
    ASSERT_OK(dk_table_new(&table, number, value_bytes, &err), &err);
    return table;
}

static void put(struct dk_table *table, uint64_t key, uint64_t value)
{
    memcpy(dk_table_edit(table, key, sizeof value), &value, sizeof value);
}

/* What a table's hash must be: that of one which was given the same entries and nothing else. */
static uint64_t hash_anew(const struct dk_table *table, unsigned number, size_t value_bytes)
{
    struct dk_table *fresh = made(number, value_bytes);
    size_t cursor = 0, bytes;
    uint64_t key;
    const void *value;
    while (dk_table_next(table, &cursor, &key, &value, &bytes))
        memcpy(dk_table_edit(fresh, key, bytes), value, bytes);
    uint64_t hash = dk_table_hash(fresh);
    dk_table_free(&fresh);
    return hash;
}

static void test_table_keeps_values_of_one_size(void **state)
{
    (void)state;
    struct dk_table *table = made(1, sizeof(uint64_t));
    size_t bytes = 7;
    ASSERT_TRUE(dk_table_get(table, 5, &bytes) == NULL);
    ASSERT_EQ(*(uint64_t *)dk_table_edit(table, 5, 0), 0);
    put(table, 5, 50);
    put(table, 6, 60);
    ASSERT_EQ(*(const uint64_t *)dk_table_get(table, 5, &bytes), 50);
    ASSERT_EQ(bytes, sizeof(uint64_t));
    ASSERT_EQ(dk_table_count(table), 2);
    dk_table_remove(table, 5);
    dk_table_remove(table, 5);
    ASSERT_TRUE(dk_table_get(table, 5, NULL) == NULL);
    ASSERT_EQ(dk_table_count(table), 1);
    ASSERT_EQ(*(uint64_t *)dk_table_edit(table, 5, 0), 0); /* nothing of before comes back */
    dk_table_free(&table);
    ASSERT_TRUE(table == NULL);
}

static void test_table_keeps_what_fits_when_a_value_of_its_own_size_changes_it(void **state)
{
    (void)state;
    struct dk_table *table = made(1, 0);
    size_t bytes;
    memcpy(dk_table_edit(table, 9, 3), "abc", 3);
    assert_memory_equal(dk_table_edit(table, 9, 5), "abc\0\0", 5);
    memcpy(dk_table_edit(table, 9, 5), "abcde", 5);
    assert_memory_equal(dk_table_edit(table, 9, 2), "ab", 2);
    assert_memory_equal(dk_table_edit(table, 9, 4), "ab\0\0", 4);
    assert_memory_equal(dk_table_get(table, 9, &bytes), "ab\0\0", 4);
    ASSERT_EQ(bytes, 4);
    dk_table_free(&table);
}

static void test_table_hash_does_not_depend_on_the_way_there(void **state)
{
    (void)state;
    struct dk_table *up = made(2, sizeof(uint64_t)), *down = made(2, sizeof(uint64_t));
    for (uint64_t i = 1; i <= 1000; i++)
        put(up, i, i * i);
    for (uint64_t i = 1000; i >= 1; i--) {
        put(down, i, 7);
        put(down, i + 5000, 7);
        (void)dk_table_hash(down); /* in the middle */
        put(down, i, i * i);
        dk_table_remove(down, i + 5000);
    }
    ASSERT_TRUE(dk_table_hash(up) == dk_table_hash(down));
    dk_table_free(&up);
    dk_table_free(&down);
}

static void test_table_hash_tells_entries_apart(void **state)
{
    (void)state;
    struct dk_table *table = made(1, sizeof(uint64_t)), *other = made(2, sizeof(uint64_t));
    ASSERT_TRUE(dk_table_hash(table) == 0);
    put(table, 1, 10);
    put(other, 1, 10);
    uint64_t one = dk_table_hash(table);
    ASSERT_TRUE(one != 0 && one != dk_table_hash(other)); /* the table's number counts */
    put(table, 1, 11);
    ASSERT_TRUE(dk_table_hash(table) != one);
    put(table, 1, 10);
    ASSERT_TRUE(dk_table_hash(table) == one);
    put(table, 2, 10);
    ASSERT_TRUE(dk_table_hash(table) != one && dk_table_hash(table) != 2 * one);
    dk_table_remove(table, 1);
    ASSERT_TRUE(dk_table_hash(table) != one); /* the key counts */
    dk_table_remove(table, 2);
    ASSERT_TRUE(dk_table_hash(table) == 0);
    dk_table_free(&table);
    dk_table_free(&other);
}

static void test_table_hash_equals_one_made_anew(void **state)
{
    (void)state;
    for (size_t value_bytes = 0; value_bytes <= 16; value_bytes += 16) {
        struct test_random random = {value_bytes + 1};
        struct dk_table *table = made(3, value_bytes);
        for (int i = 0; i < 20000; i++) {
            uint64_t key = 1 + test_random_below(&random, 300);
            if (test_random_below(&random, 4) == 0) {
                dk_table_remove(table, key);
            } else {
                size_t bytes = value_bytes != 0 ? value_bytes : 1 + test_random_below(&random, 60);
                uint8_t *value = dk_table_edit(table, key, bytes);
                value[test_random_below(&random, bytes)] = (uint8_t)test_random_next(&random);
            }
            if (test_random_below(&random, 50) == 0)
                ASSERT_TRUE(dk_table_hash(table) == hash_anew(table, 3, value_bytes));
        }
        dk_table_free(&table);
    }
}

static void test_table_restored_entries_are_hashed_and_not_changed(void **state)
{
    (void)state;
    for (size_t value_bytes = 0; value_bytes <= 8; value_bytes += 8) {
        struct dk_table *table = made(3, value_bytes);
        for (uint64_t i = 1; i <= 1000; i++)
            ASSERT_TRUE(dk_table_restore(table, i, &i, sizeof i));
        ASSERT_EQ(dk_table_dirty_count(table), 0);
        ASSERT_TRUE(dk_table_hash(table) == hash_anew(table, 3, value_bytes));
        put(table, 7, 70); /* what was restored leaves the sum when it changes */
        dk_table_remove(table, 8);
        ASSERT_EQ(dk_table_dirty_count(table), 2);
        ASSERT_TRUE(dk_table_hash(table) == hash_anew(table, 3, value_bytes));
        uint64_t value = 1;
        ASSERT_TRUE(!dk_table_restore(table, 9, &value, sizeof value)); /* it is there */
        ASSERT_TRUE(!dk_table_restore(table, 0, &value, sizeof value));
        ASSERT_TRUE(!dk_table_restore(table, 2000, &value, 0));
        ASSERT_TRUE(value_bytes == 0 || !dk_table_restore(table, 2000, &value, 3));
        ASSERT_EQ(dk_table_count(table), 999);
        dk_table_free(&table);
    }
}

static void test_table_names_what_changed_since_it_was_clean(void **state)
{
    (void)state;
    struct dk_table *table = made(1, sizeof(uint64_t));
    for (uint64_t i = 1; i <= 10; i++)
        put(table, i, i);
    ASSERT_EQ(dk_table_dirty_count(table), 10);
    dk_table_clean(table);
    ASSERT_EQ(dk_table_dirty_count(table), 0);
    put(table, 3, 33);
    put(table, 3, 34);
    dk_table_remove(table, 4);
    put(table, 99, 1);
    dk_table_remove(table, 99);
    dk_table_remove(table, 1234); /* was never there */
    (void)dk_table_get(table, 5, NULL);
    (void)dk_table_hash(table);

    uint64_t key, seen = 0;
    size_t cursor = 0;
    while (dk_table_next_dirty(table, &cursor, &key)) {
        ASSERT_TRUE(key == 3 || key == 4 || key == 99);
        seen += key;
    }
    ASSERT_EQ(seen, 3 + 4 + 99);
    dk_table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_keeps_values_of_one_size),
        cmocka_unit_test(test_table_keeps_what_fits_when_a_value_of_its_own_size_changes_it),
        cmocka_unit_test(test_table_hash_does_not_depend_on_the_way_there),
        cmocka_unit_test(test_table_hash_tells_entries_apart),
        cmocka_unit_test(test_table_hash_equals_one_made_anew),
        cmocka_unit_test(test_table_restored_entries_are_hashed_and_not_changed),
        cmocka_unit_test(test_table_names_what_changed_since_it_was_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
