/* What is measured, and what a ticket contributes to it.
 *
 * Ending event: the step whose values (as-was) and instant a sample belongs to. A ticket has ended
 * when it is solved or closed now; its end is the last time it stopped being live. What is not
 * known is left out and counted; shares of tickets whose outcome is not ripe are "immature". */
#ifndef DK_ANALYTICS_MEASURES_H
#define DK_ANALYTICS_MEASURES_H

#include "nodes/analytics/facts.h"
#include "nodes/analytics/stretches.h"
#include "proto/refs/refs.h"
#include <stdbool.h>

/* NAME, word, shape, what it is in one line */
#define DK_MEASURES(X)                                                                             \
    X(OPENED, "opened", COUNT, "tickets opened")                                                   \
    X(SOLVED, "solved", COUNT, "times a ticket became solved")                                     \
    X(CLOSED, "closed", COUNT, "times a ticket became closed")                                     \
    X(REOPENED, "reopened", COUNT, "times a solved or closed ticket became live again")            \
    X(REASSIGNED, "reassigned", COUNT, "times a ticket went to another group")                     \
    X(ASSIGNED, "assigned", COUNT, "times an agent got a ticket")                                  \
    X(ESCALATED, "escalated", COUNT, "escalations")                                                \
    X(MERGED, "merged", COUNT, "tickets merged into another")                                      \
    X(FIRST_RESPONSE, "first-response", DURATION,                                                  \
      "opened to the first message or note of anyone but the customer")                            \
    X(FIRST_PUBLIC, "first-public-reply", DURATION,                                                \
      "opened to the first outbound message, automatic ones too")                                  \
    X(FIRST_REPLY, "first-reply", DURATION,                                                        \
      "opened (an agent's own: asked) to the first public reply by a human")                       \
    X(FIRST_OWNER_REPLY, "first-owner-reply", DURATION,                                            \
      "opened to the first public reply by the agent who had the ticket then")                     \
    X(NEXT_REPLY, "next-reply", DURATION,                                                          \
      "the oldest unanswered message after the first reply to the next reply by a human, each")    \
    X(UPDATE, "update", DURATION,                                                                  \
      "a reply by a human to the next one or the end, pending left out, each")                     \
    X(REQUESTER_WAIT, "requester-wait", DURATION,                                                  \
      "in new, open and pending for all but the customer, of tickets that have ended")             \
    X(AGENT_WORK, "agent-work", DURATION, "in new and open, of tickets that have ended")           \
    X(GROUP_OWNERSHIP, "group-ownership", DURATION,                                                \
      "coming to a group, or live again, to leaving it or the end, each; of that group")           \
    X(SUPPLIER_HOLD, "supplier-hold", DURATION,                                                    \
      "handed to a supplier to returned, each; of that supplier")                                  \
    X(FIRST_RESOLUTION, "first-resolution", DURATION, "opened to the first solve")                 \
    X(RESOLUTION, "resolution", DURATION, "opened to the last solve, of tickets that have ended")  \
    X(NET_RESOLUTION, "net-resolution", DURATION,                                                  \
      "the same less the pauses that its policy names and the time it was over")                   \
    X(CLOSURE, "closure", DURATION, "opened to the last closing, of closed tickets")               \
    X(LOGGED, "logged", DURATION,                                                                  \
      "working time, an entry each; of a merged ticket it is the other one's (S10)")               \
    X(REOPENS, "reopens", NUMBER, "reopenings a ticket, of tickets that have ended")               \
    X(REASSIGNMENTS, "reassignments", NUMBER, "changes of group a ticket that has ended")          \
    X(ASSIGNMENTS, "assignments", NUMBER, "times an agent got it, a ticket that has ended")        \
    X(HANDOVERS, "handovers", NUMBER, "assignments after the first, a ticket that has ended")      \
    X(ESCALATIONS, "escalations", NUMBER, "escalations a ticket that has ended")                   \
    X(IRREGULAR, "irregular", NUMBER,                                                              \
      "imported events against the rules, a ticket that has ended")                                \
    X(REOPEN_RATE, "reopen-rate", SHARE, "reopened since / ended (at the first end)")              \
    X(FIRST_CONTACT, "first-contact", SHARE,                                                       \
      "one public reply, no reopening, no repeat contact / solved (at the first end)")             \
    X(FIRST_LINE, "first-line", SHARE, "never left line 1 / ended")                                \
    X(ESCALATION_RATE, "escalation-rate", SHARE, "ever escalated / ended")                         \
    X(PASS_THROUGH, "pass-through", SHARE,                                                         \
      "forwarded without a note or reply since it came / forwarded by a group")                    \
    X(FIX_REOPENED, "fix-reopened", SHARE,                                                         \
      "reopened since / returned as fixed by a supplier (at the return)")                          \
    X(RESPONSE_RATE, "response-rate", SHARE, "rated / ended")                                      \
    X(CSAT, "csat", SHARE, "ratings of 4 and 5 / ratings, each ticket's last")                     \
    X(NPS, "nps", SCORE, "% of answers 9-10 less % of 0-6")                                        \
    X(SLA_FIRST_REPLY, "sla-first-reply", SHARE, "met / (met + breached)")                         \
    X(SLA_NEXT_REPLY, "sla-next-reply", SHARE, "met / (met + breached)")                           \
    X(SLA_UPDATE, "sla-update", SHARE, "met / (met + breached)")                                   \
    X(SLA_REQUESTER_WAIT, "sla-requester-wait", SHARE, "met / (met + breached)")                   \
    X(SLA_AGENT_WORK, "sla-agent-work", SHARE, "met / (met + breached)")                           \
    X(SLA_RESOLUTION, "sla-resolution", SHARE, "met / (met + breached)")                           \
    X(SLA_GROUP_OWNERSHIP, "sla-group-ownership", SHARE, "met / (met + breached)")                 \
    X(SLA_SUPPLIER, "sla-supplier", SHARE, "met / (met + breached)")                               \
    X(BACKLOG, "backlog", DURATION, "age of the tickets that were live at the instant")            \
    X(BACKLOG_UNTIL_SOLVED, "backlog-until-solved", DURATION,                                      \
      "age of those opened by then whose last solve (else closing) came later or not yet")         \
    X(BACKLOG_UNTIL_CLOSED, "backlog-until-closed", DURATION,                                      \
      "age of those opened by then whose last closing came later or not yet")

