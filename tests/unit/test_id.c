#include "proto/base/id.h"

#include "proto/base/limits.h"
#include "tests/lib/assert.h"

/* The vector of the SipHash paper (appendix A): key 00..0f, message 00..0e, of which the class is
 * the first byte. */
static void test_id_of_key_is_siphash_2_4(void **state)
{
    (void)state;
    uint8_t salt[DK_SALT_BYTES];
    for (size_t i = 0; i < sizeof salt; i++) {
        salt[i] = (uint8_t)i;
    }
    const char key[] = "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e";
    ASSERT_EQ(dk_id_of_key(0, key, 14, salt), UINT64_C(0xa129ca6149be45e5) & DK_ID_MASK);
}

/* Ids are in logs for ever: these may not change. */
static void test_id_of_key_is_fixed(void **state)
{
    (void)state;
    static const struct {
        unsigned cls;
        const char *key;
        uint64_t id;
    } rows[] = {
        {DK_SUBJECT_GROUP, "networking", UINT64_C(0x03a64401d3e0a1f6)},
        {DK_SUBJECT_AGENT, "ada", UINT64_C(0x028efac1290beb4f)},
        {DK_SUBJECT_CALENDAR, "24x7", UINT64_C(0x05dd4a9c86003339)},
        {DK_SUBJECT_PRODUCT, "büro", UINT64_C(0x04f5b469aff2e8ad)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ASSERT_EQ(dk_id_of_key(rows[i].cls, rows[i].key, strlen(rows[i].key), NULL), rows[i].id);
    }
}

static void test_id_of_key_depends_on_class_key_and_salt(void **state)
{
    (void)state;
    const uint8_t none[DK_SALT_BYTES] = {0}, salt[DK_SALT_BYTES] = {1};
    uint64_t group = dk_id_of_key(DK_SUBJECT_GROUP, "a", 1, NULL);
    ASSERT_EQ(dk_id_class(group), DK_SUBJECT_GROUP);
    ASSERT_TRUE((group & DK_ID_MASK) != 0);
    ASSERT_EQ(dk_id_of_key(DK_SUBJECT_GROUP, "a", 1, none), group);
    ASSERT_TRUE(dk_id_of_key(DK_SUBJECT_GROUP, "a", 1, salt) != group);
    ASSERT_TRUE(dk_id_of_key(DK_SUBJECT_GROUP, "b", 1, NULL) != group);
    uint64_t agent = dk_id_of_key(DK_SUBJECT_AGENT, "a", 1, NULL);
    ASSERT_TRUE((agent & DK_ID_MASK) != (group & DK_ID_MASK));
}

static void test_id_of_person_is_of_a_salted_digest(void **state)
{
    (void)state;
    const uint8_t salt[DK_SALT_BYTES] = {1}, other[DK_SALT_BYTES] = {2};
    char key[DK_PERSON_KEY_BYTES], again[DK_PERSON_KEY_BYTES];
    uint64_t id = dk_id_of_person(DK_SUBJECT_CUSTOMER, "a@b.example", 11, salt, key);
    ASSERT_EQ(strlen(key), DK_PERSON_KEY_BYTES - 1);
    ASSERT_EQ(id, dk_id_of_key(DK_SUBJECT_CUSTOMER, key, strlen(key), salt));
    ASSERT_EQ(id, dk_id_of_person(DK_SUBJECT_CUSTOMER, "a@b.example", 11, salt, NULL));
    ASSERT_TRUE(id != dk_id_of_person(DK_SUBJECT_CUSTOMER, "a@b.example", 11, other, again));
    ASSERT_TRUE(strcmp(key, again) != 0);
}

static void test_id_of_key_takes_the_longest_key(void **state)
{
    (void)state;
    char key[DK_KEY_MAX_BYTES];
    memset(key, 'k', sizeof key);
    uint64_t id = dk_id_of_key(DK_SUBJECT_AGENT, key, sizeof key, NULL);
    ASSERT_TRUE(id != dk_id_of_key(DK_SUBJECT_AGENT, key, sizeof key - 1, NULL));
}

static void test_ticket_has_its_parts(void **state)
{
    (void)state;
    uint64_t ticket = dk_ticket_make(DK_SITE_MAX, DK_TICKET_NUMBER_MAX);
    ASSERT_EQ(ticket, UINT64_C(0x01ffffffffffffff));
    ASSERT_EQ(dk_id_class(ticket), DK_SUBJECT_TICKET);
    ASSERT_EQ(dk_ticket_site(ticket), DK_SITE_MAX);
    ASSERT_EQ(dk_ticket_number(ticket), DK_TICKET_NUMBER_MAX);
    ASSERT_EQ(dk_ticket_make(7, 1042), UINT64_C(0x0100070000000412));
}

static void test_id_format_of_tickets_and_others(void **state)
{
    (void)state;
    char text[DK_ID_TEXT_BYTES];
    ASSERT_STR(dk_id_format(dk_ticket_make(7, 1042), text), "7-1042");
    ASSERT_STR(dk_id_format(dk_ticket_make(DK_SITE_MAX, DK_TICKET_NUMBER_MAX), text),
               "65535-1099511627775");
    ASSERT_STR(dk_id_format(dk_id_make(DK_SUBJECT_AGENT, 0x3f9c), text), "agent/00000000003f9c");
    ASSERT_STR(dk_id_format(dk_id_make(DK_SUBJECT_CHECKLIST, DK_ID_MASK), text),
               "checklist/ffffffffffffff");
    ASSERT_STR(dk_id_format(0, text), "?/00000000000000");
}

static void test_ticket_parse_reads_what_format_writes(void **state)
{
    (void)state;
    static const struct {
        unsigned site;
        uint64_t number;
    } rows[] = {{1, 1}, {7, 1042}, {DK_SITE_UNNAMED - 1, DK_TICKET_NUMBER_MAX}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[DK_ID_TEXT_BYTES];
        uint64_t ticket = dk_ticket_make(rows[i].site, rows[i].number), read = 0;
        struct dk_err err;
        ASSERT_OK(dk_ticket_parse(dk_id_format(ticket, text), &read, &err), &err);
        ASSERT_EQ(read, ticket);
    }
}

static void test_ticket_parse_refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "-",
        "7",
        "7-",
        "-7",
        "7-0",
        "7 -1",
        "7- 1",
        "7--1",
        "7-1x",
        "7-1 ",
        " 7-1",
        "+7-1",
        "7-+1",
        "a-1",
        "0-1",
        "65535-1", /* stands for "the ticket opened by the k-th Opened" */
        "65536-1",
        "7-1099511627776",
        "7-99999999999999999999",
        "99999999999999999999-1",
        "7-1-2",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t ticket = 5;
        struct dk_err err = {0};
        ASSERT_CODE(dk_ticket_parse(bad[i], &ticket, &err), DK_EINVAL);
        ASSERT_CONTAINS(err.message, bad[i]);
        ASSERT_EQ(ticket, 5);
    }
}

