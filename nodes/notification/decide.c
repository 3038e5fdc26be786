/* What is owed becomes a request: at once, or in the recipient's hours (N2), as it goes. */
#include "nodes/notification/hours.h"
#include "nodes/notification/state.h"
#include "proto/fold/ticket.h"
#include <string.h>

const Docket__RuleDefined *dk_decide_rule(const struct dk_notification *self, uint64_t rule,
                                          uint32_t version)
{
    const struct dk_refs_version *found = dk_refs_version_of(self->world->refs, rule, version);
    DK_ASSERT(found != NULL);
    return (const void *)found->body;
}

bool dk_decide_request(const struct dk_notification *self, uint64_t ticket,
                       const struct dk_obligation *owed, struct dk_intents *intents)
{
    Docket__NotificationRequested requested = DOCKET__NOTIFICATION_REQUESTED__INIT;
    Docket__Recipient recipient = DOCKET__RECIPIENT__INIT;
    const struct dk_refs *refs = self->world->refs;
    const struct dk_rule_step step =
        dk_rule_step(dk_decide_rule(self, owed->rule, owed->rule_version), owed->step);
    size_t language_bytes = strnlen(owed->language, sizeof owed->language);
    recipient.has_subject = owed->recipient != 0;
    recipient.subject = owed->recipient;
    recipient.address = dk_rule_find_address(
        &step, owed->recipient_version == 0
                   ? NULL
                   : dk_refs_version_of(refs, owed->recipient, owed->recipient_version));
    requested.notice = owed->notice;
    requested.rule = owed->rule;
    requested.rule_version = owed->rule_version;
    requested.transport = step.transport;
    requested.recipient = &recipient;
    requested.template_ = step.template;
    requested.has_language = language_bytes > 0;
    requested.language =
        (ProtobufCBinaryData){language_bytes, (uint8_t *)(uintptr_t)owed->language};
    requested.has_step = owed->step > 0;
    requested.step = owed->step;
    requested.has_round = owed->round > 0;
    requested.round = owed->round;
    requested.has_digest_until_us = owed->digest_until_us != 0;
    requested.digest_until_us = owed->digest_until_us;
    return dk_intents_add(intents, ticket, DK_KIND_NOTIFICATION_REQUESTED, &requested.base,
                          owed->cause);
}

int64_t dk_decide_from_us(const struct dk_notification *self, const Docket__RuleDefined *rule,
                          uint64_t recipient, int64_t now_us)
{
    return rule->urgent ? now_us : dk_hours_from_us(self->world->refs, recipient, now_us);
}

int64_t dk_notification_from_us(const void *self, const struct dk_notice *notice, int64_t now_us)
{
    const struct dk_notification *notification = self;
    const struct dk_refs_version *rule =
        dk_refs_version_of(notification->world->refs, notice->rule, notice->rule_version);
    return rule != NULL ? dk_decide_from_us(notification, (const void *)rule->body,
                                            notice->recipient, now_us)
                        : now_us;
}

/* Notices that wait for others are requested at once: their window is over in the hours. */
static bool consider_one(const struct dk_notification *self, uint64_t ticket,
                         const struct dk_obligation *owed, int64_t now_us,
                         struct dk_intents *intents, int64_t *again_us)
{
    const Docket__RuleDefined *rule = dk_decide_rule(self, owed->rule, owed->rule_version);
    int64_t from_us = owed->digest_until_us == 0
                          ? dk_decide_from_us(self, rule, owed->recipient, now_us)
                          : now_us;
    if (from_us > now_us) {
        *again_us = from_us < *again_us ? from_us : *again_us;
        return true;
    }
    return dk_decide_request(self, ticket, owed, intents);
}

bool dk_notification_owes(const struct dk_notification *self, uint64_t ticket)
{
    return dk_table_get(self->owed, ticket, NULL) != NULL ||
           dk_table_get(self->chains, ticket, NULL) != NULL ||
           dk_table_get(self->follow_ups, ticket, NULL) != NULL;
}

void dk_notification_consider(void *self, uint64_t item, int64_t now_us, struct dk_intents *intents,
                              int64_t *again_us)
{
    const struct dk_notification *notification = self;
    const struct dk_ticket *life = dk_table_get(notification->world->tickets, item, NULL);
    size_t bytes;
    const struct dk_obligation *owed = dk_table_get(notification->owed, item, &bytes);
    if (life == NULL || (life->flags & DK_TICKET_AWAY) != 0) {
        return;
    }
    bool room = true;
    for (size_t i = 0; room && i < bytes / sizeof *owed; i++) {
        room = consider_one(notification, item, &owed[i], now_us, intents, again_us);
    }
    room = room && dk_chain_consider(notification, item, now_us, intents, again_us);
    if (room) {
        (void)dk_follow_up_consider(notification, item, now_us, intents, again_us);
    }
}
