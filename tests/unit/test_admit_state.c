/* What admission asks of the state: freshness and legality; and how it is taken back. */
#include "tests/unit/admit_world.h"

static void test_admit_expected_version_conflicts(void **state)
{
    struct world *w = *state;
    w->expected_version = 2;
    refused(w, note(w, DK_ROLE_AGENT, on(FIXTURE_TICKET(1), FIXTURE_AGENT)), DK_ECONFLICT,
            "expected_version");
    ASSERT_CONTAINS(w->err.message, "7-1 is at version 1");
    w->expected_version = 1;
    accepted(w, note(w, DK_ROLE_AGENT, on(FIXTURE_TICKET(1), FIXTURE_AGENT)));
    w->expected_version = 3;
    refused(
        w,
        judge(w, DK_ROLE_OPERATOR, on_group("desk"), DK_KIND_GROUP_DEFINED, fixture_group("desk")),
        DK_ECONFLICT, "expected_version");
}

static int route(struct world *w, uint64_t basis)
{
    return judge(w, DK_ROLE_ROUTING, on(FIXTURE_TICKET(1), FIXTURE_ROUTING), DK_KIND_ROUTED,
                 fixture_routed(basis, "desk"));
}

static void test_admit_stale_decisions_are_refused(void **state)
{
    struct world *w = *state;
    refused(w, route(w, 1), DK_ESTALE, "decision"); /* opened at 2 */
    accepted(w, route(w, 2));
    refused(w, route(w, 3), DK_ESTALE, "decision"); /* routing itself at 4 */
    ASSERT_CONTAINS(w->err.message, "at 4, after the decision's basis 3");
    accepted(w, route(w, 4));
    accepted(w, note(w, DK_ROLE_AGENT, on(FIXTURE_TICKET(1), FIXTURE_AGENT)));
    refused(w, route(w, 5), DK_ESTALE, "decision"); /* a person at 6 */
    accepted(w, route(w, 6));
}

static void test_admit_presence_is_of_a_known_agent(void **state)
{
    struct world *w = *state;
    Docket__PresenceChanged presence = DOCKET__PRESENCE_CHANGED__INIT;
    presence.presence = DOCKET__PRESENCE__PRESENCE_AWAY;
    struct dk_envelope bert = on_agent("bert", FIXTURE_OPERATOR);
    refused(w, judge(w, DK_ROLE_OPERATOR, bert, DK_KIND_PRESENCE_CHANGED, &presence), DK_EREFERENCE,
            "subject");
    accepted(w, judge(w, DK_ROLE_OPERATOR, bert, DK_KIND_AGENT_DEFINED, fixture_agent("bert")));
    bert.actor = acting(DK_ACTOR_AGENT, "bert");
    accepted(w, judge(w, DK_ROLE_AGENT, bert, DK_KIND_PRESENCE_CHANGED, &presence));
    bert.actor = FIXTURE_AGENT;
    accepted(w, judge(w, DK_ROLE_AGENT, bert, DK_KIND_PRESENCE_CHANGED, &presence));
    bert.actor = acting(DK_ACTOR_AGENT, "carla");
    refused(w, judge(w, DK_ROLE_AGENT, bert, DK_KIND_PRESENCE_CHANGED, &presence), DK_EREFERENCE,
            "actor");
}

