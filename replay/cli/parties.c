/* docket import customers, docket import companies: a file against what is in force, and the
 * difference to the log. */
#include "replay/cli/parties.h"
#include "proto/base/time.h"
#include "replay/cli/confirm.h"
#include "replay/cli/desk.h"
#include "replay/cli/in_force.h"
#include "replay/cli/verb.h"
#include "replay/import/input.h"
#include "replay/import/parties.h"
#include "replay/import/report.h"
#include "replay/import/sender.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEFT_OUT_BYTES 4096

#define PARAMETERS                                                                                 \
    {"FILE", NULL, "CSV, a line of column names first; - is stdin", NULL, DK_NEEDED, 0},           \
        {"--columns",                                                                              \
         "NAME=THEIRS,...",                                                                        \
         "what the file calls columns; NAME= leaves one out",                                      \
         NULL,                                                                                     \
         0,                                                                                        \
         0},                                                                                       \
        {"--separator", "CHARACTER", "between fields (,)", NULL, 0, 0},                            \
        {"--from", "TIME", "it holds from then on; from now when left out", NULL, 0, 0},           \
        {"--rejects", "OUT", "list every row that did not go in, with the reason", NULL, 0, 0},    \
        {"--yes", NULL, "do not ask", NULL, 0, 'y'},                                               \
    {                                                                                              \
        "--dry-run", NULL, "show the difference and change nothing", NULL, 0, 'n'                  \
    }

const struct dk_parameter dk_customers_parameters[] = {PARAMETERS, DK_PARAMETERS_END};
const struct dk_parameter dk_companies_parameters[] = {
    PARAMETERS,
    {"--new-tiers", NULL, "take tiers that no policy, rule, product or setting names", NULL, 0, 0},
    DK_PARAMETERS_END};

#define MORE                                                                                       \
    "An empty cell takes away what was said; a column that the file lacks leaves it. Shows the\n"  \
    "difference, asks, and appends what changed; a second run appends nothing. Rows that cannot\n" \
    "be taken are told by line, and the others go in: it ends with 1 then.\n"

const char dk_customers_more[] =
    "Columns, by the first line, in any order:\n"
    "  customer    what --customer takes and what histories say: an address or another name;\n"
    "              may be left out where there is an address\n"
    "  address     where mails go; else the customer, where that is a mail address\n"
    "  name        or, in two, first_name and surname\n"
    "  company     by its key, imported before\n"
    "  language    as en or de-CH\n" MORE;

const char dk_companies_more[] =
    "Columns, by the first line, in any order:\n"
    "  company     its key, by which customers, contracts, policies and audiences name it\n"
    "  name        as people see it\n"
    "  tier        that policies, rules, products or settings name\n"
    "  contract    by its key: one with this company. It is applied once the company is there,\n"
    "              so bring new companies in with --columns contract= first\n" MORE;

struct run {
    struct dk_cli *cli;
    unsigned cls;
    const char *what; /* "customers": the importer's source, too */
    const char *file;
    struct dk_refs *refs;
    struct dk_input input;
    struct dk_report report;
    struct dk_parties *parties;
    char *shown; /* the first changes, as text */
    size_t shown_bytes;
    uint64_t appended;
};

/* ------------------------------------------------------------------------------- reading */

static int read_header(struct run *run, struct dk_csv *csv, struct dk_err *err)
{
    struct dk_csv_row row;
    struct dk_buf left_out;
    dk_buf_init(&left_out, LEFT_OUT_BYTES);
    int rc = dk_csv_next(csv, &row, err);
    if (rc == 0) {
        rc = dk_err_set(err, DK_EINVAL, "%s is empty: the first line names the columns", run->file);
    }
    rc = rc < 0 ? rc : dk_parties_header(run->parties, &row, &left_out, err);
    if (rc == 0 && left_out.size > 0) {
        dk_report_note(&run->report, "columns that are left out: %s", dk_buf_string(&left_out));
    }
    dk_buf_close(&left_out);
    return rc;
}

/* A row that cannot be read, or taken, is told; what ends the run is returned. */
static int reject(struct run *run, const struct dk_csv_row *row, int rc, struct dk_err *err)
{
    if (rc == DK_EIO || rc == DK_ENOMEM) {
        return rc;
    }
    dk_report_reject(&run->report, row->line, dk_parties_counts(run->parties)->rows, "%s",
                     err->message);
    *err = (struct dk_err){0};
    return 0;
}

