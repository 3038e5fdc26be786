/* Verifies in a process of its own: pages of the log that make no sense can end whoever reads them
 * through LMDB (broker/log/damage.h), and then another has to say where that was. */
#include "broker/log/verify.h"
#include "proto/base/time.h"
#include "replay/cli/replay.h"
#include "replay/cli/watch.h"
#include "replay/history/past.h"
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What both processes see. */
struct told {
    uint64_t done, total; /* positions read; in all, 0 until the log is open */
    bool ended;           /* by itself, with `rc` and `err` */
    int rc;
    struct dk_err err;
};

struct verifying {
    struct dk_cli *cli;
    struct dk_watch watch;
    struct told *told;
};

static int on_progress(void *arg, uint64_t done, uint64_t total)
{
    struct verifying *v = arg;
    v->watch.total = total;
    v->told->done = done;
    return dk_watch_progress(&v->watch, done);
}

static int on_finding(void *arg, const struct dk_verify_finding *finding)
{
    struct verifying *v = arg;
    if (v->cli->json) {
        json_t *line = json_pack("{s:I, s:s, s:s}", "position", (json_int_t)finding->position,
                                 "code", dk_code_name(finding->code), "message", finding->message);
        dk_cli_print_json(v->cli, line);
    } else {
        dk_watch_clear(&v->watch);
        (void)fprintf(v->cli->out, "position %" PRIu64 ": %s (%s)\n", finding->position,
                      finding->message, dk_code_name(finding->code));
    }
    return 0;
}

static const char *hex_of(const struct dk_hash *hash, char text[2 * sizeof(struct dk_hash) + 1])
{
    for (size_t i = 0; i < sizeof hash->bytes; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", hash->bytes[i]);
    }
    return text;
}

static void print_report(const struct dk_cli *cli, const struct dk_verify_report *report,
                         int64_t took_us)
{
    char head[2 * sizeof(struct dk_hash) + 1], took[DK_TIME_TEXT_BYTES];
    bool whole = report->findings == 0;
    (void)hex_of(&report->tree_head, head);
    if (cli->json) {
        json_t *line = json_pack(
            "{s:I, s:I, s:I, s:I, s:o}", "records", (json_int_t)report->records, "subjects",
            (json_int_t)report->subjects, "sealed", (json_int_t)report->sealed, "findings",
            (json_int_t)report->findings, "tree_head", whole ? json_string(head) : json_null());
        dk_cli_print_json(cli, line);
        return;
    }
    (void)fprintf(cli->out,
                  "%" PRIu64 " records of %" PRIu64
                  " subjects read in %s, seals compared up to %" PRIu64 "\n%s",
                  report->records, report->subjects, dk_duration_format(took_us, took),
                  report->sealed, whole ? "all is as it was written; tree head " : "");
    if (whole) {
        (void)fprintf(cli->out, "%s\n", head);
    } else {
        (void)fprintf(cli->out, "%" PRIu64 " findings\n", report->findings);
    }
}

static int verify(struct dk_cli *cli, struct dk_past *past, struct dk_seals *seals,
                  struct told *told, struct dk_err *err)
{
    struct verifying verifying = {.cli = cli, .told = told};
    struct dk_verify_report report = {0};
    struct dk_verify_options options = {
        .seals = seals, .on_finding = on_finding, .on_progress = on_progress, .arg = &verifying};
    int64_t begun_us = dk_clock_boot_us();
    dk_watch_open(&verifying.watch, "verify", 0);
    int rc = dk_verify(past->log, &options, &report, err);
    dk_watch_close(&verifying.watch);
    if (rc == DK_EXIT_INTERRUPTED) {
        (void)fprintf(stderr, "interrupted after %" PRIu64 " records\n", report.records);
    } else if (rc == 0) {
        print_report(cli, &report, dk_clock_boot_us() - begun_us);
        rc = report.findings > 0 ? DK_EXIT_FAILED : 0;
    }
    return rc;
}

static int verify_all(struct dk_cli *cli, struct told *told, struct dk_err *err)
{
    struct dk_past past;
    struct dk_seals *seals = NULL;
    int rc = dk_past_open(&past, cli->config.log, err);
    rc = rc != 0 ? rc : dk_log_last(past.log, &told->total, err);
    if (rc != 0) {
        return rc;
    }
    rc = dk_seals_open(&seals, cli->config.log, past.log, DK_LOG_READ, err);
    if (rc == DK_ENOTFOUND) {
        (void)fprintf(stderr, "no seals are kept beside this log: they are not compared\n");
        rc = 0;
    }
    rc = rc != 0 ? rc : verify(cli, &past, seals, told, err);
    dk_seals_close(&seals);
    dk_past_close(&past);
    return rc;
}

