#include "nodes/analytics/measure_kinds.h"
#include "proto/base/time.h"

#define LINE_LAST 31

static const struct dk_measure_info measures[DK_MEASURE_COUNT] = {
#define X(NAME, word, shape, about) [DK_MEASURE_##NAME] = {word, DK_SHAPE_##shape, about},
    DK_MEASURES(X)
#undef X
};

const struct dk_measure_info *dk_measure_info(enum dk_measure measure)
{
    return &measures[measure];
}

/* ---------------------------------------------------------------- one walk */

static void walk_status(struct dk_case *walked, const struct dk_step *step, unsigned before)
{
    if (dk_is_ended(step->status) && !dk_is_ended(before)) {
        walked->first_end = walked->first_end != NULL ? walked->first_end : step;
        walked->last_end = step;
    }
    if ((step->what & DK_STEP_SOLVED) != 0) {
        walked->first_solve = walked->first_solve != NULL ? walked->first_solve : step;
        walked->last_solve = step;
    }
    if ((step->what & DK_STEP_CLOSED) != 0) {
        walked->last_close = step;
    }
}

static void walk_step(struct dk_case *walked, const struct dk_step *step)
{
    static const uint32_t first[DK_FIRST_COUNT] = {DK_STEP_FIRST_RESPONSE, DK_STEP_FIRST_PUBLIC,
                                                   DK_STEP_FIRST_REPLY, DK_STEP_FIRST_OWNER_REPLY};
    for (size_t i = 0; i < DK_FIRST_COUNT; i++) {
        walked->first[i] = (step->what & first[i]) != 0 ? step : walked->first[i];
    }
    walked->reopens += (step->what & DK_STEP_REOPENED) != 0;
    walked->reassignments += (step->what & DK_STEP_REASSIGNED) != 0;
    walked->assignments += (step->what & DK_STEP_ASSIGNED) != 0;
    walked->escalations += (step->what & DK_STEP_ESCALATED) != 0;
    walked->rated = walked->rated || (step->what & DK_STEP_RATED) != 0;
    walked->merge = (step->what & DK_STEP_MERGED) != 0 ? step : walked->merge;
    walked->lines |= 1u << (step->line < LINE_LAST ? step->line : LINE_LAST);
}

void dk_case_walk(struct dk_case *walked, uint64_t ticket, const struct dk_ticket *life,
                  const struct dk_facts *facts, size_t steps)
{
    unsigned before = DOCKET__STATUS__STATUS_NONE;
    *walked = (struct dk_case){.ticket = ticket, .life = life, .facts = facts, .steps = steps};
    for (size_t i = 0; i < steps; i++) {
        const struct dk_step *step = &facts->step[i];
        walk_status(walked, step, before);
        walk_step(walked, step);
        before = step->status;
    }
    if (!dk_is_ended(before)) {
        walked->last_end = NULL;
    }
}

static unsigned status_before(const struct dk_case *walked, size_t i)
{
    return i > 0 ? walked->facts->step[i - 1].status : DOCKET__STATUS__STATUS_NONE;
}

static unsigned status_now(const struct dk_case *walked)
{
    return walked->facts->step[walked->steps - 1].status;
}

/* ---------------------------------------------------------------- samples */

void dk_measure_say(const struct dk_measuring *measuring, const struct dk_case *walked,
                    enum dk_measure measure, const struct dk_step *step, int64_t value,
                    enum dk_sample_note note)
{
    measuring->on_sample(measuring->arg, walked, measure, step, step->at_us, value, note);
}

void dk_measure_sum(const struct dk_measuring *measuring, const struct dk_case *walked,
                    enum dk_measure measure, const struct dk_step *step,
                    const struct dk_stretch_sum *sum)
{
    dk_measure_say(measuring, walked, measure, step, sum->unknown ? 0 : sum->us,
                   sum->unknown ? DK_SAMPLE_UNKNOWN : DK_SAMPLE_VALUE);
}

