/* T1: events of tickets and definitions that tell of the past, in every order of arrival, with the
 * node deciding in between: in the end the clocks are the same, the log says them, and a node that
 * is restarted has nothing to add. */
#include "tests/lib/bodies.h"
#include "tests/unit/clocks_same.h"
#include "tests/unit/sla_definitions.h"
#include "tests/unit/sla_ledger.h"

#define SEEDS   40
#define ORDERS  5
#define THINGS  48
#define TICKETS 3
#define MINUTES (36 * 60)
#define BEGIN   (WORLD_NOW - 40 * DK_HOUR_US)
#define END     (WORLD_NOW + 60 * DK_HOUR_US)

enum what {
    WRITES,
    REPLIES,
    PENDS,
    OPENS,
    SOLVES,
    CLOSES,
    RAISES,
    HANDS,
    RETURNS,
    PROMISES, /* definitions from here on */
    PROMISES_GOLD,
    PROMISES_PARTNERS,
    HAS_HOURS,
    IS_GOLD,
    HAS_COMPANY,
    IS_HARDWARE,
    HAS_SUPPLIER,
    WHATS
};

struct thing {
    int minute; /* when it happened, or holds from; no minute twice */
    enum what what;
    unsigned ticket, arg, other;
};

static void make_tale(struct thing tale[THINGS], struct test_random *random)
{
    bool taken[MINUTES] = {false};
    for (size_t i = 0; i < THINGS; i++) {
        int minute;
        do
            minute = (int)test_random_below(random, MINUTES);
        while (taken[minute]);
        taken[minute] = true;
        tale[i] = (struct thing){minute, (enum what)test_random_below(random, WHATS),
                                 1 + (unsigned)test_random_below(random, TICKETS),
                                 (unsigned)test_random_below(random, 4),
                                 (unsigned)test_random_below(random, 600)};
    }
}

/* ---------------------------------------------------------------- what comes in */

static void promise(struct role_world *w, const struct thing *thing, int64_t at_us)
{
    int64_t target_us = (1 + thing->other) * DK_MINUTE_US;
    bool gold = thing->what == PROMISES_GOLD;
    Docket__PolicyDefined *policy;
    if (thing->what == PROMISES_PARTNERS) {
        policy = new_policy("partners", DOCKET__POLICY_TYPE__POLICY_UC, 1);
        add_goal(policy, SUPPLIER, ANY, target_us);
    } else {
        policy = gold ? shorter_where(thing->arg < 2 ? DOCKET__CONDITION_FIELD__CONDITION_TIER
                                                     : DOCKET__CONDITION_FIELD__CONDITION_PRODUCT)
                      : promised(NEXT_REPLY, target_us, 0);
        add_goal(policy, gold ? UPDATE : RESOLUTION, ANY, target_us);
        add_goal(policy, FIRST_REPLY, ANY, target_us / 2 + 1);
        add_pause(policy, CUSTOMER);
        add_warning(policy, 50);
    }
    policy->calendar = thing->other % 2 != 0 ? OFFICE : 0;
    policy->has_on_change = 1;
    policy->on_change = (Docket__ChangeMode)(thing->other % 3);
    policy->publish =
        thing->arg % 2 != 0 ? DOCKET__PUBLICATION__PUBLISH_OPEN : DOCKET__PUBLICATION__PUBLISH_NEW;
    (void)define_policy(w, policy, at_us);
}

static void hand(struct role_world *w, uint64_t ticket, int64_t at_us, bool back)
{
    Docket__SupplierHanded handed = DOCKET__SUPPLIER_HANDED__INIT;
    Docket__SupplierReturned returned = DOCKET__SUPPLIER_RETURNED__INIT;
    handed.supplier = returned.supplier = CARRIER;
    if (back)
        (void)sla_happens(w, ticket, at_us, DK_KIND_SUPPLIER_RETURNED, &returned, ACT_AGENT);
    else
        (void)sla_happens(w, ticket, at_us, DK_KIND_SUPPLIER_HANDED, &handed, ACT_AGENT);
}

static void define(struct role_world *w, const struct thing *thing, int64_t at_us)
{
    bool yes = thing->arg != 0;
    switch (thing->what) {
    case HAS_HOURS: (void)define_hours(w, thing->arg, 12 + 4 * thing->arg, at_us); break;
    case IS_GOLD:
        (void)define_company(w, yes ? "gold" : NULL, thing->other % 2 != 0 ? TERMS : 0, at_us);
        break;
    case HAS_COMPANY: (void)define_customer(w, yes ? ACME : 0, at_us); break;
    case IS_HARDWARE: (void)define_product(w, yes ? HARDWARE : 0, at_us); break;
    case HAS_SUPPLIER: (void)define_contract(w, yes ? CARRIER : 0, at_us); break;
    default: promise(w, thing, at_us); break;
    }
}

