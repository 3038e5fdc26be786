/* bench_timers [--clocks N] [--rate DUE_A_SECOND] [--seconds N]: how late breaches are, with a
 * million clocks running and 10,000 due each second, for ten seconds.
 *
 * The real broker and SLA node, with CURVE. First come tickets whose clocks run for a month; then,
 * at an even rate, tickets whose first reply is due in half a minute, which nobody gives: so they
 * come due at that rate. Lateness is a breach's recorded time less its due time, from the log: it
 * has the node's waking, its computing and the commit in it. Then once more, with kill -9 of the
 * node in the middle; what comes due while it is away is late, and each is said once all the same.
 */
#include "bench/lib/measure.h"
#include "bench/lib/process.h"
#include "bench/lib/report.h"
#include "broker/log/log.h"
#include "proto/base/arena.h"
#include "proto/base/map.h"
#include "proto/base/time.h"
#include "proto/event/body.h"
#include "proto/peer/client.h"
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

#define GOAL_MS     50.0
#define FILL_EVENTS 500 /* of a request, while the log is filled */
#define FILL_FLIGHT 8   /* requests outstanding */
#define TARGET_S    30  /* as the organization says */
#define TIMEOUT_MS  10000
#define STALL_S     120 /* without any progress: something is wrong */
#define READ_BYTES  ((size_t)4 << 20)
#define TICKETS_MAX ((size_t)1 << 24)

static const char organization[] =
    "calendars:\n  always: {zone: UTC, hours: {mon-sun: \"00:00-24:00\"}}\n"
    "policies:\n  sla:\n"
    "    default: {calendar: always, goals: {first-reply: {critical: 30s, any: 30d}}}\n";

struct options {
    uint64_t clocks, rate, seconds;
};

/* What the log says of a ticket. */
struct fired {
    uint32_t started, breached;
};

struct bench {
    struct dk_site site;
    struct dk_config config;
    pid_t node;
    void *zmq;
    struct dk_client *client;
    struct dk_session session;
    struct dk_buf record;
    uint64_t next_number, in_flight, refused;
    /* read from the log: */
    struct dk_log *log;
    struct dk_log_reader *reader;
    struct dk_records records;
    struct dk_arena arena;
    uint64_t position;
    struct dk_map tickets; /* ticket -> struct fired */
    uint64_t started, breached, twice;
    struct dk_latency late;
    int64_t latest_us;
};

/* ---------------------------------------------------------------- the log */

static void take_breach(struct bench *bench, const uint8_t *record, size_t bytes,
                        struct fired *fired)
{
    dk_arena_reset(&bench->arena);
    const Docket__ClockBreached *body =
        (const void *)dk_body_unpack(&bench->arena, record, bytes, NULL);
    DK_ASSERT(body != NULL);
    int64_t late_us = (int64_t)dk_event_load_recorded_us(record) - body->due_us;
    bench->twice += fired->breached > 0;
    fired->breached++;
    bench->breached++;
    bench->latest_us = late_us > bench->latest_us ? late_us : bench->latest_us;
    dk_latency_add(&bench->late, late_us > 0 ? (uint64_t)late_us * 1000 : 0);
}

static void take_record(struct bench *bench, const uint8_t *record, size_t bytes)
{
    uint32_t kind = dk_event_load_kind(record);
    bench->position++;
    if (kind != DK_KIND_CLOCK_STARTED && kind != DK_KIND_CLOCK_BREACHED) {
        return;
    }
    struct fired *fired = dk_map_put(&bench->tickets, dk_event_load_subject(record), NULL);
    DK_ASSERT(fired != NULL);
    if (kind == DK_KIND_CLOCK_STARTED) {
        bench->twice += fired->started > 0;
        fired->started++;
        bench->started++;
    } else {
        take_breach(bench, record, bytes, fired);
    }
}

/* Reads what has come to the log since. */
static int read_log(struct bench *bench, struct dk_err *err)
{
    for (;;) {
        int rc = dk_log_read(bench->reader, bench->position + 1, READ_BYTES, &bench->records, err);
        if (rc != 0 || bench->records.batch.count == 0) {
            return rc;
        }
        for (size_t i = 0; i < bench->records.batch.count; i++) {
            size_t bytes;
            const uint8_t *record = dk_batch_record(&bench->records.batch, i, &bytes);
            take_record(bench, record, bytes);
        }
    }
}

/* Until so many events of a kind are there. */
static int await(struct bench *bench, const uint64_t *count, uint64_t wanted, const char *what,
                 struct dk_err *err)
{
    uint64_t before = 0, since_ns = dk_bench_ns();
    int rc = 0;
    while (rc == 0 && *count < wanted) {
        rc = read_log(bench, err);
        if (*count != before) {
            before = *count;
            since_ns = dk_bench_ns();
        } else if (dk_bench_ns() - since_ns > STALL_S * UINT64_C(1000000000)) {
            rc = dk_err_set(err, DK_ETIMEOUT, "%llu of %llu clocks %s, and no more came",
                            (unsigned long long)*count, (unsigned long long)wanted, what);
        }
        dk_bench_sleep_ms(20);
    }
    return rc;
}

