/* bench_restart [--events N] [--rounds N] [--dir DIR]: how long after a kill -9 a broker
 * acknowledges.
 *
 * A broker's log is filled with N events (default 10 million) by clients; then, in each round, the
 * broker is killed while they append, started again, and a client that tries to connect all the
 * time appends one event. The clock runs from the start of the program to the acknowledgement,
 * which says that the event is on disk. */
#include "bench/lib/load.h"
#include "bench/lib/process.h"
#include "bench/lib/report.h"
#include "bench/lib/workload.h"
#include "proto/peer/client.h"
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

#define CLIENTS     4
#define OUTSTANDING 10
#define EVENTS      100 /* a request */
#define GOAL_S      0.5
#define ANSWER_MS   60000
#define BYTES_EVENT 400 /* of disk, everything written behind included */

struct bench {
    uint64_t events;
    int rounds;
    char folder[256];
    struct dk_site site;
    struct dk_config config;
    struct dk_key agent;
    char broker_public[DK_Z85_BYTES];
    struct dk_rounds ready_ms, ack_ms, replayed;
};

/* ---------------------------------------------------------------- asking */

static int ask_stats(struct bench *bench, Docket__StatsReply *stats, struct dk_err *err)
{
    Docket__Request request = DOCKET__REQUEST__INIT;
    Docket__Stats ask = DOCKET__STATS__INIT;
    const Docket__Reply *reply;
    struct dk_client *client = NULL;
    void *zmq = zmq_ctx_new();
    request.op_case = DOCKET__REQUEST__OP_STATS;
    request.stats = &ask;
    int rc = dk_client_open(&client, zmq, &bench->config, "reader", err);
    rc = rc != 0 ? rc : dk_client_call(client, &request, ANSWER_MS, &reply, err);
    if (rc == 0) {
        *stats = *reply->stats;
    }
    dk_client_close(&client);
    (void)zmq_ctx_term(zmq);
    return rc;
}

static int open_load(struct bench *bench, struct dk_load **load, const char *name, unsigned clients,
                     unsigned outstanding, unsigned events, struct dk_err *err)
{
    struct dk_load_options options = {.config = &bench->config,
                                      .own = &bench->agent,
                                      .server_public = bench->broker_public,
                                      .name = name,
                                      .clients = clients,
                                      .outstanding = outstanding,
                                      .events = events};
    return dk_load_new(load, &options, err);
}

static int append_for(struct bench *bench, const char *name, double seconds, struct dk_err *err)
{
    struct dk_load *load;
    struct dk_load_result result = {0};
    int rc = open_load(bench, &load, name, CLIENTS, OUTSTANDING, EVENTS, err);
    if (rc == 0) {
        rc = dk_load_run(load, 0, seconds, &result, err);
        dk_load_free(&load);
    }
    return rc;
}

/* ---------------------------------------------------------------- the log, the kill, the start */

static int fill(struct bench *bench, struct dk_err *err)
{
    Docket__StatsReply stats = DOCKET__STATS_REPLY__INIT;
    int rc = 0;
    while (rc == 0 && stats.head < bench->events) {
        rc = append_for(bench, "fill", 2, err);
        rc = rc != 0 ? rc : ask_stats(bench, &stats, err);
        (void)fprintf(stderr, "\r%llu of %llu events", (unsigned long long)stats.head,
                      (unsigned long long)bench->events);
    }
    (void)fprintf(stderr, "\n");
    return rc;
}

/* Kills the broker amid appends: those are sent by a process of their own, which is ended too. */
static int kill_amid(struct bench *bench, struct dk_err *err)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct dk_err unused;
        (void)append_for(bench, "amid", 3600, &unused);
        _exit(0);
    }
    if (pid < 0) {
        return dk_err_set(err, DK_EIO, "cannot fork");
    }
    dk_bench_sleep_ms(1000 + (unsigned)rand() % 1500);
    dk_process_end(bench->site.pid, SIGKILL);
    bench->site.pid = 0;
    dk_process_end(pid, SIGKILL);
    return 0;
}

