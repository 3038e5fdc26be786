/* What an event says of a choice, bounded: the choice and the next seven with their keys, and how
 * many were passed over for which reason (R4). */
#ifndef DK_ROUTING_SAID_H
#define DK_ROUTING_SAID_H

#include "nodes/routing/eligible.h"

struct dk_said {
    Docket__Candidate candidate[DK_CANDIDATES_SAID], *candidates[DK_CANDIDATES_SAID];
    Docket__Exclusion exclusion[DK_REASONS], *exclusions[DK_REASONS];
    size_t candidate_count, exclusion_count;
    uint64_t agent; /* the choice, or 0 */
};

/* Points into itself: not to be copied. */
void dk_said_fill(struct dk_said *said, const struct dk_choice *choice);

/* Each adds the event by which the choice gets the ticket; false when the intents are full. */
bool dk_said_assigned(struct dk_said *said, struct dk_intents *intents, uint64_t ticket,
                      const struct dk_ask *ask);
bool dk_said_offered(struct dk_said *said, struct dk_intents *intents, uint64_t ticket,
                     const struct dk_ask *ask, int64_t timeout_us);
bool dk_said_handover(struct dk_said *said, struct dk_intents *intents, uint64_t ticket,
                      const struct dk_ask *ask);

#endif
