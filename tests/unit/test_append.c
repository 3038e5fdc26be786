#include "broker/core/append.h"

#include "proto/base/time.h"
#include "tests/unit/core_world.h"

/* --------------------------------------------------------------------------------- numbers */

static void test_append_numbers_out_of_order_are_refused_and_not_seen(void **state)
{
    struct world *w = *state;
    w->agent.number++;
    add_note(w);
    check_refusal(call(w, false), 0, 0, DK_EORDER, "producer_number");
    w->agent.number = 1;
    add_note(w);
    ASSERT_EQ(call(w, false)->accepted, 1);
}

static void test_append_repeats_get_the_same_answer(void **state)
{
    struct world *w = *state;
    add_note(w);
    add_illegal(w);
    ASSERT_EQ(call(w, false)->accepted, 1);
    w->agent.number = 0; /* the Opened of set_up, the note, the refused one */
    fixture_next(&w->events, &w->agent, FIXTURE_AGENT, FIXTURE_UNNAMED(0), DK_KIND_OPENED,
                 fixture_opened());
    add_note(w);
    add_illegal(w);
    const Docket__Appended *appended = call(w, false);
    ASSERT_EQ(appended->accepted, 2);
    ASSERT_EQ(appended->position, 2);
    ASSERT_EQ(appended->n_opened, 1);
    ASSERT_EQ(appended->opened[0], FIXTURE_TICKET(1));
    check_refusal(appended, 0, 2, DK_EILLEGAL, "");
    ASSERT_EQ(dk_core_last(w->f.core), 3);

    w->agent.number = 1;
    fixture_next(&w->events, &w->agent, FIXTURE_AGENT, FIXTURE_TICKET(1), DK_KIND_NOTE_ADDED,
                 fixture_note("other bytes"));
    check_refusal(call(w, false), 0, 0, DK_EREUSED, "producer_number");
}

/* The same words about another ticket are another event. */
static void test_append_a_number_is_of_one_subject(void **state)
{
    struct world *w = *state;
    fixture_next(&w->events, &w->agent, FIXTURE_AGENT, FIXTURE_UNNAMED(0), DK_KIND_OPENED,
                 fixture_opened());
    add_note(w);
    add_illegal(w);
    ASSERT_EQ(call(w, false)->accepted, 2);
    for (int atomic = 0; atomic < 2; atomic++) {
        for (uint64_t number = 3; number <= 4; number++) {
            w->agent.number = number - 1;
            dk_stamp_subject(number == 3 ? add_note(w) : add_illegal(w), FIXTURE_TICKET(2));
            check_refusal(call(w, atomic), 0, 0, DK_EREUSED, "producer_number");
        }
        fixture_crash(&w->f);
        fixture_hello(&w->f, &w->agent, "main");
        w->agent.number = 2;
        dk_stamp_subject(add_note(w), FIXTURE_TICKET(2));
        check_refusal(call(w, atomic), 0, 0, DK_EREUSED, "producer_number");
        w->agent.number = 3;
        add_illegal(w); /* refused once more, whether its number is new or was before */
        ASSERT_EQ(call(w, false)->n_refused, 1);
    }
    ASSERT_EQ(dk_core_ticket(w->f.core, FIXTURE_TICKET(2))->version, 1);
}

/* What a request opens may be named by its place or by its number; any other ticket is not it. */
static void test_append_a_repeat_names_what_was_opened(void **state)
{
    struct world *w = *state;
    const uint64_t named[] = {FIXTURE_UNNAMED(0), FIXTURE_TICKET(2), FIXTURE_TICKET(1)};
    for (size_t i = 0; i < 3; i++) {
        w->agent.number = 1;
        fixture_next(&w->events, &w->agent, FIXTURE_AGENT, FIXTURE_UNNAMED(0), DK_KIND_OPENED,
                     fixture_opened());
        dk_stamp_subject(add_note(w), named[i]);
        const Docket__Appended *appended = call(w, i != 1);
        if (i < 2) {
            ASSERT_EQ(appended->accepted, 2);
            ASSERT_EQ(appended->position, 3);
        } else {
            check_refusal(appended, 0, 1, DK_EREUSED, "producer_number");
        }
    }
    w->agent.number = 2; /* its second ticket would be another one */
    fixture_next(&w->events, &w->agent, FIXTURE_AGENT, FIXTURE_UNNAMED(0), DK_KIND_OPENED,
                 fixture_opened());
    check_refusal(call(w, false), 0, 0, DK_EREUSED, "producer_number");
    ASSERT_EQ(dk_core_last(w->f.core), 4);
}

