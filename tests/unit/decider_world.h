/* A decider that talks to a real core: frames and replies wait in between until they are carried,
 * or are lost. */
#ifndef DK_TESTS_DECIDER_WORLD_H
#define DK_TESTS_DECIDER_WORLD_H

#include "nodes/runtime/decider.h"
#include "nodes/runtime/flight.h"
#include "tests/lib/core_fixture.h"
#include "tests/lib/small_role.h"
#include <stdlib.h>

#define FRAMES_MAX 1024
#define NODE       UINT64_C(31) /* the connection's first handle */

struct world {
    struct fixture f;
    struct fixture_peer agent, operator;
    struct fixture_events events;
    struct dk_role_ops ops;
    struct dk_folder *folder;
    struct dk_decider *decider;
    struct dk_peer node;
    struct dk_buf frame[FRAMES_MAX]; /* sent and not carried */
    size_t frames;
    size_t room; /* frames that may wait */
    size_t appends, hellos;
    int reply_rc; /* the last that was not 0 */
};

static inline bool take_frame(void *arg, const uint8_t *frame, size_t bytes)
{
    struct world *w = arg;
    if (w->frames >= w->room)
        return false;
    dk_buf_init(&w->frame[w->frames], DK_FRAME_MAX_BYTES);
    DK_ASSERT(dk_buf_append(&w->frame[w->frames++], frame, bytes) == 0);
    return true;
}

static inline void lose_frames(struct world *w)
{
    for (size_t i = 0; i < w->frames; i++)
        dk_buf_close(&w->frame[i]);
    w->frames = 0;
}

/* Requests reach the core; heartbeats are nothing to it. */
static inline void carry(struct world *w)
{
    for (size_t i = 0; i < w->frames; i++) {
        struct dk_request request;
        struct dk_err err;
        ASSERT_OK(dk_request_read(w->frame[i].data, w->frame[i].size, &request, &err), &err);
        w->appends += request.op == DK_OP_APPEND;
        w->hellos += request.op == DK_OP_HELLO;
        (void)dk_core_request(w->f.core, &w->node, w->f.now, &request);
    }
    lose_frames(w);
}

/* What the core has answered reaches the decider. */
static inline void hear(struct world *w)
{
    for (size_t i = 0; i < w->f.replies; i++) {
        int rc = w->f.reply[i].connection == w->node.connection
                     ? dk_decider_reply(w->decider, w->f.reply[i].reply, w->f.now.boot_us)
                     : 0;
        w->reply_rc = rc != 0 ? rc : w->reply_rc;
    }
    fixture_forget(&w->f);
}

static inline void announce(struct world *w)
{
    dk_decider_announce(w->decider, dk_core_durable(w->f.core),
                        dk_core_time_us(w->f.core, w->f.now), w->f.now.boot_us);
}

/* Folds up to `most` records that are wanted and durable. */
static inline void fold(struct world *w, size_t most)
{
    struct dk_err err;
    uint64_t from;
    while (most-- > 0 && dk_decider_wants(w->decider, &from) && from <= w->f.memory.durable) {
        size_t bytes;
        const uint8_t *record = memory_store_record(&w->f.memory, from, &bytes);
        ASSERT_OK(dk_decider_fold(w->decider, record, bytes, &err), &err);
    }
}

static inline void pass_time(struct world *w, int64_t us)
{
    w->f.now.wall_us += us;
    w->f.now.boot_us += us;
}

static inline void beat(struct world *w)
{
    dk_decider_beat(w->decider, "ipc:///nowhere", w->f.now.boot_us);
}

/* One round of everything, with nothing lost. */
static inline void turn(struct world *w)
{
    carry(w);
    fixture_settle(&w->f);
    hear(w);
    announce(w);
    fold(w, SIZE_MAX);
    (void)dk_decider_step(w->decider, w->f.now.boot_us, 512);
}

