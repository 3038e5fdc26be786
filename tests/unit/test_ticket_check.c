/* Refusals that the table does not show: values, people, times, reference data; each with its code
 * and field. */
#include "proto/event/body.h"
#include "proto/fold/notice.h"
#include "tests/unit/ticket_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define OPEN_TICKET fixture_ticket(DOCKET__STATUS__STATUS_OPEN)
#define NOBODY      dk_id_make(DK_SUBJECT_AGENT, 99)

static ProtobufCBinaryData bytes(const char *text)
{
    return (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
}

/* The organization: anna signs with both names, bert has no surname; support and network; the vpn
 * is for gold customers and for initech, of which dora is; carl's company has no tier. */
static struct dk_refs *refs;

static void define(uint64_t subject, uint32_t kind, const void *body)
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

static void define_agent(uint64_t id, const char *key, const char *first, const char *surname)
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

static void define_field(uint64_t id, Docket__FieldType type)
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

static void define_company(uint64_t id, const char *key, const char *tier)
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

static int set_up(void **state)
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

static int tear_down(void **state)
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

static void judged(struct dk_ticket ticket, unsigned role, uint32_t kind, uint64_t actor,
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

static void test_ticket_check_signature(void **state)
{
    struct dk_ticket ticket = OPEN_TICKET;
    Docket__MessagePublic reply = DOCKET__MESSAGE_PUBLIC__INIT;

    (void)state;
    ticket.speaker = 0;
    ticket.owner = 0;
    reply.direction = DOCKET__DIRECTION__DIRECTION_OUTBOUND;
    ALLOWED(ticket, DK_KIND_MESSAGE_PUBLIC, BY_ANNA, &reply);
    REFUSED(ticket, DK_KIND_MESSAGE_PUBLIC, BY_BERT, &reply, DK_EREFERENCE, "actor");
    reply.automatic = 1;
    ALLOWED(ticket, DK_KIND_MESSAGE_PUBLIC, BY_BERT, &reply);
}

/* Agents and suppliers are those of the reference data, whatever they do; of others none is asked,
 * nor of what is imported. */
static void test_ticket_check_actor(void **state)
{
    const struct {
        uint64_t actor;
        int64_t occurred_us;
        uint32_t flags;
        int code;
    } rows[] = {
        {BY_ANNA, NOW_US, 0, 0},
        {BY_ANNA, NOW_US - 100 * DAY_US - 1, 0, DK_EREFERENCE}, /* not yet defined */
        {dk_id_make(DK_ACTOR_AGENT, 99), NOW_US, 0, DK_EREFERENCE},
        {dk_id_make(DK_ACTOR_SUPPLIER, 1), NOW_US, 0, 0},
        {dk_id_make(DK_ACTOR_SUPPLIER, 99), NOW_US, 0, DK_EREFERENCE},
        {dk_id_make(DK_ACTOR_CUSTOMER, 99), NOW_US, 0, 0},
        {dk_id_make(DK_ACTOR_OPERATOR, 99), NOW_US, 0, 0},
        {dk_id_make(DK_ACTOR_AGENT, 99), NOW_US, DOCKET__EVENT_FLAG__FLAG_IMPORTED, 0},
        {dk_id_make(DK_ACTOR_AGENT, 99), NOW_US, DOCKET__EVENT_FLAG__FLAG_HISTORICAL,
         DK_EREFERENCE},
    };
    struct dk_ticket ticket = OPEN_TICKET;
    Docket__AttachmentAdded attached = DOCKET__ATTACHMENT_ADDED__INIT;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dk_envelope event = fixture_event(&ticket, DK_KIND_ATTACHMENT_ADDED, rows[i].actor);
        struct dk_err reason = {0};

        event.occurred_us = rows[i].occurred_us;
        event.flags = rows[i].flags;
        assert_int_equal(
            dk_ticket_check(&ticket, refs, DK_ROLE_OPERATOR, &event, &attached.base, &reason),
            rows[i].code);
        assert_string_equal(reason.field, rows[i].code != 0 ? "actor" : "");
    }
}

static void test_ticket_check_speaker(void **state)
{
    struct dk_ticket ticket = OPEN_TICKET;
    Docket__MessagePublic message = DOCKET__MESSAGE_PUBLIC__INIT;
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;

    (void)state;
    ticket.owner = BERT; /* a new owner who has declared nothing */
    message.direction = DOCKET__DIRECTION__DIRECTION_OUTBOUND;
    REFUSED(ticket, DK_KIND_MESSAGE_PUBLIC, BY_BERT, &message, DK_EILLEGAL, "actor");
    ALLOWED(ticket, DK_KIND_NOTE_ADDED, BY_BERT, &note);
    REFUSED(ticket, DK_KIND_MESSAGE_PUBLIC, BY_CARL, &message, DK_EILLEGAL,
            "message_public.direction");
    message.direction = DOCKET__DIRECTION__DIRECTION_INBOUND; /* bert takes a call down */
    ALLOWED(ticket, DK_KIND_MESSAGE_PUBLIC, BY_BERT, &message);
    ticket.owner = BERT;
    ticket.speaker = 0; /* nobody has spoken: the owner is who will */
    message.direction = DOCKET__DIRECTION__DIRECTION_OUTBOUND;
    REFUSED(ticket, DK_KIND_MESSAGE_PUBLIC, BY_ANNA, &message, DK_EILLEGAL, "actor");
    message.automatic = 1;
    ALLOWED(ticket, DK_KIND_MESSAGE_PUBLIC, BY_ANNA, &message);
    message.automatic = 0;
    ticket.owner = 0;
    ALLOWED(ticket, DK_KIND_MESSAGE_PUBLIC, BY_ANNA, &message);
    message.direction = DOCKET__DIRECTION__DIRECTION_NONE;
    REFUSED(ticket, DK_KIND_MESSAGE_PUBLIC, BY_CARL, &message, DK_EINVAL,
            "message_public.direction");
}

static void test_ticket_check_handover(void **state)
{
    struct dk_ticket ticket = OPEN_TICKET;
    Docket__HandoverDeclared handover = DOCKET__HANDOVER_DECLARED__INIT;

    (void)state;
    handover.agent = BERT;
    REFUSED(ticket, DK_KIND_HANDOVER_DECLARED, BY_BERT, &handover, DK_EINVAL,
            "handover_declared.term");
    handover.term = DOCKET__HANDOVER_TERM__HANDOVER_TEMPORARY;
    REFUSED(ticket, DK_KIND_HANDOVER_DECLARED, BY_BERT, &handover, DK_EINVAL,
            "handover_declared.reason");
    handover.reason = DOCKET__HANDOVER_REASON__HANDOVER_ABSENT;
    ALLOWED(ticket, DK_KIND_HANDOVER_DECLARED, BY_BERT, &handover);
    handover.from_agent = BERT;
    REFUSED(ticket, DK_KIND_HANDOVER_DECLARED, BY_BERT, &handover, DK_EILLEGAL,
            "handover_declared.from_agent");
    handover.from_agent = ANNA;
    handover.agent = ANNA;
    REFUSED(ticket, DK_KIND_HANDOVER_DECLARED, BY_BERT, &handover, DK_EILLEGAL,
            "handover_declared.agent");
    handover.agent = NOBODY;
    REFUSED(ticket, DK_KIND_HANDOVER_DECLARED, BY_BERT, &handover, DK_EREFERENCE,
            "handover_declared.agent");
    ticket.returns_to = BERT;
    ticket.flags = DK_TICKET_HANDED_OVER;
    handover.reason = DOCKET__HANDOVER_REASON__HANDOVER_RETURN;
    REFUSED(ticket, DK_KIND_HANDOVER_DECLARED, BY_BERT, &handover, DK_EILLEGAL,
            "handover_declared.agent");
    handover.agent = BERT;
    ALLOWED(ticket, DK_KIND_HANDOVER_DECLARED, BY_ROUTING, &handover);
}

static void test_ticket_check_reopening_in_time(void **state)
{
    struct dk_ticket ticket = fixture_ticket(DOCKET__STATUS__STATUS_CLOSED);
    Docket__StatusChanged open = DOCKET__STATUS_CHANGED__INIT;
    Docket__MessagePublic inbound = DOCKET__MESSAGE_PUBLIC__INIT;

    (void)state;
    open.status = DOCKET__STATUS__STATUS_OPEN;
    ticket.ended_us = NOW_US - 10 * DAY_US;
    ALLOWED(ticket, DK_KIND_STATUS_CHANGED, BY_ANNA, &open);
    ticket.ended_us--;
    REFUSED(ticket, DK_KIND_STATUS_CHANGED, BY_ANNA, &open, DK_EILLEGAL, "status_changed.status");
    inbound.direction = DOCKET__DIRECTION__DIRECTION_INBOUND;
    REFUSED(ticket, DK_KIND_MESSAGE_PUBLIC, BY_CARL, &inbound, DK_EILLEGAL, "kind");
    ticket.status = DOCKET__STATUS__STATUS_SOLVED; /* solved knows no such term */
    ALLOWED(ticket, DK_KIND_STATUS_CHANGED, BY_ANNA, &open);
}

static void test_ticket_check_pending(void **state)
{
    struct dk_ticket ticket = fixture_ticket(DOCKET__STATUS__STATUS_PENDING);
    Docket__StatusChanged changed = DOCKET__STATUS_CHANGED__INIT;
    Docket__AutoSolved solved = DOCKET__AUTO_SOLVED__INIT;

    (void)state;
    changed.status = DOCKET__STATUS__STATUS_PENDING;
    REFUSED(ticket, DK_KIND_STATUS_CHANGED, BY_ANNA, &changed, DK_EINVAL, "status_changed.pending");
    changed.pending = DOCKET__PENDING__PENDING_CUSTOMER;
    REFUSED(ticket, DK_KIND_STATUS_CHANGED, BY_ANNA, &changed, DK_EILLEGAL,
            "status_changed.status");
    changed.pending = DOCKET__PENDING__PENDING_INTERNAL;
    ALLOWED(ticket, DK_KIND_STATUS_CHANGED, BY_ANNA, &changed);
    changed.status = DOCKET__STATUS__STATUS_OPEN;
    REFUSED(ticket, DK_KIND_STATUS_CHANGED, BY_ANNA, &changed, DK_EINVAL, "status_changed.pending");
    changed.status = (Docket__Status)7;
    REFUSED(ticket, DK_KIND_STATUS_CHANGED, BY_ANNA, &changed, DK_EINVAL, "status_changed.status");
    ALLOWED(ticket, DK_KIND_AUTO_SOLVED, BY_SLA, &solved);
    ticket.pending = DOCKET__PENDING__PENDING_SUPPLIER;
    REFUSED(ticket, DK_KIND_AUTO_SOLVED, BY_SLA, &solved, DK_EILLEGAL, "kind");
}

static void test_ticket_check_escalation(void **state)
{
    struct dk_ticket ticket = OPEN_TICKET;
    Docket__Escalated up = DOCKET__ESCALATED__INIT;

    (void)state;
    ticket.product = VPN;
    REFUSED(ticket, DK_KIND_ESCALATED, BY_ANNA, &up, DK_EINVAL, "escalated.type");
    up.type = DOCKET__ESCALATION_TYPE__ESCALATION_FUNCTIONAL;
    up.to_line = 2;
    REFUSED(ticket, DK_KIND_ESCALATED, BY_ANNA, &up, DK_EILLEGAL, "kind");
    up.critical_bypass = 1; /* of a ticket that is not critical */
    REFUSED(ticket, DK_KIND_ESCALATED, BY_ANNA, &up, DK_EILLEGAL, "escalated.critical_bypass");
    ticket.priority = DOCKET__PRIORITY__PRIORITY_CRITICAL;
    ALLOWED(ticket, DK_KIND_ESCALATED, BY_ANNA, &up);
    up.critical_bypass = 0; /* critical alone is no bypass: it is declared */
    REFUSED(ticket, DK_KIND_ESCALATED, BY_ANNA, &up, DK_EILLEGAL, "kind");
    ticket.flags = DK_TICKET_CHECKLIST;
    ALLOWED(ticket, DK_KIND_ESCALATED, BY_ANNA, &up);
    up.has_to_line = 1;
    up.to_line = 3; /* where no route leads */
    REFUSED(ticket, DK_KIND_ESCALATED, BY_ANNA, &up, DK_EREFERENCE, "escalated.to_line");
    up.to_line = 2;
    up.to_group = dk_id_make(DK_SUBJECT_GROUP, 99);
    REFUSED(ticket, DK_KIND_ESCALATED, BY_ANNA, &up, DK_EREFERENCE, "escalated.to_group");
    up.to_group = NETWORK;
    ALLOWED(ticket, DK_KIND_ESCALATED, BY_ANNA, &up);
    ticket.line = 2;
    REFUSED(ticket, DK_KIND_ESCALATED, BY_ANNA, &up, DK_EILLEGAL, "escalated.to_line");
    up.to_line = DK_TICKET_LINE_MAX + 1;
    REFUSED(ticket, DK_KIND_ESCALATED, BY_ANNA, &up, DK_EILLEGAL, "escalated.to_line");
}

/* What the desk decides or answers for is no customer's to do. */
static void test_ticket_check_customers(void **state)
{
    struct dk_ticket ticket = OPEN_TICKET;
    Docket__Assigned assigned = DOCKET__ASSIGNED__INIT;
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;
    Docket__StatusChanged changed = DOCKET__STATUS_CHANGED__INIT;
    Docket__ExceptionRecorded exception = DOCKET__EXCEPTION_RECORDED__INIT;
    Docket__Escalated up = DOCKET__ESCALATED__INIT;

    (void)state;
    assigned.agent = ANNA;
    REFUSED(ticket, DK_KIND_ASSIGNED, BY_CARL, &assigned, DK_EILLEGAL, "actor");
    ALLOWED(ticket, DK_KIND_ASSIGNED, BY_ANNA, &assigned);
    REFUSED(ticket, DK_KIND_NOTE_ADDED, BY_CARL, &note, DK_EILLEGAL, "actor");
    changed.status = DOCKET__STATUS__STATUS_PENDING;
    changed.has_pending = 1;
    changed.pending = DOCKET__PENDING__PENDING_INTERNAL;
    REFUSED(ticket, DK_KIND_STATUS_CHANGED, BY_CARL, &changed, DK_EILLEGAL, "actor");
    changed = (Docket__StatusChanged)DOCKET__STATUS_CHANGED__INIT;
    changed.status = DOCKET__STATUS__STATUS_SOLVED;
    ALLOWED(ticket, DK_KIND_STATUS_CHANGED, BY_CARL, &changed);
    exception.type = DOCKET__EXCEPTION_TYPE__EXCEPTION_CHECKLIST;
    REFUSED(ticket, DK_KIND_EXCEPTION_RECORDED, BY_CARL, &exception, DK_EILLEGAL, "actor");
    up.type = DOCKET__ESCALATION_TYPE__ESCALATION_HIERARCHICAL;
    ALLOWED(ticket, DK_KIND_ESCALATED, BY_CARL, &up);
    up.type = DOCKET__ESCALATION_TYPE__ESCALATION_FUNCTIONAL;
    up.to_line = 2;
    ticket.flags = DK_TICKET_CHECKLIST;
    ticket.product = VPN;
    REFUSED(ticket, DK_KIND_ESCALATED, BY_CARL, &up, DK_EILLEGAL, "actor");
    ALLOWED(ticket, DK_KIND_ESCALATED, BY_ANNA, &up);
}

/* Nobody rates the own work, nor another's ticket. */
static void test_ticket_check_rater(void **state)
{
    struct dk_ticket ticket = fixture_ticket(DOCKET__STATUS__STATUS_SOLVED);
    Docket__Rated rated = DOCKET__RATED__INIT;

    (void)state;
    rated.has_csat = 1;
    rated.csat = 5;
    ALLOWED(ticket, DK_KIND_RATED, BY_CARL, &rated);
    REFUSED(ticket, DK_KIND_RATED, BY_ANNA, &rated, DK_EILLEGAL, "actor");
    REFUSED(ticket, DK_KIND_RATED, dk_id_make(DK_ACTOR_CUSTOMER, 2), &rated, DK_EILLEGAL, "actor");
    ticket.customer = 0; /* whose it is was never said */
    ALLOWED(ticket, DK_KIND_RATED, dk_id_make(DK_ACTOR_CUSTOMER, 2), &rated);
}

/* A route by hand is no way around an escalation's checklist. */
static void test_ticket_check_route(void **state)
{
    struct dk_ticket ticket = OPEN_TICKET;
    Docket__Routed routed = DOCKET__ROUTED__INIT;

    (void)state;
    routed.group = NETWORK;
    routed.line = 2;
    REFUSED(ticket, DK_KIND_ROUTED, BY_ANNA, &routed, DK_EILLEGAL, "routed.line");
    ALLOWED(ticket, DK_KIND_ROUTED, BY_ROUTING, &routed);
    routed.line = 1; /* the group is of line 2, whatever is said */
    REFUSED(ticket, DK_KIND_ROUTED, BY_ANNA, &routed, DK_EILLEGAL, "routed.line");
    routed.group = SUPPORT;
    ALLOWED(ticket, DK_KIND_ROUTED, BY_ANNA, &routed);
    routed.group = NETWORK;
    routed.line = 2;
    ticket.flags = DK_TICKET_CHECKLIST;
    ALLOWED(ticket, DK_KIND_ROUTED, BY_ANNA, &routed);
    ticket.flags = 0;
    ticket.line = 3; /* down again */
    ALLOWED(ticket, DK_KIND_ROUTED, BY_ANNA, &routed);
    ticket.line = 0; /* in no queue yet */
    ALLOWED(ticket, DK_KIND_ROUTED, BY_ANNA, &routed);
}

static void test_ticket_check_audience(void **state)
{
    struct dk_ticket none = fixture_ticket(DOCKET__STATUS__STATUS_NONE);
    Docket__Opened opened = DOCKET__OPENED__INIT;

    (void)state;
    opened.product = VPN;
    opened.customer = DORA; /* of initech, which the audience lists by key */
    ALLOWED(none, DK_KIND_OPENED, BY_CARL, &opened);
    opened.customer = CARL;
    REFUSED(none, DK_KIND_OPENED, BY_CARL, &opened, DK_EREFERENCE, "opened.product");
    opened.company = COMPANY(3); /* gold, by tier */
    ALLOWED(none, DK_KIND_OPENED, BY_CARL, &opened);
    opened.company = COMPANY(77); /* not met yet */
    REFUSED(none, DK_KIND_OPENED, BY_CARL, &opened, DK_EREFERENCE, "opened.product");
    opened.impact = opened.urgency = 1;
    opened.has_impact = opened.has_urgency = 1;
    ALLOWED(none, DK_KIND_OPENED, BY_CARL, &opened);
    opened.product = dk_id_make(DK_SUBJECT_PRODUCT, 99);
    REFUSED(none, DK_KIND_OPENED, BY_CARL, &opened, DK_EREFERENCE, "opened.product");
}

static void test_ticket_check_audience_when_classified(void **state)
{
    struct dk_ticket ticket = OPEN_TICKET;
    Docket__Classified classified = DOCKET__CLASSIFIED__INIT;

    (void)state;
    classified.has_product = 1;
    classified.product = VPN;
    REFUSED(ticket, DK_KIND_CLASSIFIED, BY_ANNA, &classified, DK_EREFERENCE, "classified.product");
    ticket.flags = DK_TICKET_ENTITLED;
    ALLOWED(ticket, DK_KIND_CLASSIFIED, BY_ANNA, &classified);
    ticket.flags = 0;
    ticket.priority = DOCKET__PRIORITY__PRIORITY_CRITICAL;
    ALLOWED(ticket, DK_KIND_CLASSIFIED, BY_ANNA, &classified);
    classified.has_priority = 1; /* and loses the bypass with it */
    classified.priority = DOCKET__PRIORITY__PRIORITY_LOW;
    REFUSED(ticket, DK_KIND_CLASSIFIED, BY_ANNA, &classified, DK_EREFERENCE, "classified.product");
    classified.priority = DOCKET__PRIORITY__PRIORITY_NONE;
    REFUSED(ticket, DK_KIND_CLASSIFIED, BY_ANNA, &classified, DK_EINVAL, "classified.priority");
    ticket.customer = DORA;
    classified.priority = DOCKET__PRIORITY__PRIORITY_HIGH;
    ALLOWED(ticket, DK_KIND_CLASSIFIED, BY_ANNA, &classified);
}

static void test_ticket_check_opened_states_only_what_it_may(void **state)
{
    struct dk_ticket none = fixture_ticket(DOCKET__STATUS__STATUS_NONE);
    Docket__Opened opened = DOCKET__OPENED__INIT;

    (void)state;
    opened.has_status = 1;
    opened.status = DOCKET__STATUS__STATUS_NEW;
    ALLOWED(none, DK_KIND_OPENED, BY_CARL, &opened);
    opened.group = SUPPORT;
    REFUSED(none, DK_KIND_OPENED, BY_CARL, &opened, DK_EILLEGAL, "opened.group");
    opened.has_urgency = 1;
    opened.urgency = 4;
    REFUSED(none, DK_KIND_OPENED, BY_CARL, &opened, DK_EINVAL, "opened.urgency");
    opened.has_impact = 1;
    REFUSED(none, DK_KIND_OPENED, BY_CARL, &opened, DK_EINVAL, "opened.impact");
}

static void test_ticket_check_references(void **state)
{
    struct dk_ticket ticket = OPEN_TICKET;
    Docket__Routed routed = DOCKET__ROUTED__INIT;
    Docket__Assigned assigned = DOCKET__ASSIGNED__INIT;
    Docket__Offered offered = DOCKET__OFFERED__INIT;
    Docket__SupplierHanded handed = DOCKET__SUPPLIER_HANDED__INIT;
    Docket__ApprovalAsked asked = DOCKET__APPROVAL_ASKED__INIT;
    Docket__FollowersChanged followers = DOCKET__FOLLOWERS_CHANGED__INIT;
    uint64_t added[] = {DORA, ANNA, NOBODY};

    (void)state;
    routed.line = 1;
    REFUSED(ticket, DK_KIND_ROUTED, BY_ROUTING, &routed, DK_EINVAL, "routed.group");
    routed.group = ANNA; /* exists, but is no group */
    REFUSED(ticket, DK_KIND_ROUTED, BY_ROUTING, &routed, DK_EREFERENCE, "routed.group");
    routed.group = SUPPORT;
    ALLOWED(ticket, DK_KIND_ROUTED, BY_ROUTING, &routed);
    routed.line = 0;
    REFUSED(ticket, DK_KIND_ROUTED, BY_ROUTING, &routed, DK_EINVAL, "routed.line");
    ALLOWED(ticket, DK_KIND_ASSIGNED, BY_ANNA, &assigned);
    assigned.agent = NOBODY;
    REFUSED(ticket, DK_KIND_ASSIGNED, BY_ANNA, &assigned, DK_EREFERENCE, "assigned.agent");
    REFUSED(ticket, DK_KIND_OFFERED, BY_ROUTING, &offered, DK_EREFERENCE, "offered.agent");
    handed.supplier = ACME;
    ALLOWED(ticket, DK_KIND_SUPPLIER_HANDED, BY_ANNA, &handed);
    handed.contract = dk_id_make(DK_SUBJECT_CONTRACT, 1);
    REFUSED(ticket, DK_KIND_SUPPLIER_HANDED, BY_ANNA, &handed, DK_EREFERENCE,
            "supplier_handed.contract");
    asked.approver = DORA; /* customers need no definition */
    ALLOWED(ticket, DK_KIND_APPROVAL_ASKED, BY_ANNA, &asked);
    asked.approver = NOBODY;
    REFUSED(ticket, DK_KIND_APPROVAL_ASKED, BY_ANNA, &asked, DK_EREFERENCE,
            "approval_asked.approver");
    followers.added = added;
    followers.n_added = 2;
    ALLOWED(ticket, DK_KIND_FOLLOWERS_CHANGED, BY_ANNA, &followers);
    followers.n_added = 3;
    REFUSED(ticket, DK_KIND_FOLLOWERS_CHANGED, BY_ANNA, &followers, DK_EREFERENCE,
            "followers_changed.added");
}

/* Whoever is asked to approve answers, and the refusal of anybody else says who that is. */
static void test_ticket_check_who_answers_an_approval(void **state)
{
    const struct {
        uint64_t asked, actor, approver;
        const char *field, *sentence;
    } rows[] = {
        {ANNA, BY_ANNA, ANNA, "", ""},
        {ANNA, dk_id_make(DK_ACTOR_OPERATOR, 1), ANNA, "", ""},
        {ANNA, BY_BERT, BERT, "approver", "Anna Berg was asked to approve, and not bert"},
        {ANNA, BY_ANNA, BERT, "approver", "Anna Berg was asked to approve, and not bert"},
        {ANNA, BY_BERT, ANNA, "actor", "Anna Berg was asked to approve: nobody else can"},
        {ANNA, BY_CARL, ANNA, "actor", "Anna Berg was asked to approve: nobody else can"},
        {CARL, BY_CARL, CARL, "", ""},
        {CARL, BY_ANNA, CARL, "", ""}, /* wrote down what carl said */
        {CARL, BY_ANNA, DORA, "approver", "was asked to approve, and not"},
        {CARL, dk_id_make(DK_ACTOR_CUSTOMER, DORA), CARL, "actor", "nobody else can answer"},
        {0, BY_BERT, BERT, "", ""}, /* imported: nobody knows whom it was put to */
    };
    static const uint32_t kinds[] = {DK_KIND_APPROVAL_GIVEN, DK_KIND_APPROVAL_REFUSED};

    (void)state;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        uint32_t kind = kinds[i % 2];
        struct dk_ticket ticket = OPEN_TICKET;
        struct dk_envelope event = fixture_event(&ticket, kind, rows[i / 2].actor);
        Docket__ApprovalGiven given = DOCKET__APPROVAL_GIVEN__INIT;
        Docket__ApprovalRefused refused = DOCKET__APPROVAL_REFUSED__INIT;
        struct dk_err reason = {0};
        const char *field;
        int code;

        ticket.flags |= DK_TICKET_APPROVAL;
        ticket.approver = rows[i / 2].asked;
        given.approver = refused.approver = rows[i / 2].approver;
        code = dk_ticket_check(&ticket, refs, DK_ROLE_OPERATOR, &event,
                               i % 2 == 0 ? &given.base : &refused.base, &reason);
        field = strchr(reason.field, '.');
        field = field != NULL ? field + 1 : reason.field;
        if (code != (rows[i / 2].field[0] != '\0' ? DK_EILLEGAL : 0) ||
            strcmp(field, rows[i / 2].field) != 0 ||
            strstr(reason.message, rows[i / 2].sentence) == NULL)
            fail_msg("row %zu: %s '%s': %s", i / 2, dk_code_name(code), reason.field,
                     reason.message);
    }
}

