#include "nodes/routing/eligible.h"
#include "nodes/routing/state.h"
#include "proto/base/id.h"
#include <stdlib.h>

#define HEADS_MAX 512 /* tickets of one queue looked at in one consideration */

/* ---------------------------------------------------------------- R1 */

static void consider_ticket(struct dk_routing *self, uint64_t ticket, int64_t now_us,
                            struct dk_intents *intents, int64_t *again_us)
{
    Docket__Routed routed = DOCKET__ROUTED__INIT;
    const struct dk_ticket *life = dk_table_get(self->world->tickets, ticket, NULL);
    const struct dk_routing_ticket *row = dk_table_get(self->tickets, ticket, NULL);
    struct dk_settings settings;
    uint64_t node = 0;
    if (life == NULL || row == NULL || !dk_routing_wants_route(row, life)) {
        return;
    }
    routed.line = row->wish_line != 0 ? row->wish_line : 1;
    routed.group = dk_refs_route(self->world->refs, life->product, routed.line, now_us, &node);
    routed.has_reason = 1;
    routed.reason = row->wish_line != 0 ? DOCKET__ROUTE_REASON__ROUTE_ESCALATION
                                        : DOCKET__ROUTE_REASON__ROUTE_CATALOGUE;
    routed.has_product = node != 0;
    routed.product = node;
    /* A wish that leads nowhere leaves the ticket where it is, if it is anywhere. */
    if (routed.group == 0 && life->group == 0) {
        dk_refs_settings(self->world->refs, now_us, &settings);
        routed.group = settings.default_group;
        routed.reason = DOCKET__ROUTE_REASON__ROUTE_SECONDARY;
    }
    if (routed.group != 0) {
        (void)dk_intents_add(intents, ticket, DK_KIND_ROUTED, &routed.base, row->cause);
        return;
    }
    *again_us = dk_refs_next_route_us(self->world->refs, life->product, now_us);
    int64_t settings_us = dk_refs_next_settings_us(self->world->refs, now_us);
    if (life->group == 0 && settings_us < *again_us) {
        *again_us = settings_us;
    }
}

/* ---------------------------------------------------------------- R2-R4 */

static size_t fill_exclusions(const struct dk_choice *choice, Docket__Exclusion *exclusion,
                              Docket__Exclusion **pointer)
{
    size_t count = 0;
    for (int reason = 1; reason < 8; reason++) {
        if (choice->excluded[reason] > 0) {
            docket__exclusion__init(&exclusion[count]);
            exclusion[count].reason = (Docket__ExclusionReason)reason;
            exclusion[count].count = choice->excluded[reason];
            pointer[count] = &exclusion[count];
            count++;
        }
    }
    return count;
}

static bool add_assigned(struct dk_intents *intents, uint64_t ticket, uint64_t cause,
                         uint32_t weight, int64_t now_us, const struct dk_choice *choice)
{
    Docket__Assigned assigned = DOCKET__ASSIGNED__INIT;
    Docket__Candidate candidate[DK_CANDIDATES_SAID], *candidates[DK_CANDIDATES_SAID];
    Docket__Exclusion exclusion[8], *exclusions[8];
    size_t said = choice->count < DK_CANDIDATES_SAID ? choice->count : DK_CANDIDATES_SAID;
    for (size_t i = 0; i < said; i++) {
        docket__candidate__init(&candidate[i]);
        candidate[i].agent = choice->best[i]->id;
        candidate[i].spare_permille = dk_spare_permille(choice->best[i]);
        candidate[i].idle_since_us = choice->best[i]->idle_since_us;
        candidates[i] = &candidate[i];
    }
    assigned.agent = choice->best[0]->id;
    assigned.has_weight = 1;
    assigned.weight = weight;
    assigned.n_candidate = said;
    assigned.candidate = candidates;
    assigned.n_excluded = fill_exclusions(choice, exclusion, exclusions);
    assigned.excluded = exclusions;
    assigned.has_judged_us = 1;
    assigned.judged_us = now_us;
    return dk_intents_add(intents, ticket, DK_KIND_ASSIGNED, &assigned.base, cause);
}

static bool add_queued(struct dk_intents *intents, uint64_t ticket, uint64_t group, uint64_t cause,
                       const struct dk_choice *choice)
{
    Docket__Queued queued = DOCKET__QUEUED__INIT;
    Docket__Exclusion exclusion[8], *exclusions[8];
    queued.group = group;
    queued.n_excluded = fill_exclusions(choice, exclusion, exclusions);
    queued.excluded = exclusions;
    return dk_intents_add(intents, ticket, DK_KIND_QUEUED, &queued.base, cause);
}

/* What one consideration of a pool works on. */
struct scene {
    struct dk_routing *self;
    int64_t now_us;
    struct dk_agent_now *agents; /* of the whole pool, by id */
    size_t agent_count;
    struct head {
        struct dk_queue_key key;
        uint64_t group;
    } * head;
    size_t head_count;
    struct dk_agent_now **of_group; /* scratch */
};

/* Takes up to HEADS_MAX tickets off a queue, dropping outdated entries for good. */
static void take_heads(struct scene *scene, uint64_t group_id, struct dk_routing_group *group)
{
    const struct dk_routing *self = scene->self;
    size_t begin = scene->head_count;
    struct dk_queue_key top;
    while (scene->head_count - begin < HEADS_MAX && dk_queue_pop(&group->queue, &top)) {
        const struct dk_routing_ticket *row = dk_table_get(self->tickets, top.ticket, NULL);
        struct dk_queue_key key = dk_routing_key(self, top.ticket);
        bool twice = scene->head_count > begin &&
                     dk_queue_same(&top, &scene->head[scene->head_count - 1].key);
        if (row->queue == group_id && dk_queue_same(&key, &top) && !twice) {
            scene->head[scene->head_count++] = (struct head){top, group_id};
        }
    }
}

