/* What goes wrong. Each world has some of these, each at a pace of its own. */
#include "tests/sim/world.h"

#include "proto/base/time.h"

static struct sim_world *again(void *arg, uint64_t pace_us, void (*fault)(void *, uint64_t))
{
    struct sim_world *world = arg;
    if (!world->faulty) {
        return NULL;
    }
    sim_in(&world->scene, sim_about(&world->scene, (int64_t)pace_us), fault, world, pace_us);
    return world;
}

/* ---------------------------------------------------------------- the broker */

static void restart_broker(void *arg, uint64_t unused)
{
    struct sim_world *world = arg;
    (void)unused;
    if (world->broker.core == NULL) {
        sim_broker_start(&world->broker);
    }
}

static void look_for_dead_broker(void *arg, uint64_t pace_us)
{
    struct sim_world *world = again(arg, pace_us, look_for_dead_broker);
    if (world != NULL && world->broker.core == NULL) {
        sim_in(&world->scene, sim_about(&world->scene, SIM_SECOND_US), restart_broker, world, 0);
    }
}

static void crash_broker(void *arg, uint64_t pace_us)
{
    struct sim_world *world = again(arg, pace_us, crash_broker);
    if (world != NULL) {
        sim_broker_crash(&world->broker, sim_chance(&world->scene, 600));
    }
}

/* At the next commit's most delicate moments. */
static void crash_in_commit(void *arg, uint64_t pace_us)
{
    struct sim_world *world = again(arg, pace_us, crash_in_commit);
    if (world != NULL) {
        world->broker.die_at =
            (enum sim_step)sim_between(&world->scene, SIM_BEFORE_APPEND, SIM_BEFORE_ANSWERS);
    }
}

static void slow_disk(void *arg, uint64_t pace_us)
{
    struct sim_world *world = again(arg, pace_us, slow_disk);
    if (world != NULL) {
        world->broker.sync_us = sim_chance(&world->scene, 500) ? 300000 : 2000;
        sim_trace(&world->scene, "disk: a sync takes about %lld us",
                  (long long)world->broker.sync_us);
    }
}

static void fail_sync(void *arg, uint64_t pace_us)
{
    struct sim_world *world = again(arg, pace_us, fail_sync);
    if (world != NULL) {
        sim_broker_fail_sync(&world->broker);
    }
}

static void fill_disk(void *arg, uint64_t pace_us)
{
    struct sim_world *world = again(arg, pace_us, fill_disk);
    if (world != NULL) {
        sim_broker_set_space(&world->broker, !world->broker.accepting);
        sim_trace(&world->scene, "disk: %s", world->broker.accepting ? "has space" : "is full");
    }
}

/* Undone sometimes, as a time daemon would; else an operator must accept it. */
static void step_clock(void *arg, uint64_t pace_us)
{
    struct sim_world *world = again(arg, pace_us, step_clock);
    if (world != NULL) {
        struct sim_clocks *clocks = &world->broker.clocks;
        bool back = clocks->step_us != 0 && sim_chance(&world->scene, 500);
        int64_t most_us = sim_chance(&world->scene, 500) ? DK_MINUTE_US : 2 * DK_HOUR_US;
        clocks->step_us = back ? 0 : sim_between(&world->scene, -most_us, most_us);
        sim_trace(&world->scene, "clock: is %lld us off", (long long)clocks->step_us);
    }
}

/* ---------------------------------------------------------------- the network */

static struct sim_link *some_link(struct sim_world *world)
{
    return world->net.link[test_random_below(&world->scene.random, world->net.links)];
}

static void break_link(void *arg, uint64_t pace_us)
{
    struct sim_world *world = again(arg, pace_us, break_link);
    if (world != NULL) {
        int64_t cut_us =
            sim_chance(&world->scene, 500) ? 0 : sim_about(&world->scene, 4 * SIM_SECOND_US);
        sim_link_break(some_link(world), cut_us);
    }
}

