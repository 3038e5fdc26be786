#include "broker/net/broker.h"
#include "broker/core/annex.h"
#include "broker/core/core.h"
#include "broker/log/heads.h"
#include "broker/log/log.h"
#include "broker/log/space.h"
#include "broker/net/behind.h"
#include "broker/net/checkpoint.h"
#include "broker/net/commit.h"
#include "broker/net/crowd.h"
#include "broker/net/identity.h"
#include "broker/net/members.h"
#include "broker/net/pinned.h"
#include "broker/net/publish.h"
#include "broker/net/reads.h"
#include "broker/net/reply.h"
#include "broker/net/stats.h"
#include "proto/base/say.h"
#include "proto/base/time.h"
#include "proto/peer/ev_zmq.h"
#include "proto/peer/outbox.h"
#include "proto/peer/socket.h"
#include "proto/peer/zap.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zmq.h>

#define IO_THREADS        2   /* CURVE is theirs: a large reply to one peer leaves one for others */
#define REQUESTS_PER_TURN 256 /* then the loop looks at everything else */
#define TICK_S            0.1
#define TICKS_PER_BEAT    10   /* an announcement at least every second */
#define SMALL_BYTES       4096 /* every request but an Append fits */
#define WAITING_MAX       1024 /* reads of a ticket whose last event is not durable yet */

struct dk_broker {
    const struct dk_config *config;
    struct ev_loop *loop;
    void *zmq, *requests;
    struct dk_zap *zap;
    struct dk_log *log;
    struct dk_heads *heads;
    struct dk_space *space;
    struct dk_core *core;
    struct dk_committer *committer;
    struct dk_behind *behind;
    struct dk_checkpointer *checkpointer;
    struct dk_reads *reads;
    struct dk_publisher *publisher;
    struct dk_outbox *outbox;
    struct dk_members *members;
    struct dk_pinned pinned;
    struct dk_crowd crowd;
    struct dk_identities *identities;
    struct dk_ev_zmq watcher;
    struct ev_timer tick;
    const struct dk_held_clock *clock;
    struct ev_timer held_beat; /* with such a clock only */
    unsigned ticks;
    const struct dk_batch *writing;
    struct dk_buf out;
    struct dk_read_job *waiting;
    size_t waiting_count;
    uint64_t dropped_replies;
};

static struct dk_now now(const struct dk_broker *broker)
{
    return dk_held_clock_now(broker->clock);
}

/* ---------------------------------------------------------------- out */

static void send_frame(void *arg, uint64_t connection, const uint8_t *frame, size_t bytes)
{
    struct dk_broker *broker = arg;
    int rc = dk_outbox_send(broker->outbox, connection, frame, bytes);
    if (rc == DK_ENOTFOUND) {
        dk_core_disconnected(broker->core, connection);
    } else if (rc != 0) {
        broker->dropped_replies++; /* it does not read. It asks again under the same number */
    }
}

static void send_read(void *arg, uint64_t connection, const uint8_t *frame, size_t bytes)
{
    struct dk_broker *broker = arg;
    dk_outbox_release(broker->outbox, connection);
    send_frame(broker, connection, frame, bytes);
}

static void send_reply(struct dk_broker *broker, uint64_t connection, const Docket__Reply *reply)
{
    dk_buf_clear(&broker->out);
    if (dk_reply_pack(&broker->out, reply) == 0) {
        send_frame(broker, connection, broker->out.data, broker->out.size);
    }
}

static void send_failure(struct dk_broker *broker, uint64_t connection, uint64_t request,
                         const struct dk_err *err)
{
    dk_buf_clear(&broker->out);
    if (dk_reply_failure(&broker->out, request, err) == 0) {
        send_frame(broker, connection, broker->out.data, broker->out.size);
    }
}

/* ---------------------------------------------------------------- commit */

static void commit_next(struct dk_broker *broker)
{
    if (dk_committer_busy(broker->committer)) {
        return;
    }
    const struct dk_batch *batch = dk_core_take(broker->core);
    if (batch != NULL) {
        broker->writing = batch;
        dk_committer_write(broker->committer, batch);
    }
}

