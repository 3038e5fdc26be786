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

void dk_queue_push(struct dk_queue_heap *heap, const struct dk_queue_key *key)
{
    if (heap->count == heap->capacity) {
        heap->capacity = heap->capacity == 0 ? 32 : heap->capacity * 2;
        heap->entry = realloc(heap->entry, heap->capacity * sizeof *heap->entry);
        DK_ASSERT(heap->entry != NULL);
    }
    size_t i = heap->count++;
    while (i > 0 && dk_queue_before(key, &heap->entry[(i - 1) / 2])) {
        heap->entry[i] = heap->entry[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap->entry[i] = *key;
}

bool dk_queue_pop(struct dk_queue_heap *heap, struct dk_queue_key *key)
{
    if (heap->count == 0) {
        return false;
    }
    *key = heap->entry[0];
    struct dk_queue_key last = heap->entry[--heap->count];
    size_t i = 0, child;
    while ((child = 2 * i + 1) < heap->count) {
        if (child + 1 < heap->count &&
            dk_queue_before(&heap->entry[child + 1], &heap->entry[child])) {
            child++;
        }
        if (!dk_queue_before(&heap->entry[child], &last)) {
            break;
        }
        heap->entry[i] = heap->entry[child];
        i = child;
    }
    heap->entry[i] = last;
    return true;
}

void dk_queue_release(struct dk_queue_heap *heap)
{
    free(heap->entry);
    *heap = (struct dk_queue_heap){0};
}
