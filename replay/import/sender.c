#include "replay/import/sender.h"

#include "proto/base/time.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HELLO_MS    5000
#define ANSWER_MS   10000 /* a broker that is silent for so long is asked on a new connection */
#define STEP_MS     100   /* between two looks at `stopped` and at the connection */
#define PAUSE_MS    200   /* before what the broker has no room for is sent again */
#define PATIENCE_US (120 * DK_SECOND_US) /* without any progress, the import ends */
#define PARCELS     (DK_SENDER_WINDOW + 1)

struct dk_sender {
    void *zmq;
    const struct dk_config *config;
    struct dk_sender_owner owner;
    struct dk_client *client;
    uint64_t connections; /* made so far: tells whether a reply is of an earlier one */
    struct dk_session session;
    char name[DK_KEY_MAX_BYTES + 1];

    struct dk_parcel parcel[PARCELS];
    struct dk_parcel *filling;
    struct dk_parcel *idle[PARCELS];
    size_t idle_count;
    struct dk_parcel *flight[DK_SENDER_WINDOW]; /* oldest first: numbers rise */
    size_t flight_count;

    uint64_t next_number;
    uint64_t accepted;
    int64_t progress_us; /* when the last answer came; boot clock */
    bool told;           /* since then, why the broker takes nothing */
    struct dk_slice slice[DK_REQUEST_MAX_EVENTS];
};

/* ------------------------------------------------------------------------------ connections */

static int connect_client(struct dk_sender *sender, struct dk_err *err)
{
    dk_client_close(&sender->client);
    sender->connections++;
    int rc = dk_client_open(&sender->client, sender->zmq, sender->config, "importer", err);
    return rc != 0 ? rc : dk_client_watch(sender->client, sender->zmq, err);
}

int dk_sender_new(struct dk_sender **sender, void *zmq, const struct dk_config *config,
                  const char *source, const struct dk_sender_owner *owner, struct dk_err *err)
{
    struct dk_sender *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return dk_err_set(err, DK_ENOMEM, "no memory for requests");
    }
    s->zmq = zmq;
    s->config = config;
    s->owner = *owner;
    (void)snprintf(s->name, sizeof s->name, "import/%s", source);
    for (size_t i = 0; i < PARCELS; i++) {
        dk_parcel_init(&s->parcel[i]);
        s->idle[s->idle_count++] = &s->parcel[i];
    }
    s->filling = s->idle[--s->idle_count];
    *sender = s;
    int rc = connect_client(s, err);
    rc = rc != 0 ? rc : dk_client_hello(s->client, s->name, HELLO_MS, &s->session, err);
    if (rc != 0) {
        dk_sender_free(sender);
        return rc;
    }
    s->next_number = s->session.last_number + 1;
    s->progress_us = dk_clock_boot_us();
    return 0;
}

void dk_sender_free(struct dk_sender **sender)
{
    struct dk_sender *s = *sender;
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < PARCELS; i++) {
        dk_parcel_close(&s->parcel[i]);
    }
    dk_client_close(&s->client);
    free(s);
    *sender = NULL;
}

const struct dk_session *dk_sender_session(const struct dk_sender *sender)
{
    return &sender->session;
}

struct dk_client *dk_sender_client(const struct dk_sender *sender)
{
    return sender->client;
}

struct dk_parcel *dk_sender_parcel(struct dk_sender *sender)
{
    return sender->filling;
}

uint64_t dk_sender_accepted(const struct dk_sender *sender)
{
    return sender->accepted;
}

/* ---------------------------------------------------------------------------------- sending */

static int send_parcel(struct dk_sender *sender, struct dk_parcel *parcel, uint64_t first_number,
                       struct dk_err *err)
{
    dk_parcel_number(parcel, sender->session.producer, first_number, sender->slice);
    return dk_client_send_append(sender->client, sender->slice, NULL, parcel->count, true,
                                 &parcel->request, err);
}

/* Whether to wait on for the broker: 0, or the error that ends the import. */
static int check_patience(const struct dk_sender *sender, struct dk_err *err)
{
    if (sender->owner.stopped(sender->owner.arg)) {
        return dk_err_set(err, DK_ETIMEOUT, "interrupted");
    }
    if (dk_clock_boot_us() - sender->progress_us > PATIENCE_US) {
        return dk_err_set(err, DK_ETIMEOUT,
                          "the broker takes nothing any more: see that it runs, and run the import "
                          "again, it goes on where it stood");
    }
    return 0;
}

static void pause_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&time, NULL);
}

