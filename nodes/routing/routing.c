#include "nodes/routing/routing.h"
#include "nodes/routing/pool.h"
#include "proto/base/id.h"
#include "proto/fold/ticket.h"
#include <stdlib.h>
#include <string.h>

#define GROUPS_MAX 65536
#define AGENTS_MAX (1 << 24)
#define PLACES_MAX (UINT64_C(1) << 32)

static int open_role(void **self, const struct dk_world *world, struct dk_table *const *table,
                     struct dk_err *err)
{
    struct dk_routing *routing = calloc(1, sizeof *routing);
    if (routing == NULL) {
        return dk_err_set(err, DK_ENOMEM, "no memory for routing");
    }
    routing->world = world;
    routing->tickets = table[0];
    routing->agents = table[1];
    routing->declines = table[2];
    routing->contacts = table[3];
    routing->settings = dk_id_of_key(DK_SUBJECT_SETTINGS, "settings", strlen("settings"), NULL);
    routing->rosters_stale = true;
    dk_map_init(&routing->groups, sizeof(struct dk_routing_group *), GROUPS_MAX);
    dk_map_init(&routing->pools, sizeof(struct dk_pool *), GROUPS_MAX);
    dk_map_init(&routing->seats, sizeof(struct dk_pool_seat), AGENTS_MAX);
    dk_map_init(&routing->hopeful, 1, PLACES_MAX);
    dk_map_init(&routing->stuck, 1, PLACES_MAX);
    dk_map_init(&routing->resting, 1, PLACES_MAX);
    dk_map_init(&routing->callers, sizeof(uint64_t), PLACES_MAX);
    dk_map_init(&routing->places, sizeof(struct dk_routing_place), PLACES_MAX);
    *self = routing;
    return 0;
}

static void close_role(void **self)
{
    struct dk_routing *routing = *self;
    dk_routing_free_rosters(routing);
    dk_map_close(&routing->groups);
    dk_map_close(&routing->pools);
    dk_map_close(&routing->seats);
    dk_map_close(&routing->places);
    dk_map_close(&routing->hopeful);
    dk_map_close(&routing->stuck);
    dk_map_close(&routing->resting);
    dk_map_close(&routing->callers);
    free(routing);
    *self = NULL;
}

static int rebuild(void *self, struct dk_agenda *agenda, struct dk_err *err)
{
    struct dk_routing *routing = self;
    size_t cursor = 0, bytes;
    uint64_t ticket;
    const void *row;
    (void)err;
    dk_routing_forget(routing);
    while (dk_table_next(routing->tickets, &cursor, &ticket, &row, &bytes)) {
        const struct dk_ticket *life = dk_table_get(routing->world->tickets, ticket, NULL);
        dk_routing_place_unsorted(routing, ticket, row, life);
        dk_routing_note_resting(routing, ticket, row, life);
        if (dk_routing_owes_ticket(routing, ticket, row, life)) {
            dk_agenda_touch(agenda, ticket);
        }
    }
    dk_routing_sort_places(routing);
    dk_routing_touch_pools(routing, agenda);
    return 0;
}

const struct dk_role_ops dk_routing_role = {
    .name = "routing",
    .role = DK_ROLE_ROUTING,
    .fold_version = 5,
    .rule_version = 4,
    .table_count = 4,
    .table_value_bytes = {sizeof(struct dk_routing_ticket), sizeof(struct dk_routing_agent), 0, 0},
    .open = open_role,
    .close = close_role,
    .rebuild = rebuild,
    .apply = dk_routing_apply,
    .consider = dk_routing_consider,
    .query = dk_routing_query,
};
