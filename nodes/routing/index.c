#include "nodes/routing/index.h"
#include "proto/base/map.h"
#include <stdlib.h>
#include <string.h>

#define WORD(slot) ((slot) / 64)
#define BIT(slot)  (UINT64_C(1) << ((slot) % 64))
#define TERMS_MAX  4096
#define LEVELS_MAX 64 /* of the catalogue */

/* What agents have or have not by their definitions: one set of agents for each. */
enum what { LANGUAGE, SKILL, PRODUCT, TIER };

struct term {
    enum what what;
    uint64_t number; /* the product, the tier */
    char *text;      /* the language, the skill */
    size_t bytes;
    uint64_t *set;
};

struct dk_index {
    struct dk_routing_group *group;
    const struct dk_pool_agent **agent; /* by slot */
    size_t count, words;
    uint64_t *member, *on_shift, *on_call, *available;
    uint64_t *all_seeing; /* whose definition names no products */
    uint64_t *room[DK_CHANNELS];
    uint32_t room_weight[DK_CHANNELS]; /* for so much; the set is NULL until asked for */
    struct dk_map terms;               /* hash -> struct term */
    uint64_t *eligible;                /* of the choice that is being made */
    uint64_t *scratch;
    uint32_t *order; /* slots of those who have room, best first */
    size_t order_count;
};

static uint64_t *new_set(const struct dk_index *index)
{
    uint64_t *set = calloc(index->words, sizeof *set);
    DK_ASSERT(set != NULL);
    return set;
}

static void put(uint64_t *set, size_t slot, bool in)
{
    set[WORD(slot)] = in ? set[WORD(slot)] | BIT(slot) : set[WORD(slot)] & ~BIT(slot);
}

/* ---------------------------------------------------------------- making */

void dk_index_make(struct dk_routing_group *group)
{
    struct dk_index *index = calloc(1, sizeof *index);
    DK_ASSERT(index != NULL);
    index->group = group;
    index->count = group->agent_count;
    index->words = index->count / 64 + 1;
    index->agent = calloc(index->count + 1, sizeof(struct dk_pool_agent *));
    index->order = calloc(index->count + 1, sizeof *index->order);
    DK_ASSERT(index->agent != NULL && index->order != NULL);
    index->member = new_set(index);
    index->on_shift = new_set(index);
    index->on_call = new_set(index);
    index->available = new_set(index);
    index->all_seeing = new_set(index);
    index->eligible = new_set(index);
    index->scratch = new_set(index);
    dk_map_init(&index->terms, sizeof(struct term), 2 * TERMS_MAX);
    for (size_t slot = 0; slot < index->count; slot++) {
        const struct dk_pool_agent *agent = dk_pool_agent(group->pool, group->agent[slot]);
        index->agent[slot] = agent;
        put(index->member, slot, dk_agent_is_in(&agent->now, group->id));
        put(index->all_seeing, slot, agent->now.body != NULL && agent->now.body->n_product == 0);
    }
    group->index = index;
}

static void free_terms(struct dk_index *index)
{
    size_t cursor = 0;
    uint64_t key;
    void *value;
    while (dk_map_next(&index->terms, &cursor, &key, &value)) {
        free(((struct term *)value)->text);
        free(((struct term *)value)->set);
    }
    dk_map_clear(&index->terms);
}

void dk_index_free(struct dk_index *index)
{
    if (index == NULL) {
        return;
    }
    free_terms(index);
    dk_map_close(&index->terms);
    for (size_t i = 0; i < DK_CHANNELS; i++) {
        free(index->room[i]);
    }
    free(index->member);
    free(index->on_shift);
    free(index->on_call);
    free(index->available);
    free(index->all_seeing);
    free(index->eligible);
    free(index->scratch);
    free(index->order);
    free(index->agent);
    free(index);
}

/* ---------------------------------------------------------------- keeping up */

