/* N3: who does not acknowledge in time has the next one told. */
#include "nodes/notification/hours.h"
#include "nodes/notification/state.h"
#include "proto/event/body.h"
#include <string.h>

static const Docket__RuleDefined *rule_of(const struct dk_notification *self,
                                          const struct dk_chain *chain)
{
    return dk_decide_rule(self, chain->rule, chain->rule_version);
}

/* ---------------------------------------------------------------- what an event changes */

static void forget(struct dk_notification *self, uint64_t ticket, size_t at, size_t count)
{
    if (count == 1) {
        dk_table_remove(self->chains, ticket);
        return;
    }
    struct dk_chain *rest = dk_table_edit(self->chains, ticket, count * sizeof *rest);
    memmove(&rest[at], &rest[at + 1], (count - at - 1) * sizeof *rest);
    (void)dk_table_edit(self->chains, ticket, (count - 1) * sizeof *rest);
}

/* `step` was told by `notice` at an instant. false: that was the last of all. */
static bool told(struct dk_chain *chain, const Docket__RuleDefined *rule, uint32_t step,
                 uint32_t round, uint64_t notice, int64_t at_us)
{
    chain->told[chain->told_count % DK_RULE_STEPS_MAX] = notice;
    chain->told_count = chain->told_count < 2 * DK_RULE_STEPS_MAX - 1
                            ? (uint16_t)(chain->told_count + 1)
                            : DK_RULE_STEPS_MAX;
    chain->acknowledged = 0;
    chain->due_us = at_us + dk_rule_step(rule, step).wait_us;
    bool last = step + 1 >= dk_rule_step_count(rule);
    chain->step = last ? 0 : step + 1;
    chain->round = last ? round + 1 : round;
    return chain->round <= rule->repeats;
}

void dk_chain_begin(struct dk_notification *self, const struct dk_event *event,
                    const struct dk_refs_version *rule, uint64_t manager, uint64_t notice)
{
    const struct dk_envelope *envelope = event->envelope;
    size_t bytes;
    struct dk_chain chain = {.cause = envelope->position,
                             .cause_us = envelope->recorded_us,
                             .rule = rule->subject,
                             .manager = manager,
                             .due_us = envelope->recorded_us,
                             .rule_version = rule->version};
    if (notice != 0 &&
        !told(&chain, (const void *)rule->body, 0, 0, notice, envelope->recorded_us)) {
        return;
    }
    (void)dk_table_get(self->chains, envelope->subject, &bytes);
    uint8_t *all = dk_table_edit(self->chains, envelope->subject, bytes + sizeof chain);
    memcpy(all + bytes, &chain, sizeof chain);
}

static bool was_told(const struct dk_chain *chain, uint64_t notice)
{
    for (size_t i = 0; i < DK_RULE_STEPS_MAX && i < chain->told_count; i++) {
        if (chain->told[i] == notice) {
            return true;
        }
    }
    return false;
}

/* Answers all that was told so far: what is acknowledged again, later or by another number of
 * the chain, says nothing new. false: nobody is told again, whatever happens. */
static bool acknowledge(struct dk_chain *chain, const Docket__RuleDefined *rule, int64_t at_us)
{
    memset(chain->told, 0, sizeof chain->told);
    chain->told_count = 0;
    chain->round += chain->step > 0;
    chain->step = 0;
    chain->acknowledged = 1;
    chain->due_us = at_us + (int64_t)rule->idle_us;
    return rule->idle_us > 0 && chain->round <= rule->repeats;
}

/* Somebody who works on tickets did something to this one. */
static bool is_work(const struct dk_envelope *envelope)
{
    unsigned actor = dk_id_class(envelope->actor);
    return actor == DK_ACTOR_AGENT || actor == DK_ACTOR_OPERATOR || actor == DK_ACTOR_SUPPLIER;
}

/* false: the chain is at its end. */
static bool apply_to(const struct dk_notification *self, const struct dk_event *event,
                     struct dk_chain *chain)
{
    const struct dk_envelope *envelope = event->envelope;
    const Docket__RuleDefined *rule = rule_of(self, chain);
    const Docket__NotificationRequested *requested = (const void *)event->body;
    const Docket__NotificationAcknowledged *acknowledged = (const void *)event->body;
    struct dk_decision decision;
    switch (envelope->kind) {
    case DK_KIND_NOTIFICATION_REQUESTED:
        return requested->rule != chain->rule || requested->rule_version != chain->rule_version ||
               dk_event_decision(event->record, event->record_bytes, &decision) != 1 ||
               decision.cause != chain->cause ||
               told(chain, rule, requested->step, requested->round, requested->notice,
                    envelope->recorded_us);
    case DK_KIND_NOTIFICATION_ACKNOWLEDGED:
        return !was_told(chain, acknowledged->notice) ||
               acknowledge(chain, rule, envelope->recorded_us);
    case DK_KIND_NOTIFICATION_SENT:
    case DK_KIND_NOTIFICATION_FAILED:
    case DK_KIND_NOTIFICATION_RETRIED:
    case DK_KIND_NOTIFICATION_DROPPED: return true;
    default:
        if (chain->acknowledged && is_work(envelope)) {
            chain->due_us = envelope->recorded_us + (int64_t)rule->idle_us;
        }
        return true;
    }
}

