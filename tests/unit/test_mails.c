/* What needs no server: see tests/integration/test_mails.py for mails on their way. */
#include "nodes/notification/delivery/mails.h"

#include "tests/lib/assert.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int no_threads; /* so many calls of pthread_create fail */

/* In front of the system's own. */
int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *arg)
{
    int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    *(void **)&next = dlsym(RTLD_NEXT, "pthread_create");
    return no_threads > 0 ? (no_threads--, EAGAIN) : next(thread, how, run, arg);
}

static void test_mails_the_reply_decides(void **state)
{
    static const struct {
        CURLcode result;
        long reply;
        enum dk_verdict verdict;
        bool alone;
    } table[] = {
        {CURLE_OK, 250, DK_DELIVERED, false},
        {CURLE_SEND_ERROR, 451, DK_TRY_AGAIN, true}, /* a greylist */
        {CURLE_SEND_ERROR, 452, DK_TRY_AGAIN, true}, /* a full mailbox */
        {CURLE_SEND_ERROR, 550, DK_GIVE_UP, true},
        {CURLE_WEIRD_SERVER_REPLY, 554, DK_GIVE_UP, true},
        {CURLE_WEIRD_SERVER_REPLY, 421, DK_TRY_AGAIN, false}, /* the server goes away */
        {CURLE_RECV_ERROR, 354, DK_TRY_AGAIN, false},         /* it broke off in the middle */
        {CURLE_RECV_ERROR, 250, DK_TRY_AGAIN, false},
        {CURLE_COULDNT_CONNECT, 0, DK_TRY_AGAIN, false},
        {CURLE_OPERATION_TIMEDOUT, 0, DK_TRY_AGAIN, false},
        {CURLE_WEIRD_SERVER_REPLY, 0, DK_TRY_AGAIN, false},
        {CURLE_LOGIN_DENIED, 535, DK_TRY_AGAIN, false}, /* our password, not this mail */
        {CURLE_USE_SSL_FAILED, 502, DK_TRY_AGAIN, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct dk_outcome outcome;
        dk_mail_judge(&outcome, table[i].result, "why", table[i].reply);
        ASSERT_EQ(outcome.verdict, table[i].verdict);
        ASSERT_EQ(outcome.alone, table[i].alone);
        ASSERT_STR(outcome.said, table[i].result == CURLE_OK ? "SMTP 250" : "why");
    }
}

static void test_mails_titles_are_encoded_where_they_must(void **state)
{
    static const struct {
        const char *title, *encoded;
    } table[] = {
        {"1-42 is late", "1-42 is late"},
        {"für dich", "=?UTF-8?B?ZsO8ciBkaWNo?="},
        {"=?UTF-8?Q?forged?=", "=?UTF-8?B?PT9VVEYtOD9RP2ZvcmdlZD89?="},
        /* a word is at most 75 characters, and a character is not torn */
        {"a\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac\u20ac"
         "\u20acz",
         "=?UTF-8?B?YeKCrOKCrOKCrOKCrOKCrOKCrOKCrOKCrOKCrOKCrOKCrOKCrOKCrOKCrA==?=\r\n "
         "=?UTF-8?B?4oKseg==?="},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct dk_buf out;
        dk_buf_init(&out, 4096);
        dk_mail_encode(table[i].title, &out);
        ASSERT_STR(dk_buf_string(&out), table[i].encoded);
        dk_buf_close(&out);
    }
}

static void on_done(void *arg, uint64_t id, const struct dk_outcome *outcome)
{
    (void)arg;
    (void)id;
    (void)outcome;
}

static void test_mails_to_no_mailbox_or_without_a_server_are_given_up(void **state)
{
    static const char *const addresses[] = {"",          "anna",
                                            "@b",        "a@",
                                            "a b@c",     "a@b\r\nRCPT TO:<x@y>",
                                            "a@b>,<x@y", "-oQueue@desk.example",
                                            "a@b,c@d",   "a@b\tc"};
    struct dk_config_smtp smtp = {.server = "smtp://127.0.0.1:1", .from = "desk@desk.example"};
    struct ev_loop *loop = ev_loop_new(0);
    struct dk_mails *mails;
    struct dk_outcome outcome;
    struct dk_err err;
    (void)state;
    ASSERT_OK(dk_mails_new(&mails, loop, &smtp, on_done, NULL, &err), &err);
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        struct dk_mail mail = {.id = 1,
                               .address = addresses[i],
                               .address_bytes = strlen(addresses[i]),
                               .title = "t",
                               .text = "t"};
        ASSERT_TRUE(!dk_mails_send(mails, &mail, &outcome));
        ASSERT_EQ(outcome.verdict, DK_GIVE_UP);
        ASSERT_STR(outcome.said, "the address is no mailbox");
    }
    smtp.server[0] = '\0';
    struct dk_mail mail = {.id = 1, .address = "a@b", .address_bytes = 3, .title = "", .text = ""};
    ASSERT_TRUE(!dk_mails_send(mails, &mail, &outcome));
    ASSERT_CONTAINS(outcome.said, "names no mail server");
    dk_mails_free(&mails);
    ev_loop_destroy(loop);
}

