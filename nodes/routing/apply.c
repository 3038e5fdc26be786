#include "nodes/routing/pool.h"
#include "proto/fold/ticket.h"
#include <string.h>

static void set_language(struct dk_routing_ticket *row, int present,
                         const ProtobufCBinaryData *language)
{
    if (present) {
        size_t n = language->len < DK_LANGUAGE_MAX ? language->len : DK_LANGUAGE_MAX - 1;
        memset(row->language, 0, sizeof row->language);
        memcpy(row->language, language->data, n);
    }
}

static void set_due(struct dk_routing_ticket *row, const Docket__ClockRef *clock, int64_t due_us)
{
    if (clock->metric == DOCKET__METRIC__METRIC_FIRST_REPLY) {
        row->first_reply_due_us = due_us;
    } else if (clock->metric == DOCKET__METRIC__METRIC_RESOLUTION) {
        row->resolution_due_us = due_us;
    }
}

static void note_escalated(struct dk_routing_ticket *row, const struct dk_event *event)
{
    const Docket__Escalated *escalated = (const void *)event->body;
    if (escalated->type == DOCKET__ESCALATION_TYPE__ESCALATION_FUNCTIONAL &&
        !escalated->has_to_group) {
        row->wish_line =
            (uint8_t)(escalated->has_to_line ? escalated->to_line : event->after->line + 1u);
        row->cause = event->envelope->position;
    }
}

/* R5: a new step; one that asks for another group is a wish until it is routed there. */
static void note_queued(struct dk_routing_ticket *row, const struct dk_event *event)
{
    unsigned step = (unsigned)((const Docket__Queued *)(const void *)event->body)->relaxation;
    row->queued_at = event->envelope->position;
    row->queued_us = event->envelope->recorded_us;
    if (step > row->relaxation && step <= DOCKET__RELAXATION__RELAX_ON_CALL) {
        bool elsewhere = step == DOCKET__RELAXATION__RELAX_SECONDARY ||
                         step == DOCKET__RELAXATION__RELAX_NEXT_SITE;
        row->relaxation = (uint8_t)step;
        row->relax_wish = elsewhere ? (uint8_t)step : 0;
    }
}

static void note_handover(struct dk_routing_ticket *row, const struct dk_event *event)
{
    if ((event->after->flags & DK_TICKET_HANDED_OVER) != 0) {
        row->handed_at = event->envelope->position;
        row->handed_us = event->envelope->recorded_us;
    }
}

static void note_clock(struct dk_routing_ticket *row, const struct dk_event *event)
{
    const void *body = event->body;
    switch (event->envelope->kind) {
    case DK_KIND_CLOCK_STARTED: {
        const Docket__ClockStarted *started = body;
        set_due(row, started->clock, started->due_us);
        break;
    }
    case DK_KIND_CLOCK_RESUMED: {
        const Docket__ClockResumed *resumed = body;
        set_due(row, resumed->clock, resumed->due_us);
        break;
    }
    case DK_KIND_CLOCK_PAUSED: set_due(row, ((const Docket__ClockPaused *)body)->clock, 0); break;
    case DK_KIND_CLOCK_MET: set_due(row, ((const Docket__ClockMet *)body)->clock, 0); break;
    case DK_KIND_CLOCK_CANCELLED:
        set_due(row, ((const Docket__ClockCancelled *)body)->clock, 0);
        break;
    case DK_KIND_CLOCK_CORRECTED: {
        const Docket__ClockCorrected *corrected = body;
        bool waits = corrected->to == DOCKET__VERDICT__VERDICT_RUNNING ||
                     corrected->to == DOCKET__VERDICT__VERDICT_BREACHED;
        set_due(row, corrected->clock, waits ? corrected->due_us : 0);
        break;
    }
    default: break;
    }
}

