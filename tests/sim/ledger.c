#include "tests/sim/ledger.h"

#include "proto/base/id.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES (1024 * 1024)

void sim_ledger_init(struct sim_ledger *ledger, struct sim_scene *scene)
{
    memset(ledger, 0, sizeof *ledger);
    ledger->scene = scene;
    dk_map_init(&ledger->by_digest, sizeof(uint64_t), 1 << 20);
    int rc = dk_arena_init(&ledger->arena, ARENA_BYTES);
    DK_ASSERT(rc == 0);
}

void sim_ledger_close(struct sim_ledger *ledger)
{
    dk_map_close(&ledger->by_digest);
    dk_arena_close(&ledger->arena);
    free(ledger->action);
    free(ledger->ticket);
}

/* ---------------------------------------------------------------- actions */

static uint64_t mix(uint64_t hash, const void *data, size_t bytes)
{
    const uint8_t *at = data;
    for (size_t i = 0; i < bytes; i++) {
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

/* Over what the sender decides and the broker leaves alone. */
static uint64_t digest_of(const uint8_t *record, size_t bytes)
{
    struct dk_envelope event;
    size_t body_bytes;
    dk_event_load(record, &event);
    bool stated = event.recorded_us == 0 ? event.occurred_us != 0
                                         : (event.flags & DOCKET__EVENT_FLAG__FLAG_BACKDATED) != 0;
    int64_t occurred_us = stated ? event.occurred_us : 0;
    const uint8_t *body = dk_event_body(record, bytes, &body_bytes);
    uint64_t hash = mix(UINT64_C(0xcbf29ce484222325), &event.kind, sizeof event.kind);
    hash = mix(hash, &event.actor, sizeof event.actor);
    hash = mix(hash, &occurred_us, sizeof occurred_us);
    if ((event.flags & DOCKET__EVENT_FLAG__FLAG_ONE_SHOT) != 0) {
        hash = mix(hash, &event.producer, sizeof event.producer);
        hash = mix(hash, &event.producer_number, sizeof event.producer_number);
    }
    hash = mix(hash, body, body_bytes);
    return hash != 0 ? hash : 1;
}

size_t sim_ledger_add(struct sim_ledger *ledger, const uint8_t *record, size_t bytes,
                      uint32_t expected_version)
{
    bool created = false;
    if (ledger->count == ledger->capacity) {
        ledger->capacity = ledger->capacity == 0 ? 256 : ledger->capacity * 2;
        ledger->action = realloc(ledger->action, ledger->capacity * sizeof *ledger->action);
        DK_ASSERT(ledger->action != NULL);
    }
    ledger->action[ledger->count] = (struct sim_action){
        .kind = dk_event_load_kind(record),
        .subject = dk_event_load_subject(record),
        .expected_version = expected_version,
    };
    uint64_t *index = dk_map_put(&ledger->by_digest, digest_of(record, bytes), &created);
    DK_ASSERT(index != NULL && created);
    *index = ledger->count + 1;
    dk_arena_reset(&ledger->arena);
    return ledger->count++;
}

struct sim_action *sim_ledger_find(struct sim_ledger *ledger, const uint8_t *record, size_t bytes)
{
    const uint64_t *index = dk_map_get(&ledger->by_digest, digest_of(record, bytes));
    return index != NULL ? &ledger->action[*index - 1] : NULL;
}

void sim_ledger_accepted(struct sim_ledger *ledger, size_t index, uint64_t position)
{
    struct sim_action *action = &ledger->action[index];
    action->outcome = SIM_ACCEPTED;
    action->position = position;
    ledger->accepted++;
    if (action->found == 0 || (position != 0 && position != action->found)) {
        sim_violate(ledger->scene, "what is acknowledged is in the log",
                    "action %zu (%s) was acknowledged at %" PRIu64 ", and stands at %" PRIu64
                    " (0: nowhere)",
                    index, dk_kind_info(action->kind)->word, position, action->found);
    }
}

void sim_ledger_refused(struct sim_ledger *ledger, size_t index, int code, bool sure)
{
    struct sim_action *action = &ledger->action[index];
    action->outcome = sure ? SIM_REFUSED : SIM_UNSURE;
    action->code = code;
    ledger->refused++;
    if (sure && action->found != 0) {
        sim_violate(ledger->scene, "nothing refused is in the log",
                    "action %zu (%s) was refused with %s, and stands at %" PRIu64, index,
                    dk_kind_info(action->kind)->word, dk_code_name(code), action->found);
    }
}

/* ---------------------------------------------------------------- tickets */

void sim_ledger_ticket(struct sim_ledger *ledger, uint64_t ticket)
{
    if (ledger->tickets == ledger->tickets_capacity) {
        ledger->tickets_capacity =
            ledger->tickets_capacity == 0 ? 64 : ledger->tickets_capacity * 2;
        ledger->ticket = realloc(ledger->ticket, ledger->tickets_capacity * sizeof *ledger->ticket);
        DK_ASSERT(ledger->ticket != NULL);
    }
    ledger->ticket[ledger->tickets++] = ticket;
}

uint64_t sim_ledger_some_ticket(struct sim_ledger *ledger)
{
    size_t last = ledger->tickets;
    if (last == 0) {
        return 0;
    }
    size_t of = last > 12 && sim_chance(ledger->scene, 700) ? 12 : last;
    return ledger->ticket[last - 1 - test_random_below(&ledger->scene->random, of)];
}

/* ---------------------------------------------------------------- bodies */

uint64_t sim_token(struct sim_ledger *ledger)
{
    return ++ledger->tokens;
}

ProtobufCBinaryData sim_bytes(struct sim_ledger *ledger, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    DK_ASSERT(n >= 0 && (size_t)n < sizeof text);
    char *made = dk_arena_strndup(&ledger->arena, text, (size_t)n);
    DK_ASSERT(made != NULL);
    return (ProtobufCBinaryData){(size_t)n, (uint8_t *)made};
}

Docket__Text *sim_text(struct sim_ledger *ledger, const char *what)
{
    Docket__Text *text = dk_arena_alloc(&ledger->arena, sizeof *text);
    DK_ASSERT(text != NULL);
    docket__text__init(text);
    text->has_plain = 1;
    text->plain = sim_bytes(ledger, "%s %" PRIu64, what, sim_token(ledger));
    return text;
}
