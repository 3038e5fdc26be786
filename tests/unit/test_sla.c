/* The SLA role: what it says of clocks, when, and that nothing is said twice. */
#include "tests/unit/sla_world.h"
#include <jansson.h>

static void test_sla_starts_clocks_with_what_they_rest_on(void **state)
{
    struct role_world *w = *state;
    (void)sla_opened(w, NORMAL);
    uint64_t opened = w->count;
    int64_t opened_us = w->now_us;
    ASSERT_EQ(sla_settle(w), 2);
    const Docket__ClockStarted *first = world_body(w, opened + 1, DK_KIND_CLOCK_STARTED);
    const Docket__ClockStarted *second = world_body(w, opened + 2, DK_KIND_CLOCK_STARTED);
    ASSERT_EQ(first->clock->metric, FIRST_REPLY);
    ASSERT_EQ(first->clock->instance, 1);
    ASSERT_EQ(first->due_us, opened_us + TARGET_REPLY);
    ASSERT_EQ(first->decision->cause, opened);
    ASSERT_EQ(second->clock->metric, RESOLUTION);
    ASSERT_EQ(second->target_us, TARGET_RESOLUTION);
    ASSERT_EQ(second->policy, test_id(DK_SUBJECT_POLICY, "default"));
    ASSERT_EQ(second->policy_version, 1);
    ASSERT_EQ(second->goal, 1);
    ASSERT_EQ(second->priority, NORMAL);
    ASSERT_EQ(sla_settle(w), 0);
    ASSERT_EQ(dk_folder_next_due_us(w->folder), opened_us + TARGET_REPLY / 2);
}

/* S12: each level once, then the breach, each at its time; then silence. */
static void test_sla_warns_and_breaches_on_time(void **state)
{
    struct role_world *w = *state;
    (void)sla_opened(w, NORMAL);
    int64_t opened_us = w->now_us;
    (void)sla_wait_until(w, opened_us + TARGET_REPLY / 2);
    const Docket__ClockWarned *warned = sla_last(w, DK_KIND_CLOCK_WARNED);
    ASSERT_EQ(warned->level, 50);
    ASSERT_EQ(warned->due_us, opened_us + TARGET_REPLY / 2);
    ASSERT_EQ(warned->late_by_us, 0);
    (void)sla_wait_until(w, opened_us + 2 * TARGET_REPLY);
    const Docket__ClockBreached *breached = sla_last(w, DK_KIND_CLOCK_BREACHED);
    ASSERT_EQ(breached->due_us, opened_us + TARGET_REPLY);
    ASSERT_EQ(breached->late_by_us, 0);
    ASSERT_EQ(breached->clock->metric, FIRST_REPLY);
    (void)sla_wait_until(w, opened_us + 20 * TARGET_RESOLUTION);
    ASSERT_EQ(sla_count(w, 1, DK_KIND_CLOCK_WARNED, NULL), 4);
    ASSERT_EQ(sla_count(w, 1, DK_KIND_CLOCK_BREACHED, NULL), 2);
    ASSERT_EQ(dk_folder_next_due_us(w->folder), INT64_MAX);
}

/* S12: what came due while nothing ran is said once, with its due and how late that is. */
static void test_sla_after_downtime(void **state)
{
    struct role_world *w = *state;
    uint64_t ticket = sla_opened(w, NORMAL);
    int64_t opened_us = w->now_us;
    (void)sla_settle(w);
    w->now_us = opened_us + 3 * TARGET_REPLY;
    world_restart(w);
    int64_t now_us = w->now_us;
    ASSERT_EQ(sla_settle(w), 3);
    const Docket__ClockBreached *breached = sla_last(w, DK_KIND_CLOCK_BREACHED);
    ASSERT_EQ(breached->due_us, opened_us + TARGET_REPLY);
    ASSERT_EQ(breached->late_by_us, now_us - breached->due_us);
    ASSERT_EQ(sla_count(w, 1, DK_KIND_CLOCK_WARNED, NULL), 2);
    world_restart(w);
    ASSERT_EQ(sla_settle(w), 0);
    /* What was fulfilled meanwhile needs no warning any more. */
    (void)sla_solved(w, ticket);
    w->now_us += TARGET_RESOLUTION;
    ASSERT_EQ(sla_settle(w), 1);
    (void)sla_last(w, DK_KIND_CLOCK_MET);
}

