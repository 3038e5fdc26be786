#include "nodes/notification/rule.h"
#include "proto/event/body.h"
#include <sodium.h>

uint32_t dk_rule_step_count(const Docket__RuleDefined *rule)
{
    return rule->n_step < DK_RULE_STEPS_MAX ? (uint32_t)rule->n_step + 1 : DK_RULE_STEPS_MAX;
}

struct dk_rule_step dk_rule_step(const Docket__RuleDefined *rule, uint32_t step)
{
    if (step == 0 || step >= dk_rule_step_count(rule)) {
        return (struct dk_rule_step){
            rule->recipient, rule->has_recipient_id ? rule->recipient_id : 0,
            rule->transport, rule->address,
            rule->template_, (int64_t)rule->wait_us,
            rule->payload,   rule->chat};
    }
    const Docket__ChainStep *next = rule->step[step - 1];
    return (struct dk_rule_step){next->recipient, next->has_recipient_id ? next->recipient_id : 0,
                                 next->transport, next->address,
                                 next->template_, (int64_t)next->wait_us,
                                 next->payload,   next->chat};
}

static uint64_t manager_of(const struct dk_refs *refs, const struct dk_rule_people *people,
                           int64_t at_us)
{
    const Docket__GroupDefined *group = dk_refs_group(refs, people->life->group, at_us);
    if (people->manager != 0) {
        return people->manager;
    }
    return group != NULL && group->has_manager ? group->manager : 0;
}

bool dk_rule_find_recipient(const struct dk_refs *refs, const struct dk_rule_step *step,
                            const struct dk_rule_people *people, int64_t at_us, uint64_t *recipient)
{
    switch (step->recipient) {
    case DOCKET__RULE_RECIPIENT__RULE_OWNER: *recipient = people->life->owner; break;
    case DOCKET__RULE_RECIPIENT__RULE_GROUP: *recipient = people->life->group; break;
    case DOCKET__RULE_RECIPIENT__RULE_CUSTOMER: *recipient = people->life->customer; break;
    case DOCKET__RULE_RECIPIENT__RULE_MANAGER: *recipient = manager_of(refs, people, at_us); break;
    case DOCKET__RULE_RECIPIENT__RULE_SUPPLIER: *recipient = people->supplier; break;
    case DOCKET__RULE_RECIPIENT__RULE_FIXED: *recipient = step->recipient_id; return true;
    default: *recipient = 0; break;
    }
    return *recipient != 0;
}

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

Docket__Text *dk_rule_find_address(const struct dk_rule_step *step,
                                   const struct dk_refs_version *recipient)
{
    if (step->address != NULL) {
        return (Docket__Text *)(uintptr_t)step->address;
    }
    return recipient != NULL ? own_address(recipient) : NULL;
}

uint64_t dk_notice_hash(const void *bytes, size_t size)
{
    static const uint8_t key[crypto_shorthash_KEYBYTES] = "docket: notice";
    uint64_t hash;
    (void)crypto_shorthash((uint8_t *)&hash, bytes, size, key);
    return hash != 0 ? hash : 1;
}

uint64_t dk_rule_receiver(Docket__Transport transport, const Docket__Text *address)
{
    uint64_t parts[2] = {(uint64_t)transport, 0};
    if (address != NULL) {
        size_t bytes;
        const char *plain = dk_text_plain(address, &bytes);
        parts[1] = dk_notice_hash(plain, bytes);
    }
    return dk_notice_hash(parts, sizeof parts);
}
