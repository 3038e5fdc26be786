#include "broker/core/append.h"

#include "broker/core/core_internal.h"
#include "broker/core/named.h"
#include "broker/core/replies.h"
#include <string.h>

static bool is_one_shot(const uint8_t *record)
{
    return (dk_event_load_flags(record) & DOCKET__EVENT_FLAG__FLAG_ONE_SHOT) != 0;
}

/* ----------------------------------------------------------------------------- the request */

static bool fits(const struct dk_core *core)
{
    const struct dk_append *append = &core->append;
    size_t bytes = 0;
    for (size_t i = 0; i < append->count; i++) {
        bytes += append->event[i].size;
    }
    return dk_pending_fits(core->gathering, append->count, bytes) &&
           append->count <= dk_heads_room(core->state.heads);
}

/* While the clock stands, one request is served: an operator's acceptance of the step. */
static bool accepts_step(const struct dk_core *core, const struct dk_peer *peer)
{
    const struct dk_slice *event = &core->append.event[0];
    return peer->role == DK_ROLE_OPERATOR && core->append.count == 1 &&
           dk_event_canonical(event->data, event->size, NULL) == 0 &&
           dk_event_load_kind(event->data) == DK_KIND_CLOCK_STEP_ACCEPTED;
}

static int start_clock(struct dk_core *core, const struct dk_peer *peer, struct dk_now now,
                       struct dk_err *err)
{
    core->clock_step_us = dk_clock_step_us(&core->clock, now.wall_us, now.boot_us);
    if (core->clock_step_us != 0 && accepts_step(core, peer)) {
        dk_clock_accept(&core->clock, now.wall_us, now.boot_us);
        return 0;
    }
    int64_t unused;
    struct dk_clock look = core->clock;
    return dk_clock_next(&look, now.wall_us, now.boot_us, &unused, err);
}

/* Whether the request can be judged at all, and what it is judged with. */
static int prepare(struct dk_core *core, const struct dk_peer *peer, struct dk_now now,
                   const struct dk_request *request, struct dk_err *err)
{
    struct dk_append *append = &core->append;
    struct dk_admission *admission = &core->admission;
    if (!dk_admit_role(peer->role)) {
        return dk_err_set(err, DK_EACCES, "a key of role %s may not append",
                          dk_role_word(peer->role));
    }
    int rc = dk_append_read(request->body, append, err);
    if (rc != 0) {
        return rc;
    }
    if (!core->space) {
        return dk_err_set(err, DK_ENOSPACE, "%s", dk_code_sentence(DK_ENOSPACE));
    }
    if (!fits(core)) {
        return dk_err_set(err, DK_EBUSY, "the batch that gathers is full: send it again");
    }
    rc = start_clock(core, peer, now, err);
    if (rc != 0) {
        return rc;
    }
    admission->peer = peer;
    admission->clock_step_us = core->clock_step_us;
    admission->last_before = core->state.counts.last;
    admission->atomic = append->atomic != 0;
    admission->opened_count = 0;
    admission->pairs.count = 0;
    admission->bypassed_count = 0;
    return 0;
}

/* ------------------------------------------------------------------------------- one event */

static void refuse(struct dk_core *core, size_t i, const struct dk_err *err)
{
    dk_pending_refused(core->gathering, (uint32_t)i, err);
    core->refused++;
}

/* An answer given before. Never 0 and 0: that is for atomic requests to tell apart. */
static void answer_again(struct dk_core *core, size_t i, const struct dk_answer *answer)
{
    if (answer->position != 0) {
        dk_pending_accepted(core->gathering, answer->position, answer->opened);
        return;
    }
    struct dk_err err;
    if (answer->code == 0) {
        dk_err_set(&err, DK_EILLEGAL, "it was refused before, with its atomic request");
    } else {
        dk_err_set(&err, answer->code, "it was refused before: %s", dk_code_sentence(answer->code));
    }
    dk_pending_refused(core->gathering, (uint32_t)i, &err);
}

/* An accepted record: what hangs on it is taken in, and the sender is told. */
static void accept(struct dk_core *core, const uint8_t *record, size_t bytes, uint32_t digest)
{
    int rc = dk_state_remember(&core->state, record, bytes, digest, NULL);
    DK_ASSERT(rc == 0);
    bool opened = dk_event_load_kind(record) == DK_KIND_OPENED;
    dk_pending_accepted(core->gathering, dk_event_load_position(record),
                        opened ? dk_event_load_subject(record) : 0);
    core->accepted++;
}

/* The ticket that the request opened in place of what names it, once that is known. */
static uint64_t meant(const struct dk_admission *admission, uint64_t ticket)
{
    uint64_t k = dk_ticket_number(ticket);
    bool known =
        dk_names_opened(ticket) && k < admission->opened_count && admission->opened[k] != 0;
    return known ? admission->opened[k] : ticket;
}

