/* A ticket's events as a story with times, and the clocks that they give. */
#ifndef DK_TESTS_CLOCKS_FIXTURE_H
#define DK_TESTS_CLOCKS_FIXTURE_H

#include "proto/fold/clocks.h"
#include "tests/lib/definitions.h"
#include <stdio.h>
#include <stdlib.h>

#define ACT_AGENT    dk_id_make(DK_ACTOR_AGENT, 1)
#define ACT_CUSTOMER dk_id_make(DK_ACTOR_CUSTOMER, 1)
#define ACT_NODE     dk_id_make(DK_ACTOR_NODE, DK_ROLE_ROUTING)
#define ACT_IMPORTER dk_id_make(DK_ACTOR_IMPORTER, 1)

#define STORY_MAX 256

#define FIRST_REPLY DOCKET__METRIC__METRIC_FIRST_REPLY
#define NEXT_REPLY  DOCKET__METRIC__METRIC_NEXT_REPLY
#define UPDATE      DOCKET__METRIC__METRIC_UPDATE
#define WAIT        DOCKET__METRIC__METRIC_REQUESTER_WAIT
#define WORK        DOCKET__METRIC__METRIC_AGENT_WORK
#define RESOLUTION  DOCKET__METRIC__METRIC_RESOLUTION
#define GROUP       DOCKET__METRIC__METRIC_GROUP_OWNERSHIP
#define SUPPLIER    DOCKET__METRIC__METRIC_SUPPLIER
#define RUNNING     DOCKET__VERDICT__VERDICT_RUNNING
#define PAUSED      DOCKET__VERDICT__VERDICT_PAUSED
#define MET         DOCKET__VERDICT__VERDICT_MET
#define BREACHED    DOCKET__VERDICT__VERDICT_BREACHED
#define CANCELLED   DOCKET__VERDICT__VERDICT_CANCELLED
#define ANY         DOCKET__PRIORITY__PRIORITY_NONE
#define CRITICAL    DOCKET__PRIORITY__PRIORITY_CRITICAL
#define HIGH        DOCKET__PRIORITY__PRIORITY_HIGH
#define NORMAL      DOCKET__PRIORITY__PRIORITY_NORMAL
#define LOW         DOCKET__PRIORITY__PRIORITY_LOW
#define CUSTOMER    DOCKET__PENDING__PENDING_CUSTOMER
#define LONG_AGO    test_at("2020-01-01T00:00:00Z")
#define LATER       test_at("2026-04-01T00:00:00Z")

struct story {
    struct dk_refs *refs;
    uint64_t position;
    struct dk_transition transition[STORY_MAX];
    size_t count;
    struct dk_clocks clocks;
};

static inline void story_begin(struct story *story)
{
    *story = (struct story){0};
    DK_ASSERT(dk_refs_new(&story->refs, NULL) == 0);
    dk_clocks_init(&story->clocks);
}

static inline void story_end(struct story *story)
{
    dk_clocks_close(&story->clocks);
    dk_refs_free(&story->refs);
}

/* The same day, mostly: "10:00" is of Monday 2026-03-02, UTC; anything longer is a whole instant.
 */
static inline int64_t at(const char *text)
{
    char whole[40];
    if (strlen(text) > 8)
        return test_at(text);
    (void)snprintf(whole, sizeof whole, "2026-03-02T%s%sZ", text, strlen(text) == 5 ? ":00" : "");
    return test_at(whole);
}

/* ---------------------------------------------------------------- reference data */

/* The same, in force from an instant on. */
static inline uint64_t has_calendar(struct story *story, const char *key, const char *zone,
                                    uint32_t from_h, uint32_t to_h, int64_t effective_us)
{
    Docket__CalendarDefined *body = test_hours(key, zone, 5, from_h, to_h);
    body->definition->has_effective_us = 1;
    body->definition->effective_us = effective_us;
    test_define(story->refs, ++story->position, effective_us, DK_KIND_CALENDAR_DEFINED, body);
    return test_id(DK_SUBJECT_CALENDAR, key);
}

