#include "nodes/notification/state.h"
#include "proto/fold/ticket.h"
#include <string.h>

/* Where the recipient is reached by definition, if the rule does not say. */
static Docket__Text *own_address(const struct dk_refs_version *recipient)
{
    switch (recipient->kind) {
    case DK_KIND_AGENT_DEFINED:
        return ((const Docket__AgentDefined *)(const void *)recipient->body)->email;
    case DK_KIND_SUPPLIER_DEFINED:
        return ((const Docket__SupplierDefined *)(const void *)recipient->body)->contact;
    case DK_KIND_CUSTOMER_DEFINED: {
        const Docket__CustomerDefined *customer = (const void *)recipient->body;
        return customer->n_address > 0 ? customer->address[0] : NULL;
    }
    default: return NULL;
    }
}

static Docket__Text *find_address(const struct dk_refs *refs, const struct dk_obligation *owed)
{
    const struct dk_refs_version *rule = dk_refs_version_of(refs, owed->rule, owed->rule_version);
    DK_ASSERT(rule != NULL); /* it was in force when this came to be owed */
    Docket__Text *address = ((const Docket__RuleDefined *)(const void *)rule->body)->address;
    if (address == NULL && owed->recipient_version != 0) {
        address = own_address(dk_refs_version_of(refs, owed->recipient, owed->recipient_version));
    }
    return address;
}

static bool request(const struct dk_notification *self, uint64_t ticket,
                    const struct dk_obligation *owed, struct dk_intents *intents)
{
    Docket__NotificationRequested requested = DOCKET__NOTIFICATION_REQUESTED__INIT;
    Docket__Recipient recipient = DOCKET__RECIPIENT__INIT;
    size_t language_bytes = strnlen(owed->language, sizeof owed->language);
    recipient.has_subject = owed->recipient != 0;
    recipient.subject = owed->recipient;
    recipient.address = find_address(self->world->refs, owed);
    requested.notice = owed->notice;
    requested.rule = owed->rule;
    requested.rule_version = owed->rule_version;
    requested.transport = (Docket__Transport)owed->transport;
    requested.recipient = &recipient;
    requested.template_ = owed->template;
    requested.has_language = language_bytes > 0;
    requested.language =
        (ProtobufCBinaryData){language_bytes, (uint8_t *)(uintptr_t)owed->language};
    return dk_intents_add(intents, ticket, DK_KIND_NOTIFICATION_REQUESTED, &requested.base,
                          owed->cause);
}

void dk_notification_consider(void *self, uint64_t item, int64_t now_us, struct dk_intents *intents,
                              int64_t *again_us)
{
    const struct dk_notification *notification = self;
    const struct dk_ticket *life = dk_table_get(notification->world->tickets, item, NULL);
    size_t bytes;
    const struct dk_obligation *owed = dk_table_get(notification->owed, item, &bytes);
    (void)now_us;
    (void)again_us;
    if (owed == NULL || (life->flags & DK_TICKET_AWAY) != 0) {
        return;
    }
    for (size_t i = 0; i < bytes / sizeof *owed; i++) {
        if (!request(notification, item, &owed[i], intents)) {
            return;
        }
    }
}
