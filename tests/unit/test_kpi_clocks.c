/* Random histories, from seeds: what is waited for, measured from a ticket's steps, is what the
 * clocks of the same names come to (fold/clocks.h), which are computed from its transitions. Of
 * replies they differ: clocks rest while a ticket is solved, and customers do not. */
#include "nodes/analytics/kpi.h"
#include "proto/fold/clocks.h"
#include "tests/lib/random.h"
#include "tests/unit/analytics_site.h"

#define SEEDS   400
#define EVENTS  120
#define TICKETS 4
#define START   INT64_C(1767225600000000) /* 2026-01-01 */

struct world {
    struct site site;
    struct test_random random;
    struct dk_refs *refs;
    struct dk_clocks clocks;
    int64_t now_us;
    struct ticket {
        struct dk_transition transition[EVENTS * 8];
        size_t count;
    } ticket[TICKETS];
};

static void define_policy(struct world *world, uint64_t position, const char *key,
                          Docket__PolicyType type, unsigned from, unsigned to)
{
    Docket__PolicyDefined policy = DOCKET__POLICY_DEFINED__INIT;
    Docket__Goal goal[DK_CLOCK_METRICS], *goals[DK_CLOCK_METRICS];
    Docket__Pending pause[] = {DOCKET__PENDING__PENDING_CUSTOMER,
                               DOCKET__PENDING__PENDING_INTERNAL};
    policy.definition = test_definition(key);
    policy.type = type;
    policy.n_pause = 2;
    policy.pause = pause;
    policy.goal = goals;
    for (unsigned metric = from; metric <= to; metric++) {
        docket__goal__init(&goal[metric]);
        goal[metric].metric = (Docket__Metric)metric;
        goal[metric].target_us = UINT64_C(1) << 56;
        goals[policy.n_goal++] = &goal[metric];
    }
    test_define(world->refs, position, START - 1, DK_KIND_POLICY_DEFINED, &policy);
    site_event(&world->site, test_id(DK_SUBJECT_POLICY, key), DK_KIND_POLICY_DEFINED, START - 1,
               &policy, dk_id_make(DK_ACTOR_OPERATOR, 1), 0);
}

static void world_open(struct world *world, uint64_t seed)
{
    memset(world, 0, sizeof *world);
    world->random.state = seed;
    world->now_us = START;
    site_open(&world->site);
    dk_clocks_init(&world->clocks);
    ASSERT_OK(dk_refs_new(&world->refs, &world->site.err), &world->site.err);
    define_policy(world, 1, "sla", DOCKET__POLICY_TYPE__POLICY_SLA,
                  DOCKET__METRIC__METRIC_FIRST_REPLY, DOCKET__METRIC__METRIC_RESOLUTION);
    define_policy(world, 2, "ola", DOCKET__POLICY_TYPE__POLICY_OLA,
                  DOCKET__METRIC__METRIC_GROUP_OWNERSHIP, DOCKET__METRIC__METRIC_GROUP_OWNERSHIP);
    define_policy(world, 3, "uc", DOCKET__POLICY_TYPE__POLICY_UC, DOCKET__METRIC__METRIC_SUPPLIER,
                  DOCKET__METRIC__METRIC_SUPPLIER);
}

static void world_close(struct world *world)
{
    dk_clocks_close(&world->clocks);
    dk_refs_free(&world->refs);
    site_close(&world->site);
}

static void promise(struct world *world, unsigned n)
{
    Docket__ClockStarted started = DOCKET__CLOCK_STARTED__INIT;
    started.clock = site_clock(DOCKET__METRIC__METRIC_RESOLUTION, 1);
    started.policy = test_id(DK_SUBJECT_POLICY, "sla");
    site_event(&world->site, SITE_TICKET(n + 1), DK_KIND_CLOCK_STARTED, world->now_us, &started,
               BY_NODE, 0);
}

/* Into the log, and among the ticket's transitions. */
static void say(struct world *world, unsigned n, uint32_t kind, const void *body)
{
    struct ticket *ticket = &world->ticket[n];
    struct dk_transition made[DK_TRANSITIONS_OF_EVENT];
    site_event(&world->site, SITE_TICKET(n + 1), kind, world->now_us, body, BY_AGENT, IMPORTED);
    const struct dk_envelope envelope = {.position = world->site.position,
                                         .recorded_us = world->now_us,
                                         .occurred_us = world->now_us,
                                         .subject = SITE_TICKET(n + 1),
                                         .kind = kind,
                                         .actor = BY_AGENT,
                                         .flags = IMPORTED};
    size_t count = dk_transitions_of(&envelope, body, made);
    for (size_t i = 0; i < count; i++) {
        dk_transitions_insert(ticket->transition, ticket->count++, &made[i]);
    }
}

static uint64_t below(struct world *world, uint64_t n)
{
    return test_random_below(&world->random, n);
}

