#include "nodes/routing/routing.h"
#include "nodes/routing/state.h"
#include "proto/fold/ticket.h"
#include <stdlib.h>
#include <string.h>

#define GROUPS_MAX 65536

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
    routing->roster_epoch = UINT64_MAX;
    dk_map_init(&routing->groups, sizeof(struct dk_routing_group), GROUPS_MAX);
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
        dk_queue_release(&group->queue);
        free(group->agent);
    }
    dk_map_close(&routing->groups);
    free(routing);
    *self = NULL;
}

struct dk_routing_group *dk_routing_group(struct dk_routing *self, uint64_t group)
{
    bool first = false;
    struct dk_routing_group *found = dk_map_put(&self->groups, group, &first);
    DK_ASSERT(found != NULL);
    if (first) {
        found->pool = group;
    }
    return found;
}

/* ---------------------------------------------------------------- rosters */

static int add_agent(void *arg, const struct dk_refs_version *version)
{
    struct dk_routing *self = arg;
    const Docket__AgentDefined *agent = (const void *)version->body;
    for (size_t i = 0; i < agent->n_group; i++) {
        struct dk_routing_group *group = dk_routing_group(self, agent->group[i]);
        group->agent = realloc(group->agent, (group->agent_count + 1) * sizeof *group->agent);
        DK_ASSERT(group->agent != NULL);
        group->agent[group->agent_count++] = version->subject;
    }
    return 0;
}

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

static int add_to_pools(void *arg, const struct dk_refs_version *version)
{
    struct dk_routing *self = arg;
    const Docket__AgentDefined *agent = (const void *)version->body;
    for (size_t i = 1; i < agent->n_group; i++) {
        join_pools(self, dk_routing_group(self, agent->group[0])->pool,
                   dk_routing_group(self, agent->group[i])->pool);
    }
    return 0;
}

/* Agents come ordered by id, so the rosters are too. A definition that comes into force later
 * changed the epoch when it was folded; what is in force is asked again at each decision. */
void dk_routing_refresh(struct dk_routing *self)
{
    struct dk_refs *refs = self->world->refs;
    size_t cursor = 0;
    uint64_t key;
    void *value;
    if (dk_refs_epoch(refs) == self->roster_epoch) {
        return;
    }
    while (dk_map_next(&self->groups, &cursor, &key, &value)) {
        ((struct dk_routing_group *)value)->agent_count = 0;
    }
    (void)dk_refs_each(refs, DK_SUBJECT_AGENT, INT64_MAX, add_agent, self);
    cursor = 0;
    while (dk_map_next(&self->groups, &cursor, &key, &value)) {
        ((struct dk_routing_group *)value)->pool = key;
    }
    (void)dk_refs_each(refs, DK_SUBJECT_AGENT, INT64_MAX, add_to_pools, self);
    self->roster_epoch = dk_refs_epoch(refs);
}

void dk_routing_touch_pool(struct dk_routing *self, uint64_t group, struct dk_agenda *agenda)
{
    struct dk_routing_group *found = dk_routing_group(self, group);
    dk_routing_refresh(self);
    dk_agenda_touch(agenda, found->pool);
}

void dk_routing_touch_pools_of(struct dk_routing *self, uint64_t agent, struct dk_agenda *agenda)
{
    const struct dk_refs_version *version = dk_refs_last(self->world->refs, agent);
    if (version == NULL || version->kind != DK_KIND_AGENT_DEFINED) {
        return;
    }
    /* All groups of one agent are one pool. */
    const Docket__AgentDefined *body = (const void *)version->body;
    if (body->n_group > 0) {
        dk_routing_touch_pool(self, body->group[0], agenda);
    }
}

struct dk_queue_key dk_routing_key(const struct dk_routing *self, uint64_t ticket)
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

static int rebuild(void *self, struct dk_agenda *agenda, struct dk_err *err)
{
    struct dk_routing *routing = self;
    size_t cursor = 0, bytes;
    uint64_t ticket;
    const void *value;
    (void)err;
    while (dk_table_next(routing->tickets, &cursor, &ticket, &value, &bytes)) {
        const struct dk_routing_ticket *row = value;
        const struct dk_ticket *life = dk_table_get(routing->world->tickets, ticket, NULL);
        if (row->queue != 0) {
            struct dk_queue_key key = dk_routing_key(routing, ticket);
            dk_queue_push(&dk_routing_group(routing, row->queue)->queue, &key);
            dk_routing_touch_pool(routing, row->queue, agenda);
        }
        if (dk_routing_wants_route(row, life)) {
            dk_agenda_touch(agenda, ticket);
        }
    }
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