/* What single kinds tell. */
static void note_kind(struct dk_routing *self, struct dk_routing_ticket *row,
                      const struct dk_event *event)
{
    const void *body = event->body;
    switch (event->envelope->kind) {
    case DK_KIND_OPENED: {
        const Docket__Opened *opened = body;
        set_language(row, opened->has_language, &opened->language);
        row->company = opened->company;
        row->channel = event->after->channel < DK_CHANNELS ? event->after->channel : 0;
        row->cause = event->envelope->position;
        dk_routing_note_contact(self, row, event);
        break;
    }
    case DK_KIND_CLASSIFIED: {
        const Docket__Classified *classified = body;
        set_language(row, classified->has_language, &classified->language);
        dk_routing_note_contact(self, row, event);
        break;
    }
    case DK_KIND_REQUESTER_CHANGED:
        row->company = 0; /* that was the former customer's */
        dk_routing_note_contact(self, row, event);
        break;
    case DK_KIND_REPEAT_NOTED:
        row->repeat_of = 0;
        row->repeat_said = 1;
        break;
    case DK_KIND_ESCALATED: note_escalated(row, event); break;
    case DK_KIND_ROUTED: row->wish_line = 0; break;
    case DK_KIND_QUEUED: note_queued(row, event); break;
    case DK_KIND_OFFERED:
        row->offered_at = event->envelope->position;
        row->expires_us = ((const Docket__Offered *)body)->expires_us;
        break;
    case DK_KIND_HANDOVER_DECLARED: note_handover(row, event); break;
    default: note_clock(row, event); break;
    }
}

/* ---------------------------------------------------------------- R6 */

/* Kept from the agent for a while; what has run out is forgotten. */
static void note_declined(struct dk_routing *self, const struct dk_event *event)
{
    uint64_t ticket = event->envelope->subject;
    int64_t now_us = event->envelope->recorded_us;
    struct dk_settings settings;
    size_t bytes = 0, kept = 0;
    const struct dk_routing_decline *held = dk_table_get(self->declines, ticket, &bytes);
    size_t count = held != NULL ? bytes / sizeof *held : 0;
    uint64_t agent = ((const Docket__OfferDeclined *)(const void *)event->body)->agent;
    struct dk_routing_decline *list =
        dk_table_edit(self->declines, ticket, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        if (list[i].until_us > now_us && list[i].agent != agent) {
            list[kept++] = list[i];
        }
    }
    dk_refs_settings(self->world->refs, event->envelope->occurred_us, &settings);
#ifdef DK_BUG_FORGET_DECLINE /* planted, for the simulator to find */
    settings.decline_pause_us = 0;
#endif
    list[kept++] = (struct dk_routing_decline){agent, now_us + settings.decline_pause_us};
    (void)dk_table_edit(self->declines, ticket, kept * sizeof *list);
}

/* ---------------------------------------------------------------- load */

static void add_load(struct dk_routing *self, uint64_t id, unsigned channel, int64_t weight,
                     const struct dk_event *event, struct dk_agenda *agenda)
{
    struct dk_routing_agent *agent = dk_table_edit(self->agents, id, 0);
    agent->load = (uint32_t)(agent->load + weight);
    agent->channel_load[channel] = (uint16_t)(agent->channel_load[channel] + weight);
    agent->idle_since_us = event->envelope->recorded_us;
    dk_pool_note_changed(self, id);
    dk_routing_touch_hopeful(self, agenda);
    if (weight < 0) {
        dk_routing_touch_pool_of(self, id, agenda);
    }
}

/* Moves the ticket's weight from one agent to another (0: nobody). */
static void carry(struct dk_routing *self, const struct dk_routing_ticket *row, uint64_t *carrier,
                  uint32_t *weight, uint64_t next, const struct dk_event *event,
                  struct dk_agenda *agenda)
{
    struct dk_settings settings;
    if (*carrier == next) {
        return;
    }
    if (*carrier != 0) {
        add_load(self, *carrier, row->channel, -(int64_t)*weight, event, agenda);
    }
    *carrier = next;
    *weight = 0;
    if (next != 0) {
        dk_refs_settings(self->world->refs, event->envelope->occurred_us, &settings);
        *weight = settings.channel_weight[row->channel];
        add_load(self, next, row->channel, *weight, event, agenda);
    }
}

