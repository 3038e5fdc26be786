#include "nodes/routing/explain.h"
#include "nodes/routing/decide.h"
#include "nodes/routing/pool.h"
#include "nodes/routing/said.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the event says, whatever its kind. */
struct recorded {
    const Docket__Decision *decision;
    uint64_t agent; /* 0: nobody */
    int64_t judged_us;
    bool has_judged;
    unsigned relaxation;
    size_t candidate_count, exclusion_count;
    Docket__Candidate *const *candidate;
    Docket__Exclusion *const *exclusion;
};

#define READ(body)                                                                                 \
    do {                                                                                           \
        recorded->decision = (body)->decision;                                                     \
        recorded->has_judged = (body)->has_judged_us;                                              \
        recorded->judged_us = (body)->judged_us;                                                   \
        recorded->exclusion_count = (body)->n_excluded;                                            \
        recorded->exclusion = (body)->excluded;                                                    \
    } while (0)
#define READ_CHOICE(body)                                                                          \
    do {                                                                                           \
        recorded->agent = (body)->agent;                                                           \
        recorded->candidate_count = (body)->n_candidate;                                           \
        recorded->candidate = (body)->candidate;                                                   \
    } while (0)

static bool read_recorded(const struct dk_envelope *event, const void *body,
                          struct recorded *recorded)
{
    *recorded = (struct recorded){0};
    if (body == NULL) {
        return false;
    }
    switch (event->kind) {
    case DK_KIND_ASSIGNED:
        READ((const Docket__Assigned *)body);
        READ_CHOICE((const Docket__Assigned *)body);
        break;
    case DK_KIND_OFFERED:
        READ((const Docket__Offered *)body);
        READ_CHOICE((const Docket__Offered *)body);
        break;
    case DK_KIND_HANDOVER_DECLARED:
        READ((const Docket__HandoverDeclared *)body);
        READ_CHOICE((const Docket__HandoverDeclared *)body);
        break;
    case DK_KIND_QUEUED:
        READ((const Docket__Queued *)body);
        recorded->relaxation = (unsigned)((const Docket__Queued *)body)->relaxation;
        break;
    default: return false;
    }
    return recorded->decision != NULL && recorded->has_judged;
}

bool dk_routing_is_explained(const struct dk_envelope *event, const ProtobufCMessage *body)
{
    struct recorded recorded;
    return read_recorded(event, body, &recorded) || dk_routing_own_decision(event, body) != NULL;
}

/* ---------------------------------------------------------------- computing */

/* Brings the ticket's pool to where it is the ticket's turn. */
static bool reach(struct dk_routing *self, const struct dk_envelope *event,
                  const struct recorded *recorded, const struct dk_routing_ticket *row)
{
    struct dk_intents intents;
    int64_t again_us = INT64_MAX;
    bool stopped = false;
    dk_intents_init(&intents, DK_ROLE_ROUTING, recorded->decision->rule_version);
    dk_intents_clear(&intents, recorded->decision->basis);
    dk_routing_consider_pool(self, dk_routing_group(self, row->queue)->pool, recorded->judged_us,
                             &intents, &again_us, event->subject, &stopped);
    dk_intents_close(&intents);
    return stopped;
}

static int by_choice(const void *a, const void *b)
{
    const struct dk_explained_agent *x = a, *y = b;
    if ((x->reason == 0) != (y->reason == 0)) {
        return x->reason == 0 ? -1 : 1;
    }
    if (x->reason != 0) {
        return (x->now.id > y->now.id) - (x->now.id < y->now.id);
    }
    return dk_agent_before(&x->now, &y->now) ? -1 : dk_agent_before(&y->now, &x->now);
}

/* Who speaks with the customer comes first of those who are eligible. */
static void put_first(struct dk_explanation *explanation, uint64_t agent)
{
    for (size_t i = 0; i < explanation->eligible; i++) {
        struct dk_explained_agent found = explanation->agent[i];
        if (found.now.id == agent) {
            memmove(explanation->agent + 1, explanation->agent, i * sizeof found);
            explanation->agent[0] = found;
        }
    }
}

static void judge_all(const struct dk_routing *self, const struct dk_pool *pool,
                      const struct dk_ask *ask, struct dk_explanation *explanation)
{
    explanation->agent = calloc(pool->agent_count + 1, sizeof *explanation->agent);
    DK_ASSERT(explanation->agent != NULL);
    for (size_t i = 0; i < pool->agent_count; i++) {
        const struct dk_agent_now *agent = &pool->agent[i].now;
        if (dk_agent_is_in(agent, ask->group)) {
            Docket__ExclusionReason reason = dk_judge(self, agent, ask);
            explanation->agent[explanation->count++] = (struct dk_explained_agent){*agent, reason};
            explanation->eligible += reason == DOCKET__EXCLUSION_REASON__EXCLUDED_NONE;
        }
    }
    if (explanation->count > 0) {
        qsort(explanation->agent, explanation->count, sizeof *explanation->agent, by_choice);
    }
    put_first(explanation, ask->speaker);
}

/* ---------------------------------------------------------------- comparing */

static bool same_candidate(const Docket__Candidate *a, const Docket__Candidate *b)
{
    return a->agent == b->agent && a->spare_permille == b->spare_permille &&
           a->idle_since_us == b->idle_since_us;
}

