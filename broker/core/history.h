/* The last DK_PRODUCER_ANSWERS answers of one producer, by rising number.
 *
 * A ring that grows by doubling until it holds them all and overwrites the oldest from then on: a
 * producer of a few events takes little, a busy one stops allocating. A view holds the ring as it
 * is; then the next add copies it first, so that another thread may read the view meanwhile. */
#ifndef DK_CORE_HISTORY_H
#define DK_CORE_HISTORY_H

#include "broker/core/producers.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dk_remembered {
    uint64_t number;
    struct dk_answer answer;
};

struct dk_ring;

/* All zero is empty. */
struct dk_history {
    struct dk_ring *ring;
    size_t capacity; /* a power of two up to DK_PRODUCER_ANSWERS, or 0 */
    uint64_t total;  /* ever added; the kept ones are the last min(total, capacity) */
};

void dk_history_close(struct dk_history *history); /* of a view too */
size_t dk_history_count(const struct dk_history *history);
size_t dk_history_bytes(const struct dk_history *history);

/* The last number, 0 when empty. */
uint64_t dk_history_last(const struct dk_history *history);

/* 0, DK_ENOMEM, or DK_ECORRUPT for a number that is not above all before. */
int dk_history_add(struct dk_history *history, const struct dk_remembered *remembered);

/* Borrowed until the next add; NULL when it is not kept. O(log n). */
const struct dk_remembered *dk_history_find(const struct dk_history *history, uint64_t number);

/* Whether `number` lies before the kept ones, where others stood that are overwritten. */
bool dk_history_before(const struct dk_history *history, uint64_t number);

/* A view, to be closed in the owner's thread. */
struct dk_history dk_history_freeze(const struct dk_history *history);

int dk_history_save(const struct dk_history *view, struct dk_buf *out);
int dk_history_load(struct dk_history *history, const uint8_t *data, size_t bytes, size_t *used,
                    struct dk_err *err);

#endif
