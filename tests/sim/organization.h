/* The organization of a simulated world, and the operator who defines it.
 *
 * Two groups on line 1 that share an agent, one group on line 2, a catalogue of three products, a
 * calendar without a pause and one that opens or closes while the world runs, shifts on both, one
 * agent on call on each, agents with little capacity, in half of the worlds offers, in most of them
 * steps of R5, promises of seconds, rules that write notices. The operator also
 * defines agents anew now and then, and accepts steps of the broker's clock. */
#ifndef DK_SIM_ORGANIZATION_H
#define DK_SIM_ORGANIZATION_H

#include "tests/sim/broker.h"
#include "tests/sim/client.h"

#define SIM_GROUPS   3
#define SIM_AGENTS   7
#define SIM_PRODUCTS 3

struct sim_organization {
    struct sim_client operator;
    const struct sim_broker *broker; /* to read the step off its clocks, as an operator would */
    uint64_t group[SIM_GROUPS], agent[SIM_AGENTS], product[SIM_PRODUCTS];
    uint64_t calendar, hours;
    int64_t said_step_us; /* when a step was accepted last */
    bool quiet;           /* nothing new is defined any more */
};

/* Everything is sent at once; it is defined when `operator.queued` is 0. */
void sim_organization_init(struct sim_organization *organization, struct sim_ledger *ledger,
                           struct sim_net *net, const struct sim_broker *broker);

/* The broker's clock has stepped: the operator accepts that, at once or when called again. */
void sim_organization_accept_step(void *organization);

#endif
