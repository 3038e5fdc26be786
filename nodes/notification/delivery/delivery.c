#include "nodes/notification/delivery/delivery.h"
#include "nodes/notification/delivery/compose.h"
#include "nodes/notification/delivery/digests.h"
#include "nodes/notification/delivery/files.h"
#include "nodes/notification/delivery/lanes.h"
#include "nodes/notification/delivery/mails.h"
#include "nodes/notification/delivery/webhooks.h"
#include "nodes/notification/notification.h"
#include "nodes/runtime/agenda.h"
#include "nodes/runtime/flight.h"
#include "proto/base/say.h"
#include "proto/base/time.h"
#include "proto/event/body.h"
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define MAIL_LANE UINT64_C(1) /* one for all mailboxes: they share a server */

/* One of the notices of a job, on its way into the log. */
struct member {
    uint64_t notice;
    uint32_t reports;  /* appended so far */
    int64_t report_us; /* not before */
};

/* One of the messages in flight: a notice, or a digest. */
struct job {
    uint64_t id; /* the notice's or the digest's; 0 = free */
    struct member *member;
    size_t member_count;
    uint32_t attempts; /* this one included */
    bool finished;     /* with `outcome`: to be told to the log until it is folded */
    struct dk_outcome outcome;
};

struct dk_delivery {
    struct ev_loop *loop;
    struct dk_node *node; /* its clock may be set; pauses are measured by the boot clock */
    void *role;           /* the notification role's state */
    struct dk_compose *compose;
    struct dk_lanes *lanes;
    struct dk_digests *digests;
    struct dk_agenda *quiet; /* what is held, for when its recipient's hours begin */
    struct dk_files *files;
    struct dk_webhooks *webhooks;
    struct dk_mails *mails;
    struct ev_timer timer;
    uint64_t seen; /* notices up to this place in the outbox are taken up */
    struct job job[DK_LANES_IN_FLIGHT];
    struct dk_buf json;
    struct dk_intents intents;
};

/* ---------------------------------------------------------------- jobs */

static struct job *find_job(struct dk_delivery *delivery, uint64_t id)
{
    for (size_t i = 0; i < DK_LANES_IN_FLIGHT; i++) {
        if (delivery->job[i].id == id) {
            return &delivery->job[i];
        }
    }
    return NULL;
}

static void end_job(struct job *job)
{
    free(job->member);
    *job = (struct job){0};
}

/* Nothing more is to be done for it. */
static void forget(struct dk_delivery *delivery, uint64_t id)
{
    dk_lanes_done(delivery->lanes, id, dk_clock_boot_us());
    dk_digests_done(delivery->digests, id);
}

/* Takes a place for what is still pending of it; NULL when nothing is: an operator has dropped it,
 * or given it up, while it waited. */
static struct job *begin_job(struct dk_delivery *delivery, uint64_t id)
{
    struct dk_attempts attempts;
    size_t count = 1;
    const uint64_t *notice = dk_digests_notices(delivery->digests, id, &count);
    struct job *job = find_job(delivery, 0);
    DK_ASSERT(job != NULL);
    if (notice == NULL) {
        notice = &id;
        count = 1;
    }
    dk_lanes_attempts(delivery->lanes, id, &attempts);
    *job = (struct job){
        .id = id, .member = calloc(count, sizeof *job->member), .attempts = attempts.count + 1};
    DK_ASSERT(job->member != NULL);
    for (size_t i = 0; i < count; i++) {
        if (dk_notification_find(delivery->role, notice[i]) != NULL) {
            job->member[job->member_count++].notice = notice[i];
        }
    }
    if (job->member_count == 0) {
        end_job(job);
        return NULL;
    }
    return job;
}

/* ---------------------------------------------------------------- outcomes */

static void on_outcome(void *arg, uint64_t id, const struct dk_outcome *outcome)
{
    struct dk_delivery *delivery = arg;
    struct job *job = find_job(delivery, id);
    int64_t now_us = dk_clock_boot_us();
    DK_ASSERT(job != NULL);
    bool again = outcome->verdict == DK_TRY_AGAIN && job->attempts < DK_DELIVERY_ATTEMPTS;
    dk_say(outcome->verdict == DK_DELIVERED ? DK_DEBUG : DK_WARN,
           outcome->verdict == DK_DELIVERED ? "delivered" : "not-delivered",
           "notice=%016" PRIx64 " notices=%zu attempt=%u said=\"%s\" again=%s", id,
           job->member_count, job->attempts, outcome->said, again ? "yes" : "no");
    if (again) {
        dk_lanes_failed(delivery->lanes, id, outcome, now_us, randombytes_random());
        end_job(job);
        return;
    }
    dk_lanes_answered(delivery->lanes, id, now_us);
    job->finished = true;
    job->outcome = *outcome;
}

