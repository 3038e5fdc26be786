/* How long clocks run and when they are due, rule by rule of DOMAIN, with its examples. */
#include "tests/lib/assert.h"
#include "tests/unit/clocks_fixture.h"

/* ---------------------------------------------------------------- time */

/* T3: a target used up exactly at closing time is due at closing time; 24 h on an 8 h day is three
 * working days. */
static void test_T3_due(void **state)
{
    static const struct {
        const char *opened;
        int64_t target_us;
        const char *due;
    } cases[] = {
        {"2026-03-02T13:00:00Z", 4 * DK_HOUR_US, "2026-03-02T17:00:00Z"},
        {"2026-03-02T13:00:00Z", 4 * DK_HOUR_US + 1, "2026-03-03T09:00:00.000001Z"},
        {"2026-03-02T09:00:00Z", 24 * DK_HOUR_US, "2026-03-04T17:00:00Z"},
        {"2026-03-05T12:00:00Z", 24 * DK_HOUR_US, "2026-03-10T12:00:00Z"},
        {"2026-03-07T12:00:00Z", DK_HOUR_US, "2026-03-09T10:00:00Z"}, /* a Saturday */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story story;
        (void)state;
        story_begin(&story);
        uint64_t office = has_calendar(&story, "office", "UTC", 9, 17, LONG_AGO);
        has_policy(&story, promised(RESOLUTION, cases[i].target_us, office), LONG_AGO);
        opened(&story, test_at(cases[i].opened), NORMAL);
        const struct dk_clock *clock = clock_until(&story, test_at(cases[i].opened), RESOLUTION, 1);
        ASSERT_EQ(clock->due_us, test_at(cases[i].due));
        ASSERT_EQ(clock->verdict, RUNNING);
        story_end(&story);
    }
}

/* S1: each segment counts by the calendar version in force then; none is forgotten. */
static void test_S1_elapsed_is_the_sum_over_versions(void **state)
{
    struct story *s = *state;
    uint64_t office = has_calendar(s, "office", "UTC", 9, 17, LONG_AGO);
    (void)has_calendar(s, "office", "UTC", 12, 20, at("2026-03-03T00:00:00Z"));
    Docket__PolicyDefined *policy = promised(RESOLUTION, 20 * DK_HOUR_US, office);
    add_pause(policy, CUSTOMER);
    has_policy(s, policy, LONG_AGO);
    opened(s, at("10:00"), NORMAL);                      /* 10-12: 2 h by the first version */
    pending(s, at("12:00"), CUSTOMER);                   /* 12-14 paused */
    status(s, at("14:00"), DOCKET__STATUS__STATUS_OPEN); /* 14-17: 3 h */
    solved(s, at("2026-03-03T15:00:00Z"));               /* 12-15: 3 h by the second */
    const struct dk_clock *clock = clock_until(s, LATER, RESOLUTION, 1);
    ASSERT_EQ(clock->verdict, MET);
    ASSERT_EQ(clock->elapsed_us, 8 * DK_HOUR_US);
    ASSERT_EQ(clock->wall_us, 27 * DK_HOUR_US);
    ASSERT_EQ(s->clocks.segment_count, 4);
    ASSERT_EQ(s->clocks.segment[2].to_us, at("2026-03-03T00:00:00Z"));
    ASSERT_EQ(s->clocks.segment[2].calendar_version, 1);
    ASSERT_EQ(s->clocks.segment[3].calendar_version, 2);
    ASSERT_EQ(s->clocks.segment[3].elapsed_us, 3 * DK_HOUR_US);
}

/* S1, S2: what is due counts on the calendar that will be in force by then. */
static void test_S1_due_by_a_version_to_come(void **state)
{
    struct story *s = *state;
    uint64_t office = has_calendar(s, "office", "UTC", 9, 17, LONG_AGO);
    (void)has_calendar(s, "office", "UTC", 12, 20, at("2026-03-03T00:00:00Z"));
    has_policy(s, promised(RESOLUTION, 10 * DK_HOUR_US, office), LONG_AGO);
    opened(s, at("10:00"), NORMAL);
    ASSERT_EQ(clock_until(s, at("10:00"), RESOLUTION, 1)->due_us, at("2026-03-03T15:00:00Z"));
}

