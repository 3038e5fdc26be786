#include "nodes/analytics/staff.h"
#include "nodes/runtime/answer.h"
#include "proto/base/time.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PERIOD_DAYS   28
#define DAYS_MAX      36500
#define DEFAULT_DAYS  90
#define DEFAULT_LEAST 2
#define WEIGHT_MAX    1000.0
#define DEFAULT_A     0.5
#define DEFAULT_B     0.5
#define DEFAULT_C     0.25

/* ---------------------------------------------------------------- spans */

void dk_spans_add(struct dk_spans *spans, uint64_t agent, int64_t from_us, int64_t to_us)
{
    if (from_us >= to_us) {
        return;
    }
    if (spans->count == spans->capacity) {
        spans->capacity = spans->capacity == 0 ? 64 : 2 * spans->capacity;
        spans->span = realloc(spans->span, spans->capacity * sizeof *spans->span);
        DK_ASSERT(spans->span != NULL);
    }
    spans->span[spans->count++] = (struct dk_span){agent, from_us, to_us};
}

void dk_spans_shifts(struct dk_spans *spans, struct dk_refs *refs, uint64_t agent, int64_t from_us,
                     int64_t to_us)
{
    while (from_us < to_us) {
        int64_t edge_us = dk_refs_next_shift_edge_us(refs, agent, from_us);
        int64_t until_us = edge_us < to_us ? edge_us : to_us;
        if (dk_refs_on_shift(refs, agent, from_us, false)) {
            dk_spans_add(spans, agent, from_us, until_us);
        }
        from_us = until_us;
    }
}

bool dk_staff_member(const Docket__AgentDefined *agent, uint64_t group)
{
    for (size_t i = 0; i < agent->n_group; i++) {
        if (agent->group[i] == group) {
            return true;
        }
    }
    return false;
}

/* ---------------------------------------------------------------- arguments */

struct argument_list {
    const char *const *argument;
    size_t count;
};

static const char *given(const struct argument_list *list, const char *key)
{
    return dk_answer_argument(list->argument, list->count, key);
}

static int parse_weight(const struct argument_list *list, const char *key, double *weight,
                        struct dk_err *err)
{
    const char *text = given(list, key);
    char *end = NULL;
    if (text == NULL) {
        return 0;
    }
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value) || value < 0 || value > WEIGHT_MAX) {
        return dk_err_field(err, DK_EINVAL, key, "%s=%s is no weight of 0 to %.0f", key, text,
                            WEIGHT_MAX);
    }
    *weight = value;
    return 0;
}

static int parse_times(struct dk_staff_query *query, const struct argument_list *list,
                       const struct dk_world *world, struct dk_err *err)
{
    const char *zone = given(list, "zone");
    struct dk_err cause = {0};
    int rc = dk_zone_load(&query->zone, zone != NULL ? zone : "UTC", &cause);
    if (rc != 0) {
        return dk_err_field(err, rc, "zone", "%s", cause.message);
    }
    query->to_us = query->at_us = world->recorded_us;
    rc = dk_answer_time("to", given(list, "to"), query->zone, &query->to_us, err);
    query->from_us = query->to_us - PERIOD_DAYS * DK_DAY_US;
    rc = rc != 0 ? rc
                 : dk_answer_time("from", given(list, "from"), query->zone, &query->from_us, err);
    rc = rc != 0 ? rc : dk_answer_time("at", given(list, "at"), query->zone, &query->at_us, err);
    return rc != 0 || query->from_us < query->to_us
               ? rc
               : dk_err_field(err, DK_EINVAL, "to", "to is not after from");
}

/* A slip of the pen would be a report of something else. */
static int check_known(const struct argument_list *list, struct dk_err *err)
{
    static const char *const known[] = {"by",   "from", "to", "at", "at-least",
                                        "days", "a",    "b",  "c",  "zone"};
    for (size_t i = 0; i < list->count; i++) {
        bool found = false;
        size_t bytes = strcspn(list->argument[i], "=");
        for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
            found = found ||
                    (strlen(known[k]) == bytes && strncmp(list->argument[i], known[k], bytes) == 0);
        }
        if (!found) {
            return dk_err_field(err, DK_EINVAL, "argument", "there is no argument \"%.*s\"",
                                (int)bytes, list->argument[i]);
        }
    }
    return 0;
}

