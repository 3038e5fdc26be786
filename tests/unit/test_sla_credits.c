/* S13: what breached promises cost, by contract and calendar month. */
#include "tests/lib/bodies.h"
#include "tests/unit/sla_world.h"
#include <jansson.h>

#define HOURS(n) ((int64_t)(n)*DK_HOUR_US)

static void add_penalty(Docket__ContractDefined *contract, Docket__Priority priority,
                        Docket__Metric metric, uint64_t rate, int64_t unit_us, uint64_t cap)
{
    Docket__Penalty *penalty = test_memory(sizeof *penalty);
    docket__penalty__init(penalty);
    penalty->priority = priority;
    penalty->has_metric = metric != DOCKET__METRIC__METRIC_NONE;
    penalty->metric = metric;
    penalty->rate_minor = rate;
    penalty->unit_us = (uint64_t)unit_us;
    penalty->cap_minor = cap;
    contract->penalty[contract->n_penalty++] = penalty;
}

static Docket__ContractDefined *new_contract(const char *key, const char *currency)
{
    Docket__ContractDefined *contract = test_memory(sizeof *contract);
    docket__contract_defined__init(contract);
    contract->definition = test_definition(key);
    contract->penalty = test_memory(8 * sizeof *contract->penalty);
    contract->has_currency = currency != NULL;
    contract->currency = test_bytes(currency != NULL ? currency : "");
    return contract;
}

static json_t *ask(struct role_world *w, const char *from, const char *to, const char *zone)
{
    char text[3][64];
    const char *argument[3];
    struct dk_buf buf;
    struct dk_err err;
    size_t n = 0;
    const struct {
        const char *key, *value;
    } given[] = {{"from", from}, {"to", to}, {"zone", zone}};
    for (size_t i = 0; i < 3; i++) {
        if (given[i].value != NULL) {
            (void)snprintf(text[n], sizeof text[n], "%s=%s", given[i].key, given[i].value);
            argument[n] = text[n];
            n++;
        }
    }
    dk_buf_init(&buf, 1 << 20);
    ASSERT_OK(dk_folder_query(w->folder, "credits", argument, n, &buf, &err), &err);
    json_t *json = json_loadb((const char *)buf.data, buf.size, 0, NULL);
    ASSERT_TRUE(json != NULL);
    dk_buf_close(&buf);
    return json;
}

