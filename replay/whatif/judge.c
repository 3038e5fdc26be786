#include "replay/whatif/judge.h"
#include "proto/base/err.h"
#include <stdlib.h>
#include <string.h>

void dk_judgement_init(struct dk_judgement *judgement)
{
    *judgement = (struct dk_judgement){0};
    dk_clocks_init(&judgement->before);
    dk_clocks_init(&judgement->after);
}

void dk_judgement_close(struct dk_judgement *judgement)
{
    dk_clocks_close(&judgement->before);
    dk_clocks_close(&judgement->after);
    free(judgement->pair);
    free(judgement->taken);
    *judgement = (struct dk_judgement){0};
}

static void make_room(struct dk_judgement *judgement)
{
    size_t pairs = judgement->before.count + judgement->after.count;
    if (pairs > judgement->capacity) {
        judgement->capacity = 2 * pairs;
        judgement->pair = realloc(judgement->pair, judgement->capacity * sizeof *judgement->pair);
        DK_ASSERT(judgement->pair != NULL);
    }
    if (judgement->after.count > judgement->taken_capacity) {
        judgement->taken_capacity = 2 * judgement->after.count;
        judgement->taken =
            realloc(judgement->taken, judgement->taken_capacity * sizeof *judgement->taken);
        DK_ASSERT(judgement->taken != NULL);
    }
    if (judgement->after.count > 0) {
        memset(judgement->taken, 0, judgement->after.count * sizeof *judgement->taken);
    }
    judgement->count = 0;
}

/* In the order of dk_clocks: beginning, then metric. */
static int compare(const struct dk_clock *a, const struct dk_clock *b)
{
    if (a->started_us != b->started_us) {
        return a->started_us < b->started_us ? -1 : 1;
    }
    return (a->metric > b->metric) - (a->metric < b->metric);
}

static bool is_once(Docket__Metric metric)
{
    return metric == DOCKET__METRIC__METRIC_FIRST_REPLY ||
           metric == DOCKET__METRIC__METRIC_REQUESTER_WAIT ||
           metric == DOCKET__METRIC__METRIC_AGENT_WORK ||
           metric == DOCKET__METRIC__METRIC_RESOLUTION;
}

/* For what is left of metrics that a ticket has once. */
static const struct dk_clock *find_left(struct dk_judgement *judgement, Docket__Metric metric)
{
    for (size_t i = 0; is_once(metric) && i < judgement->after.count; i++) {
        if (!judgement->taken[i] && judgement->after.clock[i].metric == metric) {
            judgement->taken[i] = true;
            return &judgement->after.clock[i];
        }
    }
    return NULL;
}

void dk_judgement_make(struct dk_judgement *judgement, const struct dk_transition *transition,
                       size_t count, struct dk_refs *before, struct dk_refs *after,
                       int64_t until_us)
{
    const struct dk_clocks *to = &judgement->after;
    size_t k = 0;
    dk_clocks_compute(&judgement->before, transition, count, before, until_us);
    dk_clocks_compute(&judgement->after, transition, count, after, until_us);
    make_room(judgement);
    for (size_t i = 0; i < judgement->before.count; i++) {
        struct dk_judged pair = {.before = &judgement->before.clock[i]};
        while (k < to->count && compare(&to->clock[k], pair.before) < 0) {
            k++;
        }
        if (k < to->count && compare(&to->clock[k], pair.before) == 0) {
            judgement->taken[k] = true;
            pair.after = &to->clock[k++];
        }
        judgement->pair[judgement->count++] = pair;
    }
    for (size_t i = 0; i < judgement->count; i++) {
        struct dk_judged *pair = &judgement->pair[i];
        pair->after =
            pair->after != NULL ? pair->after : find_left(judgement, pair->before->metric);
    }
    for (size_t i = 0; i < to->count; i++) {
        if (!judgement->taken[i]) {
            judgement->pair[judgement->count++] = (struct dk_judged){.after = &to->clock[i]};
        }
    }
}

enum dk_outcome dk_outcome_of(const struct dk_clock *clock)
{
    switch (clock != NULL ? clock->verdict : DOCKET__VERDICT__VERDICT_NONE) {
    case DOCKET__VERDICT__VERDICT_MET: return DK_OUTCOME_MET;
    case DOCKET__VERDICT__VERDICT_BREACHED: return DK_OUTCOME_BREACHED;
    case DOCKET__VERDICT__VERDICT_CANCELLED: return DK_OUTCOME_CANCELLED;
    default: return clock != NULL ? DK_OUTCOME_OPEN : DK_OUTCOME_NONE;
    }
}

const char *dk_outcome_word(enum dk_outcome outcome)
{
    static const char *const words[DK_OUTCOME_COUNT] = {"none", "met", "breached", "cancelled",
                                                        "open"};
    return words[outcome];
}

int64_t dk_outcome_us(const struct dk_clock *clock)
{
    switch (dk_outcome_of(clock)) {
    case DK_OUTCOME_MET:
    case DK_OUTCOME_CANCELLED: return clock->ended_us;
    case DK_OUTCOME_BREACHED: return clock->due_us;
    default: return INT64_MAX;
    }
}

bool dk_judged_differs(const struct dk_judged *pair)
{
    const struct dk_clock *a = pair->before, *b = pair->after;
    return a == NULL || b == NULL || dk_outcome_of(a) != dk_outcome_of(b) ||
           a->due_us != b->due_us || a->ended_us != b->ended_us || a->elapsed_us != b->elapsed_us ||
           a->overrun_us != b->overrun_us;
}
