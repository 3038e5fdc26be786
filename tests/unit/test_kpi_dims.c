/* What each dimension makes of one ticket's life, as it was and as it is now. Clocks go back in
 * Berlin on 2026-10-25: 03:00 is 02:00 again. */
#include "tests/unit/analytics_site.h"

#define CUSTOMER(n) dk_id_make(DK_SUBJECT_CUSTOMER, (n))
#define SUPPLIER(n) dk_id_make(DK_SUBJECT_SUPPLIER, (n))

static uint64_t define_company(struct site *site, const char *at, const char *key, const char *tier)
{
    Docket__CompanyDefined company = DOCKET__COMPANY_DEFINED__INIT;
    uint64_t subject = test_id(DK_SUBJECT_COMPANY, key);
    company.definition = test_definition(key);
    company.has_tier = 1;
    company.tier = test_bytes(tier);
    site_event(site, subject, DK_KIND_COMPANY_DEFINED, test_at(at), &company,
               dk_id_make(DK_ACTOR_OPERATOR, 1), 0);
    return subject;
}

static void define_customer(struct site *site, const char *at, unsigned n, uint64_t company)
{
    Docket__CustomerDefined customer = DOCKET__CUSTOMER_DEFINED__INIT;
    customer.definition = test_definition("c");
    customer.has_company = 1;
    customer.company = company;
    site_event(site, CUSTOMER(n), DK_KIND_CUSTOMER_DEFINED, test_at(at), &customer,
               dk_id_make(DK_ACTOR_OPERATOR, 1), 0);
}

/* Ticket 1: of Ann, who was acme's and is globex's, which was silver and is gold; ticket 2: on
 * acme's own contract; ticket 3: of nobody. */
static int setup(void **state)
{
    struct site *site = calloc(1, sizeof *site);
    site_open(site);
    uint64_t acme = define_company(site, "2026-01-01", "acme", "platinum-plus");
    uint64_t globex = define_company(site, "2026-01-01", "globex", "silver");
    define_customer(site, "2026-01-01", 1, acme);
    SAY(site, 1, OPENED, "2026-10-24T22:30:00Z", Opened, OPENED, .has_customer = 1,
        .customer = CUSTOMER(1));
    SAY(site, 2, OPENED, "2026-10-25T00:10:00Z", Opened, OPENED, .has_customer = 1,
        .customer = CUSTOMER(1), .has_company = 1, .company = acme);
    SAY(site, 3, OPENED, "2026-10-25T01:20:00Z", Opened, OPENED, .subject = NULL);
    define_customer(site, "2026-10-26", 1, globex);
    define_company(site, "2026-10-27", "globex", "gold");
    *state = site;
    return 0;
}

static int teardown(void **state)
{
    site_close(*state);
    free(*state);
    return 0;
}

struct cell {
    const char *by, *values, *key;
    int n; /* 0: there is no such cell */
};

static void assert_cells(struct site *site, const char *measure, const struct cell *cell, size_t n)
{
    char measures[64], by[64];
    (void)snprintf(measures, sizeof measures, "measures=%s", measure);
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(by, sizeof by, "by=%s", cell[i].by);
        json_t *report = KPI(site, measures, by, cell[i].values, "zone=Europe/Berlin");
        json_t *figures = site_figures(report, cell[i].key, measure);
        int found = (int)json_integer_value(json_object_get(figures, "n"));
        if (found != cell[i].n) {
            fail_msg("%s %s \"%s\" has %d, expected %d", by, cell[i].values, cell[i].key, found,
                     cell[i].n);
        }
        json_decref(report);
    }
}

static void test_kpi_dims_of_customers_and_times(void **state)
{
    static const struct cell cells[] = {
        {"company", "values=as-was", "acme", 2},
        {"company", "values=as-was", "globex", 0},
        {"company", "values=as-was", "", 1},
        {"company", "values=as-now", "acme", 1},
        {"company", "values=as-now", "globex", 1},
        {"tier", "values=as-was", "platinum-plus", 2},
        {"tier", "values=as-was", "silver", 0},
        {"tier", "values=as-was", "", 1},
        {"tier", "values=as-now", "gold", 1},
        {"tier", "values=as-now", "platinum-plus", 1},
        {"year", "values=as-was", "2026", 3},
        {"quarter", "values=as-was", "2026-Q4", 3},
        {"month", "values=as-was", "2026-10", 3},
        {"week", "values=as-was", "2026-W43", 3},
        {"day", "values=as-was", "2026-10-25", 3},
        {"weekday", "values=as-was", "sun", 3},
        {"hour-of-day", "values=as-was", "00", 1},
        {"hour-of-day", "values=as-was", "02", 2},
        {"hour", "values=as-was", "2026-10-25T00:00:00+02:00", 1},
        {"hour", "values=as-was", "2026-10-25T02:00:00+02:00", 1},
        {"hour", "values=as-was", "2026-10-25T02:00:00+01:00", 1},
    };
    assert_cells(*state, "opened", cells, sizeof cells / sizeof *cells);
}