static inline Docket__PolicyDefined *new_policy(const char *key, Docket__PolicyType type,
                                                uint32_t order)
{
    Docket__PolicyDefined *policy = test_memory(sizeof *policy);
    docket__policy_defined__init(policy);
    policy->definition = test_definition(key);
    policy->type = type;
    policy->order = order;
    policy->goal = test_memory(16 * sizeof *policy->goal);
    policy->condition = test_memory(8 * sizeof *policy->condition);
    policy->warn_percent = test_memory(8 * sizeof *policy->warn_percent);
    policy->pause = test_memory(8 * sizeof *policy->pause);
    return policy;
}

static inline void add_goal(Docket__PolicyDefined *policy, Docket__Metric metric,
                            Docket__Priority priority, int64_t target_us)
{
    Docket__Goal *goal = test_memory(sizeof *goal);
    docket__goal__init(goal);
    goal->metric = metric;
    goal->priority = priority;
    goal->target_us = (uint64_t)target_us;
    policy->goal[policy->n_goal++] = goal;
}

static inline Docket__Condition *add_condition(Docket__PolicyDefined *policy,
                                               Docket__ConditionField field)
{
    Docket__Condition *condition = test_memory(sizeof *condition);
    docket__condition__init(condition);
    condition->field = field;
    condition->id = test_memory(8 * sizeof *condition->id);
    condition->number = test_memory(8 * sizeof *condition->number);
    condition->text = test_memory(8 * sizeof *condition->text);
    policy->condition[policy->n_condition++] = condition;
    return condition;
}

static inline void add_warning(Docket__PolicyDefined *policy, uint32_t percent)
{
    policy->warn_percent[policy->n_warn_percent++] = percent;
}

static inline void add_pause(Docket__PolicyDefined *policy, Docket__Pending pending)
{
    policy->pause[policy->n_pause++] = pending;
}

/* One SLA policy that matches everything, with one goal. */
static inline Docket__PolicyDefined *promised(Docket__Metric metric, int64_t target_us,
                                              uint64_t calendar)
{
    Docket__PolicyDefined *policy = new_policy("default", DOCKET__POLICY_TYPE__POLICY_SLA, 9);
    policy->calendar = calendar;
    add_goal(policy, metric, ANY, target_us);
    return policy;
}

static inline void has_policy(struct story *story, Docket__PolicyDefined *policy,
                              int64_t effective_us)
{
    policy->definition->has_effective_us = 1;
    policy->definition->effective_us = effective_us;
    policy->has_calendar = policy->calendar != 0;
    test_define(story->refs, ++story->position, effective_us, DK_KIND_POLICY_DEFINED, policy);
}

/* ---------------------------------------------------------------- what happens */

static inline void happens_by(struct story *story, int64_t at_us, uint32_t kind, const void *body,
                              uint64_t actor, uint32_t flags)
{
    struct dk_transition out[DK_TRANSITIONS_OF_EVENT];
    struct dk_envelope event = {.position = ++story->position,
                                .occurred_us = at_us,
                                .recorded_us = at_us,
                                .subject = dk_ticket_make(1, 1),
                                .kind = kind,
                                .actor = actor,
                                .flags = flags};
    size_t n = dk_transitions_of(&event, body, out);
    DK_ASSERT(story->count + n <= STORY_MAX);
    for (size_t i = 0; i < n; i++)
        dk_transitions_insert(story->transition, story->count++, &out[i]);
}

static inline void happens(struct story *story, int64_t at_us, uint32_t kind, const void *body)
{
    happens_by(story, at_us, kind, body, ACT_AGENT, 0);
}