static void test_sla_pauses_resumes_and_meets(void **state)
{
    struct role_world *w = *state;
    uint64_t ticket = sla_opened(w, NORMAL);
    int64_t opened_us = w->now_us;
    (void)sla_settle(w);
    w->now_us = opened_us + DK_HOUR_US / 4 - WORLD_STEP_US;
    (void)sla_replies(w, ticket, 0);
    ASSERT_EQ(sla_settle(w), 1);
    const Docket__ClockMet *met = sla_last(w, DK_KIND_CLOCK_MET);
    ASSERT_EQ(met->clock->metric, FIRST_REPLY);
    ASSERT_EQ(met->elapsed_us, DK_HOUR_US / 4);
    ASSERT_EQ(met->wall_us, DK_HOUR_US / 4);
    ASSERT_EQ(met->met_us, opened_us + DK_HOUR_US / 4);
    w->now_us = opened_us + DK_HOUR_US - WORLD_STEP_US;
    (void)sla_status(w, ticket, 0, DOCKET__STATUS__STATUS_PENDING, CUSTOMER);
    ASSERT_EQ(sla_settle(w), 1);
    const Docket__ClockPaused *paused = sla_last(w, DK_KIND_CLOCK_PAUSED);
    ASSERT_EQ(paused->elapsed_us, DK_HOUR_US);
    ASSERT_EQ(dk_folder_next_due_us(w->folder), INT64_MAX);
    w->now_us = opened_us + 50 * DK_HOUR_US - WORLD_STEP_US;
    uint64_t woken = sla_writes(w, ticket, 0);
    ASSERT_EQ(sla_settle(w), 1);
    const Docket__ClockResumed *resumed = sla_last(w, DK_KIND_CLOCK_RESUMED);
    ASSERT_EQ(resumed->due_us, opened_us + 57 * DK_HOUR_US);
    ASSERT_EQ(resumed->elapsed_us, DK_HOUR_US);
    ASSERT_EQ(resumed->decision->cause, woken);
}

/* S6: another goal is said by another ClockStarted of the same clock. */
static void test_S6_change_of_goal_is_said(void **state)
{
    struct role_world *w = *state;
    uint64_t ticket = sla_opened(w, NORMAL);
    int64_t opened_us = w->now_us;
    (void)sla_settle(w);
    w->now_us = opened_us + DK_HOUR_US / 4;
    uint64_t changed = sla_reprioritized(w, ticket, 0, HIGH);
    ASSERT_EQ(sla_settle(w), 1);
    const Docket__ClockStarted *started = world_body(w, changed + 1, DK_KIND_CLOCK_STARTED);
    ASSERT_EQ(started->clock->instance, 1);
    ASSERT_EQ(started->due_us, opened_us + 2 * DK_HOUR_US);
    ASSERT_EQ(started->priority, HIGH);
    ASSERT_EQ(started->decision->cause, changed);
}

/* S6: nothing left breaches at once, by the change. */
static void test_S6_breach_by_change_is_said(void **state)
{
    struct role_world *w = *state;
    uint64_t ticket = sla_opened(w, NORMAL);
    (void)sla_replies(w, ticket, 0);
    (void)sla_wait_until(w, w->now_us + 3 * DK_HOUR_US);
    (void)sla_reprioritized(w, ticket, 0, HIGH);
    int64_t changed_us = w->now_us;
    ASSERT_EQ(sla_settle(w), 2); /* the goal, the breach; no warnings */
    const Docket__ClockBreached *breached = sla_last(w, DK_KIND_CLOCK_BREACHED);
    ASSERT_EQ(breached->due_us, changed_us);
    ASSERT_EQ(breached->cause, DOCKET__BREACH_CAUSE__BREACH_POLICY_CHANGE);
}

/* S9: a met resolution resumes when its ticket is reopened. */
static void test_S9_reopening_is_said(void **state)
{
    struct role_world *w = *state;
    uint64_t ticket = sla_opened(w, NORMAL);
    (void)sla_replies(w, ticket, 0);
    (void)sla_solved(w, ticket);
    (void)sla_settle(w);
    w->now_us += 10 * DK_HOUR_US;
    uint64_t woken = sla_writes(w, ticket, 0);
    int64_t woken_us = w->now_us;
    ASSERT_EQ(sla_settle(w), 1);
    const Docket__ClockResumed *resumed = world_body(w, woken + 1, DK_KIND_CLOCK_RESUMED);
    ASSERT_EQ(resumed->due_us, woken_us + TARGET_RESOLUTION - 2 * WORLD_STEP_US);
    (void)sla_solved(w, ticket);
    ASSERT_EQ(sla_settle(w), 1);
    ASSERT_EQ(sla_count(w, woken, DK_KIND_CLOCK_MET, NULL), 1);
    ASSERT_EQ(sla_count(w, 1, DK_KIND_CLOCK_CORRECTED, NULL), 0);
}

