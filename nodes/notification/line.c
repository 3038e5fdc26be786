#include "nodes/notification/line.h"
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 64

static uint64_t position_of(const void *row)
{
    uint64_t position;
    memcpy(&position, row, sizeof position);
    return position;
}

/* The row, if it is there and this is its place. */
static const void *row_at(const struct dk_line *line, const struct dk_line_place *place)
{
    const void *row = dk_table_get(line->table, place->key, NULL);
    return row != NULL && position_of(row) == place->position ? row : NULL;
}

static void close_ranks(struct dk_line *line)
{
    size_t kept = 0;
    for (size_t i = 0; i < line->count; i++) {
        if (row_at(line, &line->place[i]) != NULL) {
            line->place[kept++] = line->place[i];
        }
    }
    line->count = kept;
}

void dk_line_add(struct dk_line *line, uint64_t position, uint64_t key)
{
    if (line->count == line->capacity) {
        close_ranks(line);
        if (line->count * 2 >= line->capacity) { /* else there is room for a while */
            line->capacity = line->capacity == 0 ? CAPACITY_MIN : line->capacity * 2;
            line->place = realloc(line->place, line->capacity * sizeof *line->place);
            DK_ASSERT(line->place != NULL);
        }
    }
    line->place[line->count++] = (struct dk_line_place){position, key};
}

const void *dk_line_next(const struct dk_line *line, uint64_t after, uint64_t *key)
{
    size_t low = 0, high = line->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (line->place[middle].position <= after) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < line->count; low++) {
        const void *row = row_at(line, &line->place[low]);
        if (row != NULL) {
            *key = line->place[low].key;
            return row;
        }
    }
    return NULL;
}

static int by_position(const void *a, const void *b)
{
    const struct dk_line_place *x = a, *y = b;
    return (x->position > y->position) - (x->position < y->position);
}

void dk_line_rebuild(struct dk_line *line)
{
    size_t cursor = 0, bytes;
    uint64_t key;
    const void *row;
    line->count = 0;
    while (dk_table_next(line->table, &cursor, &key, &row, &bytes)) {
        dk_line_add(line, position_of(row), key);
    }
    if (line->count > 1) {
        qsort(line->place, line->count, sizeof *line->place, by_position);
    }
}

void dk_line_close(struct dk_line *line)
{
    free(line->place);
    *line = (struct dk_line){0};
}
