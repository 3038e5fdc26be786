/* The generator's parts: chronicle.c makes chance, order and records, chronicle_people.c the
 * organization, chronicle_say.c one event, chronicle_life.c what comes next for a ticket. */
#ifndef DK_BENCH_CHRONICLE_INTERNAL_H
#define DK_BENCH_CHRONICLE_INTERNAL_H

#include "bench/lib/chronicle.h"
#include "docket.pb-c.h"
#include "proto/base/buf.h"
#include "proto/base/id.h"
#include "proto/base/time.h"
#include "proto/event/event.h"
#include "tests/lib/random.h"
#include <stdbool.h>

#define CHRONICLE_SITES       4
#define CHRONICLE_GROUPS      20
#define CHRONICLE_AGENTS      200
#define CHRONICLE_AREAS       10 /* products at the top of the catalogue */
#define CHRONICLE_PRODUCTS    100
#define CHRONICLE_COMPANIES   500
#define CHRONICLE_CUSTOMERS   20000 /* at most; fewer in short histories */
#define CHRONICLE_LINES       3
#define CHRONICLE_PRODUCERS   32 /* desks that events come from */
#define CHRONICLE_RECENT      64 /* tickets that another may repeat or be merged into */
#define CHRONICLE_TEXT_BYTES  1024
#define CHRONICLE_WORDS_BYTES 65536

enum dk_chronicle_clock_state { CLOCK_NONE, CLOCK_RUNNING, CLOCK_MET, CLOCK_OVER };

struct dk_chronicle_clock {
    enum dk_chronicle_clock_state state;
    int64_t due_us, since_us, elapsed_us, target_us;
};
enum dk_chronicle_metric { CHRONICLE_FIRST_REPLY, CHRONICLE_RESOLUTION, CHRONICLE_METRICS };

/* A ticket while something may still happen to it. */
struct dk_chronicle_ticket {
    uint64_t id; /* 0: the slot is free */
    uint64_t previous;
    uint64_t customer, product;            /* places in the lists */
    uint64_t owner, speaker, returns_to;   /* agents' subjects, or 0 */
    uint64_t repeats;                      /* a ticket, or 0 */
    unsigned group;                        /* place + 1; 0: not routed */
    int64_t opened_us, last_us, solved_us; /* last_us: of what its people saw */
    struct dk_chronicle_clock clock[CHRONICLE_METRICS];
    uint32_t version;
    uint8_t line, status, pending, priority, channel, rounds;
    bool replied, checklist, escalated, supplied, misrouted, tiered;
};

/* What is to happen, and when. */
enum dk_chronicle_act {
    ACT_ARRIVE, /* the next ticket; of no slot */
    ACT_ROUTE,
    ACT_ASSIGN,
    ACT_REPLY,
    ACT_CUSTOMER,
    ACT_SILENCE, /* the customer never answers */
    ACT_ESCALATE,
    ACT_SUPPLIER_BACK,
    ACT_SOLVE,
    ACT_REOPEN,
    ACT_CLOSE,
    ACT_FORGET,
    ACT_RATE,
    ACT_BREACH_FIRST_REPLY,
    ACT_BREACH_RESOLUTION,
};
struct dk_chronicle_due {
    int64_t at_us;
    uint64_t order; /* of equal instants: as they were put down */
    uint64_t ticket;
    uint32_t slot;
    enum dk_chronicle_act act;
};

struct dk_chronicle_group {
    uint64_t id;
    unsigned line, site;
    bool always; /* day and night */
};

struct dk_chronicle_recent {
    uint64_t ticket;
    uint64_t customer, product;
    int64_t at_us;
    size_t slot;
};

struct dk_chronicle {
    struct dk_chronicle_options options;
    struct test_random random;
    uint64_t position, tickets;
    uint64_t producer_number[CHRONICLE_PRODUCERS];
    int64_t now_us;
    int64_t gap_us; /* between arrivals, on average at the busiest hour */

    struct dk_chronicle_group group[CHRONICLE_GROUPS];
    uint64_t agent[CHRONICLE_AGENTS], product[CHRONICLE_PRODUCTS], company[CHRONICLE_COMPANIES];
    uint64_t customer[CHRONICLE_CUSTOMERS];
    size_t customers;
    uint64_t supplier, policy, calendar, always;

    struct dk_chronicle_ticket *ticket;
    size_t ticket_count, ticket_capacity;
    size_t *free_slot;
    size_t free_count;
    struct dk_chronicle_due *due; /* a heap */
    size_t due_count, due_capacity;
    uint64_t due_order;
    struct dk_chronicle_recent opened[CHRONICLE_RECENT], solved[CHRONICLE_RECENT];
    uint64_t solved_count;

    struct dk_buf records; /* of the last act, and how many are given away */
    size_t given, defined;
    char words[CHRONICLE_WORDS_BYTES];
};

/* ---------------------------------------------------------------- chance and time (chronicle.c) */

