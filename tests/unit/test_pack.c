/* What is packed comes back as it was, whatever it is; what no writer made is refused. */
#include "nodes/runtime/pack.h"

#include "proto/base/crc32c.h"
#include "tests/lib/assert.h"
#include "tests/lib/random.h"
#include <stdlib.h>

#define HOUR       INT64_C(3600000000)
#define WORDS_ROOM (1 << 20)

static const struct dk_pack_layout flat = {7, 0}, lists = {5, 4};

/* Rows to be packed, in one piece of memory. */
struct rows {
    struct dk_pack_layout layout;
    struct dk_pack_row row[DK_PACK_ROWS_MAX];
    size_t count, used;
    uint64_t *word;
};

static void rows_open(struct rows *rows, struct dk_pack_layout layout)
{
    *rows = (struct rows){.layout = layout, .word = calloc(WORDS_ROOM, sizeof *rows->word)};
}

static uint64_t *add(struct rows *rows, uint64_t key, size_t items)
{
    size_t words = rows->layout.head_words + items * rows->layout.item_words;
    uint64_t *word = rows->word + rows->used;
    rows->row[rows->count++] = (struct dk_pack_row){key, word, words * sizeof *word};
    rows->used += words;
    ASSERT_TRUE(rows->used <= WORDS_ROOM);
    return word;
}

static void assert_words(const uint64_t *actual, const uint64_t *expected, size_t words)
{
    for (size_t i = 0; i < words; i++)
        ASSERT_EQ(actual[i], expected[i]);
}

/* Of all rows, one by one and all at once. Gives the segment's size. */
static size_t assert_round_trip(struct rows *rows)
{
    struct dk_pack pack;
    struct dk_pack_rows read = {0};
    struct dk_err err;
    uint8_t *bytes;
    size_t size;
    uint64_t *word = calloc(WORDS_ROOM, sizeof *word);
    dk_pack_write(rows->layout, rows->row, rows->count, &bytes, &size);
    ASSERT_OK(dk_pack_open(&pack, rows->layout, bytes, size, &err), &err);
    ASSERT_EQ(pack.rows, rows->count);
    dk_pack_read(&pack, DK_PACK_ALL, &read);
    for (size_t i = 0; i < rows->count; i++) {
        const struct dk_pack_row *row = &rows->row[i];
        size_t words = row->bytes / sizeof(uint64_t);
        ASSERT_EQ(dk_pack_key(&pack, i), row->key);
        ASSERT_EQ(read.key[i], row->key);
        dk_pack_read_row(&pack, i, word);
        assert_words(word, row->value, words);
        ASSERT_EQ(read.begin[i + 1] - read.begin[i], words);
        assert_words(read.word + read.begin[i], row->value, words);
    }
    dk_pack_rows_close(&read);
    free(word);
    free(bytes);
    return size;
}

static uint64_t any_word(struct test_random *random, unsigned taste)
{
    static const uint64_t edges[] = {
        0, 1, (uint64_t)INT64_MAX, (uint64_t)INT64_MIN, UINT64_MAX, (uint64_t)INT64_MAX - 1};
    switch (taste) {
    case 0: return 7;
    case 1: return edges[test_random_below(random, 6)];
    case 2: return test_random_next(random);
    case 3: return test_random_next(random) >> test_random_below(random, 64);
    case 4: return 1 + test_random_below(random, 5);
    case 5:
        return test_random_below(random, 3) == 0 ? (uint64_t)INT64_MAX
                                                 : 1000000 * test_random_below(random, 1 << 20);
    case 6: return (uint64_t) - (int64_t)test_random_below(random, 1000);
    default: return test_random_below(random, 2) == 0 ? 0 : UINT64_C(1) << 40;
    }
}

