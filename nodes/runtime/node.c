#include "nodes/runtime/node.h"
#include "nodes/runtime/checkpoint.h"
#include "nodes/runtime/flight.h"
#include "nodes/runtime/queries.h"
#include "proto/base/say.h"
#include "proto/base/time.h"
#include "proto/peer/ev_zmq.h"
#include "proto/peer/socket.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define HELLO_AGAIN_US    1000000
#define UNANSWERED_US     5000000 /* then the connection is taken for lost */
#define REPLIES_PER_TURN  256
#define CONSIDER_PER_TURN 512

struct dk_node {
    const struct dk_config *config;
    const struct dk_role_ops *ops;
    struct ev_loop *loop;
    struct dk_folder *folder;
    struct dk_checkpoint *checkpoint;
    struct dk_source *source;
    struct dk_client *client;
    struct dk_flight *flight;
    struct dk_queries *queries;
    void *announce;
    struct dk_ev_zmq announce_watcher, client_watcher;
    struct ev_timer beat, due, checkpoint_timer;
    struct ev_idle work;

    uint64_t head;      /* the latest known */
    uint64_t live_from; /* no decision before this is folded; UINT64_MAX: not known yet */
    uint64_t hello_id;
    int64_t hello_boot_us;
    uint64_t producer, next_number;
    bool in_session;
    bool said_live;

    int64_t broker_now_us, heard_boot_us;
    struct dk_records records; /* read and not all folded */
    size_t folded;             /* of them */
    struct dk_intents intents;
    void (*on_turn)(void *arg);
    void *turn_arg;
};

int64_t dk_node_now_us(const struct dk_node *node)
{
    return node->broker_now_us + (dk_clock_boot_us() - node->heard_boot_us);
}

bool dk_node_live(const struct dk_node *node)
{
    return node->in_session && dk_folder_position(node->folder) >= node->live_from;
}

struct dk_folder *dk_node_folder(const struct dk_node *node)
{
    return node->folder;
}

void dk_node_on_turn(struct dk_node *node, void (*on_turn)(void *arg), void *arg)
{
    node->on_turn = on_turn;
    node->turn_arg = arg;
}

static void wake(struct dk_node *node)
{
    ev_idle_start(node->loop, &node->work);
}

static void heard_time(struct dk_node *node, int64_t now_us)
{
    node->broker_now_us = now_us;
    node->heard_boot_us = dk_clock_boot_us();
}

static void heard_head(struct dk_node *node, uint64_t head)
{
    node->head = head > node->head ? head : node->head;
    wake(node);
}

/* ---------------------------------------------------------------- session */

static void say_hello(struct dk_node *node)
{
    Docket__Hello hello = DOCKET__HELLO__INIT;
    Docket__Request request = DOCKET__REQUEST__INIT;
    hello.name =
        (ProtobufCBinaryData){strlen(node->ops->name), (uint8_t *)(uintptr_t)node->ops->name};
    request.op_case = DOCKET__REQUEST__OP_HELLO;
    request.hello = &hello;
    node->hello_boot_us = dk_clock_boot_us();
    (void)dk_client_send(node->client, &request, &node->hello_id, NULL);
}

/* The session is lost, and with it the outcome of what was in flight: as after a restart, nothing
 * is decided before a head fetched from now on is folded. */
static void lose_session(struct dk_node *node, const char *why)
{
    uint64_t item;
    if (node->in_session) {
        dk_say(DK_WARN, "session-lost", "reason=\"%s\"", why);
    }
    node->in_session = false;
    node->said_live = false;
    node->live_from = UINT64_MAX;
    while (dk_flight_drop(node->flight, &item)) {
        dk_folder_touch(node->folder, item, 0);
    }
    say_hello(node);
}

static void on_hello_reply(struct dk_node *node, const Docket__HelloReply *reply)
{
    node->in_session = true;
    node->producer = reply->producer;
    node->next_number = reply->last_number + 1;
    node->live_from = reply->head;
    heard_time(node, reply->now_us);
    heard_head(node, reply->head);
}

