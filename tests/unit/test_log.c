#include "broker/log/log.h"

#include "proto/event/event.h"
#include "tests/lib/log_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
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
    struct test_log test;
    struct dk_records records;
    struct test_batch batch;
    struct dk_err err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    test_batch_init(&f->batch);
    dk_records_init(&f->records);
    return test_log_open(&f->test);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    test_log_close(&f->test);
    test_batch_close(&f->batch);
    dk_records_close(&f->records);
    free(f);
    return 0;
}

static void close_log(struct fixture *f)
{
    dk_log_reader_free(&f->test.reader);
    dk_log_close(&f->test.log);
}

static void open_log(struct fixture *f, enum dk_log_mode mode)
{
    assert_int_equal(test_log_reopen(&f->test, mode), 0);
}

static uint64_t last_of(struct fixture *f)
{
    uint64_t last = 0;
    assert_int_equal(dk_log_last(f->test.log, &last, &f->err), 0);
    return last;
}

static void fill(struct fixture *f, uint64_t last, size_t a_commit, size_t text_bytes)
{
    assert_int_equal(test_log_fill(f->test.log, last, a_commit, text_bytes, &f->err), 0);
}

/* Reads from `from` on and checks that exactly what was written is there, up to `last`. */
static void check_records(struct fixture *f, uint64_t from, uint64_t last, size_t max_bytes,
                          size_t text_bytes)
{
    while (from <= last) {
        assert_int_equal(dk_log_read(f->test.reader, from, max_bytes, &f->records, &f->err), 0);
        assert_true(f->records.batch.count > 0);
        assert_int_equal(f->records.batch.first, from);
        test_batch_notes(&f->batch, from, f->records.batch.count, text_bytes);
        size_t total = f->records.batch.offset[f->records.batch.count];
        assert_true(total <= max_bytes || f->records.batch.count == 1);
        assert_int_equal(total, f->batch.records.size);
        assert_memory_equal(f->records.batch.data, f->batch.records.data, total);
        from += f->records.batch.count;
    }
    assert_int_equal(from, last + 1);
}

static mode_t mode_of(const char *dir, const char *name)
{
    char path[2 * PATH_MAX];
    struct stat info;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(stat(path, &info), 0);
    return info.st_mode & 07777;
}

static void test_log_create_makes_an_empty_log(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(last_of(f), 0);
    assert_int_equal(dk_log_identity(f->test.log)->site, 3);
    assert_string_equal(dk_log_dir(f->test.log), f->test.dir);
    assert_int_equal(dk_log_read(f->test.reader, 1, 1000, &f->records, &f->err), 0);
    assert_int_equal(f->records.batch.count, 0);

    assert_int_equal(mode_of(f->test.dir, "."), 02750);
    assert_int_equal(mode_of(f->test.dir, "data.mdb"), 0640);
    assert_int_equal(mode_of(f->test.dir, "lock.mdb"), 0660);

    assert_int_equal(dk_log_create(f->test.dir, 3, &f->err), DK_EEXISTS);
}

/* A kill during creation leaves no half log behind. */
static void test_log_create_goes_on_after_a_kill(void **state)
{
    struct fixture *f = *state;
    char dir[PATH_MAX], path[2 * PATH_MAX];
    snprintf(dir, sizeof dir, "%s/other", f->test.folder.path);
    snprintf(path, sizeof path, "%s/creating", dir);
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/creating/data.mdb", dir);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "half", 4), 4);
    close(fd);

    struct dk_log *log;
    assert_int_equal(dk_log_open(&log, dir, DK_LOG_WRITE, &f->err), DK_ENOTFOUND);
    assert_int_equal(dk_log_create(dir, 1, &f->err), 0);
    assert_int_equal(dk_log_open(&log, dir, DK_LOG_WRITE, &f->err), 0);
    assert_memory_not_equal(dk_log_identity(log)->uuid, dk_log_identity(f->test.log)->uuid, 16);
    dk_log_close(&log);
}

static void test_log_keeps_what_was_committed(void **state)
{
    struct fixture *f = *state;
    fill(f, 1, 1, 100);
    fill(f, 11, 10, 100);
    fill(f, 1300, 300, 100);
    assert_int_equal(last_of(f), 1300);
    check_records(f, 1, 1300, 1 << 20, 100);

    uint8_t uuid[16];
    memcpy(uuid, dk_log_identity(f->test.log)->uuid, sizeof uuid);
    close_log(f);
    open_log(f, DK_LOG_WRITE);
    assert_memory_equal(dk_log_identity(f->test.log)->uuid, uuid, sizeof uuid);
    assert_int_equal(last_of(f), 1300);
    fill(f, 1400, 7, 100);
    check_records(f, 1, 1400, 1 << 20, 100);
}

