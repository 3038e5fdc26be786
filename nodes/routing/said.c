#include "nodes/routing/said.h"
#include "nodes/routing/decide.h"

void dk_said_fill(struct dk_said *said, const struct dk_choice *choice)
{
    said->candidate_count = choice->count < DK_CANDIDATES_SAID ? choice->count : DK_CANDIDATES_SAID;
    said->agent = choice->count > 0 ? choice->best[0]->id : 0;
    for (size_t i = 0; i < said->candidate_count; i++) {
        docket__candidate__init(&said->candidate[i]);
        said->candidate[i].agent = choice->best[i]->id;
        said->candidate[i].spare_permille = choice->best[i]->spare_permille;
        said->candidate[i].idle_since_us = choice->best[i]->idle_since_us;
        said->candidates[i] = &said->candidate[i];
    }
    said->exclusion_count = 0;
    for (int reason = 1; reason < DK_REASONS; reason++) {
        if (choice->excluded[reason] > 0) {
            Docket__Exclusion *exclusion = &said->exclusion[said->exclusion_count];
            docket__exclusion__init(exclusion);
            exclusion->reason = (Docket__ExclusionReason)reason;
            exclusion->count = choice->excluded[reason];
            said->exclusions[said->exclusion_count++] = exclusion;
        }
    }
}

/* The members that the three bodies share. */
#define SAY(body, said, ask)                                                                       \
    do {                                                                                           \
        (body)->agent = (said)->agent;                                                             \
        (body)->has_weight = 1;                                                                    \
        (body)->weight = (ask)->weight;                                                            \
        (body)->n_candidate = (said)->candidate_count;                                             \
        (body)->candidate = (said)->candidates;                                                    \
        (body)->n_excluded = (said)->exclusion_count;                                              \
        (body)->excluded = (said)->exclusions;                                                     \
        (body)->has_judged_us = 1;                                                                 \
        (body)->judged_us = (ask)->now_us;                                                         \
    } while (0)

bool dk_said_assigned(struct dk_said *said, struct dk_intents *intents, uint64_t ticket,
                      const struct dk_ask *ask)
{
    Docket__Assigned body = DOCKET__ASSIGNED__INIT;
    SAY(&body, said, ask);
    body.has_relaxation = ask->row->relaxation != 0;
    body.relaxation = (Docket__Relaxation)ask->row->relaxation;
    return dk_intents_add(intents, ticket, DK_KIND_ASSIGNED, &body.base, ask->row->cause);
}

bool dk_said_offered(struct dk_said *said, struct dk_intents *intents, uint64_t ticket,
                     const struct dk_ask *ask, int64_t timeout_us)
{
    Docket__Offered body = DOCKET__OFFERED__INIT;
    SAY(&body, said, ask);
    body.expires_us =
        timeout_us < DK_TIME_MAX_US - ask->now_us ? ask->now_us + timeout_us : DK_TIME_MAX_US;
    body.has_relaxation = ask->row->relaxation != 0;
    body.relaxation = (Docket__Relaxation)ask->row->relaxation;
    return dk_intents_add(intents, ticket, DK_KIND_OFFERED, &body.base, ask->row->cause);
}

bool dk_said_handover(struct dk_said *said, struct dk_intents *intents, uint64_t ticket,
                      const struct dk_ask *ask)
{
    Docket__HandoverDeclared body = DOCKET__HANDOVER_DECLARED__INIT;
    SAY(&body, said, ask);
    body.term = DOCKET__HANDOVER_TERM__HANDOVER_TEMPORARY;
    body.reason = DOCKET__HANDOVER_REASON__HANDOVER_ABSENT;
    body.has_from_agent = 1;
    body.from_agent = ask->owner;
    return dk_intents_add(intents, ticket, DK_KIND_HANDOVER_DECLARED, &body.base, ask->row->cause);
}

bool dk_routing_add_queued(struct dk_intents *intents, uint64_t ticket, const struct dk_ask *ask,
                           unsigned step, uint64_t cause, const struct dk_choice *choice)
{
    Docket__Queued body = DOCKET__QUEUED__INIT;
    struct dk_said said;
    dk_said_fill(&said, choice);
    body.group = ask->group;
    body.n_excluded = said.exclusion_count;
    body.excluded = said.exclusions;
    body.has_relaxation = step != DOCKET__RELAXATION__RELAX_NONE;
    body.relaxation = (Docket__Relaxation)step;
    body.has_judged_us = 1;
    body.judged_us = ask->now_us;
    return dk_intents_add(intents, ticket, DK_KIND_QUEUED, &body.base, cause);
}
