#include "proto/refs/refs_internal.h"
#include <stdlib.h>

#define CALENDARS_MAX ((size_t)1 << 20)
#define DAY_S         86400

void dk_refs_calendars_init(struct dk_refs *refs)
{
    dk_map_init(&refs->calendars, sizeof(struct dk_refs_compiled), CALENDARS_MAX);
}

void dk_refs_calendars_close(struct dk_refs *refs)
{
    size_t cursor = 0;
    uint64_t version;
    void *value;
    while (dk_map_next(&refs->calendars, &cursor, &version, &value)) {
        struct dk_refs_compiled *compiled = value;
        dk_calendar_free(&compiled->calendar);
        dk_zone_free(&compiled->zone);
    }
    dk_map_close(&refs->calendars);
    free(refs->rota.entry);
}

static int make_plan(struct dk_day_plan *plan, Docket__DayInterval *const *interval, size_t count,
                     struct dk_err *err)
{
    if (count > DK_CALENDAR_DAY_INTERVALS)
        return dk_err_set(err, DK_EINVAL, "a day of %zu intervals; at most %d fit", count,
                          DK_CALENDAR_DAY_INTERVALS);
    plan->count = (int)count;
    for (size_t i = 0; i < count; i++) {
        if (interval[i]->to_s > 2 * DAY_S)
            return dk_err_set(err, DK_EINVAL, "an interval ends more than a day after its day");
        plan->interval[i].from_s = (int32_t)interval[i]->from_s;
        plan->interval[i].to_s = (int32_t)interval[i]->to_s;
    }
    return 0;
}

static int make_week(struct dk_calendar_def *def, const Docket__CalendarDefined *body,
                     struct dk_err *err)
{
    unsigned seen = 0;
    for (size_t i = 0; i < body->n_weekday; i++) {
        const Docket__WeekdayPlan *day = body->weekday[i];
        if (day->weekday > 6 || (seen & (1u << day->weekday)) != 0)
            return dk_err_set(err, DK_EINVAL, "weekday %u is none, or stands twice", day->weekday);
        seen |= 1u << day->weekday;
        int code = make_plan(&def->weekday[day->weekday], day->interval, day->n_interval, err);
        if (code != 0)
            return code;
    }
    return 0;
}

static int compare_days(const void *a, const void *b)
{
    int32_t left = ((const struct dk_calendar_exception *)a)->day;
    int32_t right = ((const struct dk_calendar_exception *)b)->day;
    return (left > right) - (left < right);
}

static int make_exceptions(struct dk_calendar_exception *exception,
                           const Docket__CalendarDefined *body, struct dk_err *err)
{
    for (size_t i = 0; i < body->n_exception; i++) {
        const Docket__ExceptionPlan *day = body->exception[i];
        exception[i].day = day->day;
        int code = make_plan(&exception[i].plan, day->interval, day->n_interval, err);
        if (code != 0)
            return code;
    }
    qsort(exception, body->n_exception, sizeof *exception, compare_days);
    for (size_t i = 1; i < body->n_exception; i++) {
        if (exception[i].day == exception[i - 1].day)
            return dk_err_set(err, DK_EINVAL, "an exception's day stands twice");
    }
    return 0;
}

int dk_refs_calendar_compile(struct dk_calendar **calendar, const Docket__CalendarDefined *body,
                             struct dk_err *err)
{
    char zone[DK_KEY_MAX_BYTES + 1];
    if (body->zone.len >= sizeof zone)
        return dk_err_set(err, DK_ENOTFOUND, "no time zone has so long a name");
    memcpy(zone, body->zone.data, body->zone.len);
    zone[body->zone.len] = '\0';
    if (body->n_exception > DK_CALENDAR_MAX_EXCEPTIONS)
        return dk_err_set(err, DK_EINVAL, "%zu exceptions; at most %d fit", body->n_exception,
                          DK_CALENDAR_MAX_EXCEPTIONS);
    struct dk_calendar_exception *exception = calloc(body->n_exception + 1, sizeof *exception);
    if (exception == NULL)
        return dk_err_set(err, DK_ENOMEM, "no memory for %zu exceptions", body->n_exception);
    struct dk_calendar_def def = {
        .zone = zone, .exception = exception, .exception_count = body->n_exception};
    int code = make_week(&def, body, err);
    if (code == 0)
        code = make_exceptions(exception, body, err);
    if (code == 0)
        code = dk_calendar_new(calendar, &def, err);
    free(exception);
    return code;
}

/* A version's compiled form. One that does not compile is not tried again. */
static void compile(struct dk_refs *refs, const struct dk_refs_version *version,
                    struct dk_refs_compiled *out)
{
    struct dk_refs_compiled *kept =
        dk_map_put(&refs->calendars, (uint64_t)(uintptr_t)version, NULL);
    DK_ASSERT(kept != NULL);
    if (!kept->tried) {
        const Docket__CalendarDefined *body = (const void *)version->body;
        char zone[DK_KEY_MAX_BYTES + 1] = "";
        kept->tried = true;
        if (dk_refs_calendar_compile(&kept->calendar, body, NULL) == 0) {
            memcpy(zone, body->zone.data, body->zone.len);
            DK_ASSERT(dk_zone_load(&kept->zone, zone, NULL) == 0);
        }
    }
    *out = *kept;
}

static const struct dk_refs_version *calendar_held(struct dk_refs *refs, uint64_t calendar,
                                                   int64_t rules_us, int64_t at_us,
                                                   struct dk_refs_compiled *compiled)
{
    *compiled = (struct dk_refs_compiled){0};
    if (dk_id_class(calendar) != DK_SUBJECT_CALENDAR)
        return NULL;
    const struct dk_refs_version *version = dk_refs_held(refs, calendar, rules_us, at_us);
    if (version == NULL)
        return NULL;
    compile(refs, version, compiled);
    return compiled->calendar != NULL ? version : NULL;
}

const struct dk_calendar *dk_refs_calendar(struct dk_refs *refs, uint64_t calendar, int64_t at_us,
                                           uint32_t *version)
{
    return dk_refs_calendar_held(refs, calendar, at_us, at_us, version);
}

const struct dk_calendar *dk_refs_calendar_held(struct dk_refs *refs, uint64_t calendar,
                                                int64_t rules_us, int64_t at_us, uint32_t *version)
{
    struct dk_refs_compiled compiled;
    const struct dk_refs_version *found = calendar_held(refs, calendar, rules_us, at_us, &compiled);
    if (found != NULL && version != NULL)
        *version = found->version;
    return compiled.calendar;
}

const Docket__CalendarDefined *dk_refs_compiled(struct dk_refs *refs, uint64_t calendar,
                                                int64_t at_us, struct dk_refs_compiled *compiled)
{
    const struct dk_refs_version *found = calendar_held(refs, calendar, at_us, at_us, compiled);
    return found != NULL ? (const void *)found->body : NULL;
}
