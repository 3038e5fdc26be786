#include "broker/net/mailbox.h"
#include "proto/base/err.h"
#include <stdlib.h>
#include <string.h>

void dk_mailbox_init(struct dk_mailbox *mailbox, size_t capacity)
{
    memset(mailbox, 0, sizeof *mailbox);
    mailbox->item = calloc(capacity, sizeof *mailbox->item);
    DK_ASSERT(mailbox->item != NULL);
    mailbox->capacity = capacity;
    (void)pthread_mutex_init(&mailbox->mutex, NULL);
    (void)pthread_cond_init(&mailbox->ready, NULL);
}

void dk_mailbox_close(struct dk_mailbox *mailbox)
{
    (void)pthread_mutex_lock(&mailbox->mutex);
    mailbox->closed = true;
    (void)pthread_cond_broadcast(&mailbox->ready);
    (void)pthread_mutex_unlock(&mailbox->mutex);
}

void dk_mailbox_free(struct dk_mailbox *mailbox)
{
    free(mailbox->item);
    (void)pthread_mutex_destroy(&mailbox->mutex);
    (void)pthread_cond_destroy(&mailbox->ready);
}

bool dk_mailbox_put(struct dk_mailbox *mailbox, void *item)
{
    (void)pthread_mutex_lock(&mailbox->mutex);
    bool fits = mailbox->count < mailbox->capacity;
    if (fits) {
        mailbox->item[(mailbox->head + mailbox->count++) % mailbox->capacity] = item;
        (void)pthread_cond_signal(&mailbox->ready);
    }
    (void)pthread_mutex_unlock(&mailbox->mutex);
    return fits;
}

static void *pop(struct dk_mailbox *mailbox)
{
    if (mailbox->count == 0) {
        return NULL;
    }
    void *item = mailbox->item[mailbox->head];
    mailbox->head = (mailbox->head + 1) % mailbox->capacity;
    mailbox->count--;
    return item;
}

void *dk_mailbox_take(struct dk_mailbox *mailbox)
{
    (void)pthread_mutex_lock(&mailbox->mutex);
    while (mailbox->count == 0 && !mailbox->closed) {
        (void)pthread_cond_wait(&mailbox->ready, &mailbox->mutex);
    }
    void *item = pop(mailbox);
    (void)pthread_mutex_unlock(&mailbox->mutex);
    return item;
}

void *dk_mailbox_try(struct dk_mailbox *mailbox)
{
    (void)pthread_mutex_lock(&mailbox->mutex);
    void *item = pop(mailbox);
    (void)pthread_mutex_unlock(&mailbox->mutex);
    return item;
}
