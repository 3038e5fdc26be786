/* Files of customers and companies against what is in force: a row, and what it comes to. */
#include "proto/event/body.h"
#include "proto/event/kinds.h"
#include "replay/history/person.h"
#include "replay/import/parties.h"
#include "replay/import/party.h"
#include "tests/lib/assert.h"
#include <inttypes.h>
#include <stdlib.h>

#define NOW_US INT64_C(1790000000000000)

static const uint8_t salt[DK_SALT_BYTES] = {7, 7};

struct site {
    struct dk_refs *refs;
    struct dk_parties *parties;
    uint64_t position;
    const char *at; /* of a file's text that is not read yet */
    struct dk_buf said;
};

static ProtobufCBinaryData bytes_of(const char *text)
{
    return (ProtobufCBinaryData){strlen(text), (uint8_t *)(uintptr_t)text};
}

static void apply(struct site *site, const uint8_t *record, size_t bytes)
{
    struct dk_err err;
    uint8_t copy[4096];
    ASSERT_TRUE(bytes <= sizeof copy);
    memcpy(copy, record, bytes);
    dk_stamp_position(copy, ++site->position);
    dk_stamp_recorded_us(copy, (uint64_t)NOW_US - 1000 + site->position);
    ASSERT_OK(dk_refs_apply(site->refs, copy, bytes, &err), &err);
}

static void define(struct site *site, uint64_t subject, uint32_t kind, const void *body)
{
    struct dk_envelope envelope = {.subject = subject};
    struct dk_buf buf;
    dk_buf_init(&buf, 4096);
    ASSERT_EQ(dk_event_encode(&buf, &envelope, kind, body, NULL), 0);
    apply(site, buf.data, buf.size);
    dk_buf_close(&buf);
}

/* A policy for tier gold; contracts: big is with acme, wires with a supplier. */
static void define_promises(struct site *site)
{
    Docket__Definition definition = DOCKET__DEFINITION__INIT;
    Docket__Condition gold = DOCKET__CONDITION__INIT, *conditions[] = {&gold};
    Docket__PolicyDefined policy = DOCKET__POLICY_DEFINED__INIT;
    Docket__ContractDefined contract = DOCKET__CONTRACT_DEFINED__INIT;
    ProtobufCBinaryData tier = bytes_of("gold");
    gold.field = DOCKET__CONDITION_FIELD__CONDITION_TIER;
    gold.text = &tier;
    gold.n_text = 1;
    definition.key = bytes_of("promise");
    policy.definition = contract.definition = &definition;
    policy.type = DOCKET__POLICY_TYPE__POLICY_SLA;
    policy.condition = conditions;
    policy.n_condition = 1;
    define(site, dk_id_of_key(DK_SUBJECT_POLICY, "promise", 7, NULL), DK_KIND_POLICY_DEFINED,
           &policy);
    definition.key = bytes_of("big");
    contract.has_company = 1;
    contract.company = dk_id_of_key(DK_SUBJECT_COMPANY, "acme", 4, salt);
    define(site, dk_id_of_key(DK_SUBJECT_CONTRACT, "big", 3, NULL), DK_KIND_CONTRACT_DEFINED,
           &contract);
    definition.key = bytes_of("wires");
    contract.has_company = 0;
    contract.company = 0;
    contract.has_supplier = 1;
    contract.supplier = dk_id_of_key(DK_SUBJECT_SUPPLIER, "carrier", 7, NULL);
    define(site, dk_id_of_key(DK_SUBJECT_CONTRACT, "wires", 5, NULL), DK_KIND_CONTRACT_DEFINED,
           &contract);
}

static int open_site(void **state)
{
    struct site *site = calloc(1, sizeof *site);
    DK_ASSERT(site != NULL && dk_refs_new(&site->refs, NULL) == 0);
    dk_buf_init(&site->said, 1 << 16);
    define_promises(site);
    *state = site;
    return 0;
}

