/* Random tickets with late events and definitions: what the log says in the end is what is
 * computed, nothing is said twice, kills change nothing, and credits are those of a count of all
 * breached clocks (S13). */
#include "tests/lib/bodies.h"
#include "tests/unit/sla_definitions.h"
#include "tests/unit/sla_ledger.h"
#include <jansson.h>

#define SEEDS   60
#define DEEDS   40
#define TICKETS 4

/* ---------------------------------------------------------------- credits */

struct bill {
    int64_t running, unpriced, breaches, credit_minor;
};

/* What a clock, said to be breached and computed to be, adds to the bill of [from, to). */
static void charge(struct bill *bill, const struct dk_refs *refs, const struct dk_clock *clock,
                   int64_t from_us, int64_t to_us)
{
    const Docket__ContractDefined *contract =
        dk_refs_contract(refs, clock->contract, clock->ended_us);
    if (clock->ended_us == 0) {
        bill->running++;
    } else if (clock->ended_us >= from_us && clock->ended_us < to_us) {
        bool priced = contract != NULL && clock->metric == RESOLUTION;
        bill->unpriced += !priced;
        bill->breaches += priced;
        if (priced)
            bill->credit_minor += (int64_t)contract->penalty[0]->rate_minor *
                                  ((clock->overrun_us + DK_HOUR_US - 1) / DK_HOUR_US);
    }
}

static void assert_billed(struct dk_folder *folder, const struct bill *bill, int64_t from_us,
                          int64_t to_us, uint64_t seed)
{
    char from[64] = "from=", to[64] = "to=";
    const char *argument[] = {from, to};
    struct bill asked = {0};
    struct dk_buf buf;
    struct dk_err err;
    size_t i;
    json_t *line;
    (void)dk_time_format(from_us, 0, from + strlen(from));
    (void)dk_time_format(to_us, 0, to + strlen(to));
    dk_buf_init(&buf, 1 << 20);
    ASSERT_OK(dk_folder_query(folder, "credits", argument, 2, &buf, &err), &err);
    json_t *json = json_loadb((const char *)buf.data, buf.size, 0, NULL);
    dk_buf_close(&buf);
    asked.running = json_integer_value(json_object_get(json, "running"));
    asked.unpriced = json_integer_value(json_object_get(json, "unpriced"));
    json_array_foreach(json_object_get(json, "lines"), i, line)
    {
        asked.breaches += json_integer_value(json_object_get(line, "breaches"));
        asked.credit_minor += json_integer_value(json_object_get(line, "credit_minor"));
    }
    json_decref(json);
    if (memcmp(&asked, bill, sizeof asked) != 0)
        fail_msg("seed %llu: %lld running, %lld unpriced, %lld for %lld; counted %lld, %lld, %lld "
                 "for %lld",
                 (unsigned long long)seed, (long long)asked.running, (long long)asked.unpriced,
                 (long long)asked.breaches, (long long)asked.credit_minor, (long long)bill->running,
                 (long long)bill->unpriced, (long long)bill->breaches,
                 (long long)bill->credit_minor);
}

/* Credits of a range, and how many clocks were priced: live, and by a folder that has read the log
 * anew. */
static int64_t credits_agree(struct role_world *world, uint64_t seed, int64_t from_us,
                             int64_t to_us)
{
    static struct ledger ledger;
    struct dk_folder *again = world_replay(world);
    struct dk_clocks clocks;
    struct bill bill = {0};
    read_log(world, &ledger);
    dk_clocks_init(&clocks);
    for (uint64_t number = 1; number <= world->tickets; number++) {
        compute(world, dk_ticket_make(7, number), &clocks);
        for (size_t i = 0; i < clocks.count; i++) {
            const struct dk_clock *clock = &clocks.clock[i];
            const Docket__ClockRef ref = {.metric = clock->metric, .instance = clock->instance};
            if (clock->verdict == BREACHED &&
                said_of(&ledger, dk_ticket_make(7, number), &ref)->verdict == BREACHED)
                charge(&bill, dk_folder_world(world->folder)->refs, clock, from_us, to_us);
        }
    }
    assert_billed(world->folder, &bill, from_us, to_us, seed);
    assert_billed(again, &bill, from_us, to_us, seed);
    dk_folder_free(&again);
    dk_clocks_close(&clocks);
    return bill.breaches;
}

/* ---------------------------------------------------------------- what happens */

/* S7: another promise or other hours, for open tickets or new ones, from up to three hours ago or
 * to come on. */
