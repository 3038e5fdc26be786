/* bench_append [--rounds N] [--seconds S] [--dir DIR]: how fast the shipped broker takes events.
 *
 * The broker runs as a process in its default configuration (admission, dedup, CRC, heads, seals,
 * CURVE over ipc). In each round, one after the other on the same machine: the broker, redis-server
 * and nats-server with one event a request and 1,000 outstanding; a bare ROUTER that echoes, plain
 * and with CURVE; the broker with each request in a message of its own, and with 100 events a
 * request; plain LMDB making the commits that the broker made; one outstanding request; and appends
 * while a follower catches up from zero. Ratios are medians of the rounds' ratios. README.md says
 * what each figure means. */
#include "bench/append.h"
#include "bench/lib/echo.h"
#include "bench/lib/follower.h"
#include "bench/lib/load.h"
#include "bench/lib/peer.h"
#include "bench/lib/process.h"
#include "bench/lib/raw.h"
#include "bench/lib/report.h"
#include "bench/lib/workload.h"
#include "proto/peer/client.h"
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#define PAYLOAD_BYTES 200
#define WARM_S        0.3
#define NEEDED_BYTES  (UINT64_C(12) << 30)
#define CAUGHT_UP_MS  60000
#define SEAL_SLACK    1024 /* seals come by the thousand */

struct bench {
    int rounds;
    double seconds;
    char folder[256];
    struct dk_site site;
    struct dk_config config;
    struct dk_key agent, server;
    void *zmq;
    struct dk_client *client; /* asks for statistics */
    pid_t echo_pid, echo_curve_pid;
    char echo_endpoint[320], echo_curve_endpoint[320];
    struct dk_load *one, *single, *many, *lone, *echo, *echo_curve, *lone_echo, *lone_echo_curve;
    struct dk_peer redis, nats;
    struct dk_records records;
    struct dk_load_result result;
    uint32_t *commit;
    uint64_t peak_own_bytes;
    struct figures figures;
};

/* ---------------------------------------------------------------- one measurement */

static int run_load(struct bench *bench, struct dk_load *load, double seconds,
                    struct dk_rounds *rate, struct dk_err *err)
{
    struct dk_process_memory memory;
    int rc = dk_load_run(load, WARM_S, seconds, &bench->result, err);
    if (rc == 0) {
        dk_rounds_add(rate, bench->result.events_s);
    }
    dk_process_memory(bench->site.pid, &memory);
    if (memory.own_bytes > bench->peak_own_bytes) {
        bench->peak_own_bytes = memory.own_bytes;
    }
    return rc;
}

static void add_latencies(const struct dk_latency *latency, struct dk_rounds *p50,
                          struct dk_rounds *p99, struct dk_rounds *p999)
{
    dk_rounds_add(p50, dk_latency_us(latency, 0.5));
    dk_rounds_add(p99, dk_latency_us(latency, 0.99));
    dk_rounds_add(p999, dk_latency_us(latency, 0.999));
}

static double mean_commit(const struct dk_load_result *result)
{
    double sum = 0;
    for (size_t i = 0; i < result->commit_count; i++) {
        sum += result->commit[i];
    }
    return result->commit_count == 0 ? 0 : sum / (double)result->commit_count;
}

static int ask_stats(struct bench *bench, Docket__StatsReply *stats, struct dk_err *err)
{
    Docket__Request request = DOCKET__REQUEST__INIT;
    Docket__Stats ask = DOCKET__STATS__INIT;
    const Docket__Reply *reply;
    request.op_case = DOCKET__REQUEST__OP_STATS;
    request.stats = &ask;
    int rc = dk_client_call(bench->client, &request, CAUGHT_UP_MS, &reply, err);
    if (rc == 0) {
        *stats = *reply->stats;
    }
    return rc;
}

/* What is written behind is at most this far from the end a moment after the load; then waits until
 * it has caught up, and until the disk is quiet, so that no measurement pays for another. */
static int settle(struct bench *bench, bool note, struct dk_err *err)
{
    Docket__StatsReply stats = DOCKET__STATS_REPLY__INIT;
    uint64_t begin = dk_bench_ns();
    int rc = ask_stats(bench, &stats, err);
    if (rc == 0 && note) {
        dk_rounds_add(&bench->figures.seals_lag, (double)(stats.head - stats.sealed));
        dk_rounds_add(&bench->figures.lookups_lag, (double)(stats.head - stats.indexed));
        dk_rounds_add(&bench->figures.heads_lag, (double)(stats.head - stats.heads));
    }
    while (rc == 0 && (stats.head - stats.sealed >= SEAL_SLACK || stats.indexed < stats.head)) {
        dk_bench_sleep_ms(20);
        rc = ask_stats(bench, &stats, err);
        if (rc == 0 && dk_bench_ns() - begin > CAUGHT_UP_MS * UINT64_C(1000000)) {
            rc = dk_err_set(err, DK_ETIMEOUT, "seals or look-ups do not catch up");
        }
    }
    if (rc == 0 && note) {
        dk_rounds_add(&bench->figures.caught_up_ms, (double)(dk_bench_ns() - begin) / 1e6);
    }
    sync();
    return rc;
}

