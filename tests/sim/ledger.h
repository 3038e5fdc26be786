/* Everything that clients of a world ever sent, and what they were told about it.
 *
 * Every action's event is unlike all others (by a token in its text, or a request id), so an event
 * of the log is known by what was sent: kind, actor, stated time, request id and body. The checker
 * compares log and ledger as events become durable and as answers arrive. */
#ifndef DK_SIM_LEDGER_H
#define DK_SIM_LEDGER_H

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/base/map.h"
#include "proto/event/body.h"
#include "tests/sim/scene.h"

enum sim_outcome {
    SIM_UNANSWERED,
    SIM_ACCEPTED,
    SIM_REFUSED, /* for good: it must never be found in the log */
    SIM_UNSURE,  /* refused, but a copy of a one-shot request may still be on its way */
};

struct sim_action {
    uint32_t kind;
    uint64_t subject; /* as sent; of site DK_SITE_UNNAMED: the ticket that the request opened */
    uint32_t expected_version;
    enum sim_outcome outcome;
    int code;          /* of the refusal */
    uint64_t position; /* as told; 0: not known any more */
    uint64_t found;    /* where it stands in the log, or 0 */
};

struct sim_ledger {
    struct sim_scene *scene;
    struct sim_action *action;
    size_t count, capacity;
    struct dk_map by_digest; /* -> index + 1, as uint64_t */
    uint64_t *ticket;        /* that people know of */
    size_t tickets, tickets_capacity;
    struct dk_arena arena; /* for bodies in the making */
    uint64_t tokens;
    size_t accepted, refused;
};

void sim_ledger_init(struct sim_ledger *ledger, struct sim_scene *scene);
void sim_ledger_close(struct sim_ledger *ledger);

/* A new action, of this encoded event; its index. */
size_t sim_ledger_add(struct sim_ledger *ledger, const uint8_t *record, size_t bytes,
                      uint32_t expected_version);
/* The action whose event this is, or NULL. */
struct sim_action *sim_ledger_find(struct sim_ledger *ledger, const uint8_t *record, size_t bytes);

/* A client was told. What contradicts the log violates a rule. */
void sim_ledger_accepted(struct sim_ledger *ledger, size_t action, uint64_t position);
void sim_ledger_refused(struct sim_ledger *ledger, size_t action, int code, bool sure);

void sim_ledger_ticket(struct sim_ledger *ledger, uint64_t ticket);
/* A ticket that people know of, rather a new one; 0: none yet. */
uint64_t sim_ledger_some_ticket(struct sim_ledger *ledger);

/* Parts of bodies: a token that was never used; words in the arena, until the next action. */
uint64_t sim_token(struct sim_ledger *ledger);
ProtobufCBinaryData sim_bytes(struct sim_ledger *ledger, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
Docket__Text *sim_text(struct sim_ledger *ledger, const char *what);

#endif
