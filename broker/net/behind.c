#include "broker/net/behind.h"
#include "broker/log/seals.h"
#include "proto/base/say.h"
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define STEP_RECORDS   8192 /* between two looks at whether something more urgent waits */
#define IDLE_WAKE_MS   200
#define RETRY_AFTER_MS 1000

struct dk_behind {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool woken, write_heads, stopping;
    _Atomic uint64_t sealed, indexed;
    struct dk_log *log;
    struct dk_log_reader *reader;
    struct dk_seals *seals;
    struct dk_lookups *lookups;
    struct dk_heads *heads;
    struct ev_loop *loop;
    struct ev_async heads_written;
    void (*on_heads_written)(void *arg);
    void *arg;
};

/* Waits until woken, or a moment; tells what to do. */
static void await(struct dk_behind *behind, int wait_ms, bool *write_heads, bool *stopping)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)wait_ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_mutex_lock(&behind->mutex);
    while (wait_ms > 0 && !behind->woken && !behind->write_heads && !behind->stopping) {
        if (pthread_cond_timedwait(&behind->wake, &behind->mutex, &until) == ETIMEDOUT) {
            break;
        }
    }
    behind->woken = false;
    *write_heads = behind->write_heads;
    *stopping = behind->stopping;
    behind->write_heads = false;
    (void)pthread_mutex_unlock(&behind->mutex);
}

static void write_heads_now(struct dk_behind *behind)
{
    struct dk_err err = {0};
    if (dk_heads_write(behind->heads, &err) != 0) {
        dk_say(DK_WARN, "heads-not-written",
               "error=\"%s\" effect=\"the next start replays more of the log\"", err.message);
    }
    ev_async_send(behind->loop, &behind->heads_written);
}

/* One step of each projection. Returns whether there is more to do; *failed on an error. */
static bool advance(struct dk_behind *behind, bool *failed)
{
    struct dk_err err = {0};
    bool more_seals = false, more_lookups = false;
    uint64_t position = 0;
    int rc = dk_seals_advance(behind->seals, behind->reader, STEP_RECORDS, &more_seals, &err);
    if (rc == 0 && dk_seals_position(behind->seals, &position, &err) == 0) {
        behind->sealed = position;
    }
    if (rc != 0) {
        dk_say(DK_WARN, "seals-not-written", "error=\"%s\"", err.message);
        *failed = true;
    }
    rc = dk_lookups_advance(behind->lookups, behind->reader, STEP_RECORDS, &more_lookups, &err);
    if (rc == 0 && dk_lookups_position(behind->lookups, &position, &err) == 0) {
        behind->indexed = position;
    }
    if (rc != 0) {
        dk_say(DK_WARN, "lookups-not-written", "error=\"%s\"", err.message);
        *failed = true;
    }
    return more_seals || more_lookups;
}

static void *run(void *arg)
{
    struct dk_behind *behind = arg;
    bool more = true, write_heads = false, stopping = false, failed = false;
    while (!stopping || (more && !failed)) {
        await(behind, failed ? RETRY_AFTER_MS : more ? 0 : IDLE_WAKE_MS, &write_heads, &stopping);
        if (write_heads) {
            write_heads_now(behind);
        }
        failed = false;
        more = advance(behind, &failed);
    }
    return NULL;
}

static void on_async(struct ev_loop *loop, struct ev_async *async, int revents)
{
    struct dk_behind *behind = async->data;
    (void)loop;
    (void)revents;
    behind->on_heads_written(behind->arg);
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

int dk_behind_start(struct dk_behind **behind, struct ev_loop *loop, struct dk_log *log,
                    struct dk_heads *heads, void (*on_heads_written)(void *arg), void *arg,
                    struct dk_err *err)
{
    struct dk_behind *b = calloc(1, sizeof *b);
    DK_ASSERT(b != NULL);
    b->log = log;
    b->heads = heads;
    b->loop = loop;
    b->on_heads_written = on_heads_written;
    b->arg = arg;
    (void)pthread_mutex_init(&b->mutex, NULL);
    (void)pthread_cond_init(&b->wake, NULL);
    int rc = open_projections(b, err);
    if (rc == 0) {
        rc = pthread_create(&b->thread, NULL, run, b);
        rc = rc == 0 ? 0 : dk_err_errno(err, DK_EIO, rc, "cannot start the thread behind the log");
    }
    if (rc != 0) {
        release(b);
        return rc;
    }
    ev_async_init(&b->heads_written, on_async);
    b->heads_written.data = b;
    ev_async_start(loop, &b->heads_written);
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
    ev_async_stop(b->loop, &b->heads_written);
    release(b);
    *behind = NULL;
}

void dk_behind_wake(struct dk_behind *behind)
{
    (void)pthread_mutex_lock(&behind->mutex);
    behind->woken = true;
    (void)pthread_cond_signal(&behind->wake);
    (void)pthread_mutex_unlock(&behind->mutex);
}

void dk_behind_write_heads(struct dk_behind *behind)
{
    (void)pthread_mutex_lock(&behind->mutex);
    behind->write_heads = true;
    (void)pthread_cond_signal(&behind->wake);
    (void)pthread_mutex_unlock(&behind->mutex);
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
