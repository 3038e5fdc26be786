/* Rows of the file as they are kept: the columns that the mapping names, and what tells a row
 * apart; and the memory that a number of them stands in. */
#ifndef DK_IMPORT_ROWS_H
#define DK_IMPORT_ROWS_H

#include "proto/base/err.h"
#include "proto/event/wire.h"
#include "replay/import/mapping.h"
#include <stddef.h>
#include <stdint.h>

struct dk_case_row {
    struct dk_case_row *next; /* of the same case */
    uint64_t case_number;     /* the number of its case's first row; 0 where cases stand together */
    uint64_t line;
    uint64_t number; /* of the row in the file, from 1; the header does not count */
    uint64_t digest;
    uint32_t ordinal; /* within the case, from 1 */
    bool in_log;      /* an earlier import made events of it; known once it was asked for */
    bool passed_over; /* it makes no events: not understood, or left out by an earlier import */
    int64_t key[DK_MAPPING_ORDER_MAX];
    struct dk_slice value[]; /* by slot; empty when not known. Behind them dk_mapping_kept's */
};

/* By case, in the order of their first rows; within a case by the mapping's order, ties as the file
 * has them. */
int dk_case_row_compare(const struct dk_case_row *left, const struct dk_case_row *right);

struct dk_rows {
    struct dk_rows_chunk *chunks; /* the one being filled first */
    uint64_t bytes;               /* of rows since the last reset */
    uint64_t max_bytes;
};

void dk_rows_init(struct dk_rows *rows, uint64_t max_bytes);
void dk_rows_close(struct dk_rows *rows);

/* A row with copies of these values, all else 0; good until the reset. NULL: DK_ETOOBIG (more than
 * `max_bytes`, and it is not the only row), DK_ENOMEM. */
struct dk_case_row *dk_rows_add(struct dk_rows *rows, const struct dk_slice *value, size_t columns,
                                struct dk_err *err);
/* Forgets all rows. */
void dk_rows_reset(struct dk_rows *rows);

#endif
