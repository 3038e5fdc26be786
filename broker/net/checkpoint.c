#include "broker/net/checkpoint.h"
#include "broker/net/trouble.h"
#include "proto/base/say.h"
#include "proto/base/time.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

enum stage {
    IDLE,
    FROZEN, /* until it is durable, and again after a write that failed */
    WRITING,
    TIDYING,
};

struct dk_checkpointer {
    struct dk_core *core;
    struct dk_heads *heads;
    struct ev_loop *loop;
    struct ev_async done;
    enum stage stage;   /* the loop's view */
    uint64_t frozen_at; /* the position that must be durable before the write */
    struct dk_trouble trouble;

    pthread_t thread;
    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t wake;
    enum stage task; /* of the thread, IDLE: none */
    bool is_done;    /* with it, and the loop does not know yet */
    bool stopping;
    int code; /* of the write */
    struct dk_err err;
};

/* ---------------------------------------------------------------- the thread */

static int do_task(struct dk_checkpointer *checkpointer, enum stage task, struct dk_err *err)
{
    if (task == WRITING) {
        return dk_heads_write(checkpointer->heads, err);
    }
    dk_heads_tidy(checkpointer->heads);
    return 0;
}

static void *run(void *arg)
{
    struct dk_checkpointer *checkpointer = arg;
    (void)pthread_mutex_lock(&checkpointer->mutex);
    while (!checkpointer->stopping) {
        enum stage task = checkpointer->task;
        struct dk_err err = {0};
        checkpointer->task = IDLE;
        if (task == IDLE) {
            (void)pthread_cond_wait(&checkpointer->wake, &checkpointer->mutex);
            continue;
        }
        (void)pthread_mutex_unlock(&checkpointer->mutex);
        int code = do_task(checkpointer, task, &err);
        (void)pthread_mutex_lock(&checkpointer->mutex);
        checkpointer->is_done = true;
        checkpointer->code = code;
        checkpointer->err = err;
        ev_async_send(checkpointer->loop, &checkpointer->done);
    }
    (void)pthread_mutex_unlock(&checkpointer->mutex);
    return NULL;
}

static void hand_over(struct dk_checkpointer *checkpointer, enum stage task)
{
    checkpointer->stage = task;
    (void)pthread_mutex_lock(&checkpointer->mutex);
    checkpointer->task = task;
    (void)pthread_cond_signal(&checkpointer->wake);
    (void)pthread_mutex_unlock(&checkpointer->mutex);
}

/* ---------------------------------------------------------------- the loop */

static void tell_failure(struct dk_checkpointer *checkpointer, const struct dk_err *err)
{
    if (!dk_trouble_met(&checkpointer->trouble, err->code, dk_clock_boot_us())) {
        return;
    }
    const char *advice = err->code == DK_ECORRUPT
                             ? "end the broker, remove its folder heads, and start it again"
                         : err->code == DK_ENOMEM ? "give it memory: it goes on trying"
                                                  : "make room on the disk, or mend it: it goes on "
                                                    "trying";
    dk_say(DK_WARN, "heads-not-written",
           "error=\"%s\" effect=\"the next start replays more of the log\" advice=\"%s\"",
           err->message, advice);
}

static void on_written(struct dk_checkpointer *checkpointer, int code, const struct dk_err *err)
{
    if (code != 0) {
        checkpointer->stage = FROZEN;
        tell_failure(checkpointer, err);
        return;
    }
    dk_heads_finish(checkpointer->heads);
    if (dk_trouble_over(&checkpointer->trouble)) {
        dk_say(DK_INFO, "heads-written-again", "position=%" PRIu64,
               dk_heads_position(checkpointer->heads));
    }
    hand_over(checkpointer, TIDYING);
}

static void on_done(struct ev_loop *loop, struct ev_async *async, int revents)
{
    struct dk_checkpointer *checkpointer = async->data;
    (void)loop;
    (void)revents;
    (void)pthread_mutex_lock(&checkpointer->mutex);
    bool is_done = checkpointer->is_done;
    int code = checkpointer->code;
    struct dk_err err = checkpointer->err;
    checkpointer->is_done = false;
    (void)pthread_mutex_unlock(&checkpointer->mutex);
    if (is_done && checkpointer->stage == WRITING) {
        on_written(checkpointer, code, &err);
    } else if (is_done) {
        checkpointer->stage = IDLE;
    }
}

static void freeze(struct dk_checkpointer *checkpointer)
{
    struct dk_err err = {0};
    if (dk_core_checkpoint_begin(checkpointer->core, &err) != 0) {
        tell_failure(checkpointer, &err);
        return;
    }
    checkpointer->stage = FROZEN;
    checkpointer->frozen_at = dk_core_last(checkpointer->core);
}

void dk_checkpointer_step(struct dk_checkpointer *checkpointer)
{
    struct dk_core *core = checkpointer->core;
    if (dk_trouble_waits(&checkpointer->trouble, dk_clock_boot_us())) {
        return;
    }
    if (checkpointer->stage == IDLE && dk_core_checkpoint_due(core)) {
        freeze(checkpointer);
    }
    if (checkpointer->stage == FROZEN && dk_core_durable(core) >= checkpointer->frozen_at) {
        hand_over(checkpointer, WRITING);
    }
}

/* ---------------------------------------------------------------- life */

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
    ev_async_init(&c->done, on_done);
    c->done.data = c;
    ev_async_start(loop, &c->done);
    int rc = pthread_create(&c->thread, NULL, run, c);
    if (rc != 0) {
        ev_async_stop(loop, &c->done);
        free(c);
        return dk_err_errno(err, DK_EIO, rc, "cannot start the thread that writes heads");
    }
    (void)pthread_setname_np(c->thread, "heads");
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
    ev_async_stop(c->loop, &c->done);
    (void)pthread_mutex_destroy(&c->mutex);
    (void)pthread_cond_destroy(&c->wake);
    free(c);
    *checkpointer = NULL;
}