static void redefine(struct role_world *world, struct test_random *random)
{
    static uint64_t before_us = (uint64_t)(30 * DK_MINUTE_US);
    int64_t effective_us =
        world->now_us + (90 - (int64_t)test_random_below(random, 270)) * DK_MINUTE_US;
    Docket__Publication to = (Docket__Publication)test_random_below(random, 2);
    int64_t target_us = (1 + (int64_t)test_random_below(random, 8)) * DK_HOUR_US;
    Docket__PolicyDefined *policy = promised(RESOLUTION, target_us, 0);
    if (test_random_below(random, 3) == 0) {
        Docket__CalendarDefined *hours =
            test_hours("office", "UTC", 5, 6 + (uint32_t)test_random_below(random, 4), 20);
        hours->definition->has_effective_us = hours->has_publish = 1;
        hours->definition->effective_us = effective_us;
        hours->publish = to;
        (void)world_define(world, DK_KIND_CALENDAR_DEFINED, hours);
        return;
    }
    policy->definition->has_effective_us = policy->has_publish = policy->has_on_change = 1;
    policy->definition->effective_us = effective_us;
    policy->publish = to;
    policy->on_change = (Docket__ChangeMode)test_random_below(random, 3);
    policy->has_calendar = 1;
    policy->calendar = test_id(DK_SUBJECT_CALENDAR, "office");
    add_goal(policy, FIRST_REPLY, ANY, target_us / 2);
    add_warning(policy, 50);
    add_warning(policy, 90);
    add_pause(policy, CUSTOMER);
    policy->n_warn_before_us = 1;
    policy->warn_before_us = &before_us;
    (void)world_define(world, DK_KIND_POLICY_DEFINED, policy);
}

/* What the contract costs, whether the customer's company has it and is golden, whose customer it
 * is, and where the product stands: each from up to three hours ago on. */
static void agree_on_terms(struct role_world *world, struct test_random *random)
{
    Docket__ContractDefined contract = DOCKET__CONTRACT_DEFINED__INIT;
    Docket__Penalty penalty = DOCKET__PENALTY__INIT, *const list = &penalty;
    int64_t from_us[4];
    for (size_t i = 0; i < 4; i++)
        from_us[i] = world->now_us - (int64_t)test_random_below(random, 180) * DK_MINUTE_US;
    contract.definition = test_definition("terms");
    since(contract.definition, from_us[0]);
    contract.has_company = 1;
    contract.company = ACME;
    penalty.rate_minor = 100 + test_random_below(random, 900);
    penalty.unit_us = (uint64_t)DK_HOUR_US;
    penalty.cap_minor = UINT32_MAX;
    contract.penalty = (Docket__Penalty **)(uintptr_t)&list;
    contract.n_penalty = 1;
    contract.definition->removed = contract.definition->has_removed =
        test_random_below(random, 4) == 0;
    (void)world_define(world, DK_KIND_CONTRACT_DEFINED, &contract);
    (void)define_company(world, test_random_below(random, 2) != 0 ? "gold" : NULL,
                         test_random_below(random, 4) != 0 ? TERMS : 0, from_us[1]);
    (void)define_customer(world, test_random_below(random, 4) != 0 ? ACME : 0, from_us[2]);
    (void)define_product(world, test_random_below(random, 2) != 0 ? HARDWARE : 0, from_us[3]);
}

static void open_one(struct role_world *world, struct test_random *random)
{
    Docket__Opened body = DOCKET__OPENED__INIT;
    body.has_priority = body.has_customer = 1;
    body.priority = (Docket__Priority)(1 + test_random_below(random, 4));
    body.customer = CARL;
    body.has_product = 1;
    body.product = LAPTOP;
    body.message = test_text("it does not work");
    (void)sla_happens(world, dk_ticket_make(7, ++world->tickets), 0, DK_KIND_OPENED, &body,
                      ACT_CUSTOMER);
}

/* One thing happens to one ticket, now or up to three hours ago. */
static void act(struct role_world *world, struct test_random *random)
{
    if (world->tickets == 0 || (world->tickets < TICKETS && test_random_below(random, 6) == 0)) {
        open_one(world, random);
        return;
    }
    if (test_random_below(random, 16) == 0) {
        agree_on_terms(world, random);
        return;
    }
    if (test_random_below(random, 8) == 0) {
        redefine(world, random);
        return;
    }
    uint64_t ticket = dk_ticket_make(7, 1 + test_random_below(random, world->tickets));
    int64_t at_us = 0;
    if (test_random_below(random, 3) == 0)
        at_us = world->now_us - (int64_t)test_random_below(random, 180) * DK_MINUTE_US;
    switch (test_random_below(random, 8)) {
    case 7: (void)sla_status(world, ticket, at_us, DOCKET__STATUS__STATUS_CLOSED, 0); break;
    case 0: (void)sla_writes(world, ticket, at_us); break;
    case 1: (void)sla_replies(world, ticket, at_us); break;
    case 2:
        (void)sla_status(world, ticket, at_us, DOCKET__STATUS__STATUS_PENDING,
                         (Docket__Pending)(1 + test_random_below(random, 3)));
        break;
    case 3: (void)sla_status(world, ticket, at_us, DOCKET__STATUS__STATUS_OPEN, 0); break;
    case 4: (void)sla_status(world, ticket, at_us, DOCKET__STATUS__STATUS_SOLVED, 0); break;
    default:
        (void)sla_reprioritized(world, ticket, at_us,
                                (Docket__Priority)(1 + test_random_below(random, 4)));
        break;
    }
}

