/* Shifts: nobody works two at once. */
#include "replay/reference/set.h"

#define HORIZON_US (366 * DK_DAY_US) /* calendars repeat within a year, but for moved days */
#define SHIFTS_MAX 1000

struct shifts {
    uint64_t subject[SHIFTS_MAX];
    const Docket__ShiftDefined *body[SHIFTS_MAX];
    size_t count;
};

/* On call is no work until somebody calls. */
static int add_shift(void *arg, const struct dk_refs_version *version)
{
    struct shifts *shifts = arg;
    const Docket__ShiftDefined *body = (const void *)version->body;
    if (body->on_call)
        return 0;
    if (shifts->count == SHIFTS_MAX)
        return 1;
    shifts->subject[shifts->count] = version->subject;
    shifts->body[shifts->count++] = body;
    return 0;
}

/* An agent of both, or 0. */
static uint64_t shared_agent(const Docket__ShiftDefined *a, const Docket__ShiftDefined *b)
{
    for (size_t i = 0; i < a->n_agent; i++) {
        for (size_t k = 0; k < b->n_agent; k++) {
            if (a->agent[i] == b->agent[k])
                return a->agent[i];
        }
    }
    return 0;
}

/* The first instant of the coming year at which both work, or INT64_MAX. */
static int64_t overlap_us(struct dk_reference *set, uint64_t a, uint64_t b)
{
    int64_t at_us = set->now_us;
    while (at_us < set->now_us + HORIZON_US) {
        if (dk_refs_shift_open(set->after, a, at_us) && dk_refs_shift_open(set->after, b, at_us))
            return at_us;
        int64_t edge_a_us = dk_refs_shift_edge_us(set->after, a, at_us);
        int64_t edge_b_us = dk_refs_shift_edge_us(set->after, b, at_us);
        at_us = edge_a_us < edge_b_us ? edge_a_us : edge_b_us;
    }
    return INT64_MAX;
}

static void check_pair(struct dk_reference *set, const struct shifts *shifts, size_t a, size_t b)
{
    const struct dk_reference_entity *entity = dk_reference_find(set, shifts->subject[a]);
    uint64_t agent = shared_agent(shifts->body[a], shifts->body[b]);
    int64_t at_us =
        agent != 0 ? overlap_us(set, shifts->subject[a], shifts->subject[b]) : INT64_MAX;
    if (at_us == INT64_MAX)
        return;
    char name[DK_NAME_BYTES];
    char time[DK_TIME_TEXT_BYTES];
    const ProtobufCBinaryData *other = &shifts->body[b]->definition->key;
    dk_reference_problem_at(
        set, entity->file, dk_reference_node_of(entity, "agents"),
        "%s would work shifts \"%s\" and \"%.*s\" at once, at %s: let one end before the other "
        "begins",
        dk_refs_name(set->after, agent, name), entity->key, (int)other->len,
        (const char *)other->data, dk_time_format(at_us, 0, time));
}

static void check_dates(struct dk_reference *set, const struct dk_reference_entity *entity)
{
    const Docket__ShiftDefined *shift = (const void *)entity->body;
    if (shift->has_from_day && shift->has_to_day && shift->from_day >= shift->to_day)
        dk_reference_problem_at(set, entity->file, dk_reference_node_of(entity, "to"),
                                "shift \"%s\" ends before it begins: \"to\" is its last day",
                                entity->key);
}

void dk_reference_check_shifts(struct dk_reference *set)
{
    struct shifts *shifts = dk_reference_alloc(set, sizeof *shifts);
    for (size_t i = 0; i < set->entity_count; i++) {
        if (set->entity[i].cls == DK_SUBJECT_SHIFT && !set->entity[i].removed)
            check_dates(set, &set->entity[i]);
    }
    dk_refs_each(set->after, DK_SUBJECT_SHIFT, set->now_us, add_shift, shifts);
    for (size_t a = 0; a < shifts->count; a++) {
        for (size_t b = 0; b < shifts->count; b++) {
            bool once = b < a || dk_reference_find(set, shifts->subject[b]) == NULL;
            if (a != b && once && dk_reference_find(set, shifts->subject[a]) != NULL)
                check_pair(set, shifts, a, b);
        }
    }
}
