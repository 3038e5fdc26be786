/* What a ticket by itself is owed; who gets it is its pool's matter (decide.c). */
#include "nodes/routing/decide.h"
#include "nodes/routing/pool.h"
#include "proto/base/time.h"

/* Whether it waits for a route: it stands in no group, or is wanted on another line. */
static bool wants_route(const struct dk_routing_ticket *row, const struct dk_ticket *life)
{
    return life->group == 0 || row->wish_line != 0;
}

/* R5: told that it waits, and there may be another step. */
static bool may_relax(const struct dk_routing *self, uint64_t ticket,
                      const struct dk_routing_ticket *row, const struct dk_ticket *life)
{
    return row->queue != 0 && life->owner == 0 && life->offered == 0 && row->queued_at != 0 &&
           row->relaxation < DOCKET__RELAXATION__RELAX_ON_CALL &&
           dk_map_get(&self->places, ticket) != NULL;
}

static bool is_handed_over(const struct dk_ticket *life)
{
    return (life->flags & DK_TICKET_HANDED_OVER) != 0;
}

bool dk_routing_owes_ticket(const struct dk_routing *self, uint64_t ticket,
                            const struct dk_routing_ticket *row, const struct dk_ticket *life)
{
    return dk_ticket_live(life) && !dk_ticket_historical(life) &&
           (wants_route(row, life) || row->repeat_of != 0 || row->relax_wish != 0 ||
            life->offered != 0 || is_handed_over(life) || may_relax(self, ticket, row, life));
}

static void wake_at(int64_t *again_us, int64_t at_us)
{
    *again_us = at_us < *again_us ? at_us : *again_us;
}

/* ---------------------------------------------------------------- R1 */

static void consider_route(struct dk_routing *self, uint64_t ticket,
                           const struct dk_routing_ticket *row, const struct dk_ticket *life,
                           int64_t now_us, struct dk_intents *intents, int64_t *again_us)
{
    Docket__Routed routed = DOCKET__ROUTED__INIT;
    struct dk_settings settings;
    uint64_t node = 0;
    routed.line = row->wish_line != 0 ? row->wish_line : 1;
    routed.group = dk_refs_route(self->world->refs, life->product, routed.line, now_us, &node);
    routed.has_reason = 1;
    routed.reason = row->wish_line != 0 ? DOCKET__ROUTE_REASON__ROUTE_ESCALATION
                                        : DOCKET__ROUTE_REASON__ROUTE_CATALOGUE;
    routed.has_product = node != 0;
    routed.product = node;
    /* A wish that leads nowhere leaves the ticket where it is, if it is anywhere. */
    if (routed.group == 0 && life->group == 0) {
        dk_refs_settings(self->world->refs, now_us, &settings);
        routed.group = settings.default_group;
        routed.reason = DOCKET__ROUTE_REASON__ROUTE_DEFAULT;
    }
    if (routed.group != 0) {
        (void)dk_intents_add(intents, ticket, DK_KIND_ROUTED, &routed.base, row->cause);
        return;
    }
    wake_at(again_us, dk_refs_next_route_us(self->world->refs, life->product, now_us));
    if (life->group == 0) {
        wake_at(again_us, dk_refs_next_settings_us(self->world->refs, now_us));
    }
}

/* ---------------------------------------------------------------- R5 */

/* The group that a step leads to, or 0. */
static uint64_t group_of_step(const struct dk_routing *self, const struct dk_routing_ticket *row,
                              unsigned step, int64_t now_us)
{
    const Docket__GroupDefined *home = dk_refs_group(self->world->refs, row->home, now_us);
    uint64_t group = 0;
    if (home != NULL && step == DOCKET__RELAXATION__RELAX_SECONDARY) {
        group = home->secondary;
    } else if (home != NULL && step == DOCKET__RELAXATION__RELAX_NEXT_SITE) {
        group = home->next_site_group;
    }
    return group != row->queue && dk_refs_group(self->world->refs, group, now_us) != NULL ? group
                                                                                          : 0;
}

