#include "nodes/analytics/analytics.h"
#include "nodes/analytics/facts.h"
#include "nodes/analytics/kpi.h"
#include "nodes/analytics/staff.h"
#include <stdlib.h>

#define RULE_VERSION 1 /* of decisions: there are none */

static int open_state(void **self, const struct dk_world *world, struct dk_table *const *table,
                      struct dk_err *err)
{
    struct dk_analytics *analytics = calloc(1, sizeof *analytics);
    if (analytics == NULL) {
        return dk_err_set(err, DK_ENOMEM, "no memory for analytics");
    }
    *analytics = (struct dk_analytics){.world = world, .facts = table[0]};
    *self = analytics;
    return 0;
}

static void close_state(void **self)
{
    free(*self);
    *self = NULL;
}

/* Nothing is derived, and nothing is owed. */
static int rebuild(void *self, struct dk_agenda *agenda, struct dk_err *err)
{
    (void)self;
    (void)agenda;
    (void)err;
    return 0;
}

static int apply(void *self, const struct dk_event *event, struct dk_agenda *agenda,
                 struct dk_err *err)
{
    const struct dk_analytics *analytics = self;
    (void)agenda;
    (void)err;
    dk_facts_apply(analytics->facts, analytics->world->refs, event);
    return 0;
}

static int query(void *self, const char *name, const char *const *argument, size_t argument_count,
                 struct dk_buf *json, struct dk_err *err)
{
    const struct dk_analytics *analytics = self;
    struct dk_kpi_query asked;
    if (dk_staff_has(name)) {
        return dk_staff_answer(analytics, name, argument, argument_count, json, err);
    }
    int rc = dk_kpi_parse(&asked, analytics->world, name, argument, argument_count, err);
    if (rc == 0) {
        rc = dk_kpi_run(analytics, &asked, json, err);
        dk_kpi_close(&asked);
    }
    return rc;
}

const struct dk_role_ops dk_analytics_role = {
    .name = "analytics",
    .role = DK_ROLE_ANALYTICS,
    .fold_version = DK_FACTS_FOLD_VERSION,
    .rule_version = RULE_VERSION,
    .table_count = 1,
    .table_value_bytes = {0},
    .table_layout = {{sizeof(struct dk_facts) / 8, sizeof(struct dk_step) / 8}},
    .tickets_layout = {sizeof(struct dk_ticket) / 8, 0},
    .open = open_state,
    .close = close_state,
    .rebuild = rebuild,
    .apply = apply,
    .query = query,
};
