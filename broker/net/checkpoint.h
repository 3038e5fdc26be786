/* Checkpoints of the tickets' heads, so that a restart replays little of the log.
 *
 *   due -> freeze (loop) -> the frozen state is durable -> write (own thread) -> finish (loop)
 *                                       ^ after a pause, when it failed |     -> tidy (own thread)
 *                                       +-------------------------------+
 *
 * The thread writes at once, whatever else is behind: how long a restart takes hangs on it. */
#ifndef DK_NET_CHECKPOINT_H
#define DK_NET_CHECKPOINT_H

#include "broker/core/core.h"
#include "broker/log/heads.h"
#include <ev.h>

struct dk_checkpointer;

/* Core and heads are borrowed. */
int dk_checkpointer_start(struct dk_checkpointer **checkpointer, struct ev_loop *loop,
                          struct dk_core *core, struct dk_heads *heads, struct dk_err *err);
/* Waits for a write under way. */
void dk_checkpointer_stop(struct dk_checkpointer **checkpointer);

/* From the loop, now and then and after each commit: takes the next step that can be taken. */
void dk_checkpointer_step(struct dk_checkpointer *checkpointer);

#endif
