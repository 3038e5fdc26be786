#include "broker/core/core.h"

#include "proto/base/time.h"
#include "tests/unit/core_world.h"

/* ----------------------------------------------------------------------------------- hello */

static void test_core_hello_tells_the_log_and_the_last_number(void **state)
{
    struct world *w = *state;
    struct fixture_peer other = {.peer = {21, DK_ROLE_AGENT, FIXTURE_AGENT, DK_ROLE_AGENT}};
    uint64_t id = fixture_hello_request(&w->f, &other, "main"); /* the same key and name */
    ASSERT_TRUE(!fixture_commit(&w->f)); /* nothing to write, but the answer goes out */
    const Docket__HelloReply *hello = fixture_reply(&w->f, id)->hello;
    ASSERT_EQ(hello->producer, w->agent.producer);
    ASSERT_EQ(hello->last_number, 1);
    ASSERT_EQ(hello->head, 2);
    ASSERT_EQ(hello->site, FIXTURE_SITE);
    ASSERT_EQ(hello->role, DK_ROLE_AGENT);
    ASSERT_EQ(hello->actor, FIXTURE_AGENT);
    ASSERT_EQ(hello->now_us, FIXTURE_NOW);
    ASSERT_EQ(hello->salt.len, DK_SALT_BYTES);
    ASSERT_EQ(hello->log_uuid.len, 16);
}

static void test_core_hello_of_a_reader_gives_no_producer_and_no_salt(void **state)
{
    struct world *w = *state;
    struct fixture_peer reader = fixture_peer(&w->f, DK_ROLE_READER, 30);
    ASSERT_EQ(reader.producer, 0);
    ASSERT_EQ(w->f.reply[0].reply->hello->salt.len, 0);
    add_note(w);
    check_failure(w, fixture_append(&w->f, &reader, &w->events, false), DK_EACCES);
}

static void test_core_hello_waits_for_the_number_it_tells(void **state)
{
    struct world *w = *state;
    add_note(w);
    fixture_append(&w->f, &w->agent, &w->events, false);
    uint64_t id = fixture_hello_request(&w->f, &w->agent, "main");
    ASSERT_TRUE(dk_core_take(w->f.core) != NULL);
    ASSERT_TRUE(fixture_reply(&w->f, id) == NULL);
    dk_core_committed(w->f.core);
    ASSERT_EQ(fixture_reply(&w->f, id)->hello->last_number, 2);
}

static void test_core_hello_names_have_a_length(void **state)
{
    struct world *w = *state;
    char name[DK_KEY_MAX_BYTES + 2];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    check_failure(w, fixture_hello_request(&w->f, &w->agent, name), DK_EINVAL);
    check_failure(w, fixture_hello_request(&w->f, &w->agent, ""), DK_EINVAL);
}

static void test_core_sessions_are_needed_and_fenced(void **state)
{
    struct world *w = *state;
    struct fixture_peer other = {.peer = {21, DK_ROLE_AGENT, 0, DK_ROLE_AGENT}};
    other.producer = 12345;
    add_note(w);
    struct dk_envelope stranger = {
        .subject = FIXTURE_TICKET(1), .actor = FIXTURE_AGENT, .producer = 5, .producer_number = 1};
    fixture_events_clear(&w->events);
    fixture_add(&w->events, stranger, DK_KIND_NOTE_ADDED, fixture_note("x"));
    check_refusal(call(w, false), 0, 0, DK_EHELLO, "producer");

    fixture_hello(&w->f, &other, "main"); /* takes the agent's producer over */
    w->agent.number = 1;
    add_note(w);
    check_refusal(call(w, false), 0, 0, DK_EFENCED, "producer");
    w->agent = other;
    add_note(w);
    ASSERT_EQ(call(w, false)->accepted, 1);
}

/* --------------------------------------------------------------------------------- answers */

