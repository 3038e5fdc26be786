#include "proto/peer/outbox.h"

#include "proto/base/limits.h"
#include "tests/lib/assert.h"
#include <stdlib.h>
#include <zmq.h>

#define FRAME_BYTES (1 << 20)

/* A router and a peer that has said one word, over TCP: what the kernel takes is bounded there. */
struct world {
    void *zmq, *router, *peer;
    struct dk_outbox *outbox;
    uint64_t connection;
    uint8_t *frame;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    char endpoint[256];
    size_t bytes = sizeof endpoint;
    int zero = 0, one = 1;
    uint8_t id[16];
    *state = w;
    w->zmq = zmq_ctx_new();
    w->router = zmq_socket(w->zmq, ZMQ_ROUTER);
    w->peer = zmq_socket(w->zmq, ZMQ_DEALER);
    w->frame = calloc(1, FRAME_BYTES);
    ASSERT_EQ(zmq_setsockopt(w->router, ZMQ_ROUTER_MANDATORY, &one, sizeof one), 0);
    ASSERT_EQ(zmq_setsockopt(w->router, ZMQ_LINGER, &zero, sizeof zero), 0);
    ASSERT_EQ(zmq_setsockopt(w->peer, ZMQ_LINGER, &zero, sizeof zero), 0);
    ASSERT_EQ(zmq_setsockopt(w->peer, ZMQ_RCVHWM, &one, sizeof one), 0);
    ASSERT_EQ(zmq_bind(w->router, "tcp://127.0.0.1:*"), 0);
    ASSERT_EQ(zmq_getsockopt(w->router, ZMQ_LAST_ENDPOINT, endpoint, &bytes), 0);
    ASSERT_EQ(zmq_connect(w->peer, endpoint), 0);
    ASSERT_EQ(zmq_send(w->peer, "hi", 2, 0), 2);
    int id_bytes = zmq_recv(w->router, id, sizeof id, 0);
    ASSERT_EQ(zmq_recv(w->router, w->frame, FRAME_BYTES, 0), 2);
    w->outbox = dk_outbox_new(w->router);
    w->connection = dk_connection_of(id, (size_t)id_bytes);
    ASSERT_TRUE(w->connection != 0);
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    (void)zmq_close(w->router);
    (void)zmq_close(w->peer);
    (void)zmq_ctx_term(w->zmq);
    dk_outbox_free(&w->outbox);
    free(w->frame);
    free(w);
    return 0;
}

/* Large frames until one is refused; how many were taken. */
static size_t send_until_full(struct world *w)
{
    size_t taken = 0;
    int rc;
    while ((rc = dk_outbox_send(w->outbox, w->connection, w->frame, FRAME_BYTES)) == 0)
        taken++;
    ASSERT_EQ(rc, DK_EBUSY);
    return taken;
}

static size_t receive(struct world *w, size_t count, int timeout_ms)
{
    size_t got = 0;
    ASSERT_EQ(zmq_setsockopt(w->peer, ZMQ_RCVTIMEO, &timeout_ms, sizeof timeout_ms), 0);
    while (got < count && zmq_recv(w->peer, w->frame, FRAME_BYTES, 0) == FRAME_BYTES)
        got++;
    return got;
}

static void test_outbox_takes_no_more_than_its_bytes_for_a_peer_that_does_not_read(void **state)
{
    struct world *w = *state;
    size_t taken = send_until_full(w);
    /* What the bound allows, and what the kernel's buffers and the peer have taken meanwhile. */
    ASSERT_TRUE(taken >= DK_OUTBOX_PEER_BYTES / FRAME_BYTES);
    ASSERT_TRUE(taken < 4 * DK_OUTBOX_PEER_BYTES / FRAME_BYTES);
    ASSERT_EQ(receive(w, taken, 5000), taken); /* what was taken arrives whole */
    ASSERT_EQ(dk_outbox_send(w->outbox, w->connection, w->frame, FRAME_BYTES), 0);
    ASSERT_EQ(receive(w, 1, 5000), 1);
}

static void test_outbox_counts_reads_under_way(void **state)
{
    struct world *w = *state;
    size_t reads = 0;
    while (dk_outbox_reserve(w->outbox, w->connection))
        reads++;
    ASSERT_EQ(reads, DK_OUTBOX_PEER_BYTES / DK_FETCH_MAX_BYTES);
    dk_outbox_release(w->outbox, w->connection);
    ASSERT_TRUE(dk_outbox_reserve(w->outbox, w->connection));
    ASSERT_TRUE(!dk_outbox_reserve(w->outbox, w->connection));
    ASSERT_TRUE(dk_outbox_reserve(w->outbox, w->connection + 1)); /* another peer's are its own */
    dk_outbox_sweep(w->outbox);
    ASSERT_TRUE(!dk_outbox_reserve(w->outbox, w->connection)); /* not forgotten */
    while (reads-- > 0)
        dk_outbox_release(w->outbox, w->connection);
    (void)send_until_full(w);
    ASSERT_TRUE(!dk_outbox_reserve(w->outbox, w->connection)); /* frames count too */
}

static void test_outbox_small_frames_pass_when_large_ones_wait(void **state)
{
    struct world *w = *state;
    (void)send_until_full(w);
    ASSERT_EQ(dk_outbox_send(w->outbox, w->connection, w->frame, DK_OUTBOX_SMALL_BYTES), 0);
}

/* The socket's threads free what waits after the outbox is gone; sanitizers watch. */
static void test_outbox_may_go_before_what_it_sent(void **state)
{
    struct world *w = *state;
    (void)send_until_full(w);
    dk_outbox_free(&w->outbox);
    ASSERT_TRUE(receive(w, 4, 5000) == 4);
}

static void test_outbox_tells_that_a_peer_is_gone(void **state)
{
    struct world *w = *state;
    ASSERT_EQ(dk_outbox_send(w->outbox, w->connection + 256, w->frame, 10), DK_ENOTFOUND);
    ASSERT_EQ(dk_outbox_send(w->outbox, w->connection + 256, w->frame, FRAME_BYTES), DK_ENOTFOUND);
    ASSERT_TRUE(dk_outbox_reserve(w->outbox, w->connection + 256)); /* nothing was kept */
    dk_outbox_release(w->outbox, w->connection + 256);
}

static void test_outbox_knows_no_routing_id_that_a_peer_chose(void **state)
{
    (void)state;
    ASSERT_EQ(dk_connection_of((const uint8_t *)"abcde", 5), 0);
    ASSERT_EQ(dk_connection_of((const uint8_t *)"\0abc", 4), 0);
    ASSERT_EQ(dk_connection_of((const uint8_t *)"\0abcde", 6), 0);
    ASSERT_TRUE(dk_connection_of((const uint8_t *)"\0\0\0\0", 5) != 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_outbox_takes_no_more_than_its_bytes_for_a_peer_that_does_not_read),
        CASE(test_outbox_counts_reads_under_way),
        CASE(test_outbox_small_frames_pass_when_large_ones_wait),
        CASE(test_outbox_may_go_before_what_it_sent),
        CASE(test_outbox_tells_that_a_peer_is_gone),
        CASE(test_outbox_knows_no_routing_id_that_a_peer_chose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
