/* Definitions that tell of the past: whatever they change is said, of open, solved and closed
 * tickets, by a live node as by one that is restarted; and in every order of arrival the same. */
#include "nodes/sla/reach.h"
#include "nodes/sla/state.h"
#include "tests/lib/bodies.h"
#include "tests/unit/sla_definitions.h"

static uint64_t open_carls(struct role_world *w)
{
    Docket__Opened body = DOCKET__OPENED__INIT;
    uint64_t ticket = dk_ticket_make(7, ++w->tickets);
    body.has_priority = body.has_customer = body.has_product = 1;
    body.priority = NORMAL;
    body.customer = CARL;
    body.product = LAPTOP;
    body.message = test_text("it does not work");
    (void)sla_happens(w, ticket, 0, DK_KIND_OPENED, &body, ACT_CUSTOMER);
    return ticket;
}

/* ---------------------------------------------------------------- one by one */

/* What there is before, and what is told afterwards: a resolution in three hours is late then. */
struct late {
    const char *what;
    void (*before)(struct role_world *w, int64_t from_us);
    uint64_t (*told)(struct role_world *w, int64_t opened_us);
};

static void nothing_before(struct role_world *w, int64_t from_us)
{
    (void)w;
    (void)from_us;
}

static uint64_t tell_policy(struct role_world *w, int64_t opened_us)
{
    return define_policy(w, promised(RESOLUTION, 2 * DK_HOUR_US, 0), opened_us);
}

/* For open tickets, as this one was an hour after its opening. */
static uint64_t tell_publication(struct role_world *w, int64_t opened_us)
{
    Docket__PolicyDefined *policy = promised(RESOLUTION, 2 * DK_HOUR_US, 0);
    policy->publish = DOCKET__PUBLICATION__PUBLISH_OPEN;
    return define_policy(w, policy, opened_us + DK_HOUR_US);
}

static void before_company(struct role_world *w, int64_t from_us)
{
    (void)define_policy(w, shorter_where(DOCKET__CONDITION_FIELD__CONDITION_TIER), from_us);
    (void)define_customer(w, ACME, from_us);
}

static uint64_t tell_company(struct role_world *w, int64_t opened_us)
{
    return define_company(w, "gold", 0, opened_us);
}

static void before_customer(struct role_world *w, int64_t from_us)
{
    (void)define_policy(w, shorter_where(DOCKET__CONDITION_FIELD__CONDITION_TIER), from_us);
    (void)define_company(w, "gold", 0, from_us);
}

static uint64_t tell_customer(struct role_world *w, int64_t opened_us)
{
    return define_customer(w, ACME, opened_us);
}

static void before_product(struct role_world *w, int64_t from_us)
{
    (void)define_policy(w, shorter_where(DOCKET__CONDITION_FIELD__CONDITION_PRODUCT), from_us);
    (void)define_product(w, 0, from_us);
}

static uint64_t tell_product(struct role_world *w, int64_t opened_us)
{
    return define_product(w, HARDWARE, opened_us);
}

/* At night, when the office is closed: until it is said that it was not. */
static void before_hours(struct role_world *w, int64_t from_us)
{
    (void)define_hours(w, 9, 17, from_us);
    (void)define_policy(w, promised(RESOLUTION, 2 * DK_HOUR_US, OFFICE), from_us);
}

static uint64_t tell_hours(struct role_world *w, int64_t opened_us)
{
    return define_hours(w, 0, 24, opened_us);
}

static const struct late lates[] = {
    {"a policy", nothing_before, tell_policy},
    {"a publication", nothing_before, tell_publication},
    {"a company", before_company, tell_company},
    {"a customer", before_customer, tell_customer},
    {"a product", before_product, tell_product},
    {"a calendar", before_hours, tell_hours},
};

/* Nothing is left for a restarted node to say, and it has the same state. */
static void assert_all_said(struct role_world *w)
{
    uint64_t hash = dk_folder_hash(w->folder);
    struct dk_folder *restored = world_restore(w);
    ASSERT_EQ(dk_folder_hash(restored), hash);
    dk_folder_free(&w->folder);
    w->folder = restored;
    ASSERT_EQ(sla_settle(w), 0);
    world_restart(w);
    ASSERT_EQ(dk_folder_hash(w->folder), hash);
    ASSERT_EQ(sla_settle(w), 0);
}

