/* One world: broker, nodes, people, what goes wrong, and the rules; from a seed to a verdict. */
#ifndef DK_SIM_WORLD_H
#define DK_SIM_WORLD_H

#include "tests/sim/node.h"
#include "tests/sim/people.h"

#define SIM_PEOPLE 4 /* the last one is the importer */

struct sim_world {
    struct sim_scene scene;
    struct sim_net net;
    struct sim_broker broker;
    struct sim_ledger ledger;
    struct sim_checker checker;
    struct sim_organization organization;
    struct sim_people people[SIM_PEOPLE];
    struct sim_node node[SIM_ROLES];
    bool faulty; /* things go wrong still */
};

struct sim_result {
    uint64_t trace_hash;
    uint64_t position;
    size_t actions, decisions;
    unsigned crashes, kills;
    size_t offers, declined, steps; /* of R5 */
    bool violated;
    char violation[1024];
};

/* Lives one world through. On a violation, and with `print`, the trace's end goes to stderr. */
void sim_world_run(uint64_t seed, bool verbose, bool print, struct sim_result *result);

/* Puts down what will go wrong in this world (faults.c), until `faulty` ends. */
void sim_faults_plan(struct sim_world *world);
/* Everything works again. */
void sim_faults_end(struct sim_world *world);

#endif
