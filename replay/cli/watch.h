/* Work that takes a while: a progress bar on a terminal, and a clean end on Ctrl-C. */
#ifndef DK_REPLAY_CLI_WATCH_H
#define DK_REPLAY_CLI_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct dk_watch {
    const char *what; /* "verify": stands before the bar */
    int signals;      /* a file descriptor, readable once Ctrl-C or SIGTERM came */
    bool shown;       /* stderr is a terminal */
    bool drawn;
    uint64_t total; /* 0: not known, no bar but a count */
    int64_t begun_us, last_us;
};

/* From here on, until the close, Ctrl-C and SIGTERM end nothing by themselves: ask. */
void dk_watch_open(struct dk_watch *watch, const char *what, uint64_t total);
void dk_watch_close(struct dk_watch *watch);

/* Takes the bar away, so that a line can be written; it comes again with the next progress. */
void dk_watch_clear(struct dk_watch *watch);

bool dk_watch_interrupted(const struct dk_watch *watch);

/* Shows how far it is, some times a second. DK_EXIT_INTERRUPTED once Ctrl-C came, else 0: as
 * dk_scan's and dk_verify's on_progress. */
int dk_watch_progress(void *watch, uint64_t done);

#endif
