#include "proto/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct sample {
    const char *bytes;
    size_t count;
    bool is_text;
};
#define BYTES(text) text, sizeof text - 1

static void test_utf8_follows_rfc_3629(void **state)
{
    (void)state;
    const struct sample samples[] = {
        {BYTES(""), true},
        {BYTES("plain"), true},
        {BYTES("\x01\x7f"), true},
        {BYTES("\xc2\x80"), true},
        {BYTES("\xdf\xbf"), true},
        {BYTES("\xe0\xa0\x80"), true},
        {BYTES("\xed\x9f\xbf"), true},
        {BYTES("\xee\x80\x80"), true},
        {BYTES("\xef\xbf\xbf"), true},
        {BYTES("\xf0\x90\x80\x80"), true},
        {BYTES("\xf4\x8f\xbf\xbf"), true},
        {BYTES("\0"), false},
        {BYTES("\x80"), false},
        {BYTES("\xc0\x80"), false},     /* NUL, overlong */
        {BYTES("\xc1\xbf"), false},     /* overlong */
        {BYTES("\xe0\x9f\xbf"), false}, /* overlong */
        {BYTES("\xf0\x8f\xbf\xbf"), false},
        {BYTES("\xed\xa0\x80"), false},     /* a surrogate */
        {BYTES("\xf4\x90\x80\x80"), false}, /* above U+10FFFF */
        {BYTES("\xf5\x80\x80\x80"), false},
        {BYTES("\xff"), false},
        {BYTES("\xc3"), false},
        {BYTES("\xe2\x82"), false},
        {BYTES("\xf0\x9f\x98"), false},
        {BYTES("\xe2\x28\xa1"), false},
        {BYTES("\xf0\x9f\x28\x80"), false},
    };
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        if (dk_utf8_is_text(samples[i].bytes, samples[i].count) != samples[i].is_text)
            fail_msg("sample %zu is judged wrongly", i);
    }
}

/* Eight bytes at a time must not miss what stands at any offset among them. */
static void test_utf8_sees_every_offset(void **state)
{
    (void)state;
    for (size_t at = 0; at < 40; at++) {
        char text[41];
        memset(text, 'a', sizeof text);
        assert_true(dk_utf8_is_text(text, sizeof text));
        text[at] = '\0';
        assert_false(dk_utf8_is_text(text, sizeof text));
        assert_true(dk_utf8_is_text(text, at));
        text[at] = '\x80';
        assert_false(dk_utf8_is_text(text, sizeof text));
        memcpy(text + at, "\xc3", 1);
        text[at + 1 < sizeof text ? at + 1 : at] = '\xa4';
        assert_int_equal(dk_utf8_is_text(text, sizeof text), at + 1 < sizeof text);
    }
}

/* A text that is cut anywhere ends with its last whole character. */
static void test_utf8_prefix_ends_between_two_characters(void **state)
{
    static const char text[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z";
    static const size_t ends[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};
    (void)state;
    for (size_t cut = 0; cut < sizeof ends / sizeof ends[0]; cut++)
        assert_int_equal(dk_utf8_prefix(text, cut), ends[cut]);
    assert_int_equal(dk_utf8_prefix("abc\xffz", 5), 3); /* what is no text ends it too */
    assert_int_equal(dk_utf8_prefix("\x80", 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8_follows_rfc_3629),
        cmocka_unit_test(test_utf8_sees_every_offset),
        cmocka_unit_test(test_utf8_prefix_ends_between_two_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
