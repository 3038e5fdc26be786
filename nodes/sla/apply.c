#include "nodes/sla/state.h"

/* ---------------------------------------------------------------- what the log says of a clock */

const Docket__ClockRef *dk_said_clock(uint32_t kind, const void *body)
{
    switch (kind) {
    case DK_KIND_CLOCK_STARTED: return ((const Docket__ClockStarted *)body)->clock;
    case DK_KIND_CLOCK_PAUSED: return ((const Docket__ClockPaused *)body)->clock;
    case DK_KIND_CLOCK_RESUMED: return ((const Docket__ClockResumed *)body)->clock;
    case DK_KIND_CLOCK_MET: return ((const Docket__ClockMet *)body)->clock;
    case DK_KIND_CLOCK_WARNED: return ((const Docket__ClockWarned *)body)->clock;
    case DK_KIND_CLOCK_BREACHED: return ((const Docket__ClockBreached *)body)->clock;
    case DK_KIND_CLOCK_CANCELLED: return ((const Docket__ClockCancelled *)body)->clock;
    case DK_KIND_CLOCK_CORRECTED: return ((const Docket__ClockCorrected *)body)->clock;
    default: return NULL;
    }
}

size_t dk_said_find(const struct dk_said *said, size_t count, unsigned metric, uint32_t instance)
{
    size_t i = 0;
    while (i < count && (said[i].metric != metric || said[i].instance != instance)) {
        i++;
    }
    return i;
}

const struct dk_clock *dk_said_computed(const struct dk_said *said, const struct dk_clocks *clocks)
{
    for (size_t i = 0; i < clocks->count; i++) {
        if (clocks->clock[i].metric == (Docket__Metric)said->metric &&
            clocks->clock[i].instance == said->instance) {
            return &clocks->clock[i];
        }
    }
    return NULL;
}

static void apply_started(struct dk_said *said, const Docket__ClockStarted *started)
{
    said->due_us = started->due_us;
    said->target_us = started->target_us;
    said->policy = started->policy;
    said->policy_version = started->policy_version;
    said->goal = started->goal;
    said->contract = started->contract;
    said->verdict = DOCKET__VERDICT__VERDICT_RUNNING;
}

static void apply_resumed(struct dk_said *said, const Docket__ClockResumed *resumed)
{
    if (said->verdict == DOCKET__VERDICT__VERDICT_MET && said->resumed < UINT8_MAX) {
        said->resumed++;
    }
    said->due_us = resumed->due_us;
    said->verdict = DOCKET__VERDICT__VERDICT_RUNNING;
}

static void apply_corrected(struct dk_said *said, const Docket__ClockCorrected *corrected)
{
    said->verdict = (uint8_t)corrected->to;
    if (corrected->has_due_us) {
        said->due_us = corrected->due_us;
    }
}

struct dk_warned dk_warned_of(const Docket__ClockWarned *warned)
{
    return (struct dk_warned){.before_us = warned->before_us,
                              .instance = warned->clock->instance,
                              .metric = (uint8_t)warned->clock->metric,
                              .level = (uint8_t)warned->level};
}

void dk_said_apply(struct dk_said *said, uint32_t kind, const void *body)
{
    switch (kind) {
    case DK_KIND_CLOCK_STARTED: apply_started(said, body); break;
    case DK_KIND_CLOCK_PAUSED: said->verdict = DOCKET__VERDICT__VERDICT_PAUSED; break;
    case DK_KIND_CLOCK_RESUMED: apply_resumed(said, body); break;
    case DK_KIND_CLOCK_MET: said->verdict = DOCKET__VERDICT__VERDICT_MET; break;
    case DK_KIND_CLOCK_BREACHED:
        said->verdict = DOCKET__VERDICT__VERDICT_BREACHED;
        said->due_us = ((const Docket__ClockBreached *)body)->due_us;
        break;
    case DK_KIND_CLOCK_CANCELLED: said->verdict = DOCKET__VERDICT__VERDICT_CANCELLED; break;
    case DK_KIND_CLOCK_CORRECTED: apply_corrected(said, body); break;
    default: break;
    }
}

static void apply_warned(struct dk_sla *self, const struct dk_event *event)
{
    uint64_t ticket = event->envelope->subject;
    size_t bytes = 0;
    (void)dk_table_get(self->warned, ticket, &bytes);
    struct dk_warned *warned = dk_table_edit(self->warned, ticket, bytes + sizeof *warned);
    warned[bytes / sizeof *warned] = dk_warned_of((const void *)event->body);
}

