/* A live node: a role's folder, fed by the log, whose intents go back to the broker.
 *
 *   announce (SUB) --> read the log from where the fold stands --> apply --> agenda
 *   agenda --> consider --> Append (numbered) --> accepted: wait until it is folded
 *                                            --> stale: fold on, consider again
 *
 * What is decided, and when, is the decider's (decider.h); this is the loop, the sockets and the
 * disk around it. */
#ifndef DK_RUNTIME_NODE_H
#define DK_RUNTIME_NODE_H

#include "nodes/runtime/folder.h"
#include "nodes/runtime/source.h"
#include "proto/peer/client.h"
#include "proto/peer/config.h"
#include <ev.h>

#define DK_NODE_CHECKPOINT_S 20.0
/* A checkpoint is also written when so many entries have changed: the loop stands still meanwhile.
 * Once live, what is due then is late; before, only queries wait, and larger ones cost less. */
#define DK_NODE_CHECKPOINT_ENTRIES         4096
#define DK_NODE_CATCHUP_CHECKPOINT_ENTRIES 131072
#define DK_NODE_BEAT_S                     1.0
#define DK_NODE_FOLD_PER_TURN              4096 /* records; then all else has its turn */

struct dk_node;

struct dk_node_options {
    enum dk_source_kind source;
    const char *key_name; /* NULL: the role's name */
};

int dk_node_new(struct dk_node **node, struct ev_loop *loop, void *zmq,
                const struct dk_config *config, const struct dk_role_ops *ops,
                const struct dk_node_options *options, struct dk_err *err);
/* Writes a last checkpoint. */
void dk_node_free(struct dk_node **node);

/* Whether decisions are made (the head after the start is folded). */
bool dk_node_live(const struct dk_node *node);
int64_t dk_node_now_us(const struct dk_node *node);
struct dk_folder *dk_node_folder(const struct dk_node *node);

/* For effects outside the log (a notice's delivery): called on the loop after each turn of folding
 * while live. What they bring about is appended as an intent of `item`: it waits for room, and is
 * dropped on a stale or refused answer, as all intents are. */
void dk_node_on_turn(struct dk_node *node, void (*on_turn)(void *arg), void *arg);
bool dk_node_append(struct dk_node *node, uint64_t item, const struct dk_intents *intents);

#endif
