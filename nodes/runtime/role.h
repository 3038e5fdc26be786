/* What a role is: a pure fold of the log, and what its state says is owed.
 *
 * Only `apply` changes state, and it sees only the event and the state: no clock, no I/O, no
 * randomness. What is owed is asked item by item (an item is a subject: a ticket, or a group whose
 * queue moves): `consider` names the events that the state, at an instant, says must be appended
 * and are not. They are discharged only by coming back through the log, so a kill at any
 * instruction neither loses nor repeats a decision. Live node, replay and simulation drive the same
 * role. */
#ifndef DK_RUNTIME_ROLE_H
#define DK_RUNTIME_ROLE_H

#include "docket.pb-c.h"
#include "nodes/runtime/agenda.h"
#include "nodes/runtime/intents.h"
#include "nodes/runtime/table.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/event/event.h"
#include "proto/fold/ticket.h"
#include "proto/refs/refs.h"
#include <stdint.h>

#define DK_ROLE_TABLES_MAX 8

/* One event as a role sees it. */
struct dk_event {
    const struct dk_envelope *envelope;
    const ProtobufCMessage *body; /* unpacked; NULL for a kind not known here */
    const uint8_t *record;
    size_t record_bytes;
    const struct dk_ticket
        *before; /* the ticket's life before and after; NULL for other subjects */
    const struct dk_ticket *after;
};

/* What every role finds folded already when its `apply` is called. */
struct dk_world {
    struct dk_refs *refs;
    struct dk_table *tickets; /* subject -> struct dk_ticket */
    uint64_t position;        /* of the event being applied, or last applied */
    int64_t recorded_us;      /* of it */
};

struct dk_role_ops {
    const char *name;
    unsigned role;         /* enum dk_role */
    uint32_t fold_version; /* what apply computes; a change asks for a new one */
    uint32_t rule_version; /* what consider decides; stands in every Decision */

    /* Own tables: value sizes as dk_table_new takes them; number i of the list is table i + 1. */
    size_t table_count;
    size_t table_value_bytes[DK_ROLE_TABLES_MAX];

    /* How quiet entries are packed (dk_table_pack), of own tables and of the world's tickets; without
     * head words they are not. */
    struct dk_pack_layout table_layout[DK_ROLE_TABLES_MAX];
    struct dk_pack_layout tickets_layout;

    /* Makes the role's derived parts, empty. `table` are its own, in the order above. */
    int (*open)(void **self, const struct dk_world *world, struct dk_table *const *table,
                struct dk_err *err);
    void (*close)(void **self);

    /* Derives what is derived, after a restore; touches every item that may owe something. */
    int (*rebuild)(void *self, struct dk_agenda *agenda, struct dk_err *err);

    int (*apply)(void *self, const struct dk_event *event, struct dk_agenda *agenda,
                 struct dk_err *err);

    /* NULL: the role owes nothing, ever. Adds what `item` owes at `now_us`, and sets `*again_us` to
     * the instant at which the answer changes without an event (INT64_MAX: never). */
    void (*consider)(void *self, uint64_t item, int64_t now_us, struct dk_intents *intents,
                     int64_t *again_us);

    /* Answers a query by name with one JSON value. DK_ENOTFOUND for a name it does not know;
     * `argument` are "key=value". */
    int (*query)(void *self, const char *name, const char *const *argument, size_t argument_count,
                 struct dk_buf *json, struct dk_err *err);
};

#endif
