/* What a format of export is: it is begun once, given each event that is wanted, in the log's
 * order, and ended. A format is a row of the table in export.c. */
#ifndef DK_EXPORT_FORMAT_H
#define DK_EXPORT_FORMAT_H

#include "replay/export/names.h"
#include "replay/export/sink.h"

/* What it works with; borrowed. */
struct dk_exporting {
    struct dk_sink *sink;
    struct dk_names *names; /* has taken in all definitions before the event, wanted or not */
    struct dk_arena *arena; /* for an event at a time */
    struct dk_err *err;
    void *arg;
    int (*on_check)(
        void *arg); /* asked now and then at the end; non-zero ends it, and is given back */
};

struct dk_format {
    const char *word;  /* "csv" */
    const char *about; /* for --help */
    bool by_name;      /* it writes the file dk_sink_file names by itself: not to stdout */
    bool of_tickets;   /* it is given events of tickets only */

    /* Each: 0, or a DK_E... code with `err` filled. */
    int (*begin)(struct dk_exporting *exporting, void **state);
    int (*event)(void *state, const uint8_t *record, size_t record_bytes);
    int (*end)(void *state);
    void (*free)(void **state); /* after an error, too, and when nothing was begun */
};

extern const struct dk_format dk_format_csv, dk_format_jsonl, dk_format_sqlite, dk_format_xes,
    dk_format_ocel;

#endif
