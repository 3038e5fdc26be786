#include "nodes/analytics/kpi.h"
#include "nodes/runtime/queries.h"
#include "proto/base/limits.h"
#include "proto/base/time.h"
#include "replay/cli/as_of.h"
#include "replay/cli/query.h"
#include "replay/cli/read.h"
#include "replay/cli/whatif.h"
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MAX  48
#define ARGUMENT_BYTES 512

/* What live and replayed reports share; nodes/analytics/kpi.h says what each means. */
#define KPI_PARAMETERS                                                                             \
    {"FILTER", NULL, "DIMENSION=VALUE, as priority=high or group=desk", NULL, DK_MANY, 0},         \
        {"--measures", "WORD,...", "opened, solved, first-reply, resolution, ...", NULL, 0, 0},    \
        {"--by", "DIMENSION,...", "a line for each priority, group, agent, day, ...", NULL, 0, 0}, \
        {"--from", "TIME", "ending events from here on", NULL, 0, 0},                              \
        {"--to", "TIME", "and before this", NULL, 0, 0},                                           \
        {"--backlog", NULL, "the backlogs at --at instead", NULL, 0, 0},                           \
        {"--at", "TIME", "the backlogs' instant", NULL, 0, 0},                                     \
        {"--time", "WHICH", "durations of wall or business time", NULL, 0, 0},                     \
        {"--calendar", "CALENDAR", "business time by this one, for all tickets", NULL, 0, 0},      \
        {"--values", "WHICH", "as-was or as-now", NULL, 0, 0},                                     \
        {"--quantile", "RULE", "type7 or nearest", NULL, 0, 0},                                    \
    {                                                                                              \
        "--unit", "UNIT", "of durations: us, s, m, h, d", NULL, 0, 0                               \
    }

const struct dk_parameter dk_kpi_parameters[] = {
    KPI_PARAMETERS,
    DK_PARAMETERS_END,
};

const struct dk_parameter dk_replay_kpi_parameters[] = {
    KPI_PARAMETERS,
    {"--position", "POSITION", "as of this position of the log; its end when left out", NULL, 0, 0},
    DK_WHATIF_PARAMETERS,
    DK_PARAMETERS_END,
};

const struct dk_parameter dk_replay_backlog_parameters[] = {
    {"FILTER", NULL, "DIMENSION=VALUE, as priority=high or group=desk", NULL, DK_MANY, 0},
    DK_AS_OF_PARAMETERS,
    {"--by", "DIMENSION,...", "a line for each priority, group, agent, ...", NULL, 0, 0},
    {"--unit", "UNIT", "of ages: us, s, m, h, d", NULL, 0, 0},
    DK_PARAMETERS_END,
};

const char dk_kpi_more[] = "Measures\n"
#define X(NAME, word, shape, about) "  " word ": " about "\n"
    DK_MEASURES(X)
#undef X
        "\nDimensions\n "
#define X(NAME, word) " " word
    DK_DIMS(X)
#undef X
        "\n\nA duration belongs to the values at its ending event, a count to those after it.\n"
        "Business time is by the calendar of the ticket's promise, or by --calendar for all; "
        "where\n"
        "none is known the duration is counted as unknown. What is logged is what it is.\n";

/* The query's arguments, "key=value". */
struct question {
    const char *name;
    size_t count;
    const char *argument[ARGUMENTS_MAX];
    char text[ARGUMENTS_MAX][ARGUMENT_BYTES];
};

static int add(struct question *question, const char *key, const char *value, struct dk_err *err)
{
    if (question->count == ARGUMENTS_MAX) {
        return dk_cli_usage(err, "more than %d arguments", ARGUMENTS_MAX);
    }
    char *text = question->text[question->count];
    const char *equals = key[0] != '\0' ? "=" : "";
    if (snprintf(text, ARGUMENT_BYTES, "%s%s%s", key, equals, value) >= ARGUMENT_BYTES) {
        return dk_cli_usage(err, "\"%s\" is too long", value);
    }
    question->argument[question->count++] = text;
    return 0;
}

/* Times go as ISO 8601, so that -7d is the same for live and replay. */
static int add_time(struct question *question, const struct dk_cli *cli, const char *option,
                    struct dk_err *err)
{
    char text[DK_TIME_TEXT_BYTES];
    int64_t us = 0;
    int rc = dk_cli_moment(cli, option, &us, err);
    return rc != 0 || dk_cli_given(cli, option) == NULL
               ? rc
               : add(question, option + 2, dk_time_format(us, 0, text), err);
}

