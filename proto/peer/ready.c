#include "proto/peer/ready.h"
#include <systemd/sd-daemon.h>

void dk_ready(const char *status)
{
    (void)sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void dk_ready_stopping(void)
{
    (void)sd_notify(0, "STOPPING=1");
}
