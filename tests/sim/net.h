/* The network between the broker and its clients: late, lossy, never in disorder on one connection.
 *
 * A client has one link, as a DEALER socket has: it sends and receives, and is not told when the
 * connection under it breaks and another takes its place. The broker sees connections: handles that
 * are never used again. A message of an old connection may still come in, after messages of the new
 * one, until the broker is told that the old one is gone. While a link is cut, what is sent waits.
 * Single messages are lost as well: a full queue drops. */
#ifndef DK_SIM_NET_H
#define DK_SIM_NET_H

#include "broker/core/core.h"
#include "tests/sim/scene.h"

#define SIM_LINKS_MAX 32

struct sim_link {
    struct sim_net *net;
    const char *name;
    struct dk_peer peer; /* with the connection of now */
    void *arg;
    void (*receive)(void *arg, const uint8_t *frame, size_t bytes);
    int64_t last_us[2]; /* when the last message arrives; [1]: to the broker */
    int64_t cut_until_us;
    int64_t paused_until_us; /* the client's process stands still, and takes nothing in */
};

struct sim_net {
    struct sim_scene *scene;
    struct sim_link *link[SIM_LINKS_MAX];
    size_t links;
    uint64_t last_connection;
    struct sim_message *message; /* in flight, and free slots */
    size_t messages;
    /* The shape of this world's network. */
    int64_t delay_us;       /* of most messages */
    unsigned late_permille; /* of messages that take a hundred times as long */
    unsigned lost_permille;
    /* The broker. `request` is false when it is down. */
    void *broker;
    bool (*request)(void *broker, const struct dk_peer *peer, const uint8_t *frame, size_t bytes);
    void (*disconnected)(void *broker, uint64_t connection);
};

void sim_net_init(struct sim_net *net, struct sim_scene *scene);
void sim_net_close(struct sim_net *net);

/* Adds a link, borrowed: name, key, role, arg and receive are set by the caller. */
void sim_net_add(struct sim_net *net, struct sim_link *link);

void sim_link_send(struct sim_link *link, const uint8_t *frame, size_t bytes);
void sim_net_reply(struct sim_net *net, uint64_t connection, const uint8_t *frame, size_t bytes);

/* The connection breaks; a new one takes its place at once, or after `cut_us`. */
void sim_link_break(struct sim_link *link, int64_t cut_us);
/* The client is another process from here on: nothing that was sent to it arrives any more. */
void sim_link_renew(struct sim_link *link);
/* The broker is gone, and all connections with it; what it had sent may still arrive. */
void sim_net_broker_gone(struct sim_net *net);

/* Ends all cuts and losses. */
void sim_net_heal(struct sim_net *net);

#endif
