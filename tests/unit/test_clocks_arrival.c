/* T1: whatever comes in in whatever order, events of all eight metrics and definitions of policies
 * and calendars (S7), the clocks in the end are the same. */
#include "tests/lib/assert.h"
#include "tests/lib/bodies.h"
#include "tests/unit/clocks_fixture.h"
#include "tests/unit/clocks_same.h"

#define SEEDS    40
#define SHUFFLES 4
#define THINGS   40
#define MINUTES  (5 * 24 * 60)
#define BEGIN    test_at("2026-03-05T00:00:00Z") /* a Thursday */

enum thing_kind {
    WRITES,
    REPLIES,
    ASKS,
    PENDS,
    OPENS,
    SOLVES,
    CLOSES,
    RAISES,
    ROUTES,
    HANDS,
    RETURNS,
    MERGES, /* a message of another ticket comes with it */
    GOES,   /* into another ticket */
    DEFINES_SLA,
    DEFINES_OLA,
    DEFINES_UC,
    DEFINES_HOURS,
    THING_KINDS
};

struct thing {
    int minute;
    enum thing_kind kind;
    unsigned arg, other;
};

struct tale {
    uint64_t seed;
    struct thing thing[THINGS]; /* no minute twice */
};

static int64_t minute_us(int minute)
{
    return BEGIN + minute * DK_MINUTE_US;
}

static void make_tale(struct tale *tale, uint64_t seed)
{
    struct test_random random = {seed};
    bool taken[MINUTES] = {true};
    tale->seed = seed;
    for (size_t i = 0; i < THINGS; i++) {
        int minute;
        do
            minute = (int)test_random_below(&random, MINUTES);
        while (taken[minute]);
        taken[minute] = true;
        /* An end is no end of the tale: few of them. */
        unsigned kind = (unsigned)test_random_below(&random, THING_KINDS);
        if ((kind == GOES || kind == CLOSES) && test_random_below(&random, 4) != 0)
            kind = OPENS;
        tale->thing[i] = (struct thing){minute, kind, (unsigned)test_random_below(&random, 4),
                                        (unsigned)test_random_below(&random, 1000)};
    }
}

/* ---------------------------------------------------------------- definitions */

static void publish(struct story *story, Docket__PolicyDefined *policy, const struct thing *thing)
{
    policy->has_on_change = policy->has_publish = 1;
    policy->on_change = (Docket__ChangeMode)(thing->arg % 3);
    policy->publish = (Docket__Publication)(thing->other % 2);
    has_policy(story, policy, minute_us(thing->minute));
}

static void define_sla(struct story *story, const struct thing *thing)
{
    int64_t target_us = (1 + thing->other % 600) * DK_MINUTE_US;
    Docket__PolicyDefined *policy =
        promised(FIRST_REPLY, target_us, test_id(DK_SUBJECT_CALENDAR, "office"));
    uint64_t before_us[] = {(uint64_t)(30 * DK_MINUTE_US)};
    add_goal(policy, NEXT_REPLY, ANY, target_us / 2 + 1);
    add_goal(policy, UPDATE, ANY, 2 * target_us);
    if (thing->arg != 3) /* once in a while not promised */
        add_goal(policy, WAIT, ANY, 3 * target_us);
    add_goal(policy, WORK, ANY, 2 * target_us);
    for (int priority = 1; priority < 5; priority++)
        add_goal(policy, RESOLUTION, (Docket__Priority)priority, priority * target_us);
    add_pause(policy, CUSTOMER);
    add_warning(policy, 50 + thing->arg);
    policy->n_warn_before_us = 1;
    policy->warn_before_us = before_us;
    publish(story, policy, thing);
}

static void define_other(struct story *story, const struct thing *thing, Docket__PolicyType type,
                         Docket__Metric metric)
{
    Docket__PolicyDefined *policy = new_policy(metric == GROUP ? "hold" : "partners", type, 1);
    add_goal(policy, metric, ANY, (1 + thing->other % 300) * DK_MINUTE_US);
    policy->calendar = test_id(DK_SUBJECT_CALENDAR, "office");
    publish(story, policy, thing);
}

static void define_hours(struct story *story, const struct thing *thing)
{
    uint32_t from_h = 6 + thing->arg;
    Docket__CalendarDefined *body = test_hours("office", "UTC", 5, from_h, from_h + 8);
    body->definition->has_effective_us = 1;
    body->definition->effective_us = minute_us(thing->minute);
    body->has_publish = thing->other % 3 != 0;
    body->publish = (Docket__Publication)(thing->other % 2);
    test_define(story->refs, ++story->position, minute_us(thing->minute), DK_KIND_CALENDAR_DEFINED,
                body);
}

/* ---------------------------------------------------------------- what comes in */

static void hand(struct story *story, int64_t at_us, unsigned supplier, bool back)
{
    static const char *const names[] = {"carrier", "vendor", "printer", "cloud"};
    Docket__SupplierHanded handed = DOCKET__SUPPLIER_HANDED__INIT;
    Docket__SupplierReturned returned = DOCKET__SUPPLIER_RETURNED__INIT;
    handed.supplier = returned.supplier = test_id(DK_SUBJECT_SUPPLIER, names[supplier]);
    if (back)
        happens(story, at_us, DK_KIND_SUPPLIER_RETURNED, &returned);
    else
        happens(story, at_us, DK_KIND_SUPPLIER_HANDED, &handed);
}