static int restart(struct bench *bench, struct dk_err *err)
{
    Docket__StatsReply stats = DOCKET__STATS_REPLY__INIT;
    uint64_t begin = dk_bench_ns();
    struct dk_load *load;
    struct dk_load_result result = {0};
    int rc = dk_site_start(&bench->site, err);
    dk_rounds_add(&bench->ready_ms, (double)(dk_bench_ns() - begin) / 1e6);
    rc = rc != 0 ? rc : open_load(bench, &load, "first", 1, 1, 1, err);
    if (rc == 0) {
        rc = dk_load_run(load, 0, 0, &result, err); /* one request, and its answer */
        dk_rounds_add(&bench->ack_ms, (double)(dk_bench_ns() - begin) / 1e6);
        dk_load_free(&load);
    }
    rc = rc != 0 ? rc : ask_stats(bench, &stats, err);
    dk_rounds_add(&bench->replayed, (double)(stats.head - 1 - stats.heads));
    return rc;
}

static double largest(const struct dk_rounds *rounds)
{
    double most = 0;
    for (size_t i = 0; i < rounds->count; i++) {
        most = rounds->value[i] > most ? rounds->value[i] : most;
    }
    return most;
}

static int run(struct bench *bench, struct dk_err *err)
{
    struct dk_report report = {0};
    int rc = dk_site_init(&bench->site, bench->folder, err);
    rc = rc != 0 ? rc : dk_config_load(&bench->config, bench->site.dir, err);
    rc = rc != 0 ? rc : dk_key_load(&bench->agent, bench->config.keys, "agent", err);
    rc = rc != 0 ? rc : dk_key_public(bench->broker_public, bench->config.keys, "broker", err);
    rc = rc != 0 ? rc : dk_site_start(&bench->site, err);
    rc = rc != 0 ? rc : dk_site_apply(&bench->site, DK_WORKLOAD_ORGANIZATION, err);
    rc = rc != 0 ? rc : fill(bench, err);
    for (int i = 0; rc == 0 && i < bench->rounds; i++) {
        rc = kill_amid(bench, err);
        rc = rc != 0 ? rc : restart(bench, err);
        if (rc == 0) {
            (void)printf("  kill %d: acknowledged after %.0f ms, ready after %.0f ms, %.0f events "
                         "replayed\n",
                         i + 1, bench->ack_ms.value[i], bench->ready_ms.value[i],
                         bench->replayed.value[i]);
        }
    }
    if (rc == 0) {
        (void)printf("\nrestart after kill -9 of a broker with %llu events\n",
                     (unsigned long long)bench->events);
        dk_report_goal(&report, "ack_s", dk_rounds_median(&bench->ack_ms) / 1000, GOAL_S, 0,
                       "from the start to the first durable acknowledgement, median");
        dk_report_goal(&report, "ack_max_s", largest(&bench->ack_ms) / 1000, GOAL_S, 0,
                       "the slowest");
        dk_report_add(&report, "ready_ms", dk_rounds_median(&bench->ready_ms),
                      "until the broker said that it is ready");
        dk_report_add(&report, "replayed", dk_rounds_median(&bench->replayed),
                      "events after the last checkpoint");
        dk_report_add(&report, "replayed_max", largest(&bench->replayed), "the most");
        dk_report_add(&report, "events", (double)bench->events, "");
        dk_report_end(&report);
    }
    return rc;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"events", required_argument, NULL, 'e'},
                                            {"rounds", required_argument, NULL, 'r'},
                                            {"dir", required_argument, NULL, 'd'},
                                            {NULL, 0, NULL, 0}};
    struct bench bench = {.events = 10000000, .rounds = 5};
    struct dk_err err = {0};
    const char *dir = "/tmp";
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'e': bench.events = strtoull(optarg, NULL, 10); break;
        case 'r': bench.rounds = atoi(optarg); break;
        case 'd': dir = optarg; break;
        default: return 64;
        }
    }
    if (bench.rounds < 1 || bench.rounds > DK_ROUNDS_MAX) {
        (void)fprintf(stderr, "bench_restart: 1 to %d rounds\n", DK_ROUNDS_MAX);
        return 64;
    }
    int rc = dk_bench_free_bytes(dir) >= (UINT64_C(4) << 30) + bench.events * BYTES_EVENT
                 ? dk_bench_folder(bench.folder, sizeof bench.folder, dir, &err)
                 : dk_err_set(&err, DK_ENOSPACE, "%s has too little free space", dir);
    rc = rc != 0 ? rc : run(&bench, &err);
    if (rc != 0) {
        (void)fprintf(stderr, "bench_restart: %s\n", err.message);
    }
    dk_process_end(bench.site.pid, SIGTERM);
    dk_bench_remove(bench.folder);
    return rc == 0 ? 0 : 1;
}
