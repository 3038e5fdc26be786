#include "broker/core/recover.h"

#include "proto/base/time.h"
#include "tests/lib/bodies.h"
#include "tests/lib/core_fixture.h"
#include "tests/lib/folder.h"
#include <stdlib.h>

/* Random traffic of four peers, from one seed. */
struct traffic {
    struct fixture f;
    struct test_random random;
    struct fixture_peer agent, operator, importer, routing;
    struct fixture_events events;
    uint64_t connection;
    uint64_t one_shot;
};

static void greet(struct traffic *t)
{
    t->agent = fixture_peer(&t->f, DK_ROLE_AGENT, ++t->connection);
    t->operator= fixture_peer(&t->f, DK_ROLE_OPERATOR, ++t->connection);
    t->importer = fixture_peer(&t->f, DK_ROLE_IMPORTER, ++t->connection);
    t->routing = fixture_peer(&t->f, DK_ROLE_ROUTING, ++t->connection);
}

static void traffic_open(struct traffic *t, uint64_t seed)
{
    memset(t, 0, sizeof *t);
    t->random.state = seed;
    fixture_open(&t->f);
    fixture_events_init(&t->events);
    greet(t);
}

static void traffic_close(struct traffic *t)
{
    fixture_events_close(&t->events);
    fixture_close(&t->f);
}

static size_t pick(struct traffic *t, size_t bound)
{
    return test_random_below(&t->random, bound);
}

/* Any ticket, one that is not there now and then. */
static uint64_t some_ticket(struct traffic *t)
{
    struct dk_core_stats stats;
    dk_core_stats(t->f.core, &stats);
    return FIXTURE_TICKET(1 + pick(t, stats.tickets + 2));
}

static const void *imported_note(struct traffic *t)
{
    Docket__NoteAdded *note = test_memory(sizeof *note);
    docket__note_added__init(note);
    note->origin = test_memory(sizeof *note->origin);
    docket__origin__init(note->origin);
    note->origin->source = test_id(DK_SUBJECT_SOURCE, "old desk");
    note->origin->ordinal = (uint32_t)pick(t, 100);
    return note;
}

static const void *imported_opened(void)
{
    Docket__Opened *opened = test_memory(sizeof *opened);
    docket__opened__init(opened);
    opened->origin = test_memory(sizeof *opened->origin);
    docket__origin__init(opened->origin);
    opened->origin->source = test_id(DK_SUBJECT_SOURCE, "old desk");
    opened->origin->ordinal = 1;
    return opened;
}

static void add_of_agent(struct traffic *t)
{
    size_t opened = 0;
    for (size_t i = pick(t, 5) + 1; i > 0; i--) {
        uint64_t ticket =
            opened > 0 && pick(t, 2) ? FIXTURE_UNNAMED(pick(t, opened)) : some_ticket(t);
        switch (pick(t, 6)) {
        case 0:
        case 1:
            fixture_next(&t->events, &t->agent, FIXTURE_CUSTOMER, FIXTURE_UNNAMED(opened++),
                         DK_KIND_OPENED, fixture_opened());
            break;
        case 2:
            fixture_next(&t->events, &t->agent, FIXTURE_AGENT, ticket, DK_KIND_STATUS_CHANGED,
                         fixture_status((Docket__Status)(1 + pick(t, 5))));
            break;
        default:
            fixture_next(&t->events, &t->agent, FIXTURE_AGENT, ticket, DK_KIND_NOTE_ADDED,
                         fixture_note("a note"));
        }
    }
}

static void add_of_importer(struct traffic *t)
{
    uint8_t *record = fixture_next(&t->events, &t->importer, dk_id_make(DK_ACTOR_IMPORTER, 1),
                                   FIXTURE_UNNAMED(0), DK_KIND_OPENED, imported_opened());
    dk_stamp_occurred_us(record, (uint64_t)(FIXTURE_NOW - DK_DAY_US));
    fixture_next(&t->events, &t->importer, dk_id_make(DK_ACTOR_AGENT, 3), FIXTURE_UNNAMED(0),
                 DK_KIND_NOTE_ADDED, imported_note(t));
}

