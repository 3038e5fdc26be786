#include "replay/cli/sla.h"
#include "nodes/runtime/queries.h"
#include "nodes/sla/explain.h"
#include "proto/base/time.h"
#include "replay/cli/desk.h"
#include "replay/cli/query.h"
#include "replay/history/moment.h"
#include "replay/history/table.h"
#include <stdlib.h>

#define ARGUMENTS_MAX  4
#define ARGUMENT_BYTES 64

const struct dk_parameter dk_sla_explain_parameters[] = {
    {"TICKET", NULL, "SITE-NUMBER, or its reference elsewhere", NULL, DK_NEEDED, 0},
    {"METRIC", NULL, "first-reply, next-reply, resolution, ...; all when left out", NULL, 0, 0},
    {"--at", "TIME", "as it stood then", NULL, 0, 0},
    DK_PARAMETERS_END,
};

const struct dk_parameter dk_sla_due_parameters[] = {
    {"--limit", "NUMBER", "how many; 20", NULL, 0, 'n'},
    DK_PARAMETERS_END,
};

const struct dk_parameter dk_sla_overdue_parameters[] = {DK_PARAMETERS_END};

const char dk_sla_explain_more[] =
    "Of each clock: the target and what it rests on; when it ran and when it paused, and by which\n"
    "event; and what made it due when it is. Business time is the calendar's; paused time is no\n"
    "part of it. \"so far\" adds it up, and the sum is what counts against the target. A pause is\n"
    "illegitimate when the customer had written last, or was asked nothing. The last \"due\" "
    "holds:\n"
    "an earlier one is what was to be expected until then.\n";

/* The arguments of a question to the node, "key=value". */
struct question {
    size_t count;
    const char *argument[ARGUMENTS_MAX];
    char text[ARGUMENTS_MAX][ARGUMENT_BYTES];
};

static void ask(struct question *question, const char *key, const char *value)
{
    DK_ASSERT(question->count < ARGUMENTS_MAX);
    char *text = question->text[question->count];
    (void)snprintf(text, ARGUMENT_BYTES, "%s=%s", key, value);
    question->argument[question->count++] = text;
}

static int answer(struct dk_cli *cli, const char *name, const struct question *question,
                  json_t **json, struct dk_err *err)
{
    struct dk_buf buf;
    dk_buf_init(&buf, DK_QUERY_JSON_BYTES);
    int rc = dk_query(cli, "sla", name, question->argument, question->count, &buf, NULL, err);
    *json = rc == 0 ? json_loadb((const char *)buf.data, buf.size, JSON_DECODE_ANY, NULL) : NULL;
    dk_buf_close(&buf);
    return rc == 0 && *json == NULL ? dk_err_set(err, DK_EINVAL, "the node's answer is no JSON")
                                    : rc;
}

/* ---------------------------------------------------------------- explain */

static void print_explained(struct dk_cli *cli, json_t *explained)
{
    if (cli->json) {
        dk_cli_print_json(cli, explained);
        return;
    }
    dk_sla_explain_print(explained, cli->zone, cli->out);
    json_decref(explained);
}

static int metric_of(const struct dk_cli *cli, Docket__Metric *metric, struct dk_err *err)
{
    const char *word = dk_cli_given(cli, "METRIC");
    return word == NULL || dk_explain_metric(word, metric, err) == 0 ? 0 : DK_EXIT_USAGE;
}

int dk_sla_explain_run(struct dk_cli *cli, struct dk_err *err)
{
    struct question question = {0};
    char text[DK_TIME_TEXT_BYTES], name[DK_ID_TEXT_BYTES];
    uint64_t ticket = 0;
    Docket__Metric metric;
    json_t *json = NULL;
    int rc = metric_of(cli, &metric, err);
    rc = rc != 0 ? rc : dk_desk_hello(cli, err);
    int64_t at_us = rc == 0 ? cli->desk->session.now_us : 0;
    rc = rc != 0 ? rc : dk_cli_moment(cli, "--at", &at_us, err);
    rc = rc != 0 ? rc : dk_desk_ticket(cli, dk_cli_given(cli, "TICKET"), &ticket, err);
    if (rc != 0) {
        return rc;
    }
    ask(&question, "ticket", dk_id_format(ticket, name));
    ask(&question, "at", dk_time_format(at_us, 0, text));
    if (dk_cli_given(cli, "METRIC") != NULL) {
        ask(&question, "metric", dk_cli_given(cli, "METRIC"));
    }
    rc = answer(cli, "clocks", &question, &json, err);
    if (rc == 0) {
        print_explained(cli, json);
    }
    return rc;
}

