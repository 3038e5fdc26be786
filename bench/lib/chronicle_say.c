#include "bench/lib/chronicle_internal.h"
#include <string.h>

/* ---------------------------------------------------------------- texts */

struct text {
    Docket__Text text;
    size_t bytes;
};

/* Words of about `mean` bytes, at least ten. */
static struct text make_text(struct dk_chronicle *h, int64_t mean)
{
    size_t bytes = 10 + (size_t)dk_chronicle_exponential(h, mean - 10);
    bytes = bytes < CHRONICLE_TEXT_BYTES ? bytes : CHRONICLE_TEXT_BYTES;
    size_t at = dk_chronicle_below(h, CHRONICLE_WORDS_BYTES - bytes);
    struct text made = {.text = DOCKET__TEXT__INIT, .bytes = bytes};
    made.text.has_plain = 1;
    made.text.plain = (ProtobufCBinaryData){bytes, (uint8_t *)&h->words[at]};
    return made;
}

/* ---------------------------------------------------------------- who says it */

static uint64_t actor_of(const struct dk_chronicle *h, const struct dk_chronicle_ticket *t,
                         enum dk_chronicle_who who)
{
    switch (who) {
    case BY_OWNER: return dk_id_make(DK_ACTOR_AGENT, t->owner);
    case BY_CUSTOMER: return dk_id_make(DK_ACTOR_CUSTOMER, h->customer[t->customer]);
    case BY_ROUTING: return dk_id_make(DK_ACTOR_NODE, DK_ROLE_ROUTING);
    case BY_SLA: return dk_id_make(DK_ACTOR_NODE, DK_ROLE_SLA);
    default: return dk_id_make(DK_ACTOR_OPERATOR, 1);
    }
}

static void say(struct dk_chronicle *h, struct dk_chronicle_ticket *t, enum dk_chronicle_who who,
                uint32_t kind, const void *body)
{
    struct dk_chronicle_event event = {
        .subject = t->id, .actor = actor_of(h, t, who), .kind = kind, .body = body};
    dk_chronicle_record(h, t, &event);
}

/* What a node decided rests on all that was there, and answers the ticket's last event. */
static Docket__Decision decide(const struct dk_chronicle *h, const struct dk_chronicle_ticket *t)
{
    Docket__Decision decision = DOCKET__DECISION__INIT;
    decision.basis = h->position;
    decision.cause = t->previous;
    decision.rule_version = 1;
    return decision;
}

/* ---------------------------------------------------------------- people */

void dk_chronicle_say_opened(struct dk_chronicle *h, struct dk_chronicle_ticket *t, unsigned type)
{
    static const char *const languages[] = {"en", "en", "de", "fr", "es"};
    Docket__Opened opened = DOCKET__OPENED__INIT;
    struct text subject = make_text(h, 45), message = make_text(h, 170);
    const char *language = languages[t->customer % 5];
    bool by_agent = t->channel == DOCKET__CHANNEL__CHANNEL_PHONE ||
                    t->channel == DOCKET__CHANNEL__CHANNEL_ON_BEHALF;
    size_t desk = dk_chronicle_route(t->product, 1) + CHRONICLE_GROUPS * dk_chronicle_below(h, 10);
    opened.has_customer = opened.has_company = opened.has_product = 1;
    opened.customer = h->customer[t->customer];
    opened.company = h->company[t->customer % CHRONICLE_COMPANIES];
    opened.product = h->product[t->product];
    opened.has_channel = opened.has_type = opened.has_priority = opened.has_language = 1;
    opened.channel = (Docket__Channel)t->channel;
    opened.type = (Docket__TicketType)type;
    opened.priority = (Docket__Priority)t->priority;
    opened.language = (ProtobufCBinaryData){2, (uint8_t *)(uintptr_t)language};
    opened.subject = &subject.text;
    opened.message = by_agent ? NULL : &message.text;
    struct dk_chronicle_event event = {
        .subject = t->id,
        .actor =
            by_agent ? dk_id_make(DK_ACTOR_AGENT, h->agent[desk]) : actor_of(h, t, BY_CUSTOMER),
        .kind = DK_KIND_OPENED,
        .body = &opened,
    };
    dk_chronicle_record(h, t, &event);
    t->status = DOCKET__STATUS__STATUS_NEW;
}

