#include "proto/fold/clock_run.h"
#include "proto/base/err.h"
#include "proto/fold/worktime.h"
#include <stdlib.h>

static struct dk_clock *clock_of(const struct dk_runs *runs, const struct dk_run *run)
{
    return &runs->clocks->clock[run->clock];
}

void *dk_run_grow(void *array, size_t count, size_t *capacity, size_t element_bytes)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity == 0 ? 8 : 2 * *capacity;
    array = realloc(array, *capacity * element_bytes);
    DK_ASSERT(array != NULL);
    return array;
}

static struct dk_worktime time_of(const struct dk_runs *runs, uint64_t calendar)
{
    return (struct dk_worktime){runs->refs, calendar, runs->rules_us};
}

static bool breached(const struct dk_clock *clock)
{
    return clock->verdict == DOCKET__VERDICT__VERDICT_BREACHED;
}

/* ---------------------------------------------------------------- segments */

static void add_segment(struct dk_runs *runs, struct dk_run *run, int64_t to_us)
{
    struct dk_clocks *clocks = runs->clocks;
    struct dk_clock *clock = clock_of(runs, run);
    struct dk_worktime time = time_of(runs, clock->calendar);
    clocks->segment = dk_run_grow(clocks->segment, clocks->segment_count, &clocks->segment_capacity,
                                  sizeof *clocks->segment);
    struct dk_clock_segment *segment = &clocks->segment[clocks->segment_count++];
    *segment = (struct dk_clock_segment){
        .from_us = run->from_us,
        .to_us = to_us,
        .calendar = clock->calendar,
        .cause = run->cause,
        .calendar_version = dk_worktime_version(&time, run->from_us),
        .clock = (uint32_t)run->clock,
        .why = run->why,
        .illegitimate = run->illegitimate,
    };
    if (run->why == DK_SEGMENT_RUNS) {
        segment->elapsed_us = dk_worktime_us(&time, run->from_us, to_us);
        clock->elapsed_us += segment->elapsed_us;
        clock->wall_us += to_us - run->from_us;
        run->used_us += segment->elapsed_us;
    }
    if (breached(clock))
        clock->overrun_us = run->used_us - run->allowed_us;
    run->from_us = to_us;
}

static void add_unpromised(struct dk_runs *runs, struct dk_run *run, int64_t to_us)
{
    struct dk_clocks *clocks = runs->clocks;

    if (run->from_us >= to_us)
        return;
    clocks->unpromised = dk_run_grow(clocks->unpromised, clocks->unpromised_count,
                                     &clocks->unpromised_capacity, sizeof *clocks->unpromised);
    clocks->unpromised[clocks->unpromised_count++] =
        (struct dk_clock_unpromised){run->from_us, to_us, run->metric, run->why};
    run->from_us = to_us;
}

/* Counts what has passed until `at_us`, version by version of the calendar (S1). */
static void close_segment(struct dk_runs *runs, struct dk_run *run, int64_t at_us)
{
    if (!run->promised) {
        add_unpromised(runs, run, at_us);
        return;
    }
    struct dk_worktime time = time_of(runs, clock_of(runs, run)->calendar);
    while (run->from_us < at_us) {
        int64_t to_us = dk_worktime_next_us(&time, run->from_us);
        add_segment(runs, run, to_us < at_us ? to_us : at_us);
    }
}

/* ---------------------------------------------------------------- what is due */

/* How much is used up when it is due. */
static int64_t threshold_us(const struct dk_clock *clock, const struct dk_clock_warning *warning)
{
    if (warning->level == 0)
        return clock->target_us - warning->before_us;
    return clock->target_us / 100 * warning->level + clock->target_us % 100 * warning->level / 100;
}

static int64_t due_after(struct dk_runs *runs, const struct dk_run *run, int64_t left_us)
{
    struct dk_worktime time = time_of(runs, clock_of(runs, run)->calendar);

    return dk_worktime_due_us(&time, run->from_us, left_us);
}

/* What is not reached by `at_us` has no due as long as the clock does not run. */
static void forget_warnings(struct dk_clock *clock, int64_t at_us)
{
    for (uint32_t i = 0; i < clock->warning_count; i++)
        if (clock->warning[i].due_us > at_us)
            clock->warning[i].due_us = INT64_MAX;
}

