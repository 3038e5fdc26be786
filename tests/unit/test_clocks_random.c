/* Random tickets: the clocks do not depend on the order in which events arrive (T1), and agree with
 * a count minute by minute that shares nothing with them but the rules (S1, S2, S6, S9, S11). */
#include "tests/lib/assert.h"
#include "tests/lib/bodies.h"
#include "tests/unit/clocks_fixture.h"
#include "tests/unit/clocks_same.h"

#define SEEDS 150
#define DEEDS 24
#define MINUTES                                                                                    \
    (4 * 24 *                                                                                      \
     60) /* of a story, from Friday 2026-03-06 00:00 on: a weekend is in it               \
                   */
#define BEGIN test_at("2026-03-06T00:00:00Z")

enum deed_kind { WRITES, REPLIES, PENDS, OPENS, SOLVES, RAISES, ROUTES, DEED_KINDS };

struct deed {
    int minute;
    enum deed_kind kind;
    unsigned arg; /* whom a pending is for; a priority; a group */
};

struct tale {
    int opened; /* minute */
    Docket__Priority priority;
    int target[5]; /* minutes of the resolution, by priority */
    int reply_target;
    size_t count;
    struct deed deed[DEEDS]; /* in order of time, no minute twice */
};

static void make_tale(struct tale *tale, uint64_t seed, size_t deeds)
{
    struct test_random random = {seed};
    bool taken[MINUTES] = {false};
    *tale = (struct tale){.opened = (int)test_random_below(&random, MINUTES / 4),
                          .priority = 1 + (unsigned)test_random_below(&random, 4),
                          .count = deeds,
                          .reply_target = 1 + (int)test_random_below(&random, 600)};
    for (int priority = 1; priority < 5; priority++)
        tale->target[priority] = 1 + (int)test_random_below(&random, 1200);
    for (size_t i = 0; i < deeds; i++) {
        int minute;
        do
            minute = tale->opened + 1 +
                     (int)test_random_below(&random, (size_t)(MINUTES - tale->opened - 1));
        while (taken[minute]);
        taken[minute] = true;
        size_t at = i;
        for (; at > 0 && tale->deed[at - 1].minute > minute; at--)
            tale->deed[at] = tale->deed[at - 1];
        tale->deed[at] = (struct deed){minute, (unsigned)test_random_below(&random, DEED_KINDS),
                                       (unsigned)test_random_below(&random, 4)};
    }
}

static int64_t minute_us(int minute)
{
    return BEGIN + minute * DK_MINUTE_US;
}

static void play(struct story *story, const struct deed *deed)
{
    static const char *const groups[] = {"desk", "net", "apps", "lab"};
    int64_t at_us = minute_us(deed->minute);
    switch (deed->kind) {
    case WRITES: customer_writes(story, at_us); break;
    case REPLIES: agent_replies(story, at_us); break;
    case PENDS: pending(story, at_us, 1 + deed->arg % 3); break;
    case OPENS: status(story, at_us, DOCKET__STATUS__STATUS_OPEN); break;
    case SOLVES: solved(story, at_us); break;
    case RAISES: reprioritized(story, at_us, 1 + deed->arg); break;
    default: routed(story, at_us, test_id(DK_SUBJECT_GROUP, groups[deed->arg])); break;
    }
}

/* All metrics are promised something; only resolution's targets differ by priority. */
static void promise_all(struct story *story, const struct tale *tale)
{
    uint64_t office = has_calendar(story, "office", "UTC", 9, 17, LONG_AGO);
    Docket__PolicyDefined *sla = promised(FIRST_REPLY, tale->reply_target * DK_MINUTE_US, office);
    Docket__PolicyDefined *ola = new_policy("hold", DOCKET__POLICY_TYPE__POLICY_OLA, 1);
    add_goal(sla, NEXT_REPLY, ANY, DK_HOUR_US);
    add_goal(sla, UPDATE, ANY, 4 * DK_HOUR_US);
    add_goal(sla, WAIT, ANY, 8 * DK_HOUR_US);
    add_goal(sla, WORK, ANY, 8 * DK_HOUR_US);
    for (int priority = 1; priority < 5; priority++)
        add_goal(sla, RESOLUTION, (Docket__Priority)priority,
                 tale->target[priority] * DK_MINUTE_US);
    add_pause(sla, CUSTOMER);
    add_warning(sla, 50);
    add_warning(sla, 90);
    has_policy(story, sla, LONG_AGO);
    add_goal(ola, GROUP, ANY, 2 * DK_HOUR_US);
    ola->calendar = office;
    has_policy(story, ola, LONG_AGO);
}

