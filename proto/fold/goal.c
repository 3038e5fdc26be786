#include "proto/fold/goal.h"
#include "proto/base/limits.h"
#include "proto/fold/transition.h"
#include <stdbool.h>
#include <string.h>

static Docket__PolicyType type_of(Docket__Metric metric)
{
    switch (metric) {
    case DOCKET__METRIC__METRIC_GROUP_OWNERSHIP: return DOCKET__POLICY_TYPE__POLICY_OLA;
    case DOCKET__METRIC__METRIC_SUPPLIER: return DOCKET__POLICY_TYPE__POLICY_UC;
    default: return DOCKET__POLICY_TYPE__POLICY_SLA;
    }
}

static const Docket__CompanyDefined *company_of(const struct dk_refs *refs,
                                                const struct dk_clock_facts *facts, int64_t at_us,
                                                uint64_t *id)
{
    const Docket__CustomerDefined *customer = dk_refs_customer(refs, facts->customer, at_us);

    *id = facts->company != 0 ? facts->company : customer != NULL ? customer->company : 0;
    return dk_refs_company(refs, *id, at_us);
}

static bool lists_id(const Docket__Condition *condition, uint64_t id)
{
    for (size_t i = 0; i < condition->n_id && id != 0; i++)
        if (condition->id[i] == id)
            return true;
    return false;
}

static bool lists_number(const Docket__Condition *condition, uint32_t number)
{
    for (size_t i = 0; i < condition->n_number; i++)
        if (condition->number[i] == number)
            return true;
    return false;
}

static bool lists_text(const Docket__Condition *condition, const ProtobufCBinaryData *text)
{
    for (size_t i = 0; i < condition->n_text; i++)
        if (condition->text[i].len == text->len &&
            memcmp(condition->text[i].data, text->data, text->len) == 0)
            return true;
    return false;
}

static bool lists_word(const Docket__Condition *condition, uint64_t word)
{
    for (size_t i = 0; i < condition->n_text; i++)
        if (dk_transition_word(condition->text[i].data, condition->text[i].len) == word)
            return true;
    return false;
}

static bool in_subtree(const struct dk_refs *refs, const Docket__Condition *condition,
                       uint64_t product, int64_t at_us)
{
    for (size_t i = 0; i < condition->n_id; i++)
        if (dk_refs_product_within(refs, product, condition->id[i], at_us))
            return true;
    return false;
}

/* "de" takes in "de-AT". */
static bool lists_language(const Docket__Condition *condition, uint64_t language)
{
    uint8_t text[sizeof language + 1] = {0};

    memcpy(text, &language, sizeof language);
    for (size_t i = 0; i < condition->n_text && language != 0; i++) {
        size_t bytes = condition->text[i].len;
        size_t cut = bytes < DK_LANGUAGE_BYTES ? bytes : DK_LANGUAGE_BYTES;
        if (memcmp(condition->text[i].data, text, cut) == 0 &&
            (text[cut] == '\0' || text[cut] == '-'))
            return true;
    }
    return false;
}

static bool has_listed_tag(const Docket__Condition *condition, const struct dk_clock_facts *facts)
{
    for (uint32_t i = 0; i < facts->tag_count; i++)
        if (lists_word(condition, facts->tag[i]))
            return true;
    return false;
}

static bool holds(const struct dk_refs *refs, const Docket__Condition *condition,
                  const struct dk_clock_facts *facts, int64_t at_us)
{
    uint64_t company;
    const Docket__CompanyDefined *defined;

    switch (condition->field) {
    case DOCKET__CONDITION_FIELD__CONDITION_PRODUCT:
        return in_subtree(refs, condition, facts->product, at_us);
    case DOCKET__CONDITION_FIELD__CONDITION_GROUP: return lists_id(condition, facts->group);
    case DOCKET__CONDITION_FIELD__CONDITION_COMPANY:
        (void)company_of(refs, facts, at_us, &company);
        return lists_id(condition, company);
    case DOCKET__CONDITION_FIELD__CONDITION_TIER:
        defined = company_of(refs, facts, at_us, &company);
        return defined != NULL && defined->has_tier && lists_text(condition, &defined->tier);
    case DOCKET__CONDITION_FIELD__CONDITION_PRIORITY:
        return lists_number(condition, facts->priority);
    case DOCKET__CONDITION_FIELD__CONDITION_TYPE: return lists_number(condition, facts->type);
    case DOCKET__CONDITION_FIELD__CONDITION_CHANNEL: return lists_number(condition, facts->channel);
    case DOCKET__CONDITION_FIELD__CONDITION_LANGUAGE:
        return lists_language(condition, facts->language);
    case DOCKET__CONDITION_FIELD__CONDITION_TAG: return has_listed_tag(condition, facts);
    case DOCKET__CONDITION_FIELD__CONDITION_SUPPLIER: return lists_id(condition, facts->supplier);
    default: return false;
    }
}

static bool matches(const struct dk_refs *refs, const Docket__PolicyDefined *policy,
                    const struct dk_clock_facts *facts, int64_t at_us)
{
    for (size_t i = 0; i < policy->n_condition; i++)
        if (!holds(refs, policy->condition[i], facts, at_us))
            return false;
    return true;
}

/* The policy's goal for a metric and a priority; n_goal when it has none. */
static size_t goal_number(const Docket__PolicyDefined *policy, Docket__Metric metric,
                          unsigned priority)
{
    size_t any = policy->n_goal;

    for (size_t i = 0; i < policy->n_goal; i++) {
        unsigned of = (unsigned)policy->goal[i]->priority;
        if (policy->goal[i]->metric != metric)
            continue;
        if (of == priority && of != DOCKET__PRIORITY__PRIORITY_NONE)
            return i;
        if (of == DOCKET__PRIORITY__PRIORITY_NONE && any == policy->n_goal)
            any = i;
    }
    return any;
}

struct dk_goal dk_goal_of(struct dk_refs *refs, Docket__Metric metric, int64_t rules_us,
                          const struct dk_clock_facts *facts, int64_t at_us)
{
    size_t count;
    const struct dk_refs_version *const *list =
        dk_refs_policies(refs, type_of(metric), rules_us, &count);

    for (size_t i = 0; i < count; i++) {
        const Docket__PolicyDefined *policy = (const void *)list[i]->body;
        if (!matches(refs, policy, facts, at_us))
            continue;
        size_t number = goal_number(policy, metric, facts->priority);
        if (number == policy->n_goal)
            break;
        const Docket__Goal *goal = policy->goal[number];
        uint64_t target_us = goal->target_us < DK_TIME_MAX_US ? goal->target_us : DK_TIME_MAX_US;
        return (struct dk_goal){.policy = list[i],
                                .number = (uint32_t)number,
                                .target_us = (int64_t)target_us,
                                .calendar = goal->has_calendar ? goal->calendar : policy->calendar};
    }
    return (struct dk_goal){0};
}
