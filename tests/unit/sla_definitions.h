/* Definitions of an organization with one customer, in force from an instant on that may be past. */
#ifndef DK_TESTS_SLA_DEFINITIONS_H
#define DK_TESTS_SLA_DEFINITIONS_H

#include "tests/unit/sla_world.h"

#define ACME     test_id(DK_SUBJECT_COMPANY, "acme")
#define CARL     test_id(DK_SUBJECT_CUSTOMER, "carl")
#define LAPTOP   test_id(DK_SUBJECT_PRODUCT, "laptop")
#define HARDWARE test_id(DK_SUBJECT_PRODUCT, "hardware")
#define OFFICE   test_id(DK_SUBJECT_CALENDAR, "office")
#define TERMS    test_id(DK_SUBJECT_CONTRACT, "terms")
#define CARRIER  test_id(DK_SUBJECT_SUPPLIER, "carrier")

static inline void since(Docket__Definition *definition, int64_t from_us)
{
    definition->has_effective_us = 1;
    definition->effective_us = from_us;
}

static inline uint64_t define_policy(struct role_world *w, Docket__PolicyDefined *policy,
                                     int64_t from_us)
{
    since(policy->definition, from_us);
    policy->has_publish = 1;
    policy->has_calendar = policy->calendar != 0;
    return world_define(w, DK_KIND_POLICY_DEFINED, policy);
}

static inline uint64_t define_company(struct role_world *w, const char *tier, uint64_t contract,
                                      int64_t from_us)
{
    Docket__CompanyDefined company = DOCKET__COMPANY_DEFINED__INIT;
    company.definition = test_definition("acme");
    since(company.definition, from_us);
    company.has_tier = tier != NULL;
    if (tier != NULL)
        company.tier = test_bytes(tier);
    company.has_contract = contract != 0;
    company.contract = contract;
    return world_define(w, DK_KIND_COMPANY_DEFINED, &company);
}

static inline uint64_t define_customer(struct role_world *w, uint64_t company, int64_t from_us)
{
    Docket__CustomerDefined customer = DOCKET__CUSTOMER_DEFINED__INIT;
    customer.definition = test_definition("carl");
    since(customer.definition, from_us);
    customer.has_company = company != 0;
    customer.company = company;
    return world_define(w, DK_KIND_CUSTOMER_DEFINED, &customer);
}

static inline uint64_t define_product(struct role_world *w, uint64_t parent, int64_t from_us)
{
    Docket__ProductDefined product = DOCKET__PRODUCT_DEFINED__INIT;
    product.definition = test_definition("laptop");
    since(product.definition, from_us);
    product.has_parent = parent != 0;
    product.parent = parent;
    return world_define(w, DK_KIND_PRODUCT_DEFINED, &product);
}

static inline uint64_t define_hours(struct role_world *w, uint32_t from_h, uint32_t to_h,
                                    int64_t from_us)
{
    Docket__CalendarDefined *hours = test_hours("office", "UTC", 7, from_h, to_h);
    since(hours->definition, from_us);
    return world_define(w, DK_KIND_CALENDAR_DEFINED, hours);
}

static inline uint64_t define_contract(struct role_world *w, uint64_t supplier, int64_t from_us)
{
    Docket__ContractDefined contract = DOCKET__CONTRACT_DEFINED__INIT;
    contract.definition = test_definition("terms");
    since(contract.definition, from_us);
    contract.has_supplier = supplier != 0;
    contract.supplier = supplier;
    contract.has_company = supplier == 0;
    contract.company = ACME;
    return world_define(w, DK_KIND_CONTRACT_DEFINED, &contract);
}

/* Two hours for a resolution, first of all policies, where something holds. */
static inline Docket__PolicyDefined *shorter_where(Docket__ConditionField field)
{
    Docket__PolicyDefined *policy = new_policy("shorter", DOCKET__POLICY_TYPE__POLICY_SLA, 1);
    Docket__Condition *condition = add_condition(policy, field);
    add_goal(policy, RESOLUTION, ANY, 2 * DK_HOUR_US);
    if (field == DOCKET__CONDITION_FIELD__CONDITION_PRODUCT)
        condition->id[condition->n_id++] = HARDWARE;
    else
        condition->text[condition->n_text++] = test_bytes("gold");
    return policy;
}

#endif
