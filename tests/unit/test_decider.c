#include "tests/lib/bodies.h"
#include "tests/unit/decider_world.h"

/* ---------------------------------------------------------------- when it decides */

static void test_decider_waits_for_the_head_of_its_session(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 3; i++)
        open_ticket(w, DOCKET__PRIORITY__PRIORITY_HIGH);
    fixture_forget(&w->f);

    announce(w);
    fold(w, SIZE_MAX);
    ASSERT_TRUE(!dk_decider_live(w->decider)); /* without a session never */
    ASSERT_TRUE(!dk_decider_step(w->decider, w->f.now.boot_us, 512));
    ASSERT_EQ(w->frames, 0);

    stop_node(w);
    start_node(w);
    beat(w);
    carry(w);
    fixture_settle(&w->f);
    hear(w);
    for (uint64_t position = 1; position <= 4; position++) {
        fold(w, 1);
        ASSERT_EQ(dk_folder_position(w->folder), position);
        ASSERT_TRUE(!dk_decider_live(w->decider));
        (void)dk_decider_step(w->decider, w->f.now.boot_us, 512);
        ASSERT_EQ(w->frames, 0);
        ASSERT_EQ(dk_decider_next_us(w->decider, w->f.now.boot_us), INT64_MAX);
    }
    fold(w, 1);
    ASSERT_TRUE(dk_decider_live(w->decider));
    (void)dk_decider_step(w->decider, w->f.now.boot_us, 512);
    ASSERT_EQ(w->frames, 3);
}

static void test_decider_waits_while_a_head_beyond_the_fold_is_known(void **state)
{
    struct world *w = *state;
    go_live(w);
    open_ticket(w, DOCKET__PRIORITY__PRIORITY_HIGH);
    announce(w);
    fold(w, SIZE_MAX);
    open_ticket(w, DOCKET__PRIORITY__PRIORITY_HIGH);
    announce(w);
    ASSERT_TRUE(!dk_decider_step(w->decider, w->f.now.boot_us, 512));
    ASSERT_EQ(w->frames, 0);
}

static void test_decider_sends_an_item_again_only_when_it_is_folded(void **state)
{
    struct world *w = *state;
    go_live(w);
    uint64_t ticket = open_ticket(w, DOCKET__PRIORITY__PRIORITY_HIGH);
    announce(w);
    fold(w, SIZE_MAX);
    (void)dk_decider_step(w->decider, w->f.now.boot_us, 512);
    ASSERT_EQ(w->frames, 1);
    dk_folder_touch(w->folder, ticket, 0); /* touched while it flies */
    (void)dk_decider_step(w->decider, w->f.now.boot_us, 512);
    ASSERT_EQ(w->frames, 1);

    carry(w);
    fixture_settle(&w->f);
    hear(w); /* accepted, and not folded */
    dk_folder_touch(w->folder, ticket, 0);
    (void)dk_decider_step(w->decider, w->f.now.boot_us, 512);
    ASSERT_EQ(w->frames, 0);
    settle(w);
    ASSERT_EQ(routed(w, ticket), 1);
    ASSERT_EQ(w->appends, 1);
    ASSERT_EQ(refused(w), 0);
}

static void test_decider_decides_what_comes_due_by_the_brokers_clock(void **state)
{
    struct world *w = *state;
    go_live(w);
    uint64_t ticket = open_ticket(w, DOCKET__PRIORITY__PRIORITY_LOW);
    int64_t opened_us = w->f.now.wall_us;
    turn(w);
    ASSERT_EQ(w->frames, 0);
    int64_t next_us = dk_decider_next_us(w->decider, w->f.now.boot_us);
    ASSERT_EQ(next_us - w->f.now.boot_us, opened_us + SMALL_DELAY_US - w->f.now.wall_us);

    pass_time(w, SMALL_DELAY_US - 1);
    (void)dk_decider_step(w->decider, w->f.now.boot_us, 512);
    ASSERT_EQ(w->frames, 0);
    pass_time(w, 1); /* nothing was announced in between */
    ASSERT_EQ(dk_decider_next_us(w->decider, w->f.now.boot_us), w->f.now.boot_us);
    (void)dk_decider_step(w->decider, w->f.now.boot_us, 512);
    settle(w);
    ASSERT_EQ(routed(w, ticket), 1);
}

