/* Reference data of its own for each test. */
#ifndef DK_TESTS_REFS_FIXTURE_H
#define DK_TESTS_REFS_FIXTURE_H

#include "proto/refs/refs.h"
#include "tests/lib/definitions.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define T(text) test_at(text)

static inline int set_up(void **state)
{
    return dk_refs_new((struct dk_refs **)state, NULL);
}

static inline int tear_down(void **state)
{
    dk_refs_free((struct dk_refs **)state);
    assert_null(*state);
    return 0;
}

#endif
