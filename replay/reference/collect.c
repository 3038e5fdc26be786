/* From files to entities: every section's keys, before any value is looked at, so that names are
 * known whatever order the files come in. */
#include "replay/reference/set.h"

#include <ctype.h>
#include <stdlib.h>

#define SECTIONS_MAX 20

/* Where collecting stands: entities found go to this section of this file. */
struct collecting {
    struct dk_reference *set;
    struct dk_reference_file *file;
    const struct dk_reference_section *section;
};

static bool is_empty(const struct dk_yaml *node)
{
    return node->type == DK_YAML_SCALAR && node->text[0] == '\0' && !node->quoted;
}

/* A map whose children are entities, or nothing yet. */
static bool is_map(const struct collecting *at, const struct dk_yaml *node)
{
    if (node->type != DK_YAML_MAP && !is_empty(node))
        dk_reference_problem_at(at->set, at->file, node,
                                "\"%s\" must hold keys, and under each what it defines", node->key);
    return node->type == DK_YAML_MAP;
}

/* Keys are typed on command lines: letters, digits and a few marks. */
static bool is_key(const struct collecting *at, const struct dk_yaml *node)
{
    size_t bytes = strlen(node->key);
    bool good = bytes > 0 && bytes <= DK_KEY_MAX_BYTES;
    for (size_t i = 0; i < bytes; i++)
        good = good && (isalnum((unsigned char)node->key[i]) || strchr("._-", node->key[i]));
    if (!good)
        dk_reference_problem_at(at->set, at->file, node,
                                "\"%.*s\" is no key: write up to %d letters, digits, '.', '_', '-'",
                                DK_KEY_MAX_BYTES + 4, node->key, DK_KEY_MAX_BYTES);
    return good;
}

static struct dk_reference_entity *add_entity(const struct collecting *at, const char *key,
                                              const struct dk_yaml *node)
{
    struct dk_reference *set = at->set;
    unsigned cls = dk_kind_info(at->section->kind)->subject_class;
    uint64_t subject = dk_id_of_key(cls, key, strlen(key), NULL);
    const struct dk_reference_entity *other = dk_reference_find(set, subject);
    if (other != NULL) {
        dk_reference_problem_at(set, at->file, node,
                                "%s \"%s\" is defined at %s:%d too: take one away, or give "
                                "it another key",
                                dk_subject_class_word(cls), key, other->file->doc.name,
                                other->node->line);
        return NULL;
    }
    size_t *place = dk_map_put(&set->index, subject, NULL);
    if (place == NULL) {
        dk_reference_problem_at(set, at->file, node, "more than %d entities: split the files",
                                DK_REFERENCE_MAX_ENTITIES);
        return NULL;
    }
    if (set->entity_count == set->entity_capacity) {
        set->entity_capacity = set->entity_capacity == 0 ? 256 : 2 * set->entity_capacity;
        set->entity = realloc(set->entity, set->entity_capacity * sizeof *set->entity);
        DK_ASSERT(set->entity != NULL);
    }
    struct dk_err err;
    bool removed = false;
    if (dk_yaml_bool(&at->file->doc, dk_yaml_get(node, "removed"), &removed, &err) != 0)
        dk_reference_problem_note(set, err.message);
    *place = set->entity_count;
    set->entity[set->entity_count] = (struct dk_reference_entity){
        .section = at->section,
        .file = at->file,
        .node = node,
        .key = key,
        .cls = cls,
        .subject = subject,
        .removed = removed,
        .effective_us = at->file->effective_us,
    };
    return &set->entity[set->entity_count++];
}

static void collect_plain(const struct collecting *at, const struct dk_yaml *map)
{
    for (const struct dk_yaml *node = map->child; node != NULL; node = node->next) {
        if (is_key(at, node))
            add_entity(at, node->key, node);
    }
}

/* Products stand in products: goes down the tree and up again by the nodes' own parents, but not
 * below what is no product. */
