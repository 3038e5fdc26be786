#include "proto/peer/question.h"
#include "docket.pb-c.h"
#include "proto/peer/socket.h"
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

/* The public key of the node: its role's in the list of those who may connect. */
static int key_of_role(const struct dk_config *config, const char *role,
                       char public_z85[DK_Z85_BYTES], struct dk_err *err)
{
    struct dk_allowed_list list;
    unsigned number = dk_role_of(role);
    int rc = dk_allowed_load(&list, config->keys, err);
    if (rc != 0) {
        return rc;
    }
    bool found = false;
    for (size_t i = 0; i < list.count; i++) {
        if (list.entry[i].role == number && number != 0) {
            memcpy(public_z85, list.entry[i].public_z85, DK_Z85_BYTES);
            found = true;
        }
    }
    dk_allowed_free(&list);
    return found ? 0
                 : dk_err_set(err, DK_ENOTFOUND, "no key of role %s is allowed at this site", role);
}

static ProtobufCBinaryData bytes_of(const char *text)
{
    return (ProtobufCBinaryData){strlen(text), (uint8_t *)(uintptr_t)text};
}

static int send_question(void *socket, const struct dk_question *question, struct dk_err *err)
{
    Docket__Query query = DOCKET__QUERY__INIT;
    ProtobufCBinaryData list[DK_QUESTION_ARGUMENTS_MAX];
    if (question->argument_count > DK_QUESTION_ARGUMENTS_MAX) {
        return dk_err_set(err, DK_ETOOBIG, "more than %d arguments", DK_QUESTION_ARGUMENTS_MAX);
    }
    for (size_t i = 0; i < question->argument_count; i++) {
        list[i] = bytes_of(question->argument[i]);
    }
    query.id = 1;
    query.name = bytes_of(question->name);
    query.n_argument = question->argument_count;
    query.argument = list;
    query.has_at_least = question->at_least > 0;
    query.at_least = question->at_least;
    size_t bytes = docket__query__get_packed_size(&query);
    uint8_t *frame = malloc(bytes);
    DK_ASSERT(frame != NULL);
    (void)docket__query__pack(&query, frame);
    int sent = zmq_send(socket, frame, bytes, 0);
    free(frame);
    return sent >= 0 ? 0 : dk_err_set(err, DK_EIO, "cannot send: %s", zmq_strerror(zmq_errno()));
}

static int read_answer(const zmq_msg_t *frame, struct dk_buf *json, uint64_t *position,
                       struct dk_err *err)
{
    Docket__Answer *answer = docket__answer__unpack(NULL, zmq_msg_size(frame),
                                                    zmq_msg_data((zmq_msg_t *)(uintptr_t)frame));
    if (answer == NULL) {
        return dk_err_set(err, DK_EINVAL, "the node's answer does not unpack");
    }
    int rc = 0;
    if (answer->failure != NULL) {
        const Docket__Failure *f = answer->failure;
        rc = dk_err_set(err, f->code < 0 ? f->code : DK_EINVAL, "%.*s", (int)f->sentence.len,
                        (const char *)f->sentence.data);
        if (f->has_field && err != NULL) {
            (void)snprintf(err->field, sizeof err->field, "%.*s", (int)f->field.len,
                           (const char *)f->field.data);
        }
    } else if (dk_buf_append(json, answer->json.data, answer->json.len) != 0) {
        rc = dk_err_set(err, DK_ETOOBIG, "the node's answer is too large");
    }
    if (position != NULL) {
        *position = answer->position;
    }
    docket__answer__free_unpacked(answer, NULL);
    return rc;
}

static int await_answer(void *socket, const char *role, int timeout_ms, struct dk_buf *json,
                        uint64_t *position, struct dk_err *err)
{
    zmq_pollitem_t item = {socket, 0, ZMQ_POLLIN, 0};
    zmq_msg_t frame;
    (void)zmq_msg_init(&frame);
    int rc = 0;
    if (zmq_poll(&item, 1, timeout_ms) <= 0 || zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) < 0) {
        rc = dk_err_set(err, DK_ETIMEOUT, "the %s node gave no answer within %d ms: is it running?",
                        role, timeout_ms);
    }
    rc = rc != 0 ? rc : read_answer(&frame, json, position, err);
    (void)zmq_msg_close(&frame);
    return rc;
}

int dk_question_ask(const struct dk_question *question, void *zmq, const struct dk_config *config,
                    const struct dk_key *own, int timeout_ms, struct dk_buf *json,
                    uint64_t *position, struct dk_err *err)
{
    char endpoint[DK_ENDPOINT_BYTES], server[DK_Z85_BYTES];
    int rc = key_of_role(config, question->role, server, err);
    if (rc != 0) {
        return rc;
    }
    dk_config_query_endpoint(config, question->role, endpoint);
    void *socket = dk_socket_connect(zmq, ZMQ_DEALER, endpoint, own, server, err);
    if (socket == NULL) {
        return DK_EIO;
    }
    rc = send_question(socket, question, err);
    rc = rc != 0 ? rc : await_answer(socket, question->role, timeout_ms, json, position, err);
    (void)zmq_close(socket);
    return rc;
}
