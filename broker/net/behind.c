#include "broker/net/behind.h"
#include "broker/log/seals.h"
#include "broker/net/trouble.h"
#include "proto/base/say.h"
#include "proto/base/time.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define STEP_RECORDS 65536 /* in one transaction of a projection */
#define PACE_MS      20    /* between two rounds: each syncs, which a commit may have to wait for */
#define BUSY_RECORDS 1000  /* appended within a pace: then the processor is theirs ... */
#define LAG_RECORDS  1000000 /* ... until so many wait */
#define TROUBLE_MS   1000    /* the pace while something fails */

struct dk_behind {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    _Atomic bool woken;
    bool stopping; /* under `mutex` */
    _Atomic uint64_t sealed, indexed;
    struct dk_log *log;
    struct dk_log_reader *reader;
    struct dk_seals *seals;
    struct dk_lookups *lookups;
    uint64_t seen; /* the log's last position at the last look */
    struct dk_trouble seals_trouble, lookups_trouble;
};

/* Waits for the next turn: a pace after the last one, and then, unless there is more to do anyway,
 * until woken. Tells whether it is to stop, which cuts every wait short. */
static bool await_turn(struct dk_behind *behind, bool more, int pace_ms)
{
    struct timespec until;
    int rc = 0;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)pace_ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_mutex_lock(&behind->mutex);
    while (!behind->stopping && rc == 0) {
        rc = pthread_cond_timedwait(&behind->wake, &behind->mutex, &until);
    }
    while (!behind->stopping && !behind->woken && !more) {
        (void)pthread_cond_wait(&behind->wake, &behind->mutex);
    }
    behind->woken = false;
    bool stopping = behind->stopping;
    (void)pthread_mutex_unlock(&behind->mutex);
    return stopping;
}

/* What came of a step; whether it failed. */
static bool told(struct dk_trouble *trouble, const char *what, int rc, const struct dk_err *err)
{
    char event[32];
    if (rc == 0 && dk_trouble_over(trouble)) {
        (void)snprintf(event, sizeof event, "%s-written-again", what);
        dk_say(DK_INFO, event, "effect=\"what is missing is made up for\"");
    }
    if (rc != 0 && dk_trouble_met(trouble, rc, dk_clock_boot_us())) {
        (void)snprintf(event, sizeof event, "%s-not-written", what);
        dk_say(DK_WARN, event,
               "error=\"%s\" advice=\"make room on the disk, or mend it: it goes on trying\"",
               err->message);
    }
    return rc != 0;
}

/* One step of each projection that is not in trouble. Returns whether there is more to do;
 * *failed when one is. */
static bool advance(struct dk_behind *behind, bool *failed)
{
    struct dk_err err = {0};
    bool more_seals = false, more_lookups = false;
    uint64_t position = 0;
    int64_t now_us = dk_clock_boot_us();
    *failed = true;
    if (!dk_trouble_waits(&behind->seals_trouble, now_us)) {
        int rc = dk_seals_advance(behind->seals, behind->reader, STEP_RECORDS, &more_seals, &err);
        *failed = told(&behind->seals_trouble, "seals", rc, &err);
        if (rc == 0 && dk_seals_position(behind->seals, &position, &err) == 0) {
            behind->sealed = position;
        }
    }
    if (dk_trouble_waits(&behind->lookups_trouble, now_us)) {
        *failed = true;
        return more_seals;
    }
    int rc = dk_lookups_advance(behind->lookups, behind->reader, STEP_RECORDS, &more_lookups, &err);
    *failed |= told(&behind->lookups_trouble, "lookups", rc, &err);
    if (rc == 0 && dk_lookups_position(behind->lookups, &position, &err) == 0) {
        behind->indexed = position;
    }
    return more_seals || more_lookups;
}

/* Whether appends come so fast that they should have the processor, and not too much waits. */
static bool gives_way(struct dk_behind *behind)
{
    uint64_t last = behind->seen;
    uint64_t done = behind->sealed < behind->indexed ? behind->sealed : behind->indexed;
    (void)dk_log_last(behind->log, &last, NULL);
    uint64_t came = last - behind->seen;
    behind->seen = last;
    return came > BUSY_RECORDS && last - done < LAG_RECORDS;
}

static void *run(void *arg)
{
    struct dk_behind *behind = arg;
    bool more = true, failed = false, stopping;
    do {
        stopping = await_turn(behind, more || failed, failed ? TROUBLE_MS : PACE_MS);
        if (!stopping && gives_way(behind)) {
            more = true;
            continue;
        }
        failed = false;
        more = advance(behind, &failed);
    } while (!stopping || (more && !failed));
    return NULL;
}

static int open_projections(struct dk_behind *behind, struct dk_err *err)
{
    const char *dir = dk_log_dir(behind->log);
    int rc = dk_log_reader_new(&behind->reader, behind->log, err);
    rc = rc != 0 ? rc : dk_seals_open(&behind->seals, dir, behind->log, DK_LOG_WRITE, err);
    return rc != 0 ? rc : dk_lookups_open(&behind->lookups, dir, behind->log, DK_LOG_WRITE, err);
}

static void release(struct dk_behind *behind)
{
    dk_lookups_close(&behind->lookups);
    dk_seals_close(&behind->seals);
    dk_log_reader_free(&behind->reader);
    (void)pthread_mutex_destroy(&behind->mutex);
    (void)pthread_cond_destroy(&behind->wake);
    free(behind);
}

static void make_wake(struct dk_behind *behind)
{
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&behind->mutex, NULL);
    (void)pthread_cond_init(&behind->wake, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

int dk_behind_start(struct dk_behind **behind, struct dk_log *log, struct dk_err *err)
{
    struct dk_behind *b = calloc(1, sizeof *b);
    DK_ASSERT(b != NULL);
    b->log = log;
    make_wake(b);
    int rc = open_projections(b, err);
    if (rc == 0) {
        rc = pthread_create(&b->thread, NULL, run, b);
        rc = rc == 0 ? 0 : dk_err_errno(err, DK_EIO, rc, "cannot start the thread behind the log");
    }
    if (rc != 0) {
        release(b);
        return rc;
    }
    (void)pthread_setname_np(b->thread, "behind");
    *behind = b;
    return 0;
}

void dk_behind_stop(struct dk_behind **behind)
{
    struct dk_behind *b = *behind;
    if (b == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&b->mutex);
    b->stopping = true;
    (void)pthread_cond_signal(&b->wake);
    (void)pthread_mutex_unlock(&b->mutex);
    (void)pthread_join(b->thread, NULL);
    release(b);
    *behind = NULL;
}

/* Once a turn is enough: appends wake this for each commit. */
void dk_behind_wake(struct dk_behind *behind)
{
    if (!atomic_exchange(&behind->woken, true)) {
        (void)pthread_mutex_lock(&behind->mutex);
        (void)pthread_cond_signal(&behind->wake);
        (void)pthread_mutex_unlock(&behind->mutex);
    }
}

struct dk_lookups *dk_behind_lookups(struct dk_behind *behind)
{
    return behind->lookups;
}

uint64_t dk_behind_sealed(const struct dk_behind *behind)
{
    return behind->sealed;
}

uint64_t dk_behind_indexed(const struct dk_behind *behind)
{
    return behind->indexed;
}
