#include "nodes/notification/notification.h"
#include "proto/fold/ticket.h"

#include "tests/unit/notification_site.h"
#include <inttypes.h>
#include <stdio.h>

/* ---------------------------------------------------------------- what is owed */

static void test_notification_a_rule_tells_the_owner(void **state)
{
    struct role_world *world = *state;
    (void)site_add_rule(world, site_rule("tell-owner", DK_KIND_ASSIGNED, RECIPIENT(OWNER)));
    uint64_t ticket = site_ticket(world);
    ASSERT_EQ(world_settle(world), 0);
    uint64_t cause = site_assign(world, ticket, ANNA);
    ASSERT_EQ(world_settle(world), 1);

    const Docket__NotificationRequested *requested = site_last_request(world);
    ASSERT_TRUE(requested->rule == test_id(DK_SUBJECT_RULE, "tell-owner"));
    ASSERT_EQ(requested->rule_version, 1);
    ASSERT_EQ(requested->transport, DOCKET__TRANSPORT__TRANSPORT_FILE);
    ASSERT_TRUE(requested->recipient->subject == ANNA);
    assert_memory_equal(requested->recipient->address->plain.data, "news.jsonl", 10);
    ASSERT_TRUE(requested->template_ == TEMPLATE);
    ASSERT_TRUE(requested->has_language && requested->language.len == 2);
    assert_memory_equal(requested->language.data, "de", 2);
    ASSERT_EQ(requested->decision->cause, cause);
    ASSERT_EQ(requested->decision->basis, cause);

    uint64_t id;
    const struct dk_notice *notice = dk_notification_next(dk_folder_self(world->folder), 0, &id);
    ASSERT_TRUE(id == requested->notice && notice->ticket == ticket);
    ASSERT_EQ(notice->position, world->count);
    ASSERT_EQ(notice->cause, cause);
    ASSERT_TRUE(notice->receiver != 0);
}

static void test_notification_N1_nothing_is_requested_twice(void **state)
{
    struct role_world *world = *state;
    (void)site_add_rule(world, site_rule("tell-owner", DK_KIND_ASSIGNED, RECIPIENT(OWNER)));
    uint64_t ticket = site_ticket(world);
    (void)site_assign(world, ticket, ANNA);
    world_restart(world); /* before it was decided: nothing is lost */
    ASSERT_EQ(world_settle(world), 1);
    uint64_t notice = site_last_request(world)->notice;
    ASSERT_EQ(world_settle(world), 0);
    world_restart(world);
    ASSERT_EQ(world_settle(world), 0);
    ASSERT_EQ(site_pending(world), 1);

    (void)site_send(world, ticket, notice);
    ASSERT_EQ(site_pending(world), 0);
    world_restart(world);
    ASSERT_EQ(world_settle(world), 0);
    ASSERT_EQ(site_pending(world), 0);
    (void)site_assign(world, ticket, ANNA); /* another event: another notice */
    ASSERT_EQ(world_settle(world), 1);
    ASSERT_TRUE(site_last_request(world)->notice != notice);
}

static void test_notification_N1_ids_tell_rule_event_and_recipient_apart(void **state)
{
    struct role_world *world = *state;
    uint64_t seen[4], count = 0;
    Docket__RuleDefined *elsewhere = site_rule("two", DK_KIND_ASSIGNED, RECIPIENT(OWNER));
    elsewhere->address = test_text("elsewhere.jsonl");
    (void)site_add_rule(world, site_rule("one", DK_KIND_ASSIGNED, RECIPIENT(OWNER)));
    (void)site_add_rule(world, elsewhere);
    uint64_t ticket = site_ticket(world);
    for (int i = 0; i < 2; i++) {
        (void)site_assign(world, ticket, ANNA);
        ASSERT_EQ(world_settle(world), 2);
        for (uint64_t back = 0; back < 2; back++) {
            const Docket__NotificationRequested *requested =
                world_body(world, world->count - back, DK_KIND_NOTIFICATION_REQUESTED);
            seen[count++] = requested->notice;
        }
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t other = 0; other < i; other++) {
            ASSERT_TRUE(seen[i] != seen[other]);
        }
    }
}

