#include "nodes/sla/say.h"
#include "nodes/sla/state.h"
#include "proto/fold/goal.h"
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX ((size_t)1 << 20)

/* One ticket under consideration. */
struct owing {
    struct dk_sla *self;
    const struct dk_ticket *life;
    struct dk_saying saying;
    int64_t again_us;
    bool full; /* the intents: what is left comes with the next consideration */
};

static void again_at(struct owing *owing, int64_t at_us)
{
    if (at_us < owing->again_us) {
        owing->again_us = at_us;
    }
}

/* ---------------------------------------------------------------- clocks */

/* A clock whose breach lies ahead runs still: an event that occurred a little later than now, which
 * a desk's clock can bring about, was taken in already. */
static Docket__Verdict verdict_now(const struct dk_clock *clock, int64_t now_us)
{
    return clock->verdict == DOCKET__VERDICT__VERDICT_BREACHED && clock->due_us > now_us
               ? DOCKET__VERDICT__VERDICT_RUNNING
               : clock->verdict;
}

static bool same_goal(const struct dk_said *said, const struct dk_clock *clock)
{
    return said->policy == clock->policy && said->policy_version == clock->policy_version &&
           said->goal == clock->goal && said->contract == clock->contract &&
           said->target_us == (uint64_t)clock->target_us;
}

static struct dk_warned warned_by(const struct dk_clock *clock,
                                  const struct dk_clock_warning *warning)
{
    return (struct dk_warned){.before_us = (uint64_t)warning->before_us,
                              .instance = clock->instance,
                              .metric = (uint8_t)clock->metric,
                              .level = (uint8_t)warning->level};
}

static bool is_warned(const struct dk_sla *self, const struct dk_clock *clock,
                      const struct dk_clock_warning *warning)
{
    const struct dk_warned warned = warned_by(clock, warning);
    for (size_t i = 0; i < self->warning_count; i++) {
        if (memcmp(&self->warning[i], &warned, sizeof warned) == 0) {
            return true;
        }
    }
    return false;
}

/* The first that is reached and not warned of, while there is something to warn of. */
static const struct dk_clock_warning *due_warning(const struct owing *owing,
                                                  const struct dk_clock *clock)
{
    bool waits = clock->verdict == DOCKET__VERDICT__VERDICT_RUNNING ||
                 clock->verdict == DOCKET__VERDICT__VERDICT_PAUSED ||
                 clock->verdict == DOCKET__VERDICT__VERDICT_BREACHED;
    for (uint32_t i = 0; waits && i < clock->warning_count; i++) {
        const struct dk_clock_warning *warning = &clock->warning[i];
        if (warning->due_us <= owing->saying.now_us &&
            warning->due_us > owing->self->clocks.live_from_us &&
            !is_warned(owing->self, clock, warning)) {
            return warning;
        }
    }
    return NULL;
}

static uint32_t kind_of_verdict(Docket__Verdict verdict)
{
    switch (verdict) {
    case DOCKET__VERDICT__VERDICT_RUNNING: return DK_KIND_CLOCK_RESUMED;
    case DOCKET__VERDICT__VERDICT_PAUSED: return DK_KIND_CLOCK_PAUSED;
    case DOCKET__VERDICT__VERDICT_MET: return DK_KIND_CLOCK_MET;
    case DOCKET__VERDICT__VERDICT_BREACHED: return DK_KIND_CLOCK_BREACHED;
    default: return DK_KIND_CLOCK_CANCELLED;
    }
}

/* What is to be said of a clock that counts, by the log. */
static uint32_t owed_while_counting(const struct dk_said *said, const struct dk_clock *clock,
                                    Docket__Verdict verdict)
{
    bool paused = said->verdict == DOCKET__VERDICT__VERDICT_PAUSED;
    if (!same_goal(said, clock)) {
        return DK_KIND_CLOCK_STARTED;
    }
    if (verdict == DOCKET__VERDICT__VERDICT_RUNNING && !paused) {
        return said->due_us != dk_said_due(clock->last_due_us) ? DK_KIND_CLOCK_RESUMED : 0;
    }
    if (verdict == DOCKET__VERDICT__VERDICT_PAUSED && paused) {
        return 0;
    }
    if (verdict == DOCKET__VERDICT__VERDICT_BREACHED && paused &&
        clock->breach_cause == DOCKET__BREACH_CAUSE__BREACH_TIME) {
        return DK_KIND_CLOCK_RESUMED; /* a paused clock breaks by no time that passes */
    }
    return kind_of_verdict(verdict);
}

