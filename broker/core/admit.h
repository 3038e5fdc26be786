/* The judgement of one event, and its stamps.
 *
 * What is asked, in this order (DESIGN, Broker):
 *
 *   who         the key's role may append the kind, act as the actor, state an occurred time
 *   form        canonical record, stamped fields left 0, a body that unpacks and whose values hold
 *   number      append.c, which knows the request
 *   subject     the class fits; a ticket of this site; a definition's id is made from its key
 *   freshness   expected_version; a decision's basis
 *   legality    dk_ticket_check with the reference data of that point
 *
 * An event that passes moves the state and is stamped in place. */
#ifndef DK_CORE_ADMIT_H
#define DK_CORE_ADMIT_H

#include "broker/core/core.h"
#include "broker/core/pairs.h"
#include "broker/core/state.h"

/* What the events of one request share. */
struct dk_admission {
    const struct dk_peer *peer;
    int64_t recorded_us;
    int64_t clock_step_us; /* that waits to be accepted, 0 = none */
    uint64_t last_before;  /* the log's last position when the request began */
    bool atomic;
    size_t opened_count;                    /* Opened met so far, this one too */
    uint64_t opened[DK_REQUEST_MAX_EVENTS]; /* the ticket that each opened, 0 = refused */
    struct dk_pairs pairs;
    size_t bypassed_count; /* events that owe an exception (dk_ticket_bypasses) */
    struct {
        uint64_t ticket;
        uint32_t index;
    } bypassed[DK_REQUEST_MAX_EVENTS];
};

/* Roles that may append anything at all. */
bool dk_admit_role(unsigned role);

/* Judges one sent record (canonical, its number new), applies it to the state and stamps it.
 * `index` is its place in the request; `expected_version` 0 = any; `more`: the atomic request goes
 * on after it. On a refusal, with code, sentence and field, the state is as before and the record's
 * bytes are of no use. */
int dk_admit_event(struct dk_state *state, struct dk_admission *admission, uint8_t *record,
                   size_t record_bytes, uint32_t index, uint32_t expected_version, bool more,
                   struct dk_err *err);

/* What the events of an atomic request owe each other, once all are admitted: each half of a pair
 * its mirror, each bypass of entitlement its exception. 0, or DK_EILLEGAL; `*index` says of which
 * event. */
int dk_admit_whole(struct dk_state *state, struct dk_admission *admission, uint32_t *index,
                   struct dk_err *err);

#endif