/* What is judged is what was in force when it happened, not when it is recorded. */
static void test_ticket_check_references_at_occurred(void **state)
{
    struct dk_ticket ticket = OPEN_TICKET;
    Docket__Assigned assigned = DOCKET__ASSIGNED__INIT;
    struct dk_envelope event = fixture_event(&ticket, DK_KIND_ASSIGNED, BY_ANNA);

    (void)state;
    assigned.agent = ANNA;
    event.occurred_us = NOW_US - 101 * DAY_US; /* a day before she was defined */
    assert_int_equal(dk_ticket_check(&ticket, refs, DK_ROLE_AGENT, &event, &assigned.base, NULL),
                     DK_EREFERENCE);
    assert_int_equal(dk_ticket_check(&ticket, NULL, DK_ROLE_AGENT, &event, &assigned.base, NULL),
                     0);
}

static void set_one(Docket__FieldSet *set, int type)
{
    static Docket__Text text = DOCKET__TEXT__INIT;

    *set = (Docket__FieldSet)DOCKET__FIELD_SET__INIT;
    set->text = type == DOCKET__FIELD_TYPE__FIELD_TEXT ? &text : NULL;
    set->has_number = type == DOCKET__FIELD_TYPE__FIELD_NUMBER;
    set->has_date_us = type == DOCKET__FIELD_TYPE__FIELD_DATE;
    set->has_choice = type == DOCKET__FIELD_TYPE__FIELD_CHOICE;
    set->choice = bytes("blue");
    set->has_reference = type == DOCKET__FIELD_TYPE__FIELD_REFERENCE;
    set->reference = OTHER;
}

