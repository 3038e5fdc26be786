/* What an event makes of a ticket: values, not only which fields (those: test_ticket_table.c). */
#include "proto/event/body.h"
#include "tests/unit/ticket_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void apply(struct dk_ticket *ticket, uint32_t kind, uint64_t actor, const void *body)
{
    struct dk_envelope event = fixture_event(ticket, kind, actor);

    dk_ticket_apply(ticket, &event, body);
}

static void apply_imported(struct dk_ticket *ticket, uint32_t kind, const void *body)
{
    struct dk_envelope event = fixture_event(ticket, kind, BY_IMPORTER);

    event.flags = DOCKET__EVENT_FLAG__FLAG_IMPORTED;
    dk_ticket_apply(ticket, &event, body);
}

static void test_ticket_apply_opened_live(void **state)
{
    struct dk_ticket ticket = {0};
    Docket__Text text = DOCKET__TEXT__INIT;
    Docket__Opened opened = DOCKET__OPENED__INIT;

    (void)state;
    opened.customer = CARL;
    opened.product = VPN;
    opened.channel = DOCKET__CHANNEL__CHANNEL_EMAIL;
    opened.type = DOCKET__TICKET_TYPE__TYPE_INCIDENT;
    opened.message = &text;
    apply(&ticket, DK_KIND_OPENED, BY_CARL, &opened);
    assert_int_equal(ticket.status, DOCKET__STATUS__STATUS_NEW);
    assert_int_equal(ticket.priority, DOCKET__PRIORITY__PRIORITY_NORMAL);
    assert_int_equal(ticket.flags, DK_TICKET_UNANSWERED);
    assert_int_equal(ticket.version, 1);
    assert_int_equal(ticket.opened_us, NOW_US);
    assert_int_equal(ticket.ended_us, 0);
    assert_int_equal(ticket.customer, CARL);
    assert_int_equal(ticket.product, VPN);
    assert_int_equal(ticket.channel, DOCKET__CHANNEL__CHANNEL_EMAIL);
    assert_int_equal(ticket.type, DOCKET__TICKET_TYPE__TYPE_INCIDENT);
    assert_int_equal(ticket.last_position, 10);
    assert_int_equal(ticket.last_input, 10);
}

static void test_ticket_apply_priority_from_impact_and_urgency(void **state)
{
    static const unsigned expected[4][4] = {{3, 3, 3, 3}, {3, 1, 2, 3}, {3, 2, 3, 4}, {3, 3, 4, 4}};

    (void)state;
    for (unsigned impact = 0; impact <= 3; impact++)
        for (unsigned urgency = 0; urgency <= 3; urgency++) {
            struct dk_ticket ticket = {0};
            Docket__Opened opened = DOCKET__OPENED__INIT;

            opened.impact = impact;
            opened.urgency = urgency;
            apply(&ticket, DK_KIND_OPENED, BY_CARL, &opened);
            assert_int_equal(ticket.priority, expected[impact][urgency]);
        }
    assert_int_equal(dk_priority_of(DOCKET__PRIORITY__PRIORITY_LOW, 1, 1),
                     DOCKET__PRIORITY__PRIORITY_LOW);
}

/* KPI: what is unknown is never imputed; a ticket opened by import is historical until adopted. */
static void test_ticket_apply_opened_imported(void **state)
{
    struct dk_ticket ticket = {0};
    Docket__Opened opened = DOCKET__OPENED__INIT;
    Docket__Adopted adopted = DOCKET__ADOPTED__INIT;

    (void)state;
    opened.impact = opened.urgency = 1;
    opened.has_status = 1;
    opened.status = DOCKET__STATUS__STATUS_PENDING;
    opened.group = SUPPORT;
    apply_imported(&ticket, DK_KIND_OPENED, &opened);
    assert_true(dk_ticket_historical(&ticket));
    assert_int_equal(ticket.irregular, 0);
    assert_int_equal(ticket.priority, DOCKET__PRIORITY__PRIORITY_NONE);
    assert_int_equal(ticket.group, SUPPORT);
    assert_string_equal(dk_status_word(ticket.status, ticket.pending), "pending");
    apply_imported(&ticket, DK_KIND_ADOPTED, &adopted);
    assert_false(dk_ticket_historical(&ticket));
    assert_int_equal(ticket.flags, DK_TICKET_ADOPTED);
    assert_int_equal(ticket.priority, DOCKET__PRIORITY__PRIORITY_NORMAL);
    assert_int_equal(ticket.irregular, 0);
}

