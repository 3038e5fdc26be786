#include "bench/lib/fetch.h"
#include "bench/lib/chronicle.h"
#include "bench/lib/peer.h"
#include "bench/lib/process.h"
#include "nodes/runtime/source.h"
#include "proto/peer/client.h"
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <zmq.h>

#define SEED          1
#define PAYLOAD_BYTES 200
#define PUBLISHERS    4
#define OUTSTANDING   250 /* of each */
#define CAUGHT_UP_MS  120000
#define SEAL_SLACK    1024 /* seals come by the thousand */

struct dk_fetch {
    uint64_t events;
    struct dk_site site;
    struct dk_config config;
    void *zmq;
    struct dk_source *source;
    struct dk_records records;
    struct dk_peer nats;
    uint64_t published;
};

/* ---------------------------------------------------------------- docket */

static int write_log(struct dk_fetch *fetch, struct dk_err *err)
{
    struct dk_chronicle_options options = {.events = fetch->events, .seed = SEED};
    struct dk_log *log = NULL;
    int rc = dk_log_open(&log, fetch->config.log, DK_LOG_WRITE, err);
    rc = rc != 0 ? rc : dk_chronicle_write(log, &options, err);
    dk_log_close(&log);
    return rc;
}

/* Until nothing is written behind any more. */
static int settle(struct dk_fetch *fetch, struct dk_err *err)
{
    struct dk_client *client = NULL;
    const Docket__StatsReply *stats;
    uint64_t begin = dk_bench_ns();
    bool behind = true;
    int rc = dk_client_open(&client, fetch->zmq, &fetch->config, "reader", err);
    while (rc == 0 && behind) {
        dk_bench_sleep_ms(50);
        rc = dk_client_stats(client, CAUGHT_UP_MS, &stats, err);
        behind = rc == 0 && (stats->head - stats->sealed >= SEAL_SLACK ||
                             stats->indexed < stats->head || stats->head < fetch->events);
        if (behind && dk_bench_ns() - begin > CAUGHT_UP_MS * UINT64_C(1000000)) {
            rc = dk_err_set(err, DK_ETIMEOUT, "seals or look-ups do not catch up");
        }
    }
    dk_client_close(&client);
    return rc;
}

int dk_fetch_docket(struct dk_fetch *fetch, double *events_s, struct dk_err *err)
{
    uint64_t begin = dk_bench_ns(), position = 1;
    int rc = 0;
    while (rc == 0 && position <= fetch->events) {
        rc = dk_source_read(fetch->source, position, &fetch->records, err);
        position += fetch->records.batch.count;
    }
    *events_s = (double)(position - 1) * 1e9 / (double)(dk_bench_ns() - begin);
    return rc;
}

/* ---------------------------------------------------------------- NATS */

static uint64_t answered(const struct dk_peer *peer)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < peer->clients; i++) {
        sum += peer->client[i].answered;
    }
    return sum;
}

static int fill_nats(struct dk_fetch *fetch, const char *folder, struct dk_err *err)
{
    double unused;
    int rc = dk_peer_nats(&fetch->nats, folder, PUBLISHERS, OUTSTANDING, PAYLOAD_BYTES, err);
    while (rc == 0 && answered(&fetch->nats) < fetch->events) {
        rc = dk_peer_run(&fetch->nats, 0, 0.5, &unused, err);
    }
    fetch->published = answered(&fetch->nats);
    return rc;
}

int dk_fetch_nats(struct dk_fetch *fetch, double *events_s, struct dk_err *err)
{
    uint64_t begin = dk_bench_ns();
    int rc = dk_peer_nats_read(&fetch->nats, fetch->published, err);
    *events_s = (double)fetch->published * 1e9 / (double)(dk_bench_ns() - begin);
    return rc;
}

/* ---------------------------------------------------------------- life */

int dk_fetch_open(struct dk_fetch **out, const char *folder, uint64_t events, bool nats,
                  struct dk_err *err)
{
    struct dk_fetch *fetch = calloc(1, sizeof *fetch);
    char own[PATH_MAX];
    DK_ASSERT(fetch != NULL);
    *out = fetch;
    fetch->events = events;
    dk_records_init(&fetch->records);
    (void)snprintf(own, sizeof own, "%s/fetch", folder);
    int rc = mkdir(own, 0755) == 0 ? 0 : dk_err_errno(err, DK_EIO, errno, "cannot make %s", own);
    rc = rc != 0 ? rc : dk_site_init(&fetch->site, own, err);
    rc = rc != 0 ? rc : dk_config_load(&fetch->config, fetch->site.dir, err);
    rc = rc != 0 ? rc : write_log(fetch, err);
    rc = rc != 0 ? rc : dk_site_start(&fetch->site, err);
    rc = rc != 0 || !nats ? rc : fill_nats(fetch, own, err);
    if (rc == 0) {
        fetch->zmq = zmq_ctx_new();
        rc = settle(fetch, err);
    }
    return rc != 0 ? rc
                   : dk_source_open(&fetch->source, DK_SOURCE_WIRE, fetch->zmq, &fetch->config,
                                    "analytics", err);
}

void dk_fetch_close(struct dk_fetch **out)
{
    struct dk_fetch *fetch = *out;
    if (fetch == NULL) {
        return;
    }
    dk_source_close(&fetch->source);
    if (fetch->zmq != NULL) {
        (void)zmq_ctx_term(fetch->zmq);
    }
    dk_records_close(&fetch->records);
    dk_peer_end(&fetch->nats);
    dk_process_end(fetch->site.pid, SIGTERM);
    free(fetch);
    *out = NULL;
}
