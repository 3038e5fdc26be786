#include "nodes/runtime/node.h"
#include "broker/log/damage.h"
#include "nodes/runtime/checkpoint.h"
#include "nodes/runtime/decider.h"
#include "nodes/runtime/queries.h"
#include "proto/base/say.h"
#include "proto/base/time.h"
#include "proto/peer/ev_zmq.h"
#include "proto/peer/socket.h"
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define MESSAGES_PER_TURN 256
#define CONSIDER_PER_TURN 512
#define SLEEP_AT_MOST_S   60.

struct dk_node {
    const struct dk_config *config;
    const struct dk_role_ops *ops;
    struct ev_loop *loop;
    struct dk_folder *folder;
    struct dk_decider *decider;
    struct dk_checkpoint *checkpoint;
    struct dk_source *source;
    struct dk_client *client;
    struct dk_queries *queries;
    void *announce;
    struct dk_ev_zmq announce_watcher, client_watcher;
    struct ev_timer beat, due, checkpoint_timer;
    struct ev_idle work;
    char query_endpoint[DK_ENDPOINT_BYTES];
    uint8_t log_uuid[16];
    struct dk_records records; /* read and not all folded */
    size_t folded;             /* of them */
    bool unread;               /* the log could not be read the last time */
    bool unwritten;            /* the last checkpoint could not be written */
    void (*on_turn)(void *arg);
    void *turn_arg;
};

int64_t dk_node_now_us(const struct dk_node *node)
{
    return dk_decider_now_us(node->decider, dk_clock_boot_us());
}