static void test_ticket_apply_solve_reopen_close(void **state)
{
    struct dk_ticket ticket = fixture_ticket(DOCKET__STATUS__STATUS_OPEN);
    Docket__StatusChanged solved = DOCKET__STATUS_CHANGED__INIT;
    Docket__StatusChanged closed = DOCKET__STATUS_CHANGED__INIT;
    Docket__StatusChanged open = DOCKET__STATUS_CHANGED__INIT;
    Docket__MessagePublic inbound = DOCKET__MESSAGE_PUBLIC__INIT;

    (void)state;
    solved.status = DOCKET__STATUS__STATUS_SOLVED;
    closed.status = DOCKET__STATUS__STATUS_CLOSED;
    open.status = DOCKET__STATUS__STATUS_OPEN;
    inbound.direction = DOCKET__DIRECTION__DIRECTION_INBOUND;
    apply(&ticket, DK_KIND_STATUS_CHANGED, BY_ANNA, &solved);
    assert_int_equal(ticket.ended_us, NOW_US);
    apply(&ticket, DK_KIND_MESSAGE_PUBLIC, BY_CARL, &inbound);
    assert_int_equal(ticket.status, DOCKET__STATUS__STATUS_OPEN);
    assert_int_equal(ticket.reopened, 1);
    assert_int_equal(ticket.ended_us, 0);
    apply(&ticket, DK_KIND_STATUS_CHANGED, BY_ANNA, &solved);
    apply(&ticket, DK_KIND_STATUS_CHANGED, BY_ANNA, &closed);
    assert_int_equal(ticket.reopened, 1);
    apply(&ticket, DK_KIND_STATUS_CHANGED, BY_ANNA, &open);
    assert_int_equal(ticket.reopened, 2);
    ticket.reopened = UINT16_MAX;
    apply(&ticket, DK_KIND_STATUS_CHANGED, BY_ANNA, &solved);
    apply(&ticket, DK_KIND_STATUS_CHANGED, BY_ANNA, &open);
    assert_int_equal(ticket.reopened, UINT16_MAX);
}

/* S11 speaks of the customer's pause only. */
static void test_ticket_apply_message_leaves_other_pauses(void **state)
{
    struct dk_ticket ticket = fixture_ticket(DOCKET__STATUS__STATUS_PENDING);
    Docket__MessagePublic inbound = DOCKET__MESSAGE_PUBLIC__INIT;

    (void)state;
    ticket.pending = DOCKET__PENDING__PENDING_SUPPLIER;
    inbound.direction = DOCKET__DIRECTION__DIRECTION_INBOUND;
    apply(&ticket, DK_KIND_MESSAGE_PUBLIC, BY_CARL, &inbound);
    assert_string_equal(dk_status_word(ticket.status, ticket.pending), "pending (supplier)");
    assert_int_equal(ticket.flags, DK_TICKET_UNANSWERED);
}

static void test_ticket_apply_first_reply_makes_the_speaker(void **state)
{
    struct dk_ticket ticket = fixture_ticket(DOCKET__STATUS__STATUS_OPEN);
    Docket__MessagePublic reply = DOCKET__MESSAGE_PUBLIC__INIT;

    (void)state;
    ticket.speaker = 0;
    ticket.flags = DK_TICKET_UNANSWERED;
    reply.direction = DOCKET__DIRECTION__DIRECTION_OUTBOUND;
    reply.automatic = 1;
    apply(&ticket, DK_KIND_MESSAGE_PUBLIC, BY_BERT, &reply);
    assert_int_equal(ticket.speaker, 0);
    assert_int_equal(ticket.flags, DK_TICKET_UNANSWERED);
    reply.automatic = 0;
    apply(&ticket, DK_KIND_MESSAGE_PUBLIC, BY_BERT, &reply);
    assert_int_equal(ticket.speaker, BERT);
    assert_int_equal(ticket.owner, ANNA);
    assert_int_equal(ticket.flags, DK_TICKET_REPLIED);
}

