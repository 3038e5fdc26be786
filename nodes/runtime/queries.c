#include "nodes/runtime/queries.h"
#include "proto/base/time.h"
#include "proto/event/body.h"
#include "proto/peer/ev_zmq.h"
#include "proto/peer/outbox.h"
#include "proto/peer/socket.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define PER_TURN        16
#define ARGUMENTS_MAX   64
#define ID_BYTES_MAX    256
#define QUERY_MAX_BYTES 65536

struct waiting {
    uint64_t connection;
    Docket__Query *query;
    int64_t until_us;
};

struct dk_queries {
    struct ev_loop *loop;
    void *socket;
    struct dk_endpoints endpoints;
    struct dk_outbox *outbox;
    struct dk_folder *folder;
    const struct dk_decider *decider;
    struct dk_ev_zmq watcher;
    struct waiting waiting[DK_QUERIES_WAITING];
    size_t waiting_count;
    struct dk_buf json, out;
    struct dk_arena arena; /* the arguments of the query being answered */
};

static void send_answer(struct dk_queries *queries, uint64_t connection,
                        const Docket__Answer *answer)
{
    dk_buf_clear(&queries->out);
    uint8_t *at = dk_buf_extend(&queries->out, docket__answer__get_packed_size(answer));
    if (at == NULL) {
        return;
    }
    (void)docket__answer__pack(answer, at);
    /* Who is gone or does not read gets none. */
    (void)dk_outbox_send(queries->outbox, connection, queries->out.data, queries->out.size);
}

static void answer_failure(struct dk_queries *queries, uint64_t connection, uint64_t query,
                           const struct dk_err *err)
{
    Docket__Answer answer = DOCKET__ANSWER__INIT;
    Docket__Failure failure = DOCKET__FAILURE__INIT;
    const char *name = dk_code_name(err->code);
    failure.code = err->code;
    failure.name = (ProtobufCBinaryData){strlen(name), (uint8_t *)(uintptr_t)name};
    failure.sentence =
        (ProtobufCBinaryData){strlen(err->message), (uint8_t *)(uintptr_t)err->message};
    failure.has_field = err->field[0] != '\0';
    failure.field = (ProtobufCBinaryData){strlen(err->field), (uint8_t *)(uintptr_t)err->field};
    answer.id = query;
    answer.position = dk_folder_position(queries->folder);
    answer.failure = &failure;
    send_answer(queries, connection, &answer);
}

static int answer_pace(const struct dk_queries *queries, struct dk_buf *json)
{
    struct dk_pace pace;
    dk_decider_pace(queries->decider, dk_clock_boot_us(), &pace);
    int64_t due_us = pace.due_us == INT64_MIN ? pace.now_us : pace.due_us;
    int rc = dk_buf_printf(json,
                           "{\"live\":%s,\"position\":%" PRIu64 ",\"head\":%" PRIu64
                           ",\"in_flight\":%zu,\"now_us\":%" PRId64 ",\"due_us\":",
                           pace.live ? "true" : "false", pace.position, pace.head, pace.in_flight,
                           pace.now_us);
    return rc != 0               ? rc
           : due_us == INT64_MAX ? dk_buf_printf(json, "null}")
                                 : dk_buf_printf(json, "%" PRId64 "}", due_us);
}

static void run_query(struct dk_queries *queries, uint64_t connection, const Docket__Query *query)
{
    Docket__Answer answer = DOCKET__ANSWER__INIT;
    struct dk_err err = {0};
    const char *argument[ARGUMENTS_MAX];
    size_t count = query->n_argument;
    DK_ASSERT(count <= ARGUMENTS_MAX);
    dk_arena_reset(&queries->arena);
    dk_buf_clear(&queries->json);
    for (size_t i = 0; i < count; i++) {
        argument[i] = dk_bytes_string(&queries->arena, &query->argument[i]);
    }
    const char *name = dk_bytes_string(&queries->arena, &query->name);
    int rc = strcmp(name, "pace") == 0
                 ? answer_pace(queries, &queries->json)
                 : dk_folder_query(queries->folder, name, argument, count, &queries->json, &err);
    if (rc != 0) {
        answer_failure(queries, connection, query->id, &err);
        return;
    }
    answer.id = query->id;
    answer.position = dk_folder_position(queries->folder);
    answer.has_json = 1;
    answer.json = (ProtobufCBinaryData){queries->json.size, queries->json.data};
    send_answer(queries, connection, &answer);
}

static void keep_waiting(struct dk_queries *queries, uint64_t connection, Docket__Query *query)
{
    struct waiting *w = &queries->waiting[queries->waiting_count++];
    w->connection = connection;
    w->query = query;
    w->until_us = dk_clock_boot_us() + DK_QUERY_WAIT_US;
}

