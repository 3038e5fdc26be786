#include "replay/cli/notify.h"
#include "nodes/runtime/queries.h"
#include "proto/base/limits.h"
#include "proto/base/time.h"
#include "proto/event/body.h"
#include "replay/cli/desk.h"
#include "replay/cli/query.h"
#include "replay/history/moment.h"
#include "replay/history/table.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENT_BYTES 48
#define PAGE           200 /* of a list, so that it fits an answer */
#define LIMIT_DEFAULT  50
#define EVENTS_MAX     200 /* in a request */
#define REASON_BYTES   1000
#define EVENT_BYTES    ((size_t)4096) /* room for each, and its reason */

const struct dk_parameter dk_notify_list_parameters[] = {
    {"--dead", NULL, "what was given up, instead of what waits", NULL, 0, 0},
    {"--after", "POSITION", "from the one behind this position on", NULL, 0, 0},
    {"--limit", "NUMBER", "how many; 50", NULL, 0, 'n'},
    DK_PARAMETERS_END,
};
const struct dk_parameter dk_notify_retry_parameters[] = {
    {"NOTICE", NULL, "notices that were given up, by number", NULL, DK_MANY, 0},
    {"--all", NULL, "all that were given up so far", NULL, 0, 0},
    DK_PARAMETERS_END,
};
const struct dk_parameter dk_notify_drop_parameters[] = {
    {"NOTICE", NULL, "notices that wait or were given up, by number", NULL, DK_NEEDED | DK_MANY, 0},
    {"--reason", "TEXT", "why", NULL, DK_NEEDED, 0},
    DK_PARAMETERS_END,
};

/* ---------------------------------------------------------------- asking the node */

static int ask(struct dk_cli *cli, const char *name, const char *const *argument, size_t count,
               json_t **made, struct dk_err *err)
{
    struct dk_buf buf;
    dk_buf_init(&buf, DK_QUERY_JSON_BYTES);
    int rc = dk_query(cli, "notification", name, argument, count, &buf, NULL, err);
    *made = rc == 0 ? json_loadb((const char *)buf.data, buf.size, JSON_DECODE_ANY, NULL) : NULL;
    dk_buf_close(&buf);
    return rc == 0 && *made == NULL ? dk_err_set(err, DK_EINVAL, "the node's answer is no JSON")
                                    : rc;
}

static uint64_t number_of(const json_t *row, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(row, name));
}

static const char *text_of(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));
    return text != NULL ? text : "";
}

/* Appends up to `limit` rows of a list behind a position. */
static int read_list(struct dk_cli *cli, bool dead, uint64_t after, uint64_t limit, json_t *rows,
                     struct dk_err *err)
{
    size_t got = PAGE;
    int rc = 0;
    while (rc == 0 && got == PAGE && json_array_size(rows) < limit) {
        char from[ARGUMENT_BYTES], most[ARGUMENT_BYTES];
        const char *argument[] = {from, most};
        json_t *page = NULL;
        uint64_t left = limit - json_array_size(rows);
        (void)snprintf(from, sizeof from, "after=%" PRIu64, after);
        (void)snprintf(most, sizeof most, "limit=%" PRIu64, left < PAGE ? left : PAGE);
        rc = ask(cli, dead ? "dead" : "outbox", argument, 2, &page, err);
        got = json_array_size(page);
        (void)json_array_extend(rows, page);
        json_decref(page);
        after = number_of(json_array_get(rows, json_array_size(rows) - 1), "position");
    }
    return rc;
}

/* Appends the row of one notice, wherever it stands. */
static int read_notice(struct dk_cli *cli, const char *number, json_t *rows, struct dk_err *err)
{
    char id[ARGUMENT_BYTES];
    const char *argument[] = {id};
    json_t *row = NULL;
    (void)snprintf(id, sizeof id, "id=%s", number);
    int rc = ask(cli, "notice", argument, 1, &row, err);
    return rc != 0 ? rc : json_array_append_new(rows, row);
}