static void change_status(struct world *world, unsigned n)
{
    Docket__StatusChanged changed = DOCKET__STATUS_CHANGED__INIT;
    changed.status = (Docket__Status)(DOCKET__STATUS__STATUS_OPEN + below(world, 4));
    changed.has_pending = changed.status == DOCKET__STATUS__STATUS_PENDING;
    changed.pending = changed.has_pending ? (Docket__Pending)(1 + below(world, 3))
                                          : DOCKET__PENDING__PENDING_NONE;
    say(world, n, DK_KIND_STATUS_CHANGED, &changed);
}

static void write_message(struct world *world, unsigned n)
{
    Docket__MessagePublic message = DOCKET__MESSAGE_PUBLIC__INIT;
    message.direction = (Docket__Direction)(1 + below(world, 2));
    message.has_automatic = 1;
    message.automatic = below(world, 4) == 0;
    say(world, n, DK_KIND_MESSAGE_PUBLIC, &message);
}

static void move(struct world *world, unsigned n)
{
    Docket__Routed routed = DOCKET__ROUTED__INIT;
    uint64_t group = below(world, 4);
    routed.line = 1;
    routed.group = group == 0 ? 0 : SITE_GROUP(group);
    say(world, n, DK_KIND_ROUTED, &routed);
}

static void hand(struct world *world, unsigned n)
{
    Docket__SupplierHanded handed = DOCKET__SUPPLIER_HANDED__INIT;
    Docket__SupplierReturned returned = DOCKET__SUPPLIER_RETURNED__INIT;
    handed.supplier = returned.supplier = dk_id_make(DK_SUBJECT_SUPPLIER, 1);
    if (below(world, 2) == 0) {
        say(world, n, DK_KIND_SUPPLIER_HANDED, &handed);
    } else {
        say(world, n, DK_KIND_SUPPLIER_RETURNED, &returned);
    }
}

static void step(struct world *world)
{
    unsigned n = (unsigned)below(world, TICKETS);
    Docket__Opened opened = DOCKET__OPENED__INIT;
    world->now_us += (int64_t)(1 + below(world, 90)) * DK_MINUTE_US;
    if (world->ticket[n].count == 0) {
        opened.has_channel = 1;
        opened.channel = DOCKET__CHANNEL__CHANNEL_PHONE;
        say(world, n, DK_KIND_OPENED, &opened);
        promise(world, n);
        return;
    }
    switch (below(world, 7)) {
    case 0: move(world, n); break;
    case 1: hand(world, n); break;
    case 2:
    case 3: write_message(world, n); break;
    default: change_status(world, n); break;
    }
}

/* What the clocks of a metric came to that were fulfilled. */
static void sum_clocks(struct world *world, unsigned metric, double *n, double *minutes)
{
    for (unsigned t = 0; t < TICKETS; t++) {
        const struct ticket *ticket = &world->ticket[t];
        dk_clocks_compute(&world->clocks, ticket->transition, ticket->count, world->refs,
                          world->now_us);
        for (size_t i = 0; i < world->clocks.count; i++) {
            const struct dk_clock *clock = &world->clocks.clock[i];
            if (clock->metric == metric && clock->verdict == DOCKET__VERDICT__VERDICT_MET) {
                (*n)++;
                *minutes += (double)clock->wall_us / 60e6;
            }
        }
    }
}

static void test_kpi_clocks_and_measures_agree(void **state)
{
    static const struct {
        const char *measure;
        unsigned metric;
    } pairs[] = {{"update", DOCKET__METRIC__METRIC_UPDATE},
                 {"requester-wait", DOCKET__METRIC__METRIC_REQUESTER_WAIT},
                 {"agent-work", DOCKET__METRIC__METRIC_AGENT_WORK},
                 {"net-resolution", DOCKET__METRIC__METRIC_RESOLUTION},
                 {"group-ownership", DOCKET__METRIC__METRIC_GROUP_OWNERSHIP},
                 {"supplier-hold", DOCKET__METRIC__METRIC_SUPPLIER}};
    static struct world world;
    double seen[sizeof pairs / sizeof *pairs] = {0};
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        world_open(&world, seed);
        for (unsigned i = 0; i < EVENTS; i++) {
            step(&world);
        }
        for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
            char argument[64];
            double n = 0, minutes = 0;
            sum_clocks(&world, pairs[i].metric, &n, &minutes);
            (void)snprintf(argument, sizeof argument, "measures=%s", pairs[i].measure);
            json_t *report = KPI(&world.site, argument, "unit=m");
            if (site_number(report, NULL, pairs[i].measure, "n") != n ||
                (n > 0 && site_number(report, NULL, pairs[i].measure, "sum") != minutes)) {
                fail_msg("seed %d: %s: %s, clocks: n %g, %g minutes", (int)seed, pairs[i].measure,
                         dk_buf_string(&world.site.json), n, minutes);
            }
            seen[i] += n;
            json_decref(report);
        }
        world_close(&world);
    }
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        assert_true(seen[i] > SEEDS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kpi_clocks_and_measures_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
