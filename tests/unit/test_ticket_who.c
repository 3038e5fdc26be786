/* Who may do what to a ticket, beyond what the table shows. */
#include "tests/unit/ticket_check_fixture.h"

static void test_ticket_who_signature(void **state)
{
    struct dk_ticket ticket = OPEN_TICKET;
    Docket__MessagePublic reply = DOCKET__MESSAGE_PUBLIC__INIT;

    (void)state;
    ticket.speaker = 0;
    ticket.owner = 0;
    reply.direction = DOCKET__DIRECTION__DIRECTION_OUTBOUND;
    ALLOWED(ticket, DK_KIND_MESSAGE_PUBLIC, BY_ANNA, &reply);
    REFUSED(ticket, DK_KIND_MESSAGE_PUBLIC, BY_BERT, &reply, DK_EREFERENCE, "actor");
}

/* Somebody answers for each word to the customer, or it says that no human wrote it. */
static void test_ticket_who_speaks_to_the_customer(void **state)
{
    const struct {
        uint64_t actor;
        bool automatic;
        const char *field; /* "": it is allowed */
    } rows[] = {
        {BY_ANNA, false, ""},
        {BY_ANNA, true, "message_public.automatic"},
        {BY_OPERATOR, true, ""},
        {BY_OPERATOR, false, "actor"},
        {BY_SUPPLIER, false, "actor"},
        {BY_SUPPLIER, true, "message_public.automatic"},
        {BY_CARL, false, "message_public.direction"},
        {BY_CARL, true, "message_public.direction"},
    };
    Docket__MessagePublic message = DOCKET__MESSAGE_PUBLIC__INIT;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        message.direction = DOCKET__DIRECTION__DIRECTION_OUTBOUND;
        message.automatic = rows[i].automatic;
        judged(OPEN_TICKET, DK_ROLE_OPERATOR, DK_KIND_MESSAGE_PUBLIC, rows[i].actor, &message,
               rows[i].field[0] != '\0' ? DK_EILLEGAL : 0, rows[i].field, __LINE__);
        message.direction = DOCKET__DIRECTION__DIRECTION_INBOUND; /* whoever writes it down */
        ALLOWED(OPEN_TICKET, DK_KIND_MESSAGE_PUBLIC, rows[i].actor, &message);
    }
}

/* Agents and suppliers are those of the reference data, whatever they do; of others none is asked,
 * nor of what is imported. */
static void test_ticket_who_actor(void **state)
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

static void test_ticket_who_speaker(void **state)
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
    message.automatic = 1; /* a program goes before nobody */
    ALLOWED(ticket, DK_KIND_MESSAGE_PUBLIC, BY_OPERATOR, &message);
    message.automatic = 0;
    ticket.owner = 0;
    ALLOWED(ticket, DK_KIND_MESSAGE_PUBLIC, BY_ANNA, &message);
    message.direction = DOCKET__DIRECTION__DIRECTION_NONE;
    REFUSED(ticket, DK_KIND_MESSAGE_PUBLIC, BY_CARL, &message, DK_EINVAL,
            "message_public.direction");
}

/* What the desk decides or answers for is no customer's to do. */
static void test_ticket_who_customers(void **state)
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
    ticket.priority = DOCKET__PRIORITY__PRIORITY_CRITICAL;
    ticket.version = 1; /* opened, and no more: the bypass of a critical case is said then */
    REFUSED(ticket, DK_KIND_EXCEPTION_RECORDED, BY_CARL, &exception, DK_EILLEGAL, "actor");
    exception.type = DOCKET__EXCEPTION_TYPE__EXCEPTION_ENTITLEMENT;
    ALLOWED(ticket, DK_KIND_EXCEPTION_RECORDED, BY_CARL, &exception);
    ticket.version = 2;
    REFUSED(ticket, DK_KIND_EXCEPTION_RECORDED, BY_CARL, &exception, DK_EILLEGAL, "actor");
    ticket.version = 1;
    ticket.priority = DOCKET__PRIORITY__PRIORITY_HIGH;
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
static void test_ticket_who_rater(void **state)
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
static void test_ticket_who_route(void **state)
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

/* Whoever is asked to approve answers, and the refusal of anybody else says who that is. */
static void test_ticket_who_answers_an_approval(void **state)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ticket_who_signature),
        cmocka_unit_test(test_ticket_who_speaks_to_the_customer),
        cmocka_unit_test(test_ticket_who_actor),
        cmocka_unit_test(test_ticket_who_speaker),
        cmocka_unit_test(test_ticket_who_customers),
        cmocka_unit_test(test_ticket_who_rater),
        cmocka_unit_test(test_ticket_who_route),
        cmocka_unit_test(test_ticket_who_answers_an_approval),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
