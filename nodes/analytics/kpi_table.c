#include "nodes/analytics/kpi.h"
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define TEXT_BYTES   160
#define COLUMNS_MAX  (DK_KPI_BY_MAX + DK_MEASURE_COUNT)
#define COLUMN_SPACE "  "

/* Lines of one shape: labels on the left, then figures. Row -1 is the heading, the last the total.
 */
struct block {
    const json_t *report;
    const json_t *cells;
    const char *measure;             /* NULL: the counts, a column each */
    const char *column[COLUMNS_MAX]; /* labels, then figures */
    size_t labels, columns;
};

static int count_rows(const struct block *block)
{
    return (int)json_array_size(block->cells) + 1;
}

/* A value's name where it has one, else its key. */
static void label_text(const struct block *block, int row, size_t column, char text[TEXT_BYTES])
{
    const json_t *cell = json_array_get(block->cells, (size_t)row);
    const char *dim = block->column[column];
    const char *name = json_string_value(json_object_get(json_object_get(cell, "name"), dim));
    const char *key = json_string_value(json_object_get(json_object_get(cell, "by"), dim));
    if (cell == NULL) {
        name = column == 0 ? "total" : "";
    }
    (void)snprintf(text, TEXT_BYTES, "%s", name != NULL ? name : key != NULL ? key : "-");
}

/* Figures that count are whole; all others show two decimals, whole or not. */
static bool is_whole(const char *column)
{
    static const char *const fractions[] = {"mean", "median", "p90",     "p99",
                                            "min",  "max",    "percent", "score"};
    for (size_t i = 0; i < sizeof fractions / sizeof fractions[0]; i++) {
        if (strcmp(fractions[i], column) == 0) {
            return false;
        }
    }
    return true;
}

static void figure_text(const struct block *block, int row, size_t column, char text[TEXT_BYTES])
{
    const json_t *cell = json_array_get(block->cells, (size_t)row);
    const json_t *measures =
        cell != NULL ? json_object_get(cell, "measures") : json_object_get(block->report, "total");
    const char *name = block->column[column];
    const json_t *figure = block->measure != NULL
                               ? json_object_get(json_object_get(measures, block->measure), name)
                               : json_object_get(json_object_get(measures, name), "n");
    if (!json_is_number(figure)) {
        (void)snprintf(text, TEXT_BYTES, "-");
    } else {
        (void)snprintf(text, TEXT_BYTES, "%.*f", is_whole(name) ? 0 : 2, json_number_value(figure));
    }
}

static void cell_text(const struct block *block, int row, size_t column, char text[TEXT_BYTES])
{
    if (row < 0) {
        (void)snprintf(text, TEXT_BYTES, "%s", block->column[column]);
    } else if (column < block->labels) {
        label_text(block, row, column, text);
    } else {
        figure_text(block, row, column, text);
    }
}

/* Characters, not bytes. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++) {
        width += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return width;
}

static int put_block(const struct block *block, struct dk_buf *out)
{
    int width[COLUMNS_MAX] = {0}, rc = 0;
    char text[TEXT_BYTES];
    for (int row = -1; row < count_rows(block); row++) {
        for (size_t c = 0; c < block->columns; c++) {
            cell_text(block, row, c, text);
            width[c] = width_of(text) > width[c] ? width_of(text) : width[c];
        }
    }
    for (int row = -1; row < count_rows(block); row++) {
        for (size_t c = 0; rc == 0 && c < block->columns; c++) {
            cell_text(block, row, c, text);
            int pad = width[c] - width_of(text);
            rc = c < block->labels ? dk_buf_printf(out, "%s%*s%s", text, pad, "", COLUMN_SPACE)
                                   : dk_buf_printf(out, "%*s%s%s", pad, "", text,
                                                   c + 1 < block->columns ? COLUMN_SPACE : "");
        }
        rc = rc != 0 ? rc : dk_buf_printf(out, "\n");
    }
    return rc;
}

/* ---------------------------------------------------------------- the blocks of a report */

static const struct dk_measure_info *info_of(const char *word)
{
    for (unsigned m = 0; m < DK_MEASURE_COUNT; m++) {
        if (strcmp(dk_measure_info(m)->word, word) == 0) {
            return dk_measure_info(m);
        }
    }
    return NULL;
}

