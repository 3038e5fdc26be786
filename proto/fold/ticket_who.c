#include "proto/fold/ticket_life.h"

/* Critical severity passes the entitlement of whoever asks for help, too: the exception that says
 * so goes with the opening (dk_ticket_bypasses). */
static bool is_bypass(const struct dk_ticket *ticket, const Docket__ExceptionRecorded *exception)
{
    return exception->type == DOCKET__EXCEPTION_TYPE__EXCEPTION_ENTITLEMENT &&
           ticket->version == 1 && ticket->priority == DOCKET__PRIORITY__PRIORITY_CRITICAL;
}

/* What only the desk decides, or answers for: no customer does it. */
static bool is_desks(const struct dk_ticket *ticket, uint32_t kind, const void *body)
{
    switch (kind) {
    case DK_KIND_CLASSIFIED:
    case DK_KIND_ROUTED:
    case DK_KIND_OFFER_DECLINED:
    case DK_KIND_ASSIGNED:
    case DK_KIND_HANDOVER_DECLARED:
    case DK_KIND_NOTE_ADDED:
    case DK_KIND_CHECKLIST_ANSWERED:
    case DK_KIND_SUPPLIER_HANDED:
    case DK_KIND_SUPPLIER_RETURNED:
    case DK_KIND_MERGED_INTO:
    case DK_KIND_MERGED_FROM:
    case DK_KIND_LINKED_TO:
    case DK_KIND_LINKED_FROM:
    case DK_KIND_TIME_LOGGED:
    case DK_KIND_ATTACHMENT_ERASED:
    case DK_KIND_FOLLOWED_UP:
    case DK_KIND_REQUESTER_CHANGED:
    case DK_KIND_APPROVAL_ASKED:
    case DK_KIND_REMINDER_SET: return true;
    case DK_KIND_EXCEPTION_RECORDED: return !is_bypass(ticket, body);
    case DK_KIND_STATUS_CHANGED: /* solved, open again and closed: whoever asked for help, too */
        return ((const Docket__StatusChanged *)body)->status == DOCKET__STATUS__STATUS_PENDING;
    case DK_KIND_ESCALATED: /* to a manager: whoever wants to be heard */
        return ((const Docket__Escalated *)body)->type !=
               DOCKET__ESCALATION_TYPE__ESCALATION_HIERARCHICAL;
    default: return false;
    }
}

/* Advice is attributable: a public reply is an agent's, in the own name, or says that no human
 * wrote it. What a program sends goes out under an operator's key; with an agent's name on it, it
 * would pass the rules of signature and ownership, and nobody would answer for it. */
static int judge_author(const struct dk_envelope *event, const Docket__MessagePublic *message,
                        struct dk_err *reason)
{
    unsigned cls = dk_id_class(event->actor);

    if (message->automatic ? cls == DK_ACTOR_OPERATOR : cls == DK_ACTOR_AGENT)
        return 0;
    if (message->automatic)
        return dk_err_field(reason, DK_EILLEGAL, "message_public.automatic",
                            "an automatic reply is a program's, under an operator's key: what an "
                            "agent sends is the agent's own");
    return dk_err_field(reason, DK_EILLEGAL, "actor",
                        "a public reply is signed by an agent, or says that it is automatic");
}

/* One agent keeps a ticket: before anybody has spoken the owner is who will. Otherwise whoever is
 * quick would shut the owner out (dk_life_judge: the speaker goes on speaking). */
static int judge_reply(const struct dk_ticket *ticket, const struct dk_envelope *event,
                       const Docket__MessagePublic *message, struct dk_err *reason)
{
    int code = 0;

    if (message->direction == DOCKET__DIRECTION__DIRECTION_OUTBOUND)
        code = judge_author(event, message, reason);
    if (code != 0 || !dk_life_agent_reply(event, message) || ticket->speaker != 0 ||
        ticket->owner == 0 || ticket->owner == dk_subject_of_actor(event->actor))
        return code;
    return dk_err_field(reason, DK_EILLEGAL, "actor",
                        "another agent has this ticket: declare the handover first");
}

static int judge_rater(const struct dk_ticket *ticket, const struct dk_envelope *event,
                       struct dk_err *reason)
{
    unsigned cls = dk_id_class(event->actor);

    if (cls == DK_ACTOR_AGENT || cls == DK_ACTOR_SUPPLIER)
        return dk_err_field(reason, DK_EILLEGAL, "actor",
                            "a rating is the customer's: nobody rates work of the own side");
    if (cls == DK_ACTOR_CUSTOMER && ticket->customer != 0 &&
        ticket->customer != dk_id_make(DK_SUBJECT_CUSTOMER, event->actor))
        return dk_err_field(reason, DK_EILLEGAL, "actor",
                            "a ticket is rated by the customer whose it is");
    return 0;
}

/* An agent's route is no way around the checklist of an escalation. */
static int judge_route(const struct dk_ticket *ticket, const struct dk_refs *refs,
                       const struct dk_envelope *event, const Docket__Routed *routed,
                       struct dk_err *reason)
{
    const Docket__GroupDefined *group =
        refs != NULL ? dk_refs_group(refs, routed->group, event->occurred_us) : NULL;

    if (group != NULL && group->has_line && group->line != routed->line)
        return dk_err_field(reason, DK_EILLEGAL, "routed.line",
                            "the group works on line %u, not on line %u", group->line,
                            routed->line);
    if (ticket->line == 0 || routed->line <= ticket->line ||
        (ticket->flags & DK_TICKET_CHECKLIST) != 0)
        return 0;
    return dk_err_field(reason, DK_EILLEGAL, "routed.line",
                        "a ticket goes up to line %u by an escalation, or with its checklist "
                        "answered",
                        routed->line);
}

int dk_life_who(const struct dk_ticket *ticket, const struct dk_refs *refs,
                const struct dk_envelope *event, const ProtobufCMessage *message,
                struct dk_err *reason)
{
    unsigned cls = dk_id_class(event->actor);
    const void *body = message;

    if (cls == DK_ACTOR_CUSTOMER && is_desks(ticket, event->kind, body))
        return dk_err_field(reason, DK_EILLEGAL, "actor",
                            "no customer decides this: '%s' is an agent's",
                            dk_kind_info(event->kind)->word);
    switch (event->kind) {
    case DK_KIND_RATED: return judge_rater(ticket, event, reason);
    case DK_KIND_MESSAGE_PUBLIC: return judge_reply(ticket, event, body, reason);
    case DK_KIND_ROUTED:
        return cls == DK_ACTOR_AGENT ? judge_route(ticket, refs, event, body, reason) : 0;
    default: return 0;
    }
}
