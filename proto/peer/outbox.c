#include "proto/peer/outbox.h"
#include "proto/base/err.h"
#include "proto/base/limits.h"
#include "proto/base/map.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define ROUTING_ID_BYTES 5 /* a zero, then 32 bits that libzmq counts up */
#define CONNECTION_MARK  (UINT64_C(1) << 63)
#define PEERS_MAX        (UINT64_C(1) << 20)

/* Kept while the map knows it, or libzmq holds a frame of it. */
struct peer {
    _Atomic size_t holders;
    _Atomic size_t bytes; /* in frames that libzmq holds */
    size_t reads;         /* under way */
};

/* A large frame, as libzmq holds it: freed by one of its threads. `peer` is set last and read
 * first, so that the order is certain without looking into libzmq. */
struct held {
    _Atomic(struct peer *) peer;
    size_t bytes;
    uint8_t frame[];
};

struct dk_outbox {
    void *router;
    struct dk_map peers; /* connection -> struct peer * */
};

static void let_go(struct peer *peer)
{
    if (atomic_fetch_sub(&peer->holders, 1) == 1) {
        free(peer);
    }
}

struct dk_outbox *dk_outbox_new(void *router)
{
    struct dk_outbox *outbox = calloc(1, sizeof *outbox);
    DK_ASSERT(outbox != NULL);
    outbox->router = router;
    dk_map_init(&outbox->peers, sizeof(struct peer *), PEERS_MAX);
    return outbox;
}

void dk_outbox_free(struct dk_outbox **outbox)
{
    struct dk_outbox *o = *outbox;
    size_t cursor = 0;
    uint64_t connection;
    void *value;
    if (o == NULL) {
        return;
    }
    while (dk_map_next(&o->peers, &cursor, &connection, &value)) {
        let_go(*(struct peer **)value);
    }
    dk_map_close(&o->peers);
    free(o);
    *outbox = NULL;
}

uint64_t dk_connection_of(const uint8_t *routing_id, size_t bytes)
{
    uint64_t connection = CONNECTION_MARK;
    if (bytes != ROUTING_ID_BYTES || routing_id[0] != 0) {
        return 0;
    }
    for (int i = 0; i < ROUTING_ID_BYTES; i++) {
        connection |= (uint64_t)routing_id[i] << (8 * i);
    }
    return connection;
}

static struct peer *peer_of(struct dk_outbox *outbox, uint64_t connection)
{
    struct peer **peer = dk_map_put(&outbox->peers, connection, NULL);
    DK_ASSERT(peer != NULL);
    if (*peer == NULL) {
        *peer = calloc(1, sizeof **peer);
        DK_ASSERT(*peer != NULL);
        atomic_store(&(*peer)->holders, 1);
    }
    return *peer;
}

static void on_free(void *data, void *hint)
{
    struct held *held = hint;
    struct peer *peer = atomic_load(&held->peer);
    size_t bytes = held->bytes;
    (void)data;
    free(held);
    (void)atomic_fetch_sub(&peer->bytes, bytes);
    let_go(peer);
}

/* A frame that is counted while libzmq holds it; false when it would be too much. */
static bool hold(struct dk_outbox *outbox, uint64_t connection, const uint8_t *frame, size_t bytes,
                 zmq_msg_t *message)
{
    struct peer *peer = peer_of(outbox, connection);
    size_t waiting = atomic_load(&peer->bytes);
    if (waiting > 0 && waiting + bytes > DK_OUTBOX_PEER_BYTES) {
        return false;
    }
    struct held *held = malloc(sizeof *held + bytes);
    DK_ASSERT(held != NULL);
    held->bytes = bytes;
    memcpy(held->frame, frame, bytes);
    (void)atomic_fetch_add(&peer->bytes, bytes);
    (void)atomic_fetch_add(&peer->holders, 1);
    atomic_store(&held->peer, peer);
    DK_ASSERT(zmq_msg_init_data(message, held->frame, bytes, on_free, held) == 0);
    return true;
}

static int send_id(struct dk_outbox *outbox, uint64_t connection)
{
    uint8_t id[ROUTING_ID_BYTES];
    for (int i = 0; i < ROUTING_ID_BYTES; i++) {
        id[i] = (uint8_t)(connection >> (8 * i));
    }
    if (zmq_send(outbox->router, id, sizeof id, ZMQ_DONTWAIT | ZMQ_SNDMORE) >= 0) {
        return 0;
    }
    return errno == EHOSTUNREACH ? DK_ENOTFOUND : DK_EBUSY;
}

int dk_outbox_send(struct dk_outbox *outbox, uint64_t connection, const uint8_t *frame,
                   size_t bytes)
{
    zmq_msg_t message;
    if (bytes <= DK_OUTBOX_SMALL_BYTES) {
        int rc = send_id(outbox, connection);
        return rc == 0 && zmq_send(outbox->router, frame, bytes, ZMQ_DONTWAIT) < 0 ? DK_EBUSY : rc;
    }
    if (!hold(outbox, connection, frame, bytes, &message)) {
        return DK_EBUSY;
    }
    int rc = send_id(outbox, connection);
    if (rc == 0 && zmq_msg_send(&message, outbox->router, ZMQ_DONTWAIT) < 0) {
        rc = DK_EBUSY;
    }
    if (rc != 0) {
        (void)zmq_msg_close(&message);
    }
    return rc;
}

bool dk_outbox_reserve(struct dk_outbox *outbox, uint64_t connection)
{
    struct peer *peer = peer_of(outbox, connection);
    size_t reads_bytes = (peer->reads + 1) * DK_FETCH_MAX_BYTES;
    if (atomic_load(&peer->bytes) + reads_bytes > DK_OUTBOX_PEER_BYTES) {
        return false;
    }
    peer->reads++;
    return true;
}

void dk_outbox_release(struct dk_outbox *outbox, uint64_t connection)
{
    struct peer *peer = peer_of(outbox, connection);
    DK_ASSERT(peer->reads > 0);
    peer->reads--;
}

void dk_outbox_sweep(struct dk_outbox *outbox)
{
    size_t cursor = 0;
    uint64_t connection;
    void *value;
    while (dk_map_next(&outbox->peers, &cursor, &connection, &value)) {
        struct peer *peer = *(struct peer **)value;
        if (peer->reads == 0 && atomic_load(&peer->holders) == 1) {
            let_go(peer);
            (void)dk_map_remove(&outbox->peers, connection);
            cursor--; /* another entry may stand here now */
        }
    }
}
