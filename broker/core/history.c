#include "broker/core/history.h"

#include "proto/base/limits.h"
#include <stdlib.h>
#include <string.h>

_Static_assert((DK_PRODUCER_ANSWERS & (DK_PRODUCER_ANSWERS - 1)) == 0, "rings are masked");
_Static_assert(sizeof(struct dk_remembered) == 48, "saved as it stands: no padding");

struct dk_ring {
    size_t holders; /* the history, and views */
    struct dk_remembered answer[];
};

static void let_go(struct dk_ring *ring)
{
    if (ring != NULL && --ring->holders == 0) {
        free(ring);
    }
}

void dk_history_close(struct dk_history *history)
{
    let_go(history->ring);
    memset(history, 0, sizeof *history);
}

struct dk_history dk_history_freeze(const struct dk_history *history)
{
    if (history->ring != NULL) {
        history->ring->holders++;
    }
    return *history;
}

size_t dk_history_count(const struct dk_history *history)
{
    return history->total < history->capacity ? (size_t)history->total : history->capacity;
}

size_t dk_history_bytes(const struct dk_history *history)
{
    return history->capacity * sizeof(struct dk_remembered);
}

/* The i-th of the kept ones, the oldest first. */
static struct dk_remembered *kept(const struct dk_history *history, size_t i)
{
    uint64_t at = history->total - dk_history_count(history) + i;
    return &history->ring->answer[at & (history->capacity - 1)];
}

uint64_t dk_history_last(const struct dk_history *history)
{
    size_t count = dk_history_count(history);
    return count > 0 ? kept(history, count - 1)->number : 0;
}

/* A ring of its own, with room for one more. Nothing has been overwritten while the ring still
 * grows, so entries keep their places. */
static int make_room(struct dk_history *history)
{
    size_t capacity = history->capacity;
    if (history->total == capacity && capacity < DK_PRODUCER_ANSWERS) {
        capacity = capacity == 0 ? 8 : capacity * 2;
    }
    bool shared = history->ring != NULL && history->ring->holders > 1;
    if (capacity == history->capacity && !shared) {
        return 0;
    }
    struct dk_ring *ring =
        realloc(shared ? NULL : history->ring, sizeof *ring + capacity * sizeof ring->answer[0]);
    if (ring == NULL) {
        return DK_ENOMEM;
    }
    if (shared) {
        memcpy(ring->answer, history->ring->answer, dk_history_bytes(history));
        let_go(history->ring);
    }
    ring->holders = 1;
    history->ring = ring;
    history->capacity = capacity;
    return 0;
}

int dk_history_add(struct dk_history *history, const struct dk_remembered *remembered)
{
    if (remembered->number <= dk_history_last(history)) {
        return DK_ECORRUPT;
    }
    int rc = make_room(history);
    if (rc == 0) {
        history->total++;
        *kept(history, dk_history_count(history) - 1) = *remembered;
    }
    return rc;
}

const struct dk_remembered *dk_history_find(const struct dk_history *history, uint64_t number)
{
    size_t low = 0;
    size_t high = dk_history_count(history);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct dk_remembered *remembered = kept(history, middle);
        if (remembered->number == number) {
            return remembered;
        }
        if (remembered->number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

bool dk_history_before(const struct dk_history *history, uint64_t number)
{
    return dk_history_count(history) == DK_PRODUCER_ANSWERS && number < kept(history, 0)->number;
}

int dk_history_save(const struct dk_history *view, struct dk_buf *out)
{
    uint64_t count = dk_history_count(view);
    int rc = dk_buf_append(out, &count, sizeof count);
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = dk_buf_append(out, kept(view, i), sizeof(struct dk_remembered));
    }
    return rc;
}

int dk_history_load(struct dk_history *history, const uint8_t *data, size_t bytes, size_t *used,
                    struct dk_err *err)
{
    uint64_t count;
    if (bytes < sizeof count) {
        return dk_err_set(err, DK_ECORRUPT, "a producer's answers are cut off");
    }
    memcpy(&count, data, sizeof count);
    if (count > DK_PRODUCER_ANSWERS ||
        count > (bytes - sizeof count) / sizeof(struct dk_remembered)) {
        return dk_err_set(err, DK_ECORRUPT, "a producer's answers are cut off");
    }
    const uint8_t *at = data + sizeof count;
    for (uint64_t i = 0; i < count; i++, at += sizeof(struct dk_remembered)) {
        struct dk_remembered remembered;
        memcpy(&remembered, at, sizeof remembered);
        int rc = dk_history_add(history, &remembered);
        if (rc != 0) {
            return dk_err_set(err, rc, "a producer's answers cannot be taken in");
        }
    }
    *used = (size_t)(at - data);
    return 0;
}
