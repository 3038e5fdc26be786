#include "replay/cli/whatif.h"
#include "nodes/runtime/answer.h"
#include "replay/cli/replay.h"
#include "replay/cli/watch.h"
#include "replay/history/moment.h"
#include "replay/history/past.h"
#include "replay/history/table.h"
#include "replay/whatif/whatif.h"
#include <string.h>

#define LIMIT       20
#define LIMIT_MAX   1000000
#define COLUMNS_MAX (10 + DK_KPI_BY_MAX)

const char dk_replay_kpi_more[] =
    "The same bytes as docket kpi at the same position; see its --help for measures.\n\nWhat if: "
    "with --policy or --calendar each ticket's clocks are computed twice, by what the "
    "log\ndefines and with the files' definitions in place of those of the same keys, for all of "
    "the\nhistory whatever effective_from says. A list of policies is whole, as for apply. The "
    "report\ntells by metric what was met and breached, before and after, credits, and which "
    "clocks turned.\nThe same promises give no difference. A clock counts by its outcome as it "
    "was; values of --by\nand of filters are the ticket's last ones. Of --from, --to, --by, "
    "--position, --limit.\n";

bool dk_whatif_asked(const struct dk_cli *cli)
{
    return dk_cli_given(cli, "--policy") != NULL || dk_cli_given(cli, "--calendar") != NULL;
}

int dk_whatif_check(const struct dk_cli *cli, struct dk_err *err)
{
    static const char *const others[] = {"--measures", "--backlog",  "--at",
                                         "--values",   "--quantile", "--unit"};
    for (size_t i = 0; dk_whatif_asked(cli) && i < sizeof others / sizeof others[0]; i++) {
        if (dk_cli_given(cli, others[i]) != NULL) {
            return dk_cli_usage(err, "%s does not go with --policy and --calendar", others[i]);
        }
    }
    return !dk_whatif_asked(cli) && dk_cli_given(cli, "--limit") != NULL
               ? dk_cli_usage(err, "--limit goes with --policy and --calendar")
               : 0;
}

/* ---------------------------------------------------------------- asking */

struct asking {
    struct dk_cli *cli;
    const char *const *argument;
    size_t argument_count;
    struct dk_promises promises;
    struct dk_past past;
    struct dk_watch watch;
    uint64_t limit;
};

static int add_files(const struct dk_cli *cli, struct dk_reference *set, struct dk_err *err)
{
    const char *policy = dk_cli_given(cli, "--policy"), *calendar = dk_cli_given(cli, "--calendar");
    bool same = policy != NULL && calendar != NULL && strcmp(policy, calendar) == 0;
    int rc = policy != NULL ? dk_reference_add_file(set, policy, err) : 0;
    return rc == 0 && calendar != NULL && !same ? dk_reference_add_file(set, calendar, err) : rc;
}

/* Reads what was promised, and would have been. */
static int read_promises(struct asking *asking, struct dk_err *err)
{
    struct dk_reference *set = NULL;
    uint64_t position = UINT64_MAX;
    int rc = dk_cli_number(asking->cli, "--position", UINT64_MAX, &position, err);
    rc = rc != 0 ? rc : dk_reference_new(&set, err);
    rc = rc != 0 ? rc : add_files(asking->cli, set, err);
    rc = rc != 0 ? rc
                 : dk_promises_read(&asking->promises, set, asking->past.reader, position,
                                    dk_watch_progress, &asking->watch, err);
    if (set != NULL && dk_reference_problem_count(set, NULL) > 0) {
        dk_watch_clear(&asking->watch);
        dk_reference_print_problems(set, stderr);
        (void)dk_err_set(err, rc, "nothing was judged");
    }
    dk_reference_free(&set);
    return rc;
}