static void test_ticket_check_field_types(void **state)
{
    static const char *const fields[] = {"",
                                         "field_set.text",
                                         "field_set.number",
                                         "field_set.date_us",
                                         "field_set.choice",
                                         "field_set.reference"};
    struct dk_ticket ticket = OPEN_TICKET;
    Docket__FieldSet set;

    (void)state;
    for (int defined = 1; defined <= 5; defined++)
        for (int given = 0; given <= 5; given++) { /* 0: clears the field */
            bool fits = given == 0 || given == defined;

            set_one(&set, given);
            set.field = FIELD((uint64_t)defined);
            judged(ticket, DK_ROLE_AGENT, DK_KIND_FIELD_SET, BY_ANNA, &set,
                   fits ? 0 : DK_EREFERENCE, fits ? "" : fields[defined], __LINE__);
        }
    set.field = FIELD(99);
    REFUSED(ticket, DK_KIND_FIELD_SET, BY_ANNA, &set, DK_EREFERENCE, "field_set.field");
    set_one(&set, DOCKET__FIELD_TYPE__FIELD_CHOICE);
    set.field = FIELD(DOCKET__FIELD_TYPE__FIELD_CHOICE);
    set.choice = bytes("green");
    REFUSED(ticket, DK_KIND_FIELD_SET, BY_ANNA, &set, DK_EREFERENCE, "field_set.choice");
    set.has_number = 1;
    REFUSED(ticket, DK_KIND_FIELD_SET, BY_ANNA, &set, DK_EREFERENCE, "field_set");
    set_one(&set, DOCKET__FIELD_TYPE__FIELD_REFERENCE);
    set.field = FIELD(DOCKET__FIELD_TYPE__FIELD_REFERENCE);
    set.reference = NOBODY;
    REFUSED(ticket, DK_KIND_FIELD_SET, BY_ANNA, &set, DK_EREFERENCE, "field_set.reference");
}

