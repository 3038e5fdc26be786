#include "tests/sim/client.h"

#include "proto/base/id.h"
#include "proto/base/limits.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEAT_US    (SIM_SECOND_US / 4)
#define HELLO_US   SIM_SECOND_US
#define SILENCE_US (3 * SIM_SECOND_US)
#define WINDOW     4 /* numbered requests unanswered at a time */

/* ---------------------------------------------------------------- requests */

struct sim_request *sim_request_new(bool atomic, bool one_shot, struct sim_scene *scene)
{
    struct sim_request *request = calloc(1, sizeof *request);
    DK_ASSERT(request != NULL);
    dk_buf_init(&request->events, DK_REQUEST_MAX_BYTES);
    request->atomic = atomic;
    if (one_shot) {
        request->one_shot[0] = test_random_next(&scene->random) | 1;
        request->one_shot[1] = test_random_next(&scene->random) | 1;
    }
    return request;
}

static void free_request(struct sim_request *request)
{
    dk_buf_close(&request->events);
    free(request);
}

void sim_request_add(struct sim_client *client, struct sim_request *request, uint64_t actor,
                     uint64_t subject, uint32_t kind, const void *body, int64_t occurred_us,
                     uint32_t expected_version)
{
    struct dk_envelope envelope = {
        .subject = subject,
        .actor = actor,
        .occurred_us = occurred_us,
        .producer = request->one_shot[0],
        .producer_number = request->one_shot[1],
        .flags = request->one_shot[0] != 0 ? DOCKET__EVENT_FLAG__FLAG_ONE_SHOT : 0,
    };
    struct dk_err err;
    size_t i = request->count++, at = request->events.size;
    DK_ASSERT(request->count <= SIM_REQUEST_EVENTS);
    int rc = dk_event_encode(&request->events, &envelope, kind, body, &err);
    DK_ASSERT(rc == 0);
    request->end[i] = request->events.size;
    request->expected[i] = expected_version;
    request->action[i] = sim_ledger_add(client->ledger, request->events.data + at,
                                        request->events.size - at, expected_version);
}

static void number(struct sim_client *client, struct sim_request *request, uint64_t first)
{
    size_t at = 0;
    request->first_number = first;
    for (size_t i = 0; i < request->count; i++) {
        dk_stamp_producer(request->events.data + at, client->producer);
        dk_stamp_producer_number(request->events.data + at, first + i);
        at = request->end[i];
    }
}

static void transmit(struct sim_client *client, struct sim_request *request)
{
    struct dk_slice slice[SIM_REQUEST_EVENTS];
    struct dk_buf frame;
    size_t at = 0;
    for (size_t i = 0; i < request->count; i++) {
        slice[i] = (struct dk_slice){request->events.data + at, request->end[i] - at};
        at = request->end[i];
    }
    request->id = ++client->last_request;
    request->sent_us = client->scene->now_us;
    request->sendings++;
    dk_buf_init(&frame, DK_FRAME_MAX_BYTES);
    int rc = dk_append_write(&frame, request->id, slice, request->expected, request->count,
                             request->atomic);
    DK_ASSERT(rc == 0);
    sim_trace(client->scene,
              "%s: sends action %zu (%s, %zu events) as request %" PRIu64 ", number %" PRIu64,
              client->link.name, request->action[0],
              dk_kind_info(client->ledger->action[request->action[0]].kind)->word, request->count,
              request->id, request->first_number);
    sim_link_send(&client->link, frame.data, frame.size);
    dk_buf_close(&frame);
}

/* Sends what is due: numbered requests in order, as far as the window allows. */
static void pump(struct sim_client *client)
{
    size_t window = client->in_session ? WINDOW : 0;
    for (size_t i = 0; i < client->queued; i++) {
        struct sim_request *request = client->queue[i];
        bool one_shot = request->one_shot[0] != 0;
        bool due = request->id == 0 && client->scene->now_us >= request->not_before_us;
        if (one_shot && due) {
            transmit(client, request);
        }
        if (one_shot || window == 0) {
            continue;
        }
        window--;
        if (due) {
            if (request->first_number == 0) {
                number(client, request, client->next_number);
            }
            uint64_t after = request->first_number + request->count;
            client->next_number = after > client->next_number ? after : client->next_number;
            transmit(client, request);
        }
    }
}

bool sim_client_room(const struct sim_client *client)
{
    return client->queued < SIM_QUEUE_MAX;
}

