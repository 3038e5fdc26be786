#include "proto/base/map.h"

#include "tests/lib/assert.h"

/* A splitmix64 sequence: the same seed gives the same operations on every machine. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* The naive map: a place for every key that is used. */
#define KEYS 300
struct model {
    uint64_t key[KEYS];
    uint64_t value[KEYS];
    bool present[KEYS];
    size_t count;
};

static void check_against_model(const struct dk_map *map, const struct model *model)
{
    size_t cursor = 0, seen = 0;
    uint64_t key;
    void *value;
    ASSERT_EQ(map->count, model->count);
    for (size_t i = 0; i < KEYS; i++) {
        const uint64_t *found = dk_map_get(map, model->key[i]);
        ASSERT_EQ(found != NULL, model->present[i]);
        ASSERT_TRUE(found == NULL || *found == model->value[i]);
    }
    while (dk_map_next(map, &cursor, &key, &value)) {
        ASSERT_TRUE(dk_map_get(map, key) == value);
        seen++;
    }
    ASSERT_EQ(seen, model->count);
}

static void step(struct dk_map *map, struct model *model, size_t i, uint64_t random)
{
    bool created, was = model->present[i];
    if (random % 5 < 2) {
        ASSERT_EQ(dk_map_remove(map, model->key[i]), was);
        model->count -= was;
        model->present[i] = false;
        return;
    }
    uint64_t *value = dk_map_put(map, model->key[i], &created);
    if (!was && model->count == map->max_count) {
        ASSERT_TRUE(value == NULL && !created);
        return;
    }
    ASSERT_TRUE(value != NULL);
    ASSERT_EQ(created, !was);
    ASSERT_EQ(*value, was ? model->value[i] : 0);
    *value = model->value[i] = random;
    model->count += !was;
    model->present[i] = true;
}

/* Random puts and removals of few keys in a nearly full table: long runs that wrap around the
 * table's end, which is where a backward shift goes wrong. */
static void test_map_equals_a_naive_model(void **state)
{
    (void)state;
    static const size_t maxima[] = {1, 12, 13, 48, 96, 192, KEYS};
    for (uint64_t seed = 1; seed <= 70; seed++) {
        struct dk_map map;
        struct model model = {.count = 0};
        uint64_t random = seed;
        dk_map_init(&map, sizeof(uint64_t), maxima[seed % 7]);
        for (size_t i = 0; i < KEYS; i++) {
            model.key[i] = seed % 2 == 0 ? i + 1 : next_random(&random) | 1;
        }
        for (int n = 1; n <= 5000; n++) {
            uint64_t r = next_random(&random);
            step(&map, &model, r % KEYS, r >> 16);
            ASSERT_TRUE(map.count * 4 <= map.capacity * 3);
            if (n % 250 == 0) {
                check_against_model(&map, &model);
            }
        }
        dk_map_close(&map);
    }
}

static void test_map_is_empty_before_it_holds_anything(void **state)
{
    (void)state;
    struct dk_map map;
    size_t cursor = 0;
    uint64_t key;
    void *value;
    dk_map_init(&map, 4, 10);
    ASSERT_TRUE(dk_map_get(&map, 1) == NULL);
    ASSERT_TRUE(!dk_map_remove(&map, 1));
    ASSERT_TRUE(!dk_map_next(&map, &cursor, &key, &value));
    dk_map_clear(&map);
    dk_map_close(&map);
}

static void test_map_of_no_room_says_that_nothing_was_created(void **state)
{
    (void)state;
    struct dk_map map;
    bool created = true;
    dk_map_init(&map, 4, 1);
    ASSERT_TRUE(dk_map_put(&map, 1, NULL) != NULL);
    ASSERT_TRUE(dk_map_put(&map, 2, &created) == NULL);
    ASSERT_TRUE(!created);
    ASSERT_TRUE(dk_map_put(&map, 1, &created) != NULL);
    dk_map_close(&map);
}

/* What a removed or cleared entry held is not seen by the next one in its slot. */
static void test_map_creates_zeroed(void **state)
{
    (void)state;
    struct dk_map map;
    struct {
        uint32_t a, b, c;
    } * value;
    dk_map_init(&map, sizeof *value, 10);
    for (int round = 0; round < 3; round++) {
        value = dk_map_put(&map, 7, NULL);
        ASSERT_EQ(value->a | value->b | value->c, 0);
        memset(value, 0xff, sizeof *value);
        ASSERT_EQ(map.count, 1);
        if (round == 0) {
            ASSERT_TRUE(dk_map_remove(&map, 7));
        } else {
            dk_map_clear(&map);
        }
        ASSERT_TRUE(dk_map_get(&map, 7) == NULL);
    }
    dk_map_close(&map);
}

/* Keys that differ only in high bits (tickets of many sites, ids of many classes) spread out: a
 * poor mix makes this quadratic. */
static void test_map_spreads_keys_that_differ_in_high_bits(void **state)
{
    (void)state;
    struct dk_map map;
    size_t longest = 0, run = 0;
    dk_map_init(&map, 1, 60000);
    for (uint64_t i = 1; i <= 40000; i++) {
        ASSERT_TRUE(dk_map_put(&map, i << 40, NULL) != NULL);
    }
    ASSERT_EQ(map.count, 40000);
    for (size_t i = 0; i < map.capacity; i++) {
        run = map.keys[i] != 0 ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    ASSERT_TRUE(longest < 200);
    dk_map_close(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map_equals_a_naive_model),
        cmocka_unit_test(test_map_is_empty_before_it_holds_anything),
        cmocka_unit_test(test_map_of_no_room_says_that_nothing_was_created),
        cmocka_unit_test(test_map_creates_zeroed),
        cmocka_unit_test(test_map_spreads_keys_that_differ_in_high_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
