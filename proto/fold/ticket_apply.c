#include "proto/fold/ticket_life.h"

static bool ended(unsigned status)
{
    return status == DOCKET__STATUS__STATUS_SOLVED || status == DOCKET__STATUS__STATUS_CLOSED;
}

static void count_up(uint16_t *counter)
{
    if (*counter < UINT16_MAX)
        ++*counter;
}

static void set_flag(struct dk_ticket *ticket, enum dk_ticket_flag flag, bool on)
{
    unsigned flags = on ? ticket->flags | (unsigned)flag : ticket->flags & ~(unsigned)flag;

    ticket->flags = (uint16_t)flags;
}

/* The only place where the status changes. A number without a meaning leaves it as it is. */
static void set_status(struct dk_ticket *ticket, int64_t occurred_us, unsigned status,
                       unsigned pending)
{
    bool was_ended = ended(ticket->status);

    if (status == DOCKET__STATUS__STATUS_NONE || status > DOCKET__STATUS__STATUS_MERGED)
        return;
    ticket->status = (uint8_t)status;
    ticket->pending = 0;
    if (status == DOCKET__STATUS__STATUS_PENDING && pending <= DOCKET__PENDING__PENDING_INTERNAL)
        ticket->pending = (uint8_t)pending;
    if (dk_ticket_live(ticket)) {
        ticket->ended_us = 0;
        if (was_ended)
            count_up(&ticket->reopened);
    } else {
        ticket->ended_us = occurred_us;
        ticket->offered = 0;
    }
}

static void set_priority(struct dk_ticket *ticket, unsigned priority)
{
    if (priority <= DOCKET__PRIORITY__PRIORITY_LOW)
        ticket->priority = (uint8_t)priority;
}

static void set_type(struct dk_ticket *ticket, unsigned type)
{
    if (type <= DOCKET__TICKET_TYPE__TYPE_COMPLAINT)
        ticket->type = (uint8_t)type;
}

/* The checklist is asked anew on each line. */
static void set_line(struct dk_ticket *ticket, uint32_t line)
{
    if (line > DK_TICKET_LINE_MAX)
        line = DK_TICKET_LINE_MAX;
    if (line != ticket->line)
        set_flag(ticket, DK_TICKET_CHECKLIST, false);
    ticket->line = (uint8_t)line;
}

static void give_back(struct dk_ticket *ticket, uint64_t returns_to)
{
    ticket->returns_to = returns_to;
    set_flag(ticket, DK_TICKET_HANDED_OVER, returns_to != 0);
}

/* Owners work one group's queue: they do not follow a ticket into another (`owner_stays` apart).
 * Who took a ticket before it had a queue keeps it. The speaker stays until a handover. */
static void set_group(struct dk_ticket *ticket, uint64_t group, bool owner_stays)
{
    if (group == ticket->group)
        return;
    if (ticket->group != 0 && !owner_stays) {
        ticket->owner = 0;
        give_back(ticket, 0);
    }
    ticket->group = group;
    ticket->offered = 0;
}

static void apply_opened(struct dk_ticket *ticket, const struct dk_envelope *event,
                         const Docket__Opened *opened)
{
    bool imported = dk_life_imported(event);
    unsigned priority = (unsigned)opened->priority;
    unsigned status = DOCKET__STATUS__STATUS_NEW;

    if (ticket->last_position == 0)
        set_flag(ticket, DK_TICKET_HISTORICAL, imported);
    else
        status = ticket->status;
    if (imported && opened->has_status)
        status = (unsigned)opened->status;
    if (!imported)
        priority = dk_priority_of(priority, opened->impact, opened->urgency);
    if (!imported && priority == DOCKET__PRIORITY__PRIORITY_NONE)
        priority = DOCKET__PRIORITY__PRIORITY_NORMAL;
    set_status(ticket, event->occurred_us, status, DOCKET__PENDING__PENDING_NONE);
    set_priority(ticket, priority);
    set_type(ticket, (unsigned)opened->type);
    ticket->opened_us = event->occurred_us;
    ticket->group = opened->group;
    ticket->product = opened->product;
    ticket->customer = opened->customer;
    if ((unsigned)opened->channel <= DOCKET__CHANNEL__CHANNEL_ON_BEHALF)
        ticket->channel = (uint8_t)opened->channel;
    if (opened->message != NULL)
        set_flag(ticket, DK_TICKET_UNANSWERED, true);
}

static void apply_classified(struct dk_ticket *ticket, const struct dk_envelope *event,
                             const Docket__Classified *classified)
{
    unsigned derived = dk_priority_of(0, classified->impact, classified->urgency);

    if (classified->has_product)
        ticket->product = classified->product;
    if (classified->has_type)
        set_type(ticket, (unsigned)classified->type);
    if (classified->has_priority)
        set_priority(ticket, (unsigned)classified->priority);
    else if (derived != DOCKET__PRIORITY__PRIORITY_NONE && !dk_life_imported(event))
        set_priority(ticket, derived);
}

