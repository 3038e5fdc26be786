/* S11: the report of illegitimate pauses: who made a ticket wait for its customer without a reason,
 * and for how long. */
#include "tests/unit/sla_world.h"
#include <jansson.h>

#define DESK test_id(DK_SUBJECT_GROUP, "desk")
#define NET  test_id(DK_SUBJECT_GROUP, "net")

static json_t *ask_with(struct dk_folder *folder, const char *const *argument, size_t count)
{
    struct dk_buf buf;
    struct dk_err err;
    dk_buf_init(&buf, 1 << 20);
    ASSERT_OK(dk_folder_query(folder, "pauses", argument, count, &buf, &err), &err);
    json_t *json = json_loadb((const char *)buf.data, buf.size, 0, NULL);
    ASSERT_TRUE(json != NULL);
    dk_buf_close(&buf);
    return json;
}

static int64_t number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static const char *word(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "-";
}

static const json_t *pause_of(const json_t *report, size_t i)
{
    return json_array_get(json_object_get(report, "pauses"), i);
}

static size_t count_of(const json_t *report)
{
    return json_array_size(json_object_get(report, "pauses"));
}

static void have_people(struct role_world *w)
{
    Docket__AgentDefined anna = DOCKET__AGENT_DEFINED__INIT;
    Docket__GroupDefined group = DOCKET__GROUP_DEFINED__INIT;
    anna.definition = test_definition("anna");
    (void)world_define(w, DK_KIND_AGENT_DEFINED, &anna);
    group.definition = test_definition("desk");
    (void)world_define(w, DK_KIND_GROUP_DEFINED, &group);
    group.definition = test_definition("net");
    (void)world_define(w, DK_KIND_GROUP_DEFINED, &group);
}

static uint64_t by_anna(struct role_world *w, uint64_t ticket, int64_t occurred_us, uint32_t kind,
                        const void *body)
{
    uint64_t anna = dk_actor_of_subject(test_id(DK_SUBJECT_AGENT, "anna"));
    return sla_happens(w, ticket, occurred_us, kind, body, anna);
}

static uint64_t pend(struct role_world *w, uint64_t ticket, int64_t occurred_us)
{
    Docket__StatusChanged body = DOCKET__STATUS_CHANGED__INIT;
    body.status = DOCKET__STATUS__STATUS_PENDING;
    body.has_pending = 1;
    body.pending = CUSTOMER;
    return by_anna(w, ticket, occurred_us, DK_KIND_STATUS_CHANGED, &body);
}

static void reply(struct role_world *w, uint64_t ticket, bool asks)
{
    Docket__MessagePublic body = DOCKET__MESSAGE_PUBLIC__INIT;
    body.direction = DOCKET__DIRECTION__DIRECTION_OUTBOUND;
    body.has_question = body.question = asks;
    (void)by_anna(w, ticket, 0, DK_KIND_MESSAGE_PUBLIC, &body);
}

static void route(struct role_world *w, uint64_t ticket, uint64_t group)
{
    Docket__Routed body = DOCKET__ROUTED__INIT;
    body.line = 1;
    body.group = group;
    (void)sla_happens(w, ticket, 0, DK_KIND_ROUTED, &body, ACT_NODE);
}

/* Each in turn: paused after a message, without a question, by right; for the supplier. */
static void test_S11_which_pauses(void **state)
{
    struct role_world *w = *state;
    have_people(w);
    uint64_t wrote = sla_opened(w, NORMAL), opened = w->count;
    route(w, wrote, DESK);
    uint64_t paused = pend(w, wrote, 0);
    int64_t from_us = w->now_us;
    w->now_us += DK_HOUR_US - WORLD_STEP_US;
    uint64_t woken = sla_writes(w, wrote, 0);
    uint64_t unasked = sla_opened(w, NORMAL);
    reply(w, unasked, false);
    (void)pend(w, unasked, 0);
    uint64_t asked = sla_opened(w, NORMAL);
    reply(w, asked, true);
    (void)pend(w, asked, 0);
    (void)sla_status(w, sla_opened(w, NORMAL), 0, DOCKET__STATUS__STATUS_PENDING,
                     DOCKET__PENDING__PENDING_SUPPLIER);
    (void)sla_settle(w);
    w->now_us += DK_HOUR_US;
    (void)sla_opened(w, NORMAL); /* until which the second one is measured */
    int64_t last_us = w->now_us;
    json_t *report = ask_with(w->folder, NULL, 0);
    ASSERT_EQ(count_of(report), 2);
    const json_t *first = pause_of(report, 0), *second = pause_of(report, 1);
    ASSERT_STR(word(first, "ticket"), "7-1");
    ASSERT_STR(word(first, "by"), "anna");
    ASSERT_STR(word(first, "group"), "desk");
    ASSERT_STR(word(first, "why"), "wrote-last");
    ASSERT_EQ(number(first, "wall_us"), DK_HOUR_US);
    ASSERT_EQ(number(first, "paused_by"), paused);
    ASSERT_EQ(number(first, "message"), opened);
    ASSERT_EQ(number(first, "ended_by"), woken);
    ASSERT_STR(word(second, "ticket"), "7-2");
    ASSERT_STR(word(second, "why"), "not-asked");
    ASSERT_STR(word(second, "to"), "-");
    ASSERT_STR(word(second, "message"), "-");
    ASSERT_TRUE(number(second, "wall_us") > DK_HOUR_US &&
                number(second, "wall_us") < last_us - from_us - DK_HOUR_US);
    ASSERT_EQ(number(report, "wall_us"), number(first, "wall_us") + number(second, "wall_us"));
    ASSERT_EQ(number(report, "unknown"), 0);
    json_decref(report);
}

