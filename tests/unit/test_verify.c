#include "broker/log/verify.h"

#include "broker/log/block.h"

#include "proto/event/event.h"
#include "tests/lib/log_fixture.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FINDINGS_MAX 64

struct fixture {
    struct test_log log;
    struct dk_seals *seals;
    struct test_batch batch;
    struct dk_err err;
    struct dk_verify_report report;
    struct dk_verify_finding findings[FINDINGS_MAX];
    uint64_t progress;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    test_batch_init(&f->batch);
    return test_log_open(&f->log) != 0 ||
           dk_seals_open(&f->seals, f->log.dir, f->log.log, DK_LOG_WRITE, &f->err) != 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    dk_seals_close(&f->seals);
    test_batch_close(&f->batch);
    test_log_close(&f->log);
    free(f);
    return 0;
}

static int on_finding(void *arg, const struct dk_verify_finding *finding)
{
    struct fixture *f = arg;
    assert_true(f->report.findings >= 1 && f->report.findings <= FINDINGS_MAX);
    assert_true(finding->message[0] != 0);
    f->findings[f->report.findings - 1] = *finding;
    return 0;
}

static int on_progress(void *arg, uint64_t done, uint64_t total)
{
    struct fixture *f = arg;
    assert_true(done > f->progress && done <= total);
    f->progress = done;
    return 0;
}

static void verify(struct fixture *f)
{
    struct dk_verify_options options = {f->seals, on_finding, on_progress, f};
    f->progress = 0;
    assert_int_equal(dk_verify(f->log.log, &options, &f->report, &f->err), 0);
}

static void fill_and_seal(struct fixture *f, uint64_t last)
{
    bool more = true;
    assert_int_equal(test_log_fill(f->log.log, last, 100, 60, &f->err), 0);
    while (more)
        assert_int_equal(dk_seals_advance(f->seals, f->log.reader, 10000, &more, &f->err), 0);
}

static void test_verify_passes_a_good_log(void **state)
{
    struct fixture *f = *state;
    verify(f);
    assert_int_equal(f->report.records, 0);
    assert_int_equal(f->report.findings, 0);

    fill_and_seal(f, 2100);
    verify(f);
    assert_int_equal(f->report.records, 2100);
    assert_int_equal(f->report.subjects, TEST_TICKETS);
    assert_int_equal(f->report.findings, 0);
    assert_int_equal(f->report.sealed, 2048);
    assert_int_equal(f->progress, 2100);
    struct dk_hash head;
    assert_int_equal(dk_seals_tree_head(f->seals, f->log.reader, 2100, &head, &f->err), 0);
    assert_memory_equal(&head, &f->report.tree_head, sizeof head);
}

/* Where a record stands in the data file: once in a page that is in use, perhaps also in pages that
 * LMDB has left behind. Its position is among its bytes, so no other record is the same. */
struct spots {
    char path[PATH_MAX + 64];
    off_t at[16];
    size_t count;
};

static void find_spots(struct fixture *f, const uint8_t *record, size_t bytes, struct spots *spots)
{
    snprintf(spots->path, sizeof spots->path, "%s/data.mdb", f->log.dir);
    int fd = open(spots->path, O_RDONLY);
    struct stat info;
    assert_int_equal(fstat(fd, &info), 0);
    size_t size = (size_t)info.st_size;
    uint8_t *file = malloc(size);
    assert_int_equal(read(fd, file, size), (ssize_t)size);
    close(fd);

    spots->count = 0;
    const uint8_t *at = file;
    while ((at = memmem(at, size - (size_t)(at - file), record, bytes)) != NULL) {
        assert_true(spots->count < 16);
        spots->at[spots->count++] = at - file;
        at++;
    }
    assert_true(spots->count > 0);
    free(file);
}

static void overwrite(const struct spots *spots, off_t from_begin, const uint8_t *data,
                      size_t bytes)
{
    int fd = open(spots->path, O_WRONLY);
    for (size_t i = 0; i < spots->count; i++)
        assert_int_equal(pwrite(fd, data, bytes, spots->at[i] + from_begin), (ssize_t)bytes);
    close(fd);
}

/* Every bit of three records, one after the other: the first, one amid, the last. */
static void test_verify_names_any_flipped_bit(void **state)
{
    struct fixture *f = *state;
    static const uint64_t positions[] = {1, 77, 150};
    assert_int_equal(test_log_fill(f->log.log, 150, 40, 20, &f->err), 0);

    for (size_t i = 0; i < 3; i++) {
        struct spots spots;
        test_batch_notes(&f->batch, positions[i], 1, 20);
        const uint8_t *record = f->batch.records.data;
        size_t bytes = f->batch.records.size;
        find_spots(f, record, bytes, &spots);
        for (size_t bit = 0; bit < 8 * bytes; bit++) {
            uint8_t flipped = record[bit / 8] ^ (uint8_t)(1u << bit % 8);
            overwrite(&spots, (off_t)(bit / 8), &flipped, 1);
            verify(f);
            overwrite(&spots, (off_t)(bit / 8), &record[bit / 8], 1);
            assert_int_equal(f->report.records, 150);
            assert_int_equal(f->report.findings, 1);
            assert_int_equal(f->findings[0].position, positions[i]);
        }
    }
    verify(f);
    assert_int_equal(f->report.findings, 0);
}

/* Damages the header of the block that begins at `position`, of as many records at least as a
 * commit of 100 of `text_bytes` begins with; how many. */
