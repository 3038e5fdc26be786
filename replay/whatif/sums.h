/* Rows of sums, found by a key of some numbers; made when first asked for. */
#ifndef DK_REPLAY_WHATIF_SUMS_H
#define DK_REPLAY_WHATIF_SUMS_H

#include "proto/base/map.h"

#define DK_SUM_KEY 5

/* A row's first member. */
struct dk_sum {
    uint64_t key[DK_SUM_KEY];
    size_t next; /* of those whose keys have the same hash; 0: the last */
};

struct dk_sums {
    uint8_t *row;
    size_t row_bytes, count, capacity, max;
    struct dk_map first; /* hash of the key -> number of a row, from 1 */
};

/* `row_bytes`: a multiple of 8; at most `max` rows. */
void dk_sums_init(struct dk_sums *rows, size_t row_bytes, size_t max);
void dk_sums_close(struct dk_sums *rows);

/* The row of a key, zeroed when it is new; NULL when there would be more than `max`. Good until the
 * next call. */
void *dk_sums_of(struct dk_sums *rows, const uint64_t key[DK_SUM_KEY]);

/* By key; no row is looked for afterwards. */
void dk_sums_sort(struct dk_sums *rows);
void *dk_sums_at(const struct dk_sums *rows, size_t index);

#endif
