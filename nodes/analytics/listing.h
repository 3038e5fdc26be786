/* Reports that are lists: what the figures rest on, then rows of named values, as JSON.
 *
 *   {"report", "position", "fold_version", "definitions", "values", <what was asked>,
 *    "columns": [...], "rows": [{...}, ...], <what was left out>} */
#ifndef DK_ANALYTICS_LISTING_H
#define DK_ANALYTICS_LISTING_H

#include "nodes/analytics/analytics.h"
#include "proto/base/buf.h"
#include <stdbool.h>
#include <stdint.h>

struct dk_listing {
    const struct dk_analytics *analytics;
    struct dk_buf *out;
    bool inside; /* something stands before in this object or list */
    bool full;   /* DK_ETOOBIG */
};

void dk_listing_begin(struct dk_listing *list, const struct dk_analytics *analytics,
                      const char *report, struct dk_buf *out);
/* Of the object that is open: the whole until dk_listing_open, then the row; of the text NULL is
 * null, and a real has 1 to 6 decimals. `columns` are separated by blanks. */
void dk_listing_text(struct dk_listing *list, const char *name, const char *text);
void dk_listing_instant(struct dk_listing *list, const char *name, int64_t at_us, int offset_s);
void dk_listing_count(struct dk_listing *list, const char *name, uint64_t count);
void dk_listing_real(struct dk_listing *list, const char *name, double value);
void dk_listing_null(struct dk_listing *list, const char *name);
void dk_listing_open(struct dk_listing *list, const char *columns);
/* A row begins, ends; a row of an entity says its key under its class's word, and its name. */
void dk_listing_row(struct dk_listing *list);
void dk_listing_entity(struct dk_listing *list, uint64_t subject);
void dk_listing_row_end(struct dk_listing *list);
void dk_listing_close(struct dk_listing *list);
/* 0 or DK_ETOOBIG. */
int dk_listing_end(struct dk_listing *list, struct dk_err *err);

#endif
