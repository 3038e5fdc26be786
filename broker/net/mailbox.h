/* A bounded queue of pointers between threads. */
#ifndef DK_NET_MAILBOX_H
#define DK_NET_MAILBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct dk_mailbox {
    pthread_mutex_t mutex;
    pthread_cond_t ready;
    void **item;
    size_t capacity, count, head;
    bool closed;
};

void dk_mailbox_init(struct dk_mailbox *mailbox, size_t capacity);
void dk_mailbox_close(
    struct dk_mailbox *mailbox); /* wakes all takers; they get NULL when it is empty */
void dk_mailbox_free(struct dk_mailbox *mailbox);

bool dk_mailbox_put(struct dk_mailbox *mailbox, void *item); /* false when full */
void *dk_mailbox_take(struct dk_mailbox *mailbox);           /* waits */
void *dk_mailbox_try(struct dk_mailbox *mailbox);            /* NULL when empty */

#endif
