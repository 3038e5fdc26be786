/* How a report is asked for, cut into cells and shown. */
#include "nodes/analytics/kpi.h"
#include "tests/unit/analytics_site.h"

/* A definition as an event of the log; returns its subject. */
static uint64_t define(struct site *site, uint32_t kind, const void *body, const char *key)
{
    uint64_t subject = test_id(dk_kind_info(kind)->subject_class, key);
    site_event(site, subject, kind, test_at("2026-01-01"), body, dk_id_make(DK_ACTOR_OPERATOR, 1),
               0);
    return subject;
}

static uint64_t define_product(struct site *site, const char *key, uint64_t parent)
{
    Docket__ProductDefined product = DOCKET__PRODUCT_DEFINED__INIT;
    product.definition = test_definition(key);
    product.has_parent = parent != 0;
    product.parent = parent;
    return define(site, DK_KIND_PRODUCT_DEFINED, &product, key);
}

static uint64_t define_group(struct site *site, const char *key, const char *name)
{
    Docket__GroupDefined group = DOCKET__GROUP_DEFINED__INIT;
    group.definition = test_definition(key);
    group.definition->has_name = 1;
    group.definition->name = test_bytes(name);
    return define(site, DK_KIND_GROUP_DEFINED, &group, key);
}

/* Four tickets around a turn of the month: solved after 1, 2, 3 and 10 hours. */
static int setup(void **state)
{
    static const char *const opened[] = {"2026-02-28T21:00:00Z", "2026-02-28T21:30:00Z",
                                         "2026-03-01T08:00:00Z", "2026-03-02T08:00:00Z"};
    static const char *const solved[] = {"2026-02-28T22:00:00Z", "2026-02-28T23:30:00Z",
                                         "2026-03-01T11:00:00Z", "2026-03-02T18:00:00Z"};
    static const Docket__Priority priority[] = {1, 3, 1, 3};
    struct site *site = calloc(1, sizeof *site);
    site_open(site);
    uint64_t office = define_product(site, "office", 0);
    uint64_t mail = define_product(site, "mail", office), vpn = define_product(site, "vpn", 0);
    uint64_t desk = define_group(site, "desk", "Service Desk"), none = 0;
    uint64_t net = define_group(site, "net", "Netzwerk \"Süd\"");
    const uint64_t product[] = {mail, office, vpn, none}, group[] = {desk, net, desk, none};
    for (unsigned i = 0; i < 4; i++) {
        SAY(site, i + 1, OPENED, opened[i], Opened, OPENED, .has_priority = 1,
            .priority = priority[i], .has_product = 1, .product = product[i]);
        if (group[i] != 0) {
            SAY(site, i + 1, ROUTED, opened[i], Routed, ROUTED, .line = 1, .group = group[i]);
        }
        site_status(site, i + 1, solved[i], DOCKET__STATUS__STATUS_SOLVED);
    }
    *state = site;
    return 0;
}

static int teardown(void **state)
{
    site_close(*state);
    free(*state);
    return 0;
}

/* ---------------------------------------------------------------- cells */

static void test_kpi_query_cells_are_ordered_and_the_total_has_all(void **state)
{
    struct site *site = *state;
    ASSERT_STR(
        site_query(site, "kpi", SITE_ARGUMENTS("measures=solved", "by=group", "at=2026-03-03")),
        "{\"report\":\"kpi\",\"position\":16,\"fold_version\":10,\"definitions\":5,"
        "\"values\":\"as-was\",\"from\":null,\"to\":null,\"at\":\"2026-03-03T00:00:00Z\","
        "\"time\":\"wall\",\"calendar\":null,\"zone\":\"UTC\",\"quantile\":\"type7\",\"unit\":"
        "\"s\",\"by\":[\"group\"],"
        "\"where\":{},\"total\":{\"solved\":{\"n\":4}},\"cells\":["
        "{\"by\":{\"group\":\"desk\"},\"name\":{\"group\":\"Service Desk\"},"
        "\"measures\":{\"solved\":{\"n\":2}}},"
        "{\"by\":{\"group\":\"net\"},\"name\":{\"group\":\"Netzwerk \\\"Süd\\\"\"},"
        "\"measures\":{\"solved\":{\"n\":1}}},"
        "{\"by\":{\"group\":null},\"measures\":{\"solved\":{\"n\":1}}}]}");
}

