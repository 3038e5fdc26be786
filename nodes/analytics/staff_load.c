#include "nodes/analytics/measure_kinds.h"
#include "nodes/analytics/staff.h"
#include "proto/base/time.h"
#include <stdlib.h>

/* What an agent had to do. */
struct work {
    uint64_t agent;
    const Docket__AgentDefined *body;
    int64_t on_shift_us, busy_us, owned_us; /* owned: each ticket's own time, on shift */
    int64_t logged_s;
};

struct load {
    const struct dk_staff_query *query;
    struct dk_refs *refs;
    struct dk_spans owned;  /* each ticket in hand, by agent and beginning */
    struct dk_spans logged; /* no stretches: `to_us` - `from_us` are the seconds */
    struct dk_spans shifts; /* of one agent */
    struct work *work;
    size_t count, capacity;
};

/* ---------------------------------------------------------------- what was in hand */

static void take_span(struct load *load, uint64_t agent, int64_t from_us, int64_t to_us)
{
    const struct dk_staff_query *query = load->query;
    from_us = from_us > query->from_us ? from_us : query->from_us;
    to_us = to_us < query->to_us ? to_us : query->to_us;
    if (agent != 0) {
        dk_spans_add(&load->owned, agent, from_us, to_us);
    }
}

/* Owner and status take effect in the log's order, none before the one it follows. */
static void take_ticket(struct load *load, const struct dk_facts *facts, size_t steps)
{
    const struct dk_staff_query *query = load->query;
    int64_t from_us = facts->step[0].at_us;
    uint64_t owner = 0, holder = 0; /* holder: 0 as well while nobody works it */
    for (size_t i = 0; i < steps; i++) {
        const struct dk_step *step = &facts->step[i];
        int64_t at_us = step->at_us > from_us ? step->at_us : from_us;
        bool worked = dk_is_live(step->status) && step->status != DOCKET__STATUS__STATUS_PENDING;
        owner = (step->what & DK_STEP_LATE) == 0 ? step->agent : owner;
        if ((step->what & DK_STEP_LOGGED) != 0 && step->agent != 0 &&
            step->at_us >= query->from_us && step->at_us < query->to_us) {
            dk_spans_add(&load->logged, step->agent, 0, (int64_t)step->value);
        }
        uint64_t next = worked ? owner : 0;
        if (next != holder) {
            take_span(load, holder, from_us, at_us);
            holder = next;
            from_us = at_us;
        }
    }
    take_span(load, holder, from_us, INT64_MAX);
}

static int by_agent(const void *a, const void *b)
{
    const struct dk_span *x = a, *y = b;
    if (x->agent != y->agent) {
        return x->agent < y->agent ? -1 : 1;
    }
    return x->from_us < y->from_us ? -1 : x->from_us > y->from_us;
}

static void sort_spans(struct dk_spans *spans)
{
    if (spans->count > 0) {
        qsort(spans->span, spans->count, sizeof *spans->span, by_agent);
    }
}

static void take_tickets(struct load *load, const struct dk_table *table)
{
    uint64_t ticket;
    const void *facts;
    size_t cursor = 0, bytes;
    while (dk_table_next(table, &cursor, &ticket, &facts, &bytes)) {
        take_ticket(load, facts, dk_facts_steps(bytes));
    }
    sort_spans(&load->owned);
    sort_spans(&load->logged);
}

/* ---------------------------------------------------------------- on shift */

