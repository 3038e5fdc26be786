/* The life of a ticket: what state its events make of it, and which action that state allows.
 *
 * DOMAIN "Ticket life". Two pure functions: `dk_ticket_check` judges an event before it is written
 * (the broker asks it, with the reference data of that point), `dk_ticket_apply` folds an event
 * that is written. Both look at nothing but their arguments. What each kind asks and changes stands
 * in README.md beside this file, and, case by case, in tests/unit/ticket_table.h.
 *
 *            +--------------- reopened ----------------+---------+
 *            v                                         |         |
 *   new --> open <--> pending (customer|supplier| --> solved --> closed
 *    |        |                internal)               ^
 *    +--------+----------------------------------------+       merged: final, from any but closed
 *
 * An imported event is what happened, so the rules keep it out of no log: it sets what it states
 * and nothing else (no default priority, no reopening by a message, no owner taken away), and the
 * ticket counts it as irregular when the rules, as far as they need no reference data, forbid it.
 *
 * `struct dk_ticket` is the entry of the heads file (broker/log/heads.h): fixed size, no pointers,
 * all bytes defined, so that equal logs give equal bytes. A change of what apply computes needs a
 * new DK_TICKET_FOLD_VERSION, and a new fold version of every role, as nodes keep tickets too. */
#ifndef DK_FOLD_TICKET_H
#define DK_FOLD_TICKET_H

#include "docket.pb-c.h"
#include "proto/base/err.h"
#include "proto/event/event.h"
#include "proto/refs/refs.h"
#include <stdbool.h>
#include <stdint.h>

#define DK_TICKET_FOLD_VERSION 3

enum dk_ticket_flag {
    DK_TICKET_HISTORICAL = 1, /* its Opened is imported and it is not adopted */
    DK_TICKET_ADOPTED = 2,
    DK_TICKET_CHECKLIST = 4,    /* answered, or excepted, since the last escalation or new line */
    DK_TICKET_APPROVAL = 8,     /* asked and not answered; one at a time */
    DK_TICKET_REPLIED = 16,     /* a human has replied in public */
    DK_TICKET_UNANSWERED = 32,  /* the customer's last public message has no human reply */
    DK_TICKET_HANDED_OVER = 64, /* temporarily: `returns_to` gets it back */
    DK_TICKET_ENTITLED = 128,   /* by exception: its product may lie outside the audience */
    DK_TICKET_AWAY = 256,       /* transferred to another site and not back */
};

struct dk_ticket {
    uint64_t last_position; /* 0 = no such ticket */
    uint64_t last_input;    /* position of the last event of a person, importer or supplier */
    uint64_t last_of_role[DK_DECIDER_ROLES]; /* [role - 1]: routing, sla, notification */
    uint64_t group;                          /* whose queue it is in, or 0 */
    uint64_t owner;                          /* the agent who works it, or 0 */
    uint64_t speaker;    /* the agent who speaks with the customer, or 0: the first to reply in
                            public, then whoever a HandoverDeclared names */
    uint64_t returns_to; /* owner before a temporary handover, or 0 */
    uint64_t offered;    /* agent with an open offer, or 0 */
    uint64_t product;
    uint64_t customer;
    uint64_t approver;     /* who is asked to approve; 0: nobody, or not known (imported) */
    uint64_t supplier;     /* who has it, or 0 */
    uint64_t acknowledged; /* the notice that was acknowledged last, or 0 */
    int64_t opened_us;     /* occurred */
    int64_t ended_us;      /* occurred of the last solve, close or merge; 0 while live */
    uint32_t version;      /* events so far */
    uint16_t irregular;    /* imported events that the rules do not allow; saturates */
    uint16_t reopened;     /* times from solved or closed to a live status; saturates */
    uint16_t flags;        /* enum dk_ticket_flag */
    uint8_t status;        /* Docket__Status */
    uint8_t pending;       /* Docket__Pending, when status is pending; none: not known (imported) */
    uint8_t priority;      /* Docket__Priority */
    uint8_t line;          /* 0 = not routed, or not known (imported); at most DK_TICKET_LINE_MAX */
    uint8_t type;          /* Docket__TicketType */
    uint8_t channel;       /* Docket__Channel */
};
_Static_assert(sizeof(struct dk_ticket) == 152, "every byte of a head is defined: no padding");

