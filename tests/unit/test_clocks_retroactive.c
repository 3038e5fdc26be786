/* S6, retroactive: from creation, whatever was promised then and whether anything was; past pauses
 * are subtracted. Each due is computed by hand beside its case. */
#include "tests/lib/assert.h"
#include "tests/unit/clocks_fixture.h"

#define OFFICE test_id(DK_SUBJECT_CALENDAR, "office")

/* A promise for open tickets, from an instant on; of one priority, or of all. */
static void promise_from(struct story *s, const char *from, Docket__Priority priority,
                         int64_t target_us, uint64_t calendar, Docket__ChangeMode mode)
{
    Docket__PolicyDefined *policy = new_policy("later", DOCKET__POLICY_TYPE__POLICY_SLA, 1);
    policy->calendar = calendar;
    policy->has_on_change = policy->has_publish = 1;
    policy->on_change = mode;
    policy->publish = DOCKET__PUBLICATION__PUBLISH_OPEN;
    add_goal(policy, RESOLUTION, priority, target_us);
    add_goal(policy, FIRST_REPLY, priority, target_us);
    add_goal(policy, NEXT_REPLY, priority, target_us);
    add_goal(policy, UPDATE, priority, target_us);
    add_goal(policy, WAIT, priority, target_us);
    add_pause(policy, CUSTOMER);
    has_policy(s, policy, at(from));
}

static void retroactive_from(struct story *s, const char *from, int64_t target_us,
                             uint64_t calendar)
{
    promise_from(s, from, ANY, target_us, calendar, DOCKET__CHANGE_MODE__CHANGE_RETROACTIVE);
}

static void assert_due(struct story *s, const char *until, Docket__Metric metric, const char *due)
{
    const struct dk_clock *clock = clock_until(s, at(until), metric, 1);
    ASSERT_TRUE(clock != NULL);
    ASSERT_EQ(clock->verdict, RUNNING);
    ASSERT_EQ(clock->due_us, at(due));
}

/* Opened at 8, promised 6 h at noon: all metrics have run for 4 h. */
static void test_S6_counts_from_creation_without_a_promise(void **state)
{
    struct story *s = *state;
    opened(s, at("08:00"), NORMAL);
    retroactive_from(s, "12:00", 6 * DK_HOUR_US, 0);
    assert_due(s, "12:30", RESOLUTION, "14:00");
    assert_due(s, "12:30", FIRST_REPLY, "14:00");
    assert_due(s, "12:30", WAIT, "14:00");
    ASSERT_EQ(clock_until(s, at("12:30"), RESOLUTION, 1)->elapsed_us, DK_HOUR_US / 2);
}

/* The same by an office from 9 to 17: 3 h are over at noon. */
static void test_S6_counts_by_the_new_calendar(void **state)
{
    struct story *s = *state;
    (void)has_calendar(s, "office", "UTC", 9, 17, LONG_AGO);
    opened(s, at("08:00"), NORMAL);
    retroactive_from(s, "12:00", 6 * DK_HOUR_US, OFFICE);
    assert_due(s, "12:30", RESOLUTION, "15:00");
}

/* Waiting for the customer from 9 to 10 is a pause by the policy that came; for a supplier from 10
 * to 11 is none of resolution: 3 h are over at noon. */
static void test_S6_subtracts_pauses_without_a_promise(void **state)
{
    struct story *s = *state;
    opened(s, at("08:00"), NORMAL);
    pending(s, at("09:00"), CUSTOMER);
    pending(s, at("10:00"), DOCKET__PENDING__PENDING_SUPPLIER);
    status(s, at("11:00"), DOCKET__STATUS__STATUS_OPEN);
    retroactive_from(s, "12:00", 6 * DK_HOUR_US, 0);
    assert_due(s, "12:30", RESOLUTION, "15:00");
    assert_due(s, "12:30", WAIT, "15:00");
}

/* It waits still as the promise comes, and until 13: 1 h is over. */
static void test_S6_promised_during_a_pause(void **state)
{
    struct story *s = *state;
    opened(s, at("08:00"), NORMAL);
    pending(s, at("09:00"), CUSTOMER);
    retroactive_from(s, "12:00", 6 * DK_HOUR_US, 0);
    ASSERT_EQ(clock_until(s, at("12:30"), RESOLUTION, 1)->verdict, PAUSED);
    status(s, at("13:00"), DOCKET__STATUS__STATUS_OPEN);
    assert_due(s, "13:30", RESOLUTION, "18:00");
}

/* Nothing is left at noon: it breaks then, not at 11 when nothing was promised. */
static void test_S6_breaks_when_it_is_promised(void **state)
{
    struct story *s = *state;
    opened(s, at("08:00"), NORMAL);
    retroactive_from(s, "12:00", 3 * DK_HOUR_US, 0);
    const struct dk_clock *clock = clock_until(s, at("12:30"), RESOLUTION, 1);
    ASSERT_EQ(clock->verdict, BREACHED);
    ASSERT_EQ(clock->due_us, at("12:00"));
    ASSERT_EQ(clock->breach_cause, DOCKET__BREACH_CAUSE__BREACH_POLICY_CHANGE);
}

