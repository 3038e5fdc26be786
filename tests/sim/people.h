/* Those who act on tickets: agents at their desks, and an importer of histories.
 *
 * Both do what comes into their heads, legal or not: what the broker makes of it is told to the
 * ledger. */
#ifndef DK_SIM_PEOPLE_H
#define DK_SIM_PEOPLE_H

#include "tests/sim/offers.h"
#include "tests/sim/organization.h"

struct sim_people {
    struct sim_client client;
    const struct sim_organization *organization;
    struct sim_offers *offers; /* what agents see on offer to them */
    int64_t pause_us;          /* between two actions, about */
    uint64_t imported[8];      /* tickets of histories, which only the importer touches */
    size_t imports;
    bool quiet; /* they go home */
};

/* `role`: DK_ROLE_AGENT or DK_ROLE_IMPORTER. */
void sim_people_init(struct sim_people *people, const char *name, unsigned role,
                     struct sim_organization *organization, struct sim_ledger *ledger,
                     struct sim_offers *offers, struct sim_net *net);

#endif
