/* What each measure says of small histories that a reader can follow. Monday is 2026-03-02. */
#include "tests/unit/analytics_site.h"

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

/* ---------------------------------------------------------------- replies */

static void test_kpi_first_replies_are_told_apart(void **state)
{
    struct site *site = *state;
    OPEN(site, 1, "2026-03-02T09:00:00Z");
    SAY(site, 1, NOTE_ADDED, "2026-03-02T09:00:10Z", NoteAdded, NOTE_ADDED, .text = NULL);
    REPLY(site, 1, "2026-03-02T09:00:30Z", .has_automatic = 1, .automatic = 1);
    ASK(site, 1, "2026-03-02T09:01:00Z");
    ASSIGN(site, 1, "2026-03-02T09:05:00Z", 2);
    REPLY(site, 1, "2026-03-02T09:10:00Z");
    ASSIGN(site, 1, "2026-03-02T09:15:00Z", 1);
    REPLY(site, 1, "2026-03-02T09:20:00Z");
    json_t *report =
        KPI(site, "measures=first-response,first-public-reply,first-reply,first-owner-reply");
    ASSERT_FIGURE(report, NULL, "first-response", "mean", 10);
    ASSERT_FIGURE(report, NULL, "first-public-reply", "mean", 30);
    ASSERT_FIGURE(report, NULL, "first-reply", "mean", 600);
    ASSERT_FIGURE(report, NULL, "first-reply", "n", 1);
    ASSERT_FIGURE(report, NULL, "first-owner-reply", "mean", 1200);
    json_decref(report);
}

/* DOMAIN, SLA clocks: "from creation (from the first customer message, if an agent opened it by
 * internal notes)". */
static void test_kpi_first_reply_is_waited_for_once_the_customer_has_asked(void **state)
{
    struct site *site = *state;
    for (unsigned n = 1; n <= 4; n++) {
        SAY(site, n, OPENED, "2026-03-02T09:00:00Z", Opened, OPENED, .has_channel = 1,
            .channel = DOCKET__CHANNEL__CHANNEL_WEB);
    }
    /* 1 is asked about after two hours; 2 not before the agent has written; nobody asks about 3 */
    ASK(site, 1, "2026-03-02T11:00:00Z");
    REPLY(site, 1, "2026-03-02T11:20:00Z");
    ASK(site, 1, "2026-03-02T11:40:00Z");
    REPLY(site, 2, "2026-03-02T10:00:00Z");
    ASK(site, 2, "2026-03-02T11:00:00Z");
    REPLY(site, 2, "2026-03-02T12:00:00Z");
    REPLY(site, 3, "2026-03-02T10:00:00Z");
    /* a first message that comes in late */
    ASK(site, 4, "2026-03-02T11:00:00Z");
    REPLY(site, 4, "2026-03-02T11:20:00Z");
    ASK(site, 4, "2026-03-02T10:50:00Z");
    json_t *report = KPI(site, "measures=first-reply,first-public-reply", "unit=m");
    ASSERT_FIGURE(report, NULL, "first-reply", "n", 2);
    ASSERT_FIGURE(report, NULL, "first-reply", "min", 20);
    ASSERT_FIGURE(report, NULL, "first-reply", "max", 30);
    ASSERT_FIGURE(report, NULL, "first-public-reply", "n", 4);
    ASSERT_FIGURE(report, NULL, "first-public-reply", "max", 140);
    json_decref(report);
}

static void test_kpi_first_reply_that_comes_in_late_replaces_the_later_one(void **state)
{
    struct site *site = *state;
    OPEN(site, 1, "2026-03-02T09:00:00Z");
    REPLY(site, 1, "2026-03-02T10:00:00Z");
    REPLY(site, 1, "2026-03-02T09:15:00Z");
    json_t *report = KPI(site, "measures=first-reply", "unit=m");
    ASSERT_FIGURE(report, NULL, "first-reply", "n", 1);
    ASSERT_FIGURE(report, NULL, "first-reply", "mean", 15);
    json_decref(report);
}

/* ---------------------------------------------------------------- resolution */

