/* Actions on two tickets: two mirrored events of one atomic request.
 *
 * MergedInto{A -> B} stands with MergedFrom{B <- A}, LinkedTo{A -> B} with a LinkedFrom{B <- A} of
 * the same type. That both tickets exist follows from each being the other's subject. */
#ifndef DK_CORE_PAIRS_H
#define DK_CORE_PAIRS_H

#include "proto/base/err.h"
#include "proto/base/limits.h"
#include "proto/event/event.h"
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dk_pair_half {
    uint64_t from, to; /* tickets */
    uint32_t action;   /* the kind of the half at `from` */
    uint32_t type;     /* enum LinkType, of links */
    uint32_t index;    /* of the event in the request */
    bool at_from;
    bool matched;
};
struct dk_pairs {
    size_t count;
    struct dk_pair_half half[DK_REQUEST_MAX_EVENTS];
};

bool dk_pairs_is_half(uint32_t kind);

/* Notes the event if it is half of a pair. */
void dk_pairs_add(struct dk_pairs *pairs, const struct dk_envelope *event,
                  const ProtobufCMessage *body, uint32_t index);

/* 0, or DK_EILLEGAL for a half without its mirror; `*index` says which event. */
int dk_pairs_check(struct dk_pairs *pairs, uint32_t *index, struct dk_err *err);

#endif