/* Owner, or who has the offer; and who gets it back, so that there is room when it comes back. */
static void carry_all(struct dk_routing *self, struct dk_routing_ticket *row,
                      const struct dk_event *event, struct dk_agenda *agenda)
{
    const struct dk_ticket *life = event->after;
    bool live = dk_ticket_live(life) && !dk_ticket_historical(life);
    bool working = live && life->status != DOCKET__STATUS__STATUS_PENDING;
    uint64_t carrier = working ? life->owner : 0, keeper = working ? life->returns_to : 0;
    if (live && life->owner == 0) {
        carrier = life->offered;
    }
    carry(self, row, &row->carrier, &row->weight, carrier, event, agenda);
#ifdef DK_BUG_FORGET_KEEPER /* planted, for test_routing_random to find */
    keeper = 0;
#endif
    carry(self, row, &row->keeper, &row->keeper_weight, keeper != carrier ? keeper : 0, event,
          agenda);
}

/* ---------------------------------------------------------------- R7 */

static bool is_asked_for(const struct dk_event *event)
{
    const void *body = event->body;
    return event->after->reopened != event->before->reopened ||
           (event->envelope->kind == DK_KIND_MESSAGE_PUBLIC && body != NULL &&
            ((const Docket__MessagePublic *)body)->direction ==
                DOCKET__DIRECTION__DIRECTION_INBOUND);
}

static void note_absence(struct dk_routing *self, struct dk_routing_ticket *row,
                         const struct dk_event *event)
{
    const struct dk_ticket *life = event->after;
    bool critical = life->priority == DOCKET__PRIORITY__PRIORITY_CRITICAL;
    int64_t now_us = event->envelope->recorded_us;
    if (life->owner != event->before->owner || life->owner == 0 ||
        event->envelope->actor == dk_id_make(DK_ACTOR_AGENT, life->owner)) {
        row->absent = 0;
    } else if (is_asked_for(event)) {
        bool at_work = dk_refs_on_shift(self->world->refs, life->owner, now_us, false) ||
                       (critical && dk_refs_on_shift(self->world->refs, life->owner, now_us, true));
        row->absent = !at_work;
    }
}

/* ---------------------------------------------------------------- a ticket */

/* Into another group's queue by a step of R5 it takes its time of waiting along. */
static void note_queue(struct dk_routing *self, struct dk_routing_ticket *row,
                       const struct dk_event *event, uint64_t queue)
{
    const Docket__Routed *routed = (const void *)event->body;
    bool by_step = row->relax_wish != 0 && row->queue != 0 && queue != 0 &&
                   event->envelope->kind == DK_KIND_ROUTED && routed != NULL &&
                   (routed->reason == DOCKET__ROUTE_REASON__ROUTE_SECONDARY ||
                    routed->reason == DOCKET__ROUTE_REASON__ROUTE_NEXT_SITE);
    if (queue == row->queue) {
        if (event->before->offered != 0 && event->after->offered == 0) {
            row->cause = event->envelope->position; /* it was declined, or taken back */
        }
        return;
    }
    row->queue = queue;
    row->cause = event->envelope->position;
    row->queued_at = 0;
    row->queued_us = 0;
    row->relax_wish = 0;
    if (!by_step) {
        row->home = queue;
        row->since_us = event->envelope->recorded_us;
        row->relaxation = 0;
    }
    if (queue == 0) {
        dk_table_remove(self->declines, event->envelope->subject);
    }
}

void dk_routing_note_resting(struct dk_routing *self, uint64_t ticket,
                             const struct dk_routing_ticket *row, const struct dk_ticket *life)
{
    if (dk_routing_rests_on_definitions(row, life)) {
        DK_ASSERT(dk_map_put(&self->resting, ticket, NULL) != NULL);
    } else {
        (void)dk_map_remove(&self->resting, ticket);
    }
}

