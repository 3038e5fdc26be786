#include "nodes/roles.h"
#include "nodes/analytics/analytics.h"
#include "nodes/notification/notification.h"
#include "nodes/routing/routing.h"
#include "nodes/sla/sla.h"
#include <string.h>

const struct dk_role_ops *const dk_roles[DK_ROLE_COUNT] = {
    &dk_routing_role, &dk_sla_role, &dk_notification_role, &dk_analytics_role};

const struct dk_role_ops *dk_role_named(const char *name)
{
    for (size_t i = 0; i < DK_ROLE_COUNT; i++) {
        if (strcmp(dk_roles[i]->name, name) == 0) {
            return dk_roles[i];
        }
    }
    return NULL;
}
