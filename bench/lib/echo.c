#include "bench/lib/echo.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <zmq.h>

static void *listen_on(void *zmq, const char *endpoint, const struct dk_key *server)
{
    void *socket = zmq_socket(zmq, ZMQ_ROUTER);
    int on = 1;
    if (server != NULL) {
        DK_ASSERT(zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &on, sizeof on) == 0);
        DK_ASSERT(zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, server->secret_z85, DK_Z85_BYTES) ==
                  0);
    }
    DK_ASSERT(zmq_bind(socket, endpoint) == 0);
    return socket;
}

static void serve(const char *endpoint, const struct dk_key *server)
{
    void *socket = listen_on(zmq_ctx_new(), endpoint, server);
    zmq_msg_t id, payload;
    (void)zmq_msg_init(&id);
    (void)zmq_msg_init(&payload);
    while (zmq_msg_recv(&id, socket, 0) >= 0 && zmq_msg_recv(&payload, socket, 0) >= 0) {
        (void)zmq_msg_send(&id, socket, ZMQ_SNDMORE);
        (void)zmq_msg_send(&payload, socket, 0);
    }
}

int dk_echo_start(pid_t *pid, const char *endpoint, const struct dk_key *server, struct dk_err *err)
{
    pid_t parent = getpid();
    *pid = fork();
    if (*pid < 0) {
        return dk_err_errno(err, DK_EIO, errno, "cannot fork");
    }
    if (*pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent) {
            serve(endpoint, server);
        }
        _exit(0);
    }
    return 0;
}
