#include "replay/demo/demo.h"
#include "proto/base/time.h"
#include "replay/cli/read.h"
#include "replay/cli/watch.h"
#include <inttypes.h>

#define RATE_USUAL 5

const struct dk_parameter dk_demo_parameters[] = {
    {"--rate", "NUMBER", "actions a second (5)", NULL, 0, 0},
    {"--actions", "NUMBER", "end after so many (until Ctrl-C)", NULL, 0, 0},
    {"--seed", "NUMBER", "draw from this seed (the time)", NULL, 0, 0},
    DK_PARAMETERS_END,
};

static bool stopped(void *watch)
{
    return dk_watch_interrupted(watch);
}

int dk_demo_verb(struct dk_cli *cli, struct dk_err *err)
{
    uint64_t rate = RATE_USUAL, actions = 0, seed = (uint64_t)dk_clock_wall_us();
    struct dk_demo_result result = {0};
    struct dk_watch watch;
    int rc = dk_cli_number(cli, "--rate", 1000, &rate, err);
    rc = rc != 0 ? rc : dk_cli_number(cli, "--actions", UINT64_MAX, &actions, err);
    rc = rc != 0 ? rc : dk_cli_number(cli, "--seed", UINT64_MAX, &seed, err);
    if (rc != 0) {
        return rc;
    }
    if (rate == 0) {
        return dk_cli_usage(err, "--rate is at least 1");
    }
    dk_watch_open(&watch, "demo", actions);
    struct dk_demo_options options = {.actions_per_s = (double)rate,
                                      .actions = actions,
                                      .seed = seed,
                                      .stopped = stopped,
                                      .arg = &watch};
    rc = dk_demo_run(&cli->config, &options, &result, err);
    dk_watch_close(&watch);
    (void)fprintf(cli->out,
                  cli->json ? "{\"opened\":%" PRIu64 ",\"replied\":%" PRIu64
                              ",\"resolved\":%" PRIu64 ",\"accepted\":%" PRIu64
                              ",\"refused\":%" PRIu64 "}\n"
                            : "opened %" PRIu64 ", replied %" PRIu64 ", resolved %" PRIu64
                              "; accepted %" PRIu64 ", refused %" PRIu64 "\n",
                  result.opened, result.replied, result.resolved, result.accepted, result.refused);
    return rc;
}
