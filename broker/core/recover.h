/* Recovery: the state at a heads checkpoint, then the log's tail.
 *
 * What is not a ticket's entry stands in the checkpoint's annex:
 *
 *   uint64_t    DK_ANNEX_VERSION
 *   dk_counts   last, last_ticket, open_tickets, recorded_us
 *   producers   accepted numbers and their answers
 *   one-shots   request ids of the last day
 *   subjects    heads of all that are no tickets
 *   uint64_t    count, and as many positions: the ...Defined events, which are read again
 *
 * all native little-endian. An annex of another version is not read: the log is replayed from its
 * first record, over entries that are already there. */
#ifndef DK_CORE_RECOVER_H
#define DK_CORE_RECOVER_H

#include "broker/core/state.h"
#include "broker/log/store.h"

#define DK_ANNEX_VERSION 3

/* Brings a fresh state up to the store's end: records are verified (crc, dense positions, times
 * that do not go back, whole chains). A ticket's entry that has seen an event already, of a
 * checkpoint that was cut off, is passed over. Large overlays are checkpointed on the way.
 * `progress` (may be NULL) gets positions done and in all. 0; DK_ECORRUPT names the position;
 * DK_ENOMEM, DK_EIO, ...
 */
int dk_recover(struct dk_state *state, struct dk_store *store,
               void (*progress)(void *arg, uint64_t done, uint64_t total), void *progress_arg,
               struct dk_err *err);

/* Freezes the heads as of the state's last position, with the annex: dk_heads_write is next. 0,
 * DK_EBUSY while a checkpoint is under way, DK_ENOMEM. */
int dk_recover_freeze(struct dk_state *state, struct dk_err *err);

#endif