static void test_kpi_resolution_is_the_last_solve_of_what_has_ended(void **state)
{
    struct site *site = *state;
    OPEN(site, 1, "2026-03-02T09:00:00Z");
    SOLVE(site, 1, "2026-03-02T10:00:00Z");
    REOPEN(site, 1, "2026-03-02T11:00:00Z");
    json_t *report = KPI(site, "measures=resolution,first-resolution,reopened", "unit=h");
    ASSERT_FIGURE(report, NULL, "resolution", "n", 0); /* open again */
    ASSERT_FIGURE(report, NULL, "first-resolution", "mean", 1);
    ASSERT_FIGURE(report, NULL, "reopened", "n", 1);
    json_decref(report);
    SOLVE(site, 1, "2026-03-02T13:00:00Z");
    CLOSE(site, 1, "2026-03-05T09:00:00Z");
    report = KPI(site, "measures=resolution,first-resolution,closure,solved,reopens", "unit=h");
    ASSERT_FIGURE(report, NULL, "resolution", "mean", 4);
    ASSERT_FIGURE(report, NULL, "first-resolution", "mean", 1);
    ASSERT_FIGURE(report, NULL, "closure", "mean", 72);
    ASSERT_FIGURE(report, NULL, "solved", "n", 2);
    ASSERT_FIGURE(report, NULL, "reopens", "mean", 1);
    json_decref(report);
}

static void solve_finally(struct site *site, unsigned number, const char *at, int64_t final_us)
{
    SAY_BY(site, number, STATUS_CHANGED, at, StatusChanged, STATUS_CHANGED, BY_AGENT, IMPORTED,
           .status = DOCKET__STATUS__STATUS_SOLVED, .has_final_us = 1, .final_us = final_us);
}

static void test_kpi_resolution_uses_the_final_instant_and_counts_unknown_ones(void **state)
{
    struct site *site = *state;
    for (unsigned n = 1; n <= 3; n++) {
        SAY_BY(site, n, OPENED, "2026-03-02T09:00:00Z", Opened, OPENED, BY_AGENT, IMPORTED,
               .subject = NULL);
    }
    solve_finally(site, 1, "2026-03-02T12:00:00Z", test_at("2026-03-02T11:30:00Z"));
    solve_finally(site, 2, "2026-03-02T12:00:00Z", 0);
    for (unsigned n = 1; n <= 3; n++) { /* 3 was never solved */
        SAY_BY(site, n, STATUS_CHANGED, "2026-03-04T09:00:00Z", StatusChanged, STATUS_CHANGED,
               BY_AGENT, IMPORTED, .status = DOCKET__STATUS__STATUS_CLOSED);
    }
    json_t *report = KPI(site, "measures=resolution", "unit=h");
    ASSERT_FIGURE(report, NULL, "resolution", "n", 1);
    ASSERT_FIGURE(report, NULL, "resolution", "mean", 2.5);
    ASSERT_FIGURE(report, NULL, "resolution", "unknown", 2);
    json_decref(report);
    report = site_report(site, "backlog", SITE_ARGUMENTS("at=2026-03-03"));
    ASSERT_FIGURE(report, NULL, "backlog", "n", 2); /* 2: nobody knows that it was solved */
    ASSERT_FIGURE(report, NULL, "backlog-until-solved", "n", 2);
    ASSERT_FIGURE(report, NULL, "backlog-until-closed", "n", 3);
    json_decref(report);
}

