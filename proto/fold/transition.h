/* What of a ticket's events moves its clocks, as flat entries that can be sorted by time.
 *
 * The clocks of a ticket are computed from all of its transitions in this order (DOMAIN T1, S3):
 *
 *     occurred, then class (stop, pause, change, start), then position
 *
 * so an event that comes in late falls into its place, and the clocks are computed anew. `change`
 * stands between pause and start: what ends at an instant is judged by what was in force before
 * it, what begins by what is in force from it on. One event may give several transitions: Opened
 * states a product, a priority, a group, ..., and begins the ticket. */
#ifndef DK_FOLD_TRANSITION_H
#define DK_FOLD_TRANSITION_H

#include "docket.pb-c.h"
#include "proto/base/id.h"
#include "proto/event/event.h"
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What happened, and what the value is. Ids are without their class. */
enum dk_change {
    DK_CHANGE_NONE,
    DK_CHANGE_OPENED,            /* bits of enum dk_opened, status from bit 8 on */
    DK_CHANGE_INBOUND,           /* a customer's message; 1: it wakes a waiting ticket (S11) */
    DK_CHANGE_REPLY,             /* a public one by a human; enum dk_reply */
    DK_CHANGE_STATUS,            /* status, pending from bit 8 on */
    DK_CHANGE_SUPPLIER_HANDED,   /* supplier */
    DK_CHANGE_SUPPLIER_RETURNED, /* supplier */
    DK_CHANGE_MERGED,            /* into another ticket */
    DK_CHANGE_MERGED_MESSAGE,    /* from another, unanswered since this instant (S10) */
    DK_CHANGE_ADOPTED,
    DK_CHANGE_CUSTOMER, /* from here on: what policies look at */
    DK_CHANGE_COMPANY,
    DK_CHANGE_PRODUCT,
    DK_CHANGE_GROUP,
    DK_CHANGE_PRIORITY,
    DK_CHANGE_TYPE,
    DK_CHANGE_CHANNEL,
    DK_CHANGE_LANGUAGE,    /* dk_transition_language */
    DK_CHANGE_TAG_ADDED,   /* dk_transition_word */
    DK_CHANGE_TAG_REMOVED, /* dk_transition_word */
    DK_CHANGE_COUNT
};

enum dk_reply {
    DK_REPLY_ASKS = 1,    /* for something */
    DK_REPLY_UNKNOWN = 2, /* imported, and not told whether it does */
};

enum dk_opened {
    DK_OPENED_IMPORTED = 1,
    DK_OPENED_BY_NOTES = 2, /* by an agent, with nothing said by a customer */
};

/* S3, and `change` (above). */
enum dk_transition_class {
    DK_CLASS_STOP,
    DK_CLASS_PAUSE,
    DK_CLASS_CHANGE,
    DK_CLASS_START,
};

struct dk_transition {
    int64_t occurred_us;
    uint64_t position;
    uint64_t change; /* enum dk_change in the highest 8 bits, value in the others */
};
_Static_assert(sizeof(struct dk_transition) == 24, "flat, without padding: its bytes are hashed");

/* Whether nobody had asked for anything when a ticket was opened. Who opens one for a customer on
 * the phone, or registers what one has told, was asked; otherwise an agent's ticket without a
 * customer's message is the agent's own. */
bool dk_opened_by_notes(const struct dk_envelope *event, const Docket__Opened *opened);

static inline enum dk_change dk_transition_what(const struct dk_transition *transition)
{
    return (enum dk_change)(transition->change >> 56);
}
static inline uint64_t dk_transition_value(const struct dk_transition *transition)
{
    return transition->change & DK_ID_MASK;
}
enum dk_transition_class dk_transition_class(const struct dk_transition *transition);

/* How tags stand in values, and conditions of policies are compared with them: a hash, never 0. */
uint64_t dk_transition_word(const uint8_t *text, size_t bytes);

/* How languages stand in values: the tag's first DK_LANGUAGE_BYTES bytes ("pt-BR", "zh-Hant"), the
 * first of them lowest. */
#define DK_LANGUAGE_BYTES 7
uint64_t dk_transition_language(const uint8_t *text, size_t bytes);

/* The transitions that one event of a ticket gives; 0 for most kinds, and for a `body` of NULL. Of
 * one event's tags, DK_TRANSITION_TAGS added and as many removed are looked at. */
#define DK_TRANSITION_TAGS      16
#define DK_TRANSITIONS_OF_EVENT (2 * DK_TRANSITION_TAGS + 10)
size_t dk_transitions_of(const struct dk_envelope *event, const ProtobufCMessage *body,
                         struct dk_transition out[DK_TRANSITIONS_OF_EVENT]);

/* The order above; total, whatever the order of arrival. */
bool dk_transition_before(const struct dk_transition *a, const struct dk_transition *b);

/* Puts one into its place among `count` sorted ones, after which there is room for another. */
void dk_transitions_insert(struct dk_transition *list, size_t count,
                           const struct dk_transition *transition);

#endif