/* A question during the pause does not heal it; setting it again after the question does. A pause
 * for a supplier in between is another one. */
static void test_S11_until_when(void **state)
{
    struct role_world *w = *state;
    have_people(w);
    uint64_t ticket = sla_opened(w, NORMAL);
    (void)pend(w, ticket, 0);
    (void)pend(w, ticket, 0); /* the same once more */
    reply(w, ticket, true);
    w->now_us += DK_HOUR_US;
    uint64_t again = pend(w, ticket, 0);
    (void)sla_status(w, ticket, 0, DOCKET__STATUS__STATUS_PENDING,
                     DOCKET__PENDING__PENDING_SUPPLIER);
    (void)sla_writes(w, ticket, 0);
    (void)pend(w, ticket, 0);
    json_t *report = ask_with(w->folder, NULL, 0);
    ASSERT_EQ(count_of(report), 2);
    ASSERT_EQ(number(pause_of(report, 0), "ended_by"), again);
    ASSERT_EQ(number(pause_of(report, 0), "wall_us"), DK_HOUR_US + 3 * WORLD_STEP_US);
    ASSERT_EQ(number(pause_of(report, 1), "ended_by"), 0);
    json_decref(report);
}

/* T1: what came in late is judged by when it occurred: a message before the pause makes it
 * illegitimate, a question before it heals it. */
static void test_T1_late_messages_judge_pauses(void **state)
{
    struct role_world *w = *state;
    Docket__MessagePublic question = DOCKET__MESSAGE_PUBLIC__INIT;
    question.direction = DOCKET__DIRECTION__DIRECTION_OUTBOUND;
    question.has_question = question.question = 1;
    have_people(w);
    uint64_t ticket = sla_opened(w, NORMAL);
    w->now_us += DK_HOUR_US;
    (void)pend(w, ticket, 0);
    int64_t paused_us = w->now_us;
    json_t *report = ask_with(w->folder, NULL, 0);
    ASSERT_EQ(count_of(report), 1);
    json_decref(report);
    w->now_us += DK_HOUR_US;
    (void)by_anna(w, ticket, paused_us - DK_MINUTE_US, DK_KIND_MESSAGE_PUBLIC, &question);
    report = ask_with(w->folder, NULL, 0);
    ASSERT_EQ(count_of(report), 0);
    json_decref(report);
    uint64_t message = sla_writes(w, ticket, paused_us - 1);
    report = ask_with(w->folder, NULL, 0);
    ASSERT_EQ(count_of(report), 1);
    ASSERT_EQ(number(pause_of(report, 0), "message"), message);
    json_decref(report);
}

