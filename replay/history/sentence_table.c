#include "proto/event/kinds.h"
#include "replay/history/sentence.h"

/* clang-format off */
static const char *const of_kind[DK_KIND_TICKET_LAST + 1] = {
    [DK_KIND_OPENED] =
        "opened the ticket[ by {channel}][ for {customer}][ of {company}][, about {product}]"
        "[, {type}][, priority {priority}][, impact {impact}][, urgency {urgency}]"
        "[, in {language}][, tagged {tag}][, known elsewhere as {reference}]"
        "[, again after {repeat_of}][, in the queue of {group}][, as {status}][: {subject}]"
        "[, {message}]",
    [DK_KIND_CLASSIFIED] =
        "classified it[: product {product}][: {type}][: priority {priority}][: impact {impact}]"
        "[: urgency {urgency}][: language {language}][: tagged {tag_added}]"
        "[: no longer tagged {tag_removed}]",
    [DK_KIND_ROUTED] =
        "[routed it to {group}][{!group}took it out of every queue][, line {line}][ ({reason})]"
        "[, by the route of {product}]",
    [DK_KIND_QUEUED] = "left it in the queue of {group}: nobody can take it[ ({excluded})]"
                       "[; from here on relaxed: {relaxation}]",
    [DK_KIND_OFFERED] = "offered it to {agent} until {expires_us}[, weight {weight}][, judged at {judged_us}]"
                        "[; relaxed: {relaxation}][; in order: {candidate}]"
                        "[; passed over: {excluded}]",
    [DK_KIND_OFFER_DECLINED] =
        "[{timed_out?the offer to }][{!timed_out}declined the offer: ]{agent}"
        "[{timed_out? ran out}]",
    [DK_KIND_ASSIGNED] =
        "[assigned it to {agent}][{!agent}took it from its owner][, weight {weight}]"
        "[, judged at {judged_us}][; relaxed: {relaxation}][; in order: {candidate}]"
        "[; passed over: {excluded}]",
    [DK_KIND_HANDOVER_DECLARED] =
        "handed it over[ from {from_agent}] to {agent} ({term}, {reason})[, weight {weight}]"
        "[, judged at {judged_us}][; in order: {candidate}][; passed over: {excluded}]",
    [DK_KIND_MESSAGE_PUBLIC] =
        "sent an[{automatic? automatic}] {direction} message[ by {channel}]"
        "[{question?, asking something}][: {text}]",
    [DK_KIND_NOTE_ADDED] = "noted[: {text}]",
    [DK_KIND_STATUS_CHANGED] =
        "set it to {status}[ ({pending})][, by {by}][, code {code}][, final {final_us}]",
    [DK_KIND_ESCALATED] =
        "escalated it[ to line {to_line}][, {to_group}][ to manager {manager}]"
        "[{critical_bypass?, past the checklist as it is critical}][: {reason}]",
    [DK_KIND_CHECKLIST_ANSWERED] =
        "answered the checklist: [{understood?understood}][{!understood}not understood]"
        ", standard steps[{!standard_steps_tried} not] tried, known fixes"
        "[{!known_fixes_tried} not] tried,[{!said_in_product_terms} not]"
        " said in product terms, data[{!data_collected} not] collected, "
        "[{workaround_given?a workaround given}][{!workaround_given}no workaround][: {remarks}]",
    [DK_KIND_SUPPLIER_HANDED] = "handed it to {supplier}[ under {contract}][, as {reference}]",
    [DK_KIND_SUPPLIER_RETURNED] = "took it back from {supplier}[{fixed?, fixed}][: {remarks}]",
    [DK_KIND_MERGED_INTO] = "merged it into {target}",
    [DK_KIND_MERGED_FROM] =
        "merged {source_ticket} into it[, unanswered since {unanswered_since_us}]",
    [DK_KIND_LINKED_TO] = "linked it to {target} ({type})",
    [DK_KIND_LINKED_FROM] = "linked {source_ticket} to it ({type})",
    [DK_KIND_TIME_LOGGED] = "logged {seconds} of work[{billable?, billable}][: {text}]",
    [DK_KIND_ATTACHMENT_ADDED] =
        "attached[ {name}] ({size_bytes} bytes[, {media_type}], sha256 {sha256})",
    [DK_KIND_ATTACHMENT_ERASED] = "erased the attachment {sha256}[: {reason}]",
    [DK_KIND_RATED] = "rated it[ {csat} of 5][, {nps} of 10 to recommend][: {comment}]",
    [DK_KIND_FOLLOWED_UP] = "followed up[: {text}]",
    [DK_KIND_TRANSFERRED_OUT] = "sent it to site {target_site}",
    [DK_KIND_TRANSFERRED_IN] = "took it in from another site",
    [DK_KIND_EXCEPTION_RECORDED] = "recorded an exception ({type}): {reason}",
    [DK_KIND_CLOCK_STARTED] =
        "started the {clock} clock: {target_us}, due {due_us}[, by {policy}]"
        "[ for priority {priority}][, hours of {calendar}]",
    [DK_KIND_CLOCK_PAUSED] = "paused the {clock} clock after {elapsed_us}",
    [DK_KIND_CLOCK_RESUMED] = "resumed the {clock} clock after {elapsed_us}, due {due_us}",
    [DK_KIND_CLOCK_MET] =
        "found the {clock} clock met after {elapsed_us} ({wall_us} by the wall), due {due_us}",
    [DK_KIND_CLOCK_WARNED] =
        "warned at {due_us}: [{level} % of ][{before_us} before the end of ]the {clock} clock"
        "[, noticed {late_by_us} late]",
    [DK_KIND_CLOCK_BREACHED] =
        "found the {clock} clock breached at {due_us}[, noticed {late_by_us} late][ ({cause})]",
    [DK_KIND_CLOCK_CANCELLED] = "cancelled the {clock} clock[ ({cause})]",
    [DK_KIND_CLOCK_CORRECTED] =
        "corrected the {clock} clock from {from} to {to}, because of event {because}"
        "[, due {due_us}]",
    [DK_KIND_NOTIFICATION_REQUESTED] =
        "asked for notice {notice} to {recipient} ({transport}), by {rule} with {template}",
    [DK_KIND_NOTIFICATION_SENT] = "sent notice {notice}[ at attempt {attempts}][: {receipt}]",
    [DK_KIND_NOTIFICATION_FAILED] =
        "could not send notice {notice} (attempt {attempts}[{final?, the last}])[: {error}]",
    [DK_KIND_NOTIFICATION_ACKNOWLEDGED] = "acknowledged notice {notice}",
    [DK_KIND_FIELD_SET] =
        "set {field}[ to {text}][ to {number}][ to {date_us}][ to {choice}][ to {reference}]",
    [DK_KIND_REQUESTER_CHANGED] = "changed the requester to {customer}",
    [DK_KIND_FOLLOWERS_CHANGED] = "changed who follows[: {added}][, no longer {removed}]",
    [DK_KIND_APPROVAL_ASKED] = "asked {approver} to approve[: {question}]",
    [DK_KIND_APPROVAL_GIVEN] = "approved it[ as {approver}][: {text}]",
    [DK_KIND_APPROVAL_REFUSED] = "refused approval[ as {approver}][: {text}]",
    [DK_KIND_REMINDER_SET] = "set a reminder for {due_us}[: {text}]",
    [DK_KIND_REMINDER_DUE] =
        "reminded, as event {reminder} asked for {due_us}[, {late_by_us} late]",
    [DK_KIND_AUTO_SOLVED] = "solved it by itself, due {due_us}",
    [DK_KIND_AUTO_CLOSED] = "closed it by itself, due {due_us}",
    [DK_KIND_ADOPTED] = "adopted it: from here on it is live",
    [DK_KIND_REPEAT_NOTED] = "noted a repeat contact: the customer came with {repeat_of} before",
    [DK_KIND_NOTIFICATION_RETRIED] = "put notice {notice} into the outbox again",
    [DK_KIND_NOTIFICATION_DROPPED] = "dropped notice {notice}[: {reason}]",
    [DK_KIND_SOURCE_ROW] = "kept what the source says[: {attribute}]",
};
/* clang-format on */

const char *dk_sentence_of_kind(uint32_t kind)
{
    return kind <= DK_KIND_TICKET_LAST ? of_kind[kind] : NULL;
}

const char *dk_sentence_of_part(const ProtobufCMessageDescriptor *part)
{
    static const struct {
        const ProtobufCMessageDescriptor *part;
        const char *template;
    } parts[] = {
        {&docket__clock_ref__descriptor, "{metric}[ no. {instance}]"},
        {&docket__candidate__descriptor, "{agent}"},
        {&docket__exclusion__descriptor, "{count} {reason}"},
        {&docket__recipient__descriptor, "[{subject}][ {address}]"},
        {&docket__source_attribute__descriptor, "{key}[ {value}]"},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].part == part) {
            return parts[i].template;
        }
    }
    return NULL;
}
