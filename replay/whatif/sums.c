#include "replay/whatif/sums.h"
#include "proto/base/err.h"
#include <stdlib.h>
#include <string.h>

void dk_sums_init(struct dk_sums *rows, size_t row_bytes, size_t max)
{
    DK_ASSERT(row_bytes >= sizeof(struct dk_sum) && row_bytes % 8 == 0);
    *rows = (struct dk_sums){.row_bytes = row_bytes, .max = max};
    dk_map_init(&rows->first, sizeof(size_t), max);
}

void dk_sums_close(struct dk_sums *rows)
{
    free(rows->row);
    dk_map_close(&rows->first);
    *rows = (struct dk_sums){0};
}

static uint64_t hash_of(const uint64_t key[DK_SUM_KEY])
{
    uint64_t hash = 0;
    for (size_t i = 0; i < DK_SUM_KEY; i++) {
        hash = (hash ^ key[i]) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return hash != 0 ? hash : 1;
}

void *dk_sums_at(const struct dk_sums *rows, size_t index)
{
    return rows->row + index * rows->row_bytes;
}

void *dk_sums_of(struct dk_sums *rows, const uint64_t key[DK_SUM_KEY])
{
    const size_t key_bytes = DK_SUM_KEY * sizeof *key;
    uint64_t hash = hash_of(key);
    size_t *first = dk_map_get(&rows->first, hash);
    for (size_t i = first != NULL ? *first : 0; i != 0;) {
        struct dk_sum *row = dk_sums_at(rows, i - 1);
        if (memcmp(row->key, key, key_bytes) == 0) {
            return row;
        }
        i = row->next;
    }
    first = rows->count < rows->max ? dk_map_put(&rows->first, hash, NULL) : NULL;
    if (first == NULL) {
        return NULL;
    }
    if (rows->count == rows->capacity) {
        rows->capacity = rows->capacity == 0 ? 64 : 2 * rows->capacity;
        rows->row = realloc(rows->row, rows->capacity * rows->row_bytes);
        DK_ASSERT(rows->row != NULL);
    }
    struct dk_sum *made = dk_sums_at(rows, rows->count++);
    memset(made, 0, rows->row_bytes);
    memcpy(made->key, key, key_bytes);
    made->next = *first;
    *first = rows->count;
    return made;
}

static int compare(const void *a, const void *b)
{
    const struct dk_sum *x = a, *y = b;
    for (size_t i = 0; i < DK_SUM_KEY; i++) {
        if (x->key[i] != y->key[i]) {
            return x->key[i] < y->key[i] ? -1 : 1;
        }
    }
    return 0;
}

void dk_sums_sort(struct dk_sums *rows)
{
    if (rows->count > 1) {
        qsort(rows->row, rows->count, rows->row_bytes, compare);
    }
}
