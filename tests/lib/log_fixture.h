/* A folder with an empty log in it, open for writing, and a reader: for tests of what stands on a
 * log. */
#ifndef DK_TESTS_LOG_FIXTURE_H
#define DK_TESTS_LOG_FIXTURE_H

#include "broker/log/log.h"
#include "tests/lib/batches.h"
#include "tests/lib/folder.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>

struct test_log {
    struct test_folder folder;
    char dir[PATH_MAX];
    struct dk_log *log;
    struct dk_log_reader *reader;
    struct dk_err err; /* of the last call that failed */
};

static inline int test_log_reopen(struct test_log *test, enum dk_log_mode mode)
{
    dk_log_reader_free(&test->reader);
    dk_log_close(&test->log);
    int rc = dk_log_open(&test->log, test->dir, mode, &test->err);
    return rc != 0 ? rc : dk_log_reader_new(&test->reader, test->log, &test->err);
}

static inline int test_log_open(struct test_log *test)
{
    memset(test, 0, sizeof *test);
    test_folder_make(&test->folder);
    snprintf(test->dir, sizeof test->dir, "%s/log", test->folder.path);
    int rc = dk_log_create(test->dir, 3, &test->err);
    return rc != 0 ? rc : test_log_reopen(test, DK_LOG_WRITE);
}

static inline void test_log_close(struct test_log *test)
{
    dk_log_reader_free(&test->reader);
    dk_log_close(&test->log);
    test_folder_remove(&test->folder);
}

#endif