/* ---------------------------------------------------------------- the rounds */

static int one_event(struct bench *bench, struct dk_err *err)
{
    struct figures *f = &bench->figures;
    bench->result.commit = bench->commit;
    int rc = run_load(bench, bench->one, bench->seconds, &f->broker, err);
    add_latencies(&bench->result.latency, &f->p50, &f->p99, &f->p999);
    dk_rounds_add(&f->commit_size, mean_commit(&bench->result));
    rc = rc != 0 ? rc : settle(bench, true, err);
    double raw = 0;
    rc = rc != 0 ? rc
                 : dk_raw_lmdb(bench->folder, &bench->records, bench->commit,
                               bench->result.commit_count, bench->seconds, &raw, NULL, err);
    dk_rounds_add(&f->raw, raw);
    bench->result.commit = NULL;
    sync();
    return rc;
}

static int single_messages(struct bench *bench, struct dk_err *err)
{
    struct figures *f = &bench->figures;
    bench->result.commit = bench->commit;
    int rc = run_load(bench, bench->single, bench->seconds, &f->single, err);
    dk_rounds_add(&f->single_p50, dk_latency_us(&bench->result.latency, 0.5));
    dk_rounds_add(&f->single_p99, dk_latency_us(&bench->result.latency, 0.99));
    dk_rounds_add(&f->single_commit_size, mean_commit(&bench->result));
    bench->result.commit = NULL;
    return rc != 0 ? rc : settle(bench, false, err);
}

static int peers(struct bench *bench, struct dk_err *err)
{
    struct figures *f = &bench->figures;
    double redis = 0, nats = 0;
    int rc = dk_peer_run(&bench->redis, WARM_S, bench->seconds, &redis, err);
    sync();
    rc = rc != 0 ? rc : dk_peer_run(&bench->nats, WARM_S, bench->seconds, &nats, err);
    sync();
    dk_rounds_add(&f->redis, redis);
    dk_rounds_add(&f->nats, nats);
    rc = rc != 0 ? rc : run_load(bench, bench->echo, bench->seconds, &f->echo, err);
    return rc != 0 ? rc : run_load(bench, bench->echo_curve, bench->seconds, &f->echo_curve, err);
}

static int many_events(struct bench *bench, struct dk_err *err)
{
    struct figures *f = &bench->figures;
    double raw = 0, blocks = 0;
    bench->result.commit = bench->commit;
    int rc = run_load(bench, bench->many, bench->seconds, &f->broker_100, err);
    add_latencies(&bench->result.latency, &f->p50_100, &f->p99_100, &f->p999_100);
    dk_rounds_add(&f->commit_size_100, mean_commit(&bench->result));
    size_t count = bench->result.commit_count;
    rc = rc != 0 ? rc : settle(bench, false, err);
    rc = rc != 0 ? rc
                 : dk_raw_lmdb(bench->folder, &bench->records, bench->commit, count, bench->seconds,
                               &raw, NULL, err);
    sync();
    rc = rc != 0 ? rc
                 : dk_raw_log(bench->folder, &bench->records, bench->commit, count, bench->seconds,
                              &blocks, err);
    dk_rounds_add(&f->raw_100, raw);
    dk_rounds_add(&f->raw_100_blocks, blocks);
    bench->result.commit = NULL;
    sync();
    return rc;
}

static int lone_run(struct bench *bench, struct dk_load *load, struct dk_rounds *p50,
                    struct dk_err *err)
{
    struct dk_rounds unused = {0};
    int rc = run_load(bench, load, bench->seconds / 2, &unused, err);
    dk_rounds_add(p50, dk_latency_us(&bench->result.latency, 0.5));
    return rc;
}

static int lone_append(struct bench *bench, struct dk_err *err)
{
    static const uint32_t one[] = {1};
    struct figures *f = &bench->figures;
    struct dk_latency raw = {0};
    double unused;
    int rc = lone_run(bench, bench->lone, &f->lone, err);
    sync();
    rc = rc != 0 ? rc : lone_run(bench, bench->lone_echo, &f->lone_echo, err);
    rc = rc != 0 ? rc : lone_run(bench, bench->lone_echo_curve, &f->lone_echo_curve, err);
    rc = rc != 0 ? rc
                 : dk_raw_lmdb(bench->folder, &bench->records, one, 1, bench->seconds / 2, &unused,
                               &raw, err);
    dk_rounds_add(&f->lone_raw, dk_latency_us(&raw, 0.5));
    sync();
    return rc;
}