/* Hello on a new connection, as often as it takes. */
static int greet_again(struct dk_sender *sender, struct dk_session *session, struct dk_err *err)
{
    for (bool told = false;; told = true) {
        int rc = connect_client(sender, err);
        rc = rc != 0 ? rc
                     : dk_client_hello(sender->client, sender->name, HELLO_MS / 5, session, err);
        if (rc != DK_ETIMEOUT) {
            return rc;
        }
        if (!told) {
            sender->owner.on_note(sender->owner.arg, "the broker does not answer: waiting for it");
        }
        rc = check_patience(sender, err);
        if (rc != 0) {
            return rc;
        }
    }
}

/* The broker's last number must be one of ours, not answered before. */
static int check_lease(const struct dk_sender *sender, const struct dk_session *session,
                       struct dk_err *err)
{
    if (memcmp(session->log_uuid, sender->session.log_uuid, sizeof session->log_uuid) != 0) {
        return dk_err_set(err, DK_EDIVERGED, "another log stands where the import began");
    }
    if (session->last_number >= sender->next_number) {
        return dk_err_set(err, DK_EFENCED,
                          "another import of this source has run meanwhile: run this one again");
    }
    return 0;
}

/* Connects anew and sends what is in flight again. */
static int resume(struct dk_sender *sender, struct dk_err *err)
{
    struct dk_session session;
    int rc = check_patience(sender, err);
    rc = rc != 0 ? rc : greet_again(sender, &session, err);
    rc = rc != 0 ? rc : check_lease(sender, &session, err);
    if (rc != 0) {
        return rc;
    }
    sender->session = session;
    uint64_t number = session.last_number + 1;
    for (size_t i = 0; rc == 0 && i < sender->flight_count; i++) {
        struct dk_parcel *parcel = sender->flight[i];
        bool seen = parcel->first_number <= session.last_number;
        rc = send_parcel(sender, parcel, seen ? parcel->first_number : number, err);
        number += seen ? 0 : parcel->count;
    }
    sender->next_number = number;
    return rc;
}

/* ---------------------------------------------------------------------------------- answers */

static struct dk_parcel *find_flight(struct dk_sender *sender, uint64_t request, size_t *index)
{
    for (size_t i = 0; i < sender->flight_count; i++) {
        if (sender->flight[i]->request == request) {
            *index = i;
            return sender->flight[i];
        }
    }
    return NULL;
}

static void leave_flight(struct dk_sender *sender, size_t index)
{
    sender->flight_count--;
    memmove(&sender->flight[index], &sender->flight[index + 1],
            (sender->flight_count - index) * sizeof sender->flight[0]);
}

static int take_accepted(struct dk_sender *sender, size_t index, const Docket__Appended *appended,
                         struct dk_err *err)
{
    struct dk_parcel *parcel = sender->flight[index];
    if (appended->n_opened != parcel->opened_count) {
        return dk_err_set(
            err, DK_ESTALE,
            "the broker does not remember its answers any more: run the import again, "
            "it goes on where it stood");
    }
    for (size_t i = 0; i < parcel->opened_count; i++) {
        sender->owner.on_opened(sender->owner.arg, parcel->opened[i], appended->opened[i]);
    }
    sender->accepted += appended->accepted;
    sender->progress_us = dk_clock_boot_us();
    sender->told = false;
    leave_flight(sender, index);
    dk_parcel_clear(parcel);
    sender->idle[sender->idle_count++] = parcel;
    return 0;
}

/* A refused parcel goes again, under new numbers: its old ones are used up. */
static int send_anew(struct dk_sender *sender, size_t index, struct dk_err *err)
{
    struct dk_parcel *parcel = sender->flight[index];
    leave_flight(sender, index);
    if (parcel->count == 0) {
        sender->idle[sender->idle_count++] = parcel;
        return 0;
    }
    sender->flight[sender->flight_count++] = parcel;
    uint64_t number = sender->next_number;
    sender->next_number += parcel->count;
    return send_parcel(sender, parcel, number, err);
}

/* An event cannot go in: the others go without it. */
static int drop_refused(struct dk_sender *sender, size_t index, size_t event_index,
                        const struct dk_err *why, struct dk_err *err)
{
    struct dk_parcel *parcel = sender->flight[index];
    if (event_index >= parcel->count) {
        return dk_err_set(err, DK_EINVAL, "the broker refuses an event that was not sent");
    }
    const struct dk_parcel_event event = parcel->event[event_index];
    size_t dropped = dk_parcel_drop(parcel, event_index);
    sender->progress_us = dk_clock_boot_us();
    sender->owner.on_refused(sender->owner.arg, &event, dropped, why);
    return send_anew(sender, index, err);
}

