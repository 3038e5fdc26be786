/* N3: chains of notices: each step, its wait, the absent, repeats, acknowledgements. N4: the
 * question whether it worked. */
#include "tests/unit/notification_site.h"

#define MINUTE (INT64_C(60) * 1000000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define BOB    test_id(DK_SUBJECT_AGENT, "bob")

/* Whoever is assigned, then the manager (Mara), then Bob. */
static Docket__RuleDefined *chain_rule(const char *key)
{
    Docket__RuleDefined *rule = site_rule(key, DK_KIND_ASSIGNED, RECIPIENT(OWNER));
    Docket__ChainStep **step = test_memory(2 * sizeof *step);
    for (int i = 0; i < 2; i++) {
        step[i] = test_memory(sizeof **step);
        docket__chain_step__init(step[i]);
        step[i]->transport = DOCKET__TRANSPORT__TRANSPORT_FILE;
        step[i]->address = test_text("chain.jsonl");
        step[i]->template_ = TEMPLATE;
        step[i]->wait_us = (uint64_t)((i + 2) * 10 * MINUTE);
    }
    step[0]->recipient = RECIPIENT(MANAGER);
    step[1]->recipient = RECIPIENT(FIXED);
    step[1]->has_recipient_id = 1;
    step[1]->recipient_id = BOB;
    rule->has_wait_us = 1;
    rule->wait_us = (uint64_t)(10 * MINUTE);
    rule->n_step = 2;
    rule->step = step;
    return rule;
}

static uint64_t begin(struct role_world *world)
{
    site_agent(world, "bob", "Bob", "Cole", NULL);
    uint64_t ticket = site_ticket(world);
    (void)site_assign(world, ticket, ANNA);
    return ticket;
}

/* Nobody is told before so much time has passed, and then exactly this one. */
static const Docket__NotificationRequested *expect(struct role_world *world, int64_t after_us,
                                                   uint64_t recipient, uint32_t step,
                                                   uint32_t round)
{
    if (after_us > 0) {
        world_restart(world); /* at any moment */
        site_wait(world, after_us - 2 * WORLD_STEP_US);
        ASSERT_EQ(world_settle(world), 0);
        site_wait(world, 2 * WORLD_STEP_US);
    }
    ASSERT_EQ(world_settle(world), 1);
    const Docket__NotificationRequested *requested = site_last_request(world);
    ASSERT_TRUE(requested->recipient->subject == recipient);
    ASSERT_EQ(requested->step, step);
    ASSERT_EQ(requested->round, round);
    ASSERT_EQ(world_settle(world), 0);
    return requested;
}

static void expect_silence(struct role_world *world)
{
    for (int i = 0; i < 48; i++) {
        site_wait(world, HOUR);
        ASSERT_EQ(world_settle(world), 0);
    }
}

static void be(struct role_world *world, uint64_t agent, Docket__Presence presence,
               int64_t until_us)
{
    Docket__PresenceChanged changed = DOCKET__PRESENCE_CHANGED__INIT;
    changed.presence = presence;
    changed.has_until_us = until_us != 0;
    changed.until_us = until_us;
    (void)world_append(world, agent, DK_KIND_PRESENCE_CHANGED, &changed);
}

/* ---------------------------------------------------------------- steps */

static void test_chains_N3_who_does_not_acknowledge_has_the_next_one_told(void **state)
{
    struct role_world *world = *state;
    (void)site_add_rule(world, chain_rule("up"));
    uint64_t ticket = begin(world), cause = world->count;
    const Docket__NotificationRequested *told = expect(world, 0, ANNA, 0, 0);
    uint64_t first = told->notice;
    assert_memory_equal(told->recipient->address->plain.data, "news.jsonl", 10);
    told = expect(world, 10 * MINUTE, MARA, 1, 0);
    ASSERT_TRUE(told->notice != first && told->decision->cause == cause);
    assert_memory_equal(told->recipient->address->plain.data, "chain.jsonl", 11);
    (void)expect(world, 20 * MINUTE, BOB, 2, 0);
    expect_silence(world); /* no repeats were asked for */
    ASSERT_EQ(site_pending(world), 3);
    (void)ticket;
}