static void test_core_answers_when_durable_and_one_reply_a_connection(void **state)
{
    struct world *w = *state;
    uint64_t ids[5];
    for (size_t i = 0; i < 5; i++) {
        fixture_events_clear(&w->events);
        add_note(w);
        ids[i] = fixture_append(&w->f, &w->agent, &w->events, false);
    }
    ASSERT_EQ(dk_core_last(w->f.core), 7);
    ASSERT_EQ(dk_core_durable(w->f.core), 2);
    const struct dk_batch *batch = dk_core_take(w->f.core);
    ASSERT_EQ(batch->first, 3);
    ASSERT_EQ(batch->count, 5);
    ASSERT_TRUE(dk_core_take(w->f.core) == NULL);
    ASSERT_EQ(w->f.replies, 0);
    dk_core_committed(w->f.core);
    ASSERT_EQ(dk_core_durable(w->f.core), 7);
    ASSERT_EQ(w->f.replies, 1);
    for (size_t i = 0; i < 5; i++) {
        ASSERT_EQ(fixture_appended(&w->f, ids[i])->position, 3 + i);
    }
}

static void test_core_refusals_wait_for_what_they_were_judged_against(void **state)
{
    struct world *w = *state;
    add_note(w);
    uint64_t note = fixture_append(&w->f, &w->agent, &w->events, false);
    ASSERT_TRUE(dk_core_take(w->f.core) != NULL);
    fixture_events_clear(&w->events);
    add_illegal(w);
    uint64_t illegal = fixture_append(&w->f, &w->agent, &w->events, false);
    ASSERT_TRUE(dk_core_take(w->f.core) == NULL);
    ASSERT_EQ(w->f.replies, 0);
    dk_core_committed(w->f.core); /* no other batch is needed for it */
    ASSERT_EQ(fixture_appended(&w->f, note)->accepted, 1);
    check_refusal(fixture_appended(&w->f, illegal), 0, 0, DK_EILLEGAL, "kind");
}

static void test_core_answers_per_event_in_order(void **state)
{
    struct world *w = *state;
    add_note(w);
    add_illegal(w);
    add_note(w);
    add_illegal(w);
    const Docket__Appended *appended = call(w, false);
    ASSERT_EQ(appended->position, 3);
    ASSERT_EQ(appended->accepted, 2);
    ASSERT_EQ(appended->n_refused, 2);
    check_refusal(appended, 0, 1, DK_EILLEGAL, "kind");
    check_refusal(appended, 1, 3, DK_EILLEGAL, "kind");
    ASSERT_EQ(dk_core_last(w->f.core), 4);
}

static void test_core_tickets_are_named_by_their_place_in_the_request(void **state)
{
    struct world *w = *state;
    fixture_next(&w->events, &w->agent, FIXTURE_AGENT, FIXTURE_UNNAMED(0), DK_KIND_OPENED,
                 fixture_opened());
    fixture_next(&w->events, &w->agent, FIXTURE_AGENT, FIXTURE_UNNAMED(1), DK_KIND_OPENED,
                 fixture_opened());
    fixture_next(&w->events, &w->agent, FIXTURE_AGENT, FIXTURE_UNNAMED(0), DK_KIND_NOTE_ADDED,
                 fixture_note("on the first"));
    fixture_next(&w->events, &w->agent, FIXTURE_AGENT, FIXTURE_UNNAMED(2), DK_KIND_NOTE_ADDED,
                 fixture_note("on none"));
    const Docket__Appended *appended = call(w, false);
    ASSERT_EQ(appended->accepted, 3);
    ASSERT_EQ(appended->n_opened, 2);
    ASSERT_EQ(appended->opened[0], FIXTURE_TICKET(2));
    ASSERT_EQ(appended->opened[1], FIXTURE_TICKET(3));
    check_refusal(appended, 0, 3, DK_ENOTFOUND, "subject");
    ASSERT_EQ(dk_core_ticket(w->f.core, FIXTURE_TICKET(2))->version, 2);
    ASSERT_EQ(dk_core_ticket(w->f.core, FIXTURE_TICKET(3))->version, 1);
    ASSERT_EQ(dk_core_last_of(w->f.core, FIXTURE_TICKET(2)), 5);
}

