#include "nodes/analytics/facts.h"
#include "proto/fold/transition.h"

/* A ticket's entry while an event is folded into it. */
struct entry {
    struct dk_table *table;
    uint64_t ticket;
    const struct dk_facts *facts; /* NULL: not opened */
    size_t steps;
};

static struct entry entry_of(struct dk_table *table, uint64_t ticket)
{
    struct entry entry = {.table = table, .ticket = ticket};
    size_t bytes;
    entry.facts = dk_table_get(table, ticket, &bytes);
    entry.steps = entry.facts != NULL ? dk_facts_steps(bytes) : 0;
    return entry;
}

/* The head to change, with room for `more` steps. */
static struct dk_facts *edit(struct entry *entry, size_t more)
{
    size_t steps = entry->steps + more;
    struct dk_facts *facts =
        dk_table_edit(entry->table, entry->ticket, sizeof *facts + steps * sizeof(struct dk_step));
    entry->facts = facts;
    entry->steps = steps;
    return facts;
}

static void add_step(struct entry *entry, const struct dk_step *step)
{
    struct dk_facts *facts = edit(entry, 1);
    facts->step[entry->steps - 1] = *step;
}

static bool is_ended(unsigned status)
{
    return status == DOCKET__STATUS__STATUS_SOLVED || status == DOCKET__STATUS__STATUS_CLOSED;
}

static bool values_differ(const struct dk_ticket *a, const struct dk_ticket *b)
{
    return a->group != b->group || a->owner != b->owner || a->line != b->line ||
           a->product != b->product || a->priority != b->priority || a->type != b->type ||
           a->customer != b->customer || a->supplier != b->supplier;
}

static struct dk_step step_of(const struct dk_event *event)
{
    const struct dk_ticket *after = event->after;
    return (struct dk_step){
        .at_us = event->envelope->occurred_us,
        .group = after->group,
        .agent = after->owner,
        .product = after->product,
        .customer = after->customer,
        .supplier = after->supplier,
        .status = after->status,
        .pending = after->pending,
        .line = after->line,
        .priority = after->priority,
        .type = after->type,
    };
}

/* ---------------------------------------------------------------- what a kind says */

static void take_opened(struct entry *entry, const struct dk_event *event)
{
    const Docket__Opened *opened = (const void *)event->body;
    struct dk_facts *facts = edit(entry, 0);
    facts->company = opened->company;
    facts->rules_us = event->envelope->occurred_us;
    facts->channel = (uint32_t)opened->channel;
    bool by_notes = dk_opened_by_notes(event->envelope, opened);
    facts->asked_us = by_notes ? INT64_MAX : event->envelope->occurred_us;
    facts->flags =
        (opened->has_group ? DK_FACTS_GROUP_STATED : 0u) | (by_notes ? DK_FACTS_BY_NOTES : 0u);
    for (size_t i = 0; i < DK_FIRST_COUNT; i++) {
        facts->first_us[i] = INT64_MAX;
    }
}

static void take_first(struct entry *entry, struct dk_step *step, enum dk_first first,
                       uint32_t what)
{
    if (step->at_us < entry->facts->first_us[first]) {
        edit(entry, 0)->first_us[first] = step->at_us;
        step->what |= what;
    }
}

/* Of a ticket that was opened by notes: a late one may be the first. */
static void take_question(struct entry *entry, int64_t at_us)
{
    if ((entry->facts->flags & DK_FACTS_BY_NOTES) != 0 && at_us < entry->facts->asked_us) {
        edit(entry, 0)->asked_us = at_us;
    }
}

/* A note or a reply of `at_us`: the group that had the ticket then has not passed it on unseen. */
static void take_spoken(struct entry *entry, int64_t at_us)
{
    for (size_t i = 0; i < entry->steps; i++) {
        const struct dk_step *step = &entry->facts->step[i];
        if ((step->what & DK_STEP_REASSIGNED) != 0 && step->at_us > at_us) {
            edit(entry, 0)->step[i].what &= ~(uint32_t)DK_STEP_PASSED;
            return;
        }
    }
    if ((entry->facts->flags & DK_FACTS_SPOKEN) == 0) {
        edit(entry, 0)->flags |= DK_FACTS_SPOKEN;
    }
}

