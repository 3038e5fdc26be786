/* The verbs about agents and groups (nodes/analytics/staff.h): asked of the live node, or folded
 * from the log. */
#ifndef DK_REPLAY_CLI_STAFF_H
#define DK_REPLAY_CLI_STAFF_H

#include "replay/cli/cli.h"

int dk_staff_run(struct dk_cli *cli, struct dk_err *err);
int dk_replay_staff_run(struct dk_cli *cli, struct dk_err *err);

/* A report is known by the last word of its verb. */
extern const struct dk_parameter dk_load_parameters[], dk_replay_load_parameters[],
    dk_coverage_parameters[], dk_replay_coverage_parameters[], dk_index_parameters[],
    dk_replay_index_parameters[];
extern const char dk_load_more[], dk_coverage_more[], dk_index_more[];

#endif
