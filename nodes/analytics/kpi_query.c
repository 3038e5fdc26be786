#include "nodes/analytics/kpi.h"
#include "nodes/runtime/answer.h"
#include <stdio.h>
#include <string.h>

#define VALUE_BYTES 128

struct parsing {
    struct dk_kpi_query *query;
    const struct dk_world *world;
    const char *zone, *from, *to, *at, *calendar; /* read when all arguments are known */
};

/* ---------------------------------------------------------------- one value */

static int parse_measure(struct parsing *parsing, const char *word, struct dk_err *err)
{
    struct dk_kpi_query *query = parsing->query;
    for (unsigned m = 0; m < DK_MEASURE_COUNT; m++) {
        if (strcmp(dk_measure_info(m)->word, word) != 0) {
            continue;
        }
        for (size_t i = 0; i < query->measure_count; i++) {
            if (query->measure[i] == m) {
                return 0;
            }
        }
        query->measure[query->measure_count++] = m;
        return 0;
    }
    return dk_err_field(err, DK_EINVAL, "measures", "there is no measure \"%s\"", word);
}

static bool find_dim(const char *word, size_t bytes, enum dk_dim *dim)
{
    for (unsigned d = 0; d < DK_DIM_COUNT; d++) {
        if (strlen(dk_dim_word(d)) == bytes && strncmp(dk_dim_word(d), word, bytes) == 0) {
            *dim = d;
            return true;
        }
    }
    return false;
}

static int parse_by(struct parsing *parsing, const char *word, struct dk_err *err)
{
    struct dk_kpi_query *query = parsing->query;
    enum dk_dim dim;
    if (!find_dim(word, strlen(word), &dim)) {
        return dk_err_field(err, DK_EINVAL, "by", "reports are not grouped by \"%s\"", word);
    }
    for (size_t i = 0; i < query->by_count; i++) {
        if (query->by[i] == dim) {
            return 0;
        }
    }
    if (query->by_count == DK_KPI_BY_MAX) {
        return dk_err_field(err, DK_EINVAL, "by", "more than %d dimensions", DK_KPI_BY_MAX);
    }
    query->by[query->by_count++] = dim;
    return 0;
}

/* The number of `word` in a NULL-ended list. */
static int parse_choice(const char *key, const char *word, const char *const *words,
                        unsigned *choice, struct dk_err *err)
{
    for (unsigned i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], word) == 0) {
            *choice = i;
            return 0;
        }
    }
    return dk_err_field(err, DK_EINVAL, key, "%s is not \"%s\"", key, word);
}

static int parse_option(struct parsing *parsing, const char *key, const char *value,
                        struct dk_err *err)
{
    static const char *const values[] = {"as-was", "as-now", NULL};
    static const char *const times[] = {"wall", "business", NULL};
    static const char *const quantiles[] = {"type7", "nearest", NULL};
    static const char *const units[] = {"us", "s", "m", "h", "d", NULL};
    const struct {
        const char *key;
        const char **text;
    } texts[] = {{"zone", &parsing->zone},
                 {"from", &parsing->from},
                 {"to", &parsing->to},
                 {"at", &parsing->at},
                 {"calendar", &parsing->calendar}};
    struct dk_kpi_query *query = parsing->query;
    unsigned choice = 0;
    int rc;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(texts[i].key, key) == 0) {
            *texts[i].text = value;
            return 0;
        }
    }
    if (strcmp(key, "values") == 0) {
        rc = parse_choice(key, value, values, &choice, err);
        query->as_now = choice == 1;
    } else if (strcmp(key, "time") == 0) {
        rc = parse_choice(key, value, times, &choice, err);
        query->business = choice == 1;
    } else if (strcmp(key, "quantile") == 0) {
        rc = parse_choice(key, value, quantiles, &choice, err);
        query->nearest = choice == 1;
    } else if (strcmp(key, "unit") == 0) {
        rc = parse_choice(key, value, units, &choice, err);
        query->unit = choice;
    } else {
        rc = dk_err_field(err, DK_EINVAL, key, "there is no argument \"%s\"", key);
    }
    return rc;
}

/* ---------------------------------------------------------------- one argument */

static int parse_list(struct parsing *parsing, const char *key, const char *list,
                      struct dk_err *err)
{
    enum dk_dim dim = DK_DIM_COUNT;
    bool filters = find_dim(key, strlen(key), &dim);
    int rc = 0;
    for (const char *at = list; rc == 0 && at != NULL;) {
        const char *comma = strchr(at, ',');
        size_t bytes = comma != NULL ? (size_t)(comma - at) : strlen(at);
        char value[VALUE_BYTES];
        if (bytes == 0 || bytes >= sizeof value) {
            return dk_err_field(err, DK_EINVAL, key, "%s has a value of %zu bytes", key, bytes);
        }
        memcpy(value, at, bytes);
        value[bytes] = '\0';
        rc = filters ? dk_filter_add(&parsing->query->filter[dim], dim, value, parsing->world->refs,
                                     err)
             : strcmp(key, "by") == 0 ? parse_by(parsing, value, err)
                                      : parse_measure(parsing, value, err);
        at = comma != NULL ? comma + 1 : NULL;
    }
    return rc;
}

