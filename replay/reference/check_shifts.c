/* Shifts: nobody works two at once. */
#include "replay/reference/set.h"

#include <stdlib.h>

#define HORIZON_US (366 * DK_DAY_US) /* calendars repeat within a year, but for moved days */

/* An agent of a shift. */
struct entry {
    uint64_t agent, shift;
};

struct rota {
    struct dk_reference *set;
    struct entry *entry;
    size_t count, capacity;
};

/* On call is no work until somebody calls. */
static int add_shift(void *arg, const struct dk_refs_version *version)
{
    struct rota *rota = arg;
    const Docket__ShiftDefined *body = (const void *)version->body;
    for (size_t i = 0; i < body->n_agent && !body->on_call; i++) {
        if (rota->count == rota->capacity) {
            rota->capacity = rota->capacity == 0 ? 256 : 2 * rota->capacity;
            rota->entry = realloc(rota->entry, rota->capacity * sizeof *rota->entry);
            DK_ASSERT(rota->entry != NULL);
        }
        rota->entry[rota->count++] = (struct entry){body->agent[i], version->subject};
    }
    return 0;
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->agent != y->agent)
        return x->agent < y->agent ? -1 : 1;
    return (x->shift > y->shift) - (x->shift < y->shift);
}

static int64_t later(int64_t a_us, int64_t b_us)
{
    return a_us > b_us ? a_us : b_us;
}

/* About when a shift begins, from now on. */
static int64_t begin_us(const struct dk_reference *set, uint64_t shift)
{
    const Docket__ShiftDefined *body = dk_refs_shift(set->after, shift, set->now_us);
    return body->has_from_day ? later(set->now_us, body->from_day * DK_DAY_US) : set->now_us;
}

/* The first instant, within a year of when both have begun, at which both work, or INT64_MAX. */
static int64_t overlap_us(struct dk_reference *set, uint64_t a, uint64_t b)
{
    int64_t at_us = set->now_us, end_us = later(begin_us(set, a), begin_us(set, b)) + HORIZON_US;
    while (at_us < end_us) {
        if (dk_refs_shift_open(set->after, a, at_us) && dk_refs_shift_open(set->after, b, at_us))
            return at_us;
        int64_t edge_a_us = dk_refs_shift_edge_us(set->after, a, at_us);
        int64_t edge_b_us = dk_refs_shift_edge_us(set->after, b, at_us);
        at_us = edge_a_us < edge_b_us ? edge_a_us : edge_b_us;
    }
    return INT64_MAX;
}

/* Of the two the set's own is to blame, of two of them the first. */
static void check_pair(struct dk_reference *set, uint64_t agent, uint64_t a, uint64_t b)
{
    const struct dk_reference_entity *entity = dk_reference_find(set, a);
    uint64_t other = b;
    if (entity == NULL ||
        (dk_reference_find(set, b) != NULL && dk_reference_find(set, b) < entity)) {
        entity = dk_reference_find(set, b);
        other = a;
    }
    int64_t at_us = overlap_us(set, a, b);
    if (at_us == INT64_MAX)
        return;
    char name[DK_NAME_BYTES];
    char time[DK_TIME_TEXT_BYTES];
    const ProtobufCBinaryData *key =
        &dk_refs_shift(set->after, other, set->now_us)->definition->key;
    dk_reference_problem_at(
        set, entity->file, dk_reference_node_of(entity, "agents"),
        "%s would work shifts \"%s\" and \"%.*s\" at once, at %s: let one end before the other "
        "begins",
        dk_refs_name(set->after, agent, name), entity->key, (int)key->len, (const char *)key->data,
        dk_time_format(at_us, 0, time));
}

/* Each two shifts of the agent whose entries begin at `first`; `asked` holds those of others that
 * were looked at. */
static void check_agent(const struct rota *rota, size_t first, size_t end, struct dk_map *asked)
{
    for (size_t i = first; i < end; i++) {
        for (size_t k = first; k < i; k++) {
            const struct entry *a = &rota->entry[k], *b = &rota->entry[i];
            const uint64_t pair[2] = {a->shift, b->shift};
            bool new_one = false;
            if (dk_reference_find(rota->set, a->shift) == NULL &&
                dk_reference_find(rota->set, b->shift) == NULL)
                continue;
            DK_ASSERT(
                dk_map_put(asked,
                           dk_id_of_key(DK_SUBJECT_SHIFT, (const char *)pair, sizeof pair, NULL),
                           &new_one) != NULL);
            if (new_one)
                check_pair(rota->set, a->agent, a->shift, b->shift);
        }
    }
}

void dk_reference_check_shifts(struct dk_reference *set)
{
    struct rota rota = {.set = set};
    struct dk_map asked;
    dk_refs_each(set->after, DK_SUBJECT_SHIFT, set->now_us, add_shift, &rota);
    if (rota.count > 1)
        qsort(rota.entry, rota.count, sizeof *rota.entry, compare_entries);
    dk_map_init(&asked, 1, (size_t)1 << 24);
    for (size_t first = 0, end = 0; first < rota.count; first = end) {
        while (end < rota.count && rota.entry[end].agent == rota.entry[first].agent)
            end++;
        check_agent(&rota, first, end, &asked);
    }
    dk_map_close(&asked);
    free(rota.entry);
}
