#include "tests/lib/random.h"
#include "tests/unit/routing_world.h"

/* Definitions that are recorded before or after they come into force. What a definition opens is
 * heard at its instant, and at once when that has passed; a node that was restarted, or has read
 * the log anew, has nothing to say that the live one has not said. */

/* ---------------------------------------------------------------- definitions with an instant */

static Docket__Definition *definition_at(const char *key, int64_t effective_us)
{
    Docket__Definition *made = test_definition(key);
    made->has_effective_us = effective_us != 0;
    made->effective_us = effective_us;
    return made;
}

static void product_at(struct role_world *world, int64_t effective_us, const char *key,
                       const char *parent, const char *skill, const char *group)
{
    Docket__ProductDefined product = DOCKET__PRODUCT_DEFINED__INIT;
    Docket__Route route = DOCKET__ROUTE__INIT, *routes = &route;
    ProtobufCBinaryData skills = test_bytes(skill != NULL ? skill : "");
    product.definition = definition_at(key, effective_us);
    product.has_parent = parent != NULL;
    product.parent = parent != NULL ? PLACE(parent) : 0;
    route.line = 1;
    route.group = group != NULL ? GROUP(group) : 0;
    product.n_route = group != NULL;
    product.route = &routes;
    product.n_required_skill = skill != NULL;
    product.required_skill = &skills;
    (void)world_define(world, DK_KIND_PRODUCT_DEFINED, &product);
}

static void company_at(struct role_world *world, int64_t effective_us, const char *key,
                       const char *tier)
{
    Docket__CompanyDefined company = DOCKET__COMPANY_DEFINED__INIT;
    company.definition = definition_at(key, effective_us);
    company.has_tier = 1;
    company.tier = test_bytes(tier);
    (void)world_define(world, DK_KIND_COMPANY_DEFINED, &company);
}

static void customer_at(struct role_world *world, int64_t effective_us, const char *key,
                        const char *company)
{
    Docket__CustomerDefined customer = DOCKET__CUSTOMER_DEFINED__INIT;
    customer.definition = definition_at(key, effective_us);
    customer.has_company = company != NULL;
    customer.company = company != NULL ? test_id(DK_SUBJECT_COMPANY, company) : 0;
    (void)world_define(world, DK_KIND_CUSTOMER_DEFINED, &customer);
}

static void group_at(struct role_world *world, int64_t effective_us, const char *key,
                     const char *secondary)
{
    Docket__GroupDefined group = DOCKET__GROUP_DEFINED__INIT;
    group.definition = definition_at(key, effective_us);
    group.has_line = 1;
    group.line = 1;
    group.has_secondary = secondary != NULL;
    group.secondary = secondary != NULL ? GROUP(secondary) : 0;
    (void)world_define(world, DK_KIND_GROUP_DEFINED, &group);
}

static void agent_at(struct role_world *world, int64_t effective_us, const char *key,
                     const char *group, const char *skill, const char *product, unsigned tier)
{
    Docket__AgentDefined agent = DOCKET__AGENT_DEFINED__INIT;
    ProtobufCBinaryData skills = test_bytes(skill != NULL ? skill : "");
    uint64_t groups = GROUP(group), seen = product != NULL ? PLACE(product) : 0;
    agent.definition = definition_at(key, effective_us);
    agent.n_group = 1;
    agent.group = &groups;
    agent.n_skill = skill != NULL;
    agent.skill = &skills;
    agent.n_product = product != NULL;
    agent.product = &seen;
    agent.has_tier = 1;
    agent.tier = tier;
    agent.has_capacity = 1;
    agent.capacity = 3;
    (void)world_define(world, DK_KIND_AGENT_DEFINED, &agent);
}

