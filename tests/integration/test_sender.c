#include "replay/import/sender.h"

#include "docket.pb-c.h"
#include "proto/base/id.h"
#include "proto/event/body.h"
#include "proto/peer/socket.h"
#include "proto/peer/zap.h"
#include "tests/lib/assert.h"
#include "tests/lib/folder.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

#define STEPS_MAX 16

/* What the broker in the test answers to one request, and says at the next Hello. */
struct step {
    int code; /* 0: accepted; else its event `index` is refused; or, `whole`, all of it */
    uint32_t index;
    bool whole;
    uint64_t last_number;
};

/* A request that waits for its answer. */
struct asked {
    zmq_msg_t peer;
    uint64_t id;
    size_t count;
    size_t opened;
    struct step step;
};
#define PARCELS 3 /* that are sent in all; no answer goes out before all of them are there */

/* A broker that does what a script says, and writes down what it was sent: "H" for a Hello, "1-3"
 * for an Append with the numbers 1 to 3. */
struct fake {
    struct test_folder folder;
    struct dk_config config;
    struct dk_key key;
    void *zmq;
    void *router;
    struct dk_zap *zap;
    pthread_t thread;
    int pipe[2]; /* ends the thread */
    struct step step[STEPS_MAX];
    size_t step_count, at;
    struct asked asked[PARCELS];
    size_t asked_count;
    uint64_t last_number;
    uint8_t uuid[16];
    uint64_t opened;
    char seen[512];
};

static void note(struct fake *fake, const char *what)
{
    size_t used = strlen(fake->seen);
    (void)snprintf(fake->seen + used, sizeof fake->seen - used, "%s%s", used > 0 ? " " : "", what);
}

static void answer(struct fake *fake, zmq_msg_t *peer, const Docket__Reply *reply)
{
    uint8_t frame[16384];
    ASSERT_TRUE(docket__reply__get_packed_size(reply) <= sizeof frame);
    size_t bytes = docket__reply__pack(reply, frame);
    if (zmq_msg_send(peer, fake->router, ZMQ_SNDMORE) >= 0) { /* else it has hung up */
        ASSERT_TRUE(zmq_send(fake->router, frame, bytes, 0) >= 0);
    }
}

static void answer_hello(struct fake *fake, zmq_msg_t *peer, uint64_t id)
{
    uint8_t salt[DK_SALT_BYTES] = {1};
    Docket__HelloReply hello = DOCKET__HELLO_REPLY__INIT;
    Docket__Reply reply = DOCKET__REPLY__INIT;
    hello.producer = 42;
    hello.last_number = fake->last_number;
    hello.log_uuid = (ProtobufCBinaryData){sizeof fake->uuid, fake->uuid};
    hello.salt = (ProtobufCBinaryData){sizeof salt, salt};
    reply.id = id;
    reply.result_case = DOCKET__REPLY__RESULT_HELLO;
    reply.hello = &hello;
    note(fake, "H");
    answer(fake, peer, &reply);
}

static ProtobufCBinaryData bytes_of(const char *text)
{
    return (ProtobufCBinaryData){strlen(text), (uint8_t *)(uintptr_t)text};
}

static void answer_failure(struct fake *fake, zmq_msg_t *peer, uint64_t id, int code)
{
    Docket__Failure failure = DOCKET__FAILURE__INIT;
    Docket__Reply reply = DOCKET__REPLY__INIT;
    failure.code = code;
    failure.name = bytes_of(dk_code_name(code));
    failure.sentence = bytes_of("not now");
    reply.id = id;
    reply.result_case = DOCKET__REPLY__RESULT_FAILURE;
    reply.failure = &failure;
    answer(fake, peer, &reply);
}

