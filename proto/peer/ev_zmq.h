/* A ZeroMQ socket as a libev watcher.
 *
 * ZMQ_FD is edge-triggered: after reading one of five messages poll() says nothing. So ev_prepare
 * asks ZMQ_EVENTS and, when something is ready, starts an idle watcher that keeps the loop from
 * sleeping; ev_check asks again and calls back. The callback handles a bounded number of messages
 * and returns; it is called again while the socket is ready. */
#ifndef DK_PEER_EV_ZMQ_H
#define DK_PEER_EV_ZMQ_H

#include <ev.h>
#include <stdbool.h>

struct dk_ev_zmq {
    struct ev_prepare prepare;
    struct ev_check check;
    struct ev_idle idle;
    struct ev_io io;
    void *socket;
    bool paused;
    void (*on_readable)(void *arg);
    void *arg;
};

void dk_ev_zmq_start(struct ev_loop *loop, struct dk_ev_zmq *watcher, void *socket,
                     void (*on_readable)(void *arg), void *arg);
void dk_ev_zmq_stop(struct ev_loop *loop, struct dk_ev_zmq *watcher);

/* While paused nothing is called: the peers' queues fill and they wait. */
void dk_ev_zmq_pause(struct dk_ev_zmq *watcher, bool paused);

#endif
