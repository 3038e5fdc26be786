/* What of a packed table is cold makes no difference: it has the entries, the order of bytes and the
 * hash of one that is not packed, whenever its rounds come; and what a checkpoint is told to keep
 * is all of it. */
#include "nodes/runtime/table.h"

#include "proto/base/map.h"
#include "tests/lib/assert.h"
#include "tests/lib/random.h"
#include <stdlib.h>

#define KEYS     3000
#define SEGMENTS 64

static const struct dk_pack_layout flat = {2, 0}, lists = {2, 3};

static struct dk_table *made(struct dk_pack_layout layout, bool packs)
{
    struct dk_table *table;
    struct dk_err err;
    ASSERT_OK(dk_table_new(&table, 3, layout.item_words == 0 ? 16 : 0, &err), &err);
    if (packs)
        dk_table_pack(table, layout);
    return table;
}

/* ---------------------------------------------------------------- a disk */

/* What a checkpoint wrote, in memory. */
struct disk {
    struct dk_map entry; /* key -> struct kept */
    struct kept {
        void *data;
        size_t bytes;
    } segment[SEGMENTS];
    struct dk_segment_marks marks[SEGMENTS];
};

static void keep(struct kept *kept, const void *data, size_t bytes)
{
    free(kept->data);
    *kept = (struct kept){data != NULL ? malloc(bytes) : NULL, bytes};
    if (data != NULL)
        memcpy(kept->data, data, bytes);
}

static void disk_open(struct disk *disk)
{
    memset(disk, 0, sizeof *disk);
    dk_map_init(&disk->entry, sizeof(struct kept), KEYS * 4);
}

static void disk_close(struct disk *disk)
{
    size_t cursor = 0;
    uint64_t key;
    void *kept;
    while (dk_map_next(&disk->entry, &cursor, &key, &kept))
        free(((struct kept *)kept)->data);
    for (size_t i = 0; i < SEGMENTS; i++)
        free(disk->segment[i].data);
    dk_map_close(&disk->entry);
}

static void disk_save(struct disk *disk, struct dk_table *table)
{
    size_t cursor = 0, bytes;
    uint64_t key;
    dk_table_saving(table);
    while (dk_table_next_dirty(table, &cursor, &key)) {
        const void *value = dk_table_saved(table, key, &bytes);
        struct kept *kept = dk_map_put(&disk->entry, key, NULL);
        keep(kept, value, value != NULL ? bytes : 0);
        if (value == NULL)
            (void)dk_map_remove(&disk->entry, key);
    }
    const struct dk_segments *segments = dk_table_segments(table);
    ASSERT_TRUE(segments->count <= SEGMENTS);
    for (uint32_t i = 0; i < segments->count; i++) {
        const struct dk_segment *segment = &segments->segment[i];
        if (segment->bytes_unsaved)
            keep(&disk->segment[i], segment->bytes, segment->pack.size);
        if (segment->marks_unsaved)
            disk->marks[i] = dk_segment_marks(segment);
    }
    dk_table_clean(table);
}

static struct dk_table *disk_restore(const struct disk *disk, struct dk_pack_layout layout)
{
    struct dk_table *table = made(layout, true);
    struct dk_err err;
    size_t cursor = 0;
    uint64_t key;
    void *value;
    while (dk_map_next(&disk->entry, &cursor, &key, &value)) {
        const struct kept *kept = value;
        ASSERT_TRUE(dk_table_restore(table, key, kept->data, kept->bytes));
    }
    for (uint32_t i = 0; i < SEGMENTS; i++) {
        const struct kept *kept = &disk->segment[i];
        if (kept->data != NULL)
            ASSERT_OK(
                dk_table_restore_segment(table, i, kept->data, kept->bytes, &disk->marks[i], &err),
                &err);
    }
    dk_table_restored(table);
    return table;
}

/* ---------------------------------------------------------------- the same */

