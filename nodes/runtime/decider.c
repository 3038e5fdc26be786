#include "nodes/runtime/decider.h"
#include "nodes/runtime/flight.h"
#include "proto/base/say.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct dk_decider {
    struct dk_folder *folder;
    struct dk_decider_output output;
    struct dk_flight *flight;
    struct dk_agenda *pauses; /* after refusals, by the boot clock: the broker's may stand still */
    struct dk_intents intents;
    struct dk_buf out;
    uint64_t next_request;

    uint64_t head;      /* the latest known */
    uint64_t live_from; /* no decision before this is folded */
    bool in_session;
    bool said_live;
    uint64_t hello_request;
    uint64_t hello_folded; /* what was folded when it was said */
    int64_t hello_boot_us;
    uint64_t producer, next_number;

    int64_t broker_us, heard_boot_us; /* the broker's time when it was last heard */
    int64_t
        behind_boot_us; /* since when it announces less than is folded; INT64_MAX: it does not */
};

struct dk_decider *dk_decider_new(struct dk_folder *folder, const struct dk_decider_output *output,
                                  uint64_t first_request)
{
    struct dk_decider *decider = calloc(1, sizeof *decider);
    const struct dk_role_ops *ops = dk_folder_ops(folder);
    DK_ASSERT(decider != NULL);
    decider->folder = folder;
    decider->output = *output;
    decider->next_request = first_request != 0 ? first_request : 1;
    decider->flight = dk_flight_new();
    decider->pauses = dk_agenda_new();
    decider->hello_boot_us = INT64_MIN / 2;
    decider->behind_boot_us = INT64_MAX;
    dk_intents_init(&decider->intents, ops->role, ops->rule_version);
    dk_buf_init(&decider->out, DK_FRAME_MAX_BYTES);
    return decider;
}

void dk_decider_free(struct dk_decider **decider)
{
    struct dk_decider *d = *decider;
    if (d != NULL) {
        dk_flight_free(&d->flight);
        dk_agenda_free(&d->pauses);
        dk_intents_close(&d->intents);
        dk_buf_close(&d->out);
        free(d);
        *decider = NULL;
    }
}

static bool folded(const struct dk_decider *decider, uint64_t head)
{
#ifdef DK_BUG_INTENTS_DURING_CATCHUP /* planted, for the simulator to find */
    (void)decider, (void)head;
    return true;
#else
    return dk_folder_position(decider->folder) >= head;
#endif
}

bool dk_decider_live(const struct dk_decider *decider)
{
    return decider->in_session && folded(decider, decider->live_from);
}

int64_t dk_decider_now_us(const struct dk_decider *decider, int64_t boot_us)
{
    int64_t now_us = decider->broker_us + (boot_us - decider->heard_boot_us);
    int64_t recorded_us = dk_folder_world(decider->folder)->recorded_us;
    /* Records may come before an announcement tells their time: what is folded has happened. */
    return now_us > recorded_us ? now_us : recorded_us;
}

int64_t dk_decider_next_us(const struct dk_decider *decider, int64_t boot_us)
{
    int64_t due_us = dk_folder_next_due_us(decider->folder);
    int64_t next_us = dk_agenda_due_us(decider->pauses);
    if (!dk_decider_live(decider)) {
        return INT64_MAX;
    }
    if (due_us != INT64_MAX) {
        int64_t now_us = dk_decider_now_us(decider, boot_us);
        int64_t at_us = due_us <= now_us ? boot_us : boot_us + (due_us - now_us);
        next_us = at_us < next_us ? at_us : next_us;
    }
    return next_us > boot_us ? next_us : boot_us;
}

void dk_decider_pace(const struct dk_decider *decider, int64_t boot_us, struct dk_pace *pace)
{
    *pace = (struct dk_pace){
        .live = dk_decider_live(decider),
        .position = dk_folder_position(decider->folder),
        .head = decider->head,
        .now_us = dk_decider_now_us(decider, boot_us),
        .due_us = dk_folder_next_due_us(decider->folder),
        .in_flight = dk_flight_events(decider->flight),
    };
}

