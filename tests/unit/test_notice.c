/* A notice's number says whose it is. */
#include "proto/base/id.h"
#include "proto/fold/notice.h"

#include "tests/lib/assert.h"

#define TICKET dk_ticket_make(7, 42)

static uint64_t scatter(uint64_t n)
{
    n = (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
    return (n ^ (n >> 29)) * UINT64_C(0xbf58476d1ce4e5b9);
}

static void test_notice_belongs_to_one_ticket(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < 1000; n++) {
        uint64_t notice = dk_notice_number(TICKET, scatter(n));
        ASSERT_TRUE(dk_notice_is_of(notice, TICKET));
        ASSERT_TRUE(dk_notice_number(TICKET, scatter(n)) == notice);
        ASSERT_TRUE(notice >> 24 == scatter(n) >> 24);
        for (uint64_t other = 1; other <= 100; other++) {
            ASSERT_TRUE(other == 42 || !dk_notice_is_of(notice, dk_ticket_make(7, other)));
        }
        ASSERT_TRUE(!dk_notice_is_of(notice, dk_ticket_make(8, 42)));
    }
}

/* Any one digit that is typed wrongly, and any two neighbours that changed places. */
static void test_notice_mistyped_is_none(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < 100; n++) {
        uint64_t notice = dk_notice_number(TICKET, scatter(n));
        for (unsigned digit = 0; digit < 64; digit += 4) {
            for (uint64_t wrong = 1; wrong < 16; wrong++) {
                ASSERT_TRUE(!dk_notice_is_of(notice ^ wrong << digit, TICKET));
            }
            uint64_t a = notice >> digit & 15, b = digit < 60 ? notice >> (digit + 4) & 15 : a;
            uint64_t swapped =
                notice ^ (a ^ b) << digit ^ (digit < 60 ? (a ^ b) << (digit + 4) : 0);
            ASSERT_TRUE(a == b || !dk_notice_is_of(swapped, TICKET));
        }
    }
}

static void test_notice_is_never_zero(void **state)
{
    (void)state;
    ASSERT_TRUE(!dk_notice_is_of(0, TICKET) && !dk_notice_is_of(1, TICKET));
    ASSERT_TRUE(dk_notice_number(TICKET, 0) != 0);
    ASSERT_TRUE(dk_notice_is_of(dk_notice_number(TICKET, 0), TICKET));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notice_belongs_to_one_ticket),
        cmocka_unit_test(test_notice_mistyped_is_none),
        cmocka_unit_test(test_notice_is_never_zero),
    };
    return cmocka_run_group_tests_name("notices' numbers", tests, NULL, NULL);
}
