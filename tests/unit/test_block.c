#include "broker/log/block.h"

#include "tests/lib/folder.h"
#include <lmdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* `count` records of `bytes` each, record i filled with i. */
struct sample {
    uint8_t *data;
    uint32_t *offset;
    struct dk_batch batch;
};

static struct sample sample_of(size_t count, size_t bytes)
{
    struct sample sample = {malloc(count * bytes), malloc((count + 1) * sizeof(uint32_t)), {0}};
    assert_non_null(sample.data);
    assert_non_null(sample.offset);
    for (size_t i = 0; i <= count; i++)
        sample.offset[i] = (uint32_t)(i * bytes);
    for (size_t i = 0; i < count; i++)
        memset(sample.data + i * bytes, (int)i, bytes);
    sample.batch = (struct dk_batch){1, count, sample.data, sample.offset};
    return sample;
}

static void sample_free(struct sample *sample)
{
    free(sample->data);
    free(sample->offset);
}

static void test_block_reads_back_what_was_written(void **state)
{
    (void)state;
    struct sample sample = sample_of(20, 113);
    size_t bytes = dk_block_bytes(7, 7 * 113);
    uint8_t *out = malloc(bytes);
    dk_block_write(out, &sample.batch, 5, 7);

    struct dk_block block;
    assert_int_equal(dk_block_open(&block, out, bytes, NULL), 0);
    assert_int_equal(block.count, 7);
    for (size_t i = 0; i < block.count; i++) {
        size_t record_bytes, expected_bytes;
        const uint8_t *record = dk_block_record(&block, i, &record_bytes);
        const uint8_t *expected = dk_batch_record(&sample.batch, 5 + i, &expected_bytes);
        assert_int_equal(record_bytes, expected_bytes);
        assert_memory_equal(record, expected, expected_bytes);
    }
    free(out);
    sample_free(&sample);
}

static void test_block_copy_appends_a_run(void **state)
{
    (void)state;
    struct sample sample = sample_of(10, 50);
    size_t bytes = dk_block_bytes(10, 500);
    uint8_t *out = malloc(bytes);
    dk_block_write(out, &sample.batch, 0, 10);
    struct dk_block block;
    assert_int_equal(dk_block_open(&block, out, bytes, NULL), 0);

    struct dk_records records;
    dk_records_init(&records);
    assert_int_equal(dk_records_add(&records, (const uint8_t *)"first", 5), 0);
    assert_int_equal(dk_block_copy(&block, 2, 3, &records), 0);
    assert_int_equal(dk_block_copy(&block, 9, 1, &records), 0);
    assert_int_equal(records.batch.count, 5);
    size_t record_bytes;
    assert_memory_equal(dk_batch_record(&records.batch, 0, &record_bytes), "first", 5);
    assert_int_equal(dk_batch_record(&records.batch, 1, &record_bytes)[0], 2);
    assert_int_equal(dk_batch_record(&records.batch, 3, &record_bytes)[49], 4);
    assert_int_equal(dk_batch_record(&records.batch, 4, &record_bytes)[0], 9);
    assert_int_equal(record_bytes, 50);

    dk_records_clear(&records);
    assert_int_equal(records.batch.count, 0);
    dk_records_close(&records);
    free(out);
    sample_free(&sample);
}

static void test_records_are_bounded(void **state)
{
    (void)state;
    struct dk_records records;
    dk_records_init(&records);
    uint8_t *record = calloc(1, DK_RECORD_MAX_BYTES);
    for (size_t i = 0; i < DK_READ_MAX_BYTES / DK_RECORD_MAX_BYTES + 1; i++)
        assert_int_equal(dk_records_add(&records, record, DK_RECORD_MAX_BYTES), 0);
    assert_int_equal(dk_records_add(&records, record, 1), DK_ENOMEM);
    free(record);
    dk_records_close(&records);
}

/* Any one byte of header and offsets changed, or the value cut, must not get past dk_block_open,
 * unless the block is still one whose every record lies within it. */