static void add_of_routing(struct traffic *t)
{
    uint64_t last = dk_core_last(t->f.core);
    for (size_t i = pick(t, 3) + 1; i > 0; i--) {
        uint64_t basis = pick(t, 4) == 0 ? last / 2 : last;
        fixture_next(&t->events, &t->routing, FIXTURE_ROUTING, some_ticket(t), DK_KIND_ROUTED,
                     fixture_routed(basis, pick(t, 2) ? "desk" : "lab"));
    }
}

static void add_of_operator(struct traffic *t)
{
    static const char *const keys[] = {"desk", "lab", "field", "night"};
    for (size_t i = pick(t, 3) + 1; i > 0; i--) {
        const char *key = keys[pick(t, 4)];
        const char *other = pick(t, 8) == 0 ? "wrong" : key;
        fixture_next(&t->events, &t->operator, FIXTURE_OPERATOR, test_id(DK_SUBJECT_GROUP, key),
                     DK_KIND_GROUP_DEFINED, fixture_group(other));
    }
}

static void add_one_shots(struct traffic *t)
{
    uint64_t low = pick(t, 4) == 0 && t->one_shot > 0 ? t->one_shot : ++t->one_shot;
    size_t opened = 0;
    for (size_t i = pick(t, 3) + 1; i > 0; i--) {
        bool opens = pick(t, 3) == 0;
        struct dk_envelope envelope = {
            .subject = opens ? FIXTURE_UNNAMED(opened++) : some_ticket(t),
            .actor = FIXTURE_AGENT,
            .flags = DOCKET__EVENT_FLAG__FLAG_ONE_SHOT,
            .producer = 77,
            .producer_number = low,
        };
        fixture_add(&t->events, envelope, opens ? DK_KIND_OPENED : DK_KIND_NOTE_ADDED,
                    opens ? fixture_opened() : fixture_note("once"));
    }
}

static void send_some(struct traffic *t)
{
    const struct fixture_peer *from = &t->agent;
    fixture_events_clear(&t->events);
    switch (pick(t, 8)) {
    case 0: add_of_importer(t), from = &t->importer; break;
    case 1: add_of_routing(t), from = &t->routing; break;
    case 2: add_of_operator(t), from = &t->operator; break;
    case 3: add_one_shots(t); break;
    default: add_of_agent(t);
    }
    bool atomic = pick(t, 3) == 0;
    fixture_append(&t->f, from, &t->events, atomic);
    if (pick(t, 10) == 0) {
        fixture_append(&t->f, from, &t->events, atomic); /* a repeat in flight */
    }
}

static void run(struct traffic *t, size_t requests)
{
    for (size_t i = 0; i < requests; i++) {
        int64_t later = (int64_t)pick(t, 2000) * DK_MINUTE_US;
        t->f.now.wall_us += later;
        t->f.now.boot_us += later;
        send_some(t);
        if (pick(t, 3) == 0) {
            fixture_commit(&t->f);
            fixture_forget(&t->f);
        }
    }
    fixture_settle(&t->f);
    fixture_forget(&t->f);
}

/* ----------------------------------------------------------------------------- what is known */

/* A checkpoint's annex and every ticket's entry, as of now. */
struct known {
    struct dk_buf annex;
    struct dk_buf tickets;
};

static void checkpoint(struct fixture *f)
{
    struct dk_err err;
    ASSERT_OK(dk_core_checkpoint_begin(f->core, &err), &err);
    ASSERT_OK(dk_heads_write(f->heads, &err), &err);
    dk_heads_finish(f->heads);
}

/* The annex of heads in memory, or of those that stand in `dir`. */
static void take_annex(struct fixture *f, const char *dir, struct dk_buf *out)
{
    struct dk_heads *stored = NULL;
    struct dk_err err;
    size_t bytes;
    if (dir != NULL) {
        ASSERT_OK(dk_heads_open(&stored, dir, f->identity.uuid, sizeof(struct dk_ticket),
                                DK_HEADS_VERSION, NULL, &err),
                  &err);
    }
    const uint8_t *annex = dk_heads_annex(dir != NULL ? stored : f->heads, &bytes);
    ASSERT_TRUE(bytes > 0);
    ASSERT_EQ(dk_buf_append(out, annex, bytes), 0);
    dk_heads_close(&stored);
}

