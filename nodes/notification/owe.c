/* What an event owes, by the rules in force when it occurred. */
#include "nodes/notification/hours.h"
#include "nodes/notification/state.h"
#include "proto/event/body.h"
#include "proto/fold/conditions.h"
#include "proto/fold/notice.h"
#include <stdlib.h>
#include <string.h>

/* A rule that has something to say of the event. */
struct dk_candidate {
    const struct dk_refs_version *version;
    const Docket__RuleDefined *rule;
    struct dk_obligation owed;
    uint64_t receiver; /* 0: a chain that begins with nobody */
    bool chain;        /* of a live ticket; any other is told once */
};

/* ---------------------------------------------------------------- obligations */

/* N1. The event is named by ticket, position and recorded time, so that two logs do not share
 * ids. What is told once has no step and round in its id. */
static uint64_t notice_id(uint64_t ticket, int64_t cause_us, Docket__Transport transport,
                          const struct dk_obligation *owed)
{
    uint64_t parts[] = {ticket,
                        owed->cause,
                        (uint64_t)cause_us,
                        owed->rule,
                        owed->rule_version,
                        owed->recipient,
                        (uint64_t)transport,
                        (uint64_t)owed->round << 32 | owed->step};
    size_t count = sizeof parts / sizeof parts[0];
    count -= parts[count - 1] == 0;
    return dk_notice_number(ticket, dk_notice_hash(parts, count * sizeof parts[0]));
}

/* The recipient's own language; a customer's is else the ticket's. */
static void find_language(const struct dk_notification *self, uint64_t ticket, int64_t at_us,
                          struct dk_obligation *owed)
{
    const struct dk_refs *refs = self->world->refs;
    const struct dk_notice_ticket *kept = dk_notification_ticket(self, ticket);
    const Docket__AgentDefined *agent = dk_refs_agent(refs, owed->recipient, at_us);
    const Docket__CustomerDefined *customer = dk_refs_customer(refs, owed->recipient, at_us);
    if (agent != NULL && agent->n_language > 0) {
        dk_notice_set_language(owed->language, agent->language[0].data, agent->language[0].len);
    } else if (customer != NULL && customer->has_language) {
        dk_notice_set_language(owed->language, customer->language.data, customer->language.len);
    } else if (dk_id_class(owed->recipient) == DK_SUBJECT_CUSTOMER) {
        dk_notice_set_language(owed->language, kept->language, sizeof kept->language);
    }
}

void dk_owe_complete(const struct dk_notification *self, uint64_t ticket, int64_t cause_us,
                     Docket__Transport transport, int64_t at_us, struct dk_obligation *owed)
{
    const struct dk_refs_version *recipient = dk_refs_at(self->world->refs, owed->recipient, at_us);
    owed->recipient_version = recipient != NULL ? recipient->version : 0;
    find_language(self, ticket, at_us, owed);
    owed->notice = notice_id(ticket, cause_us, transport, owed);
}

static bool meets(const Docket__NotificationRequested *requested, uint64_t cause,
                  const struct dk_obligation *owed)
{
    uint64_t recipient = requested->recipient->has_subject ? requested->recipient->subject : 0;
    return owed->cause == cause && owed->rule == requested->rule &&
           owed->rule_version == requested->rule_version && owed->recipient == recipient &&
           owed->step == requested->step && owed->round == requested->round;
}

