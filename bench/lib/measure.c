#include "bench/lib/measure.h"
#include "proto/base/err.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t dk_bench_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

void dk_bench_sleep_ms(unsigned ms)
{
    (void)nanosleep(&(struct timespec){ms / 1000, (long)(ms % 1000) * 1000000}, NULL);
}

void dk_latency_clear(struct dk_latency *latency)
{
    memset(latency, 0, sizeof *latency);
}

/* Below DK_LATENCY_STEPS a slot is a nanosecond; above, the five bits after the leading one. */
static size_t slot_of(uint64_t ns)
{
    if (ns < DK_LATENCY_STEPS) {
        return (size_t)ns;
    }
    unsigned power = 63u - (unsigned)__builtin_clzll(ns) - 5u;
    size_t slot = (size_t)power * DK_LATENCY_STEPS + (size_t)(ns >> power);
    return slot < DK_LATENCY_SLOTS ? slot : DK_LATENCY_SLOTS - 1;
}

static double slot_ns(size_t slot)
{
    if (slot < 2 * DK_LATENCY_STEPS) {
        return (double)slot;
    }
    unsigned power = (unsigned)(slot / DK_LATENCY_STEPS) - 1;
    uint64_t from = (uint64_t)(slot % DK_LATENCY_STEPS + DK_LATENCY_STEPS) << power;
    return (double)from + (double)(UINT64_C(1) << power) / 2;
}

void dk_latency_add(struct dk_latency *latency, uint64_t ns)
{
    latency->slot[slot_of(ns)]++;
    latency->count++;
}

void dk_latency_merge(struct dk_latency *into, const struct dk_latency *from)
{
    for (size_t i = 0; i < DK_LATENCY_SLOTS; i++) {
        into->slot[i] += from->slot[i];
    }
    into->count += from->count;
}

double dk_latency_us(const struct dk_latency *latency, double quantile)
{
    uint64_t wanted = (uint64_t)(quantile * (double)latency->count);
    uint64_t seen = 0;
    for (size_t i = 0; i < DK_LATENCY_SLOTS; i++) {
        seen += latency->slot[i];
        if (seen > wanted || (seen == latency->count && seen > 0)) {
            return slot_ns(i) / 1000;
        }
    }
    return 0;
}

void dk_rounds_add(struct dk_rounds *rounds, double value)
{
    DK_ASSERT(rounds->count < DK_ROUNDS_MAX);
    rounds->value[rounds->count++] = value;
}

static int by_value(const void *a, const void *b)
{
    double left, right;
    memcpy(&left, a, sizeof left);
    memcpy(&right, b, sizeof right);
    return (left > right) - (left < right);
}

double dk_rounds_median(const struct dk_rounds *rounds)
{
    struct dk_rounds sorted = *rounds;
    if (sorted.count == 0) {
        return 0;
    }
    qsort(sorted.value, sorted.count, sizeof sorted.value[0], by_value);
    size_t middle = sorted.count / 2;
    return sorted.count % 2 == 1 ? sorted.value[middle]
                                 : (sorted.value[middle - 1] + sorted.value[middle]) / 2;
}

double dk_rounds_ratio(const struct dk_rounds *a, const struct dk_rounds *b)
{
    struct dk_rounds ratio = {0};
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        dk_rounds_add(&ratio, a->value[i] / b->value[i]);
    }
    return dk_rounds_median(&ratio);
}