static void test_chains_N3_begins_again_as_often_as_it_may(void **state)
{
    struct role_world *world = *state;
    Docket__RuleDefined *rule = chain_rule("up");
    rule->has_repeats = 1;
    rule->repeats = 2;
    (void)site_add_rule(world, rule);
    (void)begin(world);
    for (uint32_t round = 0; round <= 2; round++) {
        (void)expect(world, round > 0 ? 30 * MINUTE : 0, ANNA, 0, round);
        (void)expect(world, 10 * MINUTE, MARA, 1, round);
        (void)expect(world, 20 * MINUTE, BOB, 2, round);
    }
    expect_silence(world);
}

static void test_chains_N3_a_rule_without_steps_repeats_itself(void **state)
{
    struct role_world *world = *state;
    Docket__RuleDefined *rule = site_rule("again", DK_KIND_ASSIGNED, RECIPIENT(OWNER));
    rule->has_wait_us = rule->has_repeats = 1;
    rule->wait_us = (uint64_t)HOUR;
    rule->repeats = 1;
    (void)site_add_rule(world, rule);
    (void)begin(world);
    uint64_t first = expect(world, 0, ANNA, 0, 0)->notice;
    ASSERT_TRUE(expect(world, HOUR, ANNA, 0, 1)->notice != first);
    expect_silence(world);
}

/* ---------------------------------------------------------------- acknowledged */

static void test_chains_N3_an_acknowledgement_stops_it_at_any_step(void **state)
{
    struct role_world *world = *state;
    Docket__RuleDefined *rule = chain_rule("up");
    rule->has_repeats = 1;
    rule->repeats = 5;
    (void)site_add_rule(world, rule);
    uint64_t ticket = begin(world);
    (void)expect(world, 0, ANNA, 0, 0);
    site_acknowledge(world, ticket, 12345); /* some other notice */
    uint64_t second = expect(world, 10 * MINUTE - WORLD_STEP_US, MARA, 1, 0)->notice;
    site_acknowledge(world, ticket, second);
    expect_silence(world);

    uint64_t other = begin(world);
    uint64_t first = expect(world, 0, ANNA, 0, 0)->notice;
    (void)expect(world, 10 * MINUTE, MARA, 1, 0);
    site_acknowledge(world, other, first); /* of an earlier step */
    expect_silence(world);
}

static void test_chains_N3_acknowledged_but_idle_begins_again(void **state)
{
    struct role_world *world = *state;
    Docket__RuleDefined *rule = chain_rule("up");
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;
    rule->has_repeats = rule->has_idle_us = 1;
    rule->repeats = 1;
    rule->idle_us = (uint64_t)HOUR;
    (void)site_add_rule(world, rule);
    uint64_t ticket = begin(world);
    (void)expect(world, 0, ANNA, 0, 0);
    site_acknowledge(world, ticket, expect(world, 10 * MINUTE, MARA, 1, 0)->notice);
    site_wait(world, 40 * MINUTE);
    ASSERT_EQ(world_settle(world), 0);
    (void)world_append(world, ticket, DK_KIND_NOTE_ADDED, &note); /* somebody acts */
    (void)expect(world, HOUR, ANNA, 0, 1);                        /* and then nobody */
    (void)expect(world, 10 * MINUTE, MARA, 1, 1);
    site_acknowledge(world, ticket, site_last_request(world)->notice);
    expect_silence(world); /* the repeats are used up */
}

/* What was answered is answered: neither the same notice again, nor one that was told before it. */
static void test_chains_N3_an_acknowledgement_counts_once(void **state)
{
    struct role_world *world = *state;
    Docket__RuleDefined *rule = chain_rule("up");
    rule->has_repeats = rule->has_idle_us = 1;
    rule->repeats = 1;
    rule->idle_us = (uint64_t)HOUR;
    (void)site_add_rule(world, rule);
    uint64_t ticket = begin(world);
    uint64_t first = expect(world, 0, ANNA, 0, 0)->notice;
    uint64_t second = expect(world, 10 * MINUTE, MARA, 1, 0)->notice;
    site_acknowledge(world, ticket, second);
    site_wait(world, 40 * MINUTE);
    site_acknowledge(world, ticket, first); /* does not put off what comes after an idle hour */
    site_acknowledge(world, ticket, second);
    uint64_t again = expect(world, 20 * MINUTE - 2 * WORLD_STEP_US, ANNA, 0, 1)->notice;
    site_acknowledge(world, ticket, second); /* nor does it stop what was told since */
    (void)expect(world, 10 * MINUTE - WORLD_STEP_US, MARA, 1, 1);
    site_acknowledge(world, ticket, again);
    expect_silence(world);
}

