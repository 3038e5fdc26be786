#include "proto/fold/goal.h"
#include "proto/base/limits.h"
#include "proto/fold/conditions.h"

static Docket__PolicyType type_of(Docket__Metric metric)
{
    switch (metric) {
    case DOCKET__METRIC__METRIC_GROUP_OWNERSHIP: return DOCKET__POLICY_TYPE__POLICY_OLA;
    case DOCKET__METRIC__METRIC_SUPPLIER: return DOCKET__POLICY_TYPE__POLICY_UC;
    default: return DOCKET__POLICY_TYPE__POLICY_SLA;
    }
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

const struct dk_refs_version *dk_goal_match(struct dk_refs *refs, Docket__PolicyType type,
                                            int64_t rules_us, const struct dk_traits *traits,
                                            int64_t at_us)
{
    size_t count;
    const struct dk_refs_version *const *list =
        dk_refs_policies_held(refs, type, rules_us, at_us, &count);

    for (size_t i = 0; i < count; i++) {
        const Docket__PolicyDefined *policy = (const void *)list[i]->body;
        if (dk_conditions_hold(policy->condition, policy->n_condition, traits, refs, at_us))
            return list[i];
    }
    return NULL;
}

static uint64_t contract_of(struct dk_refs *refs, Docket__Metric metric,
                            const struct dk_traits *traits, uint64_t company, int64_t at_us)
{
    if (metric == DOCKET__METRIC__METRIC_SUPPLIER) {
        const struct dk_refs_version *with =
            dk_refs_supplier_contract(refs, traits->supplier, at_us);
        return with != NULL ? with->subject : 0;
    }
    const Docket__CompanyDefined *body = dk_refs_company(refs, company, at_us);
    return body != NULL ? body->contract : 0;
}

struct dk_goal dk_goal_of(struct dk_refs *refs, Docket__Metric metric, int64_t rules_us,
                          const struct dk_traits *traits, int64_t at_us)
{
    const struct dk_refs_version *version =
        dk_goal_match(refs, type_of(metric), rules_us, traits, at_us);
    const Docket__PolicyDefined *policy = version != NULL ? (const void *)version->body : NULL;
    size_t number = policy != NULL ? goal_number(policy, metric, traits->priority) : 0;

    if (policy == NULL || number == policy->n_goal)
        return (struct dk_goal){0};
    const Docket__Goal *goal = policy->goal[number];
    const Docket__GroupDefined *group = dk_refs_group(refs, traits->group, at_us);
    uint64_t target_us = goal->target_us < DK_TIME_MAX_US ? goal->target_us : DK_TIME_MAX_US;
    uint64_t company = dk_traits_company(traits, refs, at_us);
    return (struct dk_goal){
        .policy = version,
        .number = (uint32_t)number,
        .target_us = (int64_t)target_us,
        .calendar = goal->has_calendar ? goal->calendar : policy->calendar,
        .company = company,
        .contract = contract_of(refs, metric, traits, company, at_us),
        .site = group != NULL ? group->site : 0,
        .priority = (Docket__Priority)traits->priority,
    };
}

bool dk_goal_pauses(const Docket__PolicyDefined *policy, Docket__Pending pending)
{
    if (pending == DOCKET__PENDING__PENDING_NONE)
        pending = DOCKET__PENDING__PENDING_CUSTOMER;
    for (size_t i = 0; i < policy->n_pause; i++)
        if (policy->pause[i] == pending)
            return true;
    return false;
}
