#include "tests/unit/routing_world.h"
#include <jansson.h>

/* Who gets which ticket, and in which order: R2, R3, R4 (DOMAIN, Routing). */

#define CLOCK_EARLY (WORLD_NOW + INT64_C(3600) * 1000000)

/* ---------------------------------------------------------------- R2 */

static void check_excluded(Docket__Exclusion *const *excluded, size_t count,
                           const uint32_t *expected)
{
    size_t kinds = 0;
    for (size_t i = 0; i < count; i++)
        ASSERT_EQ(excluded[i]->count, expected[excluded[i]->reason]);
    for (int reason = 1; reason < 9; reason++)
        kinds += expected[reason] > 0;
    ASSERT_EQ(count, kinds);
}

static void test_routing_says_why_nobody_is_eligible(void **state)
{
    struct role_world *world = *state;
    define_calendar(world, "nights", 1);
    for (int i = 0; i < 3; i++) {
        const char *keys[] = {"asleep-1", "asleep-2", "asleep-3"};
        define_agent(world, &(struct agent){keys[i], {"desk"}, 5, "de", "toner", 0, 0});
    }
    define_shift(world, "nights", "asleep-2"); /* the first second after midnight; it is later */
    hire(world, &(struct agent){"away", {"desk"}, 5, "de", "toner", 0, 0});
    hire(world, &(struct agent){"busy", {"desk"}, 5, "de", "toner", 0, 0});
    hire(world, &(struct agent){"english", {"desk"}, 5, "en", "toner", 0, 0});
    hire(world, &(struct agent){"new", {"desk"}, 5, "de", NULL, 0, 0});
    hire(world, &(struct agent){"full", {"desk"}, 0, "de", "toner", 0, 0});
    hire(world, &(struct agent){"elsewhere", {"network"}, 5, "de", "toner", 0, 0});
    set_presence(world, "away", DOCKET__PRESENCE__PRESENCE_AWAY, 0);
    set_presence(world, "busy", DOCKET__PRESENCE__PRESENCE_BUSY, 0);
    uint64_t ticket = open_ticket(world, "toner", DOCKET__PRIORITY__PRIORITY_HIGH, "de");
    (void)world_settle(world);

    const void *body = NULL;
    ASSERT_EQ(count_of(world, ticket, DK_KIND_QUEUED, &body), 1);
    const Docket__Queued *queued = body;
    ASSERT_EQ(queued->group, GROUP("desk"));
    check_excluded(queued->excluded, queued->n_excluded,
                   (const uint32_t[9]){[DOCKET__EXCLUSION_REASON__EXCLUDED_OFF_SHIFT] = 3,
                                       [DOCKET__EXCLUSION_REASON__EXCLUDED_UNAVAILABLE] = 2,
                                       [DOCKET__EXCLUSION_REASON__EXCLUDED_LANGUAGE] = 1,
                                       [DOCKET__EXCLUSION_REASON__EXCLUDED_SKILL] = 1,
                                       [DOCKET__EXCLUSION_REASON__EXCLUDED_CAPACITY] = 1});

    /* Each reason goes away by an event or at an instant, and the ticket is taken. */
    set_presence(world, "away", DOCKET__PRESENCE__PRESENCE_AVAILABLE, 0);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("away"));
}

/* A ticket in "de-AT" found nobody among those who speak "de". */
static void test_routing_r2_a_language_takes_in_its_regions(void **state)
{
    struct role_world *world = *state;
    hire(world, &(struct agent){"ada", {"desk"}, 5, "de", NULL, 0, 0});
    hire(world, &(struct agent){"bob", {"desk"}, 5, "d", NULL, 0, 0});
    hire(world, &(struct agent){"cyd", {"desk"}, 5, "en-GB", NULL, 0, 0});
    Docket__Priority priority = DOCKET__PRIORITY__PRIORITY_HIGH;
    uint64_t austrian = open_ticket(world, "mail", priority, "DE-at");
    uint64_t english = open_ticket(world, "mail", priority, "en");
    uint64_t other = open_ticket(world, "mail", priority, "deu");
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, austrian)->owner, AGENT("ada"));
    ASSERT_EQ(life_of(world, english)->owner, 0); /* a region is not the whole language */
    ASSERT_EQ(life_of(world, other)->owner, 0);
}

static void test_routing_r2_without_languages_only_what_states_none(void **state)
{
    struct role_world *world = *state;
    const void *body = NULL;
    hire(world, &(struct agent){"ada", {"desk"}, 5, NULL, NULL, 0, 0});
    uint64_t plain = open_mail(world);
    uint64_t german = open_ticket(world, "mail", DOCKET__PRIORITY__PRIORITY_HIGH, "de");
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, plain)->owner, AGENT("ada"));
    ASSERT_EQ(count_of(world, german, DK_KIND_QUEUED, &body), 1);
    const Docket__Queued *queued = body;
    check_excluded(queued->excluded, queued->n_excluded,
                   (const uint32_t[9]){[DOCKET__EXCLUSION_REASON__EXCLUDED_LANGUAGE] = 1});
}

