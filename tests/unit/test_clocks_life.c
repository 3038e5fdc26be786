/* How clocks begin, pause and end on a ticket, rule by rule of DOMAIN; and what comes late. */
#include "tests/lib/assert.h"
#include "tests/unit/clocks_fixture.h"

/* ---------------------------------------------------------------- replies */

/* S8: silent before the first reply; the customer's silence is never charged. */
static void test_S8_next_reply_and_update(void **state)
{
    struct story *s = *state;
    Docket__PolicyDefined *policy = promised(NEXT_REPLY, DK_HOUR_US, 0);
    add_goal(policy, UPDATE, ANY, 4 * DK_HOUR_US);
    has_policy(s, policy, LONG_AGO);
    opened(s, at("09:00"), NORMAL);
    customer_writes(s, at("09:10"));
    ASSERT_EQ((clock_until(s, at("09:30"), NEXT_REPLY, 1), s->clocks.count), 0);
    agent_replies(s, at("10:00"));
    ASSERT_TRUE(clock_until(s, at("10:30"), NEXT_REPLY, 1) == NULL);
    pending(s, at("11:00"), CUSTOMER);
    ASSERT_EQ(clock_until(s, LATER, UPDATE, 1)->verdict, PAUSED);
    customer_writes(s, at("15:00")); /* the oldest unanswered one counts */
    customer_writes(s, at("15:30"));
    const struct dk_clock *next = clock_until(s, at("15:40"), NEXT_REPLY, 1);
    ASSERT_EQ(next->started_us, at("15:00"));
    ASSERT_EQ(next->due_us, at("16:00"));
    ASSERT_EQ(clock_until(s, at("15:40"), UPDATE, 1)->due_us, at("18:00"));
    agent_replies(s, at("15:50"));
    ASSERT_EQ(clock_until(s, at("16:00"), NEXT_REPLY, 1)->verdict, MET);
    ASSERT_EQ(clock_until(s, at("16:00"), UPDATE, 1)->elapsed_us, 110 * DK_MINUTE_US);
    ASSERT_EQ(clock_until(s, at("16:00"), UPDATE, 2)->due_us, at("19:50"));
    solved(s, at("17:00"));
    ASSERT_EQ(clock_until(s, LATER, UPDATE, 2)->verdict, MET);
    ASSERT_EQ(s->clocks.count, 3);
}

/* The table of metrics: an agent's own ticket waits for the first customer's message; automatic
 * messages and notes are no replies. */
static void test_first_reply(void **state)
{
    struct story *s = *state;
    Docket__Opened body = DOCKET__OPENED__INIT;
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;
    Docket__MessagePublic automatic = DOCKET__MESSAGE_PUBLIC__INIT;
    has_policy(s, promised(FIRST_REPLY, DK_HOUR_US, 0), LONG_AGO);
    happens(s, at("08:00"), DK_KIND_OPENED, &body);
    happens(s, at("08:10"), DK_KIND_NOTE_ADDED, &note);
    ASSERT_TRUE(clock_until(s, LATER, FIRST_REPLY, 1) == NULL);
    customer_writes(s, at("10:00"));
    customer_writes(s, at("10:02")); /* the first one counts */
    automatic.direction = DOCKET__DIRECTION__DIRECTION_OUTBOUND;
    automatic.has_automatic = automatic.automatic = 1;
    happens(s, at("10:01"), DK_KIND_MESSAGE_PUBLIC, &automatic);
    const struct dk_clock *clock = clock_until(s, at("10:05"), FIRST_REPLY, 1);
    ASSERT_EQ(clock->started_us, at("10:00"));
    ASSERT_EQ(clock->verdict, RUNNING);
    agent_replies(s, at("10:20"));
    customer_writes(s, at("10:30"));
    ASSERT_EQ(clock_until(s, LATER, FIRST_REPLY, 1)->elapsed_us, 20 * DK_MINUTE_US);
    ASSERT_EQ(s->clocks.count, 1);
}

