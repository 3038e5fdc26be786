#include "tests/unit/routing_world.h"

/* R5: where nobody takes a ticket for `queue_timeout`, step by step more may: each step is said
 * only when it reaches somebody who has not been reached. */

static void check_step(struct role_world *world, uint64_t ticket, size_t queued,
                       Docket__Relaxation step)
{
    const void *body = NULL;
    world->now_us = dk_folder_next_due_us(world->folder);
    (void)world_settle(world);
    ASSERT_EQ(count_of(world, ticket, DK_KIND_QUEUED, &body), queued);
    ASSERT_EQ(((const Docket__Queued *)body)->relaxation, step);
}

static void define_group_with(struct role_world *world, const char *key, const char *secondary,
                              const char *next_site)
{
    Docket__GroupDefined group = DOCKET__GROUP_DEFINED__INIT;
    group.definition = test_definition(key);
    group.has_line = 1;
    group.line = 1;
    group.has_secondary = secondary != NULL;
    group.secondary = secondary != NULL ? GROUP(secondary) : 0;
    group.has_next_site_group = next_site != NULL;
    group.next_site_group = next_site != NULL ? GROUP(next_site) : 0;
    (void)world_define(world, DK_KIND_GROUP_DEFINED, &group);
}

static void define_preferring(struct role_world *world, const char *key, const char *skill)
{
    Docket__ProductDefined product = DOCKET__PRODUCT_DEFINED__INIT;
    Docket__Route route = DOCKET__ROUTE__INIT, *routes = &route;
    ProtobufCBinaryData preferred = test_bytes(skill);
    product.definition = test_definition(key);
    product.n_route = 1;
    product.route = &routes;
    route.line = 1;
    route.group = GROUP("desk");
    product.n_preferred_skill = 1;
    product.preferred_skill = &preferred;
    (void)world_define(world, DK_KIND_PRODUCT_DEFINED, &product);
}

static void test_routing_r5_goes_step_by_step(void **state)
{
    struct role_world *world = *state;
    const void *body = NULL;
    define_settings(world, 10 * MINUTE, 0);
    define_group(world, "second", 1);
    define_group(world, "abroad", 1);
    define_group_with(world, "desk", "second", "abroad");
    define_preferring(world, "phone", "sip");
    hire_plain(world, "ada", "desk", 0); /* who are full are there nevertheless */
    hire_plain(world, "bob", "second", 0);
    hire_plain(world, "cat", "abroad", 0);
    define_agent(world, &(struct agent){"cyd", {"abroad"}, 1, NULL, NULL, 0, 0});
    define_shift_of(world, "stand-by", "always", "cyd", true);
    uint64_t ticket = open_ticket(world, "phone", DOCKET__PRIORITY__PRIORITY_NORMAL, NULL);
    (void)world_settle(world);
    ASSERT_EQ(count_of(world, ticket, DK_KIND_QUEUED, NULL), 1);
    int64_t begun_us = world->now_us;
    check_step(world, ticket, 2, DOCKET__RELAXATION__RELAX_SKILLS);
    ASSERT_TRUE(world->now_us - begun_us >= 10 * MINUTE - WORLD_STEP_US);
    ASSERT_TRUE(world->now_us - begun_us <= 10 * MINUTE + 10 * WORLD_STEP_US);
    world_restart(world);
    (void)world_settle(world);
    check_step(world, ticket, 4,
               DOCKET__RELAXATION__RELAX_SECONDARY); /* said, routed, said there */
    ASSERT_EQ(count_of(world, ticket, DK_KIND_ROUTED, &body), 2);
    ASSERT_EQ(((const Docket__Routed *)body)->reason, DOCKET__ROUTE_REASON__ROUTE_SECONDARY);
    ASSERT_EQ(life_of(world, ticket)->group, GROUP("second"));
    check_step(world, ticket, 6, DOCKET__RELAXATION__RELAX_NEXT_SITE);
    ASSERT_EQ(count_of(world, ticket, DK_KIND_ROUTED, &body), 3);
    ASSERT_EQ(((const Docket__Routed *)body)->reason, DOCKET__ROUTE_REASON__ROUTE_NEXT_SITE);
    ASSERT_EQ(life_of(world, ticket)->group, GROUP("abroad"));
    ASSERT_EQ(life_of(world, ticket)->owner, 0);
    check_step(world, ticket, 7, DOCKET__RELAXATION__RELAX_ON_CALL);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("cyd"));
    ASSERT_EQ(assigned(world, ticket)->relaxation, DOCKET__RELAXATION__RELAX_ON_CALL);
}

