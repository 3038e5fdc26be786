/* bench_log [DIR]: the event log against a plain LMDB loop, on the disk of DIR (default: here).
 *
 * For each commit size, in interleaved rounds: LMDB with one record a value and default sync; the
 * log; the log with its file grown ahead. Then the bytes on disk for each byte of record, and the
 * rate at which dk_log_read copies out of the page cache. Records are of 200 bytes. The last line
 * is JSON. */
#include "broker/log/log.h"
#include "broker/log/space.h"
#include "proto/base/limits.h"
#include "tests/lib/folder.h"
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RECORD_BYTES 200
#define ROUNDS       5
#define SIZES        5

static const size_t commit_sizes[SIZES] = {1, 10, 100, 1000, 10000};
static const size_t commit_counts[SIZES] = {1500, 1500, 1000, 300, 40};

enum way { RAW, LOG, GROWN, WAYS };

struct result {
    double rate[WAYS][ROUNDS]; /* records a second */
    double disk_ratio;
};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void must(int rc, const struct dk_err *err)
{
    if (rc == 0)
        return;
    fprintf(stderr, "bench_log: %s\n", err == NULL ? mdb_strerror(rc) : err->message);
    exit(1);
}

static double raw_rate(const char *dir, const struct dk_batch *batch, size_t commits)
{
    MDB_env *env;
    MDB_dbi dbi;
    uint64_t position = 1;
    must(mdb_env_create(&env), NULL);
    must(mdb_env_set_mapsize(env, DK_LOG_MAP_BYTES), NULL);
    must(mdb_env_open(env, dir, 0, 0640), NULL);
    double begin = now_s();
    for (size_t i = 0; i < commits; i++) {
        MDB_txn *txn;
        must(mdb_txn_begin(env, NULL, 0, &txn), NULL);
        must(mdb_dbi_open(txn, NULL, MDB_INTEGERKEY, &dbi), NULL);
        for (size_t n = 0; n < batch->count; n++, position++) {
            MDB_val key = {sizeof position, &position}, value;
            value.mv_data = (void *)dk_batch_record(batch, n, &value.mv_size);
            must(mdb_put(txn, dbi, &key, &value, MDB_APPEND), NULL);
        }
        must(mdb_txn_commit(txn), NULL);
    }
    double took = now_s() - begin;
    mdb_env_close(env);
    return (double)(commits * batch->count) / took;
}

static double log_rate(const char *dir, struct dk_batch *batch, size_t commits, bool grown,
                       double *disk_ratio)
{
    struct dk_err err;
    struct dk_log *log;
    struct dk_space *space = NULL;
    struct dk_space_options options;
    dk_space_defaults(&options);
    must(dk_log_create(dir, 1, &err), &err);
    must(dk_log_open(&log, dir, DK_LOG_WRITE, &err), &err);
    if (grown) {
        must(dk_space_start(&space, log, &options, &err), &err);
        nanosleep(&(struct timespec){0, 500000000},
                  NULL); /* as in a broker that has stood a while */
    }
    batch->first = 1;
    uint64_t half_bytes = 0;
    double begin = now_s();
    for (size_t i = 0; i < commits; i++) {
        if (i == commits / 2)
            half_bytes = dk_log_used_bytes(log);
        must(dk_log_commit(log, batch, &err), &err);
        batch->first += batch->count;
    }
    double took = now_s() - begin;
    size_t records = commits * batch->count;
    *disk_ratio = (double)(dk_log_used_bytes(log) - half_bytes) /
                  (double)((commits - commits / 2) * batch->count * RECORD_BYTES);
    dk_space_stop(&space);
    dk_log_close(&log);
    return (double)records / took;
}

/* Reads the whole log once to warm it and once for the clock. */
static double scan_rate(const char *dir)
{
    struct dk_err err;
    struct dk_log *log;
    struct dk_log_reader *reader;
    struct dk_records records;
    dk_records_init(&records);
    must(dk_log_open(&log, dir, DK_LOG_READ, &err), &err);
    must(dk_log_reader_new(&reader, log, &err), &err);
    double begin = 0;
    uint64_t at = 1;
    for (int pass = 0; pass < 2; pass++) {
        begin = now_s();
        at = 1;
        do {
            must(dk_log_read(reader, at, DK_READ_MAX_BYTES, &records, &err), &err);
            at += records.batch.count;
        } while (records.batch.count > 0);
    }
    double took = now_s() - begin;
    dk_records_close(&records);
    dk_log_reader_free(&reader);
    dk_log_close(&log);
    return (double)(at - 1) / took;
}

static void batch_of(struct dk_batch *batch, size_t count)
{
    uint8_t *data = malloc(count * RECORD_BYTES);
    uint32_t *offset = malloc((count + 1) * sizeof *offset);
    if (data == NULL || offset == NULL)
        exit(1);
    memset(data, 'x', count * RECORD_BYTES);
    for (size_t i = 0; i <= count; i++)
        offset[i] = (uint32_t)(i * RECORD_BYTES);
    *batch = (struct dk_batch){1, count, data, offset};
}

static void run_size(const char *dir, size_t size, struct result *result, double *scan)
{
    struct dk_batch batch;
    batch_of(&batch, commit_sizes[size]);
    for (int round = 0; round < ROUNDS; round++) {
        for (enum way way = RAW; way < WAYS; way++) {
            struct test_folder folder;
            char path[PATH_MAX];
            setenv("TMPDIR", dir, 1);
            test_folder_make(&folder);
            snprintf(path, sizeof path, "%s/log", folder.path);
            size_t commits = commit_counts[size];
            if (way == RAW)
                result->rate[way][round] = raw_rate(folder.path, &batch, commits);
            else
                result->rate[way][round] =
                    log_rate(path, &batch, commits, way == GROWN, &result->disk_ratio);
            if (way == LOG)
                *scan = scan_rate(path);
            test_folder_remove(&folder);
        }
    }
    free((void *)batch.data);
    free((void *)batch.offset);
}

static int by_value(const void *a, const void *b)
{
    const double *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, by_value);
    return values[ROUNDS / 2];
}

int main(int argc, char **argv)
{
    const char *dir = argc > 1 ? argv[1] : ".";
    char json[1024] = "";
    size_t length = 0;
    printf("%10s %12s %12s %12s %8s %12s %12s\n", "a commit", "LMDB/s", "log/s", "grown/s",
           "log/LMDB", "disk a byte", "scan/s");
    for (size_t size = 0; size < SIZES; size++) {
        struct result result;
        double scan = 0;
        run_size(dir, size, &result, &scan);
        double raw = median(result.rate[RAW]), log = median(result.rate[LOG]);
        double grown = median(result.rate[GROWN]);
        printf("%10zu %12.0f %12.0f %12.0f %8.2f %12.3f %12.0f\n", commit_sizes[size], raw, log,
               grown, log / raw, result.disk_ratio, scan);
        length += (size_t)snprintf(json + length, sizeof json - length,
                                   "%s\"%zu\":{\"raw\":%.0f,\"log\":%.0f,\"grown\":%.0f,"
                                   "\"ratio_raw\":%.3f,\"disk_ratio\":%.3f,\"scan\":%.0f}",
                                   size == 0 ? "" : ",", commit_sizes[size], raw, log, grown,
                                   grown / raw, result.disk_ratio, scan);
    }
    printf("{%s}\n", json);
    return 0;
}
