/* A group's queue: tickets by priority, then SLA due, then waiting since, then number (R3).
 *
 * A sorted array that gives way to the nearer end: what is looked at most is its front, in order,
 * and a queue that grew long while nobody had room is taken from its front again. */
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

struct dk_queue {
    struct dk_queue_key *entry;  /* the first */
    size_t count, gap, capacity; /* free places before the first; places in all */
};

bool dk_queue_before(const struct dk_queue_key *a, const struct dk_queue_key *b);
bool dk_queue_same(const struct dk_queue_key *a, const struct dk_queue_key *b);

/* A key that is not in the queue; one that is. */
void dk_queue_insert(struct dk_queue *queue, const struct dk_queue_key *key);
void dk_queue_remove(struct dk_queue *queue, const struct dk_queue_key *key);

/* To fill a queue: keys in any order, then one sort. */
void dk_queue_append(struct dk_queue *queue, const struct dk_queue_key *key);
void dk_queue_sort(struct dk_queue *queue);

/* The index of the first key that is not before this one. */
size_t dk_queue_find(const struct dk_queue *queue, const struct dk_queue_key *key);

void dk_queue_release(struct dk_queue *queue);

#endif
