#include "tests/lib/bodies.h"
#include "tests/unit/routing_world.h"

/* Escalation, history, pools, and what holds whatever happens. */

/* ---------------------------------------------------------------- escalation, history */

static void test_routing_an_escalated_ticket_goes_to_the_other_line(void **state)
{
    struct role_world *world = *state;
    hire(world, &(struct agent){"ada", {"desk"}, 1, NULL, NULL, 0, 0});
    hire(world, &(struct agent){"cyd", {"network"}, 1, NULL, NULL, 0, 0});
    uint64_t ticket = open_mail(world), next = open_mail(world);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("ada"));
    Docket__Escalated escalated = DOCKET__ESCALATED__INIT;
    escalated.type = DOCKET__ESCALATION_TYPE__ESCALATION_FUNCTIONAL;
    (void)world_append(world, ticket, DK_KIND_ESCALATED, &escalated); /* to the next line */
    (void)world_settle(world);
    const void *body = NULL;
    ASSERT_EQ(count_of(world, ticket, DK_KIND_ROUTED, &body), 2);
    const Docket__Routed *routed = body;
    ASSERT_EQ(routed->line, 2);
    ASSERT_EQ(routed->group, GROUP("network"));
    ASSERT_EQ(routed->reason, DOCKET__ROUTE_REASON__ROUTE_ESCALATION);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("cyd"));
    ASSERT_EQ(life_of(world, next)->owner, AGENT("ada")); /* who has room again */
}

static void test_routing_owes_nothing_for_historical_tickets(void **state)
{
    struct role_world *world = *state;
    Docket__Opened opened = DOCKET__OPENED__INIT;
    hire(world, &(struct agent){"ada", {"desk"}, 1, NULL, NULL, 0, 0});
    (void)world_settle(world);
    opened.has_product = 1;
    opened.product = PLACE("mail");
    uint64_t ticket = dk_ticket_make(7, 900);
    struct dk_envelope envelope = {.subject = ticket,
                                   .actor = dk_id_make(DK_ACTOR_IMPORTER, 1),
                                   .flags = DOCKET__EVENT_FLAG__FLAG_IMPORTED};
    (void)world_append_as(world, envelope, DK_KIND_OPENED, &opened);
    Docket__Assigned to_ada = DOCKET__ASSIGNED__INIT; /* and it uses no capacity */
    to_ada.agent = AGENT("ada");
    (void)world_append_as(world, envelope, DK_KIND_ASSIGNED, &to_ada);
    ASSERT_EQ(world_settle(world), 0);
    world_restart(world);
    ASSERT_EQ(world_settle(world), 0);
    uint64_t live = open_mail(world);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, live)->owner, AGENT("ada"));

    solve(world, live);
    (void)world_append_as(
        world, envelope, DK_KIND_ASSIGNED,
        &(Docket__Assigned){.base = PROTOBUF_C_MESSAGE_INIT(&docket__assigned__descriptor)});
    Docket__Adopted adopted = DOCKET__ADOPTED__INIT;
    (void)world_append(world, ticket, DK_KIND_ADOPTED, &adopted);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->group, GROUP("desk")); /* from here it is live */
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("ada"));
}

/* ---------------------------------------------------------------- pools */

/* What a definition opens must move every queue of the pool, not only the lowest group's. */
static void test_routing_a_definition_moves_the_queues_of_a_pool(void **state)
{
    struct role_world *world = *state;
    bool desk_first = GROUP("desk") < GROUP("network");
    const char *low = desk_first ? "desk" : "network", *high = desk_first ? "network" : "desk";
    define_agent(world, &(struct agent){"ada", {low, high}, 1, NULL, NULL, 0, 0}); /* no shift */
    uint64_t ticket = open_mail(world);
    (void)world_settle(world);
    Docket__Routed routed = DOCKET__ROUTED__INIT;
    routed.line = 1;
    routed.group = GROUP(high);
    (void)world_append(world, ticket, DK_KIND_ROUTED, &routed);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->owner, 0);
    define_shift(world, "always", "ada");
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("ada"));
}

