#include "nodes/runtime/answer.h"
#include "nodes/sla/credits.h"
#include "nodes/sla/explain.h"
#include "nodes/sla/pauses.h"
#include "nodes/sla/state.h"
#include "proto/base/time.h"
#include "proto/event/body.h"
#include <stdlib.h>
#include <string.h>

#define DUE_DEFAULT 20
#define DUE_MAX     10000

static int query_clocks(struct dk_sla *self, const char *const *argument, size_t argument_count,
                        json_t **json, struct dk_err *err)
{
    const char *name = dk_answer_argument(argument, argument_count, "ticket");
    const char *at = dk_answer_argument(argument, argument_count, "at");
    const char *metric = dk_answer_argument(argument, argument_count, "metric");
    struct dk_explained asked = {.refs = self->world->refs, .at_us = self->world->recorded_us};
    size_t bytes = 0;
    int rc = dk_answer_only(argument, argument_count, "ticket at metric", err);
    if (rc == 0 && name == NULL) {
        rc = dk_err_field(err, DK_EINVAL, "ticket", "of which ticket: ticket=SITE-NUMBER");
    }
    rc = rc != 0 ? rc : dk_ticket_parse(name, &asked.ticket, err);
    rc = rc == 0 && at != NULL ? dk_time_parse(at, &asked.at_us, NULL, err) : rc;
    rc = rc == 0 && metric != NULL ? dk_explain_metric(metric, &asked.metric, err) : rc;
    if (rc != 0) {
        return rc;
    }
    if (dk_table_get(self->world->tickets, asked.ticket, NULL) == NULL) {
        return dk_err_field(err, DK_ENOTFOUND, "ticket", "there is no ticket %s", name);
    }
    asked.transition = dk_table_get(self->transitions, asked.ticket, &bytes);
    asked.count = bytes / sizeof *asked.transition;
    *json = dk_explain(&self->clocks, &asked);
    return 0;
}

/* ---------------------------------------------------------------- due next */

struct next_due {
    int64_t due_us;
    uint64_t ticket;
    uint32_t instance;
    uint8_t metric;
};

static int by_due(const void *a, const void *b)
{
    const struct next_due *x = a, *y = b;
    if (x->due_us != y->due_us) {
        return x->due_us < y->due_us ? -1 : 1;
    }
    if (x->ticket != y->ticket) {
        return x->ticket < y->ticket ? -1 : 1;
    }
    return x->metric - y->metric;
}

/* Keeps the first `n`: when twice as many have gathered, the later half is let go. */
static void keep_due(struct next_due *list, size_t *count, size_t n, const struct next_due *due)
{
    list[(*count)++] = *due;
    if (*count == 2 * n) {
        qsort(list, *count, sizeof *list, by_due);
        *count = n;
    }
}

static json_t *due_json(const struct next_due *due)
{
    json_t *made = json_object();
    json_object_set_new(made, "ticket", dk_answer_id(due->ticket));
    json_object_set_new(made, "metric", dk_answer_word(&docket__metric__descriptor, due->metric));
    json_object_set_new(made, "instance", json_integer(due->instance));
    json_object_set_new(made, "due", dk_answer_instant(due->due_us));
    return made;
}

static int query_due(struct dk_sla *self, const char *const *argument, size_t argument_count,
                     json_t **json, struct dk_err *err)
{
    uint64_t n = DUE_DEFAULT;
    size_t cursor = 0, bytes, count = 0;
    uint64_t ticket;
    const void *value;
    int rc = dk_answer_only(argument, argument_count, "n", err);
    rc = rc != 0 ? rc : dk_answer_number(argument, argument_count, "n", 10, &n, err);
    if (rc != 0) {
        return rc;
    }
    if (n == 0 || n > DUE_MAX) {
        return dk_err_field(err, DK_EINVAL, "n", "n is 1 to %d", DUE_MAX);
    }
    struct next_due *list = calloc(2 * n, sizeof *list);
    DK_ASSERT(list != NULL);
    while (dk_table_next(self->said, &cursor, &ticket, &value, &bytes)) {
        const struct dk_said *said = value;
        for (size_t i = 0; i < bytes / sizeof *said; i++) {
            if (said[i].verdict == DOCKET__VERDICT__VERDICT_RUNNING &&
                said[i].due_us < DK_TIME_MAX_US) {
                keep_due(
                    list, &count, n,
                    &(struct next_due){said[i].due_us, ticket, said[i].instance, said[i].metric});
            }
        }
    }
    qsort(list, count, sizeof *list, by_due);
    *json = json_array();
    for (size_t i = 0; i < count && i < n; i++) {
        json_array_append_new(*json, due_json(&list[i]));
    }
    free(list);
    return 0;
}

/* ---------------------------------------------------------------- overdue at adoption */

static void add_overdue(struct dk_sla *self, uint64_t ticket, json_t *list)
{
    dk_sla_compute(self, ticket, self->world->recorded_us);
    for (size_t i = 0; i < self->clocks.count; i++) {
        const struct dk_clock *clock = &self->clocks.clock[i];
        if (clock->ended_us == 0 && dk_sla_past(clock, self->clocks.live_from_us)) {
            json_t *made = due_json(
                &(struct next_due){clock->due_us, ticket, clock->instance, (uint8_t)clock->metric});
            json_object_set_new(made, "adopted", dk_answer_instant(self->clocks.live_from_us));
            json_object_set_new(made, "late_by_us",
                                json_integer(self->clocks.live_from_us - clock->due_us));
            json_array_append_new(list, made);
        }
    }
}

static int by_ticket(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static json_t *query_overdue(struct dk_sla *self)
{
    json_t *list = json_array();
    size_t cursor = 0, bytes, count = 0, room = dk_table_count(self->world->tickets);
    uint64_t ticket, *adopted = calloc(room + 1, sizeof *adopted);
    const void *value;
    DK_ASSERT(adopted != NULL);
    while (dk_table_next(self->world->tickets, &cursor, &ticket, &value, &bytes)) {
        if ((((const struct dk_ticket *)value)->flags & DK_TICKET_ADOPTED) != 0) {
            adopted[count++] = ticket;
        }
    }
    qsort(adopted, count, sizeof *adopted, by_ticket);
    for (size_t i = 0; i < count; i++) {
        add_overdue(self, adopted[i], list);
    }
    free(adopted);
    return list;
}

int dk_sla_query(void *self, const char *name, const char *const *argument, size_t argument_count,
                 struct dk_buf *json, struct dk_err *err)
{
    json_t *made = NULL;
    int rc = 0;
    if (strcmp(name, "clocks") == 0) {
        rc = query_clocks(self, argument, argument_count, &made, err);
    } else if (strcmp(name, "due") == 0) {
        rc = query_due(self, argument, argument_count, &made, err);
    } else if (strcmp(name, "overdue") == 0) {
        rc = dk_answer_only(argument, argument_count, "", err);
        made = rc == 0 ? query_overdue(self) : NULL;
    } else if (strcmp(name, "credits") == 0) {
        rc = dk_answer_only(argument, argument_count, "zone from to", err);
        rc = rc != 0 ? rc : dk_sla_credits(self, argument, argument_count, &made, err);
    } else if (strcmp(name, "pauses") == 0) {
        rc = dk_answer_only(argument, argument_count, "from to zone group", err);
        rc = rc != 0 ? rc : dk_sla_pauses(self, argument, argument_count, &made, err);
    } else {
        return dk_err_set(err, DK_ENOTFOUND,
                          "sla answers clocks, due, overdue, pauses and credits, not \"%s\"", name);
    }
    return rc != 0 ? rc : dk_answer_put(made, json, err);
}
