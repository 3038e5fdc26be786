#include "proto/fold/clocks.h"
#include "proto/fold/clock_run.h"
#include <stdlib.h>

/* What the transitions of one event at one instant and of one class do together. */
enum happening {
    OPENED = 1 << 0,
    REPLIED = 1 << 1,
    WROTE = 1 << 2,    /* the customer */
    SOLVED = 1 << 3,   /* from live: closed at once counts too */
    REOPENED = 1 << 4, /* from solved or closed */
    CLOSED = 1 << 5,
    MERGED = 1 << 6,
    HANDED = 1 << 7,
    RETURNED = 1 << 8,
    REGROUPED = 1 << 9, /* the group is another one */
    CHANGED = 1 << 10,  /* something that policies look at */
};

/* The ticket as its transitions have made it so far. */
struct walk {
    struct dk_runs runs;
    struct dk_traits traits;
    int64_t opened_us;
    int64_t looked_us; /* which publications to open tickets have been looked at */
    unsigned status, pending;
    int64_t since_us; /* it has this status */
    bool opened, historical;
    bool by_notes;     /* nobody had asked for anything when it was opened */
    bool replied;      /* a human has, in public */
    bool unanswered;   /* the customer wrote last */
    bool asked;        /* and was asked for something since writing last */
    bool may_be_asked; /* or may have been: it is not told */
    bool illegitimate;
    uint64_t message; /* position of what the customer wrote last */
    /* the moment: */
    int64_t at_us;
    int64_t wrote_us; /* WROTE: when the message came */
    uint64_t position;
    bool replied_before;
    unsigned happened;
};

void dk_clocks_init(struct dk_clocks *clocks)
{
    *clocks = (struct dk_clocks){0};
}

void dk_clocks_close(struct dk_clocks *clocks)
{
    free(clocks->clock);
    free(clocks->segment);
    free(clocks->foreseen);
    free(clocks->unpromised);
    free(clocks->pause);
    *clocks = (struct dk_clocks){0};
}

const char *dk_segment_word(enum dk_segment_why why)
{
    static const char *const words[] = {"running",  "customer", "supplier",
                                        "internal", "unknown",  "solved"};
    return words[why];
}

const char *dk_foreseen_word(enum dk_foreseen_why why)
{
    static const char *const words[] = {"started", "resumed", "reopened",
                                        "goal",    "adopted", "merged"};
    return words[why];
}

/* ---------------------------------------------------------------- the ticket */

static bool is_live(unsigned status)
{
    return status >= DOCKET__STATUS__STATUS_NEW && status <= DOCKET__STATUS__STATUS_PENDING;
}

static bool is_ended(unsigned status)
{
    return status == DOCKET__STATUS__STATUS_SOLVED || status == DOCKET__STATUS__STATUS_CLOSED;
}

static enum dk_pause_why judge_pause(const struct walk *walk)
{
    if (walk->status != DOCKET__STATUS__STATUS_PENDING ||
        walk->pending != DOCKET__PENDING__PENDING_CUSTOMER)
        return DK_PAUSE_BY_RIGHT;
    if (walk->unanswered)
        return DK_PAUSE_WROTE_LAST;
    if (walk->asked)
        return DK_PAUSE_BY_RIGHT;
    return walk->may_be_asked ? DK_PAUSE_UNKNOWN : DK_PAUSE_NOT_ASKED;
}

/* S11: a pause is judged as it begins, and again when it is set once more; it lasts until the
 * ticket has another status, or waits for another reason. */
static void note_pause(struct walk *walk)
{
    struct dk_clocks *clocks = walk->runs.clocks;
    enum dk_pause_why why = judge_pause(walk);
    struct dk_clock_pause *last =
        clocks->pause_count > 0 ? &clocks->pause[clocks->pause_count - 1] : NULL;
    bool lasts = last != NULL && last->ended_by == 0;

    walk->illegitimate = why == DK_PAUSE_WROTE_LAST || why == DK_PAUSE_NOT_ASKED;
    if (lasts && last->why == why)
        return;
    if (lasts) {
        last->to_us = walk->at_us;
        last->ended_by = walk->position;
    }
    if (why == DK_PAUSE_BY_RIGHT)
        return;
    clocks->pause = dk_run_grow(clocks->pause, clocks->pause_count, &clocks->pause_capacity,
                                sizeof *clocks->pause);
    clocks->pause[clocks->pause_count++] =
        (struct dk_clock_pause){.from_us = walk->at_us,
                                .position = walk->position,
                                .message = why == DK_PAUSE_WROTE_LAST ? walk->message : 0,
                                .group = walk->traits.group,
                                .why = why};
}

