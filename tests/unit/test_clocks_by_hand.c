/* Cases in which several rules meet, each computed by hand beside it: T2 and T3 with pauses, S2 at
 * the very instant, S3 within one instant, S1 with S7 and S12, OLA and UC over reopenings. */
#include "tests/lib/assert.h"
#include "tests/unit/clocks_fixture.h"

#define OFFICE test_id(DK_SUBJECT_CALENDAR, "office")

static void office(struct story *s, const char *zone, uint32_t days, uint32_t from_h, uint32_t to_h)
{
    Docket__CalendarDefined *body = test_hours("office", zone, days, from_h, to_h);
    body->definition->has_effective_us = 1;
    body->definition->effective_us = LONG_AGO;
    test_define(s->refs, ++s->position, LONG_AGO, DK_KIND_CALENDAR_DEFINED, body);
}

static void resolution_in(struct story *s, int64_t target_us)
{
    static uint64_t before_us = (uint64_t)(2 * DK_HOUR_US);
    Docket__PolicyDefined *policy = promised(RESOLUTION, target_us, OFFICE);
    add_pause(policy, CUSTOMER);
    policy->n_warn_before_us = 1;
    policy->warn_before_us = &before_us;
    has_policy(s, policy, LONG_AGO);
}

static int64_t due_of(struct story *s, const char *until)
{
    const struct dk_clock *clock = clock_until(s, at(until), RESOLUTION, 1);
    ASSERT_TRUE(clock != NULL);
    return clock->last_due_us;
}

/* From 1 to 5 in Berlin, of which 2 to 3 is not on 29 March: half an hour until the pause at half
 * past 1; from 4 (02:00 Z) one hour is left that day, and one of the next, from 23:00 Z on. */
static void test_T2_gap_with_a_pause(void **state)
{
    struct story *s = *state;
    office(s, "Europe/Berlin", 7, 1, 5);
    resolution_in(s, 2 * DK_HOUR_US + DK_HOUR_US / 2);
    opened(s, at("2026-03-28T23:30:00Z"), NORMAL);
    pending(s, at("2026-03-29T00:30:00Z"), CUSTOMER);
    status(s, at("2026-03-29T02:00:00Z"), DOCKET__STATUS__STATUS_OPEN);
    ASSERT_EQ(due_of(s, "2026-03-29T12:00:00Z"), at("2026-03-30T00:00:00Z"));
    ASSERT_EQ(clock_until(s, at("2026-03-29T12:00:00Z"), RESOLUTION, 1)->elapsed_us,
              DK_HOUR_US + DK_HOUR_US / 2);
}

/* On 25 October 2 to 3 comes twice: 1 to 5 is 23:00 to 04:00 Z. From half past, four and a half
 * hours are used up at closing, and due then (T3); five are due half an hour into the next day. */
static void test_T2_fold_up_to_closing(void **state)
{
    struct story *s = *state;
    office(s, "Europe/Berlin", 7, 1, 5);
    resolution_in(s, 4 * DK_HOUR_US + DK_HOUR_US / 2);
    opened(s, at("2026-10-24T23:30:00Z"), NORMAL);
    ASSERT_EQ(due_of(s, "2026-10-25T01:00:00Z"), at("2026-10-25T04:00:00Z"));
    resolution_in(s, 5 * DK_HOUR_US);
    ASSERT_EQ(due_of(s, "2026-10-25T01:00:00Z"), at("2026-10-26T00:30:00Z"));
}

/* A Friday's eight hours are used up as it closes, and the ticket begins to wait at that instant:
 * not broken, with nothing left. So it is due as it goes on, though that is a Saturday (S2), and broken
 * by whatever comes 1 us later. */
static void test_S2_nothing_left_at_the_resume(void **state)
{
    struct story *s = *state;
    office(s, "UTC", 5, 9, 17);
    resolution_in(s, 8 * DK_HOUR_US);
    opened(s, at("2026-03-06T09:00:00Z"), NORMAL);
    pending(s, at("2026-03-06T17:00:00Z"), CUSTOMER);
    ASSERT_EQ(clock_until(s, at("2026-03-07T11:00:00Z"), RESOLUTION, 1)->verdict, PAUSED);
    status(s, at("2026-03-07T12:00:00Z"), DOCKET__STATUS__STATUS_OPEN);
    const struct dk_clock *clock = clock_until(s, at("2026-03-07T12:00:00Z"), RESOLUTION, 1);
    ASSERT_EQ(clock->verdict, BREACHED);
    ASSERT_EQ(clock->due_us, at("2026-03-07T12:00:00Z"));
    solved(s, at("2026-03-07T12:00:00Z") + 1);
    clock = clock_until(s, at("2026-03-08T12:00:00Z"), RESOLUTION, 1);
    ASSERT_EQ(clock->verdict, BREACHED);
    ASSERT_EQ(clock->overrun_us, 0); /* on a Saturday */
}

