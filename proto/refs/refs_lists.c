#include "proto/refs/refs_internal.h"
#include <stdlib.h>

#define LISTS_MAX ((size_t)1 << 24)

struct dk_refs_list {
    const struct dk_refs_version **version;
    size_t count;
    size_t capacity;
    bool made;
};

void dk_refs_lists_init(struct dk_refs *refs)
{
    dk_map_init(&refs->policies.lists, sizeof(struct dk_refs_list), LISTS_MAX);
    dk_map_init(&refs->rules.lists, sizeof(struct dk_refs_list), LISTS_MAX);
}

static void forget_lists(struct dk_refs_timeline *timeline)
{
    size_t cursor = 0;
    uint64_t key;
    void *list;
    while (dk_map_next(&timeline->lists, &cursor, &key, &list))
        free(((struct dk_refs_list *)list)->version);
    dk_map_clear(&timeline->lists);
    free(timeline->from);
    timeline->from = NULL;
    timeline->count = 0;
}

void dk_refs_lists_close(struct dk_refs *refs)
{
    forget_lists(&refs->policies);
    forget_lists(&refs->rules);
    dk_map_close(&refs->policies.lists);
    dk_map_close(&refs->rules.lists);
}

static int compare_instants(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* The instants at which some version of the class begins. */
static void draw_timeline(const struct dk_refs *refs, struct dk_refs_timeline *timeline,
                          unsigned cls)
{
    const struct dk_refs_class *index = dk_refs_class(refs, cls);
    if (timeline->changes == index->changes)
        return;
    forget_lists(timeline);
    size_t count = 0;
    size_t capacity = 0;
    for (size_t i = 0; i < index->count; i++) {
        const struct dk_refs_entity *entity = dk_refs_entity(refs, index->subject[i]);
        for (uint32_t v = 0; v < entity->count; v++) {
            timeline->from = dk_refs_grow(timeline->from, count, &capacity, sizeof *timeline->from);
            timeline->from[count++] = entity->version[v]->effective_us;
        }
    }
    qsort(timeline->from, count, sizeof *timeline->from, compare_instants);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || timeline->from[i] != timeline->from[i - 1])
            timeline->from[timeline->count++] = timeline->from[i];
    }
    timeline->changes = index->changes;
}

/* Which stretch of the timeline holds `at`: 0 is before all. */
static size_t stretch_at(const struct dk_refs_timeline *timeline, int64_t at_us)
{
    size_t low = 0;
    size_t high = timeline->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (timeline->from[middle] <= at_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_of_type(const ProtobufCMessage *body, uint32_t type)
{
    return (uint32_t)((const Docket__PolicyDefined *)(const void *)body)->type == type;
}

static bool listens_to(const ProtobufCMessage *body, uint32_t kind)
{
    const Docket__RuleDefined *rule = (const void *)body;
    for (size_t i = 0; i < rule->n_on_kind; i++) {
        if (rule->on_kind[i] == kind)
            return true;
    }
    return false;
}

static int compare_orders(const void *a, const void *b)
{
    const struct dk_refs_version *left = *(const struct dk_refs_version *const *)a;
    const struct dk_refs_version *right = *(const struct dk_refs_version *const *)b;
    uint32_t left_order = ((const Docket__PolicyDefined *)(const void *)left->body)->order;
    uint32_t right_order = ((const Docket__PolicyDefined *)(const void *)right->body)->order;
    if (left_order != right_order)
        return (left_order > right_order) - (left_order < right_order);
    return (left->subject > right->subject) - (left->subject < right->subject);
}

/* What stands in a list, and in which order (NULL: by id). */
struct choice {
    unsigned cls;
    bool (*selects)(const ProtobufCMessage *body, uint32_t selector);
    int (*compare)(const void *a, const void *b);
};

static void make_list(const struct dk_refs *refs, const struct choice *choice, uint32_t selector,
                      int64_t at_us, struct dk_refs_list *list)
{
    const struct dk_refs_class *index = dk_refs_class(refs, choice->cls);
    for (size_t i = 0; i < index->count; i++) {
        const struct dk_refs_version *version = dk_refs_at(refs, index->subject[i], at_us);
        if (version == NULL || !choice->selects(version->body, selector))
            continue;
        list->version =
            dk_refs_grow(list->version, list->count, &list->capacity, sizeof *list->version);
        list->version[list->count++] = version;
    }
    if (choice->compare != NULL && list->count > 1)
        qsort(list->version, list->count, sizeof *list->version, choice->compare);
    list->made = true;
}

/* The list of one selector (a policy type, a kind) at an instant: what is in force at the
 * beginning of a stretch is so until its end. */
static const struct dk_refs_version *const *list_at(const struct dk_refs *refs,
                                                    struct dk_refs_timeline *timeline,
                                                    const struct choice *choice, uint32_t selector,
                                                    int64_t at_us, size_t *count)
{
    draw_timeline(refs, timeline, choice->cls);
    size_t stretch = stretch_at(timeline, at_us);
    *count = 0;
    if (stretch == 0)
        return NULL;
    struct dk_refs_list *list =
        dk_map_put(&timeline->lists, ((uint64_t)selector << 32) | stretch, NULL);
    DK_ASSERT(list != NULL);
    if (!list->made)
        make_list(refs, choice, selector, timeline->from[stretch - 1], list);
    *count = list->count;
    return list->version;
}

const struct dk_refs_version *const *dk_refs_policies(struct dk_refs *refs, Docket__PolicyType type,
                                                      int64_t at_us, size_t *count)
{
    static const struct choice policies = {DK_SUBJECT_POLICY, is_of_type, compare_orders};
    return list_at(refs, &refs->policies, &policies, (uint32_t)type, at_us, count);
}

const struct dk_refs_version *const *dk_refs_rules(struct dk_refs *refs, uint32_t kind,
                                                   int64_t at_us, size_t *count)
{
    static const struct choice rules = {DK_SUBJECT_RULE, listens_to, NULL};
    return list_at(refs, &refs->rules, &rules, kind, at_us, count);
}