/* Dropped skills are enough when somebody without them is there; steps that do not apply are
 * passed over. */
static void test_routing_r5_passes_over_what_does_not_apply(void **state)
{
    struct role_world *world = *state;
    define_settings(world, 10 * MINUTE, 0);
    define_preferring(world, "phone", "sip");
    hire_plain(world, "ada", "desk", 1);
    define_agent(world, &(struct agent){"dan", {"network"}, 1, NULL, NULL, 0, 0});
    define_shift_of(world, "stand-by", "always", "dan", true);
    uint64_t phone = open_ticket(world, "phone", DOCKET__PRIORITY__PRIORITY_NORMAL, NULL);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, phone)->owner, 0);
    check_step(world, phone, 2, DOCKET__RELAXATION__RELAX_SKILLS);
    ASSERT_EQ(life_of(world, phone)->owner, AGENT("ada"));

    Docket__Routed routed = DOCKET__ROUTED__INIT;
    routed.line = 2;
    routed.group = GROUP("network");
    uint64_t mail = open_mail(world);
    (void)world_append(world, mail, DK_KIND_ROUTED, &routed);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, mail)->owner, 0); /* who is on call is not asked yet */
    check_step(world, mail, 2, DOCKET__RELAXATION__RELAX_ON_CALL);
    ASSERT_EQ(life_of(world, mail)->owner, AGENT("dan"));
}

/* Considers all that is to be looked at now and appends nothing: whether the ticket owes any. */
static bool owes_now(struct role_world *world, uint64_t ticket)
{
    bool owes = false;
    uint64_t item;
    while (dk_folder_next_item(world->folder, world->now_us, &item)) {
        dk_folder_consider(world->folder, item, world->now_us, &world->intents);
        owes |= item == ticket && world->intents.count > 0;
    }
    return owes;
}

/* The agent for whom a due step waited goes to another ticket: the step is owed with that event, as
 * after an accepted step back of the clock no later instant may come. */
static void test_routing_r5_a_step_is_owed_when_its_last_agent_is_taken(void **state)
{
    struct role_world *world = *state;
    Docket__Assigned to_ada = DOCKET__ASSIGNED__INIT;
    define_settings(world, 10 * MINUTE, 0);
    uint64_t first = open_mail(world), second = open_mail(world);
    (void)world_settle(world);
    world->now_us += 10 * MINUTE;
    hire_plain(world, "ada", "desk", 1);
    define_agent(world, &(struct agent){"dan", {"desk"}, 1, NULL, NULL, 0, 0});
    define_shift_of(world, "stand-by", "always", "dan", true);
    dk_folder_touch(world->folder, second, 0);
    ASSERT_TRUE(!owes_now(world, second)); /* she has room for it */
    to_ada.agent = AGENT("ada");
    (void)world_append(world, first, DK_KIND_ASSIGNED, &to_ada);
    ASSERT_TRUE(owes_now(world, second));
}

static void test_routing_r5_on_call_is_there_for_critical_tickets_at_once(void **state)
{
    struct role_world *world = *state;
    define_agent(world, &(struct agent){"dan", {"desk"}, 2, NULL, NULL, 0, 0});
    define_shift_of(world, "stand-by", "always", "dan", true);
    uint64_t plain = open_mail(world);
    uint64_t critical = open_ticket(world, "mail", DOCKET__PRIORITY__PRIORITY_CRITICAL, NULL);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, critical)->owner, AGENT("dan"));
    ASSERT_EQ(life_of(world, plain)->owner, 0);
}

