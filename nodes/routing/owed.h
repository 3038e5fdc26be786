/* What a ticket by itself is owed, in its parts: for owed.c, and for those who explain it. */
#ifndef DK_ROUTING_OWED_H
#define DK_ROUTING_OWED_H

#include "nodes/routing/eligible.h"

/* R5: the group that a step leads to, or 0. */
uint64_t dk_routing_group_of_step(const struct dk_routing *self,
                                  const struct dk_routing_ticket *row, unsigned step,
                                  int64_t now_us);

/* R5: whether a step would reach somebody who is at work, and who has not been reached. What it
 * asks goes with what the steps before it ask; of a group on the way those on call count, since
 * they are asked there next. `*again_us` is lowered to when that may change by itself. */
bool dk_routing_step_adds(struct dk_routing *self, const struct dk_routing_ticket *row,
                          const struct dk_ask *before, unsigned step, int64_t *again_us);

/* R7: when the agent's next shift after `from` begins, or an instant before it at which to ask
 * again; INT64_MAX: none is known. */
int64_t dk_routing_next_shift_us(struct dk_refs *refs, uint64_t agent, int64_t from_us);

/* Whether a customer came before about the same, by one of the earlier tickets. */
enum dk_contact {
    DK_CONTACT_SAME,
    DK_CONTACT_ITSELF,
    DK_CONTACT_LATER,
    DK_CONTACT_LONG_AGO,
    DK_CONTACT_OTHER,
};
enum dk_contact dk_routing_judge_contact(const struct dk_routing *self, uint64_t ticket,
                                         const struct dk_ticket *life,
                                         const struct dk_routing_contact *contact, int64_t at_us);

#endif
