#include "proto/peer/client.h"

#include "proto/base/limits.h"
#include "proto/peer/socket.h"
#include "proto/peer/zap.h"
#include "tests/lib/assert.h"
#include "tests/lib/folder.h"
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

#define ANSWER_MS 5000

/* A client, and the ROUTER it is connected to in the same process. */
struct world {
    struct test_folder folder;
    struct dk_config config;
    void *zmq, *router;
    struct dk_zap *zap;
    struct dk_client *client;
    zmq_msg_t frame;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct dk_err err;
    struct dk_key own;
    int timeout_ms = ANSWER_MS;
    test_folder_make(&w->folder);
    ASSERT_OK(dk_config_write(w->folder.path, 1, &err), &err);
    ASSERT_OK(dk_config_load(&w->config, w->folder.path, &err), &err);
    ASSERT_OK(dk_keys_init(w->config.keys, &err), &err);
    ASSERT_OK(dk_key_load(&own, w->config.keys, "broker", &err), &err);
    w->zmq = zmq_ctx_new();
    ASSERT_OK(dk_zap_start(&w->zap, w->zmq, w->config.keys, &err), &err);
    w->router = dk_socket_bind(w->zmq, ZMQ_ROUTER, &w->config.request, DK_ZAP_DOMAIN, &own,
                               DK_FRAME_MAX_BYTES, 0, &err);
    ASSERT_TRUE(w->router != NULL);
    ASSERT_EQ(zmq_setsockopt(w->router, ZMQ_RCVTIMEO, &timeout_ms, sizeof timeout_ms), 0);
    ASSERT_OK(dk_client_open(&w->client, w->zmq, &w->config, "agent", &err), &err);
    (void)zmq_msg_init(&w->frame);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    dk_client_close(&w->client);
    (void)zmq_msg_close(&w->frame);
    (void)zmq_close(w->router);
    (void)zmq_ctx_shutdown(w->zmq);
    dk_zap_stop(&w->zap);
    (void)zmq_ctx_term(w->zmq);
    test_folder_remove(&w->folder);
    free(w);
    return 0;
}

/* The next message, read; what the request borrows is good until the next call. */
static struct dk_request receive(struct world *w)
{
    struct dk_request request;
    struct dk_err err;
    ASSERT_TRUE(zmq_msg_recv(&w->frame, w->router, 0) >= 0); /* the routing id */
    ASSERT_TRUE(zmq_msg_more(&w->frame) && zmq_msg_recv(&w->frame, w->router, 0) >= 0);
    ASSERT_OK(dk_request_read(zmq_msg_data(&w->frame), zmq_msg_size(&w->frame), &request, &err),
              &err);
    return request;
}

/* What came in lists, against the ids that were sent, in order. */
struct listed {
    const uint64_t *id;
    size_t count;
};

static void on_append(void *arg, const struct dk_request *append)
{
    struct listed *listed = arg;
    ASSERT_EQ(append->id, listed->id[listed->count]);
    listed->count++;
}

static void send_append(struct world *w, size_t bytes, uint64_t *id)
{
    static const uint8_t record[DK_REQUEST_MAX_BYTES];
    struct dk_slice event[4];
    size_t count = 0;
    struct dk_err err;
    for (; bytes > 0; count++) {
        size_t part = bytes < DK_RECORD_MAX_BYTES ? bytes : DK_RECORD_MAX_BYTES;
        event[count] = (struct dk_slice){record, part};
        bytes -= part;
    }
    ASSERT_OK(dk_client_send_append(w->client, event, NULL, count, false, id, &err), &err);
}

static void test_client_sends_each_append_by_itself(void **state)
{
    struct world *w = *state;
    uint64_t id[2];
    send_append(w, 200, &id[0]);
    send_append(w, 200, &id[1]);
    for (int i = 0; i < 2; i++) {
        struct dk_request request = receive(w);
        ASSERT_EQ(request.op, DK_OP_APPEND);
        ASSERT_EQ(request.id, id[i]);
    }
}