static void apply_ticket(struct dk_routing *self, const struct dk_event *event,
                         struct dk_agenda *agenda)
{
    uint64_t ticket = event->envelope->subject;
    const struct dk_ticket *life = event->after;
    bool live = dk_ticket_live(life) && !dk_ticket_historical(life);
    struct dk_routing_ticket *row = dk_table_edit(self->tickets, ticket, 0);
    if (event->body != NULL) {
        note_kind(self, row, event);
    }
    if (event->envelope->kind == DK_KIND_OFFER_DECLINED && event->body != NULL) {
        note_declined(self, event);
    }
    carry_all(self, row, event, agenda);
    note_absence(self, row, event);
    note_queue(self, row, event, live && (life->owner == 0 || row->absent) ? life->group : 0);
    dk_routing_note_resting(self, ticket, row, life);
    bool moved = dk_routing_place(self, ticket, row, life);
    if (row->queue != 0 && (moved || event->envelope->kind == DK_KIND_CLASSIFIED ||
                            event->envelope->kind == DK_KIND_REQUESTER_CHANGED)) {
        /* another may take it, or it another's place */
        dk_routing_touch_pool(self, row->queue, agenda);
    }
    if (dk_routing_owes_ticket(self, ticket, row, life)) {
        dk_agenda_touch(agenda, ticket);
    }
}

static void apply_presence(struct dk_routing *self, const struct dk_event *event,
                           struct dk_agenda *agenda)
{
    const Docket__PresenceChanged *presence = (const void *)event->body;
    struct dk_routing_agent *agent = dk_table_edit(self->agents, event->envelope->subject, 0);
    agent->presence = (uint8_t)presence->presence;
    agent->presence_until_us = presence->has_until_us ? presence->until_us : 0;
    dk_pool_note_changed(self, event->envelope->subject);
    dk_routing_touch_hopeful(self, agenda);
    dk_routing_touch_pool_of(self, event->envelope->subject, agenda);
}

/* ---------------------------------------------------------------- definitions */

/* Whether routing reads definitions of a kind. Customers are many, and told by thousands: one of
 * whom no ticket waits changes nothing. */
static bool matters(const struct dk_routing *self, const struct dk_envelope *envelope)
{
    switch (envelope->kind) {
    case DK_KIND_AGENT_DEFINED:
    case DK_KIND_GROUP_DEFINED:
    case DK_KIND_PRODUCT_DEFINED:
    case DK_KIND_CALENDAR_DEFINED:
    case DK_KIND_SHIFT_DEFINED:
    case DK_KIND_SETTINGS_DEFINED:
    case DK_KIND_COMPANY_DEFINED: return true;
    case DK_KIND_CUSTOMER_DEFINED: return dk_map_get(&self->callers, envelope->subject) != NULL;
    default: return false;
    }
}

/* A definition may open what was closed: all queues move, and what tickets are owed by themselves
 * is looked at again when it rests on what changed. */
static void apply_definition(struct dk_routing *self, const struct dk_envelope *envelope,
                             struct dk_agenda *agenda)
{
    uint32_t kind = envelope->kind;
    if (kind == DK_KIND_AGENT_DEFINED) {
        dk_routing_enroll(self, envelope->subject);
    }
    self->shift_epoch += kind == DK_KIND_SHIFT_DEFINED || kind == DK_KIND_CALENDAR_DEFINED;
    dk_routing_touch_pools(self, agenda);
    dk_routing_touch_hopeful(self, agenda);
    dk_routing_touch_stuck(self, agenda);
    dk_routing_touch_resting(self, agenda);
    if (kind == DK_KIND_SETTINGS_DEFINED) {
        dk_routing_touch_waiting(self, agenda);
    }
}

int dk_routing_apply(void *self, const struct dk_event *event, struct dk_agenda *agenda,
                     struct dk_err *err)
{
    uint32_t kind = event->envelope->kind;
    (void)err;
    if (event->after != NULL) {
        apply_ticket(self, event, agenda);
    } else if (kind == DK_KIND_PRESENCE_CHANGED && event->body != NULL) {
        apply_presence(self, event, agenda);
    } else if (matters(self, event->envelope)) {
        apply_definition(self, event->envelope, agenda);
    }
    return 0;
}
