#include "proto/base/time.h"
#include "proto/refs/refs_internal.h"
#include <stdlib.h>

#define DAY_S 86400

static int compare_entries(const void *a, const void *b)
{
    const struct dk_refs_rota_entry *left = a;
    const struct dk_refs_rota_entry *right = b;
    if (left->agent != right->agent)
        return (left->agent > right->agent) - (left->agent < right->agent);
    if (left->shift != right->shift)
        return (left->shift > right->shift) - (left->shift < right->shift);
    return (left->version->version > right->version->version) -
           (left->version->version < right->version->version);
}

static size_t add_shift(const struct dk_refs_version *version, struct dk_refs_rota *rota,
                        size_t count, size_t *capacity)
{
    const Docket__ShiftDefined *body = (const void *)version->body;
    for (size_t i = 0; i < body->n_agent; i++) {
        rota->entry = dk_refs_grow(rota->entry, count, capacity, sizeof *rota->entry);
        rota->entry[count++] =
            (struct dk_refs_rota_entry){body->agent[i], version->subject, version};
    }
    return count;
}

/* Who is on which shift by which version. */
static void draw_rota(struct dk_refs *refs)
{
    struct dk_refs_rota *rota = &refs->rota;
    const struct dk_refs_class *index = dk_refs_class(refs, DK_SUBJECT_SHIFT);
    if (rota->changes == index->changes)
        return;
    free(rota->entry);
    *rota = (struct dk_refs_rota){.changes = index->changes};
    size_t count = 0;
    size_t capacity = 0;
    for (size_t i = 0; i < index->count; i++) {
        const struct dk_refs_entity *entity = dk_refs_entity(refs, index->subject[i]);
        for (uint32_t v = 0; v < entity->count; v++)
            count = add_shift(entity->version[v], rota, count, &capacity);
    }
    if (count > 1)
        qsort(rota->entry, count, sizeof *rota->entry, compare_entries);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || compare_entries(&rota->entry[i], &rota->entry[i - 1]) != 0)
            rota->entry[rota->count++] = rota->entry[i];
    }
}

/* The agent's first entry on the rota; the others follow. */
static size_t first_entry(const struct dk_refs_rota *rota, uint64_t agent)
{
    size_t low = 0;
    size_t high = rota->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rota->entry[middle].agent < agent)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct intervals {
    Docket__DayInterval *const *interval;
    size_t count;
};

static struct intervals plan_of_day(const Docket__CalendarDefined *body, int32_t day)
{
    for (size_t i = 0; i < body->n_exception; i++) {
        if (body->exception[i]->day == day)
            return (struct intervals){body->exception[i]->interval, body->exception[i]->n_interval};
    }
    for (size_t i = 0; i < body->n_weekday; i++) {
        if (body->weekday[i]->weekday == (uint32_t)dk_weekday_of_days(day))
            return (struct intervals){body->weekday[i]->interval, body->weekday[i]->n_interval};
    }
    return (struct intervals){NULL, 0};
}

/* How long after midnight the work that began on the day before goes on. */
static uint32_t night_before_s(const Docket__CalendarDefined *body, int32_t day)
{
    struct intervals before = plan_of_day(body, day - 1);
    uint32_t until_s = 0;
    for (size_t i = 0; i < before.count; i++) {
        uint32_t to_s = before.interval[i]->to_s;
        if (to_s > DAY_S && to_s - DAY_S > until_s)
            until_s = to_s - DAY_S;
    }
    return until_s;
}

static int64_t instant_of(const struct dk_zone *zone, int32_t day, uint32_t second)
{
    struct dk_civil civil;
    dk_civil_of_us((int64_t)day * DK_DAY_US + (int64_t)second * DK_SECOND_US, &civil);
    return dk_zone_to_us(zone, &civil, DK_FOLD_FIRST);
}

struct span {
    int64_t from_us;
    int64_t to_us; /* exclusive */
};

