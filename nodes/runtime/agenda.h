/* Items to consider: those touched, first come first served, and those that come due. */
#ifndef DK_RUNTIME_AGENDA_H
#define DK_RUNTIME_AGENDA_H

#include <stdbool.h>
#include <stdint.h>

struct dk_agenda;

struct dk_agenda *dk_agenda_new(void);
void dk_agenda_free(struct dk_agenda **agenda);

/* At once: the next time items are taken. An item stands in the queue once. */
void dk_agenda_touch(struct dk_agenda *agenda, uint64_t item);

/* At an instant; replaces the one put down before. INT64_MAX: not any more. */
void dk_agenda_schedule(struct dk_agenda *agenda, uint64_t item, int64_t at_us);

/* A touched item or one due by `now_us`, by turns while there are both: neither a flood of events
 * nor one of timers holds the other up. false when there is none. */
bool dk_agenda_next(struct dk_agenda *agenda, int64_t now_us, uint64_t *item);

/* INT64_MIN when something is touched; else the earliest instant scheduled, INT64_MAX: none. */
int64_t dk_agenda_due_us(struct dk_agenda *agenda);

#endif
