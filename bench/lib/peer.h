/* What a user might pick instead: redis-server and nats-server, driven as hard as docket.
 *
 * Each is started in a folder of its own and takes the same payload from as many connections with
 * as many appends outstanding. Their protocols are written by hand on plain sockets: the clients
 * cost little. */
#ifndef DK_BENCH_PEER_H
#define DK_BENCH_PEER_H

#include "bench/lib/measure.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include <stdbool.h>
#include <sys/types.h>

#define DK_PEER_CLIENTS_MAX 16

/* One connection: what is to be sent, and what came in and is not understood yet. */
struct dk_peer_client {
    int fd;
    struct dk_buf out, in;
    size_t out_sent; /* of `out` */
    uint64_t sent, answered;
};

struct dk_peer {
    pid_t pid;
    unsigned clients, outstanding;
    struct dk_peer_client client[DK_PEER_CLIENTS_MAX];
    size_t payload_bytes;
    char payload[1024];
    /* The protocol: appends one request to `out`; takes whole answers off the front of `in` and
     * returns how many, or an error. */
    int (*put)(struct dk_peer *peer, struct dk_peer_client *client);
    int (*take)(struct dk_peer *peer, struct dk_peer_client *client, struct dk_err *err);
};

/* Redis 7 Streams with appendfsync always, over a UNIX socket: an XADD is on disk when answered. */
int dk_peer_redis(struct dk_peer *peer, const char *folder, unsigned clients, unsigned outstanding,
                  size_t payload_bytes, struct dk_err *err);
/* NATS JetStream with file storage, over loopback: an answered publish is NOT synced. */
int dk_peer_nats(struct dk_peer *peer, const char *folder, unsigned clients, unsigned outstanding,
                 size_t payload_bytes, struct dk_err *err);
void dk_peer_end(struct dk_peer *peer);

/* Reads the first `count` messages that were published, by a new ordered consumer: pushed, without
 * acknowledgements, with flow control. Nothing may be outstanding. */
int dk_peer_nats_read(struct dk_peer *peer, uint64_t count, struct dk_err *err);

/* Appends answered a second, after `warm_s`; `latency` may be NULL. Waits for what is outstanding.
 */
int dk_peer_run(struct dk_peer *peer, double warm_s, double seconds, double *events_s,
                struct dk_err *err);

/* For the protocols. Connects (again and again for 10 s) to a UNIX path, or a port of 127.0.0.1. */
int dk_peer_connect(struct dk_peer *peer, const char *path, unsigned port, struct dk_err *err);
/* Waits for what comes in and adds it to `in`, once what is in `out` is sent. */
int dk_peer_receive(struct dk_peer_client *client, struct dk_err *err);
/* Sends what is in `out` and waits until `in` holds `text`; then drops what came in. */
int dk_peer_expect(struct dk_peer_client *client, const char *text, struct dk_err *err);

#endif
