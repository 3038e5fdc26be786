#include "proto/peer/client.h"
#include "proto/base/buf.h"
#include "proto/base/time.h"
#include "proto/peer/socket.h"
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define RESEND_MS       2000 /* an append that got no answer is sent again, under the same id */
#define HELD_SOFT_BYTES (16 * 1024) /* appends held leave when they are so many */

struct dk_client {
    void *socket;
    void *monitor; /* of the socket's breaks; NULL: not watched */
    uint64_t next_id;
    struct dk_buf out;
    struct dk_arena arena;
    zmq_msg_t frame; /* the last one received */
    bool holding;    /* appends gather in `out`, a list that begins at `mark` */
    size_t held_count, mark;
};

int dk_client_open(struct dk_client **client, void *zmq, const struct dk_config *config,
                   const char *key_name, struct dk_err *err)
{
    struct dk_key own;
    char server[DK_Z85_BYTES];
    struct dk_client *c = NULL;
    int rc = dk_key_load(&own, config->keys, key_name, err);
    rc = rc != 0 ? rc : dk_key_public(server, config->keys, "broker", err);
    if (rc != 0) {
        return rc;
    }
    c = calloc(1, sizeof *c);
    DK_ASSERT(c != NULL);
    dk_buf_init(&c->out, DK_FRAME_MAX_BYTES);
    (void)zmq_msg_init(&c->frame);
    randombytes_buf(&c->next_id, sizeof c->next_id);
    rc = dk_arena_init(&c->arena, 4 * DK_UNPACK_MAX_BYTES);
    if (rc == 0) {
        c->socket = dk_socket_connect(zmq, ZMQ_DEALER, config->request.at[0], &own, server, err);
        rc = c->socket != NULL ? 0 : DK_EIO;
    }
    sodium_memzero(&own, sizeof own);
    *client = c;
    if (rc != 0) {
        dk_client_close(client);
    }
    return rc;
}

void dk_client_close(struct dk_client **client)
{
    struct dk_client *c = *client;
    if (c == NULL) {
        return;
    }
    if (c->monitor != NULL) {
        (void)zmq_close(c->monitor);
    }
    if (c->socket != NULL) {
        (void)zmq_close(c->socket);
    }
    (void)zmq_msg_close(&c->frame);
    dk_arena_close(&c->arena);
    dk_buf_close(&c->out);
    free(c);
    *client = NULL;
}

void *dk_client_socket(const struct dk_client *client)
{
    return client->socket;
}

int dk_client_watch(struct dk_client *client, void *zmq, struct dk_err *err)
{
    static const int no_linger = 0;
    char endpoint[64];
    (void)snprintf(endpoint, sizeof endpoint, "inproc://docket.client.%016" PRIx64,
                   client->next_id);
    client->monitor = zmq_socket(zmq, ZMQ_PAIR);
    if (client->monitor == NULL ||
        zmq_setsockopt(client->monitor, ZMQ_LINGER, &no_linger, sizeof no_linger) != 0 ||
        zmq_socket_monitor(client->socket, endpoint, ZMQ_EVENT_DISCONNECTED) != 0 ||
        zmq_connect(client->monitor, endpoint) != 0) {
        return dk_err_set(err, DK_EIO, "cannot watch the connection: %s", zmq_strerror(errno));
    }
    return 0;
}

bool dk_client_lost(struct dk_client *client)
{
    uint8_t frame[DK_ENDPOINT_BYTES]; /* of two: the event, and the endpoint */
    bool lost = false;
    while (client->monitor != NULL &&
           zmq_recv(client->monitor, frame, sizeof frame, ZMQ_DONTWAIT) >= 0) {
        lost = true;
    }
    return lost;
}

static int send_bytes(struct dk_client *client, const uint8_t *frame, size_t bytes,
                      struct dk_err *err)
{
    if (zmq_send(client->socket, frame, bytes, ZMQ_DONTWAIT) < 0) {
        return errno == EAGAIN ? dk_err_set(err, DK_EBUSY, "the queue to the broker is full")
                               : dk_err_set(err, DK_EIO, "cannot send: %s", zmq_strerror(errno));
    }
    return 0;
}

static int send_out(struct dk_client *client, struct dk_err *err)
{
    return send_bytes(client, client->out.data, client->out.size, err);
}

/* ---------------------------------------------------------------- appends that leave together */

void dk_client_hold(struct dk_client *client)
{
    client->holding = true;
}

