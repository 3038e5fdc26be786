/* Intents in flight, in memory only: what was sent, what was accepted and is not folded yet.
 *
 * One request an item at a time. An item that is considered while it flies is considered again when
 * it has landed: when what was accepted has come back through the log, or after a refusal when a
 * pause is over that doubles with every refusal in a row. */
#ifndef DK_RUNTIME_FLIGHT_H
#define DK_RUNTIME_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DK_FLIGHT_PAUSE_MIN_US 2000LL
#define DK_FLIGHT_PAUSE_MAX_US (30LL * 1000000)

struct dk_flight;

struct dk_flight *dk_flight_new(void);
void dk_flight_free(struct dk_flight **flight);

bool dk_flight_has(const struct dk_flight *flight, uint64_t item);
size_t dk_flight_events(const struct dk_flight *flight); /* sent and not folded or refused */

/* An append of `events` for `item` was sent as `request`. */
void dk_flight_sent(struct dk_flight *flight, uint64_t request, uint64_t item, size_t events,
                    int64_t boot_us);

/* Whether the request was sent and has not landed. */
bool dk_flight_knows(const struct dk_flight *flight, uint64_t request);

/* It was answered: all accepted up to `last_position` (the item waits until that is folded), or
 * something was refused: then the item, and the pause after which to consider it again; when
 * `some_accepted`, it counts as the first in a row. false for a request that is not known. */
bool dk_flight_accepted(struct dk_flight *flight, uint64_t request, uint64_t last_position);
bool dk_flight_refused(struct dk_flight *flight, uint64_t request, bool some_accepted,
                       uint64_t *item, int64_t *pause_us);

/* The item owes nothing now: how often it was refused is forgotten. */
void dk_flight_settled(struct dk_flight *flight, uint64_t item);

/* An item whose accepted events are folded by `position`; false when there is none (left). */
bool dk_flight_landed(struct dk_flight *flight, uint64_t position, uint64_t *item);

/* The oldest unanswered request's age; 0 when there is none. */
int64_t dk_flight_oldest_us(const struct dk_flight *flight, int64_t boot_us);

/* The outcome of everything unanswered is not known any more: forgets all; each item is handed
 * out once. */
bool dk_flight_drop(struct dk_flight *flight, uint64_t *item);

#endif