void dk_chronicle_say_classified(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    Docket__Classified classified = DOCKET__CLASSIFIED__INIT;
    if (dk_chronicle_chance(h, 600)) {
        t->priority = (uint8_t)(1 + dk_chronicle_below(h, 4));
        classified.has_priority = 1;
        classified.priority = (Docket__Priority)t->priority;
    } else if (dk_chronicle_chance(h, 500)) {
        t->product = dk_chronicle_below(h, CHRONICLE_PRODUCTS);
        classified.has_product = 1;
        classified.product = h->product[t->product];
    } else {
        classified.has_type = 1;
        classified.type = (Docket__TicketType)(1 + dk_chronicle_below(h, 6));
    }
    say(h, t, BY_OWNER, DK_KIND_CLASSIFIED, &classified);
}

static void say_message(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                        enum dk_chronicle_who who, Docket__MessagePublic *message, int64_t mean,
                        int64_t occurred_us)
{
    struct text text = make_text(h, mean);
    message->text = &text.text;
    message->has_channel = 1;
    message->channel = (Docket__Channel)t->channel;
    struct dk_chronicle_event event = {.subject = t->id,
                                       .actor = actor_of(h, t, who),
                                       .kind = DK_KIND_MESSAGE_PUBLIC,
                                       .body = message,
                                       .occurred_us = occurred_us};
    dk_chronicle_record(h, t, &event);
}

void dk_chronicle_say_reply(struct dk_chronicle *h, struct dk_chronicle_ticket *t, bool question,
                            int64_t late_us)
{
    Docket__MessagePublic message = DOCKET__MESSAGE_PUBLIC__INIT;
    message.direction = DOCKET__DIRECTION__DIRECTION_OUTBOUND;
    message.has_question = question;
    message.question = question;
    t->speaker = t->owner;
    say_message(h, t, BY_OWNER, &message, 215, late_us > 0 ? h->now_us - late_us : 0);
}

void dk_chronicle_say_receipt(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    Docket__MessagePublic message = DOCKET__MESSAGE_PUBLIC__INIT;
    message.direction = DOCKET__DIRECTION__DIRECTION_OUTBOUND;
    message.has_automatic = message.automatic = 1;
    say_message(h, t, BY_GATE, &message, 90, 0);
}

/* It reopens what waits for the customer, and what is solved (S11). */
void dk_chronicle_say_question(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    Docket__MessagePublic message = DOCKET__MESSAGE_PUBLIC__INIT;
    message.direction = DOCKET__DIRECTION__DIRECTION_INBOUND;
    if (t->status == DOCKET__STATUS__STATUS_SOLVED ||
        t->pending == DOCKET__PENDING__PENDING_CUSTOMER) {
        t->status = DOCKET__STATUS__STATUS_OPEN;
        t->pending = 0;
    }
    say_message(h, t, BY_CUSTOMER, &message, 150, 0);
}

void dk_chronicle_say_note(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;
    struct text text = make_text(h, 150);
    note.text = &text.text;
    say(h, t, BY_OWNER, DK_KIND_NOTE_ADDED, &note);
}

void dk_chronicle_say_time(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    Docket__TimeLogged logged = DOCKET__TIME_LOGGED__INIT;
    logged.seconds = 60 * (1 + (uint32_t)dk_chronicle_exponential(h, 25));
    logged.has_billable = 1;
    logged.billable = dk_chronicle_chance(h, 300);
    say(h, t, BY_OWNER, DK_KIND_TIME_LOGGED, &logged);
}

void dk_chronicle_say_attachment(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    Docket__AttachmentAdded added = DOCKET__ATTACHMENT_ADDED__INIT;
    uint64_t hash[4] = {test_random_next(&h->random), test_random_next(&h->random),
                        test_random_next(&h->random), test_random_next(&h->random)};
    added.sha256 = (ProtobufCBinaryData){sizeof hash, (uint8_t *)hash};
    added.size_bytes = 1000 + (uint64_t)dk_chronicle_exponential(h, 200000);
    say(h, t, BY_CUSTOMER, DK_KIND_ATTACHMENT_ADDED, &added);
}