/* Who takes a customer's call is asked at once. */
static void test_first_reply_on_the_phone(void **state)
{
    struct story *s = *state;
    Docket__Opened body = DOCKET__OPENED__INIT;
    body.has_channel = 1;
    body.channel = DOCKET__CHANNEL__CHANNEL_PHONE;
    has_policy(s, promised(FIRST_REPLY, DK_HOUR_US, 0), LONG_AGO);
    happens(s, at("08:00"), DK_KIND_OPENED, &body);
    ASSERT_EQ(clock_until(s, at("08:00"), FIRST_REPLY, 1)->due_us, at("09:00"));
}

/* ---------------------------------------------------------------- ends and pauses */

/* S9: reopened, first reply never restarts, resolution resumes; first and last solve are kept. */
static void test_S9_reopen(void **state)
{
    struct story *s = *state;
    Docket__PolicyDefined *policy = promised(RESOLUTION, 4 * DK_HOUR_US, 0);
    add_goal(policy, FIRST_REPLY, ANY, 4 * DK_HOUR_US);
    has_policy(s, policy, LONG_AGO);
    opened(s, at("08:00"), NORMAL);
    agent_replies(s, at("08:30"));
    solved(s, at("09:00"));
    ASSERT_EQ(clock_until(s, at("12:00"), RESOLUTION, 1)->verdict, MET);
    customer_writes(s, at("15:00")); /* opens it again */
    const struct dk_clock *clock = clock_until(s, at("15:30"), RESOLUTION, 1);
    ASSERT_EQ(clock->verdict, RUNNING);
    ASSERT_EQ(clock->due_us, at("18:00"));
    ASSERT_EQ(clock->ended_us, 0);
    solved(s, at("16:00"));
    clock = clock_until(s, LATER, RESOLUTION, 1);
    ASSERT_EQ(clock->verdict, MET);
    ASSERT_EQ(clock->elapsed_us, 2 * DK_HOUR_US);
    ASSERT_EQ(clock->first_met_us, at("09:00"));
    ASSERT_EQ(clock->last_met_us, at("16:00"));
    ASSERT_EQ(clock->resumed, 1);
    ASSERT_TRUE(clock_until(s, LATER, FIRST_REPLY, 2) == NULL);
}

/* A solved ticket owes no reply until it is reopened; a closed one never. */
static void test_replies_of_solved_tickets(void **state)
{
    struct story *s = *state;
    has_policy(s, promised(FIRST_REPLY, 2 * DK_HOUR_US, 0), LONG_AGO);
    opened(s, at("08:00"), NORMAL);
    solved(s, at("09:00"));
    ASSERT_EQ(clock_until(s, LATER, FIRST_REPLY, 1)->verdict, PAUSED);
    reopened(s, at("12:00"));
    ASSERT_EQ(clock_until(s, at("12:30"), FIRST_REPLY, 1)->due_us, at("13:00"));
    solved(s, at("12:40"));
    status(s, at("14:00"), DOCKET__STATUS__STATUS_CLOSED);
    const struct dk_clock *clock = clock_until(s, LATER, FIRST_REPLY, 1);
    ASSERT_EQ(clock->verdict, CANCELLED);
    ASSERT_EQ(clock->cancel_cause, DOCKET__CANCEL_CAUSE__CANCEL_CLOSED);
}

/* S10: a merge cancels the source's clocks, but for those that are breached. */
static void test_S10_merge_cancels(void **state)
{
    struct story *s = *state;
    Docket__MergedInto body = DOCKET__MERGED_INTO__INIT;
    Docket__PolicyDefined *policy = promised(RESOLUTION, 8 * DK_HOUR_US, 0);
    add_goal(policy, FIRST_REPLY, ANY, DK_HOUR_US);
    has_policy(s, policy, LONG_AGO);
    opened(s, at("08:00"), NORMAL);
    body.target = dk_ticket_make(1, 2);
    happens(s, at("10:00"), DK_KIND_MERGED_INTO, &body);
    ASSERT_EQ(clock_until(s, LATER, RESOLUTION, 1)->verdict, CANCELLED);
    ASSERT_EQ(s->clocks.clock[1].cancel_cause, DOCKET__CANCEL_CAUSE__CANCEL_MERGED);
    ASSERT_EQ(clock_until(s, LATER, FIRST_REPLY, 1)->verdict, BREACHED);
}