/* A column that is final stands in every row, so an import states it with each solve. */
static void test_kpi_resolution_has_the_final_instant_for_the_last_solve_only(void **state)
{
    struct site *site = *state;
    int64_t final_us = test_at("2026-03-04T09:00:00Z");
    for (unsigned n = 1; n <= 2; n++) {
        SAY_BY(site, n, OPENED, "2026-03-02T09:00:00Z", Opened, OPENED, BY_AGENT, IMPORTED,
               .subject = NULL);
        solve_finally(site, n, "2026-03-02T12:00:00Z", n == 1 ? final_us : 0);
        REOPEN(site, n, "2026-03-03T12:00:00Z");
        solve_finally(site, n, "2026-03-04T09:05:00Z", n == 1 ? final_us : 0);
    }
    json_t *report = KPI(site, "measures=first-resolution,resolution", "unit=h");
    ASSERT_FIGURE(report, NULL, "first-resolution", "n", 2);
    ASSERT_FIGURE(report, NULL, "first-resolution", "mean", 3);
    ASSERT_FIGURE(report, NULL, "resolution", "n", 1);
    ASSERT_FIGURE(report, NULL, "resolution", "mean", 48);
    ASSERT_FIGURE(report, NULL, "resolution", "unknown", 1);
    json_decref(report);
    report = site_report(site, "backlog", SITE_ARGUMENTS("at=2026-03-03"));
    ASSERT_FIGURE(report, NULL, "backlog", "n", 0);
    ASSERT_FIGURE(report, NULL, "backlog-until-solved", "n", 2);
    json_decref(report);
}

static void test_kpi_of_merged_tickets_is_a_merge_and_no_resolution(void **state)
{
    struct site *site = *state;
    OPEN(site, 1, "2026-03-02T09:00:00Z");
    SAY(site, 1, MERGED_INTO, "2026-03-02T10:00:00Z", MergedInto, MERGED_INTO,
        .target = SITE_TICKET(2));
    json_t *report = KPI(site, "measures=merged,resolution,reopen-rate,backlog", "at=2026-03-03");
    ASSERT_FIGURE(report, NULL, "merged", "n", 1);
    ASSERT_FIGURE(report, NULL, "resolution", "n", 0);
    ASSERT_FIGURE(report, NULL, "resolution", "unknown", 0);
    ASSERT_FIGURE(report, NULL, "reopen-rate", "n", 0);
    ASSERT_FIGURE(report, NULL, "backlog", "n", 0);
    json_decref(report);
}

/* ---------------------------------------------------------------- backlog */

static void test_kpi_backlog_is_exact_at_any_instant(void **state)
{
    static const struct {
        const char *at;
        double backlog, until_solved, until_closed;
    } instants[] = {
        {"at=2026-03-02T08:59:59Z", 0, 0, 0}, {"at=2026-03-02T09:00:00Z", 1, 1, 1},
        {"at=2026-03-02T10:00:00Z", 0, 1, 1}, /* solved then, and reopened later */
        {"at=2026-03-02T11:00:00Z", 1, 1, 1}, {"at=2026-03-02T12:00:00Z", 0, 0, 1},
        {"at=2026-03-02T13:00:00Z", 0, 0, 0},
    };
    struct site *site = *state;
    OPEN(site, 1, "2026-03-02T09:00:00Z");
    SOLVE(site, 1, "2026-03-02T10:00:00Z");
    REOPEN(site, 1, "2026-03-02T11:00:00Z");
    SOLVE(site, 1, "2026-03-02T12:00:00Z");
    CLOSE(site, 1, "2026-03-02T13:00:00Z");
    for (size_t i = 0; i < sizeof instants / sizeof instants[0]; i++) {
        json_t *report = site_report(site, "backlog", SITE_ARGUMENTS(instants[i].at));
        ASSERT_FIGURE(report, NULL, "backlog", "n", instants[i].backlog);
        ASSERT_FIGURE(report, NULL, "backlog-until-solved", "n", instants[i].until_solved);
        ASSERT_FIGURE(report, NULL, "backlog-until-closed", "n", instants[i].until_closed);
        json_decref(report);
    }
}

static void test_kpi_backlog_has_the_values_of_the_instant_and_an_age(void **state)
{
    struct site *site = *state;
    OPEN(site, 1, "2026-03-02T09:00:00Z", .has_priority = 1,
         .priority = DOCKET__PRIORITY__PRIORITY_LOW);
    SAY(site, 1, CLASSIFIED, "2026-03-02T12:00:00Z", Classified, CLASSIFIED, .has_priority = 1,
        .priority = DOCKET__PRIORITY__PRIORITY_HIGH);
    json_t *report =
        KPI(site, "measures=backlog", "by=priority", "at=2026-03-02T11:00:00Z", "unit=h");
    ASSERT_FIGURE(report, "low", "backlog", "mean", 2);
    json_decref(report);
    report =
        KPI(site, "measures=backlog", "by=priority", "at=2026-03-02T11:00:00Z", "values=as-now");
    ASSERT_FIGURE(report, "high", "backlog", "n", 1);
    json_decref(report);
}

