/* All tickets of a log, as their events left them, and the reference data beside them. */
#ifndef DK_REPLAY_HISTORY_TICKETS_H
#define DK_REPLAY_HISTORY_TICKETS_H

#include "proto/base/arena.h"
#include "proto/base/map.h"
#include "proto/fold/ticket.h"
#include "proto/refs/refs.h"

#define DK_TICKETS_MAX ((size_t)1 << 28)

struct dk_ticket_entry {
    struct dk_ticket ticket;
    uint64_t opened_position; /* of its Opened, where the subject stands */
    int64_t last_us;          /* occurred, of its last event */
};

struct dk_tickets {
    struct dk_map map; /* subject -> struct dk_ticket_entry */
    struct dk_refs *refs;
    struct dk_arena arena;
};

int dk_tickets_init(struct dk_tickets *tickets, struct dk_err *err);
void dk_tickets_close(struct dk_tickets *tickets);

/* Folds the next record of the log: a ticket's, or a definition. 0; DK_EINVAL, DK_ENOMEM. */
int dk_tickets_apply(struct dk_tickets *tickets, const uint8_t *record, size_t record_bytes,
                     struct dk_err *err);

#endif
