#include "proto/fold/notice.h"
#include "proto/fold/ticket_life.h"
#include <inttypes.h>

#define IN(status)   (1u << DOCKET__STATUS__STATUS_##status)
#define LIVE         (IN(NEW) | IN(OPEN) | IN(PENDING))
#define UNTIL_CLOSED (LIVE | IN(SOLVED))
#define FILED        (UNTIL_CLOSED | IN(CLOSED)) /* book-keeping goes on when all is said */
#define ALWAYS       (FILED | IN(MERGED))

/* The statuses in which a kind is allowed at all. Opened stands apart: it needs that no ticket is.
 */
static const uint8_t allowed_in[DK_KIND_TICKET_LAST + 1] = {
    [DK_KIND_CLASSIFIED] = UNTIL_CLOSED,
    [DK_KIND_ROUTED] = LIVE,
    [DK_KIND_QUEUED] = LIVE,
    [DK_KIND_OFFERED] = LIVE,
    [DK_KIND_OFFER_DECLINED] = LIVE,
    [DK_KIND_ASSIGNED] = LIVE,
    [DK_KIND_HANDOVER_DECLARED] = UNTIL_CLOSED,
    [DK_KIND_MESSAGE_PUBLIC] = UNTIL_CLOSED,
    [DK_KIND_NOTE_ADDED] = FILED,
    [DK_KIND_STATUS_CHANGED] = FILED,
    [DK_KIND_ESCALATED] = UNTIL_CLOSED,
    [DK_KIND_CHECKLIST_ANSWERED] = LIVE,
    [DK_KIND_SUPPLIER_HANDED] = LIVE,
    [DK_KIND_SUPPLIER_RETURNED] = FILED,
    [DK_KIND_MERGED_INTO] = UNTIL_CLOSED,
    [DK_KIND_MERGED_FROM] = UNTIL_CLOSED,
    [DK_KIND_LINKED_TO] = FILED,
    [DK_KIND_LINKED_FROM] = FILED,
    [DK_KIND_TIME_LOGGED] = FILED,
    [DK_KIND_ATTACHMENT_ADDED] = FILED,
    [DK_KIND_ATTACHMENT_ERASED] = ALWAYS,
    [DK_KIND_RATED] = IN(SOLVED) | IN(CLOSED),
    [DK_KIND_FOLLOWED_UP] = IN(SOLVED) | IN(CLOSED),
    [DK_KIND_TRANSFERRED_OUT] = FILED,
    [DK_KIND_TRANSFERRED_IN] = FILED,
    [DK_KIND_EXCEPTION_RECORDED] = UNTIL_CLOSED,
    [DK_KIND_CLOCK_STARTED] = ALWAYS,
    [DK_KIND_CLOCK_PAUSED] = ALWAYS,
    [DK_KIND_CLOCK_RESUMED] = ALWAYS,
    [DK_KIND_CLOCK_MET] = ALWAYS,
    [DK_KIND_CLOCK_WARNED] = ALWAYS,
    [DK_KIND_CLOCK_BREACHED] = ALWAYS,
    [DK_KIND_CLOCK_CANCELLED] = ALWAYS,
    [DK_KIND_CLOCK_CORRECTED] = ALWAYS,
    [DK_KIND_NOTIFICATION_REQUESTED] = ALWAYS,
    [DK_KIND_NOTIFICATION_SENT] = ALWAYS,
    [DK_KIND_NOTIFICATION_FAILED] = ALWAYS,
    [DK_KIND_NOTIFICATION_ACKNOWLEDGED] = ALWAYS,
    [DK_KIND_FIELD_SET] = FILED,
    [DK_KIND_REQUESTER_CHANGED] = UNTIL_CLOSED,
    [DK_KIND_FOLLOWERS_CHANGED] = FILED,
    [DK_KIND_APPROVAL_ASKED] = LIVE,
    [DK_KIND_APPROVAL_GIVEN] = UNTIL_CLOSED,
    [DK_KIND_APPROVAL_REFUSED] = UNTIL_CLOSED,
    [DK_KIND_REMINDER_SET] = FILED,
    [DK_KIND_REMINDER_DUE] = ALWAYS,
    [DK_KIND_AUTO_SOLVED] = IN(PENDING),
    [DK_KIND_AUTO_CLOSED] = IN(SOLVED),
    [DK_KIND_ADOPTED] = FILED,
    [DK_KIND_REPEAT_NOTED] = LIVE,
    [DK_KIND_NOTIFICATION_RETRIED] = ALWAYS,
    [DK_KIND_NOTIFICATION_DROPPED] = ALWAYS,
    [DK_KIND_SOURCE_ROW] = ALWAYS,
};

