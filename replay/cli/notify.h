/* The verbs about notices: what waits, what was given up, and what an operator does about it. */
#ifndef DK_REPLAY_CLI_NOTIFY_H
#define DK_REPLAY_CLI_NOTIFY_H

#include "replay/cli/cli.h"

int dk_notify_list_run(struct dk_cli *cli, struct dk_err *err);
int dk_notify_retry_run(struct dk_cli *cli, struct dk_err *err);
int dk_notify_drop_run(struct dk_cli *cli, struct dk_err *err);

extern const struct dk_parameter dk_notify_list_parameters[], dk_notify_retry_parameters[],
    dk_notify_drop_parameters[];

#endif