/* Whose promise a measure's time is counted by. */
static unsigned metric_of(enum dk_measure measure)
{
    switch (measure) {
    case DK_MEASURE_FIRST_RESPONSE:
    case DK_MEASURE_FIRST_PUBLIC:
    case DK_MEASURE_FIRST_REPLY:
    case DK_MEASURE_FIRST_OWNER_REPLY: return DOCKET__METRIC__METRIC_FIRST_REPLY;
    case DK_MEASURE_NEXT_REPLY: return DOCKET__METRIC__METRIC_NEXT_REPLY;
    case DK_MEASURE_UPDATE: return DOCKET__METRIC__METRIC_UPDATE;
    case DK_MEASURE_REQUESTER_WAIT: return DOCKET__METRIC__METRIC_REQUESTER_WAIT;
    case DK_MEASURE_AGENT_WORK: return DOCKET__METRIC__METRIC_AGENT_WORK;
    case DK_MEASURE_GROUP_OWNERSHIP: return DOCKET__METRIC__METRIC_GROUP_OWNERSHIP;
    case DK_MEASURE_SUPPLIER_HOLD: return DOCKET__METRIC__METRIC_SUPPLIER;
    default: return DOCKET__METRIC__METRIC_RESOLUTION;
    }
}

void dk_measure_add(struct dk_stretch_sum *sum, const struct dk_measuring *measuring,
                    const struct dk_case *walked, enum dk_measure measure, int64_t from_us,
                    int64_t to_us)
{
    dk_stretch_add(sum, &measuring->rule, walked->facts, walked->steps, metric_of(measure), from_us,
                   to_us);
}

static void measure_count(const struct dk_measuring *measuring, const struct dk_case *walked,
                          enum dk_measure measure)
{
    static const uint32_t counted[] = {
        [DK_MEASURE_OPENED] = DK_STEP_OPENED,         [DK_MEASURE_SOLVED] = DK_STEP_SOLVED,
        [DK_MEASURE_CLOSED] = DK_STEP_CLOSED,         [DK_MEASURE_REOPENED] = DK_STEP_REOPENED,
        [DK_MEASURE_REASSIGNED] = DK_STEP_REASSIGNED, [DK_MEASURE_ASSIGNED] = DK_STEP_ASSIGNED,
        [DK_MEASURE_ESCALATED] = DK_STEP_ESCALATED,   [DK_MEASURE_MERGED] = DK_STEP_MERGED,
    };
    /* A status that is stated again is not become. */
    bool becomes = (counted[measure] & (DK_STEP_SOLVED | DK_STEP_CLOSED)) != 0;
    for (size_t i = 0; i < walked->steps; i++) {
        const struct dk_step *step = &walked->facts->step[i];
        bool said = (step->what & counted[measure]) != 0;
        if (said && !(becomes && status_before(walked, i) == step->status)) {
            dk_measure_say(measuring, walked, measure, step, 1, DK_SAMPLE_VALUE);
        }
    }
}

/* From `from_us` to `step`, or to an instant that is not known, told of `otherwise`. */
static void measure_since(const struct dk_measuring *measuring, const struct dk_case *walked,
                          enum dk_measure measure, int64_t from_us, const struct dk_step *step,
                          const struct dk_step *otherwise)
{
    if (step != NULL && (step->what & DK_STEP_UNKNOWN) == 0) {
        struct dk_stretch_sum sum = {0};
        dk_measure_add(&sum, measuring, walked, measure, from_us, step->at_us);
        dk_measure_sum(measuring, walked, measure, step, &sum);
    } else if (step != NULL || otherwise != NULL) {
        dk_measure_say(measuring, walked, measure, step != NULL ? step : otherwise, 0,
                       DK_SAMPLE_UNKNOWN);
    }
}

static void measure_since_opened(const struct dk_measuring *measuring, const struct dk_case *walked,
                                 enum dk_measure measure, const struct dk_step *step,
                                 const struct dk_step *otherwise)
{
    measure_since(measuring, walked, measure, walked->facts->step[0].at_us, step, otherwise);
}

/* As the SLA's clock runs. Who was written to before he asked for anything was not replied to. */
static void measure_first_reply(const struct dk_measuring *measuring, const struct dk_case *walked)
{
    const struct dk_step *reply = walked->first[DK_FIRST_REPLY];
    int64_t asked_us = walked->facts->asked_us;
    bool by_notes = (walked->facts->flags & DK_FACTS_BY_NOTES) != 0;
    if (reply != NULL && !(by_notes && reply->at_us < asked_us)) {
        measure_since(measuring, walked, DK_MEASURE_FIRST_REPLY, asked_us, reply, NULL);
    }
}