static void heard(struct dk_decider *decider, uint64_t head, int64_t now_us, int64_t boot_us)
{
    decider->head = head > decider->head ? head : decider->head;
    decider->broker_us = now_us;
    decider->heard_boot_us = boot_us;
}

void dk_decider_announce(struct dk_decider *decider, uint64_t head, int64_t now_us, int64_t boot_us)
{
    heard(decider, head, now_us, boot_us);
    if (head >= dk_folder_position(decider->folder)) {
        decider->behind_boot_us = INT64_MAX;
    } else if (decider->behind_boot_us == INT64_MAX) {
        decider->behind_boot_us = boot_us;
    }
}

/* ---------------------------------------------------------------- session */

static bool send_request(struct dk_decider *decider, Docket__Request *request, uint64_t *id)
{
    request->id = *id = decider->next_request++;
    request->protocol = DK_PROTOCOL;
    dk_buf_clear(&decider->out);
    uint8_t *at = dk_buf_extend(&decider->out, docket__request__get_packed_size(request));
    DK_ASSERT(at != NULL);
    (void)docket__request__pack(request, at);
    return decider->output.send(decider->output.arg, decider->out.data, decider->out.size);
}

static ProtobufCBinaryData bytes_of(const char *text)
{
    return (ProtobufCBinaryData){strlen(text), (uint8_t *)(uintptr_t)text};
}

static void say_hello(struct dk_decider *decider, int64_t boot_us)
{
    Docket__Hello hello = DOCKET__HELLO__INIT;
    Docket__Request request = DOCKET__REQUEST__INIT;
    hello.name = bytes_of(dk_folder_ops(decider->folder)->name);
    request.op_case = DOCKET__REQUEST__OP_HELLO;
    request.hello = &hello;
    decider->hello_boot_us = boot_us;
    decider->hello_folded = dk_folder_position(decider->folder);
    (void)send_request(decider, &request, &decider->hello_request);
}

/* `hello` says when: at once, or when a beat finds that there is no session. */
enum hello { HELLO_NOW, HELLO_LATER };

static void lose_session(struct dk_decider *decider, const char *why, enum hello hello,
                         int64_t boot_us)
{
    uint64_t item;
    if (decider->in_session) {
        dk_say(DK_WARN, "session-lost", "reason=\"%s\"", why);
    }
    decider->in_session = false;
    decider->said_live = false;
    while (dk_flight_drop(decider->flight, &item)) {
        dk_folder_touch(decider->folder, item, 0);
    }
    decider->hello_boot_us = boot_us;
    decider->hello_request = 0;
    if (hello == HELLO_NOW) {
        say_hello(decider, boot_us);
    }
}

static int on_hello_reply(struct dk_decider *decider, const Docket__HelloReply *reply,
                          int64_t boot_us)
{
    /* What came in while the answer was under way may be folded already. */
    if (reply->head < decider->hello_folded) {
        return DK_EDIVERGED;
    }
    decider->in_session = true;
    decider->producer = reply->producer;
    decider->next_number = reply->last_number + 1;
    decider->live_from = reply->head;
    heard(decider, reply->head, reply->now_us, boot_us);
    return 0;
}

/* The item is considered again after a pause. An answer from before the session was lost tells
 * nothing new. */
static void land_refused(struct dk_decider *decider, uint64_t request, bool some_accepted,
                         int64_t boot_us)
{
    uint64_t item;
    int64_t pause_us;
    if (dk_flight_refused(decider->flight, request, some_accepted, &item, &pause_us)) {
        dk_agenda_schedule(decider->pauses, item, boot_us + pause_us);
    }
}

/* The first refusal that is not of a stale basis, or the first. */
static const Docket__Refusal *gravest(const Docket__Appended *appended)
{
    for (size_t i = 0; i < appended->n_refused; i++) {
        if (appended->refused[i]->code != DK_ESTALE) {
            return appended->refused[i];
        }
    }
    return appended->refused[0];
}

