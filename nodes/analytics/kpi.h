/* KPI reports over the facts of a log (DOMAIN "KPI"): who asks calls parse, run, table.
 *
 *   "measures=resolution" "by=priority" ... --parse--> struct dk_kpi_query
 *   query + state of the analytics role     --run----> one JSON object
 *   that JSON                               --table--> aligned text for a terminal
 *
 * The live node answers with run (queries "kpi" and "backlog" of its socket); a replay feeds a
 * dk_folder of `dk_analytics_role` from the log and calls dk_folder_query: the same position and
 * arguments give the same bytes. The report names what it rests on: position, versions of fold and
 * definitions, as-was or as-now.
 *
 * Arguments, each "key=value"; lists are separated by commas, and a key may be repeated:
 *
 *   measures=WORD,...   of measures.h; default opened,solved,closed,first-reply,resolution; the
 *                       query "backlog" asks for the three backlogs instead
 *   by=DIMENSION,...    of dims.h, at most 4: one cell for each combination that occurs
 *   DIMENSION=VALUE,... only these; an entity's key or class/hex id, a word, a number, "none" for
 *                       what is not known; product takes what stands below it too
 *   from=TIME to=TIME   ending event in [from, to); ISO 8601, in `zone` when it has no offset
 *   at=TIME             the backlogs' instant; default `to`, else the log's last recorded time
 *   zone=ZONE           of buckets of time and of times without an offset; UTC
 *   values=as-was|as-now    a step's own values, or the ticket's last ones; as-was
 *   time=wall|business  durations on the wall, or of the working time that the promise in force for
 *                       the ticket counts by (stretches.h); wall. Logged time is what it is
 *   calendar=KEY        business time by this calendar, for all tickets
 *   quantile=type7|nearest  linear interpolation, or nearest rank; type7
 *   unit=us|s|m|h|d     of durations, with at most 6 decimals, rounded half to even; s
 *
 * What is ripe (reopen-rate, first-contact) is judged at the recorded time of the event at the
 * report's position, by no clock of the asker's: the same position gives the same bytes whenever it
 * is asked, and a silent log ripens nothing. A foreign history is judged at its import: tickets of
 * its last days count as ripe though their source may not have been watched longer; `to` leaves
 * them out.
 *
 * Cost: one walk over all tickets in memory, then a sort of the samples. */
#ifndef DK_ANALYTICS_KPI_H
#define DK_ANALYTICS_KPI_H

#include "nodes/analytics/analytics.h"
#include "nodes/analytics/dims.h"
#include "nodes/analytics/measures.h"
#include <stdbool.h>

#define DK_KPI_DEFINITIONS 5 /* what the measures mean; a change asks for a new one */
#define DK_KPI_BY_MAX      4
#define DK_KPI_CELLS_MAX   1000000

struct dk_kpi_query {
    enum dk_measure measure[DK_MEASURE_COUNT];
    size_t measure_count;
    enum dk_dim by[DK_KPI_BY_MAX];
    size_t by_count;
    struct dk_filter filter[DK_DIM_COUNT];
    int64_t from_us; /* INT64_MIN: from the first */
    int64_t to_us;   /* INT64_MAX: to the last */
    int64_t at_us;   /* of backlogs; set by parse */
    bool as_now;
    bool business;     /* durations are of business time */
    uint64_t calendar; /* that it is counted by; 0: the one of each ticket's promise */
    bool nearest;
    enum dk_kpi_unit { DK_UNIT_US, DK_UNIT_S, DK_UNIT_M, DK_UNIT_H, DK_UNIT_D } unit;
    struct dk_zone *zone; /* owned */
};

/* Reads the arguments of the query `name` ("kpi" or "backlog"); entities are looked up in the
 * world. 0; DK_EINVAL, DK_EREFERENCE (no such entity), DK_ENOTFOUND (no such query or zone), each
 * naming the argument's key as the field. `query` need not be closed after an error. */
int dk_kpi_parse(struct dk_kpi_query *query, const struct dk_world *world, const char *name,
                 const char *const *argument, size_t argument_count, struct dk_err *err);
void dk_kpi_close(struct dk_kpi_query *query);

/* Appends the report as one JSON object. 0; DK_ETOOBIG (more than DK_KPI_CELLS_MAX cells, or
 * `json` is full). */
int dk_kpi_run(const struct dk_analytics *analytics, const struct dk_kpi_query *query,
               struct dk_buf *json, struct dk_err *err);

/* Appends the report `json` as aligned text: one block a measure, one line a cell, "total" last.
 * 0; DK_EINVAL when it is not a report; DK_ETOOBIG. */
int dk_kpi_table(struct dk_buf *text, const char *json, size_t json_bytes, struct dk_err *err);

#endif