/* What is to be said of a clock so that the log comes nearer to what is computed; 0: it says so. */
static uint32_t owed_of(const struct owing *owing, const struct dk_said *said,
                        const struct dk_clock *clock)
{
    Docket__Verdict verdict = verdict_now(clock, owing->saying.now_us);
    switch (said->verdict) {
    case DOCKET__VERDICT__VERDICT_NONE:
        return dk_sla_past(clock, owing->self->clocks.live_from_us) ? 0 : DK_KIND_CLOCK_STARTED;
    case DOCKET__VERDICT__VERDICT_RUNNING:
    case DOCKET__VERDICT__VERDICT_PAUSED:
        if (said->verdict == DOCKET__VERDICT__VERDICT_RUNNING && same_goal(said, clock) &&
            due_warning(owing, clock) != NULL) {
            return DK_KIND_CLOCK_WARNED;
        }
        return owed_while_counting(said, clock, verdict);
    case DOCKET__VERDICT__VERDICT_MET:
        if (clock->resumed > said->resumed && said->resumed < UINT8_MAX) {
            return DK_KIND_CLOCK_RESUMED;
        }
        break;
    case DOCKET__VERDICT__VERDICT_BREACHED:
        if (verdict == DOCKET__VERDICT__VERDICT_BREACHED &&
            said->due_us != dk_said_due(clock->due_us)) {
            return DK_KIND_CLOCK_CORRECTED;
        }
        break;
    default: break;
    }
    return (Docket__Verdict)said->verdict != verdict ? DK_KIND_CLOCK_CORRECTED : 0;
}

/* Says what is owed of one clock, each time as if what was said before had been folded. */
static void owe_clock(struct owing *owing, struct dk_said *said, const struct dk_clock *clock)
{
    uint32_t kind;
    while (!owing->full && (kind = owed_of(owing, said, clock)) != 0) {
        const struct dk_clock_warning *warning = due_warning(owing, clock);
        owing->full = !dk_say_clock(&owing->saying, kind, said, clock,
                                    verdict_now(clock, owing->saying.now_us), warning);
        if (kind == DK_KIND_CLOCK_WARNED) {
            owing->self->warning[owing->self->warning_count++] = warned_by(clock, warning);
        }
    }
    if (verdict_now(clock, owing->saying.now_us) != DOCKET__VERDICT__VERDICT_RUNNING) {
        return;
    }
    again_at(owing, clock->last_due_us);
    for (uint32_t i = 0; i < clock->warning_count; i++) {
        if (clock->warning[i].due_us > owing->saying.now_us) {
            again_at(owing, clock->warning[i].due_us);
        }
    }
}

/* Room for `count` elements. */
static void *reserve(void *array, size_t count, size_t *capacity, size_t element_bytes)
{
    DK_ASSERT(count < ROWS_MAX);
    if (count > *capacity) {
        *capacity = 2 * count;
        array = realloc(array, *capacity * element_bytes);
        DK_ASSERT(array != NULL);
    }
    return array;
}

/* Copies what the log says, with room for what may be said. */
static void copy_rows(struct dk_sla *self, uint64_t ticket)
{
    size_t said_bytes = 0, warned_bytes = 0;
    const struct dk_said *said = dk_table_get(self->said, ticket, &said_bytes);
    const struct dk_warned *warned = dk_table_get(self->warned, ticket, &warned_bytes);
    self->row_count = said_bytes / sizeof *said;
    self->warning_count = warned_bytes / sizeof *warned;
    self->row = reserve(self->row, self->row_count + self->clocks.count, &self->row_capacity,
                        sizeof *self->row);
    self->warning =
        reserve(self->warning, self->warning_count + self->clocks.count * DK_CLOCK_WARNINGS,
                &self->warning_capacity, sizeof *self->warning);
    if (said_bytes > 0) {
        memcpy(self->row, said, said_bytes);
    }
    if (warned_bytes > 0) {
        memcpy(self->warning, warned, warned_bytes);
    }
}

static struct dk_said *row_of(struct dk_sla *self, const struct dk_clock *clock)
{
    size_t at = dk_said_find(self->row, self->row_count, (unsigned)clock->metric, clock->instance);
    if (at == self->row_count) {
        self->row[self->row_count++] =
            (struct dk_said){.metric = (uint8_t)clock->metric, .instance = clock->instance};
    }
    return &self->row[at];
}

static void owe_clocks(struct owing *owing, uint64_t ticket)
{
    struct dk_sla *self = owing->self;
    copy_rows(self, ticket);
    size_t said = self->row_count;
    for (size_t i = 0; i < self->clocks.count; i++) {
        owe_clock(owing, row_of(self, &self->clocks.clock[i]), &self->clocks.clock[i]);
    }
    /* A late event can leave less clocks than there seemed to be. */
    for (size_t i = 0; i < said && !owing->full; i++) {
        if (self->row[i].verdict != DOCKET__VERDICT__VERDICT_CANCELLED &&
            dk_said_computed(&self->row[i], &self->clocks) == NULL) {
            owing->full = !dk_say_gone(&owing->saying, &self->row[i]);
        }
    }
}

/* ---------------------------------------------------------------- other timers */

