/* The verbs about the past. They read the log's folder and nothing else; they write nothing. */
#ifndef DK_REPLAY_CLI_REPLAY_H
#define DK_REPLAY_CLI_REPLAY_H

#include "replay/cli/cli.h"
#include "replay/history/past.h"

int dk_replay_verify_run(struct dk_cli *cli, struct dk_err *err);
int dk_replay_audit_run(struct dk_cli *cli, struct dk_err *err);
int dk_replay_show_run(struct dk_cli *cli, struct dk_err *err);
int dk_replay_sla_explain_run(struct dk_cli *cli, struct dk_err *err);
int dk_replay_kpi_run(struct dk_cli *cli, struct dk_err *err);
int dk_replay_backlog_run(struct dk_cli *cli, struct dk_err *err);
int dk_replay_diff_run(struct dk_cli *cli, struct dk_err *err);
int dk_replay_export_run(struct dk_cli *cli, struct dk_err *err);

/* Reads the verb's TICKET from the log, with progress, and calls `tell` with it, whose code
 * it returns. */
int dk_replay_with_ticket(struct dk_cli *cli,
                          int (*tell)(struct dk_cli *cli, const struct dk_past_ticket *read,
                                      struct dk_err *err),
                          struct dk_err *err);

extern const struct dk_parameter dk_replay_kpi_parameters[], dk_replay_backlog_parameters[],
    dk_replay_export_parameters[];
extern const char dk_replay_kpi_more[], dk_replay_export_more[];

#endif
