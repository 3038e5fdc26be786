/* Assertions on top of cmocka that show both sides. */
#ifndef DK_TESTS_ASSERT_H
#define DK_TESTS_ASSERT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/base/err.h"
#include <string.h>

/* Integers of any width, shown in decimal. */
#define ASSERT_EQ(actual, expected)                                                                \
    do {                                                                                           \
        long long assert_a_ = (long long)(actual);                                                 \
        long long assert_e_ = (long long)(expected);                                               \
        if (assert_a_ != assert_e_) {                                                              \
            fail_msg("%s is %lld, expected %s = %lld", #actual, assert_a_, #expected, assert_e_);  \
        }                                                                                          \
    } while (0)

#define ASSERT_STR(actual, expected)                                                               \
    do {                                                                                           \
        const char *assert_a_ = (actual);                                                          \
        const char *assert_e_ = (expected);                                                        \
        if (strcmp(assert_a_, assert_e_) != 0) {                                                   \
            fail_msg("%s is \"%s\", expected \"%s\"", #actual, assert_a_, assert_e_);              \
        }                                                                                          \
    } while (0)

#define ASSERT_CONTAINS(actual, part)                                                              \
    do {                                                                                           \
        const char *assert_a_ = (actual);                                                          \
        const char *assert_p_ = (part);                                                            \
        if (strstr(assert_a_, assert_p_) == NULL) {                                                \
            fail_msg("%s is \"%s\", which lacks \"%s\"", #actual, assert_a_, assert_p_);           \
        }                                                                                          \
    } while (0)

#define ASSERT_TRUE(condition)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fail_msg("%s does not hold", #condition);                                              \
        }                                                                                          \
    } while (0)

/* A call that takes `&err` and must return 0. */
#define ASSERT_OK(call, err)                                                                       \
    do {                                                                                           \
        int assert_rc_ = (call);                                                                   \
        if (assert_rc_ != 0) {                                                                     \
            fail_msg("%s: %s: %s", #call, dk_code_name(assert_rc_), (err)->message);               \
        }                                                                                          \
    } while (0)

/* A call that must return this code. */
#define ASSERT_CODE(call, expected)                                                                \
    do {                                                                                           \
        int assert_rc_ = (call);                                                                   \
        if (assert_rc_ != (expected)) {                                                            \
            fail_msg("%s is %s, expected %s", #call, dk_code_name(assert_rc_),                     \
                     dk_code_name(expected));                                                      \
        }                                                                                          \
    } while (0)

#endif
