/* Whether two tickets' clocks say the same, whatever the order in which their events came in. */
#ifndef DK_TESTS_CLOCKS_SAME_H
#define DK_TESTS_CLOCKS_SAME_H

#include "proto/fold/clocks.h"
#include "tests/lib/assert.h"

#define SAME(field)                                                                                \
    do {                                                                                           \
        if (x->field != y->field)                                                                  \
            fail_msg("seed %llu, clock %d/%u: " #field " is %lld, and %lld",                       \
                     (unsigned long long)seed, x->metric, x->instance, (long long)x->field,        \
                     (long long)y->field);                                                         \
    } while (0)

/* All but positions and versions, which arrival does change. */
static inline void same_clock(const struct dk_clock *x, const struct dk_clock *y, uint64_t seed)
{
    SAME(metric);
    SAME(instance);
    SAME(verdict);
    SAME(breach_cause);
    SAME(cancel_cause);
    SAME(priority);
    SAME(started_us);
    SAME(due_us);
    SAME(last_due_us);
    SAME(ended_us);
    SAME(first_met_us);
    SAME(last_met_us);
    SAME(resumed);
    SAME(target_us);
    SAME(elapsed_us);
    SAME(elapsed_before_us);
    SAME(wall_us);
    SAME(overrun_us);
    SAME(policy);
    SAME(calendar);
    SAME(contract);
    SAME(goal);
    SAME(goal_us);
    SAME(warning_count);
    for (uint32_t i = 0; i < x->warning_count; i++) {
        SAME(warning[i].level);
        SAME(warning[i].before_us);
        SAME(warning[i].due_us);
    }
}

static inline void same_clocks(const struct dk_clocks *a, const struct dk_clocks *b, uint64_t seed)
{
    ASSERT_EQ(a->count, b->count);
    ASSERT_EQ(a->segment_count, b->segment_count);
    ASSERT_EQ(a->foreseen_count, b->foreseen_count);
    for (size_t i = 0; i < a->count; i++)
        same_clock(&a->clock[i], &b->clock[i], seed);
    for (size_t i = 0; i < a->segment_count; i++) {
        const struct dk_clock_segment *x = &a->segment[i], *y = &b->segment[i];
        ASSERT_EQ(x->from_us, y->from_us);
        ASSERT_EQ(x->to_us, y->to_us);
        ASSERT_EQ(x->elapsed_us, y->elapsed_us);
        ASSERT_EQ(x->clock, y->clock);
        ASSERT_EQ(x->why, y->why);
        ASSERT_EQ(x->illegitimate, y->illegitimate);
    }
}

#endif