static void set_status(struct walk *walk, unsigned status, unsigned pending)
{
    unsigned before = walk->status;

    /* Merged is final, even when it was recorded late, after what happened later. */
    if (before == DOCKET__STATUS__STATUS_MERGED)
        return;
    if (status != walk->status || pending != walk->pending)
        walk->since_us = walk->at_us;
    walk->status = status;
    walk->pending = pending;
    if (is_live(before) && is_ended(status))
        walk->happened |= SOLVED;
    if (is_ended(before) && is_live(status))
        walk->happened |= REOPENED;
    if (status == DOCKET__STATUS__STATUS_CLOSED)
        walk->happened |= CLOSED;
    if (status == DOCKET__STATUS__STATUS_MERGED)
        walk->happened |= MERGED;
    note_pause(walk);
}

static void customer_wrote(struct walk *walk, int64_t at_us)
{
    walk->happened |= WROTE;
    walk->wrote_us = at_us;
    walk->unanswered = true;
    walk->asked = walk->may_be_asked = false;
    walk->message = walk->position;
}

static void absorb_trait(struct walk *walk, const struct dk_transition *transition)
{
    uint64_t group = walk->traits.group;

    (void)dk_traits_apply(&walk->traits, transition);
    walk->happened |= CHANGED | (walk->traits.group != group ? REGROUPED : 0u);
}

static void absorb_opened(struct walk *walk, uint64_t value)
{
    walk->happened |= OPENED;
    walk->opened = true;
    walk->status = (unsigned)(value >> 8);
    walk->since_us = walk->at_us;
    walk->historical = (value & DK_OPENED_IMPORTED) != 0;
    walk->by_notes = (value & DK_OPENED_BY_NOTES) != 0;
    walk->unanswered = !walk->by_notes;
    walk->message = walk->position;
    walk->runs.clocks->live_from_us = walk->historical ? INT64_MAX : INT64_MIN;
}

/* T1: from here on it is live, by the rules of today. */
static void absorb_adopted(struct walk *walk, const struct dk_transition *transition)
{
    if (!walk->historical)
        return;
    walk->historical = false;
    dk_run_rules(&walk->runs, walk->at_us, transition->position);
    walk->runs.clocks->live_from_us = walk->at_us;
    absorb_trait(walk, transition);
}

/* S11: a message ends a pause for the customer, and reopens what was solved. */
static void absorb_inbound(struct walk *walk, bool wakes)
{
    bool waits = walk->status == DOCKET__STATUS__STATUS_SOLVED ||
                 (walk->status == DOCKET__STATUS__STATUS_PENDING &&
                  walk->pending == DOCKET__PENDING__PENDING_CUSTOMER);

    customer_wrote(walk, walk->at_us);
    if (wakes && waits)
        set_status(walk, DOCKET__STATUS__STATUS_OPEN, 0);
}

