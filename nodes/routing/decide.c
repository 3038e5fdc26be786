#include "nodes/routing/eligible.h"
#include "nodes/routing/state.h"
#include "proto/base/id.h"
#include <stdlib.h>
#include <string.h>

#define HOPELESS_MAX 64 /* sorts of tickets that nobody can take, kept in mind */

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

/* A sort of ticket that nobody has room for, in one consideration: agents only fill up. */
struct sort {
    uint64_t group, product;
    unsigned channel;
    const char *language;
};

/* What one consideration of a pool works on. */
struct scene {
    struct dk_routing *self;
    int64_t now_us;
    struct dk_agent_now *agents; /* of the whole pool, by id */
    size_t agent_count;
    uint64_t *groups; /* of the pool */
    size_t *next;     /* of each: the index of its next ticket */
    size_t group_count;
    struct dk_agent_now **of_group; /* scratch */
    struct sort hopeless[HOPELESS_MAX];
    size_t hopeless_count;
};

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

/* Adds those of a group's agents that are not there yet, as they are now. */
static void add_agents(struct scene *scene, const struct dk_routing_group *group, int64_t *again_us)
{
    size_t known = scene->agent_count;
    for (size_t i = 0; i < group->agent_count; i++) {
        struct dk_agent_now wanted = {.id = group->agent[i]};
        bool found = bsearch(&wanted, scene->agents, known, sizeof wanted, compare_agents);
        scene->agent_count += !found && dk_agent_at(scene->self, group->agent[i], scene->now_us,
                                                    &scene->agents[scene->agent_count], again_us);
    }
    qsort(scene->agents, scene->agent_count, sizeof *scene->agents, compare_agents);
}

static void set_scene(struct scene *scene, uint64_t pool, int64_t *again_us)
{
    size_t cursor = 0, agents_max = 1, groups = 1;
    uint64_t key;
    void *value;
    while (dk_map_next(&scene->self->groups, &cursor, &key, &value)) {
        const struct dk_routing_group *group = value;
        agents_max += group->pool == pool ? group->agent_count : 0;
        groups += group->pool == pool;
    }
    scene->agents = calloc(agents_max, sizeof *scene->agents);
    scene->of_group = calloc(agents_max, sizeof(struct dk_agent_now *));
    scene->groups = calloc(groups, sizeof *scene->groups);
    scene->next = calloc(groups, sizeof *scene->next);
    DK_ASSERT(scene->agents != NULL && scene->of_group != NULL && scene->groups != NULL &&
              scene->next != NULL);
    cursor = 0;
    while (dk_map_next(&scene->self->groups, &cursor, &key, &value)) {
        const struct dk_routing_group *group = value;
        if (group->pool == pool) {
            scene->groups[scene->group_count++] = key;
            add_agents(scene, group, again_us);
        }
    }
}

static void clear_scene(struct scene *scene)
{
    free(scene->agents);
    free(scene->of_group);
    free(scene->groups);
    free(scene->next);
}

static const struct dk_queue *queue_of(const struct scene *scene, size_t i, bool untold)
{
    const struct dk_routing_group *group = dk_routing_group(scene->self, scene->groups[i]);
    return untold ? &group->untold : &group->waiting;
}

/* The next ticket of all queues in one order; NULL at the end. */
static const struct dk_queue_key *next_head(struct scene *scene, bool untold, uint64_t *group)
{
    const struct dk_queue_key *best = NULL;
    size_t of = 0;
    for (size_t i = 0; i < scene->group_count; i++) {
        const struct dk_queue *queue = queue_of(scene, i, untold);
        if (scene->next[i] < queue->count &&
            (best == NULL || dk_queue_before(&queue->entry[scene->next[i]], best))) {
            best = &queue->entry[scene->next[i]];
            of = i;
        }
    }
    if (best != NULL) {
        *group = scene->groups[of];
        scene->next[of]++;
    }
    return best;
}

static size_t agents_of(struct scene *scene, uint64_t group_id)
{
    const struct dk_routing_group *group = dk_routing_group(scene->self, group_id);
    size_t count = 0;
    for (size_t i = 0; i < group->agent_count; i++) {
        struct dk_agent_now *agent = find_agent(scene, group->agent[i]);
        if (agent != NULL && dk_agent_is_in(agent, group_id)) {
            scene->of_group[count++] = agent;
        }
    }
    return count;
}