static int parse_argument(struct parsing *parsing, const char *argument, struct dk_err *err)
{
    const char *equals = strchr(argument, '=');
    char key[DK_ERR_FIELD_BYTES];
    enum dk_dim dim;
    if (equals == NULL || equals - argument >= (ptrdiff_t)sizeof key) {
        return dk_err_field(err, DK_EINVAL, "argument", "\"%.60s\" is not key=value", argument);
    }
    (void)snprintf(key, sizeof key, "%.*s", (int)(equals - argument), argument);
    bool list =
        strcmp(key, "measures") == 0 || strcmp(key, "by") == 0 || find_dim(key, strlen(key), &dim);
    return list ? parse_list(parsing, key, equals + 1, err)
                : parse_option(parsing, key, equals + 1, err);
}

/* ---------------------------------------------------------------- all of them */

static int parse_times(const struct parsing *parsing, struct dk_err *err)
{
    struct dk_kpi_query *query = parsing->query;
    struct dk_err cause = {0};
    int rc = dk_zone_load(&query->zone, parsing->zone, &cause);
    if (rc != 0) {
        return dk_err_field(err, rc, "zone", "%s", cause.message);
    }
    rc = dk_answer_time("from", parsing->from, query->zone, &query->from_us, err);
    rc = rc != 0 ? rc : dk_answer_time("to", parsing->to, query->zone, &query->to_us, err);
    query->at_us = query->to_us != INT64_MAX ? query->to_us : parsing->world->recorded_us;
    rc = rc != 0 ? rc : dk_answer_time("at", parsing->at, query->zone, &query->at_us, err);
    if (rc == 0 && query->from_us >= query->to_us) {
        rc = dk_err_field(err, DK_EINVAL, "to", "to is not after from");
    }
    return rc;
}

/* Which stands for business time, too. */
static int parse_calendar(const struct parsing *parsing, struct dk_err *err)
{
    const char *key = parsing->calendar;
    if (key == NULL) {
        return 0;
    }
    parsing->query->business = true;
    parsing->query->calendar =
        dk_refs_by_key(parsing->world->refs, DK_SUBJECT_CALENDAR, key, strlen(key));
    return parsing->query->calendar != 0
               ? 0
               : dk_err_field(err, DK_EREFERENCE, "calendar", "there is no calendar \"%s\"", key);
}

static void default_measures(struct dk_kpi_query *query, bool backlog)
{
    static const enum dk_measure kpi[] = {DK_MEASURE_OPENED, DK_MEASURE_SOLVED, DK_MEASURE_CLOSED,
                                          DK_MEASURE_FIRST_REPLY, DK_MEASURE_RESOLUTION};
    static const enum dk_measure instant[] = {DK_MEASURE_BACKLOG, DK_MEASURE_BACKLOG_UNTIL_SOLVED,
                                              DK_MEASURE_BACKLOG_UNTIL_CLOSED};
    query->measure_count =
        backlog ? sizeof instant / sizeof instant[0] : sizeof kpi / sizeof kpi[0];
    memcpy(query->measure, backlog ? instant : kpi, query->measure_count * sizeof kpi[0]);
}

int dk_kpi_parse(struct dk_kpi_query *query, const struct dk_world *world, const char *name,
                 const char *const *argument, size_t argument_count, struct dk_err *err)
{
    struct parsing parsing = {.query = query, .world = world, .zone = "UTC"};
    bool backlog = strcmp(name, "backlog") == 0;
    int rc = 0;
    *query = (struct dk_kpi_query){.from_us = INT64_MIN, .to_us = INT64_MAX, .unit = DK_UNIT_S};
    if (!backlog && strcmp(name, "kpi") != 0) {
        return dk_err_set(err, DK_ENOTFOUND, "analytics answers kpi and backlog, not \"%s\"", name);
    }
    for (size_t i = 0; rc == 0 && i < argument_count; i++) {
        rc = parse_argument(&parsing, argument[i], err);
    }
    rc = rc != 0 ? rc : parse_times(&parsing, err);
    rc = rc != 0 ? rc : parse_calendar(&parsing, err);
    if (rc == 0 && query->measure_count == 0) {
        default_measures(query, backlog);
    }
    if (rc != 0) {
        dk_kpi_close(query);
    }
    return rc;
}

void dk_kpi_close(struct dk_kpi_query *query)
{
    dk_zone_free(&query->zone);
}