static void test_ticket_check_scales(void **state)
{
    struct dk_ticket solved = fixture_ticket(DOCKET__STATUS__STATUS_SOLVED);
    Docket__Rated rated = DOCKET__RATED__INIT;
    Docket__ExceptionRecorded exception = DOCKET__EXCEPTION_RECORDED__INIT;

    (void)state;
    REFUSED(solved, DK_KIND_RATED, BY_CARL, &rated, DK_EINVAL, "rated");
    rated.has_csat = 1;
    REFUSED(solved, DK_KIND_RATED, BY_CARL, &rated, DK_EINVAL, "rated.csat");
    rated.csat = 6;
    REFUSED(solved, DK_KIND_RATED, BY_CARL, &rated, DK_EINVAL, "rated.csat");
    rated.csat = 5;
    rated.has_nps = 1; /* 0 is a score */
    ALLOWED(solved, DK_KIND_RATED, BY_CARL, &rated);
    rated.nps = 11;
    REFUSED(solved, DK_KIND_RATED, BY_CARL, &rated, DK_EINVAL, "rated.nps");
    REFUSED(solved, DK_KIND_EXCEPTION_RECORDED, BY_ANNA, &exception, DK_EINVAL,
            "exception_recorded.type");
}

static void test_ticket_check_early(void **state)
{
    struct dk_ticket ticket = OPEN_TICKET;
    Docket__ClockBreached breached = DOCKET__CLOCK_BREACHED__INIT;
    Docket__ClockWarned warned = DOCKET__CLOCK_WARNED__INIT;
    Docket__ReminderDue reminder = DOCKET__REMINDER_DUE__INIT;

    (void)state;
    breached.due_us = warned.due_us = reminder.due_us = NOW_US + 1;
    REFUSED(ticket, DK_KIND_CLOCK_BREACHED, BY_SLA, &breached, DK_EEARLY, "clock_breached.due_us");
    REFUSED(ticket, DK_KIND_CLOCK_WARNED, BY_SLA, &warned, DK_EEARLY, "clock_warned.due_us");
    REFUSED(ticket, DK_KIND_REMINDER_DUE, BY_SLA, &reminder, DK_EEARLY, "reminder_due.due_us");
    breached.due_us = NOW_US;
    ALLOWED(ticket, DK_KIND_CLOCK_BREACHED, BY_SLA, &breached);
}

