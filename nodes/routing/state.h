/* What routing keeps: its two tables, and the queues and rosters derived from them. */
#ifndef DK_ROUTING_STATE_H
#define DK_ROUTING_STATE_H

#include "nodes/routing/queue.h"
#include "nodes/runtime/role.h"
#include "proto/base/map.h"

#define DK_CHANNELS     10 /* enum Channel */
#define DK_LANGUAGE_MAX 16

/* Table 1: by ticket. */
struct dk_routing_ticket {
    uint64_t queue;             /* the group in whose queue it waits, or 0 */
    int64_t since_us;           /* when it began to wait there */
    uint64_t cause;             /* position of the event that asks for a route or an agent */
    int64_t first_reply_due_us; /* of running clocks; 0 = none */
    int64_t resolution_due_us;
    uint64_t carrier;        /* the agent whose load it counts to, or 0 */
    uint32_t weight;         /* as it counts there */
    uint8_t carrier_channel; /* and to which channel's load */
    uint8_t wish_line;       /* escalated to this line and not routed yet; 0 = no */
    uint8_t queued_said;     /* a Queued event says that nobody is eligible */
    uint8_t reserved;
    char language[DK_LANGUAGE_MAX]; /* padded with NULs; "" = any */
};
_Static_assert(sizeof(struct dk_routing_ticket) == 72, "flat, without padding");

/* Whether it waits for a route: it stands in no group, or is wanted on another line. */
static inline bool dk_routing_wants_route(const struct dk_routing_ticket *row,
                                          const struct dk_ticket *life)
{
    return dk_ticket_live(life) && !dk_ticket_historical(life) &&
           (life->group == 0 || row->wish_line != 0);
}

/* Table 2: by agent. */
struct dk_routing_agent {
    int64_t idle_since_us;     /* when the load last changed */
    int64_t presence_until_us; /* 0 = until changed */
    uint32_t load;
    uint16_t channel_load[DK_CHANNELS];
    uint8_t presence; /* Docket__Presence; none = never told */
    uint8_t reserved[7];
};
_Static_assert(sizeof(struct dk_routing_agent) == 48, "flat, without padding");

/* Derived: a group's queue, who works it in any version of an agent, and its pool: groups that
 * share agents are decided together, so that what one gives an agent the other sees. */
struct dk_routing_group {
    uint64_t pool; /* the lowest group of the pool */
    struct dk_queue waiting;
    struct dk_queue untold; /* of them: no Queued says yet that they wait */
    uint64_t *agent;
    size_t agent_count;
};

/* Where a ticket stands in its group's queues. */
struct dk_routing_place {
    uint64_t group; /* 0: in none */
    struct dk_queue_key key;
    bool untold;
};

struct dk_routing {
    const struct dk_world *world;
    struct dk_table *tickets, *agents;
    struct dk_map groups; /* group -> struct dk_routing_group */
    struct dk_map places; /* ticket that waits -> struct dk_routing_place */
    bool rosters_stale;   /* an agent was defined since they were made */
};

struct dk_routing_group *dk_routing_group(struct dk_routing *self, uint64_t group);

/* Makes rosters and pools anew when they are stale. */
void dk_routing_refresh(struct dk_routing *self);

/* Touches the pool of a group; of every group that the agent works in. */
void dk_routing_touch_pool(struct dk_routing *self, uint64_t group, struct dk_agenda *agenda);
void dk_routing_touch_pools_of(struct dk_routing *self, uint64_t agent, struct dk_agenda *agenda);

int dk_routing_apply(void *self, const struct dk_event *event, struct dk_agenda *agenda,
                     struct dk_err *err);
void dk_routing_consider(void *self, uint64_t item, int64_t now_us, struct dk_intents *intents,
                         int64_t *again_us);
int dk_routing_query(void *self, const char *name, const char *const *argument,
                     size_t argument_count, struct dk_buf *json, struct dk_err *err);

/* Puts a ticket where the tables say that it waits. Whether its place in `waiting` has changed. */
bool dk_routing_place(struct dk_routing *self, uint64_t ticket);

#endif