/* A definition is in force when it is folded, also if no announcement has told its time yet. */
static void test_decider_is_never_behind_what_it_has_folded(void **state)
{
    struct world *w = *state;
    go_live(w);
    int64_t told_us = dk_core_time_us(w->f.core, w->f.now);
    w->f.now.wall_us += DK_CLOCK_STEP_US / 2; /* the broker's clock is set a little */
    open_ticket(w, DOCKET__PRIORITY__PRIORITY_HIGH);
    dk_decider_announce(w->decider, dk_core_durable(w->f.core), told_us, w->f.now.boot_us);
    fold(w, SIZE_MAX);
    ASSERT_EQ(dk_decider_now_us(w->decider, w->f.now.boot_us), w->f.now.wall_us);
}

static void test_decider_keeps_what_could_not_be_sent(void **state)
{
    struct world *w = *state;
    go_live(w);
    uint64_t ticket = open_ticket(w, DOCKET__PRIORITY__PRIORITY_HIGH);
    w->room = 0;
    turn(w);
    ASSERT_EQ(w->frames, 0);
    w->room = FRAMES_MAX;
    settle(w);
    ASSERT_EQ(routed(w, ticket), 1);
    ASSERT_EQ(refused(w), 0); /* no number was used up */
}

static void test_decider_decision_names_basis_cause_and_rule(void **state)
{
    struct world *w = *state;
    go_live(w);
    open_ticket(w, DOCKET__PRIORITY__PRIORITY_HIGH);
    uint64_t basis = dk_core_durable(w->f.core);
    settle(w);
    size_t bytes;
    const uint8_t *record = memory_store_record(&w->f.memory, basis + 1, &bytes);
    struct dk_decision decision;
    ASSERT_EQ(dk_event_load_kind(record), DK_KIND_ROUTED);
    ASSERT_EQ(dk_event_load_actor(record), FIXTURE_ROUTING);
    ASSERT_EQ(dk_event_decision(record, bytes, &decision), 1);
    ASSERT_EQ(decision.basis, basis);
    ASSERT_EQ(decision.cause, basis);
    ASSERT_EQ(decision.rule_version, 3);
}

/* ---------------------------------------------------------------- refusals */

static void test_decider_considers_a_stale_item_again(void **state)
{
    struct world *w = *state;
    go_live(w);
    uint64_t ticket = open_ticket(w, DOCKET__PRIORITY__PRIORITY_HIGH);
    announce(w);
    fold(w, SIZE_MAX);
    (void)dk_decider_step(w->decider, w->f.now.boot_us, 512);
    add_note(w, ticket); /* overtakes the decision */
    turn(w);
    ASSERT_EQ(refused(w), 1);
    ASSERT_EQ(routed(w, ticket), 0);
    pass_time(w, DK_FLIGHT_PAUSE_MIN_US);
    (void)dk_decider_step(w->decider, w->f.now.boot_us, 512);
    ASSERT_EQ(w->frames, 1);
    settle(w);
    ASSERT_EQ(routed(w, ticket), 1);
    ASSERT_EQ(refused(w), 1);
}

/* The broker's clock was set back and that was accepted: its time stands still for hours, and the
 * pause after a refusal must end nevertheless. */
static void test_decider_pauses_by_its_own_clock(void **state)
{
    struct world *w = *state;
    go_live(w);
    uint64_t ticket = open_ticket(w, DOCKET__PRIORITY__PRIORITY_HIGH);
    announce(w);
    fold(w, SIZE_MAX);
    (void)dk_decider_step(w->decider, w->f.now.boot_us, 512);
    add_note(w, ticket); /* overtakes the decision */
    int64_t stands_us = w->f.now.wall_us;
    turn(w);
    ASSERT_EQ(refused(w), 1);
    w->f.now.boot_us += DK_FLIGHT_PAUSE_MIN_US;
    dk_decider_announce(w->decider, dk_core_durable(w->f.core), stands_us, w->f.now.boot_us);
    ASSERT_EQ(dk_decider_next_us(w->decider, w->f.now.boot_us), w->f.now.boot_us);
    (void)dk_decider_step(w->decider, w->f.now.boot_us, 512);
    ASSERT_EQ(w->frames, 1);
}

static void test_decider_outlasts_a_full_disk(void **state)
{
    struct world *w = *state;
    go_live(w);
    uint64_t ticket = open_ticket(w, DOCKET__PRIORITY__PRIORITY_HIGH);
    dk_core_set_space(w->f.core, false);
    for (int i = 0; i < 20; i++) {
        beat(w);
        turn(w);
        pass_time(w, DK_DECIDER_HELLO_US / 10);
    }
    ASSERT_EQ(routed(w, ticket), 0);
    ASSERT_TRUE(w->appends > 1 && w->appends < 15); /* it tries on, at growing distances */
    dk_core_set_space(w->f.core, true);
    settle(w);
    ASSERT_EQ(routed(w, ticket), 1);
}

