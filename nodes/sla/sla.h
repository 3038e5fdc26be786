/* The SLA role: what was promised, when it is due, what became of it (DOMAIN "SLA clocks").
 *
 *   events of tickets --> transitions (proto/fold/transition.h), kept by ticket
 *   clock events      --> what the log says of each clock so far
 *
 *   owed: whatever makes the log say what dk_clocks_compute finds at an instant
 *
 *     ClockStarted    a clock runs, with all that it rests on (S5); said again of one that runs
 *                     when another goal holds for it (S6)
 *     ClockPaused
 *     ClockResumed    also said of one that runs when its due has moved, and of one that was met
 *                     when its ticket is reopened (S9)
 *     ClockWarned     a level or offset is reached: each once a clock, with its due and how late
 *                     (S12)
 *     ClockBreached   with its due, however late it was noticed
 *     ClockMet
 *     ClockCancelled
 *     ClockCorrected  a late event has changed what was final: the verdict, or when it broke
 *     ReminderDue     a ReminderSet's time has come
 *     AutoSolved      so many working days after the ticket began to wait for its customer, and
 *     AutoClosed      so many after it was solved: by its policy's numbers, else the settings'
 *
 * What has come and gone while nobody looked is not made up for: of three pauses only the state
 * after them is said. Timers are not: each level of a clock that still waits, and the breach, is
 * said once, with the instant that it was due.
 *
 * Nothing is owed for historical tickets (T1). From its adoption on a ticket is live: clocks that
 * run then are started with the due that they have; what was warned of, met or breached before is
 * computed, answered by "overdue", and never said. */
#ifndef DK_SLA_SLA_H
#define DK_SLA_SLA_H

#include "nodes/runtime/role.h"

/* Queries:
 *   clocks ticket=SITE-NUMBER [at=TIME] [metric=WORD]   every clock, or a metric's, with what makes
 *                                         it what it is (explain.h), as of an instant (the last
 *                                         event's, if none is given)
 *   due [n=20]                            the clocks that run and are due next; not those
 *                                         whose calendar ends before
 *   overdue                               clocks of adopted tickets that were due before adoption
 *                                         and wait still, and how late they were then
 *   pauses [from=TIME] [to=TIME] [zone=ZONE] [group=KEY]   illegitimate pauses (pauses.h)
 *   credits [from=TIME] [to=TIME] [zone=ZONE]   penalty credits by contract and month (credits.h)
 */
extern const struct dk_role_ops dk_sla_role;

#endif
