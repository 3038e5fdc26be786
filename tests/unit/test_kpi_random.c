/* Random histories, from seeds: reports equal a naive recomputation from the plain list of what
 * happened, and a replay, a restored checkpoint and the live fold give the same bytes. */
#include "nodes/analytics/kpi.h"
#include "nodes/runtime/checkpoint.h"
#include "tests/lib/bodies.h"
#include "tests/lib/log_fixture.h"
#include "tests/unit/analytics_site.h"

#define SEEDS   300
#define EVENTS  300
#define TICKETS 12
#define START   INT64_C(1767225600000000) /* 2026-01-01 */

/* What happened to one ticket: the model is a list, and every figure a loop over it. */
struct happening {
    unsigned ticket;
    int64_t at_us;
    unsigned status;   /* after it */
    unsigned priority; /* after it */
    uint64_t group;    /* after it */
    bool opens, solves, unknown, replies, asks, reassigns;
};

struct world {
    struct site site;
    struct test_random random;
    struct happening happened[EVENTS];
    size_t count;
};

static struct happening *last_of(struct world *world, unsigned ticket)
{
    for (size_t i = world->count; i > 0; i--) {
        if (world->happened[i - 1].ticket == ticket) {
            return &world->happened[i - 1];
        }
    }
    return NULL;
}

static void say(struct world *world, unsigned ticket, uint32_t kind, int64_t at_us,
                const void *body)
{
    site_event(&world->site, SITE_TICKET(ticket), kind, at_us, body, dk_id_make(DK_ACTOR_AGENT, 1),
               IMPORTED);
}

static void open_ticket(struct world *world, struct happening *now)
{
    Docket__Opened opened = DOCKET__OPENED__INIT;
    opened.has_priority = opened.has_group = opened.has_status = 1;
    opened.status = DOCKET__STATUS__STATUS_NEW;
    now->status = DOCKET__STATUS__STATUS_NEW;
    now->opens = true;
    now->asks = test_random_below(&world->random, 2) == 0; /* by phone, or an agent's own */
    opened.has_channel = 1;
    opened.channel = now->asks ? DOCKET__CHANNEL__CHANNEL_PHONE : DOCKET__CHANNEL__CHANNEL_WEB;
    now->priority = 1 + (unsigned)test_random_below(&world->random, 4);
    opened.priority = (Docket__Priority)now->priority;
    now->group = test_random_below(&world->random, 2) == 0 ? 0 : SITE_GROUP(1);
    opened.group = now->group;
    say(world, now->ticket, DK_KIND_OPENED, now->at_us, &opened);
}

static void change_status(struct world *world, struct happening *now)
{
    Docket__StatusChanged changed = DOCKET__STATUS_CHANGED__INIT;
    unsigned status = 2 + (unsigned)test_random_below(&world->random, 4);
    changed.status = (Docket__Status)status;
    now->solves = status == DOCKET__STATUS__STATUS_SOLVED;
    now->status = status;
    if (now->solves && test_random_below(&world->random, 4) == 0) {
        changed.has_final_us = 1; /* known to be unknown */
        now->unknown = true;
    }
    say(world, now->ticket, DK_KIND_STATUS_CHANGED, now->at_us, &changed);
}

static void change_values(struct world *world, struct happening *now)
{
    Docket__Classified classified = DOCKET__CLASSIFIED__INIT;
    Docket__Routed routed = DOCKET__ROUTED__INIT;
    if (test_random_below(&world->random, 2) == 0) {
        now->priority = 1 + (unsigned)test_random_below(&world->random, 4);
        classified.has_priority = 1;
        classified.priority = (Docket__Priority)now->priority;
        say(world, now->ticket, DK_KIND_CLASSIFIED, now->at_us, &classified);
    } else {
        uint64_t n = test_random_below(&world->random, 4);
        uint64_t group = n == 0 ? 0 : SITE_GROUP(n);
        now->reassigns = group != now->group;
        now->group = routed.group = group;
        say(world, now->ticket, DK_KIND_ROUTED, now->at_us, &routed);
    }
}

static void write_message(struct world *world, struct happening *now)
{
    Docket__MessagePublic message = DOCKET__MESSAGE_PUBLIC__INIT;
    now->asks = test_random_below(&world->random, 3) == 0;
    message.direction =
        now->asks ? DOCKET__DIRECTION__DIRECTION_INBOUND : DOCKET__DIRECTION__DIRECTION_OUTBOUND;
    message.has_automatic = 1;
    message.automatic = test_random_below(&world->random, 3) == 0;
    now->replies = !now->asks && !message.automatic;
    say(world, now->ticket, DK_KIND_MESSAGE_PUBLIC, now->at_us, &message);
}

