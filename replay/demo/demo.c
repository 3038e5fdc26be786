#include "replay/demo/demo.h"
#include "proto/base/time.h"
#include "proto/event/body.h"
#include "proto/peer/client.h"
#include "replay/history/person.h"
#include "replay/history/scan.h"
#include "replay/history/tickets.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

#define CUSTOMERS    200
#define OURS_MAX     4096 /* tickets that are looked after; the oldest are left to their fate */
#define CHOICES_MAX  256
#define OPEN_PERCENT 20 /* of the actions; the others answer what is there */
#define TIMEOUT_MS   5000

struct choices {
    uint64_t id[CHOICES_MAX];
    size_t count;
};

struct demo {
    struct dk_client *client;
    struct dk_log *log;
    struct dk_log_reader *reader;
    struct dk_tickets tickets;
    uint64_t position;
    struct choices products, agents;
    uint8_t salt[DK_SALT_BYTES];
    uint64_t ours[OURS_MAX];
    size_t ours_count;
    uint64_t random;
    struct dk_buf record;
    struct dk_demo_result *result;
};

/* splitmix64 */
static uint64_t draw(struct demo *demo, uint64_t below)
{
    uint64_t z = demo->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

/* ---------------------------------------------------------------- seeing */

static int on_record(void *arg, const uint8_t *record, size_t bytes)
{
    struct demo *demo = arg;
    demo->position = dk_event_load_position(record);
    return dk_tickets_apply(&demo->tickets, record, bytes, NULL);
}

static int look(struct demo *demo, struct dk_err *err)
{
    struct dk_scan scan = {
        .from = demo->position + 1, .to = UINT64_MAX, .arg = demo, .on_record = on_record};
    return dk_scan_log(&scan, demo->reader, err);
}

static int add_choice(void *arg, const struct dk_refs_version *version)
{
    struct choices *choices = arg;
    if (choices->count < CHOICES_MAX) {
        choices->id[choices->count++] = version->subject;
    }
    return 0;
}

static int see_organization(struct demo *demo, struct dk_err *err)
{
    int64_t now_us = dk_clock_wall_us();
    (void)dk_refs_each(demo->tickets.refs, DK_SUBJECT_PRODUCT, now_us, add_choice, &demo->products);
    (void)dk_refs_each(demo->tickets.refs, DK_SUBJECT_AGENT, now_us, add_choice, &demo->agents);
    if (demo->products.count == 0 || demo->agents.count == 0) {
        return dk_err_set(err, DK_ENOTFOUND,
                          "this site has no products or no agents yet: apply an "
                          "organization first (docket apply FILE)");
    }
    return 0;
}

/* ---------------------------------------------------------------- acting */

static uint64_t actor_of(unsigned cls, uint64_t subject)
{
    return dk_id_make(cls, subject & DK_ID_MASK);
}

static struct dk_append_result act(struct demo *demo, uint64_t subject, uint64_t actor,
                                   uint32_t kind, const ProtobufCMessage *body, struct dk_err *err)
{
    struct dk_envelope envelope = {.format = DK_EVENT_FORMAT, .subject = subject, .actor = actor};
    struct dk_append_result result = {0};
    dk_buf_clear(&demo->record);
    DK_ASSERT(dk_event_encode(&demo->record, &envelope, kind, body, err) == 0);
    struct dk_slice event = {demo->record.data, demo->record.size};
    int rc = dk_client_append_once(demo->client, &event, NULL, 1, false, TIMEOUT_MS, &result, err);
    err->code = rc;
    demo->result->accepted += rc == 0;
    demo->result->refused += rc != 0 && rc != DK_ETIMEOUT;
    return result;
}

static Docket__Text text_of(const char *text)
{
    Docket__Text message = DOCKET__TEXT__INIT;
    message.has_plain = 1;
    message.plain = (ProtobufCBinaryData){strlen(text), (uint8_t *)(uintptr_t)text};
    return message;
}

/* One of the customers, who is defined when met first. */
static uint64_t draw_customer(struct demo *demo, struct dk_err *err)
{
    struct dk_person person;
    char address[40];
    int n = snprintf(address, sizeof address, "customer-%u@example.org",
                     (unsigned)draw(demo, CUSTOMERS));
    dk_person_meet(&person, address, (size_t)n, demo->salt);
    if (dk_refs_last(demo->tickets.refs, person.subject) == NULL) {
        (void)act(demo, person.subject, actor_of(DK_ACTOR_CUSTOMER, person.subject),
                  DK_KIND_CUSTOMER_DEFINED, &person.body.base, err);
    }
    return person.subject;
}

static void open_ticket(struct demo *demo, struct dk_err *err)
{
    static const char *const subjects[] = {"The printer on floor 3 prints blank pages",
                                           "VPN drops every few minutes",
                                           "I cannot sign in since this morning",
                                           "Please order a second monitor",
                                           "Mail does not arrive from one sender",
                                           "The laptop does not wake up",
                                           "Wi-Fi is slow in the meeting room",
                                           "An invoice shows the wrong amount",
                                           "How do I share a calendar?",
                                           "A report runs into a timeout"};
    static const Docket__Channel channels[] = {
        DOCKET__CHANNEL__CHANNEL_EMAIL, DOCKET__CHANNEL__CHANNEL_WEB,
        DOCKET__CHANNEL__CHANNEL_PHONE, DOCKET__CHANNEL__CHANNEL_CHAT};
    Docket__Opened opened = DOCKET__OPENED__INIT;
    uint64_t customer = draw_customer(demo, err);
    Docket__Text subject = text_of(subjects[draw(demo, 10)]);
    uint64_t grade = draw(demo, 100);
    opened.subject = &subject;
    opened.has_customer = opened.has_product = opened.has_channel = opened.has_priority = 1;
    opened.customer = customer;
    opened.product = demo->products.id[draw(demo, demo->products.count)];
    opened.channel = channels[draw(demo, 4)];
    opened.priority = grade < 3    ? DOCKET__PRIORITY__PRIORITY_CRITICAL
                      : grade < 20 ? DOCKET__PRIORITY__PRIORITY_HIGH
                      : grade < 80 ? DOCKET__PRIORITY__PRIORITY_NORMAL
                                   : DOCKET__PRIORITY__PRIORITY_LOW;
    struct dk_append_result result =
        act(demo, dk_ticket_make(DK_SITE_MAX, 0), actor_of(DK_ACTOR_CUSTOMER, customer),
            DK_KIND_OPENED, &opened.base, err);
    if (result.opened_count == 1) {
        demo->ours[demo->result->opened++ % OURS_MAX] = result.opened[0];
        demo->ours_count += demo->ours_count < OURS_MAX;
    }
}

static void set_status(struct demo *demo, uint64_t ticket, uint64_t actor, Docket__Status status,
                       struct dk_err *err)
{
    Docket__StatusChanged changed = DOCKET__STATUS_CHANGED__INIT;
    changed.status = status;
    changed.has_pending = status == DOCKET__STATUS__STATUS_PENDING;
    changed.pending = DOCKET__PENDING__PENDING_CUSTOMER;
    (void)act(demo, ticket, actor, DK_KIND_STATUS_CHANGED, &changed.base, err);
    demo->result->resolved += err->code == 0 && status == DOCKET__STATUS__STATUS_SOLVED;
}

static void say(struct demo *demo, uint64_t ticket, uint64_t actor, bool inbound,
                struct dk_err *err)
{
    Docket__MessagePublic message = DOCKET__MESSAGE_PUBLIC__INIT;
    Docket__Text text = text_of(inbound ? "It still happens, and this is what I see."
                                        : "Thank you. I am on it; could you try once more?");
    message.direction =
        inbound ? DOCKET__DIRECTION__DIRECTION_INBOUND : DOCKET__DIRECTION__DIRECTION_OUTBOUND;
    message.text = &text;
    message.has_question = !inbound;
    message.question = !inbound;
    (void)act(demo, ticket, actor, DK_KIND_MESSAGE_PUBLIC, &message.base, err);
    demo->result->replied += err->code == 0 && !inbound;
}

static void rate(struct demo *demo, uint64_t ticket, uint64_t actor, struct dk_err *err)
{
    Docket__Rated rated = DOCKET__RATED__INIT;
    rated.has_csat = 1;
    rated.csat = 2 + (uint32_t)draw(demo, 4);
    (void)act(demo, ticket, actor, DK_KIND_RATED, &rated.base, err);
}

/* The next thing that happens to a ticket, by where it stands. false: nothing now. */
static bool move_on(struct demo *demo, uint64_t id, struct dk_err *err)
{
    const struct dk_ticket_entry *entry = dk_map_get(&demo->tickets.map, id);
    if (entry == NULL) {
        return false;
    }
    const struct dk_ticket *ticket = &entry->ticket;
    uint64_t customer = actor_of(DK_ACTOR_CUSTOMER, ticket->customer);
    uint64_t worker = ticket->speaker != 0 ? ticket->speaker : ticket->owner;
    uint64_t agent = actor_of(DK_ACTOR_AGENT, worker);
    bool answered = (ticket->flags & DK_TICKET_REPLIED) != 0;
    switch (ticket->status) {
    case DOCKET__STATUS__STATUS_NEW:
        if (worker == 0) {
            return false;
        }
        set_status(demo, id, agent, DOCKET__STATUS__STATUS_OPEN, err);
        return true;
    case DOCKET__STATUS__STATUS_OPEN:
        if (worker == 0) {
            return false;
        }
        if (!answered || (ticket->flags & DK_TICKET_UNANSWERED) != 0) {
            say(demo, id, agent, false, err);
        } else {
            set_status(demo, id, agent,
                       draw(demo, 3) == 0 ? DOCKET__STATUS__STATUS_PENDING
                                          : DOCKET__STATUS__STATUS_SOLVED,
                       err);
        }
        return true;
    case DOCKET__STATUS__STATUS_PENDING: say(demo, id, customer, true, err); return true;
    case DOCKET__STATUS__STATUS_SOLVED:
        if (draw(demo, 20) == 0) {
            say(demo, id, customer, true, err);
        } else {
            rate(demo, id, customer, err);
            set_status(demo, id, actor_of(DK_ACTOR_AGENT, demo->agents.id[0]),
                       DOCKET__STATUS__STATUS_CLOSED, err);
        }
        return true;
    default: return false;
    }
}

static void act_once(struct demo *demo, struct dk_err *err)
{
    if (demo->ours_count > 0 && draw(demo, 100) >= OPEN_PERCENT) {
        for (int tries = 0; tries < 20; tries++) {
            if (move_on(demo, demo->ours[draw(demo, demo->ours_count)], err)) {
                return;
            }
        }
    }
    open_ticket(demo, err);
}

/* ---------------------------------------------------------------- running */

static int connect_demo(struct demo *demo, void *zmq, const struct dk_config *config,
                        struct dk_err *err)
{
    struct dk_session session = {.site = 0};
    int rc = dk_log_open(&demo->log, config->log, DK_LOG_READ, err);
    rc = rc != 0 ? rc : dk_log_reader_new(&demo->reader, demo->log, err);
    rc = rc != 0 ? rc : dk_tickets_init(&demo->tickets, err);
    rc = rc != 0 ? rc : dk_client_open(&demo->client, zmq, config, "agent", err);
    rc = rc != 0 ? rc : dk_client_hello(demo->client, "demo", TIMEOUT_MS, &session, err);
    memcpy(demo->salt, session.salt, sizeof demo->salt);
    rc = rc != 0 ? rc : look(demo, err);
    return rc != 0 ? rc : see_organization(demo, err);
}

static int run(struct demo *demo, const struct dk_demo_options *options, struct dk_err *err)
{
    int64_t step_us = (int64_t)(1e6 / options->actions_per_s), next_us = dk_clock_boot_us();
    int rc = 0;
    for (uint64_t i = 0; rc == 0 && !options->stopped(options->arg); i++) {
        if (options->actions != 0 && i == options->actions) {
            break;
        }
        int64_t wait_us = next_us - dk_clock_boot_us();
        if (wait_us > 0) {
            struct timespec pause = {wait_us / 1000000, wait_us % 1000000 * 1000};
            (void)nanosleep(&pause, NULL);
        }
        next_us += step_us;
        rc = look(demo, err);
        if (rc == 0) {
            act_once(demo, err);
            rc = err->code == DK_ETIMEOUT ? DK_ETIMEOUT : 0;
        }
    }
    return rc;
}

int dk_demo_run(const struct dk_config *config, const struct dk_demo_options *options,
                struct dk_demo_result *result, struct dk_err *err)
{
    struct demo *demo = calloc(1, sizeof *demo);
    void *zmq = zmq_ctx_new();
    DK_ASSERT(demo != NULL && zmq != NULL);
    *result = (struct dk_demo_result){0};
    demo->random = options->seed;
    demo->result = result;
    dk_buf_init(&demo->record, DK_RECORD_MAX_BYTES);
    int rc = connect_demo(demo, zmq, config, err);
    rc = rc != 0 ? rc : run(demo, options, err);
    dk_client_close(&demo->client);
    dk_tickets_close(&demo->tickets);
    dk_log_reader_free(&demo->reader);
    dk_log_close(&demo->log);
    dk_buf_close(&demo->record);
    (void)zmq_ctx_term(zmq);
    free(demo);
    return rc;
}