void sim_client_send(struct sim_client *client, struct sim_request *request)
{
    DK_ASSERT(sim_client_room(client));
    client->queue[client->queued++] = request;
    pump(client);
}

/* ---------------------------------------------------------------- session */

static void say_hello(struct sim_client *client)
{
    Docket__Hello hello = DOCKET__HELLO__INIT;
    Docket__Request request = DOCKET__REQUEST__INIT;
    uint8_t frame[256];
    hello.name = sim_bytes(client->ledger, "%s", client->link.name);
    request.id = client->hello_request = ++client->last_request;
    request.protocol = DK_PROTOCOL;
    request.op_case = DOCKET__REQUEST__OP_HELLO;
    request.hello = &hello;
    client->in_session = false;
    client->hello_us = client->scene->now_us;
    sim_trace(client->scene, "%s: says hello", client->link.name);
    sim_link_send(&client->link, frame, docket__request__pack(&request, frame));
}

/* What the broker has seen, in part even, keeps its numbers; the rest gets new ones. */
static void keep_numbers(struct sim_client *client, struct sim_request *request)
{
    uint64_t after = request->first_number + request->count;
    if (request->first_number > client->last_at_hello) {
        request->first_number = 0;
    } else if (request->first_number != 0 && after > client->next_number) {
        client->next_number = after;
    }
}

static void on_hello(struct sim_client *client, const Docket__HelloReply *hello)
{
    sim_trace(client->scene, "%s: in session, last number %" PRIu64, client->link.name,
              hello->last_number);
    client->hello_request = 0;
    client->in_session = true;
    client->producer = hello->producer;
    client->last_at_hello = hello->last_number;
    client->next_number = hello->last_number + 1;
    for (size_t i = 0; i < client->queued; i++) {
        struct sim_request *request = client->queue[i];
        if (request->one_shot[0] == 0) {
            request->id = 0;
            keep_numbers(client, request);
        }
    }
    pump(client);
}

static void beat(void *arg, uint64_t unused)
{
    struct sim_client *client = arg;
    int64_t now_us = client->scene->now_us;
    bool silent = false;
    (void)unused;
    for (size_t i = 0; i < client->queued; i++) {
        struct sim_request *request = client->queue[i];
        bool one_shot = request->one_shot[0] != 0;
        bool old = request->id != 0 && now_us - request->sent_us > SILENCE_US;
        if (old && one_shot) {
            request->id = 0;
        } else if (old) {
            silent = true;
        } else if (request->id != 0 && (one_shot || client->in_session) &&
                   sim_chance(client->scene, client->impatient_permille)) {
            transmit(client, request);
        }
    }
    if (client->in_session ? silent : now_us - client->hello_us > HELLO_US) {
        say_hello(client);
    }
    pump(client);
    sim_in(client->scene, BEAT_US, beat, client, 0);
}

/* ---------------------------------------------------------------- answers */

/* A refusal that says nothing of the event, but that the session is not what the client thinks. */
static bool of_session(const struct sim_client *client, const struct sim_request *request,
                       const Docket__Refusal *refusal)
{
    uint64_t its_number = request->first_number + refusal->index;
    return refusal->code == DK_EHELLO || refusal->code == DK_EFENCED ||
           (refusal->code == DK_EORDER && request->one_shot[0] == 0 &&
            its_number > client->last_at_hello);
}

/* Clients here are well-formed and allowed what they do. */
static void check_code(struct sim_client *client, size_t action, const Docket__Refusal *refusal)
{
    switch (refusal->code) {
    case DK_ECONFLICT:
        snprintf(client->conflict, sizeof client->conflict, "%.*s", (int)refusal->sentence.len,
                 (const char *)refusal->sentence.data);
        return;
    case DK_EILLEGAL:
    case DK_EREFERENCE:
    case DK_ENOTFOUND:
    case DK_EORDER:
    case DK_EBUSY:
    case DK_ETIME: return;
    default:
        sim_violate(client->scene, "a refusal has a reason", "%s: action %zu (%s): %.*s: %.*s",
                    client->link.name, action,
                    dk_kind_info(client->ledger->action[action].kind)->word, (int)refusal->name.len,
                    (const char *)refusal->name.data, (int)refusal->sentence.len,
                    (const char *)refusal->sentence.data);
    }
}

static void take_out(struct sim_client *client, size_t at)
{
    free_request(client->queue[at]);
    client->queued--;
    client->answered++;
    memmove(client->queue + at, client->queue + at + 1,
            (client->queued - at) * sizeof(struct sim_request *));
}

