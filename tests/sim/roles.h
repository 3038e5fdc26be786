/* The roles whose nodes a world runs. Routing is the first: the checker asks it about queues. */
#ifndef DK_SIM_ROLES_H
#define DK_SIM_ROLES_H

#include "nodes/runtime/role.h"

#define SIM_ROLES 4
extern const struct dk_role_ops *const sim_roles[SIM_ROLES];

#endif