static void shift_at(struct role_world *world, int64_t effective_us, const char *key,
                     const char *calendar, const char *agent)
{
    Docket__ShiftDefined shift = DOCKET__SHIFT_DEFINED__INIT;
    uint64_t id = agent != NULL ? AGENT(agent) : 0;
    shift.definition = definition_at(key, effective_us);
    shift.calendar = test_id(DK_SUBJECT_CALENDAR, calendar);
    shift.n_agent = agent != NULL;
    shift.agent = &id;
    (void)world_define(world, DK_KIND_SHIFT_DEFINED, &shift);
}

static void hours_at(struct role_world *world, int64_t effective_us, const char *key, uint32_t to_h)
{
    Docket__CalendarDefined *calendar = test_hours(key, "UTC", 7, 0, to_h);
    calendar->definition = definition_at(key, effective_us);
    (void)world_define(world, DK_KIND_CALENDAR_DEFINED, calendar);
}

static void settings_at(struct role_world *world, int64_t effective_us, int64_t timeout_us,
                        unsigned gold_tier)
{
    Docket__SettingsDefined settings = DOCKET__SETTINGS_DEFINED__INIT;
    Docket__TierNeed need = DOCKET__TIER_NEED__INIT, *needs = &need;
    need.tier = test_bytes("gold");
    need.agent_tier = gold_tier;
    settings.definition = definition_at("settings", effective_us);
    settings.has_queue_timeout_us = 1;
    settings.queue_timeout_us = (uint64_t)timeout_us;
    settings.n_tier_need = gold_tier != 0;
    settings.tier_need = &needs;
    (void)world_define(world, DK_KIND_SETTINGS_DEFINED, &settings);
}

static uint64_t open_for(struct role_world *world, const char *product, const char *customer)
{
    Docket__Opened opened = DOCKET__OPENED__INIT;
    opened.has_product = 1;
    opened.product = PLACE(product);
    opened.has_priority = 1;
    opened.priority = DOCKET__PRIORITY__PRIORITY_NORMAL;
    opened.has_customer = customer != NULL;
    opened.customer = customer != NULL ? test_id(DK_SUBJECT_CUSTOMER, customer) : 0;
    return world_open_ticket(world, &opened);
}

/* ---------------------------------------------------------------- each kind */

/* A desk whose one agent, of tier 1 and without skills, sees the product "office" only. The
 * customer is acme's, whose tickets are for tier 2. */
static uint64_t set_up_waiting(struct role_world *world, const char *product, const char *customer)
{
    settings_at(world, 0, 0, 2);
    product_at(world, 0, "office", NULL, NULL, "desk");
    product_at(world, 0, "printer", "office", "toner", NULL);
    product_at(world, 0, "phone", NULL, NULL, "desk");
    company_at(world, 0, "acme", "gold");
    company_at(world, 0, "small", "bronze");
    customer_at(world, 0, "carol", "acme");
    agent_at(world, 0, "ada", "desk", NULL, "office", 1);
    shift_at(world, 0, "day", "always", "ada");
    uint64_t ticket = open_for(world, product, customer);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->group, GROUP("desk"));
    ASSERT_EQ(life_of(world, ticket)->owner, 0);
    return ticket;
}

static void product_without_skill(struct role_world *world, int64_t from_us)
{
    product_at(world, from_us, "printer", "office", NULL, NULL);
}

static void product_is_moved(struct role_world *world, int64_t from_us)
{
    product_at(world, from_us, "phone", "office", NULL, "desk");
}

static void company_of_another_tier(struct role_world *world, int64_t from_us)
{
    company_at(world, from_us, "acme", "bronze");
}

static void customer_of_another_company(struct role_world *world, int64_t from_us)
{
    customer_at(world, from_us, "carol", "small");
}

static void agent_with_a_skill(struct role_world *world, int64_t from_us)
{
    agent_at(world, from_us, "ada", "desk", "toner", "office", 1);
}

static void agent_of_a_tier(struct role_world *world, int64_t from_us)
{
    agent_at(world, from_us, "ada", "desk", NULL, "office", 2);
}

static void settings_without_tiers(struct role_world *world, int64_t from_us)
{
    settings_at(world, from_us, 0, 0);
}