static struct known look_in(struct fixture *f, const char *dir)
{
    struct known known;
    struct dk_core_stats stats;
    dk_buf_init(&known.annex, 64 << 20);
    dk_buf_init(&known.tickets, 64 << 20);
    dk_core_stats(f->core, &stats);
    for (uint64_t number = 1; number <= stats.tickets; number++) {
        const struct dk_ticket *ticket = dk_core_ticket(f->core, FIXTURE_TICKET(number));
        ASSERT_TRUE(ticket != NULL);
        ASSERT_EQ(dk_buf_append(&known.tickets, ticket, sizeof *ticket), 0);
    }
    checkpoint(f);
    take_annex(f, dir, &known.annex);
    return known;
}

static struct known look(struct fixture *f)
{
    return look_in(f, NULL);
}

static void check_equal(struct known *a, struct known b)
{
    ASSERT_EQ(a->tickets.size, b.tickets.size);
    assert_memory_equal(a->tickets.data, b.tickets.data, b.tickets.size);
    ASSERT_EQ(a->annex.size, b.annex.size);
    assert_memory_equal(a->annex.data, b.annex.data, b.annex.size);
    dk_buf_close(&b.annex);
    dk_buf_close(&b.tickets);
}

static void forget(struct known *known)
{
    dk_buf_close(&known->annex);
    dk_buf_close(&known->tickets);
}

/* ----------------------------------------------------------------------------------- tests */

static void test_recover_rebuilds_what_was_there_byte_for_byte(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct traffic t;
        traffic_open(&t, seed);
        run(&t, 300);
        struct known known = look(&t.f);
        uint64_t epoch = dk_refs_epoch(dk_core_refs(t.f.core));
        ASSERT_TRUE(dk_core_last(t.f.core) > 100 && epoch > 0);
        fixture_crash(&t.f);
        check_equal(&known, look(&t.f));
        ASSERT_EQ(dk_refs_epoch(dk_core_refs(t.f.core)), epoch);
        forget(&known);
        traffic_close(&t);
    }
}

/* Stops and starts with the heads that stand in `dir`. */
static void restart_from(struct traffic *t, const char *dir)
{
    struct dk_err err;
    struct dk_core_output output = {&t->f, fixture_send};
    fixture_stop(&t->f);
    memory_store_crash(&t->f.memory);
    ASSERT_OK(dk_heads_open(&t->f.heads, dir, t->f.identity.uuid, sizeof(struct dk_ticket),
                            DK_HEADS_VERSION, NULL, &err),
              &err);
    ASSERT_OK(dk_core_new(&t->f.core, &t->f.identity, &t->f.memory.store, t->f.heads, &t->f.options,
                          &output, t->f.now, NULL, NULL, &err),
              &err);
}

static void test_recover_goes_on_from_a_checkpoint(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed < 110; seed++) {
        struct traffic t;
        struct test_folder folder;
        test_folder_make(&folder);
        traffic_open(&t, seed);
        restart_from(&t, folder.path);
        for (int round = 0; round < 4; round++) {
            greet(&t);
            run(&t, 100);
            if (round > 0) {
                checkpoint(&t.f);
                ASSERT_EQ(dk_heads_position(t.f.heads), dk_core_last(t.f.core));
            }
            run(&t, 50);
            restart_from(&t, folder.path); /* the last 50 are the tail */
        }
        struct known known = look_in(&t.f, folder.path);
        fixture_crash(&t.f);
        check_equal(&known, look(&t.f));
        forget(&known);
        traffic_close(&t);
        test_folder_remove(&folder);
    }
}

