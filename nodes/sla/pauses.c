#include "nodes/sla/pauses.h"
#include "nodes/runtime/answer.h"
#include "nodes/sla/explain.h"
#include "nodes/sla/sla.h"
#include "proto/calendar/zone.h"
#include <stdlib.h>
#include <string.h>

#define PAUSES_MAX ((size_t)100000) /* in one report */

struct found {
    struct dk_clock_pause pause;
    uint64_t ticket, actor;
    bool live;
};

struct report {
    struct dk_sla *self;
    int64_t from_us, to_us;
    uint64_t group; /* 0: any */
    struct found *found;
    size_t count, capacity, unknown;
    bool too_many;
};

/* ---------------------------------------------------------------- gathering */

static bool in_range(const struct report *report, int64_t at_us)
{
    return at_us >= report->from_us && at_us < report->to_us;
}

static void take(struct report *report, const struct found *found)
{
    if (!in_range(report, found->pause.from_us) ||
        (report->group != 0 && found->pause.group != report->group)) {
        return;
    }
    if (found->pause.why == DK_PAUSE_UNKNOWN) {
        report->unknown++;
        return;
    }
    if (report->count == PAUSES_MAX) {
        report->too_many = true;
        return;
    }
    if (report->count == report->capacity) {
        report->capacity = report->capacity == 0 ? 64 : 2 * report->capacity;
        report->found = realloc(report->found, report->capacity * sizeof *report->found);
        DK_ASSERT(report->found != NULL);
    }
    report->found[report->count++] = *found;
}

static uint64_t who(const struct dk_pauser *pauser, size_t count, uint64_t position)
{
    for (size_t i = 0; i < count; i++) {
        if (pauser[i].position == position) {
            return pauser[i].actor;
        }
    }
    return 0;
}

/* Whether one of a ticket's pauses can have begun in the range: what occurred before the opening
 * counts from it on. */
static bool may_be_in_range(const struct report *report, uint64_t ticket,
                            const struct dk_pauser *pauser, size_t count)
{
    const struct dk_ticket *life = dk_table_get(report->self->world->tickets, ticket, NULL);
    for (size_t i = 0; life != NULL && i < count; i++) {
        int64_t at_us = pauser[i].occurred_us;
        if (in_range(report, at_us > life->opened_us ? at_us : life->opened_us)) {
            return true;
        }
    }
    return false;
}

static void gather(struct report *report)
{
    struct dk_sla *self = report->self;
    struct dk_clocks *clocks = &self->clocks;
    size_t cursor = 0, bytes;
    uint64_t ticket;
    const void *value;
    while (dk_table_next(self->pausers, &cursor, &ticket, &value, &bytes)) {
        const struct dk_pauser *pauser = value;
        size_t count = bytes / sizeof *pauser;
        if (!may_be_in_range(report, ticket, pauser, count)) {
            continue;
        }
        dk_sla_compute(self, ticket, self->world->recorded_us);
        for (size_t i = 0; i < clocks->pause_count; i++) {
            take(report, &(struct found){.pause = clocks->pause[i],
                                         .ticket = ticket,
                                         .actor = who(pauser, count, clocks->pause[i].position),
                                         .live = clocks->live_from_us != INT64_MAX});
        }
    }
}

/* ---------------------------------------------------------------- the report */

static int compare(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->pause.from_us != y->pause.from_us) {
        return x->pause.from_us < y->pause.from_us ? -1 : 1;
    }
    if (x->ticket != y->ticket) {
        return x->ticket < y->ticket ? -1 : 1;
    }
    return (x->pause.position > y->pause.position) - (x->pause.position < y->pause.position);
}

static int64_t wall_us(const struct report *report, const struct dk_clock_pause *pause)
{
    int64_t to_us = pause->ended_by != 0 ? pause->to_us : report->self->world->recorded_us;
    return to_us > pause->from_us ? to_us - pause->from_us : 0;
}

static json_t *position_json(uint64_t position)
{
    return position != 0 ? json_integer((json_int_t)position) : json_null();
}

/* An agent or a supplier by its key; others by what they are. */
static json_t *actor_json(const struct dk_refs *refs, uint64_t actor)
{
    switch (dk_id_class(actor)) {
    case DK_ACTOR_AGENT:
        return dk_explain_key(refs, dk_id_make(DK_SUBJECT_AGENT, actor & DK_ID_MASK));
    case DK_ACTOR_SUPPLIER:
        return dk_explain_key(refs, dk_id_make(DK_SUBJECT_SUPPLIER, actor & DK_ID_MASK));
    default: return json_string(dk_actor_class_word(dk_id_class(actor)));
    }
}

