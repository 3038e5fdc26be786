/* A site of a few tickets for tests of analytics: events in a line each, reports as JSON. */
#ifndef DK_TESTS_ANALYTICS_SITE_H
#define DK_TESTS_ANALYTICS_SITE_H

#include "nodes/analytics/analytics.h"
#include "nodes/runtime/folder.h"
#include "tests/lib/assert.h"
#include "tests/lib/definitions.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#define SITE_TICKET(n)  dk_ticket_make(1, (n))
#define SITE_GROUP(n)   dk_id_make(DK_SUBJECT_GROUP, (n))
#define SITE_AGENT(n)   dk_id_make(DK_SUBJECT_AGENT, (n))
#define SITE_PRODUCT(n) dk_id_make(DK_SUBJECT_PRODUCT, (n))
#define SITE_MAX_BYTES  ((size_t)64 << 20)
#define IMPORTED        DOCKET__EVENT_FLAG__FLAG_IMPORTED

struct site {
    struct dk_folder *folder;
    struct dk_buf records; /* all of them, to be replayed */
    size_t *start;         /* of each record in `records`, and the end */
    uint64_t position;
    int64_t recorded_us;
    struct dk_buf json;
    struct dk_err err;
};

static inline void site_open(struct site *site)
{
    memset(site, 0, sizeof *site);
    dk_buf_init(&site->records, SITE_MAX_BYTES);
    dk_buf_init(&site->json, SITE_MAX_BYTES);
    ASSERT_OK(dk_folder_new(&site->folder, &dk_analytics_role, &site->err), &site->err);
    site->start = calloc(1, sizeof *site->start);
}

static inline void site_close(struct site *site)
{
    dk_folder_free(&site->folder);
    dk_buf_close(&site->records);
    dk_buf_close(&site->json);
    free(site->start);
}

static inline void site_fold(struct dk_folder *folder, const struct site *site, uint64_t position,
                             struct dk_err *err)
{
    ASSERT_OK(dk_folder_apply(folder, site->records.data + site->start[position - 1],
                              site->start[position] - site->start[position - 1], err),
              err);
}

/* Encodes, stamps, keeps and folds one event; recorded when it occurred, never going back. */
static inline void site_event(struct site *site, uint64_t subject, uint32_t kind, int64_t at_us,
                              const void *body, uint64_t actor, uint32_t flags)
{
    size_t at = site->records.size;
    site->recorded_us = at_us > site->recorded_us ? at_us : site->recorded_us;
    struct dk_envelope envelope = {
        .position = ++site->position,
        .recorded_us = site->recorded_us,
        .occurred_us = at_us,
        .subject = subject,
        .actor = actor,
        .flags = flags,
    };
    ASSERT_OK(dk_event_encode(&site->records, &envelope, kind, body, &site->err), &site->err);
    uint8_t *record = site->records.data + at;
    dk_stamp_crc32c(record, dk_event_crc(record, site->records.size - at));
    site->start = realloc(site->start, (site->position + 1) * sizeof *site->start);
    site->start[site->position] = site->records.size;
    site_fold(site->folder, site, site->position, &site->err);
}

#define BY_AGENT dk_id_make(DK_ACTOR_AGENT, 1)
#define BY_NODE  dk_id_make(DK_ACTOR_NODE, DK_ROLE_SLA)

/* SAY(site, ticket number, kind, "2026-...", Opened, .customer = ...): the body's optional fields
 * need their has_ too. */