static int with_follower(struct bench *bench, struct dk_err *err)
{
    struct figures *f = &bench->figures;
    struct dk_follower *follower;
    uint64_t records = 0, begin = dk_bench_ns();
    int rc = dk_follower_start(&follower, &bench->config, err);
    if (rc != 0) {
        return rc;
    }
    rc = run_load(bench, bench->one, bench->seconds, &f->follower, err);
    dk_rounds_add(&f->follower_p99, dk_latency_us(&bench->result.latency, 0.99));
    int ended = dk_follower_stop(&follower, &records, err);
    dk_rounds_add(&f->follower_reads, (double)records * 1e9 / (double)(dk_bench_ns() - begin));
    rc = rc != 0 ? rc : ended;
    return rc != 0 ? rc : settle(bench, false, err);
}

static int round_of(struct bench *bench, struct dk_err *err)
{
    int rc = one_event(bench, err);
    rc = rc != 0 ? rc : peers(bench, err);
    rc = rc != 0 ? rc : single_messages(bench, err);
    rc = rc != 0 ? rc : many_events(bench, err);
    rc = rc != 0 ? rc : lone_append(bench, err);
    return rc != 0 ? rc : with_follower(bench, err);
}

/* ---------------------------------------------------------------- life */

static int open_broker_load(struct bench *bench, struct dk_load **load, const char *name,
                            unsigned clients, unsigned outstanding, unsigned events, bool hold,
                            struct dk_err *err)
{
    struct dk_load_options options = {.config = &bench->config,
                                      .own = &bench->agent,
                                      .server_public = bench->server.public_z85,
                                      .name = name,
                                      .clients = clients,
                                      .outstanding = outstanding,
                                      .events = events,
                                      .hold = hold};
    return dk_load_new(load, &options, err);
}

static int open_echo_load(struct bench *bench, struct dk_load **load, bool curve, unsigned clients,
                          unsigned outstanding, struct dk_err *err)
{
    struct dk_load_options options = {.endpoint =
                                          curve ? bench->echo_curve_endpoint : bench->echo_endpoint,
                                      .own = curve ? &bench->agent : NULL,
                                      .server_public = bench->server.public_z85,
                                      .clients = clients,
                                      .outstanding = outstanding,
                                      .events = 1};
    return dk_load_new(load, &options, err);
}

static int start_echoes(struct bench *bench, struct dk_err *err)
{
    (void)snprintf(bench->echo_endpoint, sizeof bench->echo_endpoint, "ipc://%s/echo",
                   bench->folder);
    (void)snprintf(bench->echo_curve_endpoint, sizeof bench->echo_curve_endpoint,
                   "ipc://%s/echo-curve", bench->folder);
    int rc = dk_echo_start(&bench->echo_pid, bench->echo_endpoint, NULL, err);
    return rc != 0 ? rc
                   : dk_echo_start(&bench->echo_curve_pid, bench->echo_curve_endpoint,
                                   &bench->server, err);
}

static int start_servers(struct bench *bench, struct dk_err *err)
{
    const unsigned each = OUTSTANDING / CLIENTS;
    int rc = dk_site_init(&bench->site, bench->folder, err);
    rc = rc != 0 ? rc : dk_config_load(&bench->config, bench->site.dir, err);
    rc = rc != 0 ? rc : dk_key_load(&bench->agent, bench->config.keys, "agent", err);
    rc = rc != 0 ? rc : dk_key_load(&bench->server, bench->config.keys, "broker", err);
    rc = rc != 0 ? rc : start_echoes(bench, err); /* forks: before any ZeroMQ context is made */
    rc = rc != 0 ? rc : dk_site_start(&bench->site, err);
    rc = rc != 0 ? rc : dk_site_apply(&bench->site, DK_WORKLOAD_ORGANIZATION, err);
    rc = rc != 0 ? rc
                 : dk_peer_redis(&bench->redis, bench->folder, CLIENTS, each, PAYLOAD_BYTES, err);
    return rc != 0 ? rc
                   : dk_peer_nats(&bench->nats, bench->folder, CLIENTS, each, PAYLOAD_BYTES, err);
}