static void test_kpi_query_figures_of_a_duration(void **state)
{
    struct site *site = *state;
    json_t *report = KPI(site, "measures=resolution", "by=priority", "unit=h");
    ASSERT_FIGURE(report, NULL, "resolution", "n", 4);
    ASSERT_FIGURE(report, NULL, "resolution", "mean", 4);
    ASSERT_FIGURE(report, NULL, "resolution", "median", 2.5);
    ASSERT_FIGURE(report, NULL, "resolution", "p90", 7.9);
    ASSERT_FIGURE(report, NULL, "resolution", "sum", 16);
    ASSERT_FIGURE(report, "critical", "resolution", "mean", 2);
    ASSERT_FIGURE(report, "normal", "resolution", "max", 10);
    json_decref(report);
    report = KPI(site, "measures=resolution", "unit=d", "quantile=nearest");
    ASSERT_FIGURE(report, NULL, "resolution", "median", 0.083333);
    ASSERT_FIGURE(report, NULL, "resolution", "p90", 0.416667);
    json_decref(report);
}

static void test_kpi_query_times_are_of_the_zone(void **state)
{
    struct site *site = *state;
    json_t *report = KPI(site, "measures=solved", "by=month");
    ASSERT_FIGURE(report, "2026-02", "solved", "n", 2);
    ASSERT_FIGURE(report, "2026-03", "solved", "n", 2);
    json_decref(report);
    report = KPI(site, "measures=solved", "by=month", "zone=Europe/Berlin");
    ASSERT_FIGURE(report, "2026-02", "solved", "n", 1); /* the second was in the night */
    ASSERT_FIGURE(report, "2026-03", "solved", "n", 3);
    json_decref(report);
    report = KPI(site, "measures=solved", "by=week");
    ASSERT_FIGURE(report, "2026-W09", "solved", "n", 3);
    ASSERT_FIGURE(report, "2026-W10", "solved", "n", 1);
    json_decref(report);
    report = KPI(site, "measures=solved", "by=weekday");
    ASSERT_FIGURE(report, "sun", "solved", "n", 1);
    json_decref(report);
    report = KPI(site, "measures=solved", "by=day,hour-of-day");
    assert_int_equal(json_array_size(json_object_get(report, "cells")), 4);
    json_decref(report);
}

static void test_kpi_query_range_is_half_open(void **state)
{
    struct site *site = *state;
    json_t *report =
        KPI(site, "measures=solved", "from=2026-02-28T22:00:00Z", "to=2026-03-01T11:00:00Z");
    ASSERT_FIGURE(report, NULL, "solved", "n", 2);
    json_decref(report);
    report = KPI(site, "measures=solved", "from=2026-03-01", "zone=Europe/Berlin");
    ASSERT_FIGURE(report, NULL, "solved", "n", 3); /* from 23:00 UTC on */
    json_decref(report);
    report = KPI(site, "measures=backlog", "to=2026-02-28T22:00:00Z"); /* stands for at */
    ASSERT_FIGURE(report, NULL, "backlog", "n", 1);
    json_decref(report);
}

/* ---------------------------------------------------------------- filters */

static double solved_where(struct site *site, const char *filter, const char *other)
{
    json_t *report = KPI(site, "measures=solved", filter, other);
    double n = site_number(report, NULL, "solved", "n");
    json_decref(report);
    return n;
}

static void test_kpi_query_filters(void **state)
{
    struct site *site = *state;
    char by_id[64], id[DK_ID_TEXT_BYTES];
    ASSERT_EQ(solved_where(site, "priority=critical", "unit=s"), 2);
    ASSERT_EQ(solved_where(site, "priority=critical,normal", "unit=s"), 4);
    ASSERT_EQ(solved_where(site, "priority=critical", "group=net"), 0);
    ASSERT_EQ(solved_where(site, "group=desk", "group=net"), 3);
    ASSERT_EQ(solved_where(site, "group=none", "unit=s"), 1);
    ASSERT_EQ(solved_where(site, "product=office", "unit=s"), 2); /* mail is below it */
    ASSERT_EQ(solved_where(site, "product=mail", "line=1"), 1);
    ASSERT_EQ(solved_where(site, "site=1", "channel=none"), 4);
    ASSERT_EQ(solved_where(site, "site=2", "unit=s"), 0);
    (void)snprintf(by_id, sizeof by_id, "group=%s",
                   dk_id_format(test_id(DK_SUBJECT_GROUP, "net"), id));
    ASSERT_EQ(solved_where(site, by_id, "unit=s"), 1);
    ASSERT_EQ(solved_where(site, "ticket=1-2", "by=ticket"), 1);
}

