#include "replay/cli/seen.h"
#include "nodes/routing/visible.h"
#include "proto/base/time.h"
#include "replay/cli/desk.h"

int dk_seen_agent(struct dk_cli *cli, uint64_t *agent, struct dk_err *err)
{
    const char *key = dk_cli_given(cli, "--as");
    *agent = 0;
    return key != NULL ? dk_desk_entity(cli, DK_SUBJECT_AGENT, key, agent, err) : 0;
}

int dk_seen_check(const struct dk_cli *cli, const struct dk_refs *refs, uint64_t agent,
                  struct dk_err *err)
{
    return agent == 0 || dk_refs_agent(refs, agent, dk_clock_wall_us()) != NULL
               ? 0
               : dk_err_set(err, DK_ENOTFOUND, "no agent \"%s\" is defined",
                            dk_cli_given(cli, "--as"));
}

bool dk_seen(const struct dk_refs *refs, uint64_t agent, const struct dk_ticket *ticket)
{
    int64_t now_us = dk_clock_wall_us();
    const Docket__AgentDefined *defined = dk_refs_agent(refs, agent, now_us);
    return agent == 0 || ticket->owner == agent || ticket->offered == agent ||
           ticket->speaker == agent ||
           (defined != NULL &&
            dk_sees_ticket(refs, defined, ticket->product, ticket->group, now_us));
}