static void test_routing_queued_is_said_once(void **state)
{
    struct role_world *world = *state;
    hire(world, &(struct agent){"ada", {"desk"}, 1, NULL, NULL, 0, 0});
    uint64_t first = open_mail(world), second = open_mail(world);
    (void)world_settle(world);
    for (int i = 0; i < 5; i++) { /* what moves the queue again and again */
        set_presence(world, "ada", DOCKET__PRESENCE__PRESENCE_AWAY, 0);
        (void)world_settle(world);
        set_presence(world, "ada", DOCKET__PRESENCE__PRESENCE_AVAILABLE, 0);
        (void)world_settle(world);
        (void)open_mail(world);
        (void)world_settle(world);
    }
    ASSERT_EQ(count_of(world, second, DK_KIND_QUEUED, NULL), 1);
    ASSERT_EQ(count_of(world, first, DK_KIND_QUEUED, NULL), 0);
    world_restart(world);
    (void)world_settle(world);
    ASSERT_EQ(count_of(world, second, DK_KIND_QUEUED, NULL), 1);
}

static void test_routing_presence_ends_at_its_instant(void **state)
{
    struct role_world *world = *state;
    int64_t until_us = WORLD_NOW + INT64_C(600) * 1000000;
    hire(world, &(struct agent){"ada", {"desk"}, 5, NULL, NULL, 0, 0});
    set_presence(world, "ada", DOCKET__PRESENCE__PRESENCE_AWAY, until_us);
    uint64_t ticket = open_mail(world);
    (void)world_settle(world);
    world->now_us = until_us - 1;
    ASSERT_EQ(world_settle(world), 0);
    ASSERT_EQ(life_of(world, ticket)->owner, 0);
    world->now_us = until_us;
    ASSERT_EQ(world_settle(world), 1);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("ada"));
}

static void test_routing_shift_begins_without_an_event(void **state)
{
    struct role_world *world = *state;
    define_calendar(world, "mornings", 3600);
    define_agent(world, &(struct agent){"ada", {"desk"}, 5, NULL, NULL, 0, 0});
    define_shift(world, "mornings", "ada");
    uint64_t ticket = open_mail(world);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->owner, 0);
    int64_t midnight_us = (WORLD_NOW / DK_DAY_US + 1) * DK_DAY_US;
    ASSERT_EQ(dk_folder_next_due_us(world->folder), midnight_us);
    world->now_us = midnight_us;
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("ada"));
}

static void test_routing_counts_a_channel_of_its_own(void **state)
{
    struct role_world *world = *state;
    hire(world, &(struct agent){"ada", {"desk"}, 9, NULL, NULL, 2, 0});
    for (int i = 0; i < 5; i++)
        (void)open_mail(world);
    (void)world_settle(world);
    size_t owned = 0;
    for (uint64_t n = 1; n <= 5; n++)
        owned += life_of(world, dk_ticket_make(7, n))->owner == AGENT("ada");
    ASSERT_EQ(owned, 2);
}

/* A pending ticket weighs nothing, and again when it is open. */
static void test_routing_carries_what_is_worked_on(void **state)
{
    struct role_world *world = *state;
    hire(world, &(struct agent){"ada", {"desk"}, 1, NULL, NULL, 0, 0});
    uint64_t first = open_mail(world), second = open_mail(world), third = open_mail(world);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, first)->owner, AGENT("ada"));
    ASSERT_EQ(life_of(world, second)->owner, 0);
    set_status(world, first, DOCKET__STATUS__STATUS_PENDING);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, second)->owner, AGENT("ada"));
    set_status(world, first, DOCKET__STATUS__STATUS_OPEN); /* two now: more than she has room for */
    solve(world, second);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, third)->owner, 0);
    solve(world, first);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, third)->owner, AGENT("ada"));
}

/* ---------------------------------------------------------------- R3 */

static void start_clock(struct role_world *world, uint64_t ticket, Docket__Metric metric,
                        int64_t due_us)
{
    Docket__ClockStarted started = DOCKET__CLOCK_STARTED__INIT;
    Docket__ClockRef clock = DOCKET__CLOCK_REF__INIT;
    clock.metric = metric;
    clock.instance = 1;
    started.clock = &clock;
    started.due_us = due_us;
    (void)world_append(world, ticket, DK_KIND_CLOCK_STARTED, &started);
}

