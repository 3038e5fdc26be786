/* From a row to the definition it says. */
#include "proto/base/address.h"
#include "proto/base/limits.h"
#include "proto/event/body.h"
#include "proto/event/kinds.h"
#include "replay/history/person.h"
#include "replay/import/parties_internal.h"
#include <string.h>

/* One row being read. */
struct drawing {
    const struct dk_parties *parties;
    const struct dk_csv_row *row;
    struct dk_party *party;
    struct dk_err *err;
};

static bool has(const struct drawing *d, enum dk_party_column column)
{
    return d->parties->column[column] != DK_PARTY_NO_COLUMN;
}

/* A cell without the blanks around it; empty where there is no such column. */
static struct dk_slice cell(const struct drawing *d, enum dk_party_column column)
{
    if (!has(d, column)) {
        return (struct dk_slice){(const uint8_t *)"", 0};
    }
    return dk_party_trim(d->row->field[d->parties->column[column]]);
}

static ProtobufCBinaryData bytes_of(struct dk_slice text)
{
    return (ProtobufCBinaryData){text.size, (uint8_t *)(uintptr_t)text.data};
}

static Docket__Text *put_text(Docket__Text *text, struct dk_slice words)
{
    docket__text__init(text);
    text->has_plain = 1;
    text->plain = bytes_of(words);
    return words.size > 0 ? text : NULL;
}

/* What names the row's subject: as long as keys may be. */
static int name_party(struct drawing *d, enum dk_party_column column,
                      enum dk_party_column otherwise)
{
    const char *word = dk_subject_class_word(d->parties->options.cls);
    d->party->named = cell(d, column);
    if (d->party->named.size == 0) {
        d->party->named = cell(d, otherwise);
    }
    if (d->party->named.size == 0) {
        return dk_err_set(d->err, DK_EINVAL, "it names no %s", word);
    }
    return d->party->named.size <= DK_KEY_MAX_BYTES
               ? 0
               : dk_err_set(d->err, DK_EINVAL, "what names a %s has at most %d bytes", word,
                            DK_KEY_MAX_BYTES);
}

/* Begins the body as what is in force; its definition says nothing of when it holds. */
static void begin(struct drawing *d, const void *key, size_t key_bytes)
{
    struct dk_party *party = d->party;
    const struct dk_parties_options *options = &d->parties->options;
    party->old = dk_refs_at(options->refs, party->subject, options->at_us);
    docket__definition__init(&party->definition);
    party->definition.key = (ProtobufCBinaryData){key_bytes, (uint8_t *)(uintptr_t)key};
    if (party->old != NULL) {
        const Docket__Definition *old = dk_refs_definition(party->old);
        party->definition.has_name = old->has_name;
        party->definition.name = old->name;
    }
}

/* ------------------------------------------------------------------------------ customers */

static int set_address(struct drawing *d)
{
    struct dk_party *party = d->party;
    Docket__CustomerDefined *body = &party->customer;
    struct dk_slice address = cell(d, DK_CUSTOMER_ADDRESS);
    if (!has(d, DK_CUSTOMER_ADDRESS) && body->n_address > 0) {
        return 0;
    }
    if (address.size > 0 && !dk_address_is_mailbox(address.data, address.size)) {
        return dk_err_set(d->err, DK_EINVAL, "\"%.*s\" is no mail address", (int)address.size,
                          (const char *)address.data);
    }
    if (address.size == 0 && dk_address_is_mailbox(party->named.data, party->named.size)) {
        address = party->named;
    }
    party->addresses[0] = put_text(&party->address, address);
    body->address = party->addresses;
    body->n_address = party->addresses[0] != NULL;
    return 0;
}

static int set_full_name(struct drawing *d)
{
    struct dk_party *party = d->party;
    struct dk_slice name = cell(d, DK_CUSTOMER_NAME);
    if (!has(d, DK_CUSTOMER_NAME)) {
        struct dk_slice first = cell(d, DK_CUSTOMER_FIRST_NAME);
        struct dk_slice last = cell(d, DK_CUSTOMER_SURNAME);
        if (!has(d, DK_CUSTOMER_FIRST_NAME) && !has(d, DK_CUSTOMER_SURNAME)) {
            return 0;
        }
        if (first.size + 1 + last.size >= sizeof party->joined) {
            return dk_err_set(d->err, DK_EINVAL, "a name has at most %zu bytes",
                              sizeof party->joined - 1);
        }
        int n = snprintf(party->joined, sizeof party->joined, "%.*s%s%.*s", (int)first.size,
                         (const char *)first.data, first.size > 0 && last.size > 0 ? " " : "",
                         (int)last.size, (const char *)last.data);
        name = (struct dk_slice){(const uint8_t *)party->joined, (size_t)n};
    }
    party->customer.full_name = put_text(&party->full_name, name);
    return 0;
}