/* From the definition on until its end, for tickets and for customers; not for what is imported. */
static void test_admit_who_acts_is_defined(void **state)
{
    struct world *w = *state;
    static const unsigned classes[] = {DK_ACTOR_AGENT, DK_ACTOR_SUPPLIER};
    Docket__CustomerDefined customer = DOCKET__CUSTOMER_DEFINED__INIT;
    customer.definition = test_definition("globex");
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        uint64_t actor = acting(classes[i], "bert");
        struct dk_envelope met =
            on(dk_id_of_key(DK_SUBJECT_CUSTOMER, "globex", 6, w->identity.salt), actor);
        refused(w, note(w, DK_ROLE_AGENT, on(FIXTURE_TICKET(1), actor)), DK_EREFERENCE, "actor");
        ASSERT_CONTAINS(w->err.message, "have an operator define");
        refused(w, judge(w, DK_ROLE_AGENT, met, DK_KIND_CUSTOMER_DEFINED, &customer), DK_EREFERENCE,
                "actor");
        accepted(w, judge(w, DK_ROLE_IMPORTER, on(FIXTURE_TICKET(1), actor), DK_KIND_NOTE_ADDED,
                          imported_note(true)));
    }
    struct dk_envelope bert = on_agent("bert", FIXTURE_OPERATOR);
    struct dk_envelope by_bert = on(FIXTURE_TICKET(1), acting(DK_ACTOR_AGENT, "bert"));
    accepted(w, judge(w, DK_ROLE_OPERATOR, bert, DK_KIND_AGENT_DEFINED, fixture_agent("bert")));
    accepted(w, note(w, DK_ROLE_AGENT, by_bert));
    by_bert.occurred_us = FIXTURE_NOW - 1; /* before there was a bert */
    refused(w, note(w, DK_ROLE_AGENT, by_bert), DK_EREFERENCE, "actor");
    by_bert.occurred_us = 0;
    Docket__AgentDefined gone = *(const Docket__AgentDefined *)fixture_agent("bert");
    gone.definition->has_removed = gone.definition->removed = 1;
    accepted(w, judge(w, DK_ROLE_OPERATOR, bert, DK_KIND_AGENT_DEFINED, &gone));
    refused(w, note(w, DK_ROLE_AGENT, by_bert), DK_EREFERENCE, "actor");
}

static int define_calendar(struct world *w, const char *zone, bool open, bool removed)
{
    Docket__CalendarDefined *calendar = test_memory(sizeof *calendar);
    Docket__WeekdayPlan *monday = test_memory(sizeof *monday);
    Docket__DayInterval *hours = test_memory(sizeof *hours);
    docket__calendar_defined__init(calendar);
    docket__weekday_plan__init(monday);
    docket__day_interval__init(hours);
    calendar->definition = test_definition("office");
    calendar->definition->has_removed = removed;
    calendar->definition->removed = removed;
    calendar->zone = test_bytes(zone);
    calendar->n_weekday = 1;
    calendar->weekday = &monday;
    monday->n_interval = open;
    monday->interval = &hours;
    hours->from_s = 9 * 3600;
    hours->to_s = 17 * 3600;
    return judge(w, DK_ROLE_OPERATOR, on(test_id(DK_SUBJECT_CALENDAR, "office"), FIXTURE_OPERATOR),
                 DK_KIND_CALENDAR_DEFINED, calendar);
}

static void test_admit_calendars_can_be_reckoned_with(void **state)
{
    struct world *w = *state;
    refused(w, define_calendar(w, "UTC", false, false), DK_EINVAL, "calendar_defined.weekday");
    refused(w, define_calendar(w, "Atlantis/Capital", true, false), DK_ENOTFOUND,
            "calendar_defined.zone");
    accepted(w, define_calendar(w, "UTC", true, false));
    accepted(w, define_calendar(w, "UTC", false, true));
}

static int define(struct world *w, unsigned cls, uint32_t kind, const void *body)
{
    return judge(w, DK_ROLE_OPERATOR, on(test_id(cls, "x"), FIXTURE_OPERATOR), kind, body);
}

/* What no fold could reckon with does not go in by a client that asks nobody (docket apply says the
 * same with file and line: test_reference). */