/* ---------------------------------------------------------------- sessions */

static void test_decider_says_hello_until_it_is_answered(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 3; i++) {
        beat(w);
        ASSERT_EQ(w->frames, 2); /* Hello and heartbeat */
        beat(w);
        ASSERT_EQ(w->frames, 3); /* not again within the second */
        lose_frames(w);
        pass_time(w, DK_DECIDER_HELLO_US);
    }
    go_live(w);
}

static void test_decider_whose_answers_are_lost_doubles_nothing(void **state)
{
    struct world *w = *state;
    go_live(w);
    uint64_t ticket[5];
    for (int i = 0; i < 5; i++)
        ticket[i] = open_ticket(w, DOCKET__PRIORITY__PRIORITY_HIGH);
    turn(w);
    carry(w);
    fixture_settle(&w->f); /* accepted */
    fixture_forget(&w->f); /* and nobody hears it */
    pass_time(w, DK_DECIDER_UNANSWERED_US);
    beat(w);
    ASSERT_TRUE(dk_decider_live(w->decider)); /* not yet */
    lose_frames(w);
    pass_time(w, 1);
    beat(w);
    ASSERT_TRUE(!dk_decider_live(w->decider));
    settle(w);
    for (int i = 0; i < 5; i++)
        ASSERT_EQ(routed(w, ticket[i]), 1);
    ASSERT_EQ(w->hellos, 2);
    ASSERT_EQ(refused(w), 0);
}

static void test_decider_whose_requests_are_lost_decides_again(void **state)
{
    struct world *w = *state;
    go_live(w);
    uint64_t ticket = open_ticket(w, DOCKET__PRIORITY__PRIORITY_HIGH);
    turn(w);
    ASSERT_EQ(w->frames, 1);
    reconnect(w);
    pass_time(w, DK_DECIDER_UNANSWERED_US + 1);
    settle(w);
    ASSERT_EQ(routed(w, ticket), 1);
}

static void test_decider_does_not_overtake_its_own_event_that_is_not_durable(void **state)
{
    struct world *w = *state;
    go_live(w);
    uint64_t ticket = open_ticket(w, DOCKET__PRIORITY__PRIORITY_HIGH);
    turn(w);
    carry(w); /* admitted, gathering */
    pass_time(w, DK_DECIDER_UNANSWERED_US + 1);
    beat(w); /* the session is lost; Hello joins the same batch */
    carry(w);
    fixture_settle(&w->f);
    hear(w);
    ASSERT_TRUE(!dk_decider_live(w->decider)); /* its head is the Routed */
    settle(w);
    ASSERT_EQ(routed(w, ticket), 1);
    ASSERT_EQ(w->appends, 1);
    ASSERT_EQ(refused(w), 0);
}

static void test_decider_finds_out_that_the_broker_restarted(void **state)
{
    struct world *w = *state;
    go_live(w);
    uint64_t first = open_ticket(w, DOCKET__PRIORITY__PRIORITY_HIGH);
    turn(w);
    carry(w);
    fixture_crash(&w->f); /* the decision was not durable */
    w->agent = fixture_peer(&w->f, DK_ROLE_AGENT, 13);
    w->node.connection++;
    uint64_t second = open_ticket(w, DOCKET__PRIORITY__PRIORITY_HIGH);
    settle(w);
    ASSERT_EQ(routed(w, first), 1);
    ASSERT_EQ(routed(w, second), 1);
    ASSERT_EQ(w->hellos, 2); /* one answer is enough, whatever else was in flight */
}

static void test_decider_taken_over_waits_before_it_takes_over(void **state)
{
    struct world *w = *state;
    go_live(w);
    struct fixture_peer other = {.peer = w->node};
    other.peer.connection = 99;
    fixture_hello(&w->f, &other, w->ops.name);
    uint64_t ticket = open_ticket(w, DOCKET__PRIORITY__PRIORITY_HIGH);
    turn(w);
    turn(w); /* DK_EFENCED */
    ASSERT_TRUE(!dk_decider_live(w->decider));
    beat(w);
    carry(w);
    ASSERT_EQ(w->hellos, 1);
    pass_time(w, DK_DECIDER_HELLO_US);
    settle(w);
    ASSERT_EQ(w->hellos, 2);
    ASSERT_EQ(routed(w, ticket), 1);
}

