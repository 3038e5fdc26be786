/* The agents of a pool as they are at an instant, and the index of each of its groups.
 *
 * Read when first asked for; from then on only what has changed is read again: an agent whose load
 * or presence an event changed, or whose shift, presence or definition changes by itself at an
 * instant that has come. What a consideration gives an agent stands here until the next one reads
 * that agent anew from the tables. */
#ifndef DK_ROUTING_POOL_H
#define DK_ROUTING_POOL_H

#include "nodes/routing/eligible.h"

/* Where an agent stands in one group of the pool. */
struct dk_seat {
    struct dk_routing_group *group;
    uint32_t slot;
};

struct dk_pool_agent {
    struct dk_agent_now now;
    struct dk_seat *seat;
    size_t seat_count;
    int64_t edge_us;  /* when its definition or shift changes next */
    int64_t again_us; /* on the pool's edges: that, or when its presence ends */
    bool stale;       /* stands in the list of those to be read anew */
    bool ranked;      /* stands in the order of its groups' indexes */
};

struct dk_pool {
    uint64_t item; /* its lowest group: what it is on the agenda as */
    struct dk_routing_group **group;
    size_t group_count;
    struct dk_pool_agent *agent; /* by id; NULL: not made yet */
    size_t agent_count;
    struct dk_seat *seats;   /* of all agents */
    struct dk_agenda *edges; /* when which agent changes by itself */
    size_t *stale;           /* agents to be read anew */
    size_t stale_count;
    int64_t seen_us;      /* the agents are as at this instant */
    uint64_t shift_epoch; /* of the shifts they were read by */
};

/* Of dk_routing.seats. */
struct dk_pool_seat {
    struct dk_pool *pool;
    size_t agent;
};

/* Brings the pool to an instant. */
void dk_pool_at(struct dk_routing *self, struct dk_pool *pool, int64_t now_us);

/* An agent of the pool, or NULL. */
struct dk_pool_agent *dk_pool_agent(const struct dk_pool *pool, uint64_t id);

/* An agent's load or presence has changed in the tables. */
void dk_pool_note_changed(struct dk_routing *self, uint64_t agent);

/* In this consideration: the agent has so much more to do. */
void dk_pool_give(struct dk_pool *pool, struct dk_pool_agent *agent, unsigned channel,
                  uint32_t weight, int64_t now_us);

/* The first instant at which an agent changes by itself; INT64_MAX: never. */
int64_t dk_pool_next_us(const struct dk_pool *pool);

/* How many tickets wait in its groups. */
size_t dk_pool_waiting(const struct dk_pool *pool);

/* Forgets the agents: they are read when the pool is next brought to an instant. */
void dk_pool_discard(struct dk_pool *pool);
void dk_pool_free(struct dk_pool *pool);

#endif