/* ---------------------------------------------------------------- groups and agents */

static void test_kpi_reassignments_begin_with_the_first_stated_group(void **state)
{
    struct site *site = *state;
    OPEN(site, 1, "2026-03-02T09:00:00Z"); /* live: routed for the first time */
    ROUTE(site, 1, "2026-03-02T09:01:00Z", 1);
    ROUTE(site, 1, "2026-03-02T09:02:00Z", 2);
    SAY_BY(site, 2, OPENED, "2026-03-02T09:00:00Z", Opened, OPENED, BY_AGENT, IMPORTED,
           .has_group = 1, .group = 0); /* the source says that it does not know */
    SAY_BY(site, 2, ROUTED, "2026-03-02T09:01:00Z", Routed, ROUTED, BY_AGENT, IMPORTED,
           .group = SITE_GROUP(1));
    SAY_BY(site, 2, ROUTED, "2026-03-02T09:02:00Z", Routed, ROUTED, BY_AGENT, IMPORTED, .group = 0);
    SAY_BY(site, 3, OPENED, "2026-03-02T09:00:00Z", Opened, OPENED, BY_AGENT, IMPORTED,
           .subject = NULL); /* the source says nothing yet */
    SAY_BY(site, 3, ROUTED, "2026-03-02T09:01:00Z", Routed, ROUTED, BY_AGENT, IMPORTED,
           .group = SITE_GROUP(1));
    SAY_BY(site, 4, OPENED, "2026-03-02T09:00:00Z", Opened, OPENED, BY_AGENT, IMPORTED,
           .subject = NULL);
    SAY_BY(site, 4, ROUTED, "2026-03-02T09:00:00Z", Routed, ROUTED, BY_AGENT, IMPORTED,
           .group = 0); /* now the source says that it does not know */
    SAY_BY(site, 4, ROUTED, "2026-03-02T09:01:00Z", Routed, ROUTED, BY_AGENT, IMPORTED,
           .group = SITE_GROUP(1));
    for (unsigned n = 1; n <= 4; n++) {
        SOLVE(site, n, "2026-03-02T10:00:00Z");
    }
    json_t *report = KPI(site, "measures=reassigned,reassignments");
    ASSERT_FIGURE(report, NULL, "reassigned", "n", 4);
    ASSERT_FIGURE(report, NULL, "reassignments", "n", 4);
    ASSERT_FIGURE(report, NULL, "reassignments", "sum", 4);
    ASSERT_FIGURE(report, NULL, "reassignments", "max", 2);
    json_decref(report);
}

static void test_kpi_handovers_are_the_assignments_after_the_first(void **state)
{
    struct site *site = *state;
    OPEN(site, 1, "2026-03-02T09:00:00Z");
    ASSIGN(site, 1, "2026-03-02T09:01:00Z", 1);
    SAY(site, 1, ASSIGNED, "2026-03-02T09:02:00Z", Assigned, ASSIGNED, .agent = 0); /* nobody */
    ASSIGN(site, 1, "2026-03-02T09:03:00Z", 1); /* the same one again: another turn */
    SAY(site, 1, HANDOVER_DECLARED, "2026-03-02T09:04:00Z", HandoverDeclared, HANDOVER_DECLARED,
        .agent = SITE_AGENT(2), .term = DOCKET__HANDOVER_TERM__HANDOVER_PERMANENT,
        .reason = DOCKET__HANDOVER_REASON__HANDOVER_ABSENT);
    SOLVE(site, 1, "2026-03-02T10:00:00Z");
    OPEN(site, 2, "2026-03-02T09:00:00Z"); /* nobody ever got it */
    SOLVE(site, 2, "2026-03-02T10:00:00Z");
    json_t *report = KPI(site, "measures=assigned,assignments,handovers");
    ASSERT_FIGURE(report, NULL, "assigned", "n", 3);
    ASSERT_FIGURE(report, NULL, "assignments", "sum", 3);
    ASSERT_FIGURE(report, NULL, "handovers", "sum", 2);
    ASSERT_FIGURE(report, NULL, "handovers", "min", 0);
    json_decref(report);
}