static void test_pack_gives_random_rows_back(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 600; seed++) {
        struct test_random random = {seed};
        struct rows rows;
        unsigned taste[16];
        size_t most_items = (size_t[]){0, 1, 3, 40}[test_random_below(&random, 4)];
        size_t least_items = most_items > 0 ? test_random_below(&random, 2) : 0;
        rows_open(&rows, seed % 3 == 0 ? flat : lists);
        for (size_t i = 0; i < 16; i++)
            taste[i] = (unsigned)test_random_below(&random, 8);
        size_t count = 1 + test_random_below(&random, seed % 2 == 0 ? 5 : 200);
        for (size_t i = 0; i < count; i++) {
            size_t items = rows.layout.item_words == 0
                               ? 0
                               : least_items + test_random_below(&random, most_items + 1);
            uint64_t *word = add(&rows, 1 + test_random_next(&random) / 2, items);
            size_t words = rows.row[i].bytes / sizeof *word;
            for (size_t k = 0; k < words; k++) {
                size_t head = rows.layout.head_words;
                size_t place = k < head ? k : head + (k - head) % 4;
                word[k] = any_word(&random, taste[place]);
            }
        }
        (void)assert_round_trip(&rows);
        free(rows.word);
    }
}

static void test_pack_gives_the_edges_back(void **state)
{
    (void)state;
    static const uint64_t edges[] = {0, (uint64_t)INT64_MIN, (uint64_t)INT64_MAX, UINT64_MAX, 1};
    for (size_t a = 0; a < 5; a++) {
        for (size_t b = 0; b < 5; b++) {
            struct rows rows;
            rows_open(&rows, lists);
            for (uint64_t i = 1; i <= 3; i++) {
                uint64_t *word = add(&rows, i, i);
                for (size_t k = 0; k < 5 + 4 * i; k++)
                    word[k] = edges[(k + i) % 2 == 0 ? a : b];
            }
            (void)assert_round_trip(&rows);
            free(rows.word);
        }
    }
}

static void test_pack_takes_the_longest_list_and_the_shortest(void **state)
{
    (void)state;
    struct rows rows;
    struct test_random random = {5};
    rows_open(&rows, lists);
    uint64_t *word = add(&rows, 9, DK_PACK_ROW_ITEMS_MAX);
    for (size_t i = 0; i < rows.row[0].bytes / sizeof *word; i++)
        word[i] = test_random_below(&random, 100);
    (void)add(&rows, 10, 0);
    ASSERT_EQ(dk_pack_plan(lists, rows.row, 2), 1); /* it fills a segment */
    (void)assert_round_trip(&rows);
    ASSERT_TRUE(dk_pack_fits(lists, rows.row[0].bytes));
    ASSERT_TRUE(!dk_pack_fits(lists, rows.row[0].bytes + 32));
    ASSERT_TRUE(!dk_pack_fits(lists, 40 + 31));
    ASSERT_TRUE(!dk_pack_fits(flat, 48));
    ASSERT_TRUE(!dk_pack_fits((struct dk_pack_layout){0, 0}, 8));
    rows.count = 1;
    rows.used = 0;
    free(rows.word);
    rows_open(&rows, flat);
    for (uint64_t i = 1; i <= DK_PACK_ROWS_MAX; i++)
        (void)add(&rows, i, 0);
    ASSERT_EQ(dk_pack_plan(flat, rows.row, DK_PACK_ROWS_MAX), DK_PACK_ROWS_MAX);
    (void)assert_round_trip(&rows);
    free(rows.word);
}

/* Tickets as they are: an opening time, steps after it, times of steps in the head, few groups. */
static void add_tickets(struct rows *rows, struct test_random *random)
{
    for (uint64_t i = 1; i <= DK_PACK_ROWS_MAX; i++) {
        size_t items = 3 + test_random_below(random, 9);
        uint64_t *word = add(rows, UINT64_C(1) << 56 | i, items), *item = word + 5;
        uint64_t at = 1767225600000000 + i * 30000000 + test_random_below(random, 30000000);
        for (size_t k = 0; k < items; k++, item += 4) {
            item[0] = at;
            item[1] = UINT64_C(3) << 56 | test_random_below(random, 12);
            item[2] = k == 0 ? 1 : UINT64_C(1) << test_random_below(random, 8);
            at += test_random_below(random, (size_t)(8 * HOUR));
        }
        word[0] = word[5];
        word[1] = word[5 + 4 * (items - 1)];
        word[2] = test_random_below(random, 4) == 0 ? (uint64_t)INT64_MAX : word[5 + 4];
        word[3] = word[0] + test_random_below(random, 1000);
    }
}

