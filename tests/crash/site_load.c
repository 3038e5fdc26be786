/* site_load CONFIG NAME SEED EVENTS_A_SECOND OUT: acts on tickets of a running site as its agent
 * "agent-0" and the producer NAME under the agent's key, with up to 64 requests under way, until
 * SIGTERM; then waits for the answers that are missing and ends with 0. The broker may be killed
 * and started at any moment: what was not answered is sent again under the same numbers.
 *
 * Every event says "NAME SEQUENCE" in its text. OUT gets a line for each answer:
 *   A SEQUENCE NUMBER POSITION    accepted; 0: accepted, position not known any more
 *   R SEQUENCE NAME-OF-CODE       refused
 * Some events are wrong on purpose, some requests are atomic pairs. */
#include "proto/base/buf.h"
#include "proto/base/time.h"
#include "proto/event/body.h"
#include "proto/peer/client.h"
#include "tests/lib/bodies.h"
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define WINDOW      64
#define EVENTS_MAX  2 /* of a request */
#define TICKETS_MAX 200
#define HELLO_MS    200 /* without an answer: is it still the same broker? */
#define ENDS_MS     30000

#define AGENT         "agent-0"
#define PRODUCT       "load-product"
#define WRONG_VERSION 999999

#define UNSENT 0 /* a request's id, instead of one: to be sent (again); answered */
#define DONE   UINT64_MAX

struct request {
    uint64_t id;
    uint64_t sequence, number; /* of its first event */
    size_t count;
    bool atomic;
    uint32_t expected_version[EVENTS_MAX];
    struct dk_buf events;
    size_t end[EVENTS_MAX];
};

struct load {
    struct dk_client *client;
    struct test_random random;
    const char *name;
    FILE *out;
    struct dk_session session;
    bool in_session;
    uint64_t hello_id;
    int64_t heard_us, hello_us;
    struct request request[WINDOW]; /* [first .. first + count), in the order of their numbers */
    size_t first, count;
    uint64_t sequence;
    uint64_t last_number;
    uint64_t ticket[TICKETS_MAX];
    size_t tickets;
};

static volatile sig_atomic_t ending;

static void on_term(int signal)
{
    (void)signal;
    ending = 1;
}

static void die(const char *what, const struct dk_err *err)
{
    (void)fprintf(stderr, "site_load: %s: %s\n", what, err->message);
    exit(1);
}

static struct request *request_at(struct load *load, size_t i)
{
    return &load->request[(load->first + i) % WINDOW];
}

/* ---------------------------------------------------------------- what to do */

static void add_event(struct load *load, struct request *request, uint64_t ticket, uint32_t kind)
{
    char words[64];
    int length = snprintf(words, sizeof words, "%s %" PRIu64, load->name, load->sequence++);
    Docket__Text text = DOCKET__TEXT__INIT;
    Docket__Opened opened = DOCKET__OPENED__INIT;
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;
    Docket__StatusChanged status = DOCKET__STATUS_CHANGED__INIT;
    Docket__Rated rated = DOCKET__RATED__INIT;
    uint64_t agent = dk_id_of_key(DK_SUBJECT_AGENT, AGENT, strlen(AGENT), NULL);
    struct dk_envelope envelope = {.subject = ticket, .actor = dk_id_make(DK_ACTOR_AGENT, agent)};
    text.has_plain = 1;
    text.plain = (ProtobufCBinaryData){(size_t)length, (uint8_t *)words};
    opened.subject = note.text = status.code = rated.comment = &text;
    opened.has_product = opened.has_priority = 1;
    opened.product = dk_id_of_key(DK_SUBJECT_PRODUCT, PRODUCT, strlen(PRODUCT), NULL);
    opened.priority = (Docket__Priority)(1 + test_random_below(&load->random, 4));
    status.status = DOCKET__STATUS__STATUS_SOLVED;
    rated.has_csat = 1;
    rated.csat = 5;
    const ProtobufCMessage *body = kind == DK_KIND_OPENED           ? &opened.base
                                   : kind == DK_KIND_STATUS_CHANGED ? &status.base
                                   : kind == DK_KIND_RATED          ? &rated.base
                                                                    : &note.base;
    DK_ASSERT(dk_event_encode(&request->events, &envelope, kind, body, NULL) == 0);
    request->end[request->count] = request->events.size;
    request->expected_version[request->count++] = 0;
}

