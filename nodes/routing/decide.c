#include "nodes/routing/decide.h"
#include "nodes/routing/index.h"
#include "nodes/routing/said.h"
#include "proto/base/id.h"
#include <stdlib.h>

#define NO_TIER UINT8_MAX /* nobody was looked for in vain */

/* A place in the order in which a pool's tickets are looked at: the next one of a demand, or of a
 * group's tickets that nobody told yet that they wait. */
struct head {
    struct dk_routing_group *group;
    const struct dk_queue *queue;
    size_t next;     /* of the queue */
    size_t rank;     /* of the demand, while it is its first ticket; else SIZE_MAX */
    uint8_t no_tier; /* the lowest tier for which the demand found nobody */
};

/* What one consideration of a pool works on. */
struct scene {
    struct dk_routing *self;
    struct dk_pool *pool;
    struct dk_terms terms;
    int64_t now_us, again_us;
    struct head *head; /* a heap, first in R3's order on top */
    size_t head_count, head_capacity;
    uint64_t given[DK_INTENTS_MAX];
    size_t given_count;
    struct dk_intents *intents;
    uint64_t stop;
    bool stopped;
};

/* ---------------------------------------------------------------- R3 */

static const struct dk_queue_key *key_of(const struct head *head)
{
    return &head->queue->entry[head->next];
}

