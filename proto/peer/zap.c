#include "proto/peer/zap.h"
#include "proto/base/say.h"
#include "proto/peer/socket.h"
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zmq.h>

#define ZAP_FRAMES   7 /* version, request id, domain, address, identity, mechanism, key */
#define SELF_TEST_MS 3000
#define FRAME_BYTES  256

struct dk_zap {
    pthread_t thread;
    void *socket;
    char path[PATH_MAX];
    char keys_dir[PATH_MAX];
    struct timespec changed;
    struct dk_allowed_list allowed;
};

static void reload_if_changed(struct dk_zap *zap)
{
    struct stat st;
    struct dk_allowed_list fresh;
    struct dk_err err = {0};
    if (stat(zap->path, &st) != 0 || memcmp(&st.st_mtim, &zap->changed, sizeof st.st_mtim) == 0) {
        return;
    }
    zap->changed = st.st_mtim;
    if (dk_allowed_load(&fresh, zap->keys_dir, &err) != 0) {
        dk_say(DK_WARN, "keys-unreadable", "error=\"%s\" effect=\"the old list stays\"",
               err.message);
        return;
    }
    dk_allowed_free(&zap->allowed);
    zap->allowed = fresh;
}

static const struct dk_allowed *find_key(const struct dk_zap *zap, const uint8_t key[32])
{
    char z85[DK_Z85_BYTES];
    if (zmq_z85_encode(z85, key, 32) == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < zap->allowed.count; i++) {
        if (strcmp(zap->allowed.entry[i].public_z85, z85) == 0) {
            return &zap->allowed.entry[i];
        }
    }
    return NULL;
}

static bool may_read_records(const struct dk_allowed *allowed)
{
    return allowed->role <= DK_ROLE_ANALYTICS || allowed->role == DK_ROLE_ANALYST ||
           allowed->role == DK_ROLE_FOLLOWER;
}

static bool is(const char *word, const uint8_t *frame, size_t bytes)
{
    return bytes == strlen(word) && memcmp(word, frame, bytes) == 0;
}

static void send_part(void *socket, const void *data, size_t bytes, int flags)
{
    (void)zmq_send(socket, data, bytes, flags);
}

static void answer(struct dk_zap *zap, const void *request_id, size_t request_id_bytes,
                   const struct dk_allowed *allowed)
{
    char user_id[DK_USER_ID_BYTES] = "";
    const char *status = allowed != NULL ? "200" : "400";
    const char *text = allowed != NULL ? "OK" : "this key may not connect here";
    if (allowed != NULL) {
        dk_user_id_format(user_id, allowed->role, allowed->actor, dk_key_id(allowed->public_z85));
    }
    send_part(zap->socket, "1.0", 3, ZMQ_SNDMORE);
    send_part(zap->socket, request_id, request_id_bytes, ZMQ_SNDMORE);
    send_part(zap->socket, status, 3, ZMQ_SNDMORE);
    send_part(zap->socket, text, strlen(text), ZMQ_SNDMORE);
    send_part(zap->socket, user_id, strlen(user_id), ZMQ_SNDMORE);
    send_part(zap->socket, "", 0, 0);
}

/* Reads one request's frames; the count, or -1 when the context ends. */
static int receive_request(void *socket, uint8_t frame[ZAP_FRAMES][FRAME_BYTES],
                           size_t size[ZAP_FRAMES])
{
    int count = 0, more = 1;
    while (more) {
        uint8_t spare[FRAME_BYTES];
        size_t more_size = sizeof more;
        int n = zmq_recv(socket, count < ZAP_FRAMES ? frame[count] : spare, FRAME_BYTES, 0);
        if (n < 0) {
            return errno == EINTR ? 0 : -1;
        }
        if (count < ZAP_FRAMES) {
            size[count] = (size_t)n < FRAME_BYTES ? (size_t)n : FRAME_BYTES;
        }
        count++;
        (void)zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &more_size);
    }
    return count;
}