static const char *status_of(const struct dk_ticket *ticket)
{
    return dk_status_word(ticket->status, ticket->pending);
}

static bool has(const struct dk_ticket *ticket, enum dk_ticket_flag flag)
{
    return (ticket->flags & (unsigned)flag) != 0;
}

static int refuse_status(const struct dk_ticket *ticket, uint32_t kind, struct dk_err *reason)
{
    const char *word = dk_kind_info(kind)->word;

    switch (ticket->status) {
    case DOCKET__STATUS__STATUS_MERGED:
        return dk_err_field(reason, DK_EILLEGAL, "kind",
                            "a merged ticket takes no '%s': act on the ticket it was merged "
                            "into",
                            word);
    case DOCKET__STATUS__STATUS_CLOSED:
        return dk_err_field(reason, DK_EILLEGAL, "kind",
                            "a closed ticket takes no '%s': reopen it while reopen_days "
                            "allow it, else open a linked ticket",
                            word);
    default:
        return dk_err_field(reason, DK_EILLEGAL, "kind", "a ticket that is %s takes no '%s'",
                            status_of(ticket), word);
    }
}

static int judge_status(const struct dk_ticket *ticket, uint32_t kind, struct dk_err *reason)
{
    unsigned allowed = allowed_in[kind];

    if (has(ticket, DK_TICKET_AWAY) && (allowed & IN(MERGED)) == 0 &&
        kind != DK_KIND_TRANSFERRED_IN)
        return dk_err_field(reason, DK_EMOVED, "subject",
                            "the ticket was transferred to another site: act on it there");
    if ((allowed & (1u << ticket->status)) == 0)
        return refuse_status(ticket, kind, reason);
    return 0;
}

static int judge_scale(const char *field, bool given, uint32_t value, uint32_t min, uint32_t max,
                       struct dk_err *reason)
{
    if (!given || (value >= min && value <= max))
        return 0;
    return dk_err_field(reason, DK_EINVAL, field, "%s is %u, and must lie in %u..%u", field, value,
                        min, max);
}

static int judge_opened(const struct dk_envelope *event, const Docket__Opened *opened,
                        struct dk_err *reason)
{
    int code = judge_scale("opened.impact", opened->has_impact, opened->impact, 1, 3, reason);

    if (code == 0)
        code = judge_scale("opened.urgency", opened->has_urgency, opened->urgency, 1, 3, reason);
    if (code != 0 || dk_life_imported(event))
        return code;
    if (opened->has_status && opened->status != DOCKET__STATUS__STATUS_NEW)
        return dk_err_field(reason, DK_EILLEGAL, "opened.status",
                            "a ticket opens new, not %s (only an import may say otherwise)",
                            dk_status_word((unsigned)opened->status, 0));
    if (opened->group != 0)
        return dk_err_field(reason, DK_EILLEGAL, "opened.group",
                            "a ticket opens in no group's queue: routing gives it its group");
    return 0;
}

static int judge_classified(const struct dk_envelope *event, const Docket__Classified *classified,
                            struct dk_err *reason)
{
    int code =
        judge_scale("classified.impact", classified->has_impact, classified->impact, 1, 3, reason);

    if (code == 0)
        code = judge_scale("classified.urgency", classified->has_urgency, classified->urgency, 1, 3,
                           reason);
    if (code == 0 && classified->has_priority && !dk_life_imported(event) &&
        classified->priority == DOCKET__PRIORITY__PRIORITY_NONE)
        return dk_err_field(reason, DK_EINVAL, "classified.priority",
                            "a ticket cannot lose its priority");
    return code;
}