/* The step was said though nobody was on call, and never again when somebody came to be. */
static void test_routing_r5_on_call_is_not_said_before_somebody_is(void **state)
{
    struct role_world *world = *state;
    define_settings(world, 10 * MINUTE, 0);
    define_calendar(world, "mornings", 6 * 3600);
    world->now_us = midnight_us(world) + 12 * DK_HOUR_US;
    define_agent(world, &(struct agent){"dan", {"desk"}, 1, NULL, NULL, 0, 0});
    define_shift_of(world, "stand-by", "mornings", "dan", true);
    uint64_t ticket = open_mail(world);
    (void)world_settle(world);
    int64_t midnight = midnight_us(world);
    world->now_us = midnight - 1;
    (void)world_settle(world);
    ASSERT_EQ(count_of(world, ticket, DK_KIND_QUEUED, NULL), 1);
    world_restart(world);
    ASSERT_EQ(world_settle(world), 0);
    ASSERT_EQ(dk_folder_next_due_us(world->folder), midnight);
    check_step(world, ticket, 2, DOCKET__RELAXATION__RELAX_ON_CALL);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("dan"));
}

/* Each change that lets a step add somebody is heard. */
static void test_routing_r5_hears_who_comes_to_be_there(void **state)
{
    struct role_world *world = *state;
    const void *body = NULL;
    define_settings(world, 10 * MINUTE, 0);
    define_agent(world, &(struct agent){"dan", {"desk"}, 2, "en", NULL, 0, 0});
    uint64_t german = open_ticket(world, "mail", DOCKET__PRIORITY__PRIORITY_NORMAL, "de");
    uint64_t plain = open_mail(world);
    (void)world_settle(world);
    world->now_us += 20 * MINUTE;
    ASSERT_EQ(world_settle(world), 0);
    define_shift_of(world, "stand-by", "always", "dan", true); /* a shift */
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, plain)->owner, AGENT("dan"));
    ASSERT_EQ(count_of(world, german, DK_KIND_QUEUED, NULL), 1);
    define_agent(world, &(struct agent){"dan", {"desk"}, 2, "de", NULL, 0, 0}); /* a language */
    (void)world_settle(world);
    ASSERT_EQ(count_of(world, german, DK_KIND_QUEUED, &body), 2);
    ASSERT_EQ(((const Docket__Queued *)body)->relaxation, DOCKET__RELAXATION__RELAX_ON_CALL);
    ASSERT_EQ(life_of(world, german)->owner, AGENT("dan"));
}

/* A ticket was sent on to a group where nobody is at work, or only those who have been asked. */
static void test_routing_r5_a_group_with_nobody_else_is_passed_over(void **state)
{
    struct role_world *world = *state;
    define_settings(world, 10 * MINUTE, 0);
    define_group(world, "second", 1);
    define_group(world, "abroad", 1);
    define_group_with(world, "desk", "second", "abroad");
    hire(world, &(struct agent){"bob", {"desk", "second"}, 0, NULL, NULL, 0, 0});
    define_agent(world, &(struct agent){"eve", {"second"}, 9, NULL, NULL, 0, 0}); /* no shift */
    hire_plain(world, "cyd", "abroad", 1);
    uint64_t ticket = open_mail(world);
    (void)world_settle(world);
    check_step(world, ticket, 2, DOCKET__RELAXATION__RELAX_NEXT_SITE);
    ASSERT_EQ(life_of(world, ticket)->group, GROUP("abroad"));
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("cyd"));
}

/* Skills are not dropped for those who have them all. */
static void test_routing_r5_skills_are_dropped_for_somebody_only(void **state)
{
    struct role_world *world = *state;
    define_settings(world, 10 * MINUTE, 0);
    define_preferring(world, "phone", "sip");
    hire(world, &(struct agent){"ada", {"desk"}, 0, NULL, "sip", 0, 0});
    define_agent(world, &(struct agent){"dan", {"desk"}, 1, NULL, NULL, 0, 0});
    define_shift_of(world, "stand-by", "always", "dan", true);
    uint64_t ticket = open_ticket(world, "phone", DOCKET__PRIORITY__PRIORITY_NORMAL, NULL);
    (void)world_settle(world);
    check_step(world, ticket, 2, DOCKET__RELAXATION__RELAX_ON_CALL); /* with the skills dropped */
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("dan"));
}

