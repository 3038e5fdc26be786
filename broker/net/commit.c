#include "broker/net/commit.h"
#include "proto/base/say.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#define EXIT_WRITE_FAILED 74 /* EX_IOERR of sysexits(3) */

struct dk_committer {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    const struct dk_batch *batch; /* handed over and not yet durable */
    bool stopping;
    bool busy; /* the loop's view */
    struct dk_store *store;
    struct ev_loop *loop;
    struct ev_async durable;
    void (*on_durable)(void *arg);
    void *arg;
};

static void write_or_die(struct dk_committer *committer, const struct dk_batch *batch)
{
    struct dk_err err = {0};
    int rc = committer->store->append(committer->store->self, batch, &err);
    if (rc == 0) {
        rc = committer->store->sync(committer->store->self, &err);
    }
    if (rc != 0) {
        dk_say(DK_ERROR, "write-failed",
               "error=\"%s\" first=%" PRIu64 " count=%zu effect=\"the broker ends; nothing of this "
               "batch was acknowledged; start it again when the cause is mended\"",
               err.message, batch->first, batch->count);
        _Exit(EXIT_WRITE_FAILED);
    }
}

static void *run(void *arg)
{
    struct dk_committer *committer = arg;
    (void)pthread_mutex_lock(&committer->mutex);
    for (;;) {
        while (committer->batch == NULL && !committer->stopping) {
            (void)pthread_cond_wait(&committer->wake, &committer->mutex);
        }
        const struct dk_batch *batch = committer->batch;
        if (batch == NULL) {
            break;
        }
        (void)pthread_mutex_unlock(&committer->mutex);
        write_or_die(committer, batch);
        (void)pthread_mutex_lock(&committer->mutex);
        committer->batch = NULL;
        ev_async_send(committer->loop, &committer->durable);
    }
    (void)pthread_mutex_unlock(&committer->mutex);
    return NULL;
}

static void on_async(struct ev_loop *loop, struct ev_async *async, int revents)
{
    struct dk_committer *committer = async->data;
    (void)loop;
    (void)revents;
    (void)pthread_mutex_lock(&committer->mutex);
    bool written = committer->batch == NULL;
    (void)pthread_mutex_unlock(&committer->mutex);
    if (committer->busy && written) {
        committer->busy = false;
        committer->on_durable(committer->arg);
    }
}

int dk_committer_start(struct dk_committer **committer, struct ev_loop *loop,
                       struct dk_store *store, void (*on_durable)(void *arg), void *arg,
                       struct dk_err *err)
{
    struct dk_committer *c = calloc(1, sizeof *c);
    DK_ASSERT(c != NULL);
    c->store = store;
    c->loop = loop;
    c->on_durable = on_durable;
    c->arg = arg;
    (void)pthread_mutex_init(&c->mutex, NULL);
    (void)pthread_cond_init(&c->wake, NULL);
    ev_async_init(&c->durable, on_async);
    ev_set_priority(&c->durable, EV_MAXPRI);
    c->durable.data = c;
    ev_async_start(loop, &c->durable);
    int rc = pthread_create(&c->thread, NULL, run, c);
    if (rc != 0) {
        free(c);
        return dk_err_errno(err, DK_EIO, rc, "cannot start the commit thread");
    }
    *committer = c;
    return 0;
}

void dk_committer_stop(struct dk_committer **committer)
{
    struct dk_committer *c = *committer;
    if (c == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&c->mutex);
    c->stopping = true;
    (void)pthread_cond_signal(&c->wake);
    (void)pthread_mutex_unlock(&c->mutex);
    (void)pthread_join(c->thread, NULL);
    ev_async_stop(c->loop, &c->durable);
    (void)pthread_mutex_destroy(&c->mutex);
    (void)pthread_cond_destroy(&c->wake);
    free(c);
    *committer = NULL;
}

bool dk_committer_busy(const struct dk_committer *committer)
{
    return committer->busy;
}

void dk_committer_write(struct dk_committer *committer, const struct dk_batch *batch)
{
    DK_ASSERT(!committer->busy);
    committer->busy = true;
    (void)pthread_mutex_lock(&committer->mutex);
    committer->batch = batch;
    (void)pthread_cond_signal(&committer->wake);
    (void)pthread_mutex_unlock(&committer->mutex);
}