static void test_kpi_first_line_is_what_never_left_line_1(void **state)
{
    struct site *site = *state;
    OPEN(site, 1, "2026-03-02T09:00:00Z");
    ROUTE(site, 1, "2026-03-02T09:01:00Z", 1);
    OPEN(site, 2, "2026-03-02T09:00:00Z");
    ROUTE(site, 2, "2026-03-02T09:01:00Z", 1);
    SAY(site, 2, ESCALATED, "2026-03-02T09:02:00Z", Escalated, ESCALATED,
        .type = DOCKET__ESCALATION_TYPE__ESCALATION_FUNCTIONAL, .has_to_line = 1, .to_line = 2,
        .has_to_group = 1, .to_group = SITE_GROUP(2));
    OPEN(site, 3, "2026-03-02T09:00:00Z"); /* no line is known */
    for (unsigned n = 1; n <= 3; n++) {
        SOLVE(site, n, "2026-03-02T10:00:00Z");
    }
    json_t *report = KPI(site, "measures=first-line,escalated,escalations");
    ASSERT_FIGURE(report, NULL, "first-line", "n", 2);
    ASSERT_FIGURE(report, NULL, "first-line", "hits", 1);
    ASSERT_FIGURE(report, NULL, "first-line", "percent", 50);
    ASSERT_FIGURE(report, NULL, "first-line", "unknown", 1);
    ASSERT_FIGURE(report, NULL, "escalated", "n", 1);
    ASSERT_FIGURE(report, NULL, "escalations", "max", 1);
    json_decref(report);
}

/* ---------------------------------------------------------------- shares that ripen */

static void test_kpi_reopen_rate_waits_for_the_days_to_end(void **state)
{
    struct site *site = *state;
    for (unsigned n = 1; n <= 2; n++) {
        OPEN(site, n, "2026-03-02T09:00:00Z");
        SOLVE(site, n, "2026-03-02T10:00:00Z");
    }
    REOPEN(site, 1, "2026-03-04T10:00:00Z"); /* and stays open: still a reopened one */
    json_t *report = KPI(site, "measures=reopen-rate");
    ASSERT_FIGURE(report, NULL, "reopen-rate", "n", 0);
    ASSERT_FIGURE(report, NULL, "reopen-rate", "immature", 2);
    assert_true(
        json_is_null(json_object_get(site_figures(report, NULL, "reopen-rate"), "percent")));
    json_decref(report);
    OPEN(site, 3, "2026-03-16T10:00:00Z"); /* 14 days later */
    report = KPI(site, "measures=reopen-rate");
    ASSERT_FIGURE(report, NULL, "reopen-rate", "n", 2);
    ASSERT_FIGURE(report, NULL, "reopen-rate", "percent", 50);
    json_decref(report);
}

static void test_kpi_first_contact_is_one_reply_and_no_return(void **state)
{
    struct site *site = *state;
    for (unsigned n = 1; n <= 6; n++) {
        OPEN(site, n, "2026-03-02T09:00:00Z");
        if (n != 3) {
            REPLY(site, n, "2026-03-02T09:30:00Z");
        }
        SOLVE(site, n, "2026-03-02T10:00:00Z");
    }
    /* 1 is one; 2 had two replies; 3 none; 4 was reopened; 5 and 6 were asked about again */
    REPLY(site, 2, "2026-03-02T10:30:00Z");
    REOPEN(site, 4, "2026-03-03T10:00:00Z");
    OPEN(site, 7, "2026-03-09T09:59:59Z", .has_repeat_of = 1, .repeat_of = SITE_TICKET(5));
    OPEN(site, 8, "2026-03-09T09:59:59Z"); /* noted later, when it was known what it is about */
    OPEN(site, 9, "2026-03-09T10:00:00Z", .has_repeat_of = 1, .repeat_of = SITE_TICKET(1));
    SAY(site, 8, REPEAT_NOTED, "2026-03-09T12:00:00Z", RepeatNoted, REPEAT_NOTED,
        .repeat_of = SITE_TICKET(6));
    json_t *report = KPI(site, "measures=first-contact");
    ASSERT_FIGURE(report, NULL, "first-contact", "n", 6);
    ASSERT_FIGURE(report, NULL, "first-contact", "hits", 1);
    json_decref(report);
}