/* The ticket's transitions, in their order. Owned by the caller. */
static struct dk_transition *transitions_of(const struct dk_life *life, size_t *count)
{
    struct dk_transition made[DK_TRANSITIONS_OF_EVENT], *list = NULL;
    size_t room = 0;
    *count = 0;
    for (size_t i = 0; i < life->count; i++) {
        size_t n = dk_transitions_of(&life->event[i].envelope, life->event[i].body, made);
        if (*count + n > room) {
            room = 2 * (*count + n);
            list = realloc(list, room * sizeof *list);
            DK_ASSERT(list != NULL);
        }
        for (size_t k = 0; k < n; k++) {
            dk_transitions_insert(list, (*count)++, &made[k]);
        }
    }
    return list;
}

int dk_sla_explain_past(struct dk_cli *cli, const struct dk_past_ticket *read, struct dk_err *err)
{
    struct dk_explained asked = {.ticket = read->ticket, .refs = read->refs};
    struct dk_clocks clocks;
    for (size_t i = 0; i < read->life.count; i++) {
        if (read->life.event[i].envelope.recorded_us > asked.at_us) {
            asked.at_us = read->life.event[i].envelope.recorded_us;
        }
    }
    int rc = metric_of(cli, &asked.metric, err);
    rc = rc != 0 ? rc : dk_cli_moment(cli, "--at", &asked.at_us, err);
    if (rc != 0) {
        return rc;
    }
    struct dk_transition *list = transitions_of(&read->life, &asked.count);
    asked.transition = list;
    dk_clocks_init(&clocks);
    print_explained(cli, dk_explain(&clocks, &asked));
    dk_clocks_close(&clocks);
    free(list);
    return 0;
}

/* ---------------------------------------------------------------- due, overdue */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "-";
}

/* How far off an instant is: "in 2h 05m", "1h 00m ago". */
static void add_distance(struct dk_text_table *table, int64_t us)
{
    char text[DK_TIME_TEXT_BYTES];
    bool past = us < 0;
    dk_text_table_addf(table, "%s%s%s", past ? "" : "in ",
                       dk_duration_format(past ? -us : us, text), past ? " ago" : "");
}

static void print_due(struct dk_cli *cli, const json_t *list)
{
    static const char *const heading[] = {"ticket", "metric", "due", ""};
    struct dk_text_table *table = dk_text_table_new(heading, 4);
    const json_t *due;
    size_t i;
    json_array_foreach(list, i, due)
    {
        char text[DK_TIME_TEXT_BYTES];
        int64_t us = 0;
        (void)dk_time_parse(text_of(due, "due"), &us, NULL, NULL);
        dk_text_table_add(table, text_of(due, "ticket"));
        dk_text_table_add(table, text_of(due, "metric"));
        dk_text_table_add(table, dk_moment_show(cli->zone, us, text));
        add_distance(table, us - cli->desk->session.now_us);
    }
    dk_text_table_print(table, dk_text_line_max(), cli->out);
    dk_text_table_free(&table);
}

static int list_due(struct dk_cli *cli, const char *name, const struct question *question,
                    struct dk_err *err)
{
    json_t *list = NULL;
    int rc = dk_desk_hello(cli, err); /* whose clock is the one that counts */
    rc = rc != 0 ? rc : answer(cli, name, question, &list, err);
    if (rc != 0) {
        return rc;
    }
    if (cli->json) {
        dk_cli_print_json(cli, list);
        return 0;
    }
    if (json_array_size(list) > 0) {
        print_due(cli, list);
    } else {
        (void)fprintf(cli->out, "none\n");
    }
    json_decref(list);
    return 0;
}

int dk_sla_due_run(struct dk_cli *cli, struct dk_err *err)
{
    struct question question = {0};
    uint64_t limit = 0;
    int rc = dk_cli_number(cli, "--limit", UINT32_MAX, &limit, err);
    if (rc == 0 && dk_cli_given(cli, "--limit") != NULL) {
        ask(&question, "n", dk_cli_given(cli, "--limit"));
    }
    return rc != 0 ? rc : list_due(cli, "due", &question, err);
}

int dk_sla_overdue_run(struct dk_cli *cli, struct dk_err *err)
{
    const struct question question = {0};
    return list_due(cli, "overdue", &question, err);
}
