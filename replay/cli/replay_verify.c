#include "broker/log/verify.h"
#include "proto/base/time.h"
#include "replay/cli/replay.h"
#include "replay/cli/watch.h"
#include "replay/history/past.h"
#include <inttypes.h>
#include <jansson.h>

struct verifying {
    struct dk_cli *cli;
    struct dk_watch watch;
};

static int on_progress(void *arg, uint64_t done, uint64_t total)
{
    struct verifying *v = arg;
    v->watch.total = total;
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
                  struct dk_err *err)
{
    struct verifying verifying = {.cli = cli};
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

int dk_replay_verify_run(struct dk_cli *cli, struct dk_err *err)
{
    struct dk_past past;
    struct dk_seals *seals = NULL;
    int rc = dk_past_open(&past, cli->config.log, err);
    if (rc != 0) {
        return rc;
    }
    rc = dk_seals_open(&seals, cli->config.log, past.log, DK_LOG_READ, err);
    if (rc == DK_ENOTFOUND) {
        (void)fprintf(stderr, "no seals are kept beside this log: they are not compared\n");
        rc = 0;
    }
    rc = rc != 0 ? rc : verify(cli, &past, seals, err);
    dk_seals_close(&seals);
    dk_past_close(&past);
    return rc;
}
