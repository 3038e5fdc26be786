#include "tests/unit/refs_fixture.h"
#include <stdio.h>

static void define_group(struct dk_refs *refs, uint64_t position, int64_t recorded_us,
                         int64_t effective_us, const char *key, uint32_t line)
{
    Docket__GroupDefined body = DOCKET__GROUP_DEFINED__INIT;
    body.definition = test_definition(key);
    body.definition->has_effective_us = effective_us != 0;
    body.definition->effective_us = effective_us;
    body.has_line = 1;
    body.line = line;
    test_define(refs, position, recorded_us, DK_KIND_GROUP_DEFINED, &body);
}

static uint32_t line_at(const struct dk_refs *refs, uint64_t group, int64_t at_us)
{
    const Docket__GroupDefined *body = dk_refs_group(refs, group, at_us);
    return body != NULL ? body->line : 0;
}

static void test_refs_definition_stands_first_in_every_body(void **state)
{
    (void)state;
    for (uint32_t kind = DK_KIND_DEFINED_FROM; kind <= DK_KIND_DEFINED_LAST; kind++) {
        const ProtobufCFieldDescriptor *first = &dk_body_descriptor(kind)->fields[0];
        assert_string_equal(first->name, "definition");
        assert_int_equal(first->id, 1);
        assert_int_equal(first->offset, sizeof(ProtobufCMessage));
    }
}

static void test_refs_versions_are_in_force_from_their_instant(void **state)
{
    struct dk_refs *refs = *state;
    uint64_t desk = test_id(DK_SUBJECT_GROUP, "desk");
    define_group(refs, 1, 1000, 0, "desk", 1);
    define_group(refs, 2, 2000, 5000, "desk", 2); /* announced */
    define_group(refs, 3, 3000, 500, "desk", 3);  /* late: was so before the first */

    assert_null(dk_refs_at(refs, desk, 499));
    assert_int_equal(line_at(refs, desk, 500), 3);
    assert_int_equal(line_at(refs, desk, 999), 3);
    assert_int_equal(line_at(refs, desk, 1000), 1);
    assert_int_equal(line_at(refs, desk, 4999), 1);
    assert_int_equal(line_at(refs, desk, 5000), 2);
    assert_int_equal(line_at(refs, desk, INT64_MAX), 2);
    assert_int_equal(dk_refs_last(refs, desk)->position, 3);
    assert_int_equal(dk_refs_last(refs, desk)->version, 3);
}

static void test_refs_later_position_wins_at_one_instant(void **state)
{
    struct dk_refs *refs = *state;
    uint64_t desk = test_id(DK_SUBJECT_GROUP, "desk");
    define_group(refs, 1, 1000, 1000, "desk", 1);
    define_group(refs, 2, 2000, 7000, "desk", 2);
    define_group(refs, 3, 3000, 1000, "desk", 3);
    assert_int_equal(line_at(refs, desk, 1000), 3);
    assert_int_equal(line_at(refs, desk, 6999), 3);
    assert_int_equal(line_at(refs, desk, 7000), 2);
}

static void test_refs_removed_is_found_by_last_only(void **state)
{
    struct dk_refs *refs = *state;
    uint64_t desk = test_id(DK_SUBJECT_GROUP, "desk");
    define_group(refs, 1, 1000, 0, "desk", 1);
    Docket__GroupDefined gone = DOCKET__GROUP_DEFINED__INIT;
    gone.definition = test_definition("desk");
    gone.definition->has_removed = 1;
    gone.definition->removed = 1;
    test_define(refs, 2, 2000, DK_KIND_GROUP_DEFINED, &gone);

    assert_int_equal(line_at(refs, desk, 1999), 1);
    assert_null(dk_refs_at(refs, desk, 2000));
    assert_true(dk_refs_last(refs, desk)->removed);
    assert_int_equal(dk_refs_by_key(refs, DK_SUBJECT_GROUP, "desk", 4), desk);
    define_group(refs, 3, 3000, 0, "desk", 2);
    assert_int_equal(line_at(refs, desk, 3000), 2);
}

