/* How long until others act on an action: from the append's sending
 *
 *   - to the Routed event of a new ticket at a subscriber of the feed, which is
 *     client -> broker -> disk -> routing node -> broker -> disk -> subscriber;
 *   - to an answer of the analytics node that counts the event.
 *
 * 1,000 actions a second by default, of which one in ten opens a ticket; the real broker and nodes,
 * with CURVE, on this machine. */
#include "bench/lib/measure.h"
#include "bench/lib/process.h"
#include "bench/lib/report.h"
#include "proto/base/map.h"
#include "proto/event/body.h"
#include "proto/peer/client.h"
#include "proto/peer/socket.h"
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#define GOAL_MS     10.0
#define OPEN_EVERY  10
#define TICKETS_MAX 1000000
#define WARM_S      2.0
#define TIMEOUT_MS  10000

static const char organization[] =
    "calendars:\n  always: {zone: UTC, hours: {mon-sun: \"00:00-24:00\"}}\n"
    "groups:\n  desk: {line: 1}\n"
    "products:\n  everything: {routes: {1: desk}}\n"
    "agents:\n"
    "  ada: {first_name: Ada, surname: Bench, groups: [desk], capacity: 1000}\n"
    "  bob: {first_name: Bob, surname: Bench, groups: [desk], capacity: 1000}\n"
    "shifts:\n  all-day: {calendar: always, agents: [ada, bob]}\n";

struct options {
    double actions_s, seconds;
};

struct times {
    uint64_t sent_ns, routed_ns;
};

struct bench {
    struct dk_site site;
    struct dk_config config;
    pid_t node[2];
    void *zmq, *feed, *query;
    struct dk_client *client;
    struct dk_session session;
    struct dk_buf record;
    uint64_t next_number, product;
    struct dk_map opening; /* request -> uint64_t sent_ns */
    struct dk_map tickets; /* ticket -> struct times */
    uint64_t *ticket;
    size_t ticket_count;
    uint64_t query_sent_ns; /* of the action that the query under way waits for; 0: none */
    struct dk_latency routed, shown;
    uint64_t begin_ns; /* what was sent before does not count */
    uint64_t answered;
};

/* ---------------------------------------------------------------- the site */

static int start_site(struct bench *bench, const char *folder, struct dk_err *err)
{
    int rc = dk_site_init(&bench->site, folder, err);
    rc = rc != 0 ? rc : dk_site_start(&bench->site, err);
    rc = rc != 0 ? rc : dk_config_load(&bench->config, bench->site.dir, err);
    rc = rc != 0 ? rc : dk_site_apply(&bench->site, organization, err);
    rc = rc != 0 ? rc : dk_site_node(&bench->site, "routing", &bench->node[0], err);
    return rc != 0 ? rc : dk_site_node(&bench->site, "analytics", &bench->node[1], err);
}

static int connect_all(struct bench *bench, struct dk_err *err)
{
    struct dk_key own, analytics;
    char broker[DK_Z85_BYTES], endpoint[DK_ENDPOINT_BYTES];
    int rc = dk_client_open(&bench->client, bench->zmq, &bench->config, "agent", err);
    rc = rc != 0 ? rc : dk_client_hello(bench->client, "latency", TIMEOUT_MS, &bench->session, err);
    rc = rc != 0 ? rc : dk_key_load(&own, bench->config.keys, "analyst", err);
    rc = rc != 0 ? rc : dk_key_load(&analytics, bench->config.keys, "analytics", err);
    rc = rc != 0 ? rc : dk_key_public(broker, bench->config.keys, "broker", err);
    if (rc != 0) {
        return rc;
    }
    dk_config_query_endpoint(&bench->config, "analytics", endpoint);
    bench->feed =
        dk_socket_connect(bench->zmq, ZMQ_SUB, bench->config.feed.at[0], &own, broker, err);
    bench->query =
        dk_socket_connect(bench->zmq, ZMQ_DEALER, endpoint, &own, analytics.public_z85, err);
    bench->next_number = bench->session.last_number + 1;
    bench->product = dk_id_of_key(DK_SUBJECT_PRODUCT, "everything", 10, NULL);
    return bench->feed != NULL && bench->query != NULL ? 0 : DK_EIO;
}