static void test_routing_r3_queue_is_by_priority_then_due_then_since(void **state)
{
    struct role_world *world = *state;
    const Docket__Priority normal = DOCKET__PRIORITY__PRIORITY_NORMAL;
    uint64_t low = open_ticket(world, "mail", DOCKET__PRIORITY__PRIORITY_LOW, NULL);
    uint64_t waits = open_ticket(world, "mail", normal, NULL);
    uint64_t waits_less = open_ticket(world, "mail", normal, NULL);
    uint64_t due = open_ticket(world, "mail", normal, NULL);
    uint64_t due_first = open_ticket(world, "mail", normal, NULL);
    uint64_t critical = open_ticket(world, "mail", DOCKET__PRIORITY__PRIORITY_CRITICAL, NULL);
    uint64_t raised = open_ticket(world, "mail", DOCKET__PRIORITY__PRIORITY_LOW, NULL);
    start_clock(world, due, DOCKET__METRIC__METRIC_RESOLUTION, CLOCK_EARLY + 5);
    start_clock(world, due_first, DOCKET__METRIC__METRIC_RESOLUTION, CLOCK_EARLY + 50);
    start_clock(world, due_first, DOCKET__METRIC__METRIC_FIRST_REPLY, CLOCK_EARLY);
    (void)world_settle(world);
    Docket__Classified classified = DOCKET__CLASSIFIED__INIT; /* while it waits */
    classified.has_priority = 1;
    classified.priority = DOCKET__PRIORITY__PRIORITY_HIGH;
    (void)world_append(world, raised, DK_KIND_CLASSIFIED, &classified);
    hire(world, &(struct agent){"ada", {"desk"}, 1, NULL, NULL, 0, 0});

    const uint64_t order[] = {critical, raised, due_first, due, waits, waits_less, low};
    for (size_t i = 0; i < 7; i++) {
        (void)world_settle(world);
        for (size_t j = 0; j < 7; j++)
            ASSERT_EQ(life_of(world, order[j])->owner, j <= i ? AGENT("ada") : 0);
        solve(world, order[i]);
    }
}

/* ---------------------------------------------------------------- R4 */

static void check_candidates(const Docket__Assigned *body, const char *const *keys, size_t count)
{
    ASSERT_EQ(body->n_candidate, count);
    for (size_t i = 0; i < count; i++)
        ASSERT_EQ(body->candidate[i]->agent, AGENT(keys[i]));
    ASSERT_EQ(body->agent, AGENT(keys[0]));
}

static void test_routing_r4_prefers_spare_then_idle_then_the_lowest_id(void **state)
{
    struct role_world *world = *state;
    hire(world, &(struct agent){"ada", {"desk"}, 4, NULL, NULL, 0, 0});
    hire(world, &(struct agent){"bob", {"desk"}, 2, NULL, NULL, 0, 0});
    bool ada_first = AGENT("ada") < AGENT("bob");
    const char *by_id[] = {ada_first ? "ada" : "bob", ada_first ? "bob" : "ada"};
    const char *other[] = {by_id[1], by_id[0]}, *ada[] = {"ada", "bob"};

    uint64_t first = open_mail(world);
    (void)world_settle(world);
    check_candidates(assigned(world, first), by_id, 2); /* nobody ever worked: by id */
    ASSERT_EQ(assigned(world, first)->candidate[0]->spare_permille, 1000);
    uint64_t second = open_mail(world);
    (void)world_settle(world);
    check_candidates(assigned(world, second), other, 2); /* the other has more to spare */
    uint64_t third = open_mail(world);
    (void)world_settle(world); /* ada has 3 of 4 left, bob 1 of 2 */
    check_candidates(assigned(world, third), ada, 2);
    ASSERT_EQ(assigned(world, third)->candidate[0]->spare_permille, 750);
    ASSERT_EQ(assigned(world, third)->candidate[1]->spare_permille, 500);
    uint64_t fourth = open_mail(world);
    (void)world_settle(world); /* both have half; bob's load changed earlier */
    const char *bob[] = {"bob", "ada"};
    check_candidates(assigned(world, fourth), bob, 2);
    ASSERT_TRUE(assigned(world, fourth)->candidate[0]->idle_since_us <
                assigned(world, fourth)->candidate[1]->idle_since_us);
}

static void test_routing_r4_who_spoke_with_the_customer_comes_first(void **state)
{
    struct role_world *world = *state;
    hire(world, &(struct agent){"ada", {"desk"}, 4, NULL, NULL, 0, 0});
    uint64_t ticket = open_mail(world);
    (void)world_settle(world);
    Docket__MessagePublic reply = DOCKET__MESSAGE_PUBLIC__INIT;
    reply.direction = DOCKET__DIRECTION__DIRECTION_OUTBOUND;
    struct dk_envelope by_ada = {.subject = ticket,
                                 .actor = dk_id_make(DK_ACTOR_AGENT, AGENT("ada"))};
    (void)world_append_as(world, by_ada, DK_KIND_MESSAGE_PUBLIC, &reply);
    ASSERT_EQ(life_of(world, ticket)->speaker, AGENT("ada"));
    for (int i = 0; i < 2; i++)
        (void)open_mail(world); /* hers too: she has less to spare than who comes now */
    (void)world_settle(world);
    hire(world, &(struct agent){"bob", {"desk"}, 4, NULL, NULL, 0, 0});
    Docket__Assigned nobody = DOCKET__ASSIGNED__INIT;
    (void)world_append(world, ticket, DK_KIND_ASSIGNED, &nobody);
    (void)world_settle(world);
    check_candidates(assigned(world, ticket), (const char *[]){"ada", "bob"}, 2);
}