/* T1: nodes owe nothing to a historical ticket; people may still work it. */
static void test_ticket_check_historical(void **state)
{
    struct dk_ticket ticket = OPEN_TICKET;
    Docket__NotificationRequested requested = DOCKET__NOTIFICATION_REQUESTED__INIT;
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;

    (void)state;
    requested.notice = dk_notice_number(TICKET, 1);
    ticket.flags = DK_TICKET_HISTORICAL;
    for (unsigned role = DK_ROLE_ROUTING; role <= DK_DECIDER_ROLES; role++)
        judged(ticket, role, DK_KIND_NOTIFICATION_REQUESTED, dk_id_make(DK_ACTOR_NODE, role),
               &requested, DK_EILLEGAL, "subject", __LINE__);
    judged(ticket, DK_ROLE_AGENT, DK_KIND_NOTE_ADDED, BY_ANNA, &note, 0, "", __LINE__);
    ticket.flags = DK_TICKET_ADOPTED;
    judged(ticket, DK_ROLE_NOTIFICATION, DK_KIND_NOTIFICATION_REQUESTED,
           dk_id_make(DK_ACTOR_NODE, DK_ROLE_NOTIFICATION), &requested, 0, "", __LINE__);
}

static void test_ticket_check_kind_of_no_ticket(void **state)
{
    Docket__PresenceChanged presence = DOCKET__PRESENCE_CHANGED__INIT;

    (void)state;
    REFUSED(OPEN_TICKET, DK_KIND_PRESENCE_CHANGED, BY_ANNA, &presence, DK_EINVAL, "kind");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ticket_check_signature),
        cmocka_unit_test(test_ticket_check_actor),
        cmocka_unit_test(test_ticket_check_speaker),
        cmocka_unit_test(test_ticket_check_handover),
        cmocka_unit_test(test_ticket_check_reopening_in_time),
        cmocka_unit_test(test_ticket_check_pending),
        cmocka_unit_test(test_ticket_check_escalation),
        cmocka_unit_test(test_ticket_check_customers),
        cmocka_unit_test(test_ticket_check_rater),
        cmocka_unit_test(test_ticket_check_route),
        cmocka_unit_test(test_ticket_check_audience),
        cmocka_unit_test(test_ticket_check_audience_when_classified),
        cmocka_unit_test(test_ticket_check_opened_states_only_what_it_may),
        cmocka_unit_test(test_ticket_check_references),
        cmocka_unit_test(test_ticket_check_who_answers_an_approval),
        cmocka_unit_test(test_ticket_check_references_at_occurred),
        cmocka_unit_test(test_ticket_check_field_types),
        cmocka_unit_test(test_ticket_check_scales),
        cmocka_unit_test(test_ticket_check_early),
        cmocka_unit_test(test_ticket_check_historical),
        cmocka_unit_test(test_ticket_check_kind_of_no_ticket),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
