#include "proto/peer/ev_zmq.h"
#include "proto/base/err.h"
#include <zmq.h>

static bool readable(const struct dk_ev_zmq *watcher)
{
    int events = 0;
    size_t size = sizeof events;
    if (watcher->paused) {
        return false;
    }
    return zmq_getsockopt(watcher->socket, ZMQ_EVENTS, &events, &size) == 0 &&
           (events & ZMQ_POLLIN) != 0;
}

static void on_prepare(struct ev_loop *loop, struct ev_prepare *prepare, int revents)
{
    struct dk_ev_zmq *watcher = prepare->data;
    (void)revents;
    if (readable(watcher)) {
        ev_idle_start(loop, &watcher->idle);
    }
}

static void on_check(struct ev_loop *loop, struct ev_check *check, int revents)
{
    struct dk_ev_zmq *watcher = check->data;
    (void)revents;
    ev_idle_stop(loop, &watcher->idle);
    if (readable(watcher)) {
        watcher->on_readable(watcher->arg);
    }
}

/* Idle and io only wake the loop up; prepare and check do the work. */
static void on_idle(struct ev_loop *loop, struct ev_idle *idle, int revents)
{
    (void)loop;
    (void)idle;
    (void)revents;
}

static void on_io(struct ev_loop *loop, struct ev_io *io, int revents)
{
    (void)loop;
    (void)io;
    (void)revents;
}

void dk_ev_zmq_start(struct ev_loop *loop, struct dk_ev_zmq *watcher, void *socket,
                     void (*on_readable)(void *arg), void *arg)
{
    int fd = -1;
    size_t size = sizeof fd;
    DK_ASSERT(zmq_getsockopt(socket, ZMQ_FD, &fd, &size) == 0);
    watcher->socket = socket;
    watcher->paused = false;
    watcher->on_readable = on_readable;
    watcher->arg = arg;
    ev_prepare_init(&watcher->prepare, on_prepare);
    ev_check_init(&watcher->check, on_check);
    ev_idle_init(&watcher->idle, on_idle);
    ev_io_init(&watcher->io, on_io, fd, EV_READ);
    watcher->prepare.data = watcher;
    watcher->check.data = watcher;
    ev_prepare_start(loop, &watcher->prepare);
    ev_check_start(loop, &watcher->check);
    ev_io_start(loop, &watcher->io);
}

void dk_ev_zmq_stop(struct ev_loop *loop, struct dk_ev_zmq *watcher)
{
    ev_prepare_stop(loop, &watcher->prepare);
    ev_check_stop(loop, &watcher->check);
    ev_idle_stop(loop, &watcher->idle);
    ev_io_stop(loop, &watcher->io);
}

void dk_ev_zmq_pause(struct dk_ev_zmq *watcher, bool paused)
{
    watcher->paused = paused;
}
