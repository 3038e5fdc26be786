/* `docket replay kpi --policy FILE --calendar FILE`: the same history judged by other promises. */
#ifndef DK_REPLAY_CLI_WHATIF_H
#define DK_REPLAY_CLI_WHATIF_H

#include "proto/base/buf.h"
#include "replay/cli/cli.h"

#define DK_WHATIF_PARAMETERS                                                                       \
    {"--policy", "FILE", "what if these had been promised: YAML, as apply takes it", NULL, 0, 0},  \
        {"--calendar", "FILE", "what if these hours and holidays had held", NULL, 0, 0},           \
    {                                                                                              \
        "--limit", "NUMBER", "of what-if: how many clocks are listed; 20", NULL, 0, 'n'            \
    }

/* Whether that is asked for. */
bool dk_whatif_asked(const struct dk_cli *cli);
/* DK_EXIT_USAGE for options that do not go together. */
int dk_whatif_check(const struct dk_cli *cli, struct dk_err *err);

/* Appends the report (replay/whatif/whatif.h) as JSON; `argument` as dk_kpi_parse's. */
int dk_whatif_answer(struct dk_cli *cli, const char *const *argument, size_t argument_count,
                     struct dk_buf *json, struct dk_err *err);
/* The same for people. 0 or DK_EINVAL. */
int dk_whatif_print(const struct dk_cli *cli, const struct dk_buf *json, struct dk_err *err);

#endif