/* ---------------------------------------------------------------- acting */

static int send_event(struct bench *bench, uint64_t subject, uint32_t kind,
                      const ProtobufCMessage *body, uint64_t *request, struct dk_err *err)
{
    struct dk_envelope envelope = {.format = DK_EVENT_FORMAT,
                                   .subject = subject,
                                   .actor = dk_id_make(DK_ACTOR_CUSTOMER, 4711),
                                   .producer = bench->session.producer,
                                   .producer_number = bench->next_number++};
    dk_buf_clear(&bench->record);
    int rc = dk_event_encode(&bench->record, &envelope, kind, body, err);
    struct dk_slice event = {bench->record.data, bench->record.size};
    return rc != 0 ? rc
                   : dk_client_send_append(bench->client, &event, NULL, 1, false, request, err);
}

static int open_ticket(struct bench *bench, struct dk_err *err)
{
    static uint8_t words[] = "It does not work";
    Docket__Opened opened = DOCKET__OPENED__INIT;
    Docket__Text subject = DOCKET__TEXT__INIT;
    uint64_t request = 0, sent_ns = dk_bench_ns();
    subject.has_plain = 1;
    subject.plain = (ProtobufCBinaryData){sizeof words - 1, words};
    opened.subject = &subject;
    opened.has_product = opened.has_channel = 1;
    opened.product = bench->product;
    opened.channel = DOCKET__CHANNEL__CHANNEL_WEB;
    int rc = send_event(bench, dk_ticket_make(DK_SITE_MAX, 0), DK_KIND_OPENED, &opened.base,
                        &request, err);
    if (rc == 0) {
        *(uint64_t *)dk_map_put(&bench->opening, request, NULL) = sent_ns;
    }
    return rc;
}

static int write_message(struct bench *bench, uint64_t ticket, struct dk_err *err)
{
    Docket__MessagePublic message = DOCKET__MESSAGE_PUBLIC__INIT;
    Docket__Text text = DOCKET__TEXT__INIT;
    static uint8_t words[] = "It still happens, and this is what I see on the screen.";
    uint64_t request;
    text.has_plain = 1;
    text.plain = (ProtobufCBinaryData){sizeof words - 1, words};
    message.direction = DOCKET__DIRECTION__DIRECTION_INBOUND;
    message.text = &text;
    return send_event(bench, ticket, DK_KIND_MESSAGE_PUBLIC, &message.base, &request, err);
}

/* ---------------------------------------------------------------- seeing */

static void note_routed(struct bench *bench, struct times *times)
{
    if (times->sent_ns != 0 && times->routed_ns != 0 && times->sent_ns >= bench->begin_ns) {
        dk_latency_add(&bench->routed, times->routed_ns - times->sent_ns);
    }
}

static int on_record(void *arg, const uint8_t *record, size_t bytes)
{
    struct bench *bench = arg;
    (void)bytes;
    if (dk_event_load_kind(record) == DK_KIND_ROUTED) {
        struct times *times = dk_map_put(&bench->tickets, dk_event_load_subject(record), NULL);
        if (times->routed_ns == 0) {
            times->routed_ns = dk_bench_ns();
            note_routed(bench, times);
        }
    }
    return 0;
}

static void read_feed(struct bench *bench)
{
    zmq_msg_t frame;
    struct dk_records_head head;
    (void)zmq_msg_init(&frame);
    while (zmq_msg_recv(&frame, bench->feed, ZMQ_DONTWAIT) >= 0) {
        (void)dk_feed_read(zmq_msg_data(&frame), zmq_msg_size(&frame), &head, on_record, bench,
                           NULL);
    }
    (void)zmq_msg_close(&frame);
}

