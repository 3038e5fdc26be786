#include "bench/lib/peer.h"
#include "bench/lib/process.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>

static int put(struct dk_peer *peer, struct dk_peer_client *client)
{
    int rc =
        dk_buf_printf(&client->out, "*5\r\n$4\r\nXADD\r\n$1\r\ns\r\n$1\r\n*\r\n$1\r\nf\r\n$%zu\r\n",
                      peer->payload_bytes);
    rc = rc != 0 ? rc : dk_buf_append(&client->out, peer->payload, peer->payload_bytes);
    return rc != 0 ? rc : dk_buf_append(&client->out, "\r\n", 2);
}

/* An answer is the new entry's id: "$15\r\n1700000000000-0\r\n". */
static int take(struct dk_peer *peer, struct dk_peer_client *client, struct dk_err *err)
{
    const char *at = (const char *)client->in.data;
    const char *end = at + client->in.size;
    int count = 0;
    (void)peer;
    while (at < end) {
        const char *first = memchr(at, '\n', (size_t)(end - at));
        const char *second =
            first == NULL ? NULL : memchr(first + 1, '\n', (size_t)(end - first - 1));
        if (*at != '$') {
            return dk_err_set(err, DK_EIO, "redis answers %.*s", (int)(end - at), at);
        }
        if (second == NULL) {
            break;
        }
        at = second + 1;
        count++;
    }
    client->in.size = (size_t)(end - at);
    memmove(client->in.data, at, client->in.size);
    return count;
}

int dk_peer_redis(struct dk_peer *peer, const char *folder, unsigned clients, unsigned outstanding,
                  size_t payload_bytes, struct dk_err *err)
{
    char path[PATH_MAX], said[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/redis", folder);
    (void)snprintf(said, sizeof said, "%s/redis.txt", folder);
    *peer = (struct dk_peer){.clients = clients,
                             .outstanding = outstanding,
                             .payload_bytes = payload_bytes,
                             .put = put,
                             .take = take};
    memset(peer->payload, 'x', sizeof peer->payload);
    char *argv[] = {"redis-server",
                    "--port",
                    "0",
                    "--unixsocket",
                    path,
                    "--dir",
                    (char *)(uintptr_t)folder,
                    "--appendonly",
                    "yes",
                    "--appendfsync",
                    "always",
                    "--save",
                    "",
                    NULL};
    int rc = dk_process_start(&peer->pid, argv, said, err);
    return rc != 0 ? rc : dk_peer_connect(peer, path, 0, err);
}