static int64_t number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static const char *word(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* A gold customer with a contract: resolution within 8 hours, 2 when high. */
static void have_customer(struct role_world *w, Docket__ContractDefined *contract)
{
    Docket__CompanyDefined company = DOCKET__COMPANY_DEFINED__INIT;
    Docket__CustomerDefined customer = DOCKET__CUSTOMER_DEFINED__INIT;
    contract->has_company = 1;
    contract->company = test_id(DK_SUBJECT_COMPANY, "acme");
    (void)world_define(w, DK_KIND_CONTRACT_DEFINED, contract);
    company.definition = test_definition("acme");
    company.has_contract = 1;
    company.contract = test_id(DK_SUBJECT_CONTRACT, (const char *)contract->definition->key.data);
    (void)world_define(w, DK_KIND_COMPANY_DEFINED, &company);
    customer.definition = test_definition("carl");
    customer.has_company = 1;
    customer.company = contract->company;
    (void)world_define(w, DK_KIND_CUSTOMER_DEFINED, &customer);
}

static uint64_t open_by(struct role_world *w, const char *customer, Docket__Priority priority)
{
    Docket__Opened body = DOCKET__OPENED__INIT;
    body.has_priority = 1;
    body.priority = priority;
    body.message = test_text("it does not work");
    body.has_customer = customer != NULL;
    body.customer = customer != NULL ? test_id(DK_SUBJECT_CUSTOMER, customer) : 0;
    return world_open_ticket(w, &body);
}

/* Opened, and solved so late; the overrun is exact to the microsecond. */
static void breach(struct role_world *w, Docket__Priority priority, int64_t target_us,
                   int64_t overrun_us)
{
    uint64_t ticket = open_by(w, "carl", priority);
    int64_t opened_us = w->now_us;
    (void)sla_settle(w);
    (void)sla_replies(w, ticket, 0);
    (void)sla_wait_until(w, opened_us + target_us + DK_SECOND_US);
    w->now_us = opened_us + target_us + overrun_us - WORLD_STEP_US;
    (void)sla_solved(w, ticket);
    (void)sla_settle(w);
}

/* Units are begun ones, of the priority, and at most the cap. */
static void test_S13_credit(void **state)
{
    static const struct {
        Docket__Priority priority;
        int64_t target_us, overrun_us;
        int64_t units, credit;
        bool capped;
    } cases[] = {
        {NORMAL, HOURS(8), HOURS(1), 1, 1000, false},
        {NORMAL, HOURS(8), HOURS(1) + 1, 2, 2000, false},
        {NORMAL, HOURS(8), 2 * DK_SECOND_US, 1, 1000, false},
        {NORMAL, HOURS(8), HOURS(5), 5, 5000, false},
        {NORMAL, HOURS(8), HOURS(6), 6, 5000, true},
        {HIGH, HOURS(2), HOURS(3), 6, 42000, false}, /* each half hour */
        {HIGH, HOURS(2), HOURS(300), 600, 100000, true},
    };
    struct role_world *w = *state;
    Docket__ContractDefined *contract = new_contract("acme-2026", "EUR");
    add_penalty(contract, ANY, DOCKET__METRIC__METRIC_NONE, 1000, HOURS(1), 5000);
    add_penalty(contract, HIGH, DOCKET__METRIC__METRIC_NONE, 7000, HOURS(1) / 2, 100000);
    have_customer(w, contract);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        breach(w, cases[i].priority, cases[i].target_us, cases[i].overrun_us);
    json_t *json = ask(w, NULL, NULL, NULL), *lines = json_object_get(json, "lines");
    int64_t sum = 0, breaches = 0;
    size_t at = 0;
    for (size_t l = 0; l < json_array_size(lines); l++) {
        const json_t *line = json_array_get(lines, l), *clocks = json_object_get(line, "clocks");
        ASSERT_STR(word(line, "contract"), "acme-2026");
        ASSERT_STR(word(line, "company"), "acme");
        ASSERT_STR(word(line, "owed"), "by-us");
        ASSERT_STR(word(line, "currency"), "EUR");
        for (size_t i = 0; i < json_array_size(clocks); i++, at++) {
            const json_t *clock = json_array_get(clocks, i);
            ASSERT_EQ(number(clock, "overrun_us"), cases[at].overrun_us);
            ASSERT_EQ(number(clock, "units"), cases[at].units);
            ASSERT_EQ(number(clock, "credit_minor"), cases[at].credit);
            ASSERT_EQ(json_is_true(json_object_get(clock, "capped")), cases[at].capped);
            sum -= number(clock, "credit_minor");
        }
        sum += number(line, "credit_minor");
        breaches += number(line, "breaches");
    }
    ASSERT_EQ(at, sizeof cases / sizeof *cases);
    ASSERT_EQ(breaches, (int64_t)at);
    ASSERT_EQ(sum, 0);
    ASSERT_EQ(number(json, "unpriced"), 0);
    json_decref(json);
}

/* A unit that never ends is begun once, and amounts end where integers of an answer do. */
static void test_S13_beyond_all_bounds(void **state)
{
    struct role_world *w = *state;
    Docket__ContractDefined *contract = new_contract("acme-2026", "EUR");
    add_penalty(contract, ANY, DOCKET__METRIC__METRIC_NONE, INT64_MAX, INT64_MAX, INT64_MAX);
    contract->penalty[0]->rate_minor = contract->penalty[0]->unit_us = UINT64_MAX;
    contract->penalty[0]->cap_minor = UINT64_MAX;
    have_customer(w, contract);
    breach(w, NORMAL, HOURS(8), HOURS(2));
    breach(w, NORMAL, HOURS(8), HOURS(2));
    json_t *json = ask(w, NULL, NULL, NULL);
    const json_t *line = json_array_get(json_object_get(json, "lines"), 0);
    const json_t *clock = json_array_get(json_object_get(line, "clocks"), 0);
    ASSERT_EQ(number(clock, "units"), 1);
    ASSERT_EQ(number(clock, "credit_minor"), INT64_MAX);
    ASSERT_EQ(number(line, "breaches"), 2);
    ASSERT_EQ(number(line, "credit_minor"), INT64_MAX);
    json_decref(json);
}

/* The month is that of the clock's end in the zone asked for; from and to cut by the same. */
static void test_S13_months_of_a_zone(void **state)
{
    static const struct {
        const char *zone, *from, *to, *month; /* NULL: not in the report */
    } cases[] = {
        {"UTC", NULL, NULL, "2026-03"},
        {"Asia/Tokyo", NULL, NULL, "2026-04"},
        {"UTC", "2026-03-01", "2026-04-01", "2026-03"},
        {"UTC", "2026-04-01", NULL, NULL},
        {"Asia/Tokyo", "2026-04-01", "2026-05-01", "2026-04"},
        {"Asia/Tokyo", "2026-03-01", "2026-04-01", NULL},
    };
    struct role_world *w = *state;
    Docket__ContractDefined *contract = new_contract("acme-2026", "EUR");
    add_penalty(contract, ANY, DOCKET__METRIC__METRIC_NONE, 1000, HOURS(1), 5000);
    have_customer(w, contract);
    w->now_us = test_at("2026-03-31T08:00:00Z");
    breach(w, NORMAL, HOURS(8), HOURS(2)); /* solved at 18:00 */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *json = ask(w, cases[i].from, cases[i].to, cases[i].zone);
        const json_t *line = json_array_get(json_object_get(json, "lines"), 0);
        ASSERT_EQ(json_array_size(json_object_get(json, "lines")), cases[i].month != NULL);
        if (cases[i].month != NULL)
            ASSERT_STR(word(line, "month"), cases[i].month);
        json_decref(json);
    }
}