static int read_rows(struct run *run, struct dk_csv *csv, struct dk_err *err)
{
    struct dk_csv_row row;
    int rc = read_header(run, csv, err);
    while (rc == 0) {
        rc = dk_csv_next(csv, &row, err);
        if (rc == 0) {
            break;
        }
        rc = rc > 0 ? dk_parties_row(run->parties, &row, err) : rc;
        rc = rc != 0 ? reject(run, &row, rc, err) : 0;
        dk_report_progress(&run->report, dk_parties_counts(run->parties)->rows, row.offset);
    }
    dk_report_end(&run->report);
    return run->input.stopped ? DK_EXIT_INTERRUPTED : rc;
}

static int compare(struct run *run, struct dk_err *err)
{
    struct dk_cli *cli = run->cli;
    const char *separator = dk_cli_given(cli, "--separator");
    struct dk_csv *csv = NULL;
    FILE *shown = open_memstream(&run->shown, &run->shown_bytes);
    struct dk_parties_options options = {
        .cls = run->cls,
        .refs = run->refs,
        .salt = cli->desk->session.salt,
        .at_us = dk_desk_now_us(cli),
        .from_at = dk_cli_given(cli, "--from") != NULL,
        .new_tiers = dk_cli_given(cli, "--new-tiers") != NULL,
        .columns = dk_cli_given(cli, "--columns"),
        .actor = dk_id_make(DK_ACTOR_IMPORTER,
                            dk_id_of_key(DK_SUBJECT_SOURCE, run->what, strlen(run->what), NULL)),
        .shown = shown,
    };
    DK_ASSERT(shown != NULL);
    int rc = dk_cli_moment(cli, "--from", &options.at_us, err);
    rc = rc != 0 ? rc : dk_parties_new(&run->parties, &options, err);
    rc = rc != 0 ? rc
                 : dk_csv_new(&csv, separator != NULL ? separator[0] : ',', dk_input_read,
                              &run->input, err);
    rc = rc != 0 ? rc : read_rows(run, csv, err);
    dk_csv_free(&csv);
    (void)fclose(shown);
    return rc;
}

/* ------------------------------------------------------------------------------- sending */

static void on_refused(void *arg, const struct dk_parcel_event *event, size_t dropped,
                       const struct dk_err *why)
{
    struct run *run = arg;
    (void)dropped; /* no event stands on another */
    dk_report_reject(&run->report, event->line, event->number, "refused: %s", why->message);
}

static void on_note(void *arg, const char *note)
{
    struct run *run = arg;
    dk_report_note(&run->report, "%s", note);
}

static bool on_stopped(void *arg)
{
    struct run *run = arg;
    return dk_input_stopped(&run->input);
}

static int send_all(struct run *run, struct dk_sender *sender, struct dk_err *err)
{
    size_t count = dk_parties_change_count(run->parties);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count && !dk_input_stopped(&run->input); i++) {
        const struct dk_party_change *change = dk_parties_change(run->parties, i);
        struct dk_parcel_event event = {
            .line = change->line, .number = change->number, .bytes = (uint32_t)change->bytes};
        if (!dk_parcel_fits(dk_sender_parcel(sender), 1, change->bytes)) {
            rc = dk_sender_flush(sender, err);
            dk_report_wait(&run->report, "appended", dk_sender_accepted(sender), count);
        }
        if (rc == 0) {
            dk_parcel_add(dk_sender_parcel(sender), &event, dk_parties_record(run->parties, i), 0);
        }
    }
    return rc != 0 ? rc : dk_sender_drain(sender, err);
}

/* Under the lease of its source: of two at once the earlier one is fenced off. */
static int append(struct run *run, struct dk_err *err)
{
    const struct dk_sender_owner owner = {
        .arg = run, .on_refused = on_refused, .on_note = on_note, .stopped = on_stopped};
    struct dk_sender *sender = NULL;
    int rc = dk_sender_new(&sender, run->cli->desk->zmq, &run->cli->config, run->what, &owner, err);
    rc = rc != 0 ? rc : send_all(run, sender, err);
    run->appended = sender != NULL ? dk_sender_accepted(sender) : 0;
    dk_report_end(&run->report);
    dk_sender_free(&sender);
    return run->input.stopped ? DK_EXIT_INTERRUPTED : rc;
}

/* ------------------------------------------------------------------------------- telling */

static void print_difference(const struct run *run)
{
    const struct dk_parties_counts *counts = dk_parties_counts(run->parties);
    uint64_t changes = counts->added + counts->changed;
    (void)fwrite(run->shown, 1, run->shown_bytes, run->cli->out);
    if (changes > DK_PARTIES_SHOWN_MAX) {
        (void)fprintf(run->cli->out, "... and %" PRIu64 " more\n", changes - DK_PARTIES_SHOWN_MAX);
    }
    (void)fprintf(run->cli->out,
                  "%" PRIu64 " %s added, %" PRIu64 " changed, %" PRIu64 " unchanged, %" PRIu64
                  " rows did not go in\n",
                  counts->added, run->what, counts->changed, counts->unchanged,
                  run->report.rejected);
    (void)fflush(run->cli->out);
}

