#include "nodes/sla/state.h"
#include "proto/base/time.h"
#include "proto/event/body.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define DUE_DEFAULT 20
#define DUE_MAX     10000

static const char *argument_of(const char *const *argument, size_t count, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < count; i++) {
        if (strncmp(argument[i], name, n) == 0 && argument[i][n] == '=') {
            return argument[i] + n + 1;
        }
    }
    return NULL;
}

static json_t *instant_json(int64_t at_us)
{
    char text[DK_TIME_TEXT_BYTES];
    return at_us != 0 && at_us < DK_TIME_MAX_US ? json_string(dk_time_format(at_us, 0, text))
                                                : json_null();
}

static json_t *id_json(uint64_t subject)
{
    char text[DK_ID_TEXT_BYTES];
    return subject != 0 ? json_string(dk_id_format(subject, text)) : json_null();
}

/* An entity by its key, which is what people write. */
static json_t *key_json(const struct dk_refs *refs, uint64_t subject)
{
    const struct dk_refs_version *version = dk_refs_last(refs, subject);
    if (version == NULL) {
        return id_json(subject);
    }
    const ProtobufCBinaryData *key = &dk_refs_definition(version)->key;
    return json_stringn((const char *)key->data, key->len);
}

static json_t *word_json(const ProtobufCEnumDescriptor *words, unsigned number)
{
    char word[DK_WORD_BYTES];
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(words, (int)number);
    return value != NULL ? json_string(dk_enum_word(value, word)) : json_null();
}

static json_t *segment_json(const struct dk_clock_segment *segment)
{
    json_t *made = json_object();
    json_object_set_new(made, "from", instant_json(segment->from_us));
    json_object_set_new(made, "to", instant_json(segment->to_us));
    json_object_set_new(made, "why", json_string(dk_segment_word(segment->why)));
    if (segment->why != DK_SEGMENT_RUNS) {
        json_object_set_new(made, "illegitimate", json_boolean(segment->illegitimate));
    }
    json_object_set_new(made, "calendar_version", json_integer(segment->calendar_version));
    json_object_set_new(made, "elapsed_us", json_integer(segment->elapsed_us));
    json_object_set_new(made, "wall_us", json_integer(segment->to_us - segment->from_us));
    return made;
}

static json_t *warning_json(const struct dk_clock_warning *warning)
{
    json_t *made = json_object();
    if (warning->level != 0) {
        json_object_set_new(made, "level", json_integer(warning->level));
    } else {
        json_object_set_new(made, "before_us", json_integer(warning->before_us));
    }
    json_object_set_new(made, "due", instant_json(warning->due_us));
    return made;
}

/* The goal and what it rests on (S5). */
static void add_goal(json_t *made, const struct dk_refs *refs, const struct dk_clock *clock)
{
    json_object_set_new(made, "target_us", json_integer(clock->target_us));
    json_object_set_new(made, "policy", key_json(refs, clock->policy));
    json_object_set_new(made, "policy_version", json_integer(clock->policy_version));
    json_object_set_new(made, "goal", json_integer(clock->goal));
    json_object_set_new(made, "company", key_json(refs, clock->company));
    json_object_set_new(made, "contract", key_json(refs, clock->contract));
    json_object_set_new(made, "site", clock->site != 0 ? json_integer(clock->site) : json_null());
    json_object_set_new(made, "goal_from", instant_json(clock->goal_us));
    json_object_set_new(made, "priority",
                        word_json(&docket__priority__descriptor, clock->priority));
    json_object_set_new(made, "calendar", key_json(refs, clock->calendar));
    json_object_set_new(made, "calendar_version", json_integer(clock->calendar_version));
}