static void test_kpi_query_values_as_was_and_as_now(void **state)
{
    struct site *site = *state;
    SAY(site, 1, CLASSIFIED, "2026-03-04T08:00:00Z", Classified, CLASSIFIED, .has_priority = 1,
        .priority = DOCKET__PRIORITY__PRIORITY_LOW);
    ASSERT_EQ(solved_where(site, "priority=low", "values=as-was"), 0);
    ASSERT_EQ(solved_where(site, "priority=low", "values=as-now"), 1);
    ASSERT_EQ(solved_where(site, "priority=critical", "values=as-was"), 2);
    ASSERT_EQ(solved_where(site, "priority=critical", "values=as-now"), 1);
}

/* As-was by the catalogue of the ending event, as-now by that of the log's end. */
static void test_kpi_query_catalogue_as_was_and_as_now(void **state)
{
    struct site *site = *state;
    Docket__ProductDefined mail = DOCKET__PRODUCT_DEFINED__INIT;
    mail.definition = test_definition("mail");
    mail.definition->has_effective_us = 1;
    mail.definition->effective_us = test_at("2026-03-03"); /* from then on below nothing */
    site_event(site, test_id(DK_SUBJECT_PRODUCT, "mail"), DK_KIND_PRODUCT_DEFINED,
               test_at("2026-03-03"), &mail, dk_id_make(DK_ACTOR_OPERATOR, 1), 0);
    ASSERT_EQ(solved_where(site, "product=office", "values=as-was"), 2);
    ASSERT_EQ(solved_where(site, "product=office", "values=as-now"), 1);
}

/* ---------------------------------------------------------------- refusals */

static void test_kpi_query_refuses_with_the_argument_named(void **state)
{
    static const struct {
        const char *argument;
        int code;
        const char *field, *message;
    } refused[] = {
        {"nonsense", DK_EINVAL, "argument", "not key=value"},
        {"colour=red", DK_EINVAL, "colour", "there is no argument \"colour\""},
        {"measures=speed", DK_EINVAL, "measures", "there is no measure \"speed\""},
        {"measures=", DK_EINVAL, "measures", "value of 0 bytes"},
        {"measures=solved,,closed", DK_EINVAL, "measures", "value of 0 bytes"},
        {"by=customer", DK_EINVAL, "by", "not grouped by \"customer\""},
        {"by=site,line,group,agent,product", DK_EINVAL, "by", "more than 4"},
        {"group=nobody", DK_EREFERENCE, "group", "there is no group \"nobody\""},
        {"group=group/", DK_EREFERENCE, "group", "there is no group"},
        {"group=group/xyz", DK_EREFERENCE, "group", "there is no group"},
        {"priority=urgent", DK_EINVAL, "priority", "\"urgent\" is no priority"},
        {"ticket=7", DK_EINVAL, "ticket", "no SITE-NUMBER"},
        {"line=-1", DK_EINVAL, "line", "no number"},
        {"line=70000", DK_EINVAL, "line", "no number"},
        {"month=2026-01", DK_EINVAL, "month", "from and to"},
        {"from=yesterday", DK_EINVAL, "from", "from: "},
        {"to=2026-13-01", DK_ETIME, "to", "to: "},
        {"zone=Mars/Base", DK_ENOTFOUND, "zone", "Mars/Base"},
        {"values=maybe", DK_EINVAL, "values", "values is not \"maybe\""},
        {"quantile=8", DK_EINVAL, "quantile", "quantile is not"},
        {"unit=fortnight", DK_EINVAL, "unit", "unit is not"},
    };
    struct site *site = *state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct dk_err err = {0};
        dk_buf_clear(&site->json);
        int rc = dk_folder_query(site->folder, "kpi", &refused[i].argument, 1, &site->json, &err);
        if (rc != refused[i].code || strcmp(err.field, refused[i].field) != 0 ||
            strstr(err.message, refused[i].message) == NULL) {
            fail_msg("%s: %s, field %s: %s", refused[i].argument, dk_code_name(rc), err.field,
                     err.message);
        }
        assert_int_equal(site->json.size, 0);
    }
}

