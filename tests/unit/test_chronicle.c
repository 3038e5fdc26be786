/* Generated histories: legal, whole, the same for the same seed, and of the shape that is promised
 * of them, as benches and tests of KPIs rest on them. */
#include "bench/lib/chronicle.h"
#include "proto/base/map.h"
#include "proto/base/time.h"
#include "proto/event/body.h"
#include "proto/fold/ticket.h"
#include "tests/lib/assert.h"
#include "tests/lib/log_fixture.h"
#include <inttypes.h>

#define EVENTS 20000
#define SEED   7

struct world {
    struct dk_chronicle *chronicle;
    struct dk_refs *refs;
    struct dk_map tickets;
    struct dk_arena arena;
    struct dk_envelope envelope;
    struct dk_err err;
    int64_t recorded_us;
    uint64_t position, bytes, of_kind[DK_KIND_MAX + 1], backdated;
};

static struct dk_chronicle *new_chronicle(uint64_t events, uint64_t seed)
{
    return dk_chronicle_new(&(struct dk_chronicle_options){.events = events, .seed = seed});
}

static void open_world(struct world *world)
{
    memset(world, 0, sizeof *world);
    world->chronicle = new_chronicle(EVENTS, SEED);
    dk_map_init(&world->tickets, sizeof(struct dk_ticket), EVENTS);
    ASSERT_OK(dk_refs_new(&world->refs, &world->err), &world->err);
    ASSERT_EQ(dk_arena_init(&world->arena, DK_UNPACK_MAX_BYTES), 0);
}

static void close_world(struct world *world)
{
    dk_chronicle_free(&world->chronicle);
    dk_map_close(&world->tickets);
    dk_refs_free(&world->refs);
    dk_arena_close(&world->arena);
}

static unsigned role_of(const struct dk_envelope *envelope)
{
    return dk_id_class(envelope->actor) == DK_ACTOR_NODE ? (unsigned)(envelope->actor & DK_ID_MASK)
                                                         : DK_ROLE_AGENT;
}

/* Judges and folds one event of a ticket, whose stamps are to be those that the fold expects. */
static void judge_ticket(struct world *world, const ProtobufCMessage *body)
{
    const struct dk_envelope *envelope = &world->envelope;
    struct dk_ticket *ticket = dk_map_put(&world->tickets, envelope->subject, NULL);
    int rc = dk_ticket_check(ticket, world->refs, role_of(envelope), envelope, body, &world->err);
    if (rc != 0) {
        fail_msg("position %" PRIu64 ", %s: %s", envelope->position,
                 dk_kind_info(envelope->kind)->word, world->err.message);
    }
    ASSERT_EQ(envelope->subject_version, ticket->version + 1);
    ASSERT_EQ(envelope->previous, ticket->last_position);
    ASSERT_TRUE(envelope->occurred_us >= ticket->opened_us);
    dk_ticket_apply(ticket, envelope, body);
    ASSERT_EQ(envelope->group, ticket->group);
}

static bool judge_next(struct world *world)
{
    size_t bytes;
    const uint8_t *record = dk_chronicle_next(world->chronicle, &bytes);
    struct dk_envelope *envelope = &world->envelope;
    if (record == NULL) {
        return false;
    }
    ASSERT_OK(dk_event_verify(record, bytes, &world->err), &world->err);
    dk_event_load(record, envelope);
    ASSERT_EQ(envelope->position, ++world->position);
    ASSERT_TRUE(envelope->recorded_us >= world->recorded_us);
    ASSERT_TRUE(envelope->occurred_us <= envelope->recorded_us);
    world->recorded_us = envelope->recorded_us;
    dk_arena_reset(&world->arena);
    const ProtobufCMessage *body = dk_body_unpack(&world->arena, record, bytes, &world->err);
    ASSERT_OK(body == NULL ? world->err.code : 0, &world->err);
    ASSERT_OK(dk_body_check(body, envelope->kind, &world->err), &world->err);
    if (dk_id_class(envelope->subject) == DK_SUBJECT_TICKET) {
        judge_ticket(world, body);
    } else {
        ASSERT_OK(dk_refs_apply(world->refs, record, bytes, &world->err), &world->err);
    }
    world->of_kind[envelope->kind]++;
    world->bytes += bytes;
    world->backdated += (envelope->flags & DOCKET__EVENT_FLAG__FLAG_BACKDATED) != 0;
    return true;
}

static void test_chronicle_is_legal(void **state)
{
    (void)state;
    struct world world;
    open_world(&world);
    while (judge_next(&world)) {
    }
    ASSERT_EQ(world.position, EVENTS);
    close_world(&world);
}