static void measure_number(const struct dk_measuring *measuring, const struct dk_case *walked,
                           enum dk_measure measure)
{
    unsigned value = measure == DK_MEASURE_REOPENS         ? walked->reopens
                     : measure == DK_MEASURE_REASSIGNMENTS ? walked->reassignments
                     : measure == DK_MEASURE_ASSIGNMENTS   ? walked->assignments
                     : measure == DK_MEASURE_ESCALATIONS   ? walked->escalations
                     : measure == DK_MEASURE_IRREGULAR     ? walked->life->irregular
                     : walked->assignments > 0             ? walked->assignments - 1
                                                           : 0;
    if (walked->last_end != NULL) {
        dk_measure_say(measuring, walked, measure, walked->last_end, value, DK_SAMPLE_VALUE);
    }
}

static int64_t days_after(const struct dk_step *step, uint32_t days)
{
    return step->at_us + days * DK_DAY_US;
}

static struct dk_settings settings_of(const struct dk_measuring *measuring,
                                      const struct dk_step *step)
{
    struct dk_settings settings;
    dk_refs_settings(measuring->rule.refs,
                     measuring->rule.as_now ? measuring->rule.now_us : step->at_us, &settings);
    return settings;
}

static void measure_reopen_rate(const struct dk_measuring *measuring, const struct dk_case *walked)
{
    const struct dk_step *end = walked->first_end;
    if (end != NULL) {
        bool ripe =
            days_after(end, settings_of(measuring, end).reopen_days) <= measuring->rule.now_us;
        dk_measure_say(measuring, walked, DK_MEASURE_REOPEN_RATE, end, walked->reopens > 0,
                       ripe ? DK_SAMPLE_VALUE : DK_SAMPLE_IMMATURE);
    }
}

/* A source without messages does not tell who replied: unknown, not a miss. */
static void measure_first_contact(const struct dk_measuring *measuring,
                                  const struct dk_case *walked)
{
    const struct dk_step *solve = walked->first_solve;
    if (solve == NULL) {
        return;
    }
    int64_t ripe_us = days_after(solve, settings_of(measuring, solve).repeat_contact_days);
    bool replied = walked->first[DK_FIRST_REPLY] != NULL;
    bool one = replied && (walked->facts->flags & DK_FACTS_REPLIED_AGAIN) == 0;
    for (size_t i = 0; i < walked->steps; i++) {
        const struct dk_step *step = &walked->facts->step[i];
        bool repeats = (step->what & DK_STEP_REPEATED) != 0;
        one = one && !(repeats && step->at_us >= solve->at_us && step->at_us < ripe_us);
    }
    dk_measure_say(measuring, walked, DK_MEASURE_FIRST_CONTACT, solve, one && walked->reopens == 0,
                   !replied && dk_ticket_historical(walked->life) ? DK_SAMPLE_UNKNOWN
                   : ripe_us > measuring->rule.now_us             ? DK_SAMPLE_IMMATURE
                                                                  : DK_SAMPLE_VALUE);
}

static void measure_ended_share(const struct dk_measuring *measuring, const struct dk_case *walked,
                                enum dk_measure measure)
{
    unsigned known = walked->lines & ~1u;
    if (walked->last_end == NULL) {
        return;
    }
    if (measure == DK_MEASURE_ESCALATION_RATE) {
        dk_measure_say(measuring, walked, measure, walked->last_end, walked->escalations > 0,
                       DK_SAMPLE_VALUE);
    } else if (measure == DK_MEASURE_RESPONSE_RATE) {
        dk_measure_say(measuring, walked, measure, walked->last_end, walked->rated,
                       DK_SAMPLE_VALUE);
    } else {
        dk_measure_say(measuring, walked, measure, walked->last_end, known == 1u << 1,
                       known == 0 ? DK_SAMPLE_UNKNOWN : DK_SAMPLE_VALUE);
    }
}

