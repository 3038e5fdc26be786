#include "broker/core/shelf.h"

#include "proto/base/err.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct dk_shelf_chunk {
    size_t holders; /* the rows, and views */
    uint8_t bytes[];
};

void dk_shelf_init(struct dk_shelf *shelf, size_t row_bytes)
{
    *shelf = (struct dk_shelf){.row_bytes = row_bytes};
}

static void let_go(struct dk_shelf_chunk *chunk)
{
    if (--chunk->holders == 0) {
        free(chunk);
    }
}

void dk_shelf_close(struct dk_shelf *shelf)
{
    for (size_t i = 0; i < shelf->chunk_count; i++) {
        let_go(shelf->chunk[i]);
    }
    free(shelf->chunk);
    dk_shelf_init(shelf, shelf->row_bytes);
}

static struct dk_shelf_chunk **chunk_of(const struct dk_shelf *shelf, uint64_t number)
{
    return &shelf->chunk[(number - shelf->first) / DK_SHELF_CHUNK];
}

static uint8_t *row_in(const struct dk_shelf *shelf, uint64_t number)
{
    return (*chunk_of(shelf, number))->bytes + number % DK_SHELF_CHUNK * shelf->row_bytes;
}

static size_t chunk_bytes(const struct dk_shelf *shelf)
{
    return sizeof(struct dk_shelf_chunk) + DK_SHELF_CHUNK * shelf->row_bytes;
}

const void *dk_shelf_get(const struct dk_shelf *shelf, uint64_t number)
{
    DK_ASSERT(number >= shelf->begin && number < shelf->end);
    return row_in(shelf, number);
}

void *dk_shelf_edit(struct dk_shelf *shelf, uint64_t number)
{
    DK_ASSERT(number >= shelf->begin && number < shelf->end);
    struct dk_shelf_chunk **chunk = chunk_of(shelf, number);
    if ((*chunk)->holders > 1) {
        struct dk_shelf_chunk *copy = malloc(chunk_bytes(shelf));
        if (copy == NULL) {
            return NULL;
        }
        memcpy(copy, *chunk, chunk_bytes(shelf));
        copy->holders = 1;
        let_go(*chunk);
        *chunk = copy;
    }
    return row_in(shelf, number);
}

static int add_chunk(struct dk_shelf *shelf)
{
    if (shelf->chunk_count == shelf->chunk_capacity) {
        size_t capacity = shelf->chunk_capacity == 0 ? 8 : shelf->chunk_capacity * 2;
        struct dk_shelf_chunk **chunk = realloc(shelf->chunk, capacity * sizeof *chunk);
        if (chunk == NULL) {
            return DK_ENOMEM;
        }
        shelf->chunk = chunk;
        shelf->chunk_capacity = capacity;
    }
    struct dk_shelf_chunk *added = malloc(chunk_bytes(shelf));
    if (added == NULL) {
        return DK_ENOMEM;
    }
    added->holders = 1;
    shelf->chunk[shelf->chunk_count++] = added;
    return 0;
}

/* No view reads what lies beyond its own end, so the last chunk is filled up in place. */
void *dk_shelf_add(struct dk_shelf *shelf)
{
    bool full = shelf->end - shelf->first == shelf->chunk_count * DK_SHELF_CHUNK;
    if (full && add_chunk(shelf) != 0) {
        return NULL;
    }
    return row_in(shelf, shelf->end++);
}

void dk_shelf_cut(struct dk_shelf *shelf)
{
    DK_ASSERT(shelf->end > shelf->begin);
    shelf->end--;
}

void dk_shelf_drop(struct dk_shelf *shelf, uint64_t begin)
{
    DK_ASSERT(begin >= shelf->begin && begin <= shelf->end);
    shelf->begin = begin;
    size_t gone = (size_t)(begin - shelf->first) / DK_SHELF_CHUNK;
    for (size_t i = 0; i < gone; i++) {
        let_go(shelf->chunk[i]);
    }
    if (gone > 0) {
        shelf->chunk_count -= gone;
        shelf->first += gone * DK_SHELF_CHUNK;
        memmove(shelf->chunk, shelf->chunk + gone, shelf->chunk_count * sizeof *shelf->chunk);
    }
}

int dk_shelf_freeze(const struct dk_shelf *shelf, struct dk_shelf *view)
{
    *view = *shelf;
    view->chunk_capacity = shelf->chunk_count;
    view->chunk = malloc((shelf->chunk_count + 1) * sizeof *view->chunk);
    if (view->chunk == NULL) {
        dk_shelf_init(view, shelf->row_bytes);
        return DK_ENOMEM;
    }
    for (size_t i = 0; i < shelf->chunk_count; i++) {
        view->chunk[i] = shelf->chunk[i];
        view->chunk[i]->holders++;
    }
    return 0;
}

int dk_shelf_save(const struct dk_shelf *view, struct dk_buf *out)
{
    uint64_t count = dk_shelf_count(view);
    int rc = dk_buf_append(out, &count, sizeof count);
    for (uint64_t number = view->begin; number < view->end && rc == 0;) {
        uint64_t rows = DK_SHELF_CHUNK - number % DK_SHELF_CHUNK; /* of this chunk */
        rows = rows < view->end - number ? rows : view->end - number;
        rc = dk_buf_append(out, row_in(view, number), (size_t)rows * view->row_bytes);
        number += rows;
    }
    return rc;
}

size_t dk_shelf_bytes(const struct dk_shelf *shelf)
{
    return shelf->chunk_count * chunk_bytes(shelf) + shelf->chunk_capacity * sizeof *shelf->chunk;
}
