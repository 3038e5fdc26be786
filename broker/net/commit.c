#include "broker/net/commit.h"
#include "broker/core/write.h"
#include "proto/base/say.h"
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXIT_WRITE_FAILED 74     /* EX_IOERR of sysexits(3) */
#define TURN_NS           100000 /* the shortest that the kernel takes */

struct dk_committer {
    pthread_t thread;
    /* Posted once for each batch handed over, and once without one to end. No lock: the loop, woken
     * by what it is told, would wait for the thread that tells it. */
    sem_t handed;
    _Atomic(const struct dk_batch *) batch;
    _Atomic bool written; /* durable, and the loop does not know yet */
    bool busy;            /* the loop's view */
    struct dk_store *store;
    struct ev_loop *loop;
    struct ev_async durable;
    void (*on_durable)(void *arg);
    void *arg;
};

static void write_or_die(struct dk_committer *committer, const struct dk_batch *batch)
{
    struct dk_write write = {.store = committer->store, .batch = batch};
    struct dk_err err = {0};
    int rc = 0;
    while (rc == 0 && write.next != DK_WRITE_DURABLE) {
        rc = dk_write_step(&write, &err);
    }
    if (rc != 0) {
        dk_say(DK_ERROR, "write-failed",
               "error=\"%s\" first=%" PRIu64 " count=%zu effect=\"the broker ends; nothing of this "
               "batch was acknowledged; start it again when the cause is mended\"",
               err.message, batch->first, batch->count);
        _Exit(EXIT_WRITE_FAILED);
    }
}

/* A commit sleeps some five times, until the disk has done a part, and after each it would wait for
 * a processor until another thread's turn is over, a millisecond or more. A thread that asks for
 * short turns comes on at once (sched_setattr(2), Linux 6.12 and later; before, the request means
 * nothing). It needs no right, and takes no more than its fair share of the processors. */
static void ask_for_short_turns(void)
{
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t turn_ns, deadline_ns, period_ns;
    } attributes;
    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) == 0) {
        attributes.turn_ns = TURN_NS;
        (void)syscall(SYS_sched_setattr, 0, &attributes, 0);
    }
}

static void *run(void *arg)
{
    struct dk_committer *committer = arg;
    ask_for_short_turns();
    for (;;) {
        while (sem_wait(&committer->handed) != 0) {
            /* a signal came between */
        }
        const struct dk_batch *batch = atomic_exchange(&committer->batch, NULL);
        if (batch == NULL) {
            return NULL;
        }
        write_or_die(committer, batch);
        atomic_store(&committer->written, true);
        ev_async_send(committer->loop, &committer->durable);
    }
}

static void on_async(struct ev_loop *loop, struct ev_async *async, int revents)
{
    struct dk_committer *committer = async->data;
    (void)loop;
    (void)revents;
    if (atomic_exchange(&committer->written, false)) {
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
    (void)sem_init(&c->handed, 0, 0);
    ev_async_init(&c->durable, on_async);
    ev_set_priority(&c->durable, EV_MAXPRI);
    c->durable.data = c;
    ev_async_start(loop, &c->durable);
    int rc = pthread_create(&c->thread, NULL, run, c);
    if (rc != 0) {
        free(c);
        return dk_err_errno(err, DK_EIO, rc, "cannot start the commit thread");
    }
    (void)pthread_setname_np(c->thread, "commit");
    *committer = c;
    return 0;
}

void dk_committer_stop(struct dk_committer **committer)
{
    struct dk_committer *c = *committer;
    if (c == NULL) {
        return;
    }
    (void)sem_post(&c->handed);
    (void)pthread_join(c->thread, NULL);
    ev_async_stop(c->loop, &c->durable);
    (void)sem_destroy(&c->handed);
    free(c);
    *committer = NULL;
}

bool dk_committer_busy(const struct dk_committer *committer)
{
    return committer->busy;
}

bool dk_committer_waits(const struct dk_committer *committer)
{
    return atomic_load(&committer->written);
}

void dk_committer_write(struct dk_committer *committer, const struct dk_batch *batch)
{
    DK_ASSERT(!committer->busy);
    committer->busy = true;
    atomic_store(&committer->batch, batch);
    (void)sem_post(&committer->handed);
}