/* S10 */
static void test_S10_merge_cancels(void **state)
{
    struct role_world *w = *state;
    Docket__MergedInto body = DOCKET__MERGED_INTO__INIT;
    uint64_t ticket = sla_opened(w, NORMAL);
    (void)sla_settle(w);
    body.target = dk_ticket_make(7, 99);
    (void)sla_happens(w, ticket, 0, DK_KIND_MERGED_INTO, &body, ACT_AGENT);
    ASSERT_EQ(sla_settle(w), 2);
    const Docket__ClockCancelled *cancelled = sla_last(w, DK_KIND_CLOCK_CANCELLED);
    ASSERT_EQ(cancelled->cause, DOCKET__CANCEL_CAUSE__CANCEL_MERGED);
    ASSERT_EQ(sla_wait_until(w, w->now_us + 20 * TARGET_RESOLUTION), 0);
}

/* T1: an offline desk's reply that occurred before the breach corrects it. */
static void test_T1_late_reply_corrects(void **state)
{
    struct role_world *w = *state;
    uint64_t ticket = sla_opened(w, NORMAL);
    int64_t opened_us = w->now_us;
    (void)sla_wait_until(w, opened_us + 2 * TARGET_REPLY);
    uint64_t late = sla_replies(w, ticket, opened_us + TARGET_REPLY);
    ASSERT_EQ(sla_settle(w), 1);
    const Docket__ClockCorrected *corrected = world_body(w, late + 1, DK_KIND_CLOCK_CORRECTED);
    ASSERT_EQ(corrected->clock->metric, FIRST_REPLY);
    ASSERT_EQ(corrected->from, BREACHED);
    ASSERT_EQ(corrected->to, MET);
    ASSERT_EQ(corrected->met_us, opened_us + TARGET_REPLY);
    ASSERT_EQ(corrected->because, late);
    world_restart(w);
    ASSERT_EQ(sla_settle(w), 0);
}

/* T1: a late change can break what was met, and move when it broke. */
static void test_T1_late_change_of_goal_corrects(void **state)
{
    struct role_world *w = *state;
    uint64_t ticket = sla_opened(w, NORMAL);
    int64_t opened_us = w->now_us;
    (void)sla_replies(w, ticket, 0);
    (void)sla_wait_until(w, opened_us + 3 * DK_HOUR_US);
    (void)sla_solved(w, ticket);
    (void)sla_settle(w);
    uint64_t late = sla_reprioritized(w, ticket, opened_us + DK_HOUR_US, HIGH);
    ASSERT_EQ(sla_settle(w), 1);
    const Docket__ClockCorrected *corrected = world_body(w, late + 1, DK_KIND_CLOCK_CORRECTED);
    ASSERT_EQ(corrected->from, MET);
    ASSERT_EQ(corrected->to, BREACHED);
    ASSERT_EQ(corrected->due_us, opened_us + 2 * DK_HOUR_US);
    (void)sla_reprioritized(w, ticket, opened_us + DK_HOUR_US - 1, CRITICAL);
    (void)sla_reprioritized(w, ticket, opened_us + 5 * DK_HOUR_US / 2, NORMAL);
    ASSERT_EQ(sla_settle(w), 0); /* it broke at two hours, whatever came after */
}