/* What a customer writes is no work on the ticket. */
static void test_chains_N3_the_customers_words_do_not_count_as_acting(void **state)
{
    struct role_world *world = *state;
    Docket__RuleDefined *rule = chain_rule("up");
    Docket__MessagePublic message = DOCKET__MESSAGE_PUBLIC__INIT;
    rule->has_repeats = rule->has_idle_us = 1;
    rule->repeats = 1;
    rule->idle_us = (uint64_t)HOUR;
    (void)site_add_rule(world, rule);
    uint64_t ticket = begin(world);
    site_acknowledge(world, ticket, expect(world, 0, ANNA, 0, 0)->notice);
    site_wait(world, 30 * MINUTE);
    message.direction = DOCKET__DIRECTION__DIRECTION_INBOUND;
    struct dk_envelope carl = {.subject = ticket, .actor = dk_id_make(DK_ACTOR_CUSTOMER, CARL)};
    (void)world_append_as(world, carl, DK_KIND_MESSAGE_PUBLIC, &message);
    (void)expect(world, 30 * MINUTE - WORLD_STEP_US, ANNA, 0, 1);
}

static void test_chains_N3_solved_closed_and_merged_tickets_end_it(void **state)
{
    struct role_world *world = *state;
    (void)site_add_rule(world, chain_rule("up"));
    for (int i = 0; i < 2; i++) {
        uint64_t ticket = begin(world);
        (void)expect(world, 0, ANNA, 0, 0);
        if (i == 0) {
            site_status(world, ticket, DOCKET__STATUS__STATUS_SOLVED);
            site_status(world, ticket, DOCKET__STATUS__STATUS_OPEN); /* it stays ended */
        } else {
            Docket__MergedInto merged = DOCKET__MERGED_INTO__INIT;
            merged.target = dk_ticket_make(7, 1);
            (void)world_append(world, ticket, DK_KIND_MERGED_INTO, &merged);
        }
        expect_silence(world);
    }
}

/* ---------------------------------------------------------------- the absent */

static void test_chains_N3_the_absent_are_skipped(void **state)
{
    struct role_world *world = *state;
    (void)site_add_rule(world, chain_rule("up"));
    be(world, ANNA, DOCKET__PRESENCE__PRESENCE_OFFLINE, 0);
    (void)begin(world);
    (void)expect(world, 0, MARA, 1, 0);

    be(world, ANNA, DOCKET__PRESENCE__PRESENCE_BUSY, 0); /* busy is not absent */
    be(world, MARA, DOCKET__PRESENCE__PRESENCE_AWAY, world->now_us + 30 * MINUTE);
    (void)begin(world);
    (void)world_settle(world);
    site_wait(world, 10 * MINUTE);
    (void)world_settle(world);
    ASSERT_TRUE(site_last_request(world)->recipient->subject == BOB);

    site_wait(world, 30 * MINUTE); /* back as announced */
    (void)begin(world);
    (void)world_settle(world);
    site_wait(world, 10 * MINUTE);
    (void)world_settle(world);
    ASSERT_TRUE(site_last_request(world)->recipient->subject == MARA);
}

static void test_chains_N3_off_shift_is_absent(void **state)
{
    struct role_world *world = *state;
    Docket__ShiftDefined shift = DOCKET__SHIFT_DEFINED__INIT;
    uint64_t anna = ANNA;
    shift.definition = test_definition("early");
    shift.calendar = site_calendar(world, "early", 7, 6, 14);
    shift.n_agent = 1;
    shift.agent = &anna;
    (void)world_define(world, DK_KIND_SHIFT_DEFINED, &shift);
    (void)site_add_rule(world, chain_rule("up"));
    site_wait_until(world, test_at("2026-03-02T05:00:00Z"));
    (void)begin(world);
    (void)expect(world, 0, MARA, 1, 0); /* who stands in no shift is there */
    site_wait_until(world, test_at("2026-03-02T07:00:00Z"));
    (void)world_settle(world);
    (void)begin(world);
    (void)expect(world, 0, ANNA, 0, 0);
}

static void test_chains_N3_when_all_are_absent_the_last_is_told(void **state)
{
    struct role_world *world = *state;
    (void)site_add_rule(world, chain_rule("up"));
    be(world, ANNA, DOCKET__PRESENCE__PRESENCE_AWAY, 0);
    be(world, MARA, DOCKET__PRESENCE__PRESENCE_AWAY, 0);
    be(world, BOB, DOCKET__PRESENCE__PRESENCE_AWAY, 0);
    (void)begin(world);
    (void)expect(world, 0, BOB, 2, 0);
    expect_silence(world);
}

