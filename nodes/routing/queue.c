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

static struct dk_queue_key *base_of(const struct dk_queue *queue)
{
    return queue->gap > 0 ? queue->entry - queue->gap : queue->entry;
}

/* Makes room behind the last. */
static void grow(struct dk_queue *queue)
{
    struct dk_queue_key *base = base_of(queue);
    if (queue->gap + queue->count < queue->capacity) {
        return;
    }
    if (queue->gap > queue->count) { /* at most as often as so many were taken from the front */
        memmove(base, queue->entry, queue->count * sizeof *base);
        queue->entry = base;
        queue->gap = 0;
        return;
    }
    queue->capacity = queue->capacity == 0 ? 32 : queue->capacity * 2;
    base = realloc(base, queue->capacity * sizeof *base);
    DK_ASSERT(base != NULL);
    queue->entry = base + queue->gap;
}

void dk_queue_append(struct dk_queue *queue, const struct dk_queue_key *key)
{
    grow(queue);
    queue->entry[queue->count++] = *key;
}

void dk_queue_insert(struct dk_queue *queue, const struct dk_queue_key *key)
{
    size_t at = dk_queue_find(queue, key);
    if (queue->gap > 0 && at < queue->count / 2) {
        queue->gap--;
        queue->entry--;
        memmove(queue->entry, queue->entry + 1, at * sizeof *key);
    } else {
        grow(queue);
        memmove(queue->entry + at + 1, queue->entry + at, (queue->count - at) * sizeof *key);
    }
    queue->entry[at] = *key;
    queue->count++;
}

void dk_queue_remove(struct dk_queue *queue, const struct dk_queue_key *key)
{
    size_t at = dk_queue_find(queue, key);
    struct dk_queue_key *first = queue->entry;
    DK_ASSERT(at < queue->count && dk_queue_same(&first[at], key));
    queue->count--;
    if (at < queue->count / 2) {
        memmove(first + 1, first, at * sizeof *first);
        queue->gap++;
        queue->entry++;
    } else {
        memmove(first + at, first + at + 1, (queue->count - at) * sizeof *first);
    }
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
    free(base_of(queue));
    *queue = (struct dk_queue){0};
}
