/* All tickets of a log, each with its transitions, in memory that is bounded however many there are.
 *
 * A pass reads the log and keeps the transitions of the tickets whose numbers come next. When they
 * fill the room, those of the highest numbers are dropped, and left to the next pass: so a log that
 * fits is read once, and one of n rooms about n times. */
#ifndef DK_REPLAY_WHATIF_GATHER_H
#define DK_REPLAY_WHATIF_GATHER_H

#include "broker/log/log.h"
#include "proto/base/arena.h"
#include "proto/fold/transition.h"

/* 32 bytes each, and as much again while they are sorted: 1 GiB in all, some 2 million tickets. */
#define DK_GATHER_ROOM ((size_t)16 << 20)

struct dk_gathered {
    uint64_t ticket;
    struct dk_transition transition;
};

struct dk_gather {
    struct dk_log_reader *reader; /* borrowed */
    uint64_t to;                  /* the last position that counts */
    size_t room;
    struct dk_gathered *entry; /* of this pass, by ticket, then as transitions are ordered */
    size_t count;
    uint64_t done; /* tickets up to this one were in passes before */
    uint64_t last; /* the last ticket of this pass; UINT64_MAX: all that are left */
    unsigned passes;
    struct dk_arena arena;                            /* one body at a time */
    int (*on_progress)(void *arg, uint64_t position); /* as dk_scan's; may be NULL */
    void *arg;
    struct dk_err *err;
};

/* `room` is in transitions, at least DK_TRANSITIONS_OF_EVENT. 0 or DK_ENOMEM; closed by the caller,
 * after an error too. */
int dk_gather_init(struct dk_gather *gather, struct dk_log_reader *reader, uint64_t to, size_t room,
                   struct dk_err *err);
void dk_gather_close(struct dk_gather *gather);

/* Fills `entry` with the next tickets; a `count` of 0: there are no more. 0; what on_progress
 * returned; DK_ETOOBIG when one ticket alone does not fit; DK_ECORRUPT, DK_EINVAL. */
int dk_gather_next(struct dk_gather *gather, struct dk_err *err);

#endif
