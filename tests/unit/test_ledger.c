#include "replay/import/ledger.h"

#include "tests/lib/log_fixture.h"
#include "tests/unit/import_fixture.h"

static const char mapping[] = "source: desk\n"
                              "shape: snapshots\n"
                              "case: c\n"
                              "changed: {at: t}\n"
                              "group: g\n";

/* A log in a folder, into which drafts go as the broker would write them: whole rows, ticket k for
 * the k-th case. */
struct ledger_fixture {
    struct import_fixture import;
    struct test_log test;
    struct test_batch batch;
    struct dk_ledger ledger;
    uint64_t defined; /* definitions seen by the ledger */
    uint64_t tickets;
};

static void on_defined(void *arg, uint64_t subject)
{
    struct ledger_fixture *f = arg;
    dk_mapper_know(&f->import.mapper, subject);
    f->defined++;
}

static void setup(struct ledger_fixture *f)
{
    memset(f, 0, sizeof *f);
    fixture_open(&f->import, mapping);
    ASSERT_OK(test_log_open(&f->test), &f->test.err);
    test_batch_init(&f->batch);
    test_batch_begin(&f->batch, 1);
    dk_ledger_init(&f->ledger, f->import.mapping.source_id, on_defined, f);
}

static void teardown(struct ledger_fixture *f)
{
    dk_ledger_close(&f->ledger);
    test_batch_close(&f->batch);
    test_log_close(&f->test);
    fixture_close(&f->import);
}

/* Opens a file; its cases come from `next`. */
static void open_file(struct ledger_fixture *f, const char *file)
{
    struct dk_err err;
    dk_cases_free(&f->import.cases);
    dk_csv_free(&f->import.csv);
    f->import.at = file;
    ASSERT_OK(dk_csv_new(&f->import.csv, ',', fixture_read, &f->import, &err), &err);
    ASSERT_OK(dk_cases_new(&f->import.cases, &f->import.mapping, f->import.csv, NULL, fixture_salt,
                           DK_CASES_MEMORY_BYTES, &f->import.report, &err),
              &err);
}

static const struct dk_case *next(struct ledger_fixture *f)
{
    const struct dk_case *one = NULL;
    struct dk_err err;
    ASSERT_EQ(dk_cases_next(f->import.cases, &one, &err), 1);
    dk_drafts_clear(&f->import.drafts);
    ASSERT_OK(dk_mapper_case(&f->import.mapper, one, &f->import.drafts, &err), &err);
    return one;
}

static void put_record(struct ledger_fixture *f, const uint8_t *record, size_t bytes)
{
    size_t at = f->batch.records.size;
    ASSERT_EQ(dk_buf_append(&f->batch.records, record, bytes), 0);
    uint8_t *copy = f->batch.records.data + at;
    dk_stamp_position(copy, f->batch.batch.first + f->batch.batch.count);
    dk_stamp_crc32c(copy, dk_event_crc(copy, bytes));
    f->batch.batch.data = f->batch.records.data;
    f->batch.offset[++f->batch.batch.count] = (uint32_t)f->batch.records.size;
}

/* Writes the drafts of rows up to `last_ordinal`. */
static void put_drafts(struct ledger_fixture *f, uint64_t ticket, uint32_t last_ordinal)
{
    for (size_t i = 0; i < f->import.drafts.count; i++) {
        const struct dk_draft *draft = &f->import.drafts.draft[i];
        uint8_t *record = dk_drafts_record(&f->import.drafts, i);
        if (draft->row->ordinal > last_ordinal) {
            continue;
        }
        if (draft->of_ticket) {
            dk_stamp_subject(record, ticket);
        }
        put_record(f, record, draft->bytes);
    }
}

/* Writes the log to its folder, closes it there, and reads the ledger from it. */
static void read_ledger(struct ledger_fixture *f)
{
    struct dk_err err;
    struct dk_log_identity identity = *dk_log_identity(f->test.log);
    uint64_t head = f->batch.batch.count;
    ASSERT_OK(dk_log_commit(f->test.log, &f->batch.batch, &err), &err);
    dk_log_reader_free(&f->test.reader);
    dk_log_close(&f->test.log);
    ASSERT_OK(dk_ledger_read(&f->ledger, NULL, f->test.dir, identity.uuid, head, &err), &err);
    ASSERT_EQ(f->ledger.position, head);
}

static const char file[] = "c,t,g\n"
                           "a,2026-01-01,G1\n"
                           "a,2026-01-02,G1\n"
                           "a,2026-01-03,G2\n"
                           "b,2026-01-01,G1\n"
                           "b,2026-01-02,G2\n";

static void test_ledger_knows_what_the_log_has(void **state)
{
    (void)state;
    struct ledger_fixture f;
    setup(&f);
    open_file(&f, file);
    uint64_t a = next(&f)->id;
    put_drafts(&f, dk_ticket_make(1, 1), 3);
    uint64_t b = next(&f)->id;
    put_drafts(&f, dk_ticket_make(1, 2), 1);
    read_ledger(&f);

    ASSERT_EQ(f.ledger.cases.count, 2);
    ASSERT_EQ(f.defined, 2);
    const struct dk_ledger_case *entry = dk_ledger_case(&f.ledger, a);
    ASSERT_EQ(entry->ticket, dk_ticket_make(1, 1));
    ASSERT_EQ(entry->ordinal, 3);
    entry = dk_ledger_case(&f.ledger, b);
    ASSERT_EQ(entry->ticket, dk_ticket_make(1, 2));
    ASSERT_EQ(entry->ordinal, 1);

    open_file(&f, file);
    next(&f);
    ASSERT_TRUE(dk_ledger_agrees(dk_ledger_case(&f.ledger, a), &f.import.drafts));
    next(&f);
    ASSERT_TRUE(dk_ledger_agrees(dk_ledger_case(&f.ledger, b), &f.import.drafts));
    teardown(&f);
}

