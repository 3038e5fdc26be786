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
    notification->chains = table[4];
    notification->follow_ups = table[5];
    notification->windows = table[6];
    notification->absences = table[7];
    notification->line.table = notification->outbox;
    notification->dead_line.table = notification->dead;
    *self = notification;
    return 0;
}

static void close_role(void **self)
{
    struct dk_notification *notification = *self;
    dk_line_close(&notification->line);
    dk_line_close(&notification->dead_line);
    free(notification->candidate);
    free(notification);
    *self = NULL;
}

/* ---------------------------------------------------------------- what others ask */

const struct dk_notice *dk_notification_find(const void *self, uint64_t notice)
{
    const struct dk_notification *notification = self;
    return notice != 0 ? dk_table_get(notification->outbox, notice, NULL) : NULL;
}

const struct dk_notice *dk_notification_next(const void *self, uint64_t after, uint64_t *notice)
{
    return dk_line_next(&((const struct dk_notification *)self)->line, after, notice);
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

static void touch_all(const struct dk_table *table, struct dk_agenda *agenda)
{
    size_t cursor = 0, bytes;
    uint64_t key;
    const void *value;
    while (dk_table_next(table, &cursor, &key, &value, &bytes)) {
        dk_agenda_touch(agenda, key);
    }
}

static int rebuild(void *self, struct dk_agenda *agenda, struct dk_err *err)
{
    struct dk_notification *notification = self;
    (void)err;
    touch_all(notification->owed, agenda);
    touch_all(notification->chains, agenda);
    touch_all(notification->follow_ups, agenda);
    dk_line_rebuild(&notification->line);
    dk_line_rebuild(&notification->dead_line);
    return 0;
}

const struct dk_role_ops dk_notification_role = {
    .name = "notification",
    .role = DK_ROLE_NOTIFICATION,
    .fold_version = 5,
    .rule_version = 3,
    .table_count = 8,
    .table_value_bytes = {0, 0, sizeof(struct dk_notice), sizeof(struct dk_dead), 0,
                          sizeof(struct dk_follow_up), sizeof(int64_t), sizeof(int64_t)},
    .open = open_role,
    .close = close_role,
    .rebuild = rebuild,
    .apply = dk_notification_apply,
    .consider = dk_notification_consider,
    .query = dk_notification_query,
};
