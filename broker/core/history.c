#include "broker/core/history.h"

#include "proto/base/limits.h"
#include <stdlib.h>
#include <string.h>

_Static_assert((DK_PRODUCER_ANSWERS & (DK_PRODUCER_ANSWERS - 1)) == 0, "rings are masked");
_Static_assert(sizeof(struct dk_remembered) == 48, "saved as it stands: no padding");

void dk_history_close(struct dk_history *history)
{
    free(history->ring);
    memset(history, 0, sizeof *history);
}

size_t dk_history_count(const struct dk_history *history)
{
    return history->total < history->capacity ? (size_t)history->total : history->capacity;
}

size_t dk_history_bytes(const struct dk_history *history)
{
    return history->capacity * sizeof *history->ring;
}

/* The i-th of the kept ones, the oldest first. */
static struct dk_remembered *kept(const struct dk_history *history, size_t i)
{
    uint64_t at = history->total - dk_history_count(history) + i;
    return &history->ring[at & (history->capacity - 1)];
}

uint64_t dk_history_last(const struct dk_history *history)
{
    size_t count = dk_history_count(history);
    return count > 0 ? kept(history, count - 1)->number : 0;
}

/* Nothing has been overwritten while the ring still grows, so entries keep their places. */
static int grow(struct dk_history *history)
{
    size_t capacity = history->capacity == 0 ? 8 : history->capacity * 2;
    struct dk_remembered *ring = realloc(history->ring, capacity * sizeof *ring);
    if (ring == NULL) {
        return DK_ENOMEM;
    }
    history->ring = ring;
    history->capacity = capacity;
    return 0;
}

int dk_history_add(struct dk_history *history, const struct dk_remembered *remembered)
{
    if (remembered->number <= dk_history_last(history)) {
        return DK_ECORRUPT;
    }
    if (history->total == history->capacity && history->capacity < DK_PRODUCER_ANSWERS) {
        int rc = grow(history);
        if (rc != 0) {
            return rc;
        }
    }
    history->total++;
    *kept(history, dk_history_count(history) - 1) = *remembered;
    return 0;
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

int dk_history_save(const struct dk_history *history, struct dk_buf *out)
{
    uint64_t count = dk_history_count(history);
    int rc = dk_buf_append(out, &count, sizeof count);
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = dk_buf_append(out, kept(history, i), sizeof(struct dk_remembered));
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
