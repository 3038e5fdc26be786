/* Rules of notices: what no definition shows alone. */
#include "nodes/notification/rule.h"
#include "proto/base/address.h"
#include "proto/event/body.h"
#include "replay/reference/set.h"

#define PROBLEM(set, entity, key, ...)                                                             \
    dk_reference_problem_at(set, (entity)->file, dk_reference_node_of(entity, key), __VA_ARGS__)

/* A rule in force after the set, and the definition of the set that is to blame for it. */
struct ruling {
    struct dk_reference *set;
    const struct dk_reference_entity *entity;
    const Docket__RuleDefined *rule;
};

/* ---------------------------------------------------------------- where to */

static bool is_reachable(const struct dk_rule_step *step, const char *address, size_t bytes)
{
    switch (step->transport) {
    case DOCKET__TRANSPORT__TRANSPORT_SMTP: return dk_address_is_mailbox(address, bytes);
    case DOCKET__TRANSPORT__TRANSPORT_WEBHOOK: return dk_address_is_url(address, bytes);
    case DOCKET__TRANSPORT__TRANSPORT_FILE: return dk_address_is_path_below(address, bytes);
    default: return true;
    }
}

/* What no transport could ever deliver to. */
static void check_address(const struct ruling *ruling, const struct dk_rule_step *step,
                          const char *address, size_t bytes, const char *via)
{
    static const char *const wanted[] = {
        [DOCKET__TRANSPORT__TRANSPORT_SMTP] = "no mailbox: write one as anna@example.org",
        [DOCKET__TRANSPORT__TRANSPORT_WEBHOOK] =
            "no URL: write http://HOST/... or https://HOST/...",
        [DOCKET__TRANSPORT__TRANSPORT_FILE] =
            "no path below the folder of files: write one as notices/desk.jsonl, without \"..\"",
    };
    if (!is_reachable(step, address, bytes))
        PROBLEM(ruling->set, ruling->entity, via, "address \"%.*s\" is %s",
                (int)(bytes < 200 ? bytes : 200), address, wanted[step->transport]);
}

/* A mailbox that the recipient's definition should have. */
static void check_mailbox(const struct ruling *ruling, const struct dk_rule_step *step,
                          const char *via)
{
    struct dk_reference *set = ruling->set;
    const struct dk_refs_version *version = dk_refs_at(set->after, step->recipient_id, set->now_us);
    size_t bytes = 0;
    const Docket__Text *own = dk_rule_find_address(step, version);
    const char *address = own != NULL ? dk_text_plain(own, &bytes) : "";
    if (version == NULL || dk_address_is_mailbox(address, bytes))
        return;
    const ProtobufCBinaryData *key = &dk_refs_definition(version)->key;
    PROBLEM(set, ruling->entity, via,
            "rule \"%.*s\" sends mail to %s \"%.*s\", who has no mailbox: give one there, or add "
            "\"address: ...\"",
            (int)ruling->rule->definition->key.len,
            (const char *)ruling->rule->definition->key.data,
            dk_subject_class_word(dk_id_class(step->recipient_id)), (int)key->len,
            (const char *)key->data);
}

static bool finds_no_address(const struct dk_rule_step *step)
{
    bool nobody =
        step->recipient == DOCKET__RULE_RECIPIENT__RULE_GROUP ||
        (step->recipient == DOCKET__RULE_RECIPIENT__RULE_FIXED && step->recipient_id == 0);
    return nobody || step->transport != DOCKET__TRANSPORT__TRANSPORT_SMTP;
}

/* The rule's own step, and those under "then". */
static void check_step(const struct ruling *ruling, uint32_t number)
{
    struct dk_rule_step step = dk_rule_step(ruling->rule, number);
    const char *via = number == 0 ? "via" : "then", *payload = number == 0 ? "payload" : "then";
    size_t bytes = 0;
    const char *address = step.address != NULL ? dk_text_plain(step.address, &bytes) : NULL;
    if (address != NULL)
        check_address(ruling, &step, address, bytes, via);
    else if (finds_no_address(&step))
        PROBLEM(ruling->set, ruling->entity, via,
                "rule \"%.*s\" does not say where to: add \"address: ...\" (a path, a URL, a "
                "mailbox)",
                (int)ruling->rule->definition->key.len,
                (const char *)ruling->rule->definition->key.data);
    else if (step.recipient_id != 0)
        check_mailbox(ruling, &step, via);
    if (step.payload != DOCKET__PAYLOAD__PAYLOAD_DOCKET &&
        step.transport != DOCKET__TRANSPORT__TRANSPORT_WEBHOOK)
        PROBLEM(ruling->set, ruling->entity, payload, "a payload goes with \"via: webhook\" only");
    if ((step.payload == DOCKET__PAYLOAD__PAYLOAD_TELEGRAM) != (step.chat.len > 0))
        PROBLEM(ruling->set, ruling->entity, payload,
                "a chat goes with \"payload: telegram\", and only with it");
}

