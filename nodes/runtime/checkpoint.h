/* A folder's state on disk: an LMDB environment, written now and then, never waited for.
 *
 *   STATE/ROLE/v<fold version>/    entries:  (table, key) -> value
 *                                  segments: (table, number * 2) -> packed rows, (.., + 1) -> marks
 *                                  meta:     "mark" -> log, position, hash
 *
 * One transaction writes what changed since the last one, and the position: an entry that went cold
 * leaves "entries" in the one that brings its segment. No sync: after a power cut the stored hash
 * and the segments' CRCs tell whether the state is whole; if not, it is rebuilt from the log. A
 * program with another fold version uses another folder and rebuilds beside the old state.
 * Definitions are stored as positions and read from the log again. */
#ifndef DK_RUNTIME_CHECKPOINT_H
#define DK_RUNTIME_CHECKPOINT_H

#include "nodes/runtime/folder.h"
#include "nodes/runtime/source.h"

struct dk_checkpoint;

/* Takes the folder's lock: DK_EBUSY names the process that works on this state already. What is
 * there and no environment of LMDB's is discarded, and so is what a process was reading, between
 * open and restore, when it died. */
int dk_checkpoint_open(struct dk_checkpoint **checkpoint, const char *state_dir,
                       const struct dk_role_ops *ops, const uint8_t log_uuid[16],
                       struct dk_err *err);
void dk_checkpoint_close(struct dk_checkpoint **checkpoint);

/* Restores an empty folder. 0 with its position set; when nothing usable is there (why is said on
 * stderr) the folder is a fresh one at position 0. An error when the log cannot be asked. */
int dk_checkpoint_restore(struct dk_checkpoint *checkpoint, struct dk_folder **folder,
                          struct dk_source *source, struct dk_err *err);

/* Writes what changed since the last that was written. After an error the state before or, where
 * only the last step failed, this one is on disk, whole; the next write has all that is missing.
 * DK_ENOSPACE, DK_EIO. */
int dk_checkpoint_write(struct dk_checkpoint *checkpoint, struct dk_folder *folder,
                        struct dk_err *err);

#endif