static json_t *clock_json(const struct dk_sla *self, size_t number)
{
    const struct dk_clocks *clocks = &self->clocks;
    const struct dk_clock *clock = &clocks->clock[number];
    bool broke = clock->verdict == DOCKET__VERDICT__VERDICT_BREACHED;
    json_t *made = json_object(), *warnings = json_array(), *segments = json_array();
    json_object_set_new(made, "metric", word_json(&docket__metric__descriptor, clock->metric));
    json_object_set_new(made, "instance", json_integer(clock->instance));
    json_object_set_new(made, "verdict", word_json(&docket__verdict__descriptor, clock->verdict));
    json_object_set_new(made, "cause",
                        broke ? word_json(&docket__breach_cause__descriptor, clock->breach_cause)
                              : word_json(&docket__cancel_cause__descriptor, clock->cancel_cause));
    json_object_set_new(made, "started", instant_json(clock->started_us));
    json_object_set_new(made, "due", instant_json(clock->due_us));
    json_object_set_new(made, "ended", instant_json(clock->ended_us));
    json_object_set_new(made, "first_met", instant_json(clock->first_met_us));
    json_object_set_new(made, "last_met", instant_json(clock->last_met_us));
    json_object_set_new(made, "elapsed_us", json_integer(clock->elapsed_us));
    json_object_set_new(made, "wall_us", json_integer(clock->wall_us));
    add_goal(made, self->world->refs, clock);
    for (uint32_t i = 0; i < clock->warning_count; i++) {
        json_array_append_new(warnings, warning_json(&clock->warning[i]));
    }
    for (size_t i = 0; i < clocks->segment_count; i++) {
        if (clocks->segment[i].clock == number) {
            json_array_append_new(segments, segment_json(&clocks->segment[i]));
        }
    }
    json_object_set_new(made, "warnings", warnings);
    json_object_set_new(made, "segments", segments);
    return made;
}

/* As it stood at an instant: what occurred later is not looked at. */
static void compute_then(struct dk_sla *self, uint64_t ticket, int64_t at_us)
{
    size_t bytes = 0, count = 0;
    const struct dk_transition *transition = dk_table_get(self->transitions, ticket, &bytes);
    while (count < bytes / sizeof *transition && transition[count].occurred_us <= at_us) {
        count++;
    }
    dk_clocks_compute(&self->clocks, transition, count, self->world->refs, at_us);
}

static int query_clocks(struct dk_sla *self, const char *name, const char *at, json_t **json,
                        struct dk_err *err)
{
    uint64_t ticket = 0;
    int64_t at_us = self->world->recorded_us;
    int rc = dk_ticket_parse(name != NULL ? name : "", &ticket, err);
    rc = rc == 0 && at != NULL ? dk_time_parse(at, &at_us, NULL, err) : rc;
    if (rc != 0) {
        return rc;
    }
    if (dk_table_get(self->world->tickets, ticket, NULL) == NULL) {
        return dk_err_field(err, DK_ENOTFOUND, "ticket", "there is no ticket %s", name);
    }
    compute_then(self, ticket, at_us);
    json_t *made = json_object(), *list = json_array();
    for (size_t i = 0; i < self->clocks.count; i++) {
        json_array_append_new(list, clock_json(self, i));
    }
    json_object_set_new(made, "ticket", id_json(ticket));
    json_object_set_new(made, "at", instant_json(at_us));
    json_object_set_new(made, "live", json_boolean(self->clocks.live_from_us != INT64_MAX));
    json_object_set_new(made, "clocks", list);
    *json = made;
    return 0;
}

/* ---------------------------------------------------------------- due next */

struct next_due {
    int64_t due_us;
    uint64_t ticket;
    uint32_t instance;
    uint8_t metric;
};

static int by_due(const void *a, const void *b)
{
    const struct next_due *x = a, *y = b;
    if (x->due_us != y->due_us) {
        return x->due_us < y->due_us ? -1 : 1;
    }
    if (x->ticket != y->ticket) {
        return x->ticket < y->ticket ? -1 : 1;
    }
    return x->metric - y->metric;
}

/* Keeps the first `n`: when twice as many have gathered, the later half is let go. */
static void keep_due(struct next_due *list, size_t *count, size_t n, const struct next_due *due)
{
    list[(*count)++] = *due;
    if (*count == 2 * n) {
        qsort(list, *count, sizeof *list, by_due);
        *count = n;
    }
}

static json_t *due_json(const struct next_due *due)
{
    json_t *made = json_object();
    json_object_set_new(made, "ticket", id_json(due->ticket));
    json_object_set_new(made, "metric", word_json(&docket__metric__descriptor, due->metric));
    json_object_set_new(made, "instance", json_integer(due->instance));
    json_object_set_new(made, "due", instant_json(due->due_us));
    return made;
}