/* ---------------------------------------------------------------- list */

/* An instant of the answer, in the zone; "" for none. */
static const char *when(const struct dk_cli *cli, const json_t *row, const char *name,
                        char text[DK_TIME_TEXT_BYTES])
{
    int64_t us;
    const char *at = json_string_value(json_object_get(row, name));
    return at != NULL && dk_time_parse(at, &us, NULL, NULL) == 0
               ? dk_moment_show(cli->zone, us, text)
               : "";
}

static void print_table(const struct dk_cli *cli, bool dead, const json_t *rows)
{
    const char *const heading[] = {
        "=notice", "=ticket", "rule", "via", ">attempts", dead ? "=failed" : "=next", "error"};
    struct dk_text_table *table = dk_text_table_new(heading, sizeof heading / sizeof heading[0]);
    char text[DK_TIME_TEXT_BYTES];
    const json_t *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        const char *next = when(cli, row, dead ? "failed" : "next", text);
        dk_text_table_add(table, text_of(row, "notice"));
        dk_text_table_add(table, text_of(row, "ticket"));
        dk_text_table_add(table, text_of(row, "rule"));
        dk_text_table_add(table, text_of(row, "transport"));
        dk_text_table_addf(table, "%" PRIu64, number_of(row, "attempts"));
        dk_text_table_add(table, next[0] != '\0' ? next : when(cli, row, "digest_until", text));
        dk_text_table_add(table, text_of(row, "error"));
    }
    dk_text_table_print(table, dk_text_line_max(), cli->out);
    dk_text_table_free(&table);
}

int dk_notify_list_run(struct dk_cli *cli, struct dk_err *err)
{
    bool dead = dk_cli_given(cli, "--dead") != NULL;
    uint64_t after = 0, limit = LIMIT_DEFAULT;
    json_t *rows = json_array(), *row;
    size_t i;
    int rc = dk_cli_number(cli, "--after", UINT64_MAX, &after, err);
    rc = rc != 0 ? rc : dk_cli_number(cli, "--limit", SIZE_MAX, &limit, err);
    rc = rc != 0 ? rc : read_list(cli, dead, after, limit, rows, err);
    if (rc == 0 && cli->json) {
        json_array_foreach(rows, i, row)
        {
            dk_cli_print_json(cli, json_incref(row));
        }
    } else if (rc == 0) {
        print_table(cli, dead, rows);
    }
    json_decref(rows);
    return rc;
}

/* ---------------------------------------------------------------- acting on notices */

static int encode(const struct dk_cli *cli, uint32_t kind, const json_t *row, uint64_t actor,
                  struct dk_buf *out, struct dk_err *err)
{
    Docket__NotificationRetried retried = DOCKET__NOTIFICATION_RETRIED__INIT;
    Docket__NotificationDropped dropped = DOCKET__NOTIFICATION_DROPPED__INIT;
    Docket__Text reason = DOCKET__TEXT__INIT;
    struct dk_envelope envelope = {.actor = actor};
    const char *why = dk_cli_given(cli, "--reason");
    int rc = dk_ticket_parse(text_of(row, "ticket"), &envelope.subject, err);
    retried.notice = dropped.notice = strtoull(text_of(row, "notice"), NULL, 16);
    reason.has_plain = 1;
    reason.plain = (ProtobufCBinaryData){why != NULL ? strlen(why) : 0, (uint8_t *)(uintptr_t)why};
    dropped.reason = &reason;
    return rc != 0 ? rc
                   : dk_event_encode(
                         out, &envelope, kind,
                         kind == DK_KIND_NOTIFICATION_RETRIED ? &retried.base : &dropped.base, err);
}