static void test_refs_passes_over_what_is_no_definition(void **state)
{
    struct dk_refs *refs = *state;
    struct dk_buf buf;
    dk_buf_init(&buf, 4096);
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;
    struct dk_envelope envelope = {.subject = dk_ticket_make(1, 1)};
    assert_int_equal(dk_event_encode(&buf, &envelope, DK_KIND_NOTE_ADDED, &note.base, NULL), 0);
    assert_int_equal(dk_refs_apply(refs, buf.data, buf.size, NULL), 0);
    assert_int_equal(dk_refs_epoch(refs), 0);
    dk_buf_close(&buf);
}

static void test_refs_refuses_what_it_could_not_type(void **state)
{
    struct dk_refs *refs = *state;
    struct dk_err err;
    struct dk_buf buf;
    dk_buf_init(&buf, 4096);
    Docket__GroupDefined body = DOCKET__GROUP_DEFINED__INIT;
    body.definition = test_definition("desk");
    struct dk_envelope envelope = {.subject = test_id(DK_SUBJECT_AGENT, "desk")};
    assert_int_equal(dk_event_encode(&buf, &envelope, DK_KIND_GROUP_DEFINED, &body.base, NULL), 0);
    assert_int_equal(dk_refs_apply(refs, buf.data, buf.size, &err), DK_EINVAL);
    assert_string_equal(err.field, "subject");

    dk_stamp_subject(buf.data, test_id(DK_SUBJECT_GROUP, "desk"));
    buf.data[buf.size - 5] = 0xff; /* the key's length */
    assert_int_equal(dk_refs_apply(refs, buf.data, buf.size, &err), DK_EINVAL);
    assert_int_equal(dk_refs_epoch(refs), 0);
    dk_buf_close(&buf);
}

static void test_refs_bodies_stay_while_many_come_in(void **state)
{
    struct dk_refs *refs = *state;
    uint64_t first = test_id(DK_SUBJECT_GROUP, "group-0");
    define_group(refs, 1, 1, 0, "group-0", 7);
    const Docket__GroupDefined *body = dk_refs_group(refs, first, 1);
    for (uint32_t i = 1; i < 30000; i++) { /* fills several arenas */
        char key[32];
        snprintf(key, sizeof key, "group-%u", i);
        define_group(refs, i + 1, i + 1, 0, key, i);
    }
    assert_ptr_equal(dk_refs_group(refs, first, 30000), body);
    assert_int_equal(body->line, 7);
    assert_int_equal(line_at(refs, test_id(DK_SUBJECT_GROUP, "group-29999"), 30000), 29999);
}

/* Notes the subjects it is shown, and stops at position 99. */
static int note_subject(void *arg, const struct dk_refs_version *version)
{
    uint64_t **next = arg;
    *(*next)++ = version->subject;
    return version->position == 99 ? 5 : 0;
}

static void test_refs_each_goes_by_id_and_stops(void **state)
{
    struct dk_refs *refs = *state;
    define_group(refs, 1, 1000, 0, "a", 1);
    define_group(refs, 2, 1000, 0, "b", 1);
    define_group(refs, 3, 1000, 0, "c", 1);
    define_group(refs, 4, 1000, 9000, "later", 1);
    uint64_t seen[8];
    uint64_t *next = seen;
    assert_int_equal(dk_refs_each(refs, DK_SUBJECT_GROUP, 1000, note_subject, &next), 0);
    assert_int_equal(next - seen, 3);
    assert_true(seen[0] < seen[1] && seen[1] < seen[2]);
    uint64_t second = seen[1];
    define_group(refs, 99, 1000, 0,
                 second == test_id(DK_SUBJECT_GROUP, "a")   ? "a"
                 : second == test_id(DK_SUBJECT_GROUP, "b") ? "b"
                                                            : "c",
                 2);
    next = seen;
    assert_int_equal(dk_refs_each(refs, DK_SUBJECT_GROUP, 1000, note_subject, &next), 5);
    assert_int_equal(next - seen, 2);
}

