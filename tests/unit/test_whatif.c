/* What if: a log of random tickets, judged by its own promises and by others. */
#include "replay/whatif/judge.h"
#include "replay/whatif/whatif.h"
#include "tests/lib/assert.h"
#include "tests/lib/log_fixture.h"
#include "tests/lib/random.h"
#include <stdlib.h>

#define TICKETS  400
#define DEEDS    12
#define FROM_US  (INT64_C(1696118400) * DK_SECOND_US) /* Sunday 2023-10-01 00:00 UTC */
#define DAYS     21
#define HOLIDAY  "2023-10-11: Bridge" /* a Wednesday */
#define BIG_ROOM ((size_t)1 << 16)

/* %1$s: more holidays; %2$s: the resolution of high and of all others. */
#define PROMISES                                                                                   \
    "effective_from: 2023-01-01\n"                                                                 \
    "calendars:\n"                                                                                 \
    "  office: {zone: UTC, hours: {mon-fri: \"08:00-18:00\"}, holidays: {2023-10-03: "             \
    "Unity%1$s}}\n"                                                                                \
    "policies:\n"                                                                                  \
    "  sla:\n"                                                                                     \
    "    default: {calendar: office, pause: [customer], goals: {first-reply: 4h, next-reply: "     \
    "3h,\n"                                                                                        \
    "              update: 20h, resolution: %2$s}}\n"

struct world {
    struct test_log log;
    struct test_batch batch;
    struct dk_promises promises;
    struct dk_kpi_query query;
};

/* ---------------------------------------------------------------- a log */

static void text_of(char text[1024], const char *holidays, const char *resolution)
{
    (void)snprintf(text, 1024, PROMISES, holidays, resolution);
}

static void put(struct test_batch *batch, struct dk_envelope *envelope, int64_t occurred_us,
                uint32_t kind, const ProtobufCMessage *body)
{
    size_t at = batch->records.size;
    test_batch_put(batch, envelope, kind, body);
    uint8_t *record = batch->records.data + at;
    dk_stamp_occurred_us(record, (uint64_t)occurred_us);
    dk_stamp_crc32c(record, dk_event_crc(record, batch->records.size - at));
}

static void put_definitions(struct test_batch *batch, const char *yaml)
{
    struct dk_reference *set;
    struct dk_refs *refs;
    ASSERT_EQ(dk_refs_new(&refs, NULL), 0);
    ASSERT_EQ(dk_reference_new(&set, NULL), 0);
    ASSERT_EQ(dk_reference_add_text(set, "log.yaml", yaml, strlen(yaml), NULL), 0);
    ASSERT_EQ(dk_reference_compare(set, refs, FROM_US, NULL), 0);
    for (size_t i = 0; i < dk_reference_change_count(set); i++) {
        const struct dk_reference_change *change = dk_reference_change(set, i);
        struct dk_envelope envelope = {.subject = change->subject,
                                       .subject_version = 1,
                                       .actor = dk_id_make(DK_ACTOR_OPERATOR, 1)};
        put(batch, &envelope, FROM_US, change->kind, change->body);
    }
    dk_reference_free(&set);
    dk_refs_free(&refs);
}

static void put_opened(struct test_batch *batch, uint64_t number, int64_t at_us, unsigned priority)
{
    Docket__Text subject = DOCKET__TEXT__INIT;
    subject.has_plain = 1;
    subject.plain = (ProtobufCBinaryData){1, (uint8_t *)(uintptr_t) "x"};
    Docket__Opened opened = DOCKET__OPENED__INIT;
    opened.has_priority = 1;
    opened.priority = (Docket__Priority)priority;
    opened.subject = opened.message = &subject;
    struct dk_envelope envelope = {.subject = dk_ticket_make(1, number),
                                   .actor = dk_id_make(DK_ACTOR_CUSTOMER, 1)};
    put(batch, &envelope, at_us, DK_KIND_OPENED, &opened.base);
}

