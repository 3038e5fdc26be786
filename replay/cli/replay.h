/* The verbs about the past. They read the log's folder and nothing else; they write nothing. */
#ifndef DK_REPLAY_CLI_REPLAY_H
#define DK_REPLAY_CLI_REPLAY_H

#include "replay/cli/cli.h"

int dk_replay_verify_run(struct dk_cli *cli, struct dk_err *err);
int dk_replay_audit_run(struct dk_cli *cli, struct dk_err *err);
int dk_replay_show_run(struct dk_cli *cli, struct dk_err *err);
int dk_replay_sla_explain_run(struct dk_cli *cli, struct dk_err *err);
int dk_replay_kpi_run(struct dk_cli *cli, struct dk_err *err);
int dk_replay_diff_run(struct dk_cli *cli, struct dk_err *err);

extern const struct dk_parameter dk_replay_kpi_parameters[];

#endif
