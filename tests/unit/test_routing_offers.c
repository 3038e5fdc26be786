#include "tests/unit/routing_world.h"

/* What becomes of a ticket that nobody takes at once: offers (R6), substitutes
 * (R7); and who may have it at all: tiers, visibility (R2, R8). */

/* ---------------------------------------------------------------- what tests say */

static const Docket__Offered *offered(const struct role_world *world, uint64_t ticket, size_t count)
{
    const void *body = NULL;
    ASSERT_EQ(count_of(world, ticket, DK_KIND_OFFERED, &body), count);
    return body;
}

static void decline(struct role_world *world, uint64_t ticket, uint64_t agent)
{
    Docket__OfferDeclined declined = DOCKET__OFFER_DECLINED__INIT;
    declined.agent = agent;
    (void)world_append(world, ticket, DK_KIND_OFFER_DECLINED, &declined);
}

static void accept(struct role_world *world, uint64_t ticket, uint64_t agent)
{
    Docket__Assigned to = DOCKET__ASSIGNED__INIT;
    to.agent = agent;
    (void)world_append(world, ticket, DK_KIND_ASSIGNED, &to);
}

static void say(struct role_world *world, uint64_t ticket, uint64_t actor, bool inbound)
{
    Docket__MessagePublic message = DOCKET__MESSAGE_PUBLIC__INIT;
    message.direction =
        inbound ? DOCKET__DIRECTION__DIRECTION_INBOUND : DOCKET__DIRECTION__DIRECTION_OUTBOUND;
    struct dk_envelope by = {.subject = ticket, .actor = actor};
    (void)world_append_as(world, by, DK_KIND_MESSAGE_PUBLIC, &message);
}

/* ---------------------------------------------------------------- R4, R6 */

static void test_routing_r6_an_offer_is_taken_or_goes_to_the_next(void **state)
{
    struct role_world *world = *state;
    define_settings(world, 0, MINUTE);
    hire_plain(world, "ada", "desk", 1);
    hire_plain(world, "bob", "desk", 1);
    uint64_t ticket = open_mail(world);
    (void)world_settle(world);
    const Docket__Offered *first = offered(world, ticket, 1);
    ASSERT_EQ(count_of(world, ticket, DK_KIND_ASSIGNED, NULL), 0);
    ASSERT_EQ(first->n_candidate, 2);
    ASSERT_EQ(first->candidate[0]->agent, first->agent);
    ASSERT_EQ(first->expires_us, first->judged_us + MINUTE);
    ASSERT_EQ(first->weight, 1);
    uint64_t other = first->agent == AGENT("ada") ? AGENT("bob") : AGENT("ada");

    decline(world, ticket, first->agent);
    (void)world_settle(world);
    const Docket__Offered *second = offered(world, ticket, 2);
    ASSERT_EQ(second->agent, other);
    ASSERT_EQ(second->n_excluded, 1);
    ASSERT_EQ(second->excluded[0]->reason, DOCKET__EXCLUSION_REASON__EXCLUDED_DECLINED);
    accept(world, ticket, other);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->owner, other);
    (void)offered(world, ticket, 2);
}

static void test_routing_r6_an_offer_runs_out_and_comes_back_after_the_pause(void **state)
{
    struct role_world *world = *state;
    define_settings(world, 0, MINUTE);
    hire_plain(world, "ada", "desk", 1);
    uint64_t ticket = open_mail(world);
    (void)world_settle(world);
    int64_t expires_us = offered(world, ticket, 1)->expires_us;
    world->now_us = expires_us - 1;
    ASSERT_EQ(world_settle(world), 0);
    world->now_us = expires_us;
    (void)world_settle(world);
    const void *body = NULL;
    ASSERT_EQ(count_of(world, ticket, DK_KIND_OFFER_DECLINED, &body), 1);
    ASSERT_TRUE(((const Docket__OfferDeclined *)body)->timed_out);
    ASSERT_EQ(count_of(world, ticket, DK_KIND_QUEUED, NULL), 1); /* nobody else is there */
    (void)offered(world, ticket, 1);
    int64_t again_us = dk_folder_next_due_us(world->folder);
    ASSERT_TRUE(again_us > expires_us + 15 * MINUTE - 1 && again_us < expires_us + 16 * MINUTE);
    world_restart(world);
    world->now_us = again_us - 1;
    ASSERT_EQ(world_settle(world), 0);
    world->now_us = again_us;
    (void)world_settle(world);
    ASSERT_EQ(offered(world, ticket, 2)->agent, AGENT("ada"));
}

/* Both offers said that they answer the ticket's opening. */
static void test_routing_r6_an_offer_that_was_taken_back_is_made_anew(void **state)
{
    struct role_world *world = *state;
    define_settings(world, 0, MINUTE);
    hire_plain(world, "ada", "desk", 1);
    uint64_t ticket = open_mail(world);
    (void)world_settle(world);
    (void)offered(world, ticket, 1);
    accept(world, ticket, 0); /* nobody's any more */
    uint64_t position = world->count;
    (void)world_settle(world);
    const Docket__Offered *second = offered(world, ticket, 2);
    ASSERT_EQ(second->agent, AGENT("ada"));
    ASSERT_EQ(second->decision->cause, position);
}