/* T1, S7: a definition that comes in late corrects, too, and is named. */
static void test_T1_late_definition_corrects(void **state)
{
    struct role_world *w = *state;
    Docket__PolicyDefined *stricter = promised(RESOLUTION, DK_HOUR_US, 0);
    uint64_t ticket = sla_opened(w, NORMAL);
    int64_t opened_us = w->now_us;
    (void)sla_replies(w, ticket, 0);
    (void)sla_wait_until(w, opened_us + 2 * DK_HOUR_US);
    (void)sla_solved(w, ticket);
    (void)sla_settle(w);
    stricter->definition->has_effective_us = stricter->has_publish = 1;
    stricter->definition->effective_us = opened_us + DK_HOUR_US / 2;
    stricter->publish = DOCKET__PUBLICATION__PUBLISH_OPEN;
    uint64_t late = world_define(w, DK_KIND_POLICY_DEFINED, stricter);
    ASSERT_EQ(sla_settle(w), 1);
    const Docket__ClockCorrected *corrected = world_body(w, late + 1, DK_KIND_CLOCK_CORRECTED);
    ASSERT_EQ(corrected->from, MET);
    ASSERT_EQ(corrected->to, BREACHED);
    ASSERT_EQ(corrected->due_us, opened_us + DK_HOUR_US);
    ASSERT_EQ(corrected->because, late);
    ASSERT_EQ(corrected->decision->cause, late);
}

/* T1: nothing is owed for historical tickets; adopted ones are live from then on, and what was
 * overdue is listed. */
static void test_T1_historical_and_adopted(void **state)
{
    struct role_world *w = *state;
    Docket__Opened body = DOCKET__OPENED__INIT;
    Docket__Adopted adopted = DOCKET__ADOPTED__INIT;
    struct dk_buf json;
    struct dk_err err;
    uint64_t ticket = dk_ticket_make(7, ++w->tickets);
    struct dk_envelope envelope = {
        .subject = ticket, .actor = ACT_IMPORTER, .flags = DOCKET__EVENT_FLAG__FLAG_IMPORTED};
    (void)world_append_as(w, envelope, DK_KIND_OPENED, &body);
    int64_t opened_us = w->now_us;
    ASSERT_EQ(sla_wait_until(w, opened_us + 3 * DK_HOUR_US), 0);
    envelope.flags = 0;
    (void)world_append_as(w, envelope, DK_KIND_ADOPTED, &adopted);
    ASSERT_EQ(sla_settle(w), 1);
    const Docket__ClockStarted *started = sla_last(w, DK_KIND_CLOCK_STARTED);
    ASSERT_EQ(started->clock->metric, RESOLUTION);
    ASSERT_EQ(started->due_us, opened_us + TARGET_RESOLUTION);
    dk_buf_init(&json, 1 << 20);
    ASSERT_OK(dk_folder_query(w->folder, "overdue", NULL, 0, &json, &err), &err);
    ASSERT_CONTAINS(dk_buf_string(&json), "[{\"ticket\":\"7-1\",\"metric\":\"first-reply\"");
    dk_buf_close(&json);
    (void)sla_wait_until(w, opened_us + 30 * DK_HOUR_US);
    ASSERT_EQ(sla_count(w, 1, DK_KIND_CLOCK_BREACHED, NULL), 1); /* of the resolution */
    ASSERT_EQ(sla_count(w, 1, DK_KIND_CLOCK_WARNED, NULL), 2);
}

/* A calendar that changes moves what is due, and is said. */
static void test_S1_change_of_calendar_is_said(void **state)
{
    struct role_world *w = *state;
    Docket__PolicyDefined *policy = new_policy("office", DOCKET__POLICY_TYPE__POLICY_SLA, 1);
    policy->calendar = test_id(DK_SUBJECT_CALENDAR, "office");
    policy->has_calendar = 1;
    add_goal(policy, RESOLUTION, ANY, 40 * DK_HOUR_US);
    (void)world_define(w, DK_KIND_CALENDAR_DEFINED, test_hours("office", "UTC", 5, 0, 24));
    (void)world_define(w, DK_KIND_POLICY_DEFINED, policy);
    w->now_us = test_at("2026-03-02T08:00:00Z") - WORLD_STEP_US;
    (void)sla_opened(w, NORMAL);
    (void)sla_settle(w);
    const Docket__ClockStarted *started = sla_last(w, DK_KIND_CLOCK_STARTED);
    ASSERT_EQ(started->due_us, test_at("2026-03-04T00:00:00Z"));
    ASSERT_EQ(started->calendar_version, 1);
    Docket__CalendarDefined *shorter = test_hours("office", "UTC", 5, 0, 12);
    shorter->definition->has_effective_us = 1;
    shorter->definition->effective_us = test_at("2026-03-03T00:00:00Z");
    (void)world_define(w, DK_KIND_CALENDAR_DEFINED, shorter);
    ASSERT_EQ(sla_settle(w), 1);
    const Docket__ClockResumed *moved = sla_last(w, DK_KIND_CLOCK_RESUMED);
    ASSERT_EQ(moved->due_us, test_at("2026-03-04T12:00:00Z"));
}