static inline bool dk_chronicle_chance(struct dk_chronicle *h, unsigned permille)
{
    return test_random_chance(&h->random, permille);
}
static inline size_t dk_chronicle_below(struct dk_chronicle *h, size_t bound)
{
    return test_random_below(&h->random, bound);
}
/* Of a lognormal distribution with this median; sigma is 1. */
int64_t dk_chronicle_about(struct dk_chronicle *h, int64_t median_us);
/* Of an exponential one with this mean. */
int64_t dk_chronicle_exponential(struct dk_chronicle *h, int64_t mean);
/* The instant itself, or when the group's next working day begins. */
int64_t dk_chronicle_at_work(struct dk_chronicle *h, const struct dk_chronicle_group *group,
                             int64_t at_us);
/* How busy the desk is at an instant, in percent of its busiest hour. */
unsigned dk_chronicle_load(int64_t at_us);

void dk_chronicle_put_down(struct dk_chronicle *h, struct dk_chronicle_ticket *ticket,
                           enum dk_chronicle_act act, int64_t at_us);
struct dk_chronicle_ticket *dk_chronicle_take_slot(struct dk_chronicle *h);
void dk_chronicle_free_slot(struct dk_chronicle *h, struct dk_chronicle_ticket *ticket);

/* Appends and stamps a record of the subject; `occurred_us` 0: now. */
struct dk_chronicle_event {
    uint64_t subject, actor;
    uint32_t kind, flags;
    int64_t occurred_us;
    const void *body;
};
void dk_chronicle_record(struct dk_chronicle *h, struct dk_chronicle_ticket *ticket,
                         const struct dk_chronicle_event *event);

/* ---------------------------------------------------------------- people (chronicle_people.c) */

/* The definition with this number, from 0; false: there are no more. */
bool dk_chronicle_define(struct dk_chronicle *h, size_t number);
void dk_chronicle_people(struct dk_chronicle *h); /* fills in ids */
bool dk_chronicle_is_tiered(size_t customer);
/* The group (its place) of a product's route on a line. */
unsigned dk_chronicle_route(uint64_t product, unsigned line);

/* ---------------------------------------------------------------- events (chronicle_say.c) */

enum dk_chronicle_who { BY_OWNER, BY_CUSTOMER, BY_ROUTING, BY_SLA, BY_GATE };

void dk_chronicle_say_opened(struct dk_chronicle *h, struct dk_chronicle_ticket *t, unsigned type);
void dk_chronicle_say_repeated(struct dk_chronicle *h, struct dk_chronicle_ticket *t);
void dk_chronicle_say_classified(struct dk_chronicle *h, struct dk_chronicle_ticket *t);
void dk_chronicle_say_routed(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                             enum dk_chronicle_who who);
void dk_chronicle_say_assigned(struct dk_chronicle *h, struct dk_chronicle_ticket *t);
void dk_chronicle_say_handover(struct dk_chronicle *h, struct dk_chronicle_ticket *t, uint64_t to,
                               uint64_t from, Docket__HandoverTerm term,
                               Docket__HandoverReason reason);
/* An outbound message of the owner; `late_us` before now. */
void dk_chronicle_say_reply(struct dk_chronicle *h, struct dk_chronicle_ticket *t, bool question,
                            int64_t late_us);
void dk_chronicle_say_receipt(struct dk_chronicle *h,
                              struct dk_chronicle_ticket *t); /* an automatic one */
void dk_chronicle_say_question(struct dk_chronicle *h,
                               struct dk_chronicle_ticket *t); /* the customer's */
void dk_chronicle_say_note(struct dk_chronicle *h, struct dk_chronicle_ticket *t);
void dk_chronicle_say_time(struct dk_chronicle *h, struct dk_chronicle_ticket *t);
void dk_chronicle_say_attachment(struct dk_chronicle *h, struct dk_chronicle_ticket *t);
void dk_chronicle_say_status(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                             enum dk_chronicle_who who, Docket__Status status,
                             Docket__Pending pending);
void dk_chronicle_say_auto(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                           Docket__Status status);
void dk_chronicle_say_checklist(struct dk_chronicle *h, struct dk_chronicle_ticket *t);
void dk_chronicle_say_escalated(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                                unsigned group, bool bypass);
void dk_chronicle_say_supplier(struct dk_chronicle *h, struct dk_chronicle_ticket *t, bool handed);
void dk_chronicle_say_merged(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                             struct dk_chronicle_ticket *target);
void dk_chronicle_say_rated(struct dk_chronicle *h, struct dk_chronicle_ticket *t);
void dk_chronicle_say_clock_started(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                                    enum dk_chronicle_metric metric);
void dk_chronicle_say_clock_met(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                                enum dk_chronicle_metric metric);
void dk_chronicle_say_clock_breached(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                                     enum dk_chronicle_metric metric);
void dk_chronicle_say_clock_resumed(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                                    enum dk_chronicle_metric metric);
void dk_chronicle_say_clock_cancelled(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                                      enum dk_chronicle_metric metric);

/* ---------------------------------------------------------------- life (chronicle_life.c) */

/* What companies of a tier are promised. */
int64_t dk_chronicle_target_us(enum dk_chronicle_metric metric, unsigned priority);
void dk_chronicle_arrive(struct dk_chronicle *h);
void dk_chronicle_act(struct dk_chronicle *h, struct dk_chronicle_ticket *t,
                      enum dk_chronicle_act act);

#endif