void dk_owe_discharge(struct dk_notification *self, uint64_t ticket, uint64_t cause,
                      const Docket__NotificationRequested *requested)
{
    size_t bytes, at = 0;
    const struct dk_obligation *owed = dk_table_get(self->owed, ticket, &bytes);
    size_t count = bytes / sizeof *owed;
    while (at < count && !meets(requested, cause, &owed[at])) {
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

/* ---------------------------------------------------------------- digests (N2) */

static uint64_t window_of(uint64_t rule, uint64_t recipient, uint32_t transport)
{
    uint64_t parts[] = {rule, recipient, transport};
    return dk_notice_hash(parts, sizeof parts);
}

/* The first notice opens a window for the next ones of this recipient and rule. It is over in the
 * recipient's hours. */
static int64_t join_window(struct dk_notification *self, const struct dk_candidate *candidate,
                           int64_t now_us)
{
    const struct dk_obligation *owed = &candidate->owed;
    int64_t *until_us = dk_table_edit(
        self->windows, window_of(owed->rule, owed->recipient, (uint32_t)candidate->rule->transport),
        0);
    if (*until_us <= now_us) {
        *until_us = dk_hours_from_us(self->world->refs, owed->recipient,
                                     now_us + (int64_t)candidate->rule->digest_us);
    }
    return *until_us;
}

void dk_owe_close_window(struct dk_notification *self, const struct dk_notice *notice)
{
    uint64_t key = window_of(notice->rule, notice->recipient, notice->transport);
    const int64_t *until_us =
        notice->digest_until_us != 0 ? dk_table_get(self->windows, key, NULL) : NULL;
    if (until_us != NULL && *until_us == notice->digest_until_us) {
        dk_table_remove(self->windows, key);
    }
}

/* ---------------------------------------------------------------- who speaks */

/* A rule may listen to one metric's clocks only, and to one level of warnings. */
static bool listens(const Docket__RuleDefined *rule, const struct dk_event *event)
{
    const Docket__ClockRef *clock = dk_body_field(event->body, "clock", PROTOBUF_C_TYPE_MESSAGE);
    if (rule->has_metric && (clock == NULL || clock->metric != rule->metric)) {
        return false;
    }
    return !rule->has_level ||
           (event->envelope->kind == DK_KIND_CLOCK_WARNED &&
            ((const Docket__ClockWarned *)(const void *)event->body)->level == rule->level);
}

/* Of an escalation, the manager that it names. */
static uint64_t manager_named(const struct dk_event *event)
{
    const Docket__Escalated *escalated = (const void *)event->body;
    return event->envelope->kind == DK_KIND_ESCALATED && escalated->has_manager ? escalated->manager
                                                                                : 0;
}

/* false: the rule has nothing to say of the event, or nobody to say it to. */
static bool consider_rule(const struct dk_notification *self, const struct dk_event *event,
                          const struct dk_refs_version *version, struct dk_candidate *candidate)
{
    const struct dk_envelope *envelope = event->envelope;
    const struct dk_refs *refs = self->world->refs;
    const struct dk_notice_ticket *ticket = dk_notification_ticket(self, envelope->subject);
    const Docket__RuleDefined *rule = (const void *)version->body;
    const struct dk_rule_step step = dk_rule_step(rule, 0);
    const struct dk_rule_people people = {event->after, ticket->traits.supplier,
                                          manager_named(event)};
    *candidate =
        (struct dk_candidate){.version = version,
                              .rule = rule,
                              .chain = dk_rule_is_chain(rule) && dk_ticket_live(event->after),
                              .owed = {.cause = envelope->position,
                                       .rule = version->subject,
                                       .rule_version = version->version}};
    struct dk_obligation *owed = &candidate->owed;
    if (!listens(rule, event) ||
        !dk_conditions_hold(rule->condition, rule->n_condition, &ticket->traits, refs,
                            envelope->occurred_us)) {
        return false;
    }
    if (!dk_rule_find_recipient(refs, &step, &people, envelope->occurred_us, &owed->recipient)) {
        return candidate->chain;
    }
    candidate->receiver = dk_rule_receiver(
        step.transport,
        dk_rule_find_address(&step, dk_refs_at(refs, owed->recipient, envelope->occurred_us)));
    dk_owe_complete(self, envelope->subject, envelope->recorded_us, step.transport,
                    envelope->occurred_us, owed);
    return true;
}

static int compare_keys(const struct dk_candidate *a, const struct dk_candidate *b)
{
    const ProtobufCBinaryData *x = &dk_refs_definition(a->version)->key;
    const ProtobufCBinaryData *y = &dk_refs_definition(b->version)->key;
    int order = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);
    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/* The order in which the rules of one event speak: urgent ones first, then by key. */
static int compare_turns(const void *a, const void *b)
{
    const struct dk_candidate *x = a, *y = b;
    return x->rule->urgent != y->rule->urgent ? y->rule->urgent - x->rule->urgent
                                              : compare_keys(x, y);
}

/* N2: the same news is not sent twice. Of those that tell the same recipient by the same transport
 * and address, and once, the first one speaks; it, or NULL: nobody. A chain tells in its own time,
 * perhaps somebody else, so it keeps nobody silent. */
static const struct dk_candidate *speaker_of(const struct dk_notification *self, size_t count,
                                             const struct dk_candidate *candidate)
{
    for (size_t i = 0; i < count; i++) {
        const struct dk_candidate *other = &self->candidate[i];
        if (!other->chain && other->receiver == candidate->receiver &&
            other->owed.recipient == candidate->owed.recipient) {
            return other;
        }
    }
    return NULL;
}

static void owe(struct dk_notification *self, uint64_t ticket, int64_t now_us,
                struct dk_candidate *candidate)
{
    size_t bytes;
    if (candidate->rule->digest_us > 0 && !candidate->rule->urgent) {
        candidate->owed.digest_until_us = join_window(self, candidate, now_us);
    }
    (void)dk_table_get(self->owed, ticket, &bytes);
    uint8_t *all = dk_table_edit(self->owed, ticket, bytes + sizeof candidate->owed);
    memcpy(all + bytes, &candidate->owed, sizeof candidate->owed);
}

static void make_room(struct dk_notification *self, size_t count)
{
    if (count > self->candidate_capacity) {
        self->candidate = realloc(self->candidate, count * sizeof *self->candidate);
        DK_ASSERT(self->candidate != NULL);
        self->candidate_capacity = count;
    }
}

void dk_owe_apply(struct dk_notification *self, const struct dk_event *event)
{
    const struct dk_envelope *envelope = event->envelope;
    size_t rule_count, count = 0;
    if (dk_ticket_historical(event->after) ||
        (envelope->flags & DOCKET__EVENT_FLAG__FLAG_IMPORTED) != 0) {
        return;
    }
    const struct dk_refs_version *const *rules =
        dk_refs_rules(self->world->refs, envelope->kind, envelope->occurred_us, &rule_count);
    make_room(self, rule_count);
    for (size_t i = 0; i < rule_count; i++) {
        count += consider_rule(self, event, rules[i], &self->candidate[count]);
    }
    if (count > 1) {
        qsort(self->candidate, count, sizeof *self->candidate, compare_turns);
    }
    for (size_t i = 0; i < count; i++) {
        struct dk_candidate *candidate = &self->candidate[i];
        const struct dk_candidate *speaker = speaker_of(self, count, candidate);
        if (candidate->chain) {
            dk_chain_begin(self, event, candidate->version, manager_named(event),
                           speaker != NULL ? speaker->owed.notice : 0);
        } else if (speaker == candidate) {
            owe(self, envelope->subject, envelope->recorded_us, candidate);
        }
    }
}
