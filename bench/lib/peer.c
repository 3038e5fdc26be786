#include "bench/lib/peer.h"
#include "bench/lib/process.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BUFFER_MAX_BYTES (8 << 20)
#define READ_BYTES       (256 << 10)
#define ANSWER_MS        10000
#define CONNECT_TRIES    200 /* 50 ms apart */

/* ---------------------------------------------------------------- sockets */

static int open_socket(const char *path, unsigned port)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int one = 1;
    int fd = socket(path != NULL ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc;
    loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (path != NULL) {
        (void)snprintf(local.sun_path, sizeof local.sun_path, "%s", path);
        rc = connect(fd, (const struct sockaddr *)&local, sizeof local);
    } else {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        rc = connect(fd, (const struct sockaddr *)&loopback, sizeof loopback);
    }
    if (rc != 0) {
        (void)close(fd);
        return -1;
    }
    return fcntl(fd, F_SETFL, O_NONBLOCK) == 0 ? fd : -1;
}

int dk_peer_connect(struct dk_peer *peer, const char *path, unsigned port, struct dk_err *err)
{
    for (unsigned i = 0; i < peer->clients; i++) {
        struct dk_peer_client *client = &peer->client[i];
        dk_buf_init(&client->out, BUFFER_MAX_BYTES);
        dk_buf_init(&client->in, BUFFER_MAX_BYTES);
        client->fd = -1;
        for (int try = 0; client->fd < 0 && try < CONNECT_TRIES; try++) {
            client->fd = open_socket(path, port);
            if (client->fd < 0) {
                dk_bench_sleep_ms(50);
            }
        }
        if (client->fd < 0) {
            return dk_err_errno(err, DK_EIO, errno, "cannot connect to the peer");
        }
    }
    return 0;
}

static int flush(struct dk_peer_client *client, struct dk_err *err)
{
    while (client->out_sent < client->out.size) {
        ssize_t sent = send(client->fd, client->out.data + client->out_sent,
                            client->out.size - client->out_sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            return 0;
        }
        if (sent < 0) {
            return dk_err_errno(err, DK_EIO, errno, "cannot send to the peer");
        }
        client->out_sent += (size_t)sent;
    }
    dk_buf_clear(&client->out);
    client->out_sent = 0;
    return 0;
}

static int fetch(struct dk_peer_client *client, struct dk_err *err)
{
    size_t before = client->in.size;
    uint8_t *at = dk_buf_extend(&client->in, READ_BYTES);
    if (at == NULL) {
        return dk_err_set(err, DK_ETOOBIG, "the peer's answers are not understood");
    }
    ssize_t got = recv(client->fd, at, READ_BYTES, 0);
    client->in.size = before + (got > 0 ? (size_t)got : 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
        return dk_err_errno(err, DK_EIO, errno, "the peer closed the connection");
    }
    return 0;
}

int dk_peer_receive(struct dk_peer_client *client, struct dk_err *err)
{
    int rc = flush(client, err);
    while (rc == 0) {
        bool sending = client->out.size > 0;
        struct pollfd ready = {.fd = client->fd,
                               .events = (short)(POLLIN | (sending ? POLLOUT : 0))};
        if (poll(&ready, 1, ANSWER_MS) <= 0) {
            return dk_err_set(err, DK_ETIMEOUT, "no answer for %d s", ANSWER_MS / 1000);
        }
        rc = flush(client, err);
        if (rc == 0 && (ready.revents & (POLLIN | POLLHUP)) != 0) {
            return fetch(client, err);
        }
    }
    return rc;
}

int dk_peer_expect(struct dk_peer_client *client, const char *text, struct dk_err *err)
{
    int rc = 0;
    while (rc == 0) {
        const char *in = dk_buf_string(&client->in);
        if (in != NULL && strstr(in, text) != NULL) {
            dk_buf_clear(&client->in);
            return 0;
        }
        rc = dk_peer_receive(client, err);
        if (rc == DK_ETIMEOUT) {
            return dk_err_set(err, DK_ETIMEOUT, "the peer does not answer with %s, but: %s", text,
                              in != NULL ? in : "");
        }
    }
    return rc;
}

/* ---------------------------------------------------------------- run */

static int fill(struct dk_peer *peer, struct dk_peer_client *client, struct dk_err *err)
{
    while (client->sent - client->answered < peer->outstanding) {
        if (peer->put(peer, client) != 0) {
            return dk_err_set(err, DK_ETOOBIG, "a request does not fit");
        }
        client->sent++;
    }
    return flush(client, err);
}

/* Waits for answers and takes them; sends anew while `sending`. Returns how many, or an error. */
static int turn(struct dk_peer *peer, bool sending, struct dk_err *err)
{
    struct pollfd ready[DK_PEER_CLIENTS_MAX];
    int answers = 0;
    for (unsigned i = 0; i < peer->clients; i++) {
        bool more = peer->client[i].out.size > 0;
        ready[i] = (struct pollfd){peer->client[i].fd, (short)(POLLIN | (more ? POLLOUT : 0)), 0};
    }
    if (poll(ready, peer->clients, ANSWER_MS) <= 0) {
        return dk_err_set(err, DK_ETIMEOUT, "no answer for %d s", ANSWER_MS / 1000);
    }
    for (unsigned i = 0; i < peer->clients; i++) {
        struct dk_peer_client *client = &peer->client[i];
        int taken = 0;
        int rc = flush(client, err);
        if (rc == 0 && (ready[i].revents & (POLLIN | POLLHUP)) != 0) {
            rc = fetch(client, err);
            taken = rc == 0 ? peer->take(peer, client, err) : 0;
        }
        rc = rc == 0 && taken < 0 ? taken : rc;
        if (rc == 0) {
            client->answered += (uint64_t)taken;
            answers += taken;
            rc = sending ? fill(peer, client, err) : 0;
        }
        if (rc != 0) {
            return rc;
        }
    }
    return answers;
}

static bool is_idle(const struct dk_peer *peer)
{
    for (unsigned i = 0; i < peer->clients; i++) {
        if (peer->client[i].sent != peer->client[i].answered) {
            return false;
        }
    }
    return true;
}

int dk_peer_run(struct dk_peer *peer, double warm_s, double seconds, double *events_s,
                struct dk_err *err)
{
    uint64_t now = dk_bench_ns();
    uint64_t from = now + (uint64_t)(warm_s * 1e9);
    uint64_t until = from + (uint64_t)(seconds * 1e9);
    uint64_t counted = 0, since = 0;
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < peer->clients; i++) {
        rc = fill(peer, &peer->client[i], err);
    }
    while (rc == 0 && now < until) {
        int answers = turn(peer, true, err);
        now = dk_bench_ns();
        counted += since != 0 && answers > 0 ? (uint64_t)answers : 0;
        since = since == 0 && now >= from ? now : since;
        rc = answers < 0 ? answers : 0;
    }
    *events_s = (double)counted * 1e9 / (double)(now - since);
    while (rc == 0 && !is_idle(peer)) {
        int answers = turn(peer, false, err);
        rc = answers < 0 ? answers : 0;
    }
    return rc;
}

void dk_peer_end(struct dk_peer *peer)
{
    for (unsigned i = 0; i < peer->clients; i++) {
        struct dk_peer_client *client = &peer->client[i];
        if (client->fd >= 0) {
            (void)close(client->fd);
        }
        dk_buf_close(&client->out);
        dk_buf_close(&client->in);
    }
    dk_process_end(peer->pid, SIGTERM);
    *peer = (struct dk_peer){0};
}
