/* Refusals that the table does not show: values, people, times, reference data; each with its code
 * and field. */
#include "tests/unit/ticket_check_fixture.h"

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
    ticket.priority = DOCKET__PRIORITY__PRIORITY_HIGH; /* and what is declared is counted */
    up.critical_bypass = 1;
    REFUSED(ticket, DK_KIND_ESCALATED, BY_ANNA, &up, DK_EILLEGAL, "escalated.critical_bypass");
    up.critical_bypass = 0;
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

static bool bypasses(struct dk_ticket ticket, uint32_t kind, const void *body)
{
    struct dk_envelope event = fixture_event(&ticket, kind, BY_CARL);
    struct dk_envelope imported = event;

    imported.flags |= DOCKET__EVENT_FLAG__FLAG_IMPORTED;
    assert_false(dk_ticket_bypasses(&ticket, refs, &imported, body));
    return dk_ticket_bypasses(&ticket, refs, &event, body);
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
    assert_false(bypasses(none, DK_KIND_OPENED, &opened));
    opened.company = COMPANY(77); /* nobody's */
    REFUSED(none, DK_KIND_OPENED, BY_CARL, &opened, DK_EREFERENCE, "opened.company");
    opened.company = 0;
    opened.impact = opened.urgency = 1;
    opened.has_impact = opened.has_urgency = 1;
    ALLOWED(none, DK_KIND_OPENED, BY_CARL, &opened);
    assert_true(bypasses(none, DK_KIND_OPENED, &opened));
    opened.customer = DORA;
    assert_false(bypasses(none, DK_KIND_OPENED, &opened));
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
    assert_true(bypasses(ticket, DK_KIND_CLASSIFIED, &classified));
    ticket.flags = DK_TICKET_ENTITLED; /* it has its exception */
    assert_false(bypasses(ticket, DK_KIND_CLASSIFIED, &classified));
    ticket.flags = 0;
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

/* Else a reply that is told late could undo any breach of a first reply. */
static void test_ticket_check_nothing_is_answered_before_it_is_opened(void **state)
{
    struct dk_ticket ticket = OPEN_TICKET;
    Docket__StatusChanged solved = DOCKET__STATUS_CHANGED__INIT;
    struct dk_envelope event = fixture_event(&ticket, DK_KIND_STATUS_CHANGED, BY_ANNA);
    struct dk_err reason = {0};

    (void)state;
    solved.status = DOCKET__STATUS__STATUS_SOLVED;
    ticket.opened_us = NOW_US - DAY_US;
    event.occurred_us = ticket.opened_us - 1;
    assert_int_equal(dk_ticket_check(&ticket, NULL, DK_ROLE_AGENT, &event, &solved.base, &reason),
                     DK_ETIME);
    assert_string_equal(reason.field, "occurred_us");
    event.occurred_us = ticket.opened_us;
    assert_int_equal(dk_ticket_check(&ticket, NULL, DK_ROLE_AGENT, &event, &solved.base, &reason),
                     0);
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
        cmocka_unit_test(test_ticket_check_handover),
        cmocka_unit_test(test_ticket_check_reopening_in_time),
        cmocka_unit_test(test_ticket_check_pending),
        cmocka_unit_test(test_ticket_check_escalation),
        cmocka_unit_test(test_ticket_check_audience),
        cmocka_unit_test(test_ticket_check_audience_when_classified),
        cmocka_unit_test(test_ticket_check_opened_states_only_what_it_may),
        cmocka_unit_test(test_ticket_check_references),
        cmocka_unit_test(test_ticket_check_nothing_is_answered_before_it_is_opened),
        cmocka_unit_test(test_ticket_check_references_at_occurred),
        cmocka_unit_test(test_ticket_check_field_types),
        cmocka_unit_test(test_ticket_check_scales),
        cmocka_unit_test(test_ticket_check_early),
        cmocka_unit_test(test_ticket_check_historical),
        cmocka_unit_test(test_ticket_check_kind_of_no_ticket),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