static void assert_same(struct dk_table *packed, struct dk_table *plain)
{
    size_t cursor = 0, bytes, other_bytes, seen = 0;
    uint64_t key;
    const void *value;
    struct dk_buf room;
    dk_buf_init(&room, 1 << 20);
    ASSERT_EQ(dk_table_count(packed), dk_table_count(plain));
    ASSERT_TRUE(dk_table_hash(packed) == dk_table_hash(plain));
    while (dk_table_next(packed, &cursor, &key, &value, &bytes)) {
        const void *other = dk_table_get(plain, key, &other_bytes);
        ASSERT_TRUE(other != NULL && bytes == other_bytes);
        assert_memory_equal(value, other, bytes);
        assert_memory_equal(dk_table_read(packed, key, &bytes, &room), other, other_bytes);
        assert_memory_equal(dk_table_get(packed, key, &bytes), other, other_bytes);
        seen++;
    }
    ASSERT_EQ(seen, dk_table_count(plain));
    dk_buf_close(&room);
}

/* The same change of both. */
static void change(struct dk_table *packed, struct dk_table *plain, struct dk_pack_layout layout,
                   struct test_random *random, size_t keys)
{
    uint64_t key = 1 + test_random_below(random, keys);
    if (test_random_below(random, 10) == 0) {
        dk_table_remove(packed, key);
        dk_table_remove(plain, key);
        return;
    }
    size_t bytes = 16 + 24 * (layout.item_words > 0 ? test_random_below(random, 6) : 0);
    size_t place = test_random_below(random, bytes);
    uint8_t byte = (uint8_t)test_random_next(random);
    ((uint8_t *)dk_table_edit(packed, key, bytes))[place] = byte;
    ((uint8_t *)dk_table_edit(plain, key, bytes))[place] = byte;
}

static void test_packed_table_is_the_same_whatever_is_cold(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct test_random random = {seed};
        struct dk_pack_layout layout = seed % 2 == 0 ? flat : lists;
        struct dk_table *packed = made(layout, true), *plain = made(layout, false);
        size_t keys = seed % 3 == 0 ? 40 : KEYS;
        for (int i = 0; i < 20000; i++) {
            change(packed, plain, layout, &random, keys);
            if (test_random_below(&random, 1500) == 0)
                dk_table_chill_now(packed);
            if (test_random_below(&random, 4000) == 0)
                assert_same(packed, plain);
        }
        dk_table_chill_now(packed);
        dk_table_chill_now(packed); /* nothing was edited in between */
        ASSERT_EQ(dk_table_hot_count(packed), 0);
        assert_same(packed, plain);
        dk_table_free(&packed);
        dk_table_free(&plain);
    }
}

static void test_packed_table_restored_at_any_time_is_the_same(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct test_random random = {seed};
        struct dk_pack_layout layout = seed % 2 == 0 ? flat : lists;
        struct dk_table *packed = made(layout, true), *plain = made(layout, false);
        struct disk disk;
        disk_open(&disk);
        for (int i = 0; i < 15000; i++) {
            change(packed, plain, layout, &random, KEYS);
            if (test_random_below(&random, 1000) == 0)
                dk_table_chill_now(packed);
            if (test_random_below(&random, 1500) == 0)
                disk_save(&disk, packed);
            if (test_random_below(&random, 5000) == 0) { /* killed: goes on from what was saved */
                disk_save(&disk, packed);
                dk_table_free(&packed);
                packed = disk_restore(&disk, layout);
                ASSERT_EQ(dk_table_dirty_count(packed), 0);
                assert_same(packed, plain);
            }
        }
        disk_save(&disk, packed);
        dk_table_free(&packed);
        packed = disk_restore(&disk, layout);
        assert_same(packed, plain);
        dk_table_free(&packed);
        dk_table_free(&plain);
        disk_close(&disk);
    }
}

static void test_packed_table_keeps_what_was_edited_since_the_last_round(void **state)
{
    (void)state;
    struct dk_table *table = made(flat, true);
    for (uint64_t key = 1; key < DK_TABLE_ROUND; key++)
        (void)dk_table_edit(table, key, 16);
    dk_table_chill(table);
    ASSERT_EQ(dk_table_segments(table)->count, 0); /* not due */
    (void)dk_table_edit(table, DK_TABLE_ROUND, 16);
    dk_table_chill(table);
    ASSERT_EQ(dk_table_hot_count(table), DK_TABLE_ROUND); /* a round, and nothing was quiet */
    for (uint64_t key = 1; key <= DK_TABLE_ROUND; key++)
        (void)dk_table_edit(table, DK_TABLE_ROUND - 10 + key, 16);
    dk_table_chill(table);
    ASSERT_EQ(dk_table_hot_count(table), 2 * DK_TABLE_ROUND - 10); /* not due */
    (void)dk_table_edit(table, 7, 16);
    for (uint64_t key = 1; key <= 10; key++)
        (void)dk_table_edit(table, 2 * DK_TABLE_ROUND - 10 + key, 16);
    dk_table_chill(table);
    ASSERT_EQ(dk_table_hot_count(table), DK_TABLE_ROUND + 11);
    ASSERT_EQ(dk_table_segments(table)->count, DK_TABLE_ROUND / DK_PACK_ROWS_MAX);
    ASSERT_EQ(dk_table_count(table), 2 * DK_TABLE_ROUND);
    dk_table_free(&table);
}

