#include "nodes/routing/eligible.h"
#include "nodes/routing/routing.h"
#include <string.h>

bool dk_agent_at(struct dk_routing *self, uint64_t id, int64_t now_us, struct dk_agent_now *agent,
                 int64_t *again_us)
{
    struct dk_refs *refs = self->world->refs;
    const Docket__AgentDefined *body = dk_refs_agent(refs, id, now_us);
    const struct dk_routing_agent *row = dk_table_get(self->agents, id, NULL);
    int64_t version_us = dk_refs_next_version_us(refs, id, now_us);
    *again_us = version_us < *again_us ? version_us : *again_us;
    if (body == NULL) {
        return false;
    }
    *agent = (struct dk_agent_now){.id = id, .body = body, .available = true};
    agent->capacity = body->has_capacity ? body->capacity : DK_ROUTING_DEFAULT_CAPACITY;
    agent->on_shift =
        dk_refs_on_shift(refs, id, now_us, false) || dk_refs_on_shift(refs, id, now_us, true);
    int64_t edge_us = dk_refs_next_shift_edge_us(refs, id, now_us);
    *again_us = edge_us < *again_us ? edge_us : *again_us;
    if (row == NULL) {
        return true;
    }
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
    return true;
}

bool dk_agent_is_in(const struct dk_agent_now *agent, uint64_t group)
{
    for (size_t i = 0; i < agent->body->n_group; i++) {
        if (agent->body->group[i] == group) {
            return true;
        }
    }
    return false;
}

static bool among(const ProtobufCBinaryData *list, size_t count, const void *data, size_t bytes)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].len == bytes && memcmp(list[i].data, data, bytes) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_skills(const struct dk_agent_now *agent, const Docket__ProductDefined *product)
{
    for (size_t i = 0; product != NULL && i < product->n_required_skill; i++) {
        if (!among(agent->body->skill, agent->body->n_skill, product->required_skill[i].data,
                   product->required_skill[i].len)) {
            return false;
        }
    }
    return true;
}

static bool has_room(const struct dk_agent_now *agent, unsigned channel, uint32_t weight)
{
    if (agent->load + weight > agent->capacity) {
        return false;
    }
    for (size_t i = 0; i < agent->body->n_channel_capacity; i++) {
        const Docket__ChannelCapacity *limit = agent->body->channel_capacity[i];
        if ((unsigned)limit->channel == channel && channel < DK_CHANNELS &&
            agent->channel_load[channel] + weight > limit->capacity) {
            return false;
        }
    }
    return true;
}

static Docket__ExclusionReason judge(const struct dk_agent_now *agent, const char *language,
                                     const Docket__ProductDefined *product, unsigned channel,
                                     uint32_t weight)
{
    if (!agent->on_shift) {
        return DOCKET__EXCLUSION_REASON__EXCLUDED_OFF_SHIFT;
    }
    if (!agent->available) {
        return DOCKET__EXCLUSION_REASON__EXCLUDED_UNAVAILABLE;
    }
    if (language[0] != '\0' &&
        !among(agent->body->language, agent->body->n_language, language, strlen(language))) {
        return DOCKET__EXCLUSION_REASON__EXCLUDED_LANGUAGE;
    }
    if (!has_skills(agent, product)) {
        return DOCKET__EXCLUSION_REASON__EXCLUDED_SKILL;
    }
    return has_room(agent, channel, weight) ? DOCKET__EXCLUSION_REASON__EXCLUDED_NONE
                                            : DOCKET__EXCLUSION_REASON__EXCLUDED_CAPACITY;
}

uint32_t dk_spare_permille(const struct dk_agent_now *agent)
{
    return agent->load >= agent->capacity
               ? 0
               : (uint32_t)((uint64_t)(agent->capacity - agent->load) * 1000 / agent->capacity);
}

/* R4, after the agent who has the customer's ear: spare share, then idle longest, then id. */
static bool better(const struct dk_agent_now *a, const struct dk_agent_now *b, uint64_t speaker)
{
    if ((a->id == speaker) != (b->id == speaker)) {
        return a->id == speaker;
    }
    uint32_t spare_a = dk_spare_permille(a), spare_b = dk_spare_permille(b);
    if (spare_a != spare_b) {
        return spare_a > spare_b;
    }
    if (a->idle_since_us != b->idle_since_us) {
        return a->idle_since_us < b->idle_since_us;
    }
    return a->id < b->id;
}

static void rank(struct dk_choice *choice, struct dk_agent_now *agent, uint64_t speaker)
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

void dk_choose(const struct dk_routing *self, uint64_t ticket, uint32_t weight, int64_t now_us,
               struct dk_agent_now *const *agents, size_t agent_count, struct dk_choice *choice)
{
    const struct dk_ticket *life = dk_table_get(self->world->tickets, ticket, NULL);
    const struct dk_routing_ticket *row = dk_table_get(self->tickets, ticket, NULL);
    const Docket__ProductDefined *product =
        dk_refs_product(self->world->refs, life->product, now_us);
    memset(choice, 0, sizeof *choice);
    for (size_t i = 0; i < agent_count; i++) {
        Docket__ExclusionReason reason =
            judge(agents[i], row->language, product, life->channel, weight);
        if (reason == DOCKET__EXCLUSION_REASON__EXCLUDED_NONE) {
            rank(choice, agents[i], life->speaker);
        } else {
            choice->excluded[reason]++;
        }
    }
}