static void test_routing_r4_event_names_the_choice_and_the_next_seven(void **state)
{
    struct role_world *world = *state;
    for (int i = 0; i < 12; i++) {
        char key[8] = {'a', (char)('a' + i), 0};
        hire(world, &(struct agent){key, {"desk"}, 5, NULL, i < 2 ? NULL : "toner", 0, 0});
    }
    uint64_t ticket = open_ticket(world, "toner", DOCKET__PRIORITY__PRIORITY_HIGH, NULL);
    uint64_t opened_at = world->count;
    (void)world_settle(world);
    const Docket__Assigned *body = assigned(world, ticket);
    ASSERT_EQ(body->n_candidate, 8);
    for (size_t i = 1; i < 8; i++)
        ASSERT_TRUE(body->candidate[i - 1]->agent < body->candidate[i]->agent);
    check_excluded(body->excluded, body->n_excluded,
                   (const uint32_t[9]){[DOCKET__EXCLUSION_REASON__EXCLUDED_SKILL] = 2});
    ASSERT_EQ(body->weight, 1);
    ASSERT_EQ(body->judged_us, world->now_us - WORLD_STEP_US);
    ASSERT_EQ(body->decision->basis, opened_at + 1); /* the Routed */
    ASSERT_EQ(body->decision->cause, opened_at + 1);
    ASSERT_EQ(body->decision->rule_version, dk_routing_role.rule_version);
}

/* The same answer from a node that ran on and from one that was restored. */
static void test_routing_lists_agents_by_id(void **state)
{
    struct role_world *world = *state;
    struct dk_buf live, restored;
    const char *before = "";
    char ada[DK_ID_TEXT_BYTES];
    (void)dk_id_format(AGENT("ada"), ada);
    hire(world, &(struct agent){"ada", {"desk"}, 5, NULL, NULL, 0, 0});
    for (int i = 0; i < 20; i++) {
        char key[8] = {'z', (char)('a' + i), 0};
        set_presence(world, key, DOCKET__PRESENCE__PRESENCE_AWAY, 0);
    }
    (void)open_mail(world);
    (void)world_settle(world);
    dk_buf_init(&live, 1 << 16);
    dk_buf_init(&restored, 1 << 16);
    ASSERT_EQ(dk_folder_query(world->folder, "agents", NULL, 0, &live, NULL), 0);
    json_t *list = json_loadb((const char *)live.data, live.size, 0, NULL), *one;
    ASSERT_EQ(json_array_size(list), 21);
    size_t i;
    json_array_foreach(list, i, one)
    {
        const char *id = json_string_value(json_object_get(one, "agent"));
        bool is_ada = strcmp(id, ada) == 0;
        ASSERT_TRUE(strcmp(id, before) > 0);
        ASSERT_EQ(json_integer_value(json_object_get(one, "load")), is_ada);
        if (is_ada)
            ASSERT_TRUE(json_is_null(json_object_get(one, "presence")));
        else
            ASSERT_STR(json_string_value(json_object_get(one, "presence")), "away");
        before = id;
    }
    json_decref(list);
    world_restart(world);
    ASSERT_EQ(dk_folder_query(world->folder, "agents", NULL, 0, &restored, NULL), 0);
    ASSERT_STR(dk_buf_string(&restored), dk_buf_string(&live));
    dk_buf_close(&live);
    dk_buf_close(&restored);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_routing_says_why_nobody_is_eligible),
        CASE(test_routing_r2_a_language_takes_in_its_regions),
        CASE(test_routing_r2_without_languages_only_what_states_none),
        CASE(test_routing_queued_is_said_once),
        CASE(test_routing_presence_ends_at_its_instant),
        CASE(test_routing_shift_begins_without_an_event),
        CASE(test_routing_counts_a_channel_of_its_own),
        CASE(test_routing_carries_what_is_worked_on),
        CASE(test_routing_r3_queue_is_by_priority_then_due_then_since),
        CASE(test_routing_r4_prefers_spare_then_idle_then_the_lowest_id),
        CASE(test_routing_r4_who_spoke_with_the_customer_comes_first),
        CASE(test_routing_r4_event_names_the_choice_and_the_next_seven),
        CASE(test_routing_lists_agents_by_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
