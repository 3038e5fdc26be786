/* Who is at the other end of a connection.
 *
 * A connection's key is settled by its handshake, for as long as it lasts, and a connection's
 * handle is never used again: so what ZAP said of it is read out of a message once, and remembered.
 */
#ifndef DK_NET_IDENTITY_H
#define DK_NET_IDENTITY_H

#include "broker/core/core.h"
#include <zmq.h>

struct dk_identities;

struct dk_identities *dk_identities_new(void);
void dk_identities_free(struct dk_identities **identities);

/* Fills role, actor and key of peer->connection, from which `payload` came. The payload, not the
 * routing id's frame, which loses its metadata once ZMQ_EVENTS was asked. 0, or DK_EACCES when the
 * message does not say who sent it. */
int dk_identity_of(struct dk_identities *identities, struct dk_peer *peer, zmq_msg_t *payload);

#endif
