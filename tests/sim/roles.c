#include "tests/sim/roles.h"

#include "nodes/analytics/analytics.h"
#include "nodes/notification/notification.h"
#include "nodes/routing/routing.h"
#include "nodes/sla/sla.h"

const struct dk_role_ops *const sim_roles[SIM_ROLES] = {
    &dk_routing_role,
    &dk_sla_role,
    &dk_notification_role,
    &dk_analytics_role,
};