static void on_appended(struct dk_node *node, const Docket__Appended *appended)
{
    uint64_t item;
    int64_t pause_us;
    if (appended->n_refused == 0) {
        uint64_t last = appended->position + appended->accepted - 1;
        /* Position 0: accepted before, and not known any more where: the head holds it. */
        (void)dk_flight_accepted(node->flight, appended->request,
                                 appended->position != 0 ? last : node->head);
        heard_head(node, appended->position != 0 ? last : node->head);
        return;
    }
    const Docket__Refusal *refusal = appended->refused[0];
    if (refusal->code == DK_EHELLO || refusal->code == DK_EFENCED || refusal->code == DK_EORDER) {
        lose_session(node, refusal->code == DK_EFENCED ? "another node of this role took over"
                                                       : "the broker does not know the session");
        return;
    }
    if (refusal->code != DK_ESTALE) {
        dk_say(DK_WARN, "decision-refused", "code=%.*s reason=\"%.*s\"", (int)refusal->name.len,
               (const char *)refusal->name.data, (int)refusal->sentence.len,
               (const char *)refusal->sentence.data);
    }
    if (dk_flight_refused(node->flight, appended->request, &item, &pause_us)) {
        dk_folder_touch(node->folder, item, dk_node_now_us(node) + pause_us);
        wake(node);
    }
}

static void on_reply(struct dk_node *node, const Docket__Reply *reply)
{
    switch (reply->result_case) {
    case DOCKET__REPLY__RESULT_HELLO:
        if (reply->id == node->hello_id) {
            on_hello_reply(node, reply->hello);
        }
        break;
    case DOCKET__REPLY__RESULT_APPENDED:
        for (size_t i = 0; i < reply->appended->n_appended; i++) {
            on_appended(node, reply->appended->appended[i]);
        }
        break;
    case DOCKET__REPLY__RESULT_FAILURE:
        dk_say(DK_WARN, "request-failed", "reason=\"%.*s\"", (int)reply->failure->sentence.len,
               (const char *)reply->failure->sentence.data);
        break;
    default: break;
    }
}

static void on_client_readable(void *arg)
{
    struct dk_node *node = arg;
    const Docket__Reply *reply = NULL;
    for (int i = 0; i < REPLIES_PER_TURN; i++) {
        if (dk_client_receive(node->client, 0, &reply, NULL, NULL) != 0) {
            break;
        }
        on_reply(node, reply);
    }
    wake(node);
}

static void on_announce_readable(void *arg)
{
    struct dk_node *node = arg;
    zmq_msg_t frame;
    (void)zmq_msg_init(&frame);
    while (zmq_msg_recv(&frame, node->announce, ZMQ_DONTWAIT) >= 0) {
        Docket__Announce *announce =
            docket__announce__unpack(NULL, zmq_msg_size(&frame), zmq_msg_data(&frame));
        if (announce != NULL) {
            heard_time(node, announce->now_us);
            heard_head(node, announce->head);
            docket__announce__free_unpacked(announce, NULL);
        }
    }
    (void)zmq_msg_close(&frame);
}

/* ---------------------------------------------------------------- folding */

static void die(const struct dk_node *node, const struct dk_err *err)
{
    dk_say(DK_ERROR, "cannot-fold", "error=\"%s\" position=%" PRIu64 " effect=\"the node ends\"",
           err->message, dk_folder_position(node->folder));
    exit(EXIT_FAILURE);
}

/* Folds at most a turn's worth; whether there is more. */
static bool fold_some(struct dk_node *node)
{
    struct dk_err err = {0};
    size_t left = DK_NODE_FOLD_PER_TURN;
    while (left > 0 && dk_folder_position(node->folder) < node->head) {
        if (node->folded == node->records.batch.count) {
            int rc = dk_source_read(node->source, dk_folder_position(node->folder) + 1,
                                    &node->records, &err);
            node->folded = 0;
            if (rc == DK_ECORRUPT) {
                die(node, &err);
            }
            if (rc != 0 || node->records.batch.count == 0) {
                node->records.batch.count = 0;
                return false; /* not readable now: the next announcement tries again */
            }
        }
        size_t bytes;
        const uint8_t *record = dk_batch_record(&node->records.batch, node->folded++, &bytes);
        if (dk_folder_apply(node->folder, record, bytes, &err) != 0) {
            die(node, &err);
        }
        left--;
    }
    return dk_folder_position(node->folder) < node->head;
}

/* ---------------------------------------------------------------- deciding */

bool dk_node_append(struct dk_node *node, uint64_t item, const struct dk_intents *intents)
{
    struct dk_slice event[DK_INTENTS_MAX];
    uint64_t request = 0;
    if (!dk_node_live(node) || dk_flight_has(node->flight, item) ||
        dk_flight_events(node->flight) + intents->count > DK_NODE_IN_FLIGHT) {
        return false;
    }
    for (size_t i = 0; i < intents->count; i++) {
        event[i] = dk_intents_event(intents, i);
        uint8_t *record = (uint8_t *)(uintptr_t)event[i].data;
        dk_stamp_producer(record, node->producer);
        dk_stamp_producer_number(record, node->next_number + i);
    }
    if (dk_client_send_append(node->client, event, NULL, intents->count, false, &request, NULL) !=
        0) {
        return false;
    }
    node->next_number += intents->count;
    dk_flight_sent(node->flight, request, item, intents->count, dk_clock_boot_us());
    return true;
}