/* Rounds until nothing moves any more; a second passes in each. */
static inline void settle(struct world *w)
{
    for (int i = 0; i < 40; i++) {
        beat(w);
        for (int j = 0; j < 3; j++)
            turn(w);
        pass_time(w, DK_DECIDER_HELLO_US);
    }
}

static inline void start_node(struct world *w)
{
    struct dk_err err;
    struct dk_decider_output output = {w, take_frame};
    ASSERT_OK(dk_folder_new(&w->folder, &w->ops, &err), &err);
    w->decider = dk_decider_new(w->folder, &output, 1000);
}

static inline void stop_node(struct world *w)
{
    dk_decider_free(&w->decider);
    dk_folder_free(&w->folder);
    lose_frames(w);
}

/* The connection breaks: what was under way is lost, and the next one has a handle of its own. */
static inline void reconnect(struct world *w)
{
    lose_frames(w);
    fixture_forget(&w->f);
    dk_core_disconnected(w->f.core, w->node.connection);
    w->node.connection++;
}

static inline uint64_t open_ticket(struct world *w, Docket__Priority priority)
{
    Docket__Opened opened = *(const Docket__Opened *)fixture_opened();
    opened.has_priority = 1;
    opened.priority = priority;
    fixture_events_clear(&w->events);
    fixture_next(&w->events, &w->agent, FIXTURE_AGENT, FIXTURE_UNNAMED(0), DK_KIND_OPENED, &opened);
    const Docket__Appended *appended = fixture_call(&w->f, &w->agent, &w->events, false);
    ASSERT_EQ(appended->accepted, 1);
    return appended->opened[0];
}

static inline void add_note(struct world *w, uint64_t ticket)
{
    fixture_events_clear(&w->events);
    fixture_next(&w->events, &w->agent, FIXTURE_AGENT, ticket, DK_KIND_NOTE_ADDED,
                 fixture_note("a note"));
    ASSERT_EQ(fixture_call(&w->f, &w->agent, &w->events, false)->accepted, 1);
}

static inline int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    *state = w;
    w->room = FRAMES_MAX;
    fixture_open(&w->f);
    fixture_events_init(&w->events);
    w->agent = fixture_peer(&w->f, DK_ROLE_AGENT, 11);
    w->operator= fixture_peer(&w->f, DK_ROLE_OPERATOR, 12);
    fixture_next(&w->events, &w->operator, FIXTURE_OPERATOR,
                 test_id(DK_SUBJECT_GROUP, SMALL_GROUP_KEY), DK_KIND_GROUP_DEFINED,
                 fixture_group(SMALL_GROUP_KEY));
    ASSERT_EQ(fixture_call(&w->f, &w->operator, & w->events, false)->accepted, 1);
    fixture_forget(&w->f);
    w->node = (struct dk_peer){NODE, DK_ROLE_ROUTING, 0, DK_ROLE_ROUTING};
    w->ops = small_role_ops();
    start_node(w);
    return 0;
}

static inline int tear_down(void **state)
{
    struct world *w = *state;
    stop_node(w);
    fixture_events_close(&w->events);
    fixture_close(&w->f);
    free(w);
    return 0;
}

/* How often a ticket was routed, by the log. */
static inline unsigned routed(struct world *w, uint64_t ticket)
{
    unsigned count = 0;
    for (uint64_t position = 1; position <= w->f.memory.durable; position++) {
        size_t bytes;
        const uint8_t *record = memory_store_record(&w->f.memory, position, &bytes);
        count +=
            dk_event_load_subject(record) == ticket && dk_event_load_kind(record) == DK_KIND_ROUTED;
    }
    return count;
}

static inline uint64_t refused(struct world *w)
{
    struct dk_core_stats stats;
    dk_core_stats(w->f.core, &stats);
    return stats.refused;
}

/* In session, with everything folded. */
static inline void go_live(struct world *w)
{
    beat(w);
    turn(w);
    ASSERT_TRUE(dk_decider_live(w->decider));
}

#endif
