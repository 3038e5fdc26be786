/* `docket import`: a foreign history into the log (replay/import). */
#include "replay/import/import.h"
#include "proto/base/time.h"
#include "replay/cli/read.h"
#include "replay/import/overdue.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>

const struct dk_parameter dk_import_parameters[] = {
    {"FILE", NULL, "CSV, or XES, packed or not; - is stdin", NULL, DK_NEEDED, 0},
    {"--map", "MAP.yaml", "what the source's columns mean", NULL, DK_NEEDED, 0},
    {"--adopt", NULL,
     "at the end, make tickets live that are still open, and list what is overdue of them", NULL, 0,
     0},
    {"--dry-run", NULL, "read and map only: needs no broker, and no site", NULL, 0, 0},
    {"--rejects", "FILE", "list every row that did not go in, with the reason", NULL, 0, 0},
    DK_PARAMETERS_END,
};

const char dk_import_more[] =
    "The mapping says what the columns mean, and whether they are of CSV or XES;\n"
    "replay/import/README.md explains it, and\n"
    "replay/import/maps has examples. It may be run again: with a longer file it adds what is "
    "new,\n"
    "after a kill what is missing. Memory is bounded; \"cases: scattered\" keeps rows beyond 256 "
    "MiB in\na file in TMPDIR, or /var/tmp. Of the tickets that --adopt makes live, what is "
    "overdue "
    "is what the\nsla node finds; without one, all that are open are listed.\n"
    "Customers and companies come in by docket import customers, docket import companies.\n"
    "Ends with 1 when some rows did not go in.\n";

static void print_json(const struct dk_cli *cli, const struct dk_import_summary *summary,
                       uint64_t rejected, double seconds)
{
    json_t *json = json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:f, s:f}", "source", summary->source,
        "rows", (json_int_t)summary->rows, "rejected", (json_int_t)rejected, "cases",
        (json_int_t)summary->cases, "conflicts", (json_int_t)summary->conflicts, "events",
        (json_int_t)summary->events, "appended", (json_int_t)summary->appended, "adopted",
        (json_int_t)summary->adopted, "interrupted", summary->interrupted, "seconds", seconds,
        "rows_per_second", (double)summary->rows / seconds);
    DK_ASSERT(json != NULL);
    if (summary->overdue != NULL) {
        (void)json_object_set(json, "overdue", summary->overdue);
    } else if (summary->open != NULL) {
        (void)json_object_set_new(json, "overdue", json_null());
        (void)json_object_set(json, "open", summary->open);
    }
    dk_cli_print_json(cli, json);
}

static void print_text(const struct dk_cli *cli, const struct dk_import_summary *summary,
                       uint64_t rejected, double seconds)
{
    (void)fprintf(cli->out, "%s: %" PRIu64 " rows of %" PRIu64 " cases make %" PRIu64 " events",
                  summary->source, summary->rows, summary->cases, summary->events);
    if (dk_cli_given(cli, "--dry-run") == NULL) {
        (void)fprintf(cli->out, "; %" PRIu64 " events appended", summary->appended);
    }
    if (summary->adopted > 0) {
        (void)fprintf(cli->out, "; %" PRIu64 " tickets adopted", summary->adopted);
    }
    (void)fprintf(cli->out, "; %" PRIu64 " rows did not go in", rejected);
    if (summary->conflicts > 0) {
        (void)fprintf(cli->out, " (%" PRIu64 " cases have other rows in the log)",
                      summary->conflicts);
    }
    (void)fprintf(cli->out, ". %.1f s, %.0f rows/s\n", seconds, (double)summary->rows / seconds);
    if (summary->interrupted) {
        (void)fprintf(cli->out, "interrupted: run it again to go on\n");
    }
}

/* Closes the list of rejects: whether all of it is where it shall be. */
static int close_rejects(FILE *rejects, const char *path, struct dk_err *err)
{
    bool failed = rejects != NULL && ferror(rejects) != 0;
    failed |= rejects != NULL && fclose(rejects) != 0;
    return failed ? dk_err_errno(err, DK_EIO, errno, "cannot write %s", path) : 0;
}

static int run(struct dk_cli *cli, const struct dk_import_options *options,
               struct dk_report *report, struct dk_err *err)
{
    struct dk_import_summary summary;
    int rc = dk_import_run(options, &cli->config, report, &summary, err);
    double seconds = (double)(dk_clock_boot_us() - report->began_us + 1) / 1e6;
    if (rc == 0 && cli->json) {
        print_json(cli, &summary, report->rejected, seconds);
    } else if (rc == 0) {
        dk_overdue_print(&summary, cli->out);
        print_text(cli, &summary, report->rejected, seconds);
    }
    if (rc == 0) { /* what ended it early, or kept rows out, was told already */
        *err = (struct dk_err){0};
        rc = summary.interrupted ? DK_EXIT_INTERRUPTED : report->rejected > 0 ? DK_EXIT_FAILED : 0;
    }
    dk_import_summary_close(&summary);
    return rc;
}

int dk_import_verb(struct dk_cli *cli, struct dk_err *err)
{
    const char *rejects = dk_cli_given(cli, "--rejects");
    struct dk_report report;
    const struct dk_import_options options = {.map = dk_cli_given(cli, "--map"),
                                              .file = dk_cli_given(cli, "FILE"),
                                              .adopt = dk_cli_given(cli, "--adopt") != NULL,
                                              .dry_run = dk_cli_given(cli, "--dry-run") != NULL};
    if (!cli->site && !options.dry_run) {
        return dk_err_set(err, DK_ENOTFOUND,
                          "there is no site to import to: name its folder with --config, or try "
                          "--dry-run");
    }
    dk_report_init(&report, strcmp(options.file, "-") == 0 ? "stdin" : options.file);
    report.rejects = rejects != NULL ? fopen(rejects, "w") : NULL;
    if (rejects != NULL && report.rejects == NULL) {
        return dk_err_errno(err, DK_EIO, errno, "cannot write %s", rejects);
    }
    int rc = run(cli, &options, &report, err);
    int closed = close_rejects(report.rejects, rejects, rc >= 0 ? err : NULL);
    return closed != 0 && rc >= 0 ? closed : rc;
}
