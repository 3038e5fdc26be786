#include "nodes/routing/routing.h"
#include "nodes/routing/state.h"
#include "proto/fold/ticket.h"
#include <stdlib.h>
#include <string.h>

#define GROUPS_MAX 65536
#define PLACES_MAX (UINT64_C(1) << 32)

static int open_role(void **self, const struct dk_world *world, struct dk_table *const *table,
                     struct dk_err *err)
{
    struct dk_routing *routing = calloc(1, sizeof *routing);
    if (routing == NULL) {
        return dk_err_set(err, DK_ENOMEM, "no memory for routing");
    }
    routing->world = world;
    routing->tickets = table[0];
    routing->agents = table[1];
    routing->rosters_stale = true;
    dk_map_init(&routing->groups, sizeof(struct dk_routing_group), GROUPS_MAX);
    dk_map_init(&routing->places, sizeof(struct dk_routing_place), PLACES_MAX);
    *self = routing;
    return 0;
}

static void close_role(void **self)
{
    struct dk_routing *routing = *self;
    size_t cursor = 0;
    uint64_t key;
    void *value;
    while (dk_map_next(&routing->groups, &cursor, &key, &value)) {
        struct dk_routing_group *group = value;
        dk_queue_release(&group->waiting);
        dk_queue_release(&group->untold);
        free(group->agent);
    }
    dk_map_close(&routing->groups);
    dk_map_close(&routing->places);
    free(routing);
    *self = NULL;
}

struct dk_routing_group *dk_routing_group(struct dk_routing *self, uint64_t group)
{
    bool created = false;
    struct dk_routing_group *found = dk_map_put(&self->groups, group, &created);
    DK_ASSERT(found != NULL);
    if (created) {
        found->pool = group;
    }
    return found;
}

/* ---------------------------------------------------------------- rosters */