/* Keeps why it is due when it is. */
static void note_due(struct dk_runs *runs, const struct dk_run *run, enum dk_foreseen_why why)
{
    struct dk_clocks *clocks = runs->clocks;
    const struct dk_clock *clock = clock_of(runs, run);
    bool changed = why == DK_FORESEEN_GOAL;

    clocks->foreseen = dk_run_grow(clocks->foreseen, clocks->foreseen_count,
                                   &clocks->foreseen_capacity, sizeof *clocks->foreseen);
    clocks->foreseen[clocks->foreseen_count++] = (struct dk_clock_foreseen){
        .at_us = run->from_us,
        .target_us = clock->target_us,
        .used_us = run->used_us,
        .due_us = clock->last_due_us,
        .cause = clock->cause,
        .policy = clock->policy,
        .policy_version = clock->policy_version,
        .goal = clock->goal,
        .clock = (uint32_t)run->clock,
        .why = why,
        .mode = changed ? dk_goal_policy(&run->goal)->on_change : DOCKET__CHANGE_MODE__CHANGE_CARRY,
    };
}

/* Sets what comes due if the clock, whose segment has just begun, runs on (S2, S12). */
static void foresee(struct dk_runs *runs, struct dk_run *run, enum dk_foreseen_why why)
{
    struct dk_clock *clock = clock_of(runs, run);

    if (breached(clock))
        return;
    clock->elapsed_before_us = clock->elapsed_us;
    clock->last_due_us = due_after(runs, run, clock->target_us - run->used_us);
    note_due(runs, run, why);
    if (run->why != DK_SEGMENT_RUNS)
        return;
    clock->due_us = clock->last_due_us;
    for (uint32_t i = 0; i < clock->warning_count; i++)
        if (clock->warning[i].due_us == INT64_MAX)
            clock->warning[i].due_us =
                due_after(runs, run, threshold_us(clock, &clock->warning[i]) - run->used_us);
}

static void breach(struct dk_run *run, struct dk_clock *clock, int64_t due_us,
                   Docket__BreachCause cause)
{
    run->allowed_us = cause == DOCKET__BREACH_CAUSE__BREACH_TIME ? clock->target_us : run->used_us;
    clock->verdict = DOCKET__VERDICT__VERDICT_BREACHED;
    clock->breach_cause = cause;
    clock->due_us = clock->last_due_us = due_us;
}

/* ---------------------------------------------------------------- goals */

/* Into its place, by what is used up then; each once. */
static void add_warning(struct dk_clock *clock, const struct dk_clock_warning *warning)
{
    uint32_t at = clock->warning_count;

    for (uint32_t i = 0; i < clock->warning_count; i++)
        if (clock->warning[i].level == warning->level &&
            clock->warning[i].before_us == warning->before_us)
            return;
    if (at == DK_CLOCK_WARNINGS)
        return;
    for (; at > 0 && threshold_us(clock, warning) < threshold_us(clock, &clock->warning[at - 1]);
         at--)
        clock->warning[at] = clock->warning[at - 1];
    clock->warning[at] = *warning;
    clock->warning_count++;
}

/* The policy's levels and offsets; what was reached keeps its due. */
static void take_warnings(struct dk_clock *clock, const Docket__PolicyDefined *policy,
                          int64_t at_us)
{
    struct dk_clock before = *clock;

    clock->warning_count = 0;
    for (uint32_t i = 0; i < before.warning_count; i++)
        if (before.warning[i].due_us <= at_us)
            add_warning(clock, &before.warning[i]);
    for (size_t i = 0; i < policy->n_warn_percent; i++)
        if (policy->warn_percent[i] > 0 && policy->warn_percent[i] < 100)
            add_warning(clock, &(struct dk_clock_warning){.due_us = INT64_MAX,
                                                          .level = policy->warn_percent[i]});
    for (size_t i = 0; i < policy->n_warn_before_us; i++)
        if (policy->warn_before_us[i] > 0 && policy->warn_before_us[i] < (uint64_t)clock->target_us)
            add_warning(
                clock, &(struct dk_clock_warning){.due_us = INT64_MAX,
                                                  .before_us = (int64_t)policy->warn_before_us[i]});
}

/* What a goal rests on beside its policy (S5) can change while the promise stays. */
static void take_rest(struct dk_run *run, struct dk_clock *clock, const struct dk_goal *goal)
{
    run->goal = *goal;
    clock->priority = goal->priority;
    clock->company = goal->company;
    clock->contract = goal->contract;
    clock->site = goal->site;
}