static int set_company(struct drawing *d)
{
    const struct dk_parties_options *options = &d->parties->options;
    Docket__CustomerDefined *body = &d->party->customer;
    struct dk_slice key = cell(d, DK_CUSTOMER_COMPANY);
    if (!has(d, DK_CUSTOMER_COMPANY)) {
        return 0;
    }
    body->has_company = key.size > 0;
    body->company = key.size > 0 ? dk_id_of_key(DK_SUBJECT_COMPANY, (const char *)key.data,
                                                key.size, options->salt)
                                 : 0;
    return key.size == 0 || dk_refs_at(options->refs, body->company, options->at_us) != NULL
               ? 0
               : dk_err_set(d->err, DK_EREFERENCE,
                            "there is no company \"%.*s\": docket import companies defines them",
                            (int)key.size, (const char *)key.data);
}

static int draw_customer(struct drawing *d)
{
    struct dk_party *party = d->party;
    Docket__CustomerDefined *body = &party->customer;
    int rc = name_party(d, DK_CUSTOMER_NAMED, DK_CUSTOMER_ADDRESS);
    if (rc != 0) {
        return rc;
    }
    party->subject = dk_id_of_person(DK_SUBJECT_CUSTOMER, party->named.data, party->named.size,
                                     d->parties->options.salt, party->key);
    begin(d, party->key, sizeof party->key - 1);
    docket__customer_defined__init(body);
    if (party->old != NULL) {
        *body = *(const Docket__CustomerDefined *)(const void *)party->old->body;
    }
    body->definition = &party->definition;
    party->body = &body->base;
    if (has(d, DK_CUSTOMER_LANGUAGE)) {
        body->language = bytes_of(cell(d, DK_CUSTOMER_LANGUAGE));
        body->has_language = body->language.len > 0;
    }
    rc = set_address(d);
    rc = rc != 0 ? rc : set_full_name(d);
    return rc != 0 ? rc : set_company(d);
}

/* ------------------------------------------------------------------------------ companies */

static int set_tier(struct drawing *d)
{
    struct dk_slice tier = cell(d, DK_COMPANY_TIER);
    Docket__CompanyDefined *body = &d->party->company;
    if (!has(d, DK_COMPANY_TIER)) {
        return 0;
    }
    body->tier = bytes_of(tier);
    body->has_tier = tier.size > 0;
    return tier.size == 0 || d->parties->options.new_tiers
               ? 0
               : dk_tiers_check(&d->parties->tiers, tier, d->err);
}

/* The contract is one with this company. */
static int set_contract(struct drawing *d)
{
    const struct dk_parties_options *options = &d->parties->options;
    struct dk_slice key = cell(d, DK_COMPANY_CONTRACT);
    Docket__CompanyDefined *body = &d->party->company;
    if (!has(d, DK_COMPANY_CONTRACT)) {
        return 0;
    }
    body->has_contract = key.size > 0;
    body->contract = 0;
    if (key.size == 0) {
        return 0;
    }
    body->contract = dk_id_of_key(DK_SUBJECT_CONTRACT, (const char *)key.data, key.size, NULL);
    const Docket__ContractDefined *contract =
        dk_refs_contract(options->refs, body->contract, options->at_us);
    if (contract == NULL) {
        return dk_err_set(d->err, DK_EREFERENCE,
                          "there is no contract \"%.*s\": docket apply defines them, once their "
                          "company is (--columns contract= leaves them out)",
                          (int)key.size, (const char *)key.data);
    }
    return contract->company == d->party->subject
               ? 0
               : dk_err_set(d->err, DK_EREFERENCE, "the contract \"%.*s\" is with somebody else",
                            (int)key.size, (const char *)key.data);
}

static int draw_company(struct drawing *d)
{
    struct dk_party *party = d->party;
    Docket__CompanyDefined *body = &party->company;
    int rc = name_party(d, DK_COMPANY_NAMED, DK_COMPANY_NAMED);
    if (rc != 0) {
        return rc;
    }
    party->subject = dk_id_of_key(DK_SUBJECT_COMPANY, (const char *)party->named.data,
                                  party->named.size, d->parties->options.salt);
    begin(d, party->named.data, party->named.size);
    docket__company_defined__init(body);
    if (party->old != NULL) {
        *body = *(const Docket__CompanyDefined *)(const void *)party->old->body;
    }
    body->definition = &party->definition;
    party->body = &body->base;
    if (has(d, DK_COMPANY_NAME)) {
        party->definition.name = bytes_of(cell(d, DK_COMPANY_NAME));
        party->definition.has_name = party->definition.name.len > 0;
    }
    rc = set_tier(d);
    return rc != 0 ? rc : set_contract(d);
}

int dk_party_draw(const struct dk_parties *parties, const struct dk_csv_row *row,
                  struct dk_party *party, struct dk_err *err)
{
    struct drawing drawing = {parties, row, party, err};
    bool customer = parties->options.cls == DK_SUBJECT_CUSTOMER;
    if (row->count != parties->width) {
        return dk_err_set(err, DK_EINVAL, "it has %zu fields, and the header %zu", row->count,
                          parties->width);
    }
    int rc = customer ? draw_customer(&drawing) : draw_company(&drawing);
    return rc != 0
               ? rc
               : dk_body_check(party->body,
                               customer ? DK_KIND_CUSTOMER_DEFINED : DK_KIND_COMPANY_DEFINED, err);
}
