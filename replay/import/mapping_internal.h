/* What the two halves of the mapping's reader share. */
#ifndef DK_IMPORT_MAPPING_INTERNAL_H
#define DK_IMPORT_MAPPING_INTERNAL_H

#include "replay/import/mapping.h"

/* The slot of the column that `node` names, made when it is new; DK_NO_SLOT and 0 when `node` is
 * NULL. */
int dk_mapping_column(struct dk_mapping *mapping, const struct dk_yaml *node, int *slot,
                      struct dk_err *err);
/* The same for a column's name that is `node`'s key. */
int dk_mapping_key_column(struct dk_mapping *mapping, const struct dk_yaml *node, int *slot,
                          struct dk_err *err);

/* The parts with a shape of their own; each takes the node that the file has for it, or NULL. */
int dk_mapping_read_worded(struct dk_mapping *mapping, enum dk_worded which,
                           const struct dk_yaml *node, struct dk_err *err);
int dk_mapping_read_final(struct dk_mapping *mapping, const struct dk_yaml *node,
                          struct dk_err *err);
int dk_mapping_read_attributes(struct dk_mapping *mapping, const struct dk_yaml *node,
                               struct dk_err *err);
int dk_mapping_read_activities(struct dk_mapping *mapping, const struct dk_yaml *node,
                               struct dk_err *err);

#endif