/* Mostly forward in time; now and then something that happened before. */
static void step(struct world *world)
{
    unsigned ticket = 1 + (unsigned)test_random_below(&world->random, TICKETS);
    const struct happening *last = last_of(world, ticket);
    struct happening now = {.ticket = ticket};
    int64_t minute = (int64_t)world->count * 10 + (int64_t)test_random_below(&world->random, 30);
    now.at_us = START + minute * DK_MINUTE_US;
    if (last == NULL) {
        open_ticket(world, &now);
    } else {
        now.status = last->status;
        now.priority = last->priority;
        now.group = last->group;
        switch (test_random_below(&world->random, 4)) {
        case 0: change_values(world, &now); break;
        case 1: write_message(world, &now); break;
        default: change_status(world, &now); break;
        }
    }
    world->happened[world->count++] = now;
}

static void define_group(struct world *world)
{
    Docket__GroupDefined group = DOCKET__GROUP_DEFINED__INIT;
    group.definition = test_definition("first");
    site_event(&world->site, SITE_GROUP(1), DK_KIND_GROUP_DEFINED, START, &group,
               dk_id_make(DK_ACTOR_IMPORTER, 1), IMPORTED);
}

static void world_open(struct world *world, uint64_t seed)
{
    world->random.state = seed;
    world->count = 0;
    site_open(&world->site);
    define_group(world);
    while (world->count < EVENTS) {
        step(world);
    }
}

/* ---------------------------------------------------------------- the naive figures */

/* What one ticket's list says; times are INT64_MAX where there is none. */
struct naive {
    int64_t opened_us, asked_us, first_reply_us, solve_us;
    bool unknown, ended;
    unsigned priority; /* now */
    unsigned reopens, reassignments;
    unsigned priority_at_solve;
};

static bool ended(unsigned status)
{
    return status == DOCKET__STATUS__STATUS_SOLVED || status == DOCKET__STATUS__STATUS_CLOSED;
}

static struct naive naive_of(const struct world *world, unsigned ticket)
{
    struct naive naive = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, false, false, 0, 0, 0, 0};
    bool own = false;
    unsigned status = 0;
    for (size_t i = 0; i < world->count; i++) {
        const struct happening *h = &world->happened[i];
        if (h->ticket != ticket) {
            continue;
        }
        naive.opened_us = h->opens ? h->at_us : naive.opened_us;
        own = h->opens ? !h->asks : own;
        if (h->asks && h->at_us < naive.asked_us) {
            naive.asked_us = h->at_us;
        }
        if (h->replies && h->at_us < naive.first_reply_us) {
            naive.first_reply_us = h->at_us;
        }
        if (h->solves) {
            naive.solve_us = h->at_us;
            naive.unknown = h->unknown;
            naive.priority_at_solve = h->priority;
        }
        naive.reopens += ended(status) && !ended(h->status);
        naive.reassignments += h->reassigns;
        naive.priority = h->priority;
        status = h->status;
    }
    naive.asked_us = own ? naive.asked_us : naive.opened_us;
    if (own && naive.first_reply_us < naive.asked_us) {
        naive.first_reply_us = INT64_MAX; /* nobody had asked */
    }
    naive.ended = ended(status);
    return naive;
}

/* n and sum in minutes of a list of durations, in all and for one priority. */
struct sums {
    double n, sum;
};

static void add(struct sums *sums, int64_t us)
{
    sums->n++;
    sums->sum += (double)us / 60e6;
}

static void assert_sums(json_t *report, const char *cell, const char *measure, struct sums expected)
{
    if (cell != NULL && site_figures(report, cell, measure) == NULL) {
        ASSERT_EQ(expected.n, 0);
        return;
    }
    ASSERT_FIGURE(report, cell, measure, "n", expected.n);
    if (expected.n > 0) {
        ASSERT_FIGURE(report, cell, measure, "sum", expected.sum);
    }
}