/* A group that never had it forwards nothing. */
static void measure_pass_through(const struct dk_measuring *measuring, const struct dk_case *walked)
{
    uint64_t group = 0;
    for (size_t i = 0; i < walked->steps; i++) {
        const struct dk_step *step = &walked->facts->step[i];
        if ((step->what & DK_STEP_REASSIGNED) != 0 && group != 0) {
            dk_measure_say(measuring, walked, DK_MEASURE_PASS_THROUGH, step,
                           (step->what & DK_STEP_PASSED) != 0, DK_SAMPLE_VALUE);
        }
        group = (step->what & DK_STEP_LATE) == 0 ? step->group : group;
    }
}

/* Ripe once the ticket has ended since and may not be reopened any more. */
static void measure_fix(const struct dk_measuring *measuring, const struct dk_case *walked,
                        size_t fix)
{
    struct dk_step step = walked->facts->step[fix];
    const struct dk_step *end = dk_is_ended(step.status) ? &walked->facts->step[fix] : NULL;
    bool reopened = false;
    for (size_t i = fix + 1; i < walked->steps; i++) {
        const struct dk_step *later = &walked->facts->step[i];
        end = end == NULL && dk_is_ended(later->status) ? later : end;
        reopened = reopened || (later->what & DK_STEP_REOPENED) != 0;
    }
    bool ripe = end != NULL &&
                days_after(end, settings_of(measuring, end).reopen_days) <= measuring->rule.now_us;
    step.supplier = fix > 0 ? walked->facts->step[fix - 1].supplier : step.supplier;
    dk_measure_say(measuring, walked, DK_MEASURE_FIX_REOPENED, &step, reopened,
                   ripe ? DK_SAMPLE_VALUE : DK_SAMPLE_IMMATURE);
}

static void measure_fixes(const struct dk_measuring *measuring, const struct dk_case *walked)
{
    for (size_t i = 0; i < walked->steps; i++) {
        if ((walked->facts->step[i].what & DK_STEP_FIXED) != 0) {
            measure_fix(measuring, walked, i);
        }
    }
}

/* A customer's later rating of a ticket takes the place of the former. */
static void measure_ratings(const struct dk_measuring *measuring, const struct dk_case *walked,
                            enum dk_measure measure)
{
    const struct dk_step *last = NULL;
    for (size_t i = 0; i < walked->steps; i++) {
        const struct dk_step *step = &walked->facts->step[i];
        bool answers = measure == DK_MEASURE_CSAT ? step->csat != 0 : step->nps != 0;
        last = answers ? step : last;
    }
    if (last == NULL) {
        return;
    }
    int nps = last->nps - 1;
    int value = measure == DK_MEASURE_CSAT ? last->csat >= 4 : nps >= 9 ? 1 : nps <= 6 ? -1 : 0;
    dk_measure_say(measuring, walked, measure, last, value, DK_SAMPLE_VALUE);
}

static bool has_later_verdict(const struct dk_case *walked, size_t i)
{
    const struct dk_step *step = &walked->facts->step[i];
    for (size_t k = i + 1; k < walked->steps; k++) {
        const struct dk_step *later = &walked->facts->step[k];
        if ((later->what & DK_STEP_CLOCK) != 0 && later->metric == step->metric &&
            later->value == step->value) {
            return true;
        }
    }
    return false;
}

static void measure_clocks(const struct dk_measuring *measuring, const struct dk_case *walked,
                           enum dk_measure measure)
{
    unsigned metric =
        (unsigned)(measure - DK_MEASURE_SLA_FIRST_REPLY) + DOCKET__METRIC__METRIC_FIRST_REPLY;
    for (size_t i = 0; i < walked->steps; i++) {
        const struct dk_step *step = &walked->facts->step[i];
        if ((step->what & DK_STEP_CLOCK) == 0 || step->metric != metric ||
            has_later_verdict(walked, i)) {
            continue;
        }
        if (step->verdict == DOCKET__VERDICT__VERDICT_CANCELLED) {
            dk_measure_say(measuring, walked, measure, step, 0, DK_SAMPLE_CANCELLED);
        } else if (step->verdict == DOCKET__VERDICT__VERDICT_MET ||
                   step->verdict == DOCKET__VERDICT__VERDICT_BREACHED) {
            dk_measure_say(measuring, walked, measure, step,
                           step->verdict == DOCKET__VERDICT__VERDICT_MET, DK_SAMPLE_VALUE);
        }
    }
}

