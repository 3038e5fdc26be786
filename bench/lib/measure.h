/* Time, quantiles and medians of a bench. */
#ifndef DK_BENCH_MEASURE_H
#define DK_BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>

/* Monotonic. */
uint64_t dk_bench_ns(void);
void dk_bench_sleep_ms(unsigned ms);

/* A histogram of durations: 32 steps to each power of two, so a quantile is off by 3 % at most. */
#define DK_LATENCY_STEPS 32
#define DK_LATENCY_SLOTS (40 * DK_LATENCY_STEPS)
struct dk_latency {
    uint64_t count;
    uint64_t slot[DK_LATENCY_SLOTS];
};
void dk_latency_clear(struct dk_latency *latency);
void dk_latency_add(struct dk_latency *latency, uint64_t ns);
void dk_latency_merge(struct dk_latency *into, const struct dk_latency *from);
/* In microseconds; `quantile` in 0..1. 0 when nothing was added. */
double dk_latency_us(const struct dk_latency *latency, double quantile);

/* Of one figure a round. At most DK_ROUNDS_MAX are kept. */
#define DK_ROUNDS_MAX 64
struct dk_rounds {
    size_t count;
    double value[DK_ROUNDS_MAX];
};
void dk_rounds_add(struct dk_rounds *rounds, double value);
double dk_rounds_median(const struct dk_rounds *rounds);
/* The median of a[i] / b[i]: what is compared was measured side by side. */
double dk_rounds_ratio(const struct dk_rounds *a, const struct dk_rounds *b);

#endif
