/* S7: what is published to open tickets, and what to new ones only, case by case; and what a
 * promise rests on (S5). */
#include "tests/lib/assert.h"
#include "tests/lib/bodies.h"
#include "tests/unit/clocks_fixture.h"

#define OPEN_TOO DOCKET__PUBLICATION__PUBLISH_OPEN
#define NEW_ONLY DOCKET__PUBLICATION__PUBLISH_NEW

static void publish(struct story *story, Docket__PolicyDefined *policy, Docket__Publication to,
                    int64_t effective_us)
{
    policy->has_publish = 1;
    policy->publish = to;
    has_policy(story, policy, effective_us);
}

static void publish_hours(struct story *story, uint32_t from_h, uint32_t to_h,
                          Docket__Publication to, int64_t effective_us)
{
    Docket__CalendarDefined *body = test_hours("office", "UTC", 5, from_h, to_h);
    body->definition->has_effective_us = body->has_publish = 1;
    body->definition->effective_us = effective_us;
    body->publish = to;
    test_define(story->refs, ++story->position, effective_us, DK_KIND_CALENDAR_DEFINED, body);
}

/* Of tickets opened at 10:00 with 3 h to go, of which one hour is over at the publication of a
 * target of 2 h at 11:00. */
static void test_S7_policy(void **state)
{
    static const struct {
        Docket__Publication to;
        Docket__ChangeMode mode;
        const char *opened, *published, *due; /* as of 12:30 */
        uint32_t version;
    } cases[] = {
        {OPEN_TOO, DOCKET__CHANGE_MODE__CHANGE_CARRY, "10:00", "11:00", "12:00", 2},
        {OPEN_TOO, DOCKET__CHANGE_MODE__CHANGE_RESET, "10:00", "11:00", "13:00", 2},
        {OPEN_TOO, DOCKET__CHANGE_MODE__CHANGE_RETROACTIVE, "10:00", "11:00", "12:00", 2},
        {NEW_ONLY, DOCKET__CHANGE_MODE__CHANGE_CARRY, "10:00", "11:00", "13:00", 1},
        {NEW_ONLY, DOCKET__CHANGE_MODE__CHANGE_CARRY, "11:00", "11:00", "13:00", 2},
        {NEW_ONLY, DOCKET__CHANGE_MODE__CHANGE_CARRY, "11:30", "11:00", "13:30", 2},
        {OPEN_TOO, DOCKET__CHANGE_MODE__CHANGE_CARRY, "11:30", "11:00", "13:30", 2},
        {OPEN_TOO, DOCKET__CHANGE_MODE__CHANGE_CARRY, "10:00", "12:45", "13:00", 1}, /* to come */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story s;
        Docket__PolicyDefined *shorter = promised(RESOLUTION, 2 * DK_HOUR_US, 0);
        story_begin(&s);
        has_policy(&s, promised(RESOLUTION, 3 * DK_HOUR_US, 0), LONG_AGO);
        shorter->has_on_change = 1;
        shorter->on_change = cases[i].mode;
        publish(&s, shorter, cases[i].to, at(cases[i].published));
        opened(&s, at(cases[i].opened), NORMAL);
        const struct dk_clock *clock = clock_until(&s, at("12:30"), RESOLUTION, 1);
        ASSERT_EQ(clock->due_us, at(cases[i].due));
        ASSERT_EQ(clock->policy_version, cases[i].version);
        ASSERT_EQ(clock->elapsed_us, at("12:30") - at(cases[i].opened));
        ASSERT_EQ(s.clocks.count, 1);
        story_end(&s);
    }
}

/* What happened before is judged by what was in force before, and no breach is taken back. */
static void test_S7_a_past_breach_stays(void **state)
{
    struct story *s = *state;
    has_policy(s, promised(RESOLUTION, DK_HOUR_US, 0), LONG_AGO);
    publish(s, promised(RESOLUTION, 9 * DK_HOUR_US, 0), OPEN_TOO, at("11:30"));
    opened(s, at("10:00"), NORMAL);
    const struct dk_clock *clock = clock_until(s, LATER, RESOLUTION, 1);
    ASSERT_EQ(clock->verdict, BREACHED);
    ASSERT_EQ(clock->due_us, at("11:00"));
    ASSERT_EQ(clock->policy_version, 1);
}

