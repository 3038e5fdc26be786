#include "nodes/routing/state.h"
#include "proto/fold/ticket.h"
#include <stdlib.h>
#include <string.h>

/* The order of a queue (R3), from the tables. */
static struct dk_queue_key key_of(uint64_t ticket, const struct dk_routing_ticket *row,
                                  const struct dk_ticket *life)
{
    int64_t first_us = row->first_reply_due_us, resolution_us = row->resolution_due_us;
    int64_t due_us = first_us == 0                                    ? resolution_us
                     : resolution_us != 0 && resolution_us < first_us ? resolution_us
                                                                      : first_us;
    return (struct dk_queue_key){.priority = life->priority != 0 ? life->priority : 5,
                                 .due_us = due_us != 0 ? due_us : INT64_MAX,
                                 .since_us = row->since_us,
                                 .ticket = ticket};
}

/* ---------------------------------------------------------------- demands */

uint8_t dk_routing_mode(const struct dk_routing_ticket *row, const struct dk_ticket *life)
{
    bool critical = life->priority == DOCKET__PRIORITY__PRIORITY_CRITICAL;
    bool on_call = critical || row->relaxation >= DOCKET__RELAXATION__RELAX_ON_CALL;
    bool relaxed = row->relaxation >= DOCKET__RELAXATION__RELAX_SKILLS;
    return (uint8_t)((on_call ? DK_WITH_ON_CALL : 0) | (relaxed ? DK_WITHOUT_PREFERRED : 0));
}

static struct dk_demand asked_by(const struct dk_routing_ticket *row, const struct dk_ticket *life)
{
    struct dk_demand asked = {.product = life->product,
                              .channel = life->channel < DK_CHANNELS ? life->channel : 0,
                              .mode = dk_routing_mode(row, life)};
    memcpy(asked.language, row->language, sizeof asked.language);
    return asked;
}

static bool same_demand(const struct dk_demand *a, const struct dk_demand *b)
{
    return a->product == b->product && a->channel == b->channel && a->mode == b->mode &&
           memcmp(a->language, b->language, sizeof a->language) == 0;
}

static uint64_t hash_of(const struct dk_demand *demand)
{
    uint64_t hash =
        demand->product * UINT64_C(0x9e3779b97f4a7c15) + demand->channel * 16u + demand->mode;
    for (size_t i = 0; i < sizeof demand->language; i++) {
        hash = (hash ^ (uint8_t)demand->language[i]) * UINT64_C(0x100000001b3);
    }
    return hash | 1;
}

/* `held`: where the ticket has waited until now, most often the same. */
static struct dk_demand *demand_of(struct dk_routing_group *group,
                                   const struct dk_routing_ticket *row,
                                   const struct dk_ticket *life,
                                   const struct dk_routing_place *held)
{
    struct dk_demand asked = asked_by(row, life);
    if (held->group == group && same_demand(held->demand, &asked)) {
        return held->demand;
    }
    for (uint64_t hash = hash_of(&asked);; hash += 2) {
        bool created = false;
        struct dk_demand **found = dk_map_put(&group->demands, hash, &created);
        DK_ASSERT(found != NULL);
        if (created) {
            *found = malloc(sizeof **found);
            DK_ASSERT(*found != NULL);
            **found = asked;
        }
        if (same_demand(*found, &asked)) {
            return *found;
        }
    }
}

