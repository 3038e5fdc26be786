/* A role over a log in memory, without broker, sockets or disk: events are folded as they are
 * appended, and what the role owes is appended until it is quiet. */
#ifndef DK_TESTS_ROLE_WORLD_H
#define DK_TESTS_ROLE_WORLD_H

#include "nodes/runtime/folder.h"
#include "proto/base/map.h"
#include "tests/lib/assert.h"
#include "tests/lib/definitions.h"

#define WORLD_NOW     INT64_C(1770000000000000)
#define WORLD_STEP_US 1000
#define WORLD_EVENTS  65536

struct role_world {
    struct dk_folder *folder;
    const struct dk_role_ops *ops;
    struct dk_buf log;
    size_t offset[WORLD_EVENTS + 1]; /* of the record at position i + 1 */
    size_t count;
    struct dk_map heads; /* subject -> struct world_head */
    struct dk_intents intents;
    int64_t now_us;
    uint64_t tickets;
};

struct world_head {
    uint64_t position;
    uint32_t version;
};

static inline void world_open(struct role_world *world, const struct dk_role_ops *ops)
{
    struct dk_err err;
    memset(world, 0, sizeof *world);
    world->ops = ops;
    world->now_us = WORLD_NOW;
    dk_buf_init(&world->log, (size_t)256 << 20);
    dk_map_init(&world->heads, sizeof(struct world_head), 1 << 20);
    dk_intents_init(&world->intents, ops->role, ops->rule_version);
    ASSERT_OK(dk_folder_new(&world->folder, ops, &err), &err);
}

static inline void world_close(struct role_world *world)
{
    dk_folder_free(&world->folder);
    dk_intents_close(&world->intents);
    dk_map_close(&world->heads);
    dk_buf_close(&world->log);
}

static inline const uint8_t *world_record(const struct role_world *world, uint64_t position,
                                          size_t *bytes)
{
    *bytes = world->offset[position] - world->offset[position - 1];
    return world->log.data + world->offset[position - 1];
}

/* The log's last record, encoded at its end, is stamped as the broker would, and folded. */
static inline uint64_t world_stamp(struct role_world *world)
{
    struct dk_err err;
    struct dk_envelope envelope;
    size_t begin = world->offset[world->count], bytes = world->log.size - begin;
    uint8_t *record = world->log.data + begin;
    dk_event_load(record, &envelope);
    struct world_head *head = dk_map_put(&world->heads, envelope.subject, NULL);
    DK_ASSERT(head != NULL && world->count < WORLD_EVENTS);
    envelope.position = ++world->count;
    envelope.recorded_us = world->now_us += WORLD_STEP_US;
    envelope.occurred_us = envelope.occurred_us != 0 ? envelope.occurred_us : envelope.recorded_us;
    envelope.previous = head->position;
    envelope.subject_version = ++head->version;
    head->position = envelope.position;
    dk_event_store(record, &envelope);
    dk_stamp_crc32c(record, dk_event_crc(record, bytes));
    world->offset[world->count] = world->log.size;
    ASSERT_OK(dk_folder_apply(world->folder, record, bytes, &err), &err);
    return envelope.position;
}

/* Appends one event; its position. */
static inline uint64_t world_append_as(struct role_world *world, struct dk_envelope envelope,
                                       uint32_t kind, const void *body)
{
    DK_ASSERT(dk_event_encode(&world->log, &envelope, kind, body, NULL) == 0);
    return world_stamp(world);
}

static inline uint64_t world_append(struct role_world *world, uint64_t subject, uint32_t kind,
                                    const void *body)
{
    struct dk_envelope envelope = {.subject = subject, .actor = dk_id_make(DK_ACTOR_OPERATOR, 1)};
    return world_append_as(world, envelope, kind, body);
}

/* Appends a definition under the subject that its key gives. */
static inline uint64_t world_define(struct role_world *world, uint32_t kind, const void *body)
{
    const struct dk_refs_version as_version = {.body = body};
    const ProtobufCBinaryData *key = &dk_refs_definition(&as_version)->key;
    unsigned cls = dk_kind_info(kind)->subject_class;
    return world_append(world, dk_id_of_key(cls, (const char *)key->data, key->len, NULL), kind,
                        body);
}

