/* The core's struct, shared by core.c, append.c and replies.c only. */
#ifndef DK_CORE_CORE_INTERNAL_H
#define DK_CORE_CORE_INTERNAL_H

#include "broker/core/admit.h"
#include "broker/core/clock.h"
#include "broker/core/core.h"
#include "broker/core/pending.h"
#include "broker/core/state.h"

struct dk_core {
    struct dk_core_options options;
    struct dk_log_identity identity;
    struct dk_core_output output;
    struct dk_state state;
    struct dk_clock clock;
    int64_t clock_step_us; /* as of the last look */
    bool space;

    struct dk_pending *gathering;
    struct dk_pending *taken; /* being written, or written last */
    bool writing;
    uint64_t taken_last; /* the last position that was taken */
    uint64_t durable;
    uint64_t checkpoint; /* position of the last one begun */
    struct dk_buf scratch;
    uint64_t accepted, refused, commits;

    /* The request under judgement. */
    struct dk_append append;
    struct dk_admission admission;
};

#endif
