#include "proto/event/fields.h"

#include "proto/event/kinds.h"

/* Messages that stand in bodies and have rules of their own; all others have none. */
#define PARTS(X)                                                                                   \
    X(SEALED, sealed)                                                                              \
    X(ORIGIN, origin)                                                                              \
    X(CANDIDATE, candidate)                                                                        \
    X(RECIPIENT, recipient)                                                                        \
    X(DEFINITION, definition)                                                                      \
    X(ROUTE, route)                                                                                \
    X(CONDITION, condition)                                                                        \
    X(GOAL, goal)                                                                                  \
    X(PENALTY, penalty)                                                                            \
    X(CHAIN_STEP, chain_step)                                                                      \
    X(TIER_NEED, tier_need)                                                                        \
    X(TEMPLATE_TEXT, template_text)                                                                \
    X(SOURCE_ATTRIBUTE, source_attribute)

/* A row of rules for each; kinds have theirs at their own number. */
enum part {
    PART_OTHER,
#define X(NAME, name) PART_##NAME,
    PARTS(X)
#undef X
        PART_COUNT
};
_Static_assert(PART_COUNT <= DK_KIND_MIN, "parts and kinds share the rows");

/* A field is found by where it lies in its struct, so that a misspelt one does not compile. */
#define RULE(row, Message, field, rule)                                                            \
    [row][offsetof(Docket__##Message, field) / sizeof(int)] = DK_RULE_##rule
#define K(KIND, Message, field, rule) RULE(DK_KIND_##KIND, Message, field, rule)
#define P(PART, Message, field, rule) RULE(PART_##PART, Message, field, rule)

/* clang-format off */
static const uint8_t rules[][DK_RULE_SLOTS] = {
    P(SEALED, Sealed, key_id, HASH),
    P(SEALED, Sealed, nonce, BINARY),
    P(SEALED, Sealed, ciphertext, BINARY),
    P(ORIGIN, Origin, source, SOURCE),
    P(ORIGIN, Origin, digest, HASH),
    P(ORIGIN, Origin, case_key, KEY),
    P(CANDIDATE, Candidate, agent, AGENT),
    P(RECIPIENT, Recipient, subject, SUBJECT),
    P(DEFINITION, Definition, key, KEY),
    P(ROUTE, Route, group, GROUP),
    P(CONDITION, Condition, id, SUBJECT),
    P(CONDITION, Condition, text, KEY),
    P(GOAL, Goal, priority, MAY_BE_NONE),
    P(GOAL, Goal, target_us, DURATION),
    P(GOAL, Goal, calendar, CALENDAR),
    P(PENALTY, Penalty, priority, MAY_BE_NONE),
    P(PENALTY, Penalty, unit_us, DURATION),
    P(CHAIN_STEP, ChainStep, recipient_id, SUBJECT),
    P(CHAIN_STEP, ChainStep, template_, TEMPLATE),
    P(CHAIN_STEP, ChainStep, wait_us, DURATION),
    P(CHAIN_STEP, ChainStep, chat, KEY),
    P(TIER_NEED, TierNeed, tier, KEY),
    P(TEMPLATE_TEXT, TemplateText, language, LANGUAGE_OR_EMPTY),
    P(SOURCE_ATTRIBUTE, SourceAttribute, key, KEY),
    P(SOURCE_ATTRIBUTE, SourceAttribute, scope, MAY_BE_NONE),

    K(OPENED, Opened, customer, CUSTOMER),
    K(OPENED, Opened, company, COMPANY),
    K(OPENED, Opened, product, PRODUCT),
    K(OPENED, Opened, language, LANGUAGE),
    K(OPENED, Opened, tag, KEY),
    K(OPENED, Opened, subject, WRITTEN),
    K(OPENED, Opened, reference, KEY),
    K(OPENED, Opened, repeat_of, TICKET),
    K(OPENED, Opened, group, GROUP),
    K(CLASSIFIED, Classified, product, PRODUCT),
    K(CLASSIFIED, Classified, language, LANGUAGE),
    K(CLASSIFIED, Classified, tag_added, KEY),
    K(CLASSIFIED, Classified, tag_removed, KEY),
    K(ROUTED, Routed, group, GROUP),
    K(ROUTED, Routed, product, PRODUCT),
    K(QUEUED, Queued, group, GROUP),
    K(OFFERED, Offered, agent, AGENT),
    K(OFFER_DECLINED, OfferDeclined, agent, AGENT),
    K(ASSIGNED, Assigned, agent, AGENT),
    K(HANDOVER_DECLARED, HandoverDeclared, agent, AGENT),
    K(HANDOVER_DECLARED, HandoverDeclared, from_agent, AGENT),
    K(MESSAGE_PUBLIC, MessagePublic, text, WRITTEN),
    K(NOTE_ADDED, NoteAdded, text, WRITTEN),
    K(STATUS_CHANGED, StatusChanged, by, AGENT),
    K(ESCALATED, Escalated, to_group, GROUP),
    K(ESCALATED, Escalated, manager, AGENT),
    K(SUPPLIER_HANDED, SupplierHanded, supplier, SUPPLIER),
    K(SUPPLIER_HANDED, SupplierHanded, contract, CONTRACT),
    K(SUPPLIER_RETURNED, SupplierReturned, supplier, SUPPLIER),
    K(MERGED_INTO, MergedInto, target, TICKET),
    K(MERGED_FROM, MergedFrom, source_ticket, TICKET),
    K(LINKED_TO, LinkedTo, target, TICKET),
    K(LINKED_FROM, LinkedFrom, source_ticket, TICKET),
    K(ATTACHMENT_ADDED, AttachmentAdded, sha256, SHA256),
    K(ATTACHMENT_ADDED, AttachmentAdded, media_type, KEY),
    K(ATTACHMENT_ERASED, AttachmentErased, sha256, SHA256),
    K(TRANSFERRED_OUT, TransferredOut, state, BINARY),
    K(TRANSFERRED_IN, TransferredIn, source_log, UUID),
    K(TRANSFERRED_IN, TransferredIn, state, BINARY),
    K(CLOCK_STARTED, ClockStarted, target_us, DURATION),
    K(CLOCK_STARTED, ClockStarted, policy, POLICY),
    K(CLOCK_STARTED, ClockStarted, calendar, CALENDAR),
    K(CLOCK_STARTED, ClockStarted, tier, KEY),
    K(CLOCK_STARTED, ClockStarted, contract, CONTRACT),
    K(CLOCK_PAUSED, ClockPaused, elapsed_us, DURATION),
    K(CLOCK_RESUMED, ClockResumed, elapsed_us, DURATION),
    K(CLOCK_MET, ClockMet, elapsed_us, DURATION),
    K(CLOCK_MET, ClockMet, wall_us, DURATION),
    K(CLOCK_WARNED, ClockWarned, late_by_us, DURATION),
    K(CLOCK_WARNED, ClockWarned, before_us, DURATION),
    K(CLOCK_BREACHED, ClockBreached, late_by_us, DURATION),
    K(CLOCK_CORRECTED, ClockCorrected, from, MAY_BE_NONE),
    K(CLOCK_CORRECTED, ClockCorrected, to, MAY_BE_NONE),
    K(NOTIFICATION_REQUESTED, NotificationRequested, notice, HASH),
    K(NOTIFICATION_REQUESTED, NotificationRequested, rule, RULE),
    K(NOTIFICATION_REQUESTED, NotificationRequested, template_, TEMPLATE),
    K(NOTIFICATION_REQUESTED, NotificationRequested, language, LANGUAGE),
    K(NOTIFICATION_SENT, NotificationSent, notice, HASH),
    K(NOTIFICATION_FAILED, NotificationFailed, notice, HASH),
    K(NOTIFICATION_ACKNOWLEDGED, NotificationAcknowledged, notice, HASH),
    K(NOTIFICATION_RETRIED, NotificationRetried, notice, HASH),
    K(NOTIFICATION_DROPPED, NotificationDropped, notice, HASH),
    K(EXCEPTION_RECORDED, ExceptionRecorded, reason, WRITTEN),
    K(FIELD_SET, FieldSet, field, FIELD),
    K(FIELD_SET, FieldSet, choice, KEY),
    K(FIELD_SET, FieldSet, reference, SUBJECT),
    K(FIELD_SET, FieldSet, name, KEY),
    K(REQUESTER_CHANGED, RequesterChanged, customer, CUSTOMER),
    K(FOLLOWERS_CHANGED, FollowersChanged, added, SUBJECT),
    K(FOLLOWERS_CHANGED, FollowersChanged, removed, SUBJECT),
    K(APPROVAL_ASKED, ApprovalAsked, approver, AGENT),
    K(APPROVAL_GIVEN, ApprovalGiven, approver, AGENT),
    K(APPROVAL_REFUSED, ApprovalRefused, approver, AGENT),
    K(REMINDER_DUE, ReminderDue, late_by_us, DURATION),
    K(REPEAT_NOTED, RepeatNoted, repeat_of, TICKET),

    K(AGENT_DEFINED, AgentDefined, language, LANGUAGE),
    K(AGENT_DEFINED, AgentDefined, skill, KEY),
    K(AGENT_DEFINED, AgentDefined, group, GROUP),
    K(AGENT_DEFINED, AgentDefined, product, PRODUCT),
    K(AGENT_DEFINED, AgentDefined, notify_calendar, CALENDAR),
    K(GROUP_DEFINED, GroupDefined, calendar, CALENDAR),
    K(GROUP_DEFINED, GroupDefined, secondary, GROUP),
    K(GROUP_DEFINED, GroupDefined, manager, AGENT),
    K(GROUP_DEFINED, GroupDefined, next_site_group, GROUP),
    K(GROUP_DEFINED, GroupDefined, notify_calendar, CALENDAR),
    K(PRODUCT_DEFINED, ProductDefined, parent, PRODUCT),
    K(PRODUCT_DEFINED, ProductDefined, audience, KEY),
    K(PRODUCT_DEFINED, ProductDefined, contract_level, KEY),
    K(PRODUCT_DEFINED, ProductDefined, required_skill, KEY),
    K(PRODUCT_DEFINED, ProductDefined, preferred_skill, KEY),
    K(CALENDAR_DEFINED, CalendarDefined, zone, KEY),
    K(POLICY_DEFINED, PolicyDefined, calendar, CALENDAR),
    K(POLICY_DEFINED, PolicyDefined, warn_before_us, DURATION),
    K(SUPPLIER_DEFINED, SupplierDefined, calendar, CALENDAR),
    K(CONTRACT_DEFINED, ContractDefined, company, COMPANY),
    K(CONTRACT_DEFINED, ContractDefined, supplier, SUPPLIER),
    K(CONTRACT_DEFINED, ContractDefined, level, KEY),
    K(CONTRACT_DEFINED, ContractDefined, currency, KEY),
    K(RULE_DEFINED, RuleDefined, recipient_id, SUBJECT),
    K(RULE_DEFINED, RuleDefined, template_, TEMPLATE),
    K(RULE_DEFINED, RuleDefined, chat, KEY),
    K(RULE_DEFINED, RuleDefined, digest_us, DURATION),
    K(RULE_DEFINED, RuleDefined, wait_us, DURATION),
    K(RULE_DEFINED, RuleDefined, idle_us, DURATION),
    K(FIELD_DEFINED, FieldDefined, choice, KEY),
    K(SHIFT_DEFINED, ShiftDefined, calendar, CALENDAR),
    K(SHIFT_DEFINED, ShiftDefined, agent, AGENT),
    K(SITE_DEFINED, SiteDefined, zone, KEY),
    K(SETTINGS_DEFINED, SettingsDefined, offer_timeout_us, DURATION),
    K(SETTINGS_DEFINED, SettingsDefined, queue_timeout_us, DURATION),
    K(SETTINGS_DEFINED, SettingsDefined, calendar, CALENDAR),
    K(SETTINGS_DEFINED, SettingsDefined, default_group, GROUP),
    K(SETTINGS_DEFINED, SettingsDefined, decline_pause_us, DURATION),
    K(SETTINGS_DEFINED, SettingsDefined, notify_calendar, CALENDAR),
    K(CUSTOMER_DEFINED, CustomerDefined, company, COMPANY),
    K(CUSTOMER_DEFINED, CustomerDefined, language, LANGUAGE),
    K(COMPANY_DEFINED, CompanyDefined, tier, KEY),
    K(COMPANY_DEFINED, CompanyDefined, contract, CONTRACT),

    K(IMPORT_STARTED, ImportStarted, name, KEY),
    K(IMPORT_STARTED, ImportStarted, mapping_sha256, SHA256),
    K(IMPORT_FINISHED, ImportFinished, name, KEY),
    K(SLOT_ASSIGNED, SlotAssigned, member, MEMBER),
    K(CLOCK_STEP_ACCEPTED, ClockStepAccepted, step_us, DURATION),
};
/* clang-format on */

const uint8_t *dk_rules_of_kind(uint32_t kind)
{
    return rules[kind < sizeof rules / sizeof rules[0] ? kind : PART_OTHER];
}

const uint8_t *dk_rules_of_part(const ProtobufCMessageDescriptor *part)
{
    static const ProtobufCMessageDescriptor *const parts[PART_COUNT] = {
#define X(NAME, name) [PART_##NAME] = &docket__##name##__descriptor,
        PARTS(X)
#undef X
    };
    for (size_t i = PART_OTHER + 1; i < PART_COUNT; i++) {
        if (parts[i] == part)
            return rules[i];
    }
    return rules[PART_OTHER];
}