static void test_notification_more_than_one_batch_is_requested_in_full(void **state)
{
    struct role_world *world = *state;
    for (int i = 0; i < DK_INTENTS_MAX + 44; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "rule-%d", i);
        Docket__RuleDefined *rule = site_rule(key, DK_KIND_ASSIGNED, RECIPIENT(OWNER));
        rule->address = test_text(key);
        (void)site_add_rule(world, rule);
    }
    (void)site_assign(world, site_ticket(world), ANNA);
    ASSERT_EQ(world_settle(world), DK_INTENTS_MAX + 44);
    ASSERT_EQ(site_pending(world), DK_INTENTS_MAX + 44);
    ASSERT_EQ(world_settle(world), 0);
}

static void test_notification_conditions_choose(void **state)
{
    struct role_world *world = *state;
    Docket__RuleDefined *rule = site_rule("urgent", DK_KIND_ASSIGNED, RECIPIENT(OWNER));
    Docket__Condition condition = DOCKET__CONDITION__INIT, *conditions[] = {&condition};
    uint32_t priority = DOCKET__PRIORITY__PRIORITY_LOW;
    condition.field = DOCKET__CONDITION_FIELD__CONDITION_PRIORITY;
    condition.n_number = 1;
    condition.number = &priority;
    rule->n_condition = 1;
    rule->condition = conditions;
    (void)site_add_rule(world, rule);
    uint64_t ticket = site_ticket(world);
    (void)site_assign(world, ticket, ANNA);
    ASSERT_EQ(world_settle(world), 0);

    Docket__Classified classified = DOCKET__CLASSIFIED__INIT;
    classified.has_priority = 1;
    classified.priority = DOCKET__PRIORITY__PRIORITY_LOW;
    (void)world_append(world, ticket, DK_KIND_CLASSIFIED, &classified);
    (void)site_assign(world, ticket, ANNA);
    ASSERT_EQ(world_settle(world), 1);
}

/* The row ends with its last tag: it grows and shrinks, and the rest of it stays. */
static void test_notification_what_is_kept_of_a_ticket(void **state)
{
    struct role_world *world = *state;
    ProtobufCBinaryData tags[] = {test_bytes("vip"), test_bytes("outage")};
    Docket__Opened opened = DOCKET__OPENED__INIT;
    Docket__Classified classified = DOCKET__CLASSIFIED__INIT;
    opened.n_tag = 2;
    opened.tag = tags;
    uint64_t ticket = world_open_ticket(world, &opened), position = world->count;
    classified.has_language = 1;
    classified.language = test_bytes("zh-Hant-TW");
    classified.n_tag_removed = 1;
    classified.tag_removed = tags;
    (void)world_append(world, ticket, DK_KIND_CLASSIFIED, &classified);
    (void)site_assign(world, ticket, ANNA);
    const struct dk_notice_ticket *kept =
        dk_notification_ticket(dk_folder_self(world->folder), ticket);
    ASSERT_EQ(kept->opened, position);
    ASSERT_STR(kept->language, "zh-Hant-TW");
    ASSERT_EQ(kept->traits.tag_count, 1);
    ASSERT_EQ(kept->traits.tag[0], dk_transition_word(tags[1].data, tags[1].len));
    ASSERT_EQ(kept->traits.priority, DOCKET__PRIORITY__PRIORITY_NORMAL);
}

static void warn(struct role_world *world, uint64_t ticket, Docket__Metric metric, uint32_t level)
{
    Docket__ClockWarned warned = DOCKET__CLOCK_WARNED__INIT;
    Docket__ClockRef clock = DOCKET__CLOCK_REF__INIT;
    clock.metric = metric;
    clock.instance = 1;
    warned.clock = &clock;
    warned.has_level = 1;
    warned.level = level;
    (void)world_append(world, ticket, DK_KIND_CLOCK_WARNED, &warned);
}