/* A resend that overlaps: the first two are repeats, the third is new and names a repeat's
 * ticket. */
static void test_append_batches_may_overlap(void **state)
{
    struct world *w = *state;
    add_note(w);
    ASSERT_EQ(call(w, false)->accepted, 1);
    fixture_next(&w->events, &w->operator, FIXTURE_OPERATOR, test_id(DK_SUBJECT_GROUP, "desk"),
                 DK_KIND_GROUP_DEFINED, fixture_group("desk"));
    fixture_call(&w->f, &w->operator, & w->events, false);
    fixture_events_clear(&w->events);
    w->agent.number = 0;
    fixture_next(&w->events, &w->agent, FIXTURE_AGENT, FIXTURE_UNNAMED(0), DK_KIND_OPENED,
                 fixture_opened());
    add_note(w);
    fixture_next(&w->events, &w->agent, FIXTURE_AGENT, FIXTURE_UNNAMED(0), DK_KIND_NOTE_ADDED,
                 fixture_note("new"));
    const Docket__Appended *appended = call(w, false);
    ASSERT_EQ(appended->accepted, 3);
    ASSERT_EQ(appended->position, 0); /* 1, 2 and 4 are no run */
    ASSERT_EQ(dk_core_ticket(w->f.core, FIXTURE_TICKET(1))->version, 3);
}

static void test_append_repeat_in_flight_waits_for_the_original(void **state)
{
    struct world *w = *state;
    add_note(w);
    uint64_t first = fixture_append(&w->f, &w->agent, &w->events, false);
    uint64_t gathering = fixture_append(&w->f, &w->agent, &w->events, false);
    ASSERT_TRUE(dk_core_take(w->f.core) != NULL);
    uint64_t written = fixture_append(&w->f, &w->agent, &w->events, false);
    ASSERT_TRUE(dk_core_take(w->f.core) == NULL);
    ASSERT_EQ(w->f.replies, 0);
    dk_core_committed(w->f.core);
    ASSERT_EQ(fixture_appended(&w->f, first)->position, 3);
    ASSERT_EQ(fixture_appended(&w->f, gathering)->position, 3);
    ASSERT_EQ(fixture_appended(&w->f, written)->position, 3);
    ASSERT_EQ(dk_core_last(w->f.core), 3);
}

static void test_append_old_repeats_are_accepted_without_position(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 5; i++) {
        for (int j = 0; j < 1000; j++) {
            add_note(w);
        }
        ASSERT_EQ(call(w, false)->accepted, 1000);
    }
    w->agent.number = 1;
    add_note(w);
    const Docket__Appended *appended = call(w, false);
    ASSERT_EQ(appended->accepted, 1);
    ASSERT_EQ(appended->position, 0);
    ASSERT_EQ(dk_core_last(w->f.core), 5002);
}

/* A ticket has the last number there is, so that no other can be opened. */
static void use_up_ticket_numbers(struct world *w)
{
    size_t bytes;
    fixture_next(&w->events, &w->agent, FIXTURE_AGENT, FIXTURE_UNNAMED(0), DK_KIND_OPENED,
                 fixture_opened());
    ASSERT_EQ(call(w, false)->position, 3);
    uint8_t *record = memory_store_record(&w->f.memory, 3, &bytes);
    dk_stamp_subject(record, FIXTURE_TICKET(DK_TICKET_NUMBER_MAX));
    dk_stamp_crc32c(record, dk_event_crc(record, bytes));
    fixture_crash(&w->f);
    fixture_hello(&w->f, &w->agent, "main");
}

/* What was refused for want of room is judged anew, whatever is sent under its number. */
static void test_append_want_of_room_uses_no_number_up(void **state)
{
    struct world *w = *state;
    use_up_ticket_numbers(w);
    uint64_t number = w->agent.number;
    for (int atomic = 0; atomic < 2; atomic++) {
        w->agent.number = number;
        fixture_next(&w->events, &w->agent, FIXTURE_AGENT, FIXTURE_UNNAMED(0), DK_KIND_OPENED,
                     fixture_opened());
        add_note(w);
        const Docket__Appended *appended = call(w, atomic);
        ASSERT_EQ(appended->accepted, 0);
        check_refusal(appended, 0, 0, DK_EBUSY, "subject");
    }
    w->agent.number = number;
    add_note(w);
    ASSERT_EQ(call(w, false)->position, 4);
}

