#include "replay/whatif/tally.h"
#include "nodes/runtime/answer.h"
#include "nodes/sla/breaches.h"
#include "nodes/sla/credits.h"
#include "proto/base/time.h"

void dk_tally_init(struct dk_tally *tally, const struct dk_whatif *whatif)
{
    *tally = (struct dk_tally){.whatif = whatif, .newly = json_array()};
    dk_sums_init(&tally->lines, sizeof(struct dk_tally_line), DK_TALLY_LINES_MAX);
    dk_sums_init(&tally->credits, sizeof(struct dk_tally_credit), DK_TALLY_LINES_MAX);
}

void dk_tally_close(struct dk_tally *tally)
{
    dk_sums_close(&tally->lines);
    dk_sums_close(&tally->credits);
    json_decref(tally->newly);
}

static int too_many(struct dk_err *err)
{
    return dk_err_field(err, DK_ETOOBIG, "by", "more than %zu lines: ask for less at once",
                        DK_TALLY_LINES_MAX);
}

/* ---------------------------------------------------------------- which clocks */

/* When a clock counts: by its outcome as it was, else as it would have been. */
static int64_t instant_of(const struct dk_judged *pair)
{
    int64_t before_us = dk_outcome_us(pair->before);
    return before_us != INT64_MAX ? before_us : dk_outcome_us(pair->after);
}

static bool in_range(const struct dk_kpi_query *query, int64_t at_us)
{
    return at_us >= query->from_us && (query->to_us == INT64_MAX || at_us < query->to_us);
}

/* The ticket's last values, as analytics' dimensions are asked of. */
struct values {
    struct dk_step step;
    struct dk_facts facts; /* without steps of its own */
};

static struct values values_of(const struct dk_clocks *clocks, const struct dk_refs *refs)
{
    const struct dk_traits *traits = &clocks->traits;
    return (struct values){
        .facts = {.company = dk_traits_company(traits, refs, clocks->since_us),
                  .channel = traits->channel},
        .step = {.group = traits->group,
                 .product = traits->product,
                 .priority = traits->priority,
                 .type = traits->type},
    };
}

static uint64_t value_of(const struct dk_tally *tally, enum dk_dim dim, uint64_t ticket,
                         const struct values *values, int64_t at_us)
{
    bool never = dim >= DK_DIM_FIRST_TIME && at_us == INT64_MAX;
    struct dk_dim_view view = {.refs = tally->whatif->promises->before,
                               .zone = tally->whatif->query->zone};
    return never ? 0 : dk_dim_value(&view, dim, ticket, &values->facts, &values->step, at_us);
}

