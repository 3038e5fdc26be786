#include "bench/lib/chronicle_internal.h"

/* By priority, critical first. */
static const int64_t first_reply_m[4] = {12, 45, 150, 360};
static const int64_t resolution_m[4] = {240, 900, 2400, 5400};
static const int64_t target_m[CHRONICLE_METRICS][4] = {{30, 120, 480, 1440},
                                                       {1440, 4320, 10080, 20160}};

int64_t dk_chronicle_target_us(enum dk_chronicle_metric metric, unsigned priority)
{
    return target_m[metric][priority - 1] * DK_MINUTE_US;
}

static bool is_live(const struct dk_chronicle_ticket *t)
{
    return t->status >= DOCKET__STATUS__STATUS_NEW && t->status <= DOCKET__STATUS__STATUS_PENDING;
}

static const struct dk_chronicle_group *group_of(const struct dk_chronicle *h,
                                                 const struct dk_chronicle_ticket *t)
{
    return &h->group[t->group - 1];
}

/* When the ticket's group does something that takes about so long. */
static int64_t by_group(struct dk_chronicle *h, const struct dk_chronicle_ticket *t,
                        int64_t median_us)
{
    return dk_chronicle_at_work(h, group_of(h, t), h->now_us + dk_chronicle_about(h, median_us));
}

static uint64_t some_agent(struct dk_chronicle *h, const struct dk_chronicle_ticket *t)
{
    return h->agent[t->group - 1 + CHRONICLE_GROUPS * dk_chronicle_below(h, 10)];
}

/* ---------------------------------------------------------------- clocks */

static enum dk_chronicle_act breach_of(enum dk_chronicle_metric metric)
{
    return metric == CHRONICLE_FIRST_REPLY ? ACT_BREACH_FIRST_REPLY : ACT_BREACH_RESOLUTION;
}

static void start_clocks(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    for (enum dk_chronicle_metric metric = 0; metric < CHRONICLE_METRICS; metric++) {
        struct dk_chronicle_clock *clock = &t->clock[metric];
        clock->target_us = dk_chronicle_target_us(metric, t->priority);
        clock->state = CLOCK_RUNNING;
        clock->since_us = t->opened_us;
        clock->due_us = t->opened_us + clock->target_us;
        dk_chronicle_say_clock_started(h, t, metric);
        dk_chronicle_put_down(h, t, breach_of(metric), clock->due_us);
    }
}

static void breach(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                   enum dk_chronicle_metric metric)
{
    struct dk_chronicle_clock *clock = &t->clock[metric];
    if (clock->state == CLOCK_RUNNING && clock->due_us <= h->now_us) {
        clock->state = CLOCK_OVER;
        dk_chronicle_say_clock_breached(h, t, metric);
    }
}

/* What happened at last_us fulfils the clock, unless it was due before. */
static void meet(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                 enum dk_chronicle_metric metric)
{
    struct dk_chronicle_clock *clock = &t->clock[metric];
    if (clock->state == CLOCK_RUNNING && t->last_us <= clock->due_us) {
        clock->state = CLOCK_MET;
        clock->elapsed_us += t->last_us - clock->since_us;
        dk_chronicle_say_clock_met(h, t, metric);
    }
}

static void resume(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    struct dk_chronicle_clock *clock = &t->clock[CHRONICLE_RESOLUTION];
    if (clock->state == CLOCK_MET) {
        clock->state = CLOCK_RUNNING;
        clock->since_us = t->last_us;
        clock->due_us = t->last_us + clock->target_us - clock->elapsed_us;
        dk_chronicle_say_clock_resumed(h, t, CHRONICLE_RESOLUTION);
        dk_chronicle_put_down(h, t, ACT_BREACH_RESOLUTION, clock->due_us);
    }
}

static void cancel_clocks(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    for (enum dk_chronicle_metric metric = 0; metric < CHRONICLE_METRICS; metric++) {
        if (t->clock[metric].state == CLOCK_RUNNING) {
            t->clock[metric].state = CLOCK_OVER;
            dk_chronicle_say_clock_cancelled(h, t, metric);
        }
    }
}

