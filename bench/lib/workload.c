#include "bench/lib/workload.h"
#include "proto/event/body.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICKETS         512 /* worked on at one time; a new one takes the place of the oldest */
#define EVENTS_A_TICKET 11
#define VARIANTS        16 /* of each kind */
#define SITE_UNNAMED    0xffff

enum shape {
    OPENED,
    MESSAGE,
    NOTE,
    PRIORITY,
    TIME_LOGGED,
    PENDING, /* status */
    REOPENED,
    SHAPES
};

struct template
{
    size_t bytes;
    uint8_t record[DK_WORKLOAD_RECORD_MAX];
};

struct ticket {
    uint64_t id;
    bool pending;
};

struct dk_workload {
    uint64_t number;
    uint64_t random;
    uint64_t opened_in_request;
    struct template template[SHAPES][VARIANTS];
    struct ticket ticket[TICKETS];
    size_t ticket_count; /* ever opened */
};

/* xorshift64*: cheap, and the same everywhere. */
static uint64_t random_next(struct dk_workload *workload)
{
    uint64_t x = workload->random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    workload->random = x;
    return x * UINT64_C(0x2545f4914f6cdd1d);
}

static unsigned choose(struct dk_workload *workload, unsigned count)
{
    return (unsigned)((random_next(workload) >> 32) * count >> 32);
}

/* ---------------------------------------------------------------- templates */

/* The body of a shape, in variant `v`, with `text` where it has one. */
union body {
    ProtobufCMessage base;
    Docket__Opened opened;
    Docket__MessagePublic message;
    Docket__NoteAdded note;
    Docket__Classified classified;
    Docket__TimeLogged time_logged;
    Docket__StatusChanged status;
};

static uint32_t fill_body(union body *body, enum shape shape, unsigned v, Docket__Text *text)
{
    switch (shape) {
    case OPENED:
        body->opened = (Docket__Opened)DOCKET__OPENED__INIT;
        body->opened.has_customer = 1;
        body->opened.customer = dk_id_make(DK_SUBJECT_CUSTOMER, 1000 + v);
        body->opened.has_channel = 1;
        body->opened.channel = DOCKET__CHANNEL__CHANNEL_WEB;
        body->opened.has_priority = 1;
        body->opened.priority = DOCKET__PRIORITY__PRIORITY_NORMAL;
        body->opened.subject = text;
        return DK_KIND_OPENED;
    case MESSAGE:
        body->message = (Docket__MessagePublic)DOCKET__MESSAGE_PUBLIC__INIT;
        body->message.direction = DOCKET__DIRECTION__DIRECTION_INBOUND;
        body->message.text = text;
        return DK_KIND_MESSAGE_PUBLIC;
    case NOTE:
        body->note = (Docket__NoteAdded)DOCKET__NOTE_ADDED__INIT;
        body->note.text = text;
        return DK_KIND_NOTE_ADDED;
    case PRIORITY:
        body->classified = (Docket__Classified)DOCKET__CLASSIFIED__INIT;
        body->classified.has_priority = 1;
        body->classified.priority = (Docket__Priority)(1 + v % 4);
        return DK_KIND_CLASSIFIED;
    case TIME_LOGGED:
        body->time_logged = (Docket__TimeLogged)DOCKET__TIME_LOGGED__INIT;
        body->time_logged.seconds = 60 * (1 + v);
        body->time_logged.text = text;
        return DK_KIND_TIME_LOGGED;
    default:
        body->status = (Docket__StatusChanged)DOCKET__STATUS_CHANGED__INIT;
        body->status.status =
            shape == PENDING ? DOCKET__STATUS__STATUS_PENDING : DOCKET__STATUS__STATUS_OPEN;
        body->status.has_pending = shape == PENDING;
        body->status.pending = DOCKET__PENDING__PENDING_CUSTOMER;
        return DK_KIND_STATUS_CHANGED;
    }
}

