#include "broker/log/seals.h"

#include "tests/lib/log_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

/* A disk whose syncs fail when the test says so: the linker gives LMDB this one before libc's. */
static bool sync_fails;

int fdatasync(int fd)
{
    if (!sync_fails)
        return (int)syscall(SYS_fdatasync, fd);
    errno = EIO;
    return -1;
}

struct fixture {
    struct test_log log;
    struct dk_seals *seals;
    struct dk_err err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    return test_log_open(&f->log) != 0 ||
           dk_seals_open(&f->seals, f->log.dir, f->log.log, DK_LOG_WRITE, &f->err) != 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    dk_seals_close(&f->seals);
    test_log_close(&f->log);
    free(f);
    return 0;
}

static void fill(struct fixture *f, uint64_t last)
{
    assert_int_equal(test_log_fill(f->log.log, last, 500, 60, &f->err), 0);
}

static void advance(struct fixture *f)
{
    bool more = true;
    while (more)
        assert_int_equal(dk_seals_advance(f->seals, f->log.reader, 700, &more, &f->err), 0);
}

static uint64_t position_of(struct fixture *f)
{
    uint64_t position = 1;
    assert_int_equal(dk_seals_position(f->seals, &position, &f->err), 0);
    return position;
}

/* The tree over positions first..last, straight from the log. */
static struct dk_hash root_of(struct fixture *f, uint64_t first, uint64_t last)
{
    struct dk_merkle merkle;
    struct dk_records records;
    dk_merkle_init(&merkle);
    dk_records_init(&records);
    for (uint64_t position = first; position <= last; position++) {
        assert_int_equal(dk_log_read(f->log.reader, position, 1, &records, &f->err), 0);
        size_t bytes;
        const uint8_t *record = dk_batch_record(&records.batch, 0, &bytes);
        struct dk_hash leaf = dk_merkle_leaf(record, bytes);
        dk_merkle_add(&merkle, &leaf);
    }
    dk_records_close(&records);
    return dk_merkle_root(&merkle);
}

static void assert_sealed(struct fixture *f, uint64_t i)
{
    struct dk_hash stored, expected = root_of(f, i * 1024 + 1, (i + 1) * 1024);
    assert_int_equal(dk_seals_get(f->seals, i, &stored, &f->err), 0);
    assert_memory_equal(&stored, &expected, sizeof stored);
}

static void test_seals_follow_the_log(void **state)
{
    struct fixture *f = *state;
    struct dk_hash root;
    advance(f);
    assert_int_equal(position_of(f), 0);

    fill(f, 1023);
    advance(f);
    assert_int_equal(position_of(f), 0);
    assert_int_equal(dk_seals_get(f->seals, 0, &root, &f->err), DK_ENOTFOUND);

    fill(f, 1024);
    advance(f);
    assert_int_equal(position_of(f), 1024);

    fill(f, 4000);
    advance(f);
    assert_int_equal(position_of(f), 3072);
    for (uint64_t i = 0; i < 3; i++)
        assert_sealed(f, i);
    assert_int_equal(dk_seals_get(f->seals, 3, &root, &f->err), DK_ENOTFOUND);
}

static void test_seals_go_on_where_they_were(void **state)
{
    struct fixture *f = *state;
    fill(f, 2500);
    advance(f);
    dk_seals_close(&f->seals);
    assert_int_equal(dk_seals_open(&f->seals, f->log.dir, f->log.log, DK_LOG_WRITE, &f->err), 0);
    assert_int_equal(position_of(f), 2048);
    fill(f, 5000);
    advance(f);
    for (uint64_t i = 0; i < 4; i++)
        assert_sealed(f, i);
}

static void test_seals_tree_head_of_any_size(void **state)
{
    struct fixture *f = *state;
    static const uint64_t sizes[] = {0, 1, 1023, 1024, 1025, 2048, 2500, 3073, 3100};
    fill(f, 3100);
    for (int pass = 0; pass < 2; pass++) { /* first with no seals, then with all */
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            struct dk_hash head, expected = root_of(f, 1, sizes[i]);
            int rc = dk_seals_tree_head(f->seals, f->log.reader, sizes[i], &head, &f->err);
            assert_int_equal(rc, 0);
            assert_memory_equal(&head, &expected, sizeof head);
        }
        advance(f);
    }
    struct dk_hash head;
    assert_int_equal(dk_seals_tree_head(f->seals, f->log.reader, 3101, &head, &f->err),
                     DK_ENOTFOUND);
}

