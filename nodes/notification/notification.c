#include "nodes/notification/notification.h"
#include "nodes/notification/state.h"
#include <stdlib.h>

static int open_role(void **self, const struct dk_world *world, struct dk_table *const *table,
                     struct dk_err *err)
{
    struct dk_notification *notification = calloc(1, sizeof *notification);
    if (notification == NULL) {
        return dk_err_set(err, DK_ENOMEM, "no memory for notification");
    }
    notification->world = world;
    notification->tickets = table[0];
    notification->owed = table[1];
    notification->outbox = table[2];
    notification->dead = table[3];
    *self = notification;
    return 0;
}

static void close_role(void **self)
{
    struct dk_notification *notification = *self;
    free(notification->line);
    free(notification);
    *self = NULL;
}

/* ---------------------------------------------------------------- the outbox in order */

/* Leaves out who has left the outbox, or was requested again since. */
static void close_ranks(struct dk_notification *self)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->line_count; i++) {
        const struct dk_notice *row = dk_table_get(self->outbox, self->line[i].notice, NULL);
        if (row != NULL && row->position == self->line[i].position) {
            self->line[kept++] = self->line[i];
        }
    }
    self->line_count = kept;
}

void dk_notification_line_up(struct dk_notification *self, uint64_t position, uint64_t notice)
{
    if (self->line_count == self->line_capacity) {
        close_ranks(self);
    }
    if (self->line_count == self->line_capacity || self->line_capacity == 0) {
        self->line_capacity = self->line_capacity == 0 ? 64 : self->line_capacity * 2;
        self->line = realloc(self->line, self->line_capacity * sizeof *self->line);
        DK_ASSERT(self->line != NULL);
    }
    self->line[self->line_count++] = (struct dk_pending){position, notice};
}

const struct dk_notice *dk_notification_find(const void *self, uint64_t notice)
{
    const struct dk_notification *notification = self;
    return notice != 0 ? dk_table_get(notification->outbox, notice, NULL) : NULL;
}

const struct dk_notice *dk_notification_next(const void *self, uint64_t after, uint64_t *notice)
{
    const struct dk_notification *notification = self;
    size_t low = 0, high = notification->line_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (notification->line[middle].position <= after) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < notification->line_count; low++) {
        const struct dk_pending *pending = &notification->line[low];
        const struct dk_notice *row = dk_notification_find(self, pending->notice);
        if (row != NULL && row->position == pending->position) {
            *notice = pending->notice;
            return row;
        }
    }
    return NULL;
}

const struct dk_notice_ticket *dk_notification_ticket(const void *self, uint64_t ticket)
{
    return dk_table_get(((const struct dk_notification *)self)->tickets, ticket, NULL);
}

void dk_notification_show_attempts(void *self,
                                   void (*attempts_of)(void *arg, uint64_t notice,
                                                       struct dk_attempts *attempts),
                                   void *arg)
{
    struct dk_notification *notification = self;
    notification->attempts_of = attempts_of;
    notification->attempts_arg = arg;
}

/* ---------------------------------------------------------------- the role */

static int by_position(const void *a, const void *b)
{
    const struct dk_pending *x = a, *y = b;
    return (x->position > y->position) - (x->position < y->position);
}

static int rebuild(void *self, struct dk_agenda *agenda, struct dk_err *err)
{
    struct dk_notification *notification = self;
    size_t cursor = 0, bytes;
    uint64_t key;
    const void *value;
    (void)err;
    while (dk_table_next(notification->owed, &cursor, &key, &value, &bytes)) {
        dk_agenda_touch(agenda, key);
    }
    cursor = 0;
    while (dk_table_next(notification->outbox, &cursor, &key, &value, &bytes)) {
        dk_notification_line_up(notification, ((const struct dk_notice *)value)->position, key);
    }
    if (notification->line_count > 1) {
        qsort(notification->line, notification->line_count, sizeof *notification->line,
              by_position);
    }
    return 0;
}

const struct dk_role_ops dk_notification_role = {
    .name = "notification",
    .role = DK_ROLE_NOTIFICATION,
    .fold_version = 2,
    .rule_version = 1,
    .table_count = 4,
    .table_value_bytes = {0, 0, sizeof(struct dk_notice), sizeof(struct dk_dead)},
    .open = open_role,
    .close = close_role,
    .rebuild = rebuild,
    .apply = dk_notification_apply,
    .consider = dk_notification_consider,
    .query = dk_notification_query,
};