static int close_site(void **state)
{
    struct site *site = *state;
    dk_parties_free(&site->parties);
    dk_refs_free(&site->refs);
    dk_buf_close(&site->said);
    free(site);
    return 0;
}

static ssize_t give(void *arg, void *data, size_t bytes)
{
    struct site *site = arg;
    size_t left = strlen(site->at), n = left < bytes ? left : bytes;
    memcpy(data, site->at, n);
    site->at += n;
    return (ssize_t)n;
}

static void say_counts(struct site *site)
{
    const struct dk_parties_counts *counts = dk_parties_counts(site->parties);
    (void)dk_buf_printf(&site->said, "%" PRIu64 "+ %" PRIu64 "~ %" PRIu64 "=", counts->added,
                        counts->changed, counts->unchanged);
}

/* Reads a file: "LINE: why" for rows that stay out, ended by counts. What goes in is folded. */
static const char *import(struct site *site, struct dk_parties_options options, const char *text)
{
    struct dk_csv *csv = NULL;
    struct dk_csv_row row;
    struct dk_buf left_out;
    struct dk_err err = {0};
    options.refs = site->refs;
    options.salt = salt;
    options.at_us = options.at_us != 0 ? options.at_us : NOW_US;
    site->at = text;
    dk_buf_clear(&site->said);
    dk_buf_init(&left_out, 4096);
    dk_parties_free(&site->parties);
    ASSERT_OK(dk_parties_new(&site->parties, &options, &err), &err);
    ASSERT_OK(dk_csv_new(&csv, ',', give, site, &err), &err);
    ASSERT_EQ(dk_csv_next(csv, &row, &err), 1);
    int rc = dk_parties_header(site->parties, &row, &left_out, &err);
    if (left_out.size > 0) {
        (void)dk_buf_printf(&site->said, "without %s; ", dk_buf_string(&left_out));
    }
    if (rc != 0) {
        (void)dk_buf_printf(&site->said, "header: %s; ", err.message);
    }
    while (rc == 0 && dk_csv_next(csv, &row, &err) == 1) {
        if (dk_parties_row(site->parties, &row, &err) != 0) {
            (void)dk_buf_printf(&site->said, "%" PRIu64 ": %s; ", row.line, err.message);
        }
    }
    say_counts(site);
    for (size_t i = 0; i < dk_parties_change_count(site->parties); i++) {
        apply(site, dk_parties_record(site->parties, i),
              dk_parties_change(site->parties, i)->bytes);
    }
    dk_csv_free(&csv);
    dk_buf_close(&left_out);
    return dk_buf_string(&site->said);
}

static const char *customers(struct site *site, const char *text)
{
    return import(site, (struct dk_parties_options){.cls = DK_SUBJECT_CUSTOMER}, text);
}

static const char *companies(struct site *site, const char *text)
{
    return import(site, (struct dk_parties_options){.cls = DK_SUBJECT_COMPANY}, text);
}

/* What is in force of a customer or company, as "address|name|company|language", "..". */
static const char *in_force(struct site *site, unsigned cls, const char *named, int64_t at_us)
{
    uint64_t subject = cls == DK_SUBJECT_CUSTOMER
                           ? dk_id_of_person(cls, named, strlen(named), salt, NULL)
                           : dk_id_of_key(cls, named, strlen(named), salt);
    const struct dk_refs_version *version = dk_refs_at(site->refs, subject, at_us);
    dk_buf_clear(&site->said);
    for (unsigned i = 0; version != NULL && i < DK_PARTY_COLUMNS; i++) {
        char text[DK_PARTY_TEXT_BYTES];
        if (dk_party_column_of(i, cls) && i != DK_CUSTOMER_NAMED && i != DK_CUSTOMER_FIRST_NAME &&
            i != DK_CUSTOMER_SURNAME && i != DK_COMPANY_NAMED) {
            (void)dk_buf_printf(&site->said, "%s|",
                                dk_party_say(site->refs, version->body, i, text));
        }
    }
    return dk_buf_string(&site->said);
}

