/* All definitions together: what none of them shows alone. */
#include "proto/event/fields.h"
#include "replay/reference/set.h"

#define LEVELS_MAX 64 /* of the catalogue, as dk_refs_route has it */

const struct dk_yaml *dk_reference_node_of(const struct dk_reference_entity *entity,
                                           const char *key)
{
    const struct dk_yaml *node = dk_yaml_get(entity->node, key);
    return node != NULL ? node : entity->node;
}

#define PROBLEM(set, entity, key, ...)                                                             \
    dk_reference_problem_at(set, (entity)->file, dk_reference_node_of(entity, key), __VA_ARGS__)

/* ---------------------------------------------------------------- who names whom */

/* Who asks after ids. */
struct asking {
    bool (*on_id)(void *arg, uint64_t id);
    void *arg;
};

static bool each_here(const ProtobufCMessage *message, const uint8_t *rules,
                      const struct asking *asking)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (field->type != PROTOBUF_C_TYPE_FIXED64 || !dk_rule_is_id(dk_rule_of(rules, field)))
            continue;
        struct dk_values values = dk_field_values(message, field);
        const uint64_t *id = (const void *)values.at;
        for (size_t k = 0; k < values.count; k++) {
            if (id[k] != 0 && asking->on_id(asking->arg, id[k]))
                return true;
        }
    }
    return false;
}

