#include "proto/fold/ticket_life.h"

/* What only the desk decides, or answers for: no customer does it. */
static bool is_desks(uint32_t kind, const void *body)
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
    case DK_KIND_EXCEPTION_RECORDED:
    case DK_KIND_REQUESTER_CHANGED:
    case DK_KIND_APPROVAL_ASKED:
    case DK_KIND_REMINDER_SET: return true;
    case DK_KIND_STATUS_CHANGED: /* solved, open again and closed: whoever asked for help, too */
        return ((const Docket__StatusChanged *)body)->status == DOCKET__STATUS__STATUS_PENDING;
    case DK_KIND_ESCALATED: /* to a manager: whoever wants to be heard */
        return ((const Docket__Escalated *)body)->type !=
               DOCKET__ESCALATION_TYPE__ESCALATION_HIERARCHICAL;
    default: return false;
    }
}

/* One agent keeps a ticket: before anybody has spoken the owner is who will. Otherwise whoever is
 * quick would shut the owner out (dk_life_judge: the speaker goes on speaking). */
static int judge_first_reply(const struct dk_ticket *ticket, const struct dk_envelope *event,
                             const Docket__MessagePublic *message, struct dk_err *reason)
{
    if (!dk_life_agent_reply(event, message) || ticket->speaker != 0 || ticket->owner == 0 ||
        ticket->owner == dk_subject_of_actor(event->actor))
        return 0;
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

    if (cls == DK_ACTOR_CUSTOMER && is_desks(event->kind, body))
        return dk_err_field(reason, DK_EILLEGAL, "actor",
                            "no customer decides this: '%s' is an agent's",
                            dk_kind_info(event->kind)->word);
    switch (event->kind) {
    case DK_KIND_RATED: return judge_rater(ticket, event, reason);
    case DK_KIND_MESSAGE_PUBLIC: return judge_first_reply(ticket, event, body, reason);
    case DK_KIND_ROUTED:
        return cls == DK_ACTOR_AGENT ? judge_route(ticket, refs, event, body, reason) : 0;
    default: return 0;
    }
}
