#include "nodes/routing/routing.h"
#include "proto/base/time.h"

#include "tests/lib/role_world.h"

#define GROUP(key) test_id(DK_SUBJECT_GROUP, key)
#define PRODUCT    test_id(DK_SUBJECT_PRODUCT, "laptop")

static void define_group(struct role_world *world, const char *key)
{
    Docket__GroupDefined group = DOCKET__GROUP_DEFINED__INIT;
    group.definition = test_definition(key);
    (void)world_define(world, DK_KIND_GROUP_DEFINED, &group);
}

/* A product that leads to "desk" on line 1 and nowhere else, and "rest" for what leads nowhere. */
static int set_up(void **state)
{
    struct role_world *world = test_memory(sizeof *world);
    Docket__ProductDefined product = DOCKET__PRODUCT_DEFINED__INIT;
    Docket__SettingsDefined settings = DOCKET__SETTINGS_DEFINED__INIT;
    Docket__Route route = DOCKET__ROUTE__INIT, *routes = &route;
    world_open(world, &dk_routing_role);
    define_group(world, "desk");
    define_group(world, "rest");
    route.line = 1;
    route.group = GROUP("desk");
    product.definition = test_definition("laptop");
    product.n_route = 1;
    product.route = &routes;
    (void)world_define(world, DK_KIND_PRODUCT_DEFINED, &product);
    settings.definition = test_definition("settings");
    settings.has_default_group = 1;
    settings.default_group = GROUP("rest");
    (void)world_define(world, DK_KIND_SETTINGS_DEFINED, &settings);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    world_close(*state);
    return 0;
}

static uint64_t open_ticket(struct role_world *world, bool with_product)
{
    Docket__Opened opened = DOCKET__OPENED__INIT;
    opened.has_product = with_product;
    opened.product = PRODUCT;
    return world_open_ticket(world, &opened);
}

static void escalate(struct role_world *world, uint64_t ticket)
{
    Docket__Escalated escalated = DOCKET__ESCALATED__INIT;
    escalated.type = DOCKET__ESCALATION_TYPE__ESCALATION_FUNCTIONAL;
    escalated.has_to_line = 1;
    escalated.to_line = 2;
    (void)world_append(world, ticket, DK_KIND_ESCALATED, &escalated);
}

static uint64_t group_of(const struct role_world *world, uint64_t ticket)
{
    const struct dk_ticket *life =
        dk_table_get(dk_folder_world(world->folder)->tickets, ticket, NULL);
    return life->group;
}

/* The reason of the ticket's last Routed. */
static Docket__RouteReason reason_of(const struct role_world *world, uint64_t ticket)
{
    Docket__RouteReason reason = DOCKET__ROUTE_REASON__ROUTE_NONE;
    for (uint64_t position = 1; position <= world->count; position++) {
        size_t bytes;
        const uint8_t *record = world_record(world, position, &bytes);
        if (dk_event_load_subject(record) == ticket && dk_event_load_kind(record) == DK_KIND_ROUTED)
            reason = ((const Docket__Routed *)world_body(world, position, DK_KIND_ROUTED))->reason;
    }
    return reason;
}

/* The second was said to be a secondary route, as if it were a step of R5. */
static void test_routing_r1_follows_the_catalogue_and_else_the_settings(void **state)
{
    struct role_world *world = *state;
    uint64_t with = open_ticket(world, true), without = open_ticket(world, false);
    (void)world_settle(world);
    ASSERT_EQ(group_of(world, with), GROUP("desk"));
    ASSERT_EQ(reason_of(world, with), DOCKET__ROUTE_REASON__ROUTE_CATALOGUE);
    ASSERT_EQ(group_of(world, without), GROUP("rest"));
    ASSERT_EQ(reason_of(world, without), DOCKET__ROUTE_REASON__ROUTE_DEFAULT);
}

static void test_routing_a_wish_that_leads_nowhere_leaves_the_ticket_where_it_is(void **state)
{
    struct role_world *world = *state;
    uint64_t ticket = open_ticket(world, true);
    (void)world_settle(world);
    escalate(world, ticket);
    (void)world_settle(world);
    ASSERT_EQ(group_of(world, ticket), GROUP("desk"));
}

/* Escalated before it was routed, such a ticket stood in no group for ever. */
static void test_routing_a_first_wish_that_leads_nowhere_gets_the_default_group(void **state)
{
    struct role_world *world = *state;
    uint64_t ticket = open_ticket(world, true);
    escalate(world, ticket);
    (void)world_settle(world);
    ASSERT_EQ(group_of(world, ticket), GROUP("rest"));
}

/* A group that no agent works in was no pool, and its tickets were never said to wait. */
static void test_routing_a_queue_without_agents_is_said_to_wait_at_once(void **state)
{
    struct role_world *world = *state;
    uint64_t ticket = open_ticket(world, true);
    ASSERT_EQ(world_settle(world), 2);
    const Docket__Queued *queued = world_body(world, world->count, DK_KIND_QUEUED);
    ASSERT_EQ(queued->group, GROUP("desk"));
    ASSERT_EQ(dk_event_load_subject(world->log.data + world->offset[world->count - 1]), ticket);
}