static struct dk_sent sent_as(const struct dk_core *core, const struct dk_slice *event)
{
    return (struct dk_sent){
        .subject = meant(&core->admission, dk_event_load_subject(event->data)),
        .other = meant(&core->admission, dk_record_other(event->data, event->size)),
        .digest = dk_record_digest(event->data, event->size),
    };
}

/* Counts an Opened of the request, that later events may name. */
static void meet(struct dk_core *core, const uint8_t *record)
{
    if (dk_event_load_kind(record) == DK_KIND_OPENED) {
        core->admission.opened[core->admission.opened_count++] = 0;
    }
}

/* Copies event i to the batch and judges it there; a refused one is taken out again. */
static int judge(struct dk_core *core, struct dk_now now, size_t i, struct dk_err *err)
{
    const struct dk_slice *event = &core->append.event[i];
    bool more = core->append.atomic && i + 1 < core->append.count;
    size_t before = dk_pending_count(core->gathering);
    int rc =
        dk_clock_next(&core->clock, now.wall_us, now.boot_us, &core->admission.recorded_us, err);
    DK_ASSERT(rc == 0); /* prepare has looked */
    uint8_t *record = dk_pending_add(core->gathering, event->size);
    memcpy(record, event->data, event->size);
    rc = dk_admit_event(&core->state, &core->admission, record, event->size, (uint32_t)i,
                        core->append.expected_version[i], more, err);
    if (rc != 0) {
        dk_pending_truncate(core->gathering, before);
    }
    return rc;
}

/* Whose event it is: its producer's session is this connection's, or it is one of the request id
 * that the first event has. */
static int check_sender(const struct dk_core *core, const uint8_t *record, struct dk_err *err)
{
    const uint8_t *first = core->append.event[0].data;
    uint64_t producer = dk_event_load_producer(record);
    if (is_one_shot(record) != is_one_shot(first)) {
        return dk_err_field(err, DK_EINVAL, "flags",
                            "all events of a request are one-shot, or none");
    }
    if (!is_one_shot(record)) {
        return dk_producers_session(core->state.producers, producer,
                                    core->admission.peer->connection, err);
    }
    if (producer != dk_event_load_producer(first) ||
        dk_event_load_producer_number(record) != dk_event_load_producer_number(first)) {
        return dk_err_field(err, DK_EINVAL, "producer",
                            "all events of a one-shot request carry the same request id");
    }
    return 0;
}

/* What the event's number is; what a repeated Opened opened is known to those after it. */
static int ask_number(struct dk_core *core, const struct dk_slice *event,
                      const struct dk_sent *sent, struct dk_answer *answer, struct dk_err *err)
{
    int rc = dk_producers_number(core->state.producers, dk_event_load_producer(event->data),
                                 dk_event_load_producer_number(event->data), sent, answer, err);
    if (rc == DK_NUMBER_REPEATED && dk_event_load_kind(event->data) == DK_KIND_OPENED) {
        core->admission.opened[core->admission.opened_count - 1] = answer->opened;
    }
    return rc;
}

static void remember_refusal(struct dk_core *core, const struct dk_slice *event, int code)
{
    struct dk_sent sent = sent_as(core, event);
    struct dk_answer answer = {
        .code = code,
        .subject = sent.subject,
        .other = sent.other,
        .digest = sent.digest,
    };
    int rc = dk_producers_remember(core->state.producers, dk_event_load_producer(event->data),
                                   dk_event_load_producer_number(event->data), &answer);
    DK_ASSERT(rc == 0);
}

/* Whether the same event would be refused again: want of room passes. */
static bool is_final(int code)
{
    return code != DK_EBUSY && code != DK_ENOMEM;
}

static void serve_new(struct dk_core *core, struct dk_now now, size_t i, uint32_t digest)
{
    const struct dk_slice *event = &core->append.event[i];
    struct dk_err err;
    int rc = judge(core, now, i, &err);
    if (rc == 0) {
        size_t bytes;
        size_t last = dk_pending_count(core->gathering) - 1;
        const uint8_t *record = dk_pending_record(core->gathering, last, &bytes);
        accept(core, record, bytes, digest);
        return;
    }
    if (!is_one_shot(event->data) && is_final(rc)) {
        remember_refusal(core, event, rc);
    }
    refuse(core, i, &err);
}

static void serve_numbered(struct dk_core *core, struct dk_now now, size_t i)
{
    const struct dk_slice *event = &core->append.event[i];
    struct dk_sent sent = sent_as(core, event);
    struct dk_answer answer;
    struct dk_err err;
    switch (ask_number(core, event, &sent, &answer, &err)) {
    case DK_NUMBER_NEW: serve_new(core, now, i, sent.digest); return;
    case DK_NUMBER_REPEATED: answer_again(core, i, &answer); return;
    case DK_NUMBER_FORGOTTEN: dk_pending_accepted(core->gathering, 0, 0); return;
    default: refuse(core, i, &err);
    }
}