static void retry_waiting_reads(struct dk_broker *broker)
{
    size_t kept = 0;
    uint64_t durable = dk_core_durable(broker->core);
    for (size_t i = 0; i < broker->waiting_count; i++) {
        struct dk_read_job *job = &broker->waiting[i];
        if (job->from > durable || !dk_reads_put(broker->reads, job)) {
            broker->waiting[kept++] = *job;
        }
    }
    broker->waiting_count = kept;
}

static void on_durable(void *arg)
{
    struct dk_broker *broker = arg;
    const struct dk_batch *batch = broker->writing;
    int64_t time_us = dk_core_time_us(broker->core, now(broker));
    broker->writing = NULL;
    dk_core_committed(broker->core);
    if (batch->count > 0) {
        dk_publisher_announce(broker->publisher, dk_core_durable(broker->core), time_us);
        dk_publisher_feed(broker->publisher, batch, time_us);
        dk_behind_wake(broker->behind);
    }
    retry_waiting_reads(broker);
    dk_checkpointer_step(broker->checkpointer);
    commit_next(broker);
    dk_ev_zmq_pause(&broker->watcher, dk_core_full(broker->core));
}

/* ---------------------------------------------------------------- requests */

/* A read of a ticket whose last event is admitted and not durable yet. */
static bool keep_waiting(struct dk_broker *broker, const struct dk_read_job *job)
{
    if (broker->waiting_count == WAITING_MAX) {
        return false;
    }
    broker->waiting[broker->waiting_count++] = *job;
    return true;
}

static int serve_read(struct dk_broker *broker, const struct dk_peer *peer, uint64_t request,
                      const struct dk_read_job *wanted, struct dk_err *err)
{
    struct dk_read_job job = *wanted;
    bool early = job.kind == DK_READ_CHAIN && job.from > dk_core_durable(broker->core);
    job.connection = peer->connection;
    job.request = request;
    if (!dk_outbox_reserve(broker->outbox, peer->connection)) {
        return dk_err_set(err, DK_EBUSY, "%d bytes wait for you already: read them first",
                          DK_OUTBOX_PEER_BYTES);
    }
    if (!(early ? keep_waiting(broker, &job) : dk_reads_put(broker->reads, &job))) {
        dk_outbox_release(broker->outbox, peer->connection);
        return dk_err_set(err, DK_EBUSY, "too many reads wait already: try again");
    }
    return 0;
}

static int serve_fetch(struct dk_broker *broker, const struct dk_peer *peer,
                       const struct dk_request *request, struct dk_err *err)
{
    Docket__Fetch *fetch = docket__fetch__unpack(NULL, request->body.size, request->body.data);
    struct dk_read_job job = {0};
    if (fetch == NULL) {
        return dk_err_set(err, DK_EINVAL, "the Fetch does not unpack");
    }
    job.kind = fetch->has_ticket ? DK_READ_CHAIN : DK_READ_RANGE;
    job.from = fetch->from;
    job.max_records = fetch->has_max_records ? fetch->max_records : 0;
    job.subject = fetch->has_ticket ? fetch->ticket : 0;
    bool chain = fetch->has_ticket;
    docket__fetch__free_unpacked(fetch, NULL);
    if (chain && job.from == 0) {
        job.from = dk_core_last_of(broker->core, job.subject);
        if (job.from == 0) {
            char text[DK_ID_TEXT_BYTES];
            return dk_err_field(err, DK_ENOTFOUND, "ticket", "there is no %s",
                                dk_id_format(job.subject, text));
        }
    }
    if (!chain && job.from == 0) {
        return dk_err_field(err, DK_EINVAL, "from", "positions begin at 1");
    }
    if (chain && job.from > dk_core_last(broker->core)) {
        return dk_err_field(err, DK_EINVAL, "from", "the log ends at %" PRIu64,
                            dk_core_last(broker->core));
    }
    return serve_read(broker, peer, request->id, &job, err);
}