static void take_goal(struct dk_runs *runs, struct dk_run *run, const struct dk_goal *goal,
                      int64_t at_us)
{
    struct dk_clock *clock = clock_of(runs, run);
    struct dk_worktime time = time_of(runs, goal->calendar);

    take_rest(run, clock, goal);
    clock->target_us = goal->target_us;
    clock->policy = goal->policy->subject;
    clock->policy_version = goal->policy->version;
    clock->goal = goal->number;
    clock->calendar = goal->calendar;
    clock->calendar_version = dk_worktime_version(&time, at_us);
    clock->goal_us = at_us;
    take_warnings(clock, dk_goal_policy(goal), at_us);
}

/* Whether a stretch without a promise counts by a policy that came later. */
static bool counts(const struct dk_clock_unpromised *stretch, const Docket__PolicyDefined *policy)
{
    static const Docket__Pending pending[] = {
        [DK_SEGMENT_CUSTOMER] = DOCKET__PENDING__PENDING_CUSTOMER,
        [DK_SEGMENT_SUPPLIER] = DOCKET__PENDING__PENDING_SUPPLIER,
        [DK_SEGMENT_INTERNAL] = DOCKET__PENDING__PENDING_INTERNAL,
        [DK_SEGMENT_UNKNOWN] = DOCKET__PENDING__PENDING_NONE,
    };

    if (stretch->why == DK_SEGMENT_RUNS)
        return true;
    return stretch->metric == DOCKET__METRIC__METRIC_RESOLUTION &&
           stretch->why != DK_SEGMENT_SOLVED && !dk_goal_pauses(policy, pending[stretch->why]);
}

/* What has run since its beginning by a goal's calendar: past pauses are subtracted as they were,
 * those of a time without a promise as the goal's policy names them. */
static int64_t run_by(struct dk_runs *runs, const struct dk_run *run, const struct dk_goal *goal)
{
    const struct dk_clocks *clocks = runs->clocks;
    struct dk_worktime time = time_of(runs, goal->calendar);
    int64_t sum_us = 0;

    for (size_t i = 0; i < clocks->segment_count; i++) {
        const struct dk_clock_segment *segment = &clocks->segment[i];
        if (segment->clock >= run->first && clocks->clock[segment->clock].metric == run->metric &&
            segment->why == DK_SEGMENT_RUNS)
            sum_us += dk_worktime_us(&time, segment->from_us, segment->to_us);
    }
    for (size_t i = run->first_unpromised; i < clocks->unpromised_count; i++) {
        const struct dk_clock_unpromised *stretch = &clocks->unpromised[i];
        if (stretch->metric == run->metric && counts(stretch, dk_goal_policy(goal)))
            sum_us += dk_worktime_us(&time, stretch->from_us, stretch->to_us);
    }
    return sum_us;
}

/* S6: how much of a new goal's target is used up as it begins to hold. */
static int64_t used_of(struct dk_runs *runs, const struct dk_run *run, const struct dk_goal *goal)
{
    switch (dk_goal_policy(goal)->on_change) {
    case DOCKET__CHANGE_MODE__CHANGE_RESET: return 0;
    case DOCKET__CHANGE_MODE__CHANGE_RETROACTIVE: return run_by(runs, run, goal);
    default: return run->used_us;
    }
}

/* The promise is the same; only a contract is said anew. */
static void keep_goal(struct dk_run *run, struct dk_clock *clock, const struct dk_goal *goal,
                      int64_t at_us, uint64_t cause)
{
    if (goal->contract != clock->contract) {
        clock->goal_us = at_us;
        clock->cause = cause;
    }
    take_rest(run, clock, goal);
}

static void change_goal(struct dk_runs *runs, struct dk_run *run, const struct dk_goal *goal,
                        int64_t at_us, uint64_t cause)
{
    close_segment(runs, run, at_us);
    struct dk_clock *clock = clock_of(runs, run);
    forget_warnings(clock, at_us);
    run->used_us = used_of(runs, run, goal);
    take_goal(runs, run, goal, at_us);
    clock->cause = cause;
    if (run->used_us < clock->target_us) {
        foresee(runs, run, DK_FORESEEN_GOAL);
        return;
    }
    breach(run, clock, at_us, DOCKET__BREACH_CAUSE__BREACH_POLICY_CHANGE);
    note_due(runs, run, DK_FORESEEN_GOAL);
}