/* S1: what has run is the sum over all stretches, also when only the due moves: by a published
 * calendar, or by a late event that takes a pause away. */
static void test_S1_resumed_says_all_that_has_run(void **state)
{
    struct role_world *w = *state;
    Docket__PolicyDefined *policy = new_policy("office", DOCKET__POLICY_TYPE__POLICY_SLA, 1);
    Docket__CalendarDefined *shorter = test_hours("office", "UTC", 5, 0, 12);
    policy->has_calendar = shorter->definition->has_effective_us = 1;
    policy->calendar = test_id(DK_SUBJECT_CALENDAR, "office");
    add_goal(policy, RESOLUTION, ANY, 40 * DK_HOUR_US);
    add_pause(policy, CUSTOMER);
    (void)world_define(w, DK_KIND_CALENDAR_DEFINED, test_hours("office", "UTC", 5, 0, 24));
    (void)world_define(w, DK_KIND_POLICY_DEFINED, policy);
    w->now_us = test_at("2026-03-02T08:00:00Z");
    uint64_t ticket = sla_opened(w, NORMAL);
    int64_t opened_us = w->now_us;
    (void)sla_wait_until(w, opened_us + DK_HOUR_US);
    (void)sla_status(w, ticket, 0, DOCKET__STATUS__STATUS_PENDING, CUSTOMER);
    int64_t paused_us = w->now_us;
    (void)sla_wait_until(w, opened_us + 2 * DK_HOUR_US);
    (void)sla_writes(w, ticket, 0);
    int64_t resumed_us = w->now_us;
    ASSERT_EQ(sla_settle(w), 1);
    ASSERT_EQ(((const Docket__ClockResumed *)sla_last(w, DK_KIND_CLOCK_RESUMED))->elapsed_us,
              paused_us - opened_us);

    w->now_us = opened_us + 3 * DK_HOUR_US;
    shorter->definition->effective_us = test_at("2026-03-03T00:00:00Z");
    uint64_t cause = world_define(w, DK_KIND_CALENDAR_DEFINED, shorter);
    int64_t decided_us = w->now_us;
    ASSERT_EQ(sla_settle(w), 1);
    const Docket__ClockResumed *moved = sla_last(w, DK_KIND_CLOCK_RESUMED);
    ASSERT_EQ(moved->elapsed_us, decided_us - opened_us - (resumed_us - paused_us));
    ASSERT_EQ(moved->decision->cause, cause);

    cause = sla_writes(w, ticket, paused_us + 1);
    decided_us = w->now_us;
    ASSERT_EQ(sla_settle(w), 1);
    moved = sla_last(w, DK_KIND_CLOCK_RESUMED);
    ASSERT_EQ(moved->elapsed_us, decided_us - opened_us - 1);
    ASSERT_EQ(moved->decision->cause, cause);
}