/* The whole story of a seed; with kills the node is restarted before each of its turns. */
static void live(struct role_world *world, uint64_t seed, bool kills)
{
    struct test_random random = {seed};
    Docket__PolicyDefined *policy = new_policy("first", DOCKET__POLICY_TYPE__POLICY_SLA, 1);
    Docket__Condition *c = add_condition(policy, DOCKET__CONDITION_FIELD__CONDITION_PRIORITY);
    world_open(world, &dk_sla_role);
    sla_promise(world);
    Docket__PolicyDefined *golden = shorter_where(DOCKET__CONDITION_FIELD__CONDITION_TIER);
    add_goal(golden, FIRST_REPLY, ANY, DK_HOUR_US / 3);
    (void)define_policy(world, golden, world->now_us);
    Docket__PolicyDefined *hard = shorter_where(DOCKET__CONDITION_FIELD__CONDITION_PRODUCT);
    hard->definition = test_definition("hard");
    hard->order = 3;
    (void)define_policy(world, hard, world->now_us);
    c->number[c->n_number++] = LOW; /* less is promised, and more counted */
    add_goal(policy, RESOLUTION, ANY, 3 * DK_HOUR_US);
    add_goal(policy, NEXT_REPLY, ANY, DK_HOUR_US);
    add_warning(policy, 50);
    (void)world_define(world, DK_KIND_POLICY_DEFINED, policy);
    agree_on_terms(world, &random);
    for (int deed = 0; deed < DEEDS; deed++) {
        act(world, &random);
        if (kills)
            world_restart(world);
        (void)sla_wait_until(world, world->now_us +
                                        (int64_t)test_random_below(&random, 60) * DK_MINUTE_US);
    }
    (void)sla_settle(world);
}

static void test_sla_random_log_agrees_with_the_fold(void **state)
{
    struct role_world *world = *state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        live(world, seed, false);
        agree(world, seed);
        struct dk_folder *again = world_replay(world);
        ASSERT_EQ(dk_folder_hash(again), dk_folder_hash(world->folder));
        dk_folder_free(&again);
        world_restart(world);
        ASSERT_EQ(sla_settle(world), 0);
        world_close(world);
    }
}

/* S13: whatever comes late, is corrected or defined anew: after each deed, in every range. */
static void test_S13_credits_are_as_counted(void **state)
{
    struct role_world *world = *state;
    int64_t priced = 0, in_part = 0;
    for (uint64_t seed = 1; seed <= SEEDS / 2; seed++) {
        struct test_random random = {seed};
        live(world, seed, false);
        for (int deed = 0; deed < DEEDS; deed++) {
            int64_t from_us =
                world->now_us - (2 + (int64_t)test_random_below(&random, 40)) * DK_HOUR_US;
            act(world, &random);
            if (deed % 4 != 0)
                (void)sla_wait_until(world, world->now_us + DK_HOUR_US / 2);
            in_part += credits_agree(world, seed, from_us, world->now_us - DK_HOUR_US);
            priced += credits_agree(world, seed, 0, world->now_us + DK_HOUR_US);
        }
        world_close(world);
    }
    ASSERT_TRUE(in_part > SEEDS && priced > in_part);
}

/* What the log says of each ticket, event by event; which ticket comes first, when several are owed
 * something at once, is anybody's. */
static void same_histories(const struct role_world *a, const struct role_world *b)
{
    uint64_t x = 0, y = 0;
    for (uint64_t number = 1; number <= a->tickets; number++, x = y = 0) {
        size_t bytes;
        while (x < a->count && y < b->count) {
            uint64_t ticket = dk_ticket_make(7, number);
            while (++x <= a->count && dk_event_load_subject(world_record(a, x, &bytes)) != ticket) {
            }
            while (++y <= b->count && dk_event_load_subject(world_record(b, y, &bytes)) != ticket) {
            }
            ASSERT_EQ(x > a->count, y > b->count);
            if (x <= a->count)
                ASSERT_EQ(dk_event_load_kind(world_record(a, x, &bytes)),
                          dk_event_load_kind(world_record(b, y, &bytes)));
        }
    }
}

static void test_sla_random_kills_change_nothing(void **state)
{
    struct role_world *world = *state;
    struct role_world *killed = calloc(1, sizeof *killed);
    for (uint64_t seed = 1; seed <= SEEDS / 4; seed++) {
        live(world, seed, false);
        live(killed, seed, true);
        ASSERT_EQ(killed->count, world->count);
        ASSERT_EQ(killed->tickets, world->tickets);
        same_histories(killed, world);
        agree(killed, seed);
        world_close(world);
        world_close(killed);
    }
    free(killed);
}

static int make(void **state)
{
    *state = calloc(1, sizeof(struct role_world));
    return *state == NULL;
}

static int drop(void **state)
{
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sla_random_log_agrees_with_the_fold, make, drop),
        cmocka_unit_test_setup_teardown(test_sla_random_kills_change_nothing, make, drop),
        cmocka_unit_test_setup_teardown(test_S13_credits_are_as_counted, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
