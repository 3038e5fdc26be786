/* What a source's columns mean: MAP.yaml, read and checked.
 *
 *   source: uci-incident             # names the history; its events carry it
 *   format: csv                      # or xes (xes.h): its columns are attributes of events, and
 *                                    # "case:KEY" of traces; all are kept, whatever names them
 *   shape: snapshots                 # each row is the whole record; or activities: each is one act
 *   case: number                     # column that tells which ticket a row is of
 *   cases: together                  # a case's rows stand together; or scattered over the file
 *   order: [sys_updated_at]          # how a case's rows are sorted, ties by the next column, then
 *                                    # as the file has them; left out: as the file has them
 *   separator: ","
 *   missing: ["?"]                   # marks that say "not known"; an empty field always does
 *   times: {format: "%d/%m/%Y %H:%M", zone: UTC}
 *
 *   opened:  {at: opened_at, by: opened_by}            # of a case's first row
 *   changed: {at: sys_updated_at, by: sys_updated_by}  # of each row; by: an agent
 *
 *   customer: caller_id              # columns that hold what the ticket is now: a change of one is
 *   group: assignment_group          # an event
 *   assignee: assigned_to
 *   product: [category, subcategory] # from the catalogue's root down
 *   status: {column: incident_state, words: {New: new, "Awaiting Vendor": pending supplier}}
 *   priority: {column: priority, words: {"1 - Critical": critical}}  # type, impact, urgency, and
 *                                    # channel (of the first row) likewise
 *   final:                           # known only later: they make no event; a change to that
 *     solved: {at: resolved_at, by: resolved_by, code: close_code}  # status carries them
 *   attributes:                      # kept as custom fields; every change is an event, the first
 *     location: text                 # value too unless it is the one in `from`
 *     reopen_count: {type: number, from: "0"}
 *   ignored: [active]                # columns left out on purpose; others left out are reported
 *
 *   activities:                      # of that shape: what a row tells; the first that fits
 *     - when: {event: comment}
 *       from: requester              # only by the customer who asked, or by the first one to ask
 *       is: message inbound          # assigned, routed (`to` names whom), note, message outbound,
 *       customer: author             # message automatic, nothing, or a status
 *       text: body                   # customer or agent: who acts; text, id: of the message
 *
 * Words are docket's own: statuses new, open, pending, pending customer|supplier|internal, solved,
 * closed; priorities critical, high, normal, low; and so on. */
#ifndef DK_IMPORT_MAPPING_H
#define DK_IMPORT_MAPPING_H

#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/yaml.h"
#include "replay/import/csv.h"
#include "replay/import/time_format.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DK_MAPPING_COLUMNS_MAX    64
#define DK_MAPPING_MISSING_MAX    8
#define DK_MAPPING_ORDER_MAX      3
#define DK_MAPPING_LEVELS_MAX     4
#define DK_MAPPING_ATTRIBUTES_MAX 32
#define DK_MAPPING_ACTIVITIES_MAX 64
#define DK_MAPPING_CONDITIONS_MAX 4

/* Columns are known by their slot, from 0 in the order in which the mapping names them; DK_NO_SLOT
 * where it names none. */
#define DK_NO_SLOT (-1)

/* A value of the source, and what it is here. */
struct dk_word {
    struct dk_slice text;
    int status; /* of statuses: enum Status, and below enum Pending */
    int value;  /* of all others */
};
struct dk_words {
    int slot;
    size_t count;
    struct dk_word *word;
};
/* The word for `text`, or NULL. */
const struct dk_word *dk_words_find(const struct dk_words *words, struct dk_slice text);

/* Columns with words, in the order of docket.proto's Opened. */
enum dk_worded {
    DK_WORDED_CHANNEL,
    DK_WORDED_TYPE,
    DK_WORDED_PRIORITY,
    DK_WORDED_IMPACT,
    DK_WORDED_URGENCY,
    DK_WORDED_STATUS,
    DK_WORDED_COUNT
};
/* Its key in the mapping. */
const char *dk_worded_key(enum dk_worded which);