/* Appends an Opened as the next ticket; its number. */
static inline uint64_t world_open_ticket(struct role_world *world, const Docket__Opened *opened)
{
    uint64_t ticket = dk_ticket_make(7, ++world->tickets);
    (void)world_append(world, ticket, DK_KIND_OPENED, opened);
    return ticket;
}

/* Appends what the role owes by now, until it owes nothing; how many events that were. */
static inline size_t world_settle(struct role_world *world)
{
    size_t appended = 0;
    uint64_t item;
    while (dk_folder_next_item(world->folder, world->now_us, &item)) {
        dk_folder_consider(world->folder, item, world->now_us, &world->intents);
        for (size_t i = 0; i < world->intents.count; i++) {
            struct dk_slice event = dk_intents_event(&world->intents, i);
            DK_ASSERT(dk_buf_append(&world->log, event.data, event.size) == 0);
            (void)world_stamp(world);
            appended++;
        }
        DK_ASSERT(appended < WORLD_EVENTS / 2);
        if (world->intents.count > 0) {
            dk_folder_touch(world->folder, item, 0); /* as a live node does when they have landed */
        }
    }
    return appended;
}

/* Folds what comes after the folder's own position, up to `last`. */
static inline void world_fold(const struct role_world *world, struct dk_folder *folder,
                              uint64_t last)
{
    struct dk_err err;
    for (uint64_t position = dk_folder_position(folder) + 1; position <= last; position++) {
        size_t bytes;
        const uint8_t *record = world_record(world, position, &bytes);
        ASSERT_OK(dk_folder_apply(folder, record, bytes, &err), &err);
    }
}

/* A fresh folder that has folded the whole log: a restart without a checkpoint, or a replay. */
static inline struct dk_folder *world_replay(const struct role_world *world)
{
    struct dk_err err;
    struct dk_folder *folder = NULL;
    ASSERT_OK(dk_folder_new(&folder, world->ops, &err), &err);
    world_fold(world, folder, world->count);
    return folder;
}

/* A fresh folder that has been given the tables, as a checkpoint gives them. */
static inline struct dk_folder *world_restore(const struct role_world *world)
{
    struct dk_err err;
    struct dk_folder *folder = NULL;
    struct dk_table *from[DK_FOLDER_TABLES_MAX], *to[DK_FOLDER_TABLES_MAX];
    size_t count = dk_folder_tables(world->folder, from, DK_FOLDER_TABLES_MAX), bytes;
    ASSERT_OK(dk_folder_new(&folder, world->ops, &err), &err);
    ASSERT_EQ(dk_folder_tables(folder, to, DK_FOLDER_TABLES_MAX), count);
    for (size_t i = 0; i < count; i++) {
        size_t cursor = 0;
        uint64_t key;
        const void *value;
        while (dk_table_next(from[i], &cursor, &key, &value, &bytes))
            memcpy(dk_table_edit(to[i], key, bytes), value, bytes);
    }
    for (uint64_t position = 1; position <= world->count; position++) {
        const uint8_t *record = world_record(world, position, &bytes);
        ASSERT_OK(dk_refs_apply(dk_folder_world(folder)->refs, record, bytes, &err), &err);
    }
    const struct dk_world *known = dk_folder_world(world->folder);
    ASSERT_OK(dk_folder_restored(folder, known->position, known->recorded_us, &err), &err);
    return folder;
}

static inline void world_restart(struct role_world *world)
{
    dk_folder_free(&world->folder);
    world->folder = world_replay(world);
}

/* The body at a position, which must be of this kind; in memory of the test. */
static inline const void *world_body(const struct role_world *world, uint64_t position,
                                     uint32_t kind)
{
    static struct dk_arena arena;
    struct dk_err err = {0};
    size_t bytes;
    const uint8_t *record = world_record(world, position, &bytes);
    if (arena.base == NULL)
        DK_ASSERT(dk_arena_init(&arena, (size_t)256 << 20) == 0);
    ASSERT_EQ(dk_event_load_kind(record), kind);
    const void *body = dk_body_unpack(&arena, record, bytes, &err);
    ASSERT_OK(body == NULL ? err.code : 0, &err);
    return body;
}

#endif
