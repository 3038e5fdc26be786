#include "proto/base/time.h"
#include "proto/event/body.h"
#include "replay/cli/desk.h"
#include "replay/cli/read.h"
#include "replay/cli/seen.h"
#include "replay/cli/watch.h"
#include "replay/history/card.h"
#include "replay/history/moment.h"
#include "replay/history/scan.h"
#include "replay/history/table.h"
#include "replay/history/tickets.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FILTERS_MAX 32

const struct dk_parameter dk_list_parameters[] = {
    {"--filter", "KEY=VALUE", "only these; may be given several times, all must hold", NULL,
     DK_MANY, 0},
    {"--open", NULL, "only new, open and pending ones", NULL, 0, 0},
    {"--closed", NULL, "only solved, closed and merged ones", NULL, 0, 0},
    {"--as", "AGENT", "only what this agent sees: of the agent's products or routes, or own ones",
     NULL, 0, 0},
    {"--limit", "NUMBER", "the newest so many", NULL, 0, 0},
    DK_PARAMETERS_END,
};

/* What a filter looks at. */
enum aspect { STATUS, PENDING, PRIORITY, TYPE, CHANNEL, LINE, GROUP, OWNER, PRODUCT, CUSTOMER };

static const struct {
    const char *key;
    enum aspect aspect;
    unsigned cls;                              /* of an entity named by key, or 0 */
    const ProtobufCEnumDescriptor *descriptor; /* of a word, or NULL */
} aspects[] = {
    {"status", STATUS, 0, &docket__status__descriptor},
    {"pending", PENDING, 0, &docket__pending__descriptor},
    {"priority", PRIORITY, 0, &docket__priority__descriptor},
    {"type", TYPE, 0, &docket__ticket_type__descriptor},
    {"channel", CHANNEL, 0, &docket__channel__descriptor},
    {"line", LINE, 0, NULL},
    {"group", GROUP, DK_SUBJECT_GROUP, NULL},
    {"owner", OWNER, DK_SUBJECT_AGENT, NULL},
    {"product", PRODUCT, DK_SUBJECT_PRODUCT, NULL},
    {"customer", CUSTOMER, DK_SUBJECT_CUSTOMER, NULL},
};

struct filter {
    enum aspect aspect;
    uint64_t value;
    const char *entity; /* KEY=VALUE when the value is an entity's id; else NULL */
};

struct row {
    uint64_t ticket;
    const struct dk_ticket_entry *entry;
    char *subject; /* owned, or NULL */
};

struct list {
    struct dk_cli *cli;
    struct dk_tickets tickets;
    struct filter filter[FILTERS_MAX];
    size_t filter_count;
    bool open_only, closed_only;
    uint64_t agent;  /* who looks at it (R8), or 0 */
    struct row *row; /* by number, which is by opening */
    size_t row_count;
    size_t next_row; /* whose Opened the second scan looks for */
    struct dk_watch watch;
    struct dk_err *err;
};

/* ------------------------------------------------------------------------------ filters */

static int read_word(const ProtobufCEnumDescriptor *descriptor, const char *text, uint64_t *value,
                     struct dk_err *err)
{
    char word[DK_WORD_BYTES];
    for (unsigned i = 0; i < descriptor->n_values; i++) {
        if (strcmp(dk_enum_word(&descriptor->values[i], word), text) == 0) {
            *value = (uint64_t)descriptor->values[i].value;
            return 0;
        }
    }
    return dk_cli_usage(err, "no %s is called \"%s\"", descriptor->short_name, text);
}

/* Customers' ids are salted: the broker is asked for the salt. */
static int read_entity(struct list *list, unsigned cls, const char *text, uint64_t *value,
                       struct dk_err *err)
{
    int rc = cls == DK_SUBJECT_CUSTOMER ? dk_desk_hello(list->cli, err) : 0;
    *value = 0;
    return rc != 0 || strcmp(text, "none") == 0 ? rc
                                                : dk_desk_entity(list->cli, cls, text, value, err);
}

static int read_filter(struct list *list, const char *text, struct dk_err *err)
{
    const char *value = strchr(text, '=');
    size_t bytes = value != NULL ? (size_t)(value - text) : 0;
    for (size_t i = 0; value != NULL && i < sizeof aspects / sizeof aspects[0]; i++) {
        if (strlen(aspects[i].key) != bytes || strncmp(aspects[i].key, text, bytes) != 0) {
            continue;
        }
        if (list->filter_count == FILTERS_MAX) {
            return dk_cli_usage(err, "more than %d filters", FILTERS_MAX);
        }
        struct filter *filter = &list->filter[list->filter_count++];
        filter->aspect = aspects[i].aspect;
        if (aspects[i].descriptor != NULL) {
            return read_word(aspects[i].descriptor, value + 1, &filter->value, err);
        }
        if (aspects[i].cls != 0) {
            filter->entity = text;
            return read_entity(list, aspects[i].cls, value + 1, &filter->value, err);
        }
        char *end = NULL;
        filter->value = strtoull(value + 1, &end, 10);
        return end != value + 1 && *end == '\0'
                   ? 0
                   : dk_cli_usage(err, "\"%s\" is no number of a line", value + 1);
    }
    return dk_cli_usage(err, "--filter takes status, pending, priority, type, channel, line, "
                             "group, owner, product or customer, =, and a value");
}