static void test_notification_level_and_metric_of_clocks(void **state)
{
    struct role_world *world = *state;
    Docket__RuleDefined *rule = site_rule("warn", DK_KIND_CLOCK_WARNED, RECIPIENT(GROUP));
    rule->has_level = rule->has_metric = 1;
    rule->level = 90;
    rule->metric = DOCKET__METRIC__METRIC_RESOLUTION;
    (void)site_add_rule(world, rule);
    uint64_t ticket = site_ticket(world);
    warn(world, ticket, DOCKET__METRIC__METRIC_RESOLUTION, 50);
    warn(world, ticket, DOCKET__METRIC__METRIC_FIRST_REPLY, 90);
    ASSERT_EQ(world_settle(world), 0);
    warn(world, ticket, DOCKET__METRIC__METRIC_RESOLUTION, 90);
    ASSERT_EQ(world_settle(world), 1);
    ASSERT_TRUE(site_last_request(world)->recipient->subject == DESK);

    rule = site_rule("assigned", DK_KIND_ASSIGNED, RECIPIENT(OWNER)); /* has no clock */
    rule->has_metric = 1;
    rule->metric = DOCKET__METRIC__METRIC_RESOLUTION;
    (void)site_add_rule(world, rule);
    (void)site_assign(world, ticket, ANNA);
    ASSERT_EQ(world_settle(world), 0);
}

/* ---------------------------------------------------------------- to whom */

static void hand_to_supplier(struct role_world *world, uint64_t ticket)
{
    Docket__SupplierHanded handed = DOCKET__SUPPLIER_HANDED__INIT;
    handed.supplier = VENDOR;
    (void)world_append(world, ticket, DK_KIND_SUPPLIER_HANDED, &handed);
}

static void test_notification_recipients(void **state)
{
    struct role_world *world = *state;
    const struct {
        Docket__RuleRecipient recipient;
        uint64_t subject;
        const char *address, *language;
    } table[] = {
        {RECIPIENT(OWNER), ANNA, "agent@desk.example", "de"},
        {RECIPIENT(GROUP), DESK, NULL, NULL},
        {RECIPIENT(CUSTOMER), CARL, "carl@home.example", "sv"},
        {RECIPIENT(MANAGER), MARA, "agent@desk.example", NULL},
        {RECIPIENT(FIXED), MARA, "agent@desk.example", NULL},
        {RECIPIENT(SUPPLIER), VENDOR, "help@vendor.example", NULL},
    };
    uint64_t ticket = site_ticket(world);
    hand_to_supplier(world, ticket);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        Docket__RuleDefined *rule = site_rule("rule", DK_KIND_ASSIGNED, table[i].recipient);
        rule->address = NULL; /* where the recipient is reached by definition */
        rule->has_recipient_id = table[i].recipient == RECIPIENT(FIXED);
        rule->recipient_id = MARA;
        (void)site_add_rule(world, rule);
        (void)site_assign(world, ticket, ANNA);
        ASSERT_EQ(world_settle(world), 1);
        const Docket__NotificationRequested *requested = site_last_request(world);
        const Docket__Recipient *recipient = requested->recipient;
        ASSERT_EQ(recipient->subject, table[i].subject);
        size_t bytes;
        const char *address = dk_text_plain(recipient->address, &bytes);
        ASSERT_EQ(bytes, table[i].address != NULL ? strlen(table[i].address) : 0);
        assert_memory_equal(address, table[i].address != NULL ? table[i].address : "", bytes);
        ASSERT_EQ(requested->has_language, table[i].language != NULL);
        ASSERT_TRUE(table[i].language == NULL ||
                    memcmp(requested->language.data, table[i].language, 2) == 0);
    }
}

static void test_notification_nobody_to_tell_is_no_notice(void **state)
{
    struct role_world *world = *state;
    (void)site_add_rule(world, site_rule("owner", DK_KIND_NOTE_ADDED, RECIPIENT(OWNER)));
    (void)site_add_rule(world, site_rule("vendor", DK_KIND_NOTE_ADDED, RECIPIENT(SUPPLIER)));
    uint64_t ticket = site_ticket(world);
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;
    (void)world_append(world, ticket, DK_KIND_NOTE_ADDED, &note);
    ASSERT_EQ(world_settle(world), 0);
}

static void test_notification_escalation_names_its_manager(void **state)
{
    struct role_world *world = *state;
    Docket__Escalated escalated = DOCKET__ESCALATED__INIT;
    (void)site_add_rule(world, site_rule("up", DK_KIND_ESCALATED, RECIPIENT(MANAGER)));
    uint64_t ticket = site_ticket(world);
    escalated.type = DOCKET__ESCALATION_TYPE__ESCALATION_HIERARCHICAL;
    escalated.has_manager = 1;
    escalated.manager = ANNA;
    (void)world_append(world, ticket, DK_KIND_ESCALATED, &escalated);
    ASSERT_EQ(world_settle(world), 1);
    ASSERT_TRUE(site_last_request(world)->recipient->subject == ANNA);
}

