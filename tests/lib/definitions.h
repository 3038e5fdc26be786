/* Definitions for tests that need reference data: bodies out of a few words, records out of bodies.
 *
 * What a maker returns lives as long as the process. */
#ifndef DK_TESTS_DEFINITIONS_H
#define DK_TESTS_DEFINITIONS_H

#include "proto/base/buf.h"
#include "proto/base/time.h"
#include "proto/event/body.h"
#include "proto/refs/refs.h"
#include <string.h>

static inline void *test_memory(size_t bytes)
{
    static struct dk_arena arena;
    if (arena.base == NULL)
        DK_ASSERT(dk_arena_init(&arena, (size_t)256 << 20) == 0);
    void *memory = dk_arena_alloc(&arena, bytes);
    DK_ASSERT(memory != NULL);
    return memory;
}

static inline ProtobufCBinaryData test_bytes(const char *text)
{
    size_t bytes = strlen(text);
    return (ProtobufCBinaryData){bytes, memcpy(test_memory(bytes + 1), text, bytes)};
}

static inline Docket__Text *test_text(const char *text)
{
    Docket__Text *made = test_memory(sizeof *made);
    docket__text__init(made);
    made->has_plain = 1;
    made->plain = test_bytes(text);
    return made;
}

static inline Docket__Definition *test_definition(const char *key)
{
    Docket__Definition *made = test_memory(sizeof *made);
    docket__definition__init(made);
    made->key = test_bytes(key);
    return made;
}

static inline uint64_t test_id(unsigned cls, const char *key)
{
    return dk_id_of_key(cls, key, strlen(key), NULL);
}

/* Open in one interval of each of the first `weekdays` days from Monday on; beyond 24: over
 * midnight. */
static inline Docket__CalendarDefined *test_hours(const char *key, const char *zone,
                                                  uint32_t weekdays, uint32_t from_h, uint32_t to_h)
{
    Docket__CalendarDefined *made = test_memory(sizeof *made);
    Docket__DayInterval *interval = test_memory(sizeof *interval);
    Docket__DayInterval **intervals = test_memory(sizeof *intervals);
    docket__calendar_defined__init(made);
    docket__day_interval__init(interval);
    interval->from_s = from_h * 3600;
    interval->to_s = to_h * 3600;
    intervals[0] = interval;
    made->definition = test_definition(key);
    made->zone = test_bytes(zone);
    made->n_weekday = weekdays;
    made->weekday = test_memory(weekdays * sizeof *made->weekday);
    for (uint32_t i = 0; i < weekdays; i++) {
        made->weekday[i] = test_memory(sizeof **made->weekday);
        docket__weekday_plan__init(made->weekday[i]);
        made->weekday[i]->weekday = i;
        made->weekday[i]->n_interval = 1;
        made->weekday[i]->interval = intervals;
    }
    return made;
}

/* Encodes a ...Defined body as position `position` of a log and hands it to the refs. */
static inline void test_define(struct dk_refs *refs, uint64_t position, int64_t recorded_us,
                               uint32_t kind, const void *body)
{
    const struct dk_refs_version as_version = {.body = body};
    const ProtobufCBinaryData *key = &dk_refs_definition(&as_version)->key;
    unsigned cls = dk_kind_info(kind)->subject_class;
    uint64_t subject = dk_id_of_key(cls, (const char *)key->data, key->len, NULL);
    const struct dk_refs_version *last = dk_refs_last(refs, subject);
    struct dk_envelope envelope = {
        .position = position,
        .recorded_us = recorded_us,
        .occurred_us = recorded_us,
        .subject = subject,
        .subject_version = last != NULL ? last->version + 1 : 1,
        .actor = dk_id_make(DK_ACTOR_OPERATOR, 1),
    };
    struct dk_buf buf;
    dk_buf_init(&buf, DK_RECORD_MAX_BYTES);
    DK_ASSERT(dk_event_encode(&buf, &envelope, kind, body, NULL) == 0);
    DK_ASSERT(dk_refs_apply(refs, buf.data, buf.size, NULL) == 0);
    dk_buf_close(&buf);
}

/* "2026-02-03T04:05:06Z" as an instant. */
static inline int64_t test_at(const char *text)
{
    int64_t us;
    DK_ASSERT(dk_time_parse(text, &us, NULL, NULL) == 0);
    return us;
}

#endif
