#include "nodes/sla/breaches.h"
#include "nodes/sla/state.h"
#include <stdlib.h>
#include <string.h>

#define LIST_MIN    ((size_t)64)
#define TICKETS_MAX (UINT64_C(1) << 32)
#define MANY        ((size_t)256) /* stale at once: then lists are sorted rather than kept so */

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

/* At the end of its list, or in its place. */
static void add(struct dk_breaches *breaches, uint64_t ticket, const struct dk_breach *breach,
                bool at_end)
{
    struct dk_breach_list *list = list_of(breaches, breach);
    const struct dk_breach_end end = end_of(ticket, breach);
    breaches->running += breach->state == DK_BREACH_RUNS;
    if (list != NULL) {
        insert(list, at_end ? list->count : place_of(list, &end), &end);
    }
}

static void drop(struct dk_breaches *breaches, uint64_t ticket, const struct dk_breach *breach)
{
    struct dk_breach_list *list = list_of(breaches, breach);
    const struct dk_breach_end end = end_of(ticket, breach);
    if (list != NULL) {
        take_out(list, &end);
    }
}

const struct dk_breach *dk_breach_of(const struct dk_breaches *breaches,
                                     const struct dk_breach_end *end)
{
    const struct dk_breach_rows *rows = dk_map_get(&breaches->rows, end->ticket);
    size_t i = 0;
    DK_ASSERT(rows != NULL);
    while (i < rows->count &&
           (rows->row[i].metric != end->metric || rows->row[i].instance != end->instance)) {
        i++;
    }
    DK_ASSERT(i < rows->count);
    return &rows->row[i];
}

void dk_breaches_init(struct dk_breaches *breaches)
{
    *breaches = (struct dk_breaches){0};
    dk_map_init(&breaches->rows, sizeof(struct dk_breach_rows), TICKETS_MAX);
    dk_map_init(&breaches->stale, 1, TICKETS_MAX);
}

void dk_breaches_close(struct dk_breaches *breaches)
{
    size_t cursor = 0;
    uint64_t ticket;
    void *rows;
    while (dk_map_next(&breaches->rows, &cursor, &ticket, &rows)) {
        free(((struct dk_breach_rows *)rows)->row);
    }
    dk_map_close(&breaches->rows);
    dk_map_close(&breaches->stale);
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

static size_t count_breached(const struct dk_said *said, size_t count)
{
    size_t breached = 0;
    for (size_t i = 0; i < count; i++) {
        breached += says_breached(&said[i]);
    }
    return breached;
}

void dk_breaches_stale(struct dk_sla *self, uint64_t ticket)
{
    size_t bytes = 0;
    const struct dk_said *said = dk_table_get(self->said, ticket, &bytes);
    if (count_breached(said, bytes / sizeof *said) > 0 ||
        dk_map_get(&self->breaches.rows, ticket) != NULL) {
        DK_ASSERT(dk_map_put(&self->breaches.stale, ticket, NULL) != NULL);
    }
}

/* Takes the ticket's rows away; out of the lists, too, unless they are no more there. */
static void forget(struct dk_breaches *breaches, uint64_t ticket, bool listed)
{
    struct dk_breach_rows *rows = dk_map_get(&breaches->rows, ticket);
    for (size_t i = 0; rows != NULL && i < rows->count; i++) {
        breaches->running -= rows->row[i].state == DK_BREACH_RUNS;
        if (listed) {
            drop(breaches, ticket, &rows->row[i]);
        }
    }
    if (rows != NULL) {
        free(rows->row);
        (void)dk_map_remove(&breaches->rows, ticket);
    }
}

/* Whether a row is for good, as things stand: one that has not ended can be another at each later
 * event, unless it broke by the last one. */
static bool is_settled(const struct dk_breach *breach, int64_t recorded_us)
{
    return breach->ended_us != 0 ||
           (breach->state == DK_BREACH_RUNS && breach->due_us <= recorded_us);
}

static void make_rows(struct dk_sla *self, uint64_t ticket, bool at_end)
{
    struct dk_breaches *breaches = &self->breaches;
    size_t bytes = 0, made = 0;
    const struct dk_said *said = dk_table_get(self->said, ticket, &bytes);
    size_t count = bytes / sizeof *said, breached = count_breached(said, count);
    bool settled = true;
    if (breached > 0) {
        struct dk_breach_rows *rows = dk_map_put(&breaches->rows, ticket, NULL);
        DK_ASSERT(rows != NULL);
        *rows = (struct dk_breach_rows){calloc(breached, sizeof *rows->row), breached};
        DK_ASSERT(rows->row != NULL);
        for (size_t i = 0; i < count; i++) {
            if (says_breached(&said[i])) {
                rows->row[made] = make(self, &said[i]);
                settled = settled && is_settled(&rows->row[made], self->world->recorded_us);
                add(breaches, ticket, &rows->row[made++], at_end);
            }
        }
    }
    if (settled) {
        (void)dk_map_remove(&breaches->stale, ticket);
    }
}

void dk_breaches_update(struct dk_sla *self, uint64_t ticket)
{
    if (dk_map_get(&self->breaches.stale, ticket) != NULL) {
        forget(&self->breaches, ticket, true);
        make_rows(self, ticket, false);
    }
}

static void keep_fresh(struct dk_breach_list *list, const struct dk_map *stale)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (dk_map_get(stale, list->end[i].ticket) == NULL) {
            list->end[kept++] = list->end[i];
        }
    }
    list->count = kept;
}

static void sort(struct dk_breach_list *list)
{
    if (list->count > 1) {
        qsort(list->end, list->count, sizeof *list->end, compare_ends);
    }
}

void dk_breaches_refresh(struct dk_sla *self)
{
    struct dk_breaches *breaches = &self->breaches;
    size_t cursor = 0, count = 0;
    uint64_t ticket, *list = calloc(breaches->stale.count + 1, sizeof *list);
    void *ignored;
    DK_ASSERT(list != NULL);
    while (dk_map_next(&breaches->stale, &cursor, &ticket, &ignored)) {
        list[count++] = ticket;
    }
    bool many = count > MANY;
    if (many) {
        keep_fresh(&breaches->priced, &breaches->stale);
        keep_fresh(&breaches->unpriced, &breaches->stale);
    }
    for (size_t i = 0; i < count; i++) {
        forget(breaches, list[i], !many);
        dk_sla_compute(self, list[i], self->world->recorded_us);
        make_rows(self, list[i], many);
    }
    if (many) {
        sort(&breaches->priced);
        sort(&breaches->unpriced);
    }
    free(list);
}
