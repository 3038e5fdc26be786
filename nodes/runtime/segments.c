#include "nodes/runtime/segments.h"
#include "proto/base/crc32c.h"
#include <stdlib.h>
#include <string.h>

void dk_segments_init(struct dk_segments *segments, struct dk_pack_layout layout)
{
    *segments = (struct dk_segments){.layout = layout};
}

void dk_segments_close(struct dk_segments *segments)
{
    for (uint32_t i = 0; i < segments->count; i++) {
        free(segments->segment[i].bytes);
    }
    free(segments->segment);
    free(segments->freed);
    dk_segments_init(segments, segments->layout);
}

/* The segment of this number, and all numbers below it, are there. */
static struct dk_segment *reach(struct dk_segments *segments, uint32_t number)
{
    if (number >= segments->capacity) {
        size_t capacity = segments->capacity == 0 ? 16 : segments->capacity * (size_t)2;
        while (capacity <= number) {
            capacity *= 2;
        }
        segments->segment = realloc(segments->segment, capacity * sizeof *segments->segment);
        DK_ASSERT(segments->segment != NULL && capacity <= UINT32_MAX);
        segments->capacity = (uint32_t)capacity;
    }
    for (; segments->count <= number; segments->count++) {
        segments->segment[segments->count] = (struct dk_segment){0};
    }
    return &segments->segment[number];
}

static void free_number(struct dk_segments *segments, uint32_t number)
{
    if (segments->freed_count == segments->freed_capacity) {
        segments->freed_capacity =
            segments->freed_capacity == 0 ? 16 : segments->freed_capacity * 2;
        segments->freed =
            realloc(segments->freed, segments->freed_capacity * sizeof *segments->freed);
        DK_ASSERT(segments->freed != NULL);
    }
    segments->freed[segments->freed_count++] = number;
}

static void assert_same(const struct dk_pack *pack, const struct dk_pack_row *row)
{
    struct dk_pack_rows rows = {0};
    dk_pack_read(pack, DK_PACK_ALL, &rows);
    for (size_t i = 0; i < pack->rows; i++) {
        size_t bytes = (rows.begin[i + 1] - rows.begin[i]) * sizeof(uint64_t);
        DK_ASSERT(rows.key[i] == row[i].key && bytes == row[i].bytes &&
                  memcmp(rows.word + rows.begin[i], row[i].value, bytes) == 0);
    }
    dk_pack_rows_close(&rows);
}

uint32_t dk_segments_add(struct dk_segments *segments, const struct dk_pack_row *row, size_t count,
                         uint64_t sum)
{
    uint32_t number =
        segments->freed_count > 0 ? segments->freed[--segments->freed_count] : segments->count;
    struct dk_segment *segment = reach(segments, number);
    size_t size;
    DK_ASSERT(number < DK_SEGMENTS_MAX && segment->bytes == NULL);
    *segment = (struct dk_segment){
        .sum = sum, .live = (uint32_t)count, .bytes_unsaved = true, .marks_unsaved = true};
    dk_pack_write(segments->layout, row, count, &segment->bytes, &size);
    DK_ASSERT(dk_pack_open(&segment->pack, segments->layout, segment->bytes, size, NULL) == 0);
    assert_same(&segment->pack, row);
    segments->bytes += size;
    return number;
}

void dk_segments_kill(struct dk_segments *segments, uint32_t number, size_t row, uint64_t hash)
{
    struct dk_segment *segment = &segments->segment[number];
    DK_ASSERT(dk_segment_lives(segment, row));
    segment->dead[row / 64] |= UINT64_C(1) << row % 64;
    segment->live--;
    segment->sum -= hash;
    segment->marks_unsaved = true;
}

void dk_segments_give_up(struct dk_segments *segments, uint32_t number)
{
    struct dk_segment *segment = &segments->segment[number];
    segments->bytes -= segment->pack.size;
    free(segment->bytes);
    *segment = (struct dk_segment){.bytes_unsaved = true, .marks_unsaved = true};
    free_number(segments, number);
}

/* ---------------------------------------------------------------- on disk */

static uint32_t crc_of(const struct dk_segment_marks *marks)
{
    return dk_crc32c(0, marks, offsetof(struct dk_segment_marks, crc32c));
}

struct dk_segment_marks dk_segment_marks(const struct dk_segment *segment)
{
    struct dk_segment_marks marks = {.sum = segment->sum};
    memcpy(marks.dead, segment->dead, sizeof marks.dead);
    marks.crc32c = crc_of(&marks);
    return marks;
}

int dk_segments_restore(struct dk_segments *segments, uint32_t number, const void *bytes,
                        size_t size, const struct dk_segment_marks *marks, struct dk_err *err)
{
    struct dk_segment restored = {.sum = marks->sum};
    if (number >= DK_SEGMENTS_MAX || marks->crc32c != crc_of(marks)) {
        return dk_err_set(err, DK_ECORRUPT, "the marks of segment %u are damaged", number);
    }
    struct dk_segment *segment = reach(segments, number);
    if (segment->bytes != NULL) {
        return dk_err_set(err, DK_ECORRUPT, "segment %u is there twice", number);
    }
    restored.bytes = malloc(size > 0 ? size : 1);
    DK_ASSERT(restored.bytes != NULL);
    memcpy(restored.bytes, bytes, size);
    memcpy(restored.dead, marks->dead, sizeof restored.dead);
    int rc = dk_pack_open(&restored.pack, segments->layout, restored.bytes, size, err);
    if (rc != 0) {
        free(restored.bytes);
        (void)dk_err_wrap(err, "segment %u", number);
        return rc;
    }
    for (size_t i = 0; i < restored.pack.rows; i++) {
        restored.live += dk_segment_lives(&restored, i);
    }
    *segment = restored;
    segments->bytes += size;
    return 0;
}

void dk_segments_restored(struct dk_segments *segments)
{
    segments->freed_count = 0;
    for (uint32_t i = segments->count; i-- > 0;) {
        if (segments->segment[i].bytes == NULL) {
            free_number(segments, i);
        }
    }
}

void dk_segments_clean(struct dk_segments *segments)
{
    for (uint32_t i = 0; i < segments->count; i++) {
        segments->segment[i].bytes_unsaved = segments->segment[i].marks_unsaved = false;
    }
}