static void compare_counts(const struct recorded *recorded, const struct dk_said *said,
                           struct dk_explanation *explanation)
{
    bool same = recorded->exclusion_count == said->exclusion_count;
    for (size_t i = 0; same && i < said->exclusion_count; i++) {
        same = recorded->exclusion[i]->reason == said->exclusion[i].reason &&
               recorded->exclusion[i]->count == said->exclusion[i].count;
    }
    if (!same) {
        (void)snprintf(explanation->differs, sizeof explanation->differs,
                       "the event counts other agents as passed over than the rules do");
    }
}

static void compare(const struct recorded *recorded, const struct dk_said *said,
                    struct dk_explanation *explanation)
{
    char event[DK_ID_TEXT_BYTES], rules[DK_ID_TEXT_BYTES];
    if (recorded->agent != said->agent) {
        (void)snprintf(explanation->differs, sizeof explanation->differs,
                       "the event chose %s, the rules choose %s",
                       recorded->agent != 0 ? dk_id_format(recorded->agent, event) : "nobody",
                       said->agent != 0 ? dk_id_format(said->agent, rules) : "nobody");
        return;
    }
    if (recorded->candidate_count != said->candidate_count) {
        (void)snprintf(explanation->differs, sizeof explanation->differs,
                       "the event names %zu candidates, the rules %zu", recorded->candidate_count,
                       said->candidate_count);
        return;
    }
    for (size_t i = 0; i < said->candidate_count; i++) {
        if (!same_candidate(recorded->candidate[i], &said->candidate[i])) {
            (void)snprintf(explanation->differs, sizeof explanation->differs,
                           "candidate %zu is %s in the event, %s by the rules, or has other keys",
                           i + 1, dk_id_format(recorded->candidate[i]->agent, event),
                           dk_id_format(said->candidate[i].agent, rules));
            return;
        }
    }
    compare_counts(recorded, said, explanation);
}

static int refuse(const struct dk_folder *folder, const struct recorded *recorded,
                  struct dk_err *err)
{
    if (recorded->decision->rule_version != dk_folder_ops(folder)->rule_version) {
        return dk_err_set(err, DK_EINVAL,
                          "rules of version %u decided this, and these are of version %u: explain "
                          "it with a docket of that time",
                          recorded->decision->rule_version, dk_folder_ops(folder)->rule_version);
    }
    if (dk_folder_position(folder) != recorded->decision->basis) {
        return dk_err_set(err, DK_EINVAL, "decided at position %" PRIu64 ", not at %" PRIu64,
                          recorded->decision->basis, dk_folder_position(folder));
    }
    return 0;
}

/* Whom the ticket was for, and who else was there. */
static void explain_choice(struct dk_routing *self, const struct dk_envelope *event,
                           const ProtobufCMessage *body, const struct recorded *recorded,
                           const struct dk_routing_ticket *row, struct dk_explanation *explanation)
{
    struct dk_terms terms;
    struct dk_ask ask;
    struct dk_choice choice;
    struct dk_said said;
    int64_t again_us;
    bool by_step = event->kind == DK_KIND_QUEUED && recorded->relaxation > row->relaxation;
    struct dk_pool *pool = dk_routing_group(self, row->queue)->pool;
    if (event->kind == DK_KIND_QUEUED) {
        dk_routing_explain_steps(self, explanation);
    }
    if (by_step) { /* the ticket's own: it takes nobody's turn */
        if (!dk_routing_owes_same(self, event, body, recorded->judged_us, &again_us, explanation)) {
            return;
        }
        dk_pool_at(self, pool, recorded->judged_us);
    }
    bool reached = by_step || reach(self, event, recorded, row);
    dk_terms_at(self, recorded->judged_us, &terms);
    dk_ask_of(self, event->subject, &terms, recorded->judged_us, &ask);
    judge_all(self, pool, &ask, explanation);
    dk_choose(self, pool, &ask, &choice);
    dk_said_fill(&said, &choice);
    compare(recorded, &said, explanation);
    if (!reached && explanation->differs[0] == '\0') {
        (void)snprintf(explanation->differs, sizeof explanation->differs,
                       "by the rules it was not the ticket's turn");
    }
}

int dk_routing_explain(struct dk_folder *folder, const struct dk_envelope *event,
                       const ProtobufCMessage *body, struct dk_explanation *explanation,
                       struct dk_err *err)
{
    struct dk_routing *self = dk_folder_self(folder);
    struct recorded recorded;
    *explanation = (struct dk_explanation){.ticket = event->subject};
    bool chooses = read_recorded(event, body, &recorded);
    if (!chooses) {
        recorded.decision = dk_routing_own_decision(event, body);
        recorded.judged_us = event->recorded_us;
    }
    if (recorded.decision == NULL) {
        return dk_err_set(err, DK_EINVAL, "the event is no decision of routing's");
    }
    int rc = refuse(folder, &recorded, err);
    if (rc != 0) {
        return rc;
    }
    explanation->decision = *recorded.decision;
    explanation->judged_us = recorded.judged_us;
    const struct dk_routing_ticket *row = dk_table_get(self->tickets, event->subject, NULL);
    if (row == NULL || (chooses && row->queue == 0)) {
        (void)snprintf(explanation->differs, sizeof explanation->differs,
                       "the ticket did not wait in any group's queue");
        return 0;
    }
    dk_routing_refresh(self);
    explanation->group = row->queue;
    explanation->relaxation = row->relaxation;
    if (chooses) {
        explain_choice(self, event, body, &recorded, row, explanation);
    } else {
        dk_routing_explain_own(self, event, body, explanation);
    }
    return 0;
}

void dk_explanation_close(struct dk_explanation *explanation)
{
    free(explanation->agent);
    explanation->agent = NULL;
}