/* Something that happens to a ticket: a message, a reply, another status or priority. */
static void put_deed(struct test_batch *batch, uint64_t number, int64_t at_us,
                     struct test_random *random)
{
    size_t what = test_random_below(random, 8);
    bool inbound = what < 2;
    Docket__MessagePublic message = DOCKET__MESSAGE_PUBLIC__INIT;
    Docket__StatusChanged status = DOCKET__STATUS_CHANGED__INIT;
    Docket__Classified classified = DOCKET__CLASSIFIED__INIT;
    struct dk_envelope envelope = {.subject = dk_ticket_make(1, number),
                                   .actor =
                                       dk_id_make(inbound ? DK_ACTOR_CUSTOMER : DK_ACTOR_AGENT, 1)};
    if (what < 4) {
        message.direction =
            inbound ? DOCKET__DIRECTION__DIRECTION_INBOUND : DOCKET__DIRECTION__DIRECTION_OUTBOUND;
        put(batch, &envelope, at_us, DK_KIND_MESSAGE_PUBLIC, &message.base);
    } else if (what < 7) {
        static const Docket__Status to[] = {DOCKET__STATUS__STATUS_PENDING,
                                            DOCKET__STATUS__STATUS_OPEN,
                                            DOCKET__STATUS__STATUS_SOLVED};
        status.status = to[what - 4];
        status.has_pending = status.status == DOCKET__STATUS__STATUS_PENDING;
        status.pending = DOCKET__PENDING__PENDING_CUSTOMER;
        put(batch, &envelope, at_us, DK_KIND_STATUS_CHANGED, &status.base);
    } else {
        classified.has_priority = 1;
        classified.priority = 1 + (unsigned)test_random_below(random, 4);
        put(batch, &envelope, at_us, DK_KIND_CLASSIFIED, &classified.base);
    }
}

/* Each ticket lives some days; their events come in mixed up, as of tickets at once. */
static void put_tickets(struct test_batch *batch)
{
    struct test_random random = {7};
    int64_t at_us[TICKETS];
    for (size_t i = 0; i < TICKETS; i++) {
        at_us[i] = FROM_US + test_random_between(&random, 0, DAYS * DK_DAY_US);
        put_opened(batch, i + 1, at_us[i], 1 + (unsigned)test_random_below(&random, 4));
    }
    for (size_t deed = 0; deed < DEEDS * TICKETS; deed++) {
        size_t i = test_random_below(&random, TICKETS);
        at_us[i] += test_random_between(&random, 1, 12 * DK_HOUR_US);
        put_deed(batch, i + 1, at_us[i], &random);
    }
}

static int begin(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    char text[1024];
    DK_ASSERT(world != NULL);
    ASSERT_EQ(test_log_open(&world->log), 0);
    test_batch_init(&world->batch);
    test_batch_begin(&world->batch, 1);
    text_of(text, "", "{high: 16h, any: 24h}");
    put_definitions(&world->batch, text);
    put_tickets(&world->batch);
    ASSERT_EQ(dk_log_commit(world->log.log, &world->batch.batch, NULL), 0);
    *state = world;
    return 0;
}

static int end(void **state)
{
    struct world *world = *state;
    test_batch_close(&world->batch);
    test_log_close(&world->log);
    free(world);
    return 0;
}

/* ---------------------------------------------------------------- asking */

static int read_yaml(struct world *world, const char *yaml, struct dk_err *err)
{
    struct dk_reference *set;
    ASSERT_EQ(dk_reference_new(&set, NULL), 0);
    ASSERT_EQ(dk_reference_add_text(set, "if.yaml", yaml, strlen(yaml), NULL), 0);
    int rc =
        dk_promises_read(&world->promises, set, world->log.reader, UINT64_MAX, NULL, NULL, err);
    dk_reference_free(&set);
    return rc;
}

static void read_promises(struct world *world, const char *holidays, const char *resolution)
{
    char text[1024];
    text_of(text, holidays, resolution);
    ASSERT_EQ(read_yaml(world, text, NULL), 0);
}

