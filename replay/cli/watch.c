#include "replay/cli/watch.h"
#include "proto/base/time.h"
#include "replay/cli/cli.h"
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define REDRAW_US (200 * INT64_C(1000))
#define BAR_WIDTH 24

static sigset_t watched(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    return set;
}

void dk_watch_open(struct dk_watch *watch, const char *what, uint64_t total)
{
    sigset_t set = watched();
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    *watch = (struct dk_watch){.what = what,
                               .signals = signalfd(-1, &set, SFD_CLOEXEC),
                               .shown = isatty(STDERR_FILENO),
                               .total = total,
                               .begun_us = dk_clock_boot_us()};
    watch->last_us = watch->begun_us; /* what is quick needs no bar */
    DK_ASSERT(watch->signals >= 0);
}

void dk_watch_clear(struct dk_watch *watch)
{
    if (watch->drawn) {
        (void)fputs("\r\033[K", stderr);
    }
    watch->drawn = false;
}

bool dk_watch_interrupted(const struct dk_watch *watch)
{
    struct pollfd fd = {.fd = watch->signals, .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}

void dk_watch_close(struct dk_watch *watch)
{
    struct signalfd_siginfo seen;
    sigset_t set = watched();
    dk_watch_clear(watch);
    while (dk_watch_interrupted(watch) && read(watch->signals, &seen, sizeof seen) > 0) {
    }
    (void)close(watch->signals);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void draw(struct dk_watch *watch, uint64_t done, int64_t now_us)
{
    char bar[BAR_WIDTH + 1];
    int64_t took_us = now_us - watch->begun_us;
    double rate = took_us > 0 ? (double)done / (double)took_us : 0; /* millions a second */
    watch->drawn = true;
    if (watch->total == 0) {
        (void)fprintf(stderr, "\r%s  %" PRIu64 " events, %.1f M/s\033[K", watch->what, done, rate);
        return;
    }
    size_t filled = (size_t)(done * BAR_WIDTH / watch->total);
    for (size_t i = 0; i < BAR_WIDTH; i++) {
        bar[i] = i < filled ? '#' : '.';
    }
    bar[BAR_WIDTH] = '\0';
    (void)fprintf(stderr, "\r%s  [%s] %3" PRIu64 " %%  %" PRIu64 " of %" PRIu64 "  %.1f M/s\033[K",
                  watch->what, bar, done * 100 / watch->total, done, watch->total, rate);
}

int dk_watch_progress(void *arg, uint64_t done)
{
    struct dk_watch *watch = arg;
    int64_t now_us = dk_clock_boot_us();
    if (watch->shown && now_us - watch->last_us >= REDRAW_US) {
        watch->last_us = now_us;
        draw(watch, done, now_us);
    }
    return dk_watch_interrupted(watch) ? DK_EXIT_INTERRUPTED : 0;
}