/* Where a demand with this first ticket stands among the group's, or would. */
static size_t rank_of(const struct dk_routing_group *group, const struct dk_queue_key *first)
{
    size_t low = 0, high = group->ranked_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (dk_queue_before(&group->ranked[middle]->waiting.entry[0], first)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void rank(struct dk_routing_group *group, struct dk_demand *demand)
{
    if (demand->waiting.count == 0) {
        return;
    }
    if (group->ranked_count == group->ranked_capacity) {
        group->ranked_capacity = group->ranked_capacity == 0 ? 8 : group->ranked_capacity * 2;
        group->ranked = realloc(group->ranked, group->ranked_capacity * sizeof *group->ranked);
        DK_ASSERT(group->ranked != NULL);
    }
    size_t at = rank_of(group, &demand->waiting.entry[0]);
    memmove(group->ranked + at + 1, group->ranked + at,
            (group->ranked_count - at) * sizeof *group->ranked);
    group->ranked[at] = demand;
    group->ranked_count++;
}

static void unrank(struct dk_routing_group *group, const struct dk_demand *demand)
{
    if (demand->waiting.count == 0) {
        return;
    }
    size_t at = rank_of(group, &demand->waiting.entry[0]);
    DK_ASSERT(at < group->ranked_count && group->ranked[at] == demand);
    group->ranked_count--;
    memmove(group->ranked + at, group->ranked + at + 1,
            (group->ranked_count - at) * sizeof *group->ranked);
}

static bool is_first(const struct dk_demand *demand, const struct dk_queue_key *key)
{
    return demand->waiting.count == 0 || !dk_queue_before(&demand->waiting.entry[0], key);
}

static void enter(const struct dk_routing_place *place)
{
    bool first = is_first(place->demand, &place->key);
    if (first) {
        unrank(place->group, place->demand);
    }
    dk_queue_insert(&place->demand->waiting, &place->key);
    if (first) {
        rank(place->group, place->demand);
    }
    place->group->waiting++;
}

static void leave(const struct dk_routing_place *place)
{
    bool first = is_first(place->demand, &place->key);
    if (first) {
        unrank(place->group, place->demand);
    }
    dk_queue_remove(&place->demand->waiting, &place->key);
    if (first) {
        rank(place->group, place->demand);
    }
    place->group->waiting--;
}

/* ---------------------------------------------------------------- places */

/* What is on offer keeps its time of waiting, but nobody else is asked meanwhile. */
static struct dk_routing_place place_of(struct dk_routing *self, uint64_t ticket,
                                        const struct dk_routing_ticket *row,
                                        const struct dk_ticket *life,
                                        const struct dk_routing_place *held)
{
    struct dk_routing_place place = {0};
    if (row->queue != 0 && life->offered == 0) {
        place.group = dk_routing_group(self, row->queue);
        place.demand = demand_of(place.group, row, life, held);
        place.key = key_of(ticket, row, life);
        place.caller = row->company == 0 ? life->customer : 0;
        place.untold = row->queued_at == 0 && life->owner == 0;
    }
    return place;
}

static void remember(struct dk_routing *self, uint64_t ticket, const struct dk_routing_place *place)
{
    if (place->group == NULL) {
        (void)dk_map_remove(&self->places, ticket);
        return;
    }
    struct dk_routing_place *held = dk_map_put(&self->places, ticket, NULL);
    DK_ASSERT(held != NULL);
    *held = *place;
}

static void count_caller(struct dk_routing *self, uint64_t before, uint64_t after)
{
    uint64_t *count;
    if (before == after) {
        return;
    }
    if (after != 0) {
        count = dk_map_put(&self->callers, after, NULL);
        DK_ASSERT(count != NULL);
        (*count)++;
    }
    if (before != 0) {
        count = dk_map_get(&self->callers, before);
        if (--*count == 0) {
            (void)dk_map_remove(&self->callers, before);
        }
    }
}

bool dk_routing_place(struct dk_routing *self, uint64_t ticket, const struct dk_routing_ticket *row,
                      const struct dk_ticket *life)
{
    struct dk_routing_place *held = dk_map_get(&self->places, ticket);
    struct dk_routing_place old = held != NULL ? *held : (struct dk_routing_place){0};
    struct dk_routing_place now = place_of(self, ticket, row, life, &old);
    if (now.group == NULL && old.group == NULL) {
        return false;
    }
    bool moved = now.demand != old.demand || !dk_queue_same(&now.key, &old.key);
    if (old.untold && (moved || !now.untold)) {
        dk_queue_remove(&old.group->untold, &old.key);
    }
    if (moved && old.group != NULL) {
        leave(&old);
    }
    if (moved && now.group != NULL) {
        enter(&now);
    }
    if (now.untold && (moved || !old.untold)) {
        dk_queue_insert(&now.group->untold, &now.key);
    }
    count_caller(self, old.caller, now.caller);
    if (held != NULL && now.group != NULL) {
        *held = now;
    } else {
        remember(self, ticket, &now);
    }
    return moved;
}

void dk_routing_place_unsorted(struct dk_routing *self, uint64_t ticket,
                               const struct dk_routing_ticket *row, const struct dk_ticket *life)
{
    static const struct dk_routing_place nowhere;
    struct dk_routing_place place = place_of(self, ticket, row, life, &nowhere);
    if (place.group == NULL) {
        return;
    }
    dk_queue_append(&place.demand->waiting, &place.key);
    place.group->waiting++;
    if (place.untold) {
        dk_queue_append(&place.group->untold, &place.key);
    }
    count_caller(self, 0, place.caller);
    remember(self, ticket, &place);
}

void dk_routing_sort_places(struct dk_routing *self)
{
    size_t cursor = 0, inner;
    uint64_t key;
    void *value, *held;
    while (dk_map_next(&self->groups, &cursor, &key, &value)) {
        struct dk_routing_group *group = *(struct dk_routing_group **)value;
        dk_queue_sort(&group->untold);
        inner = 0;
        while (dk_map_next(&group->demands, &inner, &key, &held)) {
            struct dk_demand *demand = *(struct dk_demand **)held;
            dk_queue_sort(&demand->waiting);
            rank(group, demand);
        }
    }
}
