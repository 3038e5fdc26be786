/* bench_heads [--tickets N] [--open N] [--dir DIR]: a broker that has seen very many tickets.
 *
 * The heads of N tickets (default 100 million), of which some (1 million) are open, are generated
 * into the log of a new site, as a checkpoint of its core. A broker is started on it, and one message
 * is appended to each open ticket, so that the broker has all of them changed in memory. Measured
 * are the time to open, the memory of the broker's own, and the rate. */
#include "bench/lib/measure.h"
#include "bench/lib/process.h"
#include "bench/lib/report.h"
#include "broker/core/annex.h"
#include "broker/core/recover.h"
#include "broker/core/state.h"
#include "proto/event/body.h"
#include "proto/peer/client.h"
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#define GOAL_MIB        1024
#define CHUNK           (DK_HEADS_OVERLAY_MAX / 2) /* tickets of one checkpoint while generating */
#define EVENTS          100                        /* a request */
#define OUTSTANDING     20                         /* requests */
#define ANSWER_MS       60000
#define PRODUCERS_MAX   16
#define RECORD_MAX      256
#define BYTES_A_TICKET  148 /* of disk: an entry and its part of the pages' crcs */
#define CUSTOMER_NUMBER 4711

struct bench {
    uint64_t tickets, open;
    char folder[256];
    struct dk_site site;
    struct dk_config config;
    double generate_s, start_s, append_s;
    struct dk_process_memory started, appended;
};

static uint64_t open_every(const struct bench *bench)
{
    return bench->tickets / bench->open;
}

/* ---------------------------------------------------------------- the heads */

/* A ticket as it stands after some events: closed, but for every hundredth. */
static void fill_ticket(const struct bench *bench, struct dk_ticket *ticket, uint64_t number)
{
    bool open = number % open_every(bench) == 0;
    *ticket = (struct dk_ticket){.last_position = 1,
                                 .last_input = 1,
                                 .owner = dk_id_make(DK_SUBJECT_AGENT, 1 + number % 100),
                                 .customer = dk_id_make(DK_SUBJECT_CUSTOMER, number),
                                 .opened_us = INT64_C(1700000000000000) + (int64_t)number,
                                 .ended_us = open ? 0 : INT64_C(1700000000000000),
                                 .version = 11,
                                 .status = open ? DOCKET__STATUS__STATUS_OPEN
                                                : DOCKET__STATUS__STATUS_CLOSED,
                                 .priority = DOCKET__PRIORITY__PRIORITY_NORMAL,
                                 .line = 1};
}

static int write_checkpoint(struct dk_state *state, struct dk_err *err)
{
    int rc = dk_annex_freeze(state, err);
    rc = rc != 0 ? rc : dk_heads_write(state->heads, err);
    if (rc == 0) {
        dk_heads_finish(state->heads);
        dk_heads_tidy(state->heads);
    }
    return rc;
}

static int generate(const struct bench *bench, struct dk_state *state, struct dk_err *err)
{
    int rc = 0;
    for (uint64_t number = 2; rc == 0 && number <= bench->tickets; number++) {
        struct dk_ticket *ticket = dk_heads_edit(state->heads, number);
        DK_ASSERT(ticket != NULL);
        fill_ticket(bench, ticket, number);
        state->counts.last_ticket = number;
        state->counts.open_tickets += (uint64_t)dk_ticket_live(ticket);
        if (number % CHUNK == 0 || number == bench->tickets) {
            rc = write_checkpoint(state, err);
            (void)fprintf(stderr, "\r%llu of %llu tickets", (unsigned long long)number,
                          (unsigned long long)bench->tickets);
        }
    }
    (void)fprintf(stderr, "\n");
    return rc;
}

/* The log has one event, of a broker that was killed after it; the checkpoint stands at it. */
static int generate_heads(struct bench *bench, struct dk_err *err)
{
    struct dk_log *log = NULL;
    struct dk_heads *heads = NULL;
    struct dk_state state = {0};
    uint64_t begin = dk_bench_ns();
    int rc = dk_log_open(&log, bench->config.log, DK_LOG_WRITE, err);
    if (rc == 0) {
        const struct dk_log_identity *identity = dk_log_identity(log);
        rc = dk_heads_open(&heads, bench->config.log, identity->uuid, sizeof(struct dk_ticket),
                           DK_HEADS_VERSION, NULL, err);
        rc = rc != 0 ? rc : dk_state_init(&state, identity, heads, PRODUCERS_MAX, 1, err);
    }
    rc = rc != 0 ? rc : dk_recover(&state, dk_log_store(log), NULL, NULL, err);
    rc = rc != 0 ? rc : generate(bench, &state, err);
    dk_state_close(&state);
    dk_heads_close(&heads);
    dk_log_close(&log);
    bench->generate_s = (double)(dk_bench_ns() - begin) / 1e9;
    return rc;
}

