/* What somebody waits for: the customer for a reply, the ticket in a status, with a group, with a
 * supplier. As the clocks of the same names run (fold/clocks.h), for tickets with or without a
 * promise. */
#include "nodes/analytics/measure_kinds.h"
#include <stdlib.h>

/* ---------------------------------------------------------------- replies */

/* What replies are measured by, in order of time; at one instant what stops comes first (S3). */
struct mark {
    int64_t at_us;
    enum mark_what { MARK_REPLY, MARK_END, MARK_PAUSE, MARK_QUESTION } what;
    size_t place;     /* in the log's order */
    int64_t since_us; /* a question's; with a merge it is older */
    bool final;       /* of an end: closed or merged, nothing is waited for */
    const struct dk_step *step;
};

static int by_time(const void *a, const void *b)
{
    const struct mark *x = a, *y = b;
    if (x->at_us != y->at_us) {
        return x->at_us < y->at_us ? -1 : 1;
    }
    if (x->what != y->what) {
        return x->what < y->what ? -1 : 1;
    }
    return x->place < y->place ? -1 : x->place > y->place;
}

static void add_mark(struct mark *mark, size_t *count, enum mark_what what, int64_t since_us,
                     const struct dk_step *step)
{
    mark[*count] = (struct mark){step->at_us, what, *count, since_us, false, step};
    (*count)++;
}

static size_t gather_messages(const struct dk_case *walked, struct mark *mark)
{
    size_t count = 0;
    for (size_t i = 0; i < walked->steps; i++) {
        const struct dk_step *step = &walked->facts->step[i];
        if ((step->what & DK_STEP_REPLIED) != 0) {
            add_mark(mark, &count, MARK_REPLY, 0, step);
        } else if ((step->what & DK_STEP_ASKED) != 0) {
            add_mark(mark, &count, MARK_QUESTION, step->at_us, step);
        } else if ((step->what & DK_STEP_BROUGHT) != 0) {
            add_mark(mark, &count, MARK_QUESTION, (int64_t)step->value, step);
        }
    }
    return count;
}

/* A mark for each time that the ticket ended, or began to be pending or to be not. */
static size_t gather_status(const struct dk_case *walked, struct mark *mark, size_t count)
{
    struct dk_status_walk walk;
    dk_status_walk_begin(&walk, walked->facts, walked->steps);
    while (dk_status_walk_next(&walk)) {
        bool live = dk_is_live(walk.status);
        add_mark(mark, &count, live ? MARK_PAUSE : MARK_END, 0, walk.step);
        mark[count - 1].at_us = walk.from_us;
        mark[count - 1].final = !live && walk.status != DOCKET__STATUS__STATUS_SOLVED;
    }
    return count;
}

/* S8: nothing is waited for before the first reply. */
static void next_replies(const struct dk_measuring *measuring, const struct dk_case *walked,
                         const struct mark *mark, size_t count)
{
    bool replied = false;
    int64_t asked_us = INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        struct dk_stretch_sum sum = {0};
        if (mark[i].what == MARK_QUESTION && replied && mark[i].since_us < asked_us) {
            asked_us = mark[i].since_us;
        } else if (mark[i].what == MARK_REPLY) {
            if (asked_us != INT64_MAX) {
                dk_measure_add(&sum, measuring, walked, DK_MEASURE_NEXT_REPLY, asked_us,
                               mark[i].at_us);
                dk_measure_sum(measuring, walked, DK_MEASURE_NEXT_REPLY, mark[i].step, &sum);
            }
            replied = true;
            asked_us = INT64_MAX;
        } else if (mark[i].what == MARK_END && mark[i].final) {
            asked_us = INT64_MAX;
        }
    }
}

static void updates(const struct dk_measuring *measuring, const struct dk_case *walked,
                    const struct mark *mark, size_t count)
{
    struct dk_stretch_sum sum = {0};
    bool waits = false, pending = false, live = false;
    int64_t from_us = 0;
    for (size_t i = 0; i < count; i++) {
        bool ends = mark[i].what == MARK_END, replies = mark[i].what == MARK_REPLY;
        if (mark[i].what == MARK_QUESTION) {
            continue;
        }
        if (waits && !pending) {
            dk_measure_add(&sum, measuring, walked, DK_MEASURE_UPDATE, from_us, mark[i].at_us);
        }
        sum.unknown = sum.unknown || (ends && (mark[i].step->what & DK_STEP_UNKNOWN) != 0);
        if (waits && (ends || replies) && mark[i].step->status != DOCKET__STATUS__STATUS_MERGED) {
            dk_measure_sum(measuring, walked, DK_MEASURE_UPDATE, mark[i].step, &sum);
        }
        if (!replies) {
            live = !ends;
            pending = mark[i].step->status == DOCKET__STATUS__STATUS_PENDING;
        }
        if (ends || replies) {
            waits = replies && live;
            sum = (struct dk_stretch_sum){0};
        }
        from_us = mark[i].at_us;
    }
}

void dk_measure_replies(const struct dk_measuring *measuring, const struct dk_case *walked,
                        enum dk_measure measure)
{
    if (walked->first[DK_FIRST_REPLY] == NULL) {
        return;
    }
    struct mark *mark = calloc(2 * walked->steps, sizeof *mark);
    DK_ASSERT(mark != NULL);
    size_t count = gather_status(walked, mark, gather_messages(walked, mark));
    qsort(mark, count, sizeof *mark, by_time);
    if (measure == DK_MEASURE_NEXT_REPLY) {
        next_replies(measuring, walked, mark, count);
    } else {
        updates(measuring, walked, mark, count);
    }
    free(mark);
}

/* ---------------------------------------------------------------- in a status */

