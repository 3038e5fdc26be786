/* The verbs that read, one file each. */
#ifndef DK_REPLAY_CLI_READ_H
#define DK_REPLAY_CLI_READ_H

#include "replay/cli/cli.h"

int dk_show_run(struct dk_cli *cli, struct dk_err *err);
int dk_list_run(struct dk_cli *cli, struct dk_err *err);
int dk_tail_run(struct dk_cli *cli, struct dk_err *err);
int dk_routing_explain_run(struct dk_cli *cli, struct dk_err *err);
int dk_get_run(struct dk_cli *cli, struct dk_err *err);
int dk_status_run(struct dk_cli *cli, struct dk_err *err);
int dk_kpi_verb(struct dk_cli *cli, struct dk_err *err);
int dk_apply_run(struct dk_cli *cli, struct dk_err *err);
int dk_demo_verb(struct dk_cli *cli, struct dk_err *err);
int dk_import_verb(struct dk_cli *cli, struct dk_err *err);
int dk_holidays_run(struct dk_cli *cli, struct dk_err *err);

extern const char dk_kpi_more[]; /* what a report can be made of, for --help */
extern const char dk_import_more[];

extern const struct dk_parameter dk_show_parameters[], dk_list_parameters[],
    dk_routing_explain_parameters[], dk_tail_parameters[], dk_get_parameters[],
    dk_status_parameters[], dk_kpi_parameters[], dk_apply_parameters[], dk_demo_parameters[],
    dk_holidays_parameters[], dk_import_parameters[];

#endif