/* ---------------------------------------------------------------- when it is owed at all */

static void test_notification_T1_nothing_for_historical_tickets_until_adopted(void **state)
{
    struct role_world *world = *state;
    Docket__Opened opened = DOCKET__OPENED__INIT;
    Docket__Assigned assigned = DOCKET__ASSIGNED__INIT;
    Docket__Adopted adopted = DOCKET__ADOPTED__INIT;
    uint64_t ticket = dk_ticket_make(7, 99);
    struct dk_envelope imported = {.subject = ticket,
                                   .occurred_us = WORLD_NOW,
                                   .flags = DOCKET__EVENT_FLAG__FLAG_IMPORTED,
                                   .actor = dk_id_make(DK_ACTOR_IMPORTER, 1)};
    (void)site_add_rule(world, site_rule("opened", DK_KIND_OPENED, RECIPIENT(CUSTOMER)));
    (void)site_add_rule(world, site_rule("owner", DK_KIND_ASSIGNED, RECIPIENT(OWNER)));
    opened.has_customer = 1;
    opened.customer = CARL;
    assigned.agent = ANNA;
    imported.occurred_us = world->now_us + 1;
    (void)world_append_as(world, imported, DK_KIND_OPENED, &opened);
    (void)world_append_as(world, imported, DK_KIND_ASSIGNED, &assigned);
    (void)site_assign(world, ticket, ANNA);
    ASSERT_EQ(world_settle(world), 0);
    (void)world_append(world, ticket, DK_KIND_ADOPTED, &adopted);
    ASSERT_EQ(world_settle(world), 0);
    (void)world_append_as(world, imported, DK_KIND_ASSIGNED, &assigned); /* told elsewhere */
    ASSERT_EQ(world_settle(world), 0);
    (void)site_assign(world, ticket, ANNA);
    ASSERT_EQ(world_settle(world), 1);
}

static void test_notification_rules_are_those_in_force_at_occurred(void **state)
{
    struct role_world *world = *state;
    Docket__RuleDefined *rule = site_rule("later", DK_KIND_ASSIGNED, RECIPIENT(OWNER));
    Docket__Assigned assigned = DOCKET__ASSIGNED__INIT;
    int64_t from_us = world->now_us + 1000 * WORLD_STEP_US;
    rule->definition->has_effective_us = 1;
    rule->definition->effective_us = from_us;
    (void)site_add_rule(world, rule);
    uint64_t ticket = site_ticket(world);
    struct dk_envelope late = {.subject = ticket, .actor = dk_id_make(DK_ACTOR_AGENT, 1)};
    assigned.agent = ANNA;
    (void)site_assign(world, ticket, ANNA);
    ASSERT_EQ(world_settle(world), 0);
    world->now_us = from_us;
    late.occurred_us = from_us - 1; /* recorded now */
    (void)world_append_as(world, late, DK_KIND_ASSIGNED, &assigned);
    ASSERT_EQ(world_settle(world), 0);
    late.occurred_us = from_us;
    (void)world_append_as(world, late, DK_KIND_ASSIGNED, &assigned);
    ASSERT_EQ(world_settle(world), 1);
}

static void test_notification_a_rule_changed_in_between_does_not_rewrite_what_is_owed(void **state)
{
    struct role_world *world = *state;
    Docket__RuleDefined *rule = site_rule("owner", DK_KIND_ASSIGNED, RECIPIENT(OWNER));
    (void)site_add_rule(world, rule);
    (void)site_assign(world, site_ticket(world), ANNA); /* the node is away */
    rule->address = test_text("elsewhere.jsonl");
    rule->definition->has_effective_us = 1;
    rule->definition->effective_us = WORLD_NOW;
    (void)site_add_rule(world, rule);
    ASSERT_EQ(world_settle(world), 1);
    ASSERT_EQ(site_last_request(world)->rule_version, 1);
    assert_memory_equal(site_last_request(world)->recipient->address->plain.data, "news.jsonl", 10);
}

