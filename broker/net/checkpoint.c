#include "broker/net/checkpoint.h"
#include "proto/base/say.h"
#include <pthread.h>
#include <stdlib.h>

struct dk_checkpointer {
    struct dk_core *core;
    struct dk_heads *heads;
    struct ev_loop *loop;
    struct ev_async written;
    uint64_t frozen_at; /* the position that must be durable before the write, 0 = none waits */
    bool under_way;     /* the loop's view: from the write's start to its mapping */

    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool write, stopping; /* under `mutex` */
};

static void write_now(struct dk_checkpointer *checkpointer)
{
    struct dk_err err = {0};
    if (dk_heads_write(checkpointer->heads, &err) != 0) {
        dk_say(DK_WARN, "heads-not-written",
               "error=\"%s\" effect=\"the next start replays more of the log\"", err.message);
    }
    ev_async_send(checkpointer->loop, &checkpointer->written);
}

static void *run(void *arg)
{
    struct dk_checkpointer *checkpointer = arg;
    (void)pthread_mutex_lock(&checkpointer->mutex);
    while (!checkpointer->stopping) {
        if (checkpointer->write) {
            checkpointer->write = false;
            (void)pthread_mutex_unlock(&checkpointer->mutex);
            write_now(checkpointer);
            (void)pthread_mutex_lock(&checkpointer->mutex);
        } else {
            (void)pthread_cond_wait(&checkpointer->wake, &checkpointer->mutex);
        }
    }
    (void)pthread_mutex_unlock(&checkpointer->mutex);
    return NULL;
}

static void on_written(struct ev_loop *loop, struct ev_async *async, int revents)
{
    struct dk_checkpointer *checkpointer = async->data;
    struct dk_err err = {0};
    (void)loop;
    (void)revents;
    if (dk_heads_finish(checkpointer->heads, &err) != 0) {
        dk_say(DK_WARN, "heads-not-mapped", "error=\"%s\"", err.message);
    }
    checkpointer->under_way = false;
}

void dk_checkpointer_step(struct dk_checkpointer *checkpointer)
{
    struct dk_core *core = checkpointer->core;
    struct dk_err err = {0};
    if (checkpointer->under_way) {
        return;
    }
    if (checkpointer->frozen_at == 0 && dk_core_checkpoint_due(core) &&
        dk_core_checkpoint_begin(core, &err) == 0) {
        checkpointer->frozen_at = dk_core_last(core);
    }
    if (checkpointer->frozen_at != 0 && dk_core_durable(core) >= checkpointer->frozen_at) {
        checkpointer->frozen_at = 0;
        checkpointer->under_way = true;
        (void)pthread_mutex_lock(&checkpointer->mutex);
        checkpointer->write = true;
        (void)pthread_cond_signal(&checkpointer->wake);
        (void)pthread_mutex_unlock(&checkpointer->mutex);
    }
}

int dk_checkpointer_start(struct dk_checkpointer **checkpointer, struct ev_loop *loop,
                          struct dk_core *core, struct dk_heads *heads, struct dk_err *err)
{
    struct dk_checkpointer *c = calloc(1, sizeof *c);
    DK_ASSERT(c != NULL);
    c->core = core;
    c->heads = heads;
    c->loop = loop;
    (void)pthread_mutex_init(&c->mutex, NULL);
    (void)pthread_cond_init(&c->wake, NULL);
    int rc = pthread_create(&c->thread, NULL, run, c);
    if (rc != 0) {
        free(c);
        return dk_err_errno(err, DK_EIO, rc, "cannot start the thread that writes heads");
    }
    (void)pthread_setname_np(c->thread, "heads");
    ev_async_init(&c->written, on_written);
    c->written.data = c;
    ev_async_start(loop, &c->written);
    *checkpointer = c;
    return 0;
}

void dk_checkpointer_stop(struct dk_checkpointer **checkpointer)
{
    struct dk_checkpointer *c = *checkpointer;
    if (c == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&c->mutex);
    c->stopping = true;
    (void)pthread_cond_signal(&c->wake);
    (void)pthread_mutex_unlock(&c->mutex);
    (void)pthread_join(c->thread, NULL);
    ev_async_stop(c->loop, &c->written);
    (void)pthread_mutex_destroy(&c->mutex);
    (void)pthread_cond_destroy(&c->wake);
    free(c);
    *checkpointer = NULL;
}
