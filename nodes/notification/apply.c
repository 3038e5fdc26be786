#include "nodes/notification/state.h"
#include "proto/event/body.h"
#include "proto/fold/conditions.h"
#include "proto/fold/ticket.h"
#include <sodium.h>
#include <string.h>

static uint64_t hash_of(const void *bytes, size_t size)
{
    static const uint8_t key[crypto_shorthash_KEYBYTES] = "docket: notice";
    uint64_t hash;
    (void)crypto_shorthash((uint8_t *)&hash, bytes, size, key);
    return hash != 0 ? hash : 1;
}

/* N1. The event is named by ticket, position and recorded time, so that two logs do not share
 * ids. */
static uint64_t notice_id(const struct dk_envelope *event, const struct dk_obligation *owed)
{
    uint64_t parts[] = {event->subject, event->position,    (uint64_t)event->recorded_us,
                        owed->rule,     owed->rule_version, owed->recipient,
                        owed->transport};
    return hash_of(parts, sizeof parts);
}

static void set_language(char language[DK_NOTICE_LANGUAGE_BYTES], const void *data, size_t bytes)
{
    memset(language, 0, DK_NOTICE_LANGUAGE_BYTES);
    memcpy(language, data, bytes < DK_NOTICE_LANGUAGE_BYTES ? bytes : DK_NOTICE_LANGUAGE_BYTES);
}

/* ---------------------------------------------------------------- what is kept of a ticket */

/* In the order of the log: a rule is judged by what is known when its event comes in. */
static bool apply_traits(struct dk_notice_ticket *ticket, const struct dk_event *event)
{
    struct dk_transition made[DK_TRANSITIONS_OF_EVENT];
    size_t count = dk_transitions_of(event->envelope, event->body, made);
    bool changed = false;
    for (size_t i = 0; i < count; i++) {
        changed |= dk_traits_apply(&ticket->traits, &made[i]);
    }
    return changed;
}

static void apply_language(struct dk_notice_ticket *ticket, const struct dk_event *event)
{
    const Docket__Opened *opened = (const void *)event->body;
    const Docket__Classified *classified = (const void *)event->body;
    uint32_t kind = event->envelope->kind;
    if (kind == DK_KIND_OPENED && opened->has_language) {
        set_language(ticket->language, opened->language.data, opened->language.len);
    } else if (kind == DK_KIND_CLASSIFIED && classified->has_language) {
        set_language(ticket->language, classified->language.data, classified->language.len);
    }
}

static void apply_ticket(struct dk_notification *self, const struct dk_event *event)
{
    uint64_t ticket = event->envelope->subject;
    struct dk_notice_ticket kept = {0};
    size_t bytes;
    const void *before = dk_table_get(self->tickets, ticket, &bytes);
    bool opens = event->envelope->kind == DK_KIND_OPENED;
    if (before != NULL) {
        memcpy(&kept, before, bytes);
    }
    if (!apply_traits(&kept, event) && !opens && before != NULL) {
        return;
    }
    if (opens) {
        kept.opened = event->envelope->position;
    }
    apply_language(&kept, event);
    bytes = dk_notice_ticket_bytes(&kept);
    memcpy(dk_table_edit(self->tickets, ticket, bytes), &kept, bytes);
}

/* ---------------------------------------------------------------- what an event owes */

static uint64_t manager_of(const struct dk_notification *self, const struct dk_event *event)
{
    const struct dk_envelope *envelope = event->envelope;
    const Docket__Escalated *escalated = (const void *)event->body;
    if (envelope->kind == DK_KIND_ESCALATED && escalated->has_manager) {
        return escalated->manager;
    }
    const Docket__GroupDefined *group =
        dk_refs_group(self->world->refs, event->after->group, envelope->occurred_us);
    return group != NULL && group->has_manager ? group->manager : 0;
}

/* Whom the rule names; false when there is nobody. A fixed recipient may be an address alone. */
static bool find_recipient(const struct dk_notification *self, const struct dk_event *event,
                           const struct dk_notice_ticket *ticket, const Docket__RuleDefined *rule,
                           uint64_t *recipient)
{
    switch (rule->recipient) {
    case DOCKET__RULE_RECIPIENT__RULE_OWNER: *recipient = event->after->owner; break;
    case DOCKET__RULE_RECIPIENT__RULE_GROUP: *recipient = event->after->group; break;
    case DOCKET__RULE_RECIPIENT__RULE_CUSTOMER: *recipient = event->after->customer; break;
    case DOCKET__RULE_RECIPIENT__RULE_MANAGER: *recipient = manager_of(self, event); break;
    case DOCKET__RULE_RECIPIENT__RULE_SUPPLIER: *recipient = ticket->traits.supplier; break;
    case DOCKET__RULE_RECIPIENT__RULE_FIXED:
        *recipient = rule->has_recipient_id ? rule->recipient_id : 0;
        return true;
    default: *recipient = 0; break;
    }
    return *recipient != 0;
}