/* A row that went in reads otherwise now, or makes an event that it did not: both are seen; a
 * change of a row that makes no event, or behind what is known, is none. */
static void test_ledger_sees_rows_that_changed(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        bool agrees;
    } rows[] = {
        {"c,t,g\na,2026-01-01,G1\na,2026-01-02,G1\na,2026-01-03,G2\na,2026-01-04,G3\n", true},
        {"c,t,g\na,2026-01-01,G1\na,2026-01-02,G1\na,2026-01-03,G3\n", false},
        {"c,t,g\na,2026-01-01,G9\na,2026-01-02,G1\na,2026-01-03,G2\n", false},
        {"c,t,g\na,2026-01-01,G1\na,2026-01-02,G4\na,2026-01-03,G2\n", false},
        {"c,t,g\na,2026-01-01,G1\na,2026-01-02T05:00,G1\na,2026-01-03,G2\n", true},
        {"c,t,g\na,2026-01-01,G1\na,2026-01-03,G2\na,2026-01-02,G1\n", false},
    };
    struct ledger_fixture f;
    setup(&f);
    open_file(&f, file);
    uint64_t a = next(&f)->id;
    put_drafts(&f, dk_ticket_make(1, 1), 3);
    read_ledger(&f);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_file(&f, rows[i].file);
        next(&f);
        if (dk_ledger_agrees(dk_ledger_case(&f.ledger, a), &f.import.drafts) != rows[i].agrees) {
            fail_msg("file %zu", i);
        }
    }
    teardown(&f);
}

static void put_own(struct ledger_fixture *f, uint32_t kind, const ProtobufCMessage *body,
                    uint64_t source)
{
    struct dk_envelope envelope = {.subject = source};
    test_batch_put(&f->batch, &envelope, kind, body);
}

static void test_ledger_follows_imports_of_its_source(void **state)
{
    (void)state;
    struct ledger_fixture f;
    uint8_t sha256[32] = {1, 2, 3};
    setup(&f);
    Docket__ImportStarted started = DOCKET__IMPORT_STARTED__INIT;
    Docket__ImportFinished finished = DOCKET__IMPORT_FINISHED__INIT;
    started.mapping_sha256 = (ProtobufCBinaryData){sizeof sha256, sha256};
    uint64_t own = f.import.mapping.source_id, other = dk_id_make(DK_SUBJECT_SOURCE, 5);
    put_own(&f, DK_KIND_IMPORT_STARTED, &started.base, own);
    put_own(&f, DK_KIND_IMPORT_FINISHED, &finished.base, other);
    read_ledger(&f);
    ASSERT_TRUE(f.ledger.begun && f.ledger.has_mapping);
    ASSERT_EQ(memcmp(f.ledger.mapping_sha256, sha256, sizeof sha256), 0);

    struct dk_err err;
    test_batch_begin(&f.batch, 1);
    put_own(&f, DK_KIND_IMPORT_FINISHED, &finished.base, own);
    ASSERT_OK(dk_ledger_apply(&f.ledger, f.batch.records.data, f.batch.records.size, &err), &err);
    ASSERT_TRUE(!f.ledger.begun && f.ledger.has_mapping);
    teardown(&f);
}

static void test_ledger_passes_over_other_sources(void **state)
{
    (void)state;
    struct ledger_fixture f;
    setup(&f);
    open_file(&f, file);
    next(&f);
    put_drafts(&f, dk_ticket_make(1, 1), 3);
    f.ledger.source = dk_id_make(DK_SUBJECT_SOURCE, 5);
    read_ledger(&f);
    ASSERT_EQ(f.ledger.cases.count, 0);
    ASSERT_EQ(f.defined, 2); /* whoever defined them */
    teardown(&f);
}

static void test_ledger_refuses_a_damaged_record(void **state)
{
    (void)state;
    struct ledger_fixture f;
    struct dk_err err;
    setup(&f);
    open_file(&f, file);
    next(&f);
    put_drafts(&f, dk_ticket_make(1, 1), 3);
    f.batch.records.data[f.batch.records.size - 1] ^= 1;
    struct dk_log_identity identity = *dk_log_identity(f.test.log);
    ASSERT_OK(dk_log_commit(f.test.log, &f.batch.batch, &err), &err);
    dk_log_reader_free(&f.test.reader);
    dk_log_close(&f.test.log);
    ASSERT_CODE(
        dk_ledger_read(&f.ledger, NULL, f.test.dir, identity.uuid, f.batch.batch.count, &err),
        DK_ECORRUPT);
    ASSERT_CONTAINS(err.message, "cannot read what was imported before");
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ledger_knows_what_the_log_has),
        cmocka_unit_test(test_ledger_sees_rows_that_changed),
        cmocka_unit_test(test_ledger_follows_imports_of_its_source),
        cmocka_unit_test(test_ledger_passes_over_other_sources),
        cmocka_unit_test(test_ledger_refuses_a_damaged_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
