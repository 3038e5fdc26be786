#include "replay/history/tickets.h"
#include "proto/event/body.h"

int dk_tickets_init(struct dk_tickets *tickets, struct dk_err *err)
{
    *tickets = (struct dk_tickets){0};
    dk_map_init(&tickets->map, sizeof(struct dk_ticket_entry), DK_TICKETS_MAX);
    int rc = dk_arena_init(&tickets->arena, DK_UNPACK_MAX_BYTES);
    rc = rc != 0 ? dk_err_set(err, rc, "no memory for tickets") : dk_refs_new(&tickets->refs, err);
    if (rc != 0) {
        dk_tickets_close(tickets);
    }
    return rc;
}

void dk_tickets_close(struct dk_tickets *tickets)
{
    dk_map_close(&tickets->map);
    dk_arena_close(&tickets->arena);
    dk_refs_free(&tickets->refs);
}

static int apply_to_ticket(struct dk_tickets *tickets, const uint8_t *record, size_t record_bytes,
                           struct dk_err *err)
{
    struct dk_envelope event;
    const ProtobufCMessage *body = NULL;
    dk_event_load(record, &event);
    if (dk_body_descriptor(event.kind) != NULL) {
        dk_arena_reset(&tickets->arena);
        body = dk_body_unpack(&tickets->arena, record, record_bytes, err);
        if (body == NULL) {
            return dk_err_wrap(err, "position %llu", (unsigned long long)event.position);
        }
    }
    struct dk_ticket_entry *entry = dk_map_put(&tickets->map, event.subject, NULL);
    if (entry == NULL) {
        return dk_err_set(err, DK_ENOMEM, "no memory for more tickets");
    }
    dk_ticket_apply(&entry->ticket, &event, body);
    entry->last_us = event.occurred_us;
    if (event.kind == DK_KIND_OPENED) {
        entry->opened_position = event.position;
    }
    return 0;
}

int dk_tickets_apply(struct dk_tickets *tickets, const uint8_t *record, size_t record_bytes,
                     struct dk_err *err)
{
    return dk_id_class(dk_event_load_subject(record)) == DK_SUBJECT_TICKET
               ? apply_to_ticket(tickets, record, record_bytes, err)
               : dk_refs_apply(tickets->refs, record, record_bytes, err);
}
