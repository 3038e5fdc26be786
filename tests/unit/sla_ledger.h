/* What a log says of all clocks, step by step, and whether that is what the fold computes of it. */
#ifndef DK_TESTS_SLA_LEDGER_H
#define DK_TESTS_SLA_LEDGER_H

#include "tests/unit/sla_world.h"

#define LEDGER_TRANSITIONS 1024 /* of a ticket */

struct said {
    uint64_t ticket;
    Docket__Verdict verdict;
    Docket__Metric metric;
    uint32_t instance;
    unsigned warned; /* a bit for each of 50 %, 90 % and half an hour */
    bool breached;
    int64_t due_us;
};

struct ledger {
    struct said said[1024];
    size_t count;
};

static inline struct said *said_of(struct ledger *ledger, uint64_t ticket,
                                   const Docket__ClockRef *clock)
{
    for (size_t i = 0; i < ledger->count; i++)
        if (ledger->said[i].ticket == ticket && ledger->said[i].metric == clock->metric &&
            ledger->said[i].instance == clock->instance)
            return &ledger->said[i];
    DK_ASSERT(ledger->count < 1024);
    ledger->said[ledger->count] =
        (struct said){.ticket = ticket, .metric = clock->metric, .instance = clock->instance};
    return &ledger->said[ledger->count++];
}

static inline void note_warned(struct said *said, const Docket__ClockWarned *warned)
{
    unsigned bit = warned->has_before_us ? 4 : warned->level == 50 ? 1 : 2;
    ASSERT_EQ(said->warned & bit, 0); /* each level once */
    ASSERT_EQ(said->verdict, RUNNING);
    said->warned |= bit;
}

static inline void note(struct ledger *ledger, uint64_t ticket, uint32_t kind, const void *body)
{
    /* Every clock kind has its clock at the same place. */
    const Docket__ClockRef *clock = ((const Docket__ClockPaused *)body)->clock;
    struct said *said = said_of(ledger, ticket, clock);
    switch (kind) {
    case DK_KIND_CLOCK_STARTED:
        ASSERT_TRUE(said->verdict != MET && said->verdict != BREACHED);
        said->due_us = ((const Docket__ClockStarted *)body)->due_us;
        said->verdict = RUNNING;
        break;
    case DK_KIND_CLOCK_PAUSED:
        ASSERT_EQ(said->verdict, RUNNING);
        said->verdict = PAUSED;
        break;
    case DK_KIND_CLOCK_RESUMED:
        ASSERT_TRUE(said->verdict != BREACHED && said->verdict != CANCELLED);
        said->due_us = ((const Docket__ClockResumed *)body)->due_us;
        said->verdict = RUNNING;
        break;
    case DK_KIND_CLOCK_MET:
        ASSERT_TRUE(said->verdict == RUNNING || said->verdict == PAUSED);
        said->verdict = MET;
        break;
    case DK_KIND_CLOCK_WARNED: note_warned(said, body); break;
    case DK_KIND_CLOCK_BREACHED:
        ASSERT_TRUE(said->verdict == RUNNING || said->verdict == PAUSED);
        said->due_us = ((const Docket__ClockBreached *)body)->due_us;
        said->verdict = BREACHED;
        break;
    case DK_KIND_CLOCK_CANCELLED: said->verdict = CANCELLED; break;
    default:
        ASSERT_EQ(((const Docket__ClockCorrected *)body)->from, said->verdict);
        said->verdict = ((const Docket__ClockCorrected *)body)->to;
        if (((const Docket__ClockCorrected *)body)->has_due_us)
            said->due_us = ((const Docket__ClockCorrected *)body)->due_us;
        break;
    }
}

/* What the whole log says, each step of it possible after the one before. */
static inline void read_log(const struct role_world *world, struct ledger *ledger)
{
    ledger->count = 0;
    for (uint64_t position = 1; position <= world->count; position++) {
        size_t bytes;
        const uint8_t *record = world_record(world, position, &bytes);
        uint32_t kind = dk_event_load_kind(record);
        if (kind >= DK_KIND_CLOCK_STARTED && kind <= DK_KIND_CLOCK_CORRECTED)
            note(ledger, dk_event_load_subject(record), kind, world_body(world, position, kind));
    }
}

/* The ticket's clocks, from the log by the fold alone. */
static inline void compute(const struct role_world *world, uint64_t ticket,
                           struct dk_clocks *clocks)
{
    static struct dk_transition list[LEDGER_TRANSITIONS];
    static struct dk_arena arena;
    size_t count = 0;
    if (arena.base == NULL)
        DK_ASSERT(dk_arena_init(&arena, (size_t)1 << 20) == 0);
    for (uint64_t position = 1; position <= world->count; position++) {
        struct dk_transition made[DK_TRANSITIONS_OF_EVENT];
        struct dk_envelope event;
        size_t bytes;
        const uint8_t *record = world_record(world, position, &bytes);
        dk_event_load(record, &event);
        if (event.subject != ticket)
            continue;
        dk_arena_reset(&arena);
        size_t n = dk_transitions_of(&event, dk_body_unpack(&arena, record, bytes, NULL), made);
        for (size_t i = 0; i < n; i++)
            dk_transitions_insert(list, count++, &made[i]);
    }
    dk_clocks_compute(clocks, list, count, dk_folder_world(world->folder)->refs, world->now_us);
}

static inline void agree(struct role_world *world, uint64_t seed)
{
    static struct ledger ledger;
    struct dk_clocks clocks;
    size_t seen = 0, cancelled = 0;
    read_log(world, &ledger);
    dk_clocks_init(&clocks);
    for (uint64_t number = 1; number <= world->tickets; number++) {
        uint64_t ticket = dk_ticket_make(7, number);
        compute(world, ticket, &clocks);
        for (size_t i = 0; i < clocks.count; i++, seen++) {
            const struct dk_clock *clock = &clocks.clock[i];
            const Docket__ClockRef ref = {.metric = clock->metric, .instance = clock->instance};
            struct said *said = said_of(&ledger, ticket, &ref);
            if (said->verdict != clock->verdict ||
                (clock->verdict != MET && clock->verdict != CANCELLED && clock->verdict != PAUSED &&
                 said->due_us != clock->due_us))
                fail_msg("seed %llu: clock %d/%u is said to be %d, due %lld, and is %d, due %lld",
                         (unsigned long long)seed, clock->metric, clock->instance, said->verdict,
                         (long long)said->due_us, clock->verdict, (long long)clock->due_us);
        }
    }
    /* What was said of clocks that are no more, was taken back. */
    for (size_t i = 0; i < ledger.count; i++)
        cancelled += ledger.said[i].verdict == CANCELLED;
    ASSERT_TRUE(ledger.count <= seen + cancelled);
    dk_clocks_close(&clocks);
}

#endif
