/* Records gathered by subject, in bounded memory: what is more than that goes, sorted, to a file
 * without a name in TMPDIR, or /var/tmp (replay/import/sorter.h). */
#ifndef DK_EXPORT_TRACES_H
#define DK_EXPORT_TRACES_H

#include "replay/import/rows.h"

struct dk_traces;

struct dk_traces *dk_traces_new(void);
void dk_traces_free(struct dk_traces **traces);

/* Takes a copy; those of one subject keep the order in which they come. A record of no bytes stands
 * for the subject alone. DK_EIO (the folder is full), DK_ETOOBIG, DK_ENOMEM. */
int dk_traces_add(struct dk_traces *traces, uint64_t subject, const uint8_t *record,
                  size_t record_bytes, struct dk_err *err);

/* No more comes: calls `on_trace` for each subject, in the order of their numbers, with its records
 * as a list (value[0] of each row), borrowed. Stops at the first non-zero, which is handed on.
 * DK_EIO; DK_ETOOBIG (one subject's records do not fit 256 MiB). */
int dk_traces_each(struct dk_traces *traces,
                   int (*on_trace)(void *arg, uint64_t subject, const struct dk_case_row *first),
                   void *arg, struct dk_err *err);

#endif
