/* ZeroMQ sockets, made the one safe way: CURVE always, bounds always, linger said. */
#ifndef DK_PEER_SOCKET_H
#define DK_PEER_SOCKET_H

#include "proto/base/err.h"
#include "proto/peer/config.h"
#include "proto/peer/keys.h"
#include <stdint.h>

#define DK_ZAP_DOMAIN       "docket"      /* whoever has an allowed key */
#define DK_ZAP_RECORDS      "docket.feed" /* who may read the whole log: see zap.h */
#define DK_SOCKET_HWM       1000          /* frames queued for one peer, each way, at most ... */
#define DK_SOCKET_IN_BYTES  (64 << 20) /* ... and so many bytes of a server's peer that came in */
#define DK_SOCKET_OUT_BYTES (16 << 20) /* ... and that go out to it */
#define DK_HANDSHAKE_MS     5000
#define DK_LINGER_MS        0
#define DK_SOCKET_MAX_BYTES (65 << 20) /* one frame to a client; more ends the connection */

/* A server's socket (ROUTER, XPUB, REP), bound to every endpoint, for the keys of a ZAP domain (one
 * of those above). The ZAP handler must be running. `in_bytes` and `out_bytes` are the largest
 * frames that come in, which ends the connection when it is exceeded, and go out (0: small, or
 * counted by an outbox): what waits for a peer is bounded by them. NULL with DK_EIO, naming the
 * endpoint and what to do when it is in use or its path too long. */
void *dk_socket_bind(void *zmq, int type, const struct dk_endpoints *endpoints, const char *domain,
                     const struct dk_key *server, int64_t in_bytes, int64_t out_bytes,
                     struct dk_err *err);

/* Looks whether the paths of the socket's ipc endpoints are still there, and listens on them again
 * where they were deleted, which it says on stderr; peers that are connected stay so. For every
 * second or so: what cannot be bound is said again at each call. */
void dk_socket_keep_bound(void *socket, const struct dk_endpoints *endpoints);

/* A client's socket (DEALER, SUB, REQ) to one endpoint. SUB subscribes to everything. */
void *dk_socket_connect(void *zmq, int type, const char *endpoint, const struct dk_key *own,
                        const char server_public[DK_Z85_BYTES], struct dk_err *err);

/* Room for what a peer said it is: "role actor key" as ZAP's User-Id carries it. */
#define DK_USER_ID_BYTES 48
void dk_user_id_format(char user_id[DK_USER_ID_BYTES], unsigned role, uint64_t actor,
                       uint64_t key_id);
int dk_user_id_parse(const char *user_id, unsigned *role, uint64_t *actor, uint64_t *key_id);

#endif