static void test_refs_names_and_keys(void **state)
{
    struct dk_refs *refs = *state;
    char text[DK_NAME_BYTES];
    Docket__AgentDefined agent = DOCKET__AGENT_DEFINED__INIT;
    agent.definition = test_definition("mara");
    agent.first_name = test_text("Mara");
    agent.surname = test_text("Lindqvist");
    test_define(refs, 1, 1000, DK_KIND_AGENT_DEFINED, &agent);
    define_group(refs, 2, 1000, 0, "desk", 1);
    Docket__SiteDefined site = DOCKET__SITE_DEFINED__INIT;
    site.definition = test_definition("lisbon");
    site.definition->has_name = 1;
    site.definition->name = test_bytes("Lisbon office");
    site.zone = test_bytes("Europe/Lisbon");
    site.number = 1;
    test_define(refs, 3, 1000, DK_KIND_SITE_DEFINED, &site);

    assert_string_equal(dk_refs_name(refs, test_id(DK_SUBJECT_AGENT, "mara"), text),
                        "Mara Lindqvist");
    assert_string_equal(dk_refs_name(refs, test_id(DK_SUBJECT_GROUP, "desk"), text), "desk");
    assert_string_equal(dk_refs_name(refs, test_id(DK_SUBJECT_SITE, "lisbon"), text),
                        "Lisbon office");
    assert_string_equal(dk_refs_name(refs, dk_ticket_make(7, 1042), text), "7-1042");
    assert_int_equal(dk_refs_by_key(refs, DK_SUBJECT_AGENT, "mara", 4),
                     test_id(DK_SUBJECT_AGENT, "mara"));
    assert_int_equal(dk_refs_by_key(refs, DK_SUBJECT_GROUP, "mara", 4), 0);
}

/* Who meets a customer for the first time defines them since ever: what is known of them otherwise
 * is what they are called, whichever came into the log later. */
static void test_refs_name_a_customer_by_what_is_known(void **state)
{
    struct dk_refs *refs = *state;
    Docket__Definition *met = test_definition("d1a5"), known = *met;
    Docket__Text *addresses[] = {test_text("anna@example.com")};
    Docket__CustomerDefined body = DOCKET__CUSTOMER_DEFINED__INIT;
    uint64_t subject = test_id(DK_SUBJECT_CUSTOMER, "d1a5");
    char text[DK_NAME_BYTES];

    met->has_effective_us = 1;
    met->effective_us = DK_TIME_MIN_US;
    body.definition = met;
    test_define(refs, 1, 1000, DK_KIND_CUSTOMER_DEFINED, &body);
    assert_string_equal(dk_refs_name(refs, subject, text), "d1a5");
    body.address = addresses;
    body.n_address = 1;
    test_define(refs, 2, 1000, DK_KIND_CUSTOMER_DEFINED, &body);
    assert_string_equal(dk_refs_name(refs, subject, text), "anna@example.com");
    body.definition = &known;
    body.full_name = test_text("Anna Berg");
    test_define(refs, 3, 2000, DK_KIND_CUSTOMER_DEFINED, &body);
    body.definition = met;
    body.full_name = NULL;
    test_define(refs, 4, 3000, DK_KIND_CUSTOMER_DEFINED, &body);
    assert_string_equal(dk_refs_name(refs, subject, text), "Anna Berg");
}

/* A person's id is salted: it does not follow from the key, which is still found. */
static void test_refs_by_key_finds_salted_ids(void **state)
{
    struct dk_refs *refs = *state;
    static const uint8_t salt[DK_SALT_BYTES] = {1, 2, 3};
    uint64_t subject = dk_id_of_key(DK_SUBJECT_COMPANY, "acme", 4, salt);
    Docket__CompanyDefined body = DOCKET__COMPANY_DEFINED__INIT;
    body.definition = test_definition("acme");
    struct dk_envelope envelope = {.subject = subject, .recorded_us = 1000};
    struct dk_buf buf;
    dk_buf_init(&buf, 4096);
    assert_int_equal(dk_event_encode(&buf, &envelope, DK_KIND_COMPANY_DEFINED, &body.base, NULL),
                     0);
    assert_int_equal(dk_refs_apply(refs, buf.data, buf.size, NULL), 0);
    dk_buf_close(&buf);
    assert_int_not_equal(subject, test_id(DK_SUBJECT_COMPANY, "acme"));
    assert_int_equal(dk_refs_by_key(refs, DK_SUBJECT_COMPANY, "acme", 4), subject);
}

