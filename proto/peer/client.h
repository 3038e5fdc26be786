/* A client of a broker: one DEALER socket, requests out, replies in.
 *
 * One thread. Blocking calls serve the command line; `send` and `receive` serve event loops (watch
 * dk_client_socket with ev_zmq.h). ZeroMQ reconnects by itself; what was in flight then is lost or
 * not: producers resend under the same numbers and the broker answers repeats. */
#ifndef DK_PEER_CLIENT_H
#define DK_PEER_CLIENT_H

#include "docket.pb-c.h"
#include "proto/base/arena.h"
#include "proto/base/err.h"
#include "proto/event/event.h"
#include "proto/event/wire.h"
#include "proto/peer/config.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dk_client;

/* Connects with the key KEYS/`key_name`.key. Does not wait for the broker to be there. */
int dk_client_open(struct dk_client **client, void *zmq, const struct dk_config *config,
                   const char *key_name, struct dk_err *err);
void dk_client_close(struct dk_client **client);
void *dk_client_socket(const struct dk_client *client);

/* For who pipelines and cannot wait for an answer that never comes: from `watch` on, `lost` tells
 * whether the connection broke since it was last asked; what was in flight may be lost then, and
 * the broker another one that knows of no Hello. A peer that falls silent breaks nothing. DK_EIO.
 */
int dk_client_watch(struct dk_client *client, void *zmq, struct dk_err *err);
bool dk_client_lost(struct dk_client *client);

/* Sends a request of any op but Append; `op` is set by the caller in *request, the id here.
 * 0 and the id; DK_EBUSY when the queue is full. */
int dk_client_send(struct dk_client *client, Docket__Request *request, uint64_t *id,
                   struct dk_err *err);
int dk_client_send_append(struct dk_client *client, const struct dk_slice *event,
                          const uint32_t *expected_version, size_t count, bool atomic, uint64_t *id,
                          struct dk_err *err);

/* Sends a whole request frame that was written elsewhere, under the id that it has. As above. */
int dk_client_send_frame(struct dk_client *client, const uint8_t *frame, size_t bytes,
                         struct dk_err *err);

/* Between hold and release appends gather and leave together, as many as one message takes (or when
 * it is full): a message costs more than an event does. Each keeps its id and is answered on its
 * own. Release sends what is left. 0, DK_EBUSY as above: what was gathered is dropped then. */
void dk_client_hold(struct dk_client *client);
int dk_client_release(struct dk_client *client, struct dk_err *err);

/* The next reply, unpacked into the client's arena: good until the next receive. DK_ETIMEOUT after
 * `timeout_ms` (0: only what is there; -1: for ever). `*raw`, which may be NULL, is the frame. */
int dk_client_receive(struct dk_client *client, int timeout_ms, const Docket__Reply **reply,
                      struct dk_slice *raw, struct dk_err *err);

/* Blocking: sends and waits for this request's reply. A Failure becomes the error it states.
 * Other replies that arrive meanwhile are dropped: not for clients that also pipeline. */
int dk_client_call(struct dk_client *client, Docket__Request *request, int timeout_ms,
                   const Docket__Reply **reply, struct dk_err *err);

/* Blocking Head: the last durable position, and the log's uuid (NULL: not asked for). */
int dk_client_head(struct dk_client *client, int timeout_ms, uint64_t *head, uint8_t log_uuid[16],
                   struct dk_err *err);

/* Blocking Stats: good until the next receive. */
int dk_client_stats(struct dk_client *client, int timeout_ms, const Docket__StatsReply **stats,
                    struct dk_err *err);

struct dk_session {
    uint64_t producer; /* 0: the key's role appends nothing, and gets no salt either */
    uint64_t last_number;
    uint64_t actor;
    uint64_t head;
    int64_t now_us;
    unsigned role;
    unsigned site;
    uint8_t log_uuid[16];
    uint8_t salt[DK_SALT_BYTES];
};
/* Blocking Hello as producer `name`. */
int dk_client_hello(struct dk_client *client, const char *name, int timeout_ms,
                    struct dk_session *session, struct dk_err *err);

/* What one Append came to. A refusal is copied into the caller's error by dk_appended_error. */
struct dk_append_result {
    uint64_t position; /* of the first accepted event */
    uint32_t accepted;
    size_t opened_count;
    uint64_t opened[16];
};

/* Blocking, for who comes once: sends events (envelope.producer and producer_number are set here
 * to a fresh 128-bit request id, and the flag), and sends them again under the same id until
 * answered or the time is up. `event` are records in memory that may be changed. 0, the first
 * refusal's code, or DK_ETIMEOUT ("not known whether it was accepted"). */
int dk_client_append_once(struct dk_client *client, struct dk_slice *event,
                          const uint32_t *expected_version, size_t count, bool atomic,
                          int timeout_ms, struct dk_append_result *result, struct dk_err *err);

/* An Appended's refusal `i` as an error. */
int dk_refusal_error(const Docket__Refusal *refusal, struct dk_err *err);

#endif
