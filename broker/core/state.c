#include "broker/core/state.h"

#include <stdlib.h>
#include <string.h>

int dk_state_init(struct dk_state *state, const struct dk_log_identity *identity,
                  struct dk_heads *heads, size_t producers_max, size_t one_shots_max,
                  struct dk_err *err)
{
    memset(state, 0, sizeof *state);
    state->identity = identity;
    state->heads = heads;
    dk_subjects_init(&state->subjects);
    dk_shelf_init(&state->definitions, sizeof(uint64_t));
    state->before = calloc(DK_REQUEST_MAX_EVENTS, sizeof *state->before);
    if (state->before == NULL || dk_arena_init(&state->arena, DK_UNPACK_MAX_BYTES) != 0) {
        return dk_err_set(err, DK_ENOMEM, "no memory for the broker's state");
    }
    int rc = dk_refs_new(&state->refs, err);
    if (rc == 0) {
        rc = dk_producers_new(&state->producers, producers_max, err);
    }
    if (rc == 0) {
        rc = dk_one_shots_new(&state->one_shots, one_shots_max, err);
    }
    return rc;
}

void dk_state_close(struct dk_state *state)
{
    if (state->refs != NULL) {
        dk_refs_free(&state->refs);
    }
    if (state->producers != NULL) {
        dk_producers_free(&state->producers);
    }
    if (state->one_shots != NULL) {
        dk_one_shots_free(&state->one_shots);
    }
    dk_subjects_close(&state->subjects);
    dk_shelf_close(&state->definitions);
    if (state->arena.base != NULL) {
        dk_arena_close(&state->arena);
    }
    free(state->before);
    memset(state, 0, sizeof *state);
}

const struct dk_ticket *dk_state_ticket(const struct dk_state *state, uint64_t ticket)
{
    static const struct dk_ticket none;
    uint64_t number = dk_ticket_number(ticket);
    bool ours = dk_id_class(ticket) == DK_SUBJECT_TICKET &&
                dk_ticket_site(ticket) == state->identity->site && number != 0 &&
                number <= state->counts.last_ticket;
    const struct dk_ticket *found = ours ? dk_heads_get(state->heads, number) : NULL;
    return found != NULL ? found : &none;
}

struct dk_subject_head dk_state_head(const struct dk_state *state, uint64_t subject)
{
    if (dk_id_class(subject) != DK_SUBJECT_TICKET) {
        return dk_subjects_get(&state->subjects, subject);
    }
    return dk_ticket_head(dk_state_ticket(state, subject), subject);
}

static void write_down(struct dk_state *state, const struct dk_before *before)
{
    if (state->undoable) {
        DK_ASSERT(state->before_count < DK_REQUEST_MAX_EVENTS);
        state->before[state->before_count++] = *before;
    }
}

static int apply_ticket(struct dk_state *state, struct dk_envelope *event,
                        const ProtobufCMessage *body, struct dk_err *err)
{
    uint64_t number = dk_ticket_number(event->subject);
    struct dk_ticket *ticket = dk_heads_edit(state->heads, number);
    if (ticket == NULL) {
        return dk_err_set(err, DK_EBUSY, "too many tickets changed since the last checkpoint");
    }
    write_down(state, &(struct dk_before){.subject = event->subject, .ticket = *ticket});
    bool was_live = dk_ticket_live(ticket);
    dk_ticket_apply(ticket, event, body);
    state->counts.open_tickets += (uint64_t)dk_ticket_live(ticket) - (uint64_t)was_live;
    event->group = ticket->group;
    if (dk_ticket_historical(ticket)) {
        event->flags |= DOCKET__EVENT_FLAG__FLAG_HISTORICAL;
    }
    return 0;
}

static int apply_other(struct dk_state *state, const struct dk_envelope *event, struct dk_err *err)
{
    struct dk_subject_head before = dk_subjects_get(&state->subjects, event->subject);
    struct dk_subject_head head = {
        .subject = event->subject,
        .last_position = event->position,
        .version = event->subject_version,
    };
    if (dk_subjects_set(&state->subjects, head) != 0) {
        return dk_err_set(err, DK_EBUSY, "the broker knows as many subjects as it can");
    }
    write_down(state, &(struct dk_before){.subject = event->subject, .head = before});
    return 0;
}

