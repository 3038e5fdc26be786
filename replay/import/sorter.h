/* All rows of a file, sorted by case, in bounded memory.
 *
 *   add ... add --> in memory --full--> sorted run --> next ... next
 *                                       sorted run -->    (merged)
 *
 * Runs stand in one file in the folder TMPDIR, or /var/tmp, which has no name any more once it is
 * open: whatever ends the program, it is gone. While rows are added they take `memory_bytes`; while
 * runs are merged a buffer each, of 256 KiB or the size of its largest row. */
#ifndef DK_IMPORT_SORTER_H
#define DK_IMPORT_SORTER_H

#include "replay/import/rows.h"

#define DK_SORTER_RUNS_MAX 512

struct dk_sorter;

struct dk_sorter *dk_sorter_new(size_t columns, uint64_t memory_bytes);
void dk_sorter_free(struct dk_sorter **sorter);

/* Takes a row in; all it points to is copied. DK_EIO (the folder is full, or cannot be written),
 * DK_ETOOBIG (more than DK_SORTER_RUNS_MAX runs), DK_ENOMEM. */
int dk_sorter_add(struct dk_sorter *sorter, const struct dk_case_row *row, struct dk_err *err);

/* No more comes: the first row may be asked for. DK_EIO. */
int dk_sorter_end(struct dk_sorter *sorter, struct dk_err *err);

/* The case_number of the next row; 0: there is none. */
uint64_t dk_sorter_next_case(const struct dk_sorter *sorter);

/* The next row, which there is, copied into `rows`. DK_EIO; DK_ETOOBIG, DK_ENOMEM of dk_rows_add.
 */
int dk_sorter_next(struct dk_sorter *sorter, struct dk_rows *rows, struct dk_case_row **row,
                   struct dk_err *err);

#endif