/* ---------------------------------------------------------------- starting */

static bool send_mail(struct dk_delivery *delivery, const struct job *job, const uint64_t *notice,
                      const struct dk_composed *composed, const char *address, size_t address_bytes,
                      struct dk_outcome *outcome)
{
    char *body = dk_payload_body(composed->object);
    struct dk_mail mail = {.id = job->id,
                           .notice = notice,
                           .notice_count = job->member_count,
                           .address = address,
                           .address_bytes = address_bytes,
                           .title = json_string_value(json_object_get(composed->object, "title")),
                           .text = body};
    bool sent = dk_mails_send(delivery->mails, &mail, outcome);
    free(body);
    return sent;
}

/* Hands the message of `notice`, the job's members, to its transport; false with the outcome when
 * it goes nowhere. */
static bool hand_over(struct dk_delivery *delivery, const struct job *job, const uint64_t *notice,
                      const struct dk_composed *composed, struct dk_outcome *outcome)
{
    struct dk_err err = {0};
    size_t address_bytes;
    const Docket__Text *text = composed->address;
    const char *address = dk_text_plain(text, &address_bytes);
    if (text == NULL || text->sealed != NULL) {
        dk_outcome_set(outcome, DK_GIVE_UP,
                       text == NULL ? "there is no address" : "the address is sealed");
        return false;
    }
    if (composed->transport == DOCKET__TRANSPORT__TRANSPORT_SMTP) {
        return send_mail(delivery, job, notice, composed, address, address_bytes, outcome);
    }
    dk_buf_clear(&delivery->json);
    if (dk_payload_write(composed->object, composed->payload, &composed->chat, &delivery->json,
                         &err) != 0) {
        dk_outcome_set(outcome, DK_GIVE_UP, "%s", err.message);
        return false;
    }
    switch (composed->transport) {
    case DOCKET__TRANSPORT__TRANSPORT_FILE:
        return dk_files_write(delivery->files, address, address_bytes, job->id, delivery->json.data,
                              delivery->json.size, outcome);
    case DOCKET__TRANSPORT__TRANSPORT_WEBHOOK:
        return dk_webhooks_post(delivery->webhooks, job->id, address, address_bytes,
                                delivery->json.data, delivery->json.size, outcome);
    default: dk_outcome_set(outcome, DK_GIVE_UP, "this docket has no such transport"); return false;
    }
}

/* N2: true when it is the recipient's quiet time, in which even what has failed is not tried. All
 * notices of a digest have one recipient, and one rule. */
static bool keep_quiet(struct dk_delivery *delivery, uint64_t id, struct job *job)
{
    const struct dk_notice *notice = dk_notification_find(delivery->role, job->member[0].notice);
    int64_t now_us = dk_node_now_us(delivery->node);
    int64_t from_us = dk_notification_from_us(delivery->role, notice, now_us);
    if (from_us <= now_us) {
        return false;
    }
    end_job(job);
    dk_lanes_hold(delivery->lanes, id, dk_clock_boot_us());
    dk_agenda_schedule(delivery->quiet, id, from_us);
    return true;
}

static void start(struct dk_delivery *delivery, uint64_t id)
{
    struct job *job = begin_job(delivery, id);
    uint64_t notice[DK_PAYLOAD_DIGEST_MAX];
    struct dk_composed composed;
    struct dk_outcome outcome;
    struct dk_err err = {0};
    if (job == NULL) {
        forget(delivery, id);
        return;
    }
    if (keep_quiet(delivery, id, job)) {
        return;
    }
    for (size_t i = 0; i < job->member_count; i++) {
        notice[i] = job->member[i].notice;
    }
    int rc = dk_compose_make(delivery->compose, dk_folder_world(dk_node_folder(delivery->node)),
                             delivery->role, id, notice, job->member_count, &composed, &err);
    if (rc != 0) {
        bool may_pass = rc == DK_EIO || rc == DK_ETIMEOUT || rc == DK_EBUSY;
        dk_outcome_set(&outcome, may_pass ? DK_TRY_AGAIN : DK_GIVE_UP, "%s", err.message);
        on_outcome(delivery, id, &outcome);
        return;
    }
    if (!hand_over(delivery, job, notice, &composed, &outcome)) {
        on_outcome(delivery, id, &outcome);
    }
    json_decref(composed.object);
}

/* ---------------------------------------------------------------- telling the log */

