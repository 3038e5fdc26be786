/* Exact figures of a set of numbers: integers inside, rounded once where they are printed. */
#ifndef DK_ANALYTICS_STATS_H
#define DK_ANALYTICS_STATS_H

#include "proto/base/buf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* numerator / denominator; the denominator is > 0. */
struct dk_ratio {
    __int128 numerator;
    int64_t denominator;
};

/* The quantile of n >= 1 ascending values at `percent` (0..100). Type 7 of Hyndman and Fan (the
 * default of NumPy and R): at (n - 1) * p between the neighbours, linearly. Nearest rank: the
 * ceil(p * n)-th value. */
struct dk_ratio dk_quantile(const int64_t *sorted, size_t n, unsigned percent, bool nearest);

/* Appends a ratio as a decimal number, rounded half to even at 6 decimals, without trailing zeros.
 * 0 or DK_ETOOBIG. */
int dk_ratio_put(struct dk_buf *out, struct dk_ratio ratio);

#endif
