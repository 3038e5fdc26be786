/* Replies that are rare enough to go through protobuf-c. */
#ifndef DK_NET_REPLY_H
#define DK_NET_REPLY_H

#include "docket.pb-c.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"

/* Appends one packed Reply. 0 or DK_ETOOBIG. */
int dk_reply_pack(struct dk_buf *out, const Docket__Reply *reply);

/* A Failure for `request` that says what `err` says. */
int dk_reply_failure(struct dk_buf *out, uint64_t request, const struct dk_err *err);

#endif
