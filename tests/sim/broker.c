#include "tests/sim/broker.h"

#include "broker/core/annex.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void sim_broker_init(struct sim_broker *broker, struct sim_scene *scene, struct sim_net *net)
{
    memset(broker, 0, sizeof *broker);
    broker->scene = scene;
    broker->net = net;
    broker->identity = (struct dk_log_identity){.uuid = {1, 2, 3}, .salt = {9}, .site = SIM_SITE};
    broker->accepting = true;
    dk_core_defaults(&broker->options);
    broker->options.batch_max_bytes = DK_REQUEST_MAX_BYTES;
    sim_disk_init(&broker->disk);
}

static void empty_inbox(struct sim_broker *broker)
{
    while (broker->inbox_head < broker->inbox_count) {
        free(broker->inbox[broker->inbox_head++].frame);
    }
    broker->inbox_head = broker->inbox_count = 0;
}

static void stop(struct sim_broker *broker)
{
    dk_core_free(&broker->core);
    dk_heads_close(&broker->heads);
    sim_store_close(&broker->store);
    empty_inbox(broker);
    broker->writing = SIM_NOT_WRITING;
    broker->turning = false;
    broker->life++;
}

void sim_broker_close(struct sim_broker *broker)
{
    stop(broker);
    free(broker->inbox);
    sim_disk_close(&broker->disk);
}

struct dk_now sim_broker_now(const struct sim_broker *broker)
{
    return (struct dk_now){sim_wall_us(&broker->clocks, broker->scene),
                           sim_boot_us(&broker->clocks, broker->scene)};
}

/* How much of what was not synced a disk keeps. */
static unsigned some_of_it(struct sim_broker *broker)
{
    static const unsigned kept[] = {0, 300, 700, 950, 1000};
    return kept[test_random_below(&broker->scene->random, 5)];
}

void sim_broker_fail_sync(struct sim_broker *broker)
{
    sim_disk_fail_sync(&broker->disk, &broker->scene->random, some_of_it(broker));
}

void sim_broker_crash(struct sim_broker *broker, bool power)
{
    unsigned keep = power ? some_of_it(broker) : 1000;
    if (broker->core == NULL) {
        return;
    }
    sim_trace(broker->scene, "broker: dies at step %d, head %" PRIu64 ", %u permille of %zu kept",
              broker->writing, dk_core_durable(broker->core), keep, broker->disk.cached);
    stop(broker);
    broker->crashes++;
    broker->die_at = SIM_NOT_WRITING;
    sim_disk_crash(&broker->disk, &broker->scene->random, keep);
    sim_net_broker_gone(broker->net);
    if (power) {
        broker->clocks.started_us = broker->scene->now_us;
    }
}

void sim_broker_set_space(struct sim_broker *broker, bool accepting)
{
    broker->accepting = accepting;
    if (broker->core != NULL) {
        dk_core_set_space(broker->core, accepting);
    }
}

/* ---------------------------------------------------------------- committing */

/* Whether this event is of this life; and whether it is the step at which to die. */
static bool alive(struct sim_broker *broker, uint64_t life, enum sim_step at)
{
    if (broker->life != life || broker->core == NULL) {
        return false;
    }
    broker->writing = at;
    if (broker->die_at == at) {
        sim_broker_crash(broker, sim_chance(broker->scene, 500));
        return false;
    }
    return true;
}

/* Takes a step of the commit; one that fails ends the process, and sometimes the machine. */
static bool write_step(struct sim_broker *broker)
{
    struct dk_err err;
    int rc = dk_write_step(&broker->write, &err);
    if (rc != 0) {
        sim_trace(broker->scene, "broker: %s", err.message);
        sim_broker_crash(broker, sim_chance(broker->scene, 300));
    }
    return rc == 0;
}

static void announce(struct sim_broker *broker)
{
    broker->on_announce(broker->arg, dk_core_durable(broker->core),
                        dk_core_time_us(broker->core, sim_broker_now(broker)));
}

static void turn(void *arg, uint64_t life);

static void turn_soon(struct sim_broker *broker)
{
    if (!broker->turning) {
        broker->turning = true;
        sim_in(broker->scene, sim_between(broker->scene, 1, 200), turn, broker, broker->life);
    }
}

static void answer(void *arg, uint64_t life)
{
    struct sim_broker *broker = arg;
    if (alive(broker, life, SIM_BEFORE_ANSWERS)) {
        broker->writing = SIM_NOT_WRITING;
        dk_core_committed(broker->core);
        announce(broker);
        turn_soon(broker);
    }
}

static void sync(void *arg, uint64_t life)
{
    struct sim_broker *broker = arg;
    if (alive(broker, life, SIM_BEFORE_SYNC) && write_step(broker)) {
        sim_trace(broker->scene, "broker: synced %zu records, head %" PRIu64,
                  broker->write.batch->count, sim_store_last(&broker->store));
        broker->on_durable(broker->arg);
        sim_in(broker->scene, sim_between(broker->scene, 1, 100), answer, broker, life);
    }
}