/* Merged is final: what happened after a merge that was recorded late wakes no clock. */
static void test_S10_merge_is_final(void **state)
{
    struct story *s = *state;
    Docket__MergedInto merged = DOCKET__MERGED_INTO__INIT;
    Docket__SupplierHanded handed = DOCKET__SUPPLIER_HANDED__INIT;
    Docket__PolicyDefined *policy = promised(RESOLUTION, 8 * DK_HOUR_US, 0);
    add_goal(policy, SUPPLIER, ANY, DK_HOUR_US);
    has_policy(s, policy, LONG_AGO);
    opened(s, at("08:00"), NORMAL);
    pending(s, at("10:00"), CUSTOMER);
    happens(s, at("10:30"), DK_KIND_SUPPLIER_HANDED, &handed);
    solved(s, at("11:00"));
    customer_writes(s, at("12:00"));
    ASSERT_EQ(clock_until(s, at("12:30"), RESOLUTION, 1)->verdict, RUNNING);
    happens(s, at("09:00"), DK_KIND_MERGED_INTO, &merged);
    ASSERT_EQ(clock_until(s, LATER, RESOLUTION, 1)->verdict, CANCELLED);
    ASSERT_EQ(s->clocks.count, 1);
}

/* S10: the target's next reply counts from the older unanswered message. */
static void test_S10_older_message_counts(void **state)
{
    static const struct {
        const char *own;   /* the target's own unanswered message, or NULL */
        const char *moved; /* the source's */
        const char *start;
    } cases[] = {
        {"11:00", "10:00", "10:00"}, {"11:00", "11:30", "11:00"}, {NULL, "09:30", "09:30"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story s;
        Docket__MergedFrom body = DOCKET__MERGED_FROM__INIT;
        story_begin(&s);
        has_policy(&s, promised(NEXT_REPLY, 4 * DK_HOUR_US, 0), LONG_AGO);
        opened(&s, at("08:00"), NORMAL);
        agent_replies(&s, at("09:00"));
        if (cases[i].own != NULL)
            customer_writes(&s, at(cases[i].own));
        body.source_ticket = dk_ticket_make(1, 2);
        body.has_unanswered_since_us = 1;
        body.unanswered_since_us = at(cases[i].moved);
        happens(&s, at("12:00"), DK_KIND_MERGED_FROM, &body);
        const struct dk_clock *clock = clock_until(&s, at("12:30"), NEXT_REPLY, 1);
        ASSERT_EQ(clock->started_us, at(cases[i].start));
        ASSERT_EQ(clock->due_us, at(cases[i].start) + 4 * DK_HOUR_US);
        ASSERT_EQ(clock->elapsed_us, at("12:30") - at(cases[i].start));
        ASSERT_EQ(s.clocks.count, 1);
        story_end(&s);
    }
}

/* S11: a customer's message ends a pause for the customer, at its `occurred`; no other pause. */
static void test_S11_message_ends_the_pause(void **state)
{
    struct story *s = *state;
    Docket__PolicyDefined *policy = promised(RESOLUTION, 8 * DK_HOUR_US, 0);
    add_pause(policy, CUSTOMER);
    add_pause(policy, DOCKET__PENDING__PENDING_SUPPLIER);
    has_policy(s, policy, LONG_AGO);
    opened(s, at("08:00"), NORMAL);
    pending(s, at("09:00"), CUSTOMER);
    pending(s, at("13:00"), DOCKET__PENDING__PENDING_SUPPLIER);
    customer_writes(s, at("14:00"));
    ASSERT_EQ(clock_until(s, at("15:00"), RESOLUTION, 1)->verdict, PAUSED);
    customer_writes(s, at("11:00")); /* it was in a mailbox that nobody had read */
    const struct dk_clock *clock = clock_until(s, at("15:00"), RESOLUTION, 1);
    ASSERT_EQ(clock->verdict, PAUSED);
    ASSERT_EQ(clock->elapsed_us, 3 * DK_HOUR_US); /* 8-9 and 11-13 */
}

/* S11: a pause for a customer who wrote last, or was asked nothing, is told apart. */
static void test_S11_illegitimate_pause(void **state)
{
    static const struct {
        bool asks, answers, illegitimate;
    } cases[] = {{true, false, false}, {true, true, true}, {false, false, true}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story s;
        story_begin(&s);
        Docket__PolicyDefined *policy = promised(RESOLUTION, 8 * DK_HOUR_US, 0);
        add_pause(policy, CUSTOMER);
        has_policy(&s, policy, LONG_AGO);
        opened(&s, at("08:00"), NORMAL);
        if (cases[i].asks)
            agent_asks(&s, at("08:30"));
        else
            agent_replies(&s, at("08:30"));
        if (cases[i].answers)
            customer_writes(&s, at("08:40"));
        pending(&s, at("09:00"), CUSTOMER);
        ASSERT_EQ(clock_until(&s, at("10:00"), RESOLUTION, 1)->verdict, PAUSED);
        ASSERT_EQ(s.clocks.segment_count, 2);
        ASSERT_EQ(s.clocks.segment[1].why, DK_SEGMENT_CUSTOMER);
        ASSERT_EQ(s.clocks.segment[1].illegitimate, cases[i].illegitimate);
        story_end(&s);
    }
}

/* ---------------------------------------------------------------- other metrics */

/* Which of new, open, pending and solved each counts: an hour in each. */
static void test_what_counts_in_which_status(void **state)
{
    static const struct {
        Docket__Metric metric;
        int64_t hours;
        Docket__Verdict verdict;
    } cases[] = {{WAIT, 4, MET}, {WORK, 2, MET}, {RESOLUTION, 4, MET}};
    struct story *s = *state;
    Docket__PolicyDefined *policy = promised(WAIT, 20 * DK_HOUR_US, 0);
    add_goal(policy, WORK, ANY, 20 * DK_HOUR_US);
    add_goal(policy, RESOLUTION, ANY, 20 * DK_HOUR_US);
    add_pause(policy, DOCKET__PENDING__PENDING_SUPPLIER);
    has_policy(s, policy, LONG_AGO);
    opened(s, at("08:00"), NORMAL);
    status(s, at("09:00"), DOCKET__STATUS__STATUS_OPEN);
    pending(s, at("10:00"), DOCKET__PENDING__PENDING_INTERNAL);
    pending(s, at("11:00"), DOCKET__PENDING__PENDING_SUPPLIER);
    pending(s, at("12:00"), CUSTOMER);
    solved(s, at("13:00"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct dk_clock *clock = clock_until(s, LATER, cases[i].metric, 1);
        ASSERT_EQ(clock->elapsed_us, cases[i].hours * DK_HOUR_US);
        ASSERT_EQ(clock->verdict, cases[i].verdict);
    }
}

/* OLA: a clock for each stay in a group; a reopen starts a new one. */
static void test_group_ownership(void **state)
{
    struct story *s = *state;
    uint64_t desk = test_id(DK_SUBJECT_GROUP, "desk"), net = test_id(DK_SUBJECT_GROUP, "net");
    Docket__PolicyDefined *policy = new_policy("hold", DOCKET__POLICY_TYPE__POLICY_OLA, 1);
    Docket__Condition *of_net = add_condition(policy, DOCKET__CONDITION_FIELD__CONDITION_GROUP);
    of_net->id[of_net->n_id++] = net;
    add_goal(policy, GROUP, ANY, DK_HOUR_US);
    has_policy(s, policy, LONG_AGO);
    Docket__PolicyDefined *others = new_policy("others", DOCKET__POLICY_TYPE__POLICY_OLA, 2);
    add_goal(others, GROUP, ANY, 4 * DK_HOUR_US);
    has_policy(s, others, LONG_AGO);
    opened(s, at("08:00"), NORMAL);
    ASSERT_TRUE(clock_until(s, at("08:30"), GROUP, 1) == NULL);
    routed(s, at("09:00"), desk);
    routed(s, at("09:10"), desk); /* stays */
    routed(s, at("10:00"), net);
    ASSERT_EQ(clock_until(s, at("10:30"), GROUP, 1)->verdict, MET);
    ASSERT_EQ(clock_until(s, at("10:30"), GROUP, 1)->elapsed_us, DK_HOUR_US);
    ASSERT_EQ(clock_until(s, at("10:30"), GROUP, 2)->target_us, DK_HOUR_US);
    solved(s, at("12:00"));
    ASSERT_EQ(clock_until(s, at("12:30"), GROUP, 2)->verdict, BREACHED);
    reopened(s, at("13:00"));
    ASSERT_EQ(clock_until(s, at("13:30"), GROUP, 3)->due_us, at("14:00"));
}

/* UC: from handing to the return, by the policy for this supplier. */
static void test_supplier(void **state)
{
    struct story *s = *state;
    Docket__SupplierHanded handed = DOCKET__SUPPLIER_HANDED__INIT;
    Docket__SupplierReturned returned = DOCKET__SUPPLIER_RETURNED__INIT;
    Docket__PolicyDefined *policy = new_policy("carrier", DOCKET__POLICY_TYPE__POLICY_UC, 1);
    Docket__Condition *of = add_condition(policy, DOCKET__CONDITION_FIELD__CONDITION_SUPPLIER);
    of->id[of->n_id++] = test_id(DK_SUBJECT_SUPPLIER, "northlink");
    add_goal(policy, SUPPLIER, ANY, 2 * DK_HOUR_US);
    has_policy(s, policy, LONG_AGO);
    handed.supplier = returned.supplier = test_id(DK_SUBJECT_SUPPLIER, "northlink");
    opened(s, at("08:00"), NORMAL);
    happens(s, at("09:00"), DK_KIND_SUPPLIER_HANDED, &handed);
    pending(s, at("09:00"), DOCKET__PENDING__PENDING_SUPPLIER);
    ASSERT_EQ(clock_until(s, at("10:00"), SUPPLIER, 1)->due_us, at("11:00"));
    happens(s, at("10:30"), DK_KIND_SUPPLIER_RETURNED, &returned);
    ASSERT_EQ(clock_until(s, LATER, SUPPLIER, 1)->verdict, MET);
    happens(s, at("12:00"), DK_KIND_SUPPLIER_HANDED, &handed);
    ASSERT_EQ(clock_until(s, LATER, SUPPLIER, 2)->verdict, BREACHED);
}

/* ---------------------------------------------------------------- warnings */

/* S12: at their share of the target, in business time; each once, whatever the pauses. */
static void test_S12_warnings(void **state)
{
    struct story *s = *state;
    uint64_t office = has_calendar(s, "office", "UTC", 9, 17, LONG_AGO);
    Docket__PolicyDefined *policy = promised(RESOLUTION, 10 * DK_HOUR_US, office);
    add_warning(policy, 90); /* in any order, and even twice */
    add_warning(policy, 50);
    add_warning(policy, 75);
    add_warning(policy, 50);
    add_pause(policy, CUSTOMER);
    has_policy(s, policy, LONG_AGO);
    opened(s, at("12:00"), NORMAL); /* five hours to closing time: half of the target */
    const struct dk_clock *clock = clock_until(s, at("13:00"), RESOLUTION, 1);
    ASSERT_EQ(clock->warning_count, 3);
    ASSERT_EQ(clock->warning[0].level, 50);
    ASSERT_EQ(clock->warning[0].due_us, at("17:00"));
    ASSERT_EQ(clock->warning[1].due_us, at("2026-03-03T11:30:00Z"));
    ASSERT_EQ(clock->warning[2].due_us, at("2026-03-03T13:00:00Z"));
    ASSERT_EQ(clock->due_us, at("2026-03-03T14:00:00Z"));
    pending(s, at("2026-03-03T09:30:00Z"), CUSTOMER);
    clock = clock_until(s, LATER, RESOLUTION, 1);
    ASSERT_EQ(clock->warning[0].due_us, at("17:00"));
    ASSERT_EQ(clock->warning[1].due_us, INT64_MAX);
    customer_writes(s, at("2026-03-03T15:30:00Z"));
    clock = clock_until(s, at("2026-03-03T15:30:00Z"), RESOLUTION, 1);
    ASSERT_EQ(clock->warning[0].due_us, at("17:00"));
    ASSERT_EQ(clock->warning[1].due_us, at("2026-03-04T09:30:00Z"));
    /* Once it is solved nothing is about to happen. */
    solved(s, at("2026-03-03T16:00:00Z"));
    ASSERT_EQ(clock_until(s, LATER, RESOLUTION, 1)->warning[1].due_us, INT64_MAX);
}

/* S12 with S6: a level that a shorter target has passed already warns at the change. */
static void test_S12_warnings_after_a_change(void **state)
{
    struct story *s = *state;
    Docket__PolicyDefined *policy = promised(RESOLUTION, 4 * DK_HOUR_US, 0);
    add_goal(policy, RESOLUTION, HIGH, 2 * DK_HOUR_US);
    add_warning(policy, 20);
    add_warning(policy, 50);
    has_policy(s, policy, LONG_AGO);
    opened(s, at("10:00"), NORMAL);
    reprioritized(s, at("11:30"), HIGH);
    const struct dk_clock *clock = clock_until(s, at("11:30"), RESOLUTION, 1);
    ASSERT_EQ(clock->warning[0].due_us, at("10:48"));
    ASSERT_EQ(clock->warning[1].due_us, at("11:30"));
}

/* ---------------------------------------------------------------- late, and from elsewhere */

/* T1: metrics use `occurred`: an offline desk's reply makes a breach a met one. */
static void test_T1_late_reply(void **state)
{
    struct story *s = *state;
    has_policy(s, promised(FIRST_REPLY, 2 * DK_HOUR_US, 0), LONG_AGO);
    opened(s, at("10:00"), NORMAL);
    customer_writes(s, at("13:00"));
    ASSERT_EQ(clock_until(s, at("14:00"), FIRST_REPLY, 1)->verdict, BREACHED);
    agent_replies(s, at("11:30"));
    const struct dk_clock *clock = clock_until(s, at("14:00"), FIRST_REPLY, 1);
    ASSERT_EQ(clock->verdict, MET);
    ASSERT_EQ(clock->ended_us, at("11:30"));
    ASSERT_EQ(clock->cause, s->position);
}

/* T1: what is said to have happened before the opening counts from the opening on. */
static void test_T1_before_the_opening(void **state)
{
    struct story *s = *state;
    Docket__PolicyDefined *policy = promised(RESOLUTION, 2 * DK_HOUR_US, 0);
    add_goal(policy, RESOLUTION, HIGH, DK_HOUR_US);
    has_policy(s, policy, LONG_AGO);
    opened(s, at("10:00"), NORMAL);
    reprioritized(s, at("09:00"), HIGH);
    const struct dk_clock *clock = clock_until(s, at("10:00"), RESOLUTION, 1);
    ASSERT_EQ(clock->started_us, at("10:00"));
    ASSERT_EQ(clock->due_us, at("11:00"));
}

/* T1: a historical ticket's clocks are computed, and nothing is owed for it; from its adoption on
 * it is live, by the policies of that day. */
static void test_T1_historical_and_adopted(void **state)
{
    struct story *s = *state;
    Docket__Opened body = DOCKET__OPENED__INIT;
    Docket__Adopted adopted = DOCKET__ADOPTED__INIT;
    Docket__PolicyDefined *first = promised(FIRST_REPLY, DK_HOUR_US, 0);
    has_policy(s, first, LONG_AGO);
    Docket__PolicyDefined *second = promised(FIRST_REPLY, DK_HOUR_US, 0);
    add_goal(second, RESOLUTION, NORMAL, 8 * DK_HOUR_US);
    has_policy(s, second, at("12:00"));
    happens_by(s, at("08:00"), DK_KIND_OPENED, &body, ACT_IMPORTER,
               DOCKET__EVENT_FLAG__FLAG_IMPORTED);
    ASSERT_EQ(clock_until(s, at("13:00"), FIRST_REPLY, 1)->verdict, BREACHED);
    ASSERT_EQ(s->clocks.live_from_us, INT64_MAX);
    ASSERT_EQ(s->clocks.count, 1);
    happens_by(s, at("14:00"), DK_KIND_ADOPTED, &adopted, ACT_IMPORTER, 0);
    const struct dk_clock *clock = clock_until(s, at("14:00"), RESOLUTION, 1);
    ASSERT_EQ(s->clocks.live_from_us, at("14:00"));
    ASSERT_EQ(clock->started_us, at("14:00"));
    ASSERT_EQ(clock->due_us, at("22:00"));
    ASSERT_EQ(clock->priority, NORMAL); /* as adoption gives it */
    ASSERT_EQ(clock_until(s, at("14:00"), FIRST_REPLY, 1)->due_us, at("09:00"));
}

/* An imported message wakes nothing: the source says in events of its own what became of it. */
static void test_imported_messages_wake_nothing(void **state)
{
    struct story *s = *state;
    Docket__MessagePublic body = DOCKET__MESSAGE_PUBLIC__INIT;
    has_policy(s, promised(RESOLUTION, 8 * DK_HOUR_US, 0), LONG_AGO);
    opened(s, at("08:00"), NORMAL);
    solved(s, at("09:00"));
    body.direction = DOCKET__DIRECTION__DIRECTION_INBOUND;
    happens_by(s, at("10:00"), DK_KIND_MESSAGE_PUBLIC, &body, ACT_IMPORTER,
               DOCKET__EVENT_FLAG__FLAG_IMPORTED);
    ASSERT_EQ(clock_until(s, LATER, RESOLUTION, 1)->verdict, MET);
}

static void test_without_an_opening_there_are_none(void **state)
{
    struct story *s = *state;
    has_policy(s, promised(RESOLUTION, 8 * DK_HOUR_US, 0), LONG_AGO);
    solved(s, at("09:00"));
    ASSERT_TRUE(clock_until(s, LATER, RESOLUTION, 1) == NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_S8_next_reply_and_update, setup, teardown),
        cmocka_unit_test_setup_teardown(test_first_reply, setup, teardown),
        cmocka_unit_test_setup_teardown(test_first_reply_on_the_phone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S9_reopen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_replies_of_solved_tickets, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S10_merge_cancels, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S10_merge_is_final, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S10_older_message_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S11_message_ends_the_pause, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S11_illegitimate_pause, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_counts_in_which_status, setup, teardown),
        cmocka_unit_test_setup_teardown(test_group_ownership, setup, teardown),
        cmocka_unit_test_setup_teardown(test_supplier, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S12_warnings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S12_warnings_after_a_change, setup, teardown),
        cmocka_unit_test_setup_teardown(test_T1_late_reply, setup, teardown),
        cmocka_unit_test_setup_teardown(test_T1_before_the_opening, setup, teardown),
        cmocka_unit_test_setup_teardown(test_T1_historical_and_adopted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_imported_messages_wake_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_an_opening_there_are_none, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