/* The recipient's own language; a customer's is else the ticket's. */
static void find_language(const struct dk_notification *self, const struct dk_notice_ticket *ticket,
                          int64_t at_us, struct dk_obligation *owed)
{
    const struct dk_refs *refs = self->world->refs;
    const Docket__AgentDefined *agent = dk_refs_agent(refs, owed->recipient, at_us);
    const Docket__CustomerDefined *customer = dk_refs_customer(refs, owed->recipient, at_us);
    if (agent != NULL && agent->n_language > 0) {
        set_language(owed->language, agent->language[0].data, agent->language[0].len);
    } else if (customer != NULL && customer->has_language) {
        set_language(owed->language, customer->language.data, customer->language.len);
    } else if (dk_id_class(owed->recipient) == DK_SUBJECT_CUSTOMER) {
        set_language(owed->language, ticket->language, sizeof ticket->language);
    }
}

/* A rule may listen to one metric's clocks only, and to one level of warnings. */
static bool listens(const Docket__RuleDefined *rule, const struct dk_event *event)
{
    const ProtobufCMessageDescriptor *descriptor = event->body->descriptor;
    const ProtobufCFieldDescriptor *clock =
        protobuf_c_message_descriptor_get_field_by_name(descriptor, "clock");
    if (rule->has_metric) {
        const Docket__ClockRef *ref =
            clock == NULL
                ? NULL
                : *(Docket__ClockRef *const *)(const void *)((const uint8_t *)event->body +
                                                             clock->offset);
        if (ref == NULL || ref->metric != rule->metric) {
            return false;
        }
    }
    return !rule->has_level ||
           (event->envelope->kind == DK_KIND_CLOCK_WARNED &&
            ((const Docket__ClockWarned *)(const void *)event->body)->level == rule->level);
}

static void owe(struct dk_notification *self, const struct dk_event *event,
                const struct dk_notice_ticket *ticket, const struct dk_refs_version *version)
{
    const struct dk_envelope *envelope = event->envelope;
    const Docket__RuleDefined *rule = (const void *)version->body;
    struct dk_obligation owed = {.cause = envelope->position,
                                 .rule = version->subject,
                                 .rule_version = version->version,
                                 .template = rule->template_,
                                 .transport = (uint32_t)rule->transport};
    if (!listens(rule, event) ||
        !dk_conditions_hold(rule->condition, rule->n_condition, &ticket->traits, self->world->refs,
                            envelope->occurred_us) ||
        !find_recipient(self, event, ticket, rule, &owed.recipient)) {
        return;
    }
    const struct dk_refs_version *recipient =
        dk_refs_at(self->world->refs, owed.recipient, envelope->occurred_us);
    owed.recipient_version = recipient != NULL ? recipient->version : 0;
    find_language(self, ticket, envelope->occurred_us, &owed);
    owed.notice = notice_id(envelope, &owed);
    size_t bytes;
    (void)dk_table_get(self->owed, envelope->subject, &bytes);
    uint8_t *all = dk_table_edit(self->owed, envelope->subject, bytes + sizeof owed);
    memcpy(all + bytes, &owed, sizeof owed);
}

static void judge_rules(struct dk_notification *self, const struct dk_event *event)
{
    const struct dk_envelope *envelope = event->envelope;
    const struct dk_notice_ticket *ticket = dk_notification_ticket(self, envelope->subject);
    size_t count;
    if (event->body == NULL || dk_ticket_historical(event->after) ||
        (envelope->flags & DOCKET__EVENT_FLAG__FLAG_IMPORTED) != 0) {
        return;
    }
    const struct dk_refs_version *const *rules =
        dk_refs_rules(self->world->refs, envelope->kind, envelope->occurred_us, &count);
    for (size_t i = 0; i < count; i++) {
        owe(self, event, ticket, rules[i]);
    }
}

/* ---------------------------------------------------------------- what becomes of a notice */