static int judge_routed(const struct dk_envelope *event, const Docket__Routed *routed,
                        struct dk_err *reason)
{
    bool imported = dk_life_imported(event);

    if (routed->group == 0 && !imported)
        return dk_err_field(reason, DK_EINVAL, "routed.group", "a ticket is routed to a group");
    return judge_scale("routed.line", true, routed->line, imported ? 0 : 1, DK_TICKET_LINE_MAX,
                       reason);
}

static int judge_offered(const struct dk_ticket *ticket, struct dk_err *reason)
{
    if (ticket->offered == 0)
        return 0;
    return dk_err_field(reason, DK_EILLEGAL, "offered.agent",
                        "the ticket is on offer already: one offer at a time");
}

static int judge_declined(const struct dk_ticket *ticket, const Docket__OfferDeclined *declined,
                          struct dk_err *reason)
{
    if (ticket->offered != 0 && ticket->offered == declined->agent)
        return 0;
    return dk_err_field(reason, DK_EILLEGAL, "offer_declined.agent",
                        "the ticket is not on offer to this agent");
}

static int judge_handover(const struct dk_ticket *ticket, const Docket__HandoverDeclared *handover,
                          struct dk_err *reason)
{
    uint64_t from = handover->from_agent;

    if (handover->term == DOCKET__HANDOVER_TERM__HANDOVER_TERM_NONE)
        return dk_err_field(reason, DK_EINVAL, "handover_declared.term",
                            "a handover is permanent or temporary");
    if (handover->reason == DOCKET__HANDOVER_REASON__HANDOVER_REASON_NONE)
        return dk_err_field(reason, DK_EINVAL, "handover_declared.reason", "a handover says why");
    if (from != 0 && from != ticket->owner && from != ticket->speaker)
        return dk_err_field(reason, DK_EILLEGAL, "handover_declared.from_agent",
                            "the ticket is not with the agent who hands it over");
    if (handover->reason == DOCKET__HANDOVER_REASON__HANDOVER_RETURN) {
        if (has(ticket, DK_TICKET_HANDED_OVER) && handover->agent == ticket->returns_to)
            return 0;
        return dk_err_field(reason, DK_EILLEGAL, "handover_declared.agent",
                            "a ticket goes back only to the agent who handed it over temporarily");
    }
    if (handover->agent == ticket->owner &&
        (ticket->speaker == 0 || ticket->speaker == handover->agent))
        return dk_err_field(reason, DK_EILLEGAL, "handover_declared.agent",
                            "the agent has the ticket already");
    return 0;
}

static int judge_message(const struct dk_ticket *ticket, const struct dk_envelope *event,
                         const Docket__MessagePublic *message, struct dk_err *reason)
{
    if (message->direction == DOCKET__DIRECTION__DIRECTION_NONE)
        return dk_err_field(reason, DK_EINVAL, "message_public.direction",
                            "a message comes from the customer or goes to the customer");
    if (message->direction == DOCKET__DIRECTION__DIRECTION_OUTBOUND &&
        dk_id_class(event->actor) == DK_ACTOR_CUSTOMER)
        return dk_err_field(reason, DK_EILLEGAL, "message_public.direction",
                            "a customer's message is inbound");
    if (dk_life_agent_reply(event, message) && ticket->speaker != 0 &&
        ticket->speaker != dk_subject_of_actor(event->actor))
        return dk_err_field(reason, DK_EILLEGAL, "actor",
                            "another agent speaks with this customer: declare the handover first");
    return 0;
}