static void come(struct role_world *w, const struct thing *thing)
{
    int64_t at_us = BEGIN + thing->minute * DK_MINUTE_US;
    uint64_t ticket = dk_ticket_make(7, thing->ticket);
    switch (thing->what) {
    case WRITES: (void)sla_writes(w, ticket, at_us); break;
    case REPLIES: (void)sla_replies(w, ticket, at_us); break;
    case PENDS:
        (void)sla_status(w, ticket, at_us, DOCKET__STATUS__STATUS_PENDING, 1 + thing->arg % 3);
        break;
    case OPENS: (void)sla_status(w, ticket, at_us, DOCKET__STATUS__STATUS_OPEN, 0); break;
    case SOLVES: (void)sla_status(w, ticket, at_us, DOCKET__STATUS__STATUS_SOLVED, 0); break;
    case CLOSES: (void)sla_status(w, ticket, at_us, DOCKET__STATUS__STATUS_CLOSED, 0); break;
    case RAISES: (void)sla_reprioritized(w, ticket, at_us, 1 + thing->arg); break;
    case HANDS:
    case RETURNS: hand(w, ticket, at_us, thing->what == RETURNS); break;
    default: define(w, thing, at_us); break;
    }
}

/* Golden customers, and those with hardware, are promised more from the beginning. */
static void promise_all(struct role_world *w)
{
    Docket__PolicyDefined *gold = shorter_where(DOCKET__CONDITION_FIELD__CONDITION_TIER);
    Docket__PolicyDefined *hard = shorter_where(DOCKET__CONDITION_FIELD__CONDITION_PRODUCT);
    Docket__PolicyDefined *rest = promised(RESOLUTION, 9 * DK_HOUR_US, 0);
    gold->definition = test_definition("gold");
    gold->order = 2;
    hard->definition = test_definition("hard");
    hard->order = 3;
    add_goal(hard, FIRST_REPLY, ANY, DK_HOUR_US / 2);
    rest->definition = test_definition("rest");
    (void)define_policy(w, gold, BEGIN);
    (void)define_policy(w, hard, BEGIN);
    (void)define_policy(w, rest, BEGIN);
}

static void open_all(struct role_world *w)
{
    for (int i = 0; i < TICKETS; i++) {
        Docket__Opened body = DOCKET__OPENED__INIT;
        body.has_priority = body.has_customer = body.has_product = 1;
        body.priority = NORMAL;
        body.customer = CARL;
        body.product = LAPTOP;
        body.message = test_text("it does not work");
        (void)sla_happens(w, dk_ticket_make(7, ++w->tickets), BEGIN + i * 5 * DK_HOUR_US,
                          DK_KIND_OPENED, &body, ACT_CUSTOMER);
    }
}

/* ---------------------------------------------------------------- in every order */

static void shuffle(struct test_random *random, size_t order[THINGS])
{
    for (size_t i = 0; i < THINGS; i++) {
        size_t other = test_random_below(random, i + 1);
        order[i] = i;
        order[i] = order[other];
        order[other] = i;
    }
}

static void tell(struct role_world *w, const struct thing *tale, const size_t *order,
                 struct test_random *random)
{
    world_open(w, &dk_sla_role);
    promise_all(w);
    open_all(w);
    for (size_t i = 0; i < THINGS; i++) {
        come(w, &tale[order[i]]);
        if (test_random_below(random, 3) != 0)
            (void)sla_settle(w);
        if (test_random_below(random, 8) == 0)
            (void)sla_wait_until(w, w->now_us + DK_HOUR_US);
    }
    (void)sla_wait_until(w, END);
}

static void assert_settled(struct role_world *w, uint64_t seed)
{
    uint64_t hash = dk_folder_hash(w->folder);
    agree(w, seed);
    world_restart(w);
    ASSERT_EQ(dk_folder_hash(w->folder), hash);
    if (sla_settle(w) != 0)
        fail_msg("seed %llu: a restarted node has something to add", (unsigned long long)seed);
}

static void compute_at_end(const struct role_world *w, uint64_t number, struct dk_clocks *clocks)
{
    struct role_world as_of_end = *w;
    as_of_end.now_us = END;
    compute(&as_of_end, dk_ticket_make(7, number), clocks);
}

static void same_tickets(const struct role_world *a, const struct role_world *b, uint64_t seed)
{
    struct dk_clocks x, y;
    dk_clocks_init(&x);
    dk_clocks_init(&y);
    for (uint64_t number = 1; number <= TICKETS; number++) {
        compute_at_end(a, number, &x);
        compute_at_end(b, number, &y);
        same_clocks(&x, &y, seed);
    }
    dk_clocks_close(&x);
    dk_clocks_close(&y);
}

static void test_T1_every_order_of_arrival_is_said_the_same(void **state)
{
    static struct role_world first, other;
    size_t corrected = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct test_random random = {seed};
        struct thing tale[THINGS];
        size_t order[THINGS];
        make_tale(tale, &random);
        shuffle(&random, order);
        tell(&first, tale, order, &random);
        assert_settled(&first, seed);
        for (int i = 1; i < ORDERS; i++) {
            shuffle(&random, order);
            tell(&other, tale, order, &random);
            assert_settled(&other, seed);
            same_tickets(&first, &other, seed);
            corrected += sla_count(&other, 1, DK_KIND_CLOCK_CORRECTED, NULL);
            world_close(&other);
        }
        world_close(&first);
    }
    ASSERT_TRUE(corrected > SEEDS * ORDERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_T1_every_order_of_arrival_is_said_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
