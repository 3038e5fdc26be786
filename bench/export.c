/* bench_export [EVENTS [DIR]]: `docket replay export` beside a plain scan of the same log, which
 * lies in the page cache. The log has EVENTS (2,000,000) of bench/lib/workload.h and is made in DIR
 * (/tmp); the exports go there, too. For each format the median of the rounds; the last line is
 * JSON. */
#include "replay/export/export.h"
#include "bench/lib/workload.h"
#include "proto/base/limits.h"
#include "proto/base/time.h"
#include "proto/event/event.h"
#include "replay/history/scan.h"
#include "tests/lib/folder.h"
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS       5
#define COMMIT_COUNT 10000

static void must(int rc, const struct dk_err *err)
{
    if (rc != 0) {
        (void)fprintf(stderr, "bench_export: %s\n", err->message);
        exit(1);
    }
}

/* What the broker would stamp, of events that a bench's broker never saw. */
struct stamping {
    uint64_t position;
    uint64_t ticket; /* the last one opened */
    int64_t now_us;
};

static void stamp(struct stamping *s, uint8_t *record, size_t bytes)
{
    bool opens = dk_event_load_kind(record) == DK_KIND_OPENED;
    s->position++;
    s->ticket += opens;
    s->now_us += 1000;
    dk_stamp_position(record, s->position);
    dk_stamp_recorded_us(record, (uint64_t)s->now_us);
    dk_stamp_occurred_us(record, (uint64_t)s->now_us);
    if (dk_ticket_site(dk_event_load_subject(record)) == DK_SITE_UNNAMED) {
        dk_stamp_subject(record, dk_ticket_make(1, s->ticket));
    }
    dk_stamp_subject_version(record, 1);
    dk_stamp_crc32c(record, dk_event_crc(record, bytes));
}

static void fill(struct dk_records *records, struct dk_workload *workload, struct stamping *s,
                 size_t count)
{
    dk_records_clear(records);
    records->batch.first = s->position + 1;
    dk_workload_begin(workload);
    for (size_t i = 0; i < count; i++) {
        uint8_t copy[DK_WORKLOAD_RECORD_MAX];
        size_t bytes;
        const uint8_t *record = dk_workload_next(workload, &bytes);
        memcpy(copy, record, bytes);
        stamp(s, copy, bytes);
        if (dk_event_load_kind(copy) == DK_KIND_OPENED) {
            dk_workload_opened(workload, dk_event_load_subject(copy));
        }
        DK_ASSERT(dk_records_add(records, copy, bytes) == 0);
    }
}

static void make_log(const char *dir, uint64_t events)
{
    struct dk_err err;
    struct dk_log *log;
    struct dk_workload *workload;
    struct dk_records records;
    struct stamping s = {.now_us = INT64_C(1767225600) * DK_SECOND_US};
    dk_records_init(&records);
    must(dk_log_create(dir, 1, &err), &err);
    must(dk_log_open(&log, dir, DK_LOG_WRITE, &err), &err);
    must(dk_workload_new(&workload, 1, 0, 1, &err), &err);
    while (s.position < events) {
        uint64_t left = events - s.position;
        fill(&records, workload, &s, left < COMMIT_COUNT ? left : COMMIT_COUNT);
        must(dk_log_commit(log, &records.batch, &err), &err);
    }
    dk_records_close(&records);
    dk_workload_free(&workload);
    dk_log_close(&log);
}

static int pass(void *arg, const uint8_t *record, size_t bytes)
{
    (void)record;
    *(uint64_t *)arg += bytes;
    return 0;
}

/* Events a second; a NULL format is the plain scan. */
static double rate(const char *log, const struct dk_format *format, const char *out)
{
    struct dk_err err;
    struct dk_past past;
    struct dk_export_summary summary;
    uint64_t bytes = 0, last = 0;
    struct dk_scan scan = {.from = 1, .to = UINT64_MAX, .arg = &bytes, .on_record = pass};
    struct dk_export_options options = {.format = format,
                                        .out = out,
                                        .first = 1,
                                        .last = UINT64_MAX,
                                        .from_us = INT64_MIN,
                                        .to_us = INT64_MAX};
    must(dk_past_open(&past, log, &err), &err);
    must(dk_log_last(past.log, &last, &err), &err);
    int64_t begun_us = dk_clock_boot_us();
    must(format != NULL ? dk_export_run(&past, &options, &summary, &err)
                        : dk_scan_log(&scan, past.reader, &err),
         &err);
    double took_us = (double)(dk_clock_boot_us() - begun_us);
    dk_past_close(&past);
    return (double)last * 1e6 / took_us;
}

static int by_value(const void *a, const void *b)
{
    const double *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

static double median_rate(const char *log, const struct dk_format *format, const char *out)
{
    double rates[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        rates[i] = rate(log, format, out);
    }
    qsort(rates, ROUNDS, sizeof rates[0], by_value);
    return rates[ROUNDS / 2];
}

int main(int argc, char **argv)
{
    uint64_t events = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000000;
    struct test_folder folder;
    char log[PATH_MAX], out[PATH_MAX];
    (void)setenv("TMPDIR", argc > 2 ? argv[2] : "/tmp", 1);
    test_folder_make(&folder);
    (void)snprintf(log, sizeof log, "%s/log", folder.path);
    (void)snprintf(out, sizeof out, "%s/out", folder.path);
    make_log(log, events);
    double scan = median_rate(log, NULL, out);
    (void)printf("%-8s %12s %8s\n%-8s %12.0f %8.3f\n", "", "events/s", "of scan", "scan", scan,
                 1.0);
    char json[512];
    int length = snprintf(json, sizeof json, "{\"events\":%llu,\"scan\":%.0f",
                          (unsigned long long)events, scan);
    for (size_t i = 0; dk_formats[i] != NULL; i++) {
        double one = median_rate(log, dk_formats[i], out);
        (void)printf("%-8s %12.0f %8.3f\n", dk_formats[i]->word, one, one / scan);
        length += snprintf(json + length, sizeof json - (size_t)length, ",\"%s\":%.0f",
                           dk_formats[i]->word, one);
    }
    (void)printf("%s}\n", json);
    test_folder_remove(&folder);
    return 0;
}
