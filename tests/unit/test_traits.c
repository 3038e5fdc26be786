#include "docket.pb-c.h"
#include "proto/fold/traits.h"

#include "tests/lib/assert.h"
#include "tests/lib/definitions.h"

static bool apply(struct dk_traits *traits, enum dk_change what, uint64_t value)
{
    struct dk_transition transition = {.change = dk_id_make(what, value)};
    return dk_traits_apply(traits, &transition);
}

static void test_traits_ids_are_whole_and_zero_is_none(void **state)
{
    struct dk_traits traits = {0};
    (void)state;
    ASSERT_TRUE(apply(&traits, DK_CHANGE_PRODUCT, 5));
    ASSERT_TRUE(apply(&traits, DK_CHANGE_GROUP, 6));
    ASSERT_TRUE(apply(&traits, DK_CHANGE_SUPPLIER_HANDED, 7));
    ASSERT_EQ(traits.product, dk_id_make(DK_SUBJECT_PRODUCT, 5));
    ASSERT_EQ(traits.group, dk_id_make(DK_SUBJECT_GROUP, 6));
    ASSERT_EQ(traits.supplier, dk_id_make(DK_SUBJECT_SUPPLIER, 7));
    ASSERT_TRUE(apply(&traits, DK_CHANGE_PRODUCT, 0));
    ASSERT_EQ(traits.product, 0);
}

static void test_traits_say_what_they_are_not_about(void **state)
{
    struct dk_traits traits = {0}, before = {0};
    (void)state;
    ASSERT_TRUE(!apply(&traits, DK_CHANGE_REPLY, 1));
    ASSERT_TRUE(!apply(&traits, DK_CHANGE_STATUS, DOCKET__STATUS__STATUS_OPEN));
    ASSERT_TRUE(!apply(&traits, DK_CHANGE_OPENED, 0));
    assert_memory_equal(&traits, &before, sizeof traits);
}

static void test_traits_another_requester_brings_another_company(void **state)
{
    struct dk_traits traits = {0};
    (void)state;
    ASSERT_TRUE(apply(&traits, DK_CHANGE_CUSTOMER, 1));
    ASSERT_TRUE(apply(&traits, DK_CHANGE_COMPANY, 2));
    ASSERT_EQ(traits.company, dk_id_make(DK_SUBJECT_COMPANY, 2));
    ASSERT_TRUE(apply(&traits, DK_CHANGE_CUSTOMER, 3));
    ASSERT_EQ(traits.company, 0);
}

static void test_traits_T1_an_adopted_ticket_has_a_priority(void **state)
{
    struct dk_traits traits = {0};
    (void)state;
    ASSERT_TRUE(apply(&traits, DK_CHANGE_ADOPTED, 0));
    ASSERT_EQ(traits.priority, DOCKET__PRIORITY__PRIORITY_NORMAL);
    ASSERT_TRUE(apply(&traits, DK_CHANGE_PRIORITY, DOCKET__PRIORITY__PRIORITY_HIGH));
    ASSERT_TRUE(apply(&traits, DK_CHANGE_ADOPTED, 0));
    ASSERT_EQ(traits.priority, DOCKET__PRIORITY__PRIORITY_HIGH);
}

static void test_traits_tags_are_a_set_with_a_limit(void **state)
{
    struct dk_traits traits = {0};
    size_t empty = dk_traits_bytes(&traits);
    (void)state;
    for (uint64_t tag = 1; tag <= DK_TRAITS_TAGS + 1; tag++) {
        ASSERT_TRUE(apply(&traits, DK_CHANGE_TAG_ADDED, tag));
        ASSERT_TRUE(apply(&traits, DK_CHANGE_TAG_ADDED, tag));
    }
    ASSERT_EQ(traits.tag_count, DK_TRAITS_TAGS);
    ASSERT_EQ(dk_traits_bytes(&traits), sizeof traits);
    ASSERT_TRUE(apply(&traits, DK_CHANGE_TAG_REMOVED, DK_TRAITS_TAGS + 1)); /* was not kept */
    ASSERT_EQ(traits.tag_count, DK_TRAITS_TAGS);
    for (uint64_t tag = 1; tag <= DK_TRAITS_TAGS; tag++) {
        ASSERT_TRUE(apply(&traits, DK_CHANGE_TAG_REMOVED, tag));
    }
    ASSERT_EQ(dk_traits_bytes(&traits), empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_traits_ids_are_whole_and_zero_is_none),
        cmocka_unit_test(test_traits_say_what_they_are_not_about),
        cmocka_unit_test(test_traits_another_requester_brings_another_company),
        cmocka_unit_test(test_traits_T1_an_adopted_ticket_has_a_priority),
        cmocka_unit_test(test_traits_tags_are_a_set_with_a_limit),
    };
    return cmocka_run_group_tests_name("traits", tests, NULL, NULL);
}
