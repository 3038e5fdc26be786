#include "nodes/runtime/queries.h"
#include "nodes/sla/sla.h"
#include "proto/base/time.h"
#include "replay/cli/query.h"
#include "replay/cli/sla.h"
#include "replay/history/moment.h"
#include "replay/history/table.h"
#include <inttypes.h>
#include <string.h>

#define ARGUMENTS_MAX  4
#define ARGUMENT_BYTES 192 /* a key, and its word */
#define AMOUNT_BYTES   48

#define CREDITS_PARAMETERS                                                                         \
    {"--from", "TIME", "clocks that ended from here on", NULL, 0, 0},                              \
    {                                                                                              \
        "--to", "TIME", "and before this", NULL, 0, 0                                              \
    }

const struct dk_parameter dk_credits_parameters[] = {CREDITS_PARAMETERS, DK_PARAMETERS_END};

const struct dk_parameter dk_replay_credits_parameters[] = {
    CREDITS_PARAMETERS,
    {"--position", "POSITION", "as of this position of the log; its end when left out", NULL, 0, 0},
    DK_PARAMETERS_END,
};

const char dk_credits_more[] =
    "A breached clock costs min(cap, rate of its priority x units of overrun begun), by the\n"
    "penalties of its contract, in the month of --zone in which it ended. \"by us\" is owed to a\n"
    "company, \"to us\" by a supplier. Clocks that are breached and still run are counted, and\n"
    "priced when they end; unpriced ones have no contract, or none of its penalties is theirs.\n";

/* ---------------------------------------------------------------- text */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "-";
}

/* How many digits of a currency's amounts are its minor unit (ISO 4217). */
static int minor_digits(const char *currency)
{
    static const char *const none[] = {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW",
                                       "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"};
    static const char *const three[] = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        if (strcmp(none[i], currency) == 0) {
            return 0;
        }
    }
    for (size_t i = 0; i < sizeof three / sizeof three[0]; i++) {
        if (strcmp(three[i], currency) == 0) {
            return 3;
        }
    }
    return 2;
}

/* "120.00": in the currency's major unit. */
static const char *amount(int64_t minor, const char *currency, char text[AMOUNT_BYTES])
{
    int digits = minor_digits(currency);
    int64_t one = digits == 0 ? 1 : digits == 2 ? 100 : 1000;
    if (digits == 0) {
        (void)snprintf(text, AMOUNT_BYTES, "%" PRId64, minor);
    } else {
        (void)snprintf(text, AMOUNT_BYTES, "%" PRId64 ".%0*" PRId64, minor / one, digits,
                       minor % one);
    }
    return text;
}

static void add_clock(struct dk_text_table *table, const json_t *line, const json_t *clock)
{
    char overrun[DK_SLA_SPAN_BYTES], text[AMOUNT_BYTES];
    int64_t minor = json_integer_value(json_object_get(clock, "credit_minor"));
    dk_text_table_add(table, "");
    dk_text_table_addf(table, "  %s", text_of(clock, "ticket"));
    dk_text_table_add(table, text_of(clock, "metric"));
    dk_text_table_add(table, text_of(clock, "priority"));
    dk_text_table_add(
        table, dk_sla_span(json_integer_value(json_object_get(clock, "overrun_us")), overrun));
    dk_text_table_addf(table, "%s%s", amount(minor, text_of(line, "currency"), text),
                       json_is_true(json_object_get(clock, "capped")) ? " (cap)" : "");
    dk_text_table_add(table, "");
}

static void add_line(struct dk_text_table *table, const json_t *line)
{
    bool to_us = strcmp(text_of(line, "owed"), "to-us") == 0;
    char text[AMOUNT_BYTES];
    const json_t *clock;
    size_t i;
    dk_text_table_add(table, text_of(line, "month"));
    dk_text_table_add(table, text_of(line, "contract"));
    dk_text_table_addf(table, "%s %s", to_us ? "to us by" : "by us to",
                       text_of(line, to_us ? "supplier" : "company"));
    dk_text_table_addf(table, "%lld",
                       (long long)json_integer_value(json_object_get(line, "breaches")));
    dk_text_table_add(table, "");
    dk_text_table_add(table, amount(json_integer_value(json_object_get(line, "credit_minor")),
                                    text_of(line, "currency"), text));
    dk_text_table_add(table, text_of(line, "currency"));
    json_array_foreach(json_object_get(line, "clocks"), i, clock)
    {
        add_clock(table, line, clock);
    }
}