/* Asks the analytics node to count once it has folded `position`. */
static void ask(struct bench *bench, uint64_t position, uint64_t sent_ns)
{
    Docket__Query query = DOCKET__QUERY__INIT;
    static char name[] = "kpi", measures[] = "measures=opened";
    ProtobufCBinaryData argument = {sizeof measures - 1, (uint8_t *)measures};
    uint8_t packed[256];
    query.id = sent_ns;
    query.name = (ProtobufCBinaryData){sizeof name - 1, (uint8_t *)name};
    query.n_argument = 1;
    query.argument = &argument;
    query.has_at_least = 1;
    query.at_least = position;
    DK_ASSERT(docket__query__get_packed_size(&query) <= sizeof packed);
    size_t size = docket__query__pack(&query, packed);
    if (zmq_send(bench->query, packed, size, ZMQ_DONTWAIT) >= 0) {
        bench->query_sent_ns = sent_ns;
    }
}

static void read_answers(struct bench *bench)
{
    zmq_msg_t frame;
    (void)zmq_msg_init(&frame);
    while (zmq_msg_recv(&frame, bench->query, ZMQ_DONTWAIT) >= 0) {
        Docket__Answer *answer =
            docket__answer__unpack(NULL, zmq_msg_size(&frame), zmq_msg_data(&frame));
        DK_ASSERT(answer != NULL);
        if (answer->failure != NULL) {
            (void)fprintf(stderr, "query: %.*s\n", (int)answer->failure->sentence.len,
                          (const char *)answer->failure->sentence.data);
        } else if (answer->id == bench->query_sent_ns && answer->id >= bench->begin_ns) {
            dk_latency_add(&bench->shown, dk_bench_ns() - answer->id);
        }
        bench->query_sent_ns = 0;
        docket__answer__free_unpacked(answer, NULL);
    }
    (void)zmq_msg_close(&frame);
}

static void on_appended(struct bench *bench, const Docket__Appended *appended)
{
    bench->answered++;
    if (appended->n_refused > 0) {
        (void)fprintf(stderr, "refused: %.*s\n", (int)appended->refused[0]->sentence.len,
                      (const char *)appended->refused[0]->sentence.data);
        return;
    }
    const uint64_t *sent_ns = dk_map_get(&bench->opening, appended->request);
    if (sent_ns == NULL || appended->n_opened != 1) {
        return;
    }
    struct times *times = dk_map_put(&bench->tickets, appended->opened[0], NULL);
    times->sent_ns = *sent_ns;
    note_routed(bench, times);
    bench->ticket[bench->ticket_count++] = appended->opened[0];
    if (bench->query_sent_ns == 0) {
        ask(bench, appended->position, *sent_ns);
    }
    (void)dk_map_remove(&bench->opening, appended->request);
}

static void read_replies(struct bench *bench)
{
    const Docket__Reply *reply = NULL;
    while (dk_client_receive(bench->client, 0, &reply, NULL, NULL) == 0) {
        for (size_t i = 0; reply->result_case == DOCKET__REPLY__RESULT_APPENDED &&
                           i < reply->appended->n_appended;
             i++) {
            on_appended(bench, reply->appended->appended[i]);
        }
    }
}

/* ---------------------------------------------------------------- the run */

static int act(struct bench *bench, uint64_t i, struct dk_err *err)
{
    if (i % OPEN_EVERY == 0 || bench->ticket_count == 0) {
        return open_ticket(bench, err);
    }
    return write_message(bench, bench->ticket[i * 2654435761u % bench->ticket_count], err);
}