/* ---------------------------------------------------------------- logged time */

#define MERGES_MAX 64 /* one after the other; a circle ends here, too */

/* The ticket that this one is in now, walked into `other`: itself unless it was merged. */
static const struct dk_case *merged_case(const struct dk_measuring *measuring,
                                         const struct dk_case *walked, struct dk_case *other)
{
    uint64_t ticket = walked->ticket;
    const struct dk_facts *facts = walked->facts;
    size_t bytes = 0;
    for (int i = 0; i < MERGES_MAX && facts != NULL && facts->merged_into != 0; i++) {
        ticket = facts->merged_into;
        facts = dk_table_get(measuring->facts, ticket, &bytes);
    }
    if (ticket == walked->ticket || facts == NULL) {
        return walked; /* one at another site is counted where it was worked on */
    }
    dk_case_walk(other, ticket, dk_table_get(measuring->tickets, ticket, NULL), facts,
                 dk_facts_steps(bytes));
    return other;
}

/* The last step at or before an instant, else the first. */
static const struct dk_step *step_then(const struct dk_case *walked, int64_t at_us)
{
    const struct dk_step *found = &walked->facts->step[0];
    for (size_t i = 1; i < walked->steps; i++) {
        found = walked->facts->step[i].at_us <= at_us ? &walked->facts->step[i] : found;
    }
    return found;
}

static void measure_logged(const struct dk_measuring *measuring, const struct dk_case *walked)
{
    struct dk_case other;
    const struct dk_case *whose = NULL;
    for (size_t i = 0; i < walked->steps; i++) {
        const struct dk_step *step = &walked->facts->step[i];
        if ((step->what & DK_STEP_LOGGED) == 0) {
            continue;
        }
        whose = whose != NULL ? whose : merged_case(measuring, walked, &other);
        measuring->on_sample(measuring->arg, whose, DK_MEASURE_LOGGED,
                             whose == walked ? step : step_then(whose, step->at_us), step->at_us,
                             (int64_t)step->value * DK_SECOND_US, DK_SAMPLE_VALUE);
    }
}

/* ---------------------------------------------------------------- at an instant */

/* The last step that tells of `at_us` or before, in `*step`, with the status that the ticket had
 * then; false: it was not opened. Changes of status take effect in the log's order, none before the
 * one it follows; a solve of unknown instant ends nothing. */
static bool step_at(const struct dk_case *walked, int64_t at_us, struct dk_step *step)
{
    const struct dk_step *found = NULL, *turn = NULL;
    bool later = false; /* a change of status that came after `at_us` */
    for (size_t i = 0; i < walked->steps && walked->facts->step[0].at_us <= at_us; i++) {
        const struct dk_step *next = &walked->facts->step[i];
        const struct dk_step *before = i > 0 ? next - 1 : NULL;
        bool unknown = (next->what & DK_STEP_SOLVED) != 0 && (next->what & DK_STEP_UNKNOWN) != 0;
        bool turns =
            before == NULL || next->status != before->status || next->pending != before->pending;
        later = later || (turns && !unknown && next->at_us > at_us);
        turn = turns && !unknown && !later ? next : turn;
        found = next->at_us <= at_us && (next->what & DK_STEP_LATE) == 0 ? next : found;
    }
    if (found == NULL) {
        return false;
    }
    *step = *found;
    step->status = turn != NULL ? turn->status : DOCKET__STATUS__STATUS_NONE;
    step->pending = turn != NULL ? turn->pending : DOCKET__PENDING__PENDING_NONE;
    return true;
}

/* When the ticket ended for good as far as is known now; INT64_MAX: it has not. */
static int64_t final_us(const struct dk_case *walked, enum dk_measure measure)
{
    const struct dk_step *solve = walked->last_solve, *close = walked->last_close;
    bool closed = status_now(walked) == DOCKET__STATUS__STATUS_CLOSED && close != NULL;
    bool solved = walked->last_end != NULL && solve != NULL && (solve->what & DK_STEP_UNKNOWN) == 0;
    if (walked->merge != NULL) {
        return walked->merge->at_us;
    }
    if (measure == DK_MEASURE_BACKLOG_UNTIL_SOLVED && solved) {
        return solve->at_us;
    }
    return closed ? close->at_us : INT64_MAX;
}

