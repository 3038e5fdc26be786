/* The question before a difference goes to the log. */
#ifndef DK_REPLAY_CLI_CONFIRM_H
#define DK_REPLAY_CLI_CONFIRM_H

#include "replay/cli/cli.h"

/* Asks on stderr, unless --yes is given, and reads stdin: whatever begins with y is a yes. 0;
 * DK_EXIT_INTERRUPTED (and nothing in `err`) when Ctrl-C or SIGTERM came instead of an answer;
 * DK_EINVAL for any other answer, as for none: an end of stdin is a no. */
int dk_cli_confirm(const struct dk_cli *cli, struct dk_err *err);

#endif