/* A supplier's contract: they owe us. The terms are those in force at the end. */
static void test_S13_supplier_owes_us(void **state)
{
    struct role_world *w = *state;
    Docket__SupplierDefined supplier = DOCKET__SUPPLIER_DEFINED__INIT;
    Docket__SupplierHanded handed = DOCKET__SUPPLIER_HANDED__INIT;
    Docket__SupplierReturned returned = DOCKET__SUPPLIER_RETURNED__INIT;
    Docket__PolicyDefined *uc = new_policy("uc", DOCKET__POLICY_TYPE__POLICY_UC, 1);
    Docket__ContractDefined *contract = new_contract("lines", "JPY");
    handed.supplier = returned.supplier = test_id(DK_SUBJECT_SUPPLIER, "carrier");
    supplier.definition = test_definition("carrier");
    (void)world_define(w, DK_KIND_SUPPLIER_DEFINED, &supplier);
    contract->has_supplier = 1;
    contract->supplier = handed.supplier;
    add_penalty(contract, ANY, DOCKET__METRIC__METRIC_NONE, 10, HOURS(1), 1000);
    (void)world_define(w, DK_KIND_CONTRACT_DEFINED, contract);
    add_goal(uc, SUPPLIER, ANY, HOURS(2));
    (void)world_define(w, DK_KIND_POLICY_DEFINED, uc);
    uint64_t ticket = open_by(w, NULL, NORMAL);
    (void)sla_happens(w, ticket, 0, DK_KIND_SUPPLIER_HANDED, &handed, ACT_AGENT);
    int64_t handed_us = w->now_us;
    (void)sla_wait_until(w, handed_us + HOURS(4));
    json_t *json = ask(w, NULL, NULL, NULL);
    ASSERT_EQ(number(json, "running"), 2); /* and the first reply, which nobody gave */
    ASSERT_EQ(json_array_size(json_object_get(json, "lines")), 0);
    json_decref(json);
    contract->penalty[0]->rate_minor = 30;
    (void)world_define(w, DK_KIND_CONTRACT_DEFINED, contract);
    (void)sla_happens(w, ticket, 0, DK_KIND_SUPPLIER_RETURNED, &returned, ACT_AGENT);
    (void)sla_settle(w);
    json = ask(w, NULL, NULL, NULL);
    const json_t *line = json_array_get(json_object_get(json, "lines"), 0);
    ASSERT_STR(word(line, "owed"), "to-us");
    ASSERT_STR(word(line, "supplier"), "carrier");
    ASSERT_EQ(number(line, "credit_minor"), 3 * 30);
    json_decref(json);
}