static void test_pack_takes_a_fifth_and_knows_the_ranges(void **state)
{
    (void)state;
    struct test_random random = {1};
    struct rows rows;
    struct dk_pack pack;
    struct dk_err err;
    uint8_t *bytes;
    size_t size, plain;
    rows_open(&rows, lists);
    add_tickets(&rows, &random);
    plain = rows.used * sizeof(uint64_t);
    size = assert_round_trip(&rows);
    ASSERT_TRUE(size * 5 < plain);
    dk_pack_write(lists, rows.row, rows.count, &bytes, &size);
    ASSERT_OK(dk_pack_open(&pack, lists, bytes, size, &err), &err);
    struct dk_pack_range begun = dk_pack_head_range(&pack, 0), at = dk_pack_item_range(&pack, 0);
    ASSERT_EQ(begun.min, rows.row[0].value[0]);
    ASSERT_EQ(begun.max, rows.row[DK_PACK_ROWS_MAX - 1].value[0]);
    ASSERT_EQ(at.min, begun.min);
    ASSERT_TRUE(at.max > begun.max);
    ASSERT_EQ(dk_pack_head_range(&pack, 2).max, INT64_MAX);
    free(bytes);
    free(rows.word);
}

static void test_pack_reads_what_is_wanted_right_whatever_it_is(void **state)
{
    (void)state;
    struct test_random random = {2};
    struct rows rows;
    struct dk_pack pack;
    struct dk_pack_rows read = {0};
    struct dk_err err;
    uint8_t *bytes;
    size_t size;
    rows_open(&rows, lists);
    add_tickets(&rows, &random);
    dk_pack_write(lists, rows.row, rows.count, &bytes, &size);
    ASSERT_OK(dk_pack_open(&pack, lists, bytes, size, &err), &err);
    for (unsigned w = 0; w < 9; w++) {
        struct dk_pack_wanted wanted = {w < 5 ? 1u << w : 0, w < 5 ? 0 : 1u << (w - 5)};
        dk_pack_rows_close(&read);
        dk_pack_read(&pack, wanted, &read);
        for (size_t i = 0; i < rows.count; i++) {
            size_t words = rows.row[i].bytes / sizeof(uint64_t);
            const uint64_t *word = read.word + read.begin[i];
            for (size_t k = w; k < (w < 5 ? w + 1 : words); k += 4)
                ASSERT_EQ(word[k], rows.row[i].value[k]);
        }
    }
    dk_pack_rows_close(&read);
    free(bytes);
    free(rows.word);
}

static void test_pack_refuses_each_flipped_bit_and_each_cut(void **state)
{
    (void)state;
    struct test_random random = {3};
    struct rows rows;
    struct dk_pack pack;
    struct dk_err err;
    uint8_t *bytes;
    size_t size;
    rows_open(&rows, lists);
    for (uint64_t i = 1; i <= 20; i++) {
        uint64_t *word = add(&rows, i, i % 3);
        for (size_t k = 0; k < 5 + 4 * (i % 3); k++)
            word[k] = test_random_below(&random, 99);
    }
    dk_pack_write(lists, rows.row, rows.count, &bytes, &size);
    for (size_t bit = 0; bit < size * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ASSERT_CODE(dk_pack_open(&pack, lists, bytes, size, &err), DK_ECORRUPT);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *exact = malloc(cut + 1); /* a sanitizer sees what is read behind it */
        memcpy(exact, bytes, cut);
        ASSERT_CODE(dk_pack_open(&pack, lists, exact, cut, &err), DK_ECORRUPT);
        free(exact);
    }
    ASSERT_CODE(dk_pack_open(&pack, flat, bytes, size, &err), DK_ECORRUPT);
    ASSERT_OK(dk_pack_open(&pack, lists, bytes, size, &err), &err);
    free(bytes);
    free(rows.word);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pack_gives_random_rows_back),
        cmocka_unit_test(test_pack_gives_the_edges_back),
        cmocka_unit_test(test_pack_takes_the_longest_list_and_the_shortest),
        cmocka_unit_test(test_pack_takes_a_fifth_and_knows_the_ranges),
        cmocka_unit_test(test_pack_reads_what_is_wanted_right_whatever_it_is),
        cmocka_unit_test(test_pack_refuses_each_flipped_bit_and_each_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