/* What the desk does with a ticket its agent does. */
static uint64_t actor_of(enum shape shape, unsigned v)
{
    bool by_customer = shape == OPENED || shape == MESSAGE;
    return dk_id_make(by_customer ? DK_ACTOR_CUSTOMER : DK_ACTOR_AGENT,
                      by_customer ? 1000 + v : dk_id_of_key(DK_SUBJECT_AGENT, "ada", 3, NULL));
}

static int make_template(struct template *template, enum shape shape, unsigned v, uint64_t producer,
                         struct dk_err *err)
{
    static const char words[] =
        "The network printer on the second floor stops after one page and asks for paper, though "
        "both of its trays are full; turning it off and on again helps for an hour at most.";
    struct dk_buf out;
    union body body;
    Docket__Text text = DOCKET__TEXT__INIT;
    struct dk_envelope envelope = {.producer = producer, .actor = actor_of(shape, v)};
    size_t length = 66 + 5 * v;
    text.has_plain = 1;
    text.plain = (ProtobufCBinaryData){length < sizeof words ? length : sizeof words - 1,
                                       (uint8_t *)(uintptr_t)words};
    dk_buf_init(&out, DK_WORKLOAD_RECORD_MAX * 2);
    uint32_t kind = fill_body(&body, shape, v, &text);
    int rc = dk_event_encode(&out, &envelope, kind, &body.base, err);
    if (rc == 0) {
        DK_ASSERT(out.size <= sizeof template->record);
        template->bytes = out.size;
        memcpy(template->record, out.data, out.size);
    }
    dk_buf_close(&out);
    return rc;
}

int dk_workload_new(struct dk_workload **workload, uint64_t producer, uint64_t last_number,
                    uint64_t seed, struct dk_err *err)
{
    struct dk_workload *w = calloc(1, sizeof *w);
    DK_ASSERT(w != NULL);
    w->number = last_number;
    w->random = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
    int rc = 0;
    for (unsigned shape = 0; rc == 0 && shape < SHAPES; shape++) {
        for (unsigned v = 0; rc == 0 && v < VARIANTS; v++) {
            rc = make_template(&w->template[shape][v], shape, v, producer, err);
        }
    }
    *workload = w;
    if (rc != 0) {
        dk_workload_free(workload);
    }
    return rc;
}

void dk_workload_free(struct dk_workload **workload)
{
    free(*workload);
    *workload = NULL;
}

/* ---------------------------------------------------------------- the stream */

void dk_workload_begin(struct dk_workload *workload)
{
    workload->opened_in_request = 0;
}

void dk_workload_opened(struct dk_workload *workload, uint64_t ticket)
{
    workload->ticket[workload->ticket_count++ % TICKETS] = (struct ticket){.id = ticket};
}

/* What is done to a ticket next, in the proportions of a desk's day. */
static enum shape choose_shape(struct dk_workload *workload, struct ticket *ticket)
{
    static const enum shape often[] = {MESSAGE, MESSAGE, MESSAGE,  MESSAGE,     NOTE,
                                       NOTE,    NOTE,    PRIORITY, TIME_LOGGED, PENDING};
    enum shape shape = often[choose(workload, sizeof often / sizeof often[0])];
    if (shape == PENDING && ticket->pending) {
        shape = REOPENED;
    }
    if (shape == PENDING || shape == REOPENED || shape == MESSAGE) {
        ticket->pending = shape == PENDING; /* a customer's message reopens, too */
    }
    return shape;
}

const uint8_t *dk_workload_next(struct dk_workload *workload, size_t *bytes)
{
    size_t count = workload->ticket_count < TICKETS ? workload->ticket_count : TICKETS;
    enum shape shape = OPENED;
    uint64_t subject;
    if (count == 0 || choose(workload, EVENTS_A_TICKET) == 0) {
        subject = dk_ticket_make(SITE_UNNAMED, workload->opened_in_request++);
    } else {
        struct ticket *ticket = &workload->ticket[choose(workload, (unsigned)count)];
        shape = choose_shape(workload, ticket);
        subject = ticket->id;
    }
    struct template *template = &workload->template[shape][choose(workload, VARIANTS)];
    dk_stamp_subject(template->record, subject);
    dk_stamp_producer_number(template->record, ++workload->number);
    *bytes = template->bytes;
    return template->record;
}