static bool passes(const struct dk_tally *tally, uint64_t ticket, const struct values *values,
                   int64_t since_us)
{
    const struct dk_kpi_query *query = tally->whatif->query;
    for (unsigned dim = 0; dim < DK_DIM_FIRST_TIME; dim++) {
        if (query->filter[dim].count > 0 &&
            !dk_filter_passes(&query->filter[dim], dim, value_of(tally, dim, ticket, values, 0),
                              tally->whatif->promises->before, since_us)) {
            return false;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- credits */

static int price(struct dk_tally *tally, enum dk_side side, const struct dk_clock *clock,
                 struct dk_err *err)
{
    const struct dk_promises *promises = tally->whatif->promises;
    const struct dk_refs *refs = side == DK_BEFORE ? promises->before : promises->after;
    const struct dk_refs_version *terms = NULL;
    struct dk_civil civil;
    uint64_t units;
    bool capped;
    if (dk_outcome_of(clock) != DK_OUTCOME_BREACHED || clock->ended_us == 0) {
        return 0;
    }
    const struct dk_breach breach = {.ended_us = clock->ended_us,
                                     .contract = clock->contract,
                                     .metric = (uint8_t)clock->metric,
                                     .priority = (uint8_t)clock->priority};
    const Docket__Penalty *penalty = dk_breach_penalty(refs, &breach, &terms);
    if (penalty == NULL || !in_range(tally->whatif->query, clock->ended_us)) {
        return 0;
    }
    dk_zone_to_civil(tally->whatif->query->zone, clock->ended_us, &civil, NULL);
    const uint64_t key[DK_SUM_KEY] = {(uint64_t)(civil.year * 12 + civil.month - 1),
                                      clock->contract};
    struct dk_tally_credit *credit = dk_sums_of(&tally->credits, key);
    if (credit == NULL) {
        return too_many(err);
    }
    uint64_t minor = dk_credit_minor(penalty, clock->overrun_us, &units, &capped);
    uint64_t room = (uint64_t)INT64_MAX - credit->minor[side];
    credit->minor[side] += minor < room ? minor : room;
    credit->terms = terms;
    return 0;
}

/* ---------------------------------------------------------------- clocks */

static json_t *clock_json(const struct dk_clock *clock)
{
    return clock == NULL
               ? json_null()
               : json_pack("{s:I, s:s, s:o, s:o}", "instance", (json_int_t)clock->instance,
                           "outcome", dk_outcome_word(dk_outcome_of(clock)), "due",
                           dk_answer_instant(clock->due_us), "ended",
                           dk_answer_instant(clock->ended_us));
}

static void list(struct dk_tally *tally, uint64_t ticket, const struct dk_judged *pair)
{
    const struct dk_clock *clock = pair->after != NULL ? pair->after : pair->before;
    if (json_array_size(tally->newly) >= tally->whatif->limit) {
        tally->left_out++;
        return;
    }
    json_array_append_new(
        tally->newly,
        json_pack("{s:o, s:o, s:o, s:o}", "ticket", dk_answer_id(ticket), "metric",
                  dk_answer_word(&docket__metric__descriptor, (unsigned)clock->metric), "before",
                  clock_json(pair->before), "after", clock_json(pair->after)));
}

/* What a ticket's clocks have in common with each other. */
struct seen {
    bool differs, met, breached;
};

static int add_pair(struct dk_tally *tally, uint64_t ticket, const struct values *values,
                    const struct dk_judged *pair, struct seen *seen, struct dk_err *err)
{
    const struct dk_kpi_query *query = tally->whatif->query;
    const struct dk_clock *clock = pair->before != NULL ? pair->before : pair->after;
    enum dk_outcome before = dk_outcome_of(pair->before), after = dk_outcome_of(pair->after);
    int64_t at_us = instant_of(pair);
    uint64_t key[DK_SUM_KEY] = {(uint64_t)clock->metric};
    bool met = after == DK_OUTCOME_MET && before != DK_OUTCOME_MET;
    bool breached = after == DK_OUTCOME_BREACHED && before != DK_OUTCOME_BREACHED;
    bool differs = dk_judged_differs(pair);
    if (!in_range(query, at_us)) {
        return 0;
    }
    for (size_t i = 0; i < query->by_count; i++) {
        key[1 + i] = value_of(tally, query->by[i], ticket, values, at_us);
    }
    struct dk_tally_line *line = dk_sums_of(&tally->lines, key);
    if (line == NULL) {
        return too_many(err);
    }
    line->outcome[DK_BEFORE][before]++;
    line->outcome[DK_AFTER][after]++;
    line->newly_met += met;
    line->newly_breached += breached;
    line->differ += differs;
    seen->met = seen->met || met;
    seen->breached = seen->breached || breached;
    seen->differs = seen->differs || differs;
    if (met || breached) {
        list(tally, ticket, pair);
    }
    return 0;
}

int dk_tally_add(struct dk_tally *tally, uint64_t ticket, const struct dk_judgement *judgement,
                 struct dk_err *err)
{
    const struct dk_clocks *clocks = &judgement->before;
    struct values values = values_of(clocks, tally->whatif->promises->before);
    struct seen seen = {0};
    int rc = 0;
    if (!passes(tally, ticket, &values, clocks->since_us)) {
        return 0;
    }
    for (size_t i = 0; rc == 0 && i < judgement->count; i++) {
        const struct dk_judged *pair = &judgement->pair[i];
        rc = add_pair(tally, ticket, &values, pair, &seen, err);
        rc = rc != 0 ? rc : price(tally, DK_BEFORE, pair->before, err);
        rc = rc != 0 ? rc : price(tally, DK_AFTER, pair->after, err);
    }
    tally->judged++;
    tally->differ += seen.differs;
    tally->newly_met += seen.met;
    tally->newly_breached += seen.breached;
    return rc;
}
