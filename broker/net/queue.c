#include "broker/net/queue.h"
#include "proto/base/err.h"
#include <stdlib.h>
#include <string.h>

void dk_queue_init(struct dk_queue *queue, size_t capacity)
{
    memset(queue, 0, sizeof *queue);
    queue->item = calloc(capacity, sizeof *queue->item);
    DK_ASSERT(queue->item != NULL);
    queue->capacity = capacity;
    (void)pthread_mutex_init(&queue->mutex, NULL);
    (void)pthread_cond_init(&queue->ready, NULL);
}

void dk_queue_close(struct dk_queue *queue)
{
    (void)pthread_mutex_lock(&queue->mutex);
    queue->closed = true;
    (void)pthread_cond_broadcast(&queue->ready);
    (void)pthread_mutex_unlock(&queue->mutex);
}

void dk_queue_free(struct dk_queue *queue)
{
    free(queue->item);
    (void)pthread_mutex_destroy(&queue->mutex);
    (void)pthread_cond_destroy(&queue->ready);
}

bool dk_queue_put(struct dk_queue *queue, void *item)
{
    (void)pthread_mutex_lock(&queue->mutex);
    bool fits = queue->count < queue->capacity;
    if (fits) {
        queue->item[(queue->head + queue->count++) % queue->capacity] = item;
        (void)pthread_cond_signal(&queue->ready);
    }
    (void)pthread_mutex_unlock(&queue->mutex);
    return fits;
}

static void *pop(struct dk_queue *queue)
{
    if (queue->count == 0) {
        return NULL;
    }
    void *item = queue->item[queue->head];
    queue->head = (queue->head + 1) % queue->capacity;
    queue->count--;
    return item;
}

void *dk_queue_take(struct dk_queue *queue)
{
    (void)pthread_mutex_lock(&queue->mutex);
    while (queue->count == 0 && !queue->closed) {
        (void)pthread_cond_wait(&queue->ready, &queue->mutex);
    }
    void *item = pop(queue);
    (void)pthread_mutex_unlock(&queue->mutex);
    return item;
}

void *dk_queue_try(struct dk_queue *queue)
{
    (void)pthread_mutex_lock(&queue->mutex);
    void *item = pop(queue);
    (void)pthread_mutex_unlock(&queue->mutex);
    return item;
}
