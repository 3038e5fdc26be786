/* A group's queue: tickets by priority, then SLA due, then waiting since, then number (R3).
 *
 * A binary heap whose entries are copies of the keys: when a key changes, the ticket is pushed
 * again and the old entry is recognized as outdated when it comes up, by comparing it with the
 * tables. */
#ifndef DK_ROUTING_QUEUE_H
#define DK_ROUTING_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dk_queue_key {
    int64_t due_us; /* INT64_MAX = no clock runs */
    int64_t since_us;
    uint64_t ticket;
    uint64_t priority; /* 1 = critical .. 4 = low, 5 = none */
};

struct dk_queue_heap {
    struct dk_queue_key *entry;
    size_t count, capacity;
};

bool dk_queue_before(const struct dk_queue_key *a, const struct dk_queue_key *b);
bool dk_queue_same(const struct dk_queue_key *a, const struct dk_queue_key *b);
void dk_queue_push(struct dk_queue_heap *heap, const struct dk_queue_key *key);
bool dk_queue_pop(struct dk_queue_heap *heap, struct dk_queue_key *key);
void dk_queue_release(struct dk_queue_heap *heap);

#endif