static void begin_block(struct block *block, const json_t *report)
{
    const json_t *by = json_object_get(report, "by");
    *block = (struct block){.report = report, .cells = json_object_get(report, "cells")};
    for (size_t i = 0; i < json_array_size(by) && i < DK_KPI_BY_MAX; i++) {
        const char *dim = json_string_value(json_array_get(by, i));
        block->column[block->columns++] = dim != NULL ? dim : "?";
    }
    if (block->columns == 0) {
        block->column[block->columns++] = ""; /* where "total" stands */
    }
    block->labels = block->columns;
}

static void add_columns(struct block *block, enum dk_shape shape)
{
    static const char *const distribution[] = {"n",   "unknown", "mean", "median", "p90",
                                               "p99", "min",     "max",  NULL};
    static const char *const share[] = {"n",        "hits",      "percent", "unknown",
                                        "immature", "cancelled", NULL};
    static const char *const score[] = {"n", "promoters", "detractors", "score", NULL};
    const char *const *column = shape == DK_SHAPE_SHARE   ? share
                                : shape == DK_SHAPE_SCORE ? score
                                                          : distribution;
    for (; *column != NULL; column++) {
        block->column[block->columns++] = *column;
    }
}

static int put_counts(const json_t *report, struct dk_buf *out)
{
    struct block block;
    const char *word;
    json_t *figures;
    begin_block(&block, report);
    json_object_foreach(json_object_get(report, "total"), word, figures)
    {
        const struct dk_measure_info *info = info_of(word);
        if (info != NULL && info->shape == DK_SHAPE_COUNT) {
            block.column[block.columns++] = info->word;
        }
    }
    int rc = block.columns > block.labels ? dk_buf_printf(out, "\n") : 0;
    return rc == 0 && block.columns > block.labels ? put_block(&block, out) : rc;
}

static int put_measure(const json_t *report, const struct dk_measure_info *info, struct dk_buf *out)
{
    const char *unit = json_string_value(json_object_get(report, "unit"));
    bool has_unit = info->shape == DK_SHAPE_DURATION && unit != NULL;
    struct block block;
    begin_block(&block, report);
    block.measure = info->word;
    add_columns(&block, info->shape);
    int rc = dk_buf_printf(out, "\n%s%s%s: %s\n", info->word, has_unit ? " in " : "",
                           has_unit ? unit : "", info->about);
    return rc != 0 ? rc : put_block(&block, out);
}

static int put_heading(const json_t *report, struct dk_buf *out)
{
    static const char *const shown[] = {"values", "from",     "to",   "at",
                                        "time",   "calendar", "zone", "quantile"};
    const json_t *position = json_object_get(report, "position");
    const json_t *definitions = json_object_get(report, "definitions");
    int rc = dk_buf_printf(out, "position %lld, definitions %lld",
                           (long long)json_integer_value(position),
                           (long long)json_integer_value(definitions));
    for (size_t i = 0; rc == 0 && i < sizeof shown / sizeof shown[0]; i++) {
        const char *text = json_string_value(json_object_get(report, shown[i]));
        if (text != NULL) {
            rc = dk_buf_printf(out, ", %s %s", shown[i], text);
        }
    }
    return rc != 0 ? rc : dk_buf_printf(out, "\n");
}

static int put_report(const json_t *report, struct dk_buf *out)
{
    const char *word;
    json_t *figures;
    int rc = put_heading(report, out);
    rc = rc != 0 ? rc : put_counts(report, out);
    json_object_foreach(json_object_get(report, "total"), word, figures)
    {
        const struct dk_measure_info *info = info_of(word);
        if (rc == 0 && info != NULL && info->shape != DK_SHAPE_COUNT) {
            rc = put_measure(report, info, out);
        }
    }
    return rc;
}

int dk_kpi_table(struct dk_buf *text, const char *json, size_t json_bytes, struct dk_err *err)
{
    json_error_t error;
    json_t *report = json_loadb(json, json_bytes, 0, &error);
    int rc = 0;
    if (report == NULL || !json_is_object(json_object_get(report, "total"))) {
        rc = dk_err_set(err, DK_EINVAL, "this is no report of KPIs%s%s", report == NULL ? ": " : "",
                        report == NULL ? error.text : "");
    } else if (put_report(report, text) != 0) {
        rc = dk_err_set(err, DK_ETOOBIG, "the table is too large");
    }
    json_decref(report);
    return rc;
}