static void test_core_disconnected_peers_get_nothing(void **state)
{
    struct world *w = *state;
    add_note(w);
    fixture_append(&w->f, &w->agent, &w->events, false);
    dk_core_disconnected(w->f.core, 11);
    fixture_settle(&w->f);
    ASSERT_EQ(w->f.replies, 0);
    ASSERT_EQ(dk_core_durable(w->f.core), 3); /* the event stays */
}

static void test_core_serves_head_and_ticket_state(void **state)
{
    struct world *w = *state;
    Docket__Request request = DOCKET__REQUEST__INIT;
    Docket__Head head = DOCKET__HEAD__INIT;
    Docket__TicketState asked = DOCKET__TICKET_STATE__INIT;
    add_note(w);
    fixture_append(&w->f, &w->agent, &w->events, false);
    request.op_case = DOCKET__REQUEST__OP_HEAD;
    request.head = &head;
    uint64_t id = fixture_request(&w->f, &w->agent, &request);
    ASSERT_EQ(fixture_reply(&w->f, id)->head->head, 2); /* what is durable, at once */

    request.op_case = DOCKET__REQUEST__OP_TICKET_STATE;
    request.ticket_state = &asked;
    asked.ticket = FIXTURE_TICKET(1);
    id = fixture_request(&w->f, &w->agent, &request);
    ASSERT_TRUE(fixture_reply(&w->f, id) == NULL); /* it shows an event that is not durable */
    fixture_settle(&w->f);
    const Docket__TicketStateReply *ticket = fixture_reply(&w->f, id)->ticket_state;
    ASSERT_EQ(ticket->version, 2);
    ASSERT_EQ(ticket->last_position, 3);
    ASSERT_EQ(ticket->status, DOCKET__STATUS__STATUS_NEW);
    asked.ticket = FIXTURE_TICKET(9);
    check_failure(w, fixture_request(&w->f, &w->agent, &request), DK_ENOTFOUND);

    struct dk_request fetch = {.id = 1, .protocol = 1, .op = DK_OP_FETCH};
    ASSERT_TRUE(!dk_core_request(w->f.core, &w->agent.peer, w->f.now, &fetch));
}

/* -------------------------------------------------------------------------------- refusals */

static void test_core_malformed_appends_fail_at_once(void **state)
{
    struct world *w = *state;
    static const uint8_t half[] = {0x0a, 0x50, 0x00};
    struct dk_request request = {
        .id = 77, .protocol = 1, .op = DK_OP_APPEND, .body = {half, sizeof half}};
    ASSERT_TRUE(dk_core_request(w->f.core, &w->agent.peer, w->f.now, &request));
    check_failure(w, 77, DK_EINVAL);
    request.id = 78;
    request.body = (struct dk_slice){NULL, 0};
    ASSERT_TRUE(dk_core_request(w->f.core, &w->agent.peer, w->f.now, &request));
    check_failure(w, 78, DK_EINVAL);
}

static void test_core_records_not_canonical_use_up_no_number(void **state)
{
    struct world *w = *state;
    add_note(w)[0] = 0x0e; /* the tag of format */
    w->agent.number--;
    dk_stamp_format(add_note(w), 2);
    w->agent.number--;
    add_note(w);
    const Docket__Appended *appended = call(w, false);
    check_refusal(appended, 0, 0, DK_ECANON, "format");
    check_refusal(appended, 1, 1, DK_EVERSION, "format");
    ASSERT_EQ(appended->accepted, 1);
    ASSERT_EQ(appended->position, 3);
}