static int serve_lookup(struct dk_broker *broker, const struct dk_peer *peer,
                        const struct dk_request *request, struct dk_err *err)
{
    Docket__Lookup *lookup = docket__lookup__unpack(NULL, request->body.size, request->body.data);
    struct dk_read_job job = {.kind = DK_READ_LOOKUP};
    if (lookup == NULL || lookup->reference.len == 0 ||
        lookup->reference.len > sizeof job.reference) {
        if (lookup != NULL) {
            docket__lookup__free_unpacked(lookup, NULL);
        }
        return dk_err_field(err, DK_EINVAL, "reference", "a reference has 1 to %d bytes",
                            DK_KEY_MAX_BYTES);
    }
    job.reference_bytes = lookup->reference.len;
    memcpy(job.reference, lookup->reference.data, lookup->reference.len);
    docket__lookup__free_unpacked(lookup, NULL);
    return serve_read(broker, peer, request->id, &job, err);
}

/* A member speaks for its key's own role. */
static int may_beat(const struct dk_peer *peer, const Docket__Heartbeat *beat, struct dk_err *err)
{
    const char *word = dk_role_word(peer->role);
    bool member = peer->role <= DK_ROLE_ANALYTICS || peer->role == DK_ROLE_FOLLOWER;
    return member && beat->role.len == strlen(word) &&
                   memcmp(beat->role.data, word, beat->role.len) == 0
               ? 0
               : dk_err_field(err, DK_EACCES, "role", "a key of role %s is not such a member",
                              word);
}

static int serve_heartbeat(struct dk_broker *broker, const struct dk_peer *peer,
                           const struct dk_request *request, struct dk_err *err)
{
    Docket__Heartbeat *beat =
        docket__heartbeat__unpack(NULL, request->body.size, request->body.data);
    Docket__Reply reply = DOCKET__REPLY__INIT;
    Docket__Done done = DOCKET__DONE__INIT;
    if (beat == NULL) {
        return dk_err_set(err, DK_EINVAL, "the Heartbeat does not unpack");
    }
    int rc = may_beat(peer, beat, err);
    rc = rc != 0
             ? rc
             : dk_members_heard(broker->members, peer->connection, dk_clock_boot_us(), beat, err);
    docket__heartbeat__free_unpacked(beat, NULL);
    if (rc == 0) {
        reply.id = request->id;
        reply.result_case = DOCKET__REPLY__RESULT_DONE;
        reply.done = &done;
        send_reply(broker, peer->connection, &reply);
    }
    return rc;
}

static int serve_stats(struct dk_broker *broker, const struct dk_peer *peer,
                       const struct dk_request *request, struct dk_err *err)
{
    struct dk_stats_sources sources = {.core = broker->core,
                                       .log = broker->log,
                                       .space = broker->space,
                                       .heads = broker->heads,
                                       .members = broker->members,
                                       .sealed = dk_behind_sealed(broker->behind),
                                       .indexed = dk_behind_indexed(broker->behind),
                                       .reserve_bytes = broker->config->reserve_bytes,
                                       .now = now(broker)};
    dk_buf_clear(&broker->out);
    int rc = dk_stats_reply(&broker->out, request->id, &sources, err);
    if (rc == 0) {
        send_frame(broker, peer->connection, broker->out.data, broker->out.size);
    }
    return rc;
}

/* Which roles may read records at all: issue and answer alike stay within the site's trust. */
static int may_read(const struct dk_peer *peer, struct dk_err *err)
{
    return peer->role != 0 ? 0 : dk_err_set(err, DK_EACCES, "this key may not read");
}