/* Joins the pools of two groups under the lower one. */
static void join_pools(struct dk_routing *self, uint64_t a, uint64_t b)
{
    size_t cursor = 0;
    uint64_t key, low = a < b ? a : b, high = a < b ? b : a;
    void *value;
    while (low != high && dk_map_next(&self->groups, &cursor, &key, &value)) {
        struct dk_routing_group *group = value;
        group->pool = group->pool == high ? low : group->pool;
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

static void add_to_group(struct dk_routing_group *group, uint64_t agent)
{
    if (group->agent_count > 0 && group->agent[group->agent_count - 1] == agent) {
        return; /* by an earlier version */
    }
    group->agent = realloc(group->agent, (group->agent_count + 1) * sizeof *group->agent);
    DK_ASSERT(group->agent != NULL);
    group->agent[group->agent_count++] = agent;
}

/* Into every group that some version of the agent names; these are one pool. */
static void add_agent(struct dk_routing *self, uint64_t agent)
{
    const Docket__AgentDefined *body;
    uint64_t first = 0;
    uint32_t number = 0;
    while ((body = next_version(self->world->refs, agent, &number)) != NULL) {
        for (size_t i = 0; i < body->n_group; i++) {
            first = first != 0 ? first : body->group[i];
            add_to_group(dk_routing_group(self, body->group[i]), agent);
            join_pools(self, dk_routing_group(self, first)->pool,
                       dk_routing_group(self, body->group[i])->pool);
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
    struct dk_routing *self = arg;
    if (dk_refs_at(self->world->refs, version->subject, INT64_MAX) == NULL) {
        add_agent(self, version->subject);
    }
    return 0;
}

/* Rosters and pools change with agents' definitions only: which of the versions is in force is
 * asked at each decision. */
void dk_routing_refresh(struct dk_routing *self)
{
    struct dk_refs *refs = self->world->refs;
    size_t cursor = 0;
    uint64_t key;
    void *value;
    if (!self->rosters_stale) {
        return;
    }
    while (dk_map_next(&self->groups, &cursor, &key, &value)) {
        ((struct dk_routing_group *)value)->agent_count = 0;
        ((struct dk_routing_group *)value)->pool = key;
    }
    (void)dk_refs_each(refs, DK_SUBJECT_AGENT, INT64_MAX, add_last, self);
    (void)dk_refs_each(refs, DK_SUBJECT_AGENT, self->world->recorded_us, add_leaving, self);
    self->rosters_stale = false;
}

void dk_routing_touch_pool(struct dk_routing *self, uint64_t group, struct dk_agenda *agenda)
{
    dk_routing_refresh(self);
    dk_agenda_touch(agenda, dk_routing_group(self, group)->pool);
}

void dk_routing_touch_pools_of(struct dk_routing *self, uint64_t agent, struct dk_agenda *agenda)
{
    const Docket__AgentDefined *body;
    uint32_t number = 0;
    while ((body = next_version(self->world->refs, agent, &number)) != NULL) {
        if (body->n_group > 0) {
            dk_routing_touch_pool(self, body->group[0], agenda);
            return; /* all groups of one agent are one pool */
        }
    }
}

/* ---------------------------------------------------------------- queues */

/* The order of a queue (R3), from the tables. */
static struct dk_queue_key key_of(const struct dk_routing *self, uint64_t ticket)
{
    const struct dk_routing_ticket *row = dk_table_get(self->tickets, ticket, NULL);
    const struct dk_ticket *life = dk_table_get(self->world->tickets, ticket, NULL);
    int64_t first_us = row->first_reply_due_us, resolution_us = row->resolution_due_us;
    int64_t due_us = first_us == 0                                    ? resolution_us
                     : resolution_us != 0 && resolution_us < first_us ? resolution_us
                                                                      : first_us;
    return (struct dk_queue_key){.priority = life->priority != 0 ? life->priority : 5,
                                 .due_us = due_us != 0 ? due_us : INT64_MAX,
                                 .since_us = row->since_us,
                                 .ticket = ticket};
}

static struct dk_routing_place place_of(const struct dk_routing *self, uint64_t ticket)
{
    const struct dk_routing_ticket *row = dk_table_get(self->tickets, ticket, NULL);
    struct dk_routing_place place = {0};
    if (row->queue != 0) {
        place.group = row->queue;
        place.key = key_of(self, ticket);
        place.untold = row->queued_said == 0;
    }
    return place;
}

static void remember_place(struct dk_routing *self, uint64_t ticket,
                           const struct dk_routing_place *place)
{
    if (place->group == 0) {
        (void)dk_map_remove(&self->places, ticket);
        return;
    }
    struct dk_routing_place *held = dk_map_put(&self->places, ticket, NULL);
    DK_ASSERT(held != NULL);
    *held = *place;
}

bool dk_routing_place(struct dk_routing *self, uint64_t ticket)
{
    const struct dk_routing_place *held = dk_map_get(&self->places, ticket);
    struct dk_routing_place old = held != NULL ? *held : (struct dk_routing_place){0};
    struct dk_routing_place now = place_of(self, ticket);
    bool moved = now.group != old.group || !dk_queue_same(&now.key, &old.key);
    if (old.untold && (moved || !now.untold)) {
        dk_queue_remove(&dk_routing_group(self, old.group)->untold, &old.key);
    }
    if (moved && old.group != 0) {
        dk_queue_remove(&dk_routing_group(self, old.group)->waiting, &old.key);
    }
    if (moved && now.group != 0) {
        dk_queue_insert(&dk_routing_group(self, now.group)->waiting, &now.key);
    }
    if (now.untold && (moved || !old.untold)) {
        dk_queue_insert(&dk_routing_group(self, now.group)->untold, &now.key);
    }
    remember_place(self, ticket, &now);
    return moved;
}

static void sort_queues(struct dk_routing *self, struct dk_agenda *agenda)
{
    size_t cursor = 0;
    uint64_t key;
    void *value;
    dk_routing_refresh(self);
    while (dk_map_next(&self->groups, &cursor, &key, &value)) {
        struct dk_routing_group *group = value;
        dk_queue_sort(&group->waiting);
        dk_queue_sort(&group->untold);
        if (group->waiting.count > 0) {
            dk_agenda_touch(agenda, group->pool);
        }
    }
}

static int rebuild(void *self, struct dk_agenda *agenda, struct dk_err *err)
{
    struct dk_routing *routing = self;
    routing->rosters_stale = true;
    size_t cursor = 0, bytes;
    uint64_t ticket;
    const void *row;
    (void)err;
    while (dk_table_next(routing->tickets, &cursor, &ticket, &row, &bytes)) {
        const struct dk_ticket *life = dk_table_get(routing->world->tickets, ticket, NULL);
        struct dk_routing_place place = place_of(routing, ticket);
        if (place.group != 0) {
            struct dk_routing_group *group = dk_routing_group(routing, place.group);
            dk_queue_append(&group->waiting, &place.key);
            if (place.untold) {
                dk_queue_append(&group->untold, &place.key);
            }
            remember_place(routing, ticket, &place);
        }
        if (dk_routing_wants_route(row, life)) {
            dk_agenda_touch(agenda, ticket);
        }
    }
    sort_queues(routing, agenda);
    return 0;
}

const struct dk_role_ops dk_routing_role = {
    .name = "routing",
    .role = DK_ROLE_ROUTING,
    .fold_version = 2,
    .rule_version = 1,
    .table_count = 2,
    .table_value_bytes = {sizeof(struct dk_routing_ticket), sizeof(struct dk_routing_agent)},
    .open = open_role,
    .close = close_role,
    .rebuild = rebuild,
    .apply = dk_routing_apply,
    .consider = dk_routing_consider,
    .query = dk_routing_query,
};
