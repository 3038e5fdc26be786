/* What the core knows: a function of the log up to its last admitted event.
 *
 * Admission and recovery move it by the same two calls: `dk_state_apply` moves the subject's head,
 * `dk_state_remember` what hangs on the whole record (numbers, request ids, reference data).
 * Between `begin` and `end` the first is written down and can be undone: an atomic request of which
 * a later event is refused. */
#ifndef DK_CORE_STATE_H
#define DK_CORE_STATE_H

#include "broker/core/one_shots.h"
#include "broker/core/producers.h"
#include "broker/core/subjects.h"
#include "broker/log/heads.h"
#include "broker/log/log.h"
#include "proto/base/arena.h"
#include "proto/fold/ticket.h"
#include "proto/refs/refs.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dk_counts {
    uint64_t last;         /* position */
    uint64_t last_ticket;  /* number given out */
    uint64_t open_tickets; /* dk_ticket_live */
    int64_t recorded_us;   /* of `last` */
};

/* What one event replaced: a ticket's entry or another subject's head. */
struct dk_before {
    uint64_t subject;
    union {
        struct dk_ticket ticket;
        struct dk_subject_head head;
    };
};

struct dk_state {
    const struct dk_log_identity *identity; /* borrowed */
    struct dk_heads *heads;                 /* borrowed */
    struct dk_refs *refs;
    struct dk_producers *producers;
    struct dk_one_shots *one_shots;
    struct dk_subjects subjects;
    struct dk_shelf definitions; /* uint64_t positions of all ...Defined: what refs rest on */
    struct dk_counts counts;
    struct dk_arena arena; /* bodies under judgement */
    bool undoable;
    struct dk_counts counts_before;
    struct dk_before *before; /* DK_REQUEST_MAX_EVENTS */
    size_t before_count;
};

/* Empty, as of position 0. 0 or DK_ENOMEM; what was made is closed by dk_state_close either way. */
int dk_state_init(struct dk_state *state, const struct dk_log_identity *identity,
                  struct dk_heads *heads, size_t producers_max, size_t one_shots_max,
                  struct dk_err *err);
void dk_state_close(struct dk_state *state);

/* The ticket as it is; all zero when there is none. Borrowed until the next apply. */
const struct dk_ticket *dk_state_ticket(const struct dk_state *state, uint64_t ticket);

static inline struct dk_subject_head dk_ticket_head(const struct dk_ticket *ticket,
                                                    uint64_t subject)
{
    return (struct dk_subject_head){
        .subject = subject,
        .last_position = ticket->last_position,
        .version = ticket->version,
    };
}

/* The version and last position of any subject, 0 and 0 for none. */
struct dk_subject_head dk_state_head(const struct dk_state *state, uint64_t subject);

/* Moves the subject's head and the counts by one event, whose envelope is stamped but for group and
 * the historical flag: those are what it leads to, and are set here. `body` as dk_ticket_apply
 * wants it. 0, or DK_EBUSY (no memory for another head). */
int dk_state_apply(struct dk_state *state, struct dk_envelope *event, const ProtobufCMessage *body,
                   struct dk_err *err);

/* Takes in what hangs on the whole stamped record, whose dk_record_digest is `digest`. 0;
 * DK_ECORRUPT (its number went back), DK_ENOMEM, DK_EBUSY (a bound is reached): in recovery a
 * reason to stop, in admission a bug or the end of memory. */
int dk_state_remember(struct dk_state *state, const uint8_t *record, size_t record_bytes,
                      uint32_t digest, struct dk_err *err);

/* From begin on, applies can be undone, all of them; end keeps them. */
void dk_state_begin(struct dk_state *state);
void dk_state_undo(struct dk_state *state);
void dk_state_end(struct dk_state *state);

#endif