static void merge(struct story *story, int64_t at_us, const struct thing *thing)
{
    Docket__MergedFrom from = DOCKET__MERGED_FROM__INIT;
    Docket__MergedInto into = DOCKET__MERGED_INTO__INIT;
    if (thing->kind == GOES) {
        happens(story, at_us, DK_KIND_MERGED_INTO, &into);
        return;
    }
    from.has_unanswered_since_us = 1;
    from.unanswered_since_us = at_us - thing->other * DK_MINUTE_US;
    happens(story, at_us, DK_KIND_MERGED_FROM, &from);
}

static void come(struct story *story, const struct thing *thing)
{
    static const char *const groups[] = {"desk", "net", "apps", "lab"};
    int64_t at_us = minute_us(thing->minute);
    switch (thing->kind) {
    case WRITES: customer_writes(story, at_us); break;
    case REPLIES: agent_replies(story, at_us); break;
    case ASKS: agent_asks(story, at_us); break;
    case PENDS: pending(story, at_us, 1 + thing->arg % 3); break;
    case OPENS: status(story, at_us, DOCKET__STATUS__STATUS_OPEN); break;
    case SOLVES: solved(story, at_us); break;
    case CLOSES: status(story, at_us, DOCKET__STATUS__STATUS_CLOSED); break;
    case RAISES: reprioritized(story, at_us, 1 + thing->arg); break;
    case ROUTES: routed(story, at_us, test_id(DK_SUBJECT_GROUP, groups[thing->arg])); break;
    case HANDS:
    case RETURNS: hand(story, at_us, thing->arg, thing->kind == RETURNS); break;
    case MERGES:
    case GOES: merge(story, at_us, thing); break;
    case DEFINES_SLA: define_sla(story, thing); break;
    case DEFINES_OLA: define_other(story, thing, DOCKET__POLICY_TYPE__POLICY_OLA, GROUP); break;
    case DEFINES_UC: define_other(story, thing, DOCKET__POLICY_TYPE__POLICY_UC, SUPPLIER); break;
    default: define_hours(story, thing); break;
    }
}

/* The tale as it comes in in one order, the opening in the middle of it; judged as of `until`. */
static void tell(struct story *story, const struct tale *tale, const size_t *order, int until)
{
    const struct thing first[] = {{-3, DEFINES_HOURS, 3, 0},
                                  {-2, DEFINES_SLA, 0, 240},
                                  {-1, DEFINES_OLA, 0, 120},
                                  {-1, DEFINES_UC, 0, 120}};
    story_begin(story);
    for (size_t i = 0; i < THINGS; i++) {
        if (i == tale->seed % THINGS)
            opened(story, BEGIN, NORMAL);
        if (i == tale->seed % 7)
            for (size_t k = 0; k < sizeof first / sizeof first[0]; k++)
                come(story, &first[k]);
        come(story, &tale->thing[order[i]]);
    }
    dk_clocks_compute(&story->clocks, story->transition, story->count, story->refs,
                      minute_us(until));
}

static void shuffle(struct test_random *random, size_t order[THINGS])
{
    for (size_t i = 0; i < THINGS; i++) {
        size_t other = test_random_below(random, i + 1);
        order[i] = i;
        order[i] = order[other];
        order[other] = i;
    }
}

/* Whatever the order, a clock's segments follow each other and add up to what it says (S1). */
static void adds_up(const struct dk_clocks *clocks)
{
    for (size_t c = 0; c < clocks->count; c++) {
        int64_t sum_us = 0, to_us = clocks->clock[c].started_us;
        for (size_t i = 0; i < clocks->segment_count; i++) {
            const struct dk_clock_segment *segment = &clocks->segment[i];
            if (segment->clock != c)
                continue;
            ASSERT_EQ(segment->from_us, to_us);
            to_us = segment->to_us;
            sum_us += segment->elapsed_us;
        }
        ASSERT_EQ(sum_us, clocks->clock[c].elapsed_us);
    }
}

static void test_T1_every_order_gives_the_same_clocks(void **state)
{
    size_t seen[DK_CLOCK_METRICS] = {0}, breached = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct test_random random = {seed};
        struct story expected, story;
        struct tale tale;
        size_t order[THINGS];
        int until = (int)test_random_below(&random, 2 * MINUTES);
        make_tale(&tale, seed);
        for (size_t i = 0; i < THINGS; i++)
            order[i] = i;
        tell(&expected, &tale, order, until);
        adds_up(&expected.clocks);
        for (size_t i = 0; i < expected.clocks.count; i++) {
            seen[expected.clocks.clock[i].metric]++;
            breached += expected.clocks.clock[i].verdict == BREACHED;
        }
        for (int round = 0; round < SHUFFLES; round++) {
            shuffle(&random, order);
            tell(&story, &tale, order, until);
            same_clocks(&expected.clocks, &story.clocks, seed);
            story_end(&story);
        }
        story_end(&expected);
    }
    for (size_t metric = 1; metric < DK_CLOCK_METRICS; metric++)
        ASSERT_TRUE(seen[metric] >= SEEDS / 2);
    ASSERT_TRUE(breached >= SEEDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_T1_every_order_gives_the_same_clocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