/* ---------------------------------------------------------------- arrivals */

static unsigned choose(struct dk_chronicle *h, const uint16_t *permille)
{
    size_t random = dk_chronicle_below(h, 1000);
    unsigned i = 0;
    while (random >= permille[i]) {
        random -= permille[i++];
    }
    return i;
}

/* Somebody whose ticket was solved this week; his first word about it is a new ticket. */
static void repeat(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    size_t count = h->solved_count < CHRONICLE_RECENT ? h->solved_count : CHRONICLE_RECENT;
    if (count > 0 && dk_chronicle_chance(h, 40)) {
        const struct dk_chronicle_recent *other = &h->solved[dk_chronicle_below(h, count)];
        if (h->now_us - other->at_us < 7 * DK_DAY_US) {
            t->customer = other->customer;
            t->product = other->product;
            t->repeats = other->ticket;
        }
    }
}

static void open_ticket(struct dk_chronicle *h)
{
    static const uint16_t priorities[] = {30, 150, 600, 220};
    static const uint16_t channels[] = {450, 150, 200, 100, 30, 20, 10, 20, 20};
    static const uint16_t types[] = {500, 250, 150, 30, 30, 40};
    struct dk_chronicle_ticket *t = dk_chronicle_take_slot(h);
    t->priority = (uint8_t)(1 + choose(h, priorities));
    t->channel = (uint8_t)(1 + choose(h, channels));
    t->customer = dk_chronicle_below(h, h->customers);
    t->product = dk_chronicle_below(h, CHRONICLE_PRODUCTS);
    t->opened_us = t->last_us = h->now_us;
    repeat(h, t);
    t->tiered = dk_chronicle_is_tiered(t->customer);
    t->rounds = (uint8_t)dk_chronicle_exponential(h, 1); /* whole ones: 0.6 */
    h->opened[h->tickets % CHRONICLE_RECENT] =
        (struct dk_chronicle_recent){.ticket = t->id, .slot = (size_t)(t - h->ticket)};
    dk_chronicle_say_opened(h, t, 1 + choose(h, types));
    if (t->tiered) {
        start_clocks(h, t);
    }
    if (t->channel == DOCKET__CHANNEL__CHANNEL_EMAIL && dk_chronicle_chance(h, 350)) {
        dk_chronicle_say_receipt(h, t);
    }
    if (dk_chronicle_chance(h, 80)) {
        dk_chronicle_say_attachment(h, t);
    }
    dk_chronicle_put_down(h, t, ACT_ROUTE, h->now_us + dk_chronicle_about(h, 400 * 1000));
}

/* Arrivals at the busiest hour's rate, of which as many are real as the hour is busy. */
void dk_chronicle_arrive(struct dk_chronicle *h)
{
    dk_chronicle_put_down(h, NULL, ACT_ARRIVE, h->now_us + dk_chronicle_exponential(h, h->gap_us));
    if (dk_chronicle_chance(h, dk_chronicle_load(h->now_us) * 10)) {
        open_ticket(h);
    }
}

static void route(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    if (t->repeats != 0) {
        dk_chronicle_say_repeated(h, t);
    }
    t->group = dk_chronicle_route(t->product, 1) + 1;
    dk_chronicle_say_routed(h, t, BY_ROUTING);
    dk_chronicle_put_down(h, t, ACT_ASSIGN, by_group(h, t, 3 * DK_MINUTE_US));
}

/* ---------------------------------------------------------------- work */

static struct dk_chronicle_ticket *find_other(struct dk_chronicle *h,
                                              const struct dk_chronicle_ticket *t)
{
    const struct dk_chronicle_recent *recent = &h->opened[dk_chronicle_below(h, CHRONICLE_RECENT)];
    struct dk_chronicle_ticket *other = &h->ticket[recent->slot];
    bool there = recent->ticket != 0 && other->id == recent->ticket && other->id != t->id;
    return there && is_live(other) ? other : NULL;
}

