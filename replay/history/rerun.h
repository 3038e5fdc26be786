/* Replays a node's role from the log, to compare it with what the live node has. */
#ifndef DK_REPLAY_HISTORY_RERUN_H
#define DK_REPLAY_HISTORY_RERUN_H

#include "broker/log/log.h"
#include "nodes/runtime/folder.h"

/* Folds the role over the log up to `position` (UINT64_MAX: the log's end), from where `*folder`
 * stands, or from 1 when it is NULL; `on_progress` as dk_scan's. The caller frees the folder, which
 * is NULL after an error. DK_ENOTFOUND when the log ends before `position`. */
int dk_rerun(struct dk_folder **folder, const struct dk_role_ops *role,
             struct dk_log_reader *reader, uint64_t position,
             int (*on_progress)(void *arg, uint64_t position), void *arg, struct dk_err *err);

/* The same, of what had happened by `at_us`: what occurred later is passed over. */
int dk_rerun_as_of(struct dk_folder **folder, const struct dk_role_ops *role,
                   struct dk_log_reader *reader, uint64_t position, int64_t at_us,
                   int (*on_progress)(void *arg, uint64_t position), void *arg, struct dk_err *err);

#endif
