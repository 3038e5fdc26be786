#include "nodes/notification/delivery/digests.h"
#include "nodes/notification/payload.h"
#include "nodes/notification/rule.h"
#include "nodes/runtime/agenda.h"
#include "proto/base/err.h"
#include "proto/base/map.h"
#include <stdlib.h>
#include <string.h>

#define DIGESTS_MAX (UINT64_C(1) << 32)

struct ids {
    uint64_t *id;
    size_t count, capacity;
    uint64_t lane;
};

struct dk_digests {
    struct dk_map gathering; /* hash of receiver, rule and window -> struct ids */
    struct dk_map ready;     /* digest -> struct ids, which are fixed */
    struct dk_map digest_of; /* notice -> its digest, uint64_t */
    struct dk_agenda *windows;
};

struct dk_digests *dk_digests_new(void)
{
    struct dk_digests *digests = calloc(1, sizeof *digests);
    DK_ASSERT(digests != NULL);
    dk_map_init(&digests->gathering, sizeof(struct ids), DIGESTS_MAX);
    dk_map_init(&digests->ready, sizeof(struct ids), DIGESTS_MAX);
    dk_map_init(&digests->digest_of, sizeof(uint64_t), DIGESTS_MAX);
    digests->windows = dk_agenda_new();
    return digests;
}

static void free_all(struct dk_map *map)
{
    size_t cursor = 0;
    uint64_t key;
    void *ids;
    while (dk_map_next(map, &cursor, &key, &ids)) {
        free(((struct ids *)ids)->id);
    }
    dk_map_close(map);
}

void dk_digests_free(struct dk_digests **digests)
{
    struct dk_digests *d = *digests;
    if (d != NULL) {
        free_all(&d->gathering);
        free_all(&d->ready);
        dk_map_close(&d->digest_of);
        dk_agenda_free(&d->windows);
        free(d);
        *digests = NULL;
    }
}

void dk_digests_add(struct dk_digests *digests, uint64_t id, const struct dk_notice *notice,
                    uint64_t lane)
{
    uint64_t parts[] = {notice->receiver, notice->rule, notice->recipient,
                        (uint64_t)notice->digest_until_us};
    uint64_t window = dk_notice_hash(parts, sizeof parts);
    struct ids *ids = dk_map_put(&digests->gathering, window, NULL);
    DK_ASSERT(ids != NULL);
    if (ids->count == ids->capacity) {
        ids->capacity = ids->capacity == 0 ? 8 : 2 * ids->capacity;
        ids->id = realloc(ids->id, ids->capacity * sizeof *ids->id);
        DK_ASSERT(ids->id != NULL);
    }
    ids->id[ids->count++] = id;
    ids->lane = lane;
    dk_agenda_schedule(digests->windows, window, notice->digest_until_us);
}

/* Takes the first ones that were gathered. */
static uint64_t take(struct dk_digests *digests, struct ids *from)
{
    size_t count = from->count < DK_PAYLOAD_DIGEST_MAX ? from->count : DK_PAYLOAD_DIGEST_MAX;
    struct ids taken = {calloc(count, sizeof(uint64_t)), count, count, from->lane};
    DK_ASSERT(taken.id != NULL);
    memcpy(taken.id, from->id, count * sizeof *taken.id);
    from->count -= count;
    memmove(from->id, from->id + count, from->count * sizeof *from->id);
    uint64_t digest = dk_notice_hash(taken.id, count * sizeof *taken.id);
    struct ids *ready = dk_map_put(&digests->ready, digest, NULL);
    DK_ASSERT(ready != NULL && ready->id == NULL);
    *ready = taken;
    for (size_t i = 0; i < count; i++) {
        uint64_t *of = dk_map_put(&digests->digest_of, taken.id[i], NULL);
        DK_ASSERT(of != NULL);
        *of = digest;
    }
    return digest;
}

bool dk_digests_next(struct dk_digests *digests, int64_t now_us, uint64_t *digest, uint64_t *lane)
{
    uint64_t window;
    if (!dk_agenda_next(digests->windows, now_us, &window)) {
        return false;
    }
    struct ids *ids = dk_map_get(&digests->gathering, window);
    DK_ASSERT(ids != NULL && ids->count > 0);
    *lane = ids->lane;
    *digest = take(digests, ids);
    if (ids->count > 0) {
        dk_agenda_touch(digests->windows, window);
    } else {
        free(ids->id);
        (void)dk_map_remove(&digests->gathering, window);
    }
    return true;
}

int64_t dk_digests_due_us(struct dk_digests *digests)
{
    return dk_agenda_due_us(digests->windows);
}

const uint64_t *dk_digests_notices(const struct dk_digests *digests, uint64_t digest, size_t *count)
{
    const struct ids *ids = dk_map_get(&digests->ready, digest);
    *count = ids != NULL ? ids->count : 0;
    return ids != NULL ? ids->id : NULL;
}

uint64_t dk_digests_of(const struct dk_digests *digests, uint64_t notice)
{
    const uint64_t *digest = dk_map_get(&digests->digest_of, notice);
    return digest != NULL ? *digest : 0;
}

void dk_digests_done(struct dk_digests *digests, uint64_t digest)
{
    struct ids *ids = dk_map_get(&digests->ready, digest);
    if (ids == NULL) {
        return;
    }
    for (size_t i = 0; i < ids->count; i++) {
        (void)dk_map_remove(&digests->digest_of, ids->id[i]);
    }
    free(ids->id);
    (void)dk_map_remove(&digests->ready, digest);
}
