#include "bench/lib/peer.h"
#include "bench/lib/process.h"
#include <inttypes.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Where a client's answers go: as NATS's own clients name it, with 22 characters, and then a token
 * of each request, by which its answer is known. */
#define INBOX "_INBOX.bench%017d"

static int put(struct dk_peer *peer, struct dk_peer_client *client)
{
    int rc = dk_buf_printf(&client->out, "PUB s.a " INBOX ".%" PRIx64 " %zu\r\n", client->fd,
                           client->sent, peer->payload_bytes);
    rc = rc != 0 ? rc : dk_buf_append(&client->out, peer->payload, peer->payload_bytes);
    return rc != 0 ? rc : dk_buf_append(&client->out, "\r\n", 2);
}

/* An answer is "MSG <inbox> 1 <bytes>\r\n{"stream":"S","seq":7}\r\n"; PING and PONG are neither
 * counted nor in the way. */
static int take(struct dk_peer *peer, struct dk_peer_client *client, struct dk_err *err)
{
    const char *at = (const char *)client->in.data;
    const char *end = at + client->in.size;
    int count = 0;
    (void)peer;
    for (;;) {
        const char *first = memchr(at, '\n', (size_t)(end - at));
        if (first == NULL) {
            break;
        }
        if (memcmp(at, "MSG", 3) == 0) {
            const char *second = memchr(first + 1, '\n', (size_t)(end - first - 1));
            if (second == NULL) {
                break;
            }
            if (memmem(first, (size_t)(second - first), "\"error\"", 7) != NULL) {
                return dk_err_set(err, DK_EIO, "nats answers%.*s", (int)(second - first), first);
            }
            first = second;
            count++;
        } else if (memcmp(at, "PING", 4) == 0) {
            (void)dk_buf_append(&client->out, "PONG\r\n", 6);
        } else if (memcmp(at, "-ERR", 4) == 0) {
            return dk_err_set(err, DK_EIO, "nats answers %.*s", (int)(first - at), at);
        }
        at = first + 1;
    }
    client->in.size = (size_t)(end - at);
    memmove(client->in.data, at, client->in.size);
    return count;
}

/* A port that was free a moment ago. */
static unsigned free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        address.sin_port = 0;
    }
    (void)close(fd);
    return ntohs(address.sin_port);
}

static int write_settings(const char *path, const char *folder, unsigned port, struct dk_err *err)
{
    FILE *file = fopen(path, "we");
    if (file == NULL) {
        return dk_err_set(err, DK_EIO, "cannot write %s", path);
    }
    (void)fprintf(file, "listen: 127.0.0.1:%u\njetstream { store_dir: \"%s/nats\" }\n", port,
                  folder);
    return fclose(file) == 0 ? 0 : dk_err_set(err, DK_EIO, "cannot write %s", path);
}

static int make_stream(struct dk_peer *peer, struct dk_err *err)
{
    static const char stream[] =
        "{\"name\":\"S\",\"subjects\":[\"s.*\"],\"storage\":\"file\",\"retention\":\"limits\","
        "\"max_consumers\":-1,\"max_msgs\":-1,\"max_bytes\":-1,\"num_replicas\":1}";
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < peer->clients; i++) {
        struct dk_peer_client *client = &peer->client[i];
        rc = dk_buf_printf(&client->out,
                           "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n"
                           "SUB " INBOX ".* 1\r\nPING\r\n",
                           client->fd);
        rc = rc != 0 ? rc : dk_peer_expect(client, "PONG", err);
    }
    struct dk_peer_client *first = &peer->client[0];
    rc = rc != 0
             ? rc
             : dk_buf_printf(&first->out, "PUB $JS.API.STREAM.CREATE.S " INBOX ".c %zu\r\n%s\r\n",
                             first->fd, sizeof stream - 1, stream);
    return rc != 0 ? rc : dk_peer_expect(first, "\"config\"", err);
}