static const struct {
    const char *product, *customer;
    void (*define)(struct role_world *world, int64_t from_us);
} openers[] = {
    {"printer", NULL, product_without_skill},     {"phone", NULL, product_is_moved},
    {"office", "carol", company_of_another_tier}, {"office", "carol", customer_of_another_company},
    {"printer", NULL, agent_with_a_skill},        {"office", "carol", agent_of_a_tier},
    {"office", "carol", settings_without_tiers},
};

static void test_routing_a_version_of_the_future_wakes_its_pool(void **state)
{
    for (size_t i = 0; i < sizeof openers / sizeof *openers; i++) {
        struct role_world *world = *state;
        int64_t then_us = WORLD_NOW + 3 * DK_DAY_US;
        uint64_t ticket = set_up_waiting(world, openers[i].product, openers[i].customer);
        openers[i].define(world, then_us);
        (void)world_settle(world);
        if (dk_folder_next_due_us(world->folder) != then_us)
            fail_msg("case %zu is not heard", i);
        world->now_us = then_us;
        (void)world_settle(world);
        ASSERT_EQ(life_of(world, ticket)->owner, AGENT("ada"));
        tear_down(state);
        set_up(state);
    }
}

static void test_routing_a_version_told_late_counts_at_once(void **state)
{
    for (size_t i = 0; i < sizeof openers / sizeof *openers; i++) {
        struct role_world *world = *state;
        uint64_t ticket = set_up_waiting(world, openers[i].product, openers[i].customer);
        world->now_us += DK_DAY_US;
        openers[i].define(world, world->now_us - DK_DAY_US / 2);
        (void)world_settle(world);
        if (life_of(world, ticket)->owner != AGENT("ada"))
            fail_msg("case %zu is not heard", i);
        tear_down(state);
        set_up(state);
    }
}

/* A shift and its hours are heard as well. */
static void test_routing_hours_of_the_future_wake_their_pool(void **state)
{
    for (int by_hours = 0; by_hours < 2; by_hours++) {
        struct role_world *world = *state;
        int64_t noon_us = midnight_us(world) + DK_DAY_US / 2;
        hours_at(world, 0, "mornings", 1);
        define_agent(world, &(struct agent){"ada", {"desk"}, 1, NULL, NULL, 0, 0});
        world->now_us = midnight_us(world) + 2 * DK_HOUR_US; /* they are over */
        shift_at(world, 0, "day", "mornings", by_hours ? "ada" : NULL);
        uint64_t ticket = open_mail(world);
        (void)world_settle(world);
        noon_us += DK_DAY_US;
        if (by_hours)
            hours_at(world, noon_us - DK_DAY_US / 4, "mornings", 24);
        else
            shift_at(world, noon_us - DK_DAY_US / 4, "day", "always", "ada");
        (void)world_settle(world);
        while (dk_folder_next_due_us(world->folder) < noon_us) {
            world->now_us = dk_folder_next_due_us(world->folder);
            (void)world_settle(world);
        }
        ASSERT_EQ(life_of(world, ticket)->owner, AGENT("ada"));
        tear_down(state);
        set_up(state);
    }
}

/* R5: the group of a step, or what names it, comes into force. */
static void test_routing_r5_a_group_of_the_future_is_heard(void **state)
{
    for (int named = 0; named < 2; named++) {
        struct role_world *world = *state;
        int64_t then_us = WORLD_NOW + 3 * DK_DAY_US;
        define_settings(world, 10 * MINUTE, 0);
        hire_plain(world, "bob", "second", 1);
        group_at(world, 0, "desk", named ? "second" : NULL);
        if (!named)
            group_at(world, 0, "second", NULL);
        uint64_t ticket = open_mail(world);
        (void)world_settle(world);
        world->now_us += 20 * MINUTE;
        (void)world_settle(world);
        if (named)
            group_at(world, then_us, "second", NULL);
        else
            group_at(world, then_us, "desk", "second");
        (void)world_settle(world);
        ASSERT_EQ(dk_folder_next_due_us(world->folder), then_us);
        world->now_us = then_us;
        (void)world_settle(world);
        ASSERT_EQ(life_of(world, ticket)->owner, AGENT("bob"));
        tear_down(state);
        set_up(state);
    }
}

