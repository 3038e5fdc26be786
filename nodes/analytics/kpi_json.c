#include "nodes/analytics/kpi_report.h"
#include "nodes/analytics/stats.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct writer {
    struct dk_kpi_report *report;
    struct dk_buf *out;
    int64_t *number; /* room for one measure's numbers, sorted */
    bool full;
};

#define PUT(writer, ...) ((writer)->full |= dk_buf_printf((writer)->out, __VA_ARGS__) != 0)

static const int64_t unit_us[] = {
    [DK_UNIT_US] = 1,         [DK_UNIT_S] = DK_SECOND_US, [DK_UNIT_M] = DK_MINUTE_US,
    [DK_UNIT_H] = DK_HOUR_US, [DK_UNIT_D] = DK_DAY_US,
};

static int on_json_bytes(const char *bytes, size_t size, void *out)
{
    return dk_buf_append(out, bytes, size);
}

/* A string of JSON; null for NULL and for what is no UTF-8. */
static void put_string(struct writer *writer, const char *text)
{
    json_t *string = text != NULL ? json_string(text) : NULL;
    if (string == NULL) {
        PUT(writer, "null");
        return;
    }
    writer->full |= json_dump_callback(string, on_json_bytes, writer->out, JSON_ENCODE_ANY) != 0;
    json_decref(string);
}

static void put_instant(struct writer *writer, const char *name, int64_t at_us)
{
    const struct dk_zone *zone = writer->report->query->zone;
    char text[DK_TIME_TEXT_BYTES];
    bool open = at_us == INT64_MIN || at_us == INT64_MAX;
    PUT(writer, ",\"%s\":", name);
    put_string(writer, open ? NULL : dk_time_format(at_us, dk_zone_offset_s(zone, at_us), text));
}

/* ---------------------------------------------------------------- figures */

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void put_ratio(struct writer *writer, const char *name, struct dk_ratio ratio, int64_t unit)
{
    PUT(writer, ",\"%s\":", name);
    ratio.denominator *= unit;
    writer->full |= dk_ratio_put(writer->out, ratio) != 0;
}

static void put_distribution(struct writer *writer, const struct dk_kpi_tally *tally, size_t n,
                             int64_t unit)
{
    static const struct {
        const char *name;
        unsigned percent;
    } quantiles[] = {{"median", 50}, {"p90", 90}, {"p95", 95}, {"p99", 99}};
    const int64_t *number = writer->number;
    __int128 sum = 0;
    PUT(writer, "{\"n\":%zu,\"unknown\":%" PRIu64, n, tally->note[DK_SAMPLE_UNKNOWN]);
    if (n == 0) {
        PUT(writer, "}");
        return;
    }
    qsort(writer->number, n, sizeof *writer->number, by_number);
    for (size_t i = 0; i < n; i++) {
        sum += number[i];
    }
    put_ratio(writer, "mean", (struct dk_ratio){sum, (int64_t)n}, unit);
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++) {
        put_ratio(writer, quantiles[i].name,
                  dk_quantile(number, n, quantiles[i].percent, writer->report->query->nearest),
                  unit);
    }
    put_ratio(writer, "min", (struct dk_ratio){number[0], 1}, unit);
    put_ratio(writer, "max", (struct dk_ratio){number[n - 1], 1}, unit);
    put_ratio(writer, "sum", (struct dk_ratio){sum, 1}, unit);
    PUT(writer, "}");
}

static void put_percent(struct writer *writer, const char *name, int64_t part, uint64_t whole)
{
    if (whole == 0) {
        PUT(writer, ",\"%s\":null", name);
    } else {
        put_ratio(writer, name, (struct dk_ratio){(__int128)part * 100, (int64_t)whole}, 1);
    }
}

static void put_share(struct writer *writer, const struct dk_kpi_tally *tally)
{
    uint64_t n = tally->note[DK_SAMPLE_VALUE];
    PUT(writer, "{\"n\":%" PRIu64 ",\"hits\":%" PRIu64, n, tally->above);
    put_percent(writer, "percent", (int64_t)tally->above, n);
    PUT(writer, ",\"unknown\":%" PRIu64 ",\"immature\":%" PRIu64 ",\"cancelled\":%" PRIu64 "}",
        tally->note[DK_SAMPLE_UNKNOWN], tally->note[DK_SAMPLE_IMMATURE],
        tally->note[DK_SAMPLE_CANCELLED]);
}