static bool step_applies(const struct dk_routing *self, const struct dk_routing_ticket *row,
                         const struct dk_ticket *life, unsigned step, int64_t now_us)
{
    const Docket__ProductDefined *product =
        dk_refs_product(self->world->refs, life->product, now_us);
    switch (step) {
    case DOCKET__RELAXATION__RELAX_SKILLS: return product != NULL && product->n_preferred_skill > 0;
    case DOCKET__RELAXATION__RELAX_ON_CALL:
        return life->priority != DOCKET__PRIORITY__PRIORITY_CRITICAL; /* has them already */
    default: return group_of_step(self, row, step, now_us) != 0;
    }
}

/* The next step, those that do not apply passed over; none: there is no other. */
static unsigned next_step(const struct dk_routing *self, const struct dk_routing_ticket *row,
                          const struct dk_ticket *life, int64_t now_us)
{
    unsigned step = row->relaxation + 1u;
    while (step <= DOCKET__RELAXATION__RELAX_ON_CALL &&
           !step_applies(self, row, life, step, now_us)) {
        step++;
    }
    return step <= DOCKET__RELAXATION__RELAX_ON_CALL ? step : DOCKET__RELAXATION__RELAX_NONE;
}

static void consider_step(struct dk_routing *self, uint64_t ticket,
                          const struct dk_routing_ticket *row, const struct dk_ticket *life,
                          int64_t now_us, struct dk_intents *intents, int64_t *again_us)
{
    struct dk_terms terms;
    struct dk_choice choice;
    dk_terms_at(self, now_us, &terms);
    int64_t timeout_us = terms.settings.queue_timeout_us;
    unsigned step = next_step(self, row, life, now_us);
    if (step == DOCKET__RELAXATION__RELAX_NONE || timeout_us == 0) {
        return;
    }
    if (now_us - row->queued_us < timeout_us) {
        wake_at(again_us,
                timeout_us < INT64_MAX - row->queued_us ? row->queued_us + timeout_us : INT64_MAX);
        return;
    }
    dk_routing_choose_alone(self, ticket, now_us, &choice);
    if (choice.count > 0) { /* its pool is about to give it to somebody, or somebody else to them */
        (void)dk_map_put(&self->hopeful, ticket, NULL);
        wake_at(again_us, now_us + DK_SECOND_US); /* shifts end */
        return;
    }
    (void)dk_routing_add_queued(intents, ticket, row, step, row->queued_at, now_us, &choice);
}

static void consider_wish(struct dk_routing *self, uint64_t ticket,
                          const struct dk_routing_ticket *row, const struct dk_ticket *life,
                          int64_t now_us, struct dk_intents *intents)
{
    Docket__Routed routed = DOCKET__ROUTED__INIT;
    routed.group = group_of_step(self, row, row->relax_wish, now_us);
    routed.line = life->line != 0 ? life->line : 1;
    routed.has_reason = 1;
    routed.reason = row->relax_wish == DOCKET__RELAXATION__RELAX_SECONDARY
                        ? DOCKET__ROUTE_REASON__ROUTE_SECONDARY
                        : DOCKET__ROUTE_REASON__ROUTE_NEXT_SITE;
    if (routed.group != 0) {
        (void)dk_intents_add(intents, ticket, DK_KIND_ROUTED, &routed.base, row->queued_at);
    }
}

void dk_routing_touch_hopeful(struct dk_routing *self, struct dk_agenda *agenda)
{
    size_t cursor = 0;
    uint64_t ticket;
    void *unused;
    if (self->hopeful.count == 0) {
        return;
    }
    while (dk_map_next(&self->hopeful, &cursor, &ticket, &unused)) {
        dk_agenda_touch(agenda, ticket);
    }
    dk_map_clear(&self->hopeful); /* who is still so says it when it is considered */
}

/* ---------------------------------------------------------------- R6 */