static int parse(struct dk_staff_query *query, const struct argument_list *list,
                 const struct dk_world *world, struct dk_err *err)
{
    const char *by = given(list, "by");
    *query = (struct dk_staff_query){.at_least = DEFAULT_LEAST,
                                     .days = DEFAULT_DAYS,
                                     .reopened = DEFAULT_A,
                                     .breached = DEFAULT_B,
                                     .csat = DEFAULT_C,
                                     .by_group = by != NULL && strcmp(by, "group") == 0};
    int rc = check_known(list, err);
    if (rc == 0 && by != NULL && !query->by_group && strcmp(by, "agent") != 0) {
        rc = dk_err_field(err, DK_EINVAL, "by", "by is agent or group, not \"%s\"", by);
    }
    rc = rc != 0
             ? rc
             : dk_answer_number(list->argument, list->count, "at-least", 10, &query->at_least, err);
    rc =
        rc != 0 ? rc : dk_answer_number(list->argument, list->count, "days", 10, &query->days, err);
    if (rc == 0 && (query->days == 0 || query->days > DAYS_MAX)) {
        rc = dk_err_field(err, DK_EINVAL, "days", "days are 1 to %d", DAYS_MAX);
    }
    rc = rc != 0 ? rc : parse_weight(list, "a", &query->reopened, err);
    rc = rc != 0 ? rc : parse_weight(list, "b", &query->breached, err);
    rc = rc != 0 ? rc : parse_weight(list, "c", &query->csat, err);
    return rc != 0 ? rc : parse_times(query, list, world, err);
}

/* ---------------------------------------------------------------- one query */

static const struct {
    const char *name;
    void (*answer)(struct dk_listing *rows, const struct dk_staff_query *query);
    bool instant;
} queries[] = {{"load", dk_staff_load, false},
               {"coverage", dk_staff_coverage, true},
               {"index", dk_staff_index, false}};
#define QUERY_COUNT (sizeof queries / sizeof queries[0])

static size_t find(const char *name)
{
    size_t i = 0;
    while (i < QUERY_COUNT && strcmp(queries[i].name, name) != 0) {
        i++;
    }
    return i;
}

bool dk_staff_has(const char *name)
{
    return find(name) < QUERY_COUNT;
}

static void put_instant(struct dk_listing *rows, const struct dk_staff_query *query,
                        const char *name, int64_t at_us)
{
    dk_listing_instant(rows, name, at_us, dk_zone_offset_s(query->zone, at_us));
}

int dk_staff_answer(const struct dk_analytics *analytics, const char *name,
                    const char *const *argument, size_t argument_count, struct dk_buf *json,
                    struct dk_err *err)
{
    const struct argument_list list = {argument, argument_count};
    struct dk_staff_query query;
    struct dk_listing rows;
    size_t i = find(name);
    if (i == QUERY_COUNT) {
        return dk_err_set(err, DK_ENOTFOUND, "there is no report \"%s\"", name);
    }
    int rc = parse(&query, &list, analytics->world, err);
    if (rc == 0) {
        dk_listing_begin(&rows, analytics, name, json);
        dk_listing_text(&rows, "values", "as-was");
        if (queries[i].instant) {
            put_instant(&rows, &query, "at", query.at_us);
        } else {
            put_instant(&rows, &query, "from", query.from_us);
            put_instant(&rows, &query, "to", query.to_us);
        }
        dk_listing_text(&rows, "zone", dk_zone_name(query.zone));
        queries[i].answer(&rows, &query);
        rc = dk_listing_end(&rows, err);
    }
    dk_zone_free(&query.zone);
    return rc;
}