static void define_product(struct dk_refs *refs, uint64_t position, int64_t recorded_us,
                           const char *key, const char *parent, unsigned line, const char *group)
{
    Docket__ProductDefined body = DOCKET__PRODUCT_DEFINED__INIT;
    Docket__Route route = DOCKET__ROUTE__INIT;
    Docket__Route *routes[] = {&route};
    body.definition = test_definition(key);
    body.has_parent = parent != NULL;
    body.parent = parent != NULL ? test_id(DK_SUBJECT_PRODUCT, parent) : 0;
    if (group != NULL) {
        route.line = line;
        route.group = test_id(DK_SUBJECT_GROUP, group);
        body.route = routes;
        body.n_route = 1;
    }
    test_define(refs, position, recorded_us, DK_KIND_PRODUCT_DEFINED, &body);
}

static void test_refs_r1_route_is_the_nearest_ancestors(void **state)
{
    struct dk_refs *refs = *state;
    define_product(refs, 1, 1000, "network", NULL, 1, "desk");
    define_product(refs, 2, 1000, "remote", "network", 2, "engineers");
    define_product(refs, 3, 1000, "vpn", "remote", 0, NULL);
    define_product(refs, 4, 2000, "vpn", "remote", 1, "vpn-desk");
    uint64_t vpn = test_id(DK_SUBJECT_PRODUCT, "vpn");
    uint64_t node = 0;

    assert_int_equal(dk_refs_route(refs, vpn, 1, 1500, &node), test_id(DK_SUBJECT_GROUP, "desk"));
    assert_int_equal(node, test_id(DK_SUBJECT_PRODUCT, "network"));
    assert_int_equal(dk_refs_route(refs, vpn, 1, 2000, &node),
                     test_id(DK_SUBJECT_GROUP, "vpn-desk"));
    assert_int_equal(node, vpn);
    assert_int_equal(dk_refs_route(refs, vpn, 2, 2000, NULL),
                     test_id(DK_SUBJECT_GROUP, "engineers"));
    assert_int_equal(dk_refs_route(refs, vpn, 3, 2000, NULL), 0);
    assert_int_equal(dk_refs_route(refs, vpn, 1, 999, NULL), 0);
    assert_true(dk_refs_product_within(refs, vpn, test_id(DK_SUBJECT_PRODUCT, "network"), 2000));
    assert_true(dk_refs_product_within(refs, vpn, vpn, 2000));
    assert_false(dk_refs_product_within(refs, test_id(DK_SUBJECT_PRODUCT, "remote"), vpn, 2000));
}

/* Of itself and all above it as they stand then; what was never defined has no future. */
static void test_refs_a_route_may_change_when_any_ancestor_does(void **state)
{
    struct dk_refs *refs = *state;
    uint64_t vpn = test_id(DK_SUBJECT_PRODUCT, "vpn");
    assert_true(dk_refs_next_route_us(refs, vpn, 0) == INT64_MAX);
    define_product(refs, 1, 1000, "network", NULL, 1, "desk");
    define_product(refs, 2, 1000, "vpn", "network", 0, NULL);
    define_product(refs, 3, 3000, "vpn", NULL, 0, NULL);
    define_product(refs, 4, 2000, "network", NULL, 1, "engineers");
    define_product(refs, 5, 4000, "network", NULL, 1, "desk");
    assert_int_equal(dk_refs_next_route_us(refs, vpn, 999), 1000);
    assert_int_equal(dk_refs_next_route_us(refs, vpn, 1000), 2000);
    assert_int_equal(dk_refs_next_route_us(refs, vpn, 2000), 3000);
    assert_true(dk_refs_next_route_us(refs, vpn, 3000) == INT64_MAX); /* it stands alone then */
}

