#include "nodes/sla/breaches.h"
#include "nodes/sla/state.h"
#include <stdlib.h>
#include <string.h>

#define LIST_MIN ((size_t)64)

/* ---------------------------------------------------------------- pricing */

static Docket__Metric metric_of(const Docket__ContractDefined *contract,
                                const Docket__Penalty *penalty)
{
    if (penalty->has_metric && penalty->metric != DOCKET__METRIC__METRIC_NONE) {
        return penalty->metric;
    }
    return contract->supplier != 0 ? DOCKET__METRIC__METRIC_SUPPLIER
                                   : DOCKET__METRIC__METRIC_RESOLUTION;
}

const Docket__Penalty *dk_breach_penalty(const struct dk_refs *refs, const struct dk_breach *breach,
                                         const struct dk_refs_version **terms)
{
    const Docket__ContractDefined *contract =
        dk_refs_contract(refs, breach->contract, breach->ended_us);
    const Docket__Penalty *any = NULL;
    *terms = dk_refs_at(refs, breach->contract, breach->ended_us);
    for (size_t i = 0; contract != NULL && i < contract->n_penalty; i++) {
        const Docket__Penalty *penalty = contract->penalty[i];
        if ((uint8_t)metric_of(contract, penalty) != breach->metric) {
            continue;
        }
        if ((uint8_t)penalty->priority == breach->priority &&
            penalty->priority != DOCKET__PRIORITY__PRIORITY_NONE) {
            return penalty;
        }
        if (penalty->priority == DOCKET__PRIORITY__PRIORITY_NONE && any == NULL) {
            any = penalty;
        }
    }
    return any;
}

/* ---------------------------------------------------------------- lists */

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_ends(const void *a, const void *b)
{
    const struct dk_breach_end *x = a, *y = b;
    if (x->ended_us != y->ended_us) {
        return x->ended_us < y->ended_us ? -1 : 1;
    }
    int order = compare_numbers(x->ticket, y->ticket);
    order = order != 0 ? order : compare_numbers(x->metric, y->metric);
    return order != 0 ? order : compare_numbers(x->instance, y->instance);
}

static size_t place_of(const struct dk_breach_list *list, const struct dk_breach_end *end)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_ends(&list->end[middle], end) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t dk_breach_list_before(const struct dk_breach_list *list, int64_t at_us)
{
    return place_of(list, &(struct dk_breach_end){.ended_us = at_us});
}

static void insert(struct dk_breach_list *list, size_t at, const struct dk_breach_end *end)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? LIST_MIN : 2 * list->capacity;
        list->end = realloc(list->end, list->capacity * sizeof *list->end);
        DK_ASSERT(list->end != NULL);
    }
    memmove(&list->end[at + 1], &list->end[at], (list->count - at) * sizeof *list->end);
    list->end[at] = *end;
    list->count++;
}

static void take_out(struct dk_breach_list *list, const struct dk_breach_end *end)
{
    size_t at = place_of(list, end);
    DK_ASSERT(at < list->count && compare_ends(&list->end[at], end) == 0);
    list->count--;
    memmove(&list->end[at], &list->end[at + 1], (list->count - at) * sizeof *list->end);
}

static struct dk_breach_end end_of(uint64_t ticket, const struct dk_breach *breach)
{
    return (struct dk_breach_end){.ended_us = breach->ended_us,
                                  .ticket = ticket,
                                  .metric = breach->metric,
                                  .instance = breach->instance};
}

static struct dk_breach_list *list_of(struct dk_breaches *breaches, const struct dk_breach *breach)
{
    switch (breach->state) {
    case DK_BREACH_PRICED: return &breaches->priced;
    case DK_BREACH_UNPRICED: return &breaches->unpriced;
    default: return NULL;
    }
}

static bool is_unsettled(const struct dk_breach *breach)
{
    return breach->state == DK_BREACH_REVOKED && breach->ended_us == 0;
}

/* Until when what is defined can matter to a row. */
static int64_t rests_until_us(const struct dk_breach *breach)
{
    return breach->ended_us != 0 ? breach->ended_us : breach->due_us;
}

/* All of a row but its place in a list. */
static void count_in(struct dk_breaches *breaches, const struct dk_breach *breach)
{
    breaches->running += breach->state == DK_BREACH_RUNS;
    breaches->unsettled += is_unsettled(breach);
    if (!is_unsettled(breach) && rests_until_us(breach) > breaches->newest_us) {
        breaches->newest_us = rests_until_us(breach);
    }
}

static void add(struct dk_breaches *breaches, uint64_t ticket, const struct dk_breach *breach)
{
    struct dk_breach_list *list = list_of(breaches, breach);
    const struct dk_breach_end end = end_of(ticket, breach);
    count_in(breaches, breach);
    if (list != NULL) {
        insert(list, place_of(list, &end), &end);
    }
}

static void drop(struct dk_breaches *breaches, uint64_t ticket, const struct dk_breach *breach)
{
    struct dk_breach_list *list = list_of(breaches, breach);
    const struct dk_breach_end end = end_of(ticket, breach);
    breaches->running -= breach->state == DK_BREACH_RUNS;
    breaches->unsettled -= is_unsettled(breach);
    if (list != NULL) {
        take_out(list, &end);
    }
}

