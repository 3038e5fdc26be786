/* Agents: on each channel that is limited there is room for one ticket (R2). */
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

void dk_reference_check_agents(struct dk_reference *set)
{
    dk_refs_each(set->after, DK_SUBJECT_AGENT, set->now_us, check_channels, set);
}