/* ---------------------------------------------------------------------------------- atomic */

static void test_append_atomic_requests_are_one_run_with_more_flags(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 3; i++) {
        add_note(w);
    }
    const Docket__Appended *appended = call(w, true);
    ASSERT_EQ(appended->position, 3);
    ASSERT_EQ(appended->accepted, 3);
    for (uint64_t position = 3; position <= 5; position++) {
        size_t bytes;
        const uint8_t *record = memory_store_record(&w->f.memory, position, &bytes);
        uint32_t more = dk_event_load_flags(record) & DOCKET__EVENT_FLAG__FLAG_MORE;
        ASSERT_EQ(more != 0, position < 5);
    }
}

static void test_append_atomic_refusal_undoes_all_of_it(void **state)
{
    struct world *w = *state;
    struct dk_ticket before = *dk_core_ticket(w->f.core, FIXTURE_TICKET(1));
    add_note(w);
    fixture_next(&w->events, &w->agent, FIXTURE_AGENT, FIXTURE_UNNAMED(0), DK_KIND_OPENED,
                 fixture_opened());
    add_illegal(w);
    add_note(w);
    const Docket__Appended *appended = call(w, true);
    ASSERT_EQ(appended->accepted, 0);
    ASSERT_EQ(appended->position, 0);
    ASSERT_EQ(appended->n_opened, 0);
    ASSERT_EQ(appended->n_refused, 1);
    check_refusal(appended, 0, 2, DK_EILLEGAL, "kind");
    ASSERT_EQ(dk_core_last(w->f.core), 2);
    ASSERT_TRUE(dk_core_ticket(w->f.core, FIXTURE_TICKET(2)) == NULL);
    assert_memory_equal(dk_core_ticket(w->f.core, FIXTURE_TICKET(1)), &before, sizeof before);
    struct dk_core_stats stats;
    dk_core_stats(w->f.core, &stats);
    ASSERT_EQ(stats.tickets, 1);
    ASSERT_EQ(stats.open_tickets, 1);

    /* All four numbers are used up, and a repeat is told the same. */
    w->agent.number -= 4;
    add_note(w);
    fixture_next(&w->events, &w->agent, FIXTURE_AGENT, FIXTURE_UNNAMED(0), DK_KIND_OPENED,
                 fixture_opened());
    add_illegal(w);
    add_note(w);
    appended = call(w, true);
    ASSERT_EQ(appended->accepted, 0);
    ASSERT_EQ(appended->n_refused, 1);
    check_refusal(appended, 0, 2, DK_EILLEGAL, "");
    add_note(w);
    ASSERT_EQ(call(w, false)->position, 3);
}

static void test_append_atomic_requests_repeat_as_a_whole(void **state)
{
    struct world *w = *state;
    add_note(w);
    add_note(w);
    ASSERT_EQ(call(w, true)->position, 3);
    w->agent.number = 1;
    add_note(w);
    add_note(w);
    const Docket__Appended *appended = call(w, true);
    ASSERT_EQ(appended->position, 3);
    ASSERT_EQ(appended->accepted, 2);
    w->agent.number = 2;
    add_note(w); /* seen */
    add_note(w); /* new */
    check_refusal(call(w, true), 0, 1, DK_EORDER, "producer_number");
    w->agent.number = 3;
    add_note(w);
    w->agent.number++;
    add_note(w); /* a gap */
    check_refusal(call(w, true), 0, 1, DK_EORDER, "producer_number");
    ASSERT_EQ(dk_core_last(w->f.core), 4);
    w->agent.number = 3;
    add_note(w);
    ASSERT_EQ(call(w, true)->position, 5); /* none of them was used up */
}