bool dk_node_live(const struct dk_node *node)
{
    return dk_decider_live(node->decider);
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

bool dk_node_append(struct dk_node *node, uint64_t item, const struct dk_intents *intents)
{
    return dk_decider_append(node->decider, item, intents, dk_clock_boot_us());
}

static void wake(struct dk_node *node)
{
    ev_idle_start(node->loop, &node->work);
}

/* ---------------------------------------------------------------- in and out */

static bool send_frame(void *arg, const uint8_t *frame, size_t bytes)
{
    struct dk_node *node = arg;
    return dk_client_send_frame(node->client, frame, bytes, NULL) == 0;
}

/* Another log under the broker, or this one set back: the next start finds out what of the state
 * can be kept. */
static void end_astray(const char *why)
{
    dk_say(DK_ERROR, "another-log", "reason=\"%s\" effect=\"the node ends\"", why);
    exit(EXIT_FAILURE);
}

static void on_client_readable(void *arg)
{
    struct dk_node *node = arg;
    const Docket__Reply *reply = NULL;
    for (int i = 0; i < MESSAGES_PER_TURN; i++) {
        if (dk_client_receive(node->client, 0, &reply, NULL, NULL) != 0) {
            break;
        }
        if (dk_decider_reply(node->decider, reply, dk_clock_boot_us()) != 0) {
            end_astray("the broker's log ends before what is folded");
        }
    }
    wake(node);
}

static void heard_announce(struct dk_node *node, const Docket__Announce *announce)
{
    if (announce->log_uuid.len != sizeof node->log_uuid ||
        memcmp(announce->log_uuid.data, node->log_uuid, sizeof node->log_uuid) != 0) {
        end_astray("the broker announces a log of another uuid");
    }
    dk_decider_announce(node->decider, announce->head, announce->now_us, dk_clock_boot_us());
}

static void on_announce_readable(void *arg)
{
    struct dk_node *node = arg;
    zmq_msg_t frame;
    (void)zmq_msg_init(&frame);
    for (int i = 0;
         i < MESSAGES_PER_TURN && zmq_msg_recv(&frame, node->announce, ZMQ_DONTWAIT) >= 0; i++) {
        Docket__Announce *announce =
            docket__announce__unpack(NULL, zmq_msg_size(&frame), zmq_msg_data(&frame));
        if (announce != NULL) {
            heard_announce(node, announce);
            docket__announce__free_unpacked(announce, NULL);
        }
    }
    (void)zmq_msg_close(&frame);
    wake(node);
}

/* ---------------------------------------------------------------- checkpoints */

static void write_checkpoint(struct dk_node *node)
{
    struct dk_err err = {0};
    if (dk_checkpoint_write(node->checkpoint, node->folder, &err) != 0) {
        dk_say(DK_WARN, "checkpoint-not-written",
               "error=\"%s\" effect=\"the next start folds more of the log\"", err.message);
        node->unwritten = true;
    } else if (node->unwritten) {
        dk_say(DK_INFO, "checkpoint-written-again", "position=%" PRIu64,
               dk_folder_position(node->folder));
        node->unwritten = false;
    }
}

static void on_checkpoint(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
    (void)loop;
    (void)revents;
    write_checkpoint(timer->data);
}

/* While the disk takes none, the timer's attempts are enough. */
static void keep_checkpoint_small(struct dk_node *node)
{
    struct dk_table *table[DK_FOLDER_TABLES_MAX];
    size_t count = dk_folder_tables(node->folder, table, DK_FOLDER_TABLES_MAX), changed = 0;
    for (size_t i = 0; i < count; i++) {
        changed += dk_table_dirty_count(table[i]);
    }
    size_t most = dk_decider_live(node->decider) ? DK_NODE_CHECKPOINT_ENTRIES
                                                 : DK_NODE_CATCHUP_CHECKPOINT_ENTRIES;
    if (changed >= most && !node->unwritten) {
        write_checkpoint(node);
    }
}

/* ---------------------------------------------------------------- work */

static void die(const struct dk_node *node, const struct dk_err *err)
{
    dk_say(DK_ERROR, "cannot-fold", "error=\"%s\" position=%" PRIu64 " effect=\"the node ends\"",
           err->message, dk_folder_position(node->folder));
    if (dk_damage_is(err)) {
        dk_damage_advise(node->config->log);
        exit(DK_DAMAGE_EXIT);
    }
    exit(EXIT_FAILURE);
}

/* The first record that was read is the last one folded, or another log's at its position: one that
 * was set back under the broker and went on otherwise. */
static void check_folded(struct dk_node *node)
{
    struct dk_err err = {0};
    size_t bytes;
    const uint8_t *record = dk_batch_record(&node->records.batch, 0, &bytes);
    if (dk_event_verify(record, bytes, &err) != 0) {
        die(node, &err);
    }
    if ((int64_t)dk_event_load_recorded_us(record) != dk_folder_world(node->folder)->recorded_us) {
        end_astray("the broker's log goes on otherwise than what is folded");
    }
}

/* A log that cannot be read now is no reason to end: a broker that starts again, too many readers.
 * It is said once. */
static void say_unread(struct dk_node *node, const struct dk_err *err)
{
    if (err->code != 0 && !node->unread) {
        dk_say(DK_WARN, "log-not-read", "error=\"%s\" position=%" PRIu64 " effect=\"tries again\"",
               err->message, dk_folder_position(node->folder));
    }
    node->unread = err->code != 0;
}

/* Reads what comes next when all that was read is folded, and the record before it. false: nothing
 * is readable now, and the next announcement tries again. */
static bool read_on(struct dk_node *node, uint64_t from)
{
    struct dk_err err = {0};
    if (node->folded < node->records.batch.count) {
        return true;
    }
    node->folded = 0;
    int rc = dk_source_read(node->source, from > 1 ? from - 1 : from, &node->records, &err);
    if (rc == DK_ECORRUPT) {
        die(node, &err);
    }
    say_unread(node, &err);
    if (rc != 0) {
        node->records.batch.count = 0;
    }
    if (from > 1 && node->records.batch.count > 0) {
        check_folded(node);
        node->folded = 1;
    }
    return node->records.batch.count > node->folded;
}

/* Folds at most a turn's worth; whether there is more. */
static bool fold_some(struct dk_node *node)
{
    struct dk_err err = {0};
    uint64_t from;
    for (int i = 0; i < DK_NODE_FOLD_PER_TURN && dk_decider_wants(node->decider, &from); i++) {
        size_t bytes;
        if (!read_on(node, from)) {
            return false;
        }
        const uint8_t *record = dk_batch_record(&node->records.batch, node->folded++, &bytes);
        if (dk_decider_fold(node->decider, record, bytes, &err) != 0) {
            die(node, &err);
        }
    }
    return dk_decider_wants(node->decider, &from);
}

static void sleep_until_due(struct dk_node *node)
{
    int64_t boot_us = dk_clock_boot_us();
    int64_t due_us = dk_decider_next_us(node->decider, boot_us);
    ev_timer_stop(node->loop, &node->due);
    if (due_us != INT64_MAX) {
        double in_s = (double)(due_us - boot_us) / 1e6;
        in_s = in_s < 0.0005 ? 0.0005 : in_s > SLEEP_AT_MOST_S ? SLEEP_AT_MOST_S : in_s;
        ev_timer_set(&node->due, in_s, 0.);
        ev_timer_start(node->loop, &node->due);
    }
}

static void on_work(struct ev_loop *loop, struct ev_idle *idle, int revents)
{
    struct dk_node *node = idle->data;
    (void)revents;
    bool more = fold_some(node);
    dk_client_hold(node->client); /* what is decided in one turn leaves together */
    if (!more) {
        more = dk_decider_step(node->decider, dk_clock_boot_us(), CONSIDER_PER_TURN);
        if (node->on_turn != NULL && dk_decider_live(node->decider)) {
            node->on_turn(node->turn_arg);
        }
        sleep_until_due(node);
    }
    keep_checkpoint_small(node);
    (void)dk_client_release(node->client, NULL); /* what is dropped is never answered: decider.h */
    dk_queries_turn(node->queries);
    if (!more) {
        ev_idle_stop(loop, idle);
    }
}

static void on_due(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
    (void)loop;
    (void)revents;
    wake(timer->data);
}

static void on_beat(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
    struct dk_node *node = timer->data;
    (void)loop;
    (void)revents;
    if (dk_source_replaced(node->source)) {
        end_astray("the log in its folder is another file than the one that was folded");
    }
    dk_decider_beat(node->decider, node->query_endpoint, dk_clock_boot_us());
    dk_queries_keep_bound(node->queries);
    wake(node);
}

/* ---------------------------------------------------------------- life */

static int open_state(struct dk_node *node, struct dk_err *err)
{
    int rc = dk_source_uuid(node->source, node->log_uuid, err);
    rc = rc != 0 ? rc
                 : dk_checkpoint_open(&node->checkpoint, node->config->state, node->ops,
                                      node->log_uuid, err);
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
    return node->announce == NULL ? DK_EIO
                                  : dk_queries_start(&node->queries, node->loop, zmq, node->config,
                                                     node->folder, node->decider, err);
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
    dk_records_init(&n->records);
    dk_config_query_endpoint(config, ops->name, n->query_endpoint);
    *node = n;
    int rc = dk_source_open(&n->source, options->source, zmq, config, key_name, err);
    rc = rc != 0 ? rc : open_state(n, err);
    if (rc == 0) {
        struct dk_decider_output output = {n, send_frame};
        uint64_t first_request;
        randombytes_buf(&first_request, sizeof first_request);
        n->decider = dk_decider_new(n->folder, &output, first_request);
        rc = open_sockets(n, zmq, key_name, err);
    }
    if (rc != 0) {
        dk_node_free(node);
        return rc;
    }
    start_watchers(n);
    dk_decider_beat(n->decider, n->query_endpoint, dk_clock_boot_us());
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
    dk_decider_free(&n->decider);
    dk_folder_free(&n->folder);
    dk_source_close(&n->source);
    dk_records_close(&n->records);
    free(n);
    *node = NULL;
}
