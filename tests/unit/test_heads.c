#include "broker/log/heads.h"

#include "tests/lib/assert.h"
#include "tests/lib/folder.h"
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FOLD 7

static const uint8_t uuid[16] = "one log's uuid.";

/* An entry: a position, and a value in every further word. */
struct fixture {
    struct test_folder folder;
    struct dk_heads *heads;
    size_t entry_bytes;
    const char *why;
    struct dk_err err;
};

static void open_as(struct fixture *f, const uint8_t *log, size_t entry_bytes, uint32_t fold)
{
    ASSERT_OK(dk_heads_open(&f->heads, f->folder.path, log, entry_bytes, fold, &f->why, &f->err),
              &f->err);
}

static void reopen(struct fixture *f)
{
    dk_heads_close(&f->heads);
    open_as(f, uuid, f->entry_bytes, FOLD);
}

static int setup_sized(void **state, size_t entry_bytes)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    f->entry_bytes = entry_bytes;
    test_folder_make(&f->folder);
    open_as(f, uuid, entry_bytes, FOLD);
    return 0;
}

static int setup(void **state)
{
    return setup_sized(state, 128);
}

/* Entries that cross pages. */
static int setup_odd(void **state)
{
    return setup_sized(state, 1000);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    dk_heads_close(&f->heads);
    test_folder_remove(&f->folder);
    free(f);
    return 0;
}

static void put(struct fixture *f, uint64_t number, uint64_t position)
{
    uint64_t *entry = dk_heads_edit(f->heads, number);
    ASSERT_TRUE(entry != NULL);
    for (size_t i = 0; i < f->entry_bytes / 8; i++)
        entry[i] = position + i * number;
}

static void check(struct fixture *f, uint64_t number, uint64_t position)
{
    const uint64_t *entry = dk_heads_get(f->heads, number);
    if (position == 0) {
        ASSERT_TRUE(entry == NULL);
        return;
    }
    ASSERT_TRUE(entry != NULL);
    for (size_t i = 0; i < f->entry_bytes / 8; i++)
        ASSERT_EQ(entry[i], position + i * number);
}

static int write_annex(void *arg, struct dk_buf *out)
{
    return dk_buf_append(out, arg, strlen(arg));
}

static struct dk_heads_annex annex_of(uint64_t position)
{
    char text[32];
    snprintf(text, sizeof text, "annex of %llu", (unsigned long long)position);
    return (struct dk_heads_annex){strdup(text), write_annex, free};
}

static void freeze(struct fixture *f, uint64_t position)
{
    struct dk_heads_annex annex = annex_of(position);
    ASSERT_OK(dk_heads_freeze(f->heads, position, &annex, &f->err), &f->err);
}

static void checkpoint(struct fixture *f, uint64_t position)
{
    freeze(f, position);
    ASSERT_OK(dk_heads_write(f->heads, &f->err), &f->err);
    dk_heads_finish(f->heads);
    ASSERT_EQ(dk_heads_position(f->heads), position);
}

/* That the state is the checkpoint's of this position, annex and all. */
static void check_opened_at(struct fixture *f, uint64_t position)
{
    char expected[32];
    int length = snprintf(expected, sizeof expected, "annex of %llu", (unsigned long long)position);
    size_t bytes;
    ASSERT_TRUE(f->why == NULL);
    ASSERT_EQ(dk_heads_position(f->heads), position);
    const uint8_t *annex = dk_heads_annex(f->heads, &bytes);
    ASSERT_EQ(bytes, length);
    ASSERT_TRUE(memcmp(annex, expected, bytes) == 0);
}

static void check_empty(struct fixture *f, const char *part_of_why)
{
    ASSERT_TRUE(f->why != NULL);
    ASSERT_CONTAINS(f->why, part_of_why);
    ASSERT_EQ(dk_heads_position(f->heads), 0);
    ASSERT_TRUE(dk_heads_get(f->heads, 1) == NULL);
}

