/* Two instants of a question about the past: what had happened by one, as far as the log knew it by
 * the other. Late and imported events lie between them: they had happened, and were not known. */
#ifndef DK_REPLAY_CLI_AS_OF_H
#define DK_REPLAY_CLI_AS_OF_H

#include "replay/cli/cli.h"
#include "replay/history/past.h"

#define DK_AS_OF_PARAMETERS                                                                        \
    {"--at", "TIME", "as it was then, by when things happened", NULL, DK_NEEDED, 0},               \
    {                                                                                              \
        "--known-at", "TIME", "as far as the log knew it then", NULL, 0, 0                         \
    }

struct dk_as_of {
    int64_t at_us;
    int64_t known_at_us; /* INT64_MAX: all that the log has */
    uint64_t position;   /* of the last record that was known; UINT64_MAX: the log's end */
};

/* Reads --at and --known-at, where they are given; without --known-at all is known. 0; DK_EXIT_USAGE, also for an --at
 * that lies behind --known-at; DK_ENOTFOUND when the log begins behind --known-at. */
int dk_as_of_read(const struct dk_cli *cli, struct dk_past *past, struct dk_as_of *as_of,
                  struct dk_err *err);

/* `docket replay queue`: how a group's queue stood. */
int dk_replay_queue_run(struct dk_cli *cli, struct dk_err *err);

#endif