static void collect_products(const struct collecting *at, const struct dk_yaml *top)
{
    const struct dk_yaml *node = top->child;
    while (node != NULL) {
        struct dk_reference_entity *product =
            is_key(at, node) ? add_entity(at, node->key, node) : NULL;
        if (product != NULL && node->parent != top) {
            const char *above = node->parent->parent->key;
            product->parent = dk_id_of_key(DK_SUBJECT_PRODUCT, above, strlen(above), NULL);
        }
        const struct dk_yaml *inner = dk_yaml_get(node, "products");
        if (product != NULL && inner != NULL && is_map(at, inner) && inner->child != NULL) {
            node = inner->child;
            continue;
        }
        while (node->next == NULL && node->parent != top)
            node = node->parent->parent;
        node = node->next;
    }
}

/* S4: the policies of a type are one list, in the order in which they are written. */
static void collect_list(const struct collecting *at, const struct dk_yaml *list,
                         Docket__PolicyType type)
{
    struct dk_reference *set = at->set;
    if (set->list[type] != NULL && set->list[type] != at->file) {
        dk_reference_problem_at(set, at->file, list,
                                "%s policies stand in %s too: their order counts, so keep them in "
                                "one file",
                                list->key, set->list[type]->doc.name);
        return;
    }
    set->list[type] = at->file;
    for (const struct dk_yaml *node = list->child; node != NULL; node = node->next) {
        struct dk_reference_entity *policy =
            is_key(at, node) ? add_entity(at, node->key, node) : NULL;
        if (policy == NULL)
            continue;
        policy->type = type;
        policy->order = policy->removed ? 0 : ++set->listed[type];
    }
}

static void collect_policies(const struct collecting *at, const struct dk_yaml *map)
{
    static const char *const types[] = {"sla", "ola", "uc", NULL};
    struct dk_err err;
    if (dk_yaml_only(&at->file->doc, map, types, &err) != 0)
        dk_reference_problem_note(at->set, err.message);
    for (int i = 0; types[i] != NULL; i++) {
        const struct dk_yaml *list = dk_yaml_get(map, types[i]);
        if (list != NULL && is_map(at, list))
            collect_list(at, list, (Docket__PolicyType)(DOCKET__POLICY_TYPE__POLICY_SLA + i));
    }
}

static void collect_section(const struct collecting *at, const struct dk_yaml *node)
{
    if (!is_map(at, node))
        return;
    switch (at->section->kind) {
    case DK_KIND_SETTINGS_DEFINED: add_entity(at, "settings", node); break;
    case DK_KIND_PRODUCT_DEFINED: collect_products(at, node); break;
    case DK_KIND_POLICY_DEFINED: collect_policies(at, node); break;
    default: collect_plain(at, node);
    }
}

void dk_reference_effective(struct dk_reference *set, const struct dk_reference_file *file,
                            const struct dk_yaml *node, int64_t *us)
{
    if (node != NULL &&
        (node->type != DK_YAML_SCALAR || dk_time_parse(node->text, us, NULL, NULL) != 0))
        dk_reference_problem_at(set, file, node,
                                "effective_from must be a date or time, as 2026-02-01 or "
                                "2026-02-01T09:00+01:00; without an offset it is UTC");
    else if (node != NULL && *us < dk_days_of_date(DK_CALENDAR_FROM_YEAR, 1, 1) * DK_DAY_US)
        dk_reference_problem_at(set, file, node,
                                "effective_from lies before %d, as no calendar does",
                                DK_CALENDAR_FROM_YEAR);
}

void dk_reference_collect(struct dk_reference *set, struct dk_reference_file *file)
{
    const char *words[SECTIONS_MAX] = {"effective_from"};
    const struct dk_yaml *root = file->doc.root;
    struct dk_err err;
    DK_ASSERT(dk_reference_section_count + 2 <= SECTIONS_MAX);
    for (size_t i = 0; i < dk_reference_section_count; i++)
        words[i + 1] = dk_reference_sections[i].word;
    if (dk_yaml_only(&file->doc, root, words, &err) != 0)
        dk_reference_problem_note(set, err.message);
    dk_reference_effective(set, file, dk_yaml_get(root, "effective_from"), &file->effective_us);
    for (size_t i = 0; i < dk_reference_section_count; i++) {
        struct collecting at = {set, file, &dk_reference_sections[i]};
        const struct dk_yaml *node = dk_yaml_get(root, at.section->word);
        if (node != NULL)
            collect_section(&at, node);
    }
}