void dk_chronicle_say_status(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                             enum dk_chronicle_who who, Docket__Status status,
                             Docket__Pending pending)
{
    Docket__StatusChanged changed = DOCKET__STATUS_CHANGED__INIT;
    changed.status = status;
    changed.has_pending = status == DOCKET__STATUS__STATUS_PENDING;
    changed.pending = pending;
    t->status = (uint8_t)status;
    t->pending = (uint8_t)pending;
    say(h, t, who, DK_KIND_STATUS_CHANGED, &changed);
}

void dk_chronicle_say_checklist(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    Docket__ChecklistAnswered answered = DOCKET__CHECKLIST_ANSWERED__INIT;
    answered.understood = answered.standard_steps_tried = answered.known_fixes_tried = 1;
    answered.said_in_product_terms = answered.data_collected = 1;
    answered.workaround_given = dk_chronicle_chance(h, 400);
    say(h, t, BY_OWNER, DK_KIND_CHECKLIST_ANSWERED, &answered);
}

void dk_chronicle_say_escalated(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                                unsigned group, bool bypass)
{
    Docket__Escalated escalated = DOCKET__ESCALATED__INIT;
    uint64_t actor = actor_of(h, t, BY_OWNER);
    escalated.type = DOCKET__ESCALATION_TYPE__ESCALATION_FUNCTIONAL;
    escalated.has_to_line = escalated.has_to_group = 1;
    escalated.to_line = h->group[group].line;
    escalated.to_group = h->group[group].id;
    escalated.has_critical_bypass = escalated.critical_bypass = bypass;
    t->group = group + 1;
    t->line = (uint8_t)h->group[group].line;
    t->owner = t->returns_to = 0;
    struct dk_chronicle_event event = {
        .subject = t->id, .actor = actor, .kind = DK_KIND_ESCALATED, .body = &escalated};
    dk_chronicle_record(h, t, &event);
}

void dk_chronicle_say_handover(struct dk_chronicle *h, struct dk_chronicle_ticket *t, uint64_t to,
                               uint64_t from, Docket__HandoverTerm term,
                               Docket__HandoverReason reason)
{
    Docket__HandoverDeclared declared = DOCKET__HANDOVER_DECLARED__INIT;
    uint64_t actor = dk_id_make(DK_ACTOR_AGENT, from);
    declared.agent = to;
    declared.term = term;
    declared.reason = reason;
    declared.has_from_agent = 1;
    declared.from_agent = from;
    t->returns_to = term == DOCKET__HANDOVER_TERM__HANDOVER_TEMPORARY &&
                            reason != DOCKET__HANDOVER_REASON__HANDOVER_RETURN
                        ? from
                        : 0;
    t->owner = t->speaker = to;
    struct dk_chronicle_event event = {
        .subject = t->id, .actor = actor, .kind = DK_KIND_HANDOVER_DECLARED, .body = &declared};
    dk_chronicle_record(h, t, &event);
}

void dk_chronicle_say_supplier(struct dk_chronicle *h, struct dk_chronicle_ticket *t, bool handed)
{
    Docket__SupplierHanded to = DOCKET__SUPPLIER_HANDED__INIT;
    Docket__SupplierReturned back = DOCKET__SUPPLIER_RETURNED__INIT;
    to.supplier = back.supplier = h->supplier;
    back.has_fixed = 1;
    back.fixed = dk_chronicle_chance(h, 800);
    say(h, t, BY_OWNER, handed ? DK_KIND_SUPPLIER_HANDED : DK_KIND_SUPPLIER_RETURNED,
        handed ? (const void *)&to : &back);
}