/* S5: a clock says the tier, contract and site that it rested on; another contract is said. */
static void test_S5_what_a_clock_rested_on(void **state)
{
    struct role_world *w = *state;
    static const struct {
        const char *company, *tier, *contract;
    } companies[] = {{"acme", "gold", "acme-2026"}, {"bold", "silver", "bold-2026"}};
    Docket__GroupDefined group = DOCKET__GROUP_DEFINED__INIT;
    group.definition = test_definition("desk");
    group.line = 1;
    group.has_site = 1;
    group.site = 3;
    (void)world_define(w, DK_KIND_GROUP_DEFINED, &group);
    for (size_t i = 0; i < 2; i++) {
        Docket__CompanyDefined company = DOCKET__COMPANY_DEFINED__INIT;
        Docket__CustomerDefined customer = DOCKET__CUSTOMER_DEFINED__INIT;
        company.definition = test_definition(companies[i].company);
        company.has_tier = company.has_contract = 1;
        company.tier = test_bytes(companies[i].tier);
        company.contract = test_id(DK_SUBJECT_CONTRACT, companies[i].contract);
        (void)world_define(w, DK_KIND_COMPANY_DEFINED, &company);
        customer.definition = test_definition(i == 0 ? "carl" : "dora");
        customer.has_company = 1;
        customer.company = test_id(DK_SUBJECT_COMPANY, companies[i].company);
        (void)world_define(w, DK_KIND_CUSTOMER_DEFINED, &customer);
    }
    Docket__Opened body = DOCKET__OPENED__INIT;
    Docket__RequesterChanged changed = DOCKET__REQUESTER_CHANGED__INIT;
    body.message = test_text("it does not work");
    body.has_customer = body.has_group = 1;
    body.customer = test_id(DK_SUBJECT_CUSTOMER, "carl");
    body.group = test_id(DK_SUBJECT_GROUP, "desk");
    uint64_t ticket = world_open_ticket(w, &body);
    (void)sla_settle(w);
    const Docket__ClockStarted *started = sla_last(w, DK_KIND_CLOCK_STARTED);
    ASSERT_EQ(started->tier.len, 4);
    assert_memory_equal(started->tier.data, "gold", 4);
    ASSERT_EQ(started->contract, test_id(DK_SUBJECT_CONTRACT, "acme-2026"));
    ASSERT_EQ(started->site, 3);
    changed.customer = test_id(DK_SUBJECT_CUSTOMER, "dora");
    (void)sla_happens(w, ticket, 0, DK_KIND_REQUESTER_CHANGED, &changed, ACT_AGENT);
    ASSERT_EQ(sla_settle(w), 2);
    started = sla_last(w, DK_KIND_CLOCK_STARTED);
    ASSERT_EQ(started->tier.len, 6);
    ASSERT_EQ(started->contract, test_id(DK_SUBJECT_CONTRACT, "bold-2026"));
}

/* S12: offsets beside levels, each once a clock, whatever becomes of the target; late after
 * downtime, and with its own due. */
static void test_S12_offsets_are_said_once(void **state)
{
    struct role_world *w = *state;
    Docket__PolicyDefined *policy = promised(RESOLUTION, 4 * DK_HOUR_US, 0);
    uint64_t before_us[] = {(uint64_t)DK_HOUR_US, (uint64_t)(2 * DK_HOUR_US)};
    add_goal(policy, RESOLUTION, LOW, 10 * DK_HOUR_US);
    add_warning(policy, 50);
    policy->n_warn_before_us = 2;
    policy->warn_before_us = before_us;
    (void)world_define(w, DK_KIND_POLICY_DEFINED, policy);
    uint64_t ticket = sla_opened(w, NORMAL);
    int64_t opened_us = w->now_us;
    (void)sla_wait_until(w, opened_us + 3 * DK_HOUR_US - 1);
    ASSERT_EQ(sla_count(w, 1, DK_KIND_CLOCK_WARNED, NULL), 2); /* 50 %, which is 2 h before */
    w->now_us = opened_us + 3 * DK_HOUR_US + DK_MINUTE_US;
    world_restart(w);
    (void)sla_settle(w);
    const Docket__ClockWarned *warned = sla_last(w, DK_KIND_CLOCK_WARNED);
    ASSERT_EQ(warned->has_level, 0);
    ASSERT_EQ(warned->before_us, DK_HOUR_US);
    ASSERT_EQ(warned->due_us, opened_us + 3 * DK_HOUR_US);
    ASSERT_EQ(warned->late_by_us, DK_MINUTE_US);
    (void)sla_reprioritized(w, ticket, 0, LOW);
    world_restart(w);
    (void)sla_wait_until(w, opened_us + 20 * DK_HOUR_US);
    ASSERT_EQ(sla_count(w, 1, DK_KIND_CLOCK_WARNED, NULL), 3);
    ASSERT_EQ(sla_count(w, 1, DK_KIND_CLOCK_BREACHED, NULL), 1);
}