static void serve(struct dk_broker *broker, const struct dk_peer *peer, const uint8_t *frame,
                  size_t bytes)
{
    struct dk_request request = {0};
    struct dk_err err = {0};
    int rc = dk_request_read(frame, bytes, &request, &err);
    if (rc == 0 && request.op != DK_OP_APPEND && request.op != DK_OP_APPEND_LIST &&
        request.body.size > SMALL_BYTES) {
        rc = dk_err_set(&err, DK_ETOOBIG, "a request that appends nothing has at most %d bytes",
                        SMALL_BYTES);
    }
    if (rc == 0 && dk_core_request(broker->core, peer, now(broker), &request)) {
        return;
    }
    rc = rc != 0 ? rc : may_read(peer, &err);
    if (rc == 0) {
        switch (request.op) {
        case DK_OP_FETCH: rc = serve_fetch(broker, peer, &request, &err); break;
        case DK_OP_LOOKUP: rc = serve_lookup(broker, peer, &request, &err); break;
        case DK_OP_HEARTBEAT: rc = serve_heartbeat(broker, peer, &request, &err); break;
        case DK_OP_STATS: rc = serve_stats(broker, peer, &request, &err); break;
        default: rc = dk_err_set(&err, DK_EINVAL, "this request is not served here"); break;
        }
    }
    if (rc != 0) {
        send_failure(broker, peer->connection, request.id, &err);
    }
}

/* Reads the frames of one message: routing id, then the payload; more than that is refused. */
static bool receive(struct dk_broker *broker, struct dk_peer *peer, zmq_msg_t *payload)
{
    uint8_t id[256];
    int n = zmq_recv(broker->requests, id, sizeof id, ZMQ_DONTWAIT);
    if (n < 0) {
        return false;
    }
    peer->connection = dk_connection_of(id, (size_t)n);
    if (zmq_msg_recv(payload, broker->requests, ZMQ_DONTWAIT) < 0) {
        peer->connection = 0;
        return true;
    }
    /* A second frame: half a message of another protocol. The last one's size is 0 then. */
    while (zmq_msg_more(payload)) {
        if (zmq_msg_recv(payload, broker->requests, ZMQ_DONTWAIT) < 0) {
            break;
        }
        struct dk_err err = {0};
        if (!zmq_msg_more(payload) && peer->connection != 0) {
            (void)dk_err_set(&err, DK_EINVAL, "a request is one frame, and this message has more");
            send_failure(broker, peer->connection, 0, &err);
            peer->connection = 0;
        }
    }
    if (peer->connection != 0 && dk_identity_of(broker->identities, peer, payload) != 0) {
        peer->connection = 0;
    }
    return true;
}

static void on_requests(void *arg)
{
    struct dk_broker *broker = arg;
    zmq_msg_t payload;
    struct dk_peer peer;
    (void)zmq_msg_init(&payload);
    for (int i = 0; i < REQUESTS_PER_TURN && !dk_core_full(broker->core); i++) {
        if (dk_committer_waits(broker->committer) || !receive(broker, &peer, &payload)) {
            break;
        }
        /* A peer that chose its own routing id is not answered: see PITFALLS of routing ids. */
        if (peer.connection != 0) {
            serve(broker, &peer, zmq_msg_data(&payload), zmq_msg_size(&payload));
        }
    }
    (void)zmq_msg_close(&payload);
    commit_next(broker);
    dk_ev_zmq_pause(&broker->watcher, dk_core_full(broker->core));
}

static void announce(struct dk_broker *broker)
{
    dk_publisher_announce(broker->publisher, dk_core_durable(broker->core),
                          dk_core_time_us(broker->core, now(broker)));
}

static void on_held_beat(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
    (void)loop;
    (void)revents;
    announce(timer->data);
}

static void look_at_readers(struct dk_broker *broker)
{
    struct dk_log_reader_info info[DK_PINNED_MAX];
    size_t count = DK_PINNED_MAX;
    if (dk_log_readers(broker->log, info, &count, NULL) == 0) {
        dk_pinned_look(&broker->pinned, info, count < DK_PINNED_MAX ? count : DK_PINNED_MAX);
    }
}

