/* What routing keeps: its tables, and what is derived from them and from reference data.
 *
 *   ticket --> place --> demand (what its tickets ask) --> group --> pool (groups that share
 * agents) |         | index of agents  the agents, as they are now
 *
 * A pool is one item: what one of its groups gives an agent the others see. */
#ifndef DK_ROUTING_STATE_H
#define DK_ROUTING_STATE_H

#include "nodes/routing/queue.h"
#include "nodes/runtime/role.h"
#include "proto/base/map.h"

#define DK_CHANNELS     10 /* enum Channel */
#define DK_LANGUAGE_MAX 16
#define DK_CONTACTS_MAX 16 /* of one customer: the latest so many are kept in mind */

/* ---------------------------------------------------------------- tables */

/* Table 1: by ticket. */
struct dk_routing_ticket {
    uint64_t queue;             /* the group in whose queue it stands, offered or not; or 0 */
    uint64_t home;              /* the group in which that waiting began (R5) */
    int64_t since_us;           /* when it began */
    uint64_t cause;             /* position of the event that asks for a route or an agent */
    int64_t first_reply_due_us; /* of running clocks; 0 = none */
    int64_t resolution_due_us;
    uint64_t company;         /* as its Opened states it for its customer; 0: the customer's */
    uint64_t carrier, keeper; /* agents whose load it counts to, or 0; the keeper gets it back */
    uint64_t queued_at;       /* position of the last Queued since it waits there; 0 = none */
    int64_t queued_us;        /* recorded, of it */
    uint64_t offered_at;      /* position of the open offer */
    int64_t expires_us;       /* of it */
    uint64_t handed_at;       /* position of the temporary handover */
    int64_t handed_us;        /* recorded, of it */
    uint64_t repeat_of;       /* an earlier ticket, to be noted; 0 = none, or said */
    uint64_t repeat_cause;    /* position of the event by which it was found */
    uint32_t weight, keeper_weight; /* as it counts to carrier and keeper */
    uint8_t channel;                /* and to which channel's load */
    uint8_t wish_line;              /* escalated to this line and not routed yet; 0 = no */
    uint8_t relaxation;             /* enum Relaxation: how far R5 has come */
    uint8_t relax_wish;             /* of it, a group that it is not routed to yet; 0 = no */
    uint8_t absent;                 /* R7: its owner was off shift when it was asked for */
    uint8_t repeat_said;            /* whether the customer came before is settled */
    uint8_t reserved[2];
    char language[DK_LANGUAGE_MAX]; /* padded with NULs; "" = any */
};
_Static_assert(sizeof(struct dk_routing_ticket) == 168, "flat, without padding");

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

/* Table 3: by ticket, while it waits: who does not want it, and until when it is kept from them. */
struct dk_routing_decline {
    uint64_t agent;
    int64_t until_us;
};

/* Table 4: by customer: the latest tickets, oldest first. */
struct dk_routing_contact {
    uint64_t ticket, product;
    int64_t opened_us;
};

/* ---------------------------------------------------------------- derived */

#define DK_WITH_ON_CALL      1u /* agents on call may take it */
#define DK_WITHOUT_PREFERRED 2u /* its product's preferred skills are not asked for */

/* The tickets of a group's queue that ask the same of an agent. */
struct dk_demand {
    uint64_t product;
    char language[DK_LANGUAGE_MAX];
    uint8_t channel, mode; /* DK_WITH_... */
    struct dk_queue waiting;
};

struct dk_index;
struct dk_pool;

struct dk_routing_group {
    uint64_t id;
    struct dk_pool *pool;
    uint64_t *agent; /* who works it in any version of an agent, no one twice */
    size_t agent_count;
    struct dk_index *index;    /* of them, by what they can take (index.h); NULL: not made yet */
    struct dk_map demands;     /* hash of what is asked -> struct dk_demand * */
    struct dk_demand **ranked; /* those with tickets, by their first one (R3) */
    size_t ranked_count, ranked_capacity;
    struct dk_queue untold; /* tickets of which no Queued says yet that they wait */
    size_t waiting;         /* tickets in all demands */
};

/* Where a ticket waits. */
struct dk_routing_place {
    struct dk_routing_group *group; /* NULL: nowhere */
    struct dk_demand *demand;
    struct dk_queue_key key;
    uint64_t caller; /* whose company it is that of; 0: the ticket names it itself */
    bool untold;
};

