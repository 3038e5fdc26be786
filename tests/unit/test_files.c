#include "nodes/notification/delivery/files.h"
#include "proto/base/address.h"

#include "tests/lib/assert.h"
#include "tests/lib/folder.h"
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_BYTES 45 /* with its newline */

struct site {
    struct test_folder folder;
    struct dk_files *files;
    char outbox[PATH_MAX];
    size_t delivered;
    struct dk_outcome last;
};

static int set_up(void **state)
{
    static struct site site;
    memset(&site, 0, sizeof site);
    test_folder_make(&site.folder);
    snprintf(site.outbox, sizeof site.outbox, "%s/outbox", site.folder.path);
    site.files = dk_files_new(site.outbox);
    *state = &site;
    return 0;
}

static int tear_down(void **state)
{
    struct site *site = *state;
    dk_files_free(&site->files);
    assert_null(site->files);
    test_folder_remove(&site->folder);
    return 0;
}

static void reopen(struct site *site)
{
    dk_files_free(&site->files);
    site->files = dk_files_new(site->outbox);
}

static bool put(struct site *site, const char *path, uint64_t notice)
{
    char line[64];
    snprintf(line, sizeof line, "{\"notice\":\"%016" PRIx64 "\",\"text\":\"hello\"}", notice);
    return dk_files_write(site->files, path, strlen(path), notice, (const uint8_t *)line,
                          strlen(line), &site->last);
}

static void on_synced(void *arg, uint64_t notice, const struct dk_outcome *outcome)
{
    struct site *site = arg;
    (void)notice;
    site->last = *outcome;
    site->delivered += outcome->verdict == DK_DELIVERED;
}

static size_t sync_all(struct site *site)
{
    size_t before = site->delivered;
    dk_files_sync(site->files, on_synced, site);
    return site->delivered - before;
}