static void answer_append(struct fake *fake, struct asked *asked)
{
    uint64_t opened[16];
    const struct step *step = &asked->step;
    Docket__Refusal refusal = DOCKET__REFUSAL__INIT, *refusals[] = {&refusal};
    Docket__Appended appended = DOCKET__APPENDED__INIT, *list[] = {&appended};
    Docket__AppendedList all = DOCKET__APPENDED_LIST__INIT;
    Docket__Reply reply = DOCKET__REPLY__INIT;
    appended.request = asked->id;
    if (step->code != 0) {
        refusal.index = step->index;
        refusal.code = step->code;
        refusal.name = bytes_of(dk_code_name(step->code));
        refusal.sentence = bytes_of("it does not fit");
        appended.n_refused = 1;
        appended.refused = refusals;
    } else {
        appended.accepted = (uint32_t)asked->count;
        appended.opened = opened;
        while (appended.n_opened < asked->opened) {
            opened[appended.n_opened++] = dk_ticket_make(1, ++fake->opened);
        }
    }
    all.n_appended = 1;
    all.appended = list;
    reply.result_case = DOCKET__REPLY__RESULT_APPENDED;
    reply.appended = &all;
    answer(fake, &asked->peer, &reply);
}

static void answer_asked(struct fake *fake, struct asked *asked)
{
    if (asked->step.whole) {
        answer_failure(fake, &asked->peer, asked->id, asked->step.code);
    } else {
        answer_append(fake, asked);
    }
    (void)zmq_msg_close(&asked->peer);
}

static void serve_append(struct fake *fake, zmq_msg_t *peer, const struct dk_request *request)
{
    static _Thread_local struct dk_append append;
    struct asked asked = {.id = request->id};
    struct dk_err err;
    char numbers[64];
    ASSERT_OK(dk_append_read(request->body, &append, &err), &err);
    ASSERT_TRUE(append.atomic);
    uint64_t first = dk_event_load_producer_number(append.event[0].data);
    (void)snprintf(numbers, sizeof numbers, "%llu-%llu", (unsigned long long)first,
                   (unsigned long long)(first + append.count - 1));
    note(fake, numbers);
    asked.count = append.count;
    for (size_t i = 0; i < append.count; i++) {
        asked.opened += dk_event_load_kind(append.event[i].data) == DK_KIND_OPENED;
    }
    if (fake->at < fake->step_count) {
        asked.step = fake->step[fake->at++];
    }
    fake->last_number = asked.step.last_number != 0 ? asked.step.last_number : fake->last_number;
    (void)zmq_msg_init(&asked.peer);
    (void)zmq_msg_move(&asked.peer, peer);
    if (fake->asked_count == PARCELS) {
        answer_asked(fake, &asked);
        return;
    }
    fake->asked[fake->asked_count++] = asked;
    for (size_t i = 0; fake->asked_count == PARCELS && i < PARCELS; i++) {
        answer_asked(fake, &fake->asked[i]);
    }
}

static void serve(struct fake *fake)
{
    zmq_msg_t peer, payload;
    struct dk_request request;
    struct dk_err err;
    (void)zmq_msg_init(&peer);
    (void)zmq_msg_init(&payload);
    ASSERT_TRUE(zmq_msg_recv(&peer, fake->router, 0) >= 0);
    ASSERT_TRUE(zmq_msg_recv(&payload, fake->router, 0) >= 0);
    ASSERT_OK(dk_request_read(zmq_msg_data(&payload), zmq_msg_size(&payload), &request, &err),
              &err);
    if (request.op == DK_OP_HELLO) {
        answer_hello(fake, &peer, request.id);
    } else {
        serve_append(fake, &peer, &request);
    }
    (void)zmq_msg_close(&peer);
    (void)zmq_msg_close(&payload);
}

static void *run_fake(void *arg)
{
    struct fake *fake = arg;
    zmq_pollitem_t wait[] = {{fake->router, 0, ZMQ_POLLIN, 0},
                             {NULL, fake->pipe[0], ZMQ_POLLIN, 0}};
    while (zmq_poll(wait, 2, -1) >= 0 && wait[1].revents == 0) {
        serve(fake);
    }
    (void)zmq_close(fake->router);
    return NULL;
}

