/* A decision recomputed: who was judged, and how (R4: `routing explain`).
 *
 * The state at the decision's basis and the instant at which it was judged give the decision again:
 * the consideration is run up to this ticket, since it may have given other tickets to the same
 * agents before; then every agent of the group is judged, one by one. */
#ifndef DK_ROUTING_EXPLAIN_H
#define DK_ROUTING_EXPLAIN_H

#include "nodes/routing/eligible.h"
#include "nodes/runtime/folder.h"

struct dk_explained_agent {
    struct dk_agent_now now;
    Docket__ExclusionReason reason; /* none: eligible */
};

struct dk_explanation {
    uint64_t ticket, group;
    unsigned relaxation; /* of the ticket, at the basis */
    Docket__Decision decision;
    int64_t judged_us;
    size_t count, eligible;
    struct dk_explained_agent *agent; /* eligible ones first, best first; then the others by id */
    char differs[256];                /* "" : the event says what is computed */
};

/* Whether an event is a decision about agents: Assigned, Offered, Queued, or a substitute's
 * HandoverDeclared, with what it was judged by. */
bool dk_routing_is_explained(const struct dk_envelope *event, const ProtobufCMessage *body);

/* Explains such an event. `folder` is one of the routing role that has folded up to the decision's
 * basis. 0, or DK_EINVAL: it stands elsewhere, or other rules decided. Closed by the caller. */
int dk_routing_explain(struct dk_folder *folder, const struct dk_envelope *event,
                       const ProtobufCMessage *body, struct dk_explanation *explanation,
                       struct dk_err *err);
void dk_explanation_close(struct dk_explanation *explanation);

#endif