static void test_ticket_apply_temporary_handover_and_return(void **state)
{
    const uint64_t third = dk_id_make(DK_SUBJECT_AGENT, 3);
    struct dk_ticket ticket = fixture_ticket(DOCKET__STATUS__STATUS_OPEN);
    Docket__HandoverDeclared handover = DOCKET__HANDOVER_DECLARED__INIT;

    (void)state;
    handover.agent = BERT;
    handover.term = DOCKET__HANDOVER_TERM__HANDOVER_TEMPORARY;
    handover.reason = DOCKET__HANDOVER_REASON__HANDOVER_ABSENT;
    apply(&ticket, DK_KIND_HANDOVER_DECLARED, BY_ANNA, &handover);
    assert_int_equal(ticket.owner, BERT);
    assert_int_equal(ticket.speaker, BERT);
    assert_int_equal(ticket.returns_to, ANNA);
    handover.agent = third; /* bert cannot either: it still returns to the first owner */
    apply(&ticket, DK_KIND_HANDOVER_DECLARED, BY_BERT, &handover);
    assert_int_equal(ticket.owner, third);
    assert_int_equal(ticket.returns_to, ANNA);
    handover.agent = ANNA;
    handover.reason = DOCKET__HANDOVER_REASON__HANDOVER_RETURN;
    apply(&ticket, DK_KIND_HANDOVER_DECLARED, BY_ROUTING, &handover);
    assert_int_equal(ticket.owner, ANNA);
    assert_int_equal(ticket.speaker, ANNA);
    assert_int_equal(ticket.returns_to, 0);
    assert_int_equal(ticket.flags, 0);
}

/* Assigned to the other first, and declared then: it is still the speaker's. */
static void test_ticket_apply_handover_after_the_assignment_returns(void **state)
{
    struct dk_ticket ticket = fixture_ticket(DOCKET__STATUS__STATUS_OPEN);
    Docket__HandoverDeclared handover = DOCKET__HANDOVER_DECLARED__INIT;

    (void)state;
    ticket.speaker = ANNA;
    ticket.owner = handover.agent = BERT;
    handover.term = DOCKET__HANDOVER_TERM__HANDOVER_TEMPORARY;
    handover.reason = DOCKET__HANDOVER_REASON__HANDOVER_ABSENT;
    apply(&ticket, DK_KIND_HANDOVER_DECLARED, BY_ANNA, &handover);
    assert_int_equal(ticket.owner, BERT);
    assert_int_equal(ticket.returns_to, ANNA);
}

static void test_ticket_apply_permanent_handover_forgets_the_first_owner(void **state)
{
    struct dk_ticket ticket = fixture_ticket(DOCKET__STATUS__STATUS_OPEN);
    Docket__HandoverDeclared handover = DOCKET__HANDOVER_DECLARED__INIT;

    (void)state;
    ticket.returns_to = BERT;
    ticket.flags = DK_TICKET_HANDED_OVER;
    handover.agent = dk_id_make(DK_SUBJECT_AGENT, 3);
    handover.term = DOCKET__HANDOVER_TERM__HANDOVER_PERMANENT;
    handover.reason = DOCKET__HANDOVER_REASON__HANDOVER_OVERLOAD;
    apply(&ticket, DK_KIND_HANDOVER_DECLARED, BY_ANNA, &handover);
    assert_int_equal(ticket.returns_to, 0);
    assert_int_equal(ticket.flags, 0);
}

static void test_ticket_apply_routing_takes_the_owner_only_out_of_a_queue(void **state)
{
    struct dk_ticket ticket = fixture_ticket(DOCKET__STATUS__STATUS_OPEN);
    Docket__Routed routed = DOCKET__ROUTED__INIT;

    (void)state;
    ticket.group = 0; /* anna took it before it was routed */
    routed.group = SUPPORT;
    routed.line = 1;
    apply(&ticket, DK_KIND_ROUTED, BY_ROUTING, &routed);
    assert_int_equal(ticket.owner, ANNA);
    ticket.returns_to = BERT;
    ticket.flags = DK_TICKET_HANDED_OVER | DK_TICKET_CHECKLIST;
    routed.group = NETWORK;
    routed.line = 2;
    apply(&ticket, DK_KIND_ROUTED, BY_ROUTING, &routed);
    assert_int_equal(ticket.group, NETWORK);
    assert_int_equal(ticket.line, 2);
    assert_int_equal(ticket.owner, 0);
    assert_int_equal(ticket.speaker, ANNA);
    assert_int_equal(ticket.returns_to, 0);
    assert_int_equal(ticket.flags, 0);
}

static void test_ticket_apply_positions_by_actor(void **state)
{
    struct dk_ticket ticket = fixture_ticket(DOCKET__STATUS__STATUS_OPEN);
    Docket__ClockMet met = DOCKET__CLOCK_MET__INIT;
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;

    (void)state;
    apply(&ticket, DK_KIND_CLOCK_MET, BY_SLA, &met);
    assert_int_equal(ticket.last_of_role[DK_ROLE_SLA - 1], 80);
    assert_int_equal(ticket.last_of_role[DK_ROLE_ROUTING - 1], 0);
    assert_int_equal(ticket.last_input, 70);
    apply(&ticket, DK_KIND_NOTE_ADDED, dk_id_make(DK_ACTOR_BROKER, 1), &note);
    assert_int_equal(ticket.last_input, 70);
    apply(&ticket, DK_KIND_NOTE_ADDED, dk_id_make(DK_ACTOR_NODE, 77), &note);
    assert_int_equal(ticket.last_position, 100);
    apply(&ticket, DK_KIND_NOTE_ADDED, dk_id_make(DK_ACTOR_SUPPLIER, 1), &note);
    assert_int_equal(ticket.last_input, 110);
    assert_int_equal(ticket.version, 11);
}