static void on_tick(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
    struct dk_broker *broker = timer->data;
    (void)loop;
    (void)revents;
    dk_core_set_space(broker->core, dk_space_accepting(broker->space));
    retry_waiting_reads(broker);
    dk_checkpointer_step(broker->checkpointer);
    if (++broker->ticks % TICKS_PER_BEAT == 0) {
        announce(broker);
        dk_members_forget(broker->members, dk_clock_boot_us());
        dk_outbox_sweep(broker->outbox);
        look_at_readers(broker);
        dk_crowd_look(&broker->crowd, dk_clock_boot_us());
        dk_socket_keep_bound(broker->requests, &broker->config->request);
        dk_publisher_keep_bound(broker->publisher, broker->config);
    }
}

/* ---------------------------------------------------------------- life */

/* Once a second, for who waits; a short recovery says nothing. `arg`: when it said so last. */
static void on_recovery(void *arg, uint64_t done, uint64_t total)
{
    int64_t *said_us = arg, now_us = dk_clock_boot_us();
    if (now_us - *said_us < DK_SECOND_US) {
        return;
    }
    *said_us = now_us;
    dk_say(DK_INFO, "recovering", "done=%" PRIu64 " total=%" PRIu64, done, total);
}

static int open_storage(struct dk_broker *broker, struct dk_err *err)
{
    struct dk_space_options space;
    const char *why = NULL;
    int rc = dk_log_open(&broker->log, broker->config->log, DK_LOG_WRITE, err);
    if (rc != 0) {
        return rc;
    }
    const struct dk_log_identity *identity = dk_log_identity(broker->log);
    if (identity->site != (unsigned)broker->config->site) {
        return dk_err_set(err, DK_ECONFLICT, "the log in %s is of site %u, docket.yaml says %lld",
                          broker->config->log, identity->site, (long long)broker->config->site);
    }
    dk_space_defaults(&space);
    space.reserve_bytes = broker->config->reserve_bytes;
    space.ahead_bytes = broker->config->ahead_bytes;
    rc = dk_space_start(&broker->space, broker->log, &space, err);
    if (rc == 0) {
        rc = dk_heads_open(&broker->heads, broker->config->log, identity->uuid,
                           sizeof(struct dk_ticket), DK_HEADS_VERSION, &why, err);
    }
    if (rc == 0 && why != NULL) {
        dk_say(DK_INFO, "heads-rebuilt", "reason=\"%s\"", why);
    }
    return rc;
}

static int open_core(struct dk_broker *broker, struct dk_err *err)
{
    struct dk_core_options options;
    struct dk_core_output output = {broker, send_frame};
    int64_t said_us = dk_clock_boot_us();
    dk_core_defaults(&options);
    options.checkpoint_events = (uint64_t)broker->config->checkpoint_events;
    int rc = dk_core_new(&broker->core, dk_log_identity(broker->log), dk_log_store(broker->log),
                         broker->heads, &options, &output, now(broker), on_recovery, &said_us, err);
    return rc == 0 ? 0 : dk_err_wrap(err, "cannot recover from the log at %s", broker->config->log);
}

static int open_sockets(struct dk_broker *broker, struct dk_err *err)
{
    struct dk_key own;
    int rc = dk_key_load(&own, broker->config->keys, "broker", err);
    rc = rc != 0 ? rc : dk_zap_start(&broker->zap, broker->zmq, broker->config->keys, err);
    if (rc == 0) {
        broker->requests = dk_socket_bind(broker->zmq, ZMQ_ROUTER, &broker->config->request,
                                          DK_ZAP_DOMAIN, &own, DK_FRAME_MAX_BYTES, 0, err);
        rc = broker->requests != NULL ? 0 : DK_EIO;
        broker->outbox = dk_outbox_new(broker->requests);
    }
    if (rc == 0) {
        rc = dk_publisher_new(&broker->publisher, broker->zmq, broker->config, &own,
                              dk_log_identity(broker->log)->uuid, err);
    }
    if (rc == 0) {
        rc = dk_zap_self_test(broker->zmq, broker->config->request.at[0], own.public_z85, err);
    }
    return rc;
}