/* A penalty of another metric; a breach without a contract; a late reply that takes one back. */
static void test_S13_metrics_unpriced_and_corrected(void **state)
{
    struct role_world *w = *state;
    Docket__ContractDefined *contract = new_contract("acme-2026", NULL);
    add_penalty(contract, ANY, FIRST_REPLY, 500, HOURS(1), 5000);
    have_customer(w, contract);
    uint64_t ticket = open_by(w, "carl", LOW), other = open_by(w, NULL, LOW);
    int64_t opened_us = w->now_us;
    (void)sla_wait_until(w, opened_us + HOURS(3));
    (void)sla_replies(w, ticket, 0);
    (void)sla_replies(w, other, 0);
    (void)sla_settle(w);
    json_t *json = ask(w, NULL, NULL, NULL);
    const json_t *line = json_array_get(json_object_get(json, "lines"), 0);
    ASSERT_EQ(number(line, "credit_minor"), 3 * 500); /* two hours and a little */
    ASSERT_EQ(number(json, "unpriced"), 1);
    ASSERT_TRUE(json_is_null(json_object_get(line, "currency")));
    json_decref(json);
    (void)sla_replies(w, ticket, opened_us + HOURS(1) / 2);
    (void)sla_settle(w);
    (void)sla_last(w, DK_KIND_CLOCK_CORRECTED);
    json = ask(w, NULL, NULL, NULL);
    ASSERT_EQ(json_array_size(json_object_get(json, "lines")), 0);
    json_decref(json);
}

enum deed { REPLIES, PENDS, ANSWERS, SOLVES, MERGES, DEEDS };

/* What happened to the ticket at an instant of its own, told now. */
static void tell(struct role_world *w, uint64_t ticket, int64_t opened_us, enum deed deed)
{
    Docket__MergedInto merged = DOCKET__MERGED_INTO__INIT;
    merged.target = dk_ticket_make(7, 99);
    switch (deed) {
    case REPLIES: (void)sla_replies(w, ticket, opened_us + HOURS(2)); break;
    case PENDS:
        (void)sla_status(w, ticket, opened_us + HOURS(3), DOCKET__STATUS__STATUS_PENDING, CUSTOMER);
        break;
    case ANSWERS: (void)sla_writes(w, ticket, opened_us + HOURS(5)); break;
    case SOLVES:
        (void)sla_status(w, ticket, opened_us + HOURS(12), DOCKET__STATUS__STATUS_SOLVED, 0);
        break;
    default:
        (void)sla_happens(w, ticket, opened_us + HOURS(40), DK_KIND_MERGED_INTO, &merged,
                          ACT_AGENT);
        break;
    }
}

/* The number `n` of all orders of the deeds (Lehmer's code). */
static void order_of(unsigned n, enum deed order[DEEDS])
{
    enum deed left[DEEDS] = {REPLIES, PENDS, ANSWERS, SOLVES, MERGES};
    for (unsigned size = DEEDS, i = 0; size > 0; n /= size, size--, i++) {
        unsigned at = n % size;
        order[i] = left[at];
        memmove(&left[at], &left[at + 1], (size - 1 - at) * sizeof left[0]);
    }
}

/* Opened, breached before anything is heard, then in any order: a reply after two hours, a pause of
 * two, solved after twelve, merged later. Two hours too late is what costs, in whatever order it
 * was told, live and read from the log. */
