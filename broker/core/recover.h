/* Recovery: the state at a heads checkpoint, then the log's tail. */
#ifndef DK_CORE_RECOVER_H
#define DK_CORE_RECOVER_H

#include "broker/core/state.h"
#include "broker/log/store.h"

/* Brings a fresh state up to the store's end: records are verified (crc, dense positions, times
 * that do not go back, whole chains). Large overlays are checkpointed on the way. `progress` (may
 * be NULL) gets positions done and in all. 0; DK_ECORRUPT names the position, or says that the
 * heads are not this log's: ahead of it, or made from another course of it; DK_ENOMEM, DK_EIO, ...
 */
int dk_recover(struct dk_state *state, struct dk_store *store,
               void (*progress)(void *arg, uint64_t done, uint64_t total), void *progress_arg,
               struct dk_err *err);

#endif