/* S7: published to open tickets from an instant to come on: said then, also after a restart. */
static void test_S7_publication_is_said_at_its_instant(void **state)
{
    struct role_world *w = *state;
    Docket__PolicyDefined *policy = promised(RESOLUTION, 4 * DK_HOUR_US, 0);
    uint64_t ticket = sla_opened(w, NORMAL), solved = sla_opened(w, NORMAL);
    int64_t opened_us = w->now_us - WORLD_STEP_US, effective_us = opened_us + DK_HOUR_US / 4;
    (void)sla_solved(w, solved);
    (void)sla_settle(w);
    policy->definition->has_effective_us = policy->has_publish = 1;
    policy->definition->effective_us = effective_us;
    policy->publish = DOCKET__PUBLICATION__PUBLISH_OPEN;
    uint64_t published = world_define(w, DK_KIND_POLICY_DEFINED, policy);
    ASSERT_EQ(sla_settle(w), 0);
    world_restart(w);
    ASSERT_EQ(sla_wait_until(w, effective_us - 1), 0);
    (void)sla_wait_until(w, effective_us + DK_SECOND_US);
    ASSERT_EQ(sla_count(w, published, DK_KIND_CLOCK_STARTED, NULL), 1);
    const Docket__ClockStarted *started = sla_last(w, DK_KIND_CLOCK_STARTED);
    ASSERT_EQ(started->policy_version, 2);
    ASSERT_EQ(started->due_us, opened_us + 4 * DK_HOUR_US);
    ASSERT_EQ(started->decision->cause, published);
    /* First reply is not promised any more; of the solved ticket that was over. */
    ASSERT_EQ(sla_count(w, published, DK_KIND_CLOCK_CANCELLED, NULL), 2);
    (void)ticket;
}

static json_t *ask_with(struct role_world *w, const char *name, const char *const *argument,
                        size_t count)
{
    struct dk_buf buf;
    struct dk_err err;
    dk_buf_init(&buf, 1 << 20);
    ASSERT_OK(dk_folder_query(w->folder, name, argument, count, &buf, &err), &err);
    json_t *json = json_loadb((const char *)buf.data, buf.size, 0, NULL);
    ASSERT_TRUE(json != NULL);
    dk_buf_close(&buf);
    return json;
}

static json_t *ask(struct role_world *w, const char *name, const char *argument)
{
    return ask_with(w, name, &argument, 1);
}

/* As of an instant before the reply to 7-2 it was not there, and before 7-2 nothing was. */
static void assert_first_reply_waited(struct role_world *w, int64_t opened_us)
{
    char text[DK_TIME_TEXT_BYTES], at[DK_TIME_TEXT_BYTES + 4];
    const char *const arguments[] = {"ticket=7-2", at};
    (void)snprintf(at, sizeof at, "at=%s", dk_time_format(opened_us, 0, text));
    json_t *json = ask_with(w, "clocks", arguments, 2);
    json_t *reply = json_array_get(json_object_get(json, "clocks"), 0);
    ASSERT_STR(json_string_value(json_object_get(reply, "metric")), "first-reply");
    ASSERT_STR(json_string_value(json_object_get(reply, "verdict")), "running");
    ASSERT_TRUE(json_is_null(json_object_get(reply, "ended")));
    json_decref(json);
    (void)snprintf(at, sizeof at, "at=%s", dk_time_format(opened_us - 1, 0, text));
    json = ask_with(w, "clocks", arguments, 2);
    ASSERT_EQ(json_array_size(json_object_get(json, "clocks")), 0);
    json_decref(json);
}

/* What is never due, as its calendar ends before, is not due next; and a number is a number. */
static void test_sla_tells_what_is_due_next(void **state)
{
    static const char *const wrong[] = {"n=0", "n=2x", "n=x", "n=10001", "n=-1"};
    struct role_world *w = *state;
    Docket__PolicyDefined *policy = new_policy("never", DOCKET__POLICY_TYPE__POLICY_SLA, 1);
    Docket__Condition *low = add_condition(policy, DOCKET__CONDITION_FIELD__CONDITION_PRIORITY);
    low->number[low->n_number++] = LOW;
    add_goal(policy, RESOLUTION, ANY, DK_TIME_MAX_US);
    (void)world_define(w, DK_KIND_POLICY_DEFINED, policy);
    (void)sla_opened(w, LOW);
    (void)sla_opened(w, NORMAL);
    (void)sla_settle(w);
    json_t *json = ask(w, "due", "n=10");
    ASSERT_EQ(json_array_size(json), 2); /* first reply and resolution of the second */
    ASSERT_STR(json_string_value(json_object_get(json_array_get(json, 0), "ticket")), "7-2");
    json_decref(json);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct dk_buf buf;
        dk_buf_init(&buf, 1 << 16);
        ASSERT_CODE(dk_folder_query(w->folder, "due", &wrong[i], 1, &buf, NULL), DK_EINVAL);
        dk_buf_close(&buf);
    }
}

