/* Heads: one fixed-size entry a ticket, by ticket number, mapped from files and written behind.
 *
 *   DIR/heads/manifest      log uuid, position, fold version, entry size, annex, crc
 *   DIR/heads/00000000.seg  65,536 entries: pages of 4 KiB, a crc for each page
 *   DIR/heads/...           (segment.h and manifest.h draw them)
 *
 * An entry is a function of the log: what `proto/fold` makes of the ticket's events. A change goes
 * to a memory overlay; when the overlay is large, it is frozen and its segments are rewritten
 * behind, each to a new file replaced by rename, then the manifest. Only segments that changed are
 * written, so a checkpoint costs what changed and not what exists. Opening maps the segments and
 * gives the manifest's position: the caller replays the log's tail from there. A segment newer than
 * the manifest does no harm: every entry holds its last position, and the caller passes over events
 * that the entry has seen.
 *
 * The annex is whatever else is a function of the log up to that position and not a ticket
 * (producers' numbers, ...): one blob, written with the manifest.
 *
 * Opening reads the manifest and maps; pages come in, and their crcs are checked, as they are
 * touched. A page that is then found damaged ends the process: nothing true can be said of its
 * tickets. The manifest is removed first, so that the next start rebuilds from the log.
 *
 * Entries begin with a uint64_t: their last position, 0 = no such ticket. Owned by one thread, but
 * for `dk_heads_write`. */
#ifndef DK_LOG_HEADS_H
#define DK_LOG_HEADS_H

#include "proto/base/buf.h"
#include "proto/base/err.h"
#include <stddef.h>
#include <stdint.h>

struct dk_heads;

/* Opens DIR/heads, made if missing. `entry_bytes` is a multiple of 8 up to
 * DK_HEADS_ENTRY_MAX_BYTES. What does not fit (another uuid, fold version or entry size, a manifest
 * with a bad crc, a missing or short segment) makes it start empty at position 0, and `*why` (may
 * be NULL) is a sentence about that, else NULL: the caller rebuilds from the log. 0, DK_EACCES,
 * DK_EIO, DK_ENOMEM. */
#define DK_HEADS_ENTRY_MAX_BYTES 4096
int dk_heads_open(struct dk_heads **heads, const char *dir, const uint8_t log_uuid[16],
                  size_t entry_bytes, uint32_t fold_version, const char **why, struct dk_err *err);
void dk_heads_close(struct dk_heads **heads);

/* Of the checkpoint that was opened or last finished. The annex is borrowed until the next
 * finish. */
uint64_t dk_heads_position(const struct dk_heads *heads);
const uint8_t *dk_heads_annex(const struct dk_heads *heads, size_t *bytes);

/* The entry of a ticket number, or NULL when there is none. Good until the next edit or finish. */
const void *dk_heads_get(const struct dk_heads *heads, uint64_t number);

/* The entry to change, created zeroed; good until the next freeze or finish. NULL when memory is
 * used up (DK_HEADS_OVERLAY_MAX entries, changed and frozen together). */
#define DK_HEADS_OVERLAY_MAX (UINT64_C(4) << 20)
void *dk_heads_edit(struct dk_heads *heads, uint64_t number);

/* Entries in the overlay: the measure of when to checkpoint. */
uint64_t dk_heads_changed(const struct dk_heads *heads);
/* How many more entries can be changed before edit gives NULL. */
uint64_t dk_heads_room(const struct dk_heads *heads);

/* A checkpoint in three steps. freeze (owner's thread): what is in the overlay now is the state as
 * of `position`; DK_EBUSY while one is under way. write (any thread, once the log is durable up to
 * `position`): files on disk, fsynced. finish (owner's thread): maps them and drops the frozen
 * overlay. A failed write is finished too: the frozen entries go back, nothing is lost, and finish
 * returns the write's code. */
int dk_heads_freeze(struct dk_heads *heads, uint64_t position, const void *annex,
                    size_t annex_bytes, struct dk_err *err);
int dk_heads_write(struct dk_heads *heads, struct dk_err *err);
int dk_heads_finish(struct dk_heads *heads, struct dk_err *err);

#endif
