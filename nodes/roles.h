/* The roles that there are: what docket-node runs, and what a replay folds. */
#ifndef DK_NODES_ROLES_H
#define DK_NODES_ROLES_H

#include "nodes/runtime/role.h"

#define DK_ROLE_COUNT 4
extern const struct dk_role_ops *const dk_roles[DK_ROLE_COUNT];

/* NULL when there is none of this name. */
const struct dk_role_ops *dk_role_named(const char *name);

#endif