static void test_sla_answers_queries(void **state)
{
    struct role_world *w = *state;
    struct dk_buf buf;
    const char *nobody = "ticket=7-99";
    (void)sla_opened(w, LOW);
    (void)sla_settle(w);
    uint64_t ticket = sla_opened(w, HIGH);
    int64_t opened_us = w->now_us;
    (void)sla_settle(w);
    (void)sla_replies(w, ticket, 0);
    (void)sla_settle(w);
    json_t *json = ask(w, "clocks", "ticket=7-2");
    json_t *resolution = json_array_get(json_object_get(json, "clocks"), 1);
    ASSERT_STR(json_string_value(json_object_get(resolution, "metric")), "resolution");
    ASSERT_STR(json_string_value(json_object_get(resolution, "verdict")), "running");
    ASSERT_STR(json_string_value(json_object_get(resolution, "policy")), "default");
    ASSERT_STR(json_string_value(json_object_get(resolution, "priority")), "high");
    ASSERT_EQ(json_array_size(json_object_get(resolution, "warnings")), 2);
    ASSERT_EQ(json_array_size(json_object_get(resolution, "segments")), 1);
    json_decref(json);
    assert_first_reply_waited(w, opened_us);
    json = ask(w, "due", "n=2");
    ASSERT_EQ(json_array_size(json), 2);
    ASSERT_STR(json_string_value(json_object_get(json_array_get(json, 0), "ticket")), "7-1");
    ASSERT_STR(json_string_value(json_object_get(json_array_get(json, 1), "ticket")), "7-2");
    json_decref(json);
    dk_buf_init(&buf, 1 << 16);
    ASSERT_CODE(dk_folder_query(w->folder, "clocks", &nobody, 1, &buf, NULL), DK_ENOTFOUND);
    ASSERT_CODE(dk_folder_query(w->folder, "clocks", NULL, 0, &buf, NULL), DK_EINVAL);
    ASSERT_CODE(dk_folder_query(w->folder, "weather", NULL, 0, &buf, NULL), DK_ENOTFOUND);
    dk_buf_close(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sla_starts_clocks_with_what_they_rest_on, sla_setup,
                                        sla_teardown),
        cmocka_unit_test_setup_teardown(test_sla_warns_and_breaches_on_time, sla_setup,
                                        sla_teardown),
        cmocka_unit_test_setup_teardown(test_sla_after_downtime, sla_setup, sla_teardown),
        cmocka_unit_test_setup_teardown(test_sla_pauses_resumes_and_meets, sla_setup, sla_teardown),
        cmocka_unit_test_setup_teardown(test_S6_change_of_goal_is_said, sla_setup, sla_teardown),
        cmocka_unit_test_setup_teardown(test_S6_breach_by_change_is_said, sla_setup, sla_teardown),
        cmocka_unit_test_setup_teardown(test_S9_reopening_is_said, sla_setup, sla_teardown),
        cmocka_unit_test_setup_teardown(test_S10_merge_cancels, sla_setup, sla_teardown),
        cmocka_unit_test_setup_teardown(test_T1_late_reply_corrects, sla_setup, sla_teardown),
        cmocka_unit_test_setup_teardown(test_T1_late_change_of_goal_corrects, sla_setup,
                                        sla_teardown),
        cmocka_unit_test_setup_teardown(test_T1_late_definition_corrects, sla_setup, sla_teardown),
        cmocka_unit_test_setup_teardown(test_T1_historical_and_adopted, sla_setup, sla_teardown),
        cmocka_unit_test_setup_teardown(test_S1_change_of_calendar_is_said, sla_setup,
                                        sla_teardown),
        cmocka_unit_test_setup_teardown(test_S1_resumed_says_all_that_has_run, sla_setup,
                                        sla_teardown),
        cmocka_unit_test_setup_teardown(test_S5_what_a_clock_rested_on, sla_setup, sla_teardown),
        cmocka_unit_test_setup_teardown(test_S12_offsets_are_said_once, sla_setup, sla_teardown),
        cmocka_unit_test_setup_teardown(test_S7_publication_is_said_at_its_instant, sla_setup,
                                        sla_teardown),
        cmocka_unit_test_setup_teardown(test_sla_tells_what_is_due_next, sla_setup, sla_teardown),
        cmocka_unit_test_setup_teardown(test_sla_answers_queries, sla_setup, sla_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
