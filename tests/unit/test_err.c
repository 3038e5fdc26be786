#include "tests/lib/assert.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_err_set_fills_and_returns_the_code(void **state)
{
    (void)state;
    struct dk_err err = {.sys_errno = 5, .field = "old"};
    ASSERT_CODE(dk_err_set(&err, DK_ESTALE, "basis %d is older than %d", 3, 7), DK_ESTALE);
    ASSERT_EQ(err.code, DK_ESTALE);
    ASSERT_EQ(err.sys_errno, 0);
    ASSERT_STR(err.field, "");
    ASSERT_STR(err.message, "basis 3 is older than 7");
}

static void test_err_errno_appends_the_system_s_reason(void **state)
{
    (void)state;
    struct dk_err err;
    ASSERT_CODE(dk_err_errno(&err, DK_EIO, ENOENT, "cannot open %s", "log"), DK_EIO);
    ASSERT_EQ(err.sys_errno, ENOENT);
    ASSERT_STR(err.message, "cannot open log: No such file or directory");
}

static void test_err_field_names_the_field(void **state)
{
    (void)state;
    struct dk_err err;
    ASSERT_CODE(dk_err_field(&err, DK_ETIME, "occurred_us", "out of range"), DK_ETIME);
    ASSERT_STR(err.field, "occurred_us");
    ASSERT_STR(err.message, "out of range");
}

static void test_err_wrap_keeps_code_errno_and_field(void **state)
{
    (void)state;
    struct dk_err err;
    dk_err_field(&err, DK_EINVAL, "kind", "no such kind");
    err.sys_errno = EPERM;
    ASSERT_CODE(dk_err_wrap(&err, "record %d", 9), DK_EINVAL);
    ASSERT_CODE(dk_err_wrap(&err, "cannot open log at %s", "d"), DK_EINVAL);
    ASSERT_STR(err.message, "cannot open log at d: record 9: no such kind");
    ASSERT_STR(err.field, "kind");
    ASSERT_EQ(err.sys_errno, EPERM);
}

/* The context may quote the message it goes before. */
static void test_err_wrap_may_quote_the_message(void **state)
{
    (void)state;
    struct dk_err err;
    dk_err_set(&err, DK_EIO, "disk");
    dk_err_wrap(&err, "[%s]", err.message);
    ASSERT_STR(err.message, "[disk]: disk");
}

static void test_err_cuts_what_does_not_fit(void **state)
{
    (void)state;
    struct dk_err err;
    char text[2 * DK_ERR_MESSAGE_BYTES];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';

    dk_err_field(&err, DK_EINVAL, text, "%s", text);
    ASSERT_EQ(strlen(err.message), DK_ERR_MESSAGE_BYTES - 1);
    ASSERT_EQ(strlen(err.field), DK_ERR_FIELD_BYTES - 1);
    dk_err_wrap(&err, "context");
    ASSERT_EQ(strlen(err.message), DK_ERR_MESSAGE_BYTES - 1);
    ASSERT_EQ(strncmp(err.message, "context: xxx", 12), 0);
    dk_err_wrap(&err, "%s", text);
    ASSERT_EQ(strlen(err.message), DK_ERR_MESSAGE_BYTES - 1);
    ASSERT_EQ(err.message[DK_ERR_MESSAGE_BYTES - 2], 'x');
    dk_err_errno(&err, DK_EIO, ENOENT, "%s", text);
    ASSERT_EQ(strlen(err.message), DK_ERR_MESSAGE_BYTES - 1);
}

static void test_err_null_is_allowed(void **state)
{
    (void)state;
    ASSERT_CODE(dk_err_set(NULL, DK_EBUSY, "x"), DK_EBUSY);
    ASSERT_CODE(dk_err_errno(NULL, DK_EIO, ENOENT, "x"), DK_EIO);
    ASSERT_CODE(dk_err_field(NULL, DK_ETIME, "f", "x"), DK_ETIME);
    ASSERT_CODE(dk_err_wrap(NULL, "x"), DK_EINVAL);
}

static void test_err_codes_have_names_and_sentences(void **state)
{
    (void)state;
    ASSERT_STR(dk_code_name(0), "DK_OK");
    ASSERT_STR(dk_code_name(DK_EINVAL), "DK_EINVAL");
    ASSERT_STR(dk_code_name(DK_ETIMEOUT), "DK_ETIMEOUT");
    ASSERT_STR(dk_code_sentence(DK_EBUSY), "a bound is reached: try again later");
    ASSERT_STR(dk_code_name(-9999), "DK_?");
    ASSERT_STR(dk_code_name(1), "DK_?");
    ASSERT_STR(dk_code_sentence(-9999), "unknown error");
}

/* The codes travel in replies: their numbers are dense and never move. */
static void test_err_codes_are_dense(void **state)
{
    (void)state;
    int expected = 0;
#define X(number, name, sentence)                                                                  \
    ASSERT_EQ(name, --expected);                                                                   \
    ASSERT_STR(dk_code_name(expected), #name);
    DK_CODES(X)
#undef X
}

static void test_err_assert_says_where_and_aborts(void **state)
{
    (void)state;
    int pipe_fd[2], status;
    char said[256] = "";
    ASSERT_EQ(pipe(pipe_fd), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(pipe_fd[1], STDERR_FILENO);
        signal(SIGABRT, SIG_DFL); /* cmocka's own handler would take it for a failed test */
        DK_ASSERT(1 + 1 == 3);
        _exit(0);
    }
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    ASSERT_TRUE(read(pipe_fd[0], said, sizeof said - 1) > 0);
    ASSERT_CONTAINS(said, "test_err.c:");
    ASSERT_CONTAINS(said, "a bug: 1 + 1 == 3 does not hold");
    close(pipe_fd[0]);
    close(pipe_fd[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_err_set_fills_and_returns_the_code),
        cmocka_unit_test(test_err_errno_appends_the_system_s_reason),
        cmocka_unit_test(test_err_field_names_the_field),
        cmocka_unit_test(test_err_wrap_keeps_code_errno_and_field),
        cmocka_unit_test(test_err_wrap_may_quote_the_message),
        cmocka_unit_test(test_err_cuts_what_does_not_fit),
        cmocka_unit_test(test_err_null_is_allowed),
        cmocka_unit_test(test_err_codes_have_names_and_sentences),
        cmocka_unit_test(test_err_codes_are_dense),
        cmocka_unit_test(test_err_assert_says_where_and_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
