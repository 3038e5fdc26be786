#include "nodes/runtime/folder.h"

#include "tests/lib/core_fixture.h"
#include "tests/lib/folded.h"
#include "tests/lib/small_role.h"
#include <stdio.h>

#define TICKET(n) dk_ticket_make(1, (n))

static const struct dk_role_ops *ops(void)
{
    static struct dk_role_ops made;
    made = small_role_ops();
    return &made;
}

static int set_up(void **state)
{
    struct folded *log = calloc(1, sizeof *log);
    folded_open(log, ops());
    *state = log;
    return 0;
}

static int tear_down(void **state)
{
    folded_close(*state);
    free(*state);
    return 0;
}

static void open_ticket(struct folded *log, uint64_t number, Docket__Priority priority)
{
    Docket__Opened opened = DOCKET__OPENED__INIT;
    opened.has_priority = 1;
    opened.priority = priority;
    (void)folded_event(log, TICKET(number), DK_KIND_OPENED, &opened, FIXTURE_AGENT, 0);
}

static void add_note(struct folded *log, uint64_t number)
{
    (void)folded_event(log, TICKET(number), DK_KIND_NOTE_ADDED, fixture_note("a note"),
                       FIXTURE_AGENT, 0);
}

static int apply(struct folded *log, const struct dk_slice *record)
{
    return dk_folder_apply(log->folder, record->data, record->size, &log->err);
}

static void test_folder_refuses_a_record_out_of_order(void **state)
{
    struct folded *log = *state, other;
    folded_open(&other, ops());
    open_ticket(log, 1, DOCKET__PRIORITY__PRIORITY_HIGH);
    for (int i = 0; i < 3; i++)
        add_note(log, 1);
    struct dk_slice first = folded_record(log, 1), third = folded_record(log, 3);
    ASSERT_OK(apply(&other, &first), &other.err);
    ASSERT_CODE(apply(&other, &third), DK_EORDER);
    ASSERT_CONTAINS(other.err.message, "expected position 2, got 3");
    ASSERT_CODE(apply(&other, &first), DK_EORDER);
    folded_replay(log, other.folder, 4); /* and goes on with the right one */
    ASSERT_TRUE(dk_folder_hash(other.folder) == dk_folder_hash(log->folder));
    folded_close(&other);
}

static void test_folder_refuses_every_flipped_bit(void **state)
{
    struct folded *log = *state, other;
    folded_open(&other, ops());
    open_ticket(log, 1, DOCKET__PRIORITY__PRIORITY_HIGH);
    struct dk_slice good = folded_record(log, 1);
    uint8_t *bad = test_memory(good.size);
    uint64_t before = dk_folder_hash(other.folder);
    for (size_t bit = 0; bit < 8 * good.size; bit++) {
        memcpy(bad, good.data, good.size);
        bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct dk_slice record = {bad, good.size};
        int rc = apply(&other, &record);
        ASSERT_TRUE(rc == DK_ECORRUPT || rc == DK_ECANON || rc == DK_EVERSION || rc == DK_ETOOBIG);
    }
    ASSERT_EQ(dk_folder_position(other.folder), 0);
    ASSERT_TRUE(dk_folder_hash(other.folder) == before);
    folded_close(&other);
}

static void test_folder_passes_over_kinds_of_a_newer_writer(void **state)
{
    struct folded *log = *state;
    open_ticket(log, 1, DOCKET__PRIORITY__PRIORITY_HIGH);
    size_t at = log->records.size;
    struct dk_envelope envelope = {.subject = TICKET(1), .actor = FIXTURE_AGENT};
    ASSERT_OK(
        dk_event_encode(&log->records, &envelope, DK_KIND_NOTE_ADDED, fixture_note("x"), &log->err),
        &log->err);
    uint32_t kind = 1999;
    DK_ASSERT(dk_kind_info(kind) == NULL);
    uint8_t *record = log->records.data + at;
    dk_stamp_kind(record, kind);
    record[DK_ENVELOPE_BYTES] =
        (uint8_t)(kind << 3 | 2 | 0x80); /* the body's tag, length-delimited */
    record[DK_ENVELOPE_BYTES + 1] = (uint8_t)(kind >> 4);
    ASSERT_EQ(folded_take(log), 2);
    const struct dk_ticket *life =
        dk_table_get(dk_folder_world(log->folder)->tickets, TICKET(1), NULL);
    ASSERT_EQ(life->version, 2);
    ASSERT_EQ(life->last_position, 2);
}

