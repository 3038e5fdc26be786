/* N2: quiet hours, urgent rules, digests, and news that is not told twice. */
#include "tests/unit/notification_site.h"

#define MINUTE (INT64_C(60) * 1000000)
#define HOUR   (60 * MINUTE)
#define NIGHT  test_at("2026-03-02T22:00:00Z") /* a Monday's */
#define NINE   test_at("2026-03-03T09:00:00Z")

static void define_settings(struct role_world *world, uint64_t hours)
{
    Docket__SettingsDefined settings = DOCKET__SETTINGS_DEFINED__INIT;
    settings.definition = test_definition("settings");
    settings.has_notify_calendar = 1;
    settings.notify_calendar = hours;
    (void)world_define(world, DK_KIND_SETTINGS_DEFINED, &settings);
}

static void define_desk(struct role_world *world, uint64_t hours)
{
    Docket__GroupDefined desk = DOCKET__GROUP_DEFINED__INIT;
    desk.definition = test_definition("desk");
    desk.has_notify_calendar = 1;
    desk.notify_calendar = hours;
    (void)world_define(world, DK_KIND_GROUP_DEFINED, &desk);
}

static void define_anna(struct role_world *world, uint64_t hours)
{
    Docket__AgentDefined anna = DOCKET__AGENT_DEFINED__INIT;
    uint64_t desk = DESK;
    anna.definition = test_definition("anna");
    anna.first_name = test_text("Anna");
    anna.surname = test_text("Berg");
    anna.n_group = 1;
    anna.group = &desk;
    anna.has_notify_calendar = hours != 0;
    anna.notify_calendar = hours;
    (void)world_define(world, DK_KIND_AGENT_DEFINED, &anna);
}

/* When, from `from` on, the first notice is requested. */
static int64_t told_us(struct role_world *world, int64_t from_us)
{
    site_wait_until(world, from_us);
    while (world_settle(world) == 0) {
        ASSERT_TRUE(world->now_us < from_us + 72 * HOUR);
        site_wait(world, MINUTE);
    }
    return world->now_us - world->now_us % MINUTE;
}

/* ---------------------------------------------------------------- hours */

static void test_quiet_N2_a_notice_waits_for_the_recipients_hours(void **state)
{
    struct role_world *world = *state;
    define_settings(world, site_calendar(world, "day", 7, 9, 17));
    (void)site_add_rule(world, site_rule("owner", DK_KIND_ASSIGNED, RECIPIENT(OWNER)));
    uint64_t ticket = site_ticket(world);
    site_wait_until(world, NIGHT);
    (void)site_assign(world, ticket, ANNA);
    ASSERT_EQ(world_settle(world), 0);
    ASSERT_EQ(dk_folder_next_due_us(world->folder), NINE);
    world_restart(world); /* what was put down for then is not forgotten */
    ASSERT_EQ(world_settle(world), 0);
    site_wait_until(world, NINE - 1);
    ASSERT_EQ(world_settle(world), 0);
    site_wait_until(world, NINE);
    ASSERT_EQ(world_settle(world), 1);
    ASSERT_EQ(world_settle(world), 0);
    world_restart(world);
    ASSERT_EQ(world_settle(world), 0);
    (void)site_assign(world, ticket, ANNA); /* by day at once */
    ASSERT_EQ(world_settle(world), 1);
}

/* Hours that begin within the hour that a spring night lacks begin when it is over; within the hour
 * that an autumn night has twice, with the first one. */
static void test_quiet_N2_hours_begin_on_the_nights_when_clocks_change(void **state)
{
    static const struct {
        const char *evening, *begins;
    } night[] = {{"2026-03-28T20:00:00Z", "2026-03-29T01:00:00Z"},
                 {"2026-10-24T20:00:00Z", "2026-10-25T00:00:00Z"}};
    struct role_world *world = *state;
    (void)world_define(world, DK_KIND_CALENDAR_DEFINED,
                       test_hours("early", "Europe/Berlin", 7, 2, 9));
    define_settings(world, test_id(DK_SUBJECT_CALENDAR, "early"));
    (void)site_add_rule(world, site_rule("owner", DK_KIND_ASSIGNED, RECIPIENT(OWNER)));
    uint64_t ticket = site_ticket(world);
    for (size_t i = 0; i < sizeof night / sizeof night[0]; i++) {
        site_wait_until(world, test_at(night[i].evening));
        (void)site_assign(world, ticket, ANNA);
        ASSERT_EQ(world_settle(world), 0);
        site_wait_until(world, test_at(night[i].begins) - 1);
        ASSERT_EQ(world_settle(world), 0);
        site_wait_until(world, test_at(night[i].begins));
        ASSERT_EQ(world_settle(world), 1);
    }
}

