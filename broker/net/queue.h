/* A bounded queue of pointers between threads. */
#ifndef DK_NET_QUEUE_H
#define DK_NET_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct dk_queue {
    pthread_mutex_t mutex;
    pthread_cond_t ready;
    void **item;
    size_t capacity, count, head;
    bool closed;
};

void dk_queue_init(struct dk_queue *queue, size_t capacity);
void dk_queue_close(struct dk_queue *queue); /* wakes all takers; they get NULL when it is empty */
void dk_queue_free(struct dk_queue *queue);

bool dk_queue_put(struct dk_queue *queue, void *item); /* false when full */
void *dk_queue_take(struct dk_queue *queue);           /* waits */
void *dk_queue_try(struct dk_queue *queue);            /* NULL when empty */

#endif