/* Eight hours of 9 to 17 from Monday at 15: six are used up, and two left, on Tuesday at 13. With a
 * pause on Tuesday from 10 to 12 it is warned of at 15, and due at 17, as it closes. */
static void test_S12_offset_in_business_time(void **state)
{
    struct story *s = *state;
    office(s, "UTC", 5, 9, 17);
    resolution_in(s, 8 * DK_HOUR_US);
    opened(s, at("15:00"), NORMAL);
    const struct dk_clock *clock = clock_until(s, at("16:00"), RESOLUTION, 1);
    ASSERT_EQ(clock->due_us, at("2026-03-03T15:00:00Z"));
    ASSERT_EQ(clock->warning[0].due_us, at("2026-03-03T13:00:00Z"));
    pending(s, at("2026-03-03T10:00:00Z"), CUSTOMER);
    ASSERT_EQ(clock_until(s, at("2026-03-03T11:00:00Z"), RESOLUTION, 1)->warning[0].due_us,
              INT64_MAX);
    customer_writes(s, at("2026-03-03T12:00:00Z")); /* S11 */
    clock = clock_until(s, at("2026-03-03T13:30:00Z"), RESOLUTION, 1);
    ASSERT_EQ(clock->warning[0].due_us, at("2026-03-03T15:00:00Z"));
    ASSERT_EQ(clock->due_us, at("2026-03-03T17:00:00Z"));
}

/* S1: 9 to 17 until Tuesday noon, 10 to 14 from then on. Six hours from Monday at 16: one on Monday,
 * three on Tuesday morning, and two until it closes. */
static void test_S1_other_hours_from_an_instant_on(void **state)
{
    struct story *s = *state;
    (void)has_calendar(s, "office", "UTC", 9, 17, LONG_AGO);
    (void)has_calendar(s, "office", "UTC", 10, 14, at("2026-03-03T12:00:00Z"));
    resolution_in(s, 6 * DK_HOUR_US);
    opened(s, at("16:00"), NORMAL);
    ASSERT_EQ(due_of(s, "17:00"), at("2026-03-03T14:00:00Z"));
    resolution_in(s, 6 * DK_HOUR_US + 1); /* on Wednesday, by the new hours */
    ASSERT_EQ(due_of(s, "17:00"), at("2026-03-04T10:00:00Z") + 1);
}

/* At 9 a reply, a pause and a message: it stops, pauses and starts in this order, whichever was
 * recorded first. */
static void test_S3_at_one_instant(void **state)
{
    struct story *s = *state;
    Docket__PolicyDefined *policy = promised(FIRST_REPLY, DK_HOUR_US, 0);
    add_goal(policy, NEXT_REPLY, ANY, DK_HOUR_US);
    add_goal(policy, RESOLUTION, ANY, 4 * DK_HOUR_US);
    add_pause(policy, CUSTOMER);
    has_policy(s, policy, LONG_AGO);
    opened(s, at("08:00"), NORMAL);
    customer_writes(s, at("09:00"));
    pending(s, at("09:00"), CUSTOMER);
    agent_asks(s, at("09:00"));
    ASSERT_EQ(clock_until(s, at("09:30"), FIRST_REPLY, 1)->verdict, MET);
    const struct dk_clock *next = clock_until(s, at("09:30"), NEXT_REPLY, 1);
    ASSERT_EQ(next->started_us, at("09:00"));
    ASSERT_EQ(clock_until(s, at("09:30"), RESOLUTION, 1)->due_us, at("12:00"));
    ASSERT_EQ(s->clocks.pause_count, 0); /* it was asked, and then wrote */
}

static const struct dk_clock *held_by(struct story *s, uint32_t instance)
{
    return clock_until(s, at("13:00"), GROUP, instance);
}

/* OLA: from 9 to 10 with one group, by which it is solved; reopened at 11, when another one has it.
 * One clock each, and none while it is solved. */
