/* Who works on this log: what each node last told of itself, in memory only. */
#ifndef DK_NET_MEMBERS_H
#define DK_NET_MEMBERS_H

#include "docket.pb-c.h"
#include "proto/base/err.h"
#include "proto/peer/config.h"
#include <stddef.h>
#include <stdint.h>

#define DK_MEMBERS_MAX         256
#define DK_MEMBER_FORGOTTEN_US (10LL * 60 * 1000000)

struct dk_member {
    uint64_t connection; /* 0 = free */
    int64_t seen_us;     /* boot clock */
    char role[32];
    char endpoint[DK_ENDPOINT_BYTES];
    char health[128];
    uint64_t position, state_hash;
    uint32_t fold_version, pending_intents;
};
struct dk_members {
    struct dk_member member[DK_MEMBERS_MAX];
    size_t count;
};

/* Takes one heartbeat in; the entry of a member that came back under another connection (same
 * role and endpoint) is replaced. DK_EBUSY when the table is full. */
int dk_members_heard(struct dk_members *members, uint64_t connection, int64_t boot_us,
                     const Docket__Heartbeat *heartbeat, struct dk_err *err);

/* Drops those not heard of for DK_MEMBER_FORGOTTEN_US. */
void dk_members_forget(struct dk_members *members, int64_t boot_us);

#endif