static void check_durations(struct world *world, const char *values, bool as_now)
{
    struct sums reply = {0}, resolution = {0}, critical = {0}, reopens = {0}, moves = {0};
    double unknown = 0;
    for (unsigned ticket = 1; ticket <= TICKETS; ticket++) {
        struct naive naive = naive_of(world, ticket);
        bool solved = naive.ended && naive.solve_us != INT64_MAX;
        if (naive.first_reply_us != INT64_MAX) {
            add(&reply, naive.first_reply_us - naive.asked_us);
        }
        unknown += naive.ended && (!solved || naive.unknown);
        if (solved && !naive.unknown) {
            add(&resolution, naive.solve_us - naive.opened_us);
            if ((as_now ? naive.priority : naive.priority_at_solve) == 1) {
                add(&critical, naive.solve_us - naive.opened_us);
            }
        }
        if (naive.ended) {
            add(&reopens, naive.reopens * 60000000);
            add(&moves, naive.reassignments * 60000000);
        }
    }
    json_t *report = KPI(&world->site, values, "by=priority", "unit=m",
                         "measures=first-reply,resolution,reopens,reassignments");
    assert_sums(report, NULL, "first-reply", reply);
    assert_sums(report, NULL, "resolution", resolution);
    assert_sums(report, "critical", "resolution", critical);
    assert_sums(report, NULL, "reopens", reopens);
    assert_sums(report, NULL, "reassignments", moves);
    ASSERT_FIGURE(report, NULL, "resolution", "unknown", unknown);
    json_decref(report);
}

static const struct happening *last_solve_of(const struct world *world, unsigned ticket)
{
    const struct happening *last = NULL;
    for (size_t i = 0; i < world->count; i++) {
        const struct happening *h = &world->happened[i];
        last = h->ticket == ticket && h->solves ? h : last;
    }
    return last;
}

/* Whether a ticket was live at an instant: a change of status takes effect at its own time, or with
 * the one before it when that is later. */
static bool live_at(const struct world *world, unsigned ticket, int64_t at_us)
{
    int64_t in_effect_us = INT64_MIN;
    unsigned status = 0;
    bool live = false;
    for (size_t i = 0; i < world->count; i++) {
        const struct happening *h = &world->happened[i];
        if (h->ticket != ticket) {
            continue;
        }
        if (h->status != status && !(h->unknown && h == last_solve_of(world, ticket))) {
            in_effect_us = h->at_us > in_effect_us ? h->at_us : in_effect_us;
            live = in_effect_us <= at_us ? !ended(h->status) : live;
        }
        status = h->status;
    }
    return live;
}

static void check_backlog(struct world *world)
{
    for (int k = 0; k < 20; k++) {
        int64_t at_us =
            START + (int64_t)test_random_below(&world->random, EVENTS * 10) * DK_MINUTE_US;
        char at[64], text[DK_TIME_TEXT_BYTES];
        double live = 0;
        for (unsigned ticket = 1; ticket <= TICKETS; ticket++) {
            live += live_at(world, ticket, at_us);
        }
        (void)snprintf(at, sizeof at, "at=%s", dk_time_format(at_us, 0, text));
        json_t *report = KPI(&world->site, "measures=backlog", at);
        ASSERT_FIGURE(report, NULL, "backlog", "n", live);
        json_decref(report);
    }
}

static void test_kpi_random_equals_a_naive_recomputation(void **state)
{
    static struct world world;
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        world_open(&world, seed);
        check_durations(&world, "values=as-was", false);
        check_durations(&world, "values=as-now", true);
        check_backlog(&world);
        site_close(&world.site);
    }
}

/* ---------------------------------------------------------------- replay and restore */

static const char *const everything[] = {
    ("measures=opened,solved,closed,reopened,reassigned,first-public-reply,first-reply,resolution,"
     "net-resolution,next-reply,update,requester-wait,agent-work,group-ownership,supplier-hold,"
     "pass-through,"
     "fix-reopened,escalation-rate,closure,reopens,reassignments,irregular,reopen-rate,first-"
     "contact,first-line,backlog"),
    "by=group,priority,day", "unit=h"};

static void assert_same_report(struct site *site, struct dk_folder *other)
{
    struct dk_buf json;
    struct dk_err err = {0};
    dk_buf_init(&json, SITE_MAX_BYTES);
    ASSERT_OK(dk_folder_query(other, "kpi", everything, 3, &json, &err), &err);
    dk_buf_clear(&site->json);
    ASSERT_OK(dk_folder_query(site->folder, "kpi", everything, 3, &site->json, &err), &err);
    ASSERT_EQ(json.size, site->json.size);
    assert_memory_equal(json.data, site->json.data, json.size);
    assert_true(json.size > 10000);
    assert_true(dk_folder_hash(other) == dk_folder_hash(site->folder));
    dk_buf_close(&json);
}

static void test_kpi_random_replay_gives_the_same_bytes(void **state)
{
    static struct world world;
    struct dk_folder *replay = NULL;
    struct dk_err err = {0};
    (void)state;
    world_open(&world, 7001);
    ASSERT_OK(dk_folder_new(&replay, &dk_analytics_role, &err), &err);
    for (uint64_t p = 1; p <= world.site.position; p++) {
        site_fold(replay, &world.site, p, &err);
    }
    assert_same_report(&world.site, replay);
    dk_folder_free(&replay);
    site_close(&world.site);
}