static void absorb(struct walk *walk, const struct dk_transition *transition)
{
    uint64_t value = dk_transition_value(transition);

    switch (dk_transition_what(transition)) {
    case DK_CHANGE_OPENED: absorb_opened(walk, value); break;
    case DK_CHANGE_INBOUND: absorb_inbound(walk, value != 0); break;
    case DK_CHANGE_REPLY:
        walk->happened |= REPLIED;
        walk->replied = true;
        walk->unanswered = false;
        walk->asked = walk->asked || value == DK_REPLY_ASKS;
        walk->may_be_asked = walk->may_be_asked || value == DK_REPLY_UNKNOWN;
        break;
    case DK_CHANGE_STATUS: set_status(walk, value & 0xff, (unsigned)(value >> 8)); break;
    case DK_CHANGE_SUPPLIER_HANDED:
        walk->happened |= HANDED;
        absorb_trait(walk, transition);
        break;
    case DK_CHANGE_SUPPLIER_RETURNED:
        walk->happened |= RETURNED | CHANGED;
        walk->traits.supplier = 0; /* a policy for what a supplier has is over with the return */
        break;
    case DK_CHANGE_MERGED: set_status(walk, DOCKET__STATUS__STATUS_MERGED, 0); break;
    case DK_CHANGE_MERGED_MESSAGE: customer_wrote(walk, (int64_t)value); break;
    case DK_CHANGE_ADOPTED: absorb_adopted(walk, transition); break;
    default: absorb_trait(walk, transition); break;
    }
}

/* ---------------------------------------------------------------- its clocks */

static bool ends(const struct walk *walk, Docket__Metric metric)
{
    switch (metric) {
    case DOCKET__METRIC__METRIC_FIRST_REPLY:
    case DOCKET__METRIC__METRIC_NEXT_REPLY: return (walk->happened & REPLIED) != 0;
    case DOCKET__METRIC__METRIC_UPDATE: return (walk->happened & (REPLIED | SOLVED)) != 0;
    case DOCKET__METRIC__METRIC_GROUP_OWNERSHIP:
        return (walk->happened & (REGROUPED | SOLVED)) != 0;
    case DOCKET__METRIC__METRIC_SUPPLIER: return (walk->happened & RETURNED) != 0;
    default: return (walk->happened & SOLVED) != 0;
    }
}

/* A closed ticket's replies are not waited for any more, though one of them may be on its way. */
static bool dies(const struct walk *walk, Docket__Metric metric)
{
    bool reply =
        metric == DOCKET__METRIC__METRIC_FIRST_REPLY || metric == DOCKET__METRIC__METRIC_NEXT_REPLY;

    return (walk->happened & MERGED) != 0 || (reply && (walk->happened & CLOSED) != 0);
}

static bool begins(const struct walk *walk, const struct dk_run *run)
{
    bool live = is_live(walk->status);
    unsigned happened = walk->happened;

    switch (run->metric) {
    case DOCKET__METRIC__METRIC_FIRST_REPLY:
        return live && !walk->replied && !run->on && run->instances == 0 &&
               (happened & (walk->by_notes ? WROTE : OPENED)) != 0;
    case DOCKET__METRIC__METRIC_NEXT_REPLY:
        return live && walk->replied_before && !run->on &&
               ((happened & WROTE) != 0 || ((happened & REOPENED) != 0 && walk->unanswered));
    case DOCKET__METRIC__METRIC_UPDATE: return live && (happened & REPLIED) != 0;
    case DOCKET__METRIC__METRIC_GROUP_OWNERSHIP:
        return live && walk->traits.group != 0 && (happened & (OPENED | REGROUPED | REOPENED)) != 0;
    case DOCKET__METRIC__METRIC_SUPPLIER:
        return walk->status != DOCKET__STATUS__STATUS_MERGED && !run->on &&
               (happened & HANDED) != 0;
    default: return live && (happened & (OPENED | REOPENED)) != 0;
    }
}

static bool goes_on(Docket__Metric metric)
{
    return metric == DOCKET__METRIC__METRIC_REQUESTER_WAIT ||
           metric == DOCKET__METRIC__METRIC_AGENT_WORK ||
           metric == DOCKET__METRIC__METRIC_RESOLUTION;
}

static enum dk_segment_why pending_why(unsigned pending)
{
    switch (pending) {
    case DOCKET__PENDING__PENDING_CUSTOMER: return DK_SEGMENT_CUSTOMER;
    case DOCKET__PENDING__PENDING_SUPPLIER: return DK_SEGMENT_SUPPLIER;
    case DOCKET__PENDING__PENDING_INTERNAL: return DK_SEGMENT_INTERNAL;
    default: return DK_SEGMENT_UNKNOWN;
    }
}