static void test_decider_refuses_a_log_that_ends_before_its_fold(void **state)
{
    struct world *w = *state;
    go_live(w);
    open_ticket(w, DOCKET__PRIORITY__PRIORITY_HIGH);
    settle(w);
    fixture_stop(&w->f);
    memory_store_close(&w->f.memory);
    memory_store_init(&w->f.memory); /* an older backup was restored: here, of nothing */
    struct dk_err err;
    ASSERT_OK(fixture_start(&w->f, &err), &err);
    reconnect(w);
    announce(w);
    beat(w);
    ASSERT_TRUE(dk_decider_live(w->decider)); /* an announcement may be old */
    settle(w);
    ASSERT_EQ(w->reply_rc, DK_EDIVERGED);
    ASSERT_TRUE(!dk_decider_live(w->decider));
}

/* The answer to Hello names the head of when it was asked. */
static void test_decider_may_fold_on_while_its_hello_is_answered(void **state)
{
    struct world *w = *state;
    beat(w);
    carry(w);
    fixture_settle(&w->f); /* the answer is under way */
    open_ticket(w, DOCKET__PRIORITY__PRIORITY_HIGH);
    announce(w);
    fold(w, SIZE_MAX);
    hear(w);
    ASSERT_EQ(w->reply_rc, 0);
    ASSERT_TRUE(dk_decider_live(w->decider));
}

/* ---------------------------------------------------------------- everything at once */

static void random_step(struct world *w, struct test_random *random, uint64_t *ticket,
                        size_t *tickets)
{
    switch (test_random_below(random, 12)) {
    case 0:
        ticket[(*tickets)++] = open_ticket(w, DOCKET__PRIORITY__PRIORITY_HIGH);
        hear(w);
        break;
    case 1:
        if (*tickets > 0)
            add_note(w, ticket[test_random_below(random, *tickets)]);
        hear(w);
        break;
    case 2: carry(w); break;
    case 3: (void)fixture_commit(&w->f); break;
    case 4: hear(w); break;
    case 5: announce(w); break;
    case 6: fold(w, test_random_below(random, 4)); break;
    case 7: (void)dk_decider_step(w->decider, w->f.now.boot_us, 3); break;
    case 8: beat(w); break;
    case 9: pass_time(w, (int64_t)test_random_below(random, 2000000)); break;
    case 10:
        if (test_random_below(random, 8) == 0)
            reconnect(w);
        break;
    default:
        if (test_random_below(random, 16) == 0) {
            fixture_crash(&w->f);
            w->agent = fixture_peer(&w->f, DK_ROLE_AGENT, 1000 + w->f.request);
            reconnect(w);
        } else if (test_random_below(random, 16) == 0) {
            stop_node(w);
            reconnect(w);
            start_node(w);
        }
    }
}

static void test_decider_routes_each_ticket_once_whatever_happens(void **state)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct test_random random = {seed};
        uint64_t ticket[400];
        size_t tickets = 0;
        struct world *w = *state;
        for (int i = 0; i < 400; i++)
            random_step(w, &random, ticket, &tickets);
        settle(w);
        for (size_t i = 0; i < tickets; i++) {
            if (routed(w, ticket[i]) != 1)
                fail_msg("seed %llu: ticket %zu was routed %u times", (unsigned long long)seed, i,
                         routed(w, ticket[i]));
        }
        ASSERT_EQ(w->reply_rc, 0);
        tear_down(state);
        set_up(state);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_decider_waits_for_the_head_of_its_session),
        CASE(test_decider_waits_while_a_head_beyond_the_fold_is_known),
        CASE(test_decider_sends_an_item_again_only_when_it_is_folded),
        CASE(test_decider_decides_what_comes_due_by_the_brokers_clock),
        CASE(test_decider_is_never_behind_what_it_has_folded),
        CASE(test_decider_keeps_what_could_not_be_sent),
        CASE(test_decider_decision_names_basis_cause_and_rule),
        CASE(test_decider_considers_a_stale_item_again),
        CASE(test_decider_pauses_by_its_own_clock),
        CASE(test_decider_outlasts_a_full_disk),
        CASE(test_decider_says_hello_until_it_is_answered),
        CASE(test_decider_whose_answers_are_lost_doubles_nothing),
        CASE(test_decider_whose_requests_are_lost_decides_again),
        CASE(test_decider_does_not_overtake_its_own_event_that_is_not_durable),
        CASE(test_decider_finds_out_that_the_broker_restarted),
        CASE(test_decider_taken_over_waits_before_it_takes_over),
        CASE(test_decider_refuses_a_log_that_ends_before_its_fold),
        CASE(test_decider_may_fold_on_while_its_hello_is_answered),
        CASE(test_decider_routes_each_ticket_once_whatever_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
