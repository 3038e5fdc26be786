#include "bench/lib/raw.h"
#include "bench/lib/process.h"
#include "bench/lib/workload.h"
#include "broker/log/log.h"
#include "proto/event/event.h"
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DISK_COMMITS 400

int dk_raw_records_make(struct dk_records *records, struct dk_err *err)
{
    struct dk_workload *workload;
    int rc = dk_workload_new(&workload, 1, 0, 1, err);
    dk_records_init(records);
    for (uint64_t i = 1; rc == 0 && i <= DK_RAW_RECORDS; i++) {
        size_t bytes;
        uint8_t copy[DK_WORKLOAD_RECORD_MAX];
        dk_workload_begin(workload);
        memcpy(copy, dk_workload_next(workload, &bytes), bytes);
        dk_stamp_position(copy, i);
        dk_stamp_crc32c(copy, dk_event_crc(copy, bytes));
        rc = dk_records_add(records, copy, bytes);
        if (i % 11 == 1) {
            dk_workload_opened(workload, dk_ticket_make(1, i));
        }
    }
    if (rc == 0) {
        dk_workload_free(&workload);
    }
    return rc;
}

/* ---------------------------------------------------------------- LMDB as it comes */

static int open_env(MDB_env **env, MDB_dbi *dbi, const char *path)
{
    MDB_txn *txn;
    int rc = mdb_env_create(env);
    rc = rc != 0 ? rc : mdb_env_set_mapsize(*env, UINT64_C(1) << 36);
    rc = rc != 0 ? rc : mdb_env_open(*env, path, 0, 0640);
    rc = rc != 0 ? rc : mdb_txn_begin(*env, NULL, 0, &txn);
    rc = rc != 0 ? rc : mdb_dbi_open(txn, NULL, MDB_INTEGERKEY, dbi);
    return rc != 0 ? rc : mdb_txn_commit(txn);
}

static int commit_values(MDB_env *env, MDB_dbi dbi, const struct dk_records *records,
                         uint64_t position, uint32_t count)
{
    MDB_txn *txn;
    MDB_cursor *cursor = NULL;
    int rc = mdb_txn_begin(env, NULL, 0, &txn);
    rc = rc != 0 ? rc : mdb_cursor_open(txn, dbi, &cursor);
    for (uint32_t i = 0; rc == 0 && i < count; i++, position++) {
        MDB_val key = {sizeof position, &position}, value;
        value.mv_data = (void *)(uintptr_t)dk_batch_record(
            &records->batch, i % records->batch.count, &value.mv_size);
        rc = mdb_cursor_put(cursor, &key, &value, MDB_APPEND);
    }
    return rc != 0 ? rc : mdb_txn_commit(txn);
}

/* Nothing is removed until the bench ends: a disk that is told of freed blocks is slow to sync. */
int dk_raw_lmdb(const char *folder, const struct dk_records *records, const uint32_t *commit,
                size_t count, double seconds, double *events_s, struct dk_latency *latency,
                struct dk_err *err)
{
    char path[PATH_MAX];
    MDB_env *env;
    MDB_dbi dbi;
    int rc = dk_bench_folder(path, sizeof path, folder, err);
    if (rc != 0 || count == 0) {
        return rc;
    }
    rc = open_env(&env, &dbi, path);
    uint64_t begin = dk_bench_ns(), now = begin, position = 1;
    for (size_t i = 0; rc == 0 && (double)(now - begin) < seconds * 1e9; i = (i + 1) % count) {
        uint64_t before = now;
        rc = commit_values(env, dbi, records, position, commit[i]);
        position += commit[i];
        now = dk_bench_ns();
        if (latency != NULL) {
            dk_latency_add(latency, now - before);
        }
    }
    *events_s = (double)(position - 1) * 1e9 / (double)(now - begin);
    mdb_env_close(env);
    return rc == 0 ? 0 : dk_err_set(err, DK_EIO, "LMDB: %s", mdb_strerror(rc));
}

/* ---------------------------------------------------------------- docket's log */

static int open_log(struct dk_log **log, const char *path, struct dk_err *err)
{
    int rc = dk_log_create(path, 1, err);
    return rc != 0 ? rc : dk_log_open(log, path, DK_LOG_WRITE, err);
}

static int commit_batch(struct dk_log *log, const struct dk_records *records, uint64_t *position,
                        size_t count, struct dk_err *err)
{
    struct dk_batch batch = records->batch;
    DK_ASSERT(count <= batch.count);
    batch.first = *position;
    batch.count = count;
    *position += count;
    return dk_log_commit(log, &batch, err);
}

int dk_raw_log(const char *folder, const struct dk_records *records, const uint32_t *commit,
               size_t count, double seconds, double *events_s, struct dk_err *err)
{
    char path[PATH_MAX];
    struct dk_log *log = NULL;
    uint64_t position = 1;
    int rc = dk_bench_folder(path, sizeof path, folder, err);
    if (rc != 0 || count == 0) {
        return rc;
    }
    rc = open_log(&log, path, err);
    uint64_t begin = dk_bench_ns(), now = begin;
    for (size_t i = 0; rc == 0 && (double)(now - begin) < seconds * 1e9; i = (i + 1) % count) {
        rc = commit_batch(log, records, &position, commit[i], err);
        now = dk_bench_ns();
    }
    *events_s = (double)(position - 1) * 1e9 / (double)(now - begin);
    dk_log_close(&log);
    return rc;
}

int dk_raw_disk_bytes(const char *folder, const struct dk_records *records, size_t size,
                      double *file_bytes, double *record_bytes, struct dk_err *err)
{
    char path[PATH_MAX];
    struct dk_log *log = NULL;
    uint64_t position = 1, half = 0;
    int rc = dk_bench_folder(path, sizeof path, folder, err);
    rc = rc != 0 ? rc : open_log(&log, path, err);
    for (int i = 0; rc == 0 && i < DISK_COMMITS; i++) {
        half = i == DISK_COMMITS / 2 ? dk_log_used_bytes(log) : half;
        rc = commit_batch(log, records, &position, size, err);
    }
    if (rc == 0) {
        double records_half = (double)(DISK_COMMITS / 2 * size);
        *file_bytes = (double)(dk_log_used_bytes(log) - half) / records_half;
        *record_bytes = (double)records->batch.offset[size] / (double)size;
    }
    dk_log_close(&log);
    return rc;
}