static void test_append_atomic_definitions_are_in_force_when_it_passed(void **state)
{
    struct world *w = *state;
    uint64_t desk = test_id(DK_SUBJECT_GROUP, "desk");
    for (int i = 0; i < 2; i++) {
        fixture_events_clear(&w->events);
        fixture_next(&w->events, &w->operator, FIXTURE_OPERATOR, desk, DK_KIND_GROUP_DEFINED,
                     fixture_group("desk"));
        fixture_next(&w->events, &w->operator, FIXTURE_OPERATOR, desk, DK_KIND_GROUP_DEFINED,
                     fixture_group(i == 0 ? "wrong" : "desk"));
        const Docket__Appended *appended = fixture_call(&w->f, &w->operator, & w->events, true);
        ASSERT_EQ(appended->accepted, i == 0 ? 0 : 2);
        const struct dk_refs_version *version = dk_refs_last(dk_core_refs(w->f.core), desk);
        ASSERT_TRUE(i == 0 ? version == NULL : version != NULL && version->version == 2);
        ASSERT_EQ(dk_core_last_of(w->f.core, desk), i == 0 ? 0 : 4);
    }
}

/* ----------------------------------------------------------------------------------- pairs */

static const void *merged_into(uint64_t target)
{
    Docket__MergedInto *body = test_memory(sizeof *body);
    docket__merged_into__init(body);
    body->target = target;
    return body;
}
static const void *merged_from(uint64_t source)
{
    Docket__MergedFrom *body = test_memory(sizeof *body);
    docket__merged_from__init(body);
    body->source_ticket = source;
    return body;
}
static const void *linked(bool to, uint64_t other, Docket__LinkType type)
{
    Docket__LinkedTo *body = test_memory(sizeof *body);
    docket__linked_to__init(body);
    body->target = other;
    body->type = type;
    if (!to) {
        Docket__LinkedFrom *from = test_memory(sizeof *from);
        docket__linked_from__init(from);
        from->source_ticket = other;
        from->type = type;
        return from;
    }
    return body;
}

static void add(struct world *w, uint64_t ticket, uint32_t kind, const void *body)
{
    fixture_next(&w->events, &w->agent, FIXTURE_AGENT, ticket, kind, body);
}

static void test_append_actions_on_two_tickets_are_mirrored_pairs(void **state)
{
    struct world *w = *state;
    const uint64_t a = FIXTURE_TICKET(1), b = FIXTURE_TICKET(2);
    add(w, FIXTURE_UNNAMED(0), DK_KIND_OPENED, fixture_opened());
    ASSERT_EQ(call(w, false)->accepted, 1);

    add(w, a, DK_KIND_MERGED_INTO, merged_into(b)); /* not atomic */
    check_refusal(call(w, false), 0, 0, DK_EILLEGAL, "kind");
    add_note(w);
    add(w, a, DK_KIND_MERGED_INTO, merged_into(b)); /* no mirror */
    check_refusal(call(w, true), 0, 1, DK_EILLEGAL, "kind");
    add(w, b, DK_KIND_MERGED_FROM, merged_from(a)); /* no mirror either */
    check_refusal(call(w, true), 0, 0, DK_EILLEGAL, "kind");
    add(w, a, DK_KIND_LINKED_TO, linked(true, b, DOCKET__LINK_TYPE__LINK_CHILD));
    add(w, b, DK_KIND_LINKED_FROM, linked(false, a, DOCKET__LINK_TYPE__LINK_PROBLEM));
    check_refusal(call(w, true), 0, 0, DK_EILLEGAL, "kind"); /* of another type */
    add(w, a, DK_KIND_LINKED_TO, linked(true, FIXTURE_TICKET(9), DOCKET__LINK_TYPE__LINK_CHILD));
    add(w, FIXTURE_TICKET(9), DK_KIND_LINKED_FROM, linked(false, a, DOCKET__LINK_TYPE__LINK_CHILD));
    check_refusal(call(w, true), 0, 1, DK_ENOTFOUND, "subject"); /* of a ticket that is none */
    ASSERT_EQ(dk_core_last(w->f.core), 3);

    add(w, b, DK_KIND_LINKED_FROM, linked(false, a, DOCKET__LINK_TYPE__LINK_CHILD));
    add(w, a, DK_KIND_LINKED_TO, linked(true, b, DOCKET__LINK_TYPE__LINK_CHILD));
    ASSERT_EQ(call(w, true)->accepted, 2);
    add(w, a, DK_KIND_MERGED_INTO, merged_into(b));
    add(w, b, DK_KIND_MERGED_FROM, merged_from(a));
    ASSERT_EQ(call(w, true)->accepted, 2);
    ASSERT_EQ(dk_core_ticket(w->f.core, a)->status, DOCKET__STATUS__STATUS_MERGED);
}

