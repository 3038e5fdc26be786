/* What is waited for, measure by measure, computed by hand. Monday is 2026-03-02; times are its. */
#include "tests/unit/analytics_site.h"

#define T(hours_minutes) "2026-03-02T" hours_minutes ":00Z"
#define PEND(site, number, at, whom)                                                               \
    SAY(site, number, STATUS_CHANGED, at, StatusChanged, STATUS_CHANGED,                           \
        .status = DOCKET__STATUS__STATUS_PENDING, .has_pending = 1,                                \
        .pending = DOCKET__PENDING__PENDING_##whom)
#define NOTE(site, number, at)                                                                     \
    SAY(site, number, NOTE_ADDED, at, NoteAdded, NOTE_ADDED, .text = NULL)
#define SUPPLIER(n) dk_id_make(DK_SUBJECT_SUPPLIER, (n))
#define HAND(site, number, at, n)                                                                  \
    SAY(site, number, SUPPLIER_HANDED, at, SupplierHanded, SUPPLIER_HANDED, .supplier = SUPPLIER(n))
#define RETURN(site, number, at, n, fixes)                                                         \
    SAY(site, number, SUPPLIER_RETURNED, at, SupplierReturned, SUPPLIER_RETURNED,                  \
        .supplier = SUPPLIER(n), .has_fixed = 1, .fixed = fixes)

static int setup(void **state)
{
    struct site *site = calloc(1, sizeof *site);
    site_open(site);
    *state = site;
    return 0;
}

static int teardown(void **state)
{
    site_close(*state);
    free(*state);
    return 0;
}

/* The samples of a measure in minutes: how many, what they come to, and the greatest; and how many
 * are unknown. */
static void assert_minutes(struct site *site, const char *measure, double n, double sum, double max,
                           double unknown)
{
    char argument[64];
    (void)snprintf(argument, sizeof argument, "measures=%s", measure);
    json_t *report = KPI(site, argument, "unit=m");
    ASSERT_FIGURE(report, NULL, measure, "n", n);
    ASSERT_FIGURE(report, NULL, measure, "unknown", unknown);
    if (n > 0) {
        ASSERT_FIGURE(report, NULL, measure, "sum", sum);
        ASSERT_FIGURE(report, NULL, measure, "max", max);
    }
    json_decref(report);
}

static void assert_share(struct site *site, const char *measure, const char *filter, double n,
                         double hits, double immature)
{
    char argument[64];
    (void)snprintf(argument, sizeof argument, "measures=%s", measure);
    json_t *report = KPI(site, argument, filter);
    ASSERT_FIGURE(report, NULL, measure, "n", n);
    ASSERT_FIGURE(report, NULL, measure, "hits", hits);
    ASSERT_FIGURE(report, NULL, measure, "immature", immature);
    json_decref(report);
}

/* ---------------------------------------------------------------- next-reply */

static void test_kpi_next_reply_is_a_sample_for_each_question_after_the_first_reply(void **state)
{
    struct site *site = *state;
    OPEN(site, 1, T("09:00"));
    ASK(site, 1, T("09:05")); /* before the first reply: S8 */
    REPLY(site, 1, T("09:10"));
    ASK(site, 1, T("10:00"));
    ASK(site, 1, T("10:20")); /* the oldest counts */
    REPLY(site, 1, T("10:25"), .has_automatic = 1, .automatic = 1);
    NOTE(site, 1, T("10:26"));
    REPLY(site, 1, T("10:30"));
    REPLY(site, 1, T("10:40")); /* nobody had asked */
    ASK(site, 1, T("11:00"));
    REPLY(site, 1, T("11:05"));
    ASK(site, 1, T("12:00")); /* waits still */
    assert_minutes(site, "next-reply", 2, 35, 30, 0);
}

static void test_kpi_next_reply_takes_what_comes_in_late_at_its_instant(void **state)
{
    struct site *site = *state;
    OPEN(site, 1, T("09:00"));
    REPLY(site, 1, T("09:10"));
    ASK(site, 1, T("10:00"));
    ASK(site, 1, T("10:30"));
    REPLY(site, 1, T("11:00"));
    assert_minutes(site, "next-reply", 1, 60, 60, 0);
    REPLY(site, 1, T("10:10")); /* a desk was offline */
    assert_minutes(site, "next-reply", 2, 40, 30, 0);
    ASK(site, 1, T("11:00")); /* S3: stop comes before start */
    REPLY(site, 1, T("11:30"));
    assert_minutes(site, "next-reply", 3, 70, 30, 0);
}

static void test_kpi_next_reply_of_closed_and_merged_tickets(void **state)
{
    struct site *site = *state;
    for (unsigned n = 1; n <= 3; n++) {
        OPEN(site, n, T("09:00"));
        REPLY(site, n, T("09:10"));
    }
    ASK(site, 1, T("10:00")); /* closed, and asked again: the first is nobody's debt */
    SOLVE(site, 1, T("10:10"));
    CLOSE(site, 1, T("10:20"));
    REOPEN(site, 1, T("11:00"));
    ASK(site, 1, T("11:00"));
    REPLY(site, 1, T("11:15"));
    ASK(site, 2, T("10:00")); /* goes into 3, which was asked at 10:30: S10 */
    ASK(site, 3, T("10:30"));
    SAY(site, 2, MERGED_INTO, T("10:40"), MergedInto, MERGED_INTO, .target = SITE_TICKET(3));
    SAY(site, 3, MERGED_FROM, T("10:40"), MergedFrom, MERGED_FROM, .source_ticket = SITE_TICKET(2),
        .has_unanswered_since_us = 1, .unanswered_since_us = test_at(T("10:00")));
    REPLY(site, 3, T("10:50"));
    assert_minutes(site, "next-reply", 2, 15 + 50, 50, 0);
}

/* ---------------------------------------------------------------- update */

static void test_kpi_update_runs_from_reply_to_reply_or_end_but_not_in_pending(void **state)
{
    struct site *site = *state;
    OPEN(site, 1, T("09:00"));
    REPLY(site, 1, T("09:10"));
    REPLY(site, 1, T("09:30")); /* 20 */
    PEND(site, 1, T("09:40"), CUSTOMER);
    site_status(site, 1, T("10:40"), DOCKET__STATUS__STATUS_OPEN);
    REPLY(site, 1, T("10:45"));  /* 10 + 5 */
    SOLVE(site, 1, T("11:15"));  /* 30 */
    REOPEN(site, 1, T("12:00")); /* silent until somebody replies */
    REPLY(site, 1, T("12:30"));
    CLOSE(site, 1, T("12:31")); /* 1 */
    OPEN(site, 2, T("09:00"));
    REPLY(site, 2, T("09:10")); /* runs still */
    assert_minutes(site, "update", 4, 66, 30, 0);
}

/* ---------------------------------------------------------------- requester-wait, agent-work */

static void test_kpi_requester_wait_and_agent_work_leave_pauses_out(void **state)
{
    struct site *site = *state;
    OPEN(site, 1, T("09:00"));
    site_status(site, 1, T("09:10"), DOCKET__STATUS__STATUS_OPEN);
    PEND(site, 1, T("09:30"), CUSTOMER); /* 30 of both; from here on of none */
    PEND(site, 1, T("10:00"), INTERNAL); /* of wait */
    PEND(site, 1, T("10:05"), SUPPLIER); /* of wait */
    site_status(site, 1, T("11:00"), DOCKET__STATUS__STATUS_OPEN);
    assert_minutes(site, "agent-work", 0, 0, 0, 0); /* it has not ended */
    SOLVE(site, 1, T("11:07"));
    assert_minutes(site, "agent-work", 1, 37, 37, 0);
    assert_minutes(site, "requester-wait", 1, 97, 97, 0);
    REOPEN(site, 1, T("13:00")); /* S9: goes on */
    SOLVE(site, 1, T("13:03"));
    assert_minutes(site, "agent-work", 1, 40, 40, 0);
    assert_minutes(site, "requester-wait", 1, 100, 100, 0);
    assert_minutes(site, "net-resolution", 0, 0, 0, 1); /* no policy told which pauses count */
}

static void test_kpi_requester_wait_of_a_pause_for_nobody_known_is_unknown(void **state)
{
    struct site *site = *state;
    SAY_BY(site, 1, OPENED, T("09:00"), Opened, OPENED, BY_AGENT, IMPORTED, .subject = NULL);
    SAY_BY(site, 1, STATUS_CHANGED, T("09:30"), StatusChanged, STATUS_CHANGED, BY_AGENT, IMPORTED,
           .status = DOCKET__STATUS__STATUS_PENDING);
    SAY_BY(site, 1, STATUS_CHANGED, T("10:00"), StatusChanged, STATUS_CHANGED, BY_AGENT, IMPORTED,
           .status = DOCKET__STATUS__STATUS_SOLVED);
    assert_minutes(site, "requester-wait", 0, 0, 0, 1);
    assert_minutes(site, "agent-work", 1, 30, 30, 0);
}

/* ---------------------------------------------------------------- with a group, a supplier */

static void test_kpi_group_ownership_is_of_the_group_that_had_it(void **state)
{
    struct site *site = *state;
    char filter[64], id[DK_ID_TEXT_BYTES];
    OPEN(site, 1, T("09:00"));
    ROUTE(site, 1, T("09:10"), 1);
    ROUTE(site, 1, T("09:40"), 2); /* 30 of group 1 */
    SOLVE(site, 1, T("10:00"));    /* 20 of group 2 */
    REOPEN(site, 1, T("11:00"));   /* a reopen starts a new one */
    SOLVE(site, 1, T("11:05"));    /* 5 */
    OPEN(site, 2, T("09:00"));
    ROUTE(site, 2, T("09:00"), 1);
    SAY(site, 2, MERGED_INTO, T("09:30"), MergedInto, MERGED_INTO, .target = SITE_TICKET(1));
    assert_minutes(site, "group-ownership", 3, 55, 30, 0);
    (void)snprintf(filter, sizeof filter, "group=%s", dk_id_format(SITE_GROUP(1), id));
    json_t *report = KPI(site, "measures=group-ownership", filter, "unit=m");
    ASSERT_FIGURE(report, NULL, "group-ownership", "n", 1);
    ASSERT_FIGURE(report, NULL, "group-ownership", "max", 30);
    json_decref(report);
}

/* An import's final instant of a solve may be older than the group's coming. */
static void test_kpi_group_ownership_is_never_less_than_nothing(void **state)
{
    struct site *site = *state;
    SAY_BY(site, 1, OPENED, T("09:00"), Opened, OPENED, BY_AGENT, IMPORTED, .subject = NULL);
    SAY_BY(site, 1, ROUTED, T("10:00"), Routed, ROUTED, BY_AGENT, IMPORTED, .group = SITE_GROUP(1));
    SAY_BY(site, 1, STATUS_CHANGED, T("10:30"), StatusChanged, STATUS_CHANGED, BY_AGENT, IMPORTED,
           .status = DOCKET__STATUS__STATUS_SOLVED, .has_final_us = 1,
           .final_us = test_at(T("09:50")));
    assert_minutes(site, "group-ownership", 1, 0, 0, 0);
}

/* A promise of a group that was kept by giving the ticket away is that group's. */
static void test_kpi_ola_kept_is_of_the_group_that_gave_it_away(void **state)
{
    struct site *site = *state;
    char filter[64], id[DK_ID_TEXT_BYTES];
    OPEN(site, 1, T("09:00"));
    ROUTE(site, 1, T("09:10"), 1);
    ROUTE(site, 1, T("09:40"), 2);
    SAY_BY(site, 1, CLOCK_MET, T("09:41"), ClockMet, CLOCK_MET, BY_NODE, 0,
           .clock = site_clock(DOCKET__METRIC__METRIC_GROUP_OWNERSHIP, 1),
           .due_us = test_at(T("12:00")), .has_met_us = 1, .met_us = test_at(T("09:40")));
    for (unsigned group = 1; group <= 2; group++) {
        (void)snprintf(filter, sizeof filter, "group=%s", dk_id_format(SITE_GROUP(group), id));
        assert_share(site, "sla-group-ownership", filter, group == 1, group == 1, 0);
    }
}

static void test_kpi_supplier_hold_and_its_promise_are_of_the_supplier_who_had_it(void **state)
{
    struct site *site = *state;
    char filter[64], id[DK_ID_TEXT_BYTES];
    OPEN(site, 1, T("09:00"));
    HAND(site, 1, T("09:10"), 7);
    RETURN(site, 1, T("09:40"), 7, 0); /* 30 */
    SAY_BY(site, 1, CLOCK_MET, T("09:41"), ClockMet, CLOCK_MET, BY_NODE, 0,
           .clock = site_clock(DOCKET__METRIC__METRIC_SUPPLIER, 1), .due_us = test_at(T("12:00")),
           .has_met_us = 1, .met_us = test_at(T("09:40")));
    HAND(site, 1, T("10:00"), 8);
    RETURN(site, 1, T("10:50"), 8, 1); /* 50 */
    HAND(site, 1, T("11:00"), 7);      /* has it still */
    assert_minutes(site, "supplier-hold", 2, 80, 50, 0);
    (void)snprintf(filter, sizeof filter, "supplier=%s", dk_id_format(SUPPLIER(7), id));
    json_t *report = KPI(site, "measures=supplier-hold,sla-supplier", filter, "unit=m");
    ASSERT_FIGURE(report, NULL, "supplier-hold", "n", 1);
    ASSERT_FIGURE(report, NULL, "supplier-hold", "max", 30);
    ASSERT_FIGURE(report, NULL, "sla-supplier", "hits", 1);
    json_decref(report);
}

static void test_kpi_fix_reopened_is_judged_once_the_days_have_ended(void **state)
{
    struct site *site = *state;
    for (unsigned n = 1; n <= 4; n++) {
        OPEN(site, n, T("09:00"));
        HAND(site, n, T("09:10"), 7);
        RETURN(site, n, T("09:40"), 7, n != 4); /* 4 was returned as it was */
    }
    for (unsigned n = 1; n <= 2; n++) {
        SOLVE(site, n, T("10:00"));
    }
    REOPEN(site, 1, "2026-03-03");
    assert_share(site, "fix-reopened", "unit=s", 0, 0, 3);
    OPEN(site, 5, "2026-03-16T10:00:00Z"); /* 14 days on; 3 was never solved */
    assert_share(site, "fix-reopened", "unit=s", 2, 1, 1);
}

/* ---------------------------------------------------------------- shares */

static void test_kpi_escalation_rate_is_of_tickets_that_have_ended(void **state)
{
    struct site *site = *state;
    for (unsigned n = 1; n <= 3; n++) {
        OPEN(site, n, T("09:00"));
        ROUTE(site, n, T("09:00"), 1);
        for (unsigned i = 0; n != 2 && i < 2; i++) {
            SAY(site, n, ESCALATED, T("09:10"), Escalated, ESCALATED,
                .type = DOCKET__ESCALATION_TYPE__ESCALATION_HIERARCHICAL);
        }
    }
    SOLVE(site, 1, T("10:00"));
    SOLVE(site, 2, T("10:00"));
    assert_share(site, "escalation-rate", "unit=s", 2, 1, 0);
}

static void test_kpi_pass_through_is_what_a_group_forwards_in_silence(void **state)
{
    struct site *site = *state;
    for (unsigned n = 1; n <= 4; n++) {
        OPEN(site, n, T("09:00"));
        ROUTE(site, n, T("09:00"), 1); /* its first group: nobody forwards it */
    }
    ROUTE(site, 1, T("09:30"), 2); /* in silence */
    NOTE(site, 2, T("09:10"));
    ROUTE(site, 2, T("09:30"), 2); /* with a note */
    ROUTE(site, 2, T("09:40"), 3); /* in silence: the note was the other group's */
    REPLY(site, 3, T("09:10"));
    ROUTE(site, 3, T("09:30"), 2); /* with a reply */
    ASK(site, 4, T("09:10"));
    ROUTE(site, 4, T("09:30"), 2); /* in silence: it was the customer who wrote */
    assert_share(site, "pass-through", "unit=s", 5, 3, 0);
    NOTE(site, 4, T("09:20")); /* comes in late */
    assert_share(site, "pass-through", "unit=s", 5, 2, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_kpi_next_reply_is_a_sample_for_each_question_after_the_first_reply),
        TEST(test_kpi_next_reply_takes_what_comes_in_late_at_its_instant),
        TEST(test_kpi_next_reply_of_closed_and_merged_tickets),
        TEST(test_kpi_update_runs_from_reply_to_reply_or_end_but_not_in_pending),
        TEST(test_kpi_requester_wait_and_agent_work_leave_pauses_out),
        TEST(test_kpi_requester_wait_of_a_pause_for_nobody_known_is_unknown),
        TEST(test_kpi_group_ownership_is_of_the_group_that_had_it),
        TEST(test_kpi_group_ownership_is_never_less_than_nothing),
        TEST(test_kpi_ola_kept_is_of_the_group_that_gave_it_away),
        TEST(test_kpi_supplier_hold_and_its_promise_are_of_the_supplier_who_had_it),
        TEST(test_kpi_fix_reopened_is_judged_once_the_days_have_ended),
        TEST(test_kpi_escalation_rate_is_of_tickets_that_have_ended),
        TEST(test_kpi_pass_through_is_what_a_group_forwards_in_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