static void serve_each(struct dk_core *core, struct dk_now now)
{
    for (size_t i = 0; i < core->append.count; i++) {
        const struct dk_slice *event = &core->append.event[i];
        struct dk_err err;
        int rc = dk_event_canonical(event->data, event->size, &err);
        if (rc == 0) {
            meet(core, event->data);
            rc = check_sender(core, event->data, &err);
        }
        if (rc != 0) {
            refuse(core, i, &err);
        } else if (is_one_shot(event->data)) {
            serve_new(core, now, i, dk_record_digest(event->data, event->size));
        } else {
            serve_numbered(core, now, i);
        }
    }
}

/* ------------------------------------------------------------------------ all of them, or none */

/* Whether the numbers of an atomic request are new (DK_NUMBER_NEW) or were all answered before. */
static int check_numbers(struct dk_core *core, uint32_t *index, struct dk_err *err)
{
    const struct dk_append *append = &core->append;
    uint64_t producer = dk_event_load_producer(append->event[0].data);
    uint64_t first = dk_event_load_producer_number(append->event[0].data);
    int all = DK_NUMBER_NEW;
    for (size_t i = 0; i < append->count; i++) {
        const struct dk_slice *event = &append->event[i];
        uint64_t number = dk_event_load_producer_number(event->data);
        struct dk_answer answer;
        *index = (uint32_t)i;
        if (dk_event_load_producer(event->data) != producer || number != first + i) {
            return dk_err_field(err, DK_EORDER, "producer_number",
                                "the events of an atomic request are one producer's, and their "
                                "numbers rise by one");
        }
        if (i > 0 && all == DK_NUMBER_NEW) {
            continue;
        }
        meet(core, event->data);
        struct dk_sent sent = sent_as(core, event);
        int rc = ask_number(core, event, &sent, &answer, err);
        if (rc < 0) {
            return rc;
        }
        if (i > 0 && rc == DK_NUMBER_NEW) {
            return dk_err_field(err, DK_EORDER, "producer_number",
                                "an atomic request repeats all of its numbers, or none");
        }
        all = i == 0 ? rc : all;
    }
    return all;
}

static int check_atomic(struct dk_core *core, uint32_t *index, struct dk_err *err)
{
    const struct dk_append *append = &core->append;
    for (size_t i = 0; i < append->count; i++) {
        *index = (uint32_t)i;
        int rc = dk_event_canonical(append->event[i].data, append->event[i].size, err);
        if (rc == 0) {
            rc = check_sender(core, append->event[i].data, err);
        }
        if (rc != 0) {
            return rc;
        }
    }
    return is_one_shot(append->event[0].data) ? DK_NUMBER_NEW : check_numbers(core, index, err);
}

/* The answers of an atomic request that came before: of a refused one, only the event at fault. */
static void repeat_atomic(struct dk_core *core)
{
    core->admission.opened_count = 0;
    for (size_t i = 0; i < core->append.count; i++) {
        const struct dk_slice *event = &core->append.event[i];
        struct dk_answer answer = {0};
        meet(core, event->data);
        struct dk_sent sent = sent_as(core, event);
        int rc = ask_number(core, event, &sent, &answer, NULL);
        if (rc == DK_NUMBER_FORGOTTEN) {
            dk_pending_accepted(core->gathering, 0, 0);
        } else if (answer.position != 0 || answer.code != 0) {
            answer_again(core, i, &answer);
        }
    }
}

static int judge_all(struct dk_core *core, struct dk_now now, uint32_t *index, struct dk_err *err)
{
    core->admission.opened_count = 0;
    for (size_t i = 0; i < core->append.count; i++) {
        *index = (uint32_t)i;
        meet(core, core->append.event[i].data);
        int rc = judge(core, now, i, err);
        if (rc != 0) {
            return rc;
        }
    }
    return dk_admit_whole(&core->state, &core->admission, index, err);
}

static void refuse_all(struct dk_core *core, uint32_t index, const struct dk_err *err)
{
    core->admission.opened_count = 0; /* nothing was opened */
    for (size_t i = 0; i < core->append.count; i++) {
        const struct dk_slice *event = &core->append.event[i];
        if (!is_one_shot(event->data) && is_final(err->code)) {
            remember_refusal(core, event, i == index ? err->code : 0);
        }
    }
    refuse(core, index, err);
}