/* Where the agent stands in the order, or would. */
static size_t place_of(const struct dk_index *index, const struct dk_pool_agent *agent)
{
    size_t low = 0, high = index->order_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (dk_agent_before(&index->agent[index->order[middle]]->now, &agent->now)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_ranked(const struct dk_index *index, const struct dk_seat *seat,
                      const struct dk_pool_agent *agent)
{
    return agent->ranked && (index->member[WORD(seat->slot)] & BIT(seat->slot)) != 0;
}

void dk_index_leave(const struct dk_seat *seat, const struct dk_pool_agent *agent)
{
    struct dk_index *index = seat->group->index;
    if (is_ranked(index, seat, agent)) {
        size_t at = place_of(index, agent);
        DK_ASSERT(at < index->order_count && index->order[at] == seat->slot);
        index->order_count--;
        memmove(index->order + at, index->order + at + 1,
                (index->order_count - at) * sizeof *index->order);
    }
}

static bool has_room(const struct dk_agent_now *now, unsigned channel, uint32_t weight)
{
    return now->body != NULL && dk_agent_has_room(now, channel, weight);
}

void dk_index_enter(const struct dk_seat *seat, const struct dk_pool_agent *agent)
{
    struct dk_index *index = seat->group->index;
    put(index->on_shift, seat->slot, agent->now.on_shift);
    put(index->on_call, seat->slot, agent->now.on_call);
    put(index->available, seat->slot, agent->now.available);
    for (unsigned i = 0; i < DK_CHANNELS; i++) {
        if (index->room[i] != NULL) {
            put(index->room[i], seat->slot, has_room(&agent->now, i, index->room_weight[i]));
        }
    }
    if (is_ranked(index, seat, agent)) {
        size_t at = place_of(index, agent);
        memmove(index->order + at + 1, index->order + at,
                (index->order_count - at) * sizeof *index->order);
        index->order[at] = seat->slot;
        index->order_count++;
    }
}

bool dk_index_has_room(const struct dk_routing_group *group)
{
    return group->index->order_count > 0;
}

/* ---------------------------------------------------------------- sets */

static const uint64_t *room_for(struct dk_index *index, unsigned channel, uint32_t weight)
{
    if (index->room[channel] == NULL || index->room_weight[channel] != weight) {
        free(index->room[channel]);
        index->room[channel] = new_set(index);
        index->room_weight[channel] = weight;
        for (size_t slot = 0; slot < index->count; slot++) {
            put(index->room[channel], slot, has_room(&index->agent[slot]->now, channel, weight));
        }
    }
    return index->room[channel];
}

static bool holds(const Docket__AgentDefined *body, const struct term *term)
{
    switch (term->what) {
    case LANGUAGE: return dk_agent_speaks(body, term->text, term->bytes);
    case SKILL: return dk_agent_has_skill(body, term->text, term->bytes);
    case TIER: return dk_agent_tier(body) >= term->number;
    case PRODUCT:
        for (size_t i = 0; i < body->n_product; i++) {
            if (body->product[i] == term->number) {
                return true;
            }
        }
    }
    return false;
}

static void fill_term(const struct dk_index *index, struct term *term)
{
    term->set = new_set(index);
    for (size_t slot = 0; slot < index->count; slot++) {
        const Docket__AgentDefined *body = index->agent[slot]->now.body;
        put(term->set, slot, body != NULL && holds(body, term));
    }
}

static uint64_t hash_of(enum what what, uint64_t number, const void *text, size_t bytes)
{
    uint64_t hash = (number + (uint64_t)what + 1) * UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < bytes; i++) {
        hash = (hash ^ ((const uint8_t *)text)[i]) * UINT64_C(0x100000001b3);
    }
    return hash | 1;
}

static const uint64_t *set_of(struct dk_index *index, enum what what, uint64_t number,
                              const void *text, size_t bytes)
{
    if (index->terms.count >= TERMS_MAX) {
        free_terms(index); /* what is asked for is made again */
    }
    for (uint64_t hash = hash_of(what, number, text, bytes);; hash += 2) {
        bool created = false;
        struct term *term = dk_map_put(&index->terms, hash, &created);
        DK_ASSERT(term != NULL);
        if (created) {
            *term = (struct term){.what = what, .number = number, .bytes = bytes};
            term->text = malloc(bytes + 1);
            DK_ASSERT(term->text != NULL);
            memcpy(term->text, bytes > 0 ? text : "", bytes);
            fill_term(index, term);
        }
        if (term->what == what && term->number == number && term->bytes == bytes &&
            (bytes == 0 || memcmp(term->text, text, bytes) == 0)) {
            return term->set;
        }
    }
}

/* Those who see a product: all-seeing ones, and whose products have it or one above it. */
static const uint64_t *who_see(struct dk_routing *self, struct dk_index *index,
                               const struct dk_ask *ask)
{
    uint64_t product = ask->product;
    if (memcmp(index->all_seeing, index->member, index->words * sizeof *index->member) == 0) {
        return index->all_seeing;
    }
    memcpy(index->scratch, index->all_seeing, index->words * sizeof *index->scratch);
    for (int level = 0; level < LEVELS_MAX && product != 0; level++) {
        const uint64_t *set = set_of(index, PRODUCT, product, NULL, 0);
        for (size_t i = 0; i < index->words; i++) {
            index->scratch[i] |= set[i];
        }
        const Docket__ProductDefined *body =
            dk_refs_product(self->world->refs, product, ask->now_us);
        product = body != NULL && body->has_parent ? body->parent : 0;
    }
    return index->scratch;
}

/* ---------------------------------------------------------------- choosing */

/* Keeps those of `set` eligible; how many that takes away. */
static uint32_t keep(struct dk_index *index, const uint64_t *set)
{
    uint32_t lost = 0;
    for (size_t i = 0; i < index->words; i++) {
        lost += (uint32_t)__builtin_popcountll(index->eligible[i] & ~set[i]);
        index->eligible[i] &= set[i];
    }
    return lost;
}

static uint32_t keep_skilled(struct dk_index *index, const ProtobufCBinaryData *skill, size_t count)
{
    uint32_t lost = 0;
    for (size_t i = 0; i < count; i++) {
        lost += keep(index, set_of(index, SKILL, 0, skill[i].data, skill[i].len));
    }
    return lost;
}

/* Takes one agent out; whether it was in. */
static uint32_t drop(struct dk_index *index, uint64_t id)
{
    const struct dk_pool_agent *agent = dk_pool_agent(index->group->pool, id);
    for (size_t i = 0; agent != NULL && i < agent->seat_count; i++) {
        uint32_t slot = agent->seat[i].slot;
        if (agent->seat[i].group == index->group &&
            (index->eligible[WORD(slot)] & BIT(slot)) != 0) {
            index->eligible[WORD(slot)] &= ~BIT(slot);
            return 1;
        }
    }
    return 0;
}

/* All members who are at work; how many are not. */
static uint32_t begin_with_present(struct dk_index *index, const struct dk_ask *ask)
{
    uint32_t off = 0;
    bool on_call = (ask->mode & DK_WITH_ON_CALL) != 0;
    for (size_t i = 0; i < index->words; i++) {
        uint64_t at_work = index->on_shift[i] | (on_call ? index->on_call[i] : 0);
        index->eligible[i] = index->member[i] & at_work;
        off += (uint32_t)__builtin_popcountll(index->member[i] & ~at_work);
    }
    return off + (ask->owner != 0 ? drop(index, ask->owner) : 0);
}

/* Those whose definitions allow it. */
static void keep_fitting(struct dk_routing *self, struct dk_index *index, const struct dk_ask *ask,
                         uint32_t excluded[DK_REASONS])
{
    const Docket__ProductDefined *product = ask->defined;
    excluded[DOCKET__EXCLUSION_REASON__EXCLUDED_NOT_VISIBLE] =
        keep(index, who_see(self, index, ask));
    if (ask->tier > 1) {
        excluded[DOCKET__EXCLUSION_REASON__EXCLUDED_TIER] =
            keep(index, set_of(index, TIER, ask->tier, NULL, 0));
    }
    if (ask->language[0] != '\0') {
        excluded[DOCKET__EXCLUSION_REASON__EXCLUDED_LANGUAGE] =
            keep(index, set_of(index, LANGUAGE, 0, ask->language, strlen(ask->language)));
    }
    if (product != NULL) {
        uint32_t *skill = &excluded[DOCKET__EXCLUSION_REASON__EXCLUDED_SKILL];
        *skill = keep_skilled(index, product->required_skill, product->n_required_skill);
        *skill += (ask->mode & DK_WITHOUT_PREFERRED) == 0
                      ? keep_skilled(index, product->preferred_skill, product->n_preferred_skill)
                      : 0;
    }
}

/* The reasons in the order in which dk_judge asks. */
static void exclude(struct dk_routing *self, struct dk_index *index, const struct dk_ask *ask,
                    uint32_t excluded[DK_REASONS])
{
    excluded[DOCKET__EXCLUSION_REASON__EXCLUDED_OFF_SHIFT] = begin_with_present(index, ask);
    excluded[DOCKET__EXCLUSION_REASON__EXCLUDED_UNAVAILABLE] = keep(index, index->available);
    for (size_t i = 0; i < ask->decline_count; i++) {
        if (ask->now_us < ask->decline[i].until_us) {
            excluded[DOCKET__EXCLUSION_REASON__EXCLUDED_DECLINED] +=
                drop(index, ask->decline[i].agent);
        }
    }
    keep_fitting(self, index, ask, excluded);
    excluded[DOCKET__EXCLUSION_REASON__EXCLUDED_CAPACITY] =
        keep(index, room_for(index, ask->channel, ask->weight));
}

void dk_index_choose(struct dk_routing *self, struct dk_routing_group *group,
                     const struct dk_ask *ask, struct dk_choice *choice)
{
    struct dk_index *index = group->index;
    size_t said = 0;
    memset(choice, 0, sizeof *choice);
    exclude(self, index, ask, choice->excluded);
    for (size_t i = 0; i < index->words; i++) {
        choice->count += (size_t)__builtin_popcountll(index->eligible[i]);
    }
    if (choice->count > 0 && ask->speaker != 0 && drop(index, ask->speaker) != 0) {
        choice->best[said++] = &dk_pool_agent(group->pool, ask->speaker)->now;
    }
    for (size_t i = 0; said < DK_CANDIDATES_SAID && said < choice->count && i < index->order_count;
         i++) {
        uint32_t slot = index->order[i];
        if ((index->eligible[WORD(slot)] & BIT(slot)) != 0) {
            choice->best[said++] = &index->agent[slot]->now;
        }
    }
}

bool dk_index_adds(struct dk_routing *self, struct dk_routing_group *group,
                   const struct dk_ask *ask, const struct dk_ask *before)
{
    struct dk_index *index = group->index;
    uint32_t unused[DK_REASONS] = {0};
    (void)begin_with_present(index, ask);
    keep_fitting(self, index, ask, unused);
    for (size_t i = 0; i < index->words; i++) {
        for (uint64_t left = index->eligible[i]; left != 0; left &= left - 1) {
            size_t slot = i * 64 + (size_t)__builtin_ctzll(left);
            if (!dk_agent_is_reached(self, &index->agent[slot]->now, before)) {
                return true;
            }
        }
    }
    return false;
}