static void test_heads_keep_what_is_edited(void **state)
{
    struct fixture *f = *state;
    check_empty(f, "no heads yet");
    for (uint64_t number = 0; number < 3000; number += 3)
        put(f, number, number + 1);
    ASSERT_EQ(dk_heads_changed(f->heads), 1000);
    for (uint64_t number = 0; number < 3100; number++)
        check(f, number, number < 3000 && number % 3 == 0 ? number + 1 : 0);
    put(f, 3, 99);
    check(f, 3, 99);
    ASSERT_EQ(dk_heads_changed(f->heads), 1000);
}

/* What is frozen takes room beside what is changed since, until it is written. */
static void test_heads_have_room_for_changed_and_frozen_together(void **state)
{
    struct fixture *f = *state;
    ASSERT_EQ(dk_heads_room(f->heads), DK_HEADS_OVERLAY_MAX);
    for (uint64_t number = 0; number < 3; number++)
        put(f, number, 1);
    freeze(f, 1);
    ASSERT_EQ(dk_heads_room(f->heads), DK_HEADS_OVERLAY_MAX - 3);
    put(f, 0, 2);
    put(f, 9, 2);
    ASSERT_EQ(dk_heads_room(f->heads), DK_HEADS_OVERLAY_MAX - 5);
    ASSERT_OK(dk_heads_write(f->heads, &f->err), &f->err);
    dk_heads_finish(f->heads);
    ASSERT_EQ(dk_heads_room(f->heads), DK_HEADS_OVERLAY_MAX - 2);
}

/* Numbers that are far apart, in three segments, over several checkpoints and openings. */
static void test_heads_come_back_from_their_files(void **state)
{
    struct fixture *f = *state;
    static const uint64_t numbers[] = {0,     1,      2,      31,        32,
                                       65535, 65536,  70000,  131072,    (UINT64_C(1) << 40) - 1,
                                       33,    131000, 131071, 777777777, 1000};
    size_t count = sizeof numbers / sizeof numbers[0];
    for (size_t i = 0; i < count; i++) {
        put(f, numbers[i], 100 + i);
        if (i % 4 == 3)
            put(f, numbers[i / 2], 200 + i);
        checkpoint(f, 1000 + i);
        ASSERT_EQ(dk_heads_changed(f->heads), 0);
        if (i % 3 == 0) {
            reopen(f);
            check_opened_at(f, 1000 + i);
        }
    }
    reopen(f);
    check_opened_at(f, 1000 + count - 1);
    for (size_t i = 0; i < count; i++) {
        uint64_t position = 100 + i;
        for (size_t j = 3; j < count; j += 4)
            if (j / 2 == i)
                position = 200 + j;
        check(f, numbers[i], position);
    }
    check(f, 3, 0);
    check(f, 65534, 0);
    check(f, 70001, 0);
    check(f, 999999999, 0);
}

static void test_heads_are_read_and_edited_while_written(void **state)
{
    struct fixture *f = *state;
    put(f, 1, 10);
    put(f, 2, 20);
    checkpoint(f, 20);
    put(f, 2, 21);
    put(f, 3, 30);
    freeze(f, 30);
    struct dk_heads_annex annex = annex_of(31);
    ASSERT_CODE(dk_heads_freeze(f->heads, 31, &annex, &f->err), DK_EBUSY);
    check(f, 1, 10);
    check(f, 2, 21);
    check(f, 3, 30);
    put(f, 3, 31); /* after the freeze: not of this checkpoint */
    put(f, 4, 40);
    ASSERT_OK(dk_heads_write(f->heads, &f->err), &f->err);
    check(f, 3, 31);
    put(f, 1, 50);
    ASSERT_EQ(dk_heads_position(f->heads), 20);
    dk_heads_finish(f->heads);
    check(f, 1, 50);
    check(f, 2, 21);
    check(f, 3, 31);
    check(f, 4, 40);
    ASSERT_EQ(dk_heads_changed(f->heads), 3);

    reopen(f);
    check_opened_at(f, 30);
    check(f, 1, 10);
    check(f, 2, 21);
    check(f, 3, 30);
    check(f, 4, 0);
}

static void *write_in_thread(void *arg)
{
    struct fixture *f = arg;
    static struct dk_err err;
    return dk_heads_write(f->heads, &err) == 0 ? f : NULL;
}

