/* A batch that gathers or is being written, and the answers that wait for it.
 *
 * Records are copied in and stamped in place. Answers are kept as small structs and encoded only
 * when the batch is durable: one Reply for each connection, whatever the number of its requests (a
 * second one where the first would grow too large, or a ready frame comes between). All memory is
 * reserved at start. */
#ifndef DK_CORE_PENDING_H
#define DK_CORE_PENDING_H

#include "broker/log/batch.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/event/wire.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dk_pending;

/* Bounds: max_bytes >= DK_REQUEST_MAX_BYTES, max_records >= DK_REQUEST_MAX_EVENTS. */
int dk_pending_new(struct dk_pending **pending, size_t max_bytes, size_t max_records,
                   struct dk_err *err);
void dk_pending_free(struct dk_pending **pending);
void dk_pending_clear(struct dk_pending *pending);
size_t dk_pending_bytes(const struct dk_pending *pending); /* memory reserved */

/* Whether `events` more of `bytes` in all fit, with an answer and a refusal for each. */
bool dk_pending_fits(const struct dk_pending *pending, size_t events, size_t bytes);
bool dk_pending_empty(const struct dk_pending *pending); /* neither records nor answers */

/* Appends room for one record; the caller writes and stamps it. Never NULL after `fits`. */
uint8_t *dk_pending_add(struct dk_pending *pending, size_t bytes);
size_t dk_pending_count(const struct dk_pending *pending);
uint8_t *dk_pending_record(const struct dk_pending *pending, size_t i, size_t *bytes);
const struct dk_batch *dk_pending_batch(struct dk_pending *pending, uint64_t first);

/* Takes the records from index `count` on back: the rest of an atomic request was refused. */
void dk_pending_truncate(struct dk_pending *pending, size_t count);

/* An answer is begun for a request, filled event by event, and is complete with the next begin. */
void dk_pending_answer(struct dk_pending *pending, uint64_t connection, uint64_t request);

/* An event was accepted at `position` (0: not known any more) and opened a ticket (0: none). The
 * answer names the first position as long as the others follow it without a gap, else 0. */
void dk_pending_accepted(struct dk_pending *pending, uint64_t position, uint64_t opened_ticket);
void dk_pending_refused(struct dk_pending *pending, uint32_t index, const struct dk_err *err);

/* A ready frame that may be sent only when this batch is durable (copied). 0 or DK_EBUSY. */
int dk_pending_frame(struct dk_pending *pending, uint64_t connection, const uint8_t *frame,
                     size_t bytes);

/* Drops what waits for a connection. */
void dk_pending_forget(struct dk_pending *pending, uint64_t connection);

/* Encodes and hands out every answer, a connection's in the order of its requests, and forgets
 * them; the records stay. `scratch` is reused. */
void dk_pending_answers(struct dk_pending *pending, struct dk_buf *scratch,
                        void (*send)(void *arg, uint64_t connection, const uint8_t *frame,
                                     size_t bytes),
                        void *arg);

#endif
