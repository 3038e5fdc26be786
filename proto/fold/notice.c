#include "proto/fold/notice.h"
#include "proto/base/crc32c.h"

#define CHECK_MASK UINT64_C(0xffffff)

uint64_t dk_notice_number(uint64_t ticket, uint64_t hash)
{
    uint64_t own = hash & ~CHECK_MASK;
    const uint64_t parts[] = {ticket, own != 0 ? own : CHECK_MASK + 1};

    return parts[1] | (dk_crc32c(0, parts, sizeof parts) & CHECK_MASK);
}

bool dk_notice_is_of(uint64_t notice, uint64_t ticket)
{
    return dk_notice_number(ticket, notice) == notice;
}