static void test_routing_r6_an_open_offer_takes_room(void **state)
{
    struct role_world *world = *state;
    define_settings(world, 0, MINUTE);
    hire_plain(world, "ada", "desk", 1);
    uint64_t first = open_mail(world), second = open_mail(world);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, first)->offered, AGENT("ada"));
    ASSERT_EQ(life_of(world, second)->offered, 0);
    decline(world, first, AGENT("ada"));
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, second)->offered, AGENT("ada"));
}

/* ---------------------------------------------------------------- R2, R8 */

static void test_routing_r2_a_tier_is_for_agents_of_at_least_one(void **state)
{
    struct role_world *world = *state;
    Docket__AgentDefined bob = DOCKET__AGENT_DEFINED__INIT;
    Docket__Opened opened = DOCKET__OPENED__INIT;
    uint64_t desk = GROUP("desk");
    define_gold(world);
    hire_plain(world, "ada", "desk", 9);
    opened.has_product = 1;
    opened.product = PLACE("mail");
    opened.has_company = 1;
    opened.company = test_id(DK_SUBJECT_COMPANY, "acme");
    uint64_t ticket = world_open_ticket(world, &opened), plain = open_mail(world);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, plain)->owner, AGENT("ada"));
    const void *body = NULL;
    ASSERT_EQ(count_of(world, ticket, DK_KIND_QUEUED, &body), 1);
    ASSERT_EQ(((const Docket__Queued *)body)->excluded[0]->reason,
              DOCKET__EXCLUSION_REASON__EXCLUDED_TIER);
    bob.definition = test_definition("bob");
    bob.n_group = 1;
    bob.group = &desk;
    bob.has_tier = 1;
    bob.tier = 2;
    (void)world_define(world, DK_KIND_AGENT_DEFINED, &bob);
    define_shift(world, "always", "bob");
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("bob"));
}

static void test_routing_r8_specialists_see_their_products_only(void **state)
{
    struct role_world *world = *state;
    Docket__AgentDefined ada = DOCKET__AGENT_DEFINED__INIT;
    Docket__ProductDefined inbox = DOCKET__PRODUCT_DEFINED__INIT;
    uint64_t desk = GROUP("desk"), mail = PLACE("mail");
    inbox.definition = test_definition("inbox");
    inbox.has_parent = 1;
    inbox.parent = mail;
    (void)world_define(world, DK_KIND_PRODUCT_DEFINED, &inbox);
    ada.definition = test_definition("ada");
    ada.n_group = 1;
    ada.group = &desk;
    ada.n_product = 1;
    ada.product = &mail;
    (void)world_define(world, DK_KIND_AGENT_DEFINED, &ada);
    define_shift(world, "always", "ada");
    define_product(world, "other", NULL);
    uint64_t below = open_ticket(world, "inbox", DOCKET__PRIORITY__PRIORITY_NORMAL, NULL);
    uint64_t beside = open_ticket(world, "other", DOCKET__PRIORITY__PRIORITY_NORMAL, NULL);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, below)->owner, AGENT("ada"));
    const void *body = NULL;
    ASSERT_EQ(count_of(world, beside, DK_KIND_QUEUED, &body), 1);
    ASSERT_EQ(((const Docket__Queued *)body)->excluded[0]->reason,
              DOCKET__EXCLUSION_REASON__EXCLUDED_NOT_VISIBLE);
}

/* ---------------------------------------------------------------- R7 */

/* Ada works the first hours of the day, Bob always: she goes home with a ticket. */
static uint64_t leave_with_a_ticket(struct role_world *world)
{
    define_calendar(world, "mornings", 6 * 3600);
    world->now_us = midnight_us(world) + 3600 * DK_SECOND_US;
    define_agent(world, &(struct agent){"ada", {"desk"}, 2, NULL, NULL, 0, 0});
    define_shift(world, "mornings", "ada");
    uint64_t ticket = open_mail(world);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("ada"));
    say(world, ticket, dk_id_make(DK_ACTOR_AGENT, AGENT("ada")), false);
    hire_plain(world, "bob", "desk", 2);
    set_status(world, ticket, DOCKET__STATUS__STATUS_PENDING);
    (void)world_settle(world);
    world->now_us += 12 * 3600 * DK_SECOND_US;
    (void)world_settle(world);
    return ticket;
}