static void test_kpi_dims_hours_are_in_order_of_time(void **state)
{
    json_t *report = KPI(*state, "measures=opened", "by=hour", "zone=Europe/Berlin");
    const char *expected[] = {"2026-10-25T00:00:00+02:00", "2026-10-25T02:00:00+02:00",
                              "2026-10-25T02:00:00+01:00"};
    json_t *cells = json_object_get(report, "cells");
    ASSERT_EQ(json_array_size(cells), 3);
    for (size_t i = 0; i < 3; i++) {
        json_t *by = json_object_get(json_array_get(cells, i), "by");
        ASSERT_STR(json_string_value(json_object_get(by, "hour")), expected[i]);
    }
    json_decref(report);
}

static void test_kpi_dims_of_a_requester_who_changed(void **state)
{
    struct site *site = *state;
    SAY(site, 3, REQUESTER_CHANGED, "2026-10-28", RequesterChanged, REQUESTER_CHANGED,
        .customer = CUSTOMER(1));
    site_status(site, 3, "2026-10-29", DOCKET__STATUS__STATUS_SOLVED);
    static const struct cell opened[] = {{"tier", "values=as-was", "", 1},
                                         {"tier", "values=as-now", "", 0},
                                         {"tier", "values=as-now", "gold", 2}};
    static const struct cell solved[] = {{"tier", "values=as-was", "gold", 1},
                                         {"company", "values=as-was", "globex", 1}};
    assert_cells(site, "opened", opened, 3);
    assert_cells(site, "solved", solved, 2);
}

static void test_kpi_dims_of_backlogs(void **state)
{
    struct site *site = *state;
    SAY(site, 1, SUPPLIER_HANDED, "2026-10-28", SupplierHanded, SUPPLIER_HANDED,
        .supplier = SUPPLIER(7));
    SAY(site, 2, STATUS_CHANGED, "2026-10-28", StatusChanged, STATUS_CHANGED,
        .status = DOCKET__STATUS__STATUS_PENDING, .has_pending = 1,
        .pending = DOCKET__PENDING__PENDING_CUSTOMER);
    SAY(site, 2, STATUS_CHANGED, "2026-10-29", StatusChanged, STATUS_CHANGED,
        .status = DOCKET__STATUS__STATUS_PENDING, .has_pending = 1,
        .pending = DOCKET__PENDING__PENDING_INTERNAL);
    char supplier[DK_ID_TEXT_BYTES];
    (void)dk_id_format(SUPPLIER(7), supplier);
    const struct cell now[] = {{"supplier", "values=as-was", supplier, 1},
                               {"supplier", "values=as-was", "", 2},
                               {"status", "values=as-was", "pending (internal)", 1},
                               {"status", "values=as-was", "pending (customer)", 0}};
    assert_cells(site, "backlog", now, 4);
    json_t *report = KPI(site, "measures=backlog", "by=status", "at=2026-10-28T12:00:00Z");
    ASSERT_FIGURE(report, "pending (customer)", "backlog", "n", 1);
    json_decref(report);
    report = KPI(site, "measures=backlog", "status=pending", "supplier=none");
    ASSERT_FIGURE(report, NULL, "backlog", "n", 1);
    json_decref(report);
    report = KPI(site, "measures=backlog", "tier=platinum-plus", "status=new,pending (customer)");
    ASSERT_FIGURE(report, NULL, "backlog", "n", 0);
    json_decref(report);
}

/* The solve's final instant is older than the opening that the log has before it: no change takes
 * effect before the one it follows. */
static void test_kpi_dims_status_is_the_one_that_held(void **state)
{
    struct site *site = *state;
    SAY_BY(site, 9, OPENED, "2026-10-28T09:00:00Z", Opened, OPENED, BY_AGENT, IMPORTED,
           .subject = NULL);
    SAY_BY(site, 9, STATUS_CHANGED, "2026-10-28T12:00:00Z", StatusChanged, STATUS_CHANGED, BY_AGENT,
           IMPORTED, .status = DOCKET__STATUS__STATUS_OPEN);
    SAY_BY(site, 9, STATUS_CHANGED, "2026-10-28T15:00:00Z", StatusChanged, STATUS_CHANGED, BY_AGENT,
           IMPORTED, .status = DOCKET__STATUS__STATUS_SOLVED, .has_final_us = 1,
           .final_us = test_at("2026-10-28T10:00:00Z"));
    json_t *report =
        KPI(site, "measures=backlog", "by=status", "at=2026-10-28T11:00:00Z", "ticket=1-9");
    ASSERT_FIGURE(report, "new", "backlog", "n", 1);
    ASSERT_FIGURE(report, NULL, "backlog", "n", 1);
    json_decref(report);
}

static void test_kpi_dims_refuse_what_is_no_value(void **state)
{
    struct site *site = *state;
    static const struct {
        const char *filter;
        int code;
    } refused[] = {{"tier=bronze", DK_EREFERENCE},
                   {"status=sleeping", DK_EINVAL},
                   {"supplier=nobody", DK_EREFERENCE},
                   {"quarter=2026-Q1", DK_EINVAL},
                   {"hour-of-day=02", DK_EINVAL}};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        dk_buf_clear(&site->json);
        ASSERT_CODE(
            dk_folder_query(site->folder, "kpi", &refused[i].filter, 1, &site->json, &site->err),
            refused[i].code);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_kpi_dims_of_customers_and_times),
        TEST(test_kpi_dims_hours_are_in_order_of_time),
        TEST(test_kpi_dims_of_a_requester_who_changed),
        TEST(test_kpi_dims_of_backlogs),
        TEST(test_kpi_dims_status_is_the_one_that_held),
        TEST(test_kpi_dims_refuse_what_is_no_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