static int judge(struct asking *asking, struct dk_buf *json, struct dk_err *err)
{
    struct dk_kpi_query query;
    json_t *report = NULL;
    int rc = read_promises(asking, err);
    if (rc != 0) {
        return rc;
    }
    const struct dk_world world = {.refs = asking->promises.before,
                                   .position = asking->promises.position,
                                   .recorded_us = asking->promises.recorded_us};
    rc = dk_kpi_parse(&query, &world, "kpi", asking->argument, asking->argument_count, err);
    if (rc != 0) {
        return rc;
    }
    const struct dk_whatif whatif = {.promises = &asking->promises,
                                     .query = &query,
                                     .reader = asking->past.reader,
                                     .limit = asking->limit,
                                     .on_progress = dk_watch_progress,
                                     .arg = &asking->watch};
    rc = dk_whatif_run(&whatif, &report, err);
    dk_kpi_close(&query);
    return rc != 0 ? rc : dk_answer_put(report, json, err);
}

int dk_whatif_answer(struct dk_cli *cli, const char *const *argument, size_t argument_count,
                     struct dk_buf *json, struct dk_err *err)
{
    struct asking asking = {
        .cli = cli, .argument = argument, .argument_count = argument_count, .limit = LIMIT};
    uint64_t last = 0;
    int rc = dk_cli_number(cli, "--limit", LIMIT_MAX, &asking.limit, err);
    rc = rc != 0 ? rc : dk_past_open(&asking.past, cli->config.log, err);
    if (rc != 0) {
        return rc;
    }
    (void)dk_log_last(asking.past.log, &last, NULL);
    dk_watch_open(&asking.watch, "judge", last);
    rc = judge(&asking, json, err);
    dk_watch_close(&asking.watch);
    dk_promises_close(&asking.promises);
    dk_past_close(&asking.past);
    return rc == DK_EINVAL && err->field[0] != '\0' ? DK_EXIT_USAGE : rc;
}

/* ---------------------------------------------------------------- printing */

static long long number_of(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "-";
}

static void add_side(struct dk_text_table *table, const json_t *side)
{
    const json_t *attainment = json_object_get(side, "attainment");
    dk_text_table_addf(table, "%lld", number_of(side, "met"));
    dk_text_table_addf(table, "%lld", number_of(side, "breached"));
    if (json_is_number(attainment)) {
        dk_text_table_addf(table, "%.2f", json_number_value(attainment));
    } else {
        dk_text_table_add(table, "-");
    }
}

static void print_lines(const struct dk_cli *cli, const json_t *report)
{
    static const char *const sums[] = {">met",       ">breached",     ">%",
                                       ">then met",  ">breached",     ">%",
                                       ">newly met", ">newly broken", ">differ"};
    const char *heading[COLUMNS_MAX] = {"metric"};
    const json_t *by = json_object_get(report, "by"), *line, *dim;
    size_t columns = 1, i, k;
    json_array_foreach(by, k, dim)
    {
        heading[columns++] = json_string_value(dim);
    }
    for (i = 0; i < sizeof sums / sizeof sums[0]; i++) {
        heading[columns++] = sums[i];
    }
    struct dk_text_table *table = dk_text_table_new(heading, columns);
    json_array_foreach(json_object_get(report, "lines"), i, line)
    {
        dk_text_table_add(table, text_of(line, "metric"));
        json_array_foreach(by, k, dim)
        {
            dk_text_table_add(table, text_of(json_object_get(line, "by"), json_string_value(dim)));
        }
        add_side(table, json_object_get(line, "before"));
        add_side(table, json_object_get(line, "after"));
        dk_text_table_addf(table, "%lld", number_of(line, "newly_met"));
        dk_text_table_addf(table, "%lld", number_of(line, "newly_breached"));
        dk_text_table_addf(table, "%lld", number_of(line, "differ"));
    }
    dk_text_table_print(table, dk_text_line_max(), cli->out);
    dk_text_table_free(&table);
}