void dk_chain_apply(struct dk_notification *self, const struct dk_event *event)
{
    uint64_t ticket = event->envelope->subject;
    size_t bytes;
    const struct dk_chain *chain = dk_table_get(self->chains, ticket, &bytes);
    if (chain == NULL) {
        return;
    }
    if (!dk_ticket_live(event->after) || (event->after->flags & DK_TICKET_AWAY) != 0) {
        dk_table_remove(self->chains, ticket);
        return;
    }
    size_t count = bytes / sizeof *chain;
    for (size_t i = count; i-- > 0;) {
        struct dk_chain changed = chain[i];
        if (!apply_to(self, event, &changed)) {
            forget(self, ticket, i, count--);
        } else if (memcmp(&changed, &chain[i], sizeof changed) != 0) {
            struct dk_chain *all = dk_table_edit(self->chains, ticket, count * sizeof *all);
            all[i] = changed;
        }
        chain = dk_table_get(self->chains, ticket, NULL);
    }
}

/* ---------------------------------------------------------------- what is owed */

static bool is_absent(const struct dk_notification *self, uint64_t recipient, int64_t now_us)
{
    const int64_t *until_us = dk_table_get(self->absences, recipient, NULL);
    return (until_us != NULL && now_us < *until_us) ||
           dk_hours_off_shift(self->world->refs, recipient, now_us);
}

/* The first step from `owed->step` on whose recipient is there; the last one is taken even when
 * absent, so that a round never ends without anybody being told. false: there is nobody at all. */
static bool find_step(const struct dk_notification *self, const struct dk_chain *chain,
                      const struct dk_rule_people *people, int64_t now_us,
                      struct dk_obligation *owed)
{
    const Docket__RuleDefined *rule = rule_of(self, chain);
    uint32_t count = dk_rule_step_count(rule);
    for (; owed->step < count; owed->step++) {
        struct dk_rule_step step = dk_rule_step(rule, owed->step);
        if (dk_rule_find_recipient(self->world->refs, &step, people, now_us, &owed->recipient) &&
            (owed->step + 1 == count || !is_absent(self, owed->recipient, now_us))) {
            return true;
        }
    }
    return false;
}

/* The step to tell now; in the next round when there is nobody left in this one. */
static bool next_step(const struct dk_notification *self, uint64_t ticket,
                      const struct dk_chain *chain, int64_t now_us, struct dk_obligation *owed)
{
    const struct dk_rule_people people = {dk_table_get(self->world->tickets, ticket, NULL),
                                          dk_notification_ticket(self, ticket)->traits.supplier,
                                          chain->manager};
    *owed = (struct dk_obligation){.cause = chain->cause,
                                   .rule = chain->rule,
                                   .rule_version = chain->rule_version,
                                   .step = chain->step,
                                   .round = chain->round};
    if (find_step(self, chain, &people, now_us, owed)) {
        return true;
    }
    owed->step = 0;
    owed->round++;
    return owed->round <= rule_of(self, chain)->repeats &&
           find_step(self, chain, &people, now_us, owed);
}

static bool consider_chain(const struct dk_notification *self, uint64_t ticket,
                           const struct dk_chain *chain, int64_t now_us, struct dk_intents *intents,
                           int64_t *again_us)
{
    const Docket__RuleDefined *rule = rule_of(self, chain);
    struct dk_obligation owed;
    int64_t due_us = chain->due_us;
    if (due_us <= now_us && !next_step(self, ticket, chain, now_us, &owed)) {
        return true; /* an event of the ticket may bring somebody */
    }
    if (due_us <= now_us) {
        due_us = dk_decide_from_us(self, rule, owed.recipient, now_us);
    }
    if (due_us > now_us) {
        *again_us = due_us < *again_us ? due_us : *again_us;
        return true;
    }
    dk_owe_complete(self, ticket, chain->cause_us, dk_rule_step(rule, owed.step).transport, now_us,
                    &owed);
    return dk_decide_request(self, ticket, &owed, intents);
}

bool dk_chain_consider(const struct dk_notification *self, uint64_t ticket, int64_t now_us,
                       struct dk_intents *intents, int64_t *again_us)
{
    size_t bytes;
    const struct dk_chain *chain = dk_table_get(self->chains, ticket, &bytes);
    bool room = true;
    for (size_t i = 0; room && i < bytes / sizeof *chain; i++) {
        room = consider_chain(self, ticket, &chain[i], now_us, intents, again_us);
    }
    return room;
}
