#include "nodes/notification/delivery/delivery.h"
#include "nodes/notification/delivery/files.h"
#include "nodes/notification/delivery/lanes.h"
#include "nodes/notification/delivery/webhooks.h"
#include "nodes/notification/message.h"
#include "nodes/notification/notification.h"
#include "nodes/runtime/flight.h"
#include "proto/base/say.h"
#include "proto/base/time.h"
#include "proto/event/body.h"
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* One of the notices in flight. */
struct job {
    uint64_t notice; /* 0 = free */
    uint64_t ticket;
    uint64_t requested; /* position of its request */
    uint32_t attempts;  /* this one included */
    bool finished;      /* with `outcome`: to be told to the log until it is folded */
    struct dk_outcome outcome;
    uint32_t reports;  /* appended so far */
    int64_t report_us; /* not before */
};

/* A record read from the log, and its body. */
struct reading {
    struct dk_records records;
    struct dk_arena arena;
    struct dk_envelope envelope;
};

struct dk_delivery {
    struct ev_loop *loop;
    struct dk_node *node; /* its clock may be set; pauses are measured by the boot clock */
    void *role;           /* the notification role's state */
    struct dk_source *source;
    struct dk_zone *zone;
    struct dk_lanes *lanes;
    struct dk_files *files;
    struct dk_webhooks *webhooks;
    struct ev_timer timer;
    uint64_t seen; /* requests up to this position are in the lanes */
    struct job job[DK_LANES_IN_FLIGHT];
    struct reading request, cause, opened;
    struct dk_buf json;
    struct dk_intents intents;
};

/* ---------------------------------------------------------------- outcomes */

static struct job *find_job(struct dk_delivery *delivery, uint64_t notice)
{
    for (size_t i = 0; i < DK_LANES_IN_FLIGHT; i++) {
        if (delivery->job[i].notice == notice) {
            return &delivery->job[i];
        }
    }
    return NULL;
}

static void on_outcome(void *arg, uint64_t notice, const struct dk_outcome *outcome)
{
    struct dk_delivery *delivery = arg;
    struct job *job = find_job(delivery, notice);
    int64_t now_us = dk_clock_boot_us();
    DK_ASSERT(job != NULL);
    bool again = outcome->verdict == DK_TRY_AGAIN && job->attempts < DK_DELIVERY_ATTEMPTS;
    dk_say(outcome->verdict == DK_DELIVERED ? DK_DEBUG : DK_WARN,
           outcome->verdict == DK_DELIVERED ? "delivered" : "not-delivered",
           "notice=%016" PRIx64 " attempt=%u said=\"%s\" again=%s", notice, job->attempts,
           outcome->said, again ? "yes" : "no");
    if (again) {
        dk_lanes_failed(delivery->lanes, notice, outcome, now_us, randombytes_random());
        job->notice = 0;
        return;
    }
    dk_lanes_answered(delivery->lanes, notice, now_us);
    job->finished = true;
    job->outcome = *outcome;
}

/* ---------------------------------------------------------------- starting */

static const ProtobufCMessage *read_body(struct dk_delivery *delivery, struct reading *reading,
                                         uint64_t position, struct dk_err *err)
{
    size_t bytes;
    if (dk_source_record(delivery->source, position, &reading->records, err) != 0) {
        return NULL;
    }
    const uint8_t *record = dk_batch_record(&reading->records.batch, 0, &bytes);
    if (dk_event_verify(record, bytes, err) != 0) {
        return NULL;
    }
    dk_event_load(record, &reading->envelope);
    dk_arena_reset(&reading->arena);
    return dk_body_unpack(&reading->arena, record, bytes, err);
}