static void test_S9_ownership_over_a_reopening(void **state)
{
    struct story *s = *state;
    Docket__PolicyDefined *policy = new_policy("hold", DOCKET__POLICY_TYPE__POLICY_OLA, 1);
    add_goal(policy, GROUP, ANY, 90 * DK_MINUTE_US);
    has_policy(s, policy, LONG_AGO);
    opened(s, at("08:00"), NORMAL);
    routed(s, at("09:00"), test_id(DK_SUBJECT_GROUP, "net"));
    routed(s, at("09:30"), test_id(DK_SUBJECT_GROUP, "net")); /* stays */
    solved(s, at("10:00"));
    routed(s, at("10:30"), test_id(DK_SUBJECT_GROUP, "apps"));
    reopened(s, at("11:00"));
    routed(s, at("11:00"), test_id(DK_SUBJECT_GROUP, "lab")); /* S3: before it starts */
    ASSERT_EQ(held_by(s, 1)->started_us, at("09:00"));
    ASSERT_EQ(held_by(s, 1)->ended_us, at("10:00"));
    ASSERT_EQ(held_by(s, 1)->verdict, MET);
    ASSERT_EQ(held_by(s, 2)->started_us, at("11:00"));
    ASSERT_EQ(held_by(s, 2)->verdict, BREACHED);
    ASSERT_EQ(held_by(s, 2)->due_us, at("12:30"));
    ASSERT_TRUE(held_by(s, 3) == NULL);
}

/* UC: back and away again at one instant are two clocks; the ticket's closing ends none of them. */
static void test_supplier_returned_and_handed_at_once(void **state)
{
    struct story *s = *state;
    Docket__PolicyDefined *policy = new_policy("partners", DOCKET__POLICY_TYPE__POLICY_UC, 1);
    Docket__SupplierHanded handed = DOCKET__SUPPLIER_HANDED__INIT;
    Docket__SupplierReturned returned = DOCKET__SUPPLIER_RETURNED__INIT;
    handed.supplier = returned.supplier = test_id(DK_SUBJECT_SUPPLIER, "carrier");
    add_goal(policy, SUPPLIER, ANY, 2 * DK_HOUR_US);
    has_policy(s, policy, LONG_AGO);
    opened(s, at("08:00"), NORMAL);
    happens(s, at("09:00"), DK_KIND_SUPPLIER_HANDED, &handed);
    happens(s, at("11:00"), DK_KIND_SUPPLIER_HANDED, &handed);
    happens(s, at("11:00"), DK_KIND_SUPPLIER_RETURNED, &returned);
    solved(s, at("12:00"));
    const struct dk_clock *clock = clock_until(s, at("13:30"), SUPPLIER, 1);
    ASSERT_EQ(clock->verdict, MET); /* at its due (S2) */
    clock = clock_until(s, at("13:30"), SUPPLIER, 2);
    ASSERT_EQ(clock->started_us, at("11:00"));
    ASSERT_EQ(clock->due_us, at("13:00"));
    ASSERT_EQ(clock->verdict, BREACHED);
}

/* A message that left the ticket solved (its source says so) waits from the reopening on. */
static void test_next_reply_from_a_reopening(void **state)
{
    struct story *s = *state;
    Docket__MessagePublic wrote = DOCKET__MESSAGE_PUBLIC__INIT;
    wrote.direction = DOCKET__DIRECTION__DIRECTION_INBOUND;
    has_policy(s, promised(NEXT_REPLY, 3 * DK_HOUR_US, 0), LONG_AGO);
    opened(s, at("08:00"), NORMAL);
    agent_replies(s, at("08:30"));
    solved(s, at("09:00"));
    happens_by(s, at("10:00"), DK_KIND_MESSAGE_PUBLIC, &wrote, ACT_IMPORTER,
               DOCKET__EVENT_FLAG__FLAG_IMPORTED);
    reopened(s, at("11:00"));
    const struct dk_clock *clock = clock_until(s, at("12:00"), NEXT_REPLY, 1);
    ASSERT_TRUE(clock != NULL);
    ASSERT_EQ(clock->due_us, at("14:00"));
    /* The same when one that waited was cancelled by a closing. */
    solved(s, at("12:00"));
    status(s, at("12:30"), DOCKET__STATUS__STATUS_CLOSED);
    reopened(s, at("15:00"));
    ASSERT_EQ(clock_until(s, at("16:00"), NEXT_REPLY, 1)->verdict, CANCELLED);
    ASSERT_EQ(clock_until(s, at("16:00"), NEXT_REPLY, 2)->due_us, at("18:00"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_T2_gap_with_a_pause, setup, teardown),
        cmocka_unit_test_setup_teardown(test_T2_fold_up_to_closing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S2_nothing_left_at_the_resume, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S12_offset_in_business_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S1_other_hours_from_an_instant_on, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S3_at_one_instant, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S9_ownership_over_a_reopening, setup, teardown),
        cmocka_unit_test_setup_teardown(test_supplier_returned_and_handed_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_next_reply_from_a_reopening, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