static void fake_start(struct fake *fake, const struct step *step, size_t step_count)
{
    struct dk_err err;
    memset(fake, 0, sizeof *fake);
    test_folder_make(&fake->folder);
    ASSERT_OK(dk_config_write(fake->folder.path, 1, &err), &err);
    ASSERT_OK(dk_config_load(&fake->config, fake->folder.path, &err), &err);
    ASSERT_OK(dk_keys_init(fake->config.keys, &err), &err);
    ASSERT_OK(dk_key_load(&fake->key, fake->config.keys, "broker", &err), &err);
    memcpy(fake->step, step, step_count * sizeof *step);
    fake->step_count = step_count;
    fake->zmq = zmq_ctx_new();
    ASSERT_OK(dk_zap_start(&fake->zap, fake->zmq, fake->config.keys, &err), &err);
    fake->router = dk_socket_bind(fake->zmq, ZMQ_ROUTER, &fake->config.request, DK_ZAP_DOMAIN,
                                  &fake->key, DK_FRAME_MAX_BYTES, 0, &err);
    ASSERT_TRUE(fake->router != NULL);
    ASSERT_EQ(pipe(fake->pipe), 0);
    ASSERT_EQ(pthread_create(&fake->thread, NULL, run_fake, fake), 0);
}

/* Ends it; then what it has seen may be looked at. */
static void fake_stop(struct fake *fake)
{
    ASSERT_EQ(write(fake->pipe[1], "", 1), 1);
    ASSERT_EQ(pthread_join(fake->thread, NULL), 0);
    (void)zmq_ctx_shutdown(fake->zmq);
    dk_zap_stop(&fake->zap);
    (void)zmq_ctx_term(fake->zmq);
    (void)close(fake->pipe[0]);
    (void)close(fake->pipe[1]);
    test_folder_remove(&fake->folder);
}

/* ------------------------------------------------------------------------------ the sender's side
 */

struct owner {
    uint64_t ticket[8]; /* by case */
    struct dk_parcel_event refused;
    size_t dropped;
    int why;
};

static void on_opened(void *arg, uint64_t case_id, uint64_t ticket)
{
    struct owner *owner = arg;
    owner->ticket[case_id] = ticket;
}

static void on_refused(void *arg, const struct dk_parcel_event *event, size_t dropped,
                       const struct dk_err *why)
{
    struct owner *owner = arg;
    owner->refused = *event;
    owner->dropped = dropped;
    owner->why = why->code;
}

static void on_note(void *arg, const char *text)
{
    (void)arg;
    (void)text;
}

static bool stopped(void *arg)
{
    (void)arg;
    return false;
}

static void add(struct dk_sender *sender, uint64_t case_id, uint32_t kind, uint64_t row)
{
    Docket__Opened opened = DOCKET__OPENED__INIT;
    Docket__NoteAdded added = DOCKET__NOTE_ADDED__INIT;
    Docket__Text text = DOCKET__TEXT__INIT;
    struct dk_envelope envelope = {0};
    struct dk_buf record;
    text.has_plain = 1;
    text.plain = (ProtobufCBinaryData){1, (uint8_t *)"x"};
    opened.subject = added.text = &text;
    dk_buf_init(&record, 4096);
    ASSERT_EQ(dk_event_encode(&record, &envelope, kind,
                              kind == DK_KIND_OPENED ? &opened.base : &added.base, NULL),
              0);
    struct dk_parcel_event event = {
        .case_id = case_id, .number = row, .bytes = (uint32_t)record.size};
    dk_parcel_add(dk_sender_parcel(sender), &event, record.data, 0);
    dk_buf_close(&record);
}

