/* Questions to a live node, over its query socket; and the same to the log. */
#ifndef DK_REPLAY_CLI_QUERY_H
#define DK_REPLAY_CLI_QUERY_H

#include "nodes/runtime/role.h"
#include "proto/base/buf.h"
#include "replay/cli/cli.h"

/* Asks the node of `role`; its answer, one JSON value, is appended to `json`, and `*position` (may
 * be NULL) is what it had folded. The node is known by the key that keys/allowed.yaml has for its
 * role. DK_ETIMEOUT when it does not answer, DK_EXIT_USAGE when it does not understand an argument,
 * or the error that it states. */
int dk_query(struct dk_cli *cli, const char *role, const char *name, const char *const *argument,
             size_t argument_count, struct dk_buf *json, uint64_t *position, struct dk_err *err);

/* Asks a role that is folded from the log's folder, up to --position, or what was
 * known by --known-at (as_of.h), where that is given: the
 * same bytes as a live node's that has folded as far. */
int dk_query_log(struct dk_cli *cli, const struct dk_role_ops *role, const char *name,
                 const char *const *argument, size_t argument_count, struct dk_buf *json,
                 struct dk_err *err);

#endif