/* Promised while high from 8 to 9 and from 11 on: 3 h in all at 11, whoever promised what. */
static void test_S6_counts_gaps_between_promises(void **state)
{
    struct story *s = *state;
    promise_from(s, "07:00", HIGH, 6 * DK_HOUR_US, 0, DOCKET__CHANGE_MODE__CHANGE_RETROACTIVE);
    opened(s, at("08:00"), HIGH);
    reprioritized(s, at("09:00"), LOW);
    reprioritized(s, at("11:00"), HIGH);
    ASSERT_EQ(clock_until(s, at("11:30"), RESOLUTION, 1)->verdict, CANCELLED);
    const struct dk_clock *again = clock_until(s, at("11:30"), RESOLUTION, 2);
    ASSERT_EQ(again->due_us, at("14:00"));
    /* And by carry only what a clock has counted: 1 h. */
    promise_from(s, "07:00", HIGH, 6 * DK_HOUR_US, 0, DOCKET__CHANGE_MODE__CHANGE_CARRY);
    ASSERT_EQ(clock_until(s, at("11:30"), RESOLUTION, 2)->due_us, at("16:00"));
}

/* Solved at 9 without a promise and reopened at 11 with one: 1 h has run, solved time has not. */
static void test_S9_reopened_with_a_promise(void **state)
{
    struct story *s = *state;
    opened(s, at("08:00"), NORMAL);
    solved(s, at("09:00"));
    retroactive_from(s, "10:00", 3 * DK_HOUR_US, 0);
    ASSERT_TRUE(clock_until(s, at("10:30"), RESOLUTION, 1) == NULL);
    reopened(s, at("11:00"));
    assert_due(s, "11:30", RESOLUTION, "13:00");
}

/* S9: what was used before the promise was lost stays used over a reopening: 1 h of 4. */
static void test_S9_reopened_after_a_promise_was_lost(void **state)
{
    struct story *s = *state;
    promise_from(s, "07:00", HIGH, 4 * DK_HOUR_US, 0, DOCKET__CHANGE_MODE__CHANGE_CARRY);
    opened(s, at("08:00"), HIGH);
    reprioritized(s, at("09:00"), LOW);
    solved(s, at("09:30"));
    reprioritized(s, at("10:00"), HIGH);
    reopened(s, at("11:00"));
    const struct dk_clock *again = clock_until(s, at("11:30"), RESOLUTION, 2);
    ASSERT_TRUE(again != NULL);
    ASSERT_EQ(again->started_us, at("11:00"));
    ASSERT_EQ(again->due_us, at("14:00"));
}

/* Next reply from the oldest unanswered message, 9:30; update from the last reply, 9, without the
 * hour in which it waits for the customer. */
static void test_S6_counts_from_each_clocks_beginning(void **state)
{
    struct story *s = *state;
    opened(s, at("08:00"), NORMAL);
    agent_replies(s, at("08:30"));
    agent_replies(s, at("09:00"));
    customer_writes(s, at("09:30"));
    customer_writes(s, at("10:00"));
    pending(s, at("10:00:30"), CUSTOMER);
    status(s, at("11:00:30"), DOCKET__STATUS__STATUS_OPEN);
    retroactive_from(s, "12:00", 6 * DK_HOUR_US, 0);
    assert_due(s, "12:30", NEXT_REPLY, "15:30");
    assert_due(s, "12:30", UPDATE, "16:00");
}

/* An agent's own ticket: from the customer's first message, 9, not from the second. */
static void test_S6_first_reply_by_notes(void **state)
{
    struct story *s = *state;
    Docket__Opened body = DOCKET__OPENED__INIT;
    happens(s, at("08:00"), DK_KIND_OPENED, &body);
    customer_writes(s, at("09:00"));
    customer_writes(s, at("10:00"));
    retroactive_from(s, "12:00", 6 * DK_HOUR_US, 0);
    assert_due(s, "12:30", FIRST_REPLY, "15:00");
}

/* S10: a merge brings a message of 8:30 to one of 9:30 that nothing was promised for. */
static void test_S10_older_message_without_a_promise(void **state)
{
    struct story *s = *state;
    Docket__MergedFrom from = DOCKET__MERGED_FROM__INIT;
    from.has_unanswered_since_us = 1;
    from.unanswered_since_us = at("08:30");
    opened(s, at("08:00"), NORMAL);
    agent_replies(s, at("08:10"));
    customer_writes(s, at("09:30"));
    happens(s, at("10:00"), DK_KIND_MERGED_FROM, &from);
    retroactive_from(s, "12:00", 6 * DK_HOUR_US, 0);
    assert_due(s, "12:30", NEXT_REPLY, "14:30");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_S6_counts_from_creation_without_a_promise, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_S6_counts_by_the_new_calendar, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S6_subtracts_pauses_without_a_promise, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_S6_promised_during_a_pause, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S6_breaks_when_it_is_promised, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S6_counts_gaps_between_promises, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S9_reopened_with_a_promise, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S9_reopened_after_a_promise_was_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S6_counts_from_each_clocks_beginning, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S6_first_reply_by_notes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S10_older_message_without_a_promise, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
