#include "tests/sim/offers.h"
#include "proto/base/id.h"
#include "proto/event/body.h"
#include "proto/fold/ticket.h"
#include <inttypes.h>
#include <string.h>

#define MANY       (UINT64_C(1) << 24)
#define CHANGES    256 /* of an agent's load: the latest so many are kept */
#define OFFERS_MAX 64

/* How a ticket waits in a group. */
struct waiting {
    uint64_t group;
    int64_t queued_us; /* recorded, of its last Queued there; 0: none */
    unsigned step;     /* enum Relaxation */
};

/* An agent's load after each position that changed it, and what routing gave; and the capacity by
 * each definition: rings. */
struct loads {
    struct change {
        uint64_t position;
        uint32_t load;
        bool given; /* by routing, at this position */
    } change[CHANGES];
    struct room {
        uint64_t position;
        int64_t from_us;
        uint32_t capacity;
    } room[CHANGES];
    size_t count, rooms;
};

void sim_offers_init(struct sim_offers *offers, struct sim_scene *scene, struct dk_folder *folder)
{
    *offers = (struct sim_offers){.scene = scene, .folder = folder};
    dk_map_init(&offers->waiting, sizeof(struct waiting), MANY);
    dk_map_init(&offers->declines, sizeof(int64_t), MANY);
    dk_map_init(&offers->loads, sizeof(struct loads), MANY);
}

void sim_offers_close(struct sim_offers *offers)
{
    dk_map_close(&offers->waiting);
    dk_map_close(&offers->declines);
    dk_map_close(&offers->loads);
}

static const struct dk_world *world_of(const struct sim_offers *offers)
{
    return dk_folder_world(offers->folder);
}

static const struct dk_ticket *life_of(const struct sim_offers *offers, uint64_t ticket)
{
    static const struct dk_ticket none;
    const struct dk_ticket *life = dk_table_get(world_of(offers)->tickets, ticket, NULL);
    return life != NULL ? life : &none;
}

static bool is_live(const struct dk_ticket *life)
{
    return dk_ticket_live(life) && !dk_ticket_historical(life);
}

/* ---------------------------------------------------------------- what is carried */

static bool carries(const struct dk_ticket *life, uint64_t agent)
{
    bool works =
        life->status == DOCKET__STATUS__STATUS_NEW || life->status == DOCKET__STATUS__STATUS_OPEN;
    return is_live(life) && ((works && (life->owner == agent || life->returns_to == agent)) ||
                             (life->owner == 0 && life->offered == agent));
}

uint32_t sim_offers_load(const struct sim_offers *offers, uint64_t agent)
{
    size_t cursor = 0, bytes;
    uint64_t key;
    uint32_t load = 0;
    const void *value;
    while (dk_table_next(world_of(offers)->tickets, &cursor, &key, &value, &bytes)) {
        load += carries(value, agent);
    }
    return load;
}

static void note_room(struct sim_offers *offers, const struct dk_envelope *event, const void *body)
{
    const Docket__AgentDefined *agent = body;
    struct loads *loads = dk_map_put(&offers->loads, event->subject, NULL);
    DK_ASSERT(loads != NULL);
    loads->room[loads->rooms++ % CHANGES] =
        (struct room){event->position, event->recorded_us, agent->capacity};
}

static void note_load(struct sim_offers *offers, uint64_t agent, uint64_t position, bool given)
{
    struct loads *loads = agent != 0 ? dk_map_put(&offers->loads, agent, NULL) : NULL;
    if (loads != NULL) {
        loads->change[loads->count++ % CHANGES] =
            (struct change){position, sim_offers_load(offers, agent), given};
    }
}

/* What an agent carried at `basis`, and has been given by routing since then. */
static uint32_t carried_at(struct sim_offers *offers, uint64_t agent, uint64_t basis)
{
    const struct loads *loads = dk_map_get(&offers->loads, agent);
    uint32_t given = 0;
    for (size_t back = 1; loads != NULL && back <= CHANGES && back <= loads->count; back++) {
        const struct change *change = &loads->change[(loads->count - back) % CHANGES];
        if (change->position <= basis) {
            return change->load + given;
        }
        given += change->given;
    }
    return given;
}

/* What an agent may carry by the definitions known at `basis`. */
static uint32_t capacity_at(struct sim_offers *offers, uint64_t agent, uint64_t basis,
                            int64_t judged_us)
{
    const struct loads *loads = dk_map_get(&offers->loads, agent);
    for (size_t back = 1; loads != NULL && back <= CHANGES && back <= loads->rooms; back++) {
        const struct room *room = &loads->room[(loads->rooms - back) % CHANGES];
        if (room->position <= basis && room->from_us <= judged_us) {
            return room->capacity;
        }
    }
    return 0;
}

