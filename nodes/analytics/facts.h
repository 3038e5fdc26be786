/* What analytics keeps of a ticket: its life cut down to the steps that a KPI can ask for.
 *
 *   facts:  ticket -> | head | step | step | step | ...      steps in the order of the log
 *
 * A step is written when an event changes a value that reports are grouped by (group, agent, line,
 * product, priority, type, customer, supplier), or the status, or says something that is counted:
 * every question and every reply does. It holds what happened, when (DOMAIN T1: `occurred`, or the
 * instant that is final for the source) and the values just after. So every KPI is a walk over
 * steps: as-was values are the step's own, as-now values are the ticket's, and the backlog of any
 * instant is exact. The last step with a bit is the one that holds: a late event that precedes what
 * was the first reply adds another.
 *
 * Promises: which calendar counts for a metric is what its ClockStarted said (S5), and for whom its
 * policy pauses. A metric that begins by what the first promise of its kind (SLA, OLA, UC) said has
 * no step of its own, but its bit in the head's flags; a step says each other one, from its event
 * on.
 *
 * Memory: 72 bytes a step and 88 a ticket. Events that add no step (notes, pauses, notices) cost a
 * look-up and keep nothing. */
#ifndef DK_ANALYTICS_FACTS_H
#define DK_ANALYTICS_FACTS_H

#include "nodes/runtime/role.h"
#include <stdint.h>

#define DK_FACTS_FOLD_VERSION 10

enum dk_step_what {
    DK_STEP_OPENED = 1 << 0,
    DK_STEP_FIRST_RESPONSE = 1 << 1, /* message or note of anyone but the customer */
    DK_STEP_FIRST_PUBLIC = 1 << 2,   /* outbound, automatic ones too */
    DK_STEP_FIRST_REPLY = 1 << 3,    /* outbound, by a human */
    DK_STEP_SOLVED = 1 << 4,
    DK_STEP_UNKNOWN = 1 << 5, /* with solved or closed: it happened, the instant is not known */
    DK_STEP_CLOSED = 1 << 6,
    DK_STEP_REOPENED = 1 << 7,   /* from solved or closed to a live status */
    DK_STEP_MERGED = 1 << 8,     /* into another ticket */
    DK_STEP_REASSIGNED = 1 << 9, /* to another group, not known (0) included */
    DK_STEP_ASSIGNED = 1 << 10,  /* to an agent, by assignment or handover; the same one too */
    DK_STEP_ESCALATED = 1 << 11,
    DK_STEP_REPEATED = 1 << 12, /* the customer came back with a new ticket about it */
    DK_STEP_RATED = 1 << 13,
    DK_STEP_CLOCK = 1 << 14,             /* a clock's verdict; the clock's last one holds */
    DK_STEP_FIRST_OWNER_REPLY = 1 << 15, /* outbound, by the agent who had the ticket then */
    DK_STEP_LATE = 1 << 16,     /* recorded after values changed that were others at its instant */
    DK_STEP_LOGGED = 1 << 17,   /* working time: `value` seconds */
    DK_STEP_PROMISED = 1 << 18, /* `metric` counts by the calendar `value`; 0: every instant */
    DK_STEP_ASKED = 1 << 19,    /* the customer wrote in public */
    DK_STEP_BROUGHT = 1 << 20,  /* by a merge (S10): what waits for a reply since `value` */
    DK_STEP_REPLIED = 1 << 21,  /* outbound, by a human */
    DK_STEP_HANDED = 1 << 22,   /* to a supplier */
    DK_STEP_RETURNED = 1 << 23, /* by the supplier */
    DK_STEP_FIXED = 1 << 24,    /* with returned */
    DK_STEP_PASSED = 1 << 25,   /* with reassigned: the group said nothing while it had it */
};

struct dk_step {
    int64_t at_us;
    uint64_t group; /* 0: none, or not known */
    uint64_t agent; /* the owner */
    uint64_t product;
    uint64_t customer;
    uint64_t supplier; /* who has it, or 0 */
    uint64_t value;    /* of a clock its instance; else as the bit says */
    uint32_t what;     /* enum dk_step_what; 0: only values changed */
    uint8_t status;    /* Docket__Status */
    uint8_t pending;   /* Docket__Pending */
    uint8_t line;
    uint8_t priority;
    uint8_t type;
    uint8_t metric;  /* of a clock, or a promise: Docket__Metric */
    uint8_t verdict; /* of a clock: Docket__Verdict */
    uint8_t csat;    /* 1..5; 0: not given */
    uint8_t nps;     /* 1 + (0..10); 0: not given */
    uint8_t pauses;  /* of a promise, bit n: its policy pauses for Docket__Pending n */
    uint8_t reserved[2];
};
_Static_assert(sizeof(struct dk_step) == 72, "no padding: the bytes are hashed");

enum dk_facts_flag {
    DK_FACTS_GROUP_STATED = 1,  /* by Opened (0 = not known) or an event since: a change counts */
    DK_FACTS_REPLIED_AGAIN = 2, /* more than one human reply in public */
    DK_FACTS_BY_NOTES = 4,      /* an agent's own ticket: nobody had asked for anything */
    DK_FACTS_SPOKEN = 8,        /* a note or a human reply since its group came */
};
/* Something was promised of this metric. */
#define DK_FACTS_PROMISED(metric) (UINT32_C(256) << (metric))

/* What is final of a solve or a closing (StatusChanged.final_us) is of the last one: when another
 * follows, the earlier step goes back to when it occurred. */
enum dk_ending { DK_ENDING_SOLVE, DK_ENDING_CLOSING, DK_ENDING_COUNT };

enum dk_first {
    DK_FIRST_RESPONSE,
    DK_FIRST_PUBLIC,
    DK_FIRST_REPLY,
    DK_FIRST_OWNER_REPLY,
    DK_FIRST_COUNT
};

struct dk_facts {
    uint64_t company;                 /* as Opened says; 0: whatever the customer's is */
    uint64_t merged_into;             /* another ticket, or 0 */
    int64_t first_us[DK_FIRST_COUNT]; /* INT64_MAX: not yet */
    int64_t asked_us; /* from when a first reply is waited for: the opening, or the customer's first
                         message when it was opened by notes; INT64_MAX: nobody has asked */
    int64_t rules_us; /* opened, or adopted: whose calendars hold (S7) */
    int64_t occurred_us[DK_ENDING_COUNT]; /* of the last one's event, once there is one */
    uint32_t flags;                       /* enum dk_facts_flag */
    uint32_t channel;                     /* Docket__Channel */
    struct dk_step step[];
};
_Static_assert(sizeof(struct dk_facts) == 88, "no padding: the bytes are hashed");

/* How many steps an entry of the table has. */
static inline size_t dk_facts_steps(size_t bytes)
{
    return (bytes - sizeof(struct dk_facts)) / sizeof(struct dk_step);
}

/* The promise that a metric counts by at an instant: NULL when nothing was promised to the ticket
 * that tells. A metric that has none of its own counts by resolution's, else by the first one of
 * its kind. And from when on it is another one, or INT64_MAX. */
const struct dk_step *dk_facts_promise(const struct dk_facts *facts, size_t steps, unsigned metric,
                                       int64_t at_us, int64_t *next_us);

/* Folds one event into the table `facts` (of own sizes). Total: an event of a ticket that was never
 * opened, of no ticket, or of a kind not known changes nothing. */
void dk_facts_apply(struct dk_table *facts, const struct dk_refs *refs,
                    const struct dk_event *event);

#endif
