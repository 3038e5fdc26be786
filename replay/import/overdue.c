#include "replay/import/overdue.h"

#include "proto/base/time.h"
#include "proto/peer/question.h"
#include "replay/history/table.h"
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <zmq.h>

#define ROLE    "sla"
#define CALL_MS 10000
#define POLL_MS 100
#define LIVE_US (3 * DK_SECOND_US) /* a node that was silent for longer is not live */
#define STANDSTILL_US                                                                              \
    (10 *                                                                                          \
     DK_SECOND_US) /* a node that folds nothing for so long is not awaited                    \
                         */
#define ANSWER_MAX_BYTES (64 << 20)

/* ------------------------------------------------------------------------------ waiting for sla */

/* Whether an sla node is live, and how far it has folded. */
static int ask_position(struct dk_client *client, bool *live, uint64_t *position,
                        struct dk_err *err)
{
    const Docket__StatsReply *stats = NULL;
    int rc = dk_client_stats(client, CALL_MS, &stats, err);
    *live = false;
    *position = 0;
    for (size_t i = 0; rc == 0 && i < stats->n_member; i++) {
        const Docket__MemberStats *member = stats->member[i];
        const ProtobufCBinaryData *role = &member->heartbeat->role;
        if (role->len == strlen(ROLE) && memcmp(role->data, ROLE, role->len) == 0 &&
            member->age_us < LIVE_US) {
            *live = true;
            *position = member->heartbeat->position;
        }
    }
    return rc;
}

/* Waits as long as the node gets on. 1 when it has folded up to `head`; 0, and a note, when it will
 * not. */
static int await_sla(struct dk_run *run, uint64_t head, struct dk_err *err)
{
    struct dk_client *client = dk_sender_client(run->sender);
    int64_t moved_us = dk_clock_boot_us();
    uint64_t last = 0;
    for (;;) {
        bool live;
        uint64_t position;
        int rc = ask_position(client, &live, &position, err);
        if (rc != 0 || (live && position >= head)) {
            return rc != 0 ? rc : 1;
        }
        if (!live) {
            dk_report_note(run->report, "no " ROLE " node is live, so what was overdue at the "
                                        "adoption is not known");
            return 0;
        }
        moved_us = position > last ? dk_clock_boot_us() : moved_us;
        last = position;
        if (dk_clock_boot_us() - moved_us > STANDSTILL_US || dk_input_stopped(&run->input)) {
            dk_report_note(run->report,
                           "the " ROLE " node has folded up to %" PRIu64 " of %" PRIu64
                           ", so what was overdue at the adoption is not known yet",
                           position, head);
            return 0;
        }
        dk_report_wait(run->report, "waiting for " ROLE, position, head);
        (void)zmq_poll(NULL, 0, POLL_MS);
    }
}

/* ------------------------------------------------------------------------------- what is listed */

static int ask_overdue(struct dk_run *run, uint64_t head, json_t **answer, struct dk_err *err)
{
    const struct dk_question question = {.role = ROLE, .name = "overdue", .at_least = head};
    struct dk_key own;
    struct dk_buf json;
    dk_buf_init(&json, ANSWER_MAX_BYTES);
    int rc = dk_key_load(&own, run->config->keys, "importer", err);
    rc = rc != 0
             ? rc
             : dk_question_ask(&question, run->zmq, run->config, &own, CALL_MS, &json, NULL, err);
    explicit_bzero(&own, sizeof own);
    if (rc == 0) {
        *answer = json_loadb((const char *)json.data, json.size, 0, NULL);
        rc = json_is_array(*answer)
                 ? 0
                 : dk_err_set(err, DK_EINVAL, "the " ROLE " node's answer is no list");
    }
    dk_buf_close(&json);
    return rc;
}

/* Of all that is overdue, what this file's tickets have, with their names in the source. */
static json_t *pick(const json_t *answer, const json_t *open)
{
    json_t *names = json_object(), *picked = json_array();
    size_t i;
    json_t *one;
    json_array_foreach(open, i, one)
    {
        (void)json_object_set(names, json_string_value(json_object_get(one, "ticket")),
                              json_object_get(one, "reference"));
    }
    json_array_foreach(answer, i, one)
    {
        const char *ticket = json_string_value(json_object_get(one, "ticket"));
        json_t *reference = ticket != NULL ? json_object_get(names, ticket) : NULL;
        if (reference != NULL) {
            (void)json_object_set(one, "reference", reference);
            (void)json_array_append(picked, one);
        }
    }
    json_decref(names);
    return picked;
}

static json_t *list_open(struct dk_run *run)
{
    json_t *open = json_array();
    for (size_t i = 0; i < run->adoption_count; i++) {
        const struct dk_adoption *adoption = &run->adoption[i];
        const struct dk_ledger_case *entry = dk_ledger_case(&run->ledger, adoption->case_id);
        char ticket[DK_ID_TEXT_BYTES];
        if (entry->ticket != 0 && entry->adopted) {
            (void)json_array_append_new(open, json_pack("{s:s, s:s}", "ticket",
                                                        dk_id_format(entry->ticket, ticket),
                                                        "reference", adoption->key));
        }
    }
    return open;
}

int dk_overdue_find(struct dk_run *run, struct dk_err *err)
{
    struct dk_import_summary *summary = run->summary;
    json_t *answer = NULL;
    uint64_t head = 0;
    summary->open = list_open(run);
    if (json_array_size(summary->open) == 0) {
        return 0;
    }
    int rc = dk_client_head(dk_sender_client(run->sender), CALL_MS, &head, NULL, err);
    rc = rc != 0 ? rc : await_sla(run, head, err);
    if (rc <= 0) {
        return rc;
    }
    struct dk_err why;
    if (ask_overdue(run, head, &answer, &why) == 0) {
        summary->overdue = pick(answer, summary->open);
    } else {
        dk_report_note(run->report, "what was overdue at the adoption is not known: %s",
                       why.message);
    }
    json_decref(answer);
    return 0;
}

static const char *text_in(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

void dk_overdue_print(const struct dk_import_summary *summary, FILE *out)
{
    static const char *const heading[] = {"overdue", "reference", "metric", "due", ">by"};
    size_t i;
    json_t *one;
    if (summary->overdue == NULL) {
        json_array_foreach(summary->open, i, one)
        {
            (void)fprintf(out, "adopted, still open: %s  %s\n", text_in(one, "ticket"),
                          text_in(one, "reference"));
        }
        return;
    }
    if (json_array_size(summary->overdue) == 0) {
        (void)fprintf(out, "of what was adopted nothing was overdue\n");
        return;
    }
    struct dk_text_table *table = dk_text_table_new(heading, 5);
    json_array_foreach(summary->overdue, i, one)
    {
        char by[DK_TIME_TEXT_BYTES];
        int64_t late_us = json_integer_value(json_object_get(one, "late_by_us"));
        dk_text_table_add(table, text_in(one, "ticket"));
        dk_text_table_add(table, text_in(one, "reference"));
        dk_text_table_addf(table, "%s no. %lld", text_in(one, "metric"),
                           json_integer_value(json_object_get(one, "instance")));
        dk_text_table_add(table, text_in(one, "due"));
        dk_text_table_add(table, dk_duration_format(late_us - late_us % DK_SECOND_US, by));
    }
    dk_text_table_print(table, dk_text_line_max(), out);
    dk_text_table_free(&table);
}
