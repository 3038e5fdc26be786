#include "tests/unit/routing_world.h"

/* Repeat contacts: a new ticket of the same customer and product within 7 days of a former one. */

static uint64_t come(struct role_world *world, uint64_t customer, const char *product)
{
    Docket__Opened opened = DOCKET__OPENED__INIT;
    opened.has_customer = customer != 0;
    opened.customer = customer != 0 ? dk_id_make(DK_SUBJECT_CUSTOMER, customer) : 0;
    opened.has_product = product != NULL;
    opened.product = product != NULL ? PLACE(product) : 0;
    return world_open_ticket(world, &opened);
}

static uint64_t repeat_of(const struct role_world *world, uint64_t ticket)
{
    const void *body = NULL;
    size_t count = count_of(world, ticket, DK_KIND_REPEAT_NOTED, &body);
    ASSERT_TRUE(count <= 1);
    return count == 1 ? ((const Docket__RepeatNoted *)body)->repeat_of : 0;
}

static void test_routing_notes_a_customer_who_comes_again_once(void **state)
{
    struct role_world *world = *state;
    Docket__Classified classified = DOCKET__CLASSIFIED__INIT;
    uint64_t first = come(world, 1, "mail"), other = come(world, 1, "toner");
    uint64_t stranger = come(world, 2, "mail");
    (void)world_settle(world);
    world->now_us += 3 * DK_DAY_US;
    uint64_t again = come(world, 1, "mail"), unknown = come(world, 1, NULL);
    (void)world_settle(world);
    ASSERT_EQ(repeat_of(world, first), 0);
    ASSERT_EQ(repeat_of(world, other), 0);
    ASSERT_EQ(repeat_of(world, stranger), 0);
    ASSERT_EQ(repeat_of(world, again), first);
    ASSERT_EQ(repeat_of(world, unknown), 0);
    classified.has_product = 1;
    classified.product = PLACE("toner");
    (void)world_append(world, unknown, DK_KIND_CLASSIFIED, &classified);
    classified.product = PLACE("mail");
    (void)world_append(world, again, DK_KIND_CLASSIFIED, &classified);
    (void)world_settle(world);
    ASSERT_EQ(repeat_of(world, unknown), other);
    world_restart(world);
    (void)world_settle(world);
    ASSERT_EQ(repeat_of(world, again), first);
    world->now_us += 8 * DK_DAY_US;
    uint64_t late = come(world, 1, "mail");
    (void)world_settle(world);
    ASSERT_EQ(repeat_of(world, late), 0);
}

static void change_requester(struct role_world *world, uint64_t ticket, uint64_t customer)
{
    Docket__RequesterChanged changed = DOCKET__REQUESTER_CHANGED__INIT;
    changed.customer = dk_id_make(DK_SUBJECT_CUSTOMER, customer);
    (void)world_append(world, ticket, DK_KIND_REQUESTER_CHANGED, &changed);
    (void)world_settle(world);
}

/* A ticket that was written down under a colleague's name was no contact of the one who asks. */
static void test_routing_a_former_ticket_goes_with_its_requester(void **state)
{
    struct role_world *world = *state;
    uint64_t first = come(world, 1, "mail");
    (void)world_settle(world);
    change_requester(world, first, 2);
    uint64_t of_one = come(world, 1, "mail"), of_two = come(world, 2, "mail");
    (void)world_settle(world);
    ASSERT_EQ(repeat_of(world, of_one), 0);
    ASSERT_EQ(repeat_of(world, of_two), first);
}

/* The requester is asked for when it becomes known who that is. */
static void test_routing_a_changed_requester_may_have_come_before(void **state)
{
    struct role_world *world = *state;
    const void *body = NULL;
    uint64_t of_one = come(world, 1, "mail"), of_two = come(world, 2, "mail");
    (void)world_settle(world);
    uint64_t ticket = come(world, 3, "mail");
    (void)world_settle(world);
    ASSERT_EQ(repeat_of(world, ticket), 0);
    change_requester(world, ticket, 1);
    ASSERT_EQ(repeat_of(world, ticket), of_one);
    change_requester(world, ticket, 2); /* as the first change was a mistake */
    ASSERT_EQ(count_of(world, ticket, DK_KIND_REPEAT_NOTED, &body), 2);
    const Docket__RepeatNoted *noted = body;
    ASSERT_EQ(noted->repeat_of, of_two);
    ASSERT_EQ(noted->decision->cause, world->count - 1); /* the change: each has its own cause */
    world_restart(world);
    ASSERT_EQ(world_settle(world), 0);
}

/* A ticket of nobody's changes its product, and only then gets a requester. */
static void test_routing_nobodys_ticket_becomes_somebodys(void **state)
{
    struct role_world *world = *state;
    Docket__Classified classified = DOCKET__CLASSIFIED__INIT;
    uint64_t first = come(world, 1, "mail"), ticket = come(world, 0, "toner");
    classified.has_product = 1;
    classified.product = PLACE("mail");
    (void)world_append(world, ticket, DK_KIND_CLASSIFIED, &classified);
    (void)world_settle(world);
    ASSERT_EQ(repeat_of(world, ticket), 0);
    change_requester(world, ticket, 1);
    ASSERT_EQ(repeat_of(world, ticket), first);
}

/* Nobody is kept twice, and what a full list forgets is the oldest. */
static void test_routing_keeps_the_latest_sixteen_of_a_customer(void **state)
{
    struct role_world *world = *state;
    uint64_t oldest = come(world, 2, "toner");
    (void)world_settle(world);
    for (int i = 0; i < 16; i++)
        (void)come(world, 1, "mail");
    (void)world_settle(world);
    change_requester(world, oldest, 1);
    uint64_t ticket = come(world, 1, "toner"), mail = come(world, 1, "mail");
    (void)world_settle(world);
    ASSERT_EQ(repeat_of(world, ticket), 0);
    ASSERT_TRUE(repeat_of(world, mail) != 0);
}

/* The tier that an agent needs is the new requester's company's (R2). */
static void test_routing_r2_a_changed_requester_brings_another_tier(void **state)
{
    struct role_world *world = *state;
    Docket__Opened opened = DOCKET__OPENED__INIT;
    define_gold(world);
    hire(world, &(struct agent){"ada", {"desk"}, 9, NULL, NULL, 0, 0});
    opened.has_product = 1;
    opened.product = PLACE("mail");
    opened.has_customer = 1;
    opened.customer = dk_id_make(DK_SUBJECT_CUSTOMER, 1);
    opened.has_company = 1;
    opened.company = test_id(DK_SUBJECT_COMPANY, "acme");
    uint64_t ticket = world_open_ticket(world, &opened);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->owner, 0);
    change_requester(world, ticket, 2);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("ada"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_routing_notes_a_customer_who_comes_again_once),
        CASE(test_routing_a_former_ticket_goes_with_its_requester),
        CASE(test_routing_a_changed_requester_may_have_come_before),
        CASE(test_routing_nobodys_ticket_becomes_somebodys),
        CASE(test_routing_keeps_the_latest_sixteen_of_a_customer),
        CASE(test_routing_r2_a_changed_requester_brings_another_tier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