/* The last correction of resolutions from a position on, or NULL. */
static const Docket__ClockCorrected *corrected_since(const struct role_world *w, uint64_t from)
{
    const Docket__ClockCorrected *found = NULL;
    for (uint64_t position = from; position <= w->count; position++) {
        size_t bytes;
        if (dk_event_load_kind(world_record(w, position, &bytes)) != DK_KIND_CLOCK_CORRECTED)
            continue;
        const Docket__ClockCorrected *body = world_body(w, position, DK_KIND_CLOCK_CORRECTED);
        found = body->clock->metric == RESOLUTION ? body : found;
    }
    return found;
}

static void late_definition_corrects(const struct late *late, Docket__Status over)
{
    struct role_world *w = calloc(1, sizeof *w);
    world_open(w, &dk_sla_role);
    sla_promise(w);
    late->before(w, w->now_us);
    uint64_t ticket = open_carls(w);
    int64_t opened_us = w->now_us;
    (void)sla_settle(w);
    (void)sla_wait_until(w, opened_us + 3 * DK_HOUR_US);
    (void)sla_solved(w, ticket);
    if (over == DOCKET__STATUS__STATUS_CLOSED)
        (void)sla_status(w, ticket, 0, over, 0);
    (void)sla_wait_until(w, opened_us + 100 * DK_HOUR_US);
    uint64_t told = late->told(w, opened_us);
    (void)sla_settle(w);
    const Docket__ClockCorrected *corrected = corrected_since(w, told);
    if (corrected == NULL)
        fail_msg("%s tells of the past, and nothing is corrected", late->what);
    ASSERT_EQ(corrected->from, MET);
    ASSERT_EQ(corrected->to, BREACHED);
    ASSERT_EQ(corrected->due_us, opened_us + 2 * DK_HOUR_US);
    ASSERT_EQ(corrected->because, told);
    assert_all_said(w);
    world_close(w);
    free(w);
}

static void test_T1_late_definitions_correct_what_is_over(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lates / sizeof lates[0]; i++) {
        late_definition_corrects(&lates[i], DOCKET__STATUS__STATUS_SOLVED);
        late_definition_corrects(&lates[i], DOCKET__STATUS__STATUS_CLOSED);
    }
}

/* The same of one that runs: its promise is another one, at once. */
static void test_T1_late_definitions_are_said_of_what_runs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lates / sizeof lates[0]; i++) {
        struct role_world *w = calloc(1, sizeof *w);
        world_open(w, &dk_sla_role);
        sla_promise(w);
        lates[i].before(w, w->now_us);
        (void)open_carls(w);
        int64_t opened_us = w->now_us;
        (void)sla_wait_until(w, opened_us + DK_HOUR_US + DK_HOUR_US / 2);
        uint64_t told = lates[i].told(w, opened_us);
        (void)sla_wait_until(w, opened_us + 3 * DK_HOUR_US);
        uint64_t last = 0;
        ASSERT_EQ(sla_count(w, told, DK_KIND_CLOCK_BREACHED, &last), 1);
        const Docket__ClockBreached *breached = world_body(w, last, DK_KIND_CLOCK_BREACHED);
        ASSERT_EQ(breached->due_us, opened_us + 2 * DK_HOUR_US);
        ASSERT_EQ(breached->late_by_us, 0);
        assert_all_said(w);
        world_close(w);
        free(w);
    }
}

/* S5: contracts are named by what runs; a company's, and a supplier's. */
static void test_S5_late_contracts_are_said(void **state)
{
    struct role_world *w = *state;
    Docket__PolicyDefined *partners = new_policy("partners", DOCKET__POLICY_TYPE__POLICY_UC, 1);
    Docket__SupplierHanded handed = DOCKET__SUPPLIER_HANDED__INIT;
    uint64_t last = 0;
    handed.supplier = CARRIER;
    add_goal(partners, SUPPLIER, ANY, DK_HOUR_US * 100);
    (void)define_policy(w, partners, w->now_us);
    (void)define_customer(w, ACME, w->now_us);
    (void)define_company(w, NULL, 0, w->now_us);
    uint64_t ticket = open_carls(w);
    int64_t opened_us = w->now_us;
    (void)sla_happens(w, ticket, 0, DK_KIND_SUPPLIER_HANDED, &handed, ACT_AGENT);
    (void)sla_settle(w);
    uint64_t told = define_company(w, NULL, TERMS, opened_us);
    (void)sla_settle(w);
    ASSERT_EQ(sla_count(w, told, DK_KIND_CLOCK_STARTED, &last), 2); /* first reply, resolution */
    const Docket__ClockStarted *started = world_body(w, last, DK_KIND_CLOCK_STARTED);
    ASSERT_EQ(started->contract, TERMS);
    told = define_contract(w, CARRIER, opened_us);
    (void)sla_settle(w);
    ASSERT_EQ(sla_count(w, told, DK_KIND_CLOCK_STARTED, &last), 1);
    started = world_body(w, last, DK_KIND_CLOCK_STARTED);
    ASSERT_EQ(started->clock->metric, SUPPLIER);
    ASSERT_EQ(started->contract, TERMS);
    assert_all_said(w);
}

