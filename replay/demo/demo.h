/* A lively stream of tickets for a site that has an organization: customers open and answer, agents
 * reply, ask back and resolve what routing gave them, customers rate.
 *
 * It acts as people do, through the broker, and looks at the log to see what is there to do. What
 * is drawn is drawn from one seed, so that two runs want the same; what the site makes of it is its
 * own. */
#ifndef DK_REPLAY_DEMO_DEMO_H
#define DK_REPLAY_DEMO_DEMO_H

#include "proto/base/err.h"
#include "proto/peer/config.h"
#include <stdbool.h>
#include <stdint.h>

struct dk_demo_options {
    double actions_per_s; /* 0.1 .. 1,000 */
    uint64_t actions;     /* then end; 0: until stopped */
    uint64_t seed;
    bool (*stopped)(void *arg); /* asked before each action: true ends */
    void *arg;
};

struct dk_demo_result {
    uint64_t opened, replied, resolved, accepted, refused;
};

/* DK_ENOTFOUND when the log has no products or no agents (apply an organization first); DK_ETIMEOUT
 * when the broker is not there. */
int dk_demo_run(const struct dk_config *config, const struct dk_demo_options *options,
                struct dk_demo_result *result, struct dk_err *err);

#endif
