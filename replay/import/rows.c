#include "replay/import/rows.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES (4 * DK_CSV_ROW_MAX_BYTES) /* holds the largest row and its slices */

struct dk_rows_chunk {
    struct dk_rows_chunk *next;
    size_t used;
    char data[CHUNK_BYTES];
};

int dk_case_row_compare(const struct dk_case_row *left, const struct dk_case_row *right)
{
    if (left->case_number != right->case_number) {
        return left->case_number < right->case_number ? -1 : 1;
    }
    for (int i = 0; i < DK_MAPPING_ORDER_MAX; i++) {
        if (left->key[i] != right->key[i]) {
            return left->key[i] < right->key[i] ? -1 : 1;
        }
    }
    return (left->number > right->number) - (left->number < right->number);
}

void dk_rows_init(struct dk_rows *rows, uint64_t max_bytes)
{
    *rows = (struct dk_rows){.max_bytes = max_bytes};
}

static void free_first(struct dk_rows *rows)
{
    struct dk_rows_chunk *next = rows->chunks->next;
    free(rows->chunks);
    rows->chunks = next;
}

void dk_rows_close(struct dk_rows *rows)
{
    while (rows->chunks != NULL) {
        free_first(rows);
    }
}

/* One chunk is kept. */
void dk_rows_reset(struct dk_rows *rows)
{
    while (rows->chunks != NULL && rows->chunks->next != NULL) {
        free_first(rows);
    }
    if (rows->chunks != NULL) {
        rows->chunks->used = 0;
    }
    rows->bytes = 0;
}

static void *take(struct dk_rows *rows, size_t bytes, struct dk_err *err)
{
    bytes = (bytes + 15) & ~(size_t)15;
    DK_ASSERT(bytes <= CHUNK_BYTES);
    if (rows->bytes > 0 && rows->bytes + bytes > rows->max_bytes) {
        (void)dk_err_set(err, DK_ETOOBIG, "its rows do not fit %llu MiB",
                         (unsigned long long)(rows->max_bytes >> 20));
        return NULL;
    }
    if (rows->chunks == NULL || CHUNK_BYTES - rows->chunks->used < bytes) {
        struct dk_rows_chunk *chunk = malloc(sizeof *chunk);
        if (chunk == NULL) {
            (void)dk_err_set(err, DK_ENOMEM, "no memory for rows");
            return NULL;
        }
        chunk->next = rows->chunks;
        chunk->used = 0;
        rows->chunks = chunk;
    }
    void *memory = rows->chunks->data + rows->chunks->used;
    rows->chunks->used += bytes;
    rows->bytes += bytes;
    return memory;
}

struct dk_case_row *dk_rows_add(struct dk_rows *rows, const struct dk_slice *value, size_t columns,
                                struct dk_err *err)
{
    struct dk_case_row *row;
    size_t bytes = 0;
    for (size_t i = 0; i < columns; i++) {
        bytes += value[i].size;
    }
    row = take(rows, sizeof *row + columns * sizeof row->value[0] + bytes, err);
    if (row == NULL) {
        return NULL;
    }
    memset(row, 0, sizeof *row);
    uint8_t *at = (uint8_t *)&row->value[columns];
    for (size_t i = 0; i < columns; i++) {
        row->value[i] = (struct dk_slice){at, value[i].size};
        if (value[i].size > 0) {
            memcpy(at, value[i].data, value[i].size);
            at += value[i].size;
        }
    }
    return row;
}
