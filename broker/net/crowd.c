#include "broker/net/crowd.h"

#include "proto/base/err.h"
#include "proto/base/say.h"
#include "proto/peer/descriptors.h"
#include <inttypes.h>

void dk_crowd_look(struct dk_crowd *crowd, int64_t now_us)
{
    uint64_t refused = dk_descriptors_refused();
    bool more = refused != crowd->refused;
    crowd->refused = refused;
    if (more && dk_trouble_met(&crowd->trouble, DK_EBUSY, now_us)) {
        dk_say(DK_WARN, "connections-refused",
               "reason=\"no descriptors are left\" advice=\"find who connects so often, or allow "
               "the broker more: ulimit -n, or LimitNOFILE\"");
    }
    if (!more && !dk_trouble_waits(&crowd->trouble, now_us) && dk_trouble_over(&crowd->trouble)) {
        dk_say(DK_INFO, "connections-accepted-again", "refused=%" PRIu64, refused);
    }
}
