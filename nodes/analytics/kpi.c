#include "nodes/analytics/kpi.h"
#include "nodes/analytics/kpi_report.h"
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- cells */

static void *grow(void *array, size_t count, size_t *capacity, size_t element_bytes)
{
    if (count == *capacity) {
        *capacity = *capacity == 0 ? 64 : *capacity * 2;
        array = realloc(array, *capacity * element_bytes);
        DK_ASSERT(array != NULL);
    }
    return array;
}

static uint32_t add_cell(struct dk_kpi_report *report, const struct dk_kpi_cell *cell)
{
    size_t measures = report->query->measure_count, n = report->cell_count, capacity;
    capacity = report->cell_capacity;
    report->cell = grow(report->cell, n, &capacity, sizeof *report->cell);
    report->tally =
        grow(report->tally, n, &report->cell_capacity, measures * sizeof *report->tally);
    report->cell[n] = *cell;
    memset(&report->tally[n * measures], 0, measures * sizeof *report->tally);
    report->cell_count++;
    return (uint32_t)n;
}

static uint64_t hash_cell(const struct dk_kpi_cell *cell)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < DK_KPI_BY_MAX; i++) {
        hash = (hash ^ cell->value[i]) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    return hash | 1;
}

/* The number of the cell with these values, which is made when it is not there; 0: too many. */
static uint32_t find_cell(struct dk_kpi_report *report, const struct dk_kpi_cell *cell)
{
    for (uint64_t hash = hash_cell(cell);; hash += 2) {
        bool created;
        uint32_t *number = dk_map_put(&report->cells, hash, &created);
        if (number == NULL) {
            report->too_many = true;
            return 0;
        }
        if (created) {
            *number = add_cell(report, cell);
        }
        if (created || memcmp(&report->cell[*number], cell, sizeof *cell) == 0) {
            return *number;
        }
    }
}

/* ---------------------------------------------------------------- samples */

static void count_sample(struct dk_kpi_report *report, uint32_t cell, uint32_t place, int64_t value,
                         enum dk_sample_note note)
{
    struct dk_kpi_tally *tally = &report->tally[cell * report->query->measure_count + place];
    tally->note[note]++;
    tally->above += note == DK_SAMPLE_VALUE && value > 0;
    tally->below += note == DK_SAMPLE_VALUE && value < 0;
}

static void keep_sample(struct dk_kpi_report *report, uint32_t cell, uint32_t place, int64_t value)
{
    report->sample = grow(report->sample, report->sample_count, &report->sample_capacity,
                          sizeof *report->sample);
    report->sample[report->sample_count++] = (struct dk_kpi_sample){value, cell, place};
}

static uint32_t place_of(const struct dk_kpi_query *query, enum dk_measure measure)
{
    uint32_t place = 0;
    while (query->measure[place] != measure) {
        place++;
    }
    return place;
}

static struct dk_dim_view view_of(const struct dk_kpi_report *report)
{
    const struct dk_world *world = report->analytics->world;
    return (struct dk_dim_view){.refs = world->refs,
                                .zone = report->query->zone,
                                .as_now = report->query->as_now,
                                .now_us = world->recorded_us};
}

static bool passes(const struct dk_kpi_report *report, const struct dk_case *walked,
                   const struct dk_step *step, int64_t at_us)
{
    const struct dk_kpi_query *query = report->query;
    const struct dk_dim_view view = view_of(report);
    for (unsigned dim = 0; dim < DK_DIM_FIRST_TIME; dim++) {
        if (query->filter[dim].count > 0 &&
            !dk_filter_passes(&query->filter[dim], dim,
                              dk_dim_value(&view, dim, walked->ticket, walked->facts, step, at_us),
                              view.refs, query->as_now ? view.now_us : at_us)) {
            return false;
        }
    }
    return true;
}