static void serve_atomic(struct dk_core *core, struct dk_now now)
{
    uint32_t index = 0;
    struct dk_err err;
    int rc = check_atomic(core, &index, &err);
    if (rc < 0) {
        refuse(core, index, &err);
        return;
    }
    if (rc != DK_NUMBER_NEW) {
        repeat_atomic(core);
        return;
    }
    size_t before = dk_pending_count(core->gathering);
    dk_state_begin(&core->state);
    rc = judge_all(core, now, &index, &err);
    if (rc != 0) {
        dk_state_undo(&core->state);
        dk_pending_truncate(core->gathering, before);
        refuse_all(core, index, &err);
        return;
    }
    dk_state_end(&core->state);
    for (size_t i = 0; i < core->append.count; i++) {
        size_t bytes;
        const uint8_t *record = dk_pending_record(core->gathering, before + i, &bytes);
        accept(core, record, bytes, dk_record_digest(record, bytes));
    }
}

/* ------------------------------------------------------------------------------- one-shots */

/* How many of the request's events are canonical, and the digest over them. */
static size_t digest_all(const struct dk_core *core, uint32_t *digest)
{
    const struct dk_append *append = &core->append;
    size_t count = 0;
    *digest = 0;
    for (size_t i = 0; i < append->count; i++) {
        const struct dk_slice *event = &append->event[i];
        if (dk_event_canonical(event->data, event->size, NULL) == 0) {
            struct dk_sent sent = sent_as(core, event);
            *digest = dk_one_shot_digest(*digest, dk_sent_digest(&sent));
            count++;
        }
    }
    return count;
}

/* What the request opened when it came before: its tickets have their numbers in a row. */
static void know_opened(struct dk_admission *admission, const struct dk_one_shot *before)
{
    DK_ASSERT(before->opened_count <= DK_REQUEST_MAX_EVENTS);
    admission->opened_count = before->opened_count;
    for (uint32_t k = 0; k < before->opened_count; k++) {
        admission->opened[k] = before->opened + k;
    }
}

/* Answers a request id that is remembered. Of a request that was accepted in part the digest holds
 * the accepted events only; then the id alone must do. */
static bool repeat_one_shot(struct dk_core *core)
{
    const uint8_t *first = core->append.event[0].data;
    const struct dk_one_shot *before = dk_one_shots_find(
        core->state.one_shots, dk_event_load_producer(first), dk_event_load_producer_number(first));
    if (before == NULL) {
        return false;
    }
    know_opened(&core->admission, before);
    uint32_t digest;
    size_t count = digest_all(core, &digest);
    if (count < before->count || (count == before->count && digest != before->digest)) {
        struct dk_err err;
        dk_err_field(&err, DK_EREUSED, "producer_number",
                     "the request id was used before with other events");
        refuse(core, 0, &err);
        return true;
    }
    for (uint32_t i = 0; i < before->count; i++) {
        dk_pending_accepted(core->gathering, before->position + i,
                            i < before->opened_count ? before->opened + i : 0);
    }
    return true;
}

/* Whether the request was a one-shot and was dealt with: it came before, or cannot be taken. */
static bool serve_one_shot(struct dk_core *core)
{
    const struct dk_slice *first = &core->append.event[0];
    if (dk_event_canonical(first->data, first->size, NULL) != 0 || !is_one_shot(first->data)) {
        return false;
    }
    if (repeat_one_shot(core)) {
        return true;
    }
    if (!dk_one_shots_room(core->state.one_shots, core->clock.last_us)) {
        struct dk_err err;
        dk_err_set(&err, DK_EBUSY, "too many one-shot requests within a day");
        refuse(core, 0, &err);
        return true;
    }
    return false;
}

void dk_append_serve(struct dk_core *core, const struct dk_peer *peer, struct dk_now now,
                     const struct dk_request *request)
{
    struct dk_clock before = core->clock;
    struct dk_err err;
    if (prepare(core, peer, now, request, &err) != 0) {
        dk_core_reply_failure(core, peer->connection, request->id, &err);
        return;
    }
    dk_pending_answer(core->gathering, peer->connection, request->id);
    if (!serve_one_shot(core)) {
        if (core->append.atomic) {
            serve_atomic(core, now);
        } else {
            serve_each(core, now);
        }
    }
    if (core->clock_step_us != 0 && core->state.counts.last == core->admission.last_before) {
        core->clock = before;
    }
}

/* ------------------------------------------------------------------------- several in one message
 */

struct listed {
    struct dk_core *core;
    const struct dk_peer *peer;
    struct dk_now now;
};

static void serve_listed(void *arg, const struct dk_request *append)
{
    const struct listed *listed = arg;
    dk_append_serve(listed->core, listed->peer, listed->now, append);
}

void dk_append_serve_list(struct dk_core *core, const struct dk_peer *peer, struct dk_now now,
                          const struct dk_request *list)
{
    struct listed listed = {core, peer, now};
    struct dk_err err;
    if (dk_append_list_read(list, serve_listed, &listed, &err) != 0) {
        dk_core_reply_failure(core, peer->connection, list->id, &err);
    }
}