static void test_companies_are_compared_with_what_is_in_force(void **state)
{
    struct site *site = *state;
    ASSERT_STR(companies(site, "company,name,tier\nacme,Acme Inc.,gold\nbeta,,\n"), "2+ 0~ 0=");
    ASSERT_STR(companies(site, "company,name,tier\nacme,Acme Inc.,gold\nbeta,,\n"), "0+ 0~ 2=");
    /* A column that is not there stays, an empty cell takes away. */
    ASSERT_STR(companies(site, "Company,CONTRACT\nacme,big\nbeta,\n"), "0+ 1~ 1=");
    ASSERT_STR(in_force(site, DK_SUBJECT_COMPANY, "acme", NOW_US), "Acme Inc.|gold|big|");
    ASSERT_STR(companies(site, "company,name,tier\nacme,,gold\n"), "0+ 1~ 0=");
    ASSERT_STR(in_force(site, DK_SUBJECT_COMPANY, "acme", NOW_US), "|gold|big|");
}

static void test_companies_name_what_is_known(void **state)
{
    struct site *site = *state;
    struct dk_parties_options any = {.cls = DK_SUBJECT_COMPANY, .new_tiers = true};
    ASSERT_STR(companies(site, "company,tier,contract\na,gild,\nb,gold,nope\nacme,,wires\nc,,big\n"
                               ",gold,\n"),
               "2: no policy, rule, product or setting in force names the tier \"gild\": is "
               "\"gold\" meant? (--new-tiers takes it); "
               "3: there is no contract \"nope\": docket apply defines them, once their company is "
               "(--columns contract= leaves them out); "
               "4: the contract \"wires\" is with somebody else; "
               "5: the contract \"big\" is with somebody else; "
               "6: it names no company; 0+ 0~ 0=");
    ASSERT_STR(import(site, any, "company,tier\na,gild\n"), "1+ 0~ 0=");
}

static void test_customers_are_who_an_action_names(void **state)
{
    struct site *site = *state;
    struct dk_person person;
    (void)companies(site, "company\nacme\n");
    dk_person_meet(&person, "anna@example.com", strlen("anna@example.com"), salt);
    define(site, person.subject, DK_KIND_CUSTOMER_DEFINED, &person.body);
    ASSERT_STR(in_force(site, DK_SUBJECT_CUSTOMER, "anna@example.com", 0), "anna@example.com||||");
    ASSERT_STR(customers(site, "address,first_name,surname,company,language\n"
                               "anna@example.com, Anna , Berg,acme,de\n"),
               "0+ 1~ 0=");
    ASSERT_STR(in_force(site, DK_SUBJECT_CUSTOMER, "anna@example.com", NOW_US),
               "anna@example.com|Anna Berg|acme|de|");
    /* Whoever meets the customer afterwards takes nothing of it away. */
    define(site, person.subject, DK_KIND_CUSTOMER_DEFINED, &person.body);
    ASSERT_STR(in_force(site, DK_SUBJECT_CUSTOMER, "anna@example.com", NOW_US),
               "anna@example.com|Anna Berg|acme|de|");
    ASSERT_STR(customers(site, "customer\nanna@example.com\n"), "0+ 0~ 1=");
}

static void test_customers_may_be_named_otherwise_than_by_address(void **state)
{
    struct site *site = *state;
    struct dk_person person;
    ASSERT_STR(customers(site, "customer,address,name\n4711,kim@example.org,Kim\n4712,,\n"),
               "2+ 0~ 0=");
    ASSERT_STR(in_force(site, DK_SUBJECT_CUSTOMER, "4711", NOW_US), "kim@example.org|Kim|||");
    ASSERT_STR(in_force(site, DK_SUBJECT_CUSTOMER, "4712", NOW_US), "||||");
    ASSERT_STR(in_force(site, DK_SUBJECT_CUSTOMER, "kim@example.org", NOW_US), "");
    dk_person_meet(&person, "4713", 4, salt);
    define(site, person.subject, DK_KIND_CUSTOMER_DEFINED, &person.body);
    ASSERT_STR(in_force(site, DK_SUBJECT_CUSTOMER, "4713", NOW_US), "|4713|||");
}

