#include "nodes/routing/state.h"
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

/* What single kinds tell; body may be of a kind not known here. */
static void note_kind(struct dk_routing_ticket *row, const struct dk_event *event)
{
    const void *body = event->body;
    switch (event->envelope->kind) {
    case DK_KIND_OPENED: {
        const Docket__Opened *opened = body;
        set_language(row, opened->has_language, &opened->language);
        row->cause = event->envelope->position;
        break;
    }
    case DK_KIND_CLASSIFIED: {
        const Docket__Classified *classified = body;
        set_language(row, classified->has_language, &classified->language);
        break;
    }
    case DK_KIND_ESCALATED: {
        const Docket__Escalated *escalated = body;
        if (escalated->type == DOCKET__ESCALATION_TYPE__ESCALATION_FUNCTIONAL &&
            !escalated->has_to_group) {
            row->wish_line =
                (uint8_t)(escalated->has_to_line ? escalated->to_line : event->after->line + 1u);
            row->cause = event->envelope->position;
        }
        break;
    }
    case DK_KIND_ROUTED: row->wish_line = 0; break;
    case DK_KIND_QUEUED: row->queued_said = 1; break;
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

/* Moves the ticket's weight from one agent to another (0: nobody). */
static void carry(struct dk_routing *self, struct dk_routing_ticket *row,
                  const struct dk_event *event, uint64_t carrier, struct dk_agenda *agenda)
{
    struct dk_settings settings;
    if (row->carrier == carrier) {
        return;
    }
    if (row->carrier != 0) {
        struct dk_routing_agent *agent = dk_table_edit(self->agents, row->carrier, 0);
        agent->load -= row->weight;
        agent->channel_load[row->carrier_channel] =
            (uint16_t)(agent->channel_load[row->carrier_channel] - row->weight);
        agent->idle_since_us = event->envelope->recorded_us;
        dk_routing_touch_pools_of(self, row->carrier, agenda);
    }
    row->carrier = carrier;
    row->weight = 0;
    if (carrier == 0) {
        return;
    }
    dk_refs_settings(self->world->refs, event->envelope->occurred_us, &settings);
    row->carrier_channel = event->after->channel < DK_CHANNELS ? event->after->channel : 0;
    row->weight = settings.channel_weight[row->carrier_channel];
    struct dk_routing_agent *agent = dk_table_edit(self->agents, carrier, 0);
    agent->load += row->weight;
    agent->channel_load[row->carrier_channel] =
        (uint16_t)(agent->channel_load[row->carrier_channel] + row->weight);
    agent->idle_since_us = event->envelope->recorded_us;
}

static void apply_ticket(struct dk_routing *self, const struct dk_event *event,
                         struct dk_agenda *agenda)
{
    uint64_t ticket = event->envelope->subject;
    const struct dk_ticket *life = event->after;
    bool live = dk_ticket_live(life) && !dk_ticket_historical(life);
    struct dk_routing_ticket *row = dk_table_edit(self->tickets, ticket, 0);
    if (event->body != NULL) {
        note_kind(row, event);
    }
    bool working = live && life->status != DOCKET__STATUS__STATUS_PENDING;
    carry(self, row, event, working ? life->owner : 0, agenda);
    uint64_t queue = live && life->owner == 0 ? life->group : 0;
    if (queue != row->queue) {
        row->queue = queue;
        row->since_us = event->envelope->recorded_us;
        row->cause = event->envelope->position;
        row->queued_said = 0;
    }
    bool moved = dk_routing_place(self, ticket);
    if (queue != 0 && (moved || event->envelope->kind == DK_KIND_CLASSIFIED)) {
        dk_routing_touch_pool(self, queue, agenda); /* another may take it, or it another's place */
    }
    if (dk_routing_wants_route(row, life)) {
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
    dk_routing_touch_pools_of(self, event->envelope->subject, agenda);
}

/* A definition may open what was closed: all queues move, and tickets that wait for a route are
 * looked at again when the catalogue or the settings changed. */
static void touch_all(struct dk_routing *self, uint32_t kind, struct dk_agenda *agenda)
{
    size_t cursor = 0, bytes;
    uint64_t key;
    const void *value;
    void *any;
    self->rosters_stale |= kind == DK_KIND_AGENT_DEFINED;
    /* Pools are made anew only for somebody: an import defines thousands while nobody waits. */
    if (self->places.count > 0) {
        dk_routing_refresh(self);
    }
    while (self->places.count > 0 && dk_map_next(&self->groups, &cursor, &key, &any)) {
        const struct dk_routing_group *group = any;
        if (group->waiting.count > 0) {
            dk_agenda_touch(agenda, group->pool);
        }
    }
    cursor = 0;
    while ((kind == DK_KIND_PRODUCT_DEFINED || kind == DK_KIND_SETTINGS_DEFINED) &&
           dk_table_next(self->tickets, &cursor, &key, &value, &bytes)) {
        const struct dk_ticket *life = dk_table_get(self->world->tickets, key, NULL);
        if (dk_routing_wants_route(value, life)) {
            dk_agenda_touch(agenda, key);
        }
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
    } else if (kind >= DK_KIND_DEFINED_FROM && kind <= DK_KIND_DEFINED_LAST &&
               kind != DK_KIND_CUSTOMER_DEFINED && kind != DK_KIND_COMPANY_DEFINED) {
        touch_all(self, kind, agenda);
    }
    return 0;
}