static void define_product_from(struct role_world *world, const char *key, const char *parent,
                                unsigned line, const char *group, int64_t from_us)
{
    Docket__ProductDefined product = DOCKET__PRODUCT_DEFINED__INIT;
    Docket__Route route = DOCKET__ROUTE__INIT, *routes = &route;
    product.definition = test_definition(key);
    product.definition->has_effective_us = 1;
    product.definition->effective_us = from_us;
    product.has_parent = parent != NULL;
    product.parent = parent != NULL ? test_id(DK_SUBJECT_PRODUCT, parent) : 0;
    route.line = line;
    route.group = group != NULL ? GROUP(group) : 0;
    product.n_route = group != NULL;
    product.route = &routes;
    (void)world_define(world, DK_KIND_PRODUCT_DEFINED, &product);
}

static void define_settings_from(struct role_world *world, const char *group, int64_t from_us)
{
    Docket__SettingsDefined settings = DOCKET__SETTINGS_DEFINED__INIT;
    settings.definition = test_definition("settings");
    settings.definition->has_effective_us = 1;
    settings.definition->effective_us = from_us;
    settings.has_queue_timeout_us = 1; /* never: R5 is not what is looked at here */
    settings.has_default_group = group != NULL;
    settings.default_group = group != NULL ? GROUP(group) : 0;
    (void)world_define(world, DK_KIND_SETTINGS_DEFINED, &settings);
}

/* Settles until just before an instant, at which nothing must have happened, and at it. */
static void settle_around(struct role_world *world, int64_t at_us, uint64_t ticket, uint64_t before)
{
    world->now_us = at_us - 1;
    ASSERT_EQ(world_settle(world), 0);
    ASSERT_EQ(group_of(world, ticket), before);
    ASSERT_EQ(dk_folder_next_due_us(world->folder), at_us);
    world->now_us = at_us;
    ASSERT_TRUE(world_settle(world) > 0);
}

#define SOON  (WORLD_NOW + DK_HOUR_US)
#define LATER (WORLD_NOW + 2 * DK_HOUR_US)

/* Without an event at that instant, such a ticket waited until something else happened to it. */
static void test_routing_settings_of_the_future_wake_what_waits(void **state)
{
    struct role_world *world = *state;
    define_settings_from(world, NULL, 0);
    define_settings_from(world, "rest", SOON);
    uint64_t ticket = open_ticket(world, false);
    (void)world_settle(world);
    settle_around(world, SOON, ticket, 0);
    ASSERT_EQ(group_of(world, ticket), GROUP("rest"));
}

static void test_routing_a_catalogue_of_the_future_wakes_what_waits(void **state)
{
    struct role_world *world = *state;
    define_settings_from(world, NULL, 0);
    define_product_from(world, "things", NULL, 1, NULL, 0);
    define_product_from(world, "laptop", "things", 2, "rest", 0);
    define_product_from(world, "laptop", "things", 2, "desk", LATER);
    define_product_from(world, "things", NULL, 1, "desk", SOON); /* the parent's is the first */
    uint64_t ticket = open_ticket(world, true);
    (void)world_settle(world);
    world_restart(world);
    settle_around(world, SOON, ticket, 0);
    ASSERT_EQ(group_of(world, ticket), GROUP("desk"));
}

/* A wish was not looked at again when the catalogue changed. */
static void test_routing_a_wish_is_heard_once_the_catalogue_knows_the_line(void **state)
{
    struct role_world *world = *state;
    uint64_t now = open_ticket(world, true);
    (void)world_settle(world);
    escalate(world, now);
    (void)world_settle(world);
    define_product_from(world, "laptop", NULL, 2, "rest", 0);
    (void)world_settle(world);
    ASSERT_EQ(group_of(world, now), GROUP("rest"));
}

static void test_routing_a_wish_is_heard_when_the_line_comes_into_force(void **state)
{
    struct role_world *world = *state;
    uint64_t ticket = open_ticket(world, true);
    (void)world_settle(world);
    escalate(world, ticket);
    define_settings_from(world, "desk", SOON); /* nothing to a ticket that has a group */
    define_product_from(world, "laptop", NULL, 2, "rest", LATER);
    (void)world_settle(world);
    settle_around(world, LATER, ticket, GROUP("desk"));
    ASSERT_EQ(group_of(world, ticket), GROUP("rest"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_routing_r1_follows_the_catalogue_and_else_the_settings),
        CASE(test_routing_a_wish_that_leads_nowhere_leaves_the_ticket_where_it_is),
        CASE(test_routing_a_first_wish_that_leads_nowhere_gets_the_default_group),
        CASE(test_routing_a_queue_without_agents_is_said_to_wait_at_once),
        CASE(test_routing_settings_of_the_future_wake_what_waits),
        CASE(test_routing_a_catalogue_of_the_future_wakes_what_waits),
        CASE(test_routing_a_wish_is_heard_once_the_catalogue_knows_the_line),
        CASE(test_routing_a_wish_is_heard_when_the_line_comes_into_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
