#include "proto/refs/refs_internal.h"
#include <stdlib.h>

#define LISTS_MAX ((size_t)1 << 16) /* kept at once; when there are more, all are made anew */

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
    dk_map_init(&refs->contracts.lists, sizeof(struct dk_refs_list), LISTS_MAX);
}

static void forget_lists(struct dk_refs_timeline *timeline)
{
    size_t cursor = 0;
    uint64_t key;
    void *list;
    while (dk_map_next(&timeline->lists, &cursor, &key, &list))
        free(((struct dk_refs_list *)list)->version);
    dk_map_clear(&timeline->lists);
}

static void forget_timeline(struct dk_refs_timeline *timeline)
{
    forget_lists(timeline);
    free(timeline->from);
    timeline->from = NULL;
    timeline->count = 0;
}

void dk_refs_lists_close(struct dk_refs *refs)
{
    forget_timeline(&refs->policies);
    forget_timeline(&refs->rules);
    forget_timeline(&refs->contracts);
    dk_map_close(&refs->policies.lists);
    dk_map_close(&refs->rules.lists);
    dk_map_close(&refs->contracts.lists);
    free(refs->publications.version);
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
    forget_timeline(timeline);
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

static bool is_with_supplier(const ProtobufCMessage *body, uint32_t unused)
{
    (void)unused;
    return ((const Docket__ContractDefined *)(const void *)body)->supplier != 0;
}

/* What stands in a list, and in which order (NULL: by id). */
struct choice {
    unsigned cls;
    bool (*selects)(const ProtobufCMessage *body, uint32_t selector);
    int (*compare)(const void *a, const void *b);
};

/* A list of one selector (a policy type, a kind): what is in force at `rules_us`, or has been
 * published to open tickets since, until `at_us`. */
struct wanted {
    const struct choice *choice;
    uint32_t selector;
    int64_t rules_us, at_us;
};

static void make_list(const struct dk_refs *refs, const struct wanted *wanted,
                      struct dk_refs_list *list)
{
    const struct dk_refs_class *index = dk_refs_class(refs, wanted->choice->cls);
    for (size_t i = 0; i < index->count; i++) {
        const struct dk_refs_version *version =
            dk_refs_held(refs, index->subject[i], wanted->rules_us, wanted->at_us);
        if (version == NULL || !wanted->choice->selects(version->body, wanted->selector))
            continue;
        list->version =
            dk_refs_grow(list->version, list->count, &list->capacity, sizeof *list->version);
        list->version[list->count++] = version;
    }
    if (wanted->choice->compare != NULL && list->count > 1)
        qsort(list->version, list->count, sizeof *list->version, wanted->choice->compare);
    list->made = true;
}

/* A list's key: selector (a kind at the most), publications, stretch. */
#define SELECTOR_BITS  11
#define PUBLISHED_BITS 26
#define STRETCH_BITS   27
_Static_assert(DK_KIND_MAX < 1 << SELECTOR_BITS, "a selector holds every kind");
_Static_assert(SELECTOR_BITS + PUBLISHED_BITS + STRETCH_BITS == 64, "a key is 64 bits");

static uint64_t list_key(uint32_t selector, size_t published, size_t stretch)
{
    DK_ASSERT(selector < 1 << SELECTOR_BITS && published < 1 << PUBLISHED_BITS &&
              stretch < 1 << STRETCH_BITS);
    return (uint64_t)selector << (PUBLISHED_BITS + STRETCH_BITS) |
           (uint64_t)published << STRETCH_BITS | stretch;
}

/* What is in force at the beginning of a stretch is so until its end; `published` counts the
 * publications that have come to it (0: none after the rules'). */
static const struct dk_refs_version *const *list_of(const struct dk_refs *refs,
                                                    struct dk_refs_timeline *timeline,
                                                    const struct wanted *wanted, size_t published,
                                                    size_t *count)
{
    draw_timeline(refs, timeline, wanted->choice->cls);
    size_t stretch = stretch_at(timeline, wanted->rules_us);
    uint64_t key = list_key(wanted->selector, published, stretch);
    *count = 0;
    if (stretch == 0 && published == 0)
        return NULL;
    if (timeline->lists.count == LISTS_MAX)
        forget_lists(timeline);
    struct dk_refs_list *list = dk_map_put(&timeline->lists, key, NULL);
    DK_ASSERT(list != NULL);
    if (!list->made)
        make_list(refs, wanted, list);
    *count = list->count;
    return list->version;
}

static const struct choice policies = {DK_SUBJECT_POLICY, is_of_type, compare_orders};

const struct dk_refs_version *const *dk_refs_policies(struct dk_refs *refs, Docket__PolicyType type,
                                                      int64_t at_us, size_t *count)
{
    const struct wanted wanted = {&policies, (uint32_t)type, at_us, at_us};
    return list_of(refs, &refs->policies, &wanted, 0, count);
}

const struct dk_refs_version *const *dk_refs_rules(struct dk_refs *refs, uint32_t kind,
                                                   int64_t at_us, size_t *count)
{
    static const struct choice rules = {DK_SUBJECT_RULE, listens_to, NULL};
    const struct wanted wanted = {&rules, kind, at_us, at_us};
    return list_of(refs, &refs->rules, &wanted, 0, count);
}

const struct dk_refs_version *dk_refs_supplier_contract(struct dk_refs *refs, uint64_t supplier,
                                                        int64_t at_us)
{
    static const struct choice contracts = {DK_SUBJECT_CONTRACT, is_with_supplier, NULL};
    const struct wanted wanted = {&contracts, 0, at_us, at_us};
    size_t count;
    const struct dk_refs_version *const *list = list_of(refs, &refs->contracts, &wanted, 0, &count);
    for (size_t i = 0; i < count && supplier != 0; i++) {
        if (((const Docket__ContractDefined *)(const void *)list[i]->body)->supplier == supplier)
            return list[i];
    }
    return NULL;
}

/* ---------------------------------------------------------------- publications (S7) */

static int compare_versions(const void *a, const void *b)
{
    const struct dk_refs_version *left = *(const struct dk_refs_version *const *)a;
    const struct dk_refs_version *right = *(const struct dk_refs_version *const *)b;
    if (left->effective_us != right->effective_us)
        return left->effective_us < right->effective_us ? -1 : 1;
    return (left->position > right->position) - (left->position < right->position);
}

static const struct dk_refs_publications *publications(struct dk_refs *refs)
{
    struct dk_refs_publications *made = &refs->publications;
    const struct dk_refs_class *index = dk_refs_class(refs, DK_SUBJECT_POLICY);
    if (made->changes == index->changes)
        return made;
    size_t capacity = 0;
    free(made->version);
    *made = (struct dk_refs_publications){.changes = index->changes};
    for (size_t i = 0; i < index->count; i++) {
        const struct dk_refs_entity *entity = dk_map_get(&refs->published, index->subject[i]);
        for (uint32_t v = 0; entity != NULL && v < entity->count; v++) {
            made->version =
                dk_refs_grow(made->version, made->count, &capacity, sizeof *made->version);
            made->version[made->count++] = entity->version[v];
        }
    }
    if (made->count > 1)
        qsort(made->version, made->count, sizeof *made->version, compare_versions);
    return made;
}

/* How many of them have come by `at`. */
static size_t published_by(const struct dk_refs_publications *all, int64_t at_us)
{
    size_t low = 0;
    size_t high = all->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (all->version[middle]->effective_us <= at_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct dk_refs_version *const *dk_refs_policies_held(struct dk_refs *refs,
                                                           Docket__PolicyType type,
                                                           int64_t rules_us, int64_t at_us,
                                                           size_t *count)
{
    const struct dk_refs_publications *all = publications(refs);
    const struct wanted wanted = {&policies, (uint32_t)type, rules_us,
                                  at_us > rules_us ? at_us : rules_us};
    size_t published = published_by(all, wanted.at_us);
    if (published == published_by(all, rules_us))
        published = 0; /* as everybody who goes by these rules */
    return list_of(refs, &refs->policies, &wanted, published, count);
}

const struct dk_refs_version *dk_refs_next_publication(struct dk_refs *refs, int64_t at_us)
{
    const struct dk_refs_publications *all = publications(refs);
    size_t next = published_by(all, at_us);
    return next < all->count ? all->version[next] : NULL;
}
