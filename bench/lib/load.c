#include "bench/lib/load.h"
#include "bench/lib/workload.h"
#include "proto/event/varint.h"
#include "proto/event/wire.h"
#include "proto/peer/client.h"
#include "proto/peer/socket.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define CLIENTS_MAX     16
#define OUTSTANDING_MAX 4096 /* of one client; a power of two */
#define ANSWER_MS       10000
#define TAG_APPENDED    0x22 /* of a Reply's list of answers */

struct client {
    struct dk_client *broker; /* NULL: of an echo */
    void *socket;
    struct dk_workload *workload;
    uint64_t sent, answered;           /* requests */
    uint64_t sent_ns[OUTSTANDING_MAX]; /* by request id, which rise almost by one */
};

struct dk_load {
    struct dk_load_options options;
    void *zmq, *announce;
    struct client client[CLIENTS_MAX];
    struct dk_buf out;                                               /* a message to an echo */
    uint8_t records[DK_REQUEST_MAX_EVENTS * DK_WORKLOAD_RECORD_MAX]; /* of its last request */
    uint64_t head;                                                   /* announced last */
    struct dk_load_result *result;
    uint64_t counted; /* events answered while it counts */
    bool counting;
};

/* ---------------------------------------------------------------- out */

static int send_to_echo(struct dk_load *load, struct client *client, const struct dk_slice *event,
                        struct dk_err *err)
{
    dk_buf_clear(&load->out);
    int rc = dk_append_write(&load->out, client->sent, event, NULL, load->options.events, 0);
    DK_ASSERT(rc == 0);
    return zmq_send(client->socket, load->out.data, load->out.size, 0) >= 0
               ? 0
               : dk_err_set(err, DK_EIO, "cannot send: %s", zmq_strerror(errno));
}

static int send_request(struct dk_load *load, struct client *client, struct dk_err *err)
{
    struct dk_slice event[DK_REQUEST_MAX_EVENTS];
    uint8_t *at = load->records;
    dk_workload_begin(client->workload);
    for (unsigned i = 0; i < load->options.events; i++) {
        const uint8_t *record = dk_workload_next(client->workload, &event[i].size);
        event[i].data = at;
        at = (uint8_t *)memcpy(at, record, event[i].size) + event[i].size;
    }
    uint64_t id = client->sent, now = dk_bench_ns();
    int rc = client->broker != NULL ? dk_client_send_append(client->broker, event, NULL,
                                                            load->options.events, false, &id, err)
                                    : send_to_echo(load, client, event, err);
    client->sent_ns[id % OUTSTANDING_MAX] = now;
    client->sent++;
    return rc;
}

static int fill(struct dk_load *load, struct client *client, struct dk_err *err)
{
    int rc = 0;
    if (load->options.hold) {
        dk_client_hold(client->broker);
    }
    while (rc == 0 && client->sent - client->answered < load->options.outstanding) {
        rc = send_request(load, client, err);
    }
    return rc == 0 && load->options.hold ? dk_client_release(client->broker, err) : rc;
}

/* ---------------------------------------------------------------- in */

static void on_answer(struct dk_load *load, struct client *client, uint64_t request, uint64_t now)
{
    client->answered++;
    if (load->counting) {
        load->counted += load->options.events;
        dk_latency_add(&load->result->latency, now - client->sent_ns[request % OUTSTANDING_MAX]);
    }
}

/* One Appended: request, position, accepted, refusals, tickets opened. */
static int read_appended(struct dk_load *load, struct client *client, const uint8_t *at,
                         const uint8_t *end, uint64_t now)
{
    if (end - at < 23) {
        return DK_EINVAL;
    }
    uint64_t request = dk_fixed64_get(at + 1);
    uint32_t accepted = dk_fixed32_get(at + 19);
    load->result->refused += load->options.events - accepted;
    for (at += 23; accepted == load->options.events && end - at >= 9; at += 9) {
        dk_workload_opened(client->workload, dk_fixed64_get(at + 1));
    }
    on_answer(load, client, request, now);
    return 0;
}