/* Routed to another line, it was said at once to be relaxed by its former group's step. */
static void test_routing_r5_a_ticket_that_is_routed_on_takes_no_step(void **state)
{
    struct role_world *world = *state;
    const void *body = NULL;
    Docket__Escalated escalated = DOCKET__ESCALATED__INIT;
    define_settings(world, 10 * MINUTE, 0);
    define_agent(world, &(struct agent){"dan", {"desk"}, 1, NULL, NULL, 0, 0});
    define_shift_of(world, "stand-by", "always", "dan", true);
    uint64_t ticket = open_mail(world);
    (void)world_settle(world);
    world->now_us += 20 * MINUTE;
    escalated.type = DOCKET__ESCALATION_TYPE__ESCALATION_FUNCTIONAL;
    escalated.has_to_line = 1;
    escalated.to_line = 2;
    (void)world_append(world, ticket, DK_KIND_ESCALATED, &escalated);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->group, GROUP("network"));
    ASSERT_EQ(count_of(world, ticket, DK_KIND_QUEUED, &body), 2);
    ASSERT_EQ(((const Docket__Queued *)body)->relaxation, DOCKET__RELAXATION__RELAX_NONE);
}

/* Such a ticket took no further step for ever. */
static void test_routing_r5_goes_on_when_the_wished_group_is_taken_away(void **state)
{
    struct role_world *world = *state;
    Docket__Queued said = DOCKET__QUEUED__INIT;
    define_settings(world, 10 * MINUTE, 0);
    define_group(world, "second", 1);
    define_group_with(world, "desk", "second", NULL);
    define_agent(world, &(struct agent){"dan", {"desk"}, 1, NULL, NULL, 0, 0});
    define_shift_of(world, "stand-by", "always", "dan", true);
    uint64_t ticket = open_mail(world);
    (void)world_settle(world);
    said.group = GROUP("desk");
    said.has_relaxation = 1;
    said.relaxation = DOCKET__RELAXATION__RELAX_SECONDARY;
    (void)world_append(world, ticket, DK_KIND_QUEUED, &said);
    define_group_with(world, "desk", NULL, NULL);
    (void)world_settle(world);
    check_step(world, ticket, 3, DOCKET__RELAXATION__RELAX_ON_CALL);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("dan"));
}

/* A timeout that comes into force without an event was not heard by what waited. */
static void test_routing_r5_a_timeout_of_the_future_is_heard(void **state)
{
    struct role_world *world = *state;
    Docket__SettingsDefined settings = DOCKET__SETTINGS_DEFINED__INIT;
    define_agent(world, &(struct agent){"dan", {"desk"}, 1, NULL, NULL, 0, 0});
    define_shift_of(world, "stand-by", "always", "dan", true);
    uint64_t ticket = open_mail(world);
    (void)world_settle(world);
    settings.definition = test_definition("settings");
    settings.definition->has_effective_us = 1;
    settings.definition->effective_us = world->now_us + DK_HOUR_US;
    settings.has_queue_timeout_us = 1;
    settings.queue_timeout_us = 10 * MINUTE;
    int64_t heard_us = settings.definition->effective_us;
    (void)world_define(world, DK_KIND_SETTINGS_DEFINED, &settings);
    ASSERT_EQ(world_settle(world), 0);
    ASSERT_EQ(dk_folder_next_due_us(world->folder), heard_us);
    check_step(world, ticket, 2, DOCKET__RELAXATION__RELAX_ON_CALL);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("dan"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_routing_r5_goes_step_by_step),
        CASE(test_routing_r5_passes_over_what_does_not_apply),
        CASE(test_routing_r5_a_step_is_owed_when_its_last_agent_is_taken),
        CASE(test_routing_r5_on_call_is_there_for_critical_tickets_at_once),
        CASE(test_routing_r5_on_call_is_not_said_before_somebody_is),
        CASE(test_routing_r5_hears_who_comes_to_be_there),
        CASE(test_routing_r5_a_group_with_nobody_else_is_passed_over),
        CASE(test_routing_r5_skills_are_dropped_for_somebody_only),
        CASE(test_routing_r5_a_ticket_that_is_routed_on_takes_no_step),
        CASE(test_routing_r5_goes_on_when_the_wished_group_is_taken_away),
        CASE(test_routing_r5_a_timeout_of_the_future_is_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