static int send_held(struct dk_client *client, struct dk_err *err)
{
    size_t count = client->held_count;
    client->held_count = 0;
    if (count == 0) {
        return 0;
    }
    int rc = dk_append_list_end(&client->out, client->mark);
    DK_ASSERT(rc == 0);
    rc = send_out(client, err);
    dk_buf_clear(&client->out);
    return rc;
}

int dk_client_release(struct dk_client *client, struct dk_err *err)
{
    client->holding = false;
    return send_held(client, err);
}

/* One append: its events, or what they are encoded as. */
struct held {
    uint64_t id;
    const struct dk_slice *event; /* or NULL */
    const uint32_t *expected_version;
    size_t count;
    bool atomic;
    struct dk_slice encoded;
};

static int add_held(struct dk_client *client, const struct held *held)
{
    if (client->held_count == 0) {
        dk_buf_clear(&client->out);
        client->mark = dk_append_list_begin(&client->out, client->next_id++);
    }
    int rc = held->event != NULL
                 ? dk_append_list_add(&client->out, held->id, held->event, held->expected_version,
                                      held->count, held->atomic)
                 : dk_append_list_add_encoded(&client->out, held->id, held->encoded);
    client->held_count += rc == 0;
    return rc;
}

static int hold_append(struct dk_client *client, const struct held *held, struct dk_err *err)
{
    bool full = client->held_count == DK_REQUEST_MAX_EVENTS || client->out.size >= HELD_SOFT_BYTES;
    int rc = full ? send_held(client, err) : 0;
    if (rc != 0) {
        return rc;
    }
    rc = add_held(client, held);
    if (rc != 0 && client->held_count > 0) {
        rc = send_held(client, err);
        rc = rc != 0 ? rc : add_held(client, held);
    }
    return rc == 0 || rc == DK_EBUSY ? rc
                                     : dk_err_set(err, rc, "the events do not fit one request");
}

/* ---------------------------------------------------------------- requests, replies */

int dk_client_send(struct dk_client *client, Docket__Request *request, uint64_t *id,
                   struct dk_err *err)
{
    int rc = send_held(client, err);
    if (rc != 0) {
        return rc;
    }
    request->id = client->next_id++;
    request->protocol = DK_PROTOCOL;
    size_t size = docket__request__get_packed_size(request);
    dk_buf_clear(&client->out);
    uint8_t *at = dk_buf_extend(&client->out, size);
    if (at == NULL) {
        return dk_err_set(err, DK_ETOOBIG, "the request is too large");
    }
    (void)docket__request__pack(request, at);
    *id = request->id;
    return send_out(client, err);
}

int dk_client_send_append(struct dk_client *client, const struct dk_slice *event,
                          const uint32_t *expected_version, size_t count, bool atomic, uint64_t *id,
                          struct dk_err *err)
{
    *id = client->next_id++;
    if (client->holding) {
        const struct held held = {*id, event, expected_version, count, atomic, {NULL, 0}};
        return hold_append(client, &held, err);
    }
    dk_buf_clear(&client->out);
    int rc = dk_append_write(&client->out, *id, event, expected_version, count, atomic);
    return rc != 0 ? dk_err_set(err, rc, "%zu events do not fit one request", count)
                   : send_out(client, err);
}

int dk_client_send_frame(struct dk_client *client, const uint8_t *frame, size_t bytes,
                         struct dk_err *err)
{
    struct dk_request request;
    int rc = dk_request_read(frame, bytes, &request, err);
    if (rc == 0 && client->holding && request.op == DK_OP_APPEND) {
        return hold_append(client, &(struct held){.id = request.id, .encoded = request.body}, err);
    }
    rc = rc != 0 ? rc : send_held(client, err);
    return rc != 0 ? rc : send_bytes(client, frame, bytes, err);
}

int dk_client_receive(struct dk_client *client, int timeout_ms, const Docket__Reply **reply,
                      struct dk_slice *raw, struct dk_err *err)
{
    zmq_pollitem_t item = {client->socket, 0, ZMQ_POLLIN, 0};
    if (timeout_ms != 0 && zmq_poll(&item, 1, timeout_ms) < 0 && errno != EINTR) {
        return dk_err_set(err, DK_EIO, "cannot poll: %s", zmq_strerror(errno));
    }
    if (zmq_msg_recv(&client->frame, client->socket, ZMQ_DONTWAIT) < 0) {
        return dk_err_set(err, DK_ETIMEOUT, "the broker gave no answer within %d ms", timeout_ms);
    }
    const uint8_t *data = zmq_msg_data(&client->frame);
    size_t size = zmq_msg_size(&client->frame);
    if (raw != NULL) {
        *raw = (struct dk_slice){data, size};
    }
    dk_arena_reset(&client->arena);
    *reply = docket__reply__unpack(&client->arena.allocator, size, data);
    return *reply != NULL ? 0 : dk_err_set(err, DK_EINVAL, "the broker's reply does not unpack");
}