static int run(struct world *world, const char *by, size_t room, json_t **report,
               struct dk_err *err)
{
    const struct dk_world as_world = {.refs = world->promises.before,
                                      .recorded_us = world->promises.recorded_us};
    const char *argument[] = {by};
    ASSERT_EQ(dk_kpi_parse(&world->query, &as_world, "kpi", argument, by != NULL, NULL), 0);
    const struct dk_whatif whatif = {.promises = &world->promises,
                                     .query = &world->query,
                                     .reader = world->log.reader,
                                     .limit = 100000,
                                     .room = room};
    int rc = dk_whatif_run(&whatif, report, err);
    dk_kpi_close(&world->query);
    return rc;
}

static json_t *ask(struct world *world, const char *by, size_t room)
{
    json_t *report = NULL;
    ASSERT_EQ(run(world, by, room, &report, NULL), 0);
    return report;
}

static long long number(const json_t *report, const char *outer, const char *inner)
{
    return json_integer_value(json_object_get(json_object_get(report, outer), inner));
}

/* The sum of a number over all lines, and of one of their sides. */
static long long sum(const json_t *report, const char *side, const char *key)
{
    const json_t *line;
    long long all = 0;
    size_t i;
    json_array_foreach(json_object_get(report, "lines"), i, line)
    {
        all += json_integer_value(
            json_object_get(side != NULL ? json_object_get(line, side) : line, key));
    }
    return all;
}

/* Hands on each ticket as it is judged. */
static void each(struct world *world, void (*look)(const struct dk_judgement *judgement, void *arg),
                 void *arg)
{
    struct dk_judgement judgement;
    struct dk_gather gather;
    struct dk_transition list[8 * DEEDS * 8];
    size_t tickets = 0;
    dk_judgement_init(&judgement);
    ASSERT_EQ(dk_gather_init(&gather, world->log.reader, world->promises.position, BIG_ROOM, NULL),
              0);
    ASSERT_EQ(dk_gather_next(&gather, NULL), 0);
    ASSERT_EQ(gather.last, UINT64_MAX);
    for (size_t i = 0, n; i < gather.count; i += n, tickets++) {
        for (n = 0; i + n < gather.count && gather.entry[i + n].ticket == gather.entry[i].ticket;
             n++) {
            assert_true(n < sizeof list / sizeof list[0]);
            list[n] = gather.entry[i + n].transition;
        }
        dk_judgement_make(&judgement, list, n, world->promises.before, world->promises.after,
                          world->promises.recorded_us);
        look(&judgement, arg);
    }
    ASSERT_EQ(tickets, TICKETS);
    dk_gather_close(&gather);
    dk_judgement_close(&judgement);
}

/* ---------------------------------------------------------------- tests */

static void test_whatif_same_promises_differ_in_nothing(void **state)
{
    struct world *world = *state;
    read_promises(world, "", "{high: 16h, any: 24h}");
    json_t *report = ask(world, NULL, 0);
    ASSERT_EQ(number(report, "tickets", "judged"), TICKETS);
    ASSERT_EQ(number(report, "tickets", "differ"), 0);
    ASSERT_EQ(sum(report, NULL, "differ"), 0);
    ASSERT_EQ(json_array_size(json_object_get(report, "newly")), 0);
    assert_true(sum(report, "before", "met") > 100 && sum(report, "before", "breached") > 100);
    ASSERT_EQ(sum(report, "before", "met"), sum(report, "after", "met"));
    ASSERT_EQ(sum(report, "before", "breached"), sum(report, "after", "breached"));
    json_decref(report);
    dk_promises_close(&world->promises);
}

struct spans {
    int64_t from_us, to_us; /* the holiday */
    int64_t until_us;
    size_t changed, spanning, outside;
};

/* From the first clock's beginning to the last instant that any of them, by either promise, looks
 * at: its end, its due, or, of one that has not ended, now. */
