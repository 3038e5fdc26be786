#include "proto/fold/traits.h"
#include "docket.pb-c.h"

static void set_tag(struct dk_traits *traits, uint64_t tag, bool there)
{
    uint32_t i = 0;

    while (i < traits->tag_count && traits->tag[i] != tag)
        i++;
    if (there && i == traits->tag_count && i < DK_TRAITS_TAGS)
        traits->tag[traits->tag_count++] = tag;
    else if (!there && i < traits->tag_count)
        traits->tag[i] = traits->tag[--traits->tag_count];
}

static uint64_t id_of(unsigned cls, uint64_t value)
{
    return value != 0 ? dk_id_make(cls, value) : 0;
}

bool dk_traits_apply(struct dk_traits *traits, const struct dk_transition *transition)
{
    uint64_t value = dk_transition_value(transition);

    switch (dk_transition_what(transition)) {
    case DK_CHANGE_CUSTOMER:
        traits->customer = id_of(DK_SUBJECT_CUSTOMER, value);
        traits->company = 0;
        return true;
    case DK_CHANGE_COMPANY: traits->company = id_of(DK_SUBJECT_COMPANY, value); return true;
    case DK_CHANGE_PRODUCT: traits->product = id_of(DK_SUBJECT_PRODUCT, value); return true;
    case DK_CHANGE_GROUP: traits->group = id_of(DK_SUBJECT_GROUP, value); return true;
    case DK_CHANGE_SUPPLIER_HANDED:
        traits->supplier = id_of(DK_SUBJECT_SUPPLIER, value);
        return true;
    case DK_CHANGE_PRIORITY: traits->priority = (uint8_t)value; return true;
    case DK_CHANGE_ADOPTED: /* T1: a live ticket has a priority */
        if (traits->priority == DOCKET__PRIORITY__PRIORITY_NONE)
            traits->priority = DOCKET__PRIORITY__PRIORITY_NORMAL;
        return true;
    case DK_CHANGE_TYPE: traits->type = (uint8_t)value; return true;
    case DK_CHANGE_CHANNEL: traits->channel = (uint8_t)value; return true;
    case DK_CHANGE_LANGUAGE: traits->language = value; return true;
    case DK_CHANGE_TAG_ADDED: set_tag(traits, value, true); return true;
    case DK_CHANGE_TAG_REMOVED: set_tag(traits, value, false); return true;
    default: return false;
    }
}

uint64_t dk_traits_company(const struct dk_traits *traits, const struct dk_refs *refs,
                           int64_t at_us)
{
    const Docket__CustomerDefined *customer = dk_refs_customer(refs, traits->customer, at_us);

    if (traits->company != 0)
        return traits->company;
    return customer != NULL ? customer->company : 0;
}