static bool add_report(struct dk_intents *intents, const struct job *job, uint64_t id,
                       const struct dk_notice *notice)
{
    ProtobufCBinaryData said = {strlen(job->outcome.said), (uint8_t *)(uintptr_t)job->outcome.said};
    if (job->outcome.verdict == DK_DELIVERED) {
        Docket__NotificationSent sent = DOCKET__NOTIFICATION_SENT__INIT;
        sent.notice = id;
        sent.has_attempts = sent.has_receipt = 1;
        sent.attempts = job->attempts;
        sent.receipt = said;
        return dk_intents_add(intents, notice->ticket, DK_KIND_NOTIFICATION_SENT, &sent.base,
                              notice->requested);
    }
    Docket__NotificationFailed failed = DOCKET__NOTIFICATION_FAILED__INIT;
    failed.notice = id;
    failed.attempts = job->attempts;
    failed.final = 1;
    failed.has_error = 1;
    failed.error = said;
    return dk_intents_add(intents, notice->ticket, DK_KIND_NOTIFICATION_FAILED, &failed.base,
                          notice->requested);
}

/* What is to be told of a member now; NULL: nothing. */
static const struct dk_notice *to_report(const struct dk_delivery *delivery, const struct job *job,
                                         const struct member *member, int64_t now_us)
{
    return job->finished && member->report_us <= now_us
               ? dk_notification_find(delivery->role, member->notice)
               : NULL;
}

/* Calls `act` for all that is to be told of a ticket, or of any (0). */
static void each_report(struct dk_delivery *delivery, uint64_t ticket, int64_t now_us,
                        void (*act)(struct dk_delivery *delivery, struct job *job,
                                    struct member *member, const struct dk_notice *notice,
                                    int64_t now_us))
{
    for (size_t i = 0; i < DK_LANES_IN_FLIGHT; i++) {
        struct job *job = &delivery->job[i];
        for (size_t m = 0; m < job->member_count; m++) {
            const struct dk_notice *notice = to_report(delivery, job, &job->member[m], now_us);
            if (notice != NULL && (ticket == 0 || notice->ticket == ticket)) {
                act(delivery, job, &job->member[m], notice, now_us);
            }
        }
    }
}

/* What does not fit one request comes with the next. */
static void gather_report(struct dk_delivery *delivery, struct job *job, struct member *member,
                          const struct dk_notice *notice, int64_t now_us)
{
    (void)now_us;
    (void)add_report(&delivery->intents, job, member->notice, notice);
}

static void put_off_report(struct dk_delivery *delivery, struct job *job, struct member *member,
                           const struct dk_notice *notice, int64_t now_us)
{
    int64_t pause_us = DK_FLIGHT_PAUSE_MIN_US << (member->reports < 14 ? member->reports : 14);
    (void)delivery;
    (void)job;
    (void)notice;
    member->report_us =
        now_us + (pause_us < DK_FLIGHT_PAUSE_MAX_US ? pause_us : DK_FLIGHT_PAUSE_MAX_US);
    member->reports++;
}

/* Appends what became of a ticket's notices, in one request: one is in flight an item. A report
 * that was refused (the ticket moved on meanwhile) is made again on what is folded then, after a
 * pause that doubles. */
static void report(struct dk_delivery *delivery, struct job *job, struct member *member,
                   const struct dk_notice *notice, int64_t now_us)
{
    uint64_t ticket = notice->ticket;
    (void)job;
    (void)member;
    dk_intents_clear(&delivery->intents, dk_folder_position(dk_node_folder(delivery->node)));
    each_report(delivery, ticket, now_us, gather_report);
    if (dk_node_append(delivery->node, ticket, &delivery->intents)) {
        each_report(delivery, ticket, now_us, put_off_report);
    } /* else no room, or a request is in flight for the ticket: the next turn tries */
}

/* ---------------------------------------------------------------- a turn */

/* A receiver's own, but for mailboxes: a slow mail server must not take all places. */
static uint64_t lane_of(const struct dk_notice *notice)
{
    return notice->transport == DOCKET__TRANSPORT__TRANSPORT_SMTP ? MAIL_LANE : notice->receiver;
}

static void pick_up(struct dk_delivery *delivery, int64_t now_us)
{
    const struct dk_notice *notice;
    uint64_t id, lane;
    while ((notice = dk_notification_next(delivery->role, delivery->seen, &id)) != NULL) {
        delivery->seen = notice->position;
        if (notice->digest_until_us != 0) {
            dk_digests_add(delivery->digests, id, notice, lane_of(notice));
        } else {
            dk_lanes_add(delivery->lanes, id, lane_of(notice), now_us);
        }
    }
    while (dk_digests_next(delivery->digests, dk_node_now_us(delivery->node), &id, &lane)) {
        dk_lanes_add(delivery->lanes, id, lane, now_us);
    }
    while (dk_agenda_next(delivery->quiet, dk_node_now_us(delivery->node), &id)) {
        dk_lanes_release(delivery->lanes, id, now_us);
    }
}