static void test_log_read_begins_anywhere_and_is_bounded(void **state)
{
    struct fixture *f = *state;
    fill(f, 20, 3, 200);
    fill(f, 700, 500, 200);
    for (uint64_t from = 1; from <= 700; from += 13)
        check_records(f, from, 700, 5000, 200);
    check_records(f, 1, 700, 1, 200);

    assert_int_equal(dk_log_read(f->test.reader, 701, 1000, &f->records, &f->err), 0);
    assert_int_equal(f->records.batch.count, 0);
    assert_int_equal(dk_log_read(f->test.reader, UINT64_MAX, 1000, &f->records, &f->err), 0);
    assert_int_equal(f->records.batch.count, 0);
    assert_int_equal(dk_log_read(f->test.reader, 0, 1000, &f->records, &f->err), DK_EINVAL);

    fill(f, 1200, 50, 60000);
    assert_int_equal(dk_log_read(f->test.reader, 701, SIZE_MAX, &f->records, &f->err), 0);
    size_t total = f->records.batch.offset[f->records.batch.count];
    assert_true(total <= DK_READ_MAX_BYTES && total > DK_READ_MAX_BYTES - 61000);
}

static void test_log_has_one_writer(void **state)
{
    struct fixture *f = *state;
    pid_t child = fork();
    if (child == 0) {
        struct dk_log *second = NULL;
        char pid[24];
        snprintf(pid, sizeof pid, "process %d", (int)getppid());
        int rc = dk_log_open(&second, f->test.dir, DK_LOG_WRITE, &f->err);
        _exit(rc == DK_EBUSY && strstr(f->err.message, pid) != NULL ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* A reader in another process sees what is committed after it opened. */
static void test_log_is_read_by_another_process(void **state)
{
    struct fixture *f = *state;
    fill(f, 100, 10, 50);
    int go[2], done[2];
    assert_int_equal(pipe(go), 0);
    assert_int_equal(pipe(done), 0);
    pid_t child = fork();
    if (child == 0) {
        struct dk_log *log;
        struct dk_log_reader *reader;
        uint64_t before, after;
        char byte;
        bool ok = dk_log_open(&log, f->test.dir, DK_LOG_READ, NULL) == 0 &&
                  dk_log_reader_new(&reader, log, NULL) == 0 &&
                  dk_log_last(log, &before, NULL) == 0 && before == 100 &&
                  write(done[1], "r", 1) == 1 && read(go[0], &byte, 1) == 1 &&
                  dk_log_last(log, &after, NULL) == 0 && after == 150 &&
                  dk_log_read(reader, 101, 1 << 20, &f->records, NULL) == 0 &&
                  f->records.batch.count == 50;
        _exit(ok ? 0 : 1);
    }
    char byte;
    assert_int_equal(read(done[0], &byte, 1), 1);
    fill(f, 150, 10, 50);

    struct dk_log_reader_info info[8];
    size_t count = 8;
    assert_int_equal(dk_log_readers(f->test.log, info, &count, &f->err), 0);
    size_t of_child = 0;
    for (size_t i = 0; i < count; i++) {
        if (info[i].pid == (uint32_t)child)
            of_child++;
        assert_int_equal(info[i].commits_behind, 0); /* between reads nothing is pinned */
    }
    assert_true(of_child >= 1);

    assert_int_equal(write(go[1], "g", 1), 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);

    count = 8;
    assert_int_equal(dk_log_readers(f->test.log, info, &count, &f->err), 0);
    for (size_t i = 0; i < count; i++)
        assert_int_not_equal(info[i].pid, child); /* a dead reader's slots are cleared */
    close(go[0]);
    close(go[1]);
    close(done[0]);
    close(done[1]);
}

/* The child holds a transaction open the way a stopped reader would. */
static void test_log_readers_tells_who_pins(void **state)
{
    struct fixture *f = *state;
    fill(f, 10, 10, 50);
    int ready[2], go[2];
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go), 0);
    pid_t child = fork();
    if (child == 0) {
        MDB_env *env;
        MDB_txn *txn;
        char byte;
        bool ok = mdb_env_create(&env) == 0 && mdb_env_set_mapsize(env, 1 << 26) == 0 &&
                  mdb_env_open(env, f->test.dir, MDB_RDONLY | MDB_NOTLS, 0) == 0 &&
                  mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0 && write(ready[1], "r", 1) == 1 &&
                  read(go[0], &byte, 1) == 1;
        _exit(ok ? 0 : 1);
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    fill(f, 15, 1, 50);
    struct dk_log_reader_info info[8];
    size_t count = 8;
    assert_int_equal(dk_log_readers(f->test.log, info, &count, &f->err), 0);
    uint64_t behind = 0;
    for (size_t i = 0; i < count; i++)
        if (info[i].pid == (uint32_t)child)
            behind = info[i].commits_behind;
    assert_int_equal(behind, 5);
    assert_int_equal(write(go[1], "g", 1), 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_log_find_recorded_searches_by_time(void **state)
{
    struct fixture *f = *state;
    uint64_t position;
    assert_int_equal(dk_log_find_recorded(f->test.reader, 0, &position, &f->err), 0);
    assert_int_equal(position, 1);

    fill(f, 1000, 37, 30);
    for (uint64_t at = 1; at <= 1000; at += 7) {
        int64_t us = test_recorded_us(at);
        assert_int_equal(dk_log_find_recorded(f->test.reader, us, &position, &f->err), 0);
        assert_int_equal(position, at);
        assert_int_equal(dk_log_find_recorded(f->test.reader, us + 1, &position, &f->err), 0);
        assert_int_equal(position, at + 1);
    }
    assert_int_equal(dk_log_find_recorded(f->test.reader, INT64_MAX, &position, &f->err), 0);
    assert_int_equal(position, 1001);
}

static void test_log_store_stages_until_sync(void **state)
{
    struct fixture *f = *state;
    struct dk_store *store = dk_log_store(f->test.log);
    test_batch_notes(&f->batch, 1, 5, 40);
    assert_int_equal(store->append(store->self, &f->batch.batch, &f->err), 0);
    test_batch_notes(&f->batch, 6, 5, 40);
    assert_int_equal(store->append(store->self, &f->batch.batch, &f->err), 0);
    assert_int_equal(store->last(store->self), 0);
    assert_int_equal(store->read(store->self, 1, 1000, &f->records, &f->err), 0);
    assert_int_equal(f->records.batch.count, 0);

    assert_int_equal(store->sync(store->self, &f->err), 0);
    assert_int_equal(store->last(store->self), 10);
    assert_int_equal(store->read(store->self, 1, 100000, &f->records, &f->err), 0);
    assert_int_equal(f->records.batch.count, 10);
    assert_int_equal(store->sync(store->self, &f->err), 0);

    test_batch_notes(&f->batch, 11, 5, 40);
    assert_int_equal(store->append(store->self, &f->batch.batch, &f->err), 0);
    close_log(f);
    open_log(f, DK_LOG_READ);
    assert_int_equal(last_of(f), 10); /* what was not synced is not there */
}

/* LMDB by itself lets the commit after a failed sync succeed. */
static void test_log_refuses_all_after_a_failed_sync(void **state)
{
    struct fixture *f = *state;
    fill(f, 10, 10, 50);
    test_batch_notes(&f->batch, 11, 5, 50);
    sync_fails = true;
    int rc = dk_log_commit(f->test.log, &f->batch.batch, &f->err);
    sync_fails = false;
    assert_int_equal(rc, DK_EIO);
    assert_int_equal(f->err.sys_errno, EIO);
    assert_int_equal(last_of(f), 10);

    assert_int_equal(dk_log_commit(f->test.log, &f->batch.batch, &f->err), DK_EIO);
    assert_non_null(strstr(f->err.message, "failed before"));
    struct dk_store *store = dk_log_store(f->test.log);
    assert_int_equal(store->sync(store->self, &f->err), DK_EIO);
    check_records(f, 1, 10, 1 << 20, 50);

    open_log(f, DK_LOG_WRITE);
    assert_int_equal(last_of(f), 10);
    fill(f, 20, 10, 50);
    check_records(f, 1, 20, 1 << 20, 50);
}

static void test_log_copy_is_a_log(void **state)
{
    struct fixture *f = *state;
    fill(f, 500, 100, 100);
    char dir[PATH_MAX];
    snprintf(dir, sizeof dir, "%s/copy", f->test.folder.path);
    assert_int_equal(dk_log_copy(f->test.log, dir, &f->err), 0);
    assert_int_equal(dk_log_copy(f->test.log, dir, &f->err), DK_EEXISTS);
    fill(f, 600, 100, 100);

    close_log(f);
    snprintf(f->test.dir, sizeof f->test.dir, "%s", dir);
    open_log(f, DK_LOG_WRITE);
    assert_int_equal(last_of(f), 500);
    check_records(f, 1, 500, 1 << 20, 100);
}

static void test_log_open_says_what_is_wrong(void **state)
{
    struct fixture *f = *state;
    struct dk_log *log;
    assert_int_equal(dk_log_open(&log, f->test.folder.path, DK_LOG_READ, &f->err), DK_ENOTFOUND);

    char loop[PATH_MAX]; /* what cannot be looked into is not said to be missing */
    (void)snprintf(loop, sizeof loop, "%s/loop", f->test.folder.path);
    assert_int_equal(symlink(loop, loop), 0);
    assert_int_equal(dk_log_open(&log, loop, DK_LOG_READ, &f->err), DK_EIO);
    assert_int_equal(unlink(loop), 0);
    assert_null(log);

    char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s/data.mdb", f->test.folder.path);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    char junk[8192] = "not a log";
    assert_int_equal(write(fd, junk, sizeof junk), sizeof junk);
    close(fd);
    assert_int_equal(dk_log_open(&log, f->test.folder.path, DK_LOG_READ, &f->err), DK_ECORRUPT);
    assert_non_null(strstr(f->err.message, f->test.folder.path));
    unlink(path);

    /* another docket's format */
    close_log(f);
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi meta;
    uint32_t format = DK_LOG_FORMAT + 1;
    MDB_val key = {6, "format"}, value = {sizeof format, &format};
    mdb_env_create(&env);
    mdb_env_set_maxdbs(env, 2);
    assert_int_equal(mdb_env_open(env, f->test.dir, 0, 0640), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "meta", 0, &meta), 0);
    assert_int_equal(mdb_put(txn, meta, &key, &value, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
    assert_int_equal(dk_log_open(&log, f->test.dir, DK_LOG_READ, &f->err), DK_EVERSION);
}

/* A hole between two blocks is named, not read over. */
static void test_log_read_names_a_missing_block(void **state)
{
    struct fixture *f = *state;
    fill(f, 30, 10, 900);
    close_log(f);
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi events;
    uint64_t position = 11;
    MDB_val key = {sizeof position, &position};
    mdb_env_create(&env);
    mdb_env_set_maxdbs(env, 2);
    assert_int_equal(mdb_env_open(env, f->test.dir, 0, 0640), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "events", 0, &events), 0);
    assert_int_equal(mdb_del(txn, events, &key, NULL), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);

    open_log(f, DK_LOG_READ);
    assert_int_equal(dk_log_read(f->test.reader, 11, 1 << 20, &f->records, &f->err), DK_ECORRUPT);
    assert_non_null(strstr(f->err.message, "position 11"));
    assert_int_equal(dk_log_read(f->test.reader, 1, 1 << 20, &f->records, &f->err), 0);
    assert_int_equal(f->records.batch.count, 10);
    assert_int_equal(dk_log_read(f->test.reader, 30, 1 << 20, &f->records, &f->err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_log_create_makes_an_empty_log, setup, teardown),
        cmocka_unit_test_setup_teardown(test_log_create_goes_on_after_a_kill, setup, teardown),
        cmocka_unit_test_setup_teardown(test_log_keeps_what_was_committed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_log_read_begins_anywhere_and_is_bounded, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_log_has_one_writer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_log_is_read_by_another_process, setup, teardown),
        cmocka_unit_test_setup_teardown(test_log_readers_tells_who_pins, setup, teardown),
        cmocka_unit_test_setup_teardown(test_log_find_recorded_searches_by_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_log_store_stages_until_sync, setup, teardown),
        cmocka_unit_test_setup_teardown(test_log_refuses_all_after_a_failed_sync, setup, teardown),
        cmocka_unit_test_setup_teardown(test_log_copy_is_a_log, setup, teardown),
        cmocka_unit_test_setup_teardown(test_log_open_says_what_is_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(test_log_read_names_a_missing_block, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
