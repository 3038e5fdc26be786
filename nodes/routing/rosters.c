#include "nodes/routing/index.h"
#include "nodes/routing/pool.h"
#include <stdlib.h>

static void free_pools(struct dk_routing *self)
{
    size_t cursor = 0;
    uint64_t key;
    void *value;
    while (dk_map_next(&self->pools, &cursor, &key, &value)) {
        dk_pool_free(*(struct dk_pool **)value);
    }
    dk_map_clear(&self->pools);
    dk_map_clear(&self->seats);
}

static struct dk_pool *new_pool(struct dk_routing *self, uint64_t item)
{
    struct dk_pool *pool = calloc(1, sizeof *pool);
    DK_ASSERT(pool != NULL);
    pool->item = item;
    struct dk_pool **held = dk_map_put(&self->pools, item, NULL);
    DK_ASSERT(held != NULL);
    *held = pool;
    return pool;
}

static void join_pool(struct dk_pool *pool, struct dk_routing_group *group)
{
    pool->group = realloc(pool->group, (pool->group_count + 1) * sizeof(struct dk_routing_group *));
    DK_ASSERT(pool->group != NULL);
    pool->group[pool->group_count++] = group;
    group->pool = pool;
}

struct dk_routing_group *dk_routing_group(struct dk_routing *self, uint64_t id)
{
    bool created = false;
    struct dk_routing_group **held = dk_map_put(&self->groups, id, &created);
    DK_ASSERT(held != NULL);
    if (created) {
        struct dk_routing_group *group = calloc(1, sizeof *group);
        DK_ASSERT(group != NULL);
        group->id = id;
        dk_map_init(&group->demands, sizeof(struct dk_demand *), UINT32_MAX);
        *held = group;
        join_pool(new_pool(self, id), group); /* of its own, until agents join it to others */
        return group;
    }
    return *held;
}

static void free_group(struct dk_routing_group *group)
{
    size_t cursor = 0;
    uint64_t key;
    void *value;
    while (dk_map_next(&group->demands, &cursor, &key, &value)) {
        struct dk_demand *demand = *(struct dk_demand **)value;
        dk_queue_release(&demand->waiting);
        free(demand);
    }
    dk_map_close(&group->demands);
    dk_queue_release(&group->untold);
    free(group->ranked);
    free(group->agent);
    free(group);
}

void dk_routing_free_rosters(struct dk_routing *self)
{
    size_t cursor = 0;
    uint64_t key;
    void *value;
    free_pools(self);
    while (dk_map_next(&self->groups, &cursor, &key, &value)) {
        free_group(*(struct dk_routing_group **)value);
    }
}

void dk_routing_forget(struct dk_routing *self)
{
    dk_routing_free_rosters(self);
    dk_map_clear(&self->groups);
    dk_map_clear(&self->places);
    dk_map_clear(&self->hopeful);
    dk_map_clear(&self->stuck);
    dk_map_clear(&self->resting);
    dk_map_clear(&self->callers);
    self->rosters_stale = true;
}

/* ---------------------------------------------------------------- pools */

/* While pools are being joined: which groups belong together, by the lowest one. */
struct joining {
    struct dk_routing *self;
    struct dk_map parent; /* group -> a lower one of the same pool, or itself */
};

static uint64_t root_of(struct joining *joining, uint64_t group)
{
    uint64_t *parent = dk_map_get(&joining->parent, group);
    while (parent != NULL && *parent != group) {
        uint64_t *above = dk_map_get(&joining->parent, *parent);
        *parent = *above; /* halves the path */
        group = *parent;
        parent = dk_map_get(&joining->parent, group);
    }
    return group;
}

static void join(struct joining *joining, uint64_t a, uint64_t b)
{
    uint64_t x = root_of(joining, a), y = root_of(joining, b);
    if (x != y) {
        uint64_t *parent = dk_map_get(&joining->parent, x < y ? y : x);
        *parent = x < y ? x : y;
    }
}

/* An agent's versions, one after the other: `*number` starts at 0; NULL at the end. */
static const Docket__AgentDefined *next_version(const struct dk_refs *refs, uint64_t agent,
                                                uint32_t *number)
{
    const struct dk_refs_version *version = NULL, *last = dk_refs_last(refs, agent);
    while (version == NULL && last != NULL && *number < last->version) {
        version = dk_refs_version_of(refs, agent, ++*number);
    }
    return version != NULL ? (const void *)version->body : NULL;
}

static void enroll(struct dk_routing_group *group, uint64_t agent)
{
    if ((group->agent_count & (group->agent_count - 1)) == 0) { /* full at each power of two */
        size_t room = group->agent_count == 0 ? 1 : group->agent_count * 2;
        group->agent = realloc(group->agent, room * sizeof *group->agent);
        DK_ASSERT(group->agent != NULL);
    }
    group->agent[group->agent_count++] = agent;
}

static void add_to_group(struct joining *joining, uint64_t id, uint64_t agent)
{
    struct dk_routing_group *group = dk_routing_group(joining->self, id);
    bool created = false;
    uint64_t *parent = dk_map_put(&joining->parent, id, &created);
    DK_ASSERT(parent != NULL);
    *parent = created ? id : *parent;
    if (group->agent_count == 0 || group->agent[group->agent_count - 1] != agent) {
        enroll(group, agent); /* else an earlier version did */
    }
}