int dk_peer_nats(struct dk_peer *peer, const char *folder, unsigned clients, unsigned outstanding,
                 size_t payload_bytes, struct dk_err *err)
{
    char settings[PATH_MAX], said[PATH_MAX];
    unsigned port = free_port();
    *peer = (struct dk_peer){.clients = clients,
                             .outstanding = outstanding,
                             .payload_bytes = payload_bytes,
                             .put = put,
                             .take = take};
    memset(peer->payload, 'x', sizeof peer->payload);
    (void)snprintf(settings, sizeof settings, "%s/nats.conf", folder);
    (void)snprintf(said, sizeof said, "%s/nats.txt", folder);
    char *argv[] = {"nats-server", "-c", settings, NULL};
    int rc = write_settings(settings, folder, port, err);
    rc = rc != 0 ? rc : dk_process_start(&peer->pid, argv, said, err);
    rc = rc != 0 ? rc : dk_peer_connect(peer, NULL, port, err);
    return rc != 0 ? rc : make_stream(peer, err);
}

/* ---------------------------------------------------------------- reading */

#define READ_SUBJECT "bench.read"

static int start_consumer(struct dk_peer_client *client, struct dk_err *err)
{
    static const char consumer[] =
        "{\"stream_name\":\"S\",\"config\":{\"deliver_subject\":\"" READ_SUBJECT "\","
        "\"deliver_policy\":\"all\",\"ack_policy\":\"none\",\"max_deliver\":1,"
        "\"replay_policy\":\"instant\",\"flow_control\":true,\"idle_heartbeat\":5000000000}}";
    int rc = dk_buf_printf(&client->out,
                           "SUB " READ_SUBJECT " 2\r\n"
                           "PUB $JS.API.CONSUMER.CREATE.S " INBOX ".r %zu\r\n%s\r\n",
                           client->fd, sizeof consumer - 1, consumer);
    return rc != 0 ? dk_err_set(err, rc, "a request does not fit") : 0;
}

/* The message whose first line is at..line: "MSG <subject> <sid> [<reply>] <bytes>". Where it ends,
 * or NULL when it is not there yet. What is read has a reply to acknowledge it to; a request of
 * flow control has one that must be answered. */
static const char *take_message(struct dk_peer_client *client, const char *at, const char *line,
                                const char *end, uint64_t *count)
{
    static const char flow[] = " $JS.FC.", ack[] = " $JS.ACK.";
    const char *last = memrchr(at, ' ', (size_t)(line - at));
    size_t bytes = 0;
    for (const char *digit = last + 1; *digit >= '0' && *digit <= '9'; digit++) {
        bytes = bytes * 10 + (size_t)(*digit - '0');
    }
    if ((size_t)(end - line) < 1 + bytes + 2) {
        return NULL;
    }
    const char *reply = memrchr(at, ' ', (size_t)(last - at));
    if (strncmp(reply, ack, sizeof ack - 1) == 0) {
        ++*count;
    } else if (strncmp(reply, flow, sizeof flow - 1) == 0) {
        (void)dk_buf_printf(&client->out, "PUB%.*s 0\r\n\r\n", (int)(last - reply), reply);
    }
    return line + 1 + bytes + 2;
}

/* Takes what is whole off the front of `in`. */
static int take_messages(struct dk_peer_client *client, uint64_t *count, struct dk_err *err)
{
    const char *at = (const char *)client->in.data;
    const char *end = at + client->in.size;
    for (;;) {
        const char *line = memchr(at, '\n', (size_t)(end - at));
        const char *next = line != NULL ? line + 1 : NULL;
        if (line != NULL && memcmp(at, "MSG", 3) == 0) {
            next = take_message(client, at, line, end, count);
        } else if (line != NULL && memcmp(at, "PING", 4) == 0) {
            (void)dk_buf_append(&client->out, "PONG\r\n", 6);
        } else if (line != NULL && memcmp(at, "-ERR", 4) == 0) {
            return dk_err_set(err, DK_EIO, "nats answers %.*s", (int)(line - at), at);
        }
        if (next == NULL) {
            break;
        }
        at = next;
    }
    client->in.size = (size_t)(end - at);
    memmove(client->in.data, at, client->in.size);
    return 0;
}

int dk_peer_nats_read(struct dk_peer *peer, uint64_t count, struct dk_err *err)
{
    struct dk_peer_client *client = &peer->client[0];
    uint64_t got = 0;
    int rc = start_consumer(client, err);
    while (rc == 0 && got < count) {
        rc = dk_peer_receive(client, err);
        rc = rc != 0 ? rc : take_messages(client, &got, err);
    }
    rc = rc != 0 ? rc : dk_buf_printf(&client->out, "UNSUB 2\r\nPING\r\n");
    return rc != 0 ? rc : dk_peer_expect(client, "PONG", err);
}
