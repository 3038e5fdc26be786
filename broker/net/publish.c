#include "broker/net/publish.h"
#include "proto/base/buf.h"
#include "proto/base/limits.h"
#include "proto/event/wire.h"
#include "proto/peer/socket.h"
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

/* The largest frame in: subscriptions, and the CURVE handshake, which this bound also holds for. */
#define SUBSCRIPTION_BYTES 4096

struct dk_publisher {
    void *announce, *feed;
    size_t feed_listeners;
    uint8_t log_uuid[16];
    struct dk_buf out;
};

int dk_publisher_new(struct dk_publisher **publisher, void *zmq, const struct dk_config *config,
                     const struct dk_key *server, const uint8_t log_uuid[16], struct dk_err *err)
{
    struct dk_publisher *p = calloc(1, sizeof *p);
    int verbose = 1;
    DK_ASSERT(p != NULL);
    memcpy(p->log_uuid, log_uuid, sizeof p->log_uuid);
    dk_buf_init(&p->out, DK_BLOCK_MAX_BYTES + DK_BLOCK_MAX_RECORDS * 16);
    p->announce = dk_socket_bind(zmq, ZMQ_XPUB, &config->announce, server, SUBSCRIPTION_BYTES, err);
    p->feed = p->announce == NULL
                  ? NULL
                  : dk_socket_bind(zmq, ZMQ_XPUB, &config->feed, server, SUBSCRIPTION_BYTES, err);
    *publisher = p;
    if (p->feed == NULL) {
        dk_publisher_free(publisher);
        return DK_EIO;
    }
    /* Every subscription is told, not only the first: they are counted. */
    DK_ASSERT(zmq_setsockopt(p->feed, ZMQ_XPUB_VERBOSER, &verbose, sizeof verbose) == 0);
    return 0;
}

void dk_publisher_free(struct dk_publisher **publisher)
{
    struct dk_publisher *p = *publisher;
    if (p == NULL) {
        return;
    }
    if (p->announce != NULL) {
        (void)zmq_close(p->announce);
    }
    if (p->feed != NULL) {
        (void)zmq_close(p->feed);
    }
    dk_buf_close(&p->out);
    free(p);
    *publisher = NULL;
}

/* Reads who came and went; returns the change in number. */
static long read_subscriptions(void *socket)
{
    uint8_t frame[SUBSCRIPTION_BYTES];
    long change = 0;
    int n;
    while ((n = zmq_recv(socket, frame, sizeof frame, ZMQ_DONTWAIT)) >= 0) {
        change += n == 0 ? 0 : frame[0] == 1 ? 1 : -1;
    }
    return change;
}

void dk_publisher_announce(struct dk_publisher *publisher, uint64_t head, int64_t now_us)
{
    (void)read_subscriptions(publisher->announce);
    dk_buf_clear(&publisher->out);
    if (dk_announce_write(&publisher->out, head, now_us, publisher->log_uuid) == 0) {
        (void)zmq_send(publisher->announce, publisher->out.data, publisher->out.size, ZMQ_DONTWAIT);
    }
}

void dk_publisher_feed(struct dk_publisher *publisher, const struct dk_batch *batch, int64_t now_us)
{
    struct dk_slice slice[DK_BLOCK_MAX_RECORDS];
    size_t i = 0;
    long change = read_subscriptions(publisher->feed);
    publisher->feed_listeners = (size_t)((long)publisher->feed_listeners + change);
    while (publisher->feed_listeners > 0 && i < batch->count) {
        size_t count = 0, bytes = 0, first = i;
        while (i < batch->count && count < DK_BLOCK_MAX_RECORDS) {
            slice[count].data = dk_batch_record(batch, i, &slice[count].size);
            if (count > 0 && bytes + slice[count].size > DK_BLOCK_MAX_BYTES) {
                break;
            }
            bytes += slice[count++].size;
            i++;
        }
        dk_buf_clear(&publisher->out);
        if (dk_feed_write(&publisher->out, batch->first + first, slice, count, now_us) == 0) {
            (void)zmq_send(publisher->feed, publisher->out.data, publisher->out.size, ZMQ_DONTWAIT);
        }
    }
}