static int failure_error(const Docket__Failure *failure, struct dk_err *err)
{
    return dk_err_set(err, failure->code < 0 ? failure->code : DK_EINVAL, "%.*s",
                      (int)failure->sentence.len, (const char *)failure->sentence.data);
}

/* Waits for the reply with this id until `until_us` on the boot clock. */
static int await_reply(struct dk_client *client, uint64_t id, int64_t until_us,
                       const Docket__Reply **reply, struct dk_err *err)
{
    for (;;) {
        int64_t left_ms = (until_us - dk_clock_boot_us()) / 1000;
        int rc = dk_client_receive(client, left_ms > 0 ? (int)left_ms : 0, reply, NULL, err);
        if (rc == DK_ETIMEOUT && left_ms > 0) {
            continue;
        }
        if (rc != 0 || (*reply)->id == id) {
            return rc;
        }
    }
}

int dk_client_call(struct dk_client *client, Docket__Request *request, int timeout_ms,
                   const Docket__Reply **reply, struct dk_err *err)
{
    uint64_t id = 0;
    int rc = dk_client_send(client, request, &id, err);
    if (rc == 0) {
        rc = await_reply(client, id, dk_clock_boot_us() + (int64_t)timeout_ms * 1000, reply, err);
    }
    if (rc == DK_ETIMEOUT) {
        return dk_err_set(err, DK_ETIMEOUT,
                          "the broker gave no answer within %d ms: is it "
                          "running, and does it allow this key?",
                          timeout_ms);
    }
    if (rc == 0 && (*reply)->result_case == DOCKET__REPLY__RESULT_FAILURE) {
        return failure_error((*reply)->failure, err);
    }
    return rc;
}

int dk_client_head(struct dk_client *client, int timeout_ms, uint64_t *head, uint8_t log_uuid[16],
                   struct dk_err *err)
{
    Docket__Head ask = DOCKET__HEAD__INIT;
    Docket__Request request = DOCKET__REQUEST__INIT;
    const Docket__Reply *reply = NULL;
    request.op_case = DOCKET__REQUEST__OP_HEAD;
    request.head = &ask;
    int rc = dk_client_call(client, &request, timeout_ms, &reply, err);
    if (rc != 0) {
        return rc;
    }
    if (reply->result_case != DOCKET__REPLY__RESULT_HEAD || reply->head->log_uuid.len != 16) {
        return dk_err_set(err, DK_EINVAL, "the broker's answer to Head is malformed");
    }
    *head = reply->head->head;
    if (log_uuid != NULL) {
        memcpy(log_uuid, reply->head->log_uuid.data, 16);
    }
    return 0;
}

int dk_client_stats(struct dk_client *client, int timeout_ms, const Docket__StatsReply **stats,
                    struct dk_err *err)
{
    Docket__Stats ask = DOCKET__STATS__INIT;
    Docket__Request request = DOCKET__REQUEST__INIT;
    const Docket__Reply *reply = NULL;
    request.op_case = DOCKET__REQUEST__OP_STATS;
    request.stats = &ask;
    int rc = dk_client_call(client, &request, timeout_ms, &reply, err);
    if (rc == 0 && reply->result_case != DOCKET__REPLY__RESULT_STATS) {
        rc = dk_err_set(err, DK_EINVAL, "the broker's answer to Stats is malformed");
    }
    *stats = rc == 0 ? reply->stats : NULL;
    return rc;
}

int dk_client_hello(struct dk_client *client, const char *name, int timeout_ms,
                    struct dk_session *session, struct dk_err *err)
{
    Docket__Hello hello = DOCKET__HELLO__INIT;
    Docket__Request request = DOCKET__REQUEST__INIT;
    const Docket__Reply *reply = NULL;
    hello.name = (ProtobufCBinaryData){strlen(name), (uint8_t *)(uintptr_t)name};
    request.op_case = DOCKET__REQUEST__OP_HELLO;
    request.hello = &hello;
    int rc = dk_client_call(client, &request, timeout_ms, &reply, err);
    if (rc != 0) {
        return rc;
    }
    const Docket__HelloReply *r = reply->hello;
    if (reply->result_case != DOCKET__REPLY__RESULT_HELLO || r->log_uuid.len != 16 ||
        (r->salt.len != 0 && r->salt.len != DK_SALT_BYTES)) {
        return dk_err_set(err, DK_EINVAL, "the broker's answer to Hello is malformed");
    }
    memset(session, 0, sizeof *session);
    session->producer = r->producer;
    session->last_number = r->last_number;
    session->actor = r->actor;
    session->head = r->head;
    session->now_us = r->now_us;
    session->role = r->role;
    session->site = r->site;
    memcpy(session->log_uuid, r->log_uuid.data, sizeof session->log_uuid);
    if (r->salt.len > 0) {
        memcpy(session->salt, r->salt.data, sizeof session->salt);
    }
    return 0;
}