static void test_core_records_have_a_largest_size(void **state)
{
    struct world *w = *state;
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;
    note.text = test_text("");
    note.text->plain.len = DK_TEXT_MAX_BYTES;
    note.text->plain.data = calloc(1, DK_RECORD_MAX_BYTES);
    memset(note.text->plain.data, 'a', DK_RECORD_MAX_BYTES);
    fixture_next(&w->events, &w->agent, FIXTURE_AGENT, FIXTURE_TICKET(1), DK_KIND_NOTE_ADDED,
                 &note);
    note.text->plain.len = DK_TEXT_MAX_BYTES + 1;
    fixture_next(&w->events, &w->agent, FIXTURE_AGENT, FIXTURE_TICKET(1), DK_KIND_NOTE_ADDED,
                 &note);
    const Docket__Appended *appended = call(w, false);
    ASSERT_EQ(appended->accepted, 1);
    check_refusal(appended, 0, 1, DK_ETOOBIG, "note_added.text");
    free(note.text->plain.data);

    struct dk_buf frame;
    static uint8_t large[DK_RECORD_MAX_BYTES + 1];
    dk_buf_init(&frame, DK_FRAME_MAX_BYTES);
    uint8_t *record = add_note(w);
    memcpy(large, record, DK_ENVELOPE_BYTES);
    struct dk_slice slice = {large, sizeof large};
    ASSERT_EQ(dk_append_write(&frame, 99, &slice, NULL, 1, 0), 0);
    fixture_forget(&w->f);
    fixture_request_bytes(&w->f, &w->agent, frame.data, frame.size);
    fixture_settle(&w->f);
    check_refusal(fixture_appended(&w->f, 99), 0, 0, DK_ETOOBIG, "event");
    dk_buf_close(&frame);
}

static void test_core_appends_of_one_message_are_answered_each(void **state)
{
    struct world *w = *state;
    struct dk_buf frame;
    dk_buf_init(&frame, DK_FRAME_MAX_BYTES);
    size_t mark = dk_append_list_begin(&frame, 500);
    for (uint64_t id = 501; id <= 503; id++) {
        struct dk_slice event[2];
        fixture_events_clear(&w->events);
        event[0].data = add_note(w);
        event[0].size = w->events.end[0];
        size_t count = 1;
        if (id == 502) {
            add_illegal(w);
            event[0].data = w->events.buf.data;
            event[1] = (struct dk_slice){w->events.buf.data + w->events.end[0],
                                         w->events.end[1] - w->events.end[0]};
            count = 2;
        }
        ASSERT_EQ(dk_append_list_add(&frame, id, event, NULL, count, 0), 0);
    }
    ASSERT_EQ(dk_append_list_end(&frame, mark), 0);
    fixture_forget(&w->f);
    fixture_request_bytes(&w->f, &w->agent, frame.data, frame.size);
    ASSERT_TRUE(fixture_commit(&w->f));
    ASSERT_TRUE(!fixture_commit(&w->f)); /* one was enough */
    for (uint64_t id = 501; id <= 503; id++) {
        const Docket__Appended *appended = fixture_appended(&w->f, id);
        ASSERT_TRUE(appended != NULL);
        ASSERT_EQ(appended->position, id - 498);
        ASSERT_EQ(appended->accepted, 1);
        ASSERT_EQ(appended->n_refused, id == 502);
    }
    dk_buf_close(&frame);
}

static void test_core_malformed_list_is_refused_as_a_whole(void **state)
{
    struct world *w = *state;
    struct dk_buf frame;
    dk_buf_init(&frame, DK_FRAME_MAX_BYTES);
    size_t mark = dk_append_list_begin(&frame, 500);
    struct dk_slice event = {add_note(w), w->events.end[0]};
    ASSERT_EQ(dk_append_list_add(&frame, 501, &event, NULL, 1, 0), 0);
    ASSERT_EQ(dk_buf_append(&frame, "\x0a\x01x", 3), 0);
    ASSERT_EQ(dk_append_list_end(&frame, mark), 0);
    fixture_forget(&w->f);
    fixture_request_bytes(&w->f, &w->agent, frame.data, frame.size);
    fixture_settle(&w->f);
    check_failure(w, 500, DK_EINVAL);
    ASSERT_TRUE(fixture_appended(&w->f, 501) == NULL);
    ASSERT_EQ(dk_core_last(w->f.core), 2);
    dk_buf_close(&frame);
}

static void test_core_expected_versions_are_per_event(void **state)
{
    struct world *w = *state;
    add_note(w);
    w->events.expected[0] = 1;
    add_note(w);
    w->events.expected[1] = 1;
    add_note(w);
    const Docket__Appended *appended = call(w, false);
    ASSERT_EQ(appended->accepted, 2);
    check_refusal(appended, 0, 1, DK_ECONFLICT, "expected_version");
}