static int query_due(struct dk_sla *self, const char *wanted, json_t **json, struct dk_err *err)
{
    unsigned long n = wanted != NULL ? strtoul(wanted, NULL, 10) : DUE_DEFAULT;
    size_t cursor = 0, bytes, count = 0;
    uint64_t ticket;
    const void *value;
    if (n == 0 || n > DUE_MAX) {
        return dk_err_field(err, DK_EINVAL, "n", "n is 1 to %d", DUE_MAX);
    }
    struct next_due *list = calloc(2 * n, sizeof *list);
    DK_ASSERT(list != NULL);
    while (dk_table_next(self->said, &cursor, &ticket, &value, &bytes)) {
        const struct dk_said *said = value;
        for (size_t i = 0; i < bytes / sizeof *said; i++) {
            if (said[i].verdict == DOCKET__VERDICT__VERDICT_RUNNING) {
                keep_due(
                    list, &count, n,
                    &(struct next_due){said[i].due_us, ticket, said[i].instance, said[i].metric});
            }
        }
    }
    qsort(list, count, sizeof *list, by_due);
    *json = json_array();
    for (size_t i = 0; i < count && i < n; i++) {
        json_array_append_new(*json, due_json(&list[i]));
    }
    free(list);
    return 0;
}

/* ---------------------------------------------------------------- overdue at adoption */

static void add_overdue(struct dk_sla *self, uint64_t ticket, json_t *list)
{
    dk_sla_compute(self, ticket, self->world->recorded_us);
    for (size_t i = 0; i < self->clocks.count; i++) {
        const struct dk_clock *clock = &self->clocks.clock[i];
        if (clock->ended_us == 0 && dk_sla_past(clock, self->clocks.live_from_us)) {
            json_t *made = due_json(
                &(struct next_due){clock->due_us, ticket, clock->instance, (uint8_t)clock->metric});
            json_object_set_new(made, "adopted", instant_json(self->clocks.live_from_us));
            json_object_set_new(made, "late_by_us",
                                json_integer(self->clocks.live_from_us - clock->due_us));
            json_array_append_new(list, made);
        }
    }
}

static int by_ticket(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static json_t *query_overdue(struct dk_sla *self)
{
    json_t *list = json_array();
    size_t cursor = 0, bytes, count = 0, room = dk_table_count(self->world->tickets);
    uint64_t ticket, *adopted = calloc(room + 1, sizeof *adopted);
    const void *value;
    DK_ASSERT(adopted != NULL);
    while (dk_table_next(self->world->tickets, &cursor, &ticket, &value, &bytes)) {
        if ((((const struct dk_ticket *)value)->flags & DK_TICKET_ADOPTED) != 0) {
            adopted[count++] = ticket;
        }
    }
    qsort(adopted, count, sizeof *adopted, by_ticket);
    for (size_t i = 0; i < count; i++) {
        add_overdue(self, adopted[i], list);
    }
    free(adopted);
    return list;
}

int dk_sla_query(void *self, const char *name, const char *const *argument, size_t argument_count,
                 struct dk_buf *json, struct dk_err *err)
{
    json_t *made = NULL;
    int rc = 0;
    if (strcmp(name, "clocks") == 0) {
        rc = query_clocks(self, argument_of(argument, argument_count, "ticket"),
                          argument_of(argument, argument_count, "at"), &made, err);
    } else if (strcmp(name, "due") == 0) {
        rc = query_due(self, argument_of(argument, argument_count, "n"), &made, err);
    } else if (strcmp(name, "overdue") == 0) {
        made = query_overdue(self);
    } else {
        return dk_err_set(err, DK_ENOTFOUND, "sla answers clocks, due and overdue, not \"%s\"",
                          name);
    }
    if (rc != 0) {
        return rc;
    }
    char *text = json_dumps(made, JSON_COMPACT);
    json_decref(made);
    DK_ASSERT(text != NULL);
    rc = dk_buf_append(json, text, strlen(text));
    free(text);
    return rc == 0 ? 0 : dk_err_set(err, DK_ETOOBIG, "the answer is too large");
}