static void print_json(const struct run *run, bool interrupted)
{
    const struct dk_parties_counts *counts = dk_parties_counts(run->parties);
    dk_cli_print_json(
        run->cli,
        json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "class",
                  dk_subject_class_word(run->cls), "rows", (json_int_t)counts->rows, "added",
                  (json_int_t)counts->added, "changed", (json_int_t)counts->changed, "unchanged",
                  (json_int_t)counts->unchanged, "rejected", (json_int_t)run->report.rejected,
                  "appended", (json_int_t)run->appended, "interrupted", interrupted));
}

/* The difference, and what came of it. */
static int bring_in(struct run *run, struct dk_err *err)
{
    struct dk_cli *cli = run->cli;
    int rc = compare(run, err);
    bool read = rc == 0;
    if (read && !cli->json) {
        print_difference(run);
    }
    if (read && dk_parties_change_count(run->parties) > 0 &&
        dk_cli_given(cli, "--dry-run") == NULL) {
        rc = dk_cli_confirm(cli, err);
        rc = rc != 0 ? rc : append(run, err);
        if (rc == 0 || run->appended > 0) {
            (void)fprintf(stderr, "%" PRIu64 " changes are appended%s\n", run->appended,
                          rc == 0 ? "" : "; run it again to go on");
        }
    }
    if (read && cli->json) {
        print_json(run, rc == DK_EXIT_INTERRUPTED);
    }
    return rc == 0 && run->report.rejected > 0 ? DK_EXIT_FAILED : rc;
}

static int check_arguments(const struct run *run, struct dk_err *err)
{
    const struct dk_cli *cli = run->cli;
    const char *separator = dk_cli_given(cli, "--separator");
    if (separator != NULL && (strlen(separator) != 1 || separator[0] == '"')) {
        return dk_cli_usage(err, "--separator takes one character, as ;");
    }
    return strcmp(run->file, "-") != 0 || dk_cli_given(cli, "--yes") != NULL ||
                   dk_cli_given(cli, "--dry-run") != NULL
               ? 0
               : dk_cli_usage(err, "stdin is the file, and cannot answer: say --yes or --dry-run");
}

static int open_rejects(struct run *run, struct dk_err *err)
{
    const char *path = dk_cli_given(run->cli, "--rejects");
    dk_report_init(&run->report, strcmp(run->file, "-") == 0 ? "stdin" : run->file);
    run->report.rejects = path != NULL ? fopen(path, "w") : NULL;
    return path == NULL || run->report.rejects != NULL
               ? 0
               : dk_err_errno(err, DK_EIO, errno, "cannot write %s", path);
}

static int close_rejects(struct run *run, int rc, struct dk_err *err)
{
    FILE *rejects = run->report.rejects;
    bool failed = rejects != NULL && ferror(rejects) != 0;
    failed |= rejects != NULL && fclose(rejects) != 0;
    return failed && rc == 0 ? dk_err_set(err, DK_EIO, "cannot write the rows that did not go in")
                             : rc;
}

static int run_class(struct dk_cli *cli, unsigned cls, const char *what, struct dk_err *err)
{
    struct run run = {.cli = cli, .cls = cls, .what = what, .file = dk_cli_given(cli, "FILE")};
    int rc = check_arguments(&run, err);
    rc = rc != 0 ? rc : open_rejects(&run, err);
    if (rc != 0) {
        return rc;
    }
    rc = dk_desk_hello(cli, err);
    rc = rc != 0 ? rc : dk_in_force(cli, &run.refs, err);
    rc = rc != 0 ? rc : dk_input_open(&run.input, run.file, err);
    if (rc == 0) {
        run.report.total_bytes = run.input.bytes;
        rc = bring_in(&run, err);
        dk_input_close(&run.input);
    }
    dk_parties_free(&run.parties);
    dk_refs_free(&run.refs);
    free(run.shown);
    return close_rejects(&run, rc, err);
}

int dk_customers_run(struct dk_cli *cli, struct dk_err *err)
{
    return run_class(cli, DK_SUBJECT_CUSTOMER, "customers", err);
}

int dk_companies_run(struct dk_cli *cli, struct dk_err *err)
{
    return run_class(cli, DK_SUBJECT_COMPANY, "companies", err);
}
