/* --as of the verbs that read: what an agent sees (DOMAIN R8). */
#ifndef DK_REPLAY_CLI_SEEN_H
#define DK_REPLAY_CLI_SEEN_H

#include "proto/fold/ticket.h"
#include "proto/refs/refs.h"
#include "replay/cli/cli.h"

/* The agent of --as; 0 without one, who sees all. */
int dk_seen_agent(struct dk_cli *cli, uint64_t *agent, struct dk_err *err);

/* DK_ENOTFOUND when reference data defines no such agent now. */
int dk_seen_check(const struct dk_cli *cli, const struct dk_refs *refs, uint64_t agent,
                  struct dk_err *err);

/* Whether the agent sees a ticket: by products or routes as they are now; and what is, or is
 * offered to be, the agent's own. */
bool dk_seen(const struct dk_refs *refs, uint64_t agent, const struct dk_ticket *ticket);

#endif