static void put_score(struct writer *writer, const struct dk_kpi_tally *tally)
{
    uint64_t n = tally->note[DK_SAMPLE_VALUE];
    PUT(writer, "{\"n\":%" PRIu64 ",\"promoters\":%" PRIu64 ",\"detractors\":%" PRIu64, n,
        tally->above, tally->below);
    put_percent(writer, "score", (int64_t)tally->above - (int64_t)tally->below, n);
    PUT(writer, "}");
}

/* The measures of a cell; `sample` are its own, by measure. */
static void put_measures(struct writer *writer, size_t cell, const struct dk_kpi_sample *sample,
                         size_t samples)
{
    const struct dk_kpi_query *query = writer->report->query;
    size_t next = 0;
    for (size_t m = 0; m < query->measure_count; m++) {
        const struct dk_measure_info *info = dk_measure_info(query->measure[m]);
        const struct dk_kpi_tally *tally = &writer->report->tally[cell * query->measure_count + m];
        size_t n = 0;
        for (; next < samples && sample[next].measure == m; next++) {
            writer->number[n++] = sample[next].value;
        }
        PUT(writer, "%s\"%s\":", m > 0 ? "," : "{", info->word);
        switch (info->shape) {
        case DK_SHAPE_COUNT: PUT(writer, "{\"n\":%" PRIu64 "}", tally->note[0]); break;
        case DK_SHAPE_DURATION: put_distribution(writer, tally, n, unit_us[query->unit]); break;
        case DK_SHAPE_NUMBER: put_distribution(writer, tally, n, 1); break;
        case DK_SHAPE_SHARE: put_share(writer, tally); break;
        case DK_SHAPE_SCORE: put_score(writer, tally); break;
        }
    }
    PUT(writer, "}");
}

/* ---------------------------------------------------------------- cells */

static int by_measure(const void *a, const void *b)
{
    const struct dk_kpi_sample *x = a, *y = b;
    return x->measure < y->measure ? -1 : x->measure > y->measure;
}

static int by_cell(const void *a, const void *b)
{
    const struct dk_kpi_sample *x = a, *y = b;
    return x->cell != y->cell ? (x->cell < y->cell ? -1 : 1) : by_measure(a, b);
}

static void sort_samples(struct dk_kpi_report *report, int (*order)(const void *, const void *))
{
    if (report->sample_count > 0) {
        qsort(report->sample, report->sample_count, sizeof *report->sample, order);
    }
}

/* Entities by their keys, all else by number; what is not known comes last. */
static int compare_values(const struct dk_kpi_report *report, enum dk_dim dim, uint64_t a,
                          uint64_t b)
{
    const struct dk_refs *refs = report->analytics->world->refs;
    char text[2][DK_DIM_TEXT_BYTES];
    if (a == b || a == 0 || b == 0) {
        return a == b ? 0 : a == 0 ? 1 : -1;
    }
    int order = dk_dim_class(dim) == 0 ? 0
                                       : strcmp(dk_dim_text(dim, a, refs, text[0]),
                                                dk_dim_text(dim, b, refs, text[1]));
    return order != 0 ? order : a < b ? -1 : 1;
}

static int compare_cells(const void *a, const void *b, void *arg)
{
    const struct dk_kpi_report *report = arg;
    const struct dk_kpi_cell *x = &report->cell[*(const size_t *)a];
    const struct dk_kpi_cell *y = &report->cell[*(const size_t *)b];
    int order = 0;
    for (size_t i = 0; order == 0 && i < report->query->by_count; i++) {
        order = compare_values(report, report->query->by[i], x->value[i], y->value[i]);
    }
    return order;
}

static void put_cell_values(struct writer *writer, const struct dk_kpi_cell *cell)
{
    const struct dk_kpi_query *query = writer->report->query;
    const struct dk_refs *refs = writer->report->analytics->world->refs;
    char text[DK_DIM_TEXT_BYTES], name[DK_NAME_BYTES];
    size_t named = 0;
    for (size_t i = 0; i < query->by_count; i++) {
        PUT(writer, "%s\"%s\":", i > 0 ? "," : "{\"by\":{", dk_dim_word(query->by[i]));
        put_string(writer, cell->value[i] == 0
                               ? NULL
                               : dk_dim_text(query->by[i], cell->value[i], refs, text));
    }
    PUT(writer, "}");
    for (size_t i = 0; i < query->by_count; i++) {
        if (cell->value[i] != 0 && dk_dim_class(query->by[i]) != 0) {
            PUT(writer, "%s\"%s\":", named++ > 0 ? "," : ",\"name\":{", dk_dim_word(query->by[i]));
            put_string(writer, dk_refs_name(refs, cell->value[i], name));
        }
    }
    PUT(writer, "%s", named > 0 ? "}" : "");
}

