/* Reference data for dk_ticket_check, and its verdicts as the tests state them. */
#ifndef DK_TESTS_TICKET_CHECK_FIXTURE_H
#define DK_TESTS_TICKET_CHECK_FIXTURE_H

#include "proto/event/body.h"
#include "proto/fold/notice.h"
#include "tests/unit/ticket_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define OPEN_TICKET fixture_ticket(DOCKET__STATUS__STATUS_OPEN)
#define NOBODY      dk_id_make(DK_SUBJECT_AGENT, 99)

static inline ProtobufCBinaryData bytes(const char *text)
{
    return (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
}

/* The organization: anna signs with both names, bert has no surname; support and network; the vpn
 * is for gold customers and for initech, of which dora is; carl's company has no tier. */
static struct dk_refs *refs;

static inline void define(uint64_t subject, uint32_t kind, const void *body)
{
    static uint64_t position;
    struct dk_buf record;
    struct dk_envelope event = {.format = DK_EVENT_FORMAT, .subject = subject};
    struct dk_err err;

    event.position = ++position;
    event.recorded_us = event.occurred_us = NOW_US - 100 * DAY_US;
    event.subject_version = 1;
    event.actor = dk_id_make(DK_ACTOR_OPERATOR, 1);
    dk_buf_init(&record, DK_RECORD_MAX_BYTES);
    assert_int_equal(dk_event_encode(&record, &event, kind, body, &err), 0);
    assert_int_equal(dk_refs_apply(refs, record.data, record.size, &err), 0);
    dk_buf_close(&record);
}

static inline void define_agent(uint64_t id, const char *key, const char *first,
                                const char *surname)
{
    Docket__Definition definition = DOCKET__DEFINITION__INIT;
    Docket__AgentDefined agent = DOCKET__AGENT_DEFINED__INIT;
    Docket__Text first_name = DOCKET__TEXT__INIT, last_name = DOCKET__TEXT__INIT;

    definition.key = bytes(key);
    agent.definition = &definition;
    first_name.has_plain = last_name.has_plain = 1;
    first_name.plain = bytes(first);
    last_name.plain = bytes(surname);
    agent.first_name = &first_name;
    agent.surname = &last_name;
    define(id, DK_KIND_AGENT_DEFINED, &agent);
}

static inline void define_field(uint64_t id, Docket__FieldType type)
{
    Docket__Definition definition = DOCKET__DEFINITION__INIT;
    Docket__FieldDefined field = DOCKET__FIELD_DEFINED__INIT;
    ProtobufCBinaryData choices[] = {bytes("red"), bytes("blue")};

    definition.key = bytes("field");
    field.definition = &definition;
    field.type = type;
    field.n_choice = 2;
    field.choice = choices;
    define(id, DK_KIND_FIELD_DEFINED, &field);
}

static inline void define_company(uint64_t id, const char *key, const char *tier)
{
    Docket__Definition definition = DOCKET__DEFINITION__INIT;
    Docket__CompanyDefined company = DOCKET__COMPANY_DEFINED__INIT;

    definition.key = bytes(key);
    company.definition = &definition;
    company.has_tier = tier != NULL;
    if (tier != NULL)
        company.tier = bytes(tier);
    define(id, DK_KIND_COMPANY_DEFINED, &company);
}

#define COMPANY(n) dk_id_make(DK_SUBJECT_COMPANY, (n))
#define FIELD(n)   dk_id_make(DK_SUBJECT_FIELD, (n)) /* by Docket__FieldType */

static inline int set_up(void **state)
{
    Docket__Definition definition = DOCKET__DEFINITION__INIT;
    Docket__GroupDefined group = DOCKET__GROUP_DEFINED__INIT;
    Docket__SupplierDefined supplier = DOCKET__SUPPLIER_DEFINED__INIT;
    Docket__ProductDefined product = DOCKET__PRODUCT_DEFINED__INIT;
    Docket__Route route = DOCKET__ROUTE__INIT, *routes = &route;
    Docket__CustomerDefined customer = DOCKET__CUSTOMER_DEFINED__INIT;
    Docket__SettingsDefined settings = DOCKET__SETTINGS_DEFINED__INIT;
    ProtobufCBinaryData audience[] = {bytes("gold"), bytes("initech")};
    struct dk_err err;

    (void)state;
    if (dk_refs_new(&refs, &err) != 0)
        return -1;
    define_agent(ANNA, "anna", "Anna", "Berg");
    define_agent(BERT, "bert", "Bert", "");
    definition.key = bytes("entity");
    group.definition = supplier.definition = product.definition = &definition;
    customer.definition = settings.definition = &definition;
    define(SUPPORT, DK_KIND_GROUP_DEFINED, &group);
    group.has_line = 1;
    group.line = 2;
    define(NETWORK, DK_KIND_GROUP_DEFINED, &group);
    define(ACME, DK_KIND_SUPPLIER_DEFINED, &supplier);
    route.line = 2;
    route.group = NETWORK;
    product.n_route = 1;
    product.route = &routes;
    product.n_audience = 2;
    product.audience = audience;
    define(VPN, DK_KIND_PRODUCT_DEFINED, &product);
    define_company(COMPANY(1), "globex", NULL);
    define_company(COMPANY(2), "initech", NULL);
    define_company(COMPANY(3), "hooli", "gold");
    customer.has_company = 1;
    customer.company = COMPANY(1);
    define(CARL, DK_KIND_CUSTOMER_DEFINED, &customer);
    customer.company = COMPANY(2);
    define(DORA, DK_KIND_CUSTOMER_DEFINED, &customer);
    settings.has_reopen_days = 1;
    settings.reopen_days = 10;
    definition.key = bytes("settings");
    define(dk_id_of_key(DK_SUBJECT_SETTINGS, "settings", 8, NULL), DK_KIND_SETTINGS_DEFINED,
           &settings);
    for (int type = DOCKET__FIELD_TYPE__FIELD_TEXT; type <= DOCKET__FIELD_TYPE__FIELD_REFERENCE;
         type++)
        define_field(FIELD((uint64_t)type), (Docket__FieldType)type);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    dk_refs_free(&refs);
    return 0;
}

/* Judges a live event of `actor`, and compares code and field. */
#define REFUSED(ticket, kind, actor, body, code, field_name)                                       \
    judged(ticket, DK_ROLE_OPERATOR, kind, actor, body, code, field_name, __LINE__)
#define ALLOWED(ticket, kind, actor, body)                                                         \
    judged(ticket, DK_ROLE_OPERATOR, kind, actor, body, 0, "", __LINE__)

static inline void judged(struct dk_ticket ticket, unsigned role, uint32_t kind, uint64_t actor,
                          const void *body, int code, const char *field, int line)
{
    struct dk_envelope event = fixture_event(&ticket, kind, actor);
    struct dk_err reason = {0};
    int found = dk_ticket_check(&ticket, refs, role, &event, body, &reason);

    if (found != code || strcmp(reason.field, field) != 0)
        fail_msg("line %d: %s '%s' (%s), not %s '%s'", line, dk_code_name(found), reason.field,
                 reason.message, dk_code_name(code), field);
    assert_true(code == 0 || (reason.code == code && reason.message[0] != '\0'));
}

#endif