/* The same line's next group, whose agent it gets. */
static void pass_on(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    unsigned line = group_of(h, t)->line, next = t->group % CHRONICLE_GROUPS;
    while (h->group[next].line != line) {
        next = (next + 1) % CHRONICLE_GROUPS;
    }
    if (dk_chronicle_chance(h, 600)) {
        dk_chronicle_say_note(h, t);
    }
    t->misrouted = true;
    t->group = next + 1;
    dk_chronicle_say_routed(h, t, BY_OWNER);
    dk_chronicle_put_down(h, t, ACT_ASSIGN, by_group(h, t, 10 * DK_MINUTE_US));
}

static void assign(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    t->owner = some_agent(h, t);
    dk_chronicle_say_assigned(h, t);
    if (t->status == DOCKET__STATUS__STATUS_NEW && dk_chronicle_chance(h, 150)) {
        dk_chronicle_say_status(h, t, BY_OWNER, DOCKET__STATUS__STATUS_OPEN, 0);
    }
    if (dk_chronicle_chance(h, 120)) {
        dk_chronicle_say_classified(h, t);
    }
    struct dk_chronicle_ticket *other = dk_chronicle_chance(h, 8) ? find_other(h, t) : NULL;
    if (other != NULL) {
        dk_chronicle_say_merged(h, t, other);
        cancel_clocks(h, t);
        dk_chronicle_free_slot(h, t);
    } else if (!t->misrouted && !t->replied && dk_chronicle_chance(h, 70)) {
        pass_on(h, t);
    } else {
        int64_t median_us = first_reply_m[t->priority - 1] * DK_MINUTE_US;
        dk_chronicle_put_down(h, t, ACT_REPLY,
                              by_group(h, t, t->replied ? median_us / 2 : median_us));
    }
}

/* Who is to speak is the owner: by a handover, if somebody else spoke before. */
static void take_over(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    uint64_t to = some_agent(h, t);
    if (t->speaker != 0 && t->speaker != t->owner) {
        dk_chronicle_say_handover(h, t, t->owner, t->speaker,
                                  DOCKET__HANDOVER_TERM__HANDOVER_PERMANENT,
                                  DOCKET__HANDOVER_REASON__HANDOVER_LINE_CHANGE);
    } else if (t->returns_to != 0) {
        dk_chronicle_say_handover(h, t, t->returns_to, t->owner,
                                  DOCKET__HANDOVER_TERM__HANDOVER_PERMANENT,
                                  DOCKET__HANDOVER_REASON__HANDOVER_RETURN);
    } else if (to != t->owner && dk_chronicle_chance(h, 30)) {
        bool absent = dk_chronicle_chance(h, 500);
        dk_chronicle_say_handover(h, t, to, t->owner,
                                  absent ? DOCKET__HANDOVER_TERM__HANDOVER_TEMPORARY
                                         : DOCKET__HANDOVER_TERM__HANDOVER_PERMANENT,
                                  absent ? DOCKET__HANDOVER_REASON__HANDOVER_ABSENT
                                         : DOCKET__HANDOVER_REASON__HANDOVER_OVERLOAD);
    }
}

/* After a reply: the customer's turn, or another line's, or a supplier's, or the end. */
static void go_on(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    if (t->status == DOCKET__STATUS__STATUS_PENDING) {
        bool silent = dk_chronicle_chance(h, 40);
        dk_chronicle_put_down(h, t, silent ? ACT_SILENCE : ACT_CUSTOMER,
                              h->now_us +
                                  (silent ? 7 * DK_DAY_US : dk_chronicle_about(h, 5 * DK_HOUR_US)));
    } else if (t->rounds > 0) {
        dk_chronicle_put_down(h, t, ACT_CUSTOMER,
                              h->now_us + dk_chronicle_about(h, 3 * DK_HOUR_US));
    } else if (!t->escalated && t->line < CHRONICLE_LINES && dk_chronicle_chance(h, 110)) {
        dk_chronicle_put_down(h, t, ACT_ESCALATE, by_group(h, t, DK_HOUR_US));
    } else if (!t->supplied && dk_chronicle_chance(h, 30)) {
        t->supplied = true;
        dk_chronicle_say_supplier(h, t, true);
        dk_chronicle_say_status(h, t, BY_OWNER, DOCKET__STATUS__STATUS_PENDING,
                                DOCKET__PENDING__PENDING_SUPPLIER);
        dk_chronicle_put_down(h, t, ACT_SUPPLIER_BACK, by_group(h, t, 2 * DK_DAY_US));
    } else {
        int64_t median_us = resolution_m[t->priority - 1] * DK_MINUTE_US / 2;
        dk_chronicle_put_down(h, t, ACT_SOLVE, by_group(h, t, median_us));
    }
}