static void test_admit_definitions_can_be_reckoned_with(void **state)
{
    struct world *w = *state;
    Docket__SettingsDefined settings = DOCKET__SETTINGS_DEFINED__INIT;
    settings.definition = test_definition("x");
    settings.has_reopen_days = 1;
    settings.reopen_days = UINT32_MAX;
    refused(w, define(w, DK_SUBJECT_SETTINGS, DK_KIND_SETTINGS_DEFINED, &settings), DK_EINVAL,
            "settings_defined.reopen_days");
    Docket__AgentDefined agent = DOCKET__AGENT_DEFINED__INIT;
    agent.definition = test_definition("x");
    agent.has_capacity = 1;
    agent.capacity = UINT32_MAX;
    refused(w, define(w, DK_SUBJECT_AGENT, DK_KIND_AGENT_DEFINED, &agent), DK_EINVAL,
            "agent_defined.capacity");
    Docket__GroupDefined group = DOCKET__GROUP_DEFINED__INIT;
    group.definition = test_definition("x");
    group.has_secondary = 1;
    group.secondary = test_id(DK_SUBJECT_GROUP, "x");
    refused(w, define(w, DK_SUBJECT_GROUP, DK_KIND_GROUP_DEFINED, &group), DK_EINVAL,
            "group_defined.secondary");
    Docket__SiteDefined place = DOCKET__SITE_DEFINED__INIT;
    place.definition = test_definition("x");
    place.zone = test_bytes("UTC");
    place.number = 65536;
    refused(w, define(w, DK_SUBJECT_SITE, DK_KIND_SITE_DEFINED, &place), DK_EINVAL,
            "site_defined.number");
    place.number = 9;
    place.zone = test_bytes("../../etc/passwd");
    refused(w, define(w, DK_SUBJECT_SITE, DK_KIND_SITE_DEFINED, &place), DK_EINVAL,
            "site_defined.zone");
    Docket__ContractDefined contract = DOCKET__CONTRACT_DEFINED__INIT;
    contract.definition = test_definition("x");
    contract.has_company = 1;
    contract.company = test_id(DK_SUBJECT_COMPANY, "acme");
    contract.has_currency = 1;
    contract.currency = test_bytes("EURO");
    refused(w, define(w, DK_SUBJECT_CONTRACT, DK_KIND_CONTRACT_DEFINED, &contract), DK_EINVAL,
            "contract_defined.currency");
    Docket__Penalty penalty = DOCKET__PENALTY__INIT, *penalties = &penalty;
    penalty.rate_minor = penalty.cap_minor = 1;
    contract.currency = test_bytes("EUR");
    contract.n_penalty = 1;
    contract.penalty = &penalties;
    refused(w, define(w, DK_SUBJECT_CONTRACT, DK_KIND_CONTRACT_DEFINED, &contract), DK_EINVAL,
            "contract_defined.penalty");
    penalty.unit_us = 1;
    accepted(w, define(w, DK_SUBJECT_CONTRACT, DK_KIND_CONTRACT_DEFINED, &contract));
}

static void test_admit_conditions_list_values_of_their_own_sort(void **state)
{
    struct world *w = *state;
    uint64_t id = test_id(DK_SUBJECT_GROUP, "x");
    uint32_t kind = DK_KIND_ASSIGNED;
    Docket__Condition condition = DOCKET__CONDITION__INIT, *conditions = &condition;
    Docket__RuleDefined rule = DOCKET__RULE_DEFINED__INIT;
    rule.definition = test_definition("x");
    rule.recipient = DOCKET__RULE_RECIPIENT__RULE_OWNER;
    rule.transport = DOCKET__TRANSPORT__TRANSPORT_SMTP;
    rule.n_on_kind = 1;
    rule.on_kind = &kind;
    rule.n_condition = 1;
    rule.condition = &conditions;
    condition.field = DOCKET__CONDITION_FIELD__CONDITION_PRODUCT;
    refused(w, define(w, DK_SUBJECT_RULE, DK_KIND_RULE_DEFINED, &rule), DK_EINVAL,
            "rule_defined.condition");
    condition.n_id = 1;
    condition.id = &id;
    refused(w, define(w, DK_SUBJECT_RULE, DK_KIND_RULE_DEFINED, &rule), DK_EINVAL,
            "rule_defined.condition");
    condition.field = DOCKET__CONDITION_FIELD__CONDITION_GROUP;
    accepted(w, define(w, DK_SUBJECT_RULE, DK_KIND_RULE_DEFINED, &rule));
    kind = 4000000000u;
    refused(w, define(w, DK_SUBJECT_RULE, DK_KIND_RULE_DEFINED, &rule), DK_EINVAL,
            "rule_defined.on_kind");
}

