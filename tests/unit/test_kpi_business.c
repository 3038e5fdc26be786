/* Durations in business time: whose calendar counts, and in which version. The office works from
 * 9 to 17 in UTC on weekdays; Monday is 2026-03-02. */
#include "tests/unit/analytics_site.h"

#define OFFICE test_id(DK_SUBJECT_CALENDAR, "office")
#define SHORT  test_id(DK_SUBJECT_CALENDAR, "short")
#define STARTED(site, number, at, metric_, calendar_)                                              \
    SAY_BY(site, number, CLOCK_STARTED, at, ClockStarted, CLOCK_STARTED, BY_NODE, 0,               \
           .clock = site_clock(DOCKET__METRIC__METRIC_##metric_, 1), .due_us = test_at(at),        \
           .calendar = (calendar_))

static void define_hours(struct site *site, const char *at, const char *key, uint32_t from_h,
                         uint32_t to_h, bool for_new)
{
    Docket__CalendarDefined *hours = test_hours(key, "UTC", 5, from_h, to_h);
    hours->has_publish = for_new;
    hours->publish = DOCKET__PUBLICATION__PUBLISH_NEW;
    site_event(site, test_id(DK_SUBJECT_CALENDAR, key), DK_KIND_CALENDAR_DEFINED, test_at(at),
               hours, dk_id_make(DK_ACTOR_OPERATOR, 1), 0);
}

static int setup(void **state)
{
    struct site *site = calloc(1, sizeof *site);
    site_open(site);
    define_hours(site, "2026-01-01", "office", 9, 17, false);
    define_hours(site, "2026-01-01", "short", 9, 10, false);
    *state = site;
    return 0;
}

static int teardown(void **state)
{
    site_close(*state);
    free(*state);
    return 0;
}

/* One measure's hours and how many are unknown, with two arguments. */
static void assert_hours(struct site *site, const char *measure, const char *time,
                         const char *values, double n, double sum, double unknown)
{
    char argument[64];
    (void)snprintf(argument, sizeof argument, "measures=%s", measure);
    json_t *report = KPI(site, argument, time, values, "unit=h", "at=2026-03-31");
    ASSERT_FIGURE(report, NULL, measure, "n", n);
    ASSERT_FIGURE(report, NULL, measure, "unknown", unknown);
    if (n > 0) {
        ASSERT_FIGURE(report, NULL, measure, "sum", sum);
    }
    json_decref(report);
}

static void test_kpi_business_time_is_by_the_promise_and_else_unknown(void **state)
{
    struct site *site = *state;
    OPEN(site, 1, "2026-03-02T16:00:00Z");
    STARTED(site, 1, "2026-03-02T16:00:00Z", RESOLUTION, OFFICE);
    OPEN(site, 2, "2026-03-02T16:00:00Z"); /* nothing is promised */
    OPEN(site, 3, "2026-03-02T16:00:00Z"); /* every instant counts */
    STARTED(site, 3, "2026-03-02T16:00:00Z", RESOLUTION, 0);
    for (unsigned n = 1; n <= 3; n++) {
        SOLVE(site, n, "2026-03-03T11:00:00Z");
    }
    assert_hours(site, "resolution", "time=wall", "values=as-was", 3, 57, 0);
    assert_hours(site, "resolution", "time=business", "values=as-was", 2, 3 + 19, 1);
    assert_hours(site, "resolution", "calendar=office", "values=as-was", 3, 9, 0);
    assert_hours(site, "agent-work", "time=business", "values=as-was", 2, 3 + 19, 1);
    assert_hours(site, "group-ownership", "time=business", "values=as-was", 0, 0, 0);
}

static void test_kpi_business_time_is_by_each_metric_s_own_promise(void **state)
{
    struct site *site = *state;
    OPEN(site, 1, "2026-03-02T09:00:00Z");
    STARTED(site, 1, "2026-03-02T09:00:00Z", FIRST_REPLY, SHORT);
    STARTED(site, 1, "2026-03-02T09:00:00Z", RESOLUTION, OFFICE);
    REPLY(site, 1, "2026-03-02T12:00:00Z");
    SOLVE(site, 1, "2026-03-02T12:00:00Z");
    assert_hours(site, "first-reply", "time=business", "values=as-was", 1, 1, 0);
    assert_hours(site, "resolution", "time=business", "values=as-was", 1, 3, 0);
    assert_hours(site, "agent-work", "time=business", "values=as-was", 1, 3, 0);
}

/* S1, S6: what ran before the change is by what held then. */
static void test_kpi_business_time_sums_what_was_promised_then(void **state)
{
    struct site *site = *state;
    OPEN(site, 1, "2026-03-02T09:00:00Z");
    STARTED(site, 1, "2026-03-02T09:00:00Z", FIRST_REPLY, OFFICE);
    STARTED(site, 1, "2026-03-02T09:00:00Z", RESOLUTION, OFFICE); /* no step of its own */
    STARTED(site, 1, "2026-03-02T15:00:00Z", RESOLUTION, SHORT);
    REPLY(site, 1, "2026-03-03T12:00:00Z");
    SOLVE(site, 1, "2026-03-03T12:00:00Z");
    assert_hours(site, "resolution", "time=business", "values=as-was", 1, 6 + 1, 0);
    assert_hours(site, "first-reply", "time=business", "values=as-was", 1, 8 + 3, 0);
}

/* S1, S7: a version counts from its instant on; one for new tickets not for this one. As-now the
 * version of now counts for all. */
static void test_kpi_business_time_by_the_calendar_s_versions(void **state)
{
    struct site *site = *state;
    OPEN(site, 1, "2026-03-02T09:00:00Z");
    STARTED(site, 1, "2026-03-02T09:00:00Z", RESOLUTION, OFFICE);
    define_hours(site, "2026-03-03", "office", 9, 13, false);
    define_hours(site, "2026-03-04", "office", 9, 10, true);
    SOLVE(site, 1, "2026-03-04T17:00:00Z");
    assert_hours(site, "resolution", "time=business", "values=as-was", 1, 8 + 4 + 4, 0);
    assert_hours(site, "resolution", "calendar=office", "values=as-was", 1, 8 + 4 + 1, 0);
    assert_hours(site, "resolution", "time=business", "values=as-now", 1, 3, 0);
}

/* Before a calendar was defined nobody knows what it would have been. */
static void test_kpi_business_time_before_the_calendar_is_unknown(void **state)
{
    struct site *site = *state;
    OPEN(site, 1, "2026-03-02T09:00:00Z");
    SOLVE(site, 1, "2026-03-02T12:00:00Z");
    define_hours(site, "2026-03-03", "late", 9, 17, false);
    assert_hours(site, "resolution", "calendar=late", "values=as-was", 0, 0, 1);
    assert_hours(site, "resolution", "calendar=late", "values=as-now", 1, 3, 0);
    dk_buf_clear(&site->json);
    const char *const argument = "calendar=never";
    ASSERT_CODE(dk_folder_query(site->folder, "kpi", &argument, 1, &site->json, &site->err),
                DK_EREFERENCE);
    ASSERT_STR(site->err.field, "calendar");
}

/* S7: an adopted ticket goes by the rules of its adoption. */
static void test_kpi_business_time_of_an_adopted_ticket(void **state)
{
    struct site *site = *state;
    SAY_BY(site, 1, OPENED, "2026-03-02T09:00:00Z", Opened, OPENED, BY_AGENT, IMPORTED,
           .subject = NULL);
    define_hours(site, "2026-03-03", "office", 9, 10, true);
    SAY(site, 1, ADOPTED, "2026-03-04T00:00:00Z", Adopted, ADOPTED, .decision = NULL);
    STARTED(site, 1, "2026-03-04T00:00:00Z", RESOLUTION, OFFICE);
    SOLVE(site, 1, "2026-03-04T17:00:00Z");
    /* Monday by the hours then in force, Tuesday and Wednesday by the new ones */
    assert_hours(site, "resolution", "time=business", "values=as-was", 1, 8 + 1 + 1, 0);
}

static void test_kpi_business_time_of_backlogs_and_logged_time(void **state)
{
    struct site *site = *state;
    OPEN(site, 1, "2026-03-30T09:00:00Z");
    STARTED(site, 1, "2026-03-30T09:00:00Z", RESOLUTION, OFFICE);
    SAY(site, 1, TIME_LOGGED, "2026-03-30T22:00:00Z", TimeLogged, TIME_LOGGED, .seconds = 7200);
    assert_hours(site, "backlog", "time=business", "values=as-was", 1, 8, 0);
    assert_hours(site, "backlog", "time=wall", "values=as-was", 1, 15, 0);
    assert_hours(site, "logged", "time=business", "values=as-was", 1, 2, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_kpi_business_time_is_by_the_promise_and_else_unknown),
        TEST(test_kpi_business_time_is_by_each_metric_s_own_promise),
        TEST(test_kpi_business_time_sums_what_was_promised_then),
        TEST(test_kpi_business_time_by_the_calendar_s_versions),
        TEST(test_kpi_business_time_before_the_calendar_is_unknown),
        TEST(test_kpi_business_time_of_an_adopted_ticket),
        TEST(test_kpi_business_time_of_backlogs_and_logged_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
