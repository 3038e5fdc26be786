/* Replies on their way to peers, bounded in bytes for each.
 *
 * Of a ROUTER socket: the broker's for requests, a node's for queries. A peer that asks and does
 * not read must not grow memory. libzmq bounds frames (DK_SOCKET_HWM), not bytes: so what it holds
 * of large frames is counted, from the send until it frees them. Small ones are bounded by their
 * number. A peer's reads are counted before they begin, so that none is made for nothing. One
 * thread, but for what libzmq frees. */
#ifndef DK_PEER_OUTBOX_H
#define DK_PEER_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DK_OUTBOX_SMALL_BYTES 4096       /* a frame up to here is not counted */
#define DK_OUTBOX_PEER_BYTES  (16 << 20) /* that wait for one peer, reads under way included */

struct dk_outbox;

/* `router` is borrowed. */
struct dk_outbox *dk_outbox_new(void *router);
void dk_outbox_free(struct dk_outbox **outbox);

/* A connection's handle is the routing id that libzmq made for it, read as a number; 0 for an id
 * that the peer chose itself. */
uint64_t dk_connection_of(const uint8_t *routing_id, size_t bytes);

/* 0; DK_ENOTFOUND: the peer is gone; DK_EBUSY: too much waits for it, and the frame is dropped. A
 * frame beyond the bound goes when nothing waits. */
int dk_outbox_send(struct dk_outbox *outbox, uint64_t connection, const uint8_t *frame,
                   size_t bytes);

/* A read for the peer begins, and has ended; false: too much waits for it already. */
bool dk_outbox_reserve(struct dk_outbox *outbox, uint64_t connection);
void dk_outbox_release(struct dk_outbox *outbox, uint64_t connection);

/* Forgets peers for whom nothing waits; now and then. */
void dk_outbox_sweep(struct dk_outbox *outbox);

#endif
