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

static bool names_here(const ProtobufCMessage *message, const uint8_t *rules, uint64_t subject)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (field->type != PROTOBUF_C_TYPE_FIXED64 || !dk_rule_is_id(dk_rule_of(rules, field)))
            continue;
        struct dk_values values = dk_field_values(message, field);
        const uint64_t *id = (const void *)values.at;
        for (size_t k = 0; k < values.count; k++) {
            if (id[k] == subject)
                return true;
        }
    }
    return false;
}

bool dk_reference_names(const ProtobufCMessage *body, uint32_t kind, uint64_t subject)
{
    if (names_here(body, dk_rules_of_kind(kind), subject))
        return true;
    for (unsigned i = 0; i < body->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &body->descriptor->fields[i];
        if (field->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        struct dk_values parts = dk_field_values(body, field);
        ProtobufCMessage *const *part = (const void *)parts.at;
        for (size_t k = 0; k < parts.count; k++) {
            if (names_here(part[k], dk_rules_of_part(part[k]->descriptor), subject))
                return true;
        }
    }
    return false;
}

struct naming {
    uint64_t subject;
    const struct dk_refs_version *by;
};

static int note_if_naming(void *arg, const struct dk_refs_version *version)
{
    struct naming *naming = arg;
    if (!dk_reference_names(version->body, version->kind, naming->subject))
        return 0;
    naming->by = version;
    return 1;
}

/* What is removed is named by nothing that stays. */
static void check_removal(struct dk_reference *set, const struct dk_reference_entity *entity)
{
    struct naming naming = {entity->subject, NULL};
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

static void check_routes(struct dk_reference *set, const struct dk_reference_entity *entity)
{
    const Docket__ProductDefined *product = (const void *)entity->body;
    for (size_t i = 0; i < product->n_route; i++) {
        const Docket__GroupDefined *group =
            dk_refs_group(set->after, product->route[i]->group, set->now_us);
        if (group != NULL && group->line != product->route[i]->line)
            PROBLEM(set, entity, "routes",
                    "the route for line %u leads to a group of line %u: \"%.*s\"",
                    product->route[i]->line, group->line, (int)group->definition->key.len,
                    (const char *)group->definition->key.data);
    }
    struct dk_settings settings;
    dk_refs_settings(set->after, set->now_us, &settings);
    if (settings.default_group == 0 &&
        dk_refs_route(set->after, entity->subject, 1, set->now_us, NULL) == 0)
        PROBLEM(set, entity, "routes",
                "tickets of product \"%s\" would reach nobody: give it, or a product above it, a "
                "route for line 1, or the settings a default_group",
                entity->key);
}

static void check_product(struct dk_reference *set, const struct dk_reference_entity *entity)
{
    size_t before = set->problem_count;
    check_ancestors(set, entity);
    if (set->problem_count == before)
        check_routes(set, entity);
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
    struct naming naming = {version->subject, NULL};
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

static void check_group(struct dk_reference *set, const struct dk_reference_entity *entity)
{
    const Docket__GroupDefined *group = (const void *)entity->body;
    if (group->has_secondary && group->secondary == entity->subject)
        PROBLEM(set, entity, "secondary", "group \"%s\" is its own secondary: name another",
                entity->key);
}

/* ---------------------------------------------------------------- places and times */

struct numbering {
    const struct dk_reference_entity *entity;
    const struct dk_refs_version *other;
};

static uint32_t site_number(const ProtobufCMessage *body)
{
    return ((const Docket__SiteDefined *)(const void *)body)->number;
}

static int has_same_number(void *arg, const struct dk_refs_version *version)
{
    struct numbering *numbering = arg;
    if (version->subject == numbering->entity->subject ||
        site_number(version->body) != site_number(numbering->entity->body))
        return 0;
    numbering->other = version;
    return 1;
}

static void check_zone(struct dk_reference *set, const struct dk_reference_entity *entity,
                       const ProtobufCBinaryData *name)
{
    struct dk_zone *zone = NULL;
    char text[DK_KEY_MAX_BYTES + 1] = "";
    memcpy(text, name->data, name->len); /* at most DK_KEY_MAX_BYTES: dk_body_check has seen it */
    if (dk_zone_load(&zone, text, NULL) != 0)
        PROBLEM(set, entity, "zone",
                "there is no time zone \"%s\": write an IANA name, as Europe/Berlin", text);
    dk_zone_free(&zone);
}

static void check_site(struct dk_reference *set, const struct dk_reference_entity *entity)
{
    struct numbering numbering = {entity, NULL};
    check_zone(set, entity, &((const Docket__SiteDefined *)(const void *)entity->body)->zone);
    dk_refs_each(set->after, DK_SUBJECT_SITE, set->now_us, has_same_number, &numbering);
    if (numbering.other == NULL)
        return;
    const ProtobufCBinaryData *key = &dk_refs_definition(numbering.other)->key;
    PROBLEM(set, entity, "number", "site \"%.*s\" has number %u too: give each its own",
            (int)key->len, (const char *)key->data, site_number(entity->body));
}

static void check_calendar(struct dk_reference *set, const struct dk_reference_entity *entity)
{
    const Docket__CalendarDefined *body = (const void *)entity->body;
    struct dk_calendar *calendar = NULL;
    struct dk_err err;
    size_t before = set->problem_count;
    check_zone(set, entity, &body->zone);
    if (set->problem_count == before && dk_refs_calendar_compile(&calendar, body, &err) != 0)
        PROBLEM(set, entity, "hours", "calendar \"%s\": %s", entity->key, err.message);
    dk_calendar_free(&calendar);
}

/* ---------------------------------------------------------------- the rest */

static void check_contract(struct dk_reference *set, const struct dk_reference_entity *entity)
{
    const Docket__ContractDefined *contract = (const void *)entity->body;
    if (contract->has_company == contract->has_supplier)
        PROBLEM(set, entity, "",
                "contract \"%s\" must name a company or a supplier, and not both: write one of "
                "\"company: ...\", \"supplier: ...\"",
                entity->key);
}

static void check_field(struct dk_reference *set, const struct dk_reference_entity *entity)
{
    const Docket__FieldDefined *field = (const void *)entity->body;
    bool chooses = field->type == DOCKET__FIELD_TYPE__FIELD_CHOICE;
    if (chooses != (field->n_choice > 0))
        PROBLEM(set, entity, "choices",
                "field \"%s\" %s: choices go with type choice, and only with it", entity->key,
                chooses ? "has no choices" : "has choices");
}

static void check_entity(struct dk_reference *set, const struct dk_reference_entity *entity)
{
    if (entity->removed) {
        check_removal(set, entity);
        return;
    }
    switch (entity->section->kind) {
    case DK_KIND_PRODUCT_DEFINED: check_product(set, entity); break;
    case DK_KIND_GROUP_DEFINED: check_group(set, entity); break;
    case DK_KIND_SITE_DEFINED: check_site(set, entity); break;
    case DK_KIND_CALENDAR_DEFINED: check_calendar(set, entity); break;
    case DK_KIND_CONTRACT_DEFINED: check_contract(set, entity); break;
    case DK_KIND_FIELD_DEFINED: check_field(set, entity); break;
    case DK_KIND_RULE_DEFINED: dk_reference_check_rule(set, entity); break;
    default: break;
    }
}

void dk_reference_check(struct dk_reference *set)
{
    for (size_t i = 0; i < set->entity_count; i++)
        check_entity(set, &set->entity[i]);
    dk_refs_each(set->after, DK_SUBJECT_GROUP, set->now_us, check_members, set);
    dk_reference_check_policies(set);
    dk_reference_check_shifts(set);
    dk_reference_check_agents(set);
}
