/* A node: a folder and a decider over the broker's log, with time of its own. It reads what is
 * durable, decides, is paused and killed, and begins again from nothing or from an old copy of its
 * tables. */
#ifndef DK_SIM_NODE_H
#define DK_SIM_NODE_H

#include "nodes/runtime/decider.h"
#include "tests/sim/broker.h"
#include "tests/sim/checker.h"
#include "tests/sim/post.h"

struct sim_copy {
    uint64_t position;
    int64_t recorded_us;
    uint64_t hash;
    struct dk_buf entries; /* each: table, key, size, bytes */
};

struct sim_node {
    struct sim_scene *scene;
    struct sim_checker *checker;
    const struct sim_broker *broker;
    size_t role; /* of sim_roles */
    struct sim_link link;
    struct sim_clocks clocks;
    struct sim_watch watch;
    struct dk_folder *folder; /* NULL: it is down */
    struct dk_decider *decider;
    struct sim_copy copy;
    struct sim_post post; /* of a notification node */
    uint64_t life;
    bool turning;
    unsigned kills;
};

void sim_node_init(struct sim_node *node, size_t role, struct sim_checker *checker,
                   const struct sim_broker *broker, struct sim_net *net);
void sim_node_close(struct sim_node *node);

void sim_node_start(struct sim_node *node);
void sim_node_kill(struct sim_node *node);
void sim_node_pause(struct sim_node *node, int64_t for_us);
void sim_node_copy(struct sim_node *node);
void sim_node_announce(struct sim_node *node, uint64_t head, int64_t now_us);

#endif