static bool pauses_pending(const struct walk *walk, const struct dk_run *run)
{
    switch (run->metric) {
    case DOCKET__METRIC__METRIC_UPDATE:
    case DOCKET__METRIC__METRIC_AGENT_WORK: return true;
    case DOCKET__METRIC__METRIC_REQUESTER_WAIT:
        return walk->pending != DOCKET__PENDING__PENDING_INTERNAL &&
               walk->pending != DOCKET__PENDING__PENDING_SUPPLIER;
    case DOCKET__METRIC__METRIC_RESOLUTION:
        return !run->promised ||
               dk_goal_pauses(dk_goal_policy(&run->goal), (Docket__Pending)walk->pending);
    default: return false;
    }
}

/* Whether it runs in the ticket's status, or why it does not. Without a promise there is no policy
 * that names pauses yet: all are kept, for the one that may come (S6). */
static enum dk_segment_why why_now(const struct walk *walk, const struct dk_run *run)
{
    bool reply = run->metric == DOCKET__METRIC__METRIC_FIRST_REPLY ||
                 run->metric == DOCKET__METRIC__METRIC_NEXT_REPLY;

    if (walk->status == DOCKET__STATUS__STATUS_SOLVED && reply)
        return DK_SEGMENT_SOLVED;
    if (walk->status == DOCKET__STATUS__STATUS_PENDING && pauses_pending(walk, run))
        return pending_why(walk->pending);
    return DK_SEGMENT_RUNS;
}

static struct dk_goal goal_now(const struct walk *walk, Docket__Metric metric, int64_t at_us)
{
    return dk_goal_of(walk->runs.refs, metric, walk->runs.rules_us, &walk->traits, at_us);
}

/* Begins the metric's clock, or goes on with the one that was fulfilled. */
static void start(struct walk *walk, struct dk_run *run)
{
    int64_t from_us = (walk->happened & WROTE) != 0 ? walk->wrote_us : walk->at_us;
    struct dk_goal goal = goal_now(walk, run->metric, from_us);

    if (goes_on(run->metric) && run->closed) {
        dk_run_resume(&walk->runs, run, walk->at_us, walk->position);
        dk_run_regoal(&walk->runs, run, &goal, walk->at_us, walk->position);
        return;
    }
    dk_run_begin(&walk->runs, run, &goal, from_us, walk->position);
    dk_run_pass(&walk->runs, run, walk->at_us, false);
}

/* S10: a message came with a merge that has waited for longer than the one that was counted. */
static void start_earlier(struct walk *walk, struct dk_run *run)
{
    if (run->metric == DOCKET__METRIC__METRIC_NEXT_REPLY && run->on &&
        (walk->happened & WROTE) != 0 && walk->wrote_us < run->begun_us) {
        dk_run_backdate(&walk->runs, run, walk->wrote_us, walk->position);
        dk_run_pass(&walk->runs, run, walk->at_us, false);
    }
}

/* S3 within one event: what ends, ends before anything begins. */
static void react(struct walk *walk, struct dk_run *run)
{
    if (run->on && ends(walk, run->metric))
        dk_run_fulfil(&walk->runs, run, walk->at_us, walk->position);
    if (run->on && dies(walk, run->metric))
        dk_run_cancel(&walk->runs, run,
                      (walk->happened & MERGED) != 0 ? DOCKET__CANCEL_CAUSE__CANCEL_MERGED
                                                     : DOCKET__CANCEL_CAUSE__CANCEL_CLOSED,
                      walk->at_us, walk->position);
    if (begins(walk, run)) {
        start(walk, run);
    } else if (run->on && (walk->happened & CHANGED) != 0) {
        struct dk_goal goal = goal_now(walk, run->metric, walk->at_us);
        dk_run_regoal(&walk->runs, run, &goal, walk->at_us, walk->position);
    } else {
        start_earlier(walk, run);
    }
    if (run->on)
        dk_run_turn(&walk->runs, run, why_now(walk, run), walk->illegitimate, walk->at_us,
                    walk->position);
}