static void define_vpn(struct world *w)
{
    Docket__ProductDefined *vpn = test_memory(sizeof *vpn);
    docket__product_defined__init(vpn);
    vpn->definition = test_definition("vpn");
    vpn->n_audience = 1;
    vpn->audience = test_memory(sizeof *vpn->audience);
    vpn->audience[0] = test_bytes("gold");
    fixture_events_clear(&w->events);
    fixture_next(&w->events, &w->operator, FIXTURE_OPERATOR, test_id(DK_SUBJECT_PRODUCT, "vpn"),
                 DK_KIND_PRODUCT_DEFINED, vpn);
    ASSERT_EQ(fixture_call(&w->f, &w->operator, & w->events, false)->accepted, 1);
    fixture_events_clear(&w->events);
}

static void open_critical(struct world *w)
{
    Docket__Opened *opened = test_memory(sizeof *opened);
    *opened = *(const Docket__Opened *)fixture_opened();
    opened->has_product = opened->has_priority = 1;
    opened->product = test_id(DK_SUBJECT_PRODUCT, "vpn");
    opened->priority = DOCKET__PRIORITY__PRIORITY_CRITICAL;
    fixture_next(&w->events, &w->agent, FIXTURE_CUSTOMER, FIXTURE_UNNAMED(0), DK_KIND_OPENED,
                 opened);
}

static void except(struct world *w, uint64_t ticket, Docket__ExceptionType type)
{
    Docket__ExceptionRecorded *exception = test_memory(sizeof *exception);
    docket__exception_recorded__init(exception);
    exception->type = type;
    exception->reason = test_text("critical");
    fixture_next(&w->events, &w->agent, FIXTURE_CUSTOMER, ticket, DK_KIND_EXCEPTION_RECORDED,
                 exception);
}

static void classify(struct world *w, uint64_t ticket)
{
    Docket__Classified *classified = test_memory(sizeof *classified);
    docket__classified__init(classified);
    classified->has_product = classified->has_priority = 1;
    classified->product = test_id(DK_SUBJECT_PRODUCT, "vpn");
    classified->priority = DOCKET__PRIORITY__PRIORITY_CRITICAL;
    add(w, ticket, DK_KIND_CLASSIFIED, classified);
}

/* DOMAIN: critical severity bypasses the entitlement, and the bypass is an event. Nobody can leave
 * it out; once it is there it holds. */
static void test_append_a_bypass_of_entitlement_is_an_event(void **state)
{
    struct world *w = *state;
    const Docket__ExceptionType entitlement = DOCKET__EXCEPTION_TYPE__EXCEPTION_ENTITLEMENT;
    define_vpn(w);
    open_critical(w);
    check_refusal(call(w, false), 0, 0, DK_EILLEGAL, "kind"); /* alone */
    add_note(w);
    open_critical(w);
    add_note(w);
    check_refusal(call(w, true), 0, 1, DK_EILLEGAL, "kind"); /* without it */
    open_critical(w);
    except(w, FIXTURE_UNNAMED(0), entitlement);
    check_refusal(call(w, false), 0, 0, DK_EILLEGAL, "kind"); /* not together */
    classify(w, FIXTURE_TICKET(1));
    check_refusal(call(w, false), 0, 0, DK_EILLEGAL, "kind");
    classify(w, FIXTURE_TICKET(1));
    check_refusal(call(w, true), 0, 0, DK_EILLEGAL, "kind");
    ASSERT_EQ(dk_core_last(w->f.core), 3);

    open_critical(w);
    except(w, FIXTURE_UNNAMED(0), entitlement);
    ASSERT_EQ(call(w, true)->accepted, 2);
    ASSERT_TRUE((dk_core_ticket(w->f.core, FIXTURE_TICKET(2))->flags & DK_TICKET_ENTITLED) != 0);
    classify(w, FIXTURE_TICKET(2));
    ASSERT_EQ(call(w, false)->accepted, 1);
}