/* A clock begins, of whose target run->used_us is used up already. */
static void begin(struct dk_runs *runs, struct dk_run *run, const struct dk_goal *goal,
                  int64_t at_us, uint64_t cause)
{
    struct dk_clocks *clocks = runs->clocks;

    clocks->clock =
        dk_run_grow(clocks->clock, clocks->count, &clocks->capacity, sizeof *clocks->clock);
    run->promised = true;
    run->clock = clocks->count++;
    clocks->clock[run->clock] = (struct dk_clock){.metric = run->metric,
                                                  .instance = ++run->instances,
                                                  .verdict = DOCKET__VERDICT__VERDICT_RUNNING,
                                                  .started_us = at_us,
                                                  .cause = cause};
    run->from_us = at_us;
    run->why = DK_SEGMENT_RUNS;
    run->illegitimate = false;
    run->cause = cause;
    take_goal(runs, run, goal, at_us);
    foresee(runs, run, DK_FORESEEN_STARTED);
}

/* Something is promised that was not, or not any more: what was used up before stays used. */
static void promise(struct dk_runs *runs, struct dk_run *run, const struct dk_goal *goal,
                    int64_t at_us, uint64_t cause)
{
    close_segment(runs, run, at_us);
    run->used_us = used_of(runs, run, goal);
    begin(runs, run, goal, at_us, cause);
    if (run->used_us >= clock_of(runs, run)->target_us)
        breach(run, clock_of(runs, run), at_us, DOCKET__BREACH_CAUSE__BREACH_POLICY_CHANGE);
}

void dk_run_regoal(struct dk_runs *runs, struct dk_run *run, const struct dk_goal *goal,
                   int64_t at_us, uint64_t cause)
{
    if (!run->promised) {
        if (goal->policy != NULL)
            promise(runs, run, goal, at_us, cause);
        return;
    }
    struct dk_clock *clock = clock_of(runs, run);
    if (breached(clock))
        return;
    if (goal->policy == NULL) {
        dk_run_cancel(runs, run, DOCKET__CANCEL_CAUSE__CANCEL_NO_POLICY, at_us, cause);
        run->on = true; /* a later promise begins a clock of its own */
    } else if (goal->policy == run->goal.policy && goal->number == run->goal.number) {
        keep_goal(run, clock, goal, at_us, cause);
    } else {
        change_goal(runs, run, goal, at_us, cause);
    }
}

/* ---------------------------------------------------------------- a clock's life */

void dk_run_begin(struct dk_runs *runs, struct dk_run *run, const struct dk_goal *goal,
                  int64_t at_us, uint64_t cause)
{
    run->on = true;
    run->closed = run->promised = run->illegitimate = false;
    run->first = runs->clocks->count;
    run->first_unpromised = runs->clocks->unpromised_count;
    run->begun_us = run->from_us = at_us;
    run->why = DK_SEGMENT_RUNS;
    run->used_us = 0;
    if (goal->policy != NULL)
        begin(runs, run, goal, at_us, cause);
}

void dk_run_pass(struct dk_runs *runs, struct dk_run *run, int64_t at_us, bool at_too)
{
    if (!run->on || !run->promised)
        return;
    struct dk_clock *clock = clock_of(runs, run);
    if (clock->verdict == DOCKET__VERDICT__VERDICT_RUNNING &&
        (clock->due_us < at_us || (at_too && clock->due_us == at_us)))
        breach(run, clock, clock->due_us, DOCKET__BREACH_CAUSE__BREACH_TIME);
}

void dk_run_turn(struct dk_runs *runs, struct dk_run *run, enum dk_segment_why why,
                 bool illegitimate, int64_t at_us, uint64_t cause)
{
    bool running = why == DK_SEGMENT_RUNS;
    if (why == run->why && (running || illegitimate == run->illegitimate))
        return;
    close_segment(runs, run, at_us);
    run->why = why;
    run->illegitimate = illegitimate && !running;
    run->cause = cause;
    if (!run->promised || breached(clock_of(runs, run)))
        return;
    struct dk_clock *clock = clock_of(runs, run);
    if (running != (clock->verdict == DOCKET__VERDICT__VERDICT_RUNNING))
        clock->cause = cause;
    clock->verdict = running ? DOCKET__VERDICT__VERDICT_RUNNING : DOCKET__VERDICT__VERDICT_PAUSED;
    if (running) {
        foresee(runs, run, DK_FORESEEN_RESUMED);
    } else {
        clock->due_us = INT64_MAX;
        forget_warnings(clock, at_us);
    }
}