static void print_credits(const struct dk_cli *cli, const json_t *credits)
{
    static const char *const heading[] = {"month",   "contract", "owed",       "currency",
                                          ">before", ">after",   ">difference"};
    struct dk_text_table *table = dk_text_table_new(heading, 7);
    const json_t *credit;
    size_t i;
    json_array_foreach(credits, i, credit)
    {
        bool to_us = json_object_get(credit, "supplier") != NULL;
        dk_text_table_add(table, text_of(credit, "month"));
        dk_text_table_add(table, text_of(credit, "contract"));
        dk_text_table_addf(table, "%s %s", to_us ? "to us by" : "by us to",
                           text_of(credit, to_us ? "supplier" : "company"));
        dk_text_table_add(table, text_of(credit, "currency"));
        dk_text_table_addf(table, "%lld", number_of(credit, "before_minor"));
        dk_text_table_addf(table, "%lld", number_of(credit, "after_minor"));
        dk_text_table_addf(table, "%+lld", number_of(credit, "difference_minor"));
    }
    (void)fprintf(cli->out, "\ncredits, in minor units\n");
    dk_text_table_print(table, dk_text_line_max(), cli->out);
    dk_text_table_free(&table);
}

static void add_due(const struct dk_cli *cli, struct dk_text_table *table, const json_t *clock)
{
    const char *due = json_string_value(json_object_get(clock, "due"));
    char text[DK_TIME_TEXT_BYTES];
    int64_t us = 0;
    bool told = due != NULL && dk_time_parse(due, &us, NULL, NULL) == 0;
    dk_text_table_add(table, json_is_null(clock) ? "none" : text_of(clock, "outcome"));
    dk_text_table_add(table, told ? dk_moment_show(cli->zone, us, text) : "-");
}

static void print_newly(const struct dk_cli *cli, const json_t *report)
{
    static const char *const heading[] = {"ticket", "metric", ">instance", "was",
                                          "due",    "then",   "due"};
    struct dk_text_table *table = dk_text_table_new(heading, 7);
    const json_t *turned;
    size_t i;
    json_array_foreach(json_object_get(report, "newly"), i, turned)
    {
        const json_t *before = json_object_get(turned, "before");
        const json_t *after = json_object_get(turned, "after");
        dk_text_table_add(table, text_of(turned, "ticket"));
        dk_text_table_add(table, text_of(turned, "metric"));
        dk_text_table_addf(table, "%lld",
                           number_of(json_is_null(after) ? before : after, "instance"));
        add_due(cli, table, before);
        add_due(cli, table, after);
    }
    (void)fprintf(cli->out, "\nturned\n");
    dk_text_table_print(table, dk_text_line_max(), cli->out);
    dk_text_table_free(&table);
    if (number_of(report, "newly_left_out") > 0) {
        (void)fprintf(cli->out, "and %lld more: --limit\n", number_of(report, "newly_left_out"));
    }
}

int dk_whatif_print(const struct dk_cli *cli, const struct dk_buf *json, struct dk_err *err)
{
    json_t *report = json_loadb((const char *)json->data, json->size, 0, NULL);
    if (report == NULL) {
        return dk_err_set(err, DK_EINVAL, "the answer is no JSON");
    }
    const json_t *tickets = json_object_get(report, "tickets");
    print_lines(cli, report);
    if (json_array_size(json_object_get(report, "credits")) > 0) {
        print_credits(cli, json_object_get(report, "credits"));
    }
    if (json_array_size(json_object_get(report, "newly")) > 0) {
        print_newly(cli, report);
    }
    (void)fprintf(cli->out,
                  "\n%lld tickets judged, of %lld something differs: %lld newly met, %lld newly "
                  "breached\nposition %lld, what-if definitions %lld, clocks %lld, promises %s\n",
                  number_of(tickets, "judged"), number_of(tickets, "differ"),
                  number_of(tickets, "newly_met"), number_of(tickets, "newly_breached"),
                  number_of(report, "position"), number_of(report, "definition_version"),
                  number_of(report, "fold_version"), text_of(report, "definitions"));
    json_decref(report);
    return 0;
}
