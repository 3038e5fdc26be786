/* The role that counts: it folds each ticket's facts (facts.h), owes nothing, and answers the
 * queries "kpi" and "backlog" (kpi.h), "load", "coverage" and "index" (staff.h). A replay of the
 * same log with this role gives the same answers, byte for byte: feed a dk_folder, then
 * dk_folder_query. */
#ifndef DK_ANALYTICS_ANALYTICS_H
#define DK_ANALYTICS_ANALYTICS_H

#include "nodes/runtime/role.h"

extern const struct dk_role_ops dk_analytics_role;

/* The role's state, for `dk_kpi_run`: what dk_folder_self gives for a folder of this role. */
struct dk_analytics {
    const struct dk_world *world;
    struct dk_table *facts;
};

#endif