static void test_rows_that_stay_out_are_told(void **state)
{
    struct site *site = *state;
    ASSERT_STR(customers(site, "customer,company,language,address\n"
                               "a@example.org,nope,,\n"
                               "b@example.org,,not a tag,\n"
                               "c@example.org,\n"
                               "d@example.org,,,nowhere\n"
                               ",,,\n"
                               "e@example.org,,en,\n"
                               "e@example.org,,de,\n"
                               "e@example.org,,en,\n"),
               "2: there is no company \"nope\": docket import companies defines them; "
               "3: customer_defined.language is no language's tag, as de or pt-BR; "
               "4: it has 2 fields, and the header 4; "
               "5: \"nowhere\" is no mail address; "
               "6: it names no customer; "
               "8: line 7 says something else of the same customer; 1+ 0~ 1=");
}

static void test_columns_are_found_by_the_header(void **state)
{
    struct site *site = *state;
    struct dk_parties_options options = {.cls = DK_SUBJECT_CUSTOMER,
                                         .columns = "address=E-Mail,name=Contact,company="};
    ASSERT_STR(import(site, options, "Contact,e-mail,Phone,company\nEve,eve@example.org,1,nope\n"),
               "without Phone, company; 1+ 0~ 0=");
    ASSERT_STR(in_force(site, DK_SUBJECT_CUSTOMER, "eve@example.org", NOW_US),
               "eve@example.org|Eve|||");
    options.columns = "address=Mail";
    ASSERT_STR(import(site, options, "customer\n"),
               "header: the file has no column \"Mail\"; 0+ 0~ 0=");
    options.columns = "mail=Mail";
    ASSERT_STR(import(site, options, "customer\n"),
               "header: --columns holds NAME=THEIRS, with a comma between two, not \"mail=Mail\"; "
               "0+ 0~ 0=");
    ASSERT_STR(customers(site, "name\n"),
               "header: the first line names no column \"customer\" or \"address\": --columns says "
               "what the file calls it; 0+ 0~ 0=");
    ASSERT_STR(customers(site, "customer,Customer\n"),
               "header: two columns are called \"Customer\"; 0+ 0~ 0=");
}

static void test_a_file_may_hold_from_an_instant_on(void **state)
{
    struct site *site = *state;
    struct dk_parties_options early = {
        .cls = DK_SUBJECT_COMPANY, .from_at = true, .at_us = NOW_US / 2};
    (void)companies(site, "company,tier\nacme,gold\n");
    ASSERT_STR(import(site, early, "company,name\nacme,Acme before\n"), "1+ 0~ 0=");
    ASSERT_STR(import(site, early, "company,name\nacme,Acme before\n"), "0+ 0~ 1=");
    ASSERT_STR(in_force(site, DK_SUBJECT_COMPANY, "acme", NOW_US / 2), "Acme before|||");
    ASSERT_STR(in_force(site, DK_SUBJECT_COMPANY, "acme", NOW_US / 2 - 1), "");
    ASSERT_STR(in_force(site, DK_SUBJECT_COMPANY, "acme", NOW_US), "|gold||");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_site, close_site)
    const struct CMUnitTest tests[] = {
        TEST(test_companies_are_compared_with_what_is_in_force),
        TEST(test_companies_name_what_is_known),
        TEST(test_customers_are_who_an_action_names),
        TEST(test_customers_may_be_named_otherwise_than_by_address),
        TEST(test_rows_that_stay_out_are_told),
        TEST(test_columns_are_found_by_the_header),
        TEST(test_a_file_may_hold_from_an_instant_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
