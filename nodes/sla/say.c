#include "nodes/sla/say.h"
#include "proto/base/limits.h"

#define CATALOGUE_LEVELS 64

static uint64_t late_us(const struct dk_saying *saying, int64_t due_us)
{
    return saying->now_us > due_us ? (uint64_t)(saying->now_us - due_us) : 0;
}

/* The bodies of all kinds that dk_say_clock may have to make. */
union body {
    ProtobufCMessage base;
    Docket__ClockStarted started;
    Docket__ClockPaused paused;
    Docket__ClockResumed resumed;
    Docket__ClockMet met;
    Docket__ClockWarned warned;
    Docket__ClockBreached breached;
    Docket__ClockCancelled cancelled;
    Docket__ClockCorrected corrected;
};

/* S5: with what the goal rests on, as it was when it was chosen. */
static Docket__ClockStarted started(const struct dk_saying *saying, const struct dk_clock *clock)
{
    const Docket__CompanyDefined *company =
        dk_refs_company(saying->refs, clock->company, clock->goal_us);
    Docket__ClockStarted body = DOCKET__CLOCK_STARTED__INIT;
    body.due_us = dk_said_due(clock->last_due_us);
    body.target_us = (uint64_t)clock->target_us;
    body.policy = clock->policy;
    body.policy_version = clock->policy_version;
    body.calendar = clock->calendar;
    body.calendar_version = clock->calendar_version;
    body.has_priority = clock->priority != DOCKET__PRIORITY__PRIORITY_NONE;
    body.priority = clock->priority;
    body.has_goal = 1;
    body.goal = clock->goal;
    if (company != NULL && company->has_tier) {
        body.has_tier = 1;
        body.tier = company->tier;
    }
    body.has_contract = clock->contract != 0;
    body.contract = clock->contract;
    body.has_site = clock->site != 0;
    body.site = clock->site;
    return body;
}

static Docket__ClockMet met(const struct dk_clock *clock)
{
    Docket__ClockMet body = DOCKET__CLOCK_MET__INIT;
    body.due_us = dk_said_due(clock->last_due_us);
    body.elapsed_us = (uint64_t)clock->elapsed_us;
    body.wall_us = (uint64_t)clock->wall_us;
    body.has_met_us = 1;
    body.met_us = clock->ended_us;
    return body;
}

/* What had run when it went on; of one that runs and whose due has moved, what has run by now. */
static Docket__ClockResumed resumed(const struct dk_said *said, const struct dk_clock *clock)
{
    Docket__ClockResumed body = DOCKET__CLOCK_RESUMED__INIT;
    bool moved = said->verdict == DOCKET__VERDICT__VERDICT_RUNNING;
    body.due_us = dk_said_due(clock->last_due_us);
    body.elapsed_us = (uint64_t)(moved ? clock->elapsed_us : clock->elapsed_before_us);
    return body;
}

static Docket__ClockBreached breached(const struct dk_saying *saying, const struct dk_clock *clock)
{
    Docket__ClockBreached body = DOCKET__CLOCK_BREACHED__INIT;
    body.due_us = clock->due_us;
    body.late_by_us = late_us(saying, clock->due_us);
    body.has_cause = 1;
    body.cause = clock->breach_cause;
    return body;
}

static Docket__ClockCorrected corrected(const struct dk_said *said, Docket__Verdict to,
                                        uint64_t because)
{
    Docket__ClockCorrected body = DOCKET__CLOCK_CORRECTED__INIT;
    body.from = (Docket__Verdict)said->verdict;
    body.to = to;
    body.because = because;
    return body;
}

/* The last definition of an entity, if it came later than `position`. */
static uint64_t later(const struct dk_refs *refs, uint64_t position, uint64_t entity)
{
    const struct dk_refs_version *last = dk_refs_last(refs, entity);
    return last != NULL && last->position > position ? last->position : position;
}

static int take_later(void *newest, const struct dk_refs_version *version)
{
    uint64_t *position = newest;
    *position = version->position > *position ? version->position : *position;
    return 0;
}

/* The catalogue, as it is in the end, from the ticket's product up. */
static uint64_t later_product(const struct dk_refs *refs, uint64_t position, uint64_t product)
{
    for (int level = 0; product != 0 && level < CATALOGUE_LEVELS; level++) {
        const Docket__ProductDefined *body = dk_refs_product(refs, product, DK_TIME_MAX_US);
        position = later(refs, position, product);
        product = body != NULL ? body->parent : 0;
    }
    return position;
}

/* What came last of all that a clock rests on: events of its ticket, its policy, its calendar, who
 * asks on whose contract, and the product; if it goes by another policy than was said, or is no
 * more (NULL), any policy. */
static uint64_t newest_of(const struct dk_saying *saying, const struct dk_said *said,
                          const struct dk_clock *clock)
{
    const struct dk_refs *refs = saying->refs;
    uint64_t newest = later(refs, saying->newest, said->policy);
    newest = later(refs, newest, saying->traits->customer);
    newest = later(refs, newest, dk_traits_company(saying->traits, refs, saying->now_us));
    newest = later_product(refs, newest, saying->traits->product);
    if (clock != NULL) {
        newest = later(refs, later(refs, newest, clock->policy), clock->calendar);
        newest = later(refs, later(refs, newest, clock->company), clock->contract);
    }
    if (clock == NULL || clock->policy != said->policy) {
        (void)dk_refs_each(refs, DK_SUBJECT_POLICY, DK_TIME_MAX_US, take_later, &newest);
    }
    return newest;
}