static int open_loads(struct bench *bench, struct dk_err *err)
{
    const unsigned each = OUTSTANDING / CLIENTS;
    bench->zmq = zmq_ctx_new();
    int rc = dk_client_open(&bench->client, bench->zmq, &bench->config, "reader", err);
    rc = rc != 0 ? rc : open_broker_load(bench, &bench->one, "one", CLIENTS, each, 1, true, err);
    rc = rc != 0 ? rc
                 : open_broker_load(bench, &bench->single, "single", CLIENTS, each, 1, false, err);
    rc = rc != 0 ? rc
                 : open_broker_load(bench, &bench->many, "many", CLIENTS, MANY_REQUESTS,
                                    MANY_EVENTS, false, err);
    rc = rc != 0 ? rc : open_broker_load(bench, &bench->lone, "lone", 1, 1, 1, false, err);
    rc = rc != 0 ? rc : open_echo_load(bench, &bench->echo, false, CLIENTS, each, err);
    rc = rc != 0 ? rc : open_echo_load(bench, &bench->echo_curve, true, CLIENTS, each, err);
    rc = rc != 0 ? rc : open_echo_load(bench, &bench->lone_echo, false, 1, 1, err);
    return rc != 0 ? rc : open_echo_load(bench, &bench->lone_echo_curve, true, 1, 1, err);
}

static int run(struct bench *bench, struct dk_err *err)
{
    struct dk_report report = {0};
    int rc = dk_raw_records_make(&bench->records, err);
    rc = rc != 0 ? rc : start_servers(bench, err);
    rc = rc != 0 ? rc : open_loads(bench, err);
    for (int i = 0; rc == 0 && i < bench->rounds; i++) {
        (void)fprintf(stderr, "round %d of %d\n", i + 1, bench->rounds);
        rc = round_of(bench, err);
    }
    if (rc == 0) {
        struct dk_process_memory memory;
        dk_process_memory(bench->site.pid, &memory);
        append_tell_speed(&bench->figures, &report);
        append_tell_latency(&bench->figures, &report);
        append_tell_broker(&bench->figures, memory.peak_bytes, bench->peak_own_bytes, &report);
        rc = append_tell_disk(bench->folder, &bench->records, &report, err);
    }
    if (rc == 0) {
        dk_report_add(&report, "rounds", bench->rounds, "");
        dk_report_end(&report);
    }
    return rc;
}

static void close_all(struct bench *bench)
{
    dk_load_free(&bench->one);
    dk_load_free(&bench->single);
    dk_load_free(&bench->many);
    dk_load_free(&bench->lone);
    dk_load_free(&bench->echo);
    dk_load_free(&bench->echo_curve);
    dk_load_free(&bench->lone_echo);
    dk_load_free(&bench->lone_echo_curve);
    dk_client_close(&bench->client);
    if (bench->zmq != NULL) {
        (void)zmq_ctx_term(bench->zmq);
    }
    dk_peer_end(&bench->redis);
    dk_peer_end(&bench->nats);
    dk_process_end(bench->echo_pid, SIGKILL);
    dk_process_end(bench->echo_curve_pid, SIGKILL);
    dk_process_end(bench->site.pid, SIGTERM);
    dk_records_close(&bench->records);
    dk_bench_remove(bench->folder);
    free(bench->commit);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"rounds", required_argument, NULL, 'r'},
                                            {"seconds", required_argument, NULL, 's'},
                                            {"dir", required_argument, NULL, 'd'},
                                            {NULL, 0, NULL, 0}};
    struct bench *bench = calloc(1, sizeof *bench);
    struct dk_err err = {0};
    const char *dir = "/tmp";
    int option;
    DK_ASSERT(bench != NULL);
    bench->rounds = 5;
    bench->seconds = 1.5;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'r': bench->rounds = atoi(optarg); break;
        case 's': bench->seconds = atof(optarg); break;
        case 'd': dir = optarg; break;
        default: return 64;
        }
    }
    if (bench->rounds < 1 || bench->rounds > DK_ROUNDS_MAX || bench->seconds <= 0) {
        (void)fprintf(stderr, "bench_append: 1 to %d rounds, of more than 0 s\n", DK_ROUNDS_MAX);
        return 64;
    }
    bench->commit = malloc(DK_COMMITS_MAX * sizeof *bench->commit);
    DK_ASSERT(bench->commit != NULL);
    int rc = dk_bench_free_bytes(dir) >= NEEDED_BYTES
                 ? dk_bench_folder(bench->folder, sizeof bench->folder, dir, &err)
                 : dk_err_set(&err, DK_ENOSPACE, "%s needs 12 GiB free", dir);
    rc = rc != 0 ? rc : run(bench, &err);
    if (rc != 0) {
        (void)fprintf(stderr, "bench_append: %s\n", err.message);
    }
    close_all(bench);
    free(bench);
    return rc == 0 ? 0 : 1;
}