/* Renders the notice into `json`; its request's body, which holds the address, or NULL. */
static const Docket__NotificationRequested *make_message(struct dk_delivery *delivery,
                                                         const struct job *job,
                                                         const struct dk_notice *notice,
                                                         struct dk_err *err)
{
    struct dk_message message = {.id = job->notice,
                                 .notice = notice,
                                 .world = dk_folder_world(dk_node_folder(delivery->node)),
                                 .ticket = dk_notification_ticket(delivery->role, notice->ticket),
                                 .zone = delivery->zone,
                                 .cause = &delivery->cause.envelope};
    const ProtobufCMessage *request =
        read_body(delivery, &delivery->request, notice->requested, err);
    message.body =
        request != NULL ? read_body(delivery, &delivery->cause, notice->cause, err) : NULL;
    if (message.body == NULL) {
        return NULL;
    }
    if (message.ticket->opened != 0) {
        message.opened =
            (const void *)read_body(delivery, &delivery->opened, message.ticket->opened, err);
        if (message.opened == NULL) {
            return NULL;
        }
    }
    dk_buf_clear(&delivery->json);
    return dk_message_json(&message, &delivery->json, err) == 0 ? (const void *)request : NULL;
}

/* Hands the message to its transport; false with the outcome when it goes nowhere. */
static bool hand_over(struct dk_delivery *delivery, const struct job *job,
                      const Docket__NotificationRequested *request, struct dk_outcome *outcome)
{
    size_t address_bytes;
    const Docket__Text *text = request->recipient->address;
    const char *address = dk_text_plain(text, &address_bytes);
    if (text == NULL || text->sealed != NULL) {
        dk_outcome_set(outcome, DK_GIVE_UP,
                       text == NULL ? "there is no address" : "the address is sealed");
        return false;
    }
    switch (request->transport) {
    case DOCKET__TRANSPORT__TRANSPORT_FILE:
        return dk_files_write(delivery->files, address, address_bytes, job->notice,
                              delivery->json.data, delivery->json.size, outcome);
    case DOCKET__TRANSPORT__TRANSPORT_WEBHOOK:
        return dk_webhooks_post(delivery->webhooks, job->notice, address, address_bytes,
                                delivery->json.data, delivery->json.size, outcome);
    default: dk_outcome_set(outcome, DK_GIVE_UP, "this docket has no such transport"); return false;
    }
}

static void start(struct dk_delivery *delivery, uint64_t id)
{
    const struct dk_notice *notice = dk_notification_find(delivery->role, id);
    struct dk_attempts attempts;
    struct dk_outcome outcome;
    struct dk_err err = {0};
    if (notice == NULL) { /* given up by an operator while it waited */
        dk_lanes_done(delivery->lanes, id, dk_clock_boot_us());
        return;
    }
    struct job *job = find_job(delivery, 0);
    DK_ASSERT(job != NULL);
    dk_lanes_attempts(delivery->lanes, id, &attempts);
    *job = (struct job){.notice = id,
                        .ticket = notice->ticket,
                        .requested = notice->requested,
                        .attempts = attempts.count + 1};
    const Docket__NotificationRequested *request = make_message(delivery, job, notice, &err);
    if (request == NULL) {
        bool may_pass = err.code == DK_EIO || err.code == DK_ETIMEOUT || err.code == DK_EBUSY;
        dk_outcome_set(&outcome, may_pass ? DK_TRY_AGAIN : DK_GIVE_UP, "%s", err.message);
        on_outcome(delivery, id, &outcome);
    } else if (!hand_over(delivery, job, request, &outcome)) {
        on_outcome(delivery, id, &outcome);
    }
}

/* ---------------------------------------------------------------- telling the log */

static bool add_report(struct dk_intents *intents, const struct job *job)
{
    ProtobufCBinaryData said = {strlen(job->outcome.said), (uint8_t *)(uintptr_t)job->outcome.said};
    if (job->outcome.verdict == DK_DELIVERED) {
        Docket__NotificationSent sent = DOCKET__NOTIFICATION_SENT__INIT;
        sent.notice = job->notice;
        sent.has_attempts = sent.has_receipt = 1;
        sent.attempts = job->attempts;
        sent.receipt = said;
        return dk_intents_add(intents, job->ticket, DK_KIND_NOTIFICATION_SENT, &sent.base,
                              job->requested);
    }
    Docket__NotificationFailed failed = DOCKET__NOTIFICATION_FAILED__INIT;
    failed.notice = job->notice;
    failed.attempts = job->attempts;
    failed.final = 1;
    failed.has_error = 1;
    failed.error = said;
    return dk_intents_add(intents, job->ticket, DK_KIND_NOTIFICATION_FAILED, &failed.base,
                          job->requested);
}