/* Adds the body, whose clock is set here, and applies it to what is said. */
static bool add(struct dk_saying *saying, uint32_t kind, union body *body, Docket__ClockRef **clock,
                struct dk_said *said, uint64_t cause)
{
    Docket__ClockRef ref = DOCKET__CLOCK_REF__INIT;
    ref.metric = (Docket__Metric)said->metric;
    ref.instance = said->instance;
    *clock = &ref;
    if (!dk_intents_add(saying->intents, saying->ticket, kind, &body->base, cause)) {
        return false;
    }
    dk_said_apply(said, kind, body);
    return true;
}

bool dk_say_clock(struct dk_saying *saying, uint32_t kind, struct dk_said *said,
                  const struct dk_clock *clock, Docket__Verdict verdict,
                  const struct dk_clock_warning *warning)
{
    union body body;
    uint64_t cause = clock->cause;
    switch (kind) {
    case DK_KIND_CLOCK_STARTED:
        body.started = started(saying, clock);
        return add(saying, kind, &body, &body.started.clock, said, cause);
    case DK_KIND_CLOCK_PAUSED:
        body.paused = (Docket__ClockPaused)DOCKET__CLOCK_PAUSED__INIT;
        body.paused.elapsed_us = (uint64_t)clock->elapsed_us;
        return add(saying, kind, &body, &body.paused.clock, said, cause);
    case DK_KIND_CLOCK_RESUMED:
        body.resumed = resumed(said, clock);
        cause = said->verdict == DOCKET__VERDICT__VERDICT_RUNNING ? newest_of(saying, said, clock)
                                                                  : cause;
        return add(saying, kind, &body, &body.resumed.clock, said, cause);
    case DK_KIND_CLOCK_MET:
        body.met = met(clock);
        return add(saying, kind, &body, &body.met.clock, said, cause);
    case DK_KIND_CLOCK_WARNED:
        body.warned = (Docket__ClockWarned)DOCKET__CLOCK_WARNED__INIT;
        body.warned.has_level = warning->level != 0;
        body.warned.level = warning->level;
        body.warned.has_before_us = warning->level == 0;
        body.warned.before_us = (uint64_t)warning->before_us;
        body.warned.due_us = warning->due_us;
        body.warned.late_by_us = late_us(saying, warning->due_us);
        return add(saying, kind, &body, &body.warned.clock, said, cause);
    case DK_KIND_CLOCK_BREACHED:
        body.breached = breached(saying, clock);
        return add(saying, kind, &body, &body.breached.clock, said, cause);
    case DK_KIND_CLOCK_CANCELLED:
        body.cancelled = (Docket__ClockCancelled)DOCKET__CLOCK_CANCELLED__INIT;
        body.cancelled.has_cause = clock->cancel_cause != DOCKET__CANCEL_CAUSE__CANCEL_NONE;
        body.cancelled.cause = clock->cancel_cause;
        return add(saying, kind, &body, &body.cancelled.clock, said, cause);
    default:
        DK_ASSERT(kind == DK_KIND_CLOCK_CORRECTED);
        body.corrected = corrected(said, verdict, newest_of(saying, said, clock));
        body.corrected.has_due_us = 1;
        body.corrected.due_us = dk_said_due(clock->last_due_us);
        body.corrected.has_met_us = verdict == DOCKET__VERDICT__VERDICT_MET;
        body.corrected.met_us = clock->ended_us;
        return add(saying, kind, &body, &body.corrected.clock, said, body.corrected.because);
    }
}

bool dk_say_gone(struct dk_saying *saying, struct dk_said *said)
{
    union body body;
    uint64_t because = newest_of(saying, said, NULL);
    body.corrected = corrected(said, DOCKET__VERDICT__VERDICT_CANCELLED, because);
    return add(saying, DK_KIND_CLOCK_CORRECTED, &body, &body.corrected.clock, said, because);
}

bool dk_say_reminder(struct dk_saying *saying, uint64_t reminder, int64_t due_us)
{
    Docket__ReminderDue body = DOCKET__REMINDER_DUE__INIT;
    body.reminder = reminder;
    body.due_us = due_us;
    body.late_by_us = late_us(saying, due_us);
    return dk_intents_add(saying->intents, saying->ticket, DK_KIND_REMINDER_DUE, &body.base,
                          reminder);
}

bool dk_say_by_itself(struct dk_saying *saying, uint32_t kind, int64_t due_us, uint64_t cause)
{
    Docket__AutoSolved solved = DOCKET__AUTO_SOLVED__INIT;
    Docket__AutoClosed closed = DOCKET__AUTO_CLOSED__INIT;
    bool solves = kind == DK_KIND_AUTO_SOLVED;
    solved.due_us = closed.due_us = due_us;
    return dk_intents_add(saying->intents, saying->ticket, kind,
                          solves ? &solved.base : &closed.base, cause);
}