static void look_at_span(const struct dk_judgement *judgement, void *arg)
{
    struct spans *spans = arg;
    int64_t from_us = INT64_MAX, to_us = INT64_MIN;
    bool changed = false;
    for (size_t i = 0; i < judgement->count; i++) {
        const struct dk_clock *both[] = {judgement->pair[i].before, judgement->pair[i].after};
        changed = changed || dk_judged_differs(&judgement->pair[i]);
        for (size_t k = 0; k < 2; k++) {
            assert_non_null(both[k]);
            int64_t end_us = both[k]->ended_us != 0 ? both[k]->ended_us : spans->until_us;
            int64_t due_us = both[k]->due_us != INT64_MAX ? both[k]->due_us : end_us;
            end_us = end_us > due_us ? end_us : due_us;
            from_us = both[k]->started_us < from_us ? both[k]->started_us : from_us;
            to_us = end_us > to_us ? end_us : to_us;
        }
    }
    bool spanning = from_us < spans->to_us && to_us > spans->from_us;
    assert_true(!changed || spanning);
    spans->changed += changed;
    spans->spanning += spanning;
    spans->outside += !spanning;
}

static void test_whatif_one_more_holiday_changes_only_tickets_that_span_it(void **state)
{
    struct world *world = *state;
    read_promises(world, ", " HOLIDAY, "{high: 16h, any: 24h}");
    struct spans spans = {.from_us = FROM_US + 10 * DK_DAY_US,
                          .to_us = FROM_US + 11 * DK_DAY_US,
                          .until_us = world->promises.recorded_us};
    each(world, look_at_span, &spans);
    assert_true(spans.changed > 20 && spans.outside > 20);
    json_t *report = ask(world, NULL, 0);
    ASSERT_EQ(number(report, "tickets", "differ"), spans.changed);
    ASSERT_EQ(number(report, "tickets", "newly_breached"), 0); /* less time is counted */
    json_decref(report);
    dk_promises_close(&world->promises);
}

static void look_for_more(const struct dk_judgement *judgement, void *arg)
{
    size_t *more = arg;
    for (size_t i = 0; i < judgement->count; i++) {
        enum dk_outcome before = dk_outcome_of(judgement->pair[i].before);
        enum dk_outcome after = dk_outcome_of(judgement->pair[i].after);
        assert_true(before == after || after == DK_OUTCOME_BREACHED);
        *more += before != after;
    }
}

static void test_whatif_stricter_target_only_adds_breaches(void **state)
{
    struct world *world = *state;
    size_t more = 0;
    read_promises(world, "", "{high: 5h, any: 9h}");
    each(world, look_for_more, &more);
    assert_true(more > 20);
    json_t *report = ask(world, NULL, 0);
    ASSERT_EQ(sum(report, NULL, "newly_breached"), more);
    ASSERT_EQ(sum(report, NULL, "newly_met"), 0);
    ASSERT_EQ(sum(report, "after", "breached") - sum(report, "before", "breached"), more);
    ASSERT_EQ(json_array_size(json_object_get(report, "newly")), more);
    json_decref(report);
    dk_promises_close(&world->promises);
}

static void test_whatif_promises_that_go_and_come(void **state)
{
    struct world *world = *state;
    assert_int_equal(read_yaml(world,
                               "policies: {sla: {default: {goals: {first-reply: 4h, "
                               "requester-wait: 100h}}}}\n",
                               NULL),
                     0);
    json_t *report = ask(world, NULL, 0);
    ASSERT_EQ(json_array_size(json_object_get(report, "lines")), 5);
    const json_t *line;
    size_t i;
    json_array_foreach(json_object_get(report, "lines"), i, line)
    {
        const char *metric = json_string_value(json_object_get(line, "metric"));
        bool came = strcmp(metric, "requester-wait") == 0,
             stays = strcmp(metric, "first-reply") == 0;
        const json_t *before = json_object_get(json_object_get(line, "before"), "attainment");
        const json_t *after = json_object_get(json_object_get(line, "after"), "attainment");
        ASSERT_EQ(json_is_null(before), came);
        ASSERT_EQ(json_is_null(after), !came && !stays);
        assert_true(json_integer_value(json_object_get(line, "differ")) > 0);
    }
    json_decref(report);
    dk_promises_close(&world->promises);
}

