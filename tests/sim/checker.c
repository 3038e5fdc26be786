#include "tests/sim/checker.h"

#include "broker/log/batch.h"
#include "nodes/runtime/folder.h"
#include "proto/base/id.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY (UINT64_C(1) << 24)

/* What the log has said of a subject. */
struct subject {
    uint64_t position, version;
    uint64_t input; /* position of the last event that no node decided */
    bool historical;
    struct decided {
        uint64_t position, basis, producer, number;
    } of_role[DK_DECIDER_ROLES];
};

void sim_checker_init(struct sim_checker *checker, struct sim_ledger *ledger,
                      const struct sim_store *store)
{
    struct dk_err err;
    memset(checker, 0, sizeof *checker);
    checker->scene = ledger->scene;
    checker->ledger = ledger;
    checker->store = store;
    dk_map_init(&checker->subjects, sizeof(struct subject), MANY);
    dk_map_init(&checker->numbers, sizeof(uint64_t), MANY);
    dk_map_init(&checker->obligations, sizeof(uint64_t), MANY);
    dk_map_init(&checker->clocks, sizeof(uint32_t), MANY);
    dk_map_init(&checker->presences, sizeof(uint32_t), MANY);
    dk_map_init(&checker->requested, sizeof(uint64_t), MANY);
    dk_map_init(&checker->received, sizeof(bool), MANY);
    for (size_t i = 0; i < SIM_ROLES; i++) {
        int rc = dk_folder_new(&checker->folder[i], sim_roles[i], &err);
        DK_ASSERT(rc == 0);
    }
    sim_offers_init(&checker->offers, ledger->scene, checker->folder[0]);
}

void sim_checker_close(struct sim_checker *checker)
{
    dk_map_close(&checker->subjects);
    dk_map_close(&checker->numbers);
    dk_map_close(&checker->obligations);
    dk_map_close(&checker->clocks);
    dk_map_close(&checker->presences);
    dk_map_close(&checker->requested);
    dk_map_close(&checker->received);
    sim_offers_close(&checker->offers);
    for (size_t i = 0; i < SIM_ROLES; i++) {
        dk_folder_free(&checker->folder[i]);
        free(checker->state_hash[i]);
    }
}