/* Answers, or keeps a query that asks for a position to come. */
static void take_query(struct dk_queries *queries, uint64_t connection, Docket__Query *query)
{
    struct dk_err err = {0};
    bool early = query->has_at_least && query->at_least > dk_folder_position(queries->folder);
    if (query->n_argument > ARGUMENTS_MAX) {
        (void)dk_err_set(&err, DK_ETOOBIG, "a query has at most %d arguments", ARGUMENTS_MAX);
    } else if (early && queries->waiting_count < DK_QUERIES_WAITING) {
        keep_waiting(queries, connection, query);
        return;
    } else if (early) {
        (void)dk_err_set(&err, DK_EBUSY, "%d queries wait already: try again", DK_QUERIES_WAITING);
    }
    if (err.code != 0) {
        answer_failure(queries, connection, query->id, &err);
    } else {
        run_query(queries, connection, query);
    }
    docket__query__free_unpacked(query, NULL);
}

/* Reads one message: routing id, then the payload; `*connection` is 0 when it has more, or none. */
static bool receive(struct dk_queries *queries, uint64_t *connection, zmq_msg_t *payload)
{
    uint8_t id[ID_BYTES_MAX];
    int n = zmq_recv(queries->socket, id, sizeof id, ZMQ_DONTWAIT);
    if (n < 0 || zmq_msg_recv(payload, queries->socket, ZMQ_DONTWAIT) < 0) {
        return false;
    }
    *connection = dk_connection_of(id, (size_t)n);
    while (zmq_msg_more(payload) && zmq_msg_recv(payload, queries->socket, ZMQ_DONTWAIT) >= 0) {
        *connection = 0;
    }
    return true;
}

static void on_readable(void *arg)
{
    struct dk_queries *queries = arg;
    uint64_t connection = 0;
    zmq_msg_t payload;
    (void)zmq_msg_init(&payload);
    for (int i = 0; i < PER_TURN && receive(queries, &connection, &payload); i++) {
        if (connection == 0) {
            continue;
        }
        Docket__Query *query =
            docket__query__unpack(NULL, zmq_msg_size(&payload), zmq_msg_data(&payload));
        if (query != NULL) {
            take_query(queries, connection, query);
        } else {
            struct dk_err err = {0};
            (void)dk_err_set(&err, DK_EINVAL, "the Query does not unpack");
            answer_failure(queries, connection, 0, &err);
        }
    }
    (void)zmq_msg_close(&payload);
}

void dk_queries_turn(struct dk_queries *queries)
{
    uint64_t position = dk_folder_position(queries->folder);
    size_t kept = 0;
    for (size_t i = 0; i < queries->waiting_count; i++) {
        struct waiting *w = &queries->waiting[i];
        if (w->query->at_least <= position) {
            run_query(queries, w->connection, w->query);
        } else if (dk_clock_boot_us() > w->until_us) {
            struct dk_err err = {0};
            (void)dk_err_set(&err, DK_ETIMEOUT, "folded to %" PRIu64 ", asked for %" PRIu64,
                             position, w->query->at_least);
            answer_failure(queries, w->connection, w->query->id, &err);
        } else {
            queries->waiting[kept++] = *w;
            continue;
        }
        docket__query__free_unpacked(w->query, NULL);
    }
    queries->waiting_count = kept;
    dk_outbox_sweep(queries->outbox);
}

void dk_queries_keep_bound(struct dk_queries *queries)
{
    dk_socket_keep_bound(queries->socket, &queries->endpoints);
}

int dk_queries_start(struct dk_queries **queries, struct ev_loop *loop, void *zmq,
                     const struct dk_config *config, struct dk_folder *folder,
                     const struct dk_decider *decider, struct dk_err *err)
{
    struct dk_key own;
    int rc = dk_key_load(&own, config->keys, dk_folder_ops(folder)->name, err);
    if (rc != 0) {
        return rc;
    }
    struct dk_queries *q = calloc(1, sizeof *q);
    DK_ASSERT(q != NULL && dk_arena_init(&q->arena, 4 * QUERY_MAX_BYTES) == 0);
    q->loop = loop;
    q->folder = folder;
    q->decider = decider;
    dk_buf_init(&q->json, DK_QUERY_JSON_BYTES);
    dk_buf_init(&q->out, DK_QUERY_JSON_BYTES + 1024);
    q->endpoints.count = 1;
    dk_config_query_endpoint(config, dk_folder_ops(folder)->name, q->endpoints.at[0]);
    q->socket = dk_socket_bind(zmq, ZMQ_ROUTER, &q->endpoints, DK_ZAP_DOMAIN, &own, QUERY_MAX_BYTES,
                               0, err);
    *queries = q;
    if (q->socket == NULL) {
        dk_queries_stop(queries);
        return DK_EIO;
    }
    q->outbox = dk_outbox_new(q->socket);
    dk_ev_zmq_start(loop, &q->watcher, q->socket, on_readable, q);
    return 0;
}

void dk_queries_stop(struct dk_queries **queries)
{
    struct dk_queries *q = *queries;
    if (q == NULL) {
        return;
    }
    if (q->socket != NULL) {
        if (q->watcher.socket != NULL) {
            dk_ev_zmq_stop(q->loop, &q->watcher);
        }
        (void)zmq_close(q->socket);
    }
    dk_outbox_free(&q->outbox);
    for (size_t i = 0; i < q->waiting_count; i++) {
        docket__query__free_unpacked(q->waiting[i].query, NULL);
    }
    dk_buf_close(&q->json);
    dk_buf_close(&q->out);
    dk_arena_close(&q->arena);
    free(q);
    *queries = NULL;
}