static int start_threads(struct dk_broker *broker, struct dk_err *err)
{
    int rc = dk_committer_start(&broker->committer, broker->loop, dk_log_store(broker->log),
                                on_durable, broker, err);
    if (rc == 0) {
        rc = dk_behind_start(&broker->behind, broker->log, err);
    }
    if (rc == 0) {
        rc = dk_checkpointer_start(&broker->checkpointer, broker->loop, broker->core, broker->heads,
                                   err);
    }
    return rc != 0 ? rc
                   : dk_reads_start(&broker->reads, broker->loop, broker->log,
                                    dk_behind_lookups(broker->behind), send_read, broker, err);
}

int dk_broker_new(struct dk_broker **broker, struct ev_loop *loop, const struct dk_config *config,
                  const struct dk_held_clock *clock, struct dk_err *err)
{
    struct dk_broker *b = calloc(1, sizeof *b);
    DK_ASSERT(b != NULL);
    b->config = config;
    b->clock = clock;
    b->loop = loop;
    b->zmq = zmq_ctx_new();
    b->members = calloc(1, sizeof *b->members);
    b->identities = dk_identities_new();
    b->waiting = calloc(WAITING_MAX, sizeof *b->waiting);
    DK_ASSERT(b->zmq != NULL && zmq_ctx_set(b->zmq, ZMQ_IO_THREADS, IO_THREADS) == 0);
    DK_ASSERT(b->members != NULL && b->waiting != NULL);
    dk_buf_init(&b->out, DK_FRAME_MAX_BYTES);
    *broker = b;
    int rc = open_storage(b, err);
    rc = rc != 0 ? rc : open_core(b, err);
    rc = rc != 0 ? rc : open_sockets(b, err);
    rc = rc != 0 ? rc : start_threads(b, err);
    if (rc != 0) {
        dk_broker_free(broker);
        return rc;
    }
    dk_ev_zmq_start(loop, &b->watcher, b->requests, on_requests, b);
    ev_timer_init(&b->tick, on_tick, TICK_S, TICK_S);
    b->tick.data = b;
    ev_timer_start(loop, &b->tick);
    ev_timer_init(&b->held_beat, on_held_beat, DK_HELD_BEAT_S, DK_HELD_BEAT_S);
    b->held_beat.data = b;
    if (clock != NULL) {
        ev_timer_start(loop, &b->held_beat);
    }
    dk_say(DK_INFO, "ready", "site=%u head=%" PRIu64 " request=%s", dk_log_identity(b->log)->site,
           dk_core_durable(b->core), config->request.at[0]);
    return 0;
}

/* What was handed to the committer is durable when it has stopped: its answers still go out. */
static void settle(struct dk_broker *broker)
{
    bool was_busy = broker->committer != NULL && dk_committer_busy(broker->committer);
    dk_committer_stop(&broker->committer);
    if (was_busy && broker->writing != NULL) {
        dk_core_committed(broker->core);
        broker->writing = NULL;
    }
}

void dk_broker_free(struct dk_broker **broker)
{
    struct dk_broker *b = *broker;
    if (b == NULL) {
        return;
    }
    if (b->watcher.socket != NULL) {
        dk_ev_zmq_stop(b->loop, &b->watcher);
        ev_timer_stop(b->loop, &b->tick);
        ev_timer_stop(b->loop, &b->held_beat);
    }
    settle(b);
    dk_reads_stop(&b->reads);
    dk_behind_stop(&b->behind);
    dk_checkpointer_stop(&b->checkpointer);
    dk_publisher_free(&b->publisher);
    if (b->requests != NULL) {
        (void)zmq_close(b->requests);
    }
    (void)zmq_ctx_shutdown(b->zmq);
    dk_zap_stop(&b->zap);
    (void)zmq_ctx_term(b->zmq);
    dk_outbox_free(&b->outbox);
    dk_core_free(&b->core);
    dk_heads_close(&b->heads);
    dk_space_stop(&b->space);
    dk_log_close(&b->log);
    dk_buf_close(&b->out);
    dk_identities_free(&b->identities);
    free(b->members);
    free(b->waiting);
    free(b);
    *broker = NULL;
}
