/* The annex of a heads checkpoint: what the core knows and is not a ticket's entry.
 *
 *   dk_counts   last, last_ticket, open_tickets, recorded_us
 *   producers   accepted numbers and their answers
 *   one-shots   request ids of the last day
 *   subjects    heads of all that are no tickets
 *   uint64_t    count, and as many positions: the ...Defined events, which are read again
 *
 * all native little-endian. It may be hundreds of megabytes: so it is frozen as views, and written
 * from these by the thread that writes the checkpoint. */
#ifndef DK_CORE_ANNEX_H
#define DK_CORE_ANNEX_H

#include "broker/core/state.h"

/* Heads are opened as of this version: of the entries and the annex. Heads of another are not
 * read, and the log is replayed from its first record. */
#define DK_ANNEX_VERSION 4
#define DK_HEADS_VERSION (DK_TICKET_FOLD_VERSION << 16 | DK_ANNEX_VERSION)

/* Freezes the heads as of the state's last position, with the annex: dk_heads_write is next. Costs
 * some bytes for each producer and for each thousand of the rest. 0, DK_EBUSY while a checkpoint
 * is under way, DK_ENOMEM. */
int dk_annex_freeze(struct dk_state *state, struct dk_err *err);

/* Fills an empty state from the annex of its heads, if there is one, and has the heads forget it.
 * 0, DK_ECORRUPT, DK_EBUSY, DK_ENOMEM. */
int dk_annex_load(struct dk_state *state, struct dk_err *err);

#endif
