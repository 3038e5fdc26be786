/* What notification keeps: its tables, and what is derived from them. */
#ifndef DK_NOTIFICATION_STATE_H
#define DK_NOTIFICATION_STATE_H

#include "nodes/notification/line.h"
#include "nodes/notification/notification.h"
#include "nodes/notification/rule.h"
#include <string.h>

/* Table 1: ticket -> struct dk_notice_ticket, cut off after its last tag. */

/* Table 2: ticket -> an array of these: what is owed and not requested yet. The versions say where
 * its address stands in the reference data, so that none is kept here. */
struct dk_obligation {
    uint64_t notice;
    uint64_t cause;
    uint64_t rule;
    uint64_t recipient;         /* or 0 */
    int64_t digest_until_us;    /* or 0 */
    uint32_t rule_version;      /* subject_version of the rule's definition that was in force */
    uint32_t recipient_version; /* of the recipient's; 0: not defined */
    uint32_t step;
    uint32_t round;
    char language[DK_NOTICE_LANGUAGE_BYTES];
};
_Static_assert(sizeof(struct dk_obligation) == 72, "flat, without padding");

/* Table 3: notice -> struct dk_notice: the outbox. */

/* Table 4: notice -> this: given up. */
struct dk_dead {
    uint64_t position; /* of the NotificationFailed: its place in the list */
    struct dk_notice notice;
    int64_t failed_us;
    uint32_t attempts;
    char error[DK_ATTEMPT_ERROR_BYTES - 4]; /* padded with NULs */
};
_Static_assert(sizeof(struct dk_dead) == 224, "flat, without padding");

/* Table 5: ticket -> an array of these: chains that nobody has ended (N3). */
struct dk_chain {
    uint64_t cause;
    int64_t cause_us; /* recorded */
    uint64_t rule;
    uint64_t manager; /* that the event named; 0: the group's */
    int64_t due_us;   /* when the next step may be told */
    uint32_t rule_version;
    uint32_t step; /* the next one to tell, unless absent */
    uint32_t round;
    uint16_t acknowledged;            /* and told again only if nobody acts */
    uint16_t told_count;              /* since it was acknowledged last; saturates */
    uint64_t told[DK_RULE_STEPS_MAX]; /* the last of them, in a ring: any can be acknowledged */
};
_Static_assert(sizeof(struct dk_chain) == 56 + 8 * DK_RULE_STEPS_MAX, "flat, without padding");

/* Table 6: ticket -> this: solved, and to be asked whether it works (N4). */
struct dk_follow_up {
    int64_t due_us;
    uint64_t cause; /* position of the event that solved it */
};

/* Table 7: a hash of rule, recipient and transport -> int64_t: how long the window is open into
 * which the recipient's notices of the rule go (N2). */

/* Table 8: agent -> int64_t: away or offline until then; INT64_MAX: until something else is told.
 */

struct dk_notification {
    const struct dk_world *world;
    struct dk_table *tickets, *owed, *outbox, *dead, *chains, *follow_ups, *windows, *absences;
    /* Derived: the outbox and the dead by position. */
    struct dk_line line, dead_line;
    /* What one event owes, while it is being found out; empty between events. */
    struct dk_candidate *candidate;
    size_t candidate_capacity;
    void (*attempts_of)(void *arg, uint64_t notice, struct dk_attempts *attempts);
    void *attempts_arg;
};

int dk_notification_apply(void *self, const struct dk_event *event, struct dk_agenda *agenda,
                          struct dk_err *err);
void dk_notification_consider(void *self, uint64_t item, int64_t now_us, struct dk_intents *intents,
                              int64_t *again_us);
int dk_notification_query(void *self, const char *name, const char *const *argument,
                          size_t argument_count, struct dk_buf *json, struct dk_err *err);

/* A tag that does not fit is cut. */
static inline void dk_notice_set_language(char language[DK_NOTICE_LANGUAGE_BYTES], const void *tag,
                                          size_t bytes)
{
    memset(language, 0, DK_NOTICE_LANGUAGE_BYTES);
    memcpy(language, tag, bytes < DK_NOTICE_LANGUAGE_BYTES ? bytes : DK_NOTICE_LANGUAGE_BYTES);
}

/* Whether a ticket may owe something, now or later. */
bool dk_notification_owes(const struct dk_notification *self, uint64_t ticket);

/* owe.c: what rules make of an event. */
void dk_owe_apply(struct dk_notification *self, const struct dk_event *event);
/* The obligation, if there is one, is met. Told by what the request states, and not by the notice's
 * number: how that is made may change, and what was told stays told. */
void dk_owe_discharge(struct dk_notification *self, uint64_t ticket, uint64_t cause,
                      const Docket__NotificationRequested *requested);
/* The notice's window, if it is in one, is over. */
void dk_owe_close_window(struct dk_notification *self, const struct dk_notice *notice);
/* Makes whole an obligation of which cause, rule, version, step, round and recipient are set: the
 * recipient's version and language are those of `at`; `cause_us` is the cause's recorded time. */
void dk_owe_complete(const struct dk_notification *self, uint64_t ticket, int64_t cause_us,
                     Docket__Transport transport, int64_t at_us, struct dk_obligation *owed);

/* decide.c: adds the request of an obligation; false when there is no room. */
bool dk_decide_request(const struct dk_notification *self, uint64_t ticket,
                       const struct dk_obligation *owed, struct dk_intents *intents);
/* N2: from when on, `now` or later, a rule may disturb the recipient. */
int64_t dk_decide_from_us(const struct dk_notification *self, const Docket__RuleDefined *rule,
                          uint64_t recipient, int64_t now_us);
/* The rule that an obligation or a chain rests on: it was in force when that came to be. */
const Docket__RuleDefined *dk_decide_rule(const struct dk_notification *self, uint64_t rule,
                                          uint32_t version);

/* chain.c */
/* Of a live ticket. `notice` tells the first step's receiver already, or is 0. */
void dk_chain_begin(struct dk_notification *self, const struct dk_event *event,
                    const struct dk_refs_version *rule, uint64_t manager, uint64_t notice);
/* What an event of the ticket, notices' own among them, means for its chains. */
void dk_chain_apply(struct dk_notification *self, const struct dk_event *event);
/* Adds the steps that are to be told now, and lowers `*again_us`. false when there is no room. */
bool dk_chain_consider(const struct dk_notification *self, uint64_t ticket, int64_t now_us,
                       struct dk_intents *intents, int64_t *again_us);

/* follow_up.c */
void dk_follow_up_apply(struct dk_notification *self, const struct dk_event *event);
bool dk_follow_up_consider(const struct dk_notification *self, uint64_t ticket, int64_t now_us,
                           struct dk_intents *intents, int64_t *again_us);

#endif
