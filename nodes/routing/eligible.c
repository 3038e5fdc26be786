#include "nodes/routing/eligible.h"
#include "nodes/routing/pool.h"
#include "nodes/routing/routing.h"
#include "nodes/routing/visible.h"
#include <string.h>
#include <strings.h>

/* ---------------------------------------------------------------- an agent */

void dk_agent_count_spare(struct dk_agent_now *agent)
{
    agent->spare_permille =
        agent->load >= agent->capacity
            ? 0
            : (uint32_t)((uint64_t)(agent->capacity - agent->load) * 1000 / agent->capacity);
}

void dk_agent_read(struct dk_routing *self, uint64_t id, int64_t now_us, struct dk_agent_now *agent,
                   int64_t *again_us)
{
    struct dk_refs *refs = self->world->refs;
    int64_t version_us = dk_refs_next_version_us(refs, id, now_us);
    *agent = (struct dk_agent_now){.id = id, .body = dk_refs_agent(refs, id, now_us)};
    *again_us = version_us < *again_us ? version_us : *again_us;
    if (agent->body == NULL) {
        return;
    }
    agent->capacity =
        agent->body->has_capacity ? agent->body->capacity : DK_ROUTING_DEFAULT_CAPACITY;
    agent->on_shift = dk_refs_on_shift(refs, id, now_us, false);
    agent->on_call = dk_refs_on_shift(refs, id, now_us, true);
    int64_t edge_us = dk_refs_next_shift_edge_us(refs, id, now_us);
    *again_us = edge_us < *again_us ? edge_us : *again_us;
}

void dk_agent_read_load(const struct dk_routing *self, int64_t now_us, struct dk_agent_now *agent,
                        int64_t *again_us)
{
    static const struct dk_routing_agent idle; /* of whom no event told */
    const struct dk_routing_agent *row = dk_table_get(self->agents, agent->id, NULL);
    row = row != NULL ? row : &idle;
    agent->idle_since_us = row->idle_since_us;
    agent->load = row->load;
    memcpy(agent->channel_load, row->channel_load, sizeof agent->channel_load);
    int64_t until_us = row->presence_until_us;
    bool told =
        row->presence != DOCKET__PRESENCE__PRESENCE_NONE && (until_us == 0 || now_us < until_us);
    agent->available = !told || row->presence == DOCKET__PRESENCE__PRESENCE_AVAILABLE;
    if (told && until_us != 0 && until_us < *again_us) {
        *again_us = until_us;
    }
    dk_agent_count_spare(agent);
}

bool dk_agent_is_in(const struct dk_agent_now *agent, uint64_t group)
{
    return agent->body != NULL && dk_works_in(agent->body, group);
}

unsigned dk_agent_tier(const Docket__AgentDefined *body)
{
    return body->has_tier ? body->tier : 1;
}

bool dk_agent_speaks(const Docket__AgentDefined *body, const char *language, size_t bytes)
{
    for (size_t i = 0; i < body->n_language; i++) {
        const ProtobufCBinaryData *own = &body->language[i];
        if (own->len > 0 && own->len <= bytes &&
            strncasecmp((const char *)own->data, language, own->len) == 0 &&
            (own->len == bytes || language[own->len] == '-')) {
            return true;
        }
    }
    return false;
}

bool dk_agent_has_skill(const Docket__AgentDefined *body, const void *skill, size_t bytes)
{
    for (size_t i = 0; i < body->n_skill; i++) {
        if (body->skill[i].len == bytes && memcmp(body->skill[i].data, skill, bytes) == 0) {
            return true;
        }
    }
    return false;
}