/* A Reply of many Appended: 09 id, 22 length, then 0a length Appended, again and again. */
static int read_reply(struct dk_load *load, struct client *client, const uint8_t *at, size_t bytes,
                      uint64_t now)
{
    const uint8_t *end = at + bytes;
    uint64_t length;
    if (client->broker == NULL) {
        on_answer(load, client, dk_fixed64_get(at + 1), now);
        return 0;
    }
    if (bytes < 11 || at[9] != TAG_APPENDED) {
        return DK_EINVAL;
    }
    at += 10;
    int rc = dk_varint_get(&at, end, DK_VARINT32_MAX_BYTES, &length) ? 0 : DK_EINVAL;
    while (rc == 0 && at < end) {
        at++;
        if (!dk_varint_get(&at, end, DK_VARINT32_MAX_BYTES, &length) ||
            length > (size_t)(end - at)) {
            return DK_EINVAL;
        }
        rc = read_appended(load, client, at, at + length, now);
        at += length;
    }
    return rc;
}

static int receive(struct dk_load *load, struct client *client, struct dk_err *err)
{
    zmq_msg_t message;
    int rc = 0;
    (void)zmq_msg_init(&message);
    while (rc == 0 && zmq_msg_recv(&message, client->socket, ZMQ_DONTWAIT) >= 0) {
        rc =
            read_reply(load, client, zmq_msg_data(&message), zmq_msg_size(&message), dk_bench_ns());
    }
    (void)zmq_msg_close(&message);
    return rc == 0 ? 0 : dk_err_set(err, rc, "a reply is not what was expected");
}

/* An announcement begins with 09 and the last durable position: one of each commit. */
static void read_announcements(struct dk_load *load)
{
    uint8_t frame[256];
    while (zmq_recv(load->announce, frame, sizeof frame, ZMQ_DONTWAIT) >= 9) {
        uint64_t head = dk_fixed64_get(frame + 1);
        struct dk_load_result *result = load->result;
        if (load->counting && load->head != 0 && head > load->head && result->commit != NULL &&
            result->commit_count < DK_COMMITS_MAX) {
            result->commit[result->commit_count++] = (uint32_t)(head - load->head);
        }
        load->head = head;
    }
}

/* ---------------------------------------------------------------- run */

static bool is_idle(const struct dk_load *load)
{
    for (unsigned i = 0; i < load->options.clients; i++) {
        if (load->client[i].sent != load->client[i].answered) {
            return false;
        }
    }
    return true;
}

/* Waits for answers and takes them; sends anew while `sending`. */
static int turn(struct dk_load *load, bool sending, struct dk_err *err)
{
    zmq_pollitem_t item[CLIENTS_MAX + 1];
    unsigned clients = load->options.clients;
    for (unsigned i = 0; i < clients; i++) {
        item[i] = (zmq_pollitem_t){load->client[i].socket, 0, ZMQ_POLLIN, 0};
    }
    item[clients] = (zmq_pollitem_t){load->announce, 0, ZMQ_POLLIN, 0};
    int ready = zmq_poll(item, (int)clients + (load->announce != NULL), ANSWER_MS);
    if (ready <= 0) {
        return dk_err_set(err, DK_ETIMEOUT, "no answer for %d s", ANSWER_MS / 1000);
    }
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < clients; i++) {
        if ((item[i].revents & ZMQ_POLLIN) != 0) {
            rc = receive(load, &load->client[i], err);
        }
        if (rc == 0 && sending) {
            rc = fill(load, &load->client[i], err);
        }
    }
    if (load->announce != NULL) {
        read_announcements(load);
    }
    return rc;
}

