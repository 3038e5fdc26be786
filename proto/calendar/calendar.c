#include "proto/calendar/calendar.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* The day, since 1970, of a year's 1 January. */
#define NEW_YEAR(year)                                                                             \
    (365 * ((year)-1970) + ((year)-1969) / 4 - ((year)-1901) / 100 + ((year)-1601) / 400)
#define DAY_S      86400
#define FIRST_DAY  NEW_YEAR(DK_CALENDAR_FROM_YEAR)
#define END_DAY    NEW_YEAR(DK_CALENDAR_TO_YEAR) /* the first beyond the range */
#define RANGE_DAYS (END_DAY - FIRST_DAY)
#define RANGE_S    (RANGE_DAYS * INT64_C(86400))
#define BEGIN_US   (FIRST_DAY * DK_DAY_US)
#define END_US     (END_DAY * DK_DAY_US)
#define SHIFT_FROM 16 /* 2^16 s are 18 hours */

_Static_assert(RANGE_S <= UINT32_MAX, "an instant of the range fits 32 bits of seconds");

/* One interval of W, in seconds after the range's begin. It ends when as much has been worked as
 * before the next one begins. */
struct span {
    uint32_t from_s;
    uint32_t before_s; /* worked before it */
};

/* W in order; edges are whole seconds, so eight bytes an interval do. span[0] begins with the
 * range, with no length if that is closed: so every instant has a span at or before it, which is
 * the one sought. span[count] stands at the range's end with all that is worked.
 *
 * Spans are looked up by either member. Its values are cut into slots of 2^shift seconds, at most
 * twice as many as there are spans; slot[k] is the last span at or before slot k's begin. A look-up
 * searches between two neighbours, by as many halvings as the fullest slot needs: the same number
 * every time, and without a branch on what is compared, so that nothing is mispredicted. */
struct index {
    uint32_t shift;
    uint32_t halvings;
    const uint32_t *slot;
};

struct dk_calendar {
    uint32_t count;
    const struct span *span;
    struct index by_time, by_work;
};

static int check_plan(const struct dk_day_plan *plan, const char *day, struct dk_err *err)
{
    int32_t free_from_s = 0;
    if (plan->count < 0 || plan->count > DK_CALENDAR_DAY_INTERVALS)
        return dk_err_set(err, DK_EINVAL, "%s: a day has at most %d intervals", day,
                          DK_CALENDAR_DAY_INTERVALS);
    for (int i = 0; i < plan->count; i++) {
        const struct dk_day_interval *v = &plan->interval[i];
        if (v->from_s < 0 || v->from_s >= DAY_S || v->to_s <= v->from_s ||
            v->to_s - v->from_s > DAY_S)
            return dk_err_set(err, DK_EINVAL,
                              "%s: an interval begins on its day and lasts from 1 second to 24 "
                              "hours",
                              day);
        if (v->from_s < free_from_s)
            return dk_err_set(err, DK_EINVAL, "%s: the intervals overlap or are out of order", day);
        free_from_s = v->to_s;
    }
    return 0;
}

static int check_exceptions(const struct dk_calendar_def *def, struct dk_err *err)
{
    int code = 0;
    if (def->exception_count > DK_CALENDAR_MAX_EXCEPTIONS)
        return dk_err_set(err, DK_EINVAL, "a calendar has at most %d exceptions",
                          DK_CALENDAR_MAX_EXCEPTIONS);
    for (size_t i = 0; code == 0 && i < def->exception_count; i++) {
        int year, month, day;
        char text[DK_TIME_TEXT_BYTES];
        dk_date_of_days(def->exception[i].day, &year, &month, &day);
        (void)snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, day);
        code = check_plan(&def->exception[i].plan, text, err);
        if (code == 0 && i > 0 && def->exception[i].day <= def->exception[i - 1].day)
            code =
                dk_err_set(err, DK_EINVAL,
                           "the exception of %s is out of order, or not the day's only one", text);
    }
    return code;
}

static int check_def(const struct dk_calendar_def *def, struct dk_err *err)
{
    static const char *const weekdays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                           "Friday", "Saturday", "Sunday"};
    int code = 0;
    for (int i = 0; code == 0 && i < 7; i++)
        code = check_plan(&def->weekday[i], weekdays[i], err);
    return code != 0 ? code : check_exceptions(def, err);
}

/* The intervals as they are laid out, one behind the other. */
struct layout {
    struct span *span;
    uint32_t count;
    int64_t end_s; /* of the last span */
    int64_t worked_s;
};

/* Adds [from, to), cut to the range; joins what touches or overlaps the one before. Openings come
 * in order, as the civil times do. */
