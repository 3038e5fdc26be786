/* The simulator's disk and the store on it: what they promise, and what they do not. */
#include "tests/lib/assert.h"
#include "tests/lib/batches.h"
#include "tests/sim/store.h"
#include <stdlib.h>

#define SECTOR SIM_SECTOR_BYTES
#define ROUNDS 400

/* ---------------------------------------------------------------- the disk */

static void fill(struct sim_disk *disk, size_t offset, uint8_t with, size_t bytes)
{
    uint8_t data[4 * SECTOR];
    DK_ASSERT(bytes <= sizeof data);
    memset(data, with, bytes);
    sim_disk_write(disk, offset, data, bytes);
}

static bool holds(const struct sim_disk *disk, size_t offset, uint8_t value, size_t bytes)
{
    for (size_t i = offset; i < offset + bytes; i++) {
        if (disk->platter[i] != value) {
            return false;
        }
    }
    return true;
}

static void test_disk_keeps_what_was_synced(void **state)
{
    struct test_random random = {1};
    struct sim_disk disk;
    struct dk_err err;
    (void)state;
    sim_disk_init(&disk);
    fill(&disk, 100, 'a', 1000); /* neither begins nor ends at a sector */
    ASSERT_OK(sim_disk_sync(&disk, &err), &err);
    for (int round = 0; round < ROUNDS; round++) {
        fill(&disk, 1100, 'b', 900); /* shares a sector with what was synced */
        sim_disk_crash(&disk, &random, 500);
        ASSERT_TRUE(holds(&disk, 0, 0, 100));
        ASSERT_TRUE(holds(&disk, 100, 'a', 1000));
        ASSERT_EQ(disk.cached, 0);
    }
    sim_disk_close(&disk);
}

/* Three sectors, of which the middle one is written twice: it is there in its old, first or second
 * version; the others are there or not; whole in any case, and in every combination. */
static void test_disk_keeps_any_subset_of_unsynced_sectors(void **state)
{
    static const uint8_t value[3] = {0, 'a', 'b'};
    struct test_random random = {2};
    int seen[2][3][2] = {0};
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct sim_disk disk;
        size_t middle = 0;
        sim_disk_init(&disk);
        fill(&disk, 0, 'a', 3 * SECTOR);
        fill(&disk, SECTOR, 'b', SECTOR);
        sim_disk_crash(&disk, &random, 500);
        while (middle < 3 && !holds(&disk, SECTOR, value[middle], SECTOR)) {
            middle++;
        }
        bool first = holds(&disk, 0, 'a', SECTOR), third = holds(&disk, 2 * SECTOR, 'a', SECTOR);
        ASSERT_TRUE(middle < 3);
        ASSERT_TRUE(first || holds(&disk, 0, 0, SECTOR));
        ASSERT_TRUE(third || holds(&disk, 2 * SECTOR, 0, SECTOR));
        seen[first][middle][third]++;
        sim_disk_close(&disk);
    }
    for (int i = 0; i < 12; i++) {
        ASSERT_TRUE(seen[i / 6][i / 2 % 3][i % 2] > 0);
    }
}

static void test_disk_loses_nothing_when_only_the_process_dies(void **state)
{
    struct test_random random = {3};
    struct sim_disk disk;
    (void)state;
    sim_disk_init(&disk);
    fill(&disk, 10, 'a', 2000);
    fill(&disk, 500, 'b', 100);
    sim_disk_crash(&disk, &random, 1000);
    ASSERT_TRUE(holds(&disk, 10, 'a', 490));
    ASSERT_TRUE(holds(&disk, 500, 'b', 100)); /* the later write of a sector wins */
    ASSERT_TRUE(holds(&disk, 600, 'a', 1410));
    sim_disk_close(&disk);
}

/* What a failed sync gave up is not brought by the next one, though that succeeds. */
static void test_disk_gives_up_what_a_failed_sync_did_not_bring(void **state)
{
    struct test_random random = {4};
    int kept = 0, lost = 0;
    struct dk_err err;
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct sim_disk disk;
        sim_disk_init(&disk);
        fill(&disk, 0, 'a', SECTOR);
        ASSERT_OK(sim_disk_sync(&disk, &err), &err);
        fill(&disk, 0, 'b', 2 * SECTOR);
        sim_disk_fail_sync(&disk, &random, 500);
        ASSERT_CODE(sim_disk_sync(&disk, &err), DK_EIO);
        ASSERT_OK(sim_disk_sync(&disk, &err), &err);
        bool first = holds(&disk, 0, 'b', SECTOR), second = holds(&disk, SECTOR, 'b', SECTOR);
        ASSERT_TRUE(first || holds(&disk, 0, 'a', SECTOR));
        ASSERT_TRUE(second || holds(&disk, SECTOR, 0, SECTOR));
        kept += first && second;
        lost += !first && !second;
        sim_disk_close(&disk);
    }
    ASSERT_TRUE(kept > 0 && lost > 0 && kept + lost < ROUNDS);
}

/* ---------------------------------------------------------------- the store */

struct world {
    struct test_random random;
    struct sim_disk disk;
    struct sim_store store;
    struct test_batch batch;
    struct dk_err err;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    DK_ASSERT(w != NULL);
    sim_disk_init(&w->disk);
    sim_store_init(&w->store, &w->disk);
    test_batch_init(&w->batch);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    test_batch_close(&w->batch);
    sim_store_close(&w->store);
    sim_disk_close(&w->disk);
    free(w);
    return 0;
}

