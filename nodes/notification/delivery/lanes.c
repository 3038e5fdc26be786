#include "nodes/notification/delivery/lanes.h"
#include "nodes/runtime/agenda.h"
#include "proto/base/err.h"
#include "proto/base/map.h"
#include <stdlib.h>
#include <string.h>

#define NOTICES_MAX (UINT64_C(1) << 32)

struct lane {
    struct dk_agenda *fresh; /* notices that were not tried yet: they go first */
    struct dk_agenda *tried; /* and those that were, for when they may be again */
    size_t notices;          /* known, in flight or not */
    uint32_t in_flight;      /* and not answered */
    uint32_t failures;       /* in a row; > 0: in trouble */
    int64_t not_before_us;
    int64_t failed_us; /* when it last failed */
};

struct errand {
    uint64_t receiver;
    int64_t started_us;
    struct dk_attempts attempts;
    bool held;
    bool in_flight; /* holds a place among all */
    bool asked;     /* and one of its lane: no answer yet */
    bool troubled;  /* and one of the lanes in trouble */
};

struct dk_lanes {
    struct dk_map errands; /* notice -> struct errand */
    struct dk_map lanes;   /* receiver -> struct lane */
    struct dk_agenda *sound, *troubled;
    uint32_t in_flight, troubled_in_flight;
};

static int64_t waiting_us(const struct lane *lane)
{
    int64_t fresh_us = dk_agenda_due_us(lane->fresh);
    return fresh_us != INT64_MAX ? fresh_us : dk_agenda_due_us(lane->tried);
}

static void free_lane(struct lane *lane)
{
    dk_agenda_free(&lane->fresh);
    dk_agenda_free(&lane->tried);
}

struct dk_lanes *dk_lanes_new(void)
{
    struct dk_lanes *lanes = calloc(1, sizeof *lanes);
    DK_ASSERT(lanes != NULL);
    dk_map_init(&lanes->errands, sizeof(struct errand), NOTICES_MAX);
    dk_map_init(&lanes->lanes, sizeof(struct lane), NOTICES_MAX);
    lanes->sound = dk_agenda_new();
    lanes->troubled = dk_agenda_new();
    return lanes;
}

void dk_lanes_free(struct dk_lanes **held)
{
    struct dk_lanes *lanes = *held;
    size_t cursor = 0;
    uint64_t receiver;
    void *lane;
    if (lanes == NULL) {
        return;
    }
    while (dk_map_next(&lanes->lanes, &cursor, &receiver, &lane)) {
        free_lane(lane);
    }
    dk_map_close(&lanes->lanes);
    dk_map_close(&lanes->errands);
    dk_agenda_free(&lanes->sound);
    dk_agenda_free(&lanes->troubled);
    free(lanes);
    *held = NULL;
}

/* ---------------------------------------------------------------- turns */

static bool has_room(const struct lane *lane)
{
    return lane->in_flight < (lane->failures > 0 ? 1 : DK_LANE_IN_FLIGHT);
}

/* Puts a lane down for when it may go next, if it may. */
static void put_down(struct dk_lanes *lanes, uint64_t receiver, const struct lane *lane,
                     int64_t now_us)
{
    struct dk_agenda *agenda = lane->failures > 0 ? lanes->troubled : lanes->sound;
    int64_t due_us = waiting_us(lane);
    if (!has_room(lane) || due_us == INT64_MAX) {
        return;
    }
    due_us = due_us > lane->not_before_us ? due_us : lane->not_before_us;
    if (due_us <= now_us) {
        dk_agenda_touch(agenda, receiver);
    } else {
        dk_agenda_schedule(agenda, receiver, due_us);
    }
}

/* The lane's next notice that still waits. */
static struct errand *next_errand(struct dk_lanes *lanes, const struct lane *lane, int64_t now_us,
                                  uint64_t *notice)
{
    while (dk_agenda_next(lane->fresh, now_us, notice) ||
           dk_agenda_next(lane->tried, now_us, notice)) {
        struct errand *errand = dk_map_get(&lanes->errands, *notice);
        if (errand != NULL && !errand->in_flight) {
            return errand;
        }
    }
    return NULL;
}