/* ---------------------------------------------------------------- verdicts */

/* S2: met if fulfilled at or before due; else breached at due, whenever that was noticed. */
static void test_S2_met_until_due(void **state)
{
    static const struct {
        int64_t late_us;
        Docket__Verdict verdict;
    } cases[] = {{-DK_HOUR_US, MET}, {0, MET}, {1, BREACHED}, {DK_HOUR_US, BREACHED}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story s;
        story_begin(&s);
        has_policy(&s, promised(FIRST_REPLY, 2 * DK_HOUR_US, 0), LONG_AGO);
        opened(&s, at("10:00"), NORMAL);
        agent_replies(&s, at("12:00") + cases[i].late_us);
        const struct dk_clock *clock = clock_until(&s, LATER, FIRST_REPLY, 1);
        ASSERT_EQ(clock->verdict, cases[i].verdict);
        ASSERT_EQ(clock->due_us, at("12:00"));
        ASSERT_EQ(clock->elapsed_us, 2 * DK_HOUR_US + cases[i].late_us);
        ASSERT_EQ(clock->ended_us, at("12:00") + cases[i].late_us);
        story_end(&s);
    }
}

/* S2: judged as of an instant, it is breached at due and not before. */
static void test_S2_breached_at_due(void **state)
{
    struct story *s = *state;
    has_policy(s, promised(FIRST_REPLY, 2 * DK_HOUR_US, 0), LONG_AGO);
    opened(s, at("10:00"), NORMAL);
    ASSERT_EQ(clock_until(s, at("12:00") - 1, FIRST_REPLY, 1)->verdict, RUNNING);
    const struct dk_clock *clock = clock_until(s, at("12:00"), FIRST_REPLY, 1);
    ASSERT_EQ(clock->verdict, BREACHED);
    ASSERT_EQ(clock->breach_cause, DOCKET__BREACH_CAUSE__BREACH_TIME);
    ASSERT_EQ(clock_until(s, LATER, FIRST_REPLY, 1)->due_us, at("12:00"));
}

/* S2: after a pause, due = due(C, resume, target - elapsed). */
static void test_S2_due_after_a_pause(void **state)
{
    struct story *s = *state;
    uint64_t office = has_calendar(s, "office", "UTC", 9, 17, LONG_AGO);
    Docket__PolicyDefined *policy = promised(RESOLUTION, 6 * DK_HOUR_US, office);
    add_pause(policy, CUSTOMER);
    has_policy(s, policy, LONG_AGO);
    opened(s, at("10:00"), NORMAL);
    pending(s, at("11:00"), CUSTOMER);
    const struct dk_clock *clock = clock_until(s, at("11:30"), RESOLUTION, 1);
    ASSERT_EQ(clock->verdict, PAUSED);
    ASSERT_EQ(clock->due_us, INT64_MAX);
    ASSERT_EQ(clock->last_due_us, at("16:00"));
    customer_writes(s, at("15:00"));
    clock = clock_until(s, at("15:00"), RESOLUTION, 1);
    ASSERT_EQ(clock->verdict, RUNNING);
    ASSERT_EQ(clock->due_us, at("2026-03-03T12:00:00Z"));
}

/* S2: nothing left is due at the resume itself, and not before: paused it does not run. */
static void test_S2_nothing_left_at_a_resume(void **state)
{
    struct story *s = *state;
    Docket__PolicyDefined *policy = promised(RESOLUTION, DK_HOUR_US, 0);
    add_pause(policy, CUSTOMER);
    has_policy(s, policy, LONG_AGO);
    opened(s, at("10:00"), NORMAL);
    pending(s, at("11:00"), CUSTOMER); /* exactly used up */
    ASSERT_EQ(clock_until(s, LATER, RESOLUTION, 1)->verdict, PAUSED);
    status(s, at("14:00"), DOCKET__STATUS__STATUS_OPEN);
    ASSERT_EQ(clock_until(s, at("14:00") - 1, RESOLUTION, 1)->due_us, at("14:00"));
    solved(s, at("14:00") + 1);
    const struct dk_clock *clock = clock_until(s, LATER, RESOLUTION, 1);
    ASSERT_EQ(clock->verdict, BREACHED);
    ASSERT_EQ(clock->due_us, at("14:00"));
}