static void make_request(struct load *load)
{
    struct request *request = request_at(load, load->count++);
    size_t chance = test_random_below(&load->random, 100);
    size_t which = load->tickets > 0 ? test_random_below(&load->random, load->tickets) : 0;
    uint64_t ticket = load->ticket[which];
    request->id = UNSENT;
    request->sequence = load->sequence;
    request->count = 0;
    request->atomic = false;
    dk_buf_clear(&request->events);
    if (load->tickets == 0 || (chance < 20 && load->tickets < TICKETS_MAX)) {
        add_event(load, request, dk_ticket_make(DK_SITE_MAX, 0), DK_KIND_OPENED);
    } else if (chance < 38) {
        add_event(load, request, ticket, DK_KIND_STATUS_CHANGED);
        load->ticket[which] = load->ticket[--load->tickets];
    } else if (chance < 45) {
        add_event(load, request, ticket, DK_KIND_RATED); /* not before it is solved */
    } else if (chance < 50) {
        add_event(load, request, ticket, DK_KIND_NOTE_ADDED);
        request->expected_version[0] = WRONG_VERSION;
    } else if (chance < 60) { /* together, and now and then none of them */
        add_event(load, request, ticket, DK_KIND_NOTE_ADDED);
        add_event(load, request, load->ticket[0], chance < 53 ? DK_KIND_RATED : DK_KIND_NOTE_ADDED);
        request->atomic = true;
    } else {
        add_event(load, request, ticket, DK_KIND_NOTE_ADDED);
    }
    request->number = load->last_number + 1;
    load->last_number += request->count;
}

/* ---------------------------------------------------------------- out */

static void send_request(struct load *load, struct request *request)
{
    struct dk_slice event[EVENTS_MAX];
    struct dk_err err = {0};
    size_t at = 0;
    for (size_t i = 0; i < request->count; i++) {
        uint8_t *record = request->events.data + at;
        event[i] = (struct dk_slice){record, request->end[i] - at};
        at = request->end[i];
        dk_stamp_producer(record, load->session.producer);
        dk_stamp_producer_number(record, request->number + i);
    }
    int rc = dk_client_send_append(load->client, event, request->expected_version, request->count,
                                   request->atomic, &request->id, &err);
    if (rc == DK_EBUSY) {
        request->id = UNSENT;
    } else if (rc != 0) {
        die("send", &err);
    }
}

static void send_all(struct load *load)
{
    for (size_t i = 0; load->in_session && i < load->count; i++) {
        if (request_at(load, i)->id == UNSENT) {
            send_request(load, request_at(load, i));
        }
    }
}

static void say_hello(struct load *load)
{
    Docket__Hello hello = DOCKET__HELLO__INIT;
    Docket__Request request = DOCKET__REQUEST__INIT;
    hello.name = (ProtobufCBinaryData){strlen(load->name), (uint8_t *)(uintptr_t)load->name};
    request.op_case = DOCKET__REQUEST__OP_HELLO;
    request.hello = &hello;
    load->in_session = false;
    load->hello_us = dk_clock_boot_us();
    if (dk_client_send(load->client, &request, &load->hello_id, NULL) != 0) {
        load->hello_id = 0;
    }
}

/* What is not answered is sent again: under its number when the broker has seen that, else under
 * the next one, for nothing beyond was accepted. */
static void on_hello(struct load *load, const Docket__HelloReply *hello)
{
    load->session.producer = hello->producer;
    load->session.last_number = load->last_number = hello->last_number;
    load->in_session = true;
    for (size_t i = 0; i < load->count; i++) {
        struct request *request = request_at(load, i);
        if (request->id == DONE) {
            continue;
        }
        request->id = UNSENT;
        if (request->number > hello->last_number) {
            request->number = load->last_number + 1;
            load->last_number += request->count;
        }
    }
}

/* ---------------------------------------------------------------- in */

static void write_answer(struct load *load, const struct request *request,
                         const Docket__Appended *appended)
{
    uint64_t position = appended->position;
    bool none = request->atomic && appended->n_refused > 0;
    for (size_t i = 0; i < request->count; i++) {
        const Docket__Refusal *refusal = NULL;
        for (size_t j = 0; j < appended->n_refused; j++) {
            refusal = none || appended->refused[j]->index == i ? appended->refused[j] : refusal;
        }
        if (refusal != NULL) {
            (void)fprintf(load->out, "R %" PRIu64 " %.*s\n", request->sequence + i,
                          (int)refusal->name.len, (const char *)refusal->name.data);
        } else {
            (void)fprintf(load->out, "A %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
                          request->sequence + i, request->number + i,
                          position != 0 ? position + i : 0);
        }
    }
    for (size_t i = 0; i < appended->n_opened && load->tickets < TICKETS_MAX; i++) {
        load->ticket[load->tickets++] = appended->opened[i];
    }
}

