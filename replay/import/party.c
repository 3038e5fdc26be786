#include "replay/import/party.h"
#include "proto/event/body.h"
#include <stdio.h>

static const struct {
    const char *word;
    unsigned cls;
} columns[DK_PARTY_COLUMNS] = {
    [DK_CUSTOMER_NAMED] = {"customer", DK_SUBJECT_CUSTOMER},
    [DK_CUSTOMER_ADDRESS] = {"address", DK_SUBJECT_CUSTOMER},
    [DK_CUSTOMER_NAME] = {"name", DK_SUBJECT_CUSTOMER},
    [DK_CUSTOMER_FIRST_NAME] = {"first_name", DK_SUBJECT_CUSTOMER},
    [DK_CUSTOMER_SURNAME] = {"surname", DK_SUBJECT_CUSTOMER},
    [DK_CUSTOMER_COMPANY] = {"company", DK_SUBJECT_CUSTOMER},
    [DK_CUSTOMER_LANGUAGE] = {"language", DK_SUBJECT_CUSTOMER},
    [DK_COMPANY_NAMED] = {"company", DK_SUBJECT_COMPANY},
    [DK_COMPANY_NAME] = {"name", DK_SUBJECT_COMPANY},
    [DK_COMPANY_TIER] = {"tier", DK_SUBJECT_COMPANY},
    [DK_COMPANY_CONTRACT] = {"contract", DK_SUBJECT_COMPANY},
};

const char *dk_party_column_word(enum dk_party_column column)
{
    return columns[column].word;
}

bool dk_party_column_of(enum dk_party_column column, unsigned cls)
{
    return columns[column].cls == cls;
}

/* -------------------------------------------------------------------------------- saying */

static const char *say_bytes(const ProtobufCBinaryData *bytes, char text[DK_PARTY_TEXT_BYTES])
{
    (void)snprintf(text, DK_PARTY_TEXT_BYTES, "%.*s", (int)bytes->len, (const char *)bytes->data);
    return text;
}

static const char *say_text(const Docket__Text *said, char text[DK_PARTY_TEXT_BYTES])
{
    size_t bytes;
    const char *plain = dk_text_plain(said, &bytes);
    (void)snprintf(text, DK_PARTY_TEXT_BYTES, "%.*s", (int)bytes, plain);
    return text;
}

static const char *say_key(const struct dk_refs *refs, uint64_t id, char text[DK_PARTY_TEXT_BYTES])
{
    const struct dk_refs_version *last = dk_refs_last(refs, id);
    if (id == 0) {
        return "";
    }
    return last != NULL ? say_bytes(&dk_refs_definition(last)->key, text) : dk_id_format(id, text);
}

static const char *say_customer(const struct dk_refs *refs, const Docket__CustomerDefined *customer,
                                enum dk_party_column column, char text[DK_PARTY_TEXT_BYTES])
{
    switch (column) {
    case DK_CUSTOMER_ADDRESS:
        return customer->n_address > 0 ? say_text(customer->address[0], text) : "";
    case DK_CUSTOMER_NAME: return say_text(customer->full_name, text);
    case DK_CUSTOMER_COMPANY: return say_key(refs, customer->company, text);
    case DK_CUSTOMER_LANGUAGE: return say_bytes(&customer->language, text);
    default: return "";
    }
}

static const char *say_company(const struct dk_refs *refs, const Docket__CompanyDefined *company,
                               enum dk_party_column column, char text[DK_PARTY_TEXT_BYTES])
{
    switch (column) {
    case DK_COMPANY_NAMED: return say_bytes(&company->definition->key, text);
    case DK_COMPANY_NAME: return say_bytes(&company->definition->name, text);
    case DK_COMPANY_TIER: return say_bytes(&company->tier, text);
    case DK_COMPANY_CONTRACT: return say_key(refs, company->contract, text);
    default: return "";
    }
}

const char *dk_party_say(const struct dk_refs *refs, const ProtobufCMessage *body,
                         enum dk_party_column column, char text[DK_PARTY_TEXT_BYTES])
{
    text[0] = '\0';
    if (body->descriptor == &docket__customer_defined__descriptor) {
        return say_customer(refs, (const Docket__CustomerDefined *)body, column, text);
    }
    DK_ASSERT(body->descriptor == &docket__company_defined__descriptor);
    return say_company(refs, (const Docket__CompanyDefined *)body, column, text);
}
