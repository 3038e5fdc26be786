/* A folder of its own for a test, removed with all that is in it. */
#ifndef DK_TESTS_FOLDER_H
#define DK_TESTS_FOLDER_H

#include "proto/base/err.h"
#include "proto/base/temp.h"
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

struct test_folder {
    char path[PATH_MAX / 2];
};

static inline void test_folder_make(struct test_folder *folder)
{
    const char *base = getenv("TMPDIR");
    DK_ASSERT(dk_temp_name(folder->path, sizeof folder->path, base == NULL ? "/tmp" : base,
                           "docket-test"));
    DK_ASSERT(mkdtemp(folder->path) != NULL);
}

static inline int test_folder_on_entry(const char *path, const struct stat *info, int type,
                                       struct FTW *ftw)
{
    (void)info;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void test_folder_remove(struct test_folder *folder)
{
    nftw(folder->path, test_folder_on_entry, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
