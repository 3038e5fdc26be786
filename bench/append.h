/* What bench_append measures, a figure a round, and how it is told. */
#ifndef DK_BENCH_APPEND_H
#define DK_BENCH_APPEND_H

#include "bench/lib/measure.h"
#include "bench/lib/report.h"
#include "broker/log/batch.h"
#include "proto/base/err.h"

#define CLIENTS       4
#define OUTSTANDING   1000 /* requests of one event, of all clients together */
#define MANY_EVENTS   100
#define MANY_REQUESTS 5 /* outstanding of each client, with 100 events each */

/* Rates are events/s, latencies us. `single`: each request a message of its own. */
#define FIGURES(X)                                                                                 \
    X(broker)                                                                                      \
    X(single) X(redis) X(nats) X(echo) X(echo_curve) X(raw) X(p50) X(p99) X(p999) X(single_p50)    \
        X(single_p99) X(commit_size) X(single_commit_size) X(broker_100) X(raw_100)                \
            X(raw_100_blocks) X(p50_100) X(p99_100) X(p999_100) X(commit_size_100) X(lone)         \
                X(lone_echo) X(lone_echo_curve) X(lone_raw) X(follower) X(follower_p99)            \
                    X(follower_reads) X(seals_lag) X(lookups_lag) X(heads_lag) X(caught_up_ms)
struct figures {
#define X(name) struct dk_rounds name;
    FIGURES(X)
#undef X
};

/* Prints the tables and gathers the figures of the last line. */
void append_tell_speed(const struct figures *figures, struct dk_report *report);
void append_tell_latency(const struct figures *figures, struct dk_report *report);
/* Bytes on disk are measured here, in a folder below `folder`. */
int append_tell_disk(const char *folder, const struct dk_records *records, struct dk_report *report,
                     struct dk_err *err);
void append_tell_broker(const struct figures *figures, uint64_t peak_bytes, uint64_t own_bytes,
                        struct dk_report *report);

#endif