static void take_message(struct entry *entry, struct dk_step *step, const struct dk_event *event)
{
    const Docket__MessagePublic *message = (const void *)event->body;
    unsigned actor = dk_id_class(event->envelope->actor);
    if (message->direction != DOCKET__DIRECTION__DIRECTION_OUTBOUND) {
        take_question(entry, step->at_us);
        step->what |= DK_STEP_ASKED;
        return;
    }
    take_first(entry, step, DK_FIRST_RESPONSE, DK_STEP_FIRST_RESPONSE);
    take_first(entry, step, DK_FIRST_PUBLIC, DK_STEP_FIRST_PUBLIC);
    if (message->automatic || actor == DK_ACTOR_NODE || actor == DK_ACTOR_BROKER) {
        return;
    }
    step->what |= DK_STEP_REPLIED;
    take_spoken(entry, step->at_us);
    if (entry->facts->first_us[DK_FIRST_REPLY] != INT64_MAX &&
        (entry->facts->flags & DK_FACTS_REPLIED_AGAIN) == 0) {
        edit(entry, 0)->flags |= DK_FACTS_REPLIED_AGAIN;
    }
    take_first(entry, step, DK_FIRST_REPLY, DK_STEP_FIRST_REPLY);
    if (actor == DK_ACTOR_AGENT &&
        dk_id_make(DK_SUBJECT_AGENT, event->envelope->actor) == event->before->owner) {
        take_first(entry, step, DK_FIRST_OWNER_REPLY, DK_STEP_FIRST_OWNER_REPLY);
    }
}

static void take_note(struct entry *entry, struct dk_step *step, uint64_t actor)
{
    unsigned cls = dk_id_class(actor);
    if (cls != DK_ACTOR_CUSTOMER) {
        take_first(entry, step, DK_FIRST_RESPONSE, DK_STEP_FIRST_RESPONSE);
    }
    if (cls != DK_ACTOR_CUSTOMER && cls != DK_ACTOR_NODE && cls != DK_ACTOR_BROKER) {
        take_spoken(entry, step->at_us);
    }
}

/* The instant that the source itself gives for a solve or a closing, or that none is known. */
static void take_final(struct dk_step *step, const Docket__StatusChanged *changed)
{
    if (!changed->has_final_us || !is_ended((unsigned)changed->status)) {
        return;
    }
    if (changed->final_us == 0) {
        step->what |= DK_STEP_UNKNOWN;
    } else {
        step->at_us = changed->final_us;
    }
}

static void take_rated(struct dk_step *step, const Docket__Rated *rated)
{
    step->what |= DK_STEP_RATED;
    step->csat = rated->has_csat ? (uint8_t)rated->csat : 0;
    step->nps = rated->has_nps ? (uint8_t)(rated->nps + 1) : 0;
}

static void take_returned(struct dk_step *step, const Docket__SupplierReturned *returned)
{
    step->what |= DK_STEP_RETURNED | (returned->fixed ? DK_STEP_FIXED : 0u);
}

/* As transition.h has it: instants before 1970 are no messages that wait. */
static void take_merged_from(struct dk_step *step, const Docket__MergedFrom *merged)
{
    if (merged->unanswered_since_us > 0) {
        step->what |= DK_STEP_BROUGHT;
        step->value = (uint64_t)merged->unanswered_since_us;
    }
}

/* ---------------------------------------------------------------- promises */

static Docket__PolicyType kind_of(unsigned metric)
{
    return metric == DOCKET__METRIC__METRIC_SUPPLIER          ? DOCKET__POLICY_TYPE__POLICY_UC
           : metric == DOCKET__METRIC__METRIC_GROUP_OWNERSHIP ? DOCKET__POLICY_TYPE__POLICY_OLA
                                                              : DOCKET__POLICY_TYPE__POLICY_SLA;
}

/* What counts for a metric at an instant: its own last one, else the first of its kind. NULL:
 * nothing was promised. */
static const struct dk_step *promise_at(const struct dk_facts *facts, size_t steps, unsigned metric,
                                        int64_t at_us, int64_t *next_us)
{
    const struct dk_step *found = NULL;
    *next_us = INT64_MAX;
    for (size_t i = 0; i < steps; i++) {
        const struct dk_step *step = &facts->step[i];
        if ((step->what & DK_STEP_PROMISED) == 0 || kind_of(step->metric) != kind_of(metric)) {
            continue;
        }
        bool later = found != NULL && step->at_us > at_us;
        if (step->metric == metric && later && step->at_us < *next_us) {
            *next_us = step->at_us;
        }
        found = found == NULL || (step->metric == metric && !later) ? step : found;
    }
    return found;
}

const struct dk_step *dk_facts_promise(const struct dk_facts *facts, size_t steps, unsigned metric,
                                       int64_t at_us, int64_t *next_us)
{
    bool own = (facts->flags & DK_FACTS_PROMISED(metric)) != 0;
    bool sla = kind_of(metric) == DOCKET__POLICY_TYPE__POLICY_SLA;
    return promise_at(facts, steps, own || !sla ? metric : DOCKET__METRIC__METRIC_RESOLUTION, at_us,
                      next_us);
}