/* To whom a ticket goes back that `agent` takes for a while: who has it or, when it was assigned to
 * the agent first, who speaks. */
static uint64_t goes_back_to(const struct dk_ticket *ticket, uint64_t agent)
{
    if (ticket->returns_to != 0)
        return ticket->returns_to;
    return ticket->owner != 0 && ticket->owner != agent ? ticket->owner : ticket->speaker;
}

static void apply_handover(struct dk_ticket *ticket, const Docket__HandoverDeclared *handover)
{
    uint64_t first = goes_back_to(ticket, handover->agent);
    bool temporary = handover->term == DOCKET__HANDOVER_TERM__HANDOVER_TEMPORARY &&
                     handover->reason != DOCKET__HANDOVER_REASON__HANDOVER_RETURN &&
                     handover->agent != first;

    give_back(ticket, temporary ? first : 0);
    ticket->owner = handover->agent;
    ticket->speaker = handover->agent;
    ticket->offered = 0;
}

static void apply_message(struct dk_ticket *ticket, const struct dk_envelope *event,
                          const Docket__MessagePublic *message)
{
    unsigned actor = dk_id_class(event->actor);
    bool waits = ticket->status == DOCKET__STATUS__STATUS_SOLVED ||
                 (ticket->status == DOCKET__STATUS__STATUS_PENDING &&
                  ticket->pending == DOCKET__PENDING__PENDING_CUSTOMER);

    if (message->direction == DOCKET__DIRECTION__DIRECTION_INBOUND) {
        set_flag(ticket, DK_TICKET_UNANSWERED, true);
        if (waits && !dk_life_imported(event))
            set_status(ticket, event->occurred_us, DOCKET__STATUS__STATUS_OPEN, 0);
    } else if (message->direction == DOCKET__DIRECTION__DIRECTION_OUTBOUND && !message->automatic &&
               actor != DK_ACTOR_NODE && actor != DK_ACTOR_BROKER) {
        set_flag(ticket, DK_TICKET_REPLIED, true);
        set_flag(ticket, DK_TICKET_UNANSWERED, false);
        if (dk_life_agent_reply(event, message))
            ticket->speaker = dk_subject_of_actor(event->actor);
    }
}

/* With a group it moves there at once; without one it says what is wanted, and a Routed answers. */
static void apply_escalated(struct dk_ticket *ticket, const struct dk_envelope *event,
                            const Docket__Escalated *escalated)
{
    if (escalated->type != DOCKET__ESCALATION_TYPE__ESCALATION_FUNCTIONAL)
        return;
    set_flag(ticket, DK_TICKET_CHECKLIST, false);
    if (escalated->to_group == 0)
        return;
    set_group(ticket, escalated->to_group, dk_life_imported(event));
    if (escalated->to_line != 0)
        set_line(ticket, escalated->to_line);
}

static void apply_exception(struct dk_ticket *ticket, const Docket__ExceptionRecorded *exception)
{
    if (exception->type == DOCKET__EXCEPTION_TYPE__EXCEPTION_CHECKLIST)
        set_flag(ticket, DK_TICKET_CHECKLIST, true);
    else if (exception->type == DOCKET__EXCEPTION_TYPE__EXCEPTION_ENTITLEMENT)
        set_flag(ticket, DK_TICKET_ENTITLED, true);
}

static void apply_adopted(struct dk_ticket *ticket)
{
    set_flag(ticket, DK_TICKET_HISTORICAL, false);
    set_flag(ticket, DK_TICKET_ADOPTED, true);
    if (ticket->priority == DOCKET__PRIORITY__PRIORITY_NONE)
        set_priority(ticket, DOCKET__PRIORITY__PRIORITY_NORMAL);
}

/* Whose queue it is in and who has it. */
static void apply_work(struct dk_ticket *ticket, const struct dk_envelope *event, const void *body)
{
    const Docket__Routed *routed = body;

    switch (event->kind) {
    case DK_KIND_ROUTED:
        set_group(ticket, routed->group,
                  dk_life_imported(event) ||
                      routed->reason == DOCKET__ROUTE_REASON__ROUTE_HANDOVER);
        set_line(ticket, routed->line);
        break;
    case DK_KIND_OFFERED: ticket->offered = ((const Docket__Offered *)body)->agent; break;
    case DK_KIND_OFFER_DECLINED: ticket->offered = 0; break;
    case DK_KIND_ASSIGNED:
        ticket->owner = ((const Docket__Assigned *)body)->agent;
        ticket->offered = 0;
        break;
    case DK_KIND_HANDOVER_DECLARED: apply_handover(ticket, body); break;
    case DK_KIND_ESCALATED: apply_escalated(ticket, event, body); break;
    case DK_KIND_CHECKLIST_ANSWERED:
        set_flag(ticket, DK_TICKET_CHECKLIST, dk_life_checklist_done(body));
        break;
    case DK_KIND_EXCEPTION_RECORDED: apply_exception(ticket, body); break;
    default: break;
    }
}

