#include "nodes/runtime/folder.h"

#include "tests/lib/core_fixture.h"
#include "tests/lib/role_world.h"
#include "tests/lib/small_role.h"
#include <stdio.h>

#define TICKET(n) dk_ticket_make(7, (n))

static const struct dk_role_ops *ops(void)
{
    static struct dk_role_ops made;
    made = small_role_ops();
    return &made;
}

static int set_up(void **state)
{
    struct role_world *world = calloc(1, sizeof *world);
    world_open(world, ops());
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    world_close(*state);
    free(*state);
    return 0;
}

static void open_ticket(struct role_world *world, Docket__Priority priority)
{
    Docket__Opened opened = DOCKET__OPENED__INIT;
    opened.has_priority = 1;
    opened.priority = priority;
    (void)world_open_ticket(world, &opened);
}

static void add_note(struct role_world *world, uint64_t number)
{
    (void)world_append(world, TICKET(number), DK_KIND_NOTE_ADDED, fixture_note("a note"));
}

static struct dk_slice record_at(const struct role_world *world, uint64_t position)
{
    struct dk_slice record;
    record.data = world_record(world, position, &record.size);
    return record;
}

static struct dk_folder *fresh(void)
{
    struct dk_err err;
    struct dk_folder *folder;
    ASSERT_OK(dk_folder_new(&folder, ops(), &err), &err);
    return folder;
}

static int apply(struct dk_folder *folder, const struct dk_slice *record, struct dk_err *err)
{
    return dk_folder_apply(folder, record->data, record->size, err);
}

static void test_folder_refuses_a_record_out_of_order(void **state)
{
    struct role_world *world = *state;
    struct dk_folder *other = fresh();
    struct dk_err err = {0};
    open_ticket(world, DOCKET__PRIORITY__PRIORITY_HIGH);
    for (int i = 0; i < 3; i++)
        add_note(world, 1);
    struct dk_slice first = record_at(world, 1), third = record_at(world, 3);
    ASSERT_OK(apply(other, &first, &err), &err);
    ASSERT_CODE(apply(other, &third, &err), DK_EORDER);
    ASSERT_CONTAINS(err.message, "expected position 2, got 3");
    ASSERT_CODE(apply(other, &first, &err), DK_EORDER);
    world_fold(world, other, 4); /* and goes on with the right one */
    ASSERT_TRUE(dk_folder_hash(other) == dk_folder_hash(world->folder));
    dk_folder_free(&other);
}

static void test_folder_refuses_every_flipped_bit(void **state)
{
    struct role_world *world = *state;
    struct dk_folder *other = fresh();
    open_ticket(world, DOCKET__PRIORITY__PRIORITY_HIGH);
    struct dk_slice good = record_at(world, 1);
    uint8_t *bad = test_memory(good.size);
    uint64_t before = dk_folder_hash(other);
    for (size_t bit = 0; bit < 8 * good.size; bit++) {
        memcpy(bad, good.data, good.size);
        bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct dk_slice record = {bad, good.size};
        int rc = apply(other, &record, NULL);
        ASSERT_TRUE(rc == DK_ECORRUPT || rc == DK_ECANON || rc == DK_EVERSION || rc == DK_ETOOBIG);
    }
    ASSERT_EQ(dk_folder_position(other), 0);
    ASSERT_TRUE(dk_folder_hash(other) == before);
    dk_folder_free(&other);
}

static void test_folder_passes_over_kinds_of_a_newer_writer(void **state)
{
    struct role_world *world = *state;
    open_ticket(world, DOCKET__PRIORITY__PRIORITY_HIGH);
    size_t at = world->log.size;
    uint32_t kind = 1999;
    struct dk_envelope envelope = {.subject = TICKET(1), .actor = FIXTURE_AGENT};
    DK_ASSERT(dk_kind_info(kind) == NULL);
    DK_ASSERT(
        dk_event_encode(&world->log, &envelope, DK_KIND_NOTE_ADDED, fixture_note("x"), NULL) == 0);
    uint8_t *record = world->log.data + at;
    dk_stamp_kind(record, kind);
    record[DK_ENVELOPE_BYTES] = (uint8_t)(kind << 3 | 2 | 0x80); /* the body's tag, with a length */
    record[DK_ENVELOPE_BYTES + 1] = (uint8_t)(kind >> 4);
    ASSERT_EQ(world_stamp(world), 2);
    const struct dk_ticket *life =
        dk_table_get(dk_folder_world(world->folder)->tickets, TICKET(1), NULL);
    ASSERT_EQ(life->version, 2);
    ASSERT_EQ(life->last_position, 2);
}

