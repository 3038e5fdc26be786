/* A node's query socket: one Query message in, one Answer out; state is read, never changed. */
#ifndef DK_RUNTIME_QUERIES_H
#define DK_RUNTIME_QUERIES_H

#include "nodes/runtime/decider.h"
#include "nodes/runtime/folder.h"
#include "proto/peer/config.h"
#include <ev.h>

#define DK_QUERIES_WAITING  64      /* that ask for a position not folded yet */
#define DK_QUERY_WAIT_US    5000000 /* then they are refused */
#define DK_QUERY_JSON_BYTES (64u << 20)

struct dk_queries;

/* Binds the role's endpoint. `folder` and `decider` are borrowed. The query "pace" is answered
 * here: how far the node is, and when it acts next; what else is asked, by the folder. */
int dk_queries_start(struct dk_queries **queries, struct ev_loop *loop, void *zmq,
                     const struct dk_config *config, struct dk_folder *folder,
                     const struct dk_decider *decider, struct dk_err *err);
void dk_queries_stop(struct dk_queries **queries);

/* After folding, and now and then: answers those whose position has come or whose time is up. */
void dk_queries_turn(struct dk_queries *queries);

/* See dk_socket_keep_bound. */
void dk_queries_keep_bound(struct dk_queries *queries);

#endif
