/* One ticket's own events, in memory, and what they make of it. */
#ifndef DK_REPLAY_HISTORY_LIFE_H
#define DK_REPLAY_HISTORY_LIFE_H

#include "proto/base/arena.h"
#include "proto/event/body.h"
#include "proto/fold/ticket.h"

#define DK_LIFE_MAX_BYTES ((size_t)256 << 20) /* records and unpacked bodies */

struct dk_life_event {
    const uint8_t *record;
    size_t bytes;
    struct dk_envelope envelope;
    const ProtobufCMessage *body; /* NULL for a kind not known here */
};

struct dk_life {
    size_t count;
    struct dk_life_event *event;
    size_t capacity;
    struct dk_arena arena;
};

int dk_life_init(struct dk_life *life, struct dk_err *err);
void dk_life_close(struct dk_life *life);

/* Copies and unpacks one record, in any order. 0; DK_ECORRUPT, DK_EINVAL, DK_ENOMEM. */
int dk_life_add(struct dk_life *life, const uint8_t *record, size_t record_bytes,
                struct dk_err *err);
/* Puts them in position order; before anything is asked. */
void dk_life_sort(struct dk_life *life);

/* The event at a position, or NULL. */
const struct dk_life_event *dk_life_find(const struct dk_life *life, uint64_t position);

/* What the ticket was at an instant, by when things occurred, as far as the log had recorded it at
 * another; INT64_MAX: all there is. */
struct dk_life_view {
    struct dk_ticket ticket;      /* last_position 0: it was not there */
    const Docket__Opened *opened; /* or NULL */
    int64_t unanswered_since_us;  /* of the oldest message without a human reply; 0: none (S10) */
    int64_t last_us;              /* occurred, of the last event that counts */
};
void dk_life_fold(const struct dk_life *life, int64_t at_us, int64_t known_at_us,
                  struct dk_life_view *view);

#endif