int dk_refusal_error(const Docket__Refusal *refusal, struct dk_err *err)
{
    char field[DK_ERR_FIELD_BYTES] = "";
    if (refusal->has_field) {
        (void)snprintf(field, sizeof field, "%.*s", (int)refusal->field.len,
                       (const char *)refusal->field.data);
    }
    return dk_err_field(err, refusal->code < 0 ? refusal->code : DK_EINVAL, field, "%.*s",
                        (int)refusal->sentence.len, (const char *)refusal->sentence.data);
}

static void stamp_one_shot(struct dk_slice *event, size_t count)
{
    uint64_t id[2];
    randombytes_buf(id, sizeof id);
    for (size_t i = 0; i < count; i++) {
        uint8_t *record = (uint8_t *)(uintptr_t)event[i].data;
        dk_stamp_producer(record, id[0]);
        dk_stamp_producer_number(record, id[1]);
        dk_stamp_flags(record, DOCKET__EVENT_FLAG__FLAG_ONE_SHOT);
    }
}

/* The Appended for request `id` in a reply, or NULL. */
static const Docket__Appended *find_appended(const Docket__Reply *reply, uint64_t id)
{
    if (reply->result_case != DOCKET__REPLY__RESULT_APPENDED) {
        return NULL;
    }
    for (size_t i = 0; i < reply->appended->n_appended; i++) {
        if (reply->appended->appended[i]->request == id) {
            return reply->appended->appended[i];
        }
    }
    return NULL;
}

static int take_result(const Docket__Appended *appended, struct dk_append_result *result,
                       struct dk_err *err)
{
    memset(result, 0, sizeof *result);
    result->position = appended->position;
    result->accepted = appended->accepted;
    for (size_t i = 0; i < appended->n_opened && i < 16; i++) {
        result->opened[result->opened_count++] = appended->opened[i];
    }
    return appended->n_refused == 0 ? 0 : dk_refusal_error(appended->refused[0], err);
}

/* Waits for the answer to append `id` until `until_us`. 1 when it came. */
static int await_appended(struct dk_client *client, uint64_t id, int64_t until_us,
                          struct dk_append_result *result, int *rc, struct dk_err *err)
{
    int64_t left_us;
    while ((left_us = until_us - dk_clock_boot_us()) > 0) {
        const Docket__Reply *reply = NULL;
        *rc = dk_client_receive(client, (int)(left_us / 1000) + 1, &reply, NULL, err);
        if (*rc == DK_ETIMEOUT) {
            continue;
        }
        if (*rc != 0) {
            return 1;
        }
        const Docket__Appended *appended = find_appended(reply, id);
        if (appended != NULL) {
            *rc = take_result(appended, result, err);
            return 1;
        }
        if (reply->id == id && reply->result_case == DOCKET__REPLY__RESULT_FAILURE) {
            *rc = failure_error(reply->failure, err);
            return 1;
        }
    }
    return 0;
}

int dk_client_append_once(struct dk_client *client, struct dk_slice *event,
                          const uint32_t *expected_version, size_t count, bool atomic,
                          int timeout_ms, struct dk_append_result *result, struct dk_err *err)
{
    int64_t until_us = dk_clock_boot_us() + (int64_t)timeout_ms * 1000;
    stamp_one_shot(event, count);
    while (dk_clock_boot_us() < until_us) {
        uint64_t id = 0;
        int rc = dk_client_send_append(client, event, expected_version, count, atomic, &id, err);
        if (rc != 0 && rc != DK_EBUSY) {
            return rc;
        }
        int64_t wait_us = dk_clock_boot_us() + RESEND_MS * 1000;
        if (await_appended(client, id, wait_us < until_us ? wait_us : until_us, result, &rc, err)) {
            return rc;
        }
    }
    return dk_err_set(err, DK_ETIMEOUT,
                      "the broker gave no answer within %d ms; it is not known "
                      "whether the action was accepted",
                      timeout_ms);
}