static void test_refs_a_catalogue_cycle_ends(void **state)
{
    struct dk_refs *refs = *state;
    define_product(refs, 1, 1000, "egg", "hen", 0, NULL);
    define_product(refs, 2, 1000, "hen", "egg", 0, NULL);
    uint64_t egg = test_id(DK_SUBJECT_PRODUCT, "egg");
    assert_int_equal(dk_refs_route(refs, egg, 1, 1000, NULL), 0);
    assert_true(dk_refs_next_route_us(refs, egg, 1000) == INT64_MAX);
    assert_false(dk_refs_product_within(refs, egg, test_id(DK_SUBJECT_PRODUCT, "nest"), 1000));
}

static void define_policy(struct dk_refs *refs, uint64_t position, int64_t recorded_us,
                          const char *key, uint32_t order, Docket__PolicyType type, bool removed)
{
    Docket__PolicyDefined body = DOCKET__POLICY_DEFINED__INIT;
    body.definition = test_definition(key);
    body.definition->has_removed = removed;
    body.definition->removed = removed;
    body.type = type;
    body.order = order;
    test_define(refs, position, recorded_us, DK_KIND_POLICY_DEFINED, &body);
}

static void assert_policies(struct dk_refs *refs, Docket__PolicyType type, int64_t at_us,
                            const char *expected)
{
    size_t count;
    const struct dk_refs_version *const *list = dk_refs_policies(refs, type, at_us, &count);
    char names[256] = "";
    for (size_t i = 0; i < count; i++) {
        char text[DK_NAME_BYTES];
        strcat(names, dk_refs_name(refs, list[i]->subject, text));
        strcat(names, " ");
    }
    assert_string_equal(names, expected);
}

static void test_refs_policies_are_listed_as_of(void **state)
{
    struct dk_refs *refs = *state;
    const Docket__PolicyType sla = DOCKET__POLICY_TYPE__POLICY_SLA;
    const Docket__PolicyType uc = DOCKET__POLICY_TYPE__POLICY_UC;
    assert_policies(refs, sla, 1000, "");
    define_policy(refs, 1, 1000, "default", 9, sla, false);
    define_policy(refs, 2, 1000, "gold", 1, sla, false);
    define_policy(refs, 3, 1000, "partner", 1, uc, false);
    define_policy(refs, 4, 2000, "silver", 2, sla, false);
    assert_policies(refs, sla, 999, "");
    assert_policies(refs, sla, 1000, "gold default ");
    assert_policies(refs, sla, 1999, "gold default ");
    assert_policies(refs, sla, 2000, "gold silver default ");
    assert_policies(refs, uc, 5000, "partner ");
    define_policy(refs, 5, 3000, "gold", 1, sla, true);
    define_policy(refs, 6, 3000, "silver", 10, sla, false);
    assert_policies(refs, sla, 2500, "gold silver default ");
    assert_policies(refs, sla, 3000, "default silver ");

    size_t count;
    const void *list = dk_refs_policies(refs, sla, 3000, &count);
    assert_ptr_equal(dk_refs_policies(refs, sla, 9999, &count), list); /* kept, not made anew */
}

/* A rule that listens to these kinds. */
static void define_rule(struct dk_refs *refs, uint64_t position, int64_t recorded_us,
                        uint32_t *kinds, size_t count)
{
    Docket__RuleDefined body = DOCKET__RULE_DEFINED__INIT;
    body.definition = test_definition("tell-owner");
    body.recipient = DOCKET__RULE_RECIPIENT__RULE_OWNER;
    body.transport = DOCKET__TRANSPORT__TRANSPORT_FILE;
    body.template_ = test_id(DK_SUBJECT_TEMPLATE, "breach");
    body.on_kind = kinds;
    body.n_on_kind = count;
    test_define(refs, position, recorded_us, DK_KIND_RULE_DEFINED, &body);
}

static void test_refs_rules_listen_to_kinds(void **state)
{
    struct dk_refs *refs = *state;
    uint32_t kinds[] = {DK_KIND_CLOCK_BREACHED, DK_KIND_ASSIGNED};
    define_rule(refs, 1, 1000, kinds, 2);
    define_rule(refs, 2, 2000, kinds, 1);

    size_t count;
    assert_non_null(dk_refs_rules(refs, DK_KIND_ASSIGNED, 1999, &count));
    assert_int_equal(count, 1);
    dk_refs_rules(refs, DK_KIND_ASSIGNED, 2000, &count);
    assert_int_equal(count, 0);
    const struct dk_refs_version *const *rules =
        dk_refs_rules(refs, DK_KIND_CLOCK_BREACHED, 2000, &count);
    assert_int_equal(count, 1);
    assert_int_equal(rules[0]->version, 2);
    dk_refs_rules(refs, DK_KIND_OPENED, 2000, &count);
    assert_int_equal(count, 0);
}