/* Whether a refusal is about the session, not about what was decided: then it is lost, with all
 * that was in flight. */
static bool ends_session(struct dk_decider *decider, int code, int64_t boot_us)
{
    if (code == DK_EHELLO || code == DK_EORDER) {
        lose_session(decider, "the broker does not know the session", HELLO_NOW, boot_us);
        return true;
    }
    if (code == DK_EFENCED) {
        lose_session(decider, "another node of this role took over", HELLO_LATER, boot_us);
        return true;
    }
    return false;
}

static void on_refused(struct dk_decider *decider, const Docket__Appended *appended,
                       int64_t boot_us)
{
    const Docket__Refusal *refusal = gravest(appended);
    if (!dk_flight_knows(decider->flight, appended->request) ||
        ends_session(decider, refusal->code, boot_us)) {
        return;
    }
    land_refused(decider, appended->request, appended->accepted > 0, boot_us);
    if (refusal->code != DK_ESTALE) {
        dk_say(DK_WARN, "decision-refused", "code=%.*s reason=\"%.*s\"", (int)refusal->name.len,
               (const char *)refusal->name.data, (int)refusal->sentence.len,
               (const char *)refusal->sentence.data);
    }
}

static void on_appended(struct dk_decider *decider, const Docket__Appended *appended,
                        int64_t boot_us)
{
    /* Position 0: none, or accepted before and not known any more where; the head holds it. */
    uint64_t last =
        appended->position != 0 ? appended->position + appended->accepted - 1 : decider->head;
    decider->head = last > decider->head ? last : decider->head;
    if (appended->n_refused == 0) {
        (void)dk_flight_accepted(decider->flight, appended->request, last);
    } else {
        on_refused(decider, appended, boot_us);
    }
}

/* A request that could not be judged: an Append then counts as refused, and its numbers as not
 * seen, so that the next one ends the session. */
static void on_failure(struct dk_decider *decider, uint64_t request, const Docket__Failure *failure,
                       int64_t boot_us)
{
    land_refused(decider, request, false, boot_us);
    dk_say(DK_WARN, "request-failed", "reason=\"%.*s\"", (int)failure->sentence.len,
           (const char *)failure->sentence.data);
}

int dk_decider_reply(struct dk_decider *decider, const Docket__Reply *reply, int64_t boot_us)
{
    switch (reply->result_case) {
    case DOCKET__REPLY__RESULT_HELLO:
        return reply->id == decider->hello_request ? on_hello_reply(decider, reply->hello, boot_us)
                                                   : 0;
    case DOCKET__REPLY__RESULT_APPENDED:
        for (size_t i = 0; i < reply->appended->n_appended; i++) {
            on_appended(decider, reply->appended->appended[i], boot_us);
        }
        return 0;
    case DOCKET__REPLY__RESULT_FAILURE:
        on_failure(decider, reply->id, reply->failure, boot_us);
        return 0;
    default: return 0;
    }
}

static void send_heartbeat(struct dk_decider *decider, const char *query_endpoint)
{
    Docket__Heartbeat beat = DOCKET__HEARTBEAT__INIT;
    Docket__Request request = DOCKET__REQUEST__INIT;
    const struct dk_role_ops *ops = dk_folder_ops(decider->folder);
    uint64_t id;
    beat.role = bytes_of(ops->name);
    beat.position = dk_folder_position(decider->folder);
    beat.state_hash = dk_folder_hash(decider->folder);
    beat.fold_version = ops->fold_version;
    beat.pending_intents = (uint32_t)dk_flight_events(decider->flight);
    beat.has_query_endpoint = 1;
    beat.query_endpoint = bytes_of(query_endpoint);
    beat.has_health = 1;
    beat.health = bytes_of(dk_decider_live(decider) ? "ok"
                           : decider->in_session    ? "catching up"
                                                    : "no session");
    request.op_case = DOCKET__REQUEST__OP_HEARTBEAT;
    request.heartbeat = &beat;
    (void)send_request(decider, &request, &id);
}