/* A step with the values that the ticket has now. */
static struct dk_step as_now(const struct dk_step *step, const struct dk_ticket *life)
{
    struct dk_step now = *step;
    now.group = life->group;
    now.agent = life->owner;
    now.product = life->product;
    now.customer = life->customer;
    now.supplier = life->supplier != 0 ? life->supplier : step->supplier; /* its hold stays his */
    now.status = life->status;
    now.pending = life->pending;
    now.line = life->line;
    now.priority = life->priority;
    now.type = life->type;
    return now;
}

static void on_sample(void *arg, const struct dk_case *walked, enum dk_measure measure,
                      const struct dk_step *step, int64_t at_us, int64_t value,
                      enum dk_sample_note note)
{
    struct dk_kpi_report *report = arg;
    const struct dk_kpi_query *query = report->query;
    enum dk_shape shape = dk_measure_info(measure)->shape;
    struct dk_kpi_cell cell = {0};
    uint32_t place = place_of(query, measure), number = 0;
    const struct dk_dim_view view = view_of(report);
    const struct dk_step valued = query->as_now ? as_now(step, walked->life) : *step;
    if ((measure < DK_MEASURE_BACKLOG && (at_us < query->from_us || at_us >= query->to_us)) ||
        !passes(report, walked, &valued, at_us)) {
        return;
    }
    for (size_t i = 0; i < query->by_count; i++) {
        cell.value[i] =
            dk_dim_value(&view, query->by[i], walked->ticket, walked->facts, &valued, at_us);
    }
    count_sample(report, 0, place, value, note);
    if (query->by_count > 0) {
        number = find_cell(report, &cell);
        count_sample(report, number, place, value, note);
    }
    if (note == DK_SAMPLE_VALUE && (shape == DK_SHAPE_DURATION || shape == DK_SHAPE_NUMBER)) {
        keep_sample(report, number, place, value);
    }
}

/* ---------------------------------------------------------------- all tickets */

static void measure_tickets(struct dk_kpi_report *report)
{
    const struct dk_kpi_query *query = report->query;
    const struct dk_analytics *analytics = report->analytics;
    struct dk_measuring measuring = {
        .rule = {.refs = analytics->world->refs,
                 .business = query->business,
                 .calendar = query->calendar,
                 .as_now = query->as_now,
                 .now_us = analytics->world->recorded_us},
        .facts = analytics->facts,
        .tickets = analytics->world->tickets,
        .at_us = query->at_us,
        .on_sample = on_sample,
        .arg = report,
    };
    struct dk_case walked;
    uint64_t ticket;
    const void *facts;
    size_t cursor = 0, bytes;
    while (!report->too_many && dk_table_next(analytics->facts, &cursor, &ticket, &facts, &bytes)) {
        dk_case_walk(&walked, ticket, dk_table_get(analytics->world->tickets, ticket, NULL), facts,
                     dk_facts_steps(bytes));
        for (size_t i = 0; i < query->measure_count; i++) {
            dk_measure_case(&measuring, &walked, query->measure[i]);
        }
    }
}

int dk_kpi_run(const struct dk_analytics *analytics, const struct dk_kpi_query *query,
               struct dk_buf *json, struct dk_err *err)
{
    struct dk_kpi_report report = {.analytics = analytics, .query = query};
    struct dk_kpi_cell total = {0};
    int rc;
    dk_map_init(&report.cells, sizeof(uint32_t), DK_KPI_CELLS_MAX);
    (void)add_cell(&report, &total);
    measure_tickets(&report);
    if (report.too_many) {
        rc = dk_err_field(err, DK_ETOOBIG, "by", "more than %d cells: group by less",
                          DK_KPI_CELLS_MAX);
    } else if (dk_kpi_report_json(&report, json) != 0) {
        rc = dk_err_field(err, DK_ETOOBIG, "by", "the report is too large: group by less");
    } else {
        rc = 0;
    }
    dk_map_close(&report.cells);
    free(report.cell);
    free(report.tally);
    free(report.sample);
    return rc;
}
