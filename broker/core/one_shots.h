/* Request ids of clients that come once: 128 bits, remembered 24 hours.
 *
 * Kept in arrival order with an index by id; entries older than DK_ONE_SHOT_MEMORY_US (by recorded
 * time) are forgotten as others are added. A function of the log: every event of such a request
 * carries the id, its events stand side by side, and so do the numbers of the tickets they opened;
 * where both begin is what a repeat is told.
 *
 * A request of which nothing was accepted is not remembered, and its repeat is judged anew: it
 * takes effect once at most all the same, and the client learns what came of it. Refusals would be
 * forgotten by a restart, so that nobody could build on them, and would take the room of ids that
 * must be kept. */
#ifndef DK_CORE_ONE_SHOTS_H
#define DK_CORE_ONE_SHOTS_H

#include "broker/core/shelf.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dk_one_shots;

struct dk_one_shot {
    uint64_t high, low; /* the id */
    uint64_t position;  /* of its first event */
    uint64_t opened;    /* the first ticket that it opened, or 0 */
    int64_t recorded_us;
    uint32_t count;        /* events accepted */
    uint32_t opened_count; /* tickets */
    uint32_t digest;       /* dk_one_shot_digest over their dk_sent_digest, in order, from 0 */
    uint32_t reserved;
};

int dk_one_shots_new(struct dk_one_shots **one_shots, size_t max_count, struct dk_err *err);
void dk_one_shots_free(struct dk_one_shots **one_shots);

/* Borrowed until the next add; NULL when not remembered. */
const struct dk_one_shot *dk_one_shots_find(const struct dk_one_shots *one_shots, uint64_t high,
                                            uint64_t low);

/* Whether a request at `recorded_us` finds room. */
bool dk_one_shots_room(const struct dk_one_shots *one_shots, int64_t recorded_us);

/* Takes in one event of its request: `event` has the id, the event's position, the ticket that it
 * opened (or 0), when it was recorded, and its own digest; the rest is 0. It extends the newest
 * entry when it is its next, else begins one, for which what is older than a day is forgotten. 0 or
 * DK_EBUSY. */
int dk_one_shots_add(struct dk_one_shots *one_shots, const struct dk_one_shot *event);

uint32_t dk_one_shot_digest(uint32_t so_far, uint32_t event_digest);

size_t dk_one_shots_bytes(const struct dk_one_shots *one_shots); /* memory taken */

/* A view of the entries (struct dk_one_shot), for a checkpoint's annex, and back from what
 * dk_shelf_save wrote there. 0, DK_ENOMEM; DK_ECORRUPT, DK_EBUSY. */
int dk_one_shots_freeze(const struct dk_one_shots *one_shots, struct dk_shelf *view);
int dk_one_shots_load(struct dk_one_shots *one_shots, const uint8_t *data, size_t bytes,
                      size_t *used, struct dk_err *err);

#endif