/* ---------------------------------------------------------------- opening tickets */

static void read_replies(struct bench *bench, int timeout_ms)
{
    const Docket__Reply *reply = NULL;
    while (dk_client_receive(bench->client, timeout_ms, &reply, NULL, NULL) == 0) {
        for (size_t i = 0; reply->result_case == DOCKET__REPLY__RESULT_APPENDED &&
                           i < reply->appended->n_appended;
             i++) {
            bench->in_flight--;
            bench->refused += reply->appended->appended[i]->n_refused;
        }
        timeout_ms = 0;
    }
}

/* One request that opens `count` tickets. */
static int open_tickets(struct bench *bench, Docket__Priority priority, size_t count,
                        struct dk_err *err)
{
    static uint8_t words[] = "It does not work";
    struct dk_slice event[FILL_EVENTS];
    size_t offset[FILL_EVENTS + 1] = {0};
    Docket__Opened opened = DOCKET__OPENED__INIT;
    Docket__Text text = DOCKET__TEXT__INIT;
    uint64_t request;
    int rc = 0;
    text.has_plain = 1;
    text.plain = (ProtobufCBinaryData){sizeof words - 1, words};
    opened.subject = opened.message = &text;
    opened.has_channel = opened.has_priority = 1;
    opened.channel = DOCKET__CHANNEL__CHANNEL_WEB;
    opened.priority = priority;
    dk_buf_clear(&bench->record);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct dk_envelope envelope = {.format = DK_EVENT_FORMAT,
                                       .subject = dk_ticket_make(DK_SITE_MAX, i),
                                       .actor = dk_id_make(DK_ACTOR_CUSTOMER, 4711),
                                       .producer = bench->session.producer,
                                       .producer_number = bench->next_number++};
        rc = dk_event_encode(&bench->record, &envelope, DK_KIND_OPENED, &opened.base, err);
        offset[i + 1] = bench->record.size;
    }
    for (size_t i = 0; i < count; i++) {
        event[i] = (struct dk_slice){bench->record.data + offset[i], offset[i + 1] - offset[i]};
    }
    rc = rc != 0 ? rc
                 : dk_client_send_append(bench->client, event, NULL, count, false, &request, err);
    bench->in_flight += rc == 0;
    return rc;
}

static int settle(struct bench *bench, struct dk_err *err)
{
    while (bench->in_flight > 0) {
        read_replies(bench, 100);
    }
    return bench->refused == 0 ? 0
                               : dk_err_set(err, DK_EINVAL, "%llu tickets were refused",
                                            (unsigned long long)bench->refused);
}

/* As fast as it goes. */
static int fill(struct bench *bench, uint64_t clocks, struct dk_err *err)
{
    int rc = 0;
    for (uint64_t sent = 0; rc == 0 && sent < clocks;) {
        uint64_t left = clocks - sent, count = left < FILL_EVENTS ? left : FILL_EVENTS;
        while (bench->in_flight >= FILL_FLIGHT) {
            read_replies(bench, 100);
        }
        rc = open_tickets(bench, DOCKET__PRIORITY__PRIORITY_LOW, count, err);
        sent += count;
    }
    return rc != 0 ? rc : settle(bench, err);
}

/* At an even rate, a hundredth of a second's worth at a time. */
static int trickle(struct bench *bench, const struct options *options, struct dk_err *err)
{
    uint64_t wanted = options->rate * options->seconds, begin_ns = dk_bench_ns(), sent = 0;
    int rc = 0;
    while (rc == 0 && sent < wanted) {
        uint64_t by_now = (dk_bench_ns() - begin_ns) * options->rate / UINT64_C(1000000000);
        by_now = by_now < wanted ? by_now : wanted;
        while (rc == 0 && sent < by_now) {
            uint64_t left = by_now - sent, count = left < FILL_EVENTS ? left : FILL_EVENTS;
            rc = open_tickets(bench, DOCKET__PRIORITY__PRIORITY_CRITICAL, count, err);
            sent += count;
        }
        read_replies(bench, 5);
    }
    return rc != 0 ? rc : settle(bench, err);
}

/* ---------------------------------------------------------------- the runs */

static int start(struct bench *bench, const char *folder, struct dk_err *err)
{
    int rc = dk_site_init(&bench->site, folder, err);
    rc = rc != 0 ? rc : dk_site_start(&bench->site, err);
    rc = rc != 0 ? rc : dk_config_load(&bench->config, bench->site.dir, err);
    rc = rc != 0 ? rc : dk_site_apply(&bench->site, organization, err);
    rc = rc != 0 ? rc : dk_site_node(&bench->site, "sla", &bench->node, err);
    rc = rc != 0 ? rc : dk_client_open(&bench->client, bench->zmq, &bench->config, "agent", err);
    rc = rc != 0 ? rc : dk_client_hello(bench->client, "timers", TIMEOUT_MS, &bench->session, err);
    rc = rc != 0 ? rc : dk_log_open(&bench->log, bench->config.log, DK_LOG_READ, err);
    rc = rc != 0 ? rc : dk_log_reader_new(&bench->reader, bench->log, err);
    bench->next_number = bench->session.last_number + 1;
    return rc;
}