static void check_room(struct sim_offers *offers, const struct dk_envelope *event, uint64_t agent,
                       uint64_t basis, int64_t judged_us)
{
    uint32_t carried = carried_at(offers, agent, basis);
    uint32_t capacity = capacity_at(offers, agent, basis, judged_us);
    if (carried + 1 > capacity) {
        sim_violate(offers->scene, "a capacity is never exceeded (R2)",
                    "%s at %" PRIu64 ", judged at %" PRIu64 ": %u of %u are carried",
                    dk_kind_info(event->kind)->word, event->position, basis, carried, capacity);
    }
}

/* ---------------------------------------------------------------- R6 */

static uint64_t decline_of(uint64_t ticket, uint64_t agent)
{
    return (ticket * UINT64_C(0x9e3779b97f4a7c15) ^ agent) | 1;
}

bool sim_offers_kept(struct sim_offers *offers, uint64_t ticket, uint64_t agent, int64_t at_us)
{
    const int64_t *until_us = dk_map_get(&offers->declines, decline_of(ticket, agent));
    return until_us != NULL && at_us < *until_us;
}

static void note_declined(struct sim_offers *offers, const struct dk_envelope *event,
                          uint64_t agent)
{
    struct dk_settings settings;
    int64_t *until_us = dk_map_put(&offers->declines, decline_of(event->subject, agent), NULL);
    DK_ASSERT(until_us != NULL);
    dk_refs_settings(world_of(offers)->refs, event->occurred_us, &settings);
    *until_us = event->recorded_us + settings.decline_pause_us;
    offers->declined++;
}

/* What nobody waits for any more, nobody is kept from. */
static void forget_declines(struct sim_offers *offers, uint64_t ticket)
{
    size_t cursor = 0;
    uint64_t agent;
    void *unused;
    while (dk_map_next(&offers->loads, &cursor, &agent, &unused)) {
        (void)dk_map_remove(&offers->declines, decline_of(ticket, agent));
    }
}

static void check_offered(struct sim_offers *offers, const struct dk_envelope *event,
                          const Docket__Offered *offered)
{
    const struct dk_ticket *life = life_of(offers, event->subject);
    if (!is_live(life) || life->owner != 0 || life->offered != 0) {
        sim_violate(offers->scene, "an offer is not doubled (R6)",
                    "at %" PRIu64 ", of what has an owner or is on offer", event->position);
    }
    if (sim_offers_kept(offers, event->subject, offered->agent, offered->judged_us)) {
        sim_violate(offers->scene, "what was declined is not offered again soon (R6)",
                    "at %" PRIu64, event->position);
    }
    offers->offered++;
}

/* ---------------------------------------------------------------- R5 */

struct on_call {
    struct dk_refs *refs;
    uint64_t group;
    int64_t at_us;
    bool found;
};

static int look_who_is_on_call(void *arg, const struct dk_refs_version *version)
{
    struct on_call *look = arg;
    const Docket__AgentDefined *agent = (const void *)version->body;
    for (size_t i = 0; i < agent->n_group; i++) {
        look->found |= agent->group[i] == look->group &&
                       dk_refs_on_shift(look->refs, version->subject, look->at_us, true);
    }
    return 0;
}

/* A step comes after its time, and those on call are asked where somebody is. */
static void check_step(struct sim_offers *offers, const struct dk_envelope *event,
                       const Docket__Queued *queued, const struct waiting *waiting)
{
    struct dk_settings settings;
    struct dk_refs *refs = world_of(offers)->refs;
    struct on_call look = {refs, queued->group, queued->judged_us, false};
    dk_refs_settings(refs, queued->judged_us, &settings);
    if (waiting->queued_us == 0 ||
        queued->judged_us - waiting->queued_us < settings.queue_timeout_us) {
        sim_violate(offers->scene, "a step comes when its time is over (R5)", "at %" PRIu64,
                    event->position);
    }
    (void)dk_refs_each(refs, DK_SUBJECT_AGENT, queued->judged_us, look_who_is_on_call, &look);
    if (queued->relaxation == DOCKET__RELAXATION__RELAX_ON_CALL && !look.found) {
        sim_violate(offers->scene, "those on call are asked where somebody is (R5)", "at %" PRIu64,
                    event->position);
    }
    offers->steps++;
}

static bool is_step(const struct dk_envelope *event, const Docket__Routed *routed)
{
    return event->kind == DK_KIND_ROUTED &&
           (routed->reason == DOCKET__ROUTE_REASON__ROUTE_SECONDARY ||
            routed->reason == DOCKET__ROUTE_REASON__ROUTE_NEXT_SITE);
}