static void start(struct dk_lanes *lanes, struct lane *lane, struct errand *errand, int64_t now_us)
{
    errand->in_flight = errand->asked = true;
    errand->troubled = lane->failures > 0;
    errand->started_us = now_us;
    lane->in_flight++;
    lanes->in_flight++;
    lanes->troubled_in_flight += errand->troubled;
}

/* Lanes come up that have changed since they were put down: those are put down anew. */
static bool take_from(struct dk_lanes *lanes, struct dk_agenda *agenda, int64_t now_us,
                      uint64_t *notice)
{
    uint64_t receiver;
    while (dk_agenda_next(agenda, now_us, &receiver)) {
        struct lane *lane = dk_map_get(&lanes->lanes, receiver);
        bool here = lane != NULL && (lane->failures > 0) == (agenda == lanes->troubled);
        if (!here || !has_room(lane)) {
            continue;
        }
        struct errand *errand =
            lane->not_before_us > now_us ? NULL : next_errand(lanes, lane, now_us, notice);
        if (errand != NULL) {
            start(lanes, lane, errand, now_us);
        }
        put_down(lanes, receiver, lane, now_us);
        if (errand != NULL) {
            return true;
        }
    }
    return false;
}

bool dk_lanes_next(struct dk_lanes *lanes, int64_t now_us, uint64_t *notice)
{
    if (lanes->in_flight >= DK_LANES_IN_FLIGHT) {
        return false;
    }
    return take_from(lanes, lanes->sound, now_us, notice) ||
           (lanes->troubled_in_flight < DK_LANES_TROUBLED &&
            take_from(lanes, lanes->troubled, now_us, notice));
}

int64_t dk_lanes_due_us(struct dk_lanes *lanes)
{
    if (lanes->in_flight >= DK_LANES_IN_FLIGHT) {
        return INT64_MAX;
    }
    int64_t sound_us = dk_agenda_due_us(lanes->sound);
    int64_t troubled_us = lanes->troubled_in_flight < DK_LANES_TROUBLED
                              ? dk_agenda_due_us(lanes->troubled)
                              : INT64_MAX;
    return sound_us < troubled_us ? sound_us : troubled_us;
}

/* ---------------------------------------------------------------- what happens */

void dk_lanes_add(struct dk_lanes *lanes, uint64_t notice, uint64_t receiver, int64_t now_us)
{
    bool created;
    struct errand *errand = dk_map_put(&lanes->errands, notice, &created);
    DK_ASSERT(errand != NULL);
    if (!created) {
        return;
    }
    errand->receiver = receiver;
    struct lane *lane = dk_map_put(&lanes->lanes, receiver, &created);
    DK_ASSERT(lane != NULL);
    if (created) {
        lane->fresh = dk_agenda_new();
        lane->tried = dk_agenda_new();
    }
    lane->notices++;
    dk_agenda_touch(lane->fresh, notice);
    put_down(lanes, receiver, lane, now_us);
}

/* The lane has its place back. */
static void leave_lane(struct dk_lanes *lanes, struct lane *lane, struct errand *errand)
{
    if (errand->asked) {
        lane->in_flight--;
        lanes->troubled_in_flight -= errand->troubled;
        errand->asked = errand->troubled = false;
    }
}

/* It waits again. */
static void come_down(struct dk_lanes *lanes, struct lane *lane, struct errand *errand)
{
    leave_lane(lanes, lane, errand);
    lanes->in_flight--;
    errand->in_flight = false;
}

void dk_lanes_hold(struct dk_lanes *lanes, uint64_t notice, int64_t now_us)
{
    struct errand *errand = dk_map_get(&lanes->errands, notice);
    DK_ASSERT(errand != NULL && errand->in_flight);
    struct lane *lane = dk_map_get(&lanes->lanes, errand->receiver);
    come_down(lanes, lane, errand);
    errand->held = true;
    errand->attempts.next_us = 0;
    put_down(lanes, errand->receiver, lane, now_us);
}

