#include "proto/base/time.h"
#include "replay/cli/sla.h"
#include "replay/history/moment.h"
#include "replay/history/table.h"
#include <string.h>

#define POSITION_BYTES 24

#define PAUSES_PARAMETERS                                                                          \
    {"--from", "TIME", "pauses that began from here on", NULL, 0, 0},                              \
        {"--to", "TIME", "and before this", NULL, 0, 0},                                           \
    {                                                                                              \
        "--group", "GROUP", "of tickets that this group had then", NULL, 0, 0                      \
    }

const struct dk_parameter dk_pauses_parameters[] = {PAUSES_PARAMETERS, DK_PARAMETERS_END};

const struct dk_parameter dk_replay_pauses_parameters[] = {
    PAUSES_PARAMETERS,
    {"--position", "POSITION", "as of this position of the log; its end when left out", NULL, 0, 0},
    DK_PARAMETERS_END,
};

const char dk_pauses_more[] =
    "Tickets that were set to wait for their customer although the customer had written last, or\n"
    "had been asked nothing since. A pause is judged by what had happened before it, whenever "
    "that\n"
    "was recorded, and lasts until the ticket's next status. Of imported replies it is often not\n"
    "told whether they asked: such pauses are counted, not listed.\n";

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "-";
}

/* An instant of an answer as people read it; "still" for none. */
static void add_instant(struct dk_text_table *table, const struct dk_cli *cli,
                        const json_t *instant)
{
    char text[DK_TIME_TEXT_BYTES];
    int64_t us = 0;
    if (!json_is_string(instant) ||
        dk_time_parse(json_string_value(instant), &us, NULL, NULL) != 0) {
        dk_text_table_add(table, "still");
        return;
    }
    dk_text_table_add(table, dk_moment_show(cli->zone, us, text));
}

static const char *position_of(const json_t *pause, const char *key, char text[POSITION_BYTES])
{
    const json_t *position = json_object_get(pause, key);
    (void)snprintf(text, POSITION_BYTES, "%lld", (long long)json_integer_value(position));
    return json_is_integer(position) ? text : "-";
}

static void add_pause(struct dk_text_table *table, const struct dk_cli *cli, const json_t *pause)
{
    char span[DK_SLA_SPAN_BYTES], position[POSITION_BYTES];
    dk_text_table_add(table, text_of(pause, "ticket"));
    dk_text_table_add(table, text_of(pause, "by"));
    dk_text_table_add(table, text_of(pause, "group"));
    add_instant(table, cli, json_object_get(pause, "from"));
    add_instant(table, cli, json_object_get(pause, "to"));
    dk_text_table_add(table,
                      dk_sla_span(json_integer_value(json_object_get(pause, "wall_us")), span));
    dk_text_table_add(table, strcmp(text_of(pause, "why"), "wrote-last") == 0
                                 ? "the customer wrote last"
                                 : "nothing was asked");
    dk_text_table_add(table, position_of(pause, "paused_by", position));
    dk_text_table_add(table, position_of(pause, "message", position));
    dk_text_table_add(table, position_of(pause, "ended_by", position));
}

static void print_text(const struct dk_cli *cli, const json_t *report)
{
    static const char *const heading[] = {"ticket",   "paused by", "group", "from",
                                          "to",       ">lasted",   "why",   ">paused at",
                                          ">message", ">ended at"};
    struct dk_text_table *table = dk_text_table_new(heading, sizeof heading / sizeof heading[0]);
    const json_t *list = json_object_get(report, "pauses"), *pause;
    char span[DK_SLA_SPAN_BYTES];
    size_t i;
    json_array_foreach(list, i, pause)
    {
        add_pause(table, cli, pause);
    }
    dk_text_table_print(table, 0, cli->out);
    dk_text_table_free(&table);
    (void)fprintf(cli->out, "%zu pauses, %s in all; of %lld it is not known; position %lld\n",
                  json_array_size(list),
                  dk_sla_span(json_integer_value(json_object_get(report, "wall_us")), span),
                  (long long)json_integer_value(json_object_get(report, "unknown")),
                  (long long)json_integer_value(json_object_get(report, "position")));
}

int dk_pauses_run(struct dk_cli *cli, struct dk_err *err)
{
    return dk_sla_report(cli, &(struct dk_sla_report){"pauses", true, true, print_text}, err);
}

int dk_replay_pauses_run(struct dk_cli *cli, struct dk_err *err)
{
    return dk_sla_report(cli, &(struct dk_sla_report){"pauses", false, true, print_text}, err);
}