/* What is removed was there once. Customers whose tickets came without a definition have tickets
 * all the same. */
static int check_entities(const struct list *list, struct dk_err *err)
{
    for (size_t i = 0; list->row_count == 0 && i < list->filter_count; i++) {
        const struct filter *filter = &list->filter[i];
        if (filter->entity != NULL && filter->value != 0 &&
            dk_refs_last(list->tickets.refs, filter->value) == NULL) {
            return dk_err_set(err, DK_ENOTFOUND, "--filter %s: nothing of that name is defined",
                              filter->entity);
        }
    }
    return 0;
}

static bool holds(const struct list *list, const struct dk_ticket *t, const struct filter *filter)
{
    switch (filter->aspect) {
    case STATUS: return t->status == filter->value;
    case PENDING: return t->pending == filter->value;
    case PRIORITY: return t->priority == filter->value;
    case TYPE: return t->type == filter->value;
    case CHANNEL: return t->channel == filter->value;
    case LINE: return t->line == filter->value;
    case GROUP: return t->group == filter->value;
    case OWNER: return t->owner == filter->value;
    case CUSTOMER: return t->customer == filter->value;
    case PRODUCT:
        return t->product == filter->value ||
               (filter->value != 0 &&
                dk_refs_product_within(list->tickets.refs, t->product, filter->value, INT64_MAX));
    }
    return false;
}

static bool wanted(const struct list *list, const struct dk_ticket *ticket)
{
    bool live = dk_ticket_live(ticket);
    bool all = !(list->open_only && !live) && !(list->closed_only && live) &&
               dk_seen(list->tickets.refs, list->agent, ticket);
    for (size_t i = 0; all && i < list->filter_count; i++) {
        all = holds(list, ticket, &list->filter[i]);
    }
    return all;
}

/* ------------------------------------------------------------------------------- reading */

static int fold_record(void *arg, const uint8_t *record, size_t bytes)
{
    struct list *list = arg;
    return dk_tickets_apply(&list->tickets, record, bytes, list->err);
}

static int by_ticket(const void *a, const void *b)
{
    uint64_t x = ((const struct row *)a)->ticket, y = ((const struct row *)b)->ticket;
    return (x > y) - (x < y);
}

/* The rows that are wanted, in order; with a limit the last ones. */
static void choose_rows(struct list *list, uint64_t limit)
{
    size_t cursor = 0, capacity = 0;
    uint64_t ticket;
    void *value;
    while (dk_map_next(&list->tickets.map, &cursor, &ticket, &value)) {
        const struct dk_ticket_entry *entry = value;
        if (!wanted(list, &entry->ticket)) {
            continue;
        }
        if (list->row_count == capacity) {
            capacity = capacity == 0 ? 1024 : 2 * capacity;
            list->row = realloc(list->row, capacity * sizeof *list->row);
            DK_ASSERT(list->row != NULL);
        }
        list->row[list->row_count++] = (struct row){.ticket = ticket, .entry = entry};
    }
    if (list->row_count > 0) {
        qsort(list->row, list->row_count, sizeof *list->row, by_ticket);
    }
    if (list->row_count > limit) {
        memmove(list->row, list->row + (list->row_count - limit), limit * sizeof *list->row);
        list->row_count = limit;
    }
}

/* Numbers are given in the order of opening, so the rows' Openeds come in the rows' order. */
static int take_subject(void *arg, const uint8_t *record, size_t bytes)
{
    struct list *list = arg;
    struct row *row = &list->row[list->next_row];
    if (list->next_row == list->row_count ||
        row->entry->opened_position != dk_event_load_position(record)) {
        return 0;
    }
    list->next_row++;
    dk_arena_reset(&list->tickets.arena);
    const Docket__Opened *opened =
        (const void *)dk_body_unpack(&list->tickets.arena, record, bytes, list->err);
    if (opened == NULL) {
        return list->err->code;
    }
    size_t size = 0;
    const char *text = dk_text_plain(opened->subject, &size);
    row->subject = strndup(text, size);
    return 0;
}

static int on_progress(void *arg, uint64_t position)
{
    struct list *list = arg;
    return dk_watch_progress(&list->watch, position);
}