static void test_whatif_small_room_gives_the_same_bytes(void **state)
{
    static const char *const by[] = {"by=priority,month", NULL};
    struct world *world = *state;
    read_promises(world, ", " HOLIDAY, "{high: 12h, any: 30h}");
    for (size_t i = 0; i < 2; i++) {
        json_t *large = ask(world, by[i], 0), *small = ask(world, by[i], 300);
        char *one = json_dumps(large, 0), *other = json_dumps(small, 0);
        assert_string_equal(one, other);
        free(one);
        free(other);
        json_decref(large);
        json_decref(small);
    }
    struct dk_gather gather;
    ASSERT_EQ(dk_gather_init(&gather, world->log.reader, world->promises.position, 300, NULL), 0);
    do
        ASSERT_EQ(dk_gather_next(&gather, NULL), 0);
    while (gather.count > 0);
    assert_true(gather.passes > 5); /* so it was more than one room */
    dk_gather_close(&gather);
    dk_promises_close(&world->promises);
}

static void test_whatif_one_ticket_larger_than_the_room_is_refused(void **state)
{
    struct world *world = *state;
    struct test_random random = {9};
    struct dk_err err = {0};
    json_t *report = NULL;
    uint64_t last;
    ASSERT_EQ(dk_log_last(world->log.log, &last, NULL), 0);
    test_batch_begin(&world->batch, last + 1);
    for (int i = 0; i < 400; i++)
        put_deed(&world->batch, 3, FROM_US + 40 * DK_DAY_US + i * DK_MINUTE_US, &random);
    ASSERT_EQ(dk_log_commit(world->log.log, &world->batch.batch, NULL), 0);
    read_promises(world, "", "24h");
    ASSERT_EQ(run(world, NULL, 300, &report, &err), DK_ETOOBIG);
    assert_non_null(strstr(err.message, "ticket 1-3 alone"));
    ASSERT_EQ(run(world, NULL, 600, &report, &err), 0);
    json_decref(report);
    dk_promises_close(&world->promises);
}

static void test_whatif_lines_add_up(void **state)
{
    struct world *world = *state;
    read_promises(world, "", "{high: 12h, any: 30h}");
    json_t *all = ask(world, NULL, 0), *parts = ask(world, "by=priority,week", 0);
    static const char *const keys[] = {"met", "breached", "cancelled", "open"};
    assert_true(json_array_size(json_object_get(parts, "lines")) >
                4 * json_array_size(json_object_get(all, "lines")));
    for (size_t i = 0; i < 4; i++) {
        ASSERT_EQ(sum(all, "before", keys[i]), sum(parts, "before", keys[i]));
        ASSERT_EQ(sum(all, "after", keys[i]), sum(parts, "after", keys[i]));
    }
    json_decref(all);
    json_decref(parts);
    dk_promises_close(&world->promises);
}

static void test_whatif_refuses_what_it_cannot_tell(void **state)
{
    static const char *const by[] = {"by=line", "by=agent", "by=ticket", "line=2"};
    struct world *world = *state;
    struct dk_err err = {0};
    json_t *report = NULL;
    read_promises(world, "", "24h");
    for (size_t i = 0; i < sizeof by / sizeof by[0]; i++)
        ASSERT_EQ(run(world, by[i], 0, &report, &err), DK_EINVAL);
    dk_promises_close(&world->promises);

    ASSERT_EQ(read_yaml(world, "policies: {sla: {other: {goals: {resolution: 4h}}}}\n", &err),
              DK_EINVAL);
    assert_non_null(strstr(err.message, "in force and not in this list"));
    dk_promises_close(&world->promises);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whatif_same_promises_differ_in_nothing, begin, end),
        cmocka_unit_test_setup_teardown(
            test_whatif_one_more_holiday_changes_only_tickets_that_span_it, begin, end),
        cmocka_unit_test_setup_teardown(test_whatif_stricter_target_only_adds_breaches, begin, end),
        cmocka_unit_test_setup_teardown(test_whatif_promises_that_go_and_come, begin, end),
        cmocka_unit_test_setup_teardown(test_whatif_small_room_gives_the_same_bytes, begin, end),
        cmocka_unit_test_setup_teardown(test_whatif_one_ticket_larger_than_the_room_is_refused,
                                        begin, end),
        cmocka_unit_test_setup_teardown(test_whatif_lines_add_up, begin, end),
        cmocka_unit_test_setup_teardown(test_whatif_refuses_what_it_cannot_tell, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
