/* `docket replay export`: a log's events in a format that others read (replay/export). */
#include "proto/base/time.h"
#include "replay/cli/replay.h"
#include "replay/cli/watch.h"
#include "replay/export/export.h"
#include <inttypes.h>
#include <string.h>

const struct dk_parameter dk_replay_export_parameters[] = {
    {"FORMAT", NULL, "csv, jsonl, sqlite, xes, ocel", NULL, DK_NEEDED, 0},
    {"--out", "FILE", "write this file, once it is whole; stdout when left out, or -", NULL, 0, 0},
    {"--from", "TIME", "only what occurred from here on", NULL, 0, 0},
    {"--to", "TIME", "and before this", NULL, 0, 0},
    {"--positions", "FIRST-LAST", "only these positions of the log; FIRST- is to its end", NULL, 0,
     0},
    {"--kind", "KIND", "only this kind, as the events name it; may be given several times", NULL,
     DK_MANY, 0},
    {"--ticket", "TICKET", "only this ticket's", NULL, 0, 0},
    {"--group", "GROUP", "only of tickets that this group, by key, has after the event", NULL, 0,
     0},
    DK_PARAMETERS_END,
};

const char dk_replay_export_more[] =
    "Formats\n"
    "  csv    a line an event, RFC 4180; the body is JSON\n"
    "  jsonl  an object an event and line, as docket tail prints it\n"
    "  sqlite a database: events with the columns of csv, entities with what they name\n"
    "  xes    IEEE 1849: a ticket is a trace; what came from XES goes back as it came\n"
    "  ocel   OCEL 2.0 as JSON: tickets and those around them as objects, related to events\n"
    "\n"
    "There is no Parquet, as no library of Debian 12 writes it: what reads Parquet reads csv.\n"
    "Texts that are sealed read [sealed]. replay/export/README.md says what each column holds.\n"
    "--json tells of a file that is written: {format, out, events, bytes, seconds}.\n";

/* "17-99", "17-" or "17". */
static int read_positions(const char *text, struct dk_export_options *options, struct dk_err *err)
{
    char first[24];
    const char *name = "--positions", *dash = strchr(text, '-');
    size_t bytes = dash != NULL ? (size_t)(dash - text) : strlen(text);
    if (bytes >= sizeof first) {
        return dk_cli_usage(err, "--positions takes FIRST-LAST, as 1-1000");
    }
    memcpy(first, text, bytes);
    first[bytes] = '\0';
    int rc = dk_cli_read_number(name, first, UINT64_MAX, &options->first, err);
    if (rc == 0 && dash == NULL) {
        options->last = options->first;
    } else if (rc == 0 && dash[1] != '\0') {
        rc = dk_cli_read_number(name, dash + 1, UINT64_MAX, &options->last, err);
    }
    return rc != 0 || options->first <= options->last
               ? rc
               : dk_cli_usage(err, "--positions %s ends before it begins", text);
}

static int read_kinds(const struct dk_cli *cli, struct dk_export_options *options,
                      struct dk_err *err)
{
    const char *word;
    for (size_t cursor = 0;
         (word = dk_argument_next(&cli->arguments, "--kind", &cursor)) != NULL;) {
        uint32_t kind = dk_kind_of(word);
        if (kind == 0 || options->kind_count == DK_EXPORT_KINDS_MAX) {
            return dk_cli_usage(err, "there is no kind \"%s\"", word);
        }
        options->kind[options->kind_count++] = kind;
    }
    return 0;
}

static int read_form(const struct dk_cli *cli, struct dk_export_options *options,
                     struct dk_err *err)
{
    const char *word = dk_cli_given(cli, "FORMAT"), *out = dk_cli_given(cli, "--out");
    options->format = dk_format_find(word);
    options->out = out != NULL ? out : "-";
    bool to_stdout = strcmp(options->out, "-") == 0;
    if (options->format == NULL) {
        return dk_cli_usage(err, "there is no format \"%s\": docket replay export --help", word);
    }
    if (to_stdout && options->format->by_name) {
        return dk_cli_usage(err, "%s is a file and no stream: name it with --out", word);
    }
    return to_stdout && cli->json ? dk_cli_usage(err, "--json tells of a file: name it with --out")
                                  : 0;
}

static int read_wanted(const struct dk_cli *cli, struct dk_export_options *options,
                       struct dk_err *err)
{
    const char *positions = dk_cli_given(cli, "--positions");
    const char *group = dk_cli_given(cli, "--group");
    int rc = read_kinds(cli, options, err);
    rc = rc != 0 ? rc : dk_cli_moment(cli, "--from", &options->from_us, err);
    rc = rc != 0 ? rc : dk_cli_moment(cli, "--to", &options->to_us, err);
    rc = rc == 0 && positions != NULL ? read_positions(positions, options, err) : rc;
    if (group != NULL) {
        options->group = dk_id_of_key(DK_SUBJECT_GROUP, group, strlen(group), NULL);
    }
    return rc;
}

static void tell(const struct dk_cli *cli, const struct dk_export_options *options,
                 const struct dk_export_summary *summary, int64_t took_us)
{
    double seconds = (double)(took_us + 1) / 1e6;
    if (cli->json) {
        dk_cli_print_json(cli,
                          json_pack("{s:s, s:s, s:I, s:I, s:f}", "format", options->format->word,
                                    "out", options->out, "events", (json_int_t)summary->events,
                                    "bytes", (json_int_t)summary->bytes, "seconds", seconds));
    } else if (strcmp(options->out, "-") != 0) {
        (void)fprintf(cli->out,
                      "%" PRIu64 " events in %s, %" PRIu64 " bytes. %.1f s, %.0f "
                      "events/s\n",
                      summary->events, options->out, summary->bytes, seconds,
                      (double)summary->events / seconds);
    }
}

static int export(struct dk_cli *cli, struct dk_past *past, struct dk_export_options *options,
                  struct dk_err *err)
{
    const char *ticket = dk_cli_given(cli, "--ticket");
    struct dk_export_summary summary;
    struct dk_watch watch;
    uint64_t last = 0;
    int64_t begun_us = dk_clock_boot_us();
    int rc = ticket != NULL ? dk_past_find(past, ticket, &options->ticket, err) : 0;
    rc = rc != 0 ? rc : dk_log_last(past->log, &last, err);
    if (rc != 0) {
        return rc;
    }
    options->last = options->last < last ? options->last : last;
    dk_watch_open(&watch, "export", options->last);
    options->arg = &watch;
    options->on_progress = dk_watch_progress;
    rc = dk_export_run(past, options, &summary, err);
    dk_watch_close(&watch);
    if (rc == 0) {
        tell(cli, options, &summary, dk_clock_boot_us() - begun_us);
    }
    return rc;
}

int dk_replay_export_run(struct dk_cli *cli, struct dk_err *err)
{
    struct dk_export_options options = {
        .first = 1, .last = UINT64_MAX, .from_us = INT64_MIN, .to_us = INT64_MAX};
    struct dk_past past;
    int rc = read_form(cli, &options, err);
    rc = rc != 0 ? rc : read_wanted(cli, &options, err);
    rc = rc != 0 ? rc : dk_past_open(&past, cli->config.log, err);
    if (rc == 0) {
        rc = export(cli, &past, &options, err);
        dk_past_close(&past);
    }
    return rc;
}