/* A group that nobody works in is told so as well. */
static void test_routing_says_that_a_group_is_empty(void **state)
{
    struct role_world *world = *state;
    uint64_t ticket = open_mail(world);
    (void)world_settle(world);
    const void *body = NULL;
    ASSERT_EQ(count_of(world, ticket, DK_KIND_QUEUED, &body), 1);
    ASSERT_EQ(((const Docket__Queued *)body)->n_excluded, 0);
}

/* Membership is what is in force at the instant of the choice. */
static void test_routing_asks_who_is_in_the_group_now(void **state)
{
    struct role_world *world = *state;
    int64_t monday_us = WORLD_NOW + 3 * DK_DAY_US;
    hire(world, &(struct agent){"ada", {"desk"}, 1, NULL, NULL, 0, 0});
    define_agent(world, &(struct agent){"ada", {"network"}, 1, NULL, NULL, 0, monday_us});
    hire(world, &(struct agent){"bob", {"network"}, 1, NULL, NULL, 0, 0});
    define_agent(world, &(struct agent){"bob", {"desk"}, 1, NULL, NULL, 0, monday_us});
    uint64_t before = open_mail(world), waits = open_mail(world);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, before)->owner, AGENT("ada"));
    ASSERT_EQ(life_of(world, waits)->owner, 0); /* bob is not there yet */
    ASSERT_EQ(dk_folder_next_due_us(world->folder), monday_us);
    world->now_us = monday_us;
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, waits)->owner, AGENT("bob"));
}

/* Many that nobody can take do not hide one that somebody can. */
static void test_routing_looks_behind_a_long_head_of_the_queue(void **state)
{
    struct role_world *world = *state;
    hire(world, &(struct agent){"ada", {"desk"}, 3, NULL, NULL, 0, 0});
    for (int i = 0; i < 1500; i++)
        (void)open_ticket(world, "toner", DOCKET__PRIORITY__PRIORITY_CRITICAL, NULL);
    uint64_t ticket = open_ticket(world, "mail", DOCKET__PRIORITY__PRIORITY_LOW, NULL);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("ada"));
    for (uint64_t n = 1; n <= 1500; n += 100) /* and each of the others is told that it waits */
        ASSERT_EQ(count_of(world, dk_ticket_make(7, n), DK_KIND_QUEUED, NULL), 1);
}

/* ---------------------------------------------------------------- whatever happens */

/* The load that each agent has by the tickets alone. */
static uint32_t load_of(const struct role_world *world, uint64_t agent)
{
    uint32_t load = 0;
    for (uint64_t n = 1; n <= world->tickets; n++) {
        const struct dk_ticket *life = life_of(world, dk_ticket_make(7, n));
        load += dk_ticket_live(life) && life->status != DOCKET__STATUS__STATUS_PENDING &&
                life->owner == agent;
    }
    return load;
}

/* Considers everything touched in a folder into one buffer of bytes. */
static void consider_all(struct dk_folder *folder, int64_t now_us, struct dk_buf *out)
{
    struct dk_intents intents;
    uint64_t item, hash = dk_folder_hash(folder);
    dk_intents_init(&intents, DK_ROLE_ROUTING, dk_routing_role.rule_version);
    while (dk_folder_next_item(folder, now_us, &item)) {
        dk_folder_consider(folder, item, now_us, &intents);
        DK_ASSERT(dk_buf_append(out, intents.bytes.data, intents.bytes.size) == 0);
    }
    ASSERT_TRUE(dk_folder_hash(folder) == hash); /* only apply changes state */
    dk_intents_close(&intents);
}

/* Replayed, restored, or asked twice: the same state owes the same bytes. */
static void check_determinism(const struct role_world *world)
{
    struct dk_folder *replayed = world_replay(world), *copy = world_restore(world);
    struct dk_buf first, again, other;
    dk_buf_init(&first, 1 << 24);
    dk_buf_init(&again, 1 << 24);
    dk_buf_init(&other, 1 << 24);
    ASSERT_TRUE(dk_folder_hash(replayed) == dk_folder_hash(world->folder));
    ASSERT_TRUE(dk_folder_hash(copy) == dk_folder_hash(world->folder));
    consider_all(copy, world->now_us, &first);
    ASSERT_OK(dk_folder_restored(copy, dk_folder_position(copy), world->now_us, NULL),
              &(struct dk_err){0});
    consider_all(copy, world->now_us, &again);
    ASSERT_EQ(first.size, again.size);
    assert_memory_equal(first.data, again.data, first.size);
    consider_all(replayed, world->now_us, &other);
    ASSERT_EQ(first.size == 0, other.size == 0);
    dk_buf_close(&first);
    dk_buf_close(&again);
    dk_buf_close(&other);
    dk_folder_free(&replayed);
    dk_folder_free(&copy);
}

