/* The packed rows of a table: segments (pack.h), of which rows die one by one when they change.
 *
 * A row is named by its segment's number and its place there. Numbers are used again. What a
 * checkpoint has to write of a segment is its bytes, once, and its marks (which rows are dead, and
 * the sum of the hashes of those that live) when they change. */
#ifndef DK_RUNTIME_SEGMENTS_H
#define DK_RUNTIME_SEGMENTS_H

#include "nodes/runtime/pack.h"

struct dk_segment {
    struct dk_pack pack;
    uint8_t *bytes; /* NULL: given up, and its number is free */
    uint64_t sum;   /* modulo 2^64, of its living rows' hashes */
    uint64_t dead[DK_PACK_ROWS_MAX / 64];
    uint32_t live;
    bool bytes_unsaved, marks_unsaved; /* of one that was given up: it is to be deleted */
};

struct dk_segments {
    struct dk_pack_layout layout;
    struct dk_segment *segment;
    uint32_t count, capacity;
    uint32_t *freed; /* numbers */
    size_t freed_count, freed_capacity;
    size_t bytes; /* of all */
};

#define DK_SEGMENTS_MAX (UINT32_C(1) << 24)

void dk_segments_init(struct dk_segments *segments, struct dk_pack_layout layout);
void dk_segments_close(struct dk_segments *segments);

/* Packs rows (as many as dk_pack_plan says), whose hashes' sum is `sum`; reads them back first, as
 * they are what is kept. Gives the number. */
uint32_t dk_segments_add(struct dk_segments *segments, const struct dk_pack_row *row, size_t count,
                         uint64_t sum);

static inline bool dk_segment_lives(const struct dk_segment *segment, size_t row)
{
    return (segment->dead[row / 64] >> row % 64 & 1) == 0;
}

/* A living row dies; its hash leaves the sum. */
void dk_segments_kill(struct dk_segments *segments, uint32_t number, size_t row, uint64_t hash);
void dk_segments_give_up(struct dk_segments *segments, uint32_t number);

/* What stands on disk beside a segment's bytes: sum, dead rows, and a CRC of both. */
struct dk_segment_marks {
    uint64_t sum;
    uint64_t dead[DK_PACK_ROWS_MAX / 64];
    uint32_t crc32c;
    uint32_t zero;
};
struct dk_segment_marks dk_segment_marks(const struct dk_segment *segment);

/* Puts a segment as a checkpoint has it; copies the bytes. DK_ECORRUPT names what is wrong. */
int dk_segments_restore(struct dk_segments *segments, uint32_t number, const void *bytes,
                        size_t size, const struct dk_segment_marks *marks, struct dk_err *err);
/* After the last one was restored: numbers that are not in use are free. */
void dk_segments_restored(struct dk_segments *segments);

/* All that is unsaved has been saved. */
void dk_segments_clean(struct dk_segments *segments);

#endif