static int take_refused(struct dk_sender *sender, size_t index, const Docket__Refusal *refusal,
                        struct dk_err *err)
{
    struct dk_err why;
    switch (dk_refusal_error(refusal, &why)) {
    case DK_EFENCED:
        return dk_err_set(err, DK_EFENCED, "another import of this source has taken over");
    case DK_EREUSED: *err = why; return why.code;
    case DK_EHELLO: return resume(sender, err);
    case DK_EORDER:
        /* Refused before, and a broker that was restarted since does not know why any more. */
        if (sender->flight[index]->first_number <= sender->session.last_number) {
            return send_anew(sender, index, err);
        }
        return resume(sender, err);
    default: return drop_refused(sender, index, refusal->index, &why, err);
    }
}

static int take_appended(struct dk_sender *sender, const Docket__Appended *appended,
                         struct dk_err *err)
{
    size_t index = 0;
    if (find_flight(sender, appended->request, &index) == NULL) {
        return 0; /* of before the last connection */
    }
    return appended->n_refused == 0 ? take_accepted(sender, index, appended, err)
                                    : take_refused(sender, index, appended->refused[0], err);
}

/* A whole request was refused. What passes is waited for; nothing of it was taken in, so it and all
 * that followed it goes again. */
static int take_failure(struct dk_sender *sender, const Docket__Reply *reply, struct dk_err *err)
{
    size_t index = 0;
    if (find_flight(sender, reply->id, &index) == NULL) {
        return 0;
    }
    int code = reply->failure->code;
    (void)dk_err_set(err, code < 0 ? code : DK_EINVAL, "%.*s", (int)reply->failure->sentence.len,
                     (const char *)reply->failure->sentence.data);
    if (code != DK_EBUSY && code != DK_ENOSPACE && code != DK_ECLOCK) {
        return err->code;
    }
    if (code != DK_EBUSY && !sender->told) {
        sender->owner.on_note(sender->owner.arg, err->message);
        sender->told = true;
    }
    pause_ms(PAUSE_MS);
    int rc = check_patience(sender, err);
    return rc != 0 ? rc : resume(sender, err);
}

static int take_reply(struct dk_sender *sender, const Docket__Reply *reply, struct dk_err *err)
{
    if (reply->result_case == DOCKET__REPLY__RESULT_FAILURE) {
        return take_failure(sender, reply, err);
    }
    if (reply->result_case != DOCKET__REPLY__RESULT_APPENDED) {
        return 0;
    }
    const Docket__AppendedList *list = reply->appended;
    int rc = 0;
    /* After a resume the reply's memory is gone, and what else it says is asked for again. */
    uint64_t connections = sender->connections;
    for (size_t i = 0; rc == 0 && connections == sender->connections && i < list->n_appended; i++) {
        rc = take_appended(sender, list->appended[i], err);
    }
    return rc;
}

/* Waits for one reply, and takes it. */
static int await_answer(struct dk_sender *sender, struct dk_err *err)
{
    const Docket__Reply *reply = NULL;
    int64_t until_us = dk_clock_boot_us() + ANSWER_MS * 1000;
    int rc;
    while ((rc = dk_client_receive(sender->client, STEP_MS, &reply, NULL, err)) == DK_ETIMEOUT) {
        rc = check_patience(sender, err);
        if (rc != 0) {
            return rc;
        }
        if (dk_client_lost(sender->client) || dk_clock_boot_us() > until_us) {
            return resume(sender, err);
        }
    }
    return rc != 0 ? rc : take_reply(sender, reply, err);
}

/* --------------------------------------------------------------------------------- the window */

int dk_sender_flush(struct dk_sender *sender, struct dk_err *err)
{
    struct dk_parcel *parcel = sender->filling;
    int rc = 0;
    if (parcel->count == 0) {
        return 0;
    }
    while (rc == 0 && sender->flight_count == DK_SENDER_WINDOW) {
        rc = await_answer(sender, err);
    }
    if (rc != 0) {
        return rc;
    }
    sender->flight[sender->flight_count++] = parcel;
    sender->filling = sender->idle[--sender->idle_count];
    dk_parcel_clear(sender->filling);
    uint64_t number = sender->next_number;
    sender->next_number += parcel->count;
    return send_parcel(sender, parcel, number, err);
}

int dk_sender_drain(struct dk_sender *sender, struct dk_err *err)
{
    int rc = dk_sender_flush(sender, err);
    while (rc == 0 && sender->flight_count > 0) {
        rc = await_answer(sender, err);
    }
    return rc;
}
