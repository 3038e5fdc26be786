#include "proto/peer/socket.h"
#include "proto/base/say.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zmq.h>

static void set_int(void *socket, int option, int value)
{
    DK_ASSERT(zmq_setsockopt(socket, option, &value, sizeof value) == 0);
}

static void set_bounds(void *socket, int64_t max_frame_bytes)
{
    set_int(socket, ZMQ_SNDHWM, DK_SOCKET_HWM);
    set_int(socket, ZMQ_RCVHWM, DK_SOCKET_HWM);
    set_int(socket, ZMQ_LINGER, DK_LINGER_MS);
    set_int(socket, ZMQ_HANDSHAKE_IVL, DK_HANDSHAKE_MS);
    DK_ASSERT(zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &max_frame_bytes, sizeof max_frame_bytes) ==
              0);
}

static void set_key(void *socket, const struct dk_key *key)
{
    DK_ASSERT(zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, key->public_z85, DK_Z85_BYTES) == 0);
    DK_ASSERT(zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, key->secret_z85, DK_Z85_BYTES) == 0);
}

/* The folder of an ipc path, so that a first start needs no preparation. */
static void make_ipc_folder(const char *endpoint)
{
    char dir[DK_ENDPOINT_BYTES];
    if (strncmp(endpoint, "ipc://", 6) != 0) {
        return;
    }
    (void)snprintf(dir, sizeof dir, "%s", endpoint + 6);
    char *slash = strrchr(dir, '/');
    if (slash != NULL && slash != dir) {
        *slash = '\0';
        (void)mkdir(dir, 0750);
    }
}

void *dk_socket_bind(void *zmq, int type, const struct dk_endpoints *endpoints, const char *domain,
                     const struct dk_key *server, int64_t in_bytes, int64_t out_bytes,
                     struct dk_err *err)
{
    void *socket = zmq_socket(zmq, type);
    if (socket == NULL) {
        (void)dk_err_errno(err, DK_EIO, errno, "cannot make a socket");
        return NULL;
    }
    set_bounds(socket, in_bytes);
    if (in_bytes * DK_SOCKET_HWM > DK_SOCKET_IN_BYTES) {
        set_int(socket, ZMQ_RCVHWM, (int)(DK_SOCKET_IN_BYTES / in_bytes));
    }
    if (out_bytes * DK_SOCKET_HWM > DK_SOCKET_OUT_BYTES) {
        set_int(socket, ZMQ_SNDHWM, (int)(DK_SOCKET_OUT_BYTES / out_bytes));
    }
    set_int(socket, ZMQ_CURVE_SERVER, 1);
    set_key(socket, server);
    DK_ASSERT(zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, domain, strlen(domain)) == 0);
    if (type == ZMQ_ROUTER) {
        set_int(socket, ZMQ_ROUTER_MANDATORY, 1);
    }
    for (size_t i = 0; i < endpoints->count; i++) {
        make_ipc_folder(endpoints->at[i]);
        if (zmq_bind(socket, endpoints->at[i]) != 0) {
            (void)dk_err_set(err, DK_EIO, "cannot listen on %s: %s", endpoints->at[i],
                             zmq_strerror(errno));
            (void)zmq_close(socket);
            return NULL;
        }
    }
    return socket;
}

/* The old endpoint is not let go: that would end the connections made through it. It costs one
 * descriptor a deletion. */
static void bind_again(void *socket, const char *endpoint)
{
    make_ipc_folder(endpoint);
    if (zmq_bind(socket, endpoint) == 0) {
        dk_say(DK_WARN, "bound-again", "endpoint=%s reason=\"its path was deleted\"", endpoint);
    } else {
        dk_say(DK_ERROR, "not-bound", "endpoint=%s error=\"its path was deleted; then: %s\"",
               endpoint, zmq_strerror(errno));
    }
}

void dk_socket_keep_bound(void *socket, const struct dk_endpoints *endpoints)
{
    struct stat info;
    for (size_t i = 0; i < endpoints->count; i++) {
        const char *endpoint = endpoints->at[i];
        if (strncmp(endpoint, "ipc://", 6) == 0 && stat(endpoint + 6, &info) != 0 &&
            (errno == ENOENT || errno == ENOTDIR)) {
            bind_again(socket, endpoint);
        }
    }
}

void *dk_socket_connect(void *zmq, int type, const char *endpoint, const struct dk_key *own,
                        const char server_public[DK_Z85_BYTES], struct dk_err *err)
{
    void *socket = zmq_socket(zmq, type);
    if (socket == NULL) {
        (void)dk_err_errno(err, DK_EIO, errno, "cannot make a socket");
        return NULL;
    }
    set_bounds(socket, DK_SOCKET_MAX_BYTES);
    set_int(socket, ZMQ_RECONNECT_IVL, 50);
    set_int(socket, ZMQ_RECONNECT_IVL_MAX, 1000);
    set_key(socket, own);
    DK_ASSERT(zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server_public, DK_Z85_BYTES) == 0);
    if (type == ZMQ_SUB) {
        DK_ASSERT(zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0) == 0);
    }
    if (zmq_connect(socket, endpoint) != 0) {
        (void)dk_err_set(err, DK_EIO, "cannot connect to %s: %s", endpoint, zmq_strerror(errno));
        (void)zmq_close(socket);
        return NULL;
    }
    return socket;
}

void dk_user_id_format(char user_id[DK_USER_ID_BYTES], unsigned role, uint64_t actor,
                       uint64_t key_id)
{
    (void)snprintf(user_id, DK_USER_ID_BYTES, "%02x %016" PRIx64 " %016" PRIx64, role, actor,
                   key_id);
}

int dk_user_id_parse(const char *user_id, unsigned *role, uint64_t *actor, uint64_t *key_id)
{
    char *end;
    if (strlen(user_id) != 36 || user_id[2] != ' ' || user_id[19] != ' ') {
        return DK_EINVAL;
    }
    *role = (unsigned)strtoul(user_id, &end, 16);
    *actor = strtoull(user_id + 3, &end, 16);
    *key_id = strtoull(user_id + 20, &end, 16);
    return 0;
}
