#include "proto/base/arena.h"

#include "docket.pb-c.h"
#include "tests/lib/assert.h"

static void test_arena_gives_zeroed_aligned_memory(void **state)
{
    (void)state;
    struct dk_arena arena;
    ASSERT_EQ(dk_arena_init(&arena, 4096), 0);
    for (int round = 0; round < 3; round++) {
        uint8_t *before = NULL;
        for (size_t bytes = 1; bytes <= 64; bytes++) {
            uint8_t *at = dk_arena_alloc(&arena, bytes);
            ASSERT_TRUE(at != NULL);
            ASSERT_EQ((uintptr_t)at % 16, 0);
            ASSERT_TRUE(before == NULL || at >= before + bytes - 1);
            for (size_t i = 0; i < bytes; i++) {
                ASSERT_EQ(at[i], 0);
            }
            memset(at, 0xff, bytes); /* what the next round must not see */
            before = at;
        }
        dk_arena_reset(&arena);
    }
    dk_arena_close(&arena);
}

static void test_arena_ends_at_its_capacity(void **state)
{
    (void)state;
    struct dk_arena arena;
    ASSERT_EQ(dk_arena_init(&arena, 100), 0); /* six times sixteen, and four that are lost */
    ASSERT_TRUE(dk_arena_alloc(&arena, 101) == NULL);
    ASSERT_TRUE(dk_arena_alloc(&arena, SIZE_MAX) == NULL);
    ASSERT_TRUE(dk_arena_alloc(&arena, SIZE_MAX - 8) == NULL);
    ASSERT_TRUE(dk_arena_alloc(&arena, 81) != NULL);
    ASSERT_EQ(arena.used, 96);
    ASSERT_TRUE(dk_arena_alloc(&arena, 1) == NULL);
    ASSERT_TRUE(dk_arena_strndup(&arena, "", 0) == NULL);
    dk_arena_reset(&arena);
    ASSERT_TRUE(dk_arena_alloc(&arena, 96) != NULL);
    dk_arena_close(&arena);
}

static void test_arena_of_no_size_is_refused(void **state)
{
    (void)state;
    struct dk_arena arena;
    ASSERT_CODE(dk_arena_init(&arena, 0), DK_ENOMEM);
    dk_arena_close(&arena);
}

static void test_arena_strndup_copies_and_ends(void **state)
{
    (void)state;
    struct dk_arena arena;
    ASSERT_EQ(dk_arena_init(&arena, 4096), 0);
    ASSERT_STR(dk_arena_strndup(&arena, "networking", 3), "net");
    ASSERT_STR(dk_arena_strndup(&arena, NULL, 0), "");
    ASSERT_TRUE(dk_arena_strndup(&arena, "x", SIZE_MAX) == NULL);
    dk_arena_close(&arena);
}

/* What the arena is for: hostile bytes unpack into no more than its size. An empty event is two
 * bytes on the wire and sixteen in memory. */
static void test_arena_caps_what_protobuf_unpacks(void **state)
{
    (void)state;
    static uint8_t wire[200000];
    struct dk_arena small, large;
    for (size_t i = 0; i < sizeof wire; i += 2) {
        wire[i] = 1 << 3 | 2; /* field 1, of a length: 0 */
    }
    ASSERT_EQ(dk_arena_init(&small, 65536), 0);
    ASSERT_TRUE(docket__append__unpack(&small.allocator, sizeof wire, wire) == NULL);
    ASSERT_TRUE(small.used <= 65536);
    dk_arena_close(&small);

    ASSERT_EQ(dk_arena_init(&large, 8 << 20), 0);
    Docket__Append *append = docket__append__unpack(&large.allocator, sizeof wire, wire);
    ASSERT_TRUE(append != NULL);
    ASSERT_EQ(append->n_event, sizeof wire / 2);
    ASSERT_TRUE((uint8_t *)append >= large.base && (uint8_t *)append < large.base + large.used);
    dk_arena_close(&large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena_gives_zeroed_aligned_memory),
        cmocka_unit_test(test_arena_ends_at_its_capacity),
        cmocka_unit_test(test_arena_of_no_size_is_refused),
        cmocka_unit_test(test_arena_strndup_copies_and_ends),
        cmocka_unit_test(test_arena_caps_what_protobuf_unpacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
