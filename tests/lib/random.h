/* Chance that can be repeated: a splitmix64 sequence, the same on every machine. */
#ifndef DK_TESTS_RANDOM_H
#define DK_TESTS_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct test_random {
    uint64_t state;
};

static inline uint64_t test_random_next(struct test_random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline size_t test_random_below(struct test_random *random, size_t bound)
{
    return (size_t)(test_random_next(random) % bound);
}

/* `least` to `most`, both included. */
static inline int64_t test_random_between(struct test_random *random, int64_t least, int64_t most)
{
    return least + (int64_t)(test_random_next(random) % (uint64_t)(most - least + 1));
}

static inline bool test_random_chance(struct test_random *random, unsigned permille)
{
    return test_random_below(random, 1000) < permille;
}

#endif
