/* Which tickets a definition concerns, when it tells of the past: those that have been judged since
 * the instant from which it holds. They are looked at again, so that it is the same whether a
 * definition came before an event or after it.
 *
 *   definition --> its customer's tickets, touched at once      (few, by an index)
 *              --> a walk over all tickets, a slice at a time   (the rest; one walk for all that
 *                                                                come in meanwhile)
 *
 * What comes in as usual, in force from when it was recorded, concerns nothing that was judged, and
 * costs nothing. But what holds for open tickets from then on (a policy that is published to them,
 * a calendar) concerns all that are not over.
 *
 * All of it is derived: a restart looks at every ticket anyway. */
#ifndef DK_SLA_REACH_H
#define DK_SLA_REACH_H

#include "nodes/runtime/agenda.h"
#include "proto/base/id.h"
#include "proto/base/map.h"
#include "proto/event/event.h"
#include "proto/fold/transition.h"

struct dk_sla;

/* What the agenda has for the next slice. */
#define DK_REACH_ITEM  dk_id_make(DK_SUBJECT_POLICY, 0)
#define DK_REACH_SLICE 512 /* tickets */

/* A ticket, under a customer that it had (0: none was told). */
struct dk_reach_entry {
    uint64_t ticket;
    uint32_t next; /* of the customer: index + 1, or 0 */
    uint32_t reserved;
};

struct dk_reach {
    struct dk_reach_entry *entry; /* each ticket once or more */
    size_t count, capacity;
    struct dk_map newest_of; /* customer -> index + 1 of the last entry */
    int64_t newest_us;       /* no event of a ticket occurred later */
    /* the walk: */
    struct dk_agenda *agenda;
    size_t at, left; /* entries */
    int64_t from_us; /* it is for tickets that were judged at it or later */
    bool open;       /* and for all that are not over */
};

void dk_reach_init(struct dk_reach *reach);
void dk_reach_close(struct dk_reach *reach);

/* Transitions of a ticket, of one event or of all. */
void dk_reach_note(struct dk_reach *reach, uint64_t ticket, const struct dk_transition *transition,
                   size_t count);

/* A definition was taken in. */
void dk_reach_defined(struct dk_sla *self, const struct dk_envelope *envelope,
                      struct dk_agenda *agenda);

/* The next slice; false: the walk is over. */
bool dk_reach_walk(struct dk_sla *self);

#endif
