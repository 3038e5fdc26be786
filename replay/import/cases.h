/* A file's rows, gathered into cases.
 *
 * A row is kept with the columns that the mapping names, and what tells it apart: its number in the
 * file, its ordinal in its case, a digest of its bytes. `cases: together` holds one case at a time;
 * `cases: scattered` reads the whole file first and sorts it by case (sorter.h), in memory and,
 * when that is used up, in a file of its own; then, too, one case is held at a time. A row that
 * cannot be read, has no case, or has no usable value to be sorted by is reported and left out. */
#ifndef DK_IMPORT_CASES_H
#define DK_IMPORT_CASES_H

#include "proto/base/id.h"
#include "replay/import/csv.h"
#include "replay/import/mapping.h"
#include "replay/import/report.h"
#include "replay/import/rows.h"
#include "replay/import/xes.h"
#include <stddef.h>
#include <stdint.h>

#define DK_CASES_MEMORY_BYTES (UINT64_C(256) << 20)

struct dk_case {
    struct dk_slice key;
    uint64_t id; /* dk_case_id(key) */
    uint32_t count;
    struct dk_case_row *first;
    struct dk_case_row *last;
};

/* A case's key as a number that is never 0. */
uint64_t dk_case_id(struct dk_slice key);
/* A row's bytes as a number; keyed by the log's salt, as they may name people. */
uint64_t dk_row_digest(struct dk_slice raw, const uint8_t salt[DK_SALT_BYTES]);

struct dk_cases;

/* Reads the header, if there is one: of `csv` and `xes` that which the mapping's format is is read,
 * and the other one may be NULL. Mapping, readers and report are borrowed. `memory_bytes`
 * (DK_CASES_MEMORY_BYTES) is for one case, and, while scattered cases are gathered, for all rows.
 * DK_EINVAL (a column is missing, no header), DK_EIO, DK_ENOMEM. */
int dk_cases_new(struct dk_cases **cases, const struct dk_mapping *mapping, struct dk_csv *csv,
                 struct dk_xes *xes, const uint8_t salt[DK_SALT_BYTES], uint64_t memory_bytes,
                 struct dk_report *report, struct dk_err *err);
void dk_cases_free(struct dk_cases **cases);

/* The next case, in the order of the cases' first rows: good until the next call. 1; 0 at the end;
 * DK_ETOOBIG (a case does not fit the memory), DK_EIO. */
int dk_cases_next(struct dk_cases *cases, const struct dk_case **next, struct dk_err *err);

/* Rows read so far, and the bytes of the file behind them. */
uint64_t dk_cases_rows(const struct dk_cases *cases);
uint64_t dk_cases_bytes(const struct dk_cases *cases);

#endif