static void test_chronicle_has_the_promised_mix(void **state)
{
    (void)state;
    static const uint32_t kinds[] = {
        DK_KIND_OPENED,          DK_KIND_CLASSIFIED,     DK_KIND_ROUTED,
        DK_KIND_ASSIGNED,        DK_KIND_MESSAGE_PUBLIC, DK_KIND_HANDOVER_DECLARED,
        DK_KIND_NOTE_ADDED,      DK_KIND_STATUS_CHANGED, DK_KIND_ESCALATED,
        DK_KIND_SUPPLIER_HANDED, DK_KIND_MERGED_INTO,    DK_KIND_TIME_LOGGED,
        DK_KIND_RATED,           DK_KIND_CLOCK_MET,      DK_KIND_CLOCK_BREACHED,
        DK_KIND_CLOCK_RESUMED,   DK_KIND_AUTO_SOLVED,    DK_KIND_AUTO_CLOSED,
        DK_KIND_REPEAT_NOTED,
    };
    struct world world;
    open_world(&world);
    while (judge_next(&world)) {
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (world.of_kind[kinds[i]] == 0) {
            fail_msg("no %s", dk_kind_info(kinds[i])->word);
        }
    }
    uint64_t tickets = world.of_kind[DK_KIND_OPENED], reopened = 0, live = 0;
    uint64_t defined = world.of_kind[DK_KIND_CUSTOMER_DEFINED] + 830, key;
    size_t cursor = 0;
    void *value;
    while (dk_map_next(&world.tickets, &cursor, &key, &value)) {
        const struct dk_ticket *ticket = value;
        reopened += ticket->reopened > 0;
        live += dk_ticket_live(ticket) != 0;
        ASSERT_EQ(ticket->irregular, 0);
    }
    ASSERT_EQ(tickets, dk_chronicle_tickets(world.chronicle));
    ASSERT_TRUE((EVENTS - defined) / tickets >= 10 && (EVENTS - defined) / tickets <= 11);
    ASSERT_TRUE(world.bytes / EVENTS >= 185 && world.bytes / EVENTS <= 215);
    ASSERT_TRUE(reopened * 100 > tickets * 3 && reopened * 100 < tickets * 12);
    ASSERT_TRUE(live > 0 && live * 20 < tickets);
    ASSERT_TRUE(world.backdated > 0);
    int64_t days = (world.recorded_us - DK_CHRONICLE_START_US) / DK_DAY_US;
    ASSERT_TRUE(days > DK_CHRONICLE_DAYS * 8 / 10 && days < DK_CHRONICLE_DAYS * 12 / 10);
    close_world(&world);
}

/* Of all records' crcs, in order. */
static uint64_t hash_of(uint64_t events, uint64_t seed)
{
    struct dk_chronicle *chronicle = new_chronicle(events, seed);
    const uint8_t *record;
    uint64_t hash = 0;
    size_t bytes;
    while ((record = dk_chronicle_next(chronicle, &bytes)) != NULL) {
        hash = (hash ^ dk_event_load_crc32c(record)) * UINT64_C(0x9e3779b97f4a7c15);
    }
    dk_chronicle_free(&chronicle);
    return hash;
}

/* What benches measured and tests expect rests on these bytes: a change of the generator is to be
 * meant, and a new hash put down here. */
static void test_chronicle_is_a_function_of_its_seed(void **state)
{
    (void)state;
    ASSERT_EQ(hash_of(EVENTS, SEED), UINT64_C(0xa4fe380cf6613830));
    ASSERT_EQ(hash_of(5000, 1), hash_of(5000, 1));
    assert_true(hash_of(5000, 1) != hash_of(5000, 2));
}

static void test_chronicle_is_written_as_it_comes(void **state)
{
    (void)state;
    struct dk_chronicle_options options = {.events = EVENTS + 1, .seed = 3};
    struct test_log log;
    struct dk_records records;
    uint64_t position = 1;
    ASSERT_OK(test_log_open(&log), &log.err);
    ASSERT_OK(dk_chronicle_write(log.log, &options, &log.err), &log.err);
    struct dk_chronicle *chronicle = dk_chronicle_new(&options);
    dk_records_init(&records);
    do {
        ASSERT_OK(dk_log_read(log.reader, position, DK_READ_MAX_BYTES, &records, &log.err),
                  &log.err);
        for (size_t i = 0; i < records.batch.count; i++, position++) {
            size_t bytes, expected_bytes;
            const uint8_t *record = dk_batch_record(&records.batch, i, &bytes);
            const uint8_t *expected = dk_chronicle_next(chronicle, &expected_bytes);
            assert_non_null(expected);
            ASSERT_EQ(bytes, expected_bytes);
            assert_memory_equal(record, expected, bytes);
        }
    } while (records.batch.count > 0);
    ASSERT_EQ(position, options.events + 1);
    dk_records_close(&records);
    dk_chronicle_free(&chronicle);
    test_log_close(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chronicle_is_legal),
        cmocka_unit_test(test_chronicle_has_the_promised_mix),
        cmocka_unit_test(test_chronicle_is_a_function_of_its_seed),
        cmocka_unit_test(test_chronicle_is_written_as_it_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