static void
test_routing_r7_a_customer_who_answers_gets_a_substitute_until_the_owner_is_back(void **state)
{
    struct role_world *world = *state;
    const void *body = NULL;
    uint64_t ticket = leave_with_a_ticket(world);
    ASSERT_EQ(count_of(world, ticket, DK_KIND_HANDOVER_DECLARED, NULL), 0);
    say(world, ticket, dk_id_make(DK_ACTOR_CUSTOMER, 1), true);
    (void)world_settle(world);
    ASSERT_EQ(count_of(world, ticket, DK_KIND_HANDOVER_DECLARED, &body), 1);
    const Docket__HandoverDeclared *to_bob = body;
    ASSERT_EQ(to_bob->agent, AGENT("bob"));
    ASSERT_EQ(to_bob->from_agent, AGENT("ada"));
    ASSERT_EQ(to_bob->term, DOCKET__HANDOVER_TERM__HANDOVER_TEMPORARY);
    ASSERT_EQ(to_bob->reason, DOCKET__HANDOVER_REASON__HANDOVER_ABSENT);
    ASSERT_EQ(to_bob->n_candidate, 1);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("bob"));

    int64_t back_us = midnight_us(world);
    world_restart(world);
    ASSERT_EQ(world_settle(world), 0);
    world->now_us = back_us - 1;
    ASSERT_EQ(world_settle(world), 0);
    world->now_us = back_us;
    ASSERT_EQ(world_settle(world), 1);
    ASSERT_EQ(count_of(world, ticket, DK_KIND_HANDOVER_DECLARED, &body), 2);
    ASSERT_EQ(((const Docket__HandoverDeclared *)body)->reason,
              DOCKET__HANDOVER_REASON__HANDOVER_RETURN);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("ada"));
    world->now_us += 2 * DK_DAY_US;
    ASSERT_EQ(world_settle(world), 0); /* once */
}

static void test_routing_r7_a_reopened_ticket_and_one_who_is_there(void **state)
{
    struct role_world *world = *state;
    uint64_t ticket = leave_with_a_ticket(world);
    set_status(world, ticket, DOCKET__STATUS__STATUS_SOLVED);
    ASSERT_EQ(world_settle(world), 0);
    set_status(world, ticket, DOCKET__STATUS__STATUS_OPEN);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("bob"));
    say(world, ticket, dk_id_make(DK_ACTOR_CUSTOMER, 1), true); /* bob is there */
    ASSERT_EQ(world_settle(world), 0);
}

static void test_routing_r7_without_a_substitute_it_waits_for_the_owner(void **state)
{
    struct role_world *world = *state;
    uint64_t ticket = leave_with_a_ticket(world);
    set_presence(world, "bob", DOCKET__PRESENCE__PRESENCE_AWAY, 0);
    say(world, ticket, dk_id_make(DK_ACTOR_CUSTOMER, 1), true);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("ada"));
    ASSERT_EQ(count_of(world, ticket, DK_KIND_QUEUED, NULL), 0);
    world->now_us = midnight_us(world);
    set_presence(world, "bob", DOCKET__PRESENCE__PRESENCE_AVAILABLE, 0);
    ASSERT_EQ(world_settle(world), 0); /* she is back */
}

/* The owner need not work in the ticket's group: when the shift of one who has been back and has not
 * answered is over, the search goes on without an event. */
static void test_routing_r7_the_search_goes_on_when_the_owner_leaves_again(void **state)
{
    struct role_world *world = *state;
    Docket__Assigned by_hand = DOCKET__ASSIGNED__INIT;
    define_calendar(world, "mornings", 6 * 3600);
    world->now_us = midnight_us(world) + DK_HOUR_US;
    define_agent(world, &(struct agent){"zoe", {"network"}, 2, NULL, NULL, 0, 0});
    define_shift(world, "mornings", "zoe");
    uint64_t ticket = open_mail(world);
    (void)world_settle(world);
    by_hand.agent = AGENT("zoe");
    (void)world_append(world, ticket, DK_KIND_ASSIGNED, &by_hand);
    (void)world_settle(world);
    world->now_us += 12 * DK_HOUR_US;
    say(world, ticket, dk_id_make(DK_ACTOR_CUSTOMER, 1), true);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("zoe")); /* nobody works at the desk yet */
    world->now_us = midnight_us(world) + DK_HOUR_US;
    hire_plain(world, "bob", "desk", 2);
    ASSERT_EQ(world_settle(world), 0); /* zoe is back */
    int64_t leaves_us = world->now_us / DK_DAY_US * DK_DAY_US + 6 * DK_HOUR_US;
    ASSERT_EQ(dk_folder_next_due_us(world->folder), leaves_us);
    world->now_us = leaves_us;
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("bob"));
    ASSERT_EQ(life_of(world, ticket)->returns_to, AGENT("zoe"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_routing_r6_an_offer_is_taken_or_goes_to_the_next),
        CASE(test_routing_r6_an_offer_runs_out_and_comes_back_after_the_pause),
        CASE(test_routing_r6_an_offer_that_was_taken_back_is_made_anew),
        CASE(test_routing_r6_an_open_offer_takes_room),
        CASE(test_routing_r2_a_tier_is_for_agents_of_at_least_one),
        CASE(test_routing_r8_specialists_see_their_products_only),
        CASE(test_routing_r7_a_customer_who_answers_gets_a_substitute_until_the_owner_is_back),
        CASE(test_routing_r7_a_reopened_ticket_and_one_who_is_there),
        CASE(test_routing_r7_without_a_substitute_it_waits_for_the_owner),
        CASE(test_routing_r7_the_search_goes_on_when_the_owner_leaves_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
