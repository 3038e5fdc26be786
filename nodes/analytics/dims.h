/* What reports are grouped and filtered by: values of a ticket at an instant, and times. */
#ifndef DK_ANALYTICS_DIMS_H
#define DK_ANALYTICS_DIMS_H

#include "nodes/analytics/facts.h"
#include "proto/base/buf.h"
#include "proto/calendar/zone.h"
#include "proto/refs/refs.h"
#include <stdbool.h>

/* NAME, word. A dimension's value is one number; 0 = none, or not known. */
#define DK_DIMS(X)                                                                                 \
    X(TICKET, "ticket")                                                                            \
    X(SITE, "site") /* its home: the ticket's number says it */                                    \
    X(LINE, "line")                                                                                \
    X(GROUP, "group")                                                                              \
    X(AGENT, "agent") /* the owner */                                                              \
    X(PRODUCT, "product")                                                                          \
    X(COMPANY, "company")   /* as its opening says, else the customer's at the instant */          \
    X(TIER, "tier")         /* the company's at the instant */                                     \
    X(SUPPLIER, "supplier") /* who has the ticket; of a hold that ends, who had it */              \
    X(PRIORITY, "priority")                                                                        \
    X(TYPE, "type")                                                                                \
    X(CHANNEL, "channel")                                                                          \
    X(STATUS, "status") /* of pending, for whom, too */                                            \
    X(YEAR, "year")     /* from here on: of the ending event, in the query's zone */               \
    X(QUARTER, "quarter")                                                                          \
    X(MONTH, "month")                                                                              \
    X(WEEK, "week") /* ISO 8601 */                                                                 \
    X(DAY, "day")                                                                                  \
    X(HOUR, "hour") /* of a date, with its offset: the night that has one twice has two */         \
    X(WEEKDAY, "weekday")                                                                          \
    X(HOUR_OF_DAY, "hour-of-day")

enum dk_dim {
#define X(NAME, word) DK_DIM_##NAME,
    DK_DIMS(X)
#undef X
        DK_DIM_COUNT
};
#define DK_DIM_FIRST_TIME DK_DIM_YEAR /* times are no filters: from and to are */

const char *dk_dim_word(enum dk_dim dim);

/* What values are read by. */
struct dk_dim_view {
    const struct dk_refs *refs;
    const struct dk_zone *zone;
    bool as_now;    /* customers and companies as they are at `now_us`, not as they were */
    int64_t now_us; /* recorded time of the last event */
};

/* A step's value of a dimension; `at_us` is the instant that times are told of. */
uint64_t dk_dim_value(const struct dk_dim_view *view, enum dk_dim dim, uint64_t ticket,
                      const struct dk_facts *facts, const struct dk_step *step, int64_t at_us);

/* How reports name a value: an entity's key (its id's text when it was never defined), a word, a
 * number, a date. Not for 0. */
#define DK_DIM_TEXT_BYTES 128
const char *dk_dim_text(enum dk_dim dim, uint64_t value, const struct dk_refs *refs,
                        char text[DK_DIM_TEXT_BYTES]);

/* The class of subject that a dimension's values are of; 0 when they are no entities. */
unsigned dk_dim_class(enum dk_dim dim);

/* The values that pass; none given: all pass. */
#define DK_FILTER_MAX 64
struct dk_filter {
    uint64_t value[DK_FILTER_MAX];
    size_t count;
};

/* Adds the value that `text` names. 0; DK_EINVAL (no such word, too many, not a filter);
 * DK_EREFERENCE. */
int dk_filter_add(struct dk_filter *filter, enum dk_dim dim, const char *text,
                  const struct dk_refs *refs, struct dk_err *err);

/* Whether a value passes; a product also when it was below one of them at `at_us`, and pending for
 * somebody when it is asked for pending. */
bool dk_filter_passes(const struct dk_filter *filter, enum dk_dim dim, uint64_t value,
                      const struct dk_refs *refs, int64_t at_us);

#endif