/* Considers what is touched or due; whether there is more that could be considered now. */
static bool decide_some(struct dk_node *node)
{
    uint64_t item;
    int64_t now_us = dk_node_now_us(node);
    while (dk_flight_landed(node->flight, dk_folder_position(node->folder), &item)) {
        dk_folder_touch(node->folder, item, 0);
    }
    for (int i = 0; i < CONSIDER_PER_TURN; i++) {
        if (dk_flight_events(node->flight) + DK_INTENTS_MAX > DK_NODE_IN_FLIGHT ||
            !dk_folder_next_item(node->folder, now_us, &item)) {
            return false;
        }
        if (dk_flight_has(node->flight, item)) {
            continue; /* touched again when it has landed */
        }
        dk_folder_consider(node->folder, item, now_us, &node->intents);
        if (node->intents.count > 0 && !dk_node_append(node, item, &node->intents)) {
            dk_folder_touch(node->folder, item, 0);
            return false;
        }
    }
    return true;
}

static void schedule_due(struct dk_node *node)
{
    int64_t due_us = dk_folder_next_due_us(node->folder);
    ev_timer_stop(node->loop, &node->due);
    if (due_us != INT64_MAX && due_us != INT64_MIN) {
        double in_s = (double)(due_us - dk_node_now_us(node)) / 1e6;
        in_s = in_s < 0.0005 ? 0.0005 : in_s > 60 ? 60 : in_s;
        ev_timer_set(&node->due, in_s, 0.);
        ev_timer_start(node->loop, &node->due);
    }
}

static void on_work(struct ev_loop *loop, struct ev_idle *idle, int revents)
{
    struct dk_node *node = idle->data;
    (void)revents;
    bool more = fold_some(node);
    if (!more && dk_node_live(node)) {
        if (!node->said_live) {
            node->said_live = true;
            dk_say(DK_INFO, "live", "position=%" PRIu64, dk_folder_position(node->folder));
        }
        more = decide_some(node);
        if (node->on_turn != NULL) {
            node->on_turn(node->turn_arg);
        }
        schedule_due(node);
    }
    dk_queries_turn(node->queries);
    if (!more) {
        ev_idle_stop(loop, idle);
    }
}

/* ---------------------------------------------------------------- timers */

static void on_due(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
    (void)loop;
    (void)revents;
    wake(timer->data);
}

static void send_heartbeat(struct dk_node *node)
{
    Docket__Heartbeat beat = DOCKET__HEARTBEAT__INIT;
    Docket__Request request = DOCKET__REQUEST__INIT;
    char endpoint[DK_ENDPOINT_BYTES];
    const char *health = dk_node_live(node) ? "ok"
                         : node->in_session ? "catching up"
                                            : "no session";
    uint64_t id;
    dk_config_query_endpoint(node->config, node->ops->name, endpoint);
    beat.role =
        (ProtobufCBinaryData){strlen(node->ops->name), (uint8_t *)(uintptr_t)node->ops->name};
    beat.position = dk_folder_position(node->folder);
    beat.state_hash = dk_folder_hash(node->folder);
    beat.fold_version = node->ops->fold_version;
    beat.pending_intents = (uint32_t)dk_flight_events(node->flight);
    beat.has_query_endpoint = 1;
    beat.query_endpoint = (ProtobufCBinaryData){strlen(endpoint), (uint8_t *)endpoint};
    beat.has_health = 1;
    beat.health = (ProtobufCBinaryData){strlen(health), (uint8_t *)(uintptr_t)health};
    request.op_case = DOCKET__REQUEST__OP_HEARTBEAT;
    request.heartbeat = &beat;
    (void)dk_client_send(node->client, &request, &id, NULL);
}

static void on_beat(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
    struct dk_node *node = timer->data;
    int64_t boot_us = dk_clock_boot_us();
    (void)loop;
    (void)revents;
    if (!node->in_session && boot_us - node->hello_boot_us > HELLO_AGAIN_US) {
        say_hello(node);
    } else if (dk_flight_oldest_us(node->flight, boot_us) > UNANSWERED_US) {
        lose_session(node, "the broker does not answer");
    }
    send_heartbeat(node);
    wake(node);
}

static void write_checkpoint(struct dk_node *node)
{
    struct dk_err err = {0};
    if (dk_checkpoint_write(node->checkpoint, node->folder, &err) != 0) {
        dk_say(DK_WARN, "checkpoint-not-written", "error=\"%s\"", err.message);
    }
}

