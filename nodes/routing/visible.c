#include "nodes/routing/visible.h"

#define LINES_MAX 9 /* of a catalogue's routes */

bool dk_sees_product(const struct dk_refs *refs, const Docket__AgentDefined *agent,
                     uint64_t product, int64_t at_us)
{
    bool sees = agent->n_product == 0;
    for (size_t i = 0; !sees && i < agent->n_product; i++) {
        sees = dk_refs_product_within(refs, product, agent->product[i], at_us);
    }
    return sees;
}

bool dk_works_in(const Docket__AgentDefined *agent, uint64_t group)
{
    for (size_t i = 0; group != 0 && i < agent->n_group; i++) {
        if (agent->group[i] == group) {
            return true;
        }
    }
    return false;
}

bool dk_sees_ticket(const struct dk_refs *refs, const Docket__AgentDefined *agent, uint64_t product,
                    uint64_t group, int64_t at_us)
{
    if (agent->n_product > 0) {
        return dk_sees_product(refs, agent, product, at_us);
    }
    bool sees = dk_works_in(agent, group);
    for (unsigned line = 1; !sees && line <= LINES_MAX; line++) {
        sees = dk_works_in(agent, dk_refs_route(refs, product, line, at_us, NULL));
    }
    return sees;
}