/* ---------------------------------------------------------------- what it costs */

/* What is in force from when it is recorded on, or only after a ticket was over, touches nothing.
 */
static void test_definitions_of_now_touch_nothing(void **state)
{
    struct role_world *w = *state;
    uint64_t item, open = open_carls(w), closed = open_carls(w);
    int64_t last_us;
    (void)sla_solved(w, closed);
    (void)sla_status(w, closed, 0, DOCKET__STATUS__STATUS_CLOSED, 0);
    last_us = w->now_us;
    w->now_us += DK_MINUTE_US;
    (void)sla_settle(w);
    (void)define_company(w, "gold", 0, w->now_us);
    (void)define_customer(w, ACME, w->now_us);
    (void)define_product(w, HARDWARE, w->now_us);
    (void)define_contract(w, 0, w->now_us);
    (void)define_policy(w, promised(RESOLUTION, DK_HOUR_US, 0), w->now_us);
    ASSERT_TRUE(!dk_folder_next_item(w->folder, w->now_us, &item));
    /* Hours are of what runs, too. */
    (void)define_hours(w, 9, 17, last_us + 1);
    for (bool seen = false; dk_folder_next_item(w->folder, w->now_us, &item);) {
        ASSERT_TRUE(item != closed);
        seen = seen || item == open;
        dk_folder_consider(w->folder, item, w->now_us, &w->intents);
        ASSERT_TRUE(seen || item == DK_REACH_ITEM);
    }
}

/* Of one customer only its own tickets are looked at. */
static void test_customers_are_looked_up(void **state)
{
    struct role_world *w = *state;
    uint64_t item, other = sla_opened(w, NORMAL), carls = open_carls(w);
    (void)other;
    (void)sla_settle(w);
    (void)define_customer(w, ACME, WORLD_NOW);
    ASSERT_TRUE(dk_folder_next_item(w->folder, w->now_us, &item));
    ASSERT_EQ(item, carls);
    ASSERT_TRUE(!dk_folder_next_item(w->folder, w->now_us, &item));
}

/* Many are walked over a slice at a time, and none is left out by tickets that come in meanwhile;
 * several definitions are one walk. */
static void test_walks_are_in_slices(void **state)
{
    struct role_world *w = *state;
    size_t many = 2 * DK_REACH_SLICE + 7;
    for (size_t i = 0; i < many; i++)
        (void)sla_solved(w, sla_opened(w, NORMAL));
    (void)world_settle(w);
    w->now_us += DK_HOUR_US;
    uint64_t told = define_policy(w, promised(RESOLUTION, DK_MINUTE_US, 0), w->now_us - DK_HOUR_US),
             item;
    (void)define_policy(w, promised(RESOLUTION, 500, 0), WORLD_NOW + WORLD_STEP_US);
    ASSERT_TRUE(dk_folder_next_item(w->folder, w->now_us, &item));
    ASSERT_EQ(item, DK_REACH_ITEM);
    dk_folder_consider(w->folder, item, w->now_us, &w->intents);
    for (size_t i = 0; i < 100; i++)
        (void)sla_opened(w, NORMAL);
    ASSERT_EQ(((const struct dk_sla *)dk_folder_self(w->folder))->reach.left,
              many - DK_REACH_SLICE);
    while (dk_folder_next_item(w->folder, w->now_us, &item)) {
        dk_folder_consider(w->folder, item, w->now_us, &w->intents);
        for (size_t i = 0; i < w->intents.count; i++) {
            struct dk_slice event = dk_intents_event(&w->intents, i);
            DK_ASSERT(dk_buf_append(&w->log, event.data, event.size) == 0);
            (void)world_stamp(w);
        }
    }
    ASSERT_EQ(sla_count(w, told, DK_KIND_CLOCK_CORRECTED, NULL), 2 * many);
    assert_all_said(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_T1_late_definitions_correct_what_is_over),
        cmocka_unit_test(test_T1_late_definitions_are_said_of_what_runs),
        cmocka_unit_test_setup_teardown(test_S5_late_contracts_are_said, sla_setup, sla_teardown),
        cmocka_unit_test_setup_teardown(test_definitions_of_now_touch_nothing, sla_setup,
                                        sla_teardown),
        cmocka_unit_test_setup_teardown(test_customers_are_looked_up, sla_setup, sla_teardown),
        cmocka_unit_test_setup_teardown(test_walks_are_in_slices, sla_setup, sla_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
