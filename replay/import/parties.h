/* A file of customers or companies against what is in force: which definitions it adds or changes.
 *
 *   header -> columns;   row -> definition -> as in force? -> a change, or nothing
 *
 * A row says what its file has columns for: an empty cell takes away what was said, a column that
 * the file lacks leaves it. Rows stand alone; one that cannot be taken is told, and the next one
 * goes on. What a row names must be in force: companies before their customers. */
#ifndef DK_IMPORT_PARTIES_H
#define DK_IMPORT_PARTIES_H

#include "proto/refs/refs.h"
#include "replay/import/csv.h"
#include <stdio.h>

#define DK_PARTIES_SHOWN_MAX 20 /* changes that are shown; the others are counted */

struct dk_parties;

struct dk_parties_options {
    unsigned cls;               /* DK_SUBJECT_CUSTOMER or DK_SUBJECT_COMPANY */
    const struct dk_refs *refs; /* all reference data; borrowed */
    const uint8_t *salt;        /* the log's; borrowed */
    int64_t at_us;              /* what is in force then is compared with */
    bool from_at;               /* changes hold from `at_us` on, and not from when recorded */
    bool new_tiers;             /* tiers that nothing names are taken */
    const char *columns;        /* "NAME=THEIRS,...", or NULL; nothing behind = leaves NAME out */
    uint64_t actor;             /* of the events */
    FILE *shown;                /* where the first changes are shown; NULL: nowhere */
};

struct dk_party_change {
    uint64_t line; /* of the row */
    uint64_t number;
    size_t offset;
    size_t bytes;
};

struct dk_parties_counts {
    uint64_t rows;
    uint64_t added;
    uint64_t changed;
    uint64_t unchanged;
};

int dk_parties_new(struct dk_parties **parties, const struct dk_parties_options *options,
                   struct dk_err *err);
void dk_parties_free(struct dk_parties **parties);

/* Takes the first row as names of columns, whatever their case; those that are not understood are
 * named in `left_out`, ", " between them. DK_EINVAL: what must be there is missing, a name stands
 * twice, or `columns` names what is not there. */
int dk_parties_header(struct dk_parties *parties, const struct dk_csv_row *row,
                      struct dk_buf *left_out, struct dk_err *err);

/* Takes a row in. 0; the reason why it stays out; or DK_ENOMEM: the changes are more than one run
 * can hold. */
int dk_parties_row(struct dk_parties *parties, const struct dk_csv_row *row, struct dk_err *err);

const struct dk_parties_counts *dk_parties_counts(const struct dk_parties *parties);

/* Changes, in the order of their rows, and their records without stamps: good until the next row.
 */
size_t dk_parties_change_count(const struct dk_parties *parties);
const struct dk_party_change *dk_parties_change(const struct dk_parties *parties, size_t index);
const uint8_t *dk_parties_record(const struct dk_parties *parties, size_t index);

#endif