/* S3: at one instant stop, then pause, then start; in every order of arrival. */
static void test_S3_order_at_one_instant(void **state)
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    (void)state;
    for (size_t o = 0; o < 6; o++) {
        struct story s;
        story_begin(&s);
        Docket__PolicyDefined *policy = promised(NEXT_REPLY, DK_HOUR_US, 0);
        add_goal(policy, UPDATE, ANY, 8 * DK_HOUR_US);
        has_policy(&s, policy, LONG_AGO);
        opened(&s, at("09:00"), NORMAL);
        agent_replies(&s, at("09:30"));
        customer_writes(&s, at("10:00"));
        for (int k = 0; k < 3; k++) {
            switch (orders[o][k]) {
            case 0: agent_replies(&s, at("11:00")); break;
            case 1: pending(&s, at("11:00"), CUSTOMER); break;
            default: customer_writes(&s, at("11:00")); break;
            }
        }
        ASSERT_EQ(clock_until(&s, at("11:00"), NEXT_REPLY, 1)->verdict, MET);
        ASSERT_EQ(clock_until(&s, at("11:00"), NEXT_REPLY, 2)->started_us, at("11:00"));
        /* The message came last and ended the pause. */
        ASSERT_EQ(clock_until(&s, at("11:30"), UPDATE, 2)->verdict, RUNNING);
        ASSERT_EQ(s.clocks.count, 4);
        story_end(&s);
    }
}

/* ---------------------------------------------------------------- policies */

