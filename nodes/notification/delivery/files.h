/* The file transport: one line of JSON a message, appended to files below one folder.
 *
 * A line is delivered once it is synced. Idempotent: when a file is opened, the ids in its tail are
 * read, as far back as what was in flight at a kill can reach, and a notice that stands there is
 * not written again. A line torn by a power cut is taken away first. */
#ifndef DK_DELIVERY_FILES_H
#define DK_DELIVERY_FILES_H

#include "nodes/notification/delivery/lanes.h"
#include "nodes/notification/delivery/outcome.h"
#include "nodes/notification/payload.h"
#include <stddef.h>
#include <stdint.h>

#define DK_FILES_OPEN       64 /* more than are in flight: a synced one can always be closed */
#define DK_FILES_TAIL_BYTES (DK_LANES_IN_FLIGHT * DK_PAYLOAD_MAX_BYTES)

struct dk_files;

/* `dir` is made with the first line; the path is copied. */
struct dk_files *dk_files_new(const char *dir);
void dk_files_free(struct dk_files **files);

/* Appends `line` (one JSON object that begins with the notice's id, without a newline) to
 * DIR/`path`, whose folders are made. The path is relative and stays below: no "..". true: written,
 * or it was there; to be synced. false with the outcome: DK_GIVE_UP for a path that cannot be, else
 * DK_TRY_AGAIN. At most DK_LANES_IN_FLIGHT between two syncs. */
bool dk_files_write(struct dk_files *files, const char *path, size_t path_bytes, uint64_t notice,
                    const uint8_t *line, size_t line_bytes, struct dk_outcome *outcome);

/* Syncs every file written to, and tells what became of each notice. */
void dk_files_sync(struct dk_files *files,
                   void (*on_synced)(void *arg, uint64_t notice, const struct dk_outcome *outcome),
                   void *arg);

#endif