static void apply_clock(struct dk_sla *self, const struct dk_event *event)
{
    const Docket__ClockRef *clock = dk_said_clock(event->envelope->kind, event->body);
    uint64_t ticket = event->envelope->subject;
    size_t bytes = 0;
    const struct dk_said *before = dk_table_get(self->said, ticket, &bytes);
    size_t count = bytes / sizeof *before;
    size_t at = dk_said_find(before, count, (unsigned)clock->metric, clock->instance);
    struct dk_said *said =
        dk_table_edit(self->said, ticket, (at < count ? count : count + 1) * sizeof *said);
    said[at].metric = (uint8_t)clock->metric;
    said[at].instance = clock->instance;
    dk_said_apply(&said[at], event->envelope->kind, event->body);
    if (event->envelope->kind == DK_KIND_CLOCK_WARNED) {
        apply_warned(self, event);
    }
}

/* ---------------------------------------------------------------- reminders */

static void apply_reminder_set(struct dk_sla *self, const struct dk_event *event)
{
    const Docket__ReminderSet *set = (const void *)event->body;
    size_t bytes = 0;
    (void)dk_table_get(self->reminders, event->envelope->subject, &bytes);
    struct dk_reminder *reminder =
        dk_table_edit(self->reminders, event->envelope->subject, bytes + sizeof *reminder);
    reminder[bytes / sizeof *reminder] =
        (struct dk_reminder){.position = event->envelope->position, .due_us = set->due_us};
}

static void apply_reminder_due(struct dk_sla *self, const struct dk_event *event)
{
    const Docket__ReminderDue *due = (const void *)event->body;
    uint64_t ticket = event->envelope->subject;
    size_t bytes = 0, kept = 0;
    (void)dk_table_get(self->reminders, ticket, &bytes);
    if (bytes == 0) {
        return;
    }
    struct dk_reminder *reminder = dk_table_edit(self->reminders, ticket, bytes);
    for (size_t i = 0; i < bytes / sizeof *reminder; i++) {
        if (reminder[i].position != due->reminder) {
            reminder[kept++] = reminder[i];
        }
    }
    if (kept == 0) {
        dk_table_remove(self->reminders, ticket);
    } else {
        (void)dk_table_edit(self->reminders, ticket, kept * sizeof *reminder);
    }
}

/* ---------------------------------------------------------------- transitions */

/* S11 */
static void apply_pauser(struct dk_sla *self, const struct dk_envelope *envelope,
                         const struct dk_transition *made)
{
    uint64_t waits =
        (uint64_t)DOCKET__PENDING__PENDING_CUSTOMER << 8 | (uint64_t)DOCKET__STATUS__STATUS_PENDING;
    size_t bytes = 0;
    if (dk_transition_what(made) != DK_CHANGE_STATUS || dk_transition_value(made) != waits) {
        return;
    }
    (void)dk_table_get(self->pausers, envelope->subject, &bytes);
    struct dk_pauser *pauser =
        dk_table_edit(self->pausers, envelope->subject, bytes + sizeof *pauser);
    pauser[bytes / sizeof *pauser] = (struct dk_pauser){.position = envelope->position,
                                                        .actor = envelope->actor,
                                                        .occurred_us = envelope->occurred_us};
}

static size_t apply_transitions(struct dk_sla *self, const struct dk_event *event)
{
    struct dk_transition made[DK_TRANSITIONS_OF_EVENT];
    uint64_t ticket = event->envelope->subject;
    size_t n = dk_transitions_of(event->envelope, event->body, made), bytes = 0;
    if (n == 0) {
        return 0;
    }
    (void)dk_table_get(self->transitions, ticket, &bytes);
    struct dk_transition *list = dk_table_edit(self->transitions, ticket, bytes + n * sizeof *list);
    for (size_t i = 0; i < n; i++) {
        dk_transitions_insert(list, bytes / sizeof *list + i, &made[i]);
        apply_pauser(self, event->envelope, &made[i]);
    }
    dk_reach_note(&self->reach, ticket, made, n);
    return n;
}

static void apply_ticket(struct dk_sla *self, const struct dk_event *event,
                         struct dk_agenda *agenda)
{
    uint32_t kind = event->envelope->kind;
    bool moves = apply_transitions(self, event) > 0;
    if (dk_said_clock(kind, event->body) != NULL) {
        apply_clock(self, event);
        moves = true;
    } else if (kind == DK_KIND_REMINDER_SET) {
        apply_reminder_set(self, event);
        moves = true;
    } else if (kind == DK_KIND_REMINDER_DUE) {
        apply_reminder_due(self, event);
        moves = true;
    }
    if (moves && !dk_ticket_historical(event->after)) {
        dk_breaches_stale(self, event->envelope->subject);
        dk_agenda_touch(agenda, event->envelope->subject);
    }
}

int dk_sla_apply(void *self, const struct dk_event *event, struct dk_agenda *agenda,
                 struct dk_err *err)
{
    uint32_t kind = event->envelope->kind;
    (void)err;
    if (event->after != NULL && event->body != NULL) {
        apply_ticket(self, event, agenda);
    } else if (kind >= DK_KIND_DEFINED_FROM && kind <= DK_KIND_DEFINED_LAST) {
        dk_reach_defined(self, event->envelope, agenda);
    }
    return 0;
}