/* S4: the first policy that matches; its goal for the priority, else for any; else none at all. */
static void test_S4_first_match_wins(void **state)
{
    static const struct {
        Docket__Priority priority;
        const char *tag;
        int64_t target_us; /* 0: no clock */
    } cases[] = {
        {CRITICAL, "vip", DK_HOUR_US}, {LOW, "vip", 3 * DK_HOUR_US}, {CRITICAL, NULL, 0},
        {HIGH, NULL, 5 * DK_HOUR_US},  {LOW, NULL, 5 * DK_HOUR_US},  {CRITICAL, "other", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story s;
        story_begin(&s);
        Docket__PolicyDefined *last = new_policy("last", DOCKET__POLICY_TYPE__POLICY_SLA, 3);
        add_goal(last, RESOLUTION, ANY, 5 * DK_HOUR_US);
        has_policy(&s, last, LONG_AGO);
        Docket__PolicyDefined *silent = new_policy("silent", DOCKET__POLICY_TYPE__POLICY_SLA, 2);
        Docket__Condition *urgent =
            add_condition(silent, DOCKET__CONDITION_FIELD__CONDITION_PRIORITY);
        urgent->number[urgent->n_number++] = CRITICAL;
        add_goal(silent, FIRST_REPLY, ANY, DK_HOUR_US);
        has_policy(&s, silent, LONG_AGO);
        Docket__PolicyDefined *vip = new_policy("vip", DOCKET__POLICY_TYPE__POLICY_SLA, 1);
        Docket__Condition *tagged = add_condition(vip, DOCKET__CONDITION_FIELD__CONDITION_TAG);
        tagged->text[tagged->n_text++] = test_bytes("vip");
        add_goal(vip, RESOLUTION, ANY, 3 * DK_HOUR_US);
        add_goal(vip, RESOLUTION, CRITICAL, DK_HOUR_US);
        has_policy(&s, vip, LONG_AGO);

        Docket__Opened body = DOCKET__OPENED__INIT;
        ProtobufCBinaryData tag = test_bytes(cases[i].tag != NULL ? cases[i].tag : "");
        body.has_priority = 1;
        body.priority = cases[i].priority;
        body.n_tag = cases[i].tag != NULL;
        body.tag = &tag;
        happens_by(&s, at("10:00"), DK_KIND_OPENED, &body, ACT_CUSTOMER, 0);
        const struct dk_clock *clock = clock_until(&s, at("10:00"), RESOLUTION, 1);
        ASSERT_EQ(clock != NULL ? clock->target_us : 0, cases[i].target_us);
        story_end(&s);
    }
}

/* S4: conditions look at what the ticket, its customer's company and the catalogue say. */
static void test_S4_conditions(void **state)
{
    struct story *s = *state;
    Docket__ProductDefined product = DOCKET__PRODUCT_DEFINED__INIT;
    Docket__CompanyDefined company = DOCKET__COMPANY_DEFINED__INIT;
    Docket__CustomerDefined customer = DOCKET__CUSTOMER_DEFINED__INIT;
    uint64_t network = test_id(DK_SUBJECT_PRODUCT, "network");
    product.definition = test_definition("vpn");
    product.has_parent = 1;
    product.parent = network;
    test_define(s->refs, ++s->position, LONG_AGO, DK_KIND_PRODUCT_DEFINED, &product);
    company.definition = test_definition("acme");
    company.has_tier = 1;
    company.tier = test_bytes("gold");
    test_define(s->refs, ++s->position, LONG_AGO, DK_KIND_COMPANY_DEFINED, &company);
    customer.definition = test_definition("carl");
    customer.has_company = 1;
    customer.company = test_id(DK_SUBJECT_COMPANY, "acme");
    test_define(s->refs, ++s->position, LONG_AGO, DK_KIND_CUSTOMER_DEFINED, &customer);
    Docket__PolicyDefined *policy = promised(RESOLUTION, DK_HOUR_US, 0);
    Docket__Condition *c = add_condition(policy, DOCKET__CONDITION_FIELD__CONDITION_PRODUCT);
    c->id[c->n_id++] = network;
    c = add_condition(policy, DOCKET__CONDITION_FIELD__CONDITION_TIER);
    c->text[c->n_text++] = test_bytes("gold");
    c = add_condition(policy, DOCKET__CONDITION_FIELD__CONDITION_LANGUAGE);
    c->text[c->n_text++] = test_bytes("de");
    c->text[c->n_text++] = test_bytes("pt");
    c = add_condition(policy, DOCKET__CONDITION_FIELD__CONDITION_CHANNEL);
    c->number[c->n_number++] = DOCKET__CHANNEL__CHANNEL_WEB;
    c = add_condition(policy, DOCKET__CONDITION_FIELD__CONDITION_GROUP);
    c->id[c->n_id++] = test_id(DK_SUBJECT_GROUP, "desk");
    has_policy(s, policy, LONG_AGO);

    Docket__Opened body = DOCKET__OPENED__INIT;
    body.has_customer = body.has_channel = body.has_language = 1;
    body.customer = test_id(DK_SUBJECT_CUSTOMER, "carl");
    body.channel = DOCKET__CHANNEL__CHANNEL_WEB;
    body.language = test_bytes("pt-BR");
    happens_by(s, at("10:00"), DK_KIND_OPENED, &body, ACT_CUSTOMER, 0);
    routed(s, at("10:10"), test_id(DK_SUBJECT_GROUP, "desk"));
    ASSERT_TRUE(clock_until(s, at("10:20"), RESOLUTION, 1) == NULL); /* no product yet */
    Docket__Classified classified = DOCKET__CLASSIFIED__INIT;
    classified.has_product = 1;
    classified.product = test_id(DK_SUBJECT_PRODUCT, "vpn");
    happens(s, at("10:30"), DK_KIND_CLASSIFIED, &classified);
    const struct dk_clock *clock = clock_until(s, at("10:40"), RESOLUTION, 1);
    ASSERT_TRUE(clock != NULL);
    ASSERT_EQ(clock->started_us, at("10:30")); /* nothing had been promised before */
    Docket__RequesterChanged other = DOCKET__REQUESTER_CHANGED__INIT;
    other.customer = test_id(DK_SUBJECT_CUSTOMER, "dora");
    happens(s, at("10:45"), DK_KIND_REQUESTER_CHANGED, &other);
    clock = clock_until(s, LATER, RESOLUTION, 1);
    ASSERT_EQ(clock->verdict, CANCELLED);
    ASSERT_EQ(clock->cancel_cause, DOCKET__CANCEL_CAUSE__CANCEL_NO_POLICY);
}

/* S6: 3 h from 10:00, raised at 11:00 to a 2 h target. */
static void test_S6_change_of_priority(void **state)
{
    static const struct {
        Docket__ChangeMode mode;
        const char *due;
        int64_t elapsed_us; /* at 11:30 */
    } cases[] = {
        {DOCKET__CHANGE_MODE__CHANGE_CARRY, "12:00", 90 * DK_MINUTE_US},
        {DOCKET__CHANGE_MODE__CHANGE_RESET, "13:00", 90 * DK_MINUTE_US},
        {DOCKET__CHANGE_MODE__CHANGE_RETROACTIVE, "12:00", 90 * DK_MINUTE_US},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story s;
        story_begin(&s);
        Docket__PolicyDefined *policy = promised(RESOLUTION, 3 * DK_HOUR_US, 0);
        add_goal(policy, RESOLUTION, HIGH, 2 * DK_HOUR_US);
        policy->has_on_change = 1;
        policy->on_change = cases[i].mode;
        has_policy(&s, policy, LONG_AGO);
        opened(&s, at("10:00"), NORMAL);
        ASSERT_EQ(clock_until(&s, at("10:30"), RESOLUTION, 1)->due_us, at("13:00"));
        reprioritized(&s, at("11:00"), HIGH);
        const struct dk_clock *clock = clock_until(&s, at("11:30"), RESOLUTION, 1);
        ASSERT_EQ(clock->due_us, at(cases[i].due));
        ASSERT_EQ(clock->elapsed_us, cases[i].elapsed_us);
        ASSERT_EQ(clock->priority, HIGH);
        ASSERT_EQ(clock->goal, 1);
        ASSERT_EQ(clock->goal_us, at("11:00"));
        ASSERT_EQ(clock->started_us, at("10:00"));
        ASSERT_EQ(s.clocks.count, 1);
        story_end(&s);
    }
}

/* S6: modes differ where calendars do. Half an office hour on Monday, an hour's pause, then the
 * night, and an hour and a half on Tuesday; then raised to 20 h that count day and night. */
static void test_S6_change_of_calendar(void **state)
{
    static const struct {
        Docket__ChangeMode mode;
        const char *due;
    } cases[] = {
        {DOCKET__CHANGE_MODE__CHANGE_CARRY, "2026-03-04T04:30:00Z"},       /* 2 h are used */
        {DOCKET__CHANGE_MODE__CHANGE_RESET, "2026-03-04T06:30:00Z"},       /* none */
        {DOCKET__CHANGE_MODE__CHANGE_RETROACTIVE, "2026-03-03T12:30:00Z"}, /* 19 h less the pause */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story s;
        story_begin(&s);
        uint64_t office = has_calendar(&s, "office", "UTC", 9, 17, LONG_AGO);
        Docket__PolicyDefined *policy = promised(RESOLUTION, 8 * DK_HOUR_US, office);
        add_goal(policy, RESOLUTION, HIGH, 20 * DK_HOUR_US);
        policy->goal[1]->has_calendar = 1; /* none: every hour */
        add_pause(policy, CUSTOMER);
        policy->has_on_change = 1;
        policy->on_change = cases[i].mode;
        has_policy(&s, policy, LONG_AGO);
        opened(&s, at("15:30"), NORMAL);
        pending(&s, at("16:00"), CUSTOMER);
        status(&s, at("17:00"), DOCKET__STATUS__STATUS_OPEN);
        reprioritized(&s, at("2026-03-03T10:30:00Z"), HIGH);
        const struct dk_clock *clock = clock_until(&s, at("2026-03-03T10:45:00Z"), RESOLUTION, 1);
        ASSERT_EQ(clock->verdict, RUNNING);
        ASSERT_EQ(clock->due_us, at(cases[i].due));
        story_end(&s);
    }
}

/* S6: nothing remaining breaches now, by the change; a past breach is never erased. */
static void test_S6_breach_by_change(void **state)
{
    struct story *s = *state;
    Docket__PolicyDefined *policy = promised(RESOLUTION, 3 * DK_HOUR_US, 0);
    add_goal(policy, RESOLUTION, CRITICAL, DK_HOUR_US);
    add_goal(policy, FIRST_REPLY, HIGH, 10 * DK_HOUR_US);
    add_goal(policy, FIRST_REPLY, ANY, DK_HOUR_US);
    add_warning(policy, 50);
    add_warning(policy, 90);
    has_policy(s, policy, LONG_AGO);
    opened(s, at("10:00"), NORMAL);
    reprioritized(s, at("11:20"), CRITICAL);
    const struct dk_clock *clock = clock_until(s, at("11:20"), RESOLUTION, 1);
    ASSERT_EQ(clock->verdict, BREACHED);
    ASSERT_EQ(clock->due_us, at("11:20"));
    ASSERT_EQ(clock->breach_cause, DOCKET__BREACH_CAUSE__BREACH_POLICY_CHANGE);
    ASSERT_EQ(clock->warning[0].due_us, INT64_MAX); /* it is too late to warn */
    reprioritized(s, at("12:00"), HIGH);
    ASSERT_EQ(clock_until(s, at("12:30"), RESOLUTION, 1)->due_us, at("11:20"));
    ASSERT_EQ(clock_until(s, at("12:30"), FIRST_REPLY, 1)->verdict, BREACHED);
    ASSERT_EQ(clock_until(s, at("12:30"), FIRST_REPLY, 1)->due_us, at("11:00"));
}

/* S6: one event that changes two values is judged by both; half of it never was in force. */
static void test_S6_one_event_is_one_change(void **state)
{
    struct story *s = *state;
    Docket__PolicyDefined *trap = new_policy("trap", DOCKET__POLICY_TYPE__POLICY_SLA, 1);
    Docket__Condition *c = add_condition(trap, DOCKET__CONDITION_FIELD__CONDITION_PRIORITY);
    c->number[c->n_number++] = HIGH;
    c = add_condition(trap, DOCKET__CONDITION_FIELD__CONDITION_TYPE);
    c->number[c->n_number++] = DOCKET__TICKET_TYPE__TYPE_NONE;
    add_goal(trap, RESOLUTION, ANY, 1);
    has_policy(s, trap, LONG_AGO);
    has_policy(s, promised(RESOLUTION, 3 * DK_HOUR_US, 0), LONG_AGO);
    opened(s, at("10:00"), NORMAL);
    Docket__Classified body = DOCKET__CLASSIFIED__INIT;
    body.has_priority = body.has_type = 1;
    body.priority = HIGH;
    body.type = DOCKET__TICKET_TYPE__TYPE_INCIDENT;
    happens(s, at("11:00"), DK_KIND_CLASSIFIED, &body);
    ASSERT_EQ(clock_until(s, at("11:30"), RESOLUTION, 1)->verdict, RUNNING);
}

/* S6, S1: a priority for which nothing is promised, and back, takes back nothing of what was used:
 * 3 h from 10:00, nothing from 11:00, 3 h again from 12:00. */
static void test_S6_promised_again(void **state)
{
    static const struct {
        Docket__ChangeMode mode;
        int64_t target_us;
        const char *due;
        Docket__BreachCause cause; /* as of 13:30; none: it runs */
    } cases[] = {
        {DOCKET__CHANGE_MODE__CHANGE_CARRY, 3 * DK_HOUR_US, "14:00", 0},
        {DOCKET__CHANGE_MODE__CHANGE_RESET, 3 * DK_HOUR_US, "15:00", 0},
        {DOCKET__CHANGE_MODE__CHANGE_RETROACTIVE, 4 * DK_HOUR_US, "14:00", 0}, /* since 10:00 */
        {DOCKET__CHANGE_MODE__CHANGE_CARRY, DK_HOUR_US + DK_MINUTE_US, "12:01",
         DOCKET__BREACH_CAUSE__BREACH_TIME},
        {DOCKET__CHANGE_MODE__CHANGE_CARRY, DK_HOUR_US / 2, "12:00",
         DOCKET__BREACH_CAUSE__BREACH_POLICY_CHANGE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story s;
        story_begin(&s);
        Docket__PolicyDefined *policy = new_policy("p", DOCKET__POLICY_TYPE__POLICY_SLA, 1);
        policy->has_on_change = 1;
        policy->on_change = cases[i].mode;
        add_goal(policy, RESOLUTION, NORMAL, 3 * DK_HOUR_US);
        add_goal(policy, RESOLUTION, HIGH, cases[i].target_us);
        has_policy(&s, policy, LONG_AGO);
        opened(&s, at("10:00"), NORMAL);
        reprioritized(&s, at("11:00"), LOW);
        ASSERT_EQ(clock_until(&s, at("11:30"), RESOLUTION, 1)->verdict, CANCELLED);
        reprioritized(&s, at("12:00"), HIGH);
        const struct dk_clock *clock = clock_until(&s, at("13:30"), RESOLUTION, 2);
        ASSERT_EQ(clock->started_us, at("12:00"));
        ASSERT_EQ(clock->due_us, at(cases[i].due));
        ASSERT_EQ(clock->verdict, i < 3 ? RUNNING : BREACHED);
        ASSERT_EQ(clock->breach_cause, cases[i].cause);
        story_end(&s);
    }
}

/* What another clock of the metric has used is not carried. */
static void test_S6_promised_again_is_of_one_clock(void **state)
{
    struct story *s = *state;
    Docket__PolicyDefined *policy = new_policy("p", DOCKET__POLICY_TYPE__POLICY_SLA, 1);
    add_goal(policy, NEXT_REPLY, NORMAL, 3 * DK_HOUR_US);
    has_policy(s, policy, LONG_AGO);
    opened(s, at("08:00"), NORMAL);
    agent_replies(s, at("08:30"));
    customer_writes(s, at("09:00"));
    agent_replies(s, at("10:00")); /* an hour of the first clock */
    reprioritized(s, at("10:30"), LOW);
    customer_writes(s, at("11:00")); /* nothing is promised */
    reprioritized(s, at("12:00"), NORMAL);
    ASSERT_EQ(clock_until(s, at("12:30"), NEXT_REPLY, 2)->due_us, at("15:00"));
}

/* S7: a policy is of the tickets opened after it. */
static void test_S7_new_tickets_only(void **state)
{
    struct story *s = *state;
    has_policy(s, promised(RESOLUTION, 3 * DK_HOUR_US, 0), LONG_AGO);
    has_policy(s, promised(RESOLUTION, DK_HOUR_US, 0), at("10:30"));
    opened(s, at("10:00"), NORMAL);
    reprioritized(s, at("11:00"), LOW);
    const struct dk_clock *clock = clock_until(s, at("11:30"), RESOLUTION, 1);
    ASSERT_EQ(clock->due_us, at("13:00"));
    ASSERT_EQ(clock->policy_version, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_T3_due, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S1_elapsed_is_the_sum_over_versions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S1_due_by_a_version_to_come, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S2_met_until_due, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S2_breached_at_due, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S2_due_after_a_pause, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S2_nothing_left_at_a_resume, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S3_order_at_one_instant, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S4_first_match_wins, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S4_conditions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S6_change_of_priority, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S6_change_of_calendar, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S6_breach_by_change, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S6_one_event_is_one_change, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S6_promised_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S6_promised_again_is_of_one_clock, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S7_new_tickets_only, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