enum dk_measure {
#define X(NAME, word, shape, about) DK_MEASURE_##NAME,
    DK_MEASURES(X)
#undef X
        DK_MEASURE_COUNT
};

enum dk_shape {
    DK_SHAPE_COUNT,    /* n */
    DK_SHAPE_DURATION, /* us, wall or business: n, unknown, mean, quantiles, min, max, sum */
    DK_SHAPE_NUMBER,   /* the same, of a plain number */
    DK_SHAPE_SHARE,    /* n, hits, percent, unknown, immature, cancelled */
    DK_SHAPE_SCORE,    /* n, promoters, detractors, score */
};

struct dk_measure_info {
    const char *word;
    enum dk_shape shape;
    const char *about;
};
const struct dk_measure_info *dk_measure_info(enum dk_measure measure);

/* A share's or score's value is 1 (hit, promoter), 0 or -1 (detractor). */
enum dk_sample_note { DK_SAMPLE_VALUE, DK_SAMPLE_UNKNOWN, DK_SAMPLE_IMMATURE, DK_SAMPLE_CANCELLED };

/* A ticket, walked once; what several measures ask of it. NULL: there is none. */
struct dk_case {
    uint64_t ticket;
    const struct dk_ticket *life;
    const struct dk_facts *facts;
    size_t steps;
    const struct dk_step *first_end, *last_end; /* last_end: NULL unless it has ended */
    const struct dk_step *first_solve, *last_solve, *last_close, *merge;
    const struct dk_step *first[DK_FIRST_COUNT];
    unsigned reopens, reassignments, assignments, escalations;
    unsigned lines; /* bit n: it was on line n (above 31: 31) */
    bool rated;
};
void dk_case_walk(struct dk_case *walked, uint64_t ticket, const struct dk_ticket *life,
                  const struct dk_facts *facts, size_t steps);

/* What measuring rests on beside the ticket. */
struct dk_measuring {
    struct dk_time_rule rule; /* now_us also says what is ripe, as_now which settings hold: now's,
                                 or those of the ending event */
    const struct dk_table *facts, *tickets; /* of all tickets: for those that went into others */
    int64_t at_us;                          /* of backlogs */
    void (*on_sample)(void *arg, const struct dk_case *walked, enum dk_measure measure,
                      const struct dk_step *step, int64_t at_us, int64_t value,
                      enum dk_sample_note note);
    void *arg;
};
void dk_measure_case(const struct dk_measuring *measuring, const struct dk_case *walked,
                     enum dk_measure measure);

#endif
