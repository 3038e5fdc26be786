/* Every kind of event in one table: its number, names, subject and who may append it.
 *
 * A kind is added here, in docket.proto (a body, and a field of Event.body with the same number),
 * and in the folds that care; readers pass over kinds they do not know. */
#ifndef DK_EVENT_KINDS_H
#define DK_EVENT_KINDS_H

#include "proto/base/id.h"
#include <stddef.h>
#include <stdint.h>

/* Shorthands for the table's column of roles. */
#define DK_BY_PEOPLE   (DK_ROLE_BIT(DK_ROLE_AGENT) | DK_ROLE_BIT(DK_ROLE_OPERATOR))
#define DK_BY_IMPORT   DK_ROLE_BIT(DK_ROLE_IMPORTER)
#define DK_BY_ROUTING  DK_ROLE_BIT(DK_ROLE_ROUTING)
#define DK_BY_SLA      DK_ROLE_BIT(DK_ROLE_SLA)
#define DK_BY_NOTIFIER DK_ROLE_BIT(DK_ROLE_NOTIFICATION)
#define DK_BY_OPERATOR DK_ROLE_BIT(DK_ROLE_OPERATOR)

/* number, NAME, field of Event.body, word, class of subject, roles that may append it */
#define DK_KINDS(X)                                                                                \
    X(16, OPENED, opened, "opened", TICKET, DK_BY_PEOPLE | DK_BY_IMPORT)                           \
    X(17, CLASSIFIED, classified, "classified", TICKET, DK_BY_PEOPLE | DK_BY_IMPORT)               \
    X(18, ROUTED, routed, "routed", TICKET, DK_BY_PEOPLE | DK_BY_IMPORT | DK_BY_ROUTING)           \
    X(19, QUEUED, queued, "queued", TICKET, DK_BY_ROUTING)                                         \
    X(20, OFFERED, offered, "offered", TICKET, DK_BY_ROUTING)                                      \
    X(21, OFFER_DECLINED, offer_declined, "offer-declined", TICKET, DK_BY_PEOPLE | DK_BY_ROUTING)  \
    X(22, ASSIGNED, assigned, "assigned", TICKET, DK_BY_PEOPLE | DK_BY_IMPORT | DK_BY_ROUTING)     \
    X(23, HANDOVER_DECLARED, handover_declared, "handover-declared", TICKET,                       \
      DK_BY_PEOPLE | DK_BY_IMPORT | DK_BY_ROUTING)                                                 \
    X(24, MESSAGE_PUBLIC, message_public, "message", TICKET, DK_BY_PEOPLE | DK_BY_IMPORT)          \
    X(25, NOTE_ADDED, note_added, "note", TICKET, DK_BY_PEOPLE | DK_BY_IMPORT)                     \
    X(26, STATUS_CHANGED, status_changed, "status", TICKET, DK_BY_PEOPLE | DK_BY_IMPORT)           \
    X(27, ESCALATED, escalated, "escalated", TICKET, DK_BY_PEOPLE | DK_BY_IMPORT)                  \
    X(28, CHECKLIST_ANSWERED, checklist_answered, "checklist", TICKET,                             \
      DK_BY_PEOPLE | DK_BY_IMPORT)                                                                 \
    X(29, SUPPLIER_HANDED, supplier_handed, "supplier-handed", TICKET,                             \
      DK_BY_PEOPLE | DK_BY_IMPORT)                                                                 \
    X(30, SUPPLIER_RETURNED, supplier_returned, "supplier-returned", TICKET,                       \
      DK_BY_PEOPLE | DK_BY_IMPORT)                                                                 \
    X(31, MERGED_INTO, merged_into, "merged-into", TICKET, DK_BY_PEOPLE | DK_BY_IMPORT)            \
    X(32, MERGED_FROM, merged_from, "merged-from", TICKET, DK_BY_PEOPLE | DK_BY_IMPORT)            \
    X(33, LINKED_TO, linked_to, "linked-to", TICKET, DK_BY_PEOPLE | DK_BY_IMPORT)                  \
    X(34, LINKED_FROM, linked_from, "linked-from", TICKET, DK_BY_PEOPLE | DK_BY_IMPORT)            \
    X(35, TIME_LOGGED, time_logged, "time-logged", TICKET, DK_BY_PEOPLE | DK_BY_IMPORT)            \
    X(36, ATTACHMENT_ADDED, attachment_added, "attachment", TICKET, DK_BY_PEOPLE | DK_BY_IMPORT)   \
    X(37, ATTACHMENT_ERASED, attachment_erased, "attachment-erased", TICKET, DK_BY_PEOPLE)         \
    X(38, RATED, rated, "rated", TICKET, DK_BY_PEOPLE | DK_BY_IMPORT)                              \
    X(39, FOLLOWED_UP, followed_up, "followed-up", TICKET, DK_BY_PEOPLE | DK_BY_NOTIFIER)          \
    X(40, TRANSFERRED_OUT, transferred_out, "transferred-out", TICKET, DK_BY_OPERATOR)             \
    X(41, TRANSFERRED_IN, transferred_in, "transferred-in", TICKET, 0)                             \
    X(42, EXCEPTION_RECORDED, exception_recorded, "exception", TICKET, DK_BY_PEOPLE)               \
    X(43, CLOCK_STARTED, clock_started, "clock-started", TICKET, DK_BY_SLA)                        \
    X(44, CLOCK_PAUSED, clock_paused, "clock-paused", TICKET, DK_BY_SLA)                           \
    X(45, CLOCK_RESUMED, clock_resumed, "clock-resumed", TICKET, DK_BY_SLA)                        \
    X(46, CLOCK_MET, clock_met, "clock-met", TICKET, DK_BY_SLA)                                    \
    X(47, CLOCK_WARNED, clock_warned, "clock-warned", TICKET, DK_BY_SLA)                           \
    X(48, CLOCK_BREACHED, clock_breached, "clock-breached", TICKET, DK_BY_SLA)                     \
    X(49, CLOCK_CANCELLED, clock_cancelled, "clock-cancelled", TICKET, DK_BY_SLA)                  \
    X(50, CLOCK_CORRECTED, clock_corrected, "clock-corrected", TICKET, DK_BY_SLA)                  \
    X(51, NOTIFICATION_REQUESTED, notification_requested, "notice-requested", TICKET,              \
      DK_BY_NOTIFIER)                                                                              \
    X(52, NOTIFICATION_SENT, notification_sent, "notice-sent", TICKET, DK_BY_NOTIFIER)             \
    X(53, NOTIFICATION_FAILED, notification_failed, "notice-failed", TICKET,                       \
      DK_BY_NOTIFIER | DK_BY_OPERATOR)                                                             \
    X(54, NOTIFICATION_ACKNOWLEDGED, notification_acknowledged, "notice-acknowledged", TICKET,     \
      DK_BY_PEOPLE)                                                                                \
    X(55, FIELD_SET, field_set, "field-set", TICKET, DK_BY_PEOPLE | DK_BY_IMPORT)                  \
    X(56, REQUESTER_CHANGED, requester_changed, "requester-changed", TICKET,                       \
      DK_BY_PEOPLE | DK_BY_IMPORT)                                                                 \
    X(57, FOLLOWERS_CHANGED, followers_changed, "followers-changed", TICKET, DK_BY_PEOPLE)         \
    X(58, APPROVAL_ASKED, approval_asked, "approval-asked", TICKET, DK_BY_PEOPLE)                  \
    X(59, APPROVAL_GIVEN, approval_given, "approval-given", TICKET, DK_BY_PEOPLE)                  \
    X(60, APPROVAL_REFUSED, approval_refused, "approval-refused", TICKET, DK_BY_PEOPLE)            \
    X(61, REMINDER_SET, reminder_set, "reminder-set", TICKET, DK_BY_PEOPLE)                        \
    X(62, REMINDER_DUE, reminder_due, "reminder-due", TICKET, DK_BY_SLA)                           \
    X(63, AUTO_SOLVED, auto_solved, "auto-solved", TICKET, DK_BY_SLA)                              \
    X(64, AUTO_CLOSED, auto_closed, "auto-closed", TICKET, DK_BY_SLA)                              \
    X(65, ADOPTED, adopted, "adopted", TICKET, DK_BY_IMPORT | DK_BY_OPERATOR)                      \
    X(66, REPEAT_NOTED, repeat_noted, "repeat-noted", TICKET, DK_BY_ROUTING)                       \
    X(67, NOTIFICATION_RETRIED, notification_retried, "notice-retried", TICKET, DK_BY_OPERATOR)    \
    X(68, NOTIFICATION_DROPPED, notification_dropped, "notice-dropped", TICKET, DK_BY_OPERATOR)    \
    X(69, SOURCE_ROW, source_row, "source-row", TICKET, DK_BY_IMPORT)                              \
    X(96, AGENT_DEFINED, agent_defined, "agent-defined", AGENT, DK_BY_OPERATOR | DK_BY_IMPORT)     \
    X(97, GROUP_DEFINED, group_defined, "group-defined", GROUP, DK_BY_OPERATOR | DK_BY_IMPORT)     \
    X(98, PRODUCT_DEFINED, product_defined, "product-defined", PRODUCT,                            \
      DK_BY_OPERATOR | DK_BY_IMPORT)                                                               \
    X(99, CALENDAR_DEFINED, calendar_defined, "calendar-defined", CALENDAR, DK_BY_OPERATOR)        \
    X(100, POLICY_DEFINED, policy_defined, "policy-defined", POLICY, DK_BY_OPERATOR)               \
    X(101, SUPPLIER_DEFINED, supplier_defined, "supplier-defined", SUPPLIER,                       \
      DK_BY_OPERATOR | DK_BY_IMPORT)                                                               \
    X(102, CONTRACT_DEFINED, contract_defined, "contract-defined", CONTRACT, DK_BY_OPERATOR)       \
    X(103, TEMPLATE_DEFINED, template_defined, "template-defined", TEMPLATE, DK_BY_OPERATOR)       \
    X(104, RULE_DEFINED, rule_defined, "rule-defined", RULE, DK_BY_OPERATOR)                       \
    X(105, FIELD_DEFINED, field_defined, "field-defined", FIELD, DK_BY_OPERATOR | DK_BY_IMPORT)    \
    X(106, SHIFT_DEFINED, shift_defined, "shift-defined", SHIFT, DK_BY_OPERATOR)                   \
    X(107, SITE_DEFINED, site_defined, "site-defined", SITE, DK_BY_OPERATOR)                       \
    X(108, CHECKLIST_DEFINED, checklist_defined, "checklist-defined", CHECKLIST, DK_BY_OPERATOR)   \
    X(109, SETTINGS_DEFINED, settings_defined, "settings-defined", SETTINGS, DK_BY_OPERATOR)       \
    X(110, CUSTOMER_DEFINED, customer_defined, "customer-defined", CUSTOMER,                       \
      DK_BY_PEOPLE | DK_BY_IMPORT)                                                                 \
    X(111, COMPANY_DEFINED, company_defined, "company-defined", COMPANY,                           \
      DK_BY_PEOPLE | DK_BY_IMPORT)                                                                 \
    X(120, PRESENCE_CHANGED, presence_changed, "presence", AGENT, DK_BY_PEOPLE)                    \
    X(121, IMPORT_STARTED, import_started, "import-started", SOURCE, DK_BY_IMPORT)                 \
    X(122, IMPORT_FINISHED, import_finished, "import-finished", SOURCE, DK_BY_IMPORT)              \
    X(123, SLOT_ASSIGNED, slot_assigned, "slot-assigned", SLOT, 0)                                 \
    X(124, CLOCK_STEP_ACCEPTED, clock_step_accepted, "clock-step-accepted", BROKER, DK_BY_OPERATOR)

enum dk_kind {
#define X(number, NAME, field, word, cls, roles) DK_KIND_##NAME = (number),
    DK_KINDS(X)
#undef X
};
#define DK_KIND_MIN          16 /* so that every body's tag takes two bytes */
#define DK_KIND_MAX          2047
#define DK_KIND_TICKET_LAST  69 /* kinds up to here are of tickets */
#define DK_KIND_DEFINED_FROM 96
#define DK_KIND_DEFINED_LAST 111

struct dk_kind_info {
    uint32_t kind;
    const char *word;  /* "status": as the command line and JSON name it */
    const char *field; /* of Event.body */
    unsigned subject_class;
    uint32_t roles; /* DK_ROLE_BIT of each role that may append it */
};

/* NULL for a kind that is not in the table. O(1). */
const struct dk_kind_info *dk_kind_info(uint32_t kind);

/* A word of the table to its kind, or 0. */
uint32_t dk_kind_of(const char *word);

#endif