static int judge_changed(const struct dk_ticket *ticket, const struct dk_envelope *event,
                         const Docket__StatusChanged *changed, struct dk_err *reason)
{
    static const uint8_t may_become[] = {
        [DOCKET__STATUS__STATUS_NEW] = IN(OPEN) | IN(PENDING) | IN(SOLVED),
        [DOCKET__STATUS__STATUS_OPEN] = IN(PENDING) | IN(SOLVED),
        [DOCKET__STATUS__STATUS_PENDING] = IN(OPEN) | IN(PENDING) | IN(SOLVED),
        [DOCKET__STATUS__STATUS_SOLVED] = IN(OPEN) | IN(CLOSED),
        [DOCKET__STATUS__STATUS_CLOSED] = IN(OPEN),
    };
    unsigned status = (unsigned)changed->status;
    unsigned pending = (unsigned)changed->pending;
    bool waits = status == DOCKET__STATUS__STATUS_PENDING;

    if (status > DOCKET__STATUS__STATUS_MERGED)
        return dk_err_field(reason, DK_EINVAL, "status_changed.status", "status %u is not known",
                            status);
    if ((may_become[ticket->status] & (1u << status)) == 0 ||
        (waits && status == ticket->status && pending == ticket->pending))
        return dk_err_field(reason, DK_EILLEGAL, "status_changed.status",
                            "a ticket that is %s cannot become %s", status_of(ticket),
                            dk_status_word(status, pending));
    if (waits ? pending == 0 && !dk_life_imported(event) : pending != 0)
        return dk_err_field(reason, DK_EINVAL, "status_changed.pending",
                            "pending, and only pending, says for whom it waits");
    return 0;
}

static int judge_escalated(const struct dk_ticket *ticket, const Docket__Escalated *escalated,
                           struct dk_err *reason)
{
    bool critical = ticket->priority == DOCKET__PRIORITY__PRIORITY_CRITICAL;

    if (escalated->type == DOCKET__ESCALATION_TYPE__ESCALATION_HIERARCHICAL)
        return 0;
    if (escalated->type != DOCKET__ESCALATION_TYPE__ESCALATION_FUNCTIONAL)
        return dk_err_field(reason, DK_EINVAL, "escalated.type",
                            "an escalation is functional or hierarchical");
    if (!dk_ticket_live(ticket))
        return dk_err_field(reason, DK_EILLEGAL, "escalated.type",
                            "a ticket that is %s goes to no other line: reopen it first",
                            status_of(ticket));
    if (escalated->to_line <= ticket->line || escalated->to_line > DK_TICKET_LINE_MAX)
        return dk_err_field(reason, DK_EILLEGAL, "escalated.to_line",
                            "an escalation goes up from line %u, to a line of at most %u",
                            ticket->line, DK_TICKET_LINE_MAX);
    if (escalated->critical_bypass && !critical)
        return dk_err_field(reason, DK_EILLEGAL, "escalated.critical_bypass",
                            "the checklist is passed by only when the ticket is critical");
    if (!has(ticket, DK_TICKET_CHECKLIST) && !escalated->critical_bypass)
        return dk_err_field(reason, DK_EILLEGAL, "kind",
                            "an escalation needs its checklist, an exception recorded, or, when "
                            "the ticket is critical, the bypass");
    return 0;
}

/* The name people know, where reference data is at hand. */
static const char *name_of(const struct dk_refs *refs, uint64_t subject, char text[DK_NAME_BYTES])
{
    return refs != NULL ? dk_refs_name(refs, subject, text) : dk_id_format(subject, text);
}

static int judge_approval_asked(const struct dk_ticket *ticket, const struct dk_refs *refs,
                                struct dk_err *reason)
{
    char name[DK_NAME_BYTES];

    if (!has(ticket, DK_TICKET_APPROVAL))
        return 0;
    return dk_err_field(reason, DK_EILLEGAL, "kind",
                        "%s was asked to approve and has not answered yet: one approval at a time",
                        name_of(refs, ticket->approver, name));
}

static int judge_handed(const struct dk_ticket *ticket, const struct dk_refs *refs,
                        struct dk_err *reason)
{
    char name[DK_NAME_BYTES];

    if (ticket->supplier == 0)
        return 0;
    return dk_err_field(reason, DK_EILLEGAL, "kind", "the ticket is with %s",
                        name_of(refs, ticket->supplier, name));
}

static int judge_returned(const struct dk_ticket *ticket, const struct dk_refs *refs,
                          const Docket__SupplierReturned *returned, struct dk_err *reason)
{
    char name[DK_NAME_BYTES], other[DK_NAME_BYTES];

    if (ticket->supplier == 0)
        return dk_err_field(reason, DK_EILLEGAL, "kind", "the ticket is with no supplier");
    if (returned->supplier == ticket->supplier)
        return 0;
    return dk_err_field(reason, DK_EILLEGAL, "supplier_returned.supplier",
                        "the ticket is with %s, not with %s", name_of(refs, ticket->supplier, name),
                        name_of(refs, returned->supplier, other));
}

