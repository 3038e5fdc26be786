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