void dk_decider_beat(struct dk_decider *decider, const char *query_endpoint, int64_t boot_us)
{
    if (!decider->in_session) {
        if (boot_us - decider->hello_boot_us >= DK_DECIDER_HELLO_US) {
            say_hello(decider, boot_us);
        }
    } else if (dk_flight_oldest_us(decider->flight, boot_us) > DK_DECIDER_UNANSWERED_US) {
        lose_session(decider, "the broker does not answer", HELLO_NOW, boot_us);
    } else if (boot_us - decider->behind_boot_us > DK_DECIDER_BEHIND_US) {
        lose_session(decider, "the broker's log ends before what is folded", HELLO_NOW, boot_us);
    }
    send_heartbeat(decider, query_endpoint);
}

/* ---------------------------------------------------------------- folding and deciding */

bool dk_decider_wants(const struct dk_decider *decider, uint64_t *from)
{
    *from = dk_folder_position(decider->folder) + 1;
    return *from <= decider->head;
}

int dk_decider_fold(struct dk_decider *decider, const uint8_t *record, size_t bytes,
                    struct dk_err *err)
{
    return dk_folder_apply(decider->folder, record, bytes, err);
}

bool dk_decider_append(struct dk_decider *decider, uint64_t item, const struct dk_intents *intents,
                       int64_t boot_us)
{
    struct dk_slice event[DK_INTENTS_MAX];
    if (!dk_decider_live(decider) || dk_flight_has(decider->flight, item) ||
        dk_flight_events(decider->flight) + intents->count > DK_DECIDER_IN_FLIGHT) {
        return false;
    }
    for (size_t i = 0; i < intents->count; i++) {
        event[i] = dk_intents_event(intents, i);
        uint8_t *record = (uint8_t *)(uintptr_t)event[i].data;
        dk_stamp_producer(record, decider->producer);
        dk_stamp_producer_number(record, decider->next_number + i);
    }
    dk_buf_clear(&decider->out);
    if (dk_append_write(&decider->out, decider->next_request, event, NULL, intents->count, 0) !=
            0 ||
        !decider->output.send(decider->output.arg, decider->out.data, decider->out.size)) {
        return false;
    }
    decider->next_number += intents->count;
    dk_flight_sent(decider->flight, decider->next_request++, item, intents->count, boot_us);
    return true;
}

/* One item. false when it could not be sent: it stays touched. */
static bool consider(struct dk_decider *decider, uint64_t item, int64_t boot_us)
{
    dk_folder_consider(decider->folder, item, dk_decider_now_us(decider, boot_us),
                       &decider->intents);
    if (decider->intents.count == 0) {
        dk_flight_settled(decider->flight, item);
        return true;
    }
    if (!dk_decider_append(decider, item, &decider->intents, boot_us)) {
        dk_folder_touch(decider->folder, item, 0);
        return false;
    }
    return true;
}

bool dk_decider_step(struct dk_decider *decider, int64_t boot_us, int most)
{
    uint64_t item;
    if (!dk_decider_live(decider) || !folded(decider, decider->head)) {
        return false;
    }
    if (!decider->said_live) {
        decider->said_live = true;
        dk_say(DK_INFO, "live", "position=%" PRIu64, dk_folder_position(decider->folder));
    }
    while (dk_flight_landed(decider->flight, dk_folder_position(decider->folder), &item)) {
        dk_folder_touch(decider->folder, item, 0);
    }
    while (dk_agenda_next(decider->pauses, boot_us, &item)) {
        dk_folder_touch(decider->folder, item, 0);
    }
    for (int i = 0; i < most; i++) {
        if (dk_flight_events(decider->flight) + DK_INTENTS_MAX > DK_DECIDER_IN_FLIGHT ||
            !dk_folder_next_item(decider->folder, dk_decider_now_us(decider, boot_us), &item)) {
            return false;
        }
        /* What flies is touched again when it has landed. */
        if (!dk_flight_has(decider->flight, item) && !consider(decider, item, boot_us)) {
            return false;
        }
    }
    return true;
}