static int read_log(struct list *list, struct dk_source *source, uint64_t limit)
{
    struct dk_scan scan = {.from = 1,
                           .to = UINT64_MAX,
                           .arg = list,
                           .on_record = fold_record,
                           .on_progress = on_progress};
    int rc = dk_scan_source(&scan, source, list->err);
    rc = rc != 0 ? rc : dk_seen_check(list->cli, list->tickets.refs, list->agent, list->err);
    if (rc == 0) {
        choose_rows(list, limit);
    }
    if (rc == 0 && list->row_count > 0) {
        scan.from = list->row[0].entry->opened_position;
        scan.to = list->row[list->row_count - 1].entry->opened_position;
        scan.on_record = take_subject;
        rc = dk_scan_source(&scan, source, list->err);
    }
    return rc;
}

/* ------------------------------------------------------------------------------ printing */

static const char *name_of(const struct list *list, uint64_t id, char text[DK_NAME_BYTES])
{
    return id != 0 ? dk_refs_name(list->tickets.refs, id, text) : "";
}

static void print_table(const struct list *list)
{
    static const char *const heading[] = {"=ticket", "status", "priority", ">line",
                                          "group",   "owner",  "=opened",  "subject"};
    struct dk_text_table *table = dk_text_table_new(heading, 8);
    char name[DK_NAME_BYTES], id[DK_ID_TEXT_BYTES], when[DK_TIME_TEXT_BYTES];
    for (size_t i = 0; i < list->row_count; i++) {
        const struct row *row = &list->row[i];
        const struct dk_ticket *t = &row->entry->ticket;
        dk_text_table_add(table, dk_id_format(row->ticket, id));
        dk_text_table_add(table, dk_status_word(t->status, t->pending));
        dk_text_table_add(table, dk_priority_word(t->priority));
        dk_text_table_addf(table, "%.0u", t->line); /* nothing for 0 */
        dk_text_table_add(table, name_of(list, t->group, name));
        dk_text_table_add(table, name_of(list, t->owner, name));
        dk_text_table_add(table, dk_moment_show(list->cli->zone, t->opened_us, when));
        dk_text_table_add(table, row->subject);
    }
    dk_text_table_print(table, dk_text_line_max(), list->cli->out);
    dk_text_table_free(&table);
}

static void print_json(const struct list *list)
{
    struct dk_words words = {.refs = list->tickets.refs, .zone = list->cli->zone};
    for (size_t i = 0; i < list->row_count; i++) {
        const struct row *row = &list->row[i];
        struct dk_life_view view = {.ticket = row->entry->ticket, .last_us = row->entry->last_us};
        json_t *card = dk_card_json(row->ticket, &view, &words);
        (void)json_object_set_new(card, "subject",
                                  json_string(row->subject != NULL ? row->subject : ""));
        (void)json_object_del(card, "unanswered_since"); /* of one ticket's own history only */
        dk_cli_print_json(list->cli, card);
    }
}

static int read_arguments(struct list *list, uint64_t *limit, struct dk_err *err)
{
    const char *text;
    int rc = dk_cli_number(list->cli, "--limit", SIZE_MAX, limit, err);
    rc = rc != 0 ? rc : dk_seen_agent(list->cli, &list->agent, err);
    list->open_only = dk_cli_given(list->cli, "--open") != NULL;
    list->closed_only = dk_cli_given(list->cli, "--closed") != NULL;
    for (size_t cursor = 0; rc == 0 && (text = dk_argument_next(&list->cli->arguments, "--filter",
                                                                &cursor)) != NULL;) {
        rc = read_filter(list, text, err);
    }
    return rc;
}

int dk_list_run(struct dk_cli *cli, struct dk_err *err)
{
    struct list list = {.cli = cli, .err = err};
    struct dk_source *source = NULL;
    uint64_t limit = SIZE_MAX;
    int rc = read_arguments(&list, &limit, err);
    rc = rc != 0 ? rc : dk_desk_source(cli, &source, err);
    rc = rc != 0 ? rc : dk_tickets_init(&list.tickets, err);
    if (rc != 0) {
        dk_source_close(&source);
        return rc;
    }
    dk_watch_open(&list.watch, "list", 0);
    rc = read_log(&list, source, limit);
    dk_watch_close(&list.watch);
    if (rc == 0 && list.agent != 0 && dk_refs_last(list.tickets.refs, list.agent) == NULL) {
        rc = dk_err_set(err, DK_ENOTFOUND, "there is no agent \"%s\"", dk_cli_given(cli, "--as"));
    }
    rc = rc != 0 ? rc : check_entities(&list, err);
    if (rc == 0) {
        cli->json ? print_json(&list) : print_table(&list);
    }
    for (size_t i = 0; i < list.row_count; i++) {
        free(list.row[i].subject);
    }
    free(list.row);
    dk_tickets_close(&list.tickets);
    dk_source_close(&source);
    return rc;
}