/* Of imported replies it is often not told whether they asked: that is counted, not judged. */
static void test_S11_what_is_not_known(void **state)
{
    struct role_world *w = *state;
    struct dk_envelope imported = {.actor = ACT_IMPORTER,
                                   .flags = DOCKET__EVENT_FLAG__FLAG_IMPORTED};
    Docket__Opened opened = DOCKET__OPENED__INIT;
    Docket__MessagePublic answer = DOCKET__MESSAGE_PUBLIC__INIT;
    Docket__StatusChanged waits = DOCKET__STATUS_CHANGED__INIT;
    answer.direction = DOCKET__DIRECTION__DIRECTION_OUTBOUND;
    waits.status = DOCKET__STATUS__STATUS_PENDING;
    waits.has_pending = 1;
    waits.pending = CUSTOMER;
    for (int replied = 0; replied < 2; replied++) {
        imported.subject = dk_ticket_make(7, ++w->tickets);
        (void)world_append_as(w, imported, DK_KIND_OPENED, &opened);
        if (replied)
            (void)world_append_as(w, imported, DK_KIND_MESSAGE_PUBLIC, &answer);
        (void)world_append_as(w, imported, DK_KIND_STATUS_CHANGED, &waits);
    }
    json_t *report = ask_with(w->folder, NULL, 0);
    ASSERT_EQ(count_of(report), 1); /* nobody had replied at all */
    ASSERT_STR(word(pause_of(report, 0), "ticket"), "7-1");
    ASSERT_STR(word(pause_of(report, 0), "by"), "importer");
    ASSERT_TRUE(json_is_false(json_object_get(pause_of(report, 0), "live")));
    ASSERT_EQ(number(report, "unknown"), 1);
    json_decref(report);
}

static void test_S11_range_and_group(void **state)
{
    struct role_world *w = *state;
    char from[64] = "from=", to[64] = "to=";
    const char *range[] = {from, to}, *group[] = {"group=net"}, *none[] = {"group=nobody"};
    int64_t from_us[3];
    struct dk_buf buf;
    have_people(w);
    for (int i = 0; i < 3; i++) {
        uint64_t ticket = sla_opened(w, NORMAL);
        route(w, ticket, i == 1 ? NET : DESK);
        (void)pend(w, ticket, 0);
        from_us[i] = w->now_us;
        w->now_us += DK_HOUR_US;
        route(w, ticket, DESK); /* it belongs to the group that it was paused in */
    }
    (void)dk_time_format(from_us[1], 0, from + strlen(from));
    (void)dk_time_format(from_us[2], 0, to + strlen(to));
    json_t *report = ask_with(w->folder, range, 2);
    ASSERT_EQ(count_of(report), 1);
    ASSERT_STR(word(pause_of(report, 0), "ticket"), "7-2");
    json_decref(report);
    report = ask_with(w->folder, group, 1);
    ASSERT_EQ(count_of(report), 1);
    ASSERT_STR(word(pause_of(report, 0), "ticket"), "7-2");
    json_decref(report);
    dk_buf_init(&buf, 1 << 16);
    ASSERT_CODE(dk_folder_query(w->folder, "pauses", none, 1, &buf, NULL), DK_ENOTFOUND);
    ASSERT_CODE(dk_folder_query(w->folder, "pauses", (const char *[]){to, "from=2027-01-01"}, 2,
                                &buf, NULL),
                DK_EINVAL);
    dk_buf_close(&buf);
}

/* Live, replayed and restored: the same bytes. */
static void test_S11_replay_gives_the_same_bytes(void **state)
{
    struct role_world *w = *state;
    struct dk_buf live, other;
    struct dk_err err;
    have_people(w);
    for (int i = 0; i < 30; i++) {
        uint64_t ticket = sla_opened(w, NORMAL);
        (void)pend(w, ticket, i % 3 == 0 ? w->now_us - DK_HOUR_US : 0);
        if (i % 2 == 0)
            (void)sla_writes(w, ticket, 0);
        (void)sla_wait_until(w, w->now_us + DK_HOUR_US);
    }
    struct dk_folder *others[] = {world_replay(w), world_restore(w)};
    dk_buf_init(&live, 1 << 20);
    ASSERT_OK(dk_folder_query(w->folder, "pauses", NULL, 0, &live, &err), &err);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        dk_buf_init(&other, 1 << 20);
        ASSERT_OK(dk_folder_query(others[i], "pauses", NULL, 0, &other, &err), &err);
        ASSERT_EQ(live.size, other.size);
        assert_memory_equal(live.data, other.data, live.size);
        dk_buf_close(&other);
        dk_folder_free(&others[i]);
    }
    dk_buf_close(&live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_S11_which_pauses, sla_setup, sla_teardown),
        cmocka_unit_test_setup_teardown(test_S11_until_when, sla_setup, sla_teardown),
        cmocka_unit_test_setup_teardown(test_T1_late_messages_judge_pauses, sla_setup,
                                        sla_teardown),
        cmocka_unit_test_setup_teardown(test_S11_what_is_not_known, sla_setup, sla_teardown),
        cmocka_unit_test_setup_teardown(test_S11_range_and_group, sla_setup, sla_teardown),
        cmocka_unit_test_setup_teardown(test_S11_replay_gives_the_same_bytes, sla_setup,
                                        sla_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