static size_t damage_block(struct fixture *f, uint64_t position, size_t text_bytes)
{
    struct spots spots;
    test_batch_notes(&f->batch, position, 100, text_bytes);
    size_t count = dk_block_plan(&f->batch.batch, 0);
    find_spots(f, f->batch.records.data, f->batch.offset[1], &spots);
    static const uint8_t zero_records[4] = {0};
    overwrite(&spots, 4 - (off_t)dk_block_bytes(count, 0), zero_records, 4);
    return count;
}

/* A block's own header: its records cannot be told apart, the others are verified all the same. */
static void test_verify_goes_on_after_a_damaged_block(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(test_log_fill(f->log.log, 300, 100, 60, &f->err), 0);
    size_t count = damage_block(f, 101, 60);
    verify(f);
    assert_int_equal(f->report.findings, 1);
    assert_int_equal(f->findings[0].position, 101);
    assert_int_equal(f->report.records, 300 - count);
}

/* Records before the damage are read from wherever one begins, and found good. */
static void test_verify_marks_no_record_before_a_damaged_block(void **state)
{
    struct fixture *f = *state;
    struct dk_records records;
    dk_records_init(&records);
    const uint64_t damaged =
        2101; /* 2,100 records of 3,000 bytes: one read of 4 MiB ends amid them */
    assert_int_equal(test_log_fill(f->log.log, 2300, 100, 3000, &f->err), 0);
    size_t count = damage_block(f, damaged, 3000);
    for (uint64_t from = damaged - 50; from < damaged; from++) {
        assert_int_equal(dk_log_read(f->log.reader, from, 1 << 20, &records, &f->err), 0);
        assert_int_equal(records.batch.count, damaged - from);
    }
    assert_int_equal(dk_log_read(f->log.reader, damaged, 1 << 20, &records, &f->err), DK_ECORRUPT);
    dk_records_close(&records);
    verify(f);
    assert_int_equal(f->report.findings, 1);
    assert_int_equal(f->findings[0].position, damaged);
    assert_int_equal(f->report.records, 2300 - count);
}

/* A record that was changed with its crc made to match: only the seal can tell. */
static void test_verify_compares_seals(void **state)
{
    struct fixture *f = *state;
    fill_and_seal(f, 3000);
    test_batch_notes(&f->batch, 1500, 1, 60);
    uint8_t *record = f->batch.records.data;
    size_t bytes = f->batch.records.size;
    struct spots spots;
    find_spots(f, record, bytes, &spots);
    record[bytes - 1] ^= 1;
    dk_stamp_crc32c(record, dk_event_crc(record, bytes));
    overwrite(&spots, 0, record, bytes);
    verify(f);
    assert_int_equal(f->report.findings, 1);
    assert_int_equal(f->findings[0].position, 1025);
    assert_int_equal(f->findings[0].code, DK_ECORRUPT);
}

static void put_note(struct fixture *f, struct dk_envelope envelope)
{
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;
    envelope.actor = dk_id_make(DK_ACTOR_AGENT, 1);
    test_batch_put(&f->batch, &envelope, DK_KIND_NOTE_ADDED, &note.base);
}

/* What a broken writer could do, with every record whole in itself. */
static void test_verify_finds_broken_chains(void **state)
{
    struct fixture *f = *state;
    uint64_t a = dk_ticket_make(1, 1), b = dk_ticket_make(1, 2);
    test_batch_begin(&f->batch, 1);
    put_note(f, (struct dk_envelope){.subject = a, .subject_version = 1});
    put_note(f, (struct dk_envelope){.subject = b, .subject_version = 2}); /* 2: not 1 */
    put_note(f, (struct dk_envelope){.subject = a, .subject_version = 2, .previous = 1});
    put_note(f, (struct dk_envelope){.subject = a, .subject_version = 3, .previous = 1}); /* 4 */
    put_note(f, (struct dk_envelope){.subject = a, .subject_version = 3, .previous = 4}); /* 5 */
    put_note(f, (struct dk_envelope){.subject = 0, .subject_version = 1});                /* 6 */
    put_note(f, (struct dk_envelope){.subject = b, .subject_version = 3, .previous = 2});
    uint8_t *seventh = f->batch.records.data + f->batch.offset[6];
    dk_stamp_recorded_us(seventh, TEST_EPOCH_US); /* 7: earlier than 6 */
    dk_stamp_crc32c(seventh, dk_event_crc(seventh, f->batch.offset[7] - f->batch.offset[6]));
    assert_int_equal(dk_log_commit(f->log.log, &f->batch.batch, &f->err), 0);

    verify(f);
    assert_int_equal(f->report.records, 7);
    assert_int_equal(f->report.findings, 5);
    static const uint64_t expected[] = {2, 4, 5, 6, 7};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(f->findings[i].position, expected[i]);
}

static int stop(void *arg, const struct dk_verify_finding *finding)
{
    (void)arg;
    (void)finding;
    return 42;
}

static void test_verify_stops_when_asked(void **state)
{
    struct fixture *f = *state;
    test_batch_begin(&f->batch, 1);
    put_note(f, (struct dk_envelope){.subject = dk_ticket_make(1, 1), .subject_version = 9});
    assert_int_equal(dk_log_commit(f->log.log, &f->batch.batch, &f->err), 0);
    struct dk_verify_options options = {.on_finding = stop};
    assert_int_equal(dk_verify(f->log.log, &options, &f->report, &f->err), 42);
    assert_int_equal(f->report.findings, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_verify_passes_a_good_log, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verify_names_any_flipped_bit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verify_goes_on_after_a_damaged_block, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verify_marks_no_record_before_a_damaged_block, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_verify_compares_seals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verify_finds_broken_chains, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verify_stops_when_asked, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
