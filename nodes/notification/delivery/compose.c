#include "nodes/notification/delivery/compose.h"
#include "nodes/notification/message.h"
#include "nodes/notification/rule.h"
#include "proto/event/body.h"
#include <stdlib.h>

/* A record read from the log, and its body. */
struct reading {
    struct dk_records records;
    struct dk_arena arena;
    struct dk_envelope envelope;
};

struct dk_compose {
    struct dk_source *source;
    struct dk_zone *zone;
    struct reading request, cause, opened;
};

static const ProtobufCMessage *read_body(struct dk_compose *compose, struct reading *reading,
                                         uint64_t position, struct dk_err *err)
{
    size_t bytes;
    if (dk_source_record(compose->source, position, &reading->records, err) != 0) {
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

/* ---------------------------------------------------------------- one notice */

/* Where the notices go, and in which shape. */
static int find_receiver(struct dk_compose *compose, const struct dk_world *world,
                         const struct dk_notice *notice, struct dk_composed *composed,
                         struct dk_err *err)
{
    const Docket__NotificationRequested *request =
        (const void *)read_body(compose, &compose->request, notice->requested, err);
    const struct dk_refs_version *rule =
        dk_refs_version_of(world->refs, notice->rule, notice->rule_version);
    if (request == NULL) {
        return err->code;
    }
    composed->transport = request->transport;
    composed->address = request->recipient->address;
    if (rule != NULL && composed->transport == DOCKET__TRANSPORT__TRANSPORT_WEBHOOK) {
        struct dk_rule_step step = dk_rule_step((const void *)rule->body, notice->step);
        composed->payload = step.payload;
        composed->chat = step.chat;
    }
    return 0;
}

static int make_notice(struct dk_compose *compose, const struct dk_world *world, const void *role,
                       uint64_t id, const struct dk_notice *notice, Docket__Payload payload,
                       json_t **made, struct dk_err *err)
{
    struct dk_message message = {.id = id,
                                 .notice = notice,
                                 .world = world,
                                 .ticket = dk_notification_ticket(role, notice->ticket),
                                 .zone = compose->zone,
                                 .cause = &compose->cause.envelope,
                                 .payload = payload};
    message.body = read_body(compose, &compose->cause, notice->cause, err);
    if (message.body == NULL) {
        return err->code;
    }
    if (message.ticket->opened != 0) {
        message.opened =
            (const void *)read_body(compose, &compose->opened, message.ticket->opened, err);
        if (message.opened == NULL) {
            return err->code;
        }
    }
    return dk_message_make(&message, made, err);
}

/* ---------------------------------------------------------------- several */

/* Shortened until it fits: as docket's own JSON, the longest there is. */
static json_t *make_digest(uint64_t id, json_t *notices)
{
    struct dk_buf out;
    json_t *digest = NULL;
    int rc = DK_ETOOBIG;
    dk_buf_init(&out, DK_PAYLOAD_MAX_BYTES);
    for (size_t bytes = DK_PAYLOAD_DIGEST_BYTES; rc == DK_ETOOBIG && bytes > 0; bytes /= 2) {
        json_decref(digest);
        digest = dk_payload_digest(id, json_incref(notices), bytes);
        dk_buf_clear(&out);
        rc = dk_payload_write(digest, DOCKET__PAYLOAD__PAYLOAD_DOCKET, NULL, &out, NULL);
    }
    dk_buf_close(&out);
    json_decref(notices);
    return digest;
}

int dk_compose_make(struct dk_compose *compose, const struct dk_world *world, const void *role,
                    uint64_t id, const uint64_t *notice, size_t count, struct dk_composed *composed,
                    struct dk_err *err)
{
    json_t *notices = json_array();
    *composed = (struct dk_composed){0};
    int rc = find_receiver(compose, world, dk_notification_find(role, notice[0]), composed, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        json_t *made = NULL;
        rc = make_notice(compose, world, role, notice[i], dk_notification_find(role, notice[i]),
                         composed->payload, &made, err);
        json_array_append_new(notices, made);
    }
    if (rc != 0) {
        json_decref(notices);
        return rc;
    }
    if (id != notice[0]) {
        composed->object = make_digest(id, notices);
        return 0;
    }
    composed->object = json_incref(json_array_get(notices, 0));
    json_decref(notices);
    return 0;
}

/* ---------------------------------------------------------------- life */

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

int dk_compose_new(struct dk_compose **compose, void *zmq, const struct dk_config *config,
                   enum dk_source_kind source, struct dk_err *err)
{
    struct dk_compose *c = calloc(1, sizeof *c);
    DK_ASSERT(c != NULL);
    *compose = c;
    int rc = open_reading(&c->request, err);
    rc = rc != 0 ? rc : open_reading(&c->cause, err);
    rc = rc != 0 ? rc : open_reading(&c->opened, err);
    rc = rc != 0 ? rc : dk_zone_load(&c->zone, config->zone, err);
    rc = rc != 0 ? rc : dk_source_open(&c->source, source, zmq, config, "notification", err);
    if (rc != 0) {
        dk_compose_free(compose);
    }
    return rc;
}

void dk_compose_free(struct dk_compose **compose)
{
    struct dk_compose *c = *compose;
    if (c == NULL) {
        return;
    }
    dk_source_close(&c->source);
    dk_zone_free(&c->zone);
    close_reading(&c->request);
    close_reading(&c->cause);
    close_reading(&c->opened);
    free(c);
    *compose = NULL;
}