static void test_kpi_ratings(void **state)
{
    static const unsigned csat[] = {5, 4, 3, 1}, nps[] = {10, 9, 7, 6};
    struct site *site = *state;
    for (unsigned n = 1; n <= 5; n++) {
        OPEN(site, n, "2026-03-02T09:00:00Z");
        SOLVE(site, n, "2026-03-02T10:00:00Z");
    }
    /* The first changes their mind: the later answer counts. */
    SAY(site, 1, RATED, "2026-03-02T10:30:00Z", Rated, RATED, .has_csat = 1, .csat = 1,
        .has_nps = 1, .nps = 0);
    for (unsigned n = 1; n <= 4; n++) {
        SAY(site, n, RATED, "2026-03-02T11:00:00Z", Rated, RATED, .has_csat = 1,
            .csat = csat[n - 1], .has_nps = 1, .nps = nps[n - 1]);
    }
    json_t *report = KPI(site, "measures=csat,nps,response-rate");
    ASSERT_FIGURE(report, NULL, "csat", "n", 4);
    ASSERT_FIGURE(report, NULL, "csat", "percent", 50);
    ASSERT_FIGURE(report, NULL, "nps", "n", 4);
    ASSERT_FIGURE(report, NULL, "nps", "score", 25);
    ASSERT_FIGURE(report, NULL, "response-rate", "percent", 80);
    json_decref(report);
}

/* ---------------------------------------------------------------- clocks */

#define RESOLUTION DOCKET__METRIC__METRIC_RESOLUTION
#define MET(site, number, at, metric, instance)                                                    \
    SAY_BY(site, number, CLOCK_MET, at, ClockMet, CLOCK_MET, BY_NODE, 0,                           \
           .clock = site_clock(metric, instance), .due_us = test_at(at))
#define BREACHED(site, number, at, due)                                                            \
    SAY_BY(site, number, CLOCK_BREACHED, at, ClockBreached, CLOCK_BREACHED, BY_NODE, 0,            \
           .clock = site_clock(RESOLUTION, 1), .due_us = test_at(due))