/* Nobody owns it, and nobody manages the group: the chain waits for somebody. */
static void test_chains_N3_a_chain_without_anybody_waits(void **state)
{
    struct role_world *world = *state;
    Docket__RuleDefined *rule = site_rule("escalated", DK_KIND_ESCALATED, RECIPIENT(OWNER));
    Docket__Escalated escalated = DOCKET__ESCALATED__INIT;
    rule->has_wait_us = 1;
    rule->wait_us = (uint64_t)HOUR;
    (void)site_add_rule(world, rule);
    uint64_t ticket = site_ticket(world);
    escalated.type = DOCKET__ESCALATION_TYPE__ESCALATION_HIERARCHICAL;
    (void)world_append(world, ticket, DK_KIND_ESCALATED, &escalated);
    expect_silence(world);
    (void)site_assign(world, ticket, ANNA);
    (void)expect(world, 0, ANNA, 0, 0);
}

/* ---------------------------------------------------------------- with other rules */

static void test_chains_N2_a_step_waits_for_the_hours_unless_urgent(void **state)
{
    struct role_world *world = *state;
    Docket__SettingsDefined settings = DOCKET__SETTINGS_DEFINED__INIT;
    settings.definition = test_definition("settings");
    settings.has_notify_calendar = 1;
    settings.notify_calendar = site_calendar(world, "day", 7, 9, 17);
    (void)world_define(world, DK_KIND_SETTINGS_DEFINED, &settings);
    (void)site_add_rule(world, chain_rule("up"));
    site_wait_until(world, test_at("2026-03-02T22:00:00Z"));
    (void)begin(world);
    ASSERT_EQ(world_settle(world), 0);
    site_wait_until(world, test_at("2026-03-03T09:00:00Z"));
    (void)expect(world, 0, ANNA, 0, 0);
    (void)expect(world, 10 * MINUTE, MARA, 1, 0);
}

/* A rule that tells the first step's receiver of the same event speaks for it. */
static void test_chains_N2_the_first_step_is_not_told_twice(void **state)
{
    struct role_world *world = *state;
    (void)site_add_rule(world, chain_rule("a-chain"));
    (void)site_add_rule(world, site_rule("plain", DK_KIND_ASSIGNED, RECIPIENT(OWNER)));
    uint64_t ticket = begin(world);
    uint64_t plain = expect(world, 0, ANNA, 0, 0)->notice;
    ASSERT_TRUE(site_last_request(world)->rule == test_id(DK_SUBJECT_RULE, "plain"));
    (void)expect(world, 10 * MINUTE - WORLD_STEP_US, MARA, 1, 0);
    site_acknowledge(world, ticket, plain);
    expect_silence(world);
}

static void test_chains_of_a_ticket_run_side_by_side(void **state)
{
    struct role_world *world = *state;
    Docket__RuleDefined *other = site_rule("note", DK_KIND_NOTE_ADDED, RECIPIENT(OWNER));
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;
    other->has_wait_us = other->has_repeats = 1;
    other->wait_us = (uint64_t)(3 * HOUR);
    other->repeats = 1;
    (void)site_add_rule(world, chain_rule("up"));
    (void)site_add_rule(world, other);
    uint64_t ticket = begin(world);
    uint64_t first = expect(world, 0, ANNA, 0, 0)->notice;
    (void)world_append(world, ticket, DK_KIND_NOTE_ADDED, &note);
    (void)expect(world, 0, ANNA, 0, 0);
    site_acknowledge(world, ticket, first);
    (void)expect(world, 3 * HOUR - WORLD_STEP_US, ANNA, 0, 1); /* the other one goes on */
    expect_silence(world);
    struct dk_folder *replayed = world_replay(world);
    ASSERT_TRUE(dk_folder_hash(replayed) == dk_folder_hash(world->folder));
    dk_folder_free(&replayed);
}

/* ---------------------------------------------------------------- N4 */

#define FRIDAY test_at("2026-03-06T12:00:00Z")

/* Three working days, of Monday to Friday. */
static void define_follow_ups(struct role_world *world)
{
    Docket__SettingsDefined settings = DOCKET__SETTINGS_DEFINED__INIT;
    settings.definition = test_definition("settings");
    settings.has_follow_up_days = settings.has_calendar = 1;
    settings.follow_up_days = 3;
    settings.calendar = site_calendar(world, "week", 5, 8, 18);
    (void)world_define(world, DK_KIND_SETTINGS_DEFINED, &settings);
    site_wait_until(world, FRIDAY);
}

