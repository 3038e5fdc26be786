/* Tells of connections that were closed for want of descriptors (proto/peer/descriptors.h). */
#ifndef DK_NET_CROWD_H
#define DK_NET_CROWD_H

#include "broker/net/trouble.h"

struct dk_crowd {
    uint64_t refused; /* as of the last look */
    struct dk_trouble trouble;
};

/* Now and then: tells when it begins, and when none was refused for a while. */
void dk_crowd_look(struct dk_crowd *crowd, int64_t now_us);

#endif
