/* A report between its making and its printing; of this folder only.
 *
 *   tickets -> samples -> cells: a tally for each measure asked, and the numbers themselves where
 *                         quantiles are told (durations, numbers) */
#ifndef DK_ANALYTICS_KPI_REPORT_H
#define DK_ANALYTICS_KPI_REPORT_H

#include "nodes/analytics/kpi.h"
#include "proto/base/map.h"

struct dk_kpi_tally {
    uint64_t note[4];      /* by enum dk_sample_note */
    uint64_t above, below; /* values > 0 and < 0 */
};

struct dk_kpi_cell {
    uint64_t value[DK_KPI_BY_MAX];
};

struct dk_kpi_sample {
    int64_t value;
    uint32_t cell;
    uint32_t measure; /* place in the query's list */
};

struct dk_kpi_report {
    const struct dk_analytics *analytics;
    const struct dk_kpi_query *query;
    struct dk_kpi_cell *cell;   /* [0] is the total */
    struct dk_kpi_tally *tally; /* measure_count of them a cell */
    size_t cell_count, cell_capacity;
    struct dk_map cells; /* hash of a cell's values -> its number */
    struct dk_kpi_sample *sample;
    size_t sample_count, sample_capacity;
    bool too_many; /* cells */
};

/* Appends the report's JSON. 0 or DK_ETOOBIG. */
int dk_kpi_report_json(struct dk_kpi_report *report, struct dk_buf *json);

#endif