static uint8_t pauses_of(const struct dk_refs *refs, const Docket__ClockStarted *started)
{
    const struct dk_refs_version *version =
        dk_refs_version_of(refs, started->policy, started->policy_version);
    unsigned pauses = 0;
    if (version == NULL || version->kind != DK_KIND_POLICY_DEFINED) {
        return 0;
    }
    const Docket__PolicyDefined *policy = (const void *)version->body;
    for (size_t i = 0; i < policy->n_pause; i++) {
        pauses |= policy->pause[i] <= DOCKET__PENDING__PENDING_INTERNAL
                      ? 1u << (unsigned)policy->pause[i]
                      : 0u;
    }
    return (uint8_t)pauses;
}

static void take_promise(struct entry *entry, struct dk_step *step, const struct dk_refs *refs,
                         const Docket__ClockStarted *started)
{
    unsigned metric = (unsigned)started->clock->metric;
    uint8_t pauses = pauses_of(refs, started);
    int64_t next_us;
    const struct dk_step *before =
        promise_at(entry->facts, entry->steps, metric, INT64_MAX, &next_us);
    bool differs = before == NULL || before->value != started->calendar || before->pauses != pauses;
    if (metric > DOCKET__METRIC__METRIC_SUPPLIER) {
        return; /* a newer writer's */
    }
    if ((entry->facts->flags & DK_FACTS_PROMISED(metric)) == 0) {
        edit(entry, 0)->flags |= DK_FACTS_PROMISED(metric);
    }
    if (differs) {
        step->what |= DK_STEP_PROMISED;
        step->metric = (uint8_t)metric;
        step->value = started->calendar;
        step->pauses = pauses;
    }
}

/* ---------------------------------------------------------------- clocks */

static const struct dk_step *clock_before(const struct entry *entry, const struct dk_step *step)
{
    for (size_t i = entry->steps; i > 0; i--) {
        const struct dk_step *earlier = &entry->facts->step[i - 1];
        if ((earlier->what & DK_STEP_CLOCK) != 0 && earlier->metric == step->metric &&
            earlier->value == step->value) {
            return earlier;
        }
    }
    return NULL;
}

/* A breach stands at its due (S12), and stands until it is corrected; a fulfilment at what brought
 * it about, and until the clock runs on (S9): `at_us`, 0 = the event does not say. A correction to
 * anything else stands where the verdict stood that it replaces. */
static void take_verdict(const struct entry *entry, struct dk_step *step,
                         const Docket__ClockRef *clock, Docket__Verdict verdict, int64_t at_us,
                         bool corrects)
{
    step->metric = (uint8_t)clock->metric;
    step->value = clock->instance;
    step->verdict = (uint8_t)verdict;
    const struct dk_step *before = clock_before(entry, step);
    unsigned was = before != NULL ? before->verdict : DOCKET__VERDICT__VERDICT_NONE;
    bool goes_on =
        verdict == DOCKET__VERDICT__VERDICT_RUNNING && was != DOCKET__VERDICT__VERDICT_MET;
    if (!corrects && (goes_on || was == DOCKET__VERDICT__VERDICT_BREACHED)) {
        return;
    }
    step->what |= DK_STEP_CLOCK;
    if (at_us != 0) {
        step->at_us = at_us;
    } else if (corrects && before != NULL) {
        step->at_us = before->at_us;
    }
}

static void take_corrected(const struct entry *entry, struct dk_step *step,
                           const Docket__ClockCorrected *corrected)
{
    int64_t at_us = 0;
    if (corrected->to == DOCKET__VERDICT__VERDICT_BREACHED && corrected->has_due_us) {
        at_us = corrected->due_us;
    } else if (corrected->to == DOCKET__VERDICT__VERDICT_MET && corrected->has_met_us) {
        at_us = corrected->met_us;
    }
    take_verdict(entry, step, corrected->clock, corrected->to, at_us, true);
}

