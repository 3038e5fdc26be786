#include "replay/import/command.h"

#include "proto/base/time.h"
#include "replay/import/import.h"
#include "replay/import/overdue.h"
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

enum exit_code {
    EXIT_ALL_IN = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 64,
    EXIT_UNAVAILABLE = 69,
    EXIT_INTERRUPTED = 130,
};

static const char help[] =
    "Usage: docket import --map MAP.yaml [OPTION ...] FILE\n"
    "\n"
    "Brings a history into the log, with its own times, from CSV (FILE - is stdin). The mapping "
    "says\n"
    "what the columns mean; replay/import/README.md explains it, replay/import/maps has examples.\n"
    "It may be run again: with a longer file it adds what is new, after a kill what is missing.\n"
    "Memory is bounded; \"cases: scattered\" keeps rows beyond 256 MiB in a file in TMPDIR, or "
    "/var/tmp.\n"
    "\n"
    "  --map MAP.yaml   what the source's columns mean\n"
    "  --adopt          at the end, make tickets live that are still open, and list what is "
    "overdue\n"
    "                   of them, as the sla node finds it; without one, all of them\n"
    "  --dry-run        read and map only; needs no broker\n"
    "  --rejects FILE   list every row that did not go in, with the reason\n"
    "  --json           the summary as JSON\n"
    "  --help           this text\n"
    "\n"
    "Examples:\n"
    "  docket import --map replay/import/maps/uci_incident.yaml --dry-run incident_event_log.csv\n"
    "  docket import --map replay/import/maps/uci_incident.yaml incident_event_log.csv\n"
    "  unzip -p export.zip | docket import --map jira.yaml --adopt --rejects rejects.txt -\n"
    "\n"
    "Ends with 0 when all rows are in, 1 when it failed or some rows are not, 64 when the command\n"
    "line is not understood, 69 when the broker does not answer, 130 after Ctrl-C.\n";

struct arguments {
    struct dk_import_options options;
    const char *rejects;
    bool json;
    bool help;
};

static int usage(const char *why, const char *what)
{
    (void)fprintf(stderr, "docket import: %s%s; docket import --help tells more\n", why, what);
    return EXIT_USAGE;
}

static int parse(int argc, char **argv, struct arguments *arguments)
{
    static const struct option options[] = {{"map", required_argument, NULL, 'm'},
                                            {"adopt", no_argument, NULL, 'a'},
                                            {"dry-run", no_argument, NULL, 'd'},
                                            {"rejects", required_argument, NULL, 'r'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option;
    optind = 0; /* another main may have parsed before */
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        switch (option) {
        case 'm': arguments->options.map = optarg; break;
        case 'a': arguments->options.adopt = true; break;
        case 'd': arguments->options.dry_run = true; break;
        case 'r': arguments->rejects = optarg; break;
        case 'j': arguments->json = true; break;
        case 'h': arguments->help = true; return 0;
        case ':': return usage("a value is missing after ", argv[optind - 1]);
        default: return usage("there is no option ", argv[optind - 1]);
        }
    }
    if (arguments->options.map == NULL) {
        return usage("--map MAP.yaml is missing", "");
    }
    if (argc - optind != 1) {
        return usage(argc == optind ? "FILE is missing" : "one FILE at a time", "");
    }
    arguments->options.file = argv[optind];
    return 0;
}

/* ---------------------------------------------------------------------------------- the summary */

static void print_json(const struct dk_import_summary *summary, uint64_t rejected, double seconds)
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
    (void)json_dumpf(json, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    (void)fputc('\n', stdout);
    json_decref(json);
}

static void print_text(const struct dk_import_summary *summary, uint64_t rejected, double seconds,
                       bool dry_run)
{
    (void)printf("%s: %" PRIu64 " rows of %" PRIu64 " cases make %" PRIu64 " events",
                 summary->source, summary->rows, summary->cases, summary->events);
    if (!dry_run) {
        (void)printf("; %" PRIu64 " events appended", summary->appended);
    }
    if (summary->adopted > 0) {
        (void)printf("; %" PRIu64 " tickets adopted", summary->adopted);
    }
    (void)printf("; %" PRIu64 " rows did not go in", rejected);
    if (summary->conflicts > 0) {
        (void)printf(" (%" PRIu64 " cases have other rows in the log)", summary->conflicts);
    }
    (void)printf(". %.1f s, %.0f rows/s\n", seconds, (double)summary->rows / seconds);
    if (summary->interrupted) {
        (void)printf("interrupted: run it again to go on\n");
    }
}

static int exit_code(int rc, const struct dk_import_summary *summary, uint64_t rejected)
{
    if (rc == DK_ETIMEOUT) {
        return EXIT_UNAVAILABLE;
    }
    if (rc != 0) {
        return EXIT_FAILED;
    }
    if (summary->interrupted) {
        return EXIT_INTERRUPTED;
    }
    return rejected > 0 ? EXIT_FAILED : EXIT_ALL_IN;
}

/* What was written is where it shall be; false, and said, when it is not. */
static bool close_output(FILE *file, const char *what)
{
    bool failed = ferror(file) != 0;
    failed |= (file == stdout ? fflush(file) : fclose(file)) != 0;
    if (failed) {
        (void)fprintf(stderr, "docket import: cannot write %s: %s\n", what, strerror(errno));
    }
    return !failed;
}

static int run(const struct arguments *arguments, const struct dk_config *config)
{
    const struct dk_import_options *options = &arguments->options;
    struct dk_report report;
    struct dk_import_summary summary;
    struct dk_err err = {0};
    dk_report_init(&report, strcmp(options->file, "-") == 0 ? "stdin" : options->file);
    if (arguments->rejects != NULL) {
        report.rejects = fopen(arguments->rejects, "w");
        if (report.rejects == NULL) {
            (void)fprintf(stderr, "docket import: cannot write %s: %s\n", arguments->rejects,
                          strerror(errno));
            return EXIT_FAILED;
        }
    }
    int rc = dk_import_run(options, config, &report, &summary, &err);
    double seconds = (double)(dk_clock_boot_us() - report.began_us + 1) / 1e6;
    if (rc != 0) {
        (void)fprintf(stderr, "docket import: %s (%s)\n", err.message, dk_code_name(rc));
    } else if (arguments->json) {
        print_json(&summary, report.rejected, seconds);
    } else {
        dk_overdue_print(&summary, stdout);
        print_text(&summary, report.rejected, seconds, options->dry_run);
    }
    dk_import_summary_close(&summary);
    bool written = close_output(stdout, "the summary");
    if (report.rejects != NULL) {
        written &= close_output(report.rejects, arguments->rejects);
    }
    return written ? exit_code(rc, &summary, report.rejected) : EXIT_FAILED;
}

int dk_import_main(int argc, char **argv, const struct dk_config *config)
{
    struct arguments arguments = {0};
    int rc = parse(argc, argv, &arguments);
    if (rc != 0) {
        return rc;
    }
    if (arguments.help) {
        (void)fputs(help, stdout);
        return EXIT_ALL_IN;
    }
    return run(&arguments, config);
}