/* Three parcels: cases 1 and 2 with two events each, case 3 with two, case 4 with one. */
static int send_all(struct dk_sender *sender, struct dk_err *err)
{
    int rc = 0;
    for (uint64_t case_id = 1; rc == 0 && case_id <= 4; case_id++) {
        add(sender, case_id, DK_KIND_OPENED, 10 * case_id);
        if (case_id < 4) {
            add(sender, case_id, DK_KIND_NOTE_ADDED, 10 * case_id + 1);
        }
        rc = case_id == 1 ? 0 : dk_sender_flush(sender, err);
    }
    return rc != 0 ? rc : dk_sender_drain(sender, err);
}

/* Sends the three parcels to a broker with this script. */
static int run(const struct step *step, size_t step_count, const char *seen, struct owner *owner)
{
    struct fake *fake = calloc(1, sizeof *fake);
    struct dk_sender *sender = NULL;
    const struct dk_sender_owner calls = {owner, on_opened, on_refused, on_note, stopped};
    struct dk_err err;
    void *zmq = zmq_ctx_new();
    memset(owner, 0, sizeof *owner);
    fake_start(fake, step, step_count);
    ASSERT_OK(dk_sender_new(&sender, zmq, &fake->config, "desk", &calls, &err), &err);
    int rc = send_all(sender, &err);
    ASSERT_EQ(dk_sender_accepted(sender), rc == 0 ? 7 - owner->dropped : 0);
    dk_sender_free(&sender);
    (void)zmq_ctx_term(zmq);
    fake_stop(fake);
    ASSERT_STR(fake->seen, seen);
    free(fake);
    return rc;
}

#define RUN(seen, owner, ...)                                                                      \
    run((const struct step[]){__VA_ARGS__},                                                        \
        sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step), seen, owner)

static void test_sender_learns_the_tickets(void **state)
{
    (void)state;
    struct owner owner;
    ASSERT_EQ(RUN("H 1-4 5-6 7-7", &owner, {0}), 0);
    for (uint64_t i = 1; i <= 4; i++) {
        ASSERT_EQ(owner.ticket[i], dk_ticket_make(1, i));
    }
}

/* The case at fault stays out, whole where its Opened is refused; all else goes, under new numbers.
 */
static void test_sender_sends_the_rest_of_a_refused_parcel(void **state)
{
    (void)state;
    struct owner owner;
    ASSERT_EQ(RUN("H 1-4 5-6 7-7 8-9", &owner, {.code = DK_ETIME, .index = 2}), 0);
    ASSERT_EQ(owner.refused.number, 20);
    ASSERT_EQ(owner.dropped, 2);
    ASSERT_EQ(owner.why, DK_ETIME);
    ASSERT_EQ(owner.ticket[2], 0);
    ASSERT_TRUE(owner.ticket[1] != 0 && owner.ticket[3] != 0 && owner.ticket[4] != 0);

    ASSERT_EQ(RUN("H 1-4 5-6 7-7 8-10", &owner, {.code = DK_ETIME, .index = 3}), 0);
    ASSERT_EQ(owner.refused.number, 21);
    ASSERT_EQ(owner.dropped, 1);
    ASSERT_TRUE(owner.ticket[2] != 0);

    ASSERT_EQ(RUN("H 1-4 5-6 7-7", &owner, {0}, {0}, {.code = DK_ETIME}), 0);
    ASSERT_EQ(owner.dropped, 1); /* and nothing is left of that parcel */
    ASSERT_EQ(owner.ticket[4], 0);
}

/* After a broken connection: what the broker has seen goes under the same numbers, all else follows
 * the last number that it has seen. */
static void test_sender_resumes_by_the_last_number(void **state)
{
    (void)state;
    struct owner owner;
    ASSERT_EQ(RUN("H 1-4 5-6 7-7 H 1-4 5-6 7-7", &owner, {.code = DK_EHELLO}, {.code = DK_EHELLO},
                  {.code = DK_EHELLO}),
              0);
    ASSERT_EQ(RUN("H 1-4 5-6 7-7 H 1-4 5-6 7-7", &owner, {.code = DK_EHELLO, .last_number = 4},
                  {.code = DK_EHELLO, .last_number = 4}, {.code = DK_EHELLO, .last_number = 4}),
              0);
    ASSERT_EQ(owner.ticket[4], dk_ticket_make(1, 4));
}

