/* One run of an import: from a file and its mapping to events in the log.
 *
 *   input -> csv -> cases -> mapper -> drafts -> parcels -> sender -> broker
 *                                        |
 *                                      ledger: what the log holds already
 *
 * A second run sends nothing, a longer file what is new, a run after a kill what is missing. */
#ifndef DK_IMPORT_IMPORT_H
#define DK_IMPORT_IMPORT_H

#include "proto/peer/config.h"
#include "replay/import/report.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct dk_import_options {
    const char *map;  /* path of MAP.yaml */
    const char *file; /* path, or "-" */
    bool adopt;       /* make tickets live that are still open at the end */
    bool dry_run;     /* read and map only: no broker */
};

struct dk_import_summary {
    char source[96 + 1];
    uint64_t rows;
    uint64_t cases;
    uint64_t events;    /* of tickets, that the file's rows make */
    uint64_t conflicts; /* cases of which the log has other rows */
    uint64_t appended;  /* events that this run added to the log */
    uint64_t adopted;   /* tickets, by this run */
    json_t *open;       /* of --adopt: [{ticket, reference}] of the file's tickets that are live */
    json_t *overdue; /* those of them that were overdue at their adoption, as the sla node has it:
                      * [{ticket, reference, metric, instance, due, adopted, late_by_us}]; NULL:
                      * not known */
    bool interrupted;
};

/* Runs it; tells the person through `report`, whose `rejected` it counts. `summary` is filled also
 * on an error, as far as it came; the caller closes it. */
int dk_import_run(const struct dk_import_options *options, const struct dk_config *config,
                  struct dk_report *report, struct dk_import_summary *summary, struct dk_err *err);
void dk_import_summary_close(struct dk_import_summary *summary);

#endif