static bool to_report(const struct job *job, uint64_t ticket, int64_t now_us)
{
    return job->notice != 0 && job->finished && job->ticket == ticket && job->report_us <= now_us;
}

/* Appends what became of a ticket's notices, in one request: one is in flight an item. A report
 * that was refused (the ticket moved on meanwhile) is made again on what is folded then, after a
 * pause that doubles. */
static void report(struct dk_delivery *delivery, uint64_t ticket, int64_t now_us)
{
    dk_intents_clear(&delivery->intents, dk_folder_position(dk_node_folder(delivery->node)));
    for (size_t i = 0; i < DK_LANES_IN_FLIGHT; i++) {
        if (to_report(&delivery->job[i], ticket, now_us)) {
            DK_ASSERT(add_report(&delivery->intents, &delivery->job[i]));
        }
    }
    if (!dk_node_append(delivery->node, ticket, &delivery->intents)) {
        return; /* no room, or a request is in flight for the ticket: the next turn tries */
    }
    for (size_t i = 0; i < DK_LANES_IN_FLIGHT; i++) {
        struct job *job = &delivery->job[i];
        if (to_report(job, ticket, now_us)) {
            int64_t pause_us = DK_FLIGHT_PAUSE_MIN_US << (job->reports < 14 ? job->reports : 14);
            job->report_us =
                now_us + (pause_us < DK_FLIGHT_PAUSE_MAX_US ? pause_us : DK_FLIGHT_PAUSE_MAX_US);
            job->reports++;
        }
    }
}

/* ---------------------------------------------------------------- a turn */

static void pick_up(struct dk_delivery *delivery, int64_t now_us)
{
    const struct dk_notice *notice;
    uint64_t id;
    while ((notice = dk_notification_next(delivery->role, delivery->seen, &id)) != NULL) {
        dk_lanes_add(delivery->lanes, id, notice->receiver, now_us);
        delivery->seen = notice->position;
    }
}

/* What the log has taken in makes room. */
static void let_go(struct dk_delivery *delivery, int64_t now_us)
{
    for (size_t i = 0; i < DK_LANES_IN_FLIGHT; i++) {
        struct job *job = &delivery->job[i];
        if (job->notice != 0 && job->finished &&
            dk_notification_find(delivery->role, job->notice) == NULL) {
            dk_lanes_done(delivery->lanes, job->notice, now_us);
            job->notice = 0;
        }
    }
}

static void schedule(struct dk_delivery *delivery, int64_t now_us)
{
    int64_t due_us = dk_lanes_due_us(delivery->lanes);
    for (size_t i = 0; i < DK_LANES_IN_FLIGHT; i++) {
        const struct job *job = &delivery->job[i];
        if (job->notice != 0 && job->finished && job->report_us > now_us &&
            job->report_us < due_us) {
            due_us = job->report_us;
        }
    }
    ev_timer_stop(delivery->loop, &delivery->timer);
    if (due_us != INT64_MAX) {
        double in_s = due_us <= now_us ? 0. : (double)(due_us - now_us) / 1e6;
        ev_timer_set(&delivery->timer, in_s < 0.001 ? 0.001 : in_s, 0.);
        ev_timer_start(delivery->loop, &delivery->timer);
    }
}