/* Tickets that come due, watched until all have; with `kill_in_s` > 0 the node is killed so long
 * after the first was due, and started again at once. */
static int run_due(struct bench *bench, const struct options *options, unsigned kill_in_s,
                   struct dk_err *err)
{
    uint64_t begin_ns = dk_bench_ns(), wanted = bench->breached + options->rate * options->seconds;
    dk_latency_clear(&bench->late);
    bench->latest_us = 0;
    int rc = trickle(bench, options, err);
    if (rc == 0 && kill_in_s > 0) {
        uint64_t until_ns = begin_ns + (TARGET_S + kill_in_s) * UINT64_C(1000000000);
        while (dk_bench_ns() < until_ns) {
            dk_bench_sleep_ms(10);
        }
        dk_process_end(bench->node, SIGKILL);
        rc = dk_site_node(&bench->site, "sla", &bench->node, err);
    }
    return rc != 0 ? rc : await(bench, &bench->breached, wanted, "breached", err);
}

static int measure(struct bench *bench, const char *folder, const struct options *options,
                   struct dk_report *report, struct dk_err *err)
{
    uint64_t due = options->rate * options->seconds;
    int rc = start(bench, folder, err);
    uint64_t begin_ns = dk_bench_ns();
    rc = rc != 0 ? rc : fill(bench, options->clocks, err);
    rc = rc != 0 ? rc : await(bench, &bench->started, options->clocks, "started", err);
    if (rc != 0) {
        return rc;
    }
    dk_report_add(report, "clocks", (double)options->clocks, "clocks that run");
    dk_report_add(report, "started_per_s",
                  (double)options->clocks * 1e9 / (double)(dk_bench_ns() - begin_ns),
                  "tickets opened and their clocks started, a second");
    rc = run_due(bench, options, 0, err);
    if (rc != 0) {
        return rc;
    }
    dk_report_add(report, "due_per_s", (double)options->rate, "due a second");
    dk_report_add(report, "late_p50_ms", dk_latency_us(&bench->late, 0.5) / 1000,
                  "breach recorded after it was due, median");
    dk_report_goal(report, "late_p99_ms", dk_latency_us(&bench->late, 0.99) / 1000, GOAL_MS, 0,
                   "the same, p99");
    dk_report_add(report, "late_max_ms", (double)bench->latest_us / 1000, "the same, at most");
    rc = run_due(bench, options, (unsigned)options->seconds / 2, err);
    if (rc != 0) {
        return rc;
    }
    dk_report_add(report, "killed_late_max_ms", (double)bench->latest_us / 1000,
                  "at most, with kill -9 of the node in the middle");
    dk_bench_sleep_ms(2000); /* what would be said twice, is by then */
    rc = read_log(bench, err);
    dk_report_goal(report, "breaches", (double)bench->breached, (double)(2 * due), 1,
                   "breaches of both runs");
    dk_report_goal(report, "twice", (double)bench->twice, 0, 0, "clocks started or broken twice");
    return rc;
}

static void end(struct bench *bench)
{
    dk_process_end(bench->node, SIGTERM);
    dk_log_reader_free(&bench->reader);
    dk_log_close(&bench->log);
    dk_process_end(bench->site.pid, SIGTERM);
}

int main(int argc, char **argv)
{
    static const struct option known[] = {{"clocks", required_argument, NULL, 'c'},
                                          {"rate", required_argument, NULL, 'r'},
                                          {"seconds", required_argument, NULL, 's'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    struct options options = {.clocks = 1000000, .rate = 10000, .seconds = 10};
    struct bench *bench = calloc(1, sizeof *bench);
    struct dk_report report = {0};
    struct dk_err err = {0};
    char folder[512];
    int option;
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case 'c': options.clocks = strtoull(optarg, NULL, 10); break;
        case 'r': options.rate = strtoull(optarg, NULL, 10); break;
        case 's': options.seconds = strtoull(optarg, NULL, 10); break;
        default:
            (void)puts("bench_timers [--clocks N] [--rate DUE_A_SECOND] [--seconds N]");
            return option == 'h' ? EXIT_SUCCESS : EXIT_FAILURE;
        }
    }
    DK_ASSERT(bench != NULL && options.seconds < TARGET_S);
    dk_buf_init(&bench->record, (size_t)1 << 20);
    dk_records_init(&bench->records);
    DK_ASSERT(dk_arena_init(&bench->arena, (size_t)1 << 20) == 0);
    dk_map_init(&bench->tickets, sizeof(struct fired), TICKETS_MAX);
    bench->zmq = zmq_ctx_new();
    int rc = dk_bench_folder(folder, sizeof folder, "/tmp", &err);
    rc = rc != 0 ? rc : measure(bench, folder, &options, &report, &err);
    end(bench);
    if (rc != 0) {
        (void)fprintf(stderr, "bench_timers: %s\n", err.message);
        return EXIT_FAILURE;
    }
    dk_report_end(&report);
    dk_bench_remove(folder);
    return EXIT_SUCCESS;
}