bool dk_agent_has_room(const struct dk_agent_now *agent, unsigned channel, uint32_t weight)
{
    if (agent->load >= agent->capacity) {
        return false;
    }
#ifdef DK_BUG_NO_ROOM_CHECK /* planted, for test_routing_random to find */
    return true;
#endif
    if (agent->load + weight > agent->capacity) {
        return false;
    }
    for (size_t i = 0; i < agent->body->n_channel_capacity; i++) {
        const Docket__ChannelCapacity *limit = agent->body->channel_capacity[i];
        if ((unsigned)limit->channel == channel &&
            agent->channel_load[channel] + weight > limit->capacity) {
            return false;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- what is asked */

void dk_terms_at(const struct dk_routing *self, int64_t now_us, struct dk_terms *terms)
{
    const struct dk_refs_version *version = dk_refs_at(self->world->refs, self->settings, now_us);
    dk_refs_settings(self->world->refs, now_us, &terms->settings);
    terms->body = version != NULL ? (const void *)version->body : NULL;
}

/* The tier that an agent needs for a ticket of this company. */
static unsigned tier_for(const struct dk_routing *self, const struct dk_terms *terms,
                         uint64_t company_id, uint64_t customer_id, int64_t now_us)
{
    const struct dk_refs *refs = self->world->refs;
    const Docket__CustomerDefined *customer = NULL;
    if (terms->body == NULL || terms->body->n_tier_need == 0) {
        return 0;
    }
    if (company_id == 0) {
        customer = dk_refs_customer(refs, customer_id, now_us);
        company_id = customer != NULL ? customer->company : 0;
    }
    const Docket__CompanyDefined *company = dk_refs_company(refs, company_id, now_us);
    for (size_t i = 0; company != NULL && i < terms->body->n_tier_need; i++) {
        const Docket__TierNeed *need = terms->body->tier_need[i];
        if (company->has_tier && company->tier.len == need->tier.len &&
            memcmp(company->tier.data, need->tier.data, need->tier.len) == 0) {
            return need->agent_tier <= DK_TIER_MAX ? need->agent_tier : DK_TIER_MAX;
        }
    }
    return 0;
}

void dk_ask_of(const struct dk_routing *self, uint64_t ticket, const struct dk_terms *terms,
               int64_t now_us, struct dk_ask *ask)
{
    const struct dk_ticket *life = dk_table_get(self->world->tickets, ticket, NULL);
    const struct dk_routing_ticket *row = dk_table_get(self->tickets, ticket, NULL);
    size_t bytes = 0;
    *ask = (struct dk_ask){
        .row = row,
        .now_us = now_us,
        .group = row->queue,
        .product = life->product,
        .speaker = life->speaker,
        .owner = life->owner,
        .language = row->language,
        .defined = dk_refs_product(self->world->refs, life->product, now_us),
        .channel = life->channel < DK_CHANNELS ? life->channel : 0,
        .mode = dk_routing_mode(row, life),
        .tier = tier_for(self, terms, row->company, life->customer, now_us),
        .decline = dk_table_get(self->declines, ticket, &bytes),
    };
    ask->weight = terms->settings.channel_weight[ask->channel];
    ask->decline_count = ask->decline != NULL ? bytes / sizeof *ask->decline : 0;
}

bool dk_ask_is_declined(const struct dk_ask *ask, uint64_t agent)
{
    for (size_t i = 0; i < ask->decline_count; i++) {
        if (ask->decline[i].agent == agent && ask->now_us < ask->decline[i].until_us) {
            return true;
        }
    }
    return false;
}

/* ---------------------------------------------------------------- R2 */

static bool has_skills(const Docket__AgentDefined *agent, const ProtobufCBinaryData *skill,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!dk_agent_has_skill(agent, skill[i].data, skill[i].len)) {
            return false;
        }
    }
    return true;
}

static bool is_skilled(const Docket__AgentDefined *agent, const struct dk_ask *ask)
{
    const Docket__ProductDefined *product = ask->defined;
    bool preferred = product != NULL && (ask->mode & DK_WITHOUT_PREFERRED) == 0;
    return product == NULL ||
           (has_skills(agent, product->required_skill, product->n_required_skill) &&
            (!preferred ||
             has_skills(agent, product->preferred_skill, product->n_preferred_skill)));
}

static bool is_present(const struct dk_agent_now *agent, const struct dk_ask *ask)
{
    return agent->id != ask->owner &&
           (agent->on_shift || (agent->on_call && (ask->mode & DK_WITH_ON_CALL) != 0));
}

/* What an agent's definition says against it; none: nothing. */
static Docket__ExclusionReason misfit(const struct dk_routing *self,
                                      const struct dk_agent_now *agent, const struct dk_ask *ask)
{
    if (!dk_sees_product(self->world->refs, agent->body, ask->product, ask->now_us)) {
        return DOCKET__EXCLUSION_REASON__EXCLUDED_NOT_VISIBLE;
    }
    if (dk_agent_tier(agent->body) < ask->tier) {
        return DOCKET__EXCLUSION_REASON__EXCLUDED_TIER;
    }
    if (ask->language[0] != '\0' &&
        !dk_agent_speaks(agent->body, ask->language, strlen(ask->language))) {
        return DOCKET__EXCLUSION_REASON__EXCLUDED_LANGUAGE;
    }
    return is_skilled(agent->body, ask) ? DOCKET__EXCLUSION_REASON__EXCLUDED_NONE
                                        : DOCKET__EXCLUSION_REASON__EXCLUDED_SKILL;
}

bool dk_agent_is_reached(const struct dk_routing *self, const struct dk_agent_now *agent,
                         const struct dk_ask *ask)
{
    return dk_agent_is_in(agent, ask->group) && is_present(agent, ask) &&
           misfit(self, agent, ask) == DOCKET__EXCLUSION_REASON__EXCLUDED_NONE;
}

Docket__ExclusionReason dk_judge(const struct dk_routing *self, const struct dk_agent_now *agent,
                                 const struct dk_ask *ask)
{
    if (!is_present(agent, ask)) {
        return DOCKET__EXCLUSION_REASON__EXCLUDED_OFF_SHIFT;
    }
    if (!agent->available) {
        return DOCKET__EXCLUSION_REASON__EXCLUDED_UNAVAILABLE;
    }
    if (dk_ask_is_declined(ask, agent->id)) {
        return DOCKET__EXCLUSION_REASON__EXCLUDED_DECLINED;
    }
    Docket__ExclusionReason reason = misfit(self, agent, ask);
    if (reason != DOCKET__EXCLUSION_REASON__EXCLUDED_NONE) {
        return reason;
    }
    return dk_agent_has_room(agent, ask->channel, ask->weight)
               ? DOCKET__EXCLUSION_REASON__EXCLUDED_NONE
               : DOCKET__EXCLUSION_REASON__EXCLUDED_CAPACITY;
}

/* ---------------------------------------------------------------- R4 */

bool dk_agent_before(const struct dk_agent_now *a, const struct dk_agent_now *b)
{
    if (a->spare_permille != b->spare_permille) {
        return a->spare_permille > b->spare_permille;
    }
    if (a->idle_since_us != b->idle_since_us) {
        return a->idle_since_us < b->idle_since_us;
    }
    return a->id < b->id;
}

/* The agent who has the customer's ear comes first. */
static bool better(const struct dk_agent_now *a, const struct dk_agent_now *b, uint64_t speaker)
{
    return (a->id == speaker) != (b->id == speaker) ? a->id == speaker : dk_agent_before(a, b);
}

static void rank(struct dk_choice *choice, const struct dk_agent_now *agent, uint64_t speaker)
{
    size_t at = choice->count < DK_CANDIDATES_SAID ? choice->count : DK_CANDIDATES_SAID;
    while (at > 0 && better(agent, choice->best[at - 1], speaker)) {
        if (at < DK_CANDIDATES_SAID) {
            choice->best[at] = choice->best[at - 1];
        }
        at--;
    }
    if (at < DK_CANDIDATES_SAID) {
        choice->best[at] = agent;
    }
    choice->count++;
}

void dk_choose(const struct dk_routing *self, const struct dk_pool *pool, const struct dk_ask *ask,
               struct dk_choice *choice)
{
    memset(choice, 0, sizeof *choice);
    for (size_t i = 0; i < pool->agent_count; i++) {
        const struct dk_agent_now *agent = &pool->agent[i].now;
        if (!dk_agent_is_in(agent, ask->group)) {
            continue;
        }
        Docket__ExclusionReason reason = dk_judge(self, agent, ask);
        if (reason == DOCKET__EXCLUSION_REASON__EXCLUDED_NONE) {
            rank(choice, agent, ask->speaker);
        } else {
            choice->excluded[reason]++;
        }
    }
}
