/* Rules of notices: what no key shows alone. */
#include "nodes/notification/rule.h"
#include "proto/base/address.h"
#include "proto/event/body.h"
#include "replay/reference/set.h"

#define PROBLEM(set, entity, key, ...)                                                             \
    dk_reference_problem_at(set, (entity)->file, dk_reference_node_of(entity, key), __VA_ARGS__)

static bool listens_to(const Docket__RuleDefined *rule, uint32_t from, uint32_t to)
{
    for (size_t i = 0; i < rule->n_on_kind; i++) {
        if (rule->on_kind[i] >= from && rule->on_kind[i] <= to)
            return true;
    }
    return false;
}

/* What no transport could ever deliver to. */
static void check_address(struct dk_reference *set, const struct dk_reference_entity *entity,
                          const struct dk_rule_step *step, const char *via)
{
    size_t bytes = 0;
    const char *address = step->address != NULL ? dk_text_plain(step->address, &bytes) : NULL;
    if (address == NULL) {
        return;
    }
    if (step->transport == DOCKET__TRANSPORT__TRANSPORT_SMTP &&
        !dk_address_is_mailbox(address, bytes))
        PROBLEM(set, entity, via, "address \"%.*s\" is no mailbox: write one as anna@example.org",
                (int)bytes, address);
    if (step->transport == DOCKET__TRANSPORT__TRANSPORT_WEBHOOK &&
        !(bytes > 7 && strncmp(address, "http://", 7) == 0) &&
        !(bytes > 8 && strncmp(address, "https://", 8) == 0))
        PROBLEM(set, entity, via, "address \"%.*s\" is no URL: write http://... or https://...",
                (int)bytes, address);
}

/* The rule's own step, and those under "then". */
static void check_step(struct dk_reference *set, const struct dk_reference_entity *entity,
                       const Docket__RuleDefined *rule, uint32_t number)
{
    struct dk_rule_step step = dk_rule_step(rule, number);
    const char *via = number == 0 ? "via" : "then";
    bool fixed = step.recipient == DOCKET__RULE_RECIPIENT__RULE_FIXED && step.recipient_id == 0;
    bool webhook = step.transport == DOCKET__TRANSPORT__TRANSPORT_WEBHOOK;
    if (step.address == NULL && (fixed || step.transport != DOCKET__TRANSPORT__TRANSPORT_SMTP))
        PROBLEM(set, entity, via,
                "rule \"%s\" does not say where to: add \"address: ...\" (a path, a URL, a "
                "mailbox)",
                entity->key);
    check_address(set, entity, &step, via);
    if (step.payload != DOCKET__PAYLOAD__PAYLOAD_DOCKET && !webhook)
        PROBLEM(set, entity, number == 0 ? "payload" : "then",
                "a payload goes with \"via: webhook\" only");
    if ((step.payload == DOCKET__PAYLOAD__PAYLOAD_TELEGRAM) != (step.chat.len > 0))
        PROBLEM(set, entity, number == 0 ? "payload" : "then",
                "a chat goes with \"payload: telegram\", and only with it");
    if (number > 0 && step.wait_us == 0)
        PROBLEM(set, entity, "then", "a step must leave time to acknowledge: give it a wait");
}

static void check_chain(struct dk_reference *set, const struct dk_reference_entity *entity,
                        const Docket__RuleDefined *rule)
{
    bool chain = dk_rule_is_chain(rule);
    if (rule->n_step >= DK_RULE_STEPS_MAX)
        PROBLEM(set, entity, "then", "a rule has at most %d further steps", DK_RULE_STEPS_MAX - 1);
    if (rule->n_step > 0 && !chain)
        PROBLEM(set, entity, "then",
                "rule \"%s\" does not say after which time others are told: add \"wait: ...\"",
                entity->key);
    if ((rule->repeats > 0 || rule->idle_us > 0) && !chain)
        PROBLEM(set, entity, rule->repeats > 0 ? "repeats" : "idle",
                "repeats and idle go with a chain only: add \"wait: ...\"");
    if (rule->idle_us > 0 && rule->repeats == 0)
        PROBLEM(set, entity, "idle", "beginning again when idle is a repeat: add \"repeats: ...\"");
    if (rule->digest_us > 0 && (chain || rule->urgent))
        PROBLEM(set, entity, "digest",
                "what must be acknowledged, or is urgent, is not gathered: take digest away");
}

void dk_reference_check_rule(struct dk_reference *set, const struct dk_reference_entity *entity)
{
    const Docket__RuleDefined *rule = (const void *)entity->body;
    size_t before = set->problem_count;
    if (rule->has_level && !listens_to(rule, DK_KIND_CLOCK_WARNED, DK_KIND_CLOCK_WARNED))
        PROBLEM(set, entity, "level", "a level goes with the event clock-warned only");
    if (rule->has_metric && !listens_to(rule, DK_KIND_CLOCK_STARTED, DK_KIND_CLOCK_CORRECTED))
        PROBLEM(set, entity, "metric", "a metric goes with clock events only");
    check_chain(set, entity, rule);
    for (uint32_t i = 0; set->problem_count == before && i < dk_rule_step_count(rule); i++)
        check_step(set, entity, rule, i);
}