/* ---------------------------------------------------------------- what it waits for */

static bool warns_at(const Docket__PolicyDefined *policy, uint32_t level)
{
    for (size_t i = 0; i < policy->n_warn_percent; i++) {
        if (policy->warn_percent[i] == level)
            return true;
    }
    return false;
}

static bool promises(const Docket__PolicyDefined *policy, Docket__Metric metric)
{
    for (size_t i = 0; i < policy->n_goal; i++) {
        if (policy->goal[i]->metric == metric)
            return true;
    }
    return false;
}

/* Whether some policy promises what the rule listens to, and warns at its level. */
static bool is_awaited(struct dk_reference *set, const Docket__RuleDefined *rule)
{
    for (int type = DOCKET__POLICY_TYPE__POLICY_SLA; type <= DOCKET__POLICY_TYPE__POLICY_UC;
         type++) {
        size_t count;
        const struct dk_refs_version *const *list =
            dk_refs_policies(set->after, (Docket__PolicyType)type, set->now_us, &count);
        for (size_t i = 0; i < count; i++) {
            const Docket__PolicyDefined *policy = (const void *)list[i]->body;
            if ((!rule->has_metric || promises(policy, rule->metric)) &&
                (!rule->has_level || warns_at(policy, rule->level)))
                return true;
        }
    }
    return false;
}

static void check_awaited(const struct ruling *ruling)
{
    const Docket__RuleDefined *rule = ruling->rule;
    char word[DK_WORD_BYTES] = "";
    if ((!rule->has_level && !rule->has_metric) || is_awaited(ruling->set, rule))
        return;
    if (rule->has_metric)
        (void)dk_enum_word(
            protobuf_c_enum_descriptor_get_value(&docket__metric__descriptor, (int)rule->metric),
            word);
    if (rule->has_level)
        PROBLEM(ruling->set, ruling->entity, "level",
                "rule \"%.*s\" is never told: no policy %s%s warns at %u; add it to \"warn\" of "
                "one, or name a level that stands there",
                (int)rule->definition->key.len, (const char *)rule->definition->key.data,
                rule->has_metric ? "with a goal of " : "in force", word, rule->level);
    else
        PROBLEM(ruling->set, ruling->entity, "metric",
                "rule \"%.*s\" is never told: no policy has a goal of %s",
                (int)rule->definition->key.len, (const char *)rule->definition->key.data, word);
}

/* ---------------------------------------------------------------- each rule */

/* What is to blame: the rule's own definition, else of the set whatever it rests on: whom it names,
 * or a policy. */
static const struct dk_reference_entity *to_blame(const struct dk_reference *set,
                                                  const struct dk_refs_version *version)
{
    const struct dk_reference_entity *entity = dk_reference_find(set, version->subject);
    for (size_t i = 0; i < set->entity_count && entity == NULL; i++) {
        const struct dk_reference_entity *other = &set->entity[i];
        if (other->cls == DK_SUBJECT_POLICY ||
            dk_reference_names(version->body, version->kind, other->subject))
            entity = other;
    }
    return entity;
}

static int check_rule(void *arg, const struct dk_refs_version *version)
{
    struct dk_reference *set = arg;
    const struct ruling ruling = {set, to_blame(set, version), (const void *)version->body};
    size_t before = set->problem_count;
    if (ruling.entity == NULL)
        return 0;
    check_awaited(&ruling);
    for (uint32_t i = 0; set->problem_count == before && i < dk_rule_step_count(ruling.rule); i++)
        check_step(&ruling, i);
    return 0;
}

void dk_reference_check_rules(struct dk_reference *set)
{
    dk_refs_each(set->after, DK_SUBJECT_RULE, set->now_us, check_rule, set);
}