static json_t *pause_json(const struct report *report, const struct found *found)
{
    const struct dk_refs *refs = report->self->world->refs;
    const struct dk_clock_pause *pause = &found->pause;
    json_t *made = json_object();
    json_object_set_new(made, "ticket", dk_answer_id(found->ticket));
    json_object_set_new(made, "group", dk_explain_key(refs, pause->group));
    json_object_set_new(made, "by", actor_json(refs, found->actor));
    json_object_set_new(made, "from", dk_answer_instant(pause->from_us));
    json_object_set_new(made, "to", dk_answer_instant(pause->to_us));
    json_object_set_new(made, "wall_us", json_integer(wall_us(report, pause)));
    json_object_set_new(
        made, "why", json_string(pause->why == DK_PAUSE_WROTE_LAST ? "wrote-last" : "not-asked"));
    json_object_set_new(made, "live", json_boolean(found->live));
    json_object_set_new(made, "paused_by", position_json(pause->position));
    json_object_set_new(made, "message", position_json(pause->message));
    json_object_set_new(made, "ended_by", position_json(pause->ended_by));
    return made;
}

static json_t *bound_json(int64_t us, int64_t none_us)
{
    return us != none_us ? dk_answer_instant(us) : json_null();
}

static json_t *report_json(const struct report *report)
{
    const struct dk_world *world = report->self->world;
    json_t *made = json_object(), *list = json_array();
    int64_t sum_us = 0;
    for (size_t i = 0; i < report->count; i++) {
        sum_us += wall_us(report, &report->found[i].pause);
        json_array_append_new(list, pause_json(report, &report->found[i]));
    }
    json_object_set_new(made, "report", json_string("pauses"));
    json_object_set_new(made, "position", json_integer((json_int_t)world->position));
    json_object_set_new(made, "fold_version", json_integer(dk_sla_role.fold_version));
    json_object_set_new(made, "rule_version", json_integer(dk_sla_role.rule_version));
    json_object_set_new(made, "from", bound_json(report->from_us, INT64_MIN));
    json_object_set_new(made, "to", bound_json(report->to_us, INT64_MAX));
    json_object_set_new(made, "group", dk_explain_key(world->refs, report->group));
    json_object_set_new(made, "unknown", json_integer((json_int_t)report->unknown));
    json_object_set_new(made, "wall_us", json_integer(sum_us));
    json_object_set_new(made, "pauses", list);
    return made;
}

/* ---------------------------------------------------------------- what is asked */

static int read_range(struct report *report, const char *const *argument, size_t count,
                      struct dk_err *err)
{
    const char *name = dk_answer_argument(argument, count, "zone");
    struct dk_zone *zone = NULL;
    struct dk_err cause = {0};
    int rc = dk_zone_load(&zone, name != NULL ? name : "UTC", &cause);
    if (rc != 0) {
        return dk_err_field(err, rc, "zone", "%s", cause.message);
    }
    rc = dk_answer_time("from", dk_answer_argument(argument, count, "from"), zone, &report->from_us,
                        err);
    rc = rc != 0 ? rc
                 : dk_answer_time("to", dk_answer_argument(argument, count, "to"), zone,
                                  &report->to_us, err);
    if (rc == 0 && report->from_us >= report->to_us) {
        rc = dk_err_field(err, DK_EINVAL, "to", "to is not after from");
    }
    dk_zone_free(&zone);
    return rc;
}

int dk_sla_pauses(struct dk_sla *self, const char *const *argument, size_t argument_count,
                  json_t **json, struct dk_err *err)
{
    struct report report = {.self = self, .from_us = INT64_MIN, .to_us = INT64_MAX};
    const char *group = dk_answer_argument(argument, argument_count, "group");
    int rc = read_range(&report, argument, argument_count, err);
    if (rc == 0 && group != NULL) {
        report.group = dk_refs_by_key(self->world->refs, DK_SUBJECT_GROUP, group, strlen(group));
        rc = report.group != 0
                 ? 0
                 : dk_err_field(err, DK_ENOTFOUND, "group", "there is no group \"%s\"", group);
    }
    if (rc != 0) {
        return rc;
    }
    gather(&report);
    if (report.too_many) {
        rc = dk_err_field(err, DK_ETOOBIG, "from",
                          "more than %zu pauses: ask for less time at once", PAUSES_MAX);
    } else {
        if (report.count > 1) {
            qsort(report.found, report.count, sizeof *report.found, compare);
        }
        *json = report_json(&report);
    }
    free(report.found);
    return rc;
}
