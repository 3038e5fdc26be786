/* Whose a verdict or a reply is that the log learns of late: of who had the ticket at its own
 * instant. Monday is 2026-03-02. */
#include "tests/unit/analytics_site.h"

#define SLA(site, at, KIND, Type, TYPE, ...)                                                       \
    SAY_BY(site, 1, KIND, at, Type, TYPE, BY_NODE, 0,                                              \
           .clock = site_clock(DOCKET__METRIC__METRIC_RESOLUTION, 1), __VA_ARGS__)

static int setup(void **state)
{
    struct site *site = calloc(1, sizeof *site);
    site_open(site);
    OPEN(site, 1, "2026-03-02T09:00:00Z", .has_customer = 1, .customer = 1);
    ROUTE(site, 1, "2026-03-02T09:00:00Z", 1);
    *state = site;
    return 0;
}

static int teardown(void **state)
{
    site_close(*state);
    free(*state);
    return 0;
}

static char *group_key(unsigned n, char text[DK_ID_TEXT_BYTES])
{
    return dk_id_format(SITE_GROUP(n), text);
}

/* How many verdicts a group has as of now, and how many of them are hits. */
static void assert_verdicts(struct site *site, unsigned group, unsigned n, unsigned hits)
{
    char key[DK_ID_TEXT_BYTES], filter[64];
    (void)snprintf(filter, sizeof filter, "group=%s", group_key(group, key));
    json_t *report = KPI(site, "measures=sla-resolution", filter);
    ASSERT_FIGURE(report, NULL, "sla-resolution", "n", n);
    ASSERT_FIGURE(report, NULL, "sla-resolution", "hits", hits);
    json_decref(report);
}

static void test_kpi_late_breach_is_the_group_s_that_had_it_when_it_was_due(void **state)
{
    struct site *site = *state;
    ROUTE(site, 1, "2026-03-02T11:00:00Z", 2);
    SLA(site, "2026-03-02T12:00:00Z", CLOCK_BREACHED, ClockBreached, CLOCK_BREACHED,
        .due_us = test_at("2026-03-02T10:00:00Z"));
    assert_verdicts(site, 1, 1, 0);
    assert_verdicts(site, 2, 0, 0);
}

static void test_kpi_late_correction_is_the_group_s_that_had_it_then(void **state)
{
    struct site *site = *state;
    SLA(site, "2026-03-02T10:00:00Z", CLOCK_BREACHED, ClockBreached, CLOCK_BREACHED,
        .due_us = test_at("2026-03-02T10:00:00Z"));
    ROUTE(site, 1, "2026-03-02T11:00:00Z", 2);
    SLA(site, "2026-03-04T12:00:00Z", CLOCK_CORRECTED, ClockCorrected, CLOCK_CORRECTED,
        .from = DOCKET__VERDICT__VERDICT_BREACHED, .to = DOCKET__VERDICT__VERDICT_MET, .because = 1,
        .has_met_us = 1, .met_us = test_at("2026-03-02T09:30:00Z"));
    assert_verdicts(site, 1, 1, 1);
    assert_verdicts(site, 2, 0, 0);
    json_t *report = KPI(site, "measures=sla-resolution", "from=2026-03-02T09:30:00Z",
                         "to=2026-03-02T09:30:01Z");
    ASSERT_FIGURE(report, NULL, "sla-resolution", "hits", 1);
    json_decref(report);
}

/* The SLA node was down over the end of the month. */
static void test_kpi_late_fulfilment_counts_when_it_happened(void **state)
{
    struct site *site = *state;
    site_status(site, 1, "2026-03-31T23:00:00Z", DOCKET__STATUS__STATUS_SOLVED);
    SLA(site, "2026-04-01T08:00:00Z", CLOCK_MET, ClockMet, CLOCK_MET,
        .due_us = test_at("2026-04-02T09:00:00Z"), .has_met_us = 1,
        .met_us = test_at("2026-03-31T23:00:00Z"));
    json_t *report = KPI(site, "measures=sla-resolution", "to=2026-04-01");
    ASSERT_FIGURE(report, NULL, "sla-resolution", "hits", 1);
    json_decref(report);
    report = KPI(site, "measures=sla-resolution", "from=2026-04-01");
    ASSERT_FIGURE(report, NULL, "sla-resolution", "n", 0);
    json_decref(report);
}