static void test_heads_write_in_another_thread(void **state)
{
    struct fixture *f = *state;
    for (uint64_t number = 0; number < 20000; number++)
        put(f, number, number + 1);
    checkpoint(f, 1);
    for (uint64_t number = 0; number < 20000; number += 2)
        put(f, number, number + 2);
    freeze(f, 2);
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, NULL, write_in_thread, f), 0);
    for (uint64_t number = 0; number < 20000; number++) {
        check(f, number, number % 2 == 0 ? number + 2 : number + 1);
        if (number % 5 == 0)
            put(f, number, number + 3);
    }
    void *result;
    ASSERT_EQ(pthread_join(thread, &result), 0);
    ASSERT_TRUE(result != NULL);
    dk_heads_finish(f->heads);
    for (uint64_t number = 0; number < 20000; number++)
        check(f, number, number % 5 == 0 ? number + 3 : number % 2 == 0 ? number + 2 : number + 1);
}

static void path_in(struct fixture *f, char path[PATH_MAX], const char *name)
{
    snprintf(path, PATH_MAX, "%s/heads/%s", f->folder.path, name);
}

#define STEPS_MAX 8

static size_t names_in(const char *dir, char names[STEPS_MAX][64])
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/heads", dir);
    DIR *folder = opendir(path);
    ASSERT_TRUE(folder != NULL);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.' && count < STEPS_MAX)
            snprintf(names[count++], 64, "%.63s", entry->d_name);
    closedir(folder);
    return count;
}

/* A folder where a segment's file is to be: the write fails, and changes nothing. It can be tried
 * again, and what the failed one left goes. */
static void test_heads_are_written_again_after_a_failure(void **state)
{
    struct fixture *f = *state;
    char path[PATH_MAX], names[STEPS_MAX][64];
    put(f, 1, 10);
    checkpoint(f, 10);
    put(f, 1, 11);
    put(f, 65536, 12);
    freeze(f, 12);
    put(f, 65536, 13);
    put(f, 2, 14);
    for (int attempt = 2; attempt < 5; attempt++) {
        char name[64];
        snprintf(name, sizeof name, "00000001-%d.seg.tmp", attempt);
        path_in(f, path, name);
        ASSERT_EQ(mkdir(path, 0700), 0);
        ASSERT_CODE(dk_heads_write(f->heads, &f->err), DK_EIO);
        ASSERT_EQ(rmdir(path), 0);
        ASSERT_EQ(names_in(f->folder.path, names), 2);
        ASSERT_EQ(dk_heads_position(f->heads), 10);
        check(f, 1, 11);
        check(f, 65536, 13);
        check(f, 2, 14);

        struct dk_heads *other; /* as after a kill here */
        ASSERT_OK(
            dk_heads_open(&other, f->folder.path, uuid, f->entry_bytes, FOLD, &f->why, &f->err),
            &f->err);
        ASSERT_EQ(dk_heads_position(other), 10);
        ASSERT_EQ(*(const uint64_t *)dk_heads_get(other, 1), 10);
        ASSERT_TRUE(dk_heads_get(other, 65536) == NULL);
        dk_heads_close(&other);
    }
    ASSERT_OK(dk_heads_write(f->heads, &f->err), &f->err);
    dk_heads_finish(f->heads);
    ASSERT_EQ(names_in(f->folder.path, names), 3);
    check(f, 65536, 13);
    ASSERT_EQ(dk_heads_changed(f->heads), 2);
    reopen(f);
    check_opened_at(f, 12);
    check(f, 1, 11);
    check(f, 65536, 12);
    check(f, 2, 0);
}

/* ---------------------------------------------------------------- kills between the steps */

/* Copies the files of DIR/heads that are named in `names` from one folder to another. */
static void copy_file(const char *from_dir, const char *to_dir, const char *name)
{
    char from[PATH_MAX], to[PATH_MAX];
    snprintf(from, sizeof from, "%s/heads/%s", from_dir, name);
    snprintf(to, sizeof to, "%s/heads/%s", to_dir, name);
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0640);
    ASSERT_TRUE(in >= 0 && out >= 0);
    char block[65536];
    ssize_t got;
    while ((got = read(in, block, sizeof block)) > 0)
        ASSERT_EQ(write(out, block, (size_t)got), got);
    close(in);
    close(out);
}