static void measure_backlog(const struct dk_measuring *measuring, const struct dk_case *walked,
                            enum dk_measure measure)
{
    struct dk_step step;
    if (!step_at(walked, measuring->at_us, &step)) {
        return;
    }
    bool live = measure == DK_MEASURE_BACKLOG ? dk_is_live(step.status)
                                              : final_us(walked, measure) > measuring->at_us;
    if (live) {
        struct dk_stretch_sum sum = {0};
        dk_measure_add(&sum, measuring, walked, measure, walked->facts->step[0].at_us,
                       measuring->at_us);
        measuring->on_sample(measuring->arg, walked, measure, &step, measuring->at_us, sum.us,
                             sum.unknown ? DK_SAMPLE_UNKNOWN : DK_SAMPLE_VALUE);
    }
}

/* ---------------------------------------------------------------- all of them */

void dk_measure_case(const struct dk_measuring *measuring, const struct dk_case *walked,
                     enum dk_measure measure)
{
    bool closed = status_now(walked) == DOCKET__STATUS__STATUS_CLOSED;
    switch (measure) {
    case DK_MEASURE_FIRST_RESPONSE:
    case DK_MEASURE_FIRST_PUBLIC:
    case DK_MEASURE_FIRST_OWNER_REPLY:
        measure_since_opened(measuring, walked, measure,
                             walked->first[measure - DK_MEASURE_FIRST_RESPONSE], NULL);
        break;
    case DK_MEASURE_FIRST_REPLY: measure_first_reply(measuring, walked); break;
    case DK_MEASURE_NEXT_REPLY:
    case DK_MEASURE_UPDATE: dk_measure_replies(measuring, walked, measure); break;
    case DK_MEASURE_REQUESTER_WAIT:
    case DK_MEASURE_AGENT_WORK:
    case DK_MEASURE_NET_RESOLUTION: dk_measure_status(measuring, walked, measure); break;
    case DK_MEASURE_GROUP_OWNERSHIP: dk_measure_ownership(measuring, walked); break;
    case DK_MEASURE_SUPPLIER_HOLD: dk_measure_holds(measuring, walked); break;
    case DK_MEASURE_PASS_THROUGH: measure_pass_through(measuring, walked); break;
    case DK_MEASURE_FIX_REOPENED: measure_fixes(measuring, walked); break;
    case DK_MEASURE_FIRST_RESOLUTION:
        measure_since_opened(measuring, walked, measure, walked->first_solve, NULL);
        break;
    case DK_MEASURE_RESOLUTION:
        measure_since_opened(measuring, walked, measure,
                             walked->last_end != NULL ? walked->last_solve : NULL,
                             walked->last_end);
        break;
    case DK_MEASURE_CLOSURE:
        measure_since_opened(measuring, walked, measure, closed ? walked->last_close : NULL, NULL);
        break;
    case DK_MEASURE_LOGGED: measure_logged(measuring, walked); break;
    case DK_MEASURE_REOPEN_RATE: measure_reopen_rate(measuring, walked); break;
    case DK_MEASURE_FIRST_CONTACT: measure_first_contact(measuring, walked); break;
    case DK_MEASURE_FIRST_LINE:
    case DK_MEASURE_ESCALATION_RATE:
    case DK_MEASURE_RESPONSE_RATE: measure_ended_share(measuring, walked, measure); break;
    case DK_MEASURE_CSAT:
    case DK_MEASURE_NPS: measure_ratings(measuring, walked, measure); break;
    case DK_MEASURE_BACKLOG:
    case DK_MEASURE_BACKLOG_UNTIL_SOLVED:
    case DK_MEASURE_BACKLOG_UNTIL_CLOSED: measure_backlog(measuring, walked, measure); break;
    default:
        if (measure <= DK_MEASURE_MERGED) {
            measure_count(measuring, walked, measure);
        } else if (measure >= DK_MEASURE_SLA_FIRST_REPLY) {
            measure_clocks(measuring, walked, measure);
        } else {
            measure_number(measuring, walked, measure);
        }
    }
}