/* ---------------------------------------------------------------- minute by minute */

struct counted {
    bool on, done, breached;
    int minutes; /* worked */
    int due;     /* of the breach */
    int ended;
};

struct count {
    unsigned status, pending;
    int priority; /* of the ticket, and */
    int goal;     /* that the resolution's goal was chosen by */
    struct counted reply, resolution;
};

static bool office_open(int minute)
{
    int day = minute / (24 * 60), hour = minute / 60 % 24;
    return (day == 0 || day == 3) && hour >= 9 && hour < 17; /* Friday, Monday */
}

static void fulfil(struct counted *clock, int minute)
{
    if (!clock->on)
        return;
    clock->on = false;
    clock->done = true;
    clock->ended = minute;
}

/* S6: another goal, of which nothing may be left, paused or not. */
static void choose_goal(struct count *count, const struct tale *tale, int minute)
{
    struct counted *resolution = &count->resolution;
    if (!resolution->on || resolution->breached || count->goal == count->priority)
        return;
    count->goal = count->priority;
    if (resolution->minutes >= tale->target[count->goal]) {
        resolution->breached = true;
        resolution->due = minute;
    }
}

static void count_status(struct count *count, unsigned status, unsigned whom, int minute)
{
    count->status = status;
    count->pending = whom;
    if (status == DOCKET__STATUS__STATUS_SOLVED)
        fulfil(&count->resolution, minute);
    else
        count->resolution.on = true;
}

static void count_deed(struct count *count, const struct tale *tale, const struct deed *deed)
{
    bool waits = count->status == DOCKET__STATUS__STATUS_SOLVED ||
                 (count->status == DOCKET__STATUS__STATUS_PENDING && count->pending == CUSTOMER);
    switch (deed->kind) {
    case WRITES:
        if (waits)
            count_status(count, DOCKET__STATUS__STATUS_OPEN, 0, deed->minute);
        break;
    case REPLIES: fulfil(&count->reply, deed->minute); break;
    case PENDS:
        count_status(count, DOCKET__STATUS__STATUS_PENDING, 1 + deed->arg % 3, deed->minute);
        break;
    case OPENS: count_status(count, DOCKET__STATUS__STATUS_OPEN, 0, deed->minute); break;
    case SOLVES: count_status(count, DOCKET__STATUS__STATUS_SOLVED, 0, deed->minute); break;
    case RAISES: count->priority = 1 + (int)deed->arg; break;
    default: break;
    }
    choose_goal(count, tale, deed->minute);
}

/* The instant `minute` is over: what is used up and still runs was due then. */
static void judge(struct counted *clock, int target, bool runs, int minute)
{
    if (clock->on && runs && !clock->breached && clock->minutes >= target) {
        clock->breached = true;
        clock->due = minute;
    }
}

static void count_through(struct count *count, const struct tale *tale)
{
    size_t next = 0;
    *count = (struct count){.status = DOCKET__STATUS__STATUS_NEW,
                            .priority = (int)tale->priority,
                            .goal = (int)tale->priority};
    count->reply.on = count->resolution.on = true;
    for (int minute = tale->opened; minute < MINUTES; minute++) {
        if (next < tale->count && tale->deed[next].minute == minute)
            count_deed(count, tale, &tale->deed[next++]);
        bool reply_runs = count->status != DOCKET__STATUS__STATUS_SOLVED;
        bool resolution_runs =
            count->status != DOCKET__STATUS__STATUS_PENDING || count->pending != (unsigned)CUSTOMER;
        judge(&count->reply, tale->reply_target, reply_runs, minute);
        judge(&count->resolution, tale->target[count->goal], resolution_runs, minute);
        if (office_open(minute)) {
            count->reply.minutes += count->reply.on && reply_runs;
            count->resolution.minutes += count->resolution.on && resolution_runs;
        }
    }
}

