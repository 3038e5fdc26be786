#include "bench/append.h"
#include "bench/lib/raw.h"
#include <stdio.h>

#define RATIO_LEAST 2.2
#define ECHO_LEAST  0.45
#define RAW_LEAST   0.7
#define LONE_MOST   1.6
#define FOLLOW_MOST 2

static void tell_one_event(const struct figures *f, struct dk_report *r)
{
    (void)printf("\none event a request, %d outstanding from %d clients, events/s\n", OUTSTANDING,
                 CLIENTS);
    dk_report_add(r, "broker", dk_rounds_median(&f->broker),
                  "docket, durable; requests that are ready share a message");
    dk_report_add(r, "broker_single", dk_rounds_median(&f->single),
                  "docket, durable; each request a message of its own");
    dk_report_add(r, "redis", dk_rounds_median(&f->redis), "Redis Streams, appendfsync always");
    dk_report_add(r, "nats", dk_rounds_median(&f->nats), "NATS JetStream, which does not sync");
    dk_report_add(r, "echo", dk_rounds_median(&f->echo),
                  "bare ROUTER echo, a message a request, no CURVE");
    dk_report_add(r, "echo_curve", dk_rounds_median(&f->echo_curve),
                  "the same with CURVE, as docket has it");
    dk_report_add(r, "raw", dk_rounds_median(&f->raw), "plain LMDB making the broker's commits");
    dk_report_goal(r, "ratio_redis", dk_rounds_ratio(&f->broker, &f->redis), RATIO_LEAST, 1,
                   "docket / Redis");
    dk_report_goal(r, "ratio_nats", dk_rounds_ratio(&f->broker, &f->nats), RATIO_LEAST, 1,
                   "docket / NATS");
    dk_report_goal(r, "ratio_echo", dk_rounds_ratio(&f->broker, &f->echo), ECHO_LEAST, 1,
                   "docket / echo without CURVE");
    dk_report_add(r, "ratio_echo_curve", dk_rounds_ratio(&f->broker, &f->echo_curve),
                  "docket / echo with CURVE");
    dk_report_add(r, "ratio_raw_one", dk_rounds_ratio(&f->broker, &f->raw),
                  "docket / plain LMDB making its commits");
    dk_report_add(r, "ratio_redis_single", dk_rounds_ratio(&f->single, &f->redis),
                  "each request a message of its own: / Redis");
    dk_report_add(r, "ratio_nats_single", dk_rounds_ratio(&f->single, &f->nats), "/ NATS");
    dk_report_add(r, "ratio_echo_single", dk_rounds_ratio(&f->single, &f->echo),
                  "/ echo without CURVE");
    dk_report_add(r, "ratio_echo_curve_single", dk_rounds_ratio(&f->single, &f->echo_curve),
                  "/ echo with CURVE");
}

static void tell_many_events(const struct figures *f, struct dk_report *r)
{
    (void)printf("\n%d events a request, %d outstanding of each client, events/s\n", MANY_EVENTS,
                 MANY_REQUESTS);
    dk_report_add(r, "broker_100", dk_rounds_median(&f->broker_100), "docket");
    dk_report_add(r, "raw_100", dk_rounds_median(&f->raw_100),
                  "plain LMDB making the broker's commits, one record a value");
    dk_report_add(r, "raw_100_blocks", dk_rounds_median(&f->raw_100_blocks),
                  "docket's log making them, in blocks");
    dk_report_goal(r, "ratio_raw", dk_rounds_ratio(&f->broker_100, &f->raw_100), RAW_LEAST, 1,
                   "docket / plain LMDB");
    dk_report_add(r, "ratio_raw_blocks", dk_rounds_ratio(&f->broker_100, &f->raw_100_blocks),
                  "docket / its log alone");
}

void append_tell_speed(const struct figures *figures, struct dk_report *report)
{
    tell_one_event(figures, report);
    tell_many_events(figures, report);
}

static void tell_lone(const struct figures *f, struct dk_report *r)
{
    struct dk_rounds plain = {0}, curve = {0};
    for (size_t i = 0; i < f->lone.count; i++) {
        dk_rounds_add(&plain, f->lone_echo.value[i] + f->lone_raw.value[i]);
        dk_rounds_add(&curve, f->lone_echo_curve.value[i] + f->lone_raw.value[i]);
    }
    (void)printf("\none request outstanding, medians, us\n");
    dk_report_add(r, "lone_us", dk_rounds_median(&f->lone), "docket");
    dk_report_add(r, "lone_echo_us", dk_rounds_median(&f->lone_echo),
                  "round trip of the echo without CURVE");
    dk_report_add(r, "lone_echo_curve_us", dk_rounds_median(&f->lone_echo_curve),
                  "round trip of the echo with CURVE");
    dk_report_add(r, "lone_raw_us", dk_rounds_median(&f->lone_raw),
                  "commit of one record by plain LMDB");
    dk_report_goal(r, "ratio_lone", dk_rounds_ratio(&f->lone, &plain), LONE_MOST, 0,
                   "docket / (round trip without CURVE + commit)");
    dk_report_add(r, "ratio_lone_curve", dk_rounds_ratio(&f->lone, &curve),
                  "docket / (round trip with CURVE + commit)");
}

