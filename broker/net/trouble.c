#include "broker/net/trouble.h"

bool dk_trouble_met(struct dk_trouble *trouble, int code, int64_t now_us)
{
    bool fresh = trouble->code != code;
    trouble->code = code;
    trouble->pause_us = trouble->pause_us == 0 ? DK_TROUBLE_PAUSE_US : trouble->pause_us * 2;
    if (trouble->pause_us > DK_TROUBLE_PAUSE_MAX_US) {
        trouble->pause_us = DK_TROUBLE_PAUSE_MAX_US;
    }
    trouble->until_us = now_us + trouble->pause_us;
    return fresh;
}

bool dk_trouble_waits(const struct dk_trouble *trouble, int64_t now_us)
{
    return trouble->code != 0 && now_us < trouble->until_us;
}

bool dk_trouble_over(struct dk_trouble *trouble)
{
    bool was = trouble->code != 0;
    *trouble = (struct dk_trouble){0};
    return was;
}