static void take_clock(const struct entry *entry, struct dk_step *step,
                       const struct dk_event *event)
{
    const void *body = event->body;
    const Docket__ClockMet *met = body;
    const Docket__ClockBreached *breached = body;
    switch (event->envelope->kind) {
    case DK_KIND_CLOCK_RESUMED:
        take_verdict(entry, step, ((const Docket__ClockResumed *)body)->clock,
                     DOCKET__VERDICT__VERDICT_RUNNING, 0, false);
        break;
    case DK_KIND_CLOCK_MET:
        take_verdict(entry, step, met->clock, DOCKET__VERDICT__VERDICT_MET,
                     met->has_met_us ? met->met_us : 0, false);
        break;
    case DK_KIND_CLOCK_BREACHED:
        take_verdict(entry, step, breached->clock, DOCKET__VERDICT__VERDICT_BREACHED,
                     breached->due_us, false);
        break;
    case DK_KIND_CLOCK_CANCELLED:
        take_verdict(entry, step, ((const Docket__ClockCancelled *)body)->clock,
                     DOCKET__VERDICT__VERDICT_CANCELLED, 0, false);
        break;
    default: take_corrected(entry, step, body); break;
    }
}

/* ---------------------------------------------------------------- one event */

static void take_kind(struct entry *entry, struct dk_step *step, const struct dk_refs *refs,
                      const struct dk_event *event)
{
    const void *body = event->body;
    switch (event->envelope->kind) {
    case DK_KIND_OPENED: step->what |= DK_STEP_OPENED; break;
    case DK_KIND_MESSAGE_PUBLIC: take_message(entry, step, event); break;
    case DK_KIND_NOTE_ADDED: take_note(entry, step, event->envelope->actor); break;
    case DK_KIND_STATUS_CHANGED: take_final(step, body); break;
    case DK_KIND_ASSIGNED:
        step->what |= ((const Docket__Assigned *)body)->agent != 0 ? DK_STEP_ASSIGNED : 0u;
        break;
    case DK_KIND_HANDOVER_DECLARED: step->what |= DK_STEP_ASSIGNED; break;
    case DK_KIND_ESCALATED: step->what |= DK_STEP_ESCALATED; break;
    case DK_KIND_RATED: take_rated(step, body); break;
    case DK_KIND_TIME_LOGGED:
        step->what |= DK_STEP_LOGGED;
        step->value = ((const Docket__TimeLogged *)body)->seconds;
        break;
    case DK_KIND_MERGED_INTO:
        edit(entry, 0)->merged_into = ((const Docket__MergedInto *)body)->target;
        break;
    case DK_KIND_MERGED_FROM: take_merged_from(step, body); break;
    case DK_KIND_SUPPLIER_HANDED: step->what |= DK_STEP_HANDED; break;
    case DK_KIND_SUPPLIER_RETURNED: take_returned(step, body); break;
    case DK_KIND_ADOPTED: edit(entry, 0)->rules_us = step->at_us; break;
    case DK_KIND_CLOCK_STARTED: take_promise(entry, step, refs, body); break;
    case DK_KIND_CLOCK_RESUMED:
    case DK_KIND_CLOCK_MET:
    case DK_KIND_CLOCK_BREACHED:
    case DK_KIND_CLOCK_CANCELLED:
    case DK_KIND_CLOCK_CORRECTED: take_clock(entry, step, event); break;
    default: break;
    }
}

/* Another solve or closing: what was final about the one before is not any more. */
static void end_again(struct entry *entry, const struct dk_step *step, int64_t occurred_us)
{
    bool solves = (step->what & DK_STEP_SOLVED) != 0;
    uint32_t what = solves ? DK_STEP_SOLVED : DK_STEP_CLOSED;
    enum dk_ending ending = solves ? DK_ENDING_SOLVE : DK_ENDING_CLOSING;
    struct dk_facts *facts = edit(entry, 0);
    for (size_t i = entry->steps; i > 0; i--) {
        struct dk_step *earlier = &facts->step[i - 1];
        if ((earlier->what & what) != 0) {
            earlier->at_us = facts->occurred_us[ending];
            earlier->what &= ~(uint32_t)DK_STEP_UNKNOWN;
            break;
        }
    }
    facts->occurred_us[ending] = occurred_us;
}

static void take_status(struct entry *entry, struct dk_step *step, const struct dk_event *event)
{
    const struct dk_ticket *before = event->before, *after = event->after;
    if (before->status != after->status || event->envelope->kind == DK_KIND_STATUS_CHANGED) {
        step->what |= after->status == DOCKET__STATUS__STATUS_SOLVED   ? DK_STEP_SOLVED
                      : after->status == DOCKET__STATUS__STATUS_CLOSED ? DK_STEP_CLOSED
                      : after->status == DOCKET__STATUS__STATUS_MERGED ? DK_STEP_MERGED
                                                                       : 0u;
    }
    if ((step->what & (DK_STEP_SOLVED | DK_STEP_CLOSED)) != 0) {
        end_again(entry, step, event->envelope->occurred_us);
    }
    if (is_ended(before->status) && dk_ticket_live(after)) {
        step->what |= DK_STEP_REOPENED;
    }
}

