/* What the broker tells of itself: the Stats reply. */
#ifndef DK_NET_STATS_H
#define DK_NET_STATS_H

#include "broker/core/core.h"
#include "broker/log/space.h"
#include "broker/net/members.h"
#include "proto/base/buf.h"

struct dk_stats_sources {
    struct dk_core *core;
    struct dk_log *log;
    struct dk_space *space;
    struct dk_heads *heads;
    const struct dk_members *members;
    uint64_t sealed, indexed;
    uint64_t reserve_bytes;
    struct dk_now now;
};

/* Appends one packed Reply with StatsReply. */
int dk_stats_reply(struct dk_buf *out, uint64_t request, const struct dk_stats_sources *sources,
                   struct dk_err *err);

#endif
