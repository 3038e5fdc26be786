#include "tests/sim/node.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FOLD_PER_TURN     40
#define CONSIDER_PER_TURN 16
#define COPY_MAX_BYTES    (64 * 1024 * 1024)

void sim_node_close(struct sim_node *node)
{
    dk_decider_free(&node->decider);
    dk_folder_free(&node->folder);
    dk_buf_close(&node->copy.entries);
}

/* ---------------------------------------------------------------- turns */

static void turn(void *arg, uint64_t life);

static void turn_in(struct sim_node *node, int64_t in_us)
{
    int64_t pause_us = node->link.paused_until_us - node->scene->now_us;
    if (!node->turning) {
        node->turning = true;
        sim_in(node->scene, in_us > pause_us ? in_us : pause_us, turn, node, node->life);
    }
}

static void wake(struct sim_node *node)
{
    turn_in(node, sim_between(node->scene, 1, 2000));
}

static void fold(struct sim_node *node)
{
    uint64_t from;
    struct dk_err err;
    for (int i = 0; i < FOLD_PER_TURN && dk_decider_wants(node->decider, &from); i++) {
        size_t bytes;
        const uint8_t *record = sim_store_record(&node->broker->store, from, &bytes);
        if (record == NULL) {
            break;
        }
        if (dk_decider_fold(node->decider, record, bytes, &err) != 0) {
            sim_violate(node->scene, "the log can be folded", "%s: %s", node->link.name,
                        err.message);
            return;
        }
    }
    sim_checker_folded(node->checker, node->link.name, node->role, node->folder);
}

static void wake_to_report(void *arg)
{
    struct sim_node *node = arg;
    if (node->folder != NULL) {
        wake(node);
    }
}

/* A due instant is its own event, not the turn's: what comes in before must wake the node. */
static void due(void *arg, uint64_t life)
{
    struct sim_node *node = arg;
    if (node->life == life && node->folder != NULL) {
        wake(node);
    }
}

static void turn(void *arg, uint64_t life)
{
    struct sim_node *node = arg;
    uint64_t from;
    if (node->life != life || node->folder == NULL) {
        return;
    }
    node->turning = false;
    if (node->scene->now_us < node->link.paused_until_us) {
        turn_in(node, 0);
        return;
    }
    fold(node);
    int64_t boot_us = sim_boot_us(&node->clocks, node->scene);
    bool more = dk_decider_step(node->decider, boot_us, CONSIDER_PER_TURN);
    if (sim_roles[node->role]->role == DK_ROLE_NOTIFICATION && dk_decider_live(node->decider)) {
        sim_post_turn(&node->post, node->folder, node->decider, boot_us);
    }
    int64_t next_us = dk_decider_next_us(node->decider, boot_us);
    if (more || dk_decider_wants(node->decider, &from)) {
        wake(node);
    } else if (next_us != INT64_MAX && next_us - boot_us < SIM_SECOND_US) {
        sim_in(node->scene, next_us - boot_us + 500, due, node, node->life);
    }
}

static void beat(void *arg, uint64_t life)
{
    struct sim_node *node = arg;
    if (node->life != life || node->folder == NULL) {
        return;
    }
    if (node->scene->now_us >= node->link.paused_until_us) {
        dk_decider_beat(node->decider, "", sim_boot_us(&node->clocks, node->scene));
        wake(node);
    }
    sim_in(node->scene, SIM_SECOND_US, beat, node, life);
}

/* ---------------------------------------------------------------- in and out */

static bool send_frame(void *arg, const uint8_t *frame, size_t bytes)
{
    struct sim_node *node = arg;
    sim_checker_sent(node->checker, &node->watch, frame, bytes);
    sim_link_send(&node->link, frame, bytes);
    return true;
}

static void trace_refusals(struct sim_node *node, const Docket__Reply *reply)
{
    if (reply->result_case != DOCKET__REPLY__RESULT_APPENDED) {
        return;
    }
    for (size_t i = 0; i < reply->appended->n_appended; i++) {
        const Docket__Appended *appended = reply->appended->appended[i];
        if (appended->n_refused > 0) {
            sim_trace(node->scene, "%s: is refused: %.*s", node->link.name,
                      (int)appended->refused[0]->sentence.len,
                      (const char *)appended->refused[0]->sentence.data);
        }
    }
}

static void receive(void *arg, const uint8_t *frame, size_t bytes)
{
    struct sim_node *node = arg;
    Docket__Reply *reply;
    if (node->folder == NULL) {
        return;
    }
    reply = docket__reply__unpack(NULL, bytes, frame);
    DK_ASSERT(reply != NULL);
    sim_checker_heard(&node->watch, reply);
    trace_refusals(node, reply);
    if (dk_decider_reply(node->decider, reply, sim_boot_us(&node->clocks, node->scene)) != 0) {
        sim_violate(node->scene, "a node follows one log", "%s at %" PRIu64, node->link.name,
                    dk_folder_position(node->folder));
    }
    docket__reply__free_unpacked(reply, NULL);
    wake(node);
}

void sim_node_announce(struct sim_node *node, uint64_t head, int64_t now_us)
{
    bool paused = node->scene->now_us < node->link.paused_until_us;
    if (node->folder != NULL && !paused &&
        !sim_chance(node->scene, node->link.net->lost_permille)) {
        dk_decider_announce(node->decider, head, now_us, sim_boot_us(&node->clocks, node->scene));
        wake(node);
    }
}

/* ---------------------------------------------------------------- copies */

