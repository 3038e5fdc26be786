/* The reference data of the whole log, folded for a verb that needs all of it. */
#ifndef DK_REPLAY_CLI_IN_FORCE_H
#define DK_REPLAY_CLI_IN_FORCE_H

#include "proto/refs/refs.h"
#include "replay/cli/cli.h"

/* Reads the log (desk.h, dk_desk_source) and applies every definition. The caller frees the refs;
 * after an error there are none. */
int dk_in_force(struct dk_cli *cli, struct dk_refs **refs, struct dk_err *err);

#endif