/* S6: nothing is left by the new policy: it breaks at the publication, by the change. */
static void test_S7_breach_by_publication(void **state)
{
    struct story *s = *state;
    has_policy(s, promised(RESOLUTION, 3 * DK_HOUR_US, 0), LONG_AGO);
    publish(s, promised(RESOLUTION, DK_HOUR_US, 0), OPEN_TOO, at("11:30"));
    opened(s, at("10:00"), NORMAL);
    const struct dk_clock *clock = clock_until(s, at("11:30"), RESOLUTION, 1);
    ASSERT_EQ(clock->verdict, BREACHED);
    ASSERT_EQ(clock->due_us, at("11:30"));
    ASSERT_EQ(clock->breach_cause, DOCKET__BREACH_CAUSE__BREACH_POLICY_CHANGE);
    ASSERT_EQ(clock_until(s, at("11:30") - 1, RESOLUTION, 1)->verdict, RUNNING);
}

/* At the instant of the publication: what ends then is judged by what was in force before (S3). */
static void test_S7_fulfilled_at_the_publication(void **state)
{
    struct story *s = *state;
    has_policy(s, promised(RESOLUTION, 3 * DK_HOUR_US, 0), LONG_AGO);
    publish(s, promised(RESOLUTION, DK_HOUR_US, 0), OPEN_TOO, at("11:30"));
    opened(s, at("10:00"), NORMAL);
    solved(s, at("11:30"));
    const struct dk_clock *clock = clock_until(s, LATER, RESOLUTION, 1);
    ASSERT_EQ(clock->verdict, MET);
    ASSERT_EQ(clock->due_us, at("13:00"));
}

/* A metric that is promised from then on has a clock from then on; one that is not, none. */
static void test_S7_promises_come_and_go(void **state)
{
    struct story *s = *state;
    Docket__PolicyDefined *other = promised(WORK, DK_HOUR_US, 0);
    has_policy(s, promised(RESOLUTION, 3 * DK_HOUR_US, 0), LONG_AGO);
    publish(s, other, OPEN_TOO, at("11:00"));
    opened(s, at("10:00"), NORMAL);
    pending(s, at("10:30"), CUSTOMER);
    const struct dk_clock *clock = clock_until(s, at("11:30"), RESOLUTION, 1);
    ASSERT_EQ(clock->verdict, CANCELLED);
    ASSERT_EQ(clock->cancel_cause, DOCKET__CANCEL_CAUSE__CANCEL_NO_POLICY);
    ASSERT_EQ(clock->ended_us, at("11:00"));
    clock = clock_until(s, at("11:30"), WORK, 1);
    ASSERT_EQ(clock->started_us, at("11:00"));
    ASSERT_EQ(clock->verdict, PAUSED); /* as the ticket is */
}

/* Each policy by itself: what is published of one says nothing of the others' new versions. */
static void test_S7_one_policy_at_a_time(void **state)
{
    struct story *s = *state;
    Docket__PolicyDefined *vip = new_policy("vip", DOCKET__POLICY_TYPE__POLICY_SLA, 1);
    Docket__Condition *high = add_condition(vip, DOCKET__CONDITION_FIELD__CONDITION_PRIORITY);
    high->number[high->n_number++] = HIGH;
    add_goal(vip, RESOLUTION, ANY, 2 * DK_HOUR_US);
    has_policy(s, promised(RESOLUTION, 4 * DK_HOUR_US, 0), LONG_AGO);
    publish(s, promised(RESOLUTION, 3 * DK_HOUR_US, 0), NEW_ONLY, at("10:10"));
    publish(s, vip, OPEN_TOO, at("10:20"));
    publish(s, promised(RESOLUTION, 5 * DK_HOUR_US, 0), NEW_ONLY, at("10:30"));
    opened(s, at("10:00"), NORMAL);
    ASSERT_EQ(clock_until(s, at("10:40"), RESOLUTION, 1)->due_us, at("14:00"));
    reprioritized(s, at("10:45"), HIGH);
    ASSERT_EQ(clock_until(s, at("10:50"), RESOLUTION, 1)->due_us, at("12:00"));
    reprioritized(s, at("10:55"), NORMAL);
    ASSERT_EQ(clock_until(s, at("11:00"), RESOLUTION, 1)->due_us, at("14:00"));
}

