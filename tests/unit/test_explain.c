/* `sla explain`: each column of what it says of a clock, against a computation by hand. */
#include "nodes/sla/explain.h"
#include "proto/calendar/zone.h"
#include "replay/cli/sla.h"
#include "tests/lib/assert.h"
#include "tests/unit/clocks_fixture.h"

#define OFFICE test_id(DK_SUBJECT_CALENDAR, "office")

/* Berlin, Monday to Friday, from an hour of the morning to 12 and from 13 to 17. */
static void has_hours(struct story *story, uint32_t from_h, int64_t effective_us)
{
    Docket__CalendarDefined *body = test_hours("office", "Europe/Berlin", 5, from_h, 12);
    Docket__DayInterval afternoon = DOCKET__DAY_INTERVAL__INIT, *both[2];
    afternoon.from_s = 13 * 3600;
    afternoon.to_s = 17 * 3600;
    both[0] = body->weekday[0]->interval[0];
    both[1] = &afternoon;
    for (size_t i = 0; i < body->n_weekday; i++) {
        body->weekday[i]->n_interval = 2;
        body->weekday[i]->interval = both;
    }
    body->definition->has_effective_us = 1;
    body->definition->effective_us = effective_us;
    test_define(story->refs, ++story->position, effective_us, DK_KIND_CALENDAR_DEFINED, body);
}

/* Ten hours, eight when high; from Friday 10:00 in winter to Tuesday 11:30 in summer, with a
 * lunch, a pause, a weekend in which clocks are set forward, shorter hours from Monday on, and a
 * reopening. */
static json_t *explained(struct story *s)
{
    Docket__PolicyDefined *policy = promised(RESOLUTION, 10 * DK_HOUR_US, OFFICE);
    has_hours(s, 9, LONG_AGO);                      /* event 1 */
    has_hours(s, 10, test_at("2026-03-29T22:00Z")); /* 2: Monday's midnight */
    add_goal(policy, RESOLUTION, HIGH, 8 * DK_HOUR_US);
    add_pause(policy, CUSTOMER);
    add_warning(policy, 50);
    has_policy(s, policy, LONG_AGO);                      /* 3 */
    opened(s, test_at("2026-03-27T09:00Z"), NORMAL);      /* 4 */
    agent_asks(s, test_at("2026-03-27T09:30Z"));          /* 5 */
    pending(s, test_at("2026-03-27T10:00Z"), CUSTOMER);   /* 6 */
    customer_writes(s, test_at("2026-03-27T14:00Z"));     /* 7 */
    reprioritized(s, test_at("2026-03-27T15:00Z"), HIGH); /* 8 */
    solved(s, test_at("2026-03-30T09:00Z"));              /* 9 */
    reopened(s, test_at("2026-03-31T08:00Z"));            /* 10 */
    const struct dk_explained asked = {.ticket = dk_ticket_make(1, 1),
                                       .transition = s->transition,
                                       .count = s->count,
                                       .refs = s->refs,
                                       .at_us = test_at("2026-03-31T09:30Z")};
    return dk_explain(&s->clocks, &asked);
}

static void assert_same(const json_t *clock, const char *key, const char *expected)
{
    json_error_t error;
    json_t *by_hand = json_loads(expected, JSON_DECODE_ANY, &error);
    const json_t *value = json_object_get(clock, key);
    if (by_hand == NULL)
        fail_msg("%s: %s at %d", key, error.text, error.position);
    if (!json_equal(value, by_hand)) {
        char *text = json_dumps(value, JSON_INDENT(1) | JSON_ENCODE_ANY);
        print_error("%s is %s\n", key, text);
        free(text);
        fail();
    }
    json_decref(by_hand);
}

#define SEGMENT(from, to, why, event, version, elapsed_us, wall_us, so_far_us)                     \
    "{\"from\":\"2026-03-" from ":00Z\",\"to\":\"2026-03-" to ":00Z\",\"why\":\"" why              \
    "\",\"illegitimate\":false,\"event\":" event                                                   \
    ",\"calendar\":\"office\",\"calendar_version\":" version ",\"elapsed_us\":" elapsed_us         \
    ",\"wall_us\":" wall_us ",\"so_far_us\":" so_far_us "}"
#define DUE(at, why, event, mode, goal, target_us, used_us, left_us, due)                          \
    "{\"at\":\"2026-03-" at ":00Z\",\"why\":\"" why "\",\"event\":" event ",\"mode\":" mode        \
    ",\"policy\":\"default\",\"policy_version\":1,\"goal\":" goal ",\"target_us\":" target_us      \
    ",\"used_us\":" used_us ",\"left_us\":" left_us ",\"due\":\"2026-03-" due ":00Z\"}"