/* Lists are kept by kind: those whose numbers are alike in their last eight bits are two. */
static void test_refs_rules_of_high_kinds_are_their_own(void **state)
{
    struct dk_refs *refs = *state;
    uint32_t kinds[] = {DK_KIND_MIN, DK_KIND_MAX};
    define_rule(refs, 1, 1000, kinds, 2);

    size_t count;
    for (uint32_t kind = DK_KIND_MIN; kind <= DK_KIND_MAX; kind++) {
        dk_refs_rules(refs, kind, 1000, &count);
        assert_int_equal(count, kind == DK_KIND_MIN || kind == DK_KIND_MAX);
    }
}

static void test_refs_settings_have_defaults(void **state)
{
    struct dk_refs *refs = *state;
    struct dk_settings settings;
    dk_refs_settings(refs, 1000, &settings);
    assert_int_equal(settings.reopen_days, 14);
    assert_int_equal(settings.repeat_contact_days, 7);
    assert_int_equal(settings.follow_up_days, 0);
    assert_int_equal(settings.auto_close_days, 0);
    assert_int_equal(settings.offer_timeout_us, 0);
    assert_int_equal(settings.queue_timeout_us, 15 * DK_MINUTE_US);
    assert_int_equal(settings.channel_weight[DOCKET__CHANNEL__CHANNEL_ON_BEHALF], 1);
    assert_int_equal(settings.calendar, 0);

    Docket__SettingsDefined body = DOCKET__SETTINGS_DEFINED__INIT;
    Docket__ChannelCapacity phone = DOCKET__CHANNEL_CAPACITY__INIT;
    Docket__ChannelCapacity *weights[] = {&phone};
    phone.channel = DOCKET__CHANNEL__CHANNEL_PHONE;
    phone.capacity = 3;
    body.definition = test_definition("settings");
    body.has_reopen_days = 1;
    body.reopen_days = 30;
    body.channel_weight = weights;
    body.n_channel_weight = 1;
    test_define(refs, 1, 2000, DK_KIND_SETTINGS_DEFINED, &body);
    dk_refs_settings(refs, 1999, &settings);
    assert_int_equal(settings.reopen_days, 14);
    dk_refs_settings(refs, 2000, &settings);
    assert_int_equal(settings.reopen_days, 30);
    assert_int_equal(settings.repeat_contact_days, 7);
    assert_int_equal(settings.channel_weight[DOCKET__CHANNEL__CHANNEL_PHONE], 3);
    assert_int_equal(settings.channel_weight[DOCKET__CHANNEL__CHANNEL_EMAIL], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_refs_definition_stands_first_in_every_body),
        TEST(test_refs_versions_are_in_force_from_their_instant),
        TEST(test_refs_later_position_wins_at_one_instant),
        TEST(test_refs_removed_is_found_by_last_only),
        TEST(test_refs_passes_over_what_is_no_definition),
        TEST(test_refs_refuses_what_it_could_not_type),
        TEST(test_refs_bodies_stay_while_many_come_in),
        TEST(test_refs_each_goes_by_id_and_stops),
        TEST(test_refs_names_and_keys),
        TEST(test_refs_name_a_customer_by_what_is_known),
        TEST(test_refs_by_key_finds_salted_ids),
        TEST(test_refs_r1_route_is_the_nearest_ancestors),
        TEST(test_refs_a_route_may_change_when_any_ancestor_does),
        TEST(test_refs_a_catalogue_cycle_ends),
        TEST(test_refs_policies_are_listed_as_of),
        TEST(test_refs_rules_listen_to_kinds),
        TEST(test_refs_rules_of_high_kinds_are_their_own),
        TEST(test_refs_settings_have_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