/* The log's end, and the last ticket number, move. */
static void count_event(struct dk_state *state, const struct dk_envelope *event)
{
    DK_ASSERT(event->position == state->counts.last + 1);
    state->counts.last = event->position;
    state->counts.recorded_us = event->recorded_us;
    uint64_t number = dk_ticket_number(event->subject);
    if (event->kind == DK_KIND_OPENED && number > state->counts.last_ticket) {
        state->counts.last_ticket = number;
    }
}

int dk_state_apply(struct dk_state *state, struct dk_envelope *event, const ProtobufCMessage *body,
                   struct dk_err *err)
{
    int rc = dk_id_class(event->subject) == DK_SUBJECT_TICKET
                 ? apply_ticket(state, event, body, err)
                 : apply_other(state, event, err);
    if (rc == 0) {
        count_event(state, event);
    }
    return rc;
}

static int remember_number(struct dk_state *state, const struct dk_envelope *event,
                           const struct dk_sent *sent, struct dk_err *err)
{
    uint64_t opened = event->kind == DK_KIND_OPENED ? event->subject : 0;
    int rc;
    if (event->flags & DOCKET__EVENT_FLAG__FLAG_ONE_SHOT) {
        struct dk_one_shot one_shot = {
            .high = event->producer,
            .low = event->producer_number,
            .position = event->position,
            .opened = opened,
            .recorded_us = event->recorded_us,
            .digest = dk_sent_digest(sent),
        };
        rc = dk_one_shots_add(state->one_shots, &one_shot);
    } else {
        struct dk_answer answer = {
            .position = event->position,
            .opened = opened,
            .subject = sent->subject,
            .other = sent->other,
            .digest = sent->digest,
        };
        rc = dk_producers_remember(state->producers, event->producer, event->producer_number,
                                   &answer);
    }
    return rc == 0 ? 0
                   : dk_err_set(err, rc, "the producer's number cannot be taken in: %s",
                                dk_code_sentence(rc));
}

int dk_state_remember(struct dk_state *state, const uint8_t *record, size_t record_bytes,
                      uint32_t digest, struct dk_err *err)
{
    struct dk_envelope event;
    dk_event_load(record, &event);
    struct dk_sent sent = {event.subject, dk_record_other(record, record_bytes), digest};
    int rc = remember_number(state, &event, &sent, err);
    bool defines = event.kind >= DK_KIND_DEFINED_FROM && event.kind <= DK_KIND_DEFINED_LAST;
    if (rc != 0 || !defines) {
        return rc;
    }
    uint64_t *definition = dk_shelf_add(&state->definitions);
    if (definition == NULL) {
        return dk_err_set(err, DK_ENOMEM, "no memory to list the definitions");
    }
    *definition = event.position;
    return dk_refs_apply(state->refs, record, record_bytes, err);
}

void dk_state_begin(struct dk_state *state)
{
    state->undoable = true;
    state->counts_before = state->counts;
    state->before_count = 0;
}

void dk_state_undo(struct dk_state *state)
{
    DK_ASSERT(state->undoable);
    while (state->before_count > 0) {
        const struct dk_before *before = &state->before[--state->before_count];
        if (dk_id_class(before->subject) != DK_SUBJECT_TICKET) {
            int rc = dk_subjects_set(&state->subjects, before->head);
            DK_ASSERT(rc == 0);
            continue;
        }
        struct dk_ticket *ticket = dk_heads_edit(state->heads, dk_ticket_number(before->subject));
        DK_ASSERT(ticket != NULL);
        *ticket = before->ticket;
    }
    state->counts = state->counts_before;
    state->undoable = false;
}

void dk_state_end(struct dk_state *state)
{
    state->undoable = false;
}