/* A node's decisions of one request are made together; those of two are not. */
static void test_core_decisions_of_one_request_are_not_stale_to_each_other(void **state)
{
    struct world *w = *state;
    struct fixture_peer routing = fixture_peer(&w->f, DK_ROLE_ROUTING, 13);
    fixture_next(&w->events, &w->operator, FIXTURE_OPERATOR, test_id(DK_SUBJECT_GROUP, "desk"),
                 DK_KIND_GROUP_DEFINED, fixture_group("desk"));
    ASSERT_EQ(fixture_call(&w->f, &w->operator, & w->events, false)->accepted, 1);
    fixture_events_clear(&w->events);
    for (int i = 0; i < 2; i++) {
        fixture_next(&w->events, &routing, FIXTURE_ROUTING, FIXTURE_TICKET(1), DK_KIND_ROUTED,
                     fixture_routed(2, "desk"));
    }
    ASSERT_EQ(fixture_call(&w->f, &routing, &w->events, false)->accepted, 2);
    fixture_events_clear(&w->events);
    fixture_next(&w->events, &routing, FIXTURE_ROUTING, FIXTURE_TICKET(1), DK_KIND_ROUTED,
                 fixture_routed(2, "desk"));
    check_refusal(fixture_call(&w->f, &routing, &w->events, false), 0, 0, DK_ESTALE, "decision");
}

/* -------------------------------------------------------------------------- clock and space */

static void accept_step(struct world *w, struct fixture_peer *peer, int64_t step_us)
{
    Docket__ClockStepAccepted *body = test_memory(sizeof *body);
    docket__clock_step_accepted__init(body);
    body->step_us = step_us;
    fixture_events_clear(&w->events);
    fixture_next(&w->events, peer, FIXTURE_OPERATOR, dk_id_make(DK_SUBJECT_BROKER, FIXTURE_SITE),
                 DK_KIND_CLOCK_STEP_ACCEPTED, body);
}

static void test_core_clock_step_stops_appends_until_accepted(void **state)
{
    struct world *w = *state;
    struct dk_core_stats stats;
    accept_step(w, &w->operator, 0);
    check_refusal(fixture_call(&w->f, &w->operator, & w->events, false), 0, 0, DK_EILLEGAL, "kind");

    w->f.now.wall_us -= DK_HOUR_US;
    fixture_events_clear(&w->events);
    add_note(w);
    check_failure(w, fixture_append(&w->f, &w->agent, &w->events, false), DK_ECLOCK);
    dk_core_stats(w->f.core, &stats);
    ASSERT_TRUE(!stats.accepting && stats.why_not != NULL);
    ASSERT_EQ(dk_core_time_us(w->f.core, w->f.now), FIXTURE_NOW);

    accept_step(w, &w->operator, DK_HOUR_US); /* not the step that it made */
    check_refusal(fixture_call(&w->f, &w->operator, & w->events, false), 0, 0, DK_ECONFLICT,
                  "clock_step_accepted.step_us");
    fixture_events_clear(&w->events);
    w->agent.number--; /* the stopped clock used up no number */
    add_note(w);
    check_failure(w, fixture_append(&w->f, &w->agent, &w->events, false), DK_ECLOCK);

    accept_step(w, &w->operator, - DK_HOUR_US);
    ASSERT_EQ(fixture_call(&w->f, &w->operator, & w->events, false)->position, 3);
    size_t bytes;
    const uint8_t *record = memory_store_record(&w->f.memory, 3, &bytes);
    ASSERT_EQ(dk_event_load_recorded_us(record), FIXTURE_NOW + 1);
    w->agent.number--;
    fixture_events_clear(&w->events);
    add_note(w);
    add_note(w);
    ASSERT_EQ(call(w, false)->accepted, 2);
    record = memory_store_record(&w->f.memory, 5, &bytes);
    ASSERT_EQ(dk_event_load_recorded_us(record), FIXTURE_NOW + 3); /* 1 us an event */
}