/* ---------------------------------------------------------------- appending */

/* One record, to be stamped with subject and number again and again. */
static int make_record(uint64_t producer, uint64_t subject, uint32_t kind,
                       const ProtobufCMessage *body, struct dk_buf *out, struct dk_err *err)
{
    struct dk_envelope envelope = {.subject = subject,
                                   .producer = producer,
                                   .producer_number = 1,
                                   .actor = dk_id_make(DK_ACTOR_CUSTOMER, CUSTOMER_NUMBER)};
    dk_buf_init(out, RECORD_MAX);
    return dk_event_encode(out, &envelope, kind, body, err);
}

static int open_first_ticket(struct dk_client *client, uint64_t producer, struct dk_err *err)
{
    static uint8_t words[] = "It does not work";
    Docket__Opened opened = DOCKET__OPENED__INIT;
    Docket__Text subject = DOCKET__TEXT__INIT;
    const Docket__Reply *reply;
    struct dk_buf record;
    uint64_t id;
    subject.has_plain = 1;
    subject.plain = (ProtobufCBinaryData){sizeof words - 1, words};
    opened.subject = &subject;
    int rc = make_record(producer, dk_ticket_make(0xffff, 0), DK_KIND_OPENED, &opened.base, &record,
                         err);
    struct dk_slice slice = {record.data, record.size};
    rc = rc != 0 ? rc : dk_client_send_append(client, &slice, NULL, 1, false, &id, err);
    rc = rc != 0 ? rc : dk_client_receive(client, ANSWER_MS, &reply, NULL, err);
    dk_buf_close(&record);
    return rc;
}

/* Messages to the next EVENTS open tickets; *number is the last one that had its own. */
static int send_messages(struct bench *bench, struct dk_client *client,
                         const struct dk_buf *message, uint64_t *number, uint64_t *sent,
                         struct dk_err *err)
{
    static uint8_t copy[EVENTS][RECORD_MAX];
    struct dk_slice event[EVENTS];
    size_t count = 0;
    uint64_t id;
    for (; count < EVENTS && *sent < bench->open; count++) {
        *number += open_every(bench);
        memcpy(copy[count], message->data, message->size);
        dk_stamp_subject(copy[count], dk_ticket_make(1, *number));
        dk_stamp_producer_number(copy[count], ++*sent);
        event[count] = (struct dk_slice){copy[count], message->size};
    }
    return dk_client_send_append(client, event, NULL, count, false, &id, err);
}

static int take_answers(struct dk_client *client, uint64_t *accepted, unsigned *outstanding,
                        struct dk_err *err)
{
    const Docket__Reply *reply;
    int rc = dk_client_receive(client, ANSWER_MS, &reply, NULL, err);
    if (rc != 0 || reply->result_case != DOCKET__REPLY__RESULT_APPENDED) {
        return rc != 0 ? rc : dk_err_set(err, DK_EIO, "the broker answers something else");
    }
    for (size_t i = 0; i < reply->appended->n_appended; i++) {
        *accepted += reply->appended->appended[i]->accepted;
        (*outstanding)--;
    }
    return 0;
}

static int append_messages(struct bench *bench, struct dk_client *client, uint64_t producer,
                           struct dk_err *err)
{
    static const char words[] = "They told me that it will take until tomorrow, and it did.";
    Docket__MessagePublic message = DOCKET__MESSAGE_PUBLIC__INIT;
    Docket__Text text = DOCKET__TEXT__INIT;
    uint64_t number = 0, sent = 0, accepted = 0;
    unsigned outstanding = 0;
    struct dk_buf record;
    text.has_plain = 1;
    text.plain = (ProtobufCBinaryData){sizeof words - 1, (uint8_t *)(uintptr_t)words};
    message.direction = DOCKET__DIRECTION__DIRECTION_INBOUND;
    message.text = &text;
    int rc = make_record(producer, 0, DK_KIND_MESSAGE_PUBLIC, &message.base, &record, err);
    while (rc == 0 && accepted < bench->open && (sent < bench->open || outstanding > 0)) {
        if (outstanding < OUTSTANDING && sent < bench->open) {
            rc = send_messages(bench, client, &record, &number, &sent, err);
            outstanding++;
        } else {
            rc = take_answers(client, &accepted, &outstanding, err);
        }
    }
    dk_buf_close(&record);
    return rc != 0 || accepted == bench->open
               ? rc
               : dk_err_set(err, DK_EILLEGAL, "only %llu messages were accepted",
                            (unsigned long long)accepted);
}

