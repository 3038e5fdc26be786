#include "broker/log/space.h"

#include "broker/log/verify.h"
#include "tests/lib/assert.h"
#include "tests/lib/log_fixture.h"
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

/* A disk whose free space the test sets: the linker takes this one before libc's. */
static _Atomic uint64_t fake_free_bytes;

int fstatvfs(int fd, struct statvfs *info)
{
    (void)fd;
    *info = (struct statvfs){.f_frsize = 4096, .f_bavail = atomic_load(&fake_free_bytes) / 4096};
    return 0;
}

#define MIB (UINT64_C(1) << 20)

struct fixture {
    struct test_log test;
    struct dk_space *space;
    struct dk_space_options options;
    struct dk_err err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    f->options = (struct dk_space_options){2 * MIB, 65536, 8 * MIB, 1};
    atomic_store(&fake_free_bytes, 1024 * MIB);
    return test_log_open(&f->test);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    dk_space_stop(&f->space);
    test_log_close(&f->test);
    free(f);
    return 0;
}

static void start(struct fixture *f)
{
    ASSERT_OK(dk_space_start(&f->space, f->test.log, &f->options, &f->err), &f->err);
}

static uint64_t file_bytes(struct fixture *f)
{
    char path[PATH_MAX + 64];
    struct stat info;
    snprintf(path, sizeof path, "%s/data.mdb", f->test.dir);
    ASSERT_EQ(stat(path, &info), 0);
    return (uint64_t)info.st_size;
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){0, ms * 1000000}, NULL);
}

/* Waits, up to 10 s, for what the helper thread is to bring about. */
static bool comes_true(struct fixture *f, bool (*condition)(struct fixture *))
{
    for (int i = 0; i < 10000 && !condition(f); i++)
        pause_ms(1);
    return condition(f);
}

static bool is_grown(struct fixture *f)
{
    return file_bytes(f) >= dk_log_used_bytes(f->test.log) + f->options.ahead_bytes;
}

static bool accepts(struct fixture *f)
{
    return dk_space_accepting(f->space);
}

static bool refuses(struct fixture *f)
{
    return !dk_space_accepting(f->space);
}

static void test_space_grows_the_file_ahead(void **state)
{
    struct fixture *f = *state;
    ASSERT_TRUE(!is_grown(f));
    start(f);
    ASSERT_TRUE(comes_true(f, is_grown));
    ASSERT_OK(test_log_fill(f->test.log, 20000, 1000, 200, &f->err), &f->err);
    ASSERT_TRUE(comes_true(f, is_grown));
    dk_space_stop(&f->space);
    uint64_t most = dk_log_used_bytes(f->test.log) + f->options.ahead_bytes;
    ASSERT_TRUE(file_bytes(f) < most + f->options.step_bytes);
    ASSERT_TRUE(dk_log_used_bytes(f->test.log) < 7 * MIB);
}

/* What cannot be written directly (here by its length) is written plainly. */
static void test_space_grows_without_direct_writes(void **state)
{
    struct fixture *f = *state;
    f->options.step_bytes = 65000;
    start(f);
    ASSERT_TRUE(comes_true(f, is_grown));
}

/* The end of the file is fought for: steps of one page, a lead that one commit overtakes. */
static void test_space_never_touches_what_is_written(void **state)
{
    struct fixture *f = *state;
    f->options = (struct dk_space_options){65536, 4096, 8 * MIB, 1};
    start(f);
    ASSERT_OK(test_log_fill(f->test.log, 500, 1, 200, &f->err), &f->err);
    ASSERT_OK(test_log_fill(f->test.log, 60000, 700, 200, &f->err), &f->err);
    dk_space_stop(&f->space);

    struct dk_verify_options options = {0};
    struct dk_verify_report report;
    ASSERT_OK(test_log_reopen(&f->test, DK_LOG_READ), &f->test.err);
    ASSERT_OK(dk_verify(f->test.log, &options, &report, &f->err), &f->err);
    ASSERT_EQ(report.records, 60000);
    ASSERT_EQ(report.findings, 0);
}

static void test_space_refuses_below_the_reserve(void **state)
{
    struct fixture *f = *state;
    start(f);
    ASSERT_TRUE(accepts(f));
    ASSERT_EQ(dk_space_free_bytes(f->space), 1024 * MIB);

    atomic_store(&fake_free_bytes, 8 * MIB - 4096);
    ASSERT_TRUE(comes_true(f, refuses));
    atomic_store(&fake_free_bytes, 9 * MIB - 4096); /* it takes 9 to be accepted again */
    pause_ms(20);
    ASSERT_TRUE(refuses(f));
    atomic_store(&fake_free_bytes, 9 * MIB);
    ASSERT_TRUE(comes_true(f, accepts));
}

/* What is appended to a deleted file is gone with the process, and must not be acknowledged. */
static void test_space_refuses_when_the_file_is_deleted(void **state)
{
    struct fixture *f = *state;
    char path[PATH_MAX + 64];
    start(f);
    ASSERT_TRUE(accepts(f));
    snprintf(path, sizeof path, "%s/data.mdb", f->test.dir);
    ASSERT_EQ(unlink(path), 0);
    ASSERT_TRUE(comes_true(f, refuses));
    pause_ms(20);
    ASSERT_TRUE(refuses(f));
}

static void test_space_looks_before_it_starts(void **state)
{
    struct fixture *f = *state;
    atomic_store(&fake_free_bytes, MIB);
    start(f);
    ASSERT_TRUE(refuses(f));
}

static void test_space_does_not_grow_into_the_reserve(void **state)
{
    struct fixture *f = *state;
    uint64_t before = file_bytes(f);
    atomic_store(&fake_free_bytes, 8 * MIB + f->options.step_bytes - 4096);
    start(f);
    pause_ms(20);
    ASSERT_EQ(file_bytes(f), before);
    ASSERT_TRUE(accepts(f));
    atomic_store(&fake_free_bytes, 8 * MIB + f->options.step_bytes);
    ASSERT_TRUE(comes_true(f, is_grown));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_space_grows_the_file_ahead, setup, teardown),
        cmocka_unit_test_setup_teardown(test_space_grows_without_direct_writes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_space_never_touches_what_is_written, setup, teardown),
        cmocka_unit_test_setup_teardown(test_space_refuses_below_the_reserve, setup, teardown),
        cmocka_unit_test_setup_teardown(test_space_refuses_when_the_file_is_deleted, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_space_looks_before_it_starts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_space_does_not_grow_into_the_reserve, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
