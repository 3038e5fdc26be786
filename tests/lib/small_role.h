/* A role small enough to read: a live ticket without a group is owed a Routed to one group, a low
 * one not before a minute has passed. It counts each ticket's events and keeps their kinds. */
#ifndef DK_TESTS_SMALL_ROLE_H
#define DK_TESTS_SMALL_ROLE_H

#include "nodes/runtime/role.h"
#include <stdlib.h>
#include <string.h>

#define SMALL_GROUP_KEY "desk"
#define SMALL_DELAY_US  (INT64_C(60) * 1000000)

struct small_role {
    const struct dk_world *world;
    struct dk_table *counts; /* ticket -> uint64_t */
    struct dk_table *kinds;  /* ticket -> one byte an event */
};

static inline int small_role_open(void **self, const struct dk_world *world,
                                  struct dk_table *const *table, struct dk_err *err)
{
    struct small_role *role = calloc(1, sizeof *role);
    (void)err;
    *role = (struct small_role){world, table[0], table[1]};
    *self = role;
    return 0;
}

static inline void small_role_close(void **self)
{
    free(*self);
    *self = NULL;
}

static inline int small_role_apply(void *self, const struct dk_event *event,
                                   struct dk_agenda *agenda, struct dk_err *err)
{
    struct small_role *role = self;
    uint64_t ticket = event->envelope->subject;
    size_t events = 0;
    (void)err;
    if (event->after == NULL)
        return 0;
    ++*(uint64_t *)dk_table_edit(role->counts, ticket, 0);
    (void)dk_table_get(role->kinds, ticket, &events);
    uint8_t *kinds = dk_table_edit(role->kinds, ticket, events + 1);
    kinds[events] = (uint8_t)event->envelope->kind;
    if (event->after->group == 0)
        dk_agenda_touch(agenda, ticket);
    return 0;
}

static inline int small_role_rebuild(void *self, struct dk_agenda *agenda, struct dk_err *err)
{
    struct small_role *role = self;
    size_t cursor = 0, bytes;
    uint64_t ticket;
    const void *count;
    (void)err;
    while (dk_table_next(role->counts, &cursor, &ticket, &count, &bytes))
        dk_agenda_touch(agenda, ticket);
    return 0;
}

static inline void small_role_consider(void *self, uint64_t item, int64_t now_us,
                                       struct dk_intents *intents, int64_t *again_us)
{
    struct small_role *role = self;
    Docket__Routed routed = DOCKET__ROUTED__INIT;
    const struct dk_ticket *life = dk_table_get(role->world->tickets, item, NULL);
    if (life == NULL || !dk_ticket_live(life) || life->group != 0)
        return;
    if (life->priority == DOCKET__PRIORITY__PRIORITY_LOW &&
        now_us < life->opened_us + SMALL_DELAY_US) {
        *again_us = life->opened_us + SMALL_DELAY_US;
        return;
    }
    routed.line = 1;
    routed.group = dk_id_of_key(DK_SUBJECT_GROUP, SMALL_GROUP_KEY, strlen(SMALL_GROUP_KEY), NULL);
    (void)dk_intents_add(intents, item, DK_KIND_ROUTED, &routed.base, life->last_position);
}

/* A copy, so that a test can change the versions. */
static inline struct dk_role_ops small_role_ops(void)
{
    return (struct dk_role_ops){.name = "routing",
                                .role = DK_ROLE_ROUTING,
                                .fold_version = 1,
                                .rule_version = 3,
                                .table_count = 2,
                                .table_value_bytes = {sizeof(uint64_t), 0},
                                .open = small_role_open,
                                .close = small_role_close,
                                .rebuild = small_role_rebuild,
                                .apply = small_role_apply,
                                .consider = small_role_consider};
}

#endif
