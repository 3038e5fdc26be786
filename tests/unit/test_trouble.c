#include "broker/net/trouble.h"

#include "proto/base/err.h"
#include "tests/lib/assert.h"

#define HOUR_US INT64_C(3600000000)

static void test_trouble_is_told_when_it_begins_changes_and_ends(void **state)
{
    (void)state;
    struct dk_trouble trouble = {0};
    ASSERT_TRUE(!dk_trouble_waits(&trouble, 0));
    ASSERT_TRUE(!dk_trouble_over(&trouble));
    ASSERT_TRUE(dk_trouble_met(&trouble, DK_ENOSPACE, 0));
    ASSERT_TRUE(!dk_trouble_met(&trouble, DK_ENOSPACE, 1));
    ASSERT_TRUE(dk_trouble_met(&trouble, DK_EIO, 2));
    ASSERT_TRUE(dk_trouble_over(&trouble));
    ASSERT_TRUE(!dk_trouble_over(&trouble));
    ASSERT_TRUE(!dk_trouble_waits(&trouble, 3));
    ASSERT_TRUE(dk_trouble_met(&trouble, DK_EIO, 4));
}

/* For as long as it lasts: the next attempt is never far, and there are few. */
static void test_trouble_is_tried_ever_more_seldom(void **state)
{
    (void)state;
    struct dk_trouble trouble = {0};
    unsigned attempts = 0;
    int64_t last_us = 0;
    for (int64_t now_us = 0; now_us < HOUR_US; now_us += 100000) {
        if (dk_trouble_waits(&trouble, now_us)) {
            continue;
        }
        ASSERT_TRUE(now_us - last_us <= DK_TROUBLE_PAUSE_MAX_US);
        (void)dk_trouble_met(&trouble, DK_ENOSPACE, now_us);
        last_us = now_us;
        attempts++;
    }
    ASSERT_EQ(attempts, 65); /* at 0, 1, 3, 7, 15, 31, 63 s, then each minute */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trouble_is_told_when_it_begins_changes_and_ends),
        cmocka_unit_test(test_trouble_is_tried_ever_more_seldom),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