struct dk_routing {
    const struct dk_world *world;
    struct dk_table *tickets, *agents, *declines, *contacts;
    uint64_t settings;     /* the subject of the organization's */
    struct dk_map groups;  /* group -> struct dk_routing_group * */
    struct dk_map places;  /* ticket that waits -> struct dk_routing_place */
    struct dk_map pools;   /* lowest group -> struct dk_pool * */
    struct dk_map seats;   /* agent -> where it stands in a pool that is made (pool.h) */
    struct dk_map hopeful; /* tickets whose step of R5 is due, but somebody has room for them */
    struct dk_map stuck;   /* tickets whose step of R5 is due, but none adds anybody now */
    struct dk_map resting; /* tickets that are owed by themselves what rests on definitions */
    struct dk_map callers; /* customer -> how many wait whose company is the customer's */
    bool rosters_stale;    /* they are not made yet */
    uint64_t shift_epoch;  /* shifts or calendars were defined so often */
};

/* ---------------------------------------------------------------- the role's parts */

int dk_routing_apply(void *self, const struct dk_event *event, struct dk_agenda *agenda,
                     struct dk_err *err);
void dk_routing_consider(void *self, uint64_t item, int64_t now_us, struct dk_intents *intents,
                         int64_t *again_us);
int dk_routing_query(void *self, const char *name, const char *const *argument,
                     size_t argument_count, struct dk_buf *json, struct dk_err *err);

/* An agent changed, by which a hopeful ticket may have lost its last one. No instant tells that:
 * the log's time stands still after an accepted step back. */
void dk_routing_touch_hopeful(struct dk_routing *self, struct dk_agenda *agenda);
/* An agent was defined, by whom a step of a stuck ticket may add somebody. */
void dk_routing_touch_stuck(struct dk_routing *self, struct dk_agenda *agenda);
/* Something was defined that a route, a group of R5 or a return rests on. */
void dk_routing_touch_resting(struct dk_routing *self, struct dk_agenda *agenda);
/* Settings were defined, and with them when the next step of R5 is due. */
void dk_routing_touch_waiting(struct dk_routing *self, struct dk_agenda *agenda);

/* owed.c: what a ticket by itself is owed: routes, the next step of R5, an offer's end, the return
 * of a handover, a repeat contact. Whether there may be such a thing, now or later. */
bool dk_routing_owes_ticket(const struct dk_routing *self, uint64_t ticket,
                            const struct dk_routing_ticket *row, const struct dk_ticket *life);
/* Of that, whether it rests on definitions, whatever the time: of a ticket that waits for a step of
 * R5 only the settings tell when, and `hopeful` and `stuck` have it from then on. */
bool dk_routing_rests_on_definitions(const struct dk_routing_ticket *row,
                                     const struct dk_ticket *life);
void dk_routing_consider_ticket(struct dk_routing *self, uint64_t ticket, int64_t now_us,
                                struct dk_intents *intents, int64_t *again_us);

/* contacts.c: what an Opened, Classified or RequesterChanged tells of the customer's earlier
 * tickets. */
void dk_routing_note_contact(struct dk_routing *self, struct dk_routing_ticket *row,
                             const struct dk_event *event);

/* rosters.c: groups and pools, made when they are first asked for; then agents come to them as they
 * are defined, and only a restart takes one out who works nowhere any more. */
struct dk_routing_group *dk_routing_group(struct dk_routing *self, uint64_t group);
void dk_routing_refresh(struct dk_routing *self);
/* An agent was defined, maybe for other groups: these are one pool from now on. */
void dk_routing_enroll(struct dk_routing *self, uint64_t agent);
void dk_routing_free_rosters(struct dk_routing *self);
/* Forgets all that is derived. */
void dk_routing_forget(struct dk_routing *self);
void dk_routing_touch_pool(struct dk_routing *self, uint64_t group, struct dk_agenda *agenda);
/* The pool of an agent whose load or presence changed, if anybody waits there. */
void dk_routing_touch_pool_of(struct dk_routing *self, uint64_t agent, struct dk_agenda *agenda);
/* All pools in which somebody waits. */
void dk_routing_touch_pools(struct dk_routing *self, struct dk_agenda *agenda);

/* What is asked for beyond the usual, or not: DK_WITH_... */
uint8_t dk_routing_mode(const struct dk_routing_ticket *row, const struct dk_ticket *life);

/* apply.c: keeps a ticket in `resting`, or out of it. */
void dk_routing_note_resting(struct dk_routing *self, uint64_t ticket,
                             const struct dk_routing_ticket *row, const struct dk_ticket *life);

/* places.c: puts a ticket where the tables say that it waits; whether that is another place in its
 * order than before. In bulk: places first, in any order, then one sort. */
bool dk_routing_place(struct dk_routing *self, uint64_t ticket, const struct dk_routing_ticket *row,
                      const struct dk_ticket *life);
void dk_routing_place_unsorted(struct dk_routing *self, uint64_t ticket,
                               const struct dk_routing_ticket *row, const struct dk_ticket *life);
void dk_routing_sort_places(struct dk_routing *self);

#endif