static void put_cells(struct writer *writer)
{
    struct dk_kpi_report *report = writer->report;
    size_t count = report->cell_count, *order = calloc(count, sizeof *order);
    size_t *start = calloc(count + 1, sizeof *start);
    DK_ASSERT(order != NULL && start != NULL);
    sort_samples(report, by_cell);
    for (size_t i = 0; i < report->sample_count; i++) {
        start[report->sample[i].cell + 1]++;
    }
    for (size_t i = 0; i < count; i++) {
        start[i + 1] += start[i];
        order[i] = i;
    }
    qsort_r(order + 1, count - 1, sizeof *order, compare_cells, report);
    PUT(writer, ",\"cells\":[");
    for (size_t i = 1; i < count && !writer->full; i++) {
        size_t cell = order[i];
        PUT(writer, "%s", i > 1 ? "," : "");
        put_cell_values(writer, &report->cell[cell]);
        PUT(writer, ",\"measures\":");
        size_t n = start[cell + 1] - start[cell];
        put_measures(writer, cell, n > 0 ? &report->sample[start[cell]] : NULL, n);
        PUT(writer, "}");
    }
    PUT(writer, "]");
    free(order);
    free(start);
}

/* ---------------------------------------------------------------- the whole */

static void put_filters(struct writer *writer)
{
    const struct dk_kpi_query *query = writer->report->query;
    const struct dk_refs *refs = writer->report->analytics->world->refs;
    char text[DK_DIM_TEXT_BYTES];
    size_t said = 0;
    PUT(writer, ",\"where\":{");
    for (unsigned dim = 0; dim < DK_DIM_FIRST_TIME; dim++) {
        const struct dk_filter *filter = &query->filter[dim];
        for (size_t i = 0; i < filter->count; i++) {
            if (i == 0) {
                PUT(writer, "%s\"%s\":[", said++ > 0 ? "," : "", dk_dim_word(dim));
            }
            PUT(writer, "%s", i > 0 ? "," : "");
            put_string(writer, filter->value[i] == 0
                                   ? NULL
                                   : dk_dim_text(dim, filter->value[i], refs, text));
        }
        PUT(writer, "%s", filter->count > 0 ? "]" : "");
    }
    PUT(writer, "}");
}

static void put_calendar(struct writer *writer)
{
    const struct dk_refs_version *version =
        dk_refs_last(writer->report->analytics->world->refs, writer->report->query->calendar);
    char key[DK_DIM_TEXT_BYTES];
    if (version == NULL) {
        put_string(writer, NULL);
        return;
    }
    const ProtobufCBinaryData *text = &dk_refs_definition(version)->key;
    (void)snprintf(key, sizeof key, "%.*s", (int)text->len, (const char *)text->data);
    put_string(writer, key);
}

static void put_header(struct writer *writer)
{
    static const char *const units[] = {"us", "s", "m", "h", "d"};
    const struct dk_kpi_query *query = writer->report->query;
    const struct dk_world *world = writer->report->analytics->world;
    PUT(writer, "{\"report\":\"kpi\",\"position\":%" PRIu64, world->position);
    PUT(writer, ",\"fold_version\":%u,\"definitions\":%u,\"values\":\"%s\"",
        dk_analytics_role.fold_version, DK_KPI_DEFINITIONS, query->as_now ? "as-now" : "as-was");
    put_instant(writer, "from", query->from_us);
    put_instant(writer, "to", query->to_us);
    put_instant(writer, "at", query->at_us);
    PUT(writer, ",\"time\":\"%s\",\"calendar\":", query->business ? "business" : "wall");
    put_calendar(writer);
    PUT(writer, ",\"zone\":\"%s\",\"quantile\":\"%s\",\"unit\":\"%s\",\"by\":[",
        dk_zone_name(query->zone), query->nearest ? "nearest" : "type7", units[query->unit]);
    for (size_t i = 0; i < query->by_count; i++) {
        PUT(writer, "%s\"%s\"", i > 0 ? "," : "", dk_dim_word(query->by[i]));
    }
    PUT(writer, "]");
    put_filters(writer);
}

int dk_kpi_report_json(struct dk_kpi_report *report, struct dk_buf *json)
{
    struct writer writer = {.report = report, .out = json};
    writer.number = calloc(report->sample_count + 1, sizeof *writer.number);
    DK_ASSERT(writer.number != NULL);
    put_header(&writer);
    PUT(&writer, ",\"total\":");
    sort_samples(report, by_measure);
    put_measures(&writer, 0, report->sample, report->sample_count);
    put_cells(&writer);
    PUT(&writer, "}");
    free(writer.number);
    return writer.full ? DK_ETOOBIG : 0;
}
