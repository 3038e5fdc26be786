#include "nodes/routing/routing.h"

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

static void test_routing_follows_the_catalogue_and_else_the_settings(void **state)
{
    struct role_world *world = *state;
    uint64_t with = open_ticket(world, true), without = open_ticket(world, false);
    (void)world_settle(world);
    ASSERT_EQ(group_of(world, with), GROUP("desk"));
    ASSERT_EQ(group_of(world, without), GROUP("rest"));
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

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_routing_follows_the_catalogue_and_else_the_settings),
        CASE(test_routing_a_wish_that_leads_nowhere_leaves_the_ticket_where_it_is),
        CASE(test_routing_a_first_wish_that_leads_nowhere_gets_the_default_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