static void act(struct role_world *world, struct test_random *random)
{
    static const char *const agents[] = {"ada", "bob", "cyd", "dan"};
    static const Docket__Status statuses[] = {DOCKET__STATUS__STATUS_SOLVED,
                                              DOCKET__STATUS__STATUS_PENDING,
                                              DOCKET__STATUS__STATUS_SOLVED};
    uint64_t ticket = dk_ticket_make(7, 1 + test_random_below(random, world->tickets + 1));
    const struct dk_ticket *life = life_of(world, ticket);
    switch (test_random_below(random, 8)) {
    case 0:
    case 1:
    case 2:
        (void)open_ticket(world, test_random_below(random, 3) == 0 ? "toner" : "mail",
                          (Docket__Priority)(1 + test_random_below(random, 4)), NULL);
        break;
    case 3:
    case 4:
        if (life != NULL && dk_ticket_live(life))
            set_status(world, ticket, statuses[test_random_below(random, 3)]);
        break;
    case 5:
        set_presence(world, agents[test_random_below(random, 4)],
                     (Docket__Presence)(1 + test_random_below(random, 2)),
                     test_random_below(random, 2) == 0 ? 0 : world->now_us + 50000);
        break;
    case 6:
        if (life != NULL && dk_ticket_live(life) && life->group != 0) {
            Docket__Routed routed = DOCKET__ROUTED__INIT;
            routed.line = 2;
            routed.group = GROUP(test_random_below(random, 2) == 0 ? "network" : "desk");
            (void)world_append(world, ticket, DK_KIND_ROUTED, &routed);
        }
        break;
    default: world->now_us += (int64_t)test_random_below(random, 100000);
    }
}

/* A choice of routing's never takes an agent beyond capacity, whoever shares which groups. */
static void test_routing_never_exceeds_a_capacity(void **state)
{
    static const struct agent agents[] = {{"ada", {"desk", NULL}, 2, NULL, "toner", 0, 0},
                                          {"bob", {"desk", "network"}, 3, NULL, NULL, 0, 0},
                                          {"cyd", {"network", NULL}, 1, NULL, "toner", 0, 0},
                                          {"dan", {"network", "desk"}, 4, NULL, "toner", 2, 0}};
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct test_random random = {seed};
        struct role_world *world = *state;
        for (size_t i = 0; i < 4; i++)
            hire(world, &agents[i]);
        for (int step = 0; step < 250; step++) {
            uint32_t before[4];
            act(world, &random);
            for (size_t i = 0; i < 4; i++)
                before[i] = load_of(world, AGENT(agents[i].key));
            (void)world_settle(world);
            for (size_t i = 0; i < 4; i++) {
                uint32_t load = load_of(world, AGENT(agents[i].key));
                /* A reopened ticket may exceed it; then nothing is added. */
                if (load > agents[i].capacity && load > before[i])
                    fail_msg("seed %llu step %d: %s has %u of %u", (unsigned long long)seed, step,
                             agents[i].key, load, agents[i].capacity);
            }
            if (step % 50 == 49)
                check_determinism(world);
        }
        tear_down(state);
        set_up(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_routing_an_escalated_ticket_goes_to_the_other_line),
        CASE(test_routing_owes_nothing_for_historical_tickets),
        CASE(test_routing_a_definition_moves_the_queues_of_a_pool),
        CASE(test_routing_says_that_a_group_is_empty),
        CASE(test_routing_asks_who_is_in_the_group_now),
        CASE(test_routing_looks_behind_a_long_head_of_the_queue),
        CASE(test_routing_never_exceeds_a_capacity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
