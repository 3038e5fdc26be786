/* Parcels to the broker, a few in flight, under one producer that holds the source's lease.
 *
 * The producer is "import/SOURCE" of the importer's key; Hello takes it over, so of two imports of
 * one source the earlier is fenced. Events are numbered; when the connection breaks (the broker was
 * killed) or an answer does not come for ten seconds, the sender connects anew, learns the last
 * number the broker has seen, and sends what is in flight again: under the same numbers what it has
 * seen, under the next ones what it has not. So nothing is lost or doubled. At most
 * DK_SENDER_WINDOW parcels are in flight: the broker remembers the answers to as many events.
 *
 *      filling --flush--> in flight --answered--> done
 *                             |  ^
 *                     refused |  | without the event at fault and what stands on it, under new
 *                             v  | numbers
 *                          reported */
#ifndef DK_IMPORT_SENDER_H
#define DK_IMPORT_SENDER_H

#include "proto/peer/client.h"
#include "replay/import/parcel.h"
#include <stdbool.h>
#include <stdint.h>

#define DK_SENDER_WINDOW (DK_PRODUCER_ANSWERS / DK_REQUEST_MAX_EVENTS)

struct dk_sender;

struct dk_sender_owner {
    void *arg;
    /* The broker has opened this case's ticket, durably. */
    void (*on_opened)(void *arg, uint64_t case_id, uint64_t ticket);
    /* An event was refused; `dropped` events, it and those that stand on it, are not sent. */
    void (*on_refused)(void *arg, const struct dk_parcel_event *event, size_t dropped,
                       const struct dk_err *why);
    /* Something that a person should know while waiting. */
    void (*on_note)(void *arg, const char *note);
    /* Whether to give up waiting. */
    bool (*stopped)(void *arg);
};

/* Connects and says Hello. zmq and config are borrowed. DK_ETIMEOUT when no broker answers, ... */
int dk_sender_new(struct dk_sender **sender, void *zmq, const struct dk_config *config,
                  const char *source, const struct dk_sender_owner *owner, struct dk_err *err);
void dk_sender_free(struct dk_sender **sender);

/* What Hello told; and the client, for questions while nothing is in flight. */
const struct dk_session *dk_sender_session(const struct dk_sender *sender);
struct dk_client *dk_sender_client(const struct dk_sender *sender);

/* The parcel being filled. */
struct dk_parcel *dk_sender_parcel(struct dk_sender *sender);

/* Sends it, if it holds anything; returns when there is another to fill. 0; DK_EFENCED (another
 * import of this source has taken over), DK_ETIMEOUT (the broker stays away, or `stopped`),
 * DK_EACCES, ...: then nothing more can be sent. */
int dk_sender_flush(struct dk_sender *sender, struct dk_err *err);

/* Sends it, and waits until everything is answered. */
int dk_sender_drain(struct dk_sender *sender, struct dk_err *err);

/* Events that the broker has accepted. */
uint64_t dk_sender_accepted(const struct dk_sender *sender);

#endif
