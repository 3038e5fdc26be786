#include "broker/core/one_shots.h"

#include "proto/base/crc32c.h"
#include "proto/base/limits.h"
#include "proto/base/map.h"
#include <stdlib.h>
#include <string.h>

struct dk_one_shots {
    struct dk_map index;     /* key_of(id) -> uint64_t, the entry's number */
    struct dk_shelf entries; /* as they arrive */
    size_t max_count;
};

int dk_one_shots_new(struct dk_one_shots **one_shots, size_t max_count, struct dk_err *err)
{
    DK_ASSERT(max_count > 0);
    *one_shots = calloc(1, sizeof **one_shots);
    if (*one_shots == NULL) {
        return dk_err_set(err, DK_ENOMEM, "no memory for request ids");
    }
    (*one_shots)->max_count = max_count;
    dk_map_init(&(*one_shots)->index, sizeof(uint64_t), max_count);
    dk_shelf_init(&(*one_shots)->entries, sizeof(struct dk_one_shot));
    return 0;
}

void dk_one_shots_free(struct dk_one_shots **one_shots)
{
    if (*one_shots == NULL) {
        return;
    }
    dk_map_close(&(*one_shots)->index);
    dk_shelf_close(&(*one_shots)->entries);
    free(*one_shots);
    *one_shots = NULL;
}

/* Ids are random; two that fold to one key only make the older forgotten. */
static uint64_t key_of(uint64_t high, uint64_t low)
{
    uint64_t key = high ^ (low << 32 | low >> 32);
    return key != 0 ? key : 1;
}

static const struct dk_one_shot *entry_at(const struct dk_one_shots *one_shots, uint64_t number)
{
    return dk_shelf_get(&one_shots->entries, number);
}

const struct dk_one_shot *dk_one_shots_find(const struct dk_one_shots *one_shots, uint64_t high,
                                            uint64_t low)
{
    const uint64_t *number = dk_map_get(&one_shots->index, key_of(high, low));
    if (number == NULL) {
        return NULL;
    }
    const struct dk_one_shot *entry = entry_at(one_shots, *number);
    return entry->high == high && entry->low == low ? entry : NULL;
}

static size_t count_of(const struct dk_one_shots *one_shots)
{
    return dk_shelf_count(&one_shots->entries);
}

static bool expired(const struct dk_one_shot *entry, int64_t recorded_us)
{
    return entry->recorded_us < recorded_us - DK_ONE_SHOT_MEMORY_US;
}

bool dk_one_shots_room(const struct dk_one_shots *one_shots, int64_t recorded_us)
{
    return count_of(one_shots) < one_shots->max_count ||
           expired(entry_at(one_shots, one_shots->entries.begin), recorded_us);
}

static void forget_expired(struct dk_one_shots *one_shots, int64_t recorded_us)
{
    while (count_of(one_shots) > 0) {
        uint64_t begin = one_shots->entries.begin;
        const struct dk_one_shot *oldest = entry_at(one_shots, begin);
        if (!expired(oldest, recorded_us)) {
            return;
        }
        uint64_t key = key_of(oldest->high, oldest->low);
        const uint64_t *number = dk_map_get(&one_shots->index, key);
        if (number != NULL && *number == begin) {
            dk_map_remove(&one_shots->index, key);
        }
        dk_shelf_drop(&one_shots->entries, begin + 1);
    }
}

static int push(struct dk_one_shots *one_shots, const struct dk_one_shot *one_shot)
{
    forget_expired(one_shots, one_shot->recorded_us);
    if (count_of(one_shots) >= one_shots->max_count) {
        return DK_EBUSY;
    }
    uint64_t *number = dk_map_put(&one_shots->index, key_of(one_shot->high, one_shot->low), NULL);
    struct dk_one_shot *entry = number != NULL ? dk_shelf_add(&one_shots->entries) : NULL;
    if (entry == NULL) {
        return DK_EBUSY;
    }
    *number = one_shots->entries.end - 1;
    *entry = *one_shot;
    return 0;
}

/* Whether the event is the next one of the request that the newest entry is of. */
static bool extends(const struct dk_one_shots *one_shots, const struct dk_one_shot *event)
{
    if (count_of(one_shots) == 0) {
        return false;
    }
    const struct dk_one_shot *newest = entry_at(one_shots, one_shots->entries.end - 1);
    return newest->high == event->high && newest->low == event->low &&
           newest->position + newest->count == event->position;
}

int dk_one_shots_add(struct dk_one_shots *one_shots, const struct dk_one_shot *event)
{
    if (!extends(one_shots, event)) {
        struct dk_one_shot first = *event;
        first.count = 1;
        first.opened_count = event->opened != 0;
        first.digest = dk_one_shot_digest(0, event->digest);
        return push(one_shots, &first);
    }
    struct dk_one_shot *newest = dk_shelf_edit(&one_shots->entries, one_shots->entries.end - 1);
    if (newest == NULL) {
        return DK_EBUSY;
    }
    newest->count++;
    newest->digest = dk_one_shot_digest(newest->digest, event->digest);
    if (event->opened != 0) {
        newest->opened = newest->opened_count == 0 ? event->opened : newest->opened;
        newest->opened_count++;
    }
    return 0;
}

uint32_t dk_one_shot_digest(uint32_t so_far, uint32_t event_digest)
{
    return dk_crc32c(so_far, &event_digest, sizeof event_digest);
}

size_t dk_one_shots_bytes(const struct dk_one_shots *one_shots)
{
    return dk_shelf_bytes(&one_shots->entries) + one_shots->index.capacity * 2 * sizeof(uint64_t);
}

int dk_one_shots_freeze(const struct dk_one_shots *one_shots, struct dk_shelf *view)
{
    return dk_shelf_freeze(&one_shots->entries, view);
}

int dk_one_shots_load(struct dk_one_shots *one_shots, const uint8_t *data, size_t bytes,
                      size_t *used, struct dk_err *err)
{
    uint64_t count = 0;
    if (bytes < sizeof count) {
        return dk_err_set(err, DK_ECORRUPT, "the request ids are cut off");
    }
    memcpy(&count, data, sizeof count);
    if (count > (bytes - sizeof count) / sizeof(struct dk_one_shot)) {
        return dk_err_set(err, DK_ECORRUPT, "the request ids are cut off");
    }
    const uint8_t *at = data + sizeof count;
    for (uint64_t i = 0; i < count; i++, at += sizeof(struct dk_one_shot)) {
        struct dk_one_shot one_shot;
        memcpy(&one_shot, at, sizeof one_shot);
        if (push(one_shots, &one_shot) != 0) {
            return dk_err_set(err, DK_EBUSY, "no room for %llu request ids",
                              (unsigned long long)count);
        }
    }
    *used = (size_t)(at - data);
    return 0;
}
