/* Notices that wait to be sent together (N2): pure.
 *
 * Those of one receiver, rule and window form a digest when the window is over: from then on its
 * notices are fixed, and so is its id, a hash of theirs: it is one message, the same one, however
 * often it is tried. What comes later forms another one. */
#ifndef DK_DELIVERY_DIGESTS_H
#define DK_DELIVERY_DIGESTS_H

#include "nodes/notification/notification.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dk_digests;

struct dk_digests *dk_digests_new(void);
void dk_digests_free(struct dk_digests **digests);

/* A notice with digest_until_us, once, in the outbox's order; its digest goes into `lane`. */
void dk_digests_add(struct dk_digests *digests, uint64_t id, const struct dk_notice *notice,
                    uint64_t lane);

/* The next digest whose window is over at `now`; of at most DK_PAYLOAD_DIGEST_MAX notices. false:
 * there is none. */
bool dk_digests_next(struct dk_digests *digests, int64_t now_us, uint64_t *digest, uint64_t *lane);
/* When there may be one; INT64_MAX: never. */
int64_t dk_digests_due_us(struct dk_digests *digests);

/* The notices of a digest, as they were added; NULL when it is none. Good until it is done. */
const uint64_t *dk_digests_notices(const struct dk_digests *digests, uint64_t digest,
                                   size_t *count);
/* The digest that a notice is in, or 0. */
uint64_t dk_digests_of(const struct dk_digests *digests, uint64_t notice);
/* Forgotten; what is none is passed over. */
void dk_digests_done(struct dk_digests *digests, uint64_t digest);

#endif
