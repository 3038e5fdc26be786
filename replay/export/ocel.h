/* What ocel.c, which writes events, and ocel_object.c, which writes objects, share. */
#ifndef DK_EXPORT_OCEL_H
#define DK_EXPORT_OCEL_H

#include "proto/event/body.h"
#include "replay/export/format.h"
#include "replay/export/traces.h"

struct dk_ocel {
    struct dk_exporting *with;
    struct dk_map seen;        /* of objects, 64 numbers a word: those that events have named */
    struct dk_traces *objects; /* each of those, and of tickets what changed their attributes */
    struct dk_buf value;
    bool first_event; /* or object: none is written yet */
    bool first;       /* nothing stands in the list at hand */
};

/* Whether the object is one of the export's. */
bool dk_ocel_knows(const struct dk_ocel *ocel, uint64_t subject);

void dk_ocel_put(struct dk_ocel *ocel, const char *word);
/* A comma, unless the list at hand is empty. */
void dk_ocel_next(struct dk_ocel *ocel);
/* A text as a JSON string. */
void dk_ocel_put_text(struct dk_ocel *ocel, const void *text, size_t bytes);

/* One of a list of relationships. */
void dk_ocel_relate(struct dk_ocel *ocel, uint64_t object, const char *qualifier);
/* One of a list of attributes: the value of a body's field, if it has one. `at_us`, unless
 * INT64_MIN, is since when. 0 or DK_ETOOBIG. */
int dk_ocel_attribute(struct dk_ocel *ocel, uint32_t kind, const ProtobufCMessage *body,
                      const ProtobufCFieldDescriptor *field, int64_t at_us);

/* The types of objects, as a list. */
void dk_ocel_put_object_types(struct dk_ocel *ocel);
/* Whether such subjects are objects. */
bool dk_ocel_is_object(uint64_t subject);
/* Whether an event of this kind says what a ticket is. */
bool dk_ocel_changes_ticket(uint32_t kind);
/* One object, from what was gathered of it: as dk_traces_each's on_trace. */
int dk_ocel_put_object(void *ocel, uint64_t subject, const struct dk_case_row *first);

#endif