static void compare(const struct counted *counted, const struct dk_clock *clock, uint64_t seed)
{
    bool breached = clock->verdict == BREACHED;
    if (breached != counted->breached || clock->elapsed_us != counted->minutes * DK_MINUTE_US ||
        (breached && clock->due_us != minute_us(counted->due)) ||
        clock->ended_us != (counted->done && !counted->on ? minute_us(counted->ended) : 0))
        fail_msg("seed %llu, metric %d: verdict %d, %lld minutes, due %lld, ended %lld; counted: "
                 "breached %d, %d minutes, due %d, ended %d",
                 (unsigned long long)seed, clock->metric, clock->verdict,
                 (long long)(clock->elapsed_us / DK_MINUTE_US),
                 (long long)((clock->due_us - BEGIN) / DK_MINUTE_US),
                 (long long)((clock->ended_us - BEGIN) / DK_MINUTE_US), counted->breached,
                 counted->minutes, counted->due, counted->ended);
}

static void test_elapsed_and_verdict_as_counted(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct story story;
        struct tale tale;
        struct count count;
        make_tale(&tale, seed, 1 + seed % DEEDS);
        story_begin(&story);
        promise_all(&story, &tale);
        opened(&story, minute_us(tale.opened), tale.priority);
        for (size_t i = 0; i < tale.count; i++)
            play(&story, &tale.deed[i]);
        count_through(&count, &tale);
        /* The last instant that was judged is one before the end. */
        compare(&count.reply, clock_until(&story, minute_us(MINUTES) - 1, FIRST_REPLY, 1), seed);
        compare(&count.resolution, clock_until(&story, minute_us(MINUTES) - 1, RESOLUTION, 1),
                seed);
        story_end(&story);
    }
}

/* ---------------------------------------------------------------- orders of arrival */

static void arrive(const struct tale *tale, const size_t *order, const struct story *expected,
                   struct story *story, uint64_t seed)
{
    story->count = 0;
    opened(story, minute_us(tale->opened), tale->priority);
    for (size_t i = 0; i < tale->count; i++)
        play(story, &tale->deed[order[i]]);
    dk_clocks_compute(&story->clocks, story->transition, story->count, story->refs,
                      minute_us(MINUTES));
    same_clocks(&expected->clocks, &story->clocks, seed);
}

static void expect(struct story *story, const struct tale *tale)
{
    story_begin(story);
    promise_all(story, tale);
    opened(story, minute_us(tale->opened), tale->priority);
    for (size_t i = 0; i < tale->count; i++)
        play(story, &tale->deed[i]);
    dk_clocks_compute(&story->clocks, story->transition, story->count, story->refs,
                      minute_us(MINUTES));
}

/* Of few events every order, by Heap's algorithm. */
static void test_every_order_of_arrival(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 15; seed++) {
        struct story expected, story;
        struct tale tale;
        size_t order[5] = {0, 1, 2, 3, 4}, at[5] = {0}, i = 1;
        make_tale(&tale, seed, 5);
        expect(&expected, &tale);
        expect(&story, &tale);
        while (i < 5) {
            if (at[i] == i) {
                at[i++] = 0;
                continue;
            }
            size_t other = i % 2 == 0 ? 0 : at[i], kept = order[i];
            order[i] = order[other];
            order[other] = kept;
            at[i]++;
            i = 1;
            arrive(&tale, order, &expected, &story, seed);
        }
        story_end(&expected);
        story_end(&story);
    }
}

/* Of many, some. */
static void test_shuffled_arrival(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct test_random random = {seed};
        struct story expected, story;
        struct tale tale;
        size_t order[DEEDS];
        make_tale(&tale, seed, DEEDS);
        expect(&expected, &tale);
        expect(&story, &tale);
        for (int round = 0; round < 5; round++) {
            for (size_t i = 0; i < DEEDS; i++) {
                size_t other = test_random_below(&random, i + 1);
                order[i] = i;
                order[i] = order[other];
                order[other] = i;
            }
            arrive(&tale, order, &expected, &story, seed);
        }
        story_end(&expected);
        story_end(&story);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elapsed_and_verdict_as_counted),
        cmocka_unit_test(test_every_order_of_arrival),
        cmocka_unit_test(test_shuffled_arrival),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
