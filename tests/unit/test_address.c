#include "proto/base/address.h"

#include "tests/lib/assert.h"
#include <string.h>

static void test_address_is_a_mailbox_or_not(void **state)
{
    static const struct {
        const char *name;
        bool is;
    } cases[] = {{"a@b", true},
                 {"anna@example.com", true},
                 {"@b", false},
                 {"a@", false},
                 {"a", false},
                 {"", false},
                 {"a b@c", false},
                 {"a@b@c", false},
                 {"a@b\n", false},
                 {"a@b\tc", false},
                 {"ü@example.org", true},
                 {"a,b@c", false},
                 {"-f@c", false},
                 {"<a@b>", false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ASSERT_EQ(dk_address_is_mailbox(cases[i].name, strlen(cases[i].name)), cases[i].is);
    }
}

static void test_address_is_a_url_or_not(void **state)
{
    static const struct {
        const char *name;
        bool is;
    } cases[] = {{"http://x", true},
                 {"https://example.org/a?b#c", true},
                 {"http://127.0.0.1:80/", true},
                 {"http://[::1]:80/", true},
                 {"http://", false},
                 {"http:///x", false},
                 {"http://:80/", false},
                 {"http://@x", false},
                 {"ftp://x", false},
                 {"file:///etc/passwd", false},
                 {"x", false},
                 {"", false},
                 {"http://x y", false},
                 {"http://x\r\nHost: y", false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ASSERT_EQ(dk_address_is_url(cases[i].name, strlen(cases[i].name)), cases[i].is);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_address_is_a_mailbox_or_not),
        cmocka_unit_test(test_address_is_a_url_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
