/* A folder of any role over a log in memory: a test names events, which are stamped as a broker
 * stamps them, kept, and folded at once. What is kept can be folded again by another folder. */
#ifndef DK_TESTS_FOLDED_H
#define DK_TESTS_FOLDED_H

#include "nodes/runtime/folder.h"
#include "proto/base/map.h"
#include "proto/event/body.h"
#include "tests/lib/assert.h"
#include "tests/lib/definitions.h"
#include <stdlib.h>

#define FOLDED_MAX_BYTES ((size_t)256 << 20)
#define FOLDED_EPOCH_US  INT64_C(1770000000000000)

struct folded_subject {
    uint64_t last;
    uint32_t version;
};

struct folded {
    struct dk_folder *folder;
    struct dk_buf records;
    size_t *end; /* of each record; end[0] = 0 */
    uint64_t last;
    int64_t now_us; /* recorded and occurred of the next event */
    struct dk_map subjects;
    struct dk_err err;
};

static inline void folded_open(struct folded *log, const struct dk_role_ops *ops)
{
    memset(log, 0, sizeof *log);
    dk_buf_init(&log->records, FOLDED_MAX_BYTES);
    dk_map_init(&log->subjects, sizeof(struct folded_subject), 1 << 20);
    log->end = calloc(1, sizeof *log->end);
    log->now_us = FOLDED_EPOCH_US;
    ASSERT_OK(dk_folder_new(&log->folder, ops, &log->err), &log->err);
}

static inline void folded_close(struct folded *log)
{
    dk_folder_free(&log->folder);
    dk_buf_close(&log->records);
    dk_map_close(&log->subjects);
    free(log->end);
}

/* The record at a position, 1..last. */
static inline struct dk_slice folded_record(const struct folded *log, uint64_t position)
{
    return (struct dk_slice){log->records.data + log->end[position - 1],
                             log->end[position] - log->end[position - 1]};
}

/* Folds the positions after the folder's own up to `last`. */
static inline void folded_replay(const struct folded *log, struct dk_folder *folder, uint64_t last)
{
    struct dk_err err;
    for (uint64_t position = dk_folder_position(folder) + 1; position <= last; position++) {
        struct dk_slice record = folded_record(log, position);
        ASSERT_OK(dk_folder_apply(folder, record.data, record.size, &err), &err);
    }
}

/* Stamps the record that was just written at the end of the buffer, and folds it. */
static inline uint64_t folded_take(struct folded *log)
{
    uint8_t *record = log->records.data + log->end[log->last];
    size_t bytes = log->records.size - log->end[log->last];
    struct folded_subject *subject =
        dk_map_put(&log->subjects, dk_event_load_subject(record), NULL);
    log->last++;
    log->end = realloc(log->end, (log->last + 1) * sizeof *log->end);
    log->end[log->last] = log->records.size;
    dk_stamp_position(record, log->last);
    dk_stamp_recorded_us(record, (uint64_t)log->now_us);
    dk_stamp_occurred_us(record, (uint64_t)log->now_us);
    dk_stamp_previous(record, subject->last);
    dk_stamp_subject_version(record, ++subject->version);
    dk_stamp_crc32c(record, dk_event_crc(record, bytes));
    subject->last = log->last;
    folded_replay(log, log->folder, log->last);
    return log->last;
}

/* One event, by its position. */
static inline uint64_t folded_event(struct folded *log, uint64_t subject, uint32_t kind,
                                    const void *body, uint64_t actor, uint32_t flags)
{
    struct dk_envelope envelope = {.subject = subject, .actor = actor, .flags = flags};
    ASSERT_OK(dk_event_encode(&log->records, &envelope, kind, body, &log->err), &log->err);
    return folded_take(log);
}

/* A ...Defined, whose subject comes from its key. */
static inline uint64_t folded_define(struct folded *log, uint32_t kind, const void *body)
{
    const struct dk_refs_version as_version = {.body = body};
    const ProtobufCBinaryData *key = &dk_refs_definition(&as_version)->key;
    uint64_t subject =
        dk_id_of_key(dk_kind_info(kind)->subject_class, (const char *)key->data, key->len, NULL);
    (void)folded_event(log, subject, kind, body, dk_id_make(DK_ACTOR_OPERATOR, 1), 0);
    return subject;
}

/* Takes events in that a node decided, as an append would. */
static inline void folded_intents(struct folded *log, const struct dk_intents *intents)
{
    for (size_t i = 0; i < intents->count; i++) {
        struct dk_slice event = dk_intents_event(intents, i);
        DK_ASSERT(dk_buf_append(&log->records, event.data, event.size) == 0);
        (void)folded_take(log);
    }
}

#endif