/* Some replies are calls that are written down afterwards; not those of tickets with clocks, which
 * would have to be corrected. */
static int64_t late_us(struct dk_chronicle *h, const struct dk_chronicle_ticket *t)
{
    int64_t room_us = h->now_us - t->last_us;
    bool called = t->channel == DOCKET__CHANNEL__CHANNEL_PHONE && !t->tiered;
    int64_t late =
        called && dk_chronicle_chance(h, 150) ? dk_chronicle_about(h, 10 * DK_MINUTE_US) : 0;
    return late < room_us ? late : 0;
}

static void reply(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    bool asks = t->rounds > 0 && dk_chronicle_chance(h, 600);
    take_over(h, t);
    int64_t late = late_us(h, t);
    t->last_us = h->now_us;
    dk_chronicle_say_reply(h, t, asks, late);
    if (!t->replied) {
        t->replied = true;
        meet(h, t, CHRONICLE_FIRST_REPLY);
    }
    if (dk_chronicle_chance(h, 120)) {
        dk_chronicle_say_time(h, t);
    }
    if (dk_chronicle_chance(h, 150)) {
        dk_chronicle_say_note(h, t);
    }
    if (asks && t->pending != DOCKET__PENDING__PENDING_CUSTOMER) {
        dk_chronicle_say_status(h, t, BY_OWNER, DOCKET__STATUS__STATUS_PENDING,
                                DOCKET__PENDING__PENDING_CUSTOMER);
    }
    go_on(h, t);
}

static void hear(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    t->last_us = h->now_us;
    t->rounds = t->rounds > 0 ? (uint8_t)(t->rounds - 1) : 0;
    dk_chronicle_say_question(h, t);
    if (dk_chronicle_chance(h, 100)) {
        dk_chronicle_say_attachment(h, t);
    }
    dk_chronicle_put_down(h, t, ACT_REPLY,
                          by_group(h, t, first_reply_m[t->priority - 1] * DK_MINUTE_US / 2));
}

static void escalate(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    unsigned group = dk_chronicle_route(t->product, t->line + 1u);
    bool bypass = t->priority == DOCKET__PRIORITY__PRIORITY_CRITICAL && dk_chronicle_chance(h, 500);
    t->escalated = dk_chronicle_chance(h, 700);
    if (!bypass) {
        dk_chronicle_say_checklist(h, t);
    }
    dk_chronicle_say_escalated(h, t, group, bypass);
    dk_chronicle_put_down(h, t, ACT_ASSIGN, by_group(h, t, 20 * DK_MINUTE_US));
}

/* ---------------------------------------------------------------- the end */

/* Solved: it is closed some days later, unless the customer comes back. */
static void await_end(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    t->solved_us = t->last_us;
    h->solved[h->solved_count++ % CHRONICLE_RECENT] = (struct dk_chronicle_recent){
        .ticket = t->id, .customer = t->customer, .product = t->product, .at_us = h->now_us};
    meet(h, t, CHRONICLE_RESOLUTION);
    if (dk_chronicle_chance(h, 220)) {
        dk_chronicle_put_down(h, t, ACT_RATE, h->now_us + dk_chronicle_about(h, 8 * DK_HOUR_US));
    }
    if (dk_chronicle_chance(h, 70)) {
        dk_chronicle_put_down(h, t, ACT_REOPEN, h->now_us + dk_chronicle_about(h, DK_DAY_US));
    } else if (dk_chronicle_chance(h, 250)) {
        dk_chronicle_put_down(h, t, ACT_CLOSE, by_group(h, t, DK_DAY_US));
    } else {
        dk_chronicle_put_down(h, t, ACT_CLOSE, h->now_us + 5 * DK_DAY_US);
    }
}