/* Who may answer for the one who was asked: an operator; an agent for somebody who is none, and so
 * has no key of their own. */
static bool answers_for(const struct dk_envelope *event, uint64_t asked)
{
    unsigned actor = dk_id_class(event->actor);

    return actor == DK_ACTOR_OPERATOR || dk_subject_of_actor(event->actor) == asked ||
           (actor == DK_ACTOR_AGENT && dk_id_class(asked) != DK_SUBJECT_AGENT);
}

/* Of an imported question it may not be known whom it was put to: then anybody's answer counts. */
static int judge_answer(const struct dk_ticket *ticket, const struct dk_refs *refs,
                        const struct dk_envelope *event, uint64_t approver, const char *field,
                        struct dk_err *reason)
{
    uint64_t asked = ticket->approver;
    char name[DK_NAME_BYTES], other[DK_NAME_BYTES];

    if (!has(ticket, DK_TICKET_APPROVAL))
        return dk_err_field(reason, DK_EILLEGAL, "kind", "no approval is asked");
    if (asked == 0)
        return 0;
    if (approver != asked)
        return dk_err_field(reason, DK_EILLEGAL, field, "%s was asked to approve, and not %s",
                            name_of(refs, asked, name), name_of(refs, approver, other));
    if (dk_life_imported(event) || answers_for(event, asked))
        return 0;
    return dk_err_field(reason, DK_EILLEGAL, "actor",
                        "%s was asked to approve: nobody else can answer, but an operator",
                        name_of(refs, asked, name));
}

/* What was ever requested is not kept, but its number says whose a notice is. */
static int judge_notice(const struct dk_envelope *event, uint64_t notice, const char *field,
                        struct dk_err *reason)
{
    if (dk_notice_is_of(notice, event->subject))
        return 0;
    return dk_err_field(reason, DK_EREFERENCE, field,
                        "the ticket has no notice %016" PRIx64 ": take number and ticket from the "
                        "notice itself",
                        notice);
}

/* Of those that were acknowledged the last one is kept: who does it twice mostly does so at once. */
static int judge_acknowledged(const struct dk_ticket *ticket, const struct dk_envelope *event,
                              const Docket__NotificationAcknowledged *acknowledged,
                              struct dk_err *reason)
{
    const char *field = "notification_acknowledged.notice";

    if (acknowledged->notice != ticket->acknowledged || ticket->acknowledged == 0)
        return judge_notice(event, acknowledged->notice, field, reason);
    return dk_err_field(reason, DK_EILLEGAL, field,
                        "the notice %016" PRIx64 " is acknowledged already", acknowledged->notice);
}

static int judge_transfer(const struct dk_ticket *ticket, uint32_t kind, struct dk_err *reason)
{
    if (has(ticket, DK_TICKET_AWAY) == (kind == DK_KIND_TRANSFERRED_IN))
        return 0;
    return dk_err_field(reason, DK_EILLEGAL, "kind", "the ticket is here already");
}

static int judge_other_ticket(const struct dk_envelope *event, uint64_t other, const char *field,
                              struct dk_err *reason)
{
    if (other != event->subject)
        return 0;
    return dk_err_field(reason, DK_EILLEGAL, field, "a ticket is not merged or linked with itself");
}

static int judge_rated(const Docket__Rated *rated, struct dk_err *reason)
{
    int code = judge_scale("rated.csat", rated->has_csat, rated->csat, 1, 5, reason);

    if (code == 0)
        code = judge_scale("rated.nps", rated->has_nps, rated->nps, 0, 10, reason);
    if (code == 0 && !rated->has_csat && !rated->has_nps)
        return dk_err_field(reason, DK_EINVAL, "rated", "a rating has a csat or an nps");
    return code;
}

