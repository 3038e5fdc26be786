#include "replay/cli/staff.h"
#include "nodes/analytics/analytics.h"
#include "nodes/runtime/queries.h"
#include "proto/base/time.h"
#include "replay/cli/query.h"
#include "replay/cli/verb.h"
#include "replay/history/table.h"
#include <string.h>

#define ARGUMENTS_MAX  12
#define ARGUMENT_BYTES 128
#define COLUMNS_MAX    16
#define HEADING_BYTES  32

#define POSITION                                                                                   \
    {                                                                                              \
        "--position", "POSITION", "as of this position of the log; its end when left out", NULL,   \
            0, 0                                                                                   \
    }
#define PERIOD                                                                                     \
    {"--by", "WHICH", "a line for each agent, or group", NULL, 0, 0},                              \
        {"--from", "TIME", "from here on; 28 days before --to when left out", NULL, 0, 0},         \
    {                                                                                              \
        "--to", "TIME", "and before this; the log's last event when left out", NULL, 0, 0          \
    }
#define COVERAGE                                                                                   \
    {"--at", "TIME", "by the roster and catalogue of then", NULL, 0, 0},                           \
    {                                                                                              \
        "--at-least", "N", "how many agents are enough; 2", NULL, 0, 0                             \
    }
#define INDEX                                                                                      \
    PERIOD, {"--days", "N", "before --to: whose agent work weighs a type; 90", NULL, 0, 0},        \
        {"--a", "WEIGHT", "of reopened tickets; 0.5", NULL, 0, 0},                                 \
        {"--b", "WEIGHT", "of the SLA promises broken; 0.5", NULL, 0, 0},                          \
    {                                                                                              \
        "--c", "WEIGHT", "of CSAT above the mean; 0.25", NULL, 0, 0                                \
    }

const struct dk_parameter dk_load_parameters[] = {PERIOD, DK_PARAMETERS_END};
const struct dk_parameter dk_replay_load_parameters[] = {PERIOD, POSITION, DK_PARAMETERS_END};
const struct dk_parameter dk_coverage_parameters[] = {COVERAGE, DK_PARAMETERS_END};
const struct dk_parameter dk_replay_coverage_parameters[] = {COVERAGE, POSITION, DK_PARAMETERS_END};
const struct dk_parameter dk_index_parameters[] = {INDEX, DK_PARAMETERS_END};
const struct dk_parameter dk_replay_index_parameters[] = {INDEX, POSITION, DK_PARAMETERS_END};

const char dk_load_more[] =
    "on_shift_s   seconds of the agent's shifts, on-call ones left out, whatever presence says\n"
    "busy_s       of them, with at least one ticket in new or open as its owner\n"
    "utilization  busy of on shift, percent\n"
    "logged_s     working time logged on the owner's tickets\n"
    "load         tickets in hand, mean over the time on shift\n"
    "imbalance    the greatest load of a group's agents of their mean\n";

const char dk_coverage_more[] =
    "Each product, line and shift for which fewer than --at-least agents are listed who are in\n"
    "the route's group, see the product and have the skills it requires. On-call shifts, and\n"
    "shifts whose dates do not hold, are left out; products without a route are counted.\n";

const char dk_index_more[] =
    "index = sum over ticket types of weight x count x quality, per scheduled hour\n"
    "  weight   median agent work, in hours, of the type's tickets that ended in the --days\n"
    "           before --to; tickets of a type without one are counted as unweighted\n"
    "  count    tickets that ended in the period, of who had them then\n"
    "  quality  1 - a x share reopened - b x broken SLA promises a ticket\n"
    "             + c x (share of ratings of 4 and 5, less that of all)\n"
    "worth_h is the sum; scheduled_s are the seconds on shift.\n";

/* ---------------------------------------------------------------- asking */

struct asked {
    const char *argument[ARGUMENTS_MAX];
    char text[ARGUMENTS_MAX][ARGUMENT_BYTES];
    size_t count;
};

static int add(struct asked *asked, const char *key, const char *value, struct dk_err *err)
{
    char *text = asked->text[asked->count];
    DK_ASSERT(asked->count < ARGUMENTS_MAX);
    if (snprintf(text, ARGUMENT_BYTES, "%s=%s", key, value) >= ARGUMENT_BYTES) {
        return dk_cli_usage(err, "\"%s\" is too long", value);
    }
    asked->argument[asked->count++] = text;
    return 0;
}

/* The verb's own options; an instant goes as ISO 8601, so that -7d is the same for both. */
static int add_given(struct asked *asked, const struct dk_cli *cli, const char *option,
                     bool instant, struct dk_err *err)
{
    const char *value = dk_cli_given(cli, option);
    char text[DK_TIME_TEXT_BYTES];
    int64_t us = 0;
    if (value == NULL) {
        return 0;
    }
    int rc = instant ? dk_cli_moment(cli, option, &us, err) : 0;
    return rc != 0 ? rc
                   : add(asked, option + 2, instant ? dk_time_format(us, 0, text) : value, err);
}

