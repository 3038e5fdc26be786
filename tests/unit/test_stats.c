/* Exact figures, against values worked out by hand. */
#include "nodes/analytics/stats.h"
#include "tests/lib/assert.h"

static const char *text_of(__int128 numerator, int64_t denominator)
{
    static char text[64];
    struct dk_buf buf;
    dk_buf_init(&buf, sizeof text);
    assert_int_equal(dk_ratio_put(&buf, (struct dk_ratio){numerator, denominator}), 0);
    memcpy(text, dk_buf_string(&buf), buf.size + 1);
    dk_buf_close(&buf);
    return text;
}

static void test_stats_decimals_are_exact_and_short(void **state)
{
    (void)state;
    ASSERT_STR(text_of(0, 1), "0");
    ASSERT_STR(text_of(7, 1), "7");
    ASSERT_STR(text_of(1000, 1), "1000");
    ASSERT_STR(text_of(221, 10), "22.1");
    ASSERT_STR(text_of(-1, 8), "-0.125");
    ASSERT_STR(text_of(1, 3), "0.333333");
    ASSERT_STR(text_of(2, 3), "0.666667");
    ASSERT_STR(text_of(1, 1000000), "0.000001");
    ASSERT_STR(text_of(999999999, 1000000000), "1");
    ASSERT_STR(text_of(((__int128)1 << 100), 1), "1267650600228229401496703205376");
}

static void test_stats_decimals_round_half_to_even(void **state)
{
    (void)state;
    ASSERT_STR(text_of(1, 2000000), "0");        /* 0.0000005 */
    ASSERT_STR(text_of(3, 2000000), "0.000002"); /* 0.0000015 */
    ASSERT_STR(text_of(5, 2000000), "0.000002"); /* 0.0000025 */
    ASSERT_STR(text_of(-3, 2000000), "-0.000002");
    ASSERT_STR(text_of(-1, 4000000), "0"); /* no minus before nothing */
}

static const char *quantile(const int64_t *sorted, size_t n, unsigned percent, bool nearest)
{
    struct dk_ratio ratio = dk_quantile(sorted, n, percent, nearest);
    return text_of(ratio.numerator, ratio.denominator);
}

static void test_stats_type_7_is_linear(void **state)
{
    const int64_t four[] = {1, 2, 3, 10}, five[] = {-5, 0, 7, 8, 100};
    (void)state;
    ASSERT_STR(quantile(four, 4, 50, false), "2.5");
    ASSERT_STR(quantile(four, 4, 90, false), "7.9"); /* 2.7: 3 + 0.7 * 7 */
    ASSERT_STR(quantile(four, 4, 0, false), "1");
    ASSERT_STR(quantile(four, 4, 100, false), "10");
    ASSERT_STR(quantile(five, 5, 50, false), "7");
    ASSERT_STR(quantile(five, 5, 10, false), "-3");    /* 0.4 */
    ASSERT_STR(quantile(five, 5, 99, false), "96.32"); /* 3.96 */
    ASSERT_STR(quantile(five, 1, 90, false), "-5");
}

static void test_stats_nearest_rank_is_one_of_the_values(void **state)
{
    const int64_t four[] = {1, 2, 3, 10};
    int64_t ten[10];
    (void)state;
    for (int i = 0; i < 10; i++) {
        ten[i] = i + 1;
    }
    ASSERT_STR(quantile(four, 4, 50, true), "2");
    ASSERT_STR(quantile(four, 4, 51, true), "3");
    ASSERT_STR(quantile(four, 4, 90, true), "10");
    ASSERT_STR(quantile(four, 4, 0, true), "1");
    ASSERT_STR(quantile(ten, 10, 90, true), "9");
    ASSERT_STR(quantile(ten, 10, 91, true), "10");
}

static void test_stats_far_values_do_not_overflow(void **state)
{
    const int64_t far[] = {-INT64_MAX, INT64_MAX};
    (void)state;
    ASSERT_STR(quantile(far, 2, 50, false), "0");
    ASSERT_STR(quantile(far, 2, 100, false), "9223372036854775807");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats_decimals_are_exact_and_short),
        cmocka_unit_test(test_stats_decimals_round_half_to_even),
        cmocka_unit_test(test_stats_type_7_is_linear),
        cmocka_unit_test(test_stats_nearest_rank_is_one_of_the_values),
        cmocka_unit_test(test_stats_far_values_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
