/* Events of a log, or those of them that are wanted, written in a format that others read. */
#ifndef DK_EXPORT_EXPORT_H
#define DK_EXPORT_EXPORT_H

#include "replay/export/format.h"
#include "replay/history/past.h"

#define DK_EXPORT_KINDS_MAX 64

extern const struct dk_format *const dk_formats[]; /* ends with NULL */
/* NULL: there is none of this name. */
const struct dk_format *dk_format_find(const char *word);

struct dk_export_options {
    const struct dk_format *format;
    const char *out; /* a path, or "-" */

    /* What is wanted: all of these hold. */
    uint64_t first, last;   /* positions, both included */
    int64_t from_us, to_us; /* occurred: from here on, and before this */
    uint64_t ticket;        /* 0: any */
    uint64_t group;         /* who owns the ticket after the event; 0: any */
    size_t kind_count;      /* 0: all kinds */
    uint32_t kind[DK_EXPORT_KINDS_MAX];

    void *arg;
    int (*on_progress)(void *arg, uint64_t position); /* as dk_scan's */
};

struct dk_export_summary {
    uint64_t events; /* written */
    uint64_t bytes;
};

/* Reads the log once, from its beginning on, as definitions are needed for names. What ends early
 * leaves nothing under the file's name. 0; what on_progress returned; DK_ENOTFOUND (a group that
 * nothing defines, a folder that is not there), DK_ECORRUPT, DK_EIO. */
int dk_export_run(struct dk_past *past, const struct dk_export_options *options,
                  struct dk_export_summary *summary, struct dk_err *err);

#endif