/* An instant in a report's heading that its counts are not of would be believed. */
static int check_instant(const struct dk_cli *cli, struct dk_err *err)
{
    const char *measures = dk_cli_given(cli, "--measures");
    if (dk_cli_given(cli, "--at") == NULL ||
        (measures != NULL && strstr(measures, "backlog") != NULL)) {
        return 0;
    }
    return dk_cli_usage(err, "--at is the instant of backlogs: --to ends the range of all else");
}

static int make_question(struct question *question, const struct dk_cli *cli, bool backlog,
                         struct dk_err *err)
{
    static const char *const words[] = {"--measures", "--by",       "--time", "--calendar",
                                        "--values",   "--quantile", "--unit"};
    static const char *const times[] = {"--from", "--to", "--at"};
    const char *filter;
    int rc = backlog ? 0 : check_instant(cli, err);
    rc = rc != 0 ? rc : add(question, "zone", dk_zone_name(cli->zone), err);
    question->name = backlog ? "backlog" : "kpi";
    for (size_t i = 0; rc == 0 && i < sizeof words / sizeof words[0]; i++) {
        const char *value = dk_cli_given(cli, words[i]);
        rc = value != NULL ? add(question, words[i] + 2, value, err) : 0;
    }
    for (size_t i = 0; rc == 0 && i < sizeof times / sizeof times[0]; i++) {
        rc = add_time(question, cli, times[i], err);
    }
    for (size_t cursor = 0;
         rc == 0 && (filter = dk_argument_next(&cli->arguments, "FILTER", &cursor)) != NULL;) {
        rc = add(question, "", filter, err);
    }
    return rc;
}

static int print_table(const struct dk_cli *cli, const struct dk_buf *json, struct dk_err *err)
{
    struct dk_buf text;
    dk_buf_init(&text, DK_QUERY_JSON_BYTES);
    int rc = dk_kpi_table(&text, (const char *)json->data, json->size, err);
    if (rc == 0) {
        (void)fwrite(text.data, 1, text.size, cli->out);
    }
    dk_buf_close(&text);
    return rc;
}

static int run(struct dk_cli *cli, bool backlog,
               int (*answer)(struct dk_cli *cli, const struct question *question,
                             struct dk_buf *json, struct dk_err *err),
               struct dk_err *err)
{
    struct question *question = calloc(1, sizeof *question);
    struct dk_buf json;
    DK_ASSERT(question != NULL);
    dk_buf_init(&json, DK_QUERY_JSON_BYTES);
    int rc = make_question(question, cli, backlog, err);
    rc = rc != 0 ? rc : answer(cli, question, &json, err);
    if (rc == 0 && cli->json) {
        (void)fprintf(cli->out, "%.*s\n", (int)json.size, (const char *)json.data);
    } else if (rc == 0) {
        rc = dk_whatif_asked(cli) ? dk_whatif_print(cli, &json, err) : print_table(cli, &json, err);
    }
    dk_buf_close(&json);
    free(question);
    return rc;
}

static int ask_node(struct dk_cli *cli, const struct question *question, struct dk_buf *json,
                    struct dk_err *err)
{
    return dk_query(cli, dk_analytics_role.name, question->name, question->argument,
                    question->count, json, NULL, err);
}

int dk_kpi_verb(struct dk_cli *cli, struct dk_err *err)
{
    return run(cli, dk_cli_given(cli, "--backlog") != NULL, ask_node, err);
}

static int ask_log(struct dk_cli *cli, const struct question *question, struct dk_buf *json,
                   struct dk_err *err)
{
    if (dk_whatif_asked(cli)) {
        return dk_whatif_answer(cli, question->argument, question->count, json, err);
    }
    return dk_query_log(cli, &dk_analytics_role, question->name, question->argument,
                        question->count, json, err);
}

int dk_replay_kpi_run(struct dk_cli *cli, struct dk_err *err)
{
    int rc = dk_whatif_check(cli, err);
    return rc != 0 ? rc : run(cli, dk_cli_given(cli, "--backlog") != NULL, ask_log, err);
}

int dk_replay_backlog_run(struct dk_cli *cli, struct dk_err *err)
{
    return run(cli, true, ask_log, err);
}
