/* A reader of XES (IEEE 1849), plain or packed by gzip, event by event, in bounded memory.
 *
 * An event is a row. Its column KEY is the event's attribute of that key, else what the log's
 * <global scope="event"> says of it; "case:KEY" is the trace's, else <global scope="trace">'s. Only
 * attributes that stand directly below an event or a trace are columns; those below others are kept
 * with them, as are all but the mapping's `ignored`.
 *
 * The XML is expat's to read. Refused with their line: what is not well-formed, a document type
 * (and so entities), more than DK_XES_DEPTH_MAX elements in each other, a tag of more than
 * DK_XES_TAG_MAX_BYTES. An event that is too large is told as a row, and the next one is read. */
#ifndef DK_IMPORT_XES_H
#define DK_IMPORT_XES_H

#include "proto/base/err.h"
#include "proto/event/wire.h"
#include "replay/import/mapping.h"
#include <sys/types.h>

#define DK_XES_DEPTH_MAX      64
#define DK_XES_TAG_MAX_BYTES  (4 * 1024 * 1024)
#define DK_XES_ATTRIBUTES_MAX 1024 /* of an event, and of a trace */

struct dk_xes;

struct dk_xes_row {
    uint64_t line;                                 /* on which the event begins, from 1 */
    uint64_t bytes;                                /* of the file, behind it or a little further */
    struct dk_slice raw;                           /* what the event says, to be told from others */
    struct dk_slice value[DK_MAPPING_COLUMNS_MAX]; /* by slot */
    struct dk_slice kept; /* an encoded SourceRow (docket.proto) without origin */
};

/* `read` as dk_csv_new's; `arg` and mapping are borrowed. */
int dk_xes_new(struct dk_xes **xes, const struct dk_mapping *mapping,
               ssize_t (*read)(void *arg, void *data, size_t bytes), void *arg, struct dk_err *err);
void dk_xes_free(struct dk_xes **xes);

/* 1 and the next event, good until the next call; 0 at the end; DK_EINVAL or DK_ETOOBIG for one
 * that stays out, or a trace without events (`row` has its line): the next call goes on behind it;
 * DK_EIO, DK_ENOMEM: nothing more can be read, "line 17: mismatched tag". */
int dk_xes_next(struct dk_xes *xes, struct dk_xes_row *row, struct dk_err *err);

#endif