static void test_client_sends_held_appends_together(void **state)
{
    struct world *w = *state;
    uint64_t id[500];
    struct listed listed = {.id = id};
    struct dk_err err;
    size_t messages = 0;
    dk_client_hold(w->client);
    for (size_t i = 0; i < 500; i++) {
        send_append(w, 200, &id[i]);
    }
    ASSERT_OK(dk_client_release(w->client, &err), &err);
    for (; listed.count < 500; messages++) {
        struct dk_request list = receive(w);
        ASSERT_EQ(list.op, DK_OP_APPEND_LIST);
        ASSERT_OK(dk_append_list_read(&list, on_append, &listed, &err), &err);
    }
    ASSERT_EQ(listed.count, 500);
    assert_in_range(messages, 2, 20);

    send_append(w, 200, &id[0]); /* nothing is held any more */
    ASSERT_EQ(receive(w).op, DK_OP_APPEND);
}

/* Of which one alone would fit, and both do not. */
static void test_client_sends_what_does_not_fit_with_the_next_message(void **state)
{
    struct world *w = *state;
    uint64_t id[2];
    struct listed listed = {.id = id};
    struct dk_err err;
    dk_client_hold(w->client);
    send_append(w, 8000, &id[0]);
    send_append(w, DK_REQUEST_MAX_BYTES - 100, &id[1]);
    ASSERT_OK(dk_client_release(w->client, &err), &err);
    for (size_t i = 1; i <= 2; i++) {
        struct dk_request list = receive(w);
        ASSERT_OK(dk_append_list_read(&list, on_append, &listed, &err), &err);
        ASSERT_EQ(listed.count, i);
    }
}

static void test_client_sends_other_requests_after_what_is_held(void **state)
{
    struct world *w = *state;
    Docket__Request request = DOCKET__REQUEST__INIT;
    Docket__Head head = DOCKET__HEAD__INIT;
    uint64_t id[1], head_id;
    struct dk_err err;
    request.op_case = DOCKET__REQUEST__OP_HEAD;
    request.head = &head;
    dk_client_hold(w->client);
    send_append(w, 200, &id[0]);
    ASSERT_OK(dk_client_send(w->client, &request, &head_id, &err), &err);
    ASSERT_EQ(receive(w).op, DK_OP_APPEND_LIST);
    struct dk_request next = receive(w);
    ASSERT_EQ(next.op, DK_OP_HEAD);
    ASSERT_EQ(next.id, head_id);
    ASSERT_OK(dk_client_release(w->client, &err), &err);
}

/* As a node does, whose decider writes them. */
static void test_client_sends_held_frames_together_under_their_ids(void **state)
{
    struct world *w = *state;
    const struct dk_slice event = {(const uint8_t *)"event", 5};
    uint64_t id[] = {71, 72, 73};
    struct listed listed = {.id = id};
    struct dk_err err;
    struct dk_buf frame;
    dk_buf_init(&frame, DK_FRAME_MAX_BYTES);
    dk_client_hold(w->client);
    for (size_t i = 0; i < 3; i++) {
        if (i == 2) {
            ASSERT_OK(dk_client_release(w->client, &err), &err);
        }
        dk_buf_clear(&frame);
        ASSERT_EQ(dk_append_write(&frame, id[i], &event, NULL, 1, 0), 0);
        ASSERT_OK(dk_client_send_frame(w->client, frame.data, frame.size, &err), &err);
    }
    struct dk_request list = receive(w);
    ASSERT_EQ(list.op, DK_OP_APPEND_LIST);
    ASSERT_OK(dk_append_list_read(&list, on_append, &listed, &err), &err);
    ASSERT_EQ(listed.count, 2);
    struct dk_request alone = receive(w);
    ASSERT_EQ(alone.op, DK_OP_APPEND);
    ASSERT_EQ(alone.id, 73);
    ASSERT_EQ(dk_client_send_frame(w->client, frame.data, 10, &err), DK_EINVAL);
    dk_buf_close(&frame);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_client_sends_each_append_by_itself),
        CASE(test_client_sends_held_appends_together),
        CASE(test_client_sends_what_does_not_fit_with_the_next_message),
        CASE(test_client_sends_other_requests_after_what_is_held),
        CASE(test_client_sends_held_frames_together_under_their_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