/* What the log has taken in makes room. */
static void let_go(struct dk_delivery *delivery)
{
    for (size_t i = 0; i < DK_LANES_IN_FLIGHT; i++) {
        struct job *job = &delivery->job[i];
        size_t left = 0;
        for (size_t m = 0; m < job->member_count; m++) {
            left += dk_notification_find(delivery->role, job->member[m].notice) != NULL;
        }
        if (job->id != 0 && job->finished && left == 0) {
            forget(delivery, job->id);
            end_job(job);
        }
    }
}

static int64_t earlier(int64_t a_us, int64_t b_us)
{
    return a_us < b_us ? a_us : b_us;
}

/* By the boot clock, when there is something to do that no event brings. */
static int64_t next_us(struct dk_delivery *delivery, int64_t now_us)
{
    int64_t due_us = dk_lanes_due_us(delivery->lanes);
    int64_t clock_us =
        earlier(dk_digests_due_us(delivery->digests), dk_agenda_due_us(delivery->quiet));
    if (clock_us != INT64_MAX) {
        int64_t in_us = clock_us == INT64_MIN ? 0 : clock_us - dk_node_now_us(delivery->node);
        due_us = earlier(due_us, now_us + in_us);
    }
    for (size_t i = 0; i < DK_LANES_IN_FLIGHT; i++) {
        const struct job *job = &delivery->job[i];
        for (size_t m = 0; job->finished && m < job->member_count; m++) {
            if (job->member[m].report_us > now_us) {
                due_us = earlier(due_us, job->member[m].report_us);
            }
        }
    }
    return due_us;
}

static void schedule(struct dk_delivery *delivery, int64_t now_us)
{
    int64_t due_us = next_us(delivery, now_us);
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
    uint64_t id;
    if (!dk_node_live(delivery->node)) {
        return;
    }
    pick_up(delivery, now_us);
    let_go(delivery);
    while (dk_lanes_next(delivery->lanes, now_us, &id)) {
        start(delivery, id);
    }
    dk_files_sync(delivery->files, on_outcome, delivery);
    each_report(delivery, 0, now_us, report);
    schedule(delivery, now_us);
}

static void on_timer(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
    (void)loop;
    (void)revents;
    on_turn(timer->data);
}

static void on_transferred(void *arg, uint64_t id, const struct dk_outcome *outcome)
{
    on_outcome(arg, id, outcome);
    on_turn(arg);
}

/* ---------------------------------------------------------------- life */

static void show_attempts(void *arg, uint64_t notice, struct dk_attempts *attempts)
{
    const struct dk_delivery *delivery = arg;
    uint64_t digest = dk_digests_of(delivery->digests, notice);
    dk_lanes_attempts(delivery->lanes, digest != 0 ? digest : notice, attempts);
    int64_t now_us = dk_node_now_us(delivery->node);
    if (attempts->next_us != 0) {
        attempts->next_us += now_us - dk_clock_boot_us();
    }
    int64_t from_us = dk_notification_from_us(delivery->role,
                                              dk_notification_find(delivery->role, notice), now_us);
    if (from_us > now_us && from_us > attempts->next_us) {
        attempts->next_us = from_us;
    }
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
    d->digests = dk_digests_new();
    d->quiet = dk_agenda_new();
    d->files = dk_files_new(config->outbox);
    dk_buf_init(&d->json, DK_PAYLOAD_MAX_BYTES);
    dk_intents_init(&d->intents, ops->role, ops->rule_version);
    ev_timer_init(&d->timer, on_timer, 0., 0.);
    d->timer.data = d;
    *delivery = d;
    int rc = dk_compose_new(&d->compose, zmq, config, source, err);
    rc = rc != 0 ? rc : dk_webhooks_new(&d->webhooks, loop, on_transferred, d, err);
    rc = rc != 0 ? rc : dk_mails_new(&d->mails, loop, &config->smtp, on_transferred, d, err);
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
    dk_mails_free(&d->mails);
    dk_files_free(&d->files);
    dk_compose_free(&d->compose);
    dk_lanes_free(&d->lanes);
    dk_digests_free(&d->digests);
    dk_agenda_free(&d->quiet);
    for (size_t i = 0; i < DK_LANES_IN_FLIGHT; i++) {
        end_job(&d->job[i]);
    }
    dk_intents_close(&d->intents);
    dk_buf_close(&d->json);
    free(d);
    *delivery = NULL;
}
