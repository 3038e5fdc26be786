/* The SLA role over a log in memory: an organization with promises, and what becomes of tickets.
 * Whatever the role says is judged as the broker would judge it. */
#ifndef DK_TESTS_SLA_WORLD_H
#define DK_TESTS_SLA_WORLD_H

#include "nodes/sla/sla.h"
#include "tests/lib/role_world.h"
#include "tests/unit/clocks_fixture.h"

#define TARGET_REPLY      DK_HOUR_US
#define TARGET_RESOLUTION (8 * DK_HOUR_US)

/* First reply within an hour, resolution within eight, two when high; warned of at 50 and 90 %;
 * resolution pauses for the customer. All day and night. */
static inline void sla_promise(struct role_world *world)
{
    Docket__PolicyDefined *policy = promised(FIRST_REPLY, TARGET_REPLY, 0);
    add_goal(policy, RESOLUTION, ANY, TARGET_RESOLUTION);
    add_goal(policy, RESOLUTION, HIGH, 2 * DK_HOUR_US);
    add_warning(policy, 50);
    add_warning(policy, 90);
    add_pause(policy, CUSTOMER);
    (void)world_define(world, DK_KIND_POLICY_DEFINED, policy);
}

static inline int sla_setup(void **state)
{
    struct role_world *world = calloc(1, sizeof *world);
    DK_ASSERT(world != NULL);
    world_open(world, &dk_sla_role);
    sla_promise(world);
    *state = world;
    return 0;
}

static inline int sla_teardown(void **state)
{
    world_close(*state);
    free(*state);
    return 0;
}

static inline void sla_judge(struct role_world *world, struct dk_slice event)
{
    static struct dk_arena arena;
    struct dk_err err = {0};
    struct dk_envelope envelope;
    if (arena.base == NULL)
        DK_ASSERT(dk_arena_init(&arena, (size_t)16 << 20) == 0);
    dk_arena_reset(&arena);
    dk_event_load(event.data, &envelope);
    const ProtobufCMessage *body = dk_body_unpack(&arena, event.data, event.size, &err);
    ASSERT_OK(dk_body_check(body, envelope.kind, &err), &err);
    envelope.position = world->count + 1;
    envelope.recorded_us = envelope.occurred_us = world->now_us;
    const struct dk_world *known = dk_folder_world(world->folder);
    ASSERT_OK(dk_ticket_check(dk_table_get(known->tickets, envelope.subject, NULL), known->refs,
                              DK_ROLE_SLA, &envelope, body, &err),
              &err);
}

/* As world_settle, with a judge. */
static inline size_t sla_settle(struct role_world *world)
{
    size_t appended = 0;
    uint64_t item;
    while (dk_folder_next_item(world->folder, world->now_us, &item)) {
        dk_folder_consider(world->folder, item, world->now_us, &world->intents);
        for (size_t i = 0; i < world->intents.count; i++, appended++) {
            struct dk_slice event = dk_intents_event(&world->intents, i);
            sla_judge(world, event);
            DK_ASSERT(dk_buf_append(&world->log, event.data, event.size) == 0);
            (void)world_stamp(world);
        }
        DK_ASSERT(appended < 1000);
        if (world->intents.count > 0)
            dk_folder_touch(world->folder, item, 0);
    }
    return appended;
}

/* Lets time pass, with whatever comes due in between. */
static inline size_t sla_wait_until(struct role_world *world, int64_t until_us)
{
    size_t appended = sla_settle(world);
    int64_t due_us;
    while ((due_us = dk_folder_next_due_us(world->folder)) <= until_us) {
        world->now_us = due_us > world->now_us ? due_us : world->now_us;
        appended += sla_settle(world);
    }
    world->now_us = until_us > world->now_us ? until_us : world->now_us;
    return appended;
}

/* ---------------------------------------------------------------- what people do */

static inline uint64_t sla_happens(struct role_world *world, uint64_t ticket, int64_t occurred_us,
                                   uint32_t kind, const void *body, uint64_t actor)
{
    struct dk_envelope envelope = {.subject = ticket, .actor = actor, .occurred_us = occurred_us};
    return world_append_as(world, envelope, kind, body);
}

static inline uint64_t sla_opened(struct role_world *world, Docket__Priority priority)
{
    Docket__Opened body = DOCKET__OPENED__INIT;
    body.has_priority = 1;
    body.priority = priority;
    body.message = test_text("it does not work");
    uint64_t ticket = dk_ticket_make(7, ++world->tickets);
    (void)sla_happens(world, ticket, 0, DK_KIND_OPENED, &body, ACT_CUSTOMER);
    return ticket;
}

static inline uint64_t sla_message(struct role_world *world, uint64_t ticket, int64_t occurred_us,
                                   Docket__Direction direction)
{
    Docket__MessagePublic body = DOCKET__MESSAGE_PUBLIC__INIT;
    body.direction = direction;
    return sla_happens(world, ticket, occurred_us, DK_KIND_MESSAGE_PUBLIC, &body,
                       direction == DOCKET__DIRECTION__DIRECTION_INBOUND ? ACT_CUSTOMER
                                                                         : ACT_AGENT);
}

static inline uint64_t sla_replies(struct role_world *world, uint64_t ticket, int64_t occurred_us)
{
    return sla_message(world, ticket, occurred_us, DOCKET__DIRECTION__DIRECTION_OUTBOUND);
}

static inline uint64_t sla_writes(struct role_world *world, uint64_t ticket, int64_t occurred_us)
{
    return sla_message(world, ticket, occurred_us, DOCKET__DIRECTION__DIRECTION_INBOUND);
}

static inline uint64_t sla_status(struct role_world *world, uint64_t ticket, int64_t occurred_us,
                                  Docket__Status to, Docket__Pending whom)
{
    Docket__StatusChanged body = DOCKET__STATUS_CHANGED__INIT;
    body.status = to;
    body.has_pending = whom != DOCKET__PENDING__PENDING_NONE;
    body.pending = whom;
    return sla_happens(world, ticket, occurred_us, DK_KIND_STATUS_CHANGED, &body, ACT_AGENT);
}

static inline uint64_t sla_solved(struct role_world *world, uint64_t ticket)
{
    return sla_status(world, ticket, 0, DOCKET__STATUS__STATUS_SOLVED, 0);
}

static inline uint64_t sla_reprioritized(struct role_world *world, uint64_t ticket,
                                         int64_t occurred_us, Docket__Priority priority)
{
    Docket__Classified body = DOCKET__CLASSIFIED__INIT;
    body.has_priority = 1;
    body.priority = priority;
    return sla_happens(world, ticket, occurred_us, DK_KIND_CLASSIFIED, &body, ACT_AGENT);
}

/* ---------------------------------------------------------------- what the log says */

/* How many events of a kind stand in the log, from a position on; the last one's position. */
static inline size_t sla_count(const struct role_world *world, uint64_t from, uint32_t kind,
                               uint64_t *last)
{
    size_t count = 0;
    for (uint64_t position = from; position <= world->count; position++) {
        size_t bytes;
        if (dk_event_load_kind(world_record(world, position, &bytes)) != kind)
            continue;
        count++;
        if (last != NULL)
            *last = position;
    }
    return count;
}

/* The body of the log's last event of a kind, which there must be. */
static inline const void *sla_last(const struct role_world *world, uint32_t kind)
{
    uint64_t last = 0;
    ASSERT_TRUE(sla_count(world, 1, kind, &last) > 0);
    return world_body(world, last, kind);
}

#endif