static void test_packed_table_gives_up_a_segment_that_is_half_dead(void **state)
{
    (void)state;
    struct dk_table *table = made(flat, true);
    for (uint64_t key = 1; key <= 100; key++)
        *(uint64_t *)dk_table_edit(table, key, 16) = key;
    dk_table_chill_now(table);
    dk_table_chill_now(table);
    uint64_t hash = dk_table_hash(table);
    for (uint64_t key = 1; key <= 50; key++)
        (void)dk_table_edit(table, key, 16);
    ASSERT_EQ(dk_table_hot_count(table), 50);
    (void)dk_table_edit(table, 51, 16);
    ASSERT_EQ(dk_table_hot_count(table), 100);
    ASSERT_TRUE(dk_table_segments(table)->segment[0].bytes == NULL);
    ASSERT_EQ(dk_table_segments(table)->bytes, 0);
    ASSERT_TRUE(dk_table_hash(table) == hash);
    dk_table_chill_now(table); /* the other 49, as quiet as they were */
    ASSERT_EQ(dk_table_hot_count(table), 51);
    ASSERT_EQ(dk_table_segments(table)->count, 1); /* the number is used again */
    ASSERT_TRUE(dk_table_hash(table) == hash);
    dk_table_free(&table);
}

static void test_packed_table_refuses_damaged_segments(void **state)
{
    (void)state;
    struct dk_table *table = made(lists, true), *other;
    struct dk_err err;
    struct disk disk;
    disk_open(&disk);
    for (uint64_t key = 1; key <= 100; key++)
        *(uint64_t *)dk_table_edit(table, key, 40) = key;
    dk_table_chill_now(table);
    dk_table_chill_now(table);
    (void)dk_table_edit(table, 7, 40);
    disk_save(&disk, table);
    struct kept *kept = &disk.segment[0];
    struct dk_segment_marks *marks = &disk.marks[0];
    for (size_t bit = 0; bit < kept->bytes * 8; bit += 5) {
        ((uint8_t *)kept->data)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        other = made(lists, true);
        ASSERT_CODE(dk_table_restore_segment(other, 0, kept->data, kept->bytes, marks, &err),
                    DK_ECORRUPT);
        ASSERT_CONTAINS(err.message, "segment 0");
        dk_table_free(&other);
        ((uint8_t *)kept->data)[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < (8 + sizeof marks->dead + 4) * 8; bit++) {
        ((uint8_t *)marks)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        other = made(lists, true);
        ASSERT_CODE(dk_table_restore_segment(other, 0, kept->data, kept->bytes, marks, &err),
                    DK_ECORRUPT);
        dk_table_free(&other);
        ((uint8_t *)marks)[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    other = made(lists, true);
    ASSERT_OK(dk_table_restore_segment(other, 0, kept->data, kept->bytes, marks, &err), &err);
    ASSERT_CODE(dk_table_restore_segment(other, 1, kept->data, kept->bytes, marks, &err),
                DK_ECORRUPT); /* its keys are there */
    dk_table_free(&other);
    dk_table_free(&table);
    disk_close(&disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packed_table_is_the_same_whatever_is_cold),
        cmocka_unit_test(test_packed_table_restored_at_any_time_is_the_same),
        cmocka_unit_test(test_packed_table_keeps_what_was_edited_since_the_last_round),
        cmocka_unit_test(test_packed_table_gives_up_a_segment_that_is_half_dead),
        cmocka_unit_test(test_packed_table_refuses_damaged_segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