/* A refusal that a restarted broker has forgotten: the parcel's numbers are used up. */
static void test_sender_renumbers_what_was_refused_and_forgotten(void **state)
{
    (void)state;
    struct owner owner;
    ASSERT_EQ(RUN("H 1-4 5-6 7-7 H 1-4 5-6 7-7 8-11", &owner, {.code = DK_EHELLO, .last_number = 7},
                  {.code = DK_EHELLO, .last_number = 7}, {.code = DK_EHELLO, .last_number = 7},
                  {.code = DK_EORDER}),
              0);
    ASSERT_TRUE(owner.ticket[1] != 0 && owner.ticket[2] != 0);
}

static void test_sender_waits_while_the_broker_has_no_room(void **state)
{
    (void)state;
    struct owner owner;
    ASSERT_EQ(RUN("H 1-4 5-6 7-7 H 1-4 5-6 7-7", &owner, {.code = DK_ENOSPACE, .whole = true},
                  {.code = DK_EORDER}, {.code = DK_EORDER}),
              0);
    ASSERT_EQ(RUN("H 1-4 5-6 7-7 H 1-4 5-6 7-7", &owner, {.code = DK_EBUSY, .whole = true},
                  {.code = DK_EORDER}, {.code = DK_EORDER}),
              0);
}

static void test_sender_ends_where_it_must(void **state)
{
    (void)state;
    struct owner owner;
    ASSERT_CODE(RUN("H 1-4 5-6 7-7", &owner, {.code = DK_EFENCED}, {.code = DK_EFENCED},
                    {.code = DK_EFENCED}),
                DK_EFENCED);
    ASSERT_CODE(RUN("H 1-4 5-6 7-7", &owner, {.code = DK_EREUSED}, {.code = DK_EREUSED},
                    {.code = DK_EREUSED}),
                DK_EREUSED);
    ASSERT_CODE(RUN("H 1-4 5-6 7-7", &owner, {.code = DK_EACCES, .whole = true},
                    {.code = DK_EACCES, .whole = true}, {.code = DK_EACCES, .whole = true}),
                DK_EACCES);
    /* Numbers that this session did not send: another import has had the lease. */
    ASSERT_CODE(RUN("H 1-4 5-6 7-7 H", &owner, {.code = DK_EHELLO, .last_number = 8},
                    {.code = DK_EHELLO, .last_number = 8}, {.code = DK_EHELLO, .last_number = 8}),
                DK_EFENCED);
}

static void test_sender_says_that_no_broker_is_there(void **state)
{
    (void)state;
    struct test_folder folder;
    struct dk_config config;
    struct dk_sender *sender = NULL;
    struct owner owner;
    const struct dk_sender_owner calls = {&owner, on_opened, on_refused, on_note, stopped};
    struct dk_err err;
    void *zmq = zmq_ctx_new();
    test_folder_make(&folder);
    ASSERT_OK(dk_config_write(folder.path, 1, &err), &err);
    ASSERT_OK(dk_config_load(&config, folder.path, &err), &err);
    ASSERT_CODE(dk_sender_new(&sender, zmq, &config, "desk", &calls, &err), DK_ENOTFOUND);
    ASSERT_TRUE(sender == NULL);
    (void)zmq_ctx_term(zmq);
    test_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sender_learns_the_tickets),
        cmocka_unit_test(test_sender_sends_the_rest_of_a_refused_parcel),
        cmocka_unit_test(test_sender_resumes_by_the_last_number),
        cmocka_unit_test(test_sender_renumbers_what_was_refused_and_forgotten),
        cmocka_unit_test(test_sender_waits_while_the_broker_has_no_room),
        cmocka_unit_test(test_sender_ends_where_it_must),
        cmocka_unit_test(test_sender_says_that_no_broker_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