void append_tell_latency(const struct figures *f, struct dk_report *r)
{
    (void)printf("\nfrom a request's sending to its acknowledgement, us\n");
    dk_report_add(r, "p50_us", dk_rounds_median(&f->p50), "one event a request");
    dk_report_add(r, "p99_us", dk_rounds_median(&f->p99), "");
    dk_report_add(r, "p999_us", dk_rounds_median(&f->p999), "");
    dk_report_add(r, "p50_single_us", dk_rounds_median(&f->single_p50),
                  "each request a message of its own");
    dk_report_add(r, "p99_single_us", dk_rounds_median(&f->single_p99), "");
    dk_report_add(r, "p50_100_us", dk_rounds_median(&f->p50_100), "100 events a request");
    dk_report_add(r, "p99_100_us", dk_rounds_median(&f->p99_100), "");
    dk_report_add(r, "p999_100_us", dk_rounds_median(&f->p999_100), "");
    tell_lone(f, r);
    (void)printf("\none event a request, with a follower that catches up from zero\n");
    dk_report_add(r, "follower_broker", dk_rounds_median(&f->follower), "appended events/s");
    dk_report_add(r, "follower_reads", dk_rounds_median(&f->follower_reads), "fetched events/s");
    dk_report_add(r, "follower_p99_us", dk_rounds_median(&f->follower_p99), "of appends");
    dk_report_goal(r, "ratio_follower_p99", dk_rounds_ratio(&f->follower_p99, &f->p99), FOLLOW_MOST,
                   0, "p99 with / without the follower");
}

int append_tell_disk(const char *folder, const struct dk_records *records, struct dk_report *report,
                     struct dk_err *err)
{
    static const struct {
        size_t size;
        const char *name, *sentence;
    } disk[] = {{1, "disk_bytes_1", "at commits of 1"},
                {10, "disk_bytes_10", "at commits of 10"},
                {20, "disk_bytes_20", "at commits of 20"},
                {256, "disk_bytes_256", "at commits of 256"}};
    double file_bytes = 0, record_bytes = 0;
    int rc = 0;
    (void)printf("\nbytes of the log's file for each record\n");
    for (size_t i = 0; rc == 0 && i < sizeof disk / sizeof disk[0]; i++) {
        rc = dk_raw_disk_bytes(folder, records, disk[i].size, &file_bytes, &record_bytes, err);
        dk_report_add(report, disk[i].name, file_bytes, disk[i].sentence);
    }
    dk_report_add(report, "record_bytes", record_bytes, "the record itself, on average");
    return rc;
}

void append_tell_broker(const struct figures *f, uint64_t peak_bytes, uint64_t own_bytes,
                        struct dk_report *r)
{
    (void)printf("\nwritten behind, at the end of a load of one event a request\n");
    dk_report_add(r, "seals_lag", dk_rounds_median(&f->seals_lag), "events not sealed");
    dk_report_add(r, "lookups_lag", dk_rounds_median(&f->lookups_lag), "events not looked through");
    dk_report_add(r, "heads_lag", dk_rounds_median(&f->heads_lag), "events since the checkpoint");
    dk_report_add(r, "caught_up_ms", dk_rounds_median(&f->caught_up_ms),
                  "until seals and look-ups had caught up");
    (void)printf("\nthe broker\n");
    dk_report_add(r, "commit_size", dk_rounds_median(&f->commit_size),
                  "events a commit: one event a request");
    dk_report_add(r, "commit_size_single", dk_rounds_median(&f->single_commit_size),
                  "each request a message of its own");
    dk_report_add(r, "commit_size_100", dk_rounds_median(&f->commit_size_100),
                  "100 events a request");
    dk_report_add(r, "peak_mib", (double)peak_bytes / (1 << 20),
                  "memory at its peak (VmHWM), the log's mapped pages among it");
    dk_report_add(r, "own_mib", (double)own_bytes / (1 << 20),
                  "memory of its own at its peak (RssAnon)");
}