struct entry {
    uint64_t table, key, bytes;
};

void sim_node_copy(struct sim_node *node)
{
    struct dk_table *table[DK_FOLDER_TABLES_MAX];
    if (node->folder == NULL) {
        return;
    }
    size_t count = dk_folder_tables(node->folder, table, DK_FOLDER_TABLES_MAX);
    node->copy.position = dk_folder_position(node->folder);
    node->copy.recorded_us = dk_folder_world(node->folder)->recorded_us;
    node->copy.hash = dk_folder_hash(node->folder);
    dk_buf_clear(&node->copy.entries);
    for (size_t i = 0; i < count; i++) {
        struct entry entry = {.table = i};
        const void *value;
        size_t cursor = 0, bytes;
        while (dk_table_next(table[i], &cursor, &entry.key, &value, &bytes)) {
            entry.bytes = bytes;
            int rc = dk_buf_append(&node->copy.entries, &entry, sizeof entry);
            rc = rc != 0 ? rc : dk_buf_append(&node->copy.entries, value, bytes);
            DK_ASSERT(rc == 0);
        }
    }
}

static int compare_positions(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* Reads the definitions again, in the log's order. */
static void restore_refs(struct sim_node *node)
{
    struct dk_table *definitions = dk_folder_definitions(node->folder);
    size_t count = 0, cursor = 0, bytes;
    uint64_t *position = calloc(dk_table_count(definitions) + 1, sizeof *position);
    const void *value;
    struct dk_err err;
    DK_ASSERT(position != NULL);
    while (dk_table_next(definitions, &cursor, &position[count], &value, &bytes)) {
        count++;
    }
    qsort(position, count, sizeof *position, compare_positions);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *record = sim_store_record(&node->broker->store, position[i], &bytes);
        int rc = dk_refs_apply(dk_folder_world(node->folder)->refs, record, bytes, &err);
        DK_ASSERT(rc == 0);
    }
    free(position);
}

static void restore(struct sim_node *node)
{
    struct dk_table *table[DK_FOLDER_TABLES_MAX];
    const struct dk_buf *entries = &node->copy.entries;
    struct dk_err err;
    size_t at = 0;
    size_t count = dk_folder_tables(node->folder, table, DK_FOLDER_TABLES_MAX);
    while (at < entries->size) {
        struct entry entry;
        memcpy(&entry, entries->data + at, sizeof entry);
        void *value = dk_table_edit(table[entry.table], entry.key, entry.bytes);
        memcpy(value, entries->data + at + sizeof entry, entry.bytes);
        at += sizeof entry + entry.bytes;
    }
    for (size_t i = 0; i < count; i++) {
        dk_table_clean(table[i]);
    }
    restore_refs(node);
    int rc = dk_folder_restored(node->folder, node->copy.position, node->copy.recorded_us, &err);
    DK_ASSERT(rc == 0);
    if (dk_folder_hash(node->folder) != node->copy.hash) {
        sim_violate(node->scene, "a restored state is the copied one", "%s at %" PRIu64,
                    node->link.name, node->copy.position);
    }
}

/* ---------------------------------------------------------------- life */

void sim_node_init(struct sim_node *node, size_t role, struct sim_checker *checker,
                   const struct sim_broker *broker, struct sim_net *net)
{
    memset(node, 0, sizeof *node);
    node->scene = checker->scene;
    node->checker = checker;
    node->broker = broker;
    node->role = role;
    node->watch.name = sim_roles[role]->name;
    node->clocks.drift_ppm = sim_between(node->scene, -100, 100);
    dk_buf_init(&node->copy.entries, COPY_MAX_BYTES);
    sim_post_init(&node->post, checker);
    node->post.arg = node;
    node->post.wake = wake_to_report;
    node->link = (struct sim_link){
        .name = sim_roles[role]->name,
        .peer = {.key_id = 2000 + role, .role = sim_roles[role]->role},
        .arg = node,
        .receive = receive,
    };
    sim_net_add(net, &node->link);
}

void sim_node_start(struct sim_node *node)
{
    struct dk_decider_output output = {node, send_frame};
    struct dk_err err;
    int rc = dk_folder_new(&node->folder, sim_roles[node->role], &err);
    DK_ASSERT(rc == 0);
    /* A copy can be read only with the log that holds its definitions. */
    if (node->copy.position > 0 && node->copy.position <= sim_store_last(&node->broker->store) &&
        sim_chance(node->scene, 600)) {
        restore(node);
    }
    sim_trace(node->scene, "%s: starts at %" PRIu64, node->link.name,
              dk_folder_position(node->folder));
    node->decider =
        dk_decider_new(node->folder, &output, test_random_next(&node->scene->random) >> 1);
    node->watch.in_session = false;
    beat(node, node->life);
}

void sim_node_kill(struct sim_node *node)
{
    if (node->folder == NULL) {
        return;
    }
    sim_trace(node->scene, "%s: is killed at %" PRIu64, node->link.name,
              dk_folder_position(node->folder));
    dk_decider_free(&node->decider);
    dk_folder_free(&node->folder);
    sim_post_forget(&node->post);
    node->life++;
    node->kills++;
    node->turning = false;
    node->link.paused_until_us = 0;
    sim_link_renew(&node->link);
}

void sim_node_pause(struct sim_node *node, int64_t for_us)
{
    sim_trace(node->scene, "%s: pauses for %lld us", node->link.name, (long long)for_us);
    node->link.paused_until_us = node->scene->now_us + for_us;
}