static bool anyone_has_room(const struct scene *scene)
{
    for (size_t i = 0; i < scene->agent_count; i++) {
        const struct dk_agent_now *agent = &scene->agents[i];
        if (agent->on_shift && agent->available && agent->load < agent->capacity) {
            return true;
        }
    }
    return false;
}

static void give(struct dk_agent_now *agent, unsigned channel, uint32_t weight, int64_t now_us)
{
    agent->load += weight;
    agent->channel_load[channel] = (uint16_t)(agent->channel_load[channel] + weight);
    agent->idle_since_us = now_us;
}

static bool is_hopeless(const struct scene *scene, const struct sort *sort)
{
    for (size_t i = 0; i < scene->hopeless_count; i++) {
        const struct sort *other = &scene->hopeless[i];
        if (other->group == sort->group && other->product == sort->product &&
            other->channel == sort->channel && strcmp(other->language, sort->language) == 0) {
            return true;
        }
    }
    return false;
}

/* One ticket: assigned, or said to wait. false when the intents are full. */
static bool serve(struct scene *scene, uint64_t ticket, uint64_t group, struct dk_intents *intents)
{
    struct dk_routing *self = scene->self;
    const struct dk_routing_ticket *row = dk_table_get(self->tickets, ticket, NULL);
    const struct dk_ticket *life = dk_table_get(self->world->tickets, ticket, NULL);
    struct sort sort = {.group = group,
                        .product = life->product,
                        .channel = life->channel < DK_CHANNELS ? life->channel : 0,
                        .language = row->language};
    struct dk_settings settings;
    struct dk_choice choice;
    if (row->queued_said != 0 && is_hopeless(scene, &sort)) {
        return true;
    }
    dk_refs_settings(self->world->refs, scene->now_us, &settings);
    uint32_t weight = settings.channel_weight[sort.channel];
    dk_choose(self, ticket, weight, scene->now_us, scene->of_group, agents_of(scene, group),
              &choice);
    if (choice.count > 0) {
        bool added = add_assigned(intents, ticket, row->cause, weight, scene->now_us, &choice);
        if (added) {
            give(choice.best[0], sort.channel, weight, scene->now_us);
        }
        return added;
    }
    if (scene->hopeless_count < HOPELESS_MAX && !is_hopeless(scene, &sort)) {
        scene->hopeless[scene->hopeless_count++] = sort;
    }
    return row->queued_said != 0 || add_queued(intents, ticket, group, row->cause, &choice);
}

static bool anyone_waits(const struct scene *scene)
{
    for (size_t i = 0; i < scene->group_count; i++) {
        if (queue_of(scene, i, false)->count > 0) {
            return true;
        }
    }
    return false;
}

/* Each queue from behind what was looked at. */
static void skip_to(struct scene *scene, const struct dk_queue_key *last)
{
    for (size_t i = 0; i < scene->group_count; i++) {
        const struct dk_queue *untold = queue_of(scene, i, true);
        size_t at = last != NULL ? dk_queue_find(untold, last) : 0;
        scene->next[i] =
            at + (last != NULL && at < untold->count && dk_queue_same(&untold->entry[at], last));
    }
}

/* The queues in order while somebody has room; then those who were not told yet that they wait. */
static void consider_pool(struct dk_routing *self, uint64_t pool, int64_t now_us,
                          struct dk_intents *intents, int64_t *again_us)
{
    struct scene scene = {.self = self, .now_us = now_us};
    const struct dk_queue_key *head, *last = NULL;
    uint64_t group;
    bool fits = true;
    set_scene(&scene, pool, again_us);
    while (fits && anyone_has_room(&scene) && (head = next_head(&scene, false, &group)) != NULL) {
        fits = serve(&scene, head->ticket, group, intents);
        last = head;
    }
    skip_to(&scene, last);
    while (fits && (head = next_head(&scene, true, &group)) != NULL) {
        fits = serve(&scene, head->ticket, group, intents);
    }
    if (!anyone_waits(&scene)) {
        *again_us = INT64_MAX;
    }
    clear_scene(&scene);
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
