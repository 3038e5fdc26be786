/* Producers: who numbers its events, what was answered, and whose session it is.
 *
 * A producer is a name under a key; it numbers its events 1, 2, ... Its last DK_PRODUCER_ANSWERS
 * accepted numbers are kept with their answers, and as many refused ones, so that a repeat is
 * answered and not written again:
 *
 *   number      last + 1        new: judge it, then `remember`
 *               beyond          DK_EORDER
 *               remembered      the same was sent: the same answer; else: DK_EREUSED
 *               older           accepted, position not known any more
 *
 * A refused number counts as seen. What was accepted is a function of the log and is saved with a
 * checkpoint; refusals are not, and so a restart knows of a number between two accepted ones only
 * that it was refused. Sessions: Hello takes a producer over; what an earlier session still sends
 * is DK_EFENCED. Sessions are not durable. */
#ifndef DK_CORE_PRODUCERS_H
#define DK_CORE_PRODUCERS_H

#include "proto/base/buf.h"
#include "proto/base/err.h"
#include <stddef.h>
#include <stdint.h>

struct dk_producers;

int dk_producers_new(struct dk_producers **producers, size_t max_count, struct dk_err *err);
void dk_producers_free(struct dk_producers **producers);

/* The id of `name` under a key. Never 0. */
uint64_t dk_producer_id(uint64_t key_id, const void *name, size_t name_bytes);

/* Hello: the session of `producer` is `connection` now. Fills the last number seen. When max_count
 * is reached, producers that never sent anything are forgotten: their next event is DK_EHELLO. 0 or
 * DK_EBUSY (all have sent something). */
int dk_producers_hello(struct dk_producers *producers, uint64_t producer, uint64_t connection,
                       uint64_t *last_number, struct dk_err *err);
/* Ends the connection's sessions; forgets producers that never sent anything. */
void dk_producers_disconnected(struct dk_producers *producers, uint64_t connection);

/* 0; DK_EHELLO; DK_EFENCED. */
int dk_producers_session(struct dk_producers *producers, uint64_t producer, uint64_t connection,
                         struct dk_err *err);

enum dk_number { DK_NUMBER_NEW, DK_NUMBER_REPEATED, DK_NUMBER_FORGOTTEN };
struct dk_answer {
    uint64_t position; /* 0 = it was refused */
    uint64_t opened;   /* the ticket that it opened, or 0 */
    uint64_t subject;  /* what was sent, as struct dk_sent has it */
    uint64_t other;
    int code; /* of the refusal; 0 with position 0: fell with its atomic request */
    uint32_t digest;
};
/* What was sent under a number. Tickets that the request itself opens are those that it opened, as
 * far as that is known: such a name by which nothing is known any more is taken for any ticket. */
struct dk_sent {
    uint64_t subject;
    uint64_t other;  /* dk_record_other */
    uint32_t digest; /* dk_record_digest */
};
/* What `number` is; fills *answer for DK_NUMBER_REPEATED. A number that was refused, nobody knows
 * why any more, has the code DK_EORDER. Negative: DK_EORDER, DK_EREUSED. */
int dk_producers_number(struct dk_producers *producers, uint64_t producer, uint64_t number,
                        const struct dk_sent *sent, struct dk_answer *answer, struct dk_err *err);

/* `number` (last + 1, or, in recovery, any later one) was answered. A producer not known is made:
 * recovery meets them in the log. 0, DK_EBUSY, DK_ENOMEM; DK_ECORRUPT for a number that went back.
 */
int dk_producers_remember(struct dk_producers *producers, uint64_t producer, uint64_t number,
                          const struct dk_answer *answer);

/* Of what a producer sent, computed alike from the sent and from the stored record: kind, actor,
 * body (but for the ticket that half of a pair names, see named.h), and occurred where it was
 * stated. The subject and that ticket are told apart from it, as the broker may replace both. */
uint32_t dk_record_digest(const uint8_t *record, size_t record_bytes);
/* The ticket that half of a pair names; 0 of other kinds. */
uint64_t dk_record_other(const uint8_t *record, size_t record_bytes);
/* The digest over all of it. */
uint32_t dk_sent_digest(const struct dk_sent *sent);

size_t dk_producers_bytes(const struct dk_producers *producers); /* memory taken */

/* Accepted numbers and their answers as they are now: a view costs some bytes a producer, and may
 * be read in another thread while the producers go on; made and freed in the owner's. 0, DK_ENOMEM.
 */
struct dk_producers_view;
int dk_producers_freeze(const struct dk_producers *producers, struct dk_producers_view **view);
void dk_producers_view_free(struct dk_producers_view **view);

/* The same, ordered by producer, to a checkpoint's annex and back. 0, DK_ETOOBIG; DK_ECORRUPT,
 * DK_EBUSY. */
int dk_producers_save(struct dk_producers_view *view, struct dk_buf *out);
int dk_producers_load(struct dk_producers *producers, const uint8_t *data, size_t bytes,
                      size_t *used, struct dk_err *err);

#endif