bool dk_reference_each_named(const ProtobufCMessage *body, uint32_t kind,
                             bool (*on_id)(void *arg, uint64_t id), void *arg)
{
    const struct asking asking = {on_id, arg};
    if (each_here(body, dk_rules_of_kind(kind), &asking))
        return true;
    for (unsigned i = 0; i < body->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &body->descriptor->fields[i];
        if (field->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        struct dk_values parts = dk_field_values(body, field);
        ProtobufCMessage *const *part = (const void *)parts.at;
        for (size_t k = 0; k < parts.count; k++) {
            if (each_here(part[k], dk_rules_of_part(part[k]->descriptor), &asking))
                return true;
        }
    }
    return false;
}

static bool is_that(void *arg, uint64_t id)
{
    const uint64_t *subject = arg;
    return id == *subject;
}

bool dk_reference_names(const ProtobufCMessage *body, uint32_t kind, uint64_t subject)
{
    return dk_reference_each_named(body, kind, is_that, &subject);
}

struct naming {
    uint64_t subject;
    uint32_t site; /* the number of a site, by which others name it; else 0 */
    const struct dk_refs_version *by;
};

static uint32_t site_number(const ProtobufCMessage *body)
{
    return ((const Docket__SiteDefined *)(const void *)body)->number;
}

static bool names_site(const struct dk_refs_version *version, uint32_t number)
{
    const void *body = version->body;
    switch (number != 0 ? version->kind : 0) {
    case DK_KIND_AGENT_DEFINED: return ((const Docket__AgentDefined *)body)->site == number;
    case DK_KIND_GROUP_DEFINED: return ((const Docket__GroupDefined *)body)->site == number;
    case DK_KIND_SITE_DEFINED: return ((const Docket__SiteDefined *)body)->next_site == number;
    default: return false;
    }
}

static int note_if_naming(void *arg, const struct dk_refs_version *version)
{
    struct naming *naming = arg;
    if (!dk_reference_names(version->body, version->kind, naming->subject) &&
        !names_site(version, naming->site))
        return 0;
    naming->by = version;
    return 1;
}

/* What is removed is named by nothing that stays. */
static void check_removal(struct dk_reference *set, const struct dk_reference_entity *entity)
{
    struct naming naming = {entity->subject,
                            entity->cls == DK_SUBJECT_SITE ? site_number(entity->body) : 0, NULL};
    for (unsigned cls = 1; cls < DK_SUBJECT_CLASS_COUNT && naming.by == NULL; cls++)
        dk_refs_each(set->after, cls, set->now_us, note_if_naming, &naming);
    if (naming.by == NULL)
        return;
    const ProtobufCBinaryData *key = &dk_refs_definition(naming.by)->key;
    PROBLEM(set, entity, "removed", "%s \"%s\" is still named by %s \"%.*s\": change that first",
            dk_subject_class_word(entity->cls), entity->key,
            dk_subject_class_word(dk_id_class(naming.by->subject)), (int)key->len,
            (const char *)key->data);
}

/* ---------------------------------------------------------------- products */

static void check_ancestors(struct dk_reference *set, const struct dk_reference_entity *entity)
{
    uint64_t above = entity->subject;
    for (int level = 0; level < LEVELS_MAX; level++) {
        const Docket__ProductDefined *body = dk_refs_product(set->after, above, set->now_us);
        if (body == NULL || !body->has_parent)
            return;
        above = body->parent;
        if (above == entity->subject) {
            PROBLEM(set, entity, "parent",
                    "product \"%s\" is its own ancestor: give one of them another parent",
                    entity->key);
            return;
        }
    }
    PROBLEM(set, entity, "parent", "product \"%s\" has more than %d products above it", entity->key,
            LEVELS_MAX);
}

/* ---------------------------------------------------------------- groups */

/* The definition that is to blame for a group without agents: its own, one that leads to it, or an
 * agent's who was in it. NULL when it was so before. */
static const struct dk_reference_entity *to_blame(const struct dk_reference *set, uint64_t group)
{
    const struct dk_reference_entity *entity = dk_reference_find(set, group);
    for (size_t i = 0; i < set->entity_count && entity == NULL; i++) {
        const struct dk_reference_entity *other = &set->entity[i];
        const ProtobufCMessage *body =
            other->cls == DK_SUBJECT_AGENT ? other->old_body : other->body;
        if (body != NULL && dk_reference_names(body, other->section->kind, group))
            entity = other;
    }
    return entity;
}

static int check_members(void *arg, const struct dk_refs_version *version)
{
    struct dk_reference *set = arg;
    struct naming naming = {.subject = version->subject};
    if (dk_refs_each(set->after, DK_SUBJECT_AGENT, set->now_us, note_if_naming, &naming) != 0)
        return 0;
    const struct dk_reference_entity *entity = to_blame(set, version->subject);
    const ProtobufCBinaryData *key = &dk_refs_definition(version)->key;
    if (entity != NULL)
        PROBLEM(set, entity, "groups",
                "group \"%.*s\" has no agents: add it to the groups of one, or remove it",
                (int)key->len, (const char *)key->data);
    return 0;
}

/* ---------------------------------------------------------------- places and times */

struct numbering {
    const struct dk_reference_entity *entity;
    const struct dk_refs_version *other;
};

static int has_same_number(void *arg, const struct dk_refs_version *version)
{
    struct numbering *numbering = arg;
    if (version->subject == numbering->entity->subject ||
        site_number(version->body) != site_number(numbering->entity->body))
        return 0;
    numbering->other = version;
    return 1;
}

static void check_site(struct dk_reference *set, const struct dk_reference_entity *entity)
{
    struct numbering numbering = {entity, NULL};
    if (entity->old_body != NULL && site_number(entity->old_body) != site_number(entity->body))
        PROBLEM(set, entity, "number",
                "site \"%s\" has number %u, and its tickets are named by it: leave it", entity->key,
                site_number(entity->old_body));
    dk_refs_each(set->after, DK_SUBJECT_SITE, set->now_us, has_same_number, &numbering);
    if (numbering.other == NULL)
        return;
    const ProtobufCBinaryData *key = &dk_refs_definition(numbering.other)->key;
    PROBLEM(set, entity, "number", "site \"%.*s\" has number %u too: give each its own",
            (int)key->len, (const char *)key->data, site_number(entity->body));
}

/* ---------------------------------------------------------------- who is there in time */

struct arrival {
    struct dk_reference *set;
    const struct dk_reference_entity *entity;
    int64_t at_us;
};

/* What is named is in force when that which names it begins, or by now. */
static bool is_late(void *arg, uint64_t id)
{
    struct arrival *arrival = arg;
    struct dk_reference *set = arrival->set;
    const struct dk_reference_entity *named = dk_reference_find(set, id);
    char name[DK_NAME_BYTES], time[DK_TIME_TEXT_BYTES];
    if (dk_refs_at(set->refs, id, arrival->at_us) != NULL)
        return false;
    int64_t from_us = named != NULL ? named->effective_us
                                    : dk_refs_next_version_us(set->refs, id, arrival->at_us);
    if (from_us <= arrival->at_us || from_us == INT64_MAX)
        return false;
    PROBLEM(set, arrival->entity, "effective_from",
            "%s \"%s\" names %s, which begins later, at %s: let both begin together",
            dk_subject_class_word(arrival->entity->cls), arrival->entity->key,
            dk_refs_name(set->after, id, name), dk_time_format(from_us, 0, time));
    return true;
}

static void check_arrival(struct dk_reference *set, const struct dk_reference_entity *entity)
{
    struct arrival arrival = {
        set, entity, entity->effective_us > set->now_us ? entity->effective_us : set->now_us};
    (void)dk_reference_each_named(entity->body, entity->section->kind, is_late, &arrival);
}

/* ---------------------------------------------------------------- the rest */

struct rival {
    uint64_t contract, supplier;
    const struct dk_refs_version *other;
};

static int has_same_supplier(void *arg, const struct dk_refs_version *version)
{
    struct rival *rival = arg;
    const Docket__ContractDefined *contract = (const void *)version->body;
    if (version->subject == rival->contract || contract->supplier != rival->supplier)
        return 0;
    rival->other = version;
    return 1;
}

/* Which of several contracts with a supplier counts would be anybody's guess. */
static void check_contract(struct dk_reference *set, const struct dk_reference_entity *entity)
{
    const Docket__ContractDefined *contract = (const void *)entity->body;
    struct rival rival = {entity->subject, contract->supplier, NULL};
    if (contract->supplier != 0)
        dk_refs_each(set->after, DK_SUBJECT_CONTRACT, set->now_us, has_same_supplier, &rival);
    if (rival.other == NULL)
        return;
    const ProtobufCBinaryData *key = &dk_refs_definition(rival.other)->key;
    PROBLEM(set, entity, "supplier",
            "contract \"%.*s\" is with this supplier too: end one with \"removed: true\"",
            (int)key->len, (const char *)key->data);
}

static void check_field(struct dk_reference *set, const struct dk_reference_entity *entity)
{
    const Docket__FieldDefined *field = (const void *)entity->body;
    if (field->type == DOCKET__FIELD_TYPE__FIELD_CHOICE && field->n_choice == 0)
        PROBLEM(set, entity, "type",
                "field \"%s\" has no choices: choices go with type choice, and only with it",
                entity->key);
}

static void check_entity(struct dk_reference *set, const struct dk_reference_entity *entity)
{
    if (entity->removed) {
        check_removal(set, entity);
        return;
    }
    switch (entity->section->kind) {
    case DK_KIND_PRODUCT_DEFINED: check_ancestors(set, entity); break;
    case DK_KIND_SITE_DEFINED: check_site(set, entity); break;
    case DK_KIND_CONTRACT_DEFINED: check_contract(set, entity); break;
    case DK_KIND_FIELD_DEFINED: check_field(set, entity); break;
    default: break;
    }
    check_arrival(set, entity);
}

void dk_reference_check(struct dk_reference *set)
{
    for (size_t i = 0; i < set->entity_count; i++)
        check_entity(set, &set->entity[i]);
    dk_refs_each(set->after, DK_SUBJECT_GROUP, set->now_us, check_members, set);
    dk_reference_check_groups(set);
    dk_reference_check_policies(set);
    dk_reference_check_rules(set);
    dk_reference_check_shifts(set);
    dk_reference_check_agents(set);
}