static void append(void *arg, uint64_t life)
{
    struct sim_broker *broker = arg;
    if (alive(broker, life, SIM_BEFORE_APPEND) && write_step(broker)) {
        broker->writing = SIM_BEFORE_SYNC;
        sim_in(broker->scene, sim_about(broker->scene, broker->sync_us), sync, broker, life);
    }
}

static void write_next(struct sim_broker *broker)
{
    const struct dk_batch *batch = dk_core_take(broker->core);
    if (batch != NULL) {
        broker->write = (struct dk_write){.store = &broker->store.store, .batch = batch};
        broker->writing = SIM_BEFORE_APPEND;
        sim_in(broker->scene, sim_between(broker->scene, 1, 500), append, broker, broker->life);
    }
}

/* ---------------------------------------------------------------- requests */

static void serve(struct sim_broker *broker, const struct sim_inbox_entry *entry)
{
    struct dk_request request;
    struct dk_err err;
    if (dk_request_read(entry->frame, entry->bytes, &request, &err) != 0) {
        sim_violate(broker->scene, "frames are well formed", "%s", err.message);
        return;
    }
    /* Heartbeats are the daemon's own, not the core's. */
    if (!dk_core_request(broker->core, &entry->peer, sim_broker_now(broker), &request) &&
        request.op != DK_OP_HEARTBEAT) {
        sim_violate(broker->scene, "every request is served", "op %d", (int)request.op);
    }
}

static void turn(void *arg, uint64_t life)
{
    struct sim_broker *broker = arg;
    if (broker->life != life || broker->core == NULL) {
        return;
    }
    broker->turning = false;
    while (broker->inbox_head < broker->inbox_count && !dk_core_full(broker->core)) {
        struct sim_inbox_entry *entry = &broker->inbox[broker->inbox_head++];
        serve(broker, entry);
        free(entry->frame);
    }
    if (broker->inbox_head == broker->inbox_count) {
        broker->inbox_head = broker->inbox_count = 0;
    }
    write_next(broker);
}

static bool on_request(void *arg, const struct dk_peer *peer, const uint8_t *frame, size_t bytes)
{
    struct sim_broker *broker = arg;
    if (broker->core == NULL) {
        return false;
    }
    if (broker->inbox_count == broker->inbox_capacity) {
        broker->inbox_capacity = broker->inbox_capacity == 0 ? 64 : broker->inbox_capacity * 2;
        broker->inbox = realloc(broker->inbox, broker->inbox_capacity * sizeof *broker->inbox);
        DK_ASSERT(broker->inbox != NULL);
    }
    struct sim_inbox_entry entry = {*peer, malloc(bytes), bytes};
    DK_ASSERT(entry.frame != NULL);
    memcpy(entry.frame, frame, bytes);
    broker->inbox[broker->inbox_count++] = entry;
    turn_soon(broker);
    return true;
}

static void on_disconnected(void *arg, uint64_t connection)
{
    struct sim_broker *broker = arg;
    if (broker->core != NULL) {
        dk_core_disconnected(broker->core, connection);
    }
}

static void send_reply(void *arg, uint64_t connection, const uint8_t *frame, size_t bytes)
{
    struct sim_broker *broker = arg;
    sim_net_reply(broker->net, connection, frame, bytes);
}

/* ---------------------------------------------------------------- life */

static void beat(void *arg, uint64_t life)
{
    struct sim_broker *broker = arg;
    if (broker->life == life && broker->core != NULL) {
        announce(broker);
        sim_in(broker->scene, SIM_SECOND_US, beat, broker, life);
    }
}

void sim_broker_start(struct sim_broker *broker)
{
    struct dk_core_output output = {broker, send_reply};
    struct dk_err err = {0};
    broker->net->broker = broker;
    broker->net->request = on_request;
    broker->net->disconnected = on_disconnected;
    sim_store_init(&broker->store, &broker->disk);
    int rc = dk_heads_open(&broker->heads, NULL, broker->identity.uuid, sizeof(struct dk_ticket),
                           DK_HEADS_VERSION, NULL, &err);
    rc = rc != 0
             ? rc
             : dk_core_new(&broker->core, &broker->identity, &broker->store.store, broker->heads,
                           &broker->options, &output, sim_broker_now(broker), NULL, NULL, &err);
    if (rc != 0) {
        sim_violate(broker->scene, "a broker recovers from its disk", "%s: %s", dk_code_name(rc),
                    err.message);
        return;
    }
    dk_core_set_space(broker->core, broker->accepting);
    sim_trace(broker->scene, "broker: starts at head %" PRIu64, dk_core_durable(broker->core));
    broker->on_durable(broker->arg);
    sim_in(broker->scene, 0, beat, broker, broker->life);
}