/* What it is, and how far it is. */
static void apply_life(struct dk_ticket *ticket, const struct dk_envelope *event, const void *body)
{
    const Docket__StatusChanged *changed = body;

    switch (event->kind) {
    case DK_KIND_OPENED: apply_opened(ticket, event, body); break;
    case DK_KIND_CLASSIFIED: apply_classified(ticket, event, body); break;
    case DK_KIND_MESSAGE_PUBLIC: apply_message(ticket, event, body); break;
    case DK_KIND_STATUS_CHANGED:
        set_status(ticket, event->occurred_us, (unsigned)changed->status,
                   (unsigned)changed->pending);
        break;
    case DK_KIND_AUTO_SOLVED:
        set_status(ticket, event->occurred_us, DOCKET__STATUS__STATUS_SOLVED, 0);
        break;
    case DK_KIND_AUTO_CLOSED:
        set_status(ticket, event->occurred_us, DOCKET__STATUS__STATUS_CLOSED, 0);
        break;
    case DK_KIND_MERGED_INTO:
        set_status(ticket, event->occurred_us, DOCKET__STATUS__STATUS_MERGED, 0);
        break;
    case DK_KIND_MERGED_FROM:
        if (((const Docket__MergedFrom *)body)->has_unanswered_since_us)
            set_flag(ticket, DK_TICKET_UNANSWERED, true);
        break;
    case DK_KIND_REQUESTER_CHANGED:
        ticket->customer = ((const Docket__RequesterChanged *)body)->customer;
        break;
    case DK_KIND_ADOPTED: apply_adopted(ticket); break;
    case DK_KIND_NOTIFICATION_ACKNOWLEDGED:
        ticket->acknowledged = ((const Docket__NotificationAcknowledged *)body)->notice;
        break;
    default: break;
    }
}

/* What the ticket waits for elsewhere: a supplier, an answer, another site. */
static void apply_elsewhere(struct dk_ticket *ticket, uint32_t kind, const void *body)
{
    bool asked = kind == DK_KIND_APPROVAL_ASKED;

    switch (kind) {
    case DK_KIND_SUPPLIER_HANDED:
        ticket->supplier = ((const Docket__SupplierHanded *)body)->supplier;
        break;
    case DK_KIND_SUPPLIER_RETURNED: ticket->supplier = 0; break;
    case DK_KIND_APPROVAL_ASKED:
    case DK_KIND_APPROVAL_GIVEN:
    case DK_KIND_APPROVAL_REFUSED:
        set_flag(ticket, DK_TICKET_APPROVAL, asked);
        ticket->approver = asked ? ((const Docket__ApprovalAsked *)body)->approver : 0;
        break;
    case DK_KIND_TRANSFERRED_OUT:
    case DK_KIND_TRANSFERRED_IN:
        set_flag(ticket, DK_TICKET_AWAY, kind == DK_KIND_TRANSFERRED_OUT);
        break;
    default: break;
    }
}

/* Freshness: what a decision must have seen is told from these positions. */
static void move_positions(struct dk_ticket *ticket, const struct dk_envelope *event)
{
    uint64_t id = event->actor & DK_ID_MASK;

    ticket->last_position = event->position;
    ticket->version++;
    switch (dk_id_class(event->actor)) {
    case DK_ACTOR_AGENT:
    case DK_ACTOR_CUSTOMER:
    case DK_ACTOR_SUPPLIER:
    case DK_ACTOR_IMPORTER:
    case DK_ACTOR_OPERATOR: ticket->last_input = event->position; break;
    case DK_ACTOR_NODE:
        if (id >= 1 && id <= DK_DECIDER_ROLES)
            ticket->last_of_role[id - 1] = event->position;
        break;
    default: break;
    }
}

void dk_ticket_apply(struct dk_ticket *ticket, const struct dk_envelope *event,
                     const ProtobufCMessage *body)
{
    if (body != NULL && event->kind <= DK_KIND_TICKET_LAST) {
        if (dk_life_imported(event) && dk_life_judge(ticket, NULL, event, body, NULL) != 0)
            count_up(&ticket->irregular);
        apply_life(ticket, event, body);
        apply_work(ticket, event, body);
        apply_elsewhere(ticket, event->kind, body);
    }
    move_positions(ticket, event);
}