/* From the first day's own work on, until the last day's own work is over. */
static struct span span_of(const Docket__ShiftDefined *shift, const Docket__CalendarDefined *body,
                           const struct dk_zone *zone)
{
    struct span span = {INT64_MIN, INT64_MAX};
    if (shift->has_from_day) {
        uint32_t second = night_before_s(body, shift->from_day);
        struct intervals own = plan_of_day(body, shift->from_day);
        for (size_t i = 0; i < own.count; i++) {
            if (own.interval[i]->from_s < second)
                second = own.interval[i]->from_s;
        }
        span.from_us = instant_of(zone, shift->from_day, second);
    }
    if (shift->has_to_day)
        span.to_us = instant_of(zone, shift->to_day, night_before_s(body, shift->to_day));
    return span;
}

bool dk_refs_shift_open(struct dk_refs *refs, uint64_t subject, int64_t at_us)
{
    const Docket__ShiftDefined *shift = dk_refs_shift(refs, subject, at_us);
    if (shift == NULL)
        return false;
    struct dk_refs_compiled compiled;
    const Docket__CalendarDefined *body = dk_refs_compiled(refs, shift->calendar, at_us, &compiled);
    if (body == NULL || !dk_calendar_open(compiled.calendar, at_us))
        return false;
    struct span span = span_of(shift, body, compiled.zone);
    return at_us >= span.from_us && at_us < span.to_us;
}

/* The agent's entries of one shift: from `first` up to what is returned. */
static size_t end_of_shift(const struct dk_refs_rota *rota, size_t first)
{
    size_t end = first;
    while (end < rota->count && rota->entry[end].agent == rota->entry[first].agent &&
           rota->entry[end].shift == rota->entry[first].shift)
        end++;
    return end;
}

bool dk_refs_on_shift(struct dk_refs *refs, uint64_t agent, int64_t at_us, bool on_call)
{
    draw_rota(refs);
    const struct dk_refs_rota *rota = &refs->rota;
    size_t end;
    for (size_t i = first_entry(rota, agent); i < rota->count && rota->entry[i].agent == agent;
         i = end) {
        const struct dk_refs_version *held = dk_refs_at(refs, rota->entry[i].shift, at_us);
        bool listed = false;
        end = end_of_shift(rota, i);
        for (size_t k = i; k < end && held != NULL; k++)
            listed |= rota->entry[k].version == held;
        if (listed &&
            (((const Docket__ShiftDefined *)(const void *)held->body)->on_call != 0) == on_call &&
            dk_refs_shift_open(refs, held->subject, at_us))
            return true;
    }
    return false;
}

static int64_t earlier(int64_t a_us, int64_t b_us)
{
    return a_us < b_us ? a_us : b_us;
}

int64_t dk_refs_shift_edge_us(struct dk_refs *refs, uint64_t subject, int64_t at_us)
{
    int64_t next_us = dk_refs_next_version_us(refs, subject, at_us);
    const Docket__ShiftDefined *shift = dk_refs_shift(refs, subject, at_us);
    if (shift == NULL)
        return next_us;
    next_us = earlier(next_us, dk_refs_next_version_us(refs, shift->calendar, at_us));
    struct dk_refs_compiled compiled;
    const Docket__CalendarDefined *body = dk_refs_compiled(refs, shift->calendar, at_us, &compiled);
    if (body == NULL)
        return next_us;
    struct span span = span_of(shift, body, compiled.zone);
    if (at_us < span.from_us)
        return earlier(next_us, span.from_us);
    if (at_us >= span.to_us)
        return next_us;
    next_us = earlier(next_us, dk_calendar_next_edge_us(compiled.calendar, at_us));
    return earlier(next_us, span.to_us);
}

int64_t dk_refs_next_shift_edge_us(struct dk_refs *refs, uint64_t agent, int64_t at_us)
{
    draw_rota(refs);
    const struct dk_refs_rota *rota = &refs->rota;
    int64_t next_us = INT64_MAX;
    for (size_t i = first_entry(rota, agent); i < rota->count && rota->entry[i].agent == agent;
         i = end_of_shift(rota, i))
        next_us = earlier(next_us, dk_refs_shift_edge_us(refs, rota->entry[i].shift, at_us));
    return next_us;
}