static int run(struct bench *bench, const struct options *options, struct dk_err *err)
{
    zmq_pollitem_t item[] = {{dk_client_socket(bench->client), 0, ZMQ_POLLIN, 0},
                             {bench->feed, 0, ZMQ_POLLIN, 0},
                             {bench->query, 0, ZMQ_POLLIN, 0}};
    uint64_t step_ns = (uint64_t)(1e9 / options->actions_s), start_ns = dk_bench_ns();
    uint64_t end_ns = start_ns + (uint64_t)((WARM_S + options->seconds) * 1e9), sent = 0;
    int rc = 0;
    bench->begin_ns = start_ns + (uint64_t)(WARM_S * 1e9);
    while (rc == 0 && dk_bench_ns() < end_ns && bench->ticket_count < TICKETS_MAX) {
        while (rc == 0 && start_ns + sent * step_ns <= dk_bench_ns()) {
            rc = act(bench, sent++, err);
        }
        (void)zmq_poll(item, 3, 1);
        read_replies(bench);
        read_feed(bench);
        read_answers(bench);
    }
    return rc;
}

static void report(const struct bench *bench, const struct options *options)
{
    struct dk_report report = {0};
    double routed_p99_ms = dk_latency_us(&bench->routed, 0.99) / 1000;
    double shown_p99_ms = dk_latency_us(&bench->shown, 0.99) / 1000;
    dk_report_add(&report, "actions_per_s", options->actions_s, "actions a second");
    dk_report_add(&report, "routed_count", (double)bench->routed.count, "tickets routed");
    dk_report_add(&report, "routed_p50_ms", dk_latency_us(&bench->routed, 0.5) / 1000,
                  "append -> routed event at a subscriber, median");
    dk_report_goal(&report, "routed_p99_ms", routed_p99_ms, GOAL_MS, 0, "the same, p99");
    dk_report_add(&report, "routed_p999_ms", dk_latency_us(&bench->routed, 0.999) / 1000,
                  "the same, p99.9");
    dk_report_add(&report, "shown_count", (double)bench->shown.count, "queries answered");
    dk_report_add(&report, "shown_p50_ms", dk_latency_us(&bench->shown, 0.5) / 1000,
                  "append -> counted by an analytics query, median");
    dk_report_goal(&report, "shown_p99_ms", shown_p99_ms, GOAL_MS, 0, "the same, p99");
    dk_report_end(&report);
}

static int measure(struct bench *bench, const char *folder, const struct options *options,
                   struct dk_err *err)
{
    dk_buf_init(&bench->record, 4096);
    dk_map_init(&bench->opening, sizeof(uint64_t), TICKETS_MAX);
    dk_map_init(&bench->tickets, sizeof(struct times), TICKETS_MAX);
    bench->ticket = calloc(TICKETS_MAX, sizeof *bench->ticket);
    bench->zmq = zmq_ctx_new();
    DK_ASSERT(bench->ticket != NULL && bench->zmq != NULL);
    int rc = start_site(bench, folder, err);
    rc = rc != 0 ? rc : connect_all(bench, err);
    rc = rc != 0 ? rc : run(bench, options, err);
    for (size_t i = 0; i < 2; i++) {
        dk_process_end(bench->node[i], SIGTERM);
    }
    dk_process_end(bench->site.pid, SIGTERM);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct option known[] = {{"rate", required_argument, NULL, 'r'},
                                          {"seconds", required_argument, NULL, 's'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    struct options options = {.actions_s = 1000, .seconds = 20};
    struct bench *bench = calloc(1, sizeof *bench);
    struct dk_err err = {0};
    char folder[512];
    int option;
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case 'r': options.actions_s = strtod(optarg, NULL); break;
        case 's': options.seconds = strtod(optarg, NULL); break;
        default:
            (void)puts("bench_latency [--rate ACTIONS_A_SECOND] [--seconds N]");
            return option == 'h' ? EXIT_SUCCESS : EXIT_FAILURE;
        }
    }
    DK_ASSERT(bench != NULL && options.actions_s > 0);
    int rc = dk_bench_folder(folder, sizeof folder, "/tmp", &err);
    rc = rc != 0 ? rc : measure(bench, folder, &options, &err);
    if (rc != 0) {
        (void)fprintf(stderr, "bench_latency: %s\n", err.message);
        return EXIT_FAILURE;
    }
    report(bench, &options);
    dk_bench_remove(folder);
    return EXIT_SUCCESS;
}
