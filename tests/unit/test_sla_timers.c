/* The SLA role's other timers: reminders, and tickets that end by themselves. */
#include "tests/unit/sla_world.h"

static void test_sla_reminders(void **state)
{
    struct role_world *w = *state;
    uint64_t ticket = sla_opened(w, LOW);
    (void)sla_settle(w);
    Docket__ReminderSet body = DOCKET__REMINDER_SET__INIT;
    uint64_t position[2];
    int64_t due_us = w->now_us + DK_MINUTE_US;
    for (size_t i = 0; i < 2; i++) {
        body.due_us = due_us + (int64_t)i * DK_MINUTE_US;
        position[i] = sla_happens(w, ticket, 0, DK_KIND_REMINDER_SET, &body, ACT_AGENT);
    }
    ASSERT_EQ(sla_settle(w), 0);
    (void)sla_wait_until(w, due_us);
    const Docket__ReminderDue *due = sla_last(w, DK_KIND_REMINDER_DUE);
    ASSERT_EQ(due->reminder, position[0]);
    ASSERT_EQ(due->due_us, due_us);
    w->now_us = due_us + 3 * DK_MINUTE_US;
    world_restart(w);
    (void)sla_settle(w);
    due = sla_last(w, DK_KIND_REMINDER_DUE);
    ASSERT_EQ(due->reminder, position[1]);
    ASSERT_EQ(due->late_by_us, 2 * DK_MINUTE_US);
    ASSERT_EQ(sla_count(w, 1, DK_KIND_REMINDER_DUE, NULL), 2);
}

/* Solved on a Friday, closed two working days later; a customer's message cancels. */
static void test_sla_closes_by_itself(void **state)
{
    struct role_world *w = *state;
    Docket__SettingsDefined settings = DOCKET__SETTINGS_DEFINED__INIT;
    (void)world_define(w, DK_KIND_CALENDAR_DEFINED, test_hours("office", "UTC", 5, 9, 17));
    settings.definition = test_definition("settings");
    settings.has_auto_close_days = settings.has_calendar = 1;
    settings.auto_close_days = 2;
    settings.calendar = test_id(DK_SUBJECT_CALENDAR, "office");
    (void)world_define(w, DK_KIND_SETTINGS_DEFINED, &settings);
    w->now_us = test_at("2026-03-06T10:00:00Z") - 3 * WORLD_STEP_US;
    uint64_t ticket = sla_opened(w, NORMAL), other = sla_opened(w, NORMAL);
    (void)sla_solved(w, ticket);
    (void)sla_solved(w, other);
    (void)sla_settle(w);
    (void)sla_writes(w, other, 0);
    (void)sla_wait_until(w, test_at("2026-03-10T09:59:00Z"));
    ASSERT_EQ(sla_count(w, 1, DK_KIND_AUTO_CLOSED, NULL), 0);
    (void)sla_wait_until(w, test_at("2026-03-10T10:00:00Z"));
    const Docket__AutoClosed *closed = sla_last(w, DK_KIND_AUTO_CLOSED);
    ASSERT_EQ(closed->due_us, test_at("2026-03-10T10:00:00Z"));
    const Docket__ClockCancelled *cancelled = sla_last(w, DK_KIND_CLOCK_CANCELLED);
    ASSERT_EQ(cancelled->cause, DOCKET__CANCEL_CAUSE__CANCEL_CLOSED);
    (void)sla_wait_until(w, test_at("2026-03-20T10:00:00Z"));
    ASSERT_EQ(sla_count(w, 1, DK_KIND_AUTO_CLOSED, NULL), 1);
}

/* Waiting for the customer from a Friday on: solved two working days later, by the policy's number
 * before the settings'; a message cancels, and so does any other status; then closed, likewise. */
static void test_sla_solves_by_itself(void **state)
{
    static const struct {
        int policy_days, settings_days; /* -1: not said */
        const char *due;                /* NULL: never */
    } cases[] = {
        {2, 5, "2026-03-10T10:00:00Z"},
        {-1, 2, "2026-03-10T10:00:00Z"},
        {0, 2, NULL},
        {-1, -1, NULL},
        {-1, 0, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct role_world w;
        Docket__SettingsDefined settings = DOCKET__SETTINGS_DEFINED__INIT;
        Docket__PolicyDefined *policy = promised(FIRST_REPLY, TARGET_REPLY, 0);
        world_open(&w, &dk_sla_role);
        (void)world_define(&w, DK_KIND_CALENDAR_DEFINED, test_hours("office", "UTC", 5, 9, 17));
        settings.definition = test_definition("settings");
        settings.has_calendar = settings.has_auto_close_days = 1;
        settings.calendar = test_id(DK_SUBJECT_CALENDAR, "office");
        settings.auto_close_days = 9;
        settings.has_auto_solve_days = cases[i].settings_days >= 0;
        settings.auto_solve_days = (uint32_t)cases[i].settings_days;
        (void)world_define(&w, DK_KIND_SETTINGS_DEFINED, &settings);
        policy->has_auto_solve_days = cases[i].policy_days >= 0;
        policy->auto_solve_days = (uint32_t)cases[i].policy_days;
        policy->has_auto_close_days = 1;
        policy->auto_close_days = 1;
        (void)world_define(&w, DK_KIND_POLICY_DEFINED, policy);
        w.now_us = test_at("2026-03-06T10:00:00Z") - 5 * WORLD_STEP_US;
        uint64_t woken = sla_opened(&w, NORMAL), internal = sla_opened(&w, NORMAL);
        (void)sla_status(&w, woken, 0, DOCKET__STATUS__STATUS_PENDING, CUSTOMER);
        (void)sla_status(&w, internal, 0, DOCKET__STATUS__STATUS_PENDING,
                         DOCKET__PENDING__PENDING_INTERNAL);
        w.now_us -= WORLD_STEP_US;
        uint64_t ticket = sla_opened(&w, NORMAL);
        (void)sla_status(&w, ticket, 0, DOCKET__STATUS__STATUS_PENDING, CUSTOMER);
        (void)sla_settle(&w);
        (void)sla_writes(&w, woken, 0);
        int64_t due_us = cases[i].due != NULL ? test_at(cases[i].due) : test_at("2026-04-06");
        world_restart(&w);
        (void)sla_wait_until(&w, due_us - 1);
        ASSERT_EQ(sla_count(&w, 1, DK_KIND_AUTO_SOLVED, NULL), 0);
        if (cases[i].due != NULL) {
            (void)sla_wait_until(&w, test_at("2026-04-06"));
            ASSERT_EQ(sla_count(&w, 1, DK_KIND_AUTO_SOLVED, NULL), 1);
            const Docket__AutoSolved *solved = sla_last(&w, DK_KIND_AUTO_SOLVED);
            ASSERT_EQ(solved->due_us, due_us);
            const Docket__AutoClosed *closed = sla_last(&w, DK_KIND_AUTO_CLOSED);
            ASSERT_EQ(closed->due_us / DK_SECOND_US, due_us / DK_SECOND_US + 24 * 3600);
        }
        world_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sla_reminders, sla_setup, sla_teardown),
        cmocka_unit_test_setup_teardown(test_sla_closes_by_itself, sla_setup, sla_teardown),
        cmocka_unit_test(test_sla_solves_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
