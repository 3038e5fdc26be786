#include "nodes/routing/pool.h"
#include "nodes/routing/index.h"
#include <stdlib.h>

void dk_pool_discard(struct dk_pool *pool)
{
    for (size_t i = 0; i < pool->group_count; i++) {
        dk_index_free(pool->group[i]->index);
        pool->group[i]->index = NULL;
    }
    if (pool->edges != NULL) {
        dk_agenda_free(&pool->edges);
    }
    free(pool->agent);
    free(pool->seats);
    free(pool->stale);
    pool->agent = NULL;
    pool->seats = NULL;
    pool->stale = NULL;
    pool->agent_count = pool->stale_count = 0;
}

void dk_pool_free(struct dk_pool *pool)
{
    dk_pool_discard(pool);
    free(pool->group);
    free(pool);
}

static int by_id(const void *a, const void *b)
{
    const struct dk_pool_agent *x = a, *y = b;
    return (x->now.id > y->now.id) - (x->now.id < y->now.id);
}

struct dk_pool_agent *dk_pool_agent(const struct dk_pool *pool, uint64_t id)
{
    struct dk_pool_agent wanted = {.now = {.id = id}};
    return pool->agent_count == 0
               ? NULL
               : bsearch(&wanted, pool->agent, pool->agent_count, sizeof wanted, by_id);
}

/* ---------------------------------------------------------------- making */

/* All agents of all groups, each once, by id; with room for a seat in each group. */
static size_t gather(struct dk_pool *pool)
{
    size_t seats = 0, count = 0;
    for (size_t i = 0; i < pool->group_count; i++) {
        seats += pool->group[i]->agent_count;
    }
    pool->agent = calloc(seats + 1, sizeof *pool->agent);
    pool->seats = calloc(seats + 1, sizeof *pool->seats);
    DK_ASSERT(pool->agent != NULL && pool->seats != NULL);
    for (size_t i = 0; i < pool->group_count; i++) {
        for (size_t k = 0; k < pool->group[i]->agent_count; k++) {
            pool->agent[count++].now.id = pool->group[i]->agent[k];
        }
    }
    qsort(pool->agent, count, sizeof *pool->agent, by_id);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || pool->agent[i].now.id != pool->agent[pool->agent_count - 1].now.id) {
            pool->agent[pool->agent_count++] = (struct dk_pool_agent){.now = pool->agent[i].now};
        }
        pool->agent[pool->agent_count - 1].seat_count++;
    }
    return seats;
}

static void give_seats(struct dk_routing *self, struct dk_pool *pool)
{
    struct dk_seat *next = pool->seats;
    for (size_t i = 0; i < pool->agent_count; i++) {
        pool->agent[i].seat = next;
        next += pool->agent[i].seat_count;
        pool->agent[i].seat_count = 0;
        struct dk_pool_seat *seat = dk_map_put(&self->seats, pool->agent[i].now.id, NULL);
        DK_ASSERT(seat != NULL);
        *seat = (struct dk_pool_seat){pool, i};
    }
    for (size_t i = 0; i < pool->group_count; i++) {
        struct dk_routing_group *group = pool->group[i];
        for (size_t slot = 0; slot < group->agent_count; slot++) {
            struct dk_pool_agent *agent = dk_pool_agent(pool, group->agent[slot]);
            agent->seat[agent->seat_count++] = (struct dk_seat){group, (uint32_t)slot};
        }
    }
}

static void enter(struct dk_pool_agent *agent)
{
    const struct dk_agent_now *now = &agent->now;
    agent->ranked = now->body != NULL && (now->on_shift || now->on_call) && now->available &&
                    now->load < now->capacity;
    for (size_t i = 0; i < agent->seat_count; i++) {
        dk_index_enter(&agent->seat[i], agent);
    }
}

static void leave(struct dk_pool_agent *agent)
{
    for (size_t i = 0; i < agent->seat_count; i++) {
        dk_index_leave(&agent->seat[i], agent);
    }
}

