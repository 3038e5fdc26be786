#include "proto/base/temp.h"

#include "tests/lib/assert.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void test_temp_name_is_what_mkdtemp_takes(void **state)
{
    char one[64], other[64];
    (void)state;
    ASSERT_TRUE(dk_temp_name(one, sizeof one, "/tmp", "docket-test"));
    ASSERT_TRUE(dk_temp_name(other, sizeof other, "/tmp", "docket-test"));
    ASSERT_TRUE(mkdtemp(one) != NULL && mkdtemp(other) != NULL);
    ASSERT_EQ(strncmp(one, "/tmp/docket-test.", 17), 0);
    ASSERT_TRUE(strcmp(one, other) != 0);
    ASSERT_EQ(rmdir(one), 0);
    ASSERT_EQ(rmdir(other), 0);
}

static void test_temp_name_fits_or_is_refused(void **state)
{
    char path[12];
    (void)state;
    ASSERT_TRUE(dk_temp_name(path, sizeof path, "/a", "b"));
    ASSERT_EQ(strlen(path), 11);
    ASSERT_TRUE(!dk_temp_name(path, sizeof path, "/a", "bc"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_temp_name_is_what_mkdtemp_takes),
        cmocka_unit_test(test_temp_name_fits_or_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
