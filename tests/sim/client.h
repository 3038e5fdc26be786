/* A client that numbers its events, or comes once: the protocol of a careful sender.
 *
 * It says Hello, numbers its events after the last number that the broker has seen, and has a few
 * requests unanswered at a time. After silence it says Hello again: what the broker has seen is
 * sent again under its numbers, to learn the answer; the rest is numbered anew. Sometimes it is
 * impatient and only sends again. A one-shot request goes out under its request id until it is
 * answered. */
#ifndef DK_SIM_CLIENT_H
#define DK_SIM_CLIENT_H

#include "docket.pb-c.h"
#include "tests/sim/ledger.h"
#include "tests/sim/net.h"

#define SIM_REQUEST_EVENTS 4
#define SIM_QUEUE_MAX      64

struct sim_request {
    uint64_t id;           /* of its last sending; 0: not sent, or to be sent again */
    uint64_t first_number; /* 0: none yet */
    uint64_t one_shot[2];  /* the request id, or 0 and 0 */
    bool atomic;
    size_t count;
    size_t action[SIM_REQUEST_EVENTS];
    uint32_t expected[SIM_REQUEST_EVENTS];
    struct dk_buf events;
    size_t end[SIM_REQUEST_EVENTS];
    int64_t sent_us, not_before_us;
    unsigned sendings;
};

struct sim_client {
    struct sim_scene *scene;
    struct sim_ledger *ledger;
    struct sim_link link;
    bool in_session;
    uint64_t producer, next_number;
    uint64_t last_at_hello; /* what the broker had seen when the session began */
    uint64_t last_request, hello_request;
    int64_t hello_us;
    unsigned impatient_permille;
    struct sim_request *queue[SIM_QUEUE_MAX];
    size_t queued;
    size_t answered;
    char conflict[256]; /* the sentence of the last DK_ECONFLICT */
    /* The broker's clock has stepped: somebody must accept it. */
    void *arg;
    void (*on_clock_step)(void *arg);
};

/* `role` is its key's. The scene, ledger and net are borrowed. */
void sim_client_init(struct sim_client *client, const char *name, unsigned role,
                     struct sim_ledger *ledger, struct sim_net *net);
void sim_client_close(struct sim_client *client);

/* A request in the making; then events are added, then it is sent (taken over). */
struct sim_request *sim_request_new(bool atomic, bool one_shot, struct sim_scene *scene);
/* `occurred_us` 0: when it is recorded. */
void sim_request_add(struct sim_client *client, struct sim_request *request, uint64_t actor,
                     uint64_t subject, uint32_t kind, const void *body, int64_t occurred_us,
                     uint32_t expected_version);
/* Dropped when the queue is full, which `sim_client_room` tells before. */
void sim_client_send(struct sim_client *client, struct sim_request *request);
bool sim_client_room(const struct sim_client *client);

/* The ticket that an Opened names, which is the k-th of its request. */
#define SIM_UNNAMED(k) dk_ticket_make(0xffff, (k))

#endif