static void add_interval(struct layout *layout, int64_t from_s, int64_t to_s)
{
    from_s = from_s < layout->end_s ? layout->end_s : from_s;
    to_s = to_s > RANGE_S ? RANGE_S : to_s;
    if (from_s >= to_s)
        return; /* swallowed by a gap, or outside */
    if (from_s > layout->end_s)
        layout->span[layout->count++] = (struct span){(uint32_t)from_s, (uint32_t)layout->worked_s};
    layout->worked_s += to_s - from_s;
    layout->end_s = to_s;
}

/* A local day's edge, in seconds after the range's begin. */
static int64_t edge_s(const struct dk_zone *zone, int64_t day, int32_t at_s, enum dk_fold fold)
{
    struct dk_civil civil;
    dk_civil_of_us(day * DK_DAY_US + at_s * DK_SECOND_US, &civil);
    return (dk_zone_to_us(zone, &civil, fold) - BEGIN_US) / DK_SECOND_US;
}

static void lay_out(struct layout *layout, const struct dk_calendar_def *def,
                    const struct dk_zone *zone)
{
    size_t next = 0;
    /* Local days before and after reach into the range's first and last UTC day. */
    for (int64_t day = FIRST_DAY - 2; day <= END_DAY; day++) {
        while (next < def->exception_count && def->exception[next].day < day)
            next++;
        bool excepted = next < def->exception_count && def->exception[next].day == day;
        const struct dk_day_plan *plan =
            excepted ? &def->exception[next].plan : &def->weekday[dk_weekday_of_days(day)];
        for (int i = 0; i < plan->count; i++)
            add_interval(layout, edge_s(zone, day, plan->interval[i].from_s, DK_FOLD_FIRST),
                         edge_s(zone, day, plan->interval[i].to_s, DK_FOLD_SECOND));
    }
    layout->span[layout->count] = (struct span){(uint32_t)RANGE_S, (uint32_t)layout->worked_s};
}

static size_t spans_at_most(const struct dk_calendar_def *def)
{
    size_t most = 0, all = 2; /* the first and the one at the end */
    for (int i = 0; i < 7; i++) {
        size_t count = (size_t)def->weekday[i].count;
        most = count > most ? count : most;
    }
    for (size_t i = 0; i < def->exception_count; i++)
        all += (size_t)def->exception[i].plan.count;
    return all + most * (RANGE_DAYS + 3);
}

static uint32_t from_of(const struct span *span)
{
    return span->from_s;
}

static uint32_t before_of(const struct span *span)
{
    return span->before_s;
}

/* By the member that `value_of` gives, whose values go up to `range_s`. */
static int make_index(struct index *index, const struct dk_calendar *c, int64_t range_s,
                      uint32_t (*value_of)(const struct span *span), struct dk_err *err)
{
    index->shift = SHIFT_FROM;
    while (range_s >> index->shift > 2 * (int64_t)c->count)
        index->shift++;
    size_t slots = (size_t)(range_s >> index->shift) + 2; /* the last value's slot, and its end */
    uint32_t *slot = malloc(slots * sizeof *slot);
    if (slot == NULL)
        return dk_err_set(err, DK_ENOMEM, "no memory for a calendar");
    uint32_t span = 0, fullest = 0;
    for (size_t k = 0; k < slots; k++) {
        while (span + 1 < c->count && value_of(&c->span[span + 1]) <= (uint64_t)k << index->shift)
            span++;
        slot[k] = span;
        fullest = k > 0 && span - slot[k - 1] > fullest ? span - slot[k - 1] : fullest;
    }
    for (index->halvings = 0; fullest > 0; index->halvings++)
        fullest /= 2;
    index->slot = slot;
    return 0;
}

static int compile(struct dk_calendar *c, const struct dk_calendar_def *def,
                   const struct dk_zone *zone, struct dk_err *err)
{
    struct layout layout = {.count = 1};
    c->span = layout.span = calloc(spans_at_most(def), sizeof *layout.span);
    if (layout.span == NULL)
        return dk_err_set(err, DK_ENOMEM, "no memory for a calendar");
    lay_out(&layout, def, zone);
    if (layout.worked_s == 0)
        return dk_err_set(err, DK_EINVAL, "the calendar has no working time at all");
    c->count = layout.count;
    struct span *trimmed = realloc(layout.span, (layout.count + 1) * sizeof *trimmed);
    c->span = trimmed != NULL ? trimmed : layout.span;
    int code = make_index(&c->by_time, c, RANGE_S, from_of, err);
    return code != 0 ? code : make_index(&c->by_work, c, layout.worked_s, before_of, err);
}

