/* Agents: there is room for one ticket (R2), and somebody is as what is asked for. */
#include "proto/event/body.h"
#include "replay/reference/set.h"

/* Who is to blame: the agent's own definition, or settings that make tickets heavier. */
static const struct dk_reference_entity *to_blame(const struct dk_reference *set, uint64_t agent,
                                                  const char **key)
{
    const struct dk_reference_entity *entity = dk_reference_find(set, agent);
    *key = "channels";
    for (size_t i = 0; i < set->entity_count && entity == NULL; i++) {
        if (set->entity[i].section->kind == DK_KIND_SETTINGS_DEFINED) {
            entity = &set->entity[i];
            *key = "channel_weight";
        }
    }
    return entity;
}

static int check_channels(void *arg, const struct dk_refs_version *version)
{
    struct dk_reference *set = arg;
    const Docket__AgentDefined *agent = (const void *)version->body;
    const char *key;
    const struct dk_reference_entity *entity = to_blame(set, version->subject, &key);
    struct dk_settings settings;
    char word[DK_WORD_BYTES];
    dk_refs_settings(set->after, set->now_us, &settings);
    for (size_t i = 0; i < agent->n_channel_capacity && entity != NULL; i++) {
        const Docket__ChannelCapacity *limit = agent->channel_capacity[i];
        uint32_t weight = settings.channel_weight[limit->channel];
        if (limit->capacity == 0 || limit->capacity >= weight) /* 0: takes none, as it says */
            continue;
        const ProtobufCEnumValue *channel =
            protobuf_c_enum_descriptor_get_value(&docket__channel__descriptor, (int)limit->channel);
        dk_reference_problem_at(
            set, entity->file, dk_reference_node_of(entity, key),
            "agent \"%.*s\" could never take a ticket by %s: it weighs %u, and there is room for "
            "%u; give room for a multiple of it, or 0 for none",
            (int)agent->definition->key.len, (const char *)agent->definition->key.data,
            dk_enum_word(channel, word), weight, limit->capacity);
    }
    return 0;
}

/* In all, for the lightest one. */
static int check_room(void *arg, const struct dk_refs_version *version)
{
    struct dk_reference *set = arg;
    const Docket__AgentDefined *agent = (const void *)version->body;
    const char *key;
    const struct dk_reference_entity *entity = to_blame(set, version->subject, &key);
    struct dk_settings settings;
    dk_refs_settings(set->after, set->now_us, &settings);
    uint32_t least = UINT32_MAX;
    for (int i = DOCKET__CHANNEL__CHANNEL_EMAIL; i <= DOCKET__CHANNEL__CHANNEL_ON_BEHALF; i++)
        least = settings.channel_weight[i] < least ? settings.channel_weight[i] : least;
    if (entity != NULL && agent->has_capacity && agent->capacity > 0 && agent->capacity < least)
        dk_reference_problem_at(
            set, entity->file,
            dk_reference_node_of(
                entity, key[0] == 'c' && entity->cls == DK_SUBJECT_AGENT ? "capacity" : key),
            "agent \"%.*s\" could never take a ticket: it weighs %u at least, and there is room "
            "for %u; give more, or 0 for none",
            (int)agent->definition->key.len, (const char *)agent->definition->key.data, least,
            agent->capacity);
    return 0;
}

/* ---------------------------------------------------------------- what is asked of somebody */

/* What the agents together have. */
struct staff {
    struct dk_reference *set;
    struct dk_map skills; /* by hash */
    uint32_t tier;        /* the highest */
};

static uint64_t skill_id(const ProtobufCBinaryData *skill)
{
    return dk_id_of_key(DK_SUBJECT_FIELD, (const char *)skill->data, skill->len, NULL);
}

static int add_agent(void *arg, const struct dk_refs_version *version)
{
    struct staff *staff = arg;
    const Docket__AgentDefined *agent = (const void *)version->body;
    uint32_t tier = agent->has_tier ? agent->tier : 1;
    staff->tier = tier > staff->tier ? tier : staff->tier;
    for (size_t i = 0; i < agent->n_skill; i++)
        DK_ASSERT(dk_map_put(&staff->skills, skill_id(&agent->skill[i]), NULL) != NULL);
    return 0;
}

/* What asks is to blame, else an agent of the set: whoever had it has it no more. */
static const struct dk_reference_entity *who_took_it(const struct dk_reference *set,
                                                     uint64_t subject)
{
    const struct dk_reference_entity *entity = dk_reference_find(set, subject);
    for (size_t i = 0; i < set->entity_count && entity == NULL; i++) {
        if (set->entity[i].cls == DK_SUBJECT_AGENT && set->entity[i].old_body != NULL)
            entity = &set->entity[i];
    }
    return entity;
}

static int check_skills(void *arg, const struct dk_refs_version *version)
{
    struct staff *staff = arg;
    const Docket__ProductDefined *product = (const void *)version->body;
    const struct dk_reference_entity *entity = who_took_it(staff->set, version->subject);
    for (size_t i = 0; i < product->n_required_skill && entity != NULL; i++) {
        const ProtobufCBinaryData *skill = &product->required_skill[i];
        if (dk_map_get(&staff->skills, skill_id(skill)) != NULL)
            continue;
        dk_reference_problem_at(
            staff->set, entity->file, dk_reference_node_of(entity, "skills"),
            "nobody has the skill \"%.*s\" that product \"%.*s\" asks for: give it to an agent, or "
            "take it away",
            (int)skill->len, (const char *)skill->data, (int)product->definition->key.len,
            (const char *)product->definition->key.data);
    }
    return 0;
}

static int check_tiers(void *arg, const struct dk_refs_version *version)
{
    struct staff *staff = arg;
    const Docket__SettingsDefined *settings = (const void *)version->body;
    const struct dk_reference_entity *entity = who_took_it(staff->set, version->subject);
    for (size_t i = 0; i < settings->n_tier_need && entity != NULL; i++) {
        const Docket__TierNeed *need = settings->tier_need[i];
        if (need->agent_tier <= staff->tier)
            continue;
        dk_reference_problem_at(
            staff->set, entity->file,
            dk_reference_node_of(entity, entity->cls == DK_SUBJECT_AGENT ? "tier" : "needs_tier"),
            "nobody is of tier %u, which tickets of \"%.*s\" need: the highest "
            "is %u",
            need->agent_tier, (int)need->tier.len, (const char *)need->tier.data, staff->tier);
    }
    return 0;
}

void dk_reference_check_agents(struct dk_reference *set)
{
    struct staff staff = {.set = set};
    dk_refs_each(set->after, DK_SUBJECT_AGENT, set->now_us, check_channels, set);
    dk_refs_each(set->after, DK_SUBJECT_AGENT, set->now_us, check_room, set);
    dk_map_init(&staff.skills, 1, (size_t)1 << 24);
    dk_refs_each(set->after, DK_SUBJECT_AGENT, set->now_us, add_agent, &staff);
    dk_refs_each(set->after, DK_SUBJECT_PRODUCT, set->now_us, check_skills, &staff);
    dk_refs_each(set->after, DK_SUBJECT_SETTINGS, set->now_us, check_tiers, &staff);
    dk_map_close(&staff.skills);
}