static uint64_t mix(uint64_t hash, const void *data, size_t bytes)
{
    const uint8_t *at = data;
    for (size_t i = 0; i < bytes; i++) {
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

/* ---------------------------------------------------------------- one record of the log */

static void check_chain(struct sim_checker *checker, const struct dk_envelope *event,
                        struct subject *subject)
{
    if (event->position != checker->checked + 1) {
        sim_violate(checker->scene, "positions are dense", "%" PRIu64 " after %" PRIu64,
                    event->position, checker->checked);
    }
    if (event->recorded_us < checker->recorded_us) {
        sim_violate(checker->scene, "recorded time never goes back", "at %" PRIu64,
                    event->position);
    }
    if (event->subject_version != subject->version + 1 || event->previous != subject->position) {
        sim_violate(checker->scene, "versions are gapless and chains whole",
                    "at %" PRIu64 ": version %u after %" PRIu64 ", previous %" PRIu64
                    " after %" PRIu64,
                    event->position, event->subject_version, subject->version, event->previous,
                    subject->position);
    }
    if (checker->more_of != 0 && checker->more_of != event->producer) {
        sim_violate(checker->scene, "an atomic request stands together", "at %" PRIu64,
                    event->position);
    }
    checker->recorded_us = event->recorded_us;
    checker->more_of = (event->flags & DOCKET__EVENT_FLAG__FLAG_MORE) != 0 ? event->producer : 0;
}

static void check_number(struct sim_checker *checker, const struct dk_envelope *event)
{
    if ((event->flags & DOCKET__EVENT_FLAG__FLAG_ONE_SHOT) != 0) {
        return; /* its actions are found once or twice */
    }
    uint64_t *last = dk_map_put(&checker->numbers, event->producer, NULL);
    DK_ASSERT(last != NULL);
    if (event->producer_number <= *last) {
        sim_violate(checker->scene, "a producer's numbers rise",
                    "at %" PRIu64 ": number %" PRIu64 " after %" PRIu64, event->position,
                    event->producer_number, *last);
    }
    *last = event->producer_number;
}

/* An event of a client is an action that was sent, and stands here for the first time. */
static void check_action(struct sim_checker *checker, const struct dk_envelope *event,
                         const uint8_t *record, size_t bytes)
{
    struct sim_action *action = sim_ledger_find(checker->ledger, record, bytes);
    bool named = action != NULL && dk_ticket_site(action->subject) != DK_SITE_UNNAMED;
    if (action == NULL || (named && action->subject != event->subject)) {
        sim_violate(checker->scene, "the log holds what was sent", "at %" PRIu64 ": %s",
                    event->position, dk_kind_info(event->kind)->word);
    } else if (action->found != 0) {
        sim_violate(checker->scene, "an action stands in the log once",
                    "%s at %" PRIu64 " and at %" PRIu64, dk_kind_info(event->kind)->word,
                    action->found, event->position);
    } else if (action->outcome == SIM_REFUSED) {
        sim_violate(checker->scene, "nothing refused is in the log",
                    "%s at %" PRIu64 " was refused with %s", dk_kind_info(event->kind)->word,
                    event->position, dk_code_name(action->code));
    } else if (action->expected_version != 0 &&
               event->subject_version != action->expected_version + 1) {
        sim_violate(checker->scene, "an expected version is kept", "at %" PRIu64, event->position);
    } else {
        action->found = event->position;
    }
}

/* ---------------------------------------------------------------- one decision */

/* The clock of a body that has one, which stands third in all of them; else NULL. */
static const Docket__ClockRef *clock_of(const ProtobufCMessage *message, uint32_t kind)
{
    bool has = kind >= DK_KIND_CLOCK_STARTED && kind <= DK_KIND_CLOCK_CORRECTED;
    return has ? ((const Docket__ClockPaused *)(const void *)message)->clock : NULL;
}

/* What an event discharges, beside kind and ticket: two events with the same are one too many. A
 * clock starts, warns at a level and breaches once; what it does whenever there is a cause, as a
 * ticket may be solved again, is check_clock's. */
static uint64_t obligation_of(const ProtobufCMessage *message, uint32_t kind, uint64_t cause)
{
    const void *body = message;
    const Docket__ClockRef *clock = clock_of(message, kind);
    uint64_t of_clock = clock != NULL ? (uint64_t)clock->metric << 32 | clock->instance : 0;
    switch (kind) {
    case DK_KIND_CLOCK_STARTED:
    case DK_KIND_CLOCK_BREACHED: return of_clock;
    case DK_KIND_CLOCK_WARNED:
        return of_clock | (uint64_t)((const Docket__ClockWarned *)body)->level << 48;
    case DK_KIND_NOTIFICATION_REQUESTED:
        return ((const Docket__NotificationRequested *)body)->notice;
    case DK_KIND_NOTIFICATION_SENT: return ((const Docket__NotificationSent *)body)->notice;
    default: return cause;
    }
}

/* A notice is told of as sent when its receiver has it, and not before. */
static void check_notice(struct sim_checker *checker, const struct dk_envelope *event,
                         const ProtobufCMessage *message)
{
    const void *body = message;
    if (event->kind == DK_KIND_NOTIFICATION_REQUESTED) {
        uint64_t notice = ((const Docket__NotificationRequested *)body)->notice;
        uint64_t *position = dk_map_put(&checker->requested, notice, NULL);
        DK_ASSERT(position != NULL);
        *position = event->position;
    } else if (event->kind == DK_KIND_NOTIFICATION_SENT) {
        uint64_t notice = ((const Docket__NotificationSent *)body)->notice;
        (void)dk_map_remove(&checker->requested, notice);
        if (dk_map_get(&checker->received, notice) == NULL) {
            sim_violate(checker->scene, "a notice said to be sent is received",
                        "at %" PRIu64 ": %016" PRIx64, event->position, notice);
        }
    }
}

/* Of clocks: whether there is one obligation an instance. */
static bool discharged_once(uint32_t kind)
{
    return kind == DK_KIND_CLOCK_STARTED || kind == DK_KIND_CLOCK_WARNED ||
           kind == DK_KIND_CLOCK_BREACHED;
}

/* A clock does not pause or end twice without something in between. */
static bool repeats_itself(struct sim_checker *checker, const struct dk_envelope *event,
                           const Docket__ClockRef *clock)
{
    uint64_t what[] = {event->subject, (uint64_t)clock->metric, clock->instance};
    uint64_t key = mix(UINT64_C(0xcbf29ce484222325), what, sizeof what);
    uint32_t *last = dk_map_put(&checker->clocks, key | 1, NULL);
    DK_ASSERT(last != NULL);
    bool same = *last == event->kind;
    *last = event->kind;
    return same;
}

static void check_clock(struct sim_checker *checker, const struct dk_envelope *event,
                        const Docket__ClockRef *clock)
{
    bool ends = event->kind == DK_KIND_CLOCK_PAUSED || event->kind == DK_KIND_CLOCK_MET ||
                event->kind == DK_KIND_CLOCK_CANCELLED;
    if (repeats_itself(checker, event, clock) && ends) {
        sim_violate(checker->scene, "a clock does not do the same twice", "%s at %" PRIu64,
                    dk_kind_info(event->kind)->word, event->position);
    }
}

static void check_once(struct sim_checker *checker, const struct dk_envelope *event,
                       const uint8_t *record, size_t bytes, uint64_t cause)
{
    struct dk_err err;
    bool first = false;
    dk_arena_reset(&checker->ledger->arena);
    const ProtobufCMessage *body = dk_body_unpack(&checker->ledger->arena, record, bytes, &err);
    DK_ASSERT(body != NULL);
    check_notice(checker, event, body);
    const Docket__ClockRef *clock = clock_of(body, event->kind);
    if (clock != NULL) {
        check_clock(checker, event, clock);
    }
    if (clock != NULL && !discharged_once(event->kind)) {
        return;
    }
    uint64_t what[] = {event->kind, event->subject, obligation_of(body, event->kind, cause)};
    uint64_t key = mix(UINT64_C(0xcbf29ce484222325), what, sizeof what);
    uint64_t *before = dk_map_put(&checker->obligations, key | 1, &first);
    DK_ASSERT(before != NULL);
    if (!first) {
        sim_violate(checker->scene, "an obligation is discharged once",
                    "%s at %" PRIu64 " and at %" PRIu64 ", both for %" PRIu64,
                    dk_kind_info(event->kind)->word, *before, event->position, cause);
    }
    *before = event->position;
}

/* Decisions of one request were made together, on one basis. */
static bool together(const struct decided *a, const struct decided *b)
{
    return a->basis == b->basis && a->producer == b->producer &&
           b->number - a->number < DK_INTENTS_MAX;
}

static void check_decision(struct sim_checker *checker, const struct dk_envelope *event,
                           const uint8_t *record, size_t bytes, struct subject *subject)
{
    struct dk_decision decision;
    uint64_t role = event->actor & DK_ID_MASK;
    int has = dk_event_decision(record, bytes, &decision);
    if (has != 1 || role == 0 || role > DK_DECIDER_ROLES) {
        sim_violate(checker->scene, "a node's event is a decision", "at %" PRIu64, event->position);
        return;
    }
    struct decided *last = &subject->of_role[role - 1];
    struct decided this = {event->position, decision.basis, event->producer,
                           event->producer_number};
    if (subject->historical) {
        sim_violate(checker->scene, "nodes leave historical tickets alone", "%s at %" PRIu64,
                    dk_kind_info(event->kind)->word, event->position);
    }
    if (subject->input > decision.basis) {
        sim_violate(checker->scene, "a decision knows what people did",
                    "%s at %" PRIu64 " rests on %" PRIu64 ", after that came %" PRIu64,
                    dk_kind_info(event->kind)->word, event->position, decision.basis,
                    subject->input);
    }
    if (last->position > decision.basis && !together(last, &this)) {
        sim_violate(checker->scene, "a decision knows its role's decisions",
                    "%s at %" PRIu64 " rests on %" PRIu64 ", after that came %" PRIu64,
                    dk_kind_info(event->kind)->word, event->position, decision.basis,
                    last->position);
    }
    *last = this;
    checker->decisions++;
    check_once(checker, event, record, bytes, decision.cause);
}

/* ---------------------------------------------------------------- the log */

static void note_presence(struct sim_checker *checker, const struct dk_envelope *event,
                          const uint8_t *record, size_t bytes)
{
    struct dk_err err;
    dk_arena_reset(&checker->ledger->arena);
    const ProtobufCMessage *body = dk_body_unpack(&checker->ledger->arena, record, bytes, &err);
    uint32_t *presence = dk_map_put(&checker->presences, event->subject, NULL);
    DK_ASSERT(body != NULL && presence != NULL);
    *presence = ((const Docket__PresenceChanged *)(const void *)body)->presence;
}

static void fold(struct sim_checker *checker, const uint8_t *record, size_t bytes)
{
    uint64_t position = dk_event_load_position(record);
    if (position >= checker->state_capacity) {
        checker->state_capacity = checker->state_capacity == 0 ? 512 : checker->state_capacity * 2;
        for (size_t i = 0; i < SIM_ROLES; i++) {
            checker->state_hash[i] = realloc(
                checker->state_hash[i], checker->state_capacity * sizeof *checker->state_hash[i]);
            DK_ASSERT(checker->state_hash[i] != NULL);
        }
    }
    for (size_t i = 0; i < SIM_ROLES; i++) {
        struct dk_err err;
        if (dk_folder_apply(checker->folder[i], record, bytes, &err) != 0) {
            sim_violate(checker->scene, "the log can be folded", "%s: %s", sim_roles[i]->name,
                        err.message);
            return;
        }
        checker->state_hash[i][position] = dk_folder_hash(checker->folder[i]);
    }
}

/* The rules about routing look at the state before the event and after it. */
static void replay(struct sim_checker *checker, const struct dk_envelope *event,
                   const uint8_t *record, size_t bytes)
{
    struct dk_err err;
    dk_arena_reset(&checker->ledger->arena);
    const ProtobufCMessage *body = dk_body_unpack(&checker->ledger->arena, record, bytes, &err);
    DK_ASSERT(body != NULL);
    sim_offers_before(&checker->offers, event, body);
    fold(checker, record, bytes);
    sim_offers_after(&checker->offers, event, body);
}

static void check_record(struct sim_checker *checker, const uint8_t *record, size_t bytes)
{
    struct dk_envelope event;
    struct dk_err err;
    if (dk_event_verify(record, bytes, &err) != 0) {
        sim_violate(checker->scene, "records are what was written", "%s", err.message);
        return;
    }
    dk_event_load(record, &event);
    struct subject *subject = dk_map_put(&checker->subjects, event.subject, NULL);
    DK_ASSERT(subject != NULL);
    char what[DK_ID_TEXT_BYTES];
    sim_trace(checker->scene, "log: %" PRIu64 " %s of %s by %s, number %" PRIu64, event.position,
              dk_kind_info(event.kind)->word, dk_id_format(event.subject, what),
              dk_actor_class_word(dk_id_class(event.actor)), event.producer_number);
    check_chain(checker, &event, subject);
    check_number(checker, &event);
    if (dk_id_class(event.actor) == DK_ACTOR_NODE) {
        check_decision(checker, &event, record, bytes, subject);
    } else {
        check_action(checker, &event, record, bytes);
        subject->input = event.position;
    }
    subject->position = event.position;
    subject->version = event.subject_version;
    if (event.kind == DK_KIND_OPENED) {
        subject->historical = (event.flags & DOCKET__EVENT_FLAG__FLAG_IMPORTED) != 0;
    } else if (event.kind == DK_KIND_ADOPTED) {
        subject->historical = false;
    } else if (event.kind == DK_KIND_PRESENCE_CHANGED) {
        note_presence(checker, &event, record, bytes);
    }
    replay(checker, &event, record, bytes);
    checker->content_hash = mix(checker->content_hash, record, bytes);
    checker->checked++;
}

/* After a recovery: everything that was durable is there, byte for byte. */
static void check_prefix(struct sim_checker *checker)
{
    uint64_t hash = 0;
    if (sim_store_last(checker->store) < checker->checked) {
        sim_violate(checker->scene, "what was synced stays",
                    "the log ended at %" PRIu64 " and ends at %" PRIu64, checker->checked,
                    sim_store_last(checker->store));
        return;
    }
    for (uint64_t position = 1; position <= checker->checked; position++) {
        size_t bytes;
        const uint8_t *record = sim_store_record(checker->store, position, &bytes);
        hash = mix(hash, record, bytes);
    }
    if (hash != checker->content_hash) {
        sim_violate(checker->scene, "what was synced stays", "the bytes up to %" PRIu64 " differ",
                    checker->checked);
    }
}

void sim_checker_look(struct sim_checker *checker, bool recovered)
{
    if (recovered) {
        check_prefix(checker);
    }
    while (!checker->scene->violated && checker->checked < sim_store_last(checker->store)) {
        size_t bytes;
        const uint8_t *record = sim_store_record(checker->store, checker->checked + 1, &bytes);
        check_record(checker, record, bytes);
    }
    if (checker->more_of != 0) {
        sim_violate(checker->scene, "an atomic request stands together", "the log ends within one");
    }
}
