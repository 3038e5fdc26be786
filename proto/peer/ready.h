/* What a daemon tells who started it: sd_notify(3), where NOTIFY_SOCKET is set. */
#ifndef DK_PEER_READY_H
#define DK_PEER_READY_H

void dk_ready(const char *status);
void dk_ready_stopping(void);

#endif
