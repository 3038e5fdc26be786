/* What dk_ticket_check and dk_ticket_apply share; of proto/fold only. */
#ifndef DK_FOLD_TICKET_LIFE_H
#define DK_FOLD_TICKET_LIFE_H

#include "proto/fold/ticket.h"
#include <stdbool.h>

/* The rules that need no reference data, for live and imported events alike: what refuses the one
 * makes the other irregular. Errors as dk_ticket_check. `refs` gives a reason the names of people,
 * and may be NULL. */
int dk_life_judge(const struct dk_ticket *ticket, const struct dk_refs *refs,
                  const struct dk_envelope *event, const ProtobufCMessage *body,
                  struct dk_err *reason);

/* The rules that need it: who acts and what the event names exists and fits, the agent can sign,
 * the customer is entitled, the reopening is in time. For events that dk_life_judge has passed. */
int dk_life_references(const struct dk_ticket *ticket, const struct dk_refs *refs,
                       const struct dk_envelope *event, const ProtobufCMessage *body,
                       struct dk_err *reason);

/* Who may do it: no customer does what the desk decides, nobody else rates, no agent routes a
 * ticket past the checklist of an escalation, nor is before its owner in speaking to the customer,
 * to whom nobody speaks but agents and, automatically, programs of an operator.
 * For live events that the two above have passed; `refs` may be NULL. Errors as dk_ticket_check. */
int dk_life_who(const struct dk_ticket *ticket, const struct dk_refs *refs,
                const struct dk_envelope *event, const ProtobufCMessage *body,
                struct dk_err *reason);

static inline bool dk_life_imported(const struct dk_envelope *event)
{
    return (event->flags & DOCKET__EVENT_FLAG__FLAG_IMPORTED) != 0;
}

/* A reply that an agent's hand wrote: it wants a signature and the right speaker. */
static inline bool dk_life_agent_reply(const struct dk_envelope *event,
                                       const Docket__MessagePublic *message)
{
    return message->direction == DOCKET__DIRECTION__DIRECTION_OUTBOUND && !message->automatic &&
           dk_id_class(event->actor) == DK_ACTOR_AGENT;
}

/* An answer of no to any but the workaround leaves the checklist open. */
static inline bool dk_life_checklist_done(const Docket__ChecklistAnswered *answers)
{
    return answers->understood && answers->standard_steps_tried && answers->known_fixes_tried &&
           answers->said_in_product_terms && answers->data_collected;
}

#endif
