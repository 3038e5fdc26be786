#include "nodes/runtime/agenda.h"
#include "proto/base/err.h"
#include "proto/base/map.h"
#include <stdlib.h>
#include <string.h>

#define ITEMS_MAX  (UINT64_C(1) << 32)
#define HEAP_SLACK 64 /* replaced instants that are let stand whatever holds */

struct entry {
    int64_t at_us;
    uint64_t item;
};

/* A ring of touched items, and a binary heap of instants. An instant that was replaced stays in the
 * heap until it comes up and is seen to differ from `scheduled`, or until most of the heap is such:
 * an instant days ahead that is put down again with every event would fill the memory until then.
 */
struct dk_agenda {
    uint64_t *ring;
    size_t ring_capacity, ring_head, ring_count;
    struct dk_map queued;
    struct entry *heap;
    size_t heap_capacity, heap_count;
    struct dk_map scheduled; /* item -> int64_t */
    bool timer_turn;         /* the last one was a touched one */
};

struct dk_agenda *dk_agenda_new(void)
{
    struct dk_agenda *agenda = calloc(1, sizeof *agenda);
    DK_ASSERT(agenda != NULL);
    dk_map_init(&agenda->queued, 1, ITEMS_MAX);
    dk_map_init(&agenda->scheduled, sizeof(int64_t), ITEMS_MAX);
    return agenda;
}

void dk_agenda_free(struct dk_agenda **agenda)
{
    struct dk_agenda *a = *agenda;
    if (a != NULL) {
        dk_map_close(&a->queued);
        dk_map_close(&a->scheduled);
        free(a->ring);
        free(a->heap);
        free(a);
        *agenda = NULL;
    }
}

static void grow_ring(struct dk_agenda *agenda)
{
    size_t capacity = agenda->ring_capacity == 0 ? 64 : agenda->ring_capacity * 2;
    uint64_t *ring = malloc(capacity * sizeof *ring);
    DK_ASSERT(ring != NULL);
    for (size_t i = 0; i < agenda->ring_count; i++) {
        ring[i] = agenda->ring[(agenda->ring_head + i) % agenda->ring_capacity];
    }
    free(agenda->ring);
    agenda->ring = ring;
    agenda->ring_capacity = capacity;
    agenda->ring_head = 0;
}

void dk_agenda_touch(struct dk_agenda *agenda, uint64_t item)
{
    bool first = false;
    DK_ASSERT(dk_map_put(&agenda->queued, item, &first) != NULL);
    if (!first) {
        return;
    }
    if (agenda->ring_count == agenda->ring_capacity) {
        grow_ring(agenda);
    }
    agenda->ring[(agenda->ring_head + agenda->ring_count++) % agenda->ring_capacity] = item;
}

static bool earlier(const struct entry *a, const struct entry *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->item < b->item;
}

static void push(struct dk_agenda *agenda, struct entry entry)
{
    if (agenda->heap_count == agenda->heap_capacity) {
        agenda->heap_capacity = agenda->heap_capacity == 0 ? 64 : agenda->heap_capacity * 2;
        agenda->heap = realloc(agenda->heap, agenda->heap_capacity * sizeof *agenda->heap);
        DK_ASSERT(agenda->heap != NULL);
    }
    size_t i = agenda->heap_count++;
    while (i > 0 && earlier(&entry, &agenda->heap[(i - 1) / 2])) {
        agenda->heap[i] = agenda->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    agenda->heap[i] = entry;
}

static void pop(struct dk_agenda *agenda)
{
    struct entry last = agenda->heap[--agenda->heap_count];
    size_t i = 0, child;
    while ((child = 2 * i + 1) < agenda->heap_count) {
        if (child + 1 < agenda->heap_count &&
            earlier(&agenda->heap[child + 1], &agenda->heap[child])) {
            child++;
        }
        if (!earlier(&agenda->heap[child], &last)) {
            break;
        }
        agenda->heap[i] = agenda->heap[child];
        i = child;
    }
    agenda->heap[i] = last;
}

/* The heap anew, of what holds. */
static void sweep(struct dk_agenda *agenda)
{
    size_t cursor = 0;
    uint64_t item;
    void *at_us;
    agenda->heap_count = 0;
    while (dk_map_next(&agenda->scheduled, &cursor, &item, &at_us)) {
        push(agenda, (struct entry){*(int64_t *)at_us, item});
    }
}

void dk_agenda_schedule(struct dk_agenda *agenda, uint64_t item, int64_t at_us)
{
    if (at_us == INT64_MAX) {
        (void)dk_map_remove(&agenda->scheduled, item);
        return;
    }
    bool created = false;
    int64_t *held = dk_map_put(&agenda->scheduled, item, &created);
    DK_ASSERT(held != NULL);
    if (!created && *held == at_us) {
        return;
    }
    *held = at_us;
    if (agenda->heap_count >= 2 * agenda->scheduled.count + HEAP_SLACK) {
        sweep(agenda);
    } else {
        push(agenda, (struct entry){at_us, item});
    }
}

/* Drops replaced instants from the top; the earliest that holds, or NULL. */
static const struct entry *top(struct dk_agenda *agenda)
{
    while (agenda->heap_count > 0) {
        const int64_t *held = dk_map_get(&agenda->scheduled, agenda->heap[0].item);
        if (held != NULL && *held == agenda->heap[0].at_us) {
            return &agenda->heap[0];
        }
        pop(agenda);
    }
    return NULL;
}

static void take_touched(struct dk_agenda *agenda, uint64_t *item)
{
    *item = agenda->ring[agenda->ring_head];
    agenda->ring_head = (agenda->ring_head + 1) % agenda->ring_capacity;
    agenda->ring_count--;
    (void)dk_map_remove(&agenda->queued, *item);
}

bool dk_agenda_next(struct dk_agenda *agenda, int64_t now_us, uint64_t *item)
{
    const struct entry *due = top(agenda);
    bool touched = agenda->ring_count > 0;
    if (due != NULL && due->at_us <= now_us && (!touched || agenda->timer_turn)) {
        agenda->timer_turn = false;
        *item = due->item;
        (void)dk_map_remove(&agenda->scheduled, *item);
        pop(agenda);
        return true;
    }
    if (touched) {
        agenda->timer_turn = true;
        take_touched(agenda, item);
    }
    return touched;
}

int64_t dk_agenda_due_us(struct dk_agenda *agenda)
{
    if (agenda->ring_count > 0) {
        return INT64_MIN;
    }
    const struct entry *due = top(agenda);
    return due != NULL ? due->at_us : INT64_MAX;
}
