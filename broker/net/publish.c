#include "broker/net/publish.h"
#include "proto/base/buf.h"
#include "proto/base/limits.h"
#include "proto/event/wire.h"
#include "proto/peer/socket.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

/* The largest frame in: subscriptions, and the CURVE handshake, which this bound also holds for. */
#define SUBSCRIPTION_BYTES 4096

struct dk_publisher {
    void *announce, *feed;
    bool listened; /* somebody has subscribed to the feed */
    uint8_t log_uuid[16];
    struct dk_buf out;
};

int dk_publisher_new(struct dk_publisher **publisher, void *zmq, const struct dk_config *config,
                     const struct dk_key *server, const uint8_t log_uuid[16], struct dk_err *err)
{
    struct dk_publisher *p = calloc(1, sizeof *p);
    DK_ASSERT(p != NULL);
    memcpy(p->log_uuid, log_uuid, sizeof p->log_uuid);
    dk_buf_init(&p->out, DK_BLOCK_MAX_BYTES + DK_BLOCK_MAX_RECORDS * 16);
    p->announce = dk_socket_bind(zmq, ZMQ_XPUB, &config->announce, DK_ZAP_DOMAIN, server,
                                 SUBSCRIPTION_BYTES, 0, err);
    p->feed = p->announce == NULL
                  ? NULL
                  : dk_socket_bind(zmq, ZMQ_XPUB, &config->feed, DK_ZAP_RECORDS, server,
                                   SUBSCRIPTION_BYTES, DK_BLOCK_MAX_BYTES, err);
    *publisher = p;
    if (p->feed == NULL) {
        dk_publisher_free(publisher);
        return DK_EIO;
    }
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

void dk_publisher_keep_bound(struct dk_publisher *publisher, const struct dk_config *config)
{
    dk_socket_keep_bound(publisher->announce, &config->announce);
    dk_socket_keep_bound(publisher->feed, &config->feed);
}

/* Reads who came and went; whether somebody came. */
static bool read_subscriptions(void *socket)
{
    uint8_t frame[SUBSCRIPTION_BYTES];
    bool came = false;
    int n;
    while ((n = zmq_recv(socket, frame, sizeof frame, ZMQ_DONTWAIT)) >= 0) {
        came |= n > 0 && frame[0] == 1;
    }
    return came;
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
    /* Goings are not counted: any peer can say that it goes, also one that never came. */
    publisher->listened |= read_subscriptions(publisher->feed);
    while (publisher->listened && i < batch->count) {
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
