/* Heads: one fixed-size entry a ticket, by ticket number, mapped from files and written behind.
 *
 *   DIR/heads/manifest         log uuid, position, fold version, entry size, list, annex, crc
 *   DIR/heads/00000000-7.seg   65,536 entries: pages of 4 KiB, a crc for each page
 *   DIR/heads/...              (segment.h and manifest.h draw them)
 *
 * An entry is a function of the log: what `proto/fold` makes of the ticket's events. A change goes
 * to a memory overlay; when the overlay is large, it is frozen and its segments are written behind,
 * each to a file of its own, then the manifest that lists those and the files of all other
 * segments. It takes the former one's place by rename, so that at every instant one manifest and
 * the files it lists are whole: opening gives its position and entries, and the caller replays the
 * log's tail from there. What no manifest lists any more is removed afterwards. Only segments that
 * changed are written, so a checkpoint costs what changed and not what exists.
 *
 * The annex is whatever else is a function of the log up to that position and not a ticket
 * (producers' numbers, ...): bytes that stand in the manifest.
 *
 * Opening reads the manifest and maps; pages come in, and their crcs are checked, as they are
 * touched. A page that is then found damaged ends the process: nothing true can be said of its
 * tickets. The manifest is removed first, so that the next start rebuilds from the log.
 *
 * Entries begin with a uint64_t: their last position, 0 = no such ticket. Owned by one thread, but
 * for `dk_heads_write` and `dk_heads_tidy`. */
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

/* Of the checkpoint that was opened or last finished. */
uint64_t dk_heads_position(const struct dk_heads *heads);

/* The annex of the checkpoint that was opened, NULL when there is none; borrowed until it is
 * forgotten, as it may be large. Heads in memory (`dir` NULL) have the last finished one's. */
const uint8_t *dk_heads_annex(const struct dk_heads *heads, size_t *bytes);
void dk_heads_forget_annex(struct dk_heads *heads);

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

/* Where a checkpoint's annex comes from: `write` adds its bytes to a buffer and gives 0 or an error
 * code, in the thread of dk_heads_write and perhaps again; `release` ends it, in the owner's. */
struct dk_heads_annex {
    void *arg;
    int (*write)(void *arg, struct dk_buf *out);
    void (*release)(void *arg);
};

/* A checkpoint in four steps, of which the owner's cost nothing that grows with what changed.
 *
 * freeze (owner's thread): what is in the overlay now is the state as of `position`. Takes the
 * annex over, also on an error. DK_EBUSY while one is under way.
 * write (any thread, once the log is durable up to `position`): files on disk, fsynced. After an
 * error nothing has changed, and it may be tried again, as often as needed: DK_ENOSPACE, DK_EIO,
 * DK_ENOMEM, DK_ECORRUPT (damaged pages: only a rebuild helps).
 * finish (owner's thread, after a write that succeeded): reads the new files from now on.
 * tidy (any thread, before the next freeze, which else does it): gives back the memory of what was
 * replaced. */
int dk_heads_freeze(struct dk_heads *heads, uint64_t position, const struct dk_heads_annex *annex,
                    struct dk_err *err);
int dk_heads_write(struct dk_heads *heads, struct dk_err *err);
void dk_heads_finish(struct dk_heads *heads);
void dk_heads_tidy(struct dk_heads *heads);

#endif