/* Reads on from told->done record by record, as far as one read of verify's reaches. */
static int read_singly(struct dk_cli *cli, struct told *told, struct dk_err *err)
{
    struct dk_past past;
    struct dk_records records;
    dk_records_init(&records);
    int rc = dk_past_open(&past, cli->config.log, err);
    uint64_t end = told->done + DK_READ_MAX_BYTES / DK_ENVELOPE_BYTES;
    while (rc == 0 && told->done < told->total && told->done < end) {
        rc = dk_log_read(past.reader, told->done + 1, 1, &records, err);
        told->done++;
    }
    dk_records_close(&records);
    dk_past_close(&past);
    return rc == DK_ECORRUPT ? 0 : rc; /* told by verify already */
}

/* ------------------------------------------------------------------------ two processes */

static void run_child(struct dk_cli *cli, struct told *told,
                      int (*work)(struct dk_cli *cli, struct told *told, struct dk_err *err))
    __attribute__((noreturn));

static void run_child(struct dk_cli *cli, struct told *told,
                      int (*work)(struct dk_cli *cli, struct told *told, struct dk_err *err))
{
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    told->rc = work(cli, told, &told->err);
    if ((fflush(cli->out) != 0 || fflush(stdout) != 0 || ferror(stdout)) && told->err.code == 0) {
        told->rc = dk_err_set(&told->err, DK_EIO, "cannot write to stdout");
    }
    told->ended = true;
    _exit(EXIT_SUCCESS);
}

/* Waits for the child, and hands on what it is asked to end by. The status that it ended with. */
static int attend(pid_t child, const sigset_t *signals)
{
    int number, status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
        number = sigwaitinfo(signals, NULL);
        if (number == SIGINT || number == SIGTERM) {
            (void)kill(child, number);
        }
    }
    return status;
}

/* How a child ended that did not end by itself: by what it read (0), or by what has nothing to do
 * with the log. When nobody reads the output any more, this process ends by that, too. */
static int blame(int status, struct dk_err *err)
{
    int by = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (by == SIGPIPE) {
        (void)raise(SIGPIPE);
    }
    return by == SIGKILL || by == SIGTERM || by == SIGINT || by == SIGPIPE
               ? dk_err_set(err, DK_EIO,
                            "the process that verifies was ended by signal %d: nothing "
                            "is said of the log",
                            by)
               : 0;
}

/* Has `work` done by a child. 0, or DK_EIO when there can be none, or it was ended from outside. */
static int run_apart(struct dk_cli *cli, struct told *told,
                     int (*work)(struct dk_cli *cli, struct told *told, struct dk_err *err),
                     struct dk_err *err)
{
    sigset_t signals, before;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &signals, &before);
    told->ended = false;
    pid_t child = fork();
    if (child == 0) {
        run_child(cli, told, work);
    }
    int failed = errno;
    int status = child > 0 ? attend(child, &signals) : 0;
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    if (child < 0) {
        return dk_err_errno(err, DK_EIO, failed, "cannot start a process to verify in");
    }
    return told->ended ? 0 : blame(status, err);
}

/* The child died of what it read: which record it was, or that it was not one of the log's. */
static int find_damage(struct dk_cli *cli, struct told *told, struct dk_err *err)
{
    if (told->total == 0) {
        return dk_err_set(err, DK_ECORRUPT,
                          "the log in %s is damaged at its root: none of its records can be found",
                          cli->config.log);
    }
    int rc = run_apart(cli, told, read_singly, err);
    if (rc != 0) {
        return rc;
    }
    if (told->ended) {
        return dk_err_set(err, DK_ECORRUPT,
                          "the seals beside the log in %s are damaged: delete %s/seals while the "
                          "broker is stopped, and it makes them anew",
                          cli->config.log, cli->config.log);
    }
    struct dk_verify_finding finding = {
        told->done + 1, DK_ECORRUPT,
        "the log's tree of pages is damaged here; what follows was not read"};
    struct verifying verifying = {.cli = cli};
    (void)on_finding(&verifying, &finding);
    return DK_EXIT_FAILED;
}

int dk_replay_verify_run(struct dk_cli *cli, struct dk_err *err)
{
    struct told *told =
        mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (told == MAP_FAILED) {
        return dk_err_errno(err, DK_ENOMEM, errno, "no memory to verify");
    }
    int rc = run_apart(cli, told, verify_all, err);
    if (rc == 0 && told->ended) {
        rc = told->rc;
        *err = told->err;
    } else if (rc == 0) {
        rc = find_damage(cli, told, err);
    }
    (void)munmap(told, sizeof *told);
    return rc;
}
