#include "nodes/analytics/stretches.h"
#include "proto/fold/worktime.h"

/* ---------------------------------------------------------------- business time */

/* Some stretch by one calendar; `rules_us` INT64_MAX: by the versions in force. */
static void add_worktime(struct dk_stretch_sum *sum, const struct dk_time_rule *rule,
                         uint64_t calendar, int64_t rules_us, int64_t from_us, int64_t to_us)
{
    const struct dk_worktime time = {rule->refs, calendar, rules_us};
    if (calendar == 0) {
        sum->us += to_us - from_us;
        return;
    }
    if (rule->as_now) {
        const struct dk_calendar *now = dk_refs_calendar(rule->refs, calendar, rule->now_us, NULL);
        int64_t us = now != NULL ? dk_calendar_biz_us(now, from_us, to_us) : INT64_MIN;
        sum->unknown = sum->unknown || us == INT64_MIN;
        sum->us += us != INT64_MIN ? us : 0;
        return;
    }
    for (int64_t at_us = from_us; at_us < to_us; at_us = dk_worktime_next_us(&time, at_us)) {
        sum->unknown = sum->unknown ||
                       dk_refs_calendar_held(rule->refs, calendar, rules_us, at_us, NULL) == NULL;
    }
    sum->us += dk_worktime_us(&time, from_us, to_us);
}

static void add_promised(struct dk_stretch_sum *sum, const struct dk_time_rule *rule,
                         const struct dk_facts *facts, size_t steps, unsigned metric,
                         int64_t from_us, int64_t to_us)
{
    for (int64_t next_us; from_us < to_us; from_us = next_us) {
        const struct dk_step *promise = dk_facts_promise(facts, steps, metric, from_us, &next_us);
        if (promise == NULL) {
            sum->unknown = true;
            return;
        }
        next_us = next_us < to_us ? next_us : to_us;
        add_worktime(sum, rule, promise->value, facts->rules_us, from_us, next_us);
    }
}

void dk_stretch_add(struct dk_stretch_sum *sum, const struct dk_time_rule *rule,
                    const struct dk_facts *facts, size_t steps, unsigned metric, int64_t from_us,
                    int64_t to_us)
{
    bool back = to_us < from_us;
    int64_t first_us = back ? to_us : from_us, last_us = back ? from_us : to_us;
    struct dk_stretch_sum added = {0};
    if (!rule->business) {
        added.us = last_us - first_us;
    } else if (rule->calendar != 0) {
        add_worktime(&added, rule, rule->calendar, INT64_MAX, first_us, last_us);
    } else {
        add_promised(&added, rule, facts, steps, metric, first_us, last_us);
    }
    sum->us += back ? -added.us : added.us;
    sum->unknown = sum->unknown || added.unknown;
}

/* ---------------------------------------------------------------- status */

void dk_status_walk_begin(struct dk_status_walk *walk, const struct dk_facts *facts, size_t steps)
{
    *walk = (struct dk_status_walk){.facts = facts, .steps = steps, .from_us = INT64_MIN};
    walk->to_us = facts->step[0].at_us;
}

/* The place of the next step with another status than the one before it, or `steps`. */
static size_t next_turn(const struct dk_status_walk *walk, size_t i)
{
    const struct dk_step *step = walk->facts->step;
    while (i < walk->steps && i > 0 && step[i].status == step[i - 1].status &&
           step[i].pending == step[i - 1].pending) {
        i++;
    }
    return i;
}

bool dk_status_walk_next(struct dk_status_walk *walk)
{
    size_t at = next_turn(walk, walk->next);
    if (at >= walk->steps) {
        return false;
    }
    size_t after = next_turn(walk, at + 1);
    walk->step = &walk->facts->step[at];
    walk->status = walk->step->status;
    walk->pending = walk->step->pending;
    walk->unknown = (walk->step->what & DK_STEP_UNKNOWN) != 0;
    walk->from_us = walk->to_us;
    walk->to_us = INT64_MAX;
    if (after < walk->steps) {
        int64_t turn_us = walk->facts->step[after].at_us;
        walk->to_us = turn_us > walk->from_us ? turn_us : walk->from_us;
    }
    walk->next = after;
    return true;
}