/* Runs `first` (the one event of the log) or the messages, as a producer of that name. */
static int append(struct bench *bench, bool first, struct dk_err *err)
{
    struct dk_client *client = NULL;
    struct dk_session session;
    void *zmq = zmq_ctx_new();
    int rc = dk_client_open(&client, zmq, &bench->config, "agent", err);
    rc = rc != 0 ? rc
                 : dk_client_hello(client, first ? "first" : "messages", ANSWER_MS, &session, err);
    if (rc == 0) {
        rc = first ? open_first_ticket(client, session.producer, err)
                   : append_messages(bench, client, session.producer, err);
    }
    dk_client_close(&client);
    (void)zmq_ctx_term(zmq);
    return rc;
}

/* ---------------------------------------------------------------- the bench */

static int measure(struct bench *bench, struct dk_err *err)
{
    uint64_t begin = dk_bench_ns();
    int rc = dk_site_start(&bench->site, err);
    bench->start_s = (double)(dk_bench_ns() - begin) / 1e9;
    dk_process_memory(bench->site.pid, &bench->started);
    begin = dk_bench_ns();
    rc = rc != 0 ? rc : append(bench, false, err);
    bench->append_s = (double)(dk_bench_ns() - begin) / 1e9;
    dk_process_memory(bench->site.pid, &bench->appended);
    return rc;
}

static void tell(const struct bench *bench)
{
    struct dk_report report = {0};
    double own_mib = (double)bench->appended.own_bytes / (1 << 20);
    (void)printf("%llu tickets, of which %llu are open\n", (unsigned long long)bench->tickets,
                 (unsigned long long)bench->open);
    dk_report_add(&report, "generate_s", bench->generate_s, "to generate the heads");
    dk_report_add(&report, "start_s", bench->start_s, "from the broker's start until it is ready");
    dk_report_add(&report, "started_own_mib", (double)bench->started.own_bytes / (1 << 20),
                  "memory of its own then (RssAnon)");
    dk_report_goal(&report, "own_mib", own_mib, GOAL_MIB, 0,
                   "the same after a message to every open ticket");
    dk_report_add(&report, "peak_mib", (double)bench->appended.peak_bytes / (1 << 20),
                  "VmHWM: the heads' mapped pages, and the log's, among it");
    dk_report_add(&report, "messages_s", (double)bench->open / bench->append_s,
                  "messages a second");
    dk_report_add(&report, "tickets", (double)bench->tickets, "");
    dk_report_add(&report, "open", (double)bench->open, "");
    dk_report_end(&report);
}

static int run(struct bench *bench, struct dk_err *err)
{
    int rc = dk_site_init(&bench->site, bench->folder, err);
    rc = rc != 0 ? rc : dk_config_load(&bench->config, bench->site.dir, err);
    rc = rc != 0 ? rc : dk_site_start(&bench->site, err);
    rc = rc != 0 ? rc : append(bench, true, err);
    if (rc == 0) {
        dk_process_end(bench->site.pid, SIGKILL);
        bench->site.pid = 0;
        rc = generate_heads(bench, err);
    }
    rc = rc != 0 ? rc : measure(bench, err);
    if (rc == 0) {
        tell(bench);
    }
    return rc;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"tickets", required_argument, NULL, 't'},
                                            {"open", required_argument, NULL, 'o'},
                                            {"dir", required_argument, NULL, 'd'},
                                            {NULL, 0, NULL, 0}};
    struct bench bench = {.tickets = 100000000, .open = 1000000};
    struct dk_err err = {0};
    const char *dir = "/tmp";
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 't': bench.tickets = strtoull(optarg, NULL, 10); break;
        case 'o': bench.open = strtoull(optarg, NULL, 10); break;
        case 'd': dir = optarg; break;
        default: return 64;
        }
    }
    if (bench.open < 1 || bench.tickets / 2 < bench.open) {
        (void)fprintf(stderr, "bench_heads: at least one open, and twice as many tickets\n");
        return 64;
    }
    int rc = dk_bench_free_bytes(dir) >= (UINT64_C(4) << 30) + bench.tickets * BYTES_A_TICKET
                 ? dk_bench_folder(bench.folder, sizeof bench.folder, dir, &err)
                 : dk_err_set(&err, DK_ENOSPACE, "%s has too little free space", dir);
    rc = rc != 0 ? rc : run(&bench, &err);
    if (rc != 0) {
        (void)fprintf(stderr, "bench_heads: %s\n", err.message);
    }
    dk_process_end(bench.site.pid, SIGTERM);
    dk_bench_remove(bench.folder);
    return rc == 0 ? 0 : 1;
}