/* Two events that belong together, by the owner of the first. */
void dk_chronicle_say_merged(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                             struct dk_chronicle_ticket *target)
{
    Docket__MergedInto into = DOCKET__MERGED_INTO__INIT;
    Docket__MergedFrom from = DOCKET__MERGED_FROM__INIT;
    uint64_t actor = actor_of(h, t, BY_OWNER);
    into.target = target->id;
    from.source_ticket = t->id;
    t->status = DOCKET__STATUS__STATUS_MERGED;
    struct dk_chronicle_event event = {.subject = t->id,
                                       .actor = actor,
                                       .kind = DK_KIND_MERGED_INTO,
                                       .flags = DOCKET__EVENT_FLAG__FLAG_MORE,
                                       .body = &into};
    dk_chronicle_record(h, t, &event);
    event = (struct dk_chronicle_event){
        .subject = target->id, .actor = actor, .kind = DK_KIND_MERGED_FROM, .body = &from};
    dk_chronicle_record(h, target, &event);
}

void dk_chronicle_say_rated(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    Docket__Rated rated = DOCKET__RATED__INIT;
    struct text comment = make_text(h, 60);
    rated.has_csat = 1;
    rated.csat = dk_chronicle_chance(h, 780) ? 4 + (uint32_t)dk_chronicle_below(h, 2)
                                             : 1 + (uint32_t)dk_chronicle_below(h, 3);
    rated.has_nps = dk_chronicle_chance(h, 500);
    rated.nps = rated.csat >= 4 ? 7 + (uint32_t)dk_chronicle_below(h, 4)
                                : (uint32_t)dk_chronicle_below(h, 8);
    rated.comment = dk_chronicle_chance(h, 300) ? &comment.text : NULL;
    say(h, t, BY_CUSTOMER, DK_KIND_RATED, &rated);
}

/* ---------------------------------------------------------------- nodes */

void dk_chronicle_say_repeated(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    Docket__RepeatNoted noted = DOCKET__REPEAT_NOTED__INIT;
    Docket__Decision decision = decide(h, t);
    noted.decision = &decision;
    noted.repeat_of = t->repeats;
    say(h, t, BY_ROUTING, DK_KIND_REPEAT_NOTED, &noted);
}

/* To its group, which is set already. */
void dk_chronicle_say_routed(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                             enum dk_chronicle_who who)
{
    Docket__Routed routed = DOCKET__ROUTED__INIT;
    Docket__Decision decision = decide(h, t);
    uint64_t actor = actor_of(h, t, who);
    const struct dk_chronicle_group *group = &h->group[t->group - 1];
    routed.decision = who == BY_ROUTING ? &decision : NULL;
    routed.line = group->line;
    routed.group = group->id;
    routed.has_reason = 1;
    routed.reason = who == BY_ROUTING ? DOCKET__ROUTE_REASON__ROUTE_CATALOGUE
                                      : DOCKET__ROUTE_REASON__ROUTE_MANUAL;
    routed.has_product = who == BY_ROUTING;
    routed.product = h->product[t->product];
    t->line = (uint8_t)group->line;
    t->owner = t->returns_to = 0;
    struct dk_chronicle_event event = {
        .subject = t->id, .actor = actor, .kind = DK_KIND_ROUTED, .body = &routed};
    dk_chronicle_record(h, t, &event);
}

void dk_chronicle_say_assigned(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    Docket__Assigned assigned = DOCKET__ASSIGNED__INIT;
    Docket__Decision decision = decide(h, t);
    Docket__Candidate candidate = DOCKET__CANDIDATE__INIT, *candidates = &candidate;
    assigned.decision = &decision;
    assigned.agent = t->owner;
    assigned.has_weight = assigned.has_judged_us = 1;
    assigned.weight = 1;
    assigned.judged_us = h->now_us;
    candidate.agent = t->owner;
    candidate.spare_permille = (uint32_t)dk_chronicle_below(h, 1000);
    candidate.idle_since_us = h->now_us - dk_chronicle_exponential(h, DK_HOUR_US);
    assigned.n_candidate = 1;
    assigned.candidate = &candidates;
    say(h, t, BY_ROUTING, DK_KIND_ASSIGNED, &assigned);
}

void dk_chronicle_say_auto(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                           Docket__Status status)
{
    Docket__AutoSolved solved = DOCKET__AUTO_SOLVED__INIT;
    Docket__AutoClosed closed = DOCKET__AUTO_CLOSED__INIT;
    Docket__Decision decision = decide(h, t);
    bool solves = status == DOCKET__STATUS__STATUS_SOLVED;
    solved.decision = closed.decision = &decision;
    solved.due_us = closed.due_us = h->now_us;
    t->status = (uint8_t)status;
    t->pending = 0;
    say(h, t, BY_SLA, solves ? DK_KIND_AUTO_SOLVED : DK_KIND_AUTO_CLOSED,
        solves ? (const void *)&solved : &closed);
}