int dk_calendar_new(struct dk_calendar **calendar, const struct dk_calendar_def *def,
                    struct dk_err *err)
{
    struct dk_zone *zone = NULL;
    *calendar = NULL;
    int code = check_def(def, err);
    if (code == 0)
        code = dk_zone_load(&zone, def->zone, err);
    if (code != 0)
        return code;
    *calendar = calloc(1, sizeof **calendar);
    code = *calendar == NULL ? dk_err_set(err, DK_ENOMEM, "no memory for a calendar")
                             : compile(*calendar, def, zone, err);
    dk_zone_free(&zone);
    if (code != 0)
        dk_calendar_free(calendar);
    return code;
}

void dk_calendar_free(struct dk_calendar **calendar)
{
    struct dk_calendar *c = *calendar;
    if (c != NULL) {
        free((void *)c->span);
        free((void *)c->by_time.slot);
        free((void *)c->by_work.slot);
        free(c);
        *calendar = NULL;
    }
}

const struct dk_calendar *dk_calendar_always(void)
{
    static const struct span span[] = {{0, 0}, {(uint32_t)RANGE_S, (uint32_t)RANGE_S}};
    static const uint32_t slot[] = {0, 0, 0};
    static const struct dk_calendar always = {1, span, {31, 0, slot}, {31, 0, slot}};
    return &always;
}

static bool inside(int64_t at_us)
{
    return at_us >= BEGIN_US && at_us < END_US;
}

/* The last span whose value is at most `value_s`. */
static inline uint32_t find(const struct dk_calendar *c, const struct index *index,
                            uint32_t (*value_of)(const struct span *span), uint32_t value_s)
{
    uint32_t low = index->slot[value_s >> index->shift];
    uint32_t left = index->slot[(value_s >> index->shift) + 1] - low;
    for (uint32_t n = index->halvings; n > 0; n--) {
        uint32_t half = (left + 1) / 2;
        low += value_of(&c->span[low + half]) <= value_s ? half : 0;
        left -= half;
    }
    return low;
}

/* The last span that begins at or before an instant of the range. */
static uint32_t span_at(const struct dk_calendar *c, int64_t at_us)
{
    return find(c, &c->by_time, from_of, (uint32_t)((at_us - BEGIN_US) / DK_SECOND_US));
}

/* The span by whose end `target_us`, more than nothing and no more than all, is worked. */
static uint32_t span_reaching(const struct dk_calendar *c, int64_t target_us)
{
    return find(c, &c->by_work, before_of, (uint32_t)((target_us - 1) / DK_SECOND_US));
}

static int64_t from_us(const struct dk_calendar *c, uint32_t i)
{
    return BEGIN_US + c->span[i].from_s * DK_SECOND_US;
}

static int64_t to_us(const struct dk_calendar *c, uint32_t i)
{
    return from_us(c, i) + (c->span[i + 1].before_s - c->span[i].before_s) * DK_SECOND_US;
}

/* |[begin of the range, at) & W|, for an instant in or after span i and before the next. */
static int64_t worked_us(const struct dk_calendar *c, uint32_t i, int64_t at_us)
{
    int64_t end_us = to_us(c, i);
    return c->span[i].before_s * DK_SECOND_US + (at_us < end_us ? at_us : end_us) - from_us(c, i);
}

int64_t dk_calendar_biz_us(const struct dk_calendar *calendar, int64_t a_us, int64_t b_us)
{
    if (!inside(a_us) || !inside(b_us))
        return INT64_MIN;
    return worked_us(calendar, span_at(calendar, b_us), b_us) -
           worked_us(calendar, span_at(calendar, a_us), a_us);
}

int64_t dk_calendar_due_us(const struct dk_calendar *calendar, int64_t a_us, int64_t d_us)
{
    if (d_us <= 0)
        return a_us;
    if (!inside(a_us))
        return INT64_MAX;
    uint32_t i = span_at(calendar, a_us);
    int64_t worked = worked_us(calendar, i, a_us);
    if (d_us > calendar->span[calendar->count].before_s * DK_SECOND_US - worked)
        return INT64_MAX;
    int64_t target_us = worked + d_us;
    i = span_reaching(calendar, target_us);
    return from_us(calendar, i) + target_us - calendar->span[i].before_s * DK_SECOND_US;
}

int dk_calendar_open(const struct dk_calendar *calendar, int64_t at_us)
{
    return inside(at_us) && at_us < to_us(calendar, span_at(calendar, at_us));
}

int64_t dk_calendar_next_edge_us(const struct dk_calendar *calendar, int64_t at_us)
{
    if (!inside(at_us))
        return INT64_MAX;
    uint32_t i = span_at(calendar, at_us);
    int64_t edge_us = to_us(calendar, i);
    edge_us = at_us < edge_us ? edge_us : from_us(calendar, i + 1);
    return edge_us < END_US ? edge_us : INT64_MAX;
}