static inline void opened(struct story *story, int64_t at_us, Docket__Priority priority)
{
    Docket__Opened body = DOCKET__OPENED__INIT;
    body.has_priority = 1;
    body.priority = priority;
    body.message = test_text("it does not work");
    happens_by(story, at_us, DK_KIND_OPENED, &body, ACT_CUSTOMER, 0);
}

static inline void message(struct story *story, int64_t at_us, Docket__Direction direction)
{
    Docket__MessagePublic body = DOCKET__MESSAGE_PUBLIC__INIT;
    body.direction = direction;
    happens_by(story, at_us, DK_KIND_MESSAGE_PUBLIC, &body,
               direction == DOCKET__DIRECTION__DIRECTION_INBOUND ? ACT_CUSTOMER : ACT_AGENT, 0);
}

static inline void customer_writes(struct story *story, int64_t at_us)
{
    message(story, at_us, DOCKET__DIRECTION__DIRECTION_INBOUND);
}

static inline void agent_replies(struct story *story, int64_t at_us)
{
    message(story, at_us, DOCKET__DIRECTION__DIRECTION_OUTBOUND);
}

static inline void agent_asks(struct story *story, int64_t at_us)
{
    Docket__MessagePublic body = DOCKET__MESSAGE_PUBLIC__INIT;
    body.direction = DOCKET__DIRECTION__DIRECTION_OUTBOUND;
    body.has_question = body.question = 1;
    happens(story, at_us, DK_KIND_MESSAGE_PUBLIC, &body);
}

static inline void status(struct story *story, int64_t at_us, Docket__Status to)
{
    Docket__StatusChanged body = DOCKET__STATUS_CHANGED__INIT;
    body.status = to;
    happens(story, at_us, DK_KIND_STATUS_CHANGED, &body);
}

static inline void pending(struct story *story, int64_t at_us, Docket__Pending whom)
{
    Docket__StatusChanged body = DOCKET__STATUS_CHANGED__INIT;
    body.status = DOCKET__STATUS__STATUS_PENDING;
    body.has_pending = 1;
    body.pending = whom;
    happens(story, at_us, DK_KIND_STATUS_CHANGED, &body);
}

static inline void solved(struct story *story, int64_t at_us)
{
    status(story, at_us, DOCKET__STATUS__STATUS_SOLVED);
}

static inline void reopened(struct story *story, int64_t at_us)
{
    status(story, at_us, DOCKET__STATUS__STATUS_OPEN);
}

static inline void reprioritized(struct story *story, int64_t at_us, Docket__Priority priority)
{
    Docket__Classified body = DOCKET__CLASSIFIED__INIT;
    body.has_priority = 1;
    body.priority = priority;
    happens(story, at_us, DK_KIND_CLASSIFIED, &body);
}

static inline void routed(struct story *story, int64_t at_us, uint64_t group)
{
    Docket__Routed body = DOCKET__ROUTED__INIT;
    body.line = 1;
    body.group = group;
    happens_by(story, at_us, DK_KIND_ROUTED, &body, ACT_NODE, 0);
}

/* ---------------------------------------------------------------- what comes of it */

/* Instance number `instance` of a metric's clocks as of `until_us`, or NULL. */
static inline const struct dk_clock *clock_until(struct story *story, int64_t until_us,
                                                 Docket__Metric metric, uint32_t instance)
{
    dk_clocks_compute(&story->clocks, story->transition, story->count, story->refs, until_us);
    for (size_t i = 0; i < story->clocks.count; i++)
        if (story->clocks.clock[i].metric == metric && story->clocks.clock[i].instance == instance)
            return &story->clocks.clock[i];
    return NULL;
}

/* For cmocka: each test tells a story of its own. */
static inline int setup(void **state)
{
    struct story *story = calloc(1, sizeof *story);
    DK_ASSERT(story != NULL);
    story_begin(story);
    *state = story;
    return 0;
}

static inline int teardown(void **state)
{
    story_end(*state);
    free(*state);
    return 0;
}

#endif