static Docket__ClockRef clock_of(enum dk_chronicle_metric metric)
{
    Docket__ClockRef clock = DOCKET__CLOCK_REF__INIT;
    clock.metric = metric == CHRONICLE_FIRST_REPLY ? DOCKET__METRIC__METRIC_FIRST_REPLY
                                                   : DOCKET__METRIC__METRIC_RESOLUTION;
    clock.instance = 1;
    return clock;
}

void dk_chronicle_say_clock_started(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                                    enum dk_chronicle_metric metric)
{
    Docket__ClockStarted started = DOCKET__CLOCK_STARTED__INIT;
    Docket__ClockRef clock = clock_of(metric);
    Docket__Decision decision = decide(h, t);
    started.decision = &decision;
    started.clock = &clock;
    started.due_us = t->clock[metric].due_us;
    started.target_us = (uint64_t)t->clock[metric].target_us;
    started.policy = h->policy;
    started.policy_version = 1;
    started.calendar = h->always;
    started.calendar_version = 1;
    started.has_priority = 1;
    started.priority = (Docket__Priority)t->priority;
    say(h, t, BY_SLA, DK_KIND_CLOCK_STARTED, &started);
}

void dk_chronicle_say_clock_met(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                                enum dk_chronicle_metric metric)
{
    Docket__ClockMet met = DOCKET__CLOCK_MET__INIT;
    Docket__ClockRef clock = clock_of(metric);
    Docket__Decision decision = decide(h, t);
    met.decision = &decision;
    met.clock = &clock;
    met.due_us = t->clock[metric].due_us;
    met.elapsed_us = (uint64_t)t->clock[metric].elapsed_us;
    met.wall_us = (uint64_t)(t->last_us - t->opened_us);
    met.has_met_us = 1;
    met.met_us = t->last_us;
    say(h, t, BY_SLA, DK_KIND_CLOCK_MET, &met);
}

void dk_chronicle_say_clock_breached(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                                     enum dk_chronicle_metric metric)
{
    Docket__ClockBreached breached = DOCKET__CLOCK_BREACHED__INIT;
    Docket__ClockRef clock = clock_of(metric);
    Docket__Decision decision = decide(h, t);
    breached.decision = &decision;
    breached.clock = &clock;
    breached.due_us = t->clock[metric].due_us;
    breached.late_by_us = (uint64_t)(h->now_us - t->clock[metric].due_us);
    say(h, t, BY_SLA, DK_KIND_CLOCK_BREACHED, &breached);
}

void dk_chronicle_say_clock_resumed(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                                    enum dk_chronicle_metric metric)
{
    Docket__ClockResumed resumed = DOCKET__CLOCK_RESUMED__INIT;
    Docket__ClockRef clock = clock_of(metric);
    Docket__Decision decision = decide(h, t);
    resumed.decision = &decision;
    resumed.clock = &clock;
    resumed.due_us = t->clock[metric].due_us;
    resumed.elapsed_us = (uint64_t)t->clock[metric].elapsed_us;
    say(h, t, BY_SLA, DK_KIND_CLOCK_RESUMED, &resumed);
}

void dk_chronicle_say_clock_cancelled(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                                      enum dk_chronicle_metric metric)
{
    Docket__ClockCancelled cancelled = DOCKET__CLOCK_CANCELLED__INIT;
    Docket__ClockRef clock = clock_of(metric);
    Docket__Decision decision = decide(h, t);
    cancelled.decision = &decision;
    cancelled.clock = &clock;
    cancelled.has_cause = 1;
    cancelled.cause = t->status == DOCKET__STATUS__STATUS_MERGED
                          ? DOCKET__CANCEL_CAUSE__CANCEL_MERGED
                          : DOCKET__CANCEL_CAUSE__CANCEL_CLOSED;
    say(h, t, BY_SLA, DK_KIND_CLOCK_CANCELLED, &cancelled);
}