static const Docket__Refusal *refusal_of(const Docket__Appended *appended, uint32_t index)
{
    for (size_t i = 0; i < appended->n_refused; i++) {
        if (appended->refused[i]->index == index) {
            return appended->refused[i];
        }
    }
    return NULL;
}

static void on_appended(struct sim_client *client, const Docket__Appended *appended)
{
    size_t at = 0;
    while (at < client->queued && client->queue[at]->id != appended->request) {
        at++;
    }
    if (at == client->queued) {
        return; /* to an earlier sending */
    }
    struct sim_request *request = client->queue[at];
    for (size_t i = 0; i < appended->n_refused; i++) {
        if (of_session(client, request, appended->refused[i])) {
            sim_trace(client->scene, "%s: out of session, code %d", client->link.name,
                      appended->refused[i]->code);
            say_hello(client);
            return;
        }
    }
    uint64_t position = appended->position;
    for (uint32_t i = 0; i < request->count; i++) {
        const Docket__Refusal *refusal = refusal_of(appended, i);
        if (request->atomic && appended->n_refused > 0) {
            refusal = appended->refused[0];
        }
        if (refusal != NULL) {
            check_code(client, request->action[i], refusal);
            sim_ledger_refused(client->ledger, request->action[i], refusal->code,
                               request->one_shot[0] == 0 || request->sendings == 1);
        } else {
            sim_ledger_accepted(client->ledger, request->action[i], position);
            position += position != 0;
        }
    }
    for (size_t i = 0; i < appended->n_opened; i++) {
        sim_ledger_ticket(client->ledger, appended->opened[i]);
    }
    sim_trace(client->scene,
              "%s: request %" PRIu64 " answered: position %" PRIu64 ", %zu refused (%d)",
              client->link.name, appended->request, appended->position, appended->n_refused,
              appended->n_refused > 0 ? appended->refused[0]->code : 0);
    take_out(client, at);
}

/* The whole request was not judged: it comes again. */
static void on_failure(struct sim_client *client, uint64_t id, const Docket__Failure *failure)
{
    sim_trace(client->scene, "%s: request %" PRIu64 " failed, code %d", client->link.name, id,
              failure->code);
    for (size_t i = 0; i < client->queued; i++) {
        if (client->queue[i]->id == id) {
            client->queue[i]->id = 0;
            client->queue[i]->not_before_us =
                client->scene->now_us + sim_about(client->scene, SIM_SECOND_US / 2);
        }
    }
    if (failure->code == DK_ECLOCK) {
        client->on_clock_step(client->arg);
    } else if (failure->code != DK_ENOSPACE && failure->code != DK_EBUSY) {
        sim_violate(client->scene, "a failure has a reason", "%s: %.*s", client->link.name,
                    (int)failure->sentence.len, (const char *)failure->sentence.data);
    }
}

static void receive(void *arg, const uint8_t *frame, size_t bytes)
{
    struct sim_client *client = arg;
    Docket__Reply *reply = docket__reply__unpack(NULL, bytes, frame);
    DK_ASSERT(reply != NULL);
    switch (reply->result_case) {
    case DOCKET__REPLY__RESULT_HELLO:
        if (reply->id == client->hello_request) {
            on_hello(client, reply->hello);
        }
        break;
    case DOCKET__REPLY__RESULT_APPENDED:
        for (size_t i = 0; i < reply->appended->n_appended; i++) {
            on_appended(client, reply->appended->appended[i]);
        }
        break;
    case DOCKET__REPLY__RESULT_FAILURE: on_failure(client, reply->id, reply->failure); break;
    default: break;
    }
    docket__reply__free_unpacked(reply, NULL);
    pump(client);
}

/* ---------------------------------------------------------------- life */

void sim_client_init(struct sim_client *client, const char *name, unsigned role,
                     struct sim_ledger *ledger, struct sim_net *net)
{
    memset(client, 0, sizeof *client);
    client->scene = ledger->scene;
    client->ledger = ledger;
    client->hello_us = -HELLO_US;
    client->link = (struct sim_link){
        .name = name,
        .peer = {.key_id = 1000 + net->links, .role = role},
        .arg = client,
        .receive = receive,
    };
    sim_net_add(net, &client->link);
    sim_in(client->scene, sim_between(client->scene, 0, BEAT_US), beat, client, 0);
}

void sim_client_close(struct sim_client *client)
{
    while (client->queued > 0) {
        free_request(client->queue[--client->queued]);
    }
}