static void test_words_go_both_ways(void **state)
{
    (void)state;
#define X(number, NAME, word)                                                                      \
    ASSERT_EQ(dk_subject_class_of(word), number);                                                  \
    ASSERT_STR(dk_subject_class_word(number), word);                                               \
    ASSERT_TRUE((number) < DK_SUBJECT_CLASS_COUNT);
    DK_SUBJECT_CLASSES(X)
#undef X
#define X(number, NAME, word)                                                                      \
    ASSERT_EQ(dk_role_of(word), number);                                                           \
    ASSERT_STR(dk_role_word(number), word);
    DK_ROLES(X)
#undef X
#define X(number, NAME, word) ASSERT_STR(dk_actor_class_word(number), word);
    DK_ACTOR_CLASSES(X)
#undef X
    ASSERT_EQ(dk_subject_class_of("tickets"), 0);
    ASSERT_EQ(dk_role_of(""), 0);
    ASSERT_STR(dk_subject_class_word(0), "?");
    ASSERT_STR(dk_subject_class_word(DK_SUBJECT_CLASS_COUNT), "?");
    ASSERT_STR(dk_role_word(0), "?");
    ASSERT_STR(dk_actor_class_word(99), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_id_of_key_is_siphash_2_4),
        cmocka_unit_test(test_id_of_key_is_fixed),
        cmocka_unit_test(test_id_of_key_depends_on_class_key_and_salt),
        cmocka_unit_test(test_id_of_key_takes_the_longest_key),
        cmocka_unit_test(test_id_of_person_is_of_a_salted_digest),
        cmocka_unit_test(test_ticket_has_its_parts),
        cmocka_unit_test(test_id_format_of_tickets_and_others),
        cmocka_unit_test(test_ticket_parse_reads_what_format_writes),
        cmocka_unit_test(test_ticket_parse_refuses),
        cmocka_unit_test(test_words_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