static size_t first_of(const struct dk_spans *spans, uint64_t agent)
{
    size_t low = 0, high = spans->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (spans->span[middle].agent < agent) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static int64_t common_us(const struct dk_span *a, int64_t from_us, int64_t to_us)
{
    int64_t low = a->from_us > from_us ? a->from_us : from_us;
    int64_t high = a->to_us < to_us ? a->to_us : to_us;
    return high > low ? high - low : 0;
}

/* How much of [from, to) the agent was on shift: shifts are in order. */
static int64_t shift_us(const struct dk_spans *shifts, int64_t from_us, int64_t to_us)
{
    size_t low = 0, high = shifts->count;
    int64_t sum_us = 0;
    while (low < high) { /* the first that is not over at `from_us` */
        size_t middle = low + (high - low) / 2;
        if (shifts->span[middle].to_us <= from_us) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < shifts->count && shifts->span[low].from_us < to_us; low++) {
        sum_us += common_us(&shifts->span[low], from_us, to_us);
    }
    return sum_us;
}

static void take_work(struct load *load, struct work *work)
{
    const struct dk_spans *owned = &load->owned, *logged = &load->logged;
    int64_t until_us = INT64_MIN; /* busy as far as this is counted */
    load->shifts.count = 0;
    dk_spans_shifts(&load->shifts, load->refs, work->agent, load->query->from_us,
                    load->query->to_us);
    work->on_shift_us = shift_us(&load->shifts, load->query->from_us, load->query->to_us);
    for (size_t i = first_of(owned, work->agent);
         i < owned->count && owned->span[i].agent == work->agent; i++) {
        const struct dk_span *span = &owned->span[i];
        int64_t from_us = span->from_us > until_us ? span->from_us : until_us;
        work->owned_us += shift_us(&load->shifts, span->from_us, span->to_us);
        if (from_us < span->to_us) {
            work->busy_us += shift_us(&load->shifts, from_us, span->to_us);
            until_us = span->to_us;
        }
    }
    for (size_t i = first_of(logged, work->agent);
         i < logged->count && logged->span[i].agent == work->agent; i++) {
        work->logged_s += logged->span[i].to_us;
    }
}

static int on_agent(void *arg, const struct dk_refs_version *version)
{
    struct load *load = arg;
    if (load->count == load->capacity) {
        load->capacity = load->capacity == 0 ? 64 : 2 * load->capacity;
        load->work = realloc(load->work, load->capacity * sizeof *load->work);
        DK_ASSERT(load->work != NULL);
    }
    struct work *work = &load->work[load->count++];
    *work = (struct work){.agent = version->subject, .body = (const void *)version->body};
    take_work(load, work);
    return 0;
}

/* ---------------------------------------------------------------- rows */

static void put_sums(struct dk_listing *rows, const struct work *work)
{
    dk_listing_count(rows, "on_shift_s", (uint64_t)(work->on_shift_us / DK_SECOND_US));
    dk_listing_count(rows, "busy_s", (uint64_t)(work->busy_us / DK_SECOND_US));
    if (work->on_shift_us > 0) {
        dk_listing_real(rows, "utilization",
                        100.0 * (double)work->busy_us / (double)work->on_shift_us);
    } else {
        dk_listing_null(rows, "utilization");
    }
    dk_listing_count(rows, "logged_s", (uint64_t)work->logged_s);
}

static double load_of(const struct work *work)
{
    return (double)work->owned_us / (double)work->on_shift_us;
}

static void put_agent(struct dk_listing *rows, const struct work *work)
{
    if (work->on_shift_us == 0 && work->logged_s == 0) {
        return;
    }
    dk_listing_row(rows);
    dk_listing_entity(rows, work->agent);
    put_sums(rows, work);
    if (work->on_shift_us > 0) {
        dk_listing_real(rows, "load", load_of(work));
    } else {
        dk_listing_null(rows, "load");
    }
    dk_listing_row_end(rows);
}

struct group_rows {
    struct dk_listing *rows;
    const struct load *load;
};

static int on_group(void *arg, const struct dk_refs_version *version)
{
    const struct group_rows *groups = arg;
    struct dk_listing *rows = groups->rows;
    struct work sum = {0};
    double loads = 0, greatest = 0;
    unsigned agents = 0;
    for (size_t i = 0; i < groups->load->count; i++) {
        const struct work *work = &groups->load->work[i];
        if (!dk_staff_member(work->body, version->subject) || work->on_shift_us == 0) {
            continue;
        }
        agents++;
        sum.on_shift_us += work->on_shift_us;
        sum.busy_us += work->busy_us;
        sum.logged_s += work->logged_s;
        loads += load_of(work);
        greatest = load_of(work) > greatest ? load_of(work) : greatest;
    }
    if (agents == 0) {
        return 0;
    }
    dk_listing_row(rows);
    dk_listing_entity(rows, version->subject);
    dk_listing_count(rows, "agents", agents);
    put_sums(rows, &sum);
    if (loads > 0) {
        dk_listing_real(rows, "load_mean", loads / agents);
        dk_listing_real(rows, "load_max", greatest);
        dk_listing_real(rows, "imbalance", greatest * agents / loads);
    } else {
        dk_listing_null(rows, "load_mean");
        dk_listing_null(rows, "load_max");
        dk_listing_null(rows, "imbalance");
    }
    dk_listing_row_end(rows);
    return 0;
}

void dk_staff_load(struct dk_listing *rows, const struct dk_staff_query *query)
{
    struct load load = {.query = query, .refs = rows->analytics->world->refs};
    struct group_rows groups = {rows, &load};
    take_tickets(&load, rows->analytics->facts);
    (void)dk_refs_each(load.refs, DK_SUBJECT_AGENT, query->to_us, on_agent, &load);
    dk_listing_text(rows, "by", query->by_group ? "group" : "agent");
    if (query->by_group) {
        dk_listing_open(rows,
                        "group agents on_shift_s busy_s utilization logged_s load_mean load_max "
                        "imbalance");
        (void)dk_refs_each(load.refs, DK_SUBJECT_GROUP, query->to_us, on_group, &groups);
    } else {
        dk_listing_open(rows, "agent on_shift_s busy_s utilization logged_s load");
        for (size_t i = 0; i < load.count; i++) {
            put_agent(rows, &load.work[i]);
        }
    }
    dk_listing_close(rows);
    free(load.owned.span);
    free(load.logged.span);
    free(load.shifts.span);
    free(load.work);
}