#define DK_TICKET_LINE_MAX 255

/* Judges `event` (stamped: position, recorded_us, occurred_us, flags) with its unpacked `body`
 * against the ticket as it is (all zero: no such ticket). `refs` may be NULL: then only what needs
 * no reference data is judged; what needs it is chosen by the event's occurred_us. `role` is the
 * appending key's, enum dk_role. 0, or a refusal with code, sentence and field:
 *   DK_ENOTFOUND   no such ticket          DK_EEXISTS     Opened twice
 *   DK_EILLEGAL    the state forbids it    DK_EREFERENCE  names an unknown agent, group, ...
 *   DK_EMOVED      it is at another site   DK_EINVAL      a value without a meaning (csat 6)
 *   DK_EEARLY      a clock event before its due (due_us > recorded_us)
 * Imported events (FLAG_IMPORTED) pass but for DK_ENOTFOUND, DK_EEXISTS and Adopted of a ticket
 * that is not historical. The decision of a node's role on a historical ticket is DK_EILLEGAL (T1).
 */
int dk_ticket_check(const struct dk_ticket *ticket, const struct dk_refs *refs, unsigned role,
                    const struct dk_envelope *event, const ProtobufCMessage *body,
                    struct dk_err *reason);

/* Whether only critical severity lets the customer of an Opened or a Classified, which
 * dk_ticket_check passes, have a product whose audience is another. The bypass is an event: an
 * ExceptionRecorded of type entitlement stands behind it in the same atomic request (DOMAIN "Ticket
 * life"); the broker refuses the request without it. `event` needs kind, flags and occurred_us. */
bool dk_ticket_bypasses(const struct dk_ticket *ticket, const struct dk_refs *refs,
                        const struct dk_envelope *event, const ProtobufCMessage *body);

/* Who acts, of an event of any kind: an agent or a supplier is one that is in force at the event's
 * occurred_us. Imported events pass. 0, or DK_EREFERENCE with field "actor". Of a ticket's event
 * dk_ticket_check asks it. */
int dk_actor_check(const struct dk_refs *refs, const struct dk_envelope *event,
                   struct dk_err *reason);

/* Folds one written event of this ticket, in position order. `body` is NULL for a kind that is not
 * known here: then only version and positions move. Never fails. */
void dk_ticket_apply(struct dk_ticket *ticket, const struct dk_envelope *event,
                     const ProtobufCMessage *body);

/* Whether nodes owe the ticket nothing (DOMAIN T1): historical and not adopted. */
static inline int dk_ticket_historical(const struct dk_ticket *ticket)
{
    return (ticket->flags & DK_TICKET_HISTORICAL) != 0;
}
/* New, open or pending. */
static inline int dk_ticket_live(const struct dk_ticket *ticket)
{
    return ticket->status >= DOCKET__STATUS__STATUS_NEW &&
           ticket->status <= DOCKET__STATUS__STATUS_PENDING;
}

/* What priority an event states: `stated` unless it is none, else what impact and urgency (1 =
 * high, 2 = medium, 3 = low; 0 = not given) make of it when both are given, else none: 1+1
 * critical, 1+2 high, 2+2 and 1+3 normal, 2+3 and 3+3 low. */
unsigned dk_priority_of(unsigned stated, unsigned impact, unsigned urgency);

/* "open", "pending (customer)", "critical", ...: the words of the command line and of JSON; "?" for
 * a number without a word. */
const char *dk_status_word(unsigned status, unsigned pending);
const char *dk_priority_word(unsigned priority);

#endif