/* Opened at 16:00, 4 h to go by 9-17; from the next day on the office works 12-20. */
static void test_S7_calendar(void **state)
{
    static const struct {
        Docket__Publication to;
        const char *due;
        uint32_t version; /* of the last segment */
    } cases[] = {
        {OPEN_TOO, "2026-03-03T15:00:00Z", 2},
        {NEW_ONLY, "2026-03-03T12:00:00Z", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story s;
        story_begin(&s);
        uint64_t office = has_calendar(&s, "office", "UTC", 9, 17, LONG_AGO);
        has_policy(&s, promised(RESOLUTION, 4 * DK_HOUR_US, office), LONG_AGO);
        publish_hours(&s, 12, 20, cases[i].to, at("2026-03-03T00:00:00Z"));
        opened(&s, at("16:00"), NORMAL);
        const struct dk_clock *clock = clock_until(&s, LATER, RESOLUTION, 1);
        ASSERT_EQ(clock->verdict, BREACHED);
        ASSERT_EQ(clock->due_us, at(cases[i].due));
        ASSERT_EQ(s.clocks.segment[s.clocks.segment_count - 1].calendar_version, cases[i].version);
        /* One that is opened then counts by the new one in any case. */
        s.count = 0;
        opened(&s, at("2026-03-03T09:00:00Z"), NORMAL);
        clock = clock_until(&s, at("2026-03-03T12:00:00Z"), RESOLUTION, 1);
        ASSERT_EQ(clock->due_us, at("2026-03-03T16:00:00Z"));
        story_end(&s);
    }
}

/* T1: an adopted ticket goes by the rules of its adoption, its calendar too. */
static void test_S7_adopted(void **state)
{
    struct story *s = *state;
    Docket__Opened body = DOCKET__OPENED__INIT;
    Docket__Adopted adopted = DOCKET__ADOPTED__INIT;
    uint64_t office = has_calendar(s, "office", "UTC", 9, 17, LONG_AGO);
    has_policy(s, promised(RESOLUTION, 16 * DK_HOUR_US, office), LONG_AGO);
    publish_hours(s, 12, 20, NEW_ONLY, at("2026-03-03T00:00:00Z"));
    happens_by(s, at("09:00"), DK_KIND_OPENED, &body, ACT_IMPORTER,
               DOCKET__EVENT_FLAG__FLAG_IMPORTED);
    ASSERT_EQ(clock_until(s, at("12:00"), RESOLUTION, 1)->due_us, at("2026-03-03T17:00:00Z"));
    happens(s, at("2026-03-03T10:00:00Z"), DK_KIND_ADOPTED, &adopted);
    const struct dk_clock *clock = clock_until(s, at("2026-03-03T13:00:00Z"), RESOLUTION, 1);
    ASSERT_EQ(clock->due_us, at("2026-03-03T19:00:00Z")); /* 8 h on Monday, 1 h until 10, 7 h */
    ASSERT_EQ(clock->elapsed_us, 10 * DK_HOUR_US);
}

/* S10: counted since an instant before the opening, by the calendar that held then. */
static void test_S7_counts_before_the_opening(void **state)
{
    struct story *s = *state;
    Docket__MergedFrom merged = DOCKET__MERGED_FROM__INIT;
    uint64_t office = has_calendar(s, "office", "UTC", 9, 17, LONG_AGO);
    publish_hours(s, 9, 10, NEW_ONLY, at("12:00"));
    has_policy(s, promised(NEXT_REPLY, 8 * DK_HOUR_US, office), LONG_AGO);
    opened(s, at("13:00"), NORMAL);
    agent_replies(s, at("13:10"));
    merged.has_unanswered_since_us = 1;
    merged.unanswered_since_us = at("09:00");
    happens(s, at("13:30"), DK_KIND_MERGED_FROM, &merged);
    const struct dk_clock *clock = clock_until(s, at("14:00"), NEXT_REPLY, 1);
    ASSERT_EQ(clock->started_us, at("09:00"));
    ASSERT_EQ(clock->elapsed_us, 3 * DK_HOUR_US); /* until 12, and by the new version no more */
}

static Docket__Publication every_second(int version)
{
    return version % 2 ? OPEN_TOO : NEW_ONLY;
}

/* Defined late is as defined in time; and thousands of versions are no burden. */
static void test_S7_late_and_many_definitions(void **state)
{
    enum { VERSIONS = 4000 };
    (void)state;
    struct story s, late;
    story_begin(&s);
    story_begin(&late);
    opened(&late, at("10:00"), NORMAL);
    opened(&s, at("10:00"), NORMAL);
    for (int i = 0; i < VERSIONS; i++) {
        int number = i * 7 % VERSIONS; /* 7 and 4000 have no common divisor */
        publish(&s, promised(RESOLUTION, DK_DAY_US + i, 0), every_second(i),
                at("10:00") + i * DK_SECOND_US);
        publish(&late, promised(RESOLUTION, DK_DAY_US + number, 0), every_second(number),
                at("10:00") + number * DK_SECOND_US);
        publish_hours(&s, 9, 17, every_second(i), at("10:00") + i * DK_SECOND_US);
    }
    for (int second = 0; second < VERSIONS; second += 499) {
        int64_t at_us = at("10:00") + second * DK_SECOND_US, due_us;
        int open_one = second > 0 ? second - 1 + second % 2 : 0; /* 0 was in force when opened */
        due_us = clock_until(&s, at_us, RESOLUTION, 1)->due_us;
        ASSERT_EQ(due_us, at("10:00") + DK_DAY_US + open_one);
        ASSERT_EQ(clock_until(&late, at_us, RESOLUTION, 1)->due_us, due_us);
    }
    story_end(&s);
    story_end(&late);
}

/* S5: a UC clock rests on the supplier's contract, all others on the company's. */
static void test_S5_contract(void **state)
{
    struct story *s = *state;
    Docket__ContractDefined contract = DOCKET__CONTRACT_DEFINED__INIT;
    Docket__SupplierHanded handed = DOCKET__SUPPLIER_HANDED__INIT;
    Docket__PolicyDefined *uc = new_policy("uc", DOCKET__POLICY_TYPE__POLICY_UC, 1);
    handed.supplier = test_id(DK_SUBJECT_SUPPLIER, "carrier");
    contract.definition = test_definition("lines-2026");
    contract.has_supplier = 1;
    contract.supplier = handed.supplier;
    test_define(s->refs, ++s->position, LONG_AGO, DK_KIND_CONTRACT_DEFINED, &contract);
    contract.definition = test_definition("other");
    contract.supplier = test_id(DK_SUBJECT_SUPPLIER, "other");
    test_define(s->refs, ++s->position, LONG_AGO, DK_KIND_CONTRACT_DEFINED, &contract);
    has_policy(s, promised(RESOLUTION, DK_HOUR_US, 0), LONG_AGO);
    add_goal(uc, SUPPLIER, ANY, DK_HOUR_US);
    has_policy(s, uc, LONG_AGO);
    opened(s, at("10:00"), NORMAL);
    happens(s, at("10:10"), DK_KIND_SUPPLIER_HANDED, &handed);
    ASSERT_EQ(clock_until(s, at("10:20"), SUPPLIER, 1)->contract,
              test_id(DK_SUBJECT_CONTRACT, "lines-2026"));
    ASSERT_EQ(clock_until(s, at("10:20"), RESOLUTION, 1)->contract, 0);
}

static void has_tier(struct story *story, const char *company, const char *tier, int64_t at_us)
{
    Docket__CompanyDefined body = DOCKET__COMPANY_DEFINED__INIT;
    body.definition = test_definition(company);
    body.has_tier = 1;
    body.tier = test_bytes(tier);
    test_define(story->refs, ++story->position, at_us, DK_KIND_COMPANY_DEFINED, &body);
}

static void is_of(struct story *story, const char *company, int64_t at_us)
{
    Docket__CustomerDefined body = DOCKET__CUSTOMER_DEFINED__INIT;
    body.definition = test_definition("carl");
    body.has_company = 1;
    body.company = test_id(DK_SUBJECT_COMPANY, company);
    test_define(story->refs, ++story->position, at_us, DK_KIND_CUSTOMER_DEFINED, &body);
}

static void asked_by_carl(struct story *story, int64_t at_us)
{
    Docket__Opened body = DOCKET__OPENED__INIT;
    body.has_customer = 1;
    body.customer = test_id(DK_SUBJECT_CUSTOMER, "carl");
    happens_by(story, at_us, DK_KIND_OPENED, &body, ACT_CUSTOMER, 0);
}

/* S5 to S7: who is promised 2 h, as gold, or 3 h. Carl's company becomes gold, or Carl goes to one
 * that is, at 11:00: that by itself touches no clock. It counts for what begins then, and from when
 * on the ticket changes, or a policy is published to it; nothing but a change does it. */
static void test_S5_a_tier_that_changes_touches_no_ticket(void **state)
{
    enum { NOTHING, WRITES, PAUSES, CHANGES, PUBLISHED };
    static const struct {
        const char *tier, *moves, *opened; /* when the company is gold, when Carl goes to another */
        int then;                          /* at 11:30 */
        const char *due;
    } cases[] = {
        {"11:00", NULL, "10:00", NOTHING, "13:00"},   {NULL, "11:00", "10:00", NOTHING, "13:00"},
        {"11:00", NULL, "10:00", WRITES, "13:00"},    {NULL, "11:00", "10:00", WRITES, "13:00"},
        {"11:00", NULL, "10:00", PAUSES, "13:00"},    {NULL, "11:00", "10:00", PAUSES, "13:00"},
        {"11:00", NULL, "10:00", CHANGES, "12:00"},   {NULL, "11:00", "10:00", CHANGES, "12:00"},
        {"11:00", NULL, "10:00", PUBLISHED, "12:00"}, {NULL, "11:00", "10:00", PUBLISHED, "12:00"},
        {"11:00", NULL, "11:10", NOTHING, "13:10"},   {NULL, "11:00", "11:10", NOTHING, "13:10"},
        {"11:40", NULL, "10:00", CHANGES, "13:00"},   {NULL, "11:40", "10:00", CHANGES, "13:00"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story s;
        Docket__PolicyDefined *gold = new_policy("gold", DOCKET__POLICY_TYPE__POLICY_SLA, 1);
        Docket__Condition *tier = add_condition(gold, DOCKET__CONDITION_FIELD__CONDITION_TIER);
        tier->text[tier->n_text++] = test_bytes("gold");
        add_goal(gold, RESOLUTION, ANY, 2 * DK_HOUR_US);
        story_begin(&s);
        has_policy(&s, gold, LONG_AGO);
        has_policy(&s, promised(RESOLUTION, 3 * DK_HOUR_US, 0), LONG_AGO);
        has_tier(&s, "acme", "silver", LONG_AGO);
        has_tier(&s, "globex", "gold", LONG_AGO);
        is_of(&s, "acme", LONG_AGO);
        if (cases[i].tier != NULL)
            has_tier(&s, "acme", "gold", at(cases[i].tier));
        else
            is_of(&s, "globex", at(cases[i].moves));
        if (cases[i].then == PUBLISHED)
            publish(&s, promised(RESOLUTION, 3 * DK_HOUR_US, 0), OPEN_TOO, at("11:30"));
        asked_by_carl(&s, at(cases[i].opened));
        if (cases[i].then == WRITES)
            customer_writes(&s, at("11:30"));
        if (cases[i].then == PAUSES) /* this policy pauses for nobody */
            pending(&s, at("11:30"), CUSTOMER);
        if (cases[i].then == CHANGES)
            reprioritized(&s, at("11:30"), HIGH);
        ASSERT_EQ(clock_until(&s, at("11:50"), RESOLUTION, 1)->due_us, at(cases[i].due));
        story_end(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_S7_policy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S7_a_past_breach_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S7_breach_by_publication, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S7_fulfilled_at_the_publication, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S7_promises_come_and_go, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S7_one_policy_at_a_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S7_calendar, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S7_adopted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S7_counts_before_the_opening, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S5_contract, setup, teardown),
        cmocka_unit_test(test_S5_a_tier_that_changes_touches_no_ticket),
        cmocka_unit_test_setup_teardown(test_S7_late_and_many_definitions, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
