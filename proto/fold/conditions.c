#include "proto/fold/conditions.h"
#include <string.h>

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

/* The company's. */
static bool lists_tier(const Docket__Condition *condition, const struct dk_refs *refs, uint64_t id,
                       int64_t at_us)
{
    const Docket__CompanyDefined *company = dk_refs_company(refs, id, at_us);

    for (size_t i = 0; company != NULL && company->has_tier && i < condition->n_text; i++)
        if (condition->text[i].len == company->tier.len &&
            memcmp(condition->text[i].data, company->tier.data, company->tier.len) == 0)
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

static bool has_listed_tag(const Docket__Condition *condition, const struct dk_traits *traits)
{
    for (uint32_t i = 0; i < traits->tag_count; i++)
        if (lists_word(condition, traits->tag[i]))
            return true;
    return false;
}

static bool holds(const struct dk_refs *refs, const Docket__Condition *condition,
                  const struct dk_traits *traits, int64_t at_us)
{
    switch (condition->field) {
    case DOCKET__CONDITION_FIELD__CONDITION_PRODUCT:
        return in_subtree(refs, condition, traits->product, at_us);
    case DOCKET__CONDITION_FIELD__CONDITION_GROUP: return lists_id(condition, traits->group);
    case DOCKET__CONDITION_FIELD__CONDITION_COMPANY:
        return lists_id(condition, dk_traits_company(traits, refs, at_us));
    case DOCKET__CONDITION_FIELD__CONDITION_TIER:
        return lists_tier(condition, refs, dk_traits_company(traits, refs, at_us), at_us);
    case DOCKET__CONDITION_FIELD__CONDITION_PRIORITY:
        return lists_number(condition, traits->priority);
    case DOCKET__CONDITION_FIELD__CONDITION_TYPE: return lists_number(condition, traits->type);
    case DOCKET__CONDITION_FIELD__CONDITION_CHANNEL:
        return lists_number(condition, traits->channel);
    case DOCKET__CONDITION_FIELD__CONDITION_LANGUAGE:
        return lists_language(condition, traits->language);
    case DOCKET__CONDITION_FIELD__CONDITION_TAG: return has_listed_tag(condition, traits);
    case DOCKET__CONDITION_FIELD__CONDITION_SUPPLIER: return lists_id(condition, traits->supplier);
    default: return false;
    }
}

bool dk_conditions_hold(Docket__Condition *const *condition, size_t count,
                        const struct dk_traits *traits, const struct dk_refs *refs, int64_t at_us)
{
    for (size_t i = 0; i < count; i++)
        if (!holds(refs, condition[i], traits, at_us))
            return false;
    return true;
}

unsigned dk_condition_class(Docket__ConditionField field)
{
    switch (field) {
    case DOCKET__CONDITION_FIELD__CONDITION_PRODUCT: return DK_SUBJECT_PRODUCT;
    case DOCKET__CONDITION_FIELD__CONDITION_GROUP: return DK_SUBJECT_GROUP;
    case DOCKET__CONDITION_FIELD__CONDITION_COMPANY: return DK_SUBJECT_COMPANY;
    case DOCKET__CONDITION_FIELD__CONDITION_SUPPLIER: return DK_SUBJECT_SUPPLIER;
    default: return 0;
    }
}

const ProtobufCEnumDescriptor *dk_condition_words(Docket__ConditionField field)
{
    switch (field) {
    case DOCKET__CONDITION_FIELD__CONDITION_PRIORITY: return &docket__priority__descriptor;
    case DOCKET__CONDITION_FIELD__CONDITION_TYPE: return &docket__ticket_type__descriptor;
    case DOCKET__CONDITION_FIELD__CONDITION_CHANNEL: return &docket__channel__descriptor;
    default: return NULL;
    }
}