static void test_notification_no_notice_about_notices(void **state)
{
    struct role_world *world = *state;
    (void)site_add_rule(world, site_rule("owner", DK_KIND_ASSIGNED, RECIPIENT(OWNER)));
    static const uint32_t kinds[] = {
        DK_KIND_NOTIFICATION_REQUESTED, DK_KIND_NOTIFICATION_SENT,
        DK_KIND_NOTIFICATION_FAILED,    DK_KIND_NOTIFICATION_ACKNOWLEDGED,
        DK_KIND_NOTIFICATION_RETRIED,   DK_KIND_NOTIFICATION_DROPPED,
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "loop-%u", kinds[i]);
        (void)site_add_rule(world, site_rule(key, kinds[i], RECIPIENT(OWNER)));
    }
    uint64_t ticket = site_ticket(world);
    (void)site_assign(world, ticket, ANNA);
    ASSERT_EQ(world_settle(world), 1);
    uint64_t notice = site_last_request(world)->notice;
    (void)site_send(world, ticket, notice);
    (void)site_assign(world, ticket, ANNA);
    ASSERT_EQ(world_settle(world), 1);
    site_fail(world, ticket, site_last_request(world)->notice, true);
    site_retry(world, ticket, notice);
    site_acknowledge(world, ticket, notice);
    site_drop(world, ticket, notice);
    ASSERT_EQ(world_settle(world), 0);
}

/* ---------------------------------------------------------------- what becomes of it */

static void test_notification_given_up_is_kept_in_the_dead_list(void **state)
{
    struct role_world *world = *state;
    (void)site_add_rule(world, site_rule("tell-owner", DK_KIND_ASSIGNED, RECIPIENT(OWNER)));
    uint64_t ticket = site_ticket(world);
    (void)site_assign(world, ticket, ANNA);
    (void)world_settle(world);
    uint64_t notice = site_last_request(world)->notice;
    ASSERT_CONTAINS(site_query(world, "outbox"), "\"ticket\":\"7-1\",\"rule\":\"tell-owner\","
                                                 "\"transport\":\"file\"");
    ASSERT_STR(site_query(world, "dead"), "[]");
    site_fail(world, ticket, notice, false);
    ASSERT_EQ(site_pending(world), 1);
    site_fail(world, ticket, notice, true);
    ASSERT_EQ(site_pending(world), 0);
    ASSERT_STR(site_query(world, "outbox"), "[]");
    ASSERT_CONTAINS(site_query(world, "dead"), "\"attempts\":3");
    ASSERT_CONTAINS(site_query(world, "dead"), "\"error\":\"HTTP 410\"");
    world_restart(world);
    ASSERT_CONTAINS(site_query(world, "dead"), "\"error\":\"HTTP 410\"");
}

/* DOMAIN, Notification: an operator can list, retry and drop the dead. */
static void test_notification_a_retried_one_is_pending_again_with_the_template_of_then(void **state)
{
    struct role_world *world = *state;
    const void *self = dk_folder_self(world->folder);
    (void)site_add_rule(world, site_rule("tell-owner", DK_KIND_ASSIGNED, RECIPIENT(OWNER)));
    uint64_t ticket = site_ticket(world);
    (void)site_assign(world, ticket, ANNA);
    (void)world_settle(world);
    uint64_t notice = site_last_request(world)->notice, requested = world->count, id;
    ASSERT_EQ(dk_notification_find(self, notice)->texts_us, 0);
    site_retry(world, ticket, notice); /* of a pending one: nothing */
    ASSERT_EQ(dk_notification_find(self, notice)->texts_us, 0);
    site_fail(world, ticket, notice, true);
    site_retry(world, ticket, 12345);
    ASSERT_EQ(site_pending(world), 0);
    site_retry(world, ticket, notice);
    const struct dk_notice *again = dk_notification_next(self, requested, &id);
    ASSERT_TRUE(again != NULL && id == notice);
    ASSERT_EQ(again->position, world->count); /* behind what waits */
    ASSERT_EQ(again->requested, requested);   /* where its address stands */
    ASSERT_EQ(again->texts_us, world->now_us);
    ASSERT_STR(site_query(world, "dead"), "[]");
    (void)site_send(world, ticket, notice);
    ASSERT_EQ(site_pending(world), 0);
}

