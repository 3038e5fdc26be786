/* What `docket apply` finds changed, and how it says so; the sample organization. */
#include "tests/unit/reference_fixture.h"

/* ---------------------------------------------------------------- what changes */

static void test_reference_twice_is_once(void **state)
{
    assert_difference(*state, base_yaml, "0 added, 0 changed, 0 removed, 14 unchanged\n");
}

static void test_reference_one_field_is_one_change(void **state)
{
    struct fixture *fixture = *state;
    static const char yaml[] =
        "agents:\n"
        "  mara: {first_name: Mara, surname: Lindqvist, groups: [desk], capacity: 10}\n";
    assert_difference(fixture, yaml,
                      "~ agent mara\n"
                      "    capacity: 8 -> 10\n"
                      "0 added, 1 changed, 0 removed, 0 unchanged\n");
    apply(fixture, yaml);
    const Docket__AgentDefined *mara =
        dk_refs_agent(fixture->refs, test_id(DK_SUBJECT_AGENT, "mara"), NOW_US);
    assert_int_equal(mara->capacity, 10);
}

static void test_reference_reads_which_tier_needs_which_agents(void **state)
{
    struct fixture *fixture = *state;
    apply(fixture, "settings: {needs_tier: {gold: 2}}\n"
                   "agents: {elena: {first_name: E, surname: P, groups: [experts], tier: 3}}\n");
    assert_difference(fixture, "settings: {needs_tier: {gold: 3, silver: 1}}\n",
                      "~ settings settings\n"
                      "    needs_tier.gold: 2 -> 3\n"
                      "    needs_tier.silver: (none) -> 1\n"
                      "0 added, 1 changed, 0 removed, 0 unchanged\n");
}

static void test_reference_says_changes_in_words(void **state)
{
    assert_difference(*state,
                      "calendars:\n"
                      "  office:\n"
                      "    zone: Europe/Berlin\n"
                      "    hours: {mon-thu: \"09:00-17:00\", fri: \"09:00-12:00, 13:00-15:00\"}\n"
                      "    holidays: {2026-12-25: Christmas Day}\n"
                      "groups:\n"
                      "  desk: {name: Service desk, line: 1, calendar: evening}\n"
                      "products:\n"
                      "  network: {routes: {1: desk, 3: experts}}\n"
                      "policies:\n"
                      "  sla:\n"
                      "    gold: {when: {tier: [gold, silver]}, goals: {resolution: 90m}}\n"
                      "    default: {goals: {resolution: {any: 16h}}, calendar: office}\n"
                      "templates: {late: {texts: {default: {body: \"{{ticket}} is late\"},\n"
                      "                           de: {title: Zu spät, body: \"{{ticket}}\"}}}}\n",
                      "~ calendar office\n"
                      "    hours.fri: 09:00-17:00 -> 09:00-12:00, 13:00-15:00\n"
                      "    holidays.2026-12-25: (none) -> Christmas Day\n"
                      "~ template late\n"
                      "    texts.de.title: (none) -> Zu spät\n"
                      "    texts.de.body: (none) -> {{ticket}}\n"
                      "~ group desk\n"
                      "    name: (none) -> Service desk\n"
                      "    calendar: office -> evening\n"
                      "    site: berlin -> (none)\n"
                      "~ product network\n"
                      "    routes.3: (none) -> experts\n"
                      "~ policy gold\n"
                      "    when.tier: gold -> gold, silver\n"
                      "    goals.resolution.any: 4h -> 1h30m\n"
                      "~ policy default\n"
                      "    goals.resolution.high: 8h -> (none)\n"
                      "0 added, 6 changed, 0 removed, 0 unchanged\n");
}

static void test_reference_policies_change_places(void **state)
{
    assert_difference(
        *state,
        "policies:\n"
        "  sla:\n"
        "    new: {when: {priority: critical}, goals: {resolution: 2h}}\n"
        "    gold: {when: {tier: gold}, goals: {resolution: 4h}}\n"
        "    default: {goals: {resolution: {high: 8h, any: 16h}}, calendar: office}\n",
        "+ policy new\n"
        "~ policy gold\n"
        "    order: 1 -> 2\n"
        "~ policy default\n"
        "    order: 2 -> 3\n"
        "1 added, 2 changed, 0 removed, 0 unchanged\n");
}

static void test_reference_a_policy_moves_to_another_list(void **state)
{
    assert_difference(*state,
                      "policies:\n"
                      "  sla:\n"
                      "    default: {goals: {resolution: {high: 8h, any: 16h}}, calendar: office}\n"
                      "  ola:\n"
                      "    gold: {goals: {group-ownership: 4h}}\n",
                      "~ policy default\n"
                      "    order: 2 -> 1\n"
                      "~ policy gold\n"
                      "    goals.group-ownership.any: (none) -> 4h\n"
                      "    list: sla -> ola\n"
                      "    when.tier: gold -> (none)\n"
                      "    goals.resolution.any: 4h -> (none)\n"
                      "0 added, 2 changed, 0 removed, 0 unchanged\n");
}

static void test_reference_removes_when_told(void **state)
{
    struct fixture *fixture = *state;
    static const char yaml[] =
        "groups: {experts: {removed: true}}\n"
        "agents: {elena: {first_name: Elena, surname: Petrova, groups: [desk]}}\n";
    uint64_t experts = test_id(DK_SUBJECT_GROUP, "experts");
    assert_difference(fixture, yaml,
                      "~ agent elena\n"
                      "    groups: experts -> desk\n"
                      "- group experts\n"
                      "0 added, 1 changed, 1 removed, 0 unchanged\n");
    apply(fixture, yaml);
    assert_null(dk_refs_at(fixture->refs, experts, NOW_US));
    const Docket__GroupDefined *last = (const void *)dk_refs_last(fixture->refs, experts)->body;
    assert_int_equal(last->line, 3);
    assert_difference(fixture, yaml, "0 added, 0 changed, 0 removed, 2 unchanged\n");
}