/* Which pauses a measure leaves out, by Docket__Pending as in struct dk_step; agents work no ticket
 * that is pending. Imports do not always know for whom one was: a policy takes that for the usual
 * one, for the customer, and whether the customer waited is unknown. */
static unsigned pauses_of(const struct dk_case *walked, enum dk_measure measure, int64_t at_us,
                          int64_t *next_us, bool *unknown)
{
    const struct dk_step *promise;
    *next_us = INT64_MAX;
    if (measure == DK_MEASURE_REQUESTER_WAIT) {
        return 1u << DOCKET__PENDING__PENDING_CUSTOMER;
    }
    if (measure == DK_MEASURE_AGENT_WORK) {
        return ~0u;
    }
    promise = dk_facts_promise(walked->facts, walked->steps, DOCKET__METRIC__METRIC_RESOLUTION,
                               at_us, next_us);
    *unknown = *unknown || promise == NULL;
    return promise != NULL ? promise->pauses : 0;
}

static void add_pending(struct dk_stretch_sum *sum, const struct dk_measuring *measuring,
                        const struct dk_case *walked, enum dk_measure measure,
                        const struct dk_status_walk *walk)
{
    bool nobody = walk->pending == DOCKET__PENDING__PENDING_NONE;
    unsigned whom = nobody ? DOCKET__PENDING__PENDING_CUSTOMER : walk->pending;
    sum->unknown = sum->unknown || (nobody && measure == DK_MEASURE_REQUESTER_WAIT);
    for (int64_t at_us = walk->from_us, next_us; at_us < walk->to_us; at_us = next_us) {
        unsigned pauses = pauses_of(walked, measure, at_us, &next_us, &sum->unknown);
        next_us = next_us < walk->to_us ? next_us : walk->to_us;
        if ((pauses >> whom & 1) == 0) {
            dk_measure_add(sum, measuring, walked, measure, at_us, next_us);
        }
    }
}

void dk_measure_status(const struct dk_measuring *measuring, const struct dk_case *walked,
                       enum dk_measure measure)
{
    struct dk_stretch_sum sum = {0};
    struct dk_status_walk walk;
    if (walked->last_end == NULL) {
        return;
    }
    int64_t next_us;
    (void)pauses_of(walked, measure, walked->last_end->at_us, &next_us, &sum.unknown);
    dk_status_walk_begin(&walk, walked->facts, walked->steps);
    while (dk_status_walk_next(&walk) && walk.step <= walked->last_end) {
        sum.unknown = sum.unknown || walk.unknown;
        if (walk.status == DOCKET__STATUS__STATUS_PENDING) {
            add_pending(&sum, measuring, walked, measure, &walk);
        } else if (dk_is_live(walk.status)) {
            dk_measure_add(&sum, measuring, walked, measure, walk.from_us, walk.to_us);
        }
    }
    dk_measure_sum(measuring, walked, measure, walked->last_end, &sum);
}

/* ---------------------------------------------------------------- with somebody */

/* A stretch that ended with `step`, of who had the ticket with `whose`. */
static void say_had(const struct dk_measuring *measuring, const struct dk_case *walked,
                    enum dk_measure measure, int64_t from_us, int64_t to_us,
                    const struct dk_step *step, const struct dk_step *whose)
{
    struct dk_stretch_sum sum = {.unknown = (step->what & DK_STEP_UNKNOWN) != 0};
    struct dk_step had = *step;
    had.group = whose->group;
    had.agent = whose->agent;
    had.line = whose->line;
    had.supplier = whose->supplier;
    dk_measure_add(&sum, measuring, walked, measure, from_us, to_us);
    dk_measure_sum(measuring, walked, measure, &had, &sum);
}

/* Groups and status take effect in the log's order, none before the one it follows: a solve whose
 * final instant is older than the group's coming ends at that. */
void dk_measure_ownership(const struct dk_measuring *measuring, const struct dk_case *walked)
{
    const struct dk_step *whose = NULL; /* the last that was not learnt late */
    int64_t from_us = INT64_MAX;        /* INT64_MAX: no group has it, or it has ended */
    int64_t turn_us = INT64_MIN;
    bool was_live = false;
    for (size_t i = 0; i < walked->steps; i++) {
        const struct dk_step *step = &walked->facts->step[i];
        bool late = whose != NULL && (step->what & DK_STEP_LATE) != 0;
        bool live = dk_is_live(step->status);
        uint64_t group = late ? whose->group : step->group;
        bool leaves = whose != NULL && group != whose->group;
        if ((leaves || live != was_live) && step->at_us > turn_us) {
            turn_us = step->at_us;
        }
        if (from_us != INT64_MAX && (leaves || !live)) {
            if (step->status != DOCKET__STATUS__STATUS_MERGED) {
                say_had(measuring, walked, DK_MEASURE_GROUP_OWNERSHIP, from_us, turn_us, step,
                        whose);
            }
            from_us = INT64_MAX;
        }
        if (live && group != 0 && (leaves || !was_live)) {
            from_us = turn_us;
        }
        whose = late ? whose : step;
        was_live = live;
    }
}

void dk_measure_holds(const struct dk_measuring *measuring, const struct dk_case *walked)
{
    const struct dk_step *handed = NULL;
    for (size_t i = 0; i < walked->steps; i++) {
        const struct dk_step *step = &walked->facts->step[i];
        if ((step->what & DK_STEP_HANDED) != 0 && handed == NULL) {
            handed = step;
        } else if ((step->what & DK_STEP_RETURNED) != 0 && handed != NULL) {
            struct dk_step whose = *step;
            whose.supplier = handed->supplier;
            say_had(measuring, walked, DK_MEASURE_SUPPLIER_HOLD, handed->at_us, step->at_us, step,
                    &whose);
            handed = NULL;
        }
    }
}
