/* What a ticket by itself is owed; who gets it is its pool's matter (decide.c). */
#include "nodes/routing/owed.h"
#include "nodes/routing/decide.h"
#include "nodes/routing/index.h"
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

bool dk_routing_rests_on_definitions(const struct dk_routing_ticket *row,
                                     const struct dk_ticket *life)
{
    return dk_ticket_live(life) && !dk_ticket_historical(life) &&
           (wants_route(row, life) || row->relax_wish != 0 || is_handed_over(life));
}

static void wake_at(int64_t *again_us, int64_t at_us)
{
    *again_us = at_us < *again_us ? at_us : *again_us;
}

/* ---------------------------------------------------------------- R1 */

/* Whether it is routed. */
static bool consider_route(struct dk_routing *self, uint64_t ticket,
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
        return true;
    }
    wake_at(again_us, dk_refs_next_route_us(self->world->refs, life->product, now_us));
    if (life->group == 0) {
        wake_at(again_us, dk_refs_next_settings_us(self->world->refs, now_us));
    }
    return false;
}

/* ---------------------------------------------------------------- R5 */

uint64_t dk_routing_group_of_step(const struct dk_routing *self,
                                  const struct dk_routing_ticket *row, unsigned step,
                                  int64_t now_us)
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

bool dk_routing_step_adds(struct dk_routing *self, const struct dk_routing_ticket *row,
                          const struct dk_ask *before, unsigned step, int64_t *again_us)
{
    struct dk_ask after = *before;
    after.mode |= DK_WITHOUT_PREFERRED;
    after.mode |= step != DOCKET__RELAXATION__RELAX_SKILLS ? DK_WITH_ON_CALL : 0;
    if (step == DOCKET__RELAXATION__RELAX_SECONDARY ||
        step == DOCKET__RELAXATION__RELAX_NEXT_SITE) {
        after.group = dk_routing_group_of_step(self, row, step, before->now_us);
    }
    if (after.group == 0) {
        return false;
    }
    struct dk_routing_group *group = dk_routing_group(self, after.group);
    dk_pool_at(self, group->pool, before->now_us);
    wake_at(again_us, dk_pool_next_us(group->pool));
    return dk_index_adds(self, group, &after, before);
}

/* The next step, those passed over that add nobody; none: no other does now. */
static unsigned next_step(struct dk_routing *self, const struct dk_routing_ticket *row,
                          const struct dk_ask *ask, int64_t *again_us)
{
    for (unsigned step = row->relaxation + 1u; step <= DOCKET__RELAXATION__RELAX_ON_CALL; step++) {
        if (dk_routing_step_adds(self, row, ask, step, again_us)) {
            return step;
        }
    }
    return DOCKET__RELAXATION__RELAX_NONE;
}

/* What the terms of a step rest on, and changes at an instant without an event. */
static void wake_for_terms(const struct dk_routing *self, const struct dk_routing_ticket *row,
                           const struct dk_ask *ask, int64_t *again_us)
{
    const struct dk_refs *refs = self->world->refs;
    const Docket__GroupDefined *home = dk_refs_group(refs, row->home, ask->now_us);
    wake_at(again_us, dk_refs_next_settings_us(refs, ask->now_us));
    wake_at(again_us, dk_refs_next_route_us(refs, ask->product, ask->now_us));
    wake_at(again_us, dk_refs_next_version_us(refs, row->home, ask->now_us));
    wake_at(again_us, dk_refs_next_of_class_us(refs, DK_SUBJECT_COMPANY, ask->now_us));
    wake_at(again_us, dk_refs_next_of_class_us(refs, DK_SUBJECT_CUSTOMER, ask->now_us));
    if (home != NULL) {
        wake_at(again_us, dk_refs_next_version_us(refs, home->secondary, ask->now_us));
        wake_at(again_us, dk_refs_next_version_us(refs, home->next_site_group, ask->now_us));
    }
}