/* S9: until it is fulfilled again it is neither met nor breached. */
static void test_kpi_clock_of_a_reopened_ticket_has_no_verdict(void **state)
{
    struct site *site = *state;
    SLA(site, "2026-03-02T10:00:00Z", CLOCK_RESUMED, ClockResumed, CLOCK_RESUMED,
        .due_us = test_at("2026-03-02T12:00:00Z"));
    assert_verdicts(site, 1, 0, 0);
    SLA(site, "2026-03-02T10:00:00Z", CLOCK_MET, ClockMet, CLOCK_MET,
        .due_us = test_at("2026-03-02T12:00:00Z"));
    assert_verdicts(site, 1, 1, 1);
    SLA(site, "2026-03-02T11:00:00Z", CLOCK_RESUMED, ClockResumed, CLOCK_RESUMED,
        .due_us = test_at("2026-03-02T12:00:00Z"));
    assert_verdicts(site, 1, 0, 0);
    SLA(site, "2026-03-02T12:00:00Z", CLOCK_BREACHED, ClockBreached, CLOCK_BREACHED,
        .due_us = test_at("2026-03-02T12:00:00Z"));
    assert_verdicts(site, 1, 1, 0);
}

/* A desk was offline. Whoever has the ticket now keeps it: backlogs and as-now values do not change
 * by what is learnt late. */
static void test_kpi_late_reply_is_the_group_s_that_had_it_then(void **state)
{
    struct site *site = *state;
    char key[DK_ID_TEXT_BYTES];
    ROUTE(site, 1, "2026-03-02T11:00:00Z", 2);
    REPLY(site, 1, "2026-03-02T10:00:00Z");
    json_t *report = KPI(site, "measures=first-reply", "by=group", "unit=h");
    ASSERT_FIGURE(report, group_key(1, key), "first-reply", "mean", 1);
    json_decref(report);
    report = KPI(site, "measures=first-reply", "by=group", "values=as-now");
    ASSERT_FIGURE(report, group_key(2, key), "first-reply", "n", 1);
    json_decref(report);
    report = site_report(site, "backlog", SITE_ARGUMENTS("by=group", "at=2026-03-02T12:00:00Z"));
    ASSERT_FIGURE(report, group_key(2, key), "backlog", "n", 1);
    json_decref(report);
    report = site_report(site, "backlog", SITE_ARGUMENTS("by=group", "at=2026-03-02T10:30:00Z"));
    ASSERT_FIGURE(report, group_key(1, key), "backlog", "n", 1);
    json_decref(report);
}

/* S10: what was logged on a ticket that went into another is the other one's, in its group. */
static void test_S10_logged_time_moves_with_a_merge(void **state)
{
    struct site *site = *state;
    char key[DK_ID_TEXT_BYTES], filter[64];
    OPEN(site, 2, "2026-03-02T09:10:00Z", .has_customer = 1, .customer = 1);
    ROUTE(site, 2, "2026-03-02T09:10:00Z", 2);
    SAY(site, 2, TIME_LOGGED, "2026-03-02T09:30:00Z", TimeLogged, TIME_LOGGED, .seconds = 600);
    SAY(site, 1, TIME_LOGGED, "2026-03-02T09:40:00Z", TimeLogged, TIME_LOGGED, .seconds = 60);
    for (int merged = 0; merged < 2; merged++) {
        static const double sum[2][2] = {{60, 600}, {660, 0}};
        if (merged)
            SAY(site, 2, MERGED_INTO, "2026-03-02T10:00:00Z", MergedInto, MERGED_INTO,
                .target = SITE_TICKET(1));
        for (unsigned group = 1; group <= 2; group++) {
            (void)snprintf(filter, sizeof filter, "group=%s", group_key(group, key));
            json_t *report = KPI(site, "measures=logged", filter);
            if (sum[merged][group - 1] > 0)
                ASSERT_FIGURE(report, NULL, "logged", "sum", sum[merged][group - 1]);
            else
                ASSERT_FIGURE(report, NULL, "logged", "n", 0);
            json_decref(report);
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_S10_logged_time_moves_with_a_merge),
        TEST(test_kpi_late_breach_is_the_group_s_that_had_it_when_it_was_due),
        TEST(test_kpi_late_correction_is_the_group_s_that_had_it_then),
        TEST(test_kpi_late_fulfilment_counts_when_it_happened),
        TEST(test_kpi_clock_of_a_reopened_ticket_has_no_verdict),
        TEST(test_kpi_late_reply_is_the_group_s_that_had_it_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
