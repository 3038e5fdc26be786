#include "nodes/sla/sla.h"
#include "nodes/sla/state.h"
#include <stdlib.h>

static int open_role(void **self, const struct dk_world *world, struct dk_table *const *table,
                     struct dk_err *err)
{
    struct dk_sla *sla = calloc(1, sizeof *sla);
    if (sla == NULL) {
        return dk_err_set(err, DK_ENOMEM, "no memory for the SLA role");
    }
    sla->world = world;
    sla->transitions = table[0];
    sla->said = table[1];
    sla->reminders = table[2];
    sla->warned = table[3];
    sla->pausers = table[4];
    dk_breaches_init(&sla->breaches);
    dk_reach_init(&sla->reach);
    dk_clocks_init(&sla->clocks);
    *self = sla;
    return 0;
}

static void close_role(void **self)
{
    struct dk_sla *sla = *self;
    dk_clocks_close(&sla->clocks);
    dk_breaches_close(&sla->breaches);
    dk_reach_close(&sla->reach);
    free(sla->row);
    free(sla->warning);
    free(sla);
    *self = NULL;
}

/* When the log says that a ticket's next clock is due; INT64_MAX: none runs. */
static int64_t said_due_us(const struct dk_sla *sla, uint64_t ticket)
{
    size_t bytes = 0;
    const struct dk_said *said = dk_table_get(sla->said, ticket, &bytes);
    int64_t due_us = INT64_MAX;
    for (size_t i = 0; i < bytes / sizeof *said; i++) {
        if (said[i].verdict == DOCKET__VERDICT__VERDICT_RUNNING && said[i].due_us < due_us) {
            due_us = said[i].due_us;
        }
    }
    return due_us;
}

struct waiting {
    int64_t due_us;
    uint64_t ticket;
};

static int by_due(const void *a, const void *b)
{
    const struct waiting *x = a, *y = b;
    if (x->due_us != y->due_us) {
        return x->due_us < y->due_us ? -1 : 1;
    }
    return (x->ticket > y->ticket) - (x->ticket < y->ticket);
}

static void derive(struct dk_sla *sla)
{
    size_t cursor = 0, bytes;
    uint64_t ticket;
    const void *value;
    while (dk_table_next(sla->transitions, &cursor, &ticket, &value, &bytes)) {
        dk_reach_note(&sla->reach, ticket, value, bytes / sizeof(struct dk_transition));
        dk_breaches_stale(sla, ticket);
    }
}

/* What was owed when the process ended is not known: every ticket is looked at once, those first
 * that have come due meanwhile or will soon. */
static int rebuild(void *self, struct dk_agenda *agenda, struct dk_err *err)
{
    struct dk_sla *sla = self;
    size_t cursor = 0, bytes, count = 0;
    uint64_t ticket;
    const void *life;
    struct waiting *list = calloc(dk_table_count(sla->world->tickets) + 1, sizeof *list);
    if (list == NULL) {
        return dk_err_set(err, DK_ENOMEM, "no memory to look at all tickets");
    }
    while (dk_table_next(sla->world->tickets, &cursor, &ticket, &life, &bytes)) {
        if (!dk_ticket_historical(life)) {
            list[count++] = (struct waiting){said_due_us(sla, ticket), ticket};
        }
    }
    derive(sla);
    qsort(list, count, sizeof *list, by_due);
    for (size_t i = 0; i < count; i++) {
        dk_agenda_touch(agenda, list[i].ticket);
    }
    free(list);
    return 0;
}

void dk_sla_compute(struct dk_sla *self, uint64_t ticket, int64_t at_us)
{
    size_t bytes = 0;
    const struct dk_transition *transition = dk_table_get(self->transitions, ticket, &bytes);
    dk_clocks_compute(&self->clocks, transition, bytes / sizeof *transition, self->world->refs,
                      at_us);
}

const struct dk_role_ops dk_sla_role = {
    .name = "sla",
    .role = DK_ROLE_SLA,
    .fold_version = 7,
    .rule_version = 8,
    .table_count = 5,
    .table_value_bytes = {0, 0, 0, 0, 0},
    .open = open_role,
    .close = close_role,
    .rebuild = rebuild,
    .apply = dk_sla_apply,
    .consider = dk_sla_consider,
    .query = dk_sla_query,
};