/* The obligation, if there is one, is met. */
static void discharge(struct dk_notification *self, uint64_t ticket, uint64_t notice)
{
    size_t bytes, at = 0;
    const struct dk_obligation *owed = dk_table_get(self->owed, ticket, &bytes);
    size_t count = bytes / sizeof *owed;
    while (at < count && owed[at].notice != notice) {
        at++;
    }
    if (at == count) {
        return;
    }
    if (count == 1) {
        dk_table_remove(self->owed, ticket);
        return;
    }
    struct dk_obligation *rest = dk_table_edit(self->owed, ticket, bytes);
    memmove(&rest[at], &rest[at + 1], (count - at - 1) * sizeof *rest);
    (void)dk_table_edit(self->owed, ticket, bytes - sizeof *rest);
}

static uint64_t receiver_of(const Docket__NotificationRequested *requested)
{
    uint64_t parts[2] = {(uint64_t)requested->transport, 0};
    const Docket__Text *address = requested->recipient->address;
    if (address != NULL) {
        size_t bytes;
        const char *plain = dk_text_plain(address, &bytes);
        parts[1] = hash_of(plain, bytes);
    }
    return hash_of(parts, sizeof parts);
}

static void apply_requested(struct dk_notification *self, const struct dk_event *event)
{
    const Docket__NotificationRequested *requested = (const void *)event->body;
    const struct dk_envelope *envelope = event->envelope;
    struct dk_decision decision;
    discharge(self, envelope->subject, requested->notice);
    if (requested->notice == 0 || dk_notification_find(self, requested->notice) != NULL ||
        dk_event_decision(event->record, event->record_bytes, &decision) != 1) {
        return;
    }
    dk_table_remove(self->dead, requested->notice);
    struct dk_notice *notice = dk_table_edit(self->outbox, requested->notice, 0);
    notice->ticket = envelope->subject;
    notice->position = envelope->position;
    notice->cause = decision.cause;
    notice->rule = requested->rule;
    notice->rule_version = requested->rule_version;
    notice->template = requested->template_;
    notice->recipient = requested->recipient->has_subject ? requested->recipient->subject : 0;
    notice->receiver = receiver_of(requested);
    notice->transport = (uint32_t)requested->transport;
    if (requested->has_language) {
        set_language(notice->language, requested->language.data, requested->language.len);
    }
    dk_notification_line_up(self, envelope->position, requested->notice);
}

static void apply_sent(struct dk_notification *self, const struct dk_event *event)
{
    const Docket__NotificationSent *sent = (const void *)event->body;
    if (dk_notification_find(self, sent->notice) != NULL) {
        dk_table_remove(self->outbox, sent->notice);
    }
}

static void apply_failed(struct dk_notification *self, const struct dk_event *event)
{
    const Docket__NotificationFailed *failed = (const void *)event->body;
    const struct dk_notice *pending = dk_notification_find(self, failed->notice);
    if (!failed->final || pending == NULL) {
        return;
    }
    struct dk_dead *dead = dk_table_edit(self->dead, failed->notice, 0);
    *dead = (struct dk_dead){.notice = *pending,
                             .failed_us = event->envelope->recorded_us,
                             .attempts = failed->attempts};
    if (failed->has_error) {
        memcpy(dead->error, failed->error.data,
               failed->error.len < sizeof dead->error ? failed->error.len : sizeof dead->error);
    }
    dk_table_remove(self->outbox, failed->notice);
}

int dk_notification_apply(void *self, const struct dk_event *event, struct dk_agenda *agenda,
                          struct dk_err *err)
{
    struct dk_notification *notification = self;
    uint64_t ticket = event->envelope->subject;
    (void)err;
    if (event->after == NULL || event->body == NULL) {
        return 0;
    }
    apply_ticket(notification, event);
    switch (event->envelope->kind) {
    case DK_KIND_NOTIFICATION_REQUESTED: apply_requested(notification, event); break;
    case DK_KIND_NOTIFICATION_SENT: apply_sent(notification, event); break;
    case DK_KIND_NOTIFICATION_FAILED: apply_failed(notification, event); break;
    case DK_KIND_NOTIFICATION_ACKNOWLEDGED:
    case DK_KIND_NOTIFICATION_RETRIED:
    case DK_KIND_NOTIFICATION_DROPPED: break;
    default: judge_rules(notification, event); break;
    }
    if (dk_table_get(notification->owed, ticket, NULL) != NULL) {
        dk_agenda_touch(agenda, ticket);
    }
    return 0;
}
