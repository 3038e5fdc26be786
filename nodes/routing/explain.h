/* A decision recomputed: who was judged, what was looked at, and how (R4: `routing explain`).
 *
 * The state at the decision's basis and the instant at which it was judged give the decision again.
 * A choice of an agent: the consideration is run up to this ticket, since it may have given other
 * tickets to the same agents before; then every agent of the group is judged, one by one. What the
 * ticket by itself was owed (a route, a step of R5, the end of an offer, a return, a repeat
 * contact) is owed again at that instant, byte for byte. */
#ifndef DK_ROUTING_EXPLAIN_H
#define DK_ROUTING_EXPLAIN_H

#include "nodes/routing/eligible.h"
#include "nodes/runtime/folder.h"

struct dk_explained_agent {
    struct dk_agent_now now;
    Docket__ExclusionReason reason; /* none: eligible */
};

/* What was looked at on the way: a node of the catalogue, a step of R5, an earlier ticket, ... */
struct dk_explained_point {
    uint64_t about;  /* a product, agent or ticket; 0: see `step` and `why` */
    unsigned step;   /* of R5, or none */
    uint64_t group;  /* that it leads to, or 0 */
    const char *why; /* a phrase; static */
    int64_t at_us;   /* 0: no instant of its own */
};

#define DK_EXPLAINED_POINTS 72 /* the catalogue's levels, and some */

struct dk_explanation {
    uint64_t ticket, group;
    unsigned relaxation; /* of the ticket, at the basis */
    Docket__Decision decision;
    int64_t judged_us;
    size_t count, eligible;
    struct dk_explained_agent *agent; /* eligible ones first, best first; then the others by id */
    size_t point_count;
    struct dk_explained_point point[DK_EXPLAINED_POINTS];
    char differs[256]; /* "" : the event says what is computed */
};

/* Whether an event is a decision of routing's: Assigned, Offered, Queued and a substitute's
 * HandoverDeclared with the instant that they were judged at; Routed, OfferDeclined, a return's
 * HandoverDeclared and RepeatNoted, which were judged between their basis and their record. */
bool dk_routing_is_explained(const struct dk_envelope *event, const ProtobufCMessage *body);

/* Explains such an event. `folder` is one of the routing role that has folded up to the decision's
 * basis. 0, or DK_EINVAL: it stands elsewhere, or other rules decided. Closed by the caller. */
int dk_routing_explain(struct dk_folder *folder, const struct dk_envelope *event,
                       const ProtobufCMessage *body, struct dk_explanation *explanation,
                       struct dk_err *err);
void dk_explanation_close(struct dk_explanation *explanation);

/* explain_own.c: the decision of a kind that is no choice of an agent, or NULL. */
const Docket__Decision *dk_routing_own_decision(const struct dk_envelope *event,
                                                const ProtobufCMessage *body);
/* Explains it; fills the points and, if need be, `differs`. */
void dk_routing_explain_own(struct dk_routing *self, const struct dk_envelope *event,
                            const ProtobufCMessage *body, struct dk_explanation *explanation);
/* The steps of R5 as they are at the explanation's instant. */
void dk_routing_explain_steps(struct dk_routing *self, struct dk_explanation *explanation);
/* Whether the ticket by itself owes this event at an instant; else `differs` says what instead.
 * `*again_us`: when it may owe something else. */
bool dk_routing_owes_same(struct dk_routing *self, const struct dk_envelope *event,
                          const ProtobufCMessage *body, int64_t at_us, int64_t *again_us,
                          struct dk_explanation *explanation);

#endif