static uint64_t stored_other(struct world *w, uint64_t position)
{
    struct dk_arena arena;
    struct dk_err err;
    size_t bytes;
    const uint8_t *record = memory_store_record(&w->f.memory, position, &bytes);
    ASSERT_EQ(dk_arena_init(&arena, DK_UNPACK_MAX_BYTES), 0);
    ASSERT_OK(dk_event_verify(record, bytes, &err), &err);
    const Docket__LinkedTo *to = (const void *)dk_body_unpack(&arena, record, bytes, &err);
    uint64_t other = to->target; /* where LinkedFrom has its source_ticket */
    dk_arena_close(&arena);
    return other;
}

/* A child is opened and linked at once; a repeat is known by what was sent, before and after a
 * restart. */
static void test_append_pairs_may_name_what_the_request_opens(void **state)
{
    struct world *w = *state;
    const Docket__LinkType child = DOCKET__LINK_TYPE__LINK_CHILD;
    uint64_t number = w->agent.number;
    for (int repeat = 0; repeat < 3; repeat++) {
        w->agent.number = number;
        add(w, FIXTURE_UNNAMED(0), DK_KIND_OPENED, fixture_opened());
        add(w, FIXTURE_UNNAMED(1), DK_KIND_OPENED, fixture_opened());
        add(w, FIXTURE_TICKET(1), DK_KIND_LINKED_TO, linked(true, FIXTURE_UNNAMED(1), child));
        add(w, FIXTURE_UNNAMED(1), DK_KIND_LINKED_FROM, linked(false, FIXTURE_TICKET(1), child));
        add(w, FIXTURE_UNNAMED(0), DK_KIND_MERGED_INTO, merged_into(FIXTURE_UNNAMED(1)));
        add(w, FIXTURE_UNNAMED(1), DK_KIND_MERGED_FROM, merged_from(FIXTURE_UNNAMED(0)));
        const Docket__Appended *appended = call(w, true);
        ASSERT_EQ(appended->accepted, 6);
        ASSERT_EQ(appended->position, 3);
        ASSERT_EQ(appended->n_opened, 2);
        if (repeat == 1) {
            fixture_crash(&w->f);
            fixture_hello(&w->f, &w->agent, "main");
        }
    }
    w->agent.number = number + 2; /* the link again, to another ticket */
    add(w, FIXTURE_TICKET(1), DK_KIND_LINKED_TO, linked(true, FIXTURE_TICKET(2), child));
    check_refusal(call(w, true), 0, 0, DK_EREUSED, "producer_number");
    ASSERT_EQ(dk_core_last(w->f.core), 8);
    ASSERT_EQ(stored_other(w, 5), FIXTURE_TICKET(3));
    ASSERT_EQ(stored_other(w, 6), FIXTURE_TICKET(1));
    ASSERT_EQ(stored_other(w, 7), FIXTURE_TICKET(3));
    ASSERT_EQ(stored_other(w, 8), FIXTURE_TICKET(2));
    ASSERT_EQ(dk_core_ticket(w->f.core, FIXTURE_TICKET(2))->status, DOCKET__STATUS__STATUS_MERGED);
}

static void test_append_bodies_name_no_ticket_that_is_not_opened(void **state)
{
    struct world *w = *state;
    const Docket__LinkType child = DOCKET__LINK_TYPE__LINK_CHILD;
    Docket__Opened *repeats = test_memory(sizeof *repeats);
    *repeats = *(const Docket__Opened *)fixture_opened();
    repeats->has_repeat_of = 1;
    repeats->repeat_of = FIXTURE_UNNAMED(0);

    repeats->repeat_of = FIXTURE_TICKET(2); /* the one that it will be, and no other one yet */
    add(w, FIXTURE_UNNAMED(0), DK_KIND_OPENED, repeats);
    check_refusal(call(w, true), 0, 0, DK_EREFERENCE, "opened.repeat_of");
    repeats->repeat_of = FIXTURE_UNNAMED(0);
    add(w, FIXTURE_TICKET(1), DK_KIND_LINKED_TO, linked(true, FIXTURE_UNNAMED(0), child));
    check_refusal(call(w, true), 0, 0, DK_ENOTFOUND, "linked_to.target");
    add(w, FIXTURE_UNNAMED(0), DK_KIND_OPENED, fixture_opened());
    add(w, FIXTURE_UNNAMED(0), DK_KIND_MERGED_FROM, merged_from(FIXTURE_UNNAMED(1)));
    check_refusal(call(w, true), 0, 1, DK_ENOTFOUND, "merged_from.source_ticket");
    add(w, FIXTURE_UNNAMED(0), DK_KIND_OPENED, fixture_opened());
    add(w, FIXTURE_UNNAMED(1), DK_KIND_OPENED, repeats);
    check_refusal(call(w, true), 0, 1, DK_EINVAL, "opened.repeat_of");
    ASSERT_EQ(dk_core_last(w->f.core), 2);
}