/* Into every group that some version of the agent names; these are one pool. */
static void add_agent(struct joining *joining, uint64_t agent)
{
    const Docket__AgentDefined *body;
    uint64_t first = 0;
    uint32_t number = 0;
    while ((body = next_version(joining->self->world->refs, agent, &number)) != NULL) {
        for (size_t i = 0; i < body->n_group; i++) {
            add_to_group(joining, body->group[i], agent);
            first = first != 0 ? first : body->group[i];
            join(joining, first, body->group[i]);
        }
    }
}

static int add_last(void *arg, const struct dk_refs_version *version)
{
    add_agent(arg, version->subject);
    return 0;
}

/* Those that are in force now and will be removed. */
static int add_leaving(void *arg, const struct dk_refs_version *version)
{
    struct joining *joining = arg;
    if (dk_refs_at(joining->self->world->refs, version->subject, INT64_MAX) == NULL) {
        add_agent(joining, version->subject);
    }
    return 0;
}

/* Rosters and pools rest on agents' definitions only: which of the versions is in force is
 * asked when a pool is read. */
void dk_routing_refresh(struct dk_routing *self)
{
    struct joining joining = {.self = self};
    size_t cursor = 0;
    uint64_t key;
    void *value;
    if (!self->rosters_stale) {
        return;
    }
    free_pools(self);
    dk_map_init(&joining.parent, sizeof(uint64_t), UINT32_MAX);
    while (dk_map_next(&self->groups, &cursor, &key, &value)) {
        (*(struct dk_routing_group **)value)->agent_count = 0;
    }
    (void)dk_refs_each(self->world->refs, DK_SUBJECT_AGENT, INT64_MAX, add_last, &joining);
    (void)dk_refs_each(self->world->refs, DK_SUBJECT_AGENT, self->world->recorded_us, add_leaving,
                       &joining);
    free_pools(self); /* of groups that were met for the first time */
    cursor = 0;
    while (dk_map_next(&self->groups, &cursor, &key, &value)) {
        uint64_t root = root_of(&joining, key);
        struct dk_pool **pool = dk_map_get(&self->pools, root);
        join_pool(pool != NULL ? *pool : new_pool(self, root), *(struct dk_routing_group **)value);
    }
    dk_map_close(&joining.parent);
    self->rosters_stale = false;
}

/* ---------------------------------------------------------------- one agent more */

/* The pool's agents are read anew when they are needed. */
static void discard_agents(struct dk_routing *self, struct dk_pool *pool)
{
    for (size_t i = 0; i < pool->agent_count; i++) {
        (void)dk_map_remove(&self->seats, pool->agent[i].now.id);
    }
    dk_pool_discard(pool);
}

/* Two pools become one: the one with the lower item takes the other's groups. */
static struct dk_pool *join_pools(struct dk_routing *self, struct dk_pool *a, struct dk_pool *b)
{
    struct dk_pool *low = a->item < b->item ? a : b, *high = low == a ? b : a;
    if (a == b) {
        return a;
    }
    discard_agents(self, low);
    discard_agents(self, high);
    for (size_t i = 0; i < high->group_count; i++) {
        join_pool(low, high->group[i]);
    }
    (void)dk_map_remove(&self->pools, high->item);
    dk_pool_free(high);
    return low;
}

static bool is_enrolled(const struct dk_routing_group *group, uint64_t agent)
{
    size_t i = 0;
    while (i < group->agent_count && group->agent[i] != agent) {
        i++;
    }
    return i < group->agent_count;
}

void dk_routing_enroll(struct dk_routing *self, uint64_t agent)
{
    const Docket__AgentDefined *body;
    struct dk_pool *pool = NULL;
    uint32_t number = 0;
    if (self->rosters_stale) {
        return;
    }
    while ((body = next_version(self->world->refs, agent, &number)) != NULL) {
        for (size_t i = 0; i < body->n_group; i++) {
            struct dk_routing_group *group = dk_routing_group(self, body->group[i]);
            if (!is_enrolled(group, agent)) {
                enroll(group, agent);
            }
            pool = pool == NULL ? group->pool : join_pools(self, pool, group->pool);
        }
    }
    if (pool != NULL) {
        discard_agents(self, pool);
    }
}

/* ---------------------------------------------------------------- the agenda */

void dk_routing_touch_pool(struct dk_routing *self, uint64_t group, struct dk_agenda *agenda)
{
    dk_routing_refresh(self);
    dk_agenda_touch(agenda, dk_routing_group(self, group)->pool->item);
}

void dk_routing_touch_pool_of(struct dk_routing *self, uint64_t agent, struct dk_agenda *agenda)
{
    const Docket__AgentDefined *body;
    uint32_t number = 0;
    const struct dk_pool_seat *seat = dk_map_get(&self->seats, agent);
    if (self->places.count == 0) {
        return; /* a ticket that comes to wait touches its pool itself */
    }
    if (seat != NULL && !self->rosters_stale) {
        dk_agenda_touch(agenda, seat->pool->item);
        return;
    }
    while ((body = next_version(self->world->refs, agent, &number)) != NULL) {
        if (body->n_group > 0) {
            dk_routing_touch_pool(self, body->group[0], agenda);
            return; /* all groups of one agent are one pool */
        }
    }
}

void dk_routing_touch_pools(struct dk_routing *self, struct dk_agenda *agenda)
{
    size_t cursor = 0;
    uint64_t key;
    void *value;
    /* Pools are made anew only for somebody: an import defines thousands while nobody waits. */
    if (self->places.count == 0) {
        return;
    }
    dk_routing_refresh(self);
    while (dk_map_next(&self->groups, &cursor, &key, &value)) {
        const struct dk_routing_group *group = *(struct dk_routing_group **)value;
        if (group->waiting > 0) {
            dk_agenda_touch(agenda, group->pool->item);
        }
    }
}
