/* What the SLA role keeps: five tables by ticket; derived are what has become of breached clocks,
 * and whom a definition concerns. A ticket with two running clocks has some eight transitions of 24
 * bytes and two rows of 48. */
#ifndef DK_SLA_STATE_H
#define DK_SLA_STATE_H

#include "nodes/runtime/role.h"
#include "nodes/sla/breaches.h"
#include "nodes/sla/reach.h"
#include "proto/base/limits.h"
#include "proto/fold/clocks.h"

/* Table 1: ticket -> an array of struct dk_transition, in their order. */

/* Table 2: ticket -> an array of these: what the log says of its clocks. */
struct dk_said {
    int64_t due_us; /* as it was said last */
    uint64_t target_us;
    uint64_t policy;
    uint64_t contract;
    uint32_t policy_version;
    uint32_t instance;
    uint32_t goal;
    uint8_t metric;  /* Docket__Metric */
    uint8_t verdict; /* Docket__Verdict */
    uint8_t resumed; /* times after it was met; saturates */
    uint8_t reserved;
};
_Static_assert(sizeof(struct dk_said) == 48, "flat, without padding");

/* Table 3: ticket -> an array of these: reminders that have not come due. */
struct dk_reminder {
    uint64_t position; /* of its ReminderSet */
    int64_t due_us;
};

/* Table 4: ticket -> an array of these: the warnings that the log says (S12: each once). */
struct dk_warned {
    uint64_t before_us; /* as in struct dk_clock_warning */
    uint32_t instance;
    uint8_t metric;
    uint8_t level;
    uint16_t reserved;
};
_Static_assert(sizeof(struct dk_warned) == 16, "flat, without padding");

/* Table 5: ticket -> an array of these: who has set it to wait for its customer, in order of the
 * log (S11). */
struct dk_pauser {
    uint64_t position, actor;
    int64_t occurred_us;
};
_Static_assert(sizeof(struct dk_pauser) == 24, "flat, without padding");

struct dk_sla {
    const struct dk_world *world;
    struct dk_table *transitions, *said, *reminders, *warned, *pausers;
    struct dk_breaches breaches; /* derived */
    struct dk_reach reach;       /* derived */
    struct dk_clocks clocks;     /* scratch, of the ticket under consideration */
    struct dk_said *row;         /* scratch: what the log will say */
    size_t row_count, row_capacity;
    struct dk_warned *warning; /* scratch, the same of warnings */
    size_t warning_count, warning_capacity;
};

/* Computes the clocks of a ticket into `clocks`, as of an instant. */
void dk_sla_compute(struct dk_sla *self, uint64_t ticket, int64_t at_us);

/* What one clock event makes of what was said of its clock (all zero: nothing yet). */
void dk_said_apply(struct dk_said *said, uint32_t kind, const void *body);

/* What a ClockWarned says. */
struct dk_warned dk_warned_of(const Docket__ClockWarned *warned);

/* The clock that a clock event is about; NULL for other kinds. */
const Docket__ClockRef *dk_said_clock(uint32_t kind, const void *body);

/* Its place among `count` ones, or `count`. */
size_t dk_said_find(const struct dk_said *said, size_t count, unsigned metric, uint32_t instance);

/* The same clock among those computed, or NULL: there is none any more. Borrowed. */
const struct dk_clock *dk_said_computed(const struct dk_said *said, const struct dk_clocks *clocks);

/* A due as events can state it: a calendar that ends before has none, and says the last instant. */
static inline int64_t dk_said_due(int64_t due_us)
{
    return due_us < DK_TIME_MAX_US ? due_us : DK_TIME_MAX_US;
}

/* T1: whether a clock was over, or due, before its ticket was live. */
static inline bool dk_sla_past(const struct dk_clock *clock, int64_t live_from_us)
{
    return (clock->ended_us != 0 && clock->ended_us <= live_from_us) ||
           (clock->verdict == DOCKET__VERDICT__VERDICT_BREACHED && clock->due_us <= live_from_us);
}

int dk_sla_apply(void *self, const struct dk_event *event, struct dk_agenda *agenda,
                 struct dk_err *err);
void dk_sla_consider(void *self, uint64_t item, int64_t now_us, struct dk_intents *intents,
                     int64_t *again_us);
int dk_sla_query(void *self, const char *name, const char *const *argument, size_t argument_count,
                 struct dk_buf *json, struct dk_err *err);

#endif