/* Whether it tells of the session, not of the events. A number that was refused before a restart
 * is out of order too, for ever. */
static bool is_of_session(const struct load *load, const struct request *request, int code)
{
    if (code == DK_EREUSED) {
        (void)fprintf(stderr, "site_load: number %" PRIu64 " was used before\n", request->number);
        exit(1);
    }
    return code == DK_EHELLO || code == DK_EFENCED ||
           (code == DK_EORDER && request->number > load->session.last_number);
}

/* Answers come in the order of the requests; one that is not of the window is of before. */
static void on_appended(struct load *load, const Docket__Appended *appended)
{
    size_t i = 0;
    while (i < load->count && request_at(load, i)->id != appended->request) {
        i++;
    }
    if (i == load->count) {
        return;
    }
    struct request *request = request_at(load, i);
    if (appended->n_refused > 0 && is_of_session(load, request, appended->refused[0]->code)) {
        say_hello(load);
        return;
    }
    write_answer(load, request, appended);
    request->id = DONE; /* leaves the window when it is the first */
    while (load->count > 0 && request_at(load, 0)->id == DONE) {
        load->first = (load->first + 1) % WINDOW;
        load->count--;
    }
}

static void receive_all(struct load *load, int timeout_ms)
{
    const Docket__Reply *reply = NULL;
    while (dk_client_receive(load->client, timeout_ms, &reply, NULL, NULL) == 0) {
        load->heard_us = dk_clock_boot_us();
        timeout_ms = 0;
        switch (reply->result_case) {
        case DOCKET__REPLY__RESULT_HELLO:
            if (reply->id == load->hello_id) {
                on_hello(load, reply->hello);
            }
            break;
        case DOCKET__REPLY__RESULT_APPENDED:
            for (size_t i = 0; i < reply->appended->n_appended; i++) {
                on_appended(load, reply->appended->appended[i]);
            }
            break;
        case DOCKET__REPLY__RESULT_FAILURE: load->in_session = false; break; /* full, or busy */
        default: break;
        }
    }
    (void)fflush(load->out);
}

/* ---------------------------------------------------------------- the loop */

static bool is_silent(const struct load *load)
{
    int64_t now_us = dk_clock_boot_us(), since_us = now_us - HELLO_MS * 1000;
    return (!load->in_session || load->count > 0) && load->heard_us < since_us &&
           load->hello_us < since_us;
}

static int run(struct load *load, double a_second)
{
    int64_t begun_us = dk_clock_boot_us(), ends_us = INT64_MAX;
    double made = 0;
    load->hello_us = load->heard_us = begun_us;
    say_hello(load);
    while ((!ending || load->count > 0) && dk_clock_boot_us() < ends_us) {
        double due = (double)(dk_clock_boot_us() - begun_us) / 1e6 * a_second;
        if (ending && ends_us == INT64_MAX) {
            ends_us = dk_clock_boot_us() + ENDS_MS * 1000;
        }
        made = due - made > WINDOW ? due - WINDOW : made; /* what was not done is not made up for */
        while (!ending && load->in_session && load->count < WINDOW && made < due) {
            make_request(load);
            made++;
        }
        if (is_silent(load)) {
            say_hello(load);
        }
        send_all(load);
        receive_all(load, 1);
    }
    return load->count == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    static struct load load;
    struct dk_config config;
    struct dk_err err = {0};
    if (argc != 6) {
        (void)fprintf(stderr, "usage: site_load CONFIG NAME SEED EVENTS_A_SECOND OUT\n");
        return 2;
    }
    (void)signal(SIGTERM, on_term);
    (void)signal(SIGPIPE, SIG_IGN);
    load.name = argv[2];
    load.random.state = strtoull(argv[3], NULL, 10);
    load.out = fopen(argv[5], "a");
    for (size_t i = 0; i < WINDOW; i++) {
        dk_buf_init(&load.request[i].events, 65536);
    }
    void *zmq = zmq_ctx_new();
    DK_ASSERT(load.out != NULL && zmq != NULL);
    if (dk_config_load(&config, argv[1], &err) != 0 ||
        dk_client_open(&load.client, zmq, &config, "agent", &err) != 0) {
        die("open", &err);
    }
    int rc = run(&load, strtod(argv[4], NULL));
    if (rc != 0) {
        (void)fprintf(stderr, "site_load: %zu requests without an answer\n", load.count);
    }
    for (size_t i = 0; i < WINDOW; i++) {
        dk_buf_close(&load.request[i].events);
    }
    dk_client_close(&load.client);
    (void)zmq_ctx_term(zmq);
    return fclose(load.out) == 0 ? rc : 1;
}