static void partition(void *arg, uint64_t pace_us)
{
    struct sim_world *world = again(arg, pace_us, partition);
    if (world != NULL) {
        int64_t cut_us = sim_about(&world->scene, 5 * SIM_SECOND_US);
        for (size_t i = 0; i < world->net.links; i++) {
            if (sim_chance(&world->scene, 600)) {
                sim_link_break(world->net.link[i], cut_us);
            }
        }
    }
}

/* ---------------------------------------------------------------- nodes */

static void restart_nodes(void *arg, uint64_t pace_us)
{
    struct sim_world *world = again(arg, pace_us, restart_nodes);
    for (size_t i = 0; world != NULL && i < SIM_ROLES; i++) {
        if (world->node[i].folder == NULL) {
            sim_node_start(&world->node[i]);
        }
    }
}

static struct sim_node *some_node(struct sim_world *world)
{
    return &world->node[test_random_below(&world->scene.random, SIM_ROLES)];
}

static void kill_node(void *arg, uint64_t pace_us)
{
    struct sim_world *world = again(arg, pace_us, kill_node);
    if (world != NULL) {
        sim_node_kill(some_node(world));
    }
}

static void pause_node(void *arg, uint64_t pace_us)
{
    struct sim_world *world = again(arg, pace_us, pause_node);
    if (world != NULL) {
        sim_node_pause(some_node(world), sim_about(&world->scene, 3 * SIM_SECOND_US));
    }
}

static void copy_node(void *arg, uint64_t pace_us)
{
    struct sim_world *world = again(arg, pace_us, copy_node);
    if (world != NULL) {
        sim_node_copy(some_node(world));
    }
}

/* ---------------------------------------------------------------- plans */

static void plan(struct sim_world *world, unsigned permille, int64_t least_s, int64_t most_s,
                 void (*fault)(void *, uint64_t))
{
    int64_t pace_us = sim_between(&world->scene, least_s, most_s) * SIM_SECOND_US;
    if (sim_chance(&world->scene, permille)) {
        sim_in(&world->scene, sim_about(&world->scene, pace_us), fault, world, (uint64_t)pace_us);
    }
}

void sim_faults_plan(struct sim_world *world)
{
    world->faulty = true;
    world->broker.sync_us = 2000;
    world->net.delay_us = sim_between(&world->scene, 100, 20000);
    world->net.late_permille = (unsigned)sim_between(&world->scene, 0, 10);
    world->net.lost_permille =
        sim_chance(&world->scene, 500) ? (unsigned)sim_between(&world->scene, 1, 30) : 0;
    for (size_t i = 0; i < SIM_ROLES; i++) {
        world->node[i].post.lost_permille = (unsigned)sim_between(&world->scene, 0, 300);
    }
    plan(world, 1000, 1, 1, look_for_dead_broker);
    plan(world, 1000, 1, 2, restart_nodes);
    plan(world, 700, 5, 30, crash_broker);
    plan(world, 700, 3, 20, crash_in_commit);
    plan(world, 300, 3, 15, slow_disk);
    plan(world, 300, 3, 30, fail_sync);
    plan(world, 200, 10, 20, fill_disk);
    plan(world, 300, 10, 30, step_clock);
    plan(world, 600, 2, 20, break_link);
    plan(world, 400, 10, 30, partition);
    plan(world, 700, 3, 20, kill_node);
    plan(world, 500, 3, 20, pause_node);
    plan(world, 800, 3, 10, copy_node);
}

void sim_faults_end(struct sim_world *world)
{
    sim_trace(&world->scene, "faults end");
    world->faulty = false;
    world->broker.die_at = SIM_NOT_WRITING;
    world->broker.sync_us = 2000;
    sim_disk_fail_sync(&world->broker.disk, NULL, 0);
    sim_net_heal(&world->net);
    sim_broker_set_space(&world->broker, true);
    restart_broker(world, 0);
    for (size_t i = 0; i < SIM_ROLES; i++) {
        world->node[i].post.lost_permille = 0;
        if (world->node[i].folder == NULL) {
            sim_node_start(&world->node[i]);
        }
    }
}
