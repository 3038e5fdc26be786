/* What a rule says of one telling: its own first one, and each further step of its chain (N3). */
#ifndef DK_NOTIFICATION_RULE_H
#define DK_NOTIFICATION_RULE_H

#include "docket.pb-c.h"
#include "proto/fold/definition.h"
#include "proto/fold/ticket.h"
#include "proto/refs/refs.h"
#include <stdbool.h>
#include <stdint.h>

struct dk_rule_step {
    Docket__RuleRecipient recipient;
    uint64_t recipient_id; /* of a fixed one; 0: an address alone */
    Docket__Transport transport;
    const Docket__Text *address; /* NULL: where the recipient is reached by definition */
    uint64_t template;
    int64_t wait_us; /* for an acknowledgement, before the next step */
    Docket__Payload payload;
    ProtobufCBinaryData chat; /* empty: none */
};

/* A rule without a wait tells once: it has no chain. */
static inline bool dk_rule_is_chain(const Docket__RuleDefined *rule)
{
    return rule->wait_us > 0;
}

/* At least 1. Step 0 is the rule itself. All borrowed from the rule. */
uint32_t dk_rule_step_count(const Docket__RuleDefined *rule);
struct dk_rule_step dk_rule_step(const Docket__RuleDefined *rule, uint32_t step);

/* Of a ticket, who may be told. */
struct dk_rule_people {
    const struct dk_ticket *life;
    uint64_t supplier;
    uint64_t manager; /* that an escalation named; 0: the group's */
};

/* Whom the step names; false when there is nobody. A fixed recipient may be an address alone: then
 * 0. */
bool dk_rule_find_recipient(const struct dk_refs *refs, const struct dk_rule_step *step,
                            const struct dk_rule_people *people, int64_t at_us,
                            uint64_t *recipient);

/* Where: the step's own address, else that of the recipient's definition (NULL: none); NULL when
 * neither has one. */
Docket__Text *dk_rule_find_address(const struct dk_rule_step *step,
                                   const struct dk_refs_version *recipient);

/* One receiver: a transport and an address (NULL: none). Never 0. */
uint64_t dk_rule_receiver(Docket__Transport transport, const Docket__Text *address);

/* A hash that ids of notices are made of; never 0. */
uint64_t dk_notice_hash(const void *bytes, size_t size);

#endif
