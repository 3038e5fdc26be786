/* The ZAP handler (ZeroMQ RFC 27): says which CURVE keys may connect, and as what.
 *
 * A thread on inproc://zeromq.zap.01. It must run before any server socket is bound: without a
 * handler libzmq lets every client key in. Any allowed key may connect in the domain DK_ZAP_DOMAIN,
 * in DK_ZAP_RECORDS those of nodes, analysts and followers (DESIGN, Broker). It reads
 * KEYS/allowed.yaml again whenever that changed, so a key that is allowed or taken away needs no
 * restart (established connections stay until they reconnect). */
#ifndef DK_PEER_ZAP_H
#define DK_PEER_ZAP_H

#include "proto/base/err.h"

struct dk_zap;

int dk_zap_start(struct dk_zap **zap, void *zmq, const char *keys_dir, struct dk_err *err);

/* After the context's sockets are closed. */
void dk_zap_stop(struct dk_zap **zap);

/* Connects to `endpoint` with a key that nobody knows and sees that it is refused. 0, or DK_EACCES:
 * the broker must not start. */
int dk_zap_self_test(void *zmq, const char *endpoint, const char *server_public,
                     struct dk_err *err);

#endif
