#include "broker/core/shelf.h"

#include "tests/lib/assert.h"

#define COUNT 5000

static uint64_t row(const struct dk_shelf *shelf, uint64_t number)
{
    return *(const uint64_t *)dk_shelf_get(shelf, number);
}

static void add(struct dk_shelf *shelf, uint64_t value)
{
    uint64_t *place = dk_shelf_add(shelf);
    ASSERT_TRUE(place != NULL);
    *place = value;
}

static void test_shelf_keep_their_numbers(void **state)
{
    (void)state;
    struct dk_shelf shelf;
    dk_shelf_init(&shelf, sizeof(uint64_t));
    ASSERT_EQ(dk_shelf_count(&shelf), 0);
    for (uint64_t i = 0; i < 10 * COUNT; i++) {
        add(&shelf, i * 3);
        if (i >= COUNT) {
            dk_shelf_drop(&shelf, i - COUNT);
            ASSERT_EQ(row(&shelf, i - COUNT), (i - COUNT) * 3);
        }
        ASSERT_EQ(row(&shelf, i), i * 3);
    }
    ASSERT_EQ(dk_shelf_count(&shelf), COUNT + 1);
    ASSERT_TRUE(dk_shelf_bytes(&shelf) < (COUNT + 3 * DK_SHELF_CHUNK) * sizeof(uint64_t));
    dk_shelf_cut(&shelf);
    ASSERT_EQ(dk_shelf_count(&shelf), COUNT);
    dk_shelf_drop(&shelf, shelf.end); /* all, and on */
    add(&shelf, 7);
    ASSERT_EQ(row(&shelf, shelf.begin), 7);
    dk_shelf_close(&shelf);
}

/* Whatever becomes of the rows, a view shows them as they were, to a save too. */
static void test_shelf_views_stay_as_they_were(void **state)
{
    (void)state;
    struct dk_shelf shelf, view[3];
    struct dk_buf saved;
    dk_shelf_init(&shelf, sizeof(uint64_t));
    dk_buf_init(&saved, 1 << 20);
    for (uint64_t i = 0; i < COUNT; i++) {
        add(&shelf, i);
    }
    for (size_t v = 0; v < 3; v++) {
        ASSERT_EQ(dk_shelf_freeze(&shelf, &view[v]), 0);
        for (uint64_t i = shelf.begin; i < shelf.end; i += 7) {
            uint64_t *place = dk_shelf_edit(&shelf, i);
            ASSERT_TRUE(place != NULL);
            *place += 1000000;
        }
        for (uint64_t i = 0; i < 100; i++) {
            add(&shelf, shelf.end);
        }
        dk_shelf_drop(&shelf, shelf.begin + 1400);
    }
    dk_shelf_close(&shelf);
    for (size_t v = 0; v < 3; v++) {
        dk_buf_clear(&saved);
        ASSERT_EQ(dk_shelf_save(&view[v], &saved), 0);
        const uint64_t *word = (const uint64_t *)(const void *)saved.data;
        ASSERT_EQ(word[0], COUNT + v * 100 - v * 1400);
        ASSERT_EQ(saved.size, (1 + word[0]) * sizeof(uint64_t));
        for (uint64_t i = 0; i < word[0]; i++) {
            uint64_t number = v * 1400 + i, edited = 0;
            for (uint64_t u = 0; u < v; u++) {
                edited +=
                    number >= u * 1400 && (number - u * 1400) % 7 == 0 && number < COUNT + u * 100;
            }
            ASSERT_EQ(word[1 + i], number + edited * 1000000);
        }
        dk_shelf_close(&view[v]);
    }
    dk_buf_close(&saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shelf_keep_their_numbers),
        cmocka_unit_test(test_shelf_views_stay_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
