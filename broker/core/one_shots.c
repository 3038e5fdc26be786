#include "broker/core/one_shots.h"

#include "proto/base/crc32c.h"
#include "proto/base/limits.h"
#include "proto/base/map.h"
#include <stdlib.h>
#include <string.h>

/* A ring of entries, numbered 0, 1, ... as they arrive; entry n stands at n & (capacity - 1). */
struct dk_one_shots {
    struct dk_map index; /* key_of(id) -> uint64_t, the entry's number */
    struct dk_one_shot *entry;
    size_t capacity; /* a power of two, or 0 */
    size_t max_count;
    uint64_t begin; /* the oldest remembered */
    uint64_t end;
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
    return 0;
}

void dk_one_shots_free(struct dk_one_shots **one_shots)
{
    if (*one_shots == NULL) {
        return;
    }
    dk_map_close(&(*one_shots)->index);
    free((*one_shots)->entry);
    free(*one_shots);
    *one_shots = NULL;
}

/* Ids are random; two that fold to one key only make the older forgotten. */
static uint64_t key_of(uint64_t high, uint64_t low)
{
    uint64_t key = high ^ (low << 32 | low >> 32);
    return key != 0 ? key : 1;
}

static struct dk_one_shot *entry_at(const struct dk_one_shots *one_shots, uint64_t number)
{
    return &one_shots->entry[number & (one_shots->capacity - 1)];
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
    return (size_t)(one_shots->end - one_shots->begin);
}

static bool expired(const struct dk_one_shot *entry, int64_t recorded_us)
{
    return entry->recorded_us < recorded_us - DK_ONE_SHOT_MEMORY_US;
}

bool dk_one_shots_room(const struct dk_one_shots *one_shots, int64_t recorded_us)
{
    return count_of(one_shots) < one_shots->max_count ||
           expired(entry_at(one_shots, one_shots->begin), recorded_us);
}

static void forget_expired(struct dk_one_shots *one_shots, int64_t recorded_us)
{
    while (count_of(one_shots) > 0) {
        const struct dk_one_shot *oldest = entry_at(one_shots, one_shots->begin);
        if (!expired(oldest, recorded_us)) {
            return;
        }
        uint64_t key = key_of(oldest->high, oldest->low);
        const uint64_t *number = dk_map_get(&one_shots->index, key);
        if (number != NULL && *number == one_shots->begin) {
            dk_map_remove(&one_shots->index, key);
        }
        one_shots->begin++;
    }
}

static int grow(struct dk_one_shots *one_shots)
{
    size_t capacity = one_shots->capacity == 0 ? 64 : one_shots->capacity * 2;
    struct dk_one_shot *entry = malloc(capacity * sizeof *entry);
    if (entry == NULL) {
        return DK_EBUSY;
    }
    for (uint64_t n = one_shots->begin; n < one_shots->end; n++) {
        entry[n & (capacity - 1)] = *entry_at(one_shots, n);
    }
    free(one_shots->entry);
    one_shots->entry = entry;
    one_shots->capacity = capacity;
    return 0;
}

static int push(struct dk_one_shots *one_shots, const struct dk_one_shot *one_shot)
{
    forget_expired(one_shots, one_shot->recorded_us);
    if (count_of(one_shots) >= one_shots->max_count ||
        (count_of(one_shots) == one_shots->capacity && grow(one_shots) != 0)) {
        return DK_EBUSY;
    }
    uint64_t *number = dk_map_put(&one_shots->index, key_of(one_shot->high, one_shot->low), NULL);
    if (number == NULL) {
        return DK_EBUSY;
    }
    *number = one_shots->end;
    *entry_at(one_shots, one_shots->end) = *one_shot;
    one_shots->end++;
    return 0;
}

int dk_one_shots_add(struct dk_one_shots *one_shots, const struct dk_one_shot *event)
{
    struct dk_one_shot *newest =
        count_of(one_shots) > 0 ? entry_at(one_shots, one_shots->end - 1) : NULL;
    if (newest == NULL || newest->high != event->high || newest->low != event->low ||
        newest->position + newest->count != event->position) {
        struct dk_one_shot first = *event;
        first.count = 1;
        first.opened_count = event->opened != 0;
        first.digest = dk_one_shot_digest(0, event->digest);
        return push(one_shots, &first);
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
    return one_shots->capacity * sizeof *one_shots->entry +
           one_shots->index.capacity * 2 * sizeof(uint64_t);
}

int dk_one_shots_save(const struct dk_one_shots *one_shots, struct dk_buf *out)
{
    uint64_t count = count_of(one_shots);
    int rc = dk_buf_append(out, &count, sizeof count);
    for (uint64_t n = one_shots->begin; n < one_shots->end && rc == 0; n++) {
        rc = dk_buf_append(out, entry_at(one_shots, n), sizeof(struct dk_one_shot));
    }
    return rc;
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