static void test_seals_of_another_log_are_refused(void **state)
{
    struct fixture *f = *state;
    struct test_log other;
    assert_int_equal(test_log_open(&other), 0);
    dk_seals_close(&f->seals);
    assert_int_equal(dk_seals_open(&f->seals, f->log.dir, other.log, DK_LOG_WRITE, &f->err),
                     DK_EDIVERGED);
    assert_null(f->seals);
    test_log_close(&other);
}

static void damage(struct fixture *f)
{
    char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s/seals/data.mdb", f->log.dir);
    int fd = open(path, O_WRONLY);
    uint8_t zeros[8192] = {0};
    assert_int_equal(pwrite(fd, zeros, sizeof zeros, 0), sizeof zeros);
    close(fd);
}

static void test_seals_that_are_damaged_are_made_anew(void **state)
{
    struct fixture *f = *state;
    fill(f, 2048);
    advance(f);
    dk_seals_close(&f->seals);
    damage(f);
    assert_int_equal(dk_seals_open(&f->seals, f->log.dir, f->log.log, DK_LOG_READ, &f->err),
                     DK_ECORRUPT);
    assert_int_equal(dk_seals_open(&f->seals, f->log.dir, f->log.log, DK_LOG_WRITE, &f->err), 0);
    assert_int_equal(position_of(f), 0);
    advance(f);
    assert_sealed(f, 1);
}

/* As after a power cut that took commits back which the seals had seen. */
static void test_seals_ahead_of_their_log_are_made_anew(void **state)
{
    struct fixture *f = *state;
    char copy[PATH_MAX], seals[PATH_MAX + 64], to[PATH_MAX + 64];
    fill(f, 1500);
    snprintf(copy, sizeof copy, "%s/earlier", f->log.folder.path);
    assert_int_equal(dk_log_copy(f->log.log, copy, &f->err), 0);
    fill(f, 2500);
    advance(f);
    assert_int_equal(position_of(f), 2048);
    dk_seals_close(&f->seals);

    snprintf(seals, sizeof seals, "%s/seals", f->log.dir);
    snprintf(to, sizeof to, "%s/seals", copy);
    assert_int_equal(rename(seals, to), 0);
    snprintf(f->log.dir, sizeof f->log.dir, "%s", copy);
    assert_int_equal(test_log_reopen(&f->log, DK_LOG_WRITE), 0);
    assert_int_equal(dk_seals_open(&f->seals, copy, f->log.log, DK_LOG_WRITE, &f->err), 0);
    assert_int_equal(position_of(f), 0);
    advance(f);
    assert_int_equal(position_of(f), 1024);
    assert_sealed(f, 0);
}

/* LMDB would let the commit after a failed sync succeed, over pages that are not there. */
static void test_seals_are_made_anew_after_a_failed_sync(void **state)
{
    struct fixture *f = *state;
    char data[PATH_MAX + 64];
    bool more = true;
    snprintf(data, sizeof data, "%s/seals/data.mdb", f->log.dir);
    fill(f, 1100);
    advance(f);
    fill(f, 2500);
    sync_fails = true;
    int rc = dk_seals_advance(f->seals, f->log.reader, 5000, &more, &f->err);
    sync_fails = false;
    assert_int_equal(rc, DK_EIO);
    assert_non_null(strstr(f->err.message, "made anew"));
    assert_int_equal(access(data, F_OK), -1);
    assert_int_equal(position_of(f), 1024); /* read as it stood */
    assert_sealed(f, 0);

    sync_fails = true;
    assert_int_equal(dk_seals_advance(f->seals, f->log.reader, 5000, &more, &f->err), DK_EIO);
    sync_fails = false;
    advance(f);
    assert_int_equal(position_of(f), 2048);
    assert_sealed(f, 0);
    assert_sealed(f, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_seals_follow_the_log, setup, teardown),
        cmocka_unit_test_setup_teardown(test_seals_go_on_where_they_were, setup, teardown),
        cmocka_unit_test_setup_teardown(test_seals_tree_head_of_any_size, setup, teardown),
        cmocka_unit_test_setup_teardown(test_seals_of_another_log_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_seals_that_are_damaged_are_made_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(test_seals_are_made_anew_after_a_failed_sync, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_seals_ahead_of_their_log_are_made_anew, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