static int gather(struct asked *asked, const struct dk_cli *cli, struct dk_err *err)
{
    int rc = add(asked, "zone", dk_zone_name(cli->zone), err);
    for (const struct dk_parameter *own = cli->verb->parameter; rc == 0 && own->name != NULL;
         own++) {
        bool instant = own->value != NULL && strcmp(own->value, "TIME") == 0;
        if (strcmp(own->name, "--position") != 0) {
            rc = add_given(asked, cli, own->name, instant, err);
        }
    }
    return rc;
}

/* ---------------------------------------------------------------- text */

static void add_cell(struct dk_text_table *table, const json_t *row, const char *column)
{
    const json_t *value = json_object_get(row, column);
    char name[HEADING_BYTES];
    (void)snprintf(name, sizeof name, "%s_name", column);
    const json_t *named = json_object_get(row, name);
    if (json_is_integer(value)) {
        dk_text_table_addf(table, "%lld", (long long)json_integer_value(value));
    } else if (json_is_real(value)) {
        dk_text_table_addf(table, "%.2f", json_real_value(value));
    } else {
        const char *text = json_string_value(named != NULL ? named : value);
        dk_text_table_add(table, text != NULL ? text : "-");
    }
}

static bool is_figure(const json_t *report, const char *column)
{
    const json_t *first = json_array_get(json_object_get(report, "rows"), 0);
    return !json_is_string(json_object_get(first, column));
}

static void print_table(const struct dk_cli *cli, const json_t *report)
{
    const json_t *columns = json_object_get(report, "columns"), *row;
    char text[COLUMNS_MAX][HEADING_BYTES];
    const char *heading[COLUMNS_MAX];
    size_t count = json_array_size(columns), i;
    count = count < COLUMNS_MAX ? count : COLUMNS_MAX;
    for (size_t c = 0; c < count; c++) {
        const char *column = json_string_value(json_array_get(columns, c));
        (void)snprintf(text[c], HEADING_BYTES, "%s%s", is_figure(report, column) ? ">" : "",
                       column);
        heading[c] = text[c];
    }
    struct dk_text_table *table = dk_text_table_new(heading, count);
    json_array_foreach(json_object_get(report, "rows"), i, row)
    {
        for (size_t c = 0; c < count; c++) {
            add_cell(table, row, json_string_value(json_array_get(columns, c)));
        }
    }
    dk_text_table_print(table, 0, cli->out);
    dk_text_table_free(&table);
}

/* What the figures rest on: whatever of the report is no list. */
static void print_statement(const struct dk_cli *cli, const json_t *report)
{
    const char *name, *between = "";
    const json_t *value;
    json_object_foreach((json_t *)report, name, value)
    {
        if (json_is_array(value)) {
            continue;
        }
        (void)fprintf(cli->out, "%s%s ", between, name);
        if (json_is_string(value)) {
            (void)fprintf(cli->out, "%s", json_string_value(value));
        } else if (json_is_real(value)) {
            (void)fprintf(cli->out, "%g", json_real_value(value));
        } else {
            (void)fprintf(cli->out, "%lld", (long long)json_integer_value(value));
        }
        between = ", ";
    }
    (void)fprintf(cli->out, "\n");
}

static int print(struct dk_cli *cli, const struct dk_buf *json, struct dk_err *err)
{
    if (cli->json) {
        (void)fprintf(cli->out, "%.*s\n", (int)json->size, (const char *)json->data);
        return 0;
    }
    json_t *report = json_loadb((const char *)json->data, json->size, 0, NULL);
    if (report == NULL) {
        return dk_err_set(err, DK_EINVAL, "the answer is no JSON");
    }
    print_statement(cli, report);
    print_table(cli, report);
    json_decref(report);
    return 0;
}

/* ---------------------------------------------------------------- the verbs */

static int run(struct dk_cli *cli, bool live, struct dk_err *err)
{
    const char *word = strrchr(cli->verb->name, ' ') + 1;
    struct asked asked = {.count = 0};
    struct dk_buf json;
    int rc = gather(&asked, cli, err);
    if (rc != 0) {
        return rc;
    }
    dk_buf_init(&json, DK_QUERY_JSON_BYTES);
    rc = live
             ? dk_query(cli, dk_analytics_role.name, word, asked.argument, asked.count, &json, NULL,
                        err)
             : dk_query_log(cli, &dk_analytics_role, word, asked.argument, asked.count, &json, err);
    rc = rc != 0 ? rc : print(cli, &json, err);
    dk_buf_close(&json);
    return rc;
}

int dk_staff_run(struct dk_cli *cli, struct dk_err *err)
{
    return run(cli, true, err);
}

int dk_replay_staff_run(struct dk_cli *cli, struct dk_err *err)
{
    return run(cli, false, err);
}
