#include "bench/lib/follower.h"
#include "proto/event/wire.h"
#include "proto/peer/client.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <zmq.h>

#define ANSWER_MS 10000

struct dk_follower {
    pthread_t thread;
    void *zmq;
    struct dk_client *client;
    zmq_msg_t frame;
    _Atomic bool stopping;
    uint64_t records;
    int code;
    struct dk_err err;
};

static int on_record(void *arg, const uint8_t *record, size_t bytes)
{
    struct dk_follower *follower = arg;
    (void)record;
    (void)bytes;
    follower->records++;
    return 0;
}

/* One Fetch; `from` moves on, to 1 again at the end. */
static int fetch(struct dk_follower *follower, uint64_t *from)
{
    Docket__Request request = DOCKET__REQUEST__INIT;
    Docket__Fetch fetch = DOCKET__FETCH__INIT;
    struct dk_records_head head;
    uint64_t id;
    fetch.from = *from;
    request.op_case = DOCKET__REQUEST__OP_FETCH;
    request.fetch = &fetch;
    void *socket = dk_client_socket(follower->client);
    int rc = dk_client_send(follower->client, &request, &id, &follower->err);
    if (rc == 0 && zmq_msg_recv(&follower->frame, socket, 0) < 0) {
        rc = dk_err_set(&follower->err, DK_ETIMEOUT, "the broker does not answer a fetch");
    }
    if (rc == 0) {
        rc = dk_records_read(zmq_msg_data(&follower->frame), zmq_msg_size(&follower->frame), &head,
                             on_record, follower, &follower->err);
    }
    if (rc == 0) {
        *from = head.next > head.head ? 1 : head.next;
    }
    return rc;
}

static void *run(void *arg)
{
    struct dk_follower *follower = arg;
    uint64_t from = 1;
    while (!follower->stopping && follower->code == 0) {
        follower->code = fetch(follower, &from);
    }
    return NULL;
}

int dk_follower_start(struct dk_follower **follower, const struct dk_config *config,
                      struct dk_err *err)
{
    struct dk_follower *f = calloc(1, sizeof *f);
    DK_ASSERT(f != NULL);
    f->zmq = zmq_ctx_new();
    (void)zmq_msg_init(&f->frame);
    *follower = f;
    int rc = dk_client_open(&f->client, f->zmq, config, "follower", err);
    if (rc == 0) {
        int timeout_ms = ANSWER_MS;
        (void)zmq_setsockopt(dk_client_socket(f->client), ZMQ_RCVTIMEO, &timeout_ms,
                             sizeof timeout_ms);
        DK_ASSERT(pthread_create(&f->thread, NULL, run, f) == 0);
    }
    return rc;
}

int dk_follower_stop(struct dk_follower **follower, uint64_t *records, struct dk_err *err)
{
    struct dk_follower *f = *follower;
    f->stopping = true;
    (void)pthread_join(f->thread, NULL);
    (void)zmq_msg_close(&f->frame);
    dk_client_close(&f->client);
    (void)zmq_ctx_term(f->zmq);
    int rc = f->code;
    *records = f->records;
    if (rc != 0) {
        *err = f->err;
    }
    free(f);
    *follower = NULL;
    return rc;
}
