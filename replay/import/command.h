/* `docket import`: arguments, help, and the summary at the end. */
#ifndef DK_IMPORT_COMMAND_H
#define DK_IMPORT_COMMAND_H

#include "proto/peer/config.h"

/* argv[0] is "import". Returns the exit code: 0 all rows are in; 1 it failed, or some rows are not;
 * 64 the command line is not understood; 69 the broker does not answer; 130 interrupted, in order:
 * another run goes on. `config` is not looked at in a dry run. */
int dk_import_main(int argc, char **argv, const struct dk_config *config);

#endif
