/* The broker's core: judges requests, gathers what it admits, answers when it is durable.
 *
 * Pure: time, storage and peers are handed in; no socket, no thread, no clock of its own. The
 * daemon (broker/net) and the simulator (tests/sim) drive the same object code:
 *
 *     dk_core_request ...           admitted events gather in a pending batch, with their answers
 *     dk_core_take                  -> the batch to write, while the next one gathers
 *     dk_write_step ...             appended, then synced, by whoever drives (the commit thread)
 *     dk_core_committed             -> replies, and the batch to publish
 *
 * Admission, in this order: who (role and kind), size and canonical form, producer number,
 * freshness, legality (DESIGN, Broker). State moves ahead of durability: an event is judged against
 * events that are still being written, and so every answer, refusals too, waits in the batch that
 * holds what it was judged against. A failed write ends the process, so nothing is ever undone but
 * the events of an atomic request of which one is refused.
 *
 * Everything the core knows is a function of the log: recovered from a heads checkpoint and the
 * log's tail (recover.h). Bounds are in `struct dk_core_options`; a full one makes `dk_core_full`
 * true (the driver stops reading) or refuses with DK_EBUSY. */
#ifndef DK_CORE_CORE_H
#define DK_CORE_CORE_H

#include "broker/log/heads.h"
#include "broker/log/log.h"
#include "broker/log/store.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/event/wire.h"
#include "proto/fold/ticket.h"
#include "proto/refs/refs.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dk_core;

/* Who sent a request: said by its key (ZAP), never by itself. */
struct dk_peer {
    uint64_t connection; /* the driver's handle; names where answers go. Never 0, never reused */
    uint64_t key_id;     /* of its public key */
    uint64_t actor;      /* that the key is bound to, or 0: any that the role allows */
    unsigned role;       /* enum dk_role */
};

struct dk_now {
    int64_t wall_us;
    int64_t boot_us;
};

struct dk_core_options {
    size_t batch_max_bytes;     /* records of one commit; default 4 MiB */
    size_t batch_max_records;   /* default 16,384 */
    size_t producers_max;       /* default 65,536 */
    size_t one_shots_max;       /* default 2^20 */
    uint64_t checkpoint_events; /* heads are checkpointed after so many; default 500,000 */
};
void dk_core_defaults(struct dk_core_options *options);

/* Where frames go. `send` must not fail: a peer that is gone or full is the driver's business. */
struct dk_core_output {
    void *arg;
    void (*send)(void *arg, uint64_t connection, const uint8_t *frame, size_t bytes);
};

/* Recovers from heads (borrowed) and the store's tail, with progress (may be NULL). The store and
 * output are borrowed for the core's life. 0, DK_ECORRUPT (names the position), DK_ENOMEM, ... */
int dk_core_new(struct dk_core **core, const struct dk_log_identity *identity,
                struct dk_store *store, struct dk_heads *heads,
                const struct dk_core_options *options, const struct dk_core_output *output,
                struct dk_now now, void (*on_progress)(void *arg, uint64_t done, uint64_t total),
                void *progress_arg, struct dk_err *err);
void dk_core_free(struct dk_core **core);

/* One request frame of Hello, Append, AppendList, TicketState or Head; answers go to `output`, at
 * once or with a batch. Ops that the core does not serve give false, and nothing was done. */
bool dk_core_request(struct dk_core *core, const struct dk_peer *peer, struct dk_now now,
                     const struct dk_request *request);

/* The peer is gone: its sessions end, its waiting answers are dropped. */
void dk_core_disconnected(struct dk_core *core, uint64_t connection);

/* Whether the gathering batch can take a request of the largest size. When not, read no requests.
 */
bool dk_core_full(const struct dk_core *core);

/* Whether appends are refused, and why: set by the driver from dk_space_accepting. */
void dk_core_set_space(struct dk_core *core, bool accepting);

/* The batch that has gathered, to be written next: NULL when there is none or one is being written
 * already. Its memory is stable until dk_core_committed. Call it after requests even when nothing
 * was appended: answers that gathered without records, while nothing is being written, go out. */
const struct dk_batch *dk_core_take(struct dk_core *core);

/* The taken batch is durable: sends its answers (one Reply for each connection). The batch's memory
 * stays until the next take, so that the driver can publish it. */
void dk_core_committed(struct dk_core *core);

/* Positions: the last admitted, and the last durable. */
uint64_t dk_core_last(const struct dk_core *core);
uint64_t dk_core_durable(const struct dk_core *core);

/* The broker's time as it would stamp now, for announcements and heartbeats. */
int64_t dk_core_time_us(struct dk_core *core, struct dk_now now);

/* Checkpoints of heads: `due` when enough has changed; `begin` freezes at dk_core_last (the driver
 * then waits until that is durable, has dk_heads_write done by a thread, and calls
 * dk_heads_finish).
 */
bool dk_core_checkpoint_due(const struct dk_core *core);
int dk_core_checkpoint_begin(struct dk_core *core, struct dk_err *err);

struct dk_core_stats {
    uint64_t accepted, refused, commits;
    uint64_t tickets, open_tickets;
    size_t memory_bytes; /* own structures, not mapped files */
    bool accepting;
    const char *why_not; /* a sentence, or NULL */
};
void dk_core_stats(const struct dk_core *core, struct dk_core_stats *stats);

/* The last admitted position of any subject, 0 when there is none. */
uint64_t dk_core_last_of(const struct dk_core *core, uint64_t subject);

/* Read-only views, of durable and not yet durable state alike; for tests and the simulator. */
const struct dk_ticket *dk_core_ticket(const struct dk_core *core, uint64_t ticket);
const struct dk_refs *dk_core_refs(const struct dk_core *core);

#endif