static void test_kpi_query_refuses_other_queries_and_ranges(void **state)
{
    struct site *site = *state;
    const char *const range[] = {"from=2026-03-02", "to=2026-03-02"};
    struct dk_err err = {0};
    ASSERT_CODE(dk_folder_query(site->folder, "weather", NULL, 0, &site->json, &err), DK_ENOTFOUND);
    ASSERT_CONTAINS(err.message, "kpi and backlog");
    ASSERT_CODE(dk_folder_query(site->folder, "kpi", range, 2, &site->json, &err), DK_EINVAL);
    ASSERT_STR(err.field, "to");
}

static void test_kpi_query_that_does_not_fit_is_refused(void **state)
{
    struct site *site = *state;
    const char *const by[] = {"by=group"};
    struct dk_buf small;
    struct dk_err err = {0};
    dk_buf_init(&small, 300);
    ASSERT_CODE(dk_folder_query(site->folder, "kpi", by, 1, &small, &err), DK_ETOOBIG);
    ASSERT_STR(err.field, "by");
    dk_buf_close(&small);
}

/* ---------------------------------------------------------------- the table */

static const char *table_of(struct site *site, const char *const *argument)
{
    static char text[4096];
    const char *json = site_query(site, "kpi", argument);
    struct dk_buf table;
    dk_buf_init(&table, sizeof text - 1);
    ASSERT_OK(dk_kpi_table(&table, json, strlen(json), &site->err), &site->err);
    memcpy(text, dk_buf_string(&table), table.size + 1);
    dk_buf_close(&table);
    return text;
}

static void test_kpi_query_table_is_aligned(void **state)
{
    ASSERT_STR(
        table_of(*state, SITE_ARGUMENTS("measures=opened,resolution,solved,reopen-rate",
                                        "by=group,priority", "unit=h", "at=2026-03-03")),
        "position 16, definitions 5, values as-was, at 2026-03-03T00:00:00Z, time wall, zone "
        "UTC, quantile type7\n"
        "\n"
        "group           priority  opened  solved\n"
        "Service Desk    critical       0       2\n"
        "Netzwerk \"Süd\"  normal         0       1\n"
        "-               critical       2       0\n"
        "-               normal         2       1\n"
        "total                          4       4\n"
        "\n"
        "resolution in h: opened to the last solve, of tickets that have ended\n"
        "group           priority  n  unknown   mean  median    p90    p99    min    max\n"
        "Service Desk    critical  2        0   2.00    2.00   2.80   2.98   1.00   3.00\n"
        "Netzwerk \"Süd\"  normal    1        0   2.00    2.00   2.00   2.00   2.00   2.00\n"
        "-               critical  0        0      -       -      -      -      -      -\n"
        "-               normal    1        0  10.00   10.00  10.00  10.00  10.00  10.00\n"
        "total                     4        0   4.00    2.50   7.90   9.79   1.00  10.00\n"
        "\n"
        "reopen-rate: reopened since / ended (at the first end)\n"
        "group           priority  n  hits  percent  unknown  immature  cancelled\n"
        "Service Desk    critical  0     0        -        0         2          0\n"
        "Netzwerk \"Süd\"  normal    0     0        -        0         1          0\n"
        "-               critical  0     0        -        0         0          0\n"
        "-               normal    0     0        -        0         1          0\n"
        "total                     0     0        -        0         4          0\n");
}

static void test_kpi_query_table_of_no_report_is_refused(void **state)
{
    struct site *site = *state;
    struct dk_buf table;
    dk_buf_init(&table, 4096);
    ASSERT_CODE(dk_kpi_table(&table, "{", 1, &site->err), DK_EINVAL);
    ASSERT_CODE(dk_kpi_table(&table, "[1]", 3, &site->err), DK_EINVAL);
    ASSERT_CODE(dk_kpi_table(&table, "{\"total\":3}", 11, &site->err), DK_EINVAL);
    dk_buf_close(&table);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_kpi_query_cells_are_ordered_and_the_total_has_all),
        TEST(test_kpi_query_figures_of_a_duration),
        TEST(test_kpi_query_times_are_of_the_zone),
        TEST(test_kpi_query_range_is_half_open),
        TEST(test_kpi_query_filters),
        TEST(test_kpi_query_values_as_was_and_as_now),
        TEST(test_kpi_query_catalogue_as_was_and_as_now),
        TEST(test_kpi_query_refuses_with_the_argument_named),
        TEST(test_kpi_query_refuses_other_queries_and_ranges),
        TEST(test_kpi_query_that_does_not_fit_is_refused),
        TEST(test_kpi_query_table_is_aligned),
        TEST(test_kpi_query_table_of_no_report_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
