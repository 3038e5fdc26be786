#include "broker/net/pinned.h"

#include "proto/base/say.h"
#include <inttypes.h>
#include <stdbool.h>

/* The oldest of what a process pins; 0: it pins nothing, or nothing to speak of. */
static uint64_t pinned_by(uint32_t pid, const struct dk_log_reader_info *info, size_t count)
{
    uint64_t most = 0;
    for (size_t i = 0; i < count; i++) {
        if (info[i].pid == pid && info[i].commits_behind > most) {
            most = info[i].commits_behind;
        }
    }
    return most >= DK_PINNED_COMMITS ? most : 0;
}

static bool is_told(const struct dk_pinned *pinned, uint32_t pid)
{
    for (size_t i = 0; i < pinned->count; i++) {
        if (pinned->pid[i] == pid) {
            return true;
        }
    }
    return false;
}

void dk_pinned_look(struct dk_pinned *pinned, const struct dk_log_reader_info *info, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < pinned->count; i++) {
        if (pinned_by(pinned->pid[i], info, count) > 0) {
            pinned->pid[kept++] = pinned->pid[i];
        } else {
            dk_say(DK_INFO, "reader-pins-no-more", "pid=%" PRIu32, pinned->pid[i]);
        }
    }
    pinned->count = kept;
    for (size_t i = 0; i < count && pinned->count < DK_PINNED_MAX; i++) {
        uint64_t behind = pinned_by(info[i].pid, info, count);
        if (behind > 0 && !is_told(pinned, info[i].pid)) {
            pinned->pid[pinned->count++] = info[i].pid;
            dk_say(DK_WARN, "reader-pins",
                   "pid=%" PRIu32 " commits_behind=%" PRIu64
                   " effect=\"the log's file grows by what could be used again\" "
                   "advice=\"continue or end the process\"",
                   info[i].pid, behind);
        }
    }
}