static void on_checkpoint(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
    (void)loop;
    (void)revents;
    write_checkpoint(timer->data);
}

/* ---------------------------------------------------------------- life */

static int open_state(struct dk_node *node, struct dk_err *err)
{
    uint8_t uuid[16];
    int rc = dk_source_uuid(node->source, uuid, err);
    rc = rc != 0 ? rc
                 : dk_checkpoint_open(&node->checkpoint, node->config->state, node->ops, uuid, err);
    rc = rc != 0 ? rc : dk_folder_new(&node->folder, node->ops, err);
    rc = rc != 0 ? rc : dk_checkpoint_restore(node->checkpoint, &node->folder, node->source, err);
    if (rc == 0) {
        dk_say(DK_INFO, "restored", "position=%" PRIu64, dk_folder_position(node->folder));
    }
    return rc;
}

static int open_sockets(struct dk_node *node, void *zmq, const char *key_name, struct dk_err *err)
{
    struct dk_key own;
    char server[DK_Z85_BYTES];
    int rc = dk_key_load(&own, node->config->keys, key_name, err);
    rc = rc != 0 ? rc : dk_key_public(server, node->config->keys, "broker", err);
    rc = rc != 0 ? rc : dk_client_open(&node->client, zmq, node->config, key_name, err);
    if (rc != 0) {
        return rc;
    }
    node->announce =
        dk_socket_connect(zmq, ZMQ_SUB, node->config->announce.at[0], &own, server, err);
    return node->announce == NULL
               ? DK_EIO
               : dk_queries_start(&node->queries, node->loop, zmq, node->config, node->folder, err);
}

static void start_watchers(struct dk_node *node)
{
    dk_ev_zmq_start(node->loop, &node->announce_watcher, node->announce, on_announce_readable,
                    node);
    dk_ev_zmq_start(node->loop, &node->client_watcher, dk_client_socket(node->client),
                    on_client_readable, node);
    ev_idle_init(&node->work, on_work);
    ev_timer_init(&node->due, on_due, 0., 0.);
    ev_timer_init(&node->beat, on_beat, DK_NODE_BEAT_S, DK_NODE_BEAT_S);
    ev_timer_init(&node->checkpoint_timer, on_checkpoint, DK_NODE_CHECKPOINT_S,
                  DK_NODE_CHECKPOINT_S);
    node->work.data = node->due.data = node->beat.data = node->checkpoint_timer.data = node;
    ev_timer_start(node->loop, &node->beat);
    ev_timer_start(node->loop, &node->checkpoint_timer);
    wake(node);
}

int dk_node_new(struct dk_node **node, struct ev_loop *loop, void *zmq,
                const struct dk_config *config, const struct dk_role_ops *ops,
                const struct dk_node_options *options, struct dk_err *err)
{
    struct dk_node *n = calloc(1, sizeof *n);
    const char *key_name = options->key_name != NULL ? options->key_name : ops->name;
    DK_ASSERT(n != NULL);
    n->config = config;
    n->ops = ops;
    n->loop = loop;
    n->live_from = UINT64_MAX;
    n->flight = dk_flight_new();
    dk_records_init(&n->records);
    dk_intents_init(&n->intents, ops->role, ops->rule_version);
    heard_time(n, dk_clock_wall_us());
    *node = n;
    int rc = dk_source_open(&n->source, options->source, zmq, config, key_name, err);
    rc = rc != 0 ? rc : open_state(n, err);
    rc = rc != 0 ? rc : open_sockets(n, zmq, key_name, err);
    if (rc != 0) {
        dk_node_free(node);
        return rc;
    }
    start_watchers(n);
    say_hello(n);
    return 0;
}

void dk_node_free(struct dk_node **node)
{
    struct dk_node *n = *node;
    if (n == NULL) {
        return;
    }
    if (n->client_watcher.socket != NULL) {
        dk_ev_zmq_stop(n->loop, &n->client_watcher);
        dk_ev_zmq_stop(n->loop, &n->announce_watcher);
        ev_timer_stop(n->loop, &n->beat);
        ev_timer_stop(n->loop, &n->due);
        ev_timer_stop(n->loop, &n->checkpoint_timer);
        ev_idle_stop(n->loop, &n->work);
        write_checkpoint(n);
    }
    dk_queries_stop(&n->queries);
    dk_client_close(&n->client);
    if (n->announce != NULL) {
        (void)zmq_close(n->announce);
    }
    dk_checkpoint_close(&n->checkpoint);
    dk_folder_free(&n->folder);
    dk_source_close(&n->source);
    dk_flight_free(&n->flight);
    dk_records_close(&n->records);
    dk_intents_close(&n->intents);
    free(n);
    *node = NULL;
}
