/* A question to a live node, over its query socket; blocking. */
#ifndef DK_PEER_QUESTION_H
#define DK_PEER_QUESTION_H

#include "proto/base/buf.h"
#include "proto/peer/config.h"
#include "proto/peer/keys.h"
#include <stddef.h>
#include <stdint.h>

#define DK_QUESTION_ARGUMENTS_MAX 64

struct dk_question {
    const char *role;            /* whom: the node is known by the key that its role is allowed */
    const char *name;            /* what: each role lists its own */
    const char *const *argument; /* "key=value" */
    size_t argument_count;
    uint64_t at_least; /* answered only once the node has folded to this position; 0: at once */
};

/* The answer, one JSON value, is appended to `json`, and `*position` (may be NULL) is what the node
 * had folded. `own` is the key that asks. DK_ETIMEOUT when the node does not answer in time, or the
 * error that it states. */
int dk_question_ask(const struct dk_question *question, void *zmq, const struct dk_config *config,
                    const struct dk_key *own, int timeout_ms, struct dk_buf *json,
                    uint64_t *position, struct dk_err *err);

#endif