/* A date in the file's head counts for all its entities, and comparing is done at that date. */
static void test_reference_takes_effect_when_told(void **state)
{
    struct fixture *fixture = *state;
    static const char yaml[] = "effective_from: 2027-01-01\n"
                               "groups: {desk: {line: 1, calendar: evening, site: berlin}}\n";
    assert_difference(fixture, yaml,
                      "~ group desk, from 2027-01-01T00:00:00Z on\n"
                      "    calendar: office -> evening\n"
                      "0 added, 1 changed, 0 removed, 0 unchanged\n");
    apply(fixture, yaml);
    uint64_t desk = test_id(DK_SUBJECT_GROUP, "desk");
    assert_int_equal(dk_refs_group(fixture->refs, desk, NOW_US)->calendar,
                     test_id(DK_SUBJECT_CALENDAR, "office"));
    assert_int_equal(dk_refs_group(fixture->refs, desk, test_at("2027-01-01"))->calendar,
                     test_id(DK_SUBJECT_CALENDAR, "evening"));
    assert_difference(fixture, yaml, "0 added, 0 changed, 0 removed, 1 unchanged\n");
}

static void test_reference_a_shift_may_follow_another(void **state)
{
    assert_difference(*state,
                      "shifts:\n"
                      "  late: {calendar: evening, agents: [mara]}\n"
                      "  call: {calendar: office, agents: [mara], on_call: true}\n"
                      "  day: {calendar: office, agents: [mara], to: 2026-12-31}\n"
                      "  day-2027: {calendar: office, agents: [mara], from: 2027-01-01}\n",
                      "+ shift late\n"
                      "+ shift call\n"
                      "~ shift day\n"
                      "    to: (none) -> 2026-12-31\n"
                      "+ shift day-2027\n"
                      "3 added, 1 changed, 0 removed, 0 unchanged\n");
}

static void test_reference_prints_json(void **state)
{
    const struct fixture *fixture = *state;
    struct dk_reference *set =
        load("groups: {new: {line: 2}}\n"
             "agents: {elena: {first_name: Elena, surname: Petrova, groups: [experts, new]}}\n");
    char *text = NULL;
    size_t bytes;
    assert_clean(set, dk_reference_compare(set, fixture->refs, NOW_US, NULL));
    FILE *out = open_memstream(&text, &bytes);
    dk_reference_print_json(set, out);
    fclose(out);
    assert_string_equal(
        text, "{\"added\":[{\"class\":\"group\",\"key\":\"new\",\"file\":\"t.yaml\",\"line\":1}],"
              "\"changed\":[{\"class\":\"agent\",\"key\":\"elena\",\"file\":\"t.yaml\",\"line\":2,"
              "\"fields\":[{\"path\":\"groups\",\"from\":\"experts\",\"to\":\"experts, new\"}]}],"
              "\"removed\":[],\"unchanged\":0}\n");
    free(text);
    dk_reference_free(&set);
}

/* ---------------------------------------------------------------- the sample */

static void load_sample(struct dk_reference **set)
{
    static const char *const files[] = {"organization", "calendars", "people", "shifts",
                                        "catalogue",    "promises",  "notices"};
    assert_int_equal(dk_reference_new(set, NULL), 0);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[1024];
        struct dk_err err = {0};
        snprintf(path, sizeof path, "%s/nodes/sample/%s.yaml", DK_SOURCE_DIR, files[i]);
        dk_reference_add_file(*set, path, &err);
        assert_string_equal(err.message, "");
    }
}

static void test_reference_sample_is_clean_and_stays(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct dk_reference *set;
    assert_int_equal(dk_refs_new(&fixture.refs, NULL), 0);
    load_sample(&set);
    assert_clean(set, dk_reference_compare(set, fixture.refs, NOW_US, NULL));
    assert_in_range(dk_reference_change_count(set), 60, 120);
    append(&fixture, set);
    dk_reference_free(&set);

    load_sample(&set);
    assert_clean(set, dk_reference_compare(set, fixture.refs, NOW_US, NULL));
    assert_int_equal(dk_reference_change_count(set), 0);
    dk_reference_free(&set);

    uint64_t vpn = test_id(DK_SUBJECT_PRODUCT, "vpn");
    for (unsigned line = 1; line <= 3; line++)
        assert_int_not_equal(dk_refs_route(fixture.refs, vpn, line, NOW_US, NULL), 0);
    dk_refs_free(&fixture.refs);
}

static void test_reference_prints_an_entity(void **state)
{
    const struct fixture *fixture = *state;
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    dk_reference_print_entity(
        fixture->refs, dk_refs_at(fixture->refs, test_id(DK_SUBJECT_POLICY, "default"), NOW_US),
        out);
    fclose(out);
    assert_string_equal(text, "  goals.resolution.high: 8h\n"
                              "  goals.resolution.any: 16h\n"
                              "  calendar: office\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_reference_twice_is_once),
        TEST(test_reference_one_field_is_one_change),
        TEST(test_reference_reads_which_tier_needs_which_agents),
        TEST(test_reference_says_changes_in_words),
        TEST(test_reference_policies_change_places),
        TEST(test_reference_a_policy_moves_to_another_list),
        TEST(test_reference_removes_when_told),
        TEST(test_reference_takes_effect_when_told),
        TEST(test_reference_a_shift_may_follow_another),
        TEST(test_reference_prints_json),
        TEST(test_reference_sample_is_clean_and_stays),
        TEST(test_reference_prints_an_entity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