static void solve(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    if (dk_chronicle_chance(h, 120)) {
        dk_chronicle_say_note(h, t);
    }
    if (dk_chronicle_chance(h, 160)) {
        dk_chronicle_say_time(h, t);
    }
    t->last_us = h->now_us;
    dk_chronicle_say_status(h, t, BY_OWNER, DOCKET__STATUS__STATUS_SOLVED, 0);
    await_end(h, t);
}

static void solve_by_itself(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    t->last_us = h->now_us;
    dk_chronicle_say_auto(h, t, DOCKET__STATUS__STATUS_SOLVED);
    await_end(h, t);
}

/* By a message where it is only solved, by a word to the desk where it is closed. */
static void reopen(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    bool closed = t->status == DOCKET__STATUS__STATUS_CLOSED;
    t->last_us = h->now_us;
    if (closed || dk_chronicle_chance(h, 250)) {
        dk_chronicle_say_status(h, t, closed ? BY_OWNER : BY_CUSTOMER, DOCKET__STATUS__STATUS_OPEN,
                                0);
    } else {
        dk_chronicle_say_question(h, t);
    }
    resume(h, t);
    dk_chronicle_put_down(h, t, ACT_REPLY,
                          by_group(h, t, first_reply_m[t->priority - 1] * DK_MINUTE_US));
}

static void close_ticket(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    if (h->now_us - t->solved_us >= 5 * DK_DAY_US) {
        dk_chronicle_say_auto(h, t, DOCKET__STATUS__STATUS_CLOSED);
    } else {
        dk_chronicle_say_status(h, t, BY_OWNER, DOCKET__STATUS__STATUS_CLOSED, 0);
    }
    cancel_clocks(h, t);
    if (dk_chronicle_chance(h, 12)) {
        dk_chronicle_put_down(h, t, ACT_REOPEN,
                              h->now_us + DK_DAY_US + dk_chronicle_exponential(h, DK_DAY_US));
    } else {
        dk_chronicle_put_down(h, t, ACT_FORGET, h->now_us + 14 * DK_DAY_US);
    }
}

static void give_back(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    dk_chronicle_say_supplier(h, t, false);
    dk_chronicle_say_status(h, t, BY_OWNER, DOCKET__STATUS__STATUS_OPEN, 0);
    dk_chronicle_put_down(h, t, ACT_REPLY, by_group(h, t, 2 * DK_HOUR_US));
}

static void rate(struct dk_chronicle *h, struct dk_chronicle_ticket *t)
{
    if (t->status == DOCKET__STATUS__STATUS_SOLVED || t->status == DOCKET__STATUS__STATUS_CLOSED) {
        dk_chronicle_say_rated(h, t);
    }
}

void dk_chronicle_act(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                      enum dk_chronicle_act act)
{
    switch (act) {
    case ACT_ROUTE: route(h, t); break;
    case ACT_ASSIGN: assign(h, t); break;
    case ACT_REPLY: reply(h, t); break;
    case ACT_CUSTOMER: hear(h, t); break;
    case ACT_SILENCE: solve_by_itself(h, t); break;
    case ACT_ESCALATE: escalate(h, t); break;
    case ACT_SUPPLIER_BACK: give_back(h, t); break;
    case ACT_SOLVE: solve(h, t); break;
    case ACT_REOPEN: reopen(h, t); break;
    case ACT_CLOSE: close_ticket(h, t); break;
    case ACT_FORGET: dk_chronicle_free_slot(h, t); break;
    case ACT_RATE: rate(h, t); break;
    case ACT_BREACH_FIRST_REPLY: breach(h, t, CHRONICLE_FIRST_REPLY); break;
    case ACT_BREACH_RESOLUTION: breach(h, t, CHRONICLE_RESOLUTION); break;
    case ACT_ARRIVE: break;
    }
}