#define SAY_BY(site, number, KIND, at, Type, TYPE, who, how, ...)                                  \
    do {                                                                                           \
        Docket__##Type say_ = DOCKET__##TYPE##__INIT;                                              \
        Docket__##Type said_ = {.base = say_.base, __VA_ARGS__};                                   \
        site_event(site, SITE_TICKET(number), DK_KIND_##KIND, test_at(at), &said_, who, how);      \
    } while (0)
#define SAY(site, number, KIND, at, Type, TYPE, ...)                                               \
    SAY_BY(site, number, KIND, at, Type, TYPE, BY_AGENT, 0, __VA_ARGS__)

static inline void site_status(struct site *site, unsigned number, const char *at,
                               Docket__Status status)
{
    SAY(site, number, STATUS_CHANGED, at, StatusChanged, STATUS_CHANGED, .status = status);
}

/* By phone: the customer asked for it. */
#define OPEN(site, number, at, ...)                                                                \
    SAY(site, number, OPENED, at, Opened, OPENED, .has_channel = 1,                                \
        .channel = DOCKET__CHANNEL__CHANNEL_PHONE, __VA_ARGS__)
#define ASK(site, number, at)                                                                      \
    SAY(site, number, MESSAGE_PUBLIC, at, MessagePublic, MESSAGE_PUBLIC,                           \
        .direction = DOCKET__DIRECTION__DIRECTION_INBOUND)
#define REPLY(site, number, at, ...)                                                               \
    SAY(site, number, MESSAGE_PUBLIC, at, MessagePublic, MESSAGE_PUBLIC,                           \
        .direction = DOCKET__DIRECTION__DIRECTION_OUTBOUND, __VA_ARGS__)
#define SOLVE(site, number, at)  site_status(site, number, at, DOCKET__STATUS__STATUS_SOLVED)
#define CLOSE(site, number, at)  site_status(site, number, at, DOCKET__STATUS__STATUS_CLOSED)
#define REOPEN(site, number, at) site_status(site, number, at, DOCKET__STATUS__STATUS_OPEN)
#define ROUTE(site, number, at, n)                                                                 \
    SAY(site, number, ROUTED, at, Routed, ROUTED, .line = 1, .group = SITE_GROUP(n))
#define ASSIGN(site, number, at, n)                                                                \
    SAY(site, number, ASSIGNED, at, Assigned, ASSIGNED, .agent = SITE_AGENT(n))

static inline Docket__ClockRef *site_clock(Docket__Metric metric, uint32_t instance)
{
    Docket__ClockRef *clock = test_memory(sizeof *clock);
    docket__clock_ref__init(clock);
    clock->metric = metric;
    clock->instance = instance;
    return clock;
}
#define SITE_ARGUMENTS(...)                                                                        \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

/* The answer of a query, as text until the next one. */
static inline const char *site_query(struct site *site, const char *name,
                                     const char *const *argument)
{
    size_t count = 0;
    while (argument[count] != NULL) {
        count++;
    }
    dk_buf_clear(&site->json);
    ASSERT_OK(dk_folder_query(site->folder, name, argument, count, &site->json, &site->err),
              &site->err);
    return dk_buf_string(&site->json);
}

static inline json_t *site_report(struct site *site, const char *name, const char *const *argument)
{
    json_error_t error;
    json_t *report = json_loads(site_query(site, name, argument), 0, &error);
    if (report == NULL) {
        fail_msg("no JSON: %s in %s", error.text, dk_buf_string(&site->json));
    }
    return report;
}
#define KPI(site, ...) site_report(site, "kpi", SITE_ARGUMENTS(__VA_ARGS__))

/* The figures of a measure: in the total, or in the cell whose first dimension has this key ("":
 * null). */
static inline json_t *site_figures(json_t *report, const char *key, const char *measure)
{
    json_t *measures = json_object_get(report, "total"), *cell;
    const char *dim = json_string_value(json_array_get(json_object_get(report, "by"), 0));
    size_t i;
    if (key != NULL) {
        measures = NULL;
        json_array_foreach(json_object_get(report, "cells"), i, cell)
        {
            json_t *value = json_object_get(json_object_get(cell, "by"), dim);
            if (strcmp(json_is_null(value) ? "" : json_string_value(value), key) == 0) {
                measures = json_object_get(cell, "measures");
            }
        }
    }
    return json_object_get(measures, measure);
}

static inline double site_number(json_t *report, const char *key, const char *measure,
                                 const char *figure)
{
    json_t *number = json_object_get(site_figures(report, key, measure), figure);
    if (!json_is_number(number)) {
        fail_msg("%s of %s in cell \"%s\" is no number", figure, measure,
                 key == NULL ? "total" : key);
    }
    return json_number_value(number);
}

/* A figure as it is to be printed, to the last digit. */
#define ASSERT_FIGURE(report, key, measure, figure, expected)                                      \
    do {                                                                                           \
        double figure_a_ = site_number(report, key, measure, figure);                              \
        double figure_e_ = (expected);                                                             \
        if (figure_a_ < figure_e_ || figure_a_ > figure_e_) {                                      \
            fail_msg("%s %s %s is %.9g, expected %.9g", #key, measure, figure, figure_a_,          \
                     figure_e_);                                                                   \
        }                                                                                          \
    } while (0)

#endif
