/* The replies that are not Appended: rare, and so written with protobuf-c. */
#ifndef DK_CORE_REPLIES_H
#define DK_CORE_REPLIES_H

#include "broker/core/core.h"
#include "docket.pb-c.h"

/* Sends a reply now: it says nothing that is not durable. */
void dk_core_reply_now(struct dk_core *core, uint64_t connection, const Docket__Reply *reply);

/* Sends it with the batch that gathers. */
void dk_core_reply_durable(struct dk_core *core, uint64_t connection, const Docket__Reply *reply);

/* A Failure, now. */
void dk_core_reply_failure(struct dk_core *core, uint64_t connection, uint64_t request,
                           const struct dk_err *err);

#endif