static void test_mails_the_password_is_for_us_alone(void **state)
{
    struct dk_config_smtp smtp = {.server = "smtp://127.0.0.1:1", .from = "desk@desk.example"};
    struct ev_loop *loop = ev_loop_new(0);
    struct dk_mails *mails = NULL;
    struct dk_err err;
    (void)state;
    (void)snprintf(smtp.password_file, sizeof smtp.password_file, "/tmp/dk-password-%d",
                   (int)getpid());
    ASSERT_EQ(dk_mails_new(&mails, loop, &smtp, on_done, NULL, &err), DK_EIO);
    int fd = open(smtp.password_file, O_WRONLY | O_CREAT | O_EXCL, 0640);
    ASSERT_TRUE(fd >= 0 && write(fd, "secret\n", 7) == 7);
    (void)close(fd);
    ASSERT_EQ(dk_mails_new(&mails, loop, &smtp, on_done, NULL, &err), DK_EINVAL);
    ASSERT_CONTAINS(err.message, "chmod 600");
    ASSERT_EQ(chmod(smtp.password_file, 0600), 0);
    ASSERT_OK(dk_mails_new(&mails, loop, &smtp, on_done, NULL, &err), &err);
    dk_mails_free(&mails);
    (void)unlink(smtp.password_file);
    ev_loop_destroy(loop);
}

struct told {
    uint64_t id;
    struct dk_outcome outcome;
};

static void on_told(void *arg, uint64_t id, const struct dk_outcome *outcome)
{
    struct told *told = arg;
    told->id = id;
    told->outcome = *outcome;
}

/* A host that is short of threads is no reason to end, nor to give the mail up. */
static void test_mails_without_a_thread_go_again(void **state)
{
    struct dk_config_smtp smtp = {.server = "smtp://127.0.0.1:1", .from = "desk@desk.example"};
    static const char address[] = "anna@example.org";
    const uint64_t notice = 7;
    const struct dk_mail mail = {.id = notice,
                                 .notice = &notice,
                                 .notice_count = 1,
                                 .address = address,
                                 .address_bytes = strlen(address),
                                 .title = "t",
                                 .text = "x"};
    struct ev_loop *loop = ev_loop_new(0);
    struct dk_mails *mails = NULL;
    struct dk_outcome outcome;
    struct told told = {0};
    struct dk_err err;
    (void)state;
    ASSERT_OK(dk_mails_new(&mails, loop, &smtp, on_told, &told, &err), &err);
    no_threads = 1;
    ASSERT_EQ(dk_mails_send(mails, &mail, &outcome), false);
    ASSERT_EQ(outcome.verdict, DK_TRY_AGAIN);
    ASSERT_CONTAINS(outcome.said, "no thread");
    ASSERT_EQ(dk_mails_send(mails, &mail, &outcome), true);
    while (told.id == 0) {
        (void)ev_run(loop, EVRUN_ONCE);
    }
    ASSERT_EQ(told.id, notice);
    ASSERT_EQ(told.outcome.verdict, DK_TRY_AGAIN); /* nobody listens there */
    dk_mails_free(&mails);
    ev_loop_destroy(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mails_the_reply_decides),
        cmocka_unit_test(test_mails_titles_are_encoded_where_they_must),
        cmocka_unit_test(test_mails_to_no_mailbox_or_without_a_server_are_given_up),
        cmocka_unit_test(test_mails_the_password_is_for_us_alone),
        cmocka_unit_test(test_mails_without_a_thread_go_again),
    };
    return cmocka_run_group_tests_name("mails", tests, NULL, NULL);
}