static void test_core_clock_that_agrees_again_goes_on(void **state)
{
    struct world *w = *state;
    w->f.now.wall_us += DK_DAY_US;
    add_note(w);
    check_failure(w, fixture_append(&w->f, &w->agent, &w->events, false), DK_ECLOCK);
    w->f.now.wall_us -= DK_DAY_US;
    w->agent.number--;
    fixture_events_clear(&w->events);
    add_note(w);
    ASSERT_EQ(call(w, false)->accepted, 1);
}

static void test_core_without_space_only_appends_are_refused(void **state)
{
    struct world *w = *state;
    struct dk_core_stats stats;
    dk_core_set_space(w->f.core, false);
    add_note(w);
    check_failure(w, fixture_append(&w->f, &w->agent, &w->events, false), DK_ENOSPACE);
    dk_core_stats(w->f.core, &stats);
    ASSERT_TRUE(!stats.accepting);
    fixture_hello(&w->f, &w->agent, "main");
    dk_core_set_space(w->f.core, true);
    dk_core_stats(w->f.core, &stats);
    ASSERT_TRUE(stats.accepting && stats.why_not == NULL);
    ASSERT_EQ(call(w, false)->accepted, 1); /* the same event, the same number */
}

/* ---------------------------------------------------------------------------------- bounds */

static void test_core_is_full_before_anything_is_lost(void **state)
{
    struct world *w = *state;
    size_t sent = 0;
    for (size_t i = 0; i < DK_REQUEST_MAX_EVENTS; i++) {
        add_note(w);
    }
    while (!dk_core_full(w->f.core)) {
        fixture_append(&w->f, &w->agent, &w->events, false);
        sent++;
        for (size_t i = 0, at = 0; i < w->events.count; at = w->events.end[i++]) {
            uint8_t *record = w->events.buf.data + at;
            dk_stamp_producer_number(record, dk_event_load_producer_number(record) + 1000);
        }
    }
    ASSERT_EQ(w->f.replies, 0);
    ASSERT_TRUE(sent >= 10);
    uint64_t id;
    do { /* a driver that reads on is told to come again */
        id = fixture_append(&w->f, &w->agent, &w->events, false);
    } while (w->f.replies == 0 && sent++ < 100);
    check_failure(w, id, DK_EBUSY);
    fixture_forget(&w->f);
    fixture_settle(&w->f);
    ASSERT_TRUE(!dk_core_full(w->f.core));
    struct dk_core_stats stats;
    dk_core_stats(w->f.core, &stats);
    ASSERT_EQ(stats.accepted, dk_core_durable(w->f.core));
    ASSERT_EQ(stats.commits, 3);
    ASSERT_TRUE(stats.memory_bytes > 8 * 1024 * 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_core_hello_tells_the_log_and_the_last_number),
        CASE(test_core_hello_of_a_reader_gives_no_producer_and_no_salt),
        CASE(test_core_hello_waits_for_the_number_it_tells),
        CASE(test_core_hello_names_have_a_length),
        CASE(test_core_sessions_are_needed_and_fenced),
        CASE(test_core_answers_when_durable_and_one_reply_a_connection),
        CASE(test_core_refusals_wait_for_what_they_were_judged_against),
        CASE(test_core_answers_per_event_in_order),
        CASE(test_core_tickets_are_named_by_their_place_in_the_request),
        CASE(test_core_disconnected_peers_get_nothing),
        CASE(test_core_serves_head_and_ticket_state),
        CASE(test_core_malformed_appends_fail_at_once),
        CASE(test_core_records_not_canonical_use_up_no_number),
        CASE(test_core_records_have_a_largest_size),
        CASE(test_core_appends_of_one_message_are_answered_each),
        CASE(test_core_malformed_list_is_refused_as_a_whole),
        CASE(test_core_expected_versions_are_per_event),
        CASE(test_core_decisions_of_one_request_are_not_stale_to_each_other),
        CASE(test_core_clock_step_stops_appends_until_accepted),
        CASE(test_core_clock_that_agrees_again_goes_on),
        CASE(test_core_without_space_only_appends_are_refused),
        CASE(test_core_is_full_before_anything_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
