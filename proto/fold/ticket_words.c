#include "proto/fold/ticket.h"

static const char *word(const char *const *words, size_t count, unsigned number)
{
    return number < count ? words[number] : "?";
}

#define WORD(words, number) word((words), sizeof(words) / sizeof *(words), (number))

const char *dk_status_word(unsigned status, unsigned pending)
{
    static const char *const statuses[] = {"none",   "new",    "open",  "pending",
                                           "solved", "closed", "merged"};
    static const char *const pendings[] = {"pending", "pending (customer)", "pending (supplier)",
                                           "pending (internal)"};

    return status == DOCKET__STATUS__STATUS_PENDING ? WORD(pendings, pending)
                                                    : WORD(statuses, status);
}

const char *dk_priority_word(unsigned priority)
{
    static const char *const priorities[] = {"none", "critical", "high", "normal", "low"};

    return WORD(priorities, priority);
}

unsigned dk_priority_of(unsigned stated, unsigned impact, unsigned urgency)
{
    static const uint8_t by_sum[] = {
        [2] = DOCKET__PRIORITY__PRIORITY_CRITICAL, [3] = DOCKET__PRIORITY__PRIORITY_HIGH,
        [4] = DOCKET__PRIORITY__PRIORITY_NORMAL,   [5] = DOCKET__PRIORITY__PRIORITY_LOW,
        [6] = DOCKET__PRIORITY__PRIORITY_LOW,
    };
    int both = impact >= 1 && impact <= 3 && urgency >= 1 && urgency <= 3;

    if (stated != DOCKET__PRIORITY__PRIORITY_NONE || !both)
        return stated;
    return by_sum[impact + urgency];
}