static void consider_step(struct dk_routing *self, uint64_t ticket,
                          const struct dk_routing_ticket *row, int64_t now_us,
                          struct dk_intents *intents, int64_t *again_us)
{
    struct dk_terms terms;
    struct dk_ask ask;
    struct dk_choice choice;
    dk_terms_at(self, now_us, &terms);
    int64_t timeout_us = terms.settings.queue_timeout_us;
    if (timeout_us == 0 || now_us - row->queued_us < timeout_us) {
        wake_at(again_us, dk_refs_next_settings_us(self->world->refs, now_us));
        wake_at(again_us, timeout_us != 0 && timeout_us < INT64_MAX - row->queued_us
                              ? row->queued_us + timeout_us
                              : INT64_MAX);
        return;
    }
    dk_ask_of(self, ticket, &terms, now_us, &ask);
    dk_routing_choose_alone(self, &ask, &choice);
    unsigned step =
        choice.count > 0 ? DOCKET__RELAXATION__RELAX_NONE : next_step(self, row, &ask, again_us);
    if (step != DOCKET__RELAXATION__RELAX_NONE) {
        (void)dk_routing_add_queued(intents, ticket, &ask, step, row->queued_at, &choice);
        return;
    }
    wake_for_terms(self, row, &ask, again_us);
    wake_at(again_us, dk_pool_next_us(dk_routing_group(self, row->queue)->pool));
    if (choice.count > 0) { /* its pool is about to give it to somebody, or somebody else to them */
        (void)dk_map_put(&self->hopeful, ticket, NULL);
    } else { /* no one to be found until shifts change, or definitions */
        (void)dk_map_put(&self->stuck, ticket, NULL);
    }
}

static void route_as_wished(uint64_t ticket, uint64_t group, const struct dk_routing_ticket *row,
                            const struct dk_ticket *life, struct dk_intents *intents)
{
    Docket__Routed routed = DOCKET__ROUTED__INIT;
    routed.group = group;
    routed.line = life->line != 0 ? life->line : 1;
    routed.has_reason = 1;
    routed.reason = row->relax_wish == DOCKET__RELAXATION__RELAX_SECONDARY
                        ? DOCKET__ROUTE_REASON__ROUTE_SECONDARY
                        : DOCKET__ROUTE_REASON__ROUTE_NEXT_SITE;
    (void)dk_intents_add(intents, ticket, DK_KIND_ROUTED, &routed.base, row->queued_at);
}

static void touch_all(const struct dk_map *tickets, struct dk_agenda *agenda)
{
    size_t cursor = 0;
    uint64_t ticket;
    void *unused;
    while (tickets->count > 0 && dk_map_next(tickets, &cursor, &ticket, &unused)) {
        dk_agenda_touch(agenda, ticket);
    }
}

/* Who is still so says it when it is considered. */
static void touch_and_forget(struct dk_map *tickets, struct dk_agenda *agenda)
{
    touch_all(tickets, agenda);
    if (tickets->count > 0) {
        dk_map_clear(tickets);
    }
}

void dk_routing_touch_hopeful(struct dk_routing *self, struct dk_agenda *agenda)
{
    touch_and_forget(&self->hopeful, agenda);
}

void dk_routing_touch_stuck(struct dk_routing *self, struct dk_agenda *agenda)
{
    touch_and_forget(&self->stuck, agenda);
}

void dk_routing_touch_resting(struct dk_routing *self, struct dk_agenda *agenda)
{
    touch_all(&self->resting, agenda);
}

void dk_routing_touch_waiting(struct dk_routing *self, struct dk_agenda *agenda)
{
    touch_all(&self->places, agenda);
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

int64_t dk_routing_next_shift_us(struct dk_refs *refs, uint64_t agent, int64_t from_us)
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
    return from_us;
}

static void consider_return(struct dk_routing *self, uint64_t ticket,
                            const struct dk_routing_ticket *row, const struct dk_ticket *life,
                            int64_t now_us, struct dk_intents *intents, int64_t *again_us)
{
    Docket__HandoverDeclared handover = DOCKET__HANDOVER_DECLARED__INIT;
    struct dk_refs *refs = self->world->refs;
    int64_t begins_us = dk_routing_next_shift_us(refs, life->returns_to, row->handed_us);
    if (begins_us <= now_us && !dk_refs_on_shift(refs, life->returns_to, now_us, false)) {
        begins_us =
            dk_routing_next_shift_us(refs, life->returns_to, now_us); /* it was solved meanwhile */
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
    /* A group that was taken away meanwhile is no wish any more: the next step is looked for. */
    uint64_t wish = dk_routing_group_of_step(self, row, row->relax_wish, now_us);
    bool routed = false;
    if (wants_route(row, life)) {
        routed = consider_route(self, ticket, row, life, now_us, intents, again_us);
    } else if (wish != 0) {
        routed = true;
        route_as_wished(ticket, wish, row, life, intents);
    } else if (life->offered != 0) {
        consider_offer(ticket, row, life, now_us, intents, again_us);
    }
    if (is_handed_over(life)) {
        consider_return(self, ticket, row, life, now_us, intents, again_us);
    } else if (!routed && may_relax(self, ticket, row, life)) {
        consider_step(self, ticket, row, now_us, intents, again_us);
    }
}