int dk_load_run(struct dk_load *load, double warm_s, double seconds, struct dk_load_result *result,
                struct dk_err *err)
{
    uint64_t begin = dk_bench_ns();
    uint64_t from = begin + (uint64_t)(warm_s * 1e9);
    uint64_t until = from + (uint64_t)(seconds * 1e9);
    int rc = 0;
    load->result = result;
    load->counted = 0;
    dk_latency_clear(&result->latency);
    result->refused = 0;
    result->commit_count = 0;
    for (unsigned i = 0; rc == 0 && i < load->options.clients; i++) {
        rc = fill(load, &load->client[i], err);
    }
    uint64_t now = begin;
    while (rc == 0 && now < until) {
        if (!load->counting && now >= from) {
            load->counting = true;
            from = now;
        }
        rc = turn(load, true, err);
        now = dk_bench_ns();
    }
    load->counting = false;
    result->events_s = (double)load->counted * 1e9 / (double)(now - from);
    while (rc == 0 && !is_idle(load)) {
        rc = turn(load, false, err);
    }
    if (rc == 0 && result->refused != 0) {
        rc = dk_err_set(err, DK_EILLEGAL, "%llu events were refused",
                        (unsigned long long)result->refused);
    }
    return rc;
}

/* ---------------------------------------------------------------- life */

static int open_broker_client(struct dk_load *load, unsigned i, struct dk_err *err)
{
    struct client *client = &load->client[i];
    struct dk_session session;
    char name[32];
    (void)snprintf(name, sizeof name, "%s-%u", load->options.name, i);
    int rc = dk_client_open(&client->broker, load->zmq, load->options.config, "agent", err);
    rc = rc != 0 ? rc : dk_client_hello(client->broker, name, ANSWER_MS, &session, err);
    if (rc != 0) {
        return rc;
    }
    client->socket = dk_client_socket(client->broker);
    return dk_workload_new(&client->workload, session.producer, session.last_number, i, err);
}

static void *connect_plain(void *zmq, const char *endpoint, struct dk_err *err)
{
    void *socket = zmq_socket(zmq, ZMQ_DEALER);
    int linger = 0;
    if (socket == NULL || zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger) != 0 ||
        zmq_connect(socket, endpoint) != 0) {
        (void)dk_err_set(err, DK_EIO, "cannot connect to %s: %s", endpoint, zmq_strerror(errno));
    }
    return socket;
}

static int open_echo_client(struct dk_load *load, unsigned i, struct dk_err *err)
{
    struct client *client = &load->client[i];
    const struct dk_load_options *options = &load->options;
    client->socket = options->own == NULL
                         ? connect_plain(load->zmq, options->endpoint, err)
                         : dk_socket_connect(load->zmq, ZMQ_DEALER, options->endpoint, options->own,
                                             options->server_public, err);
    return client->socket == NULL ? DK_EIO : dk_workload_new(&client->workload, i + 1, 0, i, err);
}

int dk_load_new(struct dk_load **load, const struct dk_load_options *options, struct dk_err *err)
{
    struct dk_load *l = calloc(1, sizeof *l);
    DK_ASSERT(l != NULL && options->clients <= CLIENTS_MAX);
    DK_ASSERT(options->outstanding <= OUTSTANDING_MAX);
    l->options = *options;
    l->zmq = zmq_ctx_new();
    (void)zmq_ctx_set(l->zmq, ZMQ_IO_THREADS, 2);
    dk_buf_init(&l->out, DK_FRAME_MAX_BYTES);
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < options->clients; i++) {
        rc = options->config != NULL ? open_broker_client(l, i, err) : open_echo_client(l, i, err);
    }
    if (rc == 0 && options->config != NULL) {
        l->announce = dk_socket_connect(l->zmq, ZMQ_SUB, options->config->announce.at[0],
                                        options->own, options->server_public, err);
        rc = l->announce == NULL ? DK_EIO : 0;
    }
    *load = l;
    if (rc != 0) {
        dk_load_free(load);
    }
    return rc;
}

void dk_load_free(struct dk_load **load)
{
    struct dk_load *l = *load;
    if (l == NULL) {
        return;
    }
    for (unsigned i = 0; i < l->options.clients; i++) {
        if (l->client[i].broker != NULL) {
            dk_client_close(&l->client[i].broker);
        } else if (l->client[i].socket != NULL) {
            (void)zmq_close(l->client[i].socket);
        }
        dk_workload_free(&l->client[i].workload);
    }
    if (l->announce != NULL) {
        (void)zmq_close(l->announce);
    }
    (void)zmq_ctx_term(l->zmq);
    dk_buf_close(&l->out);
    free(l);
    *load = NULL;
}