static void owe_reminders(struct owing *owing, uint64_t ticket)
{
    size_t bytes = 0;
    const struct dk_reminder *reminder = dk_table_get(owing->self->reminders, ticket, &bytes);
    for (size_t i = 0; i < bytes / sizeof *reminder && !owing->full; i++) {
        if (reminder[i].due_us > owing->saying.now_us) {
            again_at(owing, reminder[i].due_us);
        } else {
            owing->full =
                !dk_say_reminder(&owing->saying, reminder[i].position, reminder[i].due_us);
        }
    }
}

/* After how many working days a ticket is solved, or closed, by itself: its policy's, else the
 * settings'; 0: never. What was in force when it began to wait is what counts. */
static uint32_t days_until(const struct owing *owing, uint32_t kind, int64_t from_us,
                           const struct dk_settings *settings)
{
    const struct dk_clocks *clocks = &owing->self->clocks;
    const struct dk_refs_version *version =
        dk_goal_match(owing->self->world->refs, DOCKET__POLICY_TYPE__POLICY_SLA, clocks->rules_us,
                      &clocks->traits, from_us);
    const Docket__PolicyDefined *policy = version != NULL ? (const void *)version->body : NULL;
    if (kind == DK_KIND_AUTO_SOLVED) {
        return policy != NULL && policy->has_auto_solve_days ? policy->auto_solve_days
                                                             : settings->auto_solve_days;
    }
    return policy != NULL && policy->has_auto_close_days ? policy->auto_close_days
                                                         : settings->auto_close_days;
}

static void owe_by_itself(struct owing *owing, uint32_t kind, int64_t from_us)
{
    struct dk_refs *refs = owing->self->world->refs;
    struct dk_settings settings;
    dk_refs_settings(refs, from_us, &settings);
    uint32_t days = days_until(owing, kind, from_us, &settings);
    if (days == 0 || owing->full) {
        return;
    }
    /* T1: an adopted ticket's days begin with its adoption. */
    if (owing->self->clocks.live_from_us > from_us) {
        from_us = owing->self->clocks.live_from_us;
    }
    int64_t due_us = dk_refs_working_days_us(refs, settings.calendar, from_us, days);
    if (due_us > owing->saying.now_us) {
        again_at(owing, due_us);
    } else {
        owing->full = !dk_say_by_itself(&owing->saying, kind, due_us, owing->life->last_position);
    }
}

/* A customer's message ends either wait: the ticket is open then. Life and clocks take late events
 * in different orders; only what both say waits is solved. */
static void owe_endings(struct owing *owing)
{
    const struct dk_clocks *clocks = &owing->self->clocks;
    const struct dk_ticket *life = owing->life;
    if (life->status == DOCKET__STATUS__STATUS_SOLVED) {
        owe_by_itself(owing, DK_KIND_AUTO_CLOSED, life->ended_us);
    } else if (life->status == DOCKET__STATUS__STATUS_PENDING &&
               life->pending == DOCKET__PENDING__PENDING_CUSTOMER &&
               clocks->status == DOCKET__STATUS__STATUS_PENDING &&
               clocks->pending == DOCKET__PENDING__PENDING_CUSTOMER) {
        owe_by_itself(owing, DK_KIND_AUTO_SOLVED, clocks->since_us);
    }
}

/* S7: what comes to be published to open tickets is looked at when it does. */
static void await_publication(struct owing *owing)
{
    const struct dk_refs_version *next =
        dk_refs_next_publication(owing->self->world->refs, owing->saying.now_us);
    bool counts = dk_ticket_live(owing->life);
    for (size_t i = 0; i < owing->self->clocks.count; i++) {
        counts = counts || owing->self->clocks.clock[i].ended_us == 0;
    }
    if (counts && next != NULL) {
        again_at(owing, next->effective_us);
    }
}

void dk_sla_consider(void *self, uint64_t item, int64_t now_us, struct dk_intents *intents,
                     int64_t *again_us)
{
    struct dk_sla *sla = self;
    if (item == DK_REACH_ITEM) {
        *again_us = dk_reach_walk(sla) ? now_us : INT64_MAX;
        return;
    }
    const struct dk_ticket *life = dk_table_get(sla->world->tickets, item, NULL);
    if (life == NULL || dk_ticket_historical(life)) {
        return;
    }
    size_t bytes = 0;
    const struct dk_transition *transition = dk_table_get(sla->transitions, item, &bytes);
    struct owing owing = {.self = sla, .life = life, .again_us = INT64_MAX};
    owing.saying = (struct dk_saying){.intents = intents,
                                      .refs = sla->world->refs,
                                      .ticket = item,
                                      .now_us = now_us,
                                      .traits = &sla->clocks.traits};
    for (size_t i = 0; i < bytes / sizeof *transition; i++) {
        if (transition[i].position > owing.saying.newest) {
            owing.saying.newest = transition[i].position;
        }
    }
    dk_sla_compute(sla, item, now_us);
    dk_breaches_update(sla, item);
    owe_clocks(&owing, item);
    owe_reminders(&owing, item);
    owe_endings(&owing);
    await_publication(&owing);
    *again_us = owing.again_us;
}