struct dk_final {
    bool given;
    int at;
    int by;
    int code;
};

struct dk_attribute {
    int slot;
    int type;             /* Docket__FieldType: text, number, date or choice */
    struct dk_slice from; /* what it is before the first row; empty: nothing */
};

enum dk_act {
    DK_ACT_NOTHING,
    DK_ACT_ASSIGNED,
    DK_ACT_ROUTED,
    DK_ACT_NOTE,
    DK_ACT_INBOUND,
    DK_ACT_OUTBOUND,
    DK_ACT_AUTOMATIC,
    DK_ACT_STATUS
};
struct dk_condition {
    int slot;
    struct dk_slice is;
};
struct dk_activity {
    size_t count;
    struct dk_condition when[DK_MAPPING_CONDITIONS_MAX];
    bool from_requester; /* and `customer` names who asked */
    enum dk_act act;
    int status; /* of DK_ACT_STATUS, and */
    int pending;
    int agent; /* slots */
    int customer;
    int to;
    int text;
    int id;
};

struct dk_mapping {
    struct dk_yaml_doc doc; /* owns every text below */
    uint8_t sha256[32];     /* of what it says: comments and layout do not count */
    const char *source;
    uint64_t source_id;
    bool activities_shape;
    bool scattered;
    bool xes;
    char separator;
    size_t missing_count;
    struct dk_slice missing[DK_MAPPING_MISSING_MAX];
    struct dk_zone *zone;
    struct dk_time_format time;

    size_t column_count;
    const char *column[DK_MAPPING_COLUMNS_MAX];
    int column_line[DK_MAPPING_COLUMNS_MAX];

    int case_key;
    size_t order_count;
    int order[DK_MAPPING_ORDER_MAX];
    int opened_at, opened_by;
    int changed_at, changed_by;
    int customer, group, assignee;
    size_t level_count;
    int level[DK_MAPPING_LEVELS_MAX]; /* of the product */
    struct dk_words worded[DK_WORDED_COUNT];
    struct dk_final final_solved, final_closed;
    size_t attribute_count;
    struct dk_attribute attribute[DK_MAPPING_ATTRIBUTES_MAX];
    size_t activity_count;
    struct dk_activity activity[DK_MAPPING_ACTIVITIES_MAX];
};

/* Reads a file, or a text called `name`. 0, or DK_EINVAL "FILE:LINE: what is wrong"; DK_ENOTFOUND;
 * DK_EIO. After an error there is nothing to close. */
int dk_mapping_load(struct dk_mapping *mapping, const char *path, struct dk_err *err);
int dk_mapping_parse(struct dk_mapping *mapping, const char *name, const char *text, size_t bytes,
                     struct dk_err *err);
void dk_mapping_close(struct dk_mapping *mapping);

/* Where each slot stands in a row, from the file's first row. DK_EINVAL names a column that the
 * file lacks or has twice, and the mapping's line that asks for it. */
int dk_mapping_bind(const struct dk_mapping *mapping, const struct dk_csv_row *header,
                    size_t position[DK_MAPPING_COLUMNS_MAX], struct dk_err *err);

/* The file's columns that the mapping does not mention, as "a, b, c", and how many. */
size_t dk_mapping_unmentioned(const struct dk_mapping *mapping, const struct dk_csv_row *header,
                              struct dk_buf *names);

/* Behind the slots of columns: what is kept of a row word for word, an encoded SourceRow. */
static inline int dk_mapping_kept(const struct dk_mapping *mapping)
{
    return (int)mapping->column_count;
}

static inline struct dk_slice dk_mapping_text(const char *text)
{
    return (struct dk_slice){(const uint8_t *)text, strlen(text)};
}

/* `value`, or an empty slice when it is a mark for "not known". */
struct dk_slice dk_mapping_known(const struct dk_mapping *mapping, struct dk_slice value);

static inline bool dk_slice_equal(struct dk_slice a, struct dk_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

#endif