/* ------------------------------------------------------------------------------- one-shots */

static uint8_t *add_one_shot(struct world *w, uint64_t high, uint64_t low, const char *text)
{
    struct dk_envelope envelope = {
        .subject = FIXTURE_TICKET(1),
        .actor = FIXTURE_AGENT,
        .flags = DOCKET__EVENT_FLAG__FLAG_ONE_SHOT,
        .producer = high,
        .producer_number = low,
    };
    return fixture_add(&w->events, envelope, DK_KIND_NOTE_ADDED, fixture_note(text));
}

static void test_append_one_shots_are_written_once(void **state)
{
    struct world *w = *state;
    for (int atomic = 0; atomic < 2; atomic++) {
        uint64_t low = 100 + (uint64_t)atomic;
        uint64_t before = dk_core_last(w->f.core);
        for (int repeat = 0; repeat < 3; repeat++) {
            add_one_shot(w, 1, low, "a");
            add_one_shot(w, 1, low, "b");
            const Docket__Appended *appended = call(w, atomic);
            ASSERT_EQ(appended->position, before + 1);
            ASSERT_EQ(appended->accepted, 2);
        }
        ASSERT_EQ(dk_core_last(w->f.core), before + 2);
        add_one_shot(w, 1, low, "a");
        add_one_shot(w, 1, low, "other");
        check_refusal(call(w, atomic), 0, 0, DK_EREUSED, "producer_number");
        add_one_shot(w, 1, low, "a");
        check_refusal(call(w, atomic), 0, 0, DK_EREUSED, "producer_number");
        add_one_shot(w, 1, low, "a");
        dk_stamp_subject(add_one_shot(w, 1, low, "b"), FIXTURE_TICKET(2));
        check_refusal(call(w, atomic), 0, 0, DK_EREUSED, "producer_number");
    }
}

/* A client whose answer was lost learns the numbers by asking again, of a broker that was killed
 * since as well. */
static void test_append_one_shot_repeats_list_what_was_opened(void **state)
{
    struct world *w = *state;
    for (int repeat = 0; repeat < 3; repeat++) {
        struct dk_envelope envelope = {
            .subject = FIXTURE_UNNAMED(0),
            .actor = FIXTURE_AGENT,
            .flags = DOCKET__EVENT_FLAG__FLAG_ONE_SHOT,
            .producer = 1,
            .producer_number = 2,
        };
        add_one_shot(w, 1, 2, "a");
        fixture_add(&w->events, envelope, DK_KIND_OPENED, fixture_opened());
        dk_stamp_subject(add_one_shot(w, 1, 2, "b"), FIXTURE_UNNAMED(0));
        envelope.subject = FIXTURE_UNNAMED(1);
        fixture_add(&w->events, envelope, DK_KIND_OPENED, fixture_opened());
        const Docket__Appended *appended = call(w, true);
        ASSERT_EQ(appended->accepted, 4);
        ASSERT_EQ(appended->n_opened, 2);
        ASSERT_EQ(appended->opened[0], FIXTURE_TICKET(2));
        ASSERT_EQ(appended->opened[1], FIXTURE_TICKET(3));
        if (repeat == 1) {
            fixture_crash(&w->f);
        }
    }
    ASSERT_EQ(dk_core_last(w->f.core), 6);
}

static void test_append_one_shot_repeat_in_flight_waits(void **state)
{
    struct world *w = *state;
    add_one_shot(w, 1, 2, "a");
    fixture_append(&w->f, &w->agent, &w->events, false);
    ASSERT_TRUE(dk_core_take(w->f.core) != NULL);
    uint64_t repeat = fixture_append(&w->f, &w->agent, &w->events, false);
    ASSERT_TRUE(dk_core_take(w->f.core) == NULL);
    ASSERT_EQ(w->f.replies, 0);
    dk_core_committed(w->f.core);
    ASSERT_EQ(fixture_appended(&w->f, repeat)->position, 3);
}