static void test_notification_a_dropped_one_is_nowhere(void **state)
{
    struct role_world *world = *state;
    (void)site_add_rule(world, site_rule("tell-owner", DK_KIND_ASSIGNED, RECIPIENT(OWNER)));
    uint64_t ticket = site_ticket(world), notice[2];
    for (int i = 0; i < 2; i++) {
        (void)site_assign(world, ticket, ANNA);
        (void)world_settle(world);
        notice[i] = site_last_request(world)->notice;
    }
    site_fail(world, ticket, notice[0], true);
    site_drop(world, ticket, notice[0]);
    site_drop(world, ticket, notice[1]);
    ASSERT_STR(site_query(world, "dead"), "[]");
    ASSERT_STR(site_query(world, "outbox"), "[]");
    site_retry(world, ticket, notice[0]);
    ASSERT_EQ(site_pending(world), 0);
    ASSERT_EQ(world_settle(world), 0); /* nor is it owed again */
}

static void test_notification_lists_are_in_order_and_bounded(void **state)
{
    struct role_world *world = *state;
    char expected[128];
    (void)site_add_rule(world, site_rule("tell-owner", DK_KIND_ASSIGNED, RECIPIENT(OWNER)));
    uint64_t ticket = site_ticket(world), notice[300], position[300];
    for (int i = 0; i < 300; i++) {
        (void)site_assign(world, ticket, ANNA);
        (void)world_settle(world);
        notice[i] = site_last_request(world)->notice;
    }
    for (int i = 0; i < 300; i++) {
        site_fail(world, ticket, notice[i], true);
        position[i] = world->count;
    }
    for (int restarted = 0; restarted < 2; restarted++) {
        json_t *list = json_loads(site_query(world, "dead"), 0, NULL);
        ASSERT_EQ(json_array_size(list), 100);
        for (size_t i = 0; i < 100; i++) {
            json_t *row = json_array_get(list, i);
            ASSERT_EQ(json_integer_value(json_object_get(row, "position")), position[i]);
        }
        json_decref(list);
        (void)snprintf(expected, sizeof expected, "after=%" PRIu64, position[299 - 7]);
        const char *argument[] = {expected, "limit=5"};
        list = json_loads(site_query_with(world, "dead", argument, 2), 0, NULL);
        ASSERT_EQ(json_array_size(list), 5);
        ASSERT_EQ(json_integer_value(json_object_get(json_array_get(list, 0), "position")),
                  position[293]);
        json_decref(list);
        world_restart(world);
    }
}

static void test_notification_the_outbox_keeps_its_order(void **state)
{
    struct role_world *world = *state;
    (void)site_add_rule(world, site_rule("tell-owner", DK_KIND_ASSIGNED, RECIPIENT(OWNER)));
    uint64_t ticket = site_ticket(world);
    for (int i = 0; i < 500; i++) {
        (void)site_assign(world, ticket, ANNA);
        ASSERT_EQ(world_settle(world), 1);
        uint64_t notice = site_last_request(world)->notice;
        if (i % 5 != 0) {
            (void)site_send(world, ticket, notice);
        }
    }
    ASSERT_EQ(site_pending(world), 100);
}

static void test_notification_odd_events_do_no_harm(void **state)
{
    struct role_world *world = *state;
    uint64_t ticket = site_ticket(world);
    Docket__NotificationRequested requested = DOCKET__NOTIFICATION_REQUESTED__INIT;
    Docket__Recipient nobody = DOCKET__RECIPIENT__INIT;
    requested.recipient = &nobody;
    requested.transport = DOCKET__TRANSPORT__TRANSPORT_FILE;
    (void)world_append(world, ticket, DK_KIND_NOTIFICATION_REQUESTED, &requested); /* notice 0 */
    requested.notice = 7; /* not decided by a node: no cause */
    (void)world_append(world, ticket, DK_KIND_NOTIFICATION_REQUESTED, &requested);
    ASSERT_EQ(site_pending(world), 0);
    (void)site_send(world, ticket, 0);
    (void)site_send(world, ticket, 12345);
    site_fail(world, ticket, 0, true);
    site_fail(world, ticket, 12345, true);
    ASSERT_STR(site_query(world, "dead"), "[]");
}

