#include "bench/lib/sql.h"
#include "bench/lib/process.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MAX_BYTES (1 << 20)
#define READ_BYTES       4096
#define MARK             "--done--"

static void become_shell(char *const argv[], int in, int out, const char *said, pid_t parent)
{
    int fd = open(said, O_WRONLY | O_CREAT | O_APPEND, 0644);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (fd < 0 || dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
        dup2(fd, STDERR_FILENO) < 0 || getppid() != parent) {
        _exit(127);
    }
    (void)execvp(argv[0], argv);
    (void)fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

int dk_sql_start(struct dk_sql *sql, const char *name, const char *echo, char *const argv[],
                 const char *said, struct dk_err *err)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    pid_t parent = getpid();
    *sql = (struct dk_sql){.name = name, .echo = echo, .to = -1, .from = -1};
    (void)snprintf(sql->said, sizeof sql->said, "%s", said);
    dk_buf_init(&sql->answer, ANSWER_MAX_BYTES);
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) {
        return dk_err_errno(err, DK_EIO, errno, "cannot make a pipe");
    }
    sql->pid = fork();
    if (sql->pid == 0) {
        become_shell(argv, in[0], out[1], said, parent);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    sql->to = in[1];
    sql->from = out[0];
    return sql->pid > 0 ? 0 : dk_err_errno(err, DK_EIO, errno, "cannot fork");
}

static int write_all(struct dk_sql *sql, const char *text, size_t bytes)
{
    while (bytes > 0) {
        ssize_t written = write(sql->to, text, bytes);
        if (written <= 0) {
            return DK_EIO;
        }
        text += written;
        bytes -= (size_t)written;
    }
    return 0;
}

int dk_sql_run(struct dk_sql *sql, const char *statements, const char **rows, struct dk_err *err)
{
    char mark[64];
    int length = snprintf(mark, sizeof mark, "\n%s %s\n", sql->echo, MARK);
    dk_buf_clear(&sql->answer);
    int rc = write_all(sql, statements, strlen(statements));
    rc = rc != 0 ? rc : write_all(sql, mark, (size_t)length);
    while (rc == 0) {
        size_t before = sql->answer.size;
        uint8_t *at = dk_buf_extend(&sql->answer, READ_BYTES);
        ssize_t got = at != NULL ? read(sql->from, at, READ_BYTES) : -1;
        sql->answer.size = before + (got > 0 ? (size_t)got : 0);
        char *text = (char *)(uintptr_t)dk_buf_string(&sql->answer);
        char *end = text != NULL ? strstr(text, MARK "\n") : NULL;
        if (end != NULL) {
            *end = '\0';
            if (rows != NULL) {
                *rows = text;
            }
            return 0;
        }
        rc = got <= 0 ? DK_EIO : 0;
    }
    return dk_err_set(err, DK_EIO, "%s ended at \"%.60s...\": see %s", sql->name, statements,
                      sql->said);
}

void dk_sql_end(struct dk_sql *sql)
{
    if (sql->pid > 0) {
        (void)close(sql->to);
        (void)close(sql->from);
        dk_process_end(sql->pid, SIGTERM);
        dk_buf_close(&sql->answer);
    }
    *sql = (struct dk_sql){0};
}