static void test_append_one_shots_share_their_id(void **state)
{
    struct world *w = *state;
    add_one_shot(w, 1, 2, "a");
    add_one_shot(w, 1, 3, "b");
    add_note(w);
    const Docket__Appended *appended = call(w, false);
    ASSERT_EQ(appended->accepted, 1);
    check_refusal(appended, 0, 1, DK_EINVAL, "producer");
    check_refusal(appended, 1, 2, DK_EINVAL, "flags");
    add_one_shot(w, 1, 4, "a");
    add_one_shot(w, 1, 5, "b");
    check_refusal(call(w, true), 0, 1, DK_EINVAL, "producer");
}

/* What was refused is judged anew when nothing was accepted, and left alone when something was. */
static void test_append_one_shot_refusals(void **state)
{
    struct world *w = *state;
    dk_stamp_subject(add_one_shot(w, 1, 2, "a"), FIXTURE_TICKET(9));
    check_refusal(call(w, false), 0, 0, DK_ENOTFOUND, "subject");
    add_one_shot(w, 1, 2, "a");
    ASSERT_EQ(call(w, false)->accepted, 1);

    for (int repeat = 0; repeat < 2; repeat++) {
        add_one_shot(w, 1, 3, "a");
        dk_stamp_subject(add_one_shot(w, 1, 3, "b"), FIXTURE_TICKET(9));
        const Docket__Appended *appended = call(w, false);
        ASSERT_EQ(appended->accepted, 1);
        ASSERT_EQ(appended->position, 4);
        ASSERT_EQ(appended->n_refused, repeat == 0);
    }
}

static void test_append_one_shots_are_remembered_a_day(void **state)
{
    struct world *w = *state;
    add_one_shot(w, 1, 2, "a");
    ASSERT_EQ(call(w, false)->position, 3);
    w->f.now.wall_us += DK_DAY_US + 1;
    w->f.now.boot_us += DK_DAY_US + 1;
    add_one_shot(w, 1, 3, "b");
    ASSERT_EQ(call(w, false)->position, 4);
    add_one_shot(w, 1, 2, "a");
    ASSERT_EQ(call(w, false)->position, 5);
}

static void test_append_one_shots_have_a_bound(void **state)
{
    struct world *w = *state;
    fixture_stop(&w->f);
    struct dk_err err;
    w->f.options.one_shots_max = 2;
    ASSERT_OK(fixture_start(&w->f, &err), &err);
    for (uint64_t low = 1; low <= 3; low++) {
        add_one_shot(w, 1, low, "a");
        const Docket__Appended *appended = call(w, false);
        ASSERT_EQ(appended->accepted, low <= 2);
        if (low == 3) {
            check_refusal(appended, 0, 0, DK_EBUSY, "");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_append_numbers_out_of_order_are_refused_and_not_seen),
        CASE(test_append_repeats_get_the_same_answer),
        CASE(test_append_a_number_is_of_one_subject),
        CASE(test_append_a_repeat_names_what_was_opened),
        CASE(test_append_batches_may_overlap),
        CASE(test_append_repeat_in_flight_waits_for_the_original),
        CASE(test_append_old_repeats_are_accepted_without_position),
        CASE(test_append_want_of_room_uses_no_number_up),
        CASE(test_append_atomic_requests_are_one_run_with_more_flags),
        CASE(test_append_atomic_refusal_undoes_all_of_it),
        CASE(test_append_atomic_requests_repeat_as_a_whole),
        CASE(test_append_atomic_definitions_are_in_force_when_it_passed),
        CASE(test_append_actions_on_two_tickets_are_mirrored_pairs),
        CASE(test_append_a_bypass_of_entitlement_is_an_event),
        CASE(test_append_pairs_may_name_what_the_request_opens),
        CASE(test_append_bodies_name_no_ticket_that_is_not_opened),
        CASE(test_append_one_shots_are_written_once),
        CASE(test_append_one_shot_repeats_list_what_was_opened),
        CASE(test_append_one_shot_repeat_in_flight_waits),
        CASE(test_append_one_shots_share_their_id),
        CASE(test_append_one_shot_refusals),
        CASE(test_append_one_shots_are_remembered_a_day),
        CASE(test_append_one_shots_have_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