static void test_block_open_refuses_damage(void **state)
{
    (void)state;
    struct sample sample = sample_of(4, 30);
    size_t bytes = dk_block_bytes(4, 120);
    uint8_t *out = malloc(bytes);
    struct dk_block block;
    for (size_t i = 0; i < dk_block_bytes(4, 0); i++) {
        dk_block_write(out, &sample.batch, 0, 4);
        out[i] ^= 0x80;
        struct dk_err err;
        int rc = dk_block_open(&block, out, bytes, &err);
        if (i < 4)
            assert_int_equal(rc, DK_EVERSION);
        else
            assert_int_equal(rc, DK_ECORRUPT);
        assert_true(strlen(err.message) > 0);
    }
    dk_block_write(out, &sample.batch, 0, 4);
    for (size_t cut = 0; cut < bytes; cut++)
        assert_int_equal(dk_block_open(&block, out, cut, NULL), DK_ECORRUPT);
    assert_int_equal(dk_block_open(&block, out, bytes, NULL), 0);
    free(out);
    sample_free(&sample);
}

static void test_plan_keeps_the_limits(void **state)
{
    (void)state;
    struct sample small = sample_of(1000, 1);
    assert_true(dk_block_plan(&small.batch, 0) <= DK_BLOCK_MAX_RECORDS);
    sample_free(&small);

    struct sample large = sample_of(3, DK_RECORD_MAX_BYTES);
    assert_int_equal(dk_block_plan(&large.batch, 0), 1);
    assert_int_equal(dk_block_plan(&large.batch, 2), 1);
    sample_free(&large);
}

/* Commits of `a_commit` records of `bytes` each, into a real LMDB file: its size beside the
 * records' own. */
static double size_ratio(size_t a_commit, size_t bytes)
{
    struct test_folder folder;
    test_folder_make(&folder);
    MDB_env *env;
    mdb_env_create(&env);
    mdb_env_set_mapsize(env, (size_t)1 << 30);
    assert_int_equal(mdb_env_open(env, folder.path, MDB_NOTLS | MDB_NOSYNC, 0600), 0);

    struct sample sample = sample_of(a_commit, bytes);
    size_t commits = 20000 / a_commit + 20;
    uint64_t position = 1;
    for (size_t i = 0; i < commits; i++) {
        MDB_txn *txn;
        MDB_dbi dbi;
        assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
        assert_int_equal(mdb_dbi_open(txn, NULL, MDB_INTEGERKEY, &dbi), 0);
        for (size_t start = 0; start < a_commit;) {
            size_t count = dk_block_plan(&sample.batch, start);
            MDB_val key = {sizeof position, &position};
            MDB_val value = {dk_block_bytes(count, count * bytes), NULL};
            assert_int_equal(mdb_put(txn, dbi, &key, &value, MDB_APPEND | MDB_RESERVE), 0);
            dk_block_write(value.mv_data, &sample.batch, start, count);
            start += count;
            position += count;
        }
        assert_int_equal(mdb_txn_commit(txn), 0);
    }
    MDB_envinfo info;
    mdb_env_info(env, &info);
    mdb_env_close(env);
    double ratio = (double)((info.me_last_pgno + 1) * 4096) / (double)(commits * a_commit * bytes);

    test_folder_remove(&folder);
    sample_free(&sample);
    return ratio;
}

/* Twenty records as one block would take two overflow pages, 2.05 times their size. */
static void test_plan_keeps_the_file_near_its_records(void **state)
{
    (void)state;
    static const size_t commits[] = {1, 10, 20, 256, 1000};
    for (size_t i = 0; i < sizeof commits / sizeof commits[0]; i++) {
        double ratio = size_ratio(commits[i], 200);
        print_message("200-byte records, %zu a commit: %.3f bytes on disk a byte\n", commits[i],
                      ratio);
        assert_true(ratio >= 1.0);
        assert_true(ratio < 1.25);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_block_reads_back_what_was_written),
        cmocka_unit_test(test_block_copy_appends_a_run),
        cmocka_unit_test(test_records_are_bounded),
        cmocka_unit_test(test_block_open_refuses_damage),
        cmocka_unit_test(test_plan_keeps_the_limits),
        cmocka_unit_test(test_plan_keeps_the_file_near_its_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