static void test_folder_state_is_the_same_however_often_it_is_hashed(void **state)
{
    struct role_world *world = *state;
    for (uint64_t n = 1; n <= 50; n++) {
        open_ticket(world, DOCKET__PRIORITY__PRIORITY_HIGH);
        add_note(world, n);
        (void)dk_folder_hash(world->folder);
    }
    struct dk_folder *other = world_replay(world);
    ASSERT_TRUE(dk_folder_hash(other) == dk_folder_hash(world->folder));
    add_note(world, 7);
    ASSERT_TRUE(dk_folder_hash(other) != dk_folder_hash(world->folder));
    dk_folder_free(&other);
}

static void test_folder_considers_what_is_touched_or_due(void **state)
{
    struct role_world *world = *state;
    struct dk_folder *folder = world->folder;
    struct dk_intents *intents = &world->intents;
    uint64_t item;
    open_ticket(world, DOCKET__PRIORITY__PRIORITY_LOW);
    int64_t due_us = world->now_us + SMALL_DELAY_US;
    open_ticket(world, DOCKET__PRIORITY__PRIORITY_HIGH);
    ASSERT_EQ(dk_folder_next_due_us(folder), INT64_MIN);

    ASSERT_TRUE(dk_folder_next_item(folder, world->now_us, &item));
    ASSERT_EQ(item, TICKET(1));
    dk_folder_consider(folder, item, world->now_us, intents);
    ASSERT_EQ(intents->count, 0); /* put down for when it may owe something */
    ASSERT_TRUE(dk_folder_next_item(folder, world->now_us, &item));
    ASSERT_EQ(item, TICKET(2));
    dk_folder_consider(folder, item, world->now_us, intents);
    ASSERT_EQ(intents->count, 1);
    ASSERT_EQ(intents->basis, 2);

    ASSERT_TRUE(!dk_folder_next_item(folder, world->now_us, &item));
    ASSERT_EQ(dk_folder_next_due_us(folder), due_us);
    ASSERT_TRUE(dk_folder_next_item(folder, due_us, &item));
    ASSERT_EQ(item, TICKET(1));
    dk_folder_touch(folder, TICKET(1), due_us + 5); /* by who saw it refused */
    ASSERT_EQ(dk_folder_next_due_us(folder), due_us + 5);
    dk_folder_touch(folder, TICKET(1), 0);
    ASSERT_EQ(dk_folder_next_due_us(folder), INT64_MIN);
}

static void test_folder_tells_its_state(void **state)
{
    struct role_world *world = *state;
    struct dk_err err = {0};
    struct dk_buf json;
    char expected[128];
    dk_buf_init(&json, 4096);
    open_ticket(world, DOCKET__PRIORITY__PRIORITY_HIGH);
    ASSERT_OK(dk_folder_query(world->folder, "state", NULL, 0, &json, &err), &err);
    ASSERT_OK(dk_buf_append(&json, "", 1), &err);
    snprintf(expected, sizeof expected,
             "{\"position\":1,\"fold_version\":1,\"hash\":\"%016llx\",\"tickets\":1}",
             (unsigned long long)dk_folder_hash(world->folder));
    ASSERT_STR((const char *)json.data, expected);
    ASSERT_CODE(dk_folder_query(world->folder, "queue", NULL, 0, &json, &err), DK_ENOTFOUND);
    ASSERT_CONTAINS(err.message, "queue");
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