static void test_S1_each_column(void **state)
{
    json_t *json = explained(*state);
    const json_t *clock = json_array_get(json_object_get(json, "clocks"), 0);
    ASSERT_EQ(json_array_size(json_object_get(json, "clocks")), 1);
    assert_same(
        clock, "segments",
        "["
        /* Friday 10-11; paused; 15-16; 16-17 under the other goal, and no weekend */
        SEGMENT(
            "27T09:00", "27T10:00", "running", "4", "1", "3600000000", "3600000000",
            "3600000000") "," SEGMENT("27T10:00", "27T14:00", "customer", "6", "1", "0",
                                      "14400000000",
                                      "3600000000") "," SEGMENT("27T14:00", "27T15:00", "running",
                                                                "7", "1", "3600000000",
                                                                "3600000000",
                                                                "7200000000") "," SEGMENT("27T15:"
                                                                                          "00",
                                                                                          "29T22:"
                                                                                          "00",
                                                                                          "running",
                                                                                          "7", "1",
                                                                                          "36000000"
                                                                                          "00",
                                                                                          "19800000"
                                                                                          "0000",
                                                                                          "10800000"
                                                                                          "000") ","
        /* Monday 10-11 by the new hours and in summer; solved; Tuesday 10-11:30 */
        SEGMENT("29T22:00", "30T09:00", "running", "7", "2", "3600000000", "39600000000",
                "14400000000") "," SEGMENT("30T09:00", "31T08:00", "solved", "9", "2", "0",
                                           "82800000000",
                                           "14400000000") "," SEGMENT("31T08:00", "31T09:30",
                                                                      "running", "10", "2",
                                                                      "5400000000", "5400000000",
                                                                      "19800000000") "]");
    assert_same(clock, "sum",
                "{\"elapsed_us\":19800000000,\"wall_us\":250200000000,\"paused_us\":97200000000}");
    assert_same(clock, "elapsed_us", "19800000000");
    assert_same(clock, "wall_us", "250200000000");
    assert_same(clock, "dues",
                "["
                /* Friday 6 h, Monday 10-12 and 13-15; Friday 2, Monday 6, Tuesday 10-11 */
                DUE("27T09:00", "started", "4", "null", "0", "36000000000", "0", "36000000000",
                    "30T13:00") "," DUE("27T14:00", "resumed", "7", "null", "0", "36000000000",
                                        "3600000000", "32400000000", "31T09:00") ","
                /* Friday 1, Monday 10-12 and 13-16; Tuesday 10-12 and 13-15 */
                DUE("27T15:00", "goal", "8", "\"carry\"", "1", "28800000000", "7200000000",
                    "21600000000", "30T14:00") "," DUE("31T08:00", "reopened", "10", "null", "1",
                                                       "28800000000", "14400000000", "14400000000",
                                                       "31T13:00") "]");
    assert_same(clock, "due", "\"2026-03-31T13:00:00Z\"");
    assert_same(clock, "warnings",
                "[{\"level\":50,\"due\":\"2026-03-30T09:00:00Z\",\"reached\":true}]");
    assert_same(clock, "first_met", "\"2026-03-30T09:00:00Z\"");
    assert_same(clock, "started", "\"2026-03-27T09:00:00Z\"");
    json_decref(json);
}

static const char printed[] =
    "1-1 as of 2026-03-31 11:30:00 in Europe/Berlin\n"
    "\n"
    "1-1 resolution: running, due 2026-03-31 15:00:00\n"
    "  target 8:00:00 by default version 1, goal 1 (priority high)\n"
    "  company none, contract none, site none\n"
    "  from                 to                   business      wall    paused   so "
    "far  event  calendar  why\n"
    "  2026-03-27 10:00:00  2026-03-27 11:00:00   1:00:00   1:00:00            "
    "1:00:00      4  office 1  running\n"
    "  2026-03-27 11:00:00  2026-03-27 15:00:00                       4:00:00  "
    "1:00:00      6  office 1  pending (customer)\n"
    "  2026-03-27 15:00:00  2026-03-27 16:00:00   1:00:00   1:00:00            "
    "2:00:00      7  office 1  running\n"
    "  2026-03-27 16:00:00  2026-03-30 00:00:00   1:00:00  55:00:00            "
    "3:00:00      7  office 1  running\n"
    "  2026-03-30 00:00:00  2026-03-30 11:00:00   1:00:00  11:00:00            "
    "4:00:00      7  office 2  running\n"
    "  2026-03-30 11:00:00  2026-03-31 10:00:00                      23:00:00  "
    "4:00:00      9  office 2  solved\n"
    "  2026-03-31 10:00:00  2026-03-31 11:30:00   1:30:00   1:30:00            "
    "5:30:00     10  office 2  running\n"
    "  sum                                        5:30:00  69:30:00  27:00:00\n"
    "  due 2026-03-30 15:00:00: started at 2026-03-27 10:00:00 by event 4, target "
    "10:00:00 - used 0:00:00 = left 10:00:00\n"
    "  due 2026-03-31 11:00:00: resumed at 2026-03-27 15:00:00 by event 7, target "
    "10:00:00 - used 1:00:00 = left 9:00:00\n"
    "  due 2026-03-30 16:00:00: goal default version 1, goal 1 (carry) at 2026-03-27 "
    "16:00:00 by event 8, target 8:00:00 - used 2:00:00 = left 6:00:00\n"
    "  due 2026-03-31 15:00:00: reopened at 2026-03-31 10:00:00 by event 10, target "
    "8:00:00 - used 4:00:00 = left 4:00:00\n"
    "  warning at 50 %: 2026-03-30 11:00:00, reached\n";

/* As people read it, in their zone. */
static void test_S1_as_printed(void **state)
{
    json_t *json = explained(*state);
    struct dk_zone *zone;
    struct dk_err err;
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    ASSERT_OK(dk_zone_load(&zone, "Europe/Berlin", &err), &err);
    dk_sla_explain_print(json, zone, out);
    (void)fclose(out);
    ASSERT_STR(text, printed);
    free(text);
    dk_zone_free(&zone);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_S1_each_column, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S1_as_printed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