/* The site's records as a log on disk, closed again. */
static void write_log(struct test_log *log, const struct site *site)
{
    uint32_t *offset = calloc(site->position + 1, sizeof *offset);
    struct dk_batch batch = {1, site->position, site->records.data, offset};
    for (uint64_t p = 0; p <= site->position; p++) {
        offset[p] = (uint32_t)site->start[p];
    }
    ASSERT_OK(test_log_open(log), &log->err);
    ASSERT_OK(dk_log_commit(log->log, &batch, &log->err), &log->err);
    dk_log_reader_free(&log->reader);
    dk_log_close(&log->log);
    free(offset);
}

/* Folds half of the history into a folder, written down twice (whole, then what changed since), and
 * a folder that is restored from there. */
static struct dk_folder *restore_half(const struct site *site, const struct test_log *log)
{
    struct dk_folder *half = NULL, *restored = NULL;
    struct dk_checkpoint *checkpoint = NULL;
    struct dk_source *source = NULL;
    struct dk_config config = {0};
    struct dk_err err = {0};
    const uint8_t uuid[16] = {7};
    (void)snprintf(config.log, sizeof config.log, "%.*s", DK_PATH_BYTES - 1, log->dir);
    ASSERT_OK(dk_source_open(&source, DK_SOURCE_SHARED, NULL, &config, NULL, &err), &err);
    ASSERT_OK(dk_folder_new(&half, &dk_analytics_role, &err), &err);
    ASSERT_OK(dk_folder_new(&restored, &dk_analytics_role, &err), &err);
    ASSERT_OK(dk_checkpoint_open(&checkpoint, log->folder.path, &dk_analytics_role, uuid, &err),
              &err);
    for (uint64_t p = 1; p <= EVENTS / 2; p++) {
        site_fold(half, site, p, &err);
        if (p == EVENTS / 4 || p == EVENTS / 2) {
            ASSERT_OK(dk_checkpoint_write(checkpoint, half, &err), &err);
        }
    }
    ASSERT_OK(dk_checkpoint_restore(checkpoint, &restored, source, &err), &err);
    ASSERT_EQ(dk_folder_position(restored), EVENTS / 2);
    assert_true(dk_folder_hash(restored) == dk_folder_hash(half));
    dk_checkpoint_close(&checkpoint);
    dk_source_close(&source);
    dk_folder_free(&half);
    return restored;
}

static void test_kpi_random_checkpoint_gives_the_same_bytes(void **state)
{
    static struct world world;
    struct test_log log;
    struct dk_err err = {0};
    (void)state;
    world_open(&world, 7002);
    write_log(&log, &world.site);
    struct dk_folder *restored = restore_half(&world.site, &log);
    for (uint64_t p = EVENTS / 2 + 1; p <= world.site.position; p++) {
        site_fold(restored, &world.site, p, &err);
    }
    assert_same_report(&world.site, restored);
    dk_folder_free(&restored);
    test_log_close(&log);
    site_close(&world.site);
}

/* Whatever valid bodies say, in whatever order: folded, reported, and no step has a byte that no
 * field defines. */
static void test_kpi_random_bodies_of_every_kind_are_folded(void **state)
{
    struct test_random random = {.state = 99};
    struct dk_arena arena;
    struct site site;
    (void)state;
    assert_int_equal(dk_arena_init(&arena, 1 << 20), 0);
    site_open(&site);
    for (unsigned i = 0; i < 3000; i++) {
        uint32_t kind = DK_KIND_MIN +
                        (uint32_t)test_random_below(&random, DK_KIND_TICKET_LAST - DK_KIND_MIN + 1);
        uint64_t ticket = SITE_TICKET(1 + test_random_below(&random, 20));
        uint64_t actor = dk_id_make(1 + (unsigned)test_random_below(&random, 7), 1);
        dk_arena_reset(&arena);
        site_event(&site, ticket, kind, START + (int64_t)i, test_body(&arena, kind, &random, false),
                   actor, IMPORTED);
    }
    dk_buf_clear(&site.json);
    ASSERT_OK(dk_folder_query(site.folder, "kpi", everything, 3, &site.json, &site.err), &site.err);
    site_close(&site);
    dk_arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kpi_random_equals_a_naive_recomputation),
        cmocka_unit_test(test_kpi_random_replay_gives_the_same_bytes),
        cmocka_unit_test(test_kpi_random_checkpoint_gives_the_same_bytes),
        cmocka_unit_test(test_kpi_random_bodies_of_every_kind_are_folded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