static int judge_due(const struct dk_envelope *event, int64_t due_us, const char *field,
                     struct dk_err *reason)
{
    if (due_us <= event->recorded_us)
        return 0;
    return dk_err_field(reason, DK_EEARLY, field, "%s lies %" PRIu64 " us ahead", field,
                        (uint64_t)due_us - (uint64_t)event->recorded_us);
}

static int judge_auto_solved(const struct dk_ticket *ticket, const struct dk_envelope *event,
                             const Docket__AutoSolved *solved, struct dk_err *reason)
{
    if (ticket->pending != DOCKET__PENDING__PENDING_CUSTOMER)
        return dk_err_field(reason, DK_EILLEGAL, "kind",
                            "only a ticket that waits for its customer solves itself");
    return judge_due(event, solved->due_us, "auto_solved.due_us", reason);
}

static int judge_exception(const Docket__ExceptionRecorded *exception, struct dk_err *reason)
{
    if (exception->type != DOCKET__EXCEPTION_TYPE__EXCEPTION_NONE)
        return 0;
    return dk_err_field(reason, DK_EINVAL, "exception_recorded.type",
                        "an exception says to what it is one");
}

static int judge_adopted(const struct dk_ticket *ticket, struct dk_err *reason)
{
    if (dk_ticket_historical(ticket))
        return 0;
    return dk_err_field(reason, DK_EILLEGAL, "kind", "only a historical ticket is adopted");
}

/* What one kind asks beyond its status. */
static int judge_kind(const struct dk_ticket *ticket, const struct dk_refs *refs,
                      const struct dk_envelope *event, const void *body, struct dk_err *reason)
{
    uint32_t kind = event->kind;

    switch (kind) {
    case DK_KIND_CLASSIFIED: return judge_classified(event, body, reason);
    case DK_KIND_ROUTED: return judge_routed(event, body, reason);
    case DK_KIND_OFFERED: return judge_offered(ticket, reason);
    case DK_KIND_OFFER_DECLINED: return judge_declined(ticket, body, reason);
    case DK_KIND_HANDOVER_DECLARED: return judge_handover(ticket, body, reason);
    case DK_KIND_MESSAGE_PUBLIC: return judge_message(ticket, event, body, reason);
    case DK_KIND_STATUS_CHANGED: return judge_changed(ticket, event, body, reason);
    case DK_KIND_ESCALATED: return judge_escalated(ticket, body, reason);
    case DK_KIND_SUPPLIER_HANDED: return judge_handed(ticket, refs, reason);
    case DK_KIND_SUPPLIER_RETURNED: return judge_returned(ticket, refs, body, reason);
    case DK_KIND_APPROVAL_ASKED: return judge_approval_asked(ticket, refs, reason);
    case DK_KIND_APPROVAL_GIVEN:
        return judge_answer(ticket, refs, event, ((const Docket__ApprovalGiven *)body)->approver,
                            "approval_given.approver", reason);
    case DK_KIND_APPROVAL_REFUSED:
        return judge_answer(ticket, refs, event, ((const Docket__ApprovalRefused *)body)->approver,
                            "approval_refused.approver", reason);
    case DK_KIND_NOTIFICATION_REQUESTED:
        return judge_notice(event, ((const Docket__NotificationRequested *)body)->notice,
                            "notification_requested.notice", reason);
    case DK_KIND_NOTIFICATION_ACKNOWLEDGED: return judge_acknowledged(ticket, event, body, reason);
    case DK_KIND_TRANSFERRED_OUT:
    case DK_KIND_TRANSFERRED_IN: return judge_transfer(ticket, kind, reason);
    case DK_KIND_MERGED_INTO:
        return judge_other_ticket(event, ((const Docket__MergedInto *)body)->target,
                                  "merged_into.target", reason);
    case DK_KIND_MERGED_FROM:
        return judge_other_ticket(event, ((const Docket__MergedFrom *)body)->source_ticket,
                                  "merged_from.source_ticket", reason);
    case DK_KIND_LINKED_TO:
        return judge_other_ticket(event, ((const Docket__LinkedTo *)body)->target,
                                  "linked_to.target", reason);
    case DK_KIND_LINKED_FROM:
        return judge_other_ticket(event, ((const Docket__LinkedFrom *)body)->source_ticket,
                                  "linked_from.source_ticket", reason);
    case DK_KIND_REPEAT_NOTED:
        return judge_other_ticket(event, ((const Docket__RepeatNoted *)body)->repeat_of,
                                  "repeat_noted.repeat_of", reason);
    case DK_KIND_RATED: return judge_rated(body, reason);
    case DK_KIND_EXCEPTION_RECORDED: return judge_exception(body, reason);
    case DK_KIND_CLOCK_WARNED:
        return judge_due(event, ((const Docket__ClockWarned *)body)->due_us, "clock_warned.due_us",
                         reason);
    case DK_KIND_CLOCK_BREACHED:
        return judge_due(event, ((const Docket__ClockBreached *)body)->due_us,
                         "clock_breached.due_us", reason);
    case DK_KIND_REMINDER_DUE:
        return judge_due(event, ((const Docket__ReminderDue *)body)->due_us, "reminder_due.due_us",
                         reason);
    case DK_KIND_AUTO_SOLVED: return judge_auto_solved(ticket, event, body, reason);
    case DK_KIND_AUTO_CLOSED:
        return judge_due(event, ((const Docket__AutoClosed *)body)->due_us, "auto_closed.due_us",
                         reason);
    case DK_KIND_ADOPTED: return judge_adopted(ticket, reason);
    default: return 0;
    }
}

