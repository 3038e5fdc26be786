/* The notification role: who must hear of what (DOMAIN N1-N4).
 *
 *   event, rules in force at its `occurred`, their conditions hold
 *        --> an obligation, or a chain  --> NotificationRequested    (owed, see `consider`)
 *   NotificationRequested comes back  --> a pending notice: the outbox
 *   NotificationSent, or a final NotificationFailed --> out of it; the dead are kept in a list
 *   NotificationRetried --> from the dead into the outbox; NotificationDropped --> in neither
 *   solved, N working days ago        --> FollowedUp                (N4)
 *
 * The item of everything is the ticket. Nothing is owed for historical tickets and imported events
 * (T1), nor for what happens to notices themselves: a notice about a notice would never end.
 *
 * What leaves the house is the delivery's business (delivery/delivery.h), which reads the outbox
 * here and is linked into docket-node only: replay and simulation fold this role and cannot reach a
 * transport. */
#ifndef DK_NOTIFICATION_NOTIFICATION_H
#define DK_NOTIFICATION_NOTIFICATION_H

#include "nodes/runtime/role.h"
#include "proto/fold/traits.h"
#include <stdbool.h>
#include <stdint.h>

/* Queries: "outbox" (what is pending, attempts and the next one) and "dead" (what was given up), in
 * the order in which they came there, after=POSITION, at most limit=N (100; DK_NOTICES_LISTED);
 * "notice", id=HEX: where a notice stands, DK_ENOTFOUND when in neither. */
extern const struct dk_role_ops dk_notification_role;

#define DK_NOTICE_LANGUAGE_BYTES 16
#define DK_NOTICES_LISTED        1000

/* A notice that was requested. Its id, the key it is kept under, is made (proto/fold/notice.h) of a
 * hash of the event it tells of, rule and version, recipient and transport, and of a chain's step
 * and round (N1): the same notice has the same id whoever computes it, so a receiver can tell a
 * repeat. */
struct dk_notice {
    uint64_t position;  /* its place in the outbox: of its NotificationRequested, or of a retry */
    uint64_t requested; /* position of its NotificationRequested: the address stands there */
    uint64_t ticket;
    uint64_t cause; /* position of the event that it tells of */
    uint64_t rule;
    uint64_t template;
    uint64_t recipient;      /* subject, or 0 */
    uint64_t receiver;       /* hash of transport and address; never 0 */
    int64_t digest_until_us; /* sent with the receiver's others of the rule, then; 0: by itself */
    int64_t texts_us;        /* whose template is used; 0: the event's `occurred` */
    uint32_t rule_version;
    uint32_t transport; /* Docket__Transport */
    uint32_t step;      /* of the rule's chain */
    uint32_t round;
    char language[DK_NOTICE_LANGUAGE_BYTES]; /* padded with NULs; "": the default */
};
_Static_assert(sizeof(struct dk_notice) == 112, "flat, without padding");

/* A pending notice by its id; NULL when it is not pending. Good until the next apply. */
const struct dk_notice *dk_notification_find(const void *self, uint64_t notice);

/* The pending notice whose place is next after position `after`: its id, and itself; NULL when
 * there is none. */
const struct dk_notice *dk_notification_next(const void *self, uint64_t after, uint64_t *notice);

/* N2: from when on, `now` or later, the notice may reach its recipient: it was requested in their
 * hours, but who delivers may fail, or come to it only after them. */
int64_t dk_notification_from_us(const void *self, const struct dk_notice *notice, int64_t now_us);

/* What is kept of a ticket, however it goes on: dk_notice_ticket_bytes of it. */
struct dk_notice_ticket {
    uint64_t opened;                         /* position of its Opened: its subject stands there */
    char language[DK_NOTICE_LANGUAGE_BYTES]; /* whole, as templates want it; padded with NULs */
    struct dk_traits traits;
};

static inline size_t dk_notice_ticket_bytes(const struct dk_notice_ticket *ticket)
{
    return offsetof(struct dk_notice_ticket, traits) + dk_traits_bytes(&ticket->traits);
}

/* NULL: a ticket without events. Good until the next apply; not to be copied by assignment, as it
 * ends with its last tag. */
const struct dk_notice_ticket *dk_notification_ticket(const void *self, uint64_t ticket);

/* What a delivery tells of a pending notice, shown by the query "outbox"; in memory only. */
#define DK_ATTEMPT_ERROR_BYTES 96
struct dk_attempts {
    uint32_t count;                     /* that failed, since the node's start */
    int64_t next_us;                    /* of the next one; 0: now */
    char error[DK_ATTEMPT_ERROR_BYTES]; /* of the last one, or "" */
};
/* `attempts_of` may be NULL: nobody delivers. */
void dk_notification_show_attempts(void *self,
                                   void (*attempts_of)(void *arg, uint64_t notice,
                                                       struct dk_attempts *attempts),
                                   void *arg);

#endif
