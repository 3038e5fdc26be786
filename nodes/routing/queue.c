#include "nodes/routing/queue.h"
#include "proto/base/err.h"
#include <stdlib.h>
#include <string.h>

bool dk_queue_before(const struct dk_queue_key *a, const struct dk_queue_key *b)
{
    if (a->priority != b->priority) {
        return a->priority < b->priority;
    }
    if (a->due_us != b->due_us) {
        return a->due_us < b->due_us;
    }
    if (a->since_us != b->since_us) {
        return a->since_us < b->since_us;
    }
    return a->ticket < b->ticket;
}

bool dk_queue_same(const struct dk_queue_key *a, const struct dk_queue_key *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

size_t dk_queue_find(const struct dk_queue *queue, const struct dk_queue_key *key)
{
    size_t low = 0, high = queue->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (dk_queue_before(&queue->entry[middle], key)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void dk_queue_append(struct dk_queue *queue, const struct dk_queue_key *key)
{
    if (queue->count == queue->capacity) {
        queue->capacity = queue->capacity == 0 ? 32 : queue->capacity * 2;
        queue->entry = realloc(queue->entry, queue->capacity * sizeof *queue->entry);
        DK_ASSERT(queue->entry != NULL);
    }
    queue->entry[queue->count++] = *key;
}

void dk_queue_insert(struct dk_queue *queue, const struct dk_queue_key *key)
{
    size_t at = dk_queue_find(queue, key);
    dk_queue_append(queue, key);
    struct dk_queue_key *place = queue->entry + at;
    memmove(place + 1, place, (queue->count - 1 - at) * sizeof *place);
    *place = *key;
}

void dk_queue_remove(struct dk_queue *queue, const struct dk_queue_key *key)
{
    size_t at = dk_queue_find(queue, key);
    struct dk_queue_key *place = queue->entry + at;
    DK_ASSERT(at < queue->count && dk_queue_same(place, key));
    queue->count--;
    memmove(place, place + 1, (queue->count - at) * sizeof *place);
}

static int compare(const void *a, const void *b)
{
    const struct dk_queue_key *x = a, *y = b;
    return dk_queue_before(x, y) ? -1 : dk_queue_before(y, x);
}

void dk_queue_sort(struct dk_queue *queue)
{
    if (queue->count > 1) {
        qsort(queue->entry, queue->count, sizeof *queue->entry, compare);
    }
}

void dk_queue_release(struct dk_queue *queue)
{
    free(queue->entry);
    *queue = (struct dk_queue){0};
}