/* Appends an event for each of the rows from `first` on that fit a request; `*done` counts on. */
static int append_some(struct dk_cli *cli, uint32_t kind, const json_t *rows, uint64_t actor,
                       size_t *done, struct dk_err *err)
{
    struct dk_slice slice[EVENTS_MAX];
    size_t offset[EVENTS_MAX + 1] = {0}, count = 0;
    struct dk_append_result result = {0};
    struct dk_buf out;
    int rc = 0;
    dk_buf_init(&out, DK_REQUEST_MAX_BYTES);
    while (rc == 0 && count < EVENTS_MAX && *done + count < json_array_size(rows) &&
           out.size + EVENT_BYTES < DK_REQUEST_MAX_BYTES) {
        rc = encode(cli, kind, json_array_get(rows, *done + count), actor, &out, err);
        offset[++count] = out.size;
    }
    for (size_t i = 0; i < count; i++) {
        slice[i] = (struct dk_slice){out.data + offset[i], offset[i + 1] - offset[i]};
    }
    rc = rc != 0 ? rc
                 : dk_client_append_once(cli->desk->client, slice, NULL, count, count > 1,
                                         cli->desk->timeout_ms, &result, err);
    dk_buf_close(&out);
    *done += rc == 0 ? count : 0;
    return rc;
}

static int act(struct dk_cli *cli, uint32_t kind, const json_t *rows, const char *did,
               struct dk_err *err)
{
    const struct dk_desk *desk = cli->desk;
    uint64_t actor = desk->session.actor != 0
                         ? desk->session.actor
                         : dk_id_make(DK_ACTOR_OPERATOR, dk_key_id(desk->own.public_z85));
    size_t done = 0;
    int rc = 0;
    while (rc == 0 && done < json_array_size(rows)) {
        rc = append_some(cli, kind, rows, actor, &done, err);
    }
    if (cli->json) {
        dk_cli_print_json(cli, json_pack("{s:I}", did, (json_int_t)done));
    } else {
        (void)fprintf(cli->out, "%zu %s %s\n", done, done == 1 ? "notice" : "notices", did);
    }
    return rc;
}

static int read_named(struct dk_cli *cli, json_t *rows, struct dk_err *err)
{
    const char *number;
    int rc = 0;
    for (size_t cursor = 0;
         rc == 0 && (number = dk_argument_next(&cli->arguments, "NOTICE", &cursor)) != NULL;) {
        rc = read_notice(cli, number, rows, err);
    }
    return rc;
}

int dk_notify_retry_run(struct dk_cli *cli, struct dk_err *err)
{
    bool all = dk_cli_given(cli, "--all") != NULL;
    json_t *rows = json_array(), *row;
    size_t i;
    if (all == (dk_cli_given(cli, "NOTICE") != NULL)) {
        json_decref(rows);
        return dk_cli_usage(err, "say which: NOTICE..., or --all");
    }
    int rc = dk_desk_hello(cli, err);
    rc = rc != 0 ? rc
         : all   ? read_list(cli, true, 0, SIZE_MAX, rows, err)
                 : read_named(cli, rows, err);
    json_array_foreach(rows, i, row)
    {
        if (rc == 0 && strcmp(text_of(row, "state"), "dead") != 0) {
            rc = dk_err_set(err, DK_EILLEGAL, "notice %s was not given up: it waits still",
                            text_of(row, "notice"));
        }
    }
    rc = rc != 0 ? rc : act(cli, DK_KIND_NOTIFICATION_RETRIED, rows, "retried", err);
    json_decref(rows);
    return rc;
}

int dk_notify_drop_run(struct dk_cli *cli, struct dk_err *err)
{
    if (strlen(dk_cli_given(cli, "--reason")) > REASON_BYTES) {
        return dk_cli_usage(err, "a reason has at most %d bytes", REASON_BYTES);
    }
    json_t *rows = json_array();
    int rc = dk_desk_hello(cli, err);
    rc = rc != 0 ? rc : read_named(cli, rows, err);
    rc = rc != 0 ? rc : act(cli, DK_KIND_NOTIFICATION_DROPPED, rows, "dropped", err);
    json_decref(rows);
    return rc;
}