#define CORRECTED(site, number, at, verdict)                                                       \
    SAY_BY(site, number, CLOCK_CORRECTED, at, ClockCorrected, CLOCK_CORRECTED, BY_NODE, 0,         \
           .clock = site_clock(RESOLUTION, 1), .from = DOCKET__VERDICT__VERDICT_MET,               \
           .to = DOCKET__VERDICT__VERDICT_##verdict, .because = 1)

static void open_five(struct site *site)
{
    for (unsigned n = 1; n <= 5; n++) {
        OPEN(site, n, "2026-03-02T09:00:00Z");
    }
}

static void test_kpi_sla_attainment_is_met_of_met_and_breached(void **state)
{
    struct site *site = *state;
    open_five(site);
    MET(site, 1, "2026-03-02T10:00:00Z", RESOLUTION, 1);
    MET(site, 2, "2026-03-02T10:00:00Z", RESOLUTION, 1);
    BREACHED(site, 3, "2026-03-02T10:00:00Z", "2026-03-02T09:30:00Z");
    SAY_BY(site, 4, CLOCK_CANCELLED, "2026-03-02T10:00:00Z", ClockCancelled, CLOCK_CANCELLED,
           BY_NODE, 0, .clock = site_clock(RESOLUTION, 1));
    MET(site, 5, "2026-03-02T10:00:00Z", DOCKET__METRIC__METRIC_FIRST_REPLY, 1);
    json_t *report = KPI(site, "measures=sla-resolution,sla-first-reply,sla-supplier");
    ASSERT_FIGURE(report, NULL, "sla-resolution", "n", 3);
    ASSERT_FIGURE(report, NULL, "sla-resolution", "hits", 2);
    ASSERT_FIGURE(report, NULL, "sla-resolution", "percent", 66.666667);
    ASSERT_FIGURE(report, NULL, "sla-resolution", "cancelled", 1);
    ASSERT_FIGURE(report, NULL, "sla-first-reply", "n", 1);
    ASSERT_FIGURE(report, NULL, "sla-supplier", "n", 0);
    json_decref(report);
}

static void test_kpi_sla_breach_counts_at_its_due_and_stands(void **state)
{
    struct site *site = *state;
    open_five(site);
    BREACHED(site, 1, "2026-03-03T08:00:00Z", "2026-03-02T17:00:00Z"); /* noticed next day */
    MET(site, 1, "2026-03-03T09:00:00Z", RESOLUTION, 1);               /* too late */
    json_t *report = KPI(site, "measures=sla-resolution", "to=2026-03-03");
    ASSERT_FIGURE(report, NULL, "sla-resolution", "n", 1);
    ASSERT_FIGURE(report, NULL, "sla-resolution", "hits", 0);
    json_decref(report);
}

static void test_kpi_sla_takes_a_clock_s_last_verdict(void **state)
{
    struct site *site = *state;
    open_five(site);
    MET(site, 1, "2026-03-02T10:00:00Z", RESOLUTION, 1);
    CORRECTED(site, 1, "2026-03-02T11:00:00Z", BREACHED);
    BREACHED(site, 2, "2026-03-02T10:00:00Z", "2026-03-02T10:00:00Z");
    CORRECTED(site, 2, "2026-03-04T11:00:00Z", MET);
    MET(site, 3, "2026-03-02T10:00:00Z", RESOLUTION, 1);
    CORRECTED(site, 3, "2026-03-02T11:00:00Z", RUNNING);
    MET(site, 4, "2026-03-02T10:00:00Z", RESOLUTION, 1);
    MET(site, 4, "2026-03-02T12:00:00Z", RESOLUTION, 2); /* another instance: another clock */
    json_t *report = KPI(site, "measures=sla-resolution", "to=2026-03-03");
    ASSERT_FIGURE(report, NULL, "sla-resolution", "n", 4);
    ASSERT_FIGURE(report, NULL, "sla-resolution", "hits", 3);
    json_decref(report);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_kpi_first_replies_are_told_apart),
        TEST(test_kpi_first_reply_is_waited_for_once_the_customer_has_asked),
        TEST(test_kpi_first_reply_that_comes_in_late_replaces_the_later_one),
        TEST(test_kpi_resolution_is_the_last_solve_of_what_has_ended),
        TEST(test_kpi_resolution_uses_the_final_instant_and_counts_unknown_ones),
        TEST(test_kpi_resolution_has_the_final_instant_for_the_last_solve_only),
        TEST(test_kpi_of_merged_tickets_is_a_merge_and_no_resolution),
        TEST(test_kpi_backlog_is_exact_at_any_instant),
        TEST(test_kpi_backlog_has_the_values_of_the_instant_and_an_age),
        TEST(test_kpi_reassignments_begin_with_the_first_stated_group),
        TEST(test_kpi_handovers_are_the_assignments_after_the_first),
        TEST(test_kpi_first_line_is_what_never_left_line_1),
        TEST(test_kpi_reopen_rate_waits_for_the_days_to_end),
        TEST(test_kpi_first_contact_is_one_reply_and_no_return),
        TEST(test_kpi_ratings),
        TEST(test_kpi_sla_attainment_is_met_of_met_and_breached),
        TEST(test_kpi_sla_breach_counts_at_its_due_and_stands),
        TEST(test_kpi_sla_takes_a_clock_s_last_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
