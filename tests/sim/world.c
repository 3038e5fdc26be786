#include "tests/sim/world.h"

#include "proto/base/time.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTLE_US (300 * SIM_SECOND_US) /* then everything must be settled */

static void on_durable(void *arg)
{
    struct sim_world *world = arg;
    bool recovered = world->broker.writing == SIM_NOT_WRITING;
    sim_checker_look(&world->checker, recovered);
}

static void on_announce(void *arg, uint64_t head, int64_t now_us)
{
    struct sim_world *world = arg;
    for (size_t i = 0; i < SIM_ROLES; i++) {
        sim_node_announce(&world->node[i], head, now_us);
    }
}

static void build(struct sim_world *world, uint64_t seed, bool verbose)
{
    static const char *const names[SIM_PEOPLE] = {"ann", "bob", "cleo", "importer"};
    memset(world, 0, sizeof *world);
    sim_scene_init(&world->scene, seed, verbose);
    sim_net_init(&world->net, &world->scene);
    sim_broker_init(&world->broker, &world->scene, &world->net);
    sim_ledger_init(&world->ledger, &world->scene);
    sim_checker_init(&world->checker, &world->ledger, &world->broker.store);
    world->broker.arg = world;
    world->broker.on_durable = on_durable;
    world->broker.on_announce = on_announce;
    world->broker.clocks.drift_ppm = sim_between(&world->scene, -100, 100);
    world->broker.clocks.wall_base_us =
        INT64_C(1770000000) * SIM_SECOND_US + sim_between(&world->scene, 0, DK_DAY_US);
    for (size_t i = 0; i < SIM_ROLES; i++) {
        sim_node_init(&world->node[i], i, &world->checker, &world->broker, &world->net);
    }
    sim_organization_init(&world->organization, &world->ledger, &world->net, &world->broker);
    for (size_t i = 0; i < SIM_PEOPLE; i++) {
        sim_people_init(&world->people[i], names[i],
                        i + 1 < SIM_PEOPLE ? DK_ROLE_AGENT : DK_ROLE_IMPORTER, &world->organization,
                        &world->ledger, &world->checker.offers, &world->net);
        world->people[i].pause_us = sim_between(&world->scene, 100, 1500) * 1000;
        world->people[i].client.impatient_permille = (unsigned)sim_between(&world->scene, 0, 100);
    }
    world->people[SIM_PEOPLE - 1].pause_us *= 8;
    sim_faults_plan(world);
    sim_broker_start(&world->broker);
    for (size_t i = 0; i < SIM_ROLES; i++) {
        sim_node_start(&world->node[i]);
    }
}

static void tear_down(struct sim_world *world)
{
    for (size_t i = 0; i < SIM_ROLES; i++) {
        sim_node_close(&world->node[i]);
    }
    for (size_t i = 0; i < SIM_PEOPLE; i++) {
        sim_client_close(&world->people[i].client);
    }
    sim_client_close(&world->organization.operator);
    sim_checker_close(&world->checker);
    sim_ledger_close(&world->ledger);
    sim_broker_close(&world->broker);
    sim_net_close(&world->net);
    sim_scene_close(&world->scene);
}

static void live_until(struct sim_world *world, int64_t until_us)
{
    while (world->scene.now_us < until_us && sim_next(&world->scene)) {
    }
}

/* Nobody waits for an answer, nodes are at the head, and nothing is owed. */
static bool settled(struct sim_world *world, char what[128])
{
    size_t waiting = world->organization.operator.queued;
    for (size_t i = 0; i < SIM_PEOPLE; i++) {
        waiting += world->people[i].client.queued;
    }
    if (waiting > 0) {
        snprintf(what, 128, "%zu requests wait for an answer", waiting);
        return false;
    }
    for (size_t i = 0; i < SIM_ROLES; i++) {
        const struct sim_node *node = &world->node[i];
        if (!dk_decider_live(node->decider) ||
            dk_folder_position(node->folder) != world->checker.checked) {
            snprintf(what, 128, "%s is not live at the head", node->link.name);
            return false;
        }
    }
    struct dk_now now = sim_broker_now(&world->broker);
    return sim_checker_owes_nothing(&world->checker, dk_core_time_us(world->broker.core, now),
                                    what);
}

static void settle(struct sim_world *world)
{
    char what[128] = "";
    int64_t until_us = world->scene.now_us + SETTLE_US;
    sim_faults_end(world);
    world->organization.quiet = true;
    for (size_t i = 0; i < SIM_PEOPLE; i++) {
        world->people[i].quiet = true;
    }
    do {
        live_until(world, world->scene.now_us + SIM_SECOND_US);
        if (!world->scene.violated && settled(world, what)) {
            struct dk_now now = sim_broker_now(&world->broker);
            sim_trace(&world->scene, "settled at %" PRIu64, world->checker.checked);
            sim_checker_end(&world->checker, dk_core_time_us(world->broker.core, now));
            return;
        }
    } while (!world->scene.violated && world->scene.now_us < until_us);
    sim_violate(&world->scene, "the world settles when faults end", "%s", what);
}

void sim_world_run(uint64_t seed, bool verbose, bool print, struct sim_result *result)
{
    struct sim_world *world = malloc(sizeof *world);
    DK_ASSERT(world != NULL);
    build(world, seed, verbose);
    live_until(world, sim_between(&world->scene, 20, 70) * SIM_SECOND_US);
    if (!world->scene.violated) {
        settle(world);
    }
    *result = (struct sim_result){
        .trace_hash = world->scene.hash,
        .position = world->checker.checked,
        .actions = world->ledger.count,
        .decisions = world->checker.decisions,
        .crashes = world->broker.crashes,
        .offers = world->checker.offers.offered,
        .declined = world->checker.offers.declined,
        .steps = world->checker.offers.steps,
        .violated = world->scene.violated,
    };
    for (size_t i = 0; i < SIM_ROLES; i++) {
        result->kills += world->node[i].kills;
    }
    memcpy(result->violation, world->scene.violation, sizeof result->violation);
    if (world->scene.violated && print) {
        sim_trace_print(&world->scene);
    }
    tear_down(world);
    free(world);
}
