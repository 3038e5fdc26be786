#include "proto/base/buf.h"

#include "tests/lib/assert.h"

static void test_buf_append_keeps_what_was_there(void **state)
{
    (void)state;
    struct dk_buf buf;
    dk_buf_init(&buf, 1 << 20);
    for (int i = 0; i < 100000; i++) {
        uint8_t byte = (uint8_t)(i * 7);
        ASSERT_EQ(dk_buf_append(&buf, &byte, 1), 0);
    }
    ASSERT_EQ(buf.size, 100000);
    for (int i = 0; i < 100000; i++) {
        ASSERT_EQ(buf.data[i], (uint8_t)(i * 7));
    }
    dk_buf_close(&buf);
    ASSERT_EQ(buf.size, 0);
    ASSERT_EQ(buf.max, 1 << 20);
}

/* Whatever the maximum: it can be filled to the last byte, and not beyond. */
static void test_buf_never_grows_beyond_max(void **state)
{
    (void)state;
    static const size_t maxima[] = {1, 2, 255, 256, 257, 512, 1000, 4097};
    for (size_t i = 0; i < sizeof maxima / sizeof maxima[0]; i++) {
        struct dk_buf buf;
        dk_buf_init(&buf, maxima[i]);
        for (size_t n = 0; n < maxima[i]; n++) {
            ASSERT_EQ(dk_buf_append(&buf, "x", 1), 0);
            ASSERT_TRUE(buf.capacity <= maxima[i]);
        }
        ASSERT_CODE(dk_buf_append(&buf, "y", 1), DK_ETOOBIG);
        ASSERT_TRUE(dk_buf_extend(&buf, 1) == NULL);
        ASSERT_TRUE(dk_buf_extend(&buf, SIZE_MAX) == NULL);
        ASSERT_EQ(buf.size, maxima[i]);
        ASSERT_EQ(buf.data[maxima[i] - 1], 'x');
        dk_buf_close(&buf);
    }
}

static void test_buf_extend_of_nothing_points_to_the_end(void **state)
{
    (void)state;
    struct dk_buf buf;
    dk_buf_init(&buf, 4);
    ASSERT_TRUE(dk_buf_extend(&buf, 0) != NULL);
    ASSERT_EQ(buf.size, 0);
    ASSERT_EQ(dk_buf_append(&buf, "abcd", 4), 0);
    ASSERT_TRUE(dk_buf_extend(&buf, 0) == buf.data + 4);
    ASSERT_EQ(dk_buf_append(&buf, NULL, 0), 0);
    dk_buf_close(&buf);
}

static void test_buf_printf_appends_or_leaves_all(void **state)
{
    (void)state;
    struct dk_buf buf;
    dk_buf_init(&buf, 8);
    ASSERT_EQ(dk_buf_printf(&buf, "%d-%s", 42, "a"), 0);
    ASSERT_EQ(buf.size, 4);
    ASSERT_STR(dk_buf_string(&buf), "42-a");
    ASSERT_CODE(dk_buf_printf(&buf, "%s", "12345"), DK_ETOOBIG);
    ASSERT_EQ(buf.size, 4);
    ASSERT_EQ(dk_buf_printf(&buf, "%s", ""), 0);
    ASSERT_STR(dk_buf_string(&buf), "42-a");
    dk_buf_close(&buf);
}

static void test_buf_string_ends_without_counting(void **state)
{
    (void)state;
    struct dk_buf buf;
    dk_buf_init(&buf, 3);
    ASSERT_STR(dk_buf_string(&buf), "");
    dk_buf_append(&buf, "ab", 2);
    ASSERT_STR(dk_buf_string(&buf), "ab");
    ASSERT_EQ(buf.size, 2);
    dk_buf_append(&buf, "c", 1);
    ASSERT_TRUE(dk_buf_string(&buf) == NULL);
    dk_buf_close(&buf);
}

static void test_buf_clear_keeps_the_memory(void **state)
{
    (void)state;
    struct dk_buf buf;
    dk_buf_init(&buf, 1000);
    dk_buf_append(&buf, "abc", 3);
    size_t capacity = buf.capacity;
    dk_buf_clear(&buf);
    ASSERT_EQ(buf.size, 0);
    ASSERT_EQ(buf.capacity, capacity);
    dk_buf_append(&buf, "z", 1);
    ASSERT_STR(dk_buf_string(&buf), "z");
    dk_buf_close(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buf_append_keeps_what_was_there),
        cmocka_unit_test(test_buf_never_grows_beyond_max),
        cmocka_unit_test(test_buf_extend_of_nothing_points_to_the_end),
        cmocka_unit_test(test_buf_printf_appends_or_leaves_all),
        cmocka_unit_test(test_buf_string_ends_without_counting),
        cmocka_unit_test(test_buf_clear_keeps_the_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