static void append(struct world *w, uint64_t first, size_t count)
{
    test_batch_notes(&w->batch, first, count, 300);
    ASSERT_OK(w->store.store.append(&w->store, &w->batch.batch, &w->err), &w->err);
}

static void sync(struct world *w)
{
    ASSERT_OK(w->store.store.sync(&w->store, &w->err), &w->err);
}

static void crash(struct world *w, unsigned keep_permille)
{
    sim_store_close(&w->store);
    sim_disk_crash(&w->disk, &w->random, keep_permille);
    sim_store_init(&w->store, &w->disk);
}

/* Positions 1 to `last` are there, as they were written, and none beyond. */
static void check(struct world *w, uint64_t last)
{
    struct dk_records records;
    ASSERT_EQ(sim_store_last(&w->store), last);
    ASSERT_EQ(w->store.store.last(&w->store), last);
    test_batch_notes(&w->batch, 1, (size_t)last, 300);
    dk_records_init(&records);
    ASSERT_OK(w->store.store.read(&w->store, 1, SIZE_MAX, &records, &w->err), &w->err);
    ASSERT_EQ(records.batch.count, last);
    for (size_t i = 0; i < last; i++) {
        size_t bytes, expected;
        const uint8_t *record = dk_batch_record(&records.batch, i, &bytes);
        const uint8_t *written = dk_batch_record(&w->batch.batch, i, &expected);
        ASSERT_EQ(bytes, expected);
        assert_memory_equal(record, written, bytes);
    }
    size_t bytes;
    ASSERT_TRUE(sim_store_record(&w->store, last + 1, &bytes) == NULL);
    dk_records_close(&records);
}

static void test_store_shows_what_is_durable(void **state)
{
    struct world *w = *state;
    check(w, 0);
    append(w, 1, 3);
    check(w, 0);
    sync(w);
    check(w, 3);
    append(w, 4, 5);
    check(w, 3);
    sync(w);
    check(w, 8);
    crash(w, 0);
    check(w, 8);
}

static void test_store_cuts_at_a_torn_batch(void **state)
{
    struct world *w = *state;
    uint64_t last = 0;
    int whole = 0, torn = 0;
    for (int round = 0; round < 100; round++) {
        append(w, last + 1, 2);
        sync(w);
        append(w, last + 3, 2); /* some three sectors */
        crash(w, 700);
        bool kept = sim_store_last(&w->store) == last + 4;
        whole += kept;
        torn += !kept;
        last += kept ? 4 : 2;
        check(w, last);
    }
    ASSERT_TRUE(whole > 10 && torn > 10);
}

/* Appends one note at `position`, of `text_bytes`, whose last byte is `last`. */
static void append_note(struct world *w, uint64_t position, size_t text_bytes, uint8_t last)
{
    test_batch_notes(&w->batch, position, 1, text_bytes);
    w->batch.records.data[w->batch.records.size - 1] = last;
    ASSERT_OK(w->store.store.append(&w->store, &w->batch.batch, &w->err), &w->err);
}

/* One batch is torn, and an opening tells that it is not there; then another one of its size is
 * torn in its place. The sectors that are left must not make up the first. */
static void test_store_does_not_bring_a_torn_batch_back(void **state)
{
    struct world *w = *state;
    for (size_t round = 0; round < 4000; round++) {
        size_t bytes = 0;
        append_note(w, 1, 100 + round % 600, 's'); /* the torn ones begin anywhere in a sector */
        sync(w);
        append_note(w, 2, 300, 'a');
        crash(w, 500);
        if (sim_store_last(&w->store) == 1) {
            append_note(w, 2, 300, 'b');
            crash(w, 500);
            const uint8_t *record = sim_store_record(&w->store, 2, &bytes);
            ASSERT_TRUE(record == NULL || record[bytes - 1] == 'b');
        }
        sim_store_close(&w->store);
        sim_disk_close(&w->disk);
        sim_store_init(&w->store, &w->disk);
    }
}

static void test_store_of_a_failed_sync_shows_what_was_durable(void **state)
{
    struct world *w = *state;
    append(w, 1, 3);
    sync(w);
    append(w, 4, 2);
    sim_disk_fail_sync(&w->disk, &w->random, 0);
    ASSERT_CODE(w->store.store.sync(&w->store, &w->err), DK_EIO);
    check(w, 3);
    crash(w, 1000);
    check(w, 3);
}

static void test_store_keeps_a_whole_batch_when_only_the_process_dies(void **state)
{
    struct world *w = *state;
    append(w, 1, 3);
    crash(w, 1000);
    check(w, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_disk_keeps_what_was_synced),
        cmocka_unit_test(test_disk_keeps_any_subset_of_unsynced_sectors),
        cmocka_unit_test(test_disk_loses_nothing_when_only_the_process_dies),
        cmocka_unit_test(test_disk_gives_up_what_a_failed_sync_did_not_bring),
        cmocka_unit_test_setup_teardown(test_store_shows_what_is_durable, setup, teardown),
        cmocka_unit_test_setup_teardown(test_store_cuts_at_a_torn_batch, setup, teardown),
        cmocka_unit_test_setup_teardown(test_store_does_not_bring_a_torn_batch_back, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_store_of_a_failed_sync_shows_what_was_durable, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_store_keeps_a_whole_batch_when_only_the_process_dies,
                                        setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