/* Notices of one turn: events in their order, of each the urgent rules first, then by key. */
static void test_notification_requests_have_an_order(void **state)
{
    struct role_world *world = *state;
    static const char *const keys[] = {"m", "z", "a", "k", "x"};
    static const char *const expected[] = {"k", "x", "a", "m", "z"}; /* k and x are urgent */
    for (size_t i = 0; i < 5; i++) {
        Docket__RuleDefined *rule = site_rule(keys[i], DK_KIND_ASSIGNED, RECIPIENT(OWNER));
        rule->address = test_text(keys[i]);
        rule->has_urgent = rule->urgent = i > 2;
        (void)site_add_rule(world, rule);
    }
    uint64_t ticket = site_ticket(world);
    uint64_t first = site_assign(world, ticket, ANNA), second = site_assign(world, ticket, MARA);
    ASSERT_EQ(world_settle(world), 10);
    for (size_t i = 0; i < 10; i++) {
        const Docket__NotificationRequested *requested =
            world_body(world, second + 1 + i, DK_KIND_NOTIFICATION_REQUESTED);
        ASSERT_TRUE(requested->rule == test_id(DK_SUBJECT_RULE, expected[i % 5]));
        ASSERT_TRUE(requested->decision->cause == (i < 5 ? first : second));
    }
}

/* How numbers are made may change with the program; what an older one told stays told. */
static void test_notification_a_request_by_another_number_meets_what_is_owed(void **state)
{
    struct role_world *world = *state;
    (void)site_add_rule(world, site_rule("owner", DK_KIND_ASSIGNED, RECIPIENT(OWNER)));
    uint64_t ticket = site_ticket(world);
    (void)site_assign(world, ticket, ANNA);
    ASSERT_EQ(world_settle(world), 1);
    Docket__NotificationRequested requested = *site_last_request(world);
    struct dk_envelope by_node = {.subject = ticket,
                                  .actor = dk_id_make(DK_ACTOR_NODE, DK_ROLE_NOTIFICATION)};
    world->count--; /* the same, as another program numbered it */
    world->log.size = world->offset[world->count];
    struct world_head *head = dk_map_get(&world->heads, ticket);
    head->version--;
    head->position = world->count;
    world_restart(world);
    requested.notice ^= UINT64_C(1) << 40;
    (void)world_append_as(world, by_node, DK_KIND_NOTIFICATION_REQUESTED, &requested);
    ASSERT_EQ(world_settle(world), 0);
    ASSERT_EQ(site_pending(world), 1);
}

static void test_notification_replay_gives_the_same_state(void **state)
{
    struct role_world *world = *state;
    (void)site_add_rule(world, site_rule("one", DK_KIND_ASSIGNED, RECIPIENT(OWNER)));
    (void)site_add_rule(world, site_rule("two", DK_KIND_ASSIGNED, RECIPIENT(GROUP)));
    for (int i = 0; i < 20; i++) {
        uint64_t ticket = site_ticket(world);
        (void)site_assign(world, ticket, ANNA);
        (void)world_settle(world);
        uint64_t notice = site_last_request(world)->notice;
        if (i % 3 == 0) {
            (void)site_send(world, ticket, notice);
        } else {
            site_fail(world, ticket, notice, i % 3 == 1);
        }
    }
    (void)site_assign(world, site_ticket(world), ANNA); /* still owed */
    struct dk_folder *replayed = world_replay(world);
    ASSERT_TRUE(dk_folder_hash(replayed) == dk_folder_hash(world->folder));
    dk_folder_free(&replayed);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(test_notification_##name, site_set_up, site_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_rule_tells_the_owner),
        TEST(N1_nothing_is_requested_twice),
        TEST(N1_ids_tell_rule_event_and_recipient_apart),
        TEST(more_than_one_batch_is_requested_in_full),
        TEST(conditions_choose),
        TEST(what_is_kept_of_a_ticket),
        TEST(level_and_metric_of_clocks),
        TEST(recipients),
        TEST(nobody_to_tell_is_no_notice),
        TEST(escalation_names_its_manager),
        TEST(T1_nothing_for_historical_tickets_until_adopted),
        TEST(rules_are_those_in_force_at_occurred),
        TEST(a_rule_changed_in_between_does_not_rewrite_what_is_owed),
        TEST(no_notice_about_notices),
        TEST(given_up_is_kept_in_the_dead_list),
        TEST(a_retried_one_is_pending_again_with_the_template_of_then),
        TEST(a_dropped_one_is_nowhere),
        TEST(lists_are_in_order_and_bounded),
        TEST(the_outbox_keeps_its_order),
        TEST(odd_events_do_no_harm),
        TEST(requests_have_an_order),
        TEST(a_request_by_another_number_meets_what_is_owed),
        TEST(replay_gives_the_same_state),
    };
    return cmocka_run_group_tests_name("notification", tests, NULL, NULL);
}