static void test_S13_every_order_of_arrival(void **state)
{
    enum { ORDERS = 120 };
    struct role_world *w = *state;
    Docket__ContractDefined *contract = new_contract("acme-2026", "EUR");
    add_penalty(contract, ANY, DOCKET__METRIC__METRIC_NONE, 1000, HOURS(1), 50000);
    add_penalty(contract, ANY, FIRST_REPLY, 1, HOURS(1), 50000);
    have_customer(w, contract);
    for (unsigned n = 0; n < ORDERS; n++) {
        enum deed order[DEEDS];
        uint64_t ticket = open_by(w, "carl", NORMAL);
        int64_t opened_us = w->now_us;
        order_of(n, order);
        (void)sla_wait_until(w, opened_us + HOURS(50));
        for (unsigned i = 0; i < DEEDS; i++) {
            tell(w, ticket, opened_us, order[i]);
            (void)sla_settle(w);
        }
    }
    struct dk_folder *live = w->folder, *again = world_replay(w);
    for (int round = 0; round < 2; round++, w->folder = again) {
        json_t *json = ask(w, NULL, NULL, NULL), *line, *clock;
        size_t l, i, count = 0;
        ASSERT_EQ(number(json, "running"), 0);
        ASSERT_EQ(number(json, "unpriced"), 0);
        json_array_foreach(json_object_get(json, "lines"), l, line)
        {
            json_array_foreach(json_object_get(line, "clocks"), i, clock)
            {
                bool reply = strcmp(word(clock, "metric"), "first-reply") == 0;
                ASSERT_EQ(number(clock, "overrun_us"), reply ? HOURS(1) : HOURS(2));
                ASSERT_EQ(number(clock, "credit_minor"), reply ? 1 : 2000);
                count++;
            }
        }
        ASSERT_EQ(count, 2 * ORDERS);
        json_decref(json);
    }
    w->folder = live;
    dk_folder_free(&again);
}

/* The live state, one folded from the log and one restored from tables answer the same bytes. */
static void test_S13_replay_gives_the_same_bytes(void **state)
{
    struct role_world *w = *state;
    Docket__ContractDefined *contract = new_contract("acme-2026", "EUR");
    const char *zone = "zone=Europe/Berlin", *bad = "zone=Nowhere/Else";
    struct dk_buf live, other;
    struct dk_err err;
    add_penalty(contract, ANY, DOCKET__METRIC__METRIC_NONE, 1000, HOURS(1), 5000);
    have_customer(w, contract);
    for (int i = 5; i > 0; i--)
        breach(w, NORMAL, HOURS(8), HOURS(200 * i));
    (void)open_by(w, "carl", NORMAL);
    (void)sla_wait_until(w, w->now_us + HOURS(10)); /* and two that run */
    struct dk_folder *others[] = {world_replay(w), world_restore(w)};
    dk_buf_init(&live, 1 << 20);
    ASSERT_OK(dk_folder_query(w->folder, "credits", &zone, 1, &live, &err), &err);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        dk_buf_init(&other, 1 << 20);
        ASSERT_OK(dk_folder_query(others[i], "credits", &zone, 1, &other, &err), &err);
        ASSERT_EQ(live.size, other.size);
        assert_memory_equal(live.data, other.data, live.size);
        ASSERT_EQ(dk_folder_hash(others[i]), dk_folder_hash(w->folder));
        dk_buf_close(&other);
        dk_folder_free(&others[i]);
    }
    ASSERT_CODE(dk_folder_query(w->folder, "credits", &bad, 1, &live, NULL), DK_ENOTFOUND);
    dk_buf_close(&live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_S13_credit, sla_setup, sla_teardown),
        cmocka_unit_test_setup_teardown(test_S13_beyond_all_bounds, sla_setup, sla_teardown),
        cmocka_unit_test_setup_teardown(test_S13_months_of_a_zone, sla_setup, sla_teardown),
        cmocka_unit_test_setup_teardown(test_S13_supplier_owes_us, sla_setup, sla_teardown),
        cmocka_unit_test_setup_teardown(test_S13_metrics_unpriced_and_corrected, sla_setup,
                                        sla_teardown),
        cmocka_unit_test_setup_teardown(test_S13_every_order_of_arrival, sla_setup, sla_teardown),
        cmocka_unit_test_setup_teardown(test_S13_replay_gives_the_same_bytes, sla_setup,
                                        sla_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