/* It ends at `at_us`, with `verdict` unless it was breached before. */
static void end_clock(struct dk_runs *runs, struct dk_run *run, Docket__Verdict verdict,
                      int64_t at_us, uint64_t cause)
{
    run->on = false;
    close_segment(runs, run, at_us);
    run->cause = cause;
    if (!run->promised)
        return;
    struct dk_clock *clock = clock_of(runs, run);
    clock->ended_us = at_us;
    forget_warnings(clock, at_us);
    if (breached(clock))
        return;
    clock->verdict = verdict;
    clock->due_us = clock->last_due_us;
    clock->cause = cause;
}

void dk_run_fulfil(struct dk_runs *runs, struct dk_run *run, int64_t at_us, uint64_t cause)
{
    end_clock(runs, run, DOCKET__VERDICT__VERDICT_MET, at_us, cause);
    run->closed = true;
    if (!run->promised)
        return;
    struct dk_clock *clock = clock_of(runs, run);
    clock->last_met_us = at_us;
    if (clock->first_met_us == 0)
        clock->first_met_us = at_us;
}

void dk_run_cancel(struct dk_runs *runs, struct dk_run *run, Docket__CancelCause why, int64_t at_us,
                   uint64_t cause)
{
    end_clock(runs, run, DOCKET__VERDICT__VERDICT_CANCELLED, at_us, cause);
    if (run->promised && !breached(clock_of(runs, run)))
        clock_of(runs, run)->cancel_cause = why;
    run->promised = false;
}

void dk_run_resume(struct dk_runs *runs, struct dk_run *run, int64_t at_us, uint64_t cause)
{
    run->on = true;
    run->closed = false;
    run->why = DK_SEGMENT_SOLVED;
    close_segment(runs, run, at_us);
    run->why = DK_SEGMENT_RUNS;
    run->cause = cause;
    if (!run->promised)
        return;
    struct dk_clock *clock = clock_of(runs, run);
    clock->ended_us = 0;
    clock->resumed++;
    if (breached(clock))
        return;
    clock->verdict = DOCKET__VERDICT__VERDICT_RUNNING;
    clock->cause = cause;
    foresee(runs, run, DK_FORESEEN_REOPENED);
}

void dk_run_backdate(struct dk_runs *runs, struct dk_run *run, int64_t since_us, uint64_t cause)
{
    struct dk_clocks *clocks = runs->clocks;
    size_t kept = 0;

    if (run->promised && breached(clock_of(runs, run)))
        return;
    run->begun_us = run->from_us = since_us;
    run->first_unpromised = clocks->unpromised_count;
    run->why = DK_SEGMENT_RUNS;
    run->cause = cause;
    if (!run->promised)
        return;
    struct dk_clock *clock = clock_of(runs, run);

    for (size_t i = 0; i < clocks->segment_count; i++)
        if (clocks->segment[i].clock != run->clock)
            clocks->segment[kept++] = clocks->segment[i];
    clocks->segment_count = kept;
    clock->started_us = since_us;
    clock->elapsed_us = clock->wall_us = run->used_us = 0;
    clock->verdict = DOCKET__VERDICT__VERDICT_RUNNING;
    clock->cause = cause;
    forget_warnings(clock, INT64_MIN);
    foresee(runs, run, DK_FORESEEN_MERGED);
}

void dk_run_rules(struct dk_runs *runs, int64_t rules_us, uint64_t cause)
{
    for (int metric = 1; metric < DK_CLOCK_METRICS; metric++)
        dk_run_look(runs, &runs->run[metric], rules_us);
    runs->rules_us = rules_us;
    for (int metric = 1; metric < DK_CLOCK_METRICS; metric++) {
        struct dk_run *run = &runs->run[metric];
        if (!run->on || !run->promised || breached(clock_of(runs, run)))
            continue;
        clock_of(runs, run)->cause = cause;
        foresee(runs, run, DK_FORESEEN_ADOPTED);
    }
}

void dk_run_look(struct dk_runs *runs, struct dk_run *run, int64_t at_us)
{
    if (run->on && run->promised)
        close_segment(runs, run, at_us);
}
