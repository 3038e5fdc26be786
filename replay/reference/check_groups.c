/* Groups and the catalogue: every product leads somebody somewhere, and what leads from one group
 * to another stays on its line (R1, R5). A ring of secondary or next groups is none of a kind to be
 * refused: R5 goes one step from where a ticket waits, and no further. */
#include "replay/reference/set.h"

#define PROBLEM(set, entity, key, ...)                                                             \
    dk_reference_problem_at(set, (entity)->file, dk_reference_node_of(entity, key), __VA_ARGS__)

#define KEY(body) (int)(body)->definition->key.len, (const char *)(body)->definition->key.data

/* A definition that leads to a group: the set's own one is to blame, else the group's. */
struct lead {
    struct dk_reference *set;
    uint64_t from, to;
    const char *key; /* of the definition that leads there */
};

static const struct dk_reference_entity *to_blame(const struct lead *lead, const char **key)
{
    const struct dk_reference_entity *entity = dk_reference_find(lead->set, lead->from);
    *key = entity != NULL ? lead->key : "line";
    return entity != NULL || lead->to == 0 ? entity : dk_reference_find(lead->set, lead->to);
}

/* ---------------------------------------------------------------- from group to group */

static void check_lead(const struct lead *lead, const Docket__GroupDefined *group)
{
    const Docket__GroupDefined *other =
        dk_refs_group(lead->set->after, lead->to, lead->set->now_us);
    const char *key;
    const struct dk_reference_entity *entity = to_blame(lead, &key);
    if (other == NULL || entity == NULL)
        return;
    if (other->line != group->line)
        PROBLEM(
            lead->set, entity, key,
            "%s of group \"%.*s\" of line %u leads to group \"%.*s\" of line %u: name one of the "
            "same line",
            lead->key, KEY(group), group->line, KEY(other), other->line);
    else if (strcmp(lead->key, "next_site") == 0 && group->has_site && group->site == other->site)
        PROBLEM(lead->set, entity, entity->subject == lead->from ? key : "site",
                "next_site of group \"%.*s\" leads to group \"%.*s\" of the same site: name one of "
                "another, or make it secondary",
                KEY(group), KEY(other));
}

static int check_group(void *arg, const struct dk_refs_version *version)
{
    struct dk_reference *set = arg;
    const Docket__GroupDefined *group = (const void *)version->body;
    check_lead(&(struct lead){set, version->subject, group->secondary, "secondary"}, group);
    check_lead(&(struct lead){set, version->subject, group->next_site_group, "next_site"}, group);
    return 0;
}

/* ---------------------------------------------------------------- from product to group */

static void check_routes(struct dk_reference *set, uint64_t subject,
                         const Docket__ProductDefined *product)
{
    for (size_t i = 0; i < product->n_route; i++) {
        const Docket__Route *route = product->route[i];
        const Docket__GroupDefined *group = dk_refs_group(set->after, route->group, set->now_us);
        const char *key;
        const struct dk_reference_entity *entity =
            to_blame(&(struct lead){set, subject, route->group, "routes"}, &key);
        if (group != NULL && entity != NULL && group->line != route->line)
            PROBLEM(set, entity, key, "the route for line %u leads to a group of line %u: \"%.*s\"",
                    route->line, group->line, KEY(group));
    }
}

/* Its own definition, else one above it, else the settings. */
static const struct dk_reference_entity *who_cut_off(const struct dk_reference *set,
                                                     uint64_t product)
{
    const struct dk_reference_entity *entity = dk_reference_find(set, product);
    for (size_t i = 0; i < set->entity_count && entity == NULL; i++) {
        const struct dk_reference_entity *other = &set->entity[i];
        if (other->section->kind == DK_KIND_SETTINGS_DEFINED ||
            (other->cls == DK_SUBJECT_PRODUCT &&
             dk_refs_product_within(set->after, product, other->subject, set->now_us)))
            entity = other;
    }
    return entity;
}

static int check_product(void *arg, const struct dk_refs_version *version)
{
    struct dk_reference *set = arg;
    const Docket__ProductDefined *product = (const void *)version->body;
    struct dk_settings settings;
    check_routes(set, version->subject, product);
    if (dk_refs_product_within(set->after, product->parent, version->subject, set->now_us))
        return 0; /* its own ancestor, which is told already */
    dk_refs_settings(set->after, set->now_us, &settings);
    if (settings.default_group != 0 ||
        dk_refs_route(set->after, version->subject, 1, set->now_us, NULL) != 0)
        return 0;
    const struct dk_reference_entity *entity = who_cut_off(set, version->subject);
    if (entity != NULL)
        PROBLEM(set, entity,
                entity->section->kind == DK_KIND_SETTINGS_DEFINED ? "default_group" : "routes",
                "tickets of product \"%.*s\" would reach nobody: give it, or a product above it, a "
                "route for line 1, or the settings a default_group",
                KEY(product));
    return 0;
}

/* ---------------------------------------------------------------- from nowhere */

static int check_default(void *arg, const struct dk_refs_version *version)
{
    struct dk_reference *set = arg;
    const Docket__SettingsDefined *settings = (const void *)version->body;
    const Docket__GroupDefined *group =
        dk_refs_group(set->after, settings->default_group, set->now_us);
    const char *key;
    const struct dk_reference_entity *entity = to_blame(
        &(struct lead){set, version->subject, settings->default_group, "default_group"}, &key);
    if (group != NULL && entity != NULL && group->line != 1)
        PROBLEM(set, entity, key,
                "the default group is where tickets begin, and \"%.*s\" is of line "
                "%u: name one of line 1",
                KEY(group), group->line);
    return 0;
}

void dk_reference_check_groups(struct dk_reference *set)
{
    dk_refs_each(set->after, DK_SUBJECT_GROUP, set->now_us, check_group, set);
    dk_refs_each(set->after, DK_SUBJECT_SETTINGS, set->now_us, check_default, set);
    dk_refs_each(set->after, DK_SUBJECT_PRODUCT, set->now_us, check_product, set);
}