/* A file of the outbox as a whole. */
static const char *content(const struct site *site, const char *path)
{
    static char text[65536];
    char full[2 * PATH_MAX];
    snprintf(full, sizeof full, "%s/%s", site->outbox, path);
    int fd = open(full, O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    ASSERT_TRUE(n >= 0);
    if (fd >= 0)
        (void)close(fd);
    return text;
}

static void append_raw(const struct site *site, const char *path, const char *text)
{
    char full[2 * PATH_MAX];
    snprintf(full, sizeof full, "%s/%s", site->outbox, path);
    (void)mkdir(site->outbox, 0750);
    int fd = open(full, O_WRONLY | O_APPEND | O_CREAT, 0640);
    ASSERT_EQ(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
}

static void test_files_a_notice_is_a_line(void **state)
{
    struct site *site = *state;
    ASSERT_TRUE(put(site, "news.jsonl", 1));
    ASSERT_TRUE(put(site, "deep/er/news.jsonl", 2));
    ASSERT_TRUE(put(site, "news.jsonl", 3));
    ASSERT_EQ(sync_all(site), 3);
    ASSERT_EQ(sync_all(site), 0);
    ASSERT_STR(content(site, "news.jsonl"),
               "{\"notice\":\"0000000000000001\",\"text\":\"hello\"}\n"
               "{\"notice\":\"0000000000000003\",\"text\":\"hello\"}\n");
    ASSERT_STR(content(site, "deep/er/news.jsonl"),
               "{\"notice\":\"0000000000000002\",\"text\":\"hello\"}\n");
    ASSERT_STR(site->last.said, "byte 45");
}

static void test_files_a_notice_that_stands_there_is_not_written_again(void **state)
{
    struct site *site = *state;
    ASSERT_TRUE(put(site, "news.jsonl", 1));
    ASSERT_TRUE(put(site, "news.jsonl", UINT64_C(0xfedcba9876543210)));
    reopen(site); /* a kill before the log knew */
    ASSERT_TRUE(put(site, "news.jsonl", UINT64_C(0xfedcba9876543210)));
    ASSERT_EQ(sync_all(site), 1);
    ASSERT_STR(site->last.said, "there already");
    ASSERT_TRUE(put(site, "news.jsonl", 2));
    ASSERT_EQ(sync_all(site), 1);
    ASSERT_EQ(strlen(content(site, "news.jsonl")), 3 * LINE_BYTES);
}

static void test_files_a_torn_line_is_taken_away(void **state)
{
    static const char *const torn[] = {"{", "{\"notice\":\"000000",
                                       "{\"notice\":\"0000000000000002\""};
    struct site *site = *state;
    for (size_t i = 0; i < sizeof torn / sizeof torn[0]; i++) {
        char path[32];
        snprintf(path, sizeof path, "%zu.jsonl", i);
        ASSERT_TRUE(put(site, path, 1));
        append_raw(site, path, torn[i]);
        reopen(site);
        ASSERT_TRUE(put(site, path, 2));
        ASSERT_EQ(sync_all(site), 1);
        ASSERT_STR(content(site, path), "{\"notice\":\"0000000000000001\",\"text\":\"hello\"}\n"
                                        "{\"notice\":\"0000000000000002\",\"text\":\"hello\"}\n");
    }
}

static void test_files_what_others_wrote_stays(void **state)
{
    struct site *site = *state;
    append_raw(site, "news.jsonl", "# kept by hand\n\n{\"notice\":\"zz\"}\nno newline");
    ASSERT_TRUE(put(site, "news.jsonl", 1));
    ASSERT_EQ(sync_all(site), 1);
    ASSERT_STR(content(site, "news.jsonl"),
               "# kept by hand\n\n{\"notice\":\"zz\"}\nno newline\n"
               "{\"notice\":\"0000000000000001\",\"text\":\"hello\"}\n");
}

/* The tail that is read covers whatever can have been in flight, behind a start that is not. */
static void test_files_only_the_tail_of_a_large_file_is_read(void **state)
{
    struct site *site = *state;
    char full[2 * PATH_MAX];
    struct stat st;
    ASSERT_TRUE(put(site, "news.jsonl", 1));
    snprintf(full, sizeof full, "%s/news.jsonl", site->outbox);
    ASSERT_EQ(truncate(full, (off_t)DK_FILES_TAIL_BYTES), 0);
    append_raw(site, "news.jsonl", "\n{\"notice\":\"0000000000000002\",\"text\":\"hello\"}\n");
    ASSERT_EQ(stat(full, &st), 0);
    reopen(site);
    ASSERT_TRUE(put(site, "news.jsonl", 2));
    ASSERT_EQ(sync_all(site), 1);
    ASSERT_STR(site->last.said, "there already");
    ASSERT_TRUE(put(site, "news.jsonl", 1)); /* before the tail: forgotten long ago */
    ASSERT_EQ(sync_all(site), 1);
    snprintf(full, sizeof full, "byte %lld", (long long)st.st_size);
    ASSERT_STR(site->last.said, full);
}

static void test_files_paths_stay_below_the_outbox(void **state)
{
    static const char *const paths[] = {"",   "/etc/passwd", "../x", "a/../../x", "a//b",
                                        "a/", ".",           "./a",  "a/..",      "a\nb"};
    struct site *site = *state;
    char longest[DK_ADDRESS_PATH_BYTES + 1];
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        ASSERT_TRUE(!put(site, paths[i], 1));
        ASSERT_EQ(site->last.verdict, DK_GIVE_UP);
    }
    memset(longest, 'x', DK_ADDRESS_PATH_BYTES);
    longest[DK_ADDRESS_PATH_BYTES] = '\0';
    ASSERT_TRUE(!put(site, longest, 1));
    ASSERT_EQ(site->last.verdict, DK_GIVE_UP);
    ASSERT_EQ(sync_all(site), 0);
    ASSERT_TRUE(put(site, "..a/.b", 1)); /* odd names, and below */
    ASSERT_EQ(sync_all(site), 1);
}

static void test_files_a_link_out_of_the_outbox_is_not_followed(void **state)
{
    struct site *site = *state;
    char full[2 * PATH_MAX];
    append_raw(site, "real.jsonl", "");
    snprintf(full, sizeof full, "%s/link.jsonl", site->outbox);
    ASSERT_EQ(symlink("/tmp/elsewhere", full), 0);
    ASSERT_TRUE(!put(site, "link.jsonl", 1));
    ASSERT_EQ(site->last.verdict, DK_TRY_AGAIN);
    ASSERT_CONTAINS(site->last.said, "cannot open");
}

static void test_files_more_files_than_stay_open(void **state)
{
    struct site *site = *state;
    for (int round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < 3 * DK_FILES_OPEN; i++) {
            char path[32];
            snprintf(path, sizeof path, "%" PRIu64 ".jsonl", i);
            ASSERT_TRUE(put(site, path, i + 1)); /* the second time it stands there */
            if (i % DK_LANES_IN_FLIGHT == DK_LANES_IN_FLIGHT - 1)
                ASSERT_EQ(sync_all(site), DK_LANES_IN_FLIGHT);
        }
    }
    ASSERT_EQ(strlen(content(site, "0.jsonl")), LINE_BYTES);
    ASSERT_EQ(strlen(content(site, "191.jsonl")), LINE_BYTES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_files_##name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_notice_is_a_line),
        TEST(a_notice_that_stands_there_is_not_written_again),
        TEST(a_torn_line_is_taken_away),
        TEST(what_others_wrote_stays),
        TEST(only_the_tail_of_a_large_file_is_read),
        TEST(paths_stay_below_the_outbox),
        TEST(a_link_out_of_the_outbox_is_not_followed),
        TEST(more_files_than_stay_open),
    };
    return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}
