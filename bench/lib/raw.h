/* The storage alone: LMDB as it comes, and docket's log, making the commits that a broker made. */
#ifndef DK_BENCH_RAW_H
#define DK_BENCH_RAW_H

#include "bench/lib/measure.h"
#include "broker/log/batch.h"
#include "proto/base/err.h"

/* Records as the workload sends them, stamped with positions: what a broker would have written. */
#define DK_RAW_RECORDS 16384 /* as many as the largest commit has */
int dk_raw_records_make(struct dk_records *records, struct dk_err *err);

/* Plain LMDB: default sync, MDB_APPEND, one record a value. Makes the commits of the given sizes in
 * a folder below FOLDER, again and again for `seconds`. `latency` (of commits) may be NULL. */
int dk_raw_lmdb(const char *folder, const struct dk_records *records, const uint32_t *commit,
                size_t count, double seconds, double *events_s, struct dk_latency *latency,
                struct dk_err *err);
/* The same with docket's log: blocks of records, the file not grown ahead. */
int dk_raw_log(const char *folder, const struct dk_records *records, const uint32_t *commit,
               size_t count, double seconds, double *events_s, struct dk_err *err);

/* Bytes of data file for each record, at commits of `size` records; and of the records alone. */
int dk_raw_disk_bytes(const char *folder, const struct dk_records *records, size_t size,
                      double *file_bytes, double *record_bytes, struct dk_err *err);

#endif
