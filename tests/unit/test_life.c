#include "replay/history/life.h"
#include "tests/lib/assert.h"
#include "tests/lib/definitions.h"

#define T(minutes) (test_at("2026-02-03T10:00:00Z") + (minutes)*DK_MINUTE_US)
#define TICKET     dk_ticket_make(1, 7)
#define CUSTOMER   dk_id_make(DK_ACTOR_CUSTOMER, 5)
#define AGENT      dk_id_make(DK_ACTOR_AGENT, 6)

static struct dk_life life;

static int set_up(void **state)
{
    (void)state;
    return dk_life_init(&life, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    dk_life_close(&life);
    return 0;
}

static void add(uint64_t position, int64_t occurred_us, int64_t recorded_us, uint64_t actor,
                uint32_t kind, const void *body)
{
    struct dk_envelope envelope = {.position = position,
                                   .occurred_us = occurred_us,
                                   .recorded_us = recorded_us,
                                   .subject = TICKET,
                                   .actor = actor};
    struct dk_buf buf;
    struct dk_err err = {0};
    dk_buf_init(&buf, DK_RECORD_MAX_BYTES);
    DK_ASSERT(dk_event_encode(&buf, &envelope, kind, body, NULL) == 0);
    dk_stamp_crc32c(buf.data, dk_event_crc(buf.data, buf.size));
    ASSERT_OK(dk_life_add(&life, buf.data, buf.size, &err), &err);
    dk_buf_close(&buf);
}

static void add_message(uint64_t position, int64_t at_us, Docket__Direction direction)
{
    Docket__MessagePublic message = DOCKET__MESSAGE_PUBLIC__INIT;
    message.direction = direction;
    message.text = test_text("text");
    add(position, at_us, at_us,
        direction == DOCKET__DIRECTION__DIRECTION_INBOUND ? CUSTOMER : AGENT,
        DK_KIND_MESSAGE_PUBLIC, &message);
}

static void add_status(uint64_t position, int64_t occurred_us, int64_t recorded_us,
                       Docket__Status status)
{
    Docket__StatusChanged changed = DOCKET__STATUS_CHANGED__INIT;
    changed.status = status;
    add(position, occurred_us, recorded_us, AGENT, DK_KIND_STATUS_CHANGED, &changed);
}

/* Newest first, as a chain of previous positions is read. */
static void add_some(void)
{
    Docket__Opened opened = DOCKET__OPENED__INIT;
    opened.subject = test_text("It burns");
    add_status(9, T(20), T(60), DOCKET__STATUS__STATUS_SOLVED); /* told an hour late */
    add_message(8, T(15), DOCKET__DIRECTION__DIRECTION_INBOUND);
    add_message(6, T(10), DOCKET__DIRECTION__DIRECTION_INBOUND);
    add_message(5, T(5), DOCKET__DIRECTION__DIRECTION_OUTBOUND);
    add_status(4, T(2), T(2), DOCKET__STATUS__STATUS_OPEN);
    add(3, T(0), T(0), CUSTOMER, DK_KIND_OPENED, &opened);
    dk_life_sort(&life);
}

static void test_life_is_as_of_any_instant(void **state)
{
    struct dk_life_view view;
    (void)state;
    add_some();
    dk_life_fold(&life, INT64_MAX, INT64_MAX, &view);
    ASSERT_EQ(view.ticket.status, DOCKET__STATUS__STATUS_SOLVED);
    ASSERT_EQ(view.ticket.version, 6);
    ASSERT_EQ(view.last_us, T(20));
    ASSERT_TRUE(view.opened != NULL);
    dk_life_fold(&life, T(1), INT64_MAX, &view);
    ASSERT_EQ(view.ticket.status, DOCKET__STATUS__STATUS_NEW);
    dk_life_fold(&life, T(-1), INT64_MAX, &view);
    ASSERT_EQ(view.ticket.last_position, 0);
}

static void test_life_is_as_far_as_it_was_known(void **state)
{
    struct dk_life_view view;
    (void)state;
    add_some();
    dk_life_fold(&life, T(30), T(59), &view);
    ASSERT_EQ(view.ticket.status, DOCKET__STATUS__STATUS_OPEN);
    dk_life_fold(&life, T(30), T(60), &view);
    ASSERT_EQ(view.ticket.status, DOCKET__STATUS__STATUS_SOLVED);
}

static void test_life_tells_since_when_it_is_unanswered(void **state)
{
    struct dk_life_view view;
    (void)state;
    add_some();
    dk_life_fold(&life, T(6), INT64_MAX, &view);
    ASSERT_EQ(view.unanswered_since_us, 0);
    dk_life_fold(&life, T(16), INT64_MAX, &view); /* the older of two messages (S10) */
    ASSERT_EQ(view.unanswered_since_us, T(10));
}

static void add_merge(uint64_t position, int64_t at_us, int64_t since_us)
{
    Docket__MergedFrom merged = DOCKET__MERGED_FROM__INIT;
    merged.source_ticket = dk_ticket_make(1, 6);
    merged.has_unanswered_since_us = since_us != 0;
    merged.unanswered_since_us = since_us;
    add(position, at_us, at_us, AGENT, DK_KIND_MERGED_FROM, &merged);
}

/* So that the next merge, of this ticket into another, passes it on (S10). */
static void test_life_is_unanswered_since_the_older_message_of_a_merged_one(void **state)
{
    struct dk_life_view view;
    (void)state;
    add_some();
    add_merge(10, T(30), T(3));
    add_merge(11, T(31), T(4));
    add_merge(12, T(32), 0);
    dk_life_sort(&life);
    dk_life_fold(&life, INT64_MAX, INT64_MAX, &view);
    ASSERT_EQ(view.unanswered_since_us, T(3));
    add_message(13, T(40), DOCKET__DIRECTION__DIRECTION_OUTBOUND);
    add_merge(14, T(50), T(45));
    dk_life_sort(&life);
    dk_life_fold(&life, INT64_MAX, INT64_MAX, &view);
    ASSERT_EQ(view.unanswered_since_us, T(45));
}

static void test_life_finds_by_position(void **state)
{
    (void)state;
    ASSERT_TRUE(dk_life_find(&life, 4) == NULL);
    add_some();
    ASSERT_EQ(dk_life_find(&life, 4)->envelope.kind, DK_KIND_STATUS_CHANGED);
    ASSERT_TRUE(dk_life_find(&life, 7) == NULL);
}

static void test_life_refuses_a_damaged_record(void **state)
{
    uint8_t record[DK_ENVELOPE_BYTES] = {0};
    struct dk_err err = {0};
    (void)state;
    ASSERT_CODE(dk_life_add(&life, record, sizeof record, &err), DK_ECANON);
    ASSERT_EQ(life.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_life_is_as_of_any_instant, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_life_is_as_far_as_it_was_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_life_tells_since_when_it_is_unanswered, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            test_life_is_unanswered_since_the_older_message_of_a_merged_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_life_finds_by_position, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_life_refuses_a_damaged_record, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