static void print_text(const struct dk_cli *cli, const json_t *report)
{
    static const char *const heading[] = {
        "month", "contract, ticket", "owed, metric", "breaches", ">overrun", ">credit", "currency"};
    struct dk_text_table *table = dk_text_table_new(heading, sizeof heading / sizeof heading[0]);
    const json_t *line;
    size_t i;
    json_array_foreach(json_object_get(report, "lines"), i, line)
    {
        add_line(table, line);
    }
    dk_text_table_print(table, 0, cli->out);
    dk_text_table_free(&table);
    (void)fprintf(cli->out,
                  "%lld breached clocks still run, %lld have no price; position %lld, months of "
                  "%s\n",
                  (long long)json_integer_value(json_object_get(report, "running")),
                  (long long)json_integer_value(json_object_get(report, "unpriced")),
                  (long long)json_integer_value(json_object_get(report, "position")),
                  text_of(report, "zone"));
}

static int print(struct dk_cli *cli, const struct dk_sla_report *asked, const struct dk_buf *json,
                 struct dk_err *err)
{
    if (cli->json) {
        (void)fprintf(cli->out, "%.*s\n", (int)json->size, (const char *)json->data);
        return 0;
    }
    json_t *report = json_loadb((const char *)json->data, json->size, 0, NULL);
    if (report == NULL) {
        return dk_err_set(err, DK_EINVAL, "the answer is no JSON");
    }
    asked->print(cli, report);
    json_decref(report);
    return 0;
}

/* ---------------------------------------------------------------- asking */

int dk_sla_report(struct dk_cli *cli, const struct dk_sla_report *report, struct dk_err *err)
{
    static const char *const times[] = {"--from", "--to"};
    char text[ARGUMENTS_MAX][ARGUMENT_BYTES], moment[DK_TIME_TEXT_BYTES];
    const char *argument[ARGUMENTS_MAX] = {text[0], text[1], text[2], text[3]};
    const char *group = report->by_group ? dk_cli_given(cli, "--group") : NULL;
    size_t count = 0;
    struct dk_buf json;
    int rc = 0;
    (void)snprintf(text[count++], ARGUMENT_BYTES, "zone=%s", dk_zone_name(cli->zone));
    for (size_t i = 0; rc == 0 && i < sizeof times / sizeof times[0]; i++) {
        int64_t us = 0;
        rc = dk_cli_moment(cli, times[i], &us, err);
        if (rc == 0 && dk_cli_given(cli, times[i]) != NULL) {
            (void)snprintf(text[count++], ARGUMENT_BYTES, "%s=%s", times[i] + 2,
                           dk_time_format(us, 0, moment));
        }
    }
    if (rc != 0) {
        return rc;
    }
    if (group != NULL) {
        (void)snprintf(text[count++], ARGUMENT_BYTES, "group=%s", group);
    }
    dk_buf_init(&json, DK_QUERY_JSON_BYTES);
    rc = report->live
             ? dk_query(cli, dk_sla_role.name, report->name, argument, count, &json, NULL, err)
             : dk_query_log(cli, &dk_sla_role, report->name, argument, count, &json, err);
    rc = rc != 0 ? rc : print(cli, report, &json, err);
    dk_buf_close(&json);
    return rc;
}

int dk_credits_run(struct dk_cli *cli, struct dk_err *err)
{
    return dk_sla_report(cli, &(struct dk_sla_report){"credits", true, false, print_text}, err);
}

int dk_replay_credits_run(struct dk_cli *cli, struct dk_err *err)
{
    return dk_sla_report(cli, &(struct dk_sla_report){"credits", false, false, print_text}, err);
}