/* A routing states a group even where it is the one that was not known before. */
static void take_group(struct entry *entry, struct dk_step *step, const struct dk_event *event)
{
    bool changes = event->before->group != event->after->group;
    bool stated = (entry->facts->flags & DK_FACTS_GROUP_STATED) != 0;
    bool spoken = (entry->facts->flags & DK_FACTS_SPOKEN) != 0;
    if (changes && stated) {
        step->what |= DK_STEP_REASSIGNED;
        step->what |= event->before->group != 0 && !spoken ? DK_STEP_PASSED : 0u;
    } else if (!stated && (changes || event->envelope->kind == DK_KIND_ROUTED)) {
        edit(entry, 0)->flags |= DK_FACTS_GROUP_STATED;
    }
    if (changes && spoken) {
        edit(entry, 0)->flags &= ~(uint32_t)DK_FACTS_SPOKEN;
    }
}

/* What is recorded late and changes none of the values belongs to those of its own instant: a
 * breach that is noticed, or a reply that comes in, after the ticket went to another group.
 * Imported events keep their source's order. A group or a supplier that kept its promise did so by
 * giving the ticket away: its values are those before that instant. */
static void take_values_then(const struct entry *entry, struct dk_step *step)
{
    bool gave = (step->what & DK_STEP_CLOCK) != 0 &&
                step->metric >= DOCKET__METRIC__METRIC_GROUP_OWNERSHIP &&
                step->verdict == DOCKET__VERDICT__VERDICT_MET;
    int64_t until_us = gave ? step->at_us - 1 : step->at_us;
    const struct dk_step *then = NULL;
    bool late = false;
    for (size_t i = entry->steps; i > 0 && (then == NULL || then->at_us > until_us); i--) {
        const struct dk_step *earlier = &entry->facts->step[i - 1];
        if ((earlier->what & DK_STEP_LATE) == 0) {
            late = then != NULL;
            then = earlier;
        }
    }
    if (late) {
        step->what |= DK_STEP_LATE;
        step->group = then->group;
        step->agent = then->agent;
        step->product = then->product;
        step->customer = then->customer;
        step->supplier = then->supplier;
        step->line = then->line;
        step->priority = then->priority;
        step->type = then->type;
    }
}

/* On the ticket that this one repeats. */
static void mark_repeated(struct dk_table *facts, uint64_t repeated, int64_t at_us)
{
    struct entry entry = entry_of(facts, repeated);
    if (entry.facts == NULL) {
        return;
    }
    struct dk_step step = entry.facts->step[entry.steps - 1];
    step.at_us = at_us;
    step.what = DK_STEP_REPEATED | (step.what & DK_STEP_LATE);
    step.value = 0;
    step.metric = step.verdict = step.csat = step.nps = step.pauses = 0;
    add_step(&entry, &step);
}

void dk_facts_apply(struct dk_table *facts, const struct dk_refs *refs,
                    const struct dk_event *event)
{
    const struct dk_envelope *envelope = event->envelope;
    const Docket__Opened *opened = (const void *)event->body;
    const Docket__RepeatNoted *noted = (const void *)event->body;
    if (event->after == NULL || event->body == NULL) {
        return;
    }
    if (envelope->kind == DK_KIND_REPEAT_NOTED) {
        mark_repeated(facts, noted->repeat_of, event->after->opened_us);
        return;
    }
    struct entry entry = entry_of(facts, envelope->subject);
    if (entry.facts == NULL && envelope->kind == DK_KIND_OPENED) {
        if (opened->repeat_of != 0) {
            mark_repeated(facts, opened->repeat_of, envelope->occurred_us);
        }
        take_opened(&entry, event);
    } else if (entry.facts == NULL || envelope->kind == DK_KIND_OPENED) {
        return;
    }
    struct dk_step step = step_of(event);
    take_kind(&entry, &step, refs, event);
    take_status(&entry, &step, event);
    if (envelope->kind != DK_KIND_OPENED) {
        take_group(&entry, &step, event);
    }
    bool changes = values_differ(event->before, event->after);
    if (step.what != 0 && !changes && (envelope->flags & DOCKET__EVENT_FLAG__FLAG_IMPORTED) == 0) {
        take_values_then(&entry, &step);
    }
    bool turns = event->before->status != event->after->status ||
                 event->before->pending != event->after->pending;
    if (step.what != 0 || changes || turns) {
        add_step(&entry, &step);
    }
}