static void publish_to(struct walk *walk, struct dk_run *run, const struct dk_refs_version *version)
{
    int64_t at_us = version->effective_us;

    dk_run_pass(&walk->runs, run, at_us, false);
    if (!run->on)
        return;
    struct dk_goal goal = goal_now(walk, run->metric, at_us);
    dk_run_regoal(&walk->runs, run, &goal, at_us, version->position);
    dk_run_turn(&walk->runs, run, why_now(walk, run), walk->illegitimate, at_us, version->position);
}

/* S7: what was published to open tickets by `last_us` holds for this one from its instant on. */
static void publish(struct walk *walk, int64_t last_us)
{
    const struct dk_refs_version *next;
    bool any_on = false;

    for (int metric = 1; metric < DK_CLOCK_METRICS; metric++)
        any_on = any_on || walk->runs.run[metric].on;
    while (any_on && (next = dk_refs_next_publication(walk->runs.refs, walk->looked_us)) != NULL &&
           next->effective_us <= last_us) {
        for (int metric = 1; metric < DK_CLOCK_METRICS; metric++)
            publish_to(walk, &walk->runs.run[metric], next);
        walk->looked_us = next->effective_us;
    }
    if (walk->looked_us < last_us)
        walk->looked_us = last_us;
}

/* All transitions of one event, one instant and one class: only together do they make sense. */
static size_t moment(struct walk *walk, const struct dk_transition *transition, size_t count)
{
    size_t n = 0;

    walk->at_us =
        transition->occurred_us > walk->opened_us ? transition->occurred_us : walk->opened_us;
    publish(walk, walk->at_us - (dk_transition_class(transition) < DK_CLASS_CHANGE));
    walk->position = transition->position;
    walk->happened = 0;
    walk->replied_before = walk->replied;
    for (int metric = 1; metric < DK_CLOCK_METRICS; metric++)
        dk_run_pass(&walk->runs, &walk->runs.run[metric], walk->at_us, false);
    while (n < count && transition[n].position == transition->position &&
           transition[n].occurred_us == transition->occurred_us &&
           dk_transition_class(&transition[n]) == dk_transition_class(transition))
        absorb(walk, &transition[n++]);
    for (int metric = 1; walk->opened && metric < DK_CLOCK_METRICS; metric++)
        react(walk, &walk->runs.run[metric]);
    return n;
}

static const struct dk_transition *find_opened(const struct dk_transition *transition, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (dk_transition_what(&transition[i]) == DK_CHANGE_OPENED)
            return &transition[i];
    return NULL;
}

void dk_clocks_compute(struct dk_clocks *clocks, const struct dk_transition *transition,
                       size_t count, struct dk_refs *refs, int64_t until_us)
{
    const struct dk_transition *opened = find_opened(transition, count);
    struct walk walk = {.runs = {.clocks = clocks, .refs = refs}};

    clocks->count = clocks->segment_count = clocks->foreseen_count = 0;
    clocks->unpromised_count = clocks->pause_count = 0;
    clocks->live_from_us = INT64_MAX;
    if (opened == NULL)
        return;
    walk.opened_us = walk.looked_us = walk.runs.rules_us = opened->occurred_us;
    for (int metric = 1; metric < DK_CLOCK_METRICS; metric++)
        walk.runs.run[metric].metric = (Docket__Metric)metric;
    /* The opening first: what is said to have happened before it counts from it on. */
    for (int first = 1; first >= 0; first--)
        for (size_t i = 0; i < count;)
            i += (transition[i].position == opened->position) == first
                     ? moment(&walk, &transition[i], count - i)
                     : 1;
    publish(&walk, until_us);
    clocks->traits = walk.traits;
    clocks->status = (Docket__Status)walk.status;
    clocks->pending = (Docket__Pending)walk.pending;
    clocks->since_us = walk.since_us;
    clocks->rules_us = walk.runs.rules_us;
    for (int metric = 1; metric < DK_CLOCK_METRICS; metric++) {
        dk_run_pass(&walk.runs, &walk.runs.run[metric], until_us, true);
        dk_run_look(&walk.runs, &walk.runs.run[metric], until_us);
    }
}