static void test_ticket_apply_unknown_kind_moves_positions_only(void **state)
{
    struct dk_ticket before = fixture_ticket(DOCKET__STATUS__STATUS_OPEN), after = before;

    (void)state;
    apply(&after, 1999, BY_ANNA, NULL);
    assert_int_equal(after.version, before.version + 1);
    assert_int_equal(after.last_position, before.last_position + 10);
    before.version = after.version;
    before.last_position = after.last_position;
    before.last_input = after.last_input;
    assert_memory_equal(&before, &after, sizeof before);
}

static void test_ticket_apply_numbers_without_meaning_change_nothing(void **state)
{
    struct dk_ticket ticket = fixture_ticket(DOCKET__STATUS__STATUS_OPEN);
    Docket__StatusChanged changed = DOCKET__STATUS_CHANGED__INIT;
    Docket__Classified classified = DOCKET__CLASSIFIED__INIT;
    Docket__Routed routed = DOCKET__ROUTED__INIT;

    (void)state;
    changed.status = (Docket__Status)77;
    apply_imported(&ticket, DK_KIND_STATUS_CHANGED, &changed);
    changed.status = DOCKET__STATUS__STATUS_NONE;
    apply_imported(&ticket, DK_KIND_STATUS_CHANGED, &changed);
    classified.has_priority = classified.has_type = 1;
    classified.priority = (Docket__Priority)77;
    classified.type = (Docket__TicketType)-1;
    apply_imported(&ticket, DK_KIND_CLASSIFIED, &classified);
    routed.group = SUPPORT;
    routed.line = 1000;
    apply_imported(&ticket, DK_KIND_ROUTED, &routed);
    assert_int_equal(ticket.status, DOCKET__STATUS__STATUS_OPEN);
    assert_int_equal(ticket.priority, DOCKET__PRIORITY__PRIORITY_HIGH);
    assert_int_equal(ticket.type, 0);
    assert_int_equal(ticket.line, DK_TICKET_LINE_MAX);
    assert_int_equal(ticket.irregular, 3);
    ticket.irregular = UINT16_MAX;
    apply_imported(&ticket, DK_KIND_STATUS_CHANGED, &changed);
    assert_int_equal(ticket.irregular, UINT16_MAX);
}

static void test_ticket_words(void **state)
{
    (void)state;
    assert_string_equal(dk_status_word(DOCKET__STATUS__STATUS_NEW, 0), "new");
    assert_string_equal(dk_status_word(DOCKET__STATUS__STATUS_MERGED, 0), "merged");
    assert_string_equal(dk_status_word(DOCKET__STATUS__STATUS_PENDING, 1), "pending (customer)");
    assert_string_equal(dk_status_word(7, 0), "?");
    assert_string_equal(dk_status_word(DOCKET__STATUS__STATUS_PENDING, 9), "?");
    assert_string_equal(dk_priority_word(DOCKET__PRIORITY__PRIORITY_CRITICAL), "critical");
    assert_string_equal(dk_priority_word(5), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ticket_apply_opened_live),
        cmocka_unit_test(test_ticket_apply_priority_from_impact_and_urgency),
        cmocka_unit_test(test_ticket_apply_opened_imported),
        cmocka_unit_test(test_ticket_apply_solve_reopen_close),
        cmocka_unit_test(test_ticket_apply_message_leaves_other_pauses),
        cmocka_unit_test(test_ticket_apply_first_reply_makes_the_speaker),
        cmocka_unit_test(test_ticket_apply_temporary_handover_and_return),
        cmocka_unit_test(test_ticket_apply_handover_after_the_assignment_returns),
        cmocka_unit_test(test_ticket_apply_permanent_handover_forgets_the_first_owner),
        cmocka_unit_test(test_ticket_apply_routing_takes_the_owner_only_out_of_a_queue),
        cmocka_unit_test(test_ticket_apply_positions_by_actor),
        cmocka_unit_test(test_ticket_apply_unknown_kind_moves_positions_only),
        cmocka_unit_test(test_ticket_apply_numbers_without_meaning_change_nothing),
        cmocka_unit_test(test_ticket_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
