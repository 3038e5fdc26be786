/* What notification keeps: its tables, and the outbox in order, derived from them. */
#ifndef DK_NOTIFICATION_STATE_H
#define DK_NOTIFICATION_STATE_H

#include "nodes/notification/notification.h"

/* Table 1: ticket -> struct dk_notice_ticket, cut off after its last tag. */

/* Table 2: ticket -> an array of these: what is owed and not requested yet. The versions say where
 * its address stands in the reference data, so that none is kept here. */
struct dk_obligation {
    uint64_t notice;
    uint64_t cause;
    uint64_t rule;
    uint64_t template;
    uint64_t recipient;         /* or 0 */
    uint32_t rule_version;      /* subject_version of the rule's definition that was in force */
    uint32_t recipient_version; /* of the recipient's; 0: not defined */
    uint32_t transport;
    uint32_t reserved;
    char language[DK_NOTICE_LANGUAGE_BYTES];
};
_Static_assert(sizeof(struct dk_obligation) == 72, "flat, without padding");

/* Table 3: notice -> struct dk_notice: the outbox. */

/* Table 4: notice -> this: given up. */
struct dk_dead {
    struct dk_notice notice;
    int64_t failed_us;
    uint32_t attempts;
    char error[DK_ATTEMPT_ERROR_BYTES - 4]; /* padded with NULs */
};
_Static_assert(sizeof(struct dk_dead) == 184, "flat, without padding");

struct dk_pending {
    uint64_t position; /* of its request */
    uint64_t notice;
};

struct dk_notification {
    const struct dk_world *world;
    struct dk_table *tickets, *owed, *outbox, *dead;
    /* Derived: the outbox by position, and among it some that have left it since. */
    struct dk_pending *line;
    size_t line_count, line_capacity;
    void (*attempts_of)(void *arg, uint64_t notice, struct dk_attempts *attempts);
    void *attempts_arg;
};

int dk_notification_apply(void *self, const struct dk_event *event, struct dk_agenda *agenda,
                          struct dk_err *err);
void dk_notification_consider(void *self, uint64_t item, int64_t now_us, struct dk_intents *intents,
                              int64_t *again_us);
int dk_notification_query(void *self, const char *name, const char *const *argument,
                          size_t argument_count, struct dk_buf *json, struct dk_err *err);

/* Puts a notice at the end of the line: positions only grow. */
void dk_notification_line_up(struct dk_notification *self, uint64_t position, uint64_t notice);

#endif