static int compare_agents(const void *a, const void *b)
{
    const struct dk_agent_now *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

static struct dk_agent_now *find_agent(const struct scene *scene, uint64_t id)
{
    struct dk_agent_now wanted = {.id = id};
    return bsearch(&wanted, scene->agents, scene->agent_count, sizeof wanted, compare_agents);
}

/* Agents of the pool, each once, as they are now; heads of its queues, in one order. */
static void set_scene(struct scene *scene, uint64_t pool, int64_t *again_us)
{
    size_t cursor = 0, agents_max = 1, groups = 0;
    uint64_t key;
    void *value;
    while (dk_map_next(&scene->self->groups, &cursor, &key, &value)) {
        const struct dk_routing_group *group = value;
        agents_max += group->pool == pool ? group->agent_count : 0;
        groups += group->pool == pool;
    }
    scene->agents = calloc(agents_max, sizeof *scene->agents);
    scene->of_group = calloc(agents_max, sizeof(struct dk_agent_now *));
    scene->head = calloc(groups * HEADS_MAX + 1, sizeof *scene->head);
    DK_ASSERT(scene->agents != NULL && scene->of_group != NULL && scene->head != NULL);
    cursor = 0;
    while (dk_map_next(&scene->self->groups, &cursor, &key, &value)) {
        struct dk_routing_group *group = value;
        size_t known = scene->agent_count;
        for (size_t i = 0; group->pool == pool && i < group->agent_count; i++) {
            struct dk_agent_now wanted = {.id = group->agent[i]};
            bool found = bsearch(&wanted, scene->agents, known, sizeof wanted, compare_agents);
            scene->agent_count +=
                !found && dk_agent_at(scene->self, group->agent[i], scene->now_us,
                                      &scene->agents[scene->agent_count], again_us);
        }
        qsort(scene->agents, scene->agent_count, sizeof *scene->agents, compare_agents);
        if (group->pool == pool) {
            take_heads(scene, key, group);
        }
    }
}

static int compare_heads(const void *a, const void *b)
{
    const struct head *x = a, *y = b;
    return dk_queue_before(&x->key, &y->key) ? -1 : dk_queue_before(&y->key, &x->key);
}

static size_t agents_of(struct scene *scene, uint64_t group_id, bool *any_room)
{
    const struct dk_routing_group *group = dk_routing_group(scene->self, group_id);
    size_t count = 0;
    *any_room = false;
    for (size_t i = 0; i < group->agent_count; i++) {
        struct dk_agent_now *agent = find_agent(scene, group->agent[i]);
        if (agent != NULL) {
            scene->of_group[count++] = agent;
            *any_room |= agent->on_shift && agent->available && agent->load < agent->capacity;
        }
    }
    return count;
}

static void give(struct dk_agent_now *agent, unsigned channel, uint32_t weight, int64_t now_us)
{
    agent->load += weight;
    agent->channel_load[channel] = (uint16_t)(agent->channel_load[channel] + weight);
    agent->idle_since_us = now_us;
}

/* One head of a queue: assigned, or said to wait. false when the intents are full. */
static bool serve_head(struct scene *scene, const struct head *head, struct dk_intents *intents)
{
    struct dk_routing *self = scene->self;
    uint64_t ticket = head->key.ticket;
    const struct dk_routing_ticket *row = dk_table_get(self->tickets, ticket, NULL);
    const struct dk_ticket *life = dk_table_get(self->world->tickets, ticket, NULL);
    unsigned channel = life->channel < DK_CHANNELS ? life->channel : 0;
    struct dk_settings settings;
    struct dk_choice choice;
    bool any_room;
    size_t agent_count = agents_of(scene, head->group, &any_room);
    /* When nobody has room, only those who were not told so yet are judged. */
    if (!any_room && row->queued_said != 0) {
        return true;
    }
    dk_refs_settings(self->world->refs, scene->now_us, &settings);
    uint32_t weight = settings.channel_weight[channel];
    dk_choose(self, ticket, weight, scene->now_us, scene->of_group, agent_count, &choice);
    if (choice.count == 0) {
        return row->queued_said != 0 ||
               add_queued(intents, ticket, head->group, row->cause, &choice);
    }
    bool added = add_assigned(intents, ticket, row->cause, weight, scene->now_us, &choice);
    if (added) {
        give(choice.best[0], channel, weight, scene->now_us);
    }
    return added;
}

static void consider_pool(struct dk_routing *self, uint64_t pool, int64_t now_us,
                          struct dk_intents *intents, int64_t *again_us)
{
    struct scene scene = {.self = self, .now_us = now_us};
    set_scene(&scene, pool, again_us);
    qsort(scene.head, scene.head_count, sizeof *scene.head, compare_heads);
    for (size_t i = 0; i < scene.head_count; i++) {
        if (!serve_head(&scene, &scene.head[i], intents)) {
            break;
        }
    }
    /* What was taken off is still owed until it comes back through the log. */
    for (size_t i = 0; i < scene.head_count; i++) {
        dk_queue_push(&dk_routing_group(self, scene.head[i].group)->queue, &scene.head[i].key);
    }
    if (scene.head_count == 0) {
        *again_us = INT64_MAX;
    }
    free(scene.agents);
    free(scene.of_group);
    free(scene.head);
}

void dk_routing_consider(void *self, uint64_t item, int64_t now_us, struct dk_intents *intents,
                         int64_t *again_us)
{
    dk_routing_refresh(self);
    if (dk_id_class(item) == DK_SUBJECT_TICKET) {
        consider_ticket(self, item, now_us, intents, again_us);
    } else {
        consider_pool(self, item, now_us, intents, again_us);
    }
}