static void test_folder_state_is_the_same_however_often_it_is_hashed(void **state)
{
    struct folded *log = *state;
    struct dk_folder *other;
    ASSERT_OK(dk_folder_new(&other, ops(), &log->err), &log->err);
    for (uint64_t n = 1; n <= 50; n++) {
        open_ticket(log, n, DOCKET__PRIORITY__PRIORITY_HIGH);
        add_note(log, n);
        (void)dk_folder_hash(log->folder);
    }
    folded_replay(log, other, log->last);
    ASSERT_TRUE(dk_folder_hash(other) == dk_folder_hash(log->folder));
    add_note(log, 7);
    ASSERT_TRUE(dk_folder_hash(other) != dk_folder_hash(log->folder));
    dk_folder_free(&other);
}

static void test_folder_considers_what_is_touched_or_due(void **state)
{
    struct folded *log = *state;
    struct dk_intents intents;
    uint64_t item;
    dk_intents_init(&intents, DK_ROLE_ROUTING, 3);
    open_ticket(log, 1, DOCKET__PRIORITY__PRIORITY_LOW);
    open_ticket(log, 2, DOCKET__PRIORITY__PRIORITY_HIGH);
    ASSERT_EQ(dk_folder_next_due_us(log->folder), INT64_MIN);

    ASSERT_TRUE(dk_folder_next_item(log->folder, log->now_us, &item));
    ASSERT_EQ(item, TICKET(1));
    dk_folder_consider(log->folder, item, log->now_us, &intents);
    ASSERT_EQ(intents.count, 0); /* put down for when it may owe something */
    ASSERT_TRUE(dk_folder_next_item(log->folder, log->now_us, &item));
    ASSERT_EQ(item, TICKET(2));
    dk_folder_consider(log->folder, item, log->now_us, &intents);
    ASSERT_EQ(intents.count, 1);
    ASSERT_EQ(intents.basis, 2);
    folded_intents(log, &intents);
    ASSERT_TRUE(!dk_folder_next_item(log->folder, log->now_us, &item));
    ASSERT_EQ(dk_folder_next_due_us(log->folder), log->now_us + SMALL_DELAY_US);
    ASSERT_TRUE(dk_folder_next_item(log->folder, log->now_us + SMALL_DELAY_US, &item));
    ASSERT_EQ(item, TICKET(1));
    dk_folder_touch(log->folder, TICKET(1), log->now_us + 5); /* by who saw it refused */
    ASSERT_EQ(dk_folder_next_due_us(log->folder), log->now_us + 5);
    dk_folder_touch(log->folder, TICKET(1), 0);
    ASSERT_EQ(dk_folder_next_due_us(log->folder), INT64_MIN);
    dk_intents_close(&intents);
}

static void test_folder_tells_its_state(void **state)
{
    struct folded *log = *state;
    struct dk_buf json;
    char expected[128];
    dk_buf_init(&json, 4096);
    open_ticket(log, 1, DOCKET__PRIORITY__PRIORITY_HIGH);
    ASSERT_OK(dk_folder_query(log->folder, "state", NULL, 0, &json, &log->err), &log->err);
    ASSERT_OK(dk_buf_append(&json, "", 1), &log->err);
    snprintf(expected, sizeof expected,
             "{\"position\":1,\"fold_version\":1,\"hash\":\"%016llx\",\"tickets\":1}",
             (unsigned long long)dk_folder_hash(log->folder));
    ASSERT_STR((const char *)json.data, expected);
    ASSERT_CODE(dk_folder_query(log->folder, "queue", NULL, 0, &json, &log->err), DK_ENOTFOUND);
    ASSERT_CONTAINS(log->err.message, "queue");
    dk_buf_close(&json);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_folder_refuses_a_record_out_of_order),
        CASE(test_folder_refuses_every_flipped_bit),
        CASE(test_folder_passes_over_kinds_of_a_newer_writer),
        CASE(test_folder_state_is_the_same_however_often_it_is_hashed),
        CASE(test_folder_considers_what_is_touched_or_due),
        CASE(test_folder_tells_its_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