const struct dk_breach *dk_breach_of(const struct dk_breaches *breaches,
                                     const struct dk_breach_end *end)
{
    size_t bytes = 0, i = 0;
    const struct dk_breach *row = dk_table_get(breaches->rows, end->ticket, &bytes);
    while (i < bytes / sizeof *row &&
           (row[i].metric != end->metric || row[i].instance != end->instance)) {
        i++;
    }
    DK_ASSERT(i < bytes / sizeof *row);
    return &row[i];
}

static void sort(struct dk_breach_list *list)
{
    if (list->count > 1) {
        qsort(list->end, list->count, sizeof *list->end, compare_ends);
    }
}

void dk_breaches_rebuild(struct dk_breaches *breaches)
{
    size_t cursor = 0, bytes;
    uint64_t ticket;
    const void *value;
    while (dk_table_next(breaches->rows, &cursor, &ticket, &value, &bytes)) {
        const struct dk_breach *row = value;
        for (size_t i = 0; i < bytes / sizeof *row; i++) {
            struct dk_breach_list *list = list_of(breaches, &row[i]);
            const struct dk_breach_end end = end_of(ticket, &row[i]);
            count_in(breaches, &row[i]);
            if (list != NULL) {
                insert(list, list->count, &end);
            }
        }
    }
    sort(&breaches->priced);
    sort(&breaches->unpriced);
}

void dk_breaches_close(struct dk_breaches *breaches)
{
    free(breaches->priced.end);
    free(breaches->unpriced.end);
}

/* ---------------------------------------------------------------- rows */

static bool says_breached(const struct dk_said *said)
{
    return said->verdict == DOCKET__VERDICT__VERDICT_BREACHED;
}

/* Only what the log says is breached is owed; how long it took is computed. */
static struct dk_breach make(const struct dk_sla *self, const struct dk_said *said)
{
    const struct dk_clock *clock = dk_said_computed(said, &self->clocks);
    const struct dk_refs_version *terms;
    struct dk_breach made = {
        .instance = said->instance, .metric = said->metric, .state = DK_BREACH_REVOKED};
    if (clock == NULL) {
        return made;
    }
    made.ended_us = clock->ended_us;
    if (clock->verdict != DOCKET__VERDICT__VERDICT_BREACHED) {
        return made;
    }
    made.due_us = clock->due_us;
    made.contract = clock->contract;
    made.priority = (uint8_t)clock->priority;
    if (clock->ended_us == 0) {
        made.state = DK_BREACH_RUNS;
        return made;
    }
    made.overrun_us = clock->overrun_us;
    made.state = dk_breach_penalty(self->world->refs, &made, &terms) != NULL ? DK_BREACH_PRICED
                                                                             : DK_BREACH_UNPRICED;
    return made;
}

void dk_breaches_update(struct dk_sla *self, uint64_t ticket)
{
    struct dk_breaches *breaches = &self->breaches;
    size_t said_bytes = 0, row_bytes = 0, count = 0, made = 0;
    const struct dk_said *said = dk_table_get(self->said, ticket, &said_bytes);
    const struct dk_breach *held = dk_table_get(breaches->rows, ticket, &row_bytes);
    for (size_t i = 0; i < said_bytes / sizeof *said; i++) {
        count += says_breached(&said[i]);
    }
    for (size_t i = 0; i < row_bytes / sizeof *held; i++) {
        drop(breaches, ticket, &held[i]);
    }
    if (count == 0) {
        dk_table_remove(breaches->rows, ticket);
        return;
    }
    dk_sla_compute(self, ticket, self->world->recorded_us);
    struct dk_breach *row = dk_table_edit(breaches->rows, ticket, count * sizeof *row);
    for (size_t i = 0; i < said_bytes / sizeof *said; i++) {
        if (says_breached(&said[i])) {
            row[made] = make(self, &said[i]);
            add(breaches, ticket, &row[made++]);
        }
    }
}

/* Whether what is defined from an instant on can change one of a ticket's rows. */
static bool concerns(const struct dk_breach *row, size_t count, int64_t effective_us)
{
    for (size_t i = 0; i < count; i++) {
        if (is_unsettled(&row[i]) || rests_until_us(&row[i]) >= effective_us) {
            return true;
        }
    }
    return false;
}

void dk_breaches_defined(struct dk_sla *self, int64_t effective_us)
{
    const struct dk_breaches *breaches = &self->breaches;
    size_t cursor = 0, bytes, count = 0;
    uint64_t ticket;
    const void *value;
    if (effective_us > breaches->newest_us && breaches->unsettled == 0) {
        return;
    }
    uint64_t *list = calloc(dk_table_count(breaches->rows) + 1, sizeof *list);
    DK_ASSERT(list != NULL);
    while (dk_table_next(breaches->rows, &cursor, &ticket, &value, &bytes)) {
        if (concerns(value, bytes / sizeof(struct dk_breach), effective_us)) {
            list[count++] = ticket;
        }
    }
    for (size_t i = 0; i < count; i++) {
        dk_breaches_update(self, list[i]);
    }
    free(list);
}
