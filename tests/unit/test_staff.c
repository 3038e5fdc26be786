/* Load, coverage and the integral index of a small desk, computed by hand. Anna and Ben work on
 * Monday, 2026-03-02, from 9 to 13; Cleo is on call. */
#include "tests/unit/analytics_site.h"

#define T(hours_minutes) "2026-03-02T" hours_minutes ":00Z"
#define AGENT(key)       test_id(DK_SUBJECT_AGENT, key)
#define DESK             test_id(DK_SUBJECT_GROUP, "desk")
#define GIVE(site, number, at, key)                                                                \
    SAY(site, number, ASSIGNED, at, Assigned, ASSIGNED, .agent = AGENT(key))
#define OPEN_OF(site, number, at, type_)                                                           \
    SAY(site, number, OPENED, at, Opened, OPENED, .has_type = 1,                                   \
        .type = DOCKET__TICKET_TYPE__TYPE_##type_)
#define RATE(site, number, at, n)                                                                  \
    SAY(site, number, RATED, at, Rated, RATED, .has_csat = 1, .csat = n)

static void define(struct site *site, unsigned cls, const char *key, uint32_t kind,
                   const void *body)
{
    site_event(site, test_id(cls, key), kind, test_at("2026-01-01"), body,
               dk_id_make(DK_ACTOR_OPERATOR, 1), 0);
}

/* In the desk when `works`; sees the product only, or all. */
static void define_agent(struct site *site, const char *key, bool works, const char *skill,
                         const char *product)
{
    Docket__AgentDefined agent = DOCKET__AGENT_DEFINED__INIT;
    uint64_t desk = DESK, sees = product != NULL ? test_id(DK_SUBJECT_PRODUCT, product) : 0;
    ProtobufCBinaryData can = test_bytes(skill);
    agent.definition = test_definition(key);
    agent.n_group = works;
    agent.group = &desk;
    agent.n_skill = 1;
    agent.skill = &can;
    agent.n_product = product != NULL;
    agent.product = &sees;
    define(site, DK_SUBJECT_AGENT, key, DK_KIND_AGENT_DEFINED, &agent);
}

static void define_shift(struct site *site, const char *key, uint64_t *agent, size_t agents,
                         bool on_call, int to_day)
{
    Docket__ShiftDefined shift = DOCKET__SHIFT_DEFINED__INIT;
    shift.definition = test_definition(key);
    shift.calendar = test_id(DK_SUBJECT_CALENDAR, "hours");
    shift.n_agent = agents;
    shift.agent = agent;
    shift.has_on_call = 1;
    shift.on_call = on_call;
    shift.has_to_day = to_day != 0;
    shift.to_day = to_day;
    define(site, DK_SUBJECT_SHIFT, key, DK_KIND_SHIFT_DEFINED, &shift);
}

static void define_product(struct site *site, const char *key, bool routed, const char *skill)
{
    Docket__ProductDefined product = DOCKET__PRODUCT_DEFINED__INIT;
    Docket__Route route = DOCKET__ROUTE__INIT, *routes = &route;
    ProtobufCBinaryData needs = test_bytes(skill);
    route.line = 1;
    route.group = DESK;
    product.definition = test_definition(key);
    product.n_route = routed;
    product.route = &routes;
    product.n_required_skill = skill[0] != '\0';
    product.required_skill = &needs;
    define(site, DK_SUBJECT_PRODUCT, key, DK_KIND_PRODUCT_DEFINED, &product);
}

static int setup(void **state)
{
    struct site *site = calloc(1, sizeof *site);
    Docket__GroupDefined group = DOCKET__GROUP_DEFINED__INIT;
    group.definition = test_definition("desk");
    site_open(site);
    define(site, DK_SUBJECT_CALENDAR, "hours", DK_KIND_CALENDAR_DEFINED,
           test_hours("hours", "UTC", 5, 9, 13));
    define(site, DK_SUBJECT_GROUP, "desk", DK_KIND_GROUP_DEFINED, &group);
    define_agent(site, "anna", true, "mail", NULL);
    define_agent(site, "ben", true, "phone", NULL);
    define_agent(site, "cleo", true, "mail", NULL);
    uint64_t day[] = {AGENT("anna"), AGENT("ben"), AGENT("anna")}, call[] = {AGENT("cleo")};
    define_shift(site, "day", day, 3, false, 0);
    define_shift(site, "call", call, 1, true, 0);
    *state = site;
    return 0;
}

static int teardown(void **state)
{
    site_close(*state);
    free(*state);
    return 0;
}

/* ---------------------------------------------------------------- rows */

static const json_t *row_of(json_t *report, const char *column, const char *key)
{
    json_t *row;
    size_t i;
    json_array_foreach(json_object_get(report, "rows"), i, row)
    {
        const char *found = json_string_value(json_object_get(row, column));
        if (found != NULL && strcmp(found, key) == 0) {
            return row;
        }
    }
    fail_msg("no row of %s", key);
    return NULL;
}

static void assert_value(const json_t *row, const char *column, double expected)
{
    double found = json_number_value(json_object_get(row, column));
    if (!json_is_number(json_object_get(row, column)) || found < expected || found > expected) {
        fail_msg("%s is %.9g, expected %.9g", column, found, expected);
    }
}

/* ---------------------------------------------------------------- load */

/* Anna has 1 from 09:30 to 10:30 and 2 from 10:00 to 11:00, waits from 11:00 on for a customer, and
 * keeps 3 from 12:30 on into the evening; Ben has 4 all day. */
static void work(struct site *site)
{
    for (unsigned n = 1; n <= 4; n++) {
        OPEN(site, n, T("08:00"));
    }
    GIVE(site, 4, T("08:30"), "ben");
    GIVE(site, 1, T("09:30"), "anna");
    GIVE(site, 2, T("10:00"), "anna");
    SAY(site, 1, TIME_LOGGED, T("10:10"), TimeLogged, TIME_LOGGED, .seconds = 600);
    SOLVE(site, 1, T("10:30"));
    SAY(site, 2, STATUS_CHANGED, T("11:00"), StatusChanged, STATUS_CHANGED,
        .status = DOCKET__STATUS__STATUS_PENDING, .has_pending = 1,
        .pending = DOCKET__PENDING__PENDING_CUSTOMER);
    GIVE(site, 3, T("12:30"), "anna");
    SOLVE(site, 4, T("18:00"));
    OPEN(site, 5, T("08:00")); /* Cleo, called */
    GIVE(site, 5, T("20:00"), "cleo");
    SAY(site, 5, TIME_LOGGED, T("20:10"), TimeLogged, TIME_LOGGED, .seconds = 300);
}

static void test_staff_utilization_is_busy_of_on_shift(void **state)
{
    struct site *site = *state;
    work(site);
    json_t *report = site_report(site, "load", SITE_ARGUMENTS("from=2026-03-02", "to=2026-03-03"));
    const json_t *anna = row_of(report, "agent", "anna");
    assert_value(anna, "on_shift_s", 4 * 3600);
    assert_value(anna, "busy_s", 2 * 3600); /* 09:30 to 11:00, 12:30 to 13:00 */
    assert_value(anna, "utilization", 50);
    assert_value(anna, "logged_s", 600);
    assert_value(anna, "load", 0.625); /* 1 h + 1 h + 30 min of 4 h */
    assert_value(row_of(report, "agent", "ben"), "utilization", 100);
    const json_t *cleo = row_of(report, "agent", "cleo"); /* on call is not on shift */
    assert_value(cleo, "on_shift_s", 0);
    assert_value(cleo, "logged_s", 300);
    assert_true(json_is_null(json_object_get(cleo, "utilization")));
    json_decref(report);
}

static void test_staff_imbalance_is_the_greatest_of_the_mean(void **state)
{
    struct site *site = *state;
    work(site);
    json_t *report =
        site_report(site, "load", SITE_ARGUMENTS("by=group", "from=2026-03-02", "to=2026-03-03"));
    const json_t *desk = row_of(report, "group", "desk");
    assert_value(desk, "agents", 2);
    assert_value(desk, "utilization", 75);
    assert_value(desk, "load_mean", 0.8125);
    assert_value(desk, "load_max", 1);
    assert_value(desk, "imbalance", 1.230769);
    json_decref(report);
    report =
        site_report(site, "load", SITE_ARGUMENTS("by=group", "from=2026-03-03", "to=2026-03-04"));
    /* Anna has 3 still: 1 and 0 tickets in hand */
    assert_value(row_of(report, "group", "desk"), "imbalance", 2);
    json_decref(report);
}

/* ---------------------------------------------------------------- coverage */

static void test_staff_coverage_lists_what_fewer_than_two_agents_serve(void **state)
{
    struct site *site = *state;
    uint64_t agents[] = {AGENT("anna"), AGENT("dora"), AGENT("nobody")};
    define_agent(site, "dora", true, "mail", "phones"); /* sees phones only */
    define_product(site, "mails", true, "mail");
    define_product(site, "phones", true, "");
    define_product(site, "papers", false, ""); /* no route: listed beside */
    define_shift(site, "late", agents, 3, false, 0);
    define_shift(site, "past", agents, 3, false, 20000); /* over in 2024 */
    json_t *report = site_report(site, "coverage", SITE_ARGUMENTS("at=2026-03-02"));
    ASSERT_EQ(json_array_size(json_object_get(report, "rows")), 2); /* mails: day, late */
    for (size_t i = 0; i < 2; i++) {
        const json_t *row = json_array_get(json_object_get(report, "rows"), i);
        ASSERT_STR(json_string_value(json_object_get(row, "product")), "mails");
        assert_value(row, "agents",
                     1); /* Anna, listed twice by day; Ben cannot, Dora does not see */
        assert_value(row, "line", 1);
    }
    assert_value(report, "unrouted", 1);
    json_decref(report);
    report = site_report(site, "coverage", SITE_ARGUMENTS("at=2026-03-02", "at-least=1"));
    ASSERT_EQ(json_array_size(json_object_get(report, "rows")), 0);
    json_decref(report);
}

/* ---------------------------------------------------------------- index */

/* Weights: incidents 2 h (1, 2, 9 before), requests 30 min (of the period itself); questions have
 * none when the cohort leaves them out. */
static void solve(struct site *site, unsigned number, const char *from, const char *to,
                  const char *key)
{
    GIVE(site, number, from, key);
    SOLVE(site, number, to);
}

static void test_staff_index_weighs_types_and_quality(void **state)
{
    struct site *site = *state;
    static const char *const hours[] = {"2026-02-02T10:00:00Z", "2026-02-02T11:00:00Z",
                                        "2026-02-02T18:00:00Z"};
    for (unsigned n = 0; n < 3; n++) { /* Ben's, before: 1, 2 and 9 hours */
        OPEN_OF(site, 10 + n, "2026-02-02T09:00:00Z", INCIDENT);
        solve(site, 10 + n, "2026-02-02T09:00:00Z", hours[n], "ben");
    }
    OPEN_OF(site, 1, T("09:00"), INCIDENT);
    OPEN_OF(site, 2, T("09:00"), INCIDENT);
    OPEN_OF(site, 3, T("09:00"), REQUEST);
    OPEN_OF(site, 4, T("09:00"), REQUEST);
    solve(site, 1, T("09:00"), T("11:00"), "anna"); /* 2 h: the median stays */
    solve(site, 3, T("09:00"), T("09:30"), "ben");
    solve(site, 4, T("09:00"), T("09:30"), "ben");
    solve(site, 2, T("09:00"), T("10:00"), "anna");
    REOPEN(site, 2, T("10:30"));
    SOLVE(site, 2, T("11:30")); /* 2 h in all; reopened */
    SAY_BY(site, 1, CLOCK_BREACHED, T("11:00"), ClockBreached, CLOCK_BREACHED, BY_NODE, 0,
           .clock = site_clock(DOCKET__METRIC__METRIC_RESOLUTION, 1),
           .due_us = test_at(T("10:00")));
    RATE(site, 1, T("12:00"), 5);
    RATE(site, 3, T("12:00"), 1);
    json_t *report = site_report(
        site, "index",
        SITE_ARGUMENTS("from=2026-03-02", "to=2026-03-03", "days=60", "a=0.5", "b=0.25", "c=0.5"));
    assert_value(report, "weight_incident", 2);
    assert_value(report, "weight_request", 0.5);
    /* quality 1 - 0.5 * 1/2 - 0.25 * 1/2 + 0.5 * (1 - 1/2) = 0.875; 2 h x 2 x 0.875 in 4 h */
    const json_t *anna = row_of(report, "agent", "anna");
    assert_value(anna, "worth_h", 3.5);
    assert_value(anna, "index", 0.875);
    assert_value(anna, "breached", 1);
    /* quality 1 + 0.5 * (0 - 1/2) = 0.75; 30 min x 2 x 0.75 in 4 h */
    assert_value(row_of(report, "agent", "ben"), "index", 0.1875);
    ASSERT_EQ(json_array_size(json_object_get(report, "rows")), 2); /* Cleo did nothing */
    json_decref(report);
}

static void test_staff_index_leaves_out_what_has_no_weight(void **state)
{
    struct site *site = *state;
    OPEN_OF(site, 1, "2026-02-02T09:00:00Z", INCIDENT);
    solve(site, 1, "2026-02-02T09:00:00Z", "2026-02-02T11:00:00Z", "anna");
    json_t *report =
        site_report(site, "index", SITE_ARGUMENTS("from=2026-02-02", "to=2026-03-03", "days=7"));
    const json_t *anna = row_of(report, "agent", "anna");
    assert_value(anna, "count", 1);
    assert_value(anna, "unweighted", 1);
    assert_value(anna, "worth_h", 0);
    json_decref(report);
    OPEN_OF(site, 2, T("20:00"), INCIDENT); /* on call there are no scheduled hours */
    solve(site, 2, T("20:00"), T("21:00"), "cleo");
    report = site_report(site, "index", SITE_ARGUMENTS("from=2026-02-02", "to=2026-03-03"));
    assert_true(json_is_null(json_object_get(row_of(report, "agent", "cleo"), "index")));
    json_decref(report);
}

/* ---------------------------------------------------------------- asking */

static void test_staff_refuses_with_the_argument_named(void **state)
{
    static const struct {
        const char *argument;
        int code;
        const char *field;
    } refused[] = {{"by=shift", DK_EINVAL, "by"},
                   {"a=-1", DK_EINVAL, "a"},
                   {"c=nan", DK_EINVAL, "c"},
                   {"days=0", DK_EINVAL, "days"},
                   {"from=2030-01-01", DK_EINVAL, "to"},
                   {"zone=Mars/Base", DK_ENOTFOUND, "zone"},
                   {"group=desk", DK_EINVAL, "argument"}};
    struct site *site = *state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        dk_buf_clear(&site->json);
        ASSERT_CODE(dk_folder_query(site->folder, "index", &refused[i].argument, 1, &site->json,
                                    &site->err),
                    refused[i].code);
        ASSERT_STR(site->err.field, refused[i].field);
    }
}