static void *run(void *arg)
{
    struct dk_zap *zap = arg;
    uint8_t frame[ZAP_FRAMES][FRAME_BYTES];
    size_t size[ZAP_FRAMES];
    for (;;) {
        int count = receive_request(zap->socket, frame, size);
        if (count < 0) {
            break;
        }
        if (count < 2) {
            continue;
        }
        const struct dk_allowed *allowed = NULL;
        if (count == ZAP_FRAMES && is("CURVE", frame[5], size[5]) && size[6] == 32) {
            reload_if_changed(zap);
            allowed = find_key(zap, frame[6]);
        }
        if (allowed != NULL && is(DK_ZAP_RECORDS, frame[2], size[2]) &&
            !may_read_records(allowed)) {
            allowed = NULL;
        }
        answer(zap, frame[1], size[1], allowed);
    }
    (void)zmq_close(zap->socket);
    return NULL;
}

int dk_zap_start(struct dk_zap **zap, void *zmq, const char *keys_dir, struct dk_err *err)
{
    struct dk_zap *z = calloc(1, sizeof *z);
    DK_ASSERT(z != NULL);
    (void)snprintf(z->keys_dir, sizeof z->keys_dir, "%s", keys_dir);
    if (snprintf(z->path, sizeof z->path, "%s/allowed.yaml", keys_dir) >= (int)sizeof z->path) {
        free(z);
        return dk_err_set(err, DK_ETOOBIG, "the path of the keys' folder is too long");
    }
    struct stat st = {0};
    (void)stat(z->path, &st);
    z->changed = st.st_mtim;
    int rc = dk_allowed_load(&z->allowed, keys_dir, err);
    if (rc != 0) {
        free(z);
        return rc;
    }
    z->socket = zmq_socket(zmq, ZMQ_REP);
    if (z->socket == NULL || zmq_bind(z->socket, "inproc://zeromq.zap.01") != 0 ||
        pthread_create(&z->thread, NULL, run, z) != 0) {
        rc = dk_err_set(err, DK_EIO, "cannot start the key check: %s", zmq_strerror(errno));
        if (z->socket != NULL) {
            (void)zmq_close(z->socket);
        }
        dk_allowed_free(&z->allowed);
        free(z);
        return rc;
    }
    *zap = z;
    return 0;
}

void dk_zap_stop(struct dk_zap **zap)
{
    struct dk_zap *z = *zap;
    if (z == NULL) {
        return;
    }
    (void)pthread_join(z->thread, NULL);
    dk_allowed_free(&z->allowed);
    free(z);
    *zap = NULL;
}

/* Waits for the handshake's outcome on a monitor socket: 1 refused, 0 let in, -1 nothing came. */
static int await_handshake(void *monitor)
{
    zmq_pollitem_t item = {monitor, 0, ZMQ_POLLIN, 0};
    while (zmq_poll(&item, 1, SELF_TEST_MS) > 0) {
        uint8_t event[6] = {0};
        char address[DK_ENDPOINT_BYTES];
        (void)zmq_recv(monitor, event, sizeof event, 0);
        (void)zmq_recv(monitor, address, sizeof address, 0);
        unsigned number = (unsigned)event[0] | (unsigned)event[1] << 8;
        if (number == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) {
            return 1;
        }
        if (number == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
            return 0;
        }
    }
    return -1;
}

int dk_zap_self_test(void *zmq, const char *endpoint, const char *server_public, struct dk_err *err)
{
    struct dk_key stranger;
    DK_ASSERT(zmq_curve_keypair(stranger.public_z85, stranger.secret_z85) == 0);
    char monitor_name[] = "inproc://docket.zap.self-test";
    void *monitor = zmq_socket(zmq, ZMQ_PAIR);
    void *socket = zmq_socket(zmq, ZMQ_DEALER);
    int linger = 0, outcome = -1;
    if (monitor != NULL && socket != NULL) {
        (void)zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
        (void)zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, stranger.public_z85, DK_Z85_BYTES);
        (void)zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, stranger.secret_z85, DK_Z85_BYTES);
        (void)zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server_public, DK_Z85_BYTES);
        if (zmq_socket_monitor(socket, monitor_name,
                               ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_SUCCEEDED) ==
                0 &&
            zmq_connect(monitor, monitor_name) == 0 && zmq_connect(socket, endpoint) == 0) {
            outcome = await_handshake(monitor);
        }
    }
    if (socket != NULL) {
        (void)zmq_close(socket);
    }
    if (monitor != NULL) {
        (void)zmq_close(monitor);
    }
    return outcome == 1 ? 0
                        : dk_err_set(err, DK_EACCES,
                                     outcome == 0 ? "a key that nobody knows was let in on %s"
                                                  : "the key check on %s gave no answer",
                                     endpoint);
}
