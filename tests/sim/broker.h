/* The broker's machine: dk_core on a simulated disk, driven as broker/net drives it.
 *
 * One batch at a time is appended, then synced, then answered; meanwhile the next one gathers. It
 * can die between any two of these steps, and ends when one of them fails. Commits and every second
 * are announced. */
#ifndef DK_SIM_BROKER_H
#define DK_SIM_BROKER_H

#include "broker/core/write.h"
#include "tests/sim/clocks.h"
#include "tests/sim/net.h"
#include "tests/sim/store.h"

#define SIM_SITE 7

enum sim_step { SIM_NOT_WRITING, SIM_BEFORE_APPEND, SIM_BEFORE_SYNC, SIM_BEFORE_ANSWERS };

struct sim_inbox_entry {
    struct dk_peer peer;
    uint8_t *frame;
    size_t bytes;
};

struct sim_broker {
    struct sim_scene *scene;
    struct sim_net *net;
    struct sim_clocks clocks;
    struct dk_log_identity identity;
    struct dk_core_options options;
    struct sim_disk disk;
    struct sim_store store;
    struct dk_heads *heads;
    struct dk_core *core; /* NULL: it is down */
    uint64_t life;        /* which one it is; events of an earlier life are void */
    bool accepting;       /* whether there is space */
    bool turning;         /* a turn is put down */
    enum sim_step writing;
    struct dk_write write;
    struct sim_inbox_entry *inbox; /* in order, from inbox_head on */
    size_t inbox_head, inbox_count, inbox_capacity;
    int64_t sync_us;      /* how long a sync takes */
    enum sim_step die_at; /* the next time it gets there; SIM_NOT_WRITING: nowhere */
    unsigned crashes;
    void *arg;
    void (*on_durable)(void *arg); /* after a sync and after a recovery, before any answer */
    void (*on_announce)(void *arg, uint64_t head, int64_t now_us);
};

/* `net` and `scene` are borrowed. It starts down. */
void sim_broker_init(struct sim_broker *broker, struct sim_scene *scene, struct sim_net *net);
void sim_broker_close(struct sim_broker *broker);

/* Recovers from the disk. A recovery that fails violates a rule. */
void sim_broker_start(struct sim_broker *broker);
/* It dies; `power`: with its machine, and then unsynced writes are kept by chance alone. */
void sim_broker_crash(struct sim_broker *broker, bool power);
/* The disk will fail the next sync. */
void sim_broker_fail_sync(struct sim_broker *broker);

void sim_broker_set_space(struct sim_broker *broker, bool accepting);
struct dk_now sim_broker_now(const struct sim_broker *broker);

#endif