/* ---------------------------------------------------------------- whatever is defined */

static const char *one_of(struct test_random *random, const char *const *words, uint64_t count)
{
    return words[test_random_below(random, count)];
}

#define ONE_OF(random, ...)                                                                        \
    one_of(random, (const char *const[]){__VA_ARGS__},                                             \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void define_something(struct role_world *world, struct test_random *random)
{
    int64_t hours = (int64_t)test_random_below(random, 72) - 24;
    int64_t from_us = test_random_below(random, 3) == 0 ? 0 : world->now_us + hours * DK_HOUR_US;
    unsigned tier = (unsigned)test_random_below(random, 3);
    switch (test_random_below(random, 8)) {
    case 0:
        product_at(world, from_us, ONE_OF(random, "office", "printer", "phone"),
                   ONE_OF(random, NULL, "office"), ONE_OF(random, NULL, "toner"),
                   ONE_OF(random, NULL, "desk", "second", "nowhere"));
        break;
    case 1:
        company_at(world, from_us, ONE_OF(random, "acme", "small"), ONE_OF(random, "gold", "tin"));
        break;
    case 2:
        customer_at(world, from_us, ONE_OF(random, "carol", "dave"),
                    ONE_OF(random, NULL, "acme", "small"));
        break;
    case 3:
        group_at(world, from_us, ONE_OF(random, "desk", "second", "third"),
                 ONE_OF(random, NULL, "second", "third"));
        break;
    case 4:
        agent_at(world, from_us, ONE_OF(random, "ada", "bob", "cyd"),
                 ONE_OF(random, "desk", "second", "third"), ONE_OF(random, NULL, "toner"),
                 ONE_OF(random, NULL, "office"), tier);
        break;
    case 5:
        shift_at(world, from_us, ONE_OF(random, "early", "late", "long"),
                 ONE_OF(random, "always", "mornings"), ONE_OF(random, NULL, "ada", "bob", "cyd"));
        break;
    case 6:
        hours_at(world, from_us, "mornings", 1 + (uint32_t)test_random_below(random, 24));
        break;
    default: settings_at(world, from_us, (int64_t)test_random_below(random, 4) * 20 * MINUTE, tier);
    }
}

static void hand_over(struct role_world *world, struct test_random *random, uint64_t ticket)
{
    Docket__HandoverDeclared handover = DOCKET__HANDOVER_DECLARED__INIT;
    handover.agent = AGENT(ONE_OF(random, "ada", "bob", "cyd"));
    handover.term = DOCKET__HANDOVER_TERM__HANDOVER_TEMPORARY;
    handover.reason = DOCKET__HANDOVER_REASON__HANDOVER_OVERLOAD;
    if (handover.agent != life_of(world, ticket)->owner)
        (void)world_append(world, ticket, DK_KIND_HANDOVER_DECLARED, &handover);
}

static void customer_says(struct role_world *world, uint64_t ticket)
{
    Docket__MessagePublic message = DOCKET__MESSAGE_PUBLIC__INIT;
    struct dk_envelope by = {.subject = ticket, .actor = dk_id_make(DK_ACTOR_CUSTOMER, 1)};
    message.direction = DOCKET__DIRECTION__DIRECTION_INBOUND;
    (void)world_append_as(world, by, DK_KIND_MESSAGE_PUBLIC, &message);
}

static void escalate(struct role_world *world, uint64_t ticket)
{
    Docket__Escalated escalated = DOCKET__ESCALATED__INIT;
    escalated.type = DOCKET__ESCALATION_TYPE__ESCALATION_FUNCTIONAL;
    (void)world_append(world, ticket, DK_KIND_ESCALATED, &escalated);
}

static void do_something(struct role_world *world, struct test_random *random)
{
    uint64_t ticket = dk_ticket_make(7, 1 + test_random_below(random, world->tickets + 1));
    const struct dk_ticket *life = life_of(world, ticket);
    uint64_t what = test_random_below(random, 12);
    if (what < 4) {
        define_something(world, random);
    } else if (what < 6 || life == NULL) {
        (void)open_for(world, ONE_OF(random, "office", "printer", "phone", "unknown"),
                       ONE_OF(random, NULL, "carol", "dave"));
    } else if (what == 6) {
        set_status(world, ticket,
                   dk_ticket_live(life) ? DOCKET__STATUS__STATUS_SOLVED
                                        : DOCKET__STATUS__STATUS_OPEN);
    } else if (what == 7) {
        customer_says(world, ticket);
    } else if (what == 8 && dk_ticket_live(life) && life->owner != 0) {
        hand_over(world, random, ticket);
    } else if (what == 9 && dk_ticket_live(life) && test_random_below(random, 4) == 0) {
        escalate(world, ticket);
    } else {
        world->now_us += (int64_t)test_random_below(random, 300) * MINUTE;
    }
}

struct other {
    struct dk_folder *folder;
    const char *name;
    uint64_t seed;
    int step;
};

static void check_owes_nothing(struct role_world *world, const struct other *other, int64_t now_us)
{
    uint64_t item;
    while (dk_folder_next_item(other->folder, now_us, &item)) {
        dk_folder_consider(other->folder, item, now_us, &world->intents);
        if (world->intents.count > 0)
            fail_msg("seed %llu step %d: %s owes an event of kind %u about %llx at %lld, the live "
                     "one does not",
                     (unsigned long long)other->seed, other->step, other->name,
                     dk_event_load_kind(dk_intents_event(&world->intents, 0).data),
                     (unsigned long long)item, (long long)now_us);
    }
}

/* The other one has the same state, and owes nothing until the live one looks again. */
static void check_same(struct role_world *world, const struct other *other)
{
    struct dk_folder *folder = other->folder;
    if (dk_folder_hash(folder) != dk_folder_hash(world->folder))
        fail_msg("seed %llu step %d: %s has another state", (unsigned long long)other->seed,
                 other->step, other->name);
    check_owes_nothing(world, other, world->now_us);
    while (dk_folder_next_due_us(folder) < dk_folder_next_due_us(world->folder))
        check_owes_nothing(world, other, dk_folder_next_due_us(folder));
    dk_folder_free(&folder);
}

static void test_routing_restarted_and_replayed_nodes_owe_the_same(void **state)
{
    size_t choices = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct test_random random = {seed};
        struct role_world *world = *state;
        agent_at(world, 0, "ada", "desk", NULL, NULL, 1);
        shift_at(world, 0, "long", "always", "ada");
        product_at(world, 0, "office", NULL, NULL, "desk");
        for (int step = 0; step < 120; step++) {
            do_something(world, &random);
            (void)world_settle(world);
            if (step % 4 == 0)
                check_same(world, &(struct other){world_replay(world), "a new one", seed, step});
            check_same(world, &(struct other){world_restore(world), "a restarted one", seed, step});
        }
        for (uint64_t n = 1; n <= world->tickets; n++)
            choices += count_of(world, dk_ticket_make(7, n), DK_KIND_ASSIGNED, NULL);
        tear_down(state);
        set_up(state);
    }
    ASSERT_TRUE(choices > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_routing_a_version_of_the_future_wakes_its_pool),
        CASE(test_routing_a_version_told_late_counts_at_once),
        CASE(test_routing_hours_of_the_future_wake_their_pool),
        CASE(test_routing_r5_a_group_of_the_future_is_heard),
        CASE(test_routing_restarted_and_replayed_nodes_owe_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