static void consider_offer(uint64_t ticket, const struct dk_routing_ticket *row,
                           const struct dk_ticket *life, int64_t now_us, struct dk_intents *intents,
                           int64_t *again_us)
{
    Docket__OfferDeclined declined = DOCKET__OFFER_DECLINED__INIT;
    if (now_us < row->expires_us) {
        wake_at(again_us, row->expires_us);
        return;
    }
    declined.agent = life->offered;
    declined.has_timed_out = 1;
    declined.timed_out = 1;
    (void)dk_intents_add(intents, ticket, DK_KIND_OFFER_DECLINED, &declined.base, row->offered_at);
}

/* ---------------------------------------------------------------- R7 */

#define EDGES_MAX 512 /* of shifts, looked at to find the next beginning */

/* When the agent's next shift after `from` begins; INT64_MAX: none is known. */
static int64_t next_shift_us(struct dk_refs *refs, uint64_t agent, int64_t from_us)
{
    bool on_shift = dk_refs_on_shift(refs, agent, from_us, false);
    for (int i = 0; i < EDGES_MAX && from_us != INT64_MAX; i++) {
        from_us = dk_refs_next_shift_edge_us(refs, agent, from_us);
        bool then = from_us != INT64_MAX && dk_refs_on_shift(refs, agent, from_us, false);
        if (then && !on_shift) {
            return from_us;
        }
        on_shift = then;
    }
    return INT64_MAX;
}

static void consider_return(struct dk_routing *self, uint64_t ticket,
                            const struct dk_routing_ticket *row, const struct dk_ticket *life,
                            int64_t now_us, struct dk_intents *intents, int64_t *again_us)
{
    Docket__HandoverDeclared handover = DOCKET__HANDOVER_DECLARED__INIT;
    struct dk_refs *refs = self->world->refs;
    int64_t begins_us = next_shift_us(refs, life->returns_to, row->handed_us);
    if (begins_us <= now_us && !dk_refs_on_shift(refs, life->returns_to, now_us, false)) {
        begins_us = next_shift_us(refs, life->returns_to, now_us); /* it was solved meanwhile */
    }
    if (begins_us > now_us) {
        wake_at(again_us, begins_us);
        return;
    }
    handover.agent = life->returns_to;
    handover.term = DOCKET__HANDOVER_TERM__HANDOVER_TEMPORARY;
    handover.reason = DOCKET__HANDOVER_REASON__HANDOVER_RETURN;
    handover.has_from_agent = life->owner != 0;
    handover.from_agent = life->owner;
    (void)dk_intents_add(intents, ticket, DK_KIND_HANDOVER_DECLARED, &handover.base,
                         row->handed_at);
}

/* ---------------------------------------------------------------- all of it */

void dk_routing_consider_ticket(struct dk_routing *self, uint64_t ticket, int64_t now_us,
                                struct dk_intents *intents, int64_t *again_us)
{
    const struct dk_ticket *life = dk_table_get(self->world->tickets, ticket, NULL);
    const struct dk_routing_ticket *row = dk_table_get(self->tickets, ticket, NULL);
    if (life == NULL || row == NULL || !dk_routing_owes_ticket(self, ticket, row, life)) {
        return;
    }
    if (row->repeat_of != 0) {
        Docket__RepeatNoted noted = DOCKET__REPEAT_NOTED__INIT;
        noted.repeat_of = row->repeat_of;
        (void)dk_intents_add(intents, ticket, DK_KIND_REPEAT_NOTED, &noted.base, row->repeat_cause);
    }
    if (wants_route(row, life)) {
        consider_route(self, ticket, row, life, now_us, intents, again_us);
    } else if (row->relax_wish != 0) {
        consider_wish(self, ticket, row, life, now_us, intents);
    } else if (life->offered != 0) {
        consider_offer(ticket, row, life, now_us, intents, again_us);
    }
    if (is_handed_over(life)) {
        consider_return(self, ticket, row, life, now_us, intents, again_us);
    } else if (row->relax_wish == 0 && may_relax(self, ticket, row, life)) {
        consider_step(self, ticket, row, life, now_us, intents, again_us);
    }
}
