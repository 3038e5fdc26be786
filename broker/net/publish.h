/* The two XPUB sockets: positions for everybody, records for nodes and followers.
 *
 * Both may drop for a slow subscriber: the log is the channel, and who sees a gap fetches. The feed
 * is encoded only while somebody listens. */
#ifndef DK_NET_PUBLISH_H
#define DK_NET_PUBLISH_H

#include "broker/log/batch.h"
#include "proto/base/err.h"
#include "proto/peer/config.h"
#include "proto/peer/keys.h"
#include <stdint.h>

struct dk_publisher;

int dk_publisher_new(struct dk_publisher **publisher, void *zmq, const struct dk_config *config,
                     const struct dk_key *server, const uint8_t log_uuid[16], struct dk_err *err);
void dk_publisher_free(struct dk_publisher **publisher);

/* See dk_socket_keep_bound; `config` is that of dk_publisher_new. */
void dk_publisher_keep_bound(struct dk_publisher *publisher, const struct dk_config *config);

void dk_publisher_announce(struct dk_publisher *publisher, uint64_t head, int64_t now_us);
/* A durable batch, as Feed messages of at most a block each. */
void dk_publisher_feed(struct dk_publisher *publisher, const struct dk_batch *batch,
                       int64_t now_us);

#endif