static void test_recover_answers_repeats_as_before(void **state)
{
    (void)state;
    struct traffic t;
    traffic_open(&t, 1);
    struct fixture_events *events = &t.events;
    fixture_next(events, &t.agent, FIXTURE_AGENT, FIXTURE_UNNAMED(0), DK_KIND_OPENED,
                 fixture_opened());
    fixture_next(events, &t.agent, FIXTURE_AGENT, FIXTURE_TICKET(9), DK_KIND_NOTE_ADDED,
                 fixture_note("refused"));
    fixture_next(events, &t.agent, FIXTURE_AGENT, FIXTURE_UNNAMED(0), DK_KIND_NOTE_ADDED,
                 fixture_note("accepted"));
    ASSERT_EQ(fixture_call(&t.f, &t.agent, events, false)->accepted, 2);
    for (int restart = 0; restart < 2; restart++) {
        fixture_crash(&t.f);
        fixture_hello(&t.f, &t.agent, "main");
        ASSERT_EQ(t.agent.number, 3);
        fixture_forget(&t.f);
        const Docket__Appended *appended = fixture_call(&t.f, &t.agent, events, false);
        ASSERT_EQ(appended->accepted, 2);
        ASSERT_EQ(appended->position, 2);
        ASSERT_EQ(appended->opened[0], FIXTURE_TICKET(1));
        /* Why it was refused is not known any more, but that it was. */
        ASSERT_EQ(appended->n_refused, 1);
        ASSERT_EQ(appended->refused[0]->index, 1);
        ASSERT_EQ(dk_core_last(t.f.core), 3);
    }
    traffic_close(&t);
}

static void test_recover_forgets_what_was_not_durable(void **state)
{
    (void)state;
    struct traffic t;
    traffic_open(&t, 1);
    fixture_next(&t.events, &t.agent, FIXTURE_AGENT, FIXTURE_UNNAMED(0), DK_KIND_OPENED,
                 fixture_opened());
    fixture_append(&t.f, &t.agent, &t.events, false);
    struct dk_err err;
    ASSERT_OK(t.f.memory.store.append(t.f.memory.store.self, dk_core_take(t.f.core), &err), &err);
    fixture_crash(&t.f); /* appended, not synced */
    ASSERT_EQ(dk_core_last(t.f.core), 1);
    fixture_hello(&t.f, &t.agent, "main");
    ASSERT_EQ(t.agent.number, 0);
    ASSERT_EQ(fixture_call(&t.f, &t.agent, &t.events, false)->opened[0], FIXTURE_TICKET(1));
    traffic_close(&t);
}

/* Starts over a log in which one thing is wrong. */
static void check_corrupt(struct traffic *t, const char *where, const char *what)
{
    struct dk_err err;
    fixture_stop(&t->f);
    ASSERT_CODE(fixture_start(&t->f, &err), DK_ECORRUPT);
    ASSERT_CONTAINS(err.message, where);
    ASSERT_CONTAINS(err.message, what);
}

static uint8_t *third(struct traffic *t, size_t *bytes)
{
    return memory_store_record(&t->f.memory, 3, bytes);
}

static void test_recover_names_the_position_of_damage(void **state)
{
    (void)state;
    struct traffic t;
    struct dk_err err;
    size_t bytes;
    uint8_t saved[4096];
    traffic_open(&t, 3);
    run(&t, 20);
    uint8_t *record = third(&t, &bytes);
    ASSERT_TRUE(bytes <= sizeof saved);
    memcpy(saved, record, bytes);

    record[bytes - 1] ^= 1;
    check_corrupt(&t, "position 3", "crc");
#define DAMAGE(field, value, what)                                                                 \
    do {                                                                                           \
        memcpy(record, saved, bytes);                                                              \
        dk_stamp_##field(record, (value));                                                         \
        dk_stamp_crc32c(record, dk_event_crc(record, bytes));                                      \
        check_corrupt(&t, "position 3", what);                                                     \
    } while (0)
    DAMAGE(position, 4, "stands at 4");
    DAMAGE(recorded_us, 1, "goes back");
    DAMAGE(subject_version, 99, "chain");
    DAMAGE(previous, 99, "chain");
    DAMAGE(producer_number, 1, "number");
#undef DAMAGE
    memcpy(record, saved, bytes);
    fixture_stop(&t.f);
    ASSERT_OK(fixture_start(&t.f, &err), &err);
    traffic_close(&t);
}

static void test_recover_refuses_heads_ahead_of_the_log(void **state)
{
    (void)state;
    struct traffic t;
    struct dk_core_output output = {&t.f, fixture_send};
    struct dk_err err;
    traffic_open(&t, 3);
    run(&t, 20);
    checkpoint(&t.f);
    dk_core_free(&t.f.core);
    t.f.memory.durable--;
    ASSERT_CODE(dk_core_new(&t.f.core, &t.f.identity, &t.f.memory.store, t.f.heads, &t.f.options,
                            &output, t.f.now, NULL, NULL, &err),
                DK_ECORRUPT);
    ASSERT_CONTAINS(err.message, "remove the folder heads");
    traffic_close(&t);
}