static void test_admit_illegal_actions_are_refused_with_the_fold_s_reason(void **state)
{
    struct world *w = *state;
    Docket__Rated rated = DOCKET__RATED__INIT;
    rated.has_csat = 1;
    rated.csat = 5;
    refused(w,
            judge(w, DK_ROLE_AGENT, on(FIXTURE_TICKET(1), FIXTURE_CUSTOMER), DK_KIND_RATED, &rated),
            DK_EILLEGAL, "kind");
    ASSERT_EQ(w->state.counts.last, 3);
    ASSERT_EQ(dk_state_ticket(&w->state, FIXTURE_TICKET(1))->version, 1);
}

static void test_admit_counts_open_tickets(void **state)
{
    struct world *w = *state;
    ASSERT_EQ(w->state.counts.open_tickets, 1);
    accepted(w, judge(w, DK_ROLE_AGENT, on(FIXTURE_TICKET(1), FIXTURE_AGENT),
                      DK_KIND_STATUS_CHANGED, fixture_status(DOCKET__STATUS__STATUS_SOLVED)));
    ASSERT_EQ(w->state.counts.open_tickets, 0);
    accepted(w, judge(w, DK_ROLE_AGENT, on(FIXTURE_TICKET(1), FIXTURE_AGENT),
                      DK_KIND_STATUS_CHANGED, fixture_status(DOCKET__STATUS__STATUS_OPEN)));
    ASSERT_EQ(w->state.counts.open_tickets, 1);
    ASSERT_EQ(w->state.counts.last_ticket, 1);
}

static void test_admit_undo_leaves_no_trace(void **state)
{
    struct world *w = *state;
    struct dk_counts before = w->state.counts;
    struct dk_ticket ticket = *dk_state_ticket(&w->state, FIXTURE_TICKET(1));
    size_t subjects = dk_shelf_count(&w->state.subjects.heads);
    dk_state_begin(&w->state);
    ASSERT_EQ(note(w, DK_ROLE_AGENT, on(FIXTURE_TICKET(1), FIXTURE_AGENT)), 0);
    ASSERT_EQ(judge(w, DK_ROLE_AGENT, on(FIXTURE_UNNAMED(0), FIXTURE_AGENT), DK_KIND_OPENED,
                    fixture_opened()),
              0);
    ASSERT_EQ(note(w, DK_ROLE_AGENT, on(FIXTURE_UNNAMED(0), FIXTURE_AGENT)), 0);
    ASSERT_EQ(
        judge(w, DK_ROLE_OPERATOR, on_group("new"), DK_KIND_GROUP_DEFINED, fixture_group("new")),
        0);
    ASSERT_EQ(
        judge(w, DK_ROLE_OPERATOR, on_group("desk"), DK_KIND_GROUP_DEFINED, fixture_group("desk")),
        0);
    dk_state_undo(&w->state);
    assert_memory_equal(&w->state.counts, &before, sizeof before);
    assert_memory_equal(dk_state_ticket(&w->state, FIXTURE_TICKET(1)), &ticket, sizeof ticket);
    ASSERT_EQ(dk_state_ticket(&w->state, FIXTURE_TICKET(2))->last_position, 0);
    ASSERT_EQ(dk_shelf_count(&w->state.subjects.heads), subjects);
    ASSERT_EQ(dk_state_head(&w->state, test_id(DK_SUBJECT_GROUP, "desk")).version, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_admit_expected_version_conflicts),
        CASE(test_admit_stale_decisions_are_refused),
        CASE(test_admit_presence_is_of_a_known_agent),
        CASE(test_admit_who_acts_is_defined),
        CASE(test_admit_calendars_can_be_reckoned_with),
        CASE(test_admit_definitions_can_be_reckoned_with),
        CASE(test_admit_conditions_list_values_of_their_own_sort),
        CASE(test_admit_illegal_actions_are_refused_with_the_fold_s_reason),
        CASE(test_admit_counts_open_tickets),
        CASE(test_admit_undo_leaves_no_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