/* ---------------------------------------------------------------- events */

static void check_decision(struct sim_offers *offers, const struct dk_envelope *event,
                           const void *body)
{
    const Docket__Assigned *assigned = body;
    const Docket__Offered *offered = body;
    const Docket__HandoverDeclared *handover = body;
    const Docket__Queued *queued = body;
    const struct waiting *waiting = dk_map_put(&offers->waiting, event->subject, NULL);
    DK_ASSERT(waiting != NULL);
    switch (event->kind) {
    case DK_KIND_ASSIGNED:
        check_room(offers, event, assigned->agent, assigned->decision->basis, assigned->judged_us);
        break;
    case DK_KIND_OFFERED:
        check_offered(offers, event, offered);
        check_room(offers, event, offered->agent, offered->decision->basis, offered->judged_us);
        break;
    case DK_KIND_HANDOVER_DECLARED:
        if (handover->reason == DOCKET__HANDOVER_REASON__HANDOVER_ABSENT) {
            check_room(offers, event, handover->agent, handover->decision->basis,
                       handover->judged_us);
        }
        break;
    case DK_KIND_QUEUED:
        if ((unsigned)queued->relaxation > waiting->step) {
            check_step(offers, event, queued, waiting);
        }
        break;
    default: break;
    }
}

void sim_offers_before(struct sim_offers *offers, const struct dk_envelope *event,
                       const ProtobufCMessage *body)
{
    if (dk_id_class(event->subject) != DK_SUBJECT_TICKET) {
        return;
    }
    if (event->actor == dk_id_make(DK_ACTOR_NODE, DK_ROLE_ROUTING)) {
        check_decision(offers, event, body);
    }
    if (event->kind == DK_KIND_OFFER_DECLINED) {
        note_declined(offers, event, ((const Docket__OfferDeclined *)(const void *)body)->agent);
    }
}

static void note_waiting(struct sim_offers *offers, const struct dk_envelope *event,
                         const void *body)
{
    const struct dk_ticket *life = life_of(offers, event->subject);
    struct waiting *waiting = dk_map_put(&offers->waiting, event->subject, NULL);
    uint64_t group = is_live(life) && life->owner == 0 ? life->group : 0;
    DK_ASSERT(waiting != NULL);
    if (event->kind == DK_KIND_QUEUED) {
        waiting->queued_us = event->recorded_us;
        waiting->step = (unsigned)((const Docket__Queued *)body)->relaxation > waiting->step
                            ? (unsigned)((const Docket__Queued *)body)->relaxation
                            : waiting->step;
    }
    if (group != waiting->group) {
        waiting->step = is_step(event, body) && waiting->group != 0 ? waiting->step : 0;
        waiting->group = group;
        waiting->queued_us = 0;
    }
    if (group == 0) {
        forget_declines(offers, event->subject);
    }
}

/* Everybody whom the event may have given something or taken it from. */
void sim_offers_after(struct sim_offers *offers, const struct dk_envelope *event,
                      const ProtobufCMessage *body)
{
    size_t cursor = 0;
    uint64_t agent;
    void *value;
    if (event->kind == DK_KIND_AGENT_DEFINED) {
        note_room(offers, event, body);
    }
    if (dk_id_class(event->subject) != DK_SUBJECT_TICKET) {
        return;
    }
    note_waiting(offers, event, body);
    const struct dk_ticket *life = life_of(offers, event->subject);
    bool by_routing = event->actor == dk_id_make(DK_ACTOR_NODE, DK_ROLE_ROUTING);
    while (dk_map_next(&offers->loads, &cursor, &agent, &value)) {
        const struct loads *loads = value;
        uint32_t before = loads->count > 0 ? loads->change[(loads->count - 1) % CHANGES].load : 0;
        if (sim_offers_load(offers, agent) != before) {
            note_load(offers, agent, event->position, by_routing && carries(life, agent));
        }
    }
}

uint64_t sim_offers_some(struct sim_offers *offers, uint64_t *agent)
{
    uint64_t ticket[OFFERS_MAX], key;
    size_t cursor = 0, bytes, count = 0;
    const void *value;
    while (count < OFFERS_MAX &&
           dk_table_next(world_of(offers)->tickets, &cursor, &key, &value, &bytes)) {
        const struct dk_ticket *life = value;
        if (life->owner == 0 && life->offered != 0 && is_live(life)) {
            ticket[count++] = key;
        }
    }
    if (count == 0) {
        return 0;
    }
    uint64_t found = ticket[test_random_below(&offers->scene->random, count)];
    *agent = life_of(offers, found)->offered;
    return found;
}