static void test_quiet_N2_a_node_that_slept_through_the_hours_waits_for_the_next(void **state)
{
    struct role_world *world = *state;
    define_settings(world, site_calendar(world, "day", 7, 9, 17));
    (void)site_add_rule(world, site_rule("owner", DK_KIND_ASSIGNED, RECIPIENT(OWNER)));
    uint64_t ticket = site_ticket(world);
    site_wait_until(world, NIGHT);
    (void)site_assign(world, ticket, ANNA);
    site_wait_until(world, NINE + 10 * HOUR);
    world_restart(world);
    ASSERT_EQ(world_settle(world), 0);
    ASSERT_EQ(told_us(world, NINE + 11 * HOUR), NINE + 24 * HOUR);
}

static void test_quiet_N2_the_agents_hours_else_the_groups_else_the_settings(void **state)
{
    struct role_world *world = *state;
    uint64_t of_settings = site_calendar(world, "settings-hours", 7, 6, 20);
    uint64_t of_group = site_calendar(world, "group-hours", 7, 8, 20);
    uint64_t of_agent = site_calendar(world, "agent-hours", 7, 10, 20);
    int64_t midnight_us = test_at("2026-03-03T00:00:00Z");
    (void)site_add_rule(world, site_rule("owner", DK_KIND_ASSIGNED, RECIPIENT(OWNER)));
    uint64_t ticket = site_ticket(world);
    const int64_t hour[] = {0, 6, 8, 10};
    for (int day = 0; day < 4; day++) {
        switch (day) {
        case 1: define_settings(world, of_settings); break;
        case 2: define_desk(world, of_group); break;
        case 3: define_anna(world, of_agent); break;
        default: define_anna(world, 0); break;
        }
        site_wait_until(world, midnight_us + day * 24 * HOUR);
        (void)site_assign(world, ticket, ANNA);
        ASSERT_EQ(told_us(world, world->now_us), midnight_us + (day * 24 + hour[day]) * HOUR);
    }
    /* A customer has those of the settings. */
    (void)site_add_rule(world, site_rule("customer", DK_KIND_NOTE_ADDED, RECIPIENT(CUSTOMER)));
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;
    site_wait_until(world, midnight_us + 5 * 24 * HOUR);
    (void)world_append(world, ticket, DK_KIND_NOTE_ADDED, &note);
    ASSERT_EQ(told_us(world, world->now_us), midnight_us + (5 * 24 + 6) * HOUR);
}

static void test_quiet_N2_urgent_passes_through(void **state)
{
    struct role_world *world = *state;
    Docket__RuleDefined *rule = site_rule("owner", DK_KIND_ASSIGNED, RECIPIENT(OWNER));
    define_settings(world, site_calendar(world, "day", 7, 9, 17));
    rule->has_urgent = rule->urgent = 1;
    rule->has_digest_us = 1;
    rule->digest_us = (uint64_t)HOUR;
    (void)site_add_rule(world, rule);
    uint64_t ticket = site_ticket(world);
    site_wait_until(world, NIGHT);
    (void)site_assign(world, ticket, ANNA);
    ASSERT_EQ(world_settle(world), 1);
    ASSERT_TRUE(!site_last_request(world)->has_digest_until_us);
}

/* ---------------------------------------------------------------- the same news */

static size_t told_by(struct role_world *world, uint64_t ticket, const char *rule)
{
    (void)site_assign(world, ticket, ANNA);
    size_t count = world_settle(world);
    ASSERT_TRUE(site_last_request(world)->rule == test_id(DK_SUBJECT_RULE, rule));
    return count;
}

static void test_quiet_N2_the_same_news_is_told_once_by_the_first_rule_by_key(void **state)
{
    struct role_world *world = *state;
    uint64_t ticket = site_ticket(world);
    (void)site_add_rule(world, site_rule("m", DK_KIND_ASSIGNED, RECIPIENT(OWNER)));
    (void)site_add_rule(world, site_rule("z", DK_KIND_ASSIGNED, RECIPIENT(OWNER)));
    ASSERT_EQ(told_by(world, ticket, "m"), 1);
    (void)site_add_rule(world, site_rule("a", DK_KIND_ASSIGNED, RECIPIENT(OWNER)));
    ASSERT_EQ(told_by(world, ticket, "a"), 1);

    Docket__RuleDefined *fixed = site_rule("by-name", DK_KIND_ASSIGNED, RECIPIENT(FIXED));
    fixed->has_recipient_id = 1;
    fixed->recipient_id = ANNA; /* the same recipient, found another way */
    (void)site_add_rule(world, fixed);
    ASSERT_EQ(told_by(world, ticket, "a"), 1);

    Docket__RuleDefined *urgent = site_rule("x", DK_KIND_ASSIGNED, RECIPIENT(OWNER));
    urgent->has_urgent = urgent->urgent = 1; /* is not silenced by what may wait */
    (void)site_add_rule(world, urgent);
    ASSERT_EQ(told_by(world, ticket, "x"), 1);
}