static int judge_existence(const struct dk_ticket *ticket, uint32_t kind, struct dk_err *reason)
{
    bool exists = ticket->last_position != 0;

    if (exists && kind == DK_KIND_OPENED)
        return dk_err_field(reason, DK_EEXISTS, "subject", "the ticket is open already");
    if (!exists && kind != DK_KIND_OPENED)
        return dk_err_field(reason, DK_ENOTFOUND, "subject", "there is no such ticket");
    return 0;
}

int dk_life_judge(const struct dk_ticket *ticket, const struct dk_refs *refs,
                  const struct dk_envelope *event, const ProtobufCMessage *body,
                  struct dk_err *reason)
{
    int code = judge_existence(ticket, event->kind, reason);

    if (code != 0)
        return code;
    if (event->kind == DK_KIND_OPENED)
        return judge_opened(event, (const void *)body, reason);
    code = judge_status(ticket, event->kind, reason);
    return code != 0 ? code : judge_kind(ticket, refs, event, body, reason);
}

static bool ends_a_promise(uint32_t kind, const ProtobufCMessage *body)
{
    const Docket__MessagePublic *message = (const void *)body;

    return kind == DK_KIND_STATUS_CHANGED ||
           (kind == DK_KIND_MESSAGE_PUBLIC &&
            message->direction == DOCKET__DIRECTION__DIRECTION_OUTBOUND);
}

int dk_ticket_check(const struct dk_ticket *ticket, const struct dk_refs *refs, unsigned role,
                    const struct dk_envelope *event, const ProtobufCMessage *body,
                    struct dk_err *reason)
{
    int code;

    DK_ASSERT(body != NULL);
    if (event->kind < DK_KIND_MIN || event->kind > DK_KIND_TICKET_LAST)
        return dk_err_field(reason, DK_EINVAL, "kind", "kind %u is not one of a ticket",
                            event->kind);
    if (dk_life_imported(event)) {
        code = judge_existence(ticket, event->kind, reason);
        if (code == 0 && event->kind == DK_KIND_ADOPTED)
            code = judge_adopted(ticket, reason);
        return code;
    }
    if (role >= 1 && role <= DK_DECIDER_ROLES && dk_ticket_historical(ticket))
        return dk_err_field(reason, DK_EILLEGAL, "subject",
                            "nothing is owed for a historical ticket until it is adopted");
    code = dk_life_judge(ticket, refs, event, body, reason);
    if (code == 0 && refs != NULL)
        code = dk_life_references(ticket, refs, event, body, reason);
    if (code == 0)
        code = dk_life_who(ticket, refs, event, body, reason);
    if (code == 0 && event->occurred_us < ticket->opened_us && ends_a_promise(event->kind, body))
        code = dk_err_field(reason, DK_ETIME, "occurred_us",
                            "nobody answers or solves a ticket before it is opened");
    return code;
}