static void read_load(const struct dk_routing *self, struct dk_pool *pool,
                      struct dk_pool_agent *agent, int64_t now_us)
{
    int64_t again_us = agent->edge_us;
    dk_agent_read_load(self, now_us, &agent->now, &again_us);
    if (again_us != agent->again_us) {
        agent->again_us = again_us;
        dk_agenda_schedule(pool->edges, agent->now.id, again_us);
    }
}

static void read_agent(struct dk_routing *self, struct dk_pool *pool, struct dk_pool_agent *agent,
                       int64_t now_us)
{
    agent->edge_us = INT64_MAX;
    agent->again_us = INT64_MAX; /* it stands on no agenda: that is new, or gave it out */
    dk_agent_read(self, agent->now.id, now_us, &agent->now, &agent->edge_us);
    read_load(self, pool, agent, now_us);
}

static void make(struct dk_routing *self, struct dk_pool *pool, int64_t now_us)
{
    dk_pool_discard(pool);
    (void)gather(pool);
    give_seats(self, pool);
    pool->edges = dk_agenda_new();
    pool->stale = calloc(pool->agent_count + 1, sizeof *pool->stale);
    DK_ASSERT(pool->stale != NULL);
    for (size_t i = 0; i < pool->agent_count; i++) {
        read_agent(self, pool, &pool->agent[i], now_us);
    }
    for (size_t i = 0; i < pool->group_count; i++) {
        dk_index_make(pool->group[i]);
    }
    for (size_t i = 0; i < pool->agent_count; i++) {
        enter(&pool->agent[i]);
    }
}

/* ---------------------------------------------------------------- keeping up */

static void note_stale(struct dk_pool *pool, size_t agent)
{
    if (!pool->agent[agent].stale) {
        pool->agent[agent].stale = true;
        pool->stale[pool->stale_count++] = agent;
    }
}

void dk_pool_note_changed(struct dk_routing *self, uint64_t agent)
{
    const struct dk_pool_seat *seat = dk_map_get(&self->seats, agent);
    if (seat != NULL) {
        note_stale(seat->pool, seat->agent);
    }
}

/* Reads an agent anew whose instant has come. false when another definition is in force: languages,
 * skills and groups may be others, and the indexes are made anew. */
static bool read_anew(struct dk_routing *self, struct dk_pool *pool, struct dk_pool_agent *agent,
                      int64_t now_us)
{
    const Docket__AgentDefined *body = agent->now.body;
    leave(agent);
    read_agent(self, pool, agent, now_us);
    enter(agent);
    return agent->now.body == body;
}

void dk_pool_at(struct dk_routing *self, struct dk_pool *pool, int64_t now_us)
{
    uint64_t id;
    bool same =
        pool->agent != NULL && now_us >= pool->seen_us && pool->shift_epoch == self->shift_epoch;
    while (same && dk_agenda_next(pool->edges, now_us, &id)) {
        same = read_anew(self, pool, dk_pool_agent(pool, id), now_us);
    }
    while (same && pool->stale_count > 0) {
        struct dk_pool_agent *agent = &pool->agent[pool->stale[--pool->stale_count]];
        agent->stale = false;
        leave(agent);
        read_load(self, pool, agent, now_us);
        enter(agent);
    }
    if (!same) {
        make(self, pool, now_us);
    }
    pool->seen_us = now_us;
    pool->shift_epoch = self->shift_epoch;
}

void dk_pool_give(struct dk_pool *pool, struct dk_pool_agent *agent, unsigned channel,
                  uint32_t weight, int64_t now_us)
{
    struct dk_agent_now *now = &agent->now;
    leave(agent);
#ifndef DK_BUG_GIVE_TWICE /* planted, for the simulator to find */
    now->load += weight;
#endif
    now->channel_load[channel] = (uint16_t)(now->channel_load[channel] + weight);
    now->idle_since_us = now_us;
    dk_agent_count_spare(now);
    enter(agent);
    note_stale(pool, (size_t)(agent - pool->agent));
}

int64_t dk_pool_next_us(const struct dk_pool *pool)
{
    return dk_agenda_due_us(pool->edges);
}

size_t dk_pool_waiting(const struct dk_pool *pool)
{
    size_t waiting = 0;
    for (size_t i = 0; i < pool->group_count; i++) {
        waiting += pool->group[i]->waiting;
    }
    return waiting;
}