/* Set back to an older copy, and written on beyond the heads: the length says nothing then. */
static void test_recover_refuses_heads_of_another_course_of_the_log(void **state)
{
    (void)state;
    struct traffic t;
    struct test_folder folder;
    struct dk_core_output output = {&t.f, fixture_send};
    struct dk_err err;
    test_folder_make(&folder);
    traffic_open(&t, 1);
    restart_from(&t, folder.path);
    greet(&t);
    run(&t, 50);
    checkpoint(&t.f);
    traffic_close(&t);
    traffic_open(&t, 2);
    run(&t, 300);
    fixture_stop(&t.f);
    ASSERT_OK(dk_heads_open(&t.f.heads, folder.path, t.f.identity.uuid, sizeof(struct dk_ticket),
                            DK_HEADS_VERSION, NULL, &err),
              &err);
    ASSERT_TRUE(dk_heads_position(t.f.heads) < t.f.memory.durable);
    ASSERT_CODE(dk_core_new(&t.f.core, &t.f.identity, &t.f.memory.store, t.f.heads, &t.f.options,
                            &output, t.f.now, NULL, NULL, &err),
                DK_ECORRUPT);
    ASSERT_CONTAINS(err.message, "another course of the log");
    traffic_close(&t);
    test_folder_remove(&folder);
}

/* A log that a newer docket wrote: its kinds move heads, the fold passes over them. */
static void test_recover_passes_over_kinds_of_a_newer_docket(void **state)
{
    (void)state;
    struct traffic t;
    struct dk_err err;
    traffic_open(&t, 1);
    fixture_next(&t.events, &t.agent, FIXTURE_AGENT, FIXTURE_UNNAMED(0), DK_KIND_OPENED,
                 fixture_opened());
    ASSERT_EQ(fixture_call(&t.f, &t.agent, &t.events, false)->accepted, 1);
    const uint8_t body[] = {0xc2, 0x3e, 0x00}; /* field 1000, length 0 */
    uint8_t record[DK_ENVELOPE_BYTES + sizeof body];
    struct dk_envelope envelope = {
        .format = 1,
        .position = 3,
        .recorded_us = FIXTURE_NOW,
        .occurred_us = FIXTURE_NOW,
        .subject = FIXTURE_TICKET(1),
        .subject_version = 2,
        .previous = 2,
        .kind = 1000,
        .actor = FIXTURE_AGENT,
        .producer = t.agent.producer,
        .producer_number = 2,
    };
    dk_event_store(record, &envelope);
    memcpy(record + DK_ENVELOPE_BYTES, body, sizeof body);
    dk_stamp_crc32c(record, dk_event_crc(record, sizeof record));
    const uint32_t offset[] = {0, sizeof record};
    struct dk_batch batch = {3, 1, record, offset};
    ASSERT_OK(t.f.memory.store.append(t.f.memory.store.self, &batch, &err), &err);
    ASSERT_OK(t.f.memory.store.sync(t.f.memory.store.self, &err), &err);
    fixture_crash(&t.f);
    ASSERT_EQ(dk_core_ticket(t.f.core, FIXTURE_TICKET(1))->version, 2);
    ASSERT_EQ(dk_core_ticket(t.f.core, FIXTURE_TICKET(1))->last_position, 3);
    traffic_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recover_rebuilds_what_was_there_byte_for_byte),
        cmocka_unit_test(test_recover_goes_on_from_a_checkpoint),
        cmocka_unit_test(test_recover_answers_repeats_as_before),
        cmocka_unit_test(test_recover_forgets_what_was_not_durable),
        cmocka_unit_test(test_recover_names_the_position_of_damage),
        cmocka_unit_test(test_recover_refuses_heads_ahead_of_the_log),
        cmocka_unit_test(test_recover_refuses_heads_of_another_course_of_the_log),
        cmocka_unit_test(test_recover_passes_over_kinds_of_a_newer_docket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