static void on_turn(void *arg)
{
    struct dk_delivery *delivery = arg;
    int64_t now_us = dk_clock_boot_us();
    uint64_t notice;
    if (!dk_node_live(delivery->node)) {
        return;
    }
    pick_up(delivery, now_us);
    let_go(delivery, now_us);
    while (dk_lanes_next(delivery->lanes, now_us, &notice)) {
        start(delivery, notice);
    }
    dk_files_sync(delivery->files, on_outcome, delivery);
    for (size_t i = 0; i < DK_LANES_IN_FLIGHT; i++) {
        if (to_report(&delivery->job[i], delivery->job[i].ticket, now_us)) {
            report(delivery, delivery->job[i].ticket, now_us);
        }
    }
    schedule(delivery, now_us);
}

static void on_timer(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
    (void)loop;
    (void)revents;
    on_turn(timer->data);
}

static void on_posted(void *arg, uint64_t notice, const struct dk_outcome *outcome)
{
    on_outcome(arg, notice, outcome);
    on_turn(arg);
}

/* ---------------------------------------------------------------- life */

static void show_attempts(void *arg, uint64_t notice, struct dk_attempts *attempts)
{
    const struct dk_delivery *delivery = arg;
    dk_lanes_attempts(delivery->lanes, notice, attempts);
    if (attempts->next_us != 0) {
        attempts->next_us += dk_node_now_us(delivery->node) - dk_clock_boot_us();
    }
}

static int open_reading(struct reading *reading, struct dk_err *err)
{
    dk_records_init(&reading->records);
    return dk_arena_init(&reading->arena, DK_UNPACK_MAX_BYTES) == 0
               ? 0
               : dk_err_set(err, DK_ENOMEM, "no memory to read notices");
}

static void close_reading(struct reading *reading)
{
    dk_records_close(&reading->records);
    dk_arena_close(&reading->arena);
}

int dk_delivery_new(struct dk_delivery **delivery, struct ev_loop *loop, void *zmq,
                    const struct dk_config *config, struct dk_node *node,
                    enum dk_source_kind source, struct dk_err *err)
{
    const struct dk_role_ops *ops = &dk_notification_role;
    struct dk_delivery *d = calloc(1, sizeof *d);
    DK_ASSERT(d != NULL && dk_folder_ops(dk_node_folder(node)) == ops);
    d->loop = loop;
    d->node = node;
    d->role = dk_folder_self(dk_node_folder(node));
    d->lanes = dk_lanes_new();
    d->files = dk_files_new(config->outbox);
    dk_buf_init(&d->json, DK_MESSAGE_MAX_BYTES);
    dk_intents_init(&d->intents, ops->role, ops->rule_version);
    ev_timer_init(&d->timer, on_timer, 0., 0.);
    d->timer.data = d;
    *delivery = d;
    int rc = open_reading(&d->request, err);
    rc = rc != 0 ? rc : open_reading(&d->cause, err);
    rc = rc != 0 ? rc : open_reading(&d->opened, err);
    rc = rc != 0 ? rc : dk_zone_load(&d->zone, config->zone, err);
    rc = rc != 0 ? rc : dk_source_open(&d->source, source, zmq, config, ops->name, err);
    rc = rc != 0 ? rc : dk_webhooks_new(&d->webhooks, loop, on_posted, d, err);
    if (rc != 0) {
        dk_delivery_free(delivery);
        return rc;
    }
    dk_notification_show_attempts(d->role, show_attempts, d);
    dk_node_on_turn(node, on_turn, d);
    return 0;
}

void dk_delivery_free(struct dk_delivery **delivery)
{
    struct dk_delivery *d = *delivery;
    if (d == NULL) {
        return;
    }
    dk_node_on_turn(d->node, NULL, NULL);
    dk_notification_show_attempts(d->role, NULL, NULL);
    ev_timer_stop(d->loop, &d->timer);
    dk_webhooks_free(&d->webhooks);
    dk_files_free(&d->files);
    dk_source_close(&d->source);
    dk_zone_free(&d->zone);
    dk_lanes_free(&d->lanes);
    close_reading(&d->request);
    close_reading(&d->cause);
    close_reading(&d->opened);
    dk_intents_close(&d->intents);
    dk_buf_close(&d->json);
    free(d);
    *delivery = NULL;
}