static void push(struct scene *scene, struct head head)
{
    size_t at = scene->head_count;
    if (head.next >= head.queue->count) {
        return;
    }
    if (scene->head_count == scene->head_capacity) {
        scene->head_capacity = scene->head_capacity == 0 ? 64 : scene->head_capacity * 2;
        scene->head = realloc(scene->head, scene->head_capacity * sizeof *scene->head);
        DK_ASSERT(scene->head != NULL);
    }
    scene->head_count++;
    while (at > 0 && dk_queue_before(key_of(&head), key_of(&scene->head[(at - 1) / 2]))) {
        scene->head[at] = scene->head[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    scene->head[at] = head;
}

static bool pop(struct scene *scene, struct head *first)
{
    if (scene->head_count == 0) {
        return false;
    }
    *first = scene->head[0];
    struct head last = scene->head[--scene->head_count];
    size_t at = 0, below;
    while ((below = 2 * at + 1) < scene->head_count) {
        below += below + 1 < scene->head_count &&
                 dk_queue_before(key_of(&scene->head[below + 1]), key_of(&scene->head[below]));
        if (!dk_queue_before(key_of(&scene->head[below]), key_of(&last))) {
            break;
        }
        scene->head[at] = scene->head[below];
        at = below;
    }
    scene->head[at] = last;
    return true;
}

/* A demand comes in when the one before it has had its first turn: most are never looked at. */
static void push_demand(struct scene *scene, struct dk_routing_group *group, size_t rank)
{
    if (rank < group->ranked_count) {
        push(scene, (struct head){.group = group,
                                  .queue = &group->ranked[rank]->waiting,
                                  .rank = rank,
                                  .no_tier = NO_TIER});
    }
}

/* ---------------------------------------------------------------- one ticket */

enum outcome { GIVEN, NOBODY, NOT_NOW, FULL };

static bool give(struct scene *scene, uint64_t ticket, const struct dk_ask *ask,
                 const struct dk_choice *choice)
{
    struct dk_said said;
    uint64_t agent = choice->best[0]->id;
    bool added;
    dk_said_fill(&said, choice);
    if (ask->owner != 0) {
        added = dk_said_handover(&said, scene->intents, ticket, ask);
    } else if (scene->terms.settings.offer_timeout_us > 0) {
        added = dk_said_offered(&said, scene->intents, ticket, ask,
                                scene->terms.settings.offer_timeout_us);
    } else {
        added = dk_said_assigned(&said, scene->intents, ticket, ask);
    }
    if (added) {
        scene->given[scene->given_count++] = ticket;
        dk_pool_give(scene->pool, dk_pool_agent(scene->pool, agent), ask->channel, ask->weight,
                     scene->now_us);
    }
    return added;
}

/* R7: the owner has come back before a substitute was found. The search goes on when the owner
 * leaves, who may be an agent of another pool. */
static bool owner_is_back(struct scene *scene, const struct dk_ask *ask)
{
    struct dk_refs *refs = scene->self->world->refs;
    bool back = ask->owner != 0 && (dk_refs_on_shift(refs, ask->owner, scene->now_us, false) ||
                                    ((ask->mode & DK_WITH_ON_CALL) != 0 &&
                                     dk_refs_on_shift(refs, ask->owner, scene->now_us, true)));
    if (back) {
        int64_t edge_us = dk_refs_next_shift_edge_us(refs, ask->owner, scene->now_us);
        scene->again_us = edge_us < scene->again_us ? edge_us : scene->again_us;
    }
    return back;
}

/* A decline that runs out makes the ticket somebody's. */
static void wake_for_declines(struct scene *scene, const struct dk_ask *ask)
{
    for (size_t i = 0; i < ask->decline_count; i++) {
        int64_t until_us = ask->decline[i].until_us;
        if (until_us > scene->now_us && until_us < scene->again_us) {
            scene->again_us = until_us;
        }
    }
}

static enum outcome serve(struct scene *scene, struct head *head, uint64_t ticket)
{
    struct dk_ask ask;
    struct dk_choice choice;
    dk_ask_of(scene->self, ticket, &scene->terms, scene->now_us, &ask);
    if (ask.tier >= head->no_tier || owner_is_back(scene, &ask)) {
        return NOT_NOW;
    }
    dk_index_choose(scene->self, head->group, &ask, &choice);
    if (choice.count > 0) {
        scene->stopped = scene->stop == ticket;
        return !scene->stopped && give(scene, ticket, &ask, &choice) ? GIVEN : FULL;
    }
    if (ask.decline_count > 0 || ask.owner != 0) {
        wake_for_declines(scene, &ask);
        return NOT_NOW; /* others of its demand may find somebody */
    }
    head->no_tier = (uint8_t)ask.tier;
    return ask.tier == 0 ? NOBODY : NOT_NOW; /* agents only fill up: nobody for the others either */
}

/* ---------------------------------------------------------------- all tickets */

/* The queues in order, while somebody has room. false when it ended before. */
static bool serve_all(struct scene *scene)
{
    struct head head;
    for (size_t i = 0; i < scene->pool->group_count; i++) {
        if (dk_index_has_room(scene->pool->group[i])) {
            push_demand(scene, scene->pool->group[i], 0);
        }
    }
    while (pop(scene, &head)) {
        if (!dk_index_has_room(head.group)) {
            continue;
        }
        if (head.rank != SIZE_MAX) {
            push_demand(scene, head.group, head.rank + 1);
            head.rank = SIZE_MAX;
        }
        enum outcome outcome = serve(scene, &head, key_of(&head)->ticket);
        if (outcome == FULL) {
            return false;
        }
        if (outcome != NOBODY) {
            head.next++;
            push(scene, head);
        }
    }
    return true;
}

static bool was_given(const struct scene *scene, uint64_t ticket)
{
    for (size_t i = 0; i < scene->given_count; i++) {
        if (scene->given[i] == ticket) {
            return true;
        }
    }
    return false;
}

static bool tell(struct scene *scene, struct dk_routing_group *group, uint64_t ticket)
{
    struct dk_ask ask;
    struct dk_choice choice;
    if (was_given(scene, ticket)) {
        return true;
    }
    scene->stopped = scene->stop == ticket;
    if (scene->stopped) {
        return false;
    }
    dk_ask_of(scene->self, ticket, &scene->terms, scene->now_us, &ask);
    dk_index_choose(scene->self, group, &ask, &choice);
    DK_ASSERT(choice.count == 0); /* else it would have been served */
    return dk_routing_add_queued(scene->intents, ticket, &ask, ask.row->relaxation, ask.row->cause,
                                 &choice);
}

/* Those who were not told yet that they wait, in the same order. */
static void tell_all(struct scene *scene)
{
    struct head head;
    bool fits = true;
    for (size_t i = 0; i < scene->pool->group_count; i++) {
        struct dk_routing_group *group = scene->pool->group[i];
        push(scene, (struct head){.group = group, .queue = &group->untold, .rank = SIZE_MAX});
    }
    while (fits && pop(scene, &head)) {
        fits = tell(scene, head.group, key_of(&head)->ticket);
        head.next++;
        push(scene, head);
    }
}

/* What its tickets ask, and of whom, may be other things when a version comes into force. */
static int64_t next_terms_us(const struct dk_refs *refs, int64_t now_us)
{
    static const unsigned classes[] = {DK_SUBJECT_SETTINGS, DK_SUBJECT_PRODUCT, DK_SUBJECT_COMPANY,
                                       DK_SUBJECT_CUSTOMER};
    int64_t next_us = INT64_MAX;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        int64_t class_us = dk_refs_next_of_class_us(refs, classes[i], now_us);
        next_us = class_us < next_us ? class_us : next_us;
    }
    return next_us;
}

void dk_routing_consider_pool(struct dk_routing *self, struct dk_pool *pool, int64_t now_us,
                              struct dk_intents *intents, int64_t *again_us, uint64_t stop,
                              bool *stopped)
{
    struct scene scene = {.self = self,
                          .pool = pool,
                          .now_us = now_us,
                          .again_us = INT64_MAX,
                          .intents = intents,
                          .stop = stop};
    if (dk_pool_waiting(pool) == 0) {
        return; /* who comes to wait touches it */
    }
    dk_pool_at(self, pool, now_us);
    dk_terms_at(self, now_us, &scene.terms);
    if (serve_all(&scene)) {
        tell_all(&scene);
    }
    if (dk_pool_next_us(pool) < scene.again_us) {
        scene.again_us = dk_pool_next_us(pool);
    }
    int64_t terms_us = next_terms_us(self->world->refs, now_us);
    *again_us = terms_us < scene.again_us ? terms_us : scene.again_us;
    if (stopped != NULL) {
        *stopped = scene.stopped;
    }
    free(scene.head);
}

void dk_routing_choose_alone(struct dk_routing *self, const struct dk_ask *ask,
                             struct dk_choice *choice)
{
    struct dk_routing_group *group = dk_routing_group(self, ask->group);
    dk_pool_at(self, group->pool, ask->now_us);
    dk_index_choose(self, group, ask, choice);
}

void dk_routing_consider(void *self, uint64_t item, int64_t now_us, struct dk_intents *intents,
                         int64_t *again_us)
{
    struct dk_routing *routing = self;
    dk_routing_refresh(routing);
    if (dk_id_class(item) == DK_SUBJECT_TICKET) {
        dk_routing_consider_ticket(routing, item, now_us, intents, again_us);
        return;
    }
    struct dk_pool **pool = dk_map_get(&routing->pools, item);
    if (pool != NULL) { /* else it has been joined to another, which was touched with it */
        dk_routing_consider_pool(routing, *pool, now_us, intents, again_us, 0, NULL);
    }
}