static void test_staff_replay_gives_the_same_bytes(void **state)
{
    static const char *const names[] = {"load", "coverage", "index"};
    struct site *site = *state;
    struct dk_folder *replay = NULL;
    struct dk_buf json;
    work(site);
    define_product(site, "mails", true, "mail");
    ASSERT_OK(dk_folder_new(&replay, &dk_analytics_role, &site->err), &site->err);
    for (uint64_t p = 1; p <= site->position; p++) {
        site_fold(replay, site, p, &site->err);
    }
    dk_buf_init(&json, SITE_MAX_BYTES);
    for (size_t i = 0; i < 3; i++) {
        const char *live = site_query(site, names[i], SITE_ARGUMENTS("zone=Europe/Berlin"));
        dk_buf_clear(&json);
        const char *const zone = "zone=Europe/Berlin";
        ASSERT_OK(dk_folder_query(replay, names[i], &zone, 1, &json, &site->err), &site->err);
        ASSERT_STR(dk_buf_string(&json), live);
    }
    dk_buf_close(&json);
    dk_folder_free(&replay);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_staff_utilization_is_busy_of_on_shift),
        TEST(test_staff_imbalance_is_the_greatest_of_the_mean),
        TEST(test_staff_coverage_lists_what_fewer_than_two_agents_serve),
        TEST(test_staff_index_weighs_types_and_quality),
        TEST(test_staff_index_leaves_out_what_has_no_weight),
        TEST(test_staff_refuses_with_the_argument_named),
        TEST(test_staff_replay_gives_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