static void copy_all(const char *from, const char *to)
{
    char names[STEPS_MAX][64];
    size_t count = names_in(from, names);
    for (size_t i = 0; i < count; i++)
        copy_file(from, to, names[i]);
}

/* A checkpoint writes file after file, the manifest last. Whichever of its files are there when the
 * process is killed, opening gives the state before, and with the manifest the state after; the
 * next checkpoint leaves only what its manifest lists. */
static void test_heads_survive_a_kill_between_any_steps(void **state)
{
    struct fixture *f = *state;
    static const uint64_t numbers[] = {5, 65541, 131077};
    struct test_folder before, after;
    char path[PATH_MAX], names[STEPS_MAX][64], name[64];
    test_folder_make(&before);
    test_folder_make(&after);
    snprintf(path, sizeof path, "%s/heads", before.path);
    ASSERT_EQ(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/heads", after.path);
    ASSERT_EQ(mkdir(path, 0700), 0);

    for (size_t i = 0; i < 2; i++)
        put(f, numbers[i], 10 + i);
    checkpoint(f, 20);
    copy_all(f->folder.path, before.path);
    for (size_t i = 0; i < 3; i++) /* the third in a segment that is not there yet */
        put(f, numbers[i], 30 + i);
    checkpoint(f, 40);
    copy_all(f->folder.path, after.path);
    dk_heads_close(&f->heads);

    for (unsigned written = 0; written < 16; written++) {
        size_t count = names_in(f->folder.path, names);
        for (size_t i = 0; i < count; i++) {
            path_in(f, path, names[i]);
            ASSERT_EQ(unlink(path), 0);
        }
        copy_all(before.path, f->folder.path);
        bool whole = (written & 7) == 7 && written & 8;
        for (unsigned i = 0; i < 3; i++) {
            snprintf(name, sizeof name, "%08x-2.seg", i);
            if (written >> i & 1)
                copy_file(after.path, f->folder.path, name);
        }
        if (whole)
            copy_file(after.path, f->folder.path, "manifest");
        open_as(f, uuid, f->entry_bytes, FOLD);
        check_opened_at(f, whole ? 40 : 20);
        for (size_t i = 0; i < 3; i++)
            check(f, numbers[i], whole ? 30 + i : i < 2 ? 10 + i : 0);

        /* the caller replays the tail and checkpoints again */
        for (size_t i = 0; i < 3; i++)
            put(f, numbers[i], 30 + i);
        checkpoint(f, 40);
        ASSERT_EQ(names_in(f->folder.path, names), 4);
        reopen(f);
        check_opened_at(f, 40);
        for (size_t i = 0; i < 3; i++)
            check(f, numbers[i], 30 + i);
        dk_heads_close(&f->heads);
    }
    test_folder_remove(&before);
    test_folder_remove(&after);
}

/* ---------------------------------------------------------------- what does not fit */

static void test_heads_start_empty_when_they_do_not_fit(void **state)
{
    struct fixture *f = *state;
    static const uint8_t other[16] = "another log's.";
    put(f, 1, 10);
    checkpoint(f, 10);
    dk_heads_close(&f->heads);

    open_as(f, other, f->entry_bytes, FOLD);
    check_empty(f, "another log's");
    dk_heads_close(&f->heads);
    open_as(f, uuid, f->entry_bytes, FOLD + 1);
    check_empty(f, "fold version");
    dk_heads_close(&f->heads);
    open_as(f, uuid, f->entry_bytes + 8, FOLD);
    check_empty(f, "another size");
    dk_heads_close(&f->heads);
    open_as(f, uuid, f->entry_bytes, FOLD); /* opening alone has changed nothing */
    check_opened_at(f, 10);

    /* A checkpoint of the other fold replaces it whole. */
    dk_heads_close(&f->heads);
    open_as(f, uuid, f->entry_bytes, FOLD + 1);
    put(f, 2, 5);
    checkpoint(f, 5);
    dk_heads_close(&f->heads);
    open_as(f, uuid, f->entry_bytes, FOLD + 1);
    check_opened_at(f, 5);
    check(f, 1, 0);
    check(f, 2, 5);
    dk_heads_close(&f->heads);
    open_as(f, uuid, f->entry_bytes, FOLD);
    check_empty(f, "fold version");
}

static void flip(struct fixture *f, const char *name, off_t at)
{
    char path[PATH_MAX];
    uint8_t byte;
    path_in(f, path, name);
    int fd = open(path, O_RDWR);
    ASSERT_EQ(pread(fd, &byte, 1, at), 1);
    byte ^= 0x10;
    ASSERT_EQ(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static void test_heads_start_empty_over_a_damaged_manifest(void **state)
{
    struct fixture *f = *state;
    char path[PATH_MAX];
    struct stat info;
    put(f, 1, 10);
    put(f, 70000, 11);
    checkpoint(f, 12);
    path_in(f, path, "manifest");
    ASSERT_EQ(stat(path, &info), 0);
    for (off_t at = 0; at < info.st_size; at++) {
        flip(f, "manifest", at);
        reopen(f);
        check_empty(f, "manifest");
        flip(f, "manifest", at);
    }
    reopen(f);
    check_opened_at(f, 12);
    ASSERT_EQ(truncate(path, info.st_size - 1), 0);
    reopen(f);
    check_empty(f, "manifest");
}

static void test_heads_start_empty_without_a_listed_segment(void **state)
{
    struct fixture *f = *state;
    char path[PATH_MAX];
    put(f, 1, 10);
    put(f, 70000, 11);
    checkpoint(f, 12);
    path_in(f, path, "00000001-1.seg");
    ASSERT_EQ(truncate(path, 4096), 0);
    reopen(f);
    check_empty(f, "missing or cut short");
    ASSERT_EQ(unlink(path), 0);
    reopen(f);
    check_empty(f, "missing or cut short");
}

/* What happens in a child that touches ticket `number`: 0 good, 1 ended over damage. */
static int touch(struct fixture *f, uint64_t number)
{
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        const uint64_t *entry = dk_heads_get(f->heads, number);
        _exit(entry != NULL && entry[0] == number ? 0 : 2);
    }
    int status;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Only tickets in a damaged page are lost, and the process that finds it out ends, rather than
 * saying that they do not exist; the next start rebuilds. */
static void test_heads_end_the_process_over_a_damaged_page(void **state)
{
    struct fixture *f = *state;
    for (uint64_t number = 1; number <= 200; number++)
        put(f, number, number);
    checkpoint(f, 200);
    dk_heads_close(&f->heads);
    flip(f, "00000000-1.seg", 4096 + 64 * 128 + 77); /* in the third page, entry 64 */
    open_as(f, uuid, f->entry_bytes, FOLD);
    check_opened_at(f, 200);
    ASSERT_EQ(touch(f, 63), 0);
    ASSERT_EQ(touch(f, 96), 0);
    ASSERT_EQ(touch(f, 70), EXIT_FAILURE);
    reopen(f);
    check_empty(f, "no heads yet");
}

/* Nor does damage get a new crc. */
static void test_heads_do_not_copy_damage(void **state)
{
    struct fixture *f = *state;
    for (uint64_t number = 1; number <= 200; number++)
        put(f, number, number);
    checkpoint(f, 200);
    put(f, 65, 201);
    flip(f, "00000000-1.seg", 4096 + 66 * 128 + 77);
    freeze(f, 201);
    ASSERT_CODE(dk_heads_write(f->heads, &f->err), DK_ECORRUPT);
    check(f, 65, 201);
    ASSERT_EQ(touch(f, 32), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_heads_keep_what_is_edited, setup, teardown),
        cmocka_unit_test_setup_teardown(test_heads_have_room_for_changed_and_frozen_together, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_heads_come_back_from_their_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_heads_come_back_from_their_files, setup_odd, teardown),
        cmocka_unit_test_setup_teardown(test_heads_are_read_and_edited_while_written, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_heads_write_in_another_thread, setup, teardown),
        cmocka_unit_test_setup_teardown(test_heads_are_written_again_after_a_failure, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_heads_survive_a_kill_between_any_steps, setup_odd,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_heads_start_empty_when_they_do_not_fit, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_heads_start_empty_over_a_damaged_manifest, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_heads_start_empty_without_a_listed_segment, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_heads_end_the_process_over_a_damaged_page, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_heads_do_not_copy_damage, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