static uint64_t solve(struct role_world *world)
{
    uint64_t ticket = site_ticket(world);
    (void)site_assign(world, ticket, ANNA);
    site_status(world, ticket, DOCKET__STATUS__STATUS_SOLVED);
    return ticket;
}

static void test_follow_ups_N4_once_some_working_days_after_solved(void **state)
{
    struct role_world *world = *state;
    define_follow_ups(world);
    (void)site_add_rule(world, site_rule("ask", DK_KIND_FOLLOWED_UP, RECIPIENT(CUSTOMER)));
    uint64_t ticket = solve(world), solved = world->count;
    int64_t due_us = world->now_us + 5 * DAY; /* a weekend between */
    ASSERT_EQ(world_settle(world), 0);
    ASSERT_EQ(dk_folder_next_due_us(world->folder), due_us);
    world_restart(world);
    site_wait_until(world, due_us - 1);
    ASSERT_EQ(world_settle(world), 0);
    site_wait_until(world, due_us + 3 * DAY); /* the node was away */
    world_restart(world);
    ASSERT_EQ(world_settle(world), 2); /* the event, and the notice of it */
    ASSERT_TRUE(site_last_request(world)->recipient->subject == CARL);
    const Docket__FollowedUp *followed_up =
        world_body(world, world->count - 1, DK_KIND_FOLLOWED_UP);
    ASSERT_EQ(followed_up->decision->cause, solved);
    site_wait(world, 30 * DAY);
    ASSERT_EQ(world_settle(world), 0);

    site_status(world, ticket, DOCKET__STATUS__STATUS_OPEN); /* solved anew: asked anew */
    site_status(world, ticket, DOCKET__STATUS__STATUS_SOLVED);
    site_wait(world, 10 * DAY);
    ASSERT_EQ(world_settle(world), 2);
}

static void test_follow_ups_N4_not_when_it_is_known_or_over(void **state)
{
    struct role_world *world = *state;
    Docket__Rated rated = DOCKET__RATED__INIT;
    Docket__FollowedUp by_hand = DOCKET__FOLLOWED_UP__INIT;
    define_follow_ups(world);
    rated.has_csat = 1;
    rated.csat = 5;
    site_status(world, solve(world), DOCKET__STATUS__STATUS_OPEN);
    site_status(world, solve(world), DOCKET__STATUS__STATUS_CLOSED);
    (void)world_append(world, solve(world), DK_KIND_RATED, &rated);
    (void)world_append(world, solve(world), DK_KIND_FOLLOWED_UP, &by_hand);
    world_restart(world);
    site_wait(world, 60 * DAY);
    ASSERT_EQ(world_settle(world), 0);
}

static void test_follow_ups_N4_none_without_a_setting(void **state)
{
    struct role_world *world = *state;
    (void)solve(world);
    site_wait(world, 60 * DAY);
    ASSERT_EQ(world_settle(world), 0);
}

#define CHAIN(name) cmocka_unit_test_setup_teardown(test_chains_##name, site_set_up, site_tear_down)
#define LATER(name)                                                                                \
    cmocka_unit_test_setup_teardown(test_follow_ups_##name, site_set_up, site_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHAIN(N3_who_does_not_acknowledge_has_the_next_one_told),
        CHAIN(N3_begins_again_as_often_as_it_may),
        CHAIN(N3_a_rule_without_steps_repeats_itself),
        CHAIN(N3_an_acknowledgement_stops_it_at_any_step),
        CHAIN(N3_acknowledged_but_idle_begins_again),
        CHAIN(N3_an_acknowledgement_counts_once),
        CHAIN(N3_the_customers_words_do_not_count_as_acting),
        CHAIN(N3_solved_closed_and_merged_tickets_end_it),
        CHAIN(N3_the_absent_are_skipped),
        CHAIN(N3_off_shift_is_absent),
        CHAIN(N3_when_all_are_absent_the_last_is_told),
        CHAIN(N3_a_chain_without_anybody_waits),
        CHAIN(N2_a_step_waits_for_the_hours_unless_urgent),
        CHAIN(N2_the_first_step_is_not_told_twice),
        CHAIN(of_a_ticket_run_side_by_side),
        LATER(N4_once_some_working_days_after_solved),
        LATER(N4_not_when_it_is_known_or_over),
        LATER(N4_none_without_a_setting),
    };
    return cmocka_run_group_tests_name("notification: chains", tests, NULL, NULL);
}