static void test_quiet_N2_other_receivers_are_other_news(void **state)
{
    struct role_world *world = *state;
    uint64_t ticket = site_ticket(world);
    Docket__RuleDefined *webhook = site_rule("webhook", DK_KIND_ASSIGNED, RECIPIENT(OWNER));
    Docket__RuleDefined *file = site_rule("file", DK_KIND_ASSIGNED, RECIPIENT(OWNER));
    webhook->transport = DOCKET__TRANSPORT__TRANSPORT_WEBHOOK;
    file->address = test_text("other.jsonl");
    (void)site_add_rule(world, site_rule("owner", DK_KIND_ASSIGNED, RECIPIENT(OWNER)));
    (void)site_add_rule(world, webhook);
    (void)site_add_rule(world, file);
    (void)site_add_rule(world, site_rule("group", DK_KIND_ASSIGNED, RECIPIENT(GROUP)));
    (void)site_assign(world, ticket, ANNA);
    ASSERT_EQ(world_settle(world), 4);
    (void)site_assign(world, ticket, ANNA); /* another event */
    ASSERT_EQ(world_settle(world), 4);
}

/* ---------------------------------------------------------------- digests */

static void add_digest(struct role_world *world, const char *key, Docket__RuleRecipient recipient,
                       int64_t digest_us)
{
    Docket__RuleDefined *rule = site_rule(key, DK_KIND_ASSIGNED, recipient);
    rule->has_digest_us = 1;
    rule->digest_us = (uint64_t)digest_us;
    (void)site_add_rule(world, rule);
}

static int64_t until_us(struct role_world *world, uint64_t agent)
{
    (void)site_assign(world, site_ticket(world), agent);
    ASSERT_EQ(world_settle(world), 1);
    ASSERT_TRUE(site_last_request(world)->has_digest_until_us);
    return site_last_request(world)->digest_until_us;
}

static void test_quiet_N2_a_digest_gathers_by_recipient_and_rule(void **state)
{
    struct role_world *world = *state;
    add_digest(world, "owner", RECIPIENT(OWNER), HOUR);
    int64_t first_us = until_us(world, ANNA);
    ASSERT_TRUE(first_us - HOUR <= world->now_us && first_us > world->now_us);
    site_wait(world, 20 * MINUTE);
    int64_t maras_us = until_us(world, MARA);
    ASSERT_TRUE(maras_us > first_us);
    world_restart(world);
    site_wait(world, 20 * MINUTE);
    ASSERT_EQ(until_us(world, ANNA), first_us); /* of another ticket, in the same window */
    ASSERT_EQ(until_us(world, MARA), maras_us);
    site_wait_until(world, first_us);
    ASSERT_TRUE(until_us(world, ANNA) > first_us + 59 * MINUTE); /* the next one */
    ASSERT_EQ(until_us(world, MARA), maras_us);
}

static void test_quiet_N2_a_digest_is_over_in_the_recipients_hours(void **state)
{
    struct role_world *world = *state;
    define_settings(world, site_calendar(world, "day", 7, 9, 17));
    add_digest(world, "owner", RECIPIENT(OWNER), HOUR);
    site_wait_until(world, NIGHT);
    ASSERT_EQ(until_us(world, ANNA), NINE);
    site_wait_until(world, NINE - MINUTE);
    ASSERT_EQ(until_us(world, ANNA), NINE);
}

static void test_quiet_N2_windows_that_are_over_are_not_kept(void **state)
{
    struct role_world *world = *state;
    add_digest(world, "owner", RECIPIENT(OWNER), HOUR);
    uint64_t ticket = site_ticket(world);
    (void)site_assign(world, ticket, ANNA);
    ASSERT_EQ(world_settle(world), 1);
    uint64_t notice = site_last_request(world)->notice;
    int64_t window_us = site_last_request(world)->digest_until_us;
    site_wait_until(world, window_us);
    (void)site_send(world, ticket, notice);
    /* Gone: an event that was recorded before the window's end cannot come any more. */
    ASSERT_TRUE(until_us(world, ANNA) >= window_us + HOUR);
    struct dk_folder *replayed = world_replay(world);
    ASSERT_TRUE(dk_folder_hash(replayed) == dk_folder_hash(world->folder));
    dk_folder_free(&replayed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_quiet_##name, site_set_up, site_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(N2_a_notice_waits_for_the_recipients_hours),
        TEST(N2_hours_begin_on_the_nights_when_clocks_change),
        TEST(N2_a_node_that_slept_through_the_hours_waits_for_the_next),
        TEST(N2_the_agents_hours_else_the_groups_else_the_settings),
        TEST(N2_urgent_passes_through),
        TEST(N2_the_same_news_is_told_once_by_the_first_rule_by_key),
        TEST(N2_other_receivers_are_other_news),
        TEST(N2_a_digest_gathers_by_recipient_and_rule),
        TEST(N2_a_digest_is_over_in_the_recipients_hours),
        TEST(N2_windows_that_are_over_are_not_kept),
    };
    return cmocka_run_group_tests_name("notification: quiet hours", tests, NULL, NULL);
}