void dk_lanes_release(struct dk_lanes *lanes, uint64_t notice, int64_t now_us)
{
    struct errand *errand = dk_map_get(&lanes->errands, notice);
    if (errand == NULL || !errand->held) {
        return;
    }
    struct lane *lane = dk_map_get(&lanes->lanes, errand->receiver);
    errand->held = false;
    dk_agenda_touch(errand->attempts.count > 0 ? lane->tried : lane->fresh, notice);
    put_down(lanes, errand->receiver, lane, now_us);
}

static int64_t pause_us(uint32_t failures, int64_t max_us, uint32_t chance)
{
    int64_t whole_us = failures < 30 ? DK_PAUSE_MIN_US << (failures - 1) : max_us;
    whole_us = whole_us < max_us ? whole_us : max_us;
    return whole_us / 2 + chance % (whole_us / 2 + 1);
}

static int64_t later(int64_t a_us, int64_t b_us)
{
    return a_us > b_us ? a_us : b_us;
}

void dk_lanes_failed(struct dk_lanes *lanes, uint64_t notice, const struct dk_outcome *outcome,
                     int64_t now_us, uint32_t chance)
{
    struct errand *errand = dk_map_get(&lanes->errands, notice);
    DK_ASSERT(errand != NULL && errand->in_flight);
    struct lane *lane = dk_map_get(&lanes->lanes, errand->receiver);
    int64_t asked_us =
        outcome->after_us < DK_ASKED_PAUSE_MAX_US ? outcome->after_us : DK_ASKED_PAUSE_MAX_US;
    come_down(lanes, lane, errand);
    errand->attempts.count++;
    errand->attempts.next_us =
        now_us + later(asked_us, pause_us(errand->attempts.count, DK_NOTICE_PAUSE_MAX_US, chance));
    memcpy(errand->attempts.error, outcome->said, sizeof errand->attempts.error);
    dk_agenda_schedule(lane->tried, notice, errand->attempts.next_us);
    if (outcome->alone) {
        lane->failures = 0;
        lane->not_before_us = 0;
    } else if (lane->failures == 0 || errand->started_us >= lane->failed_us) {
        /* Notices in flight together fail together: that is one failure of the receiver. */
        lane->failures++;
        lane->failed_us = now_us;
        lane->not_before_us =
            now_us + later(asked_us, pause_us(lane->failures, DK_LANE_PAUSE_MAX_US, chance));
    }
    put_down(lanes, errand->receiver, lane, now_us);
}

void dk_lanes_answered(struct dk_lanes *lanes, uint64_t notice, int64_t now_us)
{
    struct errand *errand = dk_map_get(&lanes->errands, notice);
    DK_ASSERT(errand != NULL && errand->in_flight);
    struct lane *lane = dk_map_get(&lanes->lanes, errand->receiver);
    leave_lane(lanes, lane, errand);
    lane->failures = 0;
    lane->not_before_us = 0;
    put_down(lanes, errand->receiver, lane, now_us);
}

void dk_lanes_done(struct dk_lanes *lanes, uint64_t notice, int64_t now_us)
{
    struct errand *errand = dk_map_get(&lanes->errands, notice);
    if (errand == NULL) {
        return;
    }
    uint64_t receiver = errand->receiver;
    struct lane *lane = dk_map_get(&lanes->lanes, receiver);
    leave_lane(lanes, lane, errand);
    lanes->in_flight -= errand->in_flight;
    (void)dk_map_remove(&lanes->errands, notice);
    if (--lane->notices == 0) {
        free_lane(lane);
        (void)dk_map_remove(&lanes->lanes, receiver);
    } else {
        put_down(lanes, receiver, lane, now_us);
    }
}

void dk_lanes_attempts(const struct dk_lanes *lanes, uint64_t notice, struct dk_attempts *attempts)
{
    const struct errand *errand = dk_map_get(&lanes->errands, notice);
    *attempts = errand != NULL ? errand->attempts : (struct dk_attempts){0};
}
